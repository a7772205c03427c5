"""When a trial was registered and when it began, with the registration verdicts that follow.

Belongs here: start dates and first submissions at and around every boundary of the three registration rules.
Does not belong here: completion and results (`courses.py`), or any code under test.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Final, NamedTuple

from pipelines.sample.days import DAY, Draw, Partial, Span, in_month, in_year, later, on_day

P: Final = "prospective"
R: Final = "retrospective"
U: Final = "unknown"
N: Final = "not_started"

LAST_ENTRY: Final = date(2026, 2, 15)
"""Nothing is first registered after this, so that any trial can stand in the older snapshot."""

_FLOOR: Final = date(2008, 11, 15)
"""Ordinary trials begin after the day from which the 21-day rule counts."""
_BAD_STARTS: Final = ("2641-03", "2019-02-31", "1019-05-02", "0201-06")


@dataclass(slots=True)
class Entry:
    """A trial's start and first submission. The verdicts are strict-day, month, us-21-days."""

    start: Partial | None
    submitted: date | None
    verdicts: tuple[str, str, str]
    slug: str = ""
    start_junk: str | None = None


Make = Callable[[Draw, date], Entry]
"""Takes the day by which the trial must have begun."""


class Scenario(NamedTuple):
    slug: str
    weight: float
    make: Make
    span: Span = Span(date(2009, 6, 1), date(2026, 12, 31))
    """When the trial may end for this to be possible."""
    future: bool = False
    """Only for trials that end well after the as-of date."""


def _begin(draw: Draw, ceiling: date) -> date:
    """An ordinary start: early enough for every late registration to fall before completion."""
    latest = min(later(ceiling, -75), later(LAST_ENTRY, -110))
    return max(later(latest, -draw.between(15, 1500)), min(_FLOOR, latest))


def _shift_into(start: date, first: int, last: int, draw: Draw) -> date:
    """The same or the month before, on a day of the month between `first` and `last`, never later than `start`."""
    day = draw.between(first, last)
    if day > start.day:
        before = date(start.year, start.month, 1) - DAY
        start = before
    return date(start.year, start.month, day)


# --- day-precise starts --------------------------------------------------------------------------------------------


def _before(draw: Draw, ceiling: date) -> Entry:
    start = _begin(draw, ceiling)
    return Entry(on_day(start), later(start, -draw.between(1, 200)), (P, P, P))


def _same_day(draw: Draw, ceiling: date) -> Entry:
    start = _begin(draw, ceiling)
    return Entry(on_day(start), start, (P, P, P))


def _next_day(draw: Draw, ceiling: date) -> Entry:
    start = _shift_into(_begin(draw, ceiling), 1, 27, draw)
    return Entry(on_day(start), start + DAY, (R, P, P))


def _next_day_next_month(draw: Draw, ceiling: date) -> Entry:
    start = _begin(draw, ceiling)
    start = date(start.year, start.month, 1) - DAY
    return Entry(on_day(start), start + DAY, (R, R, P))


def _day_21(draw: Draw, ceiling: date) -> Entry:
    start = _shift_into(_begin(draw, ceiling), 1, 7, draw)
    return Entry(on_day(start), later(start, 21), (R, P, P))


def _day_21_next_month(draw: Draw, ceiling: date) -> Entry:
    start = _shift_into(_begin(draw, ceiling), 11, 28, draw)
    return Entry(on_day(start), later(start, 21), (R, R, P))


def _day_22(draw: Draw, ceiling: date) -> Entry:
    start = _shift_into(_begin(draw, ceiling), 1, 6, draw)
    return Entry(on_day(start), later(start, 22), (R, P, R))


def _day_22_next_month(draw: Draw, ceiling: date) -> Entry:
    start = _shift_into(_begin(draw, ceiling), 10, 28, draw)
    return Entry(on_day(start), later(start, 22), (R, R, R))


def _long_after(draw: Draw, ceiling: date) -> Entry:
    start = _begin(draw, ceiling)
    return Entry(on_day(start), draw.day(later(start, 60), min(later(start, 1000), LAST_ENTRY)), (R, R, R))


# --- month-only and year-only starts -------------------------------------------------------------------------------


def _month(draw: Draw, ceiling: date) -> tuple[Partial, date]:
    start = _begin(draw, later(ceiling, -10))
    partial = in_month(start.year, start.month)
    return partial, partial.first


def _month_before(draw: Draw, ceiling: date) -> Entry:
    start, first = _month(draw, ceiling)
    return Entry(start, later(first, -draw.between(1, 150)), (P, P, P))


