"""Each rule, row by row and at each boundary day: made-up records in, verdicts of the real queries out."""

from datetime import date

import pytest

from pipelines.contracts import contracts
from tests.unit.test_ictrp import as_xml
from tests.unit.test_isrctn import found as isrctn_found
from tests.unit.test_isrctn import full as isrctn_full
from tests.unit.test_redistributable import ictrp
from tests.worlds import AS_OF, nct, put_file, put_studies, rows, study, tables

# AS_OF is 2024-06-30. A completion on 2023-06-30 is due on it; one on 2023-06-29 was due the day before.
REPORTING = {
    # outside
    "withdrawn": (dict(status="WITHDRAWN", enrolment=0), "never_started"),
    "nobody enrolled": (dict(enrolment=0), "never_started"),
    "nobody planned is not nobody enrolled": (dict(enrolment=(0, "ESTIMATED")), "overdue"),
    "observational": (dict(study_type="OBSERVATIONAL", phases=None), "out_of_scope"),
    "expanded access": (dict(study_type="EXPANDED_ACCESS", status="AVAILABLE", pcd=None, cd=None), "out_of_scope"),
    "withdrawn comes before out of scope": (dict(status="WITHDRAWN", study_type="OBSERVATIONAL"), "never_started"),
    "no study type": (dict(study_type=None), "scope_unknown"),
    # the clock
    "still runs, date ahead": (dict(status="RECRUITING", pcd=("2025-01-01", "ESTIMATED")), "not_completed"),
    "said to be complete, date ahead": (dict(pcd="2024-07-01"), "not_completed"),
    "month-only date that may lie ahead": (dict(pcd="2024-06", status="RECRUITING"), "not_due"),
    "no date, recruiting": (dict(status="RECRUITING", pcd=None, cd=None), "not_completed"),
    "no date, suspended": (dict(status="SUSPENDED", pcd=None, cd=None), "not_completed"),
    "no date, completed": (dict(pcd=None, cd=None), "inconsistent"),
    "no date, terminated": (dict(status="TERMINATED", pcd=None, cd=None), "inconsistent"),
    "no date, unknown": (dict(status="UNKNOWN", pcd=None, cd=None), "completion_unknown"),
    "no date, no status": (dict(status=None, pcd=None, cd=None), "completion_unknown"),
    "impossible date": (dict(pcd="2641-03", cd=None), "inconsistent"),
    "impossible primary, possible completion": (dict(pcd="2641-03", cd="2023-06-29"), "overdue"),
    "completion stands for primary completion": (dict(pcd=None, cd="2023-06-29"), "overdue"),
    "dates decide, not the status": (dict(status="RECRUITING", pcd="2022-01-01"), "overdue"),
    # due
    "due today": (dict(pcd="2023-06-30"), "not_due"),
    "due yesterday": (dict(pcd="2023-06-29"), "overdue"),
    "29 February: due today a year later": (dict(pcd="2024-02-29"), "not_due"),
    "completes today": (dict(pcd="2024-06-30"), "not_due"),
    "year-only: over": (dict(pcd="2022"), "overdue"),
    "month-only: due on its last day, today": (dict(pcd="2023-06"), "not_due"),
    "month-only: due last month": (dict(pcd="2023-05"), "overdue"),
    "year-only: due at its end": (dict(pcd="2023"), "not_due"),
    # reported
    "reported before due": (dict(pcd="2024-01-10", results=("2024-03-01", "2024-04-01")), "reported_early"),
    "reported, due today": (dict(pcd="2023-06-30", results=("2024-03-01", "2024-04-01")), "reported_early"),
    "submitted on the due day, posted later": (dict(results=("2022-03-10", "2022-06-01")), "reported_on_time"),
    "submitted a day late": (dict(results=("2022-03-11", "2022-06-01")), "reported_late"),
    "29 February: due on 28 February": (dict(pcd="2020-02-29", results=("2021-02-28", "2021-03-30")), "reported_on_time"),
    "29 February: a day late": (dict(pcd="2020-02-29", results=("2021-03-01", "2021-03-30")), "reported_late"),
    "month-only, in the month a year later": (dict(pcd="2021-03", results=("2022-03-31", "2022-05-01")), "reported_on_time"),
    "month-only, late": (dict(pcd="2021-03", results=("2022-04-01", "2022-05-01")), "reported_late"),
    "month-only February before a leap year": (dict(pcd="2019-02", results=("2020-02-28", "2020-03-01")), "reported_on_time"),
    "month-only February before a leap year, 29 February is late": (
        dict(pcd="2019-02", results=("2020-02-29", "2020-03-01")), "reported_late"),
    "month-only leap February, due on 28 February": (dict(pcd="2020-02", results=("2021-02-28", "2021-03-01")), "reported_on_time"),
    "month-only leap February, late": (dict(pcd="2020-02", results=("2021-03-01", "2021-03-01")), "reported_late"),
    "no submission date: posted a day late": (dict(results=(None, "2022-03-11")), "reported_late"),
    "reported, due yesterday": (dict(pcd="2023-06-29", results=("2024-03-01", "2024-04-01")), "reported_on_time"),
    "terminated: due as usual": (dict(status="TERMINATED"), "overdue"),
    "suspended, dates passed: due as usual": (dict(status="SUSPENDED"), "overdue"),
    "any phase: phase 1 is due": (dict(phases=["PHASE1"]), "overdue"),
    "any phase: none stated": (dict(phases=None), "overdue"),
    "no submission date: posting decides": (dict(results=(None, "2022-03-10")), "reported_on_time"),
    "no date at all": (dict(has_results=True), "reported_undated"),
    "results without a clock": (dict(pcd=None, cd=None, results=("2022-03-10", "2022-06-01")), "reported_early"),
    "results of a trial said to run": (dict(status="RECRUITING", results=("2022-03-10", "2022-06-01")), "reported_on_time"),
    # submitted
    "submitted in time": (dict(events=[("RELEASE", "2022-03-10")]), "submitted_on_time"),
    "submitted late": (dict(events=[("RELEASE", "2022-03-11")]), "submitted_late"),
    "submitted before due": (dict(pcd="2023-12-01", events=[("RELEASE", "2024-05-01")]), "submitted_early"),
    "returned and resubmitted late: the first counts": (
        dict(events=[("RELEASE", "2022-03-01"), ("RESET", "2022-04-01"), ("RELEASE", "2022-06-01")]), "submitted_on_time"),
    "returned, not resubmitted": (dict(events=[("RELEASE", "2022-03-01"), ("RESET", "2022-04-01")]), "submitted_on_time"),
    "cancelled": (dict(events=[("RELEASE", "2022-03-01"), ("UNRELEASE", "2022-03-05")]), "overdue_submission_cancelled"),
    "cancelled on an unknown day": (dict(events=[("RELEASE", "2022-03-01"), ("UNRELEASE", None)]),
        "overdue_submission_cancelled"),
    "cancelled, resubmitted late: the second counts": (
        dict(events=[("RELEASE", "2022-03-01"), ("UNRELEASE", "2022-03-05"), ("RELEASE", "2022-06-01")]), "submitted_late"),
    "cancelled, resubmitted in time": (
        dict(events=[("RELEASE", "2022-01-01"), ("UNRELEASE", "2022-01-05"), ("RELEASE", "2022-02-01")]),
        "submitted_on_time"),
    "cancelled on an unknown day, resubmitted late": (
        dict(events=[("RELEASE", "2022-01-01"), ("UNRELEASE", None), ("RELEASE", "2022-06-01")]), "submitted_late"),
    "cancelled on an unknown day, resubmitted in time, returned, resubmitted": (
        dict(events=[("RELEASE", "2022-01-01"), ("UNRELEASE", None), ("RELEASE", "2022-02-01"), ("RESET", "2022-03-20"),
                     ("RELEASE", "2022-06-01")]), "submitted_on_time"),
    "cancelled on an unknown day, resubmitted, cancelled": (
        dict(events=[("RELEASE", "2022-01-01"), ("UNRELEASE", None), ("RELEASE", "2022-02-01"), ("UNRELEASE", "2022-03-05")]),
        "overdue_submission_cancelled"),
    "cancelled on an unknown day, resubmitted, cancelled, resubmitted late": (
        dict(events=[("RELEASE", "2022-01-01"), ("UNRELEASE", None), ("RELEASE", "2022-02-01"), ("UNRELEASE", "2022-03-05"),
                     ("RELEASE", "2023-06-01")]), "submitted_late"),
    "cancelled, resubmitted, cancelled on an unknown day, resubmitted late": (
        dict(events=[("RELEASE", "2022-01-01"), ("UNRELEASE", "2022-01-05"), ("RELEASE", "2022-02-01"), ("UNRELEASE", None),
                     ("RELEASE", "2023-06-01")]), "submitted_late"),
    "cancelled before due": (dict(pcd="2023-12-01", events=[("RELEASE", "2024-02-01"), ("UNRELEASE", "2024-03-01")]),
        "not_due"),
    "a submission after the as-of date does not exist": (dict(events=[("RELEASE", "2024-07-01")]), "overdue"),
}  # fmt: skip

