-- When the results of trials that posted results on a register were published in an article, and first of all, counted
-- from primary completion. Judged is a trial whose months have passed by the as-of date and whose articles could be found.
WITH found AS (
    -- Stated p-values of tests for a difference: one below the level is enough, none below it takes all to be above.
    SELECT
        trial_id,
        bool_or(is_significant) AS has_significant,
        count(*) FILTER (WHERE hypothesis IS DISTINCT FROM 'non_inferiority' AND p_value IS NOT NULL) AS stated,
        count(*) FILTER (WHERE NOT is_significant) AS not_significant
    FROM outcome_results
    GROUP BY trial_id
), dated AS (
    SELECT
        t.trial_id,
        coalesce(t.sponsor_class, '(not stated)') AS sponsor_class,
        CASE
            WHEN f.has_significant THEN 'significant'
            WHEN f.stated > 0 AND f.stated = f.not_significant THEN 'not_significant'
            ELSE 'unknown' END AS primary_outcome,
        coalesce(t.primary_completion_earliest, t.completion_earliest) AS completed_earliest,
        coalesce(t.primary_completion_latest, t.completion_latest) AS completed_latest,
        due_day(completed_latest, getvariable('parameter').publication_months) AS publication_due,
        d.r2_date AS register_date,
        l.pmid,
        l.public_date AS article_date,
        l.public.outcome AS has_article,
        l.has_unseen_result,
        p.is_whole AND coalesce(p.complete_through >= publication_due, false) AS was_searched
    FROM trials AS t
    JOIN disclosure AS d ON d.trial_id = t.trial_id AND d.r2_summary_results
    JOIN article_result_legs AS l ON l.trial_id = t.trial_id
    LEFT JOIN found AS f ON f.trial_id = t.trial_id
    CROSS JOIN pubmed_state AS p
    WHERE t.study_type = 'interventional'
), judged AS (
    SELECT
        *,
        CASE
            WHEN publication_due IS NULL THEN 'no_completion'
            WHEN publication_due >= getvariable('as_of') THEN 'too_recent'
            WHEN NOT was_searched THEN 'not_searched'
            WHEN has_article IS NULL OR (has_article AND article_date IS NULL) THEN 'article_not_seen'
            -- An article that was not seen may be the earlier one.
            WHEN has_unseen_result AND article_date > publication_due THEN 'article_not_seen'
            ELSE 'judged' END AS judgement
    FROM dated
)
SELECT
    trial_id, sponsor_class, year(completed_latest) AS completion_year, primary_outcome,
    completed_earliest, completed_latest, publication_due, judgement,
    CASE WHEN judgement = 'judged' THEN coalesce(article_date <= publication_due, false) END AS is_published_in_time,
    pmid, article_date, register_date,
    -- Posted or published on an unknown day, or in an article that was not seen: the first day is not known (least skips
    -- NULL).
    CASE WHEN register_date IS NOT NULL AND (article_date IS NOT NULL OR pmid IS NULL) AND NOT has_unseen_result
         THEN least(register_date, article_date) END AS first_results_date,
    date_diff('day', completed_latest, article_date) AS days_to_article,
    date_diff('day', completed_latest, first_results_date) AS days_to_first_results
FROM judged
