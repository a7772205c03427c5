-- What changed between two versions of a record, value by value, and where the trial stood by the new version's own dates.
-- A date is another one where it means other days, not where it is only written otherwise. What one form of a record holds
-- and the other does not was neither added nor removed: of an extract beside a full text, all but status and end.
WITH single AS (
    SELECT
        registration_id, source, part, version, 1 AS place,
        unnest(list_filter([
            value_change('study_type', coalesce(old.study_type, old.study_type_source),
                coalesce(new.study_type, new.study_type_source), coalesce(old.study_type_source, old.study_type),
                coalesce(new.study_type_source, new.study_type)),
            value_change('phase', coalesce(old.phase, folded_words(old.phase_source)),
                coalesce(new.phase, folded_words(new.phase_source)), coalesce(old.phase_source, old.phase),
                coalesce(new.phase_source, new.phase)),
            value_change('primary_purpose', old.primary_purpose, new.primary_purpose, old.primary_purpose,
                new.primary_purpose),
            value_change('status', coalesce(old.status, old.status_source), coalesce(new.status, new.status_source),
                coalesce(old.status_source, old.status), coalesce(new.status_source, new.status)),
            value_change('sponsor', sponsor_key(old.sponsor), sponsor_key(new.sponsor), old.sponsor, new.sponsor),
            dated_change('start', old.start_raw, old.start_earliest, old.start_latest, old.start_type,
                new.start_raw, new.start_earliest, new.start_latest, new.start_type),
            dated_change('primary_completion', old.primary_completion_raw, old.primary_completion_earliest,
                old.primary_completion_latest, old.primary_completion_type, new.primary_completion_raw,
                new.primary_completion_earliest, new.primary_completion_latest, new.primary_completion_type),
            dated_change('completion', old.completion_raw, old.completion_earliest, old.completion_latest,
                old.completion_type, new.completion_raw, new.completion_earliest, new.completion_latest,
                new.completion_type),
            typed_change('enrolment', old.enrolment, new.enrolment, old.enrolment, new.enrolment,
                old.enrolment_type, new.enrolment_type),
            plain_change('is_fda_regulated_drug', old.is_fda_regulated_drug, new.is_fda_regulated_drug),
            plain_change('is_fda_regulated_device', old.is_fda_regulated_device, new.is_fda_regulated_device),
            plain_change('is_unapproved_device', old.is_unapproved_device, new.is_unapproved_device),
            plain_change('is_ppsd', old.is_ppsd, new.is_ppsd),
            plain_change('is_us_export', old.is_us_export, new.is_us_export),
            -- A record that does not say whether there are results says of neither that it came nor that it went.
            CASE WHEN old.shown_results IS NOT NULL AND new.shown_results IS NOT NULL
                THEN plain_change('has_results', old.shown_results, new.shown_results) END,
            plain_change('results_submitted', old.results_submitted, new.results_submitted),
            plain_change('results_posted', old.results_posted, new.results_posted),
            plain_change('delay_submitted', old.delay_submitted, new.delay_submitted)
        ], lambda c: c IS NOT NULL AND NOT (old.is_extract <> new.is_extract
            AND c.change IN ('added', 'removed') AND c.field NOT IN ('status', 'completion')))) AS c
    FROM version_pairs
), listed AS (
    SELECT registration_id, source, part, version, CAST(generate_subscripts(changes, 1) AS INTEGER) AS place, unnest(changes) AS c
    FROM (
        SELECT
            registration_id, source, part, version,
            list_concat(
                item_changes('result_event', old.result_events, new.result_events),
                item_changes('document', old.documents, new.documents),
                item_changes('country', known_items(old.countries), known_items(new.countries))) AS changes
        FROM version_pairs
        WHERE old.is_extract = new.is_extract)
), changes AS (
    SELECT
        registration_id, source, part, version, place,
        c.field, c.change, c.old_value, c.new_value, c.old_type, c.new_type, NULL::DOUBLE AS similarity
    FROM (FROM single UNION ALL BY NAME FROM listed)
    UNION ALL BY NAME
    FROM outcome_changes
    WHERE source <> 'ctgov_history'
), placed AS (
    SELECT
        p.registration_id, p.source, p.part, p.version, p.snapshot, p.first_seen, p.changed_after, p.changed_by,
        CASE
            WHEN v.never_ran THEN false
            ELSE came_after(
                new.start_earliest, new.start_latest, new.start_type,
                start_is_ahead(new.start_type, new.status, v.runs), changed_after, changed_by) END AS after_start,
        CASE
            WHEN v.never_ran THEN false
            WHEN new.primary_completion_earliest IS NOT NULL THEN came_after(
                new.primary_completion_earliest, new.primary_completion_latest, new.primary_completion_type, v.runs,
                changed_after, changed_by)
            ELSE came_after(
                new.completion_earliest, new.completion_latest, new.completion_type, v.runs, changed_after, changed_by)
            END AS after_completion,
        CASE
            WHEN new.results_posted IS NULL AND NOT new.has_results THEN false
            ELSE came_after(new.results_posted, new.results_posted, NULL, NULL, changed_after, changed_by) END
            AS after_results
    FROM version_pairs AS p
    LEFT JOIN vocabulary_recruitment_status AS v ON v.code = p.new.status
), numbered AS (
    SELECT
        p.*,
        c.* EXCLUDE (registration_id, source, part, version, place),
        CAST(row_number() OVER (
            PARTITION BY p.registration_id, p.source, p.part, p.version, c.field
            ORDER BY c.place, c.change, c.old_value, c.new_value) AS INTEGER) AS ordinal
    FROM changes AS c
    JOIN placed AS p USING (registration_id, source, part, version)
    UNION ALL BY NAME
    FROM history_changes
)
SELECT n.*, m.trial_id, state_then(after_start, after_completion, after_results) AS state
FROM numbered AS n
JOIN trial_members AS m USING (registration_id)
