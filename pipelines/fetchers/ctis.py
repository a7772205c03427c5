"""CTIS: the whole overview by its search, which also shows what vanished, then the records of which it shows a change.

The search gives no more than a cap of hits to one query. The date that it can be narrowed by is missing from a part of
the trials, so that it is split by status, which every trial has; where a status alone exceeds the cap, it is read from
both ends.
"""

import hashlib
import json
import math
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from pipelines import snapshots, store
from pipelines.errors import FetchError, PayloadError
from pipelines.fetching import Fetched, Round
from pipelines.formats import packing
from pipelines.web import Refused, Want

_NUMBER = re.compile(r"20\d\d-5\d{5}-\d\d-\d\d")

Overview = dict[str, str]
"""By number, the hash of the overview's item."""


class _Pagination(msgspec.Struct):
    totalRecords: int


class _Page(msgspec.Struct):
    pagination: _Pagination
    data: list[msgspec.Raw]


class _Item(msgspec.Struct):
    ctNumber: str


def fetch(round_: Round) -> Iterator[Fetched]:
    last = None if round_.wish.is_full else _last_listed(round_)
    before = _earlier(round_, last)
    round_.begin({"what": "full" if not before else "update", "since": last if before else None})
    listing, overview, stated = _overview(round_)
    wanted = {number: digest for number, digest in sorted(overview.items()) if before.get(number) != digest}
    if before and not wanted and set(before) == set(overview):
        round_.say("ctis: nothing new since its last overview")
        round_.end()
        return
    records, missing = _records(round_, wanted)
    scope = "partial" if before or missing else "full"
    yield Fetched([*listing, *records], scope, len(overview), stated, missing=missing, is_crawl=not before)


# --- the overview ---------------------------------------------------------------------------------------------------


def _last_listed(round_: Round) -> str | None:
    """The newest snapshot with an overview, while the last whole one is not too old and none was given up since: its
    overview shows what the records were that went with it."""
    full = [s for s in round_.earlier if s.fetched and (s.scope == "full" or s.fetched.get("is_crawl"))]
    if not full or (round_.today - full[-1].date).days >= round_.terms["full_days"] or round_.has_gap(full[-1].date):
        return None
    listed = [s.id for s in round_.earlier if any(p.name.endswith(snapshots.LISTING) for p in s.payloads)]
    return listed[-1] if listed else None


def _earlier(round_: Round, last: str | None) -> Overview:
    """The overview as it was in that snapshot, but for the trials whose records did not come; empty where all records
    are due."""
    found: Overview = {}
    for shot in round_.earlier:
        if shot.id == last:
            for payload in shot.payloads:
                if payload.name.endswith(snapshots.LISTING):
                    found |= _items(_page(shot.path(payload)))
            for number in shot.fetched.get("missing", ()):
                found.pop(number, None)
    return found


def _overview(round_: Round) -> tuple[list[Path], Overview, int]:
    """All pages of the overview, what they show, and the stated total. What moved meanwhile is asked once more."""
    said = ""
    for _ in range(2):
        stated = _total(round_, {})
        pages = [page for split in _splits(round_, stated) for page in _pages(round_, split)]
        found: Overview = {}
        for page in pages:
            found |= _items(_page(page))
        if len(found) == stated:
            return pages, found, stated
        said = f"it states {stated:,} trials, and {len(found):,} different ones came"
        round_.say(f"ctis: {said}: the overview is asked for again")
        round_.forget("overview")
    raise FetchError(f"ctis: {said}; nothing was stored. Fetch it again later.")


def _splits(round_: Round, stated: int) -> list[dict[str, Any]]:
    """Criteria that part all trials so that each part is below the cap, or as small as can be."""
    if stated <= round_.terms["cap"]:
        return [{}]
    return [{"status": [int(code)]} for code in round_.source.words["status"] if code.isdecimal()]


