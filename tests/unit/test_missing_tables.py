"""Evidence gaps, what is missing by condition and intervention, trials that recruit, and the MeSH terms that they are
grouped by: made-up trials in, rows that can be checked by hand out."""

from collections import Counter
from datetime import date, timedelta

import duckdb
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from pipelines import validation
from pipelines.contracts import contracts
from pipelines.settings import SQL
from tests.worlds import AS_OF, article, article_set, nct, put_file, put_studies, rows, study, tables

KNOWN = contracts()
CHECKED = (
    "conditions", "interventions", "mesh_terms", "trial_standings", "evidence_gaps", "missing_by_condition",
    "missing_by_intervention", "missing_results", "recruiting_trials",
)  # fmt: skip
RUNS = {"status": "RECRUITING", "pcd": ("2025-01-01", "ESTIMATED"), "cd": None}
POSTED = {"results": ("2021-09-01", "2021-10-01")}


def terms(*names):
    return [{"id": f"D00000{len(name):04d}", "term": name} for name in names]


def of(number, conditions, given, mesh=(), mesh_given=(), above=(), **fields):
    """A study of these conditions and interventions (name, or name and other names), with the register's MeSH terms."""
    named = [name if isinstance(name, tuple) else (name, ()) for name in given]
    interventions = [{"type": "DRUG", "name": name, "otherNames": list(others)} for name, others in named]
    extra = {
        "protocolSection": {
            "conditionsModule": {"conditions": conditions},
            "armsInterventionsModule": {"interventions": interventions},
        },
        "derivedSection": {
            "conditionBrowseModule": {"meshes": terms(*mesh), "ancestors": terms(*above)},
            "interventionBrowseModule": {"meshes": terms(*mesh_given)},
        },
    }
    return study(number, extra=extra, **fields)


# Completed 2021-03-10, so due 2022-03-10 under alltrials-summary; missing where nothing else is said.
STUDIES = [
    of(1, ["Asthma"], ["Budesonide"], ["Asthma"], ["Budesonide"], ["Lung Diseases", "Bronchial Diseases"]),
    of(2, ["ASTHMA!", "asthma"], ["budesonide", "Placebo"], ["Asthma", "Rhinitis"], (), ["Nose Diseases"], enrolment=100, **POSTED),
    of(3, ["Bronchial asthma"], ["Budesonide"], ["Asthma"], (), ["Lung Diseases", "Bronchial Diseases"], enrolment=(40, "ESTIMATED")),
    of(4, ["Bronchial asthma"], ["Placebo"], ["Asthma"], **RUNS | {"cd": ("2026-03", "ESTIMATED")}),
    of(5, ["Asthma"], ["Budesonide"], enrolment=7),
    of(6, ["Asthma"], ["Budesonide"], status="UNKNOWN", pcd=None, cd=None),
    of(7, ["Asthma"], ["Budesonide"], status="WITHDRAWN", enrolment=0),
    of(8, ["Asthma"], ["Budesonide"], study_type="OBSERVATIONAL", phases=None),
    of(9, ["Asthma"], [], enrolment=None),
    of(10, ["Wheeze"], ["Pulmina"], ["Asthma"], ["Budesonide"]),
    of(11, ["Wheeze"], ["Placebo"], ["Rhinitis"]),
    of(12, ["Asthma"], ["Budesonide"], references=[{"pmid": "900000099", "type": "RESULT"}], enrolment=11),
    of(13, [], [("Pulmicort", ["Budesonide"]), "Salt"], (), ["Budesonide", "Salt"]),
    of(14, ["Reactive airways"], [("Pulmicort", ["budesonide"]), "Salt"], ["Asthma"], ["Budesonide", "Salt"], **POSTED),
    of(15, ["Asthma"], ["Placebo"], status="RECRUITING", pcd=("2024-01-01", "ESTIMATED"), cd=None),
]  # fmt: skip
OLD = of(16, ["Asthma"], ["Placebo"], **RUNS)
"""Recruits, by a record that nobody has looked at for long."""


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    data = tmp_path_factory.mktemp("missing") / "data"
    put_studies(data, AS_OF - timedelta(days=61), [OLD])
    put_studies(data, AS_OF, STUDIES)
    text = article_set(
        article(900000001, bank=(nct(5),)), article(900000002, title="Rationale and design.", bank=(nct(1),))
    )
    put_file(data, "pubmed", AS_OF, "pubmed24n0001.xml", text, "full", baseline=True)
    with tables(data) as connection:
        yield connection


