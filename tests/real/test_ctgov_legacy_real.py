"""ClinicalTrials.gov's retired formats on the real files: every record in, every word known, counts as stated, and the
same rows as API v2 gives of the same trials."""

import re
import zipfile
from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from lxml import etree

from pipelines.formats import packing
from pipelines.sources import ctgov

DAY = date(2026, 8, 1)
"""After every file here: dates are judged against it."""

SAMPLE = "ctgov-xml/allpublicxml-sample-2023-02-03.part-a.zip"
AACT = "ctgov-xml/aact-test-records.zip"
OCTOBER = "ctgov-xml/covid-2020-10-07.search_result.part-a.zip"
APRIL = "ctgov-xml/covid-2020-04-30.search_result.part-a.zip"
RESULTS = "ctgov-xml/covid-with-results-2022-08-12.search_result.zip"
EDITED = "ctgov-xml/aact-test-records-edited.zip"
PAGE = "ctgov-api-v1/results_1.json.gz"
RECORDS = {
    SAMPLE: 3420,
    OCTOBER: 1883,
    APRIL: 601,
    RESULTS: 203,
    "ctgov-xml/trec-pm-2017-04.clinicaltrials_xml.part-a.zip": 76,
    AACT: 63,
    "ctgov-xml/covid-2020-04-28.search_result.zip": 34,
    "ctgov-xml/trec-ct-2023-05-09.sample.part-a.zip": 34,
    "ctgov-xml/clinicaltrials_example.xml.gz": 1,
    "ctgov-xml/clinicaltrials_example_with_disposition.xml.gz": 1,
    "ctgov-xml/NCT00001289.xml.gz": 1,
    "ctgov-xml/NCT00001308.xml.gz": 1,
    "ctgov-xml/NCT00003995.xml.gz": 1,
    "ctgov-xml/NCT02513394.xml.gz": 1,
    PAGE: 100,
    "ctgov-api-v1/NCT00023673.json.gz": 1,
    "ctgov-api-v1/NCT02028676.json.gz": 1,
    "ctgov-api-v1/NCT04780763.json.gz": 1,
}


@pytest.fixture(scope="module")
def read(real_records, tmp_path_factory):
    """Reads a file, each only once: its report and its rows."""
    done: dict[str, Any] = {}

    def run(name: str):
        if name not in done:
            out = tmp_path_factory.mktemp("staging") / "rows.parquet"
            report = ctgov.read(real_records / name, Path(name).name, DAY, out)
            done[name] = report, pq.read_table(out).to_pylist()
        return done[name]

    return run


# --- every record ---------------------------------------------------------------------------------------------------


def test_every_file_is_looked_at(real_records):
    files = {f"{f}/{p.name}" for f in ("ctgov-xml", "ctgov-api-v1") for p in (real_records / f).iterdir()}
    assert files == {*RECORDS, EDITED}
    assert sum(number for name, number in RECORDS.items() if "xml" in name) == 6320


@pytest.mark.parametrize("name", RECORDS)
def test_every_record_is_read_and_every_word_known(read, name):
    report, rows = read(name)
    assert (report.records_in, report.staged, report.rejected) == (RECORDS[name], RECORDS[name], 0)
    assert (report.rejects, report.notes, report.balance()) == ([], [], 0)
    # `December 31, 2099` and `April 2099` are how two sponsors say that they do not know: the only values that are lost.
    lost = {(fault["value"][:4], fault["reason"]) for row in rows for fault in row["rejects"]}
    assert lost <= {("2099", "more than 25 years after the snapshot")}
    assert sum(bool(row["rejects"]) for row in rows) == (name in {SAMPLE, APRIL, OCTOBER})


def test_edited_records_do_no_harm(read):
    report, rows = read(EDITED)
    assert report.records_in == len(rows) + report.rejected == 7


@pytest.mark.parametrize("name", [name for name in RECORDS if name.endswith(".zip")])
def test_numbers_are_those_of_an_independent_search(real_records, read, name):
    expected = [
        tuple(re.findall(rb"<nct_id>(NCT\d{8})</nct_id>", content)[:1])
        for _, content in packing.entries(real_records / name)
        if isinstance(content, bytes)
    ]
    assert [(row["registration_id"].encode(),) for row in read(name)[1]] == expected


# --- nothing passed over --------------------------------------------------------------------------------------------

