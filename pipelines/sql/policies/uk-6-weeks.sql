-- HRA: first submission to a register within 6 weeks of the first participant.
WITH deadlines AS (
    SELECT
        *,
        days_after(start_earliest, getvariable('policy').days) AS deadline_earliest,
        days_after(start_latest, getvariable('policy').days) AS deadline_latest,
        days_after(first_start_earliest, getvariable('policy').days) AS first_deadline_earliest,
        days_after(first_start_latest, getvariable('policy').days) AS first_deadline_latest
    FROM trial_registration
)
SELECT
    trial_id,
    getvariable('policy').version AS rule_version,
    registration_verdict(
        getvariable('as_of'), has_started, registered, start_earliest,
        registered_latest <= deadline_earliest, registered_earliest > deadline_latest) AS status,
    registered,
    start_earliest,
    start_latest,
    deadline_earliest,
    deadline_latest,
    first_start_raw AS start_first_version,
    registration_verdict(
        getvariable('as_of'), has_started, registered, first_start_earliest,
        registered_latest <= first_deadline_earliest, registered_earliest > first_deadline_latest) AS status_first_version,
    registered_leg AS registered_on,
    start_leg AS started_on
FROM deadlines
