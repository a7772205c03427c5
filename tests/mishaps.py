"""Nights in a process of their own that meet with a mishap at a chosen moment: killed, no room left, nothing writable.

Moments are counted in what the process does to the data folder (a file opened for writing, a rename, a removal), by the
stage to which the place belongs; that finds the moments between two steps of publishing, which no clock would. What
must be left standing afterwards is said in the tests.
"""

import contextlib
import ctypes
import io
import os
import resource
import signal
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from pipelines import __main__ as command_line
from pipelines import build, contracts, fetching, nights, progress, summary, validation
from pipelines.fetchers import ctgov, ctis, euctr, isrctn, pubmed
from tests.replay.__main__ import edge

LOADED = (build, fetching, nights, progress, summary, ctgov, ctis, euctr, isrctn, pubmed)
"""What a night imports, here once for all processes."""
STAGES = ("fetch", "read", "fold", "build", "swap")
NO_ROOM, NOT_WRITABLE, KILLED = "no room", "not writable", "killed"

processes = get_context("forkserver")
processes.set_forkserver_preload([__name__])
contracts.contracts()


@dataclass(frozen=True)
class Mishap:
    """What happens before the step of that number in its stage. ballast: a file that takes what room is left. delay: the
    seconds after that step until it is killed, from outside."""

    kind: str
    stage: str
    step: int
    ballast: Path | None = None
    delay: float = 0.0


@dataclass(frozen=True)
class Ended:
    """How a night ended: its exit code, what it said last, and the number of steps of each stage that it came to.
    code: that of the signal, negative, where it was killed."""

    code: int
    said: str = ""
    steps: Mapping[str, int] | None = None


@dataclass(frozen=True)
class Reached:
    """The night is at the step after which it is to be killed."""


def start(
    data: Path, day: date, environment: Mapping[str, str], mishap: Mishap | None = None
) -> tuple[Any, Connection]:
    """Begins a night; the connection gives what `Ended` says, unless it is killed."""
    ours, theirs = processes.Pipe(duplex=False)
    process = processes.Process(target=_night, args=(data, day, dict(environment), mishap, theirs))
    process.start()
    theirs.close()
    return process, ours


def ended(process: Any, connection: Connection, delay: float = 0.0) -> Ended:
    said = Ended(0)
    with contextlib.suppress(EOFError, ConnectionResetError):
        said = connection.recv()
        if isinstance(said, Reached):
            process.join(delay)
            process.kill()
            said = connection.recv()
    process.join()
    return said if process.exitcode == 0 else Ended(process.exitcode)


def night(data: Path, day: date, environment: Mapping[str, str], mishap: Mishap | None = None) -> Ended:
    return ended(*start(data, day, environment, mishap), delay=mishap.delay if mishap else 0.0)


def _night(data: Path, day: date, environment: Mapping[str, str], mishap: Mishap | None, told: Connection) -> None:
    """The command line's night, without the checks, which take most of the time and write nothing."""
    os.environ.update(environment)
    validation.run_suites = lambda *given: []
    validation.check_table = lambda *given: []
    command_line._edge = lambda: edge(day)
    if mishap and mishap.kind == NOT_WRITABLE:
        _be_bound_by_modes()
    steps = _watch(data, mishap, told)
    out, errors = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors):
        code = command_line.main(["--data", str(data), "night", "--as-of", str(day)])
    lines = errors.getvalue().splitlines()
    told.send(Ended(code, lines[-1] if lines else "", steps))


def _watch(data: Path, mishap: Mishap | None, told: Connection) -> Counter[str]:
    """Counts the steps by stage, and lets the mishap happen at its own."""
    steps: Counter[str] = Counter()
    root = str(data)
    state = {"is_over": False}

    def hear(event: str, arguments: tuple[Any, ...]) -> None:
        if event not in _WRITES or not _is_write(event, arguments):
            return
        places = [
            str(a)[len(root) + 1 :]
            for a in arguments[:2]
            if isinstance(a, str | os.PathLike) and str(a).startswith(root)
        ]
        if not places or state["is_over"]:
            return
        stage = _stage(places[-1])
        step, steps[stage] = steps[stage], steps[stage] + 1
        if mishap and (mishap.stage, mishap.step) == (stage, step):
            state["is_over"] = True
            if mishap.delay:
                told.send(Reached())
            else:
                _HAPPENS[mishap.kind](data, mishap)

    sys.addaudithook(hear)
    return steps


_WRITES = frozenset({"open", "os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.link", "os.symlink", "os.chmod"})


def _is_write(event: str, arguments: tuple[Any, ...]) -> bool:
    return event != "open" or bool(isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR))


def _stage(place: str) -> str:
    """The stage that writes to that place of the data folder."""
    first, _, rest = place.partition("/")
    if first in ("fetch", "raw"):
        return "fetch"
    if first == "staging":
        return "read"
    if first == "builds" and rest.startswith("."):
        return (
            "build"
            if rest.count("/") and rest.rpartition("/")[2].strip(".").split(".")[0] not in ("work", "status_news")
            else "fold"
        )
    return "swap" if first in ("builds", "ledger", "warehouse") or first.startswith(".warehouse") else "fetch"


def _kill(data: Path, mishap: Mishap) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _leave_no_room(data: Path, mishap: Mishap) -> None:
    """The disk is full; without a disk of our own to fill, no file may grow."""
    if mishap.ballast is None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
        return
    with contextlib.suppress(OSError), mishap.ballast.open("wb", buffering=0) as out:
        while True:
            out.write(bytes(1 << 12))


def _write_protect(data: Path, mishap: Mishap) -> None:
    for folder, _, _ in os.walk(data):
        Path(folder).chmod(0o555)


_HAPPENS = {KILLED: _kill, NO_ROOM: _leave_no_room, NOT_WRITABLE: _write_protect}


def _be_bound_by_modes() -> None:
    """Gives up the superuser's right to write where the modes of files forbid it; others never had it."""
    header, nothing = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
    if os.geteuid() == 0 and ctypes.CDLL(None, use_errno=True).capset(header, nothing):
        raise OSError(ctypes.get_errno(), "capset")
