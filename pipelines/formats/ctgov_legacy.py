"""ClinicalTrials.gov's two retired formats, legacy XML and API v1, turned into studies in the shape of API v2.

Only the paths that `schemas/sources/ctgov.toml` reads are filled, with the constants and partial dates of API v2, so
that one projection judges a study whatever format it came in. What the tables here do not know (a word, a flag, a
date) is passed on as written: the projection rejects and names it. Contact data are left out. Both formats are frozen;
nothing here fetches, and no entity or document type definition is ever read.
"""

import functools
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from lxml import etree

from pipelines import dates
from pipelines.errors import PayloadError
from pipelines.formats.json_records import Slice
from pipelines.formats.packing import BOM

XML, V1 = "legacy_xml", "api_v1"
FORMS = frozenset({XML, V1})

Study = dict[str, Any]
"""A study, or a part of one, in the shape of API v2."""


@dataclass(frozen=True)
class Record(Slice):
    """One record: as a Slice, and its study where it could be converted."""

    study: Study | None = None


# --- what a payload is ----------------------------------------------------------------------------------------------

_OPENING = re.compile(rb"<clinical_study(?=[\s>])")
_CLOSING = re.compile(rb"</clinical_study\s*>")
# What may stand before, between and after records: byte-order mark, declaration, comments, document type (never read).
_PROLOG = re.compile(rb"(?:\s|" + BOM + rb"|<\?.*?\?>|<!--.*?-->|<!DOCTYPE[^\[>]*(?:\[.*?\]\s*)?>)*+", re.DOTALL)
_V1_STUDY = re.compile(rb'\{\s*"ProtocolSection"\s*:')
_V1_START = re.compile(
    rb"(?:\s|" + BOM + rb')*\[?\s*\{\s*"(?:FullStudiesResponse|FullStudy|Rank|Study|ProtocolSection)"\s*:'
)
_V1_INSIDE = re.compile(rb'"\w+(?:Section|Module)"\s*:')
"""Keys that stand only inside a study: outside of one, they are what is left of a broken study."""
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*+"', re.DOTALL)
_NEAR = 256
"""More than an opening takes, however it is indented."""
_SHOWN = 200


def is_legacy_xml(start: bytes) -> bool:
    """Whether a payload that begins so is a `<clinical_study>`, or several after each other."""
    prolog = _PROLOG.match(start)
    return prolog is not None and _OPENING.match(start, prolog.end()) is not None


def is_v1(start: bytes) -> bool:
    """Whether a payload that begins so is JSON of the retired API v1: a page, a full study, or studies."""
    return _V1_START.match(start) is not None


def form(start: bytes) -> str | None:
    """`legacy_xml`, `api_v1`, or None where the payload is neither."""
    if is_legacy_xml(start):
        return XML
    return V1 if is_v1(start) else None


def records(pieces: Iterable[bytes], kind: str) -> Iterator[Record]:
    """The records of a payload of the given form, from the pieces of its unpacked bytes.

    A record that cannot be read, and what stands between records and is none, is a Record with a fault. Raises
    PayloadError after the last record where the payload ends too early; one of `pieces` is raised again there.
    """
    return xml_records(pieces) if kind == XML else v1_records(pieces)


LARGEST = 64 << 20
"""No record of the register comes near this."""


def _segments(pieces: Iterable[bytes], opening: re.Pattern[bytes]) -> Iterator[tuple[int, bytes, bool]]:
    """The payload cut before every opening: offset, bytes, whether it is the last.

    The first stands before any record, and may be empty. A PayloadError of `pieces` is raised after the last.
    """
    buffer, base, seen = b"", 0, 0
    damage: PayloadError | None = None
    try:
        for piece in pieces:
            buffer += piece
            begin = 0
            for match in opening.finditer(buffer, seen):
                yield base + begin, buffer[begin : match.start()], False
                begin = match.start()
            buffer, base = buffer[begin:], base + begin
            seen = max(len(buffer) - _NEAR, 1 if opening.match(buffer) else 0)
            if len(buffer) > LARGEST:
                raise PayloadError(f"what stands at byte {base:,} is longer than any record: its end is missing")
    except PayloadError as error:
        damage = error
    yield base, buffer, True
    if damage:
        raise damage


def xml_records(pieces: Iterable[bytes]) -> Iterator[Record]:
    """The `<clinical_study>` elements of a file; one is usual, several after each other are read as well."""
    is_cut = False
    for offset, segment, is_last in _segments(pieces, _OPENING):
        end = 0
        if _OPENING.match(segment):
            closing = _CLOSING.search(segment)
            if closing is None:
                is_cut = is_last
                fault = "the record is cut off at the end of the file" if is_last else "the record is broken off"
                yield Record(offset, segment, fault)
                continue
            end = closing.end()
            yield _converted(offset, segment[:end])
        yield from _stray(offset, segment, end)
    if is_cut:
        raise PayloadError("the file is cut off: it ends before its last record is closed")


