"""Which table is made of what, as the asset graph shows it: read from the queries, written down nowhere else.

Relations on the way that are not published are folded through: a table depends on the published tables and the staged
sources that its query needs, directly or by way of such relations. Nothing here makes an asset.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pipelines import queries, staging
from pipelines.contracts import contracts

REGISTERS = "registration_records"
FLAGS = "regulatory_flags"
ARTICLES = "articles"

STAGED_FROM: Mapping[str, str] = {
    "staged_registrations": REGISTERS,
    "listed_numbers": REGISTERS,
    "cited_pmids": REGISTERS,
    "staged_regulatory_flags": FLAGS,
    "staged_articles": ARTICLES,
    "staged_index": ARTICLES,
    "article_payloads": ARTICLES,
}
"""Relations that hold what was read from payloads, and the kind of source they were; see `staging.register`."""

ACCOUNTS = frozenset({"payload_reports", "payload_rejects", "unread_records", "snapshots"})
"""Accounts of all payloads. A step on the way that reads them is read beside records of one kind and sees that kind's
lines only; a published table shows them all."""


@dataclass(frozen=True)
class Origin:
    """What a relation is directly made of: published tables and staged sources."""

    tables: frozenset[str]
    sources: frozenset[str]

    def __or__(self, other: "Origin") -> "Origin":
        return Origin(self.tables | other.tables, self.sources | other.sources)


def sources_of(kind: str) -> list[str]:
    """The sources whose payloads are of one kind."""
    kinds = {code: staging.module(code).KIND for code in contracts().sources}
    return [code for code, its_kind in kinds.items() if its_kind == kind]


def origins() -> dict[str, Origin]:
    """The origin of every published table, each after those it is made of. Those that no query makes come last and are
    made of all others: they say how the others fared."""
    found: dict[str, Origin] = {}
    published: dict[str, Origin] = {}
    for query in queries.all_queries():
        relations = queries.named_relations(query.sql)
        origin = _staged(STAGED_FROM[name] for name in relations if name in STAGED_FROM)
        for name in query.needs:
            origin |= Origin(frozenset({name}), frozenset()) if name in published else found[name]
        if query.is_published and not ACCOUNTS.isdisjoint(relations):
            origin |= _staged([REGISTERS, FLAGS, ARTICLES])
        found[query.name] = origin
        if query.is_published:
            published[query.name] = origin
    others = Origin(frozenset(published), frozenset())
    return published | {name: others for name in contracts().tables if name not in published}


def _staged(kinds: Iterable[str]) -> Origin:
    return Origin(frozenset(), frozenset(code for kind in kinds for code in sources_of(kind)))
