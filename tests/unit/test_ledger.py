"""Trial ids: a function of the data where nothing was known, and stable through merges and splits."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from pipelines.identity import ledger
from pipelines.identity.ledger import Event, Member

FIRST, SECOND, THIRD = date(2024, 1, 1), date(2024, 2, 1), date(2024, 3, 1)


def members(*numbers, seen=FIRST, registered=None):
    return {n: Member(n, seen, registered) for n in numbers}


def resolve(known, edges, events=(), as_of=FIRST):
    return ledger.resolve(known, ledger.clusters(known, edges), list(events), as_of)


def test_without_a_ledger_each_cluster_is_named_by_its_senior_registration():
    known = {
        "A": Member("A", FIRST, date(2020, 5, 1)),
        "B": Member("B", FIRST, date(2019, 5, 1)),
        "C": Member("C", FIRST, None),
    }
    ids, events = resolve(known, [("A", "B")])
    assert ids == {"A": "B", "B": "B", "C": "C"}
    assert events == [
        Event(FIRST, "founded", "B", "B"),
        Event(FIRST, "joined", "A", "B"),
        Event(FIRST, "founded", "C", "C"),
    ]


def test_a_second_build_of_the_same_data_adds_nothing():
    known = members("A", "B", "C")
    ids, events = resolve(known, [("A", "B")])
    assert resolve(known, [("A", "B")], events, SECOND) == (ids, [])


def test_a_merge_keeps_the_id_founded_first_and_says_so():
    _, before = resolve(members("B"), [])
    _, later = resolve(members("A", "B"), [], before, SECOND)
    ids, events = resolve(members("A", "B"), [("A", "B")], [*before, *later], THIRD)
    assert ids == {"A": "B", "B": "B"}
    assert events == [Event(THIRD, "merged_into", "A", "B", "A"), Event(THIRD, "joined", "A", "B", "A")]


def test_on_a_split_the_part_with_the_naming_registration_keeps_the_id():
    known = members("A", "B", "C")
    _, before = resolve(known, [("A", "B"), ("B", "C")])
    ids, events = resolve(known, [("B", "C")], before, SECOND)
    assert ids == {"A": "A", "B": "B", "C": "B"}
    assert events == [Event(SECOND, "split_from", "B", "B", "A"), Event(SECOND, "joined", "C", "B", "A")]


def test_when_the_naming_registration_joins_an_older_trial_the_rest_founds_anew():
    _, oldest = resolve(members("Z"), [])
    known = members("A", "B", "Z")
    _, before = resolve(known, [("A", "B")], oldest, SECOND)
    events_so_far = [*oldest, *before]
    ids, events = resolve(known, [("A", "Z")], events_so_far, THIRD)
    assert ids == {"A": "Z", "Z": "Z", "B": "B"}
    assert Event(THIRD, "split_from", "B", "B", "A") in events


def test_a_registration_that_vanished_keeps_its_trial_alive_for_the_others():
    known = members("A", "B")
    _, before = resolve(known, [("A", "B")])
    ids, events = resolve(members("B"), [], before, SECOND)
    assert ids == {"B": "A"}
    assert events == []


def test_events_after_the_as_of_date_do_not_exist(tmp_path):
    ledger.append(tmp_path, [Event(FIRST, "founded", "A", "A")])
    ledger.append(tmp_path, [Event(THIRD, "founded", "B", "B")])
    assert ledger.read(tmp_path, SECOND) == [Event(FIRST, "founded", "A", "A")]
    assert ledger.last_date(tmp_path) == THIRD


NUMBERS = st.lists(st.sampled_from("ABCDEFGHIJ"), unique=True, min_size=1)


@given(numbers=NUMBERS, data=st.data())
def test_clusters_do_not_depend_on_the_order_of_edges(numbers, data):
    pairs = st.tuples(st.sampled_from(numbers), st.sampled_from(numbers))
    edges = data.draw(st.lists(pairs, max_size=12))
    shuffled = [(b, a) for a, b in data.draw(st.permutations(edges))]
    assert ledger.clusters(numbers, edges) == ledger.clusters(numbers, shuffled)


@given(numbers=NUMBERS, data=st.data())
def test_every_trial_id_names_one_cluster_whatever_happened_before(numbers, data):
    pairs = st.tuples(st.sampled_from(numbers), st.sampled_from(numbers))
    history, events = [], []
    for as_of in (FIRST, SECOND, THIRD):
        history += events
        edges = data.draw(st.lists(pairs, max_size=8))
        cluster_of = ledger.clusters(numbers, edges)
        ids, events = ledger.resolve(members(*numbers), cluster_of, history, as_of)
        assert set(ids) == set(numbers)
        for a in numbers:
            for b in numbers:
                assert (ids[a] == ids[b]) == (cluster_of[a] == cluster_of[b])
