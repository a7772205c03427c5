"""The published tables and their checks: one asset per contract, one check per table, made in one step.

Columns, descriptions and rules come from the contracts, lineage from the queries; nothing of either stands here.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import dagster as dg

from assets.lineage import Origin, origins
from assets.resources import Workshop, readable_errors
from assets.staging import staging_key
from pipelines import build, contracts
from pipelines.build import Built
from pipelines.contracts import Column, Policy, Table
from pipelines.validation import Result

CHECK = "contract"
"""One verdict a table: two, one by each engine, cost a quarter of all that Dagster writes down in a night, and which
engine found what stands in the verdict's metadata."""


def table_key(table: str) -> dg.AssetKey:
    return dg.AssetKey(table)


def tables_asset() -> dg.AssetsDefinition:
    """All tables in one step: they are made over one connection, and are right or wrong together."""
    known = contracts.contracts()
    policies = {p.table: p for p in known.policies.values()}
    made_of = origins()

    @dg.multi_asset(
        name="make_tables",
        specs=[_spec(known.tables[name], origin, policies.get(name)) for name, origin in made_of.items()],
        check_specs=[
            dg.AssetCheckSpec(
                CHECK,
                asset=table_key(table),
                blocking=True,
                description="Every rule of the contract, as a query for violations (keys into other tables and contact "
                "data included) and as a Great Expectations suite.",
            )
            for table in made_of
        ],
    )
    def make_tables(
        context: dg.AssetExecutionContext, workshop: Workshop
    ) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
        with readable_errors():
            built = workshop.make(context.log.info)
        # Where a check fails no table is written, so that none is reported as materialised. Dagster ties a check's
        # result to the newest materialisation it knows: tables come first.
        if not built.failed:
            yield from _materialised(built, made_of)
        yield from _checked(built, made_of)
        if built.failed:
            raise dg.Failure(description=build.complaint(built.failed), allow_retries=False)

    return make_tables


def _spec(table: Table, origin: Origin, policy: Policy | None) -> dg.AssetSpec:
    return dg.AssetSpec(
        table_key(table.name),
        deps=[*map(table_key, sorted(origin.tables)), *map(staging_key, sorted(origin.sources))],
        description=f"**{table.title}.** {table.meaning}\n\nGrain: {table.grain}. Key: {', '.join(table.key)}.",
        group_name=_group(table, origin, policy),
        metadata={"dagster/column_schema": column_schema(table), "dagster/table_name": f"main.{table.name}"},
        kinds={"duckdb", "parquet"},
    )


def _group(table: Table, origin: Origin, policy: Policy | None) -> str:
    """The station of the design's data flow: records as folded, legs of the policies, tables of tables, checks."""
    if table.about_run:
        return "checks"
    if policy:
        return "policies"
    return "tables" if origin.tables else "fold"


def column_schema(table: Table) -> dg.TableSchema:
    return dg.TableSchema(
        columns=[_column(column, is_key=table.key == (column.name,)) for column in table.columns],
        constraints=dg.TableConstraints(other=[f"key: {', '.join(table.key)}", *(c.description for c in table.checks)]),
    )


def _column(column: Column, *, is_key: bool) -> dg.TableColumn:
    bounds = {
        "vocabulary": column.vocabulary,
        "references": column.references,
        "at least": column.minimum,
        "at most": column.maximum,
        "pattern": column.pattern,
    }
    return dg.TableColumn(
        name=column.name,
        type=column.type,
        description=contracts.describe(column),
        constraints=dg.TableColumnConstraints(
            nullable=not column.required,
            unique=is_key,
            other=[f"{name}: {value}" for name, value in bounds.items() if value is not None],
        ),
    )


def _materialised(built: Built, tables: Iterable[str]) -> Iterator[dg.MaterializeResult]:
    for name in tables:
        yield dg.MaterializeResult(
            asset_key=table_key(name),
            metadata={"dagster/row_count": built.counts[name], "build": built.id, "as_of": built.as_of.isoformat()},
        )


def _checked(built: Built, tables: Iterable[str]) -> Iterator[dg.AssetCheckResult]:
    for name in tables:
        yield _check_result(name, [r for r in built.results if r.table_name == name])


def _check_result(table: str, results: Sequence[Result]) -> dg.AssetCheckResult:
    """One verdict over all rules of a table. Rules that only warn do not block: the result's severity says so."""
    violated = [r for r in results if r.outcome != "passed"]
    stops = any(r.outcome == "failed" for r in violated)
    rules_of = Counter(r.engine for r in results)
    rules = [
        dg.TableRecord(
            {
                "engine": r.engine,
                "rule": r.check_name,
                "severity": r.severity,
                "meaning": r.description,
                "violations": r.violations,
                "examples": r.examples,
            }
        )
        for r in violated
    ]
    return dg.AssetCheckResult(
        asset_key=table_key(table),
        check_name=CHECK,
        passed=not violated,
        severity=dg.AssetCheckSeverity.ERROR if stops else dg.AssetCheckSeverity.WARN,
        description=", ".join(f"{r.check_name}: {r.violations:,}" for r in violated) or None,
        metadata={f"rules_{engine}": number for engine, number in sorted(rules_of.items())}
        | ({"violated": dg.MetadataValue.table(rules)} if rules else {}),
    )
