"""A night: every source that can be fetched, then the build, and the warehouse switched, in one.

A source that fails is said and stops no other: its last good snapshot stays in use. How a source is fetched stands in
`fetching`, what is built in `build`; nothing here knows either.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from pipelines import build, fetching, staging, store
from pipelines.build import Built
from pipelines.errors import DataError, FetchError
from pipelines.fetching import Say, Taken
from pipelines.settings import Settings
from pipelines.staging import Progress
from pipelines.web import Edge


@dataclass(frozen=True)
class Night:
    """What a night brought. failed: by source, why nothing, or not all, of it came."""

    taken: Sequence[Taken]
    failed: Sequence[tuple[str, str]]
    built: Built


def night(
    settings: Settings, as_of: date, edge: Edge, say: Say, told: Callable[[Progress], None] = staging.untold
) -> Night:
    """Fetches, builds and switches. Raises UsageError where nobody can be asked or there is nothing to build of,
    DataError where another night is under way or a check fails: the last good build then stays the warehouse."""
    fetching.check_contact(settings)
    wanted = fetching.sources(settings)
    with store.locked(settings.data / fetching.FOLDER / "night.lock", f"Another night is under way in {settings.data}"):
        taken: list[Taken] = []
        failed: list[tuple[str, str]] = []
        for source in wanted:
            if not fetching.is_due(settings, source, edge.now().date()):
                continue
            try:
                for one in fetching.fetch(settings, source, edge, say):
                    say(fetching.sentence(one))
                    taken.append(one)
            except (FetchError, DataError, OSError) as error:
                failed.append((source, _words(error)))
                say(f"could not fetch {source}: {_words(error)}")
        if any(one.snapshot.date > as_of for one in taken):
            say(f"the build of {as_of} leaves out what was fetched after that day")
        return Night(taken, failed, build.build(settings, as_of, say=say, told=told))


def _words(error: Exception) -> str:
    if isinstance(error, OSError):
        return f"{error.filename or 'the data folder'}: {error.strerror or 'it cannot be written'}."
    return str(error)
