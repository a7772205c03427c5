"""The raw archive: what a source served at one time, byte for byte, written once and never changed.

`data/raw/<source>/<date>-<short hash>/` holds the payload files and `manifest.json`. The hash covers source, date,
scope and the content of the files, so the same import is the same snapshot. What a person takes out of it leaves its
name in `data/ledger/given_up/`. Nothing here interprets a payload.
"""

import hashlib
import os
import shutil
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from pipelines import privacy, store
from pipelines.errors import UsageError

MANIFEST = "manifest.json"
GIVEN_UP = Path("ledger") / "given_up"
LONGEST_NAME = 200
"""Bytes; file systems end at 255, and staging adds to the name."""
SIDE_FILE = ".md5"
"""How the checksum that came with a file is named."""
LISTING = ".listing.gz"
"""How a file is named that lists all numbers of a source and says nothing else of them."""
HISTORY = ".history.zip"
"""How a file is named that holds every version of one record, as it is fetched for that record alone."""


@dataclass(frozen=True)
class Payload:
    """One file of a snapshot: its name (unique within the snapshot), size and sha256; where it was fetched, from where
    and when."""

    name: str
    bytes: int
    sha256: str
    url: str = ""
    retrieved_at: str = ""


@dataclass(frozen=True)
class Snapshot:
    """What one source served at one date.

    scope: `full` (what it lacks is gone) or `partial` (it only adds and updates).
    baseline: the files are those of a yearly PubMed baseline.
    fetched: what the source said of a snapshot that was fetched (its own data version and total) and how many records
    came; empty for an import, but of what was fetched, given up and is imported again.
    """

    id: str
    source: str
    date: date
    scope: str
    baseline: bool
    payloads: tuple[Payload, ...]
    folder: Path
    fetched: Mapping[str, Any] = field(default_factory=dict)

    def path(self, payload: Payload) -> Path:
        return self.folder / payload.name

    @property
    def sha256(self) -> str:
        """Hash over the content of all payloads, whatever their order."""
        return _content_hash(self.payloads)


def sentence(snapshot: Snapshot) -> str:
    """A snapshot in few words, for a person."""
    size = sum(p.bytes for p in snapshot.payloads)
    return f"{snapshot.source} {snapshot.id} ({len(snapshot.payloads)} file(s), {size:,} bytes, {snapshot.scope})"


