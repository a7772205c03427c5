"""The share of trials with posted results that were published in time: who is judged, and that every count sums."""

from datetime import timedelta
from math import sqrt

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines import queries
from pipelines.contracts import contracts
from tests.unit.test_outcome_results import SUPERIOR, measured, posted
from tests.worlds import AS_OF, article, article_set, nct, put_file, put_studies, rows, study, tables

YES, NO = [measured(("0.01", SUPERIOR))], [measured(("0.2", SUPERIOR))]
RESULT = {"references": [{"pmid": "987654321", "type": "RESULT"}]}

# Primary completion is 2021-03-10, so that an article is in time through 2023-03-10.
CASES = {
    # case -> (outcomes, study fields, day of the article, judgement, in time)
    "in time": (YES, {}, ("2022", "May", "05"), "judged", True),
    "last day": (YES, {}, ("2023", "Mar", "10"), "judged", True),
    "day after": (YES, {}, ("2023", "Mar", "11"), "judged", False),
    "month of the last day": (NO, {}, ("2023", "Mar"), "judged", True),
    "no article": (NO, {}, None, "judged", False),
    "completed in a month": (NO, {"pcd": "2021-03"}, ("2023", "Mar", "31"), "judged", True),
    "no primary completion, so completion counts": (NO, {"pcd": None}, ("2023", "Jun", "10"), "judged", True),
    "no completion": (NO, {"pcd": None, "cd": None}, ("2023", "Jun", "10"), "no_completion", None),
    "months just passed": (YES, {"pcd": "2022-06-29", "cd": "2022-06-29"}, None, "judged", False),
    "months end on the as-of date": (YES, {"pcd": "2022-06-30", "cd": "2022-06-30"}, None, "too_recent", None),
    "published while it is too recent": (
        YES, {"pcd": "2022-06-30", "cd": "2022-06-30"}, ("2023", "May", "05"), "too_recent", None),
    "a result that is not loaded": (YES, RESULT, None, "article_not_seen", None),
    "one that is loaded beside it": (YES, RESULT, ("2022", "May", "05"), "judged", True),
    "one that is loaded beside it, too late": (YES, RESULT, ("2023", "Mar", "11"), "article_not_seen", None),
    "long after": (YES, {}, ("2023", "Jun", "11"), "judged", False),
    "long after, and one that is not loaded": (YES, RESULT, ("2023", "Jun", "11"), "article_not_seen", None),
    "of industry": (YES, {"sponsor_class": "INDUSTRY"}, None, "judged", False),
}  # fmt: skip


def put_world(data, through=AS_OF, baseline=True):
    studies, articles = [], [article(900000999, revised=str(through))]
    for number, (outcomes, fields, day, *_) in enumerate(CASES.values(), 1):
        studies.append(posted(number, *outcomes, **fields))
        if day:
            articles.append(article(900000000 + number, bank=(nct(number),), date=day, revised=str(through)))
    studies.append(posted(80, *YES, study_type="OBSERVATIONAL"))
    studies.append(study(81))  # no results
    put_studies(data, AS_OF, studies)
    scope = "full" if baseline else "partial"
    put_file(data, "pubmed", AS_OF, "pubmed24n0001.xml", article_set(*articles), scope, baseline=baseline)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    data = tmp_path_factory.mktemp("bias") / "data"
    put_world(data)
    with tables(data) as connection:
        yield connection


@pytest.mark.parametrize("case", CASES)
def test_trial(world, case):
    number = nct(list(CASES).index(case) + 1)
    found = rows(world, f"SELECT judgement, is_published_in_time FROM publication_times WHERE trial_id = '{number}'")
    assert found == [CASES[case][3:]]


@pytest.mark.parametrize(
    ("case", "status"),
    [
        # Completion is 2021-06-10, so that WHO's two years end on 2023-06-10.
        ("one that is loaded beside it", "reported_on_time"),
        ("one that is loaded beside it, too late", "reported_on_time"),
        ("long after", "reported_late"),
        ("long after, and one that is not loaded", "reported_undated"),
    ],
)
def test_a_late_article_beside_one_that_was_not_seen_is_no_late_report(world, case, status):
    number = nct(list(CASES).index(case) + 1)
    where = f"trial_id = '{number}' AND policy = 'who-publication'"
    assert rows(world, f"SELECT status FROM reporting_status WHERE {where}") == [(status,)]


