"""The EU Clinical Trials Register's reader on planted files: values of every shape, damage, contacts. Numbers are fictional."""

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
from pipelines.sources import euctr

DAY = date(2026, 8, 1)
PREAMBLE = "This file contains full details on each clinical trial selected for download. Included separately.\n\n"

HEADER = """Summary
EudraCT Number: 2090-099999-11
Sponsor's Protocol Code Number: ABC-1
National Competent Authority: Germany - BfArM
Clinical Trial Type: EEA CTA
Trial Status: Completed
Date on which this record was first entered in the EudraCT database: 2019-05-02
Link: https://www.clinicaltrialsregister.eu/ctr-search/trial/2090-099999-11/DE/

A. Protocol Information
A.1 Member State Concerned: Germany - BfArM
A.2 EudraCT number: 2090-099999-11
"""
TITLES = """A.3 Full title of the trial: An invented trial of a drug: with a colon
and a second line
A.3 Full title of the trial (de): Eine erfundene Studie
A.3.1 Title of the trial for lay people, in easily understood, i.e. non-technical, language: Invented trial
A.3.2 Name or abbreviated title of the trial where available: INVENT
A.4.1 Sponsor's protocol code number: ABC-1
A.5.1 ISRCTN (International Standard Randomised Controlled Trial) Number: 90000001
A.5.2 US NCT (ClinicalTrials.gov registry) number: NCT90000002
A.5.3 WHO Universal Trial Reference Number (UTRN): N/A
A.5.4 Other Identifiers:
Name: US IND Number: 12,345
A.7 Trial is part of a Paediatric Investigation Plan: No
A.8 EMA Decision number of Paediatric Investigation Plan:

"""
SPONSOR = """B. Sponsor Information
Sponsor 1
B.1.1 Name of Sponsor: Example Hospital
B.1.3.4\tCountry: Germany
B.3.1 and B.3.2\tStatus of the sponsor: Non-Commercial
B.4 Source(s) of Monetary or Material Support for the clinical trial:
B.4.1 Name of organisation providing support: Example Foundation
B.4.2 Country: Germany
B.5 Contact point designated by the sponsor for further information on the trial
B.5.1 Name of organisation: Example Hospital
B.5.2 Functional name of contact point: Jane Contact
B.5.3.1 Street Address: 1 Secret Road
B.5.4 Telephone number: +49 30 1234567
B.5.6 E-mail: jane.contact@example.org

"""
PRODUCTS = """D. IMP Identification
D.IMP: 1
D.1.2 and D.1.3 IMP Role: Test
D.2.1.1.1 Trade name: Examplon
D.3.1 Product name: Examplon 5 mg
D.3.8 INN - Proposed INN: EXAMPLINE
D.3.11.1 Active substance of chemical origin: Yes
D.3.11.2 Active substance of biological/ biotechnological origin (other than Advanced Therapy IMP (ATIMP): No
D.IMP: 2
D.3.1 Product name: Gene-1
D.3.11.2 Active substance of biological/ biotechnological origin (other than Advanced Therapy IMP (ATIMP): Yes
D.3.11.3.2 Gene therapy medical product: Yes

D.8 Information on Placebo
D.8 Placebo: 1
D.8.1 Is a Placebo used in this Trial? Yes
D.8.3 Pharmaceutical form of the placebo: Tablet

"""
TRIAL = """E. General Information on the Trial
E.1 Medical condition or disease under investigation
E.1.1 Medical condition(s) being investigated:
E.1.1 Medical condition(s) being investigated (de): Beispielkrankheit
E.1.1.1 Medical condition in easily understood language: Example disease
MedDRA Classification
E.1.2 Medical condition or disease under investigation:
E.1.2 Version: 20.0
E.1.2 Level: LLT
E.1.2 Classification code: 10000000
E.1.2 Term: Example disease NOS
E.1.2 System Organ Class: 100000000000
E.3 Principal inclusion criteria: 1. Carriers of
P. aeruginosa infection: proven
A.5.3 see protocol: U1111-9000-0000
E.5 End points
E.5.1 Primary end point(s): First:
A. Response: at week 4
Summary
E.5.1.1 Timepoint(s) of evaluation of this end point: Week 4
E.5.2 Secondary end point(s): Safety
E.7.1 Human pharmacology (Phase I): No
E.7.1.1 First administration to humans: No
E.7.2 Therapeutic exploratory (Phase II): Yes
E.7.3 Therapeutic confirmatory (Phase III): Yes
E.7.4 Therapeutic use (Phase IV): Information not present in EudraCT
E.8.4.1 Number of sites anticipated in Member State concerned: 3
E.8.5 The trial involves multiple Member States: Yes
E.8.6.3 If E.8.6.1 or E.8.6.2 are Yes, specify the regions in which trial sites are planned:
Germany
Czech Republic
United States
E.8.7 Trial has a data monitoring committee: Yes
E.8.9 Initial estimate of the duration of the trial
E.8.9.1 In the Member State concerned years: 1
E.8.9.1 In the Member State concerned months: 6
E.8.9.1 In the Member State concerned days:
E.8.9.2 In all countries concerned by the trial years: 2

F. Population of Trial Subjects
F.1.1 Trial has subjects under 18: Yes
F.1.1 Number of subjects for this age range: 7
F.4.1 In the member state: 20
F.4.2.2 In the whole clinical trial: 120

"""
END = """N. Review by the Competent Authority or Ethics Committee in the country concerned
N. Competent Authority Decision: Authorised
N. Date of Competent Authority Decision: 2019-06-03
N. Ethics Committee Opinion of the trial application: Favourable
N. Ethics Committee Opinion: Reason(s) for unfavourable opinion:
N. Date of Ethics Committee Opinion: 2019-05-20

P. End of Trial
P. End of Trial Status: Completed
P. Date of the global end of the trial: 2021-12-31

"""
RECORD = HEADER + TITLES + SPONSOR + PRODUCTS + TRIAL + END


