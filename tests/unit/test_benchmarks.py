"""What the page of benchmarks says of a goal: nothing here measures anything."""

from datetime import date

import pytest

from tests.bench.figures import Figure, Goal, at_least, at_most, shown
from tests.bench.page import Setting, page

SETTING = Setting(date(2026, 8, 8), "System machine", "Processor", 2, {"Python": "3.11.7", "a-peer": None})


@pytest.mark.parametrize(
    ("value", "goal", "verdict"),
    [
        (15.0, at_least(15), "met"),
        (14.99, at_least(15), "not met"),
        (3.5, at_most(3.5), "met"),
        (3.51, at_most(3.5), "not met"),
        (None, at_most(3.5), "not measured"),
        (3.0, None, ""),
        (None, None, ""),
    ],
)
def test_a_goal_is_judged_at_its_bound(value: float | None, goal: Goal | None, verdict: str) -> None:
    assert Figure("what", value, "x", goal).verdict == verdict


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (200, "200"), (1234567.8, "1,234,568"), (3.5, "3.50"), (0.0123, "0.0123"), (0.999996, "0.999996")],
)
def test_a_figure_is_shown_to_what_it_tells(value: float, text: str) -> None:
    assert shown(value) == text


def test_the_page_counts_verdicts_and_names_what_is_missing() -> None:
    figures = [
        Figure("one", 20.0, "x", at_least(15), "measured | so"),
        Figure("two", None, "x", at_least(3), "a-peer could not be installed"),
        Figure("three", 7.0, "CPU s"),
    ]
    text = page(SETTING, [("Part", figures)])
    assert "Goals: 1 met, 0 not met, 1 not measured." in text
    assert "a-peer (missing)" in text
    assert "| one | 20 x | at least 15 | met | measured / so |" in text
    assert "| two | not measured | at least 3 | not measured | a-peer could not be installed |" in text
    assert "| three | 7 CPU s |  |  |  |" in text
