"""ClinicalTrials.gov, API v2: all studies by pages; then what was updated, with a listing of all numbers so that what
vanished is seen, and what was handed in and is not posted; and the history of single records, which only the site's
internal interface has."""

import re
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

import msgspec

from pipelines import snapshots, store
from pipelines.errors import FetchError, PayloadError, UsageError
from pipelines.fetching import Fetched, Round
from pipelines.formats import packing
from pipelines.snapshots import Snapshot
from pipelines.web import Refused, Served, Want

TURNS = 3
"""How often a crawl is begun anew, where its token expires or the data change under it, before it is given up."""


class _Identification(msgspec.Struct):
    nctId: str = ""


class _Protocol(msgspec.Struct):
    identificationModule: _Identification = msgspec.field(default_factory=_Identification)


class _Study(msgspec.Struct):
    protocolSection: _Protocol = msgspec.field(default_factory=_Protocol)


class _Page(msgspec.Struct):
    studies: list[_Study]
    nextPageToken: str | None = None
    totalCount: int | None = None


class Page(NamedTuple):
    """What a page says besides its studies: their numbers, the token of the next page, the total of all pages."""

    numbers: list[str]
    token: str | None
    total: int | None


class _Expired(Exception):
    """The server no longer knows the paging token."""


def fetch(round_: Round) -> Iterator[Fetched]:
    """What is wanted: histories where numbers are named, else all of it or what is new since the last time."""
    if round_.wish.numbers:
        yield _histories(round_)
        return
    is_full = round_.wish.is_full or _has_gap(round_)
    for _ in range(TURNS):
        version = _version(round_)
        if not is_full and any(s.fetched.get("data_version") == version for s in round_.earlier):
            round_.say(f"ctgov: nothing new since its data of {version}")
            return
        try:
            fetched = _crawl(round_, version, is_full=is_full)
        except _Expired:
            round_.say("ctgov: the paging token has expired: paging begins anew")
            round_.end()
            continue
        if _version(round_) == version:
            yield fetched
            return
        round_.say("ctgov: its data changed under the crawl, which begins anew")
    raise FetchError(f"ctgov: the data changed or the paging token expired {TURNS} times under the crawl; nothing was "
                     "stored. Fetch it again later.")  # fmt: skip


def _crawl(round_: Round, version: str, *, is_full: bool) -> Fetched:
    """All studies, or those updated since the last time."""
    since = None if is_full else _since(round_)
    if since is None:
        round_.begin({"what": "full", "data_version": version})
        pages, total = _pages(round_, "studies", ".json.gz", {"sort": "StudyFirstPostDate:asc"})
        return Fetched(pages, "full", total, total, version)
    listing = _listing_is_due(round_)
    round_.begin({"what": "update", "since": since.isoformat(), "data_version": version, "listing": listing})
    term = f"AREA[LastUpdatePostDate]RANGE[{since},MAX]"
    pages, _ = _pages(round_, "updated", ".json.gz", {"query.term": term, "sort": "LastUpdatePostDate:asc"})
    if not listing:
        return Fetched(pages, "partial", data_version=version)
    submitted, note = _submitted(round_)
    listed, total = _pages(round_, "numbers", snapshots.LISTING, {"fields": "NCTId", "sort": "StudyFirstPostDate:asc"})
    return Fetched([*pages, *submitted, *listed], "partial", total, total, version, note=note)


def _submitted(round_: Round) -> tuple[list[Path], str]:
    """The studies whose results were handed in and are not posted, and a note where the server refuses the question.

    A submission, its return and its cancellation do not move a study's date of update. They are asked for whenever
    all numbers are: what a listing names counts as looked at.
    """
    query = {"query.term": "AREA[UnpostedEventType]RELEASE", "sort": "StudyFirstPostDate:asc"}
    try:
        return _pages(round_, "submitted", ".json.gz", query)[0], ""
    except Refused as error:
        if error.status != 400:
            raise
        return [], ("ctgov: the question for results handed in and not posted was refused: of trials that were not "
                    f"updated they are seen with the next whole crawl only ({error})")  # fmt: skip


def _version(round_: Round) -> str:
    """The source's mark of its data: it changes whenever the public data are built anew."""
    text = round_.text("version.json", Want(f"{round_.base}/v2/version", "json"))
    try:
        return msgspec.json.decode(text, type=dict[str, str])["dataTimestamp"]
    except (msgspec.DecodeError, KeyError):
        raise FetchError(f"ctgov: {round_.base}/v2/version states no dataTimestamp. See whether the interface has "
                         "changed.") from None  # fmt: skip


# --- what is due ----------------------------------------------------------------------------------------------------


def _since(round_: Round) -> date | None:
    """The day from which on updates are asked for; None where all of it is due."""
    full = [s for s in round_.earlier if s.scope == "full"]
    if not full or (round_.today - full[-1].date).days >= round_.terms["full_days"]:
        return None
    fetched = [s for s in round_.earlier if s.fetched.get("data_version")]
    # The chain of updates has no gap: each begins where the last one, or the last whole one, ends.
    last = max([full[-1].date, *(_data_day(s) for s in fetched)]) if fetched else full[-1].date
    return last - timedelta(days=round_.terms["overlap_days"])


