"""A store on storage that speaks S3, on this machine, behind a server that makes it slow, busy and forgetful: a command
ends complete, or fails with one sentence and the next one heals, and who follows the pointer finds all of it whole.

Run by `make test-cluster`, in an environment that has the extra [s3] and the storage."""

import os
import sys
from pathlib import Path

import pytest
from pyarrow import fs

from pipelines import locations, store, working_copy
from pipelines.errors import DataError
from tests import loopback
from tests.faulty import Fault, Faulty
from tests.stores import KILLED, bring_in, build_and_release, chosen, contents, killed_when, night, pointed, said

pytestmark = pytest.mark.cluster
s3fs = pytest.importorskip("s3fs", reason="the extra [s3] is not installed: run `make test-cluster`")
BIG = 6 << 20
"""Bytes of a build's files in some tests."""


@pytest.fixture(scope="module")
def storage():
    """The server in between; the environment names it to every client."""
    with (
        loopback.storage(Path(sys.executable).with_name("moto_server"), "kept") as target,
        Faulty(target).running() as between,
        pytest.MonkeyPatch.context() as patched,
    ):
        for name, value in {
            "AWS_ENDPOINT_URL": between.address, "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "hidden",
            "AWS_DEFAULT_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true",
        }.items():  # fmt: skip
            patched.setenv(name, value)
        patched.setattr(locations, "PAUSES", (0.05, 0.1, 0.1))
        patched.setattr(locations, "PATIENCE", 2)
        locations._storage.cache_clear()
        yield between
        locations._storage.cache_clear()


@pytest.fixture
def two(storage, tmp_path):
    """The settings of two machines with one store, to which the first has sent a night."""
    one, other = (chosen(tmp_path / name, f"s3://kept/{tmp_path.name}") for name in ("one", "other"))
    with working_copy.kept(one, said):
        night(one, 1)
    return one, other


def in_storage(storage, machine):
    """Reads objects by another library than the program does."""
    files = fs.S3FileSystem(
        access_key="key", secret_key="hidden", region="us-east-1", scheme="http", endpoint_override=storage.target
    )

    def read(name):
        with files.open_input_stream(f"{machine.store.removeprefix('s3://')}/{name}") as stream:
            return stream.read()

    return read


def test_another_machine_goes_on_where_one_ended(two, storage):
    one, other = two
    working_copy.bring(other, said)
    assert contents(other.data) == contents(one.data)
    with working_copy.kept(other, said):
        night(other, 2)
    working_copy.bring(one, said)
    assert contents(one.data) == contents(other.data)
    assert pointed(in_storage(storage, one))["generation"] == 2
    assert not [asked for asked in storage.asked if "list-type" in asked or "prefix=" in asked], "nothing is listed"


def test_of_two_at_once_one_is_told(two, storage):
    one, other = two
    working_copy.bring(other, said)
    for machine, number in ((one, 2), (other, 3)):
        bring_in(machine.data, number)
    working_copy.send(one, said)
    with pytest.raises(DataError, match="another machine wrote"):
        working_copy.send(other, said)
    assert pointed(in_storage(storage, one))["generation"] == 2
    with working_copy.kept(other, said):
        pass
    assert len(pointed(in_storage(storage, one))["snapshots"]) == 3


def test_the_condition_decides_and_not_the_look_before_it(storage, tmp_path):
    place = locations.at(f"s3://kept/{tmp_path.name}") / "current.json"
    assert locations.write_if(place, b"first", None)
    first = locations.read(place)
    with pytest.raises(DataError, match="another machine wrote there meanwhile"):
        locations.write_if(place, b"of one that saw nothing there", None)
    assert locations.write_if(place, b"second", first)
    with pytest.raises(DataError, match="another machine wrote there meanwhile"):
        locations.write_if(place, b"of one that saw the first", first)
    assert locations.read(place).content == b"second"


@pytest.mark.parametrize("kind", ["busy", "cut", "lost", "stall"])
@pytest.mark.parametrize(
    "what", ["GET .*current.json", "GET .*staging", "GET .*parts", "GET .*builds", "HEAD .*current"]
)
def test_a_fault_while_it_brings_changes_nothing(two, storage, kind, what):
    one, other = two
    with storage.doing([Fault(what, kind)]) as struck:
        working_copy.bring(other, said)
    assert len(struck) == 1
    assert contents(other.data) == contents(one.data)


