"""Reads `schemas/` and derives from it all that depends on a column list.

A table's contract (TOML) becomes its DDL with comments, its Arrow schema, the SQL predicates that find violations, the
Great Expectations suite (see `validation`), Dagster column metadata and the data dictionary. Nothing here reads data,
and no column list is written anywhere else.

Column types are DuckDB's own words. One word is ours: `partial_date` stands for the five columns of a date that may
lack its day or month (`_raw`, `_precision`, `_earliest`, `_latest`, `_type`); see `dates`.
"""

import csv
import functools
import hashlib
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from pipelines.settings import SCHEMAS

LEG_TYPE = "STRUCT(value VARCHAR, outcome BOOLEAN, registration_id VARCHAR, field VARCHAR, is_proxy BOOLEAN)"
"""One criterion of a policy for one trial: what the record says, true/false/unknown (NULL), and where it was read."""


LATEST_YEARS = 30
"""No date lies further ahead: readers refuse dates 25 years after their snapshot, and deadlines add some years."""


@dataclass(frozen=True)
class Column:
    """One column of a contract.

    type: DuckDB type. required: NULL is a violation. vocabulary: name of a code list in `schemas/vocabularies`.
    references: `table.column` that must hold the value. minimum, maximum: bounds, inclusive, as SQL literals.
    pattern: regular expression that the whole value matches. unit: unit of measure.
    """

    name: str
    type: str
    description: str
    required: bool = False
    vocabulary: str | None = None
    references: str | None = None
    pattern: str | None = None
    minimum: str | None = None
    maximum: str | None = None
    unit: str | None = None


@dataclass(frozen=True)
class Check:
    """A rule as a query whose every row is a violation.

    where: the condition in it, where each row of the table is judged by itself; empty for rules over several rows.
    """

    name: str
    sql: str
    description: str
    severity: str = "error"
    where: str = ""


@dataclass(frozen=True)
class Served:
    """Which sources served the content of a table, so that what may not be passed on can be told from the rest; see
    `release.redistributable`. A contract says it in one of three ways:

    sources: SQL expression for the list of all sources that a row's content comes from.
    query: SQL that makes the table again from what is left of the others; `own`: the table's own query does.
    registration: the column that names the registration from which a value was taken, `{field}` in it being the value's
    field. Each row is one `field` of that registration, or the item of it that the SQL expression `item` gives; without
    a field each column is its own.

    our_rows (SQL predicate), our_columns: what is our own observation and no source's content.
    """

    sources: str = ""
    query: str = ""
    registration: str = ""
    field: str = ""
    item: str = "NULL"
    our_rows: str = "false"
    our_columns: tuple[str, ...] = ()


@dataclass(frozen=True)
class Table:
    """The contract of one table: meaning, grain, key, columns, checks. `order` is the order of rows in files.

    Either `served` says whose content it holds, or it `is_ours`: verdicts, counts and accounts that we derived.
    """

    name: str
    title: str
    meaning: str
    grain: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    checks: tuple[Check, ...] = ()
    order: tuple[str, ...] = ()
    min_rows: int = 0
    about_run: bool = False
    is_ours: bool = False
    served: Served | None = None

    @property
    def column_names(self) -> tuple[str, ...]:
        return tuple(c.name for c in self.columns)


@dataclass(frozen=True)
class Leg:
    """One criterion of a policy. role `scope`: all of them together decide whether the policy covers the trial.
    `conflict`: one that is true makes the record contradict itself. `flag`: it is shown and decides nothing."""

    name: str
    role: str
    question: str


