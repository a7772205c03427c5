-- What the verdicts rest on: every source with its terms, its newest snapshot and its age on the as-of date.
WITH newest AS (
    SELECT
        source,
        count(*) AS snapshots,
        max(snapshot_date) AS retrieved_at,
        arg_max(snapshot, (snapshot_date, snapshot)) AS snapshot,
        arg_max(sha256, (snapshot_date, snapshot)) AS sha256
    FROM snapshots
    GROUP BY source
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
    CASE WHEN s.source = 'pubmed' THEN p.is_whole ELSE n.source IS NOT NULL AND f.source IS NOT NULL END AS is_whole,
    CASE WHEN s.source = 'pubmed' THEN p.complete_through ELSE f.retrieved_at END AS complete_through,
    CASE WHEN s.source = 'pubmed' THEN p.state
         WHEN n.source IS NULL THEN s.title || ' is not loaded'
         WHEN f.source IS NULL THEN s.title || ' is loaded in part: no full snapshot'
         ELSE s.title || ' is loaded whole as of ' || f.retrieved_at END AS state
FROM source_terms AS s
LEFT JOIN newest AS n USING (source)
LEFT JOIN loaded AS l USING (source)
LEFT JOIN (SELECT source, max(snapshot_date) AS retrieved_at FROM whole_snapshots GROUP BY source) AS f
    USING (source)
CROSS JOIN pubmed_state AS p
