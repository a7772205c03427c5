-- Interventions in the source's wording beside a normalised form, and the MeSH term that the registers' records show for
-- it.
WITH listed AS (
    SELECT
        registration_id,
        generate_subscripts(interventions, 1) AS ordinal,
        unnest(interventions) AS item,
        list_transform(intervention_mesh, lambda m: folded_words(m.term)) AS own_terms
    FROM registration_lists
), named AS (
    SELECT *, folded_words(item.name) AS normalised FROM listed
)
SELECT
    n.registration_id, m.trial_id, CAST(n.ordinal AS INTEGER) AS ordinal,
    n.item.type AS intervention_type,
    n.item.name AS intervention,
    n.normalised,
    n.item.other_names AS other_names,
    w.mesh_id,
    w.mesh_term,
    CASE WHEN w.method = 'same_words' AND NOT coalesce(list_contains(n.own_terms, n.normalised), false)
         THEN 'same_words_elsewhere' ELSE coalesce(w.method, 'none') END AS mesh_method,
    coalesce(w.heading, n.normalised) AS concept
FROM named AS n
JOIN trial_members AS m USING (registration_id)
LEFT JOIN mesh_wordings AS w ON w.kind = 'intervention' AND w.normalised = n.normalised
