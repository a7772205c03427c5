"""EU Clinical Trials Register: full text of country protocols, field extracts as CSV, converted JSON records.

One record per country protocol (`part`: DE, GB ... 3RD) and one per results page (`part`: results). A protocol of any
shape is first brought to a `_Protocol`, values under our names; `_draft` alone turns that into staging columns. The
register's words, its fillers and the meaning of the own fields stand in `schemas/sources/euctr.toml`. How the records
of one trial are folded, and what a trial's status is, does not belong here.
"""

import csv
import functools
import itertools
import re
from codecs import getincrementaldecoder
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

from pipelines import dates, privacy, trn
from pipelines.contracts import Source, contracts
from pipelines.dates import PartialDate
from pipelines.errors import PayloadError
from pipelines.formats import mentions, packing, served
from pipelines.formats.drafts import KIND as KIND
from pipelines.formats.drafts import Draft, write
from pipelines.formats.served import Member
from pipelines.reading import Report

SITE = "https://www.clinicaltrialsregister.eu/ctr-search/trial"
RESULTS = "results"
THIRD = "3RD"
NUMBER = re.compile(r"20\d{2}-0\d{5}-\d{2}")
_WITH_PART = re.compile(rf"({NUMBER.pattern})(?:-(?:[A-Z]{{2}}|3RD|3rd))?")
_PART = re.compile(rf"[A-Z]{{2}}|{THIRD}")
LARGEST = 64 << 20
"""More text than this without a record's beginning is no download of the register; real records have some 30 KB."""

Drafts = Iterator[tuple[int, Draft]]


# --- what is read ---------------------------------------------------------------------------------------------------

HEADER = {
    "number": ("EudraCT Number", "_id"),
    "protocol_code": ("Sponsor's Protocol Code Number", ""),
    "authority": ("National Competent Authority", ""),
    "clinical_trial_type": ("Clinical Trial Type", "x4_clinical_trial_type"),
    "trial_status": ("Trial Status", "x5_trial_status"),
    "registered": (
        "Date on which this record was first entered in the EudraCT database",
        "x6_date_on_which_this_record_was_first_entered_in_the_eudract_database",
    ),
    "link": ("Link", ""),
}
"""Our name: (label in the record's header, key of a converted record)."""

LABELS = (
    ("member_state", "A.1", "Member State Concerned"),
    ("number", "A.2", "EudraCT number"),
    ("official_title", "A.3", "Full title"),
    ("title", "A.3.1", "Title of the trial"),
    ("acronym", "A.3.2", "Name or abbreviated title"),
    ("protocol_code", "A.4.1", "Sponsor"),
    ("isrctn", "A.5.1", "ISRCTN"),
    ("nct", "A.5.2", "US NCT"),
    ("utn", "A.5.3", "WHO Universal Trial"),
    ("other_identifiers", "A.5.4", "Other Identifiers"),
    ("in_pip", "A.7", "Trial is part of"),
    ("pip_decision_number", "A.8", "EMA Decision number"),
    ("sponsor", "B.1.1", "Name of Sponsor"),
    ("sponsor_class", "B.3.1", "and B.3.2"),
    ("supporter", "B.4.1", "Name of organisation"),
    ("contact_organisation", "B.5.1", "Name of organisation"),
    ("contact_name", "B.5.2", "Functional name"),
    ("product", "D.IMP", ""),
    ("trade_name", "D.2.1.1.1", "Trade name"),
    ("product_name", "D.3.1", "Product name"),
    ("product_code", "D.3.2", "Product code"),
    ("substance", "D.3.8", "INN"),
    ("is_chemical", "D.3.11.1", "Active substance of chemical origin"),
    ("is_biological", "D.3.11.2", "Active substance of biological"),
    ("is_gene_therapy", "D.3.11.3.2", "Gene therapy"),
    ("is_combination", "D.3.11.4", "Combination product"),
    ("has_placebo", "D.8.1", "Is a Placebo used"),
    ("condition", "E.1.1", "Medical condition"),
    ("plain_condition", "E.1.1.1", "Medical condition"),
    ("therapeutic_area", "E.1.1.2", "Therapeutic area"),
    ("meddra_term", "E.1.2", "Term"),
    ("primary", "E.5.1", "Primary end point"),
    ("primary_time", "E.5.1.1", "Timepoint"),
    ("secondary", "E.5.2", "Secondary end point"),
    ("secondary_time", "E.5.2.1", "Timepoint"),
    ("phase_1", "E.7.1", "Human pharmacology"),
    ("first_in_human", "E.7.1.1", "First administration"),
    ("bioequivalence", "E.7.1.2", "Bioequivalence"),
    ("phase_2", "E.7.2", "Therapeutic exploratory"),
    ("phase_3", "E.7.3", "Therapeutic confirmatory"),
    ("phase_4", "E.7.4", "Therapeutic use"),
    ("sites", "E.8.4.1", "Number of sites anticipated"),
    ("is_multinational", "E.8.5", "The trial involves multiple Member States"),
    ("is_also_outside_eea", "E.8.6.1", "Trial being conducted"),
    ("is_only_outside_eea", "E.8.6.2", "Trial being conducted"),
    ("planned_sites", "E.8.6.3", ""),
    ("planned_years_in_country", "E.8.9.1", "In the Member State concerned years"),
    ("planned_months_in_country", "E.8.9.1", "In the Member State concerned months"),
    ("planned_days_in_country", "E.8.9.1", "In the Member State concerned days"),
    ("planned_years", "E.8.9.2", "In all countries concerned by the trial years"),
    ("planned_months", "E.8.9.2", "In all countries concerned by the trial months"),
    ("planned_days", "E.8.9.2", "In all countries concerned by the trial days"),
    ("has_subjects_under_18", "F.1.1", "Trial has subjects under 18"),
    ("has_adults", "F.1.2", "Adults"),
    ("has_elderly", "F.1.3", "Elderly"),
    ("has_healthy_volunteers", "F.3.1", "Healthy volunteers"),
    ("planned_subjects_in_country", "F.4.1", "In the member state"),
    ("planned_subjects_in_eea", "F.4.2.1", "In the EEA"),
    ("planned_subjects", "F.4.2.2", "In the whole clinical trial"),
    ("first_authorised_in", "H.4.1", "Third Country"),
    ("competent_authority_decision", "N.", "Competent Authority Decision"),
    ("competent_authority_decision_date", "N.", "Date of Competent Authority Decision"),
    ("ethics_opinion", "N.", "Ethics Committee Opinion of the trial application"),
    ("ethics_decision_date", "N.", "Date of Ethics Committee Opinion"),
    ("status", "P.", "End of Trial Status"),
    ("global_end_date", "P.", "Date of the global end"),
)
"""Our name, the form's code, and how its label begins: labels were reworded over the years, codes were not."""

