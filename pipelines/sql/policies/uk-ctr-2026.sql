-- UK Clinical Trials Regulations of 2026: as the HRA asks, for trials of medicines approved since they are in force. The day
-- of approval stands in no register: a trial that certainly started before them is out, of any other it is unknown.
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
    leg(m.types, m.is_medicinal, coalesce(m.registration_id, t.started.registration_id), 'interventions') AS medicinal,
    leg(s.start_leg.value, CASE WHEN s.start_latest < getvariable('policy').in_force THEN false END,
        s.start_leg.registration_id, 'approved') AS approved,
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
JOIN trial_medicines AS m USING (trial_id)
JOIN trial_registration AS s USING (trial_id)