REGISTRATION = {
    # (record) -> strict-day, month, us-21-days
    "on the day": (dict(registered="2020-03-10", start="2020-03-10"), ("prospective",) * 3),
    "a day late": (dict(registered="2020-03-11", start="2020-03-10"), ("retrospective", "prospective", "prospective")),
    "21 days late": (dict(registered="2020-03-31", start="2020-03-10"), ("retrospective", "prospective", "prospective")),
    "22 days late, next month": (
        dict(registered="2020-04-01", start="2020-03-10"), ("retrospective", "retrospective", "retrospective")),
    "month-only, registered on its first day": (dict(registered="2020-03-01", start="2020-03"), ("prospective",) * 3),
    "month-only, registered within it": (
        dict(registered="2020-03-10", start="2020-03"), ("unknown", "prospective", "prospective")),
    "month-only, within 21 days of its last day only": (
        dict(registered="2020-04-05", start="2020-03"), ("retrospective", "retrospective", "unknown")),
    "month-only, 21 days after its last day": (
        dict(registered="2020-04-21", start="2020-03"), ("retrospective", "retrospective", "unknown")),
    "month-only, 22 days after its last day": (
        dict(registered="2020-04-22", start="2020-03"), ("retrospective", "retrospective", "retrospective")),
    "year-only, years before": (dict(registered="2018-01-01", start="2020"), ("prospective", "unknown", "prospective")),
    "no start": (dict(start=None), ("unknown",) * 3),
    "withdrawn: nobody ever took part": (
        dict(registered="2020-04-22", start="2020-03-10", status="WITHDRAWN", enrolment=0), ("not_started",) * 3),
    "withdrawn, without a start": (dict(start=None, status="WITHDRAWN", enrolment=0), ("not_started",) * 3),
    "no registration date": (dict(registered=None), ("unknown",) * 3),
    "starts tomorrow": (
        dict(start=("2024-07-01", "ESTIMATED"), pcd="2025-01-01", cd=None, status="NOT_YET_RECRUITING"),
        ("not_started",) * 3),
    "starts today": (
        dict(start=("2024-06-30", "ESTIMATED"), pcd="2025-01-01", cd=None, status="NOT_YET_RECRUITING"),
        ("prospective",) * 3),
    "before the US duty, registered on the day it began": (
        dict(registered="2008-09-27", start="2007-01-01"), ("retrospective", "retrospective", "prospective")),
    "before the US duty, registered the day after": (
        dict(registered="2008-09-28", start="2007-01-01"), ("retrospective",) * 3),
    "start just before the US duty: its own 21 days are later": (
        dict(registered="2008-10-17", start="2008-09-26"), ("retrospective", "retrospective", "prospective")),
    "start just before the US duty, 22 days late": (
        dict(registered="2008-10-18", start="2008-09-26"), ("retrospective", "retrospective", "retrospective")),
    "21 days after the start are the day of the US duty": (
        dict(registered="2008-09-27", start="2008-09-06"), ("retrospective", "prospective", "prospective")),
    "21 days after the start are the day of the US duty, a day late": (
        dict(registered="2008-09-28", start="2008-09-06"), ("retrospective", "prospective", "retrospective")),
    "29 February, on the day": (dict(registered="2020-02-29", start="2020-02-29"), ("prospective",) * 3),
    "29 February, 21 days late": (
        dict(registered="2020-03-21", start="2020-02-29"), ("retrospective", "retrospective", "prospective")),
    "29 February, 22 days late": (dict(registered="2020-03-22", start="2020-02-29"), ("retrospective",) * 3),
    "month-only, registered on its last day": (
        dict(registered="2020-03-31", start="2020-03"), ("unknown", "prospective", "unknown")),
    "month-only, 21 days after its first day": (
        dict(registered="2020-03-22", start="2020-03"), ("unknown", "prospective", "prospective")),
    "month-only, registered on the first day after it": (
        dict(registered="2020-04-01", start="2020-03"), ("retrospective", "retrospective", "unknown")),
    "year-only, registered in it": (dict(registered="2020-06-01", start="2020"), ("unknown", "unknown", "unknown")),
    "year-only, registered the year after": (
        dict(registered="2021-01-22", start="2020"), ("retrospective", "unknown", "retrospective")),
    "last day of the month, registered the next day": (
        dict(registered="2020-04-01", start="2020-03-31"), ("retrospective", "retrospective", "prospective")),
    "start on the first day of the US duty": (
        dict(registered="2008-10-18", start="2008-09-27"), ("retrospective", "retrospective", "prospective")),
}  # fmt: skip


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory):
    """All cases as trials of one world."""
    data = tmp_path_factory.mktemp("policies") / "data"
    cases = [fields for fields, _ in [*REPORTING.values(), *REGISTRATION.values()]]
    put_studies(data, AS_OF, [study(number, **fields) for number, fields in enumerate(cases)])
    with tables(data) as connection:
        reporting = rows(connection, "SELECT trial_id, policy, status FROM reporting_status")
        registration = rows(connection, "SELECT trial_id, rule, status FROM registration_status")
        late = rows(
            connection,
            """SELECT trial_id, days_late_min, days_late_max FROM reporting_status
            WHERE policy = 'alltrials-summary'""",
        )
        yield {
            "reporting": {(trial, policy): status for trial, policy, status in reporting},
            "registration": {(trial, rule): status for trial, rule, status in registration},
            "late": {trial: (low, high) for trial, low, high in late},
            "proxy": dict(rows(connection, "SELECT trial_id, completed.is_proxy FROM legs_alltrials_summary")),
        }


