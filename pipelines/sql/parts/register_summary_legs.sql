-- What every policy needs that asks for summary results on a register, counted from primary completion.
SELECT
    t.trial_id,
    t.primary_earliest AS clock_earliest,
    t.primary_latest AS clock_latest,
    r.public_date,
    r.reported_date,
    r.submitted_date,
    r.seen_public_by,
    r.last_seen,
    r.has_vanished,
    t.started,
    t.interventional,
    t.in_scope_before,
    t.primary_completed AS completed,
    t.running,
    r.public,
    r.submitted,
    r.cancelled
FROM trial_legs AS t
JOIN register_result_legs AS r USING (trial_id)
