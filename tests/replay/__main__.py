"""Two whole nights to look at: `python -m tests.replay --out DIR`. A server on this machine speaks the sources'
interfaces, over real sockets and with some faults; nothing outside is asked, and nothing is waited for."""

import argparse
import random
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from pipelines import nights, sample, settings, summary
from pipelines.sample.days import AS_OF, FULL
from pipelines.settings import Settings
from pipelines.web import Edge
from tests.replay.server import Fault, Replay
from tests.replay.world import ctgov_on, ncbi_on

FAULTS = (
    Fault("/v2/studies", "status", times=2, code=429, headers={"Retry-After": "3"}),
    Fault("pageToken", "reset"),
    Fault("/v2/studies", "html"),
    Fault(r"n0002\.xml\.gz$", "truncated"),
    Fault(r"n0003\.xml\.gz$", "alter", change=lambda body: body[:-1] + b"x"),
    Fault("updatefiles/$", "status"),
)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.replay", description=__doc__)
    parser.add_argument("--trials", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    options = parser.parse_args(arguments)
    shutil.rmtree(options.out / "data", ignore_errors=True)
    made = sample.write_sample(options.out / "served", options.trials, options.seed)
    print(f"a world of {made.trials:,} trials and {made.articles:,} articles; nothing outside this machine is asked")
    for day in (FULL, AS_OF):
        _night(options.out, day)
    print(f"\nAsk it: python -m pipelines --data {options.out / 'data'} query 'FROM reporting_summary'")
    return 0


def _night(out: Path, day: date) -> None:
    served = out / "served"
    apps = {"ctgov": ctgov_on(served, day), "pubmed": ncbi_on(served, day)}
    with Replay(apps, [Fault(**vars(fault)) for fault in FAULTS]).running() as server:
        night = nights.night(replay_settings(out / "data", server), day, edge(day), lambda text: print(f"  {text}"))
        print(f"\nThe night of {day}: {len(server.asked):,} requests")
        for line in summary.night_lines(night):
            print(line)


def replay_settings(data: Path, server: Replay) -> Settings:
    """Settings under which nobody but the replay is asked."""
    usual = settings.from_environment(str(data))
    return Settings(
        data=usual.data,
        threads=usual.threads,
        memory_limit=usual.memory_limit,
        contact="replay@example.org",
        addresses={code: f"{server.url}/{code}" for code in server.apps},
        fetched_sources=tuple(server.apps),
        fetch_terms={"page_size": 500, "spare_bytes": 0},
        volume_bands=dict.fromkeys(server.apps, (1, 1_000_000)),  # a made-up world is a small part of its sources
    )


def edge(day: date) -> Edge:
    """The clock of that night. What is slept passes at once."""
    slept: list[float] = []
    began = time.monotonic()

    def now() -> datetime:
        passed = time.monotonic() - began + sum(slept)
        return datetime(day.year, day.month, day.day, 3, tzinfo=UTC) + timedelta(seconds=passed)

    sleep: Callable[[float], None] = slept.append
    return Edge(now, sleep, random.Random(1).random)


if __name__ == "__main__":
    sys.exit(main())
