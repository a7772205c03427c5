-- FDAAA: results at ClinicalTrials.gov within 12 months of primary completion, for applicable clinical trials.
-- A trial that started before the Final Rule and states neither FDA flag goes the old route: the flag of January 2017,
-- the kind of intervention and a site in the US decide in their place.
-- Paediatric surveillance of a device that is no trial completes with its final report to the FDA, which is the completion
-- date of its record, and its results are due so many days later.
WITH dated AS (
    SELECT
        *,
        getvariable('policy').readings = 'latest' AS is_latest_only,
        CASE WHEN is_latest_only THEN start_latest ELSE start_earliest END AS started_earliest,
        coalesce(is_ppsd AND getvariable('policy').ppsd_counts, false) AS is_surveillance,
        is_surveillance AND coalesce(study_type <> 'interventional', false) AS is_final_report,
        NOT is_final_report AND (primary_completion_earliest IS NOT NULL OR completion_earliest IS NULL) AS is_primary_clock,
        CASE WHEN is_final_report THEN completion_raw ELSE coalesce(primary_completion_raw, completion_raw) END AS clock_raw,
        CASE WHEN is_final_report THEN completion_latest
             ELSE coalesce(primary_completion_latest, completion_latest) END AS clock_latest,
        CASE WHEN is_latest_only THEN clock_latest WHEN is_final_report THEN completion_earliest
             ELSE coalesce(primary_completion_earliest, completion_earliest) END AS clock_earliest,
        CASE WHEN coalesce(delay_submitted, delay_posted) <= getvariable('as_of')
            THEN coalesce(delay_submitted, delay_posted) END AS certificate,
        CASE WHEN is_final_report THEN days_after(clock_latest, getvariable('policy').final_report_days)
             ELSE due_day(clock_latest, getvariable('policy').months) END AS due_undeferred,
        CASE WHEN is_final_report THEN days_after(clock_earliest, getvariable('policy').final_report_days)
             ELSE due_day(clock_earliest, getvariable('policy').months) END AS due_undeferred_earliest
    FROM nct_registrations
), deferred AS (
    SELECT
        *,
        on_or_after(started_earliest, start_latest, getvariable('policy').effective) AS starts_under_rule,
        on_or_after(clock_earliest, clock_latest, getvariable('policy').effective) AS completes_under_rule,
        is_live OR (is_cancelled AND getvariable('policy').withdrawn_submission_counts) AS is_handed_in,
        CASE WHEN getvariable('policy').withdrawn_submission_counts THEN first_submitted ELSE live_since END AS handed_in,
        CASE WHEN certificate IS NULL THEN getvariable('policy').grace_days
             ELSE getvariable('policy').certificate_grace_days END AS grace_days,
        CASE
            WHEN clock_latest IS NULL OR certificate IS NULL THEN due_undeferred
            WHEN NOT getvariable('policy').certificate_covers_reported AND (coalesce(has_results, false) OR is_handed_in)
                THEN due_undeferred
            ELSE greatest(due_undeferred, due_day(
                CASE WHEN getvariable('policy').certificate_from = 'completion' THEN clock_latest ELSE certificate END,
                getvariable('policy').certificate_months)) END AS due_latest
    FROM dated
), judged AS (
    SELECT
        *,
        CASE WHEN is_latest_only THEN due_latest ELSE due_undeferred_earliest END AS due_earliest,
        -- Another source that passes the record on has no flags to show: only the register itself can leave them blank.
        coalesce(NOT starts_under_rule, false) AND last_seen_directly IS NOT NULL
            AND is_fda_regulated_drug IS NULL AND is_fda_regulated_device IS NULL AS is_old_route,
        NOT list_contains(getvariable('policy').phases_outside, phase) AS is_covered_phase,
        coalesce(primary_purpose <> 'device_feasibility', true) AS is_no_feasibility,
        getvariable('policy').drug_and_device_apart
            AND is_device_trial(is_fda_regulated_device, primary_purpose) AS asks_no_phase,
        getvariable('policy').drug_and_device_apart
            AND is_drug_trial(is_fda_regulated_drug, phase, getvariable('policy')) AS asks_no_purpose,
        -- A record that shows a posting date and no results contradicts itself.
        CASE
            WHEN has_results THEN true
            WHEN getvariable('policy').submitted_counts_as_reported AND is_handed_in
                AND getvariable('as_of') > due_latest + grace_days THEN true
            WHEN has_results IS NULL OR results_posted <= getvariable('as_of') THEN NULL
            ELSE false END AS is_public
    FROM deferred
), edits AS (
    -- Earlier versions of the same record that were in scope by what a version holds, where the present one is not. Of the
    -- old route a version does not hold all: the interventions, countries and flag of January 2017 that are known now.
    SELECT
        r.registration_id,
        max(v.valid_to) AS changed_on,
        arg_max({
            'phase': v.phase, 'primary_purpose': v.primary_purpose,
            'drug': v.is_fda_regulated_drug, 'device': v.is_fda_regulated_device
        }, v.version) AS was
    FROM nct_registrations AS r
    JOIN registration_versions AS v
        ON v.registration_id = r.registration_id AND v.source = r.source AND v.part = '' AND NOT v.is_current
    WHERE v.study_type = 'interventional'
        AND (
            is_applicable(
                v.is_fda_regulated_drug, v.is_fda_regulated_device, v.phase, v.primary_purpose, getvariable('policy'))
            OR v.is_fda_regulated_drug IS NULL AND v.is_fda_regulated_device IS NULL
                AND r.last_seen_directly IS NOT NULL
                AND v.start_latest < getvariable('policy').effective
                AND r.has_flags_of_2017 AND coalesce(r.was_fda_regulated, true)
                AND list_has_any(r.intervention_types, getvariable('policy').covered_interventions)
                AND list_has_any(r.countries, getvariable('policy').us_countries)
                AND NOT list_contains(getvariable('policy').phases_outside, v.phase)
                AND coalesce(v.primary_purpose <> 'device_feasibility', true))
        AND NOT coalesce(r.study_type = 'interventional' AND is_applicable(
            r.is_fda_regulated_drug, r.is_fda_regulated_device, r.phase, r.primary_purpose, getvariable('policy')), false)
    GROUP BY r.registration_id
), legs AS (
    SELECT
        *,
        leg(
            concat_ws(', ', status, 'enrolment ' || enrolment || ' ' || coalesce(enrolment_type, '')),
            CASE
                WHEN never_ran THEN false
                WHEN enrolment = 0 AND enrolment_type = 'actual' AND getvariable('policy').nobody_enrolled_never_started
                    THEN false
                WHEN status IS NOT NULL OR enrolment IS NOT NULL THEN true END,
            registration_id, 'status, enrolment') AS started,
        leg(registration_id, true, registration_id, 'registration_id') AS on_register,
        leg(
            concat_ws(', ', study_type, CASE WHEN is_surveillance THEN 'paediatric post-market surveillance' END),
            is_surveillance OR study_type = 'interventional', registration_id, 'study_type') AS interventional,
        CASE
            WHEN is_old_route THEN proxy_leg(
                'both flags blank; flag of January 2017: ' || CASE
                    WHEN NOT has_flags_of_2017 THEN 'not loaded' ELSE coalesce(CAST(was_fda_regulated AS VARCHAR), 'blank') END,
                CASE WHEN has_flags_of_2017 THEN coalesce(was_fda_regulated, true) END,
                registration_id, 'ctgov_flags.is_fda_regulated')
            ELSE leg(
                'drug ' || coalesce(CAST(is_fda_regulated_drug AS VARCHAR), 'blank')
                    || ', device ' || coalesce(CAST(is_fda_regulated_device AS VARCHAR), 'blank'),
                CASE
                    WHEN is_surveillance OR is_fda_regulated_drug OR is_fda_regulated_device THEN true
                    WHEN is_fda_regulated_drug IS NOT NULL AND is_fda_regulated_device IS NOT NULL THEN false
                    WHEN list_contains(getvariable('policy').missing_fails, 'flag') THEN false END,
                registration_id, 'is_fda_regulated_drug, is_fda_regulated_device') END AS regulated,
        -- Of a product that is both, the record does not say whether it acts as a drug or as a device first of all.
        CASE
            WHEN asks_no_phase AND is_fda_regulated_drug AND is_covered_phase IS NOT TRUE
                THEN proxy_leg('not asked of a device; it is of a drug too', true, registration_id, 'phase')
            ELSE leg(
                CASE WHEN asks_no_phase AND is_covered_phase IS NOT TRUE THEN 'not asked of a device' ELSE phase END,
                is_surveillance OR asks_no_phase OR coalesce(is_covered_phase, CASE
                    WHEN list_contains(getvariable('policy').missing_fails, 'phase') THEN false END),
                registration_id, 'phase') END AS covered_phase,
        CASE
            WHEN asks_no_purpose AND is_fda_regulated_device AND NOT is_no_feasibility
                THEN proxy_leg('not asked of a drug; it is of a device too', true, registration_id, 'primary_purpose')
            ELSE leg(
                CASE WHEN asks_no_purpose AND NOT is_no_feasibility THEN 'not asked of a drug'
                     ELSE coalesce(primary_purpose, 'not stated') END,
                is_no_feasibility OR asks_no_purpose, registration_id, 'primary_purpose') END AS not_feasibility,
        leg(
            start_raw,
            CASE
                WHEN start_earliest IS NOT NULL THEN true
                WHEN list_contains(getvariable('policy').missing_fails, 'start') THEN false END,
            registration_id, 'start') AS start_stated,
        leg(
            coalesce(clock_raw, start_raw),
            -- What had completed before the first of the two days began before it too; without a day of completion it had
            -- by the last update of a record which says that it did.
            on_or_after(
                started_earliest, coalesce(start_latest, clock_latest, ended_by), getvariable('policy').initiated_from)
                OR on_or_after(clock_earliest, coalesce(clock_latest, ended_by), getvariable('policy').ongoing_on),
            registration_id,
            CASE WHEN coalesce(clock_latest, ended_by) < getvariable('policy').ongoing_on THEN 'start'
                 ELSE 'primary_completion' END) AS reached,
        leg(
            CASE
                WHEN starts_under_rule THEN 'not asked: started ' || start_raw
                WHEN completes_under_rule THEN 'not asked: completed ' || clock_raw
                WHEN clock_latest IS NOT NULL THEN 'completed ' || clock_raw || '; approval is not in the record' END,
            CASE
                WHEN starts_under_rule OR completes_under_rule THEN true
                WHEN clock_latest IS NULL AND list_contains(getvariable('policy').missing_fails, 'completion') THEN false
                WHEN clock_latest IS NOT NULL AND NOT getvariable('policy').asks_approval THEN false END,
            registration_id, CASE WHEN clock_latest IS NULL THEN 'primary_completion' ELSE 'product_approved' END)
            AS product_approved,
        CASE
            WHEN NOT is_old_route THEN leg('not asked', true, registration_id, 'interventions')
            ELSE leg(
                list_sort(list_distinct(intervention_types)).array_to_string(', '),
                CASE
                    WHEN list_has_any(intervention_types, getvariable('policy').covered_interventions) THEN true
                    WHEN list_contains(getvariable('policy').missing_fails, 'intervention') THEN false
                    WHEN len(intervention_types) = 0 OR len(list_filter(intervention_types, lambda t: t IS NULL)) > 0 THEN NULL
                    ELSE false END,
                registration_id, 'interventions') END AS covered_intervention,
        CASE
            WHEN NOT is_old_route AND NOT getvariable('policy').us_nexus_tested
                THEN leg('not asked', true, registration_id, 'countries')
            WHEN list_has_any(countries, getvariable('policy').us_countries) THEN leg(
                list_sort(list_intersect(countries, getvariable('policy').us_countries)).array_to_string(', '),
                true, registration_id, 'countries')
            WHEN is_old_route THEN leg(
                CASE WHEN len(countries) > 0 THEN 'no site in the US' END,
                CASE
                    WHEN len(countries) > 0 OR list_contains(getvariable('policy').missing_fails, 'country') THEN false END,
                registration_id, 'countries')
            WHEN is_us_export THEN leg('exported from the US', true, registration_id, 'is_us_export')
            ELSE proxy_leg(
                'IND and IDE numbers are not public; the FDA flags stand for them', true, registration_id, 'countries') END
            AS us_nexus,
        leg(
            CASE WHEN results_waived THEN 'the register says that results are waived' END,
            NOT coalesce(results_waived AND getvariable('policy').waiver_counts, false), registration_id, 'results_waived')
            AS not_waived
    FROM judged
), edited AS (
    SELECT
        l.*,
        CASE WHEN NOT l.covered_phase.outcome AND l.phase IS DISTINCT FROM e.was.phase
            THEN 'phase ' || e.was.phase END AS former_phase,
        CASE WHEN NOT l.not_feasibility.outcome AND l.primary_purpose IS DISTINCT FROM e.was.primary_purpose
            THEN 'purpose ' || coalesce(e.was.primary_purpose, 'not stated') END AS former_purpose,
        nullif(concat_ws(', ',
            CASE WHEN l.study_type <> 'interventional' THEN 'interventional' END,
            former_phase,
            CASE
                -- One flag is left: its test failed all along, and it was the other one's that the trial passed.
                WHEN l.is_fda_regulated_drug OR l.is_fda_regulated_device THEN CASE
                    WHEN coalesce(former_phase, former_purpose) IS NOT NULL THEN NULL
                    WHEN e.was.device AND l.is_fda_regulated_device IS NOT TRUE THEN 'device regulated by the FDA'
                    WHEN e.was.drug AND l.is_fda_regulated_drug IS NOT TRUE THEN 'drug regulated by the FDA' END
                WHEN e.was.drug IS NOT NULL OR e.was.device IS NOT NULL THEN 'regulated by the FDA'
                WHEN NOT l.is_old_route THEN 'FDA flags blank' END,
            former_purpose), '')
            || ' until ' || e.changed_on AS was_in_scope_as
    FROM legs AS l
    LEFT JOIN edits AS e USING (registration_id)
)
SELECT
    l.trial_id,
    getvariable('policy').version AS rule_version,
    l.clock_earliest,
    l.clock_latest,
    l.due_earliest,
    l.due_latest,
    l.due_undeferred,
    CASE WHEN l.has_results AND l.results_posted <= getvariable('as_of') THEN l.results_posted END AS public_date,
    CASE
        WHEN NOT l.is_public THEN NULL
        WHEN l.has_results IS NOT TRUE THEN l.handed_in
        WHEN least(l.results_submitted, l.results_posted) <= getvariable('as_of')
            THEN least(l.results_submitted, l.results_posted) END AS reported_date,
    CASE WHEN l.is_handed_in AND l.is_public IS NOT TRUE THEN l.handed_in END AS submitted_date,
    l.seen_public_by,
    CASE WHEN l.is_public IS NOT TRUE THEN l.first_submitted END AS first_submitted,
    l.grace_days,
    l.started,
    l.on_register,
    l.interventional,
    l.regulated,
    l.covered_phase,
    l.not_feasibility,
    l.start_stated,
    l.reached,
    l.product_approved,
    l.covered_intervention,
    l.us_nexus,
    l.not_waived,
    leg(
        l.was_in_scope_as,
        -- What no version could have been in scope for has not left it.
        l.was_in_scope_as IS NOT NULL AND coalesce(l.reached.outcome AND l.product_approved.outcome, true),
        l.registration_id, 'study_type, phase, primary_purpose, is_fda_regulated_drug, is_fda_regulated_device'
    ) AS in_scope_before,
    CASE
        WHEN l.is_primary_clock THEN leg(
            l.primary_completion_raw, completed_by(l.clock_earliest, l.clock_latest), l.registration_id, 'primary_completion')
        WHEN l.is_final_report THEN leg(
            l.completion_raw, completed_by(l.clock_earliest, l.clock_latest), l.registration_id, 'completion')
        ELSE proxy_leg(l.completion_raw, completed_by(l.clock_earliest, l.clock_latest), l.registration_id, 'completion')
        END AS completed,
    leg(l.status, l.runs, l.registration_id, 'status') AS running,
    leg(
        'asked for on ' || l.certificate || '; the register does not say whether a certificate or an extension was given',
        l.certificate IS NOT NULL, l.registration_id, 'delay_submitted') AS extension_possible,
    leg(
        l.certificate,
        CASE
            WHEN l.certificate IS NULL OR l.certificate <= l.due_undeferred_earliest THEN false
            WHEN l.certificate > l.due_undeferred THEN true END,
        l.registration_id, 'delay_submitted') AS late_certificate,
    leg(
        CASE
            WHEN l.has_results THEN 'results posted' || coalesce(' ' || l.results_posted, '')
                || coalesce(', submitted ' || l.results_submitted, '')
            WHEN l.is_public THEN 'submitted' || coalesce(' ' || l.handed_in, '') END,
        l.is_public, l.registration_id, 'has_results') AS public,
    leg(
        CASE WHEN l.is_handed_in THEN 'submitted' || coalesce(' ' || l.handed_in, '') END,
        l.is_handed_in AND l.is_public IS NOT TRUE, l.registration_id, 'result_events') AS submitted,
    leg(
        CASE WHEN l.is_cancelled THEN 'cancelled' || coalesce(' ' || l.last_cancelled, '') END,
        l.is_cancelled AND l.is_public IS NOT TRUE, l.registration_id, 'result_events') AS cancelled,
    searched_leg(l.last_seen_directly, l.vanished_on IS NOT NULL, l.registration_id, getvariable('policy')) AS searched
FROM edited AS l
UNION ALL BY NAME
-- Nothing is asked of a trial that is not registered there.
SELECT
    trial_id,
    getvariable('policy').version AS rule_version,
    leg('not registered there', false, NULL, 'registration_id') AS on_register,
    nothing AS started,
    nothing AS interventional,
    nothing AS regulated,
    nothing AS covered_phase,
    nothing AS not_feasibility,
    nothing AS start_stated,
    nothing AS reached,
    nothing AS product_approved,
    nothing AS covered_intervention,
    nothing AS us_nexus,
    nothing AS not_waived,
    nothing AS in_scope_before,
    nothing AS completed,
    nothing AS running,
    nothing AS extension_possible,
    nothing AS late_certificate,
    nothing AS public,
    nothing AS submitted,
    nothing AS cancelled,
    nothing AS searched
FROM (
    SELECT trial_id, leg(NULL, NULL, NULL, 'registration_id') AS nothing
    FROM trials ANTI JOIN nct_registrations USING (trial_id)
)
