-- Every time a payload showed a record, numbered by version: equal content in a row is one version. A record is what one
-- source says of one registration; a register that keeps one record per country has one for each (part).
-- Order: in the EU's present register the resubmission, of which the highest is the current one; then the record's own last
-- update, the snapshot's date, the source's own mark of its data and the content's hash, so that the order in which dumps
-- were imported never matters. A sighting without an update of its own stands with the newest one that the snapshots until
-- then had shown, and behind it: so it is compared with every other by the snapshot's date.
WITH resubmissions AS (
    SELECT file, record_number, own_fields['resubmission'] AS resubmission FROM staged_registrations WHERE registry = 'ctis'
), dated AS (
    SELECT
        registration_id, source, part, snapshot, snapshot_date, payload, record_number, content_hash, file, data_version,
        coalesce(resubmission, '') AS resubmission,
        coalesce(
            last_update_posted, last_update_submitted,
            max(coalesce(last_update_posted, last_update_submitted)) OVER (
                PARTITION BY registration_id, source, part ORDER BY snapshot_date)) AS updated
    FROM staged_registrations
    LEFT JOIN resubmissions USING (file, record_number)
), ordered AS (
    SELECT
        registration_id, source, part, snapshot, snapshot_date, payload, record_number, content_hash, file,
        row_number() OVER record AS place,
        content_hash IS DISTINCT FROM lag(content_hash) OVER record AS is_first
    FROM dated
    WINDOW record AS (
        PARTITION BY registration_id, source, part
        ORDER BY resubmission, updated NULLS FIRST,
            snapshot_date, data_version NULLS FIRST, content_hash, snapshot, payload, record_number)
)
SELECT
    *,
    CAST(sum(CAST(is_first AS INTEGER)) OVER (
        PARTITION BY registration_id, source, part ORDER BY place) AS INTEGER) AS version
FROM ordered
