"""The DRKS reader on planted records: every rule, every damage."""

import gzip
import io
import json
import tomllib
import zipfile
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from pipelines.contracts import contracts
from pipelines.privacy import PRIVATE_PERSON
from pipelines.settings import SCHEMAS
from pipelines.sources import drks
from tests import payloads
from tests.payloads import Read

DAY = date(2026, 8, 1)


def in_both(**fields: tuple[str | None, str | None]) -> list[dict[str, Any]]:
    """A list that says everything once in each language; each field as (German, English)."""
    return [
        {name: pair[place] for name, pair in fields.items()} | {"idLocale": {"locale": locale}}
        for place, locale in enumerate(("de", "en"))
    ]


def contact(kind: str, other: str | None = None, **fields: str | None) -> dict[str, Any]:
    person = {
        "firstName": "Erna",
        "lastName": "Erdacht",
        "title": "Dr.",
        "email": "erna@example.org",
        "phone": "+49 30 555 5555",
    }
    place = {"affiliation": "Erfundene Klinik", "city": "Berlin", "streetAndNo": "Weg 1"}
    return {"contact": place | person | fields, "idContactIdType": {"type": kind}, "otherType": other}


def trial(**changes: Any) -> dict[str, Any]:
    """One trial as the site exports it; a change replaces a branch, or a part of one (`recruitment__status`)."""
    record: dict[str, Any] = {
        "drksId": "DRKS99912345",
        "lastUpdate": "2024-06-01",
        "registrationDrks": "2024-01-15",
        "registrationType": "PROSPECTIVE",
        "trialStatus": "REGISTERED",
        "sponsored": True,
        "trialDescriptions": in_both(
            title=("Titel", "Title"),
            acronym=("ACR", None),
            summary=("Nach DRKS99911111", "DRKS99912345 follows DRKS 99911111"),
            scientificSummary=("Wie in 2023-000124-45", None),
        ),
        "studyCharacteristic": {
            "type": "INTERVENTIONAL",
            "phase": "PHASE_II_III",
            "purpose": "TREATMENT",
            "characteristicDescriptions": in_both(
                primaryOutcome=("Tod", "Death"), secondaryOutcome=("Fieber", None)
            ),
        },
        "recruitment": {
            "status": "PENDING",
            "scheduledStartDate": "2024-04-01",
            "actualStartDate": None,
            "scheduledCompletionDate": "2027-03-31",
            "actualCompletionDate": None,
            "plannedParticipants": 320,
            "totalParticipants": None,
            "countries": [{"idCountry": {"code": "DE"}}, {"idCountry": {"code": "AT"}}],
            "recruitmentDescriptions": in_both(reasonDescription=("Kein Geld", "No money")),
        },
        "secondaryIds": {
            "eudraCtNumber": "2023-000123-45",
            "universalTrialNumber": "U1111-1234-5679",
            "otherPrimaryRegisterId": "NCT00012345",
            "otherPrimaryRegisterName": "ClinicalTrials.gov",
            "eudamedNumber": None,
        },
        "otherSecondaryIds": [{"value": "01KG0000", "description": "A ministry"}],
        "ethicsCommittee": {"number": "EA1/000/23", "ethicVotes": [{"vote": "APPROVED", "dateOfVote": "2023-11-28", "contact": {"email": "e@example.org"}}]},
        "studiedHealthConditions": [
            {"catalog": "ICD10", "code": "M80.0", "studiedHealthConditionDescriptions": in_both(comment=("Bruch", "Fracture"))},
            {"catalog": "FREETEXT", "code": None, "studiedHealthConditionDescriptions": in_both(comment=("Nur deutsch", None))},
        ],
        "observationalGroups": [
            {"comment": text, "idArm": {"arm": arm, "locale": locale}}
            for arm, locale, text in ((1, "de", "Arm A"), (1, "en", "Arm one"), (2, "de", "Arm B"))
        ],
        "trialContacts": [contact("PRIMARY_SPONSOR"), contact("PUBLIC_QUERIES")],
        "materialSupports": [{"contact": {"affiliation": "A ministry"}, "type": "PUBLIC_FUNDING"}],
        "trialResults": {"publications": [], "relatedDrksTrials": [], "firstResultPublication": None},
    }  # fmt: skip
    for path, value in changes.items():
        branch, _, name = path.partition("__")
        if name:
            record[branch] = record[branch] | {name: value}
        else:
            record[branch] = value
    return record


@pytest.fixture
def read(tmp_path: Path):
    def run(content: object) -> Read:
        if not isinstance(content, str | bytes):
            content = json.dumps(content, ensure_ascii=False)
        return payloads.read(drks, tmp_path, content, DAY)

    return run


