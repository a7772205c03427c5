"""Whole builds of the sample world: verdicts as it was made, the same bytes whatever the order, nothing private."""

import csv
import functools
import http.server
import re
import shutil
import subprocess
import sys
import threading
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines import build, importing, privacy, sample
from pipelines.__main__ import main
from pipelines.contracts import contracts
from pipelines.errors import UsageError
from pipelines.settings import DOCS, ROOT, Settings
from tests import cookbook

TRIALS = 2000
VERDICTS = {
    "strict_day": ("registration_status", "rule", "strict-day"),
    "month": ("registration_status", "rule", "month"),
    "us_21_days": ("registration_status", "rule", "us-21-days"),
    "alltrials_summary": ("reporting_status", "policy", "alltrials-summary"),
    "who_summary": ("reporting_status", "policy", "who-summary"),
    "who_publication": ("reporting_status", "policy", "who-publication"),
}


def settings(data: Path, threads: int = 2) -> Settings:
    return Settings(data, threads, "1GB")


def imported(data: Path, world: Path, backwards: bool = False) -> Path:
    wanted = importing.read_list(world / "imports.csv")
    for item in reversed(wanted) if backwards else wanted:
        importing.take(data, item)
    return data


def truth(world: Path) -> list[dict[str, str]]:
    with (world / "truth.csv").open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def warehouse(data: Path) -> duckdb.DuckDBPyConnection:
    return duckdb.connect(str((data / "warehouse" / "alltrials.duckdb").resolve()), read_only=True)


def parquet_bytes(folder: Path) -> dict[str, bytes]:
    about_run = {f"{t.name}.parquet" for t in contracts().tables.values() if t.about_run}
    return {p.name: p.read_bytes() for p in sorted(folder.glob("*.parquet")) if p.name not in about_run}


@pytest.fixture(scope="module")
def worlds(tmp_path_factory):
    """The sample world of a seed, written once, and a data folder with its build."""
    made: dict[int, tuple[Path, Path]] = {}

    def world(seed: int) -> tuple[Path, Path]:
        if seed not in made:
            folder = tmp_path_factory.mktemp(f"world{seed}")
            sample.write_sample(folder, TRIALS, seed)
            data = imported(folder / "data", folder)
            build.build(settings(data), date.fromisoformat(truth(folder)[0]["as_of"]))
            made[seed] = (folder, data)
        return made[seed]

    return world


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_every_verdict_is_what_the_trial_was_made_to_be(worlds, seed):
    folder, data = worlds(seed)
    expected = truth(folder)
    with warehouse(data) as connection:
        trials = {t for (t,) in connection.sql("SELECT trial_id FROM trials").fetchall()}
        assert trials == {row["trial_id"] for row in expected}
        wrong = []
        for column, (table, name, rule) in VERDICTS.items():
            found = dict(connection.sql(f"SELECT trial_id, status FROM {table} WHERE {name} = '{rule}'").fetchall())
            wrong += [
                (column, row["trial_id"], row["scenario"], row[column], found[row["trial_id"]])
                for row in expected
                if found[row["trial_id"]] != row[column]
            ]
        results = dict(connection.sql("SELECT trial_id, any_results FROM disclosure").fetchall())
        words = {True: "true", False: "false", None: "unknown"}
        wrong += [
            ("any_results", row["trial_id"], row["scenario"], row["any_results"], words[results[row["trial_id"]]])
            for row in expected
            if words[results[row["trial_id"]]] != row["any_results"]
        ]
        due = dict(
            connection.sql(
                "SELECT trial_id, due_latest FROM reporting_status WHERE policy = 'alltrials-summary'"
            ).fetchall()
        )
        wrong += [
            ("due", row["trial_id"], row["scenario"], row["due_latest_alltrials"], due[row["trial_id"]])
            for row in expected
            if row["due_latest_alltrials"] and row["due_latest_alltrials"] != str(due[row["trial_id"]])
        ]
    assert wrong == []


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_primary_outcomes_are_what_they_were_planted_to_be_and_the_bias_shows(worlds, seed):
    folder, data = worlds(seed)
    planted = {row["trial_id"]: row["primary_outcome"] for row in truth(folder)}
    with warehouse(data) as connection:
        found = dict(connection.sql("SELECT trial_id, primary_outcome FROM publication_times").fetchall())
        assert found == {trial: planted[trial] for trial in found}
        assert set(found.values()) == {"significant", "not_significant", "unknown"}
        shares = dict(
            connection.sql(
                """SELECT primary_outcome, published_share FROM publication_bias
                WHERE sponsor_class = 'all' AND completion_year = 'all'"""
            ).fetchall()
        )
    assert shares["significant"] > shares["not_significant"] + 0.1


