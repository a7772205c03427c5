"""Assembly only: the assets, checks, jobs and resources in one place for Dagster to find."""

from collections.abc import Mapping
from typing import Any

import dagster as dg

from assets.jobs import nightly_job, nightly_schedule
from assets.raw import raw_assets
from assets.resources import BuildDay, Workshop
from assets.staging import staging_assets
from assets.tables import tables_asset
from assets.warehouse import warehouse_asset
from pipelines import settings

settings.quiet_libraries()


def build_defs(overrides: Mapping[str, Any] | None = None) -> dg.Definitions:
    """All definitions. overrides: resources by name that take the place of the usual ones (tests swap the data)."""
    resources: dict[str, Any] = {
        "settings": settings.from_environment(),
        "build_day": BuildDay.configure_at_launch(),
        **(overrides or {}),
    }
    resources.setdefault("workshop", Workshop(settings=resources["settings"], build_day=resources["build_day"]))
    return dg.Definitions(
        assets=[*raw_assets(), *staging_assets(), tables_asset(), warehouse_asset()],
        jobs=[nightly_job],
        schedules=[nightly_schedule],
        resources=resources,
        executor=dg.in_process_executor,
    )


defs = build_defs()
