"""Fetching one source: the round in which its files come in, and what a snapshot must be like to be taken in.

A round's files lie in `data/fetch/<source>/` until the snapshot is whole, with a journal of what has come, so that an
interrupted round goes on where it was. Which files those are stands in `fetchers/<source>.py`, how a server is asked
in `web`, the archive in `snapshots`. Nothing here interprets a record.
"""

import contextlib
import importlib
import json
import shutil
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pipelines import attempts, snapshots, store
from pipelines.attempts import Attempt
from pipelines.contracts import Source, contracts
from pipelines.errors import DataError, FetchError, PayloadError, UsageError
from pipelines.settings import Settings, version
from pipelines.snapshots import Snapshot
from pipelines.web import Client, Edge, Manners, Served, Want, is_loopback

FOLDER = "fetch"
PLAN = "plan.json"
JOURNAL = "journal.jsonl"
CHOSEN = ".chosen"
"""How the folder of a round of single numbers ends, behind its source."""
STALE_DAYS = 7
"""An unfinished round older than this is begun anew: its paging token and its day are past."""
Say = Callable[[str], None]


@dataclass(frozen=True)
class Wish:
    """What a person asks for beyond what is due. is_full: all of it, whatever the increments. numbers: single
    registrations with their history, or articles. accept_drop: fewer records than last time are right."""

    is_full: bool = False
    numbers: tuple[str, ...] = ()
    accept_drop: bool = False


@dataclass(frozen=True)
class Fetched:
    """The files of one snapshot to be. stated: the source's own total. records: how many came, of a full snapshot or a
    listing; where the source states no total, what its volume band counts; None of a part. data_version: the source's
    mark of its data. note: for a person. day: the day that a file itself says it is of, where that is not the one on
    which it is fetched. missing: numbers that the source lists and of which it gave no record, though it was asked; the
    next fetch asks for them again. is_crawl: all records were asked for."""

    files: Sequence[Path]
    scope: str
    records: int | None = None
    stated: int | None = None
    data_version: str = ""
    baseline: bool = False
    note: str = ""
    day: date | None = None
    missing: Sequence[str] = ()
    is_crawl: bool = False


@dataclass(frozen=True)
class Taken:
    """A snapshot that came of a round. is_new: false where the archive held it already. lacks: what of the source did
    not come with it, in one sentence."""

    snapshot: Snapshot
    is_new: bool
    notes: Sequence[str]
    lacks: str = ""


