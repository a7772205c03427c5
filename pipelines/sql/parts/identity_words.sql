-- The words that tell a registration from a stranger's, of those that name another one or are named: its sponsors, the
-- telling words of their names and those of its titles. Empty lists are: not stated.
WITH named AS (
    SELECT registration_id FROM named_registrations
    UNION
    SELECT other_id FROM named_registrations
), names AS (
    SELECT registration_id, s.name
    FROM (SELECT registration_id, unnest(sponsors) AS s FROM registration_lists SEMI JOIN named USING (registration_id))
    WHERE NOT coalesce(s.is_person, false)
), sponsoring AS (
    SELECT
        registration_id,
        list_distinct(list(sponsor_key(name))) AS sponsors,
        list_distinct(flatten(list(telling_words(name, getvariable('common_sponsor_words'))))) AS sponsor_words
    FROM names
    GROUP BY registration_id
)
SELECT
    m.registration_id,
    coalesce(s.sponsors, []) AS sponsors,
    coalesce(s.sponsor_words, []) AS sponsor_words,
    list_distinct(telling_words(concat_ws(' ', m.title, m.official_title), getvariable('common_title_words')))
        AS title_words
FROM corrected_registrations AS m
SEMI JOIN named USING (registration_id)
LEFT JOIN sponsoring AS s USING (registration_id)
