-- The country records of each trial's registration in the EU Clinical Trials Register, as far as the EU Directive asks
-- for it. Where a record was seen with no date of its own, the results page may still have one: see euctr_pages. What a
-- newest record of its form cannot say (an extract the phase, a full text the results link) an older one does.
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
    coalesce(only_phase_1(r.own_fields), o.scope.only_phase_1) AS only_phase_1,
    coalesce(is_in_pip(r.own_fields), o.scope.is_in_pip) AS is_in_pip,
    coalesce(has_minors(r.own_fields), o.scope.has_minors) AS has_minors,
    -- A converted record also carries the end on its results page: that one does not count here.
    CASE WHEN r.own_fields['global_end_date'] IS NOT NULL THEN r.completion_earliest END AS end_earliest,
    CASE WHEN r.own_fields['global_end_date'] IS NOT NULL THEN r.completion_latest END AS end_latest,
    TRY_CAST(r.own_fields['competent_authority_decision_date'] AS DATE) AS decided,
    r.older_link IS NOT NULL AS is_older_link,
    CASE WHEN is_older_link THEN r.older_link.has_results ELSE r.has_results END AS has_results,
    CASE WHEN is_older_link THEN r.older_link.results_link ELSE r.own_fields['trial_results'] END AS results_link,
    CASE WHEN is_older_link THEN r.older_link.last_seen ELSE p.last_seen END AS link_seen
FROM speaking_registrations AS s
JOIN eu_records AS r USING (registration_id)
JOIN version_spans AS p ON p.is_current AND (p.registration_id, p.source, p.part) = (r.registration_id, r.source, r.part)
LEFT JOIN euctr_stated AS o ON o.registration_id = r.registration_id AND o.part = r.part
LEFT JOIN vocabulary_recruitment_status AS v ON v.code = r.status
WHERE r.registry = 'euctr' AND r.source = 'euctr' AND r.part <> 'results'
