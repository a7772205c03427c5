"""A made-up universe of registrations with the truth of which are one trial, to try the rules of identity on.

Belongs here: how the records are made, the traps among them, and running the real queries over them. The truth comes
from how a record was made, never from a rule: nothing of the code under test is used before `run`. Does not belong
here: what the rules say of it (`tests/integration/test_universe.py`), what they cost (`tests/bench/identity.py`).

A universe is a stream of stories, each some registrations that belong together or only seem to. Every 25th story is the
next trap of `TRAPS`. Numbers lie in ranges that no register has issued; all names are invented.

    python -m tests.universe FILE RECORDS     makes one
    python -m tests.universe FILE             runs the queries in it and prints what that took
"""

import random
import sys
from bisect import bisect
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import accumulate, combinations, islice, product
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple

import duckdb
import pyarrow as pa

from pipelines import build, queries, store
from pipelines.contracts import contracts
from pipelines.identity import adjudications, ledger, trials
from pipelines.settings import Settings
from tests.bench.cost import tell

AS_OF = date(2026, 6, 30)
FIRST_START = date(2005, 3, 1)
BATCH = 5_000
LARGEST_STORY = 8
TRAP_EVERY = 25
CLUSTER_SHARE = 0.094  # of the other stories: with the traps, one registration in five shares its trial with another

REGISTERS = {
    "nct": 46, "euctr": 8, "isrctn": 5, "ctis": 2, "drks": 3, "chictr": 10, "anzctr": 4, "ctri": 8, "jrct": 3,
    "umin": 5, "irct": 4, "cris": 1, "rebec": 1,
}  # fmt: skip
CLUSTER_SIZES = {2: 70, 3: 20, 4: 7, 5: 3}

DRUGS = [
    "".join(syllables).capitalize()
    for syllables in product(
        ["balo", "brizo", "cevi", "dolu", "feza", "gavo", "hipra", "joxi", "kelu", "lumo", "mivo", "nerfa", "ostra",
         "pelvi", "quino", "ruvo"],
        ["bra", "cle", "dri", "fo", "gla", "ke", "lu", "mi", "na", "pro", "rux", "sta", "te", "vo", "wi", "za"],
        ["nib", "mab", "tide", "pril", "stat", "vir", "zole", "xan"],
    )
]  # fmt: skip
CONDITIONS = [
    (f"{kind} {illness}", f"{german_kind} {german_illness}")
    for (kind, german_kind), (illness, german_illness) in product(
        [("chronic", "chronische"), ("acute", "akute"), ("severe", "schwere"), ("recurrent", "rezidivierende"),
         ("juvenile", "juvenile"), ("refractory", "refraktäre"), ("early", "frühe"), ("advanced", "fortgeschrittene")],
        [("asthma", "Asthmaerkrankung"), ("sepsis", "Blutvergiftung"), ("migraine", "Kopfschmerzen"),
         ("psoriasis", "Schuppenflechte"), ("glaucoma", "Sehnervschädigung"), ("malaria", "Malariainfektion"),
         ("stroke", "Schlaganfälle"), ("arthritis", "Gelenkentzündung")],
    )
]  # fmt: skip
OUTCOMES = [
    f"{what} {when}"
    for what, when in product(
        ["survival", "pain", "mortality", "quality of life", "relapse", "walking distance", "sleep", "blood pressure"],
        ["at one month", "at twelve weeks", "at half a year", "at hospital discharge"],
    )
]
FRAMES = (
    "{drug} for {condition}: {outcome}",
    "A randomised, placebo-controlled study of {drug} on {outcome} in patients with {condition}",
    "Efficacy and safety of {drug} in adults with {condition} ({outcome})",
    "{drug} bei Patienten mit {german}",
)
EXTENSION_WORDS = ("long-term extension", "an open-label extension study", "roll-over study", "rollover protocol",
                   "roll over of completers", "long-term follow-up", "long term follow up")  # fmt: skip
