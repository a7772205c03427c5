"""A data folder as a working copy of a store in a folder: another machine goes on where one ended, two at once do not
overwrite each other, and a machine that is killed at any moment leaves a store that is whole and a run that heals it.
Storage that speaks S3, and what can go wrong with it: `test_store_on_s3.py`."""

import random
import shutil

import duckdb
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from pipelines import attempts, locations, snapshots, staging, store, working_copy
from pipelines.__main__ import main
from pipelines.errors import DataError, UsageError
from pipelines.release import shelf
from tests.stores import (
    KILLED,
    bring_in,
    build_and_release,
    chosen,
    contents,
    in_folder,
    killed,
    night,
    pointed,
    read,
    said,
)
from tests.worlds import put_studies, study


@pytest.fixture(autouse=True)
def without_pauses(monkeypatch):
    monkeypatch.setattr(locations, "PAUSES", (0.0,))


@pytest.fixture(scope="module")
def evening(tmp_path_factory):
    """The folder of a machine and of the store to which it has sent a night."""
    folder = tmp_path_factory.mktemp("evening")
    one = chosen(folder / "one", str(folder / "store"))
    with working_copy.kept(one, said):
        night(one, 1)
    return folder


@pytest.fixture
def two(evening, tmp_path):
    """The settings of two machines with one store, to which the first has sent a night."""
    shutil.copytree(evening, tmp_path, symlinks=True, dirs_exist_ok=True)
    return [chosen(tmp_path / name, str(tmp_path / "store")) for name in ("one", "other")]


def test_another_machine_goes_on_where_one_ended(two, tmp_path):
    one, other = two
    working_copy.bring(other, said)
    assert contents(other.data) == contents(one.data)
    assert not list(other.data.glob("raw/*/*/*-1.json")), "payloads come when they are needed"
    with working_copy.kept(other, said):
        night(other, 2)
    working_copy.bring(one, said)
    assert contents(one.data) == contents(other.data)
    told = pointed(in_folder(tmp_path / "store"))
    assert (told["generation"], len(told["snapshots"])) == (2, 2)
    assert told["warehouse"].startswith("builds/2024-06-02-other.")
    assert told["release"].startswith("releases/2024-06-02.")


def test_what_was_read_is_not_read_again_elsewhere_and_a_new_reader_brings_the_payload(two, monkeypatch):
    _, other = two
    working_copy.bring(other, said)
    monkeypatch.setattr(staging, "read_payload", lambda task: pytest.fail("it was read by the first machine"))
    read(other)
    monkeypatch.undo()
    monkeypatch.setattr(staging, "reader_version", lambda source: "another")
    read(other)
    (payload,) = other.data.glob("raw/*/*/*-1.json")
    (manifest,) = other.data.glob("raw/*/*/manifest.json")
    assert snapshots.sha256_of(payload) == snapshots.opened(manifest).payloads[0].sha256


def test_a_payload_that_nobody_has_stops_the_build(two, tmp_path, monkeypatch):
    _, other = two
    working_copy.bring(other, said)
    next((tmp_path / "store").glob("raw/*/*/*-1.json")).unlink()
    monkeypatch.setattr(staging, "reader_version", lambda source: "another")
    with pytest.raises(DataError, match=r"one-1\.json is missing: put it back"):
        read(other)


@pytest.mark.parametrize("lost", ["ledger", "staging", "releases", "builds", "raw", "warehouse", ""])
def test_what_is_lost_of_a_data_folder_comes_back(two, lost):
    one, _ = two
    before = contents(one.data)
    place = one.data / lost
    place.unlink() if place.is_symlink() else shutil.rmtree(place)
    working_copy.bring(one, said)
    assert contents(one.data) == before


def test_of_two_at_once_one_is_told_and_nothing_of_either_is_lost(two, tmp_path):
    one, other = two
    for machine in two:
        working_copy.bring(machine, said)
    night(one, 2)
    night(other, 3)
    working_copy.send(other, said)
    before = pointed(in_folder(tmp_path / "store"))
    with pytest.raises(DataError, match="another machine wrote to the store meanwhile; nothing of it was overwritten"):
        working_copy.send(one, said)
    assert pointed(in_folder(tmp_path / "store")) == before
    told = []
    with working_copy.kept(one, told.append):
        assert sorted(s.date.day for s in snapshots.listed(one.data)) == [1, 2, 3], "what one imported is still there"
        assert (one.data / "warehouse").resolve().name == "2024-06-03-other"
    assert "ledger/trial_ids.csv: the store's takes the place of what was added here and never sent" in told
    assert {line.partition(" ")[0] for line in told if "was never sent, and another machine wrote meanwhile" in line} == {
        "ledger/status/000002-2024-06-02.parquet", "builds/2024-06-02-one", "releases/2024-06-02",
        "releases/run/2024-06-02",
    }  # fmt: skip
    failures = [a.failure for a in attempts.read(one.data, max(s.date for s in snapshots.listed(one.data)))]
    assert sorted(failures) == ["one could not", "one could not", "other could not"]
    working_copy.bring(other, said)
    assert contents(one.data) == contents(other.data)


