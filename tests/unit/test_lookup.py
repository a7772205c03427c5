"""What the page reads of a release piece by piece: the shards of the look-up, in which every number leads where `explain`
leads and every trial is told once, as the tables have it; and the marts that the explore page asks. The same tables give
the same bytes. What a browser makes of them is in `tests/browser`.
"""

import gzip
import json
import re
from pathlib import Path

import duckdb
import pytest

from pipelines import build, explain
from pipelines.contracts import contracts
from pipelines.site import exploring, lookup, marts, reviewing, spelling
from pipelines.site.shards import count as shard_count
from pipelines.site.shards import shard_of
from tests.releases import ODD, fill
from tests.worlds import AS_OF, as_written, rows, tables

SHARDS = 4


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    data = tmp_path_factory.mktemp("lookup") / "data"
    fill(data)
    with tables(data) as connection:
        as_written(connection)
        build.add_views(connection, contracts(), AS_OF)
        yield connection, data


def shards(connection, folder: Path):
    lookup.write_shards(connection, SHARDS, folder)
    files = sorted(folder.iterdir(), key=lambda path: int(path.name.partition(".")[0]))
    return [json.loads(gzip.decompress(path.read_bytes())) for path in files]


@pytest.fixture(scope="module")
def made(world):
    return shards(world[0], world[1] / "shards")


def found(made, number):
    key = spelling.key(number)
    return made[shard_of(key, SHARDS)]["numbers"].get(key, ["", [], 0, None])


def test_every_number_leads_where_explain_leads(world, made):
    connection, _ = world
    numbers = {n for row in rows(connection, "SELECT number, written FROM identifiers") for n in row}
    numbers |= {"NCT99999999", "no such number"} | {f" {n.lower()} " for n in numbers}
    assert len(numbers) > 20
    for number in numbers:
        what, ids, total, _ = found(made, number)
        assert what != "article"
        assert ids == explain.find(connection, number), number
        assert total == len(ids)


def test_explain_gives_no_due_date_where_nothing_is_asked(world):
    connection, _ = world
    verdicts = rows(
        connection,
        """SELECT trial_id, policy, status_group = 'outside' FROM reporting_status WHERE due_latest IS NOT NULL""",
    )
    told = {True: set(), False: set()}
    for trial_id in {trial_id for trial_id, _, _ in verdicts}:
        about = "\n".join(explain.explain(connection, trial_id)).partition("Results reported?\n")[2]
        for one in re.split(r"\n  (?=[a-z])", f"\n{about}"):
            policy = one.partition(" ")[0]
            told[(trial_id, policy, True) in verdicts].add("\n    Due: " in one)
    assert told == {True: {False}, False: {False, True}}


def test_an_articles_numbers_lead_to_its_trials(world, made):
    connection, _ = world
    known = rows(connection, "SELECT identifier, pmid, trial_ids FROM article_identifiers WHERE len(trial_ids) > 0")
    assert known
    for identifier, pmid, trial_ids in known:
        assert found(made, identifier) == ["article", sorted(trial_ids), len(trial_ids), pmid]
        assert found(made, f"PMID: {pmid}")[3] == pmid


def test_every_trial_is_told_once_as_the_tables_have_it(world, made):
    connection, _ = world
    told = [(trial_id, at, trial) for at, shard in enumerate(made) for trial_id, trial in shard["trials"].items()]
    assert sorted(trial_id for trial_id, _, _ in told) == [
        t for (t,) in rows(connection, "SELECT trial_id FROM trials ORDER BY 1")
    ]
    assert all(at == shard_of(trial_id.lower(), SHARDS) for trial_id, at, _ in told)
    statuses = {(trial_id, v["policy"]): v["status"] for trial_id, _, trial in told for v in trial["verdicts"]}
    assert statuses == {
        (t, p): s for t, p, s in rows(connection, "SELECT trial_id, policy, status FROM reporting_status")
    }
    assert ODD in [trial["title"] for _, _, trial in told], "whatever stands in a text"


def test_the_evidence_is_that_of_the_legs(world, made):
    """All legs, or where a scope criterion puts the trial outside, those that do."""
    connection, _ = world
    evidence = {
        (t, p, leg): (value, outcome, registration, field, proxy)
        for t, p, leg, value, outcome, registration, field, proxy in rows(
            connection,
            """SELECT e.trial_id, e.policy, e.leg, e.value, e.outcome, e.registration_id, e.field, e.is_proxy
            FROM status_evidence AS e JOIN reporting_status AS s USING (trial_id, policy)
            WHERE s.status <> 'out_of_scope' OR (e.role = 'scope' AND NOT e.outcome)""",
        )
    }
    shown = {
        (trial_id, v["policy"], leg.name): tuple(told)
        for shard in made
        for trial_id, trial in shard["trials"].items()
        for v in trial["verdicts"]
        for leg, told in zip(contracts().policies[v["policy"]].legs, v["legs"], strict=True)
        if told
    }
    assert shown == evidence


def test_the_same_tables_give_the_same_bytes(world, made):
    connection, data = world
    shards(connection, data / "again")
    for path in (data / "again").iterdir():
        assert path.read_bytes() == (data / "shards" / path.name).read_bytes()


def test_evidence_that_two_trials_are_one_is_told_of_both(world, made):
    connection, _ = world
    told = {
        (trial_id, link["a"], link["b"], link["method"])
        for shard in made
        for trial_id, trial in shard["trials"].items()
        for link in trial["links"] or ()
    }
    both = "SELECT {}, registration_id, other_id, method FROM trial_links"
    assert told == set(rows(connection, f"{both.format('trial_id')} UNION {both.format('other_trial_id')}"))
    assert rows(connection, "SELECT count(*) > 0 FROM trial_links WHERE trial_id <> other_trial_id") == [(True,)]