def _converted(offset: int, text: bytes) -> Record:
    try:
        return Record(offset, text, study=study_from_xml(text))
    except PayloadError as error:
        return Record(offset, text, str(error))


def _stray(offset: int, segment: bytes, end: int) -> Iterator[Record]:
    """What follows the record in its segment, or stands before the first, and is no prolog."""
    prolog = _PROLOG.match(segment, end)
    after = prolog.end() if prolog else end
    if after < len(segment):
        yield Record(offset + after, segment[after : after + _SHOWN], "what stands here is no record")


def v1_records(pieces: Iterable[bytes]) -> Iterator[Record]:
    """The studies of a payload of API v1, whatever they are wrapped in (FullStudiesResponse, FullStudy, an array)."""
    depth = 0
    is_whole = True
    for offset, segment, _ in _segments(pieces, _V1_STUDY):
        end = 0
        if _V1_STUDY.match(segment):
            record, end = _v1_record(offset, segment)
            is_whole = is_whole and record.fault is None
            yield record
        if end < len(segment) and _V1_INSIDE.search(segment, end):
            is_whole = False
            yield Record(offset + end, segment[end:], "what stands here is no record")
        depth += _brackets(segment[end:])
    # Once a record is broken, its brackets say nothing about the end of the file.
    if is_whole and depth:
        raise PayloadError("the file is cut off: it ends before its last bracket is closed")


def _v1_record(offset: int, segment: bytes) -> tuple[Record, int]:
    """The study that the segment begins with, and where it ends; a broken one is the whole segment."""
    try:
        text = segment.decode()
        document, end = json.JSONDecoder().raw_decode(text)
        size = len(text[:end].encode())
        return Record(offset, segment[:size], study=study_from_v1(document)), size
    except ValueError as error:
        fault = f"the record is not valid JSON ({error})"
    except RecursionError:
        fault = "the record is nested too deeply"
    return Record(offset, segment, fault), len(segment)


def _brackets(text: bytes) -> int:
    """How many brackets the text opens and does not close, those inside of strings apart."""
    bare = _STRING.sub(b"", text)
    return sum(bare.count(mark) for mark in (b"{", b"[")) - sum(bare.count(mark) for mark in (b"}", b"]"))


# --- words, flags, dates --------------------------------------------------------------------------------------------

_Words = Mapping[str, str | None]
"""The retired word -> the constant of API v2; None: the retired format says that there is nothing to say."""

