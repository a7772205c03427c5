"""Night after night of a world that moves on, with faults on every one of them: whatever happens, the warehouse is whole,
nothing is fetched twice without need, and in the end all is as if nothing had happened.

What is equal in the end to a run without faults: every table about what is known of the world on the last day, but for
the columns that say when something was seen. What cannot be equal is how it came to be known: a source that failed while
a record changed twice has not seen the version between. Of those, the run with faults knows no other, in no other order.
"""

import re
import shutil
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import NamedTuple

import pytest

from pipelines import build, fetching, nights, store, validation
from pipelines.contracts import contracts
from pipelines.settings import Settings
from tests import standing, worlds
from tests.replay.__main__ import edge
from tests.replay.course import SOURCES, TERMS, course, day_of, faults
from tests.replay.server import App, Fault, Replay

SEEN = {
    "first_seen", "last_seen", "last_seen_directly", "vanished_on", "seen_public_by", "data_version", "snapshot",
    "record_seen", "searched",
}  # fmt: skip
"""Columns that say when something was seen, not what."""
LAST_SEEN = re.compile(r"last seen \d{4}-\d\d-\d\d")
"""The same in the words of a criterion."""
HOW_IT_CAME = {
    "payloads", "sources", "ledger", "registration_versions", "registration_changes", "status_transitions",
    "baseline_changes", "validation_results",
}  # fmt: skip
"""Tables of files, days and versions."""
SMALL = re.compile(r"/version|/(baseline|updatefiles)/$|limit=0|/ctr-search/search|bydates|\"size\": 1}")
"""Questions that are asked afresh each time: marks, totals, listings of files."""
WHOLE_FILE = re.compile(r"pubmed\d\dn\d+\.xml\.gz$")


class Night(NamedTuple):
    day: date
    failed: list[str]
    well: list[str]
    struck: list[tuple[Fault, str]]


def replayed(data: Path, server: Replay) -> Settings:
    return Settings(
        data=data, threads=1, memory_limit="1GB", contact="test@example.org", fetch_terms=TERMS,
        volume_bands=worlds.SMALL, fetched_sources=SOURCES, addresses={code: f"{server.url}/{code}" for code in SOURCES},
    )  # fmt: skip


LookedAt = Callable[[Path, list[Night]], None]


def disturbed(data: Path, world: Sequence[dict[str, App]], seed: int, looked_at: LookedAt) -> list[Night]:
    """All nights, with the faults of the seed; looked_at is called after each."""
    found: list[Night] = []
    with Replay(world[0]).running() as server:
        for number, served in enumerate(world):
            server.apps, server.faults = served, faults(seed, number, len(world))
            server.well, server.struck, day = [], [], day_of(number)
            night = nights.night(replayed(data, server), day, edge(day), lambda text: None)
            found.append(Night(day, [source for source, _ in night.failed], server.well, server.struck))
            looked_at(data, found)
    return found


def calm(data: Path, world: Sequence[dict[str, App]]) -> list[Night]:
    """The same nights without faults. Only the first, which names the trials, and the last are built."""
    found = []
    with Replay(world[0]).running() as server:
        chosen = replayed(data, server)
        for number, served in enumerate(world):
            server.apps, server.well, day = served, [], day_of(number)
            if number in (0, len(world) - 1):
                nights.night(chosen, day, edge(day), lambda text: None)
            else:
                for source in SOURCES:
                    list(fetching.fetch(chosen, source, edge(day), lambda text: None))
            found.append(Night(day, [], server.well, []))
    return found


@pytest.fixture(scope="module", params=[3, pytest.param(30, marks=pytest.mark.long)])
def runs(request, tmp_path_factory):
    """The same world with faults and without: both data folders and their nights, and what rebuilds after some of them
    gave otherwise. Built without checks, which take most of the time."""
    seed = request.param
    world, folder = course(seed, request.param), tmp_path_factory.mktemp(f"nights{request.param}")
    rebuilt: list[list[str]] = []

    def looked_at(data: Path, so_far: list[Night]) -> None:
        link, _ = standing.warehouse(data)
        assert link.startswith(str(so_far[-1].day))
        standing.archive(data)
        assert standing.leftovers(data) == []
        if len(so_far) % 10 == 0:
            rebuilt.append(differing(data, so_far[-1].day, folder / f"again{len(so_far)}"))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(validation, "run_suites", lambda *given: [])
        patch.setattr(validation, "check_table", lambda *given: [])
        bad, good = folder / "disturbed", folder / "calm"
        yield bad, good, disturbed(bad, world, seed, looked_at), calm(good, world), rebuilt


