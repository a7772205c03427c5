-- What the look-up shows of each trial in `wanted`, as JSON: everything that the explanation of a trial rests on.
-- `verdicts` comes from the legs of each policy and is made in `lookup`, since the legs are in the contracts;
-- `site_sponsors` has the folder of each sponsor's page.
WITH registered AS (
    SELECT
        trial_id,
        list({
            'id': registration_id, 'registry': registry, 'url': url, 'source': source, 'seen': last_seen,
            'read': last_seen_directly, 'gone': vanished_on, 'replaced_by': replaced_by} ORDER BY registration_id)
            AS registrations
    FROM registrations SEMI JOIN wanted USING (trial_id)
    GROUP BY trial_id
), known AS (
    SELECT trial_id, list({'number': number, 'kind': kind} ORDER BY kind, number) AS numbers
    FROM (SELECT DISTINCT trial_id, number, kind FROM identifiers SEMI JOIN wanted USING (trial_id) WHERE kind <> 'registration')
    GROUP BY trial_id
), linked AS (
    SELECT
        trial_id,
        list({'a': registration_id, 'b': other_id, 'method': method, 'decision': decision, 'reason': reason}
            ORDER BY decision = 'merged' DESC, evidence_class, registration_id, other_id, method) AS links
    FROM (
        SELECT * EXCLUDE (other_trial_id) FROM trial_links SEMI JOIN wanted USING (trial_id)
        UNION BY NAME
        SELECT * EXCLUDE (trial_id, other_trial_id), other_trial_id AS trial_id
        FROM trial_links SEMI JOIN wanted ON wanted.trial_id = trial_links.other_trial_id)
    GROUP BY trial_id
), articles AS (
    SELECT
        trial_id,
        list({
            'pmid': l.pmid, 'published': l.published_earliest, 'title': p.title, 'journal': p.journal, 'doi': p.doi,
            'counts': l.counts_as_results, 'why': l.filter_outcome, 'tier': l.tier, 'evidence': l.evidence,
            'before': l.is_before_pcd, 'pooled': l.is_pooled, 'retracted': l.is_retracted, 'preprint': l.is_preprint}
            ORDER BY l.counts_as_results DESC, l.pmid) AS papers
    FROM (FROM trial_publications SEMI JOIN wanted USING (trial_id)) AS l LEFT JOIN publications AS p USING (pmid)
    GROUP BY trial_id
), disagreeing AS (
    SELECT trial_id, list({'field': field, 'values': list_transform("values", lambda v: {
        'id': v.registration_id, 'value': v.value})} ORDER BY field) AS disagreements
    FROM discrepancies SEMI JOIN wanted USING (trial_id)
    GROUP BY trial_id
), begun AS (
    SELECT trial_id, list({'rule': rule, 'status': status, 'missing': missing_field} ORDER BY rule) AS before_start
    FROM registration_status SEMI JOIN wanted USING (trial_id)
    GROUP BY trial_id
), past AS (
    SELECT
        trial_id,
        list({
            'policy': policy, 'day': as_of, 'from': from_status, 'to': to_status, 'reason': reason, 'fields': fields}
            ORDER BY entry DESC, policy) AS history
    FROM status_transitions SEMI JOIN wanted USING (trial_id)
    GROUP BY trial_id
), disputed AS (
    SELECT
        trial_id,
        list({
            'id': contest_id, 'policy': policy, 'reason': reason, 'opened': opened_on, 'decided': decided_on,
            'decision': decision, 'what': what} ORDER BY opened_on DESC, contest_id) AS contests
    FROM contests SEMI JOIN wanted USING (trial_id)
    GROUP BY trial_id
)
SELECT
    t.trial_id,
    -- The verdicts are JSON already, and most of it: they are not read again.
    rtrim(CAST(to_json({
        'title': t.title, 'sponsor': t.sponsor, 'sponsor_at': o.slug, 'sponsor_class': t.sponsor_class,
        'study_type': t.study_type, 'phase': t.phase, 'status': t.status, 'enrolment': t.enrolment,
        'enrolment_type': t.enrolment_type, 'registered': t.registered, 'start': t.start_raw,
        'primary_completion': t.primary_completion_raw, 'completion': t.completion_raw,
        'completed': s.completion, 'results': s.results, 'not_searched': s.not_searched,
        'registrations': r.registrations, 'numbers': k.numbers, 'links': l.links[1:20], 'all_links': len(l.links),
        'papers': p.papers[1:20], 'all_papers': len(p.papers), 'disagreements': d.disagreements,
        'before_start': b.before_start, 'history': h.history, 'contests': q.contests,
        'ladder': [
            {'rung': 'r0_known', 'reached': c.r0_known, 'date': c.r0_date, 'at': c.r0_where},
            {'rung': 'r1_registered_before_start', 'reached': c.r1_registered_before_start, 'date': c.r1_date, 'at': c.r0_where},
            {'rung': 'r2_summary_results', 'reached': c.r2_summary_results, 'date': c.r2_date, 'at': c.r2_where},
            {'rung': 'r2s_submitted', 'reached': c.r2s_submitted, 'date': c.r2s_date, 'at': NULL},
            {'rung': 'r3_results_article', 'reached': c.r3_results_article, 'date': c.r3_date, 'at': 'PMID ' || c.r3_pmid},
            {'rung': 'r4_full_report', 'reached': c.r4_full_report, 'date': c.r4_date, 'at': c.r4_where},
            {'rung': 'r4p_protocol_and_plan', 'reached': c.r4p_protocol_and_plan, 'date': c.r4p_date, 'at': c.r4p_where},
            {'rung': 'x_retracted', 'reached': c.x_retracted, 'date': NULL, 'at': 'PMID ' || c.x_pmid}],
        'any_results': c.any_results, 'results_date': c.earliest_results_date,
        'results_at': c.earliest_results_where}) AS VARCHAR), '}') || ',"verdicts":[' || v.verdicts || ']}' AS trial
FROM wanted AS w
JOIN trials AS t USING (trial_id)
JOIN trial_standings AS s USING (trial_id)
JOIN disclosure AS c USING (trial_id)
JOIN registered AS r USING (trial_id)
JOIN verdicts AS v USING (trial_id)
LEFT JOIN site_sponsors AS o ON o.sponsor_id = t.sponsor_id
LEFT JOIN known AS k USING (trial_id)
LEFT JOIN linked AS l USING (trial_id)
LEFT JOIN articles AS p USING (trial_id)
LEFT JOIN disagreeing AS d USING (trial_id)
LEFT JOIN begun AS b USING (trial_id)
LEFT JOIN past AS h USING (trial_id)
LEFT JOIN disputed AS q USING (trial_id)
