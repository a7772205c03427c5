-- What the newest yearly baseline of PubMed changed among the articles of use: against the last state of the year before,
-- its update files included.
WITH links AS (
    SELECT y.is_new, y.pmid, t.trial_id
    FROM yearly_states AS y, unnest(y.numbers) AS u(n)
    JOIN trial_numbers AS t ON t.number = n.number
    WHERE y.is_kept AND NOT n.is_malformed
    UNION
    SELECT y.is_new, y.pmid, r.trial_id
    FROM yearly_states AS y
    JOIN registry_references AS r USING (pmid)
    WHERE y.is_kept AND r.reference_type IN ('result', 'derived')
), linked AS (
    SELECT is_new, pmid, list_sort(list(trial_id)) AS trials FROM links GROUP BY is_new, pmid
), compared AS (
    SELECT
        coalesce(a.file_year, b.file_year) AS file_year,
        coalesce(a.pmid, b.pmid) AS pmid,
        CASE WHEN a.pmid IS NULL THEN 'gone'
             WHEN b.pmid IS NULL THEN 'new'
             WHEN NOT a.is_kept THEN 'no_longer_of_use'
             WHEN NOT b.is_kept THEN 'newly_of_use'
             WHEN (a.version, a.content_hash) <> (b.version, b.content_hash) THEN 'altered' END AS change,
        b.version AS version_before,
        a.version AS version_after,
        list_filter(coalesce(lb.trials, []), lambda t: NOT list_contains(coalesce(la.trials, []), t)) AS trials_lost,
        list_filter(coalesce(la.trials, []), lambda t: NOT list_contains(coalesce(lb.trials, []), t)) AS trials_gained
    FROM (FROM yearly_states WHERE is_new) AS a
    FULL JOIN (FROM yearly_states WHERE NOT is_new) AS b USING (pmid)
    LEFT JOIN linked AS la ON la.is_new AND la.pmid = a.pmid
    LEFT JOIN linked AS lb ON NOT lb.is_new AND lb.pmid = b.pmid
    WHERE coalesce(a.is_kept, false) OR coalesce(b.is_kept, false)
)
SELECT
    c.*,
    c.pmid IN (SELECT pmid FROM cited_pmids) AS is_cited,
    c.pmid IN (SELECT pmid FROM publications) AS is_loaded
FROM compared AS c
WHERE c.change IS NOT NULL
