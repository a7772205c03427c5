-- Every number by which a trial is known: its registrations, their obsolete numbers, and the other numbers they state.
-- A value of a registry's shape stands under its canonical number; any other as written.
WITH stated AS (
    SELECT registration_id, registration_id AS written, 'registration' AS kind, registry, registration_id AS number
    FROM registration_lists
    UNION ALL
    SELECT r.registration_id, a.alias, 'alias', r.registry, a.alias
    FROM registration_lists AS r, unnest(r.aliases) AS a(alias)
    UNION ALL
    SELECT
        r.registration_id,
        i.value,
        CASE
            WHEN i.type IN ('NIH', 'FDA', 'VA', 'CDC', 'AHRQ', 'SAMHSA', 'OTHER_GRANT') THEN 'grant'
            WHEN f.number IS NOT NULL AND f.registry = r.registry THEN 'same_register'
            WHEN f.number IS NOT NULL THEN 'cross_registration'
            WHEN i.type = 'ORG_STUDY_ID' THEN 'sponsor_code'
            ELSE 'other' END,
        CASE WHEN i.type NOT IN ('NIH', 'FDA', 'VA', 'CDC', 'AHRQ', 'SAMHSA', 'OTHER_GRANT') OR i.type IS NULL
            THEN f.registry END,
        coalesce(f.number, trim(i.value))
    FROM registration_lists AS r, unnest(r.identifiers) AS u(i)
    LEFT JOIN number_forms AS f ON f.value = i.value
    WHERE nullif(trim(i.value), '') IS NOT NULL
)
SELECT
    s.number,
    s.kind,
    m.trial_id,
    s.registration_id AS seen_in,
    any_value(s.registry) AS registry,
    min(s.written) AS written
FROM stated AS s
JOIN trial_members AS m USING (registration_id)
GROUP BY s.number, s.kind, m.trial_id, s.registration_id
