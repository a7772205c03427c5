"""Partial dates: what a source wrote, how exact it is, and the days it can mean.

A date is never rounded silently: `2015-03` is the interval 2015-03-01 to 2015-03-31, and each rule says which end it
uses (rules of the statutes in `schemas/policies`). Dates before 1900, 1 January 1900 itself, which databases write
where they hold nothing, and dates more than 25 years after the snapshot that holds them are impossible: the field is
nulled and reported.

Readers in Python use `iso` and `interval`; readers in SQL use the macros of `sql_macros`, which tests hold equal.
"""

import calendar
import re
from dataclasses import dataclass
from datetime import date

FIRST_YEAR = 1900
FILLER = date(FIRST_YEAR, 1, 1)
YEARS_AHEAD = 25

_ISO = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?")

_DAY_FIRST = re.compile(r"(?:(?P<day>\d{1,2})[/.\-])?(?P<month>\d{1,2})[/.\-](?P<year>\d{4})")
_COMPACT = re.compile(r"(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})")
_LONG = re.compile(
    r"(?:(?P<month>[A-Za-z]{3,9})\.?\s+(?:(?P<day>\d{1,2}),\s*)?|(?P<d2>\d{1,2})\s+(?P<m2>[A-Za-z]{3,9})\.?\s+)?(?P<year>\d{4})"
)
_MONTH_NAMES = tuple(name.lower() for name in calendar.month_name[1:])


@dataclass(frozen=True)
class PartialDate:
    """A date as written, with its precision (day, month, year, none) and the first and last day it can mean.

    `fault` says why a date that is there could not be used.
    """

    raw: str | None
    precision: str
    earliest: date | None
    latest: date | None
    fault: str | None = None


def interval(raw: str, year: int, month: int | None, day: int | None, reference: date) -> PartialDate:
    """The partial date of the given parts; `reference` is the date of the snapshot that holds it."""
    try:
        earliest = date(year, month or 1, day or 1)
    except ValueError:
        return PartialDate(raw, "none", None, None, "not a day of the calendar")
    fault = _impossible(earliest, reference)
    if not fault and day and earliest == FILLER:
        fault = f"{FILLER}, filler for no date"
    if fault:
        return PartialDate(raw, "none", None, None, fault)
    if day:
        return PartialDate(raw, "day", earliest, earliest)
    last_month = month or 12
    latest = date(year, last_month, calendar.monthrange(year, last_month)[1])
    return PartialDate(raw, "month" if month else "year", earliest, latest)


def iso(raw: str | None, reference: date) -> PartialDate:
    """The partial date of `YYYY`, `YYYY-MM` or `YYYY-MM-DD`."""
    if raw is None:
        return PartialDate(None, "none", None, None)
    match = _ISO.fullmatch(raw)
    if not match:
        return PartialDate(raw, "none", None, None, "not a date of the form YYYY, YYYY-MM or YYYY-MM-DD")
    year, month, day = (int(part) if part else None for part in match.groups())
    if year == 0 or month == 0 or day == 0:
        return PartialDate(raw, "none", None, None, "not a day of the calendar")
    assert year is not None
    return interval(raw, year, month, day, reference)


def day_first(raw: str | None, reference: date) -> PartialDate:
    """The partial date of `DD/MM/YYYY`, also with dots or hyphens, and of `MM/YYYY`."""
    return _of_parts(_DAY_FIRST, raw, reference, "DD/MM/YYYY")


def compact(raw: str | None, reference: date) -> PartialDate:
    """The date of `YYYYMMDD`."""
    return _of_parts(_COMPACT, raw, reference, "YYYYMMDD")


def long_form(raw: str | None, reference: date) -> PartialDate:
    """The partial date of `April 12, 2020`, `12 April 2020`, `April 2020` or `2020`; months also by three letters."""
    return _of_parts(_LONG, raw, reference, "Month D, YYYY")


