"""One PubMed record as a row: its fields, dates and registration numbers, and the reasons to keep it.

Belongs here: what an element tree of one article or book says, whoever cut it out of its file. Does not belong here:
how the bytes of a file are taken apart, and what the account of a payload is (`sources/pubmed`). Abstracts are searched
for registration numbers and not stored, nor are authors. What is wanted stands in
`schemas/reference/publication_types.csv` and `schemas/sources/pubmed.toml`.
"""

import csv
import functools
import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

import msgspec
from lxml import etree

from pipelines import dates, privacy, trn
from pipelines.contracts import contracts
from pipelines.dates import PartialDate
from pipelines.reading import SHOWN
from pipelines.settings import SCHEMAS

KIND = "articles"
"""The staging contract whose columns a row has."""

# --- what is wanted -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class PublicationType:
    """What a publication type means here; a type with two labels in the course of time has two rows. ui: empty where we
    know it by its label alone."""

    ui: str
    label: str
    is_trial: bool
    is_notice: bool


@functools.cache
def publication_types() -> dict[str, PublicationType]:
    """The known publication types by number and by label in lower case."""
    known: dict[str, PublicationType] = {}
    with (SCHEMAS / "reference" / "publication_types.csv").open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            type_ = PublicationType(row["ui"], row["label"], row["is_trial"] == "true", row["is_notice"] == "true")
            known[type_.label.lower()] = type_
            if type_.ui:
                known[type_.ui] = type_
    return known


@functools.cache
def _notice_kinds() -> frozenset[str]:
    """The RefTypes that stand on a notice about another article."""
    return frozenset(contracts().sources["pubmed"].words["notice"])


# --- one record -----------------------------------------------------------------------------------------------------

MAX_PMID = 10**10
MAX_VERSION = 10_000

_DIGITS = re.compile(r"[0-9]{1,12}")
_NOTHING = etree.Element("nothing")
_FOOTNOTES = frozenset({"sup", "sub"})


class _Fault(NamedTuple):
    """A field whose value could not be taken over."""

    field: str
    value: str
    reason: str


@dataclass
class Record:
    """One article or book: where its parts stand, and the faults found in reading them.

    citation: MedlineCitation or BookDocument. body: the element with title and abstract. data: PubmedData or
    PubmedBookData. Only direct children are asked for a PMID or identifiers: corrections and references have their own.
    """

    element: etree._Element
    day: date
    faults: list[_Fault] = field(default_factory=list)

    def __post_init__(self) -> None:
        is_book = self.element.tag == "PubmedBookArticle"
        bare = self.element.tag == "MedlineCitation"
        self.kind = "book" if is_book else "article"
        self.citation = self.element if bare else self._child("BookDocument" if is_book else "MedlineCitation")
        self.data = _NOTHING if bare else self._child("PubmedBookData" if is_book else "PubmedData")
        self.body = self.citation if is_book else _or_nothing(self.citation.find("Article"))
        number = self.citation.find("PMID")
        self.pmid_text = "" if number is None else _text(number).strip()
        self.pmid = pmid_of(self.pmid_text)
        self.version = self._version(number)

    def _child(self, tag: str) -> etree._Element:
        return _or_nothing(self.element.find(tag))

    def _version(self, number: etree._Element | None) -> int:
        written = "1" if number is None else number.get("Version", "1")
        version = version_of(written)
        if version is None:
            self.fault("PMID.@Version", written, "not a version number, taken as 1")
        return version or 1

    def fault(self, path: str, value: str, reason: str) -> None:
        self.faults.append(_Fault(path, privacy.without_mail(value)[:SHOWN], reason))

    @functools.cached_property
    def history(self) -> dict[str, list[etree._Element]]:
        """The record's history by the kinds of its dates, most of which nobody asks for."""
        found: dict[str, list[etree._Element]] = {}
        for element in self.data.iterfind("History/PubMedPubDate"):
            found.setdefault(element.get("PubStatus", ""), []).append(element)
        return found

    @functools.cached_property
    def types(self) -> list[dict[str, str | None]]:
        """Publication types. Records of before 2013 have no numbers: a known label gets its number."""
        path = "PublicationType" if self.kind == "book" else "PublicationTypeList/PublicationType"
        types = []
        for element in self.body.iterfind(path):
            label = _folded(_text(element))
            known = publication_types().get((label or "").lower())
            ui = element.get("UI") or (known.ui if known else None)
            types.append({"ui": _clean(ui), "label": _clean(label)})
        return types

    @functools.cached_property
    def related(self) -> list[dict[str, Any]]:
        """Other articles it is tied to, each once; cited works, which are references, are left out."""
        ties = {}
        for element in self.citation.iterfind("CommentsCorrectionsList/CommentsCorrections"):
            kind = element.get("RefType", "")
            if kind and kind != "Cites":
                pmid = pmid_of((element.findtext("PMID") or "").strip())
                ties[kind, pmid] = {"kind": _clean(kind), "pmid": pmid}
        return list(ties.values())

    @functools.cached_property
    def abstracts(self) -> list[str]:
        """Each part of the abstract and of other abstracts, with its label: a label can hold the register's name."""
        parts = []
        for element in (
            *self.body.iterfind("Abstract/AbstractText"),
            *self.citation.iterfind("OtherAbstract/AbstractText"),
        ):
            label = element.get("Label")
            text = _searchable(element)
            parts.append(f"{label}: {text}" if label else text)
        return parts

    @property
    def has_abstract(self) -> bool:
        paths = ((self.body, "Abstract/AbstractText"), (self.citation, "OtherAbstract/AbstractText"))
        return any(_text(element).strip() for parent, path in paths for element in parent.iterfind(path))

    @property
    def titles(self) -> list[etree._Element]:
        found = (
            self.body.find("ArticleTitle"),
            self.body.find("VernacularTitle"),
            self.citation.find("Book/BookTitle"),
        )
        return [element for element in found if element is not None]


