"""The ISRCTN reader on planted records, XML and converted: every rule, every damage."""

import gzip
import io
import json
import zipfile
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from pipelines import dates
from pipelines.contracts import contracts
from pipelines.privacy import PRIVATE_PERSON
from pipelines.sources import isrctn
from tests import payloads
from tests.payloads import Read

DAY = date(2026, 8, 1)
NAMESPACE = 'xmlns="http://www.67bricks.com/isrctn"'


def element(name: str, value: Any) -> str:
    """A value as XML: a dict has children and @attributes, a list repeats its element."""
    if isinstance(value, list):
        return "".join(element(name, item) for item in value)
    if not isinstance(value, dict):
        return f"<{name}>{value}</{name}>" if value not in (None, "") else f"<{name}/>"
    attributes = "".join(f' {key[1:]}="{item}"' for key, item in value.items() if key.startswith("@"))
    inner = "".join(
        str(item) if key == "#text" else element(key, item) for key, item in value.items() if not key.startswith("@")
    )
    return f"<{name}{attributes}>{inner}</{name}>"


def trial(**changes: Any) -> dict[str, Any]:
    """The trial part of a record; a change replaces a branch, or a part of one (`trialDesign__overallEndDate`)."""
    record: dict[str, Any] = {
        "@lastUpdated": "2026-02-01T07:18:23.431437799Z",
        "@version": "5",
        "@publicIdentifierCanonical": "ISRCTN00012345",
        "isrctn": {"@dateAssigned": "2019-05-02T00:00:00.000Z", "#text": "00012345"},
        "trialDescription": {
            "title": "An invented trial",
            "scientificTitle": "An invented trial, in the words of science",
            "acronym": "N/A",
            "studyHypothesis": "",
            "plainEnglishSummary": "This follows ISRCTN00011111. It goes on from NCT 00012346.",
            "primaryOutcomes": {
                "outcomeMeasure": [
                    {"variable": "Death", "method": "register", "timepoints": "1 year"},
                    {"variable": "Fever", "method": "", "timepoints": ""},
                ]
            },
            "secondaryOutcome": "Cost",
        },
        "externalRefs": {
            "doi": "10.1186/ISRCTN00012345",
            "eudraCTNumber": "2019-000123-45",
            "irasNumber": "280621",
            "clinicalTrialsGovNumber": "Nil known",
            "protocolSerialNumber": "CPMS 1234, NCT00012345",
            "secondaryNumbers": {
                "secondaryNumber": [
                    {"@numberType": "ctis", "#text": "Nil known"},
                    {"@numberType": "eudract", "#text": "2019-000123-45"},
                    {"@numberType": "Protocol serial number", "#text": "P-7"},
                    {"@numberType": "Grant Codes", "#text": "HTA 11/00/00"},
                ]
            },
        },
        "trialDesign": {
            "primaryStudyDesign": "Interventional",
            "trialTypes": {"trialType": ["Treatment", "Efficacy"]},
            "overallStartDate": "2019-01-01T00:00:00.000Z",
            "overallEndDate": "2021-12-31T00:00:00.000Z",
            "overallStatusOverride": "",
            "reasonAbandoned": "",
        },
        "participants": {
            "recruitmentCountries": {"country": ["England", "Ireland"]},
            "trialCentres": {"trialCentre": {"name": "Geheim", "address": "Secret Lane 1"}},
            "targetEnrolment": "120",
            "totalFinalEnrolment": "0",
            "recruitmentStart": "2019-03-01T00:00:00.000Z",
            "recruitmentEnd": "2020-03-01T00:00:00.000Z",
            "recruitmentStatusOverride": "",
        },
        "conditions": {"condition": [{"description": "Malaria", "diseaseClass1": "Infections", "diseaseClass2": ""}]},
        "interventions": {
            "intervention": {
                "interventionType": "Drug",
                "phase": "Phase II/III",
                "drugNames": "",
                "description": "A pill",
            }
        },
        "results": {"publicationDetails": "", "publicationStage": "Protocol", "basicReport": ""},
        "outputs": "",
        "attachedFiles": "",
    }
    for path, value in changes.items():
        branch, _, name = path.partition("__")
        if name:
            record[branch] = record[branch] | {name: value}
        else:
            record[branch] = value
    return record


