-- Publications that registrations name, and the loaded article they mean, found by PMID, else by DOI.
WITH stated AS (
    SELECT DISTINCT r.registration_id, m.trial_id, p.pmid, p.doi, p.type AS reference_type
    FROM registration_lists AS r
    JOIN trial_members AS m USING (registration_id),
        unnest(r.publications) AS u(p)
), by_doi AS (
    SELECT doi, min(pmid) AS pmid FROM publications WHERE doi IS NOT NULL GROUP BY doi
)
SELECT
    s.registration_id, s.trial_id, s.reference_type, s.doi,
    coalesce(a.pmid, CASE WHEN s.pmid IS NULL THEN d.pmid END, s.pmid) AS pmid,
    coalesce(a.pmid, CASE WHEN s.pmid IS NULL THEN d.pmid END) IS NOT NULL AS is_loaded
FROM stated AS s
LEFT JOIN publications AS a ON a.pmid = s.pmid
LEFT JOIN by_doi AS d ON d.doi = s.doi
