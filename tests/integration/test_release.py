"""A release: what is in it, that it is the same again, that any change of it is seen, and that readers of `latest.json`
never see half of one."""

import csv
import json
import random
import shutil
import subprocess
import threading
from dataclasses import replace

import duckdb
import pyarrow.parquet as pq
import pytest
import yaml

from pipelines import contracts as contract_files
from pipelines import nights, store
from pipelines.__main__ import main
from pipelines.contracts import contracts
from pipelines.errors import DataError, UsageError
from pipelines.release import making, package, publishing, shelf, tables, verifying
from tests import releases
from tests.replay.__main__ import edge
from tests.unit.test_redistributable import MARK
from tests.worlds import AS_OF, settings

PUBLIC = tables.public(contracts()).tables
SAY = [].append


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A data folder with the releases of two days. Whoever changes something works on a copy."""
    data = tmp_path_factory.mktemp("released") / "data"
    return data, *releases.two(data)


@pytest.fixture
def copy(made, tmp_path):
    """A copy of the data folder, and of its last release."""
    shutil.copytree(made[0] / "releases", tmp_path / "data" / "releases")
    return tmp_path / "data", shelf.listed(tmp_path / "data")[-1]


def rows(connection, sql):
    return connection.execute(sql).fetchall()


def read(path):
    with store.connect() as connection:
        return rows(connection, f"FROM read_parquet('{path}')")


# --- what is in it --------------------------------------------------------------------------------------------------


def test_every_public_table_is_there_and_nothing_about_the_run(made):
    _, _, release = made
    names = {p.name for p in release.folder.iterdir()}
    with_structs = {
        n for n, t in PUBLIC.items() if any(c.type.startswith("STRUCT") and c.type[-1] == ")" for c in t.columns)
    }
    assert names == {
        *(f"{name}.parquet" for name in PUBLIC), *(f"{name}.csv" for name in {*PUBLIC} - with_structs),
        "alltrials.duckdb", "manifest.json", "SHA256SUMS", "datapackage.json", "croissant.json", "CITATION.cff",
        "dictionary.md", "LICENCES.md",
    }  # fmt: skip
    assert {*contracts().tables} - {*PUBLIC} == {"validation_results"}
    run = release.folder.parent / "run" / release.name
    assert {p.name for p in run.iterdir()} == {"validation_results.parquet", "run.json"}
    assert read(run / "validation_results.parquet")


@pytest.mark.parametrize("table", PUBLIC.values(), ids=lambda t: t.name)
def test_parquet_is_sorted_stamped_and_of_the_contracts_columns(made, table):
    file = pq.read_table(made[2].folder / f"{table.name}.parquet")
    assert file.column_names == list(table.column_names)
    stamp = {key.decode(): value.decode() for key, value in file.schema.metadata.items()}
    assert (stamp["meaning"], stamp["key"]) == (table.meaning, ", ".join(table.key))
    keys = list(zip(*(file[k].to_pylist() for k in table.key), strict=True))
    assert keys == sorted(set(keys))


def test_the_database_holds_the_same_rows_with_comments_and_views(made):
    with store.open_database(made[2].folder / "alltrials.duckdb") as connection:
        for name in PUBLIC:
            parquet = f"FROM read_parquet('{made[2].folder / name}.parquet')"
            assert rows(connection, f'FROM "{name}" EXCEPT ALL {parquet}') == []
            assert rows(connection, f'{parquet} EXCEPT ALL FROM "{name}"') == []
        without = "SELECT table_name FROM duckdb_{}() WHERE comment IS NULL AND NOT internal AND schema_name = 'main'"
        assert rows(connection, without.format("tables")) == []
        assert (
            rows(
                connection, without.format("columns") + " AND table_name NOT IN (SELECT view_name FROM duckdb_views())"
            )
            == []
        )
        assert rows(connection, "SELECT count(*) > 0 FROM status_evidence") == [(True,)]
        assert rows(connection, "SELECT DISTINCT pmid FROM find_article('900000001')") == [(900000001,)]
        ((version,),) = rows(connection, "SELECT tags['storage_version'] FROM duckdb_databases() WHERE NOT internal")
        assert version.startswith("v1.0.0")


def test_csv_says_the_same_as_parquet(made):
    """Read by Python's own reader: nothing where a value is not known, and any text as it is."""
    for name, table in PUBLIC.items():
        path = made[2].folder / f"{name}.csv"
        if path.exists():
            with path.open(encoding="utf-8", newline="") as handle:
                head, *body = csv.reader(handle)
            assert head == list(table.column_names)
            expected = [[shown(v) for v in row] for row in read(path.with_suffix(".parquet"))]
            lists = {c.name for c in table.columns if c.type.endswith("[]")}
            parse = [json.loads if c in lists else str for c in head]
            assert [[f(v) if v else v for f, v in zip(parse, row, strict=True)] for row in body] == expected
    with (made[2].folder / "trials.csv").open(encoding="utf-8", newline="") as handle:
        assert releases.ODD in {row["title"] for row in csv.DictReader(handle)}


