"""How a trial ran and what it put on the register: the first half of its story, with the verdict it must get.

Belongs here: scope, status, completion dates, register results and their submissions, and for each way of making them
the summary status that follows from how it was made. Does not belong here: registration (`entries.py`), articles
(`papers.py`), or any code under test.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import Final, NamedTuple

from pipelines.sample.days import AS_OF, DAY, SEARCH, Draw, Partial, Span, add_months, in_month, in_year, later, on_day

SUMMARY_MONTHS: Final = 12

LAST_SUBMISSION: Final = date(2026, 5, 15)
LAST_POSTING: Final = date(2026, 6, 15)
_OPENING: Final = date(2008, 10, 1)
"""The register takes results since the end of September 2008."""

ENDED: Final = ("COMPLETED", "COMPLETED", "COMPLETED", "COMPLETED", "TERMINATED")
RUNNING: Final = ("RECRUITING", "RECRUITING", "ACTIVE_NOT_RECRUITING", "ENROLLING_BY_INVITATION", "SUSPENDED")
JUNK_DATES: Final = ("2641-03", "2641-03-14", "2019-02-31", "1019-05-02", "0201-06", "3020-01-01")
"""Dates that cannot be: over 25 years ahead, before 1900, or in no calendar. Each nulls its field and nothing else."""


class Earlier(Enum):
    """What an older version of the record must show for the story to hold."""

    ANY = "nothing in particular"
    IN_SCOPE = "an interventional study"
    RESULTS = "the results, already"
    DATES = "completion dates that the newest version dropped"


class Results(NamedTuple):
    submitted: date | None
    posted: date | None


class Event(NamedTuple):
    kind: str
    day: date | None


@dataclass(slots=True)
class Course:
    """A trial's course. `summary` is the verdict under both register policies while the register is fresh."""

    slug: str
    summary: str
    status: str | None
    pcd: Partial | None = None
    cd: Partial | None = None
    pcd_junk: str | None = None
    cd_junk: str | None = None
    study_type: str | None = "INTERVENTIONAL"
    last_known: str | None = None
    enrolled: int | None = 60
    enrolled_actual: bool = True
    results: Results | None = None
    events: tuple[Event, ...] = ()
    certificate: date | None = None
    outside: str | None = None
    earlier: Earlier = Earlier.ANY
    bare: bool = False
    publish: tuple[str, ...] | None = None
    """When its results article may appear (`papers.py` has the words): None for any time, nothing for never."""

    @property
    def clock(self) -> Partial | None:
        return self.pcd or self.cd

    @property
    def due(self) -> date | None:
        """The latest due day of the summary policies; none where no duty is judged."""
        clock = self.clock
        return None if clock is None or self.outside else add_months(clock.last, SUMMARY_MONTHS)

    def register_days(self) -> list[date]:
        """Every day on which something reached the register after registration."""
        days = [event.day for event in self.events if event.day]
        if self.results:
            days += [day for day in self.results if day]
        if self.certificate:
            days.append(self.certificate)
        return days

    def idle(self) -> str:
        """The status with nothing reported and no usable date: it depends on what the record says of itself."""
        if self.status in ("COMPLETED", "TERMINATED"):
            return "inconsistent"
        if self.status in RUNNING or self.status == "NOT_YET_RECRUITING":
            return "not_completed"
        return "completion_unknown"


Make = Callable[[Draw, Span], Course]
Clock = Callable[[Draw, Span], Partial]


class Scenario(NamedTuple):
    slug: str
    weight: float
    make: Make
    future: bool = False
    """The trial ends well after the as-of date, so that it may also begin after it."""


# --- clocks --------------------------------------------------------------------------------------------------------


def _within(draw: Draw, span: Span, first: date, last: date) -> date:
    low, high = max(span.first, first), min(span.last, last)
    if low > high:
        low, high = first, last
    # The larger of two draws: registers grow.
    return max(draw.day(low, high), draw.day(low, high))


def days(first: date, last: date) -> Clock:
    return lambda draw, span: on_day(_within(draw, span, first, last))


def months(first: date, last: date) -> Clock:
    """Month-only dates; `last` must be the last day of a month."""

    def clock(draw: Draw, span: Span) -> Partial:
        day = _within(draw, span, first, last)
        return in_month(day.year, day.month)

    return clock


