"""A build: from the raw archive to one complete set of tables, checked, and switched in as the warehouse in one step.

Reading is `staging`, the queries are SQL files in the order that `queries` finds, checks are `validation`. The result
is a function of the raw archive, the ledger, the code and the as-of date; nothing here asks the clock or the network.
"""

import contextlib
import hashlib
import importlib
import shutil
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple, dataclass, replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import duckdb

from pipelines import (
    attempts,
    contests,
    dates,
    history,
    queries,
    snapshots,
    sponsors,
    staging,
    store,
    validation,
    working_copy,
)
from pipelines import contracts as contract_files
from pipelines.contests import Contest
from pipelines.contracts import Contracts, Policy, Table, contracts, quote
from pipelines.errors import DataError, UsageError
from pipelines.identity import adjudications, ledger, trials
from pipelines.identity.adjudications import Adjudication
from pipelines.queries import Query
from pipelines.settings import ROOT, SCHEMAS, Settings
from pipelines.snapshots import Snapshot
from pipelines.staging import Progress, Spread, Staged, Task
from pipelines.validation import Result

DATABASE = "alltrials.duckdb"
MADE = "made"
"""What the DuckDB file is called while it is made."""
BOTH = f"SET search_path = 'memory.main,{MADE}.main'"
"""Names are found among the steps on the way and the published tables."""
NOT_RESULTS_TITLES = (
    r"(study|trial) protocol",
    r"protocol for an? |protocol for the ",
    r"protocol of an? ",
    r"rationale and design|design and rationale|study design and methods?",
    r"baseline characteristics",
    r"statistical analysis plan",
)
"""Titles of articles that hold no results (link rules, results filter 2); the bare word "protocol" would throw out
results of treatment protocols."""
STUDY_DESIGN_ENDING = r": study design\.?\]?\.?$"
"""The same at the end of a title, unless a withdrawal or crossover design is spoken of before it."""
UNEVEN_COMPRESSION = "bitpacking,fsst,dict_fsst,alp,alprd,roaring"
"""DuckDB's ways of compressing that draw samples at random, or leave in the file what happened to be in memory."""
SLICE = 400_000
"""Records of registers that are put together at a time (`store.create_in_slices`)."""
NAMED = 20
"""How many files that wait for the same one are named each."""


@dataclass(frozen=True)
class Built:
    """What a build made, and what a person wants to know of it.

    folder: where its files lie. events: what it adds to the ledger. results: one per check.
    profile: whose conventions the policies follow; ours where it is empty.
    left_out: files or parts of files that did not get in.
    """

    id: str
    as_of: date
    folder: Path
    events: Sequence[ledger.Event]
    counts: Mapping[str, int]
    statuses: Mapping[str, Mapping[str, int]]
    payloads: Sequence[Mapping[str, Any]]
    rejects: Mapping[str, int]
    left_out: Sequence[str]
    results: Sequence[Result]
    notes: Sequence[str]
    profile: str = ""

    @property
    def failed(self) -> list[Result]:
        return [r for r in self.results if r.outcome == "failed"]


def _silent(text: str) -> None:
    """Says nothing."""


def build(
    settings: Settings,
    as_of: date,
    *,
    say: Callable[[str], None] = _silent,
    told: Callable[[Progress], None] = staging.untold,
    overrides: Mapping[str, str] | None = None,
    profile: str = "",
    spread: Spread | None = None,
) -> Built:
    """Builds the warehouse of the as-of date from all snapshots up to it, checks it, and switches to it.

    say: told in a few words what is being done. told: how far reading has come. overrides: see `queries.all_queries`.
    profile: a published tracker's conventions; its build stands beside the others, is not switched to and leaves the
    ledger as it is. spread: where payloads are read, if not by this machine's processes.
    Raises UsageError where nothing has been imported or no policy knows the profile, DataError where a check fails; the
    last good build then stays the warehouse.
    """
    if profile and not any(profile in p.profiles for p in contracts().policies.values()):
        known = sorted({name for p in contracts().policies.values() for name in p.profiles})
        raise UsageError(f"No policy has a profile {profile!r}. There are: {', '.join(known)}.")
    with store.only_writer(settings.data):
        store.sweep(settings.data)
        taken = snapshots.listed(settings.data, as_of)
        registers = read_registers(settings, taken, told, spread)
        articles = read_articles(settings, taken, registers, told, spread)
        with unpublished(settings.data, as_of) as folder:
            built = make(settings, as_of, [*registers, *articles], folder, say, overrides, profile)
            if built.failed:
                raise DataError(complaint(built.failed))
            return publish(settings.data, built)


