"""The figures of the pages, each as one query over the tables of a release.

Belongs here: what is counted, of what, and in which order rows come. The queries are shown to readers (see the page on
methods), so each can be run on the release as it stands here. Does not: how a figure looks (`pages`, `charts`).
"""

from collections.abc import Iterator, Sequence
from typing import Any

import duckdb

Row = dict[str, Any]

PARTITION = """
SELECT s.policy, count(*) AS trials,
    count_if(s.status_group LIKE 'due,%') AS due,
    count_if(s.status_group = 'due, reported') AS reported,
    count_if(s.status = 'reported_on_time') AS reported_on_time,
    count_if(s.status = 'reported_late') AS reported_late,
    count_if(s.status = 'reported_undated') AS reported_undated,
    count_if(s.status_group = 'due, submitted') AS submitted,
    count_if(s.status_group = 'due, missing') AS missing,
    count_if(s.status_group = 'due, missing' AND w.results = 'found') AS missing_found_elsewhere,
    count_if(s.status_group = 'due, missing' AND w.results = 'none_found') AS missing_none_found,
    count_if(s.status_group = 'due, missing' AND w.results = 'cannot_judge') AS missing_cannot_judge,
    count_if(s.status_group = 'cannot judge') AS cannot_judge,
    count_if(s.status_group = 'pending') AS pending,
    count_if(s.status_group = 'reported early') AS reported_early,
    count_if(s.status_group = 'outside') AS outside,
    count_if(s.is_ambiguous) AS ambiguous
FROM reporting_status AS s JOIN trial_standings AS w USING (trial_id)
GROUP BY s.policy ORDER BY s.policy"""
"""Where all trials stand under each policy. Every trial is in exactly one part."""

UNJUDGED = """
SELECT policy, status, coalesce(decided_by, '(not named)') AS decided_by, count(*) AS trials
FROM reporting_status WHERE status_group = 'cannot judge'
GROUP BY ALL ORDER BY policy, trials DESC, status, decided_by"""
"""Why trials cannot be judged: the status, and the missing field or source that decides it."""

ANYWHERE = """
SELECT count(*) AS completed,
    count_if(w.results = 'found') AS found,
    count_if(w.results = 'none_found') AS none_found,
    count_if(w.results = 'cannot_judge') AS cannot_judge,
    coalesce(sum(t.enrolment) FILTER (WHERE w.results = 'none_found' AND t.enrolment_type = 'actual'), 0) AS actual,
    count(t.enrolment) FILTER (WHERE w.results = 'none_found' AND t.enrolment_type = 'actual') AS actual_trials,
    coalesce(sum(t.enrolment) FILTER (WHERE w.results = 'none_found' AND t.enrolment_type = 'estimated'), 0) AS planned,
    count(t.enrolment) FILTER (WHERE w.results = 'none_found' AND t.enrolment_type = 'estimated') AS planned_trials,
    coalesce(sum(t.enrolment) FILTER (WHERE w.results = 'none_found' AND t.enrolment_type IS NULL), 0) AS kind_unknown,
    count(t.enrolment) FILTER (WHERE w.results = 'none_found' AND t.enrolment_type IS NULL) AS kind_unknown_trials,
    count_if(w.results = 'none_found' AND t.enrolment IS NULL) AS unstated_trials,
    coalesce(sum(t.enrolment) FILTER (WHERE w.results = 'cannot_judge' AND t.enrolment_type = 'actual'), 0)
        AS unjudged_actual
FROM trial_standings AS w JOIN trials AS t USING (trial_id)
WHERE w.completion = 'completed' AND w.completed_latest + INTERVAL 12 MONTH <= $as_of"""
"""Trials that completed over 12 months ago: with results anywhere, with none found, and their participants."""

REGISTERED = """
SELECT rule, count(*) AS trials,
    count_if(status = 'prospective') AS prospective,
    count_if(status = 'retrospective') AS retrospective,
    count_if(status = 'unknown') AS unknown,
    count_if(status = 'not_started') AS not_started
FROM registration_status GROUP BY rule ORDER BY rule"""
"""Registered before the start, by each rule. The share is of those that can be judged: pro- and retrospective."""

