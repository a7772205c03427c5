"""What a data folder may lose: builds and nightly releases that are past, what killed processes left behind, and, only
where a person gives them up by name, years of PubMed that a later baseline replaced and snapshots that are wrong.

The archive itself is the record of what the sources served. All tables, the history of each registration included, are
made of it, and the account of every file stands in `payloads`; so no snapshot goes by itself, however old.
"""

import contextlib
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from pipelines import fetching, snapshots, staging, store
from pipelines.contracts import contracts
from pipelines.errors import DataError, UsageError
from pipelines.release import shelf
from pipelines.snapshots import Snapshot

KEPT_YEARS = 3
"""Years of PubMed with a whole baseline: the newest, the one before, with which it is compared, and one more, since the
newest stands only once all of it could be read."""
RELEASES = 60
"""Nightly releases that stay: what changed can be followed for two months."""
GIVEN_UP = (
    "Given up with these years: their rows in payloads and rejected_records, their part in sources.snapshots, and "
    "whether an unchanged article of a later file counts there as a duplicate. No verdict and no link rests on them."
)
GAP = (
    "The next fetch of {source} is a whole one; until a record is read again, it counts as not looked at from the day "
    "of that snapshot on"
)


@dataclass(frozen=True)
class Going:
    """What may go, and why. bytes: how many it frees. is_given_up: a table states less once it is gone."""

    path: Path
    bytes: int
    why: str
    is_given_up: bool = False


def prune(
    data: Path,
    today: date,
    *,
    keep: int,
    gives_up_years: bool,
    is_meant: bool,
    keep_releases: int = RELEASES,
    wrong: Sequence[str] = (),
) -> list[Going]:
    """What goes; it is removed only where that is meant. keep: how many builds stay besides the warehouse.
    keep_releases: how many releases stay besides the latest one and the first of each month. wrong: snapshots that a
    person gives up, as `<source>/<id>`.

    Raises DataError while a build or an import is at work, UsageError where the archive has no such snapshot.
    """
    with store.only_writer(data), contextlib.ExitStack() as held:
        nightly = list(_releases(data, keep_releases))
        needless = [*_builds(data, keep), *_leftovers(data), *_orphans(data), *_rounds(data, today, held)]
        going = [*needless, *nightly]
        if gives_up_years:
            going += _replaced_years(data)
        there = {one.path for one in going}
        taken = [_named(data, name) for name in dict.fromkeys(wrong)]
        going += [one for snapshot in taken for one in _wrong(data, snapshot) if one.path not in there]
        if is_meant:
            # First what nobody has to be told of: on a full disk the words on the rest find room only then.
            for one in needless:
                _remove(one.path)
            for snapshot in filter(_leaves_a_gap, taken):
                snapshots.give_up(data, snapshot)
            # Before they go: a release that is only missing stays public.
            shelf.write_index(data, [one.path.name for one in nightly])
            for one in going[len(needless) :]:
                _remove(one.path)
    return going


def _builds(data: Path, keep: int) -> Iterator[Going]:
    """Complete builds, the newest first as they were written: the day that one is for says nothing of that."""
    current = (data / "warehouse").resolve()
    complete = [p.parent for p in (data / "builds").glob("[!.]*/manifest.json") if p.parent.resolve() != current]
    newest = sorted(complete, key=lambda p: ((p / "manifest.json").stat().st_mtime_ns, p.name), reverse=True)
    for path in sorted(newest[keep:]):
        yield Going(path, _size(path), "an older build; the status history does not need it")


def _releases(data: Path, keep: int) -> Iterator[Going]:
    """Nightly releases, but for the latest, the last few, and those of the first day of each month that has any."""
    there = shelf.listed(data)
    days = [release.order[0] for release in there]
    first = {min(day for day in days if (day.year, day.month) == (one.year, one.month)) for one in days}
    for release in there[: max(len(there) - keep, 0)]:
        if release.name != shelf.latest(data) and release.order[0] not in first:
            yield Going(release.folder, _size(release.folder), "a nightly release; the first of its month stays")
            run = release.folder.parent / shelf.RUN / release.name
            if run.exists():
                yield Going(run, _size(run), "the run that made this release")


def _leftovers(data: Path) -> Iterator[Going]:
    """What a process was writing when it died: nobody else writes now."""
    for folder in ("raw", "staging", "builds", "ledger", shelf.FOLDER):
        for path in sorted((data / folder).rglob(f".*{store.PART}")):
            if not any(parent.name.endswith(store.PART) for parent in path.relative_to(data).parents):
                yield Going(path, _size(path), "left behind by a process that died")
    for path in sorted((data / fetching.FOLDER).glob(f".*{store.PART}")):  # in its folders others may be writing
        yield Going(path, _size(path), "left behind by a process that died")


