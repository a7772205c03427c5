"""The FDAAA policy, row by row and at each boundary day: made-up records in, verdicts of the real queries out.

Belongs here: scope, clock, deferral, lateness and profiles of `fdaaa`, and faults of other systems that its rule could
share. What it shares with every policy stands in `test_policies`.
"""

import itertools
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from pipelines import build, queries
from pipelines import contracts as contract_files
from pipelines.contracts import contracts
from pipelines.queries import Query
from pipelines.settings import SCHEMAS, SQL
from tests.worlds import AS_OF, nct, put_file, put_studies, rows, study, tables

FDAAA = contracts().policies["fdaaa"]
TRACKER = FDAAA.under("fdaaa-tracker-2025")
LANCET = FDAAA.under("fdaaa-lancet-2019")
BEFORE = date(2023, 1, 1)
OLD = {"start": "2016-05-01", "drug": None, "registered": "2016-04-01"}
"""Of a trial on the old route: started before 2017-01-18, no FDA flag."""

SURVEILLANCE = {"study_type": "OBSERVATIONAL", "phases": None, "ppsd": True}
"""Paediatric surveillance of a device that is no trial."""


def us(number, *, drug=True, device=None, kinds=("DRUG",), countries=("United States",), purpose="TREATMENT",
       ppsd=None, export=None, delay=None, delay_posted=None, waived=None, flag=None, listed=True, **fields):  # fmt: skip
    """A drug trial with a site in the US that the law covers without doubt; what is None is not stated.

    delay: day on which a certificate was handed in. flag: the flag of January 2017, if `listed`; see `flags`.
    """
    sections = {
        "oversightModule": {
            "isFdaRegulatedDrug": drug, "isFdaRegulatedDevice": device, "isPpsd": ppsd, "isUsExport": export},
        "designModule": {"designInfo": {"primaryPurpose": purpose}},
        "armsInterventionsModule": {"interventions": [{"type": kind, "name": "x"} for kind in kinds]},
        "contactsLocationsModule": {"locations": [{"country": c, "facility": "x"} for c in countries]},
        "statusModule": {"dispFirstSubmitDate": delay, "resultsWaived": waived},
    }  # fmt: skip
    if delay_posted:
        sections["statusModule"]["dispFirstPostDateStruct"] = {"date": delay_posted, "type": "ACTUAL"}
    return study(number, extra={"protocolSection": sections}, **fields)


def flags(cases):
    """The file of January 2017 with a line for every case on whose flag something depends."""
    lines = [f"{nct(n)},{c['flag'] or ''}," for n, c in enumerate(cases) if "flag" in c and c.get("listed", True)]
    return "\n".join(["nct_id,is_fda_regulated,is_section_801", f"{nct(9_000_000)},,", *lines, ""])


