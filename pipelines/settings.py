"""Paths, environment and secrets: the only reader of `os.environ`. No data and no defaults that depend on the clock."""

import os
from dataclasses import dataclass
from pathlib import Path

from pipelines.errors import UsageError

ROOT = Path(__file__).resolve().parent.parent
"""The repository: `schemas/` and `docs/` lie here; commands are run from here."""

SCHEMAS = ROOT / "schemas"
SQL = ROOT / "pipelines" / "sql"
DOCS = ROOT / "docs"


@dataclass(frozen=True)
class Settings:
    """Where the data lie and how much of the machine a build may take.

    data: the data folder (raw, staging, builds, warehouse, ledger).
    adjudications: the reviewed file of decisions on single records.
    threads: DuckDB's threads. memory_limit: DuckDB's own limit, in its notation; the process needs some more.
    """

    data: Path
    threads: int
    memory_limit: str
    adjudications: Path = SCHEMAS / "adjudications.csv"


def from_environment(data: str | None = None) -> Settings:
    """Settings of this process: `--data` wins over ALLTRIALS_DATA, which wins over `data/` in the repository."""
    threads = os.environ.get("ALLTRIALS_THREADS") or str(min(os.cpu_count() or 1, 4))
    if not threads.isdigit() or int(threads) < 1:
        raise UsageError(f"ALLTRIALS_THREADS is a number of threads, not {threads!r}.")
    return Settings(
        data=Path(data or os.environ.get("ALLTRIALS_DATA") or ROOT / "data").resolve(),
        threads=int(threads),
        memory_limit=os.environ.get("ALLTRIALS_MEMORY") or "1GB",
        adjudications=Path(os.environ.get("ALLTRIALS_ADJUDICATIONS") or SCHEMAS / "adjudications.csv"),
    )


def quiet_libraries() -> None:
    """Switches off the usage reports of libraries before they are imported: nothing leaves this machine unasked."""
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    os.environ.setdefault("DAGSTER_DISABLE_TELEMETRY", "true")