def changed(*changes: tuple[str, str]) -> str:
    text = RECORD
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return text


@pytest.fixture
def read(tmp_path: Path):
    def run(content: bytes | str, day: date = DAY) -> tuple[Report, list[dict[str, Any]]]:
        path, out = tmp_path / "payload", tmp_path / "records.parquet"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        report = euctr.read(path, "payload", day, out)
        assert report.balance() == 0
        rows = pq.read_table(out).to_pylist()
        assert len(rows) == report.staged
        for row in rows:
            row["own_fields"] = dict(row["own_fields"] or [])
        return report, rows

    return run


@pytest.fixture
def row(read):
    """The row of one record of the full text."""

    def run(text: str = RECORD, day: date = DAY) -> dict[str, Any]:
        report, rows = read(PREAMBLE + text, day)
        assert report.rejects == []
        (only,) = rows
        return only

    return run


# --- full text ------------------------------------------------------------------------------------------------------


def test_a_country_protocol_fills_the_staging_columns(row):
    got = row()
    expected = dict(
        registration_id="2090-099999-11", part="DE", registry="euctr", source="euctr",
        url="https://www.clinicaltrialsregister.eu/ctr-search/trial/2090-099999-11/DE/",
        title="Invented trial", official_title="An invented trial of a drug: with a colon and a second line",
        acronym="INVENT", study_type="interventional", study_type_source="EEA CTA",
        phase="phase2_phase3", phase_source="Therapeutic exploratory (Phase II)|Therapeutic confirmatory (Phase III)",
        status="completed", status_source="Completed", sponsor="Example Hospital", sponsor_class="other",
        sponsor_class_source="Non-Commercial", sponsor_is_person=False, registered_earliest=date(2019, 5, 2),
        start_precision="none", completion_earliest=date(2021, 12, 31), completion_type="actual",
        enrolment=120, enrolment_type="estimated", has_results=None, rejects=[],
    )  # fmt: skip
    assert {name: got[name] for name in expected} == expected