SCOPE = {
    # (record) -> applies, what decides, where something does
    "covered": ({}, "yes", None),
    "drug no, device yes": (dict(drug=False, device=True), "yes", None),
    "drug blank, device yes": (dict(drug=None, device=True), "yes", None),
    "both flags no": (dict(drug=False, device=False), "no", "regulated"),
    "both flags blank": (dict(drug=None), "possible", "is_fda_regulated_drug, is_fda_regulated_device"),
    "one flag no, one blank": (dict(drug=False), "possible", "is_fda_regulated_drug, is_fda_regulated_device"),
    "observational": (dict(study_type="OBSERVATIONAL", phases=None), "no", "interventional"),
    "no study type": (dict(study_type=None), "possible", "study_type"),
    "surveillance of a device": (dict(study_type="OBSERVATIONAL", phases=None, ppsd=True), "yes", None),
    "no surveillance of a device": (dict(study_type="OBSERVATIONAL", phases=None, ppsd=False), "no", "interventional"),
    # phase
    "early phase 1": (dict(phases=["EARLY_PHASE1"]), "no", "covered_phase"),
    "phase 1": (dict(phases=["PHASE1"]), "no", "covered_phase"),
    "phase 1/2": (dict(phases=["PHASE1", "PHASE2"]), "yes", None),
    "phase 2/3": (dict(phases=["PHASE2", "PHASE3"]), "yes", None),
    "phase 3": (dict(phases=["PHASE3"]), "yes", None),
    "phase 4": (dict(phases=["PHASE4"]), "yes", None),
    "phases not applicable": (dict(phases=["NA"]), "yes", None),
    "no phase": (dict(phases=None), "possible", "phase"),
    # purpose
    "feasibility of a device": (dict(drug=False, device=True, purpose="DEVICE_FEASIBILITY"), "no", "not_feasibility"),
    "feasibility of a device, drug blank": (dict(drug=None, device=True, purpose="DEVICE_FEASIBILITY"), "no", "not_feasibility"),
    # two tests (42 CFR 11.22(b)): no phase of a device, no purpose of a drug
    "device, phase 1": (dict(drug=False, device=True, phases=["PHASE1"]), "yes", None),
    "device, no phase": (dict(drug=False, device=True, phases=None), "yes", None),
    "device and drug, phase 1": (dict(device=True, phases=["PHASE1"]), "probable", None),
    "device and drug, feasibility": (dict(device=True, purpose="DEVICE_FEASIBILITY"), "probable", None),
    "drug, feasibility": (dict(device=False, purpose="DEVICE_FEASIBILITY"), "yes", None),
    "device and drug, feasibility, phase 1": (
        dict(device=True, phases=["PHASE1"], purpose="DEVICE_FEASIBILITY"), "no", "covered_phase, not_feasibility"),
    "device and drug, feasibility, no phase": (
        dict(device=True, phases=None, purpose="DEVICE_FEASIBILITY"), "possible", "phase, primary_purpose"),
    "no purpose": (dict(purpose=None), "yes", None),
    # nexus to the US
    "no site in the US": (dict(countries=("France",)), "probable", None),
    "no site": (dict(countries=()), "probable", None),
    "exported from the US": (dict(countries=("France",), export=True), "yes", None),
    "not exported from the US": (dict(countries=("France",), export=False), "probable", None),
    # dates
    "starts under the rule": (dict(start="2017-01-18", pcd="2017-01-18", cd=None), "yes", None),
    "starts the day before, completes under the rule": (dict(start="2017-01-17", pcd="2017-01-18", cd=None), "yes", None),
    "completed the day before the rule": (dict(start="2016-01-01", pcd="2017-01-17", cd=None), "possible", "product_approved"),
    "completion stands for primary completion": (dict(start="2016-01-01", pcd=None, cd="2017-01-17"), "possible", "product_approved"),
    "completed before the rule, completion after it": (
        dict(start="2016-01-01", pcd="2017-01-17", cd="2018-01-01"), "possible", "product_approved"),
    "month of the rule, completed then": (dict(start="2016-01-01", pcd="2017-01", cd=None), "possible", "product_approved"),
    "month before the rule": (dict(start="2016-01-01", pcd="2016-12", cd=None), "possible", "product_approved"),
    "month after the rule": (dict(start="2016-01-01", pcd="2017-02", cd=None), "yes", None),
    "start in the month of the rule, completed later": (dict(start="2017-01"), "yes", None),
    "started long before the act, completed under the rule": (dict(start="2001-01-01"), "yes", None),
    "ended the day before the act": (dict(start="2005-01-01", pcd="2007-12-25", cd=None), "no", "reached"),
    "ended as the act began": (dict(start="2005-01-01", pcd="2007-12-26", cd=None), "possible", "product_approved"),
    "ended in the month of the act": (dict(start="2005-01-01", pcd="2007-12", cd=None), "possible", "primary_completion, product_approved"),
    "ended before the act, phase 1": (dict(start="2005-01-01", pcd="2006-01-01", cd=None, phases=["PHASE1"]), "no", "covered_phase, reached"),
    "no start": (dict(start=None), "possible", "start"),
    "no start, ended as the act was passed": (dict(start=None, pcd="2007-09-27", cd=None), "no", "reached"),
    "no start, ended before it reached what ran": (
        dict(start=None, pcd="2007-12-25", cd=None), "possible", "product_approved, start"),
    "no dates, said to have ended before the act": (
        dict(start=None, pcd=None, cd=None, updated="2005-06-23"), "no", "reached"),
    "no completion, said to have ended before the act": (
        dict(start="2001-01-01", pcd=None, cd=None, updated="2007-12-25"), "no", "reached"),
    "no completion, said to have ended as the act began": (
        dict(start="2001-01-01", pcd=None, cd=None, updated="2007-12-26"), "possible", "primary_completion"),
    "no dates, ran before the act": (
        dict(start=None, pcd=None, cd=None, status="RECRUITING", updated="2005-06-23"), "possible", "primary_completion, start"),
    "began after the act was passed, ended early": (dict(start="2007-09-28", pcd="2007-11-01", cd=None), "possible", "product_approved"),
    "began the day it was passed, ended early": (dict(start="2007-09-27", pcd="2007-11-01", cd=None), "no", "reached"),
    "began in the month it was passed, ended early": (
        dict(start="2007-09", pcd="2007-11-01", cd=None), "possible", "product_approved, start"),
    "no completion, started under the rule": (dict(pcd=None, cd=None, status="RECRUITING"), "yes", None),
    "no completion, started before the rule": (
        dict(start="2016-01-01", pcd=None, cd=None, status="RECRUITING"), "possible", "primary_completion"),
    "an expected completion counts": (dict(start="2016-01-01", pcd=("2018-01-01", "ESTIMATED"), cd=None), "yes", None),
    # the old route
    "old: flag blank": (dict(OLD, flag=None), "probable", None),
    "old: flag true": (dict(OLD, flag="true"), "probable", None),
    "old: flag false": (dict(OLD, flag="false"), "no", "regulated"),
    "old: not listed": (dict(OLD), "probable", None),
    "old: the record's own flags go first": (dict(OLD, drug=True, flag="false"), "yes", None),
    "old: the record's own flags say no": (dict(OLD, drug=False, device=False, flag="true"), "no", "regulated"),
    "old: one flag no, one blank": (
        dict(OLD, drug=False, flag="true"), "possible", "is_fda_regulated_drug, is_fda_regulated_device"),
    "old: behavioural": (dict(OLD, kinds=("BEHAVIORAL",)), "no", "covered_intervention"),
    "old: behavioural and device": (dict(OLD, kinds=("BEHAVIORAL", "DEVICE")), "probable", None),
    "old: supplement": (dict(OLD, kinds=("DIETARY_SUPPLEMENT",)), "no", "covered_intervention"),
    "old: no intervention": (dict(OLD, kinds=()), "possible", "interventions"),
    "old: no site in the US": (dict(OLD, countries=("France",)), "no", "us_nexus"),
    "old: exported, no site in the US": (dict(OLD, countries=("France",), export=True), "no", "us_nexus"),
    "old: no site": (dict(OLD, countries=()), "possible", "countries"),
    "old: a site in the US among others": (dict(OLD, countries=("France", "Guam")), "probable", None),
    "old: start in the month of the rule": (
        dict(OLD, start="2017-01", flag="true"), "possible", "is_fda_regulated_drug, is_fda_regulated_device"),
    "old: started as the rule came": (
        dict(OLD, start="2017-01-18", flag="true"), "possible", "is_fda_regulated_drug, is_fda_regulated_device"),
    "results waived": (dict(waived=True), "no", "not_waived"),
    "results not waived": (dict(waived=False), "yes", None),
    "results waived, phase 1": (dict(waived=True, phases=["PHASE1"]), "no", "covered_phase, not_waived"),
    "new: kinds of intervention are not asked": (dict(start="2016-01-01", kinds=("BEHAVIORAL",)), "yes", None),
} | {
    f"old: {place}": (dict(OLD, countries=(place,)), "probable", None)
    for place in ("Puerto Rico", "Virgin Islands (U.S.)", "U.S. Virgin Islands", "American Samoa", "Northern Mariana Islands")
}  # fmt: skip

