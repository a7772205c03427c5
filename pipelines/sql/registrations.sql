-- The newest state of every registration, put together from its records. What a full snapshot lacks keeps its last state
-- and says since when.
SELECT
    r.*,
    m.trial_id,
    d.first_seen,
    d.last_seen,
    d.last_seen_directly,
    d.vanished_on,
    e.replaced_by,
    n.sponsor_id
FROM corrected_registrations AS r
JOIN trial_members AS m USING (registration_id)
JOIN registration_sight_dates AS d USING (registration_id)
LEFT JOIN (
    SELECT
        silent AS registration_id,
        min(CASE WHEN silent = registration_id THEN other_id ELSE registration_id END) AS replaced_by
    FROM registration_edges WHERE method = 'alias' GROUP BY silent
) AS e ON e.registration_id = r.registration_id
LEFT JOIN sponsor_names AS n ON n.name = r.sponsor
