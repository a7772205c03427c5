-- IntoValue: first submission in the calendar month of the start or before it; a start known by its year only says nothing.
SELECT
    trial_id,
    getvariable('policy').version AS rule_version,
    registration_verdict(
        getvariable('as_of'), has_started, registered, start_earliest,
        NOT has_year_only AND date_trunc('month', registered_latest) <= date_trunc('month', start_earliest),
        NOT has_year_only AND date_trunc('month', registered_earliest) > date_trunc('month', start_latest)) AS status,
    registered,
    start_earliest,
    start_latest,
    last_day(start_earliest) AS deadline_earliest,
    last_day(start_latest) AS deadline_latest,
    first_start_raw AS start_first_version,
    registration_verdict(
        getvariable('as_of'), has_started, registered, first_start_earliest,
        NOT first_is_year_only AND date_trunc('month', registered_latest) <= date_trunc('month', first_start_earliest),
        NOT first_is_year_only AND date_trunc('month', registered_earliest) > date_trunc('month', first_start_latest)
    ) AS status_first_version,
    registered_leg AS registered_on,
    start_leg AS started_on
FROM trial_registration