@dataclass(frozen=True)
class Policy:
    """One obligation, as `schemas/policies/<id>.toml` states it; its working is `pipelines/sql/policies/<id>.sql`.

    kind: `reporting` (a clock runs from completion) or `registration` (before the first participant).
    required_sources: where results could stand; without them nothing is called overdue.
    gives: standard columns that only some policies know (`first_submitted`, `grace_days`).
    profiles: parameters in which a published tracker differs from us, by the profile's name; see `under`.
    """

    id: str
    kind: str
    title: str
    version: str
    authority: str
    asks: str
    of_whom: str
    clock: str
    rule_source: str
    known_limits: str
    parameters: Mapping[str, Any]
    legs: tuple[Leg, ...]
    required_sources: tuple[str, ...] = ()
    gives: tuple[str, ...] = ()
    profiles: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def table(self) -> str:
        return "legs_" + self.id.replace("-", "_")

    def under(self, profile: str) -> "Policy":
        """The policy as a profile judges it; itself, where the profile does not speak of it."""
        if profile not in self.profiles:
            return self
        own = self.profiles[profile]
        return replace(self, version=f"{self.version}+{profile}", parameters={**self.parameters, **own})


@dataclass(frozen=True)
class Source:
    """One source as `schemas/sources/<code>.toml` describes it: terms, volume band, words it uses, known dirt.

    words: per field, the source's word -> the code of our vocabulary (None: known, deliberately unmapped).
    fields: paths that are read. ignored: paths (or whole branches, ending in `.*`) that are known and not read.
    min_records, max_records: the volume band, in what the source's file says that it counts: a full snapshot or listing
    that is fetched and holds less is refused, one that holds more is warned of.
    fetch: where and how it is asked, for a source that allows unattended access; see `fetching` and its fetcher.
    """

    code: str
    title: str
    kind: str
    publisher: str
    url: str
    licence: str
    terms: str
    attribution: str
    redistributable: bool
    cadence_days: int
    registry: str | None = None
    words: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    unmapped: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    fields: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    min_records: int = 0
    max_records: int | None = None
    fetch: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Contracts:
    """All of `schemas/`, read once. released: tables that only a release has, about itself."""

    tables: Mapping[str, Table]
    staging: Mapping[str, Table]
    sources: Mapping[str, Source]
    policies: Mapping[str, Policy]
    vocabularies: Mapping[str, Mapping[str, Mapping[str, str]]]
    released: Mapping[str, Table]

    def of_kind(self, kind: str) -> list[Policy]:
        return [p for p in self.policies.values() if p.kind == kind]


PARTIAL_DATE = (
    ("raw", "VARCHAR", "as the source writes it", None),
    ("precision", "VARCHAR", "how exact it is; none: absent or impossible", "date_precision"),
    ("earliest", "DATE", "the earliest day it can mean", None),
    ("latest", "DATE", "the latest day it can mean", None),
    ("type", "VARCHAR", "whether it has happened or is expected; empty where the source does not say", "date_type"),
)


def _column(name: str, spec: Mapping[str, Any]) -> list[Column]:
    if spec["type"] != "partial_date":
        return [Column(name=name, **spec)]
    return [
        Column(
            name=f"{name}_{suffix}",
            type=type_,
            description=f"{spec['description']}: {meaning}.",
            required=suffix == "precision",
            vocabulary=vocabulary,
        )
        for suffix, type_, meaning, vocabulary in PARTIAL_DATE
    ]


def _table(path: Path, others: Mapping[str, Table]) -> Table:
    """Reads one contract. `include` takes over the columns of another one (`from`), but for those in `except`."""
    spec = tomllib.loads(path.read_text(encoding="utf-8"))
    columns = tuple(c for name, s in spec.pop("columns").items() for c in _column(name, s))
    if include := spec.pop("include", None):
        dropped = set(include.get("except", ()))
        columns += tuple(c for c in others[include["from"]].columns if c.name not in dropped)
    checks = tuple(Check(name=name, **s) for name, s in spec.pop("checks", {}).items())
    key = tuple(spec.pop("key"))
    served = _served(spec.pop("served", None))
    order = tuple(spec.pop("order", key))
    table = Table(name=path.stem, columns=columns, checks=checks, key=key, order=order, served=served, **spec)
    ours = served.our_columns if served else ()
    unknown = {*table.key, *table.order, *ours} - set(table.column_names)
    if unknown:
        raise ValueError(f"{path.name}: key, order or our_columns name unknown columns {sorted(unknown)}")
    return table


