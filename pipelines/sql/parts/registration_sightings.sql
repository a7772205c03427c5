-- Every time a payload showed a record, numbered by version: equal content in a row is one version. A record is what one
-- source says of one registration; a register that keeps one record per country has one for each (part).
-- Order: the record's own last update, then the snapshot's date and the source's own mark of its data, then the content's
-- hash, so that the order in which dumps were imported never matters.
WITH ordered AS (
    SELECT
        registration_id, source, part, snapshot, snapshot_date, payload, record_number, content_hash, file,
        row_number() OVER record AS place,
        content_hash IS DISTINCT FROM lag(content_hash) OVER record AS is_first
    FROM staged_registrations
    WINDOW record AS (
        PARTITION BY registration_id, source, part
        ORDER BY coalesce(last_update_posted, last_update_submitted, snapshot_date),
            snapshot_date, data_version NULLS FIRST, content_hash, snapshot, payload, record_number)
)
SELECT
    *,
    CAST(sum(CAST(is_first AS INTEGER)) OVER (
        PARTITION BY registration_id, source, part ORDER BY place) AS INTEGER) AS version
FROM ordered
