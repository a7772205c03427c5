"""The comparison of a reviewer's list: the trials of a condition in which no results were found, as small files.

Belongs here: the shards in which a condition leads to its completed trials without results in the sources searched.
Does not: numbers and explanations (`lookup`), and the comparison, which happens in the browser (`static/list.js`).

A shard is one gzip file of JSON, named as those of `lookup` by the key of the condition: key -> {`condition`, `total`,
`trials`: [id, title, sponsor, enrolment, its kind, completion, interventions], the largest first}. A condition has two
keys: the words it is known by and its MeSH term.
"""

import json
from collections import defaultdict
from pathlib import Path

import duckdb

from pipelines.site import shards, spelling

TRIALS_A_CONDITION = 400
"""Trials of one condition at most; the release has all of them."""
COMMON = 300

_LISTED = f"""
WITH missing AS (
    SELECT t.trial_id, t.title, t.sponsor, t.enrolment, t.enrolment_type, s.completed_latest
    FROM trial_standings AS s JOIN trials AS t USING (trial_id)
    WHERE s.completion = 'completed' AND s.results = 'none_found'
), given AS (
    SELECT trial_id, list(DISTINCT intervention ORDER BY intervention)[1:6] AS interventions
    FROM interventions SEMI JOIN missing USING (trial_id) GROUP BY trial_id
), studied AS (
    SELECT DISTINCT trial_id, concept, mesh_term FROM conditions WHERE concept IS NOT NULL
), listed AS (
    SELECT
        c.concept, max(c.mesh_term) AS mesh_term, count(DISTINCT trial_id) AS total,
        list(json_array(
            trial_id, title, sponsor, enrolment, enrolment_type, completed_latest, coalesce(interventions, []))
            ORDER BY enrolment DESC NULLS LAST, trial_id)[1:{TRIALS_A_CONDITION}] AS trials
    FROM missing JOIN studied AS c USING (trial_id) LEFT JOIN given USING (trial_id)
    GROUP BY c.concept
)
"""


def shard_count(connection: duckdb.DuckDBPyConnection) -> int:
    """The power of two that gives each shard as many trials as one condition can have, on average."""
    (entries,) = connection.execute(f"{_LISTED} SELECT coalesce(sum(len(trials)), 0) FROM listed").fetchone() or (0,)
    return shards.count(entries, TRIALS_A_CONDITION)


def common(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """The conditions with the most such trials, to choose from."""
    rows = connection.execute(
        f"{_LISTED} SELECT coalesce(mesh_term, concept) FROM listed ORDER BY total DESC, concept LIMIT {COMMON}"
    )
    return [name for (name,) in rows.fetchall()]


def write_shards(connection: duckdb.DuckDBPyConnection, count: int, folder: Path) -> None:
    folder.mkdir(parents=True)
    filed: dict[int, dict[str, str]] = defaultdict(dict)
    rows = connection.execute(
        f"""{_LISTED} SELECT concept, mesh_term, CAST(to_json({{
            'condition': coalesce(mesh_term, concept), 'total': total, 'trials': trials}}) AS VARCHAR)
        FROM listed ORDER BY concept"""
    ).fetchall()
    for concept, mesh_term, content in rows:
        for key in {spelling.key(concept), spelling.key(mesh_term or concept)}:
            filed[shards.shard_of(key, count)][key] = content
    for shard in range(count):
        told = ",".join(f"{json.dumps(key)}:{content}" for key, content in sorted(filed[shard].items()))
        shards.write(folder, shard, f"{{{told}}}".encode())
