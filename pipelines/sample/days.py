"""Dates as registries write them, for the sample's own bookkeeping, and the sample's random draws.

Belongs here: the fixed days of the fictional world, partial dates with their bounds, calendar months, random draws.
Does not belong here: reading dates (the pipeline has its own reader, and the sample must not share its mistakes).
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from random import Random
from typing import Final, NamedTuple, TypeVar

T = TypeVar("T")

AS_OF: Final = date(2026, 6, 30)
"""The day the truth is about."""

SEARCH: Final = date(2026, 3, 10)
"""The older, partial search download of the register."""
FULL: Final = date(2026, 6, 24)
"""The full crawl of the register."""
UPDATE: Final = date(2026, 6, 29)
"""The register's update file after the full crawl."""
BASELINE: Final = date(2026, 1, 30)
"""PubMed's yearly baseline."""
PUBMED_UPDATES: Final = (date(2026, 3, 20), date(2026, 5, 18), date(2026, 6, 28))
"""PubMed's update files; the last is recent enough for the literature to count as searched."""

DAY: Final = timedelta(days=1)


class Partial(NamedTuple):
    """A date as written, with the first and the last day it can mean."""

    text: str
    first: date
    last: date


class Span(NamedTuple):
    """An interval of days, both ends included."""

    first: date
    last: date


def on_day(day: date) -> Partial:
    return Partial(day.isoformat(), day, day)


def in_month(year: int, month: int) -> Partial:
    return Partial(f"{year:04d}-{month:02d}", date(year, month, 1), month_end(year, month))


def in_year(year: int) -> Partial:
    return Partial(f"{year:04d}", date(year, 1, 1), date(year, 12, 31))


def month_end(year: int, month: int) -> date:
    return date(year, month, monthrange(year, month)[1])


def add_months(day: date, months: int) -> date:
    """Calendar months later; a day that the target month lacks becomes that month's last."""
    count = day.year * 12 + day.month - 1 + months
    year, month = divmod(count, 12)
    if day.day <= 28:
        return date(year, month + 1, day.day)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def later(day: date, days: int) -> date:
    return date.fromordinal(day.toordinal() + days)


class Draw:
    """Random choices for one trial. Cheaper than random.Random's own helpers, which matters a million times over."""

    __slots__ = ("random",)

    random: Callable[[], float]

    def __init__(self, source: Random) -> None:
        self.random = source.random

    def chance(self, share: float) -> bool:
        return self.random() < share

    def below(self, end: int) -> int:
        return int(self.random() * end)

    def between(self, first: int, last: int) -> int:
        return first + int(self.random() * (last - first + 1))

    def pick(self, options: Sequence[T]) -> T:
        return options[int(self.random() * len(options))]

    def day(self, first: date, last: date) -> date:
        """A day of the interval; its first day if the interval is empty."""
        start = first.toordinal()
        return date.fromordinal(start + int(self.random() * max(last.toordinal() - start + 1, 1)))
