-- UK regulations of 2026: registered before the first participant or within 90 days of approval. The day of approval
-- under them stands in no register, so that late cannot be told from within 90 days: never retrospective.
SELECT
    trial_id,
    getvariable('policy').version AS rule_version,
    registration_verdict(
        getvariable('as_of'), has_started, registered, start_earliest, registered_latest < start_earliest, false) AS status,
    registered,
    start_earliest,
    start_latest,
    days_after(start_earliest, -1) AS deadline_earliest,
    NULL::DATE AS deadline_latest,
    first_start_raw AS start_first_version,
    registration_verdict(
        getvariable('as_of'), has_started, registered, first_start_earliest, registered_latest < first_start_earliest, false)
        AS status_first_version,
    registered_leg AS registered_on,
    start_leg AS started_on
FROM trial_registration