def test_what_changed_before_is_told(world, made):
    connection, _ = world
    past = rows(connection, "SELECT count(*) FROM status_transitions")[0][0]
    told = [h for shard in made for trial in shard["trials"].values() for h in trial["history"] or []]
    assert len(told) == past


@pytest.mark.parametrize(
    ("trials", "count"), [(0, 1), (75, 1), (76, 2), (2000, 32), (600_000, 8192), (1_000_000, 16384)]
)
def test_shards_grow_with_the_world(trials, count):
    assert shard_count(trials, lookup.TRIALS_A_SHARD) == count


def test_a_number_of_many_trials_leads_to_the_first_and_says_how_many(world, monkeypatch):
    connection, data = world
    monkeypatch.setattr(lookup, "IDS_A_NUMBER", 1)
    monkeypatch.setattr(lookup, "_KEYS", lookup._KEYS.replace("[1:50]", "[1:1]"))
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE identifiers AS SELECT 'X-1' AS number, 'other' AS kind, trial_id, 'X-1' AS written FROM trials"
    )
    try:
        what, ids, total, _ = found(shards(connection, data / "many"), "x-1")
    finally:
        connection.execute("DROP TABLE temp.identifiers")
    assert what == "stated"
    assert len(ids) == 1
    assert total == rows(connection, "SELECT count(*) FROM trials")[0][0] > 1


def test_a_condition_leads_to_its_trials_without_results(world):
    connection, data = world
    reviewing.write_shards(connection, 2, data / "lists")
    listed = {}
    for path in (data / "lists").iterdir():
        listed |= json.loads(gzip.decompress(path.read_bytes()))
    wanted = rows(
        connection,
        """SELECT c.concept, c.trial_id FROM (SELECT DISTINCT concept, trial_id FROM conditions) AS c
        JOIN trial_standings AS s USING (trial_id)
        WHERE c.concept IS NOT NULL AND s.completion = 'completed' AND s.results = 'none_found'""",
    )
    assert wanted, "else nothing is shown"
    told = {(concept, trial[0]) for concept, _ in wanted for trial in listed[spelling.key(concept)]["trials"]}
    assert told == set(wanted)
    assert {entry["total"] for entry in listed.values()} <= {len(entry["trials"]) for entry in listed.values()}


# --- marts ------------------------------------------------------------------------------------------------------------


def test_the_marts_answer_every_question_that_the_page_offers_as_the_release_does(world):
    connection, data = world
    (data / "marts").mkdir()
    path = data / "marts" / marts.write(connection, data / "marts", AS_OF)
    questions = exploring.questions()
    assert len(questions) >= 8
    with duckdb.connect(str(path), read_only=True) as small:
        for question in questions:
            assert small.execute(question.sql).fetchall() == connection.execute(question.sql).fetchall(), question.title
        comments = small.execute("SELECT table_name, comment FROM duckdb_tables()").fetchall()
    assert {name for name, comment in comments if comment} == {*marts.LONG, *marts.WHOLE}


@pytest.mark.parametrize(
    ("sql", "is_offered"),
    [
        ("SELECT * FROM evidence_gaps WHERE condition = 'asthma' AND intervention <> '(all)'", False),
        ("SELECT * FROM evidence_gaps WHERE lower(intervention) LIKE 'drug%'", False),
        ("SELECT * FROM scorecards WHERE unit_kind = 'sponsor' AND unit_value IN ('acme', 'beta')", False),
        ("SELECT condition, due FROM missing_by_condition ORDER BY due DESC LIMIT 20", True),
        ("SELECT unit_value AS completion_year FROM scorecards WHERE unit_kind = 'completion_year'", True),
        ("SELECT * FROM missing_by_intervention WHERE intervention <> 'placebo'", True),
        ("FROM supporter_record WHERE supporter = 'Acme'", True),
        ("SELECT trial_id FROM trials", False),
    ],
)
def test_what_could_be_cut_unseen_is_not_offered(sql, is_offered, tmp_path, monkeypatch):
    (tmp_path / "cookbook.md").write_text(
        f"### 1. What?\n\n```sql\n{sql}\n```\n\nPitfalls: none.\n\n", encoding="utf-8"
    )
    monkeypatch.setattr(exploring, "DOCS", tmp_path)
    assert len(exploring.questions()) == is_offered


def test_the_marts_have_the_same_bytes_and_a_name_that_says_so(world):
    connection, data = world
    names = []
    for folder in ("first", "second"):
        (data / folder).mkdir()
        names.append(marts.write(connection, data / folder, AS_OF))
    assert names[0] == names[1]
    assert (data / "first" / names[0]).read_bytes() == (data / "second" / names[0]).read_bytes()
    assert [path.name for path in (data / "first").iterdir()] == names[:1], "nothing else is left there"


def test_of_long_tables_the_largest_rows_stay(world, monkeypatch):
    connection, data = world
    monkeypatch.setattr(marts, "LARGEST", 1)
    (data / "few").mkdir()
    path = data / "few" / marts.write(connection, data / "few", AS_OF)
    with duckdb.connect(str(path), read_only=True) as small:
        kept = small.execute("SELECT unit_kind, policy, due FROM scorecards").fetchall()
    largest = rows(connection, "SELECT unit_kind, policy, max(due) FROM scorecards GROUP BY ALL")
    assert sorted(kept) == sorted(largest)
