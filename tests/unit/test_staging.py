"""What is read and what is not, and that one file's failure is told and stops no other. Real files, readers, processes."""

import errno
import os
import re
import signal
import threading
import time
from datetime import date
from multiprocessing import active_children
from pathlib import Path

import duckdb
import pytest

from pipelines import build, progress, snapshots, staging, store
from pipelines.errors import DataError
from pipelines.staging import Progress, Task
from tests import processes
from tests.worlds import AS_OF, article, article_set, nct, put_file, put_studies, settings, study

DAY = date(2024, 1, 30)
PLAIN = (("D016428", "Journal Article"),)


def name(number: int) -> str:
    return f"pubmed24n{number:04d}.xml"


def archive(tmp_path: Path, files: int = 3) -> Path:
    """A study that cites nothing, and files of two articles each: one names a trial, one is of no use."""
    data = tmp_path / "data"
    put_studies(data, DAY, [study(1)])
    for n in range(1, files + 1):
        text = article_set(article(900000000 + n, bank=(nct(1),)), article(910000000 + n, types=PLAIN))
        put_file(data, "pubmed", DAY, name(n), text)
    return data


def stage(data: Path, workers: int = 1) -> tuple[dict[str, staging.Staged], dict[str, str]]:
    """Stages PubMed as a build does; its payloads by name, and what was read now, with its fault."""
    chosen = settings(data)
    taken = snapshots.listed(data, AS_OF)
    told: list[Progress] = []
    staged = build.read_articles(chosen, taken, build.read_registers(chosen, taken), told.append)
    return {s.payload.name: s for s in staged}, {p.payload: p.fault for p in told if p.payload}


def raw(data: Path, file: str) -> Path:
    (path,) = data.glob(f"raw/pubmed/*/{file}")
    return path


def test_the_account_of_a_file_lies_beside_what_was_read_of_it(tmp_path):
    data = archive(tmp_path, 1)
    gone = "<DeleteCitation><PMID Version='1'>900000001</PMID></DeleteCitation></PubmedArticleSet>"
    broken = article(900000003).replace(">900000003<", "><", 1)
    text = article_set(article(900000002), broken, article(910000002, types=PLAIN))
    put_file(data, "pubmed", DAY, name(2), text.replace("</PubmedArticleSet>", gone))
    staged, _ = stage(data)
    spec = store.read_json(staged[name(2)].folder / "report.json")
    assert spec["sha256"] == snapshots.sha256_of(raw(data, name(2)))
    assert spec["reader"] == staging.reader_version("pubmed")
    account = {key: spec["report"][key] for key in ("records_in", "staged", "rejected", "not_wanted", "deletions")}
    assert account == {"records_in": 3, "staged": 1, "rejected": 1, "not_wanted": 1, "deletions": 1}


def test_an_unchanged_file_is_not_read_again_and_one_of_another_reader_is(tmp_path):
    data = archive(tmp_path)
    staged, fresh = stage(data)
    assert fresh == {name(1): "", name(2): "", name(3): ""}
    assert stage(data)[1] == {}
    report = staged[name(2)].folder / "report.json"
    store.write_json(report, store.read_json(report) | {"reader": "of last year"})
    (staged[name(3)].folder / "index.parquet").unlink()
    assert stage(data)[1] == {name(2): "", name(3): ""}
    assert stage(data)[1] == {}


def test_an_article_that_becomes_cited_costs_the_reading_of_its_file_alone(tmp_path):
    data = archive(tmp_path)
    stage(data)
    cited = [{"pmid": "910000002", "type": "RESULT"}, {"pmid": "900000001", "type": "RESULT"}, {"pmid": "7"}]
    put_studies(data, DAY, [study(1, references=cited, updated="2024-01-20")], "b.json")
    staged, fresh = stage(data)
    assert fresh == {name(2): ""}, "the other one is kept already, and nobody has the third"
    assert staged[name(2)].report.staged == 2
    assert stage(data)[1] == {}