STATUS: _Words = {
    "Not yet recruiting": "NOT_YET_RECRUITING",
    "Recruiting": "RECRUITING",
    "Enrolling by invitation": "ENROLLING_BY_INVITATION",
    "Active, not recruiting": "ACTIVE_NOT_RECRUITING",
    "Suspended": "SUSPENDED",
    "Completed": "COMPLETED",
    "Terminated": "TERMINATED",
    "Withdrawn": "WITHDRAWN",
    "Unknown status": "UNKNOWN",
    "Available": "AVAILABLE",
    "No longer available": "NO_LONGER_AVAILABLE",
    "Temporarily not available": "TEMPORARILY_NOT_AVAILABLE",
    "Approved for marketing": "APPROVED_FOR_MARKETING",
    "Withheld": "WITHHELD",
}
STUDY_TYPE: _Words = {
    "Interventional": "INTERVENTIONAL",
    "Observational": "OBSERVATIONAL",
    "Observational [Patient Registry]": "OBSERVATIONAL",
    "Expanded Access": "EXPANDED_ACCESS",
    "N/A": None,  # withheld records, of which little more than the number is shown
}
PHASE: Mapping[str, tuple[str, ...]] = {
    "N/A": ("NA",),
    "Not Applicable": ("NA",),
    "Phase 0": ("EARLY_PHASE1",),
    "Early Phase 1": ("EARLY_PHASE1",),
    "Phase 1": ("PHASE1",),
    "Phase 1/Phase 2": ("PHASE1", "PHASE2"),
    "Phase 2": ("PHASE2",),
    "Phase 2/Phase 3": ("PHASE2", "PHASE3"),
    "Phase 3": ("PHASE3",),
    "Phase 4": ("PHASE4",),
}
AGENCY_CLASS: _Words = {"Industry": "INDUSTRY", "NIH": "NIH", "U.S. Fed": "FED", "Other": "OTHER"}
"""Legacy XML knows these four: its `Other` covers other governments, networks and individuals as well. API v1 already
has the constants of API v2."""
DATE_TYPE: _Words = {"Actual": "ACTUAL", "Anticipated": "ESTIMATED", "Estimate": "ESTIMATED"}
INTERVENTION_TYPE: _Words = {
    "Behavioral": "BEHAVIORAL",
    "Biological": "BIOLOGICAL",
    "Combination Product": "COMBINATION_PRODUCT",
    "Device": "DEVICE",
    "Diagnostic Test": "DIAGNOSTIC_TEST",
    "Dietary Supplement": "DIETARY_SUPPLEMENT",
    "Drug": "DRUG",
    "Genetic": "GENETIC",
    "Procedure": "PROCEDURE",
    "Radiation": "RADIATION",
    "Other": "OTHER",
}
PRIMARY_PURPOSE: _Words = {
    "Treatment": "TREATMENT",
    "Prevention": "PREVENTION",
    "Diagnostic": "DIAGNOSTIC",
    "Educational/Counseling/Training": "ECT",
    "Supportive Care": "SUPPORTIVE_CARE",
    "Screening": "SCREENING",
    "Health Services Research": "HEALTH_SERVICES_RESEARCH",
    "Basic Science": "BASIC_SCIENCE",
    "Device Feasibility": "DEVICE_FEASIBILITY",
    "Other": "OTHER",
}
RESPONSIBLE_PARTY: _Words = {
    "Sponsor": "SPONSOR",
    "Principal Investigator": "PRINCIPAL_INVESTIGATOR",
    "Sponsor-Investigator": "SPONSOR_INVESTIGATOR",
}
ID_TYPE: _Words = {
    "U.S. NIH Grant/Contract": "NIH",
    "U.S. FDA Grant/Contract": "FDA",
    "U.S. VA Grant/Contract": "VA",
    "U.S. CDC Grant/Contract": "CDC",
    "U.S. AHRQ Grant/Contract": "AHRQ",
    "U.S. SAMHSA Grant/Contract": "SAMHSA",
    "Other Grant/Funding Number": "OTHER_GRANT",
    "EudraCT Number": "EUDRACT_NUMBER",
    "Registry Identifier": "REGISTRY",
    "Other Identifier": "OTHER",
}
REFERENCE_TYPE: _Words = {"background": "BACKGROUND", "result": "RESULT", "derived": "DERIVED"}
RESULT_EVENT: _Words = {
    "submitted": "RELEASE",
    "returned": "RESET",
    "submission_canceled": "UNRELEASE",
    "Release": "RELEASE",
    "Reset": "RESET",
    "Unrelease": "UNRELEASE",
}
OUTCOME_TYPE: _Words = {
    "Primary": "PRIMARY",
    "Secondary": "SECONDARY",
    "Other Pre-specified": "OTHER_PRE_SPECIFIED",
    "Post-Hoc": "POST_HOC",
}
HYPOTHESIS: _Words = {
    "Superiority": "SUPERIORITY",
    "Superiority or Other": "SUPERIORITY_OR_OTHER",
    "Superiority or Other (legacy)": "SUPERIORITY_OR_OTHER_LEGACY",
    "Non-Inferiority": "NON_INFERIORITY",
    "Equivalence": "EQUIVALENCE",
    "Non-Inferiority or Equivalence": "NON_INFERIORITY_OR_EQUIVALENCE",
    "Non-Inferiority or Equivalence (legacy)": "NON_INFERIORITY_OR_EQUIVALENCE_LEGACY",
    "Other": "OTHER",
}
SIDES: _Words = {"1-Sided": "ONE_SIDED", "2-Sided": "TWO_SIDED"}
FLAGS = {"Yes": True, "No": False}
UNKNOWN_DATE = "Unknown"

_ANY_DAY = date(9000, 1, 1)
"""Whether a day is too far ahead is for the projection, which knows the snapshot's date."""
_UPLOADED = re.compile(r"(\d{2})/(\d{2})/(\d{4}) (\d{2}:\d{2})")
_PURPOSE = re.compile(r"Primary Purpose:\s*([^,]+)")


def _word(words: _Words, text: str | None) -> str | None:
    """The constant of API v2; a word that the table does not know, as written."""
    return None if text is None else words.get(text, text)


def _flag(text: str | None) -> bool | str | None:
    return None if text is None else FLAGS.get(text, text)


def _phases(text: str, study_type: str | None) -> list[str]:
    """API v2 has no phase for other than interventional studies, of which earlier XML said that none applies."""
    phases = PHASE.get(text, (text,))
    return [] if phases == ("NA",) and study_type in {"OBSERVATIONAL", "EXPANDED_ACCESS"} else list(phases)


@functools.lru_cache(maxsize=1 << 16)
def _date(text: str | None) -> str | None:
    """The long form as an ISO partial date; what is no such date, or no day of the calendar, as written."""
    if text is None:
        return None
    day = dates.long_form(text, _ANY_DAY)
    if day.earliest is None:
        return text
    return day.earliest.isoformat()[: {"day": 10, "month": 7, "year": 4}[day.precision]]


def _uploaded(text: Any) -> Any:
    """API v1 gives the time of an upload as MM/DD/YYYY hh:mm."""
    match = _UPLOADED.fullmatch(text) if isinstance(text, str) else None
    return f"{match[3]}-{match[1]}-{match[2]}T{match[4]}" if match else text


def _event(kind: Any, when: Any) -> Study:
    """A step of results that are not posted; of some withdrawn ones the register no longer knows the date."""
    is_unknown = when == UNKNOWN_DATE
    return _filled(type=kind, date=None if is_unknown else when, dateUnknown=True if is_unknown else None)


def _filled(**members: Any) -> Study:
    """The members that hold something: API v2 leaves out whatever is empty."""
    return {name: value for name, value in members.items() if value is not None and value != [] and value != {}}


