"""Jobs, the schedule and the sensors: what is run, when, and who is told that it failed. Which day a run is about comes
from its schedule, from the day on which files were dropped, or from a person."""

import hashlib
from collections.abc import Sequence
from typing import Any

import dagster as dg

from pipelines import alerts, importing
from pipelines.errors import BusyError
from pipelines.importing import Drop
from pipelines.settings import Settings
from pipelines.web import Edge


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


@dg.sensor(
    name="dropped_files",
    job=nightly_job,
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.STOPPED,
    description="Builds the warehouse of today once files in data/incoming/ have lain unchanged for a minute.",
)
def dropped_files(
    context: dg.SensorEvaluationContext, settings: dg.ResourceParam[Settings], edge: dg.ResourceParam[Edge]
) -> dg.RunRequest | dg.SkipReason:
    """It only looks: the run's steps take the files in. The same files are asked for once, so that a run which fails is
    not begun again every minute; the next night takes them."""
    now = edge.now()
    ready = importing.dropped(settings.data, now)
    if not ready:
        return dg.SkipReason("Nothing in data/incoming/ is ready to be taken.")
    day = now.date().isoformat()
    return dg.RunRequest(run_key=_mark(ready), run_config={"as_of": day}, tags={"as_of": day})


def _mark(drops: Sequence[Drop]) -> str:
    files = [(str(file), file.lstat().st_mtime_ns) for drop in drops for file in drop.files]
    return f"dropped-{hashlib.sha256(repr(files).encode()).hexdigest()[:16]}"


@dg.run_failure_sensor(
    name="alert",
    monitored_jobs=[nightly_job],
    # On from the start: where the settings name nobody to tell, it does nothing.
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Tells whoever the settings name that a night failed, also where its process was killed.",
)
def alert(context: dg.RunFailureSensorContext, settings: dg.ResourceParam[Settings]) -> None:
    run = context.dagster_run
    subject = f"the night of {run.tags.get('as_of', 'a day chosen by hand')} failed"
    lines = [*map(_words, context.get_step_failure_events()), f"Run {run.run_id}: Dagster's page of it says more."]
    alerts.send(settings, subject, lines, context.log.warning)


def _words(event: dg.DagsterEvent) -> str:
    """The sentence of a failed step; of a fault in our own code its kind alone, since it may quote a record."""
    failure = event.step_failure_data
    if failure.user_failure_data:
        return failure.user_failure_data.description or ""
    error = failure.error and (failure.error.cause or failure.error)
    if error and error.cls_name == BusyError.__name__:
        return error.message.partition(": ")[2].strip()
    return f"A fault in the program ({error.cls_name if error else 'of an unknown kind'})."
