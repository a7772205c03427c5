-- Results handed in to a register and not public yet, one row per registration: is the submission live or withdrawn.
-- A cancellation whose date the register does not know comes last where every round but it was closed by a return.
WITH events AS (
    SELECT r.registration_id, e.event, e.date
    FROM current_records AS r, unnest(r.result_events) AS u(e)
    WHERE e.date IS NULL OR e.date <= getvariable('as_of')
), counted AS (
    SELECT
        registration_id,
        count(*) FILTER (WHERE event = 'submitted') AS submissions,
        count(*) FILTER (WHERE event = 'returned') AS returns,
        count(*) FILTER (WHERE event = 'cancelled') AS cancellations,
        bool_or(event = 'cancelled' AND date IS NULL) AS has_undated_cancellation,
        min(date) FILTER (WHERE event = 'submitted') AS first_submitted,
        max(date) FILTER (WHERE event = 'submitted') AS last_submitted,
        max(date) FILTER (WHERE event = 'returned') AS last_returned,
        max(date) FILTER (WHERE event = 'cancelled') AS last_cancelled,
        list(date) FILTER (WHERE event = 'submitted') AS submitted_dates
    FROM events
    GROUP BY registration_id
), judged AS (
    SELECT
        *,
        CASE
            WHEN cancellations = 0 OR submissions = 0 THEN cancellations > 0
            WHEN has_undated_cancellation AND coalesce(last_returned >= last_submitted, false) THEN false
            WHEN has_undated_cancellation THEN submissions <= returns + cancellations
            WHEN last_cancelled = last_submitted THEN submissions <= returns + cancellations
            ELSE last_cancelled > last_submitted END AS is_cancelled
    FROM counted
)
SELECT
    registration_id,
    is_cancelled,
    submissions > 0 AND NOT is_cancelled AS is_live,
    first_submitted,
    CASE
        WHEN is_cancelled THEN NULL
        WHEN cancellations = 0 THEN first_submitted
        WHEN has_undated_cancellation THEN last_submitted
        ELSE list_min(list_filter(submitted_dates, lambda d: d >= last_cancelled)) END AS live_since,
    last_cancelled
FROM judged
