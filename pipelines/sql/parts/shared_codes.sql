-- Pairs of registrations in two registers with one sponsor's code and that sponsor. Within one register a code that two
-- records share is a grant or a programme, and so is one that more than four records share anywhere.
WITH codes AS (
    SELECT DISTINCT
        s.registration_id, f.registry, f.sponsor,
        regexp_replace(upper(s.number), '[^A-Z0-9]', '', 'g') AS code,
        s.number
    FROM stated_numbers AS s
    JOIN identity_facts AS f USING (registration_id)
    WHERE s.kind IN ('sponsor_code', 'other') AND s.registry IS NULL AND f.sponsor IS NOT NULL
), telling AS (
    SELECT sponsor, code
    FROM codes
    WHERE length(code) >= 5 AND regexp_matches(code, '[1-9]')
    GROUP BY sponsor, code
    HAVING count(DISTINCT registration_id) BETWEEN 2 AND 4
)
SELECT a.registration_id, b.registration_id AS other_id, min(a.number) AS value, min(b.number) AS other_value
FROM codes AS a
JOIN telling AS t ON t.code = a.code AND t.sponsor = a.sponsor
JOIN codes AS b ON b.code = a.code AND b.sponsor = a.sponsor AND a.registration_id < b.registration_id
    AND a.registry <> b.registry
GROUP BY a.registration_id, b.registration_id