# --- legacy XML -----------------------------------------------------------------------------------------------------

_PARSER = etree.XMLParser(
    encoding="utf-8",
    resolve_entities=False,
    load_dtd=False,
    no_network=True,
    remove_comments=True,
    remove_pis=True,
)


def study_from_xml(text: bytes) -> Study:
    """The study of one `<clinical_study>` document. Raises PayloadError where it is none or is not well formed.

    Only the element itself is parsed: whatever a document type before it declares is never seen.
    """
    prolog = _PROLOG.match(text)
    start = prolog.end() if prolog else 0
    if not _OPENING.match(text, start):
        raise PayloadError("the record is no <clinical_study>")
    try:
        root = _Element(etree.fromstring(text[start:], _PARSER))
    except etree.XMLSyntaxError as error:
        raise PayloadError(f"the record is not well-formed XML ({error.msg})") from error
    study_type = _word(STUDY_TYPE, root.text("study_type"))
    return _filled(
        protocolSection=_filled(
            identificationModule=_xml_identification(root),
            statusModule=_xml_status(root),
            sponsorCollaboratorsModule=_xml_sponsors(root),
            oversightModule=_xml_oversight(root.part("oversight_info")),
            descriptionModule=_filled(
                briefSummary=root.part("brief_summary").text("textblock"),
                detailedDescription=root.part("detailed_description").text("textblock"),
            ),
            conditionsModule=_filled(conditions=root.texts("condition"), keywords=root.texts("keyword")),
            designModule=_xml_design(root, study_type),
            armsInterventionsModule=_filled(interventions=_xml_interventions(root)),
            outcomesModule=_filled(
                primaryOutcomes=_xml_outcomes(root, "primary_outcome"),
                secondaryOutcomes=_xml_outcomes(root, "secondary_outcome"),
                otherOutcomes=_xml_outcomes(root, "other_outcome"),
            ),
            contactsLocationsModule=_xml_places(root),
            referencesModule=_filled(references=_xml_references(root)),
        ),
        resultsSection=_nested("outcomeMeasuresModule.outcomeMeasures", _xml_measures(root.part("clinical_results"))),
        annotationSection=_nested("annotationModule.unpostedAnnotation.unpostedEvents", _xml_events(root)),
        documentSection=_nested("largeDocumentModule.largeDocs", _xml_documents(root)),
        derivedSection=_filled(
            miscInfoModule=_filled(removedCountries=root.part("removed_countries").texts("country")),
            conditionBrowseModule=_xml_terms(root.part("condition_browse")),
            interventionBrowseModule=_xml_terms(root.part("intervention_browse")),
        ),
        hasResults=bool(root.parts("clinical_results")),
    )


class _Element:
    """The children of an XML element by their name; one that is not there has none."""

    def __init__(self, element: etree._Element | None) -> None:
        self.children: dict[str, list[etree._Element]] = {}
        for child in element if element is not None else ():
            self.children.setdefault(str(child.tag), []).append(child)

    def text(self, *names: str) -> str | None:
        """The text of the first of the names that has one; the generations of the format name some things anew."""
        for name in names:
            for child in self.children.get(name, ()):
                if text := _laid_flat(child.text):
                    return text
        return None

    def texts(self, name: str) -> list[str]:
        return [text for child in self.children.get(name, ()) if (text := _laid_flat(child.text))]

    def kind(self, name: str) -> str | None:
        """The child's `type` attribute."""
        return next((child.get("type") for child in self.children.get(name, ())), None)

    def part(self, name: str) -> "_Element":
        return _Element(next(iter(self.children.get(name, ())), None))

    def parts(self, name: str) -> list["_Element"]:
        return [_Element(child) for child in self.children.get(name, ())]

    def dated(self, name: str) -> Study:
        """A date with its type, as API v2 has them in one object."""
        return _filled(date=_date(self.text(name)), type=_word(DATE_TYPE, self.kind(name)))


def _laid_flat(text: str | None) -> str | None:
    """Longer texts stand on indented lines of their own."""
    if text is None:
        return None
    if "\n" in text:
        text = " ".join(line.strip() for line in text.split("\n") if line.strip())
    return text.strip() or None


def _nested(path: str, items: list[Study]) -> Study:
    """The list at the path, each step an object; nothing where the list is empty."""
    *branches, leaf = path.split(".")
    tree: Study = _filled(**{leaf: items})
    for branch in reversed(branches):
        tree = _filled(**{branch: tree})
    return tree


def _xml_identification(root: _Element) -> Study:
    ids = root.part("id_info")
    return _filled(
        nctId=ids.text("nct_id"),
        nctIdAliases=ids.texts("nct_alias"),
        orgStudyIdInfo=_filled(id=ids.text("org_study_id")),
        secondaryIdInfos=[{"id": number} for number in ids.texts("secondary_id")],
        briefTitle=root.text("brief_title"),
        officialTitle=root.text("official_title"),
        acronym=root.text("acronym"),
    )