def either(first: date, last: date) -> Clock:
    """Day or month-only, as old and new records have them."""

    def clock(draw: Draw, span: Span) -> Partial:
        day = _within(draw, span, first, last)
        return in_month(day.year, day.month) if draw.chance(0.25) else on_day(day)

    return clock


def one_of(*options: Partial) -> Clock:
    return lambda draw, _span: draw.pick(options)


def _dates(draw: Draw, clock: Partial) -> tuple[Partial | None, Partial | None]:
    """Primary completion and completion date whose first choice is `clock`."""
    share = draw.random()
    if share < 0.06:
        return clock, None
    if share < 0.10:
        return None, clock
    if share < 0.55:
        return clock, clock
    end = later(clock.last, draw.between(1, 400))
    return clock, (in_month(end.year, end.month) if draw.chance(0.2) else on_day(end))


# --- what was reported ---------------------------------------------------------------------------------------------


def _posted(draw: Draw, submitted: date) -> Results:
    return Results(submitted, draw.day(later(submitted, 14), min(later(submitted, 300), LAST_POSTING)))


def _in_time(draw: Draw, clock: Partial, due: date) -> Results:
    return _posted(draw, draw.day(later(clock.last, 20), due))


def _on_due_day(draw: Draw, clock: Partial, due: date) -> Results:
    return _posted(draw, due)


def _day_after(draw: Draw, clock: Partial, due: date) -> Results:
    return _posted(draw, due + DAY)


def _too_late(draw: Draw, clock: Partial, due: date) -> Results:
    return _posted(draw, draw.day(later(due, 2), min(later(due, 1500), LAST_SUBMISSION)))


def _so_far(draw: Draw, clock: Partial, due: date) -> Results:
    return _posted(draw, draw.day(later(clock.last, 20), LAST_SUBMISSION))


def _before_the_end(draw: Draw, clock: Partial, due: date) -> Results:
    return _posted(draw, later(clock.first, -draw.between(1, 200)))


def _recently(draw: Draw, clock: Partial, due: date) -> Results:
    return _posted(draw, draw.day(date(2025, 6, 1), LAST_SUBMISSION))


def _posting_in_time(draw: Draw, clock: Partial, due: date) -> Results:
    return Results(None, draw.day(later(clock.last, 30), due))


def _posting_on_due_day(draw: Draw, clock: Partial, due: date) -> Results:
    return Results(None, due)


def _posting_late(draw: Draw, clock: Partial, due: date) -> Results:
    return Results(None, draw.day(due + DAY, min(later(due, 1500), LAST_POSTING)))


def _posting_day_after(draw: Draw, clock: Partial, due: date) -> Results:
    return Results(None, due + DAY)


def _undated(draw: Draw, clock: Partial, due: date) -> Results:
    return Results(None, None)


def _returned(draw: Draw, first: date) -> tuple[Event, ...]:
    """A live submission, with or without a return for corrections: the first submission stays what counts."""
    events = [Event("RELEASE", first)]
    if draw.chance(0.5):
        back = later(first, draw.between(20, 60))
        if back <= LAST_POSTING:
            events.append(Event("RESET", None if draw.chance(0.15) else back))
            again = later(back, draw.between(5, 400))
            if again <= LAST_POSTING and draw.chance(0.6):
                events.append(Event("RELEASE", again))
    return tuple(events)


def _live_in_time(draw: Draw, clock: Partial, due: date) -> tuple[Event, ...]:
    return _returned(draw, draw.day(later(clock.last, 20), min(due, LAST_SUBMISSION)))


def _live_on_due_day(draw: Draw, clock: Partial, due: date) -> tuple[Event, ...]:
    return _returned(draw, due)


def _live_day_after(draw: Draw, clock: Partial, due: date) -> tuple[Event, ...]:
    return _returned(draw, due + DAY)


def _live_late(draw: Draw, clock: Partial, due: date) -> tuple[Event, ...]:
    return _returned(draw, draw.day(later(due, 2), min(later(due, 1200), LAST_SUBMISSION)))