STATUS = {
    "withdrawn": (dict(status="WITHDRAWN", enrolment=0, drug=None), "never_started"),
    "nobody enrolled": (dict(enrolment=0), "never_started"),
    "terminated: due as usual": (dict(status="TERMINATED"), "overdue"),
    "suspended with a date that has passed": (dict(status="SUSPENDED"), "overdue"),
    "unknown with a date that has passed": (dict(status="UNKNOWN"), "overdue"),
    "still runs": (dict(status="RECRUITING", pcd=("2024-07-01", "ESTIMATED")), "not_completed"),
    "expected date that has passed": (dict(status="RECRUITING", pcd=("2022-01-01", "ESTIMATED")), "overdue"),
    "no completion, recruiting": (dict(status="RECRUITING", pcd=None, cd=None), "not_completed"),
    "no completion, completed": (dict(pcd=None, cd=None), "inconsistent"),
    "no completion, unknown": (dict(status="UNKNOWN", pcd=None, cd=None), "completion_unknown"),
    # due on the as-of date minus a year, grace of 30 days
    "due today": (dict(pcd="2023-06-30"), "not_due"),
    "due yesterday": (dict(pcd="2023-06-29"), "in_grace"),
    "last day of grace": (dict(pcd="2023-05-31"), "in_grace"),
    "day after grace": (dict(pcd="2023-05-30"), "overdue"),
    "month-only: its last day decides": (dict(pcd="2023-05"), "in_grace"),
    "month-only: grace over by its last day": (dict(pcd="2023-04"), "overdue"),
    "completion stands for primary completion": (dict(pcd=None, cd="2023-06-30"), "not_due"),
    # reported
    "posted before due": (dict(pcd="2023-09-01", results=("2024-01-01", "2024-02-01")), "reported_early"),
    "submitted on the due day": (dict(results=("2022-03-10", "2023-06-01")), "reported_on_time"),
    "submitted a day late": (dict(results=("2022-03-11", "2022-03-12")), "reported_late"),
    "29 February: due on 28 February": (dict(pcd="2020-02-29", results=("2021-02-28", "2021-03-30")), "reported_on_time"),
    "29 February: a day late": (dict(pcd="2020-02-29", results=("2021-03-01", "2021-03-30")), "reported_late"),
    "leap year between: calendar, not 365 days": (
        dict(pcd="2019-03-10", cd=None, start="2018-01-01", results=("2020-03-10", "2020-03-11")), "reported_on_time"),
    "posted, no dates": (dict(has_results=True), "reported_undated"),
    "hasResults stands there and is false": (dict(has_results=False), "overdue"),
    "hasResults does not stand there": (dict(has_results="gone"), "reporting_unknown"),
    # submitted
    "in review, in time": (dict(events=[("RELEASE", "2022-03-10")]), "submitted_on_time"),
    "in review, late": (dict(events=[("RELEASE", "2022-03-11")]), "submitted_late"),
    "in review, not due": (dict(pcd="2023-09-01", events=[("RELEASE", "2024-03-11")]), "submitted_early"),
    "cancelled": (dict(events=[("RELEASE", "2022-03-01"), ("UNRELEASE", "2022-03-05")]), "overdue_submission_cancelled"),
    "cancelled in the grace": (
        dict(pcd="2023-06-10", events=[("RELEASE", "2024-06-01"), ("UNRELEASE", "2024-06-20")]), "in_grace"),
    "cancelled, resubmitted late": (
        dict(events=[("RELEASE", "2022-03-01"), ("UNRELEASE", "2022-03-05"), ("RELEASE", "2022-06-01")]), "submitted_late"),
    "returned, resubmitted late: the first counts": (
        dict(events=[("RELEASE", "2022-03-01"), ("RESET", "2022-04-01"), ("RELEASE", "2023-06-01")]), "submitted_on_time"),
    # certificates: PCD 2021-03-10
    "certificate runs out today": (dict(delay="2022-06-30", pcd="2021-07-01"), "deferred"),
    "certificate ran out yesterday": (dict(delay="2022-06-29", pcd="2021-07-01"), "in_grace"),
    "certificate and grace ran out": (dict(delay="2022-05-30", pcd="2021-07-01"), "overdue"),
    "certificate, not due without it": (dict(delay="2023-07-02", pcd="2023-07-01"), "not_due"),
    "early certificate does not shorten the year": (dict(delay="2021-01-01", pcd="2023-06-30"), "not_due"),
    "late certificate is honoured": (dict(delay="2023-01-01"), "deferred"),
    "certificate three years from completion": (dict(delay="2021-07-10", pcd="2021-07-01"), "overdue"),
    "certificate after the as-of date": (dict(delay="2024-07-01"), "overdue"),
    "certificate known by its posting": (dict(delay_posted="2022-08-01"), "deferred"),
    "reported under a certificate": (dict(delay="2022-01-01", results=("2023-12-31", "2024-01-31")), "reported_on_time"),
    "reported after a certificate": (dict(delay="2022-01-01", results=("2024-01-02", "2024-01-31")), "reported_late"),
    # surveillance of a device that is no trial: 30 days from its completion, the final report
    "surveillance, no trial: due today": (dict(SURVEILLANCE, cd="2024-05-31"), "not_due"),
    "surveillance, no trial: due yesterday": (dict(SURVEILLANCE, cd="2024-05-30"), "in_grace"),
    "surveillance, no trial: after grace": (dict(SURVEILLANCE, cd="2024-04-30"), "overdue"),
    "surveillance, no trial: reported in time": (
        dict(SURVEILLANCE, cd="2022-03-01", results=("2022-03-31", "2022-04-30")), "reported_on_time"),
    "surveillance, no trial: reported a day late": (
        dict(SURVEILLANCE, cd="2022-03-01", results=("2022-04-01", "2022-04-30")), "reported_late"),
    "surveillance, no trial: primary completion is no final report": (
        dict(SURVEILLANCE, status="RECRUITING", cd=None), "not_completed"),
    "surveillance, no trial: ended without a final report": (dict(SURVEILLANCE, cd=None), "inconsistent"),
    "surveillance that is a trial": (dict(ppsd=True, pcd="2023-06-30", cd="2024-04-30"), "not_due"),
    "out of scope with results": (dict(phases=["PHASE1"], results=("2022-01-01", "2022-02-01")), "out_of_scope"),
}  # fmt: skip

