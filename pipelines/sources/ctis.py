"""CTIS, the EU's Clinical Trials Information System: the portal's JSON in its three generations.

A record is what `retrieve` serves, an item of a page of the overview (`search`), or both merged into one object; one
reading serves all, since their keys do not clash. It is shown to the rest of the module through `_Record`, which knows
where each generation keeps its parts. The register's words, and the meaning of the own fields, stand in
`schemas/sources/ctis.toml`. Contacts, investigators and the titles of documents are never read. Which of several
resubmissions of a trial counts does not belong here.
"""

import itertools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import msgspec

from pipelines import dates, privacy, trn
from pipelines.contracts import contracts
from pipelines.dates import PartialDate
from pipelines.errors import PayloadError
from pipelines.formats import json_records, mentions, packing, served
from pipelines.formats.drafts import KIND as KIND
from pipelines.formats.drafts import Draft, write
from pipelines.formats.served import Member
from pipelines.reading import Report

PORTAL = "https://euclinicaltrials.eu/ctis-public/view"
DOCUMENTS = "https://euclinicaltrials.eu/ctis-public-api/documents"
NUMBER = re.compile(r"20\d{2}-5\d{5}-\d{2}")
EEA_ONLY = frozenset({"1", "EEA only"})
NO_DATE = "undated"

LARGEST_PAGE = 64 << 20
_DATA = re.compile(rb'"data"\s*:\s*(?=\[)')
_PAGE = re.compile(rb'\{\s*"(?:showWarning|pagination|data)"\s*:')

Drafts = Iterator[tuple[int, Draft]]


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


def numbers(payload: Path) -> list[str]:
    """The registrations that a page of the overview names."""
    page = msgspec.json.decode(b"".join(packing.chunks(payload)))
    found = (trn.canonical(str(item.get("ctNumber", "")), "ctis") for item in page["data"])
    return [hit.canonical for hit in found if hit and hit.registry == "ctis"]


def _of_member(member: Member, day: date, numbers: Iterator[int], report: Report) -> Drafts:
    is_empty = True
    for number, record in _objects(member, numbers, report):
        is_empty = False
        yield number, _draft(_Record(record), day)
    if is_empty and not report.rejects:
        report.notes.append(f"{member.place} holds no trial.")


def _objects(member: Member, numbers: Iterator[int], report: Report) -> Iterator[tuple[int, dict[str, Any]]]:
    if not _PAGE.match(member.start):
        return served.objects(member, json_records.shape(member.start), numbers, report)
    return served.objects(_items(member), "array", numbers, report)


def _items(member: Member) -> Member:
    """The array `data` of a page of the overview, as a file of its own: a page holds a hundred items at most."""
    content, damage = bytearray(), None
    try:
        for piece in member.pieces():
            content += piece
            if len(content) > LARGEST_PAGE:
                raise PayloadError(f"the page is larger than {LARGEST_PAGE >> 20} MiB: this is no page of the overview")
    except PayloadError as error:
        damage = error
    try:
        items = _dict(msgspec.json.decode(content)).get("data")
        array = msgspec.json.encode(items) if isinstance(items, list) else b"[]"
    except (msgspec.DecodeError, RecursionError):
        begin = _DATA.search(content)  # broken somewhere: the good items are still told apart
        array = bytes(content[begin.end() :]) if begin else b"["
    return Member(member.place, array[: 1 << 16], lambda: _before(array, damage))


def _before(content: bytes, damage: PayloadError | None) -> Iterator[bytes]:
    yield content
    if damage:
        raise damage


# --- the record -----------------------------------------------------------------------------------------------------


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _dicts(value: Any) -> list[dict[str, Any]]:
    """The objects of a list; one object alone is a list of one, as conversions have it."""
    values = value if isinstance(value, list) else [value]
    return [v for v in values if isinstance(v, dict)]


def _text(value: Any) -> str | None:
    """A leaf as text; a flag as yes or no."""
    if isinstance(value, bool):
        return "Yes" if value else "No"
    return str(value) if isinstance(value, str | int | float) else None


