-- Trials whose results are due under a policy and for which none were found anywhere in the sources searched: what a
-- reviewer needs to chase them. Not found is not unpublished.
SELECT
    s.trial_id,
    s.policy,
    s.status,
    t.main_registration_id AS registration_id,
    r.url,
    t.title,
    t.sponsor,
    t.sponsor_id,
    t.sponsor_class,
    t.phase,
    t.status AS recruitment_status,
    t.enrolment,
    t.enrolment_type,
    s.clock_earliest AS completed_earliest,
    s.clock_latest AS completed_latest,
    s.due_earliest,
    s.due_latest,
    s.is_ambiguous,
    d.any_results,
    (SELECT list(c.condition ORDER BY c.registration_id, c.ordinal) FROM conditions AS c WHERE c.trial_id = s.trial_id)
        AS conditions,
    (SELECT list(i.intervention ORDER BY i.registration_id, i.ordinal) FROM interventions AS i
        WHERE i.trial_id = s.trial_id) AS interventions
FROM reporting_status AS s
JOIN trials AS t USING (trial_id)
JOIN registrations AS r ON r.registration_id = t.main_registration_id
JOIN disclosure AS d ON d.trial_id = s.trial_id
WHERE s.status IN ('overdue', 'overdue_submission_cancelled') AND d.any_results IS NOT TRUE
