"""WHO ICTRP: exports of the search portal (XML, CSV, XLSX) and the full and weekly files (CSV without header).

One row is one record of some other register, and keeps it: `registry` and `registration_id` are that register's,
`source` says that it came by this way. For registers without a public dump this is the only way in; the source file
lists them. Words, register names, forms of dates and known dirt stand in `schemas/sources/ictrp.toml`. Which source
wins where a register is also read directly is no matter of this module.

Contact columns are looked at for one purpose, to know a sponsor that is a private person, and go no further.
"""

import contextlib
import functools
import html
import re
import unicodedata
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date
from itertools import islice, pairwise, zip_longest
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from lxml import etree

from pipelines import dates, privacy, trn
from pipelines.contracts import Source, contracts
from pipelines.dates import PartialDate
from pipelines.errors import PayloadError
from pipelines.formats import delimited, mentions, packing, parts, spreadsheet
from pipelines.formats.drafts import DateForm, Draft, write
from pipelines.reading import Report

KIND = "registration_records"

NUMBER = re.compile(r"[A-Za-z][A-Za-z0-9/\-]*|[0-9]{4}-[05][0-9]{5}-[0-9]{2}")
"""The canonical numbers of all registers; what stands in the place of a number that is none has a space in it."""

Record = dict[str, str]
"""One row by the names of `columns`: white space folded, entities resolved, line breaks as `<br>`; nothing is ''."""


Cells = tuple[list[str], str]
"""One row of a table by its places, and why it could not be read."""


class Found(NamedTuple):
    """One row of a payload. is_sheet: a spreadsheet typed its dates. fault: why it could not be read."""

    record: Record
    is_sheet: bool = False
    fault: str = ""


def read(payload: Path, name: str, day: date, out: Path) -> Report:
    """Reads one payload into the Parquet file `out` (contract registration_records).

    name: how the payload is called in the account. day: date of its snapshot, against which dates are judged.
    """
    report = Report()
    write(_drafts(payload, name, day, report), name, out, report, NUMBER)
    return report


def _drafts(payload: Path, name: str, day: date, report: Report) -> Iterator[tuple[int, Draft]]:
    """The drafts of all rows that can be read; the others are counted here."""
    source = contracts().sources["ictrp"]
    number = months = 0
    try:
        for number, found in enumerate(_rows(payload, report), 1):
            if found.fault:
                report.records_in += 1
                report.reject_record(f"{name}#{number}", found.fault, found.record.get("trialid", ""))
                continue
            draft = _draft(source, day, found)
            months += found.is_sheet and draft.values["start_precision"] == "month"
            yield number, draft
        if not number:
            report.notes.append(f"{name} holds no record.")
    except PayloadError as error:
        report.reject_payload(name, f"{error}.")
    if months:
        report.notes.append(
            f"{months:,} start dates that a spreadsheet made days of were read as the months they were."
        )


# --- columns --------------------------------------------------------------------------------------------------------

_ALIASES = {
    "secondaryids": "secondary id",
    "secondary ids": "secondary id",
    "secondary sponsors": "secondary sponsor",
    "secondary outcomes": "secondary outcome",
    "source name": "source support",
    "url": "web address",
    "conditions": "condition",
    "interventions": "intervention",
    "last updated": "last refreshed on",
    "contact firstname": "public contact firstname",
    "contact lastname": "public contact lastname",
    "bridging flag": "bridging flag truefalse",
}

_PORTAL = """TrialID|Last Refreshed on|Public title|Scientific title|Acronym|Primary sponsor|Date registration
|Date registration3|Export date|Source Register|web address|Recruitment Status|other records|Inclusion agemin
|Inclusion agemax|Inclusion gender|Date enrollement|Target size|Study type|Study design|Phase|Countries
|Contact Firstname|Contact Lastname|Contact Address|Contact Email|Contact Tel|Contact Affiliation|Inclusion Criteria
|Exclusion Criteria|Condition|Intervention|Primary outcome|Secondary outcome|Secondary ID|Source Name|Secondary Sponsor
|Ethics Status|Ethics Approval Date|Ethics Contact Name|Ethics Contact Address|Ethics Contact Phone
|Ethics Contact Email|results yes no|results date posted|results url link|results url protocol|results date completed
|results date first publication|results summary|results baseline char|results adverse events|results outcome measures
|results ipd plan|results ipd description|Prospective registration|Bridging flag truefalse|Bridged type"""

