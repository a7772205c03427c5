"""One trial in sentences: its registrations, dates, publications, each policy's verdict and the evidence for it. Or one
article: what it is, the trials that it belongs to and on what evidence.

Prints what stands in the published tables and nothing else. Both are found by any of their numbers in any spelling.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import duckdb

from pipelines import trn
from pipelines.contracts import contracts

OUTCOME = {True: "yes", False: "no", None: "unknown"}
LINKS = 20
"""Links shown of a trial; a number that many trials name has thousands."""
DATES = {"Start": "start", "Primary completion": "primary_completion", "Completion": "completion"}


def find(connection: duckdb.DuckDBPyConnection, number: str) -> list[str]:
    """Ids of the trials known by the number: the trial registered under it, else those that state it, in canonical form
    or as written, else the trial that an id which was given up now means."""
    hit = trn.canonical(number)
    wanted = hit.canonical if hit else number.strip()
    rows = connection.execute(
        """WITH known AS (
            SELECT DISTINCT trial_id, kind IN ('registration', 'alias') AS is_own FROM identifiers
            WHERE number = $number OR lower(written) = lower($number)
        ), past AS (
            SELECT arg_max(trial_id, event_number) AS trial_id FROM ledger WHERE number = $number
        )
        SELECT trial_id FROM known WHERE is_own
        UNION SELECT trial_id FROM known WHERE NOT (SELECT coalesce(bool_or(is_own), false) FROM known)
        UNION SELECT trial_id FROM past JOIN trials USING (trial_id) WHERE NOT EXISTS (FROM known)
        ORDER BY trial_id""",
        {"number": wanted},
    ).fetchall()
    return [trial_id for (trial_id,) in rows]


def find_articles(connection: duckdb.DuckDBPyConnection, number: str) -> list[int]:
    """PMIDs of the articles that have the number: a PMID, a DOI or a PMC number, also as an address."""
    rows = connection.execute("SELECT DISTINCT pmid FROM find_article(?) ORDER BY pmid", [number]).fetchall()
    return [pmid for (pmid,) in rows]


def explain_article(connection: duckdb.DuckDBPyConnection, pmid: int) -> Iterator[str]:
    """The lines that explain one article."""
    article = next(iter(_rows(connection, "SELECT * FROM publications WHERE pmid = ?", pmid)), None)
    if article is None:
        yield f"PMID {pmid}  (article not loaded)"
    else:
        yield f"PMID {pmid}  {article['title'] or '(no title)'}"
        yield f"  {article['journal'] or 'Journal not stated'}, {article['published_raw'] or 'date not stated'}."
        yield f"  DOI: {article['doi'] or 'none'}. Types: {', '.join(article['publication_types']) or 'none'}."
        if article["is_retracted"]:
            yield "  Retracted."
    numbers = _rows(connection, "SELECT * FROM publication_numbers WHERE pmid = ? ORDER BY section, number", pmid)
    for row in numbers:
        known = {True: "known to the register", False: "not known to it", None: "register not loaded"}[row["is_known"]]
        malformed = "malformed" if row["is_malformed"] else known
        yield f"  Names {row['number']} ({row['section'].replace('_', ' ')}; {malformed})."
    links = _rows(
        connection,
        """SELECT l.*, t.title FROM trial_publications AS l JOIN trials AS t USING (trial_id)
        WHERE l.pmid = ? ORDER BY l.counts_as_results DESC, l.trial_id""",
        pmid,
    )
    yield "Trials"
    if not links:
        yield "  No linked trial found in the sources searched."
    for row in links[:LINKS]:
        yield f"  {row['trial_id']}  {row['title'] or '(no title)'}"
        yield f"    {_link(row)}"
    if len(links) > LINKS:
        yield f"  {len(links) - LINKS:,} more rows in trial_publications."
    for row in _rows(connection, "SELECT * FROM unregistered_candidates WHERE pmid = ?", pmid):
        places = ", ".join(row["no_registration_found"])
        yield f"  A trial report for which no registration was found (grade {row['grade']}). Searched: {places}."


def _link(row: Mapping[str, Any]) -> str:
    """Whether a link counts, why not, and what it rests on."""
    flags = [text for name, text in (
        ("is_before_pcd", "before primary completion"), ("is_pooled", "of more than three trials"),
        ("is_retracted", "retracted"), ("is_preprint", "preprint")) if row[name]]  # fmt: skip
    why = [row["filter_outcome"].replace("_", " ")] if row["filter_outcome"] != "passed" else []
    verdict = "counts as results" if row["counts_as_results"] else "does not count as results"
    reasons = "; ".join([*why, *flags])
    verdict += f" ({reasons})" if reasons else ""
    return f"{verdict}; tier {row['tier'] or 'none'}, found by {', '.join(row['evidence'])}."


def explain(connection: duckdb.DuckDBPyConnection, trial_id: str) -> Iterator[str]:
    """The lines that explain one trial."""
    trial = _rows(connection, "SELECT * FROM trials WHERE trial_id = ?", trial_id)[0]
    yield f"{trial_id}  {trial['title'] or '(no title)'}"
    sponsor = f"{trial['sponsor'] or 'not stated'} ({trial['sponsor_class'] or 'class not stated'})"
    yield f"  Sponsor: {sponsor}. Study: {trial['study_type'] or 'not stated'}, phase {trial['phase'] or 'not stated'}."
    enrolment = (
        "not stated"
        if trial["enrolment"] is None
        else f"{trial['enrolment']:,} ({trial['enrolment_type'] or 'kind not stated'})"
    )
    yield f"  Status: {trial['status'] or 'not stated'}. Participants: {enrolment}."
    yield f"  Registered {trial['registered'] or 'on an unknown day'}. " + " ".join(
        f"{label}: {trial[f'{name}_raw'] or 'not stated'}{_kind(trial[f'{name}_type'])}."
        for label, name in (
            ("Start", "start"),
            ("Primary completion", "primary_completion"),
            ("Completion", "completion"),
        )
    )
    yield from _registrations(connection, trial_id)
    yield from _links(connection, trial_id)
    yield from _discrepancies(connection, trial_id)
    yield from _publications(connection, trial_id)
    yield from _disclosure(connection, trial_id)
    yield from _registration_verdicts(connection, trial_id)
    yield from _reporting_verdicts(connection, trial_id)
    yield from _contests(connection, trial_id)


def _kind(kind: str | None) -> str:
    return f" ({kind})" if kind else ""


def _registrations(connection: duckdb.DuckDBPyConnection, trial_id: str) -> Iterator[str]:
    yield "Registrations"
    for row in _rows(connection, "SELECT * FROM registrations WHERE trial_id = ? ORDER BY registration_id", trial_id):
        seen = f"last seen {row['last_seen']} ({row['source']})"
        gone = f", gone from the register since {row['vanished_on']}" if row["vanished_on"] else ""
        replaced = f", replaced by {row['replaced_by']}" if row["replaced_by"] else ""
        yield f"  {row['registration_id']}  {row['url'] or 'no address known'}  {seen}{gone}{replaced}"
    numbers = _rows(
        connection,
        """SELECT DISTINCT number, kind FROM identifiers WHERE trial_id = ? AND kind <> 'registration'
        ORDER BY kind, number""",
        trial_id,
    )
    if numbers:
        yield "  Also known as: " + ", ".join(f"{n['number']} ({n['kind'].replace('_', ' ')})" for n in numbers)


def _links(connection: duckdb.DuckDBPyConnection, trial_id: str) -> Iterator[str]:
    """Why its registrations are taken for one trial, and which others may be it."""
    methods = contracts().vocabularies["link_method"]
    reasons = contracts().vocabularies["link_reason"]
    rows = _rows(
        connection,
        """SELECT * FROM trial_links WHERE $1 IN (trial_id, other_trial_id)
        ORDER BY decision = 'merged' DESC, evidence_class, registration_id, other_id, method""",
        trial_id,
    )
    for row in rows[:LINKS]:
        pair = f"{row['registration_id']} and {row['other_id']}"
        found = f"{methods[row['method']]['meaning']}."
        if row["decision"] == "merged":
            yield f"  {pair} are taken for one trial. {found}"
        else:
            why = f"{row['decision']}: {reasons[row['reason']]['meaning']}"
            yield f"  {pair} are not taken for one trial ({why}). {found}"
    if len(rows) > LINKS:
        yield f"  {len(rows) - LINKS:,} more rows in trial_links."


def _discrepancies(connection: duckdb.DuckDBPyConnection, trial_id: str) -> Iterator[str]:
    rows = _rows(connection, "SELECT * FROM discrepancies WHERE trial_id = ? ORDER BY field", trial_id)
    if rows:
        yield "Its registrations disagree"
    for row in rows:
        values = "; ".join(f"{v['registration_id']} {v['value']}{_kind(v['type'])}" for v in row["values"])
        yield f"  {row['field'].replace('_', ' ')}: {values}."


def _publications(connection: duckdb.DuckDBPyConnection, trial_id: str) -> Iterator[str]:
    rows = _rows(
        connection,
        """SELECT l.*, p.title, p.journal, p.doi FROM trial_publications AS l LEFT JOIN publications AS p USING (pmid)
        WHERE l.trial_id = ? ORDER BY l.counts_as_results DESC, l.pmid""",
        trial_id,
    )
    (state,) = _rows(connection, "SELECT state FROM sources WHERE source = ?", "pubmed")
    yield f"Publications ({state['state']})"
    if not rows:
        yield "  No linked publication found in the sources searched."
    for row in rows:
        title = row["title"] or "(article not loaded)"
        yield f"  PMID {row['pmid']}, {row['published_earliest'] or 'date unknown'}: {title}"
        yield f"    {_link(row)}"


def _disclosure(connection: duckdb.DuckDBPyConnection, trial_id: str) -> Iterator[str]:
    (row,) = _rows(connection, "SELECT * FROM disclosure WHERE trial_id = ?", trial_id)
    day, place = row["earliest_results_date"], row["earliest_results_where"]
    first = f", first {day} at {place}" if day else f", at {place} on an unknown day" if place else ""
    yield f"Results anywhere: {OUTCOME[row['any_results']]}{first}."


def _registration_verdicts(connection: duckdb.DuckDBPyConnection, trial_id: str) -> Iterator[str]:
    yield "Registered before it began?"
    rows = _rows(connection, "SELECT * FROM registration_status WHERE trial_id = ? ORDER BY rule", trial_id)
    for row in rows:
        missing = f" (missing: {row['missing_field']})" if row["missing_field"] else ""
        moved = (
            f" The start was {row['start_first_version'] or 'not stated'} in the oldest known version"
            f" ({row['status_first_version']})." if row["start_moved"] else ""
        )  # fmt: skip
        yield f"  {row['rule']}: {row['status']}{missing}.{moved}"


def _reporting_verdicts(connection: duckdb.DuckDBPyConnection, trial_id: str) -> Iterator[str]:
    words = contracts().vocabularies["reporting_status"]
    rows = _rows(
        connection,
        """SELECT s.*, l.days_late_min AS late_min, l.days_late_max AS late_max FROM reporting_status AS s
        LEFT JOIN reporting_lateness AS l USING (trial_id, policy) WHERE s.trial_id = ? ORDER BY s.policy""",
        trial_id,
    )
    yield "Results reported?"
    for row in rows:
        decided = f" [{row['decided_by']}]" if row["decided_by"] else ""
        rule = f"rule version {row['rule_version']}, applies: {row['applies']}"
        yield f"  {row['policy']} ({rule}): {row['status']}{decided}"
        yield f"    {words[row['status']]['meaning']}. It does not mean: {words[row['status']]['does_not_mean']}."
        if row["due_latest"] and row["status_group"] != "outside":  # nothing is due of whom nothing is asked
            due = (
                str(row["due_latest"])
                if row["due_earliest"] == row["due_latest"]
                else f"{row['due_earliest']} to {row['due_latest']}"
            )
            late = "" if row["late_max"] is None else f" Days late: {_span(row['late_min'], row['late_max'])}."
            yield f"    Due: {due}.{late}"
        if row["is_ambiguous"]:
            yield f"    By the earliest reading of the dates it would be: {row['status_earliest']}."
        legs = _rows(
            connection, "SELECT * FROM status_evidence WHERE trial_id = ? AND policy = ?", trial_id, row["policy"]
        )
        if row["status"] == "out_of_scope":  # what puts it outside says it all
            legs = [leg for leg in legs if leg["role"] == "scope" and leg["outcome"] is False]
        for leg in legs:
            where = ", ".join(filter(None, (leg["registration_id"], leg["field"])))
            value = leg["value"] or "nothing stated"
            yield f"    - {leg['question']} {OUTCOME[leg['outcome']]}: {value}{f' ({where})' if where else ''}"


def _contests(connection: duckdb.DuckDBPyConnection, trial_id: str) -> Iterator[str]:
    """What of the verdicts is disputed, and what became of earlier contests."""
    reasons, decisions = (contracts().vocabularies[f"contest_{name}"] for name in ("reason", "decision"))
    rows = _rows(connection, "SELECT * FROM contests WHERE trial_id = ? ORDER BY opened_on, contest_id", trial_id)
    if rows:
        yield "Contested"
    for row in rows:
        verdicts = row["policy"] or "every verdict"
        said = f"{reasons[row['reason']]['meaning']} ({row['contest_id']}). {row['what']}"
        if row["is_open"]:
            yield f"  {verdicts}: disputed since {row['opened_on']}; the status stays until that is decided. {said}"
        else:
            decided = f"decided on {row['decided_on']}. {decisions[row['decision']]['meaning']}"
            yield f"  {verdicts}: contested on {row['opened_on']}, {decided}. {said}"


def _span(low: int, high: int) -> str:
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def _rows(connection: duckdb.DuckDBPyConnection, sql: str, *parameters: Any) -> list[dict[str, Any]]:
    cursor = connection.execute(sql, list(parameters))
    names = [d[0] for d in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
