"""The articles around a trial, and the publication verdict that follows from how they were made.

Belongs here: which articles exist, where and how they name the trial, when they appeared, in which PubMed files they
stand, what the registry's references say of them. Does not belong here: XML (`pubmed.py`), or any code under test.

An article counts as results if it names the trial in data bank, title or abstract, or the registry calls it RESULT, and
it is no protocol, review or notice, appeared neither before the start nor before primary completion, names at most
three trials and is not retracted. Everything else made here is a trap: it looks like results and must not count.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Final, NamedTuple

from pipelines.sample import names
from pipelines.sample.days import AS_OF, DAY, Draw, Partial, add_months, later, month_end

PUBLICATION_MONTHS: Final = 24

_LAST_DAYS: Final = (date(2026, 1, 25), date(2026, 3, 15), date(2026, 5, 12), date(2026, 6, 20))
"""The last day of appearance of what stands in the baseline and in each update."""
CAP: Final = _LAST_DAYS[-1]
STAGES: Final = len(_LAST_DAYS)
_BACKGROUND_PLACE: Final = 6
"""A trial's first article numbers are for articles about it, the rest for background."""

_MONTHS: Final = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


class Printed(NamedTuple):
    """The journal issue's date. `season` holds a season or a MedlineDate text."""

    form: str
    year: int
    month: int = 0
    day: int = 0
    text: str = ""


class Dated(NamedTuple):
    """When an article appeared: in print, online, and the day that counts."""

    printed: Printed
    online: date | None
    day: date


@dataclass(slots=True)
class Paper:
    """One rendition of an article, as it stands in one PubMed file."""

    pmid: int
    dated: Dated
    types: tuple[str, ...]
    title: str
    version: int = 1
    banks: tuple[tuple[str, str], ...] = ()
    abstract: str = ""
    cited: tuple[str, ...] = ()
    notes: tuple[tuple[str, int], ...] = ()
    keyword: str = ""
    collective: str = ""
    structured: bool = True
    quirk: int = 0


class Reference(NamedTuple):
    kind: str
    pmid: int | None
    retraction: int | None = None


@dataclass(slots=True)
class Plan:
    """All articles of one trial, and what follows from them."""

    slug: str = "none"
    status: str | None = None
    """The publication status that a counting article earns; None if none counts."""
    unresolved: bool = False
    """A RESULT reference points to an article that stands in no file."""
    deliveries: list[tuple[int, Paper]] = field(default_factory=list)
    deletions: list[tuple[int, int, int]] = field(default_factory=list)
    """Stage, article, version."""
    references: list[Reference] = field(default_factory=list)

    def deliver(self, paper: Paper) -> None:
        self.deliveries.append((stage_of(paper.dated.day), paper))


@dataclass(slots=True)
class Subject:
    """What an article can say of a trial. `low` and `high` bound the days on which its results can appear."""

    index: int
    number: str
    numbers: tuple[str, ...]
    """The numbers of the trial's registrations here."""
    also: tuple[str, ...]
    """Its numbers in other registries, as its registration states them."""
    neighbours: tuple[str, ...]
    """Numbers of other trials."""
    drug: str
    condition: str
    start: Partial | None
    pcd: Partial | None
    due: date | None
    low: date | None
    publish: tuple[str, ...] | None
    has_results: bool

    def pmid(self, slot: int) -> int:
        return names.pmid(self.index, slot)


def subject_window(start: Partial | None, pcd: Partial | None, cd: Partial | None) -> tuple[date | None, date | None]:
    """The day from which an article surely is about the whole trial, and the day by which it is due."""
    clock = cd or pcd
    due = add_months(clock.last, PUBLICATION_MONTHS) if clock else None
    if start is None:
        return due, None
    end = pcd or cd
    return due, later(start.last, 200) if end is None else later(max(end.last, start.last), 20)


def stage_of(day: date) -> int:
    for stage, last in enumerate(_LAST_DAYS):
        if day <= last:
            return stage
    raise ValueError(f"an article of {day} is too new for this world")


# --- dates of appearance -------------------------------------------------------------------------------------------


def _print_month(day: date, months: int) -> Printed:
    moved = add_months(date(day.year, day.month, 1), months)
    return Printed("month", moved.year, moved.month)


def _print_day(day: date) -> Printed:
    return Printed("day", day.year, day.month, day.day)


def _exact(draw: Draw, day: date) -> Dated:
    """Forms whose counting day is exactly `day`."""
    share = draw.random()
    if share < 0.4:
        return Dated(_print_month(day, draw.between(1, 5)), day, day)
    if share < 0.6:
        return Dated(_print_day(day), None, day)
    if share < 0.85:
        # The month contains the day, and the day is the better known of the two.
        return Dated(_print_month(day, 0), day, day)
    return Dated(_print_day(day), later(day, draw.between(1, 40)), day)


def _whole_month(day: date) -> Dated:
    first = day.replace(day=1)
    return Dated(Printed("month", day.year, day.month), None, first)