def shown(value):
    if isinstance(value, list | dict):
        return json.loads(json.dumps(value, default=str))
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


def test_no_word_of_a_withheld_source_is_in_any_file(made):
    folder = made[2].folder
    for path in folder.iterdir():
        if path.suffix not in (".parquet", ".duckdb"):
            assert MARK.lower() not in path.read_text(encoding="utf-8").lower(), path.name
    for name in PUBLIC:
        assert MARK.lower() not in repr(read(folder / f"{name}.parquet")).lower(), name
    assert MARK.lower().encode() not in (folder / "alltrials.duckdb").read_bytes().lower()
    run = folder.parent / "run" / made[2].name / "validation_results.parquet"
    assert MARK.lower() not in repr(read(run)).lower()
    assert MARK in repr(read(made[0] / "warehouse" / "trials.parquet"))


# --- what it says of itself -----------------------------------------------------------------------------------------


def test_the_manifest_says_what_it_is_made_of(made):
    _, first, second = made
    told = second.manifest
    assert (told["release"], told["as_of"]) == (second.name, str(releases.NEXT))
    assert told["base"] == {"release": first.name, "manifest_sha256": first.manifest_sha256}
    assert first.manifest["base"] is None
    assert told["policies"] == {p.id: p.version for p in contracts().policies.values()}
    sources = {s["source"]: s for s in told["sources"]}
    assert set(sources) == set(contracts().sources)
    assert (sources["ctgov"]["retrieved_at"], sources["drks"]["redistributable"]) == (str(releases.NEXT), False)
    assert len(told["ledger"]) == len(told["status_history"]) == len(told["code"]["fingerprint"]) == 64
    assert told["code"]["duckdb"] == duckdb.__version__
    for file in told["files"]:
        path = second.folder / file["file"]
        assert (file["bytes"], file["sha256"]) == (path.stat().st_size, store_hash(path))
        if path.suffix == ".parquet":
            assert file["rows"] == len(read(path))
            assert file["schema"] == tables.schema_hash(PUBLIC[path.stem])


def store_hash(path):
    import hashlib

    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_sha256sum_agrees(made):
    if not shutil.which("sha256sum"):
        pytest.skip("there is no sha256sum on this machine")
    done = subprocess.run(["sha256sum", "-c", "--strict", "SHA256SUMS"], cwd=made[2].folder, capture_output=True)
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) == len(list(made[2].folder.iterdir())) - 1


def test_the_data_package_describes_every_data_file_from_the_contracts(made):
    spec = store.read_json(made[2].folder / "datapackage.json")
    assert spec["$schema"] == "https://datapackage.org/profiles/2.0/datapackage.json"
    resources = {r["path"]: r for r in spec["resources"]}
    assert set(resources) == {p.name for p in made[2].folder.iterdir() if p.suffix in (".parquet", ".csv", ".duckdb")}
    assert len({r["name"] for r in spec["resources"]}) == len(resources)
    for table in PUBLIC.values():
        schema = resources[f"{table.name}.parquet"]["schema"]
        assert [f["name"] for f in schema["fields"]] == list(table.column_names)
        assert all(f["description"] and f["type"] in PYTHON_TYPES for f in schema["fields"])
        assert tuple(schema["primaryKey"]) == table.key
        for key in schema.get("foreignKeys", ()):
            assert f"{key['reference']['resource']}.parquet" in resources
        types = {f["name"]: PYTHON_TYPES[f["type"]] for f in schema["fields"]}
        for row in pq.read_table(made[2].folder / f"{table.name}.parquet").to_pylist():
            assert {c: v for c, v in row.items() if v is not None and not isinstance(v, types[c])} == {}


