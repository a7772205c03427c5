-- Results on the register, one row per trial: are they public, since when, were they handed in, could we have seen them.
WITH versions AS (
    SELECT trial_id, min(first_seen) AS seen_public_by
    FROM registration_versions WHERE has_results GROUP BY trial_id
), posted AS (
    SELECT
        trial_id,
        CASE
            WHEN bool_or(has_results AND coalesce(results_posted <= getvariable('as_of'), true)) THEN true
            WHEN bool_or(has_results IS NULL) THEN NULL
            ELSE false END AS is_public,
        min(results_posted) FILTER (WHERE has_results) AS public_date,
        min(coalesce(results_submitted, results_posted)) FILTER (WHERE has_results) AS reported_date,
        arg_min(registration_id, (NOT coalesce(has_results, false), coalesce(results_posted, DATE '9999-12-31'), place))
            AS registration_id,
        max(last_seen) AS last_seen,
        min(source) AS source
    FROM trial_sources
    WHERE replaced_by IS NULL OR has_results
    GROUP BY trial_id
), handed_in AS (
    SELECT
        r.trial_id,
        bool_or(s.is_live) AS is_live,
        bool_or(s.is_cancelled) AND NOT bool_or(s.is_live) AS is_cancelled,
        min(s.live_since) AS live_since,
        max(s.last_cancelled) AS last_cancelled,
        min(s.registration_id) AS registration_id
    FROM result_submissions AS s JOIN registrations AS r USING (registration_id)
    GROUP BY r.trial_id
)
SELECT
    p.trial_id,
    p.public_date,
    p.reported_date,
    v.seen_public_by,
    p.last_seen,
    CASE WHEN h.is_live AND p.is_public IS NOT TRUE THEN coalesce(h.live_since, p.last_seen) END AS submitted_date,
    leg(
        CASE WHEN p.is_public THEN 'results posted' || coalesce(' ' || p.public_date, '') || coalesce(
            ', submitted ' || nullif(p.reported_date, p.public_date), '') END,
        p.is_public, p.registration_id, 'has_results') AS public,
    leg(
        CASE WHEN h.is_live THEN 'submitted' || coalesce(' ' || h.live_since, '') END,
        coalesce(h.is_live, false) AND p.is_public IS NOT TRUE, h.registration_id, 'result_events') AS submitted,
    leg(CASE WHEN h.is_cancelled THEN 'cancelled' || coalesce(' ' || h.last_cancelled, '') END, coalesce(h.is_cancelled, false) AND p.is_public IS NOT TRUE,
        h.registration_id, 'result_events') AS cancelled
FROM posted AS p
LEFT JOIN versions AS v USING (trial_id)
LEFT JOIN handed_in AS h USING (trial_id)
