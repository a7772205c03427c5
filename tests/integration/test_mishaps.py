"""Nights that are killed, run out of room, may not write, or are two: what was published stays whole and can be read at
every moment, the raw archive and the ledger are as they were or as they should be, and the next run ends as if nothing
had happened."""

import random
import re
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from pipelines import store
from tests import mishaps, standing
from tests.mishaps import KILLED, NO_ROOM, NOT_WRITABLE, STAGES, Mishap
from tests.replay.course import SOURCES, TERMS, course, day_of
from tests.replay.server import Replay

DAY = day_of(1)


@dataclass(frozen=True)
class Evening:
    """A data folder before the night, and what an undisturbed night makes of it, in how many steps of each stage."""

    folder: Path
    data: Path
    server: Replay
    environment: Mapping[str, str]
    before: tuple[str, dict[str, str]]
    after: tuple[str, dict[str, str]]
    archive: set[str]
    ledger: dict[str, str]
    steps: Mapping[str, int]

    def copy(self, name: str, folder: Path | None = None) -> Path:
        data = (folder or self.folder) / name
        shutil.copytree(self.data, data, symlinks=True)
        return data


def environment(server: Replay, **terms: object) -> dict[str, str]:
    return {
        **{f"ALLTRIALS_{code.upper()}_URL": f"{server.url}/{code}" for code in SOURCES},
        "ALLTRIALS_CONTACT": "test@example.org",
        "ALLTRIALS_FETCHED_SOURCES": " ".join(SOURCES),
        "ALLTRIALS_THREADS": "1",
        "ALLTRIALS_VOLUME_BANDS": "; ".join(f"{code} = [1, 1000]" for code in SOURCES),
        "ALLTRIALS_FETCH_TERMS": "; ".join(f"{name} = {value}" for name, value in {**TERMS, **terms}.items()),
    }


@pytest.fixture(scope="module")
def evening(tmp_path_factory) -> Iterator[Evening]:
    folder = tmp_path_factory.mktemp("mishaps")
    first, second = course(5, 2)
    data, undisturbed = folder / "evening", folder / "undisturbed"
    with Replay(first).running() as server:
        words = environment(server)
        assert mishaps.night(data, day_of(0), words).code == 0
        server.apps = second
        shutil.copytree(data, undisturbed, symlinks=True)
        night = mishaps.night(undisturbed, DAY, words)
        assert night.code == 0, night.said
        yield Evening(
            folder, data, server, words, standing.warehouse(data), standing.warehouse(undisturbed),
            standing.archive(undisturbed), standing.ledger(undisturbed), night.steps or {},
        )  # fmt: skip


def assert_stands(evening: Evening, data: Path) -> None:
    """Nothing is lost and nothing half written: all is as it was before the night or as it is after it."""
    assert standing.warehouse(data) in (evening.before, evening.after)
    assert standing.archive(evening.data) <= standing.archive(data) <= evening.archive
    before, found = standing.ledger(evening.data), standing.ledger(data)
    assert before.keys() <= found.keys()
    assert all(digest in (before.get(name), evening.ledger[name]) for name, digest in found.items())


def assert_healed(evening: Evening, data: Path) -> None:
    assert standing.warehouse(data) == evening.after
    assert standing.archive(data) == evening.archive
    assert standing.ledger(data) == evening.ledger
    assert standing.leftovers(data) == []


# --- killed ---------------------------------------------------------------------------------------------------------


def read_all_the_time(data: Path, is_over: Connection, told: Connection) -> None:
    """Opens the warehouse as a reader does, again and again; tells how often, and why it could not."""
    opened, faults = 0, []
    while not is_over.poll(0.3):
        try:
            with store.open_warehouse(data) as connection:
                connection.sql("SELECT count(*) FROM registrations JOIN reporting_status USING (trial_id)").fetchall()
            opened += 1
        except Exception as error:  # noqa: BLE001 whatever keeps a reader out
            faults.append(f"{type(error).__name__}: {error}")
    told.send((opened, faults))


@contextmanager
def read_meanwhile(data: Path) -> Iterator[list[int]]:
    """A reader for as long as the block lasts, who was never kept out; gives how often it opened the warehouse."""
    counted: list[int] = []
    stop, is_over = mishaps.processes.Pipe()
    hear, told = mishaps.processes.Pipe()
    reader = mishaps.processes.Process(target=read_all_the_time, args=(data, is_over, told))
    reader.start()
    try:
        yield counted
    finally:
        stop.send("over")
        opened, faults = hear.recv()
        reader.join()
    assert faults == []
    counted.append(opened)


MOMENTS = (
    ("fetch", 1), ("fetch", 4), ("fetch", 6), ("read", 1), ("read", 4), ("read", 6), ("fold", 1), ("build", 1), ("swap", 1)
)  # fmt: skip
"""Stages in which one night after another is killed, each after what the ones before left behind, and the part of the
stage's steps that is likely to be left."""


def moment(evening: Evening, stage: str, part: int, turn: int, rng: random.Random) -> Mishap:
    """Before a step of the stage, or some time after it: while a file is written, while a query runs. The few steps of
    the swap have their turn one by one, the last one first."""
    steps = evening.steps[stage] // part
    if stage == "swap":
        return Mishap(KILLED, stage, -turn % steps)
    longest = rng.choice((0.0, 0.01, 1.0 if stage == "fold" else 0.1))
    return Mishap(KILLED, stage, rng.randrange(steps), delay=longest * rng.random())