@pytest.mark.parametrize("policy", ["alltrials-summary", "who-summary"])
@pytest.mark.parametrize("case", REPORTING)
def test_summary_on_the_register(verdicts, case, policy):
    number = list(REPORTING).index(case)
    assert verdicts["reporting"][nct(number), policy] == REPORTING[case][1]


@pytest.mark.parametrize("place", range(3), ids=["strict-day", "month", "us-21-days"])
@pytest.mark.parametrize("case", REGISTRATION)
def test_registered_in_time(verdicts, case, place):
    number = len(REPORTING) + list(REGISTRATION).index(case)
    rule = ("strict-day", "month", "us-21-days")[place]
    assert verdicts["registration"][nct(number), rule] == REGISTRATION[case][1][place]


def test_days_late_have_both_bounds(verdicts):
    exact = nct(list(REPORTING).index("submitted a day late"))
    vague = nct(list(REPORTING).index("month-only, late"))
    assert verdicts["late"][exact] == (1, 1)
    assert verdicts["late"][vague] == (1, 31)


def test_a_completion_that_stands_for_the_primary_one_is_flagged(verdicts):
    assert verdicts["proxy"][nct(list(REPORTING).index("completion stands for primary completion"))] is True
    assert verdicts["proxy"][nct(list(REPORTING).index("due yesterday"))] is False


