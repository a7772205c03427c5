-- Results articles, one row per trial: is there one that counts, since when, could we have found it.
WITH counted AS (
    SELECT
        trial_id,
        min(published_earliest) AS published,
        arg_min(pmid, (coalesce(published_earliest, DATE '9999-12-31'), pmid)) AS pmid,
        count(*) AS articles
    FROM trial_publications
    WHERE counts_as_results AND coalesce(published_earliest <= getvariable('as_of'), true)
    GROUP BY trial_id
), unseen AS (
    SELECT trial_id, count(*) AS articles, min(registration_id) AS registration_id, min(pmid) AS pmid
    FROM registry_references
    WHERE reference_type = 'result' AND NOT is_loaded
    GROUP BY trial_id
), shared AS (
    -- An article that names a number which several trials state belongs to one of them; nobody can say to which. Only
    -- one that would count as results of the trial leaves it open: see trial_publications.
    SELECT s.trial_id, min(n.pmid) AS pmid, min(coalesce(p.published_earliest, DATE '0001-01-01')) AS published
    FROM shared_numbers AS s
    JOIN trials AS t USING (trial_id)
    JOIN publication_numbers AS n USING (number)
    JOIN publications AS p USING (pmid)
    LEFT JOIN publication_reach AS r USING (pmid)
    WHERE coalesce(p.published_earliest <= getvariable('as_of'), true)
        AND filtered_by(p.record_kind, p.publication_type_ids, p.publication_types, p.title) IS NULL
        AND NOT p.is_retracted AND NOT p.is_preprint AND NOT coalesce(r.trials_named > 3, false)
        AND coalesce(p.published_latest >= t.start_earliest, true)
        AND coalesce(p.published_latest >= coalesce(t.primary_completion_earliest, t.completion_earliest), true)
    GROUP BY s.trial_id
)
SELECT
    t.trial_id,
    c.published AS public_date,
    leg(
        CASE WHEN c.pmid IS NOT NULL THEN 'PMID ' || c.pmid || coalesce(' of ' || c.published, '')
             WHEN u.trial_id IS NOT NULL
             THEN u.articles || ' result reference(s) of the record not among the loaded articles'
                || coalesce(', first: PMID ' || u.pmid, '')
             WHEN s.trial_id IS NOT NULL
             THEN 'PMID ' || s.pmid || ' names a number that several trials state' END,
        CASE WHEN c.trial_id IS NOT NULL THEN true WHEN u.trial_id IS NULL AND s.trial_id IS NULL THEN false END,
        coalesce(u.registration_id, t.main_registration_id), 'trial_publications') AS public,
    c.pmid,
    -- A result that is not known to be one, and may be the first.
    u.trial_id IS NOT NULL OR (s.trial_id IS NOT NULL AND coalesce(s.published < c.published, true)) AS has_unseen_result
FROM trials AS t
LEFT JOIN counted AS c USING (trial_id)
LEFT JOIN unseen AS u USING (trial_id)
LEFT JOIN shared AS s USING (trial_id)
