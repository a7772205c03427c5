"""Writes files whose bytes depend on their content alone.

Belongs here: gzip without a time stamp, with its checksum; zip with a fixed one; JSON encoding.
Does not belong here: what the files say (`ctgov.py`, `pubmed.py`).
"""

from __future__ import annotations

import hashlib
import zipfile
import zlib
from pathlib import Path
from types import TracebackType
from typing import Final

import msgspec

LEVEL: Final = 1
"""The sample is read at once and thrown away: speed matters more than size."""

encode: Final = msgspec.json.Encoder().encode

_GZIP: Final = 31
_BLOCK: Final = 1 << 17


class GzipFile:
    """A gzip member as a stream of text, with no name and no time in its header."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = path.open("wb")
        self._press = zlib.compressobj(LEVEL, zlib.DEFLATED, _GZIP)
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._waiting: list[bytes] = []
        self._size = 0

    def write(self, content: bytes) -> None:
        self._waiting.append(content)
        self._size += len(content)
        if self._size >= _BLOCK:
            self._flush()

    def _flush(self) -> None:
        self._put(self._press.compress(b"".join(self._waiting)))
        self._waiting.clear()
        self._size = 0

    def _put(self, packed: bytes) -> None:
        self._md5.update(packed)
        self._file.write(packed)

    def close(self) -> str:
        """Ends the file and gives its md5."""
        self._flush()
        self._put(self._press.flush())
        self._file.close()
        return self._md5.hexdigest()

    def abandon(self) -> None:
        """Closes the file as it is, after an error elsewhere."""
        self._file.close()


class ZipFile:
    """A zip archive whose entries all bear the same day."""

    def __init__(self, path: Path, stamp: tuple[int, int, int]) -> None:
        self._zip = zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=LEVEL)
        self._stamp = (*stamp, 0, 0, 0)

    def add(self, name: str, content: bytes) -> None:
        entry = zipfile.ZipInfo(name, self._stamp)
        entry.create_system = 3  # else it names the machine's own
        entry.external_attr = 0o644 << 16
        entry.compress_type = zipfile.ZIP_DEFLATED
        self._zip.writestr(entry, content, compresslevel=LEVEL)

    def __enter__(self) -> ZipFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._zip.close()
