"""What changed between two versions of a record, how, and where the trial stood then."""

import json
from datetime import date

import pyarrow.parquet as pq
import pytest

from pipelines.privacy import PRIVATE_PERSON
from pipelines.sources import ctgov
from tests.unit.test_eu_policies import EXTRACT, euctr, extract, table, text
from tests.unit.test_ictrp import as_xml
from tests.unit.test_listings import put_update
from tests.worlds import nct, put_file, put_studies, rows, study, tables

FIRST, SECOND, THIRD = date(2024, 1, 10), date(2024, 2, 10), date(2024, 3, 10)


def outcomes(primary=(), secondary=()):
    """The outcomes module; an outcome is its measure, or (measure, time frame)."""

    def listed(given):
        pairs = [o if isinstance(o, tuple) else (o, "Week 4") for o in given]
        return [{"measure": measure, "timeFrame": time} for measure, time in pairs]

    module = {"primaryOutcomes": listed(primary), "secondaryOutcomes": listed(secondary)}
    return {"protocolSection": {"outcomesModule": module}}


@pytest.fixture(scope="module")
def changed(tmp_path_factory):
    """What changed in the study of each case, all in one world: (cases, number) -> rows of the columns asked for."""
    data = tmp_path_factory.mktemp("history") / "data"
    put_studies(data, FIRST, [study(n, **{"updated": "2024-01-05"} | before) for n, before, _ in edits()])
    put_studies(data, SECOND, [study(n, **{"updated": "2024-02-05"} | after) for n, _, after in edits()])
    with tables(data) as connection:

        def ask(number, what):
            return rows(
                connection,
                f"SELECT {what} FROM registration_changes WHERE registration_id = '{nct(number)}' ORDER BY field, ordinal",
            )

        yield ask


def edits():
    """Every case as one study: (number, fields before, fields after)."""
    for n, (before, after, _) in enumerate(OUTCOMES):
        yield 100 + n, {"extra": outcomes(*before)}, {"extra": outcomes(*after)}
    for n, (before, after, _) in enumerate(FIELDS):
        yield 200 + n, before, after
    for n, (dates, _) in enumerate(STATES):
        yield 300 + n, dates | {"extra": outcomes(["Death"])}, dates | {"extra": outcomes(["Stroke"])}


WORDS = "Change in pain on the visual analogue scale at 28 days"
PRESSURE = "Change from baseline in mean {} blood pressure by 24-hour ambulatory monitoring device"
SYSTOLIC, DIASTOLIC = PRESSURE.format("systolic"), PRESSURE.format("diastolic")
SWITCHED = [("primary_outcome", "demoted"), ("primary_outcome", "promoted")]
OUTCOMES = [
    # (primary and secondary outcomes before, after, field and change of each row)
    ((["Death"], []), (["Death"], []), []),
    ((["Death "], []), (["death."], []), []),
    ((["Death"], []), (["Death", "Stroke"], []), [("primary_outcome", "added")]),
    ((["Death", "Stroke"], []), (["Stroke"], []), [("primary_outcome", "removed")]),
    ((["Death"], []), (["Stroke"], []), [("primary_outcome", "added"), ("primary_outcome", "removed")]),
    ((["Death"], ["Stroke"]), (["Stroke"], ["Death"]), [("primary_outcome", "promoted"), ("primary_outcome", "demoted")]),
    ((["Death", "Stroke"], []), (["Stroke", "Death"], []), []),
    (([WORDS], []), (["Pain on the visual analogue scale, 28 days after baseline"], []), [("primary_outcome", "reworded")]),
    (([WORDS], []), ([WORDS.replace("28", "90")], []), [("primary_outcome", "altered")]),
    (([WORDS], []), (["Pain on a numeric scale at 28 days"], []), [("primary_outcome", "altered")]),
    # What only stands in the names of most measures makes no two of them alike.
    ((["Change from baseline in weight"], []), (["Change from baseline in pain"], []),
     [("primary_outcome", "added"), ("primary_outcome", "removed")]),
    (([("Death", "1 year")], []), ([("Death", "2 years")], []), [("primary_outcome_time_frame", "altered")]),
    (([("Death", "1 year")], []), ([("Death", None)], []), [("primary_outcome_time_frame", "removed")]),
    (([("Death", "1 year"), ("Death", "2 years")], []), ([("Death", "1 year")], []), [("primary_outcome", "removed")]),
    # Repeats of a measure are told apart by their times.
    (([("Death", "1 year"), ("Death", "2 years")], []), ([("Death", "2 years")], []), [("primary_outcome", "removed")]),
    (([("Death", "2 years")], []), ([("Death", "1 year"), ("Death", "2 years")], []), [("primary_outcome", "added")]),
    (([("Death", "1 year"), ("Death", "2 years")], []), ([("Death", "2 years"), ("Death", "3 years")], []),
     [("primary_outcome_time_frame", "altered")]),
    (([("Death", None), ("Death", "2 years")], []), ([("Death", "2 years")], []), [("primary_outcome", "removed")]),
    # What changed places with a secondary outcome did so however like the two are.
    (([SYSTOLIC], [DIASTOLIC]), ([DIASTOLIC], [SYSTOLIC]), SWITCHED),
    ((["Overall survival"], ["Progression-free survival"]), (["Progression-free survival"], ["Overall survival"]), SWITCHED),
    (([SYSTOLIC], []), ([DIASTOLIC], [SYSTOLIC]), [("primary_outcome", "added"), ("primary_outcome", "demoted")]),
    (([SYSTOLIC], [DIASTOLIC]), ([DIASTOLIC], []), [("primary_outcome", "promoted"), ("primary_outcome", "removed")]),
    # What stands among the secondary outcomes of both, at its other time, went nowhere.
    (([(SYSTOLIC, "Week 4")], [(SYSTOLIC, "Week 8")]), ([SYSTOLIC.replace("mean ", "")], [(SYSTOLIC, "Week 8")]),
     [("primary_outcome", "reworded")]),
    (([("Death", "1 year")], [("Death", "5 years")]), (["Stroke"], [("Death", "5 years")]),
     [("primary_outcome", "added"), ("primary_outcome", "removed")]),
    ((["Stroke"], [("Death", "5 years")]), ([("Death", "1 year")], [("Death", "5 years")]),
     [("primary_outcome", "added"), ("primary_outcome", "removed")]),
    (([("Death", "1 year")], [("Death", "5 years")]), (["Stroke"], [("Death", "1 year"), ("Death", "5 years")]),
     [("primary_outcome", "added"), ("primary_outcome", "demoted")]),
    (([("Death", "1 year")], [("Death", "5 years")]), (["Stroke"], [("Death", "1 year")]),
     [("primary_outcome", "added"), ("primary_outcome", "demoted")]),
    (([("Death", "1 year")], [("Death", "5 years")]), (["Stroke"], [("Death", "1 year."), ("Death", "5 years")]),
     [("primary_outcome", "added"), ("primary_outcome", "demoted")]),
    (([WORDS, "Death"], []), (["Survival", WORDS.replace("Change in", "Mean")], []),
     [("primary_outcome", "added"), ("primary_outcome", "reworded"), ("primary_outcome", "removed")]),
]  # fmt: skip