def test_a_file_that_is_not_there_is_named_and_the_others_are_read(tmp_path):
    data = archive(tmp_path)
    path = raw(data, name(2))
    text = path.read_bytes()
    path.unlink()
    staged, fresh = stage(data)
    reason = "it could not be opened or read (No such file or directory); nothing of it was read, and the next build "
    assert fresh == {name(1): "", name(2): f"{reason}tries again", name(3): ""}
    assert {n for n, s in staged.items() if not s.is_read} == {name(2)}
    (reject,) = staged[name(2)].report.rejects
    assert (reject.scope, reject.record) == ("payload", name(2))
    path.write_bytes(text)
    healed, fresh = stage(data)
    assert fresh == {name(2): ""}
    assert all(s.is_read for s in healed.values())
    ids = {build._build_id(AS_OF, list(found.values()), data, [], [], []) for found in (staged, healed)}
    assert len(ids) == 2, "what could be read after all is another build of the same day and files"


def test_what_an_older_reader_read_does_not_count_where_the_present_one_fails(tmp_path):
    data = archive(tmp_path)
    staged, _ = stage(data)
    report = staged[name(2)].folder / "report.json"
    store.write_json(report, store.read_json(report) | {"reader": "of last year"})
    raw(data, name(2)).unlink()
    staged, _ = stage(data)
    assert not staged[name(2)].is_read
    with store.connect() as connection:
        staging.register(connection, list(staged.values()))
        read = connection.sql("SELECT DISTINCT payload FROM staged_articles ORDER BY 1").fetchall()
        failed = connection.sql("SELECT payload, is_failed FROM article_payloads ORDER BY 1").fetchall()
    assert read == [(name(1),), (name(3),)]
    assert failed == [(name(1), False), (name(2), True), (name(3), False)]


def task(tmp_path: Path, **changes: object) -> Task:
    path = tmp_path / name(1)
    path.write_text(article_set(article(900000001, title="Ann Example", electronic="2024-01-01")))
    fields: dict[str, object] = dict(
        source="pubmed", payload=path, name=path.name, day=DAY, folder=tmp_path / "staged", reader="r", sha256="s"
    )
    return Task(**(fields | changes))  # type: ignore[arg-type]


def test_a_reader_that_fails_is_told_by_its_place_without_any_value(tmp_path):
    fault = staging.attempt(task(tmp_path, day="no day"))
    assert re.match(r"its reader failed \(\w+Error in \w+\.py, line \d+\); nothing of it was read", fault)
    assert not re.search("Example|900000001|no day", fault)
    assert [p.name for p in tmp_path.iterdir()] == [name(1)], "nothing half read is left"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_is_no_fault_of_the_file_and_stops_the_build(tmp_path, monkeypatch):
    def onto_a_full_disk(path, value):
        with Path("/dev/full").open("w") as full:
            full.write(str(value))

    monkeypatch.setattr(store, "write_json", onto_a_full_disk)
    with pytest.raises(OSError, match="No space left") as error:
        staging.attempt(task(tmp_path))
    assert error.value.errno == errno.ENOSPC


@pytest.mark.parametrize(
    ("fault", "way_out"),
    [
        (OSError(errno.EFBIG, os.strerror(errno.EFBIG), "staged/records.parquet"), "Make room on the disk"),
        (OSError(errno.EDQUOT, os.strerror(errno.EDQUOT), "staged/records.parquet"), "Make room on the disk"),
        (OSError(errno.EROFS, os.strerror(errno.EROFS), "staged/records.parquet"), "Make it writable"),
        (PermissionError(errno.EACCES, os.strerror(errno.EACCES), "staged/records.parquet"), "Make it writable"),
        (duckdb.IOException('IO Error: Could not write file "x": No space left on device'), "Make room on the disk"),
    ],
)
def test_what_keeps_us_from_writing_is_no_fault_of_the_file_and_has_a_way_out(tmp_path, monkeypatch, fault, way_out):
    def fails(path, value):
        raise fault

    monkeypatch.setattr(store, "write_json", fails)
    with pytest.raises(type(fault)) as error:
        staging.attempt(task(tmp_path))
    assert store.way_out(error.value).startswith(way_out)


def test_a_file_that_may_not_be_read_is_that_file_s_fault(tmp_path, monkeypatch):
    denied = task(tmp_path)

    def fails(path, value):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(denied.payload))

    monkeypatch.setattr(store, "write_json", fails)
    assert "Permission denied" in staging.attempt(denied)


