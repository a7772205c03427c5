"""Bad files beside good ones, import after import: what was built stays right and readable whatever comes in.

The kinds of damage one by one are in `unit/test_ctgov` and, through the command line, in `test_command_line`; here
stand what only several imports show, and what must not leave the building.
"""

import contextlib
import gzip
import io
import json
import re
import zipfile
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines import privacy, queries
from pipelines.__main__ import main
from tests.worlds import nct, study

MAIL = "ask.me+2@mail.uni-x.example.org"
PERSONS = ("Ann Example", "Bea Invented", "Cem Nobody", "Dee Person")
HTML = "<!DOCTYPE html><html><body>503 Service unavailable</body></html>"


class Warehouse:
    """A data folder and the command line on it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.data = folder, folder / "data"

    def file(self, name: str, content: Any) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not isinstance(content, str | bytes):
            content = json.dumps(content)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def run(self, *words: object) -> int:
        return main(["--data", str(self.data), *map(str, words)])

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        path = (self.data / "warehouse" / "alltrials.duckdb").resolve()
        with duckdb.connect(str(path), read_only=True) as connection:
            return connection.sql(sql).fetchall()


def with_everything_private(number: int) -> dict[str, Any]:
    """A study with an address in every text that is published, and persons wherever a sponsor can be one."""
    words = f"Write to {MAIL}"
    return study(
        number,
        status=words, study_type=words, registered=words, start=(words, words), pcd=(words, words), cd=words,
        phases=[words], sponsor=words, sponsor_class=words, aliases=[words], updated="2024-01-01",
        secondary=[{"id": words, "type": words, "domain": words}, {"id": MAIL, "type": "NIH"}],
        references=[{"pmid": words, "type": words, "citation": words}],
        events=[(words, words)],
        extra={
            "protocolSection": {
                "identificationModule": {
                    "orgStudyIdInfo": {"id": words}, "briefTitle": words, "officialTitle": words, "acronym": MAIL},
                "statusModule": {"whyStopped": words, "statusVerifiedDate": words, "lastKnownStatus": words},
                "conditionsModule": {"conditions": [words, MAIL], "keywords": [words]},
                "designModule": {"designInfo": {"primaryPurpose": words}, "enrollmentInfo": {"count": words}},
                "armsInterventionsModule": {
                    "interventions": [{"type": words, "name": words, "otherNames": [words, MAIL]}]},
                "outcomesModule": {
                    f"{kind}Outcomes": [{"measure": words, "timeFrame": words}]
                    for kind in ("primary", "secondary", "other")},
                "contactsLocationsModule": {
                    "locations": [{"country": words}, {"country": MAIL}, {"country": f"{MAIL} {MAIL}"}],
                    "centralContacts": [{"name": PERSONS[0], "phone": "+44 20 7946 0000", "email": MAIL}]},
                "sponsorCollaboratorsModule": {"collaborators": [{"name": words, "class": words}]},
            },
            "derivedSection": {
                "miscInfoModule": {"versionHolder": words, "removedCountries": [words, MAIL]},
                "conditionBrowseModule": {"meshes": [{"id": words, "term": words}]},
                "interventionBrowseModule": {"meshes": [{"id": words, "term": words}]},
            },
            "documentSection": {
                "largeDocumentModule": {"largeDocs": [{"hasSap": words, "label": words, "date": words,
                                                      "uploadDate": words, "filename": words}]}},
        },
    )  # fmt: skip


def of_persons() -> list[dict[str, Any]]:
    """Studies whose sponsor is a person: by class, by the responsible party's name, by an official's name."""
    party = {"sponsorCollaboratorsModule": {"responsibleParty": {"investigatorFullName": PERSONS[1]}}}
    official = {"contactsLocationsModule": {"overallOfficials": [{"name": f"{PERSONS[2]}, MD"}]}}
    helped = {"sponsorCollaboratorsModule": {"collaborators": [{"name": PERSONS[3], "class": "INDIV"}]}}
    return [
        study(31, sponsor=PERSONS[0], sponsor_class="INDIV"),
        study(32, sponsor=PERSONS[1], extra={"protocolSection": party}),
        study(33, sponsor=PERSONS[2], extra={"protocolSection": official}),
        study(34, extra={"protocolSection": helped}),
    ]


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    """A warehouse of five sound studies as of 2024-02-01."""
    made = Warehouse(tmp_path_factory.mktemp("bad input"))
    good = made.file("good.json", [study(number) for number in range(1, 6)])
    assert made.run("import", "ctgov", "--date", "2024-01-01", "--scope", "full", good) == 0
    assert made.run("build", "--as-of", "2024-02-01") == 0
    return made


@pytest.fixture(scope="module")
def second(first):
    """The same after a month's imports, most of them bad, and how the build of 2024-04-01 ended."""
    many = [study(number) for number in range(100, 200)]
    cut = json.dumps(many[:64]).encode()[:-1]
    with zipfile.ZipFile(first.folder / "mixed shapes.zip", "w") as archive:
        archive.writestr("a/page.json", json.dumps({"studies": [study(41), study(42)], "nextPageToken": "x"}))
        archive.writestr("../array.json", json.dumps([study(43), {"protocolSection": {}}]))
        archive.writestr("lines.json", f"{json.dumps(study(44))}\n{json.dumps(study(45))[:-9]}")
        archive.writestr(f"{MAIL}.html", HTML)
    files = [
        first.folder / "mixed shapes.zip",
        first.file("saved page.json", HTML),
        first.file("cut.json", cut),
        first.file("cut.json.gz", gzip.compress(json.dumps(many[64:80]).encode(), mtime=0)[:-4]),
        first.file("numbers.json", "[1, 2, 3]"),
        first.file("private.json", [with_everything_private(21), *of_persons()]),
        first.file('it\'s "so" [1]* ü 数.json', [study(51)]),
        first.file("1.json", [study(52), study(53)]),
        first.file(
            "versions.json",
            [study(1, updated="2024-02-20", enrolment=77), study(2, updated="2022-01-01", enrolment=22), study(3)],
        ),
    ]
    assert first.run("import", "ctgov", "--date", "2024-03-01", *files) == 0
    whole = first.file("whole.json", HTML)
    assert first.run("import", "ctgov", "--date", "2024-03-15", "--scope", "full", whole) == 0
    out, error = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(error):
        code = first.run("build", "--as-of", "2024-04-01")
    return first, code, out.getvalue(), error.getvalue()


