"""Partial dates: what each form can mean, what is impossible, and that SQL reads them as Python does."""

from datetime import date

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines import dates

REFERENCE = date(2024, 2, 29)


@pytest.fixture(scope="module")
def connection():
    with duckdb.connect() as connection:
        connection.execute(dates.SQL_MACROS)
        yield connection


@pytest.mark.parametrize(
    ("raw", "precision", "earliest", "latest"),
    [
        ("2021-03-10", "day", "2021-03-10", "2021-03-10"),
        ("2021-02", "month", "2021-02-01", "2021-02-28"),
        ("2020-02", "month", "2020-02-01", "2020-02-29"),
        ("2021", "year", "2021-01-01", "2021-12-31"),
        ("1900-01-02", "day", "1900-01-02", "1900-01-02"),
        ("1900-01", "month", "1900-01-01", "1900-01-31"),
        ("1900", "year", "1900-01-01", "1900-12-31"),
        ("2049-02-28", "day", "2049-02-28", "2049-02-28"),
        (None, "none", None, None),
    ],
)
def test_possible_dates(raw, precision, earliest, latest):
    found = dates.iso(raw, REFERENCE)
    assert (found.raw, found.precision) == (raw, precision)
    assert found.earliest == (earliest and date.fromisoformat(earliest))
    assert found.latest == (latest and date.fromisoformat(latest))
    assert found.fault is None


@pytest.mark.parametrize(
    ("raw", "fault"),
    [
        ("2021-02-31", "not a day of the calendar"),
        ("2021-13", "not a day of the calendar"),
        ("2641-03", "more than 25 years after the snapshot"),
        ("2049-03-01", "more than 25 years after the snapshot"),
        ("1899-12-31", "before 1900"),
        ("1900-01-01", "1900-01-01, filler for no date"),
        ("March 2021", "not a date of the form YYYY, YYYY-MM or YYYY-MM-DD"),
        ("2021/03/10", "not a date of the form YYYY, YYYY-MM or YYYY-MM-DD"),
        ("", "not a date of the form YYYY, YYYY-MM or YYYY-MM-DD"),
    ],
)
def test_impossible_dates_keep_what_was_written_and_say_why(raw, fault):
    found = dates.iso(raw, REFERENCE)
    assert found == dates.PartialDate(raw, "none", None, None, fault)


@pytest.mark.parametrize(
    ("form", "raw"),
    [(dates.day_first, "1/01/1900"), (dates.day_first, "01/01/1900"), (dates.compact, "19000101"),
     (dates.long_form, "January 1, 1900")],
)  # fmt: skip
def test_filler_is_no_date_in_any_form(form, raw):
    assert form(raw, REFERENCE) == dates.PartialDate(raw, "none", None, None, "1900-01-01, filler for no date")


FORMS = st.one_of(
    st.sampled_from(["1900-01-01", "0000", "0000-01"]),
    st.dates(date(1850, 1, 1), date(2100, 1, 1)).map(str),
    st.dates(date(1850, 1, 1), date(2100, 1, 1)).map(lambda d: str(d)[:7]),
    st.integers(1, 9999).map(lambda y: f"{y:04d}"),
    st.from_regex(r"[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?", fullmatch=True),
    st.text(max_size=12).filter(lambda t: "\0" not in t),
)


@given(raw=FORMS, reference=st.dates(date(1990, 1, 1), date(2040, 12, 31)))
def test_sql_reads_every_date_as_python_does(connection, raw, reference):
    expected = dates.iso(raw, reference)
    found, fault = connection.execute(
        "SELECT partial_date($raw, NULL, $day::DATE), date_fault($raw, $day::DATE)",
        {"raw": raw, "day": str(reference)},
    ).fetchone()
    assert found["precision"] == expected.precision
    assert (found["earliest"], found["latest"]) == (expected.earliest, expected.latest)
    assert fault == expected.fault


@given(raw=FORMS)
def test_bounds_are_ordered(raw):
    found = dates.iso(raw, REFERENCE)
    assert found.earliest is None or found.earliest <= found.latest
