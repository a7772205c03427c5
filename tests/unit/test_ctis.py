"""The CTIS reader on planted JSON of all three generations and of the overview. Numbers and names are fictional."""

import copy
import gzip
import json
import zipfile
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from pipelines.contracts import contracts
from pipelines.privacy import PRIVATE_PERSON
from pipelines.reading import Report
from pipelines.sources import ctis

DAY = date(2026, 8, 1)
NUMBER = "2090-599999-11-01"

PART1: dict[str, Any] = {
    "sponsors": [
        {
            "primary": False,
            "isCommercial": True,
            "organisation": {"name": "Second Pharma", "type": "Pharmaceutical company"},
        },
        {
            "primary": True,
            "commercial": "Non-Commercial",
            "organisation": {"name": "Example Hospital", "type": "Pharmaceutical company", "commercial": True},
            "publicContacts": [{"functionalName": "Jane Contact", "email": "jane@example.org"}],
            "thirdParties": [{"email": "third@example.org", "phoneNumber": "+49 30 7654321"}],
        },
    ],
    "products": [
        {
            "productName": "Examplon",
            "productDictionaryInfo": {
                "prodName": "EXAMPLON",
                "activeSubstanceName": "EXAMPLINE",
                "sponsorProductCode": "EX-1",
                "productSubstances": [{"actSubstOrigin": "Chemical"}],
            },
        },
        {"productName": "N/A", "productDictionaryInfo": {"activeSubstanceName": "CELLS"}},
    ],
    "medicalConditions": [{"medicalCondition": "Example disease"}],
    "therapeuticAreas": [{"name": "Diseases [C] - Eye Diseases [C11]"}],
    "trialCategoryCode": "2",
    "isLowIntervention": False,
    "rowCountriesInfo": [{"name": "Switzerland"}],
    "rowSubjectCount": 30,
    "trialDetails": {
        "clinicalTrialIdentifiers": {
            "fullTitle": "An invented trial, in full",
            "publicTitle": "An invented trial",
            "shortTitle": "EX-001",
            "secondaryIdentifyingNumbers": {
                "nctNumber": {"number": "90000002"},
                "isrctnNumber": {"number": "ISRCTN90000001"},
                "whoUniversalTrialNumber": {"number": "U1111-9000-0001"},
                "additionalRegistries": [{"number": "DRKS00090001", "otherRegistryName": "DRKS"}],
            },
        },
        "associatedClinicalTrials": [{"id": 1, "ctNumber": "2090-000001-11"}],
        "pubmedCode": ["12345678"],
        "scientificAdviceAndPip": {
            "paediatricInvestigationPlan": [{"paediatricInvestigationNumber": "EMEA-000000-PIP01-90"}]
        },
        "trialInformation": {
            "trialCategory": {"trialPhase": "4", "trialCategory": "2"},
            "endPoint": {"primaryEndPoints": [{"endPoint": "Response"}], "secondaryEndPoints": [{"endPoint": "Safety"}]},
            "trialDuration": {"estimatedRecruitmentStartDate": "2023-05-01", "estimatedEndDate": "2026-01-01"},
            "medicalCondition": {"meddraConditionTerms": [{"termName": "Example disease NOS"}]},
            "sourceOfMonetarySupport": [{"organisationName": "Example Foundation"}],
        },
    },
}  # fmt: skip

