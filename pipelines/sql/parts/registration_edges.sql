-- Evidence that two registrations are one trial, as far as it can join them: a pair stands here once, by the strongest
-- method. `held` says why it is no more than a candidate, `veto` why it must not join; the rest is for the union, which
-- knows the clusters. registration_id comes before other_id in the order of text.
WITH pairs AS (
    SELECT
        least(registration_id, other_id) AS registration_id,
        greatest(registration_id, other_id) AS other_id,
        bool_or(is_alias) AS is_alias,
        bool_or(registration_id < other_id AND NOT is_mention) AS names,
        bool_or(registration_id > other_id AND NOT is_mention) AS is_named,
        bool_or(is_mention) AS is_mentioned,
        bool_or(is_transition) AS is_transition,
        min(other_id) FILTER (WHERE is_alias) AS replaced,
        any_value(field) FILTER (WHERE registration_id < other_id) AS field,
        any_value(written) FILTER (WHERE registration_id < other_id) AS value,
        any_value(field) FILTER (WHERE registration_id > other_id) AS other_field,
        any_value(written) FILTER (WHERE registration_id > other_id) AS other_value
    FROM named_registrations
    GROUP BY ALL
), universal AS (
    -- A trial has one number in each register: more than three in one are more than three trials.
    SELECT
        number,
        list_sort(flatten(list(registrations))) AS registrations,
        CASE
            WHEN number IN (SELECT number FROM placeholder_numbers) THEN 'placeholder'
            WHEN max(len(registrations)) > 3 THEN 'umbrella' END AS veto
    FROM (
        SELECT s.number, f.registry, list(DISTINCT s.registration_id) AS registrations
        FROM stated_numbers AS s
        JOIN identity_facts AS f USING (registration_id)
        WHERE s.registry = 'utn' AND s.kind <> 'mention'
        GROUP BY s.number, f.registry
    )
    GROUP BY number
    HAVING sum(len(registrations)) > 1
), by_universal_number AS (
    -- All pairs that share a number; of one that joins nobody only neighbours, to show the veto.
    SELECT
        u.registrations[i] AS registration_id,
        u.registrations[j] AS other_id,
        arg_min(u.number, (u.veto IS NOT NULL, u.number)) AS number,
        arg_min_null(u.veto, (u.veto IS NOT NULL, u.number)) AS veto
    FROM universal AS u,
        unnest(range(1, len(u.registrations))) AS x(i),
        unnest(range(i + 1, CASE WHEN u.veto IS NULL THEN len(u.registrations) + 1 ELSE i + 2 END)) AS y(j)
    GROUP BY ALL
), every_pair AS (
    SELECT
        *,
        CASE
            WHEN is_alias THEN 'alias'
            WHEN names AND is_named THEN 'names_each_other'
            WHEN names OR is_named THEN 'named'
            ELSE 'mentioned' END AS method,
        NULL AS veto
    FROM pairs
    UNION ALL BY NAME
    SELECT
        registration_id, other_id, 'universal_number' AS method, veto,
        'identifiers' AS field, number AS value, 'identifiers' AS other_field, number AS other_value
    FROM by_universal_number
    UNION ALL BY NAME
    SELECT
        least(registration_id, other_id) AS registration_id, greatest(registration_id, other_id) AS other_id,
        'adjudicated' AS method, 'adjudications' AS field, adjudication_id AS value
    FROM adjudication_list
    WHERE decision = 'join' AND registration_id IN (SELECT registration_id FROM identity_facts)
        AND other_id IN (SELECT registration_id FROM identity_facts)
), compared AS (
    SELECT
        p.*,
        a.registry = b.registry AS is_same_register,
        CASE WHEN a.never_ran AND NOT b.never_ran THEN p.registration_id
             WHEN b.never_ran AND NOT a.never_ran THEN p.other_id END AS never_ran,
        c.registration_id IS NOT NULL AS has_shared_code,
        len(list_intersect(a.titles, b.titles)) > 0 AS has_equal_title,
        identity_veto(a, b) AS pair_veto,
        identity_dissimilar(v, w) AS is_dissimilar
    FROM every_pair AS p
    JOIN identity_facts AS a USING (registration_id)
    JOIN identity_facts AS b ON b.registration_id = p.other_id
    LEFT JOIN identity_words AS v ON v.registration_id = p.registration_id
    LEFT JOIN identity_words AS w ON w.registration_id = p.other_id
    LEFT JOIN shared_codes AS c ON c.registration_id = p.registration_id AND c.other_id = p.other_id
), classed AS (
    SELECT
        * REPLACE (CASE
            WHEN is_transition AND method = 'named' THEN 'transition'
            WHEN method = 'mentioned' AND NOT is_same_register AND (has_shared_code OR has_equal_title)
                THEN 'mentioned_and_alike'
            WHEN is_same_register AND method = 'names_each_other' AND never_ran IS NOT NULL THEN 'registered_again'
            ELSE method END AS method)
    FROM compared
), taken_over AS (
    -- silent: the one that the other took the place of; its dates, its title and its number no longer count.
    SELECT *, CASE method WHEN 'alias' THEN replaced WHEN 'registered_again' THEN never_ran END AS silent
    FROM classed
), silent AS (
    SELECT DISTINCT silent AS registration_id FROM taken_over WHERE silent IS NOT NULL
)
SELECT
    registration_id, other_id, method, field, value, other_field, other_value,
    names IS TRUE AS names, is_named IS TRUE AS is_named,
    silent,
    CASE
        WHEN method IN ('adjudicated', 'alias', 'registered_again') THEN NULL
        WHEN is_same_register THEN 'same_register'
        WHEN method = 'mentioned' THEN 'free_text_alone' END AS held,
    CASE
        WHEN method IN ('adjudicated', 'alias', 'registered_again') THEN NULL
        WHEN veto IS NOT NULL THEN veto
        WHEN registration_id IN (FROM silent) OR other_id IN (FROM silent) THEN NULL
        WHEN pair_veto IS NOT NULL THEN pair_veto
        WHEN method = 'named' AND NOT is_mentioned AND is_dissimilar THEN 'dissimilar' END AS veto
FROM taken_over
