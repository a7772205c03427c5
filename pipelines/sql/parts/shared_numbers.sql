-- Trials that state a number which is not theirs alone: an article that names it may be theirs or not, and nobody can
-- say. A number that more than three trials state is an umbrella or a programme and says nothing about any of them.
WITH stated AS (
    SELECT DISTINCT number, trial_id
    FROM identifiers
    WHERE kind IN ('registration', 'alias', 'cross_registration')
        AND number NOT IN (SELECT number FROM placeholder_numbers)
)
SELECT s.number, s.trial_id
FROM stated AS s
LEFT JOIN trial_numbers AS t USING (number)
WHERE t.trial_id IS DISTINCT FROM s.trial_id
    AND s.number IN (SELECT number FROM stated GROUP BY number HAVING count(*) BETWEEN 2 AND 3)
