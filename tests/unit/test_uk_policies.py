"""The two UK policies and their registration rules, row by row and at each boundary day."""

from datetime import date

import pytest

from tests.unit.test_eu_policies import EXTRACT as EU_EXTRACT
from tests.unit.test_eu_policies import PAGE, YES, euctr, page, table
from tests.worlds import AS_OF, nct, put_file, put_studies, rows, study, tables


def at(*countries: str, **fields):
    sites = {"protocolSection": {"contactsLocationsModule": {"locations": [{"country": c} for c in countries]}}}
    kinds = fields.pop("kinds", ())
    if kinds:
        sites["protocolSection"]["armsInterventionsModule"] = {
            "interventions": [{"type": kind, "name": "Invented"} for kind in kinds]
        }
    return fields | {"extra": sites}


# AS_OF is 2024-06-30; the studies complete on 2021-06-10 unless they say otherwise.
HRA = {
    "a UK site": (at("United Kingdom"), "overdue", "yes"),
    "one of several countries": (at("France", "United Kingdom"), "overdue", "yes"),
    "elsewhere only": (at("France"), "out_of_scope", "no"),
    "no country named": (at(), "scope_unknown", "possible"),
    "all countries taken off the record": (
        dict(extra={"derivedSection": {"miscInfoModule": {"removedCountries": ["United Kingdom"]}}}), "scope_unknown", "possible"),
    "observational": (at("United Kingdom", study_type="OBSERVATIONAL"), "out_of_scope", "no"),
    "the clock is completion, not primary completion": (
        at("United Kingdom", pcd="2023-01-01", cd="2023-06-30"), "not_due", "yes"),
    "a day later": (at("United Kingdom", pcd="2023-01-01", cd="2023-06-29"), "overdue", "yes"),
    "primary completion stands for it": (at("United Kingdom", pcd="2023-06-29", cd=None), "overdue", "yes"),
    "reported on the last day": (at("United Kingdom", results=("2022-06-10", "2022-07-10")), "reported_on_time", "yes"),
    "reported a day late": (at("United Kingdom", results=("2022-06-11", "2022-07-10")), "reported_late", "yes"),
    "due today": (at("United Kingdom", cd="2023-06-30"), "not_due", "yes"),
    "month only: due today by its last day": (at("United Kingdom", cd="2023-06"), "not_due", "yes"),
    "month only: due yesterday at the latest": (at("United Kingdom", cd="2023-05"), "overdue", "yes"),
    "29 February, in time": (at("United Kingdom", cd="2020-02-29", results=("2021-02-28", "2021-03-30")), "reported_on_time", "yes"),
    "29 February, a day late": (at("United Kingdom", cd="2020-02-29", results=("2021-03-01", "2021-03-30")), "reported_late", "yes"),
    "submitted in time, not public": (at("United Kingdom", events=[("RELEASE", "2022-06-10")]), "submitted_on_time", "yes"),
    "submitted a day late, not public": (at("United Kingdom", events=[("RELEASE", "2022-06-11")]), "submitted_late", "yes"),
    "still runs": (at("United Kingdom", status="RECRUITING", pcd=None, cd=None), "not_completed", "yes"),
    "completed without a date": (at("United Kingdom", pcd=None, cd=None), "inconsistent", "yes"),
    "unknown without a date": (at("United Kingdom", status="UNKNOWN", pcd=None, cd=None), "completion_unknown", "yes"),
    "withdrawn": (at("United Kingdom", status="WITHDRAWN", enrolment=0), "never_started", "yes"),
}  # fmt: skip

