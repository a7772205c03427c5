"""Asking a server over real sockets on loopback: each fault ends in the same bytes or in one clear sentence, and no
server makes us ask elsewhere, wait for ever or show a secret."""

import gzip
import hashlib
import http.server
import ssl
import subprocess
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from pipelines import web
from pipelines.errors import FetchError, PayloadError
from pipelines.web import Client, Edge, Manners, Refused, Want, masked
from tests.replay.server import Answer, Fault, Replay

BODY = b"invented " * 20_000
MARK = f'"{hashlib.md5(BODY, usedforsecurity=False).hexdigest()}"'


class Clock:
    """The time that passes, and the time that is slept without sleeping."""

    def __init__(self):
        self.slept = []
        self.start = time.monotonic()

    def now(self):
        return datetime(2024, 6, 1, tzinfo=UTC) + timedelta(seconds=time.monotonic() - self.start + sum(self.slept))

    def edge(self):
        return Edge(self.now, self.slept.append, lambda: 0.5)


def file_app(asked):
    if asked.path.startswith("/json"):
        return Answer(b'{"records": [1, 2, 3]}')
    if asked.path.startswith("/missing"):
        return Answer(b"no", "text/plain", 404)
    return Answer(BODY, "application/octet-stream", etag=MARK)


def bomb(asked):
    """Ten thousand times the bytes that go over the wire, as a server may pack them unasked."""
    once = gzip.compress(b"[" + b" " * 4_000_000 + b"]")
    if "twice" in asked.path:
        return Answer(gzip.compress(once), "text/plain", headers={"Content-Encoding": "gzip, gzip"})
    return Answer(once, "text/plain", headers={"Content-Encoding": "gzip"})


def client(server, clock=None, site=None, **manners):
    given = {"pause_seconds": 0, "timeout_seconds": 0.4, "attempts": 4, "spare_bytes": 0} | manners
    where = site or server.url.removeprefix("http://")
    return Client("ctgov", where, "Invented/1 (+test@example.org)", (clock or Clock()).edge(), Manners(**given))


@pytest.fixture
def server():
    with Replay({"files": file_app}).running() as running:
        yield running


@pytest.mark.parametrize(
    "fault",
    [
        Fault("file", "status", times=3),
        Fault("file", "status", times=2, code=429, headers={"Retry-After": "7"}),
        Fault("file", "stall"),
        Fault("file", "reset", times=2),
        Fault("file", "truncated", times=2),
        Fault("file", "cut"),
        Fault("file", "drip"),
        Fault("file", "html"),
        Fault("file", "alter", change=lambda body: body[:-3] + b"odd"),
    ],
    ids=lambda f: f.kind + str(f.code if f.kind == "status" else ""),
)
@pytest.mark.parametrize("is_resumable", [True, False])
def test_a_passing_fault_ends_in_the_same_bytes(server, tmp_path, fault, is_resumable):
    def check(path):
        if path.read_bytes() != BODY:
            raise PayloadError("the checksum is wrong")
        return "fit"

    server.faults = [Fault(**vars(fault))]
    want = Want(f"{server.url}/files/file", "text", check, is_resumable=is_resumable)
    served = client(server).fetch(want, tmp_path / "file")
    assert served.path.read_bytes() == BODY
    assert (served.value, served.bytes, served.sha256) == ("fit", len(BODY), hashlib.sha256(BODY).hexdigest())
    assert server.count("file") == fault.times + 1
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("kind", ["status", "stall", "reset", "truncated", "drip", "html"])
def test_a_lasting_fault_ends_in_one_sentence_and_no_file(server, tmp_path, kind):
    server.faults = [Fault("file", kind, times=99)]
    want = Want(f"{server.url}/files/file?api_key=geheim", "text")
    with pytest.raises(FetchError, match="gave up after 3 attempts") as said:
        client(server, attempts=3).fetch(want, tmp_path / "file")
    assert server.count("file") == 3
    assert list(tmp_path.iterdir()) == []
    assert "ctgov: http://127.0.0.1" in str(said.value)
    assert "geheim" not in str(said.value)


def test_the_rest_of_a_file_is_asked_for_and_also_by_the_next_run(server, tmp_path):
    want = Want(f"{server.url}/files/file", is_resumable=True)
    server.faults = [Fault("file", "reset")]
    with pytest.raises(FetchError):
        client(server, attempts=1).fetch(want, tmp_path / "file")
    half = (tmp_path / "file.part").stat().st_size
    assert 0 < half < len(BODY)
    assert client(server).fetch(want, tmp_path / "file").path.read_bytes() == BODY
    assert server.ranges == [f"bytes={half}-"]


def test_a_file_that_changed_meanwhile_is_served_whole_and_not_glued(server, tmp_path):
    want = Want(f"{server.url}/files/file", is_resumable=True)
    server.faults = [Fault("file", "reset")]
    with pytest.raises(FetchError):
        client(server, attempts=1).fetch(want, tmp_path / "file")
    server.apps["files"] = lambda asked: Answer(b"another", "text/plain", etag='"other"')
    assert client(server).fetch(want, tmp_path / "file").path.read_bytes() == b"another"


