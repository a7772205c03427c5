-- Conditions in the source's wording beside a normalised form, and the MeSH term that the registers' records show for it.
WITH listed AS (
    SELECT
        registration_id,
        generate_subscripts(conditions, 1) AS ordinal,
        unnest(conditions) AS condition,
        list_transform(condition_mesh, lambda m: folded_words(m.term)) AS own_terms
    FROM registration_lists
), named AS (
    SELECT *, folded_words(condition) AS normalised FROM listed
)
SELECT
    n.registration_id, m.trial_id, CAST(n.ordinal AS INTEGER) AS ordinal,
    n.condition, n.normalised,
    w.mesh_id,
    w.mesh_term,
    CASE WHEN w.method = 'same_words' AND NOT coalesce(list_contains(n.own_terms, n.normalised), false)
         THEN 'same_words_elsewhere' ELSE coalesce(w.method, 'none') END AS mesh_method,
    coalesce(w.heading, n.normalised) AS concept
FROM named AS n
JOIN trial_members AS m USING (registration_id)
LEFT JOIN mesh_wordings AS w ON w.kind = 'condition' AND w.normalised = n.normalised
