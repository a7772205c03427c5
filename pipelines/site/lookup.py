"""The look-up: any trial by any of its numbers, from static files, in one or two small requests.

Belongs here: the shards, in which a number leads to its trials and a trial to its explanation, and the words that the
page needs to tell it. Does not: the key of a number (`spelling`), and what the page makes of it (`static/find.js`).

A shard is one gzip file of JSON, named by the last bits of the CRC-32 of a key:
`numbers`: key -> [what it is, trial ids, how many there are, PMID], what it is being `own` (the trial's registration),
`stated` (its record states it), `past` (an id that was given up) or `article`;
`trials`: trial id -> what `trials.sql` gives. A trial lies in the shard of its own id.
"""

import contextlib
import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from pipelines.contracts import Contracts, Policy, contracts, quote
from pipelines.site import pages, reviewing, shards, spelling
from pipelines.site.pages import Site
from pipelines.site.sponsors import slug

TRIALS_A_SHARD = 75
"""So that a shard stays below 80 kB at any size of the world."""
TRIALS_AT_ONCE = 8_000
BUCKETS = 64
"""Trials that are told in memory at one time, some kilobytes each; and parts in which shards are put together."""
IDS_A_NUMBER = 50
"""Trials that one number leads to at most: a code such as `1` is stated by thousands."""

_RANKS = ("own", "stated", "past", "article")
_KEYS = f"""
SELECT shard, key, list(trial_id ORDER BY trial_id)[1:{IDS_A_NUMBER}], count(*), any_value(rank), any_value(pmid)
FROM (
    SELECT DISTINCT shard, key, rank, trial_id, min(pmid) OVER (PARTITION BY key) AS pmid
    FROM site_keys
    WHERE shard >= ? AND shard < ?
    QUALIFY rank = min(rank) OVER (PARTITION BY key))
GROUP BY shard, key
ORDER BY shard, key
"""


def write(connection: duckdb.DuckDBPyConnection, site: Site) -> None:
    """Writes the shards of a release and the two pages that read them, `find/` and `list/`. Shards lie in a folder of
    their release: a page that was opened before another release came finds none there, and not those of two."""
    trials, example = connection.execute("SELECT count(*), min(trial_id) FROM trials").fetchone() or (0, None)
    release = site.templates.globals["release"]
    count, lists = shards.count(trials, TRIALS_A_SHARD), reviewing.shard_count(connection)
    numbers_at, lists_at = f"find/shards/{release}/", f"list/shards/{release}/"
    known = words(connection, site, count)
    known |= {"numbers_at": numbers_at, "lists_at": lists_at, "lists": lists}
    for address, template in (("find/", "find.html"), ("list/", "list.html")):
        pages.page(site, address, template, words=known, example=example, common=reviewing.common(connection))
    write_shards(connection, count, site.out / numbers_at)
    reviewing.write_shards(connection, lists, site.out / lists_at)


# --- shards -----------------------------------------------------------------------------------------------------------