AROUND: dict[str, Any] = {
    "contact": [{"forename": "Ada", "surname": "Invented", "contactDetails": {"email": "ada@example.org", "telephone": "+44 20 5555 5555"}}],
    "sponsor": [{"organisation": "Example University", "sponsorType": "University/education", "commercialStatus": "Non-Commercial", "contactDetails": {"email": "s@example.org"}}],
    "funder": [{"name": "Example Fund"}],
}  # fmt: skip


def full(around: dict[str, Any] | None = None, /, **changes: Any) -> str:
    return element("fullTrial", {"trial": trial(**changes)} | AROUND | (around or {}))


def found(*trials: str, count: int | None = None) -> str:
    hits = len(trials) if count is None else count
    return f'<?xml version="1.0" encoding="UTF-8"?><allTrials totalCount="{hits}" {NAMESPACE}>{"".join(trials)}</allTrials>'


def without_attributes(value: Any) -> Any:
    """As the conversion leaves a record: no attributes, and of an element that had them its text."""
    if isinstance(value, list):
        return [without_attributes(item) for item in value]
    if not isinstance(value, dict):
        return value
    if "#text" in value:
        return value["#text"]
    return {key: without_attributes(item) for key, item in value.items() if not key.startswith("@")} or ""


def converted(imported: str = "2026-03-03 20:01:59", **changes: Any) -> str:
    head = {"_id": "00012345", "isrctn": "00012345", "record_last_import": imported, "ctrname": "ISRCTN"}
    return json.dumps(head | without_attributes(trial(**changes)) | head)


@pytest.fixture
def read(tmp_path: Path):
    def run(content: str | bytes) -> Read:
        return payloads.read(isrctn, tmp_path, content, DAY)

    return run


@pytest.fixture
def one(read):
    def run(around: dict[str, Any] | None = None, /, **changes: Any) -> dict[str, Any]:
        (row,) = read(found(full(around, **changes))).rows
        return row

    return run


# --- shapes and damage ----------------------------------------------------------------------------------------------


def zipped(**entries: str) -> bytes:
    box = io.BytesIO()
    with zipfile.ZipFile(box, "w") as archive:
        for name, text in entries.items():
            archive.writestr(name, text)
    return box.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        found(full()),
        gzip.compress(found(full()).encode(), mtime=0),
        b"\xef\xbb\xbf\n" + found(full()).encode(),
        full().replace("<fullTrial>", f"<fullTrial {NAMESPACE}>"),
        found(full()).replace("<", "<i:").replace("<i:/", "</i:").replace("<i:?", "<?").replace("xmlns=", "xmlns:i="),
        zipped(a=found(full())),
    ],
    ids=["search", "gzip", "bom", "one trial", "prefixed", "zip"],
)
def test_every_shape_of_xml_is_read(read, content):
    result = read(content)
    assert result.ids == ["ISRCTN00012345"]
    assert result.rows[0]["title"] == "An invented trial"
    assert (result.report.rejects, result.report.notes) == ([], [])


@pytest.mark.parametrize(
    "content",
    [
        f"{converted()}\n{converted()}\n",
        f"[{converted()},{converted()}]",
        gzip.compress(f"{converted()}\n{converted()}\n".encode(), mtime=0),
    ],
)
def test_converted_records_are_read(read, content):
    result = read(content)
    assert result.ids == ["ISRCTN00012345"] * 2
    assert result.report.rejects == []


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "empty"),
        ("<!DOCTYPE html><html><body>Access denied</body></html>", "HTML page"),
        ("<trials><trial/></trials>", "root <trials>"),
        ("ISRCTN,Title\n", "is not ISRCTN's XML"),
        (
            f'<!DOCTYPE allTrials [<!ENTITY a "ha">]><allTrials {NAMESPACE}>&a;</allTrials>',
            "declares entities",
        ),
        (gzip.compress(b"x", mtime=0)[:4], "cut off"),
    ],
)
def test_what_holds_no_trials_is_a_rejected_payload(read, content, reason):
    result = read(content)
    (why,) = result.reasons("payload")
    assert reason in why
    assert (result.report.records_in, result.rows) == (0, [])


