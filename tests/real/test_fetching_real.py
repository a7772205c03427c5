"""Real records through the replay: what the registers and NLM once served comes through a fetch byte for byte, and is
read like the same dump imported."""

import json
import zipfile
from datetime import UTC, date, datetime

import pyarrow.parquet as pq

from pipelines import fetching, snapshots
from pipelines.fetching import Wish
from pipelines.settings import Settings
from pipelines.sources import ctgov
from pipelines.web import Edge
from tests.replay.apps import Ctgov, Ncbi, number_of
from tests.replay.server import Fault, Replay

DAY = date(2026, 6, 1)


def fetch(folder, server, source, wish=None):
    chosen = Settings(
        data=folder / "data",
        threads=1,
        memory_limit="1GB",
        contact="test@example.org",
        addresses={code: f"{server.url}/{code}" for code in server.apps},
        volume_bands=dict.fromkeys(server.apps, (1, 1_000_000)),
        fetch_terms={"page_size": 100, "pause_seconds": 0, "timeout_seconds": 2, "spare_bytes": 0},
    )
    edge = Edge(lambda: datetime(2026, 6, 1, tzinfo=UTC), lambda seconds: None, lambda: 0.5)
    return [taken.snapshot for taken in fetching.fetch(chosen, source, edge, lambda text: None, wish)]


def hashes(paths, folder):
    """Number and content of every record in the payloads."""
    found = []
    for number, path in enumerate(paths):
        out = folder / f"{number}.parquet"
        ctgov.read(path, path.name, DAY, out)
        found += pq.read_table(out, columns=["registration_id", "content_hash"]).to_pylist()
    return sorted((row["registration_id"], row["content_hash"]) for row in found)


def test_a_real_download_comes_through_pages_record_for_record(real_records, tmp_path):
    dump = real_records / "ctgov-api-v2" / "urology-2024-09-24.ctg-studies.json.zip"
    with zipfile.ZipFile(dump) as archive:
        studies = [json.loads(archive.read(name)) for name in archive.namelist()]
    faults = [Fault("pageToken=300", "cut"), Fault("pageToken=200", "reset"), Fault("pageToken=400", "html")]
    with Replay({"ctgov": Ctgov(studies)}, faults).running() as server:
        (shot,) = fetch(tmp_path, server, "ctgov")
    assert shot.fetched["records"] == len(studies) == 635
    assert hashes([shot.path(p) for p in shot.payloads], tmp_path) == hashes([dump], tmp_path)


def test_real_histories_come_as_archives_that_are_read(real_records, tmp_path):
    with zipfile.ZipFile(real_records / "ctgov-api-v2" / "record-history-2026-03-10.zip") as archive:
        served = [json.loads(archive.read(name)) for name in archive.namelist()]
    # Only the newest version of each was recorded: it stands for all of them here.
    histories = {number_of(s["study"]): [s["study"]] * len(s["history"]["changes"]) for s in served}
    with Replay({"ctgov": Ctgov([], histories=histories)}).running() as server:
        (shot,) = fetch(tmp_path, server, "ctgov", Wish(numbers=tuple(histories)))
    read = hashes([shot.path(p) for p in shot.payloads], tmp_path)
    assert {number for number, _ in read} == set(histories)
    assert len(read) == sum(len(h) + 1 for h in histories.values())
    assert len(set(read)) == len(histories)


def test_real_update_files_come_with_nlms_own_checksum(real_records, tmp_path):
    folder = real_records / "pubmed"
    snapshots.store_files(
        tmp_path / "data", "pubmed", DAY, [folder / "pubmed26n1334.xml.gz"], scope="full", baseline=True
    )
    update = (folder / "pubmed26n1335.xml.gz").read_bytes()
    app = Ncbi({"pubmed26n1334.xml.gz": b""}, {"pubmed26n1335.xml.gz": update})
    faults = [Fault("n1335.xml.gz$", "alter", change=lambda body: body[:-1] + b"x"), Fault("n1335.xml.gz$", "reset")]
    with Replay({"pubmed": app}, faults).running() as server:
        (shot,) = fetch(tmp_path, server, "pubmed")
    assert shot.folder.joinpath("pubmed26n1335.xml.gz").read_bytes() == update
    stated = (folder / "pubmed26n1335.xml.gz.md5").read_text().split("=")[1].strip()
    assert stated in shot.folder.joinpath("pubmed26n1335.xml.gz.md5").read_text()
