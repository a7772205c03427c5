"""The data folder as this machine's working copy of a store (`ALLTRIALS_STORE`), which may be lost at any time.

What the store holds is said by `current.json`, written last and under a condition, and by the index that it names;
nothing is ever listed there. All else has a name that never means another content, so that what is here is never stale:

    current.json                              the pointer: index, warehouse, latest release
    index/<sha256>.json                       what there is, with hashes
    raw/<source>/<snapshot>/                  payloads as here
    staging/<source>/<snapshot>/<payload>/<account>/   as here, by the hash of the account of its reading
    parts/<sha256>                            manifests and checksums of payloads, and what grows or changes, in parts:
                                              the ledger, what points to releases
    builds/<build>.<hash>/  releases/<date>.<hash>/  releases/run/<date>.<hash>/
                                              as here, and `files.json`, by whose hash it is

Belongs here: what is kept, in which order it goes there, what is brought back. How a file goes or comes: `locations`.
"""

import contextlib
import json
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

from pipelines import attempts, locations, snapshots, staging, store
from pipelines.errors import DataError, UsageError
from pipelines.locations import Held, Location
from pipelines.release import shelf
from pipelines.settings import Settings
from pipelines.snapshots import Snapshot
from pipelines.staging import Task

Say = Callable[[str], None]
POINTER = "current.json"
FILES = "files.json"
"""What a build's or a release's folder holds, with sizes and hashes; in the store alone, written there last."""
MARKS = ("manifest.json", "run.json")
"""The file of a build's or a release's folder that says whether it is this one."""
REPORT = "report.json"
BASE = ".store.json"
"""In the data folder: the pointer of which this is the working copy."""
AT_ONCE = 8
"""Files that are under way at the same time."""


@dataclass(frozen=True)
class Index:
    """What the store holds.

    snapshots: hash of its manifest, by source and id. staged: hash of the account and reader, by source, snapshot and
    payload. parts: hash and bytes of the parts of a file that grows or changes, by its path in the data folder.
    folders: hash of the list of files, by path. gone: the generation in which a person gave a path up by `prune`; what
    lies there in a working copy of that generation, or of a later one, came anew. warehouse: the build that is the
    warehouse. generation: how many indexes there were.
    """

    generation: int = 0
    snapshots: Mapping[str, str] = field(default_factory=dict)
    staged: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    parts: Mapping[str, Sequence[tuple[str, int]]] = field(default_factory=dict)
    folders: Mapping[str, str] = field(default_factory=dict)
    gone: Mapping[str, int] = field(default_factory=dict)
    warehouse: str = ""


@contextlib.contextmanager
def kept(settings: Settings, say: Say) -> Iterator[None]:
    """Brings what the store has before the block and sends what is new after it, also where the block's work failed:
    what was fetched is kept, whatever it failed of. Does nothing where the settings name no store. Raises what `bring`
    and `send` raise."""
    bring(settings, say)
    try:
        yield
    except Exception:
        send_after_failure(settings, say)
        raise
    send(settings, say)


def send_after_failure(settings: Settings, say: Say) -> None:
    """Sends what is there although the work failed; that this failed too is only said, since the first error counts."""
    try:
        send(settings, say)
    except (DataError, UsageError, OSError) as error:
        say(f"what was done so far could not be sent to the store: {error}")


# --- from the store -------------------------------------------------------------------------------------------------


def bring(settings: Settings, say: Say) -> bool:
    """Makes the data folder a working copy of the store: the archive's manifests, what was read of it by the present
    readers, ledger, warehouse and releases. Payloads come when a reader needs them (`bring_payloads`).

    What is here and not there stays, and is sent next time; but where another machine wrote, its ledger counts, and
    what was built here and never sent goes. Gives whether the store holds anything. Raises DataError where the store
    cannot be read, UsageError where the data folder has a history of its own.
    """
    if not settings.store:
        return False
    root = locations.at(settings.store)
    with store.only_writer(settings.data):
        store.sweep(settings.data)
        held = locations.read(root / POINTER)
        if held is None and _base(settings, held):
            raise DataError(
                f"{root} holds no {POINTER} any more, and this data folder is a copy of it: look whether the store is "
                f"all there; to begin a new one, remove {settings.data / BASE}."
            )
        while held:
            try:
                _bring(settings, root, held, say)
                return True
            except DataError:  # what the pointer named may have gone, since another machine wrote a newer one
                again = locations.read(root / POINTER)
                if again is None or again == held:
                    raise
                held = again
    return False


