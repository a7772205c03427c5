"""What a release changes against the one before it, row by row, without repeating what the rows said.

Belongs here: the comparison of two folders of Parquet files by the keys of their tables. Does not: which release is
the base, or why a verdict moved (`status_transitions`).
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb

from pipelines import store
from pipelines.contracts import Table, quote

CHANGES = "changes"


def fill(
    connection: duckdb.DuckDBPyConnection, contract: Table, tables: Mapping[str, Table], before: Path, after: Path
) -> list[str]:
    """Fills the table of changes in the connection; returns the tables that could not be compared, since only the
    release has them or their keys are others. before, after: the folders of the two releases' files."""
    not_compared = []
    for table in tables.values():
        old, new = before / f"{table.name}.parquet", after / f"{table.name}.parquet"
        shared = _shared(connection, old, new) if old.exists() else []
        if set(table.key) <= set(shared):
            connection.execute(f'INSERT INTO "{contract.name}" {_query(table, shared, old, new)}')
        else:
            not_compared.append(table.name)
    return not_compared


def counts(connection: duckdb.DuckDBPyConnection) -> dict[str, dict[str, int]]:
    """By table and kind, how many rows changed."""
    found: dict[str, dict[str, int]] = {}
    for name, change, rows in connection.execute(
        f"SELECT table_name, change, count(*) FROM {CHANGES} GROUP BY ALL ORDER BY ALL"
    ).fetchall():
        found.setdefault(name, {})[change] = rows
    return found


def _shared(connection: duckdb.DuckDBPyConnection, old: Path, new: Path) -> list[str]:
    """Columns that both files have, of the same type."""
    shapes = [
        dict(connection.execute(f"SELECT column_name, column_type FROM (DESCRIBE FROM {_read(p)})").fetchall())
        for p in (old, new)
    ]
    return [name for name, type_ in shapes[1].items() if shapes[0].get(name) == type_]


def _read(path: Path) -> str:
    return f"read_parquet({store.literal(path)}, hive_partitioning = false)"


def _query(table: Table, columns: Sequence[str], old: Path, new: Path) -> str:
    named = ", ".join(f'{quote(k)}, coalesce(n."{k}", o."{k}")' for k in table.key)
    differ = ", ".join(
        f'CASE WHEN n."{c}" IS DISTINCT FROM o."{c}" THEN {quote(c)} END' for c in columns if c not in table.key
    )
    same_key = " AND ".join(f'n."{k}" = o."{k}"' for k in table.key)
    return f"""WITH compared AS (
            SELECT CAST(json_object({named}) AS VARCHAR) AS key,
                CASE WHEN o.is_a_row IS NULL THEN 'added' WHEN n.is_a_row IS NULL THEN 'removed' ELSE 'altered' END
                    AS became,
                list_filter([{differ}]::VARCHAR[], lambda c: c IS NOT NULL) AS differing
            FROM (SELECT *, true AS is_a_row FROM {_read(new)}) AS n
            FULL JOIN (SELECT *, true AS is_a_row FROM {_read(old)}) AS o ON {same_key}
        )
        SELECT {quote(table.name)}, key, became, CASE WHEN became = 'altered' THEN differing ELSE [] END
        FROM compared WHERE became <> 'altered' OR len(differing) > 0"""
