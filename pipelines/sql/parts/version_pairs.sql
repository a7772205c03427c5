-- Every version of a record beside the one before it: what is compared of both, and between which days it was edited.
-- changed_after: the old version still stood there, by the snapshots and by listings. Where a snapshot's date
-- contradicts that (an old file imported under a later day), the old version's own last update is all that is known.
-- What one source passes on of another's record can lag behind it: seeing the old version says nothing of the register,
-- only the day on which it was taken over does. A register shows an edit days after it was handed in, and goes on
-- showing the old version: where the new one gives the day of its submission, the edit was made by then. A day of
-- update or of submission that both versions give is not that of the edit: the register itself changed the record, and
-- only the snapshots tell when. Of versions that came on one day nobody saw which stood there when: then too the old
-- version's last update is all that is known, or nothing where it gives none.
-- shown_results: what the newest form that can show results showed: of a country's record in the EU's former register a
-- full text cannot, and says neither that they went nor that they came.
WITH eu_results AS (
    SELECT
        s.registration_id, s.source, s.part, s.version,
        last_value(r.has_results IGNORE NULLS) OVER (
            PARTITION BY s.registration_id, s.part ORDER BY s.version) AS has_results
    FROM version_spans AS s
    JOIN staged_registrations AS r USING (file, record_number)
    WHERE s.source = 'euctr' AND r.source = 'euctr' AND s.part NOT IN ('', 'results')
), versions AS (
    SELECT
        s.registration_id, s.source, s.part, s.version, s.snapshot, s.first_seen, s.last_seen,
        t.registry IS NOT DISTINCT FROM r.registry AS is_registers_own,
        coalesce(r.last_update_posted, r.last_update_submitted) AS stated,
        r.last_update_submitted AS submitted,
        {
            'study_type': r.study_type, 'study_type_source': r.study_type_source,
            'phase': r.phase, 'phase_source': r.phase_source, 'primary_purpose': r.primary_purpose,
            'status': r.status, 'status_source': r.status_source,
            'sponsor': CASE WHEN p.registration_id IS NULL THEN r.sponsor END,
            'start_raw': r.start_raw, 'start_earliest': r.start_earliest, 'start_latest': r.start_latest,
            'start_type': r.start_type, 'primary_completion_raw': r.primary_completion_raw,
            'primary_completion_earliest': r.primary_completion_earliest,
            'primary_completion_latest': r.primary_completion_latest,
            'primary_completion_type': r.primary_completion_type, 'completion_raw': r.completion_raw,
            'completion_earliest': r.completion_earliest, 'completion_latest': r.completion_latest,
            'completion_type': r.completion_type, 'enrolment': r.enrolment, 'enrolment_type': r.enrolment_type,
            'is_fda_regulated_drug': r.is_fda_regulated_drug, 'is_fda_regulated_device': r.is_fda_regulated_device,
            'is_unapproved_device': r.is_unapproved_device, 'is_ppsd': r.is_ppsd, 'is_us_export': r.is_us_export,
            'has_results': r.has_results, 'shown_results': coalesce(r.has_results, e.has_results),
            'results_submitted': r.results_submitted, 'results_posted': r.results_posted,
            'delay_submitted': r.delay_submitted,
            'result_events': list_transform(r.result_events, lambda e: concat_ws(' ', e.event, e.date)),
            'documents': list_transform(r.documents, lambda d: concat_ws(', ', coalesce(d.label, d.kind), d.date)),
            'countries': list_transform(
                list_filter(r.countries, lambda c: c.is_removed IS NOT TRUE), lambda c: c.country),
            'outcomes': r.outcomes,
            'is_extract': r.source = 'euctr' AND r.part <> 'results' AND is_field_extract(r.own_fields)
        } AS record
    FROM version_spans AS s
    SEMI JOIN (SELECT registration_id, source, part FROM version_spans WHERE version = 2) AS m
        USING (registration_id, source, part)
    JOIN staged_registrations AS r USING (file, record_number)
    JOIN source_terms AS t ON t.source = s.source
    LEFT JOIN personal_sponsors AS p ON p.registration_id = s.registration_id AND p.source = s.source
    LEFT JOIN eu_results AS e
        ON (e.registration_id, e.source, e.part, e.version) = (s.registration_id, s.source, s.part, s.version)
), pairs AS (
    SELECT
        b.registration_id, b.source, b.part, b.version, b.snapshot, b.first_seen, a.is_registers_own, a.stated,
        greatest(a.last_seen, l.last_listed) AS last_seen,
        coalesce(nullif(a.stated, b.stated), a.first_seen) AS old_from,
        coalesce(nullif(b.stated, a.stated), b.first_seen) AS new_from,
        nullif(b.submitted, a.submitted) AS submitted,
        a.record AS old,
        b.record AS new
    FROM versions AS a
    JOIN versions AS b USING (registration_id, source, part)
    LEFT JOIN listed_versions AS l
        ON (l.registration_id, l.source, l.part, l.version) = (a.registration_id, a.source, a.part, a.version)
    WHERE b.version = a.version + 1
), dated AS (
    SELECT
        *,
        greatest(old_from, new_from) AS changed_by,
        CASE WHEN NOT is_registers_own THEN CASE WHEN stated IS NOT NULL THEN least(stated, new_from) END
             WHEN last_seen < new_from THEN least(greatest(last_seen, old_from), submitted - 1)
             ELSE least(old_from, new_from, submitted - 1) END AS stood_on
    FROM pairs
)
SELECT
    registration_id, source, part, version, snapshot, first_seen, changed_by,
    CASE WHEN stood_on < changed_by THEN stood_on WHEN stated < changed_by THEN stated END AS changed_after,
    old, new
FROM dated
