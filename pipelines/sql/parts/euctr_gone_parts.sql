-- Country records that the EU Clinical Trials Register dropped: a full text of a trial holds all of its country records,
-- so that what was last seen before the newest one is gone. What field extracts and converted records lack says nothing,
-- nor does a snapshot of which a file or a record could not be read. Results pages come in files of their own.
WITH sighted AS (
    SELECT
        s.registration_id, s.source, s.part, s.snapshot_date,
        is_full_text(r.own_fields, r.data_version) AND f.snapshot IS NULL AS is_whole
    FROM registration_sightings AS s
    JOIN staged_registrations AS r USING (file, record_number)
    LEFT JOIN (
        SELECT DISTINCT source, snapshot FROM payload_rejects WHERE scope IN ('payload', 'record')
    ) AS f ON f.source = s.source AND f.snapshot = s.snapshot
    WHERE s.source = 'euctr' AND r.source = 'euctr' AND s.part NOT IN ('', 'results')
), parts AS (
    SELECT
        registration_id, source, part,
        max(snapshot_date) AS last_seen,
        max(snapshot_date) FILTER (WHERE is_whole) AS last_whole
    FROM sighted
    GROUP BY registration_id, source, part
)
SELECT registration_id, source, part
FROM parts
QUALIFY last_seen < max(last_whole) OVER (PARTITION BY registration_id)