def _two_months(draw: Draw, day: date) -> tuple[Dated, date]:
    following = add_months(day.replace(day=1), 1)
    one, two = _MONTHS[day.month - 1], _MONTHS[following.month - 1]
    if day.year != following.year:
        text = f"{day.year} {one}-{following.year} {two}"
    else:
        text = draw.pick((f"{day.year} {one}-{two}", f"{day.year} {one}/{two}", f"{day.year} {one} - {two}"))
    printed = Printed("medline", day.year, text=text)
    return Dated(printed, None, day.replace(day=1)), month_end(following.year, following.month)


def _season(draw: Draw, year: int) -> Dated:
    name = draw.pick(("Spring", "Summer", "Autumn", "Fall", "Winter"))
    if draw.chance(0.3):
        return Dated(Printed("medline", year, text=f"{year} {name}"), None, date(year, 1, 1))
    return Dated(Printed("season", year, text=name), None, date(year, 1, 1))


def _any_form(draw: Draw, low: date, high: date) -> Dated:
    """A random appearance in an interval: vague forms only where all they can mean lies in it."""
    day = draw.day(low, high)
    share = draw.random()
    if share < 0.15 and low <= day.replace(day=1) and month_end(day.year, day.month) <= high:
        return _whole_month(day)
    if share < 0.22 and low <= day.replace(day=1):
        dated, last = _two_months(draw, day)
        if last <= high:
            return dated
    if share < 0.32 and low <= date(day.year - 1, 12, 1) and date(day.year + 1, 2, 28) <= high:
        if share < 0.26:
            return _season(draw, day.year)
        return Dated(Printed("year", day.year), day if share > 0.29 else None, date(day.year, 1, 1))
    return _exact(draw, day)


# --- timings -------------------------------------------------------------------------------------------------------


class Timing(NamedTuple):
    slug: str
    status: str
    dated: Dated


_When = Callable[[Draw, Subject], Timing | None]


def _early(draw: Draw, subject: Subject) -> Timing | None:
    """Not due yet, or no clock to be due by."""
    assert subject.low is not None
    return Timing("early", "reported_early", _any_form(draw, subject.low, CAP))


def _on_time(draw: Draw, subject: Subject) -> Timing | None:
    low, due = subject.low, subject.due
    if low is None or due is None or low > min(due, CAP):
        return None
    return Timing("on_time", "reported_on_time", _any_form(draw, low, min(due, CAP)))


def _late(draw: Draw, subject: Subject) -> Timing | None:
    due = subject.due
    if due is None or subject.low is None or max(due + DAY, subject.low) > CAP:
        return None
    return Timing("late", "reported_late", _any_form(draw, max(due + DAY, subject.low), CAP))


def _due_day(draw: Draw, subject: Subject) -> Timing | None:
    due = subject.due
    if due is None or subject.low is None or not subject.low <= due <= CAP:
        return None
    return Timing("due_day", "reported_on_time", _exact(draw, due))


def _day_after(draw: Draw, subject: Subject) -> Timing | None:
    due = subject.due
    if due is None or subject.low is None or not subject.low <= due + DAY <= CAP:
        return None
    return Timing("day_after", "reported_late", _exact(draw, due + DAY))


def _due_month(draw: Draw, subject: Subject) -> Timing | None:
    """Printed in the month of the due date, day unknown: its earliest reading is in time."""
    due = subject.due
    if due is None or subject.low is None or not subject.low <= due.replace(day=1) or due > CAP:
        return None
    return Timing("due_month", "reported_on_time", _whole_month(due))


def _day_beats_month(draw: Draw, subject: Subject) -> Timing | None:
    """Printed in the month of the due date, online on a later day of it: the day is known, and it is late."""
    due = subject.due
    if due is None or subject.low is None or not subject.low <= due <= later(CAP, -3) or due.day > 25:
        return None
    day = later(due, draw.between(1, 3))
    return Timing("day_beats_month", "reported_late", Dated(_print_month(day, 0), day, day))


def _end_month(draw: Draw, subject: Subject) -> Timing | None:
    """Appeared on some day of the month in which the trial ended, as far as we know: not before its end."""
    pcd, start, due = subject.pcd, subject.start, subject.due
    if (
        pcd is None
        or start is None
        or due is None
        or pcd.first == pcd.last
        or len(pcd.text) != 7
        or pcd.first <= start.last
    ):
        return None
    day = draw.day(pcd.first, pcd.last)
    return Timing("end_month", "reported_on_time", Dated(_print_month(day, 3), day, day))


def _vague_late(draw: Draw, subject: Subject) -> Timing | None:
    """A season or a year, wholly after the due date however it is read."""
    due, low = subject.due, subject.low
    if due is None or low is None or max(due.year, low.year) > 2023:
        return None
    year = max(due.year, low.year) + 2
    if year > 2025 or date(year, 12, 31) > CAP:
        return None
    if draw.chance(0.6):
        return Timing("season_late", "reported_late", _season(draw, year))
    return Timing("year_late", "reported_late", Dated(Printed("year", year), None, date(year, 1, 1)))


