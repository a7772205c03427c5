"""Every query of a build and what it needs: the graph of the warehouse, found from the SQL files themselves.

A published table is `sql/<table>.sql`, a step on the way `sql/parts/<name>.sql`, the legs of a policy
`sql/policies/<id>.sql`. Two unions over the policies are generated here, what puts records and registrations together
in `merging`, both from the contracts, so that adding a policy or a column touches no other file. Nothing here runs a
query.
"""

import functools
import graphlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pipelines import merging
from pipelines.contracts import Contracts, Policy, contracts, quote
from pipelines.settings import SQL

STAGED = (
    "staged_registrations", "staged_regulatory_flags", "staged_articles", "staged_index", "payload_reports",
    "payload_rejects", "unread_records", "article_payloads", "snapshots", "listed_numbers",
)  # fmt: skip
"""Relations that reading leaves behind; see `staging.register`."""

STEPS: Mapping[str, tuple[str, ...]] = {
    "number_forms": ("registration_lists",),
    "placeholder_numbers": ("stated_numbers",),
    "corrected_registrations": ("merged_registrations",),
    "corrections": ("corrected_registrations",),
    "trial_members": ("registration_edges", "identity_facts", "corrected_registrations", "registration_sight_dates"),
    "edge_decisions": ("trial_members",),
    "ledger": ("trial_members",),
    "status_history": (),
    "history_entries": ("status_history",),
    "fetch_attempts": (),
    "given_up_snapshots": (),
}
"""Relations that Python makes during a build, and what they need; see `build`."""

GIVEN = (
    "cited_pmids", "source_terms", "trial_report_types", "adjudication_list", "contest_list", "sponsor_mappings",
    "supporter_list", "country_list",
)  # fmt: skip
"""Relations that a build fills before the first query; besides them there is vocabulary_<name> for each code list."""

VIEWS = (
    "merged_registrations", "register_result_legs", "register_summary_legs", "registration_legs", "reporting_legs",
    "trial_sources", "uk_sites", "uk_summary_legs",
)  # fmt: skip
"""Wide relations that few read: as views they compute no column that nobody asks for. So are the policies' legs."""

KEPT = ("article_files", "status_news")
"""Steps on the way that the account of a build reads when all queries have run."""

DECIDING = ("started", "completed", "public", "searched")
"""Legs whose field a status names as what decides it."""

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

    @property
    def is_view(self) -> bool:
        """Whether it computes nothing until it is read."""
        return self.policy is not None or self.name in VIEWS


def macros() -> str:
    """The SQL text that defines the macros the queries share."""
    return (SQL / "macros.sql").read_text(encoding="utf-8")


def finders() -> list[str]:
    """The macros that a warehouse keeps: an article is found by any spelling of its numbers, trials by the words for a
    condition and an intervention (NULL: any)."""
    kept = [
        re.findall(rf"CREATE OR REPLACE MACRO {name}\(.*?;(?=\n\n)", macros(), re.DOTALL)[0]
        for name in ("article_number", "folded_words")
    ]
    return [
        *kept,
        """CREATE OR REPLACE MACRO find_article(written) AS TABLE
        SELECT * FROM article_identifiers WHERE identifier = article_number(written)""",
        _words_finder("find_condition", "conditions", "[]::VARCHAR[]"),
        _words_finder("find_intervention", "interventions", "coalesce(other_names, [])"),
        """CREATE OR REPLACE MACRO find_trials(condition_words, intervention_words) AS TABLE
        SELECT s.trial_id, c.found_by AS condition_by, i.found_by AS intervention_by
        FROM trial_standings AS s
        LEFT JOIN find_condition(condition_words) AS c USING (trial_id)
        LEFT JOIN find_intervention(intervention_words) AS i USING (trial_id)
        WHERE (condition_words IS NULL OR c.trial_id IS NOT NULL)
            AND (intervention_words IS NULL OR i.trial_id IS NOT NULL)""",
    ]


def _words_finder(macro: str, table: str, other_names: str) -> str:
    """The macro that finds trials by words: by the MeSH term that they stand for, by a term below it, or by the words
    as they stand in the wording or in another name. The strongest is told: it is the first in the alphabet."""
    return f"""CREATE OR REPLACE MACRO {macro}(words) AS TABLE
        WITH wanted AS (
            SELECT mesh_term FROM mesh_terms WHERE normalised = folded_words(words)
            UNION SELECT mesh_term FROM {table} WHERE normalised = folded_words(words) AND mesh_term IS NOT NULL
        ), below AS (
            SELECT m.mesh_term FROM mesh_terms AS m JOIN wanted AS w ON list_contains(m.above, w.mesh_term)
        )
        SELECT trial_id, min(found_by) AS found_by
        FROM (
            SELECT trial_id, CASE
                WHEN mesh_term IN (FROM wanted) OR concept = folded_words(words) THEN 'same term'
                WHEN mesh_term IN (FROM below) THEN 'term below'
                WHEN contains(
                    ' ' || concat_ws(' | ', normalised, folded_words(array_to_string({other_names}, ' '))) || ' ',
                    ' ' || folded_words(words) || ' ') THEN 'words' END AS found_by
            FROM {table})
        WHERE found_by IS NOT NULL
        GROUP BY trial_id"""


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