PYTHON_TYPES = {"string": str, "integer": int, "number": float, "boolean": bool, "array": list, "object": dict,
                "date": __import__("datetime").date}  # fmt: skip


def test_croissant_names_files_by_hash_and_fields_by_column(made):
    spec = store.read_json(made[2].folder / "croissant.json")
    assert (spec["@type"], spec["conformsTo"]) == ("sc:Dataset", "http://mlcommons.org/croissant/1.0")
    assert spec["version"] == package.version(made[2].name)
    sums = {f["file"]: f["sha256"] for f in made[2].manifest["files"]}
    files = {f["@id"]: f["sha256"] for f in spec["distribution"]}
    assert files == {name: sums[name] for name in files}
    fields = {f["@id"]: f for r in spec["recordSet"] for f in r["field"]}
    assert set(fields) == {f"{t.name}/{c}" for t in PUBLIC.values() for c in t.column_names}
    assert {f["references"]["field"]["@id"] for f in fields.values() if "references" in f} <= set(fields)
    assert {k["@id"] for r in spec["recordSet"] for k in r["key"]} <= set(fields)


def test_citation_and_terms_name_the_release_and_its_registries(made):
    cff = yaml.safe_load((made[2].folder / "CITATION.cff").read_text(encoding="utf-8"))
    assert (cff["cff-version"], cff["type"], cff["version"]) == ("1.2.0", "dataset", made[2].name)
    assert cff["date-released"] == made[2].manifest["as_of"]
    assert {"title", "message", "authors", "license"} <= set(cff)
    assert [r["title"] for r in cff["references"]] == ["ClinicalTrials.gov", "DRKS", "PubMed"]
    terms = (made[2].folder / "LICENCES.md").read_text(encoding="utf-8")
    for source in contracts().sources.values():
        assert source.terms.rstrip(".") in terms
        assert source.licence.rstrip(".") in terms
    assert terms.count("withheld; what is derived") == sum(not s.redistributable for s in contracts().sources.values())
    dictionary = (made[2].folder / "dictionary.md").read_text(encoding="utf-8")
    assert all(f"## {name}\n" in dictionary for name in PUBLIC)
    assert "validation_results" not in dictionary


# --- what changed ---------------------------------------------------------------------------------------------------


def test_changes_are_those_that_a_plain_comparison_finds(made):
    _, first, second = made
    expected = set()
    for table in PUBLIC.values():
        if table.name != "changes":
            old, new = (by_key(r.folder, table) for r in (first, second))
            expected |= {(table.name, key, "added", ()) for key in new.keys() - old.keys()}
            expected |= {(table.name, key, "removed", ()) for key in old.keys() - new.keys()}
            for key in old.keys() & new.keys():
                if columns := tuple(c for c in table.column_names if old[key][c] != new[key][c]):
                    expected.add((table.name, key, "altered", columns))
    told = read(second.folder / "changes.parquet")
    assert {(t, k, change, tuple(columns)) for t, k, change, columns in told} == expected
    assert {change for _, _, change, _ in expected} == {"added", "removed", "altered"}
    assert ("trials", '{"trial_id":"NCT90000002"}', "altered", ("enrolment",)) in expected
    assert read(first.folder / "changes.parquet") == []
    counted = {}
    for name, _, change, _ in expected:
        counted.setdefault(name, {}).setdefault(change, 0)
        counted[name][change] += 1
    assert second.manifest["changes"] == {"rows": counted, "not_compared": []}


def by_key(folder, table):
    found = pq.read_table(folder / f"{table.name}.parquet").to_pylist()
    return {
        json.dumps({k: row[k] for k in table.key}, default=str, separators=(",", ":"), ensure_ascii=False): row
        for row in found
    }


# --- the same again -------------------------------------------------------------------------------------------------


