-- What the verdicts rest on: every source with its terms, its newest snapshot, its age on the as-of date, and
-- whether it could be fetched the last time.
WITH newest AS (
    SELECT
        source,
        count(*) AS snapshots,
        max(snapshot_date) AS retrieved_at,
        arg_max(snapshot, (snapshot_date, snapshot)) AS snapshot,
        arg_max(sha256, (snapshot_date, snapshot)) AS sha256
    FROM snapshots
    GROUP BY source
), counted AS (
    SELECT source, arg_max(volume, (snapshot_date, snapshot)) AS volume FROM snapshots WHERE volume IS NOT NULL GROUP BY source
), loaded AS (
    SELECT source, count(*) AS records FROM registrations GROUP BY source
    UNION ALL
    SELECT 'pubmed', count(*) FROM publications
    UNION ALL
    SELECT 'ctgov_flags', count(*) FROM regulatory_flags HAVING count(*) > 0
)
SELECT
    s.source, s.title, s.kind, s.publisher, s.url, s.licence, s.terms, s.attribution, s.redistributable,
    n.snapshot, n.sha256,
    coalesce(n.snapshots, 0) AS snapshots,
    coalesce(l.records, 0) AS records,
    n.retrieved_at,
    date_diff('day', n.retrieved_at, getvariable('as_of')) AS stale_days,
    a.last_attempt,
    a.is_failed AS last_attempt_failed,
    nullif(a.failure, '') AS last_failure,
    -- A source in which there was nothing new has been looked at all the same.
    CASE WHEN n.source IS NOT NULL OR a.is_failed THEN
        coalesce(a.is_failed, false)
        OR coalesce(date_diff('day', greatest(n.retrieved_at, a.last_good), getvariable('as_of')) > s.cadence_days, true)
    END AS is_stale,
    c.volume,
    s.expected_most AS volume_expected_most,
    CASE WHEN s.source = 'pubmed' THEN p.is_whole ELSE n.source IS NOT NULL AND f.source IS NOT NULL END AS is_whole,
    CASE WHEN s.source = 'pubmed' THEN p.complete_through ELSE f.retrieved_at END AS complete_through,
    CASE WHEN s.source = 'pubmed' THEN p.state
         WHEN n.source IS NULL THEN s.title || ' is not loaded'
         WHEN f.source IS NULL THEN s.title || ' is loaded in part: no full snapshot'
         ELSE s.title || ' is loaded whole as of ' || f.retrieved_at END AS state
FROM source_terms AS s
LEFT JOIN newest AS n USING (source)
LEFT JOIN loaded AS l USING (source)
LEFT JOIN fetch_attempts AS a USING (source)
LEFT JOIN counted AS c USING (source)
LEFT JOIN (SELECT source, max(snapshot_date) AS retrieved_at FROM whole_snapshots GROUP BY source) AS f
    USING (source)
CROSS JOIN pubmed_state AS p
