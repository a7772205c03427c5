"""XML payloads of many records: the records one by one, even where the payload is broken.

The records are cut out of the stream by their element's name and parsed one at a time: memory is bounded by the largest
record, a broken one is named, and those behind it are read all the same. Neither a DTD nor an entity is ever loaded.
Which element a record is, and what stands in it, is decided in its source's reader.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from lxml import etree

from pipelines import privacy
from pipelines.errors import PayloadError
from pipelines.formats.json_records import Slice
from pipelines.formats.served import Member
from pipelines.reading import SHOWN, Report

LARGEST = 64 << 20
"""No record of any register comes near this; what is longer has lost its end."""

_NEAR = 256
"""More than the root's end tag takes: it is looked for behind the last record, or where there is none."""

_PROLOG = re.compile(
    rb"(?>\s+|<\?.*?\?>|<!--.*?-->|<!DOCTYPE[^\[>]*(?:\[.*?\]\s*)?>)*+"
    rb"(?P<tag><(?P<name>(?:[A-Za-z_][\w.\-]*:)?(?P<local>[A-Za-z_][\w.\-]*))"
    rb"(?:[^<>\"'/]|\"[^\"<]*\"|'[^'<]*'|/(?!>))*(?P<alone>/)?>)",
    re.DOTALL | re.IGNORECASE,
)
_ENCODING = re.compile(rb"<\?xml[^>]*\bencoding\s*=\s*[\"']([A-Za-z][\w.\-]*)[\"']")
_COMMENT = re.compile(rb"<!--.*?-->", re.DOTALL)


@dataclass(frozen=True)
class Shape:
    """record: name of a record's element. roots: names of the elements that hold several. what: the format's name."""

    record: str
    roots: frozenset[str]
    what: str


@dataclass(frozen=True)
class Opening:
    """The beginning of a payload. tag: its root's start tag as written, which holds the namespaces."""

    root: str
    name: bytes
    tag: bytes
    is_alone: bool
    encoding: bytes

    @property
    def attributes(self) -> dict[str, str]:
        """The root's attributes."""
        tag = self.tag if self.is_alone else self.tag[:-1] + b"/>"
        try:
            return {str(k): str(v) for k, v in etree.fromstring(tag, _parser()).attrib.items()}
        except etree.XMLSyntaxError:
            return {}


def opening(start: bytes, shape: Shape) -> Opening:
    """The beginning of a payload, by its first bytes. Raises PayloadError where it is none of the shape."""
    prolog = _PROLOG.match(start)
    if not prolog:
        raise PayloadError(_what_else(start, shape))
    root = prolog["local"].decode("ascii", "replace")
    if root.lower() == "html":
        raise PayloadError(f"the file is an HTML page, not {shape.what}; the site may have answered with an error page")
    if b"<!ENTITY" in start[: prolog.start("tag")].upper():
        raise PayloadError(f"the file declares entities of its own, which {shape.what} does not: it is refused")
    if root != shape.record and root not in shape.roots:
        raise PayloadError(f"the file is XML with the root <{root}>, not {shape.what}")
    encoding = _ENCODING.search(start, 0, prolog.start("tag"))
    return Opening(root, prolog["name"], prolog["tag"], bool(prolog["alone"]), encoding[1] if encoding else b"UTF-8")


def _what_else(start: bytes, shape: Shape) -> str:
    if start[:1] in (b"{", b"["):
        return f"the file is JSON, not {shape.what}"
    if b"<!ENTITY" in start.upper():
        return f"the file declares entities of its own, which {shape.what} does not: it is refused"
    return f"the file is not {shape.what}"


def elements(
    member: Member, shape: Shape, numbers: Iterator[int], report: Report
) -> Iterator[tuple[int, etree._Element]]:
    """The records of a file, each with its number in the payload; one that is broken is a rejected record.

    Raises PayloadError where the file is none of the shape or ends early.
    """
    begin = opening(member.start, shape)
    for piece in slices(member.pieces(), begin, shape.record):
        number = next(numbers)
        fault = piece.fault
        if fault is None:
            try:
                yield number, _parsed(piece.text, begin, shape.record)
                continue
            except etree.XMLSyntaxError as error:
                fault = f"the record is not well-formed XML ({_words(error)})"
        report.records_in += 1
        report.reject_record(f"{member.place}#{number}", fault)


def _parsed(text: bytes, begin: Opening, record: str) -> etree._Element:
    """The element of a record, with the namespaces of the payload's root."""
    declaration = b'<?xml version="1.0" encoding="' + begin.encoding + b'"?>'
    if begin.root == record:
        return etree.fromstring(declaration + text, _parser())
    whole = etree.fromstring(declaration + begin.tag + text + b"</" + begin.name + b">", _parser())
    return whole[0]