def _served(spec: Mapping[str, Any] | None) -> Served | None:
    if spec is None:
        return None
    return Served(**{**spec, "our_columns": tuple(spec.get("our_columns", ()))})


def _policy(path: Path) -> Policy:
    spec = tomllib.loads(path.read_text(encoding="utf-8"))
    legs = tuple(Leg(name=name, **s) for name, s in spec.pop("legs").items())
    for name in ("required_sources", "gives"):
        spec[name] = tuple(spec.get(name, ()))
    policy = Policy(id=path.stem, legs=legs, **spec)
    unknown = {*policy.gives} - {*_GIVEN_BY_SOME}
    unknown |= {name for changed in policy.profiles.values() for name in changed} - {*policy.parameters}
    if unknown:
        raise ValueError(
            f"{path.name}: gives or profiles name what is no standard column or parameter: {sorted(unknown)}"
        )
    return policy


def _source(path: Path) -> Source:
    spec = tomllib.loads(path.read_text(encoding="utf-8"))
    for name in ("fields", "ignored"):
        spec[name] = tuple(spec.get(name, ()))
    return Source(code=path.stem, **spec)


def reference(name: str, root: Path = SCHEMAS) -> list[dict[str, str]]:
    """The rows of `schemas/reference/<name>.csv`."""
    with (root / "reference" / f"{name}.csv").open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def parameters(root: Path = SCHEMAS) -> dict[str, Any]:
    """The numbers and words of `schemas/parameters.toml`."""
    return tomllib.loads((root / "parameters.toml").read_text(encoding="utf-8"))


def dataset(root: Path = SCHEMAS) -> dict[str, Any]:
    """What `schemas/dataset.toml` says of the dataset as a whole."""
    return tomllib.loads((root / "dataset.toml").read_text(encoding="utf-8"))