def test_without_pubmed_a_due_publication_is_not_called_overdue(verdicts):
    publication = {s for (_, policy), s in verdicts["reporting"].items() if policy == "who-publication"}
    assert "reporting_unknown" in publication
    assert not publication & {"overdue", "reported_on_time", "reported_late"}


def test_a_record_that_left_scope_says_which_edit_took_it_out(tmp_path):
    data = tmp_path / "data"
    put_studies(data, date(2022, 1, 1), [study(1, updated="2021-12-01")])
    put_studies(data, AS_OF, [study(1, updated="2023-02-01", study_type="OBSERVATIONAL")])
    with tables(data) as connection:
        found = rows(
            connection,
            """SELECT s.status, s.decided_by, l.in_scope_before.value FROM reporting_status AS s
            JOIN legs_alltrials_summary AS l USING (trial_id) WHERE policy = 'alltrials-summary'""",
        )
    assert found == [("left_scope", "interventional", f"interventional until {AS_OF}")]


@pytest.mark.parametrize(
    ("seen", "status"),
    [(date(2024, 5, 1), "overdue"), (date(2024, 4, 30), "reporting_unknown"), (date(2022, 3, 9), "reporting_unknown")],
    ids=["60 days ago", "61 days ago", "years ago"],
)
def test_nothing_is_overdue_on_a_record_not_seen_for_long(tmp_path, seen, status):
    put_studies(tmp_path / "data", seen, [study(1)])
    with tables(tmp_path / "data") as connection:
        assert rows(connection, "SELECT DISTINCT status FROM reporting_status WHERE policy LIKE '%summary'") == [
            (status,)
        ]


