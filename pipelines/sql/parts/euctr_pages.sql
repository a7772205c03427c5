-- What the results page of an EUCTR registration says: whether it shows results, since when, and the end of the trial.
SELECT
    r.registration_id,
    bool_or(r.has_results) FILTER (WHERE r.part = 'results') AS has_results,
    max(p.last_seen) FILTER (WHERE r.part = 'results') AS last_seen,
    min(r.results_posted) FILTER (WHERE r.results_posted <= getvariable('as_of')) AS posted,
    max(TRY_CAST(r.own_fields['results_global_end_date'] AS DATE)) AS end_date,
    any_value(r.own_fields['results_type'] ORDER BY r.part) AS results_type
FROM eu_records AS r
JOIN version_spans AS p ON p.is_current AND (p.registration_id, p.source, p.part) = (r.registration_id, r.source, r.part)
WHERE r.registry = 'euctr' AND r.source = 'euctr'
GROUP BY r.registration_id
