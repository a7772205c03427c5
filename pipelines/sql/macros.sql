-- Macros that several queries share. The as-of date is getvariable('as_of'); a macro that asks for a policy's parameters is
-- given them (getvariable('policy')), since the views that use it are read when another policy has its turn.

-- Words without case and punctuation, for comparison.
CREATE OR REPLACE MACRO folded_words(x) AS
    nullif(trim(regexp_replace(lower(strip_accents(x)), '[^\p{L}\p{N}]+', ' ', 'g')), '');

-- The name of a sponsor for comparison: folded, without the article before it and the legal form behind it. Elsewhere the
-- same letters are part of the name ("KK Women's and Children's Hospital", "Merck KGaA, Darmstadt, Germany").
CREATE OR REPLACE MACRO sponsor_key(name) AS nullif(regexp_replace(regexp_replace(folded_words(name), '^the ', ''),
    '( (and )?(inc|incorporated|ltd|limited|llc|l l c|llp|plc|p l c|corp|corporation|co|company|gmbh|ggmbh|mbh|ag|kg|kgaa'
    || '|sa|s a|sas|s a s|sarl|srl|s r l|spa|s p a|sl|s l|nv|n v|bv|b v|ab|as|a s|oy|aps|pty|kk|k k|se))+$', ''), '');

-- The words of a name or title that tell it from others: long enough, and none of those that stand everywhere.
CREATE OR REPLACE MACRO telling_words(x, common) AS list_filter(
    string_split(coalesce(folded_words(x), ''), ' '), lambda w: length(w) > 3 AND NOT list_contains(common, w));

-- A title (its folded words) for comparison: nothing but letters and digits, no articles; a short one tells nothing.
CREATE OR REPLACE MACRO title_key(words) AS CASE
    WHEN length(replace(regexp_replace(words, '\b(a|an|the|n a)\b', '', 'g'), ' ', '')) >= 20
    THEN replace(regexp_replace(words, '\b(a|an|the|n a)\b', '', 'g'), ' ', '') END;

-- An aggregate: words of a trial's registrations in the order in which these list them. A list is sorted once it is made,
-- since an aggregate in order takes four times as long.
CREATE OR REPLACE MACRO words_as_listed(registration, place, words) AS list_transform(
    list_sort(list({'registration': registration, 'place': place, 'words': words})), lambda w: w.words);

-- An article's number as people write it: the bare PMID, the DOI in lower case, or PMC and digits.
CREATE OR REPLACE MACRO article_number(written) AS regexp_replace(
    lower(trim(written)),
    '^(https?://)?((dx\.)?doi\.org/|(www\.)?(pubmed\.ncbi\.nlm\.nih\.gov|ncbi\.nlm\.nih\.gov/pubmed)/'
        || '|(www\.)?(pmc\.ncbi\.nlm\.nih\.gov|ncbi\.nlm\.nih\.gov/pmc)/articles/|(doi|pmid|pmcid)\s*:?\s*)|/$',
    '', 'g');

-- Whether an article is of a type that holds no results of its own, by the types' numbers or their labels: of some we know
-- the label alone.
CREATE OR REPLACE MACRO is_excluded_type(ids, labels) AS coalesce(
    list_has_any(ids, getvariable('excluded_types').numbers)
    OR list_has_any(list_transform(labels, lambda t: lower(t)), getvariable('excluded_types').labels), false);

-- By what an article's record shows that it holds no results of a trial, as the results filter names it; NULL: by
-- nothing.
CREATE OR REPLACE MACRO filtered_by(record_kind, ids, labels, title) AS CASE
    WHEN record_kind = 'book' THEN 'book'
    WHEN is_excluded_type(ids, labels) THEN 'publication_type'
    WHEN regexp_matches(lower(title), getvariable('not_results_title')) THEN 'title'
    WHEN regexp_matches(lower(title), getvariable('study_design_ending'))
        AND NOT regexp_matches(lower(title), 'withdrawal|cross-?over') THEN 'title' END;

