"""The raw archive: what a source served at one time, byte for byte, written once and never changed.

`data/raw/<source>/<date>-<short hash>/` holds the payload files and `manifest.json`. The hash covers source, date,
scope and the content of the files, so the same import is the same snapshot. Nothing here interprets a payload.
"""

import hashlib
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

from pipelines import store
from pipelines.errors import UsageError

CHUNK = 1 << 20


@dataclass(frozen=True)
class Payload:
    """One file of a snapshot: its name (unique within the snapshot), size and sha256."""

    name: str
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Snapshot:
    """What one source served at one date.

    scope: `full` (what it lacks is gone) or `partial` (it only adds and updates).
    baseline: the files are those of a yearly PubMed baseline.
    """

    id: str
    source: str
    date: date
    scope: str
    baseline: bool
    payloads: tuple[Payload, ...]
    folder: Path

    def path(self, payload: Payload) -> Path:
        return self.folder / payload.name

    @property
    def sha256(self) -> str:
        """Hash over the content of all payloads, whatever their order."""
        return _content_hash(self.payloads)


def sha256_of(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def _content_hash(payloads: Sequence[Payload]) -> str:
    lines = sorted(f"{p.sha256} {p.name}" for p in payloads)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def store_files(
    data: Path, source: str, day: date, files: Sequence[Path], *, scope: str = "partial", baseline: bool = False
) -> tuple[Snapshot, bool]:
    """Takes files into the archive as one snapshot; returns it and whether it is new.

    Raises UsageError where a file is missing or two have the same name.
    """
    names = [f.name for f in files]
    for file in files:
        if not file.is_file():
            raise UsageError(f"{file}: there is no such file.")
    if len(set(names)) < len(names):
        raise UsageError(f"Two of the files have the same name: import {sorted(names)[0]} and the other one apart.")
    payloads = tuple(Payload(f.name, f.stat().st_size, sha256_of(f)) for f in sorted(files, key=lambda f: f.name))
    identity = f"{source}\n{day}\n{scope}\n{baseline}\n{_content_hash(payloads)}"
    identifier = f"{day}-{hashlib.sha256(identity.encode()).hexdigest()[:10]}"
    folder = data / "raw" / source / identifier
    snapshot = Snapshot(identifier, source, day, scope, baseline, payloads, folder)
    if (folder / "manifest.json").exists():
        return snapshot, False
    with store.whole_folder(folder) as aside:
        for file, payload in zip(sorted(files, key=lambda f: f.name), payloads, strict=True):
            shutil.copyfile(file, aside / file.name)
            if sha256_of(aside / file.name) != payload.sha256:
                raise UsageError(f"{file}: the file changed while it was copied; import it again when it is complete.")
            (aside / file.name).chmod(0o444)
        store.write_json(aside / "manifest.json", _manifest(snapshot))
    return snapshot, True


def _manifest(snapshot: Snapshot) -> dict[str, Any]:
    return {
        "source": snapshot.source,
        "snapshot": snapshot.id,
        "date": snapshot.date.isoformat(),
        "scope": snapshot.scope,
        "baseline": snapshot.baseline,
        "payloads": [asdict(p) for p in snapshot.payloads],
    }


def listed(data: Path, as_of: date | None = None) -> list[Snapshot]:
    """All snapshots up to `as_of`, by source, date and id: an order that does not depend on when they were imported."""
    found = [_read(p) for p in (data / "raw").glob("*/*/manifest.json")]
    return sorted((s for s in found if as_of is None or s.date <= as_of), key=lambda s: (s.source, s.date, s.id))


def _read(manifest: Path) -> Snapshot:
    spec = store.read_json(manifest)
    return Snapshot(
        id=spec["snapshot"],
        source=spec["source"],
        date=date.fromisoformat(spec["date"]),
        scope=spec["scope"],
        baseline=spec["baseline"],
        payloads=tuple(Payload(**p) for p in spec["payloads"]),
        folder=manifest.parent,
    )
