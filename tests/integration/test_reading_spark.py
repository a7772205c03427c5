"""A release before Spark in local mode: every public table, and the program of docs/reading.md. Run by `make test-spark`,
which installs Spark and a Java for it; DuckDB says what it has to find.
"""

import json
import os
import re
import subprocess

import pytest

from pipelines import store
from pipelines.__main__ import main
from pipelines.contracts import contracts
from pipelines.release import shelf, tables
from tests import reading
from tests.judges import java_home, program

pytestmark = pytest.mark.spark

PUBLIC = tables.public(contracts()).tables
PLAIN = {"VARCHAR": "string", "BIGINT": "bigint", "INTEGER": "int", "DOUBLE": "double", "BOOLEAN": "boolean", "DATE": "date"}  # fmt: skip
SETTINGS = {
    "spark.master": "local[1]",
    "spark.driver.memory": "1g",
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1",  # what runs for a minute is not worth compiling well
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
    "spark.ui.enabled": "false",
    "spark.sql.shuffle.partitions": "1",
}
QUESTIONS = {
    "dates and structs": """SELECT started_on.outcome, min(start_earliest), max(start_latest), count(deadline_latest)
        FROM legs_strict_day GROUP BY started_on.outcome ORDER BY count(*), 1 NULLS FIRST""",
    "lists": """SELECT size(interventions), count(*) FROM missing_results
        GROUP BY size(interventions) ORDER BY 1 NULLS FIRST""",
    "lists of structs": """SELECT trial_id, get(completion_dates, 0).field, get(completion_dates, 0).raw FROM trials
        WHERE get(completion_dates, 0).field IS NOT NULL ORDER BY trial_id""",
}
DUCKDBS = {"size(": "len(", "get(completion_dates, 0)": "completion_dates[1]"}
"""DuckDB's words for Spark's."""
RUN = """
import json, sys
folder, questions = sys.argv[1], json.loads(sys.argv[3])
tables = sys.argv[2].split(",")
spark = open_release(folder, tables)
said = {"types": {}, "values": {}}
for table in tables:
    frame = spark.table(table)
    said["types"][table] = {field.name: field.dataType.simpleString() for field in frame.schema}
    counts = ", ".join(f"count(`{name}`)" for name in frame.columns)
    said["values"][table] = list(spark.sql(f"SELECT count(*), {counts} FROM {table}").first())
said["answers"] = {name: [list(row) for row in spark.sql(sql).collect()] for name, sql in questions.items()}
said["program"] = [list(row) for row in missing_by_sponsor_class(folder)]
spark.stop()
print(json.dumps(said, default=str))
"""


@pytest.fixture(scope="module")
def spark():
    """The Python that has Spark."""
    python = program("spark", "python")
    if not python.exists():
        pytest.skip("Spark is not installed: run `make test-spark`")
    return str(python)


@pytest.fixture(scope="module")
def release(spark, tmp_path_factory):
    """The release of a sample world of 300 trials."""
    folder = tmp_path_factory.mktemp("sparked")
    data = folder / "data"
    assert main(["sample", "--trials", "300", "--seed", "1", "--out", str(folder)]) == 0
    assert main(["--data", str(data), "import", "--list", str(folder / "imports.csv")]) == 0
    as_of = (folder / "truth.csv").read_text(encoding="utf-8").splitlines()[1].split(",")[0]
    assert main(["--data", str(data), "build", "--as-of", as_of]) == 0
    assert main(["--data", str(data), "release"]) == 0
    (made,) = shelf.listed(data)
    return made


@pytest.fixture(scope="module")
def said(spark, release, tmp_path_factory):
    """What Spark says of the release."""
    aside = tmp_path_factory.mktemp("spark")
    lines = "".join(f"{name} {value}\n" for name, value in SETTINGS.items())
    (aside / "spark-defaults.conf").write_text(lines, encoding="utf-8")
    env = {"JAVA_HOME": java_home(), "SPARK_CONF_DIR": aside, "SPARK_LOCAL_DIRS": aside, "SPARK_LOCAL_IP": "127.0.0.1"}
    done = subprocess.run(
        [spark, "-c", reading.programs()["open_release"] + RUN, str(release.folder), ",".join(PUBLIC), json.dumps(QUESTIONS)],
        env=os.environ | {name: str(value) for name, value in env.items()},
        cwd=aside, capture_output=True, text=True, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def spelled(type_: str) -> str:
    """A contract's type in Spark's words."""
    if type_.endswith("[]"):
        return f"array<{spelled(type_[:-2])}>"
    if struct := re.fullmatch(r"STRUCT\((.*)\)", type_):
        fields = (field.split() for field in struct[1].split(", "))
        return "struct<" + ",".join(f"{name}:{spelled(kind)}" for name, kind in fields) + ">"
    return PLAIN[type_]


@pytest.mark.parametrize("table", PUBLIC.values(), ids=lambda table: table.name)
def test_spark_reads_the_columns_and_the_values_that_are_there(release, said, table):
    assert said["types"][table.name] == {c.name: spelled(c.type) for c in table.columns}
    counts = ", ".join(f'count("{name}")' for name in table.column_names)
    with store.connect() as connection:
        path = store.literal(release.folder / tables.parquet(table))
        (expected,) = connection.execute(f"SELECT count(*), {counts} FROM read_parquet({path})").fetchall()
    assert said["values"][table.name] == list(expected)
    listed = {file["file"]: file.get("rows") for file in release.manifest["files"]}
    assert listed[tables.parquet(table)] == expected[0]


def test_spark_answers_as_duckdb_does(release, said):
    (program_sql,) = re.findall(r'spark\.sql\("""(.*?)"""', reading.programs()["missing_by_sponsor_class"], re.DOTALL)
    with store.open_database(release.folder / "alltrials.duckdb") as connection:
        for name, asked in {**QUESTIONS, "program": program_sql}.items():
            sql = asked
            for theirs, ours in DUCKDBS.items():
                sql = sql.replace(theirs, ours)
            expected = json.loads(json.dumps(connection.execute(sql).fetchall(), default=str))
            assert expected, name
            assert said["answers"].get(name, said["program"]) == expected, name
