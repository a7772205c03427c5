"""PubMed and MEDLINE XML: baseline and update files, efetch sets, older MedlineCitationSets, single records, books.

This is the full parse: every record of a payload becomes an element tree of its own, is read and thrown away, so that
memory is bounded by the batch. Kept are articles that can say something about a trial (see `_reasons`); the index
names every article, book and deletion, kept or not. Abstracts are searched for registration numbers and not stored,
nor are authors. What is wanted stands in `schemas/reference/publication_types.csv` and `schemas/sources/pubmed.toml`.
How files of a year follow on each other, and which version of an article counts, is no matter of this module.
"""

import functools
import hashlib
import itertools
import re
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import pyarrow as pa
from lxml import etree

from pipelines import privacy, store
from pipelines.contracts import Table, arrow_schema, contracts, ddl
from pipelines.errors import PayloadError
from pipelines.formats import packing, pubmed_articles
from pipelines.reading import SHOWN, Reject, Report

KIND = "articles"
INDEX = "article_index"

BATCH = 500
"""Kept articles that wait in memory before they are written."""
INDEX_BATCH = 10_000

SETS = frozenset({"PubmedArticleSet", "PubmedBookArticleSet", "MedlineCitationSet"})
RECORDS = frozenset({"PubmedArticle", "PubmedBookArticle", "MedlineCitation"})
DELETIONS = frozenset({"DeleteCitation", "DeleteDocument"})

_FILE = re.compile(r"(?:pubmed|medline)(\d\d)n(\d{4,5})(?=\.|$)", re.IGNORECASE)


def file_number(name: str) -> tuple[int, int] | None:
    """Year and number of a yearly baseline's or update's file (`pubmed21n1298.xml.gz` -> 21, 1298); None for others."""
    match = _FILE.match(name.rpartition("/")[2])
    return (int(match[1]), int(match[2])) if match else None


# --- reading --------------------------------------------------------------------------------------------------------


def read(payload: Path, name: str, day: date, out: Path, *, cited: frozenset[int] = frozenset()) -> Report:
    """Reads one payload into the Parquet file `out` (contract articles) and `index.parquet` beside it (article_index).

    name: how the payload is called in the account. day: date of its snapshot, against which dates are judged.
    cited: PMIDs that some registration names; these articles are kept whatever they are.
    """
    report = Report()
    with store.connect(threads=1, memory_limit="512MB", spill=out.parent) as connection:
        account = _Account(connection, name, day, cited, report)
        try:
            _verify(payload)
            for element in _elements(payload):
                account.take(element)
            if not account.position:
                report.notes.append(f"{name} holds no article.")
        except PayloadError as error:
            report.reject_payload(name, f"{error}.")
        account.finish(out)
    return report


class _Account:
    """The account of one payload: takes its elements in order, counts each, and collects the rows of both tables."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, name: str, day: date, cited: frozenset[int], report: Report
    ) -> None:
        self.name, self.day, self.cited, self.report = name, day, cited, report
        self.articles = _Rows(connection, contracts().staging[KIND], BATCH)
        self.index = _Rows(connection, contracts().staging[INDEX], INDEX_BATCH)
        self.position = 0

    def take(self, element: etree._Element) -> None:
        if element.tag in DELETIONS:
            self._delete(element)
        else:
            self._read(pubmed_articles.Record(element, self.day))

    def _read(self, record: pubmed_articles.Record) -> None:
        self.position += 1
        self.report.records_in += 1
        if record.pmid is None:
            fault = "the record's PubMed number is none" if record.pmid_text else "the record has no PubMed number"
            self.report.reject_record(f"{self.name}#{self.position}", fault, privacy.without_mail(record.pmid_text))
            return
        row = pubmed_articles.wanted_row(record, self.name, self.position, self.cited)
        if row:
            self.articles.add(row)
            self.report.staged += 1
        else:
            self.report.not_wanted += 1
        self._list(record.pmid, record.version, record.kind, row is not None)

    def _delete(self, element: etree._Element) -> None:
        for number in element.iterfind("PMID"):
            text = "".join(map(str, number.itertext())).strip()
            pmid = pubmed_articles.pmid_of(text)
            if pmid is None:
                value = privacy.without_mail(text)[:SHOWN]
                # No record: it must not enter the balance of records.
                self.report.rejects.append(Reject("field", self.name, str(element.tag), value, "not a PubMed number"))
                continue
            self.position += 1
            self.report.deletions += 1
            self._list(pmid, pubmed_articles.version_of(number.get("Version", "1")) or 1, "deletion", False)

    def _list(self, pmid: int, version: int, event: str, is_kept: bool) -> None:
        self.index.add(
            {
                "payload": self.name,
                "position": self.position,
                "pmid": pmid,
                "version": version,
                "event": event,
                "is_kept": is_kept,
            }
        )

    def finish(self, out: Path) -> None:
        self.articles.write(out)
        self.index.write(out.with_name("index.parquet"))


@functools.cache
def _schema(table: str) -> pa.Schema:
    return arrow_schema(contracts().staging[table])


class _Rows:
    """Collects the rows of one staging table: batches go into DuckDB, which spills what is too much for memory."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, table: Table, batch: int) -> None:
        self.connection, self.table, self.batch = connection, table, batch
        self.schema = _schema(table.name)
        self.waiting: list[dict[str, Any]] = []
        connection.execute(ddl(table))

    def add(self, row: dict[str, Any]) -> None:
        self.waiting.append(row)
        if len(self.waiting) >= self.batch:
            self._flush()

    def _flush(self) -> None:
        columns = [pa.array([row[column.name] for row in self.waiting], column.type) for column in self.schema]
        self.connection.register("waiting", pa.Table.from_arrays(columns, schema=self.schema))
        self.connection.execute(f'INSERT INTO "{self.table.name}" FROM waiting')
        self.connection.unregister("waiting")
        self.waiting = []

    def write(self, path: Path) -> None:
        self._flush()
        store.write_parquet(self.connection, f'FROM "{self.table.name}"', path)


