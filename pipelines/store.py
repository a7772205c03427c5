"""Files and connections: Parquet in and out, DuckDB connections, writes that are whole or not there.

Together with `snapshots` the only module that opens data files. It knows nothing of what the tables mean.
"""

import contextlib
import errno
import fcntl
import json
import os
import re
import shutil
import tempfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.contracts import quote
from pipelines.errors import BusyError, UsageError

PART = ".part"
"""How names end of what is not complete yet."""

ROW_GROUP = 122_880
"""Rows per Parquet row group: DuckDB's own, small enough that a look-up by key reads little."""


@contextlib.contextmanager
def connect(
    path: Path | None = None, *, threads: int = 1, memory_limit: str = "1GB", spill: Path | None = None
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A DuckDB connection that is closed whatever happens. It never fetches an extension from the network."""
    config: dict[str, Any] = {
        "threads": threads,
        "memory_limit": memory_limit,
        "autoinstall_known_extensions": "false",
        "preserve_insertion_order": "true",
    }
    if spill is not None:
        config["temp_directory"] = str(spill)
    connection = duckdb.connect(str(path) if path else ":memory:", config=config)
    try:
        connection.execute("SET enable_progress_bar = false")
        connection.execute("SET TimeZone = 'UTC'")
        yield connection
    finally:
        connection.close()


def attach_new(connection: duckdb.DuckDBPyConnection, path: Path, name: str) -> None:
    """Begins a DuckDB file that every DuckDB from 1.0 on can read. It is whole once it has been detached; until then it
    is nobody's, so that no log of it is kept."""
    options = "STORAGE_VERSION 'v1.0.0', RECOVERY_MODE 'no_wal_writes'"
    connection.execute(f"ATTACH {quote(str(path))} AS {name} ({options})")


def create_in_slices(connection: duckdb.DuckDBPyConnection, name: str, query: str) -> None:
    """Makes a table of a query that keeps to `in_slice` (macros.sql), a slice after the other: what a query gathers in
    groups has to fit into memory. The variable `slices` says how many there are: one where it is not set."""
    ((slices,),) = connection.sql("SELECT coalesce(getvariable('slices'), 1)").fetchall()
    for part in range(slices):
        connection.execute(f"SET VARIABLE slice = {part}")
        connection.execute(f'INSERT INTO "{name}" {query}' if part else f'CREATE TABLE "{name}" AS {query}')
    connection.execute("RESET VARIABLE slice")


@contextlib.contextmanager
def open_warehouse(data: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The current warehouse, read-only. Raises UsageError where none has been built."""
    path = data / "warehouse" / "alltrials.duckdb"
    if not path.exists():
        raise UsageError(f"There is no warehouse in {data}: import some dumps and run `build` first.")
    with open_database(path) as connection:
        yield connection


@contextlib.contextmanager
def open_database(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A DuckDB file, read-only."""
    connection = duckdb.connect(str(path.resolve()), read_only=True, config={"autoinstall_known_extensions": "false"})
    try:
        yield connection
    finally:
        connection.close()


def row_counts(data: Path) -> dict[str, int]:
    """Rows of each table of the current warehouse; none where there is no warehouse."""
    return {p.stem: rows_of(p) for p in sorted((data / "warehouse").glob("*.parquet"))}


def rows_of(parquet: Path) -> int:
    return int(pq.read_metadata(parquet).num_rows)


def write_parquet(
    connection: duckdb.DuckDBPyConnection,
    query: str,
    path: Path,
    metadata: Mapping[str, str] | None = None,
    row_group: int = ROW_GROUP,
) -> None:
    """Writes the rows of `query` in their order: zstd, stamped with `metadata`, in groups of about `row_group` rows.

    A stamp is for what is published, in version 1 pages that every reader knows. What only we read has version 2 pages:
    delta-encoded numbers take a fraction of the room.
    """
    stamp = ", ".join(f"{key}: {quote(value)}" for key, value in (metadata or {}).items())
    version = "v1" if stamp else "v2"
    options = f"FORMAT parquet, COMPRESSION zstd, PARQUET_VERSION {version}, ROW_GROUP_SIZE {row_group}"
    if stamp:
        options += f", KV_METADATA {{{stamp}}}"
    options += ", USE_TMP_FILE false"  # its name aside would be one that `sweep` does not know
    with whole(path) as aside:
        connection.execute(f"COPY ({query}) TO {quote(str(aside))} ({options})")


@contextlib.contextmanager
def arrow_writer(schema: pa.Schema, path: Path) -> Iterator[pq.ParquetWriter]:
    """Writes Arrow tables of the schema to a file that only we read, one row group after the other; the file is there
    when the block ends well. For rows that Python makes: they need no database in between."""
    numbers = [field.name for field in schema if pa.types.is_integer(field.type)]
    with whole(path) as aside:
        writer = pq.ParquetWriter(
            aside,
            schema,
            compression="zstd",
            data_page_version="2.0",
            store_schema=False,
            use_dictionary=[field.name for field in schema if field.name not in numbers],
            column_encoding=dict.fromkeys(numbers, "DELTA_BINARY_PACKED"),
        )
        with writer:
            yield writer


def write_csv(connection: duckdb.DuckDBPyConnection, query: str, path: Path) -> None:
    """Writes the rows of `query` in their order as CSV with a header. Texts are quoted, so that an empty one is told
    from one that is not known, and a line break of any kind stays inside."""
    relation = connection.sql(query)
    texts = [f'"{c}"' for c, type_ in zip(relation.columns, relation.types, strict=True) if type_ == "VARCHAR"]
    quoted = f", FORCE_QUOTE ({', '.join(texts)})" if texts else ""
    with whole(path) as aside:
        connection.execute(f"COPY ({query}) TO {quote(str(aside))} (FORMAT csv, HEADER{quoted})")


def parquet_list(paths: Sequence[Path]) -> str:
    """An SQL list literal of files, for read_parquet."""
    return "[" + ", ".join(literal(p) for p in paths) + "]"


@contextlib.contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Gives a name aside to write to; the file takes its real name only when the block ends well."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=PART, dir=path.parent)
    os.close(handle)
    aside = Path(name)
    try:
        yield aside
        aside.chmod(0o644)
        on_disk(aside)
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def zip_files(files: Mapping[str, Path], path: Path) -> None:
    """Packs files under the names given: the same files are the same bytes."""
    with whole(path) as aside, zipfile.ZipFile(aside, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.create_system = 3  # else it names the machine's own
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, files[name].read_bytes())


def whole_already(part: Path, path: Path) -> None:
    """Gives a file that is complete its real name."""
    on_disk(part)
    part.replace(path)
    on_disk(path.parent)


@contextlib.contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """The same for a folder: it appears complete under its name, or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=f".{path.name}.", suffix=PART, dir=path.parent))
    try:
        yield aside
        aside.chmod(0o755)
        whole_folder_already(aside, path)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def whole_folder_already(aside: Path, path: Path) -> None:
    """Gives a folder that is complete its real name; both lie on the same disk, which has it when this returns as far
    as its files have been written there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    on_disk(aside)
    if path.exists():  # an older one moves out of the way first, so that no half-removed folder has the name
        older = path.with_name(f".{path.name}.older{PART}")
        shutil.rmtree(older, ignore_errors=True)
        path.rename(older)
        aside.rename(path)
        on_disk(path.parent)
        shutil.rmtree(older)
    else:
        aside.rename(path)
        on_disk(path.parent)


def sweep(data: Path) -> None:
    """Removes what a killed process left behind; only for the holder of the data folder's lock."""
    for leftover in (
        *data.glob(f".*{PART}"),
        *data.glob(f"ledger/.*{PART}"),
        *data.glob(f"ledger/*/.*{PART}"),
        *data.glob(f"raw/*/.*{PART}"),
        *data.glob(f"staging/.*{PART}"),
        *data.glob(f"staging/*/*/.*{PART}"),
        *data.glob(f"builds/.*{PART}"),
        *data.glob(f"releases/.*{PART}"),
        *data.glob(f"releases/run/.*{PART}"),
    ):
        if leftover.is_dir() and not leftover.is_symlink():
            shutil.rmtree(leftover, ignore_errors=True)
        else:
            leftover.unlink(missing_ok=True)


NO_ROOM = tuple(os.strerror(code) for code in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG))
NO_RIGHT = tuple(os.strerror(code) for code in (errno.EROFS, errno.EACCES, errno.EPERM))
"""How the system words that nothing can be written; libraries hand on its words, but not always its number."""


def way_out(error: Exception) -> str:
    """What a person can do where the disk is full or may not be written to; empty for any other error."""
    said = str(error)
    if any(words in said for words in NO_ROOM):
        return "Make room on the disk and run it again."
    if any(words in said for words in NO_RIGHT):
        return "Make it writable and run it again."
    return ""


def literal(path: Path) -> str:
    """The path as an SQL literal in which no character is a wildcard."""
    return quote(re.sub(r"[*?\[]", r"[\g<0>]", str(path)))


def insert(connection: duckdb.DuckDBPyConnection, table: str, rows: Sequence[tuple[Any, ...]]) -> None:
    """Inserts rows in one statement, column by column: many times faster than row by row."""
    if rows:
        columns = [pa.array(column) for column in zip(*rows, strict=True)]
        connection.register("rows_to_insert", pa.table(columns, names=[f"c{i}" for i in range(len(columns))]))
        connection.execute(f"INSERT INTO {table} FROM rows_to_insert")
        connection.unregister("rows_to_insert")


def write_json(path: Path, value: object) -> None:
    """Writes JSON with sorted keys: the same value gives the same bytes."""
    with whole(path) as aside:
        aside.write_text(json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")


def write_text(path: Path, text: str) -> None:
    with whole(path) as aside:
        aside.write_text(text, encoding="utf-8")


def read_json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def switch(link: Path, target: Path) -> None:
    """Points the symlink `link` to a folder in one step: a reader sees the old one or the new one."""
    aside = link.with_name(f".{link.name}.{os.getpid()}{PART}")
    aside.unlink(missing_ok=True)
    aside.symlink_to(os.path.relpath(target, link.parent))
    aside.replace(link)


@contextlib.contextmanager
def only_writer(data: Path) -> Iterator[None]:
    """Holds the data folder's lock: two processes never write to one data folder at once. Raises BusyError if taken."""
    with locked(data / ".lock", f"Another import or build is writing to {data}"):
        yield


@contextlib.contextmanager
def locked(path: Path, who: str, *, waits: bool = False) -> Iterator[None]:
    """Holds the lock of that name for as long as the process lives at most. Raises BusyError, which says who has it,
    or waits where it is held for moments only."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | (0 if waits else fcntl.LOCK_NB))
        except BlockingIOError:
            raise BusyError(f"{who}: wait for it to end, then try again.") from None
        yield


def on_disk(path: Path) -> None:
    """Returns once the disk has the file, or the names in the folder: a power cut leaves it as it is."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
