"""The raw archive as assets: one per source that has a contract, whatever lies there up to the as-of date.

Bringing files into the archive belongs to the command line's `import`, not here.
"""

import hashlib

import dagster as dg

from assets.resources import BuildDay, readable_errors
from pipelines import snapshots
from pipelines.contracts import Source, contracts
from pipelines.settings import Settings

GROUP = "raw"


def raw_key(source: str) -> dg.AssetKey:
    return dg.AssetKey([GROUP, source])


def raw_assets() -> list[dg.AssetsDefinition]:
    return [_raw_asset(source) for source in contracts().sources.values()]


def _raw_asset(source: Source) -> dg.AssetsDefinition:
    @dg.asset(
        key=raw_key(source.code),
        group_name=GROUP,
        description=f"{source.title} as served, by {source.publisher}. Written once, never changed.",
        metadata={
            "publisher": source.publisher,
            "url": dg.MetadataValue.url(source.url),
            "licence": source.licence,
            "terms": source.terms,
        },
        kinds={"file"},
    )
    def observe(
        context: dg.AssetExecutionContext, settings: dg.ResourceParam[Settings], build_day: BuildDay
    ) -> dg.MaterializeResult:
        with readable_errors():
            taken = [s for s in snapshots.listed(settings.data, build_day.day()) if s.source == source.code]
        if not taken:
            context.log.warning(f"Nothing of {source.title} has been imported up to {build_day.as_of}.")
        payloads = [p for snapshot in taken for p in snapshot.payloads]
        content = "\n".join(f"{s.id} {s.sha256}" for s in taken)
        return dg.MaterializeResult(
            metadata={
                "snapshots": len(taken),
                "payloads": len(payloads),
                "bytes": sum(p.bytes for p in payloads),
                "newest": max((s.date.isoformat() for s in taken), default="none"),
                "folder": dg.MetadataValue.path(settings.data / "raw" / source.code),
            },
            data_version=dg.DataVersion(hashlib.sha256(content.encode()).hexdigest()),
        )

    return observe