SPONSORS = [
    kind.format("".join(place).capitalize())
    for place, kind in zip(
        product(
            ["an", "ber", "cor", "dan", "el", "fal", "gron", "hul", "isen", "jor", "kal", "lind", "mor", "nar", "ost",
             "pel", "quen", "ros"],
            ["da", "ka", "la", "ma", "na", "ra", "sa", "ta", "va", "xe", "yo", "zu"],
            ["berg", "burg", "dorf", "feld", "ford", "grad", "ham", "haven", "holm", "mark", "mont", "mouth", "pool",
             "ridge", "sund", "thorpe", "ton", "ville"],
        ),
        ["University of {}", "{} University Hospital", "{} Pharma Inc.", "{} Therapeutics", "{} Medical Center",
         "Hospital {}", "{} Research Institute", "{} Pharmaceuticals Ltd"] * 486,
        strict=True,
    )
]  # fmt: skip
# A few sponsors of a hundredth of all trials each, and a long tail.
SPONSOR_WEIGHTS = list(accumulate(1 / (rank + 20) for rank in range(len(SPONSORS))))
ENROLMENTS = (20, 30, 40, 50, 60, 60, 80, 100, 100, 120, 150, 200, 240, 300, 500, 1000)  # of two trials in five
# All begin with 80 to 82 where a register counts up: neither a run nor one digit over and over.
NUMBERS: dict[str, Callable[[int], str]] = {
    "nct": lambda i: f"NCT{80_000_000 + i}",
    "isrctn": lambda i: f"ISRCTN{80_000_000 + i}",
    "drks": lambda i: f"DRKS{80_000_000 + i}",
    "euctr": lambda i: f"{2040 + i // 800_000}-0{80_000 + i % 10_000}-{10 + i // 10_000 % 80}",
    "ctis": lambda i: f"{2060 + i // 800_000}-5{80_000 + i % 10_000}-{10 + i // 10_000 % 80}",
    "anzctr": lambda i: f"ACTRN12699{80_000_000 + i}0",
    "chictr": lambda i: f"ChiCTR99{80_000_000 + i}",
    "ctri": lambda i: f"CTRI/{2080 + i // 240_000}/{1 + i // 20_000 % 12:02d}/{800_000 + i % 20_000}",
    "jrct": lambda i: f"jRCT20{80_000_000 + i}",
    "umin": lambda i: f"UMIN0{80_000_000 + i}",
    "irct": lambda i: f"IRCT2099{80_000_000 + i}N1",
    "cris": lambda i: f"KCT{8_000_000 + i}",
    "rebec": lambda i: f"RBR-{8_000_000 + i}",
    "utn": lambda i: f"U1111-{8_000 + i // 10_000}-{i % 10_000:04d}",
}
FILLERS = ("NCT00000000", "NCT11111111", "NCT12345678", "ISRCTN12345678", "2010-000000-00", "DRKS00000000")
FILLER_UNIVERSAL = "U1111-1111-1111"
UNKNOWN_NUMBERS = "NCT{}", "ISRCTN{}", "DRKS{}"
GRANT_TYPES = ("NIH", "FDA", "VA", "CDC", "AHRQ", "SAMHSA", "OTHER_GRANT")


@dataclass(slots=True)
class Registration:
    """A registration, as much of it as identity reads, and the truth about it.

    trial: what it is a registration of. joined: the part of that trial that quoted numbers join, nothing standing
    against it; all of the trial but where a story says otherwise.
    """

    registration_id: str
    registry: str
    trial: int
    joined: str
    title: str | None
    official_title: str | None
    sponsor: str | None
    sponsor_is_person: bool
    start_earliest: date | None
    start_latest: date | None
    enrolment: int | None
    status: str
    registered_earliest: date
    first_seen: date
    aliases: Sequence[str] = ()
    identifiers: Sequence[tuple[str, str | None, str | None]] = ()
    mentions: Sequence[str] = ()

    def states(self, number: str, kind: str | None = "OTHER") -> None:
        self.identifiers = [*self.identifiers, (number, kind, None)]


class Trap(NamedTuple):
    """Two registrations and what has to come of them: `merged`, a reason in trial_links, or `nothing`; a|b: either."""

    kind: str
    registration_id: str
    other_id: str
    expected: str


def trap(kind: str, one: Registration, other: Registration, expected: str) -> Trap:
    return Trap(kind, one.registration_id, other.registration_id, expected)


class Story(NamedTuple):
    """Registrations, the traps among them, and decisions of people: separate or join, and the pair."""

    registrations: Sequence[Registration]
    traps: Sequence[Trap] = ()
    decisions: Sequence[tuple[str, str, str]] = ()


class Trial(NamedTuple):
    """What the registrations of one trial have in common."""

    serial: int
    drug: str
    condition: int
    outcome: str
    tail: str
    sponsor: str
    code: str
    start: date
    enrolment: int

    def title(self, frame: int = 0) -> str:
        english, german = CONDITIONS[self.condition]
        return FRAMES[frame].format(drug=self.drug, condition=english, german=german, outcome=self.outcome) + self.tail

    def words(self) -> set[str]:
        words = {self.drug, self.sponsor, *CONDITIONS[self.condition][0].split(), *self.outcome.split()}
        return {w for w in words if len(w) > 3}