def test_undated_results_that_an_early_snapshot_shows_were_reported_in_time(tmp_path):
    data = tmp_path / "data"
    put_studies(data, date(2022, 3, 10), [study(1, has_results=True)])
    put_studies(data, AS_OF, [study(1, has_results=True, updated="2024-01-01")])
    with tables(data) as connection:
        found = rows(connection, "SELECT status FROM reporting_status WHERE policy = 'alltrials-summary'")
    assert found == [("reported_on_time",)]


# Due on 2022-03-10. One registration gives a day for its results; another one of the trial gives none, and was first seen with
# them on a day. Without another one it is the same registration that gave none at first.
SEEN_WITH_RESULTS = [
    # (submitted and posted, first seen, whether by another one, status, days late, first posting)
    (("2022-04-01", "2022-05-01"), date(2022, 3, 10), True, "reported_on_time", None, None),
    (("2022-04-01", "2022-05-01"), date(2022, 3, 11), True, "reported_undated", None, None),
    (("2022-04-01", "2022-05-01"), date(2022, 4, 1), True, "reported_late", 22, None),
    (("2022-04-01", "2022-05-01"), date(2022, 5, 1), True, "reported_late", 22, date(2022, 5, 1)),
    (("2022-03-10", "2022-05-01"), date(2022, 6, 1), True, "reported_on_time", 0, date(2022, 5, 1)),
    (("2022-04-01", "2022-05-01"), date(2022, 3, 10), False, "reported_on_time", 0, date(2022, 5, 1)),
]


def test_a_day_is_not_the_first_where_results_were_seen_before(tmp_path):
    data, joined = tmp_path / "data", []
    for n, (dated, seen, by_another, *_) in enumerate(SEEN_WITH_RESULTS):
        undated = study(100 + n if by_another else n, has_results=True)
        put_studies(data, seen, [undated], f"{n}.json")
        put_studies(data, AS_OF, [study(n, results=dated), *([undated] if by_another else [])], f"{n}.json")
        if by_another:
            joined.append(f"join{n},2024-05-20,join,{nct(n)},{nct(100 + n)},,,told,https://example.org,Ada")
    with tables(data, adjudicated=joined) as connection:
        found = rows(
            connection,
            """SELECT registration_id, s.status, days_late_min, days_late_max, r2_date
            FROM registrations JOIN reporting_status AS s USING (trial_id) JOIN disclosure USING (trial_id)
            WHERE policy = 'alltrials-summary' AND results_posted IS NOT NULL ORDER BY 1""",
        )
    assert found == [
        (nct(n), status, late, late, posted) for n, (*_, status, late, posted) in enumerate(SEEN_WITH_RESULTS)
    ]


