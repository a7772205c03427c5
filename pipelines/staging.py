"""From the raw archive to typed Parquet: which payloads have to be read, and what became of each.

`data/staging/<source>/<snapshot>/<payload>/` holds `records.parquet` (the source's staging contract), for PubMed also
`index.parquet`, and `report.json`, the account of the reading and of these files. It is a pure function of the payload,
the reader and the contracts, so a payload is read again only when one of them changed. How a payload is read belongs to
its source, and how its reading is told to a person to `progress`.
"""

import contextlib
import functools
import hashlib
import importlib
import os
import sys
import threading
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from datetime import date
from multiprocessing import connection, get_context, parent_process
from pathlib import Path
from types import ModuleType, SimpleNamespace

import duckdb

from pipelines import reading, snapshots, store, trn
from pipelines.contracts import contracts
from pipelines.errors import DataError
from pipelines.reading import Report
from pipelines.settings import ROOT, SCHEMAS
from pipelines.snapshots import Payload, Snapshot

WORTH_A_POOL = 32 << 20
"""Bytes of unread payloads from which on processes of their own read them, their start included no slower: several at
once, and what kills one of them does not end the build."""
NOTHING_READ = "nothing of it was read, and the next build tries again"
DIED = "its reading process died, perhaps for want of memory: try ALLTRIALS_THREADS=1"


@dataclass(frozen=True)
class Staged:
    """One payload as it lies in staging. is_read: false where its reading failed, so that nothing of it counts; the
    reason then stands in the report, and the next build tries again."""

    snapshot: Snapshot
    payload: Payload
    folder: Path
    report: Report
    is_read: bool = True

    @property
    def records(self) -> Path:
        return self.folder / "records.parquet"

    @property
    def index(self) -> Path:
        return self.folder / "index.parquet"

    @property
    def numbers(self) -> Path:
        return self.folder / "numbers.parquet"

    @property
    def is_listing(self) -> bool:
        return is_listing(self.payload.name)


@dataclass(frozen=True)
class Task:
    """One payload to be read; everything a worker needs, nothing that it shares."""

    source: str
    payload: Path
    name: str
    day: date
    folder: Path
    reader: str
    sha256: str
    cited: Path | None = None
    bytes: int = 0


Spread = Callable[[Sequence[Task]], Iterator[tuple[Task, str]]]
"""What has payloads read somewhere: each as it is done, in whatever order, its folder then being there, and in a few
words why its reading failed, where it did. Processes of this machine do it (`read_here`), or workers of others
(`cluster`)."""


@dataclass(frozen=True)
class Progress:
    """How far reading has come: payloads and bytes done of all that have to be read, records read so far, and payloads
    that need not be read. The payload is the one just done (none at the start); fault: why it could not be read."""

    done: int
    of: int
    bytes_done: int
    bytes_of: int
    records: int
    unchanged: int
    source: str = ""
    payload: str = ""
    fault: str = ""


def untold(progress: Progress) -> None:
    """Tells nobody."""


def module(source: str) -> ModuleType:
    return importlib.import_module(f"pipelines.sources.{source}")


_SHARED = ("dates.py", "privacy.py", "trn.py", "reading.py", "contracts.py", "store.py", "staging.py")


def _program() -> dict[Path, str]:
    """Hashes of all files that decide how payloads are read. Sources alone: which engine reads a PubMed file decides
    nothing, so what was compiled from them does not count."""
    files = [ROOT / "pipelines" / name for name in _SHARED]
    for folder, ending in (("formats", ".py"), ("formats", ".c"), ("sources", ".*")):
        files += sorted(p for p in (ROOT / "pipelines" / folder).glob(f"*{ending}") if p.is_file())
    for folder in ("sources", "staging", "vocabularies", "reference"):
        files += sorted((SCHEMAS / folder).iterdir())
    return {path: snapshots.sha256_of(path) for path in files}


_AT_START = _program()
"""As they were when this process began: what is changed on disk under a night that runs is not what reads."""


def reader_version(source: str) -> str:
    """Hash over all that decides how a payload of the source is read by this process, for as long as it lives."""
    digest = hashlib.sha256()
    for path, sha256 in _AT_START.items():
        if path.parent.name != "sources" or path.stem == source:
            digest.update(f"{path.relative_to(ROOT).as_posix()}\0{sha256}\n".encode())
    return digest.hexdigest()[:16]