@pytest.mark.parametrize(("number", "expected"), [(100 + n, expected) for n, (*_, expected) in enumerate(OUTCOMES)])
def test_primary_outcomes(changed, number, expected):
    found = changed(number, "field, change, similarity")
    assert sorted(row[:2] for row in found) == sorted(expected)
    for _, change, similarity in found:
        assert (similarity is not None) == (change in ("altered", "reworded") and expected[0][0] == "primary_outcome")
        assert change != "reworded" or similarity >= 0.8


FDA = {"protocolSection": {"oversightModule": {"isFdaRegulatedDrug": True}}}
PROTOCOL = {"documentSection": {"largeDocumentModule": {"largeDocs": [{"hasProtocol": True, "label": "Protocol"}]}}}


def sites(*countries):
    return {
        "extra": {"protocolSection": {"contactsLocationsModule": {"locations": [{"country": c} for c in countries]}}}
    }


FIELDS = [
    ({"start": "2020-01-15"}, {"start": "2020-02"}, [("start", "altered", "2020-01-15", "2020-02")]),
    ({"start": "2020-01"}, {"start": "2020-01-15"}, [("start", "refined", "2020-01", "2020-01-15")]),
    ({"pcd": "2021-03-10"}, {"pcd": "2021"}, [("primary_completion", "refined", "2021-03-10", "2021")]),
    ({"start": ("2020-01-15", "ESTIMATED")}, {"start": "2020-01-15"}, [("start", "altered", "2020-01-15", "2020-01-15")]),
    ({"start": ("2020-01-15", None)}, {"start": "2020-01-15"}, []),
    ({"pcd": "2021-03-10"}, {"pcd": None}, [("primary_completion", "removed", "2021-03-10", None)]),
    ({"cd": None}, {"cd": "2021-06-10"}, [("completion", "added", None, "2021-06-10")]),
    ({"enrolment": (50, "ESTIMATED")}, {"enrolment": (38, "ACTUAL")}, [("enrolment", "altered", "50", "38")]),
    ({"phases": ["PHASE2"]}, {"phases": ["PHASE1", "PHASE2"]}, [("phase", "altered", "PHASE2", "PHASE1|PHASE2")]),
    ({"status": "RECRUITING"}, {"status": "COMPLETED"}, [("status", "altered", "RECRUITING", "COMPLETED")]),
    ({"study_type": "INTERVENTIONAL"}, {"study_type": "OBSERVATIONAL"},
     [("study_type", "altered", "INTERVENTIONAL", "OBSERVATIONAL")]),
    ({"sponsor": "Example Inc."}, {"sponsor": "EXAMPLE, Inc"}, []),
    ({"sponsor": "Example Inc."}, {"sponsor": "Sample Ltd"}, [("sponsor", "altered", "Example Inc.", "Sample Ltd")]),
    ({}, {"extra": FDA}, [("is_fda_regulated_drug", "added", None, "true")]),
    ({}, {"results": ("2024-01-20", "2024-02-05")}, [
        ("has_results", "altered", "false", "true"), ("results_posted", "added", None, "2024-02-05"),
        ("results_submitted", "added", None, "2024-01-20")]),
    ({}, {"events": [("RELEASE", "2024-02-01")]}, [("result_event", "added", None, "submitted 2024-02-01")]),
    ({}, {"extra": PROTOCOL}, [("document", "added", None, "Protocol")]),
    (sites("France", "Spain"), sites("Spain", "Italy"), [
        ("country", "removed", "France", None), ("country", "added", None, "Italy")]),
    (sites("France"), {}, []),
    ({}, {}, []),
]  # fmt: skip