def test_lists_of_a_country_protocol(row):
    got = row()
    assert [(i["value"], i["type"], i["domain"]) for i in got["identifiers"]] == [
        ("ABC-1", "ORG_STUDY_ID", None),
        ("ISRCTN90000001", "REGISTRY", "ISRCTN"),
        ("NCT90000002", "REGISTRY", "ClinicalTrials.gov"),
        ("12,345", "OTHER", "US IND"),
    ]
    assert got["conditions"] == ["Beispielkrankheit", "Example disease NOS"]
    assert got["keywords"] == ["Example disease"]
    assert [(i["type"], i["name"], i["other_names"]) for i in got["interventions"]] == [
        ("drug", "Examplon", ["Examplon 5 mg", "EXAMPLINE"]),
        ("genetic", "Gene-1", []),
        ("other", "Placebo", []),
    ]
    assert [(o["kind"], o["measure"], o["time_frame"]) for o in got["outcomes"]] == [
        ("primary", "First: A. Response: at week 4 Summary", "Week 4"),
        ("secondary", "Safety", None),
    ]
    assert [(s["name"], s["role"], s["class"]) for s in got["sponsors"]] == [
        ("Example Hospital", "lead", "other"),
        ("Example Foundation", "funder", None),
    ]


def test_numbers_in_the_titles_are_mentions(row):
    got = row(changed(("and a second line", "and an extension\nof 2090-099998-22 and NCT90000003, 2090-099999-11-DE")))
    assert got["mentions"] == ["2090-099998-22", "NCT90000003"]
    assert row()["mentions"] == [], "numbers in fields of their own are identifiers"


def test_the_own_country_comes_first_then_planned_ones(row):
    own, *planned = row()["countries"]
    assert own == dict(
        country="Germany", sites=3, is_removed=False, status="completed", status_source="Completed", authority="BfArM",
        authorised=date(2019, 6, 3), ethics_decided=date(2019, 5, 20), started=None, ended=None,
    )  # fmt: skip
    assert [(c["country"], c["status"]) for c in planned] == [("Czechia", None), ("United States", None)]


def test_own_fields_for_policies(row):
    own = row()["own_fields"]
    expected = dict(
        global_end_date="2021-12-31", competent_authority_decision="Authorised",
        competent_authority_decision_date="2019-06-03", ethics_opinion="Favourable", ethics_decision_date="2019-05-20",
        planned_years="2", planned_years_in_country="1", planned_months_in_country="6", in_pip="No", phase_1="No",
        phase_2="Yes", phase_3="Yes", has_subjects_under_18="Yes", clinical_trial_type="EEA CTA",
        planned_sites="Germany|Czech Republic|United States", planned_subjects_in_country="20",
        is_multinational="Yes", first_in_human="No",
    )  # fmt: skip
    assert own == expected, "and nothing where the form says nothing"


def test_a_line_of_free_text_opens_no_key(row):
    """`P. aeruginosa ...`, `A.5.3 ...` within section E, and a line `Summary` are text."""
    got = row()
    assert got["status"] == "completed"
    assert not any(i["type"] == "UTN" for i in got["identifiers"])


def test_contacts_are_never_staged(read):
    _, rows = read(RECORD)
    for secret in ("Jane", "Secret Road", "1234567", "example.org"):
        assert secret not in str(rows)


@pytest.mark.parametrize(
    ("changes", "sponsor"),
    [
        ([("Sponsor: Example Hospital", "Sponsor: Prof. Dr. Jane Contact")], PRIVATE_PERSON),
        ([("Sponsor: Example Hospital", "Sponsor: Jane Contact")], PRIVATE_PERSON),
        ([("Sponsor: Example Hospital", "Sponsor: Jane Contact, MD")], PRIVATE_PERSON),
        ([("Sponsor: Example Hospital", "Sponsor: Dr. Example Pharma GmbH")], "Dr. Example Pharma GmbH"),
        ([("Sponsor: Example Hospital", "Sponsor: Dr. Example"), ("Non-Commercial", "Commercial")], "Dr. Example"),
        (
            [("Sponsor: Example Hospital", "Sponsor: Region North"), ("point: Jane Contact", "point: Region North"), ("organisation: Example Hospital", "organisation: Region North")],
            "Region North",
        ),
    ],
)  # fmt: skip
def test_a_sponsor_that_is_a_private_person(row, changes, sponsor):
    got = row(changed(*changes))
    assert (got["sponsor"], got["sponsor_is_person"]) == (sponsor, sponsor == PRIVATE_PERSON)
    assert got["sponsors"][0]["class"] == got["sponsor_class"]


@pytest.mark.parametrize(("word", "code"), contracts().sources["euctr"].words["status"].items())
def test_every_status_word(row, word, code):
    got = row(changed(("End of Trial Status: Completed", f"End of Trial Status: {word}")))
    assert (got["status"], got["status_source"]) == (code, word)