REGULATIONS = {
    "began before them": (at("United Kingdom", kinds=["DRUG"]), "out_of_scope"),
    "begins on the day": (at("United Kingdom", kinds=["DRUG"], start="2026-04-28", pcd="2027-01-01", cd="2027-06-01"),
                          "scope_unknown"),
    "begins the day before": (at("United Kingdom", kinds=["DRUG"], start="2026-04-27", pcd="2027-01-01", cd="2027-06-01"),
                              "out_of_scope"),
    "may begin later in the month": (at("United Kingdom", kinds=["DRUG"], start="2026-04", pcd="2027-01-01", cd="2027-06-01"),
                                     "scope_unknown"),
    "began before them, abroad too": (at("United Kingdom", "France", kinds=["DRUG"], pcd="2027-01-01", cd="2027-06-01"),
                                      "scope_unknown"),
    "ended before them, abroad too": (at("United Kingdom", "France", kinds=["DRUG"]), "out_of_scope"),
    "ended on the day, abroad too": (at("United Kingdom", "France", kinds=["DRUG"], cd="2026-04-28"), "scope_unknown"),
    "was to end before them, still runs": (
        at("United Kingdom", "France", kinds=["DRUG"], status="RECRUITING", cd=("2021-06-10", "ESTIMATED")), "scope_unknown"),
    "an actual end before them, the status not kept": (
        at("United Kingdom", "France", kinds=["DRUG"], status="RECRUITING"), "out_of_scope"),
    "an end that was expected before them, not known to have come": (
        at("United Kingdom", "France", kinds=["DRUG"], status="UNKNOWN", cd=("2026-04-01", "ESTIMATED")), "scope_unknown"),
    "an expected end of a trial that ended": (
        at("United Kingdom", "France", kinds=["DRUG"], cd=("2026-04-01", "ESTIMATED")), "out_of_scope"),
    "an actual end, the record not kept since": (
        at("United Kingdom", "France", kinds=["DRUG"], status="UNKNOWN", cd="2026-04-01"), "out_of_scope"),
    "no medicine": (at("United Kingdom", kinds=["BEHAVIORAL"], start="2026-05-01", pcd="2027-01-01", cd=None), "out_of_scope"),
    "kind not told": (at("United Kingdom", kinds=["OTHER"], start="2026-05-01", pcd="2027-01-01", cd=None), "scope_unknown"),
    "month before them, by its last day": (at("United Kingdom", kinds=["DRUG"], start="2026-03", pcd="2027-01-01", cd="2027-06-01"),
                                           "out_of_scope"),
    "no start": (at("United Kingdom", kinds=["DRUG"], start=None, pcd="2027-01-01", cd="2027-06-01"), "scope_unknown"),
    "withdrawn": (at("United Kingdom", kinds=["DRUG"], status="WITHDRAWN", enrolment=0, start="2026-05-01", pcd=None, cd=None),
                  "never_started"),
    "observational": (at("United Kingdom", kinds=["DRUG"], study_type="OBSERVATIONAL", start="2026-05-01", pcd=None, cd=None),
                      "out_of_scope"),
    "elsewhere": (at("France", kinds=["DRUG"], start="2026-05-01", pcd="2027-01-01", cd=None), "out_of_scope"),
}  # fmt: skip

# A start on 2020-01-15; 42 days later is 2020-02-26.
WEEKS = {
    "before": ("2020-01-14", "2020-01-15", "prospective"),
    "on the last day": ("2020-02-26", "2020-01-15", "prospective"),
    "a day late": ("2020-02-27", "2020-01-15", "retrospective"),
    "month only, in time by both ends": ("2020-02-12", "2020-01", "prospective"),
    "month only, between": ("2020-02-13", "2020-01", "unknown"),
    "month only, on the last day of the latest": ("2020-03-13", "2020-01", "unknown"),
    "month only, late by both ends": ("2020-03-14", "2020-01", "retrospective"),
    "leap day": ("2020-04-11", "2020-02-29", "prospective"),
    "no start": ("2020-01-14", None, "unknown"),
    "not begun": ("2024-06-01", "2024-07-01", "not_started"),
}


def judged(tmp_path, cases, as_of=AS_OF):
    data = tmp_path / "data"
    put_studies(data, as_of, [study(i, **fields) for i, fields in enumerate(cases)])
    return data


def test_hra(tmp_path):
    data = judged(tmp_path, [fields for fields, *_ in HRA.values()])
    with tables(data) as connection:
        found = rows(connection, "SELECT trial_id, status, applies FROM reporting_status WHERE policy = 'uk-hra'")
    expected = {(nct(i), status, applies) for i, (_, status, applies) in enumerate(HRA.values())}
    names = {nct(i): name for i, name in enumerate(HRA)}
    assert {(names[n], *rest) for n, *rest in found} == {(names[n], *rest) for n, *rest in expected}


def test_regulations_of_2026(tmp_path):
    day = date(2026, 6, 30)
    data = judged(tmp_path, [fields for fields, _ in REGULATIONS.values()], day)
    with tables(data, day) as connection:
        found = dict(rows(connection, "SELECT trial_id, status FROM reporting_status WHERE policy = 'uk-ctr-2026'"))
        unknown = rows(
            connection,
            "SELECT DISTINCT decided_by FROM reporting_status WHERE policy = 'uk-ctr-2026' AND status = 'scope_unknown'",
        )
    assert {name: found[nct(i)] for i, name in enumerate(REGULATIONS)} == {n: s for n, (_, s) in REGULATIONS.items()}
    assert {d for (d,) in unknown} == {"approved", "approved, interventions"}