@pytest.fixture
def one(read):
    def run(**changes: Any) -> dict[str, Any]:
        (row,) = read(trial(**changes)).rows
        return row

    return run


# --- shapes and damage ----------------------------------------------------------------------------------------------


def zipped(**entries: str) -> bytes:
    box = io.BytesIO()
    with zipfile.ZipFile(box, "w") as archive:
        for name, text in entries.items():
            archive.writestr(name, text)
    return box.getvalue()


ONE = json.dumps(trial(), indent=2)
OTHER = json.dumps(trial(drksId="DRKS99954321"))


@pytest.mark.parametrize(
    "content",
    [
        f"[{ONE},\n{OTHER}]",
        f"{ONE}\n{OTHER}\n",
        gzip.compress(f"[{ONE},{OTHER}]".encode(), mtime=0),
        b"\xef\xbb\xbf" + f"[{ONE},{OTHER}]".encode(),
        zipped(a=ONE, b=OTHER),
        zipped(a=f"[{ONE},{OTHER}]"),
    ],
    ids=["array", "objects", "gzip", "bom", "zip of single trials", "zip of an array"],
)
def test_every_shape_of_a_payload_is_read(read, content):
    result = read(content)
    assert result.ids == ["DRKS99912345", "DRKS99954321"]
    assert [row["record_number"] for row in result.rows] == [1, 2]
    assert result.report.rejects == []


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "empty"),
        ("<!DOCTYPE html><html></html>", "HTML or XML page"),
        ("drksId;title\nDRKS99912345;x\n", "does not begin like JSON"),
        (gzip.compress(ONE.encode(), mtime=0)[:4], "cut off"),
    ],
)
def test_what_is_no_export_is_a_rejected_payload(read, content, reason):
    result = read(content)
    (found,) = result.reasons("payload")
    assert reason in found
    assert (result.report.records_in, result.rows) == (0, [])


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        ('{"drksId": "DRKS99911111", "lastUpdate": nothing}', "not valid JSON"),
        ('{"protocolSection": {}}', "no number"),
        ('{"drksId": "NCT00012345"}', "none of this register"),
        ('{"drksId": "DRKS9991234"}', "none of this register"),
        ('{"drksId": null}', "no number"),
        ('"DRKS99911111"', "is no record"),
    ],
)
def test_a_broken_record_is_named_and_those_around_it_are_read(read, broken, reason):
    result = read(f"[{ONE},\n{broken},\n{OTHER}]")
    assert result.ids == ["DRKS99912345", "DRKS99954321"]
    (found,) = result.reasons("record")
    assert reason in found


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_of_a_cut_file_the_whole_records_are_kept(read, pack):
    for text in (f"[{ONE},{OTHER[:200]}", f"[{ONE}"):
        result = read(pack(text.encode()))
        assert result.ids == ["DRKS99912345"]
        assert "record(s) before that were read" in result.reasons("payload")[0]


def test_of_a_zip_each_file_is_judged_by_itself(read):
    result = read(zipped(a="<html/>", b=ONE, c="", d=OTHER))
    assert result.ids == ["DRKS99912345", "DRKS99954321"]
    assert [r.record for r in result.report.rejects] == ["planted!a", "planted!c"]


def test_an_empty_export_is_noted(read):
    assert read("[]").report.notes == ["planted holds no record."]


def test_a_value_of_another_shape_is_named_and_the_record_kept(one):
    row = one(lastUpdate={"day": 1}, recruitment="none", trialDescriptions=in_both(title=("T", "T"))[0])
    assert row["title"] == "T"
    assert row["status"] is None
    assert [(r["field"], r["reason"]) for r in row["rejects"]] == [("lastUpdate", "not a text")]


# --- fields ---------------------------------------------------------------------------------------------------------


