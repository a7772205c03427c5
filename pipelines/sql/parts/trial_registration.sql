-- First registration and start of every trial, with the start as the oldest known version of the record gave it.
WITH first_version AS (
    SELECT
        t.trial_id,
        arg_min({
            'raw': v.start_raw, 'earliest': v.start_earliest, 'latest': v.start_latest, 'precision': v.start_precision
        }, (v.version, v.source, v.part)) AS start
    FROM registration_versions AS v
    JOIN trials AS t ON t.trial_id = v.trial_id AND coalesce(t.start_from, t.main_registration_id) = v.registration_id
    GROUP BY t.trial_id
), starts AS (
    SELECT
        trial_id,
        min(start_earliest) AS start_earliest,
        max(start_latest) AS start_latest,
        coalesce(bool_or(start_precision = 'year'), false) AS has_year_only
    FROM trial_sources
    WHERE speaks
    GROUP BY trial_id
), registered AS (
    SELECT trial_id, min(registered_latest) AS registered_latest FROM registrations GROUP BY trial_id
)
SELECT
    t.trial_id,
    t.registered,
    r.registered_latest,
    s.start_earliest,
    s.start_latest,
    s.has_year_only,
    f.start.raw AS first_start_raw,
    f.start.earliest AS first_start_earliest,
    f.start.latest AS first_start_latest,
    f.start.precision = 'year' AS first_is_year_only,
    leg(t.registered, t.registered IS NOT NULL, coalesce(t.registered_from, t.main_registration_id), 'registered')
        AS registered_leg,
    leg(t.start_raw, t.start_earliest IS NOT NULL, coalesce(t.start_from, t.main_registration_id), 'start') AS start_leg
FROM trials AS t
JOIN starts AS s USING (trial_id)
JOIN registered AS r USING (trial_id)
JOIN first_version AS f USING (trial_id)
