"""Payloads read by a Dask cluster: the same tables as on this machine, whoever of it dies. Real processes on loopback;
`make test-cluster` installs what they need.

Where a moment counts, a payload is a pipe: whoever reads it waits until something comes out of it, and can be killed.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from assets import resources
from pipelines import build, cluster, snapshots, staging, store
from pipelines.errors import BusyError, DataError
from pipelines.settings import Settings
from pipelines.staging import Progress
from tests.cluster.clusters import ROOT, Cluster, end, readers
from tests.cluster.clusters import cluster as started
from tests.integration.test_dagster import fill, run_nightly
from tests.loopback import wait_for
from tests.unit.test_staging import archive, name, raw
from tests.worlds import AS_OF, settings

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.skipif(
        not Path("/proc/self/fd").is_dir(), reason="this system does not show which process reads a file"
    ),
]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Two workers; a payload is given up after its second death. Dask's own is the fourth."""
    pytest.importorskip("distributed", reason="run `make test-cluster`")
    extra = {"DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "1"}
    with started(tmp_path_factory.mktemp("cluster"), extra=extra) as made:
        yield made


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Cluster]:
    """A cluster that may be harmed."""
    pytest.importorskip("distributed", reason="run `make test-cluster`")
    with started(tmp_path / "cluster") as made:
        yield made


def spread_over(data: Path, over: Cluster) -> Settings:
    return replace(settings(data), dask=over.address)


def read(chosen: Settings) -> tuple[dict[str, staging.Staged], dict[str, str]]:
    """Stages PubMed as a build does; its payloads by name, and what was read now, with its fault."""
    taken = snapshots.listed(chosen.data, AS_OF)
    told: list[Progress] = []
    spread = cluster.spread(chosen)
    registers = build.read_registers(chosen, taken, spread=spread)
    staged = build.read_articles(chosen, taken, registers, told.append, spread)
    return {s.payload.name: s for s in staged}, {p.payload: p.fault for p in told if p.payload}


