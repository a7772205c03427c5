-- Articles that may report a trial and name no number at all: the article has the trial's title, or its title holds the
-- sponsor's code and a telling word of the sponsor's name. Exact, and only what few trials share: a candidate, no link.
WITH nameless AS (
    SELECT pmid, title, published_latest, title_key(folded_words(title)) AS title_key
    FROM publications AS p
    ANTI JOIN publication_numbers AS n USING (pmid)
    WHERE p.record_kind = 'article' AND p.title IS NOT NULL
), trial_titles AS (
    SELECT m.trial_id, min(f.registration_id) AS registration_id, f.title_key
    FROM (SELECT registration_id, unnest(titles) AS title_key FROM identity_facts) AS f
    JOIN trial_members AS m USING (registration_id)
    WHERE length(f.title_key) >= getvariable('parameter').telling_title_length
    GROUP BY m.trial_id, f.title_key
    QUALIFY count(*) OVER (PARTITION BY f.title_key) <= getvariable('parameter').telling_trials
), trial_codes AS (
    SELECT
        m.trial_id, s.registration_id, regexp_replace(upper(s.number), '[^A-Z0-9]', '', 'g') AS code,
        telling_words(r.sponsor, getvariable('common_sponsor_words')) AS sponsor_words
    FROM stated_numbers AS s
    JOIN trial_members AS m USING (registration_id)
    JOIN corrected_registrations AS r USING (registration_id)
    WHERE s.kind = 'sponsor_code' AND NOT coalesce(r.sponsor_is_person, false)
        AND length(code) >= getvariable('parameter').telling_code_length
        AND regexp_matches(code, '[A-Z]') AND regexp_matches(code, '[0-9]')
    -- The country records of one registration, and its other registrations, state one code each for themselves.
    QUALIFY count(DISTINCT m.trial_id) OVER (PARTITION BY code) <= getvariable('parameter').telling_trials
), article_codes AS (
    SELECT
        pmid, published_latest, telling_words(title, []::VARCHAR[]) AS words,
        regexp_replace(unnest(regexp_extract_all(upper(title), '[A-Z0-9]+([-/.][A-Z0-9]+)*')), '[^A-Z0-9]', '', 'g') AS code
    FROM nameless
    WHERE regexp_matches(title, '[0-9]')
), found AS (
    SELECT t.trial_id, a.pmid, 'equal_title' AS method, t.registration_id, a.published_latest
    FROM nameless AS a
    JOIN trial_titles AS t USING (title_key)
    UNION
    SELECT t.trial_id, a.pmid, 'sponsor_code', t.registration_id, a.published_latest
    FROM article_codes AS a
    JOIN trial_codes AS t ON t.code = a.code AND len(list_intersect(t.sponsor_words, a.words)) > 0
)
SELECT f.trial_id, f.pmid, f.method, min(f.registration_id) AS registration_id
FROM found AS f
JOIN trials AS t USING (trial_id)
WHERE (f.published_latest >= t.start_earliest) IS NOT FALSE
GROUP BY f.trial_id, f.pmid, f.method