class Maker:
    """Draws trials and registrations: the random numbers and the serial numbers used up so far."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.serials: Counter[str] = Counter()
        self.registers = self.random.choices(list(REGISTERS), list(REGISTERS.values()), k=4096)
        self.offset = self.random.randrange(1 << 22)

    def next(self, of: str) -> int:
        self.serials[of] += 1
        return self.serials[of]

    def number(self, register: str) -> str:
        """The register's next number."""
        return NUMBERS[register](self.next(register))

    def turn(self, of: str, *ways: str) -> str:
        """The ways in turn, so that a small universe has all of them."""
        return ways[self.next(of) % len(ways)]

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def trial(self, like: Trial | None = None, tail: str = "") -> Trial:
        """A trial; like: of the same programme, so with its drug, condition and sponsor, under another title."""
        serial = self.next("trial")
        # Every serial number has another combination of words: no two titles are equal unless a story wants it.
        place = (serial * 1_000_003 + self.offset) % (1 << 22)
        drug, condition, outcome = DRUGS[place & 2047], place >> 11 & 63, OUTCOMES[place >> 17]
        code = f"PRT-{serial:07d}"
        if like:
            return like._replace(
                serial=serial, tail=f", part {serial}{tail}", code=code, start=like.start + timedelta(30),
                enrolment=like.enrolment + 1 + serial % 50,
            )  # fmt: skip
        sponsor = SPONSORS[bisect(SPONSOR_WEIGHTS, self.random.random() * SPONSOR_WEIGHTS[-1])]
        start = FIRST_START + timedelta(int(self.random.random() * 7500))
        draw = self.random.random()
        enrolment = ENROLMENTS[int(draw * 40)] if draw < 0.4 else 10 + int(draw * 1000)
        return Trial(serial, drug, condition, outcome, tail, sponsor, code, start, enrolment)

    def stranger(self, trial: Trial) -> Trial:
        """A trial that shares with this one no more than the time of its start."""
        while (found := self.trial()).words() & trial.words():
            pass
        return found._replace(start=trial.start)

    def register(self, *without: str) -> str:
        while (found := self.registers[int(self.random.random() * 4096)]) in without:
            pass
        return found

    def some_registers(self, count: int) -> list[str]:
        found: list[str] = []
        while len(found) < count:
            found.append(self.register(*found))
        return found

    def registration(
        self, trial: Trial, registry: str, *, title: str | None = "", start: date | None = None,
        coded: bool = False, status: str = "completed", number: str = "",
    ) -> Registration:  # fmt: skip
        """A registration of the trial. title: "" is the trial's own, None is not stated. coded: with its code."""
        own = trial.title() if title == "" else title
        begun = start or trial.start
        made = Registration(
            number or self.number(registry), registry, trial.serial, str(trial.serial),
            own, None, trial.sponsor, False, begun, begun, trial.enrolment, status, begun - timedelta(40), AS_OF,
        )  # fmt: skip
        if coded:
            made.states(trial.code, "ORG_STUDY_ID")
        return made

    def pair(self, trial: Trial, other: Trial) -> tuple[Registration, Registration]:
        """Registrations of two trials in two registers."""
        one, two = self.some_registers(2)
        return self.registration(trial, one), self.registration(other, two)


# --- ordinary stories -----------------------------------------------------------------------------------------------


def single(make: Maker) -> Story:
    """A trial in one register, with the other numbers that such records state: its code, grants, numbers of nobody."""
    trial = make.trial()
    made = make.registration(trial, make.register(), coded=make.chance(0.6))
    made.official_title = trial.title(1)
    draw = make.random.random()
    if draw < 0.10:
        made.states(f"R01 CA{make.next('grant'):07d}", "NIH")
    elif draw < 0.18:
        made.states(make.random.choice(UNKNOWN_NUMBERS).format(70_000_000 + make.next("unknown")), None)
    elif draw < 0.23:
        made.states(make.number("utn"))
    elif draw < 0.26:
        made.states(f"{made.registration_id} (this register)")
    elif draw < 0.29:
        made.sponsor, made.sponsor_is_person = "Sponsor-investigator", True
    elif draw < 0.32:
        made.title = f"{made.title}, {make.random.choice(EXTENSION_WORDS)}"
    elif draw < 0.35:
        made.start_earliest = made.start_latest = made.enrolment = None
    elif draw < 0.37:
        made.status = "withdrawn"
    return Story([made])


def cluster(make: Maker) -> Story:
    """A trial in two to five registers, which say so in one of the ways in which real records do."""
    trial = make.trial(tail=f", {make.random.choice(EXTENSION_WORDS)}" if make.chance(0.05) else "")
    size = make.random.choices(list(CLUSTER_SIZES), list(CLUSTER_SIZES.values()))[0]
    made = [member(make, trial, registry) for registry in make.some_registers(size)]
    hub, *others = made
    ways = ["all", "hub_names", "chain"] + (["hub_is_named", "universal_number"] if size <= 4 else [])
    way = make.random.choice(ways)
    if way == "universal_number":
        number = make.number("utn")
        for one in made:
            one.states(f"{number} (UTN)" if make.chance(0.2) else number)
    for a, b in combinations(made, 2) if way == "all" else ():
        quote(make, a, b)
        quote(make, b, a)
    for one in others:
        if way == "hub_names":
            quote(make, hub, one)
        elif way == "hub_is_named":
            quote(make, one, hub)
    for a, b in zip(made, others, strict=False) if way == "chain" else ():
        quote(make, *((a, b) if make.chance(0.5) else (b, a)))
    return Story(made)


def member(make: Maker, trial: Trial, registry: str) -> Registration:
    """One register's account of a trial: its wording, spelling and date differ a little."""
    start = trial.start + timedelta(make.random.randrange(-60, 120))
    draw = make.random.random()
    title = trial.title() if draw < 0.5 else trial.title().upper() if draw < 0.6 else trial.title(int(draw * 10) % 4)
    made = make.registration(trial, registry, title=title, start=start, coded=make.chance(0.5))
    made.official_title = make.random.choice((None, trial.title(1), trial.title(2)))
    if make.chance(0.3):
        made.start_earliest, made.start_latest = start.replace(day=1), start.replace(day=28)
    if make.chance(0.2):
        made.sponsor = trial.sponsor.removesuffix(" Inc.").removesuffix(" Ltd").upper()
    made.first_seen = AS_OF - timedelta(make.random.choice((0, 0, 0, 200, 400)))
    return made


