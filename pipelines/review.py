"""The reviewer's path: which trials of a condition and an intervention there are, which of them have results and where,
which are missing and why they are thought due, and which of them a reviewer's own list already holds.

Belongs here: what a finished warehouse says to that question, as rows and as a page in Markdown. Does not: verdicts,
which the tables hold, and files to write. Finding trials by words is the macro `find_trials` of the warehouse itself.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from pipelines import explain, trn
from pipelines.contracts import contracts
from pipelines.errors import UsageError

GROUPS = {
    "missing": "Missing: due, and no results found in the sources searched",
    "none_found": "Completed, no results found in the sources searched, and not overdue under the policy",
    "cannot_judge": "Completed, nothing found, but not every source could be searched",
    "found": "Results found",
    "not_completed": "Not completed",
    "completion_unclear": "The record does not allow to say whether it has completed",
    "outside": "No interventional trial, or never started",
}
"""What the trials of a review are told apart into: each is in exactly one, the missing ones first."""

ENROLMENT = {"actual": "actual", "estimated": "planned", None: "kind not stated"}
DOI = re.compile(r"10\.\d{4,9}/[^\s\"<>;,]+[^\s\"<>;,.)]")
PMID = re.compile(r"(?:pmid|pubmed)\W*(\d{1,9})\b", re.IGNORECASE)

SOURCES = """
SELECT source, state, retrieved_at, stale_days FROM sources WHERE snapshot IS NOT NULL ORDER BY source
"""
TRIALS = """
WITH numbers AS (
    SELECT trial_id, list(registration_id ORDER BY registration_id) AS registrations,
        list('register: ' || registration_id || ' read on ' || last_seen_directly ORDER BY registration_id)
            FILTER (WHERE last_seen_directly IS NOT NULL) AS searched
    FROM registrations GROUP BY trial_id
), dois AS (
    SELECT l.trial_id, list(p.doi ORDER BY p.pmid) FILTER (WHERE l.counts_as_results AND p.doi IS NOT NULL) AS dois,
        list(l.pmid ORDER BY l.pmid) FILTER (WHERE NOT l.counts_as_results) AS other_pmids
    FROM trial_publications AS l LEFT JOIN publications AS p USING (pmid) GROUP BY l.trial_id
), clock AS (
    SELECT trial_id, min(value) AS value, min(registration_id) AS registration_id, min(field) AS field
    FROM status_evidence WHERE policy = $policy AND role = 'clock' GROUP BY trial_id
)
SELECT
    CASE
        WHEN w.completion = 'outside' THEN 'outside'
        WHEN w.completion = 'not_completed' THEN 'not_completed'
        WHEN w.completion = 'cannot_judge' THEN 'completion_unclear'
        WHEN w.results = 'none_found' AND s.status_group = 'due, missing' THEN 'missing'
        ELSE w.results END AS "group",
    t.trial_id, n.registrations, r.url, t.title, r.official_title, t.sponsor, t.phase, t.status,
    t.enrolment, t.enrolment_type, w.completion, w.completed_earliest, w.completed_latest, w.results,
    w.result_registrations, w.result_pmids, coalesce(d.dois, []) AS result_dois, w.not_searched, n.searched,
    coalesce(d.other_pmids, []) AS other_pmids, s.status AS policy_status, s.due_earliest, s.due_latest,
    c.value AS clock_value, c.registration_id AS clock_registration, c.field AS clock_field
