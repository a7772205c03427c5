-- Outcomes as registered, primary ones first, in the register's order.
SELECT
    r.registration_id, m.trial_id, CAST(u.ordinal AS INTEGER) AS ordinal,
    o.kind, o.measure, o.time_frame
FROM registration_lists AS r
JOIN trial_members AS m USING (registration_id),
    unnest(r.outcomes) WITH ORDINALITY AS u(o, ordinal)
