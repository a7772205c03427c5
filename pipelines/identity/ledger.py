"""The ledger of trial ids: a trial keeps its id however its registrations are merged or split.

A trial's id is the number of the registration under which it was first known: a name, not a claim. Events are only
ever appended: founded, joined, merged_into, split_from. A build reads the events up to its own as-of date; with an
empty ledger the ids are a function of the data alone.

Which registrations are one trial is decided in `union`.
"""

import csv
import io
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple

from pipelines import store

FILE = "trial_ids.csv"
REGISTRIES = ("nct", "euctr", "ctis", "isrctn")
"""Whose numbers name a trial first, among registrations first seen and first registered on one day."""

FIELDS = ("as_of", "event", "number", "trial_id", "previous_trial_id")
as_row = attrgetter(*FIELDS)
"""The fields of an event as a tuple; `dataclasses.astuple` takes ten times as long."""


@dataclass(slots=True)
class Event:
    """What happened to a number: from `as_of` on it belongs to `trial_id` (before: `previous_trial_id`).

    Not frozen, because a frozen one takes three times as long to make, and there are millions.
    """

    as_of: date
    event: str
    number: str
    trial_id: str
    previous_trial_id: str = ""


class Member(NamedTuple):
    """A registration with what decides which one names a trial: first seen, first registered, register, number."""

    number: str
    registry: str
    first_seen: date
    registered: date | None


def _seniority(member: Member) -> tuple[date, date, int, str, str]:
    place = REGISTRIES.index(member.registry) if member.registry in REGISTRIES else len(REGISTRIES)
    return (member.first_seen, member.registered or date.max, place, member.registry, member.number)


def read(data: Path, as_of: date) -> list[Event]:
    """The ledger's events up to `as_of`, in the order in which they were written."""
    path = data / "ledger" / FILE
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as handle:
        rows = csv.reader(handle)
        next(rows)
        return [
            Event(day, event, number, trial_id, previous)
            for text, event, number, trial_id, previous in rows
            if (day := date.fromisoformat(text)) <= as_of
        ]


def last_date(data: Path) -> date | None:
    """As-of date of the last event of the whole ledger."""
    events = read(data, date.max)
    return max((e.as_of for e in events), default=None)


def append(data: Path, events: Sequence[Event]) -> None:
    """Appends events; the file is replaced in one step, so that a killed build leaves it as it was."""
    if not events:
        return
    path = data / "ledger" / FILE
    text = path.read_text(encoding="utf-8") if path.exists() else ",".join(FIELDS) + "\n"
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(map(as_row, events))
    with store.whole(path) as aside:
        aside.write_text(text + out.getvalue(), encoding="utf-8")


def resolve(
    members: Mapping[str, Member | None], cluster_of: Mapping[str, str], ledger: Sequence[Event], as_of: date
) -> tuple[dict[str, str], list[Event]]:
    """Gives every registration its trial id; returns them and the new events, both a function of the input alone.

    members: every registration; None stands for one that no evidence speaks of, whose seniority decides nothing.
    cluster_of: the cluster of each registration of which evidence speaks; one that it lacks is a trial by itself.

    A cluster of numbers nobody knew founds an id. One that holds registrations of several trials keeps the id founded
    first. Of a trial that falls apart, the part that holds the naming registration keeps the id; where that one has
    joined an older trial, the others found their own. Where it is gone altogether, the first part that holds no older
    id keeps the id; where every part holds one, the id is merged into that of the first part.
    """
    known, founded = _state(ledger)
    groups: dict[str, list[str]] = defaultdict(list)
    alone = [number for number in members if number not in cluster_of]
    for number, key in cluster_of.items():
        if number in members:
            groups[key].append(number)

    trial_of: dict[str, str] = {}
    events: list[Event] = []
    heirs, merged = _heirs(members, cluster_of, groups, known, founded)
    for key in sorted([*groups, *alone]):
        numbers = sorted(groups[key]) if key in groups else [key]
        ids = {known[n] for n in numbers if n in known}
        own = [i for i in ids if (cluster_of.get(i, i) if i in members else heirs.get(i)) == key]
        if own:
            trial_id = min(own, key=lambda i: (founded.get(i, len(founded)), i))
            events += _joining(numbers, trial_id, known, as_of, merged.get(key, ()))
        else:
            stated = [m for n in numbers if (m := members[n])] if len(numbers) > 1 else ()
            trial_id = min(stated, key=_seniority).number if stated else numbers[0]
            events += _founding(numbers, trial_id, known, as_of)
        for number in numbers:
            trial_of[number] = trial_id
    return trial_of, [*events, *_said_anew(trial_of, [*ledger, *events], as_of)]


