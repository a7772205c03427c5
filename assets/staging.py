"""Staging as assets: what was read from each source's payloads. Registers come before bibliographies, since the
articles that registers cite are kept.

How a payload is read belongs to its source in `pipelines/sources`.
"""

from collections.abc import Iterator, Sequence

import dagster as dg

from assets.lineage import ARTICLES, FLAGS, REGISTERS, sources_of
from assets.raw import raw_key
from assets.resources import Workshop, readable_errors
from pipelines.contracts import contracts
from pipelines.staging import Staged

GROUP = "staging"


def staging_key(source: str) -> dg.AssetKey:
    return dg.AssetKey([GROUP, source])


def staging_assets() -> list[dg.AssetsDefinition]:
    return [_registers(), _articles()]


def _registers() -> dg.AssetsDefinition:
    sources = [*sources_of(REGISTERS), *sources_of(FLAGS)]

    @dg.multi_asset(name="read_registers", specs=[_spec(code) for code in sources])
    def read_registers(context: dg.AssetExecutionContext, workshop: Workshop) -> Iterator[dg.MaterializeResult]:
        with readable_errors():
            staged = workshop.registers(context.log.info)
        yield from _results(sources, staged)

    return read_registers


def _articles() -> dg.AssetsDefinition:
    sources = sources_of(ARTICLES)
    citing = [staging_key(code) for code in sources_of(REGISTERS)]

    @dg.multi_asset(name="read_articles", specs=[_spec(code, citing) for code in sources])
    def read_articles(context: dg.AssetExecutionContext, workshop: Workshop) -> Iterator[dg.MaterializeResult]:
        with readable_errors():
            staged = workshop.articles(context.log.info)
        yield from _results(sources, staged)

    return read_articles


def _spec(source: str, more: Sequence[dg.AssetKey] = ()) -> dg.AssetSpec:
    return dg.AssetSpec(
        staging_key(source),
        group_name=GROUP,
        deps=[raw_key(source), *more],
        description=f"What was read from {contracts().sources[source].title}: typed Parquet, one folder per payload.",
        kinds={"parquet"},
    )


def _results(sources: Sequence[str], staged: Sequence[Staged]) -> Iterator[dg.MaterializeResult]:
    for source in sources:
        mine = [s for s in staged if s.snapshot.source == source]
        yield dg.MaterializeResult(
            asset_key=staging_key(source),
            metadata={
                "payloads": len(mine),
                "records_in": sum(s.report.records_in for s in mine),
                "staged": sum(s.report.staged for s in mine),
                "rejected": sum(s.report.rejected for s in mine),
                **_per_payload(mine),
            },
        )


def _per_payload(staged: Sequence[Staged]) -> dict[str, dg.TableMetadataValue]:
    """Records of each payload; nothing where there is none, since Dagster shows no empty table."""
    records = [
        dg.TableRecord(
            {
                "snapshot": s.snapshot.id,
                "payload": s.payload.name,
                "records_in": s.report.records_in,
                "staged": s.report.staged,
                "rejected": s.report.rejected,
                "not_wanted": s.report.not_wanted,
                "deletions": s.report.deletions,
            }
        )
        for s in staged
    ]
    return {"records_per_payload": dg.MetadataValue.table(records)} if records else {}
