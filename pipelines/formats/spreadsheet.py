"""Workbooks (XLSX) as rows of text: the first sheet, row by row.

A workbook is a zip of XML; the standard library and lxml read all that a table of values needs. The shared texts of
the workbook are held in memory, the sheet is streamed. Belongs here: what a cell shows. A typed date becomes ISO text
with the parts that its format shows: `2020-04-17`, `2020-04` for `Apr-20`, `--04-17` for `17-Apr`. What a spreadsheet
did to a text when it was typed in or imported is the source's to know, and so are headers and meanings.
"""

import re
import zipfile
import zlib
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import IO, Any, NamedTuple

from lxml import etree

from pipelines.errors import PayloadError
from pipelines.formats import packing

WORKBOOK = "xl/workbook.xml"

ERRORS = frozenset({"#NAME?", "#VALUE!", "#REF!", "#DIV/0!", "#N/A", "#NUM!", "#NULL!"})
"""What stands in a cell whose text the spreadsheet took for a formula: the text is lost."""

MAX_COLUMNS = 16_384
_DATE_FORMATS = {14: "ymd", 15: "ymd", 16: "md", 17: "ym", 22: "ymdt"} | dict.fromkeys([*range(27, 37), 50, 57], "ymd")
"""Formats that have a number instead of a code, and the parts of a date that they show."""
_LITERAL = re.compile(r'"[^"]*"|\\.|_.|\*.|\[[^\]]*\]|General|AM/PM|A/P', re.IGNORECASE)
_MINUTES = re.compile(r"(?<=h)(\W*)m+|m+(?=\W*s)")
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
_PLACE = re.compile(r"([A-Z]{1,3})[0-9]*")


class _Book(NamedTuple):
    """What a sheet's cells refer to. styles: the parts of a date that each style shows, empty for no date."""

    texts: list[str]
    styles: list[str]
    epoch: date


def is_workbook(path: Path) -> bool:
    """Whether a zip archive is a workbook. Raises PayloadError where it cannot be opened."""
    with _opened(path) as archive:
        return WORKBOOK in archive.namelist()


def rows(path: Path) -> Iterator[list[str]]:
    """The rows of the first sheet, empty ones left out; an empty cell is an empty text.

    Raises PayloadError, after the last row that can be read, where the workbook is damaged.
    """
    with _opened(path) as archive:
        try:
            sheet, book = _first_sheet(archive), _book(archive)
            with archive.open(sheet) as handle:
                for row in _elements(handle, "row"):
                    if cells := _cells(row, book):
                        yield cells
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
            raise PayloadError(f"the workbook is damaged ({_words(error)})") from error
        except (etree.XMLSyntaxError, KeyError, ValueError, IndexError) as error:
            raise PayloadError(f"the workbook is damaged or has an unknown shape ({_words(error)})") from error


def _opened(path: Path) -> zipfile.ZipFile:
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError) as error:
        raise PayloadError(f"the workbook cannot be opened ({_words(error)}); it may be cut off") from error
    if any(map(packing.is_bomb, archive.infolist())):
        archive.close()
        raise PayloadError("a part of the workbook unpacks to more than is plausible")
    return archive


def _first_sheet(archive: zipfile.ZipFile) -> str:
    """The name of the part that holds the first sheet."""
    workbook = _tree(archive, WORKBOOK)
    sheet = workbook.find("{*}sheets/{*}sheet")
    if sheet is None:
        raise PayloadError("the workbook has no sheet")
    link = next(value for name, value in sheet.attrib.items() if str(name).endswith("}id"))
    for relation in _tree(archive, "xl/_rels/workbook.xml.rels"):
        if relation.get("Id") == link:
            target = relation.get("Target", "")
            return target.removeprefix("/") if target.startswith("/") else f"xl/{target}"
    raise PayloadError("the workbook names a sheet that it does not hold")


def _book(archive: zipfile.ZipFile) -> _Book:
    names = set(archive.namelist())
    texts: list[str] = []
    if "xl/sharedStrings.xml" in names:
        with archive.open("xl/sharedStrings.xml") as handle:
            texts = [_text(item) for item in _elements(handle, "si")]
    styles = _styles(_tree(archive, "xl/styles.xml")) if "xl/styles.xml" in names else []
    settings = _tree(archive, WORKBOOK).find("{*}workbookPr")
    since_1904 = settings is not None and settings.get("date1904", "0") in {"1", "true"}
    return _Book(texts, styles, date(1904, 1, 1) if since_1904 else date(1899, 12, 30))


