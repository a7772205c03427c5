-- The share of trials with posted results that were published in time, by whether a primary outcome was significant. Made
-- of a published table alone: every cell is a count of its rows.
SELECT
    coalesce(sponsor_class, 'all') AS sponsor_class,
    CASE WHEN grouping(completion_year) = 1 THEN 'all' ELSE coalesce(CAST(completion_year AS VARCHAR), '(not stated)') END
        AS completion_year,
    coalesce(primary_outcome, 'all') AS primary_outcome,
    count(*) AS trials,
    count_if(judgement = 'judged') AS judged,
    count(*) FILTER (WHERE is_published_in_time) AS published_in_time,
    judged - published_in_time AS not_in_time,
    count_if(judgement = 'too_recent') AS too_recent,
    count_if(judgement IN ('not_searched', 'article_not_seen', 'no_completion')) AS cannot_judge,
    published_in_time / nullif(judged, 0) AS published_share,
    wilson_low(published_in_time, judged) AS published_share_low,
    wilson_high(published_in_time, judged) AS published_share_high,
    median(days_to_first_results) FILTER (WHERE judgement = 'judged') AS days_to_first_results_median,
    median(days_to_article) FILTER (WHERE judgement = 'judged') AS days_to_article_median,
    getvariable('parameter').publication_months AS publication_months
FROM publication_times
GROUP BY CUBE (sponsor_class, completion_year, primary_outcome)
HAVING count(*) > 0
