-- The registration at ClinicalTrials.gov that speaks first for each trial that has any, with its lists, submissions and
-- the flags that the register withdrew in January 2017.
WITH shown AS (
    SELECT registration_id, min(first_seen) AS seen_public_by
    FROM registration_versions WHERE has_results GROUP BY registration_id
)
SELECT
    r.trial_id, r.registration_id, r.source, r.last_seen_directly, r.vanished_on,
    r.study_type, r.phase, r.primary_purpose, r.status, r.enrolment, r.enrolment_type,
    r.start_raw, r.start_earliest, r.start_latest,
    r.primary_completion_raw, r.primary_completion_earliest, r.primary_completion_latest,
    r.completion_raw, r.completion_earliest, r.completion_latest,
    r.has_results, r.results_submitted, r.results_posted, r.delay_submitted, r.delay_posted, r.results_waived,
    r.is_fda_regulated_drug, r.is_fda_regulated_device, r.is_ppsd, r.is_us_export,
    v.seen_public_by,
    s.runs,
    coalesce(s.never_ran, false) AS never_ran,
    -- A record that says that the trial has ended was updated since.
    CASE WHEN NOT s.runs AND NOT s.never_ran THEN coalesce(r.last_update_submitted, r.last_update_posted) END AS ended_by,
    list_filter(coalesce(l.countries, []), lambda c: NOT coalesce(c.is_removed, false)).list_transform(lambda c: c.country)
        AS countries,
    list_transform(coalesce(l.interventions, []), lambda i: i.type) AS intervention_types,
    coalesce(h.is_live, false) AS is_live,
    coalesce(h.is_cancelled, false) AS is_cancelled,
    h.live_since,
    h.last_cancelled,
    h.first_submitted,
    EXISTS (FROM regulatory_flags) AS has_flags_of_2017,
    f.is_fda_regulated AS was_fda_regulated
FROM speaking_registrations AS p
JOIN registrations AS r USING (registration_id)
JOIN registration_lists AS l USING (registration_id)
LEFT JOIN shown AS v USING (registration_id)
LEFT JOIN result_submissions AS h USING (registration_id)
LEFT JOIN regulatory_flags AS f USING (registration_id)
LEFT JOIN vocabulary_recruitment_status AS s ON s.code = r.status
WHERE p.registry = 'nct'
