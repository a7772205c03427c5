-- Which loaded registration names which other one, and where: by its number, or by one that the register has replaced.
WITH numbers AS (
    SELECT registration_id AS number, registration_id FROM registration_lists
    UNION ALL
    SELECT s.number, min(s.registration_id) FROM stated_numbers AS s
    WHERE s.kind = 'alias' AND s.number NOT IN (SELECT registration_id FROM registration_lists)
    GROUP BY s.number HAVING count(DISTINCT s.registration_id) = 1
)
SELECT
    s.registration_id,
    n.registration_id AS other_id,
    arg_min(s.field, (s.field, s.written)) AS field,
    arg_min(s.written, (s.field, s.written)) AS written,
    bool_or(s.kind = 'alias') AS is_alias,
    bool_and(s.kind = 'mention') AS is_mention,
    bool_or(s.is_transition) AS is_transition
FROM stated_numbers AS s
JOIN numbers AS n USING (number)
WHERE s.kind IN ('alias', 'cross_registration', 'same_register', 'mention') AND n.registration_id <> s.registration_id
    AND s.number NOT IN (SELECT number FROM placeholder_numbers)
GROUP BY s.registration_id, n.registration_id