def quote(make: Maker, one: Registration, other: Registration) -> None:
    """The first record states the other's number, in one of the spellings in which records do."""
    number, draw = other.registration_id, make.random.random()
    if other.registry == "euctr" and draw < 0.4:
        number = f"EudraCT {number}" if draw < 0.1 else f"EUCTR{number}-{'DE' if draw < 0.25 else 'GB'}"
    elif other.registry == "ctis" and draw < 0.4:
        number = f"{number}-00" if draw < 0.2 else f"EU CT {number}"
    elif draw < 0.1:
        number = f"{number} ({other.registry.upper()})"
    elif draw < 0.15:
        number = f" {number.lower()} "
    one.states(number, make.random.choice(("OTHER", "REGISTRY", None)))


# --- traps ----------------------------------------------------------------------------------------------------------


def name_each_other(a: Registration, b: Registration) -> None:
    a.states(b.registration_id)
    b.states(a.registration_id)


def apart(*registrations: Registration) -> None:
    """They are one trial, but no number that counts says so."""
    for one in registrations:
        one.joined = one.registration_id


def umbrella(make: Maker) -> Story:
    """A master protocol that four or five other trials name, in other registers, in its own, or in both."""
    trial = make.trial()
    hub = make.registration(trial, make.register())
    kind = make.turn("umbrella", "umbrella_other_registers", "umbrella_both", "umbrella_same_register")
    same = {"umbrella_other_registers": 0, "umbrella_both": 2}.get(kind, 9)
    named = [
        make.registration(make.trial(trial), hub.registry if i < same else make.register(hub.registry))
        for i in range(make.random.randrange(4, 6))
    ]
    for one in named:
        one.states(hub.registration_id)
    return Story([hub, *named], [trap(kind, one, hub, "umbrella") for one in named])


def umbrella_with_twin(make: Maker) -> Story:
    """The same, and the master protocol stands in another register too: those two name each other."""
    trial = make.trial()
    hub, twin, *registers = make.some_registers(6)
    one, two = make.registration(trial, hub), make.registration(trial, twin, title=trial.title(1))
    parts = [make.registration(make.trial(trial), registry) for registry in registers]
    name_each_other(one, two)
    for part in parts:
        part.states(one.registration_id)
    return Story(
        [one, two, *parts],
        [
            trap("umbrella_twin", one, two, "merged"),
            *(trap("umbrella_beside_twin", p, one, "umbrella") for p in parts),
        ],
    )


def companion(make: Maker) -> Story:
    """Two trials of one programme in one register, one naming the other or both."""
    trial = make.trial()
    registry = make.register()
    parent, other = make.registration(trial, registry), make.registration(make.trial(trial), registry)
    other.states(parent.registration_id)
    kind = make.turn("companion", "companion_named", "companions_name_each_other")
    if kind == "companions_name_each_other":
        parent.states(other.registration_id)
    return Story([parent, other], [trap(kind, other, parent, "same_register")])


def extension(make: Maker) -> Story:
    """A study that goes on from a parent, in another register or the same; its title says so and it names the parent."""
    trial = make.trial()
    registry = make.register()
    further = make.trial(trial, tail=f": {make.turn('words', *EXTENSION_WORDS)}")
    kind = make.turn("extension", "extension_across", "extension_named_back", "extension_same_register")
    parent = make.registration(trial, registry)
    later = make.registration(further, registry if kind == "extension_same_register" else make.register(registry))
    later.states(parent.registration_id)
    if kind == "extension_named_back":
        parent.states(later.registration_id)
    return Story([parent, later], [trap(kind, later, parent, "extension")])


def extension_behind_a_blank(make: Maker) -> Story:
    """Parent and twin name each other; the extension names the twin, which has no title that could stand against it."""
    trial = make.trial()
    one, two, three = make.some_registers(3)
    parent, blank = make.registration(trial, one), make.registration(trial, two, title=None)
    later = make.registration(make.trial(trial, tail=": long-term extension"), three)
    name_each_other(parent, blank)
    later.states(blank.registration_id)
    return Story(
        [parent, blank, later],
        [
            trap("extension_behind_a_blank", later, blank, "extension"),
            trap("twin_without_title", parent, blank, "merged"),
        ],
    )


def filler(make: Maker) -> Story:
    """Strangers that state one placeholder. The first of all such stories holds a record with such a number."""
    serial = make.next("filler")
    number = FILLERS[serial % len(FILLERS)]
    made = [make.registration(make.trial(), registry) for registry in make.some_registers(3)]
    for one in made:
        one.states(number)
    if serial == 1:
        made.append(make.registration(make.trial(), "isrctn", number="ISRCTN12345678"))
        made[0].states("ISRCTN12345678")
    return Story(made, [trap("placeholder", a, b, "nothing") for a, b in combinations(made, 2)])


def filler_universal(make: Maker) -> Story:
    """Strangers that state a Universal Trial Number nobody was given."""
    a, b = make.pair(make.trial(), make.trial())
    for one in (a, b):
        one.states(FILLER_UNIVERSAL)
    return Story([a, b], [trap("placeholder_universal", a, b, "placeholder|nothing")])


