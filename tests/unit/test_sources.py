"""What `sources` says of each source: how old it is, whether it could be fetched, whether it is larger than expected."""

import json
from datetime import date, timedelta

import pytest

from pipelines import attempts, snapshots, validation
from pipelines.attempts import Attempt
from pipelines.contracts import contracts
from tests.worlds import AS_OF, put_studies, rows, study, tables

SEEN = AS_OF - timedelta(days=3)
COLUMNS = "last_attempt, last_attempt_failed, last_failure, is_stale, stale_days"


def day(ago):
    return (AS_OF - timedelta(days=ago)).isoformat()


@pytest.mark.parametrize(
    ("tried", "expected"),
    [
        ([], (None, None, None, True, 3)),  # imported three days ago, and the register is renewed daily
        ([(1, "")], (AS_OF - timedelta(days=1), False, None, False, 3)),  # there was nothing new
        ([(2, "")], (AS_OF - timedelta(days=2), False, None, True, 3)),
        ([(1, ""), (0, "ctgov: it answers 503.")], (AS_OF, True, "ctgov: it answers 503.", True, 3)),
        ([(1, "ctgov: it answers 503."), (0, "")], (AS_OF, False, None, False, 3)),
        ([(0, ""), (-1, "ctgov: tomorrow's failure")], (AS_OF, False, None, False, 3)),
        ([(0, "write to jane.doe@example.org")], (AS_OF, True, "write to [e-mail removed]", True, 3)),
    ],
)
def test_a_source_says_whether_it_could_be_fetched_and_whether_it_may_lag_behind(tmp_path, tried, expected):
    put_studies(tmp_path, SEEN, [study(1)], scope="full")
    for ago, failure in tried:
        attempts.note(tmp_path, Attempt("ctgov", day(ago), failure))
    with tables(tmp_path) as connection:
        assert rows(connection, f"SELECT {COLUMNS} FROM sources WHERE source = 'ctgov'") == [expected]
        never = rows(connection, "SELECT is_stale, last_attempt FROM sources WHERE source = 'isrctn'")
    assert never == [(None, None)], "of what was never loaded nothing is said"


def test_a_source_that_never_came_is_stale_once_it_was_tried(tmp_path):
    put_studies(tmp_path, SEEN, [study(1)])
    attempts.note(tmp_path, Attempt("isrctn", day(1), "isrctn: it answers 503."))
    with tables(tmp_path) as connection:
        assert rows(connection, "SELECT is_stale, records FROM sources WHERE source = 'isrctn'") == [(True, 0)]


def test_an_unfinished_line_costs_no_other(tmp_path):
    attempts.note(tmp_path, Attempt("ctgov", "2024-01-01"))
    with (tmp_path / attempts.FILE).open("a") as out:
        out.write('{"source": "ctg')
    attempts.note(tmp_path, Attempt("ctgov", "2024-01-02", "busy"))
    assert [a.day for a in attempts.read(tmp_path, date.max)] == ["2024-01-01", "2024-01-02"]
    assert attempts.last(tmp_path, date.max) == [("ctgov", date(2024, 1, 2), True, "busy", date(2024, 1, 1))]


@pytest.mark.parametrize(("volume", "outcome"), [(900_000, "passed"), (900_001, "warned")])
def test_a_volume_above_the_band_is_warned_of_where_readers_see_it(tmp_path, volume, outcome):
    path = tmp_path / "dumps" / "all.json"
    path.parent.mkdir()
    path.write_text(json.dumps([study(1)]))
    said = {"records": volume, "stated_total": volume, "data_version": "x"}
    snapshots.store_files(tmp_path, "ctgov", SEEN, [path], scope="full", fetched=said)
    known = contracts()
    with tables(tmp_path) as connection:
        found = rows(connection, "SELECT volume, volume_expected_most FROM sources WHERE source = 'ctgov'")
        results = validation.check_table(connection, known.tables["sources"], known)
        assert found == [(volume, known.sources["ctgov"].max_records)]
        assert [r.outcome for r in results if r.check_name == "volume_as_expected"] == [outcome]


@pytest.mark.parametrize(
    ("lines", "last"),
    [
        ([("2024-01-05", ""), ("2024-01-03", "busy")], (date(2024, 1, 5), False, "", date(2024, 1, 5))),
        ([("2024-01-05", "down"), ("2024-01-03", "")], (date(2024, 1, 5), True, "down", date(2024, 1, 3))),
        ([("2024-01-05", "down"), ("2024-01-05", "")], (date(2024, 1, 5), False, "", date(2024, 1, 5))),
        ([("2024-01-04", ""), ("2024-01-05", "down"), ("2024-01-02", "")],
         (date(2024, 1, 5), True, "down", date(2024, 1, 4))),
    ],
)  # fmt: skip
def test_the_last_attempt_of_two_machines_is_the_newest_by_its_day(tmp_path, lines, last):
    for on, failure in lines:
        attempts.note(tmp_path, Attempt("ctgov", on, failure))
    assert attempts.last(tmp_path, date.max) == [("ctgov", *last)]