EXTRACT = {
    "eudract_number_with_country": "number",
    "end_of_trial_status": "status",
    "date_of_competent_authority_decision": "competent_authority_decision_date",
    "date_of_ethics_committee_opinion": "ethics_decision_date",
    "date_of_the_global_end_of_the_trial": "global_end_date",
    "trial_in_all_countries_concerned_by_the_trial_years": "planned_years",
    "trial_in_all_countries_concerned_by_the_trial_months": "planned_months",
    "trial_in_all_countries_concerned_by_the_trial_days": "planned_days",
    "trial_in_the_member_state_concerned_years": "planned_years_in_country",
    "trial_in_the_member_state_concerned_months": "planned_months_in_country",
    "trial_in_the_member_state_concerned_days": "planned_days_in_country",
    "trial_results": "trial_results",
}
"""Columns of the field extract of country protocols."""

RESULTS_PAGE = {"trial_id", "first_version_date", "this_version_date", "results_type"}
"""Columns by which the extract of results pages is known."""

PHASES = {
    "phase_1": "Human pharmacology (Phase I)",
    "phase_2": "Therapeutic exploratory (Phase II)",
    "phase_3": "Therapeutic confirmatory (Phase III)",
    "phase_4": "Therapeutic use (Phase IV)",
}

DURATIONS = tuple(f"planned_{unit}{where}" for where in ("", "_in_country") for unit in ("years", "months", "days"))
OWN_DAYS = ("competent_authority_decision_date", "ethics_decision_date")
OWN_FLAGS = (
    *("in_pip", *PHASES, "first_in_human", "bioequivalence"),
    *("has_subjects_under_18", "has_adults", "has_elderly", "has_healthy_volunteers"),
    *("is_multinational", "is_also_outside_eea", "is_only_outside_eea"),
)
OWN_WORDS = (
    *("trial_results", "competent_authority_decision", "ethics_opinion", "pip_decision_number"),
    *("clinical_trial_type", "first_authorised_in", "planned_subjects_in_country", "planned_subjects_in_eea"),
)
"""Own fields by what they hold: exact days, Yes or No, or words that are taken over as the register writes them."""


@dataclass
class _Protocol:
    """One country protocol, whatever its shape: single values, and the blocks that repeat."""

    values: dict[str, str] = field(default_factory=dict)
    translations: dict[str, str] = field(default_factory=dict)
    sponsors: list[dict[str, str]] = field(default_factory=list)
    supporters: list[str] = field(default_factory=list)
    products: list[dict[str, str]] = field(default_factory=list)
    terms: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    posted: dict[str, Any] | None = None

    def take(self, name: str, value: str, is_translation: bool = False) -> None:
        """Puts a value where it belongs; filler is nothing, and of what stands more than once the first one counts."""
        value = value.strip()
        block = _BLOCK_OF.get(name)
        if name == "product":
            self.products.append({})
        elif not value or value.lower() in _fillers():
            return
        elif block is None:
            (self.translations if is_translation else self.values).setdefault(name, value)
        elif block in ("products", "sponsors"):
            rows: list[dict[str, str]] = getattr(self, block)
            if name == "sponsor" or not rows:
                rows.append({})
            rows[-1].setdefault(name, value)
        else:
            getattr(self, block).append(value)

    def get(self, name: str) -> str | None:
        """The value in English, else in another language."""
        return self.values.get(name) or self.translations.get(name)

    def part(self) -> str:
        """The country of the record, by its address or number."""
        at = re.search(r"/([A-Za-z]{2}|3rd)/?$", self.values.get("link", ""))
        tail = re.search(r"-([A-Za-z]{2}|3rd)$", self.values.get("number", ""), re.IGNORECASE)
        found = at or tail
        return found[1].upper() if found else _country_code(self.get("member_state") or self.get("authority"))


