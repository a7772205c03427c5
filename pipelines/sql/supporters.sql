-- Organisations that signed the AllTrials petition, and how many trials each leads with the sponsors that belong to it.
SELECT
    p.name AS supporter,
    p.kind,
    nullif(p.sponsor_id, '') AS sponsor_id,
    CASE WHEN p.sponsor_id <> '' THEN (
        SELECT count(*) FROM trials AS t JOIN sponsors AS s USING (sponsor_id)
        WHERE coalesce(s.parent_id, s.sponsor_id) = p.sponsor_id) END AS trials,
    p.proof
FROM supporter_list AS p