TIMINGS: Final[dict[str, tuple[float, _When]]] = {
    "on_time": (60, _on_time),
    "late": (28, _late),
    "due_day": (2, _due_day),
    "day_after": (2, _day_after),
    "due_month": (2, _due_month),
    "day_beats_month": (2, _day_beats_month),
    "end_month": (2, _end_month),
    "vague_late": (3, _vague_late),
}


def _timing(draw: Draw, subject: Subject, wanted: str | None) -> Timing | None:
    """When the trial's results article appeared, or None if it cannot have one."""
    if subject.low is None or subject.low > CAP or subject.publish == ():
        return None
    if subject.due is None or subject.due >= AS_OF:
        return _early(draw, subject)
    if wanted is None and subject.publish:
        wanted = draw.pick(subject.publish)
    if wanted is None:
        share = draw.random() * sum(weight for weight, _ in TIMINGS.values())
        for slug, (weight, _when) in TIMINGS.items():
            wanted = slug
            share -= weight
            if share < 0:
                break
    assert wanted is not None
    # What the dates do not allow becomes an article in time, which a passed due date always leaves room for.
    return TIMINGS[wanted][1](draw, subject) or _on_time(draw, subject)


# --- words ---------------------------------------------------------------------------------------------------------

RCT: Final = ("Journal Article", "Randomized Controlled Trial")
PLAIN: Final = ("Journal Article",)

_SPELLINGS: Final = (
    "NCT {d}",
    "NCT#{d}",
    "nCt{d}",
    "NCT: {d}",
    "NCT+{d}",
    "NCT-{d}",
    "NCT\u00a0{d}",
    "NCT\u2010{d}",
    "NCT\u200b{d}",
    "NCT{a}\u00ad{b}",
    "NCT{d}\u00b2",
    "NCT{d}<sup>2</sup>",
    "ClinicalTrials.govNCT{d}",
    "numberNCT{d}",
)
"""Ways in which real articles write a number; each names the trial."""


def _registered(number: str) -> str:
    return f"ClinicalTrials.gov identifier: {number}."


def _oddly(draw: Draw, number: str) -> str:
    digits = number[3:]
    return draw.pick(_SPELLINGS).format(d=digits, a=digits[:4], b=digits[4:])


def _title(draw: Draw, subject: Subject) -> str:
    share = draw.random()
    if share < 0.25:
        return f"<i>{subject.drug}</i> versus placebo in {subject.condition}: a randomised trial."
    if share < 0.35:
        return f"H<sub>2</sub>-free {subject.drug} for {subject.condition}: results &amp; safety at <b>12</b> months."
    if share < 0.65:
        return f"Efficacy and safety of {subject.drug} in adults with {subject.condition}."
    return f"{subject.drug} for {subject.condition}: results of a multicentre randomised study."


def _paper(draw: Draw, subject: Subject, dated: Dated, *, slot: int = 0, types: tuple[str, ...] = RCT) -> Paper:
    """An article that does not name the trial yet."""
    return Paper(
        subject.pmid(slot),
        dated,
        types,
        _title(draw, subject),
        structured=draw.chance(0.7),
        quirk=draw.below(40),
    )


def _bank(number: str) -> tuple[tuple[str, str], ...]:
    return (("ClinicalTrials.gov", number),)


def _either_number(draw: Draw, subject: Subject) -> str:
    return draw.pick(subject.numbers)


# --- articles that count -------------------------------------------------------------------------------------------

_Counting = Callable[[Draw, Subject, Plan, Dated], None]


def _databank_abstract(draw: Draw, subject: Subject, plan: Plan, dated: Dated) -> None:
    paper = _paper(draw, subject, dated)
    number = _either_number(draw, subject)
    paper.banks, paper.abstract = _bank(number), _registered(number)
    plan.deliver(paper)


def _databank(draw: Draw, subject: Subject, plan: Plan, dated: Dated) -> None:
    paper = _paper(draw, subject, dated)
    number = _either_number(draw, subject)
    paper.banks = _bank(draw.pick((number, number, number, number.lower(), number + " ", f"NCT {number[3:]}")))
    plan.deliver(paper)


def _abstract(draw: Draw, subject: Subject, plan: Plan, dated: Dated) -> None:
    paper = _paper(draw, subject, dated, types=RCT if draw.chance(0.5) else PLAIN)
    paper.abstract = _registered(_either_number(draw, subject))
    plan.deliver(paper)


def _abstract_oddly(draw: Draw, subject: Subject, plan: Plan, dated: Dated) -> None:
    paper = _paper(draw, subject, dated, types=RCT if draw.chance(0.5) else PLAIN)
    paper.abstract = f"Trial registration: {_oddly(draw, _either_number(draw, subject))}."
    plan.deliver(paper)


