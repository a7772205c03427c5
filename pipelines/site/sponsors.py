"""The sponsors: the table of those that can be compared, a list and a search of all of them, and a page for each with
its trials, its feed, its calendar and its card.

Belongs here: what becomes of two ordered streams, one of scorecards and one of trials, so that no page asks the
database anything and memory holds one sponsor at a time. Does not: counting, which `scorecards` holds.
"""

import csv
import hashlib
import io
import itertools
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
from markupsafe import Markup

from pipelines.contracts import Policy, contracts, quote
from pipelines.site import charts, figures, overview, pages
from pipelines.site.figures import Row
from pipelines.site.pages import Site

FOLDER = "sponsors"
PER_PAGE = 250
SOON_DAYS = 90
WAITED_FOR = ("not_completed", "not_due", "deferred")
"""Statuses under which results are expected and none have come."""
PART_BYTES = 240_000
"""Largest file of a table that a browser sorts."""
SHARD_BYTES = 40_000
"""Largest file of the search."""
RESERVED = ("all", "search", "under")
"""Folders beside those of the sponsors."""

CARDS = """
SELECT c.*, s.sponsor_class, p.name AS parent, s.mapping_proof, s.ror_id,
    CASE WHEN c.policy = $policy THEN s.names END AS names
FROM scorecards AS c
LEFT JOIN sponsors AS s ON s.sponsor_id = c.unit_value
LEFT JOIN sponsors AS p ON p.sponsor_id = s.parent_id
WHERE c.unit_kind = 'sponsor' AND NOT c.is_remainder
ORDER BY c.unit_value, c.policy"""

TRIALS = """
WITH verdicts AS (
    -- One row per trial, of numbers and days only, so that the world's verdicts fit into memory.
    SELECT trial_id, {pivot}
    FROM (
        SELECT trial_id, policy, w.number, due_latest
        FROM reporting_status AS s JOIN status_words AS w ON w.code = s.status)
    GROUP BY trial_id
)
SELECT t.sponsor_id, t.trial_id, t.title, r.url, t.enrolment, t.enrolment_type, w.completed_latest, w.results,
    v.* EXCLUDE (trial_id)
FROM trials AS t
JOIN registrations AS r ON r.registration_id = t.main_registration_id
JOIN trial_standings AS w ON w.trial_id = t.trial_id
JOIN verdicts AS v ON v.trial_id = t.trial_id
JOIN status_words AS s ON s.number = v.status_0
WHERE t.sponsor_id IS NOT NULL
ORDER BY t.sponsor_id,
    list_position(['due, missing', 'due, submitted', 'cannot judge', 'pending', 'due, reported', 'reported early',
        'outside'], s.status_group), v.due_0, t.trial_id"""
"""The trials of each sponsor, those whose results are missing under the first policy first."""

REMAINDERS = """
SELECT policy, unit_value, trials, due FROM scorecards WHERE unit_kind = 'sponsor' AND is_remainder ORDER BY ALL"""


@dataclass(frozen=True)
class Listed:
    """What the lists say of one sponsor. cards: by policy, the numbers of `COLUMNS`."""

    slug: str
    name: str
    kind: str
    trials: int
    cards: Mapping[str, tuple[int, ...]]


COLUMNS = ("due", "reported", "missing", "cannot_judge")


def slug(sponsor_id: str) -> str:
    """The folder of a sponsor: its id where that can be one, else what of it can, and a hash of the whole."""
    if re.fullmatch(r"[a-z0-9][a-z0-9-]{0,79}", sponsor_id) and sponsor_id not in RESERVED:
        return sponsor_id
    plain = re.sub(r"[^a-z0-9]+", "-", sponsor_id)[:60].strip("-") or "sponsor"
    return f"{plain}--{hashlib.sha256(sponsor_id.encode()).hexdigest()[:10]}"


def write(connection: duckdb.DuckDBPyConnection, site: Site) -> None:
    """Writes everything about sponsors."""
    policies = site.policies
    deciles = {(d["sponsor_class"], d["policy"]): d for d in figures.query(connection, figures.DECILES)}
    listed = [_write_one(site, cards, trials, deciles) for cards, trials in _streams(connection, policies)]
    remainders = figures.grouped(figures.query(connection, REMAINDERS), "policy")
    for i, policy in enumerate(policies):
        address = f"{FOLDER}/" if not i else f"{FOLDER}/under/{policy.id}/"
        funnel = figures.query(connection, figures.FUNNEL, policy=policy.id)
        _write_table(site, address, policy, listed, funnel, remainders.get(policy.id, []))
    _write_all(site, listed, policies[0])
    _write_search(site.out / FOLDER / "search", listed, policies[0])


