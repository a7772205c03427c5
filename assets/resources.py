"""What the steps of a run share: the settings, the clock, the as-of date, and the night that is under way.

No asset stands here, and nothing of what a build does: `Workshop` calls the functions that the command line calls, in
the same order and under the same lock.
"""

import contextlib
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

import dagster as dg
from pydantic import Field, PrivateAttr

from assets import cluster
from pipelines import build, fetching, importing, nights, progress, snapshots, store, working_copy
from pipelines.build import Built
from pipelines.errors import BusyError, DataError, FetchError, UsageError
from pipelines.fetching import Taken
from pipelines.importing import Dropped
from pipelines.nights import Night
from pipelines.settings import Settings
from pipelines.snapshots import Snapshot
from pipelines.staging import Staged
from pipelines.web import Edge

Say = Callable[[str], None]
AGAIN, PAUSE = 10, 60.0
"""How often, and after how many seconds, a step asks again for a data folder that another process writes to."""


def clock() -> Edge:
    """The time, waiting and chance of this machine: what only the edge of the program may use."""
    return Edge(now=lambda: datetime.now(UTC), sleep=time.sleep, random=random.random)


class BuildDay(dg.ConfigurableResource):
    """The as-of date of a run: what the warehouse knows and what is due on that day. Never today by itself."""

    as_of: str = Field(description="The day the warehouse is built for, YYYY-MM-DD.")

    def day(self) -> date:
        """Raises UsageError where it is no day."""
        return importing.parse_day(self.as_of)


@dataclass
class _Bench:
    """What lies on the bench during one run. held: what is let go of at its end. published: what the warehouse was
    switched to, and the rows of each table before that."""

    held: contextlib.ExitStack
    dropped: list[Dropped] = field(default_factory=list)
    taken: list[Taken] = field(default_factory=list)
    failed: list[tuple[str, str]] = field(default_factory=list)
    is_brought: bool = False
    is_sent: bool = False
    folder: Path | None = None
    registers: list[Staged] | None = None
    articles: list[Staged] | None = None
    built: Built | None = None
    published: tuple[Built, Mapping[str, int]] | None = None


class Workshop(dg.ConfigurableResource):
    """The night of one run. It holds the lock of nights from the run's first step to its last, the data folder's lock
    and the folder of the unpublished build from the first reading on, and hands what one step made to the next: all
    steps run in one process.

    overrides: SQL texts that take the place of the files' (tests plant faults with them).
    """

    settings: dg.ResourceDependency[Settings]
    build_day: dg.ResourceDependency[BuildDay]
    edge: dg.ResourceDependency[Edge]
    overrides: dict[str, str] = Field(default_factory=dict)
    _bench: _Bench = PrivateAttr()

    @contextlib.contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator["Workshop"]:
        self.build_day.day()
        with nights.only_one(self.settings.data), contextlib.ExitStack() as held:
            self._bench = _Bench(held)
            try:
                yield self
            finally:
                held.close()  # sending takes the data folder's lock itself
                self._send_what_is_left()

    def _send_what_is_left(self) -> None:
        """Where the run did not come to its end, what it fetched and read is sent to the store all the same."""
        if self._bench.is_brought and not self._bench.is_sent:
            working_copy.send_after_failure(self.settings, dg.get_dagster_logger().warning)

    def take_dropped(self, source: str) -> Dropped:
        """Takes what was dropped for a source into the archive. The first time in a run what lies under no known source
        is refused too, since no step would ever take it."""
        self._bring()
        is_first = not self._bench.dropped
        dropped = importing.drop_in(self.settings.data, self.edge.now(), source, with_strange=is_first)
        self._bench.dropped.append(dropped)
        return dropped

    def ask(self, source: str, say: Say) -> tuple[Sequence[Taken], str]:
        """Fetches a source if it is due: what came, and why that is not all. Raises UsageError where servers could not
        be told who asks them."""
        fetching.check_contact(self.settings)
        came, why = nights.ask(self.settings, source, self.edge, say)
        self._bench.taken += came
        self._bench.failed += [(source, why)] if why else []
        return came, why

    def registers(self, say: Say) -> list[Staged]:
        """The payloads of the registers, read if need be."""
        if self._bench.registers is None:
            self._begin()
            told = progress.watch(say, time.monotonic)
            self._bench.registers = build.read_registers(
                self.settings, self._taken(), told, cluster.spread(self.settings)
            )
        return self._bench.registers

    def articles(self, say: Say) -> list[Staged]:
        """The payloads of the bibliographies, read if need be: after the registers, which cite articles."""
        if self._bench.articles is None:
            told = progress.watch(say, time.monotonic)
            self._bench.articles = build.read_articles(
                self.settings, self._taken(), self.registers(say), told, cluster.spread(self.settings)
            )
        return self._bench.articles

    def make(self, say: Say) -> Built:
        """Makes and checks all tables aside; the verdict stands in `failed`."""
        staged = [*self.registers(say), *self.articles(say)]
        folder = self._begin()
        made = build.make(self.settings, self.build_day.day(), staged, folder, say, self.overrides)
        self._bench.built = made
        return made

    def publish(self, say: Say) -> Night:
        """Switches the warehouse to what this run made, and releases it where the settings say where to. Raises
        UsageError where it made nothing, DataError where a check failed. A step that is tried again, since another
        process held the data folder, switches and adds to the ledger once."""
        made = self._bench.built
        if made is None:
            raise UsageError("This run made no tables: materialise them together with the warehouse.")
        if made.failed:
            raise DataError(build.complaint(made.failed))
        drops = self._bench.dropped
        dropped = Dropped([t for d in drops for t in d.taken], [line for d in drops for line in d.left])
        if self._bench.published is None:
            before = store.row_counts(self.settings.data)
            self._bench.published = build.publish(self.settings.data, made), before
        built, before = self._bench.published
        self._bench.held.close()  # making a release takes the data folder's lock itself
        released = nights.release(self.settings, self.edge, say)
        self._bench.is_sent = True
        return Night(self._bench.taken, self._bench.failed, built, dropped, before, *released)

    def _begin(self) -> Path:
        """The folder of the unpublished build; from now on nobody else writes to the data folder. Raises BusyError."""
        if self._bench.folder is None:
            self._bring()
            data = self.settings.data
            self._bench.held.enter_context(store.only_writer(data))
            store.sweep(data)
            self._bench.folder = self._bench.held.enter_context(build.unpublished(data, self.build_day.day()))
        return self._bench.folder

    def _bring(self) -> None:
        """Brings what the store has, before the first step that writes."""
        if not self._bench.is_brought:
            working_copy.bring(self.settings, dg.get_dagster_logger().info)
            self._bench.is_brought = True

    def _taken(self) -> list[Snapshot]:
        return snapshots.listed(self.settings.data, self.build_day.day())


@contextlib.contextmanager
def readable_errors() -> Iterator[None]:
    """Shows a person the one sentence that the command line would print. Trying again helps only where another process
    has what a step needs."""
    try:
        yield
    except BusyError as error:
        raise dg.RetryRequested(max_retries=AGAIN, seconds_to_wait=PAUSE) from error
    except (UsageError, DataError, FetchError) as error:
        raise dg.Failure(description=str(error), allow_retries=False) from error
