"""What legs and status of all policies cost, over the sample world copied to three sizes, each in a process of its own.

Every value of every leg is computed and every status stored in a file, as a build does; what keeping the legs there
costs is told beside it.
On one thread: two that share a processor count more CPU seconds for the same work.

`python -m tests.bench.policies FOLDER COPIES DAY` takes the relations of a built sample world from FOLDER/base.duckdb,
writes each row COPIES times under new numbers, runs the policies' queries over them and prints one line of JSON.
"""

import json
import math
import statistics
import sys
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import duckdb

from pipelines import build, importing, queries, sample, snapshots, store
from pipelines.contracts import contracts, quote
from pipelines.identity import adjudications
from pipelines.queries import Query
from pipelines.settings import Settings
from tests.bench.cost import alone, peak_mb
from tests.bench.figures import Figure, at_most

SAMPLE, COPIES = 5_000, (8, 30, 120)
STATUSES = {"registration_status", "reporting_status"}
BASE = {"registrations", "trial_sources", "trials"}
"""Where the measured part begins."""
NUMBERS = {"trial_id", "registration_id", "other_id", "number", "replaced_by", "r0_where"}
MEMORY = "2GB"
SPACING = 20_000
"""Between the numbers of one copy and the next: more than a sample world's."""


def policies(work: Path) -> Iterator[Figure]:
    folder = work / "policies"
    folder.mkdir()
    day = prepare(folder, SAMPLE)
    costs = []
    for copies in COPIES:
        cost = alone("tests.bench.policies", folder, copies, day)
        costs.append(cost["cpu"])
        is_last = copies == COPIES[-1]
        yield Figure(f"legs and status of {cost['policies']} policies, {cost['trials']:,} trials", cost["cpu"], "CPU s",
                     at_most(30) if is_last else None,
                     f"{cost['wall']:.1f} s wall, {cost['linked_publications']:,} linked articles")  # fmt: skip
    yield Figure("peak memory of the last", cost["peak_mb"], "MB", at_most(1500))
    yield Figure("its legs kept as tables, in their order", cost["keeping"], "CPU s")
    growth = statistics.linear_regression([math.log(n) for n in COPIES], [math.log(c) for c in costs]).slope
    yield Figure("growth exponent of CPU seconds", growth, goal=at_most(1.15))


def measured() -> list[Query]:
    """The queries whose cost is meant: from the registrations and trials on to legs and statuses, in order."""
    every = {q.name: q for q in queries.all_queries()}
    wanted: set[str] = set()

    def add(name: str) -> None:
        if name not in wanted:
            wanted.add(name)
            for needed in every[name].needs:
                if _depends_on_trials(every, needed) and not every[needed].is_published:
                    add(needed)

    for name in STATUSES | {q.name for q in every.values() if q.policy}:
        add(name)
    return [q for q in every.values() if q.name in wanted]


def _depends_on_trials(every: dict[str, Query], name: str) -> bool:
    return name not in BASE and any(n in BASE or _depends_on_trials(every, n) for n in every[name].needs)


def inputs() -> list[str]:
    """The relations that these queries read and do not make."""
    made = {q.name for q in measured()}
    every = {q.name for q in queries.all_queries()}
    return sorted({n for q in measured() for n in q.needs} & every - made)


def prepare(folder: Path, trials: int) -> date:
    """A sample world of that many trials, imported and built, as far as the policies need it; returns its as-of date."""
    world = folder / "world"
    made = sample.write_sample(world, trials, 1)
    data = folder / "data"
    settings = Settings(data, 2, "2GB")
    for wanted in importing.read_list(world / "imports.csv"):
        importing.take(data, wanted)
    taken = snapshots.listed(data, made.as_of)
    registers = build.read_registers(settings, taken)
    staged = [*registers, *build.read_articles(settings, taken, registers)]
    with store.connect(folder / "base.duckdb", threads=2, memory_limit="2GB", spill=folder) as connection:
        build.prepare(connection, contracts(), made.as_of, staged)
        adjudications.fill(connection, adjudications.read(settings.adjudications, made.as_of))
        build.run_queries(connection, data, made.as_of)
    return made.as_of


def run(folder: Path, copies: int, as_of: date) -> dict[str, float]:
    """Copies the relations, then runs and measures the queries."""
    with store.connect(threads=1, memory_limit=MEMORY, spill=folder) as connection:
        connection.execute(f"ATTACH {quote(str(folder / 'base.duckdb'))} AS base (READ_ONLY)")
        build.prepare(connection, contracts(), as_of, [])
        for name in inputs():
            connection.execute(f'CREATE TABLE "{name}" AS {_copies(connection, name, copies)}')
        connection.execute("DETACH base")
        trials = connection.sql("SELECT count(*) FROM trials").fetchall()[0][0]
        articles = connection.sql("SELECT count(DISTINCT pmid) FROM trial_publications").fetchall()[0][0]
        store.attach_new(connection, folder / f"made-{copies}.duckdb", build.MADE)
        connection.execute(build.BOTH)
        cpu, wall = time.process_time(), time.perf_counter()
        for query in measured():
            build.run_query(connection, query, f"{build.MADE}.main")
            if query.policy:
                _evaluate(connection, query.name)
        spent = {"cpu": time.process_time() - cpu, "wall": time.perf_counter() - wall, "peak_mb": peak_mb()}
        cpu = time.process_time()
        build.keep_legs(connection, contracts(), build.MADE)
        spent["keeping"] = time.process_time() - cpu
    return {
        "trials": trials,
        "linked_publications": articles,
        "policies": len(contracts().policies),
    } | spent


def _evaluate(connection: duckdb.DuckDBPyConnection, legs: str) -> None:
    """The legs are a view: every value of every leg is computed here once."""
    columns = [row[0] for row in connection.sql(f'DESCRIBE "{legs}"').fetchall()]
    hashes = ", ".join(f'bit_xor(hash("{c}"))' for c in columns)
    connection.execute(f'SELECT {hashes} FROM "{legs}"')


def _copies(connection: duckdb.DuckDBPyConnection, name: str, copies: int) -> str:
    columns = [row[0] for row in connection.sql(f'DESCRIBE FROM base."{name}"').fetchall()]
    if not set(columns) & (NUMBERS | {"pmid"}):
        return f'FROM base."{name}"'  # says nothing of single trials
    values = ", ".join(
        _renumbered(c) if c in NUMBERS or c.endswith("_from") or c == "main_registration_id"
        else f'"{c}" + 1000000000 * k AS "{c}"' if c == "pmid"
        else f'"{c}"'
        for c in columns
    )  # fmt: skip
    return f'SELECT {values} FROM base."{name}", range({copies}) AS r(k)'


def _renumbered(column: str) -> str:
    """Another number for each copy, for ClinicalTrials.gov of the same length: longer texts would cost more."""
    return (
        f"CASE WHEN starts_with(\"{column}\", 'NCT9') "
        f"THEN 'NCT' || (CAST(substr(\"{column}\", 4) AS INTEGER) + {SPACING} * k) "
        f'ELSE "{column}" || \'-\' || k END AS "{column}"'
    )


def main() -> None:
    folder, copies, day = Path(sys.argv[1]), int(sys.argv[2]), date.fromisoformat(sys.argv[3])
    print(json.dumps(run(folder, copies, day)))


if __name__ == "__main__":
    main()
