"""One figure of a benchmark: what it is, its goal if it has one, and whether that was met."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple


class Goal(NamedTuple):
    limit: float
    is_least: bool

    def __str__(self) -> str:
        return f"at {'least' if self.is_least else 'most'} {shown(self.limit)}"


def at_least(limit: float) -> Goal:
    return Goal(limit, is_least=True)


def at_most(limit: float) -> Goal:
    return Goal(limit, is_least=False)


class Figure(NamedTuple):
    """value: None where it could not be measured; the note says why. note: otherwise what the value rests on."""

    what: str
    value: float | None
    unit: str = ""
    goal: Goal | None = None
    note: str = ""

    @property
    def is_met(self) -> bool | None:
        """None where there is no goal, or no value."""
        if self.goal is None or self.value is None:
            return None
        return self.value >= self.goal.limit if self.goal.is_least else self.value <= self.goal.limit

    @property
    def text(self) -> str:
        return "not measured" if self.value is None else f"{shown(self.value)} {self.unit}".rstrip()

    @property
    def verdict(self) -> str:
        """Empty where there is no goal."""
        if self.goal is None:
            return ""
        return {True: "met", False: "not met", None: "not measured"}[self.is_met]


def shown(value: float) -> str:
    """Whole numbers whole, others to three digits; shares near one and above a hundred to all that tell them apart."""
    if value == int(value) or value >= 100:
        return f"{value:,.0f}"
    if 0.99 < value < 1:
        return f"{value:.6f}"
    return f"{value:#.3g}"


Part = Callable[[Path], Iterator[Figure]]
"""A measurement: a folder to work in -> its figures, each as soon as it is known."""
