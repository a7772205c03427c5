"""The constrained union: each rule by itself, and against a slow union that is written another way."""

from datetime import date
from itertools import combinations, pairwise, permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.identity.union import DAYS_APART, MANY, MERGING, UNQUESTIONED, Decision, Edge, Facts, decide

REGISTERS = dict(N="nct", E="euctr", C="ctis", I="isrctn", D="drks", J="jrct", A="anzctr")
"""Numbers of these tests are the first letter of their register and a digit."""

TWO_IDS = "candidate two_ids_of_one_register"
SEPARATED, APART, EXTENSION, UMBRELLA = (
    f"vetoed {reason}" for reason in ("separated", "start_dates_apart", "extension", "umbrella")
)


def names(who, whom, **more):
    """One record states the other's number."""
    low, high = sorted((who, whom))
    return Edge(low, high, **{"method": "named", "names": who == low, "is_named": who == high, **more})


def mutual(one, other, **more):
    """Each record states the other's number."""
    low, high = sorted((one, other))
    return Edge(low, high, **{"method": "names_each_other", "names": True, "is_named": True, **more})


def link(method, one, other, **more):
    """Evidence that is no number of the other in a field."""
    low, high = sorted((one, other))
    return Edge(low, high, method, **more)


def again(withdrawn, runs):
    return mutual(withdrawn, runs, method="registered_again", silent=withdrawn)


def alias(old, new):
    return names(new, old, method="alias", silent=old)


def facts(numbers, **known):
    """What is known of the numbers: of each `year` of the start (or both its bounds), is_extension, titles."""
    found = {}
    for number in numbers:
        says = dict(known.get(number, {}))
        year = says.pop("year", None)
        start = year if isinstance(year, tuple) else (date(year, 1, 1), date(year, 12, 31)) if year else (None, None)
        found[number] = Facts(REGISTERS[number[0]], *start, **says)
    return found


def decided(edges, known=None, separated=()):
    """Clusters of more than one, and the decisions as words, in the order of the edges."""
    numbers = {n for e in edges for n in (e.a, e.b)} | set(known or {})
    cluster_of, decisions = decide(facts(numbers, **(known or {})), edges, separated)
    groups = {}
    for number, cluster in cluster_of.items():
        groups.setdefault(cluster, set()).add(number)
    assert all(cluster == min(group) for cluster, group in groups.items())
    clusters = sorted("".join(sorted(group)) for group in groups.values() if len(group) > 1)
    return clusters, [" ".join(filter(None, decision)) for decision in decisions]


ALIKE = dict(titles=("oneinventedtitleofatrial",))
MERGED = "merged"