FIRST = full(**{"@publicIdentifierCanonical": "ISRCTN00011111"})
LAST = full(**{"@publicIdentifierCanonical": "ISRCTN00022222"})


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (full().replace("<title>", "<title>&"), "not well-formed"),
        (full().replace("</fullTrial>", ""), "broken off"),
        ("<fullTrial/>", "no number"),
        ("<fullTrial><trial/></fullTrial>", "no number"),
        (full(**{"@publicIdentifierCanonical": "NCT00012345"}), "none of this register"),
    ],
)
def test_a_broken_record_is_named_and_those_around_it_are_read(read, broken, reason):
    result = read(found(FIRST, broken, LAST))
    assert result.ids == ["ISRCTN00011111", "ISRCTN00022222"]
    (why,) = result.reasons("record")
    assert reason in why
    assert result.report.notes == []


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
@pytest.mark.parametrize("tail", ["", LAST[:-30]], ids=["between", "inside"])
def test_of_a_cut_file_the_whole_records_are_kept(read, pack, tail):
    text = found(FIRST, LAST)
    result = read(pack((text[: text.index(LAST)] + tail).encode()))
    assert result.ids == ["ISRCTN00011111"]
    assert "1 record(s) before that were read" in result.reasons("payload")[0]


def test_of_broken_lines_the_others_are_kept(read):
    result = read(f'{converted()}\n{{"_id": "00011111", "isrctn": }}\n{converted()}\n{converted()[:300]}')
    assert result.ids == ["ISRCTN00012345"] * 2
    assert len(result.reasons("record")) == 2


def test_a_search_without_hits_and_one_that_was_cut_short_are_noted(read):
    assert read(found()).report.notes == ["planted holds no record."]
    assert read(f'<allTrials totalCount="0" {NAMESPACE}/>').report.notes == ["planted holds no record."]
    (note,) = read(found(full(), count=28_804)).report.notes
    assert note == "planted holds 1 of the 28,804 trials that its search found."


# --- fields ---------------------------------------------------------------------------------------------------------


def test_the_fields_of_a_trial(one):
    row = one()
    assert tuple(row) == contracts().staging["registration_records"].column_names
    expected = {
        "registration_id": "ISRCTN00012345",
        "registry": "isrctn",
        "url": "https://www.isrctn.com/ISRCTN00012345",
        "data_version": "5",
        "title": "An invented trial",
        "official_title": "An invented trial, in the words of science",
        "acronym": None,
        "study_type": "interventional",
        "phase": "phase2_phase3",
        "primary_purpose": "treatment",
        "status": None,
        "status_source": None,
        "registered_raw": "2019-05-02T00:00:00.000Z",
        "registered_earliest": date(2019, 5, 2),
        "registered_precision": "day",
        "last_update_posted": date(2026, 2, 1),
        "start_earliest": date(2019, 3, 1),
        "start_type": None,
        "completion_latest": date(2021, 12, 31),
        "enrolment": 120,
        "enrolment_type": "estimated",
        "conditions": ["Malaria"],
        "keywords": ["Infections"],
        "sponsor": "Example University",
        "sponsor_class": "other",
        "sponsor_class_source": "University/education",
        "has_results": False,
        "documents": [],
        "publications": [],
        "rejects": [],
    }
    assert {name: row[name] for name in expected} == expected
    assert row["mentions"] == ["ISRCTN00011111", "NCT00012346"]
    assert [c["country"] for c in row["countries"]] == ["England", "Ireland"]
    assert [(i["type"], i["name"]) for i in row["interventions"]] == [("drug", "A pill")]
    assert [(o["kind"], o["measure"], o["time_frame"]) for o in row["outcomes"]] == [
        ("primary", "Death; register", "1 year"),
        ("primary", "Fever", None),
        ("secondary", "Cost", None),
    ]
    assert [(s["name"], s["role"]) for s in row["sponsors"]] == [
        ("Example University", "lead"),
        ("Example Fund", "funder"),
    ]
    assert [(i["value"], i["type"], i["domain"]) for i in row["identifiers"]] == [
        ("2019-000123-45", "EUDRACT_NUMBER", None),
        ("280621", "OTHER", "IRAS"),
        ("CPMS 1234, NCT00012345", "ORG_STUDY_ID", None),
        ("NCT00012345", "REGISTRY", None),
        ("P-7", "ORG_STUDY_ID", "Protocol serial number"),
        ("HTA 11/00/00", "OTHER", "Grant Codes"),
    ]
    assert dict(row["own_fields"]) == {
        "overall_start": "2019-01-01T00:00:00.000Z",
        "recruitment_end": "2020-03-01T00:00:00.000Z",
        "target_enrolment": "120",
        "trial_types": "Treatment|Efficacy",
        "publication_stage": "Protocol",
        "commercial_status": "Non-Commercial",
    }