READ = """
    acronym brief_title completion_date condition enrollment keyword official_title overall_status last_known_status
    phase primary_completion_date start_date study_type verification_date why_stopped study_design
    id_info/nct_id id_info/nct_alias id_info/org_study_id id_info/secondary_id
    sponsors/lead_sponsor/agency sponsors/lead_sponsor/agency_class
    sponsors/collaborator/agency sponsors/collaborator/agency_class
    responsible_party/responsible_party_type responsible_party/investigator_full_name responsible_party/name_title
    oversight_info/is_fda_regulated_drug oversight_info/is_fda_regulated_device oversight_info/is_unapproved_device
    oversight_info/is_ppsd oversight_info/is_us_export study_design_info/primary_purpose
    intervention/intervention_type intervention/intervention_name intervention/other_name
    primary_outcome/measure primary_outcome/time_frame secondary_outcome/measure secondary_outcome/time_frame
    other_outcome/measure other_outcome/time_frame overall_official/last_name location/facility/address/country
    location_countries/country removed_countries/country reference/PMID reference/citation
    results_reference/PMID results_reference/citation condition_browse/mesh_term intervention_browse/mesh_term
    provided_document_section/provided_document/document_type
    provided_document_section/provided_document/document_has_protocol
    provided_document_section/provided_document/document_has_sap
    provided_document_section/provided_document/document_has_icf
    provided_document_section/provided_document/document_date
    provided_document_section/provided_document/document_url
    clinical_results/outcome_list/outcome/type clinical_results/outcome_list/outcome/title
    clinical_results/outcome_list/outcome/analysis_list/analysis/p_value
    clinical_results/outcome_list/outcome/analysis_list/analysis/non_inferiority_type
    clinical_results/outcome_list/outcome/analysis_list/analysis/method
    clinical_results/outcome_list/outcome/analysis_list/analysis/param_type
    clinical_results/outcome_list/outcome/analysis_list/analysis/param_value
    clinical_results/outcome_list/outcome/analysis_list/analysis/ci_percent
    clinical_results/outcome_list/outcome/analysis_list/analysis/ci_n_sides
    clinical_results/outcome_list/outcome/analysis_list/analysis/ci_lower_limit
    clinical_results/outcome_list/outcome/analysis_list/analysis/ci_upper_limit
    pending_results/submitted pending_results/returned pending_results/submission_canceled
    study_first_submitted study_first_posted results_first_submitted results_first_submitted_qc results_first_posted
    disposition_first_submitted disposition_first_posted last_update_submitted last_update_posted
    firstreceived_date firstreceived_results_date firstreceived_results_disposition_date lastchanged_date
"""
PASSED_OVER = """
    required_header arm_group biospec_descr biospec_retention brief_summary detailed_description eligibility
    expanded_access_info has_expanded_access is_fda_regulated is_section_801 link number_of_arms number_of_groups
    overall_contact overall_contact_backup patient_data source study_docs target_duration
    clinical_results/participant_flow
    clinical_results/baseline
    clinical_results/reported_events
    clinical_results/certain_agreements
    clinical_results/limitations_and_caveats
    clinical_results/point_of_contact
    clinical_results/outcome_list/outcome/time_frame
    clinical_results/outcome_list/outcome/group_list
    clinical_results/outcome_list/outcome/measure
    clinical_results/outcome_list/outcome/description
    clinical_results/outcome_list/outcome/population
    clinical_results/outcome_list/outcome/posting_date
    clinical_results/outcome_list/outcome/analysis_list/analysis/group_id_list
    clinical_results/outcome_list/outcome/analysis_list/analysis/groups_desc
    clinical_results/outcome_list/outcome/analysis_list/analysis/p_value_desc
    clinical_results/outcome_list/outcome/analysis_list/analysis/estimate_desc
    clinical_results/outcome_list/outcome/analysis_list/analysis/non_inferiority_desc
    clinical_results/outcome_list/outcome/analysis_list/analysis/method_desc
    clinical_results/outcome_list/outcome/analysis_list/analysis/dispersion_type
    clinical_results/outcome_list/outcome/analysis_list/analysis/dispersion_value
    clinical_results/outcome_list/outcome/analysis_list/analysis/other_analysis_desc
    clinical_results/outcome_list/outcome/analysis_list/analysis/ci_upper_limit_na_comment
    clinical_results/outcome_list/outcome/analysis_list/analysis/ci_lower_limit_na_comment
    study_first_submitted_qc disposition_first_submitted_qc last_update_submitted_qc
    intervention/arm_group_label intervention/description location/contact location/contact_backup
    location/facility/name location/facility/address/city location/facility/address/state location/facility/address/zip
    location/investigator location/status other_outcome/description overall_official/affiliation overall_official/role
    oversight_info/authority oversight_info/has_dmc primary_outcome/description primary_outcome/safety_issue
    responsible_party/investigator_affiliation responsible_party/investigator_title responsible_party/organization
    secondary_outcome/description secondary_outcome/safety_issue study_design_info/allocation
    study_design_info/intervention_model study_design_info/intervention_model_description study_design_info/masking
    study_design_info/masking_description study_design_info/observational_model study_design_info/time_perspective
"""
"""What the JSON's source file ignores as well, or what has no counterpart there."""