@pytest.mark.parametrize("rule", ["uk-6-weeks", "uk-ctr-2026-90-days"])
def test_registration_rules(tmp_path, rule):
    data = judged(tmp_path, [dict(registered=r, start=s) for r, s, _ in WEEKS.values()])
    with tables(data) as connection:
        found = dict(rows(connection, f"SELECT trial_id, status FROM registration_status WHERE rule = '{rule}'"))
    if rule == "uk-6-weeks":
        assert {name: found[nct(i)] for i, name in enumerate(WEEKS)} == {n: s for n, (_, _, s) in WEEKS.items()}
        return
    # Without the day of approval nothing is certainly late.
    verdicts = {name: found[nct(i)] for i, name in enumerate(WEEKS)}
    assert verdicts == dict.fromkeys(WEEKS, "unknown") | {
        "before": "prospective", "not begun": "not_started", "leap day": "unknown"}  # fmt: skip


EXTRACT = (*EU_EXTRACT, "date_of_competent_authority_decision")
# (country records as the EU register's extract shows them, with the authority's decision), what the page of posted
# results says of participants -> verdict by the HRA, verdict by the regulations
EU_RECORDS = {
    "approved long ago, runs on": (
        [("FR", "Ongoing", "", "", ""), ("GB", "Ongoing", "", "", "2015-03-02")], None, "not_completed", "out_of_scope"),
    "the UK's decision is not known": (
        [("FR", "Ongoing", "", "", "2015-03-02"), ("GB", "Ongoing", "", "", "")], None, "not_completed", "out_of_scope"),
    "an actual end, another country has not told of it": (
        [("FR", "Ongoing", "2022-01-10", "", ""), ("GB", "Completed", "2022-01-10", "", "")], None,
        "inconsistent", "out_of_scope"),
    "the UK refused it": (
        [("FR", "Completed", "2022-01-10", "", ""), ("GB", "Not Authorised", "", "", "2015-03-02")], None,
        "out_of_scope", "out_of_scope"),
    "the UK is known from the results alone": (
        [("FR", "Completed", "2022-01-10", YES, "")], "{'France': 7, 'United Kingdom': 5}", "scope_unknown", "out_of_scope"),
    "the UK is on the record too": (
        [("FR", "Completed", "2022-01-10", YES, ""), ("GB", "Completed", "2022-01-10", YES, "")],
        "{'France': 7, 'United Kingdom': 5}", "reported_on_time", "out_of_scope"),
}  # fmt: skip


@pytest.fixture(scope="module")
def eu_records(tmp_path_factory):
    day = date(2026, 6, 30)
    data = tmp_path_factory.mktemp("eu") / "data"
    lines, pages = [], []
    for number, (records, enrolled, *_) in enumerate(EU_RECORDS.values()):
        lines += [(f"{euctr(number)}-{part}", *rest) for part, *rest in records]
        if enrolled:
            pages.append(page(number, "2022-01-10", "2022-12-01", enrolled=enrolled))
    put_file(data, "euctr", day, "protocols.csv", table(EXTRACT, lines))
    put_file(data, "euctr", day, "pages.csv", table(PAGE, pages))
    with tables(data, day) as connection:
        yield connection


@pytest.mark.parametrize("case", EU_RECORDS)
def test_what_the_eu_register_says_of_the_uk(eu_records, case):
    number = euctr(list(EU_RECORDS).index(case))
    found = rows(
        eu_records,
        f"""SELECT status FROM reporting_status WHERE trial_id = '{number}' AND policy IN ('uk-hra', 'uk-ctr-2026')
        ORDER BY policy DESC""",
    )
    assert [status for (status,) in found] == list(EU_RECORDS[case][2:])


def test_a_country_that_only_the_results_name_has_no_share_of_reported_trials(eu_records):
    """Trials without results have no such page: of those known from it, all have reported."""
    found = rows(
        eu_records,
        "SELECT country, is_from_results FROM registration_countries WHERE country IN ('France', 'United Kingdom')"
        f" AND trial_id = '{euctr(list(EU_RECORDS).index('the UK is known from the results alone'))}' ORDER BY 1",
    )
    assert found == [("France", False), ("United Kingdom", True)]
    cards = dict(
        rows(
            eu_records,
            "SELECT unit_value, trials FROM scorecards WHERE unit_kind = 'country' AND policy = 'who-summary'",
        )
    )
    assert cards == {"France": 6, "United Kingdom": 5}