def test_every_check_of_the_contracts_holds(world):
    found = [r for name in CHECKED for r in validation.check_table(world, KNOWN.tables[name], KNOWN)]
    assert [(r.table_name, r.check_name, r.examples) for r in found if r.outcome != "passed"] == []


# --- wordings and MeSH terms ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("table", "column", "number", "expected"),
    [
        ("conditions", "condition", 1, [("Asthma", "Asthma", "same_words", "asthma")]),
        ("conditions", "condition", 2, [("ASTHMA!", "Asthma", "same_words", "asthma"), ("asthma", "Asthma", "same_words", "asthma")]),
        ("conditions", "condition", 3, [("Bronchial asthma", "Asthma", "only_term", "asthma")]),
        ("conditions", "condition", 5, [("Asthma", "Asthma", "same_words_elsewhere", "asthma")]),
        ("conditions", "condition", 10, [("Wheeze", None, "disagree", "wheeze")]),
        ("conditions", "condition", 13, []),
        ("conditions", "condition", 14, [("Reactive airways", None, "none", "reactive airways")]),
        ("interventions", "intervention", 3, [("Budesonide", "Budesonide", "same_words_elsewhere", "budesonide")]),
        ("interventions", "intervention", 10, [("Pulmina", None, "none", "pulmina")]),
        ("interventions", "intervention", 13, [("Pulmicort", "Budesonide", "only_term", "budesonide"), ("Salt", "Salt", "same_words", "salt")]),
    ],
)  # fmt: skip
def test_a_wording_has_the_term_that_the_records_show_for_it(world, table, column, number, expected):
    sql = f"""SELECT {column}, mesh_term, mesh_method, concept FROM {table}
        WHERE registration_id = '{nct(number)}' ORDER BY ordinal"""
    assert rows(world, sql) == expected


def test_the_terms_above_one_come_from_records_that_have_it_alone(world):
    assert rows(world, "SELECT mesh_term, above, registrations, sources FROM mesh_terms ORDER BY ALL") == [
        ("Asthma", ["Bronchial Diseases", "Lung Diseases"], 6, ["ctgov"]),
        ("Budesonide", None, 4, ["ctgov"]),
        ("Rhinitis", None, 2, ["ctgov"]),
        ("Salt", None, 2, ["ctgov"]),
    ]


# --- where trials stand ---------------------------------------------------------------------------------------------

STANDINGS = {
    1: ("completed", "none_found", False),
    2: ("completed", "found", False),
    4: ("not_completed", "none_found", True),
    5: ("completed", "found", False),
    6: ("cannot_judge", "none_found", None),
    7: ("outside", "none_found", False),
    8: ("outside", "none_found", False),
    12: ("completed", "cannot_judge", False),
    15: ("completed", "none_found", None),  # recruits, it says, after its own end
    16: ("not_completed", "cannot_judge", None),  # nobody looked for 61 days
}


@pytest.mark.parametrize("number", STANDINGS)
def test_where_a_trial_stands(world, number):
    sql = f"SELECT completion, results, recruits FROM trial_standings WHERE trial_id = '{nct(number)}'"
    assert rows(world, sql) == [STANDINGS[number]]


