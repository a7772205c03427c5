-- The regulatory flags of January 2017, one row per registration: those of the newest file that names it.
SELECT *
FROM staged_regulatory_flags
QUALIFY row_number() OVER (
    PARTITION BY registration_id ORDER BY snapshot_date DESC, snapshot DESC, payload, record_number DESC) = 1
