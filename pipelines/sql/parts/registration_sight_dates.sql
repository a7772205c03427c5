-- When each registration was first and last seen in any version, and since when a full snapshot lacks it.
WITH seen AS (
    SELECT registration_id, source, min(snapshot_date) AS first_seen, max(snapshot_date) AS last_seen
    FROM registration_sightings
    GROUP BY registration_id, source
), missed AS (
    SELECT s.registration_id, s.source, min(f.snapshot_date) AS vanished_on
    FROM seen AS s
    JOIN snapshots AS f ON f.source = s.source AND f.scope = 'full' AND f.snapshot_date > s.last_seen
    GROUP BY s.registration_id, s.source
)
SELECT s.*, m.vanished_on
FROM seen AS s
LEFT JOIN missed AS m USING (registration_id, source)