def _cancelled(draw: Draw, clock: Partial, due: date) -> tuple[Event, ...]:
    """The last event is the sponsor's withdrawal: nothing is submitted any more."""
    first = draw.day(later(clock.last, 20), min(later(clock.last, 300), LAST_SUBMISSION))
    events = [Event("RELEASE", first)]
    if draw.chance(0.4):
        events.append(Event("RESET", later(first, 5)))
        events.append(Event("RELEASE", later(first, 9)))
    if draw.chance(0.25):
        events.append(Event("UNRELEASE", later(first, 12)))
        events.append(Event("RELEASE", later(first, 15)))
    events.append(Event("UNRELEASE", None if draw.chance(0.2) else later(first, draw.between(20, 30))))
    return tuple(events)


def _resubmitted_late(draw: Draw, clock: Partial, due: date) -> tuple[Event, ...]:
    """In time at first, but withdrawn: the first submission after the withdrawal decides."""
    first = draw.day(later(clock.last, 20), later(due, -60))
    again = draw.day(later(due, 1), min(later(due, 400), LAST_SUBMISSION))
    return Event("RELEASE", first), Event("UNRELEASE", later(first, draw.between(3, 40))), Event("RELEASE", again)


def _resubmitted_in_time(draw: Draw, clock: Partial, due: date) -> tuple[Event, ...]:
    first = draw.day(later(clock.last, 20), later(due, -120))
    again = later(first, draw.between(50, 110))
    last = draw.day(later(due, 1), min(later(due, 400), LAST_SUBMISSION))
    gone = None if draw.chance(0.4) else later(first, 30)
    return (
        Event("RELEASE", first),
        Event("UNRELEASE", gone),
        Event("RELEASE", again),
        Event("RESET", later(again, 5)),
        Event("RELEASE", last),
    )


def _live_recently(draw: Draw, clock: Partial, due: date) -> tuple[Event, ...]:
    return _returned(draw, draw.day(date(2025, 6, 1), LAST_SUBMISSION))


# --- makers --------------------------------------------------------------------------------------------------------

Reported = Callable[[Draw, Partial, date], Results]
Submitted = Callable[[Draw, Partial, date], tuple[Event, ...]]
Change = Callable[[Draw, Course], None]


def _unchanged(draw: Draw, course: Course) -> None:
    """The usual case: nothing to add."""


def _completed(
    slug: str,
    summary: str,
    clock: Clock,
    *,
    statuses: tuple[str, ...] = ENDED,
    results: Reported | None = None,
    events: Submitted | None = None,
    change: Change = _unchanged,
    earlier: Earlier = Earlier.ANY,
    after: int = 0,
) -> Make:
    """A trial with a readable clock. `after` keeps the clock that many days off the span's beginning."""

    def make(draw: Draw, span: Span) -> Course:
        end = clock(draw, Span(later(span.first, after), span.last))
        pcd, cd = _dates(draw, end)
        due = add_months(end.last, SUMMARY_MONTHS)
        course = Course(slug, summary, draw.pick(statuses), pcd, cd, enrolled=draw.between(8, 900), earlier=earlier)
        course.results = results(draw, end, due) if results else None
        course.events = events(draw, end, due) if events else ()
        change(draw, course)
        return course

    return make


def _dateless(
    slug: str,
    summary: str,
    status: str | None,
    *,
    junk: bool = False,
    last_known: str | None = None,
    results: Reported | None = None,
    events: Submitted | None = None,
    earlier: Earlier = Earlier.ANY,
) -> Make:
    """A trial whose clock cannot be read."""

    def make(draw: Draw, span: Span) -> Course:
        course = Course(slug, summary, status, last_known=last_known, enrolled=draw.between(8, 900), earlier=earlier)
        nowhere = on_day(AS_OF)
        course.results = results(draw, nowhere, AS_OF) if results else None
        course.events = events(draw, nowhere, AS_OF) if events else ()
        if junk:
            course.pcd_junk = draw.pick(JUNK_DATES)
            course.cd_junk = draw.pick(JUNK_DATES) if draw.chance(0.5) else None
        return course

    return make


def _outside(slug: str, code: str, make: Make, change: Change) -> Make:
    """A trial that is not judged, whatever else it has."""

    def outside(draw: Draw, span: Span) -> Course:
        course = make(draw, span)
        course.slug, course.summary, course.outside = slug, code, code
        change(draw, course)
        return course

    return outside


