"""From the raw archive to typed Parquet: which payloads have to be read, and what became of each.

`data/staging/<source>/<snapshot>/<payload>/` holds `records.parquet` (the source's staging contract), for PubMed also
`index.parquet`, and `report.json`. It is a pure function of the payload, the reader and the contracts, so a payload is
read again only when one of them changed. How a payload is read belongs to its source.
"""

import hashlib
import importlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import date
from multiprocessing import get_context
from pathlib import Path
from types import ModuleType

import duckdb
import pyarrow as pa

from pipelines import reading, snapshots, store
from pipelines.contracts import contracts
from pipelines.reading import Report
from pipelines.settings import ROOT, SCHEMAS
from pipelines.snapshots import Payload, Snapshot

WORTH_A_POOL = 32 << 20
"""Bytes of unread payloads above which several processes read faster than one, their start included."""


@dataclass(frozen=True)
class Staged:
    """One payload as it lies in staging."""

    snapshot: Snapshot
    payload: Payload
    folder: Path
    report: Report

    @property
    def records(self) -> Path:
        return self.folder / "records.parquet"

    @property
    def index(self) -> Path:
        return self.folder / "index.parquet"


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
    cited: frozenset[int]


def module(source: str) -> ModuleType:
    return importlib.import_module(f"pipelines.sources.{source}")


def reader_version(source: str) -> str:
    """Hash over all that decides how a payload of the source is read."""
    digest = hashlib.sha256()
    shared = ["dates.py", "privacy.py", "trn.py", "reading.py", "contracts.py", "store.py", "staging.py"]
    files = [ROOT / "pipelines" / name for name in shared]
    files += sorted((ROOT / "pipelines" / "formats").glob("*.py"))
    files += sorted((ROOT / "pipelines" / "sources").glob(f"{source}.*"))
    files += [SCHEMAS / "sources" / f"{source}.toml"]
    for folder in ("staging", "vocabularies", "reference"):
        files += sorted((SCHEMAS / folder).iterdir())
    for path in files:
        digest.update(f"{path.relative_to(ROOT).as_posix()}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def stage(
    data: Path,
    taken: Sequence[Snapshot],
    *,
    workers: int = 1,
    cited: frozenset[int] = frozenset(),
    told: Callable[[Staged, bool], None] = lambda staged, fresh: None,
) -> list[Staged]:
    """Reads every payload of the snapshots that has not been read by the present reader.

    cited: PMIDs that registries name; a PubMed file that holds one it did not keep is read again.
    told: called with every payload as it is done, and whether it was read now.
    """
    wanted = list(_tasks(data, taken, cited))
    missing = [task for task, done in wanted if not done]
    by_folder = {_folder(data, s, p): (s, p) for s in taken for p in s.payloads if not is_side_file(p)}
    for task, done in wanted:
        if done:
            told(_staged(*by_folder[task.folder], task.folder), False)
    for task in _read_all(missing, workers):
        told(_staged(*by_folder[task.folder], task.folder), True)
    return [_staged(s, p, folder) for folder, (s, p) in by_folder.items()]


def is_side_file(payload: Payload) -> bool:
    """A checksum that came with a file: kept in the archive, verified by the reader, no payload of its own."""
    return payload.name.endswith(snapshots.SIDE_FILE)


def _tasks(data: Path, taken: Sequence[Snapshot], cited: frozenset[int]) -> Iterator[tuple[Task, bool]]:
    versions = {source: reader_version(source) for source in {s.source for s in taken}}
    for snapshot in taken:
        for payload in snapshot.payloads:
            if is_side_file(payload):
                continue
            folder = _folder(data, snapshot, payload)
            task = Task(
                source=snapshot.source,
                payload=snapshot.path(payload),
                name=payload.name,
                day=snapshot.date,
                folder=folder,
                reader=versions[snapshot.source],
                sha256=payload.sha256,
                cited=cited if module(snapshot.source).KIND == "articles" else frozenset(),
            )
            yield task, _is_done(task)


def _folder(data: Path, snapshot: Snapshot, payload: Payload) -> Path:
    return data / "staging" / snapshot.source / snapshot.id / payload.name


def _is_done(task: Task) -> bool:
    path = task.folder / "report.json"
    files = ["records.parquet"] + (["index.parquet"] if module(task.source).KIND == "articles" else [])
    if not path.exists() or not all((task.folder / name).exists() for name in files):
        return False
    spec = store.read_json(path)
    if spec["reader"] != task.reader or spec["sha256"] != task.sha256:
        return False
    return not task.cited or not _newly_cited(task.folder / "index.parquet", task.cited)