def _in_title(draw: Draw, subject: Subject, plan: Plan, dated: Dated) -> None:
    paper = _paper(draw, subject, dated, types=PLAIN)
    paper.title = f"{subject.drug} in {subject.condition} (<i>{subject.number}</i>): a randomised comparison."
    plan.deliver(paper)


def _result_reference(draw: Draw, subject: Subject, plan: Plan, dated: Dated) -> None:
    paper = _paper(draw, subject, dated)
    plan.deliver(paper)
    plan.references.append(Reference("RESULT", paper.pmid))


def _result_reference_plain(draw: Draw, subject: Subject, plan: Plan, dated: Dated) -> None:
    """Nothing in the article tells that it is of interest: only the registry does."""
    paper = _paper(draw, subject, dated, types=PLAIN)
    paper.title = f"Outcomes of patients with {subject.condition} given {subject.drug}."
    plan.deliver(paper)
    plan.references.append(Reference("RESULT", paper.pmid))


def _treatment_protocol(draw: Draw, subject: Subject, plan: Plan, dated: Dated) -> None:
    """The bare word protocol makes no protocol paper."""
    paper = _paper(draw, subject, dated)
    paper.title = f"A shortened {subject.drug} treatment protocol in {subject.condition}: results at one year."
    paper.banks = _bank(subject.number)
    plan.deliver(paper)


def _three_numbers(draw: Draw, subject: Subject, plan: Plan, dated: Dated) -> None:
    """Three trials are not too many; two of them are in no registry we hold."""
    paper = _paper(draw, subject, dated)
    unknown = [names.unknown_nct(subject.index * 2 + n) for n in (0, 1)]
    paper.abstract = f"Registered as {subject.number}, {unknown[0]} and {unknown[1]}."
    plan.deliver(paper)


def _one_trial_many_numbers(draw: Draw, subject: Subject, plan: Plan, dated: Dated) -> None:
    """Every number by which one trial is known: several numbers, one trial."""
    paper = _paper(draw, subject, dated)
    paper.banks = _bank(subject.number)
    paper.abstract = "Trial registration: " + "; ".join((*subject.numbers, *subject.also)) + "."
    plan.deliver(paper)


def _revised_to_count(draw: Draw, subject: Subject, plan: Plan, dated: Dated) -> None:
    """The number came with a revision."""
    paper = _paper(draw, subject, dated)
    plan.deliver(paper)
    plan.deliveries.append((draw.between(1, STAGES - 1), replace(paper, banks=_bank(subject.number))))


def _revised_again(draw: Draw, subject: Subject, plan: Plan, dated: Dated) -> None:
    """Two revisions in the order of the files: the wrong number first, then the right one again."""
    paper = _paper(draw, subject, dated)
    paper.banks = _bank(subject.number)
    plan.deliver(paper)
    plan.deliveries.append((1, replace(paper, banks=_bank(names.unknown_nct(subject.index)))))
    plan.deliveries.append((draw.between(2, STAGES - 1), replace(paper)))


def _second_version(draw: Draw, subject: Subject, plan: Plan, dated: Dated) -> None:
    """Two versions stand side by side; the higher is the article."""
    paper = _paper(draw, subject, dated, types=PLAIN)
    plan.deliver(paper)
    second = replace(paper, version=2, abstract=_registered(subject.number))
    plan.deliveries.append((draw.below(STAGES), second))


def _old_version_deleted(draw: Draw, subject: Subject, plan: Plan, dated: Dated) -> None:
    """Only the first version is taken back; the second stays."""
    paper = _paper(draw, subject, dated)
    paper.banks = _bank(subject.number)
    plan.deliver(paper)
    plan.deliver(replace(paper, version=2))
    plan.deletions.append((draw.between(1, STAGES - 1), paper.pmid, 1))


def _reissued(draw: Draw, subject: Subject, plan: Plan, dated: Dated) -> None:
    paper = _paper(draw, subject, dated)
    paper.banks = _bank(subject.number)
    plan.deliver(paper)
    gone = draw.between(1, STAGES - 2)
    plan.deletions.append((gone, paper.pmid, 1))
    plan.deliveries.append((draw.between(gone + 1, STAGES - 1), replace(paper)))


class Count(NamedTuple):
    slug: str
    weight: float
    make: _Counting
    settled: bool = False
    """Needs an article of the baseline, because later files change it."""
    many: bool = False
    """Needs a trial known by several numbers."""