CASES = {
    # case -> (edges with what is expected of each, clusters, what is known of the numbers, separated pairs)
    # --- each method that joins, and what never does
    **{f"{method} joins": ([(link(method, "E1", "N1"), MERGED)], ["E1N1"]) for method in MERGING},
    "named by either side": ([(names("N1", "E1"), MERGED), (names("I1", "N1"), MERGED)], ["E1I1N1"]),
    "a text alone": ([(link("mentioned", "I1", "N1", held="free_text_alone"), "candidate free_text_alone")], []),
    "an edge that SQL vetoes": ([(names("I1", "N1", veto="dissimilar"), "vetoed dissimilar")], []),
    "two numbers of one register": ([(mutual("N1", "N2", held="same_register"), "candidate same_register")], []),
    "a candidate that other evidence joins": (
        [(link("mentioned", "E1", "N1", held="free_text_alone"), MERGED), (names("I1", "N1"), MERGED),
         (names("I1", "E1"), MERGED)], ["E1I1N1"]),
    "a veto stays where other evidence joins": (
        [(names("E1", "N1", veto="dissimilar"), "vetoed dissimilar"), (mutual("I1", "N1"), MERGED),
         (mutual("E1", "I1"), MERGED)], ["E1I1N1"]),
    # --- two numbers of one register
    "two numbers, nobody wins": ([(names("I1", "N1"), TWO_IDS), (names("I1", "N2"), TWO_IDS)], []),
    "two numbers that both name the record": ([(names("N1", "I1"), TWO_IDS), (names("N2", "I1"), TWO_IDS)], []),
    "the stronger evidence stands": ([(names("I1", "N1"), TWO_IDS), (mutual("I1", "N2"), MERGED)], ["I1N2"]),
    "two that each name the other": ([(mutual("I1", "N1"), TWO_IDS), (mutual("I1", "N2"), TWO_IDS)], []),
    "a conflict over two steps": (
        [(names("I1", "N1"), TWO_IDS), (names("I1", "E1"), TWO_IDS), (names("E1", "N2"), TWO_IDS)], []),
    "a conflict over two steps with one strong end": (
        [(mutual("I1", "N1"), MERGED), (names("I1", "E1"), TWO_IDS), (names("E1", "N2"), TWO_IDS)], ["I1N1"]),
    "a conflict over two steps with a strong middle": (
        [(names("I1", "N1"), TWO_IDS), (mutual("I1", "E1"), MERGED), (names("E1", "N2"), TWO_IDS)], ["E1I1"]),
    "a conflict within a conflict": (
        [(names("I1", "N1"), TWO_IDS), (names("I1", "E1"), TWO_IDS), (names("E1", "N2"), TWO_IDS),
         (names("D1", "E1"), TWO_IDS), (names("D1", "I2"), TWO_IDS), (names("C1", "I2"), MERGED)], ["C1I2"]),
    "what hangs on the way still joins": (
        [(names("I1", "N1"), TWO_IDS), (names("I1", "N2"), TWO_IDS), (names("E1", "N1"), MERGED),
         (names("D1", "I1"), MERGED), (names("C1", "D1"), MERGED)], ["C1D1I1", "E1N1"]),
    "a ring that hangs on the way still joins": (
        [(names("I1", "N1"), TWO_IDS), (names("I1", "N2"), TWO_IDS), (names("I1", "E1"), MERGED),
         (names("E1", "D1"), MERGED), (names("D1", "I1"), MERGED)], ["D1E1I1"]),
    "a ring that hangs on an end still joins": (
        [(names("I1", "N1"), TWO_IDS), (names("I1", "N2"), TWO_IDS), (names("N1", "E1"), MERGED),
         (names("E1", "D1"), MERGED), (names("D1", "N1"), MERGED)], ["D1E1N1"]),
    "two ways between two numbers": (
        [(names("I1", "N1"), TWO_IDS), (names("I1", "N2"), TWO_IDS), (names("E1", "N1"), TWO_IDS),
         (names("E1", "N2"), TWO_IDS), (names("E1", "I1"), TWO_IDS)], []),
    "weaker evidence does not end a conflict": (
        [(names("I1", "N1"), TWO_IDS), (names("I1", "N2"), TWO_IDS), (link("universal_number", "E1", "I1"), MERGED),
         (link("universal_number", "E1", "N1"), TWO_IDS), (link("universal_number", "E1", "N2"), TWO_IDS)], ["E1I1"]),
    "weaker evidence of its own decides a conflict": (
        [(names("I1", "N1"), MERGED), (names("I1", "N2"), TWO_IDS), (link("universal_number", "I1", "N1"), MERGED)],
        ["I1N1"]),
    "weaker evidence that would bring a second number": (
        [(mutual("I1", "N1"), MERGED), (link("universal_number", "I1", "N2"), TWO_IDS)], ["I1N1"]),
    # --- starts
    "starts apart through a record without one": (
        [(mutual("I1", "N1"), MERGED), (names("E1", "I1"), APART)], ["I1N1"],
        dict(N1=dict(year=2010), E1=dict(year=2016))),
    "the longest time between two starts": (
        [(mutual("I1", "N1"), MERGED)], ["I1N1"],
        dict(N1=dict(year=(date(2010, 1, 1), date(2010, 1, 31))), I1=dict(year=(date(2013, 1, 31), date(2013, 3, 1))))),
    "one day longer": (
        [(mutual("I1", "N1"), APART)], [],
        dict(N1=dict(year=(date(2010, 1, 1), date(2010, 1, 31))), I1=dict(year=(date(2013, 2, 1), date(2013, 3, 1))))),
    "starts apart from the first of three": (
        [(mutual("I1", "N1"), MERGED), (mutual("D1", "I1"), MERGED), (names("E1", "D1"), APART)], ["D1I1N1"],
        dict(N1=dict(year=2010), D1=dict(year=2012), E1=dict(year=2015))),
    "starts within reach of their neighbour only": (
        [(names("I1", "N1"), APART), (names("E1", "I1"), MERGED)], ["E1I1"],
        dict(N1=dict(year=2010), I1=dict(year=2012), E1=dict(year=2015))),
    "no start vetoes nothing": ([(names("I1", "N1"), MERGED)], ["I1N1"], dict(N1=dict(year=2010))),
    # --- extensions
    "an extension beside its parent": (
        [(mutual("E1", "N1"), EXTENSION)], [], dict(E1=dict(is_extension=True), N1=dict(is_extension=False))),
    "two records of one extension": (
        [(mutual("E1", "N1"), MERGED)], ["E1N1"], dict(E1=dict(is_extension=True), N1=dict(is_extension=True))),
    "an extension through a record without a title": (
        [(mutual("I1", "N1"), MERGED), (names("E1", "I1"), EXTENSION)], ["I1N1"],
        dict(N1=dict(is_extension=False), E1=dict(is_extension=True))),
    # --- umbrellas
    "three name a number": (
        [(names(n, "I1"), MERGED) for n in ("E1", "D1", "N1")], ["D1E1I1N1"]),
    "four trials name a number": ([(names(n, "I1"), UMBRELLA) for n in ("E1", "D1", "N1", "J1")], []),
    "four records of three trials by their title": (
        [(names(n, "I1"), MERGED) for n in ("E1", "D1", "N1", "J1")], ["D1E1I1J1N1"], dict(E1=ALIKE, N1=ALIKE)),
    "four records of three trials, one names the other": (
        [*((names(n, "I1"), MERGED) for n in ("E1", "D1", "N1", "J1")), (names("J1", "D1"), MERGED)], ["D1E1I1J1N1"]),
    "a number and its own registrations": (
        [*((names(n, "I1"), MERGED) for n in ("E1", "D1", "N1")), (mutual("J1", "I1"), MERGED)], ["D1E1I1J1N1"]),
    "five own registrations": (
        [(mutual(n, "I1"), MERGED) for n in ("E1", "D1", "N1", "J1", "A1")], ["A1D1E1I1J1N1"]),
    "a number that names back two of one register": (
        [*((names(n, "I1"), UMBRELLA) for n in ("E1", "D1")), *((mutual(n, "I1"), TWO_IDS) for n in ("N1", "N2"))], []),
    "an umbrella that names its studies": (
        [(mutual(n, "I1"), TWO_IDS) for n in ("N1", "N2", "N3", "N4", "N5")], []),
    "an umbrella that names one of those that name it": (
        [(mutual("E1", "I1"), MERGED), *((names(n, "I1"), UMBRELLA) for n in ("N1", "N2", "N3", "N4"))], ["E1I1"]),
    "an umbrella's own number elsewhere": (
        [*((names(n, "I1"), UMBRELLA) for n in ("N1", "N2", "N3", "N4")), (names("I1", "E1"), MERGED)], ["E1I1"]),
    "an umbrella in a text": (
        [*((names(n, "I1"), UMBRELLA) for n in ("N1", "N2", "N3", "N4")),
         (link("mentioned_and_alike", "E1", "I1"), UMBRELLA),
         (link("mentioned", "E2", "I1", held="free_text_alone"), UMBRELLA)], []),
    "vetoed and held records name it too": (
        [(names("I2", "I1", held="same_register"), UMBRELLA), (names("E1", "I1", veto="dissimilar"), "vetoed dissimilar"),
         *((names(n, "I1"), UMBRELLA) for n in ("N1", "N2"))], []),
    # --- registered again, aliases
    "withdrawn and registered again": ([(again("N1", "N2"), MERGED)], ["N1N2"]),
    "and both named by a third record": (
        [(again("N1", "N2"), MERGED), (names("I1", "N1"), MERGED), (names("I1", "N2"), MERGED)], ["I1N1N2"]),
    "the withdrawn record's start and title do not count": (
        [(again("N1", "N2"), MERGED), (names("I1", "N1"), MERGED)], ["I1N1N2"],
        dict(N1=dict(year=2010, is_extension=True), I1=dict(year=2016, is_extension=False))),
    "registered again twice": ([(again("N1", "N2"), TWO_IDS), (again("N1", "N3"), TWO_IDS)], []),
    "a withdrawn record that was not joined is heard": (
        [(again("N1", "N2"), TWO_IDS), (again("N1", "N3"), TWO_IDS), (mutual("I1", "N4"), MERGED),
         (names("I1", "N1"), TWO_IDS)], ["I1N4"]),
    "an alias": ([(alias("N1", "N2"), MERGED), (names("I1", "N1"), MERGED), (names("I1", "N2"), MERGED)], ["I1N1N2"]),
    "the register's own word is no name": (
        [(alias("N1", "N2"), MERGED), *((names(n, "N1"), MERGED) for n in ("E1", "D1", "I1"))], ["D1E1I1N1N2"]),
    "an alias does not hold its number": (
        [(alias("N1", "N2"), MERGED), (names("I1", "N1"), TWO_IDS), (names("I1", "N3"), TWO_IDS)], ["N1N2"]),
    "an alias against every veto": (
        [(alias("N1", "N2"), MERGED)], ["N1N2"],
        dict(N1=dict(year=2010, is_extension=True), N2=dict(year=2020, is_extension=False))),
    # --- adjudications
    "joined against every veto": (
        [(link("adjudicated", "N1", "N2"), MERGED)], ["N1N2"],
        dict(N1=dict(year=2010, is_extension=True), N2=dict(year=2020, is_extension=False))),
    "what is joined still has a number": (
        [(link("adjudicated", "I1", "N2"), MERGED), (mutual("I1", "N1"), TWO_IDS)], ["I1N2"]),
    "two numbers joined hold both": (
        [(link("adjudicated", "N1", "N2"), MERGED), (mutual("I1", "N1"), MERGED), (names("E1", "N2"), MERGED),
         (names("D1", "I1"), TWO_IDS), (names("D1", "N3"), TWO_IDS)], ["E1I1N1N2"]),
    "separated": ([(mutual("I1", "N1"), SEPARATED)], [], {}, [("N1", "I1")]),
    "separated, through a third record": (
        [(mutual("E1", "N1"), MERGED), (names("E1", "I1"), SEPARATED)], ["E1N1"], {}, [("I1", "N1")]),
    "separated, through a third and a fourth": (
        [(mutual("E1", "N1"), MERGED), (mutual("D1", "I1"), MERGED), (names("D1", "E1"), SEPARATED)],
        ["D1I1", "E1N1"], {}, [("I1", "N1")]),
    "separated from an alias": ([(alias("N1", "N2"), SEPARATED), (names("I1", "N1"), MERGED)], ["I1N1"], {}, [("N1", "N2")]),
    "an alias separated through a third record": (
        [(link("adjudicated", "I1", "N1"), MERGED), (alias("N1", "N2"), SEPARATED)], ["I1N1"], {}, [("I1", "N2")]),
    "separated from a number that is not loaded": ([(mutual("I1", "N1"), MERGED)], ["I1N1"], {}, [("I1", "J9")]),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_rule(case):
    said, clusters, *more = CASES[case]
    edges = [edge for edge, _ in said]
    assert decided(edges, *more) == (clusters, [expected for _, expected in said])


@pytest.mark.parametrize("case", CASES)
def test_rule_in_another_order(case):
    said, clusters, *more = CASES[case]
    edges = [edge for edge, _ in reversed(said)]
    assert decided(edges, *more) == (clusters, [expected for _, expected in reversed(said)])


def test_the_smaller_number_never_wins():
    """Whatever the numbers are called, the same edges merge."""
    said, _ = CASES["a conflict over two steps with one strong end"]
    expected = [word for _, word in said]
    for one, other in permutations(("N1", "N2")):
        for first, second in permutations(("I1", "E1")):
            called = dict(N1=one, N2=other, I1=first, E1=second)
            renamed = [(mutual if e.names and e.is_named else names)(*_said_by(e, called)) for e, _ in said]
            assert decided(renamed)[1] == expected


def _said_by(edge, called):
    who, whom = (edge.a, edge.b) if edge.names else (edge.b, edge.a)
    return called[who], called[whom]


def test_a_platform_that_thousands_name():
    numbers = [f"N{n:05}" for n in range(20_000)]
    edges = [names(n, "I1") for n in numbers] + [mutual(n, n.replace("N", "E")) for n in numbers]
    clusters, decisions = decided(edges)
    assert len(clusters) == len(numbers)
    assert decisions == [UMBRELLA] * len(numbers) + [MERGED] * len(numbers)


def test_a_chain_of_thousands():
    numbers = [f"{'NEID'[n % 4]}{n:05}" for n in range(20_000)]
    clusters, decisions = decided([names(a, b) for a, b in pairwise(numbers)])
    assert clusters == []
    assert set(decisions) == {TWO_IDS}


# --- against a slow union -------------------------------------------------------------------------------------------

POOL = tuple(f"{letter}{digit}" for letter in "NEID" for digit in "12")
PAIRS = list(combinations(sorted(POOL), 2))
YEARS = (None, None, 2010, 2012, 2018)


@st.composite
def worlds(draw):
    """Facts, edges and separated pairs, as the queries could make them; in some of them most records name one number."""
    known = {
        number: dict(
            year=draw(st.sampled_from(YEARS)),
            is_extension=draw(st.sampled_from((None, False, False, True))),
            titles=draw(st.sampled_from(((), (), ("t",)))),
        )
        for number in POOL
    }
    star = draw(st.sampled_from((None, *POOL)))
    pairs = draw(st.lists(st.sampled_from(PAIRS), unique=True, max_size=14))
    if star:
        pairs = sorted({*pairs, *draw(st.lists(st.sampled_from([p for p in PAIRS if star in p]), min_size=4))})
    edges = [edge for pair in pairs for edge in draw(_edges_of(pair, star))]
    return facts(POOL, **known), edges, draw(st.lists(st.sampled_from(PAIRS), unique=True, max_size=2))


def _edges_of(pair, star):
    """Edges of one pair: one for numbers in fields and texts, perhaps one for a universal number and an adjudication."""
    a, b = pair
    is_same = a[0] == b[0]
    if star in pair:
        stated = [names(a if star == b else b, star), mutual(a, b)]
    else:
        stated = [
            names(a, b), names(b, a), mutual(a, b), names(a, b, veto="dissimilar"), link("transition", a, b, is_named=True),
            link("mentioned_and_alike", a, b), link("mentioned", a, b, held="free_text_alone"),
        ]  # fmt: skip
    if is_same:
        stated = [e._replace(held="same_register") for e in stated if e.method in ("named", "names_each_other")]
        stated += [alias(a, b), alias(b, a), again(a, b), again(b, a)]
    universal = link("universal_number", a, b, held="same_register" if is_same else None)
    return st.tuples(
        st.sampled_from([[e] for e in stated]),
        st.sampled_from([[], [], [], [universal]]),
        st.sampled_from([[]] * 12 + [[link("adjudicated", a, b)]]),
    ).map(lambda chosen: [edge for some in chosen for edge in some])


class Slow:
    """The same rules over sets, pair by pair and way by way."""

    def __init__(self, known, edges, separated):
        self.known, self.edges = known, edges
        self.separated = {frozenset(pair) for pair in separated}
        self.clusters = {frozenset([number]) for number in known}
        many = {number for number in known if self._trials_naming(number) > MANY}
        self.decisions = {edge: self._alone(edge, many) for edge in edges}
        self.silent = {e.silent for e in edges if e.silent and not self.decisions[e]}
        for method in MERGING:
            if method == "names_each_other":
                self.silent = {e.silent for e in edges if e.silent and self.decisions[e] == Decision("merged")}
            self._level(sorted(e for e in edges if e.method == method and not self.decisions[e]))
        for edge in edges:
            found = self.decisions[edge] or Decision("candidate", edge.method)
            together = self.of(edge.a) == self.of(edge.b)
            self.decisions[edge] = Decision("merged") if found.decision == "candidate" and together else found

    def of(self, number):
        return next(cluster for cluster in self.clusters if number in cluster)

    def _naming(self, number):
        found = set()
        for edge in self.edges:
            if edge.method not in UNQUESTIONED:
                found |= {edge.a} if edge.names and edge.b == number else set()
                found |= {edge.b} if edge.is_named and edge.a == number else set()
        return found

    def _trials_naming(self, number):
        group = self._naming(number)
        back = {member for member in group if number in self._naming(member)}
        if len({self.known[member].registry for member in back}) < len(back):
            back = set()
        trials = [{member} for member in group]
        one = [{*pair} for pair in combinations(group, 2) if self._is_one_trial(*pair) or {*pair} <= back]
        for pair in one * len(group):
            touched = [trial for trial in trials if trial & pair]
            trials = [trial for trial in trials if not trial & pair] + [set().union(*touched)]
        return sum(not trial & back for trial in trials)

    def _is_one_trial(self, a, b):
        return a in self._naming(b) or b in self._naming(a) or bool({*self.known[a].titles} & {*self.known[b].titles})

    def _alone(self, edge, many):
        if {edge.a, edge.b} in self.separated:
            return Decision("vetoed", "separated")
        if edge.method in UNQUESTIONED:
            return None
        if edge.veto:
            return Decision("vetoed", edge.veto)
        stated = {edge.b} if edge.names else set()
        stated |= {edge.a} if edge.is_named else set()
        if stated and stated <= many:
            return Decision("vetoed", "umbrella")
        if edge.method in ("mentioned", "mentioned_and_alike") and {edge.a, edge.b} & many:
            return Decision("vetoed", "umbrella")
        return Decision("candidate", edge.held) if edge.held else None

    def _level(self, level):
        conflicts = {edge for edge in level if edge.method not in UNQUESTIONED and self._in_conflict(edge, level)}
        for edge in level:
            if edge in conflicts:
                self.decisions[edge] = Decision("candidate", "two_ids_of_one_register")
                continue
            one, other = self.of(edge.a), self.of(edge.b)
            veto = self._veto(one, other, edge.method in UNQUESTIONED) if one != other else None
            self.decisions[edge] = Decision("vetoed", veto) if veto else Decision("merged")
            if not veto:
                self.clusters = self.clusters - {one, other} | {one | other}

    def _veto(self, one, other, is_unquestioned):
        pairs = [(a, b) for a in one for b in other]
        if any({a, b} in self.separated for a, b in pairs):
            return "separated"
        if is_unquestioned:
            return None
        heard = [(self.known[a], self.known[b]) for a, b in combinations((one | other) - self.silent, 2)]
        if any(_starts_apart(a, b) or _starts_apart(b, a) for a, b in heard):
            return "start_dates_apart"
        if any({a.is_extension, b.is_extension} == {True, False} for a, b in heard):
            return "extension"
        return None

    def _in_conflict(self, edge, level):
        """Whether a way without a bend backwards leads over this edge from one number of a register to another."""
        ends = self.of(edge.a), self.of(edge.b)
        if ends[0] == ends[1]:
            return False
        ways = [
            (left, right)
            for left in self._ways([ends[0]], level, {ends[1]})
            for right in self._ways([ends[1]], level, set())
            if not {*left} & {*right}
        ]
        return any(self._holds_two(left[-1], right[-1]) for left, right in ways)

    def _ways(self, way, level, closed):
        yield way
        for edge in level:
            here = {self.of(edge.a), self.of(edge.b)}
            if way[-1] in here and len(here) == 2:
                (step,) = here - {way[-1]}
                if step not in way and step not in closed:
                    yield from self._ways([*way, step], level, closed)

    def _holds_two(self, one, other):
        """Two clusters of which each holds a number of one register."""
        registers = [{self.known[n].registry for n in cluster - self.silent} for cluster in (one, other)]
        return bool(registers[0] & registers[1])


def _starts_apart(a, b):
    return bool(a.start_earliest and b.start_latest) and (a.start_earliest - b.start_latest).days > DAYS_APART


@given(worlds())
def test_decides_as_the_slow_union_does(world):
    known, edges, separated = world
    cluster_of, decisions = decide(known, edges, separated)
    slow = Slow(known, edges, separated)
    assert cluster_of == {number: min(slow.of(number)) for number in known}
    assert decisions == [slow.decisions[edge] for edge in edges]


@given(worlds(), st.randoms())
def test_the_order_of_evidence_does_not_matter(world, random):
    known, edges, separated = world
    cluster_of, decisions = decide(known, edges, separated)
    order = random.sample(range(len(edges)), len(edges))
    turned = [(b, a) for a, b in reversed(separated)]
    again_of, again_decisions = decide(dict(reversed(known.items())), [edges[i] for i in order], turned)
    assert again_of == cluster_of
    assert again_decisions == [decisions[i] for i in order]


@given(worlds())
def test_decisions_and_clusters_say_the_same(world):
    known, edges, separated = world
    cluster_of, decisions = decide(known, edges, separated)
    joined = {number: {number} for number in known}
    for edge, decision in zip(edges, decisions, strict=True):
        assert decision.decision in ("merged", "candidate", "vetoed")
        assert (decision.reason is None) == (decision.decision == "merged")
        if decision.decision == "merged":
            both = joined[edge.a] | joined[edge.b]
            joined |= dict.fromkeys(both, both)
        elif decision.decision == "candidate":
            assert cluster_of[edge.a] != cluster_of[edge.b]
    assert cluster_of == {number: min(group) for number, group in joined.items()}


@given(worlds())
def test_no_trial_breaks_a_veto(world):
    known, edges, separated = world
    cluster_of, decisions = decide(known, edges, separated)
    assert all(cluster_of[a] != cluster_of[b] for a, b in separated)
    merged = {edge for edge, decision in zip(edges, decisions, strict=True) if decision.decision == "merged"}
    exempt = {n for e in merged if e.method in (*UNQUESTIONED, "registered_again") for n in (e.a, e.b)}
    for a, b in combinations(sorted(set(known) - exempt), 2):
        if cluster_of[a] == cluster_of[b]:
            assert known[a].registry != known[b].registry
            assert not _starts_apart(known[a], known[b])
            assert not _starts_apart(known[b], known[a])
            assert {known[a].is_extension, known[b].is_extension} != {True, False}


@given(worlds())
def test_vetoed_evidence_decides_nothing_else(world):
    """Without it all else comes out the same, but that a number it states has one name less: umbrellas aside."""
    known, edges, separated = world
    cluster_of, decisions = decide(known, edges, separated)
    vetoed = [e for e in edges if e.veto]
    if any(d.reason == "umbrella" for d in decisions):
        return
    rest = [e for e in edges if e not in vetoed]
    assert decide(known, rest, separated) == (
        cluster_of,
        [d for e, d in zip(edges, decisions, strict=True) if e not in vetoed],
    )
