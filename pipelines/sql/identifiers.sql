-- Every number by which a trial is known: its registrations, their obsolete numbers, and the other numbers they state.
SELECT
    s.number,
    s.kind,
    m.trial_id,
    s.registration_id AS seen_in,
    any_value(s.registry) AS registry,
    min(s.written) AS written
FROM stated_numbers AS s
JOIN trial_members AS m USING (registration_id)
WHERE s.kind <> 'mention'
GROUP BY s.number, s.kind, m.trial_id, s.registration_id
