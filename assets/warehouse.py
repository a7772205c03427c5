"""The warehouse as an asset: the one step in which readers get the new tables.

It comes after every table; a blocking check that failed stops the run before it, so that the last good build stays.
"""

from collections.abc import Mapping

import dagster as dg

from assets.resources import Workshop, readable_errors
from assets.tables import table_key
from pipelines import alerts, summary
from pipelines.contracts import contracts
from pipelines.settings import Settings

GROUP = "warehouse"


def warehouse_asset() -> dg.AssetsDefinition:
    @dg.asset(
        key=dg.AssetKey("warehouse"),
        group_name=GROUP,
        deps=[table_key(name) for name in contracts().tables],
        description="The current build, as readers see it: a Parquet file per table and one DuckDB file.",
        kinds={"duckdb"},
    )
    def publish(
        context: dg.AssetExecutionContext, settings: dg.ResourceParam[Settings], workshop: Workshop
    ) -> dg.MaterializeResult:
        with readable_errors():
            night = workshop.publish(context.log.info)
        built = night.built
        if troubles := summary.troubles(night):
            for line in troubles:
                context.log.warning(line)
            alerts.send(settings, f"the night of {built.as_of} is incomplete", troubles, context.log.warning)
        return dg.MaterializeResult(
            metadata={
                "build": built.id,
                "as_of": built.as_of.isoformat(),
                "folder": dg.MetadataValue.path(built.folder),
                "new_snapshots": sum(one.is_new for one in night.taken)
                + sum(is_new for _, is_new in night.dropped.taken),
                "not_fetched": ", ".join(source for source, _ in night.failed) or "none",
                "not_taken": len(night.dropped.left),
                "left_out": len(built.left_out),
                **({"release": night.release} if night.release else {}),
                "summary": dg.MetadataValue.md("\n".join(f"    {line}" for line in summary.night_lines(night))),
                **_changed_rows(night.before, built.counts),
            },
        )

    return publish


def _changed_rows(before: Mapping[str, int], now: Mapping[str, int]) -> dict[str, dg.TableMetadataValue]:
    """Tables whose number of rows is another than in the last warehouse; nothing where none is, or there was none."""
    changed = [
        dg.TableRecord({"table": name, "rows": now[name], "before": rows, "change": now[name] - rows})
        for name, rows in before.items()
        if name in now and now[name] != rows
    ]
    return {"changed_rows": dg.MetadataValue.table(changed)} if changed else {}