def _observational(draw: Draw, course: Course) -> None:
    course.study_type = "OBSERVATIONAL"


def _expanded(draw: Draw, course: Course) -> None:
    course.study_type = "EXPANDED_ACCESS"
    course.status = draw.pick(
        ("AVAILABLE", "NO_LONGER_AVAILABLE", "TEMPORARILY_NOT_AVAILABLE", "APPROVED_FOR_MARKETING")
    )
    course.pcd = course.cd = course.results = course.enrolled = None
    course.events = ()


def _withdrawn(draw: Draw, course: Course) -> None:
    course.status, course.enrolled, course.results, course.events = "WITHDRAWN", 0, None, ()


def _withdrawn_observational(draw: Draw, course: Course) -> None:
    _withdrawn(draw, course)
    course.study_type = "OBSERVATIONAL"


def _withdrawn_untyped(draw: Draw, course: Course) -> None:
    _withdrawn(draw, course)
    course.study_type = None


def _nobody(draw: Draw, course: Course) -> None:
    course.enrolled, course.results, course.events = 0, None, ()


def _left(draw: Draw, course: Course) -> None:
    course.study_type, course.earlier = "OBSERVATIONAL", Earlier.IN_SCOPE


def _untyped(draw: Draw, course: Course) -> None:
    course.study_type = None


def _bare(draw: Draw, course: Course) -> None:
    course.study_type, course.bare, course.enrolled = None, True, None


def _withheld(draw: Draw, course: Course) -> None:
    _bare(draw, course)
    course.status, course.pcd, course.cd, course.results, course.events = "WITHHELD", None, None, None, ()


def _certified(draw: Draw, course: Course) -> None:
    """A certificate of delay, which neither register policy honours."""
    clock = course.clock
    assert clock is not None
    course.certificate = later(clock.last, draw.between(30, 360))


def _planned_nobody(draw: Draw, course: Course) -> None:
    """A planned enrolment of zero says nothing of what happened."""
    course.enrolled, course.enrolled_actual = 0, False


def _unverified(draw: Draw, course: Course) -> None:
    """The registry's own UNKNOWN: not verified for two years, dates still estimates."""
    course.last_known, course.enrolled_actual = (
        draw.pick(("RECRUITING", "NOT_YET_RECRUITING", "ACTIVE_NOT_RECRUITING")),
        False,
    )


def _planned(draw: Draw, course: Course) -> None:
    course.enrolled_actual = False


def _bad_primary(draw: Draw, course: Course) -> None:
    """An impossible primary completion date: the completion date stands in for it."""
    course.cd, course.pcd, course.pcd_junk = course.clock, None, draw.pick(JUNK_DATES)


def _bad_completion(draw: Draw, course: Course) -> None:
    course.pcd, course.cd, course.cd_junk = course.clock, None, draw.pick(JUNK_DATES)


def _only_completion(draw: Draw, course: Course) -> None:
    course.cd, course.pcd = course.clock, None


def _ends_on(*options: Partial, publish: tuple[str, ...] = ()) -> Change:
    """Pins the completion date, the clock of the publication policy; the primary one lies before it."""

    def change(draw: Draw, course: Course) -> None:
        end = draw.pick(options)
        course.cd = end
        course.pcd = end if draw.chance(0.3) else on_day(later(end.first, -draw.between(1, 90)))
        course.publish = publish

    return change


_PAST = either(date(2001, 1, 1), date(2025, 5, 31))
_PAST_DAY = days(date(2001, 1, 1), date(2025, 5, 31))
_PAST_MONTH = months(date(2001, 1, 1), date(2025, 5, 31))
_ROOM = either(_OPENING, date(2025, 4, 30))
_LONG_ROOM = either(_OPENING, date(2025, 2, 28))
_LEAP_DAYS = tuple(on_day(date(year, 2, 29)) for year in (2012, 2016, 2020, 2024))
_FEBRUARIES = tuple(in_month(year, 2) for year in (2011, 2015, 2019, 2023))
"""February before a leap year: 28 February plus twelve months is the 28th, not the leap day."""
_RECENT = either(date(2025, 7, 1), date(2026, 4, 30))
_FUTURE = either(date(2027, 6, 1), date(2032, 12, 31))
_SEEN_BEFORE_DUE = one_of(
    on_day(add_months(SEARCH, -SUMMARY_MONTHS)),
    *(on_day(date(2025, month, day)) for month, day in ((3, 18), (4, 9), (5, 2), (6, 1))),
    in_month(2025, 3),
    in_month(2025, 5),
)
"""Due on or after the older snapshot's day and before the as-of date."""