def _xml_status(root: _Element) -> Study:
    return _filled(
        statusVerifiedDate=_date(root.text("verification_date")),
        overallStatus=_word(STATUS, root.text("overall_status")),
        lastKnownStatus=_word(STATUS, root.text("last_known_status")),
        whyStopped=root.text("why_stopped"),
        startDateStruct=root.dated("start_date"),
        primaryCompletionDateStruct=root.dated("primary_completion_date"),
        completionDateStruct=root.dated("completion_date"),
        studyFirstSubmitDate=_date(root.text("study_first_submitted", "firstreceived_date")),
        studyFirstPostDateStruct=_filled(date=_date(root.text("study_first_posted"))),
        resultsFirstSubmitDate=_date(root.text("results_first_submitted", "firstreceived_results_date")),
        resultsFirstSubmitQcDate=_date(root.text("results_first_submitted_qc")),
        resultsFirstPostDateStruct=root.dated("results_first_posted"),
        dispFirstSubmitDate=_date(root.text("disposition_first_submitted", "firstreceived_results_disposition_date")),
        dispFirstPostDateStruct=_filled(date=_date(root.text("disposition_first_posted"))),
        lastUpdateSubmitDate=_date(root.text("last_update_submitted", "lastchanged_date")),
        lastUpdatePostDateStruct=_filled(date=_date(root.text("last_update_posted"))),
    )


def _xml_sponsors(root: _Element) -> Study:
    sponsors, party = root.part("sponsors"), root.part("responsible_party")
    return _filled(
        responsibleParty=_filled(
            type=_word(RESPONSIBLE_PARTY, party.text("responsible_party_type")),
            investigatorFullName=party.text("investigator_full_name"),
            oldNameTitle=party.text("name_title"),
        ),
        leadSponsor=_xml_sponsor(sponsors.part("lead_sponsor")),
        collaborators=[_xml_sponsor(one) for one in sponsors.parts("collaborator")],
    )


def _xml_sponsor(sponsor: _Element) -> Study:
    return _filled(**{"name": sponsor.text("agency"), "class": _word(AGENCY_CLASS, sponsor.text("agency_class"))})


def _xml_oversight(oversight: _Element) -> Study:
    return _filled(
        isFdaRegulatedDrug=_flag(oversight.text("is_fda_regulated_drug")),
        isFdaRegulatedDevice=_flag(oversight.text("is_fda_regulated_device")),
        isUnapprovedDevice=_flag(oversight.text("is_unapproved_device")),
        isPpsd=_flag(oversight.text("is_ppsd")),
        isUsExport=_flag(oversight.text("is_us_export")),
    )


def _xml_design(root: _Element, study_type: str | None) -> Study:
    purpose = root.part("study_design_info").text("primary_purpose")
    if purpose is None and (stated := _PURPOSE.search(root.text("study_design") or "")):
        purpose = stated[1].strip()  # until 2016 the design was one text of `Name: Value, ...`
    return _filled(
        studyType=study_type,
        phases=[phase for text in root.texts("phase") for phase in _phases(text, study_type)],
        designInfo=_filled(primaryPurpose=_word(PRIMARY_PURPOSE, purpose)),
        enrollmentInfo=_filled(count=root.text("enrollment"), type=_word(DATE_TYPE, root.kind("enrollment"))),
    )


def _xml_interventions(root: _Element) -> list[Study]:
    return [
        _filled(
            type=_word(INTERVENTION_TYPE, one.text("intervention_type")),
            name=one.text("intervention_name"),
            otherNames=one.texts("other_name"),
        )
        for one in root.parts("intervention")
    ]


def _xml_outcomes(root: _Element, name: str) -> list[Study]:
    return [_filled(measure=one.text("measure"), timeFrame=one.text("time_frame")) for one in root.parts(name)]


def _xml_places(root: _Element) -> Study:
    locations = (one.findtext("facility/address/country") for one in root.children.get("location", ()))
    countries = [country for text in locations if (country := _laid_flat(text))]
    # Without sites, the list of countries is all there is; each then counts as one site.
    countries = countries or root.part("location_countries").texts("country")
    return _filled(
        overallOfficials=[_filled(name=_person(one)) for one in root.parts("overall_official")],
        locations=[{"country": country} for country in countries],
    )


def _person(one: _Element) -> str | None:
    """A name as API v2 writes it; nearly always all of it stands in `last_name`."""
    names = [text for part in ("first_name", "middle_name", "last_name") if (text := one.text(part))]
    degrees = one.text("degrees")
    return ", ".join(text for text in (" ".join(names), degrees) if text) or None


def _xml_references(root: _Element) -> list[Study]:
    """A `reference` is what the sponsor named as background: what the register itself derives from PubMed's data bank
    field is not in the XML."""
    return [
        _filled(pmid=one.text("PMID"), type=kind, citation=one.text("citation"))
        for name, kind in (("reference", "BACKGROUND"), ("results_reference", "RESULT"))
        for one in root.parts(name)
    ]