CASES = [fields for fields, *_ in [*SCOPE.values(), *STATUS.values()]]


def number_of(case, table=STATUS):
    return list(table).index(case) + (len(SCOPE) if table is STATUS else 0)


def record(number, fields):
    if fields.get("has_results") == "gone":
        made = us(number, **{**fields, "has_results": False})
        del made["hasResults"]
        return made
    return us(number, **fields)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """All cases as trials of one world, with the file of January 2017."""
    data = tmp_path_factory.mktemp("fdaaa") / "data"
    put_studies(data, AS_OF, [record(number, fields) for number, fields in enumerate(CASES)])
    put_file(data, "ctgov_flags", date(2017, 1, 5), "flags.csv", flags(CASES))
    with tables(data) as connection:
        yield connection


@pytest.fixture(scope="module")
def verdicts(world):
    return judged(world)


def judged(connection, policy=FDAAA, as_of=AS_OF, faults=None):
    """The verdicts of the policy over the world's records: with other parameters, at another day, or with a planted
    fault (relation -> how its SQL is altered)."""
    legs = queries.policy_file(policy).read_text(encoding="utf-8")
    chain = {
        "result_submissions": (SQL / "parts" / "result_submissions.sql").read_text(encoding="utf-8"),
        "nct_registrations": (SQL / "parts" / "nct_registrations.sql").read_text(encoding="utf-8"),
        "legs_fdaaa": legs,
        "reporting_legs": queries._reporting_union(policy),
    }
    connection.execute("BEGIN")
    try:
        connection.execute(f"SET VARIABLE as_of = DATE '{as_of}'")
        for name, sql in chain.items():
            altered_sql = (faults or {}).get(name, str)(sql)
            query = Query(name, altered_sql, (), policy=policy if name == policy.table else None)
            connection.execute(f'DROP {"VIEW" if query.is_view else "TABLE"} "{name}"')
            build.run_query(connection, query)
        sql = (SQL / "reporting_status.sql").read_text(encoding="utf-8")
        cursor = connection.execute(
            f"SELECT s.*, l.* EXCLUDE (trial_id) FROM ({sql}) AS s JOIN legs_fdaaa AS l USING (trial_id)"
        )
        names = [d[0] for d in cursor.description]
        return {row[0]: dict(zip(names, row, strict=True)) for row in cursor.fetchall()}
    finally:
        connection.execute("ROLLBACK")
        connection.execute(f"SET VARIABLE as_of = DATE '{AS_OF}'")


@pytest.mark.parametrize("case", SCOPE)
def test_scope(verdicts, case):
    _, applies, decided_by = SCOPE[case]
    found = verdicts[nct(number_of(case, SCOPE))]
    expected = {"no": "out_of_scope", "possible": "scope_unknown"}.get(applies)
    assert found["applies"] == applies
    assert found["status"] == expected or expected is None
    if decided_by:
        assert found["decided_by"] == decided_by


@pytest.mark.parametrize("case", STATUS)
def test_status(verdicts, case):
    assert verdicts[nct(number_of(case))]["status"] == STATUS[case][1]


# --- due dates, lateness, flags --------------------------------------------------------------------------------------

LATE = {
    # (case) -> days late, at least and at most
    "submitted on the due day": (0, 0),
    "submitted a day late": (1, 1),
    "in review, late": (1, 1),
    "cancelled, resubmitted late": (0, 83),
    "returned, resubmitted late: the first counts": (0, 0),
    "reported after a certificate": (1, 663),
}


@pytest.mark.parametrize("case", LATE)
def test_days_late(verdicts, case):
    found = verdicts[nct(number_of(case))]
    assert (found["days_late_min"], found["days_late_max"]) == LATE[case]


@pytest.mark.parametrize(
    ("case", "due"),
    [
        ("due today", (date(2024, 6, 30), date(2024, 6, 30))),
        ("month-only: its last day decides", (date(2024, 5, 1), date(2024, 5, 31))),
        ("29 February: a day late", (date(2021, 2, 28), date(2021, 2, 28))),
        ("certificate runs out today", (date(2022, 7, 1), date(2024, 6, 30))),
        ("early certificate does not shorten the year", (date(2024, 6, 30), date(2024, 6, 30))),
    ],
)
def test_due_dates(verdicts, case, due):
    found = verdicts[nct(number_of(case))]
    assert (found["due_earliest"], found["due_latest"]) == due


@pytest.mark.parametrize(
    ("case", "late", "possible"),
    [
        ("late certificate is honoured", True, True),
        ("certificate runs out today", False, True),
        ("due today", False, False),
        ("certificate after the as-of date", False, False),
    ],
)
def test_flags_of_a_delay(verdicts, case, late, possible):
    found = verdicts[nct(number_of(case))]
    assert (found["late_certificate"]["outcome"], found["extension_possible"]["outcome"]) == (late, possible)


def test_lateness_and_penalty_of_what_is_missing(world):
    views = build.views(contracts(), AS_OF)
    world.execute(f"CREATE TEMP TABLE reporting_lateness AS {views['reporting_lateness'][1]}")
    late = {
        trial: bounds
        for trial, *bounds in rows(
            world, "SELECT trial_id, days_late_min, days_late_max FROM reporting_lateness WHERE policy = 'fdaaa'"
        )
    }
    assert late[nct(number_of("terminated: due as usual"))] == [843, 843]
    assert late[nct(number_of("cancelled"))] == [0, 843]  # first submitted in time
    found = {trial: figures for trial, _, *figures in rows(world, views["penalty_estimates"][1])}
    assert found[nct(number_of("terminated: due as usual"))] == [813, 11569, 813 * 11569]
    assert found[nct(number_of("day after grace"))] == [1, 11569, 11569]
    assert not {
        nct(number_of(c)) for c in ("cancelled", "submitted a day late", "last day of grace", "due today")
    } & set(found)


