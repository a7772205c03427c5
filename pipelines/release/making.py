"""A release: from a checked build to a dated folder that anybody can check, cite and attach.

Belongs here: the steps in which a release is made aside, checked, put under its name and pointed to. It is a function
of the build and the release before it, so it can be made again. Does not: sending it anywhere (`publishing`).
"""

import contextlib
import platform
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import astuple, dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb

from pipelines import build, docs, settings, snapshots, store, validation
from pipelines import contracts as contract_files
from pipelines.contracts import Table, contracts
from pipelines.errors import DataError, UsageError
from pipelines.release import changes, package, shelf, tables, verifying
from pipelines.release.package import Described, File
from pipelines.release.shelf import Release
from pipelines.settings import ROOT, SCHEMAS, Settings
from pipelines.validation import Result

DICTIONARY, LICENCES, CITATION, CROISSANT = "dictionary.md", "LICENCES.md", "CITATION.cff", "croissant.json"
NOTE = "Made from the contracts of the tables that this release holds."


@dataclass(frozen=True)
class Released:
    """A release, whether it was made just now, and the name of the latest one."""

    release: Release
    is_new: bool
    latest: str


def sentence(released: Released) -> str:
    """What became of a release, for a person."""
    files = released.release.manifest["files"]
    what = f"release {released.release.name}: {len(files)} files, {sum(f['bytes'] for f in files):,} bytes"
    state = "made" if released.is_new else "already made, nothing changed:"
    is_latest = released.latest == released.release.name
    latest = "the latest one" if is_latest else f"not the latest one, which is {released.latest}"
    return f"{state} {what}; it is {latest}"


def release(chosen: Settings, now: datetime) -> Released:
    """Makes the release of the warehouse and points to it, unless a later day has one. One that was there before is not
    pointed to again: a person may have withdrawn it. now: when, for `run/`.

    Raises UsageError where there is no warehouse, DataError where what would be released fails a check: then nothing
    has changed.
    """
    with store.only_writer(chosen.data):
        built = warehouse(chosen.data)
        made = next((r for r in reversed(shelf.listed(chosen.data)) if r.manifest["build"] == built["build"]), None)
        is_new = made is None
        if made is None:
            made = _made(chosen, built, now)
        current = shelf.latest(chosen.data)
        is_known = made.name in shelf.known(chosen.data)
        if current is None or (not is_known and made.order >= shelf.order(current)):
            shelf.point(chosen.data, made)  # before it is known, so that a killed run is made good by the next one
            current = made.name
        shelf.write_index(chosen.data)
        return Released(made, is_new, current)


def point(chosen: Settings, name: str) -> None:
    """Makes another release the latest one, for when a wrong one was published."""
    with store.only_writer(chosen.data):
        shelf.point(chosen.data, shelf.opened(shelf.named(chosen.data, name)))
        shelf.write_index(chosen.data)  # which a `prune` that was killed left saying of what is here that it went


def repeat(chosen: Settings, name: str) -> list[str]:
    """Makes a release again, aside, from the build and the base that its manifest names. Returns the files that came
    out otherwise. Raises UsageError where the build or the base is no longer there."""
    with store.only_writer(chosen.data):
        first = shelf.opened(shelf.named(chosen.data, name))
        built = chosen.data / "builds" / first.manifest["build"]
        if not (built / "manifest.json").exists():
            raise UsageError(f"The build {built.name} is no longer there: build the day again with the same program.")
        base = None
        if first.manifest["base"]:
            base = shelf.opened(shelf.named(chosen.data, first.manifest["base"]["release"]))
        with _aside(chosen.data) as folder:
            make(chosen, built, first.name, base, folder)
            sums = [(where / verifying.SUMS).read_text(encoding="utf-8") for where in (first.folder, folder)]
        before, after = (set(text.splitlines()) for text in sums)
        return sorted({line.partition("  ")[2] for line in before ^ after})


def warehouse(data: Path) -> dict[str, Any]:
    """The manifest of the build that is the warehouse. Raises UsageError where there is none."""
    path = data / "warehouse" / "manifest.json"
    if not path.exists():
        raise UsageError(f"There is no warehouse in {data}: import some dumps and run `build` first.")
    manifest: dict[str, Any] = store.read_json(path)
    return manifest


