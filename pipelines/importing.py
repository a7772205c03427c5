"""Taking dump files that lie on disk into the raw archive: what may be imported as what, and what a person dropped into
`data/incoming/` for the next night.

Storing is `snapshots`; fetching from a live source does not belong here.
"""

import contextlib
import csv
import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from pipelines import privacy, snapshots, staging, store
from pipelines.contracts import contracts
from pipelines.errors import DataError, UsageError
from pipelines.snapshots import Snapshot

SCOPES = ("partial", "full")
INCOMING = "incoming"
"""Where files are dropped: `incoming/<source>/`, loose or in a folder named after the snapshot's day."""
REFUSED = "refused"
"""Where what cannot be taken lies afterwards, in `incoming/refused/<source>/` beside a text that says why."""
QUIET = 60.0
"""Seconds for which nothing in a source's folder may have changed before it is taken."""
UNFINISHED = (".part", ".partial", ".filepart", ".crdownload", ".download", ".tmp")
"""How programs name a file that they are still writing."""


@dataclass(frozen=True)
class Import:
    """One snapshot to be taken in. baseline: the files are those of a yearly PubMed baseline."""

    source: str
    day: date
    files: tuple[Path, ...]
    scope: str = "partial"
    baseline: bool = False


def take(data: Path, wanted: Import) -> tuple[Snapshot, bool]:
    """Stores the files as one snapshot; returns it and whether it is new. Raises UsageError, and stores nothing, where
    the import contradicts itself."""
    _check(wanted)
    with store.only_writer(data):
        files = [*wanted.files, *_side_files(wanted)]
        return snapshots.store_files(
            data, wanted.source, wanted.day, files, scope=wanted.scope, baseline=wanted.baseline
        )


def _check(wanted: Import) -> None:
    sources = contracts().sources
    if wanted.source not in sources:
        raise UsageError(f"There is no source {wanted.source!r}; the sources are {', '.join(sources)}.")
    if wanted.scope not in SCOPES:
        raise UsageError(f"The scope is partial or full, not {wanted.scope!r}.")
    if not _payloads(wanted):
        raise UsageError("Name at least one dump file to import; a checksum file alone is none.")
    is_articles = staging.module(wanted.source).KIND == "articles"
    if wanted.baseline and not is_articles:
        raise UsageError(f"--baseline is for pubmed; {wanted.source} has none.")
    if is_articles and wanted.scope == "full" and not wanted.baseline:
        raise UsageError("A full scope for pubmed goes with --baseline: only a baseline can be the whole of PubMed.")
    if wanted.baseline:
        _check_baseline(wanted)


def _check_baseline(wanted: Import) -> None:
    """Every file is a numbered one; a baseline that is said to be whole has the numbers 1 to its highest."""
    file_number = staging.module(wanted.source).file_number
    numbers: dict[int, set[int]] = {}
    for file in _payloads(wanted):
        place = file_number(file.name)
        if place is None:
            raise UsageError(f"{file.name}: a baseline file has a name like pubmed26n0001.xml.gz.")
        numbers.setdefault(place[0], set()).add(place[1])
    if wanted.scope != "full":
        return
    if len(numbers) > 1:
        raise UsageError(f"A whole baseline is of one year; these files are of {sorted(numbers)}.")
    for found in numbers.values():
        missing = sorted(set(range(1, max(found) + 1)) - found)
        if missing:
            shown = ", ".join(f"n{n:04d}" for n in missing[:5]) + (" ..." if len(missing) > 5 else "")
            raise UsageError(
                f"The baseline is not whole: {len(missing)} file(s) are missing ({shown}). Import them too."
            )


def _payloads(wanted: Import) -> list[Path]:
    return [f for f in wanted.files if f.suffix != snapshots.SIDE_FILE]


def _side_files(wanted: Import) -> list[Path]:
    """Checksum files that lie beside the files and were not named."""
    beside = [f.with_name(f.name + snapshots.SIDE_FILE) for f in _payloads(wanted)]
    return [f for f in beside if f.is_file() and f not in wanted.files]