def stray_number(make: Maker) -> Story:
    """A record names its own other registration and one of another trial of the same register and sponsor. Another
    registration of the trial hangs on it."""
    trial = make.trial()
    home, away, elsewhere = make.some_registers(3)
    own, stray = make.registration(trial, home), make.registration(make.trial(trial), home)
    third, hanging = make.registration(trial, away), make.registration(trial, elsewhere)
    third.states(own.registration_id)
    third.states(stray.registration_id)
    hanging.states(third.registration_id)
    kind = make.turn("stray", "stray_number", "stray_number_beside_twin", "stray_number_both_ways")
    expected = "merged" if kind == "stray_number_beside_twin" else "two_ids_of_one_register"
    if kind != "stray_number":
        own.states(third.registration_id)
    if kind == "stray_number_both_ways":
        stray.states(third.registration_id)
    if expected != "merged":
        apart(own)
    return Story(
        [own, stray, third, hanging],
        [
            trap(kind, own, third, expected),
            trap(kind, stray, third, "two_ids_of_one_register"),
            trap(kind, own, stray, "nothing"),
            trap("twin_beside_stray", hanging, third, "merged"),
        ],
    )


def stray_over_two(make: Maker) -> Story:
    """Two numbers of one register at the ends of a chain over two other registers."""
    first = make.trial()
    second = make.trial(first)
    home, one, two = make.some_registers(3)
    ends = make.registration(first, home), make.registration(second, home)
    links = make.registration(first, one), make.registration(second, two, title=first.title(1))
    links[0].states(ends[0].registration_id)
    links[0].states(links[1].registration_id)
    links[1].states(ends[1].registration_id)
    apart(*ends, *links)
    chained = [(ends[0], links[0]), (links[0], links[1]), (links[1], ends[1])]
    return Story(
        [*ends, *links],
        [trap("stray_over_two", a, b, "two_ids_of_one_register") for a, b in chained],
    )


def registered_again(make: Maker) -> Story:
    """A record that was withdrawn and the one that took its place in the register, naming each other or one way; a
    record of another register states the number of the first or of both."""
    trial = make.trial()
    registry, elsewhere = make.some_registers(2)
    old, new = make.registration(trial, registry, status="withdrawn"), make.registration(trial, registry)
    new.states(old.registration_id)
    if make.turn("again", "one_way", "each_other") == "one_way":
        apart(old)
        traps = [trap("registered_again_one_way", old, new, "same_register")]
        return Story([old, new], traps)
    old.states(new.registration_id)
    other = make.registration(trial, elsewhere)
    other.states(old.registration_id)
    if make.turn("again_named", "first", "both") == "both":
        other.states(new.registration_id)
    return Story(
        [old, new, other],
        [
            trap("registered_again", old, new, "merged"),
            trap("registered_again_elsewhere", other, new, "merged"),
        ],
    )


def obsolete_number(make: Maker) -> Story:
    """A number that the register replaced and another register's record still states; its own record, where there is
    one, is years out of date."""
    trial = make.trial()
    new, other = make.registration(trial, "nct"), make.registration(trial, make.register("nct"))
    old = make.registration(trial, "nct", start=trial.start - timedelta(2000))
    new.aliases = [old.registration_id]
    other.states(old.registration_id)
    if make.turn("obsolete", "number", "record") == "number":
        return Story([new, other], [trap("obsolete_number", new, other, "merged")])
    return Story(
        [new, other, old],
        [trap("obsolete_record", old, o, "merged") for o in (new, other)],
    )


def obsolete_twice(make: Maker) -> Story:
    """An obsolete number that two records claim says nothing about the record that states it."""
    old = make.number("nct")
    claims = [make.registration(make.trial(), "nct") for _ in range(2)]
    for one in claims:
        one.aliases = [old]
    other = make.registration(make.trial(), make.register("nct"))
    other.states(old)
    return Story(
        [*claims, other],
        [trap("obsolete_twice", one, other, "nothing") for one in claims],
    )


def country_record(make: Maker) -> Story:
    """Numbers of the EU's registers as others write them: with a country, or with the number of a resubmission."""
    trial = make.trial()
    registry = make.turn("country", "euctr", "ctis")
    eu = make.registration(trial, registry)
    others = [make.registration(trial, r) for r in ("nct", "isrctn")]
    for one, suffix in zip(others, ("-DE", "/GB") if registry == "euctr" else ("-01", "-00"), strict=True):
        one.states(eu.registration_id + suffix)
    kind = "country_record" if registry == "euctr" else "resubmission"
    return Story([eu, *others], [trap(kind, eu, o, "merged") for o in others])


def transition(make: Maker) -> Story:
    """A trial that moved from the EU's former register to the present one, known elsewhere under the former number."""
    trial = make.trial()
    old, new, other = (
        make.registration(trial, registry) for registry in ("euctr", "ctis", make.register("euctr", "ctis"))
    )
    new.states(old.registration_id, "EUDRACT_NUMBER")
    other.states(old.registration_id)
    return Story(
        [old, new, other],
        [
            trap("transition", old, new, "merged"),
            trap("transition_elsewhere", other, new, "merged"),
        ],
    )


def mistyped(make: Maker) -> Story:
    """A number that belongs to a trial with another sponsor, drug, condition and outcome, behind common phrases."""
    trial = make.trial()
    other = make.stranger(trial)
    registers = [("euctr", "ctis"), ("ctis", "euctr"), make.some_registers(2)][make.next("mistyped") % 3]
    a, b = make.registration(trial, registers[0]), make.registration(other, registers[1])
    a.title, b.title = trial.title(1), other.title(1)
    a.states(b.registration_id)
    return Story([a, b], [trap("mistyped", a, b, "dissimilar")])