@dataclass
class Round:
    """One source's fetch under way. base: where it is asked. earlier: its snapshots so far, oldest first. last_good:
    the last day on which what was new had been asked for, also where nothing was (see `attempts.last`). given_up: the
    day of the newest snapshot of the source that a person gave up. began: the first day on which anything of what this
    fetch brings was asked for."""

    source: Source
    client: Client
    base: str
    folder: Path
    today: date
    earlier: Sequence[Snapshot]
    wish: Wish
    say: Say
    key: str = ""
    last_good: date | None = None
    given_up: date | None = None
    day: date = field(init=False)
    began: date = field(init=False)

    def __post_init__(self) -> None:
        self.day = self.began = self.today
        self._journal: dict[str, dict[str, Any]] = {}

    @property
    def terms(self) -> Mapping[str, Any]:
        """The `[fetch]` table of the source's file."""
        return self.source.fetch

    def has_gap(self, whole: date) -> bool:
        """Whether a snapshot was given up since the last whole one, of that day: what it brought comes again with a
        whole one only, since increments begin where the last one ended. One of the same day counts as after it."""
        if self.given_up is None or self.given_up < whole:
            return False
        self.say(f"{self.source.code}: a snapshot of {self.given_up} was given up: all of it is fetched")
        return True

    def begin(self, plan: Mapping[str, Any]) -> None:
        """Goes on with the unfinished round of the same plan, or begins anew. The day is the one on which it began."""
        path = self.folder / PLAN
        unfinished = store.read_json(path) if path.exists() else {}
        began = date.fromisoformat(unfinished["day"]) if unfinished else self.today
        if unfinished.get("plan") == dict(plan) and timedelta() <= self.today - began <= timedelta(days=STALE_DAYS):
            self.day = began
            self._journal = {line["name"]: line for line in _lines(self.folder / JOURNAL)}
            if self._journal:
                self.say(
                    f"{self.source.code}: going on with the round of {began}: {len(self._journal):,} files are here"
                )
            return
        self.end()
        self.folder.mkdir(parents=True, exist_ok=True)
        store.write_json(path, {"plan": dict(plan), "day": self.today.isoformat()})

    def take(self, name: str, want: Want) -> Served:
        """The file of that name, asked for unless this round has it already and it still is what is wanted."""
        if Path(name).name != name:  # a name can be made of what a server says
            raise FetchError(f"{self.source.code}: {name[:80]!r} is no name for a file of a round. Look at the source.")
        path, noted = self.folder / name, self._journal.get(name)
        if noted and path.exists() and path.stat().st_size == noted["bytes"]:
            with contextlib.suppress(PayloadError):  # of another day, on which a page held fewer records
                value = want.check(path) if want.check else None
                return Served(path, noted["url"], noted["retrieved_at"], noted["bytes"], noted["sha256"], value)
        served = self.client.fetch(want, path)
        line = {"name": name, "url": served.url, "retrieved_at": served.retrieved_at, "bytes": served.bytes,
                "sha256": served.sha256}  # fmt: skip
        with (self.folder / JOURNAL).open("a", encoding="utf-8") as journal:
            journal.write(json.dumps(line, sort_keys=True) + "\n")
        self._journal[name] = line
        return served

    def text(self, name: str, want: Want) -> str:
        """A small answer that is asked for afresh and not kept."""
        served = self.client.fetch(want, self.folder / name)
        text = served.path.read_text(encoding="utf-8", errors="replace")
        served.path.unlink()
        return text

    def forget(self, stem: str) -> None:
        """Asks again for the files whose names begin so."""
        for name in [n for n in self._journal if n.startswith(stem)]:
            (self.folder / name).unlink(missing_ok=True)
            del self._journal[name]

    def origins(self) -> dict[str, tuple[str, str]]:
        return {name: (line["url"], line["retrieved_at"]) for name, line in self._journal.items()}

    def end(self) -> None:
        """Forgets the round; what of it became a snapshot has its own name in the archive."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self._journal = {}
        self.day = self.today


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    """What the journal holds; a killed process can have left its last line unfinished."""
    if path.exists():
        for line in path.read_text(encoding="utf-8").splitlines():
            with contextlib.suppress(json.JSONDecodeError):
                yield json.loads(line)


# --- one source -----------------------------------------------------------------------------------------------------


def sources(settings: Settings) -> list[str]:
    """The sources that can be fetched unattended with these settings, or those of them that the settings name."""
    known = contracts().sources
    strange = [code for code in settings.fetched_sources if code not in known or not known[code].fetch]
    if strange:
        raise UsageError(f"ALLTRIALS_FETCHED_SOURCES names {strange[0]!r}, which is no source that can be fetched.")
    can = [s.code for s in known.values() if s.fetch and (s.fetch.get("url") or s.code in settings.addresses)]
    return [code for code in can if code in settings.fetched_sources or not settings.fetched_sources]


def is_due(settings: Settings, code: str, today: date) -> bool:
    """Whether a night asks it: not before the days that its file leaves between two fetches are past, unless the
    last fetch came to no end: it may have stored one of two snapshots."""
    if _unfinished(settings, code).exists():
        return True
    every = {**contracts().sources[code].fetch, **settings.fetch_terms}.get("every_days", 1)
    fetched = [s.date for s in _chain(settings, code, today) if s.fetched]
    return not fetched or (today - max(fetched)).days >= every


def _chain(settings: Settings, code: str, today: date) -> list[Snapshot]:
    """The snapshots of a source on which the next fetch builds. One of a day to come bears a wrong day, and no build
    knows it; elsewhere it may be tomorrow already."""
    return [s for s in snapshots.listed(settings.data, today + timedelta(days=1)) if s.source == code]


def _unfinished(settings: Settings, code: str) -> Path:
    """The mark of a fetch that is under way, or that came to no end."""
    return settings.data / FOLDER / f"{code}.unfinished"


def fetch(settings: Settings, code: str, edge: Edge, say: Say, wish: Wish | None = None) -> Iterator[Taken]:
    """Fetches what the source has that the archive has not; gives each snapshot once it is stored.

    Raises UsageError where the source cannot be fetched like that, FetchError where it failed or what came cannot be
    accepted: then nothing of that snapshot is stored, and the last good one stays in use.
    """
    source, base = _source(settings, code), _base(settings, code)
    # Single numbers have a round of their own: a large one that was interrupted goes on where it was.
    folder = settings.data / FOLDER / (f"{code}{CHOSEN}" if wish and wish.numbers else code)
    lock = settings.data / FOLDER / f"{code}.lock"
    with store.locked(lock, f"Another fetch of {code} is under way in {settings.data}"):
        if not (wish and wish.numbers):
            _unfinished(settings, code).touch()
        client, today = _client(settings, source, base, edge), edge.now().date()
        earlier = _chain(settings, code, today)
        good = {one: day for one, _, _, _, day in attempts.last(settings.data, today)}.get(code)
        key = settings.keys.get(code, "")
        gone = max((one.date for one in snapshots.given_up(settings.data, today) if one.source == code), default=None)
        round_ = Round(source, client, base, folder, today, earlier, wish or Wish(), say, key, good, gone)
        fetcher = importlib.import_module(f"pipelines.fetchers.{code}")
        if code in settings.volume_bands:
            least, most = settings.volume_bands[code]
            say(f"{code}: held to a volume of {least:,} to {most:,} by ALLTRIALS_VOLUME_BANDS, not to that of its file")
        with _noted(settings.data, round_, edge):
            for fetched in fetcher.fetch(round_):
                notes = accept(source, fetched, round_.earlier, round_.wish)
                round_.began = min(round_.began, round_.day)
                taken = _store(settings.data, round_, fetched, notes)
                round_.earlier = [*round_.earlier, taken.snapshot]
                yield taken
        if not round_.wish.numbers:
            _unfinished(settings, code).unlink()


@contextlib.contextmanager
def _noted(data: Path, round_: Round, edge: Edge) -> Iterator[None]:
    """Keeps whether the attempt at what is due of the source succeeded; single numbers are no such attempt."""

    def note(failure: str) -> None:
        if not round_.wish.numbers:
            day = edge.now().date()
            began = round_.began.isoformat() if round_.began < day and not failure else ""
            attempts.note(data, Attempt(round_.source.code, day.isoformat(), failure, began))

    try:
        yield
    except OSError as error:
        with contextlib.suppress(OSError):  # a full disk does not take the word that it is full
            note(f"{round_.source.code}: the data folder cannot be written ({error.strerror or 'no reason given'}).")
        raise
    except (FetchError, DataError, UsageError) as error:
        note(str(error))
        raise
    except Exception as error:
        note(f"{round_.source.code}: {unforeseen(error)}")
        raise
    note("")


def unforeseen(error: Exception) -> str:
    """Words for an error that no fetcher foresaw. What it says itself is left out: it can quote what a server sent."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    return f"its fetching failed ({type(error).__name__} in {Path(place.filename).name}, line {place.lineno})."