def test_the_exit_code_and_the_summary_name_what_was_left_out(second):
    _, code, out, error = second
    assert code == 3
    left_out = [line for line in out.splitlines() if line.startswith("Left out: ")]
    assert sorted(line.split(": ")[1] for line in left_out) == [
        "cut.json",
        "cut.json.gz",
        f"mixed shapes.zip!{privacy.MASK}",
        "mixed shapes.zip!lines.json",
        "saved page.json",
        "whole.json",
    ]
    assert all(line.endswith(".") for line in left_out)
    assert "Traceback" not in out + error
    assert MAIL not in out + error


def test_every_record_of_every_file_is_accounted_for(second):
    found = {
        payload: figures
        for payload, *figures in second[0].rows(
            "SELECT payload, records_in, current_records, superseded, duplicate, rejected FROM payloads"
        )
    }
    assert found == {
        "good.json": [5, 4, 1, 0, 0],
        "mixed shapes.zip": [6, 4, 0, 0, 2],
        "saved page.json": [0, 0, 0, 0, 0],
        "cut.json": [64, 64, 0, 0, 0],
        "cut.json.gz": [16, 16, 0, 0, 0],
        "numbers.json": [1, 0, 0, 0, 1],
        "private.json": [5, 5, 0, 0, 0],
        'it\'s "so" [1]* ü 数.json': [1, 1, 0, 0, 0],
        "1.json": [2, 2, 0, 0, 0],
        "versions.json": [3, 1, 1, 1, 0],
        "whole.json": [0, 0, 0, 0, 0],
    }


def test_the_good_records_are_in_the_warehouse(second):
    numbers = {n for (n,) in second[0].rows("SELECT registration_id FROM registrations")}
    expected = [*range(1, 6), 21, *range(31, 35), *range(41, 45), *range(51, 54), *range(100, 180)]
    assert numbers == {nct(number) for number in expected}


def test_what_was_rejected_is_named(second):
    found = second[0].rows("SELECT payload, scope, record, value, reason FROM rejected_records WHERE scope <> 'field'")
    named = {(payload, scope, record, value) for payload, scope, record, value, _ in found}
    assert named == {
        ("saved page.json", "payload", "saved page.json", ""),
        ("whole.json", "payload", "whole.json", ""),
        ("cut.json", "payload", "cut.json", ""),
        ("cut.json.gz", "payload", "cut.json.gz", ""),
        ("mixed shapes.zip", "payload", f"mixed shapes.zip!{privacy.MASK}", ""),
        ("mixed shapes.zip", "payload", "mixed shapes.zip!lines.json", ""),
        (
            "mixed shapes.zip",
            "record",
            f"mixed shapes.zip!lines.json at byte {len(json.dumps(study(44))) + 1}",
            nct(45),
        ),
        ("mixed shapes.zip", "record", "mixed shapes.zip#4", ""),
        ("numbers.json", "record", "numbers.json at byte 1", ""),
    }
    assert all(reason.strip() for *_, reason in found)


