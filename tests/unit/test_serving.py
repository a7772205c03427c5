"""The server: what is sent of a file, what is said of it, what is nobody's business; and that a reader never sees a
mixture while releases are switched. Real sockets on loopback.
"""

import hashlib
import http.client
import io
import json
import queue
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines import serving, snapshots, store
from pipelines.__main__ import main
from pipelines.errors import UsageError
from pipelines.release import shelf
from pipelines.serving import Span, UnsatisfiableError
from pipelines.settings import ROOT
from tests.loopback import heed_keys

BODY = bytes(range(256)) * 5
DAY = "2024-06-30"


@contextmanager
def serving_of(data, sent=lambda *_: None):
    with serving.server(data, 0, sent) as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield running.server_address[1]
        finally:
            running.shutdown()
            thread.join()


def ask(port, address, method="GET", **headers):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request(method, address, headers={name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A data folder with a site that is a link, as `site` leaves it, and one dated folder."""
    folder = tmp_path_factory.mktemp("served") / "data"
    for name, content in {
        "sites/a/index.html": b"<!DOCTYPE html>home",
        "sites/a/find/index.html": b"find",
        "sites/a/static/engine.wasm": b"\0asm",
        "sites/a/explore/marts-0123456789ab.duckdb": b"marts",
        "sites/a/.hidden": b"secret",
        f"releases/{DAY}/trials.parquet": BODY,
        f"releases/{DAY}/unlisted.bin": b"",
        "releases/latest.json": b"{}",
        "releases/run/2024-06-30/run.json": b"secret",
        "releases/.2024-07-01.x.part/trials.parquet": b"secret",
        "warehouse/alltrials.duckdb": b"secret",
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    listed = [{"file": "trials.parquet", "sha256": hashlib.sha256(BODY).hexdigest()}]
    store.write_json(folder / f"releases/{DAY}/manifest.json", {"files": listed})
    (folder / "sites/a/way-out").symlink_to(folder / "warehouse")
    store.switch(folder / "site", folder / "sites/a")
    return folder


@pytest.fixture(scope="module")
def port(data):
    with serving_of(data) as port:
        yield port


FILE = f"/releases/{DAY}/trials.parquet"


def test_a_file_comes_whole_with_all_that_a_reader_asks_of_it(port):
    status, headers, body = ask(port, FILE)
    assert (status, body) == (200, BODY)
    assert headers["ETag"] == f'"{hashlib.sha256(BODY).hexdigest()}"', "as its release says"
    assert headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert headers["Content-Type"] == "application/octet-stream"
    assert headers["Access-Control-Allow-Origin"] == "*"
    assert {"Content-Range", "ETag"} <= set(headers["Access-Control-Expose-Headers"].split(", "))
    assert headers["Accept-Ranges"] == "bytes"
    assert headers["Content-Encoding"] is None


@pytest.mark.parametrize(
    ("address", "kind", "cache"),
    [
        ("/", "text/html; charset=utf-8", "no-cache"),
        ("/find/?id=NCT1#x", "text/html; charset=utf-8", "no-cache"),
        ("/static/engine.wasm", "application/wasm", "no-cache"),
        ("/explore/marts-0123456789ab.duckdb", "application/octet-stream", "public, max-age=31536000, immutable"),
        ("/releases/latest.json", "application/json", "no-cache"),
        (f"/releases/{DAY}/manifest.json", "application/json", "public, max-age=31536000, immutable"),
        (f"/releases/{DAY}/unlisted.bin", "application/octet-stream", "public, max-age=31536000, immutable"),
    ],
)
def test_each_address_has_its_kind_and_its_age(port, address, kind, cache):
    status, headers, _ = ask(port, address)
    assert (status, headers["Content-Type"], headers["Cache-Control"]) == (200, kind, cache)


@pytest.mark.parametrize(
    "address",
    [
        "/nothing", "/.hidden", "/../warehouse/alltrials.duckdb", "/%2e%2e/warehouse/alltrials.duckdb",
        "/..%2fwarehouse/alltrials.duckdb", "/way-out/alltrials.duckdb", "/releases/", "/releases", "/static/",
        f"/releases/{DAY}/", "/releases/run/2024-06-30/run.json", "/releases/.2024-07-01.x.part/trials.parquet",
        f"/releases/{DAY}/..%2f..%2fwarehouse/alltrials.duckdb", "//127.0.0.1/find", "/%00", "/a%5c..%5cb",
        "/releases/latest.json/", f"/releases/{DAY}/../../warehouse/alltrials.duckdb", "/warehouse/alltrials.duckdb",
        f"/{'x' * 300}", f"/releases/{DAY}/{'x' * 300}", f"/{'%C3%A9' * 200}/",
    ],
)  # fmt: skip
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_what_is_nobodys_business_is_not_there(port, address, method):
    status, _, body = ask(port, address, method)
    assert status == 404
    assert b"secret" not in body


def test_a_folder_without_its_slash_leads_to_it(port):
    status, headers, _ = ask(port, "/find?id=1")
    assert (status, headers["Location"]) == (301, "/find/")


def test_head_says_what_get_says_without_the_body(port):
    for headers in ({}, {"Range": "bytes=3-9"}, {"Range": "bytes=99999-"}, {"If_None_Match": "*"}):
        got, told, _ = ask(port, FILE, "GET", **headers)
        head, said, body = ask(port, FILE, "HEAD", **headers)
        assert (head, body) == (got, b"")
        for name in ("Content-Length", "Content-Range", "ETag", "Content-Type"):
            assert said[name] == told[name]


@given(first=st.none() | st.integers(0, 1500), last=st.none() | st.integers(0, 1500), size=st.integers(0, len(BODY)))
def test_a_range_is_the_bytes_it_names(first, last, size):
    """Byte by byte: which positions of the file a header means."""
    written = f"bytes={'' if first is None else first}-{'' if last is None else last}"
    if first is None:
        named = [at for at in range(size) if last is not None and at >= size - last]
    else:
        named = [at for at in range(size) if at >= first and (last is None or at <= last)]
    if (first is None and last is None) or (first is not None and last is not None and last < first):
        assert serving.span(written, size) is None, "no range: ignored"
    elif named:
        assert serving.span(written, size) == Span(named[0], named[-1] + 1)
    else:
        with pytest.raises(UnsatisfiableError):
            serving.span(written, size)


@pytest.mark.parametrize("written", ["bytes=0-1,5-6", "lines=0-1", "bytes=a-b", "bytes=-", "0-1", "bytes=1--2", ""])
def test_what_is_no_single_range_is_answered_whole(port, written):
    status, headers, body = ask(port, FILE, Range=written)
    assert (status, body, headers["Content-Range"]) == (200, BODY, None)


@pytest.mark.parametrize(
    ("written", "start", "end"), [("bytes=0-0", 0, 1), ("bytes=-7", 1273, 1280), ("bytes=1270-9999", 1270, 1280)]
)
def test_a_range_is_sent_with_its_place(port, written, start, end):
    status, headers, body = ask(port, FILE, Range=written)
    assert (status, body) == (206, BODY[start:end])
    assert headers["Content-Range"] == f"bytes {start}-{end - 1}/1280"
    assert headers["Content-Length"] == str(end - start)


@pytest.mark.parametrize("written", ["bytes=1280-", "bytes=-0"])
def test_a_range_outside_is_refused_with_the_length(port, written):
    status, headers, body = ask(port, FILE, Range=written)
    assert (status, headers["Content-Range"]) == (416, "bytes */1280")
    assert b"not that long" in body


def test_a_mark_that_fits_spares_the_bytes_and_one_that_does_not_gives_them_all(port):
    mark = ask(port, FILE)[1]["ETag"]
    for known in (mark, f"W/{mark}", f'"other", {mark}', "*"):
        status, headers, body = ask(port, FILE, If_None_Match=known)
        assert (status, body, headers["ETag"]) == (304, b"", mark)
    assert ask(port, FILE, If_None_Match='"other"')[0] == 200
    assert ask(port, FILE, Range="bytes=0-0", If_Range=mark)[::2] == (206, BODY[:1])
    for stale in ('"other"', f"W/{mark}", "Sun, 30 Jun 2024 00:00:00 GMT"):
        assert ask(port, FILE, Range="bytes=0-0", If_Range=stale)[::2] == (200, BODY)


def test_other_origins_may_ask_and_nobody_may_write(port):
    status, headers, _ = ask(
        port, FILE, "OPTIONS", Origin="https://example.org", Access_Control_Request_Headers="range"
    )
    assert status == 204
    assert "Range" in headers["Access-Control-Allow-Headers"]
    assert headers["Access-Control-Allow-Methods"] == "GET, HEAD, OPTIONS"
    status, headers, _ = ask(port, FILE, "POST")
    assert (status, headers["Allow"]) == (405, "GET, HEAD, OPTIONS")


def test_one_connection_serves_many_requests(port):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    for method, address in (("HEAD", FILE), ("GET", "/nothing"), ("OPTIONS", FILE), ("GET", FILE)):
        connection.request(method, address)
        answer = connection.getresponse()
        body = answer.read()
    assert body == BODY
    connection.close()


def test_a_taken_port_says_what_to_do(data, port):
    with pytest.raises(UsageError, match=r"--port"):
        serving.server(data, port)


def test_without_a_page_the_command_says_what_to_do(tmp_path, capsys):
    assert main(["--data", str(tmp_path), "serve", "--port", "0"]) == 2
    assert "make it with `site` first" in capsys.readouterr().err


def test_the_command_says_where_it_serves_and_ends_when_told(data):
    words = [sys.executable, "-m", "pipelines", "--data", str(data), "serve", "--port", "0"]
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True, preexec_fn=heed_keys) as running:
        try:
            port = int(re.search(r"127\.0\.0\.1:(\d+)/", running.stdout.readline())[1])
            assert ask(port, "/")[2].endswith(b"home")
            running.send_signal(signal.SIGINT)
            assert running.wait(timeout=20) == 0
        finally:
            running.kill()


# --- readers of releases ----------------------------------------------------------------------------------------------


class Remote(io.RawIOBase):
    """A file that is read by ranges. read_bytes: how many came."""

    def __init__(self, port, address):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        self.address, self.at, self.read_bytes = address, 0, 0
        _, headers, _ = ask(port, address, "HEAD")
        self.size, self.mark = int(headers["Content-Length"]), headers["ETag"]

    def seekable(self):
        return True

    def readable(self):
        return True

    def tell(self):
        return self.at

    def seek(self, offset, whence=0):
        self.at = offset + (0, self.at, self.size)[whence]
        return self.at

    def read(self, size=-1):
        end = self.size if size < 0 else min(self.size, self.at + size)
        if end == self.at:
            return b""
        self.connection.request("GET", self.address, headers={"Range": f"bytes={self.at}-{end - 1}"})
        answer = self.connection.getresponse()
        body = answer.read()
        assert (answer.status, len(body), answer.headers["ETag"]) == (206, end - self.at, self.mark)
        self.at, self.read_bytes = end, self.read_bytes + len(body)
        return body


def shelve(data, day):
    """A release as readers find it: a table that says of which day it is, and the manifest that names its bytes."""
    path = data / shelf.FOLDER / f"2024-07-{day:02}" / "trials.parquet"
    with store.connect() as connection:
        store.write_parquet(connection, f"SELECT {day} AS day, range AS number FROM range(5000)", path)
    files = [{"file": path.name, "bytes": path.stat().st_size, "sha256": snapshots.sha256_of(path)}]
    store.write_json(path.with_name(shelf.MANIFEST), {"as_of": path.parent.name, "files": files})
    return shelf.opened(path.parent)


def test_a_reader_never_sees_an_error_or_a_mixture_while_releases_are_switched(tmp_path):
    data = tmp_path / "data"
    made = [shelve(data, day) for day in range(1, 21)]
    shelf.point(data, made[0])
    seen, stop = [], threading.Event()

    def read(port):
        while not stop.is_set():
            pointer = json.loads(ask(port, "/releases/latest.json")[2])
            name = pointer["release"]
            manifest = ask(port, f"/releases/{pointer['manifest']}")[2]
            assert hashlib.sha256(manifest).hexdigest() == pointer["manifest_sha256"]
            with Remote(port, f"/releases/{name}/trials.parquet") as file:
                table = pq.ParquetFile(file).read(["day"])
            assert table.num_rows == 5000
            assert set(table.column(0).to_pylist()) == {int(name[-2:])}
            seen.append(name)

    with serving_of(data) as port, ThreadPoolExecutor(3) as readers:
        reading = [readers.submit(read, port) for _ in range(3)]
        for release in made:
            shelf.point(data, release)
            while release.name not in seen and not any(reader.done() for reader in reading):
                stop.wait(0.001)
        stop.set()
        for reader in reading:
            reader.result()
    assert set(seen) == {release.name for release in made}


def test_no_answer_waits_for_the_reader_to_say_that_it_has_the_headers(data):
    """A query that reads a column asks for hundreds of short ranges. Held back for the reader's leave each of them takes
    40 ms, and a query that takes a tenth of a second takes five."""
    held_back: queue.Queue[bool] = queue.Queue()

    class Watched(serving.Server):
        def shutdown_request(self, request):
            held_back.put(not request.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            super().shutdown_request(request)

    with Watched(data, 0, lambda *_: None) as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        assert ask(running.server_address[1], "/", Range="bytes=0-1", Connection="close")[0] == 206
        assert held_back.get(timeout=10) is False
        running.shutdown()
        thread.join()


def test_a_remote_reader_transfers_what_its_query_needs(tmp_path):
    """One column of one row group out of many; the whole is a hundred times that."""
    folder = tmp_path / "data" / "releases" / DAY
    folder.mkdir(parents=True)
    with store.connect() as connection:
        connection.execute(
            f"COPY (SELECT range AS number, md5(range::VARCHAR) AS text, md5('b' || range) AS other FROM range(100000)) "
            f"TO {store.literal(folder / 'big.parquet')} (FORMAT parquet, ROW_GROUP_SIZE 2048)"
        )
    sent = []
    with (
        serving_of(tmp_path / "data", lambda *answer: sent.append(answer)) as port,
        Remote(port, f"/releases/{DAY}/big.parquet") as file,
    ):
        parquet = pq.ParquetFile(file)
        size = parquet.metadata.serialized_size
        assert parquet.read_row_group(20, ["number"]).num_rows == 2048
        # What was sent is told once all of it is on its way, which the reader may have by then.
        until = time.monotonic() + 10
        while (transferred := sum(count for _, _, count in sent)) < file.read_bytes and time.monotonic() < until:
            time.sleep(0.01)
        assert transferred == file.read_bytes
        assert transferred < size + 100_000, "the footer and a piece"
        assert transferred < file.size / 10