def _texts(values: Iterable[Any]) -> list[str]:
    return [text for text in map(_text, values) if text and text.strip()]


def _at(value: Any, *path: str) -> Any:
    for key in path:
        value = _dict(value).get(key)
    return value


@dataclass(frozen=True)
class _Record:
    """A served object, and where its generation keeps what is asked for."""

    top: dict[str, Any]

    @property
    def application(self) -> dict[str, Any]:
        return _dict(self.top.get("authorizedApplication")) or self.top

    @property
    def part1(self) -> dict[str, Any]:
        return _dict(self.application.get("authorizedPartI"))

    @property
    def parts2(self) -> list[dict[str, Any]]:
        return _dicts(self.application.get("authorizedPartsII"))

    @property
    def details(self) -> dict[str, Any]:
        return _dict(self.part1.get("trialDetails"))

    @property
    def information(self) -> dict[str, Any]:
        return _dict(self.details.get("trialInformation"))

    @property
    def titles(self) -> dict[str, Any]:
        return _dict(self.details.get("clinicalTrialIdentifiers"))

    @property
    def states(self) -> list[dict[str, Any]]:
        """Member states concerned."""
        return _dicts(self.application.get("memberStatesConcerned"))

    @property
    def events(self) -> list[tuple[str, str, Any]]:
        """(member state, type of event, date) of every notification."""
        lists = [
            (block, _dicts(block.get(key)))
            for top, key in (("events", "events"), ("mscTrialNotificationsInfoList", "mscNotificationsListInfo"))
            for block in _dicts(_at(self.top, "events", "trialEvents") if top == "events" else self.top.get(top))
        ]
        return [
            (_text(block.get("mscName")) or "", _text(event.get("notificationType")) or "", event.get("date"))
            for block, events in lists
            for event in events
        ]

    def first(self, *keys: str) -> str | None:
        """The first top-level key that says something."""
        return next(iter(_texts(self.top.get(key) for key in keys)), None)


# --- from a record to a draft ---------------------------------------------------------------------------------------


def _draft(record: _Record, day: date) -> Draft:
    draft = Draft(contracts().sources["ctis"], day)
    served_number = record.first("ctNumber", "_id") or ""
    hit = trn.canonical(served_number, "ctis")
    is_ours = hit is not None and hit.registry == "ctis"
    draft.values["registration_id"] = hit.canonical if hit and is_ours else served_number
    own: dict[str, str] = {}
    _own(draft, own, "eu_ct_number", served_number)
    _own(draft, own, "resubmission", hit.suffix if hit and is_ours else None)
    draft.text("url", f"{PORTAL}/{served_number.strip()}")
    draft.values["data_version"] = _text(record.top.get("record_last_import"))
    _titles(draft, record)
    draft.values["study_type"] = "interventional"  # the register takes no other
    _phase(draft, own, record)
    _status(draft, own, record)
    _dates(draft, own, record)
    _enrolment(draft, own, record)
    _sponsors(draft, own, record)
    _lists(draft, own, record)
    draft.values["countries"] = _countries(draft, record)
    _results(draft, own, record)
    _other_own_fields(draft, own, record)
    draft.values["own_fields"] = own
    return draft


def _own(draft: Draft, own: dict[str, str], name: str, value: Any) -> None:
    if cleaned := draft.clean(name, _text(value)):
        own[name] = cleaned


def _titles(draft: Draft, record: _Record) -> None:
    full = _text(record.titles.get("fullTitle")) or record.first("ctTitle", "title")
    draft.text("title", _text(record.titles.get("publicTitle")) or full)
    draft.text("official_title", full)
    titles = (draft.values["title"], draft.values["official_title"])
    draft.values["mentions"] = mentions.numbers_in(titles, draft.values["registration_id"])


def _phase(draft: Draft, own: dict[str, str], record: _Record) -> None:
    """The words of the overview; a record alone has only the code."""
    code = _text(_at(record.information, "trialCategory", "trialPhase"))
    words = re.sub(r"\s*-\s*(?=(?:First|Bioequivalence|Other)\b)", "- ", record.first("trialPhase") or "")
    draft.coded("phase", words or code)
    _own(draft, own, "phase_code", code)