def read_list(path: Path) -> list[Import]:
    """Imports from a CSV with the columns source, date, scope, baseline, file (relative to the CSV). Rows that agree in
    all but the file are one snapshot; the order is kept. Raises UsageError where the file is not such a list."""
    if not path.is_file():
        raise UsageError(f"{path}: there is no such file.")
    grouped: dict[tuple[str, str, str, str], list[Path]] = {}
    try:
        rows = list(csv.DictReader(path.read_text(encoding="utf-8-sig").splitlines()))
    except UnicodeDecodeError:
        raise UsageError(f"{path}: the list is not UTF-8 text.") from None
    for number, row in enumerate(rows, 2):
        missing = [name for name in ("source", "date", "scope", "baseline", "file") if not row.get(name)]
        if missing:
            raise UsageError(f"{path}: line {number} of the list lacks {', '.join(missing)}.")
        key = (row["source"], row["date"], row["scope"], row["baseline"])
        grouped.setdefault(key, []).append(path.parent / row["file"])
    if not grouped:
        raise UsageError(f"{path}: the list names nothing to import.")
    return [
        Import(source, parse_day(day), tuple(files), scope, baseline == "true")
        for (source, day, scope, baseline), files in grouped.items()
    ]


def parse_day(text: str) -> date:
    """A day written YYYY-MM-DD. Raises UsageError."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{text!r} is not a day of the form YYYY-MM-DD.") from None


# --- what was dropped -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Drop:
    """What lies in `incoming/` as one snapshot: a loose file, or a folder and its files."""

    source: str
    path: Path
    files: tuple[Path, ...]


@dataclass(frozen=True)
class Dropped:
    """What came of it. taken: snapshots, and whether the archive had them not. left: a sentence for each that was not
    taken, and where it lies now."""

    taken: Sequence[tuple[Snapshot, bool]]
    left: Sequence[str]


def dropped(data: Path, now: datetime, source: str = "", *, with_strange: bool = False) -> list[Drop]:
    """What is ready to be taken, of one source or of all: nothing in the source's folder is still being written.
    with_strange: beside the one source also what lies under none that is known."""
    ready: list[Drop] = []
    for folder in _folders(data, source, with_strange=with_strange):
        with contextlib.suppress(OSError):  # `drop_in` says so
            ready += _ready(folder, now)
    return ready


def _folders(data: Path, source: str, *, with_strange: bool) -> list[Path]:
    folders = sorted(p for p in (data / INCOMING).glob("*") if p.name != REFUSED and not p.name.startswith("."))
    return [p for p in folders if not source or p.name == source or (with_strange and not _is_of_a_source(p))]


def _ready(folder: Path, now: datetime) -> list[Drop]:
    return list(_drops(folder)) if _is_quiet(folder, now) else []


def _is_of_a_source(folder: Path) -> bool:
    return folder.is_dir() and folder.name in contracts().sources


def _is_quiet(folder: Path, now: datetime) -> bool:
    """The change of a file's own entry counts, which every writing is too: a copy that keeps the dates of the original
    is as young as that, whatever these dates are."""
    inside = [folder, *folder.rglob("*")]
    youngest = max((p.stat().st_ctime for p in inside if p.exists()), default=0.0)
    return now.timestamp() - youngest >= QUIET and not any(p.name.lower().endswith(UNFINISHED) for p in inside)


def _drops(folder: Path) -> Iterator[Drop]:
    if not folder.is_dir():
        yield Drop("", folder, (folder,))
        return
    for path in _shown(folder):
        beside = path.with_name(path.name.removesuffix(snapshots.SIDE_FILE))
        if path.is_dir():
            if files := tuple(_shown(path)):
                yield Drop(folder.name, path, files)
        elif beside == path or not beside.exists():  # a checksum file goes with the file that it is of
            side = path.with_name(path.name + snapshots.SIDE_FILE)
            yield Drop(folder.name, path, (path, *([side] if side.is_file() else [])))


def _shown(folder: Path) -> list[Path]:
    return sorted(p for p in folder.iterdir() if not p.name.startswith("."))


def drop_in(data: Path, now: datetime, source: str = "", *, with_strange: bool = False) -> Dropped:
    """Takes what was dropped into the archive, and removes it where it lay. What is no import is put aside with a text
    that says why; what cannot be read, or finds the archive in use, stays and is tried again."""
    taken: list[tuple[Snapshot, bool]] = []
    left: list[str] = []
    ready: list[Drop] = []
    for folder in _folders(data, source, with_strange=with_strange):
        try:
            ready += _ready(folder, now)
        except OSError as error:
            name = privacy.without_mail(f"{INCOMING}/{folder.name}")
            left.append(f"{name} could not be looked into ({error.strerror}).")
    for drop in ready:
        name = privacy.without_mail(f"{INCOMING}/{drop.path.relative_to(data / INCOMING)}")
        try:
            wanted = _as_import(drop)
            if wanted.day > now.date() + timedelta(days=1):  # elsewhere it may be tomorrow already
                raise UsageError(f"{wanted.day} is a day to come: lay it into a folder that is named after its day.")
            marks = {file: _mark(file) for file in drop.files}
            taken.append(take(data, wanted))
        except UsageError as error:
            left.append(f"{name} was refused: {error} {_refuse(data, drop, str(error))}")
        except (DataError, OSError) as error:
            why = error.strerror if isinstance(error, OSError) else error
            left.append(f"{name} stays where it is and is tried again: {why}")
        else:
            try:
                _remove(drop, marks)
            except OSError as error:  # the folder is another user's
                left.append(f"{name} is in the archive and could not be removed ({error.strerror}): remove it.")
    return Dropped(taken, left)


def _as_import(drop: Drop) -> Import:
    """A folder's name says day and scope; a loose file is an update of the day on which it was last written to."""
    if not drop.source:
        raise UsageError(f"Files are dropped into {INCOMING}/<source>/, not beside it: move the file there.")
    if lost := [file.name for file in drop.files if not file.exists()]:
        raise UsageError(f"{lost[0]} is a link to a file that is not there: lay the file itself into the folder.")
    if drop.path.is_file():
        day = datetime.fromtimestamp(drop.path.stat().st_mtime, UTC).date()
        return Import(drop.source, day, drop.files)
    match = re.fullmatch(r"(\d{4}-\d\d-\d\d)(-full)?(-baseline)?", drop.path.name)
    if not match:
        raise UsageError("A folder of files is named YYYY-MM-DD, with -full or -baseline or -full-baseline after it "
                         "where the files are that: rename it.")  # fmt: skip
    if any(file.is_dir() for file in drop.files):
        raise UsageError("A folder of files holds no other folder: lay the files into it.")
    day = parse_day(match[1])
    return Import(drop.source, day, drop.files, "full" if match[2] else "partial", bool(match[3]))


