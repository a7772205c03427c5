"""Payloads read by the workers of a Dask cluster, with the function that reads them on this machine.

Belongs here: what this machine and the workers hand each other, and what is said where a worker, or all of them, are
gone. Dask is an extra: it is imported inside functions, here and in `assets/cluster.py` alone. What is read, and what
counts as read, stands in `staging`.

Workers and this machine meet in a shared data folder or, where the settings name one, in the store. Nothing that a
worker makes lies where a build would find it before this machine has taken it over: in the data folder it lies in a
tray, a folder of this one build's; in the store under its hash. So a worker that goes on after its build has ended, or
that was thought dead, writes into nothing that anybody reads.
"""

import contextlib
import functools
import secrets
import shutil
import tempfile
from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

import duckdb

from pipelines import locations, snapshots, staging, store, working_copy
from pipelines.errors import BusyError, DataError, UsageError
from pipelines.locations import Location
from pipelines.settings import Settings
from pipelines.staging import NOTHING_READ, Spread, Task

Connect = Callable[[str], contextlib.AbstractContextManager[Any]]
"""Gives Dask's client of the scheduler at an address."""

AT_ONCE = 500
"""Payloads that the scheduler is told of at a time: enough for any cluster's workers, and little for it to hold."""
HANDS = 8
"""Payloads that this machine takes over from the workers at the same time: where they come from a store, it waits."""
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
    """What a worker says of a payload. place: where it lies, in the tray or by the hash of its account; fault: why it
    could not be read; refused: why this worker reads nothing at all."""

    place: str = ""
    fault: str = ""
    refused: str = ""


@dataclass(frozen=True)
class Exchange:
    """How a payload and what was read from it pass between this machine and the workers. order: the function of a
    worker, and what it is given; take: makes what lies at a place the reading of the task."""

    order: Callable[[Task], tuple[Any, ...]]
    take: Callable[[Task, str], None]


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
        meet = _in_store if settings.store else _in_data_folder
        exchange = held.enter_context(meet(settings, {task.cited for task in tasks if task.cited}))
        yield from _on_workers(client, settings.dask, exchange, tasks)


@contextlib.contextmanager
def _in_data_folder(settings: Settings, lists: Collection[Path]) -> Iterator[Exchange]:
    """By way of a tray, whose name no other machine has by chance: a worker that finds it sees the data folder.

    lists: PMIDs that registries name. A worker gets them by their content: one that it had before may have the name.
    """
    (settings.data / "staging").mkdir(parents=True, exist_ok=True)
    tray = Path(tempfile.mkdtemp(prefix=".tray-", suffix=store.PART, dir=settings.data / "staging"))
    try:
        cited = {path: tray / f"{snapshots.sha256_of(path)}.parquet" for path in lists}
        for path, copy in cited.items():
            shutil.copyfile(path, copy)
        yield Exchange(
            order=lambda task: (read_shared, replace(task, cited=cited[task.cited] if task.cited else None), tray),
            take=lambda task, place: store.whole_folder_already(Path(place), task.folder),
        )
    finally:
        shutil.rmtree(tray, ignore_errors=True)


@contextlib.contextmanager
def _in_store(settings: Settings, lists: Collection[Path]) -> Iterator[Exchange]:
    """By way of the store, where a reading lies as `working_copy.send` would put it: it is not sent twice.

    lists: PMIDs that registries name. They lie there under names of this build: another one may have the same list, and
    is not done with it when this one is.
    """
    root = locations.at(settings.store)
    cited = {path: root / "parts" / f"{snapshots.sha256_of(path)}.{secrets.token_hex(4)}" for path in lists}

    def name(task: Task) -> str:
        return task.folder.relative_to(settings.data / "staging").as_posix()

    for path, copy in cited.items():
        locations.put(path, copy)
    try:
        yield Exchange(
            order=lambda task: (
                read_stored,
                task,
                name(task),
                root,
                working_copy.send_payload(settings, task),
                cited[task.cited] if task.cited else None,
            ),
            take=lambda task, place: working_copy.bring_reading(root, name(task), place, task.folder),
        )
    finally:
        for copy in cited.values():
            with contextlib.suppress(DataError):  # all was read; nothing names what stays
                locations.remove(copy)


