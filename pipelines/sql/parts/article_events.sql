-- Every kept article of every payload. An article that was kept only because a registry cited it counts while one does.
SELECT a.*, f.snapshot, f.snapshot_date, f.file_year, f.file_number, f.is_replaced, f.is_applied
FROM staged_articles AS a
JOIN article_files AS f USING (file)
WHERE a.wanted <> ['cited'] OR a.pmid IN (SELECT pmid FROM cited_pmids)
