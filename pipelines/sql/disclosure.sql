-- The disclosure ladder: which rungs each trial has reached, since when, and where it was seen. No rung has a clock.
WITH retracted AS (
    SELECT trial_id, min(pmid) AS pmid
    FROM trial_publications
    -- What would count as results but for the retraction.
    WHERE is_retracted AND tier IN ('L1', 'L2', 'L3') AND filter_outcome = 'passed'
        AND NOT is_before_pcd AND NOT is_pooled AND NOT is_preprint
        AND coalesce(published_earliest <= getvariable('as_of'), true)
    GROUP BY trial_id
), papers AS (
    SELECT
        trial_id,
        bool_or(kind = 'study_report') AS has_report,
        min(coalesce(uploaded, document_date)) FILTER (WHERE kind = 'study_report') AS report_date,
        arg_min(registration_id, (coalesce(uploaded, document_date, DATE '9999-12-31'), registration_id))
            FILTER (WHERE kind = 'study_report') AS report_where,
        bool_or(kind IN ('protocol', 'protocol_and_analysis_plan'))
            AND bool_or(kind IN ('analysis_plan', 'protocol_and_analysis_plan')) AS has_plans,
        greatest(
            min(coalesce(uploaded, document_date)) FILTER (WHERE kind LIKE 'protocol%'),
            min(coalesce(uploaded, document_date)) FILTER (WHERE kind LIKE '%analysis_plan')) AS plans_date,
        min(registration_id) FILTER (WHERE kind LIKE 'protocol%' OR kind LIKE '%analysis_plan') AS plans_where
    FROM documents
    WHERE coalesce(uploaded <= getvariable('as_of'), true)
    GROUP BY trial_id
), shelves AS (
    -- A register that shows documents, read directly, and has none of a class shows that none is there.
    SELECT
        s.trial_id,
        bool_and(coalesce(v.shows_documents = 'true' AND s.last_seen_directly IS NOT NULL, false)) AS all_show_documents,
        bool_and(coalesce(v.shows_submissions = 'true' AND s.last_seen_directly IS NOT NULL, false)) AS all_show_submissions
    FROM trial_sources AS s
    JOIN vocabulary_registries AS v ON v.code = s.registry
    GROUP BY s.trial_id
), countries AS (
    SELECT m.trial_id, holds_for_all(c.has_results) AS has_all
    FROM eu_records AS c
    JOIN trial_members AS m USING (registration_id)
    WHERE c.registry = 'euctr' AND c.source = 'euctr' AND c.part NOT IN ('', 'results')
    GROUP BY m.trial_id
), rungs AS (
    SELECT
        t.trial_id,
        t.registered AS r0_date,
        t.registered_from AS r0_where,
        CASE s.status WHEN 'prospective' THEN true WHEN 'retrospective' THEN false END AS r1,
        r.public.outcome AS r2,
        r.public_date AS r2_date,
        r.public.registration_id AS r2_where,
        c.has_all AS r2_all,
        CASE WHEN r.submitted.outcome THEN true WHEN h.all_show_submissions THEN false END AS r2s,
        r.submitted_date AS r2s_date,
        -- None is there where all of PubMed was searched, and not so long ago nor only till before the trial completed.
        CASE
            WHEN l.public.outcome OR w.searched.outcome AND NOT coalesce(
                coalesce(t.primary_completion_latest, t.completion_latest) > p.complete_through
                AND coalesce(t.primary_completion_latest, t.completion_latest) <= getvariable('as_of'), false)
            THEN l.public.outcome END AS r3,
        l.public_date AS r3_date,
        l.pmid AS r3_pmid,
        p3.evidence AS r3_evidence,
        CASE WHEN d.has_report THEN true WHEN h.all_show_documents THEN false END AS r4,
        d.report_date AS r4_date,
        d.report_where AS r4_where,
        CASE WHEN d.has_plans THEN true WHEN h.all_show_documents THEN false END AS r4p,
        CASE WHEN d.has_plans THEN d.plans_date END AS r4p_date,
        CASE WHEN d.has_plans THEN d.plans_where END AS r4p_where,
        x.pmid AS retracted_pmid,
        e.results_removed.outcome AS results_removed
    FROM trials AS t
    JOIN registration_status AS s ON s.trial_id = t.trial_id AND s.rule = 'strict-day'
    JOIN trial_legs AS r ON r.trial_id = t.trial_id
    JOIN article_result_legs AS l ON l.trial_id = t.trial_id
    JOIN legs_who_publication AS w ON w.trial_id = t.trial_id
    JOIN legs_eu_ctd AS e ON e.trial_id = t.trial_id
    LEFT JOIN retracted AS x ON x.trial_id = t.trial_id
    JOIN shelves AS h ON h.trial_id = t.trial_id
    LEFT JOIN papers AS d ON d.trial_id = t.trial_id
    LEFT JOIN countries AS c ON c.trial_id = t.trial_id
    LEFT JOIN trial_publications AS p3 ON p3.trial_id = t.trial_id AND p3.pmid = l.pmid
    CROSS JOIN pubmed_state AS p
), told AS (
    -- A rung that is reached on an unknown day may be the first: it goes before those that have one.
    SELECT
        *,
        list_sort(list_filter([
            CASE WHEN r2 THEN {'is_dated': r2_date IS NOT NULL, 'day': r2_date, 'rung': 2, 'place': r2_where} END,
            CASE WHEN r3 THEN {'is_dated': r3_date IS NOT NULL, 'day': r3_date, 'rung': 3, 'place': 'PMID ' || r3_pmid} END,
            CASE WHEN r4 THEN {'is_dated': r4_date IS NOT NULL, 'day': r4_date, 'rung': 4, 'place': r4_where} END],
            lambda reached: reached IS NOT NULL))[1] AS first
    FROM rungs
)
SELECT
    trial_id,
    true AS r0_known,
    r0_date,
    r0_where,
    r1 AS r1_registered_before_start,
    CASE WHEN r1 THEN r0_date END AS r1_date,
    r2 AS r2_summary_results,
    r2_date,
    CASE WHEN r2 THEN r2_where END AS r2_where,
    r2_all AS r2_all_countries,
    r2s AS r2s_submitted,
    r2s_date,
    r3 AS r3_results_article,
    r3_date,
    r3_pmid,
    r3_evidence,
    r4 AS r4_full_report,
    r4_date,
    CASE WHEN r4 THEN r4_where END AS r4_where,
    r4p AS r4p_protocol_and_plan,
    r4p_date,
    r4p_where,
    retracted_pmid IS NOT NULL AS x_retracted,
    retracted_pmid AS x_pmid,
    results_removed AS x_results_removed,
    r2 OR r3 OR r4 AS any_results,
    first.day AS earliest_results_date,
    first.place AS earliest_results_where
FROM told