def test_a_date_that_the_newest_version_dropped_is_not_used(tmp_path):
    data = tmp_path / "data"
    put_studies(data, date(2022, 1, 1), [study(1, updated="2021-12-01")])
    put_studies(data, AS_OF, [study(1, updated="2024-01-01", pcd=None, cd=None)])
    with tables(data) as connection:
        found = rows(connection, "SELECT status FROM reporting_status WHERE policy = 'alltrials-summary'")
    assert found == [("inconsistent",)]


def test_a_start_that_was_moved_shows_both_verdicts(tmp_path):
    data = tmp_path / "data"
    put_studies(data, date(2022, 1, 1), [study(1, updated="2021-12-01", registered="2020-02-01")])
    put_studies(data, AS_OF, [study(1, updated="2024-01-01", registered="2020-02-01", start="2020-03-01")])
    with tables(data) as connection:
        found = rows(
            connection,
            """SELECT status, start_moved, start_first_version, status_first_version FROM registration_status
            WHERE rule = 'strict-day'""",
        )
    assert found == [("prospective", True, "2020-01-15", "retrospective")]


PASSED = dict(pcd=("2022-01-01", "ESTIMATED"), cd=("2022-06-01", "ESTIMATED"))
MARKS = {
    # (record) -> is the clock's date an expected one, do dates and status contradict each other
    "completed": ({}, False, False),
    "recruiting, both dates passed": (dict(status="RECRUITING", **PASSED), True, True),
    "unknown, both dates passed": (dict(status="UNKNOWN", **PASSED), True, True),
    "suspended, no primary completion": (dict(status="SUSPENDED", pcd=None, cd="2022-06-01"), False, True),
    "recruiting, actual dates": (dict(status="RECRUITING"), False, True),
    "active, ends on the as-of date": (dict(status="ACTIVE_NOT_RECRUITING", cd=("2024-06-30", "ESTIMATED")), False, True),
    "active, ends the day after": (dict(status="ACTIVE_NOT_RECRUITING", cd=("2024-07-01", "ESTIMATED")), False, False),
    "active, month not over": (dict(status="ACTIVE_NOT_RECRUITING", pcd="2024-07", cd="2024-07"), False, False),
    "recruiting, no completion": (dict(status="RECRUITING", cd=None), False, False),
    "completed, dates expected": (PASSED, True, False),
    "no status": (dict(status=None), False, False),
}  # fmt: skip


def test_what_dates_and_status_say_of_each_other_is_marked(tmp_path):
    data = tmp_path / "data"
    put_studies(data, AS_OF, [study(number, **fields) for number, (fields, *_) in enumerate(MARKS.values())])
    with tables(data) as connection:
        found = rows(
            connection,
            """SELECT clock_is_estimated, date_status_conflict FROM reporting_status WHERE policy = 'alltrials-summary'
            ORDER BY trial_id""",
        )
        assert rows(connection, f"SELECT DISTINCT status FROM reporting_status WHERE trial_id = '{nct(1)}' AND policy LIKE '%summary'") == [
            ("overdue",)]  # fmt: skip
        missing = (
            "SELECT clock_is_estimated, date_status_conflict FROM missing_results WHERE policy = 'alltrials-summary'"
        )
        assert rows(connection, f"{missing} AND trial_id = '{nct(1)}'") == [(True, True)]
    assert dict(zip(MARKS, found, strict=True)) == {case: tuple(marks) for case, (_, *marks) in MARKS.items()}


STARTS = {
    # start of the first and of the newest version -> whether it was moved
    "the same": ("2020-03-10", "2020-03-10", False),
    "another day": ("2020-03-10", "2020-03-11", True),
    "a month made exact": ("2020-03", "2020-03-10", False),
    "a day told by its month only": ("2020-03-10", "2020-03", False),
    "a month, then a day of another": ("2020-03", "2020-04-10", True),
    "a year, then a month of it": ("2020", "2020-12", False),
    "not stated at first": (None, "2020-03-10", False),
    "not stated any more": ("2020-03-10", None, False),
}


