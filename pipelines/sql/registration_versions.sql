-- Every distinct version of every record, in order, with the dates between which it was the newest. Where the register
-- itself shows that the sponsor is a private person, what others passed on of the record names none.
SELECT
    s.registration_id,
    s.part,
    s.version,
    m.trial_id,
    s.is_current,
    s.snapshot,
    s.first_seen,
    s.last_seen,
    s.valid_to,
    r.* EXCLUDE (registration_id, payload, record_number, aliases, identifiers, mentions, conditions, keywords,
        condition_mesh, condition_mesh_above, interventions, intervention_mesh, intervention_mesh_above, outcomes,
        analyses, countries, sponsors, publications, documents, result_events, history, own_fields, part, rejects, snapshot, snapshot_date, scope, file)
        REPLACE (CASE WHEN p.registration_id IS NULL OR r.sponsor_is_person THEN r.sponsor END AS sponsor)
FROM version_spans AS s
JOIN staged_registrations AS r USING (file, record_number)
JOIN trial_members AS m ON m.registration_id = s.registration_id
LEFT JOIN personal_sponsors AS p ON p.registration_id = s.registration_id AND p.source = s.source