def test_what_the_server_asks_for_is_waited_for_in_seconds_or_until_a_date(server, tmp_path):
    clock = Clock()
    date = format_datetime(clock.now() + timedelta(seconds=60), usegmt=True)
    server.faults = [
        Fault("json", "status", code=429, headers={"Retry-After": "17"}),
        Fault("json", "status", code=503, headers={"Retry-After": date}),
        Fault("json", "status", code=503),
    ]
    client(server, clock).fetch(Want(f"{server.url}/files/json", "json"), tmp_path / "x")
    assert clock.slept[0] == 17
    assert clock.slept[1] == pytest.approx(43, abs=2)
    assert clock.slept[2] == pytest.approx(4 * 0.75)


def test_a_server_that_asks_for_days_is_left_alone(server, tmp_path):
    server.faults = [Fault("json", "status", code=429, headers={"Retry-After": "90000"})]
    with pytest.raises(FetchError, match="stay away for 90,000 s"):
        client(server).fetch(Want(f"{server.url}/files/json"), tmp_path / "x")
    assert server.count("json") == 1


def test_requests_to_one_host_keep_their_distance(server, tmp_path):
    clock = Clock()
    asking = client(server, clock, pause_seconds=2.0)
    for number in range(3):
        asking.fetch(Want(f"{server.url}/files/json"), tmp_path / str(number))
    assert len(clock.slept) == 2
    assert all(1.5 < wait <= 2.0 for wait in clock.slept)


def test_a_no_for_good_is_asked_once_and_a_throttle_of_the_source_again(server, tmp_path):
    with pytest.raises(Refused, match="404") as said:
        client(server).fetch(Want(f"{server.url}/files/missing"), tmp_path / "x")
    assert said.value.status == 404
    assert server.count("missing") == 1
    server.faults = [Fault("json", "status", code=403)]
    assert client(server, also_retried=(403,)).fetch(Want(f"{server.url}/files/json"), tmp_path / "x").bytes


@pytest.mark.parametrize(
    ("target", "sentence"),
    [
        ("https://elsewhere.example.org/x", "outside 127.0.0.1"),
        ("file:///etc/hostname", "outside 127.0.0.1"),
        ("http://127.0.0.1:9/x", "outside 127.0.0.1"),
        ("http://localhost:9/x", "outside 127.0.0.1"),
        ("//elsewhere.example.org/x", "outside 127.0.0.1"),
        ("/files/json", "redirects more than"),
    ],
)
def test_a_redirect_elsewhere_or_without_end_is_not_followed(server, tmp_path, target, sentence):
    server.faults = [Fault("json", "redirect", times=9, target=target)]
    with pytest.raises(FetchError, match=sentence):
        client(server).fetch(Want(f"{server.url}/files/json"), tmp_path / "x")
    assert list(tmp_path.iterdir()) == []


def test_a_redirect_within_the_host_is_followed(server, tmp_path):
    server.faults = [Fault("json", "redirect", target="/files/file")]
    assert client(server).fetch(Want(f"{server.url}/files/json"), tmp_path / "x").bytes == len(BODY)


@pytest.mark.parametrize(
    "url",
    [
        "http://registry.example.org/x",
        "https://example.org.evil.test/x",
        "https://evilregistry.example.test/x",
        "https://name:word@registry.example.org/x",
        "file:///etc/hostname",
        "ftp://registry.example.org/x",
        "http://127.0.0.1/x",
        "gopher://registry.example.org/x",
        "https://registry.example.co.uk/x",  # a neighbour under the same public suffix
        r"https://evil.test\.registry.example.org/x",  # one library reads the host up to the backslash, another to the slash
        r"https://evil.test\@registry.example.org/x",
        "https://registry.example.org:99999999/x",
        "https://evil.test#.registry.example.org/x",
        "https://evil.test%2f.registry.example.org/x",
        "https://0x7f000001/x",
        "https://[::1]/x",
    ],
)
def test_only_the_sites_own_https_is_asked(server, tmp_path, url):
    with pytest.raises(FetchError, match="nothing was asked"):
        client(server, site="registry.example.org").fetch(Want(url), tmp_path / "x")


@pytest.mark.parametrize(
    ("manners", "sentence"),
    [
        ({"max_bytes": 1000}, "more than 1,000 bytes"),
        ({"max_seconds": -1}, "took longer than"),
        ({"spare_bytes": 1 << 62}, "are free on the disk"),
    ],
)
def test_limits_of_bytes_time_and_room(server, tmp_path, manners, sentence):
    with pytest.raises(FetchError, match=sentence):
        client(server, **manners).fetch(Want(f"{server.url}/files/file"), tmp_path / "x")


def test_the_same_content_is_packed_into_the_same_bytes(server, tmp_path):
    want = Want(f"{server.url}/files/json", "json", is_packed=True)
    first, second = (client(server).fetch(want, tmp_path / name) for name in ("a.json.gz", "b.json.gz"))
    assert first.sha256 == second.sha256
    assert first.path.read_bytes()[:2] == b"\x1f\x8b"