def _orphans(data: Path) -> Iterator[Going]:
    """What was read of payloads that the archive does not hold."""
    held = {(s.source, s.id, p.name) for s in snapshots.listed(data) for p in s.payloads}
    for path in sorted((data / "staging").glob("*/[!.]*/[!.]*")):
        if path.is_dir() and path.relative_to(data / "staging").parts not in held:
            yield Going(path, _size(path), "read from a file that is no longer in the archive")


def _rounds(data: Path, today: date, held: contextlib.ExitStack) -> Iterator[Going]:
    """Downloads that were not finished and are too old to go on with, unless their source is being fetched; none can
    begin while these are held."""
    locked: set[str] = set()
    for plan in sorted((data / fetching.FOLDER).glob(f"[!.]*/{fetching.PLAN}")):
        began = date.fromisoformat(store.read_json(plan)["day"])
        if today - began <= timedelta(days=fetching.STALE_DAYS):
            continue
        code = plan.parent.name.removesuffix(fetching.CHOSEN)
        try:
            if code not in locked:
                held.enter_context(store.locked(plan.parent.with_name(f"{code}.lock"), "A fetch is under way"))
        except DataError:
            continue
        locked.add(code)
        yield Going(plan.parent, _size(plan.parent), f"a download of {began} that was not finished")


def _replaced_years(data: Path) -> Iterator[Going]:
    """Snapshots of PubMed whose every file is of a year before the last ones that have a whole baseline."""
    held = [s for s in snapshots.listed(data) if s.source == "pubmed"]
    whole = sorted({year for s in held if s.baseline and s.scope == "full" for year in _years(s) if year})
    for snapshot in held if len(whole) > KEPT_YEARS else ():
        years = _years(snapshot)
        if all(year is not None and year < whole[-KEPT_YEARS] for year in years):
            said = ", ".join(f"20{year:02d}" for year in sorted(filter(None, years)))
            yield Going(snapshot.folder, _size(snapshot.folder), f"PubMed's files of {said}, long replaced", True)
            read = data / "staging" / snapshot.source / snapshot.id
            if read.exists():
                yield Going(read, _size(read), f"read from PubMed's files of {said}", True)


def _leaves_a_gap(snapshot: Snapshot) -> bool:
    """Whether increments of a register are asked for, or its listings believed, as if this snapshot were held. The
    histories of single records are fetched beside all that."""
    source = contracts().sources[snapshot.source]
    names = [payload.name for payload in snapshot.payloads]
    is_in_chain = snapshot.scope == "full" or bool(snapshot.fetched) or any(map(staging.is_listing, names))
    is_beside_it = all(name.endswith(snapshots.HISTORY) for name in names)
    return is_in_chain and not is_beside_it and bool(source.fetch) and source.registry is not None


def _named(data: Path, name: str) -> Snapshot:
    for snapshot in snapshots.listed(data):
        if f"{snapshot.source}/{snapshot.id}" == name:
            return snapshot
    raise UsageError(f"There is no snapshot {name!r} in {data / 'raw'}: say <source>/<id>, as its folder is named.")


def _wrong(data: Path, snapshot: Snapshot) -> Iterator[Going]:
    """A snapshot that brought wrong data, and what was read of it."""
    why = "a snapshot that is given up; build again without it"
    if _leaves_a_gap(snapshot):
        why += f". {GAP.format(source=snapshot.source)}"
    yield Going(snapshot.folder, _size(snapshot.folder), why)
    read = data / "staging" / snapshot.source / snapshot.id
    if read.exists():
        yield Going(read, _size(read), "read from a snapshot that is given up")


def _years(snapshot: Snapshot) -> set[int | None]:
    """The years of its files; None for a file that is of none, as a download of single articles."""
    numbers: Sequence[tuple[int, int] | None] = [
        staging.module(snapshot.source).file_number(p.name) for p in snapshot.payloads if not staging.is_side_file(p)
    ]
    return {number[0] if number else None for number in numbers}


def _size(path: Path) -> int:
    """The bytes that go with it: those of a file that has another name elsewhere stay."""
    files = [path] if path.is_file() else [Path(top) / name for top, _, names in os.walk(path) for name in names]
    return sum(found.st_size for found in (file.lstat() for file in files) if found.st_nlink == 1)


def _remove(path: Path) -> None:
    """Takes it out of sight in one step, so that a killed run leaves nothing half there that looks whole."""
    if path.is_dir() and not path.name.startswith("."):
        aside = path.with_name(f".{path.name}.going{store.PART}")
        path = path.rename(aside)
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
