-- The registrations of a trial that speak for it, in the order in which their values are taken: a record that the
-- register replaced by another speaks last, then one that vanished; else the newest update first.
SELECT
    *,
    row_number() OVER (
        PARTITION BY trial_id
        ORDER BY replaced_by IS NOT NULL, vanished_on IS NOT NULL,
            coalesce(last_update_posted, last_update_submitted) DESC NULLS LAST, registration_id) AS place
FROM registrations