@pytest.mark.parametrize(("number", "expected"), [(200 + n, expected) for n, (*_, expected) in enumerate(FIELDS)])
def test_fields(changed, number, expected):
    assert changed(number, "field, change, old_value, new_value") == expected


STATES = [
    # (dates of the study that is edited between 10 January and 5 February 2024, after start, completion, results, state)
    ({"start": "2024-03-01", "pcd": "2025-01-01", "cd": None}, (False, False, False, "before_start")),
    ({"start": "2024-02-05", "pcd": "2025-01-01"}, (False, False, False, "before_start")),
    ({"start": "2024-01-10", "pcd": "2025-01-01"}, (True, False, False, "running")),
    ({"start": "2024-01-11", "pcd": "2025-01-01"}, (None, False, False, None)),
    ({"start": "2024", "pcd": "2025-01-01"}, (None, False, False, None)),
    ({"start": "2023", "pcd": "2024-01-10"}, (True, True, False, "completed")),
    ({"start": "2023", "pcd": "2024-01"}, (True, None, False, None)),
    ({"start": "2023", "pcd": None, "cd": "2023-12"}, (True, True, False, "completed")),
    ({"start": "2023", "pcd": None, "cd": None}, (True, None, False, None)),
    # Expected dates that have passed: the record that still calls the trial running leaves open whether they came true.
    ({"start": "2022", "pcd": ("2023-06-01", "ESTIMATED"), "status": "RECRUITING"}, (True, None, False, None)),
    ({"start": "2022", "pcd": ("2023-06-01", "ESTIMATED"), "status": "TERMINATED"}, (True, True, False, "completed")),
    # The same where the register does not say which kind of date it is.
    ({"start": "2022", "pcd": ("2023-06-01", None), "status": "RECRUITING"}, (True, None, False, None)),
    ({"start": "2022", "pcd": ("2023-06-01", None), "status": "COMPLETED"}, (True, True, False, "completed")),
    ({"start": "2022", "pcd": ("2023-06-01", None), "status": "UNKNOWN"}, (True, True, False, "completed")),
    ({"start": "2022", "pcd": "2023-06-01", "status": "RECRUITING"}, (True, True, False, "completed")),
    ({"start": ("2023-06-01", None), "pcd": "2025-01-01", "status": "NOT_YET_RECRUITING"}, (None, False, False, None)),
    ({"start": ("2023-06-01", None), "pcd": "2025-01-01", "status": "RECRUITING"}, (True, False, False, "running")),
    ({"start": ("2023-06-01", "ESTIMATED"), "pcd": "2025-01-01", "status": "RECRUITING"}, (None, False, False, None)),
    # Expected dates that lie ahead say nothing of a trial that has ended before them.
    ({"start": "2022", "pcd": ("2030-06-30", "ESTIMATED"), "status": "TERMINATED"}, (True, None, False, None)),
    ({"start": "2022", "pcd": ("2030-06-30", None), "status": "COMPLETED"}, (True, None, False, None)),
    ({"start": "2022", "pcd": ("2030-06-30", "ESTIMATED"), "status": "RECRUITING"}, (True, False, False, "running")),
    ({"start": "2022", "pcd": ("2030-06-30", "ESTIMATED"), "status": "UNKNOWN"}, (True, False, False, "running")),
    ({"start": ("2024-05-01", "ESTIMATED"), "pcd": "2024-06-01", "status": "TERMINATED"}, (None, False, False, None)),
    ({"start": ("2024-05-01", "ESTIMATED"), "pcd": "2024-06-01", "status": "RECRUITING"},
     (False, False, False, "before_start")),
    ({"start": "2022", "pcd": "2023-01-01", "status": "WITHDRAWN"}, (False, False, False, "before_start")),
    ({"start": "2021", "pcd": "2022-01-01", "results": ("2023-01-01", "2024-01-10")}, (True, True, True, "after_results")),
    ({"start": "2021", "pcd": "2022-01-01", "results": ("2023-01-01", "2024-02-05")}, (True, True, False, "completed")),
    ({"start": "2021", "pcd": "2022-01-01", "results": ("2023-01-01", "2024-01-20")}, (True, True, None, None)),
    ({"start": "2021", "pcd": "2022-01-01", "has_results": True}, (True, True, None, None)),
]  # fmt: skip


@pytest.mark.parametrize(("number", "expected"), [(300 + n, expected) for n, (_, expected) in enumerate(STATES)])
def test_where_the_trial_stood(changed, number, expected):
    found = changed(number, "changed_after, changed_by, after_start, after_completion, after_results, state")
    assert len(found) == 2
    assert set(found) == {(FIRST, date(2024, 2, 5), *expected)}


@pytest.fixture(scope="module")
def others(tmp_path_factory):
    data = tmp_path_factory.mktemp("others") / "data"
    # An old file imported under a later day than a newer one.
    put_studies(data, SECOND, [study(1, updated="2020-01-05", enrolment=1)], "a.json")
    put_studies(data, FIRST, [study(1, updated="2021-01-05", enrolment=2)], "b.json")
    for day, enrolment, measure in ((FIRST, 10, "Death"), (SECOND, 20, "Stroke"), (THIRD, 10, "Stroke")):
        put_studies(data, day, [
            study(2, updated=str(day), enrolment=enrolment),
            study(3, updated=str(day), extra=outcomes([measure])),
            study(4, updated=str(day), pcd="2025-01-01", cd=None, status="RECRUITING", extra=outcomes([measure])),
        ], "c.json")  # fmt: skip
    full = text(1, "DE", "Ongoing", "", "NYN", "No").replace("\nE.7", "\nE.5.1 Primary end point(s): Death\nE.7", 1)
    put_file(data, "euctr", FIRST, "full.txt", full)
    put_file(data, "euctr", SECOND, "extract.csv", table(EXTRACT, extract(1, [("DE", "Completed")])))
    with tables(data) as connection:
        yield connection


