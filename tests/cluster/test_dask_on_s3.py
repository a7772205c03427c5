"""A cluster's workers and the building machine that share nothing but storage that speaks S3, behind a server that is
slow, busy and cuts bodies: a build ends complete, or fails with one sentence and the next one goes on."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipelines import build, snapshots, working_copy
from pipelines.errors import DataError
from pipelines.settings import Settings
from tests.cluster.clusters import Cluster
from tests.cluster.clusters import cluster as started
from tests.cluster.test_dask import contents, leftovers, read
from tests.faulty import Fault, Faulty
from tests.integration.test_dagster import fill, run_nightly
from tests.integration.test_store_on_s3 import in_storage, storage  # noqa: F401
from tests.stores import pointed, said
from tests.unit.test_staging import archive, name
from tests.worlds import AS_OF, settings

pytestmark = pytest.mark.cluster


@pytest.fixture(scope="module")
def running(storage: Faulty, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:  # noqa: F811
    pytest.importorskip("distributed", reason="run `make test-cluster`")
    with started(tmp_path_factory.mktemp("cluster")) as made:
        yield made


@pytest.fixture
def machine(running: Cluster, tmp_path: Path) -> Settings:
    """Six files of PubMed and a study, read by nobody yet, on a machine with a store of its own."""
    data = archive(tmp_path, 6)
    return replace(settings(data), dask=running.address, store=f"s3://kept/{tmp_path.name}")


def test_a_night_of_dagster_makes_the_same_tables_by_way_of_the_store(
    storage: Faulty,  # noqa: F811
    running: Cluster,
    tmp_path: Path,
) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    fill(here)
    fill(there)
    build.build(settings(here), AS_OF)
    chosen = replace(settings(there), dask=running.address, store=f"s3://kept/{tmp_path.name}")
    assert run_nightly(there, settings=chosen).success
    tables = sorted(p.name for p in (here / "warehouse").glob("*.parquet"))
    hashes = [{n: snapshots.sha256_of(data / "warehouse" / n) for n in tables} for data in (here, there)]
    assert tables
    assert hashes[0] == hashes[1]
    assert contents(here / "staging") == contents(there / "staging")
    kept = pointed(in_storage(storage, chosen))
    assert kept["warehouse"].startswith("builds/")


def test_what_workers_read_is_not_sent_again_and_serves_another_machine(
    storage: Faulty,  # noqa: F811
    machine: Settings,
    tmp_path: Path,
) -> None:
    with working_copy.kept(machine, said):
        _, fresh = read(machine)
        storage.asked.clear()
    assert set(fresh.values()) == {""}
    assert [asked for asked in storage.asked if asked.startswith("PUT") and "/staging/" in asked] == []
    other = replace(machine, data=tmp_path / "other", dask="")
    working_copy.bring(other, said)
    assert read(other)[1] == {}
    assert not list(other.data.glob("raw/pubmed/*/*.xml")), "no payload came that nobody reads"


def test_payloads_that_are_in_the_store_alone_are_read_where_they_are_needed(machine: Settings, tmp_path: Path) -> None:
    working_copy.send(machine, said)
    other = replace(machine, data=tmp_path / "other")
    working_copy.bring(other, said)
    assert read(other)[1] == {name(n): "" for n in range(1, 7)}
    assert not list(other.data.glob("raw/pubmed/*/*.xml")), "the workers had them"
    assert leftovers(other.data) == []


@pytest.mark.parametrize(
    "faults",
    [
        [Fault(r"GET .*/raw/", "busy", 3), Fault(r"PUT .*/staging/", "busy", 3), Fault(r"GET .*/staging/", "busy", 2)],
        [Fault(r"GET .*/raw/", "cut", 3), Fault(r"GET .*/staging/", "cut", 3), Fault(r"GET .*/parts/", "cut", 2)],
        [Fault(r"PUT .*/staging/", "lost", 2), Fault(r"PUT .*/raw/", "lost", 1)],
        [Fault(r"GET .*/raw/", "stall", 1), Fault(r"GET .*/staging/", "stall", 2)],
    ],
    ids=["busy", "cut", "lost", "slow"],
)
def test_a_tired_store_is_borne_with(storage: Faulty, machine: Settings, faults: list[Fault]) -> None:  # noqa: F811
    with storage.doing(faults) as struck:
        assert read(machine)[1] == {name(n): "" for n in range(1, 7)}
    assert len(struck) >= 3
    there = contents(machine.data / "staging")
    shutil.rmtree(machine.data / "staging")
    read(replace(machine, dask="", store=""))
    assert there == contents(machine.data / "staging")


def test_a_store_that_refuses_a_worker_ends_the_build_and_the_next_one_goes_on(
    storage: Faulty,  # noqa: F811
    machine: Settings,
) -> None:
    payload = f"GET .*/raw/.*{name(3)}"
    with (
        storage.doing([Fault(payload, "denied", 100)]),
        pytest.raises(DataError, match="could not be read") as error,
    ):
        read(machine)
    assert "The Dask worker at tcp://127.0.0.1:" in str(error.value)
    assert "what was read before stays, and the same command again goes on from there" in str(error.value)
    assert "hidden" not in str(error.value)
    done = {p.parent.name for p in machine.data.glob("staging/pubmed/*/[!.]*/report.json")}
    fresh: dict[str, Any] = read(machine)[1]
    assert set(fresh) == {name(n) for n in range(1, 7)} - done
    assert set(fresh.values()) == {""}