def test_the_same_raw_gives_the_same_bytes_in_any_order_of_import_on_any_number_of_threads_and_in_slices(
    worlds, tmp_path, monkeypatch
):
    folder, data = worlds(1)
    monkeypatch.setattr(build, "SLICE", 700)
    as_of = date.fromisoformat(truth(folder)[0]["as_of"])
    again = imported(tmp_path / "again", folder, backwards=True)
    built = build.build(settings(again, threads=1), as_of)
    first, second = parquet_bytes((data / "warehouse").resolve()), parquet_bytes(again / "builds" / built.id)
    assert first.keys() == second.keys()
    assert [name for name in first if first[name] != second[name]] == []
    assert (data / "warehouse").resolve().name == built.id
    with warehouse(data) as one, warehouse(again) as other:
        for table in contracts().tables.values():
            if not table.about_run:
                sql = f'SELECT * FROM "{table.name}" ORDER BY ALL'
                assert one.sql(sql).fetchall() == other.sql(sql).fetchall()
        views = one.sql("SELECT view_name FROM duckdb_views() WHERE NOT internal").fetchall()
        assert len(views) >= 3
        for (view,) in views:
            sql = f"SELECT * FROM {view} ORDER BY ALL"
            assert one.sql(sql).fetchall() == other.sql(sql).fetchall()


def test_building_again_and_importing_again_change_nothing(worlds):
    folder, data = worlds(1)
    before = {p: p.stat().st_mtime_ns for p in sorted((data / "raw").rglob("*")) if p.is_file()}
    for item in importing.read_list(folder / "imports.csv"):
        assert importing.take(data, item)[1] is False
    ledger = (data / "ledger" / "trial_ids.csv").read_bytes()
    current = (data / "warehouse").resolve()
    built = build.build(settings(data), date.fromisoformat(truth(folder)[0]["as_of"]))
    assert built.id == current.name
    assert {p: p.stat().st_mtime_ns for p in sorted((data / "raw").rglob("*")) if p.is_file()} == before
    assert (data / "ledger" / "trial_ids.csv").read_bytes() == ledger


def test_another_as_of_date_changes_only_what_depends_on_it(worlds, tmp_path):
    folder, original = worlds(1)
    data = tmp_path / "data"
    shutil.copytree(original, data, symlinks=True)
    as_of = date.fromisoformat(truth(folder)[0]["as_of"])
    before = parquet_bytes((data / "warehouse").resolve())
    built = build.build(settings(data), as_of + timedelta(days=1))
    after = parquet_bytes(data / "builds" / built.id)
    changed = {name.removesuffix(".parquet") for name in before if before[name] != after[name]}
    legs = {p.table for p in contracts().policies.values()}
    depends = {
        "sources", "registration_status", "reporting_status", "disclosure", "missing_results", "scorecards",
        "publication_times", "publication_bias", "status_transitions", "trial_standings", "evidence_gaps",
        "missing_by_condition", "missing_by_intervention", "recruiting_trials",
    }  # fmt: skip
    assert changed <= depends | legs
    assert "reporting_status" in changed  # the sample has trials that were due on its as-of date
    with duckdb.connect() as connection:
        moved = connection.sql(
            f"""SELECT a.status, b.status, count(*)
            FROM '{original.resolve()}/warehouse/reporting_status.parquet' AS a
            JOIN '{data}/builds/{built.id}/reporting_status.parquet' AS b USING (trial_id, policy)
            WHERE a.status <> b.status GROUP BY ALL"""
        ).fetchall()
    allowed = {
        ("not_completed", "not_due"), ("not_due", "overdue"), ("reported_early", "reported_on_time"),
        ("reported_early", "reported_undated"), ("submitted_early", "submitted_on_time"),
        ("overdue", "reporting_unknown"), ("not_due", "reporting_unknown"), ("not_completed", "inconsistent"),
        ("not_due", "deferred"), ("not_due", "in_grace"), ("deferred", "in_grace"), ("in_grace", "overdue"),
        ("in_grace", "reporting_unknown"),
    }  # fmt: skip
    assert {(a, b) for a, b, _ in moved} <= allowed


