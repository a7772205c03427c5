-- Which article belongs to which trial, on what evidence, how strong, and whether it counts as the trial's results.
-- Tiers and results filter: rules of the link tiers L1 to L5 (vocabulary link_tier). References that the sponsor calls
-- background, and numbers that stand only in an article's reference list, are no link. An article that shares a title or
-- a sponsor's code with a trial and names none is a candidate (L5).
WITH evidence AS (
    SELECT t.trial_id, n.pmid, n.section AS kind, n.number AS proof
    FROM publication_numbers AS n JOIN trial_numbers AS t USING (number)
    UNION
    SELECT trial_id, pmid, 'registry_' || reference_type, registration_id
    FROM registry_references
    WHERE reference_type IN ('result', 'derived') AND pmid IS NOT NULL
    UNION
    SELECT trial_id, pmid, method, registration_id FROM similar_articles
), links AS (
    SELECT
        trial_id, pmid,
        list_sort(list(DISTINCT kind)) AS evidence,
        list_sort(list(DISTINCT proof)) AS proof
    FROM evidence
    GROUP BY trial_id, pmid
), named AS (
    -- What the registrations of the trial call the article: their protocol is no results article, unless they call it
    -- a result too.
    SELECT
        trial_id, pmid,
        bool_or(reference_type = 'protocol') AND NOT bool_or(reference_type = 'result') AS is_registry_protocol
    FROM registry_references
    WHERE pmid IS NOT NULL
    GROUP BY trial_id, pmid
), listed AS (
    SELECT pmid, count(DISTINCT trial_id) AS trials_listing
    FROM registry_references
    WHERE reference_type = 'result' AND pmid IS NOT NULL
    GROUP BY pmid
), judged AS (
    SELECT
        l.*,
        p.pmid IS NOT NULL AS is_loaded,
        p.* EXCLUDE (pmid, snapshot),
        t.start_earliest, t.primary_completion_earliest, t.completion_earliest,
        n.is_registry_protocol,
        list_contains(evidence, 'data_bank') AS in_data_bank,
        list_contains(evidence, 'title') OR list_contains(evidence, 'abstract') AS in_text,
        list_contains(evidence, 'registry_result') AS is_registry_result,
        list_contains(evidence, 'registry_derived') AS is_derived,
        -- Of more than three trials by the numbers in it; where this one's is not among them, by who lists it as well.
        coalesce(r.trials_named > 3, false) OR coalesce(g.trials_listing > 3, false) AND NOT in_data_bank AND NOT in_text
            AS is_pooled,
        p.published_latest < t.start_earliest AS before_start,
        p.published_latest < coalesce(t.primary_completion_earliest, t.completion_earliest) AS before_pcd
    FROM links AS l
    JOIN trials AS t USING (trial_id)
    LEFT JOIN publications AS p USING (pmid)
    LEFT JOIN publication_reach AS r USING (pmid)
    LEFT JOIN listed AS g USING (pmid)
    LEFT JOIN named AS n USING (trial_id, pmid)
), filtered AS (
    SELECT
        *,
        filtered_by(record_kind, publication_type_ids, publication_types, title) AS by_record,
        CASE
            WHEN NOT is_loaded THEN 'article_not_seen'
            WHEN by_record IS NOT NULL THEN by_record
            WHEN is_registry_protocol THEN 'listed_as_protocol'
            WHEN before_start THEN 'before_start'
            ELSE 'passed' END AS filter_outcome,
        CASE
            WHEN NOT is_loaded THEN NULL
            WHEN in_data_bank AND in_text THEN 'L1'
            WHEN in_data_bank OR is_registry_result THEN 'L2'
            WHEN in_text THEN 'L3'
            WHEN is_derived THEN 'L4'
            ELSE 'L5' END AS tier
    FROM judged
)
SELECT
    trial_id, pmid, evidence, proof, tier, filter_outcome,
    is_loaded,
    coalesce(before_pcd, false) AS is_before_pcd,
    is_pooled,
    coalesce(is_retracted, false) AS is_retracted,
    coalesce(is_preprint, false) AS is_preprint,
    published_earliest,
    published_latest,
    published_precision,
    coalesce(
        tier IN ('L1', 'L2', 'L3') AND filter_outcome = 'passed' AND NOT coalesce(before_pcd, false)
        AND NOT is_pooled AND NOT is_retracted AND NOT is_preprint, false) AS counts_as_results
FROM filtered