def read_registers(
    settings: Settings,
    taken: Sequence[Snapshot],
    told: Callable[[Progress], None] = staging.untold,
    spread: Spread | None = None,
) -> list[Staged]:
    """Stages the payloads of all registers, and of the reference inputs beside them. Raises UsageError where nothing
    has been imported at all."""
    if not taken:
        raise UsageError("Nothing has been imported up to that day: run `import` first.")
    # What pyarrow and the checks import takes a while: this process has nothing else to do while workers read.
    threading.Thread(target=importlib.import_module, args=("pandas",), daemon=True).start()
    wanted = [*_of_kind(taken, "registration_records"), *_of_kind(taken, "regulatory_flags")]
    return staging.stage(settings.data, wanted, told=told, spread=spread or partial(_brought_and_read, settings))


def read_articles(
    settings: Settings,
    taken: Sequence[Snapshot],
    registers: Sequence[Staged],
    told: Callable[[Progress], None] = staging.untold,
    spread: Spread | None = None,
) -> list[Staged]:
    """Stages the payloads of PubMed, after the registers: the PMIDs that they cite decide which articles are kept."""
    wanted = _of_kind(taken, "articles")
    if not wanted:
        return []
    cited = settings.data / "staging" / "cited_pmids.parquet"
    with store.connect(memory_limit=settings.memory_limit, spill=settings.data / "staging") as connection:
        store.write_parquet(connection, f"FROM ({cited_pmids(registers)}) ORDER BY pmid", cited)
    spread = spread or partial(_brought_and_read, settings)
    return staging.stage(settings.data, wanted, cited=cited, told=told, spread=spread)


def _brought_and_read(settings: Settings, tasks: Sequence[Task]) -> Iterator[tuple[Task, str]]:
    """Reads on this machine; payloads that only the store has come first."""
    working_copy.bring_payloads(settings, tasks)
    yield from staging.read_here(tasks, settings.threads)


def _of_kind(taken: Sequence[Snapshot], kind: str) -> list[Snapshot]:
    return [s for s in taken if kind == staging.module(s.source).KIND]


def cited_pmids(staged: Sequence[Staged]) -> str:
    """The query for the PMIDs that any version of any registration names."""
    read = [s for s in staged if s.is_read and not s.is_listing]
    registers = [s for s in read if staging.module(s.snapshot.source).KIND == "registration_records"]
    if not registers:
        return "SELECT NULL::BIGINT AS pmid LIMIT 0"
    return f"""SELECT DISTINCT p.pmid
        FROM read_parquet({store.parquet_list([s.records for s in registers])}, hive_partitioning = false) AS r,
            unnest(r.publications) AS u(p)
        WHERE p.pmid IS NOT NULL"""


@contextlib.contextmanager
def unpublished(data: Path, as_of: date) -> Iterator[Path]:
    """An empty folder for a build that is not published yet; what is left in it is gone afterwards."""
    folder = data / "builds" / f".{as_of}.unpublished{store.PART}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def make(
    settings: Settings,
    as_of: date,
    staged: Sequence[Staged],
    folder: Path,
    say: Callable[[str], None] = _silent,
    overrides: Mapping[str, str] | None = None,
    profile: str = "",
) -> Built:
    """Makes and checks all tables in `folder`. Where a check fails, nothing is written there but the verdict stands in
    `failed`; DataError is raised only where a table cannot be made at all."""
    known = contracts()
    staging.dismiss_workers()
    work = folder / "work"
    work.mkdir()
    # Steps on the way in memory, with a folder for what is too much: a file would compress what the next query unpacks
    # again. Tables at once in the file that readers open: whatever reads them later, they are made and sorted once.
    with store.connect(threads=settings.threads, memory_limit=settings.memory_limit, spill=work) as connection:
        store.attach_new(connection, folder / DATABASE, MADE)
        connection.execute(BOTH)
        prepare(connection, known, as_of, staged)
        decisions = adjudications.read(settings.adjudications, as_of)
        adjudications.fill(connection, decisions)
        contested = contests.read(settings.contests, as_of)
        contests.fill(connection, contested)
        events = run_queries(connection, settings.data, as_of, say, overrides, profile, MADE)
        keep_legs(connection, known, MADE)
        say("checking")
        results = _check(connection, known)
        told = history.write_news(connection, settings.data, as_of, folder)
        identifier = _build_id(as_of, staged, settings.data, events, [*decisions, *contested], told)
        built = replace(_summary(connection, identifier, as_of, folder, staged, events, results), profile=profile)
        if not built.failed:
            say("writing")
            _write_tables(connection, known, folder)
            connection.execute(f"USE {MADE}")
            _describe(connection, known, as_of)
            connection.execute("USE memory")
        connection.execute(f"DETACH {MADE}")
    shutil.rmtree(work)
    if built.failed:
        (folder / DATABASE).unlink()
    else:
        _write_manifest(built, told)
    return built