_BLOCK_OF = {
    **{name: "products" for name, code, _ in LABELS if code[0] == "D" and name != "has_placebo"},
    **dict.fromkeys(("sponsor", "sponsor_class", "contact_organisation", "contact_name"), "sponsors"),
    "supporter": "supporters",
    "meddra_term": "terms",
    "other_identifiers": "others",
}
"""Where what repeats is collected; anything else is a single value."""


def _source() -> Source:
    return contracts().sources["euctr"]


@functools.cache
def _fillers() -> frozenset[str]:
    return frozenset(_source().unmapped["value"])


def _country_code(state: str | None) -> str:
    """The code of `Germany - BfArM`; empty where it is not known."""
    name = (state or "").partition(" - ")[0].strip()
    words = _source().words["country"]
    wanted = words.get(name, name)
    return next((code for code, country in words.items() if country == wanted and len(code) == 2), "")


# --- reading --------------------------------------------------------------------------------------------------------


def read(payload: Path, name: str, day: date, out: Path) -> Report:
    """Reads one payload into the Parquet file `out` (contract registration_records).

    name: how the payload is called in the account. day: date of its snapshot, against which dates are judged.
    """
    report = Report()
    numbers = itertools.count(1)
    drafts = served.each_member(payload, name, report, lambda member: _of_member(member, day, numbers, report))
    write(drafts, name, out, report, NUMBER)
    return report


def _of_member(member: Member, day: date, numbers: Iterator[int], report: Report) -> Drafts:
    """The drafts of one file, by what it holds."""
    start = member.start
    if packing.looks_like_markup(start):
        raise PayloadError(
            "the file is an HTML or XML page, not a download; the site may have answered with an error page"
        )
    if start[:1] in (b"{", b"["):
        return _of_objects(member, day, numbers, report)
    if _RECORD.search(start):
        return _of_text(member, day, numbers, report)
    columns = start.partition(b"\n")[0].decode("utf-8", "replace").strip().split(",")
    if "eudract_number_with_country" in columns or set(columns) >= RESULTS_PAGE:
        return _of_table(member, day, numbers, report)
    if b"EudraCT Number:" in start:
        if b"Trial protocol:" in start:
            raise PayloadError("the file is the register's summary download: fetch the full details")
        raise PayloadError("the line ends of the text are lost: where a value ends cannot be told; fetch it again")
    raise PayloadError("the file is none of the register's: no full-details text, field extract or converted records")


# --- full text ------------------------------------------------------------------------------------------------------

_RECORD = re.compile(rb"Summary[ \t]*\r?\n(?=EudraCT Number:)")
"""The beginning of a country protocol. `Summary` alone can also be a line of somebody's text."""
_OVERLAP = 128
_PREAMBLE = b"This file contains full details"
_LAST_SECTION = re.compile(r"^P\. End of Trial", re.MULTILINE)
"""Nothing but the lack of it shows that a plain text was cut off."""


class _Piece(NamedTuple):
    """The text of one record. ends: what comes after it, the next `record`, the end of the `file`, or its `damage`."""

    text: bytes
    ends: str


def _of_text(member: Member, day: date, numbers: Iterator[int], report: Report) -> Drafts:
    """Record by record. The last one is not taken where the file ends within it."""
    for piece in _split(member):
        number = next(numbers)
        record = piece.text.decode("utf-8", "replace").lstrip()
        if "\r" in record:
            record = record.replace("\r\n", "\n")
        fault = None
        if not record.startswith("EudraCT Number:"):
            fault = "the record's beginning is missing"
        elif piece.ends == "damage" or (piece.ends == "file" and not _LAST_SECTION.search(record)):
            fault = "the record is cut off at the end of the file"
        if fault is None:
            yield number, _draft(_protocol(record), day)
        else:
            report.records_in += 1
            report.reject_record(f"{member.place}#{number}", fault)


def _split(member: Member) -> Iterator[_Piece]:
    """The records' texts. Raises PayloadError after the last one where the file is damaged."""
    buffer, scanned, failure = b"", 0, None
    try:
        for chunk in member.pieces():
            buffer = (buffer + chunk).removeprefix(packing.BOM)
            begin = 0
            for match in _RECORD.finditer(buffer, max(0, scanned - _OVERLAP)):
                text, begin = buffer[begin : match.start()], match.end()
                if _is_record(text):
                    yield _Piece(text, "record")
            buffer, scanned = buffer[begin:], len(buffer) - begin
            if scanned > LARGEST:
                raise PayloadError(f"a record is larger than {LARGEST >> 20} MiB: this is no text of the register")
    except PayloadError as error:
        failure = error
    if _is_record(buffer):
        yield _Piece(buffer, "damage" if failure else "file")
    if failure:
        raise failure


