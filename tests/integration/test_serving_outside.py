"""The server before a reader that knows nothing of us: a native DuckDB that attaches a released file over HTTP. Run by
`make test-release`, which installs one with its extension; what it transfers is counted.
"""

import json
import subprocess
import threading
from pathlib import Path

import pytest

from pipelines import serving, store
from tests.judges import program

pytestmark = pytest.mark.outside

ROWS = 2_000_000
CODE = """
import json, sys, duckdb, duckdb_extension_httpfs
from pathlib import Path
(extension,) = Path(duckdb_extension_httpfs.__file__).parent.rglob("httpfs.duckdb_extension")
c = duckdb.connect(config={"autoinstall_known_extensions": "false"})
c.execute(f"LOAD '{extension}'")
address, sql = sys.argv[1:]
c.execute(f"ATTACH '{address}/alltrials.duckdb' AS r (READ_ONLY)")
print(json.dumps(c.execute(sql.replace("ADDRESS", address)).fetchall()))
"""


@pytest.fixture(scope="module")
def released(tmp_path_factory):
    """A DuckDB file and a Parquet file of some size, in a dated folder."""
    data = tmp_path_factory.mktemp("remote") / "data"
    folder = data / "releases" / "2024-06-30"
    folder.mkdir(parents=True)
    rows = f"SELECT range AS number, md5(range::VARCHAR) AS text, md5('b' || range) AS other FROM range({ROWS})"
    with store.connect(folder / "alltrials.duckdb") as connection:
        connection.execute(f"CREATE TABLE trials AS {rows}")
        connection.execute("CREATE TABLE sources AS SELECT 'ctgov' AS source")
        store.write_parquet(connection, rows, folder / "trials.parquet", {"title": "trials"})
    return data, folder


def asked(data: Path, sql: str) -> tuple[list[list[object]], int]:
    """What a DuckDB elsewhere answers, and the bytes that it was sent."""
    python = program("remote", "python")
    if not python.exists():
        pytest.skip("the DuckDB that reads over HTTP is not installed: run `make test-release`")
    sent: list[int] = []
    with serving.server(data, 0, lambda address, status, size: sent.append(size)) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        try:
            address = f"http://127.0.0.1:{running.server_address[1]}/releases/2024-06-30"
            words = [str(python), "-c", CODE, address, sql]
            done = subprocess.run(words, capture_output=True, text=True, timeout=120)
        finally:
            running.shutdown()
            thread.join()
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout), sum(sent)


@pytest.mark.parametrize(
    ("sql", "answer", "share"),
    [
        ("FROM r.sources", [["ctgov"]], 0.1),
        ("SELECT text FROM r.trials WHERE number = 7", [["8f14e45fceea167a5a36dedd4bea2543"]], 0.25),
        ("SELECT count(*) FROM r.trials", [[ROWS]], 0.1),
        ("SELECT max(number) FROM read_parquet('ADDRESS/trials.parquet')", [[ROWS - 1]], 0.25),
    ],
)
def test_a_remote_duckdb_is_sent_what_its_question_needs(released, sql, answer, share, report):
    data, folder = released
    given, transferred = asked(data, sql)
    whole = (folder / "alltrials.duckdb").stat().st_size
    report("bytes sent to a remote DuckDB", [f"{transferred:,} of {whole:,}: {sql}"])
    assert given == answer
    assert transferred < share * whole


def test_a_question_that_needs_everything_is_sent_everything(released):
    """So that the small numbers say something."""
    data, folder = released
    _, transferred = asked(data, "SELECT count(DISTINCT text || other) FROM r.trials")
    assert transferred > 0.8 * (folder / "alltrials.duckdb").stat().st_size