_MISSING = (
    Scenario("overdue", 190, _completed("overdue", "overdue", _PAST_DAY)),
    Scenario("overdue_month", 60, _completed("overdue_month", "overdue", _PAST_MONTH)),
    Scenario(
        "overdue_since_yesterday",
        3,
        _completed("overdue_since_yesterday", "overdue", one_of(on_day(date(2025, 6, 29)))),
    ),
    Scenario("overdue_month_edge", 3, _completed("overdue_month_edge", "overdue", one_of(in_month(2025, 5)))),
    Scenario("overdue_leap", 3, _completed("overdue_leap", "overdue", one_of(*_LEAP_DAYS, in_month(2024, 2)))),
    Scenario(
        "overdue_year", 3, _completed("overdue_year", "overdue", one_of(*(in_year(y) for y in range(2012, 2025))))
    ),
    Scenario(
        "overdue_completion_only", 12, _completed("overdue_completion_only", "overdue", _PAST, change=_only_completion)
    ),
    Scenario(
        "overdue_unverified",
        45,
        _completed("overdue_unverified", "overdue", _PAST, statuses=("UNKNOWN",), change=_unverified),
    ),
    Scenario(
        "overdue_recruiting", 6, _completed("overdue_recruiting", "overdue", _PAST, statuses=RUNNING, change=_planned)
    ),
    Scenario("overdue_certificate", 5, _completed("overdue_certificate", "overdue", _LONG_ROOM, change=_certified)),
    Scenario("overdue_planned_zero", 3, _completed("overdue_planned_zero", "overdue", _PAST, change=_planned_nobody)),
    Scenario("overdue_bad_primary", 3, _completed("overdue_bad_primary", "overdue", _PAST, change=_bad_primary)),
    Scenario(
        "overdue_bad_completion", 3, _completed("overdue_bad_completion", "overdue", _PAST, change=_bad_completion)
    ),
    Scenario(
        "overdue_cancelled",
        10,
        _completed("overdue_cancelled", "overdue_submission_cancelled", _LONG_ROOM, events=_cancelled),
    ),
    Scenario(
        "publication_due_today",
        3,
        _completed(
            "publication_due_today", "overdue", _PAST, change=_ends_on(on_day(date(2024, 6, 30)), in_month(2024, 6))
        ),
    ),
    Scenario(
        "publication_due_yesterday",
        3,
        _completed(
            "publication_due_yesterday", "overdue", _PAST, change=_ends_on(on_day(date(2024, 6, 29)), in_month(2024, 5))
        ),
    ),
    Scenario(
        "publication_leap",
        3,
        _completed(
            "publication_leap",
            "overdue",
            _PAST,
            change=_ends_on(*_LEAP_DAYS, in_month(2022, 2), publish=("due_day", "day_after")),
        ),
    ),
)

