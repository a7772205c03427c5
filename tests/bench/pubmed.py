"""PubMed: the candidate reader on whole files beside bare unpacking and peers, its workers, and its memory."""

import functools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from pipelines import importing
from pipelines.importing import Import
from tests.bench import inputs, peers
from tests.bench.cost import alone, medians
from tests.bench.figures import Figure, Goal, at_least, at_most
from tests.bench.inputs import DAY

OURS = "tests.bench.ours"
FILES = 10
"""Copies of file B that are read by one worker, then by two; a baseline of PubMed has some 1,300. The workers' start, half
a second each, counts."""


def readers(work: Path) -> Iterator[Figure]:
    """One file at a time in a process of its own, all contenders in turn."""
    yield from _readers(work, "B", "modern articles", _Goals(at_most(3.5), at_most(4.5), at_least(15), at_least(3)))
    yield from _readers(work, "A", "old articles", _Goals(at_most(5)))


class _Goals(NamedTuple):
    """Of the two engines over unpacking, and of the peers over the faster one."""

    fast: Goal
    portable: Goal | None = None
    parser: Goal | None = None
    parser2: Goal | None = None


def _readers(work: Path, letter: str, kind: str, goals: _Goals) -> Iterator[Figure]:
    path = inputs.whole_file(letter)
    contenders: dict[str, Callable[[], dict[str, Any]]] = {
        "candidates": functools.partial(alone, OURS, "candidates", path, work),
        "portable": functools.partial(alone, OURS, "portable_candidates", path, work),
        "unpacking": functools.partial(alone, OURS, "gunzip", path),
        "full parse": functools.partial(alone, OURS, "full_parse", path, work),
    }
    rivals = {
        "pubmedparser2": ("pubmedparser2", goals.parser2),
        "pubmed-parser": ("pubmed_parser", goals.parser),
    }
    contenders |= {name: peers.work(piece, path) for name, (piece, _) in rivals.items() if peers.has(name)}
    costs = medians(contenders, once=["full parse", "pubmed-parser"])
    ours = costs["candidates"]
    file = f"file {letter}"
    speeds = {name: ours["articles"] / cost["cpu"] for name, cost in costs.items()}
    yield Figure(f"candidates of {file} ({ours['articles']:,} {kind})", speeds["candidates"], "articles a CPU second",
                 note=f"{ours['cpu']:.2f} CPU s, {ours['kept']} kept")  # fmt: skip
    yield Figure(f"full parse of {file}, the same kept", speeds["full parse"], "articles a CPU second",
                 note=f"{costs['full parse']['cpu']:.2f} CPU s, {costs['full parse']['kept']} kept")  # fmt: skip
    floor = costs["unpacking"]
    yield Figure(f"candidates of {file} over unpacking it, fastest engine", ours["cpu"] / floor["cpu"], "x", goals.fast,
                 f"unpacking: {floor['cpu']:.2f} CPU s, {floor['megabytes']:.0f} MB")  # fmt: skip
    yield Figure(f"candidates of {file} over unpacking it, portable engine", costs["portable"]["cpu"] / floor["cpu"],
                 "x", goals.portable, f"{costs['portable']['cpu']:.2f} CPU s")  # fmt: skip
    for name, (_, goal) in rivals.items():
        what = f"{name} over candidates of {file}"
        if name in costs:
            yield Figure(what, costs[name]["cpu"] / ours["cpu"], "x", goal,
                         f"{name}: {speeds[name]:,.0f} articles a CPU second")  # fmt: skip
        else:
            yield Figure(what, None, "x", goal, f"{name} {peers.NOT_THERE}")


def workers(work: Path) -> Iterator[Figure]:
    """Several copies of file B through staging; what is unchanged is asked of the same folder right after."""
    costs = {}
    for number in (1, 2):
        data = work / f"workers-{number}"
        importing.take(data, Import("pubmed", DAY, tuple(inputs.copies(work, FILES))))
        costs[number] = alone(OURS, "stage", data, number)
    one, two = costs[1], costs[2]
    yield Figure(f"two worker processes over one, {FILES} files", one["wall"] / two["wall"], "x", at_least(1.6),
                 f"{one['wall']:.1f} s and {two['wall']:.1f} s wall, {one['articles']:,} articles")  # fmt: skip
    yield Figure("peak memory of the largest worker", max(c["worker_mb"] for c in costs.values()), "MB", at_most(200))
    yield Figure("the same files once more, of reading them", 100 * one["again"] / (one["cpu"] - one["again"]), "%",
                 at_most(1), f"{one['again']:.2f} of {one['cpu'] - one['again']:.1f} CPU s")  # fmt: skip


def memory(work: Path) -> Iterator[Figure]:
    """A file that is four times larger is to need no more memory in the worker that reads it."""
    costs = []
    for path in (inputs.whole_file("B"), inputs.four_times(work)):
        data = work / f"memory-{path.name}"
        importing.take(data, Import("pubmed", DAY, (path,)))
        costs.append(alone(OURS, "stage", data, 1))
    once, four = costs
    yield Figure("peak memory, file four times larger", 100 * (four["worker_mb"] / once["worker_mb"] - 1), "% more", at_most(10),
                 f"{once['worker_mb']:.0f} and {four['worker_mb']:.0f} MB, {four['articles']:,} articles")  # fmt: skip
