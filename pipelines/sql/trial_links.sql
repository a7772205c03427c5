-- Every piece of evidence that two registrations are one trial, and what came of it.
WITH links AS (
    SELECT
        e.registration_id, e.other_id, e.method, e.field, e.value, e.other_field, e.other_value, d.decision, d.reason
    FROM registration_edges AS e
    JOIN edge_decisions AS d USING (registration_id, other_id, method)
    UNION ALL BY NAME
    SELECT
        registration_id, other_id, method, value, other_value,
        CASE WHEN veto IS NULL THEN 'candidate' ELSE 'vetoed' END AS decision,
        coalesce(veto, method) AS reason
    FROM candidate_links
)
SELECT
    l.registration_id,
    l.other_id,
    l.method,
    nullif(v.evidence_class, '') AS evidence_class,
    l.decision,
    l.reason,
    m.trial_id,
    o.trial_id AS other_trial_id,
    l.field,
    l.value,
    l.other_field,
    l.other_value
FROM links AS l
JOIN vocabulary_link_method AS v ON v.code = l.method
JOIN trial_members AS m ON m.registration_id = l.registration_id
JOIN trial_members AS o ON o.registration_id = l.other_id