def _tree(archive: zipfile.ZipFile, name: str) -> etree._Element:
    root: etree._Element = etree.fromstring(archive.read(name), _safe(etree.XMLParser))
    return root


def _safe(parser: Any, **options: Any) -> Any:
    """A parser that loads nothing from elsewhere."""
    return parser(resolve_entities=False, no_network=True, huge_tree=False, load_dtd=False, **options)


def _elements(handle: IO[bytes], tag: str) -> Iterator[etree._Element]:
    """The elements of one name, each thrown away with all before it once it has been used."""
    for _, element in _safe(etree.iterparse, source=handle, events=("end",), tag=f"{{*}}{tag}"):
        yield element
        element.clear()
        while element.getprevious() is not None:
            del element.getparent()[0]


def _text(item: etree._Element) -> str:
    """The text of a string item: its runs, without the phonetic reading that stands beside some."""
    runs = [
        run for part in item if _is(part, "t", "r") for run in ([part] if _is(part, "t") else part) if _is(run, "t")
    ]
    text = "".join(run.text or "" for run in runs)
    return _ESCAPED.sub(lambda match: chr(int(match[1], 16)), text) if "_x" in text else text


def _is(element: etree._Element, *names: str) -> bool:
    """Whether it has one of the names, in whichever namespace: two are in use."""
    return str(element.tag).rpartition("}")[2] in names


def _styles(sheet: etree._Element) -> list[str]:
    codes = {int(e.get("numFmtId", "0")): e.get("formatCode", "") for e in sheet.iterfind("{*}numFmts/{*}numFmt")}
    used = [int(e.get("numFmtId", "0")) for e in sheet.iterfind("{*}cellXfs/{*}xf")]
    return [_shown(codes[number]) if number in codes else _DATE_FORMATS.get(number, "") for number in used]


def _shown(code: str) -> str:
    """The parts of a date that a format code shows: of `ymdt`, empty where it shows no date."""
    plain = _MINUTES.sub("", _LITERAL.sub("", code.split(";")[0]).lower())
    parts = "".join(part for part in "ymd" if part in plain)
    return parts + ("t" if parts and re.search("[hs]", plain) else "")


def _cells(row: etree._Element, book: _Book) -> list[str]:
    """The row's cells by their place; empty where none of them holds anything."""
    cells: list[str] = []
    for cell in row.iterfind("{*}c"):
        at = _column(cell.get("r", ""), len(cells))
        cells += [""] * (at + 1 - len(cells))
        cells[at] = _value(cell, book)
    return cells if any(cells) else []


def _column(place: str, following: int) -> int:
    """The column of `AN12`, from 0; a cell without a place follows the one before."""
    match = _PLACE.match(place)
    if not match:
        return following
    column = 0
    for letter in match[1]:
        column = column * 26 + ord(letter) - ord("A") + 1
    if column > MAX_COLUMNS:
        raise ValueError(f"no such column: {match[1]}")
    return column - 1


def _value(cell: etree._Element, book: _Book) -> str:
    kind = cell.get("t", "n")
    if kind == "inlineStr":
        item = cell.find("{*}is")
        return "" if item is None else _text(item)
    value = cell.findtext("{*}v") or ""
    if not value:
        return ""
    if kind == "s":
        return book.texts[int(value)]
    if kind == "b":
        return "true" if value == "1" else "false"
    return _number(value, cell.get("s", ""), book) if kind == "n" else value


def _number(value: str, style: str, book: _Book) -> str:
    """A number as text, or the date that it stands for."""
    number = float(value)
    shown = book.styles[int(style)] if style else ""
    if shown and 0 <= number < 2_958_466:  # 31 December 9999
        return _date(number, shown, book.epoch)
    return str(int(number)) if number.is_integer() and abs(number) < 1e15 else value


def _date(serial: float, shown: str, epoch: date) -> str:
    # The first two months of the calendar from 1900 are one day off: it has a 29 February 1900.
    days = int(serial) + (1 if epoch.year == 1899 and serial < 60 else 0)
    moment = datetime(epoch.year, epoch.month, epoch.day) + timedelta(days=days)  # noqa: DTZ001 - no zone is stored
    if shown.endswith("t") and serial % 1:
        return (moment + timedelta(seconds=round(serial % 1 * 86_400))).isoformat(sep=" ")
    text = moment.date().isoformat()
    return {"ym": text[:7], "md": f"-{text[4:]}"}.get(shown, text)


def _words(error: BaseException) -> str:
    return str(error).splitlines()[0][:200] if str(error) else type(error).__name__