def _xml_events(root: _Element) -> list[Study]:
    pending = root.part("pending_results").children
    return [
        _event(_word(RESULT_EVENT, name), _date(_laid_flat(one.text)))
        for name, found in pending.items()
        for one in found
    ]


def _xml_measures(results: _Element) -> list[Study]:
    return [
        _filled(
            type=_word(OUTCOME_TYPE, one.text("type")),
            title=one.text("title"),
            analyses=[_xml_analysis(analysis) for analysis in one.part("analysis_list").parts("analysis")],
        )
        for one in results.part("outcome_list").parts("outcome")
    ]


def _xml_analysis(one: _Element) -> Study:
    return _filled(
        pValue=one.text("p_value"),
        nonInferiorityType=_word(HYPOTHESIS, one.text("non_inferiority_type")),
        statisticalMethod=one.text("method"),
        paramType=one.text("param_type"),
        paramValue=one.text("param_value"),
        ciPctValue=one.text("ci_percent"),
        ciNumSides=_word(SIDES, one.text("ci_n_sides")),
        ciLowerLimit=one.text("ci_lower_limit"),
        ciUpperLimit=one.text("ci_upper_limit"),
    )


def _xml_documents(root: _Element) -> list[Study]:
    return [
        _filled(
            hasProtocol=_flag(one.text("document_has_protocol")),
            hasSap=_flag(one.text("document_has_sap")),
            hasIcf=_flag(one.text("document_has_icf")),
            label=one.text("document_type"),
            date=_date(one.text("document_date")),
            filename=(one.text("document_url") or "").rpartition("/")[2] or None,
        )
        for one in root.part("provided_document_section").parts("provided_document")
    ]


def _xml_terms(browse: _Element) -> Study:
    return _filled(meshes=[{"term": term} for term in browse.texts("mesh_term")])


# --- API v1 ---------------------------------------------------------------------------------------------------------


def studies_from_v1(document: Any) -> Iterator[Study]:
    """The studies of a decoded document of API v1: a FullStudiesResponse, a FullStudy, a bare study, or a list."""
    if isinstance(document, list):
        for one in document:
            yield from studies_from_v1(one)
    elif isinstance(document, dict):
        if "ProtocolSection" in document:
            yield study_from_v1(document)
            return
        for wrapper in ("FullStudiesResponse", "FullStudies", "FullStudy", "Study"):
            yield from studies_from_v1(document.get(wrapper))


def study_from_v1(document: Any) -> Study:
    """One study of API v1, in which lists stand in a `...List` object and names repeat their module's."""
    root = _Object(document)
    protocol = root.part("ProtocolSection")
    derived = root.part("DerivedSection")
    events = root.part("AnnotationSection", "AnnotationModule", "UnpostedAnnotation").parts("UnpostedEvent")
    return _filled(
        protocolSection=_filled(
            identificationModule=_v1_identification(protocol.part("IdentificationModule")),
            statusModule=_v1_status(protocol.part("StatusModule")),
            sponsorCollaboratorsModule=_v1_sponsors(protocol.part("SponsorCollaboratorsModule")),
            oversightModule=_v1_oversight(protocol.part("OversightModule")),
            descriptionModule=_v1_descriptions(protocol.part("DescriptionModule")),
            conditionsModule=_v1_conditions(protocol.part("ConditionsModule")),
            designModule=_v1_design(protocol.part("DesignModule")),
            armsInterventionsModule=_filled(interventions=_v1_interventions(protocol.part("ArmsInterventionsModule"))),
            outcomesModule=_v1_outcomes(protocol.part("OutcomesModule")),
            contactsLocationsModule=_v1_places(protocol.part("ContactsLocationsModule")),
            referencesModule=_filled(references=_v1_references(protocol.part("ReferencesModule"))),
        ),
        resultsSection=_nested(
            "outcomeMeasuresModule.outcomeMeasures", _v1_measures(root.part("ResultsSection", "OutcomeMeasuresModule"))
        ),
        annotationSection=_nested(
            "annotationModule.unpostedAnnotation.unpostedEvents",
            [_event(one.word(RESULT_EVENT, "UnpostedEventType"), one.date("UnpostedEventDate")) for one in events],
        ),
        documentSection=_nested(
            "largeDocumentModule.largeDocs", _v1_documents(root.part("DocumentSection", "LargeDocumentModule"))
        ),
        derivedSection=_filled(
            miscInfoModule=_v1_misc(derived.part("MiscInfoModule")),
            conditionBrowseModule=_v1_terms(derived.part("ConditionBrowseModule"), "Condition"),
            interventionBrowseModule=_v1_terms(derived.part("InterventionBrowseModule"), "Intervention"),
        ),
        hasResults="ResultsSection" in root.members,
    )


