-- One row per trial and field on which its registrations contradict each other: two stated values that cannot both be
-- true. What is absent contradicts nothing, and a record that its register replaced by another is no second opinion; nor
-- are the plans of one that never ran, where the trial ran elsewhere (decision 9).
WITH counted AS (
    -- Nearly all trials have one registration; they are left out before anything is spread out and compared.
    SELECT s.*, v.runs, v.never_ran
    FROM trial_sources AS s
    LEFT JOIN vocabulary_recruitment_status AS v ON v.code = s.status
    WHERE s.replaced_by IS NULL AND s.trial_id IN (SELECT trial_id FROM trials WHERE registrations > 1)
), said AS (
    -- Long form. Dates are compared by their bounds, everything else by `word`; without either a value is not compared.
    SELECT registration_id, 'start' AS field, start_type AS type, start_precision AS precision,
        start_earliest AS earliest, start_latest AS latest
    FROM counted WHERE speaks
    UNION ALL BY NAME
    SELECT registration_id, 'primary_completion' AS field, primary_completion_type AS type,
        primary_completion_precision AS precision, primary_completion_earliest AS earliest,
        primary_completion_latest AS latest
    FROM counted WHERE speaks
    UNION ALL BY NAME
    SELECT registration_id, 'completion' AS field, completion_type AS type, completion_precision AS precision,
        completion_earliest AS earliest, completion_latest AS latest
    FROM counted WHERE speaks
    UNION ALL BY NAME
    SELECT registration_id, 'enrolment' AS field, enrolment_type AS type, enrolment,
        CAST(enrolment AS VARCHAR) AS value, value AS word
    FROM counted WHERE speaks
    UNION ALL BY NAME
    -- Registers cut the same course into different words: what counts is whether the trial runs.
    SELECT registration_id, 'status' AS field, status AS value,
        CASE WHEN runs THEN 'runs' WHEN never_ran THEN 'never_ran' WHEN NOT runs THEN 'ended' END AS word
    FROM counted
    UNION ALL BY NAME
    SELECT registration_id, 'phase' AS field, phase AS value, phase AS word FROM counted
    UNION ALL BY NAME
    SELECT registration_id, 'study_type' AS field, study_type AS value, study_type AS word FROM counted
    UNION ALL BY NAME
    -- That a register shows no results is its own word only: what others pass on of it may be older than the results.
    SELECT registration_id, 'has_results' AS field, CAST(has_results AS VARCHAR) AS value,
        CASE WHEN has_results OR last_seen_directly IS NOT NULL THEN value END AS word
    FROM counted
    UNION ALL BY NAME
    -- Private persons have no sponsor_id.
    SELECT registration_id, 'sponsor' AS field, sponsor AS value,
        CASE WHEN sponsor_id IS NOT NULL THEN sponsor_key(sponsor) END AS word
    FROM counted
), stated AS (
    SELECT
        c.trial_id,
        c.place,
        c.vanished_on,
        CASE WHEN NOT list_contains(c.corrected_fields, s.field) THEN coalesce(
            list_filter(c.filled_from_others, lambda f: f.field = s.field)[1].source, c.source) END AS source,
        s.* REPLACE (coalesce(
            s.value,
            left(CAST(s.earliest AS VARCHAR), CASE s.precision WHEN 'year' THEN 4 WHEN 'month' THEN 7 ELSE 10 END)
        ) AS value)
    FROM said AS s
    JOIN counted AS c USING (registration_id)
), comparable AS (
    SELECT *, ' ' || word || ' ' AS padded FROM stated WHERE word IS NOT NULL OR earliest IS NOT NULL
), pairs AS (
    SELECT
        a.trial_id,
        a.field,
        CASE
            WHEN a.field = 'phase' AND list_has_any(
                regexp_extract_all(a.word, '(early_)?phase\d'), regexp_extract_all(b.word, '(early_)?phase\d')
            ) THEN 'overlapping'
            WHEN a.field = 'sponsor' AND (contains(a.padded, b.padded) OR contains(b.padded, a.padded))
            THEN 'overlapping'
            WHEN a.earliest IS NULL AND a.field <> 'enrolment' THEN 'different'
            WHEN a.type IS NULL OR b.type IS NULL THEN 'type_not_stated'
            WHEN a.type <> b.type THEN 'planned_and_actual'
            WHEN a.type = 'actual' THEN 'both_actual'
            ELSE 'both_planned'
        END AS kind,
        greatest(a.earliest - b.latest, b.earliest - a.latest) AS days_apart_min,
        greatest(a.latest - b.earliest, b.latest - a.earliest) AS days_apart_max
    FROM comparable AS a
    JOIN comparable AS b ON a.trial_id = b.trial_id AND a.field = b.field AND a.place < b.place
    WHERE coalesce(a.word <> b.word, a.earliest > b.latest OR b.earliest > a.latest)
), contradictions AS (
    SELECT
        p.trial_id,
        p.field,
        arg_min(p.kind, k.rank) AS kind,
        max(p.days_apart_min) AS days_apart_min,
        max(p.days_apart_max) AS days_apart_max
    FROM pairs AS p
    JOIN vocabulary_discrepancy_kind AS k ON k.code = p.kind
    GROUP BY p.trial_id, p.field
), every_value AS (
    SELECT
        trial_id,
        field,
        min(enrolment) AS enrolment_lowest,
        max(enrolment) AS enrolment_highest,
        list({'registration_id': registration_id, 'value': value, 'type': type, 'source': source,
            'vanished_on': vanished_on} ORDER BY place) AS values
    FROM comparable
    GROUP BY trial_id, field
), chosen AS (
    UNPIVOT (
        SELECT
            trial_id,
            start_from AS start,
            primary_completion_from AS primary_completion,
            completion_from AS completion,
            enrolment_from AS enrolment,
            status_from AS status,
            phase_from AS phase,
            study_type_from AS study_type,
            sponsor_from AS sponsor
        FROM trials
        WHERE registrations > 1
    ) ON * EXCLUDE (trial_id) INTO NAME field VALUE registration_id
    UNION ALL
    -- A trial has results where any registration shows them.
    SELECT trial_id, 'has_results', arg_min(registration_id, place) FROM counted WHERE has_results GROUP BY trial_id
)
SELECT
    d.trial_id,
    d.field,
    d.kind,
    d.days_apart_min,
    d.days_apart_max,
    v.enrolment_lowest,
    v.enrolment_highest,
    v.values,
    s.value AS chosen,
    c.registration_id AS chosen_from
FROM contradictions AS d
JOIN every_value AS v USING (trial_id, field)
LEFT JOIN chosen AS c USING (trial_id, field)
LEFT JOIN stated AS s ON s.registration_id = c.registration_id AND s.field = d.field
