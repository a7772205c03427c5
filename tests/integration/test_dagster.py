"""The asset graph: the job makes what the command line makes, and a failed check leaves the last good build.

Belongs here: whole runs in this process on a tiny made-up world, and what the graph says of itself. What the tables
say belongs to the tests of the build.
"""

import contextlib
import json
import shutil
from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from assets import resources
from assets.definitions import build_defs
from assets.jobs import nightly_schedule
from assets.lineage import ACCOUNTS, STAGED_FROM, origins, sources_of
from assets.resources import BuildDay, Workshop
from assets.tables import CHECK, column_schema
from pipelines import build, nights, queries, store, summary
from pipelines.contracts import contracts
from pipelines.errors import BusyError, DataError
from pipelines.identity import ledger
from pipelines.identity.ledger import Event
from pipelines.settings import SQL, Settings
from pipelines.web import Edge
from tests import stores, worlds
from tests.replay.__main__ import edge
from tests.replay.apps import Ctgov, Ncbi
from tests.replay.listeners import hooked, webhook
from tests.replay.server import Fault, Replay

AS_OF = worlds.AS_OF
TABLES = sorted(contracts().tables)


def fill(data: Path) -> None:
    """Two studies, one of them with a telephone number in its title, an article about the first, a later snapshot."""
    called = {"protocolSection": {"identificationModule": {"briefTitle": "Invented study, tel. +44 20 7946 0958"}}}
    first = worlds.study(1, results=("2022-01-05", "2022-02-01"))
    worlds.put_studies(data, date(2024, 1, 10), [first, worlds.study(2, extra=called)])
    worlds.put_studies(data, date(2024, 7, 1), [worlds.study(3)], name="later.json")
    article = worlds.article(99000001, bank=[worlds.nct(1)])
    worlds.put_file(data, "pubmed", date(2024, 1, 11), "pubmed24n0001.xml", worlds.article_set(article))


def definitions(
    data: Path, planted: dict[str, str] | None = None, settings: Settings | None = None, at: Edge | None = None
) -> dg.Definitions:
    shared = {
        "settings": settings or worlds.settings(data),
        "build_day": BuildDay.configure_at_launch(),
        "edge": at or edge(AS_OF),
    }
    return build_defs({**shared, "workshop": Workshop(**shared, overrides=planted or {})})


def run_nightly(
    data: Path, as_of: object = AS_OF, planted: dict[str, str] | None = None, **given: Any
) -> dg.ExecuteInProcessResult:
    job = definitions(data, planted, **given).resolve_job_def("nightly")
    with dg.DagsterInstance.ephemeral() as instance:
        return job.execute_in_process({"as_of": str(as_of)}, instance=instance, raise_on_error=False)


@dataclass(frozen=True)
class Night:
    """A data folder and the run that built its warehouse."""

    data: Path
    result: dg.ExecuteInProcessResult

    def metadata(self, *key: str) -> dict[str, Any]:
        (event,) = [e for e in self.result.get_asset_materialization_events() if e.asset_key == dg.AssetKey(key)]
        return {name: value.value for name, value in event.materialization.metadata.items()}


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Night:
    data = tmp_path_factory.mktemp("night") / "data"
    fill(data)
    return Night(data, run_nightly(data))


def step_failure(result: dg.ExecuteInProcessResult) -> str:
    (event,) = [e for e in result.all_events if e.is_step_failure]
    data = event.step_failure_data
    return str(data.user_failure_data.description if data.user_failure_data else data.error)


def evaluations(result: dg.ExecuteInProcessResult) -> dict[tuple[str, str], dg.AssetCheckEvaluation]:
    found = result.get_asset_check_evaluations()
    return {(e.asset_key.to_user_string(), e.check_name): e for e in found}


# --- whole runs -----------------------------------------------------------------------------------------------------


def test_job_makes_the_same_bytes_as_the_command_line(night: Night, tmp_path: Path) -> None:
    assert night.result.success
    data = tmp_path / "data"
    fill(data)
    built = build.build(worlds.settings(data), AS_OF)
    made = night.data / "warehouse"
    assert sorted(p.stem for p in made.glob("*.parquet")) == TABLES
    differing = [
        name
        for name in TABLES
        if name != "validation_results"
        and (made / f"{name}.parquet").read_bytes() != (built.folder / f"{name}.parquet").read_bytes()
    ]
    assert differing == []


