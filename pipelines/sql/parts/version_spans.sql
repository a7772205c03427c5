-- One row per version of a record: where it was first read, and from when to when it was seen.
WITH spans AS (
    SELECT
        registration_id,
        source,
        part,
        version,
        min(snapshot_date) AS first_seen,
        max(snapshot_date) AS last_seen,
        arg_min(file, place) AS file,
        arg_min(record_number, place) AS record_number,
        arg_min(snapshot, place) AS snapshot
    FROM registration_sightings
    GROUP BY registration_id, source, part, version
)
SELECT
    *,
    lead(first_seen) OVER record AS valid_to,
    version = max(version) OVER (PARTITION BY registration_id, source, part) AS is_current
FROM spans
WINDOW record AS (PARTITION BY registration_id, source, part ORDER BY version)