def _bring(settings: Settings, root: Location, held: Held, say: Say) -> None:
    base, data = _base(settings, held), settings.data
    is_news = base != held.sha256
    index = _index(root, held)
    if is_news:
        say(f"bringing what is new in {root}")
        if not base:
            _check_history(data, root, index)
    # What points somewhere comes after what it points to, and what it pointed to before goes last: a reader of the data
    # folder finds either at any moment, and where the store falls silent in between.
    _bring_archive(data, root, index)
    _bring_staged(data, root, index)
    _bring_folders(data, root, index, is_news=is_news)
    _bring_parts(data, root, index, is_news=is_news, say=say)
    if index.warehouse and (is_news or not (data / "warehouse").exists()):
        store.switch(data / "warehouse", data / "builds" / index.warehouse)
    if is_news:
        known = _known_generation(settings) if base else -1
        _remove(data, (name for name, generation in index.gone.items() if generation > known))
        if base:
            _remove_unsent(data, index, say)
    if not (data / "warehouse").exists():
        (data / "warehouse").unlink(missing_ok=True)  # to a build that was removed
    _set_base(settings, held.sha256, index.generation)


def builds_elsewhere(settings: Settings, keep: int) -> list[Path]:
    """Where builds would lie that only the store has, but for the newest so many: what `prune` finds beside those that
    are here."""
    if not settings.store:
        return []
    root = locations.at(settings.store)
    index = _index(root, locations.read(root / POINTER))
    found = sorted(name for name in index.folders if name.startswith("builds/") and name != f"builds/{index.warehouse}")
    return [settings.data / name for name in found[: max(len(found) - keep, 0)] if not (settings.data / name).exists()]


def bring_payloads(settings: Settings, tasks: Sequence[Task]) -> None:
    """Brings the payloads that are to be read and are not here. Raises DataError where one cannot be had."""
    missing = [task for task in tasks if not task.payload.exists()] if settings.store else []
    root = locations.at(settings.store)
    _each(missing, lambda task: _get(root / _raw(settings.data, task.payload, task.sha256), task.payload, task.sha256))


def send_payload(settings: Settings, task: Task) -> Location:
    """Where the store holds a payload; it is sent there first where it is only here."""
    place = locations.at(settings.store) / _raw(settings.data, task.payload, task.sha256)
    if task.payload.exists():
        locations.put(task.payload, place)
    return place


def bring_payload(place: Location, task: Task) -> None:
    """Brings a payload to where the task says that it lies. Raises DataError where it cannot be had."""
    _get(place, task.payload, task.sha256, task.bytes)


def _base(settings: Settings, held: Held | None) -> str:
    """The hash of the pointer of which the data folder is a working copy; empty where it is none of this store, which
    may have been copied from another place."""
    path = settings.data / BASE
    spec = store.read_json(path) if path.exists() else {"store": None, "pointer": ""}
    is_of_this = spec["store"] == str(locations.at(settings.store)) or (held and held.sha256 == spec["pointer"])
    return str(spec["pointer"]) if is_of_this else ""


def _known_generation(settings: Settings) -> int:
    """The generation of the store of which the data folder is a working copy; -1 where an older program noted none."""
    return int(store.read_json(settings.data / BASE).get("generation", -1))


def _set_base(settings: Settings, pointer: str, generation: int) -> None:
    path = settings.data / BASE
    spec = {"store": str(locations.at(settings.store)), "pointer": pointer, "generation": generation}
    if not path.exists() or store.read_json(path) != spec:  # on a full disk the next may be `prune`, which makes room
        store.write_json(path, spec)


def _index(root: Location, held: Held | None) -> Index:
    """The index that a pointer names. Raises DataError where it cannot be had."""
    if held is None:
        return Index()
    try:
        name = json.loads(held.content)["index"]
        spec = _object(root / "index" / f"{name}.json", name)
    except (ValueError, KeyError, TypeError):
        raise DataError(f"{root / POINTER} is no pointer of ours: look whether the address is the right one.") from None
    return Index(
        **{name: spec[name] for name in ("generation", "snapshots", "folders", "warehouse")},
        gone=dict(spec["gone"]) if isinstance(spec["gone"], dict) else dict.fromkeys(spec["gone"], 0),  # a list before
        staged={name: (account, reader) for name, (account, reader) in spec["staged"].items()},
        parts={name: [(part, size) for part, size in parts] for name, parts in spec["parts"].items()},
    )


