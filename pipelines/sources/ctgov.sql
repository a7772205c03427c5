-- One row of the staging contract registration_records per study of the relation `wire` (API v2, all leaves text).
-- `wire` has the columns record_number and study. The snapshot's date is getvariable('day').
-- Dates come out as structs; the caller spreads them over their columns and adds the content hash.
WITH study AS (
    SELECT
        record_number,
        study.protocolSection.identificationModule AS ids,
        study.protocolSection.statusModule AS dates,
        study.protocolSection.sponsorCollaboratorsModule AS sponsoring,
        study.protocolSection.oversightModule AS oversight,
        study.protocolSection.descriptionModule AS description,
        study.protocolSection.conditionsModule AS condition,
        study.protocolSection.designModule AS design,
        study.protocolSection.armsInterventionsModule.interventions AS interventions,
        study.protocolSection.outcomesModule AS outcome,
        study.protocolSection.contactsLocationsModule AS place,
        study.protocolSection.referencesModule."references" AS refs,
        study.annotationSection.annotationModule.unpostedAnnotation.unpostedEvents AS unposted,
        study.derivedSection.miscInfoModule.submissionTracking AS tracking,
        study.documentSection.largeDocumentModule.largeDocs AS docs,
        study.resultsSection.outcomeMeasuresModule.outcomeMeasures AS measured,
        study.derivedSection AS derived,
        study.hasResults AS has_results_text,
        study.history.changes AS versions,
        study.history.originalData AS original,
        study.history.lastUpdateVersions AS last_versions
    FROM wire
), named AS (
    SELECT
        *,
        upper(trim(ids.nctId)) AS nct,
        nullif(array_to_string(list_sort(design.phases), '|'), '') AS phase_source,
        sponsoring.leadSponsor.name AS lead,
        sponsoring.leadSponsor.class AS lead_class,
        list_transform(place.locations, lambda l: without_mail(l.country)) AS site_countries,
        list_append(
            list_transform(place.overallOfficials, lambda o: person_key(o.name)),
            person_key(sponsoring.responsibleParty.oldNameTitle)) AS people,
        person_key(sponsoring.responsibleParty.investigatorFullName) AS investigator,
        -- The responsible party's own name is a person's. An official's "name" is at times the company itself, so for
        -- those the class of the sponsor and the words of its name have to leave room for a person.
        coalesce(lead_class = 'INDIV' OR person_key(lead) = investigator, false)
            OR (leaves_room_for_person(lead, lead_class) AND coalesce(list_contains(people, person_key(lead)), false))
            AS lead_is_person,
        list_transform(
            coalesce(sponsoring.collaborators, []),
            lambda s: coalesce(s.class = 'INDIV' OR person_key(s.name) = investigator, false)
                OR (leaves_room_for_person(s.name, s.class)
                    AND (coalesce(list_contains(people, person_key(s.name)), false) OR has_title(s.name)))
        ) AS collaborator_is_person
    FROM study
)
SELECT
    record_number,
    nct AS registration_id,
    '' AS part,
    'nct' AS registry,
    'ctgov' AS source,
    'https://clinicaltrials.gov/study/' || nct AS url,
    without_mail(ids.briefTitle) AS title,
    without_mail(ids.officialTitle) AS official_title,
    without_mail(ids.acronym) AS acronym,
    word_study_type(design.studyType) AS study_type,
    without_mail(design.studyType) AS study_type_source,
    word_phase(phase_source) AS phase,
    without_mail(phase_source) AS phase_source,
    word_primary_purpose(design.designInfo.primaryPurpose) AS primary_purpose,
    word_status(dates.overallStatus) AS status,
    without_mail(dates.overallStatus) AS status_source,
    word_status(dates.lastKnownStatus) AS last_known_status,
    without_mail(dates.whyStopped) AS why_stopped,
    private_name(lead, lead_is_person) AS sponsor,
    word_sponsor_class(lead_class) AS sponsor_class,
    without_mail(lead_class) AS sponsor_class_source,
    CASE WHEN lead IS NOT NULL THEN lead_is_person END AS sponsor_is_person,
    partial_date(without_mail(dates.studyFirstSubmitDate), NULL::VARCHAR, getvariable('day')) AS registered,
    whole_day(dates.studyFirstPostDateStruct.date, getvariable('day')) AS first_posted,
    partial_date(
        without_mail(dates.startDateStruct.date),
        word_date_type(dates.startDateStruct.type),
        getvariable('day')) AS start,
    partial_date(
        without_mail(dates.primaryCompletionDateStruct.date),
        word_date_type(dates.primaryCompletionDateStruct.type),
        getvariable('day')) AS primary_completion,
    partial_date(
        without_mail(dates.completionDateStruct.date),
        word_date_type(dates.completionDateStruct.type),
        getvariable('day')) AS completion,
    partial_date(without_mail(dates.statusVerifiedDate), NULL::VARCHAR, getvariable('day')) AS verified,
    whole_day(dates.lastUpdateSubmitDate, getvariable('day')) AS last_update_submitted,
    whole_day(dates.lastUpdatePostDateStruct.date, getvariable('day')) AS last_update_posted,
    whole_number(design.enrollmentInfo.count) AS enrolment,
    word_date_type(design.enrollmentInfo.type) AS enrolment_type,
    flag(has_results_text) AS has_results,
    whole_day(dates.resultsFirstSubmitDate, getvariable('day')) AS results_submitted,
    whole_day(dates.resultsFirstSubmitQcDate, getvariable('day')) AS results_submitted_qc,
    whole_day(dates.resultsFirstPostDateStruct.date, getvariable('day')) AS results_posted,
    word_date_type(dates.resultsFirstPostDateStruct.type) AS results_posted_type,
    flag(dates.resultsWaived) AS results_waived,
    whole_day(dates.dispFirstSubmitDate, getvariable('day')) AS delay_submitted,
    whole_day(dates.dispFirstPostDateStruct.date, getvariable('day')) AS delay_posted,
    flag(oversight.isFdaRegulatedDrug) AS is_fda_regulated_drug,
    flag(oversight.isFdaRegulatedDevice) AS is_fda_regulated_device,
    flag(oversight.isUnapprovedDevice) AS is_unapproved_device,
    flag(oversight.isPpsd) AS is_ppsd,
    flag(oversight.isUsExport) AS is_us_export,
    flag(oversight.fdaaa801Violation) AS has_fdaaa_violation,
    without_mail(derived.miscInfoModule.versionHolder) AS data_version,
    list_filter(
        list_transform(ids.nctIdAliases, lambda a: upper(trim(a))),
        lambda a: coalesce(regexp_full_match(a, 'NCT[0-9]{8}'), false)) AS aliases,
    list_concat(
        CASE WHEN ids.orgStudyIdInfo.id IS NOT NULL
            THEN [{'value': without_mail(ids.orgStudyIdInfo.id), 'type': 'ORG_STUDY_ID', 'domain': NULL::VARCHAR}]
            ELSE [] END,
        list_transform(
            coalesce(ids.secondaryIdInfos, []),
            lambda s: {'value': without_mail(s.id), 'type': without_mail(s.type), 'domain': without_mail(s.domain)})
    ) AS identifiers,
    numbers_in(
        [ids.briefTitle, ids.officialTitle, description.briefSummary, description.detailedDescription], nct
    ) AS mentions,
    list_transform(condition.conditions, lambda c: without_mail(c)) AS conditions,
    list_transform(condition.keywords, lambda k: without_mail(k)) AS keywords,
    mesh_terms(derived.conditionBrowseModule.meshes) AS condition_mesh,
    mesh_terms(derived.conditionBrowseModule.ancestors) AS condition_mesh_above,
    list_transform(
        interventions,
        lambda i: {
            'type': word_intervention_type(i.type),
            'name': without_mail(i.name),
            'other_names': list_transform(i.otherNames, lambda n: without_mail(n))}
    ) AS interventions,
    mesh_terms(derived.interventionBrowseModule.meshes) AS intervention_mesh,
    mesh_terms(derived.interventionBrowseModule.ancestors) AS intervention_mesh_above,
    list_concat(
        registered_outcomes(outcome.primaryOutcomes, 'primary'),
        registered_outcomes(outcome.secondaryOutcomes, 'secondary'),
        registered_outcomes(outcome.otherOutcomes, 'other')) AS outcomes,
    flatten(list_transform(
        coalesce(measured, []),
        lambda o, place: CASE WHEN o.type = 'PRIMARY' THEN primary_analyses(o, place) ELSE [] END)) AS analyses,
    list_concat(
        list_transform(
            list_sort(list_distinct(site_countries)),
            lambda c: {
                'country': c,
                'sites': len(list_filter(site_countries, lambda s: s = c)),
                'is_removed': false}),
        list_transform(
            list_sort(list_distinct(list_transform(
                derived.miscInfoModule.removedCountries, lambda c: without_mail(c)))),
            lambda c: {'country': c, 'sites': 0::BIGINT, 'is_removed': true})
    ) AS countries,
    list_concat(
        CASE WHEN lead IS NOT NULL THEN [{
            'name': private_name(lead, lead_is_person),
            'role': 'lead',
            'class': word_sponsor_class(lead_class),
            'is_person': lead_is_person}] ELSE [] END,
        list_transform(
            coalesce(sponsoring.collaborators, []),
            lambda s, i: {
                'name': private_name(s.name, collaborator_is_person[i]),
                'role': 'collaborator',
                'class': word_sponsor_class(s.class),
                'is_person': collaborator_is_person[i]})
    ) AS sponsors,
    list_transform(
        refs,
        lambda r: {
            'pmid': whole_number(trim(r.pmid)),
            'doi': lower(nullif(
                regexp_extract(r.citation, '\b(10\.\d{4,9}/[^\s"<>]*[^\s"<>.,;:)\]])', 1), '')),
            'type': word_reference_type(r.type)}
    ) AS publications,
    list_transform(
        coalesce(docs, []),
        lambda d: {
            'kind': CASE
                WHEN flag(d.hasProtocol) AND flag(d.hasSap) THEN 'protocol_and_analysis_plan'
                WHEN flag(d.hasProtocol) THEN 'protocol'
                WHEN flag(d.hasSap) THEN 'analysis_plan'
                WHEN flag(d.hasIcf) THEN 'consent_form'
                ELSE 'other' END,
            'date': whole_day(d.date, getvariable('day')),
            'uploaded': whole_day(left(d.uploadDate, 10), getvariable('day')),
            'label': without_mail(d.label),
            'url': 'https://cdn.clinicaltrials.gov/large-docs/' || right(nct, 2) || '/' || nct || '/'
                || without_mail(d.filename)}
    ) AS documents,
    -- The same event stands in up to two places of the record; once a date is gone from both, only its kind is known.
    list_sort(list_distinct(list_concat(
        list_transform(
            coalesce(unposted, []),
            lambda e: {'event': word_result_event(e.type), 'date': whole_day(e.date, getvariable('day'))}),
        list_transform(
            list_filter(coalesce(tracking.submissionInfos, []), lambda e: e.releaseDate IS NOT NULL),
            lambda e: {'event': 'submitted', 'date': whole_day(e.releaseDate, getvariable('day'))}),
        list_transform(
            list_filter(coalesce(tracking.submissionInfos, []), lambda e: e.resetDate IS NOT NULL),
            lambda e: {'event': 'returned', 'date': whole_day(e.resetDate, getvariable('day'))}),
        list_transform(
            list_filter(
                coalesce(tracking.submissionInfos, []),
                lambda e: e.unreleaseDate IS NOT NULL OR coalesce(flag(e.unreleaseDateUnknown), false)),
            lambda e: {'event': 'cancelled', 'date': whole_day(e.unreleaseDate, getvariable('day'))}),
        CASE WHEN tracking.estimatedResultsFirstSubmitDate IS NOT NULL
            THEN [{
                'event': 'submitted',
                'date': whole_day(tracking.estimatedResultsFirstSubmitDate, getvariable('day'))}]
            ELSE [] END
    ))) AS result_events,
    list_transform(
        versions,
        lambda v: {
            'version': CAST(whole_number(v.version) AS INTEGER),
            'date': whole_day(v.date, getvariable('day')),
            'status': word_status(v.status),
            'status_source': without_mail(v.status),
            'modules': list_transform(coalesce(v.moduleLabels, []), lambda m: without_mail(m)),
            'events': list_transform(
                coalesce(v.unpostedEvents, []),
                lambda e: {'event': word_result_event(e.type), 'date': whole_day(e.date, getvariable('day'))}),
            'outcomes': CASE WHEN whole_number(v.version) = 0 THEN list_concat(
                registered_outcomes(original.primaryOutcomes, 'primary'),
                registered_outcomes(original.secondaryOutcomes, 'secondary')) END,
            'enrolment': CASE WHEN whole_number(v.version) = 0 THEN whole_number(original.enrollmentInfo.count) END,
            'enrolment_type':
                CASE WHEN whole_number(v.version) = 0 THEN word_date_type(original.enrollmentInfo.type) END,
            'last_changed': list_filter([
                CASE WHEN whole_number(v.version) = whole_number(last_versions.primaryOutcomes)
                    THEN 'primary_outcome' END,
                CASE WHEN whole_number(v.version) = whole_number(last_versions.enrollmentInfo) THEN 'enrolment' END
            ], lambda f: f IS NOT NULL)}
    ) AS history,
    NULL AS own_fields,
    list_concat(
        list_filter([
            fault('study_type', design.studyType, unknown_word(design.studyType, word_study_type(design.studyType))),
            fault('phase', phase_source, unknown_word(phase_source, word_phase(phase_source))),
            fault('status', dates.overallStatus, unknown_word(dates.overallStatus, word_status(dates.overallStatus))),
            fault('last_known_status', dates.lastKnownStatus,
                unknown_word(dates.lastKnownStatus, word_status(dates.lastKnownStatus))),
            fault('primary_purpose', design.designInfo.primaryPurpose,
                unknown_word(design.designInfo.primaryPurpose, word_primary_purpose(design.designInfo.primaryPurpose))),
            fault('sponsor_class', lead_class, unknown_word(lead_class, word_sponsor_class(lead_class))),
            fault('registered', dates.studyFirstSubmitDate,
                date_fault(dates.studyFirstSubmitDate, getvariable('day'))),
            fault('start', dates.startDateStruct.date, date_fault(dates.startDateStruct.date, getvariable('day'))),
            fault('primary_completion', dates.primaryCompletionDateStruct.date,
                date_fault(dates.primaryCompletionDateStruct.date, getvariable('day'))),
            fault('completion', dates.completionDateStruct.date,
                date_fault(dates.completionDateStruct.date, getvariable('day'))),
            fault('verified', dates.statusVerifiedDate, date_fault(dates.statusVerifiedDate, getvariable('day'))),
            fault('start_type', dates.startDateStruct.type,
                unknown_word(dates.startDateStruct.type, word_date_type(dates.startDateStruct.type))),
            fault('primary_completion_type', dates.primaryCompletionDateStruct.type,
                unknown_word(
                    dates.primaryCompletionDateStruct.type, word_date_type(dates.primaryCompletionDateStruct.type))),
            fault('completion_type', dates.completionDateStruct.type,
                unknown_word(dates.completionDateStruct.type, word_date_type(dates.completionDateStruct.type))),
            fault('first_posted', dates.studyFirstPostDateStruct.date,
                day_fault(dates.studyFirstPostDateStruct.date, getvariable('day'))),
            fault('last_update_submitted', dates.lastUpdateSubmitDate,
                day_fault(dates.lastUpdateSubmitDate, getvariable('day'))),
            fault('last_update_posted', dates.lastUpdatePostDateStruct.date,
                day_fault(dates.lastUpdatePostDateStruct.date, getvariable('day'))),
            fault('results_submitted', dates.resultsFirstSubmitDate,
                day_fault(dates.resultsFirstSubmitDate, getvariable('day'))),
            fault('results_submitted_qc', dates.resultsFirstSubmitQcDate,
                day_fault(dates.resultsFirstSubmitQcDate, getvariable('day'))),
            fault('results_posted', dates.resultsFirstPostDateStruct.date,
                day_fault(dates.resultsFirstPostDateStruct.date, getvariable('day'))),
            fault('delay_submitted', dates.dispFirstSubmitDate,
                day_fault(dates.dispFirstSubmitDate, getvariable('day'))),
            fault('delay_posted', dates.dispFirstPostDateStruct.date,
                day_fault(dates.dispFirstPostDateStruct.date, getvariable('day'))),
            fault('enrolment', design.enrollmentInfo.count,
                CASE WHEN design.enrollmentInfo.count IS NOT NULL AND whole_number(design.enrollmentInfo.count) IS NULL
                    THEN 'not a number of participants' END),
            fault('enrolment_type', design.enrollmentInfo.type,
                unknown_word(design.enrollmentInfo.type, word_date_type(design.enrollmentInfo.type))),
            fault('results_posted_type', dates.resultsFirstPostDateStruct.type,
                unknown_word(
                    dates.resultsFirstPostDateStruct.type, word_date_type(dates.resultsFirstPostDateStruct.type))),
            fault('has_results', has_results_text, flag_fault(has_results_text)),
            fault('results_waived', dates.resultsWaived, flag_fault(dates.resultsWaived)),
            fault('is_fda_regulated_drug', oversight.isFdaRegulatedDrug, flag_fault(oversight.isFdaRegulatedDrug)),
            fault('is_fda_regulated_device', oversight.isFdaRegulatedDevice,
                flag_fault(oversight.isFdaRegulatedDevice)),
            fault('is_unapproved_device', oversight.isUnapprovedDevice, flag_fault(oversight.isUnapprovedDevice)),
            fault('is_ppsd', oversight.isPpsd, flag_fault(oversight.isPpsd)),
            fault('is_us_export', oversight.isUsExport, flag_fault(oversight.isUsExport)),
            fault('has_fdaaa_violation', oversight.fdaaa801Violation, flag_fault(oversight.fdaaa801Violation)),
            mail_fault('title', concat_ws(' ', ids.briefTitle, ids.officialTitle, ids.acronym)),
            mail_fault('why_stopped', dates.whyStopped),
            mail_fault('identifiers', concat_ws(' ', ids.orgStudyIdInfo.id,
                array_to_string(list_transform(ids.secondaryIdInfos, lambda s: concat_ws(' ', s.id, s.domain)), ' '))),
            fault('aliases', array_to_string(ids.nctIdAliases, ' '),
                CASE WHEN len(list_filter(
                    ids.nctIdAliases,
                    lambda a: NOT regexp_full_match(upper(trim(a)), 'NCT[0-9]{8}'))) > 0
                    THEN 'not an NCT number' END),
            mail_fault('conditions', array_to_string(condition.conditions, ' ')),
            mail_fault('keywords', array_to_string(condition.keywords, ' ')),
            mail_fault('countries', array_to_string(list_transform(place.locations, lambda l: l.country), ' ')),
            mail_fault('sponsors', concat_ws(' ', lead,
                array_to_string(list_transform(sponsoring.collaborators, lambda s: s.name), ' '))),
            mail_fault('outcomes', CAST(outcome AS VARCHAR)),
            mail_fault('interventions', CAST(interventions AS VARCHAR)),
            mail_fault('analyses', CAST(list_filter(measured, lambda o: o.type = 'PRIMARY') AS VARCHAR)),
            mail_fault('documents',
                array_to_string(list_transform(docs, lambda d: concat_ws(' ', d.label, d.filename)), ' '))
        ], lambda f: f IS NOT NULL),
        list_transform(
            list_filter(interventions, lambda i: i.type IS NOT NULL AND word_intervention_type(i.type) IS NULL),
            lambda i: fault('interventions.type', i.type, 'unknown word')),
        list_transform(
            list_filter(
                flatten(list_transform(
                    list_filter(measured, lambda o: o.type = 'PRIMARY'),
                    lambda o: list_transform(coalesce(o.analyses, []), lambda a: a.nonInferiorityType))),
                lambda h: h IS NOT NULL AND word_hypothesis(h) IS NULL),
            lambda h: fault('analyses.hypothesis', h, 'unknown word')),
        list_transform(
            list_filter(refs, lambda r: r.type IS NOT NULL AND word_reference_type(r.type) IS NULL),
            lambda r: fault('publications.type', r.type, 'unknown word')),
        list_transform(
            list_filter(refs, lambda r: r.pmid IS NOT NULL AND whole_number(trim(r.pmid)) IS NULL),
            lambda r: fault('publications.pmid', r.pmid, 'not a PMID')),
        list_transform(
            list_filter(sponsoring.collaborators, lambda s: s.class IS NOT NULL AND word_sponsor_class(s.class) IS NULL),
            lambda s: fault('sponsors.class', s.class, 'unknown word')),
        list_transform(
            list_filter(unposted, lambda e: e.type IS NOT NULL AND word_result_event(e.type) IS NULL),
            lambda e: fault('result_events.event', e.type, 'unknown word')),
        list_transform(
            list_filter(
                list_concat(
                    list_transform(unposted, lambda e: e.date),
                    list_transform(tracking.submissionInfos, lambda e: e.releaseDate),
                    list_transform(tracking.submissionInfos, lambda e: e.resetDate),
                    list_transform(tracking.submissionInfos, lambda e: e.unreleaseDate),
                    [tracking.estimatedResultsFirstSubmitDate]),
                lambda d: day_fault(d, getvariable('day')) IS NOT NULL),
            lambda d: fault('result_events.date', d, day_fault(d, getvariable('day')))),
        list_transform(
            list_filter(
                list_concat(
                    list_transform(docs, lambda d: d.hasProtocol),
                    list_transform(docs, lambda d: d.hasSap),
                    list_transform(docs, lambda d: d.hasIcf)),
                lambda x: flag_fault(x) IS NOT NULL),
            lambda x: fault('documents.kind', x, flag_fault(x))),
        list_transform(
            list_filter(docs, lambda d: day_fault(d.date, getvariable('day')) IS NOT NULL),
            lambda d: fault('documents.date', d.date, day_fault(d.date, getvariable('day')))),
        list_transform(
            list_filter(docs, lambda d: day_fault(left(d.uploadDate, 10), getvariable('day')) IS NOT NULL),
            lambda d: fault('documents.uploaded', d.uploadDate, day_fault(left(d.uploadDate, 10), getvariable('day'))))
    ) AS rejects
FROM named
