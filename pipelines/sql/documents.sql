-- Documents that stand on the register.
SELECT
    r.registration_id, m.trial_id, CAST(u.ordinal AS INTEGER) AS ordinal,
    d.kind, d.label, d.date AS document_date, d.uploaded, d.url
FROM registration_lists AS r
JOIN trial_members AS m USING (registration_id),
    unnest(r.documents) WITH ORDINALITY AS u(d, ordinal)