def write_shards(connection: duckdb.DuckDBPyConnection, count: int, folder: Path) -> None:
    """Writes every shard, empty ones too: a number that nobody has is a shard that does not hold it."""
    folder.mkdir(parents=True)
    _file_keys(connection, count)
    at_once = -(-count // BUCKETS)
    with tempfile.TemporaryDirectory(dir=folder) as spool:
        _tell_trials(connection, count, at_once, Path(spool))
        for bucket in range(-(-count // at_once)):
            bounds = (bucket * at_once, min((bucket + 1) * at_once, count))
            numbers = _by_shard(connection.execute(_KEYS, bounds).fetchall())
            trials = _by_shard(sorted(_told(Path(spool) / str(bucket))))
            for shard in range(*bounds):
                content = _shard(numbers.get(shard, []), trials.get(shard, []))
                shards.write(folder, shard, content)
    connection.execute("DROP TABLE site_keys")


def _tell_trials(connection: duckdb.DuckDBPyConnection, count: int, at_once: int, spool: Path) -> None:
    """Writes what is told of each trial as a line of its bucket's file, `at_once` shards to a file. Trials are told
    in the order of the tables, of which each is then read once, and not in that of the shards."""
    ids = _column(connection, "SELECT trial_id FROM trials ORDER BY trial_id")
    sponsors = _column(connection, "SELECT DISTINCT sponsor_id FROM trials WHERE sponsor_id IS NOT NULL ORDER BY 1")
    _register(connection, "site_sponsors", {"sponsor_id": sponsors, "slug": [slug(one) for one in sponsors]})
    query = _trials_query(contracts())
    with contextlib.ExitStack() as stack:
        files = [stack.enter_context((spool / str(n)).open("w", encoding="utf-8")) for n in range(BUCKETS)]
        for first in range(0, len(ids), TRIALS_AT_ONCE):
            _register(connection, "wanted", {"trial_id": ids[first : first + TRIALS_AT_ONCE]})
            for trial_id, trial in connection.execute(query).fetchall():
                shard = shards.shard_of(trial_id.lower(), count)
                files[shard // at_once].write(f"{shard}\t{trial_id}\t{trial}\n")
    connection.execute("DROP TABLE IF EXISTS wanted")
    connection.execute("DROP TABLE site_sponsors")


def _column(connection: duckdb.DuckDBPyConnection, query: str) -> list[str]:
    return [value for (value,) in connection.execute(query).fetchall()]


def _register(connection: duckdb.DuckDBPyConnection, name: str, columns: Mapping[str, list[str]]) -> None:
    """Makes a temporary table of texts."""
    arrays = [pa.array(values, pa.string()) for values in columns.values()]
    connection.register("rows_to_insert", pa.table(arrays, names=list(columns)))
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS FROM rows_to_insert")
    connection.unregister("rows_to_insert")


def _told(path: Path) -> Iterator[tuple[int, bytes, bytes]]:
    """The lines of a bucket's file, still encoded: gigabytes at world size, of which nothing is read here."""
    with path.open("rb") as lines:
        for line in lines:
            shard, trial_id, trial = line.rstrip(b"\n").split(b"\t")
            yield int(shard), trial_id, trial


def _by_shard(rows: Iterable[tuple[Any, ...]]) -> dict[int, list[tuple[Any, ...]]]:
    return {shard: [row[1:] for row in group] for shard, group in groupby(rows, key=lambda row: int(row[0]))}


def _shard(numbers: list[tuple[Any, ...]], trials: list[tuple[Any, ...]]) -> bytes:
    known = {key: [_RANKS[rank], ids, total, pmid] for key, ids, total, rank, pmid in numbers}
    first = json.dumps(known, separators=(",", ":"), ensure_ascii=False).encode()
    told = b",".join(json.dumps(trial_id.decode()).encode() + b":" + trial for trial_id, trial in trials)
    return b'{"numbers":' + first + b',"trials":{' + told + b"}}"


def _file_keys(connection: duckdb.DuckDBPyConnection, count: int) -> None:
    """Fills the temporary table site_keys: under which key a number leads to which trial, as in `explain.find`."""
    connection.execute(
        "CREATE TEMP TABLE site_keys (shard INTEGER, key VARCHAR, rank INTEGER, trial_id VARCHAR, pmid BIGINT)"
    )
    queries = (
        """SELECT DISTINCT number, written, if(kind IN ('registration', 'alias'), 0, 1) AS rank, trial_id,
            NULL::BIGINT AS pmid
        FROM identifiers ORDER BY ALL""",
        """SELECT number, number AS written, 2 AS rank, arg_max(trial_id, event_number) AS last_id, NULL::BIGINT AS pmid
        FROM ledger WHERE number NOT IN (SELECT number FROM identifiers) GROUP BY number
        HAVING last_id IN (SELECT trial_id FROM trials) ORDER BY ALL""",
        """SELECT identifier AS number, identifier AS written, 3 AS rank, unnest(trial_ids) AS trial_id, pmid
        FROM article_identifiers ORDER BY ALL""",
    )
    for query in queries:
        for rows in connection.execute(query).to_arrow_table().to_batches(max_chunksize=50_000):
            _insert_keys(connection, list(_keys(zip(*rows.to_pydict().values(), strict=True), count)))


def _keys(rows: Iterable[tuple[Any, ...]], count: int) -> Iterator[tuple[int, str, int, str, int | None]]:
    for number, written, rank, trial_id, pmid in rows:
        for key in sorted({spelling.key(one) for one in {number, written}} - {""}):
            yield shards.shard_of(key, count), key, rank, trial_id, pmid


def _insert_keys(connection: duckdb.DuckDBPyConnection, keys: list[tuple[int, str, int, str, int | None]]) -> None:
    names = ("shard", "key", "rank", "trial_id", "pmid")
    types = (pa.int32(), pa.string(), pa.int32(), pa.string(), pa.int64())
    columns = list(zip(*keys, strict=True)) or [()] * len(names)
    arrays = [pa.array(column, type_) for column, type_ in zip(columns, types, strict=True)]
    connection.register("rows_to_insert", pa.table(arrays, names=list(names)))
    connection.execute("INSERT INTO site_keys FROM rows_to_insert")
    connection.unregister("rows_to_insert")


def _trials_query(known: Contracts) -> str:
    verdicts = " UNION ALL ".join(map(_verdicts, known.of_kind("reporting")))
    query = Path(__file__).with_name("trials.sql").read_text(encoding="utf-8")
    collected = f"""WITH verdicts AS (
        SELECT trial_id, string_agg(verdict, ',' ORDER BY policy) AS verdicts FROM ({verdicts}) GROUP BY trial_id
    ),"""
    return query.replace("WITH", collected, 1)


def _verdicts(policy: Policy) -> str:
    """The verdicts under a policy with their evidence: each leg as [value, outcome, registration, field, proxy], in the
    order of the contract. Where a scope criterion puts the trial outside, only those that do."""
    legs = []
    for leg in policy.legs:
        told = (
            f"json_array(l.{leg.name}.value, l.{leg.name}.outcome, l.{leg.name}.registration_id, l.{leg.name}.field, "
        )
        told += f"l.{leg.name}.is_proxy)"
        shown = "s.status <> 'out_of_scope'" + (f" OR NOT l.{leg.name}.outcome" if leg.role == "scope" else "")
        legs.append(f"CASE WHEN {shown} THEN {told} END")
    return f"""
    SELECT s.trial_id, s.policy, CAST(json_object(
        'policy', s.policy, 'version', s.rule_version, 'status', s.status, 'earliest', s.status_earliest,
        'applies', s.applies, 'decided_by', s.decided_by, 'due_earliest', s.due_earliest, 'due_latest', s.due_latest,
        'late_min', d.days_late_min, 'late_max', d.days_late_max, 'public', s.public_date,
        'submitted', s.submitted_date, 'legs', json_array({", ".join(legs)})) AS VARCHAR) AS verdict
    FROM (FROM reporting_status SEMI JOIN wanted USING (trial_id) WHERE policy = {quote(policy.id)}) AS s
    JOIN (FROM {policy.table} SEMI JOIN wanted USING (trial_id)) AS l USING (trial_id)
    LEFT JOIN (FROM reporting_lateness SEMI JOIN wanted USING (trial_id)) AS d USING (trial_id, policy)"""


# --- words ------------------------------------------------------------------------------------------------------------


def words(connection: duckdb.DuckDBPyConnection, site: Site, count: int) -> dict[str, Any]:
    """What the page has to know before it asks for a shard: how numbers are spelt, how many shards there are, the
    release, whom to tell, and the words of the contracts for what stands in them."""
    known = contracts()
    found = connection.execute("SELECT source, title, state FROM sources ORDER BY source").fetchall()
    rungs = {column.name: column.description for column in known.tables["disclosure"].columns}
    return {
        **{name: site.templates.globals[name] for name in ("release", "contact", "response")},
        "as_of": site.as_of.isoformat(),
        "shards": count,
        "spelling": spelling.table(),
        "policies": {policy.id: _policy_words(policy) for policy in known.of_kind("reporting")},
        "rules": {policy.id: policy.title for policy in known.of_kind("registration")},
        "statuses": known.vocabularies["reporting_status"],
        "groups": _meanings(known, "status_group"),
        "verdicts": _meanings(known, "registration_verdict"),
        "kinds": _meanings(known, "identifier_kind"),
        "methods": _meanings(known, "link_method"),
        "link_reasons": _meanings(known, "link_reason"),
        "reasons": _meanings(known, "transition_reason"),
        "filters": _meanings(known, "filter_outcome"),
        "contest_reasons": known.vocabularies["contest_reason"],
        "contest_decisions": _meanings(known, "contest_decision"),
        "registries": {code: row["name"] for code, row in known.vocabularies["registries"].items()},
        "phases": {code: row["label"] for code, row in known.vocabularies["phase"].items()},
        "rungs": rungs,
        "sources": {source: {"title": title, "state": state} for source, title, state in found},
    }


def _policy_words(policy: Policy) -> Mapping[str, Any]:
    legs = [{"name": leg.name, "role": leg.role, "question": leg.question} for leg in policy.legs]
    return {"title": policy.title, "asks": policy.asks, "version": policy.version, "legs": legs}


def _meanings(known: Contracts, vocabulary: str) -> dict[str, str]:
    return {code: row["meaning"] for code, row in known.vocabularies[vocabulary].items()}