@pytest.mark.parametrize("kills", [15, pytest.param(200, marks=pytest.mark.long)])
def test_a_night_that_is_killed_at_any_moment_and_run_again_is_as_if_nothing_had_been(evening, report, kills):
    rng = random.Random(kills)
    done = rounds = opened = 0
    while done < kills:
        rounds += 1
        data = evening.copy(f"killed{rounds}")
        with read_meanwhile(data) as counted:
            for stage, part in MOMENTS:
                night = mishaps.night(data, DAY, evening.environment, moment(evening, stage, part, rounds, rng))
                assert night.code in (0, -signal.SIGKILL), night.said
                assert_stands(evening, data)
                if night.code == 0:  # what it should have been killed at had been done before
                    break
                done += 1
            else:
                assert mishaps.night(data, DAY, evening.environment).code == 0
        opened += counted[0]
        assert_healed(evening, data)
        shutil.rmtree(data)
    assert opened > kills
    report(
        "Killed nights", [f"{done} kills, {rounds} times run again, the warehouse opened {opened:,} times meanwhile"]
    )


# --- no room, not writable ------------------------------------------------------------------------------------------

SAYS = {
    NO_ROOM: r"Error: .*(No space left on device|File too large).*\. Make room on the disk and run it again\.",
    NOT_WRITABLE: r"Error: .*Permission denied.*\. Make it writable and run it again\.",
}


def made_writable(data: Path) -> None:
    for folder in (data, *(p for p in data.rglob("*") if p.is_dir() and not p.is_symlink())):
        folder.chmod(0o755)


def suffers(evening: Evening, data: Path, mishap: Mishap) -> None:
    """The night says in one sentence what is wrong and what to do, and what was published before it stands."""
    night = mishaps.night(data, DAY, evening.environment, mishap)
    made_writable(data)
    assert_stands(evening, data)
    if night.code == 0:  # what was left to do takes no room
        assert (mishap.kind, mishap.stage) == (NO_ROOM, "swap")
        return
    assert night.code == 1, night
    assert re.fullmatch(SAYS[mishap.kind], night.said)
    assert standing.warehouse(data) == evening.before


SHORT = [(NO_ROOM, "read"), (NO_ROOM, "build"), (NOT_WRITABLE, "fetch"), (NOT_WRITABLE, "swap")]
LONG = [(kind, stage) for kind in (NO_ROOM, NOT_WRITABLE) for stage in STAGES]


@pytest.mark.parametrize(
    ("kind", "stage", "shares"),
    [
        *((kind, stage, (0.3,)) for kind, stage in SHORT),
        *(pytest.param(kind, stage, (0, 0.3, 0.7, 0.95), marks=pytest.mark.long) for kind, stage in LONG),
    ],
)
def test_a_disk_that_is_full_or_not_writable_is_said_and_the_next_night_heals_it(
    evening, tmp_path, kind, stage, shares
):
    for share in shares:
        data = evening.copy(f"{share}", tmp_path)
        suffers(evening, data, Mishap(kind, stage, int(evening.steps[stage] * share)))
        if stage == "read" or len(shares) > 1:
            assert mishaps.night(data, DAY, evening.environment).code == 0
            assert_healed(evening, data)


@pytest.fixture
def small_disk(tmp_path) -> Iterator[Path]:
    """A file system of its own with little room."""
    place = tmp_path / "small"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=96m", "small", str(place)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("no file system may be mounted here")
    yield place
    subprocess.run(["umount", str(place)], check=True)


@pytest.mark.long
@pytest.mark.parametrize("stage", STAGES)
def test_a_disk_without_room_is_said_and_the_next_night_heals_it(evening, small_disk, stage):
    data, ballast = evening.copy("data", small_disk), small_disk / "ballast"
    suffers(evening, data, Mishap(NO_ROOM, stage, int(evening.steps[stage] * 0.3), ballast))
    ballast.unlink()
    assert mishaps.night(data, DAY, evening.environment).code == 0
    assert_healed(evening, data)


# --- two at once ----------------------------------------------------------------------------------------------------


def test_of_two_nights_at_once_the_second_leaves_and_says_why(evening, tmp_path):
    data, app, may_go_on = evening.copy("data", tmp_path), evening.server.apps["ctgov"], threading.Event()

    def waits(asked):
        may_go_on.wait(60)
        return app(asked)

    evening.server.apps["ctgov"], evening.server.asked = waits, []
    try:
        patient = environment(evening.server, timeout_seconds=60.0)
        process, connection = mishaps.start(data, DAY, patient)
        while not evening.server.asked and process.is_alive():
            time.sleep(0.01)
        second = mishaps.night(data, DAY, evening.environment)
    finally:
        may_go_on.set()
        evening.server.apps["ctgov"] = app
    assert second.code == 1
    assert second.said == f"Error: Another night is under way in {data}: wait for it to end, then try again."
    assert mishaps.ended(process, connection).code == 0
    assert_healed(evening, data)