def stage(
    data: Path,
    taken: Sequence[Snapshot],
    *,
    workers: int = 1,
    cited: Path | None = None,
    told: Callable[[Progress], None] = untold,
    spread: Spread | None = None,
) -> list[Staged]:
    """Reads every payload of the snapshots that has not been read by the present reader. One that cannot be read stops
    no other.

    cited: Parquet file of the PMIDs that registries name; a PubMed file that holds one it did not keep is read again.
    told: called once before reading, if there is anything to read, and with every payload as it is done.
    spread: where payloads are read; on this machine, by so many workers, where nobody says otherwise.
    """
    found = list(_payloads(data, taken, cited))
    again = _to_read([task for _, _, task in found], cited)
    fresh = [(payload, task) for _, payload, task in found if task.folder in again]
    spread = spread or functools.partial(read_here, workers=workers)
    faults = _read_and_tell(fresh, spread, len(found) - len(fresh), told)
    return [_staged(snapshot, payload, task, faults.get(task.folder, "")) for snapshot, payload, task in found]


def _read_and_tell(
    fresh: Sequence[tuple[Payload, Task]], spread: Spread, unchanged: int, told: Callable[[Progress], None]
) -> dict[Path, str]:
    """Reads the payloads; why it failed, by folder, for those that could not be read."""
    faults: dict[Path, str] = {}
    sizes = {task.folder: payload.bytes for payload, task in fresh}
    whole = sum(sizes.values())
    if fresh:
        told(Progress(0, len(fresh), 0, whole, 0, unchanged))
    done = records = 0
    for number, (task, fault) in enumerate(spread([task for _, task in fresh]) if fresh else (), 1):
        done += sizes[task.folder]
        if fault:
            faults[task.folder] = fault
        else:
            records += store.read_json(task.folder / "report.json")["report"]["records_in"]
        told(Progress(number, len(fresh), done, whole, records, unchanged, task.source, task.name, fault))
    return faults


def is_side_file(payload: Payload) -> bool:
    """A checksum that came with a file: kept in the archive, verified by the reader, no payload of its own."""
    return payload.name.endswith(snapshots.SIDE_FILE)


def is_listing(name: str) -> bool:
    """A list of all numbers of a source: it shows what is there and what has vanished, and holds no record."""
    return name.endswith(snapshots.LISTING)


def _payloads(data: Path, taken: Sequence[Snapshot], cited: Path | None) -> Iterator[tuple[Snapshot, Payload, Task]]:
    versions = {source: reader_version(source) for source in {s.source for s in taken}}
    for snapshot in taken:
        for payload in snapshot.payloads:
            if is_side_file(payload):
                continue
            yield (
                snapshot,
                payload,
                Task(
                    source=snapshot.source,
                    payload=snapshot.path(payload),
                    name=payload.name,
                    day=snapshot.date,
                    folder=data / "staging" / snapshot.source / snapshot.id / payload.name,
                    reader=versions[snapshot.source],
                    sha256=payload.sha256,
                    cited=cited if _holds_articles(snapshot.source) else None,
                    bytes=payload.bytes,
                ),
            )


def _holds_articles(source: str) -> bool:
    return bool(module(source).KIND == "articles")


def _to_read(tasks: Sequence[Task], cited: Path | None) -> set[Path]:
    """Folders of the payloads that were not read, or by another reader, or that hold what is now wanted of them."""
    again = {task.folder for task in tasks if not _is_read(task)}
    indexes = [t.folder / "index.parquet" for t in tasks if _holds_articles(t.source) and t.folder not in again]
    return again | (_newly_cited(indexes, cited) if cited and indexes else set())


def _is_read(task: Task) -> bool:
    path = task.folder / "report.json"
    if is_listing(task.name):
        files = ["numbers.parquet"]
    else:
        files = ["records.parquet"] + (["index.parquet"] if _holds_articles(task.source) else [])
    if not path.exists() or not all((task.folder / name).exists() for name in files):
        return False
    spec = store.read_json(path)
    return bool(spec["reader"] == task.reader and spec["sha256"] == task.sha256)


def _newly_cited(indexes: Sequence[Path], cited: Path) -> set[Path]:
    """Folders of the files that hold an article which a registry cites and which was not kept when the file was read.

    One query over all indexes: it reads two of their columns, and costs seconds for the whole of PubMed.
    """
    with store.connect() as connection:
        found = connection.sql(
            f"""SELECT DISTINCT filename
            FROM read_parquet({store.parquet_list(indexes)}, filename = true, hive_partitioning = false)
            SEMI JOIN read_parquet({store.literal(cited)}) AS c USING (pmid)
            WHERE NOT is_kept AND event <> 'deletion'"""
        ).fetchall()
    return {Path(name).parent for (name,) in found}


