"""The two EU rules, row by row and at each boundary day: made-up country records and CTIS records through the readers."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from pipelines import queries, snapshots
from pipelines.contracts import contracts
from tests.worlds import AS_OF, put_file, put_studies, rows, study, tables

EXTRACT = ("eudract_number_with_country", "end_of_trial_status", "date_of_the_global_end_of_the_trial", "trial_results")
PAGE = (
    "trial_id", "global_end_of_trial_date", "first_version_date", "this_version_date", "trial_countries",
    "results_type", "recruitment_countries", "trial_start_date",
)  # fmt: skip
YES = "View results"
REMOVED = "Removed from public view"
LONG_AGO = "2022-01-10"


def euctr(number: int) -> str:
    return f"2090-09{number:04d}-11"


def ctis(number: int) -> str:
    return f"2090-59{number:04d}-11"


def table(columns: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([columns, *lines])
    return out.getvalue()


def extract(number: int, records: Sequence[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Rows of the field extract: (country, status, end, results link), what is missing at the end being empty."""
    return [(f"{euctr(number)}-{part}", *(*rest, "", "", "")[:3]) for part, *rest in records]


def page(
    number: int, end: str, posted: str, kind: str = "Tabular", start: str = "", enrolled: str = ""
) -> tuple[str, ...]:
    return (euctr(number), end, posted, posted, "", kind, enrolled, start)


PHASES = ("Human pharmacology (Phase I)", "Therapeutic exploratory (Phase II)", "Therapeutic confirmatory (Phase III)")


def text(
    number: int, part: str, status: str, end: str, phases: str, pip: str, minors: str = "No", entered: str = ""
) -> str:
    """One country record of the full text, with two sponsors; phases: `YNN` for phase I alone, empty where the form
    says nothing; entered: the day on which the record was first entered."""
    answers = {"Y": "Yes", "N": "No", "?": "Information not present in EudraCT"}
    stated = [f"E.7.{i} {PHASES[i - 1]}: {answers[answer]}" for i, answer in enumerate(phases, 1)]
    return "\n".join(
        [
            "Summary",
            f"EudraCT Number: {euctr(number)}",
            "Clinical Trial Type: EEA CTA",
            f"Date on which this record was first entered in the EudraCT database: {entered}",
            f"Link: https://www.clinicaltrialsregister.eu/ctr-search/trial/{euctr(number)}/{part}/",
            "",
            "A. Protocol Information",
            f"A.2 EudraCT number: {euctr(number)}",
            f"A.7 Trial is part of a Paediatric Investigation Plan: {pip}",
            "",
            "B. Sponsor Information",
            "B.1.1 Name of Sponsor: Example Hospital",
            "B.1.1 Name of Sponsor: Example University",
            "",
            "E. General Information on the Trial",
            *stated,
            "",
            "F. Population of Trial Subjects",
            f"F.1.1 Trial has subjects under 18: {minors}",
            "",
            "P. End of Trial",
            f"P. End of Trial Status: {status}",
            f"P. Date of the global end of the trial: {end}",
            "",
        ]
    )


def ctis_record(number: int, **fields: Any) -> dict[str, Any]:
    """A served record, ended; fields: code, end (endDateEU), world, states {country: (code, end)}, summaries and lay
    (submission days; None: without a day), interim, csr, category, phase, pip, eudract, applied, elsewhere (countries
    outside the EEA), extra."""
    f: dict[str, Any] = {
        "code": 8, "end": LONG_AGO, "world": None, "states": {}, "summaries": (), "lay": (), "csr": (), "interim": (), "category": "2",
        "phase": "4", "pip": None, "eudract": None, "applied": "2020-01-01", "elsewhere": (), "extra": {},
    } | fields  # fmt: skip
    details: dict[str, Any] = {"trialInformation": {"trialCategory": {"trialPhase": f["phase"]}}}
    if f["pip"]:
        details["scientificAdviceAndPip"] = {
            "paediatricInvestigationPlan": [{"paediatricInvestigationNumber": f["pip"]}]
        }
    made: dict[str, Any] = {
        "ctNumber": f"{ctis(number)}-00",
        "ctPublicStatusCode": f["code"],
        "endDateEU": f["end"],
        "authorizedApplication": {
            "applicationInfo": [{"type": "INITIAL", "submissionDate": f["applied"]}],
            "eudraCt": {"isTransitioned": f["eudract"] is not None, "eudraCtCode": f["eudract"]},
            "authorizedPartI": {
                "trialDetails": details,
                "trialCategoryCode": f["category"],
                "rowCountriesInfo": [{"name": name} for name in f["elsewhere"]],
            },
            "memberStatesConcerned": [
                {"mscName": name, "mscPublicStatusCode": code} for name, (code, _) in f["states"].items()
            ],
        },
        "events": {
            "trialEvents": [
                {"mscName": name, "events": [{"notificationType": "END_OF_TRIAL", "date": end}]}
                for name, (_, end) in f["states"].items()
                if end
            ],
            "trialGlobalEndDate": f["world"],
        },
        "results": {
            "summaryResults": [{"submissionDate": day} for day in f["summaries"]]
            + [{"submissionDate": day, "isFinalResult": False} for day in f["interim"]],
            "laypersonResults": [{"submissionDate": day} for day in f["lay"]],
            "clinicalStudyReports": [{"submitDate": day} for day in f["csr"]],
        },
    }
    return made | f["extra"]


# --- the Directive: country records as the field extract shows them --------------------------------------------------

# AS_OF is 2024-06-30. An end on 2023-06-30 is due on it; with 28 days of grace, one on 2023-06-02 is over with it.
CTD: Mapping[str, tuple[list[tuple[str, ...]], tuple[str, ...] | None, str]] = {
    # (country, status, end, results link), results page (end, first posted, kind), status
    "ended everywhere, long ago": ([("DE", "Completed", LONG_AGO), ("FR", "Completed", LONG_AGO)], None, "overdue"),
    "a premature end is an end": ([("DE", "Prematurely Ended", LONG_AGO)], None, "overdue"),
    "a date on one country's record is enough": ([("DE", "Completed"), ("FR", "Completed", LONG_AGO)], None, "overdue"),
    # the clock
    "due today": ([("DE", "Completed", "2023-06-30")], None, "not_due"),
    "due yesterday": ([("DE", "Completed", "2023-06-29")], None, "in_grace"),
    "last day of grace": ([("DE", "Completed", "2023-06-02")], None, "in_grace"),
    "grace over": ([("DE", "Completed", "2023-06-01")], None, "overdue"),
    "the latest of several ends is the clock": (
        [("DE", "Completed", LONG_AGO), ("FR", "Completed", "2023-06-30")], None, "not_due"),
    "ends tomorrow": ([("DE", "Ongoing", "2024-07-01")], None, "not_completed"),
    "ended everywhere, end ahead": ([("DE", "Completed", "2024-07-01")], None, "not_completed"),
    # running and contradictions
    "runs": ([("DE", "Ongoing"), ("FR", "Ongoing")], None, "not_completed"),
    "restarted": ([("DE", "Restarted")], None, "not_completed"),
    "ended in one country of two": ([("DE", "Completed"), ("FR", "Ongoing")], None, "not_completed"),
    "halted": ([("DE", "Temporarily Halted"), ("FR", "Completed")], None, "not_completed"),
    "suspended": ([("DE", "Suspended by CA")], None, "not_completed"),
    "ended everywhere without a date": ([("DE", "Completed"), ("FR", "Prematurely Ended")], None, "inconsistent"),
    "ended by its date, runs in one country": (
        [("DE", "Completed", LONG_AGO), ("FR", "Ongoing")], None, "inconsistent"),
    "ended today, runs": ([("DE", "Ongoing", str(AS_OF))], None, "inconsistent"),
    "ended by its date, no status in one country": ([("DE", "Completed", LONG_AGO), ("FR", "")], None, "overdue"),
    "no status, no date": ([("DE", ""), ("FR", "")], None, "completion_unknown"),
    "ended in one country, no status in another, no date": ([("DE", "Completed"), ("FR", "")], None, "completion_unknown"),
    "no status, with a date": ([("DE", "", LONG_AGO)], None, "overdue"),
    # refused countries
    "refused everywhere": ([("DE", "Not Authorised"), ("FR", "Not Authorised")], None, "never_started"),
    "refused in one country, ended in the other": ([("DE", "Not Authorised"), ("FR", "Completed")], None, "inconsistent"),
    "refused in one country, no status in another": ([("DE", "Not Authorised"), ("FR", "")], None, "completion_unknown"),
    # prohibited: it had been authorised
    "prohibited, with an end": ([("DE", "Prohibited by CA", LONG_AGO)], None, "overdue"),
    "prohibited, without an end": ([("DE", "Not Authorised"), ("FR", "Prohibited by CA")], None, "inconsistent"),
    "prohibited in one country, ended in the other": (
        [("DE", "Prohibited by CA"), ("FR", "Completed", LONG_AGO)], None, "overdue"),
    "prohibited in one country, runs in the other": ([("DE", "Prohibited by CA"), ("FR", "Ongoing")], None, "not_completed"),
    "prohibited, and there are results": ([("DE", "Prohibited by CA", LONG_AGO, YES)], None, "reported_undated"),
    "prohibited, and somebody was enrolled": (
        [("DE", "Prohibited by CA", LONG_AGO)], ("", "", "Broken", "", "{'Germany': 2}"), "reporting_unknown"),
    # refused, and elsewhere
    "refused, ran in a third country": ([("DE", "Not Authorised"), ("3rd", "")], None, "completion_unknown"),
    "refused, ran in a third country, results": (
        [("DE", "Not Authorised", "", YES), ("3rd", "", "", YES)], None, "reported_early"),
    "refused, the end is the third country's": ([("DE", "Not Authorised"), ("3rd", "", LONG_AGO)], None, "overdue"),
    "refused, ran in a country that left the register": (
        [("DE", "Not Authorised"), ("GB", "GB - no longer in EU/EEA"), ("3rd", "")], None, "completion_unknown"),
    "refused everywhere, and there are results": ([("DE", "Not Authorised", "", YES)], None, "reported_early"),
    # third countries
    "third country only": ([("3rd", "")], None, "completion_unknown"),
    "a third-country record beside others does not count": ([("DE", "Completed", LONG_AGO), ("3rd", "")], None, "overdue"),
    "nor does it make the others run": ([("DE", "Completed"), ("3rd", "")], None, "inconsistent"),
    # a country that left the register
    "GB frozen, the others ended": (
        [("DE", "Completed", LONG_AGO), ("GB", "GB - no longer in EU/EEA")], None, "overdue"),
    "GB frozen, the others ended without a date": (
        [("DE", "Completed"), ("GB", "GB - no longer in EU/EEA")], None, "inconsistent"),
    "GB frozen, the others run": ([("DE", "Ongoing"), ("GB", "GB - no longer in EU/EEA")], None, "not_completed"),
    "GB frozen alone": ([("GB", "GB - no longer in EU/EEA")], None, "completion_unknown"),
    "GB frozen and a third country": ([("GB", "GB - no longer in EU/EEA"), ("3rd", "")], None, "completion_unknown"),
    # moved, CTIS not loaded
    "moved": ([("DE", "Trial now transitioned")], None, "out_of_scope"),
    "moved in one country, ended in another": ([("DE", "Completed"), ("FR", "Trial now transitioned")], None, "out_of_scope"),
    "moved, with an end, nobody knows when": ([("DE", "Trial now transitioned", LONG_AGO)], None, "scope_unknown"),
    # reported
    "results, before they are due": ([("DE", "Completed", "2024-01-10", YES)], ("", "2024-03-01"), "reported_early"),
    "results on the due day": ([("DE", "Completed", LONG_AGO, YES)], ("", "2023-01-10"), "reported_on_time"),
    "results a day late": ([("DE", "Completed", LONG_AGO, YES)], ("", "2023-01-11"), "reported_late"),
    "grace does not make them in time": ([("DE", "Completed", LONG_AGO, YES)], ("", "2023-02-07"), "reported_late"),
    "results, due today": ([("DE", "Completed", "2023-06-30", YES)], ("", "2024-03-01"), "reported_early"),
    "results in the grace are late": ([("DE", "Completed", "2023-06-29", YES)], ("", "2024-06-30"), "reported_late"),
    "results without a day": ([("DE", "Completed", LONG_AGO, YES)], None, "reported_undated"),
    "results on one country's record are results": (
        [("DE", "Completed", LONG_AGO, YES), ("FR", "Completed", LONG_AGO)], None, "reported_undated"),
    "results of a contradictory record are results": ([("DE", "Completed", "", YES)], ("", "2023-01-11"), "reported_early"),
    "results removed": ([("DE", "Completed", LONG_AGO, REMOVED)], None, "overdue"),
    "the results page cannot be read": ([("DE", "Completed", LONG_AGO)], ("", "2023-01-10", "Broken"), "reporting_unknown"),
    # the end on the results page
    "the results page's end where there is no other": (
        [("DE", "Completed", "", YES)], (LONG_AGO, "2023-01-11"), "reported_late"),
    "the results page's end, its results unreadable": (
        [("DE", "Completed")], (LONG_AGO, "2023-01-11", "Broken"), "reporting_unknown"),
    "not where there is another": ([("DE", "Completed", "2022-01-11", YES)], (LONG_AGO, "2023-01-11"), "reported_on_time"),
    # the day on which the duty began
    "29 February: due on 28 February": ([("DE", "Completed", "2020-02-29", YES)], ("", "2021-02-28"), "reported_on_time"),
    "29 February: a day late": ([("DE", "Completed", "2020-02-29", YES)], ("", "2021-03-01"), "reported_late"),
    "backlog, on its last day": ([("DE", "Completed", "2014-07-20", YES)], ("", "2016-12-21"), "reported_on_time"),
    "backlog, a day late": ([("DE", "Completed", "2014-07-20", YES)], ("", "2016-12-22"), "reported_late"),
    "first day of the duty, in time": ([("DE", "Completed", "2014-07-21", YES)], ("", "2015-07-21"), "reported_on_time"),
    "first day of the duty, a day late": ([("DE", "Completed", "2014-07-21", YES)], ("", "2015-07-22"), "reported_late"),
    "ends on both sides of that day have both due days": (
        [("DE", "Completed", "2014-07-20", YES), ("FR", "Completed", "2014-07-21", YES)], ("", "2016-12-21"),
        "reported_on_time"),
    "old trials without results": ([("DE", "Completed", "2006-03-01")], None, "overdue"),
}  # fmt: skip