RETRIEVE: dict[str, Any] = {
    "ctNumber": NUMBER,
    "ctStatus": "Ended",
    "ctPublicStatusCode": 8,
    "startDateEU": "2023-06-01",
    "endDateEU": "2025-03-31",
    "publishDate": "2026-07-03T03:32:46.650903775",
    "lastUpdated": "02/07/2026",
    "trialRegionCode": 3,
    "totalNumberEnrolled": "120",
    "ageGroup": "18-64 years, 0-17 years, 18-64 years",
    "authorizedApplication": {
        "eudraCt": {"isTransitioned": True, "eudraCtCode": "2090-000002-22"},
        "applicationInfo": [
            {"ctNumber": NUMBER, "type": "SUBSTANTIAL MODIFICATION", "submissionDate": "2023-01-01"},
            {"ctNumber": NUMBER, "type": "INITIAL", "submissionDate": "2023-02-01"},
        ],
        "authorizedPartI": PART1,
        "authorizedPartsII": [
            {"mscInfo": {"countryName": "Spain"}, "trialSites": [{"personInfo": {"firstName": "Jane"}}, {}]},
            {"mscInfo": {"mscName": "France", "trialPeriod": [{"trialStartDate": "2023-09-01"}, {"trialStartDate": "2023-08-01", "trialEndDate": "2025-02-28"}]}},
        ],
        "memberStatesConcerned": [
            {"mscName": "Spain", "mscPublicStatusCode": 8, "firstDecisionDate": "2023-05-02T19:56:21.977"},
            {"mscName": "France", "mscPublicStatusCode": 8, "firstDecisionDate": "2023-05-03"},
            {"mscName": "Italy", "mscPublicStatusCode": 1, "firstDecisionDate": "2024-01-01"},
        ],
    },
    "events": {
        "trialEvents": [
            {"mscName": "Spain", "events": [
                {"notificationType": "START_OF_TRIAL", "date": "2023-06-01"},
                {"notificationType": "RESTART_OF_SOMETHING", "date": "2023-07-01"},
                {"notificationType": "END_OF_TRIAL", "date": "2025-03-31"},
            ]},
        ],
        "trialGlobalEndDate": "2025-06-30",
    },
    "results": {
        "summaryResults": [{"status": "Submitted", "submissionDate": "2026-03-02T10:00:00"}, {"submissionDate": "2026-03-01"}],
        "laypersonResults": [
            {"submissionDate": "2026-01-01", "withdrawDate": "2026-02-01"},
            {"submissionDate": "2026-03-05"},
        ],
        "clinicalStudyReports": [{"submitDate": None}],
    },
    "documents": [
        {"uuid": "48fc85da-0000", "documentType": "104", "documentTypeLabel": "Protocol (for publication)", "title": "CV Jane Contact"},
        {"uuid": "../x", "documentType": "104"},
    ],
}  # fmt: skip

FIRST_GENERATION: dict[str, Any] = {
    "_id": NUMBER,
    "ctrname": "CTIS",
    "ctStatus": "Ongoing, recruiting",
    "trialCountries": "DE:Ongoing, recruiting, GR:Authorised, not started",
    "trialPhase": "Human Pharmacology (Phase I)-  Other",
    "submissionDate": "2022-12-06",
    "startDateEU": "2022-06-17",
    "lastUpdated": "2023-11-17",
    "totalNumberEnrolled": "100",
    "trialGlobalEnd": [],
    "hasDeferrallApplied": False,
    "eudraCtInfo": {"eudraCtCode": "2090-000002-22"},
    "authorizedPartI": PART1 | {"rowCountriesInfo": [], "rowSubjectCount": 0},
    "memberStatesConcerned": [
        {"mscName": "Germany", "reportingStatusCode": "Authorised", "firstDecisionDate": "2023-04-03"},
        {"mscName": "Greece", "reportingStatusCode": "Authorised", "firstDecisionDate": "2023-10-24"},
        {"mscName": "Italy", "reportingStatusCode": "Under evaluation", "firstDecisionDate": "2024-03-14"},
    ],
    "mscTrialNotificationsInfoList": [
        {"mscName": "Germany", "mscNotificationsListInfo": [{"notificationType": "Start of Trial", "date": "2022-06-17"}]}
    ],
    "coSponsors": [{"primary": True, "organisation": {"name": "Example Hospital"}}],
    "record_last_import": "2023-11-23 13:36:08",
}  # fmt: skip

OVERVIEW: dict[str, Any] = {
    "ctNumber": NUMBER,
    "ctStatus": 5,
    "ctTitle": "An invented trial",
    "conditions": "Example disease",
    "trialCountries": ["Spain:5", "Germany:8"],
    "decisionDate": "ES: 02/05/2023, DE: 11/05/2023",
    "sponsor": "Example Pharma",
    "sponsorType": "Pharmaceutical company, Pharmaceutical company",
    "trialPhase": "Phase II and Phase III (Integrated)",
    "primaryEndPoint": "Response",
    "product": "Drug X",
    "trialRegion": 1,
    "totalNumberEnrolled": "120",
    "startDateEU": "01/06/2023",
    "endDateEU": "31/03/2025",
    "lastUpdated": "03/07/2026",
    "lastPublicationUpdate": "04/07/2026",
    "resultsFirstReceived": "Yes",
}


def page(*items: dict[str, Any]) -> str:
    pagination = {"totalRecords": len(items), "currentPage": 1, "totalPages": 1, "nextPage": False}
    return json.dumps({"showWarning": True, "pagination": pagination, "data": items})


