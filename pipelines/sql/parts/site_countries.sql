-- Countries with sites of each registration: not one that the sponsor took out of the record, nor one where the trial never
-- ran by that country's own record, since it was refused or withdrawn there.
SELECT c.*
FROM registration_countries AS c
LEFT JOIN vocabulary_recruitment_status AS v ON v.code = c.status
WHERE NOT c.is_removed AND NOT coalesce(v.never_ran, false)
