-- What a record of ClinicalTrials.gov said at first and says now, of each field of which its own history tells the first
-- content and with which version it changed last. In between it may have changed several times: that lies between the
-- first version that touched the part of the record in which the field stands, and the last one.
WITH told AS (
    FROM record_histories WHERE version IS NOT NULL AND date IS NOT NULL
), parts AS (
    FROM (VALUES ('primary_outcome', 'Outcome Measures'), ('enrolment', 'Study Design')) AS p(field, module)
), changed AS (
    SELECT registration_id, version, date, unnest(last_changed) AS field FROM told WHERE version > 0
), touched AS (
    SELECT t.registration_id, p.field, min(t.date) AS date
    FROM told AS t
    JOIN parts AS p ON list_contains(t.modules, p.module)
    WHERE t.version > 0
    GROUP BY ALL
)
SELECT
    f.registration_id,
    c.version,
    c.field,
    -- Where no version is said to have touched that part, the first one is all that is known.
    least(coalesce(t.date - 1, f.date), c.date - 1) AS changed_after,
    c.date AS changed_by,
    {'outcomes': f.outcomes, 'enrolment': f.enrolment, 'enrolment_type': f.enrolment_type} AS old,
    f.now AS new
FROM told AS f
JOIN changed AS c USING (registration_id)
LEFT JOIN touched AS t ON t.registration_id = c.registration_id AND t.field = c.field
WHERE f.version = 0
