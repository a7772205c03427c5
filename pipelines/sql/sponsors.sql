-- One row per sponsor, lead or collaborator, by its normalised name. No mapping to parents yet: parent is empty.
SELECT
    n.sponsor_id,
    arg_max(n.name, (named.times, n.name)) AS name,
    any_value(n.normalised) AS normalised,
    NULL::VARCHAR AS parent_id,
    arg_max(named.class, (named.times, named.class)) FILTER (WHERE named.class IS NOT NULL) AS sponsor_class,
    'name as registered, without case, accents and punctuation' AS mapping_proof,
    CAST(sum(named.lead) AS BIGINT) AS registrations_led
FROM sponsor_names AS n
JOIN (
    SELECT s.name, s.class, count(*) AS times, count(*) FILTER (WHERE s.role = 'lead') AS lead
    FROM registration_lists AS r, unnest(r.sponsors) AS u(s)
    GROUP BY s.name, s.class
) AS named USING (name)
WHERE n.sponsor_id IS NOT NULL
GROUP BY n.sponsor_id