COUNTS: Final = (
    Count("databank_abstract", 40, _databank_abstract),
    Count("databank", 20, _databank),
    Count("abstract", 16, _abstract),
    Count("abstract_oddly", 6, _abstract_oddly),
    Count("title", 3, _in_title),
    Count("result_reference", 6, _result_reference),
    Count("result_reference_plain", 3, _result_reference_plain),
    Count("treatment_protocol", 2, _treatment_protocol),
    Count("three_numbers", 2, _three_numbers),
    Count("one_trial_many_numbers", 2, _one_trial_many_numbers, many=True),
    Count("revised_to_count", 2, _revised_to_count, settled=True),
    Count("revised_again", 1, _revised_again, settled=True),
    Count("second_version", 2, _second_version, settled=True),
    Count("old_version_deleted", 1, _old_version_deleted, settled=True),
    Count("reissued", 2, _reissued, settled=True),
)


# --- articles that do not count ------------------------------------------------------------------------------------

_Trap = Callable[[Draw, Subject, Plan, int], bool]
"""Adds a trap that uses the article numbers from a slot on; False if the trial's dates leave no room for it."""


def _tempting(draw: Draw, subject: Subject, latest: date = CAP) -> Dated:
    """A day on which a results article would have counted, and in time, if the trial has such days."""
    low = subject.low or date(2016, 1, 1)
    high = min(subject.due or latest, latest)
    if low > high:
        low, high = min(later(high, -400), date(2025, 1, 1)), high
    return _any_form(draw, low, high)


def _named(draw: Draw, subject: Subject, slot: int, *, types: tuple[str, ...] = RCT, latest: date = CAP) -> Paper:
    paper = _paper(draw, subject, _tempting(draw, subject, latest), slot=slot, types=types)
    number = _either_number(draw, subject)
    if draw.chance(0.6):
        paper.banks = _bank(number)
    else:
        paper.abstract = _registered(number)
    return paper


def _in_references_only(draw: Draw, subject: Subject, plan: Plan, slot: int) -> bool:
    """The number stands in the reference list of an article about something else."""
    paper = _paper(draw, subject, _tempting(draw, subject), slot=slot, types=RCT if draw.chance(0.3) else PLAIN)
    paper.cited = (subject.number,)
    plan.deliver(paper)
    return True


def _elsewhere(draw: Draw, subject: Subject, plan: Plan, slot: int) -> bool:
    """The number stands in a keyword or a group author's name: neither is title, abstract or data bank."""
    paper = _paper(draw, subject, _tempting(draw, subject), slot=slot)
    if draw.chance(0.5):
        paper.keyword = subject.number
    else:
        paper.collective = f"{subject.number} Investigators"
    plan.deliver(paper)
    return True


def _not_results(*types: str) -> _Trap:
    """An article whose publication type is not that of results."""

    def trap(draw: Draw, subject: Subject, plan: Plan, slot: int) -> bool:
        paper = _named(draw, subject, slot, types=("Journal Article", *types))
        if types == ("Published Erratum",):
            paper.types = types
            paper.title = f"Correction to: {subject.drug} for {subject.condition}."
            paper.notes = (("ErratumFor", names.unloaded_pmid(subject.index, 1)),)
        plan.deliver(paper)
        if draw.chance(0.3):
            plan.references.append(Reference("DERIVED", paper.pmid))
        return True

    return trap


_PROTOCOL_TITLES: Final = (
    "{drug} for {condition}: study protocol of a randomised trial.",
    "{drug} in {condition}: a trial protocol.",
    "Protocol for a randomised comparison of {drug} in {condition}.",
    "Protocol of a {drug} study in {condition}.",
    "Protocol for the {drug} study in {condition}.",
    "The {drug} trial in {condition}: rationale and design.",
    "Design and rationale of a {drug} study in {condition}.",
    "{drug} in {condition}: study design and methods of a randomised comparison.",
    "Baseline characteristics of patients with {condition} assigned to {drug}.",
    "Statistical analysis plan for the {drug} study in {condition}.",
    "{drug} against {condition} in primary care: study design.",
)


def _protocol_title(draw: Draw, subject: Subject, plan: Plan, slot: int) -> bool:
    paper = _named(draw, subject, slot, types=PLAIN)
    paper.title = draw.pick(_PROTOCOL_TITLES).format(drug=subject.drug, condition=subject.condition)
    plan.deliver(paper)
    return True


def _result_reference_protocol(draw: Draw, subject: Subject, plan: Plan, slot: int) -> bool:
    """The registry calls a protocol a result. The article is loaded, so nothing is unknown."""
    _protocol_title(draw, subject, plan, slot)
    plan.references.append(Reference("RESULT", subject.pmid(slot)))
    return True


def _result_reference_older(draw: Draw, subject: Subject, plan: Plan, slot: int) -> bool:
    """The registry calls a paper from before the trial a result."""
    if subject.start is None:
        return False
    day = later(subject.start.first, -draw.between(60, 1500))
    if day > CAP:
        return False
    paper = _paper(draw, subject, _exact(draw, day), slot=slot)
    plan.deliver(paper)
    plan.references.append(Reference("RESULT", paper.pmid))
    return True