def contents(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def leftovers(data: Path) -> list[Path]:
    return [p for p in (data / "staging").rglob("*") if p.name.endswith(store.PART)]


@contextlib.contextmanager
def a_pipe(path: Path) -> Iterator[int]:
    """The payload is a pipe; gives what writes into it."""
    path.unlink()
    os.mkfifo(path)
    writer = os.open(path, os.O_RDWR | os.O_NONBLOCK)  # with a writer the reader waits for words, not for a writer
    try:
        yield writer
    finally:
        os.close(writer)


# --- what is made ---------------------------------------------------------------------------------------------------


def test_a_night_of_dagster_on_the_cluster_makes_the_same_tables(running: Cluster, tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    fill(here)
    fill(there)
    build.build(settings(here), AS_OF)
    result = run_nightly(there, settings=spread_over(there, running))
    assert result.success
    tables = sorted(p.name for p in (here / "warehouse").glob("*.parquet"))
    differing = [
        n for n in tables if snapshots.sha256_of(here / "warehouse" / n) != snapshots.sha256_of(there / "warehouse" / n)
    ]
    assert tables
    assert differing == []
    assert contents(here / "staging") == contents(there / "staging")
    assert leftovers(there) == []


def test_what_was_read_there_is_not_read_again_here(running: Cluster, tmp_path: Path) -> None:
    data = archive(tmp_path, 6)
    staged, fresh = read(spread_over(data, running))
    assert set(fresh) == {name(n) for n in range(1, 7)} == set(staged)
    assert set(fresh.values()) == {""}
    assert read(settings(data))[1] == {}


def test_a_file_that_cannot_be_read_is_told_as_it_is_here(running: Cluster, tmp_path: Path) -> None:
    data = archive(tmp_path, 3)
    raw(data, name(2)).unlink()
    there = read(spread_over(data, running))
    assert not there[0][name(2)].is_read
    assert there[1] == {**read(settings(data))[1], name(1): "", name(3): ""}


# --- who dies -------------------------------------------------------------------------------------------------------


def test_what_a_worker_read_when_it_died_is_read_by_another(running: Cluster, tmp_path: Path) -> None:
    data = archive(tmp_path, 6)
    payload = raw(data, name(2))
    text = payload.read_bytes()
    (tmp_path / "whole").write_bytes(text)
    died: list[int] = []

    def kill() -> None:
        wait_for(lambda: readers(running.pids(), payload), "a worker at the pipe")
        died.extend(readers(running.pids(), payload))
        (tmp_path / "whole").rename(payload)  # whoever comes next finds the file
        for pid in died:
            os.kill(pid, signal.SIGKILL)

    with a_pipe(payload):
        killer = threading.Thread(target=kill)
        killer.start()
        _, fresh = read(spread_over(data, running))
        killer.join()
    assert died
    assert fresh == {name(n): "" for n in range(1, 7)}
    assert leftovers(data) == []


def test_a_file_that_kills_every_worker_is_named_and_all_others_are_read(running: Cluster, tmp_path: Path) -> None:
    data = archive(tmp_path, 6)
    payload = raw(data, name(2))
    over, killed = threading.Event(), []

    def kill_whoever_reads() -> None:
        while not over.is_set():
            for pid in readers(running.pids(), payload):
                killed.append(pid)
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.02)

    with a_pipe(payload):
        killer = threading.Thread(target=kill_whoever_reads)
        killer.start()
        try:
            staged, fresh = read(spread_over(data, running))
        finally:
            over.set()
            killer.join()
    assert len(set(killed)) == 4, "twice beside others, twice alone"
    assert fresh.pop(name(2)).startswith(f"{cluster.DIED}; nothing of it was read")
    assert fresh == {name(n): "" for n in (1, 3, 4, 5, 6)}
    assert not staged[name(2)].is_read


def test_a_lost_scheduler_ends_the_build_in_one_sentence_and_the_next_one_goes_on(
    own: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "REACH", 3)
    data = archive(tmp_path, 6)
    chosen = spread_over(data, own)
    payload = raw(data, name(1))
    (tmp_path / "whole").write_bytes(payload.read_bytes())

    def kill() -> None:
        wait_for(lambda: len(list(data.glob("staging/pubmed/*/[!.]*/report.json"))) >= 5, "the other files")
        assert own.scheduler
        own.scheduler.kill()

    with a_pipe(payload):
        killer = threading.Thread(target=kill)
        killer.start()
        with pytest.raises(BusyError, match="was lost while its workers read: what was read before stays"):
            read(chosen)
        killer.join()
        with pytest.raises(BusyError, match="does not answer: start it, or unset ALLTRIALS_DASK"):
            read(chosen)
        assert leftovers(data) == []
    (tmp_path / "whole").rename(payload)
    own.stop()
    own.start_scheduler()
    own.start_workers(1)
    assert read(chosen)[1] == {name(1): ""}


def test_a_night_of_dagster_waits_for_a_scheduler_that_is_started_again(
    own: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tmp_path / "data"
    fill(data)
    own.stop()
    monkeypatch.setattr(cluster, "REACH", 1)
    monkeypatch.setattr(resources, "PAUSE", 1.0)

    over = threading.Event()

    def start() -> None:
        wait_for(lambda: (data / "builds").is_dir(), "the first step that reads")
        time.sleep(2)
        own.start_scheduler()
        own.start_workers(1)
        over.wait()  # what a thread starts ends with it

    starter = threading.Thread(target=start)
    starter.start()
    try:
        result = run_nightly(data, settings=spread_over(data, own))
    finally:
        over.set()
        starter.join()
    assert result.success
    assert any(event.is_step_up_for_retry for event in result.all_events)


def test_a_cluster_without_workers_is_given_up(own: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = archive(tmp_path, 1)
    for worker in own.workers:
        end(worker)
    monkeypatch.setattr(cluster, "LOOK", 0.5)
    monkeypatch.setattr(cluster, "NOBODY", 3)
    with pytest.raises(BusyError, match="has had no worker that could read for 2 seconds: start some"):
        read(spread_over(data, own))


def test_a_worker_whose_build_was_killed_writes_into_nothing_that_the_next_one_reads(
    running: Cluster, tmp_path: Path
) -> None:
    data = archive(tmp_path, 3)
    payload = raw(data, name(2))
    text = payload.read_bytes()
    (tmp_path / "whole").write_bytes(text)
    command = [sys.executable, "-m", "pipelines", "--data", str(data), "build", "--as-of", str(AS_OF)]
    environment = {**os.environ, "ALLTRIALS_DASK": running.address, "PYTHONPATH": str(ROOT)}
    pipe = tmp_path / "pipe"
    with a_pipe(payload) as writer:
        killed = subprocess.Popen(command, env=environment, cwd=ROOT, stderr=subprocess.DEVNULL)
        wait_for(lambda: readers(running.pids(), payload), "a worker at the pipe")
        late = readers(running.pids(), payload)
        killed.kill()
        killed.wait()
        payload.rename(pipe)
        (tmp_path / "whole").rename(payload)
        # What Dask hands to the late worker waits for it, so that it cannot be kept waiting until all is read.
        awake = threading.Timer(2.0, os.write, (writer, text))
        awake.start()
        with store.only_writer(data):
            store.sweep(data)
            staged, _ = read(spread_over(data, running))
        awake.join()
    wait_for(lambda: not readers(late, pipe), "the late worker")
    time.sleep(0.5)  # it writes, or fails to
    assert all(one.is_read for one in staged.values())
    there = {file: text for file, text in contents(data / "staging").items() if store.PART not in file}
    shutil.rmtree(data / "staging")
    read(settings(data))
    assert there == contents(data / "staging")


# --- who must not be trusted ----------------------------------------------------------------------------------------


def test_a_worker_of_another_version_reads_nothing(own: Cluster, tmp_path: Path) -> None:
    other = tmp_path / "other"
    for folder in ("pipelines", "schemas", "assets"):
        shutil.copytree(ROOT / folder, other / folder, ignore=shutil.ignore_patterns("__pycache__"))
    with (other / "pipelines" / "dates.py").open("a") as text:
        text.write("# Another version.\n")
    own.stop()
    own.start_scheduler()
    own.start_workers(1, other)
    data = archive(tmp_path, 2)
    sentence = (
        "^The Dask worker at tcp://127.0.0.1:[0-9]+ reads ctgov by another version of the program: update it and "
    )
    with pytest.raises(DataError, match=f"{sentence}start it again; what was read before stays"):
        read(spread_over(data, own))
    assert list(data.glob("staging/*/*/*")) == []


def test_a_worker_that_does_not_see_the_data_folder_reads_nothing(running: Cluster, tmp_path: Path) -> None:
    from distributed import Client

    data = archive(tmp_path, 1)
    ((_, _, task),) = staging._payloads(data, [s for s in snapshots.listed(data) if s.source == "pubmed"], None)
    with Client(running.address) as client:
        said = client.submit(cluster.read_shared, task, data / "staging" / "elsewhere").result()
    assert "does not see" in said.refused
    assert not (data / "staging").exists()
