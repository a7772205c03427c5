"""DRKS, the German register: the JSON export of its site since 2023, one trial, an array of them, or a zip.

The paths and words stand in `schemas/sources/drks.toml`, after the register's own JSON schema 2.0.19. Texts come in
English and German: English is taken, German where there is no English. Contacts are read for two things, the
organisation that sponsors and whether it is a person, and are never kept.
"""

import itertools
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import msgspec

from pipelines import trn
from pipelines.contracts import contracts
from pipelines.formats import drafts, json_records, mentions, parts
from pipelines.formats.drafts import Draft
from pipelines.formats.parts import People, Tree, said
from pipelines.formats.served import Member
from pipelines.reading import Report

KIND = "registration_records"
NUMBER = re.compile(r"DRKS[0-9]{8}")
ANCHOR = "drksId"
"""The first key of a record, by which reading finds its feet again behind a broken one."""

_LANGUAGES = ("en", "de")
_ADDRESS = "https://drks.de/search/en/trial/"


def read(payload: Path, name: str, day: date, out: Path) -> Report:
    """Reads one payload into the Parquet file `out` (contract registration_records).

    name: how the payload is called in the account. day: date of its snapshot, against which dates are judged.
    """
    report = Report()
    numbers = itertools.count(1)
    source = contracts().sources["drks"]

    def read_member(member: Member) -> Iterator[tuple[int, Draft]]:
        for number, trial in _trials(member, numbers, report):
            yield number, _draft(Tree(trial, Draft(source, day)))

    drafts.write(parts.of_members(payload, name, report, read_member), name, out, report, NUMBER)
    return report


def _trials(member: Member, numbers: Iterator[int], report: Report) -> Iterator[tuple[int, dict[str, Any]]]:
    """The trials of a file, indented as the site writes them; one that is broken is a rejected record."""
    for piece in json_records.records(member.pieces(), json_records.shape(member.start), ANCHOR):
        number, fault = next(numbers), piece.fault
        if fault is None:
            try:
                yield number, msgspec.json.decode(piece.text)
                continue
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                fault = f"the record is not valid JSON ({error})"
            except RecursionError:
                fault = "the record is nested too deeply"
        report.records_in += 1
        report.reject_record(f"{member.place}#{number}", fault)


def _draft(trial: Tree) -> Draft:
    draft = trial.draft
    written = trial.text("drksId") or ""
    hit = trn.canonical(written, "drks")
    number = hit.canonical if hit else written
    draft.values["registration_id"] = number
    draft.text("url", _ADDRESS + number)
    draft.values["last_update_posted"] = draft.whole_day("last_update_posted", trial.text("lastUpdate"))
    draft.values["identifiers"] = parts.distinct(_identifiers(trial))
    _describe(trial)
    _recruit(trial)
    _list(trial)
    _sponsor(trial)
    _results(trial)
    _own_fields(trial)
    return draft


def _by_language(trees: list[Tree]) -> list[Tree]:
    """The trees of a list that says everything once in each language, English first."""
    order = {language: place for place, language in enumerate(_LANGUAGES)}
    return sorted(trees, key=lambda tree: order.get(tree.text("idLocale.locale") or "", len(order)))


def _in_english(trees: list[Tree], field: str) -> str | None:
    return next((text for tree in _by_language(trees) if (text := said(tree.text(field)))), None)


# --- what the trial is ----------------------------------------------------------------------------------------------


def _identifiers(trial: Tree) -> Iterator[dict[str, Any] | None]:
    draft = trial.draft
    for ids in trial.all("secondaryIds"):
        register = ids.text("otherPrimaryRegisterName")
        yield parts.identifier(draft, ids.text("eudraCtNumber"), "EUDRACT_NUMBER")
        yield parts.identifier(draft, ids.text("universalTrialNumber"), "UTN")
        yield parts.identifier(draft, ids.text("otherPrimaryRegisterId"), "REGISTRY", register)
        yield parts.identifier(draft, ids.text("eudamedNumber"), "OTHER", "EUDAMED")
    for other in trial.all("otherSecondaryIds"):
        yield parts.identifier(draft, other.text("value"), "OTHER", other.text("description"))
    yield parts.identifier(draft, trial.text("ethicsCommittee.number"), "OTHER", "Ethics committee")


