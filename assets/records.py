"""Dagster's own records of runs: how they are written. What a run says of itself stands with the assets.

Its SQLite storage opens a connection for every event and waits, at every commit and every close, until the disk has all
of it: some thousand waits a night, more than all other orchestration together where the disk is busy.
"""

import sqlite3
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine


def write_without_waiting() -> None:
    """Leaves it to the system when Dagster's records reach the disk, in this process. A crash of the program loses
    nothing; a power cut may spoil the records, of which nothing in the warehouse is made (docs/operations.md)."""
    if not event.contains(Engine, "connect", _do_not_wait):
        event.listen(Engine, "connect", _do_not_wait)


def _do_not_wait(connection: Any, _record: Any) -> None:
    if isinstance(connection, sqlite3.Connection):
        connection.execute("PRAGMA synchronous = OFF")