def _or_nothing(element: etree._Element | None) -> etree._Element:
    return _NOTHING if element is None else element


def pmid_of(text: str) -> int | None:
    return _positive(text, MAX_PMID)


def version_of(text: str) -> int | None:
    return _positive(text, MAX_VERSION)


def _positive(text: str, bound: int) -> int | None:
    """The number above 0 that the text is, up to a bound which keeps nonsense out of the column."""
    number = int(text) if _DIGITS.fullmatch(text) else 0
    return number if 0 < number < bound else None


def _text(element: etree._Element) -> str:
    """All text of an element, that of inline markup included."""
    return "".join(map(str, element.itertext())) if len(element) else element.text or ""


def _searchable(element: etree._Element) -> str:
    """The same with a space round superscripts and subscripts: a footnote's digit is no part of the number before."""
    return "".join(_spaced(element)) if len(element) else element.text or ""


def _spaced(element: etree._Element) -> Iterator[str]:
    space = " " if element.tag in _FOOTNOTES else ""
    yield space + (element.text or "")
    for child in element:
        yield from _spaced(child)
        yield child.tail or ""
    yield space


def _folded(text: str | None) -> str | None:
    """White space folded; nothing but white space is nothing."""
    return " ".join(text.split()) or None if text else None


def _clean(text: str | None) -> str | None:
    return privacy.without_mail(text) if text else None


# --- numbers and reasons to keep ------------------------------------------------------------------------------------

_BREAK = " | "
"""Between parts of a text: no number reaches over it."""


def _numbers(record: Record) -> list[dict[str, Any]]:
    """The registration numbers of the record, distinct by (number, section, raw), in the order of their places."""
    found: dict[tuple[str | None, str, str], dict[str, Any]] = {}
    for section, hits in (
        ("title", trn.find(_BREAK.join(map(_searchable, record.titles)))),
        ("abstract", trn.find(_BREAK.join(record.abstracts))),
        ("data_bank", _bank_hits(record)),
    ):
        for hit in hits:
            number = hit.canonical if hit.kind == "number" else None
            raw = privacy.without_mail(hit.raw)[:SHOWN]
            found[number, section, raw] = {
                "number": number,
                "registry": hit.registry,
                "section": section,
                "raw": raw,
                "is_malformed": number is None,
            }
    return list(found.values())


def _bank_hits(record: Record) -> Iterator[trn.Hit]:
    """What stands in data banks that are registries; others hold sequences and data sets."""
    for bank in record.body.iterfind("DataBankList/DataBank"):
        name = _text(_or_nothing(bank.find("DataBankName")))
        for accession in bank.iterfind("AccessionNumberList/AccessionNumber"):
            yield from trn.in_data_bank(name, _text(accession))