# --- what the queries find ------------------------------------------------------------------------------------------


def prepare(
    connection: duckdb.DuckDBPyConnection,
    known: Contracts,
    as_of: date,
    staged: Sequence[Staged],
) -> None:
    """Sets the as-of date, the macros, the code lists and the staged payloads."""
    connection.execute(f"SET VARIABLE as_of = DATE '{as_of}'")
    title = "|".join(NOT_RESULTS_TITLES)
    connection.execute(f"SET VARIABLE not_results_title = {quote(title)}")
    connection.execute(f"SET VARIABLE study_design_ending = {quote(STUDY_DESIGN_ENDING)}")
    given = (f"'{name}': {_literal(value)}" for name, value in contract_files.parameters().items())
    connection.execute(f"SET VARIABLE parameter = {{{', '.join(given)}}}")
    connection.execute(dates.SQL_MACROS + queries.macros())
    for name, codes in known.vocabularies.items():
        _fill(connection, f"vocabulary_{name}", list(codes.values()))
    for column in ("runs", "never_ran"):
        connection.execute(
            f"ALTER TABLE vocabulary_recruitment_status ALTER {column} TYPE BOOLEAN USING nullif({column}, '')::BOOLEAN"
        )
    _fill(connection, "source_terms", [_terms(s) for s in known.sources.values()])
    for column, type_ in (("redistributable", "BOOLEAN"), ("cadence_days", "BIGINT"), ("expected_most", "BIGINT")):
        connection.execute(f"ALTER TABLE source_terms ALTER {column} TYPE {type_} USING nullif({column}, '')::{type_}")
    for of in ("sponsor", "title", "outcome"):
        words = [r["word"] for r in contract_files.reference("common_words") if r["of"] == of]
        connection.execute(f"SET VARIABLE common_{of}_words = [{', '.join(map(quote, words))}]")
    types = contract_files.reference("publication_types")
    excluded = [t for t in types if t["is_results_excluded"] == "true"]
    numbers, labels = [t["ui"] for t in excluded if t["ui"]], [t["label"].lower() for t in excluded]
    connection.execute(
        f"SET VARIABLE excluded_types = {{'numbers': {_literal(numbers)}, 'labels': {_literal(labels)}}}"
    )
    _fill(connection, "trial_report_types", [t for t in types if t["is_trial_report"] == "true"])
    _fill(connection, "country_list", _country_spellings())
    mapped = sponsors.mappings()
    _fill(connection, "sponsor_mappings", mapped)
    _fill(connection, "supporter_list", sponsors.supporters(mapped))
    connection.execute(contests.TABLE)
    connection.execute(f"CREATE TABLE cited_pmids AS FROM ({cited_pmids(staged)}) ORDER BY pmid")
    staging.register(connection, staged)
    ((records,),) = connection.sql("SELECT count(*) FROM staged_registrations").fetchall()
    connection.execute(f"SET VARIABLE slices = {1 + records // SLICE}")


