"""One warehouse of the real records of every register: each file accounted for, one trial for each trial.

Expected figures are counted here from the files' own bytes, or stated with them; no field of a contact is asked for.
"""

import gzip
import re
import zipfile
from collections import Counter
from datetime import date
from functools import cache
from pathlib import Path

import duckdb
import pytest

from pipelines import build, explain, importing, trn
from pipelines.importing import Import
from tests.worlds import settings

AS_OF = date(2026, 8, 8)
XML = {
    "clinicaltrials_example.xml.gz": (date(2016, 6, 1), 1),
    "clinicaltrials_example_with_disposition.xml.gz": (date(2016, 6, 1), 1),
    "trec-pm-2017-04.clinicaltrials_xml.part-a.zip": (date(2017, 4, 10), 76),
    "aact-test-records.zip": (date(2018, 5, 31), 63),
    "NCT00001289.xml.gz": (date(2019, 2, 1), 1),
    "NCT00001308.xml.gz": (date(2019, 2, 1), 1),
    "NCT00003995.xml.gz": (date(2019, 2, 1), 1),
    "covid-2020-04-28.search_result.zip": (date(2020, 4, 28), 34),
    "covid-2020-04-30.search_result.part-a.zip": (date(2020, 4, 30), 601),
    "NCT02513394.xml.gz": (date(2020, 8, 18), 1),
    "covid-2020-10-07.search_result.part-a.zip": (date(2020, 10, 7), 1883),
    "covid-with-results-2022-08-12.search_result.zip": (date(2022, 8, 12), 203),
    "allpublicxml-sample-2023-02-03.part-a.zip": (date(2023, 2, 3), 3420),
    "trec-ct-2023-05-09.sample.part-a.zip": (date(2023, 5, 9), 34),
}
ICTRP = {
    "ICTRP-Results_18Mar2020.xml.gz": (date(2020, 3, 18), 578),
    "covid-19-trials_25Mar2020.xlsx": (date(2020, 3, 25), 667),
    "COVID19-927-trials_7Apr2020.csv.gz": (date(2020, 4, 7), 927),
    "COVID19-1135-trials_15Apr2020.csv.gz": (date(2020, 4, 15), 1135),
    "COVID19-2119-trials_6May2020.xlsx": (date(2020, 5, 6), 2118),
    "COVID19-26may2020.xlsx": (date(2020, 5, 26), 2936),
    "COVID19-web_7Jul2020.xlsx": (date(2020, 7, 7), 4098),
}
JULY = "COVID19-web_7Jul2020.xlsx"
JULY_AND_XML = 1233
"""Of its 2,300 rows of ClinicalTrials.gov those that stand in the XML files too; 629 without the download of October."""
OTHERS = [
    # (source, folder, file, date, records)
    ("ctgov", "ctgov-api-v1", "results_1.json.gz", date(2021, 3, 2), 100),
    ("ctgov", "ctgov-api-v1", "NCT04780763.json.gz", date(2021, 3, 2), 1),
    ("ctgov", "ctgov-api-v1", "NCT00023673.json.gz", date(2023, 10, 17), 1),
    ("ctgov", "ctgov-api-v1", "NCT02028676.json.gz", date(2023, 10, 17), 1),
    ("ctgov", "ctgov-api-v2", "beta-2023-06-20.study.json.gz", date(2023, 6, 20), 1),
    ("ctgov", "ctgov-api-v2", "aact-test-records.json.zip", date(2024, 12, 31), 10),
    ("ctgov", "ctgov-api-v2", "NCT02513394.json.gz", date(2025, 1, 1), 1),
    ("ctgov", "ctgov-api-v2", "record-history-2026-03-10.zip", date(2026, 3, 10), 3),
    ("ctgov", "ctgov-api-v2", "ctrdata_records.jsonl.gz", date(2026, 8, 6), 23),
    ("ctgov", "ctgov-api-v2", "page-of-5-2026-08-07.studies.json.gz", date(2026, 8, 7), 5),
    ("ctgov", "ctgov-api-v2", "urology-2024-09-24.ctg-studies.json.zip", date(2024, 9, 24), 635),
    ("ctgov", "ctgov-api-v2", "headache-2025-10-02.ctg-studies.json.gz", date(2025, 10, 2), 120),
    ("ctgov", "ctgov-api-v2", "targets-2026-02-04-to-2026-03-13.studies.part-a.zip", date(2026, 3, 13), 602),
    ("euctr", "euctr", "euctr_processed_dec2020.even.csv.gz", date(2020, 12, 15), 49589),
    ("euctr", "euctr", "euctr_results_pages_dec2020.even.csv.gz", date(2020, 12, 15), 7755),
    ("euctr", "euctr", "ctrdata_test_error_trials_euctr.txt.gz", date(2023, 6, 1), 10),
    ("euctr", "euctr", "euctr_records_ctrdata.jsonl.gz", date(2026, 8, 1), 55),
    ("ctis", "ctis", "ctis_retrieve.jsonl.gz", date(2026, 3, 10), 17),
    ("isrctn", "isrctn", "isrctn_records.jsonl.gz", date(2026, 8, 6), 50),
    ("drks", "drks", "DRKS_trial-DRKS00038775.json", date(2025, 12, 17), 1),
    ("rebec", "rebec", "ecgovbr-ictrp-2011-03-11.xml.gz", date(2011, 3, 11), 5),
    ("rebec", "rebec", "ecgovbr-ictrp-2011-03-24.xml.gz", date(2011, 3, 24), 3),
    ("rebec", "rebec", "rebec-ictrp-2011-10-14.xml.gz", date(2011, 10, 14), 45),
    ("rebec", "rebec", "rebec-ictrp-2011-12-12.xml.gz", date(2011, 12, 12), 57),
]
FILES = [
    *(("ctgov", "ctgov-xml", name, day, records) for name, (day, records) in XML.items()),
    *(("ictrp", "ictrp", name, day, records) for name, (day, records) in ICTRP.items()),
    *OTHERS,
]


