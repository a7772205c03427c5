-- What every policy needs that asks for summary results of trials with a UK site, counted from completion.
SELECT
    t.trial_id,
    t.completion_earliest AS clock_earliest,
    t.completion_latest AS clock_latest,
    r.public_date,
    r.reported_date,
    r.submitted_date,
    r.seen_public_by,
    r.last_seen,
    r.has_vanished,
    t.started,
    t.interventional,
    leg(u.named, u.has_site, coalesce(u.registration_id, t.started.registration_id), 'countries') AS uk_site,
    t.in_scope_before,
    t.completed,
    t.running,
    r.public,
    r.submitted,
    r.cancelled
FROM trial_legs AS t
JOIN register_result_legs AS r USING (trial_id)
JOIN uk_sites AS u USING (trial_id)
