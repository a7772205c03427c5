"""Delimited text (CSV) as rows of fields, from a stream of bytes, one row in memory at a time.

Belongs here: encoding, quotes, line breaks inside quoted fields, and where the next row begins after a broken one.
Does not belong here: headers, how many fields a row should have and what they mean; that is the source's to judge.
"""

import codecs
import csv
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from pipelines.errors import PayloadError

LARGEST = 1 << 20
"""Characters of one row. Only a quote that never closes comes near: then what it swallowed is one broken row."""
LONGEST_LINE = 16 << 20
csv.field_size_limit(LARGEST)  # the default, 128 KiB, is less than the longest texts of registers

_NOT_UTF8 = re.compile("[\udc80-\udcff]")
"""A byte that is no UTF-8, as `surrogateescape` keeps it."""
_NEW_ROW = re.compile(r'"[^"\r\n]{1,200}"[,;\t]')
"""What the beginning of a line shows only outside quotes: inside, a quote is doubled or ends the field."""


class Row(NamedTuple):
    """One row. fault: why it could not be read; `fields` then holds what seems to be its first one."""

    fields: list[str]
    fault: str = ""


def rows(pieces: Iterable[bytes], delimiter: str = ",") -> Iterator[Row]:
    """The rows of a UTF-8 text in order; blank lines are none. A broken row does not take the next one along. One with
    bytes that are no UTF-8 is broken: read as something else, a name in it would seem changed.

    Raises PayloadError, after the last row that can be read, where the bytes are damaged.
    """
    waiting: list[str] = []
    size = 0
    is_open = False
    for line in _lines(pieces):
        if is_open and (size > LARGEST or _NEW_ROW.match(line)):
            yield _broken(waiting, delimiter, f"a quote in it does not close (lines: {len(waiting):,})")
            waiting, size, is_open = [], 0, False
        waiting.append(line)
        size += len(line)
        is_open ^= line.count('"') % 2 == 1
        if not is_open:
            yield from _parsed(waiting, delimiter)
            waiting, size = [], 0
    if waiting:
        yield _broken(waiting, delimiter, "it is cut off, or a quote in it does not close")


def _parsed(lines: list[str], delimiter: str) -> Iterator[Row]:
    if len(lines) == 1 and not lines[0].strip():
        return
    if any(not line.isascii() and _NOT_UTF8.search(line) for line in lines):
        fault = "bytes in it are no UTF-8: save the file as UTF-8 (of spreadsheets, `CSV UTF-8`) and import it again"
        yield _broken(lines, delimiter, fault)
        return
    try:
        # Strict: a field that goes on after its closing quote is damage, not text.
        yield Row(next(csv.reader(lines, delimiter=delimiter, strict=True)))
    except csv.Error as error:
        yield _broken(lines, delimiter, f"its quotes are broken ({error})")


def _broken(lines: list[str], delimiter: str, fault: str) -> Row:
    first = lines[0].split(delimiter, 1)[0].strip().strip('"')[:100]
    return Row([_NOT_UTF8.sub("\ufffd", first)], fault)


def _lines(pieces: Iterable[bytes]) -> Iterator[str]:
    """The lines with their ends. What stands before a damaged place is given out before the damage is raised."""
    decoder = codecs.getincrementaldecoder("utf-8-sig")("surrogateescape")
    rest = ""
    damage: PayloadError | None = None
    try:
        for piece in pieces:
            *lines, rest = (rest + decoder.decode(piece)).split("\n")
            yield from (f"{line}\n" for line in lines)
            if len(rest) > LONGEST_LINE:
                raise PayloadError(f"a line is longer than {LONGEST_LINE >> 20} MiB: this is no table")
    except PayloadError as error:
        damage = error
    rest += decoder.decode(b"", final=True)
    if rest:
        yield rest
    if damage:
        raise damage