# --- other worlds ----------------------------------------------------------------------------------------------------


def fdaaa(connection, columns="status, applies, decided_by"):
    return rows(connection, f"SELECT {columns} FROM reporting_status WHERE policy = 'fdaaa' ORDER BY trial_id")


def test_without_the_file_of_january_2017_the_old_route_is_unknown(tmp_path):
    put_studies(tmp_path / "data", AS_OF, [us(1, **OLD), us(2)])
    with tables(tmp_path / "data") as connection:
        assert fdaaa(connection) == [
            ("scope_unknown", "possible", "ctgov_flags.is_fda_regulated"), ("overdue", "yes", None)]  # fmt: skip


def test_the_file_of_january_2017_is_accounted_for(tmp_path):
    data = tmp_path / "data"
    text = f"nct_id,is_fda_regulated,is_section_801\n{nct(1)},false,\n{nct(1)},true,true\nEX-1,true,\n{nct(2)},perhaps,\nx\n"
    put_studies(data, AS_OF, [us(1, **OLD)])
    put_file(data, "ctgov_flags", date(2017, 1, 5), "flags.csv", text)
    put_file(
        data, "ctgov_flags", date(2017, 1, 4), "older.csv", f"nct_id,is_fda_regulated,is_section_801\n{nct(1)},false,\n"
    )
    put_file(data, "ctgov_flags", date(2017, 1, 3), "other.csv", "nct,flag\n")
    with tables(data) as connection:
        account = rows(
            connection,
            """SELECT payload, records_in, current_records, superseded, rejected FROM payloads
            WHERE source = 'ctgov_flags' ORDER BY payload""",
        )
        reasons = rows(
            connection, "SELECT scope, reason FROM rejected_records WHERE source = 'ctgov_flags' ORDER BY ALL"
        )
        assert fdaaa(connection) == [("overdue", "probable", None)]
    assert account == [("flags.csv", 5, 2, 1, 2), ("older.csv", 1, 0, 1, 0), ("other.csv", 0, 0, 0, 0)]
    assert reasons == [
        ("field", "neither true nor false"), ("payload", "the first line is not nct_id,is_fda_regulated,is_section_801."),
        ("record", "it has not as many fields as the first line"), ("record", "not an NCT number")]  # fmt: skip


ICTRP = "\n".join(
    ["<?xml version='1.0' encoding='UTF-8'?><Trials_downloaded_from_ICTRP><Trial>", "<TrialID>{number}</TrialID>",
     "<Source_Register>{register}</Source_Register><Study_type>Interventional</Study_type>",
     "<Phase>Phase 2</Phase><Countries>United States</Countries><Intervention>Drug: x</Intervention>",
     "<Date_enrollement>May 1, 2016</Date_enrollement><results_date_completed>01/05/2019</results_date_completed>",
     "<Recruitment_Status>{status}</Recruitment_Status></Trial></Trials_downloaded_from_ICTRP>"]
)  # fmt: skip


def test_a_record_that_another_source_passes_on_has_no_flags_to_leave_blank(tmp_path):
    """Nor is a trial of another register covered, whatever became of it."""
    data = tmp_path / "data"
    put_file(data, "ctgov_flags", date(2017, 1, 5), "flags.csv", flags([]))
    elsewhere = ICTRP.format(number="ISRCTN99999999", register="ISRCTN", status="Withdrawn")
    put_file(data, "ictrp", AS_OF, "a.xml", elsewhere)
    put_file(
        data, "ictrp", AS_OF, "b.xml", ICTRP.format(number=nct(1), register="ClinicalTrials.gov", status="Completed")
    )
    with tables(data) as connection:
        found = rows(
            connection,
            """SELECT s.trial_id LIKE 'NCT%', status, applies, decided_by, start_stated.outcome, searched.outcome
            FROM reporting_status AS s JOIN legs_fdaaa USING (trial_id) WHERE policy = 'fdaaa' ORDER BY 1""",
        )
    missing = "is_fda_regulated_drug, is_fda_regulated_device"
    assert found == [
        (False, "out_of_scope", "no", "on_register", None, None),
        (True, "scope_unknown", "possible", missing, True, False)]  # fmt: skip


EDITS = {
    # what the newest version says -> its status, what was before
    "to phase 1": (dict(phases=["PHASE1"]), "left_scope", f"phase phase2 until {AS_OF}"),
    "flags to no": (dict(drug=False, device=False), "left_scope", f"regulated by the FDA until {AS_OF}"),
    "to observational": (dict(study_type="OBSERVATIONAL"), "left_scope", f"interventional until {AS_OF}"),
    "to feasibility": (
        dict(purpose="DEVICE_FEASIBILITY", drug=False, device=True), "left_scope", f"purpose treatment until {AS_OF}"),
    "flags to blank": (dict(drug=None), "scope_unknown", None),
    "to phase 1, never reached": (
        dict(phases=["PHASE1"], pcd="2007-01-01", cd=None, start="2005-01-01"), "out_of_scope", None),
    "to phase 3": (dict(phases=["PHASE3"]), "overdue", None),
    "drug to blank, no site in the US": (
        dict(OLD, countries=("France",)), "left_scope", f"regulated by the FDA until {AS_OF}"),
    "device to phase 1": (dict(phases=["PHASE1"], drug=False, device=True), "overdue", None),
    "device to no, phase 1 of a drug": (
        dict(phases=["PHASE1"], drug=True, device=False), "left_scope", f"device regulated by the FDA until {AS_OF}"),
    "drug to no, feasibility of a device": (
        dict(purpose="DEVICE_FEASIBILITY", drug=False, device=True), "left_scope",
        f"drug regulated by the FDA until {AS_OF}"),
}  # fmt: skip