def test_made_again_it_is_the_same_byte_for_byte(made, tmp_path):
    """With other settings; and a file that were another one would be named."""
    data, _, second = made
    shutil.copytree(data, tmp_path / "data", symlinks=True)
    sums = tmp_path / "data" / "releases" / second.name / "SHA256SUMS"
    lines = sums.read_text().splitlines(keepends=True)
    altered = [f"{'0' * 64}  trials.csv\n" if line.endswith("  trials.csv\n") else line for line in lines]
    sums.write_text("".join(altered))
    other = replace(settings(tmp_path / "data"), threads=3, memory_limit="600MB")
    assert making.repeat(other, second.name) == ["trials.csv"]
    assert not list((tmp_path / "data" / "releases").glob(".*.part"))


def test_what_was_released_is_not_released_again(made):
    again = releases.released(made[0])
    assert (again.is_new, again.release.name, again.latest) == (False, made[2].name, made[2].name)


# --- any change of it is seen ---------------------------------------------------------------------------------------


def test_a_whole_release_has_no_trouble(made):
    assert verifying.troubles(made[2].folder, settings(made[0])) == []


def test_a_changed_byte_in_any_file_is_seen_and_the_file_named(copy):
    """All files that are not a table's, some of those that are, and the checksums at many places."""
    data, release = copy
    chance = random.Random(7)
    of_tables = [path for path in sorted(release.folder.iterdir()) if path.suffix in (".parquet", ".csv")]
    others = {*release.folder.iterdir()} - {*of_tables}
    for path in [*sorted(others), *chance.sample(of_tables, 12), *[release.folder / "SHA256SUMS"] * 12]:
        whole = path.read_bytes()
        place = chance.randrange(len(whole))
        path.write_bytes(whole[:place] + bytes([whole[place] ^ (1 << chance.randrange(8))]) + whole[place + 1 :])
        found = verifying.troubles(release.folder, settings(data))
        assert any(line.startswith(path.name) or f" {path.name} " in line for line in found), (path.name, place)
        path.write_bytes(whole)
    assert verifying.troubles(release.folder, settings(data)) == []


def test_what_is_missing_or_too_much_is_named(copy, capsys):
    _, release = copy
    (release.folder / "trials.csv").unlink()
    (release.folder / "extra.txt").write_text("")
    assert main(["release", "verify", str(release.folder)]) == 1
    told = capsys.readouterr().err
    assert "trials.csv: is missing" in told
    assert "extra.txt: is no part of the release" in told
    (release.folder / "SHA256SUMS").unlink()
    assert main(["release", "verify", str(release.folder)]) == 1
    assert "SHA256SUMS is missing" in capsys.readouterr().err


def signed_again(folder, name, query):
    """Puts other rows into a table's Parquet file, and the right checksums for them everywhere."""
    path = folder / f"{name}.parquet"
    with store.connect() as connection:
        connection.execute(f"CREATE TABLE t AS FROM read_parquet('{path}')")
        store.write_parquet(connection, query, path)
    manifest = store.read_json(folder / "manifest.json")
    for file in manifest["files"]:
        file |= {"bytes": (folder / file["file"]).stat().st_size, "sha256": store_hash(folder / file["file"])}
    store.write_json(folder / "manifest.json", manifest)
    hashes = [(f["file"], f["sha256"]) for f in manifest["files"]] + [
        ("manifest.json", store_hash(folder / "manifest.json"))
    ]
    store.write_text(folder / "SHA256SUMS", package.checksums(hashes))


@pytest.mark.parametrize(
    ("name", "query", "trouble"),
    [
        ("trials", "FROM t UNION ALL FROM t", "trials.parquet: has {twice} rows"),
        ("trials", "FROM t UNION ALL FROM t", "trials.parquet: {once} keys"),
        ("registrations", "SELECT * REPLACE ('x' AS trial_id) FROM t", "registrations.parquet: {all} rows have a trial_id that trials does not know"),
        ("trials", "SELECT * REPLACE (7 AS enrolment) FROM t", "alltrials.duckdb: the rows of its table trials are not those of trials.parquet"),
    ],
)  # fmt: skip
def test_rows_are_judged_where_somebody_signed_again(copy, name, query, trouble):
    data, release = copy
    number = len(read(release.folder / f"{name}.parquet"))
    signed_again(release.folder, name, query)
    (told,) = verifying.troubles(release.folder, settings(data))
    assert "manifest.json: is not the one that releases.json beside the folder names" in told
    (release.folder.parent / "releases.json").unlink()
    found = verifying.troubles(release.folder, settings(data))
    wanted = trouble.format(twice=2 * number, once=number, all=number)
    assert any(line.startswith(wanted) for line in found), found