def leaves(element: etree._Element, passed_over: frozenset[str], path: str = "") -> Iterator[str]:
    for child in element:
        place = f"{path}/{child.tag}" if path else str(child.tag)
        if isinstance(child.tag, str) and place not in passed_over:
            yield from leaves(child, passed_over, place) if len(child) else [place]


def contents(path: Path) -> Iterator[bytes]:
    if zipfile.is_zipfile(path):
        yield from (content for _, content in packing.entries(path) if isinstance(content, bytes))
    else:
        yield b"".join(packing.chunks(path))


def test_every_element_is_read_or_passed_over_on_purpose(real_records):
    parser = etree.XMLParser(remove_comments=True)
    read, passed_over = frozenset(READ.split()), frozenset(PASSED_OVER.split())
    found = {
        leaf
        for name in RECORDS
        if name.startswith("ctgov-xml/")
        for content in contents(real_records / name)
        for leaf in leaves(etree.fromstring(content, parser), passed_over)
    }
    # A few elements hold nothing in some record: as leaves they are branches of what is read.
    assert {leaf for leaf in found - read if not any(path.startswith(f"{leaf}/") for path in read)} == set()
    assert read - found == set()


# --- counts ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "results", "delays", "pending", "aliases", "expanded"),
    [
        (SAMPLE, 223, 45, 14, 68, None),
        (OCTOBER, 8, None, 9, None, 13),
        (APRIL, 0, 0, None, None, None),
        (RESULTS, 203, 3, None, None, None),
        (AACT, 22, 3, 2, None, None),
        ("ctgov-xml/trec-pm-2017-04.clinicaltrials_xml.part-a.zip", 16, None, None, None, None),
        ("ctgov-xml/trec-ct-2023-05-09.sample.part-a.zip", 4, None, None, None, None),
        ("ctgov-xml/clinicaltrials_example_with_disposition.xml.gz", 0, 1, 0, 0, 0),
        ("ctgov-xml/clinicaltrials_example.xml.gz", 0, 0, 0, 0, 0),
    ],
)
def test_counts_of_the_files_as_stated_with_them(read, name, results, delays, pending, aliases, expanded):
    rows = read(name)[1]
    found = {
        "results": sum(row["has_results"] for row in rows),
        "delays": sum(row["delay_submitted"] is not None for row in rows),
        "pending": sum(bool(row["result_events"]) for row in rows),
        "aliases": sum(bool(row["aliases"]) for row in rows),
        "expanded": sum(row["study_type"] == "expanded_access" for row in rows),
    }
    stated = {"results": results, "delays": delays, "pending": pending, "aliases": aliases, "expanded": expanded}
    assert found == {what: found[what] if number is None else number for what, number in stated.items()}


def test_references_of_the_whole_register_sample(read):
    rows = read(SAMPLE)[1]
    kinds = [{p["type"] for p in row["publications"] or ()} for row in rows]
    assert sum("background" in k for k in kinds) == 1250
    assert sum("result" in k for k in kinds) == 528
    assert set().union(*kinds) == {"background", "result"}
    assert len({p["pmid"] for row in rows for p in row["publications"] or () if p["pmid"]}) == 8733


def test_status_words_of_the_whole_register_sample(read):
    rows = read(SAMPLE)[1]
    unknown = [row for row in rows if row["status"] == "unknown"]
    assert len(unknown) == 231
    assert all(row["last_known_status"] for row in unknown)
    assert all(row["status"] and row["study_type"] and row["sponsor"] for row in rows)


def test_kinds_of_records_in_the_single_ones(read):
    rows = read(AACT)[1]
    statuses = Counter(row["status"] for row in rows)
    assert {"available", "withheld", "unknown", "withdrawn", "terminated"} <= set(statuses)
    assert [row["study_type"] for row in rows if row["status"] == "withheld"] == [None]
    assert {event["event"] for row in rows for event in row["result_events"]} == {"submitted", "returned", "cancelled"}
    assert sum(row["is_ppsd"] is not None for row in rows) == 1


