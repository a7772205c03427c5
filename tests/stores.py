"""A small world in a data folder that has all that a store keeps: archive, readings, ledger, a build, a release.

Belongs here: making it, seeing what of it two data folders share, and whether all that a store's pointer names is there
and whole, read by other means than the program's own. The build and the release are a few files of the right names: what
is in them is nobody's concern here.
"""

import hashlib
import itertools
import json
import os
import random
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from pipelines import attempts, build, snapshots, store, working_copy
from pipelines.attempts import Attempt
from pipelines.identity import ledger
from pipelines.identity.ledger import Event
from pipelines.release import shelf
from pipelines.settings import Settings
from tests.worlds import nct, put_studies, settings, study

DAY = date(2024, 6, 1)


def chosen(data: Path, where: str) -> Settings:
    return replace(settings(data), store=where, threads=1)


def said(_: str) -> None:
    """Says nothing."""


def bring_in(data: Path, number: int) -> None:
    """An import, and an attempt at its source."""
    put_studies(data, DAY.replace(day=number), [study(number)], f"{data.name}-{number}.json")
    attempts.note(data, Attempt("ctgov", f"2024-06-{number:02d}", f"{data.name} could not"))


def read(chosen: Settings) -> None:
    """Reads what is not read yet, and brings it where it is not here."""
    build.read_registers(chosen, snapshots.listed(chosen.data))


def build_and_release(data: Path, number: int, size: int = 3000) -> None:
    """A build with its part of the ledger and of the status history, switched in, and its release."""
    day, chance = DAY.replace(day=number), random.Random(f"{data.name} {number}")
    ledger.append(data, [Event(day, "founded", nct(number), f"{nct(number)}-{data.name}")])
    told = len(list((data / "ledger" / "status").glob("*.parquet")))
    with store.whole(data / "ledger" / "status" / f"{told + 1:06d}-{day}.parquet") as aside:
        aside.write_bytes(chance.randbytes(100))
    folder = data / "builds" / f"{day}-{data.name}"
    for name in ("trials.parquet", "alltrials.duckdb"):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(chance.randbytes(size))
    store.write_json(folder / "manifest.json", {"build": folder.name, "as_of": day.isoformat()})
    store.switch(data / "warehouse", folder)
    release = data / "releases" / day.isoformat()
    if not release.exists():
        with store.whole_folder(release) as aside:
            (aside / "trials.csv").write_bytes(chance.randbytes(size))
            store.write_json(aside / "manifest.json", {"as_of": day.isoformat(), "build": folder.name, "files": []})
        with store.whole_folder(release.parent / "run" / release.name) as aside:
            store.write_json(aside / "run.json", {"made_at": data.name})
    shelf.write_index(data)
    shelf.point(data, shelf.opened(release))


def night(chosen: Settings, number: int) -> None:
    bring_in(chosen.data, number)
    read(chosen)
    build_and_release(chosen.data, number)


def contents(data: Path) -> dict[str, str]:
    """What a working copy shares with the store, as hashes: without payloads, locks, builds of other days,
    and what was read of the same file under another name, which another machine had sent before."""
    left_out = (".lock", store.PART)
    shots = snapshots.listed(data)
    read_from = {data / "staging" / s.source / s.id / p.name for s in shots for p in s.payloads}
    found = {}
    for path in sorted(data.rglob("*")):
        name = path.relative_to(data).as_posix()
        is_payload = name.startswith("raw/") and path.name != snapshots.MANIFEST
        is_ours = name.startswith(("raw/", "staging/ctgov/", "ledger/", "releases/"))
        is_orphan = name.startswith("staging/") and path.parent not in read_from
        if path.is_file() and is_ours and not is_payload and not is_orphan and path.suffix not in left_out:
            found[name] = snapshots.sha256_of(path)
    if not (data / "warehouse").exists():
        return found
    warehouse = (data / "warehouse").resolve()
    return found | {f"warehouse {warehouse.name}/{p.name}": snapshots.sha256_of(p) for p in warehouse.iterdir()}


def pointed(read: Callable[[str], bytes]) -> dict[str, Any]:
    """What the pointer of a store says, after all that it leads to was found there as it should be. read: gives an
    object by its name, and fails where there is none."""
    pointer = json.loads(read("current.json"))
    index = json.loads(_checked(read(f"index/{pointer['index']}.json"), pointer["index"]))
    for snapshot, sha in index["snapshots"].items():
        for payload in json.loads(_checked(read(f"parts/{sha}"), sha))["payloads"]:
            is_side = payload["name"].endswith(snapshots.SIDE_FILE)
            place = f"parts/{payload['sha256']}" if is_side else f"raw/{snapshot}/{payload['name']}"
            _checked(read(place), payload["sha256"])
    for name, (account, _) in index["staged"].items():
        place = f"staging/{name}/{account[:16]}"
        for file, (_, sha) in json.loads(_checked(read(f"{place}/report.json"), account))["files"].items():
            _checked(read(f"{place}/{file}"), sha)
    for parts in index["parts"].values():
        for sha, _ in parts:
            _checked(read(f"parts/{sha}"), sha)
    for name, listed in index["folders"].items():
        place = f"{name}.{listed[:10]}"
        for file, (_, sha) in json.loads(_checked(read(f"{place}/files.json"), listed)).items():
            _checked(read(f"{place}/{file}"), sha)
    if pointer["warehouse"]:
        _checked(read(f"{pointer['warehouse']}/manifest.json"), pointer["manifest_sha256"])
    return {**pointer, "snapshots": index["snapshots"]}


def _checked(content: bytes, sha: str) -> bytes:
    assert hashlib.sha256(content).hexdigest() == sha
    return content


def in_folder(store_folder: Path) -> Callable[[str], bytes]:
    return lambda name: (store_folder / name).read_bytes()


# --- killed ---------------------------------------------------------------------------------------------------------


KILLED = -signal.SIGKILL

processes = get_context("forkserver")
processes.set_forkserver_preload([__name__])


def _killed(one: Settings, step: int, is_bringing: bool, environment: Mapping[str, str], told: Connection) -> None:
    """Sends or brings in a process of its own, which is killed before its step of that number; says how many there
    are. A step is a name that is given or taken away: of these there are as many each time, whatever threads do.

    environment: of the test, for the process has that of the first test which asked for one.
    """
    os.environ.update(environment)
    steps = itertools.count(1)

    def hear(event: str, arguments: tuple[Any, ...]) -> None:
        if event in ("os.rename", "os.remove") and next(steps) == step:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hear)
    (working_copy.bring if is_bringing else working_copy.send)(one, said)
    told.send(next(steps) - 1)


def killed(one: Settings, step: int, *, is_bringing: bool = False) -> tuple[int | None, int]:
    """The exit code, and the number of steps where it came to its end."""
    ours, theirs = processes.Pipe(duplex=False)
    process = processes.Process(target=_killed, args=(one, step, is_bringing, dict(os.environ), theirs))
    process.start()
    theirs.close()
    process.join()
    return process.exitcode, ours.recv() if process.exitcode == 0 else 0


def killed_when(one: Settings, is_time: Callable[[], bool]) -> int | None:
    """Sends in a process of its own, which is killed as soon as it is time. Gives its exit code."""
    ours, theirs = processes.Pipe(duplex=False)
    process = processes.Process(target=_killed, args=(one, 0, False, dict(os.environ), theirs))
    process.start()
    theirs.close()
    while process.is_alive():
        if is_time():
            process.kill()
        process.join(0.02)
    ours.close()
    return process.exitcode
