"""Where the registrations of one trial contradict each other, and where they merely differ.

The registrations are made up row by row in the table's own shape, since which of them are one trial is decided
elsewhere; the trials, their values and what is found between them come from the real queries.
"""

import itertools
from collections.abc import Iterable, Mapping
from contextlib import contextmanager
from datetime import date
from typing import Any

import duckdb
import pytest

from pipelines import build, dates, privacy, queries, validation
from pipelines.contracts import contracts, ddl
from tests.worlds import AS_OF, nct, rows

KNOWN = contracts()
DATES = ("start", "primary_completion", "completion", "registered")
NOTHING_SAID = {"VARCHAR": "none", "DATE": AS_OF}
ALWAYS_THERE = {c.name: NOTHING_SAID.get(c.type, []) for c in KNOWN.tables["registrations"].columns if c.required} | {
    "registry": "nct", "source": "ctgov", "last_seen_directly": AS_OF,
}  # fmt: skip
"""The required columns of a registration; a date that it does not give has the precision `none`."""


def number(trial: int, place: int) -> str:
    """The number of a trial's registration; the place is also the order in which they speak for it."""
    return nct(10 * trial + place)


def columns_of(field: str, value: Any) -> dict[str, Any]:
    """A date, or a date or an enrolment with its type, as the columns that hold it."""
    stated, kind = value if isinstance(value, tuple) else (value, None)
    if field in DATES:
        day = dates.iso(stated, AS_OF)
        parts = {"raw": day.raw, "precision": day.precision, "earliest": day.earliest, "latest": day.latest}
        return {f"{field}_{part}": found for part, found in (parts | {"type": kind}).items()}
    return {field: stated, "enrolment_type": kind} if field == "enrolment" else {field: stated}


def registration(trial: int, place: int, **fields: Any) -> dict[str, Any]:
    """A row of `registrations` that says nothing but what is given."""
    row = ALWAYS_THERE | {"registration_id": number(trial, place), "trial_id": number(trial, 0)}
    for field, value in fields.items():
        row |= columns_of(field, value)
    if row.get("sponsor") and "sponsor_id" not in row:
        row["sponsor_id"] = row["sponsor"].lower()
    return row


@contextmanager
def world(trials: Iterable[Iterable[Mapping[str, Any]]]):
    """The tables made of these registrations, given by trial as what each of them says."""
    made = [registration(t, p, **says) for t, those in enumerate(trials) for p, says in enumerate(those)]
    with duckdb.connect() as connection:
        build.prepare(connection, KNOWN, AS_OF, [])
        connection.execute(ddl(KNOWN.tables["registrations"]))
        for row in made:
            marks = ", ".join("?" for _ in row)
            connection.execute(f"INSERT INTO registrations ({', '.join(row)}) VALUES ({marks})", list(row.values()))
        every = {query.name: query for query in queries.all_queries()}
        needed, found = ["discrepancies"], {"registrations"}
        while needed:
            if (name := needed.pop()) not in found:
                found.add(name)
                needed += every[name].needs
        for name in every:
            if name in found - {"registrations"}:
                build.run_query(connection, every[name])
        yield connection


ACTUAL, PLANNED = "actual", "estimated"
LEFT_ITS_REGISTER = {"vanished_on": date(2024, 6, 1)}
NOT_READ_ITSELF = {"last_seen_directly": None, "source": "ictrp"}
NEVER_RAN = {"enrolment": (0, ACTUAL), "start": "2019-01-15", "primary_completion": "2020-01", "completion": "2020"}
PERSON = {"sponsor": privacy.PRIVATE_PERSON, "sponsor_id": None, "sponsor_is_person": True}

