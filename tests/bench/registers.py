"""Registers: ClinicalTrials.gov beside its floor and its peers, a whole build, and the EU register's full text."""

import functools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from pipelines import store
from pipelines.contracts import contracts, quote
from pipelines.sources import ctgov, euctr
from tests.bench import inputs, peers
from tests.bench.cost import alone, cpu, in_turn, medians
from tests.bench.figures import Figure, at_least, at_most
from tests.bench.inputs import DAY, PROTOCOLS, STUDIES

TAP_STUDIES = 2_000
"""The tap is slow: its figure is a study's cost times all studies."""


def studies(work: Path) -> Iterator[Figure]:
    """20,000 studies to staging against a bare read_json of the same file with the same columns, and their audit."""
    path = inputs.studies(work)
    tree = ctgov.wire_tree(contracts().sources["ctgov"])
    columns = ", ".join(f"{name}: {quote(ctgov.duckdb_type(node))}" for name, node in tree.items())

    def bare() -> None:
        with store.connect(threads=1, memory_limit="2GB") as connection:
            reader = connection.sql(
                f"""SELECT * FROM read_json({quote(str(path))}, format = 'array', columns = {{{columns}}},
                maximum_object_size = {ctgov.LARGEST_RECORD})"""
            ).to_arrow_reader(10_000)
            assert sum(batch.num_rows for batch in reader) == STUDIES

    def staged() -> None:
        assert ctgov.read(path, path.name, DAY, work / "staged.parquet").staged == STUDIES

    floor, cost = in_turn(bare, staged)
    megabytes = path.stat().st_size / 1e6
    yield Figure("20,000 studies to staging", STUDIES / cost, "studies a CPU second", None, f"{cost:.2f} CPU s")
    yield Figure("20,000 studies to staging over DuckDB's bare read_json", cost / floor, "x", at_most(3),
                 f"read_json: {floor:.2f} CPU s, {megabytes:.0f} MB")  # fmt: skip
    yield Figure("audit of 20,000 studies for unknown fields", cpu(lambda: ctgov.audit(path)), "CPU s", at_most(5))


def studies_and_peers(work: Path) -> Iterator[Figure]:
    """The same 20,000 studies by others, each to files on disk; the floor parses and throws away."""
    path = inputs.studies(work)
    contenders: dict[str, Callable[[], dict[str, Any]]] = {
        "ours": functools.partial(alone, "tests.bench.ours", "studies", path, work)
    }
    rivals = {
        "pysimdjson": ("simdjson", [path]),
        "ctgforge": ("ctgforge", [path, work / "ctgforge"]),
        "tap-clinicaltrials": ("tap_clinicaltrials", [path, work / "messages", TAP_STUDIES]),
    }
    contenders |= {name: peers.work(piece, *words) for name, (piece, words) in rivals.items() if peers.has(name)}
    costs = medians(contenders, once=["tap-clinicaltrials"])
    ours = costs["ours"]
    yield Figure("studies lost of 20,000", STUDIES - ours["studies"], goal=at_most(0))
    yield _beside(
        costs, "20,000 studies to staging over parsing alone (pysimdjson)", "pysimdjson", at_most(4), is_floor=True
    )
    yield _beside(costs, "ctgforge over ours", "ctgforge", at_least(8))
    yield Figure("py_load_clinicaltrialsgov over ours", None, "x", at_least(12), "in no package index")
    yield _beside(costs, "tap-clinicaltrials over ours", "tap-clinicaltrials", at_least(12))


def _beside(costs: dict[str, dict[str, Any]], what: str, name: str, goal: Any, *, is_floor: bool = False) -> Figure:
    """A contender's cost of one study against ours, or ours against the floor's."""
    if name not in costs:
        return Figure(what, None, "x", goal, f"{name} {peers.NOT_THERE}")
    theirs, ours = (costs[n]["cpu"] / costs[n]["studies"] for n in (name, "ours"))
    note = f"{name}: {1 / theirs:,.0f} studies a CPU second"
    if costs[name].get("lost"):
        note += f", {costs[name]['lost']} studies lost"
    return Figure(what, ours / theirs if is_floor else theirs / ours, "x", goal, note)


def whole_build(work: Path) -> Iterator[Figure]:
    """Checked and written, in a process of its own."""
    cost = alone("tests.bench.ours", "whole_build", work / "data", inputs.studies(work))
    yield Figure("whole build of 20,000 studies", cost["cpu"], "CPU s", note=f"{cost['wall']:.1f} s wall")
    yield Figure("peak memory of that build", cost["peak_mb"], "MB", at_most(1500))


def full_text(work: Path) -> Iterator[Figure]:
    """Country protocols of the EU register, as its full text serves them, to staging."""
    protocols = inputs.protocols(work)

    def bare() -> None:
        with protocols.open(encoding="utf-8") as lines:
            assert sum(1 for _ in lines) > PROTOCOLS

    def staged() -> None:
        report = euctr.read(protocols, protocols.name, DAY, work / "protocols.parquet")
        assert (report.records_in, report.staged, report.rejects) == (PROTOCOLS, PROTOCOLS, [])

    floor, cost = in_turn(bare, staged)
    megabytes = protocols.stat().st_size / 1e6
    yield Figure("EU register's full text to staging", megabytes / cost, "MB a CPU second", at_least(40),
                 f"{PROTOCOLS:,} protocols, {cost:.2f} CPU s")  # fmt: skip
    yield Figure("the same over a bare read of its lines", cost / floor, "x")