def _object(place: Location, sha: str) -> Any:
    """The JSON of a small file of that hash."""
    held = locations.read(place)
    if held is None or sha256(held.content).hexdigest() != sha:
        raise DataError(f"{place} is missing or not what was sent there: put it back from a copy of the store.")
    return json.loads(held.content)


def _get(place: Location, path: Path, sha: str, size: int | None = None) -> None:
    """Brings a file that the store is said to hold. Raises DataError where it lacks it."""
    try:
        locations.get(place, path, sha, size)
    except FileNotFoundError:
        raise DataError(f"{place} is missing: put it back from a copy of the store.") from None


def _raw(data: Path, path: Path, sha: str) -> str:
    """Where a payload lies in the store. A checksum file is no part of what gives a snapshot its name, so that two
    machines can hold different ones."""
    is_side = path.name.endswith(snapshots.SIDE_FILE)
    return f"parts/{sha}" if is_side else path.relative_to(data).as_posix()


def _folder(root: Location, name: str, listed: str) -> Location:
    """Where a build or a release lies: two machines can have made the same one with other times in it."""
    return root / f"{name}.{listed[:10]}"


def _each(wanted: Iterable[Any], work: Callable[[Any], object]) -> None:
    """Does some at the same time. The first error ends it, once what is under way is done."""
    with ThreadPoolExecutor(AT_ONCE) as threads:
        running = [threads.submit(work, one) for one in wanted]
        try:
            for one in running:
                one.result()
        finally:
            threads.shutdown(cancel_futures=True)


def _bring_archive(data: Path, root: Location, index: Index) -> None:
    """Manifests, and the small payloads that fetching looks at again: checksums and listings."""

    def bring_small(name: str) -> None:
        manifest, sha = data / "raw" / name / snapshots.MANIFEST, index.snapshots[name]
        if not manifest.exists() or snapshots.sha256_of(manifest) != sha:  # the same files, fetched at another time
            _get(root / "parts" / sha, manifest, sha)
        snapshot = snapshots.opened(manifest)
        for payload in snapshot.payloads:
            path = snapshot.path(payload)
            if (staging.is_side_file(payload) or staging.is_listing(payload.name)) and not path.exists():
                _get(root / _raw(data, path, payload.sha256), path, payload.sha256)

    _each(sorted(index.snapshots), bring_small)


def _bring_staged(data: Path, root: Location, index: Index) -> None:
    """What the present readers made of payloads; what others made of them would be read again in any case."""
    versions = {source: staging.reader_version(source) for source in {name.split("/")[0] for name in index.staged}}

    def one(name: str) -> None:
        account, reader = index.staged[name]
        folder = data / "staging" / name
        if reader != versions[name.split("/")[0]] or _reader_of(folder) == reader:
            return
        bring_reading(root, name, account, folder)

    _each(sorted(index.staged), one)


def bring_reading(root: Location, name: str, account: str, folder: Path) -> None:
    """Brings what was read from a payload (its source, snapshot and name). Raises DataError where it cannot be had."""
    place = _staged_place(root, name, account)
    with store.whole_folder(folder) as aside:
        _get(place / REPORT, aside / REPORT, account)
        for file, (size, sha) in store.read_json(aside / REPORT)["files"].items():
            _get(place / file, aside / file, sha, size)


def _staged_place(root: Location, name: str, account: str) -> Location:
    return root / "staging" / name / account[:16]


def _reader_of(folder: Path) -> str:
    path = folder / REPORT
    return str(store.read_json(path)["reader"]) if path.exists() else ""


def _bring_folders(data: Path, root: Location, index: Index, *, is_news: bool) -> None:
    """The warehouse's build, and all releases: sending them to the public removes there what is not here."""
    for name in sorted(index.folders):
        if name.startswith(f"{shelf.FOLDER}/") or name == f"builds/{index.warehouse}":
            is_here = any((data / name / file).exists() for file in MARKS)
            if is_news or not is_here:
                _bring_folder(data, root, name, index.folders[name], is_here=is_here)


def _bring_folder(data: Path, root: Location, name: str, listed: str, *, is_here: bool) -> None:
    """One that is here stays, unless its mark shows that it is another one of the same name: of two machines that
    released the same day, one was first."""
    place = _folder(root, name, listed)
    files = _object(place / FILES, listed)
    mark = next(file for file in MARKS if file in files)
    if is_here and snapshots.sha256_of(data / name / mark) == files[mark][1]:
        return
    with store.whole_folder(data / name) as aside:
        _each(files, lambda file: _get(place / file, aside / file, files[file][1], files[file][0]))