def _streams(
    connection: duckdb.DuckDBPyConnection, policies: Sequence[Policy]
) -> Iterator[tuple[list[Row], Iterator[Row]]]:
    """Sponsor by sponsor, its cards and its trials. Both streams are in the order of the ids."""
    rows = figures.stream(connection, CARDS, policy=policies[0].id)
    cards = itertools.groupby(rows, key=lambda r: r["unit_value"])
    trials = itertools.groupby(_trials(connection, policies), key=lambda r: r["sponsor_id"])
    for (sponsor_id, own), (leads, its) in zip(cards, trials, strict=True):
        if sponsor_id != leads:
            raise ValueError(f"The tables disagree on sponsors: {sponsor_id!r} in scorecards, {leads!r} in trials.")
        yield list(own), its


def _trials(connection: duckdb.DuckDBPyConnection, policies: Sequence[Policy]) -> Iterator[Row]:
    """The trials, with their verdicts by policy: status, its group, and the last day in time."""
    pivot = ", ".join(
        f"any_value(number) FILTER (policy = {quote(p.id)}) AS status_{i}, "
        f"any_value(due_latest) FILTER (policy = {quote(p.id)}) AS due_{i}"
        for i, p in enumerate(policies)
    )
    words = {w["number"]: w for w in figures.query(connection, "FROM status_words")}
    for row in figures.stream(connection, TRIALS.format(pivot=pivot)):
        row["verdicts"] = {
            p.id: {**words[row[f"status_{i}"]], "due": row[f"due_{i}"]} for i, p in enumerate(policies)
        }  # fmt: skip
        yield row


# --- one sponsor ----------------------------------------------------------------------------------------------------


def _write_one(
    site: Site,
    cards: Sequence[Row],
    trials: Iterator[Row],
    deciles: Mapping[tuple[str, str], Row],
) -> Listed:
    policies, as_of = site.policies, site.as_of
    first = policies[0]
    rows = list(trials)
    by_policy = {c["policy"]: {**c, **_split(rows, c["policy"])} for c in cards}
    card = by_policy[first.id]
    name = card["unit_label"]
    own = slug(card["unit_value"])
    soon = list(_soon(rows, as_of))
    folder = site.out / FOLDER / own
    values = {
        "name": name,
        "slug": own,
        "card": card,
        "cards": [(p, by_policy[p.id]) for p in policies if p.id in by_policy],
        "key": overview.KEY,
        "bar": overview.standing_bar("standing", name, card, as_of),
        "among": _among(first, card, deciles.get((card["sponsor_class"], first.id)), as_of),
        "soon": soon,
        "soon_days": SOON_DAYS,
    }
    _write_pages(site, own, rows, values)
    (folder / "trials.csv").write_text(_csv(rows, policies), encoding="utf-8", newline="")
    (folder / "due.ics").write_text(calendar(name, own, soon, as_of), encoding="utf-8", newline="")
    feed = site.templates.get_template("due.xml").render(name=name, slug=own, soon=soon, soon_days=SOON_DAYS)
    (folder / "due.xml").write_text(pages.printable(feed) + "\n", encoding="utf-8")
    (folder / "card.svg").write_text(pages.printable(_card(first, card, as_of)), encoding="utf-8")
    numbers = {p: tuple(c[column] for column in COLUMNS) for p, c in by_policy.items()}
    return Listed(own, name, card["sponsor_class"] or "", card["trials"], numbers)