OLD_EDITS = {
    # of a trial on the old route, what the newest version says -> its status, what was before
    "flags to no": (dict(drug=False, device=False), "left_scope", f"FDA flags blank until {AS_OF}"),
    "to phase 1": (dict(phases=["PHASE1"]), "left_scope", f"phase phase2 until {AS_OF}"),
    "to phase 1, flags to no": (
        dict(phases=["PHASE1"], drug=False, device=False), "left_scope", f"phase phase2, FDA flags blank until {AS_OF}"),
    "flags to no, no site in the US": (dict(drug=False, device=False, countries=("France",)), "out_of_scope", None),
    "flags to no, behavioural": (dict(drug=False, device=False, kinds=("BEHAVIORAL",)), "out_of_scope", None),
    "flags to no, not regulated in 2017": (dict(drug=False, device=False, flag="false"), "out_of_scope", None),
    "flags to no, started under the rule": (
        dict(drug=False, device=False, start="2017-02-01"), "left_scope", f"FDA flags blank until {AS_OF}"),
    "drug to yes": (dict(drug=True), "overdue", None),
    "nothing that counts": (dict(phases=["PHASE3"]), "overdue", None),
}  # fmt: skip


WAS = {
    # what the older version of an edit's record said, where that is not the record of all cases
    "device to no, phase 1 of a drug": dict(phases=["PHASE1"], drug=True, device=True),
    "drug to no, feasibility of a device": dict(purpose="DEVICE_FEASIBILITY", drug=True, device=True),
}  # fmt: skip


def test_a_record_that_an_edit_took_out_of_scope_names_the_edit(tmp_path):
    data = tmp_path / "data"
    former = [us(number, updated="2022-12-01", **WAS.get(case, {})) for number, case in enumerate(EDITS)]
    put_studies(data, BEFORE, former)
    edited = [us(number, updated="2024-02-01", **fields) for number, (fields, *_) in enumerate(EDITS.values())]
    put_studies(data, AS_OF, edited)
    with tables(data) as connection:
        found = fdaaa(connection, "status")
        before = rows(connection, "SELECT in_scope_before.value FROM legs_fdaaa ORDER BY trial_id")
    for case, (status,), (value,) in zip(EDITS, found, before, strict=True):
        assert status == EDITS[case][1], case
        assert value == EDITS[case][2] or EDITS[case][2] is None, case


def test_a_record_that_an_edit_took_off_the_old_route_names_the_edit(tmp_path):
    data = tmp_path / "data"
    cases = [dict(OLD, flag="true") | fields for fields, *_ in OLD_EDITS.values()]
    put_studies(data, BEFORE, [us(number, updated="2022-12-01", **OLD) for number, _ in enumerate(cases)])
    put_studies(data, AS_OF, [us(number, updated="2024-02-01", **fields) for number, fields in enumerate(cases)])
    put_file(data, "ctgov_flags", date(2017, 1, 5), "flags.csv", flags(cases))
    with tables(data) as connection:
        found = rows(
            connection,
            """SELECT status, in_scope_before.value FROM reporting_status JOIN legs_fdaaa USING (trial_id)
            WHERE policy = 'fdaaa' ORDER BY trial_id""",
        )
    assert dict(zip(OLD_EDITS, found, strict=True)) == {c: tuple(rest) for c, (_, *rest) in OLD_EDITS.items()}


def test_a_record_that_was_never_in_scope_has_not_left_it(tmp_path):
    data = tmp_path / "data"
    put_studies(data, BEFORE, [us(1, updated="2022-12-01", phases=["PHASE1"])])
    put_studies(data, AS_OF, [us(1, updated="2024-02-01", drug=False, device=False)])
    with tables(data) as connection:
        assert fdaaa(connection, "status, decided_by") == [("out_of_scope", "regulated")]


def test_nothing_is_overdue_on_a_record_not_seen_for_long(tmp_path):
    put_studies(tmp_path / "data", date(2024, 4, 30), [us(1)])
    with tables(tmp_path / "data") as connection:
        assert fdaaa(connection, "status, decided_by") == [("reporting_unknown", "last_seen")]


# --- profiles ---------------------------------------------------------------------------------------------------------

TRACKER_SAYS = {
    # scope, as the tracker settles what we leave open
    ("no phase", "scope"): "out_of_scope",
    ("one flag no, one blank", "scope"): "out_of_scope",
    ("both flags blank", "scope"): "out_of_scope",
    ("no start", "scope"): "out_of_scope",
    ("no completion, started before the rule", "scope"): "out_of_scope",
    ("completed the day before the rule", "scope"): "out_of_scope",
    ("month of the rule, completed then", "scope"): "overdue",
    ("old: start in the month of the rule", "scope"): "out_of_scope",  # its last day is after the rule: flags are asked
    ("no site in the US", "scope"): "overdue",
    ("surveillance of a device", "scope"): "out_of_scope",
    ("old: flag blank", "scope"): "overdue",
    ("old: flag false", "scope"): "out_of_scope",
    ("old: no site", "scope"): "out_of_scope",
    ("phases not applicable", "scope"): "overdue",
    ("results waived", "scope"): "overdue",
    ("device, phase 1", "scope"): "out_of_scope",
    ("device, no phase", "scope"): "out_of_scope",
    ("device and drug, feasibility", "scope"): "out_of_scope",
    # the table of statuses; its words: reported, reported-late, overdue, overdue-cancelled, ongoing
    ("posted before due", "status"): "reported_early",
    ("submitted on the due day", "status"): "reported_on_time",
    ("submitted a day late", "status"): "reported_late",
    ("in review, in time", "status"): "reported_on_time",
    ("in review, late", "status"): "reported_late",
    ("in review, not due", "status"): "submitted_early",
    ("cancelled", "status"): "overdue_submission_cancelled",
    ("cancelled, resubmitted late", "status"): "reported_late",
    ("day after grace", "status"): "overdue",
    ("last day of grace", "status"): "in_grace",
    ("nobody enrolled", "status"): "overdue",
    ("certificate three years from completion", "status"): "deferred",
    ("late certificate is honoured", "status"): "overdue",  # 3 years from completion ran out on 2024-03-10
    ("reported after a certificate", "status"): "reported_on_time",
}