-- Why two registrations (rows of identity_facts) must not be joined, whatever the evidence; NULL where nothing speaks
-- against it. What is not stated vetoes nothing.
CREATE OR REPLACE MACRO identity_veto(a, b) AS CASE
    WHEN greatest(a.start_earliest - b.start_latest, b.start_earliest - a.start_latest) > 1096 THEN 'start_dates_apart'
    WHEN a.is_extension <> b.is_extension THEN 'extension' END;

-- Whether a registration or trial is in the slice that is being put together; all are where there are no slices.
CREATE OR REPLACE MACRO in_slice(id) AS coalesce(hash(id) % getvariable('slices') = getvariable('slice'), true);

-- Whether the first slice is being put together: what is not gathered in groups goes in with it, all at once.
CREATE OR REPLACE MACRO in_first_slice() AS coalesce(getvariable('slice') = 0, true);

-- Whether the starts of two registrations can lie within 366 days of each other.
CREATE OR REPLACE MACRO starts_agree(a, b) AS
    a.start_earliest <= b.start_latest + 366 AND b.start_earliest <= a.start_latest + 366;

-- Whether two registrations state about the same number of participants.
CREATE OR REPLACE MACRO enrolments_agree(a, b) AS
    least(a.enrolment, b.enrolment) >= 0.9 * greatest(a.enrolment, b.enrolment);

-- Whether two registrations (rows of identity_words) have neither a sponsor nor a telling word of their titles in common: a mistyped number.
CREATE OR REPLACE MACRO identity_dissimilar(a, b) AS
    len(a.sponsors) > 0 AND len(b.sponsors) > 0 AND len(list_intersect(a.sponsors, b.sponsors)) = 0
    AND len(list_intersect(a.sponsor_words, b.sponsor_words)) = 0
    AND len(a.title_words) > 0 AND len(b.title_words) > 0 AND len(list_intersect(a.title_words, b.title_words)) = 0;

-- Which register's completion date is taken first for a trial that stands in several; smaller goes first.
CREATE OR REPLACE MACRO completion_order(registry, has_results, date_type) AS CASE
    WHEN registry = 'euctr' AND has_results THEN 0
    WHEN registry IN ('nct', 'drks') AND date_type = 'actual' THEN 1
    WHEN date_type = 'actual' THEN 2
    ELSE 3 END;

-- The last day in time: calendar months after a day (29 February plus 12 months is 28 February).
CREATE OR REPLACE MACRO due_day(day, months) AS CAST(day + to_months(CAST(months AS INTEGER)) AS DATE);

-- One criterion: what the record says, true / false / unknown (NULL), and where it was read.
CREATE OR REPLACE MACRO leg(value, outcome, registration, field) AS {
    'value': CAST(value AS VARCHAR), 'outcome': CAST(outcome AS BOOLEAN),
    'registration_id': CAST(registration AS VARCHAR), 'field': CAST(field AS VARCHAR), 'is_proxy': false};

-- A criterion judged from something that stands for it.
CREATE OR REPLACE MACRO proxy_leg(value, outcome, registration, field) AS {
    'value': CAST(value AS VARCHAR), 'outcome': CAST(outcome AS BOOLEAN),
    'registration_id': CAST(registration AS VARCHAR), 'field': CAST(field AS VARCHAR), 'is_proxy': true};

-- Joined over rows: false wins where all have to hold, true where one is enough, then unknown.
CREATE OR REPLACE MACRO holds_for_all(x) AS CASE WHEN bool_or(NOT x) THEN false WHEN count(x) = count(*) THEN true END;

CREATE OR REPLACE MACRO holds_for_any(x) AS CASE WHEN bool_or(x) THEN true WHEN count(x) = count(*) THEN false END;

