"""Reviewed decisions of people about single records: read from the file, checked, applied where everybody can see it.

A decision joins two registrations, separates two, or corrects a field of one. Each has a day, a reason, a proof and the
role of who decided; each is a row of the published table. Joining and separating is the union's work (`union`); here
fields are corrected. No rule belongs here, and no decision: those stand in the file.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import astuple, dataclass
from datetime import date
from pathlib import Path

import duckdb

from pipelines import dates, reviewed, store, trn
from pipelines.contracts import contracts
from pipelines.errors import DataError
from pipelines.reviewed import Cells

FIELDS = (
    "adjudication_id", "decided_on", "decision", "registration_id", "other_id", "field", "value", "reason", "proof",
    "decided_by",
)  # fmt: skip
NEVER_CORRECTED = {"registration_id", "registry", "source", "url", "content_hash", "data_version"}
"""What says which record it is."""

TABLE = """CREATE TABLE adjudication_list (adjudication_id VARCHAR, decided_on DATE, decision VARCHAR,
    registration_id VARCHAR, other_id VARCHAR, field VARCHAR, value VARCHAR, reason VARCHAR, proof VARCHAR,
    decided_by VARCHAR)"""


@dataclass(frozen=True)
class Adjudication:
    """One decision. value is empty where the register's value is known to be wrong and no other is known."""

    adjudication_id: str
    decided_on: date
    decision: str
    registration_id: str
    other_id: str | None
    field: str | None
    value: str | None
    reason: str
    proof: str
    decided_by: str


def read(path: Path, as_of: date) -> list[Adjudication]:
    """The decisions of the file up to `as_of`, in the order of their day and name.

    Raises DataError naming the row where one cannot be used or two contradict each other.
    """
    every = [_decision(cells) for cells in reviewed.read(path, FIELDS, _faults)]
    _no_contradiction(path, every)
    taken = [a for a in every if a.decided_on <= as_of]
    return sorted(taken, key=lambda a: (a.decided_on, a.adjudication_id))


def _decision(cells: Cells) -> Adjudication:
    return Adjudication(**{**cells, "decided_on": date.fromisoformat(cells["decided_on"] or "")})  # type: ignore[arg-type]


def _faults(cells: Cells) -> Iterator[str]:
    """Why a row cannot be used."""
    for name in ("adjudication_id", "decided_on", "decision", "registration_id", "reason", "proof", "decided_by"):
        if not cells[name]:
            yield f"{name} is missing"
    try:
        date.fromisoformat(cells["decided_on"] or "")
    except ValueError:
        yield f"decided_on is {cells['decided_on']!r}, not a day like 2026-08-08"
    decision = cells["decision"]
    if decision not in contracts().vocabularies["adjudication_decision"]:
        yield f"decision is {decision!r}, not join, separate or correct"
    is_pair = decision != "correct"
    for name in ("field", "value") if is_pair else ("other_id",):
        if cells[name]:
            yield f"{name} has to be empty where the decision is {decision}"
    for name in ("registration_id", "other_id") if is_pair else ("registration_id",):
        hit = trn.canonical(cells[name] or "")
        if not hit or hit.canonical != cells[name]:
            yield f"{name} is {cells[name]!r}, not a registration number in canonical form"
    if is_pair and cells["registration_id"] == cells["other_id"]:
        yield "a registration is neither joined with nor separated from itself"
    if not is_pair:
        yield from _field_faults(cells["field"], cells["value"])


def _field_faults(field: str | None, value: str | None) -> Iterator[str]:
    if field not in correctable():
        yield f"{field!r} is no field of a registration that can be corrected"
    for column in contracts().tables["registrations"].columns:
        if (
            column.name == field
            and value
            and column.vocabulary
            and value not in contracts().vocabularies[column.vocabulary]
        ):
            yield f"{value!r} is no code of {field} (see schemas/vocabularies/{column.vocabulary}.csv)"


def _no_contradiction(path: Path, every: Sequence[Adjudication]) -> None:
    seen: dict[tuple[str | None, ...], str] = {}
    for one in every:
        pair = tuple(sorted((one.registration_id, one.other_id or "")))
        for key in ((one.adjudication_id,), (*pair, one.field)):
            if key in seen:
                raise DataError(
                    f"{path.name}: {one.adjudication_id} and {seen[key]} have one name or speak of the same thing; "
                    "take the older one out."
                )
            seen[key] = one.adjudication_id


def correctable() -> dict[str, str]:
    """Fields that can be corrected, with their DuckDB types; a partial date is one field."""
    columns = {c.name: c.type for c in contracts().tables["registrations"].columns}
    served = {c.name for c in contracts().staging["registration_records"].columns}
    dated = {name.removesuffix("_raw") for name in columns if name.endswith("_raw")}
    parts = {f"{name}_{part}" for name in dated for part in ("raw", "precision", "earliest", "latest")}
    plain = {n: t for n, t in columns.items() if n in served and n not in parts | NEVER_CORRECTED}
    return plain | dict.fromkeys(dated, "partial_date")


def fill(connection: duckdb.DuckDBPyConnection, decisions: Iterable[Adjudication]) -> None:
    """Makes the decisions a relation of the build."""
    connection.execute(TABLE)
    store.insert(connection, "adjudication_list", [astuple(a) for a in decisions])


def correct(connection: duckdb.DuckDBPyConnection, as_of: date) -> None:
    """Makes `corrected_registrations` of `merged_registrations`, and `corrections`: what each field said before.

    Raises DataError where a value does not fit its field.
    """
    merged = "SELECT *, []::VARCHAR[] AS corrected_fields FROM merged_registrations"
    store.create_in_slices(connection, "corrected_registrations", merged)
    connection.execute("CREATE TABLE corrections (adjudication_id VARCHAR, value_before VARCHAR)")
    rows = connection.sql(
        """SELECT adjudication_id, registration_id, field, value FROM adjudication_list
        WHERE decision = 'correct' AND registration_id IN (SELECT registration_id FROM corrected_registrations)
        ORDER BY decided_on, adjudication_id"""
    ).fetchall()
    for name, registration_id, field, value in rows:
        kind = correctable()[field]
        shown = f"{field}_raw" if kind == "partial_date" else field
        connection.execute(
            f"""INSERT INTO corrections SELECT ?, CAST("{shown}" AS VARCHAR) FROM corrected_registrations
            WHERE registration_id = ?""",
            [name, registration_id],
        )
        if kind == "BIGINT" and value is not None and not value.isdecimal():
            raise DataError(f"Adjudication {name}: {value!r} is no value of {field}, which is a whole number.")
        sets = _partial_date(name, field, value, as_of) if kind == "partial_date" else {field: value}
        changes = ", ".join(f'"{column}" = ?' for column in sets)
        try:
            connection.execute(
                f"""UPDATE corrected_registrations SET {changes}, corrected_fields = list_append(corrected_fields, ?)
                WHERE registration_id = ?""",
                [*sets.values(), field, registration_id],
            )
        except duckdb.ConversionException:
            raise DataError(f"Adjudication {name}: {value!r} is no value of {field}, which is {kind}.") from None


def _partial_date(name: str, field: str, value: str | None, as_of: date) -> dict[str, object]:
    found = dates.iso(value, as_of)
    if found.fault:
        raise DataError(f"Adjudication {name}: {value!r} cannot be {field}: {found.fault}.")
    return {f"{field}_{part}": getattr(found, part) for part in ("raw", "precision", "earliest", "latest")}
