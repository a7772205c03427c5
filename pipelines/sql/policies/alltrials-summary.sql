-- AllTrials: summary results on the register within 12 months of completion, for every interventional trial.
SELECT
    * EXCLUDE (last_seen, has_vanished),
    getvariable('policy').version AS rule_version,
    due_day(clock_earliest, getvariable('policy').months) AS due_earliest,
    due_day(clock_latest, getvariable('policy').months) AS due_latest,
    due_day(clock_latest, getvariable('policy').months) AS due_undeferred,
    leg(
        CASE WHEN last_seen IS NULL THEN 'the register itself was not read'
             ELSE 'record last seen ' || last_seen || CASE WHEN has_vanished THEN ', gone from the register since' ELSE '' END END,
        coalesce(recent_enough(last_seen) AND NOT has_vanished, false),
        public.registration_id, 'last_seen') AS searched
FROM register_summary_legs