-- What a country record of the EU register says of the exemption: is the trial of phase I alone, is it in a Paediatric
-- Investigation Plan, does it have participants under 18. own: the record's own fields.
CREATE OR REPLACE MACRO only_phase_1(own) AS CASE
    WHEN 'Yes' IN (own['phase_2'], own['phase_3'], own['phase_4']) OR own['phase_1'] = 'No' THEN false
    WHEN own['phase_1'] = 'Yes' THEN true END;

CREATE OR REPLACE MACRO is_in_pip(own) AS CASE own['in_pip'] WHEN 'Yes' THEN true WHEN 'No' THEN false END;

CREATE OR REPLACE MACRO has_minors(own) AS
    CASE own['has_subjects_under_18'] WHEN 'Yes' THEN true WHEN 'No' THEN false END;

-- Whether a country record of the EU register comes from a field extract, which holds the status, the days of decisions, the
-- end and the link to results; texts and converted records say what kind of application it was.
CREATE OR REPLACE MACRO is_field_extract(own) AS own['clinical_trial_type'] IS NULL;

-- Whether a record of the EU Clinical Trials Register was read from its full text: extracts have no type of trial, and
-- converted records the day of their conversion. own: the record's own fields.
CREATE OR REPLACE MACRO is_full_text(own, data_version) AS
    NOT is_field_extract(own) AND data_version IS NULL;

-- Whether a CTIS record says that the trial came from the EU Clinical Trials Register. own: the record's own fields.
CREATE OR REPLACE MACRO came_from_eudract(own) AS
    own['is_transitioned'] IS NOT DISTINCT FROM 'Yes' OR own['transition_eudract_number'] IS NOT NULL;

-- Whether a CTIS record says that results were received and nothing in it shows that they are others than the summary.
CREATE OR REPLACE MACRO received_a_summary(own) AS own['results_first_received'] = 'Yes'
    AND coalesce(own['csr_submitted'], own['lay_summary_submitted'], own['interim_results_submitted']) IS NULL;

-- The last end that the member states of a CTIS record state, and whether all in which the trial ran state one. Countries
-- outside the EEA stand in the list by their name alone.
CREATE OR REPLACE MACRO last_state_end(countries) AS list_max(list_transform(countries, lambda c: c.ended));

CREATE OR REPLACE MACRO all_states_dated(countries) AS len(list_filter(countries, lambda c: c.ended IS NULL
    AND (c.status_source IS NOT NULL OR c.sites IS NOT NULL OR c.authorised IS NOT NULL OR c.started IS NOT NULL)
    AND coalesce(c.status NOT IN ('under_evaluation', 'not_authorised', 'cancelled', 'expired'), true))) = 0;

-- Whether there are sites in a country of a registration: not where the sponsor took it out of the record, nor where the
-- trial never ran by that country's own state (vocabulary recruitment_status, which tables that are made again do not have).
CREATE OR REPLACE MACRO has_sites(is_removed, state) AS NOT is_removed
    AND coalesce(state NOT IN ('withdrawn', 'not_authorised', 'expired', 'cancelled'), true);

-- The last day in time under the EU Directive: trials that ended before the duty began had until the end of the backlog.
CREATE OR REPLACE MACRO eu_due_day(day, months, policy) AS CASE
    WHEN day < policy['duty_began'] THEN policy['backlog_due']
    ELSE due_day(day, months) END;

