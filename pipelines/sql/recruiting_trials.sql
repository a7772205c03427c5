-- Trials that recruit now, for doctors and patients: only where the trial's own register said so recently. No contact
-- details: the record at the address has them.
SELECT
    s.trial_id,
    s.recruits_from AS registration_id,
    r.url,
    t.title,
    t.study_type,
    t.phase,
    t.sponsor,
    t.sponsor_class,
    CASE WHEN t.enrolment_type = 'actual' THEN NULL ELSE t.enrolment END AS planned_enrolment,
    t.start_earliest,
    s.completed_latest AS expected_completion,
    w.conditions,
    w.condition_concepts,
    w.interventions,
    w.intervention_concepts,
    w.countries,
    s.record_seen,
    coalesce(r.last_update_posted, r.last_update_submitted) AS record_updated,
    d.trial_id IS NOT NULL AS is_disputed
FROM trial_standings AS s
JOIN trials AS t USING (trial_id)
JOIN registrations AS r ON r.registration_id = s.recruits_from
LEFT JOIN trial_words AS w ON w.trial_id = s.trial_id
LEFT JOIN (SELECT DISTINCT trial_id FROM discrepancies WHERE field = 'status') AS d ON d.trial_id = s.trial_id
WHERE s.recruits
