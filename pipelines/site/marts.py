"""The small database that the explore page asks: the release's own tables of counts, under their own names and columns.

Belongs here: which tables these are and how much of the long ones. Does not: the page that asks (`exploring`).
"""

from datetime import date
from pathlib import Path

import duckdb

from pipelines import build, snapshots
from pipelines.contracts import Contracts, contracts, quote

LARGEST = 1_500
"""Rows that are kept of a long table (of scorecards: of each unit under each policy), the largest first, so that the
file stays below 25 MB at any size of the world."""

LONG = {
    "scorecards": ("unit_kind, policy", "due DESC, unit_value"),
    "evidence_gaps": ("condition = '(all)', intervention = '(all)'", "none_found DESC, condition, intervention"),
    "missing_by_condition": ("policy", "missing DESC, condition"),
    "missing_by_intervention": ("policy", "missing DESC, intervention"),
}
"""Of each long table: within what its rows are ranked, and by what."""

UNITS = ("unit_value", "condition", "intervention")
"""Columns of the long tables that name a unit. A unit that is asked for by its name may have rows that were cut off."""

WHOLE = ("coverage", "sources", "supporters", "link_counts", "reporting_summary", "supporter_record")
"""Tables and views that are small at any size of the world."""


def write(connection: duckdb.DuckDBPyConnection, out: Path, as_of: date) -> str:
    """Writes the marts into a folder; returns the file's name. It ends with a part of the file's hash, so that what is
    read in parts never changes under its name. The same release gives the same bytes."""
    known = contracts()
    aside = out / "marts.part"
    connection.execute(f"SET disabled_compression_methods = {quote(build.UNEVEN_COMPRESSION)}")
    connection.execute(f"ATTACH {quote(str(aside))} AS marts (STORAGE_VERSION 'v1.0.0')")
    try:
        for name in sorted((*LONG, *WHOLE)):
            connection.execute(f'CREATE TABLE marts.main."{name}" AS {_rows(name)}')
            connection.execute(f'COMMENT ON TABLE marts.main."{name}" IS {quote(meaning(name, known, as_of))}')
    finally:
        connection.execute("DETACH marts")
        connection.execute("RESET disabled_compression_methods")
    name = f"marts-{snapshots.sha256_of(aside)[:12]}.duckdb"
    aside.rename(out / name)
    return name


def _rows(name: str) -> str:
    if name in WHOLE:
        return f'FROM "{name}" ORDER BY ALL'
    within, by = LONG[name]
    rank = f"row_number() OVER (PARTITION BY {within} ORDER BY {by})"
    return f'FROM "{name}" QUALIFY {rank} <= {LARGEST} ORDER BY {within}, {by}'


def meaning(name: str, known: Contracts, as_of: date) -> str:
    """What a table of the marts holds, and how much of it."""
    table = known.tables.get(name)
    said = f"{table.meaning} Grain: {table.grain}." if table else build.views(known, as_of)[name][0]
    return f"{said} The {LARGEST:,} largest of each kind; the release has all." if name in LONG else said