def _status(draft: Draft, own: dict[str, str], record: _Record) -> None:
    """The public status of the trial. The text beside a public code is the status of the application, another list."""
    plain = _text(record.top.get("ctStatus"))
    public = record.first("ctPublicStatusCode") or (plain if plain and plain.isdigit() else None)
    draft.coded("status", public or record.first("ctPublicStatus") or plain)
    _own(draft, own, "public_status_code", public)
    if plain and plain != public and (public or "authorizedApplication" in record.top):
        _own(draft, own, "application_status", plain)
    if draft.values["status"] == "completed" and _is_ended_early(draft, record):
        draft.values["status"] = "terminated"
    reasons = _texts(block.get("earlyTerminationReason") for block in _dicts(_at(record.top, "events", "trialEvents")))
    draft.text("why_stopped", " | ".join(dict.fromkeys(reasons)))


def _is_ended_early(draft: Draft, record: _Record) -> bool:
    """Whether every member state concerned reports an early termination."""
    kinds = draft.source.words["event"]
    early = {state for state, kind, _ in record.events if kinds.get(kind) == "terminated"}
    return bool(early) and early >= set(_texts(state.get("mscName") for state in record.states))


def _day_form(raw: str | None, reference: date) -> PartialDate:
    """ISO in records, with the time of day or without; DD/MM/YYYY in the overview."""
    if raw is None:
        return dates.iso(None, reference)
    if "/" in raw:
        return dates.day_first(raw, reference)
    bare, has_time, _ = raw.partition("T")
    return replace(dates.iso(bare, reference), raw=raw) if has_time else dates.iso(raw, reference)


def _day(draft: Draft, name: str, value: Any) -> date | None:
    return draft.whole_day(name, _text(value), _day_form)


def _days(draft: Draft, name: str, values: Iterable[Any]) -> list[date]:
    return sorted(day for day in (_day(draft, name, value) for value in values) if day)


def _own_day(own: dict[str, str], name: str, day: date | None) -> None:
    if day:
        own[name] = day.isoformat()


def _dates(draft: Draft, own: dict[str, str], record: _Record) -> None:
    duration = _dict(record.information.get("trialDuration"))
    initial = [a.get("submissionDate") for a in _applications(record) if _text(a.get("type")) == "INITIAL"]
    submitted = _days(draft, "registered", initial) or _days(draft, "registered", [record.top.get("submissionDate")])
    draft.partial_date("registered", submitted[0].isoformat() if submitted else None)
    start = record.first("startDateEU", "eeaStartDate", "trialStartDate")
    planned_start = _text(duration.get("estimatedRecruitmentStartDate"))
    draft.partial_date("start", start or planned_start, _day_form, "actual" if start else _if(planned_start))
    if start and draft.values["start_precision"] == "day":
        _own_day(own, "start_date_eu", draft.values["start_earliest"])
    _completion(draft, own, record, duration)
    draft.values["last_update_submitted"] = _day(draft, "last_update_submitted", record.first("lastUpdated"))
    published = record.first("lastPublicationUpdate", "publishDate")
    draft.values["last_update_posted"] = _day(draft, "last_update_posted", published)


def _if(expected: str | None) -> str | None:
    return "estimated" if expected else None


def _applications(record: _Record) -> list[dict[str, Any]]:
    return _dicts(record.application.get("applicationInfo")) + _dicts(record.top.get("applications"))


def _completion(draft: Draft, own: dict[str, str], record: _Record, duration: dict[str, Any]) -> None:
    """The end in all countries: the end in the EU is it where no other country takes part."""
    ends = _days(draft, "completion", [_at(record.top, "events", "trialGlobalEndDate"), *_global_ends(record)])
    end_eu = _days(draft, "completion", [record.first("endDateEU", "eeaEndDate")])
    _own_day(own, "global_end_date", ends[-1] if ends else None)
    _own_day(own, "end_date_eu", end_eu[-1] if end_eu else None)
    planned = _text(duration.get("estimatedEndDate"))
    planned_global = _text(duration.get("estimatedGlobalEndDate"))
    for name, value in (("estimated_end_date", planned), ("estimated_global_end_date", planned_global)):
        _own_day(own, name, _day(draft, "completion", value))
    if not ends and _is_eea_only(record):
        ends = end_eu
    if ends:
        draft.partial_date("completion", ends[-1].isoformat(), kind="actual")
    else:
        expected = planned_global or planned
        draft.partial_date("completion", expected, _day_form, _if(expected))


