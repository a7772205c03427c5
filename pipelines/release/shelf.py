"""The releases that are there, which of them is the latest, and what stands beside the dated folders.

Belongs here: `releases/<date>/`, `latest.json` and `releases.json`, and the order of releases. Does not: what a release
holds, or how it is made.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from pipelines import snapshots, store
from pipelines.errors import DataError, UsageError

FOLDER = "releases"
RUN, RUN_FILE = "run", "run.json"
"""Beside the dated folders: what is about the run that made a release, and no part of what a release promises."""
LATEST, INDEX = "latest.json", "releases.json"
MANIFEST = "manifest.json"
_NAME = re.compile(r"\d{4}-\d\d-\d\d(-\d+)?")


@dataclass(frozen=True)
class Release:
    """One dated folder. name: the as-of date, with a number from 2 on where the day has several."""

    name: str
    folder: Path
    manifest: dict[str, Any]
    manifest_sha256: str

    @property
    def order(self) -> tuple[date, int]:
        return order(self.name)


def order(name: str) -> tuple[date, int]:
    """By which releases follow one another: the day, then the number of the release among those of the day."""
    return date.fromisoformat(name[:10]), int(name[11:] or 1)


def listed(data: Path) -> list[Release]:
    """All releases in their order."""
    folders = [p.parent for p in (data / FOLDER).glob(f"[!.]*/{MANIFEST}") if _NAME.fullmatch(p.parent.name)]
    return [opened(folder) for folder in sorted(folders, key=lambda folder: order(folder.name))]


def opened(folder: Path) -> Release:
    path = folder / MANIFEST
    return Release(folder.name, folder, store.read_json(path), snapshots.sha256_of(path))


def latest(data: Path) -> str | None:
    """The name in `latest.json`; None before the first release."""
    path = data / FOLDER / LATEST
    return str(store.read_json(path)["release"]) if path.exists() else None


def named(data: Path, name: str) -> Path:
    """The folder of the release of that name, or of the latest one. Raises UsageError where there is none."""
    wanted = latest(data) if name == "latest" else name
    folder = data / FOLDER / (wanted or "")
    if wanted and _NAME.fullmatch(wanted) and (folder / MANIFEST).exists():
        return folder
    there = ", ".join(release.name for release in listed(data)) or "none yet"
    raise UsageError(f"There is no release {name!r} in {data / FOLDER}; there are: {there}.")


def point(data: Path, release: Release) -> None:
    """Makes a release the latest one, in one step: a reader sees the old pointer or the new one."""
    pointer = {
        "release": release.name,
        "as_of": release.manifest["as_of"],
        "manifest": f"{release.name}/{MANIFEST}",
        "manifest_sha256": release.manifest_sha256,
    }
    store.write_json(data / FOLDER / LATEST, pointer)


def known(data: Path) -> dict[str, dict[str, Any]]:
    """What `releases.json` says of each release that was ever there, by name."""
    path = data / FOLDER / INDEX
    return {entry["release"]: entry for entry in store.read_json(path)["releases"]} if path.exists() else {}


def write_index(data: Path, pruned: Collection[str] = ()) -> None:
    """Writes `releases.json`: every release that was ever there, whether it still is, whether a person took it away,
    and which one took its place. pruned: releases that are being taken away; one that is merely not here, as after the
    loss of a disk, is none. Raises DataError where a folder is another release than the one that had its name
    before."""
    entries = known(data)
    there = {release.name: release for release in listed(data)}
    for release in there.values():
        before = entries.get(release.name)
        if before and before["manifest_sha256"] != release.manifest_sha256:
            raise DataError(f"{release.folder} is not the release that {INDEX} names so: remove the folder, or put the "
                            "right one back.")  # fmt: skip
        entries[release.name] = {
            "release": release.name,
            "as_of": release.manifest["as_of"],
            "manifest_sha256": release.manifest_sha256,
            "bytes": sum(file["bytes"] for file in release.manifest["files"]),
        }
    newest = {order(name)[0]: name for name in sorted(entries, key=order)}
    for name, entry in entries.items():
        last = newest[order(name)[0]]
        entry["superseded_by"] = None if last == name else last
        entry["is_there"] = name in there and name not in pruned
        entry["pruned"] = name in pruned or (name not in there and entry.get("pruned", False))
    if entries:
        path = data / FOLDER / INDEX
        store.write_json(path, {"releases": [entries[name] for name in sorted(entries, key=order)]})