TRACKER = {
    # what the tracker makes of the same records
    "ended everywhere, long ago": "due",
    "ended by its date, no status in one country": "inconsistent",
    "ended in one country, no status in another, no date": "not due",
    "a third-country record beside others does not count": "inconsistent",
    "nor does it make the others run": "inconsistent",
    "third country only": "inconsistent",
    "results on one country's record are results": "due",
    "results removed": "due",
    "results of a contradictory record are results": "inconsistent",
    "the results page's end where there is no other": "inconsistent",
    "refused everywhere": "not due",
    "refused everywhere, and there are results": "not due",
    "prohibited, with an end": "not due",
    "prohibited, without an end": "not due",
    "prohibited in one country, ended in the other": "inconsistent",
    "prohibited in one country, runs in the other": "not due",
    "refused, the end is the third country's": "inconsistent",
    "ended today, runs": "not due",
    "ended by its date, runs in one country": "inconsistent",
    "ended everywhere without a date": "inconsistent",
    "no status, no date": "inconsistent",
    "last day of grace": "not due",
    "GB frozen, the others ended": "inconsistent",
    "halted": "not due",
    "moved, with an end, nobody knows when": "not due",
}


def put_extract(data, cases, day: date = AS_OF) -> None:
    lines = [line for number, (records, _, _) in enumerate(cases) for line in extract(number, records)]
    pages = [page(number, *shown) for number, (_, shown, _) in enumerate(cases) if shown]
    put_file(data, "euctr", day, "protocols.csv", table(EXTRACT, lines))
    put_file(data, "euctr", day, "pages.csv", table(PAGE, pages))


@pytest.fixture(scope="module")
def ctd(tmp_path_factory):
    data = tmp_path_factory.mktemp("ctd") / "data"
    put_extract(data, list(CTD.values()))
    with tables(data) as connection:
        yield connection


def verdict(connection, registration: str, policy: str = "eu-ctd") -> str:
    ((status,),) = rows(
        connection,
        f"""SELECT s.status FROM reporting_status AS s JOIN registrations AS r USING (trial_id)
        WHERE s.policy = '{policy}' AND r.registration_id = '{registration}'""",
    )
    return status


def of_case(connection, case: str, columns: str, table: str = "legs_eu_ctd") -> tuple[Any, ...]:
    where = "" if table != "reporting_status" else " AND policy = 'eu-ctd'"
    (row,) = rows(connection, f"SELECT {columns} FROM {table} WHERE trial_id = '{euctr(list(CTD).index(case))}'{where}")
    return row


@pytest.mark.parametrize("case", CTD)
def test_directive(ctd, case):
    assert verdict(ctd, euctr(list(CTD).index(case))) == CTD[case][2]


@pytest.mark.parametrize(
    ("case", "status", "applies", "decided_by"),
    [
        ("prohibited, with an end", "scope_unknown", "possible", "status, enrolment"),
        ("prohibited, without an end", "scope_unknown", "possible", "status, enrolment"),
        ("prohibited, and there are results", "reported_undated", "yes", None),
        ("prohibited in one country, ended in the other", "overdue", "yes", None),
        ("prohibited in one country, runs in the other", "not_completed", "yes", None),
        ("refused everywhere", "never_started", "yes", "status, enrolment"),
        ("refused, ran in a third country", "scope_unknown", "possible", "status, enrolment"),
        ("refused, the end is the third country's", "scope_unknown", "possible", "status, enrolment"),
        ("refused in one country, no status in another", "scope_unknown", "possible", "status, enrolment"),
        ("refused in one country, ended in the other", "inconsistent", "yes", "primary_completion"),
        ("refused, ran in a third country, results", "reported_early", "yes", None),
        ("no status, with a date", "overdue", "yes", None),
        ("ended by its date, runs in one country", "inconsistent", "yes", "ended_while_running"),
        ("ended today, runs", "inconsistent", "yes", "ended_while_running"),
        ("ends tomorrow", "not_completed", "yes", None),
    ],
)
def test_elsewhere_prohibited_leaves_open_whether_a_trial_began(ctd, case, status, applies, decided_by):
    found = rows(
        ctd,
        f"""SELECT DISTINCT status, applies, decided_by FROM reporting_status
        WHERE trial_id = '{euctr(list(CTD).index(case))}' AND policy IN ('alltrials-summary', 'who-summary')""",
    )
    assert found == [(status, applies, decided_by)]


@pytest.mark.parametrize(
    ("case", "status", "has_results"),
    [
        ("the results page cannot be read", "reporting_unknown", None),
        ("results without a day", "reported_undated", True),
        ("old trials without results", "overdue", False),
    ],
)
def test_elsewhere_too_a_results_page_that_cannot_be_read_leaves_open_whether_there_are_results(
    ctd, case, status, has_results
):
    number = euctr(list(CTD).index(case))
    assert verdict(ctd, number, "alltrials-summary") == status
    assert rows(ctd, f"SELECT has_results FROM registrations WHERE registration_id = '{number}'") == [(has_results,)]


@pytest.mark.parametrize(
    ("case", "outcome"),
    [
        ("prohibited, with an end", None),
        ("prohibited, and somebody was enrolled", True),
        ("prohibited, and there are results", True),
        ("refused everywhere", False),
    ],
)
def test_what_says_that_a_prohibited_trial_began(ctd, case, outcome):
    assert of_case(ctd, case, "started.outcome", "legs_alltrials_summary") == (outcome,)


@pytest.mark.parametrize("policy", ["who-publication", "uk-hra", "uk-ctr-2026"])
def test_no_policy_that_asks_whether_it_began_judges_a_prohibited_trial(ctd, policy):
    number = euctr(list(CTD).index("prohibited, with an end"))
    found = rows(ctd, f"SELECT not_prohibited.outcome FROM legs_{policy.replace('-', '_')} WHERE trial_id = '{number}'")
    assert found == [(None,)]


