"""Checks of the built tables: the contracts' violation queries, and a Great Expectations suite per table.

The only user of great_expectations, imported inside functions since it takes seconds. What is checked follows from the
contracts alone. Nothing here decides what a table means or builds one.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb

from pipelines import privacy
from pipelines.contracts import Check, Contracts, Table, quote, violation_queries
from pipelines.settings import quiet_libraries

SEEN = 10_000
"""Rows of a table that Great Expectations sees at most: it works on pandas frames. The queries judge every row by the
same rules, at a small part of the cost."""
EXAMPLES = 3


@dataclass(frozen=True)
class Result:
    """One check of one table. outcome: passed, warned (a violation that does not stop a build) or failed."""

    table_name: str
    engine: str
    check_name: str
    description: str
    severity: str
    outcome: str
    checked: int
    violations: int
    examples: str


def check_columns(table: Table, columns: list[str]) -> Result:
    """Whether a query gives the contract's columns: a missing or an additional one is a violation."""
    expected = set(table.column_names)
    missing = [f"missing: {c}" for c in table.column_names if c not in columns]
    strange = [f"not in the contract: {c}" for c in columns if c not in expected]
    found = missing + strange
    return _result(
        table, "sql", Check("columns", "", "The table has exactly the contract's columns."), 0, len(found), found
    )


def check_table(connection: duckdb.DuckDBPyConnection, table: Table, contracts: Contracts) -> Iterator[Result]:
    """Runs every violation query of the contract, and the search for contact data in all text."""
    checks = [*violation_queries(table, contracts), *contact_checks(table)]
    rows, counted = _judged_by_row(connection, table, checks)
    for check in checks:
        found = counted[check.name] if check.where else _count(connection, f"FROM ({check.sql})")
        shown = connection.sql(f"SELECT * FROM ({check.sql}) LIMIT {EXAMPLES}").fetchall() if found else []
        private = check.name.startswith("no_")
        yield _result(table, "sql", check, rows, found, [] if private else [str(r) for r in shown])


def _judged_by_row(
    connection: duckdb.DuckDBPyConnection, table: Table, checks: Sequence[Check]
) -> tuple[int, dict[str, int]]:
    """The rows of a table, and the violations of each check that judges rows one by one: all in one pass over them."""
    wanted = [check for check in checks if check.where]
    counts = ", ".join(["count(*)", *(f"count(*) FILTER (WHERE {check.where})" for check in wanted)])
    ((rows, *violations),) = connection.sql(f'SELECT {counts} FROM "{table.name}"').fetchall()
    return int(rows), {check.name: int(found) for check, found in zip(wanted, violations, strict=True)}


def contact_checks(table: Table) -> list[Check]:
    """No e-mail-like value in any text column; a telephone-like one is reported."""
    texts = [text for c in table.columns for text in _texts(f'"{c.name}"', duckdb.sqltype(c.type))]
    if not texts:
        return []
    joined = f"concat_ws(chr(10), {', '.join(texts)})"  # neither pattern runs over the end of a line
    keys = ", ".join(f'"{k}"' for k in table.key)
    seen = f'SELECT {keys} FROM "{table.name}" WHERE'
    mail = _matches(joined, ("@",), privacy.EMAIL)
    telephone = _matches(joined, privacy.PHONE_MARKS, privacy.PHONE)
    return [
        Check("no_mail", f"{seen} {mail}", "No text holds an e-mail address.", where=mail),
        Check("no_telephone", f"{seen} {telephone}", "No text holds a telephone number.", "warn", telephone),
    ]


def _texts(value: str, type_: duckdb.sqltypes.DuckDBPyType) -> Iterator[str]:
    """The texts in a value, as SQL expressions: of a struct each by itself, since a struct as text is dear."""
    if type_.id == "struct":
        for name, child in type_.children:
            assert isinstance(child, duckdb.sqltypes.DuckDBPyType)
            yield from _texts(f'{value}."{name}"', child)
    elif "VARCHAR" in str(type_):
        yield value if type_.id == "varchar" else f"CAST({value} AS VARCHAR)"


def _matches(text: str, marks: Sequence[str], pattern: str) -> str:
    """A pattern is looked for only where one of the marks stands without which it never matches: CASE, unlike AND, does
    not work out what it does not need."""
    marked = " OR ".join(f"contains({text}, {quote(mark)})" for mark in marks)
    return f"CASE WHEN {marked} THEN regexp_matches({text}, {quote(pattern)}) END"


def _count(connection: duckdb.DuckDBPyConnection, source: str) -> int:
    ((rows,),) = connection.sql(f"SELECT count(*) {source}").fetchall()
    return int(rows)


