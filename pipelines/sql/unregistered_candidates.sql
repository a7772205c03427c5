-- Trial reports for which no registration was found in the places searched: no number in them, no reference to them in a
-- loaded registration, no registration of the same title or code. The grade says how much that tells.
WITH years AS (
    SELECT year, avg(has_number::INTEGER) AS share
    FROM trial_reports
    GROUP BY year
    HAVING count(*) >= getvariable('parameter').telling_reports
), journals AS (
    -- Of the years from which candidates can come: what a journal printed before tells nothing of its habits now.
    SELECT journal, avg(has_number::INTEGER) AS share
    FROM trial_reports
    WHERE published_earliest >= getvariable('parameter').published_since
    GROUP BY journal
    HAVING count(*) >= getvariable('parameter').telling_reports
), places AS (
    SELECT list_concat(
        ['title', 'abstract', 'data_bank'],
        coalesce(list('registration_references:' || registry ORDER BY registry), []),
        coalesce(list('registration_titles_and_codes:' || registry ORDER BY registry), [])) AS searched
    FROM (SELECT DISTINCT registry FROM registrations)
)
SELECT
    r.pmid, r.title, r.journal, CAST(r.year AS INTEGER) AS year,
    CASE
        WHEN y.share < getvariable('parameter').rare_number_share
            OR j.share < getvariable('parameter').rare_number_share THEN 'C'
        ELSE 'B' END AS grade,
    y.share AS year_share,
    j.share AS journal_share,
    p.searched AS no_registration_found
FROM trial_reports AS r
LEFT JOIN years AS y USING (year)
LEFT JOIN journals AS j USING (journal)
CROSS JOIN places AS p
WHERE r.published_earliest >= getvariable('parameter').published_since
    AND r.published_earliest <= getvariable('as_of')
    AND r.pmid NOT IN (SELECT pmid FROM publication_numbers)
    AND r.pmid NOT IN (SELECT pmid FROM registry_references WHERE pmid IS NOT NULL)
    AND r.pmid NOT IN (SELECT pmid FROM trial_publications)
