-- The newest version of every registration with its lists, as read.
SELECT r.* EXCLUDE (snapshot, snapshot_date, scope)
FROM version_spans AS s
JOIN staged_registrations AS r USING (file, record_number)
WHERE s.is_current
