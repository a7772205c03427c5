-- Publications that registrations name, and the loaded article that each means, found by PMID, else by DOI. What a
-- record states twice is stated once. A PMID that is not among the loaded articles stays as it is.
WITH stated AS (
    SELECT
        r.registration_id, m.trial_id, CAST(min(u.ordinal) AS INTEGER) AS ordinal,
        p.type AS reference_type, p.pmid AS stated_pmid, p.doi
    FROM registration_lists AS r
    JOIN trial_members AS m USING (registration_id),
        unnest(r.publications) WITH ORDINALITY AS u(p, ordinal)
    GROUP BY ALL
), by_doi AS (
    SELECT doi, min(pmid) AS pmid FROM publications WHERE doi IS NOT NULL GROUP BY doi
)
SELECT
    s.registration_id, s.trial_id, s.ordinal, s.reference_type, s.stated_pmid, s.doi,
    coalesce(a.pmid, d.pmid, s.stated_pmid) AS pmid,
    coalesce(a.pmid, d.pmid) IS NOT NULL AS is_loaded,
    CASE WHEN a.pmid IS NOT NULL THEN 'pmid' WHEN d.pmid IS NOT NULL THEN 'doi' END AS found_by
FROM stated AS s
LEFT JOIN publications AS a ON a.pmid = s.stated_pmid
LEFT JOIN by_doi AS d ON d.doi = s.doi
