"""The rules of identity on a made-up universe: no wrong merge, none missing, no trap taken, ids that stay.

How the universe is made is in `tests/universe.py`; what it costs at a million registrations is measured in `tests/bench/identity.py`.
"""

import shutil
from collections import Counter
from pathlib import Path

import duckdb
import pytest

from pipelines.identity import ledger
from pipelines.settings import Settings
from tests import universe

RECORDS = 5_000
SEEDS = (1, 2, 3)


def run(path: Path, data: Path) -> list[ledger.Event]:
    return universe.run(path, Settings(data=data, threads=2, memory_limit="1GB"))


def trial_ids(path: Path) -> dict[str, str]:
    with duckdb.connect(str(path), read_only=True) as connection:
        return dict(connection.sql("SELECT registration_id, trial_id FROM trial_members").fetchall())


@pytest.fixture(scope="module")
def worlds(tmp_path_factory):
    """The universe of a seed as it was made, the same with the relations of identity, and the ledger's events."""
    folder = tmp_path_factory.mktemp("universe")
    made: dict[int, tuple[Path, Path, list[ledger.Event]]] = {}

    def world(seed: int) -> tuple[Path, Path, list[ledger.Event]]:
        if seed not in made:
            raw, done = folder / f"{seed}.raw.duckdb", folder / f"{seed}.duckdb"
            universe.write(raw, RECORDS, seed)
            shutil.copy(raw, done)
            made[seed] = (raw, done, run(done, folder / "empty"))
        return made[seed]

    return world


@pytest.mark.parametrize("seed", SEEDS)
def test_every_merge_is_right_and_none_is_missing(worlds, seed):
    _, done, _ = worlds(seed)
    with duckdb.connect(str(done), read_only=True) as connection:
        found = universe.quality(connection)
        assert connection.sql("SELECT count(*) FROM trial_members").fetchall() == [(RECORDS,)]
    assert (found.right, found.found) == (found.merged, found.wanted)
    assert found.wanted > RECORDS / 10


@pytest.mark.parametrize("seed", SEEDS)
def test_every_trap_ends_as_it_should_and_says_why(worlds, seed):
    _, done, _ = worlds(seed)
    with duckdb.connect(str(done), read_only=True) as connection:
        came_of = universe.outcomes(connection)
    assert [row for row in came_of if row[2] not in row[1].split("|")] == []
    times = Counter()
    for kind, _, _, number in came_of:
        times[kind] += number
    assert [kind for kind, number in times.items() if number < 2] == []
    assert len(times) >= 50


def test_one_registration_in_five_shares_its_trial_with_another(worlds):
    raw, _, _ = worlds(1)
    with duckdb.connect(str(raw), read_only=True) as connection:
        ((share,),) = connection.sql(
            f"""SELECT sum(n) / {RECORDS} FROM (SELECT count(*) AS n FROM truth GROUP BY trial, joined)
            WHERE n > 1"""
        ).fetchall()
    assert 0.18 < share < 0.24


def test_the_same_ids_and_events_in_another_order_of_records(worlds, tmp_path):
    _, done, events = worlds(1)
    shuffled = tmp_path / "shuffled.duckdb"
    universe.write(shuffled, RECORDS, seed=1, shuffled=True)
    assert run(shuffled, tmp_path / "empty") == events
    links = "SELECT * FROM trial_links ORDER BY ALL"
    with duckdb.connect(str(done), read_only=True) as one, duckdb.connect(str(shuffled), read_only=True) as other:
        first = one.sql("SELECT registration_id FROM made LIMIT 100").fetchall()
        assert first != other.sql("SELECT registration_id FROM made LIMIT 100").fetchall()
        assert one.sql(links).fetchall() == other.sql(links).fetchall()
    assert trial_ids(shuffled) == trial_ids(done)


ADDED = "PACTR209980000000001"
"""A number of a register that the universe lacks."""


@pytest.mark.parametrize("known", [True, False], ids=["with a ledger", "without a ledger"])
@pytest.mark.parametrize("joins", [True, False], ids=["joins a trial", "a trial by itself"])
def test_one_more_record_changes_no_other_trial(worlds, tmp_path, joins, known):
    """The new record is the oldest of all, so that it would name its trial if nothing were known."""
    raw, done, events = worlds(1)
    before = trial_ids(done)
    grown, data = tmp_path / "grown.duckdb", tmp_path / "data"
    shutil.copy(raw, grown)
    with duckdb.connect(str(grown)) as connection:
        sizes = Counter(before.values())
        in_traps = {
            n for pair in connection.sql("SELECT registration_id, other_id FROM traps").fetchall() for n in pair
        }
        joined = min(n for n, trial_id in before.items() if sizes[trial_id] > 2 and n not in in_traps)
        connection.execute(
            f"""INSERT INTO made SELECT * REPLACE (
                '{ADDED}' AS registration_id, 'pactr' AS registry, DATE '2001-01-01' AS first_seen,
                DATE '1999-01-01' AS registered_earliest, [] AS aliases, [] AS mentions,
                CASE WHEN {joins} THEN title ELSE 'An invented study of nothing that any other studies' END AS title,
                NULL AS official_title,
                CASE WHEN {joins} THEN [{{value: '{joined}', type: 'OTHER', domain: NULL}}] ELSE [] END AS identifiers)
            FROM made WHERE registration_id = '{joined}'"""
        )
    if known:
        ledger.append(data, events)
    fresh = run(grown, data)
    after = trial_ids(grown)
    own = after.pop(ADDED)
    assert own == (before[joined] if joins and known else ADDED)
    assert (after[joined] == own) == joins
    changed = {n for n in before if before[n] != after[n]}
    assert changed == ({n for n in before if before[n] == before[joined]} if joins and not known else set())
    if known:
        assert [event.number for event in fresh] == [ADDED]
