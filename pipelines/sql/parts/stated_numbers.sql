-- Every number that a registration has or states: its own, obsolete ones, the other numbers of its record, and those its
-- free text names. A value of a register's shape stands under its canonical number; any other as written: where a field
-- for numbers holds a text that names one (`Sub-study of ...`), the text stands as written and the number as a mention.
-- is_transition: what a record of the EU's present register gives as the number that the trial had in the former one.
WITH others AS (
    SELECT
        registration_id, registry, i.value AS written, i.type AS type,
        coalesce(i.type IN ('NIH', 'FDA', 'VA', 'CDC', 'AHRQ', 'SAMHSA', 'OTHER_GRANT'), false) AS is_grant
    FROM (SELECT registration_id, registry, unnest(identifiers) AS i FROM registration_lists)
), mentions AS (
    SELECT registration_id, 'text' AS field, unnest(mentions) AS written FROM registration_lists
    UNION ALL
    SELECT o.registration_id, 'identifiers', o.written
    FROM others AS o
    JOIN number_forms AS f ON f.value = o.written AND NOT f.is_number
    WHERE NOT o.is_grant
)
SELECT registration_id, 'registration_id' AS field, registration_id AS written, 'registration' AS kind, registry,
    registration_id AS number, false AS is_transition
FROM registration_lists
UNION ALL
SELECT registration_id, 'aliases', unnest(aliases) AS alias, 'alias', registry, alias, false
FROM registration_lists
UNION ALL
SELECT
    s.registration_id,
    'identifiers',
    s.written,
    CASE
        WHEN s.is_grant THEN 'grant'
        WHEN f.number IS NOT NULL AND f.registry = s.registry THEN 'same_register'
        WHEN f.number IS NOT NULL THEN 'cross_registration'
        WHEN s.type = 'ORG_STUDY_ID' THEN 'sponsor_code'
        ELSE 'other' END,
    CASE WHEN NOT s.is_grant THEN f.registry END,
    coalesce(f.number, trim(s.written)),
    coalesce(s.registry = 'ctis' AND s.type = 'EUDRACT_NUMBER', false)
FROM others AS s
LEFT JOIN number_forms AS f ON f.value = s.written AND f.is_number
WHERE nullif(trim(s.written), '') IS NOT NULL
UNION ALL
SELECT m.registration_id, m.field, m.written, 'mention', f.registry, f.number, false
FROM mentions AS m
JOIN number_forms AS f ON f.value = m.written
WHERE f.number <> m.registration_id
