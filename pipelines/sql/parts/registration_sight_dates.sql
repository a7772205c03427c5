-- When each registration was first and last seen, when last by reading its register itself, and since when a full
-- snapshot of that register lacks it. A listing of all its numbers comes with all that was updated since the last one:
-- what it names has been looked at, and what it lacks is gone. That holds up to the first payload that could not be read
-- since the registration's own record was, or the first snapshot that a person gave up, or the first time its record
-- could not be read: from there on a listing shows that it is there, and not what is said of it.
WITH read AS (
    SELECT registration_id, source, min(snapshot_date) AS first_seen, max(snapshot_date) AS last_seen
    FROM registration_sightings
    GROUP BY registration_id, source
), known AS (
    SELECT r.*, least(p.snapshot_date, u.snapshot_date) AS unread_since
    FROM read AS r
    ASOF LEFT JOIN unread_payloads AS p ON p.source = r.source AND p.snapshot_date > r.last_seen
    ASOF LEFT JOIN unread_records AS u
        ON u.source = r.source AND u.registration_id = r.registration_id AND u.snapshot_date > r.last_seen
), listed AS (
    SELECT
        l.registration_id,
        l.source,
        max(l.snapshot_date) AS last_listed,
        max(l.snapshot_date) FILTER (WHERE k.unread_since IS NULL OR l.snapshot_date < k.unread_since) AS last_unchanged
    FROM listed_numbers AS l
    JOIN known AS k USING (registration_id, source)
    GROUP BY l.registration_id, l.source
), seen AS (
    SELECT
        s.registration_id,
        s.source,
        t.registry IS NOT DISTINCT FROM any_value(r.registry) AS is_direct,
        any_value(s.first_seen) AS first_seen,
        greatest(any_value(s.last_seen), any_value(l.last_listed)) AS last_seen,
        greatest(any_value(s.last_seen), any_value(l.last_unchanged)) AS last_known
    FROM read AS s
    JOIN source_terms AS t USING (source)
    JOIN current_records AS r USING (registration_id, source)
    LEFT JOIN listed AS l USING (registration_id, source)
    GROUP BY s.registration_id, s.source, t.registry
), whole AS (
    SELECT source, snapshot_date FROM whole_snapshots
    UNION
    SELECT source, snapshot_date FROM whole_listings
), missed AS (
    SELECT s.registration_id, min(f.snapshot_date) AS vanished_on
    FROM seen AS s
    JOIN whole AS f ON f.source = s.source AND f.snapshot_date > s.last_seen
    WHERE s.is_direct
    GROUP BY s.registration_id
)
SELECT
    s.registration_id,
    min(s.first_seen) AS first_seen,
    max(s.last_seen) AS last_seen,
    max(s.last_known) FILTER (WHERE s.is_direct) AS last_seen_directly,
    any_value(m.vanished_on) AS vanished_on
FROM seen AS s
LEFT JOIN missed AS m USING (registration_id)
GROUP BY s.registration_id