def test_the_newest_version_wins_and_the_others_are_recorded(second):
    versions = second[0].rows(
        f"""SELECT registration_id, version, is_current, enrolment FROM registration_versions
        WHERE registration_id IN ('{nct(1)}', '{nct(2)}', '{nct(3)}') ORDER BY ALL"""
    )
    assert versions == [
        (nct(1), 1, False, 50),
        (nct(1), 2, True, 77),
        (nct(2), 1, False, 22),  # a later import of an older state
        (nct(2), 2, True, 50),
        (nct(3), 1, True, 50),
    ]


def test_a_whole_snapshot_that_cannot_be_read_says_of_no_study_that_it_is_gone(second):
    assert second[0].rows("SELECT count(*) FROM registrations WHERE vanished_on IS NOT NULL") == [(0,)]


def test_a_study_whose_every_value_is_wrong_is_there_with_each_field_named(second):
    warehouse = second[0]
    (row,) = warehouse.rows(
        f"""SELECT status, phase, start_raw, start_earliest, start_precision, enrolment, sponsor
        FROM registrations WHERE registration_id = '{nct(21)}'"""
    )
    assert row == (None, None, f"Write to {privacy.MASK}", None, "none", None, f"Write to {privacy.MASK}")
    named = {f for (f,) in warehouse.rows(f"SELECT field FROM rejected_records WHERE record = '{nct(21)}'")}
    assert named >= {
        "status", "study_type", "phase", "registered", "start", "primary_completion", "completion", "enrolment",
        "sponsor_class", "title", "identifiers", "conditions", "keywords", "interventions", "outcomes", "documents",
    }  # fmt: skip


def test_nothing_private_is_in_any_parquet_file(second):
    """Nor in the DuckDB file: it is made of them."""
    files = sorted((second[0].data / "warehouse").glob("*.parquet"))
    assert len(files) > 20
    secrets = re.compile("|".join([privacy.EMAIL, "7946 0000", *PERSONS]))
    with duckdb.connect() as connection:
        for file in files:
            text = connection.execute("SELECT string_agg(t::VARCHAR, ' ') FROM read_parquet(?) AS t", [str(file)])
            assert secrets.search(text.fetchall()[0][0] or "") is None, file.name
    persons = second[0].rows("SELECT registration_id, sponsor FROM registrations WHERE sponsor_is_person ORDER BY 1")
    assert persons == [(nct(number), privacy.PRIVATE_PERSON) for number in (31, 32, 33)]


# --- the last good build --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("table", "planted", "words"),
    [
        ("sponsors", "SELECT * EXCLUDE (name) FROM ({sql})", "missing: name"),
        ("conditions", f"SELECT * REPLACE ('{MAIL}' AS condition) FROM ({{sql}})", "no_mail"),
    ],
    ids=["cannot be made", "fails a check"],
)
def test_a_build_that_fails_leaves_the_last_one(second, monkeypatch, capsys, table, planted, words):
    warehouse = second[0]
    before, builds = (warehouse.data / "warehouse").resolve(), sorted((warehouse.data / "builds").iterdir())
    every = queries.all_queries
    plain = next(query.sql for query in every() if query.name == table)
    monkeypatch.setattr(
        queries, "all_queries", lambda overrides=None, profile="": every({table: planted.format(sql=plain)})
    )
    assert warehouse.run("build", "--as-of", "2024-05-01") == 1
    captured = capsys.readouterr()
    (sentence,) = [line for line in captured.err.splitlines() if line.startswith("Error: ")]
    assert words in sentence
    assert "The last good build is untouched." in sentence
    assert MAIL not in captured.out + captured.err
    assert "Traceback" not in captured.err
    assert (warehouse.data / "warehouse").resolve() == before
    assert sorted((warehouse.data / "builds").iterdir()) == builds
    assert warehouse.rows("SELECT count(*) FROM trials") == [(97,)]


