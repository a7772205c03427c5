-- First registration and start of every trial, with the start as the oldest known version of the record gave it. The
-- record is that of the source which speaks for the registration: what others pass on of it is no older version. Of a
-- register that keeps one record per country, it is one that holds the start.
WITH chosen AS (
    SELECT
        t.trial_id, v.registration_id, v.source,
        arg_min(v.part, (v.start_raw IS DISTINCT FROM t.start_raw, v.part)) AS part
    FROM trials AS t
    JOIN registrations AS r ON r.registration_id = coalesce(t.start_from, t.main_registration_id)
    JOIN registration_versions AS v ON v.registration_id = r.registration_id AND v.source = r.source AND v.is_current
    GROUP BY t.trial_id, v.registration_id, v.source
), versions AS (
    SELECT
        c.trial_id,
        arg_min({
            'raw': v.start_raw, 'earliest': v.start_earliest, 'latest': v.start_latest, 'precision': v.start_precision
        }, v.version) AS first,
        arg_max({'earliest': v.start_earliest, 'latest': v.start_latest}, v.version) AS newest
    FROM chosen AS c
    JOIN registration_versions AS v USING (registration_id, source, part)
    GROUP BY c.trial_id
), starts AS (
    SELECT
        trial_id,
        min(start_earliest) AS start_earliest,
        max(start_latest) AS start_latest,
        coalesce(bool_or(start_precision = 'year'), false) AS has_year_only
    FROM trial_sources
    WHERE speaks
    GROUP BY trial_id
), moved AS (
    SELECT DISTINCT registration_id FROM current_records WHERE source = 'ctis' AND came_from_eudract(own_fields)
), registered AS (
    -- A move to CTIS is not the first registration, and one that gives no day may have been the first: until the day is
    -- known, only the latest bound is. A record that its register replaced by another is no registration of its own.
    SELECT
        r.trial_id,
        min(r.registered_latest) AS registered_latest,
        CASE WHEN bool_and(r.registered_earliest IS NOT NULL OR r.replaced_by IS NOT NULL)
                AND (count(m.registration_id) = 0 OR bool_or(r.registry = 'euctr' AND r.registered_earliest IS NOT NULL))
            THEN min(r.registered_earliest) END AS registered_earliest,
        min(r.registration_id) FILTER (WHERE r.registered_earliest IS NULL AND r.replaced_by IS NULL) AS undated
    FROM registrations AS r
    LEFT JOIN moved AS m USING (registration_id)
    GROUP BY r.trial_id
)
SELECT
    t.trial_id,
    t.registered,
    l.started.outcome AS has_started,
    r.registered_earliest,
    r.registered_latest,
    s.start_earliest,
    s.start_latest,
    s.has_year_only,
    v.first.raw AS first_start_raw,
    v.first.earliest AS first_start_earliest,
    v.first.latest AS first_start_latest,
    v.first.precision = 'year' AS first_is_year_only,
    coalesce(means_other_days(v.first.earliest, v.first.latest, v.newest.earliest, v.newest.latest), false) AS start_moved,
    leg(t.registered || CASE WHEN r.registered_earliest IS NULL
            THEN ', or earlier ' || coalesce('as ' || r.undated || ', which gives no day', 'in EudraCT') ELSE '' END,
        t.registered IS NOT NULL, coalesce(t.registered_from, t.main_registration_id), 'registered')
        AS registered_leg,
    leg(t.start_raw, t.start_earliest IS NOT NULL, coalesce(t.start_from, t.main_registration_id), 'start') AS start_leg
FROM trials AS t
JOIN starts AS s USING (trial_id)
JOIN registered AS r USING (trial_id)
JOIN versions AS v USING (trial_id)
JOIN trial_legs AS l USING (trial_id)