def _source(settings: Settings, code: str) -> Source:
    known = contracts().sources
    if code not in known:
        raise UsageError(f"There is no source {code!r}; the sources are {', '.join(known)}.")
    if not known[code].fetch:
        can = ", ".join(sources(settings))
        raise UsageError(f"{known[code].title} allows no unattended access: download its files and `import` them. "
                         f"Fetched can be {can}.")  # fmt: skip
    check_contact(settings)
    return replace(_within_band(known[code], settings), fetch={**known[code].fetch, **_terms(settings)})


def _within_band(source: Source, settings: Settings) -> Source:
    """The source with the volume band that settings give it instead of its file's, if they do."""
    strange = sorted(set(settings.volume_bands) - set(contracts().sources))
    if strange:
        raise UsageError(f"ALLTRIALS_VOLUME_BANDS names {strange[0]!r}, which is no source.")
    if source.code not in settings.volume_bands:
        return source
    least, most = settings.volume_bands[source.code]
    return replace(source, min_records=least, max_records=most)


WHERE_TERMS = frozenset({"url", "efetch_url", "site"})
"""Where a source is asked stands in its file, or in ALLTRIALS_<SOURCE>_URL; no setting lets it send us elsewhere."""


def _terms(settings: Settings) -> Mapping[str, Any]:
    """The terms that settings put in the place of those in files. Raises UsageError for one that no file can have."""
    can = {f.name for f in fields(Manners)} | {name for s in contracts().sources.values() for name in s.fetch}
    strange = sorted(set(settings.fetch_terms) - (can - WHERE_TERMS))
    if strange:
        there_are = ", ".join(sorted(can - WHERE_TERMS))
        raise UsageError(f"ALLTRIALS_FETCH_TERMS names {strange[0]!r}, which is no term that a setting can change; "
                         f"there are {there_are}.")  # fmt: skip
    return settings.fetch_terms


def check_contact(settings: Settings) -> None:
    """Raises UsageError where servers could not be told who asks them."""
    if not settings.contact:
        raise UsageError("Servers are asked only by those who say who they are: set ALLTRIALS_CONTACT to a mail "
                         "address or web page at which their operators can reach you.")  # fmt: skip


