-- The numbers by which an article can name a trial: its registrations and their obsolete numbers, whoever else states
-- them; and numbers of registrations that are not loaded, as long as the records of one trial only state them.
SELECT
    number,
    coalesce(min(trial_id) FILTER (WHERE kind <> 'cross_registration'), min(trial_id)) AS trial_id
FROM identifiers
WHERE kind IN ('registration', 'alias', 'cross_registration') AND number NOT IN (SELECT number FROM placeholder_numbers)
GROUP BY number
HAVING count(DISTINCT trial_id) FILTER (WHERE kind <> 'cross_registration') = 1
    OR count(DISTINCT trial_id) = 1
