"""A small world that moves on from night to night, as its sources serve it, and what goes wrong with them meanwhile.

Both are drawn by seed: new, changed and vanished records of four registers, PubMed's update files and one change of its
year; and faults of every kind that the server can do. What must come of it stands in the tests.
"""

import gzip
import random
import re
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from tests.replay.apps import Ctgov, Ctis, Euctr, Isrctn, Ncbi
from tests.replay.server import App, Fault
from tests.worlds import article, article_set, nct, study

FIRST = date(2024, 3, 1)
SOURCES = ("ctgov", "ctis", "euctr", "isrctn", "pubmed")
TERMS = {
    "page_size": 6, "cap": 8, "records_per_file": 3, "pause_seconds": 0.0, "timeout_seconds": 0.4, "attempts": 6,
    "spare_bytes": 0, "listing_days": 3, "full_days": 6, "every_days": 1, "largest_drop": 0.5,
    "recheck_days": 0,
}  # fmt: skip
"""Small pages, and everything due within days: what vanished shows only in a listing, or when all of it comes again."""
QUIET = 8
"""Nights at the end in which nothing vanishes: so many it can take until a whole crawl has shown it."""


def day_of(night: int) -> date:
    return FIRST + timedelta(days=night)


# --- the world ------------------------------------------------------------------------------------------------------


def course(seed: int, nights: int) -> list[dict[str, App]]:
    """What the sources serve, night by night."""
    rng = random.Random(seed)
    registers = [_studies(rng, nights), _ctis(rng, nights), _euctr(rng, nights), _isrctn(rng, nights)]
    return [dict(zip(SOURCES, apps, strict=True)) for apps in zip(*registers, _pubmed(rng, nights), strict=True)]


def _moved(rng: random.Random, night: int, nights: int, held: Sequence[int]) -> tuple[list[int], list[int], list[int]]:
    """Numbers that are new, changed and gone on that night. What goes has been there for long, so that every source has
    seen it; the first two stay: others name them."""
    if not night:
        return list(held), [], []
    new = [max(held) + 1 + n for n in range(rng.randint(0, 2))]
    changed = rng.sample(sorted(held), rng.randint(0, 3))
    is_quiet = night >= nights - QUIET
    gone = [] if is_quiet else [n for n in rng.sample(sorted(held)[2:8], rng.randint(0, 1)) if n not in changed]
    return new, changed, gone


def _studies(rng: random.Random, nights: int) -> list[App]:
    """ClinicalTrials.gov. On some nights its data are those of the night before."""
    made: list[App] = []
    fields: dict[int, dict[str, Any]] = {n: {"updated": "2023-01-01"} for n in range(1, 15)}
    fields[1]["references"] = [{"pmid": "900000004", "type": "RESULT"}]
    version = ""
    for night in range(nights):
        day = day_of(night)
        if not night or rng.random() > 0.2:
            new, changed, gone = _moved(rng, night, nights, list(fields))
            version = f"{day}T09:00:04"
            for n in new:
                fields.setdefault(n, {"updated": str(day), "status": "RECRUITING", "pcd": ("2025-01-10", "ESTIMATED")})
            for n in changed:
                fields[n] = {**fields[n], "updated": str(day), **_change(rng, n, day)}
            fields = {n: f for n, f in fields.items() if n not in gone}
        made.append(Ctgov([study(n, **f) for n, f in fields.items()], version))
    return made


def _change(rng: random.Random, n: int, day: date) -> dict[str, Any]:
    """What an update of a study brings. Only registrations of the first night come to name each other: which of two
    names their trial is decided on the first night that sees them."""
    return rng.choice([
        {"status": "COMPLETED", "pcd": (f"2022-0{rng.randint(1, 9)}-10", "ACTUAL")},
        {"results": ("2022-01-01", str(day)), "status": "COMPLETED"},
        {"enrolment": rng.randint(10, 500)},
        {"secondary": [{"id": f"ISRCTN{_isrctn_number(n)}", "type": "REGISTRY", "domain": "ISRCTN"}] if n <= 12 else None},
        {"references": [{"pmid": str(900000000 + rng.randint(1, 60)), "type": "RESULT"}]},
    ])  # fmt: skip