FROM trials AS t
JOIN trial_standings AS w USING (trial_id)
JOIN numbers AS n USING (trial_id)
JOIN registrations AS r ON r.registration_id = t.main_registration_id
JOIN reporting_status AS s ON s.trial_id = t.trial_id AND s.policy = $policy
LEFT JOIN dois AS d ON d.trial_id = t.trial_id
LEFT JOIN clock AS c ON c.trial_id = t.trial_id
WHERE t.trial_id IN (SELECT unnest($trials))
ORDER BY list_position($groups, "group"), t.enrolment DESC NULLS LAST, t.trial_id
"""


@dataclass(frozen=True)
class Listed:
    """One row of a reviewer's own list.

    number: of the row, 2 for the first below the header. named: the numbers in it. trials: trial -> the number by which
    it was found.
    """

    number: int
    named: tuple[str, ...]
    trials: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Review:
    """What a review is told: its trials, one a row, and how they were sought."""

    condition: str
    intervention: str
    policy: str
    as_of: str
    sources: Sequence[Mapping[str, Any]]
    rows: Sequence[Mapping[str, Any]]
    listed: Sequence[Listed] | None

    @property
    def name(self) -> str:
        """A name for its files."""
        words = re.sub(r"[^a-z0-9]+", "-", f"{self.condition} {self.intervention}".lower()).strip("-")
        return f"review-{words}" if words else "review"


def review(
    connection: duckdb.DuckDBPyConnection,
    condition: str = "",
    intervention: str = "",
    policy: str = "alltrials-summary",
    listed: Path | None = None,
) -> Review:
    """The trials of a condition, an intervention or both; without either the trials that the list holds.

    Raises UsageError where nothing is asked, where the policy is none, and where no trial is found.
    """
    known = [p.id for p in contracts().of_kind("reporting")]
    if policy not in known:
        raise UsageError(f"There is no reporting policy {policy!r}. There are: {', '.join(known)}.")
    if not (condition or intervention or listed):
        raise UsageError("Say what the review is about: a condition, --intervention, or --match with your own list.")
    own = _matched(connection, listed) if listed else None
    found = _found(connection, condition, intervention) if condition or intervention else {}
    asked = bool(condition or intervention)
    wanted = found if asked else {trial: ("", "") for row in own or () for trial in row.trials}
    if not wanted:
        raise UsageError(_nothing(connection, condition, intervention, listed))
    return Review(
        condition,
        intervention,
        policy,
        _as_of(connection),
        _rows(connection, SOURCES),
        [_row(row, wanted[row["trial_id"]], own, policy) for row in _trials(connection, sorted(wanted), policy)],
        own,
    )


def _as_of(connection: duckdb.DuckDBPyConnection) -> str:
    ((day,),) = connection.execute("SELECT max(retrieved_at + CAST(stale_days AS INTEGER)) FROM sources").fetchall()
    return str(day)


def _found(connection: duckdb.DuckDBPyConnection, condition: str, intervention: str) -> dict[str, tuple[str, str]]:
    """trial -> how the condition and how the intervention was found."""
    rows = connection.execute(
        "SELECT trial_id, condition_by, intervention_by FROM find_trials(?, ?)",
        [condition or None, intervention or None],
    ).fetchall()
    return {trial: (by or "", other or "") for trial, by, other in rows}


def _nothing(connection: duckdb.DuckDBPyConnection, condition: str, intervention: str, listed: Path | None) -> str:
    """Why there is nothing to tell, and which words come near."""
    if not (condition or intervention):
        return f"{listed}: no number in it is known to the warehouse, neither a registration nor an article of a trial."
    hints = []
    for table, words in (("conditions", condition), ("interventions", intervention)):
        near = connection.execute(
            f"""SELECT normalised FROM {table} WHERE jaro_winkler_similarity(normalised, lower($words)) > 0.85
            GROUP BY normalised ORDER BY jaro_winkler_similarity(normalised, lower($words)) DESC, normalised LIMIT 5""",
            {"words": words},
        ).fetchall()
        hints += [f"{table} that come near {words!r}: {', '.join(n for (n,) in near)}."] if words and near else []
    asked = " and ".join(repr(word) for word in (condition, intervention) if word)
    return " ".join([f"No trial of {asked} was found in the sources loaded.", *hints])


def _trials(connection: duckdb.DuckDBPyConnection, wanted: Sequence[str], policy: str) -> list[dict[str, Any]]:
    return _rows(connection, TRIALS, {"policy": policy, "trials": wanted, "groups": list(GROUPS)})


def _rows(
    connection: duckdb.DuckDBPyConnection, sql: str, parameters: Mapping[str, Any] | None = None
) -> list[dict[str, Any]]:
    cursor = connection.execute(sql, parameters or {})
    names = [d[0] for d in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _row(row: Mapping[str, Any], by: tuple[str, str], own: Sequence[Listed] | None, policy: str) -> dict[str, Any]:
    told: dict[str, Any] = {
        "condition_found_by": by[0], "intervention_found_by": by[1], "why_due": _why_due(row, policy),
    }  # fmt: skip
    if own is not None:
        told["rows_of_your_list"] = [str(r.number) for r in own if row["trial_id"] in r.trials]
    return {name: value for name, value in row.items() if not name.startswith("clock_")} | told


def _why_due(row: Mapping[str, Any], policy: str) -> str:
    """Why the policy is thought to ask for results by now; empty where it is not."""
    if row["group"] != "missing":
        return ""
    rule = contracts().policies[policy]
    where = ", ".join(filter(None, (row["clock_registration"], row["clock_field"])))
    due = str(row["due_latest"])
    if row["due_earliest"] != row["due_latest"]:
        due = f"{row['due_earliest']} to {row['due_latest']}"
    return (
        f"{rule.title} (version {rule.version}): {rule.asks[0].lower()}{rule.asks[1:]}. The clock started on "
        f"{row['clock_value']} ({where}); due {due}; status {row['policy_status']}."
    )


# --- a reviewer's own list ------------------------------------------------------------------------------------------


def read_list(path: Path) -> list[Listed]:
    """The registration numbers, DOIs and PMIDs in each row of a CSV file, in any of its columns; bare digits are a PMID
    in a column of that name. Raises UsageError where the file is no such list."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise UsageError(f"{path}: is not in UTF-8. Save it as CSV UTF-8.") from None
    header = text.partition("\n")[0]
    rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=header.count)))
    if len(rows) < 2:
        raise UsageError(f"{path}: holds no row below its header.")
    listed = [Listed(number, tuple(dict.fromkeys(_numbers(rows[0], row)))) for number, row in enumerate(rows[1:], 2)]
    if not any(row.named for row in listed):
        raise UsageError(f"{path}: no column holds a registration number, a DOI or a PMID (in a column named pmid).")
    return listed