def _remove_unsent(data: Path, index: Index, say: Say) -> None:
    """Builds and releases that were never sent when another machine wrote: their ids are of a ledger that does not
    count."""
    unsent = [name for name in _folders(data) if name not in index.folders]
    for name in unsent:
        say(f"{name} was never sent, and another machine wrote meanwhile: it is removed here")
    _remove(data, unsent)


def _remove(data: Path, names: Iterable[str]) -> None:
    for name in names:
        if (data / name).exists():
            aside = (data / name).with_name(f".{Path(name).name}.going{store.PART}")
            shutil.rmtree((data / name).rename(aside))


# --- what grows or changes ------------------------------------------------------------------------------------------


def _growing(data: Path) -> dict[str, Path]:
    """The files that grow or change, by their path: the ledger, and what points to releases."""
    found = [p for p in (data / "ledger").rglob("*") if p.is_file() and p.suffix not in (".lock", store.PART)]
    found += [p for p in (data / shelf.FOLDER / shelf.LATEST, data / shelf.FOLDER / shelf.INDEX) if p.exists()]
    return {path.relative_to(data).as_posix(): path for path in sorted(found)}


def _check_history(data: Path, root: Location, index: Index) -> None:
    """Of a data folder that was no copy of the store: raises UsageError where its ledger is not the store's."""
    for name, path in _growing(data).items():
        known = index.parts.get(name, ())
        if name.startswith("ledger/") and path != data / attempts.FILE and _same(path.read_bytes(), known) is None:
            raise UsageError(f"{path} is not the ledger of {root}: set ALLTRIALS_STORE to an empty place, or --data to "
                             "an empty data folder.")  # fmt: skip


def _same(content: bytes, parts: Sequence[tuple[str, int]]) -> int | None:
    """How many of the parts the content is made of; None where it is not made of the first ones."""
    start = 0
    for number, (sha, size) in enumerate(parts):
        if start == len(content):
            return number
        if sha256(content[start : start + size]).hexdigest() != sha:
            return None
        start += size
    return len(parts) if start == len(content) else None


def _begins_with(content: bytes, parts: Sequence[tuple[str, int]]) -> bool:
    """Whether the content is made of all the parts, and perhaps of what was added since."""
    length = sum(size for _, size in parts)
    return len(content) >= length and _same(content[:length], parts) is not None


def _bring_parts(data: Path, root: Location, index: Index, *, is_news: bool, say: Say) -> None:
    here = _growing(data)
    for name, parts in index.parts.items():
        before = here[name].read_bytes() if name in here else b""
        if not is_news and name in here and (_begins_with(before, parts) or not name.startswith("ledger/")):
            continue  # it may have grown, by a run that was killed before it sent anything
        content = _content(root, before, parts)
        if name == attempts.FILE.as_posix():
            content = attempts.merged(content, before)
        elif not is_news and name in here:
            say(f"{name}: it lacks what was sent of it; the store's takes its place")
        elif not content.startswith(before) and name.startswith("ledger/"):
            say(f"{name}: the store's takes the place of what was added here and never sent")
        if content != before:
            with store.whole(data / name) as aside:
                aside.write_bytes(content)
    for name in sorted(here.keys() - index.parts.keys()) if is_news else ():
        if name.startswith("ledger/status/"):
            say(f"{name} was never sent, and another machine wrote meanwhile: it is removed here")
            here[name].unlink()


def _content(root: Location, before: bytes, parts: Sequence[tuple[str, int]]) -> bytes:
    """A file of the store: parts that are here already are not brought again."""
    whole, start = [], 0
    for sha, size in parts:
        part = before[start : start + size]
        if sha256(part).hexdigest() != sha:
            held = locations.read(root / "parts" / sha)
            if held is None or sha256(held.content).hexdigest() != sha:
                raise DataError(f"{root / 'parts' / sha} is missing or not what was sent there: put it back.")
            part = held.content
        whole.append(part)
        start += size
    return b"".join(whole)


# --- to the store ---------------------------------------------------------------------------------------------------