# --- reading --------------------------------------------------------------------------------------------------------


def read_here(tasks: Sequence[Task], workers: int) -> Iterator[tuple[Task, str]]:
    """Every payload as it is done, and why its reading failed, where it did: in this process, or in so many others
    where that is worth their start."""
    if sum(t.payload.stat().st_size for t in tasks if t.payload.exists()) > WORTH_A_POOL:
        yield from _pooled(tasks, workers)
    else:
        yield from ((task, attempt(task)) for task in tasks)


def _pooled(tasks: Sequence[Task], workers: int) -> Iterator[tuple[Task, str]]:
    """Reads in worker processes. Where one dies all that were at work are suspects, and are read again one by one: the
    one with which a process dies that reads nothing else is the culprit."""
    waiting = deque(tasks)
    while waiting:
        suspects: list[Task] = []
        for task, fault in _until_one_dies(waiting, workers):
            if fault is None:
                suspects.append(task)
            else:
                yield task, fault
        if workers > 1:
            yield from _pooled(suspects, 1)
        else:
            yield from ((task, f"{DIED}; {NOTHING_READ}") for task in suspects)


_standing: dict[int, ProcessPoolExecutor] = {}
"""Pools by the number of their workers. They stay for what is read next: a worker takes half a second to start."""


def dismiss_workers() -> None:
    """Ends the processes that stand ready: for when all is read."""
    while _standing:
        _standing.popitem()[1].shutdown()


def _until_one_dies(waiting: deque[Task], workers: int) -> Iterator[tuple[Task, str | None]]:
    """Takes tasks from those waiting, as many at once as there are workers; None is said of those that were at work
    when a worker died."""
    pool = _standing.pop(workers, None) or _workers(workers)
    running: dict[Future[str], Task] = {}
    is_broken = False
    try:
        while running or (waiting and not is_broken):
            while waiting and len(running) < workers and not is_broken:
                try:
                    with no_program():
                        running[pool.submit(_attempt_alike, waiting[0])] = waiting[0]
                    waiting.popleft()
                except BrokenProcessPool:
                    is_broken = True
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                task = running.pop(future)
                died = isinstance(future.exception(), BrokenProcessPool)
                is_broken |= died
                yield task, None if died else future.result()
        if not is_broken:
            _standing[workers] = pool
    finally:
        if workers not in _standing:
            pool.shutdown()


def _workers(number: int) -> ProcessPoolExecutor:
    """A pool whose processes all start at once: one that has nothing to read yet makes itself ready."""
    pool = ProcessPoolExecutor(number, mp_context=get_context("spawn"), initializer=_become_a_worker)
    with no_program():
        for _ in range(number):
            pool.submit(_be_ready)
    return pool


def _be_ready() -> None:
    """Imports what reading takes longest to import."""
    module("pubmed")
    contracts()


@contextlib.contextmanager
def no_program() -> Iterator[None]:
    """A process that is started meanwhile imports what its work needs and no more. Else it would first import the
    program that starts it, which of Dagster takes longer than reading a file."""
    program = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = program


def _become_a_worker() -> None:
    sys.meta_path.insert(0, SimpleNamespace(find_spec=_without_pandas))
    end_with_parent()


def _without_pandas(name: str, path: object = None, target: object = None) -> None:
    """pyarrow imports pandas with the first list it is given: a third of a second and 50 MB that no reader needs."""
    if name == "pandas":
        raise ModuleNotFoundError(f"{name} is not imported by a worker", name=name)


def end_with_parent() -> None:
    """A worker whose build was killed ends at once: it must not write into what the next build reads."""
    parent = parent_process()

    def end() -> None:
        if parent:
            connection.wait([parent.sentinel])
            os._exit(1)

    threading.Thread(target=end, daemon=True).start()


def _attempt_alike(task: Task) -> str:
    """The same by a process that started later. Raises DataError where it has another reader than the task names: it
    would refuse every payload, and a build without all of them must not take the place of the last one."""
    if reader_version(task.source) != task.reader:
        raise DataError("The program was changed on disk while it ran, so that nothing more was read: run it again.")
    return attempt(task)


def attempt(task: Task) -> str:
    """Reads one payload; empty, or in a few words why it cannot be read. No value is quoted: it could be a person's.

    A disk that is full or may not be written to is no fault of the file and stops the build.
    """
    try:
        read_payload(task)
    except Exception as error:  # whatever a file does to its reader, the rest of the night goes on
        if store.way_out(error) and str(task.payload) not in str(error):
            raise
        return f"{_words(error)}; {NOTHING_READ}"
    return ""


