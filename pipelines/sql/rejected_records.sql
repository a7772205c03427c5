-- Everything that did not get in, or not whole: fields, records, payloads.
-- Rejected fields are those of every version that is kept, so that a field mended later is seen as mended.
SELECT
    s.source, s.snapshot, f.payload, 'field' AS scope, s.registration_id AS record,
    x.field, coalesce(x.value, '') AS value, x.reason, count(*) AS times
FROM version_spans AS v
JOIN staged_registrations AS f USING (file, record_number)
JOIN registration_sightings AS s
    ON s.file = v.file AND s.record_number = v.record_number,
    unnest(f.rejects) AS u(x)
GROUP BY ALL
UNION ALL
SELECT 'pubmed', a.snapshot, a.payload, 'field', 'PMID ' || a.pmid, x.field, coalesce(x.value, ''), x.reason, count(*)
FROM article_events AS a, unnest(a.rejects) AS u(x)
GROUP BY ALL
UNION ALL
SELECT source, snapshot, payload, scope, record, field, value, reason, count(*)
FROM payload_rejects
GROUP BY ALL
