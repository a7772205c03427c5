-- Which registrations are one trial: here only a register's own word that one number replaced another.
SELECT DISTINCT r.registration_id, a.alias AS other_id, 'alias' AS method
FROM registration_lists AS r, unnest(r.aliases) AS a(alias)
JOIN registration_lists AS o ON o.registration_id = a.alias
WHERE a.alias <> r.registration_id
