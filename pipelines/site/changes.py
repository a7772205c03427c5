"""What changed from one published build to the next: counts with their causes, and the trials themselves.

Belongs here: the pages of changes and what the first page says of the last night. Does not: why a status moved, which
the table `status_transitions` says.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from pipelines import store
from pipelines.contracts import contracts, quote
from pipelines.site import figures, pages
from pipelines.site.figures import Row
from pipelines.site.pages import Site

DAYS = 60
"""Days of changes that have a page: as many as releases are kept. Older ones are in the table."""
SHOWN = 250
"""Trials that a page lists; the file beside it has all."""

KINDS = {
    "overdue": "Newly overdue",
    "reported": "Newly reported",
    "left_scope": "Left the scope of the rule",
    "other": "Other changes",
}

_KIND = """CASE
    WHEN t.status_group = 'due, missing' AND f.status_group IS DISTINCT FROM 'due, missing' THEN 'overdue'
    WHEN t.status_group IN ('due, reported', 'reported early')
        AND coalesce(f.status_group NOT IN ('due, reported', 'reported early'), true) THEN 'reported'
    WHEN m.to_status IN ('left_scope', 'out_of_scope') THEN 'left_scope'
    ELSE 'other' END"""
_MOVED = """status_transitions AS m
LEFT JOIN status_words AS f ON f.code = m.from_status
LEFT JOIN status_words AS t ON t.code = m.to_status"""

COUNTS = f"""
WITH shown AS (SELECT DISTINCT as_of FROM status_transitions ORDER BY as_of DESC LIMIT {DAYS})
SELECT m.as_of AS day, min(m.previous_as_of) AS previous, m.policy, {_KIND} AS kind,
    coalesce(f.status_group, 'not known before') AS from_group, coalesce(t.status_group, 'id given up') AS to_group,
    m.reason, count(*) AS moves
FROM {_MOVED} SEMI JOIN shown ON shown.as_of = m.as_of
GROUP BY ALL ORDER BY day DESC, m.policy, kind, from_group, to_group, m.reason"""
"""Changes of status by day, rule, the groups before and after, and cause."""

ROWS = f"""
WITH moved AS (
    SELECT m.*, {_KIND} AS kind, f.status_group AS from_group, t.status_group AS to_group FROM {_MOVED}
), numbered AS (
    SELECT *, row_number() OVER (PARTITION BY as_of ORDER BY
        list_position(['overdue', 'reported', 'left_scope', 'other'], kind), policy, trial_id, entry) AS place
    FROM moved
)
SELECT n.as_of AS day, n.kind, n.policy, n.trial_id, n.from_status, n.to_status, n.reason, n.fields, d.title, d.sponsor
FROM numbered AS n LEFT JOIN trials AS d USING (trial_id)
WHERE n.place <= {SHOWN} ORDER BY n.as_of, n.place"""
"""The first trials of each day, those that became overdue before the others."""


def read(connection: duckdb.DuckDBPyConnection) -> list[Row]:
    return figures.query(connection, COUNTS)


def news(counts: Sequence[Row], first_policy: str) -> Mapping[str, Any]:
    """What the first page says: the last day on which anything moved, under all rules and under the first one."""
    if not counts:
        return {"latest": None}
    day = counts[0]["day"]
    of_day = [r for r in counts if r["day"] == day]
    own = [r for r in of_day if r["policy"] == first_policy]
    first = [
        {"name": kind, "title": title, "moves": sum(r["moves"] for r in own if r["kind"] == kind)}
        for kind, title in KINDS.items()
    ]
    moves = sum(r["moves"] for r in of_day)
    return {"latest": {"day": day, "previous": of_day[0]["previous"], "moves": moves, "first": first}}


def write(connection: duckdb.DuckDBPyConnection, site: Site, counts: Sequence[Row]) -> None:
    """Writes the list of days and a page for each, with all its changes as CSV."""
    days = figures.grouped(counts, "day")
    tables = figures.query(
        connection, "SELECT table_name, change, count(*) AS rows FROM changes GROUP BY ALL ORDER BY ALL"
    )
    pages.page(site, "changes/", "changes.html", days=days, kinds=KINDS, tables=tables)
    shown = figures.grouped(figures.query(connection, ROWS), "day")
    reasons = contracts().vocabularies["transition_reason"]
    for day, rows in days.items():
        address = f"changes/{day.isoformat()}/"
        values = {"day_": day, "rows": rows, "kinds": KINDS, "trials": shown[day], "reasons": reasons}
        pages.page(site, address, "change.html", moves=sum(r["moves"] for r in rows), **values)
        _write_rows(connection, day, site.out / address / "changes.csv")


def _write_rows(connection: duckdb.DuckDBPyConnection, day: date, path: Path) -> None:
    sql = f"""SELECT trial_id, policy, previous_as_of, as_of, from_status, to_status, reason,
        array_to_string(fields, ' ') AS fields FROM status_transitions WHERE as_of = {quote(day.isoformat())}
        ORDER BY policy, trial_id, entry"""
    store.write_csv(connection, sql, path)