def test_an_old_file_imported_under_a_later_day_widens_when_the_record_can_have_changed(others):
    what = "version, old_value, new_value, changed_after, changed_by"
    found = rows(others, f"SELECT {what} FROM registration_changes WHERE registration_id = '{nct(1)}'")
    assert found == [(2, "1", "2", date(2020, 1, 5), date(2021, 1, 5))]


SUBMITTED = [
    # Completed on 10 January; the old version stood there through the 11th, the edit was posted on the 12th.
    # (day on which the edit was handed in, changed after, after completion)
    (None, date(2024, 1, 11), True),
    ("2024-01-08", date(2024, 1, 7), None),
    ("2024-01-10", date(2024, 1, 9), None),
    ("2024-01-11", date(2024, 1, 10), True),
    ("2024-01-12", date(2024, 1, 11), True),
]


@pytest.fixture(scope="module")
def submitted(tmp_path_factory):
    data = tmp_path_factory.mktemp("submitted") / "data"
    ended = {"pcd": "2024-01-10"}
    for day in (9, 10, 11):
        old = [study(n, updated="2023-12-01", extra=outcomes(["Death"]), **ended) for n, _ in enumerate(SUBMITTED)]
        put_studies(data, date(2024, 1, day), old)
    new = []
    for number, (handed_in, *_) in enumerate(SUBMITTED):
        edited = outcomes(["Stroke"])
        edited["protocolSection"]["statusModule"] = {"lastUpdateSubmitDate": handed_in}
        new.append(study(number, updated="2024-01-12", extra=edited, **ended))
    put_studies(data, date(2024, 1, 12), new)
    with tables(data) as connection:
        yield connection


@pytest.mark.parametrize(("number", "after", "completed"), [(n, *rest) for n, (_, *rest) in enumerate(SUBMITTED)])
def test_an_edit_is_made_when_it_is_handed_in_and_not_when_the_register_shows_it(submitted, number, after, completed):
    what = "DISTINCT changed_after, changed_by, after_completion"
    found = rows(submitted, f"SELECT {what} FROM registration_changes WHERE registration_id = '{nct(number)}'")
    assert found == [(after, date(2024, 1, 12), completed)]


UNVERIFIED = {"updated": "2021-05-05", "start": "2021-01-15", "pcd": ("2021-12-31", "ESTIMATED"), "cd": None}


def test_what_the_register_changes_without_an_update_changed_between_the_snapshots(tmp_path):
    """It calls a trial unknown that nobody verified for two years, and the record's last update stays as it was."""
    for day, status in ((FIRST, "RECRUITING"), (SECOND, "RECRUITING"), (THIRD, "UNKNOWN")):
        put_studies(tmp_path / "data", day, [study(1, status=status, **UNVERIFIED)])
    what = "field, old_value, new_value, changed_after, changed_by, after_completion"
    with tables(tmp_path / "data") as connection:
        found = rows(connection, f"SELECT {what} FROM registration_changes")
    assert found == [("status", "RECRUITING", "UNKNOWN", SECOND, THIRD, None)]


def test_a_private_person_whom_another_source_names_stands_in_no_version(tmp_path):
    """ClinicalTrials.gov says that the sponsor is a person; the WHO portal passes on the name alone."""
    named = {"TrialID": nct(1), "Source Register": "ClinicalTrials.gov"}
    for day, sponsor in ((FIRST, "Ada Mustername"), (SECOND, "Mustername Ada Maria")):
        portal = as_xml(named | {"Primary_sponsor": sponsor}).decode()
        put_file(tmp_path / "data", "ictrp", day, "portal.xml", portal)
    put_studies(tmp_path / "data", THIRD, [study(1, sponsor="Ada Mustername", sponsor_class="INDIV")])
    with tables(tmp_path / "data") as connection:
        shown = rows(connection, "SELECT source, sponsor FROM registration_versions ORDER BY source, version")
        changes = rows(connection, "SELECT old_value, new_value FROM registration_changes WHERE field = 'sponsor'")
    assert shown == [("ctgov", PRIVATE_PERSON), ("ictrp", None), ("ictrp", None)]
    assert changes == []


ONE_DAY = [
    # Two versions in files of one day, 10 January 2024: (their last update, completion, changed after, after completion)
    ("2023-05-01", "2023-03-10", date(2023, 5, 1), True),
    ("2023-05-01", "2023-06-10", date(2023, 5, 1), None),
    ("2024-01-10", "2023-06-10", None, None),
    (None, "2023-06-10", None, None),
    (None, "2025-06-10", None, False),
]