@pytest.fixture
def read(tmp_path: Path):
    def run(content: Any) -> tuple[Report, list[dict[str, Any]]]:
        path, out = tmp_path / "payload", tmp_path / "records.parquet"
        if isinstance(content, dict | list):
            content = json.dumps(content)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        report = ctis.read(path, "payload", DAY, out)
        assert report.balance() == 0
        rows = pq.read_table(out).to_pylist()
        assert len(rows) == report.staged
        for row in rows:
            row["own_fields"] = dict(row["own_fields"] or [])
        return report, rows

    return run


@pytest.fixture
def row(read):
    def run(record: dict[str, Any]) -> dict[str, Any]:
        report, rows = read(record)
        assert report.rejects == []
        (only,) = rows
        return only

    return run


def merged(**changes: Any) -> dict[str, Any]:
    return copy.deepcopy(RETRIEVE) | changes


# --- the record -----------------------------------------------------------------------------------------------------


def test_a_record_fills_the_staging_columns(row):
    got = row(RETRIEVE)
    expected = dict(
        registration_id="2090-599999-11", part="", registry="ctis", source="ctis",
        url="https://euclinicaltrials.eu/ctis-public/view/2090-599999-11-01",
        title="An invented trial", official_title="An invented trial, in full", study_type="interventional",
        phase="phase2", phase_source="4", status="completed", status_source="8",
        sponsor="Example Hospital", sponsor_class="other", sponsor_class_source="Non-Commercial",
        sponsor_is_person=False, registered_earliest=date(2023, 2, 1), start_earliest=date(2023, 6, 1),
        start_type="actual", completion_earliest=date(2025, 6, 30), completion_type="actual",
        last_update_submitted=date(2026, 7, 2), last_update_posted=date(2026, 7, 3),
        enrolment=150, enrolment_type="estimated", has_results=True, results_submitted=date(2026, 3, 1),
        results_posted=None, conditions=["Example disease", "Example disease NOS"],
        keywords=["Diseases [C] - Eye Diseases [C11]"], rejects=[],
    )  # fmt: skip
    assert {name: got[name] for name in expected} == expected


def test_lists_of_a_record(row):
    got = row(RETRIEVE)
    assert [(i["value"], i["type"]) for i in got["identifiers"]] == [
        ("EX-001", "ORG_STUDY_ID"),
        ("NCT90000002", "REGISTRY"),
        ("ISRCTN90000001", "REGISTRY"),
        ("U1111-9000-0001", "UTN"),
        ("2090-000002-22", "EUDRACT_NUMBER"),
        ("DRKS00090001", "OTHER"),
    ]
    assert got["interventions"] == [
        {"type": "drug", "name": "Examplon", "other_names": ["EXAMPLINE", "EX-1"]},
        {"type": None, "name": "CELLS", "other_names": []},
    ]
    assert [(o["kind"], o["measure"]) for o in got["outcomes"]] == [("primary", "Response"), ("secondary", "Safety")]
    assert [(s["name"], s["role"], s["class"]) for s in got["sponsors"]] == [
        ("Example Hospital", "lead", "other"),
        ("Second Pharma", "collaborator", "industry"),
        ("Example Foundation", "funder", None),
    ]
    assert [p["pmid"] for p in got["publications"]] == [12345678]


def test_numbers_in_the_title_are_mentions(row):
    title = f"{NUMBER} goes on from NCT90000003 and EudraCT 2089-000003-33"
    assert row(OVERVIEW | {"ctTitle": title})["mentions"] == ["NCT90000003", "2089-000003-33"]
    assert row(RETRIEVE)["mentions"] == [], "numbers in fields of their own are identifiers"


def test_countries_have_their_own_status_and_dates(row):
    spain, france, italy, switzerland = row(RETRIEVE)["countries"]
    assert spain == dict(
        country="Spain", sites=2, is_removed=False, status="completed", status_source="8", authority=None,
        authorised=date(2023, 5, 2), ethics_decided=None, started=date(2023, 6, 1), ended=date(2025, 3, 31),
    )  # fmt: skip
    assert (france["started"], france["ended"]) == (date(2023, 8, 1), date(2025, 2, 28)), "by its periods"
    assert (italy["status"], italy["authorised"]) == ("under_evaluation", None), "no decision yet"
    assert (switzerland["country"], switzerland["status"]) == ("Switzerland", None)


