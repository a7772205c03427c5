-- How many registrations of each register and year are loaded, how old their last sighting is, and how complete the
-- fields are that the verdicts need.
SELECT
    registry,
    coalesce(year(registered_earliest), 0) AS registration_year,
    count(*) AS registrations,
    max(last_seen) AS newest_sighting,
    min(last_seen) AS oldest_sighting,
    count(*) FILTER (WHERE vanished_on IS NOT NULL) AS vanished,
    avg(CAST(study_type IS NOT NULL AS DOUBLE)) AS has_study_type,
    avg(CAST(status IS NOT NULL AS DOUBLE)) AS has_status,
    avg(CAST(registered_earliest IS NOT NULL AS DOUBLE)) AS has_registered,
    avg(CAST(start_earliest IS NOT NULL AS DOUBLE)) AS has_start,
    avg(CAST(start_precision = 'day' AS DOUBLE)) AS has_exact_start,
    avg(CAST(primary_completion_earliest IS NOT NULL AS DOUBLE)) AS has_primary_completion,
    avg(CAST(primary_completion_precision = 'day' AS DOUBLE)) AS has_exact_primary_completion,
    avg(CAST(completion_earliest IS NOT NULL AS DOUBLE)) AS has_completion,
    avg(CAST(enrolment IS NOT NULL AS DOUBLE)) AS has_enrolment,
    avg(CAST(phase IS NOT NULL AS DOUBLE)) AS has_phase,
    avg(CAST(sponsor IS NOT NULL AS DOUBLE)) AS has_sponsor
FROM registrations
GROUP BY registry, coalesce(year(registered_earliest), 0)
