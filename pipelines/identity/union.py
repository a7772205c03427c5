"""Which registrations are one trial: a constrained union of the evidence, the same in any order of input.

Each edge is a pair of registrations with a method (`MERGING`, strongest first). The SQL that makes the edges has said
which pairs must not be joined by themselves (`veto`) or are no more than candidates (`held`). Here a union is made only
where the joined cluster breaks no veto: no second number of one register, no starts over three years apart, no
extension beside its parent, nothing that an adjudication separates, no number that many trials name. Why these rules:
`docs/decisions/0009-one-trial-over-many-records.md`. What an edge is and how two registrations compare stands in
`sql/parts/registration_edges.sql` and `identity_facts.sql`; what a trial is called in `ledger`.

The work is linear in the edges, but for sorting them.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import NamedTuple

UNQUESTIONED = ("adjudicated", "alias")
"""A person's or the register's own word: only a separation by adjudication stands against it."""

MERGING = (
    *UNQUESTIONED,
    "registered_again",
    "names_each_other",
    "named",
    "transition",
    "universal_number",
    "mentioned_and_alike",
)
"""Methods that may join two registrations, strongest first; a code list of its own says what each means."""

SILENCING = ("alias", "registered_again")
"""Methods that say that one record has taken another's place."""

MANY = 3
"""A number that more trials than this name is that of an umbrella, a platform or a programme."""

DAYS_APART = 1096
"""Starts that certainly lie further apart, in days, are not those of one trial."""


class Facts(NamedTuple):
    """What the union knows of a registration. None: not stated, which vetoes nothing."""

    registry: str
    start_earliest: date | None = None
    start_latest: date | None = None
    is_extension: bool | None = None
    titles: tuple[str, ...] = ()


class Edge(NamedTuple):
    """Evidence about two registrations, a before b.

    names: a states b's number; is_named: b states a's. silent: the one of the two that the other replaces, so that its
    number, dates and title no longer count.
    """

    a: str
    b: str
    method: str
    names: bool = False
    is_named: bool = False
    held: str | None = None
    veto: str | None = None
    silent: str | None = None


class Decision(NamedTuple):
    """What became of an edge: merged, candidate or vetoed, and why it was not merged."""

    decision: str
    reason: str | None = None


_HUB = ""
"""Is no number."""

MERGED = Decision("merged")
TWO_IDS = Decision("candidate", "two_ids_of_one_register")


class _Clusters:
    """The registrations joined so far. Each cluster knows what a further union has to respect: its number in each
    register, the latest of its earliest and the earliest of its latest possible starts, whether it is an extension."""

    def __init__(self, facts: Mapping[str, Facts], silent: set[str], separated: Iterable[tuple[str, str]]) -> None:
        self._parent = {number: number for number in facts}
        self.numbers: dict[str, dict[str, str]] = {}
        self.starts: dict[str, tuple[date, date]] = {}
        self.extensions: dict[str, set[bool]] = {}
        self.apart: dict[str, set[str]] = defaultdict(set)
        for number, fact in facts.items():
            if number not in silent:
                self.hear(number, fact)
        for a, b in separated:
            self.apart[a].add(b)
            self.apart[b].add(a)

    def hear(self, number: str, fact: Facts) -> None:
        """From now on the registration's number, start and title count in its cluster."""
        root = self.root(number)
        self.numbers.setdefault(root, {}).setdefault(fact.registry, number)
        if fact.start_earliest and fact.start_latest:
            self._narrow(root, (fact.start_earliest, fact.start_latest))
        if fact.is_extension is not None:
            self.extensions.setdefault(root, set()).add(fact.is_extension)

    def _narrow(self, root: str, start: tuple[date, date]) -> None:
        earliest, latest = self.starts.get(root, start)
        self.starts[root] = (max(earliest, start[0]), min(latest, start[1]))

    def root(self, number: str) -> str:
        parent = self._parent
        while parent[number] != number:
            parent[number] = number = parent[parent[number]]
        return number

    def separated(self, a: str, b: str) -> bool:
        """Whether the two clusters hold a pair that an adjudication separates."""
        there = self.root(b)
        return any(self.root(other) == there for other in self.apart.get(self.root(a), ()))

    def obstacle(self, a: str, b: str) -> Decision | None:
        """What stands against joining the clusters of two registrations."""
        low, high = self.root(a), self.root(b)
        if self.separated(low, high):
            return Decision("vetoed", "separated")
        ours, theirs = self.numbers.get(low, {}), self.numbers.get(high, {})
        if any(theirs.get(registry, number) != number for registry, number in ours.items()):
            return TWO_IDS
        starts = [s for s in (self.starts.get(low), self.starts.get(high)) if s]
        if starts and _days_apart(starts) > DAYS_APART:
            return Decision("vetoed", "start_dates_apart")
        if len(self.extensions.get(low, set()) | self.extensions.get(high, set())) > 1:
            return Decision("vetoed", "extension")
        return None

    def join(self, a: str, b: str) -> None:
        low, high = sorted((self.root(a), self.root(b)))
        if low == high:
            return
        self._parent[high] = low
        self.numbers[low] = {**self.numbers.pop(high, {}), **self.numbers.get(low, {})}
        if high in self.starts:
            self._narrow(low, self.starts.pop(high))
        if high in self.extensions:
            self.extensions[low] = self.extensions.get(low, set()) | self.extensions.pop(high)
        if high in self.apart:
            self.apart[low] |= self.apart.pop(high)