@pytest.mark.parametrize(
    ("changes", "column", "value"),
    [
        (dict(trialDesign__overallStatusOverride="Stopped"), "status", "terminated"),
        (dict(trialDesign__overallStatusOverride="Suspended"), "status", "suspended"),
        (dict(participants__recruitmentStatusOverride="Stopped"), "status", "not_recruiting"),
        (
            dict(trialDesign__overallStatusOverride="Suspended", participants__recruitmentStatusOverride="Stopped"),
            "status_source",
            "Suspended",
        ),
        (dict(trialDesign__reasonAbandoned="No money"), "why_stopped", "No money"),
        (dict(participants__totalFinalEnrolment="98"), "enrolment", 98),
        (dict(participants__totalFinalEnrolment="98"), "enrolment_type", "actual"),
        (dict(participants__targetEnrolment="Not provided at time of registration"), "enrolment", None),
        (dict(participants__targetEnrolment="", participants__totalFinalEnrolment=""), "enrolment_type", None),
        (dict(participants={"recruitmentStart": ""}), "start_earliest", date(2019, 1, 1)),
        (dict(trialDesign={"trialType": "Prevention"}), "primary_purpose", "prevention"),
        (dict(trialDesign={"trialTypes": {"trialType": ["Prevention", "Treatment"]}}), "primary_purpose", None),
        (dict(trialDesign={"trialType": "Quality of life"}), "primary_purpose", None),
        (
            dict(trialDesign={"interventionalTrialDesign": {"purposes": {"purpose": "Screening"}}}),
            "primary_purpose",
            "screening",
        ),
        (dict(trialDescription__acronym="INV"), "acronym", "INV"),
        (dict(results="", outputs="", attachedFiles=""), "has_results", False),
        (dict(results__basicReport="It worked."), "has_results", True),
    ],
)
def test_a_field_is_read(one, changes, column, value):
    row = one(**changes)
    assert row[column] == value
    assert row["rejects"] == []


@pytest.mark.parametrize(
    ("changes", "field", "value"),
    [
        (dict(trialDesign__overallStatusOverride="Sleeping"), "status", "Sleeping"),
        (dict(participants__recruitmentStatusOverride="Sleeping"), "status", "Sleeping"),
        (dict(trialDesign__overallEndDate="2021-02-31T00:00:00.000Z"), "completion", "2021-02-31T00:00:00.000Z"),
        (dict(trialDesign__overallEndDate="soon"), "completion", "soon"),
        (dict(participants__targetEnrolment="120 or so"), "enrolment", "120 or so"),
        (
            dict(interventions={"intervention": [{"phase": "Phase I"}, {"phase": "Phase II"}]}),
            "phase",
            "Phase I|Phase II",
        ),
        (dict(trialDescription__title="Ask ada@example.org"), "title", "[e-mail removed]"),
        (dict(trialDescription__title={"p": "An invented trial"}), "trial.trialDescription.title", ""),
    ],
)
def test_a_value_that_cannot_be_taken_over_is_named_and_the_record_kept(one, changes, field, value):
    assert [(r["field"], r["value"]) for r in one(**changes)["rejects"]] == [(field, value)]


@pytest.mark.parametrize(
    ("raw", "day"),
    [
        ("2019-05-02T00:00:00.000Z", date(2019, 5, 2)),
        ("2019-05-02T07:18:23.4314377Z", date(2019, 5, 2)),
        ("2019-05-02T07:18+01:00", date(2019, 5, 2)),
        ("2019-05-02", date(2019, 5, 2)),
        ("2019-05-02T", None),
        ("02/05/2019", None),
        (None, None),
    ],
)
def test_the_day_of_an_instant(raw, day):
    assert isrctn.stamp(raw, DAY).earliest == day
    assert isrctn.stamp(raw, DAY).raw == raw
    assert (isrctn.stamp(raw, DAY).fault is None) == (day is not None or raw is None)


