-- Results handed in and what became of them, over all versions of every record, those of which only the register's own
-- history tells included.
WITH shown AS (
    SELECT s.registration_id, e.event, e.date AS day, s.first_seen, s.last_seen, s.is_current
    FROM version_spans AS s
    JOIN staged_registrations AS r USING (file, record_number),
        unnest(r.result_events) AS u(e)
    WHERE e.event IS NOT NULL
    UNION ALL
    SELECT h.registration_id, e.event, e.date, h.seen, h.seen, false
    FROM record_histories AS h, unnest(h.events) AS u(e)
    WHERE e.event IS NOT NULL
), once AS (
    SELECT
        registration_id, event, day,
        min(first_seen) AS first_seen, max(last_seen) AS last_seen, bool_or(is_current) AS is_in_newest
    FROM shown
    GROUP BY registration_id, event, day
)
SELECT
    o.*,
    m.trial_id,
    CAST(row_number() OVER (PARTITION BY o.registration_id ORDER BY o.day NULLS LAST, o.event) AS INTEGER) AS ordinal
FROM once AS o
JOIN trial_members AS m USING (registration_id)
