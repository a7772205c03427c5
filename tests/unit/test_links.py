"""References of registrations, weak candidates, and articles found by any of their numbers.

How strong links are judged stands in `test_publications`.
"""

import pytest

from pipelines import build, explain, queries
from pipelines.contracts import contracts
from tests.unit.test_eu_policies import euctr, text
from tests.worlds import AS_OF, article, article_set, nct, put_file, put_studies, rows, study, tables

LONG = "Invented tea against invented coffee in adults who cannot sleep"
SHORT = "Tea against coffee"
PLAIN = {"title": "Something else altogether."}


def titled(brief, official=None, **ids):
    return {"protocolSection": {"identificationModule": {"briefTitle": brief, "officialTitle": official} | ids}}


def coded(code):
    return titled("Invented study", orgStudyIdInfo={"id": code})


CASES = {
    # case -> (study fields, article fields, tier and evidence of the link, or None)
    "the same title": ({"extra": titled(LONG)}, {"title": f"{LONG}."}, ("L5", ["equal_title"])),
    "the same official title, spelled otherwise": (
        {"extra": titled("Study", "The COFFEE-2: a pragmatic, randomised trial of coffee in insomnia")},
        {"title": "Coffee 2 - pragmatic randomised trial of coffee in insomnia."}, ("L5", ["equal_title"])),
    "the same title, too short to tell": ({"extra": titled(SHORT)}, {"title": f"{SHORT}."}, None),
    "the same title, but it names another trial": (
        {"extra": titled(f"{LONG}, part two")}, {"title": f"{LONG}, part two.", "abstract": nct(99)}, None),
    "the same title, before the start": (
        {"extra": titled(f"{LONG}, part three")}, {"title": f"{LONG}, part three.", "date": ("2019", "Dec", "31")},
        None),
    "the same title, in the month of the start": (
        {"extra": titled(f"{LONG}, part four")}, {"title": f"{LONG}, part four.", "date": ("2020", "Jan")},
        ("L5", ["equal_title"])),
    "the sponsor's code beside its name": (
        {"extra": coded("QX-77123"), "sponsor": "Quuxomere Pharmaceuticals"},
        {"title": "Final analysis of QX77123, a Quuxomere study."}, ("L5", ["sponsor_code"])),
    "the sponsor's code alone": (
        {"extra": coded("ZX-88123"), "sponsor": "Blortine Pharmaceuticals"}, {"title": "Final analysis of ZX-88123."},
        None),
    "a code of digits alone": (
        {"extra": coded("20180001"), "sponsor": "Frobnine Pharmaceuticals"},
        {"title": "Frobnine study 20180001: final analysis."}, None),
    "called a result by the register, and the same title": (
        {"extra": titled(f"{LONG}, part five"), "references": "RESULT"}, {"title": f"{LONG}, part five."},
        ("L2", ["equal_title", "registry_result"])),
    "derived by the register, and the same title": (
        {"extra": titled(f"{LONG}, part six"), "references": "DERIVED"}, {"title": f"{LONG}, part six."},
        ("L4", ["equal_title", "registry_derived"])),
    "background to the register": ({"references": "BACKGROUND"}, PLAIN, None),
}  # fmt: skip
SHARED_BY_FOUR = "An invented platform that tests many teas against one coffee"


def pmid(place):
    return 900000000 + place


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    data = tmp_path_factory.mktemp("links") / "data"
    studies, articles = [], []
    for place, (fields, paper, _) in enumerate(CASES.values(), 1):
        kind = fields.get("references")
        references = {"references": [{"pmid": str(pmid(place)), "type": kind}]} if kind else {}
        studies.append(study(place, **fields | references))
        articles.append(article(pmid(place), **paper))
    studies += [study(n, extra=titled(SHARED_BY_FOUR)) for n in range(50, 54)]
    articles.append(article(pmid(50), title=SHARED_BY_FOUR))
    stated = [
        {"pmid": str(pmid(50)), "type": "BACKGROUND"},
        {"pmid": "987654321", "type": "RESULT", "citation": "Inv J. doi: 10.99999/ABC.900000050."},
        {"citation": "Inv J. DOI 10.99999/ABC.900000050.", "type": "RESULT"},
        {"pmid": "987654322", "type": "DERIVED"},
        {"pmid": "987654322", "type": "DERIVED"},
        {"citation": "A book without any number.", "type": "BACKGROUND"},
    ]
    studies.append(study(60, references=stated))
    articles[-1] = article(pmid(50), title=SHARED_BY_FOUR, doi="10.99999/abc.900000050")
    # One trial with four country records; and four trials that share a code.
    countries = [text(1, part, "Ongoing", "", "NNY", "No").replace("A.7 ", "A.4.1 Sponsor's protocol code number: WQ-55123\nA.7 ")
                 for part in ("DE", "FR", "IT", "ES")]  # fmt: skip
    put_file(data, "euctr", AS_OF, "full.txt", "\n".join(countries))
    articles.append(article(pmid(61), title="Final analysis of WQ-55123: an Example Hospital study."))
    studies += [study(n, extra=coded("VQ-66123"), sponsor="Quuxomere Pharmaceuticals") for n in range(62, 66)]
    articles.append(article(pmid(62), title="Final analysis of VQ-66123, a Quuxomere study."))
    put_studies(data, AS_OF, studies)
    put_file(data, "pubmed", AS_OF, "pubmed24n0001.xml", article_set(*articles), "full", baseline=True)
    with tables(data) as connection:
        for name, (_, sql) in build.views(contracts(), AS_OF).items():
            if name in ("link_counts", "article_identifiers"):
                connection.execute(f"CREATE VIEW {name} AS {sql}")
        for macro in queries.finders():
            connection.execute(macro)
        yield connection