def _fill(connection: duckdb.DuckDBPyConnection, name: str, rows: Sequence[Mapping[str, str]]) -> None:
    columns = list(rows[0])
    connection.execute(f"CREATE TABLE {name} ({', '.join(f'{c} VARCHAR' for c in columns)})")
    # One statement: `executemany` takes one a row, and imports pandas for it.
    values = ", ".join(f"({', '.join('NULL' if r[c] is None else quote(r[c]) for c in columns)})" for r in rows)
    connection.execute(f"INSERT INTO {name} VALUES {values}")


def _country_spellings() -> list[dict[str, str]]:
    return [
        {"spelling": spelling, "name": row["name"]}
        for row in contract_files.reference("countries")
        for spelling in (row["name"], *filter(None, row["spellings"].split(";")))
    ]


def _terms(source: contract_files.Source) -> dict[str, str]:
    names = ("title", "kind", "publisher", "url", "licence", "terms", "attribution")
    return {
        "source": source.code,
        **{n: getattr(source, n) for n in names},
        "redistributable": str(source.redistributable).lower(),
        "registry": source.registry or "",
        "cadence_days": str(source.cadence_days),
        "expected_most": str(source.max_records or ""),
    }


# --- running the graph ----------------------------------------------------------------------------------------------


def run_queries(
    connection: duckdb.DuckDBPyConnection,
    data: Path,
    as_of: date,
    say: Callable[[str], None] = _silent,
    overrides: Mapping[str, str] | None = None,
    profile: str = "",
    into: str = "",
) -> list[ledger.Event]:
    """Makes every relation in order; returns the ledger's new events.

    into: an attached database for the published tables; steps on the way then go once nothing needs them.
    """
    events: list[ledger.Event] = []
    connection.execute(f"SET VARIABLE profile = {quote(profile)}")
    every = queries.all_queries(overrides, profile)
    going = queries.needed_last(every) if into else {}
    schema = f"{into}.main" if into else "main"
    for query in every:
        if query.name == "trial_members":
            say("identity")
            events = trials.trial_members(connection, data, as_of)
        elif query.name == "fetch_attempts":
            attempts.load(connection, data, as_of)
        elif query.name == "given_up_snapshots":
            snapshots.load_given_up(connection, data, as_of)
        elif query.name == "status_history":
            history.load(connection, data, as_of)
        elif query.name == "ledger":
            _make(
                connection, contracts().tables["ledger"], trials.ledger_query(connection, data, as_of, events), schema
            )
        elif query.name == "number_forms":
            trials.number_forms(connection)
        elif query.name == "placeholder_numbers":
            trials.placeholder_numbers(connection)
        elif query.name == "corrected_registrations":
            adjudications.correct(connection, as_of)
        elif query.name not in queries.STEPS:
            run_query(connection, query, schema)
        for name in going.get(query.name, ()):
            connection.execute(f'DROP TABLE IF EXISTS memory.main."{name}"')
    return events


def run_query(connection: duckdb.DuckDBPyConnection, query: Query, schema: str = "main") -> None:
    """Runs one query into the relation of its name. Raises DataError where a published table lacks a column.

    schema: where published tables are made.

    The legs of a policy are a view until they are written: they are wide, and a status needs little of them.
    """
    if query.policy:
        # The view is read when other policies have had their turn, so the name of its parameters is its own.
        own = f"getvariable({quote(query.name)})"
        sql = query.sql.replace("getvariable('policy')", own)
        connection.execute(f"SET VARIABLE {query.name} = {_parameters(query.policy)}")
        table = contracts().tables[query.name]
        _complete(connection, table, sql)
        names = ", ".join(f'"{c}"' for c in table.column_names)
        connection.execute(f'CREATE VIEW "{query.name}" AS SELECT {names} FROM ({sql})')
    elif query.is_published:
        _make(connection, contracts().tables[query.name], query.sql, schema)
    elif query.is_view:
        connection.execute(f'CREATE VIEW "{query.name}" AS {query.sql}')
    elif "in_slice(" in query.sql:
        store.create_in_slices(connection, query.name, query.sql)
    else:
        connection.execute(f'CREATE TABLE "{query.name}" AS {query.sql}')