def _is_record(text: bytes) -> bool:
    """Whether there is more than the sentence that opens every download."""
    text = text.lstrip()
    return bool(text) and not text.startswith(_PREAMBLE)


def _key_pattern() -> re.Pattern[str]:
    """A line that opens one of the keys that are read. N. and P. need their words: `P. aeruginosa` is none of them."""
    by_section: dict[str, list[str]] = {}
    for _, code, label in LABELS:
        wanted = code[2:] or rf"[ \t]+(?={label})"
        by_section.setdefault(code[0], []).append(wanted.replace(".", r"\."))
    # The longest first: E.1.1.1 is not E.1.1.
    codes = "|".join(
        rf"{letter}\.(?:{'|'.join(sorted(set(rest), key=len, reverse=True))})" for letter, rest in by_section.items()
    )
    # Begun with a line end and not with ^: so the engine leaps from line to line.
    return re.compile(rf"\n({codes})(?![.0-9])[ \t]*([^:?\n]*)[:?][ \t]*([^\n]*)")


_KEY = _key_pattern()
_BY_CODE: dict[str, tuple[tuple[str, str], ...]] = {
    code: tuple((label, name) for name, other, label in LABELS if other == code) for _, code, _ in LABELS
}
_LONG = frozenset(
    {"official_title", "title", "acronym", "condition", "plain_condition", "other_identifiers", "planned_sites"}
    | {"primary", "primary_time", "secondary", "secondary_time"}
)
"""What can go on over lines without a key."""

_HEADINGS = (
    r"Protocol Information|Sponsor Information|Applicant Identification|IMP Identification|General Information|"
    r"Population of Trial|Investigator Networks|Third Country|Review by|Competent Authority|Ethics Committee|End of"
)


@functools.cache
def _end_of(section: str) -> re.Pattern[str]:
    """Where a long value ends: sections come in order, so a line `A.1 ...` within section E is text."""
    return re.compile(
        rf"\n(?=[{section}-P]\.(?:[0-9]|IMP)|[{section}-P]\. (?:{_HEADINGS})|MedDRA Classification|Sponsor [0-9]+\s*\n)"
    )


def _protocol(text: str) -> _Protocol:
    found = _Protocol()
    header = text[:4000].partition("\nA. ")[0]
    for line in header.split("\n"):
        label, _, value = line.partition(":")
        name = _HEADER_NAMES.get(label.strip())
        if name:
            found.take(name, value)
    section = "A"
    for match in _KEY.finditer(text):
        code, label, value = match.groups()
        name, is_translation = _name_of(code, label)
        if name is None or code[0] < section:
            continue
        section = code[0]
        if name in _LONG:
            end = _end_of(section).search(text, match.end())
            value = text[match.start(3) : end.start() if end else len(text)]
        found.take(name, value, is_translation)
    return found


@functools.lru_cache(maxsize=4096)
def _name_of(code: str, label: str) -> tuple[str | None, bool]:
    """Our name for a label, and whether it is the label of a translation, `... (es)`."""
    name = next((name for begin, name in _BY_CODE[code.rstrip()] if label.startswith(begin)), None)
    return name, label[-4:-3] == "(" and label[-1:] == ")"


_HEADER_NAMES = {label: name for name, (label, _) in HEADER.items()}


# --- converted JSON -------------------------------------------------------------------------------------------------

_CONVERTED = re.compile(rb'\[?\s*\{\s*"_id"\s*:\s*"20\d\d-0\d{5}-\d\d-')
_TRANSLATED = re.compile(r"(.+)_[a-z]{2}")


def _of_objects(member: Member, day: date, numbers: Iterator[int], report: Report) -> Drafts:
    if not _CONVERTED.match(member.start):
        raise PayloadError("the file is JSON, but not of this register's converted records")
    form = "array" if member.start[:1] == b"[" else "objects"
    for number, record in served.objects(member, form, numbers, report):
        draft = _draft(_of_keys(record), day)
        draft.values["data_version"] = _text(record.get("record_last_import"))
        yield number, draft


def _of_keys(record: dict[str, Any]) -> _Protocol:
    """A converted record: its keys are the labels in small letters without punctuation."""
    found = _Protocol()
    for name, (_, key) in HEADER.items():
        found.take(name, _text(record.get(key)) or "")
    _take_keys(found, record)
    posted = record.get("trialInformation")
    found.posted = posted if isinstance(posted, dict) else None
    return found


def _take_keys(found: _Protocol, record: dict[str, Any]) -> None:
    """Takes over what is known of a record or block, nested blocks included."""
    for key, value in record.items():
        blocks = [v for v in value if isinstance(v, dict)] if isinstance(value, list) else []
        if isinstance(value, dict) and key.startswith(_BLOCKS):
            blocks = [value]
        for block in blocks if key.startswith(_BLOCKS) else []:
            if key.startswith("dimp"):
                found.take("product", "")
            _take_keys(found, dict(sorted(block.items())) if key.startswith("b1") else block)
        for text in _texts(value):
            name, is_translation = _name_of_key(key)
            if name:
                found.take(name, text, is_translation)