def test_documents_and_submissions(row):
    got = row(RETRIEVE)
    assert [(d["kind"], d["uploaded"], d["label"]) for d in got["documents"]] == [
        ("results", date(2026, 3, 2), None),
        ("results", date(2026, 3, 1), None),
        ("lay_summary", date(2026, 3, 5), None),
        ("study_report", None, None),
        ("protocol", None, "Protocol (for publication)"),
    ]
    assert got["documents"][-1]["url"].endswith("/2090-599999-11-01/48fc85da-0000/download")


def test_own_fields_for_policies(row):
    assert row(RETRIEVE)["own_fields"] == dict(
        eu_ct_number=NUMBER, resubmission="01", public_status_code="8", application_status="Ended", trial_region="3",
        start_date_eu="2023-06-01", end_date_eu="2025-03-31", global_end_date="2025-06-30",
        estimated_end_date="2026-01-01", trial_category="2", is_low_intervention="No", phase_code="4",
        age_groups="0-17 years, 18-64 years", sponsor_type="Pharmaceutical company", subjects_in_eea="120",
        subjects_outside_eea="30", pip_numbers="EMEA-000000-PIP01-90", is_transitioned="Yes",
        transition_eudract_number="2090-000002-22", associated_trials="2090-000001-11",
        summary_results_submitted="2026-03-01", summary_results_status="Submitted",
        lay_summary_submitted="2026-03-05", lay_summary_withdrawn="2026-02-01", csr_submitted="undated",
    )  # fmt: skip


def test_contacts_and_titles_of_documents_are_never_staged(read):
    _, rows = read(RETRIEVE)
    for secret in ("Jane", "example.org", "7654321"):
        assert secret not in str(rows)


def test_a_sponsor_that_is_a_private_person(row):
    record = merged()
    record["authorizedApplication"]["authorizedPartI"]["sponsors"][1]["organisation"]["name"] = "Dr. Jane Contact"
    got = row(record)
    assert (got["sponsor"], got["sponsor_class"], got["sponsor_is_person"]) == (PRIVATE_PERSON, "individual", True)


def test_an_early_end_everywhere_is_a_termination(row):
    events = [
        {"mscName": name, "events": [{"notificationType": "EARLY_TERMINATION", "date": "2024-01-01"}], "earlyTerminationReason": "Slow recruitment"}
        for name in ("Spain", "France", "Italy")
    ]  # fmt: skip
    everywhere = row(merged(events={"trialEvents": events}))
    assert (everywhere["status"], everywhere["why_stopped"]) == ("terminated", "Slow recruitment")
    assert row(merged(events={"trialEvents": events[:1]}))["status"] == "completed"


@pytest.mark.parametrize(
    ("changes", "end", "kind"),
    [
        (dict(), date(2025, 6, 30), "actual"),
        (dict(events={}, trialRegionCode=1), date(2025, 3, 31), "actual"),
        (dict(events={}), date(2026, 1, 1), "estimated"),
    ],
)
def test_completion_is_the_end_in_all_countries(row, changes, end, kind):
    got = row(merged(**changes))
    assert (got["completion_earliest"], got["completion_type"]) == (end, kind)
    assert got["own_fields"]["end_date_eu"] == "2025-03-31"


def test_a_start_that_is_only_planned(row):
    got = row(merged(startDateEU=None))
    assert (got["start_earliest"], got["start_type"]) == (date(2023, 5, 1), "estimated")
    assert "start_date_eu" not in got["own_fields"]


@pytest.mark.parametrize(
    ("results", "received", "expected"),
    [
        (None, None, None),
        ({}, None, False),
        ({"summaryResults": []}, "No", False),
        ({}, "Yes", True),
        ({"summaryResults": [{"isFinalResult": True}]}, None, True),
        ({"summaryResults": [{"isFinalResult": False}]}, None, None),
        ({"summaryResults": [{"isFinalResult": False}]}, "Yes", None),
        ({"summaryResults": [{"status": "Withdrawn"}]}, "Yes", None),
        ({"clinicalStudyReports": [{"submitDate": "2026-01-01"}]}, None, False),
        ({"clinicalStudyReports": [{"submitDate": "2026-01-01"}]}, "Yes", None),
        ({"laypersonResults": [{"submissionDate": "2026-01-01"}]}, "Yes", None),
    ],
)
def test_whether_there_is_a_summary_of_results(row, results, received, expected):
    record = merged(resultsFirstReceived=received, results=results)
    if results is None:
        del record["results"]
    assert row(record)["has_results"] is expected


