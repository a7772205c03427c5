-- Whether PubMed is loaded whole: every file of a baseline imported as whole, and an unbroken sequence of the same year's
-- update files after it. Where the file that follows on the baseline is the missing one, nobody can tell whether it is an
-- update or the baseline is longer: whole is not shown. Through which day: what the newest of these files itself holds,
-- and not when it was fetched: a baseline of January that is downloaded in October says nothing of the months between, and
-- a file of which no article was kept says nothing of any day.
WITH newest AS (
    SELECT max(file_year) AS file_year FROM article_files WHERE last_of_baseline IS NOT NULL AND is_applied
), dated AS (
    SELECT file, max(greatest(revised, entered)) AS newest_day FROM article_events GROUP BY file
), used AS (
    SELECT f.*, CASE WHEN d.newest_day IS NOT NULL THEN least(f.snapshot_date, d.newest_day) END AS through  -- least skips NULL
    FROM article_files AS f
    JOIN newest USING (file_year)
    LEFT JOIN dated AS d USING (file)
    WHERE NOT f.is_replaced AND f.is_applied
), cut_off AS (
    SELECT count(*) > 0 AS at_the_baseline
    FROM article_files
    JOIN newest USING (file_year)
    WHERE NOT is_replaced AND waits_for = last_of_baseline + 1
), counted AS (
    SELECT
        count(DISTINCT file_number) FILTER (WHERE in_baseline AND NOT is_failed) = any_value(last_of_baseline)
            AND NOT bool_or(is_failed) AND NOT (SELECT at_the_baseline FROM cut_off) AS is_whole,
        max(through) AS complete_through
    FROM used
)
SELECT
    coalesce(c.is_whole, false) AS is_whole,
    CASE WHEN c.is_whole THEN c.complete_through END AS complete_through,
    CASE
        WHEN (SELECT count(*) FROM article_files) = 0 THEN 'PubMed is not loaded'
        WHEN (SELECT file_year FROM newest) IS NULL THEN 'PubMed is loaded in part: no whole baseline'
        WHEN NOT coalesce(c.is_whole, false) THEN 'PubMed is loaded in part: a file is missing or could not be read'
        ELSE 'PubMed is loaded whole through ' || coalesce(CAST(c.complete_through AS VARCHAR), 'an unknown day') END AS state
FROM counted AS c