def test_the_fields_of_a_trial(one):
    row = one()
    assert tuple(row) == contracts().staging["registration_records"].column_names
    expected = {
        "registration_id": "DRKS99912345",
        "registry": "drks",
        "url": "https://drks.de/search/en/trial/DRKS99912345",
        "title": "Title",
        "acronym": "ACR",
        "study_type": "interventional",
        "phase": "phase2_phase3",
        "phase_source": "PHASE_II_III",
        "primary_purpose": "treatment",
        "status": "not_yet_recruiting",
        "status_source": "PENDING",
        "why_stopped": "No money",
        "registered_earliest": date(2024, 1, 15),
        "start_earliest": date(2024, 4, 1),
        "start_type": "estimated",
        "completion_earliest": date(2027, 3, 31),
        "completion_type": "estimated",
        "last_update_posted": date(2024, 6, 1),
        "enrolment": 320,
        "enrolment_type": "estimated",
        "conditions": ["Fracture", "Nur deutsch"],
        "sponsor": "Erfundene Klinik",
        "sponsor_class": None,
        "sponsor_is_person": False,
        "has_results": False,
        "rejects": [],
    }
    assert {name: row[name] for name in expected} == expected
    assert row["mentions"] == ["DRKS99911111", "2023-000124-45"]
    assert [c["country"] for c in row["countries"]] == ["Germany", "Austria"]
    assert [i["name"] for i in row["interventions"]] == ["Arm one", "Arm B"]
    assert [(o["kind"], o["measure"]) for o in row["outcomes"]] == [("primary", "Death"), ("secondary", "Fieber")]
    assert [(i["value"], i["type"], i["domain"]) for i in row["identifiers"]] == [
        ("2023-000123-45", "EUDRACT_NUMBER", None),
        ("U1111-1234-5679", "UTN", None),
        ("NCT00012345", "REGISTRY", "ClinicalTrials.gov"),
        ("01KG0000", "OTHER", "A ministry"),
        ("EA1/000/23", "OTHER", "Ethics committee"),
    ]
    assert dict(row["own_fields"]) == {
        "registration_type": "PROSPECTIVE",
        "editorial_status": "REGISTERED",
        "investigator_initiated": "true",
        "scheduled_start": "2024-04-01",
        "scheduled_completion": "2027-03-31",
        "planned_enrolment": "320",
        "condition_codes": "ICD10 M80.0",
        "ethics_votes": "APPROVED 2023-11-28",
    }


@pytest.mark.parametrize(
    ("changes", "column", "value"),
    [
        (dict(recruitment__actualStartDate="2024-05-02"), "start_earliest", date(2024, 5, 2)),
        (dict(recruitment__actualStartDate="2024-05-02"), "start_type", "actual"),
        (dict(recruitment__actualCompletionDate="2026-05-02"), "completion_type", "actual"),
        (dict(recruitment__totalParticipants=0), "enrolment", 0),
        (dict(recruitment__totalParticipants=0), "enrolment_type", "actual"),
        (dict(recruitment__status="DISCONTINIUED"), "status", "terminated"),
        (dict(studyCharacteristic={"type": "NON_INTERVENTIONAL"}), "study_type", "observational"),
        (dict(studyCharacteristic={"purpose": "PROGNOSIS"}), "primary_purpose", None),
        (dict(recruitment=None), "start_type", None),
        (dict(trialResults=None), "has_results", None),
        (dict(trialResults={"firstResultPublication": "2025-02-03"}), "results_posted", date(2025, 2, 3)),
        (dict(trialResults={"firstResultPublication": "2025-02-03"}), "has_results", True),
        (
            dict(
                trialResults={
                    "trialResultsDescriptions": in_both(briefSummaryOfResultsDescription=(None, "It worked."))
                }
            ),
            "has_results",
            True,
        ),
        (dict(secondaryIds=None, otherSecondaryIds=None, ethicsCommittee=None), "identifiers", []),
    ],
)
def test_a_field_is_read(one, changes, column, value):
    row = one(**changes)
    assert row[column] == value
    assert row["rejects"] == []


@pytest.mark.parametrize(
    ("changes", "field", "value"),
    [
        (dict(recruitment__status="SLEEPING"), "status", "SLEEPING"),
        (dict(recruitment__countries=[{"idCountry": {"code": "XX"}}]), "countries", "XX"),
        (dict(recruitment__countries=[{"country": "DE"}]), "countries", ""),
        (dict(registrationDrks="2024-02-31"), "registered", "2024-02-31"),
        (dict(recruitment__plannedParticipants=-1), "enrolment", "-1"),
        (dict(trialDescriptions=in_both(title=("x", "Ask erna@example.org"))), "title", "[e-mail removed]"),
        (dict(materialSupports=[{"contact": {"affiliation": "A"}, "type": "LOTTERY"}]), "sponsors.class", "LOTTERY"),
    ],
)
def test_a_value_that_cannot_be_taken_over_is_named_and_the_record_kept(one, changes, field, value):
    assert [(r["field"], r["value"]) for r in one(**changes)["rejects"]] == [(field, value)]


FILE = {"name": "Erdacht_2024.pdf", "file": {"base64Encoded": "AAAA"}}


