-- Whether each trial has a site in the United Kingdom, and sites nowhere else, by the countries that its registrations
-- name. A country that was taken off the record was one of them once.
SELECT
    t.trial_id,
    CASE
        WHEN bool_or(c.country = 'United Kingdom' AND NOT c.is_removed) THEN true
        WHEN count(c.country) > 0 THEN false END AS has_site,
    coalesce(bool_and(c.country = 'United Kingdom'), false) AS is_only_there,
    coalesce(
        arg_min(c.registration_id, c.registration_id) FILTER (WHERE c.country = 'United Kingdom'),
        min(c.registration_id)) AS registration_id,
    CASE WHEN count(c.country) > 0 THEN count(DISTINCT c.country) || ' countries named' END AS named
FROM trials AS t
LEFT JOIN registration_countries AS c USING (trial_id)
GROUP BY t.trial_id
