"""Questions of docs/cookbook.md whose figures are easily misquoted, on a few rows that can be counted by hand. That all of
them run, and give the columns that they promise, is tested on the sample world (`integration/test_build.py`).
"""

import duckdb
import pytest

from tests import cookbook

ASKED = {question.number: question.sql for question in cookbook.questions()}
AS_OF = "DATE '2024-06-30'"
# One source lags: the as-of date is that of the build, whatever was read last.
SOURCES = """
CREATE TABLE sources AS SELECT * FROM (VALUES
    ('ctgov', DATE '2024-03-31', 91), ('pubmed', DATE '2024-06-20', 10), ('isrctn', NULL, NULL)
) AS t (source, retrieved_at, stale_days)"""


@pytest.fixture
def connection():
    with duckdb.connect() as connection:
        connection.execute(SOURCES)
        yield connection


# completed, its results on a register, their day, status group; and what question 8 makes of it: within 12 months, within
# 24, undated, cannot judge. None: it is not counted.
COMPLETED = [
    ("2020-01-31", "true", "2021-01-31", "due, reported", (1, 1, 0, 0)),
    ("2020-01-31", "true", "2021-02-01", "due, reported", (0, 1, 0, 0)),
    ("2020-01-31", "true", "2022-02-01", "due, reported", (0, 0, 0, 0)),
    ("2020-01-31", "true", None, "due, reported", (0, 0, 1, 0)),
    ("2020-01-31", "false", None, "due, missing", (0, 0, 0, 0)),
    ("2020-01-31", "false", None, "cannot judge", (0, 0, 0, 1)),  # the register was not read lately
    ("2020-01-31", "NULL", None, "cannot judge", (0, 0, 0, 1)),
    ("2022-06-25", "true", "2023-01-01", "due, reported", (1, 1, 0, 0)),  # had its two years by the as-of date
    ("2022-07-01", "true", "2023-01-01", "due, reported", None),
]


@pytest.mark.parametrize(("completed", "shows", "day", "group", "counted"), COMPLETED)
def test_what_is_within_two_years_and_what_may_be(connection, completed, shows, day, group, counted):
    connection.execute(f"""
        CREATE TABLE trial_standings AS
            SELECT 't' AS trial_id, 'completed' AS completion, DATE '{completed}' AS completed_latest;
        CREATE TABLE disclosure AS
            SELECT 't' AS trial_id, CAST({shows} AS BOOLEAN) AS r2_summary_results,
                CAST({f"'{day}'" if day else "NULL"} AS DATE) AS r2_date;
        CREATE TABLE reporting_status AS
            SELECT 't' AS trial_id, 'alltrials-summary' AS policy, '{group}' AS status_group
            UNION ALL SELECT 't', 'who-publication', 'cannot judge'""")
    expected = [(int(completed[:4]), 1, *counted)] if counted else []
    assert connection.execute(ASKED[8]).fetchall() == expected


@pytest.mark.parametrize(("due", "is_soon"), [("2024-09-28", True), ("2024-09-29", False)])
def test_what_is_due_soon_is_counted_from_the_as_of_date(connection, due, is_soon):
    connection.execute(f"""
        CREATE TABLE reporting_status AS SELECT 't' AS trial_id, 'alltrials-summary' AS policy, 'not_due' AS status,
            DATE '{due}' AS due_earliest, DATE '{due}' AS due_latest;
        CREATE TABLE trials AS SELECT 't' AS trial_id, 'Acme' AS sponsor, 'A trial' AS title""")
    assert len(connection.execute(ASKED[13]).fetchall()) == is_soon


@pytest.mark.parametrize(
    ("counts", "shares"),
    [
        # due, on time, late, undated, missing, cannot judge: percent, at least, at most
        ((10, 3, 4, 0, 3, 0), (30.0, 30.0, 30.0)),  # a late article is none within 24 months
        ((10, 3, 2, 2, 3, 10), (30.0, 15.0, 75.0)),
        ((0, 0, 0, 0, 0, 5), (None, 0.0, 100.0)),
        ((0, 0, 0, 0, 0, 0), (None, None, None)),
    ],
)
def test_an_article_within_24_months_is_one_that_came_on_time(connection, counts, shares):
    connection.execute(
        """CREATE TABLE scorecards AS SELECT 'who-publication' AS policy, 'all' AS unit_kind, * FROM (VALUES (?, ?, ?, ?, ?, ?))
            AS t (due, reported_on_time, reported_late, reported_undated, missing, cannot_judge)""",
        counts,
    )
    assert connection.execute(ASKED[17]).fetchall() == [(*counts, *shares)]


@pytest.mark.parametrize(
    ("entry", "before", "after", "is_news"),
    [
        (3, "not_due", "overdue", True),
        (3, "overdue", "reported_late", True),
        (3, None, "reported_on_time", True),
        (2, "not_due", "overdue", False),  # news of an earlier build
        (3, "reported_early", "reported_on_time", False),  # was reported before
        (3, "overdue", "overdue_submission_cancelled", False),
        (3, "overdue", "reporting_unknown", False),
        (3, "overdue", None, False),
    ],
)
def test_only_the_last_news_of_what_is_overdue_or_reported_is_news(connection, entry, before, after, is_news):
    connection.execute(
        f"""CREATE TABLE status_transitions AS
            SELECT 3 AS entry, {AS_OF} AS as_of, 'p' AS policy, 'not_due' AS from_status, 'in_grace' AS to_status, 'time' AS reason
            UNION ALL SELECT $1, {AS_OF}, 'p', CAST($2 AS VARCHAR), CAST($3 AS VARCHAR), 'record'""",
        [entry, before, after],
    )
    told = [row[2:4] for row in connection.execute(ASKED[36]).fetchall()]
    assert told == ([(before, after)] if is_news else [])


def test_each_rule_of_the_eu_is_named_beside_its_share(connection):
    connection.execute("""
        CREATE TABLE reporting_summary AS SELECT *, 1 AS trials, 1 AS due, 1 AS reported, 0 AS missing, 0 AS cannot_judge,
            1.0 AS reported_share FROM (VALUES ('eu-ctr'), ('eu-ctd'), ('fdaaa')) AS t (policy)""")
    assert [row[0] for row in connection.execute(ASKED[4]).fetchall()] == ["eu-ctd", "eu-ctr"]