def _parser() -> etree.XMLParser:
    return etree.XMLParser(
        load_dtd=False, no_network=True, resolve_entities=False, huge_tree=False, remove_comments=True, remove_pis=True
    )


def _words(error: etree.XMLSyntaxError) -> str:
    return privacy.without_mail((error.msg or "no reason given").splitlines()[0])[:SHOWN]


def slices(pieces: Iterable[bytes], begin: Opening, record: str) -> Iterator[Slice]:
    """The records of a payload as bytes; what stands between records and is none is a Slice with a fault.

    Raises PayloadError after the last record where the payload ends too early; one of `pieces` is raised again there.
    """
    cutter = _Cutter(record)
    try:
        for piece in pieces:
            yield from cutter.feed(piece)
    except PayloadError:
        yield from cutter.end(begin.name)
        raise
    yield from cutter.end(begin.name)
    if not cutter.is_whole and not begin.is_alone:
        raise PayloadError("the file is cut off: it ends before its last element is closed")


class _Cutter:
    """Cuts a stream of bytes at the start and end tags of its records."""

    def __init__(self, record: str) -> None:
        self.tag = re.compile(rb"<(/?)(?:[A-Za-z_][\w.\-]*:)?%b(?:\s[^<>]*)?/?>" % re.escape(record.encode()))
        self.buffer = b""
        self.base = 0  # where the buffer begins in the payload
        self.scanned = 0  # how much of the buffer has been looked at
        self.claimed = -1  # how much of it is accounted for; -1: the first record has not come yet
        self.began = -1  # where the record under way begins in the buffer
        self.is_whole = False  # whether the root was closed, known at the end

    def feed(self, piece: bytes) -> Iterator[Slice]:
        self.buffer += piece
        for tag in self.tag.finditer(self.buffer, self.scanned):
            yield from self._meet(tag)
            self.scanned = tag.end()
        unfinished = self.buffer.rfind(b"<", self.scanned)
        is_cut = unfinished >= 0 and self.buffer.find(b">", unfinished) < 0
        self.scanned = unfinished if is_cut else len(self.buffer)
        if len(self.buffer) > LARGEST:
            yield from self._give_up()
        self._forget()

    def _meet(self, tag: re.Match[bytes]) -> Iterator[Slice]:
        closes, is_alone = bool(tag[1]), tag.group().endswith(b"/>")
        if not closes:
            if self.began >= 0:
                yield self._slice(self.began, tag.start(), "the record is broken off")
            elif self.claimed >= 0:
                yield from self._stray(tag.start())
            self.began = self.claimed = tag.start()
        elif self.began < 0:
            yield self._slice(tag.start(), tag.end(), "the record has no beginning")
            self.claimed = tag.end()
        if self.began >= 0 and (closes or is_alone):
            yield self._slice(self.began, tag.end())
            self.began, self.claimed = -1, tag.end()

    def _slice(self, start: int, end: int, fault: str | None = None) -> Slice:
        return Slice(self.base + start, self.buffer[start:end], fault)

    def _stray(self, upto: int) -> Iterator[Slice]:
        if _COMMENT.sub(b"", self.buffer[self.claimed : upto]).strip():
            yield self._slice(self.claimed, upto, "what stands here is no record")

    def _give_up(self) -> Iterator[Slice]:
        """Loses what is longer than any record, so that memory stays bounded."""
        if self.began >= 0 or self.claimed >= 0:
            yield Slice(self.base + max(self.began, self.claimed, 0), b"", "longer than any record: its end is missing")
            self.began, self.claimed = -1, self.scanned

    def _forget(self) -> None:
        """Drops what has been given out."""
        keep = max(0, self.scanned - _NEAR) if self.claimed < 0 else min(self.claimed, self.scanned)
        self.buffer = self.buffer[keep:]
        self.base += keep
        self.scanned -= keep
        self.claimed = self.claimed if self.claimed < 0 else self.claimed - keep
        self.began = self.began if self.began < 0 else self.began - keep

    def end(self, root: bytes) -> Iterator[Slice]:
        """What is left when the payload has ended."""
        if self.began >= 0:
            yield self._slice(self.began, len(self.buffer), "the record is cut off")
            return
        closing = re.search(rb"</%b\s*>" % re.escape(root), self.buffer[max(self.claimed, 0) :])
        at = max(self.claimed, 0) + closing.start() if closing else len(self.buffer)
        # Where the root is the record itself, its end tag has been given out with it.
        is_own_root = self.claimed >= 0 and self.tag.fullmatch(b"<" + root + b">") is not None
        self.is_whole = closing is not None or is_own_root
        if self.claimed >= 0:
            yield from self._stray(at)