def _heirs(
    members: Mapping[str, Member | None],
    cluster_of: Mapping[str, str],
    groups: Mapping[str, Sequence[str]],
    known: Mapping[str, str],
    founded: Mapping[str, int],
) -> tuple[dict[str, str], dict[str, list[str]]]:
    """Of the ids whose naming registration is gone: which cluster keeps each, and which ids each cluster takes over
    because every cluster that holds registrations of theirs has an older id of its own."""

    def rank(trial_id: str) -> tuple[int, str]:
        return founded.get(trial_id, len(founded)), trial_id

    parts: dict[str, set[str]] = defaultdict(set)
    for number, trial_id in known.items():
        if trial_id not in members and number in members:
            parts[trial_id].add(cluster_of.get(number, number))
    heirs: dict[str, str] = {}
    merged: dict[str, list[str]] = defaultdict(list)
    for gone in sorted(parts, key=rank):  # the oldest first: a part that keeps it has an older id than the next
        for key in sorted(parts[gone]):
            ids = {known[n] for n in groups.get(key, [key]) if n in known}
            own = [i for i in ids if (cluster_of.get(i, i) if i in members else heirs.get(i)) == key]
            if all(rank(i) > rank(gone) for i in own):
                heirs[gone] = key
                break
        else:
            merged[min(parts[gone])].append(gone)
    return heirs, merged


def _said_anew(trial_of: Mapping[str, str], ledger: Sequence[Event], as_of: date) -> list[Event]:
    """An event for every number of whose trial its last one names another id: that one was merged while the number was
    gone, and may live again. So the last word on a number is its trial, and who looks one up has to follow no other."""
    merged = {event.number for event in ledger if event.event == "merged_into"}
    last: dict[str, str] = {}  # of the few whose last event names an id that was ever merged
    for event in ledger if merged else ():
        if event.trial_id in merged:
            last[event.number] = event.trial_id
        else:
            last.pop(event.number, None)
    known, _ = _state([e for e in ledger if e.trial_id in merged or e.number in merged or e.number in last])
    now = {number: trial_of.get(number, known.get(number, last[number])) for number in sorted(last)}
    return [Event(as_of, "joined", n, now[n], last[n]) for n in now if now[n] != last[n]]


def _state(ledger: Sequence[Event]) -> tuple[dict[str, str], dict[str, int]]:
    """Trial id of every known number, and the rank of every id by the order in which they were founded.

    A number whose id was merged while it was gone belongs to the trial into which it was merged: that is the ledger's
    last word on it, so that coming back by itself is an event (split_from).
    """
    known: dict[str, str] = {}
    founded: dict[str, int] = {}
    merged: dict[str, str] = {}
    for event in ledger:
        merged.pop(event.trial_id, None)  # it lives, whatever was said before
        if event.event == "merged_into":
            merged[event.number] = event.trial_id
        else:
            known[event.number] = event.trial_id
        if event.event in ("founded", "split_from"):
            founded.setdefault(event.trial_id, len(founded))
    for number, trial_id in known.items():
        while trial_id in merged:
            trial_id = known[number] = merged[trial_id]
    return known, founded


def _founding(numbers: Sequence[str], trial_id: str, known: Mapping[str, str], as_of: date) -> list[Event]:
    previous = known.get(trial_id, "")
    kind = "split_from" if previous and previous != trial_id else "founded"
    first = Event(as_of, kind, trial_id, trial_id, previous)
    return [first, *(Event(as_of, "joined", n, trial_id, known.get(n, "")) for n in numbers if n != trial_id)]


def _joining(
    numbers: Sequence[str], trial_id: str, known: Mapping[str, str], as_of: date, gone: Sequence[str]
) -> list[Event]:
    """gone: ids that the cluster takes over of registrations that are not there any more."""
    joined = [n for n in numbers if known.get(n) != trial_id]
    lost = {known[n] for n in joined if n in known and known[n] in numbers}
    events = [Event(as_of, "merged_into", i, trial_id, i) for i in sorted(lost.union(gone))]
    return [*events, *(Event(as_of, "joined", n, trial_id, known.get(n, "")) for n in joined)]
