"""Files that people keep under review: CSV in UTF-8 with a header, one decision a row, read whole or refused.

Belongs here: the form of such a file, and how a fault of a row is told. Does not: what has to hold of a row, which
belongs to whoever acts on it (`contests`, `identity.adjudications`).
"""

import csv
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from pipelines.errors import DataError

Cells = Mapping[str, str | None]
"""A row by column: its text without blanks around it, None where nothing is said."""


def read(path: Path, columns: tuple[str, ...], faults: Callable[[Cells], Iterator[str]]) -> list[Cells]:
    """All rows of the file. faults: why a row cannot be used; its first reason is told.

    Raises DataError naming the file, and the line where it is one row's fault.
    """
    with path.open(encoding="utf-8-sig", newline="") as handle:
        rows = csv.DictReader(handle, strict=True)
        try:
            if tuple(rows.fieldnames or ()) != columns:
                raise DataError(f"{path.name}: the columns have to be {','.join(columns)}.")
            return [_checked(path, rows.line_num, row, faults) for row in rows]
        except (UnicodeDecodeError, csv.Error) as error:
            raise DataError(f"{path.name}, after line {rows.line_num}: no CSV in UTF-8 ({error}).") from None


def _checked(
    path: Path, line: int, row: dict[str | None, str | None], faults: Callable[[Cells], Iterator[str]]
) -> Cells:
    is_longer = row.pop(None, None) is not None  # where csv puts what stands beyond the last column
    cells = {str(name): (cell or "").strip() or None for name, cell in row.items()}
    if is_longer:
        raise DataError(f"{path.name}, line {line}: more cells than columns; a text with a comma stands in quotes.")
    for fault in faults(cells):
        raise DataError(f"{path.name}, line {line}: {fault}.")
    return cells