CASES: dict[str, tuple[list[dict[str, Any]], set[tuple[str, str]]]] = {
    # case -> (what each registration says, fields of contradiction with their kind)
    "one registration": ([dict(enrolment=50)], set()),
    "nothing is said": ([{}, {}], set()),
    "said on one side only": ([dict(start="2020-01-15", enrolment=50, phase="phase2", status="recruiting"), {}], set()),
    "a field never compared": (
        [dict(registered="2019-01-01", sponsor_class="INDUSTRY"), dict(registered="2020-01-01", sponsor_class="OTHER")],
        set()),
    "several fields": (
        [dict(enrolment=(50, ACTUAL), phase="phase2"), dict(enrolment=(60, ACTUAL), phase="phase3")],
        {("enrolment", "both_actual"), ("phase", "different")}),
    # --- which registrations count
    "a replaced record": ([dict(enrolment=50), dict(enrolment=60, replaced_by=nct(0))], set()),
    "all but one were replaced": (
        [dict(enrolment=50), dict(enrolment=60, replaced_by=nct(0)), dict(enrolment=70, replaced_by=nct(0))], set()),
    "all were replaced": ([dict(enrolment=n, replaced_by=nct(0)) for n in (50, 60)], set()),
    "a vanished record": (
        [dict(enrolment=50), dict(enrolment=60, **LEFT_ITS_REGISTER)], {("enrolment", "type_not_stated")}),
    # --- dates
    "two days": ([dict(start=("2020-01-15", ACTUAL)), dict(start=("2020-01-16", ACTUAL))], {("start", "both_actual")}),
    "a day of the month": ([dict(completion="2015-03"), dict(completion="2015-03-14")], set()),
    "a day of the next month": (
        [dict(completion="2015-03"), dict(completion="2015-04-01")], {("completion", "type_not_stated")}),
    "each agrees with the year, not with each other": (
        [dict(start=("2015", ACTUAL)), dict(start=("2015-03", ACTUAL)), dict(start=("2015-04", ACTUAL))],
        {("start", "both_actual")}),
    "a date that is impossible": ([dict(start="2015-02-30"), dict(start="2016-01-01")], set()),
    "planned and actual": (
        [dict(primary_completion=("2015-03", PLANNED)), dict(primary_completion=("2016-03", ACTUAL))],
        {("primary_completion", "planned_and_actual")}),
    "both planned": (
        [dict(completion=("2015-03", PLANNED)), dict(completion=("2016-03", PLANNED))],
        {("completion", "both_planned")}),
    "one says nothing of its kind": (
        [dict(completion=("2015-03", ACTUAL)), dict(completion="2016-03")], {("completion", "type_not_stated")}),
    "one value, planned here and actual there": (
        [dict(start=("2015-03-14", PLANNED), enrolment=(50, PLANNED)), dict(start=("2015-03-14", ACTUAL), enrolment=(50, ACTUAL))],
        set()),
    "the gravest pair counts": (
        [dict(start=("2015", PLANNED)), dict(start=("2016", ACTUAL)), dict(start=("2017", ACTUAL))],
        {("start", "both_actual")}),
    # --- enrolment
    "planned and actual number": (
        [dict(enrolment=(100, PLANNED)), dict(enrolment=(94, ACTUAL))], {("enrolment", "planned_and_actual")}),
    "nobody and somebody": (
        [dict(enrolment=(0, ACTUAL)), dict(enrolment=(94, ACTUAL))], {("enrolment", "both_actual")}),
    "one number": ([dict(enrolment=(94, ACTUAL)), dict(enrolment=(94, ACTUAL))], set()),
    # --- status
    "two words of running": ([dict(status="recruiting"), dict(status="ongoing")], set()),
    "two words of the end": ([dict(status="completed"), dict(status="terminated")], set()),
    "two words of never": ([dict(status="withdrawn"), dict(status="expired")], set()),
    "runs and ended": ([dict(status="recruiting"), dict(status="completed")], {("status", "different")}),
    "runs and never ran": ([dict(status="recruiting"), dict(status="withdrawn")], {("status", "different")}),
    "ended and never ran": ([dict(status="completed"), dict(status="withdrawn")], {("status", "different")}),
    "unknown is absent": ([dict(status="unknown"), dict(status="completed")], set()),
    "not recruiting may be either": ([dict(status="not_recruiting"), dict(status="completed")], set()),
    # --- a record that never ran says nothing of the course of a trial that ran elsewhere
    "plans of one that never ran": (
        [dict(NEVER_RAN, status="withdrawn"),
         dict(status="completed", enrolment=(120, ACTUAL), start="2021-01-15", primary_completion="2022-01", completion="2023")],
        {("status", "different")}),
    "two that ran beside it": (
        [dict(NEVER_RAN, status="withdrawn"), dict(status="completed", enrolment=(120, ACTUAL)),
         dict(status="completed", enrolment=(130, ACTUAL))],
        {("status", "different"), ("enrolment", "both_actual")}),
    "none of them ran": (
        [dict(NEVER_RAN, status="withdrawn"), dict(status="withdrawn", enrolment=(120, PLANNED))],
        {("enrolment", "planned_and_actual")}),
    # --- phase and kind of study
    "two phases": ([dict(phase="phase2"), dict(phase="phase3")], {("phase", "different")}),
    "combined phase": ([dict(phase="phase1_phase2"), dict(phase="phase2")], {("phase", "overlapping")}),
    "two combined phases": ([dict(phase="phase1_phase2"), dict(phase="phase2_phase3")], {("phase", "overlapping")}),
    "combined phase without the other": ([dict(phase="phase1_phase2"), dict(phase="phase3")], {("phase", "different")}),
    "early phase 1 is no part of phase 1": ([dict(phase="early_phase1"), dict(phase="phase1")], {("phase", "different")}),
    "not applicable and a phase": ([dict(phase="na"), dict(phase="phase2")], {("phase", "different")}),
    "not applicable and nothing": ([dict(phase="na"), {}], set()),
    "kind of study": (
        [dict(study_type="interventional"), dict(study_type="observational")], {("study_type", "different")}),
    # --- results
    "results on one side": ([dict(has_results=True), dict(has_results=False)], {("has_results", "different")}),
    "results, and a register that says nothing": ([dict(has_results=True), {}], set()),
    "no results anywhere": ([dict(has_results=False), dict(has_results=False)], set()),
    "none, passed on by another source": ([dict(has_results=True), dict(has_results=False, **NOT_READ_ITSELF)], set()),
    "some, passed on by another source": (
        [dict(has_results=True, **NOT_READ_ITSELF), dict(has_results=False)], {("has_results", "different")}),
    # --- sponsor
    "two sponsors": ([dict(sponsor="Example University"), dict(sponsor="Invented Pharma")], {("sponsor", "different")}),
    "one name in two spellings": ([dict(sponsor="Université d'Exemple"), dict(sponsor="UNIVERSITE D EXEMPLE")], set()),
    "one name with and without its legal form": (
        [dict(sponsor="Invented Pharma GmbH"), dict(sponsor="Invented Pharma, Inc."), dict(sponsor="Invented Pharma")],
        set()),
    "one name holds the other": (
        [dict(sponsor="Example University (EXU)"), dict(sponsor="Example University")], {("sponsor", "overlapping")}),
    "one name begins like the other": (
        [dict(sponsor="Example Univers"), dict(sponsor="Example University")], {("sponsor", "different")}),
    "a private person": ([dict(sponsor="Example University"), PERSON], set()),
    "a private person among organisations": (
        [PERSON, dict(sponsor="Example University"), dict(sponsor="Invented Pharma")], {("sponsor", "different")}),
}  # fmt: skip


