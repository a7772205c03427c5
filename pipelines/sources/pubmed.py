"""PubMed and MEDLINE XML: baseline and update files, efetch sets, older MedlineCitationSets, single records, books.

Here stand the account of a payload and its two readers, which give the same. The full parse makes every record an
element tree of its own, reads it and throws it away. The candidate reader cuts a packed file into articles by their
bytes (`pubmed_scan`), parses those alone that may say something about a trial, and leaves to the full parse whatever is
not of the regular form. The index names every article, book and deletion, kept or not. What an article says, and why
one is kept, stands in `pubmed_articles`. How files of a year follow on each other, and which version of an article
counts, is no matter of this module.

What neither the checksum in a gzip nor the count of tags can show is markup that its publisher broke inside an article
that is passed by, or inside the authors and references of any: names and nesting of tags, attributes, entities. There
the candidate reader reads on, while the full parse would stop at the article and reject the rest of the file.
"""

import functools
import hashlib
import itertools
import re
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from lxml import etree
from numpy.typing import NDArray

from pipelines import privacy, store
from pipelines.contracts import arrow_schema, contracts
from pipelines.errors import PayloadError
from pipelines.formats import packing, pubmed_articles, pubmed_scan
from pipelines.formats.pubmed_scan import IrregularError, Sifted
from pipelines.reading import SHOWN, Reject, Report

KIND = "articles"
INDEX = "article_index"

PIECE = 1 << 20
"""Bytes that are unpacked and scanned at a time: they stay in the processor's cache."""
BATCH = 500
"""Kept articles that wait in memory before they are written."""
INDEX_BATCH = 10_000
EVENTS = ("article", "book", "deletion")
INDEX_TYPES = {"position": np.int64, "pmid": np.int64, "version": np.int32, "event": np.int8, "is_kept": np.bool_}
"""The columns of the index in memory: `event` is the place in EVENTS, and the payload is one for all."""

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
    # The checksum in a gzip proves its bytes to the last; of a plain file nothing does, so it is parsed.
    if packing.packing(payload) == "gzip":
        try:
            return _account_of(_take_candidates, payload, name, day, out, cited)
        except (PayloadError, IrregularError):
            pass  # the full parse meets the same place, and names it
    return read_whole(payload, name, day, out, cited=cited)


def read_whole(payload: Path, name: str, day: date, out: Path, *, cited: frozenset[int] = frozenset()) -> Report:
    """The same by parsing every record: what `read` must equal, and falls back to."""

    def take(account: _Account, payload: Path) -> None:
        try:
            _take_all(account, payload)
        except PayloadError as error:
            account.report.reject_payload(name, f"{error}.")

    return _account_of(take, payload, name, day, out, cited)


def _account_of(
    take: Callable[["_Account", Path], None], payload: Path, name: str, day: date, out: Path, cited: frozenset[int]
) -> Report:
    report = Report()
    index = out.with_name("index.parquet")
    with store.arrow_writer(_schema(KIND), out) as articles, store.arrow_writer(_schema(INDEX), index) as entries:
        account = _Account(articles, entries, name, day, cited, report)
        take(account, payload)
        if not (account.position or report.rejects):
            report.notes.append(f"{name} holds no article.")
        account.finish()
    return report


def _take_all(account: "_Account", payload: Path) -> None:
    _verify(payload)
    for element in _elements(payload):
        account.take(element)


def _take_candidates(account: "_Account", payload: Path) -> None:
    """Parses the candidates alone. What follows the last regular article, the deletions at least, is parsed as well.

    Raises PayloadError or IrregularError where the payload is damaged or not of the regular form.
    """
    _verify(payload)
    try:
        with packing.unpacked(payload) as unpacked:
            _take_sifted(account, unpacked)
    except packing.BROKEN_GZIP as error:
        raise IrregularError from error


