-- Whether PubMed is loaded whole: a baseline imported as whole, and an unbroken sequence of update files after it.
WITH whole AS (
    SELECT max(file_year) AS file_year FROM article_files WHERE is_whole AND NOT is_replaced
), counted AS (
    SELECT
        count(*) AS files,
        count(*) FILTER (WHERE NOT is_applied AND NOT is_replaced) AS held_back,
        max(snapshot_date) FILTER (WHERE file_year IS NOT NULL AND is_applied AND NOT is_replaced
            AND NOT coalesce(file_year < (SELECT file_year FROM whole), false)) AS complete_through,
        coalesce(bool_or(is_failed AND NOT is_replaced), false) AS has_failed_file
    FROM article_files
    JOIN (SELECT file, is_failed FROM article_payloads) USING (file)
)
SELECT
    coalesce(w.file_year IS NOT NULL AND NOT c.has_failed_file, false) AS is_whole,
    c.complete_through,
    c.held_back,
    CASE
        WHEN c.files = 0 THEN 'PubMed is not loaded'
        WHEN w.file_year IS NULL THEN 'PubMed is loaded in part: no whole baseline'
        WHEN c.has_failed_file THEN 'PubMed is loaded in part: a file could not be read'
        ELSE 'PubMed is loaded whole through ' || c.complete_through END AS state
FROM whole AS w
CROSS JOIN counted AS c