def steps(result: dg.ExecuteInProcessResult) -> list[str]:
    return [e.step_key for e in result.all_events if e.is_step_success and e.step_key]


def test_number_of_steps_does_not_depend_on_the_number_of_files(night: Night, tmp_path: Path) -> None:
    data = tmp_path / "data"
    fill(data)
    for number in range(2, 32):
        article = worlds.article(99000000 + number, bank=[worlds.nct(1)])
        worlds.put_file(data, "pubmed", date(2024, 1, 12), f"pubmed24n{number:04d}.xml", worlds.article_set(article))
    many = Night(data, run_nightly(data))
    assert many.metadata("staging", "pubmed")["payloads"] == 31
    assert sorted(steps(many.result)) == sorted(steps(night.result))
    assert len(steps(many.result)) <= 40


def test_run_reports_what_it_saw(night: Night) -> None:
    raw = night.metadata("raw", "ctgov")
    assert (raw["snapshots"], raw["payloads"], raw["newest"]) == (1, 1, "2024-01-10"), "the later one is not seen"
    assert raw["bytes"] == sum(p.stat().st_size for p in night.data.glob("raw/ctgov/2024-01-*/studies.json"))
    staged = night.metadata("staging", "ctgov")
    assert (staged["payloads"], staged["records_in"], staged["staged"]) == (1, 2, 2)
    assert [r.data["payload"] for r in staged["records_per_payload"].records] == ["studies.json"]
    assert night.metadata("staging", "pubmed")["records_in"] == 1
    with store.open_warehouse(night.data) as connection:
        for name in TABLES:
            (count,) = connection.sql(f'SELECT count(*) FROM "{name}"').fetchone() or (None,)
            assert night.metadata(name)["dagster/row_count"] == count, name
    assert night.metadata("warehouse")["build"] == (night.data / "warehouse").resolve().name


def test_every_table_is_checked_by_both_engines_and_a_warning_does_not_stop(night: Night) -> None:
    found = evaluations(night.result)
    assert set(found) == {(name, CHECK) for name in TABLES}
    assert {tuple(e.metadata) for e in found.values() if e.passed} == {("rules_great_expectations", "rules_sql")}
    warned = {key: e for key, e in found.items() if not e.passed}
    assert {e.severity for e in warned.values()} == {dg.AssetCheckSeverity.WARN}
    told = warned["registrations", CHECK]
    assert "no_telephone" in (told.description or "")
    rules = told.metadata["violated"].value.records  # type: ignore[union-attr]
    assert ("sql", "no_telephone") in {(r.data["engine"], r.data["rule"]) for r in rules}


def test_failed_check_leaves_the_last_good_build(night: Night) -> None:
    before = (night.data / "warehouse").resolve()
    sql = (SQL / "coverage.sql").read_text(encoding="utf-8")
    twice = {"coverage": f"SELECT * FROM ({sql}\n) UNION ALL SELECT * FROM ({sql}\n)"}
    result = run_nightly(night.data, planted=twice)
    assert not result.success
    assert "coverage: key_unique" in step_failure(result)
    failed = evaluations(result)["coverage", CHECK]
    assert (failed.passed, failed.blocking, failed.severity) == (False, True, dg.AssetCheckSeverity.ERROR)
    assert evaluations(result)["conditions", CHECK].passed
    keys = {e.asset_key.to_user_string() for e in result.get_asset_materialization_events() if e.asset_key}
    assert keys == {f"{step}/{code}" for step in ("raw", "staging") for code in contracts().sources}
    assert (night.data / "warehouse").resolve() == before
    assert [p for p in (night.data / "builds").iterdir() if p.name.startswith(".")] == []


def test_nothing_imported_is_said_in_one_sentence(tmp_path: Path) -> None:
    result = run_nightly(tmp_path / "data")
    assert not result.success
    assert step_failure(result) == "Nothing has been imported up to that day: run `import` first."


