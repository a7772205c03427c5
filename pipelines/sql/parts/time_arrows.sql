-- To which statuses time alone can lead from each, over any number of steps.
WITH RECURSIVE steps AS (
    SELECT code AS from_status, unnest(string_split(time_leads_to, ';')) AS to_status
    FROM vocabulary_reporting_status WHERE time_leads_to <> ''
), reached AS (
    SELECT from_status, to_status FROM steps
    UNION
    SELECT r.from_status, s.to_status FROM reached AS r JOIN steps AS s ON s.from_status = r.to_status
)
SELECT from_status, to_status FROM reached