def test_two_that_begin_a_store_at_once(tmp_path):
    machines = [chosen(tmp_path / name, str(tmp_path / "store")) for name in ("one", "other")]
    for machine in machines:
        working_copy.bring(machine, said)
        bring_in(machine.data, 1 + machines.index(machine))
    working_copy.send(machines[0], said)
    with pytest.raises(DataError, match="another machine wrote"):
        working_copy.send(machines[1], said)
    with working_copy.kept(machines[1], said):
        pass
    assert len(pointed(in_folder(tmp_path / "store"))["snapshots"]) == 2


def test_a_write_between_the_look_and_the_pointer_is_seen(two, monkeypatch):
    """The condition, not the look before it, decides."""
    one, other = two
    working_copy.bring(other, said)
    for machine, number in ((one, 2), (other, 3)):
        bring_in(machine.data, number)
    written = working_copy.locations.write_if

    def beaten(*words):
        monkeypatch.undo()
        working_copy.send(other, said)
        return written(*words)

    monkeypatch.setattr(locations, "write_if", beaten)
    with pytest.raises(DataError, match="another machine wrote there meanwhile"):
        working_copy.send(one, said)


def test_a_reader_in_the_middle_of_a_newer_write_starts_again(two, monkeypatch):
    """What the older pointer named can be gone by then."""
    one, other = two
    brought = working_copy._bring_archive

    def slowly(*words):
        monkeypatch.undo()
        working_copy.send(one, said, gone=[one.data / "builds" / "2024-06-01-one"])
        brought(*words)

    night(one, 2)
    monkeypatch.setattr(working_copy, "_bring_archive", slowly)
    working_copy.bring(other, said)
    assert contents(other.data) == contents(one.data)


def test_a_data_folder_with_a_history_of_its_own_is_left_alone(two, tmp_path):
    third = chosen(tmp_path / "third", str(tmp_path / "store"))
    night(third, 5)
    before = contents(third.data)
    with pytest.raises(UsageError, match=r"is not the ledger of .*: set ALLTRIALS_STORE to an empty place"):
        working_copy.bring(third, said)
    assert contents(third.data) == before


def test_a_store_that_is_gone_is_not_begun_anew(two, tmp_path):
    """It may be a disk that is not mounted."""
    one, _ = two
    working_copy.bring(one, said)
    shutil.rmtree(tmp_path / "store")
    with pytest.raises(DataError, match=r"holds no current\.json any more"):
        working_copy.bring(one, said)


@pytest.mark.parametrize("error", [DataError, duckdb.OutOfMemoryException, OSError, UsageError, ZeroDivisionError])
def test_what_was_fetched_is_kept_although_the_build_failed(two, tmp_path, error):
    one, _ = two

    def night_that_fails():
        with working_copy.kept(one, said):
            bring_in(one.data, 2)
            raise error("a check failed")

    with pytest.raises(error, match="a check failed"):
        night_that_fails()
    assert len(pointed(in_folder(tmp_path / "store"))["snapshots"]) == 2


def test_nothing_is_sent_twice_and_nothing_new_is_no_generation(two, tmp_path):
    one, _ = two
    store_folder = tmp_path / "store"
    before = {p: p.stat().st_mtime_ns for p in store_folder.rglob("*") if p.is_file() and p.suffix != ".lock"}
    working_copy.send(one, said)
    build_and_release(one.data, 1)  # changes nothing that is kept but the ledger's end
    working_copy.send(one, said)
    after = {p: p.stat().st_mtime_ns for p in store_folder.rglob("*") if p.is_file() and p.suffix != ".lock"}
    changed = {p.relative_to(store_folder).parts[0] for p in after if before.get(p) != after[p]}
    assert changed == {"current.json", "index", "parts"}
    assert store.read_json(store_folder / "current.json")["generation"] == 2


