"""Trial ids: a function of the data where nothing was known, and stable through merges and splits."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.identity import ledger
from pipelines.identity.ledger import Event, Member

FIRST, SECOND, THIRD = date(2024, 1, 1), date(2024, 2, 1), date(2024, 3, 1)


def members(*numbers, seen=FIRST, registered=None):
    return {n: Member(n, "nct", seen, registered) for n in numbers}


def clusters(numbers, edges):
    """The cluster of each number that has an edge, named by its smallest number."""
    cluster_of = {}
    for a, b in edges:
        one, other = sorted((cluster_of.get(a, a), cluster_of.get(b, b)))
        cluster_of |= {a: one, b: one} | {n: one for n, cluster in cluster_of.items() if cluster == other}
    return {n: cluster for n, cluster in cluster_of.items() if n in numbers}


def resolve(known, edges, events=(), as_of=FIRST):
    return ledger.resolve(known, clusters(known, edges), list(events), as_of)


def test_without_a_ledger_each_cluster_is_named_by_its_senior_registration():
    known = {
        "A": Member("A", "nct", FIRST, date(2020, 5, 1)),
        "B": Member("B", "nct", FIRST, date(2019, 5, 1)),
        "C": Member("C", "nct", FIRST, None),
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


GONE = [
    # (edges before, edges now without B, ids now, events now): A is a trial by itself, B names another, and is gone
    # Only a part without an older id of its own becomes the heir.
    ([("B", "C"), ("C", "E")], [("A", "C")], {"A": "A", "C": "A", "E": "B"}, [("joined", "C", "A", "B")]),
    ([("B", "C"), ("C", "E")], [("A", "E")], {"A": "A", "C": "B", "E": "A"}, [("joined", "E", "A", "B")]),
    ([("B", "C"), ("C", "E")], [], {"A": "A", "C": "B", "E": "E"}, [("split_from", "E", "E", "B")]),
    # Where none is left the id is merged, whatever became of its registration.
    ([("B", "C")], [("A", "C")], {"A": "A", "C": "A"}, [("merged_into", "B", "A", "B"), ("joined", "C", "A", "B")]),
    ([("B", "C"), ("C", "E")], [("A", "C"), ("A", "E")], {"A": "A", "C": "A", "E": "A"},
     [("merged_into", "B", "A", "B"), ("joined", "C", "A", "B"), ("joined", "E", "A", "B")]),
]  # fmt: skip


@pytest.mark.parametrize(("before", "now", "expected", "told"), GONE)
def test_an_id_whose_registration_could_not_be_read_goes_on_or_is_merged(before, now, expected, told):
    numbers = sorted({n for edge in before for n in edge} | {"A"})
    _, oldest = resolve(members("A"), [])
    _, younger = resolve(members(*numbers), before, oldest, SECOND)
    history = [*oldest, *younger]
    there = members(*(n for n in numbers if n != "B"))
    ids, events = resolve(there, now, history, THIRD)
    assert ids == expected
    assert [(e.event, e.number, e.trial_id, e.previous_trial_id) for e in events] == told
    assert resolve(there, now, [*history, *events], THIRD) == (ids, [])


BACK = [
    # B named {B, C}; it was gone when C joined A, so that the id B was merged: (there, edges, ids, events when it is back)
    ("ABC", [("A", "C")], {"A": "A", "B": "B", "C": "A"}, [("split_from", "B", "B", "A")]),
    ("ABC", [("B", "C")], {"A": "A", "B": "B", "C": "B"}, [("split_from", "B", "B", "A"), ("joined", "C", "B", "A")]),
    ("ABC", [("A", "B"), ("A", "C")], {"A": "A", "B": "A", "C": "A"}, []),
]


@pytest.mark.parametrize(("there", "edges", "expected", "told"), BACK)
def test_an_id_that_was_merged_while_its_registration_was_gone_comes_back_with_an_event(there, edges, expected, told):
    history = []
    for known, joined in (("A", []), ("ABC", [("B", "C")]), ("AC", [("A", "C")])):
        history += resolve(members(*known), joined, history, SECOND)[1]
    assert history[-2] == Event(SECOND, "merged_into", "B", "A", "B")
    ids, events = resolve(members(*there), edges, history, THIRD)
    assert ids == expected
    assert [(e.event, e.number, e.trial_id, e.previous_trial_id) for e in events] == told
    assert resolve(members(*there), edges, [*history, *events], THIRD) == (ids, [])


def test_numbers_that_are_gone_follow_their_trial_where_it_is_merged():
    """C named {B, C} and B was gone when C joined A: B goes on with A, also where C is a trial of its own again."""
    nights = []
    history = []
    for known, joined in (("AC", []), ("ABC", [("B", "C")]), ("AC", [("A", "C")]), ("BC", [])):
        ids, events = resolve(members(*known), joined, history, THIRD)
        assert resolve(members(*known), joined, [*history, *events], THIRD) == (ids, [])
        nights.append((ids, [(e.event, e.number, e.trial_id, e.previous_trial_id) for e in events]))
        history += events
    assert nights[2:] == [
        ({"A": "A", "C": "A"}, [("merged_into", "C", "A", "C"), ("joined", "C", "A", "C"), ("joined", "B", "A", "C")]),
        ({"B": "A", "C": "C"}, [("split_from", "C", "C", "A")]),
    ]


def test_an_id_that_was_given_up_leads_on_when_the_next_one_is_given_up_too():
    history = []
    for known, joined in (("A", []), ("AB", []), ("ABC", []), ("BC", [("B", "C")]), ("AB", [("A", "B")])):
        history += resolve(members(*known), joined, history, SECOND)[1]
    last = {e.number: e.trial_id for e in history}
    assert last == {"A": "A", "B": "A", "C": "A"}


def test_what_an_older_ledger_leaves_unsaid_is_said():
    """There B is merged into A without a word on C, which was gone."""
    history = [
        Event(FIRST, "founded", "A", "A"),
        Event(FIRST, "founded", "B", "B"),
        Event(FIRST, "joined", "C", "B"),
        Event(SECOND, "merged_into", "B", "A", "B"),
        Event(SECOND, "joined", "B", "A", "B"),
    ]
    ids, events = resolve(members("A", "B"), [("A", "B")], history, THIRD)
    assert (ids, events) == ({"A": "A", "B": "A"}, [Event(THIRD, "joined", "C", "A", "B")])


def test_the_last_word_on_a_number_is_its_trial_also_where_it_was_gone_when_that_was_merged():
    """Who looks a number up follows no other one: E would lead to an id that is no trial, then to one that is not its."""
    history, known = [], members("A", "B", "E")
    for there, joined in (("A", []), ("ABE", [("B", "E")]), ("AB", [("A", "B")])):
        history += resolve(members(*there), joined, history, SECOND)[1]
    *without, last = history
    assert last == Event(SECOND, "joined", "E", "A", "B")
    back, anew = Event(THIRD, "split_from", "B", "B", "A"), Event(THIRD, "joined", "E", "A", "B")
    for before, told in ((history, [back]), (without, [back, anew])):  # an older program did not say it
        ids, events = resolve(known, [("A", "E")], before, THIRD)
        assert ids == {"A": "A", "B": "B", "E": "A"}
        assert events == told
        assert resolve(known, [("A", "E")], [*before, *events], THIRD) == (ids, [])


def test_events_after_the_as_of_date_do_not_exist(tmp_path):
    ledger.append(tmp_path, [Event(FIRST, "founded", "A", "A")])
    ledger.append(tmp_path, [Event(THIRD, "founded", "B", "B")])
    assert ledger.read(tmp_path, SECOND) == [Event(FIRST, "founded", "A", "A")]
    assert ledger.last_date(tmp_path) == THIRD


SENIOR = [
    # the senior one first: (register, number, first seen, first registered)
    (("rebec", "Z", FIRST, None), ("nct", "A", SECOND, FIRST)),  # first seen
    (("rebec", "Z", FIRST, FIRST), ("nct", "A", FIRST, SECOND)),  # first registered
    (("rebec", "Z", FIRST, THIRD), ("nct", "A", FIRST, None)),  # registered on a day that is known
    (("nct", "Z", FIRST, FIRST), ("euctr", "A", FIRST, FIRST)),
    (("euctr", "Z", FIRST, FIRST), ("ctis", "A", FIRST, FIRST)),
    (("ctis", "Z", FIRST, FIRST), ("isrctn", "A", FIRST, FIRST)),
    (("isrctn", "Z", FIRST, FIRST), ("anzctr", "A", FIRST, FIRST)),
    (("anzctr", "Z", FIRST, FIRST), ("drks", "A", FIRST, FIRST)),  # others by their code
    (("nct", "A", FIRST, None), ("nct", "B", FIRST, None)),
]


@pytest.mark.parametrize(("senior", "junior"), SENIOR)
def test_the_first_name(senior, junior):
    known = {number: Member(number, registry, *days) for registry, number, *days in (junior, senior)}
    ids, _ = resolve(known, [(senior[1], junior[1])])
    assert set(ids.values()) == {senior[1]}


def test_a_split_trial_that_is_joined_again_has_its_first_id():
    known = members("A", "B")
    _, together = resolve(known, [("A", "B")])
    _, apart = resolve(known, [], together, SECOND)
    ids, events = resolve(known, [("A", "B")], [*together, *apart], THIRD)
    assert ids == {"A": "A", "B": "A"}
    assert events == [Event(THIRD, "merged_into", "B", "A", "B"), Event(THIRD, "joined", "B", "A", "B")]


def test_an_id_that_was_given_up_comes_back_on_a_split():
    known = members("A", "B")
    _, apart = resolve(known, [])
    _, together = resolve(known, [("A", "B")], apart, SECOND)
    ids, events = resolve(known, [], [*apart, *together], THIRD)
    assert ids == {"A": "A", "B": "B"}
    assert events == [Event(THIRD, "split_from", "B", "B", "A")]


NUMBERS = st.lists(st.sampled_from("ABCDEFGHIJ"), unique=True, min_size=1)


@given(numbers=NUMBERS, data=st.data())
def test_every_trial_id_names_one_cluster_whatever_happened_before(numbers, data):
    pairs = st.tuples(st.sampled_from(numbers), st.sampled_from(numbers))
    history, events = [], []
    for as_of in (FIRST, SECOND, THIRD):
        history += events
        # Records come and go, too.
        loaded = data.draw(st.lists(st.sampled_from(numbers), unique=True, min_size=1))
        edges = [(a, b) for a, b in data.draw(st.lists(pairs, max_size=8)) if a in loaded and b in loaded]
        cluster_of = clusters(loaded, edges)
        ids, events = ledger.resolve(members(*loaded), cluster_of, history, as_of)
        assert set(ids) == set(loaded)
        for a in loaded:
            for b in loaded:
                assert (ids[a] == ids[b]) == (cluster_of.get(a, a) == cluster_of.get(b, b))
        assert resolve_again(loaded, cluster_of, [*history, *events]) == (ids, [])
        # The ledger's last word on a number is its trial, also for one that is gone now, as long as that lives.
        last = {e.number: e.trial_id for e in [*history, *events]}
        assert {n: last[n] for n in loaded} == ids
        assert all(last[last[n]] == last[n] or last[n] not in loaded for n in last)


def resolve_again(loaded, cluster_of, history):
    return ledger.resolve(members(*loaded), cluster_of, history, THIRD)
