"""The raw archive and the files: written once, whole or not there, the same import recognised."""

import json
import shutil
from datetime import date

import pytest

from pipelines import importing, snapshots, store
from pipelines.errors import DataError, UsageError
from pipelines.importing import Import

DAY = date(2024, 1, 2)


def dump(tmp_path, name="a.json", text="[]"):
    path = tmp_path / name
    path.write_text(text)
    return path


def test_an_import_is_stored_byte_for_byte_with_its_manifest_and_cannot_be_written_again(tmp_path):
    path = dump(tmp_path, text='[{"x": 1}]')
    snapshot, is_new = importing.take(tmp_path / "data", Import("ctgov", DAY, (path,)))
    stored = snapshot.folder / "a.json"
    assert is_new
    assert stored.read_bytes() == path.read_bytes()
    assert stored.stat().st_mode & 0o222 == 0
    manifest = json.loads((snapshot.folder / "manifest.json").read_text())
    assert manifest["payloads"] == [{"name": "a.json", "bytes": 10, "sha256": snapshots.sha256_of(path)}]
    assert (manifest["date"], manifest["scope"], manifest["baseline"]) == ("2024-01-02", "partial", False)


def test_a_file_that_is_written_to_while_it_is_copied_is_no_snapshot(tmp_path, monkeypatch):
    path = dump(tmp_path)
    copy = shutil.copyfile

    def copied_and_written_to(*places):
        copy(*places)
        path.write_text("[1]")

    monkeypatch.setattr(shutil, "copyfile", copied_and_written_to)
    with pytest.raises(UsageError, match="changed while it was copied"):
        importing.take(tmp_path / "data", Import("ctgov", DAY, (path,)))
    assert not snapshots.listed(tmp_path / "data")


def test_the_same_import_is_recognised_and_another_day_or_scope_is_another_snapshot(tmp_path):
    path = dump(tmp_path)
    data = tmp_path / "data"
    first, _ = importing.take(data, Import("ctgov", DAY, (path,)))
    assert importing.take(data, Import("ctgov", DAY, (path,))) == (first, False)
    assert importing.take(data, Import("ctgov", DAY, (path.rename(tmp_path / "renamed.json"),))) == (first, False)
    path = tmp_path / "renamed.json"
    others = [Import("ctgov", date(2024, 1, 3), (path,)), Import("ctgov", DAY, (path,), scope="full")]
    assert all(importing.take(data, other)[1] for other in others)
    assert len(snapshots.listed(data)) == 3
    assert [s.date for s in snapshots.listed(data, DAY)] == [DAY, DAY]


def test_checksum_files_beside_a_file_come_along(tmp_path):
    path = dump(tmp_path, "pubmed24n0001.xml.gz", "x")
    dump(tmp_path, "pubmed24n0001.xml.gz.md5", "MD5(pubmed24n0001.xml.gz)= 0")
    snapshot, _ = importing.take(tmp_path / "data", Import("pubmed", DAY, (path,)))
    assert [p.name for p in snapshot.payloads] == ["pubmed24n0001.xml.gz", "pubmed24n0001.xml.gz.md5"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"source": "nothere"}, "There is no source"),
        ({"scope": "half"}, "partial or full"),
        ({"files": ()}, "at least one dump file"),
        ({"baseline": True}, "--baseline is for pubmed"),
        ({"source": "pubmed", "scope": "full"}, "goes with --baseline"),
        ({"source": "pubmed", "baseline": True}, "has a name like pubmed26n0001"),
    ],
)
def test_an_import_that_contradicts_itself_stores_nothing(tmp_path, change, message):
    wanted = {"source": "ctgov", "day": DAY, "files": (dump(tmp_path),)} | change
    with pytest.raises(UsageError, match=message):
        importing.take(tmp_path / "data", Import(**wanted))
    assert snapshots.listed(tmp_path / "data") == []


def test_a_baseline_said_to_be_whole_has_no_gap(tmp_path):
    files = [dump(tmp_path, f"pubmed24n{n:04d}.xml.gz", str(n)) for n in (1, 2, 4)]
    whole = Import("pubmed", DAY, tuple(files), "full", baseline=True)
    with pytest.raises(UsageError, match="n0003"):
        importing.take(tmp_path / "data", whole)
    files.append(dump(tmp_path, "pubmed24n0003.xml.gz", "3"))
    assert importing.take(tmp_path / "data", Import("pubmed", DAY, tuple(files), "full", baseline=True))[1]