def _global_ends(record: _Record) -> list[Any]:
    """`trialGlobalEnd` is a date, or a list of notifications with one (to 2024)."""
    value = record.top.get("trialGlobalEnd") or record.application.get("trialGlobalEnd")
    values = value if isinstance(value, list) else [value]
    return [_dict(v).get("date") if isinstance(v, dict) else v for v in values]


def _is_eea_only(record: _Record) -> bool:
    return record.first("trialRegionCode", "trialRegion") in EEA_ONLY or (
        bool(record.part1) and not _dicts(record.part1.get("rowCountriesInfo"))
    )


def _enrolment(draft: Draft, own: dict[str, str], record: _Record) -> None:
    """Planned participants: the register's total counts the EEA, the rest of the world stands apart."""
    inside = draft.number("enrolment", record.first("totalNumberEnrolled"))
    outside = draft.number("enrolment", _text(record.part1.get("rowSubjectCount")))
    _own(draft, own, "subjects_in_eea", inside)
    _own(draft, own, "subjects_outside_eea", outside)
    if outside is None and _is_eea_only(record):
        outside = 0
    if inside is not None and outside is not None:
        draft.values |= {"enrolment": inside + outside, "enrolment_type": "estimated"}


# --- sponsors and lists ---------------------------------------------------------------------------------------------

_TITLE = re.compile(r"(?:prof(?:essor)?|dr|mr|mrs|herr|frau)\b\.?\s.+", re.IGNORECASE)
_ORGANISATION = re.compile(privacy.ORGANISATION, re.IGNORECASE)


def _sponsors(draft: Draft, own: dict[str, str], record: _Record) -> None:
    """The primary sponsor, co-sponsors, and who pays."""
    listed = sorted(_dicts(record.part1.get("sponsors")), key=lambda s: s.get("primary") is not True)
    rows = [_sponsor(draft, sponsor) for sponsor in listed]
    kinds = (record.first("sponsorType") or "").split(", ")
    _own(draft, own, "sponsor_type", _at(listed[0], "organisation", "type") if listed else kinds[0])
    if not rows and (name := record.first("sponsor")):
        rows = [(_named(draft, name, draft.word("sponsor_class", kinds[0])), kinds[0])]
    for place, (row, word) in enumerate(rows):
        row["role"] = "collaborator" if place else "lead"
        if not place:
            draft.text("sponsor_class_source", word)
            draft.values |= {"sponsor": row["name"], "sponsor_class": row["class"]}
            draft.values["sponsor_is_person"] = row["is_person"]
    payers = _texts(s.get("organisationName") for s in _dicts(record.information.get("sourceOfMonetarySupport")))
    funders = [_named(draft, name, None) | {"role": "funder"} for name in dict.fromkeys(payers)]
    draft.values["sponsors"] = [row for row, _ in rows] + funders


def _sponsor(draft: Draft, sponsor: dict[str, Any]) -> tuple[dict[str, Any], str | None]:
    """A sponsor with the class that it declares for the trial: its kind of organisation can say the opposite."""
    word, flag = sponsor.get("commercial"), sponsor.get("isCommercial")
    if not isinstance(word, str):
        word = ("Commercial" if flag else "Non-Commercial") if isinstance(flag, bool) else None
    class_ = draft.word("sponsor_class", word)
    return _named(draft, _text(_at(sponsor, "organisation", "name")) or "", class_), word


def _named(draft: Draft, name: str, class_: str | None) -> dict[str, Any]:
    is_person = class_ != "industry" and bool(_TITLE.fullmatch(name.strip())) and not _ORGANISATION.search(name)
    return {
        "name": privacy.PRIVATE_PERSON if is_person else draft.clean("sponsor", name),
        "class": "individual" if is_person else class_,
        "is_person": is_person,
    }


