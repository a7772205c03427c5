-- The criteria that most reporting policies share, one row per trial: did it start, was it prohibited, what kind of study
-- is it, was it once another kind, has it a UK site, when did it complete, does it run, are its results on a register. They
-- are joined here once, so that a policy which adds little to them is a projection of this relation.
WITH edits AS (
    SELECT v.trial_id, arg_max(v.registration_id, v.valid_to) AS registration_id, max(v.valid_to) AS changed_on
    FROM registration_versions AS v
    JOIN trials AS t ON t.trial_id = v.trial_id AND t.study_type_from = v.registration_id
    WHERE v.study_type = 'interventional' AND NOT v.is_current AND t.study_type <> 'interventional'
    GROUP BY v.trial_id
), unstated AS (
    -- That some countries refused the trial, or that its move to CTIS was refused, does not say that it ran nowhere, where
    -- another country's record states no status; a third country's never does.
    SELECT registration_id FROM euctr_protocols WHERE status IS NULL
    UNION
    SELECT s.registration_id
    FROM euctr_protocols AS p
    JOIN speaking_registrations AS s ON s.trial_id = p.trial_id AND s.registry = 'ctis'
    WHERE p.status IS NULL
)
SELECT
    t.trial_id,
    leg(
        concat_ws(', ', t.status, 'enrolment ' || t.enrolment || ' ' || coalesce(t.enrolment_type, '')),
        CASE
            WHEN (s.never_ran AND o.registration_id IS NULL) OR (t.enrolment = 0 AND t.enrolment_type = 'actual') THEN false
            -- Whether anyone was enrolled before the authority prohibited or revoked it, or where it was not refused, only
            -- a count of them or results say.
            WHEN s.code IS NOT NULL AND s.never_ran IS NOT false THEN CASE
                WHEN (t.enrolment > 0 AND t.enrolment_type = 'actual') OR r.public.outcome OR r.submitted.outcome
                THEN true END
            WHEN t.status IS NOT NULL OR t.enrolment IS NOT NULL THEN true END,
        coalesce(t.status_from, t.enrolment_from), 'status, enrolment') AS started,
    leg(
        t.status || CASE WHEN s.never_ran AND o.registration_id IS NOT NULL
            THEN '; the record of another country states no status' ELSE '' END,
        CASE WHEN s.code IS NULL OR s.never_ran = false OR (started).outcome IS NOT NULL THEN true END,
        t.status_from, 'status, enrolment') AS not_prohibited,
    leg(t.study_type, t.study_type = 'interventional', coalesce(t.study_type_from, t.main_registration_id), 'study_type')
        AS interventional,
    leg(u.named, u.has_site, coalesce(u.registration_id, t.status_from, t.enrolment_from), 'countries') AS uk_site,
    leg('interventional until ' || e.changed_on, e.trial_id IS NOT NULL, e.registration_id, 'study_type')
        AS in_scope_before,
    leg(t.status, s.runs, coalesce(t.status_from, t.main_registration_id), 'status') AS running,
    -- The EU register's end is the global one, and a state of its own for each country: an end that has passed while a
    -- country runs is a contradiction there. Elsewhere both are of one record, which is kept late, and dates decide.
    leg(
        CASE WHEN p.registration_id IS NOT NULL THEN t.completion_raw END,
        coalesce(s.runs AND p.registration_id IS NOT NULL
            AND coalesce(t.primary_completion_from, t.completion_from) = t.completion_from
            AND t.completion_latest <= getvariable('as_of'), false),
        p.registration_id, 'completion, status') AS ended_while_running,
    -- The clock by primary completion; completion stands for it where it is the only one known, and the other way.
    coalesce(t.primary_completion_earliest, t.completion_earliest) AS primary_earliest,
    coalesce(t.primary_completion_latest, t.completion_latest) AS primary_latest,
    coalesce(t.completion_earliest, t.primary_completion_earliest) AS completion_earliest,
    coalesce(t.completion_latest, t.primary_completion_latest) AS completion_latest,
    CASE
        WHEN t.primary_completion_earliest IS NOT NULL OR t.completion_earliest IS NULL THEN leg(
            t.primary_completion_raw, completed_by(t.primary_completion_earliest, t.primary_completion_latest),
            coalesce(t.primary_completion_from, t.main_registration_id), 'primary_completion')
        ELSE proxy_leg(
            t.completion_raw, completed_by(t.completion_earliest, t.completion_latest),
            t.completion_from, 'completion') END AS primary_completed,
    CASE
        WHEN t.completion_earliest IS NOT NULL OR t.primary_completion_earliest IS NULL THEN leg(
            t.completion_raw, completed_by(t.completion_earliest, t.completion_latest),
            coalesce(t.completion_from, t.main_registration_id), 'completion')
        ELSE proxy_leg(
            t.primary_completion_raw, completed_by(t.primary_completion_earliest, t.primary_completion_latest),
            t.primary_completion_from, 'primary_completion') END AS completed,
    r.* EXCLUDE (trial_id)
FROM trials AS t
JOIN register_result_legs AS r USING (trial_id)
JOIN uk_sites AS u USING (trial_id)
LEFT JOIN vocabulary_recruitment_status AS s ON s.code = t.status
LEFT JOIN unstated AS o ON o.registration_id = t.status_from
LEFT JOIN (SELECT registration_id FROM registrations WHERE registry = 'euctr') AS p
    ON p.registration_id = t.status_from AND p.registration_id = t.completion_from
LEFT JOIN edits AS e USING (trial_id)