def test_european_numbers_stand_among_the_identifiers(read):
    secondary = [i["value"] for row in read(RESULTS)[1] for i in row["identifiers"] if i["type"] is None]
    assert sum(bool(re.fullmatch(r"20\d\d-\d{6}-\d\d", number)) for number in secondary) == 23
    assert sum("ISRCTN" in number for number in secondary) == 2


def test_only_cancelled_submissions_lack_their_date(read):
    events = [event for name in RECORDS for row in read(name)[1] for event in row["result_events"]]
    assert {event["event"] for event in events if event["date"] is None} == {"cancelled"}


def test_interventional_trials_have_a_phase_and_others_none(read):
    for name in RECORDS:
        phased = Counter((row["study_type"], row["phase"] is not None) for row in read(name)[1])
        assert phased["observational", True] == phased["expanded_access", True] == phased["interventional", False] == 0


def test_the_page_of_api_v1_in_figures(read):
    rows = read(PAGE)[1]
    assert {row["data_version"] for row in rows} == {"2021-03-03"}
    assert Counter(row["study_type"] for row in rows) == {"interventional": 66, "observational": 34}
    assert sum(len(row["documents"] or ()) for row in rows) == 9
    assert all(document["uploaded"] for row in rows for document in row["documents"] or ())


# --- the same trial in two formats ----------------------------------------------------------------------------------

URO = "ctgov-api-v2/urology-2024-09-24.ctg-studies.json.zip"
TARGETS = "ctgov-api-v2/targets-2026-02-04-to-2026-03-13.studies.part-a.zip"

NEVER_SAME = {"payload", "record_number", "content_hash", "data_version"}
PLACED = {"condition_mesh", "condition_mesh_above", "intervention_mesh", "intervention_mesh_above"}
"""MeSH terms are assigned anew every year; XML has no numbers of them, and not those above them."""
TYPED = {"identifiers"}
"""XML has no types of the identifiers."""
UPDATED = {"verified_raw", "verified_earliest", "verified_latest", "last_update_submitted", "last_update_posted"}
CLASSED = {"sponsor_class", "sponsor_class_source", "sponsors"}
"""XML knows four classes of sponsors: networks and other governments are `Other` there."""

TWINS = [
    # Not updated between the two: only what the formats themselves lack may differ.
    ("NCT00498680", SAMPLE, URO, PLACED),
    ("NCT00492635", SAMPLE, URO, PLACED | TYPED),
    ("NCT00001908", SAMPLE, TARGETS, PLACED),
    ("NCT00460538", SAMPLE, TARGETS, PLACED),
    ("NCT00023673", AACT, "ctgov-api-v1/NCT00023673.json.gz", PLACED | TYPED | CLASSED),
    # The register itself has added a derived reference to this one.
    ("NCT02028676", AACT, "ctgov-api-v1/NCT02028676.json.gz", PLACED | TYPED | CLASSED | {"publications"}),
    # Updated between the two.
    ("NCT00499317", SAMPLE, URO, PLACED | TYPED | UPDATED),
    ("NCT00006150", SAMPLE, TARGETS, PLACED | UPDATED | {"publications"}),
    ("NCT01298141", AACT, TARGETS, PLACED | UPDATED | {"publications", "documents"}),
]


@pytest.mark.parametrize(("number", "older", "newer", "may_differ"), TWINS, ids=[twin[0] for twin in TWINS])
def test_a_trial_in_two_formats_gives_one_row(read, number, older, newer, may_differ):
    first, second = ([row for row in read(name)[1] if row["registration_id"] == number] for name in (older, newer))
    assert len(first) == len(second) == 1
    different = {name for name in first[0] if first[0][name] != second[0][name]}
    assert different <= NEVER_SAME | may_differ


def test_the_twin_that_posted_its_results_between_the_two(read):
    (older,), (newer,) = (
        [row for row in read(name)[1] if row["registration_id"] == "NCT02513394"]
        for name in ("ctgov-xml/NCT02513394.xml.gz", "ctgov-api-v2/NCT02513394.json.gz")
    )
    same = "study_type phase primary_purpose status title official_title sponsor sponsor_class start_raw start_type"
    same += " registered_raw first_posted completion_raw completion_type enrolment enrolment_type conditions keywords"
    assert {name: older[name] for name in same.split()} == {name: newer[name] for name in same.split()}
    assert (older["has_results"], newer["has_results"]) == (False, True)
    assert [i["value"] for i in older["identifiers"]][:2] == [i["value"] for i in newer["identifiers"]][:2]
    assert older["last_update_submitted"] < newer["last_update_submitted"]
