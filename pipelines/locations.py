"""Locations: a folder, or a prefix of storage that speaks S3 (`s3://bucket/prefix`), and how a file gets there and
back.

Belongs here: whole files and small objects, checked on arrival and tried again a bounded number of times; writing under
a condition. Nothing here lists: what a location holds is said by whoever wrote to it. Does not belong here: what is
kept at a location and in which order (`working_copy`), and sending releases to the public (`release/publishing`).
"""

import contextlib
import functools
import hashlib
import re
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pipelines import store
from pipelines.errors import DataError, UsageError

PAUSES = (0.2, 1.0, 4.0, 10.0)
"""Seconds before each further attempt at a request that failed; after the last of them it is given up."""
PATIENCE = 30
"""Seconds for which storage may be silent within a request."""
UPLOADS = 2
"""Parts of a large file that are under way at once, of 50 MB each."""
_BUCKET = re.compile(r"s3://[a-z0-9][a-z0-9.\-]{1,61}[a-z0-9](/[^?#@\s]*)?")
_NOT_MET = {"PreconditionFailed", "ConditionalRequestConflict", "412", "409"}
_Given = TypeVar("_Given")


@dataclass(frozen=True)
class Location:
    """Where something lies: `address` is an absolute path or `s3://bucket/key`. It holds no credentials and no
    connection, so that it can be handed to another process or machine."""

    address: str

    def __truediv__(self, name: str) -> "Location":
        return Location(f"{self.address.rstrip('/')}/{name}")

    def __str__(self) -> str:
        return self.address

    @property
    def folder(self) -> Path | None:
        """The path on this machine; None where it is storage."""
        return None if self.address.startswith("s3://") else Path(self.address)


def at(written: str, setting: str = "ALLTRIALS_STORE") -> Location:
    """The location that a setting names. Raises UsageError where it is none; the complaint does not repeat it, since it
    may hold a secret."""
    if "://" not in written:
        return Location(str(Path(written).expanduser().absolute()))
    if not _BUCKET.fullmatch(written):
        raise UsageError(
            f"{setting} is a folder or s3://bucket/prefix, without a user, a password or a query, and what is set is "
            "neither. Credentials stand in the environment (AWS_ACCESS_KEY_ID and the like)."
        )
    return Location(written.rstrip("/"))


def get(location: Location, path: Path, sha256: str = "", size: int | None = None) -> None:
    """Brings a file to `path`, where it appears whole and with the content that it should have, or not at all.

    size: its bytes, as far as they are known; of storage they are compared with what it says in any case.
    Raises FileNotFoundError where the location has no such file, DataError where it cannot be had.
    """

    def bring(aside: Path) -> None:
        if location.folder is not None:
            shutil.copyfile(location.folder, aside)
            expected = size
        else:
            expected = _head(location)["ContentLength"] if size is None else size
            _storage().get_file(location.address, str(aside))
        came = aside.stat().st_size
        if expected is not None and came != expected:
            raise _Damaged(f"{came:,} bytes came of {expected:,}")
        if sha256 and _sha256_of(aside) != sha256:
            raise _Damaged("its content is not what was sent there")

    with store.whole(path) as aside:
        _tried(location, "read", lambda: bring(aside))


def put(path: Path, location: Location) -> bool:
    """Sends a file to a name that never means another content: where the location has one of its length under the name,
    it is that file and is not sent again. There it appears whole or not at all. Returns whether it was sent.

    Raises DataError where it cannot be sent.
    """
    length = path.stat().st_size
    if size(location) == length:
        return False

    def send() -> None:
        if location.folder is not None:
            with store.whole(location.folder) as aside:
                shutil.copyfile(path, aside)
        else:
            _storage().put_file(str(path), location.address, max_concurrency=UPLOADS)
        if (arrived := _size(location)) != length:
            raise _Damaged(f"{arrived or 0:,} bytes arrived of {length:,}")

    _tried(location, "written", send)
    return True


def put_bytes(content: bytes, location: Location) -> bool:
    """The same for content that is no file yet."""
    if size(location) == len(content):
        return False
    _tried(location, "written", lambda: _write(location, content))
    return True


def _write(location: Location, content: bytes, **condition: str) -> None:
    if location.folder is not None:
        with store.whole(location.folder) as aside:
            aside.write_bytes(content)
    else:
        _storage().pipe_file(location.address, content, **condition)


def size(location: Location) -> int | None:
    """The bytes of a file; None where there is none. Raises DataError where that cannot be learnt."""
    return _tried(location, "read", lambda: _size(location))


def remove(location: Location) -> None:
    """Removes a file; that there is none is as good. Raises DataError where it cannot be removed."""

    def away() -> None:
        if location.folder is not None:
            location.folder.unlink(missing_ok=True)
        else:
            _storage().rm_file(location.address)

    _tried(location, "removed", away)


# --- small objects that change --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Held:
    """What a changing object held when it was read, and the mark by which a writer knows whether it still does."""

    content: bytes
    mark: str

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


def read(location: Location) -> Held | None:
    """A small object that changes; None where there is none. Raises DataError where that cannot be learnt."""
    return _tried(location, "read", lambda: _read(location))