def send(settings: Settings, say: Say, gone: Iterable[Path] = ()) -> None:
    """Sends what the store lacks, data first and the pointer last. gone: what a person gave up, to be removed there too
    once nothing points to it.

    Raises DataError where another machine wrote since `bring`, and then changes nothing that anybody is pointed to; the
    same where the store cannot be written to.
    """
    if not settings.store:
        return
    root = locations.at(settings.store)
    with store.only_writer(settings.data):
        held = locations.read(root / POINTER)
        if (held.sha256 if held else "") != _base(settings, held):
            raise DataError(f"{root}: another machine wrote to the store meanwhile; nothing of it was overwritten. Run "
                            "it again.")  # fmt: skip
        before = _index(root, held)
        now = _sent(settings.data, root, before, {p.relative_to(settings.data).as_posix() for p in gone}, say)
        if now != before:
            _point(settings, root, held, replace(now, generation=before.generation + 1), say)
            _remove_from(root, before, now)


def _sent(data: Path, root: Location, before: Index, gone: set[str], say: Say) -> Index:
    """Sends what is new; returns what there then is."""
    here = snapshots.listed(data)
    new = [s for s in here if f"{s.source}/{s.id}" not in before.snapshots]
    archive = {**before.snapshots, **_send_archive(data, root, new, say)}
    held = {*before.folders, *(f"raw/{name}" for name in before.snapshots)}
    folders = {name: before.folders[name] for name in before.folders if name not in gone}
    folders |= _send_folders(data, root, [name for name in _folders(data) if name not in before.folders], say)
    new_gone = dict.fromkeys(gone & held, before.generation + 1)
    is_here = {*folders, *(f"raw/{s.source}/{s.id}" for s in here)}
    return Index(
        generation=before.generation,
        snapshots={name: sha for name, sha in archive.items() if f"raw/{name}" not in gone},
        staged=_staged(data, root, here, before, gone, say),
        parts=_send_parts(data, root, before),
        folders=folders,
        gone={name: number for name, number in {**before.gone, **new_gone}.items() if name not in is_here},
        warehouse=(data / "warehouse").resolve().name if (data / "warehouse").exists() else before.warehouse,
    )


def _send_archive(data: Path, root: Location, new: Sequence[Snapshot], say: Say) -> dict[str, str]:
    """Sends snapshots, each manifest after its payloads. Raises UsageError where a payload is not here: then it was
    brought from another store, which has it."""
    files = [(snapshot.path(payload), payload.sha256) for snapshot in new for payload in snapshot.payloads]
    if absent := [path for path, _ in files if not path.exists()]:
        raise UsageError(f"{absent[0]} is neither here nor in {root}: first copy the store that has it to that place.")
    if new:
        say(f"sending {len(new):,} snapshot(s)")
    _each(files, lambda file: locations.put(file[0], root / _raw(data, *file)))
    manifests = {f"{s.source}/{s.id}": (s.folder / snapshots.MANIFEST).read_bytes() for s in new}
    return {name: _put_part(root, content) for name, content in manifests.items()}


def _staged(
    data: Path, root: Location, here: Sequence[Snapshot], before: Index, gone: set[str], say: Say
) -> dict[str, tuple[str, str]]:
    """Sends what the present readers made of payloads, each with its account last."""
    versions = {source: staging.reader_version(source) for source in {s.source for s in here}}
    found: dict[str, tuple[str, str]] = {}
    for shot in here:
        for payload in shot.payloads:
            name = f"{shot.source}/{shot.id}/{payload.name}"
            report = data / "staging" / name / REPORT
            if report.exists() and _reader_of(report.parent) == versions[shot.source]:
                found[name] = (snapshots.sha256_of(report), versions[shot.source])
    new = [name for name, one in found.items() if before.staged.get(name) != one]
    if new:
        say(f"sending what was read from {len(new):,} file(s)")
    _each(new, lambda name: send_reading(root, name, data / "staging" / name))
    kept = {name: one for name, one in before.staged.items() if not _is_in(name, gone)}
    return kept | found


def _is_in(name: str, gone: set[str]) -> bool:
    source, snapshot, _ = name.split("/", 2)
    return bool({f"staging/{name}", f"staging/{source}/{snapshot}", f"raw/{source}/{snapshot}"} & gone)


def send_reading(root: Location, name: str, folder: Path) -> str:
    """Sends what was read from a payload (its source, snapshot and name); returns the hash of its account, which goes
    last and by which it is found."""
    account = snapshots.sha256_of(folder / REPORT)
    place = _staged_place(root, name, account)
    for file in store.read_json(folder / REPORT)["files"]:
        locations.put(folder / file, place / file)
    locations.put(folder / REPORT, place / REPORT)
    return account


