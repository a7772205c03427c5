-- What identity compares of every registration: start, titles, sponsor. Empty lists and NULL are: not stated.
WITH worded AS (
    SELECT *, folded_words(title) AS title_words, folded_words(official_title) AS official_title_words
    FROM corrected_registrations
), keyed AS (
    SELECT name, sponsor_key(name) AS key
    FROM (SELECT DISTINCT sponsor AS name FROM corrected_registrations WHERE NOT coalesce(sponsor_is_person, false))
)
SELECT
    m.registration_id,
    m.registry,
    m.start_earliest,
    m.start_latest,
    m.enrolment,
    CASE WHEN NOT coalesce(m.sponsor_is_person, false) THEN k.key END AS sponsor,
    list_distinct(list_filter([title_key(m.title_words), title_key(m.official_title_words)], lambda t: t IS NOT NULL))
        AS titles,
    regexp_matches(
        nullif(concat_ws(' ', m.title_words, m.official_title_words), ''),
        '\b(extensions?|roll ?over|long ?term follow ?up)\b') AS is_extension,
    coalesce(v.never_ran, false) AS never_ran
FROM worded AS m
LEFT JOIN keyed AS k ON k.name = m.sponsor
LEFT JOIN vocabulary_recruitment_status AS v ON v.code = m.status
