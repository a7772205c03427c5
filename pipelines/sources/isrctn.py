"""ISRCTN: the records of its XML API (`allTrials/fullTrial`), and the same records converted to JSON lines.

XML is turned into the shape that the converted records have, so that one mapping reads both, in the generations before
and after 2025. Conversion lost the attributes: such records have no day of registration or of last update, and their
outputs no type. The words stand in `schemas/sources/isrctn.toml`. Contacts are only compared with the sponsors' names.
"""

import itertools
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from lxml import etree

from pipelines import dates, trn
from pipelines.contracts import contracts
from pipelines.dates import PartialDate
from pipelines.formats import drafts, json_records, mentions, parts, served, xml_records
from pipelines.formats.drafts import Draft
from pipelines.formats.parts import People, Tree, said
from pipelines.formats.served import Member
from pipelines.formats.xml_records import Shape
from pipelines.reading import Report

KIND = "registration_records"
NUMBER = re.compile(r"ISRCTN[0-9]{8}")
SHAPE = Shape("fullTrial", frozenset({"allTrials"}), "ISRCTN's XML of the format default (allTrials/fullTrial)")

_ADDRESS = "https://www.isrctn.com/"
_STAMP = re.compile(r"(\d{4}-\d{2}-\d{2})T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?")
_CITED = re.compile(r"(?:19|20)\d{2} (?P<kind>[A-Za-z][A-Za-z ()]{2,40}?) in:? (?=https?://|www\.|doi|10\.)")
"""`2018 Results article in https://...`; the next one may follow without a space."""


def read(payload: Path, name: str, day: date, out: Path) -> Report:
    """Reads one payload into the Parquet file `out` (contract registration_records).

    name: how the payload is called in the account. day: date of its snapshot, against which dates are judged.
    """
    report = Report()
    numbers = itertools.count(1)
    source = contracts().sources["isrctn"]

    def read_member(member: Member) -> Iterator[tuple[int, Draft]]:
        trials = _from_json if member.start[:1] in (b"{", b"[") else _from_xml
        for number, trial in trials(member, numbers, report):
            yield number, _draft(Tree(trial, Draft(source, day)))

    drafts.write(parts.of_members(payload, name, report, read_member), name, out, report, NUMBER)
    return report


def _from_json(member: Member, numbers: Iterator[int], report: Report) -> Iterator[tuple[int, dict[str, Any]]]:
    return served.objects(member, json_records.shape(member.start), numbers, report)


def _from_xml(member: Member, numbers: Iterator[int], report: Report) -> Iterator[tuple[int, dict[str, Any]]]:
    damaged = Report()
    found = 0
    try:
        for number, element in xml_records.elements(member, SHAPE, numbers, damaged):
            found += 1
            trial = _as_object(element)
            yield number, trial if isinstance(trial, dict) else {}
    finally:
        report.add(damaged)
    hits = xml_records.opening(member.start, SHAPE).attributes.get("totalCount", "")
    held = found + damaged.records_in
    if hits.isdigit() and int(hits) != held:
        report.notes.append(f"{member.place} holds {held:,} of the {int(hits):,} trials that its search found.")


def _as_object(element: etree._Element) -> Any:
    """An element as JSON would have it: its children by name, its attributes with @, a text where it has neither."""
    attributes = {f"@{etree.QName(str(k)).localname}": str(v) for k, v in element.attrib.items()}
    if not attributes and not len(element):
        return element.text or ""
    node: dict[str, Any] = dict(attributes)
    for child in element:
        node.setdefault(etree.QName(child).localname, []).append(_as_object(child))
    if not len(element):
        node["#text"] = element.text or ""
    return node


def stamp(raw: str | None, reference: date) -> PartialDate:
    """The date of `2019-05-02T00:00:00.000Z`: the register gives days the form of instants."""
    match = _STAMP.fullmatch(raw) if raw else None
    return replace(dates.iso(match[1] if match else raw, reference), raw=raw)


