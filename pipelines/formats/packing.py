"""How a payload is packed: plain, gzip or zip, found by its first bytes and never by its name.

Nothing here knows what the bytes mean. Archives are read entry by entry and never unpacked to named files.
"""

import gzip
import lzma
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from pipelines.errors import PayloadError

fast_zlib: Any
fast_gzip: Any
try:
    from isal import igzip as fast_gzip
    from isal import isal_zlib as fast_zlib
except ImportError:  # no wheel for this machine: the standard library is slower and does the same
    fast_gzip, fast_zlib = gzip, zlib

CHUNK = 1 << 20
BOM = b"\xef\xbb\xbf"
MAX_ENTRY = 1 << 30
"""No single record of any register comes near 1 GiB; an archive entry that claims more is refused."""
MAX_RATIO = 200
"""Texts of registers are packed to a tenth or so; what unpacks to more than this, and to MANY bytes, was made to do
harm."""
MANY = 64 << 20
GZIP = 31
"""zlib's window bits for a stream with a gzip header."""
STEP = 1 << 14
"""How much is unpacked at a time: no more than this is lost before a damaged place. See `unpacked` for the fast way."""

BROKEN_ZIP = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, EOFError, OSError, ValueError, RuntimeError)
"""What the standard library raises over a zip in which any byte may be wrong."""

BROKEN_GZIP = (zlib.error, fast_zlib.error, EOFError, OSError)
"""What `unpacked` raises over a stream in which any byte may be wrong."""

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


def first_bytes(path: Path, size: int = 1 << 16) -> bytes:
    """The first bytes of the unpacked payload without a byte-order mark; fewer where it is damaged early."""
    start = b""
    try:
        for piece in chunks(path, size):
            start = (start + piece).removeprefix(BOM).lstrip()
            if len(start) >= size:
                break
    except PayloadError:
        pass  # whoever reads on meets the damage again and names it
    return start[:size]


def chunks(path: Path, size: int = CHUNK) -> Iterator[bytes]:
    """The unpacked payload in pieces of about `size`. Raises PayloadError, after the last byte that can be unpacked,
    where it is damaged."""
    with path.open("rb") as handle:
        if packing(path) != "gzip":
            while piece := handle.read(size):
                yield piece
            return
        ready = bytearray()
        damage: PayloadError | None = None
        try:
            for piece in _unpacked(iter(lambda: handle.read(4 * STEP), b"")):
                ready += piece
                if len(ready) >= size:
                    yield bytes(ready)
                    ready.clear()
        except PayloadError as error:
            damage = error
        if ready:
            yield bytes(ready)
        if damage:
            raise damage


def unpacked(path: Path) -> BinaryIO:
    """What a gzip file holds, to be read into a buffer of the caller's: the fastest way, for whoever can do without
    what stands before a damaged place. Reading raises one of BROKEN_GZIP there."""
    stream: BinaryIO = fast_gzip.open(path)
    return stream


def last_bytes(path: Path, size: int = 1 << 12) -> bytes:
    """The last bytes of the unpacked payload. Raises PayloadError where it is damaged: all of a packed one is unpacked
    for this, and its checksum verified."""
    if packing(path) == "gzip":
        end = b""
        for piece in chunks(path):
            end = (end + piece)[-size:]
        return end
    with path.open("rb") as handle:
        handle.seek(max(0, path.stat().st_size - size))
        return handle.read()


def _unpacked(packed: Iterator[bytes]) -> Iterator[bytes]:
    """Unpacks a gzip stream of one or more members in steps of at most STEP bytes."""
    unpacker: Any = fast_zlib.decompressobj(GZIP)
    waiting = b""
    for piece in packed:
        waiting += piece
        out = b""
        while waiting or out:  # what the unpacker holds back comes out without more input
            if unpacker.eof:
                waiting = waiting.lstrip(b"\0")  # padding between or after members is allowed
                if not waiting:
                    break
                unpacker = fast_zlib.decompressobj(GZIP)
            try:
                out = unpacker.decompress(waiting, STEP)
            except (zlib.error, fast_zlib.error) as error:
                raise PayloadError(f"the file is damaged ({_words(error)})") from error
            waiting = unpacker.unused_data if unpacker.eof else unpacker.unconsumed_tail
            if out:
                yield out
            elif not unpacker.eof:
                break
    if not unpacker.eof:
        raise PayloadError("the file is cut off: its compressed data end too early")


def is_bomb(info: zipfile.ZipInfo) -> bool:
    """Whether an entry says that it unpacks to what no payload holds. More than it says is never unpacked."""
    return info.file_size > MAX_ENTRY or info.file_size > max(MANY, MAX_RATIO * info.compress_size)


def entries(path: Path) -> Iterator[tuple[str, bytes | str]]:
    """The files of a zip: (name, bytes), or (name, reason) where an entry cannot be read. Folders are passed over.

    Raises PayloadError where the archive itself cannot be opened.
    """
    try:
        archive = zipfile.ZipFile(path)
    except BROKEN_ZIP as error:
        raise PayloadError(f"the zip archive cannot be opened ({_words(error)}); it may be cut off") from error
    with archive:
        for info in archive.infolist():
            if info.filename.endswith("/"):  # not is_dir(): an entry may have no name
                continue
            if is_bomb(info):
                yield info.filename, f"the entry says it unpacks to {info.file_size:,} bytes, more than is plausible"
                continue
            try:
                yield info.filename, archive.read(info)
            except BROKEN_ZIP as error:
                yield info.filename, f"the entry cannot be unpacked ({_words(error)})"


def entry_names(path: Path) -> list[str]:
    """What a zip holds. Raises PayloadError where the archive itself cannot be opened."""
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.namelist()
    except BROKEN_ZIP as error:
        raise PayloadError(f"the zip archive cannot be opened ({_words(error)}); it may be cut off") from error


def unpacked_size(path: Path) -> int:
    """How many bytes a zip says that its files unpack to. Raises PayloadError where it cannot be opened."""
    try:
        with zipfile.ZipFile(path) as archive:
            return sum(info.file_size for info in archive.infolist())
    except BROKEN_ZIP as error:
        raise PayloadError(f"the zip archive cannot be opened ({_words(error)}); it may be cut off") from error


def looks_like_markup(start: bytes) -> bool:
    """Whether bytes that should be JSON begin like an HTML or XML page."""
    return _MARKUP.match(start) is not None


def _words(error: BaseException) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