def _lists(draft: Draft, own: dict[str, str], record: _Record) -> None:
    draft.values["identifiers"] = _identifiers(draft, own, record)
    conditions = [c.get("medicalCondition") for c in _dicts(record.part1.get("medicalConditions"))]
    terms = [t.get("termName") for t in _dicts(_at(record.information, "medicalCondition", "meddraConditionTerms"))]
    draft.texts("conditions", _distinct([*(conditions or [record.top.get("conditions")]), *terms]))
    draft.texts("keywords", _distinct(a.get("name") for a in _dicts(record.part1.get("therapeuticAreas"))))
    draft.values["interventions"] = _interventions(draft, record)
    draft.values["outcomes"] = _outcomes(draft, record)
    codes = record.details.get("pubmedCode")
    found = _texts(codes if isinstance(codes, list) else [codes])
    draft.values["publications"] = [{"pmid": int(c)} for c in found if re.fullmatch(r"[1-9]\d{0,8}", c.strip())]


def _distinct(values: Iterable[Any]) -> list[str]:
    """The values in their order, each once, whatever its white space and case."""
    kept: dict[str, str] = {}
    for value in _texts(values):
        kept.setdefault(" ".join(value.split()).lower(), value)
    return list(kept.values())


def _identifiers(draft: Draft, own: dict[str, str], record: _Record) -> list[dict[str, str | None]]:
    numbers = _dict(record.titles.get("secondaryIdentifyingNumbers"))
    eudract = _at(record.application, "eudraCt", "eudraCtCode") or _at(record.top, "eudraCtInfo", "eudraCtCode")
    _own(draft, own, "transition_eudract_number", eudract)
    _own(draft, own, "is_transitioned", _at(record.application, "eudraCt", "isTransitioned"))
    rows = [
        (_text(record.titles.get("shortTitle")), "ORG_STUDY_ID", None),
        (_completed(_at(numbers, "nctNumber", "number"), "nct"), "REGISTRY", "ClinicalTrials.gov"),
        (_completed(_at(numbers, "isrctnNumber", "number"), "isrctn"), "REGISTRY", "ISRCTN"),
        (_completed(_at(numbers, "whoUniversalTrialNumber", "number"), "utn"), "UTN", "WHO"),
        (_text(eudract), "EUDRACT_NUMBER", "EudraCT"),
        *(
            (_text(other.get("number")), "OTHER", _text(other.get("otherRegistryName")))
            for other in _dicts(numbers.get("additionalRegistries"))
        ),
    ]
    cleaned = [(draft.clean("identifiers", value), kind, domain) for value, kind, domain in rows]
    return [{"value": v, "type": k, "domain": draft.clean("identifiers", d)} for v, k, d in dict.fromkeys(cleaned) if v]


def _completed(value: Any, registry: str) -> str | None:
    """A number that lost its register's prefix, made whole; any other as it stands."""
    text = _text(value)
    hit = trn.canonical(text, registry) if text else None
    return hit.canonical if hit and text and trn.canonical(text) is None else text


def _interventions(draft: Draft, record: _Record) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for product in _dicts(record.part1.get("products")):
        known = _dict(product.get("productDictionaryInfo"))
        substance = known.get("activeSubstanceName") or product.get("jsonActiveSubstanceNames")
        names = _distinct(
            [product.get("productName"), known.get("prodName"), substance, known.get("sponsorProductCode")]
        )
        cleaned = [c for c in (draft.clean("interventions", n) for n in names) if c and c.lower() not in ("n/a", "-")]
        origins = set(_texts(s.get("actSubstOrigin") for s in _dicts(known.get("productSubstances"))))
        kinds = {draft.word("intervention_type", origin) for origin in sorted(origins)}
        if cleaned:
            kind = kinds.pop() if len(kinds) == 1 else None
            rows.append({"type": kind, "name": cleaned[0], "other_names": cleaned[1:]})
    if not record.part1 and (product_names := record.first("product")):
        rows.append({"type": None, "name": draft.clean("interventions", product_names), "other_names": []})
    return [row for place, row in enumerate(rows) if row not in rows[:place]]