TREND = """
WITH days AS (
    SELECT policy,
        CASE WHEN reported_date IS NOT NULL THEN greatest(due_latest + 1, reported_date) END AS reported_from,
        least(
            due_latest + p.grace_days + 1,
            CASE WHEN reported_date IS NOT NULL THEN greatest(due_latest + 1, reported_date) END,
            CASE WHEN status_group = 'due, submitted' THEN greatest(due_latest + 1, submitted_date) END) AS due_from
    FROM reporting_status JOIN policy_grace AS p USING (policy)
    WHERE status_group IN ('due, reported', 'due, submitted', 'due, missing')
        AND (status_group <> 'due, reported' OR reported_date IS NOT NULL)
), steps AS (
    SELECT policy, least(last_day(due_from), $as_of) AS day, 1 AS due, 0 AS reported FROM days WHERE due_from <= $as_of
    UNION ALL
    SELECT policy, least(last_day(reported_from), $as_of), 0, 1 FROM days WHERE reported_from <= $as_of
), months AS (
    SELECT policy, day, sum(due) AS due, sum(reported) AS reported FROM steps GROUP BY ALL
)
SELECT policy, day,
    CAST(sum(due) OVER so_far AS BIGINT) AS due,
    CAST(sum(reported) OVER so_far AS BIGINT) AS reported
FROM months
WINDOW so_far AS (PARTITION BY policy ORDER BY day)
ORDER BY policy, day"""
"""At the end of each month: trials due by then and those reported by then, judged by today's rule and records."""

HISTORY = """
WITH entries AS (
    SELECT as_of AS day FROM status_transitions UNION SELECT previous_as_of FROM status_transitions
), moves AS (
    SELECT m.policy, m.as_of,
        count_if(t.status_group LIKE 'due,%') - count_if(f.status_group LIKE 'due,%') AS due,
        count_if(t.status_group = 'due, reported') - count_if(f.status_group = 'due, reported') AS reported
    FROM status_transitions AS m
    LEFT JOIN status_words AS f ON f.code = m.from_status
    LEFT JOIN status_words AS t ON t.code = m.to_status
    GROUP BY ALL
), now AS (
    SELECT policy, count_if(status_group LIKE 'due,%') AS due, count_if(status_group = 'due, reported') AS reported
    FROM reporting_status GROUP BY policy
)
SELECT n.policy, e.day,
    CAST(any_value(n.due) - coalesce(sum(m.due), 0) AS BIGINT) AS due,
    CAST(any_value(n.reported) - coalesce(sum(m.reported), 0) AS BIGINT) AS reported
FROM now AS n
CROSS JOIN entries AS e
LEFT JOIN moves AS m ON m.policy = n.policy AND m.as_of > e.day
GROUP BY n.policy, e.day
ORDER BY n.policy, e.day"""
"""What each earlier build that was published said on its day, by the rule of that day: today's counts without what has
moved since."""

COHORTS = """
WITH followed AS (
    SELECT policy, year(clock_latest) AS completed,
        CASE WHEN reported_date IS NOT NULL THEN greatest(0, datediff('month', clock_latest, reported_date)
            + CASE WHEN day(reported_date) > day(clock_latest) THEN 1 ELSE 0 END) END AS months
    FROM reporting_status
    WHERE clock_latest <= $as_of AND status_group IN ('due, reported', 'due, submitted', 'due, missing', 'pending',
            'reported early')
        AND (status_group NOT IN ('due, reported', 'reported early') OR reported_date IS NOT NULL)
), cohorts AS (
    SELECT policy, completed, count(*) AS trials,
        datediff('month', make_date(completed + 1, 1, 1), $as_of + 1) AS followed_months
    FROM followed GROUP BY ALL
), grid AS (
    SELECT CAST(unnest(range(0, 61, 3)) AS INTEGER) AS month
)
SELECT c.policy, c.completed, c.trials, g.month, count(f.months) AS reported
FROM cohorts AS c
JOIN grid AS g ON g.month <= c.followed_months
LEFT JOIN followed AS f ON f.policy = c.policy AND f.completed = c.completed AND f.months <= g.month
WHERE c.followed_months >= 12 AND c.completed > year($as_of) - 6
GROUP BY ALL
ORDER BY c.policy, c.completed, g.month"""
"""Trials that completed in a year, and how many of them were reported within so many months; as long as all of them
have been followed."""

