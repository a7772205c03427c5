-- Days since which what a register had may be newer than what we have: a payload on which its listings rest could not
-- be read, or a person gave up a snapshot. Listings rest on the payloads of fetches, of imports of a whole register,
-- and on those that came with a listing. A part that a person imported is none, and a history only of the record that
-- its name says (`unread_records`).
SELECT r.source, s.snapshot_date
FROM payload_rejects AS r
JOIN snapshots AS s USING (source, snapshot)
WHERE r.scope = 'payload' AND NOT ends_with(r.payload, '.listing.gz') AND NOT ends_with(r.payload, '.history.zip')
    AND (s.is_fetched OR s.scope = 'full' OR EXISTS (
        FROM payload_reports AS p
        WHERE p.source = s.source AND p.snapshot = s.snapshot AND ends_with(p.payload, '.listing.gz')))
UNION
SELECT source, snapshot_date FROM given_up_snapshots