_BLOCKS = ("b1_", "b4_", "dimp", "d38_imp", "e12_")


@functools.lru_cache(maxsize=4096)
def _name_of_key(key: str) -> tuple[str | None, bool]:
    """Our name for a squashed label, and whether it is the label of a translation."""
    code, _, label = key.partition("_")
    for begin, name in _SQUASHED.get(code, ()):
        if label.startswith(begin):
            return name, _TRANSLATED.fullmatch(label) is not None and label[-3:] in _LANGUAGES
    return None, False


def _squashed(text: str) -> str:
    return re.sub(r"[^a-z0-9 ]", "", text.lower()).strip().replace(" ", "_")


_SQUASHED: dict[str, tuple[tuple[str, str], ...]] = {
    _squashed(code): tuple((_squashed(label), name) for label, name in names) for code, names in _BY_CODE.items()
}
_LANGUAGES = frozenset(
    "_" + code
    for code in "bg cs da de el es et fi fr ga hr hu is it lt lv mt nl no pl pt ro sk sl sv".split()  # noqa: SIM905
)


def _text(value: Any) -> str | None:
    return next(iter(_texts(value)), None)


def _texts(value: Any) -> list[str]:
    """A leaf, or leaves that the conversion made a list of."""
    values = value if isinstance(value, list) else [value]
    return [str(v) for v in values if isinstance(v, str | int | float) and not isinstance(v, bool)]


# --- field extracts -------------------------------------------------------------------------------------------------


def _of_table(member: Member, day: date, numbers: Iterator[int], report: Report) -> Drafts:
    """Rows of a field extract; which one, the heading says."""
    cut: list[str] = []
    rows = csv.reader(_lines(member, cut))
    try:
        heading = next(rows)
        make = _of_extract if "eudract_number_with_country" in heading else _of_results_page
        for row in rows:
            number = next(numbers)
            if len(row) == len(heading):
                yield number, make(dict(zip(heading, row, strict=True)), day)
                continue
            report.records_in += 1
            fault = f"the row has {len(row)} fields where the heading has {len(heading)}: it may be cut off"
            report.reject_record(f"{member.place}#{number}", fault)
    except csv.Error as error:
        raise PayloadError(f"the table cannot be read on ({error})") from error
    except PayloadError:
        if cut:
            report.records_in += 1
            report.reject_record(f"{member.place}#{next(numbers)}", "the row is cut off at the end of the file")
        raise


def _lines(member: Member, cut: list[str]) -> Iterator[str]:
    """Lines with their ends. Raises PayloadError where the file is damaged; the line that is lost is put into `cut`."""
    decoder = getincrementaldecoder("utf-8-sig")("replace")
    rest = ""
    try:
        for piece in member.pieces():
            *lines, rest = (rest + decoder.decode(piece)).split("\n")
            for line in lines:
                yield line + "\n"
    except PayloadError:
        cut += [rest] if rest.strip() else []
        raise
    if rest.strip():
        yield rest


def _of_extract(row: dict[str, str], day: date) -> Draft:
    found = _Protocol()
    for column, name in EXTRACT.items():
        found.take(name, row.get(column, ""))
    draft = _draft(found, day)
    if "trial_results" in row and not found.get("trial_results"):
        draft.values["has_results"] = False  # the page was read, and there was no link
    return draft


def _of_results_page(row: dict[str, str], day: date) -> Draft:
    """What a results page says about its trial."""
    draft = Draft(_source(), day)
    number = _canonical(row["trial_id"])
    draft.values |= {"registration_id": number, "part": RESULTS, "study_type": "interventional"}
    draft.text("url", f"{SITE}/{number}/{RESULTS}")
    shown = draft.word("results_type", row["results_type"])
    draft.values["has_results"] = True if shown == "true" else None
    own: dict[str, str] = {}
    _own(draft, own, "results_type", row["results_type"])
    end = _usable(draft, "completion", row.get("global_end_of_trial_date"))
    _dated(draft, "completion", end)
    _own_day(draft, own, "results_global_end_date", end)
    _own_day(draft, own, "results_first_version_date", row["first_version_date"])
    _own_day(draft, own, "results_version_date", row["this_version_date"])
    _dated(draft, "start", _usable(draft, "start", row.get("trial_start_date")))
    first = draft.whole_day("results_posted", row["first_version_date"], _day_form)
    newest = draft.whole_day("last_update_posted", row["this_version_date"], _day_form)
    # Some pages give the first version a later day than the newest: they were public by the earlier of the two.
    draft.values["results_posted"] = min(first, newest) if first and newest else first
    draft.values["results_posted_type"] = "actual" if first else None
    draft.values["last_update_posted"] = newest
    _own(draft, own, "results_countries", "|".join(re.findall(r"'([^']+)'", row.get("trial_countries", ""))))
    _recruited(draft, row.get("recruitment_countries", ""))
    draft.values["own_fields"] = own
    return draft