def sha256_of(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def _content_hash(payloads: Sequence[Payload]) -> str:
    """Over the bytes alone: a file that is renamed, or whose checksum file comes along later, is the same content."""
    lines = sorted(p.sha256 for p in payloads if not p.name.endswith(SIDE_FILE))
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def store_files(
    data: Path,
    source: str,
    day: date,
    files: Sequence[Path],
    *,
    scope: str = "partial",
    baseline: bool = False,
    fetched: Mapping[str, Any] | None = None,
    origins: Mapping[str, tuple[str, str]] | None = None,
) -> tuple[Snapshot, bool]:
    """Takes files into the archive as one snapshot; returns it and whether it is new.

    fetched: see `Snapshot`; such files are ours and are taken over without a copy where the file system can. origins:
    by name, from where and when each was fetched.
    Raises UsageError where a file is missing or two have the same name.
    """
    names = [f.name for f in files]
    _check_names(names)
    for file in files:
        if not file.is_file():
            raise UsageError(f"{file}: there is no such file.")
    files = sorted(files, key=lambda f: f.name)
    states = [_state(f) for f in files]
    with ThreadPoolExecutor() as threads:  # whoever takes in a whole baseline waits for little else
        sums = list(threads.map(sha256_of, files))
    known = origins or {}
    payloads = tuple(
        Payload(f.name, f.stat().st_size, sha256, *known.get(f.name, ())) for f, sha256 in zip(files, sums, strict=True)
    )
    identity = f"{source}\n{day}\n{scope}\n{baseline}\n{_content_hash(payloads)}"
    identifier = f"{day}-{hashlib.sha256(identity.encode()).hexdigest()[:10]}"
    folder = data / "raw" / source / identifier
    said = _said_before(data, source, identifier) if fetched is None else fetched
    snapshot = Snapshot(identifier, source, day, scope, baseline, payloads, folder, said)
    if (folder / MANIFEST).exists():
        return opened(folder / MANIFEST), False

    def take(file: Path, state: tuple[int, int, int]) -> None:
        place = aside / file.name
        _take(file, place, is_ours=fetched is not None)
        if (_state(file), place.stat().st_size) != (state, state[0]):
            raise UsageError(f"{file}: the file changed while it was copied; import it again when it is complete.")
        place.chmod(0o444)

    with store.whole_folder(folder) as aside, ThreadPoolExecutor() as threads:
        list(threads.map(take, files, states))
        store.write_json(aside / MANIFEST, _manifest(snapshot))
    return snapshot, True


def _state(file: Path) -> tuple[int, int, int]:
    """What differs once a file has been written to."""
    found = file.stat()
    return found.st_size, found.st_mtime_ns, found.st_ino


def _take(file: Path, place: Path, *, is_ours: bool) -> None:
    """A copy, or a second name for a file that nobody else writes to: what was fetched can be as large as the disk."""
    if is_ours:
        try:
            os.link(file, place)
            return
        except OSError:
            pass  # another file system, or one that knows no links
    shutil.copyfile(file, place)
    store.on_disk(place)


def _check_names(names: Sequence[str]) -> None:
    """Raises UsageError for names that cannot stand in the archive or in a published table."""
    for name in names:
        if name == MANIFEST or name.startswith("."):
            raise UsageError(f"{name}: the archive has a use of its own for that name; rename the file first.")
        if len(name.encode()) > LONGEST_NAME:
            raise UsageError(f"{name[:40]}...: the name is longer than {LONGEST_NAME} bytes: rename the file first.")
        if privacy.without_mail(name) != name:
            raise UsageError("A file has a name like an e-mail address, which would be published: rename it first.")
        if names.count(name) > 1:
            raise UsageError(f"Two of the files have the name {name}: import them apart.")


def _manifest(snapshot: Snapshot) -> dict[str, Any]:
    return {
        "source": snapshot.source,
        "snapshot": snapshot.id,
        "date": snapshot.date.isoformat(),
        "scope": snapshot.scope,
        "baseline": snapshot.baseline,
        "payloads": [{key: value for key, value in asdict(p).items() if value != ""} for p in snapshot.payloads],
    } | ({"fetched": dict(snapshot.fetched)} if snapshot.fetched else {})


def listed(data: Path, as_of: date | None = None) -> list[Snapshot]:
    """All snapshots up to `as_of`, by source, date and id: an order that does not depend on when they were imported."""
    found = [opened(p) for p in (data / "raw").glob(f"*/[!.]*/{MANIFEST}")]
    return sorted((s for s in found if as_of is None or s.date <= as_of), key=lambda s: (s.source, s.date, s.id))


def opened(manifest: Path) -> Snapshot:
    """The snapshot of which this is the manifest; its payloads need not be here."""
    spec = store.read_json(manifest)
    return Snapshot(
        id=spec["snapshot"],
        source=spec["source"],
        date=date.fromisoformat(spec["date"]),
        scope=spec["scope"],
        baseline=spec["baseline"],
        payloads=tuple(Payload(**p) for p in spec["payloads"]),
        folder=manifest.parent,
        fetched=spec.get("fetched", {}),
    )


# --- what was given up ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class GivenUp:
    """A snapshot that a person took out of the archive: from its date on, the chain of the source's increments has a
    gap for every record that was not read since."""

    source: str
    id: str
    date: date


def give_up(data: Path, snapshot: Snapshot) -> None:
    """Notes that a snapshot is taken out of the archive. It counts once the snapshot is gone."""
    path = _given_up_file(data, snapshot.source, snapshot.id)
    spec = {"source": snapshot.source, "snapshot": snapshot.id, "date": snapshot.date.isoformat()}
    if not path.exists():  # of one that came back and goes again, nothing else can be said
        store.write_json(path, spec | ({"fetched": dict(snapshot.fetched)} if snapshot.fetched else {}))


def _said_before(data: Path, source: str, identifier: str) -> Mapping[str, Any]:
    """What the source said of a snapshot that was fetched, given up, and is imported again: which records did not come
    with its listing stands nowhere else."""
    path = _given_up_file(data, source, identifier)
    said: Mapping[str, Any] = store.read_json(path).get("fetched", {}) if path.exists() else {}
    return said


def _given_up_file(data: Path, source: str, identifier: str) -> Path:
    return data / GIVEN_UP / f"{source}.{identifier}.json"


def given_up(data: Path, as_of: date = date.max) -> list[GivenUp]:
    """The snapshots up to `as_of` that were given up and are not in the archive again, by source, date and id."""
    specs = [store.read_json(path) for path in (data / GIVEN_UP).glob("[!.]*.json")]
    found = [GivenUp(spec["source"], spec["snapshot"], date.fromisoformat(spec["date"])) for spec in specs]
    gone = [one for one in found if not (data / "raw" / one.source / one.id / MANIFEST).exists()]
    return sorted((one for one in gone if one.date <= as_of), key=lambda one: (one.source, one.date, one.id))


def load_given_up(connection: duckdb.DuckDBPyConnection, data: Path, as_of: date) -> None:
    """Makes the table given_up_snapshots."""
    connection.execute("CREATE TABLE given_up_snapshots (source VARCHAR, snapshot VARCHAR, snapshot_date DATE)")
    store.insert(connection, "given_up_snapshots", [(one.source, one.id, one.date) for one in given_up(data, as_of)])
