"""The public tables as files: Parquet, CSV where a spreadsheet can take it, and one DuckDB file.

Belongs here: which tables are public, and how their rows get into files that are the same bytes whenever they hold the
same rows. Does not: which rows may be passed on (`redistributable`), what is said about the files (`package`).
"""

import contextlib
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path

import duckdb

from pipelines import build, store
from pipelines import contracts as contract_files
from pipelines.contracts import Column, Contracts, Table, contracts
from pipelines.release import redistributable
from pipelines.settings import Settings

CSV_ROWS = 100_000
"""Tables of fewer rows come as CSV too, unless they are made of structs; spreadsheets take not many more."""

GROUP_VALUES = 2_500_000
"""Values in a row group of a public file, at most: whoever asks for one trial is sent one group of each column asked
for, three megabytes at most. Smaller groups are more requests for whoever reads whole columns (decision 21)."""


def public(known: Contracts) -> Contracts:
    """The contracts of a release: the tables about the world, and those that a release has about itself. What is about
    the run of a program stays out."""
    world = {name: table for name, table in known.tables.items() if not table.about_run}
    return replace(known, tables=dict(sorted({**world, **known.released}.items())))


@contextlib.contextmanager
def opened(
    settings: Settings, tables: Mapping[str, Table], folder: Path, as_of: date, spill: Path
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection in which the Parquet files of a folder stand under the names of their tables, beside everything
    that a query or a check of ours may ask for."""
    with store.connect(threads=settings.threads, memory_limit=settings.memory_limit, spill=spill) as connection:
        build.prepare(connection, contracts(), as_of, [])
        for name in tables:
            parquet = store.literal(folder / f"{name}.parquet")
            connection.execute(f'CREATE VIEW "{name}" AS FROM read_parquet({parquet}, hive_partitioning = false)')
        yield connection


def write_tables(settings: Settings, built: Path, as_of: date, folder: Path) -> None:
    """Writes what may be passed on of every table of a build, sorted by key. A table that did not change is the same
    file, so its stamp says nothing of the day."""
    known = contracts()
    wanted = {name: table for name, table in known.tables.items() if not table.about_run}
    with opened(settings, wanted, built, as_of, folder) as connection:
        for table in wanted.values():
            write_table(connection, table, redistributable.query(table, known), folder)


def write_table(connection: duckdb.DuckDBPyConnection, table: Table, sql: str, folder: Path) -> None:
    """Writes the rows of a query as the Parquet file of a table."""
    stamp = {"title": table.title, "meaning": table.meaning, "grain": table.grain}
    stamp |= {"key": ", ".join(table.key), "licence": contract_files.dataset()["licence"]}
    names = ", ".join(f'"{c}"' for c in table.column_names)
    order = ", ".join(f'"{c}"' for c in table.order)
    query = f"SELECT {names} FROM ({sql}) ORDER BY {order}"
    store.write_parquet(connection, query, folder / parquet(table), stamp, row_group(table))


def row_group(table: Table) -> int:
    """Rows in a row group of the table's public file: fewer where rows are wide."""
    return min(store.ROW_GROUP, GROUP_VALUES // sum(_values(column) for column in table.columns))


def _values(column: Column) -> int:
    """Parquet columns that a column becomes: one, or one for each field of a struct."""
    return column.type.count(",") + 1


def write_csv(folder: Path, tables: Mapping[str, Table], rows: Mapping[str, int]) -> None:
    """Writes the small tables as CSV as well: UTF-8, ISO dates, lists as JSON, nothing where a value is not
    known."""
    with store.connect(spill=folder) as connection:
        for name, table in tables.items():
            if rows[name] < CSV_ROWS and not any(map(_is_struct, table.columns)):
                values = ", ".join(map(_csv_value, table.columns))
                order = ", ".join(f'"{c}"' for c in table.order)
                sql = f"SELECT {values} FROM read_parquet({store.literal(folder / parquet(table))}) ORDER BY {order}"
                store.write_csv(connection, sql, folder / f"{name}.csv")


def _is_struct(column: Column) -> bool:
    return column.type.startswith("STRUCT") and not column.type.endswith("[]")


def _csv_value(column: Column) -> str:
    is_list = column.type.endswith("[]")
    return f'CAST(to_json("{column.name}") AS VARCHAR) AS "{column.name}"' if is_list else f'"{column.name}"'


def write_database(settings: Settings, folder: Path, as_of: date, known: Contracts) -> None:
    """Writes the DuckDB file from the Parquet files, the same bytes for the same rows."""
    build.write_database(known, as_of, folder, replace(settings, threads=1))


def parquet(table: Table) -> str:
    return f"{table.name}.parquet"


def schema_hash(table: Table) -> str:
    """sha256 over names, types and key: it changes when a reader's query may have to."""
    shape = [[c.name, c.type, c.required] for c in table.columns]
    return hashlib.sha256(json.dumps([shape, table.key]).encode()).hexdigest()
