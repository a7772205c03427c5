-- Every spelling of a country that a record uses, and the name that it stands for; an unknown one stands for itself.
WITH written AS (
    SELECT DISTINCT c.country AS spelling FROM registration_lists AS r, unnest(r.countries) AS u(c) WHERE c.country IS NOT NULL
), listed AS (
    SELECT DISTINCT folded_words(spelling) AS key, name FROM country_list
)
SELECT w.spelling, coalesce(l.name, w.spelling) AS country, l.name IS NOT NULL AS is_known
FROM written AS w
LEFT JOIN listed AS l ON l.key = folded_words(w.spelling)
