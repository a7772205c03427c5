-- Country records that the EU Clinical Trials Register dropped: a full text of a trial holds all of its country records,
-- so that what was last seen before the newest one is gone. The register also gives the text of one country alone, in the
-- same words: so only a text counts that was fetched, where all countries are asked for, or imported as all of the
-- register. What field extracts and converted records lack says nothing, nor does a snapshot of which a file or a record
-- could not be read. Results pages come in files of their own.
WITH sighted AS (
    SELECT
        s.registration_id, s.source, s.part, s.snapshot_date,
        is_full_text(r.own_fields, r.data_version) AND f.snapshot IS NULL AND (n.is_fetched OR n.scope = 'full') AS is_whole
    FROM registration_sightings AS s
    JOIN staged_registrations AS r USING (file, record_number)
    JOIN snapshots AS n ON n.source = r.source AND n.snapshot = r.snapshot
    LEFT JOIN (
        SELECT DISTINCT source, snapshot FROM payload_rejects WHERE scope IN ('payload', 'record')
    ) AS f ON f.source = s.source AND f.snapshot = s.snapshot
    WHERE s.source = 'euctr' AND r.source = 'euctr' AND s.part NOT IN ('', 'results')
), parts AS (
    SELECT
        registration_id, source, part,
        max(snapshot_date) AS last_seen
    FROM sighted
    GROUP BY registration_id, source, part
)
SELECT p.registration_id, p.source, p.part, min(w.snapshot_date) AS gone_on
FROM parts AS p
JOIN sighted AS w ON w.registration_id = p.registration_id AND w.is_whole AND w.snapshot_date > p.last_seen
GROUP BY ALL
