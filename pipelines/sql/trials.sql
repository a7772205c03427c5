-- One row per trial: for each field the value of the first registration that has one, and which that is.
-- Merging chooses and says so; a registration's own fields are never overwritten.
WITH every_registration AS (
    -- What counts wherever it stands, in a replaced record too.
    SELECT
        trial_id,
        CAST(count(*) AS INTEGER) AS registrations,
        min(registered_earliest) AS registered,
        arg_min(registration_id, (registered_earliest, registration_id))
            FILTER (WHERE registered_earliest IS NOT NULL) AS registered_from,
        bool_or(has_results) AS has_results,
        min(results_posted) FILTER (WHERE results_posted <= getvariable('as_of')) AS results_posted
    FROM registrations
    GROUP BY trial_id
)
SELECT
    trial_id,
    any_value(e.registrations) AS registrations,
    arg_min(registration_id, place) AS main_registration_id,
    arg_min(title, place) FILTER (WHERE title IS NOT NULL) AS title,
    arg_min(registration_id, place) FILTER (WHERE title IS NOT NULL) AS title_from,
    arg_min(study_type, place) FILTER (WHERE study_type IS NOT NULL) AS study_type,
    arg_min(registration_id, place) FILTER (WHERE study_type IS NOT NULL) AS study_type_from,
    arg_min(phase, place) FILTER (WHERE phase IS NOT NULL) AS phase,
    arg_min(registration_id, place) FILTER (WHERE phase IS NOT NULL) AS phase_from,
    arg_min(status, place) FILTER (WHERE status IS NOT NULL) AS status,
    arg_min(registration_id, place) FILTER (WHERE status IS NOT NULL) AS status_from,
    arg_min(sponsor, place) FILTER (WHERE sponsor IS NOT NULL) AS sponsor,
    arg_min_null(sponsor_id, place) FILTER (WHERE sponsor IS NOT NULL) AS sponsor_id,
    arg_min_null(sponsor_class, place) FILTER (WHERE sponsor IS NOT NULL) AS sponsor_class,
    arg_min(registration_id, place) FILTER (WHERE sponsor IS NOT NULL) AS sponsor_from,
    arg_min(enrolment, place) FILTER (WHERE enrolment IS NOT NULL) AS enrolment,
    arg_min_null(enrolment_type, place) FILTER (WHERE enrolment IS NOT NULL) AS enrolment_type,
    arg_min(registration_id, place) FILTER (WHERE enrolment IS NOT NULL) AS enrolment_from,
    any_value(e.registered) AS registered,
    any_value(e.registered_from) AS registered_from,
    coalesce(
        arg_min(start_raw, place) FILTER (WHERE start_earliest IS NOT NULL),
        arg_min(start_raw, place)) AS start_raw,
    coalesce(arg_min(start_precision, place) FILTER (WHERE start_earliest IS NOT NULL), 'none') AS start_precision,
    arg_min(start_earliest, place) FILTER (WHERE start_earliest IS NOT NULL) AS start_earliest,
    arg_min(start_latest, place) FILTER (WHERE start_earliest IS NOT NULL) AS start_latest,
    arg_min_null(start_type, place) FILTER (WHERE start_earliest IS NOT NULL) AS start_type,
    arg_min(registration_id, place) FILTER (WHERE start_earliest IS NOT NULL) AS start_from,
    coalesce(
        arg_min(primary_completion_raw, place) FILTER (WHERE primary_completion_earliest IS NOT NULL),
        arg_min(primary_completion_raw, place)) AS primary_completion_raw,
    coalesce(arg_min(primary_completion_precision, place) FILTER (WHERE primary_completion_earliest IS NOT NULL), 'none')
        AS primary_completion_precision,
    arg_min(primary_completion_earliest, place) FILTER (WHERE primary_completion_earliest IS NOT NULL)
        AS primary_completion_earliest,
    arg_min(primary_completion_latest, place) FILTER (WHERE primary_completion_earliest IS NOT NULL)
        AS primary_completion_latest,
    arg_min_null(primary_completion_type, place) FILTER (WHERE primary_completion_earliest IS NOT NULL)
        AS primary_completion_type,
    arg_min(registration_id, place) FILTER (WHERE primary_completion_earliest IS NOT NULL) AS primary_completion_from,
    coalesce(
        arg_min(completion_raw, place) FILTER (WHERE completion_earliest IS NOT NULL),
        arg_min(completion_raw, place)) AS completion_raw,
    coalesce(arg_min(completion_precision, place) FILTER (WHERE completion_earliest IS NOT NULL), 'none')
        AS completion_precision,
    arg_min(completion_earliest, place) FILTER (WHERE completion_earliest IS NOT NULL) AS completion_earliest,
    arg_min(completion_latest, place) FILTER (WHERE completion_earliest IS NOT NULL) AS completion_latest,
    arg_min_null(completion_type, place) FILTER (WHERE completion_earliest IS NOT NULL) AS completion_type,
    arg_min(registration_id, place) FILTER (WHERE completion_earliest IS NOT NULL) AS completion_from,
    any_value(e.has_results) AS has_results,
    any_value(e.results_posted) AS results_posted,
    coalesce(
        min(start_earliest) > coalesce(max(primary_completion_latest), max(completion_latest)), false) AS dates_conflict
FROM trial_sources
JOIN every_registration AS e USING (trial_id)
GROUP BY trial_id