def mistyped_beside_twin(make: Maker) -> Story:
    """A record names its own other registration and, by mistake, a stranger of the same register."""
    trial = make.trial()
    home, away = make.some_registers(2)
    own, third = make.registration(trial, home), make.registration(trial, away)
    stranger = make.registration(make.stranger(trial), home)
    third.states(own.registration_id)
    third.states(stranger.registration_id)
    return Story(
        [own, stranger, third],
        [
            trap("mistyped_beside_twin", stranger, third, "dissimilar"),
            trap("twin_beside_mistyped", own, third, "merged"),
        ],
    )


def starts_apart(make: Maker) -> Story:
    """Two trials of a programme that began more than three years apart and name each other, one way or by a UTN."""
    trial = make.trial()
    a, b = make.pair(trial, make.trial(trial))
    b.start_earliest = b.start_latest = trial.start + timedelta(make.random.choice((1200, 1500, 3000)))
    way = make.turn("starts", "named", "each_other", "universal")
    if way == "universal":
        number = make.number("utn")
        a.states(number)
        b.states(number)
    else:
        a.states(b.registration_id)
        if way == "each_other":
            b.states(a.registration_id)
    return Story([a, b], [trap(f"starts_apart_{way}", a, b, "start_dates_apart")])


def starts_apart_over_a_third(make: Maker) -> Story:
    """The same over a record between them that states no start."""
    trial = make.trial()
    one, two, three = make.some_registers(3)
    first, blank = make.registration(trial, one), make.registration(trial, two)
    blank.start_earliest = blank.start_latest = None
    late = make.registration(make.trial(trial), three, start=trial.start + timedelta(1800))
    name_each_other(first, blank)
    late.states(blank.registration_id)
    return Story(
        [first, blank, late],
        [
            trap("starts_apart_over_a_third", late, blank, "start_dates_apart"),
            trap("twin_without_start", first, blank, "merged"),
        ],
    )


def mention(make: Maker) -> Story:
    """A number that stands in free text only: background."""
    trial = make.trial()
    expected = make.turn("mention", "free_text_alone", "same_register")
    registry = make.register()
    a = make.registration(trial, registry)
    b = make.registration(make.trial(trial), registry if expected == "same_register" else make.register(registry))
    b.mentions = [a.registration_id]
    return Story([a, b], [trap(f"mention_{expected}", a, b, expected)])


def mention_of_a_twin(make: Maker) -> Story:
    """A number in free text, and the title or the sponsor's code agrees: in two registers, or in one."""
    trial = make.trial()
    registry = make.register()
    way = make.turn("mention_of_a_twin", "title", "code", "same_register")
    a = make.registration(trial, registry, coded=way == "code")
    other = make.register(registry) if way != "same_register" else registry
    b = make.registration(trial, other, title=trial.title(3) if way == "code" else "", coded=way == "code")
    b.mentions = [a.registration_id]
    expected = "same_register" if way == "same_register" else "merged"
    if way == "same_register":
        b.trial = make.trial().serial
        b.joined = str(b.trial)
    return Story([a, b], [trap(f"mention_and_{way}", a, b, expected)])


def universal_number(make: Maker) -> Story:
    """One Universal Trial Number: on all registrations of a trial, on a whole programme, on two records of a register,
    and on these and one of another register."""
    number = make.number("utn")
    trial = make.trial()
    way = make.turn("universal", "of_a_trial", "of_a_programme", "twice", "twice_and_elsewhere")
    home, *registers = make.some_registers(4)
    if way == "of_a_trial":
        made = [make.registration(trial, registry) for registry in registers]
        expected = "merged"
    elif way == "of_a_programme":
        made = [make.registration(make.trial(trial), registry) for registry in [home] * 4 + registers[:1]]
        expected = "umbrella|nothing"
    else:
        made = [make.registration(make.trial(trial), home) for _ in range(2)]
        expected = "same_register"
    for one in made:
        one.states(number)
    kind = f"universal_number_{way}"
    traps = [trap(kind, a, b, expected) for a, b in combinations(made, 2)]
    if way == "twice_and_elsewhere":
        other = make.registration(make.trial(trial), registers[0])
        other.states(number)
        traps += [trap(kind, one, other, "two_ids_of_one_register") for one in made]
        made.append(other)
    return Story(made, traps)


def grant(make: Maker) -> Story:
    """A grant number that looks like the number of a registration, or that two records share."""
    trial = make.trial()
    a, b = make.pair(trial, make.trial(trial))
    kind = make.random.choice(GRANT_TYPES)
    if make.turn("grant", "number", "universal") == "number":
        a.states(b.registration_id, kind)
    else:
        number = make.number("utn")
        a.states(number, kind)
        b.states(number, kind)
    return Story([a, b], [trap("grant", a, b, "nothing")])


def shared_code(make: Maker) -> Story:
    """One sponsor's code in two registers, the records quoting nothing of each other; in one register and in many it is
    a grant or a programme."""
    trial = make.trial()
    way = make.turn("shared_code", "two_registers", "one_register", "many")
    registers = make.some_registers(5 if way == "many" else 2)
    if way == "two_registers":
        made = [make.registration(trial, registry, coded=True) for registry in registers]
        made[1].title = None
        apart(*made)
    else:
        trials_of = [make.trial(trial)._replace(code=trial.code) for _ in registers]
        homes = registers if way == "many" else registers[:1] * 2
        made = [make.registration(one, registry, coded=True) for one, registry in zip(trials_of, homes, strict=True)]
    expected = "shared_code" if way == "two_registers" else "nothing"
    return Story(made, [trap(f"shared_code_{way}", a, b, expected) for a, b in combinations(made, 2)])


