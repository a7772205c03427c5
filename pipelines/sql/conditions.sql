-- Conditions in the source's wording beside a normalised form; MeSH where the register gives a term of the same wording.
WITH listed AS (
    SELECT
        registration_id,
        generate_subscripts(conditions, 1) AS ordinal,
        unnest(conditions) AS condition
    FROM registration_lists
), mesh AS (
    SELECT registration_id, folded_words(term.term) AS normalised, min(term.id) AS id, arg_min(term.term, term.id) AS term
    FROM (SELECT registration_id, unnest(condition_mesh) AS term FROM registration_lists)
    GROUP BY ALL
), named AS (
    SELECT *, folded_words(condition) AS normalised FROM listed
)
SELECT
    n.registration_id, m.trial_id, CAST(n.ordinal AS INTEGER) AS ordinal,
    n.condition, n.normalised,
    h.id AS mesh_id,
    h.term AS mesh_term
FROM named AS n
JOIN trial_members AS m USING (registration_id)
LEFT JOIN mesh AS h USING (registration_id, normalised)