_REPORTED = (
    Scenario("on_time", 130, _completed("on_time", "reported_on_time", _ROOM, results=_in_time)),
    Scenario("on_time_due_day", 4, _completed("on_time_due_day", "reported_on_time", _ROOM, results=_on_due_day)),
    Scenario(
        "on_time_before_end",
        3,
        _completed("on_time_before_end", "reported_on_time", _ROOM, results=_before_the_end, after=400),
    ),
    Scenario("on_time_posting", 5, _completed("on_time_posting", "reported_on_time", _ROOM, results=_posting_in_time)),
    Scenario(
        "on_time_posting_due_day",
        3,
        _completed("on_time_posting_due_day", "reported_on_time", _ROOM, results=_posting_on_due_day),
    ),
    Scenario(
        "on_time_leap", 3, _completed("on_time_leap", "reported_on_time", one_of(*_LEAP_DAYS), results=_on_due_day)
    ),
    Scenario(
        "on_time_february",
        3,
        _completed("on_time_february", "reported_on_time", one_of(*_FEBRUARIES), results=_on_due_day),
    ),
    Scenario(
        "on_time_undated_seen",
        4,
        _completed(
            "on_time_undated_seen", "reported_on_time", _SEEN_BEFORE_DUE, results=_undated, earlier=Earlier.RESULTS
        ),
    ),
    Scenario("late", 125, _completed("late", "reported_late", _LONG_ROOM, results=_too_late)),
    Scenario("late_day_after", 4, _completed("late_day_after", "reported_late", _LONG_ROOM, results=_day_after)),
    Scenario("late_posting", 5, _completed("late_posting", "reported_late", _LONG_ROOM, results=_posting_late)),
    Scenario(
        "late_posting_day_after",
        3,
        _completed("late_posting_day_after", "reported_late", _LONG_ROOM, results=_posting_day_after),
    ),
    Scenario("late_leap", 3, _completed("late_leap", "reported_late", one_of(*_LEAP_DAYS), results=_day_after)),
    Scenario(
        "late_february", 3, _completed("late_february", "reported_late", one_of(*_FEBRUARIES), results=_day_after)
    ),
    Scenario(
        "late_certificate",
        4,
        _completed("late_certificate", "reported_late", _LONG_ROOM, results=_too_late, change=_certified),
    ),
    Scenario(
        "undated", 5, _completed("undated", "reported_undated", either(_OPENING, date(2025, 2, 28)), results=_undated)
    ),
    Scenario("early", 14, _completed("early", "reported_early", _RECENT, results=_so_far)),
    Scenario(
        "early_running",
        4,
        _completed("early_running", "reported_early", _FUTURE, statuses=RUNNING, results=_recently, change=_planned),
    ),
    Scenario("early_undated", 2, _completed("early_undated", "reported_early", _RECENT, results=_undated)),
    Scenario("early_dateless", 4, _dateless("early_dateless", "reported_early", "COMPLETED", results=_recently)),
    Scenario(
        "early_dateless_undated",
        2,
        _dateless("early_dateless_undated", "reported_early", "UNKNOWN", last_known="RECRUITING", results=_undated),
    ),
)

_SUBMITTED = (
    Scenario("submitted", 9, _completed("submitted", "submitted_on_time", _ROOM, events=_live_in_time)),
    Scenario(
        "submitted_due_day", 3, _completed("submitted_due_day", "submitted_on_time", _ROOM, events=_live_on_due_day)
    ),
    Scenario(
        "submitted_day_after",
        3,
        _completed("submitted_day_after", "submitted_late", _LONG_ROOM, events=_live_day_after),
    ),
    Scenario("submitted_late", 8, _completed("submitted_late", "submitted_late", _LONG_ROOM, events=_live_late)),
    Scenario(
        "resubmitted_late", 3, _completed("resubmitted_late", "submitted_late", _LONG_ROOM, events=_resubmitted_late)
    ),
    Scenario(
        "resubmitted_in_time",
        3,
        _completed("resubmitted_in_time", "submitted_on_time", _LONG_ROOM, events=_resubmitted_in_time),
    ),
    Scenario("submitted_early", 4, _completed("submitted_early", "submitted_early", _RECENT, events=_live_in_time)),
    Scenario(
        "submitted_early_today",
        2,
        _completed("submitted_early_today", "submitted_early", one_of(on_day(date(2025, 6, 30))), events=_live_in_time),
    ),
    Scenario(
        "submitted_dateless", 3, _dateless("submitted_dateless", "submitted_early", "TERMINATED", events=_live_recently)
    ),
)

