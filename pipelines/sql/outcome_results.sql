-- The analyses of the primary outcomes of posted results, each p-value as written and read.
WITH analyses AS (
    SELECT
        r.registration_id, m.trial_id, CAST(u.ordinal AS INTEGER) AS ordinal, a.*,
        p_value(a.p_value) AS p
    FROM registration_lists AS r
    JOIN trial_members AS m USING (registration_id),
        unnest(r.analyses) WITH ORDINALITY AS u(a, ordinal)
)
SELECT
    * EXCLUDE (p),
    p.comparator AS p_comparator,
    p.value AS p_number,
    getvariable('parameter').significance_level AS significance_level,
    is_below(p.comparator, p.value, significance_level) AS is_below_level,
    CASE WHEN hypothesis <> 'non_inferiority' THEN is_below_level END AS is_significant
FROM analyses