def test_what_a_person_gave_up_goes_everywhere(two, tmp_path):
    one, other = two
    working_copy.bring(other, said)
    with working_copy.kept(one, said):
        night(one, 2)
    old = one.data / "builds" / "2024-06-01-one"
    shutil.rmtree(old)
    working_copy.send(one, said, gone=[old])
    kept = {p.parent.name.split(".")[0] for p in (tmp_path / "store" / "builds").rglob("files.json")}
    assert kept == {"2024-06-02-one"}
    working_copy.bring(other, said)
    assert {p.name for p in (other.data / "builds").iterdir()} == {"2024-06-02-one"}
    pointed(in_folder(tmp_path / "store"))


@pytest.mark.parametrize("has_unsent", [False, True], ids=["all was sent", "some was not"])
@pytest.mark.parametrize(
    ("way", "what"),
    [("get", "parts/"), ("get", "staging/"), ("get", "builds/"), ("get", "releases/"), ("read", "parts/")],
)
def test_a_store_that_falls_silent_leaves_readers_what_they_had(two, tmp_path, monkeypatch, way, what, has_unsent):
    """The build to which the warehouse points was given up elsewhere, or was never sent while another machine wrote."""
    one, other = two
    for machine in two:
        working_copy.bring(machine, said)
    if has_unsent:
        night(one, 3)
    night(other, 2)
    working_copy.send(other, said)
    working_copy.send(other, said, gone=[other.data / "builds" / "2024-06-01-one"])
    bring = getattr(locations, way)

    def silent(place, *words):
        if place.address.startswith(f"{tmp_path}/store/{what}"):
            raise DataError(f"{place} could not be read")
        return bring(place, *words)

    monkeypatch.setattr(locations, way, silent)
    with pytest.raises(DataError, match="could not be read"):
        working_copy.bring(one, said)
    assert (one.data / "warehouse" / "alltrials.duckdb").exists()
    assert shelf.named(one.data, "latest")
    monkeypatch.undo()
    working_copy.bring(one, said)
    working_copy.send(one, said)
    shutil.rmtree(other.data)
    working_copy.bring(other, said)
    assert contents(one.data) == contents(other.data)


def test_what_was_given_up_and_came_again_stays(two, tmp_path):
    one, other = two
    (given_up,) = snapshots.listed(one.data)
    shutil.rmtree(given_up.folder)
    working_copy.send(one, said, gone=[given_up.folder])
    working_copy.bring(other, said)
    assert snapshots.listed(other.data) == []
    put_studies(other.data, given_up.date, [study(1)], given_up.payloads[0].name)
    again = snapshots.listed(other.data)
    assert [s.id for s in again] == [given_up.id]
    with working_copy.kept(one, said):
        night(one, 2)
    for _ in range(2):  # the second time another machine has written in between
        working_copy.bring(other, said)
        assert given_up.id in {s.id for s in snapshots.listed(other.data)}
    working_copy.send(other, said)
    working_copy.bring(one, said)
    assert given_up.id in {s.id for s in snapshots.listed(one.data)}
    pointed(in_folder(tmp_path / "store"))


@pytest.mark.parametrize(
    "damage", [lambda text: text[:-7], lambda text: b"", lambda text: b"x" + text], ids=["shorter", "empty", "another"]
)
@pytest.mark.parametrize("name", ["trial_ids.csv", "status/000001-2024-06-01.parquet", "attempts.jsonl"])
def test_a_ledger_that_lost_something_takes_nothing_from_the_store(two, tmp_path, name, damage):
    one, _ = two
    path, before = one.data / "ledger" / name, contents(one.data)
    content = path.read_bytes()
    path.write_bytes(damage(content))
    kept = (tmp_path / "store" / "current.json").read_bytes()
    with pytest.raises(DataError, match=r"lacks what .*: run `store bring`, which puts it back"):
        working_copy.send(one, said)
    assert (tmp_path / "store" / "current.json").read_bytes() == kept
    told = []
    working_copy.bring(one, told.append)
    if name == "attempts.jsonl":  # of which both sides count
        assert path.read_bytes().startswith(content)
    else:
        assert contents(one.data) == before
        assert told == [f"ledger/{name}: it lacks what was sent of it; the store's takes its place"]
    working_copy.send(one, said)


