"""A night: what was dropped in, every source that can be fetched, then the build, the warehouse switched, and the
release where the settings name a place for it, in one.

A source that fails is said and stops no other: its last good snapshot stays in use. How a source is fetched stands in
`fetching`, what is built in `build`, what is released in `release`; nothing here knows any of it.
"""

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from pipelines import build, fetching, importing, staging, store, working_copy
from pipelines.build import Built
from pipelines.errors import DataError, FetchError, UsageError
from pipelines.fetching import Say, Taken
from pipelines.importing import Dropped
from pipelines.release import making, publishing
from pipelines.settings import Settings
from pipelines.staging import Progress, Spread
from pipelines.web import Edge


@dataclass(frozen=True)
class Night:
    """What a night brought. failed: by source, why nothing, or not all, of it came. before: rows of each table of the
    last warehouse. release: what became of the release; not_released: why there is none, or why it was not sent."""

    taken: Sequence[Taken]
    failed: Sequence[tuple[str, str]]
    built: Built
    dropped: Dropped
    before: Mapping[str, int]
    release: str = ""
    not_released: str = ""


def night(
    settings: Settings,
    as_of: date,
    edge: Edge,
    say: Say,
    told: Callable[[Progress], None] = staging.untold,
    spread: Spread | None = None,
) -> Night:
    """Fetches, builds and switches. Raises UsageError where nobody can be asked or there is nothing to build of,
    DataError where another night is under way or a check fails: the last good build then stays the warehouse."""
    fetching.check_contact(settings)
    wanted = fetching.sources(settings)
    with only_one(settings.data):
        dropped = importing.drop_in(settings.data, edge.now())
        taken: list[Taken] = []
        failed: list[tuple[str, str]] = []
        for source in wanted:
            came, why = ask(settings, source, edge, say)
            taken += came
            failed += [(source, why)] if why else []
        if any(one.snapshot.date > as_of for one in taken):
            say(f"the build of {as_of} leaves out what was fetched after that day")
        before = store.row_counts(settings.data)
        built = build.build(settings, as_of, say=say, told=told, spread=spread)
        return Night(taken, failed, built, dropped, before, *release(settings, edge, say))


def release(settings: Settings, edge: Edge, say: Say) -> tuple[str, str]:
    """Makes and sends the release of the warehouse where the settings say where to. Gives what became of it, and why
    that is not all; the warehouse and the releases before it stay as they are.

    What is published is kept first. Raises DataError where the store does not take it.
    """
    done, why = _released(settings, edge, say)
    working_copy.send(settings, say)
    if done and not why:
        why = _tried(lambda: publishing.publish(settings, say), say)
    return done, why


def _released(settings: Settings, edge: Edge, say: Say) -> tuple[str, str]:
    said: list[str] = []
    if not settings.releases_to:
        return "", ""
    say("releasing")
    why = _tried(lambda: said.append(making.sentence(making.release(settings, edge.now()))), say)
    return "".join(said), why


def _tried(work: Callable[[], None], say: Say) -> str:
    """Why a part of releasing failed; empty where it did not."""
    try:
        work()
    except (DataError, UsageError, OSError, duckdb.Error) as error:
        say(f"could not release: {_words(error)}")
        return _words(error)
    return ""


def only_one(data: Path) -> contextlib.AbstractContextManager[None]:
    """Holds the lock of nights. Raises BusyError where another night is under way."""
    return store.locked(data / fetching.FOLDER / "night.lock", f"Another night is under way in {data}")


def wanted(settings: Settings) -> list[str]:
    """The sources that Dagster's night asks: those of any night, but none before the settings say who asks, or whom."""
    return fetching.sources(settings) if settings.contact or settings.fetched_sources else []


def ask(settings: Settings, source: str, edge: Edge, say: Say) -> tuple[list[Taken], str]:
    """Fetches the source if it is due. Gives what came, and why that is not all; the last good snapshot then stays in
    use."""
    came: list[Taken] = []
    if not fetching.is_due(settings, source, edge.now().date()):
        return came, ""
    try:
        for one in fetching.fetch(settings, source, edge, say):
            say(fetching.sentence(one))
            came.append(one)
    except Exception as error:  # noqa: BLE001 - whatever answers do to a fetcher, the rest of the night goes on
        say(f"could not fetch {source}: {_words(error)}")
        return came, _words(error)
    return came, ""


def _words(error: Exception) -> str:
    if isinstance(error, OSError):
        said = f"{error.filename or 'the data folder'}: {error.strerror or 'it cannot be written'}."
        return f"{said} {store.way_out(error)}".rstrip()
    if isinstance(error, FetchError | DataError | UsageError | duckdb.Error):
        return str(error)
    return fetching.unforeseen(error)
