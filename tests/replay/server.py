"""A server on loopback that answers as its apps say, misbehaves as it is told, and keeps count of what it was asked.

A fault is the network's or the server's, so the apps know nothing of it; only `Instead` changes the question.
"""

import gzip
import re
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

HTML = b"<!DOCTYPE html><html><body>The service is busy. Write to nobody.</body></html>"


@dataclass(frozen=True)
class Asked:
    """A request: the path below the app's prefix with its query as written, the headers and the body."""

    path: str
    headers: Any
    body: bytes = b""


@dataclass(frozen=True)
class Answer:
    """What an app answers. etag: the mark of a file that can be asked for in parts; empty where it cannot."""

    body: bytes
    kind: str = "application/json"
    status: int = 200
    etag: str = ""
    headers: dict[str, str] = field(default_factory=dict)


App = Callable[[Asked], Answer]


@dataclass
class Fault:
    """What goes wrong with requests whose path `match` is found in, so many `times` after the first `spared`.

    kind: status (with `code`, `headers`), stall, reset (half the body, then a reset), truncated (half the body, the
    header of the whole), cut (half the body, and a header that fits it), drip, html, redirect (to `target`), alter
    (the body as `change` makes it), instead (the path as `change` makes it), again (what the request before this one
    was answered, as a muddled cache does).
    """

    match: str
    kind: str
    times: int = 1
    code: int = 503
    headers: dict[str, str] = field(default_factory=dict)
    target: str = ""
    change: Callable[[Any], Any] = lambda given: given
    spared: int = 0


class Replay:
    """The server. apps: by prefix of the path. asked: every request so far, method and path. well: those of them that
    were answered as they should be, with their bodies. struck: the faults that happened, and to which path."""

    def __init__(self, apps: dict[str, App], faults: Sequence[Fault] = ()) -> None:
        self.apps, self.faults = dict(apps), list(faults)
        self.asked: list[str] = []
        self.well: list[str] = []
        self.struck: list[tuple[Fault, str]] = []
        self._before: dict[str, Answer] = {}
        self.agents: set[str] = set()
        self.ranges: list[str] = []
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.released = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def count(self, pattern: str) -> int:
        return sum(1 for path in self.asked if re.search(pattern, path))

    @contextmanager
    def running(self) -> Iterator["Replay"]:
        thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self.released.set()
            self._server.shutdown()
            self._server.server_close()

    def _fault(self, path: str) -> Fault | None:
        with self._lock:
            for fault in self.faults:
                if not fault.times or not re.search(fault.match, path):
                    continue
                if fault.spared:
                    fault.spared -= 1
                    continue
                fault.times -= 1
                self.struck.append((fault, path))
                return fault
        return None

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        replay = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # else each answer waits for an acknowledgement that is delayed

            def do_GET(self) -> None:
                replay._serve(self, b"")

            def do_POST(self) -> None:
                replay._serve(self, self.rfile.read(int(self.headers.get("Content-Length", "0"))))

            def log_message(self, *_: Any) -> None:
                pass

        return Handler

    def _serve(self, to: BaseHTTPRequestHandler, body: bytes) -> None:
        with self._lock:
            self.asked.append(f"{to.command} {to.path}")
            self.agents.add(to.headers.get("User-Agent", ""))
            self.ranges += [to.headers["Range"]] if to.headers.get("Range") else []
        fault = self._fault(to.path)
        path = fault.change(to.path) if fault and fault.kind == "instead" else to.path
        _, prefix, rest = path.split("/", 2)
        answer = self.apps[prefix](Asked("/" + rest, to.headers, body))
        if fault and fault.kind == "again":
            answer = self._before.get(prefix, answer)
        self._before[prefix] = answer
        if fault is None:
            with self._lock:
                self.well.append(f"{to.command} {to.path} {body.decode()}".rstrip())
        self._misbehave(to, answer, fault) if fault and fault.kind not in ("instead", "again") else _send(to, answer)

    def _misbehave(self, to: BaseHTTPRequestHandler, answer: Answer, fault: Fault) -> None:
        half = answer.body[: len(answer.body) // 2]
        match fault.kind:
            case "status":
                _send(to, Answer(b"busy", "text/plain", fault.code, headers=fault.headers))
            case "redirect":
                _send(to, Answer(b"", "text/plain", 302, headers={"Location": fault.target}))
            case "html":
                _send(to, Answer(HTML, "text/html"))
            case "cut":
                _send(to, Answer(half, answer.kind, answer.status))
            case "alter":
                _send(to, Answer(fault.change(answer.body), answer.kind, answer.status))
            case "stall":
                self.released.wait(5)
                to.close_connection = True
            case "truncated" | "reset" | "drip":
                self._break_off(to, answer, half, fault.kind)
            case other:
                raise ValueError(other)

    def _break_off(self, to: BaseHTTPRequestHandler, answer: Answer, half: bytes, kind: str) -> None:
        """Headers of the whole body, and half of it at most."""
        _head(to, answer, len(answer.body))
        to.close_connection = True
        try:
            if kind == "drip":
                for byte in half:
                    to.wfile.write(bytes([byte]))
                    to.wfile.flush()
                    if self.released.wait(0.05):
                        return
                return
            to.wfile.write(half)
            to.wfile.flush()
            if kind == "reset":
                time.sleep(0.05)
                to.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                to.connection.close()
        except OSError:
            pass  # the client has gone, as it should


def _head(to: BaseHTTPRequestHandler, answer: Answer, length: int) -> None:
    to.send_response(answer.status)
    to.send_header("Content-Type", answer.kind)
    to.send_header("Content-Length", str(length))
    if answer.etag:
        to.send_header("ETag", answer.etag)
        to.send_header("Accept-Ranges", "bytes")
    for name, value in answer.headers.items():
        to.send_header(name, value)
    to.end_headers()


def _send(to: BaseHTTPRequestHandler, answer: Answer) -> None:
    """The answer, in part or packed where that is asked for."""
    wanted = re.fullmatch(r"bytes=(\d+)-", to.headers.get("Range", ""))
    body, headers, status = answer.body, dict(answer.headers), answer.status
    if wanted and answer.etag and to.headers.get("If-Range") == answer.etag:
        start = int(wanted[1])
        if start >= len(body):
            status, body = 416, b""
        else:
            status, headers["Content-Range"] = 206, f"bytes {start}-{len(body) - 1}/{len(body)}"
            body = body[start:]
    elif "gzip" in to.headers.get("Accept-Encoding", "") and answer.kind == "application/json":
        body, headers["Content-Encoding"] = gzip.compress(body, mtime=0), "gzip"
    try:
        _head(to, Answer(body, answer.kind, status, answer.etag, headers), len(body))
        to.wfile.write(body)
    except OSError:
        to.close_connection = True
