"""A payload written for a test, read by a register's reader. What payloads look like stands with each reader's tests."""

from datetime import date
from pathlib import Path
from types import ModuleType
from typing import Any

import pyarrow.parquet as pq

from pipelines.reading import Report


class Read:
    """What the reader made of a payload."""

    def __init__(self, report: Report, out: Path) -> None:
        self.report = report
        self.rows: list[dict[str, Any]] = pq.read_table(out).to_pylist()

    @property
    def ids(self) -> list[str]:
        return [row["registration_id"] for row in self.rows]

    def reasons(self, scope: str) -> list[str]:
        return [reject.reason for reject in self.report.rejects if reject.scope == scope]


def read(source: ModuleType, folder: Path, content: str | bytes, day: date) -> Read:
    """Reads the content as a payload of the source; every record is accounted for."""
    payload, out = folder / "planted", folder / "records.parquet"
    payload.write_bytes(content.encode() if isinstance(content, str) else content)
    report = source.read(payload, "planted", day, out)
    assert report.balance() == 0
    result = Read(report, out)
    assert len(result.rows) == report.staged
    return result