def _before_start(draw: Draw, subject: Subject, plan: Plan, slot: int) -> bool:
    if subject.start is None:
        return False
    day = later(subject.start.first, -draw.between(60, 900))
    if day > CAP:
        return False
    paper = _paper(draw, subject, _exact(draw, day), slot=slot)
    paper.abstract = f"A pilot. A larger study is registered ({subject.number})."
    plan.deliver(paper)
    return True


def _interim(draw: Draw, subject: Subject, plan: Plan, slot: int) -> bool:
    """Results, but from before primary completion."""
    if subject.start is None or subject.pcd is None:
        return False
    low, high = later(subject.start.last, 30), min(later(subject.pcd.first, -40), CAP)
    if low > high:
        return False
    paper = _paper(draw, subject, _exact(draw, draw.day(low, high)), slot=slot)
    paper.banks = _bank(subject.number)
    paper.title = f"{subject.drug} in {subject.condition}: interim results."
    plan.deliver(paper)
    return True


def _pooled(draw: Draw, subject: Subject, plan: Plan, slot: int) -> bool:
    """Four trials in one article; the other three are this world's next ones."""
    if len(subject.neighbours) < 3:
        return False
    paper = _paper(draw, subject, _tempting(draw, subject), slot=slot)
    paper.title = f"{subject.drug} in {subject.condition}: findings from four randomised studies."
    numbers = (subject.number, *subject.neighbours[:3])
    if draw.chance(0.5):
        paper.banks = tuple(("ClinicalTrials.gov", number) for number in numbers)
    else:
        paper.abstract = "Registered: " + ", ".join(numbers) + "."
    plan.deliver(paper)
    return True


def _retracted(draw: Draw, subject: Subject, plan: Plan, slot: int) -> bool:
    """Retracted from the first file on, or by a revision; the notice names the trial as well."""
    whole = _named(draw, subject, slot, latest=_LAST_DAYS[0])
    notice_id = subject.pmid(slot + 1)
    marked = replace(whole, types=(*whole.types, "Retracted Publication"), notes=(("RetractionIn", notice_id),))
    stage = draw.below(STAGES)
    if stage:
        plan.deliver(whole)
        plan.deliveries.append((stage, marked))
    else:
        plan.deliver(marked)
    day = max(whole.dated.day, _LAST_DAYS[stage - 1] + DAY) if stage else whole.dated.day
    notice = Paper(
        notice_id,
        Dated(_print_day(day), None, day),
        ("Journal Article", draw.pick(("Retraction of Publication", "Retraction Notice"))),
        f"Retraction: {subject.drug} in {subject.condition} ({subject.number}).",
        notes=(("RetractionOf", whole.pmid),),
    )
    plan.deliveries.append((stage, notice))
    if draw.chance(0.5):
        plan.references.append(Reference("RESULT" if draw.chance(0.5) else "DERIVED", whole.pmid, notice_id))
    return True


def _derived_unnamed(draw: Draw, subject: Subject, plan: Plan, slot: int) -> bool:
    """The registry derived a link that the article itself does not show."""
    paper = _paper(draw, subject, _tempting(draw, subject), slot=slot)
    plan.deliver(paper)
    plan.references.append(Reference("DERIVED", paper.pmid))
    return True


def _derived_unloaded(draw: Draw, subject: Subject, plan: Plan, slot: int) -> bool:
    plan.references.append(Reference("DERIVED", names.unloaded_pmid(subject.index)))
    return True


def _background_reference(draw: Draw, subject: Subject, plan: Plan, slot: int) -> bool:
    paper = _paper(draw, subject, _tempting(draw, subject), slot=slot, types=RCT if draw.chance(0.5) else PLAIN)
    plan.deliver(paper)
    plan.references.append(Reference("BACKGROUND", paper.pmid))
    return True


def _result_unloaded(draw: Draw, subject: Subject, plan: Plan, slot: int) -> bool:
    """The registry names a result that stands in no file: it may be one, so the trial is not judged."""
    plan.references.append(Reference("RESULT", names.unloaded_pmid(subject.index)))
    plan.unresolved = True
    return True


def _deleted(draw: Draw, subject: Subject, plan: Plan, slot: int) -> bool:
    paper = _named(draw, subject, slot, latest=_LAST_DAYS[0])
    plan.deliver(paper)
    gone = draw.between(1, STAGES - 1)
    plan.deletions.append((gone, paper.pmid, 1))
    if gone == 1 and draw.chance(0.3):
        # Back for a while, then gone for good.
        plan.deliveries.append((2, replace(paper)))
        plan.deletions.append((3, paper.pmid, 1))
    return True


def _revised_away(draw: Draw, subject: Subject, plan: Plan, slot: int) -> bool:
    """The number was a mistake that a revision took out."""
    paper = _named(draw, subject, slot, latest=_LAST_DAYS[0])
    plan.deliver(paper)
    plan.deliveries.append((draw.between(1, STAGES - 1), replace(paper, banks=(), abstract="")))
    return True


