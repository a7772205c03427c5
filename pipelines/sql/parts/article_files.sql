-- Every PubMed payload in the order in which it counts. A numbered file that was issued again replaces its first issue,
-- unless it cannot be read; the files of years before a whole baseline are replaced by that baseline, once each of its
-- files could be read: till then the older year stands, and nothing of the newer one is applied.
-- Whether a file belongs to the baseline follows from its number where a whole baseline of its year is known, else from
-- how it was imported. is_applied: after a gap among a year's update files nothing is applied until the missing one
-- arrives; waits_for is the number of the file that is missing or has to be read first.
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
), baselines AS (
    SELECT file_year, min(file_number) FILTER (WHERE is_failed) AS unread
    FROM numbered
    WHERE issue = 1 AND in_baseline AND last_of_baseline IS NOT NULL
    GROUP BY file_year
), standing AS (
    SELECT max(file_year) AS file_year FROM baselines WHERE unread IS NULL
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
), waiting AS (
    SELECT n.file,
        CASE WHEN n.file_year > s.file_year AND b.unread IS NOT NULL THEN b.unread
             WHEN NOT n.in_baseline AND n.file_number >= g.missing THEN g.missing END AS waits_for
    FROM numbered AS n
    CROSS JOIN standing AS s
    LEFT JOIN baselines AS b ON b.file_year = n.file_year
    LEFT JOIN gaps AS g ON g.file_year = n.file_year
)
SELECT
    p.file, p.snapshot, p.snapshot_date, p.payload, p.file_year, p.file_number, p.is_failed,
    coalesce(n.in_baseline, false) AS in_baseline,
    n.last_of_baseline,
    coalesce(n.issue = 1, true) AS is_newest_issue,
    coalesce(b.file_year IS NOT NULL AND b.unread IS NULL, false) AS is_of_whole_year,
    coalesce(n.issue > 1, false)
        OR coalesce(p.file_year < (SELECT file_year FROM standing), false) AS is_replaced,
    w.waits_for IS NULL AS is_applied,
    w.waits_for
FROM article_payloads AS p
LEFT JOIN numbered AS n USING (file)
LEFT JOIN waiting AS w USING (file)
LEFT JOIN baselines AS b ON b.file_year = p.file_year
