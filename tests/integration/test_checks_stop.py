"""Every rule of every contract finds a violation planted in the table: by its SQL query and, where it has one, by its
expectation. That a violation found stops a build and leaves the last one is in `test_command_line` and `test_bad_input`.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

import duckdb
import pytest
from hypothesis import given, strategies

from pipelines import build, importing, privacy, queries, sample, validation
from pipelines.contracts import Check, Column, Table, contracts, violation_queries
from pipelines.errors import DataError
from tests.worlds import as_written, tables

KNOWN = contracts()
TABLES = [t for t in KNOWN.tables.values() if not t.about_run]
MAIL = "someone.else@uni-x.example.org"


@pytest.fixture(scope="module")
def connection(tmp_path_factory):
    """All tables of a small sample world."""
    folder = tmp_path_factory.mktemp("checked")
    made = sample.write_sample(folder, 400, 7)
    for item in importing.read_list(folder / "imports.csv"):
        importing.take(folder / "data", item)
    contested = "c1,NCT90000003,fdaaa,misread,2020-01-01,2020-01-02,upheld,The date is said to be another."
    with tables(folder / "data", made.as_of, contested=[contested]) as connection:
        as_written(connection)  # rows are planted in tables only
        for table in TABLES:
            shape = f'SELECT * FROM "{table.name}" LIMIT 0'
            connection.execute(f'CREATE TABLE "free_{table.name}" AS {shape}')  # without NOT NULL
        yield connection


@contextmanager
def planted(connection: duckdb.DuckDBPyConnection, table: Table, **changes: str) -> Iterator[None]:
    """The table with one row more: its first, with the columns replaced by SQL; nothing of it is left afterwards.

    NOT NULL holds already where a table is filled, so that the plain copy without it stands in for the table.
    """
    name, free = f'"{table.name}"', f'"free_{table.name}"'
    replaced = ", ".join(f'CAST({value} AS {types(table)[column]}) AS "{column}"' for column, value in changes.items())
    star = f"* REPLACE ({replaced})" if changes else "*"
    connection.execute("BEGIN")
    try:
        connection.execute(f"INSERT INTO {free} FROM {name}")
        connection.execute(f"INSERT INTO {free} SELECT {star} FROM (FROM {name} LIMIT 1)")
        connection.execute(f"ALTER TABLE {name} RENAME TO kept_aside")
        connection.execute(f"ALTER TABLE {free} RENAME TO {name}")
        yield
    finally:
        connection.execute("ROLLBACK")


def types(table: Table) -> dict[str, str]:
    return {column.name: column.type for column in table.columns}


def violations(connection: duckdb.DuckDBPyConnection, check: Check) -> int:
    return connection.sql(f"SELECT count(*) FROM ({check.sql})").fetchall()[0][0]


def is_filled(connection: duckdb.DuckDBPyConnection, table: Table) -> bool:
    return bool(connection.sql(f'FROM "{table.name}" LIMIT 1').fetchall())


def faults_of(column: Column) -> Iterator[tuple[str, str]]:
    """Rules of a column and an SQL value that breaks each."""
    if column.required:
        yield "required", "NULL"
    if column.vocabulary:
        yield "vocabulary", "'no such word'"
    if column.minimum is not None:
        yield "minimum", f"{column.minimum} - 1"
    if column.maximum is not None:
        yield "maximum", f"{column.maximum} + 1"
    if column.type == "DATE" and column.minimum is None:
        yield "possible", "DATE '2641-03-01'"
        yield "possible", "DATE '1850-01-01'"
    if column.pattern:
        yield "pattern", "'?!'"
    if column.references:
        yield "references", "'nobody'" if column.type == "VARCHAR" else "-1"


@pytest.mark.parametrize("table", TABLES, ids=lambda t: t.name)
def test_every_rule_of_a_column_finds_what_breaks_it(connection, table):
    if not is_filled(connection, table):
        pytest.skip("the sample has no row of it")
    checks = {check.name: check for check in violation_queries(table, KNOWN)}
    expected = {f"{column.name}_{rule}" for column in table.columns for rule, _ in faults_of(column)}
    own = {check.name for check in table.checks} | {"key_unique", "min_rows"}
    assert expected == set(checks) - own, "a rule that this test cannot break"
    missed = []
    for column in table.columns:
        for rule, value in faults_of(column):
            check = checks[f"{column.name}_{rule}"]
            before = violations(connection, check)
            with planted(connection, table, **{column.name: value}):
                if (before, violations(connection, check)) != (0, 1):
                    missed.append((check.name, value))
    assert missed == []


@pytest.mark.parametrize("table", TABLES, ids=lambda t: t.name)
def test_a_row_that_stands_twice_breaks_the_key(connection, table):
    if not is_filled(connection, table):
        pytest.skip("the sample has no row of it")
    (check,) = [check for check in violation_queries(table, KNOWN) if check.name == "key_unique"]
    assert violations(connection, check) == 0
    with planted(connection, table):
        assert violations(connection, check) == 1


@pytest.mark.parametrize("table", TABLES, ids=lambda t: t.name)
def test_contact_data_in_any_text_column_are_found(connection, table):
    """An address stops the build, a telephone number warns; neither is shown as an example."""
    if not is_filled(connection, table):
        pytest.skip("the sample has no row of it")
    checks = {check.name: check for check in validation.contact_checks(table)}
    texts = [column for column in table.columns if column.type in {"VARCHAR", "VARCHAR[]"}]
    assert bool(checks) >= bool(texts)
    for column in texts:
        for name, text in (("no_mail", f"Write to {MAIL}."), ("no_telephone", "Call +44 20 7946 0000")):
            value = f"'{text}'" if column.type == "VARCHAR" else f"['x', '{text}']"
            before = violations(connection, checks[name])
            with planted(connection, table, **{column.name: value}):
                assert violations(connection, checks[name]) == before + 1, column.name
    if texts:
        with planted(
            connection, table, **{texts[-1].name: f"'{MAIL}'" if texts[-1].type == "VARCHAR" else f"['{MAIL}']"}
        ):
            results = {r.check_name: r for r in validation.check_table(connection, table, KNOWN)}
        assert (results["no_mail"].outcome, results["no_mail"].examples) == ("failed", "")
        assert all(MAIL not in result.examples for result in results.values())


def test_contact_data_within_a_struct_are_found(connection):
    """The value of a criterion is text that comes from a record."""
    table = KNOWN.tables["legs_fdaaa"]
    for check, text in zip(validation.contact_checks(table), (f"Write to {MAIL}.", "tel. 020 7946 0000"), strict=True):
        for leg in ("completed", "searched"):
            with planted(connection, table, **{leg: f"{{'value': '{text}', 'outcome': true}}"}):
                assert violations(connection, check) == 1, (check.name, leg)


@given(strategies.from_regex(re.compile(privacy.PHONE, re.ASCII)))
def test_whatever_looks_like_a_telephone_number_has_one_of_the_marks_it_is_looked_for_by(text):
    assert any(mark in text for mark in privacy.PHONE_MARKS)


@pytest.mark.parametrize("text", ["a@b.org", "A.B+c@mail.x-y.example", "<ask@uni.example>", "jürgen@übung.example"])
def test_what_is_masked_is_what_is_found(connection, text):
    """A reader's mask and the build's check agree on what an address is."""
    (found,) = connection.execute("SELECT regexp_matches(?, ?)", [text, privacy.EMAIL]).fetchone()
    assert found
    masked = privacy.without_mail(f"Write to {text} now")
    assert connection.execute("SELECT regexp_matches(?, ?)", [masked, privacy.EMAIL]).fetchone() == (False,)


# --- Great Expectations ---------------------------------------------------------------------------------------------


def test_the_suites_find_what_the_queries_find(connection):
    """One fault of each kind, each in a table of its own, and a table without any."""
    faults: dict[str, dict[str, str]] = {
        "sponsors": {},
        "registration_sponsors": {"role": "'boss'"},
        "registrations": {"enrolment": "-1"},
        "identifiers": {"number": "NULL"},
        "trial_publications": {"evidence": "NULL"},
    }
    expected = {
        "sponsors": {"key_unique"},
        "registration_sponsors": {"key_unique", "role_vocabulary"},
        "registrations": {"key_unique", "enrolment_bounds"},
        "identifiers": {"number_required"},
        "trial_publications": {"key_unique", "evidence_required"},
        "conditions": set(),
    }
    connection.execute("BEGIN")
    try:
        for name, changes in faults.items():
            table = KNOWN.tables[name]
            replaced = ", ".join(f'CAST({v} AS {types(table)[c]}) AS "{c}"' for c, v in changes.items())
            connection.execute(f'INSERT INTO "free_{name}" FROM "{name}"')
            star = f"* REPLACE ({replaced})" if changes else "*"
            connection.execute(f'INSERT INTO "free_{name}" SELECT {star} FROM (FROM "{name}" LIMIT 1)')
            connection.execute(f'ALTER TABLE "{name}" RENAME TO "kept_{name}"')
            connection.execute(f'ALTER TABLE "free_{name}" RENAME TO "{name}"')
        results = list(validation.run_suites(connection, [KNOWN.tables[name] for name in expected], KNOWN))
    finally:
        connection.execute("ROLLBACK")
    failed: dict[str, set[str]] = {name: set() for name in expected}
    for result in results:
        assert result.engine == "great_expectations"
        if result.outcome == "failed":
            failed[result.table_name].add(result.check_name)
    assert failed == expected


def test_the_suites_see_a_bounded_number_of_rows_and_say_how_many(connection, monkeypatch):
    monkeypatch.setattr(validation, "SEEN", 5)
    results = list(validation.run_suites(connection, [KNOWN.tables["trials"]], KNOWN))
    assert {result.checked for result in results} == {5}
    assert {result.outcome for result in results} == {"passed"}


# --- a table that cannot be made ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("planted_sql", "words"),
    [
        ("SELECT * EXCLUDE (name) FROM ({sql})", "missing: name"),
        ("SELECT *, 1 AS more FROM ({sql})", "not in the contract: more"),
        ("SELECT * REPLACE (NULL AS sponsor_id) FROM ({sql})", "a required value is missing"),
    ],
)
def test_a_table_of_another_shape_is_not_made(connection, planted_sql, words):
    query = next(q for q in queries.all_queries() if q.name == "sponsors")
    (changed,) = [
        q for q in queries.all_queries({"sponsors": planted_sql.format(sql=query.sql)}) if q.name == "sponsors"
    ]
    connection.execute("BEGIN")
    try:
        connection.execute("DROP TABLE sponsors")
        with pytest.raises(DataError, match=words) as stopped:
            build.run_query(connection, changed)
    finally:
        connection.execute("ROLLBACK")
    assert "sponsors" in str(stopped.value)


def test_the_sentence_that_stops_a_build_names_table_rule_and_example_and_no_address():
    check = Check("no_mail", "", "No text holds an e-mail address.")
    table = KNOWN.tables["sponsors"]
    result = validation._result(table, "sql", check, 5, 2, [f"('{MAIL}', {date(2024, 1, 1)!r})", "x", "y", "z"])
    sentence = build.complaint([result, result])
    assert MAIL not in sentence + result.examples
    assert privacy.MASK in sentence
    assert "sponsors: no_mail (No text holds an e-mail address.), 2 violation(s)" in sentence
    assert "1 more checks failed" in sentence
    assert "The last good build is untouched." in sentence
