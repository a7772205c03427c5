-- Whether each trial has a site in the United Kingdom, and sites nowhere else, by the countries that its registrations
-- name, and when it was approved there. A country that was taken off the record was one of them once; one that refused the
-- trial never was. What a page of posted results alone names leaves it open: trials without results have no such page,
-- and a share of the two together would tell more of the page than of the trials.
WITH named AS (
    SELECT
        c.*,
        r.registry,
        c.country = 'United Kingdom' AND has_sites(false, c.status) AS is_uk
    FROM registration_countries AS c
    JOIN registrations AS r USING (registration_id, trial_id)
)
SELECT
    t.trial_id,
    CASE
        WHEN bool_or(c.is_uk AND NOT c.is_removed AND NOT c.is_from_results) THEN true
        WHEN bool_or(c.is_uk AND NOT c.is_removed) THEN NULL
        WHEN count(c.country) FILTER (WHERE NOT c.is_removed) > 0 THEN false END AS has_site,
    coalesce(bool_and(c.country = 'United Kingdom'), false) AS is_only_there,
    min(c.authorised) FILTER (WHERE c.is_uk) AS authorised,
    arg_min(c.registration_id, (c.authorised, c.registration_id)) FILTER (WHERE c.is_uk AND c.authorised IS NOT NULL)
        AS authorised_from,
    -- The EU register took the UK's own records until it left the EU.
    min(c.registration_id) FILTER (WHERE c.is_uk AND c.registry = 'euctr' AND c.status_source IS NOT NULL) AS eu_record,
    coalesce(
        min(c.registration_id) FILTER (WHERE c.is_uk),
        min(c.registration_id)) AS registration_id,
    CASE WHEN count(c.country) > 0 THEN count(DISTINCT c.country) || ' countries named' END AS named
FROM trials AS t
LEFT JOIN named AS c USING (trial_id)
GROUP BY t.trial_id
