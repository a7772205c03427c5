"""The command line on good and bad files: clear words, right exit codes, nothing lost, the last good build kept."""

import gzip
import json
import shutil
import zipfile
from datetime import date

import duckdb
import pytest

from pipelines import build
from pipelines.__main__ import main
from pipelines.errors import DataError
from tests.worlds import article, article_set, nct, settings, study

AS_OF = "2024-06-30"


def run(data, *words):
    return main(["--data", str(data), *map(str, words)])


def html():
    return "<!DOCTYPE html><html><body>503 Service unavailable</body></html>"


def ndjson(*studies):
    return "\n".join(json.dumps(s) for s in studies)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A folder of good and bad dumps, imported as one snapshot each, and the build of them."""
    folder = tmp_path_factory.mktemp("bad")
    data = folder / "data"
    ctgov, pubmed = folder / "ctgov", folder / "pubmed"
    ctgov.mkdir()
    pubmed.mkdir()

    def text(name, content):
        (ctgov / name).write_text(content, encoding="utf-8")

    text("good.json", json.dumps([study(n) for n in range(1, 6)]))
    text("page.json", json.dumps({"studies": [study(11), study(12)], "nextPageToken": "t"}))
    text("single.json", json.dumps(study(13), indent=2))
    text("lines.json", ndjson(study(14), study(15)))
    text("saved-page.json", html())
    text("empty.json", "")
    text("no-study.json", json.dumps({"hello": "world"}))
    text("no-number.json", json.dumps([study(16), {"protocolSection": {}}, study(17)]))
    hundred = json.dumps([study(n) for n in range(100, 200)])
    cut = hundred.index(f'{{"protocolSection": {{"identificationModule": {{"nctId": "{nct(164)}"') + 200
    text("cut-off.json", hundred[:cut])
    packed = gzip.compress(json.dumps([study(n) for n in range(200, 260)]).encode(), mtime=0)
    (ctgov / "truncated.json.gz").write_bytes(packed[: len(packed) * 2 // 3])
    with zipfile.ZipFile(ctgov / "foreign.zip", "w") as archive:
        archive.writestr(f"{nct(18)}.json", json.dumps(study(18)))
        archive.writestr("README.txt", "This is no study.")
        archive.writestr("../../escape.json", json.dumps(study(19)))
    newer = study(1, updated="2024-02-01", enrolment=77)
    text("twice.json", json.dumps([newer, study(1, updated="2020-01-01", enrolment=11)]))
    odd = study(20, pcd="2641-03", start="2021-02-31", status="ALMOST_DONE", enrolment="many")
    odd["protocolSection"]["identificationModule"]["orgStudyIdInfo"]["id"] = "write to someone@example.org"
    text("odd-values.json", json.dumps([odd]))
    large = study(21, extra={"protocolSection": {"descriptionModule": {"briefSummary": "x" * 41_000_000}}})
    text("large.json", json.dumps(large))

    (pubmed / "pubmed24n0001.xml").write_text(article_set(article(900000001, bank=(nct(1),))))
    body = article_set(article(900000002, bank=(nct(2),)), article(900000003, bank=(nct(3),)))
    (pubmed / "pubmed24n0002.xml").write_text(body[: body.index("900000003") + 60])
    (pubmed / "pubmed24n0004.xml").write_text(article_set(article(900000004, bank=(nct(4),))))
    wrong = pubmed / "pubmed23n0900.xml"
    wrong.write_text(article_set(article(900000005)))
    wrong.with_name(wrong.name + ".md5").write_text(f"MD5({wrong.name})= {'0' * 32}\n")

    assert run(data, "import", "ctgov", "--date", AS_OF, *sorted(ctgov.iterdir())) == 0
    assert run(data, "import", "pubmed", "--date", AS_OF, *sorted(pubmed.glob("*.xml"))) == 0
    return data, run(data, "build", "--as-of", AS_OF)


@pytest.fixture(scope="module")
def warehouse(world):
    data, code = world
    assert code == 3
    copy = data.parent / "copy.duckdb"  # one process opens one file in one way only
    shutil.copyfile(data / "warehouse" / "alltrials.duckdb", copy)
    with duckdb.connect(str(copy), read_only=True) as connection:
        yield connection


def rows(connection, sql):
    return connection.sql(sql).fetchall()


def test_the_good_records_of_every_file_got_in(warehouse):
    found = {n for (n,) in rows(warehouse, "SELECT registration_id FROM registrations")}
    expected = {nct(n) for n in [*range(1, 6), *range(11, 22), *range(100, 164)]}
    rescued = found - expected
    assert expected <= found
    assert rescued <= {nct(n) for n in range(200, 260)}  # what stands before the cut of the truncated gzip


def test_every_record_is_accounted_for(warehouse):
    found = {
        name: tuple(figures)
        for name, *figures in rows(
            warehouse, "SELECT payload, records_in, current_records, superseded, duplicate, rejected FROM payloads"
        )
    }
    assert found["cut-off.json"] == (65, 64, 0, 0, 1)
    assert found["no-number.json"] == (3, 2, 0, 0, 1)
    assert found["twice.json"] == (2, 1, 1, 0, 0)
    assert found["no-study.json"] == (1, 0, 0, 0, 1)
    assert found["foreign.zip"] == (2, 2, 0, 0, 0)
    assert found["saved-page.json"] == found["empty.json"] == (0, 0, 0, 0, 0)
    for figures in found.values():
        assert figures[0] >= sum(figures[1:])


@pytest.mark.parametrize(
    ("payload", "scope", "words"),
    [
        ("saved-page.json", "payload", "HTML"),
        ("empty.json", "payload", "empty"),
        ("no-study.json", "record", "no NCT number"),
        ("no-number.json", "record", "no NCT number"),
        ("cut-off.json", "record", "cut off"),
        ("truncated.json.gz", "payload", "cut off"),
        ("foreign.zip", "payload", "JSON"),
        ("pubmed24n0002.xml", "payload", "cut off"),
        ("pubmed23n0900.xml", "payload", "MD5"),
    ],
)
def test_what_did_not_get_in_is_named_with_the_reason(warehouse, payload, scope, words):
    found = rows(warehouse, f"SELECT scope, reason FROM rejected_records WHERE payload = '{payload}'")
    assert [reason for kind, reason in found if kind == scope and words.lower() in reason.lower()], found


def test_a_field_that_cannot_be_is_nulled_and_named_and_its_record_kept(warehouse):
    (found,) = rows(
        warehouse,
        f"""SELECT primary_completion_raw, primary_completion_precision, primary_completion_earliest, start_earliest,
            status, status_source, enrolment FROM registrations WHERE registration_id = '{nct(20)}'""",
    )
    assert found == ("2641-03", "none", None, None, None, "ALMOST_DONE", None)
    named = dict(rows(warehouse, f"SELECT field, value FROM rejected_records WHERE record = '{nct(20)}'"))
    assert named == {
        "primary_completion": "2641-03", "start": "2021-02-31", "status": "ALMOST_DONE", "enrolment": "many",
        "identifiers": "[e-mail removed]",
    }  # fmt: skip


def test_the_newest_version_wins_and_the_other_is_recorded(warehouse):
    assert rows(warehouse, f"SELECT enrolment FROM registrations WHERE registration_id = '{nct(1)}'") == [(77,)]
    versions = f"SELECT version, enrolment FROM registration_versions WHERE registration_id = '{nct(1)}' ORDER BY 1"
    assert rows(warehouse, versions) == [(1, 11), (2, 50), (3, 77)]


def test_an_update_file_after_a_missing_one_waits(warehouse):
    assert rows(warehouse, "SELECT payload FROM payloads WHERE is_held_back") == [("pubmed24n0004.xml",)]
    assert {p for (p,) in rows(warehouse, "SELECT pmid FROM publications")} == {900000001, 900000002}


def test_a_build_tells_what_was_left_out(world, capsys):
    data, _ = world
    assert run(data, "build", "--as-of", AS_OF) == 3
    out = capsys.readouterr().out
    for name in ("saved-page.json", "foreign.zip!README.txt", "pubmed24n0004.xml", "pubmed23n0900.xml"):
        assert f"Left out: {name}" in out
    assert "cut-off.json: 65 = 64 + 0 + 0 + 1" in out
    assert "someone@example.org" not in out


def test_importing_again_changes_nothing_and_says_so(world, capsys):
    data, _ = world
    path = next((data / "raw" / "ctgov").glob("*/good.json"))
    for _ in range(2):
        assert run(data, "import", "ctgov", "--date", AS_OF, path) == 0
    assert "already imported, nothing changed" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["import"], "Say what to import"),
        (["import", "ctgov", "--date", "yesterday", "x.json"], "is not a day"),
        (["import", "ctgov", "--date", AS_OF, "not-there.json"], "there is no such file"),
        (["import", "nowhere", "--date", AS_OF, "x.json"], "There is no source"),
        (["build", "--as-of", "2024-13-01"], "is not a day"),
        (["query", "SELECT * FROM nothing"], "The query failed"),
        (["query", "DROP TABLE trials"], "The query failed"),
        (["query", "COPY trials TO 'stolen.csv'"], "The query failed"),
        (["query", "FROM read_text('/etc/hostname')"], "The query failed"),
        (["explain", "NCT98765432"], "No trial in the warehouse"),
        (["import", "--list", "not-there.csv"], "there is no such file"),
        (["audit", "nowhere", "x.json"], "There is no source"),
        (["query", ""], "The query is empty"),
    ],
)
def test_wrong_use_is_one_clear_sentence(world, capsys, words, message):
    data, _ = world
    assert run(data, *words) == 2
    error = capsys.readouterr().err
    assert error.startswith("Error: ")
    assert message in error
    assert "Traceback" not in error


def test_without_a_warehouse_the_commands_say_what_to_do(tmp_path, capsys):
    assert run(tmp_path, "query", "SELECT 1") == 2
    assert run(tmp_path, "build", "--as-of", AS_OF) == 2
    error = capsys.readouterr().err
    assert "run `build` first" in error
    assert "run `import` first" in error


def test_a_world_without_any_study_builds_and_says_what_was_left_out(tmp_path, capsys):
    (tmp_path / "page.json").write_text(html())
    assert run(tmp_path / "data", "import", "ctgov", "--date", AS_OF, tmp_path / "page.json") == 0
    assert run(tmp_path / "data", "build", "--as-of", AS_OF) == 3
    out = capsys.readouterr().out
    assert "0 trials" in out
    assert "Left out: page.json" in out


def test_query_prints_csv_and_json(world, capsys):
    data, _ = world
    sql = f"SELECT registration_id, enrolment, start_earliest FROM registrations WHERE registration_id = '{nct(2)}'"
    assert run(data, "query", sql, "--format", "csv") == 0
    assert capsys.readouterr().out == f"registration_id,enrolment,start_earliest\n{nct(2)},50,2020-01-15\n"
    assert run(data, "query", sql, "--format", "json") == 0
    assert json.loads(capsys.readouterr().out) == [
        {"registration_id": nct(2), "enrolment": 50, "start_earliest": "2020-01-15"}
    ]


SPONSORS = "registration_sponsors"
PLANTED = {
    SPONSORS: """SELECT * REPLACE ('boss' AS role, 'nobody' AS sponsor_id, 'ask me@example.org' AS name) FROM ({sql})
        UNION ALL FROM ({sql})""",
    "coverage": "SELECT * REPLACE (DATE '2641-03-01' AS newest_sighting) FROM ({sql})",
    "scorecards": """SELECT * REPLACE (due + CASE WHEN unit_kind = 'country' THEN 1 ELSE 0 END AS due)
        FROM ({sql}) WHERE unit_kind <> 'sponsor'""",
    "disclosure": "SELECT * REPLACE (NOT r2_summary_results AS r2_summary_results) FROM ({sql})",
    "reporting_status": "SELECT * FROM ({sql}) WHERE policy <> 'who-summary'",
}


def planted(*tables):
    from pipelines import queries

    plain = {q.name: q.sql for q in queries.all_queries()}
    return {table: PLANTED[table].format(sql=plain[table]) for table in tables}


def test_planted_violations_of_every_kind_stop_the_build_and_leave_the_last_one(world, capsys):
    data, _ = world
    before = (data / "warehouse").resolve()
    with pytest.raises(DataError, match="The build stopped") as stopped:
        build.build(settings(data), date.fromisoformat(AS_OF), overrides=planted(*PLANTED))
    assert "more checks failed" in str(stopped.value)
    assert "me@example.org" not in str(stopped.value)
    still_readable(data, before)


def test_each_planted_violation_is_found_by_its_check(world, tmp_path):
    data, _ = world
    chosen = settings(data)
    taken = build.snapshots.listed(data)
    registers = build.read_registers(chosen, taken)
    staged = [*registers, *build.read_articles(chosen, taken, registers)]
    built = build.make(chosen, date.fromisoformat(AS_OF), staged, tmp_path, overrides=planted(*PLANTED))
    failed = {(r.table_name, r.check_name) for r in built.failed}
    assert failed >= {
        (SPONSORS, "key_unique"), (SPONSORS, "role_vocabulary"), (SPONSORS, "sponsor_id_references"),
        (SPONSORS, "no_mail"), ("coverage", "newest_sighting_possible"), ("legs_who_summary", "has_its_verdicts"),
        ("scorecards", "partitions_sum_to_headline"), ("scorecards", "countries_counted_once"),
        ("scorecards", "groups_sum_to_trials"), ("disclosure", "any_results_is_the_rungs"),
        ("disclosure", "agrees_with_reporting_status"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("change", "words"),
    [("EXCLUDE (name)", "missing: name"), ("REPLACE (NULL AS role)", "required value is missing")],
    ids=["missing column", "missing value"],
)
def test_a_table_that_is_not_whole_stops_the_build(world, change, words):
    from pipelines import queries

    data, _ = world
    before = (data / "warehouse").resolve()
    plain = next(q.sql for q in queries.all_queries() if q.name == SPONSORS)
    with pytest.raises(DataError, match=words):
        build.build(
            settings(data), date.fromisoformat(AS_OF), overrides={SPONSORS: f"SELECT * {change} FROM ({plain})"}
        )
    still_readable(data, before)


def still_readable(data, before):
    assert (data / "warehouse").resolve() == before
    assert not list((data / "builds").glob(".*unpublished*"))
    with duckdb.connect(str(before / "alltrials.duckdb"), read_only=True) as connection:
        assert rows(connection, "SELECT count(*) > 0 FROM trials") == [(True,)]
