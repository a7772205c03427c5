"""How far reading has come, in words for a person: files of all, records a second, time left; every few seconds only.

The clock is handed in by those who may read it, the command line and the assets. What is read stands in `staging`.
"""

from collections.abc import Callable

from pipelines.staging import Progress

EVERY = 5.0
"""Seconds between two sentences, at least; what could not be read is said at once."""


def watch(say: Callable[[str], None], clock: Callable[[], float]) -> Callable[[Progress], None]:
    """What `staging.stage` is to call. clock: seconds since whenever."""
    began = last = clock()

    def told(progress: Progress) -> None:
        nonlocal began, last
        now = clock()
        if not progress.done:
            began = last = now
            return
        if progress.fault:
            say(f"could not read {progress.source} {progress.payload}: {progress.fault}")
        if progress.done == progress.of or now - last >= EVERY:
            say(sentence(progress, now - began))
            last = now

    return told


def sentence(progress: Progress, seconds: float) -> str:
    """How far it is after so many seconds. The time left goes by bytes: files differ in size a hundredfold."""
    files = f"{progress.done:,} of {progress.of:,} files"
    if progress.unchanged:
        files += f" ({progress.unchanged:,} more are unchanged)"
    pace = f", {progress.records / seconds:,.0f} records a second" if seconds >= 1 else ""
    if progress.done == progress.of:
        return f"read {files}: {progress.records:,} records{pace}"
    left = seconds * (progress.bytes_of - progress.bytes_done) / max(progress.bytes_done, 1)
    return f"reading {progress.source}: {files}{pace}, about {_time(left)} left"


def _time(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"
