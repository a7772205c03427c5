"""The status history: what each published build said of every trial, beside the ledger of trial ids and like it only
ever added to.

Here stand its files: one per build that told anything new or of a later day, with only the trials whose state changed.
Which those are is `sql/parts/status_news.sql`, what it means `sql/status_transitions.sql`.
"""

import shutil
from datetime import date
from pathlib import Path

import duckdb

from pipelines import snapshots, store

NEWS = "status_news.parquet"
"""What a build that is not published yet would add."""

_COLUMNS = """trial_id VARCHAR,
    records STRUCT(registration_id VARCHAR, source VARCHAR, part VARCHAR, content VARCHAR, is_gone BOOLEAN)[],
    articles VARCHAR, statuses STRUCT(policy VARCHAR, status VARCHAR, rule_version VARCHAR)[]"""


def entries(data: Path, as_of: date = date.max) -> list[tuple[int, date, Path]]:
    """Number, as-of date and file of every entry up to `as_of`, in the order in which they were added."""
    found = sorted((data / "ledger" / "status").glob("[0-9]*.parquet"))
    numbered = ((int(path.stem[:6]), date.fromisoformat(path.stem[7:]), path) for path in found)
    return [entry for entry in numbered if entry[1] <= as_of]


def load(connection: duckdb.DuckDBPyConnection, data: Path, as_of: date) -> None:
    """Makes the entries up to `as_of` available: history_entries, and status_history with the states they hold."""
    known = entries(data, as_of)
    connection.execute("CREATE TABLE history_entries (number INTEGER, as_of DATE, file VARCHAR)")
    store.insert(connection, "history_entries", [(number, day, str(path)) for number, day, path in known])
    connection.execute(f"CREATE TABLE status_history (number INTEGER, as_of DATE, {_COLUMNS})")
    if known:
        files = store.parquet_list([path for *_, path in known])
        connection.execute(
            f"""INSERT INTO status_history
            SELECT e.number, e.as_of, h.trial_id, h.records, h.articles, h.statuses
            FROM read_parquet({files}, filename = 'file', hive_partitioning = false) AS h
            JOIN history_entries AS e USING (file)"""
        )


def write_news(connection: duckdb.DuckDBPyConnection, data: Path, as_of: date, folder: Path) -> list[str]:
    """Writes what the build would add into its folder, if anything; returns the hash of every entry as they will be."""
    known = entries(data, as_of)
    rows = connection.execute("SELECT count(*) FROM status_news").fetchall()[0][0]
    hashes = [snapshots.sha256_of(path) for *_, path in known]
    if not rows and any(day == as_of for _, day, _ in known):
        return hashes
    store.write_parquet(connection, "FROM status_news ORDER BY trial_id", folder / NEWS)
    return [*hashes, snapshots.sha256_of(folder / NEWS)]


def publish(data: Path, as_of: date, folder: Path, profile: str) -> None:
    """Adds the news of a build to the history, and takes them out of the build's folder.

    A build of a day before the last entry adds nothing, and neither does one under a profile.
    """
    news = folder / NEWS
    known = entries(data)
    if news.exists() and not profile and (not known or as_of >= known[-1][1]):
        with store.whole(data / "ledger" / "status" / f"{len(known) + 1:06d}-{as_of}.parquet") as aside:
            shutil.copyfile(news, aside)
    news.unlink(missing_ok=True)