def _version_without(draw: Draw, subject: Subject, plan: Plan, slot: int) -> bool:
    """The second version no longer names the trial."""
    paper = _named(draw, subject, slot, latest=_LAST_DAYS[0])
    plan.deliver(paper)
    plan.deliveries.append((draw.below(STAGES), replace(paper, version=2, banks=(), abstract="")))
    return True


def _malformed(draw: Draw, subject: Subject, plan: Plan, slot: int) -> bool:
    """One digit too many or too few is no number."""
    paper = _paper(draw, subject, _tempting(draw, subject), slot=slot)
    wrong = subject.number + "0" if draw.chance(0.5) else subject.number[:-1]
    paper.abstract = _registered(wrong)
    plan.deliver(paper)
    return True


def _stranger(draw: Draw, subject: Subject, plan: Plan, slot: int) -> bool:
    """A well-formed number that no registry of this world knows."""
    paper = _paper(draw, subject, _tempting(draw, subject), slot=slot)
    paper.banks = _bank(names.unknown_nct(subject.index))
    plan.deliver(paper)
    return True


def _preprint(draw: Draw, subject: Subject, plan: Plan, slot: int) -> bool:
    """Flagged and not counted. Only beside register results, where nothing else hangs on it."""
    if not subject.has_results:
        return False
    plan.deliver(_named(draw, subject, slot, types=("Journal Article", "Preprint")))
    return True


class Trap(NamedTuple):
    slug: str
    weight: float
    make: _Trap


TRAPS: Final = (
    Trap("references_only", 8, _in_references_only),
    Trap("elsewhere", 3, _elsewhere),
    Trap("protocol_type", 8, _not_results("Clinical Trial Protocol")),
    Trap("protocol_title", 10, _protocol_title),
    Trap("review", 5, _not_results("Review")),
    Trap("systematic_review", 4, _not_results("Systematic Review")),
    Trap("meta_analysis", 3, _not_results("Meta-Analysis")),
    Trap("comment", 3, _not_results("Comment")),
    Trap("editorial", 2, _not_results("Editorial")),
    Trap("news", 2, _not_results("News")),
    Trap("erratum", 3, _not_results("Published Erratum")),
    Trap("retracted", 3, _retracted),
    Trap("before_start", 5, _before_start),
    Trap("interim", 6, _interim),
    Trap("pooled", 4, _pooled),
    Trap("derived_unnamed", 4, _derived_unnamed),
    Trap("derived_unloaded", 3, _derived_unloaded),
    Trap("background_reference", 5, _background_reference),
    Trap("result_reference_protocol", 3, _result_reference_protocol),
    Trap("result_reference_older", 3, _result_reference_older),
    Trap("result_unloaded", 7, _result_unloaded),
    Trap("deleted", 3, _deleted),
    Trap("revised_away", 2, _revised_away),
    Trap("version_without", 2, _version_without),
    Trap("malformed", 2, _malformed),
    Trap("stranger", 2, _stranger),
    Trap("preprint", 2, _preprint),
)

SHOWCASE: Final = (
    *(("count", count.slug) for count in COUNTS),
    *(("time", slug) for slug in TIMINGS),
    *(("trap", trap.slug) for trap in TRAPS),
    *(("two", slug) for slug in ("first_of_two", "interim_then_late", "unloaded_but_counting")),
)
"""Every way of making a trial's articles, for the trials that show each in turn."""


# --- a trial's articles --------------------------------------------------------------------------------------------


def feasible(draw: Draw, subject: Subject, show: tuple[str, str]) -> bool:
    """Whether the trial's dates leave room for what is to be shown."""
    kind, slug = show
    if subject.low is None or subject.low > CAP:
        return False
    if kind == "time":
        return TIMINGS[slug][1](draw, subject) is not None
    if kind == "two":
        return _late(draw, subject) is not None
    return True


_COUNTS: Final = {count.slug: count for count in COUNTS}
_TRAPS: Final = {trap.slug: trap for trap in TRAPS}
_ALL_COUNTS: Final = sum(count.weight for count in COUNTS)
_ALL_TRAPS: Final = sum(trap.weight for trap in TRAPS)


def _some_count(draw: Draw) -> Count:
    share = draw.random() * _ALL_COUNTS
    for count in COUNTS:
        share -= count.weight
        if share < 0:
            return count
    return COUNTS[0]


def _some_trap(draw: Draw) -> Trap:
    share = draw.random() * _ALL_TRAPS
    for trap in TRAPS:
        share -= trap.weight
        if share < 0:
            return trap
    return TRAPS[0]


def _publish(draw: Draw, subject: Subject, plan: Plan, count: Count | None, wanted: str | None = None) -> None:
    """Adds an article that counts, if the trial can have one."""
    timing = _timing(draw, subject, wanted)
    if timing is None:
        return
    chosen = count or _some_count(draw)
    if (chosen.settled and stage_of(timing.dated.day)) or (chosen.many and len(subject.numbers) < 2):
        chosen = _COUNTS["databank"]
    chosen.make(draw, subject, plan, timing.dated)
    plan.slug, plan.status = f"{chosen.slug}-{timing.slug}", timing.status
    if not plan.references and draw.chance(0.45):
        plan.references.append(Reference("RESULT" if draw.chance(0.3) else "DERIVED", subject.pmid(0)))


