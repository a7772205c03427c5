-- Articles that report a trial for the first time, by what PubMed says of them: a randomised or controlled trial or one
-- of phase I to IV, in humans, with an abstract, no secondary, pooled or follow-up paper; and where they name a number.
WITH typed AS (
    SELECT pmid, journal, title, year(published_earliest) AS year, published_earliest
    FROM publications
    WHERE list_has_any(publication_type_ids, (SELECT list(ui) FROM trial_report_types))
        AND NOT is_excluded_type(publication_type_ids, publication_types)
        AND record_kind = 'article' AND is_human AND has_abstract AND published_earliest IS NOT NULL
        AND NOT coalesce(
            regexp_matches(lower(title), getvariable('parameter').secondary_report_title)
            OR regexp_matches(lower(title), getvariable('not_results_title')), false)
), named AS (
    SELECT
        pmid,
        bool_or(section = 'data_bank') AS in_data_bank,
        bool_or(section IN ('title', 'abstract')) AS in_text
    FROM publication_numbers
    WHERE NOT is_malformed AND registry <> 'utn'
    GROUP BY pmid
)
SELECT
    t.*,
    coalesce(n.in_data_bank, false) AS in_data_bank,
    coalesce(n.in_text, false) AS in_text,
    coalesce(n.in_data_bank OR n.in_text, false) AS has_number
FROM typed AS t
LEFT JOIN named AS n USING (pmid)
