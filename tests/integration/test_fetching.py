"""Whole fetches over real sockets: a source that misbehaves gives the same snapshot in the end as one that does not, or
one sentence and nothing half-stored; and nothing is asked for twice without need."""

import gzip
import hashlib
import io
import json
import os
import re
import subprocess
import sys
import time
import zipfile
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace

import pytest

from pipelines import attempts, fetching, importing, nights, pruning, snapshots, summary
from pipelines.contracts import contracts
from pipelines.errors import DataError, FetchError, UsageError
from pipelines.fetchers import euctr as euctr_fetcher
from pipelines.fetching import Fetched, Wish
from pipelines.importing import Dropped, Import
from pipelines.sources import ctgov as ctgov_reader
from pipelines.sources import euctr as euctr_reader
from pipelines.web import Edge, Want
from tests.replay.apps import Ctgov, Ctis, Euctr, Folder, Isrctn, Ncbi
from tests.replay.server import Fault, Replay
from tests.worlds import article, article_set, nct, settings, study

DAY = date(2024, 6, 3)
TERMS = {"page_size": 3, "pause_seconds": 0, "timeout_seconds": 0.4, "attempts": 4, "spare_bytes": 0, "recheck_days": 0}


class Night:
    """A data folder, a server and a day that can be moved on. Nothing is really slept."""

    def __init__(self, tmp_path, server, day=DAY, **terms):
        self.server, self.day = server, day
        self.said = []
        self.slept = 0.0
        self.settings = replace(
            settings(tmp_path / "data"),
            contact="test@example.org",
            addresses={code: f"{server.url}/{code}" for code in server.apps},
            keys={"pubmed": "geheim"},
            fetch_terms={**TERMS, **terms},
        )

    def edge(self):
        def sleep(seconds):
            self.slept += seconds

        def now():
            return datetime(self.day.year, self.day.month, self.day.day, tzinfo=UTC) + timedelta(seconds=self.slept)

        return Edge(now, sleep, lambda: 0.5)

    def fetch(self, source, **wish):
        return list(fetching.fetch(self.settings, source, self.edge(), self.said.append, Wish(**wish)))

    @property
    def snapshots(self):
        return snapshots.listed(self.settings.data)

    def asked(self):
        """What has been asked since this was last called."""
        asked, self.server.asked = self.server.asked, []
        return asked

    def give_up(self, snapshot):
        wrong = [f"{snapshot.source}/{snapshot.id}"]
        pruning.prune(self.settings.data, self.day, keep=0, gives_up_years=False, is_meant=True, wrong=wrong)


def studies(*numbers, updated="2024-01-01"):
    return [study(n, updated=updated) for n in numbers]


def numbers_in(snapshot, ending=".json.gz"):
    found = []
    for payload in snapshot.payloads:
        if payload.name.endswith(ending):
            page = json.loads(gzip.decompress(snapshot.path(payload).read_bytes()))
            found += [s["protocolSection"]["identificationModule"]["nctId"] for s in page["studies"]]
    return found


def content(snapshot):
    return {p.name: p.sha256 for p in snapshot.payloads}


@pytest.fixture
def ctgov(tmp_path):
    with Replay({"ctgov": Ctgov(studies(*range(1, 12)))}).running() as server:
        yield Night(tmp_path, server)


# --- ClinicalTrials.gov ---------------------------------------------------------------------------------------------


def test_all_studies_come_by_pages_and_the_source_says_how_many(ctgov):
    (taken,) = ctgov.fetch("ctgov")
    shot = taken.snapshot
    assert (shot.scope, shot.date) == ("full", DAY)
    assert shot.fetched == {"records": 11, "stated_total": 11, "data_version": "2024-06-03T09:00:04"}
    assert numbers_in(shot) == [nct(n) for n in range(1, 12)]
    manifest = json.loads((shot.folder / "manifest.json").read_text())
    assert all(p["url"].startswith(ctgov.server.url) and p["retrieved_at"] for p in manifest["payloads"])
    assert not (ctgov.settings.data / "fetch" / "ctgov").exists()
    assert ctgov.server.agents == {"AllTrialsWarehouse/0.1.0 (+test@example.org)"}


def test_unchanged_data_cost_one_question(ctgov):
    ctgov.fetch("ctgov")
    ctgov.asked()
    ctgov.day += timedelta(days=1)
    assert ctgov.fetch("ctgov") == []
    assert ctgov.asked() == ["GET /ctgov/v2/version"]


def test_the_next_nights_ask_for_updates_with_overlap_and_now_and_then_for_all_numbers(ctgov):
    ctgov.fetch("ctgov")
    app = ctgov.server.apps["ctgov"]
    app.studies = [*studies(*range(1, 11)), *studies(12, updated="2024-06-04")]
    app.version, ctgov.day = "2024-06-04T09:00:04", DAY + timedelta(days=1)
    ctgov.asked()
    (update,) = ctgov.fetch("ctgov")
    assert update.snapshot.scope == "partial"
    assert numbers_in(update.snapshot) == [nct(12)]
    asked = ctgov.asked()
    assert any("2024-05-29" in path for path in asked), "five days of overlap"
    assert not any("fields=NCTId" in path for path in asked), "all numbers came the day before"
    app.version, ctgov.day = "2024-06-11T09:00:04", DAY + timedelta(days=8)
    (update,) = ctgov.fetch("ctgov")
    listed = numbers_in(update.snapshot, snapshots.LISTING)
    assert nct(11) not in listed
    assert nct(12) in listed
    assert update.snapshot.fetched["records"] == len(listed) == 11
    app.version, ctgov.day = "2024-09-20T09:00:04", DAY + timedelta(days=109)
    (again,) = ctgov.fetch("ctgov")
    assert again.snapshot.scope == "full", "not every change moves a study's date of update"


@pytest.mark.parametrize("unknown_area", ["", "UnpostedEventType"])
def test_results_handed_in_come_with_the_listing_although_they_move_no_date_of_update(ctgov, unknown_area):
    """A server that refuses the question costs the night nothing, and is a note."""
    ctgov.fetch("ctgov")
    app = ctgov.server.apps["ctgov"]
    handed_in = [study(n, updated="2024-01-01", events=[("RELEASE", "2024-06-05")]) for n in (3, 4, 5, 6)]
    app.studies = [*studies(1, 2, *range(7, 12)), *handed_in]
    app.version, app.unknown_area, ctgov.day = "2024-06-11T09:00:04", unknown_area, DAY + timedelta(days=8)
    (update,) = ctgov.fetch("ctgov")
    assert len(numbers_in(update.snapshot, snapshots.LISTING)) == update.snapshot.fetched["records"] == 11
    if unknown_area:
        assert numbers_in(update.snapshot) == []
        assert ["was refused" in note for note in update.notes] == [True]
    else:
        assert numbers_in(update.snapshot) == [nct(n) for n in (3, 4, 5, 6)]
        assert list(update.notes) == []


def test_updates_follow_an_imported_full_dump(ctgov, tmp_path):
    dump = tmp_path / "all.json"
    dump.write_text(json.dumps(studies(1, 2)))
    importing.take(ctgov.settings.data, Import("ctgov", date(2024, 5, 20), (dump,), "full"))
    (update,) = ctgov.fetch("ctgov")
    assert update.snapshot.scope == "partial"
    assert any("2024-05-15" in path for path in ctgov.asked())