def _recruited(draft: Draft, written: str) -> None:
    """Participants by country, `{'Italy': 233}`; their sum is the enrolment, unless a number or the sum is filler."""
    subjects = re.findall(r"""(?:'([^']+)'|"([^"]+)"): ?(\d+)""", written)
    fillers = draft.source.unmapped["subjects"]
    draft.values["countries"] = [
        {"country": _country_name(single or double), "is_removed": False} for single, double, _ in subjects
    ]
    counts = [count for *_, count in subjects]
    total = sum(map(int, counts))
    if strange := [count for count in [*counts, str(total)] if count in fillers]:
        draft.reject("enrolment", strange[0], "filler for a number that is not known")
    elif counts:
        draft.values |= {"enrolment": total, "enrolment_type": "actual"}


# --- from a protocol to a draft -------------------------------------------------------------------------------------


def _draft(found: _Protocol, day: date) -> Draft:
    draft = Draft(_source(), day)
    number, part = _canonical(found.values.get("number", "")), found.part()
    draft.values |= {"registration_id": number, "part": part}
    if not _PART.fullmatch(part):
        draft.reject("part", part, "the record's country is not known")
    address = f"{SITE}/{number}/{part.replace(THIRD, '3rd')}" if part else None
    draft.text("url", found.values.get("link") or address)
    full = found.get("official_title")
    draft.text("title", found.get("title") or full)
    draft.text("official_title", full)
    draft.text("acronym", found.get("acronym"))
    draft.values["mentions"] = mentions.numbers_in((draft.values["title"], draft.values["official_title"]), number)
    draft.coded("study_type", found.get("clinical_trial_type"))
    draft.values["study_type"] = "interventional"  # the register takes no other, whether or not the record says so
    phases = "|".join(words for name, words in PHASES.items() if found.get(name) == "Yes")
    draft.coded("phase", phases)
    draft.coded("status", found.get("status") or found.get("trial_status"))
    draft.partial_date("registered", found.get("registered"), _day_form)
    _dated(draft, "completion", _usable(draft, "completion", found.get("global_end_date")))
    _enrolment(draft, found)
    _sponsors(draft, found)
    _lists(draft, found)
    planned = _planned_sites(found)
    draft.values["countries"] = _countries(draft, found, part, planned)
    results = draft.word("trial_results", found.get("trial_results"))
    draft.values["has_results"] = results == "true" if results else None
    own = _own_fields(draft, found, planned)
    if found.posted is not None:
        _posted(draft, own, found.posted)
    draft.values["own_fields"] = own
    return draft


def _canonical(raw: str) -> str:
    raw = raw.strip()
    if match := _WITH_PART.fullmatch(raw):
        return match[1]
    hit = trn.canonical(raw, "euctr")
    return hit.canonical if hit and hit.registry == "euctr" else raw


@functools.lru_cache(maxsize=1 << 14)
def _day_form(raw: str | None, reference: date) -> PartialDate:
    """ISO in text and extracts, with time and zone in posted results, DD/MM/YYYY or in words on results pages.

    Kept: 20 years of registrations have some 7,000 days, and each record states half a dozen of them.
    """
    if raw is None:
        return dates.iso(None, reference)
    if "/" in raw:
        return dates.day_first(raw, reference)
    if re.match(r"\d{4}-\d{2}-\d{2}T", raw):
        return replace(dates.iso(raw[:10], reference), raw=raw)
    return dates.iso(raw, reference) if raw[:4].isdigit() else dates.long_form(raw, reference)


def _usable(draft: Draft, name: str, raw: str | None) -> str | None:
    """A date that is no filler; filler is named."""
    if raw and raw.strip() in draft.source.unmapped["date"]:
        draft.reject(name, raw.strip(), draft.source.unmapped["date"][raw.strip()])
        return None
    return raw


def _dated(draft: Draft, name: str, raw: str | None) -> None:
    """A date that the register states as having happened; one after the snapshot can only be expected."""
    draft.partial_date(name, raw, _day_form)
    earliest = draft.values[f"{name}_earliest"]
    if earliest:
        draft.values[f"{name}_type"] = "actual" if earliest <= draft.day else "estimated"


def _enrolment(draft: Draft, found: _Protocol) -> None:
    """The planned number of the whole trial; a single country's number is it where no other takes part."""
    planned = found.get("planned_subjects")
    if planned is None and found.get("is_multinational") == "No" and found.get("is_also_outside_eea") != "Yes":
        planned = found.get("planned_subjects_in_country")
    number = draft.number("enrolment", planned)
    draft.values |= {"enrolment": number, "enrolment_type": None if number is None else "estimated"}


def _lists(draft: Draft, found: _Protocol) -> None:
    draft.values["identifiers"] = _identifiers(draft, found)
    draft.texts("conditions", _distinct([found.get("condition"), *found.terms]))
    draft.texts("keywords", _distinct([found.get("plain_condition"), found.get("therapeutic_area")]))
    draft.values["interventions"] = _interventions(draft, found)
    draft.values["outcomes"] = [
        {
            "kind": kind,
            "measure": draft.clean("outcomes", found.get(kind)),
            "time_frame": draft.clean("outcomes", found.get(f"{kind}_time")),
        }
        for kind in ("primary", "secondary")
        if found.get(kind)
    ]