def _draft(record: Tree) -> Draft:
    draft = record.draft
    trial = record if "isrctn" in record.node else record.first("trial")
    written = trial.text("@publicIdentifierCanonical") or trial.text("isrctn") or ""
    hit = trn.canonical(written, "isrctn")
    number = hit.canonical if hit else written
    draft.values["registration_id"] = number
    draft.text("url", _ADDRESS + number)
    # A converted record says only when it was fetched: no date of the register, but the mark of a version.
    draft.text("data_version", trial.text("@version") or record.text("record_last_import"))
    draft.partial_date("registered", trial.text("isrctn.@dateAssigned"), stamp)
    draft.values["last_update_posted"] = draft.whole_day("last_update_posted", trial.text("@lastUpdated"), stamp)
    draft.values["identifiers"] = _identifiers(trial)
    _describe(trial)
    _design(trial)
    _recruit(trial)
    _list(trial)
    _sponsor(record)
    _results(trial)
    _own_fields(trial, record)
    return draft


# --- what the trial is ----------------------------------------------------------------------------------------------

_REFERENCES = (
    ("eudraCTNumber", "EUDRACT_NUMBER", None),
    ("clinicalTrialsGovNumber", "REGISTRY", "ClinicalTrials.gov"),
    ("ctisNumber", "CTIS", None),
    ("irasNumber", "OTHER", "IRAS"),
    ("protocolSerialNumber", "ORG_STUDY_ID", None),
)


def _identifiers(trial: Tree) -> list[dict[str, Any]]:
    """Each number once: the newer generation gives most of them both in a field and in a list."""
    by_value: dict[str, dict[str, Any]] = {}
    for found in _stated_numbers(trial):
        if found:
            by_value.setdefault(found["value"], found)
    return list(by_value.values())


def _stated_numbers(trial: Tree) -> Iterator[dict[str, Any] | None]:
    draft, references = trial.draft, trial.first("externalRefs")
    for field, kind, domain in _REFERENCES:
        value = references.text(field)
        yield parts.identifier(draft, value, kind, domain)
        # One field often holds a list; a part of it that is a register's number is stated like any other.
        for part in re.split(r"[;,]\s", value or ""):
            if part != value and trn.canonical(part):
                yield parts.identifier(draft, part)
    for number in references.all("secondaryNumbers.secondaryNumber"):
        said_kind = number.text("@numberType")
        kind = draft.source.words["identifier_type"].get((said_kind or "").lower(), "OTHER")
        yield parts.identifier(draft, number.text(), kind, said_kind)


_TEXTS = ("studyHypothesis", "plainEnglishSummary")
"""Texts that are searched for numbers, beside the titles."""


def _describe(trial: Tree) -> None:
    draft, description = trial.draft, trial.first("trialDescription")
    draft.text("title", description.text("title"))
    draft.text("official_title", description.text("scientificTitle"))
    draft.text("acronym", said(description.text("acronym")))
    texts = (draft.values["title"], draft.values["official_title"], *(description.text(field) for field in _TEXTS))
    draft.values["mentions"] = mentions.numbers_in(texts, draft.values["registration_id"])
    draft.values["outcomes"] = [
        *_outcomes(description, "primary"),
        *_outcomes(description, "secondary"),
    ]


def _outcomes(description: Tree, kind: str) -> list[dict[str, Any]]:
    """Measures one by one where the record has them, else its text as a whole."""
    measures: list[tuple[str | None, str | None]] = [
        ("; ".join(filter(None, (one.text("variable"), one.text("method")))), one.text("timepoints"))
        for one in description.all(f"{kind}Outcomes.outcomeMeasure")
    ] or [(said(description.text(f"{kind}Outcome")), None)]
    clean = description.draft.clean
    return [
        {"kind": kind, "measure": clean("outcomes", measure), "time_frame": clean("outcomes", time_frame)}
        for measure, time_frame in measures
        if measure
    ]


def _design(trial: Tree) -> None:
    draft, design = trial.draft, trial.first("trialDesign")
    draft.coded("study_type", design.text("primaryStudyDesign"))
    phases = sorted(set(trial.texts("interventions.intervention.phase")))
    draft.coded("phase", "|".join(phases))
    purposes = _purposes(design)
    codes = {code for one in purposes if (code := draft.word("primary_purpose", one))}
    # A trial may have several types; which of them is the main one is not said.
    draft.values["primary_purpose"] = codes.pop() if len(codes) == 1 else None


def _purposes(design: Tree) -> list[str]:
    found = design.texts("interventionalTrialDesign.purposes.purpose") or [
        *design.texts("trialTypes.trialType"),
        *design.texts("trialType"),
    ]
    return list(dict.fromkeys(found))


