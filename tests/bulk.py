"""Public tables of many rows, laid out as a release lays them out: what remote readers are sent of them is counted.

Belongs here: rows by the hundred thousand that are quick to make and say little. Worlds that mean something are made in
`worlds` and `releases`.
"""

from pathlib import Path

from pipelines import store
from pipelines.contracts import Table
from pipelines.release import tables

TRIAL = "printf('NCT%08d', range)"


def write(folder: Path, table: Table, rows: int, **values: str) -> Path:
    """Writes a table of the numbers below `rows`. values: SQL on `range` for some columns; the others are empty. Rows
    are given in another order than their key's."""
    columns = ", ".join(f'{values.get(c.name, f"CAST(NULL AS {c.type})")} AS "{c.name}"' for c in table.columns)
    with store.connect() as connection:
        tables.write_table(connection, table, f"SELECT {columns} FROM range({rows}) ORDER BY hash(range)", folder)
    return folder / tables.parquet(table)