LISTED = {
    # number -> (last update of the new version, changed after, changed by, after completion on 10 March 2024)
    1: ("2024-06-20", date(2024, 6, 18), date(2024, 6, 20), True),
    # The increment of 18 June may have been made before the edit was posted on that day.
    2: ("2024-06-18", date(2024, 5, 18), date(2024, 6, 18), True),
    # What the register changes without an update comes with no increment: listings do not show that it still stood.
    3: ("2024-01-05", date(2024, 1, 6), date(2024, 6, 21), None),
    # The listing before the edit lacks it.
    4: ("2024-06-20", date(2024, 1, 6), date(2024, 6, 20), None),
}


@pytest.mark.parametrize("damaged", [None, 5, 3])
def test_an_old_version_stood_there_as_long_as_listings_came_without_a_newer_one(tmp_path, damaged):
    """damaged: month in which the increment could not be read: from then on an edit may have been in it."""
    data = tmp_path / "data"

    def versions(measure, updates):
        given = {"pcd": "2024-03-10", "extra": outcomes([measure])}
        return [study(n, **given, updated=updated) for n, updated in updates.items()]

    put_studies(data, date(2024, 1, 6), versions("Death", dict.fromkeys(LISTED, "2024-01-05")), scope="full")
    for month in range(2, 7):
        listed = [n for n in LISTED if n != 4 or month != 6]
        put_update(data, listed, text="{broken" if month == damaged else "", day=date(2024, month, 18))
    put_update(data, list(LISTED), versions("Stroke", {n: u for n, (u, *_) in LISTED.items()}), day=date(2024, 6, 21))
    what = "registration_id, changed_after, changed_by, after_completion"
    with tables(data) as connection:
        found = rows(connection, f"SELECT DISTINCT {what} FROM registration_changes ORDER BY registration_id")
    stood = {5: (date(2024, 4, 18), True), 3: (date(2024, 2, 18), None)}.get(damaged)
    expected = {n: (after, by, is_after) for n, (_, after, by, is_after) in LISTED.items()}
    if stood:
        expected |= {n: (stood[0], by, stood[1]) for n, (_, by, is_after) in expected.items() if is_after or n == 4}
    assert found == [(nct(n), *row) for n, row in expected.items()]


def test_nobody_saw_when_versions_of_one_day_changed(tmp_path):
    for name in ("Death", "Stroke"):
        put_studies(tmp_path / "data", FIRST, [
            study(n, updated=updated, pcd=ended, extra=outcomes([name]))
            for n, (updated, ended, *_) in enumerate(ONE_DAY)
        ], f"{name}.json")  # fmt: skip
    what = "SELECT DISTINCT registration_id, changed_after, changed_by, after_completion FROM registration_changes"
    with tables(tmp_path / "data") as connection:
        found = rows(connection, f"{what} ORDER BY registration_id")
    assert found == [(nct(n), after, FIRST, completed) for n, (*_, after, completed) in enumerate(ONE_DAY)]


def test_a_record_that_goes_back_changed_twice(others):
    what = "version, first_seen, old_value, new_value"
    found = rows(others, f"SELECT {what} FROM registration_changes WHERE registration_id = '{nct(2)}' ORDER BY 1")
    assert found == [(2, SECOND, "10", "20"), (3, THIRD, "20", "10")]


def test_outcome_changed_after_completion_is_one_query(others):
    question = "FROM registration_changes WHERE field = 'primary_outcome' AND after_completion"
    assert rows(others, f"SELECT DISTINCT trial_id {question}") == [(nct(3),)]


def test_a_form_that_does_not_hold_outcomes_removes_none(others):
    """The register's extract of key fields says nothing of outcomes or documents."""
    stated = "SELECT file LIKE '%full.txt', len(outcomes) > 0 FROM staged_registrations WHERE source = 'euctr'"
    of_record = "WHERE registration_id = '2090-090001-11' AND part = 'DE'"
    fields = {f for (f,) in rows(others, f"SELECT field FROM registration_changes {of_record}")}
    assert rows(others, f"SELECT count(*) FROM registration_versions {of_record}") == [(2,)]
    assert sorted(rows(others, stated)) == [(False, False), (True, True)]
    assert "status" in fields
    assert not fields & {"primary_outcome", "document"}


LINK = "View results"
LINKS = [
    # (whether an extract shows a link to results, another after a full text between them; what changed in the second)
    (False, False, []),
    (False, True, [(3, "altered", "false", "true")]),
    (True, True, []),
    (True, False, [(3, "altered", "true", "false")]),
]


def test_a_form_that_cannot_show_results_neither_removes_nor_adds_them(tmp_path):
    """The EU register's full text has no link to them."""
    days = (FIRST, SECOND, THIRD)
    for day, place in ((FIRST, 0), (THIRD, 1)):
        lines = [
            line
            for number, links in enumerate(LINKS)
            for line in extract(number, [("DE", "Completed", "2020-01-01", LINK if links[place] else "")])
        ]
        put_file(tmp_path / "data", "euctr", day, "extract.csv", table(EXTRACT, lines))
    full = "\n".join(text(number, "DE", "Prematurely Ended", "2020-01-01", "NYN", "No") for number in range(len(LINKS)))
    put_file(tmp_path / "data", "euctr", days[1], "full.txt", full)
    what = "registration_id, version, change, old_value, new_value"
    with tables(tmp_path / "data") as connection:
        found = rows(connection, f"SELECT {what} FROM registration_changes WHERE field = 'has_results' ORDER BY 1")
        unknown = "SELECT count(DISTINCT registration_id) FROM registration_changes WHERE version = 2 AND after_results IS NULL"
        assert rows(connection, unknown) == [(len(LINKS),)], "nor does it show that there were none"
    assert found == [(euctr(number), *row) for number, (*_, expected) in enumerate(LINKS) for row in expected]


