-- How statuses changed from one entry of the status history to the next, and why: what a trial's state rests on is
-- compared, strongest cause first. Time comes after all that can be seen to have changed what decides a status.
WITH entries AS (
    SELECT number, as_of, trial_id, records, articles, statuses FROM status_history
    UNION ALL
    SELECT
        coalesce((SELECT max(number) FROM history_entries), 0) + 1, getvariable('as_of'),
        trial_id, records, articles, statuses
    FROM status_news
), days AS (
    SELECT number, as_of FROM history_entries
    UNION
    SELECT DISTINCT number, as_of FROM entries
), first_known AS (
    SELECT r.registration_id, min(number) AS number
    FROM entries, unnest(records) AS u(r)
    GROUP BY r.registration_id
), pairs AS (
    SELECT
        number, as_of, trial_id, records, articles, statuses,
        coalesce(lag(records) OVER trial, []) AS old_records,
        coalesce(lag(articles) OVER trial, '') AS old_articles,
        coalesce(lag(statuses) OVER trial, []) AS old_statuses
    FROM entries
    SEMI JOIN (SELECT DISTINCT trial_id FROM entries WHERE number > 1) AS moved USING (trial_id)
    WINDOW trial AS (PARTITION BY trial_id ORDER BY number)
), policies AS (
    SELECT
        number, as_of, trial_id, records, old_records, articles, old_articles, statuses, old_statuses,
        unnest(list_distinct(list_transform(list_concat(old_statuses, statuses), lambda s: s.policy))) AS policy
    FROM pairs
    WHERE number > 1
), judged AS (
    SELECT
        *,
        list_filter(old_statuses, lambda s: s.policy = policy)[1] AS old,
        list_filter(statuses, lambda s: s.policy = policy)[1] AS new
    FROM policies
), moved AS (
    SELECT * EXCLUDE (statuses, old_statuses) FROM judged WHERE judged.old.status IS DISTINCT FROM judged.new.status
), moved_trials AS (
    SELECT DISTINCT
        number, as_of, trial_id, records, old_records,
        -- A registration has one record for each source and part.
        list_sort(list_distinct(list_transform(records, lambda r: r.registration_id))) AS members,
        list_sort(list_distinct(list_transform(old_records, lambda r: r.registration_id))) AS old_members
    FROM moved
), joined AS (
    -- A registration that came to the trial, and whether another trial had it before.
    SELECT t.number, t.trial_id, bool_or(f.number < t.number) AS were_known
    FROM (
        SELECT
            number, trial_id, unnest(list_filter(members, lambda m: NOT list_contains(old_members, m))) AS registration_id
        FROM moved_trials) AS t
    JOIN first_known AS f USING (registration_id)
    GROUP BY t.number, t.trial_id
), contents AS (
    SELECT t.number, t.as_of, t.trial_id, n.r AS new, o.r AS old
    FROM (SELECT number, as_of, trial_id, unnest(records) AS r FROM moved_trials) AS n
    JOIN (SELECT number, trial_id, unnest(old_records) AS r FROM moved_trials) AS o
        ON o.number = n.number AND o.trial_id = n.trial_id
        AND (o.r.registration_id, o.r.source, o.r.part) = (n.r.registration_id, n.r.source, n.r.part)
    JOIN moved_trials AS t ON t.number = n.number AND t.trial_id = n.trial_id
    WHERE o.r.content <> n.r.content OR o.r.is_gone <> n.r.is_gone
), reached AS (
    SELECT c.number, c.trial_id, c.old, c.new, max(v.version) AS version
    FROM contents AS c
    JOIN registration_versions AS v
        ON (v.registration_id, v.source, v.part) = (c.new.registration_id, c.new.source, c.new.part)
        AND left(v.content_hash, 12) = c.new.content AND v.first_seen <= c.as_of
    GROUP BY ALL
), left_behind AS (
    SELECT r.number, r.trial_id, r.new, r.version, max(v.version) AS old_version
    FROM reached AS r
    JOIN registration_versions AS v
        ON (v.registration_id, v.source, v.part) = (r.new.registration_id, r.new.source, r.new.part)
        AND left(v.content_hash, 12) = r.old.content AND v.version < r.version
    GROUP BY ALL
), fields AS (
    SELECT l.number, l.trial_id, c.field
    FROM left_behind AS l
    JOIN registration_changes AS c
        ON (c.registration_id, c.source, c.part) = (l.new.registration_id, l.new.source, l.new.part)
        AND c.version > l.old_version AND c.version <= l.version
    JOIN vocabulary_change_field AS f ON f.code = c.field AND f.decides_status = 'true'
    UNION
    SELECT number, trial_id, 'vanished_on' FROM contents WHERE old.is_gone <> new.is_gone
    UNION
    SELECT number, trial_id, 'registrations' FROM moved_trials 
    WHERE members <> old_members AND len(members) > 0 AND len(old_members) > 0
), field_lists AS (
    SELECT number, trial_id, list(field ORDER BY field) AS fields FROM fields GROUP BY ALL
)
SELECT
    m.trial_id,
    m.policy,
    m.number AS entry,
    m.as_of,
    (SELECT arg_max(d.as_of, d.number) FROM days AS d WHERE d.number < m.number) AS previous_as_of,
    m.old.status AS from_status,
    m.new.status AS to_status,
    CASE
        WHEN len(t.members) = 0 THEN 'merge'
        WHEN len(t.old_members) = 0 THEN if(coalesce(j.were_known, false), 'split', 'new_trial')
        WHEN NOT list_has_all(t.members, t.old_members) THEN 'split'
        WHEN j.were_known THEN 'merge'
        WHEN m.old.rule_version IS DISTINCT FROM m.new.rule_version THEN 'rule'
        WHEN len(f.fields) > 0 THEN 'record'
        WHEN m.old.status = 'reporting_unknown' OR
            (m.new.status = 'reporting_unknown' AND m.old.status IN ('overdue', 'overdue_submission_cancelled'))
            THEN CASE
                WHEN m.policy <> 'who-publication' THEN 'source'
                -- Whether an article was found rests on the articles and on what the record lists: a reference that is not
                -- loaded makes it unknown, and is one of the trial's articles too.
                WHEN m.new.status = 'reporting_unknown' AND t.records <> t.old_records THEN 'record'
                WHEN m.articles <> m.old_articles THEN 'publication'
                WHEN t.records <> t.old_records THEN 'record'
                ELSE 'source' END
        WHEN a.to_status IS NOT NULL THEN 'time'
        WHEN m.articles <> m.old_articles THEN 'publication'
        WHEN t.records <> t.old_records THEN 'record'
        ELSE 'other' END AS reason,
    coalesce(f.fields, []) AS fields,
    m.old.rule_version AS from_rule_version,
    m.new.rule_version AS to_rule_version
FROM moved AS m
JOIN moved_trials AS t ON t.number = m.number AND t.trial_id = m.trial_id
LEFT JOIN joined AS j ON j.number = m.number AND j.trial_id = m.trial_id
LEFT JOIN field_lists AS f ON f.number = m.number AND f.trial_id = m.trial_id
LEFT JOIN time_arrows AS a ON a.from_status = m.old.status AND a.to_status = m.new.status
