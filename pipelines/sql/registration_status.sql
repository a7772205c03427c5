-- One verdict per trial and registration rule, with the days between start and registration.
SELECT
    l.trial_id,
    l.policy AS rule,
    l.rule_version,
    l.status,
    date_diff('day', l.start_latest, r.registered_earliest) AS days_min,
    date_diff('day', l.start_earliest, r.registered_latest) AS days_max,
    l.registered,
    l.start_earliest,
    l.start_latest,
    l.deadline_earliest,
    l.deadline_latest,
    CASE WHEN l.status = 'unknown' THEN nullif(concat_ws(', ',
        CASE WHEN r.registered_earliest IS NULL THEN 'registered' END,
        CASE WHEN l.start_earliest IS NULL THEN 'start' END), '') END AS missing_field,
    coalesce(t.start_type = 'estimated' AND l.start_earliest <= getvariable('as_of'), false) AS start_is_estimated,
    r.start_moved,
    l.start_first_version,
    l.status_first_version
FROM registration_legs AS l
JOIN trials AS t USING (trial_id)
JOIN trial_registration AS r USING (trial_id)
