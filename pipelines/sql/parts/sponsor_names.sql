-- Every sponsor name as registered, with its normalised form and the key made of it.
-- Private persons share one neutral label and get no key: they are nobody to rank or count.
WITH names AS (
    SELECT DISTINCT s.name, s.is_person FROM registration_lists AS r, unnest(r.sponsors) AS u(s) WHERE s.name IS NOT NULL
    UNION
    SELECT value, false FROM adjudication_list WHERE decision = 'correct' AND field = 'sponsor' AND value IS NOT NULL
), folded AS (
    SELECT
        name,
        bool_or(is_person) AS is_person,
        trim(regexp_replace(lower(strip_accents(name)), '[^\p{L}\p{N}]+', ' ', 'g')) AS folded
    FROM names
    GROUP BY name
)
SELECT
    name,
    nullif(folded, '') AS normalised,
    CASE WHEN NOT is_person THEN coalesce(nullif(replace(folded, ' ', '-'), ''), md5(name)) END AS sponsor_id
FROM folded