def test_a_step_that_is_tried_again_adds_to_the_ledger_once(tmp_path: Path) -> None:
    """Between the switch and the sending another process can take the data folder."""
    chosen = replace(worlds.settings(tmp_path / "data"), store=str(tmp_path / "store"))
    folder = chosen.data / "builds" / ".made"
    folder.mkdir(parents=True)
    store.write_json(folder / "manifest.json", {})
    events = [Event(AS_OF, "founded", worlds.nct(1), worlds.nct(1))]
    workshop = Workshop(settings=chosen, build_day=BuildDay(as_of=str(AS_OF)), edge=edge(AS_OF))
    workshop._bench = resources._Bench(contextlib.ExitStack())
    workshop._bench.built = build.Built(f"{AS_OF}-x", AS_OF, folder, events, {}, {}, [], {}, [], [], [])
    with store.only_writer(chosen.data), pytest.raises(BusyError):
        workshop.publish(print)
    night = workshop.publish(print)
    assert ledger.read(chosen.data, AS_OF) == events
    assert night.built.folder == (chosen.data / "warehouse").resolve()


def test_warehouse_alone_publishes_nothing(night: Night) -> None:
    before = (night.data / "warehouse").resolve()
    job = definitions(night.data).resolve_implicit_global_asset_job_def()
    config = {"resources": {"build_day": {"config": {"as_of": str(AS_OF)}}}}
    result = job.execute_in_process(config, asset_selection=[dg.AssetKey("warehouse")], raise_on_error=False)
    assert "made no tables" in step_failure(result)
    assert (night.data / "warehouse").resolve() == before


def test_run_does_not_start_while_another_night_is_under_way(night: Night) -> None:
    with nights.only_one(night.data):
        job = definitions(night.data).resolve_job_def("nightly")
        with pytest.raises(dg.DagsterError) as error:
            job.execute_in_process({"as_of": str(AS_OF)})
    assert isinstance(error.value.__cause__, DataError)


def test_a_run_waits_for_an_import_and_says_so_where_it_does_not_end(
    night: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resources, "AGAIN", 2)
    monkeypatch.setattr(resources, "PAUSE", 0)
    with store.only_writer(night.data):
        result = run_nightly(night.data)
    assert "Another import or build is writing" in step_failure(result)
    assert [e.event_type_value for e in result.all_events].count("STEP_UP_FOR_RETRY") == 2


# --- what comes into the archive ------------------------------------------------------------------------------------


NAMED = {"contact": "test@example.org", "fetch_terms": {"page_size": 20, "spare_bytes": 0, "attempts": 1}}


def asking(server: Replay, data: Path, **more: Any) -> Settings:
    addresses = {code: f"{server.url}/{code}" for code in server.apps}
    return replace(worlds.settings(data), addresses=addresses, fetched_sources=tuple(addresses), **{**NAMED, **more})


def test_a_night_fetches_what_the_settings_name_and_a_source_that_fails_is_said(tmp_path: Path) -> None:
    data = tmp_path / "data"
    worlds.put_studies(data, date(2024, 1, 10), [worlds.study(9)], name="earlier.json")
    apps = {"ctgov": Ctgov([worlds.study(n) for n in range(1, 5)]), "pubmed": Ncbi({}, {})}
    with webhook() as hook, Replay(apps, [Fault("/pubmed", "status", times=999)]).running() as server:
        chosen = asking(server, data, alert_webhook=hooked(hook).alert_webhook, store=str(tmp_path / "store"))
        graph = definitions(data, settings=chosen).resolve_asset_graph()
        first = Night(data, run_nightly(data, settings=chosen))
        asked = len(server.asked)
        second = Night(data, run_nightly(data, settings=chosen))
        again = server.asked[asked:]
    assert first.result.success, "the others are built all the same"
    assert first.metadata("raw", "ctgov")["snapshots"] == 2
    assert first.metadata("raw", "ctgov")["new"].startswith("2024-06-30-")
    why = first.metadata("raw", "pubmed")["not_fetched"]
    assert why.startswith("pubmed: http://127.0.0.1")
    checks = {key: e for key, e in evaluations(first.result).items() if key[1] == "fetched"}
    assert {key[0]: (e.passed, e.blocking) for key, e in checks.items()} == {
        "raw/ctgov": (True, False),
        "raw/pubmed": (False, False),
    }
    told = first.metadata("warehouse")
    assert (told["not_fetched"], told["new_snapshots"]) == ("pubmed", 1)
    assert f"Not fetched: pubmed, whose last good snapshot stays in use. {why}" in told["summary"]
    assert hook.came[0][1]["details"] == [summary.not_fetched("pubmed", why)]
    assert second.metadata("raw", "ctgov")["new"] == "none"
    assert any("pubmed" in path for path in map(str, again))
    assert [path for path in map(str, again) if "ctgov" in path] == [], "it is not due again"
    fetched = {code: graph.get(dg.AssetKey(["raw", code])) for code in contracts().sources}
    assert {code for code, asset in fetched.items() if asset.pools == {"downloads"}} == {"ctgov", "pubmed"}
    assert {code for code, asset in fetched.items() if asset.freshness_policy} == {"ctgov", "pubmed"}
    kept = stores.pointed(stores.in_folder(tmp_path / "store"))
    assert len(kept["snapshots"]) == 2
    assert kept["warehouse"].startswith(f"builds/{second.metadata('warehouse')['build']}.")