@pytest.fixture(scope="module")
def tracker(world):
    return judged(world, TRACKER)


@pytest.fixture(scope="module")
def lancet(world):
    return judged(world, LANCET)


@pytest.mark.parametrize("row", TRACKER_SAYS, ids=lambda row: row[0])
def test_the_profile_of_the_tracker(tracker, row):
    case, table = row
    found = tracker[nct(number_of(case, SCOPE if table == "scope" else STATUS))]
    assert found["status"] == TRACKER_SAYS[row]
    assert not found["is_ambiguous"]


LANCET_SAYS = {
    "due yesterday": "overdue",
    "due today": "not_due",
    "reported under a certificate": "reported_late",  # first submitted after a year, whatever the certificate
    "reported after a certificate": "reported_late",
    "certificate runs out today": "deferred",  # 3 years from completion pass on 2024-07-01
    "cancelled": "reported_on_time",
    "cancelled, resubmitted late": "reported_on_time",
    "submitted a day late": "reported_late",
}


@pytest.mark.parametrize("case", LANCET_SAYS)
def test_the_profile_of_the_lancet_table(lancet, case):
    assert lancet[nct(number_of(case))]["status"] == LANCET_SAYS[case]


def test_the_grace_of_a_certificate_is_its_own(world):
    """No grace without a certificate, 30 days with one."""
    case = nct(number_of("certificate three years from completion"))
    due = date(2024, 7, 1)
    for days, status in ((0, "deferred"), (1, "in_grace"), (30, "in_grace"), (31, "overdue")):
        as_of = date.fromordinal(due.toordinal() + days)
        policy = replace(LANCET, parameters={**LANCET.parameters, "max_source_age_days": 999})
        assert judged(world, policy, as_of)[case]["status"] == status, days


def test_a_profile_changes_only_what_is_a_parameter(tmp_path):
    assert set(FDAAA.profiles) == {"fdaaa-tracker-2025", "fdaaa-lancet-2019"}
    for changed in FDAAA.profiles.values():
        assert {type(FDAAA.parameters[name]) for name in changed} <= {int, bool, str, list}
        assert all(type(FDAAA.parameters[name]) is type(value) for name, value in changed.items())
    assert FDAAA.under("no such profile") == FDAAA


def test_a_profile_of_an_unknown_parameter_is_refused(tmp_path):
    text = (SCHEMAS / "policies" / "fdaaa.toml").read_text(encoding="utf-8")
    for old, new in (("certificate_months = 36", "months_of_certificate = 36"), ('"grace_days"]', '"grace"]')):
        (tmp_path / "fdaaa.toml").write_text(text.replace(old, new), encoding="utf-8")
        with pytest.raises(ValueError, match=r"fdaaa\.toml"):
            contract_files._policy(tmp_path / "fdaaa.toml")


# --- faults that other systems have had -------------------------------------------------------------------------------


def altered(old, new):
    def alter(sql):
        assert old in sql, old
        return sql.replace(old, new)

    return alter


