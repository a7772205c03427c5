"""When a step on the way may go: after the last query that reads it, by way of views too, and never what is read when all
queries have run."""

from pipelines import queries
from pipelines.contracts import contracts
from pipelines.queries import Query


def step(name: str, *needs: str) -> Query:
    return Query(name, f"FROM {name}", needs)


def test_a_step_goes_after_its_last_reader():
    table = Query("t", "", ("b",), is_published=True)
    assert queries.needed_last([step("a"), step("b", "a"), step("c", "a"), table]) == {"c": ["a"], "t": ["b"]}


def test_what_a_view_reads_stays_for_those_who_read_the_view():
    view = queries.VIEWS[0]
    every = [step("a"), step(view, "a"), step("b", "a"), step("c", view)]
    assert queries.needed_last(every)["c"] == ["a"]


def test_what_legs_and_the_account_of_a_build_read_stays():
    policy = next(iter(contracts().policies.values()))
    legs = Query(policy.table, "", ("a",), is_published=True, policy=policy)
    kept = queries.KEPT[0]
    assert queries.needed_last([step("a"), step(kept), legs, step("b", kept)]) == {}


def test_no_step_of_a_build_goes_before_a_query_that_names_it():
    every = queries.all_queries()
    going = queries.needed_last(every)
    gone: set[str] = set()
    for query in every:
        assert gone.isdisjoint(query.needs), query.name
        gone.update(going.get(query.name, ()))
    tables = [q.name for q in every if not q.is_published and not q.is_view]
    assert len(gone) > len(tables) / 2, "most of what lies in memory goes on the way"
