-- Every PubMed payload in the order in which it counts. A numbered file that was issued again replaces its first issue;
-- the files of years before a whole baseline are replaced by that baseline.
-- is_applied: after a gap among a year's update files nothing is applied until the missing one arrives.
WITH numbered AS (
    SELECT
        file, snapshot, snapshot_date, payload, file_year, file_number, is_baseline, is_whole,
        row_number() OVER (
            PARTITION BY file_year, file_number ORDER BY snapshot_date DESC, snapshot DESC, payload DESC) AS issue
    FROM article_payloads
    WHERE file_year IS NOT NULL
), whole AS (
    SELECT max(file_year) AS file_year FROM numbered WHERE is_whole
), last_baseline AS (
    SELECT file_year, max(file_number) AS file_number
    FROM numbered WHERE is_whole GROUP BY file_year
), updates AS (
    SELECT
        n.file,
        n.file_number - row_number() OVER year
            = coalesce(b.file_number, first_value(n.file_number) OVER year - 1) AS follows_on
    FROM numbered AS n
    LEFT JOIN last_baseline AS b USING (file_year)
    WHERE n.issue = 1 AND NOT n.is_baseline
    WINDOW year AS (PARTITION BY n.file_year ORDER BY n.file_number)
)
SELECT
    p.file, p.snapshot, p.snapshot_date, p.payload, p.file_year, p.file_number, p.is_baseline, p.is_whole,
    coalesce(n.issue > 1, false) OR coalesce(p.file_year < (SELECT file_year FROM whole), false) AS is_replaced,
    coalesce(u.follows_on, true) AS is_applied
FROM article_payloads AS p
LEFT JOIN numbered AS n USING (file)
LEFT JOIN updates AS u USING (file)