def _folders(data: Path) -> list[str]:
    """Complete builds and releases, and what is about the making of these."""
    found = [p.parent for p in (data / "builds").glob("[!.]*/manifest.json")]
    for release in shelf.listed(data):
        run = release.folder.parent / shelf.RUN / release.name
        found += [release.folder, *([run] if run.exists() else [])]
    return [path.relative_to(data).as_posix() for path in sorted(found)]


def _send_folders(data: Path, root: Location, names: Sequence[str], say: Say) -> dict[str, str]:
    sent = {}
    for name in names:
        say(f"sending {name}")
        paths = {p.relative_to(data / name).as_posix(): p for p in sorted((data / name).rglob("*")) if p.is_file()}
        files = _json({file: (path.stat().st_size, snapshots.sha256_of(path)) for file, path in paths.items()})
        sent[name] = sha256(files).hexdigest()
        place = _folder(root, name, sent[name])
        _each(paths.items(), partial(_send_file, place))
        locations.put_bytes(files, place / FILES)
    return sent


def _send_file(place: Location, file: tuple[str, Path]) -> None:
    locations.put(file[1], place / file[0])


def _send_parts(data: Path, root: Location, before: Index) -> dict[str, Sequence[tuple[str, int]]]:
    """Sends of what grows, the ledger, only what was added since, and of what changes, the pointers to releases, all of
    it. Raises DataError where the ledger is not the store's with more after it."""
    found: dict[str, Sequence[tuple[str, int]]] = dict(before.parts)
    for name, path in _growing(data).items():
        content, known = path.read_bytes(), before.parts.get(name, ())
        start = sum(size for _, size in known)
        if not _begins_with(content, known):
            if name.startswith("ledger/"):
                raise DataError(
                    f"{path} lacks what {root} has of it, where nothing was changed: run `store bring`, which puts it "
                    "back, then run it again."
                )
            known, start = (), 0
        if content[start:] or not known:
            known = [*known, (_put_part(root, content[start:]), len(content) - start)]
        found[name] = known
    return found


def _json(value: object) -> bytes:
    return (json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()


def _put_part(root: Location, content: bytes) -> str:
    """Sends what is named by its hash; returns that."""
    sha = sha256(content).hexdigest()
    locations.put_bytes(content, root / "parts" / sha)
    return sha


def _point(settings: Settings, root: Location, held: Held | None, now: Index, say: Say) -> None:
    """Writes the index, then the pointer. The index before the last one goes: whoever read its pointer is done."""
    content = _json(asdict(now))
    name = sha256(content).hexdigest()
    locations.put_bytes(content, root / "index" / f"{name}.json")
    earlier = json.loads(held.content) if held else {}
    latest = shelf.latest(settings.data)
    manifest = settings.data / "builds" / now.warehouse / "manifest.json"
    pointer = _json({
        "generation": now.generation,
        "index": name,
        "index_before": earlier.get("index"),
        "warehouse": _pointed(now, f"builds/{now.warehouse}"),
        "manifest_sha256": snapshots.sha256_of(manifest) if now.warehouse else None,
        "release": _pointed(now, f"{shelf.FOLDER}/{latest}"),
    })  # fmt: skip
    if not locations.write_if(root / POINTER, pointer, held):
        say(f"{root} cannot write under a condition: let one machine at a time write to it")
    _set_base(settings, sha256(pointer).hexdigest(), now.generation)
    if earlier.get("index_before"):
        locations.remove(root / "index" / f"{earlier['index_before']}.json")


def _pointed(now: Index, name: str) -> str | None:
    """The folder in the store to which readers are pointed."""
    return _folder(Location(""), name, now.folders[name]).address.lstrip("/") if name in now.folders else None


def _remove_from(root: Location, before: Index, now: Index) -> None:
    """Removes what nothing points to any more: first what says that the rest is there."""
    for name in before.folders.keys() - now.folders.keys():
        place = _folder(root, name, before.folders[name])
        files = _object(place / FILES, before.folders[name])
        _remove_files(place, [FILES, *files])
    for name in before.snapshots.keys() - now.snapshots.keys():
        payloads = _object(root / "parts" / before.snapshots[name], before.snapshots[name])["payloads"]
        _remove_files(root / "raw" / name, [payload["name"] for payload in payloads])
    for name, (account, _) in before.staged.items():
        if now.staged.get(name, ("",))[0] != account:
            place = _staged_place(root, name, account)
            _remove_files(place, [REPORT, *_object(place / REPORT, account)["files"]])


def _remove_files(place: Location, names: Iterable[str]) -> None:
    _each(names, lambda name: locations.remove(place / name))