def _words(error: Exception) -> str:
    if isinstance(error, MemoryError):
        return "there was not enough memory to read it: try ALLTRIALS_THREADS=1"
    if isinstance(error, OSError) and error.strerror:
        return f"it could not be opened or read ({error.strerror})"
    place = traceback.extract_tb(error.__traceback__)[-1]
    return f"its reader failed ({type(error).__name__} in {Path(place.filename).name}, line {place.lineno})"


@functools.lru_cache(maxsize=1)
def _cited(path: Path, written: int) -> frozenset[int]:
    """The PMIDs of the file, once per process and writing of it: many payloads are read for the same ones."""
    with store.connect() as connection:
        return frozenset(pmid for (pmid,) in connection.sql(f"SELECT pmid FROM {store.literal(path)}").fetchall())


def read_payload(task: Task) -> None:
    """Reads one payload into its staging folder, which appears complete or not at all.

    The same in this process, in a pool's worker or on another machine. Raises AssertionError where the reader's own
    account does not add up: then the reader is at fault, not the payload.
    """
    source = module(task.source)
    options = {"cited": _cited(task.cited, task.cited.stat().st_mtime_ns)} if task.cited else {}
    with store.whole_folder(task.folder) as aside:
        report = Report()
        if is_listing(task.name):
            _write_numbers(source.numbers(task.payload), aside / "numbers.parquet")
        else:
            report = source.read(task.payload, task.name, task.day, aside / "records.parquet", **options)
        if report.balance() != 0:
            raise AssertionError(f"{task.name}: {report.balance()} records are unaccounted for by the reader.")
        files = {p.name: (p.stat().st_size, snapshots.sha256_of(p)) for p in sorted(aside.iterdir())}
        spec = {"reader": task.reader, "sha256": task.sha256, "report": report.as_json(), "files": files}
        store.write_json(aside / "report.json", spec)


def _write_numbers(numbers: Iterable[str], out: Path) -> None:
    with store.connect() as connection:
        connection.execute("CREATE TABLE numbers (registration_id VARCHAR)")
        store.insert(connection, "numbers", [(number,) for number in numbers])
        store.write_parquet(connection, "SELECT DISTINCT registration_id FROM numbers ORDER BY registration_id", out)


def _staged(snapshot: Snapshot, payload: Payload, task: Task, fault: str) -> Staged:
    if fault:
        report = Report()
        report.reject_payload(payload.name, f"{fault}.")
        return Staged(snapshot, payload, task.folder, report, is_read=False)
    report = reading.report_from(store.read_json(task.folder / "report.json")["report"])
    return Staged(snapshot, payload, task.folder, report)


# --- staging as relations -------------------------------------------------------------------------------------------


def register(connection: duckdb.DuckDBPyConnection, staged: Sequence[Staged]) -> None:
    """Makes the staged payloads available as staged_registrations, staged_regulatory_flags, staged_articles,
    staged_index and listed_numbers (views; empty where nothing of the kind was imported), and their accounts as
    payload_reports, payload_rejects, unread_records, article_payloads and snapshots (tables)."""
    _accounts(connection, staged)
    by_kind: dict[str, list[Staged]] = {"registration_records": [], "regulatory_flags": [], "articles": []}
    for item in staged:
        if item.is_read and not item.is_listing:
            by_kind[module(item.snapshot.source).KIND].append(item)
    _listings(connection, [item for item in staged if item.is_read and item.is_listing])
    relations = [
        ("staged_registrations", "registration_records", [s.records for s in by_kind["registration_records"]]),
        ("staged_regulatory_flags", "regulatory_flags", [s.records for s in by_kind["regulatory_flags"]]),
        ("staged_articles", "articles", [s.records for s in by_kind["articles"]]),
        ("staged_index", "article_index", [s.index for s in by_kind["articles"]]),
    ]
    for name, contract, files in relations:
        table = contracts().staging[contract]
        if files:
            origin = f"read_parquet({store.parquet_list(files)}, filename = 'file', hive_partitioning = false)"
        else:
            nulls = ", ".join(f'NULL::{c.type} AS "{c.name}"' for c in table.columns)
            origin = f"(SELECT {nulls}, NULL::VARCHAR AS file LIMIT 0)"
        connection.execute(
            f"""CREATE VIEW {name} AS
            SELECT r.* EXCLUDE (file), f.snapshot, f.snapshot_date, f.scope,
                f.file
            FROM {origin} AS r JOIN payload_reports AS f ON f.file = regexp_replace(r.file, '/[^/]*$', '')"""
        )


