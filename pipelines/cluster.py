"""Payloads read by the workers of a Dask cluster, with the function that reads them on this machine.

Belongs here: what this machine and the workers hand each other, and what is said where a worker, or all of them, are
gone. Dask is an extra: it is imported inside functions, here and in `assets/cluster.py` alone. What is read, and what
counts as read, stands in `staging`.

What a worker made lies in a tray, a folder of this one build's, until this machine takes it over under its real name.
So a worker that goes on after its build has ended, or that was thought dead, writes into nothing that anybody reads.
"""

import contextlib
import functools
import shutil
import tempfile
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

import duckdb

from pipelines import snapshots, staging, store
from pipelines.errors import BusyError, DataError, UsageError
from pipelines.settings import Settings
from pipelines.staging import NOTHING_READ, Spread, Task

Connect = Callable[[str], contextlib.AbstractContextManager[Any]]
"""Gives Dask's client of the scheduler at an address."""

AT_ONCE = 500
"""Payloads that the scheduler is told of at a time: enough for any cluster's workers, and little for it to hold."""
REACH = 30
"""Seconds in which a scheduler has to answer."""
LOOK = 10.0
"""Seconds without any result after which it is looked whether somebody is still at work."""
NOBODY = 12
"""How many such looks in a row find no worker that could read before the build is given up."""
NOT_INSTALLED = "ALLTRIALS_DASK names a cluster, and Dask is not installed here: `pip install -e '.[dask]'`."
AGAIN = "what was read before stays, and the same command again goes on from there."
DIED = "every worker that read it died, perhaps for want of memory: give the workers more"


@dataclass(frozen=True)
class Read:
    """What a worker says of a payload. folder: where it lies in the tray; fault: why it could not be read; refused: why
    this worker reads nothing at all."""

    folder: str = ""
    fault: str = ""
    refused: str = ""


# --- on this machine ------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def connected(address: str) -> Iterator[Any]:
    """Dask's client. Raises UsageError where the extra is not installed, OSError where nobody answers."""
    try:
        from distributed import Client
    except ImportError:
        raise UsageError(NOT_INSTALLED) from None
    with Client(address, timeout=REACH, set_as_default=False) as client:
        yield client


def spread(settings: Settings, connect: Connect = connected) -> Spread | None:
    """What `staging.stage` is to have payloads read by: the cluster that the settings name, if they name one.

    It raises BusyError where the cluster cannot be reached or is lost, and DataError where a worker must not be
    trusted: what was read until then stays, and the next build goes on from there.
    """
    return functools.partial(_spread, settings, connect) if settings.dask else None


def _spread(settings: Settings, connect: Connect, tasks: Sequence[Task]) -> Iterator[tuple[Task, str]]:
    with contextlib.ExitStack() as held:
        try:
            client = held.enter_context(connect(settings.dask))
        except OSError:
            raise BusyError(
                f"The Dask scheduler at {settings.dask} does not answer: start it, or unset ALLTRIALS_DASK to read on "
                f"this machine; {AGAIN}"
            ) from None
        tray = held.enter_context(_tray(settings.data, tasks))
        for task, read in _on_workers(client, settings.dask, tray, tasks):
            if read.folder:
                store.whole_folder_already(Path(read.folder), task.folder)
            yield task, read.fault


@contextlib.contextmanager
def _tray(data: Path, tasks: Sequence[Task]) -> Iterator[Path]:
    """A folder whose name no other machine has by chance: a worker that finds it sees the data folder."""
    (data / "staging").mkdir(parents=True, exist_ok=True)
    tray = Path(tempfile.mkdtemp(prefix=".tray-", suffix=store.PART, dir=data / "staging"))
    try:
        for cited in {task.cited for task in tasks if task.cited}:
            shutil.copyfile(cited, _cited(tray, cited))
        yield tray
    finally:
        shutil.rmtree(tray, ignore_errors=True)


def _cited(tray: Path, cited: Path) -> Path:
    """Where the list of PMIDs lies for the workers: by its content, since one they read before may have its name."""
    return tray / f"cited-{snapshots.sha256_of(cited)[:16]}.parquet"