@pytest.fixture(scope="module")
def submissions(tmp_path_factory):
    """Three months of submissions: studies 1 to 4, by what becomes of them."""
    data = tmp_path_factory.mktemp("submissions") / "data"
    first = [("RELEASE", "2023-11-01")]
    second = [*first, ("RESET", "2023-12-15"), ("RELEASE", "2024-01-20")]
    withdrawn = [*first, ("UNRELEASE", None)]
    nights = [
        (FIRST, first, first, first, None),
        (SECOND, second, None, withdrawn, first),
        (THIRD, None, None, first, first),
    ]
    for day, posted, dropped, corrected, late in nights:
        results = ("2023-11-01", "2024-03-05") if day == THIRD else None
        put_studies(data, day, [
            study(1, updated=str(day), events=posted, results=results), study(2, updated=str(day), events=dropped),
            study(3, updated=str(day), events=corrected), study(4, updated=str(day), events=late),
        ])  # fmt: skip
    with tables(data) as connection:
        yield connection


def test_events_that_vanish_once_results_are_posted_are_kept(submissions):
    what = "ordinal, event, day, first_seen, last_seen, is_in_newest"
    found = rows(submissions, f"SELECT {what} FROM result_events WHERE registration_id = '{nct(1)}' ORDER BY ordinal")
    assert found == [
        (1, "submitted", date(2023, 11, 1), FIRST, SECOND, False),
        (2, "returned", date(2023, 12, 15), SECOND, SECOND, False),
        (3, "submitted", date(2024, 1, 20), SECOND, SECOND, False),
    ]


SUBMISSIONS = [
    # (study, live, live since, cancelled)
    (1, True, date(2023, 11, 1), False),
    # The list went and no results came: the form of the record did not hold it.
    (2, True, date(2023, 11, 1), False),
    # An event that the register itself took out of a list that it still shows is no event.
    (3, True, date(2023, 11, 1), False),
    (4, True, date(2023, 11, 1), False),
]


@pytest.mark.parametrize(("number", "live", "since", "cancelled"), SUBMISSIONS)
def test_the_newest_list_of_events_is_judged(submissions, number, live, since, cancelled):
    what = "is_live, live_since, is_cancelled"
    found = rows(submissions, f"SELECT {what} FROM result_submissions WHERE registration_id = '{nct(number)}'")
    assert found == [(live, since, cancelled)]


def test_a_submission_that_ended_in_posting_is_reported(submissions):
    found = dict(rows(submissions, "SELECT trial_id, status FROM reporting_status WHERE policy = 'alltrials-summary'"))
    assert found == {
        nct(1): "reported_late", nct(2): "submitted_late", nct(3): "submitted_late", nct(4): "submitted_late",
    }  # fmt: skip


# --- the register's own history ---------------------------------------------------------------------------------------

CHANGES = [
    {"version": 0, "date": "2019-12-01", "status": "NOT_YET_RECRUITING", "moduleLabels": []},
    {"version": 1, "date": "2020-02-01", "status": "RECRUITING", "moduleLabels": ["Study Status", "Contacts/Locations"]},
    {"version": 2, "date": "2021-09-01", "status": "COMPLETED", "moduleLabels": ["Outcome Measures"],
     "unpostedEvents": [{"type": "RELEASE", "date": "2021-08-20"}, {"type": "RESET", "date": "2021-08-30"}]},
]  # fmt: skip


def with_history(number, changes=CHANGES, **fields):
    return {"study": study(number, **fields), "topics": {}, "history": {"changes": changes}}


@pytest.fixture(scope="module")
def histories(tmp_path_factory):
    data = tmp_path_factory.mktemp("histories") / "data"
    put_studies(data, FIRST, [study(1), study(2)])
    put_file(data, "ctgov", SECOND, "a.json", json.dumps(with_history(1)))
    put_file(data, "ctgov", THIRD, "b.json", json.dumps(with_history(1, CHANGES[:2])))
    # A number and a day that are none: that version is left out, the others stay.
    broken = [{**CHANGES[0], "version": "x"}, {**CHANGES[1], "date": "soon"}, CHANGES[2]]
    put_file(data, "ctgov", THIRD, "c.json", json.dumps(with_history(2, broken)))
    with tables(data) as connection:
        yield connection


def test_the_newest_history_of_a_record_tells_which_parts_changed_and_when(histories):
    what = "version, field, old_value, new_value, changed_by, state"
    found = rows(histories, f"SELECT {what} FROM registration_changes WHERE registration_id = '{nct(1)}' ORDER BY ALL")
    day = date(2020, 2, 1)
    assert found == [
        (1, "module", None, "Contacts/Locations", day, "running"),
        (1, "module", None, "Study Status", day, "running"),
        (1, "status", "NOT_YET_RECRUITING", "RECRUITING", day, "running"),
    ]
    broken = rows(histories, f"SELECT version, field FROM registration_changes WHERE registration_id = '{nct(2)}'")
    assert broken == [(2, "module")]


def test_a_history_makes_no_version_of_a_record(histories):
    assert rows(histories, "SELECT registration_id, count(*) FROM registration_versions GROUP BY 1 ORDER BY 1") == [
        (nct(1), 1), (nct(2), 1),
    ]  # fmt: skip


