-- Primary outcomes that differ between two versions. What is worded alike is the same, and what in the same words came to
-- the other outcomes was demoted, what left them was promoted, however like another primary one it is. Of the rest each old
-- one is paired with the new one that is most like it, where the liking is mutual and strong enough; others were removed or
-- added.
-- A version without any primary outcome is compared with none: registers ask for one, so it was served in a form that
-- does not hold them. The first version of a record of which the register's own history tells is compared with the record
-- as it stands.
WITH compared AS (
    SELECT registration_id, source, part, version, old.outcomes AS old_outcomes, new.outcomes AS new_outcomes
    FROM version_pairs
    UNION ALL
    SELECT registration_id, 'ctgov_history', '', version, old.outcomes, new.outcomes
    FROM first_contents
    WHERE field = 'primary_outcome'
), sides AS (
    SELECT
        registration_id, source, part, version, 'old' AS side, CAST(u.place AS INTEGER) AS place, o.measure, o.time_frame,
        other_outcomes(old_outcomes) AS others_here, other_outcomes(new_outcomes) AS others_elsewhere
    FROM compared, unnest(old_outcomes) WITH ORDINALITY AS u(o, place)
    WHERE o.kind = 'primary' AND o.measure IS NOT NULL AND has_primary(new_outcomes)
    UNION ALL
    SELECT
        registration_id, source, part, version, 'new', CAST(u.place AS INTEGER), o.measure, o.time_frame,
        other_outcomes(new_outcomes), other_outcomes(old_outcomes)
    FROM compared, unnest(new_outcomes) WITH ORDINALITY AS u(o, place)
    WHERE o.kind = 'primary' AND o.measure IS NOT NULL AND has_primary(old_outcomes)
), measures AS (
    SELECT
        *,
        coalesce(folded_words(measure), measure) AS folded,
        coalesce(folded_words(time_frame), '') AS folded_time,
        row_number() OVER (PARTITION BY registration_id, source, part, version, side, folded, folded_time ORDER BY place)
            AS repetition
    FROM sides
), differing AS (
    -- The same measure may stand there twice, at two times: only those are held against each other whose time is gone.
    SELECT
        m.* EXCLUDE (repetition),
        row_number() OVER (
            PARTITION BY m.registration_id, m.source, m.part, m.version, m.side, m.folded ORDER BY m.folded_time, m.place)
            AS repetition
    FROM measures AS m
    ANTI JOIN measures AS o
        ON (o.registration_id, o.source, o.part, o.version, o.folded, o.folded_time, o.repetition)
            = (m.registration_id, m.source, m.part, m.version, m.folded, m.folded_time, m.repetition)
        AND o.side <> m.side
), unlike AS (
    SELECT
        m.*, outcome_words(m.folded, getvariable('common_outcome_words')) AS words,
        -- A measure may stand among the others of both versions as well: it moved where these gained it, or had it at
        -- another time before.
        len(list_filter(m.others_elsewhere, lambda x: x.measure = m.folded))
                > len(list_filter(m.others_here, lambda x: x.measure = m.folded))
            OR len(list_filter(m.others_elsewhere,
                lambda x: x.measure = m.folded AND NOT list_contains(m.others_here, x))) > 0 AS is_moved
    FROM differing AS m
    ANTI JOIN differing AS o
        ON (o.registration_id, o.source, o.part, o.version, o.folded, o.repetition)
            = (m.registration_id, m.source, m.part, m.version, m.folded, m.repetition)
        AND o.side <> m.side
), likings AS (
    SELECT
        a.registration_id, a.source, a.part, a.version, a.place AS old_place, b.place AS new_place,
        round(2 * len(list_intersect(a.words, b.words)) / (len(a.words) + len(b.words)), 3) AS similarity
    FROM unlike AS a
    JOIN unlike AS b USING (registration_id, source, part, version)
    WHERE a.side = 'old' AND b.side = 'new' AND NOT a.is_moved AND NOT b.is_moved
), ranked AS (
    SELECT
        *,
        row_number() OVER (
            PARTITION BY registration_id, source, part, version, old_place
            ORDER BY similarity DESC, abs(old_place - new_place), new_place) AS rank_of_new,
        row_number() OVER (
            PARTITION BY registration_id, source, part, version, new_place
            ORDER BY similarity DESC, abs(old_place - new_place), old_place) AS rank_of_old
    FROM likings
    WHERE similarity >= getvariable('parameter').same_outcome_similarity
), pairs AS (
    SELECT registration_id, source, part, version, old_place, new_place, similarity
    FROM ranked WHERE rank_of_new = 1 AND rank_of_old = 1
), paired AS (
    SELECT
        p.*, a.measure AS old_measure, b.measure AS new_measure, a.time_frame AS old_time, b.time_frame AS new_time,
        p.similarity >= getvariable('parameter').reworded_outcome_similarity
            AND list_sort(regexp_extract_all(a.folded, '[0-9]+')) = list_sort(regexp_extract_all(b.folded, '[0-9]+'))
            AS is_reworded
    FROM pairs AS p
    JOIN unlike AS a
        ON (a.registration_id, a.source, a.part, a.version, a.place, a.side)
            = (p.registration_id, p.source, p.part, p.version, p.old_place, 'old')
    JOIN unlike AS b
        ON (b.registration_id, b.source, b.part, b.version, b.place, b.side)
            = (p.registration_id, p.source, p.part, p.version, p.new_place, 'new')
), same_measure AS (
    SELECT registration_id, source, part, version, new_place AS place, old_time, new_time
    FROM paired WHERE is_reworded
    UNION ALL
    SELECT a.registration_id, a.source, a.part, a.version, b.place, a.time_frame, b.time_frame
    FROM differing AS a
    JOIN differing AS b USING (registration_id, source, part, version, folded, repetition)
    WHERE a.side = 'old' AND b.side = 'new'
)
SELECT
    registration_id, source, part, version, new_place AS place, 'primary_outcome' AS field,
    CASE WHEN is_reworded THEN 'reworded' ELSE 'altered' END AS change,
    old_measure AS old_value, new_measure AS new_value, similarity
FROM paired
UNION ALL
SELECT
    u.registration_id, u.source, u.part, u.version, u.place, 'primary_outcome',
    CASE
        WHEN u.is_moved THEN if(u.side = 'old', 'demoted', 'promoted')
        ELSE if(u.side = 'old', 'removed', 'added') END,
    CASE WHEN u.side = 'old' THEN u.measure END,
    CASE WHEN u.side = 'new' THEN u.measure END,
    NULL
FROM unlike AS u
ANTI JOIN pairs AS p
    ON (p.registration_id, p.source, p.part, p.version) = (u.registration_id, u.source, u.part, u.version)
    AND if(u.side = 'old', p.old_place, p.new_place) = u.place
UNION ALL
SELECT
    registration_id, source, part, version, place, 'primary_outcome_time_frame',
    CASE WHEN old_time IS NULL THEN 'added' WHEN new_time IS NULL THEN 'removed' ELSE 'altered' END,
    old_time, new_time, NULL
FROM same_measure
WHERE folded_words(old_time) IS DISTINCT FROM folded_words(new_time)
