"""One warehouse of the real ClinicalTrials.gov and PubMed records: every file accounted for, known links found."""

from datetime import date
from pathlib import Path

import duckdb
import pytest

from pipelines import build, importing
from pipelines.importing import Import
from tests.worlds import settings

AS_OF = date(2026, 8, 8)
CTGOV = {
    "beta-2023-06-20.study.json.gz": (date(2023, 6, 20), 1),
    "urology-2024-09-24.ctg-studies.json.zip": (date(2024, 9, 24), 635),
    "aact-test-records.json.zip": (date(2024, 12, 31), 10),
    "NCT02513394.json.gz": (date(2025, 1, 1), 1),
    "headache-2025-10-02.ctg-studies.json.gz": (date(2025, 10, 2), 120),
    "record-history-2026-03-10.zip": (date(2026, 3, 10), 3),
    "targets-2026-02-04-to-2026-03-13.studies.part-a.zip": (date(2026, 3, 13), 602),
    "ctrdata_records.jsonl.gz": (date(2026, 8, 6), 23),
    "page-of-5-2026-08-07.studies.json.gz": (date(2026, 8, 7), 5),
}
PUBMED = [
    # (date, baseline, file, articles, deletions); 21n1298 stands alone in its year here, so nothing waits for others
    (date(2019, 12, 14), True, "pubmed20n0014.xml.gz", 30_000, 0),
    (date(2019, 12, 14), True, "pubmed20n1015.xml.gz", 756, 0),
    (date(2019, 12, 16), False, "pubmed20n1016.xml.gz", 735, 218),
    (date(2021, 6, 10), False, "pubmed21n1298.trimmed.xml.gz", 2_184, 20),
    (date(2022, 12, 14), True, "pubmed23n1166.xml.gz", 34, 0),
    (date(2022, 12, 16), False, "pubmed23n1167.xml.gz", 23, 0),
    (date(2024, 12, 14), True, "pubmed25n1274.xml.gz", 30, 0),
    (date(2024, 12, 16), False, "pubmed25n1275.xml.gz", 30, 0),
    (date(2025, 12, 14), True, "pubmed26n1334.xml.gz", 30, 0),
    (date(2025, 12, 16), False, "pubmed26n1335.xml.gz", 30, 6),
]


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory, real_records: Path):
    data = tmp_path_factory.mktemp("real")
    for name, (day, _) in CTGOV.items():
        importing.take(data, Import("ctgov", day, (real_records / "ctgov-api-v2" / name,)))
    for day, baseline, name, *_ in PUBMED:
        importing.take(data, Import("pubmed", day, (real_records / "pubmed" / name,), baseline=baseline))
    built = build.build(settings(data), AS_OF)
    assert built.left_out == []
    with duckdb.connect(str(built.folder / "alltrials.duckdb"), read_only=True) as connection:
        yield connection


def rows(connection, sql):
    return connection.sql(sql).fetchall()


def test_every_record_of_every_file_is_accounted_for(warehouse):
    found = {
        name: figures
        for name, *figures in rows(
            warehouse,
            """SELECT payload, records_in, deletions,
            current_records + superseded + duplicate + rejected + held_back + not_wanted, rejected FROM payloads""",
        )
    }
    expected = {name: [records, 0, records, 0] for name, (_, records) in CTGOV.items()}
    expected |= {name: [articles, deletions, articles, 0] for _, _, name, articles, deletions in PUBMED}
    assert found == expected


def test_the_two_searches_are_755_registrations_of_which_87_have_results(warehouse):
    found = rows(
        warehouse,
        """SELECT first_seen, count(*), count(*) FILTER (WHERE has_results) FROM registration_versions
        WHERE first_seen IN (DATE '2024-09-24', DATE '2025-10-02') GROUP BY ALL ORDER BY 1""",
    )
    assert found == [(date(2024, 9, 24), 635, 68), (date(2025, 10, 2), 120, 19)]


def test_no_record_of_the_site_itself_is_rejected(warehouse):
    assert rows(warehouse, "SELECT * FROM rejected_records WHERE scope <> 'field'") == []


def test_the_known_links_are_found_with_their_evidence(warehouse):
    found = rows(
        warehouse,
        """SELECT trial_id, pmid, tier, evidence FROM trial_publications
        WHERE pmid IN (34088322, 33713769) AND trial_id IN ('NCT02665754', 'NCT03111628') ORDER BY 1""",
    )
    assert found == [
        ("NCT02665754", 34088322, "L1", ["abstract", "data_bank", "registry_derived"]),
        ("NCT03111628", 33713769, "L2", ["registry_result"]),
    ]


def test_numbers_that_stand_only_in_a_reference_list_are_no_links(warehouse):
    traps = "(32865700, 33794050, 33864232, 34086287, 34097193)"
    numbers = """('NCT04320615', 'NCT00499499', 'NCT04523831', 'NCT00004216', 'NCT00004988', 'NCT00006254',
        'NCT04357730')"""
    found = rows(warehouse, f"SELECT * FROM publication_numbers WHERE pmid IN {traps} AND number IN {numbers}")
    assert found == []


def test_the_deletions_of_the_real_files_hit_no_article_that_is_present(warehouse):
    assert rows(warehouse, "SELECT sum(deletions) FROM payloads") == [(244,)]
    assert rows(warehouse, "SELECT count(*) > 500 FROM publications") == [(True,)]


def test_with_parts_of_pubmed_no_publication_is_called_missing(warehouse):
    found = {
        s for (s,) in rows(warehouse, "SELECT DISTINCT status FROM reporting_status WHERE policy = 'who-publication'")
    }
    assert "reporting_unknown" in found
    assert "overdue" not in found


def test_every_trial_has_one_status_per_policy_and_the_parts_sum_to_the_universe(warehouse):
    found = rows(
        warehouse,
        "SELECT policy, sum(n) FROM (SELECT policy, status, count(*) AS n FROM reporting_status GROUP BY ALL) GROUP BY ALL",
    )
    (universe,) = rows(warehouse, "SELECT count(*) FROM trials")[0]
    assert {n for _, n in found} == {universe}


def test_no_contact_detail_is_in_any_text(warehouse):
    warned = rows(
        warehouse,
        "SELECT table_name, check_name, violations FROM validation_results WHERE check_name LIKE 'no\\_%' ESCAPE '\\' AND violations > 0",
    )
    assert warned == []