def _reasons(record: Record, numbers: Iterable[dict[str, Any]], cited: frozenset[int]) -> list[str]:
    """Why the article is kept; empty: it is not. A look-alike in title or abstract alone is no reason."""
    known = publication_types()
    kinds = [known.get(t["ui"] or "") or known.get((t["label"] or "").lower()) for t in record.types]
    reasons = {
        "number": any(n["section"] != "data_bank" and not n["is_malformed"] for n in numbers),
        "data_bank": any(n["section"] == "data_bank" for n in numbers),
        "trial_type": any(kind and kind.is_trial for kind in kinds),
        "notice": any(kind and kind.is_notice for kind in kinds)
        or any(tie["kind"] in _notice_kinds() for tie in record.related),
        "cited": record.pmid in cited,
    }
    return [reason for reason, holds in reasons.items() if holds]


# --- the row --------------------------------------------------------------------------------------------------------


def wanted_row(record: Record, payload: str, position: int, cited: frozenset[int]) -> dict[str, Any] | None:
    """The row of the staging contract; None where nothing speaks for keeping the article.

    cited: PMIDs that some registration names; these articles are kept whatever they are.
    """
    numbers = _numbers(record)
    reasons = _reasons(record, numbers, cited)
    return _row(record, numbers, reasons, payload, position) if reasons else None


_OUTSIDE = frozenset({"payload", "record_number", "wanted", "pattern_version", "content_hash", "rejects"})
"""Columns that say nothing about the article itself."""


@functools.cache
def _content_columns() -> tuple[str, ...]:
    return tuple(name for name in contracts().staging[KIND].column_names if name not in _OUTSIDE)


def _row(
    record: Record, numbers: list[dict[str, Any]], reasons: list[str], payload: str, position: int
) -> dict[str, Any]:
    electronic, printed = _electronic(record), _printed(record)
    row = {
        "payload": payload,
        "record_number": position,
        "pmid": record.pmid,
        "version": record.version,
        "record_kind": record.kind,
        "citation_status": _clean(record.citation.get("Status")),
        "revised": _exact_day(record, "DateRevised") or _exact_day(record, "DateCompleted"),
        "entered": _entered(record),
        "doi": _doi(record),
        "pmcid": _pmcid(record),
        "title": _title(record),
        "journal": _journal(record),
        "language": _clean("|".join(_texts(record.body.iterfind("Language")))),
        **_date_columns("electronic", electronic),
        **_date_columns("print", printed),
        **_date_columns("published", earlier(electronic, printed)),
        "types": record.types,
        "has_abstract": record.has_abstract,
        "is_human": _is_human(record),
        "numbers": numbers,
        "related": record.related,
        "wanted": reasons,
        "pattern_version": trn.PATTERN_VERSION,
    }
    content = msgspec.json.encode([row[name] for name in _content_columns()])
    row["content_hash"] = hashlib.md5(content, usedforsecurity=False).hexdigest()
    row["rejects"] = [fault._asdict() for fault in record.faults]
    return row


def _texts(elements: Iterable[etree._Element]) -> list[str]:
    return [text for element in elements if (text := _folded(_text(element)))]


def _title(record: Record) -> str | None:
    """The first of title, original title and the book's title that says anything."""
    return _clean(next(iter(_texts(record.titles)), None))


def _journal(record: Record) -> str | None:
    names = (record.citation.find("MedlineJournalInfo/MedlineTA"), record.body.find("Journal/Title"))
    return _clean(next(iter(_texts(name for name in names if name is not None)), None))


def _is_human(record: Record) -> bool | None:
    headings = list(record.citation.iterfind("MeshHeadingList/MeshHeading/DescriptorName"))
    if not headings:
        return None
    return any(heading.get("UI") == "D006801" or heading.text in {"Humans", "Human"} for heading in headings)


_DOI_PREFIX = re.compile(r"(?:https?://(?:dx\.)?doi\.org/|doi:\s*)")
_PMCID = re.compile(r"PMC[0-9]{1,12}")


def _article_ids(record: Record, *kinds: str) -> Iterator[str]:
    """The record's own identifiers of the given kinds, in this order of kinds."""
    own = [*record.data.iterfind("ArticleIdList/ArticleId")]
    if record.kind == "book":
        own += record.citation.iterfind("ArticleIdList/ArticleId")
    for kind in kinds:
        yield from _texts(element for element in own if element.get("IdType") == kind)


