"""Faults that systems before ours have had, each planted in our own queries and seen, or shown not to be ours.

Belongs here: what no other test of a rule shows. A fault that the tests of its own rule plant or show is named in
`SHOWN_ELSEWHERE`, so that it cannot disappear there unnoticed. Does not: the rules themselves row by row.
"""

import csv
import importlib
import io
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines import __main__ as command_line
from pipelines import build, queries, store, trn, validation
from pipelines.contracts import contracts
from tests.worlds import AS_OF, make_again, nct, put_studies, rows, study, tables

SHOWN_ELSEWHERE = {
    # fault -> test module, its table of cases, the case
    "a territory of the US that no pattern matches": ("test_fdaaa", "SCOPE", "old: Virgin Islands (U.S.)"),
    "a cancelled submission cannot be parsed": ("test_fdaaa", "LATE", "cancelled, resubmitted late"),
    "cancelled on a day that the register does not know": ("test_policies", "REPORTING", "cancelled on an unknown day"),
    "a submission cancelled within 30 days is shown as reported": (
        "test_fdaaa", "FAULTS", "a submission that was withdrawn within 30 days is reported"),
    "a certificate holds three years from completion": (
        "test_fdaaa", "FAULTS", "a certificate holds three years from completion"),
    "a late certificate is honoured without a word": ("test_fdaaa", "STATUS", "late certificate is honoured"),
    "hasResults is there, so there are results": ("test_fdaaa", "FAULTS", "hasResults is there, so there are results"),
    "a month is 30 days": ("test_fdaaa", "FAULTS", "365 days are a year"),
    "a site in the US lets any trial through": ("test_fdaaa", "FAULTS", "a site in the US or anything else will do"),
    "the drug flag is compared with the purpose": ("test_fdaaa", "FAULTS", "the drug flag is compared with the purpose"),
    "posting decides, not submission": ("test_fdaaa", "FAULTS", "posting decides, not submission"),
    "a fine is counted from completion": ("test_fdaaa", "STATUS", "day after grace"),
    "a review round restarts the clock": ("test_fdaaa", "FAULTS", "the restart counts from the last return"),
    "a trial of the EU register is both due and inconsistent": ("test_eu_policies", "CTD", "third country only"),
    "a date that was dropped is still used": ("test_eu_policies", "HISTORY", "an end date that the newest record dropped"),
}  # fmt: skip


@pytest.mark.parametrize("fault", SHOWN_ELSEWHERE)
def test_a_fault_is_shown_where_it_is_said_to_be(fault):
    module, name, case = SHOWN_ELSEWHERE[fault]
    assert case in getattr(importlib.import_module(f"tests.unit.{module}"), name)


# --- one world, with each fault planted in turn ----------------------------------------------------------------------

MEASURES = {"primaryOutcomes": [{"measure": "Pain"}]}
BOTH = MEASURES | {"secondaryOutcomes": [{"measure": "Sleep"}]}
COMPANIES = [{"name": "Example Pharma", "class": "INDUSTRY"}, {"name": "Other Pharma", "class": "INDUSTRY"}]
QUOTED = "A \"quoted\" ~ | title, 'twice' \\n; =1+1 \u201cand so on\u201d"


def protocol(**modules):
    return {"extra": {"protocolSection": modules}}


