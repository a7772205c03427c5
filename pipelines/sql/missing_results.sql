-- Trials whose results are due under a policy and for which none were found anywhere in the sources searched: what a
-- reviewer needs to chase them. Not found is not unpublished.
SELECT
    s.trial_id,
    s.policy,
    s.status,
    t.main_registration_id AS registration_id,
    m.registration_ids,
    r.url,
    t.title,
    r.official_title,
    t.sponsor,
    t.sponsor_id,
    t.sponsor_class,
    t.phase,
    t.status AS recruitment_status,
    t.enrolment,
    t.enrolment_type,
    t.registered,
    s.clock_earliest AS completed_earliest,
    s.clock_latest AS completed_latest,
    s.due_earliest,
    s.due_latest,
    s.is_ambiguous,
    s.clock_is_estimated,
    s.date_status_conflict,
    s.applies,
    s.rule_version,
    d.any_results,
    w.results,
    w.not_searched,
    d.x_results_removed AS results_removed,
    m.searched,
    m.other_pmids,
    m.conditions,
    m.interventions,
    m.countries
FROM reporting_status AS s
JOIN trials AS t USING (trial_id)
JOIN registrations AS r ON r.registration_id = t.main_registration_id
JOIN disclosure AS d ON d.trial_id = s.trial_id
JOIN trial_standings AS w ON w.trial_id = s.trial_id
JOIN missing_lists AS m ON m.trial_id = s.trial_id
WHERE s.status_group = 'due, missing'