def _mark(file: Path) -> tuple[int, int]:
    return file.stat().st_mtime_ns, file.stat().st_size


def _remove(drop: Drop, marks: dict[Path, tuple[int, int]]) -> None:
    """Removes what is in the archive now, but nothing that was written to since."""
    for file, mark in marks.items():
        if file.exists() and _mark(file) == mark:
            file.unlink()
    if drop.path.is_dir() and not _shown(drop.path):
        shutil.rmtree(drop.path)


def _refuse(data: Path, drop: Drop, why: str) -> str:
    """Puts it aside; returns in a sentence where it lies now."""
    try:
        return f"It lies in {_put_aside(data, drop, why)} now."
    except OSError as error:
        return f"It could not be put aside ({error.strerror}): remove it."


def _put_aside(data: Path, drop: Drop, why: str) -> str:
    folder = data / INCOMING / REFUSED / drop.source
    folder.mkdir(parents=True, exist_ok=True)
    for path in [drop.path] if drop.path.is_dir() else drop.files:
        place = folder / path.name
        if place.is_dir():
            shutil.rmtree(place)
        place.unlink(missing_ok=True)
        path.replace(place)
    (folder / f"{drop.path.name}.txt").write_text(why + "\n", encoding="utf-8")
    return f"{folder.relative_to(data)}/"