def _recruit(trial: Tree) -> None:
    draft, design, people = trial.draft, trial.first("trialDesign"), trial.first("participants")
    _status(draft, design.text("overallStatusOverride"), people.text("recruitmentStatusOverride"))
    draft.text("why_stopped", design.text("reasonAbandoned"))
    # The first participant is what registration is judged by; records of 2026 have no other start any more.
    draft.partial_date("start", people.text("recruitmentStart") or design.text("overallStartDate"), stamp)
    draft.partial_date("completion", design.text("overallEndDate"), stamp)
    final = draft.number("enrolment", said(people.text("totalFinalEnrolment")))
    planned = draft.number("enrolment", said(people.text("targetEnrolment")))
    # The register writes 0 where no final number has been given yet.
    draft.values["enrolment"] = final or planned
    if draft.values["enrolment"] is not None:
        draft.values["enrolment_type"] = "actual" if final else "estimated"
    draft.values["countries"] = [
        {"country": country, "is_removed": False}
        for name in dict.fromkeys(people.texts("recruitmentCountries.country"))
        if (country := draft.clean("countries", said(name)))
    ]


def _status(draft: Draft, overall: str | None, recruitment: str | None) -> None:
    """What the record says of itself. Nearly all say nothing: the register's pages work the status out from dates."""
    if overall:
        draft.coded("status", overall)
    else:
        draft.coded("status", recruitment, "recruitment_status")


def _list(trial: Tree) -> None:
    draft = trial.draft
    conditions = trial.all("conditions.condition")
    draft.texts("conditions", dict.fromkeys(said(one.text("description")) for one in conditions))
    classes = (said(one.text(field)) for one in conditions for field in ("diseaseClass1", "diseaseClass2"))
    draft.texts("keywords", dict.fromkeys(classes))
    draft.values["interventions"] = [
        {
            "type": draft.word("interventions.type", one.text("interventionType"), "intervention_type"),
            "name": draft.clean("interventions", said(one.text("drugNames")) or one.text("description")),
            "other_names": [],
        }
        for one in trial.all("interventions.intervention")
    ]


# --- whose it is ----------------------------------------------------------------------------------------------------


def _sponsor(record: Tree) -> None:
    """Sponsors and funders stand beside the trial; of a converted record only their keys are left."""
    draft = record.draft
    people = People.of((c.text("forename"), c.text("surname")) for c in record.all("contact"))
    sponsors = record.all("sponsor")
    kinds = [one.text("sponsorType") or one.text("commercialStatus") for one in sponsors]
    named = [
        parts.sponsor(
            draft,
            one.text("organisation"),
            "collaborator" if place else "lead",
            draft.word("sponsors.class", kind, "sponsor_class"),
            people,
        )
        for place, (one, kind) in enumerate(zip(sponsors, kinds, strict=True))
    ]
    funders = [parts.sponsor(draft, one.text("name"), "funder", None, people) for one in record.all("funder")]
    parts.set_sponsors(draft, [*named, *funders], next(iter(kinds), None))


# --- what came of it ------------------------------------------------------------------------------------------------


def _results(trial: Tree) -> None:
    """Results on the register are a basic results output, or the older basic report. A results article is a publication
    and no results of the register. Without the outputs and their types, nothing speaks against results."""
    draft, outputs = trial.draft, trial.all("outputs.output")
    is_typed = all(output.text("@outputType") for output in outputs)
    has_list = isinstance(trial.node, dict) and trial.node.get("outputs") is not None
    documents = [*_output_documents(trial), *_attached_files(trial)]
    has_report = bool(said(trial.text("results.basicReport"))) or "Basic results" in _cited_kinds(trial)
    shown = has_report or any(document["kind"] == "results" for document in documents)
    posted = [d["uploaded"] for d in documents if d["kind"] == "results" and d["uploaded"]]
    draft.values["has_results"] = shown or (False if has_list and is_typed else None)
    draft.values["results_posted"] = min(posted, default=None)
    draft.values["documents"] = documents
    typed = [found for output in outputs for found in _linked(output)]
    found = parts.distinct(typed or _cited(trial))
    # The register lists them now by day, now by kind: the same ones in another order are no new version.
    draft.values["publications"] = sorted(
        found, key=lambda one: (one["pmid"] or 0, one["doi"] or "", one["type"] or "")
    )


def _type(output: Tree) -> str | None:
    kind = output.text("@outputType")
    return kind.lower() if kind else None