_FULL = """TrialID|last_updated|SecondaryIDs|public_title|Scientific_title|url|Public_Contact_Firstname
|Public_Contact_Lastname|Public_Contact_Address|Public_Contact_Email|Public_Contact_Tel|Public_Contact_Affiliation
|Scientific_Contact_Firstname|Scientific_Contact_Lastname|Scientific_Contact_Address|Scientific_Contact_Email
|Scientific_Contact_Tel|Scientific_Contact_Affiliation|study_type|study_design|phase|Date_registration
|Date_enrollement|Target_size|Recruitment_status|Primary_sponsor|Secondary_sponsors|Source_Support|Countries|Conditions
|Interventions|Agemin|Agemax|Gender|Inclusion_Criteria|Exclusion_Criteria|Primary_Outcome|Secondary_Outcomes
|Bridging_flag|Bridged_type|Childs|type_enrolment|Retrospective_flag|results_actual_enrollment|results_url_link
|results_summary|results_date_posted|results_date_first_publication|results_baseline_char|results_participant_flow
|results_adverse_events|results_outcome_measures|results_url_protocol|results_IPD_plan|results_IPD_description
|results_date_completed|results_yes_no|Ethics_Status|Ethics_Approval_Date|Ethics_Contact_Name|Ethics_Contact_Address
|Ethics_Contact_Phone|Ethics_Contact_Email"""

_SINCE_MAY_2020 = ("agemin", "agemax", "gender")


def columns(names: Iterable[str]) -> tuple[str, ...]:
    """Column names as we know them: the portal's headings with blanks, in XML and the full file with underscores."""
    folded = (" ".join(name.replace("_", " ").split()).lower() for name in names)
    return tuple(_ALIASES.get(name, name) for name in folded)


@functools.cache
def _layouts() -> dict[int, tuple[str, ...]]:
    """The columns of a file without header, by how many there are."""
    portal, full = (columns(text.split("|")) for text in (_PORTAL, _FULL))
    before = tuple(name for name in full if name not in _SINCE_MAY_2020)
    return {len(layout): layout for layout in (portal, full, before)}


def _known(names: Sequence[str], source: Source, report: Report) -> None:
    """Notes columns that the source file does not know."""
    unknown = sorted({name for name in names if name and name not in (*source.fields, *source.ignored)})
    if unknown:
        report.notes.append(f"unknown columns, which were not read: {', '.join(unknown)[:500]}.")


# --- rows of a payload, whatever its shape --------------------------------------------------------------------------

_XML = re.compile(rb"(?>\s+|<\?.*?\?>|<!--.*?-->)*+<Trials_downloaded_from_ICTRP[\s/>]", re.DOTALL)
_ENCODING = re.compile(rb"<\?xml[^>]*encoding=[\"']([A-Za-z0-9_\-]+)")
_CLOSED = b"</Trials_downloaded_from_ICTRP>"
_TRIAL = re.compile(rb"<Trial[\s>]")
_LAST = b"</Trial>"
LARGEST = 1 << 25
"""Bytes of one XML record; the longest seen has some 50,000."""


def _rows(payload: Path, report: Report) -> Iterator[Found]:
    kind = packing.packing(payload)
    if kind == "empty":
        raise PayloadError("the file is empty")
    if kind != "zip":
        yield from _stream(packing.chunks(payload), report)
    elif spreadsheet.is_workbook(payload):
        yield from _table(((cells, "") for cells in spreadsheet.rows(payload)), report, is_sheet=True)
    else:
        yield from _archive(payload, report)


def _archive(payload: Path, report: Report) -> Iterator[Found]:
    """The full export comes as an archive of parts. A damaged part does not take the others along."""
    with zipfile.ZipFile(payload) as archive:
        entries = [info for info in archive.infolist() if not info.is_dir()]
        if not entries:
            raise PayloadError("the zip archive holds no file")
        for info in entries:
            try:
                yield from _stream(_unpacked(archive, info), report)
            except PayloadError as error:
                report.reject_payload(privacy.without_mail(info.filename), f"{error}.")


