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
)
SELECT
    t.trial_id,
    c.published AS public_date,
    leg(
        CASE WHEN c.pmid IS NOT NULL THEN 'PMID ' || c.pmid || coalesce(' of ' || c.published, '')
             WHEN u.trial_id IS NOT NULL
             THEN u.articles || ' result reference(s) of the record not among the loaded articles'
                || coalesce(', first: PMID ' || u.pmid, '') END,
        CASE WHEN c.trial_id IS NOT NULL THEN true WHEN u.trial_id IS NOT NULL THEN NULL ELSE false END,
        coalesce(u.registration_id, t.main_registration_id), 'trial_publications') AS public,
    u.trial_id IS NOT NULL AS has_unseen_result
FROM trials AS t
LEFT JOIN counted AS c USING (trial_id)
LEFT JOIN unseen AS u USING (trial_id)
