"""The attempts at fetching: of two machines both count, and a line that was never finished takes no other with it."""

from datetime import date

import pytest

from pipelines import attempts
from pipelines.attempts import Attempt

TORN = '{"failure": "é'.encode()[:-1]
"""Within a character."""


@pytest.fixture
def both(tmp_path):
    """What two machines wrote that began with the same line."""
    found = []
    for name in ("one", "other"):
        attempts.note(tmp_path / name, Attempt("ctis", "2024-06-01"))
        attempts.note(
            tmp_path / name, Attempt("ctgov" if name == "one" else "euctr", "2024-06-02", f"{name} could not")
        )
        found.append((tmp_path / name / attempts.FILE).read_bytes())
    return found


@pytest.mark.parametrize("torn", ["", "theirs", "ours"])
def test_of_two_machines_every_line_counts_that_was_finished(tmp_path, both, torn):
    """A line is left unfinished where the disk is full."""
    theirs, ours = (
        content + (TORN if whose == torn else b"") for content, whose in zip(both, ("theirs", "ours"), strict=True)
    )
    merged = attempts.merged(theirs, ours)
    assert merged.startswith(theirs), "what was sent is only added to"
    path = tmp_path / attempts.FILE
    path.parent.mkdir(parents=True)
    path.write_bytes(merged)
    attempts.note(tmp_path, Attempt("isrctn", "2024-06-03"))
    assert [source for source, *_ in attempts.last(tmp_path, date(2024, 6, 3))] == ["ctgov", "ctis", "euctr", "isrctn"]
