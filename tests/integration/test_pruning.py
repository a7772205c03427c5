"""What a data folder may lose: after it, the same tables come out byte for byte, or a person gave something up by name."""

import contextlib
import errno
import json
import os
import shutil
from datetime import date, timedelta

import pytest

from pipelines import build, fetching, importing, pruning, sample, snapshots, store
from pipelines.__main__ import main
from pipelines.contracts import contracts
from pipelines.errors import DataError
from pipelines.release import shelf
from pipelines.sample.days import AS_OF
from tests.worlds import article, article_set, nct, put_file, put_studies, rows, settings, study, tables

TODAY = date(2024, 6, 30)


def hashes(folder):
    return json.loads((folder / "manifest.json").read_text())["tables"]


def prune(data, *, keep=0, years=False, is_meant=True, today=TODAY):
    return pruning.prune(data, today, keep=keep, gives_up_years=years, is_meant=is_meant)


def contents(data):
    return {p.relative_to(data): p.stat().st_size for p in data.rglob("*") if p.is_file() and p.suffix != ".lock"}


def leave_behind(data):
    """What kills, and rounds that nobody took up again, leave in a data folder."""
    left = {}
    for name in ("raw/ctgov/.x.abc.part/a.json", "staging/ctgov/s/.a.part/records.parquet", "builds/.y.part/t.parquet",
                 "ledger/.trial_ids.csv.q.part", "staging/ctgov/2019-01-01-gone/a.json/report.json",
                 "fetch/isrctn/edited.xml.gz"):  # fmt: skip
        (data / name).parent.mkdir(parents=True, exist_ok=True)
        (data / name).write_bytes(b"x" * 100)
        left[name] = 100
    began = TODAY - timedelta(days=fetching.STALE_DAYS + 1)
    store.write_json(data / "fetch/isrctn/plan.json", {"plan": {}, "day": began.isoformat()})
    store.write_json(data / "fetch/ctgov/plan.json", {"plan": {}, "day": TODAY.isoformat()})
    return left


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The sample world, built for two days."""
    folder = tmp_path_factory.mktemp("pruned")
    sample.write_sample(folder / "served", 40, seed=5)
    data = folder / "data"
    for wanted in importing.read_list(folder / "served" / "imports.csv"):
        importing.take(data, wanted)
    made = [build.build(settings(data), AS_OF + timedelta(days=ago)) for ago in (-1, 0)]
    return data, made


def test_after_it_the_same_tables_come_out_of_what_is_left(built, tmp_path):
    data = tmp_path / "data"
    shutil.copytree(built[0], data, symlinks=True)
    newest = built[1][-1]
    before = hashes(newest.folder)
    held = [s.id for s in snapshots.listed(data)]
    leave_behind(data)
    gone = prune(data)
    assert [s.id for s in snapshots.listed(data)] == held, "no snapshot goes unasked"
    assert sorted(p.name for p in (data / "builds").iterdir()) == [newest.id]
    assert {one.path.relative_to(data).parts[0] for one in gone} == {"builds", "raw", "staging", "ledger", "fetch"}
    assert not list(data.rglob(f"*{store.PART}"))
    assert (data / "fetch" / "ctgov" / "plan.json").exists(), "a round that can go on stays"
    shutil.rmtree(data / "builds")
    again = build.build(settings(data), AS_OF)
    assert (again.id, hashes(again.folder)) == (newest.id, before)


def test_without_yes_nothing_is_touched_and_what_would_go_is_told(built, tmp_path, capsys):
    data = tmp_path / "data"
    shutil.copytree(built[0], data, symlinks=True)
    leave_behind(data)
    before = contents(data)
    assert main(["--data", str(data), "prune", "--keep", "0"]) == 0
    told = capsys.readouterr().out
    assert contents(data) == before
    assert "would remove fetch/isrctn (" in told
    assert "Nothing was removed: " in told
    (oldest,) = [one for one in built[1] if f"would remove builds/{one.id} (" in told]
    assert oldest.id == built[1][0].id
    freed = sum(p.stat().st_size for p in (data / "builds" / oldest.id).rglob("*") if p.is_file())
    assert f"{oldest.id} ({freed:,} bytes): an older build" in told
    assert main(["--data", str(data), "prune", "--keep", "0", "--yes"]) == 0
    assert "removed fetch/isrctn (" in capsys.readouterr().out
    assert main(["--data", str(data), "prune", "--keep", "0", "--yes"]) == 0
    assert capsys.readouterr().out == "Removed: 0 item(s), 0 bytes.\n", "a second time there is nothing to remove"


def test_the_warehouse_stays_even_where_it_is_the_oldest(built, tmp_path):
    data = tmp_path / "data"
    shutil.copytree(built[0], data, symlinks=True)
    store.switch(data / "warehouse", data / "builds" / built[1][0].id)
    prune(data)
    assert (data / "warehouse" / "alltrials.duckdb").exists()
    assert len(list((data / "builds").iterdir())) == 1


def test_nothing_goes_while_somebody_writes_or_fetches(built, tmp_path):
    data = tmp_path / "data"
    shutil.copytree(built[0], data, symlinks=True)
    leave_behind(data)
    with store.only_writer(data), pytest.raises(DataError, match="Another import or build"):
        prune(data)
    chosen = shutil.copytree(data / "fetch" / "isrctn", data / "fetch" / f"isrctn{fetching.CHOSEN}")
    with store.locked(data / "fetch" / "isrctn.lock", "A fetch"):
        prune(data)
    assert (data / "fetch" / "isrctn" / "edited.xml.gz").exists()
    assert chosen.exists()
    prune(data)
    assert not chosen.exists()
    assert not (data / "fetch" / "isrctn").exists()


def test_a_round_that_was_half_removed_when_prune_was_killed_goes_the_next_time(tmp_path, monkeypatch):
    """Else the next round of that source that is too old could not be taken out of sight either."""
    began = TODAY - timedelta(days=fetching.STALE_DAYS + 1)
    round_, remove = tmp_path / "fetch" / "isrctn", shutil.rmtree

    def killed(path):
        (path / "plan.json").unlink()
        raise KeyboardInterrupt

    for is_killed in (True, False):
        round_.mkdir(parents=True)
        (round_ / "edited.xml.gz").write_bytes(b"x")
        store.write_json(round_ / "plan.json", {"plan": {}, "day": began.isoformat()})
        monkeypatch.setattr(shutil, "rmtree", killed if is_killed else remove)
        with contextlib.suppress(KeyboardInterrupt):
            prune(tmp_path)
        assert not round_.exists()
    assert not list(tmp_path.rglob(f"*{store.PART}"))


def test_bytes_that_another_name_still_holds_are_not_counted(tmp_path):
    left = tmp_path / "raw" / "ctgov" / ".s.part"
    left.mkdir(parents=True)
    (tmp_path / "raw" / "kept").write_bytes(b"x" * 100)
    os.link(tmp_path / "raw" / "kept", left / "a")
    (left / "b").write_bytes(b"x" * 7)
    (one,) = prune(tmp_path, is_meant=False)
    assert one.bytes == 7


def made(data, as_of):
    """The rows of every published table."""
    with tables(data, as_of) as connection:
        names = [name for name, table in contracts().tables.items() if not table.about_run]
        return {name: sorted(map(repr, rows(connection, f'FROM "{name}"'))) for name in names}


def years_of_pubmed(data, newest=25):
    put_studies(data, TODAY, [study(1), study(2)])
    for year in range(21, newest + 1):
        paper = article(900000001, bank=(nct(1),), title=f"As of 20{year}.")
        same = article(900000002, bank=(nct(2),))
        put_file(
            data, "pubmed", date(2000 + year, 1, 20), f"pubmed{year}n0001.xml", article_set(paper, same), "full", True
        )
        put_file(data, "pubmed", date(2000 + year, 2, 20), f"pubmed{year}n0002.xml", article_set(paper))
    put_file(data, "pubmed", date(2021, 3, 1), "efetch.xml", article_set(article(900000003, bank=(nct(1),))))


def test_replaced_years_go_only_where_they_are_given_up_and_no_verdict_rests_on_them(tmp_path):
    data = tmp_path / "data"
    years_of_pubmed(data)
    as_of = date(2025, 6, 30)
    before = made(data, as_of)
    assert not prune(data, today=as_of)
    gone = prune(data, years=True, today=as_of)
    assert all(one.is_given_up for one in gone)
    left = {p.name for s in snapshots.listed(data) for p in s.payloads if s.source == "pubmed"}
    assert left == {f"pubmed{year}n000{n}.xml" for year in (23, 24, 25) for n in (1, 2)} | {"efetch.xml"}
    after = made(data, as_of)
    assert {name for name in before if before[name] != after[name]} == {"payloads", "sources"}
    assert before["baseline_changes"]


def test_what_is_given_up_is_said(tmp_path, capsys):
    years_of_pubmed(tmp_path / "data")
    words = ["--data", str(tmp_path / "data"), "prune", "--give-up-replaced-years"]
    assert main(words) == 0
    told = capsys.readouterr().out
    assert "PubMed's files of 2021, long replaced" in told
    assert "PubMed's files of 2023" not in told
    assert pruning.GIVEN_UP in told


def test_three_years_are_none_too_many(tmp_path):
    years_of_pubmed(tmp_path / "data", newest=23)
    assert prune(tmp_path / "data", years=True) == []


def test_builds_on_another_disk_are_told_from_the_warehouse(tmp_path):
    elsewhere, data = tmp_path / "disk", tmp_path / "data"
    for name in ("2024-01-01-a", "2024-01-02-b"):
        store.write_json(elsewhere / name / "manifest.json", {})
    data.mkdir()
    (data / "builds").symlink_to(elsewhere)
    store.switch(data / "warehouse", data / "builds" / "2024-01-02-b")
    assert [one.path.name for one in prune(data)] == ["2024-01-01-a"]
    assert (data / "warehouse" / "manifest.json").exists()


def test_a_snapshot_that_is_wrong_goes_by_its_name(tmp_path, capsys):
    data = tmp_path / "data"
    put_studies(data, date(2024, 1, 10), [study(1)])
    put_studies(data, date(2024, 2, 10), [study(1, enrolment=7)])
    wrong = snapshots.listed(data)[-1]
    (data / "staging" / "ctgov" / wrong.id / "studies.json").mkdir(parents=True)
    words = ["--data", str(data), "prune", "--snapshot", f"ctgov/{wrong.id}"]
    assert main(words) == 0
    assert f"would remove raw/ctgov/{wrong.id}" in capsys.readouterr().out
    assert wrong in snapshots.listed(data)
    assert main([*words, "--yes"]) == 0
    assert wrong not in snapshots.listed(data)
    assert not (data / "staging" / "ctgov" / wrong.id).exists()
    assert main(words) == 2
    assert f"There is no snapshot 'ctgov/{wrong.id}'" in capsys.readouterr().err


def test_on_a_full_disk_what_needs_no_word_goes_first(tmp_path, monkeypatch):
    """The words on what else goes, in the ledger and in the index of releases, need room too."""
    data = tmp_path / "data"
    put_studies(data, date(2024, 1, 10), [study(1)], scope="full")
    (wrong,) = snapshots.listed(data)
    for name in ("2024-01-01", "2024-01-02", "2024-01-03"):
        store.write_json(data / "releases" / name / "manifest.json", {"as_of": name, "build": name, "files": []})
    shelf.point(data, shelf.listed(data)[-1])
    store.write_json(data / "builds" / "2024-01-01-a" / "manifest.json", {})
    write = store.write_json

    def full(path, value):
        if (data / "builds" / "2024-01-01-a").exists():
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        assert wrong.folder.exists(), "a word comes before what it is of goes"
        assert len(shelf.listed(data)) == 3
        write(path, value)

    monkeypatch.setattr(store, "write_json", full)
    words = dict(keep=0, gives_up_years=False, is_meant=True, keep_releases=0, wrong=[f"ctgov/{wrong.id}"])
    pruning.prune(data, TODAY, **words)
    assert [release.name for release in shelf.listed(data)] == ["2024-01-01", "2024-01-03"]
    assert [one.id for one in snapshots.given_up(data)] == [wrong.id]