@pytest.mark.parametrize("case", CASES)
def test_candidates(world, case):
    place, (*_, expected) = list(CASES).index(case) + 1, CASES[case]
    found = rows(world, f"SELECT tier, evidence FROM trial_publications WHERE trial_id = '{nct(place)}'")
    assert found == ([expected] if expected else [])


def test_a_title_that_many_trials_share_tells_none(world):
    assert rows(world, f"SELECT trial_id FROM trial_publications WHERE pmid = {pmid(50)} AND tier = 'L5'") == []


def test_a_code_tells_by_the_trials_that_state_it_not_by_their_records(world):
    sql = "SELECT trial_id, evidence FROM trial_publications WHERE pmid = {}"
    assert rows(world, sql.format(pmid(61))) == [(euctr(1), ["sponsor_code"])]
    assert rows(world, sql.format(pmid(62))) == []


def test_no_candidate_counts(world):
    found = rows(world, "SELECT DISTINCT tier, counts_as_results FROM trial_publications ORDER BY ALL")
    assert ("L5", False) in found
    assert {tier for tier, counts in found if counts} <= {"L1", "L2", "L3"}


def test_every_reference_is_kept_once_whether_its_article_is_loaded_or_not(world):
    columns = "ordinal, reference_type, stated_pmid, doi, pmid, is_loaded, found_by"
    doi = "10.99999/abc.900000050"
    assert rows(world, f"SELECT {columns} FROM registry_references WHERE trial_id = '{nct(60)}' ORDER BY ordinal") == [
        (1, "background", pmid(50), None, pmid(50), True, "pmid"),
        (2, "result", 987654321, doi, pmid(50), True, "doi"),
        (3, "result", None, doi, pmid(50), True, "doi"),
        (4, "derived", 987654322, None, 987654322, False, None),
        (6, "background", None, None, None, False, None),
    ]
    linked = rows(world, f"SELECT pmid, tier FROM trial_publications WHERE trial_id = '{nct(60)}' ORDER BY pmid")
    assert linked == [(pmid(50), "L2"), (987654322, None)]


SPELLINGS = [
    "900000050", " 900000050 ", "PMID 900000050", "pmid:900000050", "https://pubmed.ncbi.nlm.nih.gov/900000050/",
    "10.99999/ABC.900000050", "doi:10.99999/abc.900000050", "DOI 10.99999/abc.900000050",
    "https://doi.org/10.99999/Abc.900000050", "http://dx.doi.org/10.99999/abc.900000050", "doi.org/10.99999/abc.900000050",
]  # fmt: skip


@pytest.mark.parametrize("written", SPELLINGS)
def test_an_article_is_found_with_its_trials_by_any_spelling(world, written):
    assert world.execute("SELECT pmid, trial_ids FROM find_article(?)", [written]).fetchall() == [(pmid(50), [nct(60)])]
    assert explain.find_articles(world, written) == [pmid(50)]


@pytest.mark.parametrize("written", ["90000005", "10.99999/abc", "", "NCT90000001", "'; DROP TABLE trials"])
def test_what_is_no_number_of_an_article_finds_none(world, written):
    assert explain.find_articles(world, written) == []


def test_an_article_is_explained(world):
    lines = "\n".join(explain.explain_article(world, pmid(50)))
    assert SHARED_BY_FOUR in lines
    assert f"{nct(60)}  Invented study 60\n    counts as results; tier L2, found by registry_result." in lines
    unseen = "\n".join(explain.explain_article(world, 987654322))
    assert "article not loaded" in unseen
    assert "does not count as results (article not seen); tier none, found by registry_derived." in unseen


def test_link_counts_count_every_link_once(world):
    assert rows(world, "SELECT sum(links) FROM link_counts") == rows(world, "SELECT count(*) FROM trial_publications")
    assert ("equal_title", "L5", "passed", False) in rows(
        world, "SELECT evidence, tier, filter_outcome, counts_as_results FROM link_counts"
    )
