"""Which registrations are one trial, in made-up universes of three sizes, each in a process of its own."""

import math
import statistics
from collections.abc import Iterator
from pathlib import Path

from pipelines import store
from tests import universe
from tests.bench.cost import alone
from tests.bench.figures import Figure, at_least, at_most

UNIVERSES = (62_500, 250_000, 1_000_000)


def identity(work: Path) -> Iterator[Figure]:
    costs = []
    for records in UNIVERSES:
        path = work / f"universe-{records}.duckdb"
        universe.write(path, records)
        cost = alone("tests.universe", path)
        costs.append(cost["cpu"])
        is_last = records == UNIVERSES[-1]
        yield Figure(f"identity of {records:,} registrations", cost["wall"], "s wall", at_most(60) if is_last else None,
                     f"{cost['cpu']:.1f} CPU s")  # fmt: skip
    yield Figure("peak memory of the last", cost["peak_mb"], "MB", at_most(2000))
    growth = statistics.linear_regression([math.log(n) for n in UNIVERSES], [math.log(c) for c in costs]).slope
    yield Figure("growth exponent of CPU seconds", growth, goal=at_most(1.15))
    yield from _quality(path)


def _quality(path: Path) -> Iterator[Figure]:
    with store.connect(path) as connection:
        pairs = universe.quality(connection)
        traps = universe.outcomes(connection)
    wrong = [row for row in traps if row[2] not in row[1].split("|")]
    yield Figure(
        "precision of merged pairs", pairs.right / pairs.merged, goal=at_least(1), note=f"{pairs.merged:,} pairs"
    )
    yield Figure("recall of pairs without a veto", pairs.found / pairs.wanted, goal=at_least(1),
                 note=f"{pairs.wanted:,} pairs")  # fmt: skip
    yield Figure("traps that ended otherwise", sum(row[3] for row in wrong), goal=at_most(0),
                 note=f"{sum(row[3] for row in traps):,} pairs of {len({row[0] for row in traps})} kinds")  # fmt: skip
    for kind, expected, found, number in wrong:
        yield Figure(f"trap {kind}", number, "pairs", note=f"{found} instead of {expected}")
