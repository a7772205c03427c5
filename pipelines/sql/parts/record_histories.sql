-- What ClinicalTrials.gov's own history of a record says of each of its versions, by the newest snapshot that came with one.
WITH newest AS (
    SELECT
        registration_id,
        arg_max({'history': history, 'snapshot': snapshot, 'seen': snapshot_date},
            (snapshot_date, len(history), snapshot, payload, record_number)) AS n
    FROM staged_registrations
    WHERE len(history) > 0
    GROUP BY registration_id
)
SELECT registration_id, n.snapshot, n.seen, unnest(n.history, max_depth := 2)
FROM newest
