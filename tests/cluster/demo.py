"""`make cluster-demo`: a night of the sample world on a cluster on this machine, and its tables beside a local build's.

A scheduler, two workers and storage that speaks S3 are started on loopback and ended again. The machine that builds and
the workers share nothing but that storage. Nothing is asserted about time; what differs is said, and ends it with 1.
"""

import argparse
import contextlib
import json
import os
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import dagster as dg
import distributed

from assets.definitions import build_defs
from assets.resources import BuildDay
from pipelines import build, importing, locations, sample, settings, snapshots
from pipelines.settings import Settings
from tests import loopback
from tests.cluster.clusters import Cluster, cluster

LONGEST = 1800
"""Seconds after which the system ends all of it."""
KEYS = {"AWS_ACCESS_KEY_ID": "demo", "AWS_SECRET_ACCESS_KEY": "demo", "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true"}  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.cluster.demo", description="A night on a cluster.")
    parser.add_argument("--trials", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    signal.alarm(LONGEST)
    with tempfile.TemporaryDirectory(prefix="cluster-demo-") as folder:
        return demo(Path(folder), options.trials, options.seed)


def demo(folder: Path, trials: int, seed: int) -> int:
    """0 where the two builds are the same, table by table."""
    made = sample.write_sample(folder / "world", trials, seed)
    here, there = (_settings(folder / name, folder / "world") for name in ("here", "there"))
    print(f"The sample world: {made.trials:,} trials, {made.articles:,} articles.", flush=True)
    began = time.perf_counter()
    build.build(here, made.as_of)
    print(f"Built on this machine in {time.perf_counter() - began:.0f} s.", flush=True)
    with storage() as environment, cluster(folder / "cluster", 2, environment) as workers:
        there = replace(there, dask=workers.address, store="s3://demo/warehouse")
        print(
            f"A scheduler at {workers.address}, two workers, storage at {environment['AWS_ENDPOINT_URL']}.", flush=True
        )
        began = time.perf_counter()
        readings = night(there, made.as_of.isoformat(), workers, folder / "dagster.log")
        shares = ", ".join(str(number) for number in sorted(readings.values(), reverse=True))
        print(f"Dagster's nightly job on them took {time.perf_counter() - began:.0f} s; the workers read {shares} "
              "payloads.", flush=True)  # fmt: skip
        differing = compare(here, there, folder / "pointed")
    return 1 if differing else 0


def _settings(data: Path, world: Path) -> Settings:
    for item in importing.read_list(world / "imports.csv"):
        importing.take(data, item)
    return replace(
        settings.from_environment(str(data)), contact="", fetched_sources=(), releases_to="", dask="", store=""
    )


@contextlib.contextmanager
def storage() -> Iterator[dict[str, str]]:
    """Storage with one bucket; gives what the environment says of it. It is said in ours as well."""
    with loopback.storage(Path(sys.executable).with_name("moto_server"), "demo") as place:
        environment = {**KEYS, "AWS_ENDPOINT_URL": f"http://{place}"}
        os.environ.update(environment)
        yield environment


def night(chosen: Settings, as_of: str, workers: Cluster, log: Path) -> Counter[str]:
    """Dagster's nightly job; how many payloads each worker read. Raises RuntimeError where it fails."""
    job = build_defs({"settings": chosen, "build_day": BuildDay.configure_at_launch()}).resolve_job_def("nightly")
    with (
        distributed.Client(workers.address, set_as_default=False) as client,
        dg.DagsterInstance.ephemeral() as instance,
    ):
        client.get_task_stream()  # from now on the scheduler notes who did what
        with log.open("w") as words, contextlib.redirect_stderr(words):
            result = job.execute_in_process({"as_of": as_of}, instance=instance, raise_on_error=False)
        if not result.success:
            raise RuntimeError(f"The night failed:\n{log.read_text()[-4000:]}")
        tasks: list[dict[str, Any]] = client.get_task_stream()
        return Counter(task["worker"] for task in tasks if task["key"].startswith("read_stored"))


def compare(here: Settings, there: Settings, folder: Path) -> list[str]:
    """The tables that differ: on the building machine, or for who follows the pointer in the storage."""
    root = locations.at(there.store)
    pointer = locations.read(root / "current.json")
    assert pointer, "the night left no pointer"
    place = root / json.loads(pointer.content)["warehouse"]
    tables = sorted(path.name for path in (here.data / "warehouse").glob("*.parquet"))
    differing = []
    for name in tables:
        locations.get(place / name, folder / name)
        paths = (here.data / "warehouse" / name, there.data / "warehouse" / name, folder / name)
        if len({snapshots.sha256_of(path) for path in paths}) > 1:
            differing.append(name)
    print(f"{len(tables) - len(differing)} of {len(tables)} tables have the same SHA-256 in the local build, in the "
          f"cluster's, and at {place}.")  # fmt: skip
    for name in differing:
        print(f"Another one: {name}")
    return differing


if __name__ == "__main__":
    sys.exit(main())