def write_if(location: Location, content: bytes, before: Held | None) -> bool:
    """Writes a small object if it still is what `before` says: that, or not there at all. Returns whether the store
    holds to conditions; where it does not, it was read once more just before, and two that write within the same
    moment are not told apart.

    Raises DataError where another one wrote meanwhile, and then changes nothing, or where it cannot be written.
    """
    if location.folder is not None:
        _write_file_if(location.folder, content, before)
        return True
    has_conditions = _tried(location, "written", lambda: _has_conditions(location))
    if not has_conditions and read(location) != before:
        raise _beaten(location)
    condition = ({"IfMatch": before.mark} if before else {"IfNoneMatch": "*"}) if has_conditions else {}
    with contextlib.suppress(_NotMet):  # by another one, or by an attempt of ours whose answer was lost
        _tried(location, "written", lambda: _write(location, content, **condition))
    now = read(location)
    if now is None or now.content != content:
        raise _beaten(location)
    return has_conditions


def _write_file_if(path: Path, content: bytes, before: Held | None) -> None:
    with store.locked(path.with_name(f".{path.name}.lock"), f"Another machine is writing {path}", waits=True):
        if _read(Location(str(path))) != before:
            raise _beaten(Location(str(path)))
        _write(Location(str(path)), content)


def _has_conditions(location: Location) -> bool:
    """Whether storage holds to conditions, asked by a write whose condition nothing meets."""
    probe = f"{location.address}.probe"
    try:
        _storage().pipe_file(probe, b"", IfMatch='"00000000000000000000000000000000"')
    except Exception as error:
        if _code(error) in _NOT_MET or isinstance(error, FileNotFoundError | FileExistsError):
            return True
        if _code(error) in ("NotImplemented", "501"):
            return False
        raise
    _storage().rm_file(probe)
    return False


def _read(location: Location) -> Held | None:
    try:
        if location.folder is not None:
            content = location.folder.read_bytes()
            return Held(content, hashlib.sha256(content).hexdigest())
        while True:  # ends: nobody writes a pointer as often as that
            before = _head(location)
            content = _storage().cat_file(location.address)
            if _head(location)["ETag"] == before["ETag"]:
                if len(content) != before["ContentLength"]:
                    raise _Damaged(f"{len(content):,} bytes came of {before['ContentLength']:,}")
                return Held(content, before["ETag"])
    except FileNotFoundError:
        return None


def _beaten(location: Location) -> DataError:
    return DataError(f"{location}: another machine wrote there meanwhile; nothing of it was overwritten. Run it again.")


# --- storage --------------------------------------------------------------------------------------------------------


class _Damaged(Exception):
    """What came, or arrived, is not what should have; worth another attempt."""


class _NotMet(Exception):
    """A condition was not met; no further attempt can change that."""


@functools.lru_cache(maxsize=1)
def _storage() -> Any:
    """Storage that speaks S3, with the credentials and the endpoint of the environment. It keeps no listing, and tries
    a request three times by itself where the connection fails."""
    import fsspec

    try:
        files = fsspec.filesystem(
            "s3",
            use_listings_cache=False,
            skip_instance_cache=True,
            config_kwargs={
                "connect_timeout": min(10, PATIENCE),
                "read_timeout": PATIENCE,
                "retries": {"max_attempts": 2, "mode": "standard"},
            },
        )
    except ImportError:
        raise UsageError(
            "An address with s3:// needs the extra [s3]: install it with `pip install -c constraints.txt -e '.[s3]'`."
        ) from None
    files.retries = 1
    return files


def _head(location: Location) -> Any:
    """What storage says of one object: its length and its mark. `info` would list where there is none."""
    bucket, _, key = location.address.removeprefix("s3://").partition("/")
    return _storage().call_s3("head_object", Bucket=bucket, Key=key)


def _is_of_storage(error: Exception) -> bool:
    """Whether the location is at fault, and not the program. The libraries of storage are no dependency, so that their
    errors are told by where they come from."""
    whose = type(error).__module__.partition(".")[0]
    return isinstance(error, OSError | _Damaged) or whose in ("aiobotocore", "aiohttp", "botocore", "fsspec", "s3fs")


def _size(location: Location) -> int | None:
    try:
        if location.folder is not None:
            return location.folder.stat().st_size
        return int(_head(location)["ContentLength"])
    except FileNotFoundError:
        return None


def _tried(location: Location, verb: str, action: Callable[[], _Given]) -> _Given:
    """The result of what may fail for a while. Raises FileNotFoundError of what is to be read and _NotMet at once, and
    DataError where the location refuses or fails every time: in words that quote no answer, since one may hold a
    secret."""
    for pause in (*PAUSES, None):
        try:
            return action()
        except Exception as error:
            if not _is_of_storage(error) or (isinstance(error, FileNotFoundError) and verb == "read"):
                raise
            if _code(error) in _NOT_MET:
                raise _NotMet from error
            is_final = isinstance(error, PermissionError | FileNotFoundError) or bool(store.way_out(error))
            if pause is None or is_final:
                way = store.way_out(error) or "Run it again later; if it stays so, look at the store."
                raise DataError(f"{location} could not be {verb}: {_words(error)}. {way}") from None
            time.sleep(pause)
    raise AssertionError("the last attempt ends in a result or an error")


def _code(error: BaseException | None) -> str:
    """The code of S3 for what went wrong; empty for anything else."""
    response = getattr(error, "response", None) or getattr(getattr(error, "__cause__", None), "response", None)
    return str(response["Error"].get("Code", "")) if isinstance(response, dict) and "Error" in response else ""


def _words(error: Exception) -> str:
    if isinstance(error, _Damaged):
        return str(error)
    if code := _code(error):
        return f"the store answers {code}"
    if isinstance(error, OSError) and error.strerror and error.errno:
        return error.strerror
    return f"no answer that can be used ({type(error).__name__})"


def _sha256_of(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
