"""What must be whole at any time, whatever has happened to the process that writes: the warehouse, the raw archive, the
ledger. Does not belong here: what it must say."""

from pathlib import Path

from pipelines import snapshots, store
from pipelines.contracts import contracts


def warehouse(data: Path) -> tuple[str, dict[str, str]]:
    """The current build and the hash of each of its tables, all of them there as its manifest says, its database too."""
    folder = (data / "warehouse").resolve()
    names = [t.name for t in contracts().tables.values() if not t.about_run]
    made = {name: snapshots.sha256_of(folder / f"{name}.parquet") for name in names}
    assert store.read_json(folder / "manifest.json")["tables"] == made
    with store.open_warehouse(data) as connection:
        tables = {name for (name,) in connection.sql("SELECT table_name FROM duckdb_tables()").fetchall()}
        assert tables == set(contracts().tables)
        assert connection.sql("SELECT count(*) > 0 FROM registrations").fetchall() == [(True,)]
    return folder.name, made


def archive(data: Path) -> set[str]:
    """The snapshots, each of which holds what its manifest says."""
    found = set()
    for snapshot in snapshots.listed(data):
        assert [snapshots.sha256_of(snapshot.path(p)) for p in snapshot.payloads] == [
            p.sha256 for p in snapshot.payloads
        ]
        assert {p.name for p in snapshot.folder.iterdir()} == {snapshots.MANIFEST, *(p.name for p in snapshot.payloads)}
        found.add(f"{snapshot.source}/{snapshot.id}")
    return found


def ledger(data: Path) -> dict[str, str]:
    """The files of the ledger, by name, with their hashes; without the attempts at sources, one more for each night."""
    folder = data / "ledger"
    found = [p for p in folder.rglob("*") if p.is_file() and not p.name.endswith(store.PART)]
    return {str(path.relative_to(folder)): snapshots.sha256_of(path) for path in found if path.stem != "attempts"}


def leftovers(data: Path) -> list[str]:
    """What is not complete and lies about. A round of fetching may be under way; what it holds is its own."""
    found = (path.relative_to(data) for path in data.rglob(f"*{store.PART}"))
    return sorted(str(path) for path in found if path.parts[0] != "fetch")