# --- names, pointer, readers ----------------------------------------------------------------------------------------


def test_a_second_release_of_a_day_stands_beside_the_first_and_a_past_day_is_not_the_latest(made, tmp_path, capsys):
    data = tmp_path / "data"
    shutil.copytree(made[0], data, symlinks=True)
    before = {p: p.read_bytes() for p in (data / "releases" / made[2].name).iterdir()}
    first = data / "builds" / f"{AS_OF}-first"
    another = data / "builds" / f"{releases.NEXT}-another"
    shutil.copytree(first, another)
    told = {"build": another.name, "as_of": str(releases.NEXT)}
    store.write_json(another / "manifest.json", store.read_json(first / "manifest.json") | told)
    for folder in (another, first):
        store.switch(data / "warehouse", folder)
        assert main(["--data", str(data), "release"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith(f"made release {releases.NEXT}-2: ")
    assert said[1].startswith(f"already made, nothing changed: release {AS_OF}: ")
    assert said[1].endswith(f"not the latest one, which is {releases.NEXT}-2")
    assert shelf.latest(data) == f"{releases.NEXT}-2"
    assert {p: p.read_bytes() for p in before} == before, "dated folders never change"
    index = store.read_json(data / "releases" / "releases.json")["releases"]
    assert {r["release"]: r["superseded_by"] for r in index}[str(releases.NEXT)] == f"{releases.NEXT}-2"
    assert main(["--data", str(data), "release", "point", str(releases.NEXT)]) == 0
    pointer = store.read_json(data / "releases" / "latest.json")
    assert pointer["manifest"] == f"{releases.NEXT}/manifest.json"
    assert pointer["manifest_sha256"] == store_hash(data / "releases" / pointer["manifest"])
    store.switch(data / "warehouse", another)
    capsys.readouterr()
    assert main(["--data", str(data), "release"]) == 0
    assert capsys.readouterr().out.endswith(f"it is not the latest one, which is {releases.NEXT}\n")
    assert shelf.latest(data) == str(releases.NEXT), "a person took the newest one back"


@pytest.mark.parametrize("killed_in", ["point", "write_index"])
def test_a_release_whose_run_was_killed_is_pointed_to_by_the_next(made, tmp_path, monkeypatch, killed_in):
    data = tmp_path / "data"
    shutil.copytree(made[0], data, symlinks=True)
    told = store.read_json(data / "releases" / "releases.json")["releases"]
    store.write_json(data / "releases" / "releases.json", {"releases": told[:1]})
    shelf.point(data, shelf.opened(made[1].folder))
    monkeypatch.setattr(shelf, killed_in, lambda *_: 1 / 0)  # the last release was placed, and no more
    with pytest.raises(ZeroDivisionError):
        making.release(settings(data), releases.NOW)
    monkeypatch.undo()
    assert making.release(settings(data), releases.NOW).latest == shelf.latest(data) == made[2].name


def test_a_query_of_a_release_is_of_that_day_and_writes_nothing(made, capsys):
    data, first, second = made
    ask = [
        "--data",
        str(data),
        "query",
        "--format",
        "csv",
        "SELECT enrolment FROM trials WHERE trial_id = 'NCT90000002'",
    ]
    for name, enrolment in ((first.name, "50"), (second.name, "52"), ("latest", "52")):
        assert main([*ask, "--release", name]) == 0
        assert capsys.readouterr().out.splitlines() == ["enrolment", enrolment]
    assert main([*ask, "--release", "2020-01-01"]) == 2
    assert f"there are: {first.name}, {second.name}" in capsys.readouterr().err
    assert main(["--data", str(data), "query", "--release", "latest", "DELETE FROM trials"]) == 2


def test_a_reader_never_sees_half_a_release(copy, tmp_path):
    """It follows `latest.json` in the folder that releases are sent to, while twenty switches are made and sent."""
    data, _ = copy
    chosen = replace(settings(data), releases_to=str(tmp_path / "public"))
    publishing.publish(chosen, SAY)
    names = [r.name for r in shelf.listed(data)]
    seen, wrong, ended = [], [], threading.Event()

    def follow():
        while not ended.is_set():
            try:
                pointer = store.read_json(tmp_path / "public" / "latest.json")
                folder = tmp_path / "public" / pointer["release"]
                assert store_hash(folder / "manifest.json") == pointer["manifest_sha256"]
                told = {f["file"]: f.get("rows") for f in store.read_json(folder / "manifest.json")["files"]}
                with store.open_database(folder / "alltrials.duckdb") as connection:
                    found = {
                        name: rows(connection, f"SELECT count(*) FROM {name}")[0][0] for name in ("trials", "changes")
                    }
                assert found == {name: told[f"{name}.parquet"] for name in found}
                seen.append(pointer["release"])
            except (AssertionError, OSError, ValueError, duckdb.Error) as error:
                wrong.append(error)
                return

    reader = threading.Thread(target=follow)
    reader.start()
    for n in range(20):
        making.point(chosen, names[n % 2])
        publishing.publish(chosen, SAY)
        while len(seen) < n + 1 and not wrong:
            ended.wait(0.005)
    ended.set()
    reader.join()
    assert wrong == []
    assert set(seen) == set(names)


# --- sending --------------------------------------------------------------------------------------------------------


def test_what_was_cut_off_is_sent_on_and_the_pointer_comes_last(copy, tmp_path):
    data, release = copy
    public = tmp_path / "public"
    chosen = replace(settings(data), releases_to=str(public))
    (public / release.name / "trials.parquet").mkdir(parents=True)  # nothing can be written under this name
    with pytest.raises(DataError, match="could not be sent"):
        publishing.publish(chosen, SAY)
    assert not (public / "latest.json").exists()
    assert not (public / release.name / "SHA256SUMS").exists()
    (public / release.name / "trials.parquet").rmdir()
    said = []
    publishing.publish(chosen, said.append)
    assert said == [f"sent release {release.name}"], "what was there is not sent again"
    assert verifying.troubles(public / release.name, chosen) == []
    assert (public / "latest.json").read_bytes() == (data / "releases" / "latest.json").read_bytes()
    assert not list(public.rglob(f"*{store.PART}"))


def test_a_dated_folder_that_was_sent_never_changes_and_what_was_pruned_goes(copy, tmp_path):
    data, release = copy
    chosen = replace(settings(data), releases_to=str(tmp_path / "public"))
    publishing.publish(chosen, SAY)
    first = shelf.listed(data)[0]
    (tmp_path / "public" / "mine").mkdir()
    shelf.write_index(data, [first.name])
    shutil.rmtree(first.folder)
    publishing.publish(chosen, SAY)
    assert {p.name for p in (tmp_path / "public").iterdir()} == {
        release.name,
        "run",
        "latest.json",
        "releases.json",
        "mine",
    }
    (tmp_path / "public" / release.name / "SHA256SUMS").write_text("another")
    with pytest.raises(DataError, match=f"another release under the name {release.name}"):
        publishing.publish(chosen, SAY)


def test_a_data_folder_that_lost_its_index_takes_nothing_off_the_target(copy, tmp_path):
    data, public = copy[0], tmp_path / "public"
    chosen = replace(settings(data), releases_to=str(public))
    publishing.publish(chosen, SAY)
    before = {p: p.stat().st_mtime_ns for p in public.rglob("*")}
    index = data / "releases" / "releases.json"
    told = json.loads(index.read_text())
    index.write_text(json.dumps({"releases": told["releases"][1:]}))
    with pytest.raises(DataError, match=rf"The target knows the release {told['releases'][0]['release']}, and"):
        publishing.publish(chosen, SAY)
    assert {p: p.stat().st_mtime_ns for p in public.rglob("*")} == before


@pytest.mark.parametrize("left", [("releases.json", "latest.json"), ("releases.json", "latest.json", "the newest")])
def test_a_data_folder_that_was_lost_takes_nothing_off_the_target(copy, tmp_path, left):
    """What operations says to put back after a loss is all that the machine then knows."""
    data, release = copy
    public = tmp_path / "public"
    publishing.publish(replace(settings(data), releases_to=str(public)), SAY)
    before = {p.relative_to(public): p.read_bytes() for p in public.rglob("*") if p.is_file()}
    new = tmp_path / "new"
    (new / "releases").mkdir(parents=True)
    for name in ("releases.json", "latest.json"):
        shutil.copy(public / name, new / "releases" / name)
    if "the newest" in left:
        shutil.copytree(public / release.name, new / "releases" / release.name)
    shelf.write_index(new)  # as the next release does
    publishing.publish(replace(settings(new), releases_to=str(public)), SAY)
    after = {p.relative_to(public): p.read_bytes() for p in public.rglob("*") if p.is_file()}
    assert before.keys() == after.keys()
    assert [str(name) for name in before if before[name] != after[name]] == ["releases.json"]


def test_what_is_about_a_run_comes_although_the_release_is_there(copy, tmp_path):
    """A sending can be killed between the two."""
    data, release = copy
    public = tmp_path / "public"
    chosen = replace(settings(data), releases_to=str(public))
    publishing.publish(chosen, SAY)
    (public / "run" / release.name / "run.json").unlink()
    publishing.publish(chosen, SAY)
    assert (public / "run" / release.name / "run.json").exists()


def test_an_address_that_cannot_be_understood_is_not_repeated(copy):
    for secret in ("gopher://user:secret@host/x", "s3://"):
        with pytest.raises((UsageError, DataError)) as told:
            publishing.publish(replace(settings(copy[0]), releases_to=secret), SAY)
        assert "secret" not in str(told.value)


# --- when it cannot be made, and nights -----------------------------------------------------------------------------


def test_what_cannot_be_released_leaves_everything_as_it_was(made, tmp_path):
    data = tmp_path / "data"
    shutil.copytree(made[0], data, symlinks=True)
    folder = data / "builds" / "2024-07-02-bad"
    shutil.copytree(data / "builds" / f"{AS_OF}-first", folder)
    spec = store.read_json(folder / "manifest.json") | {"build": folder.name, "as_of": "2024-07-02"}
    store.write_json(folder / "manifest.json", spec)
    store.switch(data / "warehouse", folder)
    before = {p: p.read_bytes() for p in (data / "releases").rglob("*") if p.is_file()}

    def refused(reason):
        with pytest.raises(DataError, match=reason):
            releases.released(data)
        assert {p: p.read_bytes() for p in (data / "releases").rglob("*") if p.is_file()} == before

    path = folder / "reporting_status.parquet"
    with store.connect() as connection:
        connection.execute(f"CREATE TABLE t AS FROM read_parquet('{path}')")
        store.write_parquet(connection, "FROM t WHERE policy <> 'fdaaa'", path)
    refused("reporting_status.parquet is not what the build wrote")
    spec["tables"]["reporting_status"] = store_hash(path)
    store.write_json(folder / "manifest.json", spec)
    refused("has_its_verdicts")


def test_without_a_warehouse_there_is_nothing_to_release(tmp_path, capsys):
    assert main(["--data", str(tmp_path), "release"]) == 2
    assert "There is no warehouse" in capsys.readouterr().err


def test_a_night_releases_where_it_is_told_to(made, tmp_path):
    data = tmp_path / "data"
    shutil.copytree(made[0], data, symlinks=True)
    assert nights.release(settings(data), edge(AS_OF), SAY) == ("", "")
    sent = nights.release(replace(settings(data), releases_to=str(tmp_path / "public")), edge(AS_OF), SAY)
    assert sent[0].startswith("already made, nothing changed: release 2024-07-01")
    assert sent[1] == ""
    assert (tmp_path / "public" / "latest.json").exists()
    (tmp_path / "file").write_text("")
    _, why = nights.release(replace(settings(data), releases_to=str(tmp_path / "file")), edge(AS_OF), SAY)
    assert why


def test_the_schema_hash_follows_what_a_query_can_notice():
    trials = PUBLIC["trials"]
    renamed = replace(trials, columns=(replace(trials.columns[0], name="id"), *trials.columns[1:]))
    reworded = replace(trials, columns=(replace(trials.columns[0], description="Other words."), *trials.columns[1:]))
    assert tables.schema_hash(trials) == tables.schema_hash(reworded) != tables.schema_hash(renamed)
    assert contract_files.dataset()["licence"]