def test_a_start_was_moved_where_two_versions_mean_other_days(tmp_path):
    data = tmp_path / "data"
    put_studies(
        data, date(2022, 1, 1), [study(n, updated="2021-12-01", start=s) for n, (s, _, _) in enumerate(STARTS.values())]
    )
    put_studies(data, AS_OF, [study(n, updated="2024-01-01", start=s) for n, (_, s, _) in enumerate(STARTS.values())])
    with tables(data) as connection:
        found = rows(
            connection,
            "SELECT start_moved, start_first_version FROM registration_status WHERE rule = 'strict-day' ORDER BY trial_id",
        )
    assert dict(zip(STARTS, found, strict=True)) == {name: (moved, first) for name, (first, _, moved) in STARTS.items()}


def test_what_another_source_passes_on_of_a_record_is_no_older_version_of_it(tmp_path):
    data, number = tmp_path / "data", "ISRCTN00012345"
    portal = ictrp(number, "ISRCTN", **{"Date enrollement": "10/01/2019"})
    put_file(data, "ictrp", date(2024, 1, 1), "trials.xml", as_xml(portal).decode())
    put_file(data, "isrctn", date(2024, 6, 1), "trials.xml", isrctn_found(isrctn_full()))
    with tables(data) as connection:
        found = rows(connection, "SELECT DISTINCT start_moved, start_first_version FROM registration_status")
    assert found == [(False, "2019-03-01T00:00:00.000Z")]


def test_missing_results_names_only_trials_without_results_anywhere(tmp_path):
    data = tmp_path / "data"
    put_studies(data, AS_OF, [study(1), study(2, results=("2022-03-10", "2022-06-01")), study(3, pcd="2024-01-01")])
    with tables(data) as connection:
        found = rows(connection, "SELECT DISTINCT trial_id, any_results FROM missing_results")
    assert found == [(nct(1), None)]


# --- no verdict from what is not the trial's present record ----------------------------------------------------------


def verdict(connection, policy="alltrials-summary"):
    return dict(rows(connection, f"SELECT trial_id, status FROM reporting_status WHERE policy = '{policy}'"))


def test_a_replaced_record_does_not_fill_the_gaps_of_the_one_that_replaced_it(tmp_path):
    data = tmp_path / "data"
    old = study(1, pcd="2015-01-01", cd="2015-01-01", registered="2014-01-01", status="WITHDRAWN")
    new = study(2, pcd=None, cd=None, status="RECRUITING", aliases=[nct(1)], start=None, registered="2014-02-01")
    put_studies(data, AS_OF, [old, new])
    with tables(data) as connection:
        assert verdict(connection) == {nct(1): "not_completed"}
        assert rows(connection, "SELECT status, start_raw, registered FROM trials") == [
            ("recruiting", None, date(2014, 1, 1))]  # fmt: skip


def test_two_records_that_call_each_other_obsolete_still_are_one_judged_trial(tmp_path):
    data = tmp_path / "data"
    put_studies(data, AS_OF, [study(1, aliases=[nct(2)]), study(2, aliases=[nct(1)])])
    with tables(data) as connection:
        assert verdict(connection) == {nct(1): "overdue"}
        rules = len(contracts().of_kind("registration"))
        assert rows(connection, "SELECT count(*) FROM registration_status") == [(rules,)]


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        (dict(results=("2022-03-01", "2024-07-15")), "reported_on_time"),
        (dict(results=("2024-08-01", "2022-03-01")), "reported_on_time"),
        (dict(results=("2022-01-01", "2022-02-01"), has_results=False), "reporting_unknown"),
    ],
    ids=["posting dated after the as-of date", "submission dated after the posting", "posted, but no results shown"],
)
def test_contradictory_results_are_not_called_missing(tmp_path, fields, status):
    put_studies(tmp_path / "data", AS_OF, [study(1, **fields)])
    with tables(tmp_path / "data") as connection:
        assert verdict(connection) == {nct(1): status}
        after = rows(connection, f"SELECT count(*) FROM reporting_status WHERE public_date > DATE '{AS_OF}'")
        assert after == [(0,)]