def _made(chosen: Settings, built: Mapping[str, Any], now: datetime) -> Release:
    """Makes, checks and places a release that is not there yet."""
    others = shelf.listed(chosen.data)
    name = _name(built["as_of"], [*(r.name for r in others), *shelf.known(chosen.data)])
    base = _base(name, others)
    target = chosen.data / shelf.FOLDER / name
    with store.whole_folder(target) as folder:
        results = make(chosen, chosen.data / "builds" / built["build"], name, base, folder)
        _write_run(chosen.data / shelf.FOLDER / shelf.RUN / name, results, now)
    return shelf.opened(target)


def _name(as_of: str, taken: list[str]) -> str:
    """A name that no release ever had, be it still there or not: what was published under one keeps it."""
    of_the_day = [shelf.order(name)[1] for name in taken if name.startswith(as_of)]
    return as_of if not of_the_day else f"{as_of}-{max(of_the_day) + 1}"


def _base(name: str, others: list[Release]) -> Release | None:
    """The release before that of the name; none where it passed on what may no longer be passed on, since the changes
    would name the rows that went."""
    before = [r for r in others if r.order < shelf.order(name)]
    free = {s.code for s in contracts().sources.values() if s.redistributable}
    if not before or {s["source"] for s in before[-1].manifest["sources"] if s["redistributable"]} - free:
        return None
    return before[-1]


@contextlib.contextmanager
def _aside(data: Path) -> Iterator[Path]:
    folder = data / shelf.FOLDER / f".again{store.PART}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def make(chosen: Settings, built: Path, name: str, base: Release | None, folder: Path) -> list[Result]:
    """Writes a release into an empty folder and checks it. Returns what our own checks found. Raises DataError where
    the build is not what its manifest says, or where a check fails."""
    manifest = store.read_json(built / "manifest.json")
    as_of = date.fromisoformat(manifest["as_of"])
    _check_build(built, manifest["tables"])
    known = tables.public(contracts())
    work = folder / "work"
    work.mkdir()
    tables.write_tables(chosen, built, as_of, folder)
    account = _write_changes(chosen, base, folder, work)
    results = _checked(chosen, as_of, folder, work)
    files = _data_files(chosen, as_of, folder)
    shutil.rmtree(work)
    with store.connect() as connection:
        found = connection.sql(f"FROM read_parquet({store.literal(folder / 'sources.parquet')}) ORDER BY source")
        sources = [dict(zip(found.columns, row, strict=True)) for row in found.fetchall()]
    described = Described(name, as_of, known, sources, files)
    files += _write_descriptions(described, folder)
    _write_manifest(described, files, manifest, account, folder)
    if found_wrong := verifying.troubles(folder, chosen):
        raise DataError(f"The release was not made: {found_wrong[0]} The latest release is untouched.")
    return results


def _check_build(built: Path, hashes: Mapping[str, str]) -> None:
    for name, sha256 in hashes.items():
        if snapshots.sha256_of(built / f"{name}.parquet") != sha256:
            raise DataError(f"{built / name}.parquet is not what the build wrote: build the day again.")


def _write_changes(chosen: Settings, base: Release | None, folder: Path, work: Path) -> dict[str, Any]:
    """Writes the changes against the base; returns what the manifest says of them."""
    contract = contracts().released[changes.CHANGES]
    not_compared: list[str] = []
    with store.connect(threads=chosen.threads, memory_limit=chosen.memory_limit, spill=work) as connection:
        connection.execute(contract_files.ddl(contract))
        if base:
            not_compared = changes.fill(connection, contract, _other_files(base, folder), base.folder, folder)
        tables.write_table(connection, contract, f"FROM {changes.CHANGES}", folder)
        account = {"rows": changes.counts(connection), "not_compared": not_compared}
    return account | {"base": {"release": base.name, "manifest_sha256": base.manifest_sha256} if base else None}


def _other_files(base: Release, folder: Path) -> dict[str, Table]:
    """The tables whose file is not the one of the base; the same file has the same rows. Raises DataError where the
    base no longer holds what it was released with."""
    held = {file["file"]: file["sha256"] for file in base.manifest["files"]}
    found = {}
    for name, table in contracts().tables.items():
        file = tables.parquet(table)
        if not table.about_run and held.get(file) != snapshots.sha256_of(folder / file):
            found[name] = table
            if file in held and snapshots.sha256_of(base.folder / file) != held[file]:
                raise DataError(f"{base.folder / file} is not what was released: put back the right file.")
    return found