def _month_first_day(draw: Draw, ceiling: date) -> Entry:
    start, first = _month(draw, ceiling)
    return Entry(start, first, (P, P, P))


def _month_within(draw: Draw, ceiling: date) -> Entry:
    start, first = _month(draw, ceiling)
    return Entry(start, later(first, draw.between(1, 21)), (U, P, P))


def _month_last_day(draw: Draw, ceiling: date) -> Entry:
    start, _first = _month(draw, ceiling)
    return Entry(start, draw.day(later(start.first, 22), start.last) if draw.chance(0.5) else start.last, (U, P, U))


def _month_after(draw: Draw, ceiling: date) -> Entry:
    start, _first = _month(draw, ceiling)
    return Entry(start, later(start.last, draw.between(1, 21)), (R, R, U))


def _month_long_after(draw: Draw, ceiling: date) -> Entry:
    start, _first = _month(draw, ceiling)
    return Entry(start, later(start.last, 22 if draw.chance(0.4) else draw.between(23, 40)), (R, R, R))


def _year(ceiling: date) -> int:
    return min(ceiling.year - 2, 2024)


def _year_before(draw: Draw, ceiling: date) -> Entry:
    year = _year(ceiling)
    return Entry(in_year(year), draw.day(date(year - 1, 2, 1), date(year - 1, 12, 31)), (P, U, P))


def _year_january(draw: Draw, ceiling: date) -> Entry:
    year = _year(ceiling)
    return Entry(in_year(year), draw.day(date(year, 1, 2), date(year, 1, 22)), (U, U, P))


def _year_within(draw: Draw, ceiling: date) -> Entry:
    year = _year(ceiling)
    return Entry(in_year(year), draw.day(date(year, 1, 23), date(year, 12, 31)), (U, U, U))


def _year_after(draw: Draw, ceiling: date) -> Entry:
    year = _year(ceiling)
    return Entry(in_year(year), draw.day(date(year + 1, 1, 1), date(year + 1, 1, 21)), (R, U, U))


def _year_long_after(draw: Draw, ceiling: date) -> Entry:
    year = _year(ceiling)
    return Entry(in_year(year), draw.day(date(year + 1, 1, 22), date(year + 1, 6, 30)), (R, U, R))


# --- missing, impossible, not yet begun ----------------------------------------------------------------------------


def _startless(draw: Draw, ceiling: date) -> Entry:
    return Entry(None, later(_begin(draw, ceiling), draw.between(-100, 30)), (U, U, U))


def _bad_start(draw: Draw, ceiling: date) -> Entry:
    return Entry(None, later(_begin(draw, ceiling), 10), (U, U, U), start_junk=draw.pick(_BAD_STARTS))


def _unsubmitted(draw: Draw, ceiling: date) -> Entry:
    start = _begin(draw, ceiling)
    return Entry(on_day(start), None, (U, U, U))


def _coming(draw: Draw) -> date:
    return later(LAST_ENTRY, -draw.between(0, 200))


def _not_begun(draw: Draw, ceiling: date) -> Entry:
    day = draw.day(date(2026, 7, 2), min(ceiling, date(2027, 3, 31)))
    start = in_month(day.year, day.month) if draw.chance(0.4) else on_day(day)
    return Entry(start, _coming(draw), (N, N, N))


def _begins_tomorrow(draw: Draw, ceiling: date) -> Entry:
    start = on_day(date(2026, 7, 1)) if draw.chance(0.5) else in_month(2026, 7)
    return Entry(start, _coming(draw), (N, N, N))


def _begins_today(draw: Draw, ceiling: date) -> Entry:
    """Begun on the as-of date, or in its month: no longer to come, so the rules judge."""
    start = on_day(date(2026, 6, 30)) if draw.chance(0.5) else in_month(2026, 6)
    return Entry(start, _coming(draw), (P, P, P))


# --- starts before 27 September 2008, the first deadline of the 21-day rule ------------------------------------------

_LAW: Final = date(2008, 9, 27)


def _old_day(draw: Draw) -> date:
    return draw.day(date(1999, 1, 1), date(2008, 8, 31))


def _old_law_day(draw: Draw, ceiling: date) -> Entry:
    start = on_day(_old_day(draw)) if draw.chance(0.5) else in_month(draw.between(1999, 2007), draw.between(1, 12))
    return Entry(start, _LAW, (R, R, P))


def _old_day_after_law(draw: Draw, ceiling: date) -> Entry:
    start = on_day(_old_day(draw)) if draw.chance(0.5) else in_month(draw.between(1999, 2007), draw.between(1, 12))
    return Entry(start, _LAW + DAY, (R, R, R))