def test_an_impossible_update_date_does_not_make_the_newest_record_lose(tmp_path):
    data = tmp_path / "data"
    put_studies(data, date(2024, 1, 1), [study(1, updated="2023-01-01")])
    put_studies(data, AS_OF, [study(1, updated="2641-01-01", pcd="2024-05-01")])
    with tables(data) as connection:
        assert verdict(connection) == {nct(1): "not_due"}


def test_a_record_that_the_newest_full_snapshot_lacks_is_not_called_overdue(tmp_path):
    data = tmp_path / "data"
    put_studies(data, date(2024, 6, 20), [study(1), study(2)])
    put_studies(data, date(2024, 6, 25), [study(2)], scope="full")
    with tables(data) as connection:
        assert verdict(connection) == {nct(1): "reporting_unknown", nct(2): "overdue"}


def test_a_trial_of_which_one_of_two_records_vanished_is_not_called_overdue(tmp_path):
    """The results could stand in the record that cannot be read any more, unless another record took its place."""
    data, joined = tmp_path / "data", "join,2024-05-20,join,{},{},,,told,https://example.org,Ada"
    there = [study(1), study(2), study(3), study(4, aliases=[nct(3)])]
    put_studies(data, date(2024, 6, 20), there)
    put_studies(data, date(2024, 6, 25), [study(2), study(4, aliases=[nct(3)])], scope="full")
    with tables(data, adjudicated=[joined.format(nct(1), nct(2))]) as connection:
        assert verdict(connection) == {nct(1): "reporting_unknown", nct(3): "overdue"}


def test_an_obsolete_number_that_only_a_portal_passes_on_leaves_nothing_open(tmp_path):
    data = tmp_path / "data"
    put_studies(data, AS_OF, [study(2, aliases=[nct(1)])])
    put_file(data, "ictrp", AS_OF, "trials.xml", as_xml(ictrp(nct(1), "ClinicalTrials.gov")).decode())
    with tables(data) as connection:
        assert rows(connection, "SELECT has_results FROM registrations ORDER BY registration_id") == [(None,), (False,)]
        assert verdict(connection) == {nct(1): "overdue"}


def test_a_full_snapshot_that_lost_a_record_says_nothing_of_what_it_lacks(tmp_path):
    data = tmp_path / "data"
    put_studies(data, date(2024, 6, 20), [study(1), study(2)])
    put_studies(data, date(2024, 6, 25), [study(2), {"protocolSection": {}}], scope="full")
    with tables(data) as connection:
        assert rows(connection, "SELECT registration_id FROM registrations WHERE vanished_on IS NOT NULL") == []
        assert rows(connection, "SELECT is_whole FROM sources WHERE source = 'ctgov'") == [(False,)]


def test_a_submission_without_a_date_has_both_readings(tmp_path):
    put_studies(tmp_path / "data", AS_OF, [study(1, events=[("RELEASE", None)])])
    with tables(tmp_path / "data") as connection:
        found = rows(
            connection,
            """SELECT status, status_earliest, is_ambiguous, submitted_date, days_late_max FROM reporting_status
            WHERE policy = 'alltrials-summary'""",
        )
    assert found == [("submitted_on_time", "submitted_late", True, None, None)]


def test_a_registration_known_by_its_year_only_is_not_called_prospective(tmp_path):
    put_studies(tmp_path / "data", AS_OF, [study(1, registered="2020", start="2020-06-15")])
    with tables(tmp_path / "data") as connection:
        assert {s for (s,) in rows(connection, "SELECT status FROM registration_status")} == {"unknown"}


def test_a_start_after_the_completion_is_flagged(tmp_path):
    put_studies(tmp_path / "data", AS_OF, [study(1, start="2023-01-01"), study(2)])
    with tables(tmp_path / "data") as connection:
        assert rows(connection, "SELECT trial_id, dates_conflict FROM trials ORDER BY 1") == [
            (nct(1), True), (nct(2), False)]  # fmt: skip
