-- Every registration number found in an article, and whether a loaded register knows it. A well-formed number that the
-- register does not know is a finding (a typing error, or a record that was taken away).
SELECT
    a.pmid,
    coalesce(n.number, n.raw) AS number,
    n.section,
    min(n.raw) AS written,
    any_value(n.registry) AS registry,
    bool_or(n.is_malformed) AS is_malformed,
    CASE
        WHEN bool_or(n.is_malformed) THEN false
        WHEN any_value(n.registry) IN (SELECT registry FROM registration_lists)
            THEN coalesce(n.number, n.raw) IN (
                SELECT number FROM identifiers WHERE kind IN ('registration', 'alias')) END AS is_known,
    any_value(a.pattern_version) AS pattern_version
FROM current_articles AS a, unnest(a.numbers) AS u(n)
GROUP BY a.pmid, coalesce(n.number, n.raw), n.section
