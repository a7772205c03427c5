-- The registrations that speak for a trial, in the order in which their values are taken: one that vanished from its
-- register speaks last, else the newest update first. A record that the register replaced by another does not speak: a
-- date that the newer record dropped must not come back from it.
WITH counted AS (
    SELECT *, count(*) FILTER (WHERE replaced_by IS NULL) OVER (PARTITION BY trial_id) AS speaking FROM registrations
)
SELECT
    * EXCLUDE (speaking),
    row_number() OVER (
        PARTITION BY trial_id
        ORDER BY vanished_on IS NOT NULL,
            coalesce(last_update_posted, last_update_submitted, last_seen) DESC, registration_id) AS place
FROM counted
WHERE replaced_by IS NULL OR speaking = 0
