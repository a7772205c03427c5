"""JSON payloads of many records: which shape a payload has, and its records one by one even where it is broken.

The shapes are those that registries serve: a page (`{"studies": [...], "nextPageToken": ...}`), an array, a single
object, newline-delimited or simply concatenated objects. `records` is the slow and forgiving way: it finds where each
object begins and ends, so that the good records of a broken payload are saved and the bad ones can be named.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pipelines.errors import PayloadError
from pipelines.formats.packing import looks_like_markup

_FIRST_KEY = re.compile(rb'\{\s*"((?:[^"\\]|\\.)*)"\s*:')
# A string ends at its quote (group 1) or, being broken, at the line's end (group 2); else it goes on in the next piece.
_TOKEN = re.compile(rb'"(?:[^"\\\n]|\\[^\n])*(?:(")|(\n))?|[{}\[\]]')
_PAGE_KEYS = (b"studies", b"totalCount", b"nextPageToken")


@dataclass(frozen=True)
class Slice:
    """One record: its bytes, where they begin in the unpacked payload, and what is wrong with them, if anything."""

    offset: int
    text: bytes
    fault: str | None = None


def shape(start: bytes) -> str:
    """`page`, `array` or `objects`, by the first bytes. Raises PayloadError where it is no JSON of records."""
    if not start:
        raise PayloadError("the file is empty")
    if looks_like_markup(start):
        raise PayloadError("the file is an HTML or XML page, not JSON; the site may have answered with an error page")
    if start[:1] == b"[":
        return "array"
    if start[:1] != b"{":
        raise PayloadError("the file does not begin like JSON")
    first = _FIRST_KEY.match(start)
    return "page" if first and first[1] in _PAGE_KEYS else "objects"


def records(pieces: Iterable[bytes], form: str, anchor: str) -> Iterator[Slice]:
    """The objects of a payload, from the pieces of its unpacked bytes.

    form: as `shape` gives it. anchor: the first key of every record (`protocolSection`), by which reading finds its
    feet again after a broken record. A PayloadError of `pieces` is raised again after the last whole record.
    """
    splitter = _Splitter({"objects": 0, "array": 1, "page": 2}[form], anchor)
    try:
        for piece in pieces:
            yield from splitter.feed(piece)
    except PayloadError:
        yield from splitter.end()
        raise
    yield from splitter.end()


class _Splitter:
    """Splits a stream of bytes into its objects; the state is where we are in the nesting of brackets."""

    def __init__(self, frame: int, anchor: str) -> None:
        self.frame = frame  # brackets around a record that belong to the payload itself
        self.anchor = re.compile(rb'\{\s*"' + anchor.encode() + rb'"')
        self.buffer = b""
        self.base = 0  # where the buffer begins in the payload
        self.scanned = 0  # how much of the buffer has been looked at
        self.stack = bytearray()
        self.began = -1  # where the record under way begins in the buffer

    def feed(self, piece: bytes) -> Iterator[Slice]:
        if self.base == 0 and not self.buffer:
            piece = piece.removeprefix(b"\xef\xbb\xbf")
        self.buffer += piece
        for token in _TOKEN.finditer(self.buffer, self.scanned):
            mark = token[0][0]
            if mark == 0x22:
                if token.lastindex is None:
                    self.scanned = token.start()
                    break
            elif mark in b"{[":
                yield from self._open(mark, token.start())
            else:
                yield from self._close(mark, token.end())
            self.scanned = token.end()
        self._forget()

    def _open(self, mark: int, at: int) -> Iterator[Slice]:
        if self.began >= 0 and self.anchor.match(self.buffer, at):
            # A record begins inside a record: the one before it never closed.
            yield Slice(self.base + self.began, self.buffer[self.began : at], "the record is broken off")
            del self.stack[self.frame :]
            self.began = at
        elif self.began < 0 and mark == 0x7B and len(self.stack) == self.frame:
            self.began = at
        self.stack.append(mark)

    def _close(self, mark: int, end: int) -> Iterator[Slice]:
        if self.stack and self.stack[-1] == mark - 2:  # in ASCII a closing bracket follows its opening one by two
            self.stack.pop()
        if self.began >= 0 and len(self.stack) <= self.frame:
            yield Slice(self.base + self.began, self.buffer[self.began : end])
            self.began = -1

    def _forget(self) -> None:
        """Drops what has been given out."""
        keep = self.began if self.began >= 0 else self.scanned
        self.buffer = self.buffer[keep:]
        self.base += keep
        self.scanned -= keep
        self.began = min(self.began, 0)

    def end(self) -> Iterator[Slice]:
        if self.began >= 0:
            yield Slice(
                self.base + self.began, self.buffer[self.began :], "the record is cut off at the end of the file"
            )
            self.began = -1
