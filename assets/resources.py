"""What the steps of a run share: the settings, the as-of date, and the build that is under way.

No asset stands here, and nothing of what a build does: `Workshop` calls the functions that the command line calls, in
the same order and under the same lock.
"""

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import dagster as dg
from pydantic import Field, PrivateAttr

from pipelines import build, importing, progress, snapshots, store
from pipelines.build import Built
from pipelines.errors import DataError, UsageError
from pipelines.settings import Settings
from pipelines.snapshots import Snapshot
from pipelines.staging import Staged

Say = Callable[[str], None]


class BuildDay(dg.ConfigurableResource):
    """The as-of date of a run: what the warehouse knows and what is due on that day. Never today by itself."""

    as_of: str = Field(description="The day the warehouse is built for, YYYY-MM-DD.")

    def day(self) -> date:
        """Raises UsageError where it is no day."""
        return importing.parse_day(self.as_of)


@dataclass
class _Bench:
    """What lies on the bench during one run."""

    folder: Path
    registers: list[Staged] | None = None
    articles: list[Staged] | None = None
    built: Built | None = None


class Workshop(dg.ConfigurableResource):
    """The build of one run. It holds the data folder's lock and the folder of the unpublished build from the run's
    first step to its last, and hands what one step made to the next: all steps run in one process.

    overrides: SQL texts that take the place of the files' (tests plant faults with them).
    """

    settings: dg.ResourceDependency[Settings]
    build_day: dg.ResourceDependency[BuildDay]
    overrides: dict[str, str] = Field(default_factory=dict)
    _bench: _Bench = PrivateAttr()

    @contextlib.contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator["Workshop"]:
        data = self.settings.data
        with store.only_writer(data), build.unpublished(data, self.build_day.day()) as folder:
            self._bench = _Bench(folder)
            yield self

    def registers(self, say: Say) -> list[Staged]:
        """The payloads of the registers, read if need be."""
        if self._bench.registers is None:
            self._bench.registers = build.read_registers(
                self.settings, self._taken(), progress.watch(say, time.monotonic)
            )
        return self._bench.registers

    def articles(self, say: Say) -> list[Staged]:
        """The payloads of the bibliographies, read if need be: after the registers, which cite articles."""
        if self._bench.articles is None:
            self._bench.articles = build.read_articles(
                self.settings, self._taken(), self.registers(say), progress.watch(say, time.monotonic)
            )
        return self._bench.articles

    def make(self, say: Say) -> Built:
        """Makes and checks all tables aside; the verdict stands in `failed`."""
        staged = [*self.registers(say), *self.articles(say)]
        made = build.make(self.settings, self.build_day.day(), staged, self._bench.folder, say, self.overrides)
        self._bench.built = made
        return made

    def publish(self) -> Built:
        """Switches the warehouse to what this run made. Raises UsageError where it made nothing, DataError where a
        check failed."""
        made = self._bench.built
        if made is None:
            raise UsageError("This run made no tables: materialise them together with the warehouse.")
        if made.failed:
            raise DataError(build.complaint(made.failed))
        return build.publish(self.settings.data, made)

    def _taken(self) -> list[Snapshot]:
        return snapshots.listed(self.settings.data, self.build_day.day())


@contextlib.contextmanager
def readable_errors() -> Iterator[None]:
    """Shows a person the one sentence that the command line would print. Trying again would not help."""
    try:
        yield
    except (UsageError, DataError) as error:
        raise dg.Failure(description=str(error), allow_retries=False) from error
