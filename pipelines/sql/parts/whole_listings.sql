-- Days on which a source listed all its numbers, and every page of the listing could be read.
SELECT DISTINCT l.source, l.snapshot_date
FROM listed_numbers AS l
ANTI JOIN (
    SELECT r.source, s.snapshot_date
    FROM payload_rejects AS r
    JOIN snapshots AS s USING (source, snapshot)
    WHERE r.scope = 'payload' AND ends_with(r.payload, '.listing.gz')
) AS f USING (source, snapshot_date)
