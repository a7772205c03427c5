"""Every query of a build and what it needs: the graph of the warehouse, found from the SQL files themselves.

A published table is `sql/<table>.sql`, a step on the way `sql/parts/<name>.sql`, the legs of a policy
`sql/policies/<id>.sql`. Two unions over the policies, and the merging of a registration's records field by field, are
generated here from the contracts, so that adding a policy or a column touches no other file. Nothing here runs a query.
"""

import functools
import graphlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pipelines.contracts import Contracts, Policy, contracts, quote
from pipelines.settings import SQL

STAGED = (
    "staged_registrations", "staged_articles", "staged_index", "payload_reports", "payload_rejects",
    "article_payloads", "snapshots",
)  # fmt: skip
"""Relations that reading leaves behind; see `staging.register`."""

STEPS: Mapping[str, tuple[str, ...]] = {
    "trial_members": ("merged_registrations", "registration_edges", "registration_sight_dates"),
    "ledger": ("trial_members",),
    "number_forms": ("registration_lists",),
    "placeholder_numbers": ("identifiers",),
}
"""Relations that Python makes during a build, and what they need; see `build`."""

GIVEN = ("cited_pmids", "source_terms", "excluded_publication_types")
"""Relations that a build fills before the first query; besides them there is vocabulary_<name> for each code list."""

_COMMENT = re.compile(r"--[^\n]*")
_STRING = re.compile(r"'(?:[^']|'')*'")
_NAMED = re.compile(r"\b(?:FROM|JOIN)\s+(\w+)(\s*\()?", re.IGNORECASE)
_MACRO = re.compile(r"CREATE OR REPLACE MACRO (\w+)\s*\([^)]*\) AS\b(.*?);\s*(?:\n\n|\Z|\n--)", re.DOTALL)


@dataclass(frozen=True)
class Query:
    """One relation of a build. sql is empty where Python makes it. policy: whose legs they are."""

    name: str
    sql: str
    needs: tuple[str, ...]
    is_published: bool = False
    policy: Policy | None = None


def macros() -> str:
    """The SQL text that defines the macros the queries share."""
    return (SQL / "macros.sql").read_text(encoding="utf-8")


@functools.cache
def _macro_needs() -> dict[str, set[str]]:
    return {name: named_relations(body) for name, body in _MACRO.findall(macros() + "\n\n")}


def named_relations(sql: str) -> set[str]:
    """Names after FROM and JOIN, those of the macros a query uses included."""
    plain = _STRING.sub("''", _COMMENT.sub("", sql))
    found: set[str] = set()
    for name, call in _NAMED.findall(plain):
        if call:
            found |= _macro_needs().get(name, set())
        else:
            found.add(name)
    return found


def all_queries(overrides: Mapping[str, str] | None = None) -> list[Query]:
    """Every relation in an order in which each stands after what it needs.

    overrides: name -> SQL text that takes the place of the file's (tests plant faults with it). Raises ValueError
    where the queries need each other in a circle or name a relation that nobody makes.
    """
    known = contracts()
    sql = {p.stem: p.read_text(encoding="utf-8") for p in (*SQL.glob("*.sql"), *(SQL / "parts").glob("*.sql"))}
    del sql["macros"]
    policies = {p.table: p for p in known.policies.values()}
    sql |= {p.table: policy_file(p).read_text(encoding="utf-8") for p in known.policies.values()}
    sql |= {"registration_legs": _registration_legs(known), "reporting_legs": _reporting_legs(known)}
    sql["merged_registrations"] = _merged_registrations(known)
    sql |= dict(overrides or {})
    makers = {*sql, *STEPS}
    needs = {name: named_relations(text) & makers for name, text in sql.items()}
    needs |= {name: set(needed) for name, needed in STEPS.items()}
    try:
        order = list(graphlib.TopologicalSorter({n: sorted(needs[n]) for n in sorted(needs)}).static_order())
    except graphlib.CycleError as error:
        raise ValueError(f"These queries need each other: {' -> '.join(error.args[1])}.") from None
    return [
        Query(name, sql.get(name, ""), tuple(sorted(needs[name])), name in known.tables, policies.get(name))
        for name in order
    ]


def policy_file(policy: Policy) -> Path:
    return SQL / "policies" / f"{policy.id}.sql"


def published(queries: Iterable[Query]) -> list[str]:
    return [q.name for q in queries if q.is_published]


# --- generated from the contracts -----------------------------------------------------------------------------------


TOGETHER = {
    "sponsor": ("sponsor", "sponsor_class", "sponsor_class_source", "sponsor_is_person"),
    "enrolment": ("enrolment", "enrolment_type"),
    "results_posted": ("results_posted", "results_posted_type"),
}
"""Columns that mean something only together: all of them are taken from the record that has the first one."""

NEVER_FILLED = {"start_raw", "primary_completion_raw", "completion_raw", "status", "enrolment", "has_results"}
"""What decides a verdict is taken from one source alone: a date that the register dropped must not come back from
another source that still passes it on."""


