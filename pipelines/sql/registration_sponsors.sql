-- Lead sponsor and collaborators of every registration in the register's order.
SELECT
    r.registration_id, m.trial_id, CAST(u.ordinal AS INTEGER) AS ordinal,
    s.role, s.name, n.sponsor_id, s.class AS sponsor_class, s.is_person
FROM registration_lists AS r
JOIN trial_members AS m USING (registration_id),
    unnest(r.sponsors) WITH ORDINALITY AS u(s, ordinal)
LEFT JOIN sponsor_names AS n ON n.name = s.name
