"""ISRCTN: its XML API, by the day on which records were last edited. It knows no pages, so that large sets are asked
for in windows of days, and no listing of numbers, so that all of it comes again at intervals."""

import re
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from urllib.parse import quote

from pipelines.errors import FetchError, PayloadError
from pipelines.fetching import Fetched, Round
from pipelines.formats import packing
from pipelines.web import Want

FIRST = date(2005, 11, 10)
"""The earliest day on which any record was last edited."""
DAY = timedelta(days=1)
_TOTAL = re.compile(rb"<allTrials\b[^>]*\btotalCount=\"(\d+)\"")
_NUMBER = re.compile(rb"<isrctn\b[^>]*>\s*(?:ISRCTN)?(\d{8})\s*</isrctn>")


def fetch(round_: Round) -> Iterator[Fetched]:
    since, until = _since(round_), round_.today + DAY
    round_.begin({"what": "full" if since == FIRST else "update", "since": since.isoformat()})
    until = max(until, round_.day + DAY)
    files: list[Path] = []
    numbers: set[bytes] = set()
    for begin, end in _windows(round_, since, until):
        served = round_.take(f"edited-{begin}-{end}.xml.gz", _want(round_, begin, end, round_.terms["cap"]))
        numbers |= served.value
        files.append(served.path)
    stated = _count(round_, since, until)
    if len(numbers) != stated:
        round_.end()  # what was edited meanwhile stands in another window now
        said = f"it states {stated:,} records edited since {since}, and {len(numbers):,} different ones came"
        raise FetchError(f"isrctn: {said}; nothing was stored. Fetch it again later.")
    if since == FIRST:
        yield Fetched(files, "full", len(numbers), stated)
    elif numbers:
        yield Fetched(files, "partial")
    else:
        round_.end()


def _since(round_: Round) -> date:
    full = [s.date for s in round_.earlier if s.scope == "full"]
    if round_.wish.is_full or not full or (round_.today - full[-1]).days >= round_.terms["full_days"]:
        return FIRST
    if round_.has_gap(full[-1]):
        return FIRST
    last = max([full[-1], *(s.date for s in round_.earlier if s.fetched)])
    return max(FIRST, last - timedelta(days=round_.terms["overlap_days"]))


def _windows(round_: Round, begin: date, end: date) -> Iterator[tuple[date, date]]:
    """Windows from the first day up to, but not with, the last, each with no more records than one answer holds."""
    if (end - begin).days > 1 and _count(round_, begin, end) > round_.terms["cap"]:
        middle = begin + (end - begin) // 2
        yield from _windows(round_, begin, middle)
        yield from _windows(round_, middle, end)
    else:
        yield begin, end


def _count(round_: Round, begin: date, end: date) -> int:
    match = _TOTAL.search(round_.text("count.xml", _want(round_, begin, end, 0)).encode())
    return int(match[1]) if match else 0


def _want(round_: Round, begin: date, end: date, limit: int) -> Want:
    query = f"lastEdited GE {begin}T00:00:00.000Z AND lastEdited LT {end}T00:00:00.000Z"
    url = f"{round_.base}/api/query/format/default?q={quote(query)}&limit={limit}"
    return Want(url, "xml", _has_total if limit == 0 else _numbers, is_packed=limit > 0)


def _has_total(path: Path) -> None:
    if not _TOTAL.search(path.read_bytes()):
        raise PayloadError("what came states no number of trials")


def _numbers(path: Path) -> set[bytes]:
    """The numbers of a whole answer. Raises PayloadError where it was cut off or holds less than it states."""
    content = b"".join(packing.chunks(path))
    match = _TOTAL.search(content)
    if not match or not content.rstrip().endswith((b"</allTrials>", b"/>")):
        raise PayloadError("what came is no whole set of trials")
    numbers = _NUMBER.findall(content)
    if len(numbers) != int(match[1]):
        raise PayloadError(f"it states {int(match[1]):,} trials, and {len(numbers):,} came")
    return set(numbers)
