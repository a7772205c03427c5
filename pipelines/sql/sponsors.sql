-- One row per sponsor, lead or collaborator, and per organisation that one of them belongs to. Names of one sponsor are
-- those that the reviewed mapping says, and those that differ in nothing but their legal form; nothing is guessed.
WITH mapped AS (
    SELECT
        sponsor_id,
        any_value(sponsor) AS name,
        nullif(any_value(parent_id), '') AS parent_id,
        nullif(any_value(ror_id), '') AS ror_id,
        string_agg(DISTINCT proof, '; ' ORDER BY proof) AS mapping_proof
    FROM sponsor_mappings
    GROUP BY sponsor_id
), called AS (
    -- How often a sponsor stands in a registration under each name and class.
    SELECT n.sponsor_id, name, s.class, s.times, s.lead
    FROM sponsor_names AS n
    JOIN (
        SELECT s.name, s.class, count(*) AS times, count(*) FILTER (WHERE s.role = 'lead') AS lead
        FROM registration_lists AS r, unnest(r.sponsors) AS u(s)
        GROUP BY s.name, s.class
    ) AS s USING (name)
    WHERE n.sponsor_id IS NOT NULL
), registered AS (
    SELECT
        sponsor_id,
        arg_max(name, (times, name)) AS name,
        list(name ORDER BY name) AS names,
        CAST(sum(lead) AS BIGINT) AS registrations_led
    FROM (SELECT sponsor_id, name, sum(times) AS times, sum(lead) AS lead FROM called GROUP BY sponsor_id, name)
    GROUP BY sponsor_id
), classed AS (
    SELECT sponsor_id, arg_max(class, (times, class)) AS sponsor_class
    FROM (
        SELECT sponsor_id, class, sum(times) AS times FROM called WHERE class IS NOT NULL GROUP BY sponsor_id, class
    )
    GROUP BY sponsor_id
), every_sponsor AS (
    SELECT sponsor_id FROM registered
    UNION
    SELECT m.parent_id FROM mapped AS m JOIN registered USING (sponsor_id) WHERE m.parent_id IS NOT NULL
)
SELECT
    e.sponsor_id,
    coalesce(m.name, r.name) AS name,
    replace(e.sponsor_id, '-', ' ') AS normalised,
    coalesce(r.names, []) AS names,
    m.parent_id,
    c.sponsor_class,
    m.sponsor_id IS NOT NULL AS is_mapped,
    m.ror_id,
    m.mapping_proof,
    coalesce(r.registrations_led, 0) AS registrations_led
FROM every_sponsor AS e
LEFT JOIN registered AS r USING (sponsor_id)
LEFT JOIN classed AS c USING (sponsor_id)
LEFT JOIN mapped AS m USING (sponsor_id)
