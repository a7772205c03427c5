-- The account of every file: what it held, and what became of each of its records. Nothing is lost on the way.
WITH registration_fate AS (
    SELECT
        s.file,
        count(*) FILTER (WHERE v.file IS NOT NULL AND v.is_current) AS current_records,
        count(*) FILTER (WHERE v.file IS NOT NULL AND NOT v.is_current) AS superseded,
        count(*) FILTER (WHERE v.file IS NULL) AS duplicate
    FROM registration_sightings AS s
    LEFT JOIN version_spans AS v USING (file, record_number)
    GROUP BY s.file
), flag_fate AS (
    SELECT s.file, count(c.file) AS current_records, count(*) - count(c.file) AS superseded
    FROM staged_regulatory_flags AS s
    LEFT JOIN regulatory_flags AS c USING (file, record_number)
    GROUP BY s.file
), articles AS (
    SELECT
        e.file, e.record_number, e.is_applied,
        c.pmid IS NOT NULL AS is_current,
        NOT e.is_replaced AND row_number() OVER (
            PARTITION BY e.pmid, e.version, e.content_hash
            ORDER BY c.pmid IS NULL, e.file_year NULLS LAST, e.file_number, e.snapshot_date, e.file, e.record_number) > 1
            AS is_duplicate
    FROM article_events AS e
    LEFT JOIN current_articles AS c USING (file, record_number)
), article_fate AS (
    SELECT
        file,
        count(*) FILTER (WHERE is_current) AS current_records,
        count(*) FILTER (WHERE NOT is_current AND is_applied AND NOT is_duplicate) AS superseded,
        count(*) FILTER (WHERE NOT is_current AND is_applied AND is_duplicate) AS duplicate,
        count(*) FILTER (WHERE NOT is_current AND NOT is_applied) AS held_back
    FROM articles
    GROUP BY file
)
SELECT
    p.source, p.snapshot, p.snapshot_date, p.scope, p.payload, p.bytes, p.sha256, p.records_in,
    coalesce(r.current_records, g.current_records, a.current_records, 0) AS current_records,
    coalesce(r.superseded, g.superseded, a.superseded, 0) AS superseded,
    coalesce(r.duplicate, a.duplicate, 0) AS duplicate,
    p.rejected,
    coalesce(a.held_back, 0) AS held_back,
    -- Articles staged only because a registry once cited them are of no use once none does.
    CASE WHEN p.source = 'pubmed' THEN p.records_in - p.rejected - coalesce(
        a.current_records + a.superseded + a.duplicate + a.held_back, 0) ELSE 0 END AS not_wanted,
    p.deletions,
    coalesce(NOT f.is_applied, false) AS is_held_back
FROM payload_reports AS p
LEFT JOIN registration_fate AS r USING (file)
LEFT JOIN flag_fate AS g USING (file)
LEFT JOIN article_fate AS a USING (file)
LEFT JOIN article_files AS f USING (file)