# --- odd questions --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "number",
    [nct(1), nct(1).lower(), f"  {nct(1)} ", f"{nct(1)[:3]} {nct(1)[3:]}", f"{nct(1)[:3]}-{nct(1)[3:]}", "ex-1"],
)
def test_explain_takes_any_spelling(second, capsys, number):
    assert second[0].run("explain", number) == 0
    assert nct(1) in capsys.readouterr().out


@pytest.mark.parametrize(
    "number", ["", " ", "NCT", "NCT99999999", "'; DROP TABLE trials; --", "%", "\0", "x" * 9999, "１２"]
)
def test_explain_of_what_is_no_number_is_one_clear_sentence(second, capsys, number):
    assert second[0].run("explain", number) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("Error: No trial in the warehouse is known by the number")


def test_explain_names_no_private_person(second, capsys):
    assert second[0].run("explain", nct(32)) == 0
    out = capsys.readouterr().out
    assert privacy.PRIVATE_PERSON in out
    assert PERSONS[1] not in out


@pytest.mark.parametrize(
    "sql",
    [
        "",
        "-- nothing",
        "SELECT",
        "SELECT * FROM nothing",
        "DROP TABLE trials",
        "CREATE TABLE mine (a INTEGER)",
        "COPY trials TO 'stolen.csv'",
        "FROM read_csv('/etc/hostname')",
        "ATTACH 'other.duckdb'",
        "INSTALL httpfs",
        "SET enable_external_access = true",
        "SELECT CAST('x' AS INTEGER)",
    ],
)
def test_a_query_that_cannot_be_answered_is_one_clear_sentence(second, capsys, sql):
    assert second[0].run("query", sql) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("Error: The query ")
    assert captured.err.count("\n") == 1
    assert second[0].rows("SELECT count(*) FROM trials") == [(97,)]


@pytest.mark.parametrize("kind", ["table", "csv", "json"])
@pytest.mark.parametrize(
    "sql",
    [
        "SELECT DATE '99999-01-01' AS d, 'infinity'::DATE AS i, 'nan'::DOUBLE AS n",
        "SELECT [1, NULL] AS l, {'a': 1} AS s, MAP {1: 2} AS m, INTERVAL 3 MONTH AS i, BLOB '\\xAA' AS b",
        "SELECT * FROM registrations LIMIT 3",
        "SELECT 1 AS nothing WHERE false",
        "SELECT 1; SELECT 2",
    ],
)
def test_any_answer_can_be_printed(second, capsys, kind, sql):
    assert second[0].run("query", sql, "--format", kind) == 0
    assert capsys.readouterr().out.strip()


# --- wrong use ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["nonsense"],
        ["import"],
        ["import", "ctgov"],
        ["import", "ctgov", "--date", "2024-01-01"],
        ["import", "ctgov", "--date", "2024-02-30", "{good}"],
        ["import", "ctgov", "--date", "yesterday", "{good}"],
        ["import", "ctgov", "--date", "2024-01-01", "{folder}"],
        ["import", "ctgov", "--date", "2024-01-01", "not there.json"],
        ["import", "ctgov", "--date", "2024-01-01", "{good}", "{good}"],
        ["import", "ctgov", "--date", "2024-01-01", "--scope", "half", "{good}"],
        ["import", "ctgov", "--date", "2024-01-01", "--baseline", "{good}"],
        ["import", "../raw", "--date", "2024-01-01", "{good}"],
        ["import", "--list", "not there.csv"],
        ["import", "--list", "{columns}"],
        ["build"],
        ["build", "--as-of", "2024-13-01"],
        ["build", "--as-of", "1999-01-01"],
        ["query"],
        ["query", "SELECT 1", "--format", "xml"],
        ["sample", "--out", "{folder}", "--trials", "0"],
        ["sample", "--out", "{folder}", "--trials", "many"],
        ["audit", "nowhere", "{good}"],
    ],
    ids=" ".join,
)
def test_wrong_use_is_told_in_words_and_changes_nothing(first, capsys, words):
    good, columns = first.folder / "good.json", first.file("columns.csv", "a,b\n1,2\n")
    filled = [word.format(good=good, folder=first.folder, columns=columns) for word in words]
    before = sorted(str(path) for path in (first.data / "raw").rglob("*"))
    try:
        code = first.run(*filled)
    except SystemExit as stopped:  # argparse has its own way out
        code = stopped.code
    assert code == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert re.search(r"error: ", captured.err, re.IGNORECASE)
    assert "Traceback" not in captured.err
    assert sorted(str(path) for path in (first.data / "raw").rglob("*")) == before