_PENDING = (
    Scenario("not_due", 60, _completed("not_due", "not_due", either(date(2025, 7, 1), date(2026, 5, 31)))),
    Scenario("not_due_today", 4, _completed("not_due_today", "not_due", one_of(on_day(date(2025, 6, 30))))),
    Scenario("not_due_month_edge", 4, _completed("not_due_month_edge", "not_due", one_of(in_month(2025, 6)))),
    Scenario(
        "not_due_ended_today",
        4,
        _completed(
            "not_due_ended_today",
            "not_due",
            one_of(on_day(AS_OF), in_month(2026, 6)),
            statuses=("ACTIVE_NOT_RECRUITING",),
        ),
    ),
    Scenario("not_due_year", 2, _completed("not_due_year", "not_due", one_of(in_year(2025)))),
    Scenario(
        "not_due_cancelled",
        3,
        _completed("not_due_cancelled", "not_due", days(date(2025, 8, 1), date(2025, 12, 31)), events=_cancelled),
    ),
    Scenario(
        "not_completed",
        120,
        _completed(
            "not_completed", "not_completed", _FUTURE, statuses=(*RUNNING, "NOT_YET_RECRUITING"), change=_planned
        ),
        future=True,
    ),
    Scenario(
        "not_completed_far",
        2,
        _completed(
            "not_completed_far",
            "not_completed",
            one_of(in_month(2049, 12), on_day(date(2050, 1, 1))),
            statuses=RUNNING,
            change=_planned,
        ),
        future=True,
    ),
    Scenario(
        "ends_tomorrow",
        4,
        _completed(
            "ends_tomorrow",
            "not_completed",
            one_of(on_day(AS_OF + DAY), in_month(2026, 7), in_year(2026)),
            statuses=RUNNING,
            change=_planned,
        ),
    ),
    Scenario("running_dateless", 8, _dateless("running_dateless", "not_completed", "RECRUITING")),
    Scenario("suspended_dateless", 3, _dateless("suspended_dateless", "not_completed", "SUSPENDED")),
    Scenario(
        "running_bad_dates", 3, _dateless("running_bad_dates", "not_completed", "ACTIVE_NOT_RECRUITING", junk=True)
    ),
)

_UNJUDGED = (
    Scenario("ended_dateless", 8, _dateless("ended_dateless", "inconsistent", "COMPLETED")),
    Scenario("terminated_dateless", 4, _dateless("terminated_dateless", "inconsistent", "TERMINATED")),
    Scenario("ended_bad_dates", 3, _dateless("ended_bad_dates", "inconsistent", "COMPLETED", junk=True)),
    Scenario(
        "ended_dropped_dates", 3, _dateless("ended_dropped_dates", "inconsistent", "COMPLETED", earlier=Earlier.DATES)
    ),
    Scenario(
        "unverified_dateless",
        8,
        _dateless("unverified_dateless", "completion_unknown", "UNKNOWN", last_known="RECRUITING"),
    ),
    Scenario("statusless_dateless", 4, _dateless("statusless_dateless", "completion_unknown", None)),
    Scenario("untyped", 6, _outside("untyped", "scope_unknown", _completed("", "", _PAST), _untyped)),
    Scenario("designless", 4, _outside("designless", "scope_unknown", _completed("", "", _PAST), _bare)),
    Scenario("withheld", 3, _outside("withheld", "scope_unknown", _dateless("", "", None), _withheld)),
)

_OUTSIDE = (
    Scenario("withdrawn", 22, _outside("withdrawn", "never_started", _completed("", "", _PAST), _withdrawn)),
    Scenario("nobody_enrolled", 4, _outside("nobody_enrolled", "never_started", _completed("", "", _PAST), _nobody)),
    Scenario(
        "withdrawn_observational",
        3,
        _outside("withdrawn_observational", "never_started", _completed("", "", _PAST), _withdrawn_observational),
    ),
    Scenario(
        "withdrawn_untyped",
        2,
        _outside("withdrawn_untyped", "never_started", _completed("", "", _PAST), _withdrawn_untyped),
    ),
    Scenario("left_scope", 6, _outside("left_scope", "left_scope", _completed("", "", _PAST), _left)),
    Scenario(
        "observational", 150, _outside("observational", "out_of_scope", _completed("", "", _PAST), _observational)
    ),
    Scenario(
        "observational_running",
        30,
        _outside(
            "observational_running",
            "out_of_scope",
            _completed("", "", _FUTURE, statuses=RUNNING, change=_planned),
            _observational,
        ),
        future=True,
    ),
    Scenario(
        "observational_results",
        3,
        _outside("observational_results", "out_of_scope", _completed("", "", _ROOM, results=_in_time), _observational),
    ),
    Scenario("expanded_access", 8, _outside("expanded_access", "out_of_scope", _completed("", "", _PAST), _expanded)),
)

COURSES: Final = _MISSING + _REPORTED + _SUBMITTED + _PENDING + _UNJUDGED + _OUTSIDE
