-- The newest version of every registration. What a full snapshot lacks keeps its last state and says since when.
SELECT
    r.registration_id,
    m.trial_id,
    d.first_seen,
    d.last_seen,
    d.vanished_on,
    e.registration_id AS replaced_by,
    n.sponsor_id,
    r.* EXCLUDE (registration_id, payload, record_number, aliases, identifiers, conditions, keywords, condition_mesh,
        interventions, intervention_mesh, outcomes, countries, sponsors, publications, documents, result_events, own_fields, part, rejects,
        file)
FROM current_records AS r
JOIN trial_members AS m USING (registration_id)
JOIN registration_sight_dates AS d USING (registration_id, source)
LEFT JOIN (
    SELECT other_id, min(registration_id) AS registration_id
    FROM registration_edges WHERE method = 'alias' GROUP BY other_id
) AS e ON e.other_id = r.registration_id
LEFT JOIN sponsor_names AS n ON n.name = r.sponsor
