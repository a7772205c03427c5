-- The newest records of the two EU registers, as the EU policies read them. Where people corrected a field of a
-- registration, each of its records says the corrected value, also in the register's own fields: the policies ask these.
WITH corrected AS (
    SELECT
        registration_id,
        status,
        phase,
        has_results,
        results_submitted,
        results_posted,
        registered_earliest,
        registered_latest,
        completion_earliest,
        completion_latest,
        corrected_fields AS fields,
        CASE WHEN list_contains(fields, 'completion')
            THEN MAP(['global_end_date', 'results_global_end_date', 'end_date_eu'],
                [completion_latest::VARCHAR, completion_latest::VARCHAR, completion_latest::VARCHAR])
            ELSE MAP([]::VARCHAR[], []::VARCHAR[]) END AS own_end,
        CASE WHEN list_contains(fields, 'has_results')
            THEN MAP(['summary_results_submitted', 'results_first_received'], [
                CASE WHEN has_results THEN coalesce(results_submitted::VARCHAR, 'as corrected') END,
                CASE WHEN has_results THEN 'Yes' WHEN NOT has_results THEN 'No' END])
            ELSE MAP([]::VARCHAR[], []::VARCHAR[]) END AS own_results,
        CASE WHEN list_contains(fields, 'phase')
            THEN MAP(['phase_1', 'phase_2', 'phase_3', 'phase_4'], list_transform(['1', '2', '3', '4'],
                lambda n: CASE WHEN contains(phase, n) THEN 'Yes' WHEN phase IS NOT NULL THEN 'No' END))
            ELSE MAP([]::VARCHAR[], []::VARCHAR[]) END AS own_phase
    FROM registrations
    WHERE registry IN ('euctr', 'ctis') AND len(corrected_fields) > 0
)
SELECT * FROM current_records
WHERE registry IN ('euctr', 'ctis') AND registration_id NOT IN (SELECT registration_id FROM corrected)
UNION ALL BY NAME
SELECT r.* REPLACE (
    CASE WHEN list_contains(c.fields, 'status') THEN c.status ELSE r.status END AS status,
    CASE WHEN list_contains(c.fields, 'phase') THEN c.phase ELSE r.phase END AS phase,
    CASE WHEN list_contains(c.fields, 'has_results') THEN c.has_results ELSE r.has_results END AS has_results,
    CASE WHEN NOT list_contains(c.fields, 'has_results') THEN r.older_link END AS older_link,
    CASE WHEN list_contains(c.fields, 'results_submitted') THEN c.results_submitted ELSE r.results_submitted END
        AS results_submitted,
    CASE WHEN list_contains(c.fields, 'results_posted') THEN c.results_posted ELSE r.results_posted END AS results_posted,
    CASE WHEN list_contains(c.fields, 'registered') THEN c.registered_earliest ELSE r.registered_earliest END
        AS registered_earliest,
    CASE WHEN list_contains(c.fields, 'registered') THEN c.registered_latest ELSE r.registered_latest END
        AS registered_latest,
    CASE WHEN list_contains(c.fields, 'completion') THEN c.completion_earliest ELSE r.completion_earliest END
        AS completion_earliest,
    CASE WHEN list_contains(c.fields, 'completion') THEN c.completion_latest ELSE r.completion_latest END
        AS completion_latest,
    map_concat(r.own_fields, c.own_end, c.own_results, c.own_phase) AS own_fields)
FROM current_records AS r
JOIN corrected AS c USING (registration_id)