def equal_title(make: Maker) -> Story:
    """Two registers with equal or nearly equal titles, the records quoting nothing of each other; or with one title of
    two sponsors."""
    trial = make.trial()
    kind = make.turn("titles", "equal_title", "similar_title", "title_of_two_sponsors")
    a, b = make.pair(trial, trial)
    apart(a, b)
    if kind == "similar_title":
        b.title = f"{b.title}s"
    elif kind == "title_of_two_sponsors":
        b = make.registration(make.stranger(trial), b.registry, title=trial.title())
    expected = "nothing" if kind == "title_of_two_sponsors" else kind
    return Story([a, b], [trap(kind, a, b, expected)])


def series(make: Maker) -> Story:
    """Trials of one title, in one register or year after year in several."""
    trial = make.trial()
    way = make.turn("series", "one_register", "many")
    registers = make.some_registers(5) if way == "many" else [make.register()] * 3
    made = [make.registration(make.trial(trial), registry, title=trial.title()) for registry in registers]
    return Story(
        made,
        [trap(f"series_{way}", a, b, "nothing") for a, b in combinations(made, 2)],
    )


def decided(make: Maker) -> Story:
    """A person has separated two records that name each other, or joined two that know nothing of each other."""
    trial = make.trial()
    decision = make.turn("decided", "separate", "join")
    if decision == "separate":
        a, b = make.pair(trial, make.trial(trial))
        name_each_other(a, b)
        expected = "separated"
    else:
        a, b = make.pair(trial, trial)
        b.title = None
        expected = "merged"
    return Story(
        [a, b],
        [trap(f"adjudication_{decision}", a, b, expected)],
        [(decision, a.registration_id, b.registration_id)],
    )


TRAPS: tuple[Callable[[Maker], Story], ...] = (
    umbrella, umbrella_with_twin, companion, extension, extension_behind_a_blank, filler, filler_universal,
    stray_number, stray_over_two, registered_again, obsolete_number, obsolete_twice, country_record, transition,
    mistyped, mistyped_beside_twin, starts_apart, starts_apart_over_a_third, mention, mention_of_a_twin,
    universal_number, grant, shared_code, equal_title, series, decided,
)  # fmt: skip


# --- the universe as relations --------------------------------------------------------------------------------------

SCHEMA = pa.schema(
    [
        ("registration_id", pa.string()),
        ("registry", pa.string()),
        ("trial", pa.int64()),
        ("joined", pa.string()),
        ("title", pa.string()),
        ("official_title", pa.string()),
        ("sponsor", pa.string()),
        ("sponsor_is_person", pa.bool_()),
        ("start_earliest", pa.date32()),
        ("start_latest", pa.date32()),
        ("enrolment", pa.int64()),
        ("status", pa.string()),
        ("registered_earliest", pa.date32()),
        ("first_seen", pa.date32()),
        ("aliases", pa.list_(pa.string())),
        ("identifiers", pa.list_(pa.struct([("value", pa.string()), ("type", pa.string()), ("domain", pa.string())]))),
        ("mentions", pa.list_(pa.string())),
    ]
)
RELATIONS = {
    "registration_lists": """registration_id, registry, aliases, identifiers, mentions,
        [{name: sponsor, role: 'lead', class: NULL::VARCHAR, is_person: sponsor_is_person}] AS sponsors""",
    "merged_registrations": """registration_id, registry, title, official_title, sponsor, sponsor_is_person,
        start_earliest, start_latest, enrolment, status, registered_earliest""",
    "registration_sight_dates": "registration_id, first_seen",
    "truth": "registration_id, trial, joined",
}
"""What identity reads, with the columns that it needs, and the truth."""