@pytest.fixture(scope="module")
def data(tmp_path_factory, real_records: Path):
    data = tmp_path_factory.mktemp("registers")
    for source, folder, name, day, _ in FILES:
        importing.take(data, Import(source, day, (real_records / folder / name,)))
    built = build.build(settings(data), AS_OF)
    assert built.left_out == []
    return data


@pytest.fixture(scope="module")
def warehouse(data):
    with duckdb.connect(str(data / "warehouse" / "alltrials.duckdb"), read_only=True) as connection:
        yield connection


def rows(connection, sql, *parameters):
    return connection.execute(sql, list(parameters)).fetchall()


def test_every_record_of_every_file_is_accounted_for_and_none_is_rejected(warehouse):
    found = {
        name: figures
        for name, *figures in rows(
            warehouse,
            "SELECT payload, records_in, current_records + superseded + duplicate + rejected, rejected FROM payloads",
        )
    }
    assert found == {name: [records, records, 0] for _, _, name, _, records in FILES}
    assert rows(warehouse, "SELECT count(*) FROM rejected_records WHERE scope <> 'field'") == [(0,)]


# --- ClinicalTrials.gov over the years ------------------------------------------------------------------------------


_OWN = re.compile(rb'<nct_id>(NCT\d{8})</nct_id>|"(?:nctId|NCTId)"\s*:\s*"(NCT\d{8})"')