@pytest.fixture(scope="module")
def made():
    with world(says for says, _ in CASES.values()) as connection:
        yield connection


def of_case(case: str) -> str:
    return f"trial_id = '{number(list(CASES).index(case), 0)}'"


@pytest.mark.parametrize("case", CASES)
def test_contradiction(made, case):
    found = rows(made, f"SELECT field, kind FROM discrepancies WHERE {of_case(case)}")
    assert (set(found), len(found)) == (CASES[case][1], len(CASES[case][1]))


def test_a_row_says_who_says_what_and_what_the_trial_takes_over():
    filled = [{"field": "phase", "item": None, "source": "ictrp"}]
    odd = {"source": "drks", "filled_from_others": filled} | LEFT_ITS_REGISTER
    trial = [
        dict(start=("2015-03", ACTUAL), phase="phase2"),
        {},
        dict(start=("2014", PLANNED), phase="phase3", **odd),
    ]
    first, second = number(0, 0), number(0, 2)
    with world([trial]) as connection:
        found = rows(connection, "SELECT * EXCLUDE (trial_id) FROM discrepancies ORDER BY field")
    vanished = LEFT_ITS_REGISTER["vanished_on"]

    def value(registration_id: str, said: str, kind: str | None, source: str | None, gone: date | None = None):
        return {
            "registration_id": registration_id, "value": said, "type": kind, "source": source, "vanished_on": gone,
        }  # fmt: skip

    assert found == [
        ("phase", "different", None, None, None, None,
         [value(first, "phase2", None, "ctgov"), value(second, "phase3", None, "ictrp", vanished)], "phase2", first),
        ("start", "planned_and_actual", 60, 454, None, None,
         [value(first, "2015-03", ACTUAL, "ctgov"), value(second, "2014", PLANNED, "drks", vanished)],
         "2015-03", first),
    ]  # fmt: skip


CHOSEN = {
    # case -> chosen value, place of the registration
    "results on one side": ("true", 0),
    "some, passed on by another source": ("true", 0),
    "the gravest pair counts": ("2015", 0),
    "planned and actual number": ("100", 0),
    "runs and ended": ("recruiting", 0),
    "a vanished record": ("50", 0),
    "a private person among organisations": (privacy.PRIVATE_PERSON, 0),
}


