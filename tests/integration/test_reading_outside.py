"""docs/reading.md before readers elsewhere: DuckDB and pandas over HTTP, pyarrow on storage that speaks S3, a parser of
Trino's SQL. Run by `make test-release`, which installs them; what they are sent is counted.
"""

import json
import os
import shutil
import socket
import socketserver
import subprocess
import threading
from collections.abc import Callable
from contextlib import contextmanager, suppress

import pyarrow as pa
import pyarrow.dataset as ds
import pytest
from pyarrow import fs

from pipelines import serving, store
from pipelines.contracts import contracts
from pipelines.release import tables
from tests import bulk, loopback, reading
from tests.integration.test_release_outside import judge
from tests.judges import program

pytestmark = pytest.mark.outside

TABLES = contracts().tables
PUBLIC = tables.public(contracts()).tables
ROWS = 300_000
DAY = "2024-06-30"
TRIAL = "NCT00123456"
TITLES = {
    "title": "'A trial of ' || md5(range::VARCHAR)", "status": "'completed'", "sponsor": "'Sponsor ' || range % 9000",
}  # fmt: skip
RUN = """
import json, sys
name, *words = sys.argv[1:]
value = globals()[name](*words)
print(json.dumps(value.values.tolist() if hasattr(value, "values") else value, default=str))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A dated folder with tables of some size."""
    made = tmp_path_factory.mktemp("remote") / "data" / "releases" / DAY
    made.mkdir(parents=True)
    bulk.write(made, TABLES["trials"], ROWS, trial_id=bulk.TRIAL, **TITLES)
    verdict = {
        "trial_id": bulk.TRIAL, "policy": "CASE range % 2 WHEN 0 THEN 'fdaaa' ELSE 'who-summary' END",
        "status": "CASE range % 3 WHEN 0 THEN 'overdue' ELSE 'not_due' END",
        "status_group": "CASE range % 3 WHEN 0 THEN 'due, missing' ELSE 'not due' END",
        "decided_by": "md5(range::VARCHAR)",
        "due_latest": "DATE '2020-01-01' + CAST(range % 2000 AS INTEGER)",
    }  # fmt: skip
    bulk.write(made, TABLES["reporting_status"], ROWS, **verdict)
    bulk.write(made, TABLES["missing_results"], ROWS, **verdict | TITLES)
    return made


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """The home of a person whose DuckDB has fetched its extension already: nothing is asked of the network."""
    python = program("remote", "python")
    if not python.exists():
        pytest.skip("the readers over HTTP are not installed: run `make test-release`")
    home = tmp_path_factory.mktemp("home")
    code = "import duckdb; print(duckdb.__version__, duckdb.execute('PRAGMA platform').fetchone()[0])"
    version, platform = subprocess.run([str(python), "-c", code], capture_output=True, text=True).stdout.split()
    (extension,) = python.parents[1].rglob("httpfs.duckdb_extension")
    place = home / ".duckdb" / "extensions" / f"v{version}" / platform
    place.mkdir(parents=True)
    shutil.copy(extension, place)
    return home


def asked(folder, home, name, *words):
    """What a program of the page gives for a release at an address, and the requests and bytes that it took."""
    sent: list[int] = []
    with serving.server(folder.parents[1], 0, lambda address, status, size: sent.append(size)) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{running.server_address[1]}/releases/{DAY}"
        python = str(program("remote", "python"))
        done = subprocess.run(
            [python, "-c", reading.programs()[name] + RUN, name, address, *words],
            env=os.environ | {"HOME": str(home)}, capture_output=True, text=True, timeout=120,
        )  # fmt: skip
        running.shutdown()
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout), len(sent), sum(sent)


@pytest.mark.parametrize(
    ("name", "words", "table", "sql", "share"),
    [
        ("one_trial", [TRIAL], "trials", f"SELECT title, status, sponsor WHERE trial_id = '{TRIAL}'", 0.3),
        ("statuses", [TRIAL], "reporting_status", f"SELECT policy, status WHERE trial_id = '{TRIAL}'", 0.1),
        ("due_by_policy", [], "reporting_status", "SELECT policy, count(*) WHERE status = 'overdue' GROUP BY ALL ORDER BY 1", 0.1),
    ],
    ids=["one_trial", "statuses", "due_by_policy"],
)  # fmt: skip
def test_over_http_a_question_is_sent_what_it_needs(folder, home, report, name, words, table, sql, share):
    given, requests, transferred = asked(folder, home, name, *words)
    whole = (folder / f"{table}.parquet").stat().st_size
    report("sent over HTTP", [f"{name}: {transferred:,} of {whole:,} bytes in {requests} requests"])
    with store.connect() as connection:
        expected = connection.sql(f"FROM '{folder}/{table}.parquet' {sql}").fetchall()
    assert expected
    assert (given if name != "one_trial" else [given]) == [[*row] for row in expected]
    assert transferred < share * whole


