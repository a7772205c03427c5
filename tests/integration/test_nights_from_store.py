"""Whole nights on machines that have nothing but the store: what comes out is what one machine alone makes of the same
days. Run by `make test-cluster`, since each night takes seconds."""

import shutil

import pytest

from pipelines import snapshots, store
from tests import mishaps, standing
from tests.integration.test_mishaps import environment
from tests.mishaps import KILLED, Mishap
from tests.replay.course import course, day_of
from tests.replay.server import Replay
from tests.stores import in_folder, pointed

pytestmark = pytest.mark.cluster


@pytest.fixture(scope="module")
def nights(tmp_path_factory):
    """Nights of one machine alone, and what it takes to have the same elsewhere: data folder, server, settings."""
    folder = tmp_path_factory.mktemp("nights")
    apps = course(5, 3)
    with Replay(apps[0]).running() as server:
        words = environment(server)
        for number, served in enumerate(apps):
            server.apps = served
            assert mishaps.night(folder / "alone", day_of(number), words).code == 0
        yield folder, server, apps, words


def test_each_night_on_a_machine_of_its_own(nights, tmp_path):
    """The second one is killed while it publishes, and a third machine, which knows nothing of it, does that night."""
    folder, server, apps, words = nights
    kept = tmp_path / "store"
    words = words | {"ALLTRIALS_STORE": str(kept)}

    def night(name, number, mishap=None):
        server.apps = apps[number]
        return mishaps.night(tmp_path / name, day_of(number), words, mishap)

    assert night("first", 0).code == 0
    assert night("second", 1, Mishap(KILLED, "swap", 2)).code != 0
    assert pointed(in_folder(kept))["generation"] == 1
    third = night("third", 1)
    assert third.code == 0, third.said
    assert night("fourth", 2).code == 0
    assert standing.warehouse(tmp_path / "fourth") == standing.warehouse(folder / "alone")
    assert standing.ledger(tmp_path / "fourth") == standing.ledger(folder / "alone")
    alone = {f"{s.source}/{s.id}" for s in snapshots.listed(folder / "alone")}
    told = pointed(in_folder(kept))
    assert (set(told["snapshots"]), told["generation"]) == (alone, 3)
    assert store.read_json(kept / told["warehouse"] / "manifest.json")["as_of"] == str(day_of(2))


def test_the_machine_that_was_killed_goes_on_too(nights, tmp_path):
    """With what it has: its fetch is not begun anew, and its ledger is not taken for another's."""
    folder, server, apps, words = nights
    words = words | {"ALLTRIALS_STORE": str(tmp_path / "store")}
    server.apps = apps[0]
    assert mishaps.night(tmp_path / "one", day_of(0), words).code == 0
    for step in (0, 4):
        shutil.copytree(tmp_path / "one", tmp_path / f"one-{step}", symlinks=True)
        shutil.copytree(tmp_path / "store", tmp_path / f"store-{step}")
        mine = words | {"ALLTRIALS_STORE": str(tmp_path / f"store-{step}")}
        server.apps = apps[1]
        assert mishaps.night(tmp_path / f"one-{step}", day_of(1), mine, Mishap(KILLED, "swap", step)).code != 0
        assert mishaps.night(tmp_path / f"one-{step}", day_of(1), mine).code == 0
        server.apps = apps[2]
        assert mishaps.night(tmp_path / f"one-{step}", day_of(2), mine).code == 0
        assert standing.warehouse(tmp_path / f"one-{step}") == standing.warehouse(folder / "alone")
        assert standing.ledger(tmp_path / f"one-{step}") == standing.ledger(folder / "alone")
