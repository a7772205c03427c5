-- How many trials an article names: the loaded ones, or, where more, the numbers of any one register. Numbers of
-- several registers may all mean one trial.
WITH named AS (
    SELECT n.pmid, n.registry, coalesce(t.trial_id, n.number) AS trial
    FROM publication_numbers AS n
    LEFT JOIN trial_numbers AS t USING (number)
    WHERE NOT n.is_malformed AND n.registry <> 'utn'
), loaded AS (
    SELECT n.pmid, count(DISTINCT t.trial_id) AS trials
    FROM publication_numbers AS n JOIN trial_numbers AS t USING (number)
    GROUP BY n.pmid
), per_register AS (
    SELECT pmid, registry, count(DISTINCT trial) AS trials FROM named GROUP BY pmid, registry
)
SELECT r.pmid, greatest(max(r.trials), coalesce(max(l.trials), 0)) AS trials_named
FROM per_register AS r
LEFT JOIN loaded AS l USING (pmid)
GROUP BY r.pmid