def _days_apart(starts: Sequence[tuple[date, date]]) -> int:
    return (max(s[0] for s in starts) - min(s[1] for s in starts)).days


def decide(
    facts: Mapping[str, Facts], edges: Sequence[Edge], separated: Iterable[tuple[str, str]] = ()
) -> tuple[dict[str, str], list[Decision]]:
    """Joins the registrations of `facts` by the edges.

    Returns the cluster of each registration, named by its smallest number, and one decision per edge, in the edges'
    order. Both are a function of the sets alone. Every end of an edge stands in `facts`.
    """
    pairs = {_pair((a, b)) for a, b in separated if a in facts and b in facts}
    many = _umbrellas(facts, edges)
    decisions = [_alone(edge, many, pairs) for edge in edges]
    silent = {e.silent for e, d in zip(edges, decisions, strict=True) if e.silent and d is None}
    clusters = _Clusters(facts, silent, pairs)
    open_edges: dict[str, list[int]] = defaultdict(list)
    for index, decision in enumerate(decisions):
        if decision is None:
            open_edges[edges[index].method].append(index)
    for method in MERGING:
        level = sorted(open_edges.get(method, ()), key=lambda i: (edges[i].a, edges[i].b))
        for index, decision in _join_level(clusters, edges, level):
            decisions[index] = decision
        if method == SILENCING[-1]:
            # A record that was not joined with the one in its place speaks for itself after all.
            silenced = {e.silent for e, d in zip(edges, decisions, strict=True) if e.silent and d == MERGED}
            for number in silent - silenced:
                clusters.hear(number, facts[number])
    roots = {number: clusters.root(number) for number in facts}
    return roots, [_last_word(e, d, roots) for e, d in zip(edges, decisions, strict=True)]


def _last_word(edge: Edge, decision: Decision | None, roots: Mapping[str, str]) -> Decision:
    """A candidate that other evidence has joined is merged; a method that joins nothing is a candidate."""
    found = decision or Decision("candidate", edge.method)
    return MERGED if found.decision == "candidate" and roots[edge.a] == roots[edge.b] else found


def _pair(numbers: tuple[str, str]) -> tuple[str, str]:
    low, high = sorted(numbers)
    return low, high


def _alone(edge: Edge, many: set[str], separated: set[tuple[str, str]]) -> Decision | None:
    """The decision on an edge that needs no cluster; None: it may join."""
    if (edge.a, edge.b) in separated:
        return Decision("vetoed", "separated")
    if edge.method in UNQUESTIONED:
        return None
    if edge.veto:
        return Decision("vetoed", edge.veto)
    if _only_umbrellas(edge, many):
        return Decision("vetoed", "umbrella")
    return Decision("candidate", edge.held) if edge.held else None


def _only_umbrellas(edge: Edge, many: set[str]) -> bool:
    """Whether the evidence is a number that many trials name, and no other."""
    if edge.names or edge.is_named:
        return not ((edge.names and edge.b not in many) or (edge.is_named and edge.a not in many))
    return edge.method.startswith("mentioned") and (edge.a in many or edge.b in many)


def _join_level(clusters: _Clusters, edges: Sequence[Edge], level: Sequence[int]) -> Iterator[tuple[int, Decision]]:
    """Takes the edges of one method: first those in a conflict over a register's number, all at once, then the rest."""
    links = {i: (clusters.root(edges[i].a), clusters.root(edges[i].b)) for i in level}
    unquestioned = bool(level) and edges[level[0]].method in UNQUESTIONED
    conflicts = set() if unquestioned else _conflicts(clusters, links)
    for index in level:
        a, b = edges[index].a, edges[index].b
        if index in conflicts:
            yield index, TWO_IDS
            continue
        if unquestioned:
            obstacle = Decision("vetoed", "separated") if clusters.separated(a, b) else None
        else:
            obstacle = None if clusters.root(a) == clusters.root(b) else clusters.obstacle(a, b)
        if obstacle is None:
            clusters.join(a, b)
        yield index, obstacle or MERGED


