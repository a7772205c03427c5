-- One status per trial and reporting policy, from the policy's legs alone. `status` is the latest reading of every vague
-- date, `status_earliest` the earliest one.
WITH judged AS (
    SELECT
        *,
        reporting_status_code(
            getvariable('as_of'), started, in_scope, in_scope_before, clock_latest, running,
            contradicts, public, reported_date, seen_public_by, submitted, submitted_date, cancelled,
            searched, due_latest, due_undeferred, grace_days) AS status,
        reporting_status_code(
            getvariable('as_of'), started, in_scope, in_scope_before, clock_earliest, running,
            contradicts, public, reported_date, seen_public_by, submitted, coalesce(submitted_date, getvariable('as_of')),
            cancelled,
            searched, due_earliest, least(due_earliest, due_undeferred), grace_days) AS status_earliest
    FROM reporting_legs
)
SELECT
    trial_id,
    policy,
    rule_version,
    v.status_group,
    status,
    status_earliest,
    status <> status_earliest AS is_ambiguous,
    CASE
        WHEN NOT in_scope THEN 'no'
        WHEN in_scope IS NULL THEN 'possible'
        WHEN has_proxy THEN 'probable'
        ELSE 'yes' END AS applies,
    CASE
        WHEN status IN ('out_of_scope', 'left_scope') THEN false_legs
        WHEN status = 'scope_unknown' THEN unknown_fields
        WHEN status = 'never_started' THEN started_field
        WHEN status = 'inconsistent' THEN coalesce(contradictions, completed_field)
        WHEN status = 'completion_unknown' THEN completed_field
        WHEN status = 'reporting_unknown' THEN concat_ws(', ',
            CASE WHEN searched IS NOT TRUE THEN searched_field END,
            CASE WHEN public IS NULL THEN public_field END) END AS decided_by,
    clock_earliest,
    clock_latest,
    due_earliest,
    due_latest,
    public_date,
    reported_date,
    submitted_date,
    first_submitted,
    CASE WHEN v.status_group IN ('due, reported', 'due, submitted') AND coalesce(submitted_date, reported_date) IS NOT NULL
        THEN greatest(0, date_diff('day', due_latest, least(first_submitted, coalesce(submitted_date, reported_date))))
        END AS days_late_min,
    CASE WHEN v.status_group IN ('due, reported', 'due, submitted') AND coalesce(submitted_date, reported_date) IS NOT NULL
        THEN greatest(0, date_diff('day', due_earliest, coalesce(submitted_date, reported_date))) END AS days_late_max,
    public AND reported_date < clock_earliest AS reported_before_completion
FROM judged
JOIN vocabulary_reporting_status AS v ON v.code = judged.status