def _on_workers(client: Any, address: str, tray: Path, tasks: Sequence[Task]) -> Iterator[tuple[Task, Read]]:
    """The largest first: it would be the last one to end. What died with its workers may have lain beside the culprit:
    it is read again one by one, and what then dies alone is it."""
    cited = {path: _cited(tray, path) for path in {task.cited for task in tasks} if path}
    suspects: list[Task] = []
    for task, read in _submitted(client, address, tray, cited, sorted(tasks, key=lambda t: -t.bytes), AT_ONCE):
        if read:
            yield task, read
        else:
            suspects.append(task)
    for task, read in _submitted(client, address, tray, cited, suspects, 1):
        yield task, read or Read(fault=f"{DIED}; {NOTHING_READ}")


def _submitted(
    client: Any, address: str, tray: Path, cited: dict[Path, Path], tasks: Sequence[Task], at_once: int
) -> Iterator[tuple[Task, Read | None]]:
    """What the workers say, as they say it; None of a payload whose workers died."""
    waiting = deque(tasks)
    running: dict[Any, Task] = {}
    done: SimpleQueue[Any] = SimpleQueue()
    while waiting or running:
        while waiting and len(running) < at_once:
            task = waiting.popleft()
            order = replace(task, cited=cited[task.cited] if task.cited else None)
            future = client.submit(read, order, tray, pure=False)
            running[future] = task
            future.add_done_callback(done.put)
        future = _next(client, address, done)
        yield running.pop(future), _result(future, address)


def _next(client: Any, address: str, done: "SimpleQueue[Any]") -> Any:
    """The next payload that is done. Raises BusyError where there has long been nobody who could read one."""
    idle = 0
    while True:
        try:
            return done.get(timeout=LOOK)
        except Empty:
            idle = 0 if _at_work(client) else idle + 1
        if idle >= NOBODY:
            raise BusyError(
                f"The Dask cluster at {address} has had no worker that could read for {NOBODY * LOOK:.0f} seconds: "
                f"start some, in this same version of the program, or give them more memory; {AGAIN}"
            )


def _at_work(client: Any) -> bool:
    """Whether any worker can read: one that has too little memory left is there and takes nothing on."""
    try:
        workers = client.scheduler_info(n_workers=-1)["workers"].values()
    except OSError:
        return False
    return any(w["status"] == "running" or w["metrics"].get("executing") for w in workers)


def _result(future: Any, address: str) -> Read | None:
    from distributed import KilledWorker

    if future.cancelled():
        raise BusyError(f"The Dask scheduler at {address} was lost while its workers read: {AGAIN}")
    error = future.exception()
    if isinstance(error, KilledWorker):
        return None
    if error:
        raise DataError(
            f"The Dask cluster at {address} could not take a payload on ({type(error).__name__}): run its scheduler "
            f"and workers in this same version of the program, from the repository's folder; {AGAIN}"
        )
    read: Read = future.result()
    if read.refused:
        raise DataError(f"{read.refused}; {AGAIN}")
    return read


# --- on a worker ----------------------------------------------------------------------------------------------------


def read(task: Task, tray: Path) -> Read:
    """Reads one payload into the tray, on a worker."""
    if not tray.is_dir():
        return Read(refused=f"{_who()} does not see {tray}: let all workers see the same data folder by the same path")
    if _reader(task.source) != task.reader:
        return Read(
            refused=f"{_who()} reads {task.source} by another version of the program: update it and start it again"
        )
    folder = Path(tempfile.mkdtemp(dir=tray)) / "staged"
    try:
        fault = staging.attempt(replace(task, folder=folder))
    except (OSError, duckdb.Error) as error:
        way_out = store.way_out(error).removesuffix(".")
        return Read(refused=f"{_who()} cannot write ({' '.join(str(error).split())}): {way_out}")
    return Read(fault=fault) if fault else Read(str(folder))


@functools.cache
def _reader(source: str) -> str:
    return staging.reader_version(source)


def _who() -> str:
    from distributed import get_worker

    return f"The Dask worker at {get_worker().address}"