@pytest.mark.parametrize(
    ("item", "publications", "documents", "has_results"),
    [
        (
            dict(type="RESULT", link="https://pubmed.ncbi.nlm.nih.gov/33069668/"),
            [(33069668, None, "result")],
            [],
            False,
        ),
        (
            dict(type="RESULT", link="https://doi.org/10.1000/X.1", description="Paper. PMID: 33069668."),
            [(33069668, "10.1000/x.1", "result")],
            [],
            False,
        ),
        (dict(type="LITERATURE", link="https://example.org/paper"), [(None, None, "result")], [], False),
        (dict(type="RESULT", description="Ergebnisbericht", document=FILE), [], ["results"], True),
        (dict(type="RESULT", link="https://example.org/report"), [(None, None, "result")], [], False),
        (dict(type="RESULT", description="Abschlussbericht"), [], ["results"], True),
        (dict(type="BASICREPORTING", link="https://example.org/report"), [], ["results"], True),
        (dict(type="BASICREPORTING", document=FILE), [], ["results"], True),
        (dict(type="ABSTRACT", link="https://doi.org/10.1000/x.2"), [(None, "10.1000/x.2", "other")], [], False),
        (dict(type="TRIALPROTOCOL", description="Protokoll"), [], ["protocol"], False),
        (
            dict(type="TRIALPROTOCOL", link="https://doi.org/10.1000/x.3"),
            [(None, "10.1000/x.3", "protocol")],
            [],
            False,
        ),
        (dict(type="OTHER", description="Something"), [], [], False),
        (dict(type="ECVOTE", document=FILE), [], ["other"], False),
    ],
)
def test_publications_and_documents(one, item, publications, documents, has_results):
    row = one(trialResults={"publications": [item]})
    assert [(p["pmid"], p["doi"], p["type"]) for p in row["publications"]] == publications
    assert [d["kind"] for d in row["documents"]] == documents
    assert row["has_results"] is has_results
    assert "Erdacht" not in str(row)
    assert row["rejects"] == []


def test_an_unknown_kind_of_publication_is_named(one):
    row = one(trialResults={"publications": [{"type": "POEM", "link": "https://doi.org/10.1000/x.1"}]})
    assert [(r["field"], r["value"]) for r in row["rejects"]] == [
        ("publications.type", "POEM"),
        ("documents.kind", "POEM"),
    ]
    assert [(p["doi"], p["type"]) for p in row["publications"]] == [("10.1000/x.1", None)]


@pytest.mark.parametrize(
    ("fields", "shown"),
    [
        (dict(affiliation=None), PRIVATE_PERSON),
        (dict(affiliation="Dr. Erna Erdacht"), PRIVATE_PERSON),
        (dict(affiliation="Praxis Erna Erdacht GmbH"), "Praxis Erna Erdacht GmbH"),
        (dict(affiliation=None, firstName=None, lastName=None), None),
    ],
)
def test_a_sponsor_that_is_a_person_stands_under_the_neutral_label(one, fields, shown):
    row = one(trialContacts=[contact("PRIMARY_SPONSOR", **fields), contact("PUBLIC_QUERIES")])
    assert row["sponsor"] == shown
    assert row["sponsor_class"] == ("individual" if shown == PRIVATE_PERSON else None)


def test_the_roles_of_sponsors(one):
    row = one(
        trialContacts=[
            contact("SECONDARY_SPONSOR", affiliation="Second"),
            contact("COLLABORATOR_OTHER_ADDRESS", "OTHER_SECONDARY_SPONSOR", affiliation="Third"),
            contact("COLLABORATOR_OTHER_ADDRESS", "OTHER_PUBLIC_QUERIES", affiliation="Nobody"),
            contact("PRIMARY_SPONSOR", affiliation="First"),
        ],
        materialSupports=[{"contact": {"affiliation": "A company"}, "type": "COMMERCIAL"}],
    )
    assert row["sponsor"] == "First"
    assert [(s["name"], s["role"], s["class"]) for s in row["sponsors"]] == [
        ("Second", "collaborator", None),
        ("Third", "collaborator", None),
        ("First", "lead", None),
        ("A company", "funder", "industry"),
    ]


def test_no_contact_data_reach_the_file(read):
    rows = json.dumps(read(trial()).rows, default=str)
    for secret in ("example.org", "555", "Weg 1", "Erdacht", "Erna"):
        assert secret not in rows


def test_the_words_are_those_of_the_registers_schema():
    """Every word of the enumerations that are read has a code or a reason."""
    spec = tomllib.loads((SCHEMAS / "sources" / "drks.toml").read_text(encoding="utf-8"))
    known = {field: {*words, *spec["unmapped"].get(field, {})} for field, words in spec["words"].items()}
    assert {"PENDING", "INVITE_ONLY", "WITHDRAWN"} <= known["status"]
    assert known["reference_type"] >= set(spec["words"]["document_kind"])
    assert len(known["country"]) == 249
