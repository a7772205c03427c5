"""A Dask cluster on this machine: a scheduler and workers, as processes that can be killed one by one.

Belongs here: how they are started, found and ended. What they are to live through stands in `test_dask.py`, what they
are to make in `demo.py`. Nothing listens beyond loopback, and all that was started ends with the block.
"""

import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests import processes
from tests.loopback import LOOPBACK, end_with_parent, free_port, wait_for

ROOT = Path(__file__).parents[2]


@dataclass
class Cluster:
    """Processes of one scheduler and its workers. folder: their logs and scratch. extra: for their environment."""

    folder: Path
    port: int
    extra: Mapping[str, str] = field(default_factory=dict)
    scheduler: subprocess.Popen[bytes] | None = None
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"tcp://{LOOPBACK}:{self.port}"

    def start_scheduler(self) -> None:
        self.scheduler = self._start("scheduler", ["scheduler", "--port", str(self.port)])
        wait_for(self._answers, f"the scheduler; its words are in {self.folder}")

    def start_workers(self, number: int, program: Path = ROOT) -> None:
        """Each of one thread, with a nanny that starts it again where it dies. program: the repository it runs."""
        words = ["worker", self.address, "--nthreads", "1", "--memory-limit", "2GB"]
        words += ["--local-directory", str(self.folder), "--death-timeout", "20"]
        for _ in range(number):
            self.workers.append(self._start(f"worker-{len(self.workers)}", words, program))

    def pids(self) -> list[int]:
        """Processes of the workers: the nannies', then those that they started."""
        nannies = [process.pid for process in self.workers]
        return [*nannies, *(pid for nanny in nannies for pid in processes.tree(nanny)[1:])]

    def stop(self) -> None:
        """Ends the workers, then the scheduler; kills what does not end."""
        for process in [*self.workers, *([self.scheduler] if self.scheduler else [])]:
            end(process)
        self.workers, self.scheduler = [], None

    def _answers(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection((LOOPBACK, self.port), timeout=1):
            return True
        return False

    def _start(self, name: str, words: Sequence[str], program: Path = ROOT) -> subprocess.Popen[bytes]:
        environment = {**os.environ, "DASK_CONFIG": str(ROOT / "dask.yaml"), **self.extra, "PYTHONPATH": str(program)}
        command = [sys.executable, "-m", "dask", *words, "--host", LOOPBACK, "--no-dashboard"]
        with (self.folder / f"{name}.log").open("ab") as log:
            return subprocess.Popen(
                command, cwd=program, env=environment, stdout=log, stderr=log, preexec_fn=end_with_parent
            )


@contextlib.contextmanager
def cluster(folder: Path, workers: int = 2, extra: Mapping[str, str] | None = None) -> Iterator[Cluster]:
    """A scheduler and so many workers until the end of the block."""
    folder.mkdir(parents=True, exist_ok=True)
    running = Cluster(folder, free_port(), extra or {})
    try:
        running.start_scheduler()
        running.start_workers(workers)
        yield running
    finally:
        running.stop()


def end(process: subprocess.Popen[bytes]) -> None:
    """Asks the process to end, and after a while makes it, with its children."""
    children = processes.tree(process.pid)[1:]
    process.terminate()
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for pid in children:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def readers(pids: Sequence[int], path: Path) -> list[int]:
    """Which of the processes hold the file open."""
    return [pid for pid in pids if processes.holds(pid, path)]