def test_a_build_under_a_profile_stands_beside_the_others(worlds, tmp_path):
    folder, original = worlds(1)
    data = tmp_path / "data"
    shutil.copytree(original, data, symlinks=True)
    as_of = date.fromisoformat(truth(folder)[0]["as_of"])
    before, ids = (data / "warehouse").resolve(), (data / "ledger" / "trial_ids.csv").read_bytes()
    built = build.build(settings(data), as_of, profile="fdaaa-tracker-2025")
    assert built.folder == data / "builds" / f"{built.id}-fdaaa-tracker-2025"
    assert (data / "warehouse").resolve() == before
    assert (data / "ledger" / "trial_ids.csv").read_bytes() == ids
    with duckdb.connect() as connection:
        versions = connection.sql(
            f"SELECT DISTINCT policy, rule_version FROM '{built.folder}/reporting_status.parquet'"
        ).fetchall()
        judged = [
            connection.sql(
                f"""SELECT count(*) FROM '{place}/reporting_status.parquet'
                WHERE policy = 'fdaaa' AND status = 'scope_unknown'"""
            ).fetchall()[0][0]
            for place in (before, built.folder)
        ]
    assert {v for policy, v in versions if policy == "fdaaa"} == {"1+fdaaa-tracker-2025"}
    assert {v for policy, v in versions if policy != "fdaaa"} == {"1"}
    assert judged[1] < judged[0]  # the tracker takes a blank flag for a no


def test_a_build_of_an_earlier_day_sees_only_what_was_known_then(worlds, tmp_path):
    folder, original = worlds(2)
    data = tmp_path / "data"
    shutil.copytree(original, data, symlinks=True)
    days = sorted({item.day for item in importing.read_list(folder / "imports.csv") if item.source == "ctgov"})
    ledger = (data / "ledger" / "trial_ids.csv").read_bytes()
    built = build.build(settings(data), days[0])
    assert 0 < built.counts["trials"] < TRIALS
    assert (data / "ledger" / "trial_ids.csv").read_bytes() == ledger
    with pytest.raises(UsageError, match="Nothing has been imported"):
        build.build(settings(data), date(2000, 1, 1))
    assert (data / "warehouse").resolve().name == built.id


def test_no_contact_reaches_a_file(worlds):
    """The sample's records carry names, telephone numbers and e-mail addresses; none of them may get past reading."""
    folder, data = worlds(1)
    dumped = b"".join(p.read_bytes() for p in folder.glob("ctgov/*.json"))
    assert b"@example" in dumped
    parquet = [*data.glob("staging/**/*.parquet"), *data.glob("builds/**/*.parquet")]
    assert len(parquet) > 30
    with duckdb.connect() as connection:
        for path in parquet:
            columns = [c[0] for c in connection.sql(f"DESCRIBE FROM '{path}'").fetchall()]
            text = " || ' ' || ".join(f"coalesce(CAST(\"{c}\" AS VARCHAR), '')" for c in columns)
            found = connection.execute(
                f"SELECT count(*) FROM '{path}' WHERE regexp_matches({text}, ?) OR contains({text}, '555-')",
                [privacy.EMAIL],
            ).fetchall()
            assert found == [(0,)], path.name


