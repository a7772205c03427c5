-- The registrations that speak for a trial with all of their fields, and in which order their values are taken.
SELECT r.*, p.* EXCLUDE (registration_id)
FROM registrations AS r
JOIN trial_places AS p USING (registration_id)