def test_a_date_after_the_snapshot_is_judged_like_any_other():
    assert isrctn.stamp("2099-01-01T00:00:00.000Z", DAY).fault == dates.iso("2099-01-01", DAY).fault


# --- outputs --------------------------------------------------------------------------------------------------------


def output(kind: str, url: str = "", file: str = "", **more: Any) -> dict[str, Any]:
    made: dict[str, Any] = {
        "@outputType": kind,
        "@dateCreated": "2023-01-05T00:00:00.000Z",
        "@dateUploaded": "2023-02-01T00:00:00.000Z",
    }
    made |= {"externalLink": {"@url": url}} if url else {}
    made |= {"localFile": {"@fileId": file}} if file else {}
    return made | more


def test_outputs_are_publications_or_documents_and_a_basic_result_is_the_registers_own(one):
    files = {"attachedFile": [
        {"@downloadUrl": "/editorial/retrieveFile/1", "@id": "f1", "@public": "true", "description": "Basic results"},
        {"@downloadUrl": "https://www.isrctn.com/x", "@id": "f2", "@public": "true", "description": "Protocol file"},
        {"@downloadUrl": "/hidden", "@id": "f3", "@public": "false", "description": "Draft"},
    ]}  # fmt: skip
    row = one(
        outputs={
            "output": [
                output("resultsarticle", "https://pubmed.ncbi.nlm.nih.gov/33069668/"),
                output("protocolarticle", "https://doi.org/10.1000/ABC"),
                output("abstract", "https://doi.org/10.1000/def"),
                output("interimresults", "https://example.org/journal"),
                output("BasicResults", file="f1", description="Summary"),
                output("plainenglishresults", "https://example.org/plain"),
                output("trialwebsite", "https://example.org"),
                output("otherfiles", file="f9"),
            ]
        },
        attachedFiles=files,
    )
    assert [(p["pmid"], p["doi"], p["type"]) for p in row["publications"]] == [
        (None, None, "result"),
        (None, "10.1000/abc", "protocol"),
        (None, "10.1000/def", "other"),
        (33069668, None, "result"),
    ]
    assert [(d["kind"], d["label"], d["url"]) for d in row["documents"]] == [
        ("results", "Summary", "https://www.isrctn.com/editorial/retrieveFile/1"),
        ("lay_summary", "plainenglishresults", "https://example.org/plain"),
        ("other", "otherfiles", None),
        ("protocol", "Protocol file", "https://www.isrctn.com/x"),
    ]
    assert (row["documents"][0]["date"], row["documents"][0]["uploaded"]) == (date(2023, 1, 5), date(2023, 2, 1))
    assert (row["has_results"], row["results_posted"]) == (True, date(2023, 2, 1))
    assert dict(row["own_fields"])["results_article_linked"] == "2023-02-01T00:00:00.000Z"
    assert row["rejects"] == []


def test_a_results_article_is_no_results_of_the_register(one):
    row = one(outputs={"output": output("resultsarticle", "https://pubmed.ncbi.nlm.nih.gov/33069668/")})
    assert (row["has_results"], row["results_posted"]) == (False, None)


def test_an_unknown_kind_of_output_is_named(one):
    row = one(outputs={"output": output("poem", "https://example.org")})
    assert [(r["field"], r["value"]) for r in row["rejects"]] == [
        ("documents.kind", "poem"),
        ("publications.type", "poem"),
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "2018 Protocol article in https://www.ncbi.nlm.nih.gov/pubmed/30524749 protocol2022 Results article in https://pubmed.ncbi.nlm.nih.gov/36385642/ (added 18/11/2022)",
            [(30524749, None, "protocol"), (36385642, None, "result")],
        ),
        (
            "2019 Results article in https://www.ncbi.nlm.nih.gov/pubmed/305247492020 Other publications in https://doi.org/10.1000/abc.",
            [(None, "10.1000/abc", "other"), (30524749, None, "result")],
        ),
        ("2015 results in: http://www.ncbi.nlm.nih.gov/pubmed/?term=19590247", [(19590247, None, "result")]),
        ("2015 Results article in https://www.nejm.org/doi/full/10.1056/NEJMx1 results", [(None, "10.1056/nejmx1", "result")]),
        ("2015 Results article in https://example.org/x", [(None, None, "result")]),
        ("Smith et al. Lancet 2012; PMID: 22512491. In 2013 patients were seen in https://example.org", [(22512491, None, "other")]),
        ("Not provided at time of registration", []),
    ],
)  # fmt: skip
def test_the_older_text_of_publications_is_read(one, text, expected):
    row = one(results__publicationDetails=text)
    assert [(p["pmid"], p["doi"], p["type"]) for p in row["publications"]] == expected


