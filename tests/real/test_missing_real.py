"""Wordings, MeSH terms and gaps on real ClinicalTrials.gov records: what the registers' own terms bring together, and that
every row of the missing-data tables adds up."""

from datetime import date

import pytest

from pipelines import build, importing, validation
from pipelines.contracts import contracts
from pipelines.importing import Import
from tests.unit.test_missing_tables import CHECKED
from tests.worlds import rows, tables

DAY = date(2026, 3, 20)
FILES = (
    "headache-2025-10-02.ctg-studies.json.gz",
    "urology-2024-09-24.ctg-studies.json.zip",
    "targets-2026-02-04-to-2026-03-13.studies.part-a.zip",
)


@pytest.fixture(scope="module")
def world(real_records, tmp_path_factory):
    data = tmp_path_factory.mktemp("missing") / "data"
    importing.take(data, Import("ctgov", DAY, tuple(real_records / "ctgov-api-v2" / name for name in FILES), "partial"))
    with tables(data, DAY) as connection:
        build.add_views(connection, contracts(), DAY)
        yield connection


@pytest.mark.parametrize(
    ("table", "words", "expected"),
    [
        ("conditions", "impotence", ("Erectile Dysfunction", "only_term")),
        ("conditions", "atopic dermatitis", ("Dermatitis, Atopic", "only_term")),
        ("conditions", "allergic asthma", (None, "disagree")),
        ("interventions", "xolair", ("Omalizumab", "only_term")),
        ("interventions", "vacuum erection device", (None, "none")),
    ],
)
def test_a_real_wording_has_its_term(world, table, words, expected):
    assert rows(world, f"SELECT DISTINCT mesh_term, mesh_method FROM {table} WHERE normalised = '{words}'") == [
        expected
    ]


def test_a_record_that_gives_a_term_of_the_same_words_has_it(world):
    given = rows(world, "SELECT registration_id, conditions, condition_mesh FROM registration_lists")
    expected = {
        (registration, condition)
        for registration, conditions, terms in given
        for condition in conditions or []
        if condition.casefold() in {term["term"].casefold() for term in terms or []}
    }
    sql = "SELECT registration_id, condition FROM conditions WHERE mesh_method = 'same_words' AND lower(condition) = lower(mesh_term)"
    assert set(rows(world, sql)) == expected
    assert len(expected) > 900


def test_the_tree_that_the_records_show(world):
    ((above,),) = rows(world, "SELECT above FROM mesh_terms WHERE mesh_term = 'Cluster Headache'")
    assert {"Headache Disorders", "Brain Diseases"} <= set(above)
    found = dict(rows(world, "SELECT condition_by, count(*) FROM find_trials('headache disorders', NULL) GROUP BY ALL"))
    assert found["term below"] > 80


def test_every_check_of_the_missing_data_tables_holds(world):
    found = [r for name in CHECKED for r in validation.check_table(world, contracts().tables[name], contracts())]
    assert [(r.table_name, r.check_name, r.examples) for r in found if r.outcome != "passed"] == []
    # PubMed is not loaded: nothing is called missing for want of an article.
    assert rows(world, "SELECT sum(none_found), sum(with_results) > 0 FROM evidence_gaps") == [(0, True)]