def _make(connection: duckdb.DuckDBPyConnection, table: Table, sql: str, schema: str) -> None:
    """Fills a published table in its order."""
    _complete(connection, table, sql)
    connection.execute(contract_files.ddl(table, schema))
    try:
        connection.execute(f'INSERT INTO {schema}."{table.name}" {in_order(table, sql)}')
    except duckdb.ConstraintException as error:
        raise DataError(f"Table {table.name}: a required value is missing ({str(error).splitlines()[0]}).") from None


def in_order(table: Table, sql: str) -> str:
    """The rows of `sql` in the columns and the order of the table."""
    names = ", ".join(f'"{c}"' for c in table.column_names)
    order = ", ".join(f'"{c}"' for c in table.order)
    return f"SELECT {names} FROM ({sql}) ORDER BY {order}"


def _complete(connection: duckdb.DuckDBPyConnection, table: Table, sql: str) -> None:
    """Raises DataError where a query does not give the columns of its table."""
    result = validation.check_columns(table, connection.sql(sql).columns)
    if result.outcome == "failed":
        raise DataError(complaint([result]))


def _parameters(policy: Policy) -> str:
    """The parameters of the policy file as an SQL struct; a policy's SQL knows it as getvariable('policy')."""
    items = [f"'id': {quote(policy.id)}", f"'version': {quote(policy.version)}"]
    items += [f"'{name}': {_literal(value)}" for name, value in policy.parameters.items()]
    return f"{{{', '.join(items)}}}"


def _literal(value: Any) -> str:
    if isinstance(value, list):  # of texts, also where it is empty
        return f"[{', '.join(map(_literal, value))}]::VARCHAR[]"
    if isinstance(value, date):
        return f"DATE '{value}'"
    return quote(value) if isinstance(value, str) else str(value)


# --- checking and writing -------------------------------------------------------------------------------------------


def keep_legs(connection: duckdb.DuckDBPyConnection, known: Contracts, into: str) -> None:
    """Computes every policy's legs once: as views they would be computed anew by each of dozens of checks."""
    for policy in known.policies.values():
        _make(connection, known.tables[policy.table], f'FROM memory.main."{policy.table}"', f"{into}.main")
        connection.execute(f'DROP VIEW memory.main."{policy.table}"')


def _check(connection: duckdb.DuckDBPyConnection, known: Contracts) -> list[Result]:
    """Checks every published table, then writes what came of it as the table validation_results and checks that too."""
    tables = [t for t in known.tables.values() if not t.about_run]
    # Great Expectations works in Python and the queries do not: at the same time they use both cores.
    with connection.cursor() as other, ThreadPoolExecutor(1) as aside:
        other.execute(BOTH)
        suites = aside.submit(lambda: list(validation.run_suites(other, tables, known)))
        results = [r for t in tables for r in validation.check_table(connection, t, known)]
        results += suites.result()
    about_run = known.tables["validation_results"]
    connection.execute(contract_files.ddl(about_run, f"{MADE}.main"))
    _insert_results(connection, results)
    own = [
        *validation.check_table(connection, about_run, known),
        *validation.run_suites(connection, [about_run], known),
    ]
    _insert_results(connection, own)
    return [*results, *own]


def _insert_results(connection: duckdb.DuckDBPyConnection, results: Iterable[Result]) -> None:
    store.insert(connection, "validation_results", [astuple(r) for r in results])


def complaint(failed: Sequence[Result]) -> str:
    """The sentence that says which check stopped a build."""
    first = failed[0]
    what = f"{first.table_name}: {first.check_name} ({first.description})"
    examples = f", for example {first.examples}" if first.examples else ""
    more = f" {len(failed) - 1} more checks failed." if len(failed) > 1 else ""
    return (
        f"The build stopped: a check failed in table {what}, {first.violations:,} violation(s){examples}.{more} "
        "The last good build is untouched."
    )


def _write_tables(connection: duckdb.DuckDBPyConnection, known: Contracts, out: Path) -> None:
    """Writes every table. Nothing but its rows decides its bytes: a table that did not change is the same file."""
    for table in known.tables.values():
        stamp = {"title": table.title, "meaning": table.meaning, "grain": table.grain}
        # Tables lie in their order as they were made; what is about the run is small, and grows as the run goes on.
        rows = in_order(table, f'FROM "{table.name}"') if table.about_run else f'FROM "{table.name}"'
        store.write_parquet(connection, rows, out / f"{table.name}.parquet", stamp)


