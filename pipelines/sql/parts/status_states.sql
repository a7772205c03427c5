-- What the status history keeps of every trial: its statuses, and what they rest on in a form that only tells whether it
-- changed. Twelve digits of a content's hash are enough to tell the versions of one record apart. Lists are sorted once
-- they are made: an aggregate in order takes four times as long.
WITH records AS (
    SELECT
        v.trial_id,
        list_sort(list({
            'registration_id': v.registration_id, 'source': v.source, 'part': v.part,
            'content': left(v.content_hash, 12), 'is_gone': r.vanished_on IS NOT NULL})) AS records
    FROM registration_versions AS v
    JOIN registrations AS r USING (registration_id)
    WHERE v.is_current AND in_slice(v.trial_id)
    GROUP BY v.trial_id
), articles AS (
    SELECT
        trial_id,
        left(md5(string_agg(
            concat_ws(' ', pmid, tier, filter_outcome, counts_as_results, published_earliest), ',' ORDER BY pmid)), 12)
            AS articles
    FROM trial_publications
    WHERE in_slice(trial_id)
    GROUP BY trial_id
), statuses AS (
    SELECT
        trial_id,
        list_sort(list({'policy': policy, 'status': status, 'rule_version': rule_version})) AS statuses
    FROM reporting_status
    WHERE in_slice(trial_id)
    GROUP BY trial_id
)
SELECT s.trial_id, r.records, coalesce(a.articles, '') AS articles, s.statuses
FROM statuses AS s
JOIN records AS r USING (trial_id)
LEFT JOIN articles AS a USING (trial_id)
