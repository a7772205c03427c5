-- Every article of use as the last year left it and as the newest baseline states it; nothing unless the baselines of two
-- years were imported whole. is_kept: whether that state itself is of use.
WITH newest AS (
    SELECT max(file_year) AS file_year FROM article_files WHERE is_of_whole_year
), years AS (
    SELECT n.file_year AS new_year, max(f.file_year) AS old_year
    FROM newest AS n
    JOIN article_files AS f ON f.is_of_whole_year AND f.file_year < n.file_year
    GROUP BY n.file_year
), files AS (
    SELECT f.file, f.file_year, f.file_number, f.file_year = y.new_year AS is_new
    FROM article_files AS f
    JOIN years AS y ON f.file_year = y.old_year OR (f.file_year = y.new_year AND f.in_baseline)
    WHERE f.is_newest_issue AND f.is_applied
), last_event AS (
    SELECT
        f.is_new, i.pmid, i.version,
        arg_max(i.event, (f.file_number, i.position)) AS event,
        arg_max(i.file, (f.file_number, i.position)) AS file,
        arg_max(i.position, (f.file_number, i.position)) AS position
    FROM staged_index AS i
    JOIN files AS f USING (file)
    WHERE i.pmid IN (SELECT pmid FROM article_events)
    GROUP BY f.is_new, i.pmid, i.version
), highest AS (
    SELECT is_new, pmid, max(version) AS version, arg_max(file, version) AS file, arg_max(position, version) AS position
    FROM last_event
    WHERE event <> 'deletion'
    GROUP BY is_new, pmid
)
SELECT
    (SELECT new_year FROM years) AS file_year,
    h.is_new, h.pmid, h.version, e.content_hash, e.numbers,
    e.file IS NOT NULL AS is_kept
FROM highest AS h
LEFT JOIN article_events AS e ON e.file = h.file AND e.record_number = h.position