def _numbers(header: Sequence[str], row: Sequence[str]) -> Iterator[str]:
    for place, cell in enumerate(row):
        name = header[place].lower() if place < len(header) else ""
        if re.search(r"pmid|pubmed", name):
            yield from re.findall(r"\b\d{1,9}\b", cell)
            continue
        # A cell that is a number and nothing else needs no words beside it, as some do in a text (NL8498, NTR 3912).
        whole = trn.canonical(cell)
        yield from (hit.canonical for hit in ([whole] if whole else trn.find(cell)) if hit.canonical)
        yield from DOI.findall(cell)
        yield from PMID.findall(cell)


def _matched(connection: duckdb.DuckDBPyConnection, path: Path) -> list[Listed]:
    """The rows of the list with the trials that their numbers lead to: by a registration or by a linked article."""
    return [Listed(row.number, row.named, _trials_of(connection, row.named)) for row in read_list(path)]


def _trials_of(connection: duckdb.DuckDBPyConnection, named: Iterable[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for number in named:
        for trial in explain.find(connection, number) or _reported_in(connection, number):
            found.setdefault(trial, number)
    return found


def _reported_in(connection: duckdb.DuckDBPyConnection, number: str) -> list[str]:
    rows = connection.execute(
        """SELECT DISTINCT trial_id FROM trial_publications JOIN find_article(?) USING (pmid)
        WHERE tier IN ('L1', 'L2', 'L3', 'L4') ORDER BY trial_id""",
        [number],
    ).fetchall()
    return [trial for (trial,) in rows]


# --- as text --------------------------------------------------------------------------------------------------------


def as_csv(told: Review) -> str:
    """One line per trial; lists are parted by `; `, dates are ISO, empty means not known."""
    out = io.StringIO()
    names = list(told.rows[0])
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(names)
    for row in told.rows:
        writer.writerow(["; ".join(map(str, v)) if isinstance(v, list) else v for v in (row[n] for n in names)])
    return out.getvalue()


def as_markdown(told: Review) -> str:
    """The page: how it was sought, what there is, what is missing, what could not be judged."""
    return "\n".join([*_head(told), *_counts(told), *_lists(told), *_own_list(told), *_limits(told)]) + "\n"


def counts(told: Review) -> Iterator[str]:
    """How many trials stand where, for a person at the terminal."""
    for group, meaning in GROUPS.items():
        if number := sum(row["group"] == group for row in told.rows):
            yield f"{number:,} {meaning}"


def _head(told: Review) -> Iterator[str]:
    about = " and ".join(filter(None, (told.condition, told.intervention))) or "the trials of a list"
    yield f"# Trials and results: {_plain(about)}"
    yield ""
    yield f"As of {told.as_of}; due dates by the policy `{told.policy}`. Sources searched:"
    yield ""
    yield "| source | state | last retrieved | days old |"
    yield "|---|---|---|---|"
    for source in told.sources:
        yield f"| {source['source']} | {_plain(source['state'])} | {source['retrieved_at']} | {source['stale_days']} |"


def _counts(told: Review) -> Iterator[str]:
    yield from ("", "## How many trials, and how many participants", "")
    yield "Each trial stands in one line. Actual and planned numbers of participants are never added to each other."
    yield ""
    yield "| trials | | actual participants | planned | kind not stated | trials without a number |"
    yield "|---:|---|---:|---:|---:|---:|"
    for group, meaning in GROUPS.items():
        rows = [r for r in told.rows if r["group"] == group]
        if rows:
            sums = (
                sum(r["enrolment"] or 0 for r in rows if r["enrolment_type"] == kind)
                for kind in ("actual", "estimated", None)
            )
            without = sum(r["enrolment"] is None for r in rows)
            yield f"| {len(rows):,} | {meaning} | {' | '.join(f'{n:,}' for n in sums)} | {without:,} |"
    yield f"| {len(told.rows):,} | All | | | | |"


def _lists(told: Review) -> Iterator[str]:
    for group, meaning in GROUPS.items():
        rows = [r for r in told.rows if r["group"] == group]
        if rows:
            yield from ("", f"## {meaning} ({len(rows):,})", "")
            for row in rows:
                yield from _trial(row)


def _trial(row: Mapping[str, Any]) -> Iterator[str]:
    participants = "participants not stated"
    if row["enrolment"] is not None:
        participants = f"{row['enrolment']:,} participants ({ENROLMENT[row['enrolment_type']]})"
    mine = " **In your list.**" if row.get("rows_of_your_list") else ""
    yield f"- **{row['trial_id']}** {_plain(row['title'] or '(no title)')}. {participants}. {row['url'] or ''}{mine}"
    others = [n for n in row["registrations"] if n != row["trial_id"]]
    if others:
        yield f"  - Also registered as {', '.join(others)}."
    places = [*row["result_registrations"], *(f"PMID {p}" for p in row["result_pmids"])]
    if places:
        yield f"  - Results: {', '.join(places)}."
    if row["why_due"]:
        yield f"  - Thought due: {row['why_due']}"
        yield f"  - Searched: {'; '.join(row['searched'] or ['nothing'])}; PubMed as above."
    if row["not_searched"] and row["group"] == "cannot_judge":
        yield f"  - Could not be judged: {'; '.join(map(_plain, row['not_searched']))}."
    if row["other_pmids"] and not places:
        yield f"  - Linked articles that do not count as results: {', '.join(f'PMID {p}' for p in row['other_pmids'])}."


def _own_list(told: Review) -> Iterator[str]:
    if told.listed is None:
        return
    shown = {row["trial_id"] for row in told.rows}
    unknown = [r for r in told.listed if not r.trials]
    elsewhere = [r for r in told.listed if r.trials and not shown & r.trials.keys()]
    yield from ("", "## Your list", "")
    yield (
        f"{len(told.listed):,} rows: {len(told.listed) - len(unknown) - len(elsewhere):,} lead to a trial above, "
        f"{len(elsewhere):,} to a trial that is not above, {len(unknown):,} to none that is known here."
    )
    yield ""
    for row in elsewhere:
        found = ", ".join(f"{trial} (by {number})" for trial, number in row.trials.items())
        yield f"- Row {row.number}: {found} was not found by the words."
    for row in unknown:
        yield f"- Row {row.number}: {', '.join(row.named) or 'no number'} leads to no trial in the sources loaded."


def _limits(told: Review) -> Iterator[str]:
    yield from ("", "## What this does not say", "")
    yield "- No results found in the sources searched does not mean that there are none, nor that they were hidden."
    yield "- Trials are found by words and by MeSH terms that registers give; a record in other words is not here. The"
    yield "  column `condition_found_by` says how: `words` are the ones to look through first."
    yield "- An article counts as results where it names the trial or the register lists it as results, and it is no"
    yield "  protocol, no pooled analysis, not retracted and no preprint."


def _plain(text: str) -> str:
    """A source's words as Markdown shows them: on one line, with nothing in them taken for markup."""
    return re.sub(r"([\\`*_\[\]<>|])", r"\\\1", " ".join(text.split()))
