"""EU Clinical Trials Register: the full text of all country records by pages of the search, year by year of their first
entry; then, while the last fetch is no older than its feed reaches back, the trials that the feed names. Results are
not fetched: the archives of their XML are not read."""

import math
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from pathlib import Path

from pipelines import store
from pipelines.errors import FetchError, PayloadError
from pipelines.fetching import Fetched, Round
from pipelines.web import Want

FIRST_YEAR = 2004
ON_A_PAGE = 20
FEED_DAYS = 7
"""How far back the register's feed of changes reaches."""
_HITS = re.compile(r"Trials with a EudraCT protocol\s*\(\s*([\d,.]+)\s*\)")
_TRIAL = re.compile(rb"^EudraCT Number:\s*(\d{4}-\d{6}-\d{2})", re.MULTILINE)
_LAST_SECTION = re.compile(rb"^P\. End of Trial", re.MULTILINE)
_LINKED = re.compile(r"eudract_number(?::|=|%3A)(20\d{2}-0\d{5}-\d{2})\b", re.IGNORECASE)
"""The number of a changed trial, in the link of its item: titles hold numbers of other trials."""


def fetch(round_: Round) -> Iterator[Fetched]:
    if _is_full_due(round_):
        yield _all(round_)
        return
    fetched = _changed(round_)
    if fetched:
        yield fetched


def _is_full_due(round_: Round) -> bool:
    """Where the last full one is too old, and where the feed does not reach back to the last fetch: what changed in
    between shows nowhere else."""
    full = [s.date for s in round_.earlier if s.fetched.get("records") is not None]
    if round_.wish.is_full or not full or (round_.today - full[-1]).days >= round_.terms["full_days"]:
        return True
    if round_.has_gap(full[-1]):
        return True
    last = max([*(s.date for s in round_.earlier if s.fetched), *filter(None, [round_.last_good])])
    if (round_.today - last).days <= FEED_DAYS:
        return False
    round_.say(f"euctr: its feed reaches back {FEED_DAYS} days, not to {last}: all of it is fetched")
    return True


def _all(round_: Round) -> Fetched:
    """Every year's pages. Trials that no year holds make it a part of the register, which says nothing of what it
    lacks."""
    stated, files = _hits(round_, "query="), []
    # Where the total is another one, trials have moved from page to page, and pages of two days lack some of them.
    round_.begin({"what": "full", "stated": stated})
    trials: set[bytes] = set()
    for year in range(FIRST_YEAR, round_.day.year + 1):
        pages: dict[str, Path] = {}
        asked = f"query=&dateFrom={date(year, 1, 1)}&dateTo={date(year, 12, 31)}"
        hits = _hits(round_, asked)
        for number in range(1, math.ceil(hits / ON_A_PAGE) + 1):
            name = f"{year}-{number:04d}.txt"
            url = f"{round_.base}/ctr-search/rest/download/full?{asked}&page={number}&mode=current_page"
            served = round_.take(name, Want(url, "text", _trials(min(ON_A_PAGE, hits - (number - 1) * ON_A_PAGE))))
            trials |= served.value
            pages[name] = served.path
        if pages:
            packed = round_.folder / f"protocols-{year}.zip"
            store.zip_files(pages, packed)
            files.append(packed)
    if len(trials) > stated or not files:
        round_.end()
        raise FetchError(f"euctr: it states {stated:,} trials, and {len(trials):,} came; nothing was stored. Fetch it "
                         "again later.")  # fmt: skip
    if len(trials) == stated:
        return Fetched(files, "full", len(trials), stated)
    note = f"euctr states {stated:,} trials, and its years hold {len(trials):,}: taken in as a part of the register"
    return Fetched(files, "partial", len(trials), len(trials), note=note)


def _hits(round_: Round, asked: str) -> int:
    """How many trials a search finds, by its page."""
    page = round_.text("search.html", Want(f"{round_.base}/ctr-search/search?{asked}&page=1", "html", _has_hits))
    match = _HITS.search(page)
    return int(re.sub(r"\D", "", match[1])) if match else 0


def _has_hits(path: Path) -> None:
    if not _HITS.search(path.read_text(encoding="utf-8", errors="replace")):
        raise PayloadError("the page of the search states no number of trials")


def _changed(round_: Round) -> Fetched | None:
    """The trials that the feed names, and those that had no text the last time: one text each. Where none of those that
    the feed names has one, it is the register that fails, and not the trials."""
    feed = round_.text("feed.xml", Want(f"{round_.base}/ctr-search/rest/feed/bydates?query=", "xml", _is_whole_feed))
    numbers = sorted(set(_LINKED.findall(feed)))
    if not numbers and re.search(r"<(?:item|entry)\b", feed):
        raise FetchError("euctr: no item of its feed names a trial in its link; nothing was stored. Look at the feed.")
    waiting = _without_text(round_)
    if not numbers and not waiting:
        round_.say("euctr: its feed names no changed trial")
        return None
    round_.begin({"what": "update", "day": round_.today.isoformat()})
    texts, empty = {}, []
    for number in sorted({*numbers, *waiting}):
        url = f"{round_.base}/ctr-search/rest/download/full?mode=selected&eudracts={number}"
        served = round_.take(f"{number}.txt", Want(url, "any", _trial_if_any))
        if served.value:
            texts[f"{number}.txt"] = served.path
        else:
            empty.append(number)
    if numbers and set(numbers) <= set(empty):
        for number in empty:
            round_.forget(number)
        raise FetchError(f"euctr: of the {len(numbers):,} trials that its feed names it gave no text at all, for "
                         f"example of {numbers[0]}; nothing was stored. Fetch it again later.")  # fmt: skip
    if not texts:
        round_.say(f"euctr: its feed names no changed trial, and {len(empty):,} still have no text")
        round_.end()
        return None
    packed = round_.folder / "changed.zip"
    store.zip_files(texts, packed)
    return Fetched([packed], "partial", missing=empty)


def _without_text(round_: Round) -> Sequence[str]:
    """The trials that had no text in the newest snapshot that was fetched."""
    fetched = [s.fetched for s in round_.earlier if s.fetched]
    return fetched[-1].get("missing", ()) if fetched else ()


def _is_whole_feed(path: Path) -> None:
    """Raises PayloadError where the feed was cut off: what it lacks would be missed until all is fetched again."""
    if not path.read_bytes().rstrip().endswith((b"</rss>", b"</feed>", b"</rdf:RDF>")):
        raise PayloadError("what came is no whole feed")


def _trial_if_any(path: Path) -> set[bytes]:
    """A check that the text holds one trial, or nothing: so the register answers for a number that it does not have."""
    return _trials(1)(path) if path.read_bytes().strip() else set()


def _trials(expected: int) -> Callable[[Path], set[bytes]]:
    """A check that the text holds so many trials, and the last section of the last record."""

    def check(path: Path) -> set[bytes]:
        content = path.read_bytes()
        records = list(_TRIAL.finditer(content))
        found = {record[1] for record in records}
        if len(found) != expected:
            raise PayloadError(f"the text holds {len(found)} trials, and {expected} were asked for")
        if records and not _LAST_SECTION.search(content, records[-1].end()):
            raise PayloadError("the text is cut off within its last record")
        return found

    return check
