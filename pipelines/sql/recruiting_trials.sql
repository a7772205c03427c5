-- Trials that recruit now, for doctors and patients: only where the trial's own register said so recently. No contact
-- details: the record at the address has them.
WITH recruiting AS (
    -- Lists are gathered of these alone: of all trials they would not fit into memory.
    SELECT trial_id FROM trial_standings WHERE recruits
), places AS (
    SELECT trial_id, list_sort(list(DISTINCT country)) AS countries
    FROM registration_countries
    SEMI JOIN recruiting USING (trial_id)
    WHERE has_sites(is_removed, status)
    GROUP BY trial_id
), studied AS (
    SELECT
        trial_id,
        words_as_listed(registration_id, ordinal, condition) AS conditions,
        list_sort(list(DISTINCT concept) FILTER (WHERE concept IS NOT NULL)) AS condition_concepts
    FROM conditions
    SEMI JOIN recruiting USING (trial_id)
    GROUP BY trial_id
), given AS (
    SELECT
        trial_id,
        words_as_listed(registration_id, ordinal, intervention) AS interventions,
        list_sort(list(DISTINCT concept) FILTER (WHERE concept IS NOT NULL)) AS intervention_concepts
    FROM interventions
    SEMI JOIN recruiting USING (trial_id)
    GROUP BY trial_id
)
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
    coalesce(t.completion_latest, t.primary_completion_latest) AS expected_completion,
    c.conditions,
    c.condition_concepts,
    i.interventions,
    i.intervention_concepts,
    g.countries,
    s.record_seen,
    coalesce(r.last_update_posted, r.last_update_submitted) AS record_updated,
    d.trial_id IS NOT NULL AS is_disputed
FROM trial_standings AS s
JOIN trials AS t USING (trial_id)
JOIN registrations AS r ON r.registration_id = s.recruits_from
LEFT JOIN studied AS c ON c.trial_id = s.trial_id
LEFT JOIN given AS i ON i.trial_id = s.trial_id
LEFT JOIN places AS g ON g.trial_id = s.trial_id
LEFT JOIN (SELECT DISTINCT trial_id FROM discrepancies WHERE field = 'status') AS d ON d.trial_id = s.trial_id
WHERE s.recruits
