-- The registrations that speak for a trial, in the order in which their values are taken: one that vanished from its
-- register speaks last, one that never ran before it, one that only others pass on before that; else the newest update
-- first, and registers that give no day of update after those that do. A record that the register replaced by another
-- does not speak: a date that the newer record dropped must not come back from it. Nor does one that never ran (speaks)
-- where the trial ran elsewhere: its plans are no dates of the trial.
-- Completion dates have an order of their own (decision 9): the end of the trial on posted EU results, then the most
-- recently updated actual date of ClinicalTrials.gov or DRKS, then that of another register, then the latest date that
-- is still expected or does not say. So does an end in the former EU register while the trial runs, by another country's
-- record there or by its record in CTIS.
WITH several AS (
    SELECT trial_id FROM registrations GROUP BY trial_id HAVING count(*) > 1
), counted AS (
    SELECT
        r.trial_id, r.registration_id, r.replaced_by,
        vanished_on IS NOT NULL AS has_vanished,
        coalesce(v.never_ran, false) AS never_ran,
        last_seen_directly IS NULL AS is_passed_on,
        coalesce(last_update_posted, last_update_submitted) AS last_update,
        completion_order(registry, has_results, primary_completion_type) AS primary_order,
        primary_completion_latest,
        CASE
            WHEN registry = 'euctr' AND NOT coalesce(has_results, false) AND (
                coalesce(v.runs, false)
                OR bool_or(registry = 'ctis' AND coalesce(v.runs, false) AND vanished_on IS NULL)
                    OVER (PARTITION BY trial_id))
            THEN 3
            ELSE completion_order(registry, has_results, completion_type) END AS end_order,
        completion_latest,
        count(*) FILTER (WHERE replaced_by IS NULL) OVER (PARTITION BY trial_id) AS speaking,
        count(*) FILTER (WHERE replaced_by IS NULL AND v.runs IS NOT NULL AND NOT v.never_ran)
            OVER (PARTITION BY trial_id) AS running
    FROM registrations AS r
    LEFT JOIN vocabulary_recruitment_status AS v ON v.code = r.status
    WHERE trial_id IN (FROM several)
), places AS (
    SELECT
        registration_id,
        NOT (never_ran AND running > 0) AS speaks,
        row_number() OVER (
            PARTITION BY trial_id
            ORDER BY has_vanished, never_ran, is_passed_on, last_update DESC NULLS LAST, registration_id) AS place,
        row_number() OVER (
            PARTITION BY trial_id
            ORDER BY primary_completion_latest IS NULL, has_vanished, never_ran, primary_order,
                CASE WHEN primary_order < 3 THEN last_update ELSE primary_completion_latest END DESC NULLS LAST,
                registration_id)
            AS primary_place,
        row_number() OVER (
            PARTITION BY trial_id
            ORDER BY completion_latest IS NULL, has_vanished, never_ran, end_order,
                CASE WHEN end_order < 3 THEN last_update ELSE completion_latest END DESC NULLS LAST,
                registration_id) AS end_place
    FROM counted
    WHERE replaced_by IS NULL OR speaking = 0
)
SELECT registration_id, 1 AS place, 1 AS primary_place, 1 AS end_place, true AS is_alone, true AS speaks
FROM registrations
WHERE trial_id NOT IN (FROM several)
UNION ALL BY NAME
SELECT *, false AS is_alone FROM places
