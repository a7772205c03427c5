-- What is studied in a trial, what is given, and where, in the wordings of its records and in their order; one row per trial
-- that says any of it. Lists are sorted once they are made: an aggregate in order takes four times as long.
WITH studied AS (
    SELECT
        trial_id,
        list_transform(
            list_sort(list({'registration_id': registration_id, 'ordinal': ordinal, 'word': condition})),
            lambda c: c.word) AS conditions,
        list_sort(list(DISTINCT concept) FILTER (WHERE concept IS NOT NULL)) AS condition_concepts
    FROM conditions
    GROUP BY trial_id
), given AS (
    SELECT
        trial_id,
        list_transform(
            list_sort(list({'registration_id': registration_id, 'ordinal': ordinal, 'word': intervention})),
            lambda i: i.word) AS interventions,
        list_sort(list(DISTINCT concept) FILTER (WHERE concept IS NOT NULL)) AS intervention_concepts
    FROM interventions
    GROUP BY trial_id
), places AS (
    SELECT trial_id, list_sort(list(DISTINCT country)) AS countries
    FROM registration_countries
    WHERE NOT is_removed
    GROUP BY trial_id
)
FROM studied FULL JOIN given USING (trial_id) FULL JOIN places USING (trial_id)