_TEXTS = ("summary", "scientificSummary")
"""Texts that are searched for numbers in every language, beside the title."""


def _describe(trial: Tree) -> None:
    draft = trial.draft
    descriptions = trial.all("trialDescriptions")
    design = trial.first("studyCharacteristic")
    draft.text("title", _in_english(descriptions, "title"))
    draft.text("acronym", _in_english(descriptions, "acronym"))
    texts = (one.text(field) for one in _by_language(descriptions) for field in _TEXTS)
    draft.values["mentions"] = mentions.numbers_in((draft.values["title"], *texts), draft.values["registration_id"])
    draft.coded("study_type", design.text("type"))
    draft.coded("phase", design.text("phase"))
    draft.values["primary_purpose"] = draft.word("primary_purpose", design.text("purpose"))
    draft.partial_date("registered", trial.text("registrationDrks"))


def _recruit(trial: Tree) -> None:
    draft, recruitment = trial.draft, trial.first("recruitment")
    draft.coded("status", recruitment.text("status"))
    draft.text("why_stopped", _in_english(recruitment.all("recruitmentDescriptions"), "reasonDescription"))
    for column, field in (("start", "StartDate"), ("completion", "CompletionDate")):
        actual, scheduled = recruitment.text(f"actual{field}"), recruitment.text(f"scheduled{field}")
        kind = "actual" if actual else "estimated" if scheduled else None
        draft.partial_date(column, actual or scheduled, kind=kind)
    final = draft.number("enrolment", recruitment.text("totalParticipants"))
    planned = draft.number("enrolment", recruitment.text("plannedParticipants"))
    draft.values["enrolment"] = planned if final is None else final
    if draft.values["enrolment"] is not None:
        draft.values["enrolment_type"] = "estimated" if final is None else "actual"
    draft.values["countries"] = parts.distinct(_countries(recruitment))


def _countries(recruitment: Tree) -> Iterator[dict[str, Any] | None]:
    for place in recruitment.all("countries"):
        code = place.text("idCountry.code")
        if not code:
            place.draft.reject("countries", "", "a country without its code")
        name = place.draft.word("countries", code, "country")
        yield {"country": name, "is_removed": False} if name else None


def _list(trial: Tree) -> None:
    draft = trial.draft
    conditions = trial.all("studiedHealthConditions")
    texts = (_in_english(one.all("studiedHealthConditionDescriptions"), "comment") for one in conditions)
    draft.texts("conditions", dict.fromkeys(texts))
    draft.values["interventions"] = [
        {"type": None, "name": draft.clean("interventions", arm), "other_names": []} for arm in _arms(trial)
    ]
    characteristics = trial.all("studyCharacteristic.characteristicDescriptions")
    measures = {kind: _in_english(characteristics, f"{kind}Outcome") for kind in ("primary", "secondary")}
    draft.values["outcomes"] = [
        {"kind": kind, "measure": draft.clean("outcomes", measure), "time_frame": None}
        for kind, measure in measures.items()
        if measure
    ]


def _arms(trial: Tree) -> list[str]:
    """The arms in their order, each in one language; the register describes arms, it does not list interventions."""
    arms: dict[str, dict[str, str]] = {}
    for group in trial.all("observationalGroups"):
        if comment := said(group.text("comment")):
            arm = arms.setdefault(group.text("idArm.arm") or "", {})
            arm.setdefault(group.text("idArm.locale") or "", comment)
    return [next((arm[code] for code in _LANGUAGES if code in arm), next(iter(arm.values()))) for arm in arms.values()]


# --- whose it is ----------------------------------------------------------------------------------------------------

_ROLES = {
    "PRIMARY_SPONSOR": "lead",
    "SECONDARY_SPONSOR": "collaborator",
    "OTHER_SECONDARY_SPONSOR": "collaborator",
}


