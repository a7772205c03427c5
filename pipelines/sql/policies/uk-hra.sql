-- UK Health Research Authority: summary results on a register within 12 months of completion, for trials with a UK site.
SELECT
    t.trial_id,
    getvariable('policy').version AS rule_version,
    t.completion_earliest AS clock_earliest,
    t.completion_latest AS clock_latest,
    due_day(t.completion_earliest, getvariable('policy').months) AS due_earliest,
    due_day(t.completion_latest, getvariable('policy').months) AS due_latest,
    due_day(t.completion_latest, getvariable('policy').months) AS due_undeferred,
    r.public_date,
    r.reported_date,
    r.submitted_date,
    r.seen_public_by,
    t.started,
    t.interventional,
    leg(u.named, u.has_site, coalesce(u.registration_id, t.started.registration_id), 'countries') AS uk_site,
    t.in_scope_before,
    t.completed,
    t.running,
    r.public,
    r.submitted,
    r.cancelled,
    searched_leg(r.last_seen, r.has_vanished, r.public.registration_id) AS searched
FROM trial_legs AS t
JOIN register_result_legs AS r USING (trial_id)
JOIN uk_sites AS u USING (trial_id)