def _doi(record: Record) -> str | None:
    """The first DOI that the publisher has not marked as wrong, in lower case."""
    locations = [e for e in record.body.iterfind("ELocationID") if e.get("EIdType") == "doi"]
    wrong = {_bare_doi(text) for text in _texts(e for e in locations if e.get("ValidYN") == "N")}
    for text in (*_article_ids(record, "doi"), *_texts(e for e in locations if e.get("ValidYN") != "N")):
        doi = _bare_doi(text)
        if doi in wrong:
            continue
        if doi.startswith("10.") and "/" in doi:
            return _clean(doi)
        record.fault("doi", text, "not a DOI")
    return None


def _bare_doi(text: str) -> str:
    return _DOI_PREFIX.sub("", text.lower(), count=1)


def _pmcid(record: Record) -> str | None:
    for text in _article_ids(record, "pmc", "pmcid"):
        if match := _PMCID.search(text.upper()):
            return match[0]
        record.fault("pmcid", text, "not a PubMed Central number")
    return None


# --- dates ----------------------------------------------------------------------------------------------------------

ABSENT = PartialDate(None, "none", None, None)

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            ("jan", "january"),
            ("feb", "february"),
            ("mar", "march"),
            ("apr", "april"),
            ("may",),
            ("jun", "june"),
            ("jul", "july"),
            ("aug", "august"),
            ("sep", "sept", "september"),
            ("oct", "october"),
            ("nov", "november"),
            ("dec", "december"),
        ),
        1,
    )
    for name in names
}
_SEASONS = {
    "spring": (3, 5),
    "summer": (6, 8),
    "autumn": (9, 11),
    "fall": (9, 11),
    # A winter issue of 2000 can be of January (the winter that 1999 began) or of December (the winter of 2000/01):
    # only the whole year cannot be wrong.
    "winter": (1, 12),
}
"""First and last month, by the seasons of the northern hemisphere, where the journals that use them appear."""

_FIGURES = re.compile(r"[0-9]{1,2}")
ONLY_YEAR = "only its year was understood"


def _date_columns(name: str, day: PartialDate) -> dict[str, Any]:
    return {
        f"{name}_raw": _clean(day.raw),
        f"{name}_precision": day.precision,
        f"{name}_earliest": day.earliest,
        f"{name}_latest": day.latest,
        f"{name}_type": None,
    }


def earlier(one: PartialDate, other: PartialDate) -> PartialDate:
    """The earlier of two partial dates; `one` where nothing tells them apart.

    An exact day wins over an interval that contains it, which is the same event told less exactly.
    """
    if one.earliest is None or other.earliest is None:
        return other if other.earliest or one.raw is None else one
    for exact, wide in ((one, other), (other, one)):
        if exact.precision == "day" and _contains(wide, exact.earliest):
            return exact
    return min((one, other), key=lambda d: (d.earliest, d.latest))


def _contains(interval: PartialDate, day: date | None) -> bool:
    earliest, latest = interval.earliest, interval.latest
    return bool(day and earliest and latest and earliest != latest and earliest <= day <= latest)


def _electronic(record: Record) -> PartialDate:
    """ArticleDate, whose type is Electronic also where it is not written: the DTD, which is not loaded, fixes it."""
    written = record.body.iterfind("ArticleDate")
    found = (("ArticleDate", _of_parts(e, record.day)) for e in written if e.get("DateType", "") in {"", "Electronic"})
    return _earliest(record, (*found, *_history(record, "epublish")))


def _printed(record: Record) -> PartialDate:
    path = "Book/PubDate" if record.kind == "book" else "Journal/JournalIssue/PubDate"
    issue = record.body.find(path)
    found = [] if issue is None else [("PubDate", issue_date(issue, record.day))]
    return _earliest(record, (*found, *_history(record, "ppublish")))


def _history(record: Record, status: str) -> list[tuple[str, PartialDate]]:
    return [(f"History.{status}", _of_parts(element, record.day)) for element in record.history.get(status, [])]


def _earliest(record: Record, candidates: Iterable[tuple[str, PartialDate]]) -> PartialDate:
    """The earliest date that can be used, else the first that was written; faults are named."""
    found = ABSENT
    for path, day in candidates:
        if day.fault:
            record.fault(path, day.raw or "", day.fault)
        found = earlier(found, day)
    return found


