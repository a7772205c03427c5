-- Trials that moved from the EU Clinical Trials Register to CTIS, and whether they had ended before: then the Directive
-- judges them, else the Regulation. The application to CTIS is the day of the move. What CTIS says of the end comes
-- first: its record is the newer one.
WITH present AS (
    SELECT
        s.trial_id, r.registration_id, r.registered_earliest, r.registered_latest, v.runs,
        coalesce(TRY_CAST(r.own_fields['end_date_eu'] AS DATE), CASE WHEN all_states_dated(r.countries)
            THEN last_state_end(r.countries) END) AS end_date,
        coalesce(TRY_CAST(r.own_fields['end_date_eu'] AS DATE), last_state_end(r.countries)) AS not_ended_before,
        came_from_eudract(r.own_fields) AS has_moved
    FROM speaking_registrations AS s
    JOIN eu_records AS r USING (registration_id)
    LEFT JOIN vocabulary_recruitment_status AS v ON v.code = r.status
    -- A move that was refused or given up is none.
    WHERE s.registry = 'ctis' AND r.place = 1 AND v.never_ran IS NOT TRUE
), former AS (
    SELECT
        f.trial_id,
        bool_or(f.has_moved) AS has_moved,
        bool_and(f.has_ended OR f.never_ran OR f.is_third) AND bool_or(f.has_ended) AS has_ended,
        coalesce(max(f.end_earliest), any_value(p.end_date)) AS end_earliest,
        -- Where a country says that the trial moved, it still ran: the end in another country is not the trial's.
        coalesce(
            CASE WHEN bool_or(f.has_moved) THEN max(f.end_latest) FILTER (WHERE f.has_moved)
                ELSE max(f.end_latest) END,
            any_value(p.end_date)) AS end_latest
    FROM euctr_protocols AS f
    JOIN euctr_pages AS p USING (registration_id)
    GROUP BY f.trial_id
)
SELECT
    coalesce(n.trial_id, f.trial_id) AS trial_id,
    n.registration_id,
    coalesce('moved to CTIS' || coalesce(' as ' || n.registration_id, '') || coalesce(', applied for ' || n.registered_earliest, '')
        || coalesce(', ended ' || coalesce(f.end_latest, n.end_date), '')) AS value,
    CASE
        WHEN n.runs OR n.not_ended_before > n.registered_latest THEN false
        WHEN coalesce(f.end_latest, n.end_date) <= n.registered_earliest THEN true
        WHEN f.end_earliest > n.registered_latest THEN false
        -- Without an end only a record that says it has ended leaves the question open.
        WHEN f.end_latest IS NULL AND (f.has_moved OR NOT f.has_ended) THEN false END AS ended_before
FROM present AS n
FULL JOIN former AS f ON f.trial_id = n.trial_id
WHERE f.has_moved OR n.has_moved OR (n.trial_id IS NOT NULL AND f.trial_id IS NOT NULL)