def _unpacked(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Iterator[bytes]:
    try:
        with archive.open(info) as handle:
            while piece := handle.read(packing.CHUNK):
                yield piece
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise PayloadError("the entry of the archive is damaged or cannot be unpacked") from error


def _stream(pieces: Iterator[bytes], report: Report) -> Iterator[Found]:
    """XML or delimited text, told by its first bytes."""
    start, damage = b"", None
    try:
        while len(start) < 1 << 16 and (piece := next(pieces, b"")):
            start += piece
    except PayloadError as error:
        damage = error
    if not (begun := start.removeprefix(packing.BOM).lstrip()):
        raise damage or PayloadError("the file is empty")
    whole = _joined(start, pieces, damage)
    if _XML.match(begun):
        yield from _xml(whole, begun, report)
        return
    if packing.looks_like_markup(begun):
        raise PayloadError("the file is an HTML page or other markup, not an export of the WHO portal")
    if b"\0" in begun:
        raise PayloadError("the file is no text in UTF-8")
    yield from _table(delimited.rows(whole), report)


def _joined(start: bytes, rest: Iterator[bytes], damage: PayloadError | None) -> Iterator[bytes]:
    yield start
    if damage:
        raise damage
    yield from rest


def _table(rows: Iterator[Cells], report: Report, is_sheet: bool = False) -> Iterator[Found]:
    """Rows by the names in the header, or by how many they are where there is none."""
    source = contracts().sources["ictrp"]
    names, has_header, first = _layout(rows)
    _known(names, source, report)
    read = frozenset(source.fields)
    for fields, fault in first[1:] if has_header else first:
        yield _named(names, fields, fault, read, is_sheet)
    for fields, fault in rows:
        yield _named(names, fields, fault, read, is_sheet)


def _layout(rows: Iterator[Cells]) -> tuple[tuple[str, ...], bool, list[Cells]]:
    """The columns, whether the first row is the header, and the rows that were read to know it."""
    first: list[Cells] = list(islice(rows, 1))
    header = columns(first[0][0]) if first else ()
    if "trialid" in header:
        return header, True, first
    first += islice(rows, 20)
    for fields, _ in first:
        layout = _layouts().get(len(fields))
        if layout and trn.canonical(fields[0]):
            return layout, False, first
    raise PayloadError("the file is no export of the WHO portal: its columns are none that we know")


def _named(names: Sequence[str], fields: list[str], fault: str, read: frozenset[str], is_sheet: bool) -> Found:
    # A spreadsheet leaves empty cells at the end of a row out; in delimited text a missing field is damage.
    if not fault and not is_sheet and len(fields) != len(names):
        fault = f"it has {len(fields)} columns, not {len(names)}"
    if fault:
        return Found({"trialid": _mask(fields[0]) if fields else ""}, is_sheet, fault)
    pairs = zip_longest(names, fields[: len(names)], fillvalue="")
    clean = _from_sheet if is_sheet else _plain
    return Found({name: clean(value) for name, value in pairs if name in read}, is_sheet)


def _from_sheet(value: str) -> str:
    """A value of a workbook that was made by opening a CSV file, whose UTF-8 was taken for the computer's own encoding.

    Only a text of which every character can be read back is repaired: no text is so by chance (`√©`, `Ã©` for `é`).
    """
    if not value.isascii():
        for encoding in ("mac_roman", "cp1252"):
            with contextlib.suppress(UnicodeError):
                return _plain(value.encode(encoding).decode("utf-8"))
    return _plain(value)


def _mask(text: str) -> str:
    """A number, or nothing: in a row whose fields are displaced anything can stand in the first."""
    hit = trn.canonical(text)
    return hit.raw if hit else ""


def _xml(pieces: Iterator[bytes], start: bytes, report: Report) -> Iterator[Found]:
    """Record by record, so that one that is not well-formed does not take the others along."""
    source = contracts().sources["ictrp"]
    encoding = match[1].decode() if (match := _ENCODING.match(start)) else "utf-8"
    read, seen = frozenset(source.fields), set[str]()
    try:
        for piece in _trials(pieces):
            yield _parsed(piece, encoding, read, seen)
    finally:
        _known(sorted(seen), source, report)


def _trials(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The bytes of each record, from its opening tag to the next one's."""
    buffer, damage = b"", None
    try:
        for piece in pieces:
            buffer += piece
            starts = [match.start() for match in _TRIAL.finditer(buffer)]
            yield from (buffer[begin:end] for begin, end in pairwise(starts))
            buffer = buffer[starts[-1] :] if starts else buffer[-256:]
            if len(buffer) > LARGEST:
                raise PayloadError("a record in it does not end")
    except PayloadError as error:
        damage = error
    if _TRIAL.match(buffer):
        yield buffer
    if damage:
        raise damage
    if _CLOSED not in buffer and b"<Trials_downloaded_from_ICTRP/>" not in buffer:
        raise PayloadError("the file is cut off: the end of its XML is missing")


def _parsed(piece: bytes, encoding: str, read: frozenset[str], seen: set[str]) -> Found:
    end = piece.rfind(_LAST)
    if end < 0:
        return Found({}, fault="it is cut off: the end of its XML is missing")
    parser = etree.XMLParser(encoding=encoding, resolve_entities=False, no_network=True, load_dtd=False)
    try:
        trial = etree.fromstring(piece[: end + len(_LAST)], parser)
    except (etree.XMLSyntaxError, LookupError) as error:
        return Found({}, fault=f"its XML is not well-formed ({privacy.without_mail(str(error))[:120]})")
    elements = [element for element in trial if isinstance(element.tag, str)]
    names = columns(element.tag for element in elements)
    seen.update(names)
    pairs = zip(names, elements, strict=True)
    return Found({name: _plain("".join(map(str, e.itertext()))) for name, e in pairs if name in read})


_BREAK = re.compile(r"<\s*br\s*/?\s*>", re.IGNORECASE)
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,30});")


