"""WHO ICTRP: the weekly files and full exports, from the place that was agreed on with WHO (ALLTRIALS_ICTRP_URL): a
page that links to them. There is no public place, so that without the setting nothing is asked."""

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from urllib.parse import unquote

from pipelines.errors import FetchError, PayloadError
from pipelines.fetching import Fetched, Round
from pipelines.formats import packing
from pipelines.web import Want

_FULL = re.compile(r"ICTRPFullExport-\d+-(\d{2}-\d{2}-\d{4})\.zip")
_WEEK = re.compile(r"ICTRPWeek(\d{1,2}[A-Z][a-z]+\d{4})\.zip")


@dataclass(frozen=True, order=True)
class _File:
    """One file as its name says."""

    day: date
    is_weekly: bool
    name: str


def fetch(round_: Round) -> Iterator[Fetched]:
    """The newest full export and the weekly files after it, the oldest first, where they are not there yet. Each is a
    snapshot of the day in its name, since weekly files apply in that order."""
    page = unquote(round_.text("index.html", Want(f"{round_.base}/", "html")))
    listed = sorted(_files(page))
    if not listed:
        raise FetchError(
            f"ictrp: {round_.base}/ links to no weekly file and no full export. See whether the place is right."
        )
    full = [file for file in listed if not file.is_weekly and file.day <= round_.today]
    held = {payload.name for snapshot in round_.earlier for payload in snapshot.payloads}
    odd = sorted(_names(page) - {file.name for file in listed} - held)
    for file in listed:
        is_past = bool(full) and (file < full[-1])
        if file.name in held or is_past or file.day > round_.today:
            continue
        round_.begin({"what": file.name})
        served = round_.take(file.name, Want(f"{round_.base}/{file.name}", "zip", _opens, is_resumable=True))
        volume = None if file.is_weekly else packing.unpacked_size(served.path)
        yield Fetched([served.path], "partial" if file.is_weekly else "full", volume, day=file.day)
    lacking = [name for name in odd if not full or _at_most(name) >= full[-1].day]
    if lacking:
        raise FetchError(f"ictrp: the name {lacking[0]} says no day: that file was not fetched, all others were looked "
                         "at. Download it and import it with the day that it is of.")  # fmt: skip
    if odd:
        round_.say(f"ictrp: the name {odd[0]} says no day, and the full export of {full[-1].day} came after it")


def _at_most(name: str) -> date:
    """A day no earlier than the one that a name can mean which says none: by its month, else by its year."""
    for said, form in ((r"-(\d{2}-\d{4})\.zip", "%m-%Y"), (r"\d([A-Z][a-z]+\d{4})\.zip", "%B%Y")):
        with contextlib.suppress(ValueError, OverflowError):
            if match := re.search(said, name):
                return _day(match[1], form) + timedelta(days=31)
    year = int(name[-8:-4])
    return date(year, 12, 31) if year else date.max


def _names(page: str) -> set[str]:
    """The files that are named like weekly files and full exports."""
    found = {match[0] for match in re.finditer(r"ICTRP\w+[\w-]*\.zip", page)}
    return {name for name in found if _FULL.fullmatch(name) or _WEEK.fullmatch(name)}


def _files(page: str) -> Iterator[_File]:
    """Those of them whose name says a day."""
    for name in _names(page):
        with contextlib.suppress(ValueError):
            if match := _FULL.fullmatch(name):
                yield _File(_day(match[1], "%d-%m-%Y"), False, name)
            elif match := _WEEK.fullmatch(name):
                yield _File(_day(match[1], "%d%B%Y"), True, name)


def _day(written: str, form: str) -> date:
    """Raises ValueError where that is no day."""
    return datetime.strptime(written, form).replace(tzinfo=UTC).date()


def _opens(path: Path) -> None:
    """Raises PayloadError where the archive cannot be opened: its index stands at its end, which a cut one lacks."""
    if not packing.entry_names(path):
        raise PayloadError("the archive holds no file")
