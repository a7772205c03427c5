-- Every sponsor name as registered, and the sponsor it names: the one that the reviewed mapping gives for the whole name,
-- else for the name without its legal form, else that shorter name itself.
-- Private persons share one neutral label and get no key: they are nobody to rank or count.
WITH names AS (
    SELECT DISTINCT s.name, s.is_person FROM registration_lists AS r, unnest(r.sponsors) AS u(s) WHERE s.name IS NOT NULL
    UNION
    SELECT value, false FROM adjudication_list WHERE decision = 'correct' AND field = 'sponsor' AND value IS NOT NULL
), folded AS (
    SELECT name, bool_or(is_person) AS is_person, folded_words(name) AS whole, coalesce(sponsor_key(name), whole) AS short
    FROM names
    GROUP BY name
)
SELECT
    f.name,
    CASE WHEN NOT f.is_person
        THEN coalesce(w.sponsor_id, s.sponsor_id, replace(f.short, ' ', '-'), md5(f.name)) END AS sponsor_id
FROM folded AS f
LEFT JOIN sponsor_mappings AS w ON w.name_key = f.whole
LEFT JOIN sponsor_mappings AS s ON s.name_key = f.short
