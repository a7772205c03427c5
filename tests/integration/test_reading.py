"""docs/reading.md: its programs run as they stand there. DuckDB, pandas over HTTP, pyarrow on S3 and Spark are asked in
`test_reading_outside.py` and `test_reading_spark.py`; here is what needs nothing installed.
"""

import pytest

from pipelines import store
from pipelines.release import tables
from tests import reading, releases
from tests.unit.test_serving import serving_of
from tests.worlds import AS_OF

PLACE = "s3://your-bucket/alltrials/2026-06-30"
ELSEWHERE = {"one_trial", "due_by_policy", "statuses", "open_release", "missing_by_sponsor_class"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A dated folder with the public tables, and a pointer to it; what else a release has is not read here."""
    data = tmp_path_factory.mktemp("read") / "data"
    releases.fill(data)
    built = releases.build(data, AS_OF)
    made = data / "releases" / AS_OF.isoformat()
    made.mkdir(parents=True)
    tables.write_tables(releases.settings(data), built, AS_OF, made)
    store.write_json(data / "releases" / "latest.json", {"release": made.name})
    return made


@pytest.fixture(scope="module")
def known():
    """Every function of the page that runs with what is installed by default."""
    known = {}
    for text in {text for name, text in reading.programs().items() if name not in ELSEWHERE}:
        exec(text, known)
    return known


def test_no_program_of_the_page_is_left_out(known):
    here = {"latest", "due_and_missing", "copy_for_trino", "trino_type", "create_table"}
    assert {*reading.programs()} == here | ELSEWHERE
    assert here <= {*known}


def test_the_pointer_leads_to_the_dated_folder(folder, known):
    with serving_of(folder.parents[1]) as port:
        address = f"http://127.0.0.1:{port}/releases"
        assert known["latest"](address) == f"{address}/{folder.name}"


def test_pyarrow_reads_some_columns_of_some_rows(folder, known):
    given = known["due_and_missing"](str(folder), "alltrials-summary")
    with store.connect() as connection:
        expected = connection.sql(
            f"SELECT trial_id, due_latest, sponsor FROM '{folder}/missing_results.parquet' "
            "WHERE policy = 'alltrials-summary' ORDER BY trial_id"
        ).fetchall()
    assert expected
    assert [tuple(row.values()) for row in given.to_pylist()] == expected


def test_the_statements_for_trino_are_those_that_the_program_gives(folder, known):
    shown = reading.STATEMENTS
    assert shown == [known["create_table"](str(folder), table, PLACE) for table in ("conditions", "legs_strict_day")]


def test_a_table_for_trino_is_alone_in_its_folder(folder, known, tmp_path):
    known["copy_for_trino"](str(folder), "conditions", str(tmp_path))
    assert [p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*.*")] == ["conditions/conditions.parquet"]
    copied = tmp_path / "conditions" / "conditions.parquet"
    assert copied.read_bytes() == (folder / "conditions.parquet").read_bytes()
