"""The raw archive as assets: one per source that has a contract. Its step takes in what was dropped for the source,
fetches it where the settings say so and it is due, and shows whatever lies there up to the as-of date.

How files come into the archive stands in `pipelines/importing.py` and `pipelines/nights.py`.
"""

import hashlib
from collections.abc import Collection, Sequence
from datetime import timedelta

import dagster as dg

from assets.resources import BuildDay, Workshop, readable_errors
from pipelines import snapshots, summary
from pipelines.contracts import Source, contracts
from pipelines.settings import Settings
from pipelines.snapshots import Snapshot

GROUP = "raw"
POOL = "downloads"
CHECK = "fetched"


def raw_key(source: str) -> dg.AssetKey:
    return dg.AssetKey([GROUP, source])


def raw_assets(fetched: Collection[str]) -> list[dg.AssetsDefinition]:
    """fetched: the sources that are asked for what is new; the others come by import alone."""
    return [_raw_asset(source, source.code in fetched) for source in contracts().sources.values()]


def _raw_asset(source: Source, is_fetched: bool) -> dg.AssetsDefinition:
    # No retry policy: a server is asked up to six times with growing pauses (`pipelines/web.py`), so that a step that
    # failed would only hold up the night; what came of an unfinished round stays for the next one.
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
        pool=POOL if is_fetched else None,
        freshness_policy=_freshness(source) if is_fetched else None,
        check_specs=[_check_spec(source)] if is_fetched else [],
    )
    def bring(
        context: dg.AssetExecutionContext,
        settings: dg.ResourceParam[Settings],
        build_day: BuildDay,
        workshop: Workshop,
    ) -> dg.MaterializeResult:
        with readable_errors():
            dropped = workshop.take_dropped(source.code)
            came, why = workshop.ask(source.code, context.log.info) if is_fetched else ([], "")
            taken = [s for s in snapshots.listed(settings.data, build_day.day()) if s.source == source.code]
        for line in summary.dropped_lines(dropped):
            (context.log.error if dropped.left else context.log.info)(line)
        if why:
            context.log.error(summary.not_fetched(source.code, why))
        if not taken:
            context.log.warning(f"Nothing of {source.title} has been imported up to {build_day.as_of}.")
        new = [s.id for s, is_new in dropped.taken if is_new] + [one.snapshot.id for one in came if one.is_new]
        trouble = {"not_fetched": why} if why else {}
        left = {"not_taken": "\n".join(dropped.left)} if dropped.left else {}
        return dg.MaterializeResult(
            metadata={**_metadata(settings, source, taken), "new": ", ".join(new) or "none", **trouble, **left},
            data_version=_version(taken),
            check_results=[_check_result(why)] if is_fetched else [],
        )

    return bring


def _freshness(source: Source) -> dg.FreshnessPolicy:
    """Whether nights happen at all: two that should have asked and did not are too many. How old what came is, and that
    a night could not get it, stands in the check and in `sources.stale_days`."""
    every = timedelta(days=source.fetch.get("every_days", 1))
    return dg.FreshnessPolicy.time_window(fail_window=every + timedelta(days=2), warn_window=every + timedelta(days=1))


def _check_spec(source: Source) -> dg.AssetCheckSpec:
    return dg.AssetCheckSpec(
        CHECK,
        asset=raw_key(source.code),
        description="Whether all came that was asked for, if the source was due. It stops nothing: the last good "
        "snapshot stays in use, and `sources.stale_days` says how old it is.",
    )


def _check_result(why: str) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        check_name=CHECK, passed=not why, severity=dg.AssetCheckSeverity.ERROR, description=why or None
    )


def _metadata(settings: Settings, source: Source, taken: Sequence[Snapshot]) -> dict[str, object]:
    payloads = [p for snapshot in taken for p in snapshot.payloads]
    return {
        "snapshots": len(taken),
        "payloads": len(payloads),
        "bytes": sum(p.bytes for p in payloads),
        "newest": max((s.date.isoformat() for s in taken), default="none"),
        "folder": dg.MetadataValue.path(settings.data / "raw" / source.code),
    }


def _version(taken: Sequence[Snapshot]) -> dg.DataVersion:
    content = "\n".join(f"{s.id} {s.sha256}" for s in taken)
    return dg.DataVersion(hashlib.sha256(content.encode()).hexdigest())