FAULTS = {
    # fault -> relation, how it is planted, the case that shows it
    "a certificate holds three years from completion": (
        "legs_fdaaa", altered("getvariable('policy').certificate_from = 'completion' THEN clock_latest ELSE certificate",
                              "true THEN clock_latest + 365 ELSE certificate"), ("certificate three years from completion", STATUS)),
    "an early certificate shortens the year": (
        "legs_fdaaa", altered("ELSE greatest(due_undeferred, due_day(", "ELSE least(due_undeferred, due_day("),
        ("early certificate does not shorten the year", STATUS)),
    "hasResults is there, so there are results": (
        "legs_fdaaa", altered("WHEN has_results THEN true\n", "WHEN has_results IS NOT NULL THEN true\n"),
        ("hasResults stands there and is false", STATUS)),
    "absent is false": (
        "legs_fdaaa", altered("WHEN has_results IS NULL OR results_posted <= getvariable('as_of') THEN NULL", ""),
        ("hasResults does not stand there", STATUS)),
    "a site in the US or anything else will do": (
        "legs_fdaaa", altered("WHEN is_old_route THEN leg(\n                CASE WHEN len(countries) > 0",
                              "WHEN is_us_export THEN leg('', true, '', '')\n WHEN is_old_route THEN leg(\n CASE WHEN len(countries) > 0"),
        ("old: exported, no site in the US", SCOPE)),
    "the drug flag is compared with the purpose": (
        "legs_fdaaa", altered("is_surveillance OR is_fda_regulated_drug OR is_fda_regulated_device THEN",
                              "is_surveillance OR primary_purpose = 'interventional' OR is_fda_regulated_device THEN"),
        ("covered", SCOPE)),
    "365 days are a year": (
        "legs_fdaaa", altered("ELSE due_day(clock_latest, getvariable('policy').months) END AS due_undeferred",
                              "ELSE clock_latest + 365 END AS due_undeferred"), ("leap year between: calendar, not 365 days", STATUS)),
    "only actual dates count": (
        "nct_registrations", altered(
            "r.primary_completion_earliest, r.primary_completion_latest,",
            "CASE WHEN primary_completion_type = 'actual' THEN r.primary_completion_earliest END AS primary_completion_earliest, "
            "CASE WHEN primary_completion_type = 'actual' THEN r.primary_completion_latest END AS primary_completion_latest,"),
        ("an expected completion counts", SCOPE)),
    "a submission that was withdrawn within 30 days is reported": (
        "result_submissions", altered("was_submitted AND NOT is_cancelled AS is_live", "was_submitted AS is_live"),
        ("cancelled in the grace", STATUS)),
    "the restart counts from the last return": (
        "result_submissions", altered("WHEN cancellations = 0 THEN submissions[1]", "WHEN cancellations = 0 THEN last_submitted"),
        ("returned, resubmitted late: the first counts", STATUS)),
    "N/A is no phase": (
        "nct_registrations", altered("r.phase,", "nullif(r.phase, 'na') AS phase,"),
        ("phases not applicable", SCOPE)),
    "one No and one blank are blank": (
        "legs_fdaaa", altered("AND is_fda_regulated_drug IS NULL AND is_fda_regulated_device IS NULL AS",
                              "AND (is_fda_regulated_drug IS NULL OR is_fda_regulated_device IS NULL) AS"),
        ("old: one flag no, one blank", SCOPE)),
    "a blank flag of January 2017 is a no": (
        "legs_fdaaa", altered("coalesce(was_fda_regulated, true)", "coalesce(was_fda_regulated, false)"),
        ("old: flag blank", SCOPE)),
    "the end of the study starts the clock": (
        "legs_fdaaa", altered("coalesce(primary_completion_latest, completion_latest) END AS clock_latest",
                              "coalesce(completion_latest, primary_completion_latest) END AS clock_latest"),
        ("completed before the rule, completion after it", SCOPE)),
    "posting decides, not submission": (
        "legs_fdaaa", altered("WHEN least(l.results_submitted, l.results_posted) <= getvariable('as_of')\n"
                              "            THEN least(l.results_submitted, l.results_posted)",
                              "WHEN l.results_posted <= getvariable('as_of') THEN l.results_posted"),
        ("submitted on the due day", STATUS)),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_other_systems_is_seen(world, verdicts, fault):
    relation, alter, (case, table) = FAULTS[fault]
    trial = nct(number_of(case, table))
    faulty = judged(world, faults={relation: alter})[trial]
    decisive = ("status", "applies", "due_latest")
    assert [faulty[name] for name in decisive] != [verdicts[trial][name] for name in decisive]


@pytest.mark.parametrize("place", ["Virgin Islands (U.S.)", "U.S. Virgin Islands"])
def test_a_territory_that_is_spelt_otherwise_is_seen(world, verdicts, place):
    known = [c for c in FDAAA.parameters["us_countries"] if c != place]
    trial = nct(number_of(f"old: {place}", SCOPE))
    assert verdicts[trial]["applies"] == "probable"
    without = replace(FDAAA, parameters={**FDAAA.parameters, "us_countries": known})
    assert judged(world, without)[trial]["applies"] == "no"


# --- properties -------------------------------------------------------------------------------------------------------

ARROWS = {
    "not_completed": {"not_due", "inconsistent"},
    "not_due": {"deferred", "in_grace", "overdue", "overdue_submission_cancelled"},
    "deferred": {"in_grace", "overdue", "overdue_submission_cancelled"},
    "in_grace": {"overdue", "overdue_submission_cancelled"},
    "submitted_early": {"submitted_on_time"},
    "reported_early": {"reported_on_time", "reported_undated"},
}


def reachable(status):
    found = {status}
    for after in ARROWS.get(status, ()):
        found |= reachable(after)
    return found


day = st.dates(date(2016, 6, 1), AS_OF).map(str)
partial = day | day.map(lambda d: d[:7]) | day.map(lambda d: d[:4]) | st.none()
ahead = st.dates(date(2023, 1, 1), date(2026, 1, 1)).map(lambda d: (str(d), "ESTIMATED"))
trial = st.fixed_dictionaries(
    {
        "status": st.sampled_from(["COMPLETED", "RECRUITING", "TERMINATED", "UNKNOWN", "WITHDRAWN"]),
        "start": partial, "pcd": partial | ahead, "cd": partial, "delay": day | st.none(),
        "drug": st.sampled_from([True, True, False, None]), "device": st.sampled_from([None, False]),
        "phases": st.sampled_from([["PHASE2"], ["NA"], ["PHASE1"], None]),
        "countries": st.sampled_from([("United States",), ("France",), ()]),
        "results": st.none() | st.tuples(day, day), "flag": st.sampled_from([None, "true", "false"]),
        "events": st.none() | st.lists(st.tuples(st.sampled_from(["RELEASE", "UNRELEASE", "RESET"]), day), max_size=3),
    }
)  # fmt: skip


@hypothesis_settings(max_examples=3)
@given(trials=st.lists(trial, min_size=40, max_size=60))
def test_one_status_ordered_bounds_and_time_follows_the_arrows(tmp_path_factory, trials):
    data = tmp_path_factory.mktemp("property") / "data"
    put_studies(data, AS_OF, [us(number, **fields) for number, fields in enumerate(trials)])
    put_file(data, "ctgov_flags", date(2017, 1, 5), "flags.csv", flags(trials))
    patient = replace(FDAAA, parameters={**FDAAA.parameters, "max_source_age_days": 9999})
    with tables(data) as connection:
        days = [date.fromordinal(AS_OF.toordinal() + n) for n in (0, 1, 30, 31, 366, 1500)]
        found = [judged(connection, patient, as_of) for as_of in days]
        universe = {t for (t,) in rows(connection, "SELECT trial_id FROM trials")}
    for verdicts in found:
        assert set(verdicts) == universe
        for v in verdicts.values():
            assert (v["status"] == "out_of_scope") <= (v["applies"] == "no")
            assert (v["status"] == "scope_unknown") <= (v["applies"] == "possible")
            for low, high in (
                ("clock_earliest", "clock_latest"),
                ("due_earliest", "due_latest"),
                ("days_late_min", "days_late_max"),
            ):
                assert v[low] is None or v[high] is None or v[low] <= v[high]
    for before, after in itertools.pairwise(found):
        for number in universe:
            assert after[number]["status"] in reachable(before[number]["status"])
