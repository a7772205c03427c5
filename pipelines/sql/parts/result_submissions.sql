-- Results handed in to a register and not public yet, one row per registration: is the submission live or withdrawn,
-- and since when. A submission ends by a return or a cancellation; the next one follows it. A cancellation whose date
-- the register does not know lies where a submission was followed by another with neither between them, or at the end.
-- The newest list of events counts, whole. A list goes when results are posted, and not otherwise: where the newest
-- version has none and no results either, it was served in a form that does not hold it, and the last one that was seen
-- stands.
WITH listed AS (
    SELECT
        registration_id, event, day AS date,
        bool_or(is_in_newest) OVER record AS has_newest, is_in_newest,
        last_seen = max(last_seen) OVER record AS is_last_seen
    FROM result_events
    WINDOW record AS (PARTITION BY registration_id)
), events AS (
    SELECT registration_id, event, date
    FROM listed
    WHERE CASE WHEN has_newest THEN is_in_newest ELSE is_last_seen END
        AND (date IS NULL OR date <= getvariable('as_of'))
), counted AS (
    SELECT
        registration_id,
        coalesce(list(date ORDER BY date) FILTER (WHERE event = 'submitted' AND date IS NOT NULL), []) AS submissions,
        coalesce(list(date) FILTER (WHERE event <> 'submitted' AND date IS NOT NULL), []) AS endings,
        count(*) FILTER (WHERE event = 'cancelled') AS cancellations,
        coalesce(bool_or(event = 'cancelled' AND date IS NULL), false) AS has_undated_cancellation,
        coalesce(bool_or(event = 'submitted'), false) AS was_submitted,
        coalesce(bool_or(event = 'submitted' AND date IS NULL), false) AS has_undated_submission,
        max(date) FILTER (WHERE event = 'returned') AS last_returned,
        max(date) FILTER (WHERE event = 'cancelled') AS last_cancelled
    FROM events
    GROUP BY registration_id
), placed AS (
    SELECT
        *,
        list_max(submissions) AS last_submitted,
        coalesce(list_max(endings) >= list_max(submissions), false) AS last_has_ended,
        list_max(list_filter(
            range(1, len(submissions)),
            lambda i: len(list_filter(endings, lambda e: e >= submissions[i] AND e <= submissions[i + 1])) = 0
        )) AS unexplained
    FROM counted
), judged AS (
    SELECT
        *,
        CASE
            WHEN cancellations = 0 OR NOT was_submitted THEN cancellations > 0
            WHEN last_cancelled > last_submitted THEN true
            WHEN has_undated_cancellation THEN unexplained IS NULL AND NOT last_has_ended
            -- On one day: withdrawn after it was handed in, unless an earlier round is what was withdrawn.
            WHEN last_cancelled = last_submitted THEN len(submissions) <= len(endings)
            ELSE false END AS is_cancelled,
        -- The submission that followed the cancellation of which the register does not know the date.
        CASE WHEN has_undated_cancellation THEN coalesce(submissions[unexplained + 1], last_submitted) END AS followed
    FROM placed
)
SELECT
    registration_id,
    is_cancelled,
    was_submitted AND NOT is_cancelled AS is_live,
    CASE
        WHEN is_cancelled OR NOT was_submitted THEN NULL
        WHEN cancellations = 0 THEN submissions[1]
        WHEN followed > last_cancelled OR last_cancelled IS NULL THEN followed
        ELSE list_min(list_filter(submissions, lambda d: d >= last_cancelled)) END AS live_since,
    CASE WHEN NOT has_undated_submission THEN submissions[1] END AS first_submitted,
    last_cancelled
FROM judged