SECOND = r"/v2/studies\?.*pageToken=3"
PASSING = {
    "a burst of 429": [Fault("/v2/studies", "status", times=3, code=429, headers={"Retry-After": "2"})],
    "429 without a word": [Fault(SECOND, "status", times=3, code=429)],
    "503": [Fault("/v2/version", "status"), Fault(SECOND, "status", times=2)],
    "403 as a throttle": [Fault(SECOND, "status", code=403)],
    "silence": [Fault(SECOND, "stall")],
    "a reset within the body": [Fault(SECOND, "reset", times=2)],
    "half a body": [Fault(SECOND, "truncated")],
    "half a body that says it is whole": [Fault(SECOND, "cut", times=2)],
    "a page of HTML": [Fault(SECOND, "html", times=2)],
    "an expired token": [Fault(SECOND, "status", code=400)],
    "a page that comes twice": [Fault(SECOND, "instead", change=lambda path: path.replace("pageToken=3", "pageToken=0"))],
    "a page left out": [Fault(SECOND, "instead", change=lambda path: path.replace("pageToken=3", "pageToken=6"))],
    "a total that disagrees once": [
        Fault("countTotal", "alter", change=lambda body: body.replace(b'"totalCount": 11', b'"totalCount": 12'))
    ],
}  # fmt: skip


@pytest.fixture(scope="module")
def faultless(tmp_path_factory):
    with Replay({"ctgov": Ctgov(studies(*range(1, 12)))}).running() as server:
        return content(Night(tmp_path_factory.mktemp("faultless"), server).fetch("ctgov")[0].snapshot)


@pytest.mark.parametrize("faults", PASSING.values(), ids=PASSING.keys())
def test_a_night_with_faults_ends_in_the_same_bytes(ctgov, faultless, faults):
    ctgov.server.faults = [Fault(**vars(fault)) for fault in faults]
    (taken,) = ctgov.fetch("ctgov")
    assert content(taken.snapshot) == faultless
    assert all(fault.times == 0 for fault in ctgov.server.faults), "every fault has happened"