def test_results_are_named_and_so_is_what_could_not_be_searched(world):
    sql = "SELECT result_registrations, result_pmids, not_searched FROM trial_standings WHERE trial_id = '{}'"
    assert rows(world, sql.format(nct(2))) == [([nct(2)], [], [])]
    assert rows(world, sql.format(nct(5))) == [([], [900000001], [])]
    assert rows(world, sql.format(nct(1))) == [([], [], [])]
    ((*none, why),) = rows(world, sql.format(nct(12)))
    assert none == [[], []]
    assert len(why) == 1
    assert "first: PMID 900000099" in why[0]
    ((*none, why),) = rows(world, sql.format(nct(16)))
    assert why == ["register: record last seen 2024-04-30"]


def test_only_what_its_register_called_recruiting_lately_recruits(world):
    sql = "SELECT trial_id, planned_enrolment, condition_concepts, intervention_concepts, record_seen FROM recruiting_trials"
    assert rows(world, sql) == [(nct(4), None, ["asthma"], ["placebo"], AS_OF)]
    # Its primary completion is expected sooner.
    assert rows(world, "SELECT expected_completion FROM recruiting_trials") == [(date(2026, 3, 31),)]


# --- gaps -----------------------------------------------------------------------------------------------------------

COUNTS = (
    "trials, completed, with_results, none_found, cannot_judge, not_completed, completion_unclear, with_results_actual, "
    "none_found_actual, none_found_planned, none_found_unstated, cannot_judge_actual"
)
GAPS = {
    ("(all)", "(all)"): (14, 11, 3, 7, 1, 2, 1, 157, 250, 40, 1, 11),
    ("asthma", "(all)"): (10, 7, 2, 4, 1, 2, 1, 107, 100, 40, 1, 11),
    ("asthma", "budesonide"): (6, 5, 2, 2, 1, 0, 1, 107, 50, 40, 0, 11),
    ("asthma", "(not stated)"): (1, 1, 0, 1, 0, 0, 0, 0, 0, 0, 1, 0),
    ("(not stated)", "budesonide"): (1, 1, 0, 1, 0, 0, 0, 0, 50, 0, 0, 0),
    ("wheeze", "placebo"): (1, 1, 0, 1, 0, 0, 0, 0, 50, 0, 0, 0),
    ("bronchial asthma", "budesonide"): None,
}


@pytest.mark.parametrize("pair", GAPS, ids=" x ".join)
def test_gaps_of_a_pair(world, pair):
    found = rows(world, f"SELECT {COUNTS} FROM evidence_gaps WHERE (condition, intervention) = {pair}")
    assert found == ([GAPS[pair]] if GAPS[pair] else [])


def test_every_row_of_gaps_is_what_counting_trial_by_trial_gives(world):
    stands = {t: (c, r) for t, c, r in rows(world, "SELECT trial_id, completion, results FROM trial_standings")}
    stated = {
        table: rows(world, f"SELECT trial_id, concept FROM {table} WHERE concept IS NOT NULL")
        for table in ("conditions", "interventions")
    }
    expected: Counter[tuple[str, str, str]] = Counter()
    for trial, (completion, results) in stands.items():
        if completion != "completed":
            continue
        words = [{c for t, c in stated[table] if t == trial} or {"(not stated)"} for table in stated]
        for condition in {"(all)"} | words[0]:
            for intervention in {"(all)"} | words[1]:
                expected[condition, intervention, results] += 1
    given = rows(world, "SELECT condition, intervention, with_results, none_found, cannot_judge FROM evidence_gaps")
    found = {
        (condition, intervention, results): n
        for condition, intervention, *counts in given
        for results, n in zip(("found", "none_found", "cannot_judge"), counts, strict=True)
        if n
    }
    assert found == dict(expected)