def differing(data: Path, day: date, folder: Path) -> list[str]:
    """The tables of the last night that are other bytes when all is read and built again from raw and the ledger."""
    folder.mkdir()
    for state in ("raw", "ledger"):
        shutil.copytree(data / state, folder / state)
    again = build.build(Settings(data=folder, threads=1, memory_limit="1GB"), day)
    link, made = standing.warehouse(data)
    assert again.id == link
    assert standing.ledger(folder) == standing.ledger(data)
    _, after = standing.warehouse(folder)
    shutil.rmtree(folder)
    return [name for name in made if made[name] != after[name]]


def known(data: Path) -> dict[str, list[str]]:
    """What the tables say of the world, without when it was seen."""
    found = {}
    with store.open_warehouse(data) as connection:
        for name in contracts().tables.keys() - HOW_IT_CAME:
            seen = [column for column in contracts().tables[name].column_names if column in SEEN]
            without = f"EXCLUDE ({', '.join(seen)})" if seen else ""
            rows = connection.sql(f'SELECT * {without} FROM "{name}" ORDER BY ALL').fetchall()
            found[name] = [LAST_SEEN.sub("last seen", str(row)) for row in rows]
    return found


def versions(data: Path) -> dict[tuple[str, str], list[str]]:
    """The contents of every record, oldest first."""
    found = defaultdict(list)
    with store.open_warehouse(data) as connection:
        sql = "SELECT registration_id, part, content_hash FROM registration_versions ORDER BY registration_id, part, version"
        for number, part, content in connection.sql(sql).fetchall():
            found[number, part].append(content)
    return found


def test_in_the_end_all_is_known_as_if_nothing_had_happened(runs):
    disturbed, calm, with_faults, _, _ = runs
    assert with_faults[-1].failed == [], "every source got through on the last night"
    assert any(night.failed for night in with_faults[1:-1]), "and not on every night before"
    assert all(night.struck for night in with_faults)
    expected, found = known(calm), known(disturbed)
    assert {name: rows for name, rows in found.items() if rows != expected[name]} == {}
    whole, seen = versions(calm), versions(disturbed)
    assert whole.keys() == seen.keys()
    for record, contents in seen.items():
        assert contents[-1] == whole[record][-1]
        rest = iter(whole[record])
        assert all(content in rest for content in contents), f"{record}: the same versions in the same order"


def test_nothing_is_fetched_twice_without_need(runs):
    _, _, with_faults, without, _ = runs
    files = Counter(path for night in with_faults for path in night.well if WHOLE_FILE.search(path))
    spoilt = {path for night in with_faults for fault, path in night.struck if fault.kind in ("alter", "again")}
    assert files
    for path, times in files.items():
        assert times == 1 or any(path.split()[1] in one for one in spoilt), path
    for night in with_faults:
        begun_anew = {path.split("/")[1] for fault, path in night.struck if is_restart(fault)}
        asked = Counter(line for line in night.well if not SMALL.search(line))
        assert {line for line, times in asked.items() if times > 1 and line.split("/")[1] not in begun_anew} == set()
    assert all(times == 1 for night in without for line, times in Counter(night.well).items() if not SMALL.search(line))


def is_restart(fault: Fault) -> bool:
    """Whether what came before the fault does not fit what comes after it."""
    return fault.kind in ("instead", "again", "alter") or fault.code == 400


def test_a_rebuild_from_the_raw_archive_and_the_ledger_gives_the_same_bytes(runs, tmp_path):
    """The trial ids and the status history are state, not derived: what a trial was called and said on the nights before
    cannot be read from the raw archive. All else can."""
    disturbed, _, with_faults, _, rebuilt = runs
    assert differing(disturbed, with_faults[-1].day, tmp_path / "again") == []
    assert not any(rebuilt)
