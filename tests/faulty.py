"""A server on loopback between a client and another server, which hands everything on and does it badly as it is told.

Belongs here: what a network and a tired server do. Does not: what is asked of them, and a server that makes up its own
answers (`replay/server.py`).
"""

import http.client
import re
import socket
import struct
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEPT_BACK = {"connection", "transfer-encoding", "keep-alive"}


@dataclass
class Fault:
    """What goes wrong with requests in whose "METHOD path" `match` is found, so many `times` after the first `spared`.

    kind: busy (503), cut (half the body, then the end), stall (no answer), lost (it is done, and the answer does not
    arrive), deaf (conditions are not handed on), denied (403).
    """

    match: str
    kind: str
    times: int = 1
    spared: int = 0


@dataclass
class Faulty:
    """Where it hands on to (host and port), what goes wrong, and what happened. asked: "METHOD path" of every request."""

    target: str
    faults: list[Fault] = field(default_factory=list)
    struck: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    address: str = ""
    _lock: Any = field(default_factory=threading.Lock)
    _over: Any = field(default_factory=threading.Event)

    @contextmanager
    def running(self) -> Iterator["Faulty"]:
        server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        server.daemon_threads = True
        self.address = f"http://127.0.0.1:{server.server_address[1]}"
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        try:
            yield self
        finally:
            self._over.set()
            server.shutdown()
            server.server_close()

    @contextmanager
    def doing(self, faults: Sequence[Fault]) -> Iterator[list[str]]:
        """What goes wrong in the block; gives what did."""
        self.faults, self.struck = list(faults), []
        try:
            yield self.struck
        finally:
            self.faults = []

    def fault(self, asked: str) -> str:
        with self._lock:
            self.asked.append(asked)
            for fault in self.faults:
                if fault.times and re.search(fault.match, asked):
                    if fault.spared:
                        fault.spared -= 1
                        continue
                    fault.times -= 1
                    self.struck.append(f"{fault.kind} {asked}")
                    return fault.kind
        return ""


def _handler(faulty: Faulty) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            _serve(faulty, self)

        do_PUT = do_POST = do_HEAD = do_DELETE = do_GET

        def log_message(self, *_: Any) -> None:
            pass

    return Handler


def _serve(faulty: Faulty, to: BaseHTTPRequestHandler) -> None:
    if "100-continue" in to.headers.get("Expect", ""):
        to.send_response_only(100)
        to.end_headers()
    body = to.rfile.read(int(to.headers.get("Content-Length", "0")))
    kind = faulty.fault(f"{to.command} {to.path}")
    try:
        match kind:
            case "busy" | "denied":
                code, name = (503, "SlowDown") if kind == "busy" else (403, "AccessDenied")
                said = f"<Error><Code>{name}</Code><Message>of key hidden</Message></Error>".encode()
                _answer(to, code, [("Content-Type", "application/xml")], said, len(said))
            case "stall":
                faulty._over.wait(20)
                to.close_connection = True
            case _:
                left_out = KEPT_BACK | ({"if-match", "if-none-match"} if kind == "deaf" else set())
                status, headers, content = _handed_on(faulty.target, to, body, left_out)
                if kind == "lost":
                    to.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    to.connection.close()
                    to.close_connection = True
                    return
                _answer(to, status, headers, content[: len(content) // 2] if kind == "cut" else content, len(content))
                to.close_connection |= kind == "cut"
    except OSError:
        to.close_connection = True  # the client has gone


def _handed_on(
    target: str, to: BaseHTTPRequestHandler, body: bytes, left_out: set[str]
) -> tuple[int, list[tuple[str, str]], bytes]:
    connection = http.client.HTTPConnection(target, timeout=20)
    headers = {name: value for name, value in to.headers.items() if name.lower() not in left_out | {"expect"}}
    connection.request(to.command, to.path, body, headers)
    answer = connection.getresponse()
    content = answer.read()
    given = [(name, value) for name, value in answer.getheaders() if name.lower() not in KEPT_BACK]
    connection.close()
    return answer.status, given, content


def _answer(
    to: BaseHTTPRequestHandler, status: int, headers: Sequence[tuple[str, str]], content: bytes, length: int
) -> None:
    to.send_response(status)
    stated = {name.lower() for name, _ in headers}
    for name, value in headers:
        to.send_header(name, value)
    if "content-length" not in stated:
        to.send_header("Content-Length", str(length))
    to.end_headers()
    if to.command != "HEAD":
        to.wfile.write(content)
        to.wfile.flush()
