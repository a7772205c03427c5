-- Until when listings show that a version of a record still stood, where it is later than the version itself was seen:
-- the last one that names the record, before the day on which the next version says that it was updated. All that was
-- updated came with the listings, up to the first payload or record that could not be read. What a register changes
-- without an update comes with none, so of such a next version they show nothing.
WITH dated AS (
    SELECT
        s.registration_id, s.source, s.part, s.version, s.last_seen,
        coalesce(r.last_update_posted, r.last_update_submitted) AS updated
    FROM version_spans AS s
    SEMI JOIN (SELECT registration_id, source, part FROM version_spans WHERE version = 2) AS m
        USING (registration_id, source, part)
    JOIN staged_registrations AS r USING (file, record_number)
    WHERE s.source IN (SELECT source FROM whole_listings)
), followed AS (
    SELECT a.*, b.updated AS next_updated
    FROM dated AS a
    JOIN dated AS b USING (registration_id, source, part)
    WHERE b.version = a.version + 1 AND b.updated > a.updated
), bounded AS (
    SELECT f.*, least(f.next_updated, p.snapshot_date, u.snapshot_date) AS before
    FROM followed AS f
    ASOF LEFT JOIN unread_payloads AS p ON p.source = f.source AND p.snapshot_date > f.last_seen
    ASOF LEFT JOIN unread_records AS u
        ON u.source = f.source AND u.registration_id = f.registration_id AND u.snapshot_date > f.last_seen
), looked AS (
    SELECT b.registration_id, b.source, b.part, b.version, w.snapshot_date AS last_listed
    FROM bounded AS b
    ASOF JOIN whole_listings AS w ON w.source = b.source AND w.snapshot_date < b.before
    WHERE w.snapshot_date > b.last_seen
)
SELECT *
FROM looked AS k
SEMI JOIN listed_numbers AS l
    ON l.registration_id = k.registration_id AND l.source = k.source AND l.snapshot_date = k.last_listed
