"""Makes one fictional trial, and says what its verdicts must be.

Belongs here: joining a course (`courses.py`), an entry (`entries.py`), articles (`papers.py`) and a history of the
record into one trial, and its row of the truth. Does not belong here: file formats (`ctgov.py`, `pubmed.py`), or any
other module of the pipeline: the truth comes from how a trial was made, never from the code it is there to test.

Trials of three lanes out of sixteen show every way of making a trial in turn, so that a small world has them all; one
lane shows every history; the others are drawn by weight.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import accumulate
from typing import Final, NamedTuple

from pipelines.sample import names
from pipelines.sample.courses import COURSES, Course, Earlier
from pipelines.sample.courses import Scenario as CourseScenario
from pipelines.sample.days import AS_OF, FULL, PUBMED_UPDATES, SEARCH, UPDATE, Draw, Span, later
from pipelines.sample.entries import ENTRIES, Entry
from pipelines.sample.entries import Scenario as EntryScenario
from pipelines.sample.outcomes import outcome
from pipelines.sample.papers import SHOWCASE, Plan, Subject, feasible, plan_articles, subject_window

LANES: Final = 16
_COURSE_LANE: Final = 0
_PAPER_LANE: Final = 5
_ENTRY_LANE: Final = 10
_HISTORY_LANE: Final = 13

HISTORIES: Final = ("vanished", "alias", "update", "same_day", "earlier")
"""What became of the record: gone from the full register; merged into another number; corrected by the update file;
changed by the register alone, under an unchanged update date; changed by its sponsor since the older snapshot."""

_USUAL_HISTORIES: Final = ("vanished", "alias", "update", "same_day", "earlier", "")
_USUAL_STEPS: Final = (0.004, 0.009, 0.013, 0.017, 0.035)
_PRIVATE: Final = ("marked", "party", "official")
_QUIET_SINCE: Final = date(2026, 3, 1)
_LAST_SEEN_CHANGE: Final = date(2026, 3, 5)


class Truth(NamedTuple):
    """One row of truth.csv."""

    as_of: str
    trial_id: str
    scenario: str
    strict_day: str
    month: str
    us_21_days: str
    alltrials_summary: str
    who_summary: str
    who_publication: str
    due_latest_alltrials: str
    any_results: str
    primary_outcome: str


@dataclass(slots=True)
class Trial:
    """Everything the writers need to know of one trial."""

    index: int
    number: str
    survivor: str | None
    history: str
    course: Course
    entry: Entry
    plan: Plan
    sponsor: names.Sponsor
    investigator: str
    private: str
    """How the record tells that its sponsor is the investigator in person, if so: `marked` by class, or only by a name
    equal to the responsible `party` or to an `official`."""
    drug: str
    condition: int
    eudract: str | None
    isrctn: str | None
    updated: date
    """When the newest version was submitted."""
    updated_before: date
    """When the older version was, if there is one."""

    @property
    def scenario(self) -> str:
        slug = f"{self.course.slug}/{self.plan.slug}/{self.entry.slug}"
        return f"{slug}/{self.history}" if self.history else slug


# --- choosing ------------------------------------------------------------------------------------------------------

_COURSE_STEPS: Final = tuple(accumulate(scenario.weight for scenario in COURSES))
_ENTRY_STEPS: Final = tuple(accumulate(scenario.weight for scenario in ENTRIES))
_FUTURE: Final = tuple(scenario for scenario in COURSES if scenario.future)
_FUTURE_STEPS: Final = tuple(accumulate(scenario.weight for scenario in _FUTURE))
_BEGUN: Final = tuple(scenario for scenario in ENTRIES if not scenario.future)
_BEGUN_STEPS: Final = tuple(accumulate(scenario.weight for scenario in _BEGUN))
_BY_SLUG: Final = {scenario.slug: scenario for scenario in COURSES}
_PLAIN_ENTRIES: Final = tuple(s for s in ENTRIES if s.slug in {"before", "same_day", "long_after", "month_before"})
_WELL_PAST: Final = Span(date(2009, 6, 1), date(2021, 12, 31))


def _weighted(draw: Draw, steps: Sequence[float]) -> int:
    return bisect(steps, draw.random() * steps[-1])


def _scenarios(draw: Draw, lane: int, turn: int) -> tuple[CourseScenario, EntryScenario]:
    if lane == _COURSE_LANE:
        return COURSES[turn % len(COURSES)], _BEGUN[_weighted(draw, _BEGUN_STEPS)]
    entry = ENTRIES[turn % len(ENTRIES) if lane == _ENTRY_LANE else _weighted(draw, _ENTRY_STEPS)]
    if entry.future:
        return _FUTURE[_weighted(draw, _FUTURE_STEPS)], entry
    return COURSES[_weighted(draw, _COURSE_STEPS)], entry


def _ceiling(draw: Draw, course: Course, known: list[date]) -> date:
    """The day by which the trial must have begun: well before anything else happened."""
    days = known + [end.first for end in (course.pcd, course.cd) if end]
    return later(min(days), -30) if days else draw.day(date(2011, 6, 1), date(2025, 6, 1))


def _history(draw: Draw, lane: int, turn: int, course: Course, entry: Entry, latest: date) -> str:
    if course.earlier is not Earlier.ANY:
        return "earlier"
    wanted = ""
    if lane == _HISTORY_LANE:
        wanted = HISTORIES[turn % len(HISTORIES)]
    elif lane == 1 and turn < 2:
        return "repeat"
    else:
        wanted = _USUAL_HISTORIES[bisect(_USUAL_STEPS, draw.random())]
    recent = latest > _QUIET_SINCE
    if wanted == "vanished" and recent:
        return ""
    if wanted == "alias" and entry.submitted is None:
        return ""
    return "earlier" if wanted == "same_day" and recent else wanted


def _update_days(draw: Draw, history: str, known: date) -> tuple[date, date]:
    """When the newest version and the one before it were submitted, if the register knew all by a day."""
    usual = later(known, draw.between(1, 400))
    before = min(usual, _LAST_SEEN_CHANGE)
    if history == "earlier":
        return draw.day(max(known, later(SEARCH, 2)), later(FULL, -5)), before
    if history == "update":
        return draw.day(later(FULL, 1), later(UPDATE, -3)), min(usual, later(FULL, -5))
    if known > _QUIET_SINCE:
        return min(usual, later(FULL, -5)), before
    return before, before


# --- one trial -----------------------------------------------------------------------------------------------------


def _subject(trial_numbers: tuple[str, ...], trial: Trial, neighbours: tuple[str, ...]) -> Subject:
    course, entry = trial.course, trial.entry
    due, low = subject_window(entry.start, course.pcd, course.cd)
    return Subject(
        trial.index,
        trial.number,
        trial_numbers,
        tuple(number for number in (trial.eudract, trial.isrctn) if number),
        neighbours,
        trial.drug,
        names.CONDITIONS[trial.condition][0],
        entry.start,
        course.pcd,
        due,
        low,
        course.publish,
        course.results is not None,
    )


def _body(draw: Draw, index: int, sponsors: int, lane: int, turn: int) -> Trial:
    """A trial without articles."""
    if lane == _PAPER_LANE:
        _kind, slug = SHOWCASE[turn % len(SHOWCASE)]
        month_only = slug == "end_month"
        course_slug = "overdue_month" if month_only else draw.pick(("overdue", "on_time", "late"))
        if slug == "preprint":
            course_slug = "on_time"
        course = _BY_SLUG[course_slug].make(draw, _WELL_PAST)
        course.pcd = course.pcd or course.cd
        entry_scenario = draw.pick(_PLAIN_ENTRIES)
    else:
        course_scenario, entry_scenario = _scenarios(draw, lane, turn)
        course = course_scenario.make(draw, entry_scenario.span)
    days = course.register_days()
    entry = entry_scenario.make(draw, _ceiling(draw, course, days))
    entry.slug = entry_scenario.slug
    known = max([*days, entry.submitted or date(2010, 1, 1)])
    history = _history(draw, lane, turn, course, entry, known)
    if lane == _PAPER_LANE and slug == "one_trial_many_numbers":
        history = "alias"
    updated, updated_before = _update_days(draw, history, known)
    alias = history == "alias"
    return Trial(
        index,
        names.nct(index),
        names.survivor_nct(index) if alias else None,
        history,
        course,
        entry,
        Plan(),
        names.draw_sponsor(draw, sponsors),
        names.draw_person(draw),
        draw.pick(_PRIVATE) if draw.chance(0.03) else "",
        names.draw_drug(draw),
        draw.below(len(names.CONDITIONS)),
        names.eudract(index) if alias or draw.chance(0.1) else None,
        names.isrctn(index) if alias or draw.chance(0.03) else None,
        updated,
        updated_before,
    )


def draw_trial(draw: Draw, index: int, trials: int, sponsors: int) -> Trial:
    """The trial of one place in the world: the same for the same random source, place and size of the world."""
    turn, lane = divmod(index, LANES)
    show = SHOWCASE[turn % len(SHOWCASE)] if lane == _PAPER_LANE else None
    neighbours = tuple(names.nct((index + step) % trials) for step in (1, 2, 3)) if trials >= 8 else ()
    for _ in range(30):
        trial = _body(draw, index, sponsors, lane, turn)
        numbers = (trial.number, trial.survivor) if trial.survivor else (trial.number,)
        subject = _subject(numbers, trial, neighbours)
        if show is None or feasible(draw, subject, show):
            break
    trial.plan = plan_articles(draw, subject, show, ran=trial.course.outside != "never_started")
    return trial


# --- the truth -----------------------------------------------------------------------------------------------------


def _summary(trial: Trial) -> str:
    """A register not seen since March cannot show that nothing was reported since."""
    status = trial.course.summary
    if trial.history == "vanished" and status in ("overdue", "overdue_submission_cancelled"):
        return "reporting_unknown"
    return status


def _publication(trial: Trial) -> str:
    course, plan = trial.course, trial.plan
    if course.outside:
        return course.outside
    if plan.status:
        # The article that stands in no file may be the earlier one.
        return "reported_undated" if plan.unresolved and plan.status == "reported_late" else plan.status
    clock = course.cd or course.pcd
    if clock is None:
        return course.idle()
    if clock.last > AS_OF:
        return "not_completed"
    due, _low = subject_window(None, course.pcd, course.cd)
    assert due is not None
    if due >= AS_OF:
        return "not_due"
    return "reporting_unknown" if plan.unresolved else "overdue"


def _any_results(trial: Trial) -> str:
    if trial.course.results is not None or trial.plan.status:
        return "true"
    ended = trial.course.pcd or trial.course.cd
    is_searched = ended is None or ended.last > AS_OF or ended.last <= PUBMED_UPDATES[-1]
    return "false" if is_searched and not trial.plan.unresolved else "unknown"


def _registered(trial: Trial) -> tuple[str, str, str]:
    """A trial in which nobody ever took part did not begin."""
    is_known = trial.entry.submitted is not None
    return ("not_started",) * 3 if is_known and trial.course.summary == "never_started" else trial.entry.verdicts


def truth(trial: Trial) -> Truth:
    """What the warehouse must say of the trial."""
    due = trial.course.due
    summary = _summary(trial)
    return Truth(
        AS_OF.isoformat(),
        trial.number,
        trial.scenario,
        *_registered(trial),
        summary,
        summary,
        _publication(trial),
        due.isoformat() if due else "",
        _any_results(trial),
        outcome(trial.number, trial.plan.status is not None).verdict if trial.course.results else "",
    )


def survivor_entry(entry: Entry) -> date:
    """When the merged trial was registered a second time: later, so that the first number names the trial."""
    assert entry.submitted is not None
    return later(entry.submitted, 20)