def _plain(value: str) -> str:
    """A value as it is meant: padding folded, entities resolved (some twice), NULL is nothing."""
    for _ in range(2):
        if "&" in value:
            value = _ENTITY.sub(lambda match: html.unescape(match[0]), value)
    folded = " ".join(value.split())
    return "" if folded == "NULL" else folded


# --- one record -----------------------------------------------------------------------------------------------------


def _draft(source: Source, day: date, found: Found) -> Draft:
    record, draft = found.record, Draft(source, day)
    registry = _number(draft, record)
    _titles(draft, record)
    _words(draft, record, registry)
    _days(draft, record, registry, found.is_sheet)
    _results(draft, record, registry)
    _sponsors(draft, record)
    draft.values["enrolment"] = _participants(draft, record.get("target size", ""))
    draft.values["identifiers"] = _identifiers(draft, record.get("secondary id", ""))
    draft.values["countries"] = _countries(draft, record.get("countries", ""), registry)
    _conditions(draft, record.get("condition", ""))
    draft.values["interventions"] = _interventions(draft, record.get("intervention", ""), registry)
    draft.values["outcomes"] = [
        *_outcomes(draft, record.get("primary outcome", ""), "primary", registry),
        *_outcomes(draft, record.get("secondary outcome", ""), "secondary", registry),
    ]
    draft.values["own_fields"] = _own_fields(draft, record)
    draft.values["data_version"] = draft.clean("data_version", record.get("export date"))
    return draft


def _number(draft: Draft, record: Record) -> str:
    """Sets number, part and register; the register's code, empty where there is none.

    The register that the row names has to be the number's own. A name that is not known is rejected and named; the
    full files name none: then the number says it.
    """
    written, register = record.get("trialid", ""), record.get("source register", "")
    hit = trn.canonical(written)
    named = draft.word("registry", register.lower(), "registry")
    if not hit or hit.registry == "utn" or (named and hit.registry not in named.split("|")):
        draft.values["registration_id"] = f"{written} ({register})".strip() if written else None
        return ""
    draft.values |= {"registration_id": hit.canonical, "registry": hit.registry}
    # One row per country in the EU register; other suffixes (resubmission, provisional) tell no records apart.
    draft.values["part"] = (hit.suffix or "") if hit.registry == "euctr" else ""
    return hit.registry


def _titles(draft: Draft, record: Record) -> None:
    for name, column in (
        ("title", "public title"),
        ("official_title", "scientific title"),
        ("acronym", "acronym"),
        ("url", "web address"),
    ):
        draft.text(name, _unbroken(draft, name, record.get(column, "")))
    titles = (draft.values["title"], draft.values["official_title"])
    draft.values["mentions"] = mentions.numbers_in(titles, draft.values["registration_id"])


def _unbroken(draft: Draft, name: str, text: str) -> str:
    """A text without line breaks; an error that a spreadsheet left in its place is rejected and named."""
    if text in spreadsheet.ERRORS:
        draft.reject(name, text, "a spreadsheet took the text for a formula: it is lost")
        return ""
    return _BREAK.sub(" ", text)


_EU_PHASES = re.compile(r"\(Phase (IV|I{1,3})\):\s*(yes|no|-)?", re.IGNORECASE)


def _words(draft: Draft, record: Record, registry: str) -> None:
    """Status, kind of study and phase: the source file has the words of all registers in lower case."""
    status, phase = record.get("recruitment status", ""), record.get("phase", "")
    phases = _EU_PHASES.findall(phase)
    said = {
        # Rows of the EU register carry a long text in some exports.
        "status": "authorised" if registry == "euctr" and status.lower().startswith("authorised") else status.lower(),
        "study_type": record.get("study type", "").lower(),
        "phase": "+".join(f"eu {name.lower()}" for name, is_so in phases if is_so.lower() == "yes")
        if phases
        else phase.lower(),
    }
    for name, word in said.items():
        draft.values[name] = draft.word(name, word)
    draft.text("status_source", status)
    draft.text("study_type_source", record.get("study type"))
    draft.text("phase_source", _BREAK.sub(" ", phase))


# --- dates ----------------------------------------------------------------------------------------------------------

_FORMS: dict[str, DateForm] = {"iso": dates.iso, "day_first": dates.day_first, "long_form": dates.long_form}
_YEAR_FIRST = re.compile(r"([0-9]{4})[/.]([0-9]{2})(?:[/.]([0-9]{2}))?")
_WITH_TIME = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})[ T][0-9:.]+Z?")


@functools.cache
def _form(registry: str, is_start: bool = False) -> DateForm:
    """How the register's dates are read: a date that begins with its year as such, any other in the register's form.

    A register whose form is not known has only the first: the order of day and month is never guessed.
    """
    words = contracts().sources["ictrp"].words
    name = (words["start_form"].get(registry) if is_start else None) or words["date_form"].get(registry, "iso")
    return functools.partial(_in_form, name)


