-- The registration that speaks for a trial in each register: a law about one register looks at that one only.
WITH chosen AS (
    SELECT trial_id, registry, arg_min(registration_id, place) AS registration_id
    FROM trial_sources
    GROUP BY trial_id, registry
)
SELECT c.*, d.last_seen_directly, d.vanished_on IS NOT NULL AS has_vanished
FROM chosen AS c
JOIN registration_sight_dates AS d USING (registration_id)
