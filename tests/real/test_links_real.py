"""The links between the real articles and trials held here: three true ones, five background citations, seven traps.

And what else the real records say of links: every reference kept, candidates that never count, articles by any number.
"""

from datetime import date
from pathlib import Path

import pytest

from pipelines import importing
from pipelines.importing import Import
from tests.worlds import rows, tables

AS_OF = date(2026, 8, 8)
REGISTER = [
    (date(2020, 10, 7), "ctgov-xml/covid-2020-10-07.search_result.part-a.zip"),
    (date(2023, 2, 3), "ctgov-xml/allpublicxml-sample-2023-02-03.part-a.zip"),
    (date(2026, 3, 13), "ctgov-api-v2/targets-2026-02-04-to-2026-03-13.studies.part-a.zip"),
]
ARTICLES = [
    # As baselines, so that no file waits for those between them.
    (date(2019, 12, 14), "pubmed20n0014.xml.gz"),
    (date(2020, 12, 14), "pubmed21n1063.xml.gz"),
    (date(2021, 6, 10), "pubmed21n1298.trimmed.xml.gz"),
]
TRUE = {
    ("NCT02665754", 34088322): ("L1", ["abstract", "data_bank", "registry_derived"]),
    ("NCT03111628", 33713769): ("L2", ["registry_result"]),
    ("NCT04380987", 33234656): ("L1", ["abstract", "data_bank"]),
}
BACKGROUND = {
    ("NCT00001189", 405711), ("NCT00001597", 424753), ("NCT00005140", 428108), ("NCT00005140", 429470),
    ("NCT00005279", 423015),
}  # fmt: skip
TRAPS = {
    ("NCT04320615", 32865700), ("NCT00499499", 33794050), ("NCT04523831", 33864232), ("NCT00004216", 34086287),
    ("NCT00004988", 34086287), ("NCT00006254", 34086287), ("NCT04357730", 34097193),
}  # fmt: skip


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, real_records: Path):
    data = tmp_path_factory.mktemp("links") / "data"
    data.mkdir()
    for day, name in REGISTER:
        importing.take(data, Import("ctgov", day, (real_records / name,)))
    for day, name in ARTICLES:
        importing.take(data, Import("pubmed", day, (real_records / "pubmed" / name,), baseline=True))
    with tables(data, AS_OF) as connection:
        yield connection


def links(world) -> dict[tuple[str, int], tuple[str | None, list[str]]]:
    sql = "SELECT trial_id, pmid, tier, evidence FROM trial_publications"
    return {(trial, pmid): (tier, evidence) for trial, pmid, tier, evidence in rows(world, sql)}


def test_the_trials_are_all_there(world):
    held = {number for (number,) in rows(world, "SELECT trial_id FROM trials")}
    assert {trial for trial, _ in (*TRUE, *BACKGROUND, *TRAPS)} <= held


def test_the_true_links_are_found(world):
    found = links(world)
    assert {pair: found.get(pair) for pair in TRUE} == TRUE


def test_background_citations_are_kept_as_references_and_are_no_links(world):
    assert BACKGROUND & set(links(world)) == set()
    kept = rows(
        world, "SELECT trial_id, pmid FROM registry_references WHERE reference_type = 'background' AND is_loaded"
    )
    assert set(kept) >= BACKGROUND


def test_numbers_in_reference_lists_are_no_links(world):
    assert TRAPS & set(links(world)) == set()


def test_every_other_link_names_its_trial_or_is_named_by_it(world):
    """What loaded articles have: data bank and text of the article itself, or the record's own word."""
    for pair, (tier, evidence) in links(world).items():
        assert evidence, pair
        assert (tier == "L5") <= (set(evidence) <= {"equal_title", "sponsor_code"}), pair
    assert rows(world, "SELECT DISTINCT counts_as_results FROM trial_publications WHERE tier IS NULL") == [(False,)]


def test_references_are_those_of_the_records(world):
    """The whole-register sample alone cites 8,733 articles, few of them loaded here."""
    ((stated, pmids, loaded),) = rows(
        world,
        "SELECT count(*), count(DISTINCT stated_pmid), count(*) FILTER (WHERE is_loaded) FROM registry_references",
    )
    assert stated >= pmids >= 8733
    assert loaded >= len(BACKGROUND) + 2


def test_trial_reports_of_the_seventies_carry_no_number_and_are_no_candidates(world):
    (found,) = rows(
        world, "SELECT sum(reports), sum(with_number), sum(share_in_text) FROM trial_report_numbers WHERE year < 1980"
    )
    assert found[0] > 200
    assert found[1:] == (0, 0)
    assert rows(world, "SELECT count(*) FROM unregistered_candidates WHERE year < 2008") == [(0,)]
    assert rows(world, "SELECT count(*) FROM unregistered_candidates JOIN publication_numbers USING (pmid)") == [(0,)]