def _pages(round_: Round, split: dict[str, Any]) -> Iterator[Path]:
    """The pages of one part: what the cap hides at one end is read from the other. Pages of another day are asked for
    again, since trials move from page to page; they are few beside the records."""
    size, cap = round_.terms["page_size"], round_.terms["cap"]
    total = _total(round_, split)
    if total > 2 * cap:
        text = f"{total:,} trials have the criteria {split}, and only {2 * cap:,} of them can be listed"
        raise FetchError(f"ctis: {text}. The fetcher has to split them further.")
    stem = "-".join([f"overview-{round_.today}-all", *map(str, split.get("status", []))])
    ascending = math.ceil(min(total, cap) / size)
    descending = math.ceil(max(0, total - cap) / size)
    for direction, pages in (("ASC", ascending), ("DESC", descending)):
        for number in range(1, pages + 1):
            want = _search(round_, split, number, size, direction)
            yield round_.take(f"{stem}-{direction.lower()}-{number:04d}{snapshots.LISTING}", want).path


def _total(round_: Round, split: dict[str, Any]) -> int:
    text = round_.text("total.json", _search(round_, split, 1, 1, "ASC"))
    return msgspec.json.decode(text, type=_Page).pagination.totalRecords


def _search(round_: Round, split: dict[str, Any], page: int, size: int, direction: str) -> Want:
    body = {
        "pagination": {"page": page, "size": size},
        "sort": {"property": "decisionDate", "direction": direction},
        "searchCriteria": split,
    }
    return Want(f"{round_.base}/search", "json", _whole_page, json.dumps(body).encode(), is_packed=size > 1)


def _page(path: Path) -> _Page:
    try:
        return msgspec.json.decode(b"".join(packing.chunks(path)), type=_Page)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise PayloadError(f"what came is no whole page of the overview ({error})") from None


def _items(page: _Page) -> Overview:
    return {
        msgspec.json.decode(item, type=_Item).ctNumber: hashlib.sha256(bytes(item)).hexdigest() for item in page.data
    }


def _whole_page(path: Path) -> _Page:
    """A page whose every item bears a number, since addresses and names of files are made of it."""
    page = _page(path)
    try:
        strange = [number for number in _items(page) if not _NUMBER.fullmatch(number)]
    except msgspec.DecodeError as error:
        raise PayloadError(f"an item of the overview has no number ({error})") from None
    if strange:
        raise PayloadError(f"the overview holds {strange[0][:40]!r}, which is no number of CTIS")
    return page


# --- records --------------------------------------------------------------------------------------------------------


def _records(round_: Round, wanted: Overview) -> tuple[list[Path], list[str]]:
    """The records in archives of some hundred each, and the numbers that have none. A record that came in a round that
    was interrupted counts only where the overview still shows the same of it."""
    parts: dict[str, Path] = {}
    missing: list[str] = []
    for number, digest in wanted.items():
        try:
            want = Want(f"{round_.base}/retrieve/{number}", "json", _is_record(number))
            served = round_.take(f"{number}-{digest[:10]}.json", want)
        except Refused as error:
            if error.status != 404:
                raise
            missing.append(number)
            continue
        if served.value:
            parts[f"{number}.json"] = served.path
        else:
            missing.append(number)
    names, size = sorted(parts), round_.terms["records_per_file"]
    archives = []
    for start in range(0, len(names), size):
        archive = round_.folder / f"records-{start // size + 1:04d}.zip"
        store.zip_files({name: parts[name] for name in names[start : start + size]}, archive)
        archives.append(archive)
    return archives, missing


def _is_record(number: str) -> Callable[[Path], bool]:
    """A check whether there is a record: the answer for a number that has none is an empty object."""

    def check(path: Path) -> bool:
        content = path.read_bytes()
        if re.fullmatch(rb"\s*\{\s*\}\s*", content):
            return False
        try:
            said = msgspec.json.decode(content, type=_Item).ctNumber
        except msgspec.DecodeError as error:
            raise PayloadError(f"what came is no whole record ({error})") from None
        if said != number:
            raise PayloadError("what came is the record of another trial")
        return True

    return check