def _old_eve(draw: Draw, ceiling: date) -> Entry:
    """Two days late, and a day after the first deadline, but within 21 days: the later of the two counts."""
    return Entry(on_day(_LAW - DAY), _LAW + DAY, (R, P, P))


def _old_eve_in_time(draw: Draw, ceiling: date) -> Entry:
    return Entry(on_day(_LAW - DAY), _LAW, (R, P, P))


def _law_day_21(draw: Draw, ceiling: date) -> Entry:
    return Entry(on_day(_LAW), later(_LAW, 21), (R, R, P))


def _law_day_22(draw: Draw, ceiling: date) -> Entry:
    return Entry(on_day(_LAW), later(_LAW, 22), (R, R, R))


def _law_month(draw: Draw, ceiling: date) -> Entry:
    """A start in September 2008, day unknown: the deadline is the 27th or up to 21 October."""
    day, verdicts = draw.pick(
        (
            (date(2008, 8, 10), (P, P, P)),
            (date(2008, 9, 20), (U, P, P)),
            (_LAW, (U, P, P)),
            (_LAW + DAY, (U, P, U)),
            (date(2008, 10, 21), (R, R, U)),
            (date(2008, 10, 22), (R, R, R)),
        )
    )
    return Entry(in_month(2008, 9), day, verdicts)


def _law_year(draw: Draw, ceiling: date) -> Entry:
    day, verdicts = draw.pick(
        ((_LAW, (U, U, P)), (_LAW + DAY, (U, U, U)), (date(2009, 1, 21), (R, U, U)), (date(2009, 1, 22), (R, U, R)))
    )
    return Entry(in_year(2008), day, verdicts)


def _old_before(draw: Draw, ceiling: date) -> Entry:
    start = min(later(ceiling, -draw.between(60, 1000)), later(date(2007, 6, 1), -draw.between(0, 900)))
    return Entry(on_day(start), later(start, -draw.between(1, 90)), (P, P, P))


def _old_after(draw: Draw, ceiling: date) -> Entry:
    start = min(later(ceiling, -draw.between(300, 1000)), later(date(2007, 6, 1), -draw.between(0, 900)))
    return Entry(on_day(start), later(start, draw.between(40, 250)), (R, R, P))


_YEARS = Span(date(2012, 1, 1), date(2026, 12, 31))
_EARLY = Span(date(2001, 6, 1), date(2012, 12, 31))

ENTRIES: Final = (
    Scenario("before", 400, _before),
    Scenario("same_day", 20, _same_day),
    Scenario("next_day", 20, _next_day),
    Scenario("next_day_next_month", 6, _next_day_next_month),
    Scenario("day_21", 6, _day_21),
    Scenario("day_21_next_month", 6, _day_21_next_month),
    Scenario("day_22", 6, _day_22),
    Scenario("day_22_next_month", 6, _day_22_next_month),
    Scenario("long_after", 190, _long_after),
    Scenario("month_before", 110, _month_before),
    Scenario("month_first_day", 5, _month_first_day),
    Scenario("month_within", 40, _month_within),
    Scenario("month_last_day", 12, _month_last_day),
    Scenario("month_after", 25, _month_after),
    Scenario("month_long_after", 30, _month_long_after),
    Scenario("year_before", 3, _year_before, _YEARS),
    Scenario("year_january", 2, _year_january, _YEARS),
    Scenario("year_within", 2, _year_within, _YEARS),
    Scenario("year_after", 2, _year_after, _YEARS),
    Scenario("year_long_after", 2, _year_long_after, _YEARS),
    Scenario("startless", 10, _startless),
    Scenario("bad_start", 3, _bad_start),
    Scenario("unsubmitted", 3, _unsubmitted),
    Scenario("not_begun", 35, _not_begun, future=True),
    Scenario("begins_tomorrow", 4, _begins_tomorrow, future=True),
    Scenario("begins_today", 4, _begins_today, future=True),
    Scenario("old_law_day", 3, _old_law_day),
    Scenario("old_day_after_law", 20, _old_day_after_law),
    Scenario("old_eve", 2, _old_eve),
    Scenario("old_eve_in_time", 2, _old_eve_in_time),
    Scenario("law_day_21", 2, _law_day_21),
    Scenario("law_day_22", 2, _law_day_22),
    Scenario("law_month", 6, _law_month),
    Scenario("law_year", 4, _law_year),
    Scenario("old_before", 25, _old_before, _EARLY),
    Scenario("old_after", 25, _old_after, _EARLY),
)
