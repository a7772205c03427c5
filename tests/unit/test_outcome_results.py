"""P-values as registers write them: what is read, what is judged, and what stays unknown."""

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines import queries
from tests.worlds import AS_OF, nct, put_studies, rows, study, tables

P_VALUES = {
    # as written -> comparator, number, below 0.05
    "0.03": ("=", 0.03, True),
    ".04": ("=", 0.04, True),
    "0,03": ("=", 0.03, True),
    "0.0000": ("=", 0.0, True),
    "1E-4": ("=", 0.0001, True),
    "p=0.03": ("=", 0.03, True),
    "P-value: 0.2": ("=", 0.2, False),
    "= 0.0014": ("=", 0.0014, True),
    "0.05": ("=", 0.05, False),
    "0.049999": ("=", 0.049999, True),
    "1": ("=", 1.0, False),
    "<0.001": ("<", 0.001, True),
    "&lt; 0.0001": ("<", 0.0001, True),
    "<0.05": ("<", 0.05, True),
    "<0.10": ("<", 0.1, None),
    "≤ 0.01": ("<=", 0.01, True),
    "<=0.05": ("<=", 0.05, None),
    ">0.05": (">", 0.05, False),
    ">0.99": (">", 0.99, False),
    ">=0.05": (">=", 0.05, False),
    ">0.01": (">", 0.01, None),
    "0.05 (one-sided)": (None, None, None),
    "0.03 2-sided": (None, None, None),
    "NS": (None, None, None),
    "~0.04": (None, None, None),
    "5%": (None, None, None),
    "1.2": (None, None, None),
    "-0.04": (None, None, None),
    "0.0 4": (None, None, None),
    "<": (None, None, None),
    "": (None, None, None),
}


@pytest.fixture(scope="module")
def connection():
    with duckdb.connect() as connection:
        connection.execute(queries.macros())
        yield connection


def judged(connection, written, level=0.05):
    sql = "SELECT p.comparator, p.value, is_below(p.comparator, p.value, $2) FROM (SELECT p_value($1) AS p)"
    return connection.execute(sql, [written, level]).fetchone()


@pytest.mark.parametrize("written", P_VALUES)
def test_a_p_value_is_read_or_unknown(connection, written):
    assert judged(connection, written) == P_VALUES[written]


@given(st.text(max_size=12))
def test_no_text_is_read_without_a_digit_and_nothing_outside_of_0_and_1(connection, text):
    comparator, number, below = judged(connection, text)
    assert (comparator is None) is (number is None)
    if number is None:
        assert below is None
    else:
        assert any(c.isdigit() for c in text)
        assert 0 <= number <= 1


@given(st.sampled_from(["=", "<", "<=", ">", ">="]), st.integers(0, 100), st.integers(1, 99))
def test_a_verdict_holds_for_every_p_that_the_text_allows(connection, comparator, hundredths, level):
    """The oracle: of all p-values in steps of a thousandth, those that the text allows."""
    allowed = {
        "=": lambda p: p == hundredths * 10, "<": lambda p: p < hundredths * 10, "<=": lambda p: p <= hundredths * 10,
        ">": lambda p: p > hundredths * 10, ">=": lambda p: p >= hundredths * 10,
    }[comparator]  # fmt: skip
    verdicts = {p < level * 10 for p in range(1001) if allowed(p)}
    below = judged(connection, f"{comparator}{hundredths / 100}", level / 100)[2]
    assert below is None or verdicts <= {below}
    if len(verdicts) == 2:
        assert below is None


def measured(*analyses, kind="PRIMARY"):
    listed = [{"pValue": p, "nonInferiorityType": tests} for p, tests in analyses]
    return {"type": kind, "title": "Invented score", "analyses": listed}


def posted(number, *outcomes, **fields):
    extra = {"resultsSection": {"outcomeMeasuresModule": {"outcomeMeasures": list(outcomes)}}}
    return study(number, results=("2022-01-05", "2022-02-05"), extra=extra, **fields)


SUPERIOR, INFERIOR = "SUPERIORITY_OR_OTHER", "NON_INFERIORITY"
TRIALS = {
    "one of two is significant": ([measured(("0.2", SUPERIOR), ("<0.01", SUPERIOR))], "significant"),
    "an unread one beside a significant one": ([measured(("NS", SUPERIOR), ("<0.01", SUPERIOR))], "significant"),
    "none is significant": ([measured(("0.2", SUPERIOR)), measured((">0.05", "OTHER"))], "not_significant"),
    "an unread one beside one that is not": ([measured(("NS", SUPERIOR), ("0.2", SUPERIOR))], "unknown"),
    "an open one": ([measured(("<0.10", SUPERIOR))], "unknown"),
    "one without a p-value states nothing": ([measured((None, SUPERIOR), ("0.2", SUPERIOR))], "not_significant"),
    "non-inferiority is judged apart": ([measured(("<0.01", INFERIOR))], "unknown"),
    "non-inferiority beside a test for a difference": (
        [measured(("<0.01", INFERIOR), ("0.2", SUPERIOR))], "not_significant"),
    "not stated what is tested": ([measured(("<0.01", None))], "unknown"),
    "not stated what one of two tests": ([measured(("<0.01", None), ("0.2", SUPERIOR))], "unknown"),
    "secondary outcomes say nothing": ([measured(("<0.01", SUPERIOR), kind="SECONDARY")], "unknown"),
    "no analysis": ([measured()], "unknown"),
}  # fmt: skip


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    data = tmp_path_factory.mktemp("outcomes") / "data"
    put_studies(data, AS_OF, [posted(n, *outcomes) for n, (outcomes, _) in enumerate(TRIALS.values(), 1)])
    with tables(data) as connection:
        yield connection


@pytest.mark.parametrize("case", TRIALS)
def test_a_trial_is_significant_by_its_stated_p_values(world, case):
    number = nct(list(TRIALS).index(case) + 1)
    found = rows(world, f"SELECT primary_outcome FROM publication_times WHERE trial_id = '{number}'")
    assert found == [(TRIALS[case][1],)]


def test_analyses_keep_their_places_and_their_words(world):
    number = nct(list(TRIALS).index("non-inferiority beside a test for a difference") + 1)
    columns = "ordinal, outcome_ordinal, analysis_ordinal, hypothesis, p_value, is_below_level, is_significant"
    assert rows(
        world, f"SELECT {columns} FROM outcome_results WHERE registration_id = '{number}' ORDER BY ordinal"
    ) == [
        (1, 1, 1, "non_inferiority", "<0.01", True, None),
        (2, 1, 2, "superiority", "0.2", False, False),
    ]
