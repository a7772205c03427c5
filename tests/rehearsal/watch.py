"""Watching a process and all that it starts: memory of the whole tree while it runs, and CPU seconds.

Belongs here: when it is looked, and what is made of it. What is looked at stands in `processes`; where nothing is told,
the figures are left out.
"""

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tests import processes

EVERY = 0.5
"""Seconds between two looks at the memory: a peak that is shorter may be missed."""


class Look(NamedTuple):
    """Megabytes of the whole tree at one time of the machine's own clock."""

    at: float
    megabytes: float


class FailedError(Exception):
    """The process ended without an answer; the text is the last it said."""


def spent(root: int) -> float:
    """CPU seconds of a tree, those of its ended and awaited processes included."""
    return sum(processes.cpu(pid, ended=True) for pid in processes.tree(root))


def megabytes(root: int) -> float:
    """What a tree holds: proportional set sizes, so that pages which processes share count once."""
    return sum(map(processes.pss_mb, processes.tree(root)))


def run(command: Sequence[str], log: Path, home: Path) -> tuple[dict[str, Any], list[Look]]:
    """Runs a command that answers with a line of JSON; its answer and its memory over time. What it says otherwise goes
    to the log.

    It lives in a process group of its own, which ends when it or we are interrupted. Raises FailedError.
    """
    looks: list[Look] = []
    with log.open("wb") as said:
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said, cwd=home, start_new_session=True
        )
        watcher = threading.Thread(target=_look, args=(process, looks))
        watcher.start()
        try:
            answer = _answer(process)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
        finally:
            process.wait()
            watcher.join()
            assert process.stdin is not None
            process.stdin.close()
    lines = answer.splitlines()
    if process.returncode or not lines:
        last = log.read_text(errors="replace").strip().splitlines()[-1:] or ["it was killed"]
        raise FailedError(last[0])
    found: dict[str, Any] = json.loads(lines[-1])
    return found, looks


def _answer(process: subprocess.Popen[bytes]) -> str:
    """All that it prints; its standard input stays open, by which it knows that we are here."""
    assert process.stdout is not None
    with process.stdout as out:
        return out.read().decode()


def _look(process: subprocess.Popen[bytes], looks: list[Look]) -> None:
    while process.poll() is None:
        looks.append(Look(time.monotonic(), megabytes(process.pid)))
        time.sleep(EVERY)


def peak(looks: Sequence[Look], began: float, ended: float) -> float:
    """The most megabytes in that time; of the look nearest to it where none falls into it, and 0 without any."""
    within = [look.megabytes for look in looks if began <= look.at <= ended]
    nearest = sorted(looks, key=lambda look: abs(look.at - began))[:1]
    return max(within or [look.megabytes for look in nearest], default=0.0)