def _distinct(values: Iterable[str | None]) -> list[str]:
    """The values in their order, each once, whatever its white space and case."""
    kept: dict[str, str] = {}
    for value in values:
        if value:
            kept.setdefault(" ".join(value.split()).lower(), value)
    return list(kept.values())


# --- identifiers ----------------------------------------------------------------------------------------------------

_OTHER = re.compile(r"(?:Name:\s*(?P<name>.*?)\s*)?\b(?:Number|Identifier):\s*(?P<number>.*)", re.DOTALL)


def _identifiers(draft: Draft, found: _Protocol) -> list[dict[str, str | None]]:
    """The other numbers of the trial; a number that lost its register's prefix (`22488978` as ISRCTN) is completed."""
    rows: list[tuple[str | None, str, str | None]] = [
        (found.get("protocol_code"), "ORG_STUDY_ID", None),
        (_completed(found.get("isrctn"), "isrctn"), "REGISTRY", "ISRCTN"),
        (_completed(found.get("nct"), "nct"), "REGISTRY", "ClinicalTrials.gov"),
        (_completed(found.get("utn"), "utn"), "UTN", "WHO"),
    ]
    for other in found.others:
        match = _OTHER.fullmatch(other)
        rows.append((match["number"] if match else other, "OTHER", match["name"] if match else None))
    if found.posted:
        rows += [
            (_completed(_text(found.posted.get("isrctnIdentifier")), "isrctn"), "REGISTRY", "ISRCTN"),
            (_completed(_text(found.posted.get("usctnIdentifier")), "nct"), "REGISTRY", "ClinicalTrials.gov"),
            (_completed(_text(found.posted.get("whoUtnIdentifier")), "utn"), "UTN", "WHO"),
            (_completed(_text(found.posted.get("whoIdentifier")), "utn"), "UTN", "WHO"),
        ]
    cleaned = [(draft.clean("identifiers", value), kind, domain) for value, kind, domain in rows]
    return [
        {"value": value, "type": kind, "domain": draft.clean("identifiers", domain)}
        for value, kind, domain in dict.fromkeys(cleaned)
        if value
    ]


def _completed(value: str | None, registry: str) -> str | None:
    if value is None or trn.canonical(value) is not None:
        return value
    hit = trn.canonical(value, registry)
    return hit.canonical if hit else value


# --- sponsors -------------------------------------------------------------------------------------------------------

_TITLE = re.compile(
    r"(?:prof(?:essor)?|dr|dra|mr|mrs|herr|frau|dott|dott\.?ssa|sir)\b\.?\s.+|.+,?\s(?:M\.?D|Ph\.?D|MBBS|FRCP)\.?",
    re.IGNORECASE,
)
_ORGANISATION = re.compile(privacy.ORGANISATION, re.IGNORECASE)


def _sponsors(draft: Draft, found: _Protocol) -> None:
    """Sponsors of the trial, the first one leading, then who pays."""
    rows = []
    for place, sponsor in enumerate(s for s in found.sponsors if s.get("sponsor")):
        is_person = _is_person(sponsor)
        class_ = draft.word("sponsor_class", sponsor.get("sponsor_class"))
        rows.append(
            {
                "name": privacy.PRIVATE_PERSON if is_person else draft.clean("sponsor", sponsor["sponsor"]),
                "role": "collaborator" if place else "lead",
                "class": "individual" if is_person else class_,
                "is_person": is_person,
            }
        )
        if not place:
            draft.text("sponsor_class_source", sponsor.get("sponsor_class"))
    if rows:
        lead = rows[0]
        draft.values |= {"sponsor": lead["name"], "sponsor_class": lead["class"]}
        draft.values["sponsor_is_person"] = lead["is_person"]
    persons = {_person_key(s.get("sponsor")) for s in found.sponsors if _is_person(s)}
    for supporter in _distinct(found.supporters):
        is_person = _person_key(supporter) in persons or _has_title(supporter)
        name = privacy.PRIVATE_PERSON if is_person else draft.clean("sponsors", supporter)
        rows.append({"name": name, "role": "funder", "class": None, "is_person": is_person})
    draft.values["sponsors"] = rows


def _is_person(sponsor: dict[str, str]) -> bool:
    """A non-commercial sponsor that is called like a person, or whose name is the contact person's and not also that of
    the contact's organisation."""
    name = sponsor.get("sponsor", "")
    if sponsor.get("sponsor_class") == "Commercial" or _ORGANISATION.search(name):
        return False
    key = _person_key(name)
    is_contact = key == _person_key(sponsor.get("contact_name")) != _person_key(sponsor.get("contact_organisation"))
    return _has_title(name) or (is_contact and " " in key)


def _has_title(name: str) -> bool:
    return _TITLE.fullmatch(" ".join(name.split())) is not None and not _ORGANISATION.search(name)


def _person_key(name: str | None) -> str:
    """A name without titles after a comma, case and punctuation."""
    return " ".join(re.findall(r"\w+", (name or "").partition(",")[0].lower()))