def test_pandas_alone_is_sent_everything(folder, home):
    """So that the small numbers say something, and since the page says so."""
    python = str(program("remote", "python"))
    code = "import sys, pandas; print(len(pandas.read_parquet(sys.argv[1], columns=['policy'])))"
    sent: list[int] = []
    with serving.server(folder.parents[1], 0, lambda address, status, size: sent.append(size)) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{running.server_address[1]}/releases/{DAY}/reporting_status.parquet"
        done = subprocess.run([python, "-c", code, address], capture_output=True, text=True, timeout=120)
        running.shutdown()
    assert done.stdout.split() == [str(ROWS)], done.stderr[-2000:]
    assert sum(sent) == (folder / "reporting_status.parquet").stat().st_size


# --- S3 -------------------------------------------------------------------------------------------------------------


@contextmanager
def relay(port):
    """A port that hands everything on to another one, and the sizes of what came back."""
    came: list[int] = []

    def pump(source, target, told):
        with suppress(OSError):
            while piece := source.recv(1 << 16):
                told(len(piece))
                target.sendall(piece)
        with suppress(OSError):
            target.shutdown(socket.SHUT_WR)

    class Both(socketserver.BaseRequestHandler):
        def handle(self):
            with socket.create_connection(("127.0.0.1", port)) as other:
                there = threading.Thread(target=pump, args=(self.request, other, lambda size: None), daemon=True)
                there.start()
                pump(other, self.request, came.append)
                there.join()

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Both) as running:
        running.daemon_threads = True
        running.block_on_close = False
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield running.server_address[1], came
        running.shutdown()


@pytest.fixture(scope="module")
def storage(folder):
    """The address of the release on storage of this machine that speaks S3, and the sizes of what it sends."""
    with (
        loopback.storage(judge("release", "moto_server"), "public") as place,
        relay(int(place.rpartition(":")[2])) as (through, came),
    ):
        address = (
            f"s3://key:hidden@public/data/{DAY}?endpoint_override=127.0.0.1%3A{through}&scheme=http&region=us-east-1"
        )
        files, root = fs.FileSystem.from_uri(address)
        fs.copy_files(str(folder), root, destination_filesystem=files)
        yield address, came


def test_pyarrow_on_s3_is_sent_the_columns_that_it_names(folder, storage, report):
    known: dict[str, Callable[[str, str], pa.Table]] = {}
    exec(reading.programs()["due_and_missing"], known)
    address, came = storage
    came.clear()
    given = known["due_and_missing"](address, "fdaaa")
    whole = (folder / "missing_results.parquet").stat().st_size
    report("sent by S3", [f"due_and_missing: {sum(came):,} of {whole:,} bytes"])
    assert given == known["due_and_missing"](str(folder), "fdaaa")
    assert given.num_rows == ROWS / 2
    assert sum(came) < 0.5 * whole


def test_pyarrow_on_s3_passes_over_the_groups_of_other_trials(folder, storage, report):
    address, came = storage
    files, root = fs.FileSystem.from_uri(address)
    came.clear()
    trials = ds.dataset(f"{root}/trials.parquet", filesystem=files)
    given = trials.to_table(columns=["title"], filter=ds.field("trial_id") == TRIAL)
    whole = (folder / "trials.parquet").stat().st_size
    report("sent by S3", [f"the title of one trial: {sum(came):,} of {whole:,} bytes"])
    assert given.num_rows == 1
    assert sum(came) < 0.3 * whole


# --- Trino ----------------------------------------------------------------------------------------------------------


def test_statements_for_trino_have_the_types_of_the_files(tmp_path):
    """Of every public table: another parser reads the statement, translates it for DuckDB, and DuckDB finds in the file
    the columns of the table that it makes."""
    for table in PUBLIC.values():
        bulk.write(tmp_path, table, 0)
    code = """
import sys, duckdb, sqlglot
folder, *tables = sys.argv[1:]
for table in tables:
    statement = sqlglot.parse_one(create_table(folder, table, "s3://bucket/release"), read="trino")
    statement.set("properties", None)
    duckdb.sql(statement.sql("duckdb"))
    made, found = (duckdb.sql(f"DESCRIBE FROM {source}").fetchall() for source in (table, f"'{folder}/{table}.parquet'"))
    assert [column[:2] for column in made] == [column[:2] for column in found], (table, made, found)
print(len(tables))
"""
    python = program("remote", "python")
    if not python.exists():
        pytest.skip("the parser is not installed: run `make test-release`")
    done = subprocess.run(
        [str(python), "-c", reading.programs()["create_table"] + code, str(tmp_path), *PUBLIC],
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.stdout.split() == [str(len(PUBLIC))], done.stderr[-2000:]
