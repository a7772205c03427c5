-- Changes that only the register's own history of a record tells: on which day which part of it changed, not what; of the
-- recruitment status both values. Where the trial stood is judged by the dates that the record has now.
WITH versions AS (
    SELECT
        *,
        lag(status_source) OVER record AS old_source,
        lag(coalesce(status, status_source)) OVER record AS old_key
    FROM record_histories
    WHERE version IS NOT NULL AND date IS NOT NULL
    WINDOW record AS (PARTITION BY registration_id ORDER BY version)
), changes AS (
    SELECT
        registration_id, version, 'status' AS field, 1 AS ordinal, 'altered' AS change,
        old_source AS old_value, status_source AS new_value
    FROM versions
    WHERE version > 0 AND coalesce(status, status_source) <> old_key
    UNION ALL
    SELECT registration_id, version, 'module', CAST(u.place AS INTEGER), 'touched', NULL, u.module
    FROM versions, unnest(list_distinct(modules).list_sort()) WITH ORDINALITY AS u(module, place)
    WHERE version > 0
), placed AS (
    SELECT
        v.registration_id, v.version, v.snapshot, v.seen AS first_seen,
        v.date - 1 AS changed_after, v.date AS changed_by,
        CASE
            WHEN s.never_ran THEN false
            ELSE came_after(r.start_earliest, r.start_latest, r.start_type, s.runs, v.date - 1, v.date) END AS after_start,
        CASE
            WHEN s.never_ran THEN false
            WHEN r.primary_completion_earliest IS NOT NULL THEN came_after(
                r.primary_completion_earliest, r.primary_completion_latest, r.primary_completion_type, s.runs,
                v.date - 1, v.date)
            ELSE came_after(
                r.completion_earliest, r.completion_latest, r.completion_type, s.runs, v.date - 1, v.date) END
            AS after_completion,
        CASE
            WHEN r.results_posted IS NULL AND NOT r.has_results THEN false
            ELSE came_after(r.results_posted, r.results_posted, NULL, NULL, v.date - 1, v.date) END AS after_results
    FROM versions AS v
    JOIN registrations AS r USING (registration_id)
    LEFT JOIN vocabulary_recruitment_status AS s ON s.code = v.status
)
SELECT
    p.*, 'ctgov_history' AS source, '' AS part, c.field, c.ordinal, c.change, c.old_value, c.new_value,
    NULL::VARCHAR AS old_type, NULL::VARCHAR AS new_type, NULL::DOUBLE AS similarity
FROM changes AS c
JOIN placed AS p USING (registration_id, version)