def write_database(known: Contracts, as_of: date, folder: Path, settings: Settings) -> None:
    """One self-contained DuckDB file of the Parquet files in `folder`: every table with its comments, and the views for
    the common questions. The same rows give the same file, with settings of one thread; for that it is larger.
    """
    with store.connect(threads=settings.threads, memory_limit=settings.memory_limit, spill=folder) as connection:
        connection.execute(f"SET disabled_compression_methods = {quote(UNEVEN_COMPRESSION)}")
        store.attach_new(connection, folder / DATABASE, MADE)
        connection.execute(f"USE {MADE}")
        for table in known.tables.values():
            connection.execute(contract_files.ddl(table))
            names = ", ".join(f'"{c}"' for c in table.column_names)
            parquet = quote(str(folder / f"{table.name}.parquet"))
            connection.execute(f'INSERT INTO "{table.name}" ({names}) SELECT {names} FROM read_parquet({parquet})')
        _describe(connection, known, as_of)
        connection.execute("USE memory")
        connection.execute(f"DETACH {MADE}")


def _describe(connection: duckdb.DuckDBPyConnection, known: Contracts, as_of: date) -> None:
    """Adds to the tables of the database in use what makes it explain itself: comments, and the views."""
    for table in known.tables.values():
        for comment in contract_files.comments(table):
            connection.execute(comment)
    add_views(connection, known, as_of)


def add_views(connection: duckdb.DuckDBPyConnection, known: Contracts, as_of: date) -> None:
    """Adds the views and the finding macros of the warehouse to its tables."""
    for name, (meaning, sql) in views(known, as_of).items():
        connection.execute(f"CREATE VIEW {name} AS {sql}")
        connection.execute(f"COMMENT ON VIEW {name} IS {quote(meaning)}")
    for macro in queries.finders():
        connection.execute(macro)


def views(known: Contracts, as_of: date) -> dict[str, tuple[str, str]]:
    """The views of the warehouse: name -> (meaning, query)."""
    return {
        "status_evidence": (
            "Every criterion of every policy for every trial: value, outcome (empty: unknown), and where it was read.",
            queries.status_evidence(known),
        ),
        "reporting_lateness": (
            f"Days late on the as-of date {as_of}, at least and at most, for whatever is due: reported or missing.",
            f"""SELECT trial_id, policy, status, due_earliest, due_latest,
                CASE WHEN status_group <> 'due, missing' THEN days_late_min
                     -- A submission that was withdrawn came no later than its day.
                     WHEN first_submitted IS NOT NULL THEN greatest(0, date_diff('day', due_latest, first_submitted))
                     ELSE date_diff('day', due_latest, DATE '{as_of}') END AS days_late_min,
                CASE WHEN status_group = 'due, missing' THEN date_diff('day', due_earliest, DATE '{as_of}')
                     ELSE days_late_max END AS days_late_max
            FROM reporting_status
            WHERE status_group IN ('due, missing', 'due, reported', 'due, submitted')""",
        ),
        "reporting_summary": (
            "Per policy: trials by group, reported share of due trials, bounds by what cannot be judged. Unit: trial.",
            """SELECT policy, count(*) AS trials,
                count(*) FILTER (WHERE status_group LIKE 'due,%') AS due,
                count(*) FILTER (WHERE status_group = 'due, reported') AS reported,
                count(*) FILTER (WHERE status_group = 'due, submitted') AS submitted,
                count(*) FILTER (WHERE status_group = 'due, missing') AS missing,
                count(*) FILTER (WHERE status_group = 'cannot judge') AS cannot_judge,
                count(*) FILTER (WHERE status_group = 'pending') AS pending,
                count(*) FILTER (WHERE status_group = 'reported early') AS reported_early,
                count(*) FILTER (WHERE status_group = 'outside') AS outside,
                reported / nullif(due, 0) AS reported_share,
                reported / nullif(due + cannot_judge, 0) AS reported_share_low,
                (reported + cannot_judge) / nullif(due + cannot_judge, 0) AS reported_share_high
            FROM reporting_status GROUP BY policy""",
        ),
        "penalty_estimates": (
            "An upper bound that nobody has been fined: a law's daily amount for the days certainly past the grace.",
            queries.penalty_estimates(known),
        ),
        "supporter_record": (
            "How those who signed the AllTrials petition report the trials that they lead, per supporter and policy.",
            """SELECT p.supporter, p.sponsor_id, c.policy, c.trials, c.due, c.reported_on_time, c.reported_late,
                c.reported_undated, c.submitted, c.missing, c.cannot_judge, c.reported_share, c.is_small
            FROM supporters AS p
            JOIN scorecards AS c ON c.unit_kind = 'sponsor_parent' AND c.unit_value = p.sponsor_id""",
        ),
        "link_counts": (
            "Links between trials and articles by evidence, tier and outcome of the results filter. Unit: link.",
            """SELECT array_to_string(evidence, ' + ') AS evidence, tier, filter_outcome, counts_as_results,
                count(*) AS links, count(DISTINCT trial_id) AS trials, count(DISTINCT pmid) AS articles
            FROM trial_publications GROUP BY ALL""",
        ),
        "article_identifiers": (
            "An article by PMID, DOI or PMC number, and its trials. In any spelling: FROM find_article('...').",
            """SELECT n.identifier, n.kind, n.pmid, t.trial_ids
            FROM (
                SELECT CAST(pmid AS VARCHAR) AS identifier, 'pmid' AS kind, pmid FROM publications
                UNION ALL SELECT lower(doi), 'doi', pmid FROM publications WHERE doi IS NOT NULL
                UNION ALL SELECT lower(pmcid), 'pmcid', pmid FROM publications WHERE pmcid IS NOT NULL
                UNION ALL
                SELECT DISTINCT CAST(pmid AS VARCHAR), 'pmid', pmid FROM trial_publications WHERE NOT is_loaded
            ) AS n
            LEFT JOIN (
                SELECT pmid, list(trial_id ORDER BY trial_id) AS trial_ids FROM trial_publications GROUP BY pmid
            ) AS t USING (pmid)""",
        ),
    }