-- The reporting status of one trial under one policy: the first match wins (vocabulary reporting_status).
-- clock and due are one bound of each; a NULL outcome is unknown. A record contradicts itself no sooner than its clock
-- starts: an end that is only announced is none.
CREATE OR REPLACE MACRO reporting_status_code(
    as_of, started, in_scope, was_in_scope, clock, runs, contradicts, is_public, reported, seen_public_by,
    is_submitted, submitted, is_cancelled, searched, due, due_undeferred, grace_days
) AS CASE
    WHEN NOT started THEN 'never_started'
    WHEN NOT in_scope AND was_in_scope THEN 'left_scope'
    WHEN NOT in_scope THEN 'out_of_scope'
    WHEN in_scope IS NULL THEN 'scope_unknown'
    WHEN is_public THEN CASE
        WHEN due IS NULL OR as_of <= due THEN 'reported_early'
        WHEN least(reported, seen_public_by) <= due THEN 'reported_on_time'
        WHEN reported IS NULL THEN 'reported_undated'
        ELSE 'reported_late' END
    WHEN is_submitted THEN CASE
        WHEN due IS NULL OR as_of <= due THEN 'submitted_early'
        WHEN submitted <= due OR submitted IS NULL THEN 'submitted_on_time'
        ELSE 'submitted_late' END
    WHEN (clock IS NULL AND NOT runs) OR (contradicts AND coalesce(clock <= as_of, true)) THEN 'inconsistent'
    WHEN clock > as_of OR (clock IS NULL AND runs) THEN 'not_completed'
    WHEN clock IS NULL THEN 'completion_unknown'
    WHEN as_of <= due_undeferred THEN 'not_due'
    WHEN as_of <= due THEN 'deferred'
    WHEN as_of <= due + CAST(grace_days AS INTEGER) THEN 'in_grace'
    WHEN searched IS NOT TRUE OR is_public IS NULL THEN 'reporting_unknown'
    WHEN is_cancelled THEN 'overdue_submission_cancelled'
    ELSE 'overdue' END;

-- The verdict of a registration rule: registered in time, or certainly not. What nobody ever took part in did not start.
CREATE OR REPLACE MACRO registration_verdict(as_of, has_started, registered, start_earliest, in_time, too_late) AS CASE
    WHEN registered IS NULL THEN 'unknown'
    WHEN NOT has_started OR start_earliest > as_of THEN 'not_started'
    WHEN start_earliest IS NULL THEN 'unknown'
    WHEN in_time THEN 'prospective'
    WHEN too_late THEN 'retrospective'
    ELSE 'unknown' END;

-- The two tests of an applicable clinical trial in 42 CFR 11.22(b): of a device, other than its feasibility; of a drug,
-- beyond phase 1. Neither asks what the other does. A blank flag is no; NULL: the phase of a drug trial is not stated.
CREATE OR REPLACE MACRO is_device_trial(device, purpose) AS
    coalesce(device AND coalesce(purpose <> 'device_feasibility', true), false);

CREATE OR REPLACE MACRO is_drug_trial(drug, phase, policy) AS
    coalesce(drug, false) AND NOT list_contains(policy['phases_outside'], phase);

-- The same of a record's own FDA flags under a policy, which may ask phase and purpose of drugs and devices alike.
CREATE OR REPLACE MACRO is_applicable(drug, device, phase, purpose, policy) AS CASE
    WHEN policy['drug_and_device_apart'] THEN is_device_trial(device, purpose) OR is_drug_trial(drug, phase, policy)
    ELSE (drug OR device) AND NOT list_contains(policy['phases_outside'], phase)
        AND coalesce(purpose <> 'device_feasibility', true) END;

-- Whether an interval of days has passed: true, false, or unknown where the as-of date lies in it or there is none.
CREATE OR REPLACE MACRO completed_by(earliest, latest) AS CASE
    WHEN latest <= getvariable('as_of') THEN true
    WHEN earliest > getvariable('as_of') THEN false END;

-- Whether an interval of days lies on or after a day: true, false, or unknown where the day lies in it or there is none.
CREATE OR REPLACE MACRO on_or_after(earliest, latest, day) AS CASE
    WHEN earliest >= day THEN true
    WHEN latest < day THEN false END;

-- The last day to register under the FDAAA: so many days after the start, or the first deadline, whichever is later.
CREATE OR REPLACE MACRO us_deadline(start_day, policy) AS CASE
    WHEN start_day IS NOT NULL THEN greatest(policy['first_deadline'], start_day + CAST(policy['days'] AS INTEGER)) END;