def _ctis(rng: random.Random, nights: int) -> list[App]:
    made: list[App] = []
    records: dict[int, dict[str, Any]] = {}
    for night in range(nights):
        new, changed, gone = _moved(rng, night, nights, list(records) or list(range(1, 11)))
        for n in (*new, *changed):
            said = f"{day_of(night):%d/%m/%Y}"
            title = f"Invented trial {n}, as of night {night}"
            records[n] = {
                "ctNumber": f"2023-599{n:03d}-11-00", "ctStatus": n % 4 + 1, "ctTitle": title, "lastUpdated": said
            }  # fmt: skip
        records = {n: r for n, r in records.items() if n not in gone}
        made.append(Ctis({r["ctNumber"]: dict(r) for r in records.values()}, cap=int(TERMS["cap"])))
    return made


def _euctr(rng: random.Random, nights: int) -> list[App]:
    made: list[App] = []
    entered: dict[int, int] = {}
    for night in range(nights):
        new, _, gone = _moved(rng, night, nights, list(entered) or list(range(1, 25)))
        entered |= dict.fromkeys(new, night)
        entered = {n: since for n, since in entered.items() if n not in gone}
        numbers = {n: f"{2008 if n % 2 else 2010}-0{n:05d}-11" for n in entered}
        fresh = [numbers[n] for n, since in entered.items() if night and since and night - since <= 7]
        made.append(Euctr({number: f"{number[:4]}-05-02" for number in numbers.values()}, fresh))
    return made


def _isrctn_number(n: int) -> str:
    return f"9000{n:04d}"


def _isrctn(rng: random.Random, nights: int) -> list[App]:
    made: list[App] = []
    edited: dict[int, str] = {}
    for night in range(nights):
        new, changed, gone = _moved(rng, night, nights, list(edited) or list(range(1, 13)))
        edited |= {n: str(day_of(night)) if night else f"{2007 + n}-03-15" for n in (*new, *changed)}
        edited = {n: day for n, day in edited.items() if n not in gone}
        made.append(Isrctn({_isrctn_number(n): day for n, day in edited.items()}))
    return made


def _pubmed(rng: random.Random, nights: int) -> list[App]:
    """A baseline of two files, up to two update files a night, and half-way the baseline of the next year, of which
    only a part can be seen the night before."""
    made: list[App] = []
    state = dict.fromkeys(range(1, 31), "at first")
    year, baseline = 24, _baseline(24, state)
    updates: dict[str, bytes] = {}
    change = nights // 2
    for night in range(nights):
        coming: dict[str, bytes] = {}
        if night == change:
            year, baseline, updates = 25, _baseline(25, state), {}
        elif night == change - 1:
            coming = dict([*_baseline(25, state).items()][:1])
        for _ in range(1 if night == change else rng.randint(0, 2) if night else 1):
            revised = dict.fromkeys((*rng.sample(sorted(state), 3), max(state) + 1), f"of night {night}")
            gone = [n for n in rng.sample(sorted(state), rng.randint(0, 1)) if n not in revised and n > 4]
            state = {n: title for n, title in {**state, **revised}.items() if n not in gone}
            updates = {**updates, _file(year, 3 + len(updates)): _packed(revised, night, gone)}
        made.append(Ncbi({**baseline, **coming}, updates))
    return made


def _file(year: int, number: int) -> str:
    return f"pubmed{year}n{number:04d}.xml.gz"


def _baseline(year: int, state: dict[int, str]) -> dict[str, bytes]:
    return {_file(year, part + 1): _packed({n: t for n, t in state.items() if n % 2 == part}, 0, []) for part in (0, 1)}


def _packed(titles: dict[int, str], night: int, gone: Sequence[int]) -> bytes:
    """A file of articles: every third one is of no trial, and is kept only where a register cites it."""
    plain = (("D016428", "Journal Article"),)
    written = [
        article(900000000 + n, title=f"Article {n}, {title}.", revised=str(day_of(night)),
                **({"types": plain} if n % 3 == 0 else {"bank": (nct(n % 14 + 1),)}))
        for n, title in titles.items()
    ]  # fmt: skip
    return gzip.compress(article_set(*written, deleted=[900000000 + n for n in gone]).encode(), mtime=0)