def test_only_interventional_trials_with_results_are_counted(world):
    assert rows(world, "SELECT count(*) FROM publication_times") == [(len(CASES),)]


def test_the_headline_is_a_plain_count_of_the_cases(world):
    columns = "primary_outcome, trials, judged, published_in_time, not_in_time, too_recent, cannot_judge"
    where = "sponsor_class = 'all' AND completion_year = 'all'"
    found = {row[0]: row[1:] for row in rows(world, f"SELECT {columns} FROM publication_bias WHERE {where}")}
    for name, outcomes in (("significant", (YES,)), ("not_significant", (NO,)), ("all", (YES, NO))):
        cases = [c[3:] for c in CASES.values() if c[0] in outcomes]
        judged = [in_time for judgement, in_time in cases if judgement == "judged"]
        recent = sum(judgement == "too_recent" for judgement, _ in cases)
        expected = (len(cases), len(judged), sum(judged), len(judged) - sum(judged), recent)
        assert found[name] == (*expected, len(cases) - len(judged) - recent), name
    assert "unknown" not in found


def test_every_check_of_the_contracts_holds_and_can_fail(world):
    for name in ("publication_times", "publication_bias", "outcome_results", "registry_references"):
        for check in contracts().tables[name].checks:
            assert rows(world, check.sql) == [], check.name
    world.execute("BEGIN; UPDATE publication_bias SET trials = trials + 1, judged = judged + 1, not_in_time = not_in_time + 1 "
                  "WHERE sponsor_class = 'industry' AND completion_year <> 'all' AND primary_outcome = 'significant'")  # fmt: skip
    (sums,) = [c for c in contracts().tables["publication_bias"].checks if c.name == "parts_sum_to_the_whole"]
    try:
        assert len(rows(world, sums.sql)) == 3  # once in each of the three ways
    finally:
        world.execute("ROLLBACK")


def test_days_are_counted_from_completion(world):
    number = nct(list(CASES).index("in time") + 1)
    found = rows(
        world, f"SELECT days_to_article, days_to_first_results FROM publication_times WHERE trial_id = '{number}'"
    )
    assert found == [(421, 332)]  # 2021-03-10 to 2022-05-05, and to the posting of 2022-02-05


def test_an_article_that_was_not_seen_may_be_the_first(world):
    unseen = {nct(n) for n, (_, fields, *_) in enumerate(CASES.values(), 1) if fields is RESULT}
    found = rows(
        world, "SELECT trial_id, days_to_first_results FROM publication_times WHERE first_results_date IS NULL"
    )
    assert set(found) == {(number, None) for number in unseen}


@pytest.mark.parametrize(
    ("through", "baseline"), [(AS_OF - timedelta(days=1000), True), (AS_OF, False)], ids=["too old", "in part"]
)
def test_without_articles_to_search_nothing_is_judged(tmp_path, through, baseline):
    put_world(tmp_path / "data", through, baseline)
    with tables(tmp_path / "data") as connection:
        found = {j for (j,) in rows(connection, "SELECT DISTINCT judgement FROM publication_times")}
        assert found == {"not_searched", "too_recent", "no_completion"}
        assert rows(connection, "SELECT DISTINCT published_share FROM publication_bias") == [(None,)]


@given(st.integers(0, 500), st.integers(1, 500))
def test_wilson_bounds_solve_the_equation_they_are_made_of(hits, n):
    """The bounds are those shares p from which the one seen lies 1.96 of their own standard errors away."""
    hits = min(hits, n)
    with duckdb.connect() as connection:
        connection.execute(queries.macros())
        low, high = connection.execute("SELECT wilson_low($1, $2), wilson_high($1, $2)", [hits, n]).fetchone()
    assert 0 <= low <= hits / n <= high <= 1
    for bound in (low, high):
        assert abs(abs(hits / n - bound) - 1.959963984540054 * sqrt(bound * (1 - bound) / n)) < 1e-9