def _in_form(name: str, raw: str | None, reference: date) -> PartialDate:
    text = raw or ""
    if match := _WITH_TIME.fullmatch(text):
        return replace(dates.iso(match[1], reference), raw=raw)
    if match := _YEAR_FIRST.fullmatch(text):
        return replace(dates.iso("-".join(filter(None, match.groups())), reference), raw=raw)
    return (dates.iso if re.match("[0-9]{4}-", text) else _FORMS[name])(raw, reference)


def _days(draft: Draft, record: Record, registry: str, is_sheet: bool) -> None:
    _registered(draft, record, registry)
    may_be_month = is_sheet and contracts().sources["ictrp"].words["start_form"].get(registry) == "long_form"
    form = _typed if may_be_month else _form(registry, is_start=True)
    kind = draft.word("start_type", record.get("type enrolment", "").lower(), "date_type")
    is_decision = contracts().sources["ictrp"].words["start_means"].get(registry) == "decision"
    draft.partial_date("start", None if is_decision else record.get("date enrollement"), form, kind)
    # The end of the trial where the register sends it; whether it has come or is expected, nobody says.
    draft.partial_date("completion", record.get("results date completed"), _form(registry))
    # The day on which the portal took over the record, not one on which the sponsor changed it.
    draft.values["last_update_posted"] = draft.whole_day(
        "last_update_posted", record.get("last refreshed on"), _refreshed
    )


def _registered(draft: Draft, record: Record, registry: str) -> None:
    """`Date registration3` has one form for all registers and goes first."""
    own, common = record.get("date registration", ""), record.get("date registration3", "")
    if not common:
        draft.partial_date("registered", own, _form(registry))
        return
    draft.partial_date("registered", common, dates.compact)
    found = _form(registry)(own or None, draft.day)
    if found.fault:
        draft.reject("date registration", own, found.fault)
    elif own and found.earliest != draft.values["registered_earliest"]:
        draft.reject("date registration", own, f"disagrees with Date registration3 ({common}), which was taken")


def _typed(raw: str | None, reference: date) -> PartialDate:
    """The start as a spreadsheet has it, of a register that also gives months alone (`April 2020`): these have become
    the first of the month, and nothing tells them from a day that is one."""
    found = _in_form("long_form", raw, reference)
    day = found.earliest
    if day and found.precision == "day" and day.day == 1 and re.match("[0-9]", raw or ""):
        return dates.interval(raw or "", day.year, day.month, None, reference)
    return found


def _refreshed(raw: str | None, reference: date) -> PartialDate:
    return _in_form("long_form", raw, reference)


# --- results --------------------------------------------------------------------------------------------------------


def _results(draft: Draft, record: Record, registry: str) -> None:
    """Results are there if the flag says so, or the register's own page of results is linked, or a day of posting that
    can be one is given; a link alone says nothing against an explicit No. Nothing of all that is not "no results"."""
    flag = _flag(draft, record.get("results yes no", ""))
    has_page = _is_own_page(record.get("results url link", ""), record.get("web address", ""))
    posted = draft.whole_day("results_posted", record.get("results date posted"), _form(registry))
    doubt = _doubt(draft, posted, registry, flag, has_page) if posted else ""
    if doubt:
        draft.reject("results_posted", posted, doubt)
        posted = None
    draft.values["results_posted"] = posted
    draft.values["has_results"] = True if posted or (has_page and flag is None) else flag


def _flag(draft: Draft, text: str) -> bool | None:
    word = draft.word("has_results", text.lower(), "has_results")
    return None if word is None else word == "yes"


def _is_own_page(link: str, address: str) -> bool:
    """Whether a link leads to another page of the register itself: registrants also give their department's page, and
    some registers the record's own address, which shows no results."""
    host = _host(link)
    return bool(host) and host == _host(address) and not parts.same_address(link, address)


def _host(address: str) -> str:
    try:
        return (urlsplit(address).hostname or "").removeprefix("www.")
    except ValueError:
        return ""


def _doubt(draft: Draft, posted: date, registry: str, flag: bool | None, has_page: bool) -> str:
    """Why the day of posting is none, if so."""
    if posted > draft.day:
        return "ahead of the snapshot: planned, not posted"
    if flag or has_page:
        return ""
    if flag is False:
        return "the record says that it has no results"
    if posted == draft.values["registered_earliest"]:
        return "the day of registration, and nothing else speaks of results"
    if draft.source.words["posted_form"].get(registry) == "planned":
        return "this register gives the day on which results are to be published"
    return ""


# --- participants and numbers ---------------------------------------------------------------------------------------

_GROUP = re.compile(r"(?P<name>.*?)\s*:\s*(?P<size>[0-9]{1,9})")
_CUT = 250
"""ChiCTR's list of groups is cut off at 254 characters."""