def test_what_a_run_fetched_is_sent_although_it_failed(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with Replay({"ctgov": Ctgov([worlds.study(1)])}).running() as server:
        chosen = asking(server, data, store=str(tmp_path / "store"))
        result = run_nightly(data, settings=chosen, planted={"trials": "SELECT no_such_column FROM registrations"})
    assert not result.success
    assert len(stores.pointed(stores.in_folder(tmp_path / "store"))["snapshots"]) == 1


def test_nobody_is_asked_before_the_settings_say_who_asks(tmp_path: Path) -> None:
    apps = {"ctgov": Ctgov([worlds.study(1)])}
    with Replay(apps).running() as server:
        result = run_nightly(tmp_path / "data", settings=asking(server, tmp_path / "data", contact=""))
    assert "set ALLTRIALS_CONTACT" in step_failure(result)
    assert server.asked == []


def test_dropped_files_ask_for_one_run_which_takes_them_in(night: Night, tmp_path: Path) -> None:
    data = tmp_path / "data"
    shutil.copytree(night.data, data, symlinks=True)
    today = date(2030, 1, 2)  # files are as young as this test, so its clock is of a later day
    defs = definitions(data, at=edge(today))
    sensor = defs.resolve_sensor_def("dropped_files")
    assert sensor.default_status is dg.DefaultSensorStatus.STOPPED

    def ask() -> Any:
        given = {"settings": worlds.settings(data), "edge": edge(today)}
        return sensor(dg.build_sensor_context(resources=given))

    assert isinstance(ask(), dg.SkipReason)
    for place in ("ctgov/2024-06-01/more.json", "ctgov/june/wrong.json", "CTGOV/2024-06-01/more.json"):
        path = data / "incoming" / place
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps([worlds.study(5)]), encoding="utf-8")
    request, same = ask(), ask()
    assert request.run_config == {"as_of": "2030-01-02"}
    assert request.run_key == same.run_key
    dg.validate_run_config(defs.resolve_job_def("nightly"), request.run_config)
    taken = Night(data, run_nightly(data, at=edge(today)))
    assert taken.metadata("raw", "ctgov")["snapshots"] == 2
    assert "A folder of files is named" in taken.metadata("raw", "ctgov")["not_taken"]
    told = taken.metadata("warehouse")
    assert (told["new_snapshots"], told["not_taken"]) == (1, 2)
    assert "There is no source 'CTGOV'" in told["summary"]
    changed = {r.data["table"]: r.data["change"] for r in told["changed_rows"].records}
    assert (changed["trials"], changed["registrations"]) == (1, 1)
    assert isinstance(ask(), dg.SkipReason)


