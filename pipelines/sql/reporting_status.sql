-- One status per trial and reporting policy, from the policy's legs alone. `status` is the latest reading of every vague
-- date, `status_earliest` the earliest one. What a trial's dates and its recruitment status say of each other changes
-- neither, beyond what a leg of the policy says.
WITH dated AS (
    SELECT
        t.trial_id,
        t.primary_completion_latest, t.primary_completion_type = 'estimated' AS primary_is_estimated,
        t.completion_latest AS end_latest, t.completion_type = 'estimated' AS end_is_estimated,
        coalesce(
            (s.runs OR s.code = 'unknown')
                AND t.completion_latest <= getvariable('as_of')
                AND (t.primary_completion_latest IS NULL OR t.primary_completion_latest <= getvariable('as_of')),
            false) AS date_status_conflict
    FROM trials AS t
    LEFT JOIN vocabulary_recruitment_status AS s ON s.code = t.status
), judged AS (
    SELECT
        *,
        -- What a snapshot shows was there by its date, whatever later day the register gives for it.
        coalesce(submitted_date, CASE WHEN reported_date IS NOT NULL THEN least(reported_date, seen_public_by) END) AS arrived,
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
    -- A policy may look at one registration only: the type is told where the trial's own date is the one that it judges by.
    CASE
        WHEN completed_field = 'primary_completion' AND clock_latest = d.primary_completion_latest THEN d.primary_is_estimated
        WHEN completed_field = 'completion' AND clock_latest = d.end_latest THEN d.end_is_estimated END AS clock_is_estimated,
    d.date_status_conflict,
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
    CASE WHEN v.status_group IN ('due, reported', 'due, submitted') AND arrived IS NOT NULL
        THEN greatest(0, date_diff('day', due_latest, least(first_submitted, arrived))) END AS days_late_min,
    CASE WHEN v.status_group IN ('due, reported', 'due, submitted') AND arrived IS NOT NULL
        THEN greatest(0, date_diff('day', due_earliest, arrived)) END AS days_late_max,
    public AND reported_date < clock_earliest AS reported_before_completion
FROM judged
JOIN dated AS d USING (trial_id)
JOIN vocabulary_reporting_status AS v ON v.code = judged.status