LASTING = {
    "busy": (Fault("/v2/studies", "status", times=99), "answers 503; gave up after 4 attempts"),
    "HTML": (Fault(SECOND, "html", times=99), "an HTML page instead of json; gave up"),
    "sent elsewhere": (Fault(SECOND, "redirect", times=9, target="https://evil.example.org/"), "outside 127.0.0.1"),
    "gone": (Fault("/v2/studies", "status", times=99, code=404), "answers 404"),
    "token": (Fault("pageToken", "status", times=99, code=400), "paging token expired 3 times"),
    "total": (
        Fault("countTotal", "alter", times=99, change=lambda body: body.replace(b'"totalCount": 11', b'"totalCount": 10')),
        "states 10 studies, and 11 different ones came",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("fault", "sentence"), LASTING.values(), ids=LASTING.keys())
def test_a_lasting_fault_is_one_sentence_and_the_last_good_snapshot_stays(ctgov, fault, sentence):
    ctgov.fetch("ctgov")
    before = ctgov.snapshots
    ctgov.day += timedelta(days=200)
    ctgov.server.apps["ctgov"].version = "2024-12-20T09:00:04"
    ctgov.server.faults = [Fault(**vars(fault))]
    with pytest.raises(FetchError, match=sentence) as said:
        ctgov.fetch("ctgov")
    assert "\n" not in str(said.value)
    assert ctgov.snapshots == before


def test_an_interrupted_crawl_goes_on_where_it_was(ctgov, faultless):
    ctgov.server.faults = [Fault("pageToken=6", "status", times=4)]
    with pytest.raises(FetchError):
        ctgov.fetch("ctgov")
    assert ctgov.snapshots == []
    ctgov.asked()
    ctgov.day += timedelta(days=1)
    (taken,) = ctgov.fetch("ctgov")
    assert content(taken.snapshot) == faultless
    assert taken.snapshot.date == DAY, "what came on two days is dated by the first"
    pages = [path for path in ctgov.asked() if "/v2/studies" in path]
    assert len(pages) == 2, "two of four pages were here"


def test_a_fetch_that_is_killed_again_and_again_asks_for_no_page_twice_without_need(ctgov, tmp_path):
    app, kills = ctgov.server.apps["ctgov"], 5

    def slowly(asked):
        time.sleep(0.1)
        return app(asked)

    ctgov.server.apps["ctgov"] = slowly
    environment = {
        **os.environ,
        "ALLTRIALS_CTGOV_URL": f"{ctgov.server.url}/ctgov",
        "ALLTRIALS_CONTACT": "test@example.org",
        "ALLTRIALS_VOLUME_BANDS": "ctgov = [1, 100]",
        "ALLTRIALS_FETCH_TERMS": "pause_seconds = 0; page_size = 1; spare_bytes = 0",
    }
    words = [sys.executable, "-m", "pipelines", "--data", str(ctgov.settings.data), "fetch", "ctgov"]
    for number in range(kills):
        asked = len(ctgov.server.asked)
        process = subprocess.Popen(words, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while process.poll() is None and len(ctgov.server.asked) < asked + 3 + number % 2:
            time.sleep(0.01)
        process.kill()
        process.wait()
        assert ctgov.snapshots == []
    assert subprocess.run(words, env=environment, stdout=subprocess.DEVNULL, check=False).returncode == 0
    assert [number for shot in ctgov.snapshots for number in numbers_in(shot)] == [nct(n) for n in range(1, 12)]
    assert ctgov.server.count("/v2/studies") <= 11 + kills, "at most the page that was under way at each kill"


def test_a_crawl_interrupted_before_the_data_changed_begins_anew(ctgov):
    ctgov.server.faults = [Fault("pageToken=6", "status", times=4)]
    with pytest.raises(FetchError):
        ctgov.fetch("ctgov")
    app = ctgov.server.apps["ctgov"]
    app.version, app.studies = "2024-06-04T09:00:04", studies(*range(2, 12))
    (taken,) = ctgov.fetch("ctgov")
    assert numbers_in(taken.snapshot) == [nct(n) for n in range(2, 12)]


def test_data_that_change_under_the_crawl_are_crawled_again(ctgov):
    app = ctgov.server.apps["ctgov"]

    def changed(path):
        app.version, app.studies = "2024-06-03T15:00:00", studies(*range(1, 11))
        return path

    ctgov.server.faults = [Fault("pageToken=9", "instead", change=changed)]
    (taken,) = ctgov.fetch("ctgov")
    assert numbers_in(taken.snapshot) == [nct(n) for n in range(1, 11)]
    assert taken.snapshot.fetched["data_version"] == "2024-06-03T15:00:00"


def test_a_total_that_fell_is_taken_in_only_where_a_person_says_so(ctgov):
    ctgov.fetch("ctgov")
    app = ctgov.server.apps["ctgov"]
    app.version, app.studies = "2024-06-04T09:00:04", studies(1, 2, 3)
    with pytest.raises(FetchError, match=r"3 came, 11 the last time.*--accept-drop"):
        ctgov.fetch("ctgov", is_full=True)
    assert len(ctgov.snapshots) == 1
    asked = len(ctgov.asked())
    assert ctgov.fetch("ctgov", is_full=True, accept_drop=True)[0].snapshot.fetched["records"] == 3
    assert len(ctgov.asked()) < asked, "what had come was not asked for again"


@pytest.mark.parametrize(
    ("records", "stated", "sentence"),
    [
        (5, 5, "a volume of 5 is less than the 10"),
        (30, 29, "states 29 records and 30 came"),
        (30, 30, None),
        (60, 60, "more than the 50"),
    ],
)
def test_the_volume_band_stops_below_and_warns_above(records, stated, sentence):
    source = replace(contracts().sources["ctgov"], min_records=10, max_records=50)
    fetched = Fetched([], "full", records, stated)
    if records > source.max_records or sentence is None:
        notes = fetching.accept(source, fetched, [], Wish())
        assert bool(notes) == bool(sentence)
        assert all(sentence in note for note in notes)
    else:
        with pytest.raises(FetchError, match=sentence):
            fetching.accept(source, fetched, [], Wish())


FETCHED = [source for source in contracts().sources.values() if source.fetch]


@pytest.mark.parametrize("source", FETCHED, ids=lambda s: s.code)
def test_every_source_that_is_fetched_has_a_band_that_no_sample_of_it_fits(source):
    assert 1000 < source.min_records < source.max_records
    assert 0 < source.fetch["largest_drop"] <= 0.05
    with pytest.raises(FetchError, match="is less than the"):
        fetching.accept(source, Fetched([], "full", 900), [], Wish())
    assert fetching.accept(source, Fetched([], "partial"), [], Wish()) == [], "an update or chosen numbers may be few"


def test_the_band_of_the_file_holds_unless_a_setting_names_another(ctgov):
    ctgov.settings = replace(ctgov.settings, volume_bands={})
    with pytest.raises(FetchError, match=r"a volume of 11 is less than the 560,000 that schemas/sources/ctgov.toml"):
        ctgov.fetch("ctgov")
    assert ctgov.snapshots == []
    ctgov.settings = replace(ctgov.settings, volume_bands={"ctgov": (1, 10)})
    (taken,) = ctgov.fetch("ctgov")
    assert "held to a volume of 1 to 10 by ALLTRIALS_VOLUME_BANDS" in "".join(ctgov.said)
    (note,) = taken.notes
    assert note.startswith("ctgov: a volume of 11 is more than the 10 that schemas/sources/ctgov.toml expects")


def test_single_records_and_updates_are_held_to_no_band(ctgov):
    ctgov.server.apps["ctgov"].histories = {nct(5): [study(5)]}
    ctgov.fetch("ctgov")
    ctgov.settings = replace(ctgov.settings, volume_bands={})
    assert ctgov.fetch("ctgov", numbers=(nct(5),))
    ctgov.server.apps["ctgov"].version, ctgov.day = "2024-06-04T09:00:04", DAY + timedelta(days=1)
    assert ctgov.fetch("ctgov")[0].snapshot.scope == "partial"


def noted(night):
    return [(a.source, a.day, a.failure) for a in attempts.read(night.settings.data, date.max)]


def test_every_attempt_at_what_is_due_is_kept_with_the_reason_of_a_failure(ctgov):
    ctgov.fetch("ctgov")
    ctgov.day += timedelta(days=1)
    assert ctgov.fetch("ctgov") == []
    ctgov.day += timedelta(days=1)
    ctgov.server.faults = [Fault("version", "status", times=99)]
    with pytest.raises(FetchError) as said:
        ctgov.fetch("ctgov")
    with pytest.raises(UsageError):
        ctgov.fetch("ctgov", numbers=("NCT1",))
    assert noted(ctgov) == [
        ("ctgov", "2024-06-03", ""),
        ("ctgov", "2024-06-04", ""),
        ("ctgov", "2024-06-05", str(said.value)),
    ]


def test_the_history_of_a_record_comes_as_one_archive_that_the_reader_takes(ctgov, tmp_path):
    versions = [study(5, updated="2020-01-01", status="RECRUITING"), study(5, updated="2023-01-01")]
    ctgov.server.apps["ctgov"].histories = {nct(5): versions}
    (taken,) = ctgov.fetch("ctgov", numbers=(nct(5),))
    (payload,) = taken.snapshot.payloads
    with zipfile.ZipFile(taken.snapshot.path(payload)) as archive:
        assert archive.namelist() == [f"{nct(5)}-0000.json", f"{nct(5)}-0001.json", f"{nct(5)}-history.json"]
    report = ctgov_reader.read(taken.snapshot.path(payload), payload.name, DAY, tmp_path / "records.parquet")
    assert (report.staged, report.rejected) == (3, 0)
    with pytest.raises(UsageError, match="NCT0123 is no number"):
        ctgov.fetch("ctgov", numbers=("NCT0123",))


def test_two_fetches_of_one_source_at_once_are_refused(ctgov):
    first = fetching.fetch(ctgov.settings, "ctgov", ctgov.edge(), ctgov.said.append)
    next(first)
    with pytest.raises(DataError, match="Another fetch of ctgov is under way"):
        ctgov.fetch("ctgov")
    first.close()


def test_who_does_not_say_who_they_are_asks_nothing(ctgov):
    ctgov.settings = replace(ctgov.settings, contact="")
    with pytest.raises(UsageError, match="ALLTRIALS_CONTACT"):
        ctgov.fetch("ctgov")
    assert ctgov.asked() == []


@pytest.mark.parametrize(("source", "sentence"), [("rebec", "allows no unattended access"), ("nothere", "no source")])
def test_what_cannot_be_fetched_is_said(ctgov, source, sentence):
    with pytest.raises(UsageError, match=sentence):
        ctgov.fetch(source)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"addresses": {"ctgov": "file:///etc"}}, "ALLTRIALS_CTGOV_URL is an address like https"),
        ({"addresses": {"ctgov": "ftp://127.0.0.1/x"}}, "ALLTRIALS_CTGOV_URL is an address like https"),
        ({"addresses": {"ctgov": "http://registry.example.org"}}, "ALLTRIALS_CTGOV_URL is an address like https"),
        (
            {"addresses": {"ctgov": "https://name:geheim@registry.example.org"}},
            "ALLTRIALS_CTGOV_URL is an address like",
        ),
        ({"addresses": {"ctgov": "https://registry.example.org/x?key=geheim"}}, "ALLTRIALS_CTGOV_URL is an address"),
        ({"fetch_terms": {"site": "evil.example.org"}}, "ALLTRIALS_FETCH_TERMS names 'site'"),
        ({"fetch_terms": {"efetch_url": "file:///etc"}}, "ALLTRIALS_FETCH_TERMS names 'efetch_url'"),
        ({"fetch_terms": {"plain_http": True}}, "ALLTRIALS_FETCH_TERMS names 'plain_http'"),
        ({"fetch_terms": {"verify": False}}, "ALLTRIALS_FETCH_TERMS names 'verify'"),
        ({"fetch_terms": {"page_sise": 5}}, "ALLTRIALS_FETCH_TERMS names 'page_sise'"),
    ],
)
def test_no_setting_sends_us_to_a_file_elsewhere_or_without_a_certificate(ctgov, change, sentence):
    ctgov.settings = replace(ctgov.settings, **change)
    with pytest.raises(UsageError, match=sentence) as said:
        ctgov.fetch("ctgov")
    assert "geheim" not in str(said.value)
    assert ctgov.asked() == []


# --- PubMed ---------------------------------------------------------------------------------------------------------


def pubmed_files(year, *numbers):
    return {f"pubmed{year}n{n:04d}.xml.gz": gzip.compress(article_set(article(900000000 + n)).encode() * 50, mtime=0)
            for n in numbers}  # fmt: skip


@pytest.fixture
def pubmed(tmp_path):
    articles = {n: article(n) for n in (900000001, 900000002)}
    app = Ncbi(pubmed_files(24, 1, 2), pubmed_files(24, 3, 4), articles)
    with Replay({"pubmed": app}).running() as server:
        yield Night(tmp_path, server)


def names(snapshot):
    return [p.name for p in snapshot.payloads if not p.name.endswith(".md5")]


def test_the_baseline_comes_once_and_then_only_new_update_files(pubmed):
    baseline, updates = pubmed.fetch("pubmed")
    assert (baseline.snapshot.scope, baseline.snapshot.baseline) == ("full", True)
    assert names(baseline.snapshot) == ["pubmed24n0001.xml.gz", "pubmed24n0002.xml.gz"]
    assert names(updates.snapshot) == ["pubmed24n0003.xml.gz", "pubmed24n0004.xml.gz"]
    assert all(hashlib.md5(s.snapshot.path(p).read_bytes()).hexdigest() in s.snapshot.path(q).read_text()
               for s in (baseline, updates) for p, q in zip(s.snapshot.payloads[::2], s.snapshot.payloads[1::2], strict=True))  # fmt: skip
    pubmed.asked()
    pubmed.day += timedelta(days=1)
    assert pubmed.fetch("pubmed") == []
    assert len(pubmed.asked()) == 2, "the two listings"
    pubmed.server.apps["pubmed"].updates |= pubmed_files(24, 5)
    (more,) = pubmed.fetch("pubmed")
    assert names(more.snapshot) == ["pubmed24n0005.xml.gz"]
    assert pubmed.server.count("n0001.xml.gz") == 0