def test_events_of_which_only_a_history_tells_are_kept(histories):
    found = rows(
        histories, f"SELECT event, day, is_in_newest FROM result_events WHERE registration_id = '{nct(2)}' ORDER BY 2"
    )
    assert found == [("submitted", date(2021, 8, 20), False), ("returned", date(2021, 8, 30), False)]


FIRST_SAID = {"primaryOutcomes": [{"measure": "Death", "timeFrame": "1 year"}],
              "secondaryOutcomes": [{"measure": "Stroke", "timeFrame": "1 year"}],
              "enrollmentInfo": {"count": 80, "type": "ESTIMATED"}}  # fmt: skip
EDITS = [
    {"version": 0, "date": "2019-12-01", "status": "NOT_YET_RECRUITING", "moduleLabels": []},
    {"version": 1, "date": "2020-02-01", "status": "RECRUITING", "moduleLabels": ["Study Design"]},
    {"version": 2, "date": "2021-09-01", "status": "COMPLETED", "moduleLabels": ["Outcome Measures"]},
    {"version": 3, "date": "2021-11-01", "status": "COMPLETED", "moduleLabels": ["Outcome Measures", "Study Design"]},
]  # fmt: skip
SINCE_THE_FIRST = [
    # (fields of the record now, what the first version said, versions that changed last, rows without module and status)
    ({"extra": outcomes([("Stroke", "1 year")], [("Death", "1 year")]), "enrolment": (50, "ACTUAL")}, FIRST_SAID,
     {"primaryOutcomes": 3, "enrollmentInfo": 3}, [
        (3, "enrolment", "altered", "80", "50", date(2020, 1, 31), date(2021, 11, 1), None),
        (3, "primary_outcome", "demoted", "Death", None, date(2021, 8, 31), date(2021, 11, 1), "completed"),
        (3, "primary_outcome", "promoted", None, "Stroke", date(2021, 8, 31), date(2021, 11, 1), "completed")]),
    ({"extra": outcomes([("Death", "2 years")])}, FIRST_SAID, {"primaryOutcomes": 2}, [
        (2, "primary_outcome_time_frame", "altered", "1 year", "2 years", date(2021, 8, 31), date(2021, 9, 1), "completed")]),
    # Changed and changed back: the record says again what it said at first.
    ({"extra": outcomes([("Death", "1 year")]), "enrolment": (80, "ESTIMATED")}, FIRST_SAID,
     {"primaryOutcomes": 3, "enrollmentInfo": 1}, []),
    # A history that does not say which version changed a field last, or what the first one said, tells no change.
    ({"extra": outcomes([("Stroke", "1 year")])}, FIRST_SAID, {}, []),
    ({"extra": outcomes([("Stroke", "1 year")])}, {}, {"primaryOutcomes": 3, "enrollmentInfo": 3}, []),
]  # fmt: skip


@pytest.fixture(scope="module")
def first_contents(tmp_path_factory):
    data = tmp_path_factory.mktemp("first") / "data"
    for number, (fields, said, last, _) in enumerate(SINCE_THE_FIRST):
        told = with_history(number, EDITS, **fields)
        told["history"] |= {"originalData": said, "lastUpdateVersions": last}
        put_file(data, "ctgov", FIRST, f"{number}.json", json.dumps(told))
    with tables(data) as connection:
        yield connection


@pytest.mark.parametrize(("number", "expected"), [(n, expected) for n, (*_, expected) in enumerate(SINCE_THE_FIRST)])
def test_what_the_first_version_said_is_held_against_the_record_as_it_stands(first_contents, number, expected):
    found = rows(
        first_contents,
        f"""SELECT version, field, change, old_value, new_value, changed_after, changed_by, state FROM registration_changes
        WHERE registration_id = '{nct(number)}' AND field NOT IN ('module', 'status') AND source = 'ctgov_history'
        ORDER BY field, ordinal""",
    )
    assert found == expected


def test_an_edit_on_the_day_of_the_first_version_came_after_the_day_before(tmp_path):
    """No version is said to have touched the outcomes; the trial started on the day on which they were edited."""
    edits = [EDITS[0], EDITS[1] | {"date": EDITS[0]["date"]}]
    told = with_history(1, edits, extra=outcomes([("Stroke", "1 year")]), start=EDITS[0]["date"])
    told["history"] |= {"originalData": FIRST_SAID, "lastUpdateVersions": {"primaryOutcomes": 1}}
    put_file(tmp_path / "data", "ctgov", FIRST, "a.json", json.dumps(told))
    what = "DISTINCT changed_after, changed_by, after_start"
    with tables(tmp_path / "data") as connection:
        found = rows(connection, f"SELECT {what} FROM registration_changes WHERE field = 'primary_outcome'")
    assert found == [(date(2019, 11, 30), date(2019, 12, 1), False)]