def _outcomes(draft: Draft, record: _Record) -> list[dict[str, str | None]]:
    points = _dict(record.information.get("endPoint"))
    listed = [
        (kind, point.get("endPoint"))
        for kind, key in (("primary", "primaryEndPoints"), ("secondary", "secondaryEndPoints"))
        for point in _dicts(points.get(key))
    ]
    if not record.part1:
        listed.append(("primary", record.top.get("primaryEndPoint")))
    cleaned = [(kind, draft.clean("outcomes", _text(measure))) for kind, measure in listed]
    return [{"kind": kind, "measure": measure} for kind, measure in cleaned if measure]


# --- countries ------------------------------------------------------------------------------------------------------

_CODED = re.compile(r"([A-Z]{2}):\s*(.*?)(?=,\s*[A-Z]{2}:|$)", re.DOTALL)
_NEVER_RAN = frozenset({"under_evaluation", "not_authorised", "cancelled"})


def _countries(draft: Draft, record: _Record) -> list[dict[str, Any]]:
    """Member states concerned with their own status and dates, then countries outside the EEA."""
    states = {name: state for state in record.states if (name := _text(state.get("mscName")))}
    words = _state_words(draft, record) | {
        name: code for name, state in states.items() if (code := _text(state.get("mscPublicStatusCode")))
    }
    sites: dict[str, int] = {}
    periods: dict[str, list[dict[str, Any]]] = {}
    for part in record.parts2:
        info = _dict(part.get("mscInfo"))
        name = next(iter(_texts([info.get("countryName"), info.get("mscName")])), "")
        sites[name] = sites.get(name, 0) + len(_dicts(part.get("trialSites")))
        periods[name] = _dicts(info.get("trialPeriod")) + _dicts(info.get("activeTrialPeriod"))
    rows = []
    for name in dict.fromkeys([*states, *words]):
        word = words.get(name) or _text(states.get(name, {}).get("reportingStatusCode"))
        status = draft.word("countries", word, "status")
        decided = _day(draft, "countries", states.get(name, {}).get("firstDecisionDate"))
        rows.append(
            {
                "country": draft.clean("countries", name),
                "sites": sites.get(name),
                "is_removed": False,
                "status": status,
                "status_source": word,
                # Before a decision, the field holds the day of the application.
                "authorised": None if status in _NEVER_RAN else decided,
                "started": _moment(draft, record, name, periods.get(name, []), "trialStartDate", {"started"}),
                "ended": _moment(draft, record, name, periods.get(name, []), "trialEndDate", {"ended", "terminated"}),
            }
        )
    outside = _distinct(country.get("name") for country in _dicts(record.part1.get("rowCountriesInfo")))
    return rows + [{"country": draft.clean("countries", name), "is_removed": False} for name in outside]


def _state_words(draft: Draft, record: _Record) -> dict[str, str]:
    """Country and status from the overview: `DE:Ongoing, recruiting, GR:...`, or `Poland:4` in a list."""
    value = record.top.get("trialCountries")
    if isinstance(value, list):
        pairs = [text.rpartition(":")[::2] for text in _texts(value)]
    else:
        found = _CODED.findall(_text(value) or "")
        pairs = [(draft.word("countries", code, "country") or code, word) for code, word in found]
    return {name.strip(): word.strip() for name, word in pairs if name.strip()}


def _moment(
    draft: Draft, record: _Record, state: str, periods: list[dict[str, Any]], key: str, events: set[str]
) -> date | None:
    """First start, or last end, of the trial in a member state, by its notifications or else by its periods."""
    kinds = draft.source.words["event"]
    told = [day for where, kind, day in record.events if where == state and kinds.get(kind) in events]
    days = _days(draft, "countries", told) or _days(draft, "countries", [p[key] for p in periods if p.get(key)])
    if not days:
        return None
    return days[0] if key == "trialStartDate" else days[-1]


# --- results and own fields -----------------------------------------------------------------------------------------