# --- sponsors and privacy -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sponsor", "name", "code", "source"),
    [
        ({"organisation": "Acme", "sponsorType": "", "commercialStatus": "Commercial"}, "Acme", "industry", "Commercial"),
        ({"organisation": "Acme", "commercialStatus": "Non-commercial"}, "Acme", None, "Non-commercial"),
        ({"organisation": "Acme", "sponsorType": "Government"}, "Acme", "government", "Government"),
        ({"organisation": "Dr Ada B. Invented", "sponsorType": "Other"}, PRIVATE_PERSON, "individual", "Other"),
        ({"organisation": ""}, None, None, None),
    ],
)  # fmt: skip
def test_the_lead_sponsor(one, sponsor, name, code, source):
    row = one({"sponsor": [sponsor]})
    assert (row["sponsor"], row["sponsor_class"], row["sponsor_class_source"]) == (name, code, source)
    assert row["rejects"] == []


def test_the_second_sponsor_collaborates(one):
    row = one({"sponsor": [{"organisation": "First"}, {"organisation": "Second", "sponsorType": "Moon"}]})
    assert [(s["name"], s["role"]) for s in row["sponsors"]] == [
        ("First", "lead"),
        ("Second", "collaborator"),
        ("Example Fund", "funder"),
    ]
    assert [(r["field"], r["value"]) for r in row["rejects"]] == [("sponsors.class", "Moon")]


def test_no_contact_data_reach_the_file(read):
    rows = json.dumps(read(found(full())).rows, default=str)
    for secret in ("@", "5555", "Secret", "Geheim", "Ada"):
        assert secret not in rows


# --- converted records ----------------------------------------------------------------------------------------------


def test_a_converted_record_says_what_its_attributes_do_not(read):
    """The same values but for those that stand in attributes or beside the trial."""
    (whole,), (bare,) = read(found(full())).rows, read(converted()).rows
    lost = {"registered_raw", "registered_earliest", "registered_latest", "registered_precision", "last_update_posted"}
    lost |= {"sponsor", "sponsor_class", "sponsor_class_source", "sponsor_is_person", "sponsors"}
    lost |= {"identifiers", "own_fields", "content_hash", "data_version"}
    assert {name for name in whole if whole[name] != bare[name]} == lost
    assert bare["data_version"] == "2026-03-03 20:01:59"
    assert {(i["value"], i["type"]) for i in bare["identifiers"]} >= {("P-7", "OTHER"), ("NCT00012345", "REGISTRY")}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (dict(outputs="\n   "), False),
        (dict(outputs={"output": [{"description": "results", "externalLink": ""}]}), None),
        (dict(outputs={"output": {"localFile": ""}}), None),
        (dict(results__publicationDetails="2023 Basic results in https://example.org/x"), True),
        (dict(outputs=None, results__basicReport={}), None),
    ],
)
def test_without_the_types_of_outputs_nothing_speaks_against_results(read, changes, expected):
    (row,) = read(converted(**changes)).rows
    assert row["has_results"] is expected


def test_an_older_converted_record_has_no_outputs_at_all(read):
    record = json.loads(converted())
    del record["outputs"]
    (row,) = read(json.dumps(record)).rows
    assert row["has_results"] is None


def test_imports_of_the_same_content_are_one_version(read):
    first, second, other = read(
        "\n".join([converted("2023-01-01 00:00:00"), converted(), converted(trialDescription__title="Another")])
    ).rows
    assert first["content_hash"] == second["content_hash"] != other["content_hash"]
