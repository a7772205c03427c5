-- Every PubMed payload in the order in which it counts. A numbered file that was issued again replaces its first issue,
-- unless it cannot be read; the files of years before a whole baseline are replaced by that baseline.
-- Whether a file belongs to the baseline follows from its number where a whole baseline of its year is known, else from
-- how it was imported. is_applied: after a gap among a year's update files nothing is applied until the missing one
-- arrives; waits_for is its number.
WITH last_baseline AS (
    SELECT file_year, max(file_number) AS file_number
    FROM article_payloads
    WHERE is_whole
    GROUP BY file_year
), numbered AS (
    SELECT
        p.*,
        CASE WHEN b.file_number IS NULL THEN p.is_baseline ELSE p.file_number <= b.file_number END AS in_baseline,
        b.file_number AS last_of_baseline,
        row_number() OVER (
            PARTITION BY p.file_year, p.file_number
            ORDER BY p.is_failed, p.snapshot_date DESC, p.snapshot DESC, p.payload DESC) AS issue
    FROM article_payloads AS p
    LEFT JOIN last_baseline AS b USING (file_year)
    WHERE p.file_year IS NOT NULL
), updates AS (
    SELECT
        file,
        file_year,
        file_number,
        coalesce(last_of_baseline, first_value(file_number) OVER year - 1) + row_number() OVER year AS expected
    FROM numbered
    WHERE issue = 1 AND NOT in_baseline
    WINDOW year AS (PARTITION BY file_year ORDER BY file_number)
), gaps AS (
    SELECT file_year, min(expected) AS missing FROM updates WHERE file_number <> expected GROUP BY file_year
)
SELECT
    p.file, p.snapshot, p.snapshot_date, p.payload, p.file_year, p.file_number, p.is_failed,
    coalesce(n.in_baseline, false) AS in_baseline,
    n.last_of_baseline,
    coalesce(n.issue > 1, false)
        OR coalesce(p.file_year < (SELECT max(file_year) FROM last_baseline), false) AS is_replaced,
    coalesce(n.in_baseline OR g.missing IS NULL OR p.file_number < g.missing, true) AS is_applied,
    CASE WHEN NOT n.in_baseline AND p.file_number > g.missing THEN g.missing END AS waits_for
FROM article_payloads AS p
LEFT JOIN numbered AS n USING (file)
LEFT JOIN gaps AS g ON g.file_year = p.file_year
