-- Which MeSH term a wording stands for, by all records together: one wording has one term everywhere. A term of the same
-- words comes first. Else records speak that state nothing but this wording and have one term, and those whose
-- intervention has the term's words as another name: enough of them, and nearly all the same.
WITH given AS (
    SELECT 'condition' AS kind, registration_id, conditions AS wordings, condition_mesh AS mesh, NULL AS names
    FROM current_records
    WHERE len(condition_mesh) > 0
    UNION ALL
    SELECT
        'intervention', registration_id, list_transform(interventions, lambda i: i.name), intervention_mesh,
        interventions
    FROM current_records
    WHERE len(intervention_mesh) > 0
), alone AS (
    SELECT kind, registration_id, folded_words(wordings[1]) AS normalised, folded_words(mesh[1].term) AS heading
    FROM given
    WHERE len(wordings) = 1 AND len(mesh) = 1
), also_called AS (
    SELECT DISTINCT
        kind, registration_id, folded_words(i.name) AS normalised, folded_words(other) AS heading
    FROM given, unnest(names) AS n(i), unnest(i.other_names) AS o(other)
    WHERE list_contains(list_transform(mesh, lambda m: folded_words(m.term)), folded_words(other))
), votes AS (
    SELECT kind, normalised, heading, count(DISTINCT registration_id) AS records
    FROM (FROM alone UNION ALL BY NAME FROM also_called)
    WHERE normalised IS NOT NULL AND heading IS NOT NULL
    GROUP BY kind, normalised, heading
), counted AS (
    SELECT
        kind, normalised, arg_min(heading, (-records, heading)) AS heading,
        max(records) >= getvariable('parameter').mesh_records
            AND max(records) >= getvariable('parameter').mesh_share * sum(records) AS prevails,
        count(*) AS headings
    FROM votes
    GROUP BY kind, normalised
)
SELECT v.kind, v.normalised, t.mesh_term, t.mesh_id, t.normalised AS heading, 'only_term' AS method
FROM counted AS v
JOIN mesh_terms AS t ON t.normalised = v.heading
WHERE v.prevails AND v.normalised NOT IN (SELECT normalised FROM mesh_terms)
UNION ALL
SELECT kind, normalised, NULL, NULL, NULL, 'disagree'
FROM counted
WHERE NOT prevails AND headings > 1 AND normalised NOT IN (SELECT normalised FROM mesh_terms)
UNION ALL
SELECT unnest(['condition', 'intervention']), normalised, mesh_term, mesh_id, normalised, 'same_words'
FROM mesh_terms