# --- what goes wrong ------------------------------------------------------------------------------------------------

_TOTAL = re.compile(rb'(totalCount"?[:=] ?"?|"totalRecords": |EudraCT protocol \()(\d+)')


def _one_more(body: bytes) -> bytes:
    """The body with a total that is one too large; where it states none, as it was."""
    return _TOTAL.sub(lambda match: match[1] + str(int(match[2]) + 1).encode(), body, count=1)


def _spoilt(body: bytes) -> bytes:
    """One byte near the end is another, so that a checksum does not fit; of a checksum its last figure."""
    place = max(0, len(body) - 4)
    return body[:place] + (b"0" if body[place : place + 1] != b"0" else b"1") + body[place + 1 :]


PASSING: tuple[dict[str, Any], ...] = (
    {"kind": "status", "code": 429, "times": 3, "headers": {"Retry-After": "30"}},
    {"kind": "status", "code": 503, "times": 2},
    {"kind": "stall"},
    {"kind": "reset", "times": 2},
    {"kind": "truncated"},
    {"kind": "cut"},
    {"kind": "drip"},
    {"kind": "html", "times": 2},
)
"""What is gone when the same question is asked again."""
RESTARTING: tuple[tuple[str, dict[str, Any]], ...] = (
    ("ctgov/.*pageToken", {"kind": "status", "code": 400}),
    ("ctgov/.*pageToken=6", {"kind": "instead", "change": lambda path: path.replace("pageToken=6", "pageToken=12")}),
    ("ctgov/v2/studies", {"kind": "alter", "change": _one_more}),
    ("ctgov/.*pageToken", {"kind": "again"}),
    ("ctis/search", {"kind": "again"}),
    ("ctis/search", {"kind": "alter", "change": _one_more}),
    (r"pubmed/.*\.gz$", {"kind": "alter", "change": _spoilt}),
    (r"pubmed/.*\.md5$", {"kind": "alter", "change": _spoilt}),
)
"""What makes the fetcher ask for more than one thing again: what it has does not fit together."""
LASTING: tuple[dict[str, Any], ...] = (
    {"kind": "status", "code": 503, "times": 999},
    {"kind": "status", "code": 404, "times": 999},
    {"kind": "html", "times": 999},
    {"kind": "cut", "times": 999},
    {"kind": "redirect", "target": "https://elsewhere.example.org/", "times": 999},
    {"kind": "again", "times": 999},
    {"kind": "stall", "times": 999},
)
"""What nothing helps against tonight, from some request on."""
_PAYLOAD = {"pubmed": r"^/pubmed/.*(gz|md5)$", "euctr": r"^/euctr/.*(full|search)"}
"""A page of links that is cut in half still is a page of links: what it lacks is fetched the next night."""


def faults(seed: int, night: int, nights: int) -> list[Fault]:
    """Those of one night. On the first and the last one every source gets through in the end; on the others one or two
    sources mostly do not."""
    rng = random.Random(seed * 1000 + night)
    is_edge = night in (0, nights - 1)
    drawn = []
    failing = [] if is_edge else rng.sample(SOURCES, rng.choice((0, 1, 1, 2)))
    drawn = [_fault(f"^/{code}/", rng.choice(LASTING), rng.randint(0, 9)) for code in failing]
    for code in (c for c in SOURCES if c not in failing):
        match = _PAYLOAD.get(code, f"^/{code}/") if is_edge else f"^/{code}/"
        drawn += [_fault(match, rng.choice(PASSING), rng.randint(0, 9)) for _ in range(1 if is_edge else 2)]
    drawn += [_fault(match, terms) for match, terms in rng.sample(RESTARTING, 2)]
    return drawn


def _fault(match: str, terms: dict[str, Any], spared: int = 0) -> Fault:
    return Fault(match, spared=spared, **terms)
