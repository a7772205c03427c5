-- Every MeSH term that a register's record gives for its conditions or interventions, and the terms above it. A record
-- lists the terms above all of its terms together, so they are taken from records that have this term alone.
WITH given AS (
    SELECT registration_id, source, condition_mesh AS mesh, condition_mesh_above AS above FROM current_records
    UNION ALL
    SELECT registration_id, source, intervention_mesh, intervention_mesh_above FROM current_records
), named AS (
    SELECT
        registration_id, source, folded_words(u.m.term) AS normalised, u.m.term AS term, u.m.id AS id,
        CASE WHEN len(mesh) = 1 AND len(above) > 0
            THEN list_sort(list_distinct(list_transform(above, lambda a: a.term))) END AS above
    FROM given, unnest(mesh) AS u(m)
), trees AS (
    SELECT normalised, above, count(*) AS records FROM named WHERE above IS NOT NULL GROUP BY normalised, above
), chosen AS (
    -- The tree is revised every year: what most records show.
    SELECT normalised, arg_min(above, (-records, above)) AS above FROM trees GROUP BY normalised
)
SELECT
    min(n.term) AS mesh_term,
    n.normalised,
    min(n.id) AS mesh_id,
    any_value(c.above) AS above,
    count(DISTINCT n.registration_id) AS registrations,
    list_sort(list(DISTINCT n.source)) AS sources
FROM named AS n
LEFT JOIN chosen AS c USING (normalised)
WHERE n.normalised IS NOT NULL
GROUP BY n.normalised