-- Whether a source was looked at recently enough to show that nothing is there.
CREATE OR REPLACE MACRO recent_enough(day, policy) AS
    day >= getvariable('as_of') - CAST(policy['max_source_age_days'] AS INTEGER);

-- Whether the register was looked at recently enough, in words for the leg.
CREATE OR REPLACE MACRO searched_leg(last_seen, has_vanished, registration, policy) AS leg(
    CASE WHEN last_seen IS NULL THEN 'the register itself was not read'
         ELSE 'record last seen ' || last_seen || CASE WHEN has_vanished THEN ', gone from the register since' ELSE '' END
    END,
    coalesce(recent_enough(last_seen, policy) AND NOT has_vanished, false), registration, 'last_seen');

-- A number of days after a day.
CREATE OR REPLACE MACRO days_after(day, days) AS CAST(day + CAST(days AS INTEGER) AS DATE);

-- A p-value as written, read: its comparator and number. The register gives it as free text, also with entities of HTML.
-- A text that says more than that ("0.03 (one-sided)", "NS") is not read, nor is a number that is no probability.
CREATE OR REPLACE MACRO p_value_text(raw) AS regexp_replace(regexp_replace(
    replace(replace(replace(replace(replace(replace(
        lower(trim(raw)), '&lt;', '<'), '&gt;', '>'), '&le;', '<='), '&ge;', '>='), '≤', '<='), '≥', '>='),
    '^p([- ]?values?)?\s*:?\s*|\.$', '', 'g'), '\s*([<>=])\s*', '\1', 'g');

CREATE OR REPLACE MACRO p_value_number(text) AS TRY_CAST(
    replace(regexp_extract(text, '^([<>]=?|=[<>]?)?(([0-9]+|[0-9]*[.,][0-9]+)(e[+-]?[0-9]+)?)$', 2), ',', '.') AS DOUBLE);

CREATE OR REPLACE MACRO p_value_parts(text) AS CASE WHEN p_value_number(text) BETWEEN 0 AND 1 THEN {
    'comparator': CASE regexp_extract(text, '^[<>=]*') WHEN '=<' THEN '<=' WHEN '=>' THEN '>=' WHEN '' THEN '='
        ELSE regexp_extract(text, '^[<>=]*') END,
    'value': p_value_number(text)} END;

CREATE OR REPLACE MACRO p_value(raw) AS p_value_parts(p_value_text(raw));

-- Whether a p-value is below a level: true, false, or unknown where it is not read or its comparator leaves both open
-- ("< 0.10"; also "<= 0.05", which may be 0.05 itself).
CREATE OR REPLACE MACRO is_below(comparator, value, level) AS CASE
    WHEN comparator = '=' THEN value < level
    WHEN comparator = '<' AND value <= level OR comparator = '<=' AND value < level THEN true
    WHEN comparator IN ('>', '>=') AND value >= level THEN false END;

-- Bounds of a share of n by Wilson's score interval, 95 percent; empty where n is 0.
CREATE OR REPLACE MACRO wilson_bound(hits, n, side) AS CASE WHEN n > 0 THEN
    (hits + 1.959963984540054 ** 2 / 2
        + side * 1.959963984540054 * sqrt(hits * (n - hits) / n + 1.959963984540054 ** 2 / 4))
    / (n + 1.959963984540054 ** 2) END;

CREATE OR REPLACE MACRO wilson_low(hits, n) AS CASE WHEN hits = 0 AND n > 0 THEN 0.0 ELSE wilson_bound(hits, n, -1) END;

CREATE OR REPLACE MACRO wilson_high(hits, n) AS CASE WHEN hits = n AND n > 0 THEN 1.0 ELSE wilson_bound(hits, n, 1) END;

