-- Countries of a registration's sites; a country that the sponsor took out of the record is marked, not dropped, and so is
-- one that only a page of posted results names.
WITH named AS (
    SELECT r.registration_id, m.trial_id, n.country, n.is_known, c, u.ordinal
    FROM registration_lists AS r
    JOIN trial_members AS m USING (registration_id),
        unnest(r.countries) WITH ORDINALITY AS u(c, ordinal)
    JOIN country_names AS n ON n.spelling = c.country
), with_page AS (
    SELECT DISTINCT registration_id FROM current_records WHERE part = 'results' AND len(countries) > 0
), on_record AS (
    SELECT DISTINCT r.registration_id, n.country
    FROM current_records AS r
    SEMI JOIN with_page USING (registration_id),
        unnest(r.countries) AS u(c)
    JOIN country_names AS n ON n.spelling = c.country
    WHERE r.part <> 'results'
)
SELECT
    n.registration_id, n.country, n.trial_id,
    arg_min(c.country, n.ordinal) AS country_source,
    bool_and(n.is_known) AS is_known,
    CAST(max(c.sites) AS BIGINT) AS sites,
    bool_and(coalesce(c.is_removed, false)) AS is_removed,
    arg_min(c.status, n.ordinal) AS status,
    arg_min(c.status_source, n.ordinal) AS status_source,
    arg_min(c.authority, n.ordinal) AS authority,
    min(c.authorised) AS authorised,
    min(c.ethics_decided) AS ethics_decided,
    min(c.started) AS started,
    max(c.ended) AS ended,
    bool_or(p.registration_id IS NOT NULL AND o.registration_id IS NULL) AS is_from_results
FROM named AS n
LEFT JOIN with_page AS p ON p.registration_id = n.registration_id
LEFT JOIN on_record AS o ON (o.registration_id, o.country) = (n.registration_id, n.country)
GROUP BY n.registration_id, n.country, n.trial_id