@pytest.mark.parametrize("fast", [True, False])
def test_both_ways_of_reading_take_the_history(tmp_path, fast):
    told = with_history(1)
    told["history"] |= {"originalData": FIRST_SAID, "lastUpdateVersions": {"primaryOutcomes": 2, "enrollmentInfo": 1}}
    (tmp_path / "a.json").write_text(json.dumps(told), encoding="utf-8")
    ctgov.read(tmp_path / "a.json", "a.json", SECOND, tmp_path / "rows.parquet", fast=fast)
    (row,) = pq.read_table(tmp_path / "rows.parquet").to_pylist()
    assert [(v["version"], v["date"], v["status"], v["modules"]) for v in row["history"]] == [
        (0, date(2019, 12, 1), "not_yet_recruiting", []),
        (1, date(2020, 2, 1), "recruiting", ["Study Status", "Contacts/Locations"]),
        (2, date(2021, 9, 1), "completed", ["Outcome Measures"]),
    ]
    assert [v["last_changed"] for v in row["history"]] == [[], ["enrolment"], ["primary_outcome"]]
    assert [v["enrolment"] for v in row["history"]] == [80, None, None]
    assert row["history"][0]["enrolment_type"] == "estimated"
    assert row["history"][0]["outcomes"] == [
        {"kind": "primary", "measure": "Death", "time_frame": "1 year"},
        {"kind": "secondary", "measure": "Stroke", "time_frame": "1 year"},
    ]
    assert row["history"][2]["events"] == [
        {"event": "submitted", "date": date(2021, 8, 20)}, {"event": "returned", "date": date(2021, 8, 30)},
    ]  # fmt: skip


# --- what one source passes on of another's record ---------------------------------------------------------------------

PORTAL = [
    # (portal's day of taking the record over before, and after, end of the trial; changed after, came after the end)
    ("5 January 2024", "5 February 2024", "04/01/2024", date(2024, 1, 5), True),
    # The old version still stood in the portal on 10 January, which says nothing of the register.
    ("5 January 2024", "5 February 2024", "07/01/2024", date(2024, 1, 5), None),
    ("", "5 February 2024", "04/01/2024", None, None),
    ("", "", "04/01/2024", None, None),
    ("", "", "01/03/2024", None, False),
]
ORDER = {
    # number -> ((day of taking over, participants) in each export, participants of the newest version)
    "ISRCTN90000101": ((("", "50"), ("5 January 2024", "60")), 60),
    "ISRCTN90000102": ((("5 January 2024", "50"), ("", "60")), 60),
    "ISRCTN90000103": ((("5 January 2024", "50"), ("unreadable", "60"), ("4 January 2024", "40")), 60),
    "ISRCTN90000104": ((("", "50"), ("", "60"), ("", "70")), 70),
}
CTIS = "2090-500001-17"


def portal_row(number, updated, size, **more):
    return {
        "TrialID": number, "Source Register": "ISRCTN", "Last Refreshed on": updated, "Target size": size,
        "Date enrollement": "01/02/2023", "results yes no": "No",
    } | more  # fmt: skip


def submission(last, updated, **more):
    return {"ctNumber": f"{CTIS}-{last}", "ctPublicStatusCode": 5, "lastUpdated": updated, **more}


@pytest.fixture(scope="module")
def passed_on(tmp_path_factory):
    data = tmp_path_factory.mktemp("portal") / "data"
    for place, (day, size) in enumerate(((FIRST, "50"), (SECOND, "60"), (THIRD, None))):
        exported = [
            portal_row(f"ISRCTN9000000{n}", (before, after)[place], size, **{"results date completed": end})
            for n, (before, after, end, *_) in enumerate(PORTAL)
            if size
        ]
        exported += [portal_row(n, *seen[place]) for n, (seen, _) in ORDER.items() if place < len(seen)]
        register = {"Source Register": "Clinical Trials Information System"}
        exported += [portal_row(f"CTIS2090-500002-17-0{n}", "", str(70 + n), **register) for n in (0, 1)]
        put_file(data, "ictrp", day, "portal.xml", as_xml(*exported).decode())
    put_file(data, "ctis", FIRST, "a.json", json.dumps([submission("01", "02/01/2024", startDateEU="2023-05-01")]))
    put_file(data, "ctis", SECOND, "b.json", json.dumps([submission("00", "03/02/2024", startDateEU="2023-04-01")]))
    with tables(data) as connection:
        yield connection


@pytest.mark.parametrize(("number", "expected"), [(n, expected) for n, (*_, expected, _) in enumerate(PORTAL)])
def test_a_version_that_others_still_pass_on_says_nothing_of_the_register(passed_on, number, expected):
    (found,) = rows(
        passed_on,
        f"""SELECT changed_after, changed_by, after_completion FROM registration_changes
        WHERE registration_id = 'ISRCTN9000000{number}' AND field = 'enrolment'""",
    )
    changed_by = date(2024, 2, 5) if PORTAL[number][1] else SECOND
    assert found == (expected, changed_by, PORTAL[number][-1])


@pytest.mark.parametrize("number", ORDER)
def test_a_record_without_an_update_of_its_own_is_compared_by_its_snapshot(passed_on, number):
    assert rows(passed_on, f"SELECT enrolment FROM registrations WHERE registration_id = '{number}'") == [
        (ORDER[number][1],)
    ]


def test_the_highest_resubmission_is_the_current_one(passed_on):
    sql = (
        "SELECT start_raw FROM registration_versions WHERE registration_id = '{}' AND source = 'ctis' ORDER BY version"
    )
    assert rows(passed_on, sql.format(CTIS)) == [("2023-04-01",), ("2023-05-01",)]
    sql = "SELECT enrolment FROM registration_versions WHERE registration_id = '2090-500002-17' ORDER BY version"
    assert rows(passed_on, sql) == [(70,), (71,)], "no version more for each export that holds both"