def _participants(draft: Draft, text: str) -> int | None:
    """A number, or the sum of `group:n;group:n;` where it is one."""
    if not text or re.fullmatch("[0-9]+", text):
        return draft.number("enrolment", text)
    groups = [_GROUP.fullmatch(piece.strip()) for piece in text.split(";") if piece.strip()]
    sizes = [int(group["size"]) for group in groups if group]
    doubt = ""
    if len(sizes) < len(groups) or not sizes:
        doubt = "neither a number nor groups with a number each"
    elif len(text) >= _CUT and not text.endswith(";"):
        doubt = "the list of groups is cut off"
    elif sum(group["name"].lower().startswith("non") for group in groups if group) > 1:
        doubt = "the same participants are divided into groups more than once"
    elif not sum(sizes):
        doubt = "groups of nobody"
    if doubt:
        draft.reject("enrolment", text, doubt)
        return None
    return sum(sizes)


_NOTHING = frozenset(
    {"", "-", "--", ".", "0", "?", "??", "{}", "n/a", "na", "nil", "no", "none", "not applicable", "not available"}
)


def _pieces(text: str) -> list[str]:
    """The members of a list, each once; `;` and line breaks separate them."""
    found: dict[str, str] = {}
    for piece in _BREAK.sub(";", text).split(";"):
        found.setdefault(piece.strip().lower(), piece.strip())
    return [piece for key, piece in found.items() if key not in _NOTHING]


def _identifiers(draft: Draft, text: str) -> list[dict[str, str | None]]:
    identifiers = []
    for piece in _pieces(text):
        value = draft.clean("identifiers", piece)
        numbers = {hit.registry for hit in [trn.canonical(piece), *trn.find(piece)] if hit and hit.kind == "number"}
        kind = "OTHER" if not numbers else "UTN" if numbers == {"utn"} else "REGISTRY"
        identifiers.append({"value": value, "type": kind, "domain": None})
    return identifiers


def _countries(draft: Draft, text: str, registry: str) -> list[dict[str, object]]:
    # Japanese registers join regions with bare commas; elsewhere a comma is part of a name (`Korea, Republic of`).
    pieces = _pieces(re.sub(r",(?=\S)", ";", text) if registry in {"jrct", "umin", "japic", "jmacct"} else text)
    names = (draft.clean("countries", _unbroken(draft, "countries", piece)) for piece in pieces)
    return sorted(({"country": name, "is_removed": False} for name in names if name), key=_shown)


# --- sponsors -------------------------------------------------------------------------------------------------------

_ALSO_ORGANISATION = re.compile(
    privacy.ORGANISATION
    + r"|\bban[ck]\b|aziend|ospedal|fondazion|klinik|assistance|consor[tc]|agenc|unit[ey]?\b|gobierno"
    + r"|yakuhin|seiyaku|kaisha|kogyo|kagaku|\bjapan\b",
    re.IGNORECASE,
)
_TITLES = frozenset({"dr", "prof", "professor", "mr", "mrs", "ms", "md", "phd", "msc", "mbbs"})
_TITLE = re.compile(privacy.TITLE)
_TWO_NAMES = re.compile(r"[A-Z][A-Za-z-]{2,} [A-Z][A-Za-z-]{2,}")
_IN_NAME = range(2, 6)
"""How many words a person's name has; one word is no name that could be told from others."""


def _sponsors(draft: Draft, record: Record) -> None:
    persons = _persons(record)
    rows = [_sponsor(draft, record.get("primary sponsor", ""), "lead", persons)]
    for column, role in (("secondary sponsor", "collaborator"), ("source support", "funder")):
        rows += [_sponsor(draft, piece, role, persons) for piece in _pieces(record.get(column, ""))]
    lead = rows[0]
    draft.values |= {"sponsor": lead["name"], "sponsor_is_person": lead["is_person"] if lead["name"] else None}
    draft.values["sponsors"] = [row for row in rows if row["name"]]


def _sponsor(draft: Draft, name: str, role: str, persons: frozenset[frozenset[str]]) -> dict[str, object]:
    """A sponsor as it may be published: no private person, by the contacts or by a title, and no word for none."""
    name = "" if name.strip().lower().rstrip(".") in _NOTHING else name
    is_person = not _ALSO_ORGANISATION.search(name) and (
        _name_words(name) in persons or _TITLE.search(name.strip()) is not None or _is_investigator(draft, name)
    )
    shown = privacy.PRIVATE_PERSON if is_person else draft.clean("sponsor", _unbroken(draft, "sponsor", name))
    return {"name": shown, "role": role, "class": None, "is_person": is_person}


def _is_investigator(draft: Draft, name: str) -> bool:
    """Whether two names stand where jRCT names a trial's sponsor: there it is the investigator, who is the sponsor of a
    specified clinical trial by Japanese law."""
    return draft.values.get("registry") == "jrct" and _TWO_NAMES.fullmatch(" ".join(name.split())) is not None