def test_a_private_person_stands_under_a_neutral_label(worlds):
    _, data = worlds(1)
    with warehouse(data) as connection:
        persons = connection.sql(
            "SELECT sponsor, sponsor_id, url FROM registrations WHERE sponsor_is_person ORDER BY ALL"
        ).fetchall()
        assert persons
        assert {p[0] for p in persons} == {privacy.PRIVATE_PERSON}
        assert {p[1] for p in persons} == {None}
        assert all(p[2].startswith("https://clinicaltrials.gov/study/NCT9") for p in persons)
        assert connection.sql("SELECT count(*) FROM sponsors WHERE name LIKE 'Private person%'").fetchall() == [(0,)]


def test_an_obsolete_number_names_its_trial_and_resolves(worlds):
    _, data = worlds(1)
    with warehouse(data) as connection:
        merged = connection.sql(
            "SELECT registration_id, replaced_by, trial_id FROM registrations WHERE replaced_by IS NOT NULL"
        ).fetchall()
        assert merged
        for obsolete, survivor, trial in merged:
            assert trial == obsolete
            assert connection.sql(
                f"SELECT trial_id FROM registrations WHERE registration_id = '{survivor}'"
            ).fetchall() == [(trial,)]
            kinds = connection.sql(f"SELECT kind FROM identifiers WHERE number = '{obsolete}' ORDER BY kind").fetchall()
            assert kinds == [("alias",), ("registration",)]


def test_the_database_documents_itself(worlds):
    _, data = worlds(1)
    with warehouse(data) as connection:
        undocumented = connection.sql(
            """SELECT table_name, column_name FROM duckdb_columns()
            WHERE NOT internal AND comment IS NULL AND table_name NOT IN (SELECT view_name FROM duckdb_views())"""
        ).fetchall()
        assert undocumented == []
        without_comment = connection.sql("SELECT table_name FROM duckdb_tables() WHERE comment IS NULL").fetchall()
        assert without_comment == []
        assert connection.sql("SELECT count(*) FROM status_evidence").fetchall()[0][0] > TRIALS * 10


def test_every_check_of_every_table_is_on_record(worlds):
    _, data = worlds(1)
    with warehouse(data) as connection:
        tables = connection.sql("SELECT DISTINCT engine, table_name FROM validation_results").fetchall()
        for name in contracts().tables:
            assert ("sql", name) in tables
            assert ("great_expectations", name) in tables
        assert connection.sql("SELECT count(*) FROM validation_results WHERE outcome = 'failed'").fetchall() == [(0,)]


def test_the_readme_shows_what_its_queries_give(worlds, capsys):
    _, data = worlds(1)
    shown = re.findall(
        r"```sql\n(.*?)```\n\n```text\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL
    )
    assert len(shown) == 5
    for sql, expected in shown:
        assert main(["--data", str(data), "query", sql]) == 0
        assert [line.rstrip() for line in capsys.readouterr().out.splitlines()] == expected.splitlines()


def test_every_query_of_the_cookbook_gives_what_it_promises(worlds, tmp_path, monkeypatch):
    _, data = worlds(1)
    monkeypatch.chdir(tmp_path)
    with warehouse(data) as connection:
        included = connection.sql(
            """SELECT min(trial_id) AS nct, '10.99999/nothing' AS doi, NULL AS pmid FROM trials
            UNION ALL (SELECT NULL, 'https://doi.org/' || upper(doi), pmid FROM trial_publications
                JOIN publications USING (pmid) JOIN conditions AS c USING (trial_id)
                WHERE counts_as_results AND c.concept = 'asthma' ORDER BY pmid LIMIT 1)"""
        )
        included.write_csv("my-included-studies.csv")
        asked = cookbook.questions()
        assert [q.number for q in asked] == list(range(1, len(asked) + 1))
        assert len(asked) >= 25
        for question in asked:
            given = connection.sql(question.sql)
            assert tuple(given.columns) == question.columns, question.title
            rows = given.fetchall()
            assert rows or question.may_be_empty, question.title
            assert rows == connection.sql(question.sql).fetchall(), f"{question.title}: another order each time"