def _linked(output: Tree) -> list[dict[str, Any]]:
    """What an output links to: of a kind that is a publication it is one, whether its address tells which or not."""
    kind = output.draft.word("publications.type", _type(output), "reference_type")
    link = output.text("externalLink.@url") or output.text("externalLink")
    if not kind or not link:
        return []
    return parts.publications(link, kind) or [{"pmid": None, "doi": None, "type": kind}]


def _cited(trial: Tree) -> list[dict[str, Any]]:
    """The publications of the older text, one after the other: `2018 Results article in https://...`;
    what stands before the first of them, or in a text of another form, is named without saying what it is."""
    text = " ".join((trial.text("results.publicationDetails") or "").split())
    marks = list(_CITED.finditer(text))
    ends = [*(mark.start() for mark in marks), len(text)][1:]
    found = parts.publications(text[: marks[0].start()] if marks else text, "other")
    for mark, end in zip(marks, ends, strict=True):
        kind = trial.draft.word("publications.type", mark["kind"], "reference_type")
        cited = parts.publications(text[mark.end() : end], kind)
        found += cited or ([{"pmid": None, "doi": None, "type": kind}] if kind else [])
    return found


def _cited_kinds(trial: Tree) -> set[str]:
    text = " ".join((trial.text("results.publicationDetails") or "").split())
    return {mark["kind"] for mark in _CITED.finditer(text)}


def _output_documents(trial: Tree) -> Iterator[dict[str, Any]]:
    """Outputs that are documents: of such a kind, or stored on the register whatever their kind."""
    draft = trial.draft
    addresses = {file.text("@id") or file.text("id"): file.text("@downloadUrl") for file in _files(trial)}
    for output in trial.all("outputs.output"):
        kind = draft.word("documents.kind", _type(output), "document_kind")
        file_id = output.text("localFile.@fileId")
        if not kind or (kind == "other" and not file_id):
            continue
        link = output.text("externalLink.@url")
        yield {
            "kind": kind,
            "date": draft.whole_day("documents.date", output.text("@dateCreated"), stamp),
            "uploaded": draft.whole_day("documents.uploaded", output.text("@dateUploaded"), stamp),
            "label": draft.clean("documents", output.text("description") or output.text("@outputType")),
            "url": draft.clean("documents", _absolute(addresses.get(file_id) if file_id else link)),
        }


def _attached_files(trial: Tree) -> Iterator[dict[str, Any]]:
    """Files that no output speaks of. Their kind is known where their description is one of the register's words."""
    draft = trial.draft
    spoken_of = {output.text("localFile.@fileId") for output in trial.all("outputs.output")}
    for file in _files(trial):
        if (file.text("@id") or file.text("id")) in spoken_of:
            continue
        label = file.text("description")
        yield {
            "kind": draft.source.words["document_kind"].get(label or "", "other"),
            "date": None,
            "uploaded": None,
            "label": draft.clean("documents", label),
            "url": draft.clean("documents", _absolute(file.text("@downloadUrl"))),
        }


def _files(trial: Tree) -> list[Tree]:
    files = trial.all("attachedFiles.attachedFile")
    return [file for file in files if (file.text("@public") or file.text("public")) != "false"]


def _absolute(address: str | None) -> str | None:
    return _ADDRESS + address.lstrip("/") if address and not re.match(r"https?://", address) else address


def _own_fields(trial: Tree, record: Tree) -> None:
    design, people, results = trial.first("trialDesign"), trial.first("participants"), trial.first("results")
    linked = [
        day
        for output in trial.all("outputs.output")
        if _type(output) == "resultsarticle" and (day := output.text("@dateUploaded"))
    ]
    values = {
        "overall_status_override": design.text("overallStatusOverride"),
        "recruitment_status_override": people.text("recruitmentStatusOverride"),
        "overall_start": design.text("overallStartDate"),
        "recruitment_end": people.text("recruitmentEnd"),
        "target_enrolment": said(people.text("targetEnrolment")),
        "trial_types": "|".join(_purposes(design)),
        "publication_stage": results.text("publicationStage"),
        "intent_to_publish": results.text("intentToPublish"),
        "results_article_linked": min(linked, default=None),
        "commercial_status": record.text("sponsor.commercialStatus"),
    }
    own = {key: trial.draft.clean(f"own_fields.{key}", value) for key, value in values.items()}
    trial.draft.values["own_fields"] = {key: value for key, value in own.items() if value}