def test_a_new_year_waits_until_its_baseline_is_whole(pubmed):
    pubmed.fetch("pubmed")
    app, pubmed.day = pubmed.server.apps["pubmed"], date(2024, 12, 20)
    app.baseline = pubmed_files(25, 1)
    app.updates |= pubmed_files(24, 5)
    (late,) = pubmed.fetch("pubmed")
    assert names(late.snapshot) == ["pubmed24n0005.xml.gz"], "the year before goes on"
    assert "no update file of that year shows yet where it ends" in pubmed.said[-1]
    app.baseline, app.updates = pubmed_files(25, 1, 3), pubmed_files(25, 4)
    assert pubmed.fetch("pubmed") == []
    app.baseline = pubmed_files(25, 1, 2, 3)
    baseline, updates = pubmed.fetch("pubmed")
    assert names(baseline.snapshot) == [f"pubmed25n000{n}.xml.gz" for n in (1, 2, 3)]
    assert names(updates.snapshot) == ["pubmed25n0004.xml.gz"]


def test_a_checksum_file_that_holds_none_is_made_up_for(pubmed):
    name = "pubmed24n0001.xml.gz"
    pubmed.fetch("pubmed")
    held = next(s.folder for s in pubmed.snapshots if (s.folder / name).exists()) / name
    side = held.with_name(f"{name}.md5")
    side.unlink()
    side.write_text("a person imported something else\n")
    pubmed.settings = replace(pubmed.settings, fetch_terms={**TERMS, "recheck_days": 1})
    pubmed.day += timedelta(days=1)
    assert pubmed.fetch("pubmed") == []


