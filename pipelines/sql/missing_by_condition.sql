-- Of each condition: due trials under each policy, and how many are missing there: found elsewhere, found nowhere in the
-- sources searched, or not to be judged. Only where something is missing; a trial counts once for each of its conditions.
WITH stated AS (
    SELECT DISTINCT trial_id, concept, mesh_term FROM conditions WHERE concept IS NOT NULL
), due AS (
    SELECT
        s.trial_id, s.policy, s.status_group, s.due_latest, t.enrolment, t.enrolment_type,
        s.status_group = 'due, missing' AS is_missing,
        s.status_group = 'due, missing' AND d.results = 'none_found' AS is_nowhere,
        d.results
    FROM reporting_status AS s
    JOIN trials AS t USING (trial_id)
    JOIN trial_standings AS d USING (trial_id)
    WHERE s.status_group IN ('due, reported', 'due, submitted', 'due, missing')
)
SELECT
    c.concept AS condition,
    d.policy,
    max(c.mesh_term) AS mesh_term,
    count(*) AS due,
    count_if(status_group = 'due, reported') AS reported,
    count_if(status_group = 'due, submitted') AS submitted,
    count_if(is_missing) AS missing,
    count_if(is_missing AND results = 'found') AS missing_found_elsewhere,
    count_if(is_nowhere) AS missing_none_found,
    count_if(is_missing AND results = 'cannot_judge') AS missing_cannot_judge,
    coalesce(sum(enrolment) FILTER (WHERE is_nowhere AND enrolment_type = 'actual'), 0) AS none_found_actual,
    coalesce(sum(enrolment) FILTER (WHERE is_nowhere AND enrolment_type = 'estimated'), 0) AS none_found_planned,
    coalesce(sum(enrolment) FILTER (WHERE is_nowhere AND enrolment_type IS NULL), 0) AS none_found_unknown,
    count_if(is_nowhere AND enrolment IS NULL) AS none_found_unstated,
    min(due_latest) FILTER (WHERE is_nowhere) AS longest_due
FROM due AS d
JOIN stated AS c USING (trial_id)
GROUP BY c.concept, d.policy
HAVING missing > 0
