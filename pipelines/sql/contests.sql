-- Contested verdicts, each with the trial that its number names: as a registration, as an alias of one trial, or as an
-- id that was given up.
WITH aliases AS (
    SELECT number, any_value(trial_id) AS trial_id FROM identifiers WHERE kind = 'alias'
    GROUP BY number HAVING count(DISTINCT trial_id) = 1
), past AS (
    SELECT number, arg_max(trial_id, event_number) AS trial_id FROM ledger GROUP BY number
)
SELECT
    c.*,
    coalesce(r.trial_id, a.trial_id, t.trial_id) AS trial_id,
    c.decided_on IS NULL AS is_open
FROM contest_list AS c
LEFT JOIN registrations AS r ON r.registration_id = c.number
LEFT JOIN aliases AS a ON a.number = c.number
LEFT JOIN past AS p ON p.number = c.number
LEFT JOIN trials AS t ON t.trial_id = p.trial_id
