"""Contested verdicts: what people have contested and what became of it, read from a reviewed file and checked.

A contest changes no verdict: where it is right, a rule, a reading or a reviewed decision is mended, and the verdict
follows from that. Corrections of single records are `identity.adjudications`; nothing is decided here.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import astuple, dataclass, replace
from datetime import date
from pathlib import Path

import duckdb

from pipelines import privacy, reviewed, store, trn
from pipelines.contracts import contracts
from pipelines.errors import DataError
from pipelines.reviewed import Cells

FIELDS = ("contest_id", "number", "policy", "reason", "opened_on", "decided_on", "decision", "what")
REQUIRED = ("contest_id", "number", "reason", "opened_on", "what")
DAYS = ("opened_on", "decided_on")
LONGEST = 500
"""Characters in which a contest is told."""

TABLE = """CREATE TABLE contest_list (contest_id VARCHAR, number VARCHAR, policy VARCHAR, reason VARCHAR,
    opened_on DATE, decided_on DATE, decision VARCHAR, what VARCHAR)"""


@dataclass(frozen=True)
class Contest:
    """One contest. policy is empty where all verdicts on the trial are contested; day and decision while it is open."""

    contest_id: str
    number: str
    policy: str | None
    reason: str
    opened_on: date
    decided_on: date | None
    decision: str | None
    what: str


def read(path: Path, as_of: date) -> list[Contest]:
    """The contests of the file that were opened up to `as_of`, by that day and their name. One that was decided later
    is still open.

    Raises DataError naming the row where one cannot be used.
    """
    every = [_contest(cells) for cells in reviewed.read(path, FIELDS, _faults)]
    for name, times in Counter(one.contest_id for one in every).items():
        if times > 1:
            raise DataError(f"{path.name}: {times} contests are called {name}; each needs a contest_id of its own.")
    known = [_as_on(one, as_of) for one in every if one.opened_on <= as_of]
    return sorted(known, key=lambda one: (one.opened_on, one.contest_id))


def _as_on(one: Contest, as_of: date) -> Contest:
    is_decided = one.decided_on is not None and one.decided_on <= as_of
    return one if is_decided else replace(one, decided_on=None, decision=None)


def _contest(cells: Cells) -> Contest:
    days = {name: date.fromisoformat(cells[name] or "") if cells[name] else None for name in DAYS}
    return Contest(**{**cells, **days})  # type: ignore[arg-type]


def _faults(cells: Cells) -> Iterator[str]:
    """Why a row cannot be used. Contact data come first: no complaint may repeat them."""
    for name, cell in cells.items():
        if cell and (re.search(privacy.EMAIL, cell) or re.search(privacy.PHONE, cell)):
            yield f"{name} holds what looks like a mail address or a telephone number; the file is public, take it out"
    for name in REQUIRED:
        if not cells[name]:
            yield f"{name} is missing"
    yield from _day_faults(cells)
    yield from _code_faults(cells)
    hit = trn.canonical(cells["number"] or "")
    if not hit or hit.canonical != cells["number"]:
        yield f"number is {cells['number']!r}, not a registration number in canonical form"
    what = cells["what"] or ""
    if len(what) > LONGEST or len(what.splitlines()) > 1:
        yield f"what has to be one sentence on one line, of {LONGEST} characters at most"


def _day_faults(cells: Cells) -> Iterator[str]:
    for name in DAYS:
        try:
            date.fromisoformat(cells[name] or "2000-01-01")
        except ValueError:
            yield f"{name} is {cells[name]!r}, not a day like 2026-08-08"
    if bool(cells["decided_on"]) != bool(cells["decision"]):
        yield "decided_on and decision are either both given or, while the contest is open, both empty"
    if cells["decided_on"] and date.fromisoformat(cells["decided_on"]) < date.fromisoformat(cells["opened_on"] or ""):
        yield f"decided_on is {cells['decided_on']}, before the contest was opened on {cells['opened_on']}"


def _code_faults(cells: Cells) -> Iterator[str]:
    known = contracts()
    if cells["policy"] and cells["policy"] not in known.policies:
        yield f"policy is {cells['policy']!r}, not one of {', '.join(sorted(known.policies))}; empty means all"
    for name in ("reason", "decision"):
        codes = known.vocabularies[f"contest_{name}"]
        if cells[name] and cells[name] not in codes:
            yield f"{name} is {cells[name]!r}, not one of {', '.join(codes)}"


def fill(connection: duckdb.DuckDBPyConnection, contests: Iterable[Contest]) -> None:
    """Puts the contests into the build's relation for them, which `build.prepare` made empty."""
    store.insert(connection, "contest_list", [astuple(one) for one in contests])


def unknown_numbers(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Contests whose number names no trial, each in one sentence: to be looked at, and no obstacle."""
    rows = connection.sql("SELECT contest_id, number FROM contests WHERE trial_id IS NULL ORDER BY ALL").fetchall()
    return [f"contest {name} names {number}, which is no trial of this build" for name, number in rows]