# --- a worker that dies ---------------------------------------------------------------------------------------------


def kill_whoever_reads(pipe: Path, over: threading.Event, killed: list[int]) -> None:
    """Kills every worker that opens the pipe, which nothing ever comes out of."""
    while not over.is_set():
        writer = os.open(pipe, os.O_RDWR | os.O_NONBLOCK)  # with a writer the reader waits for words, not for a writer
        for child in active_children():
            if child.pid and processes.holds(child.pid, pipe):
                killed.append(child.pid)
                os.kill(child.pid, signal.SIGKILL)
        time.sleep(0.02)
        os.close(writer)


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="this system does not show which process reads a file")
def test_a_file_that_kills_its_reader_is_named_and_all_others_are_read(tmp_path, monkeypatch):
    monkeypatch.setattr(staging, "WORTH_A_POOL", 0)
    data = archive(tmp_path, 6)
    pipe = raw(data, name(2))
    text = pipe.read_bytes()
    pipe.unlink()
    os.mkfifo(pipe)
    over, killed = threading.Event(), []
    killer = threading.Thread(target=kill_whoever_reads, args=(pipe, over, killed))
    killer.start()
    try:
        _, fresh = stage(data)
    finally:
        over.set()
        killer.join()
    assert len(set(killed)) == 2, "once beside another worker, once alone"
    assert fresh.pop(name(2)).startswith(f"{staging.DIED}; nothing of it was read")
    assert set(fresh.values()) == {""}
    assert len(fresh) == 5
    pipe.unlink()
    pipe.write_bytes(text)
    assert stage(data)[1] == {name(2): ""}


# --- what a person is told ------------------------------------------------------------------------------------------


def test_progress_is_told_every_few_seconds_and_a_fault_at_once():
    said: list[str] = []
    now = 100.0
    told = progress.watch(said.append, lambda: now)

    def step(done: int, at: float, fault: str = "") -> None:
        nonlocal now
        now = at
        told(Progress(done, 200, done * 10, 2000, done * 100, 7, "pubmed", name(done), fault))

    step(0, 1000.0)
    for done in range(1, 101):
        step(done, 1000.0 + done, "it is torn" if done == 42 else "")
    step(200, 1210.0)
    assert len(said) == 100 // 5 + 1 + 1
    assert said[0] == "reading pubmed: 5 of 200 files (7 more are unchanged), 100 records a second, about 3 min left"
    assert f"could not read pubmed {name(42)}: it is torn" in said
    assert said[-1] == "read 200 of 200 files (7 more are unchanged): 20,000 records, 95 records a second"


def test_time_left_goes_by_bytes():
    large_first = Progress(1, 101, 900, 1000, 30_000, 0, "pubmed")
    assert progress.sentence(large_first, 90.0).endswith("about 10 s left")


def test_a_reading_bears_the_mark_of_the_program_that_runs_and_not_of_the_one_on_disk(tmp_path, monkeypatch):
    before = staging.reader_version("pubmed")
    paths = {path for path in staging._AT_START if path.stem == "pubmed"}
    assert {path.suffix for path in paths} == {".py", ".toml"}, "its reader and its words are part of the mark"
    real = snapshots.sha256_of
    monkeypatch.setattr(snapshots, "sha256_of", lambda path: "other" if path in paths else real(path))
    assert staging.reader_version("pubmed") == before
    monkeypatch.setattr(staging, "_AT_START", staging._program())
    assert staging.reader_version("pubmed") != before, "the next process reads by it"
    with pytest.raises(DataError, match="changed on disk while it ran"):
        staging._attempt_alike(task(tmp_path, reader=before))


def test_a_program_that_was_changed_while_it_ran_reads_nothing_and_builds_nothing(tmp_path, monkeypatch):
    data = archive(tmp_path, 2)
    monkeypatch.setattr(staging, "WORTH_A_POOL", 0)
    monkeypatch.setattr(staging, "reader_version", lambda source: "as it was before")  # which its workers do not know
    with pytest.raises(DataError, match="changed on disk while it ran"):
        stage(data)


def test_the_mark_of_one_source_does_not_depend_on_another():
    marks = {source: staging.reader_version(source) for source in ("pubmed", "ctgov", "ctis")}
    assert len(set(marks.values())) == 3
