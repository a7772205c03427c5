-- Interventions in the source's wording beside a normalised form; MeSH where the register gives a term of the same wording.
SELECT
    r.registration_id, m.trial_id, CAST(u.ordinal AS INTEGER) AS ordinal,
    i.type AS intervention_type,
    i.name AS intervention,
    folded_words(i.name) AS normalised,
    i.other_names,
    list_filter(r.intervention_mesh, lambda t: folded_words(t.term) = folded_words(i.name))[1].id AS mesh_id,
    list_filter(r.intervention_mesh, lambda t: folded_words(t.term) = folded_words(i.name))[1].term AS mesh_term
FROM current_records AS r
JOIN trial_members AS m USING (registration_id),
    unnest(r.interventions) WITH ORDINALITY AS u(i, ordinal)