def _exact_day(record: Record, path: str) -> date | None:
    element = record.citation.find(path)
    return None if element is None else _judged(record, path, _of_parts(element, record.day))


def _entered(record: Record) -> date | None:
    days = (_judged(record, path, day) for path, day in _history(record, "entrez"))
    return next(filter(None, days), None)


def _judged(record: Record, path: str, day: PartialDate) -> date | None:
    if day.precision == "day" and not day.fault:
        return day.earliest
    if day.raw:
        record.fault(path, day.raw, day.fault or "not an exact day")
    return None


def _of_parts(element: etree._Element, reference: date) -> PartialDate:
    """The date of an element with Year, Month and Day, any of which may be missing."""
    written = {part.tag: part.text for part in reversed(element)}  # of two the first counts
    year, month, day = map(written.get, ("Year", "Month", "Day"))
    return parts(_folded(year) or "", _folded(month) or "", _folded(day) or "", reference)


@functools.lru_cache(maxsize=1 << 15)
def parts(year: str, month: str, day: str, reference: date) -> PartialDate:
    """The partial date of its written parts; a month is a figure or an English name."""
    written = [part for part in (year, month, day) if part]
    if not written:
        return ABSENT
    raw = ("-" if all(map(_DIGITS.fullmatch, written)) else " ").join(written)
    if not _is_year(year):
        return PartialDate(raw, "none", None, None, "it has no year")
    number = _MONTHS.get(month.lower().rstrip(".")) or (int(month) if _FIGURES.fullmatch(month) else None)
    if (month and number is None) or (day and not (month and _FIGURES.fullmatch(day))):
        return _whole_year(raw, year, reference)
    if number == 0 or (day and int(day) == 0):  # `interval` reads 0 as absent
        return PartialDate(raw, "none", None, None, "not a day of the calendar")
    return dates.interval(raw, int(year), number, int(day) if day else None, reference)


def _is_year(text: str) -> bool:
    return len(text) == 4 and _DIGITS.fullmatch(text) is not None


def _whole_year(raw: str, year: str, reference: date) -> PartialDate:
    found = dates.interval(raw, int(year), None, None, reference)
    return PartialDate(raw, found.precision, found.earliest, found.latest, found.fault or ONLY_YEAR)


def issue_date(element: etree._Element, reference: date) -> PartialDate:
    """The date of a journal issue: year with month, day or season, or free text in MedlineDate."""
    if free := _folded(element.findtext("MedlineDate")):
        return medline_date(free, reference)
    if season := _folded(element.findtext("Season")):
        year = _folded(element.findtext("Year")) or ""
        return medline_date(f"{year} {season}".strip(), reference)
    return _of_parts(element, reference)


_ISO_LIKE = re.compile(r"([0-9]{4})[-/]([0-9]{2}|[A-Za-z]{3,9})(?:[-/]([0-9]{1,2}))?")
_RANGE = re.compile(r"\s*(?:[-‐-―/&]|\bto\b|\band\b)\s*", re.IGNORECASE)
_YEARS = re.compile(r"(?<![0-9])[0-9]{4}(?![0-9])")


class _End(NamedTuple):
    """One end of a range as written: what it does not say is taken from the other end."""

    year: int | None = None
    first_month: int | None = None
    last_month: int | None = None
    day: int | None = None


@functools.lru_cache(maxsize=1 << 12)
def medline_date(raw: str, reference: date) -> PartialDate:
    """The interval of a free-text date such as `1998 Dec-1999 Jan`, `2000 Spring-Summer` or `2009 Nov 23-2010 Jan`.

    The bounds are exact; the precision is the coarsest word that covers them. Of a text that is not understood its
    years are taken, and said so.
    """
    if (match := _ISO_LIKE.fullmatch(raw)) and _is_month(match):
        found = parts(match[1], match[2], match[3] or "", reference)
        return PartialDate(raw, found.precision, found.earliest, found.latest, found.fault)
    ends = _ends(raw)
    if ends is None:
        return _years_only(raw, reference)
    bounds = [_bounds(end, raw, reference) for end in (ends[0], ends[-1])]
    for bound in bounds:
        if bound.fault:
            return PartialDate(raw, "none", None, None, bound.fault)
    return _spanning(raw, bounds[0], bounds[1])


