-- What is known of each condition and intervention: completed trials with results anywhere, with none found, and those of
-- which nothing can be said. A trial counts once in each of its pairs, once in each row of one condition or intervention
-- as a whole, '(all)', and once in the row of all; so pairs do not sum, and the three groups of a row do.
WITH judged AS MATERIALIZED (
    -- Short numbers instead of words: millions of pairs are held at once.
    SELECT
        CAST(row_number() OVER () AS UINTEGER) AS number,
        s.trial_id,
        CAST(CASE WHEN s.completion = 'completed' THEN s.results ELSE s.completion || ' completion' END AS ENUM (
            'found', 'none_found', 'cannot_judge', 'not_completed completion', 'cannot_judge completion')) AS state,
        CAST(coalesce(t.enrolment_type, 'unknown') AS ENUM ('actual', 'estimated', 'unknown')) AS enrolment_type,
        t.enrolment
    FROM trial_standings AS s
    JOIN trials AS t USING (trial_id)
    WHERE s.completion <> 'outside'
), condition_words AS MATERIALIZED (
    SELECT CAST(row_number() OVER () AS UINTEGER) AS condition, concept, max(mesh_term) AS mesh_term
    FROM conditions WHERE concept IS NOT NULL GROUP BY concept
), intervention_words AS MATERIALIZED (
    SELECT CAST(row_number() OVER () AS UINTEGER) AS intervention, concept, max(mesh_term) AS mesh_term
    FROM interventions WHERE concept IS NOT NULL GROUP BY concept
), stated_conditions AS (
    SELECT DISTINCT c.trial_id, w.condition FROM conditions AS c JOIN condition_words AS w USING (concept)
), stated_interventions AS (
    SELECT DISTINCT i.trial_id, w.intervention FROM interventions AS i JOIN intervention_words AS w USING (concept)
), of_condition AS MATERIALIZED (
    -- 0 is what the record does not say.
    SELECT j.number, coalesce(c.condition, 0) AS condition FROM judged AS j LEFT JOIN stated_conditions AS c USING (trial_id)
), of_intervention AS MATERIALIZED (
    SELECT j.number, coalesce(i.intervention, 0) AS intervention
    FROM judged AS j LEFT JOIN stated_interventions AS i USING (trial_id)
), counted_once AS (
    -- NULL is all.
    SELECT number, condition, intervention FROM of_condition JOIN of_intervention USING (number)
    UNION ALL BY NAME
    SELECT number, condition FROM of_condition
    UNION ALL BY NAME
    SELECT number, intervention FROM of_intervention
    UNION ALL BY NAME
    SELECT number FROM judged
), gaps AS (
    SELECT
        o.condition, o.intervention,
        count(*) AS trials,
        count_if(state IN ('found', 'none_found', 'cannot_judge')) AS completed,
        count_if(state = 'found') AS with_results,
        count_if(state = 'none_found') AS none_found,
        count_if(state = 'cannot_judge') AS cannot_judge,
        count_if(state = 'not_completed completion') AS not_completed,
        count_if(state = 'cannot_judge completion') AS completion_unclear,
        sum(enrolment) FILTER (WHERE state = 'found' AND enrolment_type = 'actual') AS with_results_actual,
        sum(enrolment) FILTER (WHERE state = 'found' AND enrolment_type = 'estimated') AS with_results_planned,
        sum(enrolment) FILTER (WHERE state = 'found' AND enrolment_type = 'unknown') AS with_results_unknown,
        count_if(state = 'found' AND enrolment IS NULL) AS with_results_unstated,
        sum(enrolment) FILTER (WHERE state = 'none_found' AND enrolment_type = 'actual') AS none_found_actual,
        sum(enrolment) FILTER (WHERE state = 'none_found' AND enrolment_type = 'estimated') AS none_found_planned,
        sum(enrolment) FILTER (WHERE state = 'none_found' AND enrolment_type = 'unknown') AS none_found_unknown,
        count_if(state = 'none_found' AND enrolment IS NULL) AS none_found_unstated,
        sum(enrolment) FILTER (WHERE state = 'cannot_judge' AND enrolment_type = 'actual') AS cannot_judge_actual,
        sum(enrolment) FILTER (WHERE state = 'cannot_judge' AND enrolment_type = 'estimated') AS cannot_judge_planned,
        sum(enrolment) FILTER (WHERE state = 'cannot_judge' AND enrolment_type = 'unknown') AS cannot_judge_unknown,
        count_if(state = 'cannot_judge' AND enrolment IS NULL) AS cannot_judge_unstated
    FROM counted_once AS o
    JOIN judged USING (number)
    GROUP BY o.condition, o.intervention
    HAVING completed > 0
)
SELECT
    CASE WHEN g.condition IS NULL THEN '(all)' ELSE coalesce(c.concept, '(not stated)') END AS condition,
    CASE WHEN g.intervention IS NULL THEN '(all)' ELSE coalesce(i.concept, '(not stated)') END AS intervention,
    c.mesh_term AS condition_mesh_term,
    i.mesh_term AS intervention_mesh_term,
    g.* EXCLUDE (condition, intervention) REPLACE (
        coalesce(with_results_actual, 0) AS with_results_actual, coalesce(with_results_planned, 0) AS with_results_planned,
        coalesce(with_results_unknown, 0) AS with_results_unknown, coalesce(none_found_actual, 0) AS none_found_actual,
        coalesce(none_found_planned, 0) AS none_found_planned, coalesce(none_found_unknown, 0) AS none_found_unknown,
        coalesce(cannot_judge_actual, 0) AS cannot_judge_actual,
        coalesce(cannot_judge_planned, 0) AS cannot_judge_planned,
        coalesce(cannot_judge_unknown, 0) AS cannot_judge_unknown)
FROM gaps AS g
LEFT JOIN condition_words AS c USING (condition)
LEFT JOIN intervention_words AS i USING (intervention)