class _Object:
    """The members of a JSON object; one that is not there, or is no object, has none."""

    def __init__(self, value: Any) -> None:
        self.members: Mapping[str, Any] = value if isinstance(value, dict) else {}

    def text(self, name: str) -> Any:
        """The member as served: a wrong shape is for the reader to name."""
        return self.members.get(name)

    def flag(self, name: str) -> Any:
        value = self.text(name)
        return _flag(value) if isinstance(value, str) else value

    def word(self, words: _Words, name: str) -> Any:
        value = self.text(name)
        return _word(words, value) if isinstance(value, str) else value

    def date(self, name: str) -> Any:
        value = self.text(name)
        return _date(value) if isinstance(value, str) else value

    def part(self, *path: str) -> "_Object":
        value: Any = self.members
        for name in path:
            value = value.get(name) if isinstance(value, dict) else None
        return _Object(value)

    def items(self, name: str) -> list[Any]:
        """The list of `name` inside of `nameList`; a single one may stand there by itself."""
        value = self.part(f"{name}List").text(name)
        if value is None:
            return []
        return value if isinstance(value, list) else [value]

    def parts(self, name: str) -> list["_Object"]:
        return [_Object(item) for item in self.items(name)]

    def dated(self, name: str) -> Study:
        struct = self.part(f"{name}Struct")
        return _filled(date=struct.date(name), type=struct.word(DATE_TYPE, f"{name}Type"))


def _v1_identification(ids: _Object) -> Study:
    own = ids.part("OrgStudyIdInfo")
    return _filled(
        nctId=ids.text("NCTId"),
        nctIdAliases=ids.items("NCTIdAlias"),
        orgStudyIdInfo=_filled(id=own.text("OrgStudyId"), type=own.word(ID_TYPE, "OrgStudyIdType")),
        secondaryIdInfos=[
            _filled(
                id=one.text("SecondaryId"),
                type=one.word(ID_TYPE, "SecondaryIdType"),
                domain=one.text("SecondaryIdDomain"),
            )
            for one in ids.parts("SecondaryIdInfo")
        ],
        briefTitle=ids.text("BriefTitle"),
        officialTitle=ids.text("OfficialTitle"),
        acronym=ids.text("Acronym"),
    )


def _v1_status(status: _Object) -> Study:
    return _filled(
        statusVerifiedDate=status.date("StatusVerifiedDate"),
        overallStatus=status.word(STATUS, "OverallStatus"),
        lastKnownStatus=status.word(STATUS, "LastKnownStatus"),
        whyStopped=status.text("WhyStopped"),
        startDateStruct=status.dated("StartDate"),
        primaryCompletionDateStruct=status.dated("PrimaryCompletionDate"),
        completionDateStruct=status.dated("CompletionDate"),
        studyFirstSubmitDate=status.date("StudyFirstSubmitDate"),
        studyFirstPostDateStruct=_filled(date=status.part("StudyFirstPostDateStruct").date("StudyFirstPostDate")),
        resultsFirstSubmitDate=status.date("ResultsFirstSubmitDate"),
        resultsFirstSubmitQcDate=status.date("ResultsFirstSubmitQCDate"),
        resultsFirstPostDateStruct=status.dated("ResultsFirstPostDate"),
        dispFirstSubmitDate=status.date("DispFirstSubmitDate"),
        dispFirstPostDateStruct=_filled(date=status.part("DispFirstPostDateStruct").date("DispFirstPostDate")),
        lastUpdateSubmitDate=status.date("LastUpdateSubmitDate"),
        lastUpdatePostDateStruct=_filled(date=status.part("LastUpdatePostDateStruct").date("LastUpdatePostDate")),
    )


def _v1_sponsors(sponsors: _Object) -> Study:
    party, lead = sponsors.part("ResponsibleParty"), sponsors.part("LeadSponsor")
    return _filled(
        responsibleParty=_filled(
            type=party.word(RESPONSIBLE_PARTY, "ResponsiblePartyType"),
            investigatorFullName=party.text("ResponsiblePartyInvestigatorFullName"),
            oldNameTitle=party.text("ResponsiblePartyOldNameTitle"),
        ),
        leadSponsor=_v1_sponsor(lead, "LeadSponsor"),
        collaborators=[_v1_sponsor(one, "Collaborator") for one in sponsors.parts("Collaborator")],
    )


def _v1_sponsor(sponsor: _Object, role: str) -> Study:
    return _filled(**{"name": sponsor.text(f"{role}Name"), "class": sponsor.word(AGENCY_CLASS, f"{role}Class")})


def _v1_oversight(oversight: _Object) -> Study:
    return _filled(
        isFdaRegulatedDrug=oversight.flag("IsFDARegulatedDrug"),
        isFdaRegulatedDevice=oversight.flag("IsFDARegulatedDevice"),
        isUnapprovedDevice=oversight.flag("IsUnapprovedDevice"),
        isPpsd=oversight.flag("IsPPSD"),
        isUsExport=oversight.flag("IsUSExport"),
        fdaaa801Violation=oversight.flag("FDAAA801Violation"),
    )


def _v1_descriptions(description: _Object) -> Study:
    return _filled(
        briefSummary=description.text("BriefSummary"), detailedDescription=description.text("DetailedDescription")
    )


def _v1_conditions(conditions: _Object) -> Study:
    return _filled(conditions=conditions.items("Condition"), keywords=conditions.items("Keyword"))


