-- What the newest version of each EUCTR country record says that has the fields at all: the full text and converted
-- records have phase, plan and age of participants and no results link, field extracts the link alone.
SELECT
    v.registration_id,
    v.source,
    v.part,
    arg_max({
        'only_phase_1': only_phase_1(r.own_fields), 'is_in_pip': is_in_pip(r.own_fields),
        'has_minors': has_minors(r.own_fields)
    }, v.version) FILTER (WHERE NOT is_field_extract(r.own_fields)) AS scope,
    arg_max({
        'has_results': r.has_results, 'results_link': r.own_fields['trial_results'], 'last_seen': v.last_seen
    }, v.version) FILTER (WHERE r.has_results IS NOT NULL) AS link
FROM version_spans AS v
JOIN staged_registrations AS r USING (file, record_number)
WHERE v.source = 'euctr' AND r.source = 'euctr' AND v.part NOT IN ('', 'results')
GROUP BY v.registration_id, v.source, v.part