LATENESS = """
SELECT policy,
    CASE WHEN status = 'reported_on_time' THEN 1 WHEN days_late_min IS NULL THEN 8 WHEN days_late_min <= 30 THEN 2
        WHEN days_late_min <= 90 THEN 3 WHEN days_late_min <= 365 THEN 4 WHEN days_late_min <= 730 THEN 5
        WHEN days_late_min <= 1826 THEN 6 ELSE 7 END AS bin,
    count(*) AS trials
FROM reporting_status WHERE status_group = 'due, reported'
GROUP BY ALL ORDER BY policy, bin"""
"""How late reported results came, at least. What has the status on time is on time: what was seen public by the due
date may have no day of posting."""

LATENESS_BINS = {1: "on time", 2: "1 to 30 days", 3: "31 to 90 days", 4: "91 to 365 days", 5: "1 to 2 years",
                 6: "2 to 5 years", 7: "over 5 years", 8: "no day given"}  # fmt: skip

CARDS = """
SELECT * FROM scorecards WHERE unit_kind = $unit AND policy = $policy
ORDER BY is_remainder, due DESC, trials DESC, unit_value"""
"""How the units of one kind fare under a policy."""

DECILES = """
SELECT s.sponsor_class, c.policy, count(*) AS sponsors,
    quantile_cont(c.reported_share, [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]) AS deciles
FROM scorecards AS c JOIN sponsors AS s ON s.sponsor_id = c.unit_value
WHERE c.unit_kind = 'sponsor' AND NOT c.is_small AND s.sponsor_class IS NOT NULL
GROUP BY ALL HAVING sponsors >= 10 ORDER BY ALL"""
"""How reported shares spread over the sponsors of a class that have at least 10 due trials, where there are at least
ten of them to cut into ten groups."""

FUNNEL = """
SELECT CAST(floor(log2(due) * 4) AS INTEGER) AS size, CAST(round(reported_share * 20) AS INTEGER) AS twentieth,
    count(*) AS sponsors
FROM scorecards WHERE unit_kind = 'sponsor' AND policy = $policy AND NOT is_remainder AND due >= 10
GROUP BY ALL ORDER BY ALL"""
"""Sponsors with at least 10 due trials, by the number of these (in quarters of a doubling) and the share reported."""


def query(connection: duckdb.DuckDBPyConnection, sql: str, **parameters: Any) -> list[Row]:
    """All rows of a query that has few of them."""
    return list(stream(connection, sql, **parameters))


SEARCH_PATH = "release.main,memory.main"
"""Where the tables stand, see `making.opened`: each cursor has to be told."""


def stream(connection: duckdb.DuckDBPyConnection, sql: str, **parameters: Any) -> Iterator[Row]:
    """The rows of a query one by one, with few of them held at a time."""
    cursor = connection.cursor()
    try:
        cursor.execute(f"SET search_path = '{SEARCH_PATH}'")
        cursor.execute(sql, parameters or None)
        names = [column[0] for column in cursor.description or ()]
        while rows := cursor.fetchmany(2000):
            for row in rows:
                yield dict(zip(names, row, strict=True))
    finally:
        cursor.close()


def grouped(rows: Sequence[Row], key: str) -> dict[Any, list[Row]]:
    """Rows by the value of a column, in their order."""
    found: dict[Any, list[Row]] = {}
    for row in rows:
        found.setdefault(row[key], []).append(row)
    return found
