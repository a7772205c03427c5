"""Which registrations of a build are one trial, and what each trial is called: from the build's relations and back.

Only the steps that SQL cannot do: reading the shapes of numbers (`trn`) and the words beside them (`stated`), the
constrained union (`union`), the ledger of ids (`ledger`). The evidence is `sql/parts/registration_edges.sql`.
"""

import contextlib
import gc
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

import duckdb

from pipelines import store, trn
from pipelines.identity import ledger, stated, union

SPOKEN_OF = "SELECT registration_id FROM registration_edges UNION ALL SELECT other_id FROM registration_edges"
"""The registrations that any evidence speaks of."""


def number_forms(connection: duckdb.DuckDBPyConnection) -> None:
    """Which of the other numbers that records state have a register's shape, and their canonical form.

    is_number: the value is that number, maybe beside words that say whose it is; otherwise it is a text that names it
    (`Sub-study of NCT...`).
    """
    values = [
        value
        for (value,) in connection.sql(
            """SELECT DISTINCT value FROM (
                SELECT i.value FROM (SELECT unnest(identifiers) AS i FROM registration_lists)
                UNION ALL SELECT unnest(mentions) FROM registration_lists)
            WHERE value IS NOT NULL"""
        ).fetchall()
    ]
    connection.execute("CREATE TABLE number_forms (value VARCHAR, number VARCHAR, registry VARCHAR, is_number BOOLEAN)")
    forms = [
        (value, hit.canonical, hit.registry, is_number)
        for value in values
        for hit, is_number in [stated.number_in(value)]
        if hit
    ]
    store.insert(connection, "number_forms", forms)


def placeholder_numbers(connection: duckdb.DuckDBPyConnection) -> None:
    """Which of the numbers of a register's shape are filler."""
    numbers = connection.sql("SELECT DISTINCT number FROM stated_numbers WHERE registry IS NOT NULL").fetchall()
    connection.execute("CREATE TABLE placeholder_numbers (number VARCHAR)")
    store.insert(connection, "placeholder_numbers", [(n,) for (n,) in numbers if trn.is_placeholder(n)])


@contextlib.contextmanager
def _uncollected() -> Iterator[None]:
    """Millions of records and none in a circle: Python's collector would only walk over them again and again."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@_uncollected()
def trial_members(connection: duckdb.DuckDBPyConnection, data: Path, as_of: date) -> list[ledger.Event]:
    """Decides which registrations are one trial and what it is called: `edge_decisions`, `trial_members`.

    Returns the ledger's new events.
    """
    cluster_of = _decide(connection)
    members: dict[str, ledger.Member | None] = dict(
        connection.sql("SELECT registration_id, NULL FROM corrected_registrations").fetchall()
    )
    rows = connection.sql(
        f"""SELECT r.registration_id, r.registry, d.first_seen, r.registered_earliest
        FROM corrected_registrations AS r JOIN registration_sight_dates AS d USING (registration_id)
        WHERE registration_id IN ({SPOKEN_OF})"""
    ).fetchall()
    members |= {row[0]: ledger.Member(*row) for row in rows}
    trial_of, events = ledger.resolve(members, cluster_of, ledger.read(data, as_of), as_of)
    connection.execute("CREATE TABLE other_names (registration_id VARCHAR, trial_id VARCHAR)")
    store.insert(connection, "other_names", [(n, trial_id) for n, trial_id in trial_of.items() if n != trial_id])
    connection.execute(
        """CREATE TABLE trial_members AS SELECT registration_id, coalesce(o.trial_id, registration_id) AS trial_id
            FROM corrected_registrations LEFT JOIN other_names AS o USING (registration_id);
        DROP TABLE other_names"""
    )
    return events


def _decide(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """The cluster of every registration that any evidence speaks of; the decisions become a relation."""
    edges = [
        union.Edge(*row)
        for row in connection.sql(
            "SELECT registration_id, other_id, method, names, is_named, held, veto, silent FROM registration_edges"
        ).fetchall()
    ]
    facts = {
        number: union.Facts(registry, start, end, extension, tuple(titles))
        for number, registry, start, end, extension, titles in connection.sql(
            f"""SELECT registration_id, registry, start_earliest, start_latest, is_extension, titles FROM identity_facts
            WHERE registration_id IN ({SPOKEN_OF})"""
        ).fetchall()
    }
    separated = connection.sql(
        "SELECT registration_id, other_id FROM adjudication_list WHERE decision = 'separate'"
    ).fetchall()
    cluster_of, decisions = union.decide(facts, edges, [(a, b) for a, b in separated])
    connection.execute(
        """CREATE TABLE edge_decisions (registration_id VARCHAR, other_id VARCHAR, method VARCHAR, decision VARCHAR,
            reason VARCHAR)"""
    )
    store.insert(
        connection,
        "edge_decisions",
        [(e.a, e.b, e.method, d.decision, d.reason) for e, d in zip(edges, decisions, strict=True)],
    )
    return cluster_of


def ledger_query(connection: duckdb.DuckDBPyConnection, data: Path, as_of: date, events: Sequence[ledger.Event]) -> str:
    """The query of the ledger as it will be, with the new events behind those of the file."""
    every = [*ledger.read(data, as_of), *events]
    connection.execute(
        """CREATE TABLE ledger_events (event_number BIGINT, as_of DATE, event VARCHAR, number VARCHAR,
            trial_id VARCHAR, previous_trial_id VARCHAR)"""
    )
    store.insert(connection, "ledger_events", [(i, *ledger.as_row(event)) for i, event in enumerate(every, 1)])
    return "SELECT * REPLACE (nullif(previous_trial_id, '') AS previous_trial_id) FROM ledger_events"