-- The words of an outcome's measure (folded) that tell it from others; all of them where none does.
CREATE OR REPLACE MACRO outcome_words(folded, common) AS CASE
    WHEN len(list_filter(string_split(folded, ' '), lambda w: NOT list_contains(common, w))) > 0
    THEN list_distinct(list_filter(string_split(folded, ' '), lambda w: NOT list_contains(common, w)))
    ELSE list_distinct(string_split(folded, ' ')) END;

-- The outcomes that are not primary, as they are compared: folded words and time.
CREATE OR REPLACE MACRO other_outcomes(outcomes) AS list_transform(
    list_filter(outcomes, lambda o: o.kind <> 'primary'),
    lambda o: {'measure': folded_words(o.measure), 'time': coalesce(folded_words(o.time_frame), '')});

CREATE OR REPLACE MACRO has_primary(outcomes) AS
    coalesce(len(list_filter(outcomes, lambda o: o.kind = 'primary' AND o.measure IS NOT NULL)) > 0, false);

-- A value that another one took the place of, or NULL where the keys by which they are compared are the same. A type
-- (expected, actual) that one side does not state is no change.
CREATE OR REPLACE MACRO typed_change(field, old_key, new_key, old_value, new_value, old_type, new_type) AS CASE
    WHEN coalesce(CAST(old_key AS VARCHAR), '') <> coalesce(CAST(new_key AS VARCHAR), '')
        OR coalesce(old_type <> new_type, false) THEN {
        'field': field,
        'change': CASE WHEN old_key IS NULL THEN 'added' WHEN new_key IS NULL THEN 'removed' ELSE 'altered' END,
        'old_value': CASE WHEN old_key IS NOT NULL THEN CAST(old_value AS VARCHAR) END,
        'new_value': CASE WHEN new_key IS NOT NULL THEN CAST(new_value AS VARCHAR) END,
        'old_type': CASE WHEN old_key IS NOT NULL THEN CAST(old_type AS VARCHAR) END,
        'new_type': CASE WHEN new_key IS NOT NULL THEN CAST(new_type AS VARCHAR) END} END;

CREATE OR REPLACE MACRO value_change(field, old_key, new_key, old_value, new_value) AS
    typed_change(field, old_key, new_key, old_value, new_value, NULL, NULL);

CREATE OR REPLACE MACRO plain_change(field, old_value, new_value) AS
    typed_change(field, old_value, new_value, old_value, new_value, NULL, NULL);

CREATE OR REPLACE MACRO told_finer(c, is_finer) AS CASE
    WHEN c IS NULL THEN NULL
    WHEN is_finer THEN {'field': c.field, 'change': 'refined', 'old_value': c.old_value, 'new_value': c.new_value,
        'old_type': c.old_type, 'new_type': c.new_type}
    ELSE c END;

-- The same of a partial date: compared by the days it can mean, or as written where it means none. Where all days of one
-- are days of the other, the date was told more or less exactly and not moved.
CREATE OR REPLACE MACRO dated_change(
    field, old_raw, old_earliest, old_latest, old_type, new_raw, new_earliest, new_latest, new_type) AS
    told_finer(
        typed_change(field, coalesce(old_earliest || '/' || old_latest, old_raw),
            coalesce(new_earliest || '/' || new_latest, new_raw), old_raw, new_raw, old_type, new_type),
        (old_earliest <> new_earliest OR old_latest <> new_latest)
            AND ((old_earliest <= new_earliest AND new_latest <= old_latest)
                OR (new_earliest <= old_earliest AND old_latest <= new_latest)));

-- Whether two partial dates mean other days: neither only tells the other one more exactly.
CREATE OR REPLACE MACRO means_other_days(earliest, latest, other_earliest, other_latest) AS
    (earliest < other_earliest OR latest > other_latest) AND (other_earliest < earliest OR other_latest > latest);

-- A list that is never empty where the form of the record holds it: an empty one is not known.
CREATE OR REPLACE MACRO known_items(items) AS CASE WHEN len(items) > 0 THEN items END;

