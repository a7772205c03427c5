"""JSON payloads of many records: which shape a payload has, and its records one by one even where it is broken.

The shapes are those that registries serve: a page (`{"studies": [...], "nextPageToken": ...}`), an array, a single
object, newline-delimited or simply concatenated objects. `records` is the slow and forgiving way: it finds where each
object begins and ends, so that the good records of a broken payload are saved and the bad ones can be named.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pipelines.errors import PayloadError
from pipelines.formats.packing import BOM, looks_like_markup

_FIRST_KEY = re.compile(rb'\{\s*"((?:[^"\\]|\\.)*)"\s*:')
# A string ends at its quote (group 1) or, being broken, at the line's end (group 2); else it goes on in the next piece.
_TOKEN = re.compile(rb'"(?:[^"\\\n]++|\\[^\n])*+(?:(")|(\n))?|[{}\[\]]')
_PAGE_KEYS = (b"studies", b"totalCount", b"nextPageToken")
_BETWEEN = b" \t\r\n," + BOM
_QUOTE, _BRACE = b'"{'
_SHOWN = 200
_NEAR = 256
"""More than stands between a record's brace and the end of its first key, however it is indented."""


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
    feet again after a broken record. What stands between records and is none is a Slice with a fault. Raises
    PayloadError after the last record where the payload ends too early; one of `pieces` is raised again there.
    """
    splitter = _Splitter({"objects": 0, "array": 1, "page": 2}[form], anchor)
    try:
        for piece in pieces:
            yield from splitter.feed(piece)
    except PayloadError:
        yield from splitter.end()
        raise
    yield from splitter.end()
    if splitter.stack:
        raise PayloadError("the file is cut off: it ends before its last bracket is closed")


LARGEST = 128 << 20
"""No record of any register comes near this; what is longer has lost its end, or was made to fill the memory."""
DEEPEST = 100_000
"""Brackets inside brackets, as no record has them."""


class _Splitter:
    """Splits a stream of bytes into its objects; the state is where we are in the nesting of brackets."""

    def __init__(self, frame: int, anchor: str) -> None:
        self.frame = frame  # brackets around a record that belong to the payload itself
        self.first_key = f'"{anchor}"'.encode()
        self.anchor = re.compile(rb"\{\s*" + re.escape(self.first_key))
        self.buffer = b""
        self.base = 0  # where the buffer begins in the payload
        self.scanned = 0  # how much of the buffer has been looked at
        self.claimed = 0  # how much of it is accounted for: records given out, brackets and keys of the frame
        self.stack = bytearray()
        self.began = -1  # where the record under way begins in the buffer
        self.depth = frame  # how many brackets are around it
        self.awaited = 0  # how long the buffer must be before what was undecided is looked at again
        self.stray: Slice | None = None  # what was found between records since the last one

    def feed(self, piece: bytes, is_last: bool = False) -> Iterator[Slice]:
        self.buffer += piece
        ahead = is_last or len(self.buffer) >= self.awaited
        while ahead:
            ahead = False
            for token in _TOKEN.finditer(self.buffer, self.scanned):
                start, end = token.span()
                if end + _NEAR > len(self.buffer) and not is_last and self._is_undecided(token):
                    self.scanned = start
                    self.awaited = 2 * len(self.buffer) - start  # so that a long text is not gone through at each piece
                    break
                mark = self.buffer[start]
                if mark == _QUOTE:
                    # After a lost quote, inside and outside of strings change places until a record's first key shows.
                    if self.buffer[end - 2] == _BRACE and self.anchor.match(self.buffer, end - 2):
                        self.scanned = end - 2
                        ahead = True
                        break
                elif mark in b"{[":
                    yield from self._open(mark, start)
                else:
                    yield from self._close(mark, start, end)
            else:
                self.scanned = len(self.buffer)
        self._forget()
        if not is_last and len(self.buffer) > LARGEST:
            raise PayloadError(f"what stands at byte {self.base:,} is longer than any record: its end is missing")
        if not is_last and len(self.stack) > DEEPEST:
            raise PayloadError(f"what stands before byte {self.base:,} is nested deeper than any record")

    def _is_undecided(self, token: re.Match[bytes]) -> bool:
        """Whether the bytes to come decide what the token is: an unfinished string, a brace that may begin a record."""
        at = token.start()
        if self.buffer[at] == _QUOTE:
            if token.lastindex is None:
                return True
            at = token.end() - 2
        follows = self.buffer[at + 1 :].lstrip()
        return self.buffer[at] == _BRACE and len(follows) < len(self.first_key) and self.first_key.startswith(follows)

    def _open(self, mark: int, at: int) -> Iterator[Slice]:
        is_record = mark == _BRACE and self.anchor.match(self.buffer, at) is not None
        if self.began >= 0 and is_record:
            # A record begins inside a record: the one before it never closed.
            yield Slice(self.base + self.began, self.buffer[self.began : at], "the record is broken off")
            del self.stack[self.depth :]
            self.began, self.claimed = -1, at
        if self.began < 0 and mark == _BRACE and (is_record or len(self.stack) == self.frame):
            yield from self._strays(at)
            self.began, self.depth = at, len(self.stack)
        elif self.began < 0 and len(self.stack) < self.frame:
            yield from self._strays(at)
            self.claimed = at + 1
        self.stack.append(mark)

    def _close(self, mark: int, start: int, end: int) -> Iterator[Slice]:
        matches = bool(self.stack) and self.stack[-1] == mark - 2  # in ASCII a closing bracket follows by two
        if self.began < 0 and matches and len(self.stack) <= self.frame:
            yield from self._strays(start)
            self.claimed = end
        if matches:
            self.stack.pop()
        if self.began >= 0 and len(self.stack) <= self.depth:
            yield Slice(self.base + self.began, self.buffer[self.began : end])
            self.began, self.claimed = -1, end

    def _note(self, upto: int) -> None:
        """Looks at what stands between the last thing accounted for and `upto`; a page has its own keys there."""
        text = self.buffer[self.claimed : upto].lstrip(_BETWEEN)
        if text and self.stray is None and not 0 < len(self.stack) < self.frame:
            self.stray = Slice(self.base + upto - len(text), text[:_SHOWN], "what stands here is no record")
        self.claimed = upto

    def _strays(self, upto: int) -> Iterator[Slice]:
        self._note(upto)
        if self.stray:
            yield self.stray
            self.stray = None

    def _forget(self) -> None:
        """Drops what has been given out."""
        if self.began < 0:
            self._note(self.scanned)
        keep = self.began if self.began >= 0 else self.scanned
        self.buffer = self.buffer[keep:]
        self.base += keep
        self.scanned -= keep
        self.claimed -= keep
        self.awaited -= keep
        self.began = min(self.began, 0)

    def end(self) -> Iterator[Slice]:
        yield from self.feed(b"", is_last=True)
        if self.began >= 0:
            text = self.buffer[self.began :]
            yield Slice(self.base + self.began, text, "the record is cut off at the end of the file")
        else:
            yield from self._strays(len(self.buffer))
