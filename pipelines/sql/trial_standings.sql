-- Where each trial stands, three-valued: has it completed, were results found anywhere, does it recruit. What a review or a
-- patient asks, whatever any policy asks; counted as alltrials-summary counts: from primary completion.
WITH papers AS (
    SELECT trial_id, list(pmid ORDER BY pmid) AS pmids
    FROM trial_publications
    WHERE counts_as_results AND coalesce(published_earliest <= getvariable('as_of'), true)
    GROUP BY trial_id
), judged AS (
    SELECT
        t.trial_id,
        CASE
            WHEN s.status_group = 'outside' THEN 'outside'
            WHEN s.status IN ('scope_unknown', 'completion_unknown', 'inconsistent') THEN 'cannot_judge'
            WHEN s.clock_latest <= getvariable('as_of') THEN 'completed'
            WHEN s.clock_latest > getvariable('as_of') OR s.status = 'not_completed' THEN 'not_completed'
            ELSE 'cannot_judge' END AS completion,
        s.clock_earliest AS completed_earliest,
        s.clock_latest AS completed_latest,
        d.any_results,
        list_filter([
            CASE WHEN d.r2_summary_results IS NULL THEN 'summary results: the register says nothing either way' END,
            CASE WHEN NOT a.searched.outcome THEN 'register: ' || coalesce(a.searched.value, 'not read') END,
            CASE
                WHEN NOT w.searched.outcome THEN 'articles: ' || coalesce(w.searched.value, 'PubMed is not loaded')
                WHEN NOT w.public.outcome AND d.r3_results_article IS NULL
                    THEN 'articles: ' || w.searched.value || ', before the trial completed' END,
            CASE WHEN w.public.outcome IS NULL THEN 'articles: ' || w.public.value END,
            CASE WHEN d.r4_full_report IS NULL THEN 'reports: a register of the trial shows no documents' END],
            lambda x: x IS NOT NULL) AS not_searched,
        list_sort(list_distinct(list_filter([d.r2_where, d.r4_where], lambda x: x IS NOT NULL))) AS result_registrations,
        coalesce(p.pmids, []) AS result_pmids,
        t.status_from,
        r.last_seen_directly AS record_seen,
        CASE WHEN r.vanished_on IS NULL
                AND r.last_seen_directly >= getvariable('as_of') - CAST(getvariable('parameter').recruiting_record_days AS INTEGER)
            THEN CASE
                WHEN t.status = 'recruiting' THEN
                    CASE WHEN coalesce(t.completion_latest, t.primary_completion_latest) < getvariable('as_of')
                         THEN NULL ELSE true END
                WHEN t.status NOT IN ('unknown', 'ongoing', 'transitioned', 'frozen', 'withheld') THEN false END END
            AS recruits
    FROM trials AS t
    JOIN reporting_status AS s ON s.trial_id = t.trial_id AND s.policy = 'alltrials-summary'
    JOIN legs_alltrials_summary AS a ON a.trial_id = t.trial_id
    JOIN legs_who_publication AS w ON w.trial_id = t.trial_id
    JOIN disclosure AS d ON d.trial_id = t.trial_id
    LEFT JOIN papers AS p ON p.trial_id = t.trial_id
    LEFT JOIN registrations AS r ON r.registration_id = t.status_from
)
SELECT
    trial_id, completion, completed_earliest, completed_latest,
    CASE WHEN any_results THEN 'found' WHEN len(not_searched) = 0 THEN 'none_found' ELSE 'cannot_judge' END AS results,
    result_registrations, result_pmids,
    CASE WHEN any_results THEN [] ELSE not_searched END AS not_searched,
    recruits, status_from AS recruits_from, record_seen
FROM judged