STUDIES = {
    "primary outcomes only": protocol(outcomesModule=MEASURES),
    "both kinds of outcome": protocol(outcomesModule=BOTH),
    "joined, the first": dict(registered="2020-02-01"),
    "joined, the second": dict(registered="2019-12-01", sponsor="Another University"),
    "registered late": dict(registered="2020-02-01"),
    "registered in time": dict(registered="2019-12-01"),
    "completion by its month": dict(pcd=None, cd="2021-03", results=("2022-03-05", "2022-06-01")),
    "completion by its day, primary one by its month": dict(pcd="2021-03", cd="2021-03-10"),
    "primary completion by its day, completion by its month": dict(pcd="2021-03-10", cd="2021-06"),
    "outcomes and no results": dict(protocol(outcomesModule=BOTH), has_results=False),
    "expected completion": dict(pcd=("2021-03-10", "ESTIMATED"), status="UNKNOWN"),
    "a company": dict(sponsor="Example Pharma", sponsor_class="INDUSTRY"),
    "a private person": dict(sponsor="Jo Invented", sponsor_class="INDIV"),
    "companies collaborate": protocol(sponsorCollaboratorsModule={"collaborators": COMPANIES}),
    "a title with signs": protocol(identificationModule={"briefTitle": QUOTED}),
    "nobody knows when it ended": dict(pcd=None, cd=None, status="UNKNOWN"),
    "ended without a date": dict(pcd=None, cd=None),
    "submitted": dict(events=[("RELEASE", "2022-03-01")]),
    # Under who-summary each group has a number of its own.
    **{f"still runs {n}": dict(status="RECRUITING", pcd=("2025-01-01", "ESTIMATED"), cd=None) for n in range(4)},
    "undated 0": dict(has_results=True),
    "undated 1": dict(has_results=True),
    "nobody knows either": dict(pcd=None, cd=None, status="UNKNOWN"),
    **{f"early {n}": dict(pcd="2024-01-10", results=("2024-03-01", "2024-04-01")) for n in range(7)},
    **{f"observational {n}": dict(study_type="OBSERVATIONAL", phases=None) for n in range(8)},
    **{f"on time {n}": dict(results=("2022-03-01", "2022-03-02")) for n in range(4)},
    **{f"late {n}": dict(results=("2022-04-01", "2022-04-02")) for n in range(6)},
}  # fmt: skip
JOIN = f"joined,2024-06-01,join,{nct(2)},{nct(3)},,,An invented reason,protocol on page 3,reviewer"


def trial(case: str) -> str:
    number = nct(list(STUDIES).index(case))
    return nct(3) if number == nct(2) else number  # the one that was registered first names both


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    data = tmp_path_factory.mktemp("faults") / "data"
    first = [study(n, updated="2022-12-01", enrolment=(200, "ESTIMATED")) for n in range(2)]
    put_studies(data, date(2023, 1, 1), first)
    put_studies(data, AS_OF, [study(n, **fields) for n, fields in enumerate(STUDIES.values())])
    with tables(data, adjudicated=[JOIN]) as connection:
        yield connection


@contextmanager
def planted(connection: duckdb.DuckDBPyConnection, relation: str, old: str, new: str) -> Iterator[None]:
    """The world as it would be if the relation's query had the fault: it and all that needs it are made again."""
    sql = next(q.sql for q in queries.all_queries() if q.name == relation)
    assert old in sql, old
    affected = {relation}
    again = []
    for query in queries.all_queries({relation: sql.replace(old, new)}):
        if query.name == relation or affected & set(query.needs):
            affected.add(query.name)
            again.append(query)
    assert not affected & set(queries.STEPS), "a fault in what Python makes cannot be planted here"
    connection.execute("BEGIN")
    try:
        make_again(connection, again)
        yield
    finally:
        connection.execute("ROLLBACK")


def status(case: str, policy: str = "alltrials-summary") -> str:
    return f"SELECT status FROM reporting_status WHERE policy = '{policy}' AND trial_id = '{trial(case)}'"


