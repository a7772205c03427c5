"""Assembly only: the assets, checks, jobs, sensors and resources in one place for Dagster to find."""

from collections.abc import Mapping
from typing import Any

import dagster as dg

from assets import records
from assets.jobs import alert, dropped_files, nightly_job, nightly_schedule
from assets.raw import raw_assets
from assets.resources import BuildDay, Workshop, clock
from assets.staging import staging_assets
from assets.tables import tables_asset
from assets.warehouse import warehouse_asset
from pipelines import nights, settings

settings.quiet_libraries()
records.write_without_waiting()


def build_defs(overrides: Mapping[str, Any] | None = None) -> dg.Definitions:
    """All definitions. overrides: resources by name that take the place of the usual ones (tests swap the data)."""
    resources: dict[str, Any] = {
        "settings": settings.from_environment(),
        "build_day": BuildDay.configure_at_launch(),
        "edge": clock(),
        **(overrides or {}),
    }
    shared = {name: resources[name] for name in ("settings", "build_day", "edge")}
    resources.setdefault("workshop", Workshop(**shared))
    return dg.Definitions(
        assets=[
            *raw_assets(nights.wanted(resources["settings"])),
            *staging_assets(),
            tables_asset(),
            warehouse_asset(),
        ],
        jobs=[nightly_job],
        schedules=[nightly_schedule],
        sensors=[dropped_files, alert],
        resources=resources,
        executor=dg.in_process_executor,
    )


defs = build_defs()