def _write_pages(site: Site, own: str, rows: Sequence[Row], values: Mapping[str, Any]) -> None:
    last = max(1, -(-len(rows) // PER_PAGE))
    for number in range(1, last + 1):
        address = f"{FOLDER}/{own}/" if number == 1 else f"{FOLDER}/{own}/{number}/"
        shown = rows[(number - 1) * PER_PAGE : number * PER_PAGE]
        pages.page(site, address, "sponsor.html", trials=shown, number=number, last=last, **values)


def _split(rows: Iterable[Row], policy: str) -> dict[str, int]:
    """Of the trials missing under a policy: found elsewhere, found nowhere, not to be judged."""
    found = Counter(row["results"] for row in rows if row["verdicts"][policy]["status_group"] == "due, missing")
    names = {"found": "missing_found_elsewhere", "none_found": "missing_none_found",
             "cannot_judge": "missing_cannot_judge"}  # fmt: skip
    return {column: found[results] for results, column in names.items()}


def _soon(rows: Iterable[Row], as_of: date) -> Iterator[dict[str, Any]]:
    """Trials of which nothing has come yet and whose last day in time lies within the days ahead: each once per day,
    with the rules that have it, soonest first."""
    found: dict[tuple[date, str], dict[str, Any]] = {}
    for row in rows:
        for policy, v in row["verdicts"].items():
            due = v["due"]
            if v["code"] in WAITED_FOR and due and as_of < due <= as_of + timedelta(days=SOON_DAYS):
                found.setdefault((due, row["trial_id"]), _entry(due, row))["rules"].append(policy)
    return (found[key] for key in sorted(found))


def _entry(due: date, trial: Row) -> dict[str, Any]:
    """since: the day on which it came into sight, which does not move from night to night."""
    return {"due": due, "since": due - timedelta(days=SOON_DAYS), "trial": trial, "rules": []}


def _among(policy: Policy, card: Row, deciles: Row | None, as_of: date) -> dict[str, Any] | None:
    """How a sponsor's share lies among those of its class; None where it has too few due trials to be compared."""
    if card["is_small"] or deciles is None:
        return None
    share = card["reported_share"]
    bounds = deciles["deciles"]
    label = contracts().vocabularies["sponsor_class"][deciles["sponsor_class"]]["label"]
    if share < bounds[2]:
        finding = "lower than most sponsors of its class"
    elif share > bounds[6]:
        finding = "higher than most sponsors of its class"
    else:
        finding = "about as high as that of most sponsors of its class"
    title = f"{card['unit_label']}: the share is {finding}"
    about = (
        f"Its share of due trials reported under {policy.title}, on the deciles of the {deciles['sponsors']:,} "
        f"sponsors of the class {label} with at least 10 due trials, as of {pages.day(as_of)}."
    )
    chart = charts.strip("among", title, about, bounds, share)
    return {"chart": chart, "finding": finding, "label": label, "sponsors": deciles["sponsors"], "deciles": bounds}


def _card(policy: Policy, card: Row, as_of: date) -> Markup:
    """The picture of a sponsor to embed elsewhere."""
    small = f"{policy.title}. As of {pages.day(as_of)}."
    finding = (
        f"{pages.share(card['reported'], card['due'])} of due results reported: {card['reported']:,} of {card['due']:,}"
        if card["due"]
        else f"No results due yet ({card['trials']:,} trials)"
    )
    return charts.card(card["unit_label"], finding, small, [(kind, card[c]) for kind, c in overview.PARTS])


def _csv(rows: Iterable[Row], policies: Sequence[Policy]) -> str:
    """The trials of a sponsor, with status and due date under each policy."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    fields = ("trial_id", "title", "url", "completed_latest", "enrolment", "enrolment_type", "results")
    writer.writerow([*fields, *(f"{p.id} {what}" for p in policies for what in ("status", "due"))])
    for row in rows:
        verdicts = [row["verdicts"][p.id] for p in policies]
        said = [(v["code"], v["due"]) if v["status_group"] != "outside" else ("", None) for v in verdicts]
        writer.writerow([row[f] for f in fields] + [value for pair in said for value in pair])
    return text.getvalue()


def calendar(name: str, own: str, soon: Iterable[Mapping[str, Any]], as_of: date) -> str:
    """The days on which results appear to fall due, as an iCalendar file. It has its time zone even where nothing is
    due, since a calendar without any part is none and whoever subscribed would be told of an error."""
    stamp = f"{as_of:%Y%m%d}T000000Z"
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//AllTrials open data//due//EN",
             f"X-WR-CALNAME:{_ics(f'Results due: {name}')}", "BEGIN:VTIMEZONE", "TZID:UTC", "BEGIN:STANDARD",
             "DTSTART:19700101T000000", "TZOFFSETFROM:+0000", "TZOFFSETTO:+0000", "END:STANDARD",
             "END:VTIMEZONE"]  # fmt: skip
    for entry in soon:
        trial = entry["trial"]
        rules = ", ".join(entry["rules"])
        named = f"{trial['trial_id']} {trial['title'] or ''}".strip()
        about = (
            f"Results of {trial['trial_id']} appear to fall due on this day under {rules}. {trial['url'] or ''}".strip()
        )
        lines += ["BEGIN:VEVENT", f"UID:{trial['trial_id']}-{entry['due']:%Y%m%d}@{own}.alltrials", f"DTSTAMP:{stamp}",
                  f"DTSTART;VALUE=DATE:{entry['due']:%Y%m%d}",
                  f"DTEND;VALUE=DATE:{entry['due'] + timedelta(days=1):%Y%m%d}",
                  f"SUMMARY:{_ics('Results due: ' + named)}",
                  f"DESCRIPTION:{_ics(about)}", "TRANSP:TRANSPARENT", "END:VEVENT"]  # fmt: skip
    return "".join(_folded(line) for line in [*lines, "END:VCALENDAR"])


def _ics(text: str) -> str:
    plain = pages.printable(" ".join(text.split()))
    return plain.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")


def _folded(line: str) -> str:
    """A line of at most 75 bytes, goes on behind a blank: no character is cut in two."""
    if len(line) <= 75 and line.isascii():
        return line + "\r\n"
    parts, room, size = [""], 75, 0
    for sign in line:
        wide = len(sign.encode())
        if size + wide > room:
            parts.append("")
            room, size = 74, 0
        parts[-1] += sign
        size += wide
    return "\r\n ".join(parts) + "\r\n"


# --- all of them ----------------------------------------------------------------------------------------------------


def _write_table(
    site: Site,
    address: str,
    policy: Policy,
    listed: Sequence[Listed],
    funnel: Sequence[Row],
    remainders: Sequence[Row],
) -> None:
    """Writes the table of sponsors with enough due trials under a policy: the largest in the page, all in files that
    the browser fetches when somebody sorts."""
    none = (0,) * len(COLUMNS)
    rows = [(s, dict(zip(COLUMNS, s.cards.get(policy.id, none), strict=True))) for s in listed]
    large = sorted((r for r in rows if r[1]["due"] >= overview.TELLING), key=lambda r: (-r[1]["due"], r[0].slug))
    folder = site.out / address
    folder.mkdir(parents=True, exist_ok=True)
    entries = [[s.slug, s.name, s.kind, *card.values()] for s, card in large]
    parts = list(_parts(entries, PART_BYTES))
    for i, part in enumerate(parts, 1):
        (folder / f"table-{i}.json").write_text(part, encoding="utf-8")
    whole = {column: sum(card[column] for _, card in rows) for column in COLUMNS}
    pages.page(
        site,
        address,
        "sponsors.html",
        policy=policy,
        shown=large[:PER_PAGE],
        compared=len(large),
        left_out=len(rows) - len(large),
        left_out_due=whole["due"] - sum(card["due"] for _, card in large),
        remainders=remainders,
        funnel=_funnel(policy, funnel, whole, site.as_of) if funnel else None,
        funnel_rows=funnel,
        parts=len(parts),
        none_or_all=sum(card["reported"] in (0, card["due"]) for _, card in rows if card["due"]),
        with_due=sum(card["due"] > 0 for _, card in rows),
    )


def _funnel(policy: Policy, cells: Sequence[Row], whole: Mapping[str, int], as_of: date) -> Markup:
    middle = whole["reported"] / whole["due"]
    sponsors = sum(c["sponsors"] for c in cells)
    title = f"{policy.title}: {sponsors:,} sponsors by due trials and share reported"
    about = (
        f"Each dot stands for sponsors with about so many due trials and about that share, as of {pages.day(as_of)}. "
        f"Were all alike ({pages.share(whole['reported'], whole['due'])}), 95 % of them would lie within the inner "
        "lines and 99.8 % within the outer ones by chance alone."
    )
    placed = [(2 ** ((c["size"] + 0.5) / 4), c["twentieth"] / 20, c["sponsors"]) for c in cells]
    return charts.funnel("funnel", title, about, placed, middle)


def _parts(entries: Iterable[list[Any]], most: int) -> Iterator[str]:
    """JSON arrays of entries, each text of at most so many bytes."""
    texts: list[str] = []
    size = 2
    for entry in entries:
        text = _json(entry)
        size += len(text.encode()) + 2
        if texts and size > most:
            yield "[" + ",\n".join(texts) + "]\n"
            texts, size = [], 2 + len(text.encode()) + 2
        texts.append(text)
    if texts:
        yield "[" + ",\n".join(texts) + "]\n"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _write_all(site: Site, listed: Sequence[Listed], policy: Policy) -> None:
    """Writes the list of all sponsors by name, page by page, for whoever has no JavaScript."""
    rows = sorted(listed, key=lambda s: (s.name.casefold(), s.slug))
    chunks = [rows[i : i + PER_PAGE] for i in range(0, len(rows), PER_PAGE)] or [[]]
    marks = [(chunk[0].name, chunk[-1].name) if chunk else ("", "") for chunk in chunks]
    for i, chunk in enumerate(chunks, 1):
        address = f"{FOLDER}/all/" if i == 1 else f"{FOLDER}/all/{i}/"
        values = {"rows": chunk, "number": i, "last": len(chunks), "marks": marks, "policy": policy}
        pages.page(site, address, "all_sponsors.html", columns=COLUMNS, total=len(rows), **values)


# --- search ---------------------------------------------------------------------------------------------------------


def _write_search(folder: Path, listed: Sequence[Listed], policy: Policy) -> None:
    """Writes the search by the beginnings of words: `index.json` lists the beginnings that have a file."""
    folder.mkdir(parents=True, exist_ok=True)
    none = (0,) * len(COLUMNS)
    entries = {
        s.slug: (s.name, _json([s.slug, s.name, s.kind, *s.cards.get(policy.id, none)]), s.trials) for s in listed
    }
    shards = dict(sorted(shard(entries)))
    for beginning, (_, texts) in shards.items():
        name = beginning.encode().hex()
        (folder / f"{name}.json").write_text("[" + ",\n".join(texts) + "]\n", encoding="utf-8")
    index = {beginning: int(is_cut) for beginning, (is_cut, _) in shards.items()}
    (folder / "index.json").write_text(_json(index) + "\n", encoding="utf-8")


def words(name: str) -> set[str]:
    """The words of a name as somebody may type them: lower case, letters and digits."""
    return set(re.findall(r"[^\W_]+", name.lower()))


def shard(entries: Mapping[str, tuple[str, str, int]]) -> Iterator[tuple[str, tuple[bool, list[str]]]]:
    """Files of the search by the beginnings of words: of one sign at first, of one more wherever a file would be too
    large. A word that too many names have gives the largest of them, and says that it is cut. entries: by slug, the
    name, what the file says of it, and its trials."""
    whole: dict[str, set[str]] = {}
    for own, (name, _, _) in entries.items():
        for word in words(name):
            whole.setdefault(word, set()).add(own)
    pending = [("", list(whole))]
    while pending:
        beginning, below = pending.pop()
        for start, group in _longer(beginning, below):
            owners = {own for word in group for own in whole[word]}
            size = sum(len(entries[own][1].encode()) + 2 for own in owners)
            texts = _largest(entries, owners)
            if size <= SHARD_BYTES:
                yield start, (False, texts)
                continue
            yield start, (True, texts)
            if longer := [word for word in group if len(word) > len(start)]:
                pending.append((start, longer))


def _longer(beginning: str, below: Iterable[str]) -> Iterator[tuple[str, list[str]]]:
    found: dict[str, list[str]] = {}
    for word in below:
        found.setdefault(word[: len(beginning) + 1], []).append(word)
    yield from sorted(found.items())


def _largest(entries: Mapping[str, tuple[str, str, int]], owners: Iterable[str]) -> list[str]:
    """What fits into a file of the entries with the most trials."""
    texts, size = [], 4
    for own in sorted(owners, key=lambda o: (-entries[o][2], o)):
        text = entries[own][1]
        size += len(text.encode()) + 2
        if size > SHARD_BYTES:
            break
        texts.append(text)
    return texts