-- What a list lost and what it gained; nothing where one of the two is not known.
CREATE OR REPLACE MACRO item_changes(field, old_items, new_items) AS CASE
    WHEN old_items IS NULL OR new_items IS NULL THEN []
    ELSE list_concat(
        list_transform(
            list_sort(list_distinct(list_filter(old_items, lambda i: NOT list_contains(new_items, i)))),
            lambda i: {'field': field, 'change': 'removed', 'old_value': i, 'new_value': NULL::VARCHAR,
                'old_type': NULL::VARCHAR, 'new_type': NULL::VARCHAR}),
        list_transform(
            list_sort(list_distinct(list_filter(new_items, lambda i: NOT list_contains(old_items, i)))),
            lambda i: {'field': field, 'change': 'added', 'old_value': NULL::VARCHAR, 'new_value': i,
                'old_type': NULL::VARCHAR, 'new_type': NULL::VARCHAR})) END;

-- Whether a change that was made after one day and by another came after a date. is_ahead: whether the record says, beside
-- the date, that its event is still to come. Where the date is not said to be an actual one, it leaves the answer open if it
-- has passed and the event is ahead (or may be, of an expected date), or if it lies ahead and the event has come.
CREATE OR REPLACE MACRO came_after(earliest, latest, type, is_ahead, changed_after, changed_by) AS CASE
    WHEN latest <= changed_after AND type IS DISTINCT FROM 'actual' AND coalesce(is_ahead, type = 'estimated') THEN NULL
    WHEN latest <= changed_after THEN true
    WHEN earliest >= changed_by AND type IS DISTINCT FROM 'actual' AND NOT is_ahead THEN NULL
    WHEN earliest >= changed_by THEN false END;

-- Whether the start of a trial is said to be ahead. One that runs may have been opened before the day that is expected.
CREATE OR REPLACE MACRO start_is_ahead(type, status, runs) AS
    runs AND (type = 'estimated' OR status = 'not_yet_recruiting');

CREATE OR REPLACE MACRO state_then(after_start, after_completion, after_results) AS CASE
    WHEN after_results THEN 'after_results'
    WHEN after_results IS NULL THEN NULL
    WHEN after_completion THEN 'completed'
    WHEN after_completion IS NULL THEN NULL
    WHEN after_start THEN 'running'
    WHEN NOT after_start THEN 'before_start' END;

-- Of the due trials of a group of rows: how many are reported, handed in or missing; of the missing ones whether results
-- were found elsewhere, were found nowhere in the sources searched, or cannot be judged; and the participants of those of
-- which none were found, actual and planned apart.
CREATE OR REPLACE MACRO missing_counts(status_group, results, enrolment, enrolment_type, due_latest) AS {
    'due': count(*),
    'reported': count_if(status_group = 'due, reported'),
    'submitted': count_if(status_group = 'due, submitted'),
    'missing': count_if(status_group = 'due, missing'),
    'missing_found_elsewhere': count_if(status_group = 'due, missing' AND results = 'found'),
    'missing_none_found': count_if(status_group = 'due, missing' AND results = 'none_found'),
    'missing_cannot_judge': count_if(status_group = 'due, missing' AND results = 'cannot_judge'),
    'none_found_actual': coalesce(sum(enrolment) FILTER (
        WHERE status_group = 'due, missing' AND results = 'none_found' AND enrolment_type = 'actual'), 0),
    'none_found_planned': coalesce(sum(enrolment) FILTER (
        WHERE status_group = 'due, missing' AND results = 'none_found' AND enrolment_type = 'estimated'), 0),
    'none_found_unknown': coalesce(sum(enrolment) FILTER (
        WHERE status_group = 'due, missing' AND results = 'none_found' AND enrolment_type IS NULL), 0),
    'none_found_unstated': count_if(status_group = 'due, missing' AND results = 'none_found' AND enrolment IS NULL),
    'longest_due': min(due_latest) FILTER (WHERE status_group = 'due, missing' AND results = 'none_found')};