def _v1_design(design: _Object) -> Study:
    enrolment = design.part("EnrollmentInfo")
    study_type = design.word(STUDY_TYPE, "StudyType")
    return _filled(
        studyType=study_type,
        phases=[phase for text in design.items("Phase") for phase in _phases(str(text), study_type)],
        designInfo=_filled(primaryPurpose=design.part("DesignInfo").word(PRIMARY_PURPOSE, "DesignPrimaryPurpose")),
        enrollmentInfo=_filled(
            count=enrolment.text("EnrollmentCount"), type=enrolment.word(DATE_TYPE, "EnrollmentType")
        ),
    )


def _v1_interventions(arms: _Object) -> list[Study]:
    return [
        _filled(
            type=one.word(INTERVENTION_TYPE, "InterventionType"),
            name=one.text("InterventionName"),
            otherNames=one.items("InterventionOtherName"),
        )
        for one in arms.parts("Intervention")
    ]


def _v1_outcomes(outcomes: _Object) -> Study:
    lists = {}
    for kind in ("Primary", "Secondary", "Other"):
        lists[f"{kind.lower()}Outcomes"] = [
            _filled(measure=one.text(f"{kind}OutcomeMeasure"), timeFrame=one.text(f"{kind}OutcomeTimeFrame"))
            for one in outcomes.parts(f"{kind}Outcome")
        ]
    return _filled(**lists)


def _v1_places(places: _Object) -> Study:
    return _filled(
        overallOfficials=[_filled(name=one.text("OverallOfficialName")) for one in places.parts("OverallOfficial")],
        locations=[_filled(country=one.text("LocationCountry")) for one in places.parts("Location")],
    )


def _v1_references(references: _Object) -> list[Study]:
    return [
        _filled(
            pmid=one.text("ReferencePMID"),
            type=one.word(REFERENCE_TYPE, "ReferenceType"),
            citation=one.text("ReferenceCitation"),
        )
        for one in references.parts("Reference")
    ]


def _v1_measures(results: _Object) -> list[Study]:
    return [
        _filled(
            type=one.word(OUTCOME_TYPE, "OutcomeMeasureType"),
            title=one.text("OutcomeMeasureTitle"),
            analyses=[_v1_analysis(analysis) for analysis in one.parts("OutcomeAnalysis")],
        )
        for one in results.parts("OutcomeMeasure")
    ]


def _v1_analysis(one: _Object) -> Study:
    return _filled(
        pValue=one.text("OutcomeAnalysisPValue"),
        nonInferiorityType=one.word(HYPOTHESIS, "OutcomeAnalysisNonInferiorityType"),
        statisticalMethod=one.text("OutcomeAnalysisStatisticalMethod"),
        paramType=one.text("OutcomeAnalysisParamType"),
        paramValue=one.text("OutcomeAnalysisParamValue"),
        ciPctValue=one.text("OutcomeAnalysisCIPctValue"),
        ciNumSides=one.word(SIDES, "OutcomeAnalysisCINumSides"),
        ciLowerLimit=one.text("OutcomeAnalysisCILowerLimit"),
        ciUpperLimit=one.text("OutcomeAnalysisCIUpperLimit"),
    )


def _v1_documents(documents: _Object) -> list[Study]:
    return [
        _filled(
            hasProtocol=one.flag("LargeDocHasProtocol"),
            hasSap=one.flag("LargeDocHasSAP"),
            hasIcf=one.flag("LargeDocHasICF"),
            label=one.text("LargeDocLabel"),
            date=one.date("LargeDocDate"),
            uploadDate=_uploaded(one.text("LargeDocUploadDate")),
            filename=one.text("LargeDocFilename"),
        )
        for one in documents.parts("LargeDoc")
    ]


def _v1_misc(misc: _Object) -> Study:
    tracking = misc.part("SubmissionTracking")
    return _filled(
        versionHolder=misc.date("VersionHolder"),
        removedCountries=misc.items("RemovedCountry"),
        submissionTracking=_filled(
            estimatedResultsFirstSubmitDate=tracking.date("EstimatedResultsFirstSubmitDate"),
            submissionInfos=[_v1_round(one) for one in tracking.parts("SubmissionInfo")],
        ),
    )


def _v1_round(one: _Object) -> Study:
    unreleased = one.date("SubmissionUnreleaseDate")
    is_unknown = unreleased == UNKNOWN_DATE
    return _filled(
        releaseDate=one.date("SubmissionReleaseDate"),
        unreleaseDate=None if is_unknown else unreleased,
        unreleaseDateUnknown=True if is_unknown else None,
        resetDate=one.date("SubmissionResetDate"),
    )


def _v1_terms(browse: _Object, name: str) -> Study:
    def terms(part: str) -> list[Study]:
        return [_filled(id=one.text(f"{part}Id"), term=one.text(f"{part}Term")) for one in browse.parts(part)]

    return _filled(meshes=terms(f"{name}Mesh"), ancestors=terms(f"{name}Ancestor"))
