"""What orchestration costs: a night as Dagster runs it, against the time inside the functions that do the work.

`python -m tests.bench.night DATA` runs the nightly job over what lies in the archive, in a process of its own that starts
from nothing: what is left when the work is taken away is Dagster, its imports and its records included.
"""

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from pipelines import importing
from pipelines.importing import Import
from tests.bench import inputs
from tests.bench.cost import alone, tell
from tests.bench.figures import Figure, at_most
from tests.bench.inputs import DAY

WORK = ("read_registers", "read_articles", "make", "publish")
"""Functions of `pipelines.build` that the assets call."""
FILES = 4
PARTS = 6
"""Of 20,000 studies each: a fifth of the register. What Dagster does is the same for any number."""


def night(work: Path) -> Iterator[Figure]:
    """Some studies and a few files of PubMed. The steps are those of the job, whatever the number of files."""
    data = work / "night"
    importing.take(data, Import("ctgov", DAY, tuple(inputs.studies(work, part) for part in range(PARTS))))
    importing.take(data, Import("pubmed", DAY, tuple(inputs.copies(work, FILES))))
    _earlier_records(data)
    began = time.perf_counter()
    cost = alone("tests.bench.night", data)
    wall = time.perf_counter() - began
    yield Figure(f"orchestration of a night, {PARTS * inputs.STUDIES:,} studies and 83,152 articles", 100 * (1 - cost["work"] / wall),
                 "% of wall", at_most(10), f"{wall - cost['work']:.1f} of {wall:.1f} s")  # fmt: skip
    yield Figure("steps of a night", cost["steps"], goal=at_most(40), note=f"{FILES} files of PubMed")


def _earlier_records(data: Path) -> None:
    """Makes Dagster's databases, which every night but the first finds there."""
    import dagster as dg

    (data / "dagster").mkdir()
    with dg.DagsterInstance.local_temp(str(data / "dagster")) as instance:
        instance.get_latest_materialization_event(dg.AssetKey("warehouse"))


def run(data: Path) -> dict[str, Any]:
    """The job as its schedule starts it, its history in a folder that is thrown away with the data."""
    import dagster as dg

    from assets.definitions import build_defs
    from pipelines import build
    from pipelines.settings import Settings

    spans: list[float] = []
    for name in WORK:
        setattr(build, name, _timed(getattr(build, name), spans))
    job = build_defs({"settings": Settings(data=data, threads=2, memory_limit="2GB")}).resolve_job_def("nightly")
    with dg.DagsterInstance.local_temp(str(data / "dagster")) as instance:
        result = job.execute_in_process({"as_of": str(DAY)}, instance=instance)
        steps = sum(event.event_type_value == "STEP_SUCCESS" for event in result.all_events)
    return {"steps": steps, "work": sum(spans)}


def _timed(work: Callable[..., Any], spans: list[float]) -> Callable[..., Any]:
    def timed(*arguments: Any, **named: Any) -> Any:
        began = time.perf_counter()
        try:
            return work(*arguments, **named)
        finally:
            spans.append(time.perf_counter() - began)

    return timed


if __name__ == "__main__":
    tell(lambda: run(Path(sys.argv[1])))