# --- interventions and countries ------------------------------------------------------------------------------------


def _interventions(draft: Draft, found: _Protocol) -> list[dict[str, Any]]:
    rows = []
    for product in found.products:
        names = _distinct(product.get(n) for n in ("trade_name", "product_name", "substance", "product_code"))
        cleaned = [c for c in (draft.clean("interventions", name) for name in names) if c]
        if cleaned:
            rows.append({"type": _kind_of(product), "name": cleaned[0], "other_names": cleaned[1:]})
    if found.get("has_placebo") == "Yes":
        rows.append({"type": "other", "name": "Placebo", "other_names": []})
    return [row for place, row in enumerate(rows) if row not in rows[:place]]


def _kind_of(product: dict[str, str]) -> str | None:
    """The kind of a medicinal product by the form's flags, the most specific first."""
    for flag, kind in (
        ("is_combination", "combination_product"),
        ("is_gene_therapy", "genetic"),
        ("is_biological", "biological"),
        ("is_chemical", "drug"),
    ):
        if product.get(flag) == "Yes":
            return kind
    return None


@functools.lru_cache(maxsize=4096)
def _country_name(written: str) -> str | None:
    """A country or region in the name that registers share, where we know one."""
    folded = " ".join(written.split())
    return privacy.without_mail(_source().words["country"].get(folded, folded)) or None


def _countries(draft: Draft, found: _Protocol, part: str, planned: list[str]) -> list[dict[str, Any]]:
    """The record's own country with its state and decisions, then those in which sites are planned."""
    state = found.get("authority") or found.get("member_state") or ""
    name, _, authority = state.partition(" - ")
    own = draft.word("countries", part, "country") if part else None
    rows = []
    if part != THIRD and (own or name):
        status = draft.values["status"]
        decision = (found.get("competent_authority_decision") or "").lower()
        is_refused = decision.startswith("not") or (not decision and status == "not_authorised")
        decided = draft.whole_day("countries", found.get("competent_authority_decision_date"), _day_form)
        rows.append(
            {
                "country": own or draft.clean("countries", name),
                "sites": draft.number("countries", found.get("sites")),
                "is_removed": False,
                "status": status,
                "status_source": draft.values["status_source"],
                "authority": draft.clean("countries", authority),
                "authorised": None if is_refused else decided,
                "ethics_decided": draft.whole_day("countries", found.get("ethics_decision_date"), _day_form),
            }
        )
    mine = {row["country"] for row in rows}
    others = map(_country_name, planned)
    return rows + [{"country": other, "is_removed": False} for other in others if other and other not in mine]


def _planned_sites(found: _Protocol) -> list[str]:
    """One country or region a line. A converted record has them run together on one: they cannot be told apart."""
    lines = [line for line in (found.values.get("planned_sites") or "").split("\n") if line.strip()]
    return _distinct(lines) if found.values.get("link") else []


# --- own fields -----------------------------------------------------------------------------------------------------


def _own(draft: Draft, own: dict[str, str], name: str, value: str | None) -> None:
    if value and (cleaned := draft.clean(name, value)):
        own[name] = cleaned


def _own_day(draft: Draft, own: dict[str, str], name: str, raw: str | None) -> None:
    """A day as YYYY-MM-DD. Which column it also fills has named it where it cannot be read."""
    day = _day_form(raw.strip(), draft.day).earliest if raw and raw.strip() else None
    if day:
        own[name] = day.isoformat()


def _own_fields(draft: Draft, found: _Protocol, planned: list[str]) -> dict[str, str]:
    own: dict[str, str] = {}
    for name in OWN_FLAGS:
        if flag := found.get(name):
            if flag in ("Yes", "No"):
                own[name] = flag
            else:
                draft.reject(name, flag, "neither Yes nor No")
    for name in OWN_WORDS:
        _own(draft, own, name, found.get(name))
    for name in OWN_DAYS:
        _own_day(draft, own, name, found.get(name))
    if draft.values["completion_earliest"]:
        own["global_end_date"] = draft.values["completion_earliest"].isoformat()
    for name in DURATIONS:
        # A table of numbers writes 1.0 where the form has 1.
        if written := found.get(name):
            number = draft.number(name, written.removesuffix(".0"))
            if number is not None:
                own[name] = str(number)
    _own(draft, own, "planned_sites", "|".join(planned) or found.get("planned_sites"))
    return own


def _posted(draft: Draft, own: dict[str, str], posted: dict[str, Any]) -> None:
    """What the posted results say about the trial."""
    draft.values["has_results"] = True
    _dated(draft, "start", _text(posted.get("recruitmentStartDate")))
    _dated(draft, "primary_completion", _text(posted.get("primaryCompletionDate")))
    end = _text(posted.get("globalEndOfTrialDate"))
    _own_day(draft, own, "results_global_end_date", end)
    if not draft.values["completion_earliest"]:
        _dated(draft, "completion", end)
    _own(draft, own, "results_end_reached", _text(posted.get("isGlobalEndOfTrialReached")))
    _own(draft, own, "results_end_is_premature", _text(posted.get("globalEndOfTrialPremature")))
