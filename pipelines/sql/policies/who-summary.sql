-- WHO joint statement 2017: summary results on a register within 12 months of primary completion.
SELECT
    * EXCLUDE (last_seen, has_vanished),
    getvariable('policy').version AS rule_version,
    due_day(clock_earliest, getvariable('policy').months) AS due_earliest,
    due_day(clock_latest, getvariable('policy').months) AS due_latest,
    due_day(clock_latest, getvariable('policy').months) AS due_undeferred,
    searched_leg(last_seen, has_vanished, public.registration_id, getvariable('policy')) AS searched
FROM register_summary_legs