def stories(records: int, seed: int) -> Iterator[Story]:
    """The universe of a seed: `records` registrations in all."""
    make = Maker(seed)
    made = 0
    for place in range(records):
        if made >= records:
            return
        tell = single
        if records - made >= LARGEST_STORY:
            if place % TRAP_EVERY == 0:
                tell = TRAPS[place // TRAP_EVERY % len(TRAPS)]
            elif make.chance(CLUSTER_SHARE):
                tell = cluster
        story = tell(make)
        made += len(story.registrations)
        yield story


def write(path: Path, records: int, seed: int = 1, shuffled: bool = False) -> None:
    """Makes the universe as the relations of a DuckDB file: ordered by number, or in no order."""
    traps: list[Trap] = []
    decisions: list[tuple[str, str, str]] = []

    def registrations() -> Iterator[Registration]:
        for story in stories(records, seed):
            traps.extend(story.traps)
            decisions.extend(story.decisions)
            yield from story.registrations

    with duckdb.connect(str(path), config={"threads": 2, "memory_limit": "1GB"}) as connection:
        rows = pa.RecordBatchReader.from_batches(SCHEMA, _batches(registrations()))
        connection.register("made_rows", rows)
        order = "hash(registration_id)" if shuffled else "registration_id"
        connection.execute(f"CREATE TABLE made AS FROM made_rows ORDER BY {order}")
        for name, columns in RELATIONS.items():
            connection.execute(f"CREATE VIEW {name} AS SELECT {columns} FROM made")
        columns = zip(*traps, strict=True)
        connection.register("made_traps", pa.table(list(map(pa.array, columns)), names=list(Trap._fields)))
        connection.execute("CREATE TABLE traps AS FROM made_traps")
        connection.execute("CREATE TABLE decisions (decision VARCHAR, registration_id VARCHAR, other_id VARCHAR)")
        if decisions:
            connection.executemany("INSERT INTO decisions VALUES (?, ?, ?)", decisions)


def _batches(registrations: Iterator[Registration]) -> Iterator[pa.RecordBatch]:
    values = attrgetter(*SCHEMA.names)
    while batch := list(map(values, islice(registrations, BATCH))):
        columns = zip(*batch, strict=True)
        yield pa.record_batch([pa.array(c, f.type) for c, f in zip(columns, SCHEMA, strict=True)], schema=SCHEMA)


# --- running the real queries over it -------------------------------------------------------------------------------

EMPTY = """CREATE TABLE publications (pmid BIGINT, is_retracted BOOLEAN);
    CREATE TABLE publication_numbers (pmid BIGINT, number VARCHAR, section VARCHAR);
    CREATE TABLE publication_reach (pmid BIGINT, trials_named BIGINT)"""
MADE_BY_PYTHON: dict[str, Callable[[duckdb.DuckDBPyConnection], object]] = {
    "number_forms": trials.number_forms,
    "placeholder_numbers": trials.placeholder_numbers,
    "corrected_registrations": lambda connection: adjudications.correct(connection, AS_OF),
}


def run(path: Path, settings: Settings) -> list[ledger.Event]:
    """Makes the relations of identity in the universe's file, as a build does; returns the ledger's new events."""
    every = {query.name: query for query in queries.all_queries()}
    given = {*RELATIONS, "publications", "publication_numbers", "publication_reach"}
    wanted = {"ledger", *_needed("trial_links", every, given)}
    events: list[ledger.Event] = []
    with store.connect(
        path, threads=settings.threads, memory_limit=settings.memory_limit, spill=path.parent
    ) as connection:
        build.prepare(connection, contracts(), AS_OF, [])
        connection.execute(EMPTY)
        connection.execute(adjudications.TABLE)
        connection.execute(
            """INSERT INTO adjudication_list BY NAME
            SELECT 'A' || row_number() OVER () AS adjudication_id, decision, registration_id, other_id FROM decisions"""
        )
        for query in (q for q in every.values() if q.name in wanted):
            if query.name == "trial_members":
                events = trials.trial_members(connection, settings.data, AS_OF)
            elif query.name == "ledger":
                build.run_query(
                    connection, replace(query, sql=trials.ledger_query(connection, settings.data, AS_OF, events))
                )
            elif query.name in MADE_BY_PYTHON:
                MADE_BY_PYTHON[query.name](connection)
            elif query.name not in queries.STEPS:
                build.run_query(connection, query)
    return events


def _needed(name: str, every: dict[str, queries.Query], given: set[str]) -> set[str]:
    """The relation and all that it needs, down to those that are given."""
    if name in given:
        return set()
    return {name}.union(*(_needed(other, every, given) for other in every[name].needs))


class Quality(NamedTuple):
    """Pairs of registrations: merged, of them of one trial, and those that had to be merged, of them merged."""

    merged: int
    right: int
    wanted: int
    found: int


def quality(connection: duckdb.DuckDBPyConnection) -> Quality:
    def pairs(*columns: str) -> str:
        sizes = (
            f"SELECT count(*) AS n FROM trial_members JOIN truth USING (registration_id) GROUP BY {', '.join(columns)}"
        )
        return f"(SELECT sum(n * (n - 1) // 2)::BIGINT FROM ({sizes}))"

    counted = (
        pairs("trial_id"), pairs("trial_id", "trial"), pairs("trial", "joined"), pairs("trial", "joined", "trial_id")
    )  # fmt: skip
    (row,) = connection.sql(f"SELECT {', '.join(counted)}").fetchall()
    return Quality(*row)


def outcomes(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, str, str, int]]:
    """What came of the traps: kind, expected, what was found, how many."""
    return connection.sql(
        """WITH found AS (
            SELECT least(t.registration_id, t.other_id) AS registration_id,
                greatest(t.registration_id, t.other_id) AS other_id, t.kind, t.expected,
                a.trial_id = b.trial_id AS is_merged
            FROM traps AS t
            JOIN trial_members AS a USING (registration_id)
            JOIN trial_members AS b ON b.registration_id = t.other_id
        ), reasons AS (
            SELECT registration_id, other_id, string_agg(DISTINCT reason, ' ' ORDER BY reason) AS reasons
            FROM trial_links GROUP BY ALL
        )
        SELECT kind, expected,
            CASE WHEN is_merged THEN 'merged' ELSE coalesce(reasons, 'nothing') END AS found, count(*)
        FROM found LEFT JOIN reasons USING (registration_id, other_id)
        GROUP BY ALL ORDER BY ALL"""
    ).fetchall()


def main(path: Path, records: int = 0) -> None:
    """Makes a universe of so many records, or runs the queries in one and prints what that took as JSON."""
    if records:
        write(path, records)
        return

    def work() -> dict[str, float]:
        run(path, Settings(data=path.parent / "no-ledger", threads=2, memory_limit="1GB"))
        return {}

    tell(work)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(int, sys.argv[2:]))
