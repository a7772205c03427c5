"""How a payload is packed: plain, gzip or zip, found by its first bytes and never by its name.

Nothing here knows what the bytes mean. Archives are read entry by entry and never unpacked to named files.
"""

import gzip
import re
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

try:
    from isal import igzip as _gzip
except ImportError:  # no wheel for this machine: the standard library is slower and does the same
    _gzip = gzip  # type: ignore[assignment]

from pipelines.errors import PayloadError

CHUNK = 1 << 20
BOM = b"\xef\xbb\xbf"
MAX_ENTRY = 1 << 30
"""No single record of any register comes near 1 GiB; an archive entry that claims more is refused."""
CUT_OFF = (EOFError, zlib.error, gzip.BadGzipFile, getattr(_gzip, "BadGzipFile", gzip.BadGzipFile), OSError)

_MARKUP = re.compile(rb"\s*<(!doctype|html|\?xml|head|body|[a-z])", re.IGNORECASE)


def packing(path: Path) -> str:
    """`gzip`, `zip`, `plain` or `empty`."""
    with path.open("rb") as handle:
        start = handle.read(4)
    if not start:
        return "empty"
    if start[:2] == b"\x1f\x8b":
        return "gzip"
    return "zip" if start == b"PK\x03\x04" or start == b"PK\x05\x06" else "plain"


def open_plain(path: Path) -> IO[bytes]:
    """The unpacked bytes of a plain or gzip payload. Reading may raise one of CUT_OFF where it is damaged."""
    handle: Any = _gzip.open(path, "rb") if packing(path) == "gzip" else path.open("rb")
    return handle  # type: ignore[no-any-return]


def first_bytes(path: Path, size: int = 1 << 16) -> bytes:
    """The first bytes of the unpacked payload without a byte-order mark; fewer where it is damaged early."""
    with open_plain(path) as handle:
        try:
            start = handle.read(size)
        except CUT_OFF:
            start = b""
    return start.removeprefix(BOM).lstrip()


def chunks(path: Path) -> Iterator[bytes]:
    """The unpacked payload in pieces. Raises PayloadError, after the last good piece, where it is damaged."""
    with open_plain(path) as handle:
        while True:
            try:
                piece = handle.read(CHUNK)
            except CUT_OFF as error:
                raise PayloadError(f"the file is damaged or cut off ({_words(error)})") from error
            if not piece:
                return
            yield piece


def entries(path: Path) -> Iterator[tuple[str, bytes | str]]:
    """The files of a zip: (name, bytes), or (name, reason) where an entry cannot be read. Folders are passed over.

    Raises PayloadError where the archive itself cannot be opened.
    """
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError) as error:
        raise PayloadError(f"the zip archive cannot be opened ({_words(error)}); it may be cut off") from error
    with archive:
        for info in archive.infolist():
            if info.is_dir():
                continue
            if info.file_size > MAX_ENTRY:
                yield info.filename, f"the entry says it unpacks to {info.file_size:,} bytes, more than is plausible"
                continue
            try:
                yield info.filename, archive.read(info)
            except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
                yield info.filename, f"the entry cannot be unpacked ({_words(error)})"


def looks_like_markup(start: bytes) -> bool:
    """Whether bytes that should be JSON begin like an HTML or XML page."""
    return _MARKUP.match(start) is not None


def _words(error: BaseException) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