def _listings(connection: duckdb.DuckDBPyConnection, listings: Sequence[Staged]) -> None:
    """listed_numbers: what a source listed on which day."""
    if not listings:
        connection.execute(
            """CREATE VIEW listed_numbers AS
            SELECT NULL::VARCHAR AS source, NULL::DATE AS snapshot_date, NULL::VARCHAR AS registration_id LIMIT 0"""
        )
        return
    connection.execute(
        f"""CREATE VIEW listed_numbers AS
        SELECT f.source, f.snapshot_date, r.registration_id
        FROM read_parquet({store.parquet_list([s.numbers for s in listings])}, filename = 'file',
            hive_partitioning = false) AS r
        JOIN payload_reports AS f ON f.file = regexp_replace(r.file, '/[^/]*$', '')"""
    )


def _accounts(connection: duckdb.DuckDBPyConnection, staged: Sequence[Staged]) -> None:
    connection.execute(
        """CREATE TABLE payload_reports (file VARCHAR, source VARCHAR, snapshot VARCHAR, snapshot_date DATE,
            scope VARCHAR, payload VARCHAR, bytes BIGINT, sha256 VARCHAR, records_in BIGINT, staged BIGINT,
            rejected BIGINT, not_wanted BIGINT, deletions BIGINT);
        CREATE TABLE payload_rejects (source VARCHAR, snapshot VARCHAR, payload VARCHAR, scope VARCHAR, record VARCHAR,
            field VARCHAR, value VARCHAR, reason VARCHAR);
        CREATE TABLE unread_records (source VARCHAR, snapshot_date DATE, registration_id VARCHAR);
        CREATE TABLE article_payloads (file VARCHAR, snapshot VARCHAR, snapshot_date DATE, payload VARCHAR,
            file_year INTEGER, file_number INTEGER, is_baseline BOOLEAN, is_whole BOOLEAN, is_failed BOOLEAN);
        CREATE TABLE snapshots (source VARCHAR, snapshot VARCHAR, snapshot_date DATE, scope VARCHAR, sha256 VARCHAR,
            volume BIGINT, is_fetched BOOLEAN)"""
    )
    store.insert(connection, "payload_reports", [_account(item) for item in staged])
    rejects = [
        (item.snapshot.source, item.snapshot.id, item.payload.name, r.scope, r.record, r.field, r.value, r.reason)
        for item in staged
        for r in item.report.rejects
    ]
    store.insert(connection, "payload_rejects", rejects)
    store.insert(connection, "unread_records", sorted({row for item in staged for row in _unread(item)}))
    articles = [_article_payload(item) for item in staged if _holds_articles(item.snapshot.source)]
    store.insert(connection, "article_payloads", articles)
    taken = {(s.source, s.id): s for s in (item.snapshot for item in staged)}
    store.insert(connection, "snapshots", [_snapshot(s) for s in taken.values()])


def _unread(item: Staged) -> Iterator[tuple[str, date, str]]:
    """The registrations of which a snapshot should have brought a record that could not be had or not be read, as far
    as the place or the rest of such a record, or the name of the file of one record's history, names one."""
    shot = item.snapshot
    found = [r for r in item.report.rejects if r.scope == "record" or item.payload.name.endswith(snapshots.HISTORY)]
    places = [f"{r.record} {r.value}" for r in found]
    for text in [*places, *shot.fetched.get("missing", ())]:
        yield from ((shot.source, shot.date, hit.canonical) for hit in trn.find(text))


def _snapshot(shot: Snapshot) -> tuple[object, ...]:
    return (shot.source, shot.id, shot.date, shot.scope, shot.sha256, shot.fetched.get("records"), bool(shot.fetched))


def _account(item: Staged) -> tuple[object, ...]:
    shot, payload, report = item.snapshot, item.payload, item.report
    return (
        str(item.folder), shot.source, shot.id, shot.date, shot.scope, payload.name, payload.bytes, payload.sha256,
        report.records_in, report.staged, report.rejected, report.not_wanted, report.deletions,
    )  # fmt: skip


def _article_payload(item: Staged) -> tuple[object, ...]:
    shot, name = item.snapshot, item.payload.name
    year, number = module(shot.source).file_number(name) or (None, None)
    is_failed = any(r.scope == "payload" for r in item.report.rejects)
    is_whole = shot.baseline and shot.scope == "full"
    return (str(item.folder), shot.id, shot.date, name, year, number, shot.baseline, is_whole, is_failed)
