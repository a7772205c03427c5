-- Evidence that is too weak to join two registrations and worth a look: one results article names both, they share the
-- sponsor's code, or their titles agree in two registers together with start, sponsor and enrolment. Only pairs that no
-- stronger evidence speaks of and that are not one trial.
WITH named AS (
    SELECT DISTINCT n.pmid, n.number AS registration_id
    FROM publication_numbers AS n
    JOIN publication_reach AS r USING (pmid)
    JOIN publications AS p USING (pmid)
    WHERE n.section IN ('abstract', 'data_bank') AND r.trials_named <= 3 AND NOT p.is_retracted
        AND n.number IN (SELECT registration_id FROM identity_facts)
), by_article AS (
    SELECT
        a.registration_id, b.registration_id AS other_id, 'one_publication' AS method,
        'PMID ' || min(a.pmid) AS value, 'PMID ' || min(a.pmid) AS other_value
    FROM named AS a
    JOIN named AS b ON a.pmid = b.pmid AND a.registration_id < b.registration_id
    GROUP BY ALL
), titles AS (
    SELECT * EXCLUDE (titles), unnest(titles) AS title FROM identity_facts
), telling AS (
    SELECT title FROM titles GROUP BY title HAVING count(DISTINCT registration_id) BETWEEN 2 AND 4
), by_title AS (
    SELECT a.registration_id, b.registration_id AS other_id, 'equal_title' AS method, a.title AS value, b.title AS other_value
    FROM titles AS a
    JOIN telling USING (title)
    JOIN titles AS b ON b.title = a.title AND b.registration_id > a.registration_id AND b.registry <> a.registry
    WHERE starts_agree(a, b) IS NOT FALSE AND (a.sponsor = b.sponsor) IS NOT FALSE
        AND enrolments_agree(a, b) IS NOT FALSE
), agreeing AS (
    SELECT a.registration_id, b.registration_id AS other_id, a.titles, b.titles AS other_titles
    FROM identity_facts AS a
    JOIN identity_facts AS b ON b.sponsor = a.sponsor AND b.enrolment = a.enrolment AND b.registry <> a.registry
        AND b.registration_id > a.registration_id
    WHERE starts_agree(a, b)
), agreeing_titles AS (
    SELECT registration_id, other_id, value, unnest(other_titles) AS other_value
    FROM (SELECT registration_id, other_id, unnest(titles) AS value, other_titles FROM agreeing)
), by_similar_title AS (
    SELECT registration_id, other_id, 'similar_title' AS method, value, other_value
    FROM agreeing_titles
    WHERE value <> other_value AND jaro_winkler_similarity(value, other_value) >= 0.9
), every_pair AS (
    SELECT * FROM by_article
    UNION ALL BY NAME
    SELECT registration_id, other_id, 'shared_code' AS method, value, other_value FROM shared_codes
    UNION ALL BY NAME
    SELECT registration_id, other_id, method, min(value) AS value, min(other_value) AS other_value
    FROM by_title GROUP BY ALL
    UNION ALL BY NAME
    SELECT registration_id, other_id, method, min(value) AS value, min(other_value) AS other_value
    FROM by_similar_title AS s ANTI JOIN by_title AS t USING (registration_id, other_id) GROUP BY ALL
)
SELECT
    p.registration_id, p.other_id, p.method, p.value, p.other_value,
    CASE
        WHEN j.adjudication_id IS NOT NULL THEN 'separated'
        ELSE identity_veto(a, b) END AS veto
FROM every_pair AS p
JOIN identity_facts AS a USING (registration_id)
JOIN identity_facts AS b ON b.registration_id = p.other_id
JOIN trial_members AS m ON m.registration_id = p.registration_id
JOIN trial_members AS o ON o.registration_id = p.other_id
LEFT JOIN (
    SELECT least(registration_id, other_id) AS low, greatest(registration_id, other_id) AS high,
        min(adjudication_id) AS adjudication_id
    FROM adjudication_list WHERE decision = 'separate' GROUP BY ALL
) AS j ON j.low = p.registration_id AND j.high = p.other_id
ANTI JOIN registration_edges AS e ON e.registration_id = p.registration_id AND e.other_id = p.other_id
WHERE m.trial_id <> o.trial_id