def _of_parts(form: re.Pattern[str], raw: str | None, reference: date, name: str) -> PartialDate:
    if raw is None:
        return PartialDate(None, "none", None, None)
    match = form.fullmatch(raw.strip())
    if not match:
        return PartialDate(raw, "none", None, None, f"not a date of the form {name}")
    parts = match.groupdict()
    parts = {"year": parts["year"]} | {
        name: parts.get(name) or parts.get(other) for name, other in (("month", "m2"), ("day", "d2"))
    }
    month = parts["month"]
    if month and not month.isdigit():
        place = next((i for i, full in enumerate(_MONTH_NAMES, 1) if full.startswith(month.lower())), None)
        if place is None:
            return PartialDate(raw, "none", None, None, f"not a date of the form {name}")
        month = str(place)
    numbers = {k: int(v) for k, v in (parts | {"month": month}).items() if v}
    if not all(numbers.values()):
        return PartialDate(raw, "none", None, None, "not a day of the calendar")
    return interval(raw, numbers["year"], numbers.get("month"), numbers.get("day"), reference)


def _impossible(day: date, reference: date) -> str | None:
    if day.year < FIRST_YEAR:
        return f"before {FIRST_YEAR}"
    if day > _years_after(reference, YEARS_AHEAD):
        return f"more than {YEARS_AHEAD} years after the snapshot"
    return None


def _years_after(day: date, years: int) -> date:
    last = calendar.monthrange(day.year + years, day.month)[1]
    return day.replace(year=day.year + years, day=min(day.day, last))


SQL_MACROS = rf"""
CREATE OR REPLACE MACRO iso_day(raw) AS CASE
    WHEN regexp_full_match(raw, '\d{{4}}-\d{{2}}-\d{{2}}') THEN TRY_CAST(raw AS DATE)
    WHEN regexp_full_match(raw, '\d{{4}}-\d{{2}}') THEN TRY_CAST(raw || '-01' AS DATE)
    WHEN regexp_full_match(raw, '\d{{4}}') THEN TRY_CAST(raw || '-01-01' AS DATE) END;
CREATE OR REPLACE MACRO possible_day(raw, reference) AS CASE
    WHEN raw <> '{FILLER}'
        AND iso_day(raw) BETWEEN DATE '{FIRST_YEAR}-01-01' AND CAST(reference + INTERVAL {YEARS_AHEAD} YEAR AS DATE)
    THEN iso_day(raw) END;
CREATE OR REPLACE MACRO date_struct(raw, day, kind) AS {{
    'raw': raw,
    'precision': CASE WHEN day IS NULL THEN 'none' WHEN length(raw) = 10 THEN 'day'
                      WHEN length(raw) = 7 THEN 'month' ELSE 'year' END,
    'earliest': day,
    'latest': CASE length(raw) WHEN 10 THEN day WHEN 7 THEN last_day(day)
                   ELSE CAST(day + INTERVAL 1 YEAR - INTERVAL 1 DAY AS DATE) END,
    'type': kind}};
CREATE OR REPLACE MACRO partial_date(raw, kind, reference) AS date_struct(raw, possible_day(raw, reference), kind);
CREATE OR REPLACE MACRO date_fault(raw, reference) AS CASE
    WHEN raw IS NULL OR possible_day(raw, reference) IS NOT NULL THEN NULL
    WHEN NOT regexp_full_match(raw, '\d{{4}}(-\d{{2}}(-\d{{2}})?)?')
        THEN 'not a date of the form YYYY, YYYY-MM or YYYY-MM-DD'
    WHEN iso_day(raw) IS NULL OR year(iso_day(raw)) = 0 THEN 'not a day of the calendar'
    WHEN year(iso_day(raw)) < {FIRST_YEAR} THEN 'before {FIRST_YEAR}'
    WHEN raw = '{FILLER}' THEN '{FILLER}, filler for no date'
    ELSE 'more than {YEARS_AHEAD} years after the snapshot' END;
"""
"""The same rule in SQL: partial_date(raw, kind, reference) and date_fault(raw, reference)."""