def _build_id(
    as_of: date,
    staged: Sequence[Staged],
    data: Path,
    events: Sequence[ledger.Event],
    decisions: Sequence[Adjudication | Contest],
    told: Sequence[str],
) -> str:
    """The as-of date and a short hash of all inputs: raw archive and what was given up of it, ledger and status history
    as they will be, adjudications and contests, the last attempts at fetching, code."""
    digest = hashlib.sha256(contract_files.fingerprint([ROOT / "pipelines", SCHEMAS]).encode())
    for one in staged:
        missed = "" if one.is_read else " not read"  # what a later build can read makes another build
        line = f"{one.snapshot.source}/{one.snapshot.id}/{one.payload.name} {one.payload.sha256}{missed}\n"
        digest.update(line.encode())
    gone = snapshots.given_up(data, as_of)
    for item in (*ledger.read(data, as_of), *events, *decisions, *told, *attempts.last(data, as_of), *gone):
        digest.update(f"{item}\n".encode())
    return f"{as_of}-{digest.hexdigest()[:10]}"


def publish(data: Path, built: Built) -> Built:
    """Appends to the ledger and the status history, puts the build under its name and switches the warehouse to it.

    A build of a date before the ledger's last event appends nothing: later builds have already named what it names.
    A build under a profile is put beside the others and nothing else.
    """
    if not built.profile:
        last = ledger.last_date(data)
        if last is None or built.as_of >= last:
            ledger.append(data, built.events)
    history.publish(data, built.as_of, built.folder, built.profile)
    if built.profile:
        return replace(built, folder=_placed(built, data / "builds" / f"{built.id}-{built.profile}"))
    target = _placed(built, data / "builds" / built.id)
    store.switch(data / "warehouse", target)
    return replace(built, folder=target)


def _placed(built: Built, target: Path) -> Path:
    if not target.exists():
        built.folder.rename(target)
    return target


def _write_manifest(built: Built, told: Sequence[str]) -> None:
    """What the build was made of, and the hash of each table (those about the run apart).

    told: the hash of every entry of the status history, this build's own included.
    """
    tables = [t.name for t in contracts().tables.values() if not t.about_run]
    spec = {
        "build": built.id,
        "profile": built.profile or None,
        "as_of": built.as_of.isoformat(),
        "payloads": [{key: str(p[key]) for key in ("source", "snapshot", "payload", "sha256")} for p in built.payloads],
        "status_history": hashlib.sha256("\n".join(told).encode()).hexdigest(),
        "tables": {name: snapshots.sha256_of(built.folder / f"{name}.parquet") for name in tables},
    }
    store.write_json(built.folder / "manifest.json", spec)


