"""One name for one country: what the list of spellings holds, and what the tables and the UK rule make of it."""

import json

import pytest

from pipelines import validation
from pipelines.contracts import contracts, reference
from tests.unit.test_ictrp import as_xml
from tests.unit.test_uk_policies import at
from tests.worlds import AS_OF, nct, put_file, put_studies, rows, study, tables

LISTED = reference("countries")
SPELT = {row["name"]: {row["name"], *filter(None, row["spellings"].split(";"))} for row in LISTED}

STUDIES = [
    # countries as a record spells them
    ("Turkey (Türkiye)",), ("turkey",), ("Czech Republic", "Czechia"), ("Côte d’Ivoire",), ("England",),
    ("Korea, Republic of", "Korea, Democratic People's Republic of"), ("Atlantis",), ("??",), ("USA", "U.S. Virgin Islands"),
]  # fmt: skip


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    data = tmp_path_factory.mktemp("countries") / "data"
    put_studies(data, AS_OF, [study(n, **at(*places)) for n, places in enumerate(STUDIES)])
    with tables(data) as connection:
        yield connection


NAMED = {
    0: [("Turkey", "Turkey (Türkiye)", True)],
    1: [("Turkey", "turkey", True)],
    2: [("Czechia", "Czech Republic", True)],
    3: [("Ivory Coast", "Côte d’Ivoire", True)],
    4: [("United Kingdom", "England", True)],
    5: [("North Korea", "Korea, Democratic People's Republic of", True), ("South Korea", "Korea, Republic of", True)],
    6: [("Atlantis", "Atlantis", False)],
    7: [("??", "??", False)],
    8: [("US Virgin Islands", "U.S. Virgin Islands", True), ("United States", "USA", True)],
}


@pytest.mark.parametrize("number", NAMED)
def test_a_country_has_one_name_and_keeps_the_sources_words(world, number):
    sql = f"SELECT country, country_source, is_known FROM registration_countries WHERE trial_id = '{nct(number)}'"
    assert rows(world, f"{sql} ORDER BY country") == NAMED[number]


def test_two_spellings_are_one_unit_of_the_scorecards(world):
    sql = "SELECT unit_value, trials FROM scorecards WHERE unit_kind = 'country' AND policy = 'who-summary'"
    found = dict(rows(world, sql))
    assert (found["Turkey"], found["Czechia"]) == (2, 1)


def test_a_spelling_that_nobody_knows_is_listed_and_stops_nothing(world):
    table = contracts().tables["registration_countries"]
    results = [r for r in validation.check_table(world, table, contracts()) if r.outcome != "passed"]
    assert [(r.check_name, r.outcome) for r in results] == [("spelling_known", "warned")]
    assert "Atlantis" in results[0].examples


def test_a_site_in_england_is_one_in_the_united_kingdom(world):
    sql = f"SELECT uk_site.outcome FROM legs_uk_hra WHERE trial_id IN ('{nct(0)}', '{nct(4)}') ORDER BY trial_id"
    assert rows(world, sql) == [(False,), (True,)]


def test_registers_that_spell_a_country_otherwise_name_one(tmp_path):
    """CTIS, the EU register and ClinicalTrials.gov: Czechia once."""
    from tests.unit.test_eu_policies import EXTRACT, ctis_record, extract, table

    put_studies(tmp_path / "data", AS_OF, [study(1, **at("Czech Republic"))])
    put_file(tmp_path / "data", "euctr", AS_OF, "protocols.csv", table(EXTRACT, extract(1, [("CZ", "Completed")])))
    put_file(tmp_path / "data", "ctis", AS_OF, "r.jsonl", json.dumps(ctis_record(1, states={"Czechia": (8, None)})))
    with tables(tmp_path / "data") as connection:
        assert rows(connection, "SELECT DISTINCT country FROM registration_countries") == [("Czechia",)]