def _base(settings: Settings, code: str) -> str:
    base = settings.addresses.get(code) or str(contracts().sources[code].fetch.get("url", ""))
    if not base:
        raise UsageError(f"{code} has no public address: set ALLTRIALS_{code.upper()}_URL to the one agreed on.")
    parts = urlsplit(base)
    is_web = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or ""))
    if not is_web or not parts.hostname or "@" in parts.netloc or parts.query or parts.fragment:
        raise UsageError(f"ALLTRIALS_{code.upper()}_URL is an address like https://host/path (http on this machine "
                         "alone), without a name, a password or a query in it.")  # fmt: skip
    return base.rstrip("/")


def _client(settings: Settings, source: Source, base: str, edge: Edge) -> Client:
    """The site is the one in the source's file, unless settings name another address."""
    terms = source.fetch
    parts = urlsplit(base)
    other = parts.netloc if is_loopback(parts.hostname or "") else parts.hostname or ""
    site = other if source.code in settings.addresses else str(terms["site"])
    given = {f.name: terms[f.name] for f in fields(Manners) if f.name in terms}
    manners = replace(Manners(**given), also_retried=tuple(terms.get("also_retried", ())))
    agent = f"AllTrialsWarehouse/{version()} (+{settings.contact})"
    return Client(source.code, site, agent, edge, manners, settings.ca_file)


def sentence(taken: Taken) -> str:
    """What came, for a person."""
    shot = taken.snapshot
    size = sum(p.bytes for p in shot.payloads)
    what = f"{shot.source} {shot.id} ({len(shot.payloads):,} file(s), {size:,} bytes, {shot.scope})"
    said = f"fetched {what}" if taken.is_new else f"already fetched, nothing changed: {what}"
    return "\n".join([said, *(f"Note: {note}" for note in [*taken.notes, *filter(None, [taken.lacks])])])


# --- acceptance -----------------------------------------------------------------------------------------------------


def accept(source: Source, fetched: Fetched, earlier: Sequence[Snapshot], wish: Wish) -> list[str]:
    """Compares what came with the source's own total, its volume band and the last time; gives what is worth a word.

    Raises FetchError where it cannot be all of the source.
    """
    notes = [fetched.note] if fetched.note else []
    if fetched.records is None:
        return notes
    if fetched.stated is not None and fetched.records != fetched.stated:
        raise FetchError(f"{source.code}: it states {fetched.stated:,} records and {fetched.records:,} came; "
                         "nothing was stored. Fetch it again later.")  # fmt: skip
    if fetched.records < source.min_records:
        raise FetchError(f"{source.code}: a volume of {fetched.records:,} is less than the {source.min_records:,} that "
                         f"schemas/sources/{source.code}.toml expects at least; nothing was stored. Look at the "
                         "source, and correct min_records if it is right.")  # fmt: skip
    before = [s.fetched["records"] for s in earlier if s.fetched.get("records") is not None]
    least = before[-1] * (1 - float(source.fetch.get("largest_drop", 1))) if before else 0
    if fetched.records < least and not wish.accept_drop:
        raise FetchError(f"{source.code}: {fetched.records:,} came, {before[-1]:,} the last time; nothing was "
                         "stored. Look at the source; if it is right, fetch it with --accept-drop.")  # fmt: skip
    if source.max_records is not None and fetched.records > source.max_records:
        notes.append(f"{source.code}: a volume of {fetched.records:,} is more than the {source.max_records:,} that "
                     f"schemas/sources/{source.code}.toml expects: raise max_records if they are right")  # fmt: skip
    return notes


def _store(data: Path, round_: Round, fetched: Fetched, notes: Sequence[str]) -> Taken:
    said: dict[str, Any] = {
        "records": fetched.records, "stated_total": fetched.stated, "data_version": fetched.data_version,
    }  # fmt: skip
    if fetched.missing:
        said |= {"missing": list(fetched.missing), "is_crawl": fetched.is_crawl}
    with store.only_writer(data):
        snapshot, is_new = snapshots.store_files(
            data, round_.source.code, fetched.day or round_.day, fetched.files, scope=fetched.scope,
            baseline=fetched.baseline, fetched=said, origins=round_.origins(),
        )  # fmt: skip
    round_.end()
    return Taken(snapshot, is_new, notes, _lacks(round_.source.code, fetched))


def _lacks(code: str, fetched: Fetched) -> str:
    """What of the source did not come, in one sentence; empty where nothing lacks."""
    if not fetched.missing:
        return ""
    return (f"{code}: it lists {len(fetched.missing):,} trials of which it gave no record, for example "
            f"{fetched.missing[0]}; they are asked for again the next time.")  # fmt: skip
