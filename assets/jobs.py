"""Jobs and schedules: what is run, and when. Which day a run is about comes from its schedule or from a person."""

from typing import Any

import dagster as dg


def _run_config(config: dict[str, Any]) -> dict[str, Any]:
    return {"resources": {"build_day": {"config": {"as_of": config["as_of"]}}}}


nightly_job = dg.define_asset_job(
    "nightly",
    selection=dg.AssetSelection.all(),
    config=dg.ConfigMapping(
        config_schema={"as_of": dg.Field(str, description="The day the warehouse is built for, YYYY-MM-DD.")},
        config_fn=_run_config,
    ),
    # One process: the steps hand the unpublished build on in memory; what runs in parallel does so inside a step.
    executor_def=dg.in_process_executor,
    description="From the raw archive to a checked, published warehouse.",
)


@dg.schedule(
    name="nightly",
    job=nightly_job,
    cron_schedule="0 3 * * *",
    execution_timezone="UTC",
    # Stopped until a person starts it: nights are worth building only where something brings new dumps in.
    default_status=dg.DefaultScheduleStatus.STOPPED,
    description="Builds the warehouse of the scheduled day at 03:00 UTC.",
)
def nightly_schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    """The as-of date is the scheduled day, also where the run starts late or is caught up."""
    day = context.scheduled_execution_time.date().isoformat()
    return dg.RunRequest(run_key=day, run_config={"as_of": day}, tags={"as_of": day})