def _sponsor(trial: Tree) -> None:
    contacts = trial.all("trialContacts")
    people = People.of((c.text("contact.firstName"), c.text("contact.lastName")) for c in contacts)
    named = [(one, _ROLES.get(one.text("otherType") or one.text("idContactIdType.type") or "")) for one in contacts]
    sponsors = [_organisation(one.first("contact"), role, None, people) for one, role in named if role]
    for support in trial.all("materialSupports"):
        code = trial.draft.word("sponsors.class", support.text("type"), "sponsor_class")
        sponsors.append(_organisation(support.first("contact"), "funder", code, people))
    parts.set_sponsors(trial.draft, sponsors)


def _organisation(contact: Tree, role: str, code: str | None, people: People) -> dict[str, Any] | None:
    """A sponsor that gives a name and no organisation is a private person."""
    organisation = said(contact.text("affiliation"))
    person = contact.text("lastName")
    is_person = organisation is None and person is not None
    return parts.sponsor(contact.draft, organisation or person, role, code, people, is_person=is_person)


# --- what came of it ------------------------------------------------------------------------------------------------


def _results(trial: Tree) -> None:
    """Results on the register are a summary in the record, or a document of a kind that holds results. The day on which
    the record was first published with them is the register's own."""
    draft, results = trial.draft, trial.first("trialResults")
    publications: list[dict[str, Any]] = []
    documents: list[dict[str, Any]] = []
    for item in results.all("publications"):
        kind = item.text("type")
        reference = draft.word("publications.type", kind, "reference_type")
        found = parts.publications(" ".join(filter(None, (item.text("link"), item.text("description")))), reference)
        publications += found
        if not found and reference and item.text("link"):
            publications.append({"pmid": None, "doi": None, "type": reference})
        if document := _document(item, kind, is_article=bool(found)):
            documents.append(document)
    draft.values["publications"] = parts.distinct(publications)
    draft.values["documents"] = parts.distinct(documents)
    posted = draft.whole_day("results_posted", results.text("firstResultPublication"))
    has_summary = bool(said(results.text("trialResultsDescriptions.briefSummaryOfResultsDescription")))
    has_document = any(document["kind"] == "results" for document in documents)
    draft.values["results_posted"] = posted
    draft.values["has_results"] = (posted is not None or has_summary or has_document) if results.node else None


def _document(item: Tree, kind: str | None, is_article: bool) -> dict[str, Any] | None:
    """A document of the record. The export leaves files out at times: an entry without a link has one all the same.

    Trial results behind a link elsewhere are a publication; basic reporting is the register's own, wherever it lies.
    """
    code = item.draft.word("documents.kind", kind, "document_kind")
    has_file = bool(item.all("document"))
    is_elsewhere = item.text("link") is not None and not has_file
    if not code or (is_article and not has_file) or (code == "other" and not has_file):
        return None
    if kind == "RESULT" and is_elsewhere:
        return None
    return {
        "kind": code,
        "date": None,
        "uploaded": None,
        "label": item.draft.clean("documents", item.text("description")),
        "url": item.draft.clean("documents", item.text("link")),
    }


def _own_fields(trial: Tree) -> None:
    recruitment, results = trial.first("recruitment"), trial.first("trialResults")
    codes = [
        f"{one.text('catalog')} {code}" for one in trial.all("studiedHealthConditions") if (code := one.text("code"))
    ]
    values = {
        "registration_type": trial.text("registrationType"),
        "editorial_status": trial.text("trialStatus"),
        "investigator_initiated": trial.text("sponsored"),
        "scheduled_start": recruitment.text("scheduledStartDate"),
        "scheduled_completion": recruitment.text("scheduledCompletionDate"),
        "planned_enrolment": recruitment.text("plannedParticipants"),
        "first_publication": results.text("firstPublication"),
        "planned_publication": results.text("plannedPublication"),
        "related_trials": "|".join(results.texts("relatedDrksTrials.drksId")),
        "condition_codes": "|".join(codes),
        "ethics_votes": "|".join(
            " ".join(filter(None, (vote.text("vote"), vote.text("dateOfVote"))))
            for vote in trial.all("ethicsCommittee.ethicVotes")
        ),
    }
    own = {key: trial.draft.clean(f"own_fields.{key}", value) for key, value in values.items()}
    trial.draft.values["own_fields"] = {key: value for key, value in own.items() if value}