def _on_workers(client: Any, address: str, exchange: Exchange, tasks: Sequence[Task]) -> Iterator[tuple[Task, str]]:
    """The largest first: it would be the last one to end. What died with its workers may have lain beside the culprit:
    it is read again one by one, and what then dies alone is it."""
    suspects: list[Task] = []
    for task, read in _submitted(client, address, exchange, sorted(tasks, key=lambda t: -t.bytes), AT_ONCE):
        if read:
            yield task, read.fault
        else:
            suspects.append(task)
    for task, read in _submitted(client, address, exchange, suspects, 1):
        yield task, read.fault if read else f"{DIED}; {NOTHING_READ}"


def _submitted(
    client: Any, address: str, exchange: Exchange, tasks: Sequence[Task], at_once: int
) -> Iterator[tuple[Task, Read | None]]:
    """What the workers say, once it is taken over; None of a payload whose workers died."""
    waiting = deque(tasks)
    running: set[Any] = set()  # what nobody holds on to, Dask forgets
    done: SimpleQueue[Future[tuple[Task, Read | None]]] = SimpleQueue()

    def taken(task: Task, future: Any) -> tuple[Task, Read | None]:
        read = _result(future, address)
        if read and read.place:
            exchange.take(task, read.place)
        running.discard(future)
        return task, read

    with ThreadPoolExecutor(HANDS) as hands:

        def hand_on(task: Task, future: Any) -> None:
            with contextlib.suppress(RuntimeError):  # the build has ended, and nobody takes anything any more
                done.put(hands.submit(taken, task, future))

        under_way = 0
        while waiting or under_way:
            while waiting and under_way < at_once and done.empty():
                task = waiting.popleft()
                future = client.submit(*exchange.order(task), pure=False)
                running.add(future)
                under_way += 1
                future.add_done_callback(functools.partial(hand_on, task))
            yield _next(client, address, done).result()
            under_way -= 1


def _next(
    client: Any, address: str, done: "SimpleQueue[Future[tuple[Task, Read | None]]]"
) -> Future[tuple[Task, Read | None]]:
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
    return any(w["status"] == "running" or w["metrics"]["task_counts"].get("executing") for w in workers)


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


def read_shared(task: Task, tray: Path) -> Read:
    """Reads one payload of a data folder that all machines see, into the tray."""
    if not tray.is_dir():
        return _refused(f"does not see {tray}: let all workers see the same data folder by the same path")
    return _attempted(replace(task, folder=Path(tempfile.mkdtemp(dir=tray)) / "staged"))


def read_stored(task: Task, name: str, root: Location, payload: Location, cited: Location | None) -> Read:
    """Reads one payload of the store, with scratch of this worker's own, and sends the reading there."""
    from distributed import get_worker

    own = Path(get_worker().local_directory)
    with tempfile.TemporaryDirectory(dir=own) as scratch:
        here = replace(task, payload=Path(scratch) / task.name, folder=Path(scratch) / "staged", cited=None)
        try:
            working_copy.bring_payload(payload, here)
            if cited:
                here = replace(here, cited=_list_of(cited, own))
            read = _attempted(here)
            return replace(read, place=working_copy.send_reading(root, name, here.folder)) if read.place else read
        except (DataError, UsageError) as error:
            return _refused(f"could not use the store. {str(error).removesuffix('.')}")


def _list_of(cited: Location, own: Path) -> Path:
    """The list of PMIDs, which all payloads of a night share: it comes once. Raises DataError where it cannot come."""
    sha256 = cited.address.rpartition("/")[2].partition(".")[0]
    path = own / f"{sha256}.parquet"
    if not path.exists():
        try:
            locations.get(cited, path, sha256)
        except FileNotFoundError:
            raise DataError(f"{cited} is missing: the build that put it there may have ended.") from None
    return path


def _attempted(task: Task) -> Read:
    if _reader(task.source) != task.reader:
        return _refused(f"reads {task.source} by another version of the program: update it and start it again")
    try:
        fault = staging.attempt(task)
    except (OSError, duckdb.Error) as error:
        way_out = store.way_out(error).removesuffix(".")
        return _refused(f"cannot write ({' '.join(str(error).split())}): {way_out}")
    return Read(fault=fault) if fault else Read(str(task.folder))


def _refused(why: str) -> Read:
    from distributed import get_worker

    return Read(refused=f"The Dask worker at {get_worker().address} {why}")


@functools.cache
def _reader(source: str) -> str:
    return staging.reader_version(source)
