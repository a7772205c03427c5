-- What ClinicalTrials.gov's own history of a record says of each of its versions, by the newest snapshot that came with one,
-- and what the record that came with it says now of the fields of which a history tells the first content.
WITH newest AS (
    SELECT
        registration_id,
        arg_max({
                'history': history, 'snapshot': snapshot, 'seen': snapshot_date,
                'now': {'outcomes': outcomes, 'enrolment': enrolment, 'enrolment_type': enrolment_type}},
            (snapshot_date, len(history), snapshot, payload, record_number)) AS n
    FROM staged_registrations
    WHERE len(history) > 0
    GROUP BY registration_id
)
SELECT registration_id, n.snapshot, n.seen, n.now, unnest(n.history, max_depth := 2)
FROM newest
