-- One row per trial: for each field the value of the first registration that has one, and which that is (trial_fields,
-- generated from the contract). Merging chooses and says so; a registration's own fields are never overwritten.
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
), dated AS (
    SELECT
        trial_id,
        flatten(list(
            list_filter([
                {'registration_id': registration_id, 'field': 'primary_completion', 'raw': primary_completion_raw,
                 'type': primary_completion_type},
                {'registration_id': registration_id, 'field': 'completion', 'raw': completion_raw,
                 'type': completion_type}],
                lambda d: d.raw IS NOT NULL)
            ORDER BY registration_id)) AS completion_dates,
        coalesce(
            min(start_earliest) FILTER (WHERE speaks) > coalesce(
                max(primary_completion_latest) FILTER (WHERE speaks), max(completion_latest) FILTER (WHERE speaks)),
            false) AS dates_conflict
    FROM trial_sources
    GROUP BY trial_id
)
SELECT f.*, e.* EXCLUDE (trial_id), d.completion_dates, d.dates_conflict
FROM trial_fields AS f
JOIN every_registration AS e USING (trial_id)
JOIN dated AS d USING (trial_id)
