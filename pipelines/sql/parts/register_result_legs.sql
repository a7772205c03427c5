-- Results on the register, one row per trial: are they public, since when, were they handed in, could we have seen them.
WITH versions AS (
    SELECT trial_id, min(first_seen) AS seen_public_by
    FROM registration_versions WHERE has_results GROUP BY trial_id
), undated AS (
    -- Since when a registration that gives no day of posting, or no day at all, was seen with results: the day that another
    -- one gives is not the first where it lies after that.
    SELECT
        v.trial_id,
        min(v.first_seen) AS seen_public,
        min(v.first_seen) FILTER (WHERE r.results_submitted IS NULL) AS seen_reported
    FROM registration_versions AS v
    JOIN registrations AS r USING (registration_id)
    WHERE v.has_results AND r.has_results AND r.results_posted IS NULL
    GROUP BY v.trial_id
), posted AS (
    -- A snapshot dated on or before the as-of date shows what is public, whatever date the record gives for it. A record
    -- that shows a posting date and no results contradicts itself. A replaced number whose record says nothing of results
    -- leaves nothing open: the record that took its place says it.
    SELECT
        trial_id,
        CASE
            WHEN bool_or(has_results) THEN true
            WHEN bool_or(
                (has_results IS NULL AND place IS NOT NULL) OR results_posted <= getvariable('as_of')) THEN NULL
            ELSE false END AS is_public,
        min(results_posted) FILTER (WHERE has_results AND results_posted <= getvariable('as_of')) AS public_date,
        min(least(results_submitted, results_posted)) FILTER (
            WHERE has_results AND least(results_submitted, results_posted) <= getvariable('as_of')) AS reported_date,
        arg_min(registration_id, (
            NOT coalesce(has_results, false), coalesce(results_posted, DATE '9999-12-31'),
            replaced_by IS NOT NULL, registration_id)) AS registration_id
    FROM registrations
    LEFT JOIN trial_places USING (registration_id)
    GROUP BY trial_id
), searched AS (
    -- Results can stand on each of the trial's registers: all have to have been read, and the oldest reading counts. Where
    -- one of them no longer shows its record, that one could not be read.
    SELECT
        trial_id,
        CASE WHEN bool_and(last_seen_directly IS NOT NULL) THEN min(last_seen_directly) END AS last_seen,
        bool_or(vanished_on IS NOT NULL) AS has_vanished
    FROM trial_sources
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
    CASE WHEN u.seen_public < p.public_date THEN NULL ELSE p.public_date END AS public_date,
    CASE WHEN u.seen_reported < p.reported_date THEN NULL ELSE p.reported_date END AS reported_date,
    v.seen_public_by,
    CASE WHEN h.is_live AND p.is_public IS NOT TRUE THEN h.live_since END AS submitted_date,
    s.last_seen,
    s.has_vanished,
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
JOIN searched AS s USING (trial_id)
LEFT JOIN versions AS v USING (trial_id)
LEFT JOIN undated AS u USING (trial_id)
LEFT JOIN handed_in AS h USING (trial_id)