def test_a_release_opens_from_a_folder_and_from_an_address(worlds):
    _, data = worlds(1)
    known: dict[str, Any] = {}
    exec(cookbook.snippet("python"), known)
    folder = (data / "warehouse").resolve()
    with warehouse(data) as connection:
        sql = re.findall(r'"""\n(.*?)"""', cookbook.snippet("python").split("def missing_by_year")[1], re.DOTALL)[0]
        expected = connection.sql(sql).fetchall()
    assert expected
    assert known["missing_by_year"](str(folder)) == expected
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            assert known["missing_by_year"](f"http://127.0.0.1:{server.server_port}") == expected
        finally:
            server.shutdown()
    assert sql.strip() in cookbook.snippet("r")  # R asks the same; there is no R here to run it


def test_the_tour_runs_on_a_build_and_says_what_its_tables_hold(worlds):
    _, data = worlds(1)
    tour = [sys.executable, str(DOCS / "tour.py"), str(data / "warehouse")]
    done = subprocess.run(tour, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    with warehouse(data) as connection:
        columns = "due, reported, missing, cannot_judge"
        for policy, *counts in connection.sql(f"SELECT policy, {columns} FROM reporting_summary").fetchall():
            assert re.search(rf"│ {policy} +│ +" + " │ +".join(map(str, counts)), done.stdout), policy
    cells = re.findall(r"(?m)^# %% ", (DOCS / "tour.py").read_text(encoding="utf-8"))
    assert len(re.findall(r"(?m)^┌", done.stdout)) == len(cells) - 1, "every cell but the first shows a table"


def test_review_writes_a_line_and_a_paragraph_for_every_trial(worlds, tmp_path, capsys):
    _, data = worlds(1)
    command = ["--data", str(data), "review", "asthma", "--intervention", "placebo", "--out", str(tmp_path)]
    assert main(command) == 0
    assert "Missing: due, and no results found in the sources searched" in capsys.readouterr().out
    with (tmp_path / "review-asthma-placebo.csv").open(encoding="utf-8", newline="") as handle:
        trials = [row["trial_id"] for row in csv.DictReader(handle)]
    page = (tmp_path / "review-asthma-placebo.md").read_text(encoding="utf-8")
    with warehouse(data) as connection:
        expected = connection.sql(
            """SELECT trial_id FROM trials WHERE trial_id IN (SELECT trial_id FROM conditions WHERE concept = 'asthma')
                AND trial_id IN (SELECT trial_id FROM interventions WHERE normalised LIKE '%placebo%')"""
        ).fetchall()
    assert sorted(trials) == sorted(trial for (trial,) in expected)
    assert all(f"- **{trial}** " in page for trial in trials)
    assert main([*command[:2], "review"]) == 2
    assert "Say what the review is about" in capsys.readouterr().err


def test_explain_takes_any_spelling_and_says_what_the_tables_say(worlds, capsys):
    folder, data = worlds(1)
    row = next(r for r in truth(folder) if r["alltrials_summary"] == "overdue")
    digits = row["trial_id"][3:]
    for spelling in (row["trial_id"], f"nct {digits}", f"NCT#{digits}", f" Nct-{digits} "):
        assert main(["--data", str(data), "explain", spelling]) == 0
        text = capsys.readouterr().out
        assert text.startswith(row["trial_id"])
        for verdict in ("alltrials_summary", "who_publication"):
            assert re.search(rf"{verdict.replace('_', '-')} \(.*\): {row[verdict]}", text)
        assert f"Due: {row['due_latest_alltrials']}" in text or f" to {row['due_latest_alltrials']}" in text
    with warehouse(data) as connection:
        pmid, doi, trial = connection.sql(
            """SELECT pmid, doi, trial_id FROM trial_publications JOIN publications USING (pmid)
            WHERE counts_as_results AND doi IS NOT NULL ORDER BY pmid LIMIT 1"""
        ).fetchall()[0]
    for spelling in (str(pmid), f"PMID: {pmid}", f"https://doi.org/{doi.upper()}"):
        assert main(["--data", str(data), "explain", spelling]) == 0
        text = capsys.readouterr().out
        assert text.startswith(f"PMID {pmid}")
        assert f"  {trial}  " in text
    assert main(["--data", str(data), "explain", "NCT00000001"]) == 2
    assert "No trial in the warehouse is known by" in capsys.readouterr().err
