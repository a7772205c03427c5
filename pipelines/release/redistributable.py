"""What of a build may be passed on to anybody: the rows and fields of sources whose terms forbid it are left out.

Belongs here: one SELECT per table over a build's tables that gives the same table, by the same contract, without them.
What a table holds of whom its contract says (`contracts.Served`), whose rows may be passed on `schemas/sources`. Does
not: running these queries and writing what they give.

Verdicts, counts and links are ours and stay as they are, and so does the row of every registration: verdicts name it.
"""

from collections.abc import Iterator

from pipelines import merging, queries
from pipelines.contracts import Column, Contracts, Served, Table, quote

FILLED = "filled_from_others"
"""The column of `registrations` that says what another source than `source` has filled."""


def query(table: Table, known: Contracts) -> str:
    """The rows of a table that may be passed on, as SQL over the tables of a build, which stand in the schema `main`.

    Their order is not given. Raises ValueError where the contract does not say whose content the table holds, or where
    it says what cannot be.
    """
    columns = ", ".join(f't."{c}"' for c in table.column_names)
    everything = f'SELECT {columns} FROM main."{table.name}" AS t'
    match table.served:
        case None if table.is_ours:
            return everything
        case Served(sources=sources) if sources:
            return f"{everything} WHERE len(list_filter({sources}, lambda s: NOT {_passes('s', known)})) = 0"
        case Served(query=sql) if sql:
            return _made_again(table, sql, known)
        case Served(registration=registration, field=field) as served if registration and field:
            passes = _field_passes("r", field, served.item, known)
            return (
                f'{everything} JOIN main.registrations AS r ON r.registration_id = t."{registration}" '
                f"WHERE {passes} OR ({served.our_rows})"
            )
        case Served(registration=registration) as served if registration:
            return _emptied(table, served, known)
    raise ValueError(f"{table.name}: the contract does not say whose content the table holds.")


def _passes(source: str, known: Contracts) -> str:
    """A predicate: the source, an SQL expression, may be passed on. A source that is not known may not."""
    codes = ", ".join(quote(s.code) for s in known.sources.values() if s.redistributable)
    return f"coalesce({source} IN ({codes}), false)"


def _field_passes(registration: str, field: str, item: str, known: Contracts) -> str:
    """A predicate: a field, or an item of it, of a registration (an alias of `registrations`) may be passed on."""
    filled = f"lambda f: f.field = {quote(field)} AND f.item IS NOT DISTINCT FROM {item}"
    return _passes(f"coalesce(list_filter({registration}.{FILLED}, {filled})[1].source, {registration}.source)", known)


# --- values that are emptied ----------------------------------------------------------------------------------------


def _emptied(table: Table, served: Served, known: Contracts) -> str:
    """Every row, with those values emptied that were taken from a field that may not be passed on."""
    fields = {c.name: merging.field_of(c.name, known) for c in table.columns}
    named = {name: served.registration.format(field=field) for name, field in fields.items()}
    joined = {column: f"r{n}" for n, column in enumerate(dict.fromkeys(named.values())) if column in fields}
    ours = {*served.our_columns, *joined}
    values = []
    for column in table.columns:
        value = f't."{column.name}"'
        if column.name == FILLED:  # the items that it names are content themselves
            value = f"list_filter({value}, lambda f: f.item IS NULL OR {_passes('f.source', known)})"
        elif column.name not in ours:
            if named[column.name] not in joined:
                raise ValueError(f"{table.name}.{column.name}: the contract does not say whose it is.")
            passes = _field_passes(joined[named[column.name]], fields[column.name], "NULL", known)
            value = f"CASE WHEN {passes} THEN {value} ELSE {_nothing(table, column)} END"
        values.append(f'{value} AS "{column.name}"')
    joins = (
        f'LEFT JOIN main.registrations AS {alias} ON {alias}.registration_id = t."{column}"'
        for column, alias in joined.items()
    )
    return f'SELECT {", ".join(values)} FROM main."{table.name}" AS t {" ".join(joins)}'


def _nothing(table: Table, column: Column) -> str:
    """What stands in the place of a value that is emptied."""
    if column.vocabulary == "date_precision":
        return "'none'"
    if column.required:
        raise ValueError(f"{table.name}.{column.name}: is always there, so it cannot be emptied.")
    return "NULL"


# --- tables that are made again -------------------------------------------------------------------------------------


def _made_again(table: Table, sql: str, known: Contracts) -> str:
    """The query over what is left of the tables that it names; every other name means the table of the build. Steps on
    the way are made again with it, where they are made of published tables alone."""
    steps: dict[str, str] = {}
    if sql == "own":
        every = {q.name: q for q in queries.all_queries()}
        own = every[table.name]
        steps = {name: every[name].sql for name in own.needs if name not in known.tables}
        kept_by_none = {need for name in steps for need in every[name].needs or (name,)} - set(known.tables)
        if kept_by_none:
            raise ValueError(
                f"{table.name}: cannot be made again without {sorted(kept_by_none)}, which no build keeps."
            )
        sql = own.sql
    named = set().union(*map(queries.named_relations, (sql, *steps.values()))) - {table.name}
    given = dict(_left(named, known)) | steps
    before = f"WITH {', '.join(f'{name} AS ({rows})' for name, rows in given.items())} " if given else ""
    columns = ", ".join(f'CAST("{c.name}" AS {c.type}) AS "{c.name}"' for c in table.columns)
    return f"{before}SELECT {columns} FROM ({sql})"


def _left(names: set[str], known: Contracts) -> Iterator[tuple[str, str]]:
    for name in sorted(names & set(known.tables)):
        if not known.tables[name].is_ours:
            yield name, query(known.tables[name], known)
