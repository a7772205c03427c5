"""The Dask cluster as Dagster knows it: the client of `dagster-dask`, for the time in which payloads are read.

What is spread over its workers, and how, stands in `pipelines/cluster.py`. Both extras are imported inside functions:
without ALLTRIALS_DASK nothing here is called.
"""

import contextlib
from collections.abc import Iterator
from typing import Any

import dagster as dg

from pipelines import cluster
from pipelines.errors import UsageError
from pipelines.settings import Settings
from pipelines.staging import Spread


def spread(settings: Settings) -> Spread | None:
    """What has a night's payloads read by the cluster that the settings name, if they name one."""
    return cluster.spread(settings, connected)


@contextlib.contextmanager
def connected(address: str) -> Iterator[Any]:
    """Dask's client. Raises UsageError where the extra is not installed, OSError where nobody answers.

    It is no resource of the run's: that would be connected from a night's first download on, and a scheduler that is
    not there would end the night before anything has come.
    """
    try:
        from dagster_dask import dask_resource
    except ImportError:
        raise UsageError(cluster.NOT_INSTALLED) from None
    config = {"client": {"address": address, "timeout": cluster.REACH, "set_as_default": False}}
    with contextlib.ExitStack() as held:
        try:
            made = held.enter_context(dg.build_resources({"dask": dask_resource.configured(config)}))
        except dg.DagsterResourceFunctionError as error:
            raise error.user_exception from None
        yield made.dask.client