TAKEN_OUT = {
    # case -> (countries in the register's own record, taken out there, what ICTRP passes on; countries, UK site, filled)
    "taken out": (("France",), ("United Kingdom",), "France;United Kingdom",
        [("France", False), ("United Kingdom", True)], False, []),
    "the only country, taken out": ((), ("United Kingdom",), "United Kingdom", [("United Kingdom", True)], None, []),
    "not named by the register": (("France",), (), "United Kingdom", [("France", False)], False, []),
    "the register names none": (
        (), (), "France;United Kingdom", [("France", False), ("United Kingdom", False)], True, [("ictrp", None)]),
}  # fmt: skip


@pytest.fixture(scope="module")
def passed_on(tmp_path_factory):
    data = tmp_path_factory.mktemp("passed-on") / "data"
    studies = [
        study(n, **at(*places)) | {"derivedSection": {"miscInfoModule": {"removedCountries": list(removed)}}}
        for n, (places, removed, *_) in enumerate(TAKEN_OUT.values())
    ]
    put_studies(data, AS_OF, studies)
    portal = [
        {"TrialID": nct(n), "Source Register": "ClinicalTrials.gov", "Countries": written}
        for n, (_, _, written, *_) in enumerate(TAKEN_OUT.values())
    ]
    put_file(data, "ictrp", AS_OF, "portal.xml", as_xml(*portal).decode())
    with tables(data) as connection:
        yield connection


@pytest.mark.parametrize("case", TAKEN_OUT)
def test_a_country_that_the_register_does_not_name_does_not_come_back_from_another_source(passed_on, case):
    *_, named, has_uk_site, filled = TAKEN_OUT[case]
    of_trial = f"trial_id = '{nct(list(TAKEN_OUT).index(case))}'"
    sql = f"SELECT country, is_removed FROM registration_countries WHERE {of_trial} ORDER BY country"
    assert rows(passed_on, sql) == named
    assert rows(passed_on, f"SELECT uk_site.outcome FROM legs_uk_hra WHERE {of_trial}") == [(has_uk_site,)]
    sql = f"""SELECT f.source, f.item FROM registrations, unnest(filled_from_others) AS u(f)
        WHERE f.field = 'countries' AND {of_trial}"""
    assert rows(passed_on, sql) == filled


# --- the list ---------------------------------------------------------------------------------------------------------


def test_no_spelling_stands_for_two_countries(world):
    pairs = [(spelling, name) for name, spellings in SPELT.items() for spelling in spellings]
    world.execute("CREATE OR REPLACE TEMP TABLE pairs (spelling VARCHAR, name VARCHAR)")
    world.executemany("INSERT INTO pairs VALUES (?, ?)", pairs)
    twice = rows(
        world, "SELECT folded_words(spelling) AS k FROM pairs GROUP BY k HAVING k IS NULL OR count(DISTINCT name) > 1"
    )
    assert twice == []
    codes = [row["iso2"] for row in LISTED if row["iso2"]]
    assert len(codes) == len(set(codes))
    assert len(SPELT) == len(LISTED)


def test_the_rules_and_the_registers_speak_of_the_countries_of_the_list():
    """The FDAAA's sites in the US, and the countries of the EU's two registers."""
    us = {s for row in LISTED if row["is_us"] == "yes" for s in SPELT[row["name"]]}
    listed = contracts().policies["fdaaa"].parameters["us_countries"]
    assert set(listed) <= us
    assert all(SPELT[row["name"]] & set(listed) for row in LISTED if row["is_us"] == "yes")
    eea = {row["iso2"]: row["name"] for row in LISTED if row["is_eea"] == "yes"}
    assert contracts().sources["ctis"].words["country"] == eea
    left = {"GB": "United Kingdom", "UK": "United Kingdom", "Czech Republic": "Czechia"}
    assert contracts().sources["euctr"].words["country"] == eea | left


def test_the_words_of_a_register_are_names_of_the_list():
    for source in contracts().sources.values():
        assert set(source.words.get("country", {}).values()) <= set(SPELT), source.code
