-- What `missing_results` lists of a trial whose results are due under some policy and were found nowhere: its numbers,
-- what was searched, other articles, conditions, interventions, countries. Gathered for these trials alone. Lists are
-- sorted once they are made: an aggregate in order takes four times as long.
WITH missing AS (
    SELECT DISTINCT s.trial_id
    FROM reporting_status AS s
    JOIN disclosure AS d USING (trial_id)
    WHERE s.status_group = 'due, missing' AND d.any_results IS NOT TRUE AND in_slice(s.trial_id)
), looked AS (
    -- What was searched, for a review's appendix.
    SELECT
        r.trial_id,
        list_sort(list(r.registration_id)) AS registration_ids,
        list_concat(
            list_transform(
                list_sort(list({'registration_id': r.registration_id, 'seen': r.last_seen_directly})
                    FILTER (WHERE r.last_seen_directly IS NOT NULL)),
                lambda s: 'register: ' || s.registration_id || ' read on ' || s.seen),
            list_distinct(list(p.state))) AS searched
    FROM registrations AS r
    SEMI JOIN missing USING (trial_id)
    LEFT JOIN (SELECT state FROM sources WHERE source = 'pubmed') AS p ON true
    GROUP BY r.trial_id
), linked AS (
    SELECT trial_id, list_sort(list(pmid)) AS other_pmids
    FROM trial_publications
    SEMI JOIN missing USING (trial_id)
    WHERE NOT counts_as_results
    GROUP BY trial_id
), places AS (
    SELECT trial_id, list_sort(list(DISTINCT country)) AS countries
    FROM registration_countries
    SEMI JOIN missing USING (trial_id)
    WHERE has_sites(is_removed, status)
    GROUP BY trial_id
), studied AS (
    SELECT trial_id, words_as_listed(registration_id, ordinal, condition) AS conditions
    FROM conditions
    SEMI JOIN missing USING (trial_id)
    GROUP BY trial_id
), given AS (
    SELECT trial_id, words_as_listed(registration_id, ordinal, intervention) AS interventions
    FROM interventions
    SEMI JOIN missing USING (trial_id)
    GROUP BY trial_id
)
SELECT
    trial_id, registration_ids, searched, coalesce(other_pmids, []) AS other_pmids, conditions, interventions, countries
FROM looked
LEFT JOIN linked USING (trial_id)
LEFT JOIN studied USING (trial_id)
LEFT JOIN given USING (trial_id)
LEFT JOIN places USING (trial_id)