def test_an_error_that_nobody_foresaw_is_an_attempt_that_failed_and_stops_no_other_source(ctgov, monkeypatch):
    def fetch(round_):
        yield from [1 // 0]

    monkeypatch.setattr("pipelines.fetchers.ctgov.fetch", fetch)
    came, why = nights.ask(ctgov.settings, "ctgov", ctgov.edge(), ctgov.said.append)
    assert came == []
    assert re.fullmatch(r"its fetching failed \(ZeroDivisionError in test_fetching.py, line \d+\)\.", why)
    (attempt,) = attempts.read(ctgov.settings.data, date.max)
    assert why in attempt.failure


@pytest.mark.parametrize("name", ["pubmed24n0001.xml.gz", "pubmed24n0004.xml.gz"])
def test_a_file_that_is_issued_again_takes_the_place_of_its_first_issue(pubmed, name):
    pubmed.fetch("pubmed")
    app = pubmed.server.apps["pubmed"]
    files = app.baseline if name in app.baseline else app.updates
    files[name] = gzip.compress(article_set(article(900000009)).encode(), mtime=0)
    pubmed.settings = replace(pubmed.settings, fetch_terms={**TERMS, "recheck_days": 3})
    came = []
    for _ in range(3):
        pubmed.day += timedelta(days=1)
        pubmed.asked()
        came += pubmed.fetch("pubmed")
        assert pubmed.server.count("md5") < 4, "no night looks at all files"
    (again,) = came
    assert names(again.snapshot) == [name]
    assert again.snapshot.folder.joinpath(name).read_bytes() == files[name]
    assert name in again.notes[0]


def test_a_baseline_with_fewer_files_than_that_of_the_year_before_is_not_taken_in(pubmed):
    pubmed.fetch("pubmed")
    app, pubmed.day = pubmed.server.apps["pubmed"], date(2025, 1, 20)
    app.baseline, app.updates = pubmed_files(25, 1), pubmed_files(25, 2)
    with pytest.raises(FetchError, match="1 came, 2 the last time"):
        pubmed.fetch("pubmed")
    assert {n[:8] for s in pubmed.snapshots for n in names(s)} == {"pubmed24"}
    assert pubmed.fetch("pubmed", accept_drop=True)[0].snapshot.fetched["records"] == 1


def test_a_year_that_changes_while_it_is_fetched_is_fetched_whole_or_not_at_all(pubmed):
    """The files of the year go while they are fetched, and those of the next one stand in their place."""
    app = pubmed.server.apps["pubmed"]

    def changed(path):
        app.baseline, app.updates = pubmed_files(25, 1, 2, 3), pubmed_files(25, 4)
        return path

    pubmed.server.faults = [Fault("pubmed24n0002.xml.gz$", "instead", change=changed)]
    with pytest.raises(FetchError, match=r"pubmed24n0002\.xml\.gz(\.md5)?: the server answers 404"):
        pubmed.fetch("pubmed")
    assert pubmed.snapshots == []
    baseline, updates = pubmed.fetch("pubmed")
    assert names(baseline.snapshot) == [f"pubmed25n000{n}.xml.gz" for n in (1, 2, 3)]
    assert names(updates.snapshot) == ["pubmed25n0004.xml.gz"]
    assert not list((pubmed.settings.data / "fetch").glob("*/pubmed24*")), "what is left of the year is forgotten"


def test_a_file_without_its_checksum_is_not_complete_yet(pubmed):
    pubmed.server.apps["pubmed"].unready = frozenset({"pubmed24n0004.xml.gz"})
    _, updates = pubmed.fetch("pubmed")
    assert names(updates.snapshot) == ["pubmed24n0003.xml.gz"]


@pytest.mark.parametrize(
    "fault",
    [
        Fault("n0002.xml.gz$", "alter", change=lambda body: body[:-9] + b"different"),
        Fault("n0002.xml.gz$", "reset", times=2),
        Fault("n0002.xml.gz.md5", "html"),
        Fault("baseline/$", "status", times=2),
    ],
    ids=["wrong checksum", "reset", "html for md5", "listing busy"],
)
def test_files_with_faults_end_in_the_same_bytes(pubmed, fault):
    pubmed.server.faults = [Fault(**vars(fault))]
    baseline, _ = pubmed.fetch("pubmed")
    app = pubmed.server.apps["pubmed"]
    stored = {n: baseline.snapshot.folder.joinpath(n).read_bytes() for n in names(baseline.snapshot)}
    assert stored == app.baseline
    assert pubmed.server.count("n0001.xml.gz$") == 1


def test_an_update_file_that_is_broken_for_good_stops_only_what_comes_after_it(pubmed):
    pubmed.server.apps["pubmed"].updates |= pubmed_files(24, 5)
    pubmed.server.faults = [Fault("n0004.xml.gz$", "alter", times=99, change=lambda body: body[:-1] + b"x")]
    with pytest.raises(FetchError, match=r"checksum of pubmed24n0004.xml.gz is not the one"):
        pubmed.fetch("pubmed")
    assert any(names(s) == ["pubmed24n0003.xml.gz"] for s in pubmed.snapshots)
    pubmed.server.faults = []
    (rest,) = pubmed.fetch("pubmed")
    assert names(rest.snapshot) == ["pubmed24n0004.xml.gz", "pubmed24n0005.xml.gz"]


def test_a_checksum_that_is_wrong_itself_costs_one_small_question(pubmed):
    pubmed.server.faults = [Fault("n0002.xml.gz.md5", "alter", change=lambda body: body.replace(b"= ", b"= 0")[:-2])]
    baseline, _ = pubmed.fetch("pubmed")
    assert names(baseline.snapshot) == ["pubmed24n0001.xml.gz", "pubmed24n0002.xml.gz"]
    assert (pubmed.server.count("n0002.xml.gz$"), pubmed.server.count("n0002.xml.gz.md5")) == (1, 2)
    stored = baseline.snapshot.folder.joinpath("pubmed24n0002.xml.gz.md5").read_text()
    assert hashlib.md5(pubmed.server.apps["pubmed"].baseline["pubmed24n0002.xml.gz"]).hexdigest() in stored


def test_an_interrupted_baseline_goes_on_within_the_file(pubmed):
    pubmed.server.faults = [Fault("n0002.xml.gz$", "reset", times=4)]
    with pytest.raises(FetchError):
        pubmed.fetch("pubmed")
    assert pubmed.snapshots == []
    pubmed.asked()
    pubmed.server.ranges = []
    baseline, _ = pubmed.fetch("pubmed")
    assert (
        baseline.snapshot.folder.joinpath("pubmed24n0002.xml.gz").read_bytes()
        == pubmed.server.apps["pubmed"].baseline["pubmed24n0002.xml.gz"]
    )
    assert pubmed.server.count("n0001.xml.gz") == 0
    assert len(pubmed.server.ranges) == 1


def test_single_articles_leave_an_interrupted_baseline_as_it_is(pubmed):
    pubmed.server.faults = [Fault("n0002.xml.gz$", "reset", times=4)]
    with pytest.raises(FetchError):
        pubmed.fetch("pubmed")
    pubmed.fetch("pubmed", numbers=("900000001",))
    pubmed.asked()
    assert [one.snapshot.baseline for one in pubmed.fetch("pubmed")] == [True, False]
    assert pubmed.server.count("n0001.xml.gz") == 0
    assert not [path for path in (pubmed.settings.data / "fetch").iterdir() if path.is_dir()]


def test_single_articles_come_by_number_and_the_key_is_written_nowhere(pubmed):
    (taken,) = pubmed.fetch("pubmed", numbers=("900000002", "900000001", "900000003"))
    assert taken.notes == ["pubmed has 2 of the 3 articles that were asked for"]
    assert "api_key=geheim" in pubmed.asked()[0]
    everything = b"".join(p.read_bytes() for p in pubmed.settings.data.rglob("*") if p.is_file())
    assert b"geheim" not in everything
    assert "geheim" not in repr(pubmed.settings)


def test_an_error_in_place_of_articles_is_asked_again(pubmed):
    pubmed.server.faults = [
        Fault("efetch", "alter", change=lambda body: b"<?xml version='1.0'?><eFetchResult><ERROR>busy</ERROR></eFetchResult>"),
        Fault("efetch", "cut"),
    ]  # fmt: skip
    (taken,) = pubmed.fetch("pubmed", numbers=("900000001",))
    assert taken.notes == []
    assert pubmed.server.count("efetch") == 3


# --- CTIS -----------------------------------------------------------------------------------------------------------


def ctis_number(n):
    return f"2023-599{n:03d}-11-00"


def ctis_records(*numbers, **changes):
    found = {}
    for n in numbers:
        record = {"ctNumber": ctis_number(n), "ctStatus": n % 4 + 1, "ctTitle": "Invented", "lastUpdated": "01/05/2024"}
        found[ctis_number(n)] = record | changes
    return found


@pytest.fixture
def ctis(tmp_path):
    with Replay({"ctis": Ctis(ctis_records(*range(1, 12)), cap=5)}).running() as server:
        yield Night(tmp_path, server, cap=5, page_size=2, records_per_file=4)


def retrieved(snapshot):
    found = []
    for payload in snapshot.payloads:
        if payload.name.endswith(".zip"):
            with zipfile.ZipFile(snapshot.path(payload)) as archive:
                found += [name.removesuffix(".json") for name in archive.namelist()]
    return found


def test_all_of_ctis_comes_although_a_search_has_a_cap(ctis):
    (taken,) = ctis.fetch("ctis")
    assert taken.snapshot.scope == "full"
    assert taken.snapshot.fetched["records"] == 11
    assert retrieved(taken.snapshot) == [ctis_number(n) for n in range(1, 12)]
    assert ctis.server.count("retrieve") == 11


def test_what_one_status_hides_behind_the_cap_is_read_from_the_other_end(ctis):
    ctis.server.apps["ctis"].records = ctis_records(*range(1, 10), ctStatus=8)
    (taken,) = ctis.fetch("ctis")
    assert len(retrieved(taken.snapshot)) == 9
    ctis.server.apps["ctis"].records = ctis_records(*range(1, 13), ctStatus=8)
    with pytest.raises(FetchError, match="12 trials have the criteria"):
        ctis.fetch("ctis")


def test_only_records_whose_overview_changed_are_asked_for_again(ctis):
    ctis.fetch("ctis")
    ctis.asked()
    ctis.day += timedelta(days=1)
    assert ctis.fetch("ctis") == []
    assert ctis.server.count("retrieve") == 0
    app = ctis.server.apps["ctis"]
    app.records = {**ctis_records(*range(2, 12)), **ctis_records(5, lastUpdated="03/06/2024"), **ctis_records(20)}
    (update,) = ctis.fetch("ctis")
    assert update.snapshot.scope == "partial"
    assert retrieved(update.snapshot) == [ctis_number(5), ctis_number(20)]
    assert update.snapshot.fetched["records"] == 11
    app.records = {k: v for k, v in app.records.items() if k != ctis_number(20)}
    (gone,) = ctis.fetch("ctis", accept_drop=True)
    assert retrieved(gone.snapshot) == [], "only its absence from the overview is new"


def test_a_record_that_changed_between_two_nights_of_one_crawl_is_asked_for_again(ctis):
    ctis.server.faults = [Fault(f"retrieve/{ctis_number(7)}", "status", times=99)]
    with pytest.raises(FetchError):
        ctis.fetch("ctis")
    app, ctis.day, ctis.server.faults = ctis.server.apps["ctis"], DAY + timedelta(days=1), []
    app.records = {**ctis_records(*range(2, 12)), **ctis_records(5, ctTitle="Another")}
    ctis.asked()
    (taken,) = ctis.fetch("ctis")
    titles = {}
    for path in taken.snapshot.folder.glob("*.zip"):
        with zipfile.ZipFile(path) as archive:
            titles |= {name: json.loads(archive.read(name))["ctTitle"] for name in archive.namelist()}
    assert titles[f"{ctis_number(5)}.json"] == "Another"
    asked = [path for path in ctis.asked() if "retrieve" in path]
    assert len(asked) == 10 - 4, "those that did not change since are here"
    listed = b"".join(gzip.decompress(p.read_bytes()) for p in taken.snapshot.folder.glob(f"*{snapshots.LISTING}"))
    assert {number for number in ctis_records(*range(1, 12)) if number.encode() in listed} == set(app.records)


def no_record(n, times=99):
    return Fault(f"retrieve/{ctis_number(n)}", "status", times=times, code=404)


def test_a_changed_record_that_does_not_come_is_asked_for_again_until_it_does(ctis):
    ctis.fetch("ctis")
    app = ctis.server.apps["ctis"]
    app.records = {**app.records, **ctis_records(5, lastUpdated="03/06/2024")}
    ctis.server.faults = [no_record(5)]
    for _ in range(2):
        ctis.day += timedelta(days=1)
        (lacking,) = ctis.fetch("ctis")
        assert (lacking.snapshot.fetched["missing"], retrieved(lacking.snapshot)) == ([ctis_number(5)], [])
        night = SimpleNamespace(taken=[lacking], failed=[], not_released="", dropped=Dropped([], []),
                                built=SimpleNamespace(left_out=[]))  # fmt: skip
        (said,) = summary.troubles(night)
        assert re.fullmatch(r"Not all came: ctis: it lists 1 trials .*2023-599005-11-00; they are asked.*", said)
    ctis.server.faults, ctis.day = [], ctis.day + timedelta(days=1)
    (whole,) = ctis.fetch("ctis")
    assert (retrieved(whole.snapshot), whole.lacks) == ([ctis_number(5)], "")
    assert "missing" not in whole.snapshot.fetched
    ctis.day += timedelta(days=1)
    assert ctis.fetch("ctis") == []


def test_a_first_crawl_that_lacks_a_record_is_not_begun_anew_each_night(ctis):
    ctis.server.faults = [no_record(5)]
    (first,) = ctis.fetch("ctis")
    assert (first.snapshot.scope, len(retrieved(first.snapshot))) == ("partial", 10)
    ctis.server.faults, ctis.day = [], ctis.day + timedelta(days=1)
    (second,) = ctis.fetch("ctis")
    assert retrieved(second.snapshot) == [ctis_number(5)]


@pytest.mark.parametrize(
    "fault",
    [
        Fault("search", "status", times=3, code=429),
        Fault("search", "html"),
        Fault("search", "cut"),
        Fault("retrieve", "html", times=2),
        Fault("retrieve/2023-599003", "instead", change=lambda path: path.replace("599003", "599004")),
        Fault("retrieve", "truncated"),
    ],
    ids=lambda f: f"{f.match} {f.kind}",
)
def test_ctis_with_faults_ends_in_the_same_bytes(ctis, fault):
    ctis.server.faults = [Fault(**vars(fault))]
    (taken,) = ctis.fetch("ctis")
    fault_free = Night(ctis.settings.data.parent / "other", ctis.server, cap=5, page_size=2, records_per_file=4)
    assert content(taken.snapshot) == content(fault_free.fetch("ctis")[0].snapshot)


@pytest.mark.parametrize("number", ["../../../../outside", "/tmp/outside", "2023-599001-11-00?x=", "NCT00000001", ""])
def test_a_number_that_is_none_makes_neither_an_address_nor_a_file(ctis, number):
    ctis.server.apps["ctis"].records = ctis_records(1) | {
        number: ctis_records(2)[ctis_number(2)] | {"ctNumber": number}
    }
    with pytest.raises(FetchError, match="no number of CTIS"):
        ctis.fetch("ctis")
    assert ctis.server.count("retrieve") == 0
    written = {p.parent for p in ctis.settings.data.parent.rglob("*") if p.is_file()}
    data = ctis.settings.data
    assert written <= {data / "ledger", data / "fetch", data / "fetch" / "ctis"}


def test_a_number_without_a_record_stops_no_fetch(ctis):
    """The answer for a number that has none is an empty object."""
    ctis.server.apps["ctis"].withheld = [ctis_number(4)]
    (taken,) = ctis.fetch("ctis")
    assert taken.snapshot.fetched["missing"] == [ctis_number(4)]
    assert retrieved(taken.snapshot) == [ctis_number(n) for n in range(1, 12) if n != 4]


# --- ISRCTN ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def isrctn(tmp_path):
    edited = {f"9000{n:04d}": f"{2006 + n}-03-15" for n in range(12)} | {"90010000": "2024-06-02"}
    with Replay({"isrctn": Isrctn(edited)}).running() as server:
        yield Night(tmp_path, server, cap=4)


def test_isrctn_comes_in_windows_and_then_by_the_day_of_edit(isrctn):
    (taken,) = isrctn.fetch("isrctn")
    assert (taken.snapshot.scope, taken.snapshot.fetched["records"]) == ("full", 13)
    assert len(taken.snapshot.payloads) > 3
    app, isrctn.day = isrctn.server.apps["isrctn"], DAY + timedelta(days=2)
    app.edited = {**app.edited, "90000003": "2024-06-05", "90020000": "2024-06-04"}
    isrctn.asked()
    (update,) = isrctn.fetch("isrctn")
    assert update.snapshot.scope == "partial"
    text = b"".join(gzip.decompress(update.snapshot.path(p).read_bytes()) for p in update.snapshot.payloads)
    assert text.count(b"<fullTrial>") == 3, "the two, and one of the overlap"
    assert all("2024-05-31" in path for path in isrctn.asked())


def test_a_round_that_found_nothing_edited_is_over(isrctn):
    """Else what comes days later would bear its day, and a build of that day would come out otherwise."""
    isrctn.fetch("isrctn")
    app, before = isrctn.server.apps["isrctn"], isrctn.server.apps["isrctn"].edited
    app.edited, isrctn.day = {n: day for n, day in before.items() if day < "2024-05"}, DAY + timedelta(days=1)
    assert isrctn.fetch("isrctn") == []
    isrctn.day += timedelta(days=4)
    app.edited = {**before, "90000003": str(isrctn.day)}
    (update,) = isrctn.fetch("isrctn")
    assert update.snapshot.date == isrctn.day


def test_an_answer_with_fewer_trials_than_it_states_is_asked_again(isrctn):
    isrctn.server.faults = [
        Fault("limit=4", "alter", change=lambda body: body.replace(b"<fullTrial>", b"<half>", 1).replace(b"<isrctn ", b"<x ", 1)),
        Fault("limit=4", "cut"),
    ]  # fmt: skip
    assert isrctn.fetch("isrctn")[0].snapshot.fetched["records"] == 13


# --- the EU register ------------------------------------------------------------------------------------------------


def eudract(year, n):
    return f"{year}-0{n:05d}-11"


@pytest.fixture
def euctr(tmp_path):
    entered = {eudract(year, n): f"{year}-05-02" for year in (2005, 2010) for n in range(25)}
    with Replay({"euctr": Euctr(entered)}).running() as server:
        yield Night(tmp_path, server)


def test_the_eu_register_comes_by_pages_of_years_and_then_by_its_feed(euctr, tmp_path):
    (taken,) = euctr.fetch("euctr")
    assert (taken.snapshot.scope, taken.snapshot.fetched["records"]) == ("full", 50)
    assert [p.name for p in taken.snapshot.payloads] == ["protocols-2005.zip", "protocols-2010.zip"]
    payload = taken.snapshot.payloads[0]
    report = euctr_reader.read(taken.snapshot.path(payload), payload.name, DAY, tmp_path / "records.parquet")
    assert (report.staged, report.rejected) == (25, 0)
    euctr.asked()
    euctr.server.apps["euctr"].changed = [eudract(2010, 7)]
    euctr.day += timedelta(days=6)
    (update,) = euctr.fetch("euctr")
    assert update.snapshot.scope == "partial"
    assert len(euctr.asked()) == 2


def test_the_eu_register_is_looked_at_more_often_than_policies_ask():
    """A record that did not change is seen by a whole crawl alone: its age must stay below what policies accept, with
    days left for the nights between two fetches and for crawls that fail."""
    known = contracts()
    terms = known.sources["euctr"].fetch
    accepted = min(p.parameters["max_source_age_days"] for p in known.policies.values()
                   if "max_source_age_days" in p.parameters)  # fmt: skip
    assert terms["full_days"] + terms["every_days"] <= accepted - 5


@pytest.mark.parametrize(
    ("nights", "is_all"),
    [((6,), False), ((7,), False), ((8,), True), ((6, 12), False), ((6, 14), True), ((49,), True)],
    ids=str,
)
def test_the_eu_register_comes_whole_where_its_feed_does_not_reach_back_to_the_last_fetch(euctr, nights, is_all):
    euctr.fetch("euctr")
    for night in nights:  # on which the feed names no trial, so that nothing is stored
        euctr.day = DAY + timedelta(days=night)
        found = euctr.fetch("euctr")
    assert [one.snapshot.scope for one in found] == (["full"] if is_all else [])


def test_the_days_of_a_long_crawl_are_days_that_the_feed_has_to_reach_back_to(euctr):
    euctr.server.faults = [Fault("full.*2010.*page=2", "status", times=99)]
    with pytest.raises(FetchError):
        euctr.fetch("euctr")
    euctr.server.faults, euctr.day = [], DAY + timedelta(days=5)
    (taken,) = euctr.fetch("euctr")
    assert (taken.snapshot.date, attempts.last(euctr.settings.data, euctr.day)[0][4]) == (DAY, DAY)
    euctr.day = DAY + timedelta(days=8)
    (again,) = euctr.fetch("euctr")
    assert again.snapshot.scope == "full", "what changed on the day on which the crawl began is no longer in the feed"


def test_a_text_that_was_cut_off_within_its_only_record_is_asked_for_again(euctr, tmp_path):
    euctr.fetch("euctr")
    app, euctr.day = euctr.server.apps["euctr"], DAY + timedelta(days=6)
    app.changed = [eudract(2010, 7)]
    euctr.server.faults = [Fault("mode=selected", "cut")]
    (update,) = euctr.fetch("euctr")
    (payload,) = update.snapshot.payloads
    report = euctr_reader.read(update.snapshot.path(payload), payload.name, DAY, tmp_path / "records.parquet")
    assert (report.staged, report.rejected) == (1, 0)


def test_a_feed_that_was_cut_off_is_asked_for_again(euctr):
    euctr.fetch("euctr")
    app, euctr.day = euctr.server.apps["euctr"], DAY + timedelta(days=6)
    app.changed = [eudract(2010, n) for n in (7, 8, 9)]
    euctr.server.faults = [Fault("bydates", "cut", times=2)]
    (update,) = euctr.fetch("euctr")
    with zipfile.ZipFile(update.snapshot.path(update.snapshot.payloads[0])) as archive:
        assert archive.namelist() == [f"{number}.txt" for number in app.changed]


def test_a_trial_of_the_feed_without_a_text_is_asked_for_again(euctr):
    euctr.fetch("euctr")
    app, euctr.day = euctr.server.apps["euctr"], DAY + timedelta(days=6)
    lacking, other = eudract(2010, 7), eudract(2010, 8)
    app.changed, app.textless = [lacking, other], [lacking]
    (update,) = euctr.fetch("euctr")
    with zipfile.ZipFile(update.snapshot.path(update.snapshot.payloads[0])) as archive:
        assert archive.namelist() == [f"{other}.txt"]
    assert update.snapshot.fetched["missing"] == [lacking]
    assert f"for example {lacking}" in update.lacks
    app.changed, euctr.day = [], DAY + timedelta(days=8)
    assert euctr.fetch("euctr") == []
    assert euctr.said[-1] == "euctr: its feed names no changed trial, and 1 still have no text"
    app.textless, euctr.day = [], DAY + timedelta(days=10)
    (late,) = euctr.fetch("euctr")
    with zipfile.ZipFile(late.snapshot.path(late.snapshot.payloads[0])) as archive:
        assert archive.namelist() == [f"{lacking}.txt"]
    assert (late.snapshot.fetched.get("missing"), late.lacks) == (None, "")
    euctr.day = DAY + timedelta(days=12)
    assert euctr.fetch("euctr") == [], "it has come, and is not asked for any more"


def test_a_register_that_gives_no_text_at_all_has_failed_and_is_asked_again_on_the_same_day(euctr):
    euctr.fetch("euctr")
    app, euctr.day = euctr.server.apps["euctr"], DAY + timedelta(days=6)
    app.changed = app.textless = [eudract(2010, 7), eudract(2010, 8)]
    with pytest.raises(FetchError, match="of the 2 trials that its feed names it gave no text"):
        euctr.fetch("euctr")
    assert [one[2] for one in attempts.last(euctr.settings.data, euctr.day)] == [True]
    app.textless = []
    (update,) = euctr.fetch("euctr")
    with zipfile.ZipFile(update.snapshot.path(update.snapshot.payloads[0])) as archive:
        assert archive.namelist() == [f"{number}.txt" for number in app.changed]


def test_a_night_leaves_a_source_alone_for_the_days_that_its_file_says(euctr):
    assert fetching.is_due(euctr.settings, "euctr", DAY)
    euctr.fetch("euctr")
    assert not fetching.is_due(euctr.settings, "euctr", DAY + timedelta(days=1))
    assert fetching.is_due(euctr.settings, "euctr", DAY + timedelta(days=2))
    euctr.settings = replace(euctr.settings, fetch_terms={**euctr.settings.fetch_terms, "every_days": 3})
    assert not fetching.is_due(euctr.settings, "euctr", DAY + timedelta(days=2))
    assert fetching.is_due(euctr.settings, "euctr", DAY + timedelta(days=3))


def test_what_was_fetched_while_the_clock_was_wrong_keeps_no_night_from_asking(euctr):
    """No build knows it before its day comes, and the fetch itself does not build on it."""
    euctr.day = DAY.replace(year=DAY.year + 2)
    euctr.fetch("euctr")
    assert fetching.is_due(euctr.settings, "euctr", DAY)
    euctr.day = DAY
    assert [one.snapshot.scope for one in euctr.fetch("euctr")] == ["full"]
    assert not fetching.is_due(euctr.settings, "euctr", DAY + timedelta(days=1))


def test_some_nights_of_the_eu_register_may_fail_before_all_of_it_has_to_be_crawled():
    assert euctr_fetcher.FEED_DAYS - contracts().sources["euctr"].fetch["every_days"] >= 5


def test_a_fetch_that_ended_between_two_snapshots_is_due_again_on_the_same_day(pubmed):
    first = fetching.fetch(pubmed.settings, "pubmed", pubmed.edge(), pubmed.said.append)
    next(first)
    first.close()
    assert len(pubmed.snapshots) == 1
    assert fetching.is_due(pubmed.settings, "pubmed", DAY)
    (updates,) = pubmed.fetch("pubmed")
    assert names(updates.snapshot) == ["pubmed24n0003.xml.gz", "pubmed24n0004.xml.gz"]
    assert not fetching.is_due(pubmed.settings, "pubmed", DAY)


def test_trials_that_no_year_holds_make_it_a_part_of_the_register(euctr):
    euctr.server.apps["euctr"].entered["1999-000001-11"] = "1999-01-01"
    (taken,) = euctr.fetch("euctr")
    assert taken.snapshot.scope == "partial"
    assert "states 51 trials, and its years hold 50" in taken.notes[0]


def test_a_page_of_the_eu_register_that_lacks_trials_is_asked_again(euctr):
    euctr.server.faults = [
        Fault("full.*page=1", "cut"),
        Fault("full.*page=1", "html"),
        Fault("search.*page=1", "status"),
    ]
    assert euctr.fetch("euctr")[0].snapshot.fetched["records"] == 50
    assert euctr.server.count("full.*page=1") == 4


def test_a_crawl_of_the_eu_register_does_not_mix_the_pages_of_two_totals(euctr):
    euctr.server.faults = [Fault("full.*2010.*page=2", "status", times=99)]
    with pytest.raises(FetchError):
        euctr.fetch("euctr")
    app, euctr.day, euctr.server.faults = euctr.server.apps["euctr"], DAY + timedelta(days=1), []
    del app.entered[eudract(2005, 3)]
    (taken,) = euctr.fetch("euctr")
    texts = b""
    for path in taken.snapshot.folder.glob("*.zip"):
        with zipfile.ZipFile(path) as archive:
            texts += b"".join(archive.read(name) for name in archive.namelist())
    assert {number for number in app.entered if number.encode() in texts} == set(app.entered)
    assert eudract(2005, 3).encode() not in texts


def test_what_a_round_has_is_asked_for_again_where_it_is_wanted_otherwise_now(euctr):
    def fetched(trials):
        round_ = fetching.Round(source, client, base, folder, DAY, [], Wish(), euctr.said.append)
        round_.begin({"what": "the same"})
        url = f"{base}/ctr-search/rest/download/full?query=&page=2"
        return round_.take("page.txt", Want(url, "text", euctr_fetcher._trials(trials))).value

    source, base = contracts().sources["euctr"], euctr.settings.addresses["euctr"]
    source = replace(source, fetch={**source.fetch, **euctr.settings.fetch_terms})
    client, folder = fetching._client(euctr.settings, source, base, euctr.edge()), euctr.settings.data / "round"
    assert len(fetched(20)) == 20
    app = euctr.server.apps["euctr"]
    app.entered = dict(sorted(app.entered.items())[:39])
    assert len(fetched(19)) == 19
    assert euctr.server.count("page=2") == 2


# --- WHO ICTRP ------------------------------------------------------------------------------------------------------


def archive_of(text):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("ICTRP.csv", text)
    return packed.getvalue()


@pytest.fixture
def ictrp(tmp_path):
    names = ["ICTRPFullExport-1000001-15-05-2024.zip", "ICTRPWeek6May2024.zip", "ICTRPWeek20May2024.zip"]
    app = Folder({name: archive_of(name * 500) for name in names})
    with Replay({"ictrp": app}).running() as server:
        yield Night(tmp_path, server)


def test_weekly_files_come_in_their_order_from_the_place_that_is_named(ictrp):
    full, week = ictrp.fetch("ictrp")
    assert (full.snapshot.scope, full.snapshot.date) == ("full", date(2024, 5, 15))
    assert (week.snapshot.scope, week.snapshot.date) == ("partial", date(2024, 5, 20))
    assert ictrp.fetch("ictrp") == []
    ictrp.server.apps["ictrp"].files["ICTRPWeek27May2024.zip"] = archive_of("27")
    assert names(ictrp.fetch("ictrp")[0].snapshot) == ["ICTRPWeek27May2024.zip"]
    assert ictrp.server.count("6May") == 0, "the full export came after it"


def test_a_full_export_of_a_day_to_come_makes_no_file_past(ictrp):
    """It is not taken in itself before its day."""
    ictrp.server.apps["ictrp"].files["ICTRPFullExport-1000002-22-05-2042.zip"] = archive_of("2042" * 500)
    assert [one.snapshot.date for one in ictrp.fetch("ictrp")] == [date(2024, 5, 15), date(2024, 5, 20)]


@pytest.mark.parametrize(
    "odd", ["ICTRPWeek31April2026.zip", "ICTRPWeek3Febuary2025.zip", "ICTRPFullExport-1-31-02-2026.zip"]
)
def test_a_file_whose_name_says_no_day_is_said_and_stops_no_other(ictrp, odd):
    ictrp.server.apps["ictrp"].files[odd] = archive_of("odd")
    with pytest.raises(FetchError, match=f"the name {odd} says no day"):
        ictrp.fetch("ictrp")
    assert len(ictrp.snapshots) == 2
    path = ictrp.settings.data / odd
    path.write_bytes(archive_of("odd"))
    importing.take(ictrp.settings.data, Import("ictrp", DAY, (path,)))
    assert ictrp.fetch("ictrp") == [], "a person imported it"


@pytest.mark.parametrize(
    "odd",
    ["ICTRPWeek31April2024.zip", "ICTRPWeek3Febuary2023.zip", "ICTRPFullExport-1-31-02-2024.zip"],
)
def test_a_file_whose_name_says_no_day_is_past_once_a_full_export_came_after_it(ictrp, odd):
    newer = f"ICTRPFullExport-1000002-{DAY:%d-%m-%Y}.zip"
    ictrp.server.apps["ictrp"].files |= {odd: archive_of("odd"), newer: archive_of(newer * 500)}
    assert [names(one.snapshot) for one in ictrp.fetch("ictrp")] == [[newer]]
    assert f"the name {odd} says no day" in ictrp.said[-1]


def test_an_archive_that_was_cut_off_is_asked_for_again(ictrp):
    ictrp.server.faults = [Fault("Full", "cut"), Fault("Week20", "truncated")]
    assert len(ictrp.fetch("ictrp")) == 2


def test_without_a_place_named_nothing_is_asked(ictrp):
    ictrp.settings = replace(ictrp.settings, addresses={})
    with pytest.raises(UsageError, match="ALLTRIALS_ICTRP_URL"):
        ictrp.fetch("ictrp")
    assert "ictrp" not in fetching.sources(ictrp.settings)


# --- what a person gave up ------------------------------------------------------------------------------------------


def change(app, day, n):
    """Something changes at the register on that day, of another record each time."""
    match app:
        case Ctgov():
            app.version = f"{day}T09:00:04"
            app.studies = [s for s in app.studies if nct(n) not in json.dumps(s)] + studies(n, updated=str(day))
        case Ctis():
            app.records |= ctis_records(n, lastUpdated=f"{day:%d/%m/%Y}")
        case Isrctn():
            app.edited[sorted(app.edited)[n]] = str(day)
        case Euctr():
            app.changed = [eudract(2010, n)]


@pytest.mark.parametrize("source", ["ctgov", "ctis", "isrctn", "euctr"])
def test_after_an_increment_was_given_up_all_of_it_comes_once(source, request):
    """The newest increment ends where the next one begins, so that no other one brings it again."""
    night = request.getfixturevalue(source)
    app = night.server.apps[source]
    taken = [night.fetch(source)]
    for n in (1, 2):
        night.day += timedelta(days=3)
        change(app, night.day, n)
        taken.append(night.fetch(source))
    assert [one.snapshot.scope for (one,) in taken] == ["full", "partial", "partial"]
    night.give_up(taken[1][0].snapshot)
    scopes = []
    for n in (3, 4):
        night.day += timedelta(days=1)
        if n == 4:
            change(app, night.day, n)
        scopes += [one.snapshot.scope for one in night.fetch(source)]
    assert scopes == ["full", "partial"]
    assert [said for said in night.said if said.endswith("was given up: all of it is fetched")] == [
        f"{source}: a snapshot of {DAY + timedelta(days=3)} was given up: all of it is fetched"
    ]


def test_after_the_only_whole_one_was_given_up_all_comes_although_the_data_are_those_of_an_increment(ctgov):
    (whole,) = ctgov.fetch("ctgov")
    ctgov.day += timedelta(days=1)
    change(ctgov.server.apps["ctgov"], ctgov.day, 1)
    ctgov.fetch("ctgov")
    ctgov.give_up(whole.snapshot)
    assert [one.snapshot.scope for one in ctgov.fetch("ctgov")] == ["full"]


def test_an_import_of_a_day_to_come_is_no_part_of_the_chain_of_fetches(ctgov):
    """A year that was mistyped: no build of today knows the snapshot, so that nothing is asked as if it were held, and
    nothing is missed once it is given up."""
    ctgov.fetch("ctgov")
    file = ctgov.settings.data.parent / "all.json"
    file.write_text(json.dumps(studies(*range(1, 12))))
    to_come = Import("ctgov", DAY.replace(year=DAY.year + 9), (file,), "full")
    wrong, _ = importing.take(ctgov.settings.data, to_come)
    scopes = []
    for n in (1, 2, 3):
        ctgov.day += timedelta(days=1)
        change(ctgov.server.apps["ctgov"], ctgov.day, n)
        ctgov.asked()
        (taken,) = ctgov.fetch("ctgov")
        scopes.append(taken.snapshot.scope)
        since = ctgov.day - timedelta(days=1 + TERMS.get("overlap_days", 5))
        assert any(f"{since}" in path for path in ctgov.asked())
        if n == 1:
            ctgov.give_up(wrong)
    assert scopes == ["partial"] * 3