@pytest.mark.parametrize("name", ["manifest.json", ".hidden.json", "jane.doe@example.org.json", "x" * 201])
def test_names_that_cannot_stand_in_the_archive_are_refused(tmp_path, name):
    with pytest.raises(UsageError):
        importing.take(tmp_path / "data", Import("ctgov", DAY, (dump(tmp_path, name),)))


def test_what_a_killed_process_left_behind_is_no_snapshot_and_is_swept(tmp_path):
    data = tmp_path / "data"
    snapshot, _ = importing.take(data, Import("ctgov", DAY, (dump(tmp_path),)))
    leftover = snapshot.folder.with_name(f".{snapshot.id}.x{store.PART}")
    shutil.copytree(snapshot.folder, leftover)
    assert [s.id for s in snapshots.listed(data)] == [snapshot.id]
    store.sweep(data)
    assert not leftover.exists()
    assert [s.id for s in snapshots.listed(data)] == [snapshot.id]


@pytest.mark.parametrize("folder", ["ledger", "ledger/status", "staging", "staging/ctgov/2024-01-02-x", "builds"])
def test_a_file_that_was_not_complete_is_swept_and_complete_ones_stay(tmp_path, folder):
    place, kept = tmp_path / folder, tmp_path / folder / "kept.parquet"
    place.mkdir(parents=True)
    with store.whole(kept) as aside:
        aside.write_text("complete")
    (place / f".half.parquet.x{store.PART}").write_text("half")
    assert len(list(place.iterdir())) == 2
    store.sweep(tmp_path)
    assert list(place.iterdir()) == [kept]


def test_a_switch_that_was_killed_leaves_nothing_behind_for_long(tmp_path):
    (tmp_path / "builds" / "one").mkdir(parents=True)
    store.switch(tmp_path / "warehouse", tmp_path / "builds" / "one")
    (tmp_path / f".warehouse.1{store.PART}").symlink_to("builds/one")
    store.sweep(tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["builds", "warehouse"]
    assert (tmp_path / "builds" / "one").is_dir()


def test_a_list_of_imports_groups_files_into_snapshots(tmp_path):
    (tmp_path / "l.csv").write_text(
        "source,date,scope,baseline,file\nctgov,2024-01-02,full,false,a.json\nctgov,2024-01-02,full,false,b.json\n"
    )
    assert importing.read_list(tmp_path / "l.csv") == [
        Import("ctgov", DAY, (tmp_path / "a.json", tmp_path / "b.json"), "full", False)
    ]
    (tmp_path / "bad.csv").write_text("source,date\nctgov,2024-01-02\n")
    with pytest.raises(UsageError, match="line 2 of the list lacks scope, baseline, file"):
        importing.read_list(tmp_path / "bad.csv")


def test_a_file_or_folder_is_whole_or_not_there(tmp_path):
    def half(place, name):
        with place(tmp_path / name) as aside:
            (aside / "x" if aside.is_dir() else aside).write_text("half")
            raise RuntimeError

    for place in (store.whole, store.whole_folder):
        with pytest.raises(RuntimeError):
            half(place, "f")
    assert list(tmp_path.iterdir()) == []


def test_a_snapshot_has_its_name_once_it_is_on_the_disk(tmp_path, monkeypatch):
    real, order = store.on_disk, []

    def noted(path):
        order.append((path.name.partition(".")[0] or path.suffix, len(snapshots.listed(tmp_path / "data"))))
        real(path)

    monkeypatch.setattr(store, "on_disk", noted)
    importing.take(tmp_path / "data", Import("ctgov", date(2024, 1, 10), (dump(tmp_path),)))
    (there,) = [number for name, number in order if name == "ctgov"]
    assert [name for name, number in order if number == there] == ["ctgov"], "all else was there before its name was"
    assert order[0] == ("a", 0), "its payload first"
    assert order[-2:] == [(store.PART, 0), ("ctgov", 1)], "then its folder, and the folder in which it has its name"


def test_switching_shows_a_reader_the_old_or_the_new_one(tmp_path):
    for name in ("one", "two"):
        (tmp_path / "builds" / name).mkdir(parents=True)
        store.switch(tmp_path / "warehouse", tmp_path / "builds" / name)
        assert (tmp_path / "warehouse").resolve().name == name
        assert not (tmp_path / "warehouse").readlink().is_absolute()


def test_two_writers_at_once_are_refused(tmp_path):
    with (
        store.only_writer(tmp_path),
        pytest.raises(DataError, match="Another import or build"),
        store.only_writer(tmp_path),
    ):
        pass
