-- UK Clinical Trials Regulations of 2026: as the HRA asks, for trials of medicines approved since they are in force. The day
-- of approval stands in no register: a trial that ended before them is out, and one of the UK alone that certainly started
-- before them; of any other it is unknown. A trial that began abroad may have been approved in the UK later.
SELECT
    l.* EXCLUDE (last_seen, has_vanished),
    getvariable('policy').version AS rule_version,
    due_day(clock_earliest, getvariable('policy').months) AS due_earliest,
    due_day(clock_latest, getvariable('policy').months) AS due_latest,
    due_day(clock_latest, getvariable('policy').months) AS due_undeferred,
    leg(m.types, m.is_medicinal, coalesce(m.registration_id, l.started.registration_id), 'interventions') AS medicinal,
    CASE
        -- An expected end may have slipped: it counts where the record says that the trial has ended.
        WHEN clock_latest < getvariable('policy').in_force AND coalesce(NOT l.running.outcome, 'actual' = CASE
            l.completed.field WHEN 'completion' THEN t.completion_type ELSE t.primary_completion_type END)
        THEN leg('completed ' || l.completed.value, false, l.completed.registration_id, 'approved')
        ELSE leg(s.start_leg.value,
            CASE WHEN u.is_only_there AND s.start_latest < getvariable('policy').in_force THEN false END,
            s.start_leg.registration_id, 'approved') END AS approved,
    searched_leg(last_seen, has_vanished, public.registration_id, getvariable('policy')) AS searched
FROM uk_summary_legs AS l
JOIN trials AS t USING (trial_id)
JOIN trial_medicines AS m USING (trial_id)
JOIN trial_registration AS s USING (trial_id)
JOIN uk_sites AS u USING (trial_id)
