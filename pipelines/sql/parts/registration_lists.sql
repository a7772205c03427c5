-- The lists of every registration: of what each of its records repeats (conditions, outcomes ...) those of the first
-- record that has any; of what adds up (numbers, documents ...) all of them; of countries, which decide verdicts, those
-- of all records of one source, the first that names any: what it took out must not come back from another.
SELECT
    registration_id, registry, aliases, identifiers, mentions, conditions, condition_mesh, interventions,
    intervention_mesh, outcomes, analyses, countries, sponsors, publications, documents
FROM current_records
WHERE records = 1 AND in_first_slice()
UNION ALL BY NAME
SELECT
    registration_id,
    registry,
    flatten(list(aliases ORDER BY place)) AS aliases,
    flatten(list(identifiers ORDER BY place)) AS identifiers,
    list_sort(list_distinct(flatten(list(mentions)))) AS mentions,
    arg_min(conditions, place) FILTER (WHERE len(conditions) > 0) AS conditions,
    arg_min(condition_mesh, place) FILTER (WHERE len(condition_mesh) > 0) AS condition_mesh,
    arg_min(interventions, place) FILTER (WHERE len(interventions) > 0) AS interventions,
    arg_min(intervention_mesh, place) FILTER (WHERE len(intervention_mesh) > 0) AS intervention_mesh,
    arg_min(outcomes, place) FILTER (WHERE len(outcomes) > 0) AS outcomes,
    arg_min(analyses, place) FILTER (WHERE len(analyses) > 0) AS analyses,
    coalesce(
        flatten(list(countries ORDER BY place) FILTER (WHERE source = first_source AND len(countries) > 0)),
        flatten(list(countries ORDER BY place))) AS countries,
    arg_min(sponsors, place) FILTER (WHERE len(sponsors) > 0) AS sponsors,
    flatten(list(publications ORDER BY place)) AS publications,
    list_distinct(flatten(list(documents ORDER BY place))) AS documents
FROM current_records
WHERE records > 1 AND in_slice(registration_id)
GROUP BY registration_id, registry
