"""The steps of a rehearsal, each in a process of its own: `python -m tests.rehearsal.work STEP FOLDER COUNTS` does one
and prints what its stages took, as one line of JSON.

Belongs here: what is run, and where a stage begins and ends. How its memory is watched and its figures are kept stands
in `watch` and `__main__`. Stages are told apart by a wrapper around the functions of the program, which itself knows no
clock.
"""

import contextlib
import json
import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipelines import build, importing, progress, snapshots
from pipelines.identity import trials
from pipelines.queries import Query
from pipelines.release import making as releasing
from pipelines.sample.days import AS_OF
from pipelines.settings import Settings
from pipelines.site import making as site
from tests.rehearsal import watch
from tests.rehearsal.making import world
from tests.rehearsal.making.counts import Counts

MEMORY = "2GB"
THREADS = 2
STAGES = {
    "read registers": (build, "read_registers"),
    "read articles": (build, "read_articles"),
    "queries": (build, "run_queries"),
    "identity": (trials, "trial_members"),
    "legs": (build, "keep_legs"),
    "checks": (build, "_check"),
    "Parquet": (build, "_write_tables"),
    "switch": (build, "publish"),
}
"""Functions of a build, by the name of their stage. Identity is run amid the queries, and taken out of them."""
REST = "the rest of the build"
Stage = dict[str, Any]


class _Clock:
    """When stages began and ended, and what single queries took. What a stage spent is that of this process and of all
    that it started."""

    def __init__(self) -> None:
        self.stages: list[Stage] = []
        self.queries: list[dict[str, Any]] = []

    @contextlib.contextmanager
    def stage(self, name: str) -> Iterator[None]:
        began, used = time.monotonic(), watch.spent(os.getpid())
        try:
            yield
        finally:
            ended = time.monotonic()
            cpu = watch.spent(os.getpid()) - used
            self.stages.append({"stage": name, "began": began, "ended": ended, "wall": ended - began, "cpu": cpu})

    def timed(self, name: str, work: Callable[..., Any]) -> Callable[..., Any]:
        def run(*arguments: Any, **named: Any) -> Any:
            with self.stage(name):
                return work(*arguments, **named)

        return run

    def timed_query(self, work: Callable[..., None]) -> Callable[..., None]:
        """A query is run by no process but this one."""

        def run(connection: Any, query: Query, *arguments: Any) -> None:
            began, used = time.monotonic(), time.process_time()
            work(connection, query, *arguments)
            cost = {"wall": time.monotonic() - began, "cpu": time.process_time() - used}
            self.queries.append({"query": query.name, **cost})

        return run


def _settings(folder: Path) -> Settings:
    return Settings(folder / "data", THREADS, MEMORY)


# --- the steps ------------------------------------------------------------------------------------------------------


def generate(folder: Path, counts: Counts, clock: _Clock) -> dict[str, Any]:
    """The world's registers, and what the articles are made from."""
    with clock.stage("generate registers"):
        world.write_trials(folder / "world", counts)
        return world.write_registers(folder / "world", counts)


def generate_articles(folder: Path, counts: Counts, clock: _Clock) -> dict[str, Any]:
    with clock.stage("generate articles"):
        return world.write_articles(folder / "world", counts)


def take(folder: Path, counts: Counts, clock: _Clock) -> dict[str, Any]:
    """Import as a fetch leaves its files: hashed, and taken over without a copy."""
    with clock.stage("import"):
        return _take(folder, world.dumps(folder / "world", counts))


def _take(folder: Path, dumps: list[importing.Import]) -> dict[str, Any]:
    for dump in dumps:
        snapshots.store_files(
            folder / "data", dump.source, dump.day, dump.files, scope=dump.scope, baseline=dump.baseline, fetched={}
        )
    return {"files": sum(len(dump.files) for dump in dumps)}


def full(folder: Path, counts: Counts, clock: _Clock) -> dict[str, Any]:
    """From raw files to the warehouse. What an earlier try left of it goes first, so that all of it is measured."""
    for name in ("staging", "builds", "ledger"):
        shutil.rmtree(folder / "data" / name, ignore_errors=True)
    (folder / "data" / "warehouse").unlink(missing_ok=True)
    return _build(folder, clock, "full build")


