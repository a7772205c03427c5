"""Whole nights over real sockets, with faults: the same verdicts as the same dumps imported by hand; a source that fails
stops no other; the command line says what was missed."""

import json
import shutil
from dataclasses import replace
from datetime import timedelta

import duckdb
import pytest

from pipelines import build, importing, nights, sample, snapshots, store
from pipelines.__main__ import main
from pipelines.errors import DataError
from pipelines.sample.days import AS_OF, FULL
from tests.replay.__main__ import FAULTS, edge, replay_settings
from tests.replay.apps import Ctgov, Ncbi
from tests.replay.server import Fault, Replay
from tests.replay.world import ctgov_on, ncbi_on
from tests.worlds import settings, study

JUDGED = ("reporting_status", "registration_status", "trial_publications", "disclosure", "missing_results")
"""What is judged, and names no snapshot."""


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    folder = tmp_path_factory.mktemp("served")
    sample.write_sample(folder, 60, seed=3)
    return folder


def one_night(served, data, day, faults=()):
    apps = {"ctgov": ctgov_on(served, day), "pubmed": ncbi_on(served, day)}
    with Replay(apps, [Fault(**vars(fault)) for fault in faults]).running() as server:
        chosen = replay_settings(data, server)
        chosen = replace(chosen, fetch_terms={**chosen.fetch_terms, "page_size": 20, "timeout_seconds": 0.5})
        said = []
        return nights.night(chosen, day, edge(day), said.append), server, said


def imported(served, data):
    """The same world as a person would import it, without the old search download, which no night sees."""
    for wanted in importing.read_list(served / "imports.csv"):
        if "search" not in wanted.files[0].name:
            importing.take(data, wanted)
    return build.build(settings(data), AS_OF)


def table_hashes(folder):
    return json.loads((folder / "manifest.json").read_text())["tables"]


@pytest.fixture(scope="module")
def nightly(served, tmp_path_factory):
    """Two nights with faults."""
    data = tmp_path_factory.mktemp("nightly")
    first = one_night(served, data, FULL, FAULTS)
    return data, first, one_night(served, data, AS_OF, FAULTS)


def test_two_nights_with_faults_judge_like_the_same_dumps_imported(served, nightly, tmp_path):
    _, _, (night, _, _) = nightly
    assert night.failed == []
    by_hand = imported(served, tmp_path / "data")
    fetched, taken = table_hashes(night.built.folder), table_hashes(by_hand.folder)
    assert {name: fetched[name] for name in JUDGED} == {name: taken[name] for name in JUDGED}


def test_the_second_night_asks_only_for_what_is_new(nightly):
    _, (first, _, _), (second, server, _) = nightly
    assert [t.snapshot.scope for t in first.taken] == ["full", "full", "partial"]
    assert [t.snapshot.scope for t in second.taken] == ["partial", "partial"]
    assert server.count("baseline/pubmed") == 0
    assert server.count(r"n0005\.xml\.gz$") == 1


def test_a_source_that_fails_is_said_and_the_rest_goes_on(served, nightly, tmp_path):
    data, day = tmp_path / "data", AS_OF + timedelta(days=1)
    shutil.copytree(nightly[0], data, symlinks=True)
    before = [s.id for s in snapshots.listed(data)]
    night, _, said = one_night(served, data, day, [Fault("/ctgov/", "status", times=999)])
    assert [source for source, _ in night.failed] == ["ctgov"]
    assert any(text.startswith("could not fetch ctgov") for text in said)
    assert [s.id for s in snapshots.listed(data)] == before
    with duckdb.connect(str(data / "warehouse" / "alltrials.duckdb"), read_only=True) as connection:
        assert connection.sql("""SELECT stale_days, is_stale, last_failure FROM sources
            WHERE source IN ('ctgov', 'pubmed') ORDER BY source""").fetchall() == [
            (1, True, night.failed[0][1]),
            (1, False, None),
        ]


def test_two_nights_at_once_are_refused(served, tmp_path):
    data = tmp_path / "data"
    with store.locked(data / "fetch" / "night.lock", "Someone"), pytest.raises(DataError, match="Another night"):
        one_night(served, data, FULL)


# --- the command line -----------------------------------------------------------------------------------------------


@pytest.fixture
def asked(monkeypatch):
    """A server that the command line is pointed to by the environment."""
    apps = {"ctgov": Ctgov([study(n) for n in range(1, 5)]), "pubmed": Ncbi({}, {})}
    with Replay(apps).running() as server:
        for code in apps:
            monkeypatch.setenv(f"ALLTRIALS_{code.upper()}_URL", f"{server.url}/{code}")
        monkeypatch.setenv("ALLTRIALS_CONTACT", "test@example.org")
        monkeypatch.setenv("ALLTRIALS_FETCHED_SOURCES", "ctgov, pubmed")
        monkeypatch.setenv("ALLTRIALS_VOLUME_BANDS", "ctgov = [1, 100]; pubmed = [1, 100]")
        monkeypatch.setenv("ALLTRIALS_FETCH_TERMS", "pause_seconds = 0; attempts = 1; spare_bytes = 0")
        yield server


def test_fetch_by_the_command_line(asked, tmp_path, capsys):
    words = ["--data", str(tmp_path / "data"), "fetch", "ctgov"]
    assert main(words) == 0
    assert "fetched ctgov" in capsys.readouterr().out
    assert main(words) == 0
    assert capsys.readouterr().out == "nothing new of ctgov\n"
    assert main([*words, "--pmid", "1"]) == 2
    assert main(["--data", str(tmp_path / "data"), "fetch", "rebec"]) == 2
    asked.faults = [Fault("version", "status", times=9)]
    assert main(words) == 1
    assert "Error: ctgov: http://127.0.0.1" in capsys.readouterr().err


def test_a_night_by_the_command_line_says_what_it_missed(asked, tmp_path, capsys):
    assert main(["--data", str(tmp_path / "data"), "night"]) == 3
    out = capsys.readouterr().out
    assert "4 = 4 + 0 + 0 + 0" in out
    assert "Not fetched: pubmed, whose last good snapshot stays in use. pubmed: " in out


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("ALLTRIALS_CONTACT", "", "ALLTRIALS_CONTACT"),
        ("ALLTRIALS_FETCHED_SOURCES", "drks", "ALLTRIALS_FETCHED_SOURCES names 'drks'"),
        ("ALLTRIALS_VOLUME_BANDS", "ctgov = 3", "ALLTRIALS_VOLUME_BANDS is like"),
        ("ALLTRIALS_VOLUME_BANDS", "nothere = [1, 2]", "ALLTRIALS_VOLUME_BANDS names 'nothere'"),
        ("ALLTRIALS_FETCH_TERMS", "page_size: 3", "ALLTRIALS_FETCH_TERMS is like"),
    ],
)
def test_settings_that_make_no_sense_are_said(asked, tmp_path, monkeypatch, capsys, name, value, sentence):
    monkeypatch.setenv(name, value)
    assert main(["--data", str(tmp_path / "data"), "night"]) == 2
    assert sentence in capsys.readouterr().err
    assert asked.asked == []
