"""Taking dump files that lie on disk into the raw archive: what may be imported as what.

Storing is `snapshots`; fetching from a live source does not belong here.
"""

import csv
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from pipelines import snapshots, staging, store
from pipelines.contracts import contracts
from pipelines.errors import UsageError
from pipelines.snapshots import Snapshot

SCOPES = ("partial", "full")


@dataclass(frozen=True)
class Import:
    """One snapshot to be taken in. baseline: the files are those of a yearly PubMed baseline."""

    source: str
    day: date
    files: tuple[Path, ...]
    scope: str = "partial"
    baseline: bool = False


def take(data: Path, wanted: Import) -> tuple[Snapshot, bool]:
    """Stores the files as one snapshot; returns it and whether it is new. Raises UsageError, and stores nothing, where
    the import contradicts itself."""
    _check(wanted)
    with store.only_writer(data):
        files = [*wanted.files, *_side_files(wanted)]
        return snapshots.store_files(
            data, wanted.source, wanted.day, files, scope=wanted.scope, baseline=wanted.baseline
        )


def _check(wanted: Import) -> None:
    sources = contracts().sources
    if wanted.source not in sources:
        raise UsageError(f"There is no source {wanted.source!r}; the sources are {', '.join(sources)}.")
    if wanted.scope not in SCOPES:
        raise UsageError(f"The scope is partial or full, not {wanted.scope!r}.")
    if not _payloads(wanted):
        raise UsageError("Name at least one dump file to import; a checksum file alone is none.")
    is_articles = staging.module(wanted.source).KIND == "articles"
    if wanted.baseline and not is_articles:
        raise UsageError(f"--baseline is for pubmed; {wanted.source} has none.")
    if is_articles and wanted.scope == "full" and not wanted.baseline:
        raise UsageError("A full scope for pubmed goes with --baseline: only a baseline can be the whole of PubMed.")
    if wanted.baseline:
        _check_baseline(wanted)


def _check_baseline(wanted: Import) -> None:
    """Every file is a numbered one; a baseline that is said to be whole has the numbers 1 to its highest."""
    file_number = staging.module(wanted.source).file_number
    numbers: dict[int, set[int]] = {}
    for file in _payloads(wanted):
        place = file_number(file.name)
        if place is None:
            raise UsageError(f"{file.name}: a baseline file has a name like pubmed26n0001.xml.gz.")
        numbers.setdefault(place[0], set()).add(place[1])
    if wanted.scope != "full":
        return
    if len(numbers) > 1:
        raise UsageError(f"A whole baseline is of one year; these files are of {sorted(numbers)}.")
    for found in numbers.values():
        missing = sorted(set(range(1, max(found) + 1)) - found)
        if missing:
            shown = ", ".join(f"n{n:04d}" for n in missing[:5]) + (" ..." if len(missing) > 5 else "")
            raise UsageError(
                f"The baseline is not whole: {len(missing)} file(s) are missing ({shown}). Import them too."
            )


def _payloads(wanted: Import) -> list[Path]:
    return [f for f in wanted.files if f.suffix != snapshots.SIDE_FILE]


def _side_files(wanted: Import) -> list[Path]:
    """Checksum files that lie beside the files and were not named."""
    beside = [f.with_name(f.name + snapshots.SIDE_FILE) for f in _payloads(wanted)]
    return [f for f in beside if f.is_file() and f not in wanted.files]


def read_list(path: Path) -> list[Import]:
    """Imports from a CSV with the columns source, date, scope, baseline, file (relative to the CSV). Rows that agree in
    all but the file are one snapshot; the order is kept. Raises UsageError where the file is not such a list."""
    if not path.is_file():
        raise UsageError(f"{path}: there is no such file.")
    grouped: dict[tuple[str, str, str, str], list[Path]] = {}
    try:
        rows = list(csv.DictReader(path.read_text(encoding="utf-8-sig").splitlines()))
    except UnicodeDecodeError:
        raise UsageError(f"{path}: the list is not UTF-8 text.") from None
    for number, row in enumerate(rows, 2):
        missing = [name for name in ("source", "date", "scope", "baseline", "file") if not row.get(name)]
        if missing:
            raise UsageError(f"{path}: line {number} of the list lacks {', '.join(missing)}.")
        key = (row["source"], row["date"], row["scope"], row["baseline"])
        grouped.setdefault(key, []).append(path.parent / row["file"])
    if not grouped:
        raise UsageError(f"{path}: the list names nothing to import.")
    return [
        Import(source, parse_day(day), tuple(files), scope, baseline == "true")
        for (source, day, scope, baseline), files in grouped.items()
    ]


def parse_day(text: str) -> date:
    """A day written YYYY-MM-DD. Raises UsageError."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{text!r} is not a day of the form YYYY-MM-DD.") from None