# --- the elements of a payload --------------------------------------------------------------------------------------

_CHECKSUM = re.compile(r"(?:=\s*|^)([0-9a-fA-F]{32})\b", re.MULTILINE)


def _verify(payload: Path) -> None:
    """Raises PayloadError where a checksum file lies beside the payload and describes another content."""
    side = payload.with_name(payload.name + ".md5")
    if not side.is_file():
        return
    expected = _CHECKSUM.search(side.read_text(encoding="utf-8", errors="replace"))
    if not expected:
        raise PayloadError(f"its checksum file {side.name} holds no MD5: fetch it again, or remove it to do without")
    with payload.open("rb") as handle:
        found = hashlib.file_digest(handle, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    if found != expected[1].lower():
        raise PayloadError(
            f"its MD5 is {found}, its checksum file {side.name} says {expected[1].lower()}: "
            "fetch both again; nothing of it was read"
        )


def _elements(payload: Path) -> Iterator[etree._Element]:
    """Every record and deletion list of the payload. An element is valid until the next one is asked for.

    Raises PayloadError after the last whole element where the payload is damaged.
    """
    if packing.packing(payload) == "zip":
        raise PayloadError("the file is a zip archive: unpack it and import the XML files in it")
    pieces = packing.chunks(payload)
    start = _start(pieces)
    # Neither a DTD nor an entity is loaded, and libxml2's own limits on size and depth hold: a record is far below.
    parser = etree.XMLPullParser(
        events=("end",),
        tag=tuple(sorted(RECORDS | DELETIONS)),
        load_dtd=False,
        no_network=True,
        resolve_entities=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    articles = 0
    for item in _parsed(parser, itertools.chain([start], pieces)):
        if isinstance(item, _Damage):
            raise PayloadError(f"the file is {item.how} after {articles:,} articles, which were read{item.why}")
        articles += item.tag in RECORDS
        yield item


class _Damage(NamedTuple):
    """What stands in the place of the first element that is not whole."""

    how: str
    why: str = ""


def _parsed(parser: etree.XMLPullParser, pieces: Iterable[bytes]) -> Iterator[etree._Element | _Damage]:
    how = "damaged"
    try:
        for piece in pieces:
            parser.feed(piece)
            yield from _ready(parser)
        how = "cut off"
        parser.close()
    except etree.XMLSyntaxError as error:
        yield from _ready(parser)
        yield _Damage(how, f" ({_words(error)})")
    except PayloadError:
        yield _Damage("damaged or cut off")


def _ready(parser: etree.XMLPullParser) -> Iterator[etree._Element]:
    """The elements parsed so far, each thrown away with all before it once it has been used."""
    for _, element in parser.read_events():
        assert isinstance(element, etree._Element)
        parent = element.getparent()
        if not _is_topmost(element, parent):
            continue
        yield element
        element.clear()
        if parent is not None:
            while element.getprevious() is not None:
                del parent[0]


def _is_topmost(element: etree._Element, parent: etree._Element | None) -> bool:
    """Whether it is the root or a child of the set: a PubmedArticle's own MedlineCitation is no record by itself."""
    return parent is None or (parent.getparent() is None and parent.tag in SETS)


_PROLOG = re.compile(
    rb"(?>\s+|<\?.*?\?>|<!--.*?-->|<!DOCTYPE[^\[>]*(?:\[.*?\]\s*)?>)*+<([A-Za-z_][\w:.\-]*)", re.DOTALL | re.IGNORECASE
)


def _start(pieces: Iterator[bytes]) -> bytes:
    """The first bytes of the XML without a byte-order mark and blank lines, which stand before it in some downloads.

    Raises PayloadError where it is no PubMed XML.
    """
    start = b""
    try:
        for piece in pieces:
            start = (start + piece).removeprefix(packing.BOM).lstrip()
            if start:
                break
    except PayloadError as error:
        raise PayloadError("the file is damaged at its very beginning, nothing of it can be read") from error
    if not start:
        raise PayloadError("the file is empty")
    prolog = _PROLOG.match(start)
    if not prolog:
        raise PayloadError(_what_else(start))
    if b"<!ENTITY" in start[: prolog.start(1)].upper():
        raise PayloadError("the file declares entities of its own, which no PubMed file does: it is refused")
    root = prolog[1].decode("ascii", "replace")
    if root.lower() == "html":
        raise PayloadError("the file is an HTML page, not PubMed XML")
    if root not in SETS | RECORDS:
        raise PayloadError(f"the file is XML with the root <{root}>, not a set of PubMed articles")
    return start


def _what_else(start: bytes) -> str:
    if start[:1] in b"{[":
        return "the file is JSON, not PubMed XML"
    if start.startswith(b"PMID-"):
        return "the file is PubMed's text format (nbib), which is not read: download it as XML"
    if packing.looks_like_markup(start):
        return "the file is markup without a set of PubMed articles"
    return "the file is not XML"


def _words(error: etree.XMLSyntaxError) -> str:
    return privacy.without_mail((error.msg or "not well-formed").splitlines()[0])[:SHOWN]