@cache
def _numbers(path: Path) -> frozenset[str]:
    """The trials of a file of ClinicalTrials.gov, by its bytes alone."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            found = [_OWN.search(archive.read(n)) for n in archive.namelist() if n.endswith((".xml", ".json"))]
    else:
        found = list(_OWN.finditer(gzip.decompress(path.read_bytes())))
    return frozenset((m[1] or m[2]).decode() for m in found if m)


def _files_of(real_records: Path, folders: tuple[str, ...]) -> Counter[str]:
    """In how many of the files each trial stands."""
    files = [real_records / folder / name for _, folder, name, _, _ in FILES if folder in folders]
    return Counter(number for path in files for number in _numbers(path))


ALL = ("ctgov-xml", "ctgov-api-v1", "ctgov-api-v2")


def test_a_trial_in_several_dated_files_is_one_trial(warehouse, real_records):
    times = _files_of(real_records, ALL)
    edited = _numbers(real_records / "ctgov-xml" / "aact-test-records-edited.zip")
    several = sorted(number for number, files in times.items() if files > 1)
    # Three more stand twice only through the file of edited records, which is bad input and not loaded here.
    assert len(several) + len([n for n in edited if times[n] == 1]) == 718
    found = rows(
        warehouse,
        """SELECT count(*), count(DISTINCT coalesce(replaced_by, registration_id)), count(DISTINCT trial_id)
        FROM registrations WHERE registration_id IN (SELECT unnest(?))""",
        several,
    )
    # One of them is the obsolete number of another.
    assert found == [(715, 714, 714)]


def test_of_two_states_the_later_is_current_and_the_earlier_a_version(warehouse, real_records):
    folder = real_records / "ctgov-xml"
    april, august = (
        _numbers(folder / name)
        for name in ("covid-2020-04-30.search_result.part-a.zip", "covid-with-results-2022-08-12.search_result.zip")
    )
    both = sorted(april & august)
    assert len(both) == 58
    now = rows(
        warehouse,
        """SELECT count(*) FILTER (WHERE has_results AND status = 'completed' AND last_seen = DATE '2022-08-12')
        FROM registrations WHERE registration_id IN (SELECT unnest(?))""",
        both,
    )
    before = rows(
        warehouse,
        """SELECT count(DISTINCT registration_id) FROM registration_versions
        WHERE registration_id IN (SELECT unnest(?)) AND first_seen <= DATE '2020-04-30' AND NOT is_current
            AND NOT has_results AND valid_to > DATE '2020-04-30' AND source = 'ctgov'""",
        both,
    )
    assert (now, before) == ([(58,)], [(58,)])


@pytest.mark.parametrize(
    "number", ["NCT00498680", "NCT00492635", "NCT00499317", "NCT00001908", "NCT00006150", "NCT00460538"]
)
def test_a_trial_present_in_both_formats_is_one_and_the_newer_format_speaks(warehouse, number):
    found = rows(
        warehouse,
        """SELECT last_seen >= DATE '2024-09-24', (
            SELECT count(DISTINCT start_raw || coalesce(status, '') || coalesce(enrolment, 0)) FROM registration_versions
            WHERE registration_id = r.registration_id AND source = 'ctgov')
        FROM registrations AS r WHERE registration_id = ?""",
        number,
    )
    assert found == [(True, 1)]


def test_all_records_of_the_old_format_are_registrations(warehouse, real_records):
    times = _files_of(real_records, ("ctgov-xml",))
    assert sum(records for _, records in XML.values()) == 6320
    found = rows(
        warehouse, "SELECT count(*) FROM registrations WHERE registration_id IN (SELECT unnest(?))", sorted(times)
    )
    assert found == [(len(times),)]


# --- the portal of WHO ----------------------------------------------------------------------------------------------


@cache
def _july(real_records: Path) -> frozenset[str]:
    """NCT numbers in the cells of the July workbook's first column, by the workbook's own XML."""
    with zipfile.ZipFile(real_records / "ictrp" / JULY) as book:
        text = b"".join(book.read(n) for n in book.namelist() if n.endswith("sharedStrings.xml"))
    return frozenset(n.decode() for n in re.findall(rb"<t[^>]*>\s*(NCT\d{8})\s*</t>", text))


def test_what_the_portal_passes_on_of_a_trial_read_directly_is_the_same_registration(warehouse, real_records):
    both = sorted(_july(real_records) & set(_files_of(real_records, ("ctgov-xml",))))
    assert len(_july(real_records)) == 2300
    assert len(both) == JULY_AND_XML
    found = rows(
        warehouse,
        """SELECT count(*), count(DISTINCT trial_id), count(*) FILTER (WHERE source = 'ctgov'),
            count(*) FILTER (WHERE last_seen_directly IS NOT NULL)
        FROM registrations WHERE registration_id IN (SELECT unnest(?))""",
        both,
    )
    served = rows(
        warehouse,
        """SELECT count(*) FROM (
            SELECT registration_id FROM registration_versions WHERE registration_id IN (SELECT unnest(?))
            GROUP BY registration_id HAVING count(DISTINCT source) = 2)""",
        both,
    )
    assert (found, served) == ([(JULY_AND_XML, JULY_AND_XML - 1, JULY_AND_XML, JULY_AND_XML)], [(JULY_AND_XML,)])


def test_the_weekly_exports_leave_one_current_row_with_its_versions(warehouse):
    current = rows(
        warehouse,
        """SELECT count(*), count(DISTINCT (registration_id, part)) FROM registration_versions
        WHERE source = 'ictrp' AND is_current""",
    )
    assert current[0][0] == current[0][1] >= ICTRP[JULY][1]
    spans = rows(
        warehouse,
        """SELECT count(*) FROM (
            SELECT valid_to, lead(first_seen) OVER (PARTITION BY registration_id, part ORDER BY version) AS next_seen
            FROM registration_versions WHERE source = 'ictrp')
        WHERE valid_to IS DISTINCT FROM next_seen""",
    )
    assert spans == [(0,)]


def test_every_register_is_recognised_and_every_number_names_it(warehouse):
    found = rows(warehouse, "SELECT registration_id, registry FROM registrations")
    assert {registry for _, registry in found} == {
        "nct", "euctr", "ctis", "isrctn", "drks", "anzctr", "chictr", "ctri", "jrct", "umin", "japic", "irct", "cris",
        "pactr", "rebec", "rpcec", "slctr", "tctr", "lbctr", "repec", "nl",
    }  # fmt: skip
    wrong = [
        n
        for n, registry in found
        if (hit := trn.canonical(n)) is None or (n, registry) != (hit.canonical, hit.registry)
    ]
    assert wrong == []


# --- the EU's register ----------------------------------------------------------------------------------------------


def test_country_records_are_one_registration_each_trial(warehouse):
    found = rows(
        warehouse,
        """SELECT count(*), count(DISTINCT registration_id) FROM registration_versions
        WHERE first_seen = DATE '2020-12-15' AND source = 'euctr' GROUP BY snapshot ORDER BY 1""",
    )
    assert found == [(7755, 7755), (49589, 19322)]


def test_transitions_to_the_new_register_are_one_trial(warehouse):
    found = rows(
        warehouse,
        """SELECT l.registration_id, l.other_id, l.decision, t.registrations FROM trial_links AS l JOIN trials AS t USING (trial_id)
        WHERE method = 'transition' ORDER BY 1""",
    )
    assert found == [
        ("2019-001588-63", "2024-510663-34", "merged", 2),
        ("2019-003842-34", "2023-505613-24", "merged", 2),
    ]


def test_every_spelling_of_a_country_is_known(warehouse, report):
    """But for four records of ClinicalTrials.gov whose field holds signs instead of a name."""
    found = rows(
        warehouse,
        """SELECT count(DISTINCT country_source), count(DISTINCT country),
            list(DISTINCT country ORDER BY country) FILTER (WHERE NOT is_known) FROM registration_countries""",
    )
    ((spellings, names, unknown),) = found
    report("countries", [f"{spellings} spellings, {names} names, unknown: {unknown}"])
    assert unknown == ["{}"]


# --- one universe ---------------------------------------------------------------------------------------------------


def test_quoted_numbers_join_and_a_record_that_quotes_two_of_one_register_joins_neither(warehouse):
    decisions = dict(rows(warehouse, "SELECT decision, count(*) FROM trial_links WHERE method = 'named' GROUP BY ALL"))
    assert decisions == {"merged": 96, "candidate": 2}
    held = rows(
        warehouse,
        "SELECT registration_id, other_id, reason FROM trial_links WHERE method = 'named' AND decision = 'candidate' ORDER BY 1",
    )
    assert held == [
        ("IRCT20200401046909N1", "NCT04386850", "two_ids_of_one_register"),
        ("IRCT20200401046909N2", "NCT04386850", "two_ids_of_one_register"),
    ]


def test_free_text_and_titles_alone_join_nothing(warehouse):
    found = rows(
        warehouse,
        """SELECT count(*) FILTER (WHERE trial_id = other_trial_id), count(*) > 40 FROM trial_links
        WHERE method IN ('mentioned', 'equal_title', 'similar_title', 'shared_code', 'one_publication')""",
    )
    assert found == [(0, True)]


def test_results_on_the_eu_register_count_for_the_trial(warehouse):
    """Trials in two registers of which one alone shows results are not called missing by the one that does not."""
    found = rows(
        warehouse,
        """SELECT count(*) > 0, count(*) FILTER (WHERE s.status LIKE 'overdue%')
        FROM discrepancies AS d JOIN reporting_status AS s USING (trial_id)
        WHERE d.field = 'has_results' AND s.policy = 'alltrials-summary'""",
    )
    assert found == [(True, 0)]


@pytest.mark.parametrize(
    "spelling",
    ["isrctn 50189673", "ISRCTN50189673", "nct04381936", "NCT 04381936", "2020-001113-21", "EudraCT 2020-001113-21-GB"],
)
def test_any_spelling_of_any_number_finds_the_trial(warehouse, spelling):
    (trial_id,) = explain.find(warehouse, spelling)
    text = "\n".join(explain.explain(warehouse, trial_id))
    assert "NCT04381936" in text
    assert "ISRCTN50189673" in text
    assert "taken for one trial" in text