def _summary(
    connection: duckdb.DuckDBPyConnection,
    identifier: str,
    as_of: date,
    folder: Path,
    staged: Sequence[Staged],
    events: Sequence[ledger.Event],
    results: list[Result],
) -> Built:
    def rows(sql: str) -> list[tuple[Any, ...]]:
        return connection.sql(sql).fetchall()

    counts = {name: rows(f'SELECT count(*) FROM "{name}"')[0][0] for name in contracts().tables}
    statuses: dict[str, Counter[str]] = {}
    for table, name in (("registration_status", "rule"), ("reporting_status", "policy")):
        for policy, status, number in rows(f"SELECT {name}, status, count(*) FROM {table} GROUP BY ALL"):
            statuses.setdefault(policy, Counter())[status] = number
    account = connection.sql("FROM payloads ORDER BY source, snapshot, payload")
    payloads = [dict(zip(account.columns, row, strict=True)) for row in account.fetchall()]
    rejected = rows(
        """SELECT record, reason FROM rejected_records WHERE scope = 'payload'
        -- A file that came again, or whose year is past, is missed no more.
            AND (source <> 'pubmed' OR (snapshot, payload) NOT IN (
                SELECT (snapshot, payload) FROM article_files WHERE is_replaced))
        ORDER BY ALL"""
    )
    rejects = dict(rows("SELECT scope, sum(times) FROM rejected_records GROUP BY scope"))
    return Built(
        id=identifier,
        as_of=as_of,
        folder=folder,
        events=events,
        counts=counts,
        statuses=statuses,
        payloads=payloads,
        rejects={scope: int(n) for scope, n in rejects.items()},
        left_out=[*_held_back(connection), *(f"{record}: {reason}" for record, reason in rejected)],
        results=results,
        notes=[
            *(note for item in staged for note in item.report.notes),
            *_baseline_gaps(connection),
            *_baseline_change(connection),
            *contests.unknown_numbers(connection),
        ],
    )


def _held_back(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Files of PubMed that wait for another one: each by name, or the first one of many."""
    found = connection.sql(
        """SELECT list(payload ORDER BY file_number, payload), waits_for FROM article_files
        WHERE NOT is_applied GROUP BY file_year, waits_for ORDER BY file_year, waits_for"""
    ).fetchall()
    return [
        f"{name}: waits for the file n{awaited:04d} of its year, which is missing or could not be read"
        for files, awaited in found
        for name in (files if len(files) <= NAMED else [f"{files[0]} and {len(files) - 1:,} more files"])
    ]


def _baseline_change(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """What the newest yearly baseline changed, in one sentence."""
    found = connection.sql(
        """SELECT file_year, count(*) FILTER (WHERE change = 'gone'),
            count(*) FILTER (WHERE change = 'gone' AND is_cited), count(*) FILTER (WHERE change = 'new'),
            count(*) FILTER (WHERE change = 'altered'), sum(len(trials_lost)), sum(len(trials_gained))
        FROM baseline_changes GROUP BY file_year"""
    ).fetchall()
    return [
        f"the baseline of 20{year:02d} changed the articles: {gone:,} gone ({cited:,} of them cited by registries), "
        f"{new:,} new, {altered:,} altered; their links to trials: {lost:,} lost, {gained:,} gained"
        for year, gone, cited, new, altered, lost, gained in found
    ]


def _baseline_gaps(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Numbers that a baseline imported in part lacks below its highest: noted, and no obstacle."""
    found = connection.sql(
        """SELECT file_year, max(file_number), count(DISTINCT file_number) FROM article_files
        WHERE in_baseline AND last_of_baseline IS NULL GROUP BY file_year ORDER BY file_year"""
    ).fetchall()
    return [
        f"the baseline of 20{year:02d} is loaded in part: {files:,} of its first {highest:,} files"
        for year, highest, files in found
        if files < highest
    ]
