-- How every unit fares under every policy. A share is one of due trials, never of all; what cannot be judged stands beside
-- it as bounds. Made of published tables alone, so that it can be made again of what may be passed on of them.
-- In parentheses stands what is no unit: a private person is never one, and neither is what the record does not say.
WITH numbered AS MATERIALIZED (
    -- Short numbers and codes instead of words: millions of verdicts are held at once.
    SELECT
        CAST(row_number() OVER () AS UINTEGER) AS number,
        t.trial_id,
        coalesce(t.sponsor_id, CASE WHEN t.sponsor IS NULL THEN '(not stated)' ELSE '(private person)' END) AS sponsor,
        CASE WHEN t.sponsor IS NULL THEN '(not stated)'
             WHEN t.sponsor_id IS NULL THEN '(private person)'
             WHEN s.is_mapped THEN coalesce(s.parent_id, t.sponsor_id)
             ELSE '(not mapped)' END AS sponsor_parent,
        coalesce(t.sponsor_class, '(not stated)') AS sponsor_class,
        coalesce(t.phase, '(not stated)') AS phase,
        t.enrolment,
        t.enrolment_type
    FROM trials AS t
    LEFT JOIN sponsors AS s USING (sponsor_id)
), policies AS MATERIALIZED (
    SELECT CAST(row_number() OVER () AS UTINYINT) AS rule, policy FROM (SELECT DISTINCT policy FROM reporting_status)
), leads AS MATERIALIZED (
    SELECT CAST(row_number() OVER () AS UINTEGER) AS lead, sponsor FROM (SELECT DISTINCT sponsor FROM numbered)
), verdicts AS MATERIALIZED (
    -- What is counted of a trial. Where results are missing: how sure the number of their participants is.
    SELECT
        n.number,
        l.lead,
        p.rule,
        CAST(CASE r.status_group
            WHEN 'due, reported' THEN r.status
            WHEN 'due, missing' THEN CASE
                WHEN n.enrolment IS NULL THEN 'missing' ELSE coalesce('missing of ' || n.enrolment_type, 'missing of any') END
            ELSE r.status_group END AS ENUM (
            'reported_on_time', 'reported_late', 'reported_undated', 'due, submitted', 'missing', 'missing of actual',
            'missing of estimated', 'missing of any', 'cannot judge', 'pending', 'reported early', 'outside')) AS outcome,
        CASE WHEN r.status_group = 'due, missing' THEN n.enrolment END AS enrolment,
        CAST(year(r.clock_latest) AS USMALLINT) AS completion_year,
        CASE WHEN r.status = 'reported_late' THEN CAST(r.days_late_min AS INTEGER) END AS days_late_min,
        CASE WHEN r.status = 'reported_late' THEN CAST(r.days_late_max AS INTEGER) END AS days_late_max
    FROM reporting_status AS r
    JOIN policies AS p USING (policy)
    JOIN numbered AS n USING (trial_id)
    JOIN leads AS l USING (sponsor)
), trial_countries AS (
    SELECT n.number, coalesce(c.country, '(not stated)') AS country
    FROM numbered AS n
    -- What only a page of results names is known of reported trials alone: a share of those would always be all of them.
    LEFT JOIN (
        SELECT DISTINCT trial_id, country FROM registration_countries WHERE NOT is_removed AND NOT is_from_results) AS c
        USING (trial_id)
), wordings AS MATERIALIZED (
    SELECT CAST(row_number() OVER () AS UINTEGER) AS wording, normalised
    FROM (SELECT DISTINCT normalised FROM conditions WHERE normalised IS NOT NULL)
), trial_conditions AS MATERIALIZED (
    SELECT DISTINCT n.number, w.wording
    FROM conditions AS c
    JOIN wordings AS w USING (normalised)
    JOIN numbered AS n USING (trial_id)
), larger_conditions AS (
    -- Of the very many wordings those with enough due trials to compare; the others are no unit here.
    SELECT v.rule, c.wording
    FROM verdicts AS v
    JOIN trial_conditions AS c USING (number)
    WHERE v.outcome NOT IN ('cannot judge', 'pending', 'reported early', 'outside')
    GROUP BY v.rule, c.wording
    HAVING count(*) >= 10
), counted AS (
    -- How often each outcome occurs in a unit, which has a number or a word.
    SELECT
        'sponsor' AS unit_kind, lead AS unit_number, NULL AS unit_word, rule, outcome,
        count(*) AS trials, sum(enrolment) AS participants,
        median(days_late_min) AS days_late_min, median(days_late_max) AS days_late_max
    FROM verdicts
    GROUP BY lead, rule, outcome
    UNION ALL
    SELECT
        CASE WHEN grouping(n.sponsor_parent) = 0 THEN 'sponsor_parent'
             WHEN grouping(n.sponsor_class) = 0 THEN 'sponsor_class'
             WHEN grouping(n.phase) = 0 THEN 'phase'
             WHEN grouping(v.completion_year) = 0 THEN 'completion_year'
             ELSE 'all' END,
        NULL,
        CASE WHEN grouping(v.completion_year) = 0 THEN coalesce(CAST(v.completion_year AS VARCHAR), '(not stated)')
             ELSE coalesce(n.sponsor_parent, n.sponsor_class, n.phase, 'all') END,
        v.rule, v.outcome, count(*), sum(v.enrolment), median(v.days_late_min), median(v.days_late_max)
    FROM verdicts AS v
    JOIN numbered AS n USING (number)
    GROUP BY v.rule, v.outcome, GROUPING SETS ((n.sponsor_parent), (n.sponsor_class), (n.phase), (v.completion_year), ())
    UNION ALL
    SELECT
        'country', NULL, c.country, v.rule, v.outcome, count(*), sum(v.enrolment),
        median(v.days_late_min), median(v.days_late_max)
    FROM verdicts AS v
    JOIN trial_countries AS c USING (number)
    GROUP BY c.country, v.rule, v.outcome
    UNION ALL
    SELECT
        'condition', c.wording, NULL, v.rule, v.outcome, count(*), sum(v.enrolment),
        median(v.days_late_min), median(v.days_late_max)
    FROM verdicts AS v
    JOIN trial_conditions AS c USING (number)
    JOIN larger_conditions AS l ON l.rule = v.rule AND l.wording = c.wording
    GROUP BY c.wording, v.rule, v.outcome
), cards AS (
    SELECT
        unit_kind, unit_number, unit_word, rule,
        sum(trials) AS trials,
        sum(trials) FILTER (WHERE outcome = 'reported_on_time') AS reported_on_time,
        sum(trials) FILTER (WHERE outcome = 'reported_late') AS reported_late,
        sum(trials) FILTER (WHERE outcome = 'reported_undated') AS reported_undated,
        sum(trials) FILTER (WHERE outcome = 'due, submitted') AS submitted,
        sum(trials) FILTER (WHERE starts_with(outcome, 'missing')) AS missing,
        sum(trials) FILTER (WHERE outcome = 'cannot judge') AS cannot_judge,
        sum(trials) FILTER (WHERE outcome = 'pending') AS pending,
        sum(trials) FILTER (WHERE outcome = 'reported early') AS reported_early,
        sum(trials) FILTER (WHERE outcome = 'outside') AS outside,
        sum(participants) FILTER (WHERE outcome = 'missing of actual') AS missing_participants_actual,
        sum(participants) FILTER (WHERE outcome = 'missing of estimated') AS missing_participants_planned,
        sum(participants) FILTER (WHERE outcome = 'missing of any') AS missing_participants_unknown,
        sum(trials) FILTER (WHERE outcome = 'missing') AS missing_without_enrolment,
        any_value(days_late_min) AS days_late_median_min,
        any_value(days_late_max) AS days_late_median_max
    FROM counted
    GROUP BY unit_kind, unit_number, unit_word, rule
), whole AS (
    SELECT
        c.* EXCLUDE (unit_number, unit_word, rule) REPLACE (
            coalesce(reported_on_time, 0) AS reported_on_time, coalesce(reported_late, 0) AS reported_late,
            coalesce(reported_undated, 0) AS reported_undated, coalesce(submitted, 0) AS submitted,
            coalesce(missing, 0) AS missing, coalesce(cannot_judge, 0) AS cannot_judge, coalesce(pending, 0) AS pending,
            coalesce(reported_early, 0) AS reported_early, coalesce(outside, 0) AS outside,
            coalesce(missing_participants_actual, 0) AS missing_participants_actual,
            coalesce(missing_participants_planned, 0) AS missing_participants_planned,
            coalesce(missing_participants_unknown, 0) AS missing_participants_unknown,
            coalesce(missing_without_enrolment, 0) AS missing_without_enrolment),
        p.policy,
        coalesce(c.unit_word, l.sponsor, w.normalised) AS unit_value
    FROM cards AS c
    JOIN policies AS p USING (rule)
    -- The kind of unit stands within the key: as a condition of its own it would make the join compare all with all.
    LEFT JOIN leads AS l ON l.lead = CASE WHEN c.unit_kind = 'sponsor' THEN c.unit_number END
    LEFT JOIN wordings AS w ON w.wording = CASE WHEN c.unit_kind = 'condition' THEN c.unit_number END
)
SELECT
    w.*,
    coalesce(s.name, w.unit_value) AS unit_label,
    starts_with(w.unit_value, '(') AS is_remainder,
    w.unit_kind NOT IN ('country', 'condition') AS sums_to_universe,
    w.reported_on_time + w.reported_late + w.reported_undated AS reported,
    reported + w.submitted + w.missing AS due,
    reported / nullif(due, 0) AS reported_share,
    reported / nullif(due + w.cannot_judge, 0) AS reported_share_low,
    (reported + w.cannot_judge) / nullif(due + w.cannot_judge, 0) AS reported_share_high,
    due < 10 AS is_small
FROM whole AS w
LEFT JOIN sponsors AS s ON s.sponsor_id = CASE WHEN w.unit_kind IN ('sponsor', 'sponsor_parent') THEN w.unit_value END
