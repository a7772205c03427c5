-- Of each condition: due trials under each policy, and how many are missing there. Only where something is missing; a trial
-- counts once for each of its conditions.
WITH counted AS (
    SELECT
        c.concept AS condition, s.policy, max(c.mesh_term) AS mesh_term,
        missing_counts(s.status_group, d.results, t.enrolment, t.enrolment_type, s.due_latest) AS counts
    FROM reporting_status AS s
    JOIN trials AS t USING (trial_id)
    JOIN trial_standings AS d USING (trial_id)
    JOIN (SELECT DISTINCT trial_id, concept, mesh_term FROM conditions WHERE concept IS NOT NULL) AS c USING (trial_id)
    WHERE s.status_group IN ('due, reported', 'due, submitted', 'due, missing')
    GROUP BY c.concept, s.policy
)
SELECT condition, policy, mesh_term, unnest(counts) FROM counted WHERE counts.missing > 0