def _take_sifted(account: "_Account", unpacked: BinaryIO) -> None:
    pieces = iter(lambda: unpacked.read(PIECE), b"")
    start = _start(pieces)
    begin = pubmed_scan.after_prolog(start)
    prolog = start[:begin]
    for sifted in pubmed_scan.sift(start[begin:], unpacked, PIECE, account.cited):
        if isinstance(sifted, bytes):
            for item in _parsed(_parser(), itertools.chain([prolog + sifted], pieces)):
                if isinstance(item, _Damage):
                    raise IrregularError
                account.take(item)
        else:
            account.take_sifted(sifted, prolog)


class _Account:
    """The account of one payload: takes its elements in order, counts each, and collects the rows of both tables."""

    def __init__(
        self,
        articles: pq.ParquetWriter,
        entries: pq.ParquetWriter,
        name: str,
        day: date,
        cited: frozenset[int],
        report: Report,
    ) -> None:
        self.name, self.day, self.cited, self.report = name, day, cited, report
        self.articles = _Rows(articles)
        self.index = _Index(entries, name)
        self.position = 0

    def take(self, element: etree._Element) -> None:
        if element.tag in DELETIONS:
            self._delete(element)
            return
        record = pubmed_articles.Record(element, self.day)
        self.position += 1
        is_kept = self._read(record)
        if record.pmid is not None:
            self.index.add(self.position, record.pmid, record.version, record.kind, is_kept)

    def take_sifted(self, sifted: Sifted, prolog: bytes) -> None:
        """Articles of which only the candidates are parsed."""
        first = self.position + 1
        pmids, versions = sifted.pmids, sifted.versions
        is_kept = np.zeros(len(pmids), bool)
        for place, content in sifted.candidates.items():
            record = pubmed_articles.Record(_alone(prolog, content), self.day)
            self.position = first + place
            is_kept[place] = self._read(record)
            pmids[place], versions[place] = record.pmid or 0, record.version
        passed_by = len(pmids) - len(sifted.candidates)
        self.report.records_in += passed_by
        self.report.not_wanted += passed_by
        self.position = first + len(pmids) - 1
        self.index.add_articles(first, pmids, versions, is_kept)

    def _read(self, record: pubmed_articles.Record) -> bool:
        """Counts the record at the present position; whether it is kept."""
        self.report.records_in += 1
        if record.pmid is None:
            fault = "the record's PubMed number is none" if record.pmid_text else "the record has no PubMed number"
            self.report.reject_record(f"{self.name}#{self.position}", fault, privacy.without_mail(record.pmid_text))
            return False
        row = pubmed_articles.wanted_row(record, self.name, self.position, self.cited)
        if row is None:
            self.report.not_wanted += 1
            return False
        self.articles.add(row)
        self.report.staged += 1
        return True

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
            version = pubmed_articles.version_of(number.get("Version", "1")) or 1
            self.index.add(self.position, pmid, version, "deletion", False)

    def finish(self) -> None:
        self.articles.write()
        self.index.write()


@functools.cache
def _schema(table: str) -> pa.Schema:
    return arrow_schema(contracts().staging[table])


