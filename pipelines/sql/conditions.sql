-- Conditions in the source's wording beside a normalised form; MeSH where the register gives a term of the same wording.
SELECT
    r.registration_id, m.trial_id, CAST(u.ordinal AS INTEGER) AS ordinal,
    u.name AS condition,
    folded_words(u.name) AS normalised,
    list_filter(r.condition_mesh, lambda t: folded_words(t.term) = folded_words(u.name))[1].id AS mesh_id,
    list_filter(r.condition_mesh, lambda t: folded_words(t.term) = folded_words(u.name))[1].term AS mesh_term
FROM current_records AS r
JOIN trial_members AS m USING (registration_id),
    unnest(r.conditions) WITH ORDINALITY AS u(name, ordinal)
