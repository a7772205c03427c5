-- Every number that a registration has or states: its own, obsolete ones, the other numbers of its record, and those its
-- free text names. A value of a register's shape stands under its canonical number; any other as written. is_transition:
-- what a record of the EU's present register gives as the number that the trial had in the former one.
WITH others AS (
    SELECT registration_id, registry, i.value AS written, i.type AS type
    FROM (SELECT registration_id, registry, unnest(identifiers) AS i FROM registration_lists)
), mentions AS (
    SELECT registration_id, unnest(mentions) AS number FROM registration_lists
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
        WHEN s.type IN ('NIH', 'FDA', 'VA', 'CDC', 'AHRQ', 'SAMHSA', 'OTHER_GRANT') THEN 'grant'
        WHEN f.number IS NOT NULL AND f.registry = s.registry THEN 'same_register'
        WHEN f.number IS NOT NULL THEN 'cross_registration'
        WHEN s.type = 'ORG_STUDY_ID' THEN 'sponsor_code'
        ELSE 'other' END,
    CASE WHEN s.type NOT IN ('NIH', 'FDA', 'VA', 'CDC', 'AHRQ', 'SAMHSA', 'OTHER_GRANT') OR s.type IS NULL
        THEN f.registry END,
    coalesce(f.number, trim(s.written)),
    coalesce(s.registry = 'ctis' AND s.type = 'EUDRACT_NUMBER', false)
FROM others AS s
LEFT JOIN number_forms AS f ON f.value = s.written
WHERE nullif(trim(s.written), '') IS NOT NULL
UNION ALL
SELECT m.registration_id, 'text', m.number, 'mention', f.registry, m.number, false
FROM mentions AS m
JOIN number_forms AS f ON f.value = m.number
WHERE m.number <> m.registration_id
