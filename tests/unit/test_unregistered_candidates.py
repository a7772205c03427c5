"""Trial reports for which no registration was found: who is one, how it is graded, and what is said of the search."""

import re

import pytest

from pipelines.contracts import contracts, parameters
from pipelines.settings import SCHEMAS
from tests.worlds import AS_OF, article, article_set, nct, put_file, put_studies, rows, study, tables

RCT = ("D016449", "Randomized Controlled Trial")
TITLE = "An invented trial of tea against coffee in people with insomnia"


def report(pmid, journal="Inv J", mesh="Humans", **fields):
    """A trial report in humans with an abstract; `fields` change what `article` gives."""
    text = article(pmid, **{"abstract": "We drank tea.", "types": (RCT,), "date": ("2020", "May", "05")} | fields)
    headings = f"<MeshHeadingList><MeshHeading><DescriptorName>{mesh}</DescriptorName></MeshHeading></MeshHeadingList>"
    text = text.replace("Inv J", journal)
    return text.replace("</MedlineJournalInfo>", f"</MedlineJournalInfo>{headings if mesh else ''}")


CASES = {
    # case -> (what the article is, whether it is a candidate)
    "randomised": ({}, True),
    "controlled": ({"types": (("D018848", "Controlled Clinical Trial"),)}, True),
    "phase I": ({"types": (("D017426", "Clinical Trial, Phase I"),)}, True),
    "phase IV": ({"types": (("D017429", "Clinical Trial, Phase IV"),)}, True),
    "a trial without control or phase": ({"types": (("D016430", "Clinical Trial"),)}, False),
    "randomised and a review": ({"types": (RCT, ("D016454", "Review"))}, False),
    "randomised and a protocol": ({"types": (RCT, ("D000078325", "Clinical Trial Protocol"))}, False),
    "in animals": ({"mesh": "Mice"}, False),
    "not indexed": ({"mesh": ""}, False),
    "no abstract": ({"abstract": ""}, False),
    "first day": ({"date": ("2008", "Jan", "01")}, True),
    "the day before": ({"date": ("2007", "Dec", "31")}, False),
    "after the as-of date": ({"date": ("2024", "Jul", "01")}, False),
    "number in the data bank": ({"bank": (nct(99),)}, False),
    "number in the abstract": ({"abstract": f"Registered as {nct(99)}."}, False),
    "number in the title": ({"title": f"Tea against coffee ({nct(99)})."}, False),
    "malformed number": ({"abstract": "Registered as NCT9900009999."}, False),
    "cited by a register as background": ({}, False),
    "cited by a register by its DOI": ({"doi": "10.99999/cited"}, False),
    "the title of a trial": ({"title": f"{TITLE}."}, False),
    "secondary analysis": ({"title": "Tea against coffee: a secondary analysis."}, False),
    "follow-up": ({"title": "Tea against coffee: five-year follow-up of a trial."}, False),
    "pooled": ({"title": "Tea against coffee: pooled data."}, False),
    "protocol by title": ({"title": "Tea against coffee: study protocol."}, False),
}  # fmt: skip
BACKGROUND = list(CASES).index("cited by a register as background") + 1


def pmid(place):
    return 900000000 + place


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    data = tmp_path_factory.mktemp("candidates") / "data"
    cited = [
        {"pmid": str(pmid(BACKGROUND)), "type": "BACKGROUND"},
        {"citation": "Inv J. doi: 10.99999/CITED.", "type": "RESULT"},
    ]
    named = {"protocolSection": {"identificationModule": {"briefTitle": TITLE}}}
    put_studies(data, AS_OF, [study(1, references=cited), study(2, extra=named)])
    papers = [report(pmid(place), **fields) for place, (fields, _) in enumerate(CASES.values(), 1)]
    papers += [
        # Of 2021, ten reports in one journal of which two carry a number, and ten in one of which one does.
        *(report(pmid(100 + n), "Good J", date=("2021",), bank=(nct(99),) if n < 2 else ()) for n in range(10)),
        *(report(pmid(200 + n), "Poor J", date=("2021",), bank=(nct(99),) if n < 1 else ()) for n in range(10)),
        *(report(pmid(300 + n), "Small J", date=("2021",), bank=(nct(99),)) for n in range(5)),
        report(pmid(310), "Rare J", date=("2021",)),
        # Of 2022, ten of which none does: in each journal too few to tell.
        *(report(pmid(400 + n), f"J {n}", date=("2022",)) for n in range(10)),
    ]
    put_file(data, "pubmed", AS_OF, "pubmed24n0001.xml", article_set(*papers), "full", baseline=True)
    with tables(data) as connection:
        yield connection


@pytest.mark.parametrize("case", CASES)
def test_candidate(world, case):
    place = list(CASES).index(case) + 1
    found = rows(world, f"SELECT count(*) FROM unregistered_candidates WHERE pmid = {pmid(place)}")
    assert found == [(int(CASES[case][1]),)]


@pytest.mark.parametrize(
    ("number", "grade", "year", "journal"),
    [(105, "B", 0.31, 0.2), (205, "C", 0.31, 0.1), (310, "B", 0.31, None), (400, "C", 0.0, None)],
    ids=["a journal of which enough name numbers", "a journal that rarely does", "too few in the journal", "the year"],
)
def test_the_grade_says_how_much_it_tells(world, number, grade, year, journal):
    found = rows(
        world,
        f"""SELECT grade, round(year_share, 2), journal_share FROM unregistered_candidates WHERE pmid = {pmid(number)}""",
    )
    assert found == [(grade, year, journal)]


def test_the_places_searched_stand_with_each(world):
    places = rows(world, "SELECT DISTINCT no_registration_found FROM unregistered_candidates")
    assert places == [
        (["title", "abstract", "data_bank", "registration_references:nct", "registration_titles_and_codes:nct"],)
    ]


def test_the_yearly_share_is_that_of_a_plain_count(world):
    assert rows(
        world,
        """SELECT reports, with_number_in_data_bank, with_number_in_text, with_number, round(share, 4)
        FROM trial_report_numbers WHERE year = 2021""",
    ) == [(26, 8, 0, 8, round(8 / 26, 4))]
    assert rows(world, "SELECT reports, with_number, share FROM trial_report_numbers WHERE year = 2022") == [
        (10, 0, 0.0)
    ]


def test_no_verdict_is_said_of_a_candidate():
    table = contracts().tables["unregistered_candidates"]
    words = [table.title, table.meaning, *(c.name + c.description for c in table.columns)]
    words += [row["meaning"] for row in contracts().vocabularies["candidate_grade"].values()]
    words += [path.read_text() for path in (SCHEMAS.parent / "pipelines" / "sql").glob("unregistered_candidates.sql")]
    assert [w for w in words if re.search("unregistered|unpublished", w)] == []


def test_the_parameters_are_read():
    assert parameters()["rare_number_share"] == 0.2