def test_an_intermediate_summary_stands_apart_from_the_final_one(row):
    summaries = [{"isFinalResult": False, "submissionDate": "2025-01-01"}, {"submissionDate": "2026-03-01"}]
    got = row(merged(results={"summaryResults": summaries}))
    own = got["own_fields"]
    assert (own["interim_results_submitted"], own["summary_results_submitted"]) == ("2025-01-01", "2026-03-01")
    assert got["results_submitted"] == date(2026, 3, 1)


@pytest.mark.parametrize(
    ("word", "code"), [(w, c) for w, c in contracts().sources["ctis"].words["status"].items() if w.isdigit()]
)
def test_every_status_code(row, word, code):
    got = row(merged(ctPublicStatusCode=int(word)))
    assert (got["status"], got["status_source"]) == (code, word)


@pytest.mark.parametrize("code", [13, 18, 99])
def test_a_code_that_was_never_seen_is_named_and_not_guessed(read, code):
    _, (got,) = read(merged(ctPublicStatusCode=code))
    assert (got["status"], got["status_source"]) == (None, str(code))
    assert [(r["field"], r["reason"]) for r in got["rejects"]] == [("status", "unknown word")]


def test_the_status_of_an_application_is_none_of_the_trial(row):
    got = row(merged(ctStatus="Authorised", ctPublicStatusCode=None))
    assert (got["status"], got["status_source"]) == (None, "Authorised")


def test_a_date_that_cannot_be_read_is_named(read):
    _, (got,) = read(merged(lastUpdated="yesterday", endDateEU="2025-02-30"))
    assert {(r["field"], r["value"]) for r in got["rejects"]} == {
        ("last_update_submitted", "yesterday"),
        ("completion", "2025-02-30"),
    }


# --- other generations ----------------------------------------------------------------------------------------------


def test_a_record_of_the_first_generation(row):
    got = row(FIRST_GENERATION)
    expected = dict(
        registration_id="2090-599999-11", status="recruiting", status_source="Ongoing, recruiting", phase="phase1",
        sponsor="Example Hospital", registered_earliest=date(2022, 12, 6), start_earliest=date(2022, 6, 17),
        last_update_submitted=date(2023, 11, 17), last_update_posted=None, has_results=None, enrolment=100,
        data_version="2023-11-23 13:36:08",
    )  # fmt: skip
    assert {name: got[name] for name in expected} == expected
    assert [(c["country"], c["status"], c["authorised"], c["started"]) for c in got["countries"]] == [
        ("Germany", "recruiting", date(2023, 4, 3), date(2022, 6, 17)),
        ("Greece", "not_yet_recruiting", date(2023, 10, 24), None),
        ("Italy", "under_evaluation", None, None),
    ]
    assert got["own_fields"]["transition_eudract_number"] == "2090-000002-22"
    assert got["own_fields"]["has_deferral"] == "No"
    assert [s["name"] for s in got["sponsors"]] == ["Example Hospital", "Second Pharma", "Example Foundation"]


def test_a_record_of_the_second_generation(row):
    got = row(
        merged(
            ctStatus="Authorised",
            ctPublicStatusCode=4,
            ctPublicStatus="Ongoing, recruiting",
            trialCountries="ES: Ongoing, recruiting",
        )
    )
    assert (got["status"], got["status_source"]) == ("recruiting", "4")
    assert got["own_fields"]["application_status"] == "Authorised"


def test_a_page_of_the_overview(read):
    report, (got, second) = read(page(OVERVIEW, OVERVIEW | {"ctNumber": "2090-599998-22-00", "trialRegion": 3}))
    assert report.rejects == []
    expected = dict(
        registration_id="2090-599999-11", title="An invented trial", status="active_not_recruiting", status_source="5",
        phase="phase2_phase3", sponsor="Example Pharma", sponsor_class="industry", enrolment=120, has_results=True,
        sponsor_class_source="Pharmaceutical company", conditions=["Example disease"],
        start_earliest=date(2023, 6, 1), completion_earliest=date(2025, 3, 31), last_update_posted=date(2026, 7, 4),
        results_submitted=None, rejects=[],
    )  # fmt: skip
    assert {name: got[name] for name in expected} == expected
    assert [(c["country"], c["status"]) for c in got["countries"]] == [
        ("Spain", "active_not_recruiting"),
        ("Germany", "completed"),
    ]
    assert (second["record_number"], second["enrolment"]) == (2, None), "the total counts the EEA only"


