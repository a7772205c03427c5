-- Trials whose results are due under a policy and for which none were found anywhere in the sources searched: what a
-- reviewer needs to chase them. Not found is not unpublished.
WITH numbers AS (
    -- Lists are sorted once they are made: an aggregate in order takes four times as long.
    SELECT trial_id, list_sort(list(registration_id)) AS registration_ids FROM registrations GROUP BY trial_id
), looked AS (
    -- What was searched, for a review's appendix.
    SELECT
        r.trial_id,
        list_concat(
            list_transform(
                list_sort(list({'registration_id': r.registration_id, 'seen': r.last_seen_directly})
                    FILTER (WHERE r.last_seen_directly IS NOT NULL)),
                lambda s: 'register: ' || s.registration_id || ' read on ' || s.seen),
            list_distinct(list(p.state))) AS searched
    FROM registrations AS r
    CROSS JOIN (SELECT state FROM sources WHERE source = 'pubmed') AS p
    GROUP BY r.trial_id
), linked AS (
    SELECT trial_id, list_sort(list(pmid)) AS other_pmids FROM trial_publications WHERE NOT counts_as_results GROUP BY trial_id
), places AS (
    SELECT trial_id, list_sort(list(DISTINCT country)) AS countries
    FROM registration_countries WHERE NOT is_removed GROUP BY trial_id
), studied AS (
    SELECT
        trial_id,
        words_as_listed(registration_id, ordinal, condition) AS conditions
    FROM conditions
    GROUP BY trial_id
), given AS (
    SELECT
        trial_id,
        words_as_listed(registration_id, ordinal, intervention) AS interventions
    FROM interventions
    GROUP BY trial_id
)
SELECT
    s.trial_id,
    s.policy,
    s.status,
    t.main_registration_id AS registration_id,
    n.registration_ids,
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
    l.searched,
    coalesce(p.other_pmids, []) AS other_pmids,
    c.conditions,
    i.interventions,
    g.countries
FROM reporting_status AS s
JOIN trials AS t USING (trial_id)
JOIN registrations AS r ON r.registration_id = t.main_registration_id
JOIN disclosure AS d ON d.trial_id = s.trial_id
JOIN trial_standings AS w ON w.trial_id = s.trial_id
JOIN numbers AS n ON n.trial_id = s.trial_id
LEFT JOIN looked AS l ON l.trial_id = s.trial_id
LEFT JOIN linked AS p ON p.trial_id = s.trial_id
LEFT JOIN studied AS c ON c.trial_id = s.trial_id
LEFT JOIN given AS i ON i.trial_id = s.trial_id
LEFT JOIN places AS g ON g.trial_id = s.trial_id
WHERE s.status IN ('overdue', 'overdue_submission_cancelled') AND d.any_results IS NOT TRUE
