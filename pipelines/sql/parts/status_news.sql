-- What this build would add to the status history: every trial whose state is not the one that stands there last. A trial
-- id that was given up is a state without records. A build under a profile tells nothing new: it judges otherwise.
WITH newest AS (
    SELECT trial_id, max(number) AS number FROM status_history GROUP BY trial_id
), before AS (
    SELECT h.trial_id, h.records, h.articles, h.statuses FROM status_history AS h JOIN newest USING (trial_id, number)
), compared AS (
    SELECT
        coalesce(n.trial_id, b.trial_id) AS trial_id,
        coalesce(n.records, []) AS records,
        coalesce(n.articles, '') AS articles,
        coalesce(n.statuses, []) AS statuses,
        b.trial_id IS NOT NULL AND b.records = coalesce(n.records, []) AND b.articles = coalesce(n.articles, '')
            AND b.statuses = coalesce(n.statuses, []) AS is_known
    FROM status_states AS n
    FULL JOIN before AS b USING (trial_id)
)
SELECT trial_id, records, articles, statuses
FROM compared
WHERE NOT is_known AND getvariable('profile') = ''
