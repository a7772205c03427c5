"""Whether a release is what it says it is: for whoever made it, and for whoever downloaded it.

Belongs here: checksums, numbers of rows, keys and references, judged by what lies in the folder alone, so that a
release of any age can be checked. Does not: what our contracts ask of a table today (`making`).
"""

import json
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import duckdb

from pipelines import build, snapshots, store
from pipelines.release import package, shelf
from pipelines.settings import Settings

SUMS = "SHA256SUMS"
PACKAGE = "datapackage.json"


def troubles(folder: Path, settings: Settings) -> list[str]:
    """What is wrong with the release in a folder, each in one sentence that names the file; nothing where it is
    whole. What the files say of each other is asked only where their bytes are right."""
    found = list(_wrong_bytes(folder))
    if found:
        return found
    resources = [r for r in store.read_json(folder / PACKAGE)["resources"] if "schema" in r]
    parquet = [r for r in resources if r["path"].endswith(".parquet")]
    with (
        tempfile.TemporaryDirectory() as spill,
        store.connect(threads=settings.threads, memory_limit=settings.memory_limit, spill=Path(spill)) as connection,
    ):
        for resource in parquet:
            path = store.literal(folder / resource["path"])
            connection.execute(
                f'CREATE VIEW "{resource["name"]}" AS FROM read_parquet({path}, hive_partitioning = false)'
            )
        told = {file["file"]: file.get("rows") for file in store.read_json(folder / shelf.MANIFEST)["files"]}
        for resource in resources:
            found += _wrong_rows(connection, folder, resource, told[resource["path"]])
        database = store.literal(folder / build.DATABASE)
        connection.execute(f"ATTACH {database} AS made (READ_ONLY)")
        for resource in parquet:
            found += _other_rows(connection, resource["name"])
    return found


# --- bytes ----------------------------------------------------------------------------------------------------------


def _wrong_bytes(folder: Path) -> Iterator[str]:
    for name in (shelf.MANIFEST, SUMS):
        if not (folder / name).is_file():
            yield f"{name} is missing in {folder}: this is no release, or not all of it."
            return
    sums = _sums(folder)
    there = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()} - {SUMS}
    yield from (f"{name}: is missing; download it again." for name in sorted({*sums} - there))
    yield from (f"{name}: is no part of the release." for name in sorted(there - {*sums}))
    actual = {name: snapshots.sha256_of(folder / name) for name in sorted(there & {*sums})}
    wrong = [name for name, sha256 in actual.items() if sha256 != sums[name]]
    for name in wrong:
        yield f"{name}: its SHA-256 is {actual[name]}, and {SUMS} says {sums[name]}; download both again."
    if shelf.MANIFEST not in wrong and shelf.MANIFEST in actual:
        yield from _wrong_manifest(folder, actual[shelf.MANIFEST])


def _sums(folder: Path) -> dict[str, str]:
    text = (folder / SUMS).read_bytes().decode("utf-8", "replace")
    parts = (line.partition("  ") for line in text.splitlines())
    return {name: sha256 for sha256, _, name in parts if name}


def _wrong_manifest(folder: Path, sha256: str) -> Iterator[str]:
    """The checksums have to be those of the manifest, and the manifest that which `releases.json` names beside it."""
    files = json.loads((folder / shelf.MANIFEST).read_text(encoding="utf-8"))["files"]
    listed = [(file["file"], file["sha256"]) for file in files]
    if (folder / SUMS).read_bytes() != package.checksums([*listed, (shelf.MANIFEST, sha256)]).encode():
        yield f"{SUMS}: does not say what {shelf.MANIFEST} says; download both again."
    for file in files:
        path = folder / file["file"]
        if path.is_file() and path.stat().st_size != file["bytes"]:
            yield f"{file['file']}: has {path.stat().st_size:,} bytes, and {shelf.MANIFEST} says {file['bytes']:,}."
    index = folder.parent / shelf.INDEX
    if index.is_file():
        known = {entry["release"]: entry["manifest_sha256"] for entry in store.read_json(index)["releases"]}
        if known.get(folder.name, sha256) != sha256:
            yield f"{shelf.MANIFEST}: is not the one that {shelf.INDEX} beside the folder names."


# --- rows -----------------------------------------------------------------------------------------------------------


def _wrong_rows(
    connection: duckdb.DuckDBPyConnection, folder: Path, resource: Mapping[str, Any], told: int
) -> Iterator[str]:
    path, table = resource["path"], f'"{resource["name"]}"'
    is_csv = path.endswith(".csv")
    rows = _count(connection, f"FROM {_csv(folder / path) if is_csv else table}")
    if rows != told:
        yield f"{path}: has {rows:,} rows, and {shelf.MANIFEST} says {told:,}."
    if is_csv:
        return
    key = ", ".join(f'"{k}"' for k in resource["schema"]["primaryKey"])
    if again := _count(connection, f"FROM (SELECT {key} FROM {table} GROUP BY ALL HAVING count(*) > 1)"):
        yield f"{path}: {again:,} keys ({key}) stand there more than once."
    for reference in resource["schema"].get("foreignKeys", ()):
        (column,), (other,) = reference["fields"], reference["reference"]["fields"]
        target = reference["reference"]["resource"]
        missing = f'FROM {table} AS a ANTI JOIN "{target}" AS b ON a."{column}" = b."{other}"'
        if lost := _count(connection, f'{missing} WHERE a."{column}" IS NOT NULL'):
            yield f"{path}: {lost:,} rows have a {column} that {target} does not know."


def _csv(path: Path) -> str:
    """Every value as text: only rows are counted."""
    return f"read_csv({store.literal(path)}, header = true, all_varchar = true, delim = ',', quote = '\"')"


def _other_rows(connection: duckdb.DuckDBPyConnection, table: str) -> Iterator[str]:
    """The DuckDB file holds the rows of the Parquet file."""
    read = f'SELECT count(*), sum(hash(t)) FROM {{}}"{table}" AS t'
    (there,) = connection.execute(read.format("")).fetchall()
    try:
        (here,) = connection.execute(read.format("made.main.")).fetchall()
    except duckdb.CatalogException:
        yield f"{build.DATABASE}: has no table {table}."
        return
    if here != there:
        yield f"{build.DATABASE}: the rows of its table {table} are not those of {table}.parquet."


def _count(connection: duckdb.DuckDBPyConnection, source: str) -> int:
    ((rows,),) = connection.execute(f"SELECT count(*) {source}").fetchall()
    return int(rows)
