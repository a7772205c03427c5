-- Registrations of which the register itself shows that a private person sponsors them, and what each source passes on of
-- them: there the same name may stand without a sign that it is a person's.
WITH personal AS (
    SELECT DISTINCT r.registration_id
    FROM version_spans AS s
    JOIN staged_registrations AS r USING (file, record_number)
    JOIN source_terms AS t ON t.source = s.source AND t.registry = r.registry
    WHERE s.is_current AND r.sponsor_is_person
)
SELECT DISTINCT s.registration_id, s.source
FROM version_spans AS s
SEMI JOIN personal USING (registration_id)
JOIN staged_registrations AS r USING (file, record_number)
JOIN source_terms AS t ON t.source = s.source
WHERE t.registry IS DISTINCT FROM r.registry