@pytest.mark.parametrize(
    ("in_the_uk", "status"),
    [
        ("Completed", "overdue"),
        ("GB - no longer in EU/EEA", "overdue"),
        ("Prohibited by CA", "overdue"),
        ("", "overdue"),
        ("Not Authorised", "out_of_scope"),
    ],
)
def test_a_country_that_refused_a_trial_had_no_site_of_it(tmp_path, in_the_uk, status):
    lines = extract(1, [("GB", in_the_uk), ("FR", "Completed", LONG_AGO)])
    put_file(tmp_path / "data", "euctr", AS_OF, "protocols.csv", table(EXTRACT, lines))
    with tables(tmp_path / "data") as connection:
        assert verdict(connection, euctr(1), "uk-hra") == status


def test_a_country_that_refused_a_trial_is_none_to_go_to(tmp_path):
    """For patients, and for reviewers who chase what is missing."""
    states = {"France": (3, None), "Germany": (11, None), "Spain": (1, None)}
    put_file(tmp_path / "data", "ctis", AS_OF, "one.json", json.dumps(ctis_record(1, code=3, end=None, states=states)))
    lines = extract(1, [("DE", "Not Authorised"), ("FR", "Completed", LONG_AGO)])
    put_file(tmp_path / "data", "euctr", AS_OF, "protocols.csv", table(EXTRACT, lines))
    with tables(tmp_path / "data") as connection:
        assert rows(connection, "SELECT countries FROM recruiting_trials") == [(["France", "Spain"],)]
        assert rows(connection, "SELECT DISTINCT countries FROM missing_results") == [(["France"],)]
        never_ran = (
            "SELECT code FROM vocabulary_recruitment_status WHERE has_sites(false, code) = coalesce(never_ran, false)"
        )
        assert rows(connection, never_ran) == []


@pytest.mark.parametrize(
    ("case", "leg", "outcome"),
    [
        ("a third-country record beside others does not count", "in_eea", True),
        ("third country only", "in_eea", False),
        ("no status, no date", "without_status", True),
        ("ended in one country, no status in another, no date", "without_status", False),
        ("GB frozen, the others ended", "gb_record_frozen", True),
        ("runs", "gb_record_frozen", False),
        ("results on one country's record are results", "results_on_some_records", True),
        ("results on the due day", "results_on_some_records", False),
        ("results removed", "results_removed", True),
        ("results without a day", "results_removed", False),
        ("the results page's end where there is no other", "end_date_from_results_page", True),
        ("not where there is another", "end_date_from_results_page", False),
        ("not where there is another", "results_page_end_agrees", False),
        ("results on the due day", "results_page_end_agrees", None),
        ("runs", "paediatric", None),
        ("ended by its date, no status in one country", "ended_while_running", None),
        ("ended everywhere, long ago", "ended_while_running", False),
        ("results of a contradictory record are results", "ended_without_date", True),
    ],
)
def test_what_a_verdict_does_not_say_is_flagged(ctd, case, leg, outcome):
    assert of_case(ctd, case, f"{leg}.outcome") == (outcome,)


@pytest.mark.parametrize(
    ("case", "decided_by"),
    [
        ("ended everywhere without a date", "ended_without_date"),
        ("ended by its date, runs in one country", "ended_while_running"),
        ("moved", "transitioned_to_ctis"),
        ("moved, with an end, nobody knows when", "completion"),
        ("no status, no date", "global_end_date"),
        ("the results page cannot be read", "trial_results"),
    ],
)
def test_what_decides_is_named(ctd, case, decided_by):
    assert of_case(ctd, case, "decided_by", "reporting_status") == (decided_by,)


@pytest.mark.parametrize(
    ("case", "value"), [("GB frozen, the others ended", "left out of the count"), ("GB frozen alone", "counted")]
)
def test_whether_a_frozen_record_counts_is_shown(ctd, case, value):
    assert of_case(ctd, case, "gb_record_frozen.value") == (value,)


def test_several_ends_are_bounds(ctd):
    case = "the latest of several ends is the clock"
    columns = "status_earliest, due_earliest, due_latest, is_ambiguous"
    assert of_case(ctd, case, columns, "reporting_status") == ("overdue", date(2023, 1, 10), date(2024, 6, 30), True)
    case = "ends on both sides of that day have both due days"
    due = (date(2015, 7, 21), date(2016, 12, 21))
    assert of_case(ctd, case, "due_earliest, due_latest", "reporting_status") == due


def test_where_phase_and_plan_are_not_stated_presence_in_the_register_stands_for_them(ctd):
    """But for third countries: only paediatric trials have a record of them."""
    found = rows(
        ctd,
        """SELECT DISTINCT l.in_eea.value NOT LIKE '%, 0 of third countries' AS has_third, s.applies, l.not_exempt.is_proxy
        FROM reporting_status AS s JOIN legs_eu_ctd AS l USING (trial_id)
        WHERE policy = 'eu-ctd' AND s.status NOT IN ('out_of_scope', 'scope_unknown') ORDER BY ALL""",
    )
    assert found == [(False, "probable", True), (True, "yes", False)]


def test_each_trial_has_one_status_under_each_rule(ctd):
    found = rows(
        ctd,
        """SELECT policy, count(*), count(DISTINCT trial_id) FROM reporting_status WHERE policy LIKE 'eu-%'
        GROUP BY policy ORDER BY policy""",
    )
    assert found == [("eu-ctd", len(CTD), len(CTD)), ("eu-ctr", len(CTD), len(CTD))]
    assert rows(ctd, "SELECT DISTINCT status, decided_by FROM reporting_status WHERE policy = 'eu-ctr'") == [
        ("out_of_scope", "registered_in_ctis")]  # fmt: skip


# --- the tracker's reading -------------------------------------------------------------------------------------------

TRACKER_GROUP = """CASE
    WHEN in_eea.value NOT LIKE '%, 0 of third countries' THEN 'inconsistent'
    WHEN NOT not_exempt.outcome THEN 'not due'
    WHEN ended_without_date.outcome OR ended_while_running.outcome OR without_status.outcome THEN 'inconsistent'
    WHEN status_group LIKE 'due, %' AND getvariable('as_of') > s.due_latest + 28 THEN 'due'
    ELSE 'not due' END"""
"""The tracker's groups, as the policy file says that they follow; third-country records as its later headlines have them."""


def test_a_profile_changes_parameters_that_there_are():
    for policy in contracts().policies.values():
        for name, profile in policy.profiles.items():
            assert set(profile) <= set(policy.parameters), (policy.id, name)


