-- EU Clinical Trials Regulation: summary and lay summary in CTIS within a year of the end in all member states concerned.
-- Judged from the trial's CTIS registration alone.
WITH records AS (
    SELECT s.trial_id, s.registration_id, s.last_seen_directly, s.has_vanished, r.* EXCLUDE (registration_id),
        v.runs, coalesce(v.never_ran, false) AS never_ran,
        list_filter(r.countries, lambda c: c.status IS NOT NULL OR c.ended IS NOT NULL) AS states
    FROM speaking_registrations AS s
    LEFT JOIN eu_records AS r ON r.registration_id = s.registration_id AND r.source = 'ctis'
    LEFT JOIN vocabulary_recruitment_status AS v ON v.code = r.status
    WHERE s.registry = 'ctis'
), ends AS (
    SELECT
        *,
        coalesce(status IN ('completed', 'terminated'), false) AS has_ended,
        TRY_CAST(own_fields['end_date_eu'] AS DATE) AS end_eu,
        TRY_CAST(own_fields['global_end_date'] AS DATE) AS end_global,
        last_state_end(countries) AS last_state_end,
        len(states) AS states_concerned,
        len(list_filter(states, lambda c: c.ended IS NOT NULL OR c.status IN ('completed', 'terminated')))
            AS states_ended,
        own_fields['summary_results_submitted'] AS summary,
        own_fields['interim_results_submitted'] AS interim,
        own_fields['lay_summary_submitted'] AS lay_summary,
        own_fields['results_first_received'] AS received,
        own_fields['pip_numbers'] IS NOT NULL
            OR coalesce(regexp_matches(own_fields['age_groups'], '(?i)0-17|utero'), false) AS is_paediatric,
        -- Category 1 is phase I and the like: where the category is not stated, another phase rules it out.
        CASE
            WHEN own_fields['trial_category'] IS NOT NULL THEN own_fields['trial_category'] = '1'
            WHEN phase NOT IN ('phase1', 'early_phase1') THEN false END AS may_be_withheld
    FROM records
), facts AS (
    SELECT
        t.trial_id,
        e.* EXCLUDE (trial_id),
        -- A trial that ended after it moved did not end on a member state's day before.
        coalesce(end_eu, CASE
            WHEN has_ended AND NOT coalesce(NOT m.ended_before AND last_state_end < e.registered_earliest, false)
            THEN last_state_end END) AS ended_on,
        CASE
            WHEN summary IS NOT NULL THEN true
            WHEN received_a_summary(own_fields) THEN true
            WHEN received = 'Yes' THEN NULL
            WHEN has_results IS NOT NULL OR interim IS NOT NULL THEN false END AS is_public,
        CASE WHEN results_submitted <= getvariable('as_of') THEN results_submitted END AS summary_submitted,
        m.trial_id IS NOT NULL AND m.ended_before IS NOT FALSE AS may_have_ended_before,
        m.ended_before,
        m.value AS move
    FROM (SELECT trial_id FROM trials) AS t
    LEFT JOIN ends AS e ON e.trial_id = t.trial_id
    LEFT JOIN eu_moves AS m ON m.trial_id = t.trial_id
), seen AS (
    SELECT r.registration_id, min(r.snapshot_date) AS seen_public_by
    FROM staged_registrations AS r
    WHERE r.source = 'ctis'
        AND (r.own_fields['summary_results_submitted'] IS NOT NULL OR received_a_summary(r.own_fields))
    GROUP BY r.registration_id
)
SELECT
    trial_id,
    getvariable('policy').version AS rule_version,
    ended_on AS clock_earliest,
    ended_on AS clock_latest,
    due_day(ended_on, CASE WHEN is_paediatric THEN getvariable('policy').paediatric_months
        ELSE getvariable('policy').months END) AS due_earliest,
    due_day(ended_on, CASE WHEN may_be_withheld IS NOT FALSE THEN getvariable('policy').category_1_months
        ELSE getvariable('policy').months END) AS due_latest,
    due_day(ended_on, getvariable('policy').months) AS due_undeferred,
    NULL::DATE AS public_date,
    CASE WHEN is_public THEN summary_submitted END AS reported_date,
    NULL::DATE AS submitted_date,
    CASE WHEN is_public THEN seen_public_by END AS seen_public_by,
    -- A revoked trial may have run: not_revoked takes it out of scope.
    leg(status, CASE WHEN status <> 'revoked' THEN NOT never_ran WHEN start_type = 'actual' THEN true END,
        registration_id, 'ctPublicStatusCode') AS started,
    leg(registration_id, registration_id IS NOT NULL, registration_id, 'registrations') AS registered_in_ctis,
    leg(status, status IS DISTINCT FROM 'revoked', registration_id, 'ctPublicStatusCode') AS not_revoked,
    leg(move, CASE WHEN may_have_ended_before THEN NOT ended_before ELSE true END, registration_id, 'registered')
        AS ended_under_regulation,
    leg(NULL, false, NULL, NULL) AS in_scope_before,
    CASE
        WHEN end_eu IS NULL AND ended_on IS NOT NULL
        THEN proxy_leg(ended_on, completed_by(ended_on, ended_on), registration_id, 'trialEvents')
        ELSE leg(ended_on, completed_by(ended_on, ended_on), registration_id, 'endDateEU') END AS completed,
    leg(status, runs, registration_id, 'ctPublicStatusCode') AS running,
    leg(CASE WHEN has_ended THEN states_ended || ' of ' || states_concerned || ' member states ended' END,
        has_ended AND ended_on IS NULL, registration_id, 'endDateEU') AS ended_no_date,
    leg(end_eu, end_eu IS NOT NULL AND runs, registration_id, 'endDateEU, ctPublicStatusCode') AS ended_while_running,
    leg(
        CASE WHEN is_public THEN 'summary submitted' || coalesce(' ' || summary_submitted, '') END,
        is_public, registration_id, 'summaryResults') AS public,
    leg(NULL, false, NULL, NULL) AS submitted,
    leg(NULL, false, NULL, NULL) AS cancelled,
    searched_leg(last_seen_directly, has_vanished, registration_id, getvariable('policy')) AS searched,
    leg(CASE WHEN own_fields['trial_category'] IS NOT NULL THEN 'category ' || own_fields['trial_category'] ELSE phase END,
        may_be_withheld, registration_id, 'trialCategory') AS may_be_deferred,
    leg(CASE WHEN summary IS NOT NULL THEN coalesce('lay summary ' || lay_summary, 'no lay summary') END,
        CASE WHEN summary IS NOT NULL THEN lay_summary IS NULL WHEN NOT is_public THEN false END,
        registration_id, 'laypersonResults') AS layperson_missing,
    leg(states_ended || ' of ' || states_concerned || ' member states', states_ended > 0 AND NOT has_ended
        AND states_ended < states_concerned, registration_id, 'trialEvents') AS partly_ended,
    leg(end_global, completed_by(end_global, end_global), registration_id, 'trialGlobalEndDate') AS ended_in_the_world
FROM facts
LEFT JOIN seen USING (registration_id)