def all_queries(overrides: Mapping[str, str] | None = None, profile: str = "") -> list[Query]:
    """Every relation in an order in which each stands after what it needs.

    profile: whose conventions the policies follow; ours where it is empty.
    overrides: name -> SQL text that takes the place of the file's (tests plant faults with it). Raises ValueError
    where the queries need each other in a circle or name a relation that nobody makes.
    """
    known = contracts()
    known = replace(known, policies={name: p.under(profile) for name, p in known.policies.items()})
    sql = {p.stem: p.read_text(encoding="utf-8") for p in (*SQL.glob("*.sql"), *(SQL / "parts").glob("*.sql"))}
    del sql["macros"]
    policies = {p.table: p for p in known.policies.values()}
    sql |= {p.table: policy_file(p).read_text(encoding="utf-8") for p in known.policies.values()}
    sql |= {"registration_legs": _registration_legs(known), "reporting_legs": _reporting_legs(known)}
    sql["merged_registrations"] = merging.merged_registrations(known)
    sql["trial_fields"] = merging.trial_fields(known)
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


def needed_last(every: Sequence[Query]) -> dict[str, list[str]]:
    """By query: the steps on the way that nothing needs after it. What a view needs, its readers need; the policies'
    legs are read again at the end."""
    last: dict[str, int] = {}
    for number, query in reversed(list(enumerate(every))):
        until = len(every) if query.policy else last.get(query.name, number) if query.is_view else number
        for name in query.needs:
            last[name] = max(last.get(name, 0), until)
    found: dict[str, list[str]] = {}
    for query in every:
        until = last.get(query.name, len(every))
        if until < len(every) and not query.is_published and not query.is_view and query.name not in KEPT:
            found.setdefault(every[until].name, []).append(query.name)
    return found


def policy_file(policy: Policy) -> Path:
    return SQL / "policies" / f"{policy.id}.sql"


def published(queries: Iterable[Query]) -> list[str]:
    return [q.name for q in queries if q.is_published]


# --- generated from the policies ------------------------------------------------------------------------------------


def _registration_legs(known: Contracts) -> str:
    """All registration rules in one relation: the standard columns beside their legs, and the start as written."""
    return "\nUNION ALL BY NAME\n".join(
        f"SELECT {quote(p.id)} AS policy, started_on.value AS start_raw, "
        f"* EXCLUDE ({', '.join(leg.name for leg in p.legs)}) FROM {p.table}"
        for p in known.of_kind("registration")
    )


def _reporting_legs(known: Contracts) -> str:
    """What decides a status, of all reporting policies in one relation: standard columns, the scope legs joined by
    three-valued AND, of the other legs the outcome, and the field of those that can be what decides. Single columns and
    not the legs whole: most of a leg is text that is read only where a person looks at it."""
    return "\nUNION ALL BY NAME\n".join(map(_reporting_union, known.of_kind("reporting")))


def _reporting_union(policy: Policy) -> str:
    scope = [leg.name for leg in policy.legs if leg.role == "scope"]
    conflicts = [leg.name for leg in policy.legs if leg.role == "conflict"]
    others = [leg.name for leg in policy.legs if leg.role not in ("scope", "conflict", "flag")]
    in_scope = " AND ".join(f"{name}.outcome" for name in scope)
    false = ", ".join(f"CASE WHEN NOT {name}.outcome THEN {quote(name)} END" for name in scope)
    unknown = ", ".join(f"CASE WHEN {name}.outcome IS NULL THEN {name}.field END" for name in scope)
    missing = f"array_to_string(list_sort(list_distinct([{unknown}])), ', ')"
    contradicts = " OR ".join(f"{name}.outcome" for name in conflicts) or "false"
    contradictions = ", ".join(f"CASE WHEN {name}.outcome THEN {quote(name)} END" for name in conflicts) or "NULL"
    columns = [
        f"{quote(policy.id)} AS policy",
        "trial_id, rule_version, clock_earliest, clock_latest, due_earliest, due_latest, due_undeferred",
        "public_date, reported_date, submitted_date, seen_public_by",
        "first_submitted" if "first_submitted" in policy.gives else "NULL::DATE AS first_submitted",
        "grace_days" if "grace_days" in policy.gives else f"{policy.parameters['grace_days']} AS grace_days",
        f"{in_scope} AS in_scope",
        f"CASE WHEN NOT ({in_scope}) THEN concat_ws(', ', {false}) END AS false_legs",
        f"CASE WHEN ({in_scope}) IS NULL THEN {missing} END AS unknown_fields",
        " OR ".join(f"{name}.is_proxy" for name in scope) + " AS has_proxy",
        f"{contradicts} AS contradicts",
        f"CASE WHEN {contradicts} THEN concat_ws(', ', {contradictions}) END AS contradictions",
        *(f"{name}.outcome AS {name}" for name in others),
        *(f"{name}.field AS {name}_field" for name in DECIDING if name in others),
    ]
    return f"SELECT {', '.join(columns)} FROM {policy.table}"


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


def penalty_estimates(known: Contracts) -> str:
    """The view of what a law's daily amount would come to, over the policies that name one."""
    return "\nUNION ALL\n".join(
        "SELECT trial_id, policy, days_past_grace, penalty_per_day, days_past_grace * penalty_per_day AS upper_bound "
        f"FROM (SELECT trial_id, policy, days_late_min - {p.parameters['grace_days']} AS days_past_grace, "
        f"{p.parameters['penalty_per_day']} AS penalty_per_day FROM reporting_lateness WHERE policy = {quote(p.id)}) "
        "WHERE days_past_grace > 0"
        for p in known.of_kind("reporting")
        if "penalty_per_day" in p.parameters
    )
