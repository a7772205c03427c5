"""The warehouse as an asset: the one step in which readers get the new tables.

It comes after every table; a blocking check that failed stops the run before it, so that the last good build stays.
"""

import dagster as dg

from assets.resources import Workshop, readable_errors
from assets.tables import table_key
from pipelines import summary
from pipelines.contracts import contracts

GROUP = "warehouse"


def warehouse_asset() -> dg.AssetsDefinition:
    @dg.asset(
        key=dg.AssetKey("warehouse"),
        group_name=GROUP,
        deps=[table_key(name) for name in contracts().tables],
        description="The current build, as readers see it: a Parquet file per table and one DuckDB file.",
        kinds={"duckdb"},
    )
    def publish(context: dg.AssetExecutionContext, workshop: Workshop) -> dg.MaterializeResult:
        with readable_errors():
            built = workshop.publish()
        for line in built.left_out:
            context.log.warning(f"Left out: {line}")
        return dg.MaterializeResult(
            metadata={
                "build": built.id,
                "as_of": built.as_of.isoformat(),
                "folder": dg.MetadataValue.path(built.folder),
                "left_out": len(built.left_out),
                "summary": dg.MetadataValue.md("\n".join(f"    {line}" for line in summary.lines(built))),
            },
        )

    return publish
