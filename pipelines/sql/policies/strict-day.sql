-- ICMJE, WHO, AllTrials: first submission to a registry on or before the day of the first participant.
SELECT
    trial_id,
    getvariable('policy').version AS rule_version,
    registration_verdict(
        getvariable('as_of'), has_started, registered, start_earliest,
        registered_latest <= start_earliest, registered_earliest > start_latest) AS status,
    registered,
    start_earliest,
    start_latest,
    start_earliest AS deadline_earliest,
    start_latest AS deadline_latest,
    first_start_raw AS start_first_version,
    registration_verdict(
        getvariable('as_of'), has_started, registered, first_start_earliest,
        registered_latest <= first_start_earliest, registered_earliest > first_start_latest) AS status_first_version,
    registered_leg AS registered_on,
    start_leg AS started_on
FROM trial_registration