class _Index:
    """Collects the index of one payload by columns, a few bytes an entry."""

    def __init__(self, writer: pq.ParquetWriter, payload: str) -> None:
        self.writer, self.payload = writer, payload
        self.parts: list[tuple[NDArray[Any], ...]] = []
        self.waiting: list[tuple[int, int, int, int, bool]] = []

    def add(self, position: int, pmid: int, version: int, event: str, is_kept: bool) -> None:
        self.waiting.append((position, pmid, version, EVENTS.index(event), is_kept))
        if len(self.waiting) >= INDEX_BATCH:
            self._pack()

    def add_articles(
        self, first: int, pmids: NDArray[np.int64], versions: NDArray[np.int64], is_kept: NDArray[np.bool_]
    ) -> None:
        """Consecutive articles; one without a number is rejected and has no entry."""
        self._pack()
        columns = (np.arange(first, first + len(pmids)), pmids, versions, np.zeros(len(pmids), np.int8), is_kept)
        self._keep(columns if pmids.all() else tuple(column[pmids > 0] for column in columns))

    def _pack(self) -> None:
        if self.waiting:
            self._keep(tuple(map(np.array, zip(*self.waiting, strict=True))))
            self.waiting = []

    def _keep(self, columns: tuple[NDArray[Any], ...]) -> None:
        self.parts.append(
            tuple(column.astype(type_) for column, type_ in zip(columns, INDEX_TYPES.values(), strict=True))
        )

    def write(self) -> None:
        self._pack()
        self._keep(tuple(np.empty(0) for _ in INDEX_TYPES))
        columns = dict(zip(INDEX_TYPES, map(np.concatenate, zip(*self.parts, strict=True)), strict=True))
        columns["event"] = np.array(EVENTS)[columns["event"]]
        arrays = [pa.repeat(self.payload, len(columns["event"])), *map(pa.array, columns.values())]
        self.writer.write_table(pa.Table.from_arrays(arrays, schema=self.writer.schema), store.ROW_GROUP)


class _Rows:
    """Writes the rows of kept articles as they come, so many at a time."""

    def __init__(self, writer: pq.ParquetWriter) -> None:
        self.writer = writer
        self.waiting: list[dict[str, Any]] = []

    def add(self, row: dict[str, Any]) -> None:
        self.waiting.append(row)
        if len(self.waiting) >= BATCH:
            self.write()

    def write(self) -> None:
        """Writes what waits."""
        schema = self.writer.schema
        columns = [pa.array([row[column.name] for row in self.waiting], column.type) for column in schema]
        self.writer.write_table(pa.Table.from_arrays(columns, schema=schema))
        self.waiting = []


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
    articles = 0
    for item in _parsed(_parser(), itertools.chain([start], pieces)):
        if isinstance(item, _Damage):
            raise PayloadError(f"the file is {item.how} after {articles:,} articles, which were read{item.why}")
        articles += item.tag in RECORDS
        yield item


_SAFE: dict[str, Any] = {
    # Neither a DTD nor an entity is loaded, and libxml2's own limits on size and depth hold: a record is far below.
    "load_dtd": False,
    "no_network": True,
    "resolve_entities": False,
    "huge_tree": False,
    "remove_comments": True,
    "remove_pis": True,
}


def _parser() -> etree.XMLPullParser:
    return etree.XMLPullParser(events=("end",), tag=tuple(sorted(RECORDS | DELETIONS)), **_SAFE)


@functools.cache
def _parser_of_one() -> etree.XMLParser:
    return etree.XMLParser(**_SAFE)


def _alone(prolog: bytes, content: bytes) -> etree._Element:
    """The one article that the bytes are, parsed behind the prolog of their file as the full parse would."""
    try:
        root = etree.fromstring(prolog + content + b"</PubmedArticleSet>", _parser_of_one())
    except etree.XMLSyntaxError as error:
        raise IrregularError from error
    found: list[etree._Element] = list(root)
    if [element.tag for element in found] != ["PubmedArticle"]:
        raise IrregularError
    return found[0]


class _Damage(NamedTuple):
    """What stands in the place of the first element that is not whole."""

    how: str
    why: str = ""


LONGEST = 8 << 20
"""No article comes near this; until one is whole all of it is in memory, many times as large."""


def _parsed(parser: etree.XMLPullParser, pieces: Iterable[bytes]) -> Iterator[etree._Element | _Damage]:
    how, fed = "damaged", 0
    try:
        for piece in pieces:
            parser.feed(piece)
            fed += len(piece)
            for element in _ready(parser):
                fed = 0
                yield element
            if fed > LONGEST:
                yield _Damage(how, f" (nothing in {LONGEST >> 20} MiB is an article)")
                return
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