def test_an_unknown_word_is_named_and_not_guessed(read):
    _, (got,) = read(changed(("End of Trial Status: Completed", "End of Trial Status: Finished")))
    assert (got["status"], got["status_source"]) == (None, "Finished")
    assert {(r["field"], r["value"], r["reason"]) for r in got["rejects"]} == {("status", "Finished", "unknown word")}


def test_a_refused_country_was_not_authorised(row):
    got = row(changed(("Decision: Authorised", "Decision: Not authorised")))
    assert got["countries"][0]["authorised"] is None
    assert got["own_fields"]["competent_authority_decision_date"] == "2019-06-03"


def test_an_end_after_the_snapshot_is_only_expected(row):
    assert row(day=date(2021, 1, 1))["completion_type"] == "estimated"


def test_a_trial_of_one_country_has_that_countrys_number(row):
    text = changed(("F.4.2.2 In the whole clinical trial: 120\n", ""))
    assert row(text)["enrolment"] is None
    assert row(text.replace("Member States: Yes", "Member States: No"))["enrolment"] == 20


def test_a_third_country_record(row):
    got = row(
        changed(("/DE/", "/3rd/"), ("EEA CTA", "Outside EU/EEA"), ("Status: Completed", "Status:")).replace(
            "Germany - BfArM", "Outside EU/EEA"
        )
    )
    assert (got["part"], got["status"], got["study_type_source"]) == ("3RD", None, "Outside EU/EEA")
    assert [c["country"] for c in got["countries"]] == ["Germany", "Czechia", "United States"]


def test_without_a_link_the_country_is_that_of_the_authority(row):
    link = next(line for line in RECORD.splitlines() if line.startswith("Link:"))
    got = row(changed((link + "\n", ""), ("Germany - BfArM", "UK - MHRA")))
    assert (got["part"], got["countries"][0]["country"]) == ("GB", "United Kingdom")


def test_a_flag_that_is_neither_yes_nor_no_is_named(read):
    _, (got,) = read(changed(("Investigation Plan: No", "Investigation Plan: JSON_ERROR_HERE")))
    assert "in_pip" not in got["own_fields"]
    assert [(r["field"], r["value"]) for r in got["rejects"]] == [("in_pip", "JSON_ERROR_HERE")]


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
@pytest.mark.parametrize("prefix", ["", PREAMBLE, "\ufeff" + PREAMBLE])
def test_many_records_in_one_file_plain_and_packed(read, ends, prefix):
    records = [RECORD.replace("/DE/", f"/{code}/") for code in ("DE", "FR", "SE")]
    content = (prefix + "".join(records)).replace("\n", ends).encode()
    for packed in (content, gzip.compress(content, mtime=0)):
        report, rows = read(packed)
        assert report.rejects == []
        assert [(r["part"], r["record_number"]) for r in rows] == [("DE", 1), ("FR", 2), ("SE", 3)]
        assert {r["official_title"] for r in rows} == {"An invented trial of a drug: with a colon and a second line"}


def test_records_are_told_apart_wherever_a_piece_ends(tmp_path):
    content = (PREAMBLE + RECORD + RECORD).encode()
    whole = list(euctr._split(euctr.Member("x", content, lambda: [content])))
    for size in (1, 7, 64, 1000, 4096):
        pieces = [content[i : i + size] for i in range(0, len(content), size)]
        assert list(euctr._split(euctr.Member("x", content, lambda pieces=pieces: pieces))) == whole


def test_equal_content_has_an_equal_hash(read):
    _, rows = read(RECORD + RECORD.replace("\n\n", "\n \n") + changed(("2021-12-31", "2022-01-31")))
    first, second, third = (r["content_hash"] for r in rows)
    assert first == second != third


# --- damage ---------------------------------------------------------------------------------------------------------