def _persons(record: Record) -> frozenset[frozenset[str]]:
    """The names of the record's contacts, for comparison. Several are joined by `;` in each column; some registers put
    the whole name into one."""
    names = set()
    for kind in ("public", "scientific"):
        first, last = (record.get(f"{kind} contact {part}name", "") for part in ("first", "last"))
        pairs = zip_longest(first.split(";"), last.split(";"), fillvalue="")
        names |= {_name_words(f"{one} {other.split(',')[0]}") for one, other in pairs}
        names.add(_name_words(f"{first} {last}"))
    return frozenset(name for name in names if len(name) in _IN_NAME)


def _name_words(name: str) -> frozenset[str]:
    """A name without titles, accents, punctuation, case and order."""
    plain = unicodedata.normalize("NFKD", name.split(",")[0]).casefold()
    bare = "".join(c for c in plain if not unicodedata.combining(c))
    return frozenset(re.findall(r"\w+", bare)) - _TITLES


# --- conditions, interventions, outcomes ----------------------------------------------------------------------------

_NUMBERED_CONDITION = re.compile(r"(?:Health )?Condition [0-9]+:\s*", re.IGNORECASE)
_MEDDRA = re.compile(r"MedDRA version:.*?\bTerm: *(?P<term>.*?) *(?:System Organ Class:.*)?")
_CODE = re.compile(r"-?[A-Z]?[0-9][0-9.]*(?:-[A-Z]?[0-9][0-9.]*)?")


def _conditions(draft: Draft, text: str) -> None:
    """Names are conditions; codes, MedDRA terms and therapeutic areas, which some registers add, are keywords."""
    text = _unbroken_list(draft, "conditions", _NUMBERED_CONDITION.sub(";", text))
    conditions, keywords = [], []
    for piece in _pieces(text):
        if match := _MEDDRA.fullmatch(piece):
            keywords.append(match["term"])
        elif piece.startswith("Therapeutic area:") or _CODE.fullmatch(piece):
            keywords.append(piece)
        else:
            conditions.append(piece)
    draft.texts("conditions", conditions)
    draft.texts("keywords", dict.fromkeys(keywords))


def _unbroken_list(draft: Draft, name: str, text: str) -> str:
    return "" if text in spreadsheet.ERRORS and not _unbroken(draft, name, text) else text


_NUMBERED_INTERVENTION = re.compile(r"(?:Control )?Intervention ?[0-9]+ ?:", re.IGNORECASE)
_LISTS_INTERVENTIONS = frozenset({"chictr", "pactr"})
"""Registers that join interventions with `;`: elsewhere it stands in sentences."""


def _interventions(draft: Draft, text: str, registry: str) -> list[dict[str, object]]:
    text = _unbroken_list(draft, "interventions", text)
    is_numbered = registry not in {"nct", "euctr", *_LISTS_INTERVENTIONS}
    if registry == "nct":
        found = [_typed_intervention(draft, piece) for piece in _typed_pieces(draft.source, text)]
    elif registry == "euctr":
        found = _products(text)
    else:
        pieces = _pieces(text) if registry in _LISTS_INTERVENTIONS else _NUMBERED_INTERVENTION.split(text)
        found = [(None, piece, []) for piece in pieces if piece.strip().lower() not in _NOTHING]
    rows: list[dict[str, object]] = [
        {
            "type": kind,
            "name": draft.clean("interventions", _BREAK.sub(" ", name)),
            "other_names": [other for one in others if (other := draft.clean("interventions", one))],
        }
        for kind, name, others in found
    ]
    named = [row for row in rows if row["name"]]
    return named if is_numbered else sorted(named, key=_shown)


def _shown(row: dict[str, object]) -> str:
    """The order of lists: the portal gives the members of one list in another order every week."""
    return str(row.get("name") or row.get("measure") or row.get("country")).lower()


def _typed_pieces(source: Source, text: str) -> list[str]:
    """ClinicalTrials.gov's `Drug: x;Device: y`; a `;` before anything but a type is part of a name."""
    kinds = "|".join(map(re.escape, source.words["intervention_type"]))
    return [piece for piece in re.split(rf";\s*(?=(?:{kinds}):)", text, flags=re.IGNORECASE) if piece.strip()]


def _typed_intervention(draft: Draft, piece: str) -> tuple[str | None, str, list[str]]:
    kind, colon, name = piece.partition(":")
    return (draft.word("interventions", kind.lower(), "intervention_type"), name, []) if colon else (None, piece, [])


_PRODUCT_NAMES = ("trade name", "product name", "product code")
_SUBSTANCES = ("inn or proposed inn", "other descriptive name")