def _is_month(match: re.Match[str]) -> bool:
    """Whether the second part is a month: `2004-05` can be the years 2004 and 2005 as well as the month of May."""
    year, second, third = match.groups()
    if not second.isdigit():
        return second.lower() in _MONTHS
    return bool(third) or (1 <= int(second) <= 12 and int(second) != (int(year) + 1) % 100)


def _spanning(raw: str, first: PartialDate, last: PartialDate) -> PartialDate:
    """From the first to the last, or the other way round where they were written so."""
    days = [day for day in (first.earliest, last.latest, first.latest, last.earliest) if day]
    earliest, latest = days[0], days[1]
    if latest < earliest:
        earliest, latest = min(days), max(days)
    if earliest == latest:
        return PartialDate(raw, "day", earliest, latest)
    same_month = (earliest.year, earliest.month) == (latest.year, latest.month)
    return PartialDate(raw, "month" if same_month else "year", earliest, latest)


def _bounds(end: _End, raw: str, reference: date) -> PartialDate:
    assert end.year is not None
    if end.first_month == end.last_month or end.last_month is None:
        return dates.interval(raw, end.year, end.first_month, end.day, reference)
    first = dates.interval(raw, end.year, end.first_month, None, reference)
    last = dates.interval(raw, end.year, end.last_month, None, reference)
    return PartialDate(raw, "year", first.earliest, last.latest, first.fault or last.fault)


def _years_only(raw: str, reference: date) -> PartialDate:
    """From the first to the last year that the text names."""
    years = sorted(int(year) for year in _YEARS.findall(raw))
    if not years:
        return PartialDate(raw, "none", None, None, "it has no year")
    first, last = (dates.interval(raw, year, None, None, reference) for year in (years[0], years[-1]))
    if fault := first.fault or last.fault:
        return PartialDate(raw, "none", None, None, fault)
    return PartialDate(raw, "year", first.earliest, last.latest, ONLY_YEAR)


def _ends(raw: str) -> list[_End] | None:
    """The ends of the range, completed from each other; None where a word is not understood."""
    written = []
    for piece in _RANGE.split(raw):
        end = _end(piece)
        if end is None:
            return None
        written.append(end)
    first_year = next((end.year for end in written if end.year), None)
    if first_year is None:
        return None
    completed: list[_End] = []
    for end in written:
        full = _completed(end, completed[-1] if completed else None, first_year)
        if full is None:
            return None
        completed.append(full)
    return _in_order(written, completed)


def _end(piece: str) -> _End | None:
    """The words of one end, each kind at most once."""
    found = _End()
    for word in piece.replace(",", " ").replace(".", " ").lower().split():
        if _is_year(word) and found.year is None:
            found = found._replace(year=int(word))
        elif word in _MONTHS and found.first_month is None:
            found = found._replace(first_month=_MONTHS[word], last_month=_MONTHS[word])
        elif word in _SEASONS and found.first_month is None:
            found = found._replace(first_month=_SEASONS[word][0], last_month=_SEASONS[word][1])
        elif _FIGURES.fullmatch(word) and found.day is None:
            found = found._replace(day=int(word))
        else:
            return None
    is_nothing = found == _End() or (found.day == 0 and found.first_month)
    return None if is_nothing else found


def _completed(end: _End, before: _End | None, first_year: int) -> _End | None:
    """An end with what it leaves out: `1998 Apr 12-18`, `Jul-Aug 2010`, `1978-79`."""
    year = before.year if before and before.year else first_year
    if end.day is not None and not end.first_month:
        if end.year or before is None:
            return None
        if before.first_month is None:  # two figures after a bare year are the next year or nothing we know
            return _End(year + 1) if end.day == (year + 1) % 100 else None
        if before.first_month != before.last_month or not end.day:  # a day after a season
            return None
        return before._replace(day=end.day)
    return end if end.year else end._replace(year=year)


def _in_order(written: list[_End], completed: list[_End]) -> list[_End]:
    """`1998 Dec-Jan` ends a year later, `Dec-Jan 1999` begins a year earlier: what is not written gives way."""
    first, last = completed[0], completed[-1]
    if first.year != last.year or not (first.first_month and last.last_month and last.last_month < first.first_month):
        return completed
    assert first.year is not None
    assert last.year is not None
    if not written[-1].year:
        return [first, last._replace(year=last.year + 1)]
    return [first._replace(year=first.year - 1), last] if not written[0].year else completed
