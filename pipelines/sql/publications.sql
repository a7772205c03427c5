-- Articles that name a trial, report one by their type, are cited by a registry, or retract or correct such a one.
SELECT
    a.pmid, a.version, a.record_kind, a.doi, a.pmcid, a.title, a.journal, a.language, a.citation_status,
    a.electronic_raw, a.electronic_precision, a.electronic_earliest, a.electronic_latest, a.electronic_type,
    a.print_raw, a.print_precision, a.print_earliest, a.print_latest, a.print_type,
    a.published_raw, a.published_precision, a.published_earliest, a.published_latest, a.published_type,
    a.entered, a.revised, a.has_abstract, a.is_human,
    list_transform(a.types, lambda t: t.label) AS publication_types,
    list_transform(a.types, lambda t: t.ui) AS publication_type_ids,
    list_contains(list_transform(a.types, lambda t: t.ui), 'D016441')
        OR list_has_any(list_transform(a.related, lambda r: r.kind), ['RetractionIn', 'RetractedandRepublishedIn'])
        OR EXISTS (
            SELECT 1 FROM current_articles AS n, unnest(n.related) AS u(r)
            WHERE r.kind IN ('RetractionOf', 'RetractedandRepublishedFrom') AND r.pmid = a.pmid) AS is_retracted,
    list_contains(list_transform(a.types, lambda t: t.ui), 'D000076942') AS is_preprint,
    a.snapshot
FROM current_articles AS a
