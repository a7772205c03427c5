-- Reviewed decisions of people, and whether they could be applied: all that they name is loaded.
SELECT
    a.*,
    c.value_before,
    r.registration_id IS NOT NULL AND (a.decision = 'correct' OR o.registration_id IS NOT NULL) AS is_applied
FROM adjudication_list AS a
LEFT JOIN corrections AS c USING (adjudication_id)
LEFT JOIN corrected_registrations AS r ON r.registration_id = a.registration_id
LEFT JOIN corrected_registrations AS o ON o.registration_id = a.other_id
