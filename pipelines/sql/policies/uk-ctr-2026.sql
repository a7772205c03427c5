-- UK Clinical Trials Regulations of 2026: as the HRA asks, for trials of medicines approved since they are in force. The day
-- of the UK approval stands in the EU register alone, which took records of the UK up to 2020: elsewhere a trial that ended
-- before them is out, and one of the UK alone that certainly started before them; of any other it is unknown. A trial that
-- began abroad may have been approved in the UK later.
SELECT
    l.* EXCLUDE (last_seen, has_vanished),
    getvariable('policy').version AS rule_version,
    due_day(clock_earliest, getvariable('policy').months) AS due_earliest,
    due_day(clock_latest, getvariable('policy').months) AS due_latest,
    due_day(clock_latest, getvariable('policy').months) AS due_undeferred,
    leg(m.types, m.is_medicinal, coalesce(m.registration_id, l.started.registration_id), 'interventions') AS medicinal,
    CASE
        WHEN getvariable('as_of') < getvariable('policy').in_force
        THEN leg('in force from ' || getvariable('policy').in_force, false, l.started.registration_id, 'approved')
        WHEN u.authorised IS NOT NULL
        THEN leg('approved in the UK on ' || u.authorised, u.authorised >= getvariable('policy').in_force,
            u.authorised_from, 'approved')
        WHEN u.eu_record IS NOT NULL
        THEN leg('a record of the UK in the EU register, which took them until 2020', false, u.eu_record, 'approved')
        -- An expected end may have slipped: it counts where the record says that the trial has ended.
        WHEN clock_latest < getvariable('policy').in_force
            AND (coalesce(NOT l.running.outcome, false) OR 'actual' = CASE
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