def _newly_cited(index: Path, cited: frozenset[int]) -> bool:
    """Whether the file holds an article that a registry cites and that was not kept when the file was read."""
    with store.connect() as connection:
        connection.register("cited", pa.table({"pmid": pa.array(cited, pa.int64())}))
        ((found,),) = connection.sql(
            f"""SELECT count(*) FROM read_parquet({store.literal(index)}, hive_partitioning = false)
            SEMI JOIN cited USING (pmid) WHERE NOT is_kept AND event <> 'deletion'"""
        ).fetchall()
    return bool(found)


def _read_all(tasks: Sequence[Task], workers: int) -> Iterator[Task]:
    if workers > 1 and len(tasks) > 1 and sum(t.payload.stat().st_size for t in tasks) > WORTH_A_POOL:
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
            yield from pool.map(read_payload, tasks)
    else:
        yield from map(read_payload, tasks)


def read_payload(task: Task) -> Task:
    """Reads one payload into its staging folder, which appears complete or not at all.

    The same in this process, in a pool's worker or on another machine. Raises AssertionError where the reader's own
    account does not add up: then the reader is at fault, not the payload.
    """
    source = module(task.source)
    with store.whole_folder(task.folder) as aside:
        options = {"cited": task.cited} if source.KIND == "articles" else {}
        report: Report = source.read(task.payload, task.name, task.day, aside / "records.parquet", **options)
        if report.balance() != 0:
            raise AssertionError(f"{task.name}: {report.balance()} records are unaccounted for by the reader.")
        spec = {"reader": task.reader, "sha256": task.sha256, "report": report.as_json()}
        store.write_json(aside / "report.json", spec)
    return task


def _staged(snapshot: Snapshot, payload: Payload, folder: Path) -> Staged:
    return Staged(snapshot, payload, folder, reading.report_from(store.read_json(folder / "report.json")["report"]))


# --- staging as relations -------------------------------------------------------------------------------------------


def register(connection: duckdb.DuckDBPyConnection, staged: Sequence[Staged]) -> None:
    """Makes the staged payloads available as staged_registrations, staged_regulatory_flags, staged_articles and
    staged_index (views; empty where nothing of the kind was imported), and their accounts as payload_reports,
    payload_rejects, article_payloads and snapshots (tables)."""
    _accounts(connection, staged)
    by_kind: dict[str, list[Staged]] = {"registration_records": [], "regulatory_flags": [], "articles": []}
    for item in staged:
        by_kind[module(item.snapshot.source).KIND].append(item)
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


def _accounts(connection: duckdb.DuckDBPyConnection, staged: Sequence[Staged]) -> None:
    connection.execute(
        """CREATE TABLE payload_reports (file VARCHAR, source VARCHAR, snapshot VARCHAR, snapshot_date DATE,
            scope VARCHAR, payload VARCHAR, bytes BIGINT, sha256 VARCHAR, records_in BIGINT, staged BIGINT,
            rejected BIGINT, not_wanted BIGINT, deletions BIGINT);
        CREATE TABLE payload_rejects (source VARCHAR, snapshot VARCHAR, payload VARCHAR, scope VARCHAR, record VARCHAR,
            field VARCHAR, value VARCHAR, reason VARCHAR);
        CREATE TABLE article_payloads (file VARCHAR, snapshot VARCHAR, snapshot_date DATE, payload VARCHAR,
            file_year INTEGER, file_number INTEGER, is_baseline BOOLEAN, is_whole BOOLEAN, is_failed BOOLEAN);
        CREATE TABLE snapshots (source VARCHAR, snapshot VARCHAR, snapshot_date DATE, scope VARCHAR, sha256 VARCHAR)"""
    )
    for item in staged:
        shot, report = item.snapshot, item.report
        connection.execute(
            "INSERT INTO payload_reports VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [str(item.folder), shot.source, shot.id, shot.date, shot.scope, item.payload.name, item.payload.bytes,
             item.payload.sha256, report.records_in, report.staged, report.rejected, report.not_wanted,
             report.deletions],
        )  # fmt: skip
        rejects = [
            (shot.source, shot.id, item.payload.name, r.scope, r.record, r.field, r.value, r.reason)
            for r in report.rejects
        ]
        store.insert(connection, "payload_rejects", rejects)
        if module(shot.source).KIND == "articles":
            year, number = module(shot.source).file_number(item.payload.name) or (None, None)
            failed = any(r.scope == "payload" for r in report.rejects)
            connection.execute(
                "INSERT INTO article_payloads VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [str(item.folder), shot.id, shot.date, item.payload.name, year, number, shot.baseline,
                 shot.baseline and shot.scope == "full", failed],
            )  # fmt: skip
    for shot in {item.snapshot.id + item.snapshot.source: item.snapshot for item in staged}.values():
        connection.execute(
            "INSERT INTO snapshots VALUES (?, ?, ?, ?, ?)", [shot.source, shot.id, shot.date, shot.scope, shot.sha256]
        )
