-- Full snapshots that were read without losing a file or a record: only these say that what they lack is gone.
SELECT s.*
FROM snapshots AS s
ANTI JOIN (SELECT source, snapshot FROM payload_rejects WHERE scope IN ('payload', 'record')) AS r USING (source, snapshot)
WHERE s.scope = 'full'