def unchanged(folder: Path, counts: Counts, clock: _Clock) -> dict[str, Any]:
    """The same once more: nothing new has come."""
    return _build(folder, clock, "unchanged night")


def change(folder: Path, counts: Counts, clock: _Clock) -> dict[str, Any]:
    """What the night brings; what an earlier try read of it goes, so that the night reads it.

    The files of PubMed's baseline go as well: they have been read, nothing opens them any more, and they are most of
    what lies on the disk.
    """
    for path in (folder / "data" / "raw" / world.ARTICLES).glob(f"{world.BASELINE}-*/*.gz"):
        path.unlink()
    with clock.stage("import of the night"):
        found = _take(folder, world.night_dumps(folder / "world"))
    for place in (folder / "data" / "staging").glob(f"*/{world.UPDATE}-*"):
        shutil.rmtree(place)
    return found


def night(folder: Path, counts: Counts, clock: _Clock) -> dict[str, Any]:
    """Reads what changed and builds anew, of the same day: nothing but the change differs."""
    return _build(folder, clock, "night of changes")


def release(folder: Path, counts: Counts, clock: _Clock) -> dict[str, Any]:
    """Of the night's build; of an earlier try nothing stays."""
    shutil.rmtree(folder / "data" / "releases", ignore_errors=True)
    with clock.stage("release"):
        made = releasing.release(_settings(folder), datetime(AS_OF.year, AS_OF.month, AS_OF.day, tzinfo=UTC)).release
    return {"files": len(made.manifest["files"]), "bytes": sum(f["bytes"] for f in made.manifest["files"])}


def page(folder: Path, counts: Counts, clock: _Clock) -> dict[str, Any]:
    with clock.stage("page"):
        place = site.place(_settings(folder), "latest", None)
    return {"files": sum(1 for path in place.rglob("*") if path.is_file())}


def _build(folder: Path, clock: _Clock, name: str) -> dict[str, Any]:
    """A build, its stages named apart and as a whole."""
    for stage, (module, function) in STAGES.items():
        setattr(module, function, clock.timed(stage, getattr(module, function)))
    build.run_query = clock.timed_query(build.run_query)
    with clock.stage(name):
        built = build.build(_settings(folder), AS_OF, say=_say, told=progress.watch(_say, time.monotonic))
    _share_out(clock.stages)
    if built.left_out:
        raise RuntimeError(f"The rehearsal's own files are to be read whole, and were not: {built.left_out[0]}")
    tables = ("registrations", "trials", "publications", "trial_publications", "sponsors", "status_transitions")
    return {**{table: built.counts[table] for table in tables}, "articles": _records(built, "pubmed")}


def _say(text: str) -> None:
    """To the log of the step, for whoever waits."""
    print(text, file=sys.stderr, flush=True)


def _records(built: build.Built, source: str) -> int:
    return sum(int(payload["records_in"]) for payload in built.payloads if payload["source"] == source)


def _share_out(stages: list[Stage]) -> None:
    """Takes identity out of the queries, and names what no stage of a build holds."""
    by_name = {stage["stage"]: stage for stage in stages}
    whole = stages[-1]
    rest = {what: whole[what] for what in ("wall", "cpu")}
    for what in rest:
        by_name["queries"][what] -= by_name["identity"][what]
        rest[what] -= sum(by_name[name][what] for name in STAGES)
    stages.insert(-1, {**whole, **rest, "stage": REST})


STEPS: dict[str, Callable[[Path, Counts, _Clock], dict[str, Any]]] = {
    "generate": generate,
    "generate articles": generate_articles,
    "import": take,
    "full": full,
    "unchanged": unchanged,
    "change": change,
    "night": night,
    "release": release,
    "page": page,
}
"""By name, in their order."""


def _end_with_parent() -> None:
    """Ends this process and what it started as soon as its parent is gone, however that ended: its standard input then
    has an end."""
    sys.stdin.read()
    os.killpg(0, signal.SIGKILL)


def main() -> None:
    step, folder, counts = sys.argv[1], Path(sys.argv[2]), Counts(**json.loads(sys.argv[3]))
    threading.Thread(target=_end_with_parent, daemon=True).start()
    clock = _Clock()
    found = STEPS[step](folder, counts, clock)
    print(json.dumps({"stages": clock.stages, "queries": clock.queries, "found": found}))


if __name__ == "__main__":
    main()
