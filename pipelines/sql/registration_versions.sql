-- Every distinct version of every record, in order, with the dates between which it was the newest.
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
FROM version_spans AS s
JOIN staged_registrations AS r USING (file, record_number)
JOIN trial_members AS m ON m.registration_id = s.registration_id