TRIAL = st.tuples(
    st.sampled_from(["completed", "completed", "not_completed", "cannot_judge", "outside"]),
    st.sampled_from(["found", "none_found", "cannot_judge"]),
    st.one_of(st.none(), st.integers(0, 10**9)),
    st.sampled_from(["actual", "estimated", None]),
    st.lists(st.sampled_from(["a", "b", "c", None]), max_size=4),
    st.lists(st.sampled_from(["x", "y", None]), max_size=3),
)
"""Completion, results, participants and their kind, and the concepts of its conditions and interventions: repeated, and
empty where a wording has none."""
KINDS = {"actual": "actual", "estimated": "planned", None: "unknown"}
PREFIX = {"found": "with_results", "none_found": "none_found", "cannot_judge": "cannot_judge"}


def counted(trials):
    """The same rows, trial by trial: pair -> column -> number, for pairs with a completed trial."""
    rows: dict[tuple[str, str], Counter[str]] = {}
    for completion, results, enrolment, kind, conditions, interventions in trials:
        if completion == "outside":
            continue
        of_conditions = {c for c in conditions if c} or {"(not stated)"}
        of_interventions = {i for i in interventions if i} or {"(not stated)"}
        for pair in ((c, i) for c in {"(all)"} | of_conditions for i in {"(all)"} | of_interventions):
            row = rows.setdefault(pair, Counter())
            row["trials"] += 1
            if completion != "completed":
                row["not_completed" if completion == "not_completed" else "completion_unclear"] += 1
                continue
            row["completed"] += 1
            row[PREFIX[results]] += 1
            row[f"{PREFIX[results]}_{'unstated' if enrolment is None else KINDS[kind]}"] += enrolment or (
                enrolment is None
            )
    return {pair: +row for pair, row in rows.items() if row["completed"]}


@hypothesis_settings(max_examples=60)
@given(st.lists(TRIAL, max_size=7))
def test_any_trials_are_counted_as_one_by_one(trials):
    with duckdb.connect() as connection:
        for table, columns in (
            ("trial_standings", "trial_id VARCHAR, completion VARCHAR, results VARCHAR"),
            ("trials", "trial_id VARCHAR, enrolment BIGINT, enrolment_type VARCHAR"),
            ("conditions", "trial_id VARCHAR, concept VARCHAR, mesh_term VARCHAR"),
            ("interventions", "trial_id VARCHAR, concept VARCHAR, mesh_term VARCHAR"),
        ):
            connection.execute(f"CREATE TABLE {table} ({columns})")
        for number, (completion, results, enrolment, kind, conditions, interventions) in enumerate(trials):
            connection.execute("INSERT INTO trial_standings VALUES (?, ?, ?)", [str(number), completion, results])
            connection.execute("INSERT INTO trials VALUES (?, ?, ?)", [str(number), enrolment, kind])
            for table, concepts in (("conditions", conditions), ("interventions", interventions)):
                for concept in concepts:
                    connection.execute(f"INSERT INTO {table} VALUES (?, ?, NULL)", [str(number), concept])
        connection.execute(f"CREATE TABLE evidence_gaps AS {(SQL / 'evidence_gaps.sql').read_text(encoding='utf-8')}")
        made = connection.sql("SELECT * EXCLUDE (condition_mesh_term, intervention_mesh_term) FROM evidence_gaps")
        numbers = made.columns[2:]
        found = {row[:2]: +Counter(dict(zip(numbers, row[2:], strict=True))) for row in made.fetchall()}
        assert found == counted(trials)
        for check in KNOWN.tables["evidence_gaps"].checks:
            assert connection.sql(check.sql).fetchall() == [], check.name


MISSING = {
    ("condition", "asthma"): (6, 1, 0, 5, 1, 3, 1, 50, 40, 0, 1),
    ("intervention", "budesonide"): (7, 2, 0, 5, 1, 3, 1, 100, 40, 0, 0),
    ("intervention", "salt"): (2, 1, 0, 1, 0, 1, 0, 50, 0, 0, 0),
    ("condition", "reactive airways"): None,
}


