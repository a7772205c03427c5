-- The article that stands for each (PMID, version): of numbered files the last event wins, and a deletion is one; a
-- separately fetched record wins where it was revised later; where the last event is a deletion, or the article was not
-- kept, which has no day of revision here, where it was fetched after that file. A newest version that was not kept stands
-- too, so that no older one speaks for the article.
WITH last_event AS (
    SELECT
        i.pmid, i.version,
        arg_max(i.event, (f.file_year, f.file_number, i.position)) AS event,
        arg_max(i.file, (f.file_year, f.file_number, i.position)) AS file,
        arg_max(i.position, (f.file_year, f.file_number, i.position)) AS position,
        arg_max(f.snapshot_date, (f.file_year, f.file_number, i.position)) AS snapshot_date
    FROM staged_index AS i
    JOIN article_files AS f USING (file)
    WHERE f.file_year IS NOT NULL AND f.is_applied AND NOT f.is_replaced
        AND i.pmid IN (SELECT pmid FROM article_events)
    GROUP BY i.pmid, i.version
), numbered AS (
    SELECT l.*, e.revised, e.content_hash, l.event <> 'deletion' AND e.file IS NOT NULL AS is_kept
    FROM last_event AS l
    LEFT JOIN article_events AS e ON e.file = l.file AND e.record_number = l.position
), candidates AS (
    SELECT file, position AS record_number, pmid, version, revised, snapshot_date, content_hash
    FROM numbered
    WHERE event <> 'deletion'
    UNION ALL
    SELECT e.file, e.record_number, e.pmid, e.version, e.revised, e.snapshot_date, e.content_hash
    FROM article_events AS e
    LEFT JOIN numbered AS n USING (pmid, version)
    WHERE e.file_year IS NULL AND (coalesce(n.is_kept, true) OR e.snapshot_date > n.snapshot_date)
)
SELECT pmid, version,
    arg_max(file, (coalesce(revised, DATE '1900-01-01'), snapshot_date, content_hash, file, record_number)) AS file,
    arg_max(
        record_number,
        (coalesce(revised, DATE '1900-01-01'), snapshot_date, content_hash, file, record_number)) AS record_number
FROM candidates
GROUP BY pmid, version
