-- The country records of each trial's registration in the EU Clinical Trials Register, as far as the EU Directive asks
-- for it. Where a record was seen with no date of its own, the results page may still have one: see euctr_pages.
SELECT
    s.trial_id,
    r.registration_id,
    r.part,
    r.part = '3RD' AS is_third,
    r.status IS NOT DISTINCT FROM 'frozen' AS is_frozen,
    r.status IS NOT DISTINCT FROM 'transitioned' AS has_moved,
    coalesce(r.status IN ('completed', 'terminated', 'prohibited'), false) AS has_ended,
    r.status IS NOT DISTINCT FROM 'prohibited' AS is_prohibited,
    coalesce(v.never_ran, false) AS never_ran,
    coalesce(v.runs, false) AS runs,
    r.status,
    only_phase_1(r.own_fields) AS only_phase_1,
    is_in_pip(r.own_fields) AS is_in_pip,
    has_minors(r.own_fields) AS has_minors,
    -- A converted record also carries the end on its results page: that one does not count here.
    CASE WHEN r.own_fields['global_end_date'] IS NOT NULL THEN r.completion_earliest END AS end_earliest,
    CASE WHEN r.own_fields['global_end_date'] IS NOT NULL THEN r.completion_latest END AS end_latest,
    r.has_results,
    r.own_fields['trial_results'] AS results_link,
    p.last_seen
FROM speaking_registrations AS s
JOIN eu_records AS r USING (registration_id)
JOIN version_spans AS p ON p.is_current AND (p.registration_id, p.source, p.part) = (r.registration_id, r.source, r.part)
LEFT JOIN vocabulary_recruitment_status AS v ON v.code = r.status
WHERE r.registry = 'euctr' AND r.source = 'euctr' AND r.part <> 'results'