def _conflicts(clusters: _Clusters, links: Mapping[int, tuple[str, str]]) -> set[int]:
    """The links on a way from one number of a register to another: which of them is wrong, nothing here can tell."""
    neighbours: dict[str, dict[str, list[int]]] = defaultdict(dict)
    for index, (a, b) in links.items():
        if a != b:
            neighbours[a].setdefault(b, []).append(index)
            neighbours[b].setdefault(a, []).append(index)
    found: set[int] = set()
    for component in _components(neighbours):
        holders: dict[str, dict[str, str]] = defaultdict(dict)
        for root in component:
            for registry, number in clusters.numbers.get(root, {}).items():
                holders[registry][number] = root
        for numbers in holders.values():
            if len(numbers) > 1:
                found |= _between(component, neighbours, set(numbers.values()))
    return found


def _components(neighbours: Mapping[str, Mapping[str, object]]) -> Iterator[list[str]]:
    seen: set[str] = set()
    for first in neighbours:
        if first in seen:
            continue
        seen.add(first)
        component = [first]
        for node in component:
            fresh = [other for other in neighbours[node] if other not in seen]
            seen.update(fresh)
            component += fresh
        yield component


def _between(
    component: Sequence[str], neighbours: Mapping[str, Mapping[str, Sequence[int]]], ends: set[str]
) -> set[int]:
    """The links on a simple way from one end to another; what merely hangs on such a way, a ring too, is not on it.

    With a hub beside all ends, these are the links that lie on a ring with the hub. A depth-first walk from the hub
    finds them: a node is on such a ring unless all that was reached through it leads no further up than to the node
    before it.
    """
    place, up, before = {_HUB: 0}, {_HUB: 0}, {_HUB: _HUB}
    walk = [(_HUB, iter(sorted(ends)))]
    while walk:
        node, others = walk[-1]
        for other in others:
            if other not in place:
                place[other] = up[other] = len(place)
                before[other] = node
                walk.append((other, iter((*neighbours[other], *((_HUB,) if other in ends else ())))))
                break
            if other != before[node]:
                up[node] = min(up[node], place[other])
        else:
            walk.pop()
            up[before[node]] = min(up[before[node]], up[node])
    on_way = {_HUB}
    for node, last in before.items():
        if last in on_way and (last == _HUB or up[node] < place[last]):
            on_way.add(node)
    return {
        index
        for node in component
        if node in on_way
        for other, indices in neighbours[node].items()
        if other in on_way
        for index in indices
    }


def _umbrellas(facts: Mapping[str, Facts], edges: Sequence[Edge]) -> set[str]:
    """Numbers that more than `MANY` other trials name."""
    namers: dict[str, set[str]] = defaultdict(set)
    both: set[tuple[str, str]] = set()
    for edge in edges:
        if edge.method in UNQUESTIONED:
            continue
        if edge.names:
            namers[edge.b].add(edge.a)
        if edge.is_named:
            namers[edge.a].add(edge.b)
        if edge.names and edge.is_named:
            both |= {(edge.a, edge.b), (edge.b, edge.a)}
    named_by = {edge_end: group for edge_end, group in namers.items() if len(group) > MANY}
    return {number for number, group in named_by.items() if _trials(number, group, namers, both, facts) > MANY}


def _trials(
    number: str,
    group: set[str],
    namers: Mapping[str, set[str]],
    both: set[tuple[str, str]],
    facts: Mapping[str, Facts],
) -> int:
    """How many trials the registrations that name a number are, at least.

    Those that name each other or share a title are one. So are those that the number's own record names back, one per
    register: its own other registrations.
    """
    parent = {member: member for member in group}

    def root(member: str) -> str:
        while parent[member] != member:
            parent[member] = member = parent[parent[member]]
        return member

    by_title: dict[str, str] = {}
    for member in sorted(group):
        for title in facts[member].titles:
            parent[root(member)] = root(by_title.setdefault(title, member))
        for other in namers.get(member, ()):
            if other in group:
                parent[root(member)] = root(other)
    back = sorted(member for member in group if (number, member) in both)
    registers = [facts[member].registry for member in back]
    is_own = bool(back) and len(set(registers)) == len(registers)
    if is_own:
        for member in back:
            parent[root(member)] = root(back[0])
    return len({root(member) for member in group}) - is_own