@pytest.mark.parametrize("case", CHOSEN)
def test_chosen_is_what_the_trial_has(made, case):
    value, place = CHOSEN[case]
    chosen = rows(made, f"SELECT chosen, chosen_from FROM discrepancies WHERE {of_case(case)}")
    assert chosen == [(value, number(list(CASES).index(case), place))]


def test_a_corrected_value_has_no_source():
    with world([[dict(phase="phase2", corrected_fields=["phase"]), dict(phase="phase3")]]) as connection:
        found = rows(connection, "SELECT v.value, v.source FROM discrepancies, unnest(values) AS u(v)")
    assert set(found) == {("phase2", None), ("phase3", "ctgov")}


def test_chosen_results_are_where_they_stand():
    with world([[dict(has_results=False), dict(has_results=True), dict(has_results=True)]]) as connection:
        found = rows(connection, "SELECT chosen, chosen_from, len(values) FROM discrepancies")
        assert rows(connection, "SELECT has_results FROM trials") == [(True,)]
    assert found == [("true", number(0, 1), 3)]


def test_enrolment_gives_the_lowest_and_the_highest_number():
    with world([[dict(enrolment=60), dict(enrolment=600), dict(enrolment=80), {}]]) as connection:
        found = rows(connection, "SELECT enrolment_lowest, enrolment_highest, len(values) FROM discrepancies")
    assert found == [(60, 600, 3)]


def test_days_apart_are_those_of_the_dates_farthest_apart():
    with world([[dict(start="2020-01-05"), dict(start="2020-01-01"), dict(start="2020-02")]]) as connection:
        found = rows(connection, "SELECT days_apart_min, days_apart_max FROM discrepancies")
    assert found == [(31, 59)]


def test_a_private_person_never_stands_among_compared_values(made):
    found = rows(made, "SELECT DISTINCT v.value FROM discrepancies, unnest(values) AS u(v) WHERE field = 'sponsor'")
    assert ("Invented Pharma",) in found
    assert (privacy.PRIVATE_PERSON,) not in found


PARTIAL = ("2015", "2016", "2015-03", "2015-12", "2016-01", "2016-02", "2015-03-01", "2015-03-31", "2015-04-01",
           "2015-12-31", "2016-01-01", "2016-02-29")  # fmt: skip


@pytest.mark.parametrize("field", ["start", "primary_completion", "completion"])
def test_two_dates_contradict_each_other_exactly_where_no_day_fits_both(field):
    pairs = list(itertools.product(PARTIAL, repeat=2))
    expected = {}
    for trial, pair in enumerate(pairs):
        days = [dates.iso(text, AS_OF) for text in pair]
        one, other = (range(d.earliest.toordinal(), d.latest.toordinal() + 1) for d in days)
        if not set(one) & set(other):
            ends = [abs(a - b) for a in (one[0], one[-1]) for b in (other[0], other[-1])]
            expected[number(trial, 0)] = (min(ends), max(ends))
    with world([[{field: text} for text in pair] for pair in pairs]) as connection:
        found = rows(connection, "SELECT trial_id, days_apart_min, days_apart_max, field FROM discrepancies")
    assert {trial: apart for trial, *apart, _ in found} == {trial: [*apart] for trial, apart in expected.items()}
    assert {name for *_, name in found} == {field}


# --- the contract's own checks --------------------------------------------------------------------------------------

FAULTS = {
    "two_values": "values = [values[1], values[1]]",
    "values_of_the_trial": "values = list_transform(values, lambda v: struct_update(v, registration_id := v.registration_id || '0'))",
    "chosen_of_the_trial": f"chosen_from = '{number(1, 0)}'",
}


def failed(connection: duckdb.DuckDBPyConnection) -> set[str]:
    results = validation.check_table(connection, KNOWN.tables["discrepancies"], KNOWN)
    return {result.check_name for result in results if result.outcome != "passed"}


def test_what_is_made_passes_every_check(made):
    assert failed(made) == set()


@pytest.mark.parametrize("check", FAULTS)
def test_a_check_finds_its_fault(made, check):
    made.execute("BEGIN")
    try:
        made.execute(f"UPDATE discrepancies SET {FAULTS[check]} WHERE {of_case('two phases')}")
        assert failed(made) == {check}
    finally:
        made.execute("ROLLBACK")


def test_every_field_and_kind_of_the_code_lists_occurs(made):
    for column, name in (("field", "discrepancy_field"), ("kind", "discrepancy_kind")):
        found = rows(made, f"SELECT DISTINCT {column} FROM discrepancies")
        assert {code for (code,) in found} == set(KNOWN.vocabularies[name])