def test_a_cut_gzip_keeps_the_records_before_the_cut(read):
    packed = gzip.compress((PREAMBLE + "".join(changed(("ABC-1", f"ABC-{i}")) for i in range(3000))).encode(), mtime=0)
    report, rows = read(packed[: len(packed) // 2])
    assert len(rows) == report.staged > 100
    assert report.rejected == 1
    assert [r.scope for r in report.rejects] == ["record", "payload"]


def test_a_cut_text_rejects_its_last_record(read):
    report, rows = read(PREAMBLE + RECORD + RECORD[: len(RECORD) // 2])
    assert (report.records_in, len(rows)) == (2, 1)
    assert "cut off" in report.rejects[0].reason


def test_a_file_that_begins_within_a_record_names_it(read):
    report, rows = read(RECORD[500:] + RECORD)
    assert (report.records_in, len(rows)) == (2, 1)
    assert "beginning is missing" in report.rejects[0].reason


def test_a_number_of_another_register_is_a_rejected_record(read):
    report, rows = read(changed(("2090-099999-11", "NCT90000002")) + RECORD)
    assert (report.records_in, report.rejected, len(rows)) == (2, 1, 1)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "empty"),
        ("<!DOCTYPE html><html><body>Error</body></html>", "HTML"),
        ('{"protocolSection": {}}', "not of this register"),
        ("id,name\n1,x\n", "none of the register's"),
        ("\x00\x01\x02 rubbish", "none of the register's"),
        (RECORD.replace("\n", ""), "line ends"),
        ("EudraCT Number: 2090-099999-11\nTrial protocol: DE(Completed)\n", "summary download"),
        (gzip.compress(RECORD.encode(), mtime=0)[:20], "cut off"),
    ],
)
def test_what_is_no_payload_is_one_clear_reject(read, content, reason):
    report, rows = read(content)
    assert (report.records_in, rows) == (0, [])
    assert [r.scope for r in report.rejects] == ["payload"]
    assert reason in report.rejects[0].reason


def test_invalid_bytes_cost_no_record(read):
    report, rows = read(RECORD.encode().replace(b"INVENT", b"INV\xff\xfeENT"))
    assert len(rows) == 1
    assert report.rejects == []


def test_a_zip_is_read_entry_by_entry(tmp_path, read):
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as archive:
        archive.writestr("a.txt", PREAMBLE + RECORD)
        archive.writestr("b.html", "<html></html>")
        archive.writestr("c.txt", RECORD.replace("/DE/", "/FR/"))
    report, rows = read((tmp_path / "z.zip").read_bytes())
    assert [(r["part"], r["record_number"]) for r in rows] == [("DE", 1), ("FR", 2)]
    assert [(r.scope, r.record) for r in report.rejects] == [("payload", "payload!b.html")]


# --- field extracts -------------------------------------------------------------------------------------------------

COLUMNS = (
    "eudract_number_with_country,date_of_competent_authority_decision,end_of_trial_status,eudract_number,"
    "trial_in_the_member_state_concerned_years,date_of_ethics_committee_opinion,date_of_the_global_end_of_the_trial,"
    "trial_results\n"
)


def test_the_extract_of_country_protocols(read):
    report, rows = read(
        COLUMNS
        + "2090-099999-11-DE,2019-06-03,Completed,2090-099999-11,1.0,2019-05-20,2021-12-31,View results\n"
        + "2090-099999-11-3rd,,,2090-099999-11,-7.0,,,Removed from public view\n"
        + "2090-099998-22-FR,2019-06-03,Not Authorised,2090-099998-22,,,,\n"
    )
    assert report.rejects == []
    first, third, refused = rows
    assert (first["registration_id"], first["part"], first["status"]) == ("2090-099999-11", "DE", "completed")
    assert (first["url"], third["url"]) == tuple(
        f"https://www.clinicaltrialsregister.eu/ctr-search/trial/2090-099999-11/{part}" for part in ("DE", "3rd")
    )
    assert first["countries"][0]["authorised"] == date(2019, 6, 3)
    assert first["own_fields"] == dict(
        competent_authority_decision_date="2019-06-03", ethics_decision_date="2019-05-20", global_end_date="2021-12-31",
        planned_years_in_country="1", trial_results="View results",
    )  # fmt: skip
    assert [r["has_results"] for r in rows] == [True, False, False]
    assert (third["part"], third["countries"]) == ("3RD", [])
    assert [r["field"] for r in third["rejects"]] == ["planned_years_in_country"]
    assert third["own_fields"] == {"trial_results": "Removed from public view"}
    assert refused["countries"][0]["authorised"] is None


def test_a_cut_row_is_a_rejected_record(read):
    report, rows = read(COLUMNS + "2090-099999-11-DE,2019-06-03,Completed,2090-099999-11,1.0,,,\n2090-0999")
    assert (report.records_in, report.rejected, len(rows)) == (2, 1, 1)
    assert "cut off" in report.rejects[0].reason


def test_a_cut_gzip_of_rows_rejects_the_cut_row(read):
    row = "2090-099999-11-DE,2019-06-03,Completed,2090-099999-11,1.0,,2021-12-31,View results\n"
    packed = gzip.compress((COLUMNS + row * 1000).encode(), 0, mtime=0)
    report, rows = read(packed[:-15])
    assert (report.records_in, report.rejected, len(rows)) == (1000, 1, 999)
    assert [r.scope for r in report.rejects] == ["record", "payload"]


PAGE = ",trial_id,global_end_of_trial_date,first_version_date,this_version_date,trial_countries,results_type,recruitment_countries,trial_start_date,error\n"


def test_the_extract_of_results_pages(read):
    report, rows = read(
        PAGE
        + "0,2090-099999-11,2021-12-31,2022-05-22,2023-07-08,\"['DE', 'Outside EU/EEA']\",Tabular,\"{'Germany': 20, 'Czech Republic': 22}\",2019-09-01,\n"
        + "1,2090-099998-22,1900-01-01,22/05/2022,22/05/2022,['GB'],Broken,{'United Kingdom': 99999},,\n"
    )
    assert report.rejects == []
    good, broken = rows
    expected = dict(
        registration_id="2090-099999-11", part="results", has_results=True, results_posted=date(2022, 5, 22),
        results_posted_type="actual", last_update_posted=date(2023, 7, 8), start_earliest=date(2019, 9, 1),
        start_type="actual", completion_earliest=date(2021, 12, 31), enrolment=42, enrolment_type="actual",
        url="https://www.clinicaltrialsregister.eu/ctr-search/trial/2090-099999-11/results",
    )  # fmt: skip
    assert {name: good[name] for name in expected} == expected
    assert [c["country"] for c in good["countries"]] == ["Germany", "Czechia"]
    assert good["own_fields"] == dict(
        results_type="Tabular", results_global_end_date="2021-12-31", results_first_version_date="2022-05-22",
        results_version_date="2023-07-08", results_countries="DE|Outside EU/EEA",
    )  # fmt: skip
    assert (broken["has_results"], broken["results_posted"]) == (None, date(2022, 5, 22))
    assert (broken["enrolment"], broken["completion_raw"]) == (None, None)
    assert {r["field"] for r in broken["rejects"]} == {"enrolment", "completion"}


@pytest.mark.parametrize(
    ("enrolled", "enrolment"),
    [
        ("{'Germany': 49999, 'Poland': 50000}", None),
        ("{'United Kingdom': 88888}", None),
        ("{'Germany': 49999, 'Poland': 1}", 50000),
    ],
)
def test_participants_that_stand_for_an_unknown_number_are_none(read, enrolled, enrolment):
    _, (row,) = read(f'{PAGE}0,2090-099999-11,2021-12-31,2022-05-22,2022-05-22,[],Tabular,"{enrolled}",,\n')
    assert row["enrolment"] == enrolment
    assert [r["field"] for r in row["rejects"]] == ["enrolment"] * (enrolment is None)


def test_results_were_public_by_the_day_of_their_newest_version(read):
    """Some pages give the first version a later day."""
    _, (row,) = read(f"{PAGE}0,2090-099999-11,2015-12-21,2019-02-06,2016-10-21,[],Tabular,{{}},,\n")
    assert (row["results_posted"], row["last_update_posted"]) == (date(2016, 10, 21), date(2016, 10, 21))
    assert row["own_fields"]["results_first_version_date"] == "2019-02-06"


# --- converted records ----------------------------------------------------------------------------------------------

CONVERTED = {
    "_id": "2090-099999-11-DE",
    "x5_trial_status": "Ongoing",
    "x4_clinical_trial_type": "EEA CTA",
    "x6_date_on_which_this_record_was_first_entered_in_the_eudract_database": "2019-05-02",
    "a1_member_state_concerned": "Germany - BfArM",
    "a3_full_title_of_the_trial": "An invented trial",
    "a3_full_title_of_the_trial_de": "Eine erfundene Studie",
    "a31_title_of_the_trial_for_lay_people_in_easily_understood_ie_nontechnical_language_de": "Erfunden",
    "a41_sponsors_protocol_code_number": "ABC-1",
    "a51_isrctn_international_standard_randomised_controlled_trial_number": "ISRCTN00000000",
    "a54_other_identifiers": "US IND 12345",
    "b1_sponsor": [
        {
            "_b1_sponsor": "1",
            "b31_and_b32_status_of_the_sponsor": "Commercial",
            "b4_sources_of_monetary_or_material_support": [{"b41_name_of_organisation_providing_support": "Payer"}],
            "b11_name_of_sponsor": "Example Pharma",
            "b56_email": "jane@example.org",
        }
    ],
    "dimp": [{"_dimp": "1", "d31_product_name": "X-1", "d38_imp_identification_details": [{"d38_inn__proposed_inn": "XINE"}]}],
    "e12_meddra_classification": [{"e12_term": "Example disease"}],
    "e71_human_pharmacology_phase_i": "Yes",
    "e863_trial_sites_planned_in": "Austria United States",
    "e892_in_all_countries_concerned_by_the_trial_years": "2",
    "f11_trial_has_subjects_under_18": "No",
    "f11_number_of_subjects_for_this_age_range": "10",
    "f422_in_the_whole_clinical_trial": None,
    "n_date_of_competent_authority_decision": "2019-06-03",
    "p_end_of_trial_status": "Prematurely Ended",
    "record_last_import": "2024-01-01 00:00:00",
    "trialInformation": {
        "recruitmentStartDate": "2019-07-01T00:00:00+02:00",
        "globalEndOfTrialDate": "2021-12-31T00:00:00+01:00",
        "isGlobalEndOfTrialReached": "true",
        "usctnIdentifier": "NCT90000002",
        "sponsors": {"sponsor": {"publicContact": {"emailAddress": "jane@example.org"}}},
    },
}  # fmt: skip


def test_a_converted_record(read):
    report, (got,) = read(json.dumps(CONVERTED))
    assert report.rejects == []
    expected = dict(
        registration_id="2090-099999-11", part="DE", title="Erfunden", official_title="An invented trial",
        status="terminated", phase="phase1", sponsor="Example Pharma", sponsor_class="industry",
        start_earliest=date(2019, 7, 1), start_type="actual", completion_earliest=date(2021, 12, 31),
        has_results=True, data_version="2024-01-01 00:00:00", rejects=[],
    )  # fmt: skip
    assert {name: got[name] for name in expected} == expected
    assert [i["value"] for i in got["identifiers"]] == ["ABC-1", "ISRCTN00000000", "US IND 12345", "NCT90000002"]
    assert got["interventions"] == [{"type": None, "name": "X-1", "other_names": ["XINE"]}]
    assert [c["country"] for c in got["countries"]] == ["Germany"], "joined names cannot be told apart"
    assert got["own_fields"]["planned_sites"] == "Austria United States"
    assert got["own_fields"]["has_subjects_under_18"] == "No"
    assert got["own_fields"]["results_global_end_date"] == "2021-12-31"
    assert [s["name"] for s in got["sponsors"]] == ["Example Pharma", "Payer"]
    assert "example.org" not in str(got)


def test_a_cut_json_line_is_one_rejected_record(read):
    line = json.dumps(CONVERTED)
    report, rows = read("\n".join([line, line[:400], line]))
    assert (report.records_in, report.rejected) == (3, 1)
    assert [r["record_number"] for r in rows] == [1, 3]


# --- the source file ------------------------------------------------------------------------------------------------


def test_every_own_field_is_explained_in_the_source_file(read):
    text = (Path(euctr.__file__).parents[2] / "schemas" / "sources" / "euctr.toml").read_text(encoding="utf-8")
    for name in (
        *euctr.OWN_FLAGS,
        *euctr.OWN_WORDS,
        *euctr.OWN_DAYS,
        *euctr.DURATIONS,
        "global_end_date",
        "results_type",
    ):
        assert f" {name}" in text, name