def test_a_snapshot_that_was_taken_away_does_not_come_back(two, tmp_path, monkeypatch, capsys):
    one, other = two
    working_copy.bring(other, said)
    (wrong,) = snapshots.listed(one.data)
    monkeypatch.setenv("ALLTRIALS_STORE", str(tmp_path / "store"))
    words = ["--data", str(one.data), "prune", "--snapshot", f"{wrong.source}/{wrong.id}"]
    assert main(words) == 0
    assert len(pointed(in_folder(tmp_path / "store"))["snapshots"]) == 1, "nothing was meant yet"
    assert main([*words, "--yes"]) == 0
    assert f"removed raw/{wrong.source}/{wrong.id}" in capsys.readouterr().out
    told = pointed(in_folder(tmp_path / "store"))
    assert told["snapshots"] == {}
    for machine in (one, other):
        working_copy.bring(machine, said)
        assert snapshots.listed(machine.data) == []


def test_prune_removes_older_builds_from_the_store_too(two, tmp_path, monkeypatch, capsys):
    """Also those that this machine never had."""
    one, other = two
    for number in (2, 3, 4):
        with working_copy.kept(one, said):
            night(one, number)
    monkeypatch.setenv("ALLTRIALS_STORE", other.store)
    words = ["--data", str(other.data), "prune", "--keep", "1"]
    assert main(words) == 0
    assert "would remove builds/2024-06-02-one, which only the store has" in capsys.readouterr().out
    assert len(list((tmp_path / "store" / "builds").iterdir())) == 4
    assert main([*words, "--yes"]) == 0
    kept = {p.parent.name.split(".")[0] for p in (tmp_path / "store" / "builds").rglob("files.json")}
    assert kept == {"2024-06-03-one", "2024-06-04-one"}
    working_copy.bring(one, said)
    assert {p.name for p in (one.data / "builds").iterdir()} == kept
    pointed(in_folder(tmp_path / "store"))


def test_prune_names_each_build_once(two, monkeypatch, capsys):
    """What it says before it is meant is what it says afterwards: what was here is not what only the store had."""
    one, _ = two
    for number in (2, 3):
        with working_copy.kept(one, said):
            night(one, number)
    monkeypatch.setenv("ALLTRIALS_STORE", one.store)
    words = ["--data", str(one.data), "prune", "--keep", "1"]
    told = []
    for more in ([], ["--yes"]):
        assert main([*words, *more]) == 0
        told.append([line for line in capsys.readouterr().out.splitlines() if "builds/" in line])
    assert len(told[0]) == 1
    assert told[1] == [line.replace("would remove", "removed") for line in told[0]]


def test_a_full_disk_keeps_nobody_from_removing_what_is_not_needed(two, monkeypatch):
    """`prune` brings before it removes, and what there is nothing new of needs no room."""
    one, _ = two
    working_copy.bring(one, said)
    monkeypatch.setattr("tempfile.mkstemp", lambda **_: pytest.fail("a file was written"))
    working_copy.bring(one, said)


# --- whatever happens -----------------------------------------------------------------------------------------------


@pytest.mark.cluster
@pytest.mark.parametrize("seed", range(4))
def test_whatever_machines_do_the_store_is_whole_and_all_end_alike(evening, tmp_path, seed):
    """Nights and imports are sent, or their machine is killed before that; a data folder is lost. What was sent once is
    never lost, and every machine that looks has the same."""
    folder, chance = tmp_path, random.Random(seed)
    shutil.copytree(evening, folder, symlinks=True, dirs_exist_ok=True)
    machines = {name: chosen(folder / name, str(folder / "store")) for name in ("one", "other", "third")}
    working_copy.bring(machines["one"], said)
    sent = {f"{s.source}/{s.id}" for s in snapshots.listed(evening / "one")}
    for _ in range(8):
        name, number = chance.choice(sorted(machines)), chance.randint(1, 5)
        what = chance.choice(["night", "import", "killed", "lost"])
        machine = machines[name]
        if what == "lost":
            shutil.rmtree(machine.data, ignore_errors=True)
            continue
        working_copy.bring(machine, said)
        (bring_in if what == "import" else lambda data, _, of=machine, day=number: night(of, day))(machine.data, number)
        if what != "killed":
            working_copy.send(machine, said)
            sent |= {f"{s.source}/{s.id}" for s in snapshots.listed(machine.data)}
            assert sent == set(pointed(in_folder(folder / "store"))["snapshots"])
    for _ in range(2):
        for machine in machines.values():
            with working_copy.kept(machine, said):
                pass
    alike = [contents(machine.data) for machine in machines.values()]
    assert alike[0] == alike[1] == alike[2]


# --- what grows -----------------------------------------------------------------------------------------------------


