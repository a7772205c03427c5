-- The newest version of every record with its lists, as read. place: the order in which the records of one registration
-- speak for it. The register read directly comes before what others pass on of it; then the newest record. A country's
-- record that the register dropped speaks no longer. older_link: what an older record of the country shows of results,
-- where the newest is of a form that cannot.
WITH placed AS (
    -- What decides the order, and no more: the whole records are put beside it, not carried through the sorting.
    SELECT
        s.file, s.record_number, r.registration_id, r.source, r.part, r.completion_latest, r.status,
        row_number() OVER (
            PARTITION BY r.registration_id
            ORDER BY t.registry IS NOT DISTINCT FROM r.registry DESC, r.part = '' DESC,
                coalesce(r.last_update_posted, r.last_update_submitted) DESC NULLS LAST, r.source, r.part) AS place,
        count(*) OVER (PARTITION BY r.registration_id) AS records,
        bool_or(r.status IS NOT DISTINCT FROM 'transitioned') OVER (PARTITION BY r.registration_id) AS has_moved
    FROM version_spans AS s
    JOIN staged_registrations AS r USING (file, record_number)
    JOIN source_terms AS t ON t.source = r.source
    ANTI JOIN euctr_gone_parts AS g
        ON g.registration_id = r.registration_id AND g.source = r.source AND g.part = r.part
    WHERE s.is_current
), ranked AS (
    -- Where a register keeps one record per country: the trial runs while it runs anywhere, and is halted only where it
    -- runs nowhere else; it has moved where a country says so and none that it runs; it was completed where it was anywhere,
    -- it never ran only where it ran nowhere, whether it ran is unknown (prohibited) where no other says more, and it ended
    -- when it ended last. While a country says that it moved, it still ran: the end in another one is not the trial's.
    SELECT
        p.file, p.record_number, p.place, p.records,
        first_value(p.source) OVER (PARTITION BY p.registration_id ORDER BY p.place) AS first_source,
        CASE
            WHEN v.runs THEN CASE v.code WHEN 'suspended' THEN 1 ELSE 0 END
            WHEN p.status = 'transitioned' THEN 2
            WHEN p.status = 'completed' THEN 3
            WHEN v.never_ran THEN 6
            WHEN v.code IS NOT NULL AND v.never_ran IS NULL THEN 5
            ELSE 4 END AS status_rank,
        row_number() OVER (PARTITION BY p.registration_id ORDER BY p.completion_latest DESC NULLS LAST, p.place)
            AS end_rank,
        p.has_moved AND p.status IS DISTINCT FROM 'transitioned' AND p.part <> 'results' AS ran_on_elsewhere
    FROM placed AS p
    LEFT JOIN vocabulary_recruitment_status AS v ON v.code = p.status
), entries AS (
    -- The day on which a record was first entered holds on when the record is gone: as its newest version gives it.
    SELECT
        registration_id, source, part,
        arg_max({
            'raw': r.registered_raw, 'precision': r.registered_precision,
            'earliest': r.registered_earliest, 'latest': r.registered_latest, 'type': r.registered_type
        }, s.version) AS entered
    FROM euctr_gone_parts AS g
    JOIN version_spans AS s USING (registration_id, source, part)
    JOIN staged_registrations AS r USING (file, record_number)
    WHERE r.registered_earliest IS NOT NULL
    GROUP BY registration_id, source, part
), dropped AS (
    SELECT registration_id, source, arg_min(entered, (entered.earliest, part)) AS entered
    FROM entries
    GROUP BY registration_id, source
)
SELECT
    r.* EXCLUDE (snapshot, snapshot_date, scope) REPLACE (
        -- A full text cannot show the link to results: a link stays one, that there was none holds for a time only.
        coalesce(r.has_results, CASE WHEN o.link.has_results
            OR o.link.last_seen >= getvariable('as_of') - CAST(getvariable('parameter').older_link_days AS INTEGER)
            THEN o.link.has_results END) AS has_results,
        coalesce(d.entered.raw, r.registered_raw) AS registered_raw,
        coalesce(d.entered.precision, r.registered_precision) AS registered_precision,
        coalesce(d.entered.earliest, r.registered_earliest) AS registered_earliest,
        coalesce(d.entered.latest, r.registered_latest) AS registered_latest,
        coalesce(d.entered.type, r.registered_type) AS registered_type),
    CASE WHEN r.has_results IS NULL THEN o.link END AS older_link,
    p.* EXCLUDE (file, record_number)
FROM staged_registrations AS r
JOIN ranked AS p USING (file, record_number)
LEFT JOIN dropped AS d ON d.registration_id = r.registration_id AND d.source = r.source
    AND d.entered.earliest < coalesce(r.registered_earliest, DATE '9999-12-31')
LEFT JOIN euctr_stated AS o ON o.registration_id = r.registration_id AND o.source = r.source AND o.part = r.part