def _result(table: Table, engine: str, check: Check, rows: int, violations: int, examples: list[str]) -> Result:
    outcome = "passed" if not violations else "failed" if check.severity == "error" else "warned"
    shown = privacy.without_mail("; ".join(examples[:EXAMPLES]))[:500]
    return Result(table.name, engine, check.name, check.description, check.severity, outcome, rows, violations, shown)


# --- Great Expectations ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Expectation:
    """One expectation of a suite: Great Expectations' class name and its arguments. columns: what it has to see."""

    name: str
    kind: str
    arguments: dict[str, Any]
    columns: tuple[str, ...]


def expectations(table: Table, contracts: Contracts) -> list[Expectation]:
    """The contract as expectations. Foreign keys and rules over rows are left to SQL, which sees all tables at once."""
    found: list[Expectation] = []
    for column in table.columns:
        name = column.name
        if column.required:
            found.append(Expectation(f"{name}_required", "ExpectColumnValuesToNotBeNull", {"column": name}, (name,)))
        if column.vocabulary:
            codes = list(contracts.vocabularies[column.vocabulary])
            arguments = {"column": name, "value_set": codes}
            found.append(Expectation(f"{name}_vocabulary", "ExpectColumnValuesToBeInSet", arguments, (name,)))
        if column.minimum is not None or column.maximum is not None:
            low = float(column.minimum) if column.minimum is not None else None
            high = float(column.maximum) if column.maximum is not None else None
            bounds: dict[str, Any] = {"column": name, "min_value": low, "max_value": high}
            found.append(Expectation(f"{name}_bounds", "ExpectColumnValuesToBeBetween", bounds, (name,)))
        if column.pattern:
            arguments = {"column": name, "regex": f"^(?:{column.pattern})$"}
            found.append(Expectation(f"{name}_pattern", "ExpectColumnValuesToMatchRegex", arguments, (name,)))
    key = tuple(table.key)
    if len(key) == 1:
        found.append(Expectation("key_unique", "ExpectColumnValuesToBeUnique", {"column": key[0]}, key))
    else:
        found.append(Expectation("key_unique", "ExpectCompoundColumnsToBeUnique", {"column_list": list(key)}, key))
    return found


def run_suites(connection: duckdb.DuckDBPyConnection, tables: list[Table], contracts: Contracts) -> Iterator[Result]:
    """Runs the suite of each table over its first SEEN rows and the columns that it needs.

    Uniqueness of a key is judged among these rows; the SQL check of the same name sees all.
    """
    quiet_libraries()
    import great_expectations as gx
    from great_expectations import expectations as gxe

    context: Any = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    for table in tables:
        wanted = expectations(table, contracts)
        frame = _frame(connection, table, sorted({c for e in wanted for c in e.columns}))
        outcomes: dict[str, Any] = {}
        if len(frame):
            suite = gx.ExpectationSuite(
                name=table.name,
                expectations=[getattr(gxe, e.kind)(**e.arguments, meta={"name": e.name}) for e in wanted],
            )
            source = context.data_sources.add_pandas(table.name)
            definition = source.add_dataframe_asset("rows").add_batch_definition_whole_dataframe("all")
            judged = definition.get_batch(batch_parameters={"dataframe": frame}).validate(suite, result_format="BASIC")
            context.data_sources.delete(table.name)  # it keeps every frame that it was given
            outcomes = {r.expectation_config.meta["name"]: r for r in judged.results}
        for e in wanted:
            yield _expected(table, e, outcomes.get(e.name), len(frame))


def _frame(connection: duckdb.DuckDBPyConnection, table: Table, columns: list[str]) -> Any:
    nested = {c.name for c in table.columns if c.type.startswith(("STRUCT", "MAP")) or c.type.endswith("[]")}
    # Of a nested value it is asked whether it is there, and nothing else: as objects they take many times the room.
    names = ", ".join(
        f'CASE WHEN "{c}" IS NOT NULL THEN true END AS "{c}"' if c in nested else f'"{c}"' for c in columns
    )
    return connection.sql(f'SELECT {names} FROM "{table.name}" LIMIT {SEEN}').to_arrow_table().to_pandas()


def _expected(table: Table, expectation: Expectation, judged: Any, rows: int) -> Result:
    """What came of one expectation; judged: None where there was no row to judge."""
    text = re.sub(r"(?<!^)(?=[A-Z])", " ", expectation.kind).lower()
    check = Check(expectation.name, "", text)
    if judged is None or judged.success:
        return _result(table, "great_expectations", check, rows, 0, [])
    details = judged.result or {}
    examples = [str(v) for v in details.get("partial_unexpected_list", [])[:EXAMPLES]]
    if judged.exception_info and judged.exception_info.get("raised_exception"):
        examples.append("the expectation could not be evaluated")
    return _result(table, "great_expectations", check, rows, int(details.get("unexpected_count") or 1), examples)