@pytest.fixture(scope="module")
def tracker(tmp_path_factory):
    """Group and status of the cases under the tracker's profile."""
    known = contracts()
    policy = known.policies["eu-ctd"]
    profiled = replace(policy, parameters={**policy.parameters, **policy.profiles["eu-tracker"]})
    data = tmp_path_factory.mktemp("tracker") / "data"
    put_extract(data, list(CTD.values()))
    put_file(data, "euctr", AS_OF, "full.txt", text(len(CTD), "DE", "Completed", LONG_AGO, "YNN", "No", "Yes"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(queries, "contracts", lambda: replace(known, policies={**known.policies, "eu-ctd": profiled}))
        with tables(data) as connection:
            found = rows(
                connection,
                f"""SELECT trial_id, {TRACKER_GROUP}, status
                FROM legs_eu_ctd AS l JOIN reporting_status AS s USING (trial_id) WHERE policy = 'eu-ctd'""",
            )
            return {trial: (group, status) for trial, group, status in found}


@pytest.mark.parametrize("case", TRACKER)
def test_the_trackers_groups(tracker, case):
    assert tracker[euctr(list(CTD).index(case))][0] == TRACKER[case]


def test_under_the_trackers_profile_only_a_plan_makes_a_trial_paediatric(tracker):
    assert tracker[euctr(len(CTD))] == ("not due", "out_of_scope")


@pytest.mark.parametrize(
    "case", ["ended by its date, runs in one country", "ended by its date, no status in one country"]
)
def test_under_the_trackers_profile_some_ended_with_a_date_is_a_contradiction(tracker, case):
    assert tracker[euctr(list(CTD).index(case))][1] == "inconsistent"


# --- phase, paediatric plan, history: the full text ------------------------------------------------------------------

SCOPE = {
    # country records (part, phases I II III, plan, minors) -> status, applies, whether a proxy stands for what is missing
    "phase I, no plan": ([("DE", "YNN", "No")], ("out_of_scope", "no", False)),
    "phase I in all countries": ([("DE", "YNN", "No"), ("FR", "YNN", "No")], ("out_of_scope", "no", False)),
    "phase I in one country only": ([("DE", "YNN", "No"), ("FR", "NYN", "No")], ("reporting_unknown", "yes", False)),
    "phase I in one country, not stated in the other": (
        [("DE", "YNN", "No"), ("FR", "", "No")], ("reporting_unknown", "probable", True)),
    "phase I and II": ([("DE", "YYN", "No")], ("reporting_unknown", "yes", False)),
    "phase I in a plan": ([("DE", "YNN", "Yes")], ("reporting_unknown", "yes", False)),
    "phase I, in a plan in one country": (
        [("DE", "YNN", "No"), ("FR", "YNN", "Yes")], ("reporting_unknown", "yes", False)),
    "phase I, plan not stated": ([("DE", "YNN", "")], ("reporting_unknown", "probable", True)),
    "phase not stated, plan is": ([("DE", "", "Yes")], ("reporting_unknown", "yes", False)),
    "neither stated": ([("DE", "", "")], ("reporting_unknown", "probable", True)),
    "phase I, no plan, minors": ([("DE", "YNN", "No", "Yes")], ("reporting_unknown", "yes", False)),
    "phase I, no plan, minors in one country": (
        [("DE", "YNN", "No"), ("FR", "YNN", "No", "Yes")], ("reporting_unknown", "yes", False)),
    "phase I, no plan, minors not stated": ([("DE", "YNN", "No", "")], ("out_of_scope", "no", False)),
    "phase I, neither plan nor minors stated": ([("DE", "YNN", "", "")], ("reporting_unknown", "probable", True)),
    "phase I, in a third country too": (
        [("DE", "YNN", "No"), ("3rd", "YNN", "No")], ("reporting_unknown", "yes", False)),
    "no phase I is stated": ([("DE", "N??", "No")], ("reporting_unknown", "yes", False)),
}  # fmt: skip


@pytest.fixture(scope="module")
def scope(tmp_path_factory):
    data = tmp_path_factory.mktemp("scope") / "data"
    records = [
        text(number, part, "Completed", LONG_AGO, phases, pip, *minors)
        for number, (countries, _) in enumerate(SCOPE.values())
        for part, phases, pip, *minors in countries
    ]
    put_file(data, "euctr", AS_OF, "full.txt", "\n".join(records))
    with tables(data) as connection:
        yield connection


@pytest.mark.parametrize("case", SCOPE)
def test_exempt_is_phase_1_of_adults_outside_a_paediatric_plan(scope, case):
    number = euctr(list(SCOPE).index(case))
    found = rows(
        scope,
        f"""SELECT s.status, s.applies, l.not_exempt.is_proxy FROM reporting_status AS s JOIN legs_eu_ctd AS l
        USING (trial_id) WHERE policy = 'eu-ctd' AND trial_id = '{number}'""",
    )
    assert found == [SCOPE[case][1]]


def test_a_download_without_the_results_link_does_not_make_results_missing(scope):
    number = euctr(list(SCOPE).index("phase I and II"))
    found = rows(
        scope, f"SELECT decided_by FROM reporting_status WHERE policy = 'eu-ctd' AND trial_id = '{number}'")  # fmt: skip
    assert found == [("trial_results",)]


@pytest.mark.parametrize("case", ["phase I in a plan", "phase I, no plan, minors", "phase I, in a third country too"])
def test_six_months_of_a_paediatric_trial_are_the_earlier_bound(scope, case):
    number = euctr(list(SCOPE).index(case))
    found = rows(
        scope,
        f"SELECT due_earliest, due_latest FROM reporting_status WHERE policy = 'eu-ctd' AND trial_id = '{number}'",
    )
    assert found == [(date(2022, 7, 10), date(2023, 1, 10))]


@pytest.mark.parametrize(
    ("case", "paediatric"),
    [
        ("phase I in a plan", ("in a Paediatric Investigation Plan", True)),
        ("phase I, no plan, minors", ("participants under 18", True)),
        ("phase I, in a third country too", ("a third country has a record", True)),
        ("phase I, no plan, minors not stated", (None, False)),
        ("phase I, neither plan nor minors stated", (None, None)),
    ],
)
def test_why_a_trial_is_paediatric_is_told(scope, case, paediatric):
    number = euctr(list(SCOPE).index(case))
    found = rows(scope, f"SELECT paediatric.value, paediatric.outcome FROM legs_eu_ctd WHERE trial_id = '{number}'")
    assert found == [paediatric]


def test_a_trial_of_several_sponsors_is_one_trial(scope):
    assert rows(scope, "SELECT count(*) FROM reporting_status WHERE policy = 'eu-ctd'") == [(len(SCOPE),)]


# --- the Regulation --------------------------------------------------------------------------------------------------

CTR = {
    "ended, due today": (dict(end="2023-06-30"), "not_due"),
    "ended, due yesterday": (dict(end="2023-06-29"), "in_grace"),
    "last day of grace": (dict(end="2023-06-02"), "in_grace"),
    "grace over": (dict(end="2023-06-01"), "overdue"),
    "29 February, in time": (dict(end="2020-02-29", summaries=["2021-02-28"]), "reported_on_time"),
    "29 February, a day late": (dict(end="2020-02-29", summaries=["2021-03-01"]), "reported_late"),
    "summary in time": (dict(summaries=["2023-01-10"]), "reported_on_time"),
    "the first of two summaries counts": (dict(summaries=["2023-09-01", "2023-01-10"]), "reported_on_time"),
    "summary and lay summary in time": (dict(summaries=["2023-01-10"], lay=["2023-01-10"]), "reported_on_time"),
    "in a paediatric plan": (dict(pip="EMEA-000000-PIP01-90"), "overdue"),
    "with participants under 18": (dict(extra={"ageGroup": "18-64 years, 0-17 years"}), "overdue"),
    "summary late": (dict(summaries=["2023-01-11"]), "reported_late"),
    "summary, due today": (dict(end="2023-06-30", summaries=["2024-06-01"]), "reported_early"),
    "summary in the grace is late": (dict(end="2023-06-29", summaries=["2024-06-30"]), "reported_late"),
    "ends tomorrow": (dict(end="2024-07-01"), "not_completed"),
    "ends today": (dict(end="2024-06-30"), "not_due"),
    "29 February, not reported, due on 28 February": (dict(end="2024-02-29"), "not_due"),
    "category 1: summary within the time withheld": (dict(category="1", end="2022-01-10", summaries=["2024-06-01"]), "reported_early"),
    "category 1: summary after it": (dict(category="1", end="2020-01-10", summaries=["2022-07-11"]), "reported_late"),
    "category 1: summary on its last day": (dict(category="1", end="2020-01-10", summaries=["2022-07-10"]), "reported_on_time"),
    "suspended": (dict(code=7, end=None), "not_completed"),
    "recruitment pending": (dict(code=2, end=None), "not_completed"),
    "summary without a day": (dict(summaries=[None]), "reported_undated"),
    "summary early": (dict(end="2024-01-01", summaries=["2024-02-01"]), "reported_early"),
    "a lay summary alone does not satisfy": (dict(lay=["2022-03-01"]), "overdue"),
    "nor does a study report": (dict(csr=["2022-03-01"]), "overdue"),
    "results received, perhaps the study report only": (
        dict(csr=["2022-03-01"], extra={"resultsFirstReceived": "Yes"}), "reporting_unknown"),
    "nor does an intermediate summary": (dict(interim=["2021-03-01"]), "overdue"),
    "intermediate, then final and late": (dict(interim=["2021-03-01"], summaries=["2023-01-11"]), "reported_late"),
    "results received, perhaps the intermediate ones only": (
        dict(interim=["2021-03-01"], extra={"resultsFirstReceived": "Yes"}), "reporting_unknown"),
    "ended, no date in any member state": (dict(end=None), "inconsistent"),
    "ended, dates of the member states": (
        dict(end=None, states={"Spain": (8, "2023-05-01"), "France": (8, "2023-06-30")}), "not_due"),
    "partly ended": (dict(code=5, end=None, states={"Spain": (8, LONG_AGO), "France": (5, None)}), "not_completed"),
    "the end in the world does not count": (dict(world="2024-01-01"), "overdue"),
    "runs": (dict(code=4, end=None), "not_completed"),
    "halted": (dict(code=6, end=None), "not_completed"),
    "an end while it runs": (dict(code=5), "inconsistent"),
    "an end ahead while it runs": (dict(code=5, end="2024-07-01"), "not_completed"),
    "under evaluation": (dict(code=1, end=None), "not_completed"),
    "expired": (dict(code=9, end=None), "never_started"),
    "revoked": (dict(code=10, end=None), "out_of_scope"),
    "revoked after it began": (dict(code=10, end=None, extra={"startDateEU": "2021-01-01"}), "out_of_scope"),
    "not authorised": (dict(code=11, end=None), "never_started"),
    "cancelled": (dict(code=12, end=None), "never_started"),
    "no code": (dict(code=None, end=None), "completion_unknown"),
    "category 1: withheld": (dict(category="1", end="2023-06-01"), "deferred"),
    "category 1: withheld to the last day": (dict(category="1", end="2021-12-30"), "deferred"),
    "category 1: grace": (dict(category="1", end="2021-12-29"), "in_grace"),
    "category 1: over": (dict(category="1", end="2021-11-30"), "overdue"),
    "category 1: in the first year": (dict(category="1", end="2023-06-30"), "not_due"),
    "category not stated, phase I: may be withheld": (dict(category=None, phase="1", end="2023-06-01"), "deferred"),
    "category not stated, phase II: may not": (dict(category=None, phase="4", end="2023-06-01"), "overdue"),
}  # fmt: skip


@pytest.fixture(scope="module")
def ctr(tmp_path_factory):
    data = tmp_path_factory.mktemp("ctr") / "data"
    records = [ctis_record(number, **fields) for number, (fields, _) in enumerate(CTR.values())]
    for number, (record, _) in enumerate(GENERATIONS.values(), len(CTR)):
        records.append({"ctNumber": f"{ctis(number)}-00", **record})
    put_file(data, "ctis", AS_OF, "records.jsonl", "\n".join(map(json.dumps, records)))
    with tables(data) as connection:
        yield connection


@pytest.mark.parametrize("case", CTR)
def test_regulation(ctr, case):
    assert verdict(ctr, ctis(list(CTR).index(case)), "eu-ctr") == CTR[case][1]


@pytest.mark.parametrize(
    ("case", "leg", "outcome"),
    [
        ("summary in time", "layperson_missing", True),
        ("summary and lay summary in time", "layperson_missing", False),
        ("runs", "layperson_missing", False),
        ("partly ended", "partly_ended", True),
        ("runs", "partly_ended", False),
        ("ended, dates of the member states", "partly_ended", False),
        ("the end in the world does not count", "ended_in_the_world", True),
        ("category 1: withheld", "may_be_deferred", True),
        ("category not stated, phase I: may be withheld", "may_be_deferred", None),
        ("ended, no date in any member state", "ended_no_date", True),
    ],
)
def test_flags_of_the_regulation(ctr, case, leg, outcome):
    found = rows(ctr, f"SELECT {leg}.outcome FROM legs_eu_ctr WHERE trial_id = '{ctis(list(CTR).index(case))}'")
    assert found == [(outcome,)]


@pytest.mark.parametrize(
    ("case", "status"),
    [
        ("revoked", "scope_unknown"),
        ("revoked after it began", "scope_unknown"),
        ("not authorised", "never_started"),
        ("cancelled", "never_started"),
        ("expired", "never_started"),
    ],
)
def test_a_revoked_trial_is_not_said_never_to_have_started(ctr, case, status):
    number = ctis(list(CTR).index(case))
    assert [verdict(ctr, number, policy) for policy in ("alltrials-summary", "who-publication")] == [status] * 2


@pytest.mark.parametrize("case", ["in a paediatric plan", "with participants under 18"])
def test_a_paediatric_trial_has_the_earlier_bound_here_too(ctr, case):
    number = ctis(list(CTR).index(case))
    found = rows(
        ctr, f"SELECT due_earliest, due_latest FROM reporting_status WHERE policy = 'eu-ctr' AND trial_id = '{number}'")  # fmt: skip
    assert found == [(date(2022, 7, 10), date(2023, 1, 10))]


PHASE_4 = {"trialPhase": "Therapeutic use (Phase IV)"}
GENERATIONS = {
    # The record as it was served to 2024, and items of the overview: record, status, what decides, lay summary missing
    "words instead of codes": (
        {"ctStatus": "Ended", "endDateEU": "2023-06-01", "authorizedPartI": {"trialCategoryCode": "2"}},
        ("reporting_unknown", "summaryResults", None)),
    "overview, results received": (
        {"ctStatus": 8, "endDateEU": "10/01/2022", "resultsFirstReceived": "Yes", **PHASE_4},
        ("reported_undated", None, None)),
    "overview, none received": (
        {"ctStatus": 8, "endDateEU": "10/01/2022", "resultsFirstReceived": "No", **PHASE_4}, ("overdue", None, False)),
}  # fmt: skip


@pytest.mark.parametrize("case", GENERATIONS)
def test_other_generations_of_the_record(ctr, case):
    number = ctis(len(CTR) + list(GENERATIONS).index(case))
    found = rows(
        ctr,
        f"""SELECT status, decided_by, layperson_missing.outcome FROM reporting_status JOIN legs_eu_ctr USING (trial_id)
        WHERE policy = 'eu-ctr' AND trial_id = '{number}'""",
    )
    assert found == [GENERATIONS[case][1]]


# --- moved from one register to the other ----------------------------------------------------------------------------

MOVES = {
    # country records, CTIS record (it was applied for on 2023-06-01) -> eu-ctd, eu-ctr
    "runs, in CTIS": ([("DE", "Trial now transitioned")], dict(code=4, end=None), ("out_of_scope", "not_completed")),
    "EUCTR was not told": ([("DE", "Ongoing")], dict(code=4, end=None), ("out_of_scope", "not_completed")),
    "ended after the move": (
        [("DE", "Trial now transitioned")], dict(end="2023-06-02"), ("out_of_scope", "in_grace")),
    "ended on the day of the move": ([("DE", "Completed", "2023-06-01")], dict(end=None), ("overdue", "out_of_scope")),
    "ended the day after, by EUCTR": (
        [("DE", "Completed", "2023-06-02")], dict(end=None), ("out_of_scope", "inconsistent")),
    "ended before, results in EUCTR": (
        [("DE", "Completed", LONG_AGO, YES)], dict(end=LONG_AGO), ("reported_undated", "out_of_scope")),
    "CTIS says that it runs, EUCTR that it had ended": (
        [("DE", "Completed", LONG_AGO)], dict(code=4, end=None), ("out_of_scope", "not_completed")),
    "ended, nobody knows when": ([("DE", "Completed")], dict(end=None), ("scope_unknown", "scope_unknown")),
    "another country had ended long before, CTIS says when the trial did": (
        [("DE", "Completed", LONG_AGO), ("FR", "Trial now transitioned")],
        dict(end=None, states={"France": (8, "2023-06-02")}), ("out_of_scope", "in_grace")),
    "another country had ended long before, CTIS says that the trial ended": (
        [("DE", "Completed", LONG_AGO), ("FR", "Trial now transitioned")], dict(end=None), ("out_of_scope", "inconsistent")),
    "the country that moved states the end itself": (
        [("DE", "Trial now transitioned", "2023-06-01")], dict(end=None), ("overdue", "out_of_scope")),
    "an old end in EUCTR, a later one in the member states": (
        [("DE", "Completed", LONG_AGO)], dict(end=None, states={"Germany": (8, "2023-06-02")}), ("out_of_scope", "in_grace")),
    "one member state ended after the move, another does not say when": (
        [("DE", "Completed", LONG_AGO)], dict(end=None, states={"Germany": (8, "2023-06-02"), "Spain": (8, None)}),
        ("out_of_scope", "in_grace")),
    "the member states ended before the move": (
        [("DE", "Trial now transitioned")], dict(end=None, states={"Germany": (8, LONG_AGO), "Spain": (12, None)}),
        ("completion_unknown", "out_of_scope")),
    "one member state ended before the move, the status of another is not known": (
        [("DE", "Trial now transitioned")], dict(end=None, states={"Germany": (8, LONG_AGO), "Spain": (99, None)}),
        ("out_of_scope", "inconsistent")),
    "the member states ended before the move, elsewhere no state is asked": (
        [("DE", "Trial now transitioned")], dict(end=None, states={"Germany": (8, LONG_AGO)}, elsewhere=["United States"]),
        ("completion_unknown", "out_of_scope")),
    "the move was refused": ([("DE", "Ongoing")], dict(code=11, end=None), ("not_completed", "never_started")),
}  # fmt: skip


@pytest.fixture(scope="module")
def moved(tmp_path_factory):
    data = tmp_path_factory.mktemp("moved") / "data"
    countries, records = [], []
    for number, (parts, fields, _) in enumerate(MOVES.values()):
        countries += extract(number, parts)
        records.append(ctis_record(number, eudract=euctr(number), applied="2023-06-01", **fields))
    put_file(data, "euctr", AS_OF, "protocols.csv", table(EXTRACT, countries))
    put_file(data, "ctis", AS_OF, "records.jsonl", "\n".join(map(json.dumps, records)))
    with tables(data) as connection:
        yield connection


@pytest.mark.parametrize("case", MOVES)
def test_a_trial_that_moved_is_judged_where_it_ended(moved, case):
    number = list(MOVES).index(case)
    found = tuple(verdict(moved, euctr(number), policy) for policy in ("eu-ctd", "eu-ctr"))
    assert found == MOVES[case][2]


def test_no_trial_is_judged_by_both(moved):
    assert rows(moved, "SELECT count(*) FROM trials") == [(len(MOVES),)]
    both = rows(
        moved,
        """SELECT trial_id FROM legs_eu_ctd JOIN legs_eu_ctr USING (trial_id) JOIN eu_moves USING (trial_id)
        WHERE transitioned_to_ctis.outcome = ended_under_regulation.outcome""",
    )
    assert both == []


@pytest.mark.parametrize(
    ("states", "status"),
    [
        (("Temporarily Halted", "Ongoing"), "ongoing"),
        (("Ongoing", "Temporarily Halted"), "ongoing"),
        (("Temporarily Halted", "Completed"), "suspended"),
        (("Prematurely Ended", "Completed"), "completed"),
        (("Completed", "Prematurely Ended"), "completed"),
    ],
)
def test_the_state_of_a_trial_does_not_depend_on_the_names_of_its_countries(tmp_path, states, status):
    lines = extract(1, [(part, state, "") for part, state in zip(("DE", "FR"), states, strict=True)])
    put_file(tmp_path / "data", "euctr", AS_OF, "protocols.csv", table(EXTRACT, lines))
    with tables(tmp_path / "data") as connection:
        assert rows(connection, "SELECT status FROM trials") == [(status,)]


@pytest.mark.parametrize(
    ("decided", "flagged"),
    [
        (("2022-01-11", "2022-03-01"), True),
        (("2022-01-10", "2022-03-01"), False),
        (("", "2022-03-01"), None),
        (("2015-01-01 refused", "2022-03-01"), True),
    ],
)
def test_an_end_before_the_authority_allowed_the_trial_is_flagged(tmp_path, decided, flagged):
    """One of the two days is wrong; the verdict stays."""
    lines = [
        (f"{euctr(1)}-{part}", "Not Authorised" if day.endswith("refused") else "Completed", LONG_AGO, "", day[:10])
        for part, day in zip(("DE", "FR"), decided, strict=True)
    ]
    columns = (*EXTRACT, "date_of_competent_authority_decision")
    put_file(tmp_path / "data", "euctr", AS_OF, "protocols.csv", table(columns, lines))
    with tables(tmp_path / "data") as connection:
        assert rows(connection, "SELECT ended_before_authorised.outcome FROM legs_eu_ctd") == [(flagged,)]
        assert verdict(connection, euctr(1)) == "overdue"


def test_results_that_were_removed_are_told_wherever_results_are_missing(ctd):
    number = euctr(list(CTD).index("results removed"))
    ladder = f"SELECT x_results_removed, r2_summary_results, r2s_submitted FROM disclosure WHERE trial_id = '{number}'"
    assert rows(ctd, ladder) == [(True, False, None)]
    missing = f"SELECT DISTINCT results_removed FROM missing_results WHERE trial_id = '{number}'"
    assert rows(ctd, missing) == [(True,)]
    assert rows(ctd, "SELECT count(*) FROM missing_results WHERE results_removed") < rows(
        ctd, "SELECT count(*) FROM missing_results WHERE NOT results_removed"
    )


@pytest.mark.parametrize(
    ("countries", "code", "status"),
    [
        ([("DE", "", LONG_AGO)], 11, "scope_unknown"),
        ([("DE", "Not Authorised"), ("3rd", "")], 12, "scope_unknown"),
        ([("DE", "Not Authorised")], 11, "never_started"),
        ([("DE", "Completed", LONG_AGO)], 11, "overdue"),
    ],
)
def test_a_move_that_was_refused_does_not_say_that_the_trial_never_started(tmp_path, countries, code, status):
    """Where a country record of the former register states no status."""
    served = ctis_record(
        1, code=code, end=None, eudract=euctr(1), applied="2023-06-01", extra={"lastUpdated": "2024-06-01"}
    )
    put_file(tmp_path / "data", "euctr", AS_OF, "protocols.csv", table(EXTRACT, extract(1, countries)))
    put_file(tmp_path / "data", "ctis", AS_OF, "one.json", json.dumps(served))
    with tables(tmp_path / "data") as connection:
        assert verdict(connection, euctr(1), "alltrials-summary") == status


RAN_ON = {
    # country records, whether CTIS has it too -> status, end, verdict of policies that ask no register in particular
    "the one that ended is named first": (
        [("DE", "Completed", LONG_AGO), ("FR", "Trial now transitioned")], False,
        ("transitioned", None, "completion_unknown")),
    "the one that moved is named first": (
        [("AT", "Trial now transitioned"), ("DE", "Completed", LONG_AGO)], False,
        ("transitioned", None, "completion_unknown")),
    "the one that moved states the end": (
        [("DE", "Completed", LONG_AGO), ("FR", "Trial now transitioned", "2023-06-01")], False,
        ("transitioned", date(2023, 6, 1), "overdue")),
    "it recruits by CTIS": (
        [("DE", "Completed", LONG_AGO), ("FR", "Trial now transitioned")], True, ("recruiting", None, "not_completed")),
    "nothing moved": (
        [("DE", "Completed", LONG_AGO), ("FR", "Completed")], False, ("completed", date(2022, 1, 10), "overdue")),
}  # fmt: skip


def test_where_a_country_says_that_the_trial_moved_another_ones_end_is_nobodys_clock(tmp_path):
    countries, served = [], []
    for number, (records, is_in_ctis, _) in enumerate(RAN_ON.values()):
        countries += extract(number, records)
        if is_in_ctis:
            served.append(ctis_record(
                number, eudract=euctr(number), applied="2023-06-01", code=3, end=None, extra={"lastUpdated": "2024-06-01"}))  # fmt: skip
    put_file(tmp_path / "data", "euctr", AS_OF, "protocols.csv", table(EXTRACT, countries))
    put_file(tmp_path / "data", "ctis", AS_OF, "records.jsonl", "\n".join(map(json.dumps, served)))
    with tables(tmp_path / "data") as connection:
        found = rows(
            connection,
            """SELECT DISTINCT r.registration_id, t.status, t.completion_latest, s.status
            FROM reporting_status AS s JOIN trials AS t USING (trial_id) JOIN registrations AS r USING (trial_id)
            WHERE r.registry = 'euctr' AND policy IN ('alltrials-summary', 'who-summary')""",
        )
        recruiting = rows(connection, "SELECT registration_id FROM recruiting_trials")
    expected = {(euctr(number), *told) for number, (_, _, told) in enumerate(RAN_ON.values())}
    assert {*found} == expected
    assert recruiting == [(ctis(list(RAN_ON).index("it recruits by CTIS")),)]


@pytest.mark.parametrize(
    ("code", "shown", "end", "status"),
    [
        (4, "", date(2026, 12, 31), "not_completed"),
        (8, "", date(2022, 1, 10), "overdue"),
        (12, "", date(2022, 1, 10), "overdue"),
        (4, YES, date(2022, 1, 10), "reported_undated"),
    ],
    ids=["it runs", "it ended", "the move was given up", "it runs, and the former register shows results"],
)
def test_an_end_in_the_former_register_is_no_clock_while_the_trial_runs_by_the_present_one(
    tmp_path, code, shown, end, status
):
    served = ctis_record(
        1, code=code, end=None, eudract=euctr(1), applied="2023-06-01", extra={"lastUpdated": "2024-06-01"}
    )
    information = served["authorizedApplication"]["authorizedPartI"]["trialDetails"]["trialInformation"]
    information["trialDuration"] = {"estimatedEndDate": "2026-12-31"}
    lines = extract(1, [("DE", "Completed", LONG_AGO, shown)])
    put_file(tmp_path / "data", "euctr", AS_OF, "protocols.csv", table(EXTRACT, lines))
    put_file(tmp_path / "data", "ctis", AS_OF, "one.json", json.dumps(served))
    with tables(tmp_path / "data") as connection:
        assert rows(connection, "SELECT completion_latest FROM trials") == [(end,)]
        assert verdict(connection, euctr(1), "alltrials-summary") == status


@pytest.mark.parametrize(
    ("abroad", "fields", "end", "status"),
    [
        ("Ongoing", {"cd": ("2027-01-01", "ESTIMATED")}, date(2027, 1, 1), "not_completed"),
        ("Ongoing", {"cd": ("2019-01-01", "ESTIMATED")}, date(2022, 1, 10), "overdue"),
        ("Ongoing", {"cd": None}, date(2022, 1, 10), "overdue"),
        ("Completed", {"cd": ("2027-01-01", "ESTIMATED")}, date(2022, 1, 10), "overdue"),
        ("Completed", {"cd": ("2021-06-10", "ACTUAL")}, date(2021, 6, 10), "overdue"),
    ],
)
def test_an_end_in_the_former_register_is_no_actual_one_while_its_own_records_say_that_the_trial_runs(
    tmp_path, abroad, fields, end, status
):
    stated = [{"id": euctr(1), "type": "EUDRACT_NUMBER"}]
    served = study(1, secondary=stated, status="RECRUITING", pcd=("2026-01-01", "ESTIMATED"), **fields)
    put_studies(tmp_path / "data", AS_OF, [served])
    lines = extract(1, [("FR", abroad), ("GB", "Completed", LONG_AGO)])
    put_file(tmp_path / "data", "euctr", AS_OF, "protocols.csv", table(EXTRACT, lines))
    with tables(tmp_path / "data") as connection:
        assert rows(connection, "SELECT completion_latest FROM trials") == [(end,)]
        assert verdict(connection, euctr(1), "uk-hra") == status


# --- when it was registered ------------------------------------------------------------------------------------------

REGISTERED = {
    # country records (part, day of first entry; None: not in the download), CTIS record, start -> first registration,
    # verdict by the day
    "the first entry is another country's than the first by name": (
        [("AT", "2012-11-28"), ("DE", "2010-02-01"), ("FR", "2011-01-01")], None, "2010-06-01",
        date(2010, 2, 1), "prospective"),
    "it is the first by name": (
        [("AT", "2010-02-01"), ("DE", "2012-11-28")], None, "2010-06-01", date(2010, 2, 1), "prospective"),
    "a country without the day": (
        [("AT", ""), ("DE", "2010-07-01")], None, "2010-06-01", date(2010, 7, 1), "retrospective"),
    "a day that cannot be read": (
        [("AT", "no day"), ("DE", "2010-02-01")], None, "2010-06-01", date(2010, 2, 1), "prospective"),
    "applied for in CTIS": ([], dict(applied="2024-03-05"), "2021-04-28", date(2024, 3, 5), "retrospective"),
    "moved to CTIS, the former record not known": (
        [], dict(applied="2024-03-05", eudract="former"), "2021-04-28", date(2024, 3, 5), "unknown"),
    "moved to CTIS before it began": (
        [], dict(applied="2024-03-05", eudract="former"), "2024-03-06", date(2024, 3, 5), "prospective"),
    "moved to CTIS, the former record without the day": (
        [("DE", None)], dict(applied="2024-03-05", eudract="former"), "2021-04-28", date(2024, 3, 5), "unknown"),
    "moved to CTIS, the former record in time": (
        [("DE", "2021-04-01")], dict(applied="2024-03-05", eudract="former"), "2021-04-28", date(2021, 4, 1), "prospective"),
    "moved to CTIS, the former record late": (
        [("DE", "2021-04-29")], dict(applied="2024-03-05", eudract="former"), "2021-04-28", date(2021, 4, 29), "retrospective"),
}  # fmt: skip


@pytest.fixture(scope="module")
def registered(tmp_path_factory):
    data = tmp_path_factory.mktemp("registered") / "data"
    texts, lines, pages, served = [], [], [], []
    for number, (records, fields, start, *_) in enumerate(REGISTERED.values()):
        texts += [
            text(number, part, "Ongoing", "", "NYN", "No", entered=day) for part, day in records if day is not None
        ]
        lines += extract(number, [(part, "Ongoing") for part, day in records if day is None])
        if records:
            pages.append(page(number, "", LONG_AGO, "Tabular", start))
        if fields:
            former = euctr(number) if fields.get("eudract") else None
            shown = {**fields, "eudract": former, "code": 4, "end": None, "extra": {"startDateEU": start}}
            served.append(ctis_record(number, **shown))
    put_file(data, "euctr", AS_OF, "full.txt", "\n".join(texts))
    put_file(data, "euctr", AS_OF, "protocols.csv", table(EXTRACT, lines))
    put_file(data, "euctr", AS_OF, "pages.csv", table(PAGE, pages))
    put_file(data, "ctis", AS_OF, "records.jsonl", "\n".join(map(json.dumps, served)))
    with tables(data) as connection:
        yield connection


@pytest.mark.parametrize("case", REGISTERED)
def test_the_first_registration_is_the_earliest_entry(registered, case):
    number = list(REGISTERED).index(case)
    found = rows(
        registered,
        f"""SELECT DISTINCT s.registered, s.status, s.missing_field FROM registration_status AS s
        JOIN registrations AS r USING (trial_id)
        WHERE rule = 'strict-day' AND r.registration_id IN ('{euctr(number)}', '{ctis(number)}')""",
    )
    *_, day, status = REGISTERED[case]
    assert found == [(day, status, "registered" if status == "unknown" else None)]


@pytest.mark.parametrize(
    ("case", "days"),
    [
        ("moved to CTIS, the former record not known", (None, 1042)),
        ("moved to CTIS, the former record late", (1, 1)),
        ("moved to CTIS, the former record in time", (-27, -27)),
    ],
)
def test_days_to_a_registration_that_may_be_earlier_have_no_lower_bound(registered, case, days):
    number = ctis(list(REGISTERED).index(case))
    found = rows(
        registered,
        f"""SELECT DISTINCT days_min, days_max FROM registration_status JOIN registrations AS r USING (trial_id)
        WHERE rule = 'strict-day' AND r.registration_id = '{number}'""",
    )
    assert found == [days]


@pytest.mark.parametrize(
    ("entered", "start", "status"),
    [("", "2020-01-15", "unknown"), ("2020-01-10", "2020-01-15", "prospective"), ("", "2020-03-15", "prospective")],
)
def test_a_registration_that_gives_no_day_may_have_been_the_first(tmp_path, entered, start, status):
    own = [{"id": euctr(1), "type": "EUDRACT_NUMBER"}]
    put_studies(tmp_path / "data", AS_OF, [study(1, registered="2020-02-01", start=start, secondary=own)])
    put_file(tmp_path / "data", "euctr", AS_OF, "full.txt", text(1, "DE", "Ongoing", "", "NYN", "No", entered=entered))
    with tables(tmp_path / "data") as connection:
        found = rows(
            connection,
            """SELECT status, missing_field, r1_registered_before_start FROM registration_status
            JOIN disclosure USING (trial_id) WHERE rule = 'strict-day'""",
        )
    assert found == [(status, "registered" if status == "unknown" else None, True if status == "prospective" else None)]


def test_a_download_without_the_results_link_leaves_open_whether_every_country_shows_results(registered):
    number = euctr(list(REGISTERED).index("it is the first by name"))
    found = rows(registered, f"SELECT r2_summary_results, r2_all_countries FROM disclosure WHERE trial_id = '{number}'")
    assert found == [(True, None)]


# --- several snapshots -----------------------------------------------------------------------------------------------

FETCHED = {"records": None}
HISTORY = {
    # (day, source, file, content, what it says of its fetching if it was fetched) of every snapshot, made from the case's number -> policy, status
    "an edit took it out of scope": (
        lambda n: [
            (date(2023, 1, 1), "euctr", "full.txt", text(n, "DE", "Completed", LONG_AGO, "NYN", "No")),
            (AS_OF, "euctr", "full.txt", text(n, "DE", "Completed", LONG_AGO, "YNN", "No")),
        ], "eu-ctd", "left_scope"),
    "a move is no edit": (
        lambda n: [
            (date(2023, 1, 1), "euctr", "full.txt", text(n, "DE", "Ongoing", "", "NYN", "No")),
            (AS_OF, "euctr", "full.txt", text(n, "DE", "Trial now transitioned", "", "NYN", "No")),
        ], "eu-ctd", "out_of_scope"),
    "a converted record, with the end that its posted results give": (
        lambda n: [(AS_OF, "euctr", "records.jsonl", json.dumps({
            "_id": f"{euctr(n)}-DE", "x5_trial_status": "Completed",
            "trialInformation": {"globalEndOfTrialDate": LONG_AGO}}))],
        "eu-ctd", "reported_undated"),
    "an end date that the newest record dropped": (
        lambda n: [
            (date(2023, 1, 1), "euctr", "protocols.csv", table(EXTRACT, extract(n, [("DE", "Completed", LONG_AGO)]))),
            (AS_OF, "euctr", "protocols.csv", table(EXTRACT, extract(n, [("DE", "Completed")]))),
        ], "eu-ctd", "inconsistent"),
    **{
        f"an old results page, link {name}": (
            lambda n, link=link: [
                (date(2023, 1, 20), "euctr", "pages.csv", table(PAGE, [page(n, LONG_AGO, "2023-01-10")])),
                (AS_OF, "euctr", "protocols.csv", table(EXTRACT, extract(n, [("DE", "Completed", LONG_AGO, link)]))),
            ], "eu-ctd", status)
        for name, link, status in (
            ("removed", REMOVED, "overdue"), ("gone", "", "overdue"), ("there", YES, "reported_on_time"))
    },
    "a results page newer than the country records": (
        lambda n: [
            (date(2024, 6, 1), "euctr", "protocols.csv", table(EXTRACT, extract(n, [("DE", "Completed", LONG_AGO)]))),
            (AS_OF, "euctr", "pages.csv", table(PAGE, [page(n, "", "2024-06-10")])),
        ], "eu-ctd", "reported_late"),
    **{
        f"last seen {day}": (
            lambda n, day=day: [
                (day, "euctr", "protocols.csv", table(EXTRACT, extract(n, [("DE", "Completed", LONG_AGO)])))],
            "eu-ctd", status)
        for day, status in ((date(2024, 5, 1), "overdue"), (date(2024, 4, 30), "reporting_unknown"))
    },
    **{
        f"CTIS last seen {day}": (
            lambda n, day=day: [(day, "ctis", "records.jsonl", json.dumps(ctis_record(n)))], "eu-ctr", status)
        for day, status in ((date(2024, 5, 1), "overdue"), (date(2024, 4, 30), "reporting_unknown"))
    },
    "a summary without a day that an early snapshot shows": (
        lambda n: [
            (day, "ctis", "records.jsonl", json.dumps(ctis_record(n, summaries=[None])))
            for day in (date(2023, 1, 10), AS_OF)
        ], "eu-ctr", "reported_on_time"),
    "an intermediate summary in time, a final one without a day later": (
        lambda n: [
            (date(2023, 1, 10), "ctis", "records.jsonl", json.dumps(
                ctis_record(n, interim=["2021-03-01"], extra={"resultsFirstReceived": "Yes"}))),
            (AS_OF, "ctis", "records.jsonl", json.dumps(ctis_record(n, interim=["2021-03-01"], summaries=[None]))),
        ], "eu-ctr", "reported_undated"),
    **{
        f"a country's record that a later {name}": (
            lambda n, later=later: [
                (date(2023, 1, 1), "euctr", "full.txt", "\n".join([
                    text(n, "DE", "Completed", LONG_AGO, "NYN", "No"), text(n, "FR", "Ongoing", "", "NYN", "No")])),
                *later(n),
            ], "eu-ctd", status)
        for name, later, status in (
            ("full text lacks", lambda n: [
                (AS_OF, "euctr", "full.txt", text(n, "FR", "Ongoing", "", "NYN", "No"), FETCHED)], "not_completed"),
            ("full text lacks that was imported: one country's alone reads so", lambda n: [
                (AS_OF, "euctr", "full.txt", text(n, "FR", "Ongoing", "", "NYN", "No"))], "inconsistent"),
            ("full text has", lambda n: [
                (AS_OF, "euctr", "full.txt", "\n".join([
                    text(n, "DE", "Completed", LONG_AGO, "NYN", "No"), text(n, "FR", "Ongoing", "", "NYN", "No")]), FETCHED)],
             "inconsistent"),
            ("extract lacks", lambda n: [
                (AS_OF, "euctr", "protocols.csv", table(EXTRACT, extract(n, [("FR", "Ongoing")])))], "inconsistent"),
            ("results page lacks", lambda n: [
                (AS_OF, "euctr", "pages.csv", table(PAGE, [page(n, "", "2024-06-10", "Broken")]))], "inconsistent"),
            ("full text lacks, of which a record could not be read", lambda n: [
                (AS_OF, "euctr", "full.txt", text(n, "FR", "Ongoing", "", "NYN", "No") + "\nSummary\nEudraCT Number: x",
                 FETCHED)],
             "inconsistent"),
        )
    },
    "phase and plan of an older text, the newest record is an extract": (
        lambda n: [
            (date(2023, 1, 1), "euctr", "full.txt", text(n, "DE", "Completed", LONG_AGO, "YNN", "No")),
            (AS_OF, "euctr", "protocols.csv", table(EXTRACT, extract(n, [("DE", "Completed", LONG_AGO)]))),
        ], "eu-ctd", "out_of_scope"),
    **{
        f"the link of an older extract {name}, the newest record is a text": (
            lambda n, day=day, link=link: [
                (day, "euctr", "protocols.csv", table(EXTRACT, extract(n, [("DE", "Completed", LONG_AGO, link)]))),
                (AS_OF, "euctr", "full.txt", text(n, "DE", "Completed", LONG_AGO, "NYN", "No")),
            ], "eu-ctd", status)
        for name, day, link, status in (
            ("that had none, recent", date(2024, 5, 1), "", "overdue"),
            ("that had none, long ago", date(2024, 4, 30), "", "reporting_unknown"),
            ("that had one", date(2022, 6, 1), YES, "reported_on_time"))
    },
    "a registration that only ICTRP passes on, without country records": (
        lambda n: [(AS_OF, "ictrp", "trials.xml", (
            f"<Trials_downloaded_from_ICTRP><Trial><TrialID>EUCTR{euctr(n)}-DE</TrialID><Source_Register>EU Clinical Trials Register</Source_Register>"
            "<Recruitment_Status>Not Recruiting</Recruitment_Status></Trial></Trials_downloaded_from_ICTRP>"))],
        "eu-ctd", "completion_unknown"),
}  # fmt: skip


def put_fetched(data, source, day, name, content):
    path = data.parent / name
    path.write_text(content, encoding="utf-8")
    snapshots.store_files(data, source, day, [path], fetched=FETCHED)


@pytest.fixture(scope="module")
def history(tmp_path_factory):
    data = tmp_path_factory.mktemp("history") / "data"
    for number, (make, _, _) in enumerate(HISTORY.values()):
        for day, source, name, content, *fetched in make(number):
            if fetched:
                put_fetched(data, source, day, f"{number}-{name}", content)
            else:
                put_file(data, source, day, f"{number}-{name}", content)
    with tables(data) as connection:
        yield connection


@pytest.mark.parametrize("case", ["that had none, recent", "that had one"])
def test_another_form_of_a_record_is_no_edit_of_it(history, case):
    """A field extract has neither phase nor sponsor, and a full text does not say whether there are results."""
    number = euctr(list(HISTORY).index(f"the link of an older extract {case}, the newest record is a text"))
    versions = f"SELECT max(version) FROM registration_versions WHERE registration_id = '{number}' AND part = 'DE'"
    assert rows(history, versions) == [(2,)]
    changes = f"SELECT field, change FROM registration_changes WHERE registration_id = '{number}'"
    assert rows(history, changes) == []


@pytest.mark.parametrize("case", HISTORY)
def test_what_several_snapshots_show(history, case):
    number = list(HISTORY).index(case)
    _, policy, status = HISTORY[case]
    assert verdict(history, (ctis if policy == "eu-ctr" else euctr)(number), policy) == status


@pytest.mark.parametrize(
    ("case", "has_results", "on_all", "status"),
    [
        ("that had none, recent", False, False, "overdue"),
        ("that had none, long ago", None, None, "reporting_unknown"),
        ("that had one", True, True, "reported_on_time"),
    ],
)
def test_the_link_of_an_older_extract_counts_wherever_results_are_asked_for(history, case, has_results, on_all, status):
    number = euctr(list(HISTORY).index(f"the link of an older extract {case}, the newest record is a text"))
    found = rows(
        history,
        f"""SELECT has_results, r2_summary_results, r2_all_countries, s.status
        FROM trials JOIN disclosure USING (trial_id) JOIN reporting_status AS s USING (trial_id)
        WHERE trial_id = '{number}' AND s.policy IN ('alltrials-summary', 'who-summary')""",
    )
    assert found == [(has_results, has_results, on_all, status)] * 2


def test_the_edit_is_named(history):
    number = euctr(list(HISTORY).index("an edit took it out of scope"))
    found = rows(history, f"SELECT in_scope_before.value FROM legs_eu_ctd WHERE trial_id = '{number}'")
    assert found == [(f"not exempt until {AS_OF}",)]


def test_the_end_of_posted_results_is_not_the_country_records(history):
    number = euctr(list(HISTORY).index("a converted record, with the end that its posted results give"))
    found = rows(history, f"SELECT end_date_from_results_page.outcome FROM legs_eu_ctd WHERE trial_id = '{number}'")
    assert found == [(True,)]


def test_all_of_the_register_shows_which_countries_are_gone_also_where_it_was_imported(tmp_path):
    ended, runs = text(1, "DE", "Completed", LONG_AGO, "NYN", "No"), text(1, "FR", "Ongoing", "", "NYN", "No")
    put_file(tmp_path / "data", "euctr", date(2023, 1, 1), "full.txt", f"{ended}\n{runs}", "full")
    put_file(tmp_path / "data", "euctr", AS_OF, "full.txt", runs, "full")
    with tables(tmp_path / "data") as connection:
        assert verdict(connection, euctr(1), "eu-ctd") == "not_completed"


def test_nothing_is_overdue_on_a_record_that_the_newest_full_snapshot_lacks(tmp_path):
    data = tmp_path / "data"
    for day, numbers, scope in ((date(2024, 6, 20), (1, 2), "partial"), (date(2024, 6, 25), (2,), "full")):
        lines = [line for n in numbers for line in extract(n, [("DE", "Completed", LONG_AGO)])]
        put_file(data, "euctr", day, "protocols.csv", table(EXTRACT, lines), scope)
        put_file(data, "ctis", day, "records.jsonl", "\n".join(json.dumps(ctis_record(n)) for n in numbers), scope)
    with tables(data) as connection:
        found = [
            verdict(connection, number, policy)
            for policy, name in (("eu-ctd", euctr), ("eu-ctr", ctis))
            for number in map(name, (1, 2))
        ]
    assert found == ["reporting_unknown", "overdue"] * 2


def test_what_a_country_record_that_is_gone_still_says(tmp_path):
    """When the trial was registered, and that it was in scope."""
    first = text(1, "DE", "Ongoing", "", "NYN", "No", entered="2012-01-10")
    second = text(1, "FR", "Ongoing", "", "YNN", "No", entered="2013-05-02")
    for day, records in ((date(2023, 1, 1), [first, second]), (date(2024, 6, 1), [second]), (AS_OF, [second])):
        put_file(tmp_path / "data", "euctr", day, "full.txt", "\n".join(records), "full")
    with tables(tmp_path / "data") as connection:
        gone = rows(connection, "SELECT part, gone_on FROM euctr_gone_parts")
        entered = rows(connection, "SELECT registered_earliest, registered_raw, registered_latest FROM registrations")
        scope = rows(
            connection,
            """SELECT status, in_scope_before.value FROM reporting_status JOIN legs_eu_ctd USING (trial_id)
            WHERE policy = 'eu-ctd'""",
        )
    assert gone == [("DE", date(2024, 6, 1))]
    assert entered == [(date(2012, 1, 10), "2012-01-10", date(2012, 1, 10))]
    assert scope == [("left_scope", "not exempt until 2024-06-01")]


def test_a_day_of_entry_that_a_gone_record_had_corrected_does_not_come_back(tmp_path):
    second = text(1, "FR", "Ongoing", "", "NYN", "No", entered="2013-05-02")
    for day, entered in ((date(2023, 1, 1), "2002-01-10"), (date(2023, 6, 1), "2012-01-10"), (AS_OF, None)):
        first = [text(1, "DE", "Ongoing", "", "NYN", "No", entered=entered)] if entered else []
        put_file(tmp_path / "data", "euctr", day, "full.txt", "\n".join([*first, second]), "full")
    with tables(tmp_path / "data") as connection:
        assert rows(connection, "SELECT registered_earliest FROM registrations") == [(date(2012, 1, 10),)]


def test_a_country_of_which_no_link_was_seen_leaves_results_open_in_every_policy(tmp_path):
    ended = [text(1, part, "Completed", LONG_AGO, "NYN", "No") for part in ("DE", "FR")]
    lines = extract(1, [("DE", "Completed", LONG_AGO)])
    put_file(tmp_path / "data", "euctr", date(2024, 6, 1), "protocols.csv", table(EXTRACT, lines))
    put_file(tmp_path / "data", "euctr", AS_OF, "full.txt", "\n".join(ended))
    with tables(tmp_path / "data") as connection:
        found = [verdict(connection, euctr(1), policy) for policy in ("eu-ctd", "alltrials-summary", "who-summary")]
    assert found == ["reporting_unknown"] * 3


# --- what people corrected -------------------------------------------------------------------------------------------

CORRECTED = {
    # (country records or CTIS fields, corrections of the registration) -> status before, status after
    "an end in CTIS": (dict(end=LONG_AGO), {"completion": "2023-06-30"}, "overdue", "not_due"),
    "no end in CTIS": (dict(end=LONG_AGO), {"completion": ""}, "overdue", "inconsistent"),
    "a status in CTIS": (dict(end=None), {"status": "recruiting"}, "inconsistent", "not_completed"),
    "results in CTIS": (
        dict(), {"has_results": "true", "results_submitted": "2023-01-10"}, "overdue", "reported_on_time"),
    "no results in CTIS": (dict(summaries=["2023-01-10"]), {"has_results": "false"}, "reported_on_time", "overdue"),
    "a phase in CTIS": (dict(category=None, end="2023-06-01"), {"phase": "phase1"}, "overdue", "deferred"),
    "an end in EUCTR": ([("DE", "Completed"), ("FR", "Completed")], {"completion": "2022-01-10"}, "inconsistent", "overdue"),
    "an end known by its month": ([("DE", "Completed", LONG_AGO)], {"completion": "2023-06"}, "overdue", "not_due"),
    "no end in EUCTR": ([("DE", "Completed", LONG_AGO)], {"completion": ""}, "overdue", "inconsistent"),
    "a status in EUCTR": (
        [("DE", "Completed", LONG_AGO), ("FR", "Ongoing")], {"status": "completed"}, "inconsistent", "overdue"),
    "results in EUCTR": (
        [("DE", "Completed", LONG_AGO)], {"has_results": "true", "results_posted": "2023-01-11"}, "overdue", "reported_late"),
    "no results in EUCTR": ([("DE", "Completed", LONG_AGO, YES)], {"has_results": "false"}, "reported_undated", "overdue"),
    "a phase in EUCTR": ([("DE", "Completed", LONG_AGO)], {"phase": "phase2_phase3"}, "overdue", "overdue"),
    "what the policies do not ask": ([("DE", "Completed", LONG_AGO)], {"enrolment": "7"}, "overdue", "overdue"),
}  # fmt: skip


@pytest.fixture(scope="module")
def uncorrected(tmp_path_factory):
    data = tmp_path_factory.mktemp("corrected") / "data"
    made = [record for record, *_ in CORRECTED.values()]
    lines = [line for n, record in enumerate(made) if isinstance(record, list) for line in extract(n, record)]
    put_file(data, "euctr", AS_OF, "protocols.csv", table(EXTRACT, lines))
    served = [ctis_record(n, **record) for n, record in enumerate(made) if isinstance(record, dict)]
    put_file(data, "ctis", AS_OF, "records.jsonl", "\n".join(map(json.dumps, served)))
    return data


def number_of_corrected(case: str) -> str:
    number = list(CORRECTED).index(case)
    return (ctis if isinstance(CORRECTED[case][0], dict) else euctr)(number)


@pytest.fixture(scope="module")
def corrected(uncorrected):
    decisions = [
        f"{n}-{field},2024-05-20,correct,{number_of_corrected(case)},,{field},{value},An invented reason,proof,reviewer"
        for n, case in enumerate(CORRECTED)
        for field, value in CORRECTED[case][1].items()
    ]
    with tables(uncorrected, adjudicated=decisions) as connection:
        yield connection


def verdicts_of_corrected(connection) -> list[str]:
    return [
        verdict(connection, number_of_corrected(case), "eu-ctr" if isinstance(record, dict) else "eu-ctd")
        for case, (record, *_) in CORRECTED.items()
    ]


def test_a_correction_reaches_the_rules_of_the_eu(uncorrected, corrected):
    with tables(uncorrected) as connection:
        before = verdicts_of_corrected(connection)
    found = {case: (*pair,) for case, *pair in zip(CORRECTED, before, verdicts_of_corrected(corrected), strict=True)}
    assert found == {case: (was, now) for case, (_, _, was, now) in CORRECTED.items()}


def test_a_corrected_phase_takes_the_place_of_the_proxy(corrected):
    where = f"policy = 'eu-ctd' AND trial_id = '{number_of_corrected('a phase in EUCTR')}'"
    assert rows(corrected, f"SELECT applies FROM reporting_status WHERE {where}") == [("yes",)]


def test_an_end_known_by_its_month_has_both_bounds(corrected):
    where = f"policy = 'eu-ctd' AND trial_id = '{number_of_corrected('an end known by its month')}'"
    found = rows(corrected, f"SELECT clock_earliest, clock_latest FROM reporting_status WHERE {where}")
    assert found == [(date(2023, 6, 1), date(2023, 6, 30))]


@pytest.mark.parametrize(
    ("case", "has_results"), [("results in EUCTR", True), ("no results in EUCTR", False), ("an end in EUCTR", False)]
)
def test_corrected_results_are_those_of_every_country_on_the_ladder_too(corrected, case, has_results):
    where = f"trial_id = '{number_of_corrected(case)}'"
    found = rows(corrected, f"SELECT r2_summary_results, r2_all_countries FROM disclosure WHERE {where}")
    assert found == [(has_results, has_results)]