def _tempt(draw: Draw, subject: Subject, plan: Plan, trap: Trap | None, slot: int) -> None:
    chosen = trap or _some_trap(draw)
    if chosen.make(draw, subject, plan, slot):
        plan.slug = chosen.slug if plan.slug == "none" else f"{plan.slug}+{chosen.slug}"


def _two_articles(draw: Draw, subject: Subject, plan: Plan, slug: str) -> None:
    late = _late(draw, subject)
    if slug == "unloaded_but_counting":
        _publish(draw, subject, plan, None)
        _result_unloaded(draw, subject, plan, 2)
    elif late is None:
        return
    elif slug == "first_of_two":
        # The later article comes first in the files.
        _databank(draw, subject, plan, late.dated)
        first = _on_time(draw, subject)
        assert first is not None
        paper = _paper(draw, subject, first.dated, slot=1)
        paper.abstract = _registered(subject.number)
        plan.deliver(paper)
        plan.status = first.status
    elif _interim(draw, subject, plan, 2):
        _databank(draw, subject, plan, late.dated)
        plan.status = late.status
    plan.slug = slug


def plan_articles(draw: Draw, subject: Subject, show: tuple[str, str] | None, *, ran: bool) -> Plan:
    """The articles of one trial; `ran` is false for a trial that nobody ever took part in."""
    plan = Plan()
    if show is not None:
        kind, slug = show
        if kind == "count":
            _publish(draw, subject, plan, _COUNTS[slug])
        elif kind == "time":
            _publish(draw, subject, plan, None, slug)
        elif kind == "trap":
            _tempt(draw, subject, plan, _TRAPS[slug], 0)
        else:
            _two_articles(draw, subject, plan, slug)
        return plan
    due = subject.due is not None and subject.due < AS_OF
    if ran and draw.chance(0.5 if due else 0.16):
        if due and draw.chance(0.04) and subject.low is not None and subject.low <= CAP and subject.publish is None:
            _two_articles(
                draw, subject, plan, draw.pick(("first_of_two", "interim_then_late", "unloaded_but_counting"))
            )
        else:
            _publish(draw, subject, plan, None)
    if draw.chance(0.12 if plan.status else 0.2):
        _tempt(draw, subject, plan, None, 3)
    return plan


# --- articles of no trial ------------------------------------------------------------------------------------------

_BACKGROUND_TYPES: Final = (
    ("Journal Article",),
    ("Journal Article",),
    ("Journal Article",),
    ("Journal Article", "Review"),
    ("Case Reports", "Journal Article"),
    ("Letter",),
    ("Editorial",),
    ("Comment", "Journal Article"),
)
_BACKGROUND_TITLES: Final = (
    "Mechanisms of {condition} in the ageing population.",
    "Cost of {condition} in primary care: a register study.",
    "A case of {condition} after <i>{drug}</i>.",
    "Culture of strain NCTC 10538 and its relation to {condition}.",
    "NLRP3, p75NTR and HCoV-NL63 in {condition}: what 95% CrIs can and cannot tell.",
    "[{condition} in rural districts].",
    "How we treat {condition}.",
    "Prevalence of {condition}, 1998-2004: dossier NL73249.041.20.",
)


def background(draw: Draw, number: int, stage: int) -> Paper:
    """An article of no interest: no trial number, no trial's publication type."""
    first = date(1975, 1, 1) if stage == 0 else _LAST_DAYS[stage - 1] + DAY
    dated = _any_form(draw, first, _LAST_DAYS[stage])
    title = draw.pick(_BACKGROUND_TITLES).format(condition=draw.pick(names.CONDITIONS)[0], drug=names.draw_drug(draw))
    return Paper(number, dated, draw.pick(_BACKGROUND_TYPES), title, structured=draw.chance(0.3), quirk=draw.below(60))


def backgrounds(draw: Draw, index: int, plan: Plan) -> list[tuple[int, Paper]]:
    """A trial's share of the rest of PubMed: at least one article for each of its own, most of them older."""
    wanted = min(len(plan.deliveries), 4) + (1 if len(plan.deliveries) < 4 and draw.chance(0.35) else 0)
    others: list[tuple[int, Paper]] = []
    for place in range(wanted):
        stage = 0 if draw.chance(0.94) else draw.between(1, STAGES - 1)
        others.append((stage, background(draw, names.pmid(index, _BACKGROUND_PLACE + place), stage)))
    if others and others[0][0] == 0 and index % 40 == 9:
        others.append((1 + index // 40 % (STAGES - 1), replace(others[0][1], quirk=1)))
    return others
