"""A payload as the files that it holds: one, or the entries of a zip; and the JSON objects of such a file, counted.

Belongs here: what readers that go file by file, and object by object, would otherwise each write again. What is in a
file, and which key begins a record, is decided in its source's reader.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from pipelines import privacy
from pipelines.errors import PayloadError
from pipelines.formats import json_records, packing
from pipelines.reading import Report

Item = TypeVar("Item")


@dataclass(frozen=True)
class Member:
    """One file. start: its first bytes, without byte-order mark. pieces: begins to read it, from its first byte on."""

    place: str
    start: bytes
    pieces: Callable[[], Iterable[bytes]]


def members(path: Path, name: str, report: Report) -> Iterator[Member]:
    """The files of a payload. An entry of a zip that cannot be unpacked is named in the report.

    Raises PayloadError where there is none, or where nothing of a payload can be unpacked.
    """
    if packing.packing(path) == "zip":
        yield from _entries(path, name, report)
        return
    start = packing.first_bytes(path)
    if not start:
        packing.last_bytes(path)  # names the damage, if that is why there is nothing
        raise PayloadError("the file is empty")
    yield Member(name, start, lambda: packing.chunks(path))


def each_member(path: Path, name: str, report: Report, read: Callable[[Member], Iterator[Item]]) -> Iterator[Item]:
    """What `read` gives of each file of a payload. A PayloadError costs the file that it is about and no other: it is
    named in the report."""
    try:
        for member in members(path, name, report):
            try:
                yield from read(member)
            except PayloadError as error:
                report.reject_payload(member.place, f"{error}.")
    except PayloadError as error:
        report.reject_payload(name, f"{error}.")


def _entries(path: Path, name: str, report: Report) -> Iterator[Member]:
    found = False
    for entry, content in packing.entries(path):
        found = True
        place = privacy.without_mail(f"{name}!{entry}")
        if isinstance(content, str):
            report.reject_payload(place, privacy.without_mail(f"{content}."))
        else:
            start = content.removeprefix(packing.BOM).lstrip()[: 1 << 16]
            yield Member(place, start, lambda content=content: [content])  # type: ignore[misc]
    if not found:
        raise PayloadError("the zip archive holds no file")


def objects(member: Member, form: str, numbers: Iterator[int], report: Report) -> Iterator[tuple[int, dict[str, Any]]]:
    """The JSON objects of a file, each with its number in the payload; one that is broken is a rejected record.

    form: `objects`, `array` or `page`. Objects of one line each are read by lines, so that a broken one costs no other;
    in the other forms that holds for converted records, which begin with `_id`. Raises PayloadError where the file
    ends early.
    """
    by_lines = form == "objects" and not _INDENTED.match(member.start)
    for text, known_fault in _lines(member) if by_lines else _slices(member, form):
        number, fault = next(numbers), known_fault
        if fault is None:
            try:
                found = msgspec.json.decode(text)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                fault = f"the record is not valid JSON ({error})"
            except RecursionError:
                fault = "the record is nested too deeply"
            else:
                if isinstance(found, dict):
                    yield number, found
                    continue
                fault = "what stands here is no record"
        report.records_in += 1
        report.reject_record(f"{member.place}#{number}", fault)


_INDENTED = re.compile(rb"\{\s*?\n")
_CONVERTED_KEY = "_id"
LONGEST_LINE = 256 << 20
"""No record of any register comes near: a longer line is no file of records."""


def _slices(member: Member, form: str) -> Iterator[tuple[bytes, str | None]]:
    for piece in json_records.records(member.pieces(), form, _CONVERTED_KEY):
        yield piece.text, piece.fault


def _lines(member: Member) -> Iterator[tuple[bytes, str | None]]:
    rest = b""
    try:
        for piece in member.pieces():
            *lines, rest = (rest + piece).split(b"\n")
            for line in lines:
                if text := line.removeprefix(packing.BOM).strip():
                    yield text, None
            if len(rest) > LONGEST_LINE:
                raise PayloadError(f"a line is longer than {LONGEST_LINE >> 20} MiB: this is no file of records")
    except PayloadError:
        if rest.strip():
            yield rest[:0], "the record is cut off at the end of the file"
        raise
    if text := rest.removeprefix(packing.BOM).strip():
        yield text, None
