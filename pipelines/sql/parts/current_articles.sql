-- The newest state of every kept article with its lists: the highest version of a PMID that is not deleted.
-- A notice (retraction, erratum) that concerns no kept article is of no use.
WITH highest AS (
    SELECT pmid, max(version) AS version FROM article_states GROUP BY pmid
), current_state AS (
    SELECT e.*
    FROM highest
    JOIN article_states AS s USING (pmid, version)
    JOIN article_events AS e USING (file, record_number)
), own AS (
    SELECT * FROM current_state WHERE wanted <> ['notice']
)
SELECT * FROM own
UNION ALL
SELECT *
FROM current_state AS s
WHERE s.wanted = ['notice']
    AND EXISTS (SELECT 1 FROM unnest(s.related) AS u(r) JOIN own ON own.pmid = r.pmid)
