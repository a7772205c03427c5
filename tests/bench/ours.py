"""Pieces of our own work, each in a process of its own: `python -m tests.bench.ours PIECE WORD...` prints its cost.

Belongs here: what is run. What it is compared with, and its goal, stand with the part that asks for it.
"""

import resource
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from pipelines import build, importing, queries, snapshots, staging, store
from pipelines.contracts import contracts
from pipelines.formats import packing, pubmed_native
from pipelines.identity import adjudications, trials
from pipelines.importing import Import
from pipelines.queries import Query
from pipelines.settings import Settings
from pipelines.sources import ctgov, pubmed
from tests.bench.cost import cpu, spent, tell
from tests.bench.inputs import DAY

LINKS = ("publications", "publication_numbers", "trial_publications")
"""What the chain writes: the articles, the numbers found in them, and their links to trials."""


def gunzip(path: str) -> dict[str, Any]:
    """By the fastest way that the machine has, into one buffer."""
    size, buffer = 0, memoryview(bytearray(1 << 18))
    with packing.unpacked(Path(path)) as unpacked:
        while got := unpacked.readinto(buffer):  # type: ignore[attr-defined]
            size += got
    return {"megabytes": size / 1e6}


def candidates(path: str, folder: str) -> dict[str, Any]:
    """The articles that may say something about a trial; the others are counted."""
    report = pubmed.read(Path(path), Path(path).name, DAY, Path(folder) / "records.parquet")
    return {"articles": report.records_in, "kept": report.staged}


def portable_candidates(path: str, folder: str) -> dict[str, Any]:
    """The same as on a machine without a compiler."""
    pubmed_native.ENGINE = None
    return candidates(path, folder)


def full_parse(path: str, folder: str) -> dict[str, Any]:
    report = pubmed.read_whole(Path(path), Path(path).name, DAY, Path(folder) / "records.parquet")
    return {"articles": report.records_in, "kept": report.staged}


def studies(path: str, folder: str) -> dict[str, Any]:
    report = ctgov.read(Path(path), Path(path).name, DAY, Path(folder) / "staged.parquet")
    return {"studies": report.staged}


def stage(data: str, workers: str) -> dict[str, Any]:
    """Reads what lies in the archive; then once more, when all of it has been read."""
    taken = snapshots.listed(Path(data))

    def read() -> list[staging.Staged]:
        staged = staging.stage(Path(data), taken, workers=int(workers))
        staging.dismiss_workers()  # what they took is known when they have ended
        return staged

    staged = read()
    worker = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    return {"articles": sum(s.report.records_in for s in staged), "again": cpu(read), "worker_mb": worker}


def whole_build(data: str, studies: str) -> dict[str, Any]:
    """The command line's import and build, in processes of their own."""
    command = [sys.executable, "-m", "pipelines", "--data", data]
    subprocess.run([*command, "import", "ctgov", "--date", str(DAY), studies], check=True, capture_output=True)

    began, used = time.perf_counter(), spent()
    subprocess.run([*command, "build", "--as-of", str(DAY)], check=True, capture_output=True)
    return {"cpu": spent() - used, "wall": time.perf_counter() - began}


def read(data: str, day: str) -> dict[str, Any]:
    """Reads what has not been read of the registers in the archive, as a night does."""
    settings = Settings(Path(data), threads=2, memory_limit="2GB")
    steps = [staging.Progress(0, 0, 0, 0, 0, 0)]
    build.read_registers(settings, snapshots.listed(settings.data, date.fromisoformat(day)), steps.append)
    staging.dismiss_workers()
    return {"payloads": steps[-1].done, "records": steps[-1].records}


def night(data: str, day: str) -> dict[str, Any]:
    """Reads what is left to read, builds, checks, writes and switches."""
    built = build.build(Settings(Path(data), threads=2, memory_limit="2GB"), date.fromisoformat(day))
    return {"articles": built.counts["publications"], "transitions": built.counts["status_transitions"]}


def chain(data: str, studies: str, *articles: str) -> dict[str, Any]:
    """From dumps to links: import, staging and what the tables in LINKS need; they are written, nothing is checked."""
    settings = Settings(Path(data), threads=2, memory_limit="2GB")
    importing.take(settings.data, Import("ctgov", DAY, (Path(studies),)))
    importing.take(settings.data, Import("pubmed", DAY, tuple(map(Path, articles))))
    taken = snapshots.listed(settings.data, DAY)
    registers = build.read_registers(settings, taken)
    bibliographies = build.read_articles(settings, taken, registers)
    staging.dismiss_workers()
    with store.connect(threads=2, memory_limit="2GB", spill=settings.data) as connection:
        build.prepare(connection, contracts(), DAY, [*registers, *bibliographies])
        adjudications.fill(connection, adjudications.read(settings.adjudications, DAY))
        _make(connection, settings.data, _needed(LINKS))
        for name in LINKS:
            order = ", ".join(contracts().tables[name].order)
            store.write_parquet(connection, f"FROM {name} ORDER BY {order}", settings.data / f"{name}.parquet")
        (row,) = connection.sql("SELECT count(*) FROM trial_publications").fetchall()
    return {"articles": sum(s.report.records_in for s in bibliographies), "links": row[0]}


def _needed(tables: Sequence[str]) -> list[Query]:
    """The queries that make the tables, and all that these need, in order."""
    every = queries.all_queries()
    wanted = set(tables)
    for query in reversed(every):
        if query.name in wanted:
            wanted.update(query.needs)
    return [query for query in every if query.name in wanted]


def _make(connection: duckdb.DuckDBPyConnection, data: Path, needed: Sequence[Query]) -> None:
    """As `build.run_queries` does, for some of the queries."""
    steps: dict[str, Callable[[], object]] = {
        "number_forms": lambda: trials.number_forms(connection),
        "placeholder_numbers": lambda: trials.placeholder_numbers(connection),
        "corrected_registrations": lambda: adjudications.correct(connection, DAY),
        "trial_members": lambda: trials.trial_members(connection, data, DAY),
    }
    for query in needed:
        if query.name in steps:
            steps[query.name]()
        elif query.name not in queries.STEPS:
            build.run_query(connection, query)


PIECES: Mapping[str, Callable[..., dict[str, Any]]] = {
    piece.__name__: piece
    for piece in (gunzip, candidates, portable_candidates, full_parse, studies, stage, whole_build, read, night, chain)
}
WARM = {"candidates", "portable_candidates", "studies"}
"""Run once before they are measured: a night reads many files, and reads the contracts once."""


def main() -> None:
    name, *words = sys.argv[1:]
    if name in WARM:
        PIECES[name](*words)
    tell(lambda: PIECES[name](*words))


if __name__ == "__main__":
    main()