FAULTS = {
    # fault -> relation, text of its query, what the fault makes of it, a question, our answer
    "secondary outcomes are filled from primary ones": (
        "outcomes", "o.kind, o.measure", "unnest(['primary', 'secondary']) AS kind, o.measure",
        f"SELECT kind, measure FROM outcomes WHERE trial_id = '{trial('primary outcomes only')}'", [("primary", "Pain")]),
    "outcomes of one kind only": (
        "outcomes", "o.kind, o.measure", "'primary' AS kind, o.measure",
        f"SELECT kind, measure FROM outcomes WHERE trial_id = '{trial('both kinds of outcome')}' ORDER BY ordinal",
        [("primary", "Pain"), ("secondary", "Sleep")]),
    "a second number of one register overwrites the first": (
        "identifiers", "GROUP BY s.number, s.kind, m.trial_id, s.registration_id",
        ("GROUP BY s.number, s.kind, m.trial_id, s.registration_id QUALIFY row_number() OVER "
        "(PARTITION BY m.trial_id, s.kind, any_value(s.registry) ORDER BY s.number DESC) = 1"),
        f"SELECT number FROM identifiers WHERE registry = 'nct' AND trial_id = '{trial('joined, the first')}' ORDER BY 1",
        [(nct(2),), (nct(3),)]),
    "what was expected to enrol is preferred to what did": (
        "registrations", "    r.*,", ("    r.* REPLACE (greatest(r.enrolment, (SELECT max(v.enrolment) FROM version_spans AS s "
        "JOIN staged_registrations AS v USING (file, record_number) WHERE s.registration_id = r.registration_id)) AS enrolment),"),
        f"SELECT enrolment, enrolment_type FROM trials WHERE trial_id = '{nct(0)}'", [(50, "actual")]),
    "the day of completion is set by the other date's precision": (
        "trial_legs", "coalesce(t.primary_completion_latest, t.completion_latest) AS primary_latest",
        ("CASE WHEN t.primary_completion_precision = 'day' THEN t.primary_completion_latest "
        "ELSE t.completion_earliest END AS primary_latest"),
        (f"SELECT clock_earliest, clock_latest FROM reporting_status WHERE policy = 'alltrials-summary' "
        f"AND trial_id = '{trial('completion by its month')}'"), [(date(2021, 3, 1), date(2021, 3, 31))]),
    "a completion known by its month stands at the month's first day": (
        "trial_legs", "coalesce(t.primary_completion_latest, t.completion_latest) AS primary_latest",
        "coalesce(t.primary_completion_earliest, t.completion_earliest) AS primary_latest",
        status("completion by its month"), [("reported_on_time",)]),
    "prospective and retrospective are swapped": (
        "legs_strict_day", "registered_latest <= start_earliest, registered_earliest > start_latest",
        "registered_earliest > start_latest, registered_latest <= start_earliest",
        ("SELECT trial_id, status FROM registration_status WHERE rule = 'strict-day' AND trial_id IN "
        f"('{trial('registered late')}', '{trial('registered in time')}') ORDER BY 1"),
        [(trial("registered late"), "retrospective"), (trial("registered in time"), "prospective")]),
    "of two registrations the later counts": (
        "trial_registration", "    t.registered,\n    l.started.outcome AS has_started,\n    r.registered_earliest,\n    r.registered_latest,",
        ("    (SELECT max(x.registered_latest) FROM registrations AS x WHERE x.trial_id = t.trial_id) AS registered,\n"
        "    l.started.outcome AS has_started,\n"
        "    (SELECT max(x.registered_latest) FROM registrations AS x WHERE x.trial_id = t.trial_id) AS registered_earliest,\n"
        "    (SELECT max(x.registered_latest) FROM registrations AS x WHERE x.trial_id = t.trial_id) AS registered_latest,"),
        f"SELECT status FROM registration_status WHERE rule = 'strict-day' AND trial_id = '{trial('joined, the first')}'",
        [("prospective",)]),
    "hasResults is there, so there are results": (
        "register_result_legs", "WHEN bool_or(has_results) THEN true", "WHEN bool_or(has_results IS NOT NULL) THEN true",
        status("outcomes and no results"), [("overdue",)]),
    "registered outcomes are results": (
        "register_result_legs", "WHEN bool_or(has_results) THEN true",
        ("WHEN bool_or(has_results OR registration_id IN (SELECT registration_id FROM registration_lists "
        "WHERE len(outcomes) > 0)) THEN true"), status("outcomes and no results"), [("overdue",)]),
    "collaborators are left out": (
        "registration_sponsors", "LEFT JOIN sponsor_names AS n ON n.name = s.name",
        "LEFT JOIN sponsor_names AS n ON n.name = s.name WHERE s.role = 'lead'",
        ("SELECT role, sponsor_class FROM registration_sponsors "
        f"WHERE trial_id = '{trial('companies collaborate')}' ORDER BY ordinal"),
        [("lead", "other"), ("collaborator", "industry"), ("collaborator", "industry")]),
    "an expected completion is shown as one that happened": (
        "registrations", "    r.*,", "    r.* REPLACE ('actual' AS primary_completion_type),",
        f"SELECT primary_completion_type FROM trials WHERE trial_id = '{trial('expected completion')}'", [("estimated",)]),
    "no date, no duty": (
        "trial_legs", "leg(t.status, s.runs,", "leg(t.status, coalesce(s.runs, true),",
        ("SELECT status, decided_by FROM reporting_status WHERE policy = 'alltrials-summary' "
        f"AND trial_id = '{trial('nobody knows when it ended')}'"), [("completion_unknown", "primary_completion")]),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_changes_the_answer(world, fault):
    relation, old, new, question, answer = FAULTS[fault]
    assert rows(world, question) == answer
    with planted(world, relation, old, new):
        assert rows(world, question) != answer


def test_a_date_that_is_exact_stays_exact_beside_one_that_is_not(world):
    found = {
        t: tuple(bounds)
        for t, *bounds in rows(
            world,
            "SELECT trial_id, clock_earliest, clock_latest FROM reporting_status WHERE policy = 'alltrials-summary'",
        )
    }
    month, day = (date(2021, 3, 1), date(2021, 3, 31)), (date(2021, 3, 10), date(2021, 3, 10))
    assert found[trial("completion by its day, primary one by its month")] == month
    assert found[trial("primary completion by its day, completion by its month")] == day


def test_a_missing_date_does_not_excuse_and_the_field_is_named(world):
    found = rows(
        world,
        f"""SELECT policy, status, decided_by FROM reporting_status WHERE trial_id = '{trial("ended without a date")}'
        AND policy IN ('alltrials-summary', 'who-summary', 'who-publication') ORDER BY 1""",
    )
    assert found == [
        ("alltrials-summary", "inconsistent", "primary_completion"),
        ("who-publication", "inconsistent", "completion"), ("who-summary", "inconsistent", "primary_completion"),
    ]  # fmt: skip


def test_every_verdict_has_the_rows_that_explain_it(world):
    evidence = queries.status_evidence(contracts())
    unexplained = rows(
        world,
        f"SELECT trial_id, policy FROM reporting_status ANTI JOIN ({evidence}) AS e USING (trial_id, policy)",
    )
    assert unexplained == []


def test_a_fine_falls_when_the_record_changes(tmp_path):
    def penalty(data):
        with tables(data) as connection:
            view = build.views(contracts(), AS_OF)
            connection.execute(f"CREATE TEMP VIEW reporting_lateness AS {view['reporting_lateness'][1]}")
            return rows(connection, f"SELECT days_past_grace FROM ({view['penalty_estimates'][1]})")

    from tests.unit.test_fdaaa import us

    put_studies(tmp_path / "data", date(2024, 6, 1), [us(1, updated="2022-12-01")])
    assert penalty(tmp_path / "data") == [(813,)]
    put_studies(tmp_path / "data", AS_OF, [us(1, updated="2024-06-01", pcd="2023-05-30")])
    assert penalty(tmp_path / "data") == [(1,)]


# --- counts and shares -------------------------------------------------------------------------------------------------

COUNTED = {
    # count -> the filter that makes it, in the scorecards and in the view of the summary
    "reported_on_time": ("outcome = 'reported_on_time'", None),
    "reported_late": ("outcome = 'reported_late'", None),
    "reported_undated": ("outcome = 'reported_undated'", None),
    "submitted": ("outcome = 'due, submitted'", "status_group = 'due, submitted'"),
    "missing": ("starts_with(outcome, 'missing')", "status_group = 'due, missing'"),
    "cannot_judge": ("outcome = 'cannot judge'", "status_group = 'cannot judge'"),
    "pending": ("outcome = 'pending'", "status_group = 'pending'"),
    "reported_early": ("outcome = 'reported early'", "status_group = 'reported early'"),
    "outside": ("outcome = 'outside'", "status_group = 'outside'"),
}
PAIRS = [(one, other) for one in COUNTED for other in COUNTED if one != other]


@pytest.fixture(scope="module")
def headline(world):
    names = ", ".join(COUNTED)
    return dict(
        zip(
            COUNTED,
            *rows(world, f"SELECT {names} FROM scorecards WHERE unit_kind = 'all' AND policy = 'who-summary'"),
            strict=True,
        )
    )


def test_no_count_is_made_with_the_filter_of_another(world, headline):
    """Two counts that print the same number because both use one filter: here every group has a number of its own."""
    sql = next(q.sql for q in queries.all_queries() if q.name == "scorecards")
    for one, other in PAIRS:
        right, wrong = (f"FILTER (WHERE {COUNTED[name][0]})" for name in (one, other))
        assert f"sum(trials) {right} AS {one}" in sql
        faulty = sql.replace(f"sum(trials) {right} AS {one}", f"sum(trials) {wrong} AS {one}")
        ((count,),) = rows(world, f"SELECT {one} FROM ({faulty}) WHERE unit_kind = 'all' AND policy = 'who-summary'")
        assert count != headline[one], (one, other)


def test_the_summary_is_the_headline_of_the_scorecards(world, headline):
    """Trials by group: the view over the statuses and the table of scorecards give one answer."""
    shared = [name for name, (_, filter_) in COUNTED.items() if filter_]
    columns = (
        f"policy, trials, due, reported, {', '.join(shared)}, reported_share, reported_share_low, reported_share_high"
    )
    _, summary = build.views(contracts(), AS_OF)["reporting_summary"]
    of_view = rows(world, f"SELECT {columns} FROM ({summary}) ORDER BY policy")
    assert of_view == rows(world, f"SELECT {columns} FROM scorecards WHERE unit_kind = 'all' ORDER BY policy")
    for one in shared:
        for other in shared:
            if one != other:
                right, wrong = (f"FILTER (WHERE {COUNTED[name][1]}) AS {one}" for name in (one, other))
                assert right in summary
                faulty = summary.replace(right, wrong)
                ((count,),) = rows(world, f"SELECT {one} FROM ({faulty}) WHERE policy = 'who-summary'")
                assert count != headline[one], (one, other)


SHARES = {
    # a share whose denominator is not the one that is printed beside it
    "of all trials": ("reported / nullif(due, 0) AS", "reported / nullif(w.trials, 0) AS"),
    "of what is covered": ("reported / nullif(due, 0) AS", "reported / nullif(w.trials - w.outside, 0) AS"),
    "early reports among the reported": (
        "reported / nullif(due, 0) AS", "(reported + w.reported_early) / nullif(due + w.reported_early, 0) AS"),
    "bounds of what is due alone": ("reported / nullif(due + w.cannot_judge, 0)", "reported / nullif(due, 0)"),
    "the unjudged in the numerator alone": (
        "(reported + w.cannot_judge) / nullif(due + w.cannot_judge, 0)", "(reported + w.cannot_judge) / nullif(due, 0)"),
}  # fmt: skip


@pytest.mark.parametrize("fault", SHARES)
def test_a_share_of_another_denominator_than_the_one_printed_stops_the_build(world, fault):
    old, new = SHARES[fault]
    with planted(world, "scorecards", old, new):
        assert "shares_are_of_due" in failed(world, "scorecards")


OVERLAPS = {
    # units that overlap, where they are said to partition the trials
    "a trial counts once for each sponsor": (
        "    JOIN leads AS l USING (sponsor)",
        ("    JOIN (SELECT DISTINCT trial_id, coalesce(sponsor_id, '(private person)') AS sponsor FROM registration_sponsors) AS every ON every.trial_id = n.trial_id\n"
        "    JOIN leads AS l ON l.sponsor = every.sponsor")),
    "a trial counts once for each registration": (
        "    FROM trials AS t\n    LEFT JOIN sponsors AS s USING (sponsor_id)",
        "    FROM trials AS t JOIN registrations AS x ON x.trial_id = t.trial_id LEFT JOIN sponsors AS s ON s.sponsor_id = t.sponsor_id"),
    "persons are left out of the sponsors": ("    FROM verdicts\n    GROUP BY lead", "    FROM verdicts WHERE lead IN (SELECT lead FROM leads WHERE sponsor NOT LIKE '(%')\n    GROUP BY lead"),
    "a kind of unit is left out": ("    FROM verdicts\n    GROUP BY lead", "    FROM verdicts WHERE false\n    GROUP BY lead"),
}  # fmt: skip


@pytest.mark.parametrize("fault", OVERLAPS)
def test_units_that_overlap_or_lack_a_trial_stop_the_build(world, fault):
    old, new = OVERLAPS[fault]
    assert failed(world, "scorecards") == set()
    with planted(world, "scorecards", old, new):
        assert failed(world, "scorecards") & {"partitions_sum_to_headline", "headline_is_the_status"}


def failed(connection, table: str) -> set[str]:
    found = validation.check_table(connection, contracts().tables[table], contracts())
    return {result.check_name for result in found if result.outcome == "failed"}


# --- numbers -----------------------------------------------------------------------------------------------------------

NUMBERS = {
    # as written -> register, number: what a pattern too narrow misses or gives to another register
    "RBR-5p8nzk6": ("rebec", "RBR-5p8nzk6"),
    "RBR-6m69fc": ("rebec", "RBR-6m69fc"),
    "ChiCTR-TRC-12002097": ("chictr", "ChiCTR-TRC-12002097"),
    "ChiCTR-IOR-17012513": ("chictr", "ChiCTR-IOR-17012513"),
    "EudraCT 2004 002714 11": ("euctr", "2004-002714-11"),
    "EudraCT 200400600580": ("euctr", "2004-006005-80"),
    "2012–001909–24": ("euctr", "2012-001909-24"),
    "2022-500244-37": ("ctis", "2022-500244-37"),
    "EudraCT 2022-500244-37": ("ctis", "2022-500244-37"),
    "2022-500244-37-00": ("ctis", "2022-500244-37"),
    "ISRCTN 47772397": ("isrctn", "ISRCTN47772397"),
    "DRKS 00003170": ("drks", "DRKS00003170"),
    "PER-067-20": ("repec", "PER-067-20"),
    "per-067-20": ("repec", "PER-067-20"),
}


@pytest.mark.parametrize("text", NUMBERS)
def test_a_number_is_found_whole_and_under_its_own_register(text):
    (hit,) = trn.find(f"It was registered ({text}) before.")
    assert (hit.registry, hit.canonical, hit.kind) == (*NUMBERS[text], "number")


# --- export ------------------------------------------------------------------------------------------------------------

TEXTS = st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=12), max_size=8)
SIGNS = [
    '"',
    '""',
    "a\nb",
    "a\rb",
    "a\r\nb",
    "~",
    "|",
    "a\tb",
    "a,b",
    "'",
    "\\",
    "\\n",
    "=1+1",
    " a ",
    "\u2028",
    "é",
    "e\u0301",
]


def test_a_title_stands_in_every_table_as_in_the_record(world):
    found = rows(world, f"SELECT title FROM registrations WHERE registration_id = '{trial('a title with signs')}'")
    assert found == [(QUOTED,)]


@given(texts=TEXTS.map(lambda drawn: [*SIGNS, *drawn]))
def test_no_text_is_altered_on_its_way_out(tmp_path_factory, texts):
    folder = tmp_path_factory.mktemp("export")
    with store.connect() as connection:
        connection.execute("CREATE TABLE said (place INTEGER, words VARCHAR)")
        store.insert(connection, "said", list(enumerate(texts)))
        store.write_parquet(connection, "FROM said ORDER BY place", folder / "said.parquet", {})
        again = connection.sql(f"SELECT words FROM '{folder / 'said.parquet'}' ORDER BY place").fetchall()
    assert [words for (words,) in again] == texts
    out = io.StringIO(newline="")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(command_line.sys, "stdout", out)
        command_line._print_csv(["place", "words"], list(enumerate(texts)))
    printed = csv.reader(io.StringIO(out.getvalue(), newline=""))
    assert [words for _, words in printed] == ["words", *texts]
