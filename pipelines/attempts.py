"""When each source was asked, and whether it could be fetched: one line for each attempt, only ever added.

`data/ledger/attempts.jsonl` is data like the archive, so that a build can say which sources failed of late; it is read
up to the as-of date. How a source is fetched stands in `fetching`, what counts as stale in `sql/sources.sql`.
"""

import contextlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

import duckdb

from pipelines import privacy, store

FILE = Path("ledger") / "attempts.jsonl"
LONGEST = 500
"""Characters of a reason."""


@dataclass(frozen=True)
class Attempt:
    """One attempt at what is due of a source. day: on which it ended, as YYYY-MM-DD. failure: why not all of it came,
    empty where it did, or where there was nothing new. began: the day on which the round of what it brought began,
    where that is an earlier one: what is newer was not looked for."""

    source: str
    day: str
    failure: str = ""
    began: str = ""


def note(data: Path, attempt: Attempt) -> None:
    """Adds an attempt. A reason names no person: what a server said can stand in it."""
    said = privacy.without_mail(" ".join(attempt.failure.split()))[:LONGEST]
    path = data / FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    fields = {name: text for name, text in asdict(attempt).items() if name != "began" or text}
    line = json.dumps(fields | {"failure": said}, sort_keys=True, ensure_ascii=False)
    with store.locked(path.with_suffix(".lock"), f"Another fetch is writing to {path}", waits=True):
        is_torn = path.exists() and not path.read_bytes().endswith(b"\n")
        with path.open("a", encoding="utf-8") as out:
            out.write(("\n" if is_torn else "") + line + "\n")


def merged(theirs: bytes, ours: bytes) -> bytes:
    """The attempts of two machines: theirs, and after them those of ours that they do not have."""
    known = theirs.splitlines(keepends=True)
    more = b"".join(line for line in ours.splitlines(keepends=True) if line not in known)
    is_torn = more and theirs and not theirs.endswith(b"\n")
    return theirs + (b"\n" if is_torn else b"") + more


def read(data: Path, as_of: date) -> Iterator[Attempt]:
    """The attempts up to `as_of`, in their order; a killed process can have left a line unfinished."""
    path = data / FILE
    if path.exists():
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():  # or a character
            with contextlib.suppress(json.JSONDecodeError):
                attempt = Attempt(**json.loads(line))
                if attempt.day <= as_of.isoformat():
                    yield attempt


def last(data: Path, as_of: date) -> list[tuple[str, date, bool, str, date | None]]:
    """By source: the day of its last attempt, whether that failed, why, and the last day on which what was new had been
    asked for: that of an attempt that did not fail, or of the beginning of the round that it ended."""
    found: dict[str, tuple[str, date, bool, str, date | None]] = {}
    # By day, since those of two machines were put together; those of one day stand in the order of the file.
    for attempt in sorted(read(data, as_of), key=lambda one: one.day):
        day, failed = date.fromisoformat(attempt.day), bool(attempt.failure)
        good = found[attempt.source][4] if attempt.source in found else None
        if not failed:
            seen = date.fromisoformat(attempt.began or attempt.day)
            good = max(good, seen) if good else seen
        found[attempt.source] = (attempt.source, day, failed, attempt.failure, good)
    return [found[source] for source in sorted(found)]


def load(connection: duckdb.DuckDBPyConnection, data: Path, as_of: date) -> None:
    """Makes the table fetch_attempts: the last attempt at each source up to `as_of`."""
    connection.execute(
        """CREATE TABLE fetch_attempts (source VARCHAR, last_attempt DATE, is_failed BOOLEAN, failure VARCHAR,
        last_good DATE)"""
    )
    store.insert(connection, "fetch_attempts", last(data, as_of))