@pytest.mark.parametrize("kind", ["busy", "lost", "stall"])
@pytest.mark.parametrize("what", ["PUT .*raw", "PUT .*builds", "PUT .*current.json$", "PUT .*index", "PUT .*parts"])
def test_a_fault_while_it_sends_changes_nothing(two, storage, kind, what):
    """Lost: the pointer was written, and the answer did not arrive; what is then found there is our own."""
    one, other = two
    night(one, 2)
    with storage.doing([Fault(what, kind)]) as struck:
        working_copy.send(one, said)
    assert len(struck) == 1
    assert pointed(in_storage(storage, one))["generation"] == 2
    working_copy.bring(other, said)
    assert contents(other.data) == contents(one.data)


@pytest.mark.parametrize("kind", ["busy", "denied", "lost"])
@pytest.mark.parametrize("what", ["PUT .*raw", "PUT .*current.json$", "PUT .*builds.*files.json"])
def test_what_stays_broken_is_said_without_secrets_and_the_next_run_heals(two, storage, kind, what):
    one, other = two
    before = pointed(in_storage(storage, one))
    night(one, 2)
    with storage.doing([Fault(what, kind, times=1000)]), pytest.raises(DataError) as told:
        working_copy.send(one, said)
    assert "hidden" not in str(told.value)
    assert str(told.value).startswith(one.store)
    if (kind, what) != ("lost", "PUT .*current.json$"):
        assert pointed(in_storage(storage, one)) == before
    with working_copy.kept(one, said):
        pass
    assert pointed(in_storage(storage, one))["generation"] == 2
    working_copy.bring(other, said)
    assert contents(other.data) == contents(one.data)


def test_reading_what_stays_broken_leaves_nothing_half_here(two, storage):
    one, other = two
    for what in ("GET .*staging.*parquet", "GET .*builds.*duckdb", "GET .*releases.*csv"):
        with storage.doing([Fault(what, "cut", times=1000)]), pytest.raises(DataError, match="could not be read"):
            working_copy.bring(other, said)
        assert not list(other.data.rglob(f"*{store.PART}"))
    working_copy.bring(other, said)
    assert contents(other.data) == contents(one.data)


def test_a_store_without_conditions_is_said(two, storage):
    one, other = two
    working_copy.bring(other, said)
    told = []
    with storage.doing([Fault("PUT .*current", "deaf", times=1000)]):
        bring_in(one.data, 2)
        working_copy.send(one, told.append)
        bring_in(other.data, 3)
        with pytest.raises(DataError, match="another machine wrote"):
            working_copy.send(other, said)
    assert f"{one.store} cannot write under a condition: let one machine at a time write to it" in told
    assert pointed(in_storage(storage, one))["generation"] == 2


def test_a_large_file_goes_in_parts_and_comes_back(two, storage, tmp_path):
    one, _ = two
    path = tmp_path / "large"
    path.write_bytes(os.urandom(1 << 20) * 120)
    place = locations.at(one.store) / "large"
    with storage.doing([Fault("PUT .*partNumber=2", "busy"), Fault("GET .*large", "cut", spared=1)]) as struck:
        assert locations.put(path, place)
        locations.get(place, tmp_path / "back")
    assert len(struck) == 2
    assert (tmp_path / "back").read_bytes() == path.read_bytes()


def test_killed_at_any_moment(two, storage):
    """In the middle of a request: of the first ones, of some on the way, of the last ones."""
    one, other = two
    build_and_release(one.data, 2, size=BIG)
    ended = []
    for spared in (0, 5, 10, 14, 16):
        with storage.doing([Fault("PUT", "stall", spared=spared)]) as struck:
            ended.append(killed_when(one, lambda struck=struck: bool(struck)))
        pointed(in_storage(storage, one))
        working_copy.bring(other, said)
    assert KILLED in ended
    with working_copy.kept(one, said):
        pass
    working_copy.bring(other, said)
    assert contents(other.data) == contents(one.data)


def test_no_credentials_are_said_to_be_missing(storage, tmp_path, monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    locations._storage.cache_clear()
    with pytest.raises(DataError, match=r"could not be read: no answer that can be used \(NoCredentialsError\)"):
        locations.read(locations.at("s3://kept/x"))
    locations._storage.cache_clear()
