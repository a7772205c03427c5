"""Which releases there are: their order, the index beside them, which of them go, and where a withdrawn source cuts off
the comparison."""

import shutil
from datetime import date, timedelta

import pytest

from pipelines import pruning, store
from pipelines.errors import DataError, UsageError
from pipelines.release import making, package, shelf
from pipelines.release.shelf import Release
from tests.worlds import settings


def put(data, name):
    folder = data / "releases" / name
    store.write_json(folder / "manifest.json", {"as_of": name[:10], "build": name, "files": [{"bytes": 7}]})
    (data / "releases" / "run" / name).mkdir(parents=True)
    return shelf.opened(folder)


def nightly(data, first, days):
    return [put(data, str(first + timedelta(days=n))).name for n in range(days)]


def test_the_tenth_release_of_a_day_comes_after_the_second(tmp_path):
    for name in ("2026-01-02", "2026-01-01-10", "2026-01-01-2", "2026-01-01"):
        put(tmp_path, name)
    (tmp_path / "releases" / "2026-01-03").mkdir()  # nothing in it
    assert [r.name for r in shelf.listed(tmp_path)] == ["2026-01-01", "2026-01-01-2", "2026-01-01-10", "2026-01-02"]


@pytest.mark.parametrize(("name", "version"), [("2026-06-03", "2026.6.3"), ("2026-11-22-2", "2026.11.22-2")])
def test_a_name_is_a_version(name, version):
    assert package.version(name) == version


@pytest.mark.parametrize(
    ("day", "taken", "name"),
    [
        ("2026-01-01", [], "2026-01-01"),
        ("2026-01-01", ["2026-01-02", "2025-12-31-4"], "2026-01-01"),
        ("2026-01-01", ["2026-01-01"], "2026-01-01-2"),
        ("2026-01-01", ["2026-01-01", "2026-01-01-9", "2026-01-01-10"], "2026-01-01-11"),
    ],
)
def test_a_second_release_of_a_day_gets_a_number(day, taken, name):
    assert making._name(day, taken) == name


def test_the_name_of_a_release_that_went_is_not_given_again(tmp_path):
    gone = put(tmp_path, "2026-01-01")
    shelf.write_index(tmp_path)
    pruning._remove(gone.folder)
    shelf.write_index(tmp_path)
    names = [*(r.name for r in shelf.listed(tmp_path)), *shelf.known(tmp_path)]
    assert making._name("2026-01-01", names) == "2026-01-01-2"
    store.write_json(gone.folder / "manifest.json", {"as_of": "2026-01-01", "build": "another", "files": []})
    with pytest.raises(DataError, match=r"2026-01-01 is not the release that releases\.json names so"):
        shelf.write_index(tmp_path)
    assert shelf.known(tmp_path)["2026-01-01"]["manifest_sha256"] == gone.manifest_sha256


def of_sources(name, *passed_on):
    sources = [{"source": code, "redistributable": code in passed_on} for code in ("ctgov", "drks", "pubmed")]
    return Release(name, None, {"sources": sources}, "")


@pytest.mark.parametrize(
    ("others", "base"),
    [
        ([], None),
        ([of_sources("2026-01-01", "ctgov"), of_sources("2026-01-02", "ctgov"), of_sources("2026-01-04")], "2026-01-02"),
        ([of_sources("2026-01-03", "pubmed")], "2026-01-03"),
        # DRKS may not be passed on any more, so what it held is not compared
        ([of_sources("2026-01-01", "ctgov"), of_sources("2026-01-02", "ctgov", "drks")], None),
    ],
)  # fmt: skip
def test_the_base_is_the_release_before_unless_a_source_was_withdrawn(others, base):
    found = making._base("2026-01-03-2", others)
    assert (found and found.name) == base


def test_the_index_tells_what_took_a_place_and_what_is_gone(tmp_path):
    for name in ("2026-01-01", "2026-01-01-2", "2026-01-02"):
        put(tmp_path, name)
    shelf.write_index(tmp_path)
    (tmp_path / "releases" / "2026-01-02" / "manifest.json").unlink()
    shelf.write_index(tmp_path)
    told = store.read_json(tmp_path / "releases" / "releases.json")["releases"]
    assert [(r["release"], r["superseded_by"], r["is_there"]) for r in told] == [
        ("2026-01-01", "2026-01-01-2", True), ("2026-01-01-2", None, True), ("2026-01-02", None, False),
    ]  # fmt: skip


def test_nightlies_go_and_the_first_of_each_month_stays(tmp_path):
    names = nightly(tmp_path, date(2026, 1, 20), 60)  # to 20 March
    put(tmp_path, "2026-01-20-2")
    shelf.point(tmp_path, shelf.opened(tmp_path / "releases" / "2026-02-10"))
    words = dict(keep=0, keep_releases=5, gives_up_years=False)
    told = pruning.prune(tmp_path, date(2026, 3, 21), **words, is_meant=False)
    assert len(shelf.listed(tmp_path)) == 61
    assert pruning.prune(tmp_path, date(2026, 3, 21), **words, is_meant=True) == told
    kept = [r.name for r in shelf.listed(tmp_path)]
    assert kept == ["2026-01-20", "2026-01-20-2", "2026-02-01", "2026-02-10", "2026-03-01", *names[-5:]]
    assert {p.name for p in (tmp_path / "releases" / "run").iterdir()} == set(kept)
    told = store.read_json(tmp_path / "releases" / "releases.json")["releases"]
    assert [r["release"] for r in told if r["is_there"]] == kept
    assert [r["release"] for r in told if not r["pruned"]] == kept
    shutil.rmtree(tmp_path / "releases" / kept[0])
    shelf.write_index(tmp_path)
    told = store.read_json(tmp_path / "releases" / "releases.json")["releases"]
    assert [r["release"] for r in told if not r["pruned"]] == kept, "what is only missing was not taken away"


def test_a_release_that_a_killed_prune_left_there_is_there_when_another_is_pointed_to(tmp_path):
    """Else what is sent next would be taken off the public target in the same breath."""
    names = nightly(tmp_path, date(2026, 1, 1), 3)
    shelf.write_index(tmp_path, [names[1]])  # and before the folder went, the process was killed
    making.point(settings(tmp_path), names[2])
    assert [r["release"] for r in shelf.known(tmp_path).values() if r["is_there"] and not r["pruned"]] == names


def test_a_name_that_is_no_release_is_refused_with_those_there_are(tmp_path):
    put(tmp_path, "2026-01-01")
    for name in ("2026-01-02", "latest", "../2026-01-01", ""):
        with pytest.raises(UsageError, match="there are: 2026-01-01"):
            shelf.named(tmp_path, name)
