-- Whether each trial tests a medicine, by the types of its interventions, or by a register that takes no other trials.
SELECT
    t.trial_id,
    CASE
        WHEN bool_or(i.intervention_type IN ('drug', 'biological', 'genetic', 'combination_product')) THEN true
        WHEN any_value(e.registration_id) IS NOT NULL THEN true
        WHEN bool_and(i.intervention_type IS NOT NULL AND i.intervention_type <> 'other') THEN false END AS is_medicinal,
    coalesce(any_value(e.registration_id), min(i.registration_id)) AS registration_id,
    coalesce(
        'in a register of medicines alone: ' || any_value(e.registration_id),
        array_to_string(list_sort(list(DISTINCT i.intervention_type)), ', ')) AS types
FROM trials AS t
LEFT JOIN interventions AS i USING (trial_id)
LEFT JOIN (
    SELECT trial_id, min(registration_id) AS registration_id
    FROM registrations
    WHERE registry IN ('euctr', 'ctis')
    GROUP BY trial_id
) AS e USING (trial_id)
GROUP BY t.trial_id
