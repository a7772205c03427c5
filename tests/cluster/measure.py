"""`make bench-cluster`: the same files of PubMed read by one worker of a Dask cluster on this machine, then by two, beside
processes of this machine; and what the orchestration takes of it.

Workers that have been up for a while are measured, as those of a real cluster are. Nothing is asserted.
"""

import argparse
import contextlib
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import distributed

from assets.definitions import build_defs
from assets.resources import BuildDay
from assets.staging import staging_key
from pipelines import cluster, importing, snapshots, staging
from pipelines.importing import Import
from pipelines.settings import Settings
from tests import peers, processes
from tests.bench.inputs import DAY
from tests.cluster.clusters import Cluster
from tests.cluster.clusters import cluster as started

LONGEST = 1800
"""Seconds after which the system ends all of it."""


@dataclass(frozen=True)
class Cost:
    """Seconds. read: CPU of the processes that read; others: CPU of all others; busy: in which workers had a payload.
    peak_mb: memory of the largest worker."""

    wall: float
    read: float
    others: float
    busy: float = 0.0
    peak_mb: float = 0.0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.cluster.measure", description="One worker and two.")
    parser.add_argument("--files", type=int, default=16)
    options = parser.parse_args()
    signal.alarm(LONGEST)
    source = peers.whole_files()["B"]
    with tempfile.TemporaryDirectory(prefix="bench-cluster-") as folder:
        data = Path(folder) / "data"
        names = [Path(folder) / f"pubmed21n{1298 + number}.xml.gz" for number in range(options.files)]
        for name in names:
            os.link(source, name) if source.stat().st_dev == name.parent.stat().st_dev else shutil.copyfile(
                source, name
            )
        importing.take(data, Import("pubmed", DAY, tuple(names)))
        print(
            f"{options.files} files of 20,788 articles, 233 MB each when unpacked; load before: {os.getloadavg()[0]:.1f}"
        )
        costs = {}
        for number in (1, 2):
            with started(Path(folder) / f"cluster-{number}", number) as running:
                costs[number] = over(running, data)
            tell(f"{number} worker(s) of a cluster", costs[number])
            tell(f"{number} process(es) of this machine", here(data, number))
        with started(Path(folder) / "cluster-dagster", 2) as running:
            under = by_dagster(running, data)
        tell("2 workers of a cluster, by Dagster", under)
    one, two = costs[1], costs[2]
    print(f"two workers over one: {one.wall / two.wall:.2f} times as fast")
    print(f"of all CPU, what was not reading: {100 * two.others / (two.read + two.others):.1f} %")
    print(f"of the workers' time, without a payload: {100 * (1 - two.busy / (2 * two.wall)):.1f} %")
    print(f"by Dagster over without it: {under.wall - two.wall:+.1f} s a night, {under.others - two.others:+.1f} CPU s")
    return 0


def over(running: Cluster, data: Path) -> Cost:
    """Staging as a build does it, on the cluster."""
    chosen = Settings(data, threads=2, memory_limit="1GB", dask=running.address)
    return _cost(running, data, lambda: staged(chosen))


def by_dagster(running: Cluster, data: Path) -> Cost:
    """The same by the steps of a night."""
    chosen = Settings(data, threads=2, memory_limit="1GB", dask=running.address)
    job = build_defs({"settings": chosen, "build_day": BuildDay.configure_at_launch()}).resolve_job_def("nightly")

    def work() -> None:
        with (
            dg.DagsterInstance.ephemeral() as instance,
            Path(os.devnull).open("w") as nowhere,
            contextlib.redirect_stderr(nowhere),
        ):
            job.execute_in_process({"as_of": str(DAY)}, instance=instance, asset_selection=[staging_key("pubmed")])

    return _cost(running, data, work)


def staged(chosen: Settings) -> list[staging.Staged]:
    return staging.stage(chosen.data, snapshots.listed(chosen.data), spread=cluster.spread(chosen))


def _cost(running: Cluster, data: Path, work: Callable[[], object]) -> Cost:
    """What the work costs this process, the scheduler, the nannies, and the workers."""
    shutil.rmtree(data / "staging", ignore_errors=True)
    with distributed.Client(running.address, set_as_default=False) as client:
        client.wait_for_workers(len(running.workers))
        client.run(staging._be_ready)
        client.get_task_stream()
        readers = running.pids()[len(running.workers) :]
        rest = [
            os.getpid(),
            *(process.pid for process in running.workers),
            *([running.scheduler.pid] if running.scheduler else []),
        ]
        began, read, others = time.perf_counter(), _cpu(readers), _cpu(rest)
        work()
        wall = time.perf_counter() - began
        spans = [
            part for task in client.get_task_stream() for part in task["startstops"] if part["action"] == "compute"
        ]
        peak = max(map(processes.peak_mb, readers))
    busy = sum(part["stop"] - part["start"] for part in spans)
    return Cost(wall, _cpu(readers) - read, _cpu(rest) - others, busy, peak)


def here(data: Path, workers: int) -> Cost:
    """Staging on this machine; the processes' start counts, as it does in a night."""
    shutil.rmtree(data / "staging", ignore_errors=True)
    began, before, own = time.perf_counter(), _spent(resource.RUSAGE_CHILDREN), _spent(resource.RUSAGE_SELF)
    staging.stage(data, snapshots.listed(data), workers=workers)
    wall = time.perf_counter() - began
    staging.dismiss_workers()
    return Cost(wall, _spent(resource.RUSAGE_CHILDREN) - before, _spent(resource.RUSAGE_SELF) - own)


def _spent(whose: int) -> float:
    used = resource.getrusage(whose)
    return used.ru_utime + used.ru_stime


def _cpu(pids: Sequence[int]) -> float:
    """CPU seconds of running processes so far."""
    return sum(map(processes.cpu, pids))


def tell(what: str, cost: Cost) -> None:
    busy = f", workers busy {cost.busy:.1f} s, at most {cost.peak_mb:.0f} MB each" if cost.busy else ""
    print(
        f"{what}: {cost.wall:.1f} s wall, reading {cost.read:.1f} CPU s, all else {cost.others:.1f} CPU s{busy}",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
