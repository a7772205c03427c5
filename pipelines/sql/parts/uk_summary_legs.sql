-- What every policy needs that asks for summary results of trials with a UK site, counted from completion.
SELECT
    trial_id,
    completion_earliest AS clock_earliest,
    completion_latest AS clock_latest,
    public_date,
    reported_date,
    submitted_date,
    seen_public_by,
    last_seen,
    has_vanished,
    started,
    interventional,
    not_prohibited,
    uk_site,
    in_scope_before,
    completed,
    running,
    ended_while_running,
    public,
    submitted,
    cancelled
FROM trial_legs
