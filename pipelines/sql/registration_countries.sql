-- Countries of a registration's sites; a country that the sponsor took out of the record is marked, not dropped.
SELECT
    r.registration_id, c.country, m.trial_id,
    CAST(max(c.sites) AS BIGINT) AS sites,
    bool_and(c.is_removed) AS is_removed
FROM current_records AS r
JOIN trial_members AS m USING (registration_id),
    unnest(r.countries) AS u(c)
WHERE c.country IS NOT NULL
GROUP BY r.registration_id, c.country, m.trial_id