def _results(draft: Draft, own: dict[str, str], record: _Record) -> None:
    """What has been handed in for publication, with its documents. The register does not say when it was posted."""
    results = _dict(record.top.get("results"))
    summaries, reports = _dicts(results.get("summaryResults")), _dicts(results.get("clinicalStudyReports"))
    lay = _dicts(results.get("laypersonResults"))
    standing = [item for item in lay if not item.get("withdrawDate")]
    final = [item for item in summaries if _is_final(draft, item)]
    interim = [item for item in summaries if item not in final]
    documents: list[dict[str, Any]] = []
    for name, kind, items, key in (
        ("summary_results_submitted", "results", final, "submissionDate"),
        ("interim_results_submitted", "results", interim, "submissionDate"),
        ("lay_summary_submitted", "lay_summary", standing, "submissionDate"),
        ("csr_submitted", "study_report", reports, "submitDate"),
    ):
        days = [_day(draft, name, item.get(key)) for item in items]
        documents += [{"kind": kind, "uploaded": day} for day in days]
        first = min((day for day in days if day), default=None)
        if items:
            own[name] = first.isoformat() if first else NO_DATE
        if name == "summary_results_submitted":
            draft.values["results_submitted"] = first
    _own(draft, own, "summary_results_status", "|".join(_texts(item.get("status") for item in summaries)))
    _own(draft, own, "lay_summary_status", "|".join(_texts(item.get("status") for item in lay)))
    withdrawn = _days(draft, "lay_summary_withdrawn", [item.get("withdrawDate") for item in lay])
    _own_day(own, "lay_summary_withdrawn", withdrawn[-1] if withdrawn else None)
    received = record.first("resultsFirstReceived")
    _own(draft, own, "results_first_received", received)
    if final:
        draft.values["has_results"] = True
    elif received == "Yes":  # of what, the overview does not say
        draft.values["has_results"] = None if interim or reports or standing else True
    elif (received or "results" in record.top) and not interim:
        draft.values["has_results"] = False
    draft.values["documents"] = documents + _documents(draft, record)


def _is_final(draft: Draft, summary: dict[str, Any]) -> bool:
    """Whether a summary of results settles the duty: not where the record says that it is intermediate or not valid."""
    status = (_text(summary.get("status")) or "").strip().lower()
    return summary.get("isFinalResult") is not False and status not in draft.source.unmapped["summary_status"]


def _documents(draft: Draft, record: _Record) -> list[dict[str, Any]]:
    """Documents by type. Their titles are file names of the sponsor's, some with the names of people: not read."""
    kinds = draft.source.words["document_kind"]
    number = (record.first("ctNumber", "_id") or "").strip()
    return [
        {
            "kind": kinds.get(_text(document.get("documentType")) or "", "other"),
            "label": draft.clean("documents", _text(document.get("documentTypeLabel"))),
            "url": f"{DOCUMENTS}/{number}/{uuid}/download",
        }
        for document in _dicts(record.top.get("documents"))
        if (uuid := _text(document.get("uuid"))) and re.fullmatch(r"[0-9A-Za-z-]+", uuid)
    ]


def _other_own_fields(draft: Draft, own: dict[str, str], record: _Record) -> None:
    category = _dict(record.information.get("trialCategory"))
    plans = _dicts(_at(record.details, "scientificAdviceAndPip", "paediatricInvestigationPlan"))
    associated = _dicts(record.details.get("associatedClinicalTrials"))
    low = category.get("isLowIntervention")
    for name, value in (
        ("trial_region", record.first("trialRegion", "trialRegionCode")),
        ("trial_category", record.part1.get("trialCategoryCode") or category.get("trialCategory")),
        ("is_low_intervention", record.part1.get("isLowIntervention") if low is None else low),
        ("age_groups", ", ".join(sorted(set((record.first("ageGroup") or "").split(", "))))),
        ("has_deferral", record.top.get("hasDeferrallApplied")),
        ("pip_numbers", "|".join(_texts(plan.get("paediatricInvestigationNumber") for plan in plans))),
        ("associated_trials", "|".join(_texts(trial.get("ctNumber") for trial in associated))),
    ):
        _own(draft, own, name, value)
