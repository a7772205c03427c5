-- Countries of a registration's sites; a country that the sponsor took out of the record is marked, not dropped.
SELECT
    r.registration_id, n.country, m.trial_id,
    arg_min(c.country, u.ordinal) AS country_source,
    bool_and(n.is_known) AS is_known,
    CAST(max(c.sites) AS BIGINT) AS sites,
    bool_and(coalesce(c.is_removed, false)) AS is_removed,
    arg_min(c.status, u.ordinal) AS status,
    arg_min(c.status_source, u.ordinal) AS status_source,
    arg_min(c.authority, u.ordinal) AS authority,
    min(c.authorised) AS authorised,
    min(c.ethics_decided) AS ethics_decided,
    min(c.started) AS started,
    max(c.ended) AS ended
FROM registration_lists AS r
JOIN trial_members AS m USING (registration_id),
    unnest(r.countries) WITH ORDINALITY AS u(c, ordinal)
JOIN country_names AS n ON n.spelling = c.country
GROUP BY r.registration_id, n.country, m.trial_id
