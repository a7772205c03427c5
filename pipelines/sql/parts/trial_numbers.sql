-- The numbers by which an article can name a trial: its registrations, their obsolete numbers, and numbers of other
-- registers that its record states, as long as they point to no other trial.
SELECT number, min(trial_id) AS trial_id
FROM identifiers
WHERE kind IN ('registration', 'alias', 'cross_registration') AND NOT number IN (SELECT number FROM placeholder_numbers)
GROUP BY number
HAVING count(DISTINCT trial_id) = 1
