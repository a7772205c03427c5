-- EU Clinical Trials Directive: summary results in the EU register within 12 months of the global end of the trial.
-- Judged from the country records of the trial's EUCTR registration, never from what other registers say of the trial.
WITH ranked AS (
    -- Third-country records and those of a country that left the register speak only where no other record does.
    SELECT
        * REPLACE (has_ended AND (getvariable('policy').prohibition_ends OR NOT is_prohibited) AS has_ended),
        CASE
            WHEN is_third AND NOT getvariable('policy').third_country_records_count THEN 2
            WHEN is_frozen AND NOT getvariable('policy').frozen_records_count THEN 1
            ELSE 0 END AS rank,
        CASE
            WHEN getvariable('policy').any_link_counts AND results_link IS NOT NULL THEN true
            -- That there was no link is as good as the day on which it was looked at.
            WHEN is_older_link AND NOT has_results AND NOT recent_enough(link_seen, getvariable('policy')) THEN NULL
            ELSE has_results END AS shows_results,
        -- Outside a plan, for certain, a record that does not state the age is not taken for one with participants under
        -- 18. Third countries have a record of paediatric trials only.
        is_in_pip OR (getvariable('policy').paediatric_outside_plans AND (is_third OR coalesce(has_minors, is_in_pip)))
            AS is_paediatric
    FROM euctr_protocols
), placed AS (
    -- Nor do records of countries that refused the trial say that it ran nowhere, while another one says more.
    SELECT
        *,
        rank = coalesce(
            min(rank) FILTER (WHERE NOT never_ran) OVER (PARTITION BY trial_id), min(rank) OVER (PARTITION BY trial_id))
            AS counts
    FROM ranked
), countries AS (
    SELECT
        trial_id,
        registration_id,
        count(*) FILTER (WHERE counts) AS n,
        count(*) FILTER (WHERE NOT is_third) AS inside,
        count(*) FILTER (WHERE is_third) AS outside,
        count(*) FILTER (WHERE counts AND has_ended) AS ended,
        count(*) FILTER (WHERE counts AND never_ran) AS refused,
        count(*) FILTER (WHERE counts AND is_prohibited) AS prohibited,
        count(*) FILTER (WHERE counts AND runs) AS running,
        count(*) FILTER (WHERE counts AND status IS NULL) AS blank,
        count(*) FILTER (WHERE counts AND status = 'completed') AS completed,
        count(*) FILTER (WHERE counts AND status = 'terminated') AS terminated,
        count(*) FILTER (WHERE counts AND status = 'ongoing') AS ongoing,
        count(*) FILTER (WHERE counts AND status = 'suspended') AS suspended,
        min(end_earliest) FILTER (WHERE counts) AS first_end,
        max(end_latest) FILTER (WHERE counts) AS last_end,
        -- The first day on which the trial may have begun, where every country that allowed it states its own.
        CASE WHEN bool_and(decided IS NOT NULL) FILTER (WHERE NOT never_ran)
            THEN min(decided) FILTER (WHERE NOT never_ran) END AS allowed_from,
        bool_or(is_frozen) AS has_frozen,
        bool_or(is_frozen AND NOT counts) AS sets_frozen_aside,
        holds_for_all(only_phase_1) AS only_phase_1,
        holds_for_any(is_in_pip) AS is_in_pip,
        holds_for_any(is_paediatric) AS is_paediatric,
        holds_for_any(shows_results) AS shown_on_any,
        holds_for_all(shows_results) AS shown_on_all,
        bool_or(results_link = 'Removed from public view') AS was_removed,
        max(link_seen) FILTER (WHERE has_results IS NOT NULL) AS link_seen
    FROM placed
    GROUP BY trial_id, registration_id
), registered AS (
    SELECT
        t.trial_id,
        s.registration_id,
        s.last_seen_directly,
        s.has_vanished,
        c.* EXCLUDE (trial_id, registration_id),
        p.* EXCLUDE (registration_id),
        c.ended > 0 AND c.ended = c.n - CASE WHEN getvariable('policy').every_record_must_end THEN 0 ELSE c.refused END
            AS has_ended,
        c.last_end IS NULL AND getvariable('policy').results_page_end_counts AND p.end_date IS NOT NULL AS ends_by_page,
        m.trial_id IS NOT NULL AS has_moved,
        m.ended_before AS ended_before_move,
        m.registration_id AS ctis_id,
        m.value AS move
    FROM (SELECT trial_id FROM trials) AS t
    LEFT JOIN speaking_registrations AS s ON s.trial_id = t.trial_id AND s.registry = 'euctr'
    LEFT JOIN countries AS c ON c.trial_id = t.trial_id
    LEFT JOIN euctr_pages AS p ON p.registration_id = s.registration_id
    LEFT JOIN eu_moves AS m ON m.trial_id = t.trial_id
), facts AS (
    SELECT
        *,
        CASE
            WHEN has_ended OR NOT getvariable('policy').every_record_must_end
            THEN CASE WHEN ends_by_page THEN end_date ELSE first_end END END AS clock_earliest,
        CASE
            WHEN has_ended OR NOT getvariable('policy').every_record_must_end
            THEN CASE WHEN ends_by_page THEN end_date ELSE last_end END END AS clock_latest,
        CASE
            WHEN getvariable('policy').every_record_must_end
            THEN CASE WHEN has_ended THEN false WHEN blank < n THEN true END
            WHEN running > 0 THEN true
            WHEN has_ended THEN false END AS runs,
        -- Nothing is said of the exemption: the public register shows mostly what is not exempt.
        NOT (only_phase_1 AND NOT is_paediatric) AS is_covered,
        CASE
            WHEN getvariable('policy').results_on_every_record THEN shown_on_all
            WHEN shown_on_any OR (has_results AND coalesce(last_seen >= link_seen, true)) THEN true
            WHEN last_seen IS NULL OR last_seen < link_seen THEN shown_on_any END AS is_public
    FROM registered
), earlier AS (
    -- Whether an older version of a country record was outside the exemption, or one that is gone.
    SELECT r.registration_id, max(coalesce(v.valid_to, g.gone_on)) AS changed_on
    FROM version_spans AS v
    JOIN staged_registrations AS r USING (file, record_number)
    LEFT JOIN euctr_gone_parts AS g ON (g.registration_id, g.source, g.part) = (v.registration_id, v.source, v.part)
    WHERE (NOT v.is_current OR g.gone_on IS NOT NULL) AND r.source = 'euctr' AND r.part <> 'results'
        AND (NOT only_phase_1(r.own_fields) OR is_in_pip(r.own_fields)
            OR (getvariable('policy').paediatric_outside_plans AND (r.part = '3RD' OR has_minors(r.own_fields))))
    GROUP BY r.registration_id
), shown AS (
    SELECT registration_id, min(first_seen) AS seen_public_by
    FROM registration_versions
    WHERE registry = 'euctr' AND source = 'euctr' AND has_results
    GROUP BY registration_id
)
SELECT
    f.trial_id,
    getvariable('policy').version AS rule_version,
    clock_earliest,
    clock_latest,
    -- The backlog's day lies after the due days of the first trials under the duty: so the bounds are of both dates.
    least(
        eu_due_day(clock_earliest, CASE WHEN is_paediatric THEN getvariable('policy').paediatric_months
            ELSE getvariable('policy').months END, getvariable('policy')),
        eu_due_day(clock_latest, CASE WHEN is_paediatric THEN getvariable('policy').paediatric_months
            ELSE getvariable('policy').months END, getvariable('policy'))) AS due_earliest,
    greatest(
        eu_due_day(clock_earliest, getvariable('policy').months, getvariable('policy')),
        eu_due_day(clock_latest, getvariable('policy').months, getvariable('policy'))) AS due_latest,
    due_latest AS due_undeferred,
    CASE WHEN is_public THEN posted END AS public_date,
    CASE WHEN is_public THEN posted END AS reported_date,
    NULL::DATE AS submitted_date,
    CASE WHEN is_public THEN seen_public_by END AS seen_public_by,
    leg(
        CASE WHEN refused > 0 THEN refused || ' of ' || n || ' countries refused' END,
        -- Results are there of what took place, whatever the countries' states say.
        CASE WHEN is_public THEN true WHEN refused = n THEN false WHEN blank + prohibited + refused < n THEN true END,
        registration_id, 'status') AS started,
    leg(registration_id, registration_id IS NOT NULL, registration_id, 'registrations') AS registered_in_euctr,
    CASE
        WHEN is_covered IS NULL AND registration_id IS NOT NULL
        THEN proxy_leg('in the public register', true, registration_id, 'phase, in_pip, has_subjects_under_18')
        ELSE leg(
            CASE WHEN is_covered THEN 'not of phase I alone, or paediatric' WHEN NOT is_covered THEN 'phase I, of adults' END,
            is_covered, registration_id, 'phase, in_pip, has_subjects_under_18') END AS not_exempt,
    leg(
        move, NOT has_moved OR NOT getvariable('policy').follows_moves OR ended_before_move,
        coalesce(ctis_id, registration_id), 'completion') AS transitioned_to_ctis,
    leg(
        CASE WHEN NOT is_covered THEN 'not exempt until ' || e.changed_on END,
        NOT is_covered AND e.registration_id IS NOT NULL, registration_id, 'phase, in_pip, has_subjects_under_18') AS in_scope_before,
    leg(
        CASE WHEN clock_earliest < clock_latest THEN clock_earliest || ' to ' || clock_latest
             ELSE clock_latest::VARCHAR END,
        completed_by(clock_earliest, clock_latest), registration_id,
        CASE WHEN ends_by_page THEN 'results_global_end_date' ELSE 'global_end_date' END) AS completed,
    leg(
        n || CASE WHEN n = 1 THEN ' country record: ' ELSE ' country records: ' END || concat_ws(', ',
            nullif(completed, 0) || ' completed', nullif(terminated, 0) || ' ended prematurely',
            nullif(prohibited, 0) || ' prohibited', nullif(ongoing, 0) || ' ongoing',
            nullif(suspended, 0) || ' halted or suspended',
            nullif(n - completed - terminated - prohibited - ongoing - suspended - blank, 0) || ' other',
            nullif(blank, 0) || ' without a status'),
        runs, registration_id, 'status') AS running,
    leg(
        CASE WHEN has_ended THEN 'ended in ' || ended || ' of ' || n || ' countries' END,
        has_ended AND last_end IS NULL AND NOT ends_by_page, registration_id, 'global_end_date') AS ended_without_date,
    leg(
        last_end,
        last_end IS NOT NULL AND CASE
            WHEN getvariable('policy').every_record_must_end THEN ended > 0 AND ended < n
            WHEN running = 0 AND blank = 0 THEN false
            ELSE runs END,
        registration_id, 'global_end_date, status') AS ended_while_running,
    leg(
        CASE WHEN is_public THEN concat_ws(' ', 'document posted', posted, '(' || results_type || ')') END,
        is_public, registration_id, 'trial_results') AS public,
    leg(NULL, false, NULL, NULL) AS submitted,
    leg(NULL, false, NULL, NULL) AS cancelled,
    searched_leg(last_seen_directly, has_vanished, registration_id, getvariable('policy')) AS searched,
    leg(inside || ' of the EU and EEA, ' || outside || ' of third countries', inside > 0, registration_id, 'part')
        AS in_eea,
    leg(CASE WHEN blank > 0 THEN blank || ' of ' || n END, blank = n, registration_id, 'status') AS without_status,
    leg(
        CASE
            WHEN is_in_pip THEN 'in a Paediatric Investigation Plan'
            WHEN is_paediatric AND outside > 0 THEN 'a third country has a record'
            WHEN is_paediatric THEN 'participants under 18' END,
        is_paediatric, registration_id, 'in_pip, has_subjects_under_18, part') AS paediatric,
    leg(CASE WHEN has_frozen THEN CASE WHEN sets_frozen_aside THEN 'left out of the count' ELSE 'counted' END END,
        has_frozen, registration_id, 'status') AS gb_record_frozen,
    leg(NULL, shown_on_any AND NOT shown_on_all, registration_id, 'trial_results') AS results_on_some_records,
    leg(CASE WHEN was_removed THEN 'Removed from public view' END,
        CASE WHEN was_removed THEN true WHEN shown_on_any IS NOT NULL THEN false END,
        registration_id, 'trial_results') AS results_removed,
    leg('ended ' || clock_latest || ', first authorised ' || allowed_from, clock_latest < allowed_from, registration_id,
        'global_end_date, competent_authority_decision_date') AS ended_before_authorised,
    leg(CASE WHEN ends_by_page THEN end_date END, ends_by_page, registration_id, 'results_global_end_date')
        AS end_date_from_results_page,
    leg(end_date, end_date = last_end, registration_id, 'results_global_end_date')
        AS results_page_end_agrees
FROM facts AS f
LEFT JOIN earlier AS e USING (registration_id)
LEFT JOIN shown USING (registration_id)