def _vocabulary(path: Path) -> dict[str, dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as handle:
        return {row["code"]: row for row in csv.DictReader(handle)}


_REPORTING_COLUMNS = {
    "clock_earliest": ("DATE", "Earliest day on which the clock can have started."),
    "clock_latest": ("DATE", "Latest day on which the clock can have started."),
    "due_earliest": ("DATE", "Earliest day that can be the last day in time."),
    "due_latest": ("DATE", "Latest day that can be the last day in time, deferrals included."),
    "due_undeferred": ("DATE", "Latest day that can be the last day in time, without any deferral."),
    "public_date": ("DATE", "First day on which results were public where the policy asks for them, if it is known."),
    "reported_date": (
        "DATE",
        "Day by which reporting is judged: submission where the register gives it, or posting.",
    ),
    "submitted_date": ("DATE", "Day of the submission that is under way and not public yet."),
    "seen_public_by": ("DATE", "Date of the first snapshot that shows the results."),
}

_GIVEN_BY_SOME = {
    "first_submitted": ("DATE", "First submission of results, also where it was withdrawn later."),
    "grace_days": ("INTEGER", "Days after the due date before anything is called overdue."),
}

_REGISTRATION_COLUMNS = {
    "status": ("VARCHAR", "Verdict of the rule."),
    "registered": ("DATE", "First submission to a registry, earliest over the trial's registrations."),
    "start_earliest": ("DATE", "Earliest day on which the trial can have started."),
    "start_latest": ("DATE", "Latest day on which the trial can have started."),
    "deadline_earliest": ("DATE", "Last day in time, by the earliest start."),
    "deadline_latest": ("DATE", "Last day in time, by the latest start."),
    "start_first_version": ("VARCHAR", "Start date of the oldest version of the record known to us, as written."),
    "status_first_version": ("VARCHAR", "Verdict with the start date of that oldest version."),
}


def legs_table(policy: Policy) -> Table:
    """The contract of `legs_<policy>`: the rule's standard columns, then one struct per leg of its TOML file."""
    standard = _REPORTING_COLUMNS if policy.kind == "reporting" else _REGISTRATION_COLUMNS
    verdicts, rule = ("reporting_status", "policy") if policy.kind == "reporting" else ("registration_status", "rule")
    vocabulary = {"status": "registration_verdict", "status_first_version": "registration_verdict"}
    columns = [
        Column("trial_id", "VARCHAR", "The trial.", required=True, references="trials.trial_id"),
        Column("rule_version", "VARCHAR", "Version of the policy's rule.", required=True),
        *(Column(name, type_, text, vocabulary=vocabulary.get(name)) for name, (type_, text) in standard.items()),
        *(Column(name, *_GIVEN_BY_SOME[name]) for name in policy.gives),
        *(Column(leg.name, LEG_TYPE, leg.question, required=True) for leg in policy.legs),
    ]
    return Table(
        name=policy.table,
        title=f"Legs of {policy.id}",
        meaning=f"Every criterion of the policy {policy.id} for every trial: value, outcome, and where it was read.",
        grain="one row per trial",
        key=("trial_id",),
        order=("trial_id",),
        columns=tuple(columns),
        is_ours=True,
        checks=(
            Check(
                "covers_universe",
                f"SELECT trial_id FROM trials ANTI JOIN {policy.table} USING (trial_id)",
                "Every trial has its legs under every policy.",
            ),
            Check(
                "has_its_verdicts",
                f"SELECT trial_id FROM {policy.table} ANTI JOIN (SELECT trial_id FROM {verdicts} "
                f"WHERE {rule} = {quote(policy.id)}) AS v USING (trial_id)",
                "Whatever has legs has its verdict: no policy is left out.",
            ),
        ),
    )


def read(root: Path = SCHEMAS) -> Contracts:
    """Reads every contract below `root`. Raises ValueError naming the file where a contract contradicts itself."""
    policies = {p.stem: _policy(p) for p in sorted((root / "policies").glob("*.toml"))}
    staging = {p.stem: _table(p, {}) for p in sorted((root / "staging").glob("*.toml"))}
    tables = {p.stem: _table(p, staging) for p in sorted((root / "tables").glob("*.toml"))}
    tables |= {t.name: t for t in map(legs_table, policies.values())}
    contracts = Contracts(
        tables=dict(sorted(tables.items())),
        staging=staging,
        sources={p.stem: _source(p) for p in sorted((root / "sources").glob("*.toml"))},
        policies=policies,
        vocabularies={
            **{p.stem: _vocabulary(p) for p in sorted((root / "vocabularies").glob("*.csv"))},
            "registries": _vocabulary(root / "reference" / "registries.csv"),
        },
        released={p.stem: _table(p, {}) for p in sorted((root / "release").glob("*.toml"))},
    )
    for table in (*contracts.tables.values(), *contracts.staging.values(), *contracts.released.values()):
        for column in table.columns:
            if column.vocabulary and column.vocabulary not in contracts.vocabularies:
                raise ValueError(f"{table.name}.{column.name}: no vocabulary {column.vocabulary}.csv")
    return contracts


@functools.cache
def contracts() -> Contracts:
    """The project's own contracts."""
    return read()


def fingerprint(folders: Iterable[Path]) -> str:
    """sha256 over the names and bytes of all source and contract files below `folders`: the code of a build."""
    digest = hashlib.sha256()
    for folder in folders:
        for path in sorted(p for p in folder.rglob("*") if p.suffix in {".py", ".sql", ".toml", ".csv"}):
            digest.update(f"{path.relative_to(folder.parent).as_posix()}\0".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


# --- what is derived from a table's contract ------------------------------------------------------------------------


def quote(text: str) -> str:
    """An SQL string literal."""
    return "'" + text.replace("'", "''") + "'"


def ddl(table: Table, schema: str = "main") -> str:
    """CREATE TABLE with the contract's columns. Keys are checked, not declared: an index would double the file."""
    columns = ",\n  ".join(f'"{c.name}" {c.type}{" NOT NULL" if c.required else ""}' for c in table.columns)
    return f'CREATE TABLE {schema}."{table.name}" (\n  {columns}\n)'


def comments(table: Table, schema: str = "main") -> list[str]:
    """COMMENT statements for the table and each of its columns."""
    return [
        f'COMMENT ON TABLE {schema}."{table.name}" IS {quote(f"{table.meaning} Grain: {table.grain}.")}',
        *(f'COMMENT ON COLUMN {schema}."{table.name}"."{c.name}" IS {quote(describe(c))}' for c in table.columns),
    ]


def describe(column: Column) -> str:
    """The description of a column with its unit and vocabulary, one sentence after the other."""
    parts = [column.description]
    if column.unit:
        parts.append(f"Unit: {column.unit}.")
    if column.vocabulary:
        parts.append(f"Codes: vocabulary {column.vocabulary}.")
    return " ".join(parts)


def arrow_schema(table: Table) -> pa.Schema:
    """The Arrow schema that DuckDB gives the contract's types, with descriptions as field metadata."""
    nulls = ", ".join(f'NULL::{c.type} AS "{c.name}"' for c in table.columns)
    with duckdb.connect() as connection:
        schema = connection.sql(f"SELECT {nulls} LIMIT 0").to_arrow_table().schema
    fields = [
        pa.field(c.name, schema.field(c.name).type, not c.required, {"description": describe(c)}) for c in table.columns
    ]
    return pa.schema(fields, {"title": table.title, "meaning": table.meaning, "grain": table.grain})


def violation_queries(table: Table, contracts: Contracts) -> list[Check]:
    """Every rule of the contract as a query whose rows are violations: key, required, vocabulary, bounds, pattern,
    foreign keys, then the table's own checks."""
    name = f'"{table.name}"'
    checks = [
        Check(
            "key_unique",
            f"SELECT {', '.join(table.key)} FROM {name} GROUP BY ALL HAVING count(*) > 1",
            f"({', '.join(table.key)}) identifies a row.",
        )
    ]
    if table.min_rows:
        checks.append(
            Check(
                "min_rows",
                f"SELECT count(*) FROM {name} HAVING count(*) < {table.min_rows}",
                f"The table has at least {table.min_rows} rows.",
            )
        )
    for column in table.columns:
        checks += _column_checks(name, column, contracts)
    return [*checks, *table.checks]


def _column_checks(table: str, column: Column, contracts: Contracts) -> list[Check]:
    quoted = f'"{column.name}"'

    def check(rule: str, predicate: str, text: str) -> Check:
        sql = f"SELECT {quoted} FROM {table} WHERE {predicate}"
        return Check(f"{column.name}_{rule}", sql, text, where="" if rule == "references" else predicate)

    checks = []
    if column.required:
        checks.append(check("required", f"{quoted} IS NULL", f"{column.name} is always there."))
    if column.vocabulary:
        codes = ", ".join(quote(code) for code in contracts.vocabularies[column.vocabulary])
        checks.append(check("vocabulary", f"{quoted} NOT IN ({codes})", f"{column.name} is a code of its vocabulary."))
    if column.minimum is not None:
        checks.append(check("minimum", f"{quoted} < {column.minimum}", f"{column.name} >= {column.minimum}."))
    if column.maximum is not None:
        checks.append(check("maximum", f"{quoted} > {column.maximum}", f"{column.name} <= {column.maximum}."))
    if column.type == "DATE" and column.minimum is None:
        checks.append(
            check(
                "possible",
                f"{quoted} < DATE '1900-01-01' OR {quoted} > getvariable('as_of') + INTERVAL {LATEST_YEARS} YEAR",
                f"{column.name} is a possible date.",
            )
        )
    if column.pattern:
        checks.append(
            check(
                "pattern", f"NOT regexp_full_match({quoted}, {quote(column.pattern)})", f"{column.name} has its form."
            )
        )
    if column.references:
        other, key = column.references.split(".")
        checks.append(
            check(
                "references",
                f'{quoted} IS NOT NULL AND {quoted} NOT IN (SELECT "{key}" FROM "{other}" WHERE "{key}" IS NOT NULL)',
                f"{column.name} is known in {column.references}.",
            )
        )
    return checks