def _merged_registrations(known: Contracts) -> str:
    """The fields of every registration, each from the first of its records that has it (`current_records.place`), and
    which fields another source than the register itself has filled."""
    published = {c.name for c in known.tables["registrations"].columns}
    columns = [c.name for c in known.staging["registration_records"].columns if c.name in published]
    units = {name: _unit(name, columns) for name in columns}
    kept = [c for c in columns if c not in ("registration_id", "trial_id")]
    picked = ",\n    ".join(f"{_picked(c, units[c])} AS {c}" for c in kept)
    filled = ", ".join(
        f"CASE WHEN arg_min(source, place) FILTER (WHERE {c} IS NOT NULL) <> arg_min(source, place) THEN '{c}' END"
        for c in kept
        if units[c] == c and c not in {"registry", "source", "url", "content_hash", "data_version"} | NEVER_FILLED
    )
    named = ", ".join(kept)
    return (
        f"SELECT registration_id, {named}, []::VARCHAR[] AS filled_from_others FROM current_records WHERE records = 1\n"
        f"UNION ALL BY NAME\nSELECT registration_id,\n    {_with_precision(picked)},\n"
        f"    list_filter([{filled}], lambda f: f IS NOT NULL) AS filled_from_others\n"
        "FROM current_records WHERE records > 1 GROUP BY registration_id"
    )


ORDERS = {"status": "(status_rank, place)", "completion_raw": "end_rank"}
"""Where another order than the usual one decides which record speaks; see `current_records`."""


def _picked(column: str, unit: str) -> str:
    """The expression that takes a column from the right one of a registration's records."""
    if column in ("registry", "source"):
        return f"arg_min({column}, place)"
    alone = " AND source = first_source" if unit in NEVER_FILLED else ""
    if column == "has_results":  # results on one country's record are results
        return f"bool_or(has_results) FILTER (WHERE true{alone})"
    return f"arg_min_null({column}, {ORDERS.get(unit, 'place')}) FILTER (WHERE {unit} IS NOT NULL{alone})"


def _with_precision(picked: str) -> str:
    """A date that no record has is known to the precision `none`."""
    return re.sub(r"(arg_min_null\(\w+_precision, .*) AS (\w+_precision)", r"coalesce(\1, 'none') AS \2", picked)


def _unit(column: str, columns: list[str]) -> str:
    """The column that decides from which record this one is taken."""
    for first, others in TOGETHER.items():
        if column in others:
            return first
    base, _, part = column.rpartition("_")
    if f"{base}_raw" in columns and part in {"raw", "precision", "earliest", "latest", "type"}:
        return f"{base}_raw"
    if part == "source" and base in columns:
        return base
    return column


# --- generated from the policies ------------------------------------------------------------------------------------


def _registration_legs(known: Contracts) -> str:
    """All registration rules in one relation: the standard columns of their legs."""
    return "\nUNION ALL BY NAME\n".join(
        f"SELECT {quote(p.id)} AS policy, * FROM {p.table}" for p in known.of_kind("registration")
    )


def _reporting_legs(known: Contracts) -> str:
    """All reporting policies in one relation: standard columns, and the scope legs joined by three-valued AND."""
    return "\nUNION ALL BY NAME\n".join(map(_reporting_union, known.of_kind("reporting")))


def _reporting_union(policy: Policy) -> str:
    scope = [leg.name for leg in policy.legs if leg.role == "scope"]
    others = [leg.name for leg in policy.legs if leg.role != "scope"]
    dates = "clock_earliest, clock_latest, due_earliest, due_latest, due_undeferred, public_date, reported_date"
    grace = policy.parameters["grace_days"]
    in_scope = " AND ".join(f"{name}.outcome" for name in scope)
    false = ", ".join(f"CASE WHEN NOT {name}.outcome THEN {quote(name)} END" for name in scope)
    unknown = ", ".join(f"CASE WHEN {name}.outcome IS NULL THEN {name}.field END" for name in scope)
    proxy = " OR ".join(f"{name}.is_proxy" for name in scope)
    return (
        f"SELECT {quote(policy.id)} AS policy, trial_id, rule_version, {grace} AS grace_days, "
        f"{dates}, submitted_date, seen_public_by, {in_scope} AS in_scope, concat_ws(', ', {false}) AS false_legs, "
        f"concat_ws(', ', {unknown}) AS unknown_fields, {proxy} AS has_proxy, {', '.join(others)} FROM {policy.table}"
    )


def status_evidence(known: Contracts) -> str:
    """The view of all legs of all policies in long form: one row per trial, policy and criterion."""
    return "\nUNION ALL\n".join(
        f"SELECT trial_id, {quote(p.id)} AS policy, {quote(leg.name)} AS leg, {quote(leg.role)} AS role, "
        f"{quote(leg.question)} AS question, {leg.name}.value AS value, {leg.name}.outcome AS outcome, "
        f"{leg.name}.registration_id AS registration_id, {leg.name}.field AS field, {leg.name}.is_proxy AS is_proxy, "
        f"rule_version FROM {p.table}"
        for p in known.policies.values()
        for leg in p.legs
    )
