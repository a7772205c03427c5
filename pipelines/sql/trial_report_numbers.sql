-- How many trial reports of a year carry a registration number that PubMed shows, and where.
SELECT
    CAST(year AS INTEGER) AS year,
    count(*) AS reports,
    count_if(in_data_bank) AS with_number_in_data_bank,
    count_if(in_text) AS with_number_in_text,
    count_if(has_number) AS with_number,
    with_number_in_data_bank / reports AS share_in_data_bank,
    with_number_in_text / reports AS share_in_text,
    with_number / reports AS share
FROM trial_reports
GROUP BY year
