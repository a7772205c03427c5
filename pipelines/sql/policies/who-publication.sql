-- WHO joint statement 2017: main findings published within 24 months of study completion.
SELECT
    t.trial_id,
    getvariable('policy').version AS rule_version,
    t.completion_earliest AS clock_earliest,
    t.completion_latest AS clock_latest,
    due_day(t.completion_earliest, getvariable('policy').months) AS due_earliest,
    due_day(t.completion_latest, getvariable('policy').months) AS due_latest,
    due_day(t.completion_latest, getvariable('policy').months) AS due_undeferred,
    a.public_date,
    -- An article that was not seen may be the earlier one: then results were public by the day of this one.
    CASE WHEN NOT a.has_unseen_result THEN a.public_date END AS reported_date,
    NULL::DATE AS submitted_date,
    a.public_date AS seen_public_by,
    t.started,
    t.interventional,
    -- An article is results of what took place.
    leg(t.not_prohibited.value, t.not_prohibited.outcome OR a.public.outcome, t.not_prohibited.registration_id,
        t.not_prohibited.field) AS not_prohibited,
    t.in_scope_before,
    t.completed,
    t.running,
    t.ended_while_running,
    a.public,
    leg(NULL, false, NULL, NULL) AS submitted,
    leg(NULL, false, NULL, NULL) AS cancelled,
    leg(
        p.state, coalesce(p.is_whole AND recent_enough(p.complete_through, getvariable('policy')), false),
        NULL, 'sources.pubmed') AS searched
FROM trial_legs AS t
JOIN article_result_legs AS a USING (trial_id)
CROSS JOIN pubmed_state AS p
