"""Sends releases to where the public downloads them: a folder, or storage that speaks S3. Data first, the pointer last.

Belongs here: the order in which files are sent, so that a reader who follows `latest.json` never finds half a release.
Does not: making a release, or which one is the latest.
"""

import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
from pyarrow import fs

from pipelines import store
from pipelines.errors import DataError, UsageError
from pipelines.release import shelf, verifying
from pipelines.release.package import MEDIA_TYPES
from pipelines.settings import Settings

FOREVER, NEVER = "public, max-age=31536000, immutable", "no-cache"
"""How long a copy on the way may be kept: what is dated never changes, what points to it does."""
BUFFER = 8 << 20


def publish(chosen: Settings, say: Callable[[str], None]) -> None:
    """Sends what the target lacks: what is about a run, then its dated folder, the index, and last the pointer. What a
    person pruned here is removed there; what is merely not here stays there.

    Raises UsageError where there is no target or nothing to send, DataError where the target holds another release
    under the same name, knows releases of which nothing is known here, or cannot be written to.
    """
    if not chosen.releases_to:
        raise UsageError("Nobody said where to: set ALLTRIALS_RELEASES_TO to a folder or to s3://bucket/path.")
    if shelf.latest(chosen.data) is None:
        raise UsageError("There is no release yet: run `release` first.")
    releases = chosen.data / shelf.FOLDER
    try:
        with store.locked(releases / ".publishing.lock", "Another release is being published"):
            files, root = _target(chosen.releases_to)
            _check_known(files, root, chosen.data)
            for one in shelf.listed(chosen.data):
                _send_run(files, root, releases / shelf.RUN / one.name)
                if _send_release(files, root, one):
                    say(f"sent release {one.name}")
            _send(files, releases / shelf.INDEX, f"{root}/{shelf.INDEX}", NEVER)
            _send(files, releases / shelf.LATEST, f"{root}/{shelf.LATEST}", NEVER)
            for entry in store.read_json(releases / shelf.INDEX)["releases"]:
                if entry.get("pruned"):
                    _remove(files, f"{root}/{entry['release']}")
                    _remove(files, f"{root}/{shelf.RUN}/{entry['release']}")
    except (OSError, pa.ArrowException) as error:
        # The address may hold a secret, and such a message may hold the address.
        said = str(error).replace(chosen.releases_to, "the target").splitlines()[0]
        raise DataError(f"The releases could not be sent to ALLTRIALS_RELEASES_TO: {said}") from None


def _target(written: str) -> tuple[fs.FileSystem, str]:
    """The storage and the path in it. Raises UsageError where nothing can be understood."""
    if "://" not in written:
        folder = Path(written).absolute()
        folder.mkdir(parents=True, exist_ok=True)
        return fs.LocalFileSystem(), str(folder)
    try:
        files, root = fs.FileSystem.from_uri(written)
    except (pa.ArrowInvalid, ValueError):
        raise UsageError("ALLTRIALS_RELEASES_TO is a folder or s3://bucket/path, and what is set is neither.") from None
    return files, root.rstrip("/")


def _check_known(files: fs.FileSystem, root: str, data: Path) -> None:
    """Raises DataError where the target's index names releases that ours does not: ours would take them off it, and
    their names could be given away again."""
    place = f"{root}/{shelf.INDEX}"
    if files.get_file_info(place).type != fs.FileType.File:
        return
    with files.open_input_stream(place) as stream:
        there = {entry["release"] for entry in json.loads(stream.read())["releases"]}
    if lost := sorted(there - set(shelf.known(data)), key=shelf.order):
        raise DataError(f"The target knows the release {lost[-1]}, and {data / shelf.FOLDER / shelf.INDEX} does not: "
                        "copy the target's releases.json and latest.json there, then release again.")  # fmt: skip


def _send_release(files: fs.FileSystem, root: str, release: shelf.Release) -> bool:
    """Sends a dated folder unless it is there. Its checksums go last: where they are, all of it is."""
    sums = (release.folder / verifying.SUMS).read_bytes()
    there = f"{root}/{release.name}/{verifying.SUMS}"
    if files.get_file_info(there).type == fs.FileType.File:
        with files.open_input_stream(there) as stream:
            if stream.read() == sums:
                return False
        raise DataError(f"The target holds another release under the name {release.name}: dated folders never change.")
    _send_folder(files, release.folder, f"{root}/{release.name}", last=verifying.SUMS)
    return True


def _send_run(files: fs.FileSystem, root: str, folder: Path) -> None:
    """Sends what is about the run that made a release unless it is there, before the release: once that is there, too,
    nothing of it is looked at again."""
    there = f"{root}/{shelf.RUN}/{folder.name}"
    if folder.exists() and files.get_file_info(f"{there}/{shelf.RUN_FILE}").type != fs.FileType.File:
        _send_folder(files, folder, there, last=shelf.RUN_FILE)


def _send_folder(files: fs.FileSystem, folder: Path, target: str, last: str = "") -> None:
    for path in sorted(folder.iterdir(), key=lambda p: (p.name == last, p.name)):
        _send(files, path, f"{target}/{path.name}", FOREVER)
        sent = files.get_file_info(f"{target}/{path.name}").size
        if sent != path.stat().st_size:
            raise DataError(f"{path.name}: {sent} bytes arrived of {path.stat().st_size}; publish again.")


def _send(files: fs.FileSystem, path: Path, target: str, keep: str) -> None:
    """Sends one file, which appears under its name whole or not at all."""
    metadata = {"Content-Type": MEDIA_TYPES.get(path.suffix.strip("."), "text/plain"), "Cache-Control": keep}
    is_local = isinstance(files, fs.LocalFileSystem)
    if is_local:
        files.create_dir(target.rpartition("/")[0], recursive=True)
    place = target + store.PART if is_local else target  # an object appears when all of it has come
    with path.open("rb") as read, files.open_output_stream(place, metadata=metadata) as write:
        while block := read.read(BUFFER):
            write.write(block)
    if is_local:
        store.whole_already(Path(place), Path(target))


def _remove(files: fs.FileSystem, folder: str) -> None:
    """Removes a dated folder, its checksums first: what has none counts as not sent."""
    if files.get_file_info(folder).type == fs.FileType.Directory:
        sums = f"{folder}/{verifying.SUMS}"
        if files.get_file_info(sums).type == fs.FileType.File:
            files.delete_file(sums)
        files.delete_dir(folder)