# --- shapes and damage ----------------------------------------------------------------------------------------------


def test_every_shape_gives_the_same_rows(tmp_path, read):
    records = [merged(), merged(ctNumber="2090-599998-22-00")]
    lines = "\n".join(json.dumps(r) for r in records)
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as archive:
        for place, record in enumerate(records):
            archive.writestr(f"{place}.json", json.dumps(record, indent=2))
    shapes = [
        lines,
        json.dumps(records),
        json.dumps(records, indent=1),
        page(*records),
        gzip.compress(lines.encode(), mtime=0),
    ]
    hashes = []
    for content in (*shapes, (tmp_path / "z.zip").read_bytes()):
        report, rows = read(content)
        assert report.rejects == []
        hashes.append([(r["record_number"], r["content_hash"]) for r in rows])
    assert all(found == hashes[0] for found in hashes)


@pytest.mark.parametrize("form", ["lines", "array"])
def test_a_broken_record_costs_no_other(read, form):
    good = json.dumps({"_id": NUMBER} | merged())
    joined = [good, good[: len(good) // 2], good]
    report, rows = read("\n".join(joined) if form == "lines" else f"[{','.join(joined)}]")
    assert (report.records_in, report.rejected) == (3, 1)
    assert [r["record_number"] for r in rows] == [1, 3]


def test_a_cut_file_keeps_what_came_before(read):
    lines = "\n".join(json.dumps(merged(lastUpdated=f"{i % 28 + 1:02}/07/2026")) for i in range(400)).encode()
    packed = gzip.compress(lines, mtime=0)
    for content, scopes in ((lines[:-2000], ["record"]), (packed[: len(packed) // 2], ["record", "payload"])):
        report, rows = read(content)
        assert len(rows) == report.staged > 10
        assert [r.scope for r in report.rejects] == scopes


def test_a_cut_page_keeps_what_came_before(read):
    content = page(OVERVIEW, OVERVIEW | {"ctNumber": "2090-599998-22-00"})
    for cut in (content[:-200].encode(), gzip.compress(content.encode(), 0, mtime=0)[:-200]):
        report, rows = read(cut)
        assert [r["registration_id"] for r in rows] == ["2090-599999-11"]
        assert [r.scope for r in report.rejects] == ["record", "payload"]


@pytest.mark.parametrize(
    "record", [{}, {"protocolSection": {}}, merged(ctNumber="2090-000001-11"), merged(ctNumber="x")]
)
def test_a_record_without_a_number_of_this_register_is_rejected(read, record):
    report, rows = read(record)
    assert (report.records_in, report.rejected, rows) == (1, 1, [])


@pytest.mark.parametrize(
    ("content", "reason"),
    [("", "empty"), ("<html>Error</html>", "HTML"), ("Trial number,Title\n", "JSON"), ("\x00\x01", "JSON")],
)
def test_what_is_no_payload_is_one_clear_reject(read, content, reason):
    report, rows = read(content)
    assert (report.records_in, rows) == (0, [])
    assert [r.scope for r in report.rejects] == ["payload"]
    assert reason in report.rejects[0].reason


@pytest.mark.parametrize("content", ["[]", page()])
def test_a_search_without_a_hit_is_noted(read, content):
    report, rows = read(content)
    assert (report.rejects, rows) == ([], [])
    assert len(report.notes) == 1


@pytest.mark.parametrize("wrong", [None, 5, "text", [], [None, 3], {}])
def test_a_part_of_another_shape_costs_only_itself(read, wrong):
    for key in ("authorizedApplication", "events", "results", "documents", "trialCountries"):
        _, rows = read(merged(**{key: wrong}))
        assert [r["registration_id"] for r in rows] == ["2090-599999-11"]
    record = merged()
    for key in PART1:
        record["authorizedApplication"]["authorizedPartI"] = copy.deepcopy(PART1) | {key: wrong}
        _, rows = read(record)
        assert len(rows) == 1


def test_every_own_field_is_explained_in_the_source_file(row):
    text = (Path(ctis.__file__).parents[2] / "schemas" / "sources" / "ctis.toml").read_text(encoding="utf-8")
    for name in {*row(RETRIEVE)["own_fields"], *row(FIRST_GENERATION)["own_fields"]}:
        assert f" {name}" in text, name
