-- Changes that only the register's own history of a record tells: on which day which part of it changed, not what; of the
-- recruitment status both values; of primary outcomes and enrolment the first content beside that of today. Where the
-- trial stood is judged by the dates that the record has now.
WITH versions AS (
    SELECT
        *,
        lag(status_source) OVER record AS old_source,
        lag(coalesce(status, status_source)) OVER record AS old_key
    FROM record_histories
    WHERE version IS NOT NULL AND date IS NOT NULL
    WINDOW record AS (PARTITION BY registration_id ORDER BY version)
), dated AS (
    SELECT
        registration_id, version, 1 AS place, 'status' AS field, 'altered' AS change,
        old_source AS old_value, status_source AS new_value
    FROM versions
    WHERE version > 0 AND coalesce(status, status_source) <> old_key
    UNION ALL
    SELECT registration_id, version, CAST(u.place AS INTEGER), 'module', 'touched', NULL, u.module
    FROM versions, unnest(list_distinct(modules).list_sort()) WITH ORDINALITY AS u(module, place)
    WHERE version > 0
), since_the_first AS (
    SELECT registration_id, version, place, field, change, old_value, new_value, NULL AS old_type, NULL AS new_type, similarity
    FROM outcome_changes
    WHERE source = 'ctgov_history'
    UNION ALL
    SELECT registration_id, version, 1, c.field, c.change, c.old_value, c.new_value, c.old_type, c.new_type, NULL
    FROM (
        SELECT
            registration_id, version,
            typed_change('enrolment', old.enrolment, new.enrolment, old.enrolment, new.enrolment,
                old.enrolment_type, new.enrolment_type) AS c
        FROM first_contents
        WHERE field = 'enrolment' AND old.enrolment IS NOT NULL AND new.enrolment IS NOT NULL)
    WHERE c IS NOT NULL
), changes AS (
    SELECT
        d.*, NULL::VARCHAR AS old_type, NULL::VARCHAR AS new_type, NULL::DOUBLE AS similarity,
        v.date - 1 AS changed_after, v.date AS changed_by
    FROM dated AS d
    JOIN versions AS v USING (registration_id, version)
    UNION ALL BY NAME
    SELECT s.*, f.changed_after, f.changed_by
    FROM since_the_first AS s
    JOIN first_contents AS f
        ON f.registration_id = s.registration_id
        AND f.field = CASE WHEN s.field = 'enrolment' THEN 'enrolment' ELSE 'primary_outcome' END
), placed AS (
    SELECT
        c.*, v.snapshot, v.seen AS first_seen,
        CASE
            WHEN s.never_ran THEN false
            ELSE came_after(
                r.start_earliest, r.start_latest, r.start_type, start_is_ahead(r.start_type, v.status, s.runs),
                changed_after, changed_by) END AS after_start,
        CASE
            WHEN s.never_ran THEN false
            WHEN r.primary_completion_earliest IS NOT NULL THEN came_after(
                r.primary_completion_earliest, r.primary_completion_latest, r.primary_completion_type, s.runs,
                changed_after, changed_by)
            ELSE came_after(
                r.completion_earliest, r.completion_latest, r.completion_type, s.runs, changed_after, changed_by) END
            AS after_completion,
        CASE
            WHEN r.results_posted IS NULL AND NOT r.has_results THEN false
            ELSE came_after(r.results_posted, r.results_posted, NULL, NULL, changed_after, changed_by) END AS after_results
    FROM changes AS c
    JOIN versions AS v USING (registration_id, version)
    JOIN registrations AS r USING (registration_id)
    LEFT JOIN vocabulary_recruitment_status AS s ON s.code = v.status
)
SELECT
    p.* EXCLUDE (place), 'ctgov_history' AS source, '' AS part,
    CAST(row_number() OVER (
        PARTITION BY registration_id, version, field ORDER BY place, change, old_value, new_value) AS INTEGER) AS ordinal
FROM placed AS p
