-- FDAAA: first submission within 21 days of the start or by the day the duty began, whichever is later.
WITH deadlines AS (
    SELECT
        *,
        us_deadline(start_earliest, getvariable('policy')) AS deadline_earliest,
        us_deadline(start_latest, getvariable('policy')) AS deadline_latest,
        us_deadline(first_start_earliest, getvariable('policy')) AS first_deadline_earliest,
        us_deadline(first_start_latest, getvariable('policy')) AS first_deadline_latest
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