def test_a_failed_night_is_alerted(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with webhook() as hook, dg.DagsterInstance.ephemeral() as instance:
        defs = definitions(data, settings=replace(worlds.settings(data), alert_webhook=hooked(hook).alert_webhook))
        job = defs.resolve_job_def("nightly")
        result = job.execute_in_process(
            {"as_of": str(AS_OF)}, instance=instance, raise_on_error=False, tags={"as_of": str(AS_OF)}
        )
        (failure,) = [e for e in result.all_events if e.event_type is dg.DagsterEventType.RUN_FAILURE]
        sensor = defs.resolve_sensor_def("alert")
        context = dg.build_run_status_sensor_context(
            sensor_name="alert", dagster_instance=instance, dagster_run=result.dagster_run, dagster_event=failure,
            resources={"settings": defs.resources["settings"]},
        ).for_run_failure()  # fmt: skip
        sensor(context)
    ((_, told),) = hook.came
    assert told["subject"] == "the night of 2024-06-30 failed"
    assert told["details"][0] == "Nothing has been imported up to that day: run `import` first."
    assert result.run_id in told["details"][1]


# --- what it costs --------------------------------------------------------------------------------------------------


def test_a_night_writes_down_few_events(night: Night) -> None:
    """A row count, a verdict and their two outputs a table; the rest does not grow with the tables."""
    kinds = Counter(e.event_type_value for e in night.result.all_events)
    assert kinds["ASSET_CHECK_EVALUATION"] == len(TABLES)
    assert kinds["ASSET_MATERIALIZATION"] == len(TABLES) + 2 * len(contracts().sources) + 1
    assert sum(kinds.values()) <= 4 * len(TABLES) + 12 * len(contracts().sources) + 30


def test_records_of_runs_do_not_wait_for_the_disk(tmp_path: Path) -> None:
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance, instance.run_storage.connect() as connection:  # type: ignore[attr-defined]
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 0


# --- what the graph says of itself ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def graph() -> Any:
    return build_defs().resolve_asset_graph()


def test_definitions_load() -> None:
    dg.Definitions.validate_loadable(build_defs())


def test_every_table_and_source_has_its_assets_and_vice_versa(graph: Any) -> None:
    of_sources = {f"{step}/{code}" for step in ("raw", "staging") for code in contracts().sources}
    assert {key.to_user_string() for key in graph.get_all_asset_keys()} == {*TABLES, *of_sources, "warehouse"}


def test_graph_runs_from_the_raw_archive_to_the_warehouse(graph: Any) -> None:
    def parents(*key: str) -> set[str]:
        return {k.to_user_string() for k in graph.get(dg.AssetKey(key)).parent_keys}

    for code in contracts().sources:
        assert f"raw/{code}" in parents("staging", code)
    assert "staging/ctgov" in parents("staging", "pubmed"), "registers decide which articles are kept"
    assert parents("registrations") == {f"staging/{code}" for code in sources_of("registration_records")}
    assert parents("trials") == {"registrations"}
    assert parents("warehouse") == set(TABLES)
    assert {graph.get(dg.AssetKey(name)).group_name for name in TABLES} == {"fold", "policies", "tables", "checks"}


def test_lineage_knows_every_staged_relation() -> None:
    assert {*STAGED_FROM, *ACCOUNTS} - {"cited_pmids"} == set(queries.STAGED)
    kinds = ("registration_records", "regulatory_flags", "articles")
    assert {source for kind in kinds for source in sources_of(kind)} == set(contracts().sources)
    assert all(origin.tables or origin.sources for origin in origins().values())


@pytest.mark.parametrize("name", TABLES)
def test_table_shows_its_contract(graph: Any, name: str) -> None:
    table = contracts().tables[name]
    asset = graph.get(dg.AssetKey(name))
    assert asset.metadata["dagster/column_schema"] == column_schema(table)
    columns = asset.metadata["dagster/column_schema"].columns
    assert [(c.name, c.type) for c in columns] == [(c.name, c.type) for c in table.columns]
    assert all(c.description for c in columns)
    assert table.title in asset.description
    assert table.meaning in asset.description


def test_every_check_blocks(graph: Any) -> None:
    keys = graph.asset_check_keys
    assert len(keys) == len(TABLES)
    assert all(graph.get(key).blocking for key in keys)


def test_schedule_asks_for_the_scheduled_day() -> None:
    context = dg.build_schedule_context(scheduled_execution_time=datetime(2024, 7, 1, 3, tzinfo=UTC))
    request = nightly_schedule(context)
    assert isinstance(request, dg.RunRequest)
    assert (request.run_key, request.run_config) == ("2024-07-01", {"as_of": "2024-07-01"})
    defs = build_defs()
    assert defs.resolve_schedule_def("nightly").cron_schedule == "0 3 * * *"
    assert defs.resolve_schedule_def("nightly").default_status is dg.DefaultScheduleStatus.STOPPED
    dg.validate_run_config(defs.resolve_job_def("nightly"), request.run_config)
