-- Numbers of other registers that two or three trials state: an article that names one belongs to one of these trials.
-- A number that more trials state is an umbrella or a programme and says nothing about any of them.
SELECT number
FROM identifiers
WHERE kind IN ('registration', 'alias', 'cross_registration')
    AND number NOT IN (SELECT number FROM placeholder_numbers)
GROUP BY number
HAVING count(DISTINCT trial_id) BETWEEN 2 AND 3