def _products(text: str) -> list[tuple[str | None, str, list[str]]]:
    """The medicinal products of the EU register: an empty line between two, a labelled line per field."""
    found: list[tuple[str | None, str, list[str]]] = []
    for product in re.split(r"(?:<br>\s*){2,}", text, flags=re.IGNORECASE):
        lines = [line.partition(":") for line in _BREAK.split(product)]
        said = {label.strip().lower(): value.strip() for label, _, value in reversed(lines) if value.strip()}
        names = [said[label] for label in _PRODUCT_NAMES if label in said]
        substances = [said[label] for label in _SUBSTANCES if label in said]
        if said and all("placebo" in label for label in said):
            names = ["Placebo"]
        name, *others = dict.fromkeys([*names, *substances]) or [product]
        found.append((None, name, others))
    return found


_LISTS_OUTCOMES = frozenset({"nct", "chictr", "irct", "anzctr", "cris", "tctr"})
"""Registers that join outcomes with `;`: elsewhere it stands in sentences."""

_SEPARATOR = re.compile(r";(?![^(\[]{0,500}[)\]])")
_EU_LABELS = re.compile(
    r";?\s*\b(Main Objective|Secondary Objective|Primary end point\(s\)|Secondary end point\(s\)"
    r"|Timepoint\(s\) of evaluation of this end point):",
    re.IGNORECASE,
)
_TIMED = re.compile(r"(?P<measure>.*?)[\s.,]{0,5}T(?i:ime ?points?):\s*(?P<time>.*)")
_BRACKETED = re.compile(
    r"(?P<measure>.*?)\s*\[\s*(?P<frame>Time ?frame)?:?\s*(?P<time>[^\[\]]*?)\s*\]\W*", re.IGNORECASE
)


def _outcomes(draft: Draft, text: str, kind: str, registry: str) -> list[dict[str, object]]:
    text = _unbroken_list(draft, "outcomes", text)
    pieces = _SEPARATOR.split(text) if registry in _LISTS_OUTCOMES else [text]
    rows: list[dict[str, object]] = []
    for piece in dict.fromkeys(part.strip() for part in pieces):
        measure, time = _timed(_BREAK.sub(" ", piece), registry)
        if clean := draft.clean("outcomes", measure):
            rows.append({"kind": kind, "measure": clean, "time_frame": draft.clean("outcomes", time)})
    return sorted(rows, key=_shown)


def _timed(text: str, registry: str) -> tuple[str, str | None]:
    """Measure and time frame, where the register's text tells them apart."""
    if registry == "euctr":
        return _end_points(text)
    bracketed = _BRACKETED.fullmatch(text)
    if bracketed and (bracketed["frame"] or registry == "anzctr"):
        return bracketed["measure"], bracketed["time"]
    # LBCTR goes on behind the time, with the measure.
    match = _TIMED.fullmatch(text) if registry != "lbctr" else None
    return (match["measure"], match["time"]) if match else (text, None)


def _end_points(text: str) -> tuple[str, str | None]:
    """The labelled parts of the EU register's text, in any order. An objective is no outcome."""
    _, *labelled = _EU_LABELS.split(text)
    said = dict(zip([label.lower() for label in labelled[::2]], labelled[1::2], strict=True))
    measure = said.get("primary end point(s)") or said.get("secondary end point(s)") or ""
    return measure, said.get("timepoint(s) of evaluation of this end point")


# --- what only this source has --------------------------------------------------------------------------------------

OWN_FIELDS = (
    "internal number",
    "study design",
    "other records",
    "prospective registration",
    "retrospective flag",
    "bridging flag truefalse",
    "bridged type",
    "childs",
    "results yes no",
    "results date posted",
    "results date completed",
    "results date first publication",
    "results url link",
    "results url protocol",
    "results actual enrollment",
    "results ipd plan",
    "ethics status",
    "ethics approval date",
)


def _own_fields(draft: Draft, record: Record) -> dict[str, str]:
    """Fields as served. The target size is among them where it is not simply a number, the number where it has a prefix
    or suffix that its canonical form has not; of the EU's present register also which submission it is."""
    values = {name: record.get(name, "") for name in OWN_FIELDS}
    values["target size"] = "" if record.get("target size", "").isdigit() else record.get("target size", "")
    number = record.get("trialid", "")
    values["trialid"] = "" if number == draft.values["registration_id"] else number
    hit = trn.canonical(number)
    values["resubmission"] = (hit.suffix or "") if hit and hit.registry == "ctis" else ""
    if not draft.values.get("start_raw"):  # the day is there and means something else
        values["date enrollement"] = record.get("date enrollement", "")
    values["bridging flag truefalse"] = values["bridging flag truefalse"].lower()  # a spreadsheet has its own spelling
    cleaned = {name.replace(" ", "_"): draft.clean(name, _BREAK.sub(" ", value)) for name, value in values.items()}
    return {name: value for name, value in cleaned.items() if value}
