-- What every policy needs that asks for summary results on a register, counted from primary completion.
SELECT
    trial_id,
    primary_earliest AS clock_earliest,
    primary_latest AS clock_latest,
    public_date,
    reported_date,
    submitted_date,
    seen_public_by,
    last_seen,
    has_vanished,
    started,
    interventional,
    not_prohibited,
    in_scope_before,
    primary_completed AS completed,
    running,
    ended_while_running,
    public,
    submitted,
    cancelled
FROM trial_legs