def _checked(chosen: Settings, as_of: date, folder: Path, work: Path) -> list[Result]:
    """What the contracts ask of the tables, asked again of what is left of them. Raises DataError where it fails."""
    known = tables.public(contracts())
    with tables.opened(chosen, known.tables, folder, as_of, work) as connection:
        results = [r for table in known.tables.values() for r in validation.check_table(connection, table, known)]
    for result in results:
        if result.outcome == "failed":
            raise DataError(
                f"The release was not made: {result.table_name}: {result.check_name} ({result.description}), "
                f"{result.violations:,} violation(s). The latest release is untouched."
            )
    return results


def _data_files(chosen: Settings, as_of: date, folder: Path) -> list[File]:
    """Writes CSV and the DuckDB file beside the Parquet files; returns all of them."""
    known = tables.public(contracts())
    counts = {name: store.rows_of(folder / tables.parquet(table)) for name, table in known.tables.items()}
    tables.write_csv(folder, known.tables, counts)
    tables.write_database(chosen, folder, as_of, known)
    files = [_file(folder, build.DATABASE)]
    for name in known.tables:
        for path in (folder / f"{name}.parquet", folder / f"{name}.csv"):
            if path.exists():
                files.append(replace(_file(folder, path.name), rows=counts[name], table=name))
    return files


def _write_descriptions(described: Described, folder: Path) -> list[File]:
    texts = {
        DICTIONARY: docs.dictionary(described.known, NOTE),
        LICENCES: package.licences(described),
        CITATION: package.citation_file(described),
    }
    for name, text in texts.items():
        store.write_text(folder / name, text)
    store.write_json(folder / verifying.PACKAGE, package.data_package(described))
    store.write_json(folder / CROISSANT, package.croissant(described))
    return [_file(folder, name) for name in (*texts, verifying.PACKAGE, CROISSANT)]


def _file(folder: Path, name: str) -> File:
    return File(name, (folder / name).stat().st_size, snapshots.sha256_of(folder / name))


def _write_manifest(
    described: Described, files: list[File], built: Mapping[str, Any], account: Mapping[str, Any], folder: Path
) -> None:
    """What the release is made of and what is in it; then the checksums of everything."""
    told = ("source", "snapshot", "sha256", "retrieved_at", "records", "stale_days", "redistributable")
    spec = {
        "release": described.name,
        "as_of": described.as_of.isoformat(),
        "build": built["build"],
        "payloads": built["payloads"],
        "ledger": built["tables"]["ledger"],
        "status_history": built["status_history"],
        "code": {
            "version": settings.version(),
            "fingerprint": contract_files.fingerprint([ROOT / "pipelines", SCHEMAS]),
            "duckdb": duckdb.__version__,
        },
        "policies": {policy.id: policy.version for policy in described.known.policies.values()},
        "sources": [{name: _plain(source[name]) for name in told} for source in described.sources],
        "base": account["base"],
        "changes": {"rows": account["rows"], "not_compared": account["not_compared"]},
        "files": [_entry(file, described) for file in sorted(files, key=lambda f: f.name)],
    }
    store.write_json(folder / shelf.MANIFEST, spec)
    hashes = [(file.name, file.sha256) for file in (*files, _file(folder, shelf.MANIFEST))]
    store.write_text(folder / verifying.SUMS, package.checksums(hashes))


def _entry(file: File, described: Described) -> dict[str, Any]:
    entry: dict[str, Any] = {"file": file.name, "bytes": file.bytes, "sha256": file.sha256}
    if file.table:
        entry |= {"rows": file.rows, "schema": tables.schema_hash(described.known.tables[file.table])}
    return entry


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def _write_run(folder: Path, results: list[Result], now: datetime) -> None:
    """What is about the run: its checks, and when and by what it was made."""
    with store.whole_folder(folder) as aside, store.connect() as connection:
        table = contracts().tables["validation_results"]
        connection.execute(contract_files.ddl(table))
        store.insert(connection, table.name, [astuple(r) for r in results])
        tables.write_table(connection, table, f"FROM {table.name}", aside)
        store.write_json(aside / shelf.RUN_FILE, {"made_at": now.isoformat(), "python": platform.python_version()})