@pytest.mark.parametrize("unit", MISSING, ids=" ".join)
def test_what_is_missing_of_a_condition_or_intervention(world, unit):
    kind, word = unit
    found = rows(
        world,
        f"""SELECT due, reported, submitted, missing, missing_found_elsewhere, missing_none_found, missing_cannot_judge,
            none_found_actual, none_found_planned, none_found_unknown, none_found_unstated
        FROM missing_by_{kind} WHERE policy = 'alltrials-summary' AND {kind} = '{word}'""",
    )
    assert found == ([MISSING[unit]] if MISSING[unit] else [])


def test_a_missing_trial_comes_with_all_that_is_needed_to_chase_it(world):
    sql = """SELECT registration_ids, results, not_searched, searched, other_pmids, applies, countries FROM missing_results
        WHERE policy = 'alltrials-summary' AND trial_id = '{}'"""
    searched = [f"register: {nct(1)} read on 2024-06-30", "PubMed is loaded whole through 2024-06-20"]
    assert rows(world, sql.format(nct(1))) == [([nct(1)], "none_found", [], searched, [900000002], "yes", None)]
    ((_, results, not_searched, *_),) = rows(world, sql.format(nct(12)))
    assert results == "cannot_judge"
    assert not_searched
    assert rows(world, sql.format(nct(5))) == []  # found in an article


@pytest.mark.parametrize(
    ("table", "fault", "check"),
    [
        ("evidence_gaps", "UPDATE evidence_gaps SET none_found = none_found + 1 WHERE condition = 'wheeze'", "groups_sum"),
        ("evidence_gaps", "DELETE FROM evidence_gaps WHERE condition = '(all)' AND intervention = '(all)'", "all_is_every_trial"),
        ("evidence_gaps", "UPDATE evidence_gaps SET none_found_actual = 0 WHERE condition = '(all)'", "all_is_every_trial"),
        ("evidence_gaps", "DELETE FROM evidence_gaps WHERE condition = 'asthma' AND intervention = '(all)'", "wholes_count_once"),
        ("evidence_gaps", "DELETE FROM evidence_gaps WHERE condition = 'asthma' AND intervention = 'budesonide'", "pairs_count_once"),
        ("missing_by_condition", "UPDATE missing_by_condition SET due = due + 1", "groups_sum"),
        ("missing_by_condition", "DELETE FROM missing_by_condition WHERE condition = 'asthma'", "counts_missing_results"),
        ("missing_by_intervention", "UPDATE missing_by_intervention SET missing_none_found = 0, missing_cannot_judge = missing", "counts_missing_results"),
        ("missing_results", f"DELETE FROM missing_results WHERE trial_id = '{nct(1)}'", "whatever_is_missing"),
        ("missing_results", f"UPDATE missing_results SET results = 'none_found' WHERE trial_id = '{nct(12)}'", "not_found_is_told"),
        ("recruiting_trials", "DELETE FROM recruiting_trials", "whatever_recruits"),
        ("recruiting_trials", f"UPDATE recruiting_trials SET trial_id = '{nct(1)}'", "says_so_itself"),
        ("trial_standings", f"UPDATE trial_standings SET results = 'none_found' WHERE trial_id = '{nct(5)}'", "found_is_the_ladder"),
        ("trial_standings", f"UPDATE trial_standings SET completion = 'outside' WHERE trial_id = '{nct(1)}'", "due_is_completed"),
        ("conditions", "UPDATE conditions SET mesh_method = 'none' WHERE concept = 'asthma'", "terms_are_told"),
        ("conditions", f"UPDATE conditions SET mesh_term = 'Salt' WHERE registration_id = '{nct(1)}'", "one_term_per_wording"),
    ],
)  # fmt: skip
def test_a_row_that_is_wrong_is_found(world, table, fault, check):
    world.execute("BEGIN")
    try:
        world.execute(fault)
        found = validation.check_table(world, KNOWN.tables[table], KNOWN)
        assert check in {r.check_name for r in found if r.outcome == "failed"}
    finally:
        world.execute("ROLLBACK")