def _has_gap(round_: Round) -> bool:
    full = [s.date for s in round_.earlier if s.scope == "full"]
    return round_.has_gap(full[-1] if full else date.min)


def _data_day(snapshot: Snapshot) -> date:
    """The day of a snapshot's data, no later than the one on which they were fetched."""
    return min(snapshot.date, date.fromisoformat(snapshot.fetched["data_version"][:10]))


def _listing_is_due(round_: Round) -> bool:
    listed = [s.date for s in round_.earlier if s.fetched.get("records") is not None]
    return not listed or (round_.today - listed[-1]).days >= round_.terms["listing_days"]


# --- paging ---------------------------------------------------------------------------------------------------------


def _pages(round_: Round, stem: str, ending: str, query: dict[str, str]) -> tuple[list[Path], int]:
    """All pages of a query and how many studies they hold, which is what the source states.

    A page that came twice or not at all shows in the count of different numbers: then all are asked for once more.
    """
    said = ""
    for is_last in (False, True):
        pages = list(_page_by_page(round_, stem, ending, query))
        numbers = Counter(number for page in pages for number in page.value.numbers)
        stated, twice = pages[0].value.total, sum(n - 1 for n in numbers.values())
        if stated is None:
            raise FetchError("ctgov: the first page states no total. See whether the interface has changed.")
        if len(numbers) == stated and (not twice or is_last):  # a study that stands on two pages is whole on both
            return [p.path for p in pages], stated
        said = f"it states {stated:,} studies, and {len(numbers):,} different ones came ({twice:,} came twice)"
        round_.say(f"ctgov: {said}: the pages are asked for again")
        round_.forget(stem)
    raise FetchError(f"ctgov: {said}; nothing was stored. Fetch it again later.")


def _page_by_page(round_: Round, stem: str, ending: str, query: dict[str, str]) -> Iterator[Served]:
    """Page after page. The token, and not an empty page, ends the loop."""
    words = {"format": "json", "pageSize": str(round_.terms["page_size"]), "countTotal": "true", **query}
    asked = "&".join(f"{name}={quote(value)}" for name, value in words.items())
    token, number = None, 0
    while token or not number:
        number += 1
        following = f"&pageToken={quote(token)}" if token else ""
        want = Want(f"{round_.base}/v2/studies?{asked}{following}", "json", _page, is_packed=True)
        try:
            served = round_.take(f"{stem}-{number:05d}{ending}", want)
        except Refused as error:
            if token and error.status in (400, 410):
                raise _Expired from None
            raise
        yield served
        token = served.value.token


def _page(path: Path) -> Page:
    """A whole page. Raises PayloadError for anything else, which a cut body is too."""
    try:
        page = msgspec.json.decode(b"".join(packing.chunks(path)), type=_Page)
        numbers = [study.protocolSection.identificationModule.nctId for study in page.studies]
        return Page(numbers, page.nextPageToken, page.totalCount)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise PayloadError(f"what came is no whole page of studies ({error})") from None


# --- histories ------------------------------------------------------------------------------------------------------


class _Change(msgspec.Struct):
    version: int


class _Changes(msgspec.Struct):
    changes: list[_Change]


class _History(msgspec.Struct):
    history: _Changes


def _histories(round_: Round) -> Fetched:
    """Every version of the named records, a zip for each number."""
    for number in round_.wish.numbers:
        if not re.fullmatch(r"NCT\d{8}", number):
            raise UsageError(f"{number} is no number of ClinicalTrials.gov: one is like NCT01234567.")
    numbers = sorted(set(round_.wish.numbers))
    round_.begin({"what": "history", "numbers": numbers})
    return Fetched([_history(round_, number) for number in numbers], "partial")


def _history(round_: Round, number: str) -> Path:
    base = f"{round_.base}/int/studies/{number}"
    shown = round_.take(f"{number}-history.json", Want(f"{base}?history=true", "json", _versions))
    parts = {f"{number}-history.json": shown.path}
    for version in shown.value:
        name = f"{number}-{version:04d}.json"
        parts[name] = round_.take(name, Want(f"{base}/history/{version}", "json", _is_json)).path
    packed = round_.folder / f"{number}{snapshots.HISTORY}"
    store.zip_files(parts, packed)
    return packed


def _versions(path: Path) -> list[int]:
    try:
        found = msgspec.json.decode(path.read_bytes(), type=_History)
    except msgspec.DecodeError as error:
        raise PayloadError(f"what came is no history of a record ({error})") from None
    return [change.version for change in found.history.changes]


def _is_json(path: Path) -> None:
    try:
        msgspec.json.decode(path.read_bytes())
    except msgspec.DecodeError as error:
        raise PayloadError(f"what came is no whole record ({error})") from None
