"""A release before judges that know nothing of us: the validators of the formats it is written in, the next DuckDB, and
a server that speaks S3. Run by `make test-release`, which installs them; none of them asks the network.
"""

import re
import subprocess
from dataclasses import replace
from urllib.parse import quote

import pytest
from pyarrow import fs

from pipelines.errors import DataError
from pipelines.release import making, publishing, shelf, verifying
from tests import loopback, releases
from tests.judges import program
from tests.worlds import settings

pytestmark = pytest.mark.outside


def judge(extra, name):
    path = program(extra, name)
    if not path.exists():
        pytest.skip(f"{name} is not installed: run `make test-release`")
    return str(path)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    data = tmp_path_factory.mktemp("judged") / "data"
    return data, *releases.two(data)


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        ("release", ("frictionless", "validate", "datapackage.json")),
        ("release", ("mlcroissant", "validate", "--jsonld", "croissant.json")),
        ("citation", ("cffconvert", "--validate", "-i", "CITATION.cff")),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else value,
)
def test_a_validator_finds_no_fault(made, extra, words):
    name, *rest = words
    done = subprocess.run([judge(extra, name), *rest], cwd=made[2].folder, capture_output=True, text=True)
    said = done.stdout + done.stderr
    assert done.returncode == 0, said[-2000:]
    assert not re.search(r"INVALID|\bWARNING\b|\bE\d{4} ", said), said[-2000:]


def test_a_validator_sees_a_fault(made, tmp_path):
    """So that its silence says something: a value outside its code list."""
    for path in made[2].folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    trials = tmp_path / "trials.csv"
    trials.write_text(trials.read_text(encoding="utf-8").replace('"interventional"', '"invented"', 1), encoding="utf-8")
    done = subprocess.run(
        [judge("release", "frictionless"), "validate", "datapackage.json"], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert re.search(r"trials-csv\s*│ table │ trials.csv\s*│ INVALID", done.stdout)


def test_the_next_duckdb_and_plain_readers_open_it(made):
    code = """
import duckdb, sys, pyarrow.parquet as pq
assert int(duckdb.__version__.split(".")[0]) >= 2, duckdb.__version__
c = duckdb.connect("alltrials.duckdb", read_only=True)
for (name,) in c.execute("SELECT table_name FROM duckdb_tables()").fetchall():
    rows = pq.read_table(f"{name}.parquet").num_rows
    for source in (f'"{name}"', f"read_parquet('{name}.parquet')"):
        assert c.execute(f"SELECT count(*) FROM {source}").fetchall() == [(rows,)], name
for (name,) in c.execute("SELECT view_name FROM duckdb_views() WHERE NOT internal").fetchall():
    c.execute(f"FROM {name}").fetchall()
assert c.execute("SELECT count(*) FROM find_article('900000001')").fetchall() == [(1,)]
"""
    python = judge("release", "python")
    done = subprocess.run([python, "-c", code], cwd=made[2].folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.fixture(scope="module")
def storage():
    """The address of storage on this machine that speaks S3."""
    with loopback.storage(judge("release", "moto_server")) as place:
        query = f"endpoint_override={quote(place)}&scheme=http&region=us-east-1&allow_bucket_creation=true"
        yield f"s3://key:hidden@public/data?{query}"


def test_storage_that_speaks_s3_holds_the_releases_and_the_pointer(made, storage, tmp_path):
    files, root = fs.FileSystem.from_uri(storage)
    files.create_dir("public")
    chosen = replace(settings(made[0]), releases_to=storage)
    said = []
    publishing.publish(chosen, said.append)
    assert said == [f"sent release {r.name}" for r in made[1:]]
    (tmp_path / made[2].name).mkdir()
    fs.copy_files(f"{root}/{made[2].name}", str(tmp_path / made[2].name), source_filesystem=files)
    assert verifying.troubles(tmp_path / made[2].name, chosen) == []
    assert pointer(files, root) == (made[0] / "releases" / "latest.json").read_bytes()
    making.point(chosen, made[1].name)
    publishing.publish(chosen, said.append)
    assert len(said) == 2, "nothing is sent twice"
    assert made[1].name.encode() in pointer(files, root)
    with files.open_output_stream(f"{root}/{made[2].name}/SHA256SUMS") as stream:
        stream.write(b"another")
    with pytest.raises(DataError, match="another release under the name"):
        publishing.publish(chosen, said.append)
    made[1].folder.rename(made[1].folder.with_name(".gone"))
    making.point(chosen, made[2].name)
    with files.open_output_stream(f"{root}/{made[2].name}/SHA256SUMS") as stream:
        stream.write((made[2].folder / "SHA256SUMS").read_bytes())
    shelf.write_index(made[0], [made[1].name])
    publishing.publish(chosen, said.append)
    assert {i.base_name for i in files.get_file_info(fs.FileSelector(root))} == {
        made[2].name,
        "run",
        "latest.json",
        "releases.json",
    }


def pointer(files, root):
    with files.open_input_stream(f"{root}/latest.json") as stream:
        assert stream.metadata()["Cache-Control"] == b"no-cache"
        return stream.read()


def test_storage_that_is_not_there_is_said_without_its_secret(made, storage):
    nowhere = storage.replace("public/data", "nobucket/data").replace("&allow_bucket_creation=true", "")
    with pytest.raises(DataError, match="could not be sent") as told:
        publishing.publish(replace(settings(made[0]), releases_to=nowhere), [].append)
    assert "hidden" not in str(told.value)
