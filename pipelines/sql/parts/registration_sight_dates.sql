-- When each registration was first and last seen, when last by reading its register itself, and since when a full
-- snapshot of that register lacks it.
WITH seen AS (
    SELECT
        s.registration_id,
        s.source,
        t.registry IS NOT DISTINCT FROM any_value(r.registry) AS is_direct,
        min(s.snapshot_date) AS first_seen,
        max(s.snapshot_date) AS last_seen
    FROM registration_sightings AS s
    JOIN source_terms AS t USING (source)
    JOIN current_records AS r USING (registration_id, source)
    GROUP BY s.registration_id, s.source, t.registry
), missed AS (
    SELECT s.registration_id, min(f.snapshot_date) AS vanished_on
    FROM seen AS s
    JOIN whole_snapshots AS f ON f.source = s.source AND f.snapshot_date > s.last_seen
    WHERE s.is_direct
    GROUP BY s.registration_id
)
SELECT
    s.registration_id,
    min(s.first_seen) AS first_seen,
    max(s.last_seen) AS last_seen,
    max(s.last_seen) FILTER (WHERE s.is_direct) AS last_seen_directly,
    any_value(m.vanished_on) AS vanished_on
FROM seen AS s
LEFT JOIN missed AS m USING (registration_id)
GROUP BY s.registration_id