def test_who_asks_is_told(server, tmp_path):
    client(server).fetch(Want(f"{server.url}/files/json"), tmp_path / "x")
    assert server.agents == {"Invented/1 (+test@example.org)"}


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://a.org/x?id=1&api_key=geheim", "https://a.org/x?id=1&api_key=***"),
        ("https://name:geheim@a.org/x", "https://a.org/x"),
        ("https://a.org/x?email=m@example.org&access_token=geheim", "https://a.org/x?email=***&access_token=***"),
        ("https://a.org/x?sig=geheim&Signature=geheim&auth=geheim", "https://a.org/x?sig=***&Signature=***&auth=***"),
        ("https://a.org/x?pageToken=t%7E1&q=RANGE%5B1%5D", "https://a.org/x?pageToken=t%7E1&q=RANGE%5B1%5D"),
    ],
)
def test_secrets_in_addresses_are_shown_to_nobody(url, shown):
    assert masked(url) == shown


@pytest.mark.parametrize(
    ("where", "sentence"),
    [("json", "holds more than 1,000,000 bytes"), ("twice", "packed as 'gzip, gzip', which was not")],
)
def test_what_unpacks_to_more_than_any_answer_is_refused(server, tmp_path, where, sentence):
    server.apps["files"] = bomb
    with pytest.raises(FetchError, match=sentence):
        client(server, max_answer_bytes=1_000_000).fetch(Want(f"{server.url}/files/{where}", "json"), tmp_path / "x")
    assert sum(p.stat().st_size for p in tmp_path.iterdir()) <= 1_000_000
    assert server.count(where) == 1, "another attempt would bring the same"


def test_a_file_that_is_resumed_is_kept_as_it_comes(server, tmp_path):
    packed = gzip.compress(BODY, mtime=0)
    server.apps["files"] = lambda asked: Answer(packed, "text/plain", headers={"Content-Encoding": "x-gzip"})
    want = Want(f"{server.url}/files/x.gz", "gzip", is_resumable=True)
    assert client(server, max_answer_bytes=1).fetch(want, tmp_path / "x.gz").path.read_bytes() == packed


def test_a_body_without_end_stops_before_the_disk_is_full(server, tmp_path, monkeypatch):
    """The server says no length, so that only what is left on the disk can end it."""
    free = iter([50_000_000, *range(40_000, 0, -20_000)])
    usage = web.shutil.disk_usage(tmp_path)
    monkeypatch.setattr(web.shutil, "disk_usage", lambda _: usage._replace(free=next(free)))
    server.apps["files"] = lambda asked: Answer(gzip.compress(BODY), "text/plain", headers={"Content-Encoding": "gzip"})
    with pytest.raises(FetchError, match="are free on the disk"):
        client(server, spare_bytes=30_000).fetch(Want(f"{server.url}/files/x"), tmp_path / "x")


# --- certificates ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    """A certificate of this machine's own, by host name: it is signed by nobody but itself."""
    folder = tmp_path_factory.mktemp("certificates")
    found = {}
    for host, alternative in (("127.0.0.1", "IP:127.0.0.1"), ("elsewhere", "DNS:elsewhere.example.org")):
        found[host] = folder / f"{host}.pem"
        words = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={host}",
                 "-addext", f"subjectAltName={alternative}", "-keyout", str(folder / "key"), "-out", str(folder / "cert")]  # fmt: skip
        try:
            subprocess.run(words, check=True, capture_output=True)
        except FileNotFoundError:
            pytest.skip("there is no openssl on this machine to make a certificate with")
        found[host].write_bytes((folder / "cert").read_bytes() + (folder / "key").read_bytes())
    return found


@contextmanager
def secured(certificate):
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"[]")

        def log_message(self, *_):
            pass

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    running = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    running.socket = context.wrap_socket(running.socket, server_side=True)
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{running.server_address[1]}"
    finally:
        running.shutdown()
        running.server_close()


@pytest.mark.parametrize(
    ("shown", "trusted", "is_served"),
    [("127.0.0.1", "127.0.0.1", True), ("127.0.0.1", None, False), ("elsewhere", "elsewhere", False)],
    ids=["trusted", "signed by nobody known", "of another host"],
)
def test_a_certificate_is_always_verified(certificates, tmp_path, monkeypatch, shown, trusted, is_served):
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):  # an environment may not trust for us
        monkeypatch.setenv(name, str(certificates[shown]))
    with secured(certificates[shown]) as site:
        asking = Client("ctgov", site, "Invented/1", Clock().edge(), Manners(pause_seconds=0, attempts=1, spare_bytes=0),
                        certificates[trusted] if trusted else None)  # fmt: skip
        if is_served:
            assert asking.fetch(Want(f"https://{site}/x", "json"), tmp_path / "x").bytes == 2
            return
        with pytest.raises(FetchError, match="certificate cannot be verified"):
            asking.fetch(Want(f"https://{site}/x", "json"), tmp_path / "x")