@hypothesis_settings(max_examples=15)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(
                ["ledger/trial_ids.csv", "ledger/attempts.jsonl", "ledger/new.csv", "releases/releases.json"]
            ),
            st.binary(max_size=9),
        )
    )
)
def test_what_grows_comes_out_as_it_is(tmp_path_factory, steps):
    """The ledger is added to, and what points to releases written anew, in any order, and the store's parts always make
    up the last content."""
    folder = tmp_path_factory.mktemp("grows")
    one, other = (chosen(folder / name, str(folder / "store")) for name in ("one", "other"))
    for name, content in steps:
        path = one.data / name
        before = path.read_bytes() if path.exists() and name.startswith("ledger/") else b""
        with store.whole(path) as aside:
            aside.write_bytes(before + content)
        working_copy.send(one, said)
    working_copy.bring(other, said)
    files = [p for p in one.data.glob("[lr]e*/*") if p.stat().st_size]
    assert {p.name: p.read_bytes() for p in other.data.glob("[lr]e*/*") if p.stat().st_size} == {
        p.name: p.read_bytes() for p in files
    }


# --- killed ---------------------------------------------------------------------------------------------------------


def moments(steps, number=10):
    return sorted({1 + steps * k // number for k in range(number)} | {steps, steps - 1, steps - 2})


def test_killed_while_it_sends_the_store_is_whole_and_the_next_run_ends(two, tmp_path):
    one, other = two
    night(one, 2)
    shutil.copytree(tmp_path, tmp_path.parent / f"{tmp_path.name}-whole", symlinks=True)
    code, steps = killed(chosen(*_moved(one, tmp_path, tmp_path.parent / f"{tmp_path.name}-whole")), 0)
    assert code == 0
    assert steps > 30
    before = pointed(in_folder(tmp_path / "store"))
    seen = set()
    for moment in moments(steps):
        evening = tmp_path.parent / f"{tmp_path.name}-{moment}"
        shutil.copytree(tmp_path, evening, symlinks=True)
        mine = chosen(*_moved(one, tmp_path, evening))
        theirs = chosen(*_moved(other, tmp_path, evening))
        assert killed(mine, moment)[0] == KILLED
        after = pointed(in_folder(evening / "store"))
        seen.add(after["generation"])
        assert after == before or after["generation"] == before["generation"] + 1
        working_copy.bring(theirs, said)
        with working_copy.kept(mine, said):
            pass
        working_copy.bring(theirs, said)
        assert contents(mine.data) == contents(theirs.data)
        assert pointed(in_folder(evening / "store"))["generation"] == before["generation"] + 1
        shutil.rmtree(evening)
    assert seen == {1, 2}, "it was killed before and after the pointer was written"


def test_killed_while_it_brings_the_next_run_ends(two, tmp_path):
    one, other = two
    with working_copy.kept(one, said):
        night(one, 2)
    _, steps = killed(other, 0, is_bringing=True)
    for moment in moments(steps, 6):
        shutil.rmtree(other.data)
        assert killed(other, moment, is_bringing=True)[0] == KILLED
        working_copy.bring(other, said)
        assert contents(other.data) == contents(one.data)


def _moved(machine, from_, to):
    return to / machine.data.relative_to(from_), str(to / "store")


# --- the command line -----------------------------------------------------------------------------------------------


def test_commands_that_write_bring_before_and_send_after(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("ALLTRIALS_STORE", str(tmp_path / "store"))
    for number, name in ((1, "one"), (2, "other")):
        dump = tmp_path / f"{number}.json"
        dump.write_text('[{"protocolSection": {"identificationModule": {"nctId": "NCT90000001"}}}]')
        words = ["import", "ctgov", "--date", f"2024-06-0{number}", str(dump)]
        assert main(["--data", str(tmp_path / name), *words]) == 0
    assert len(pointed(in_folder(tmp_path / "store"))["snapshots"]) == 2
    assert len(snapshots.listed(tmp_path / "other")) == 2
    monkeypatch.setenv("ALLTRIALS_STORE", str(tmp_path / "mistyped"))
    assert main(["--data", str(tmp_path / "third"), "store", "bring"]) == 2
    assert "Nothing is there" in capsys.readouterr().err
    monkeypatch.setenv("ALLTRIALS_STORE", str(tmp_path / "store"))
    assert main(["--data", str(tmp_path / "third"), "store", "bring"]) == 0
    assert len(snapshots.listed(tmp_path / "third")) == 2
    monkeypatch.delenv("ALLTRIALS_STORE")
    assert main(["--data", str(tmp_path / "third"), "store", "send"]) == 2
    assert "There is no store: set ALLTRIALS_STORE" in capsys.readouterr().err
