"""The site and the releases over HTTP, for this machine: `python -m pipelines serve`.

Belongs here: which file an address means, what is said of it in headers, and which part of it is sent. It asks for what
readers need: ranges (DuckDB and duckdb-wasm read a few pages of a file), HEAD with the length, strong ETags, leave for
other origins. Does not: making the files, TLS, compression or any other thing of a server for the open network.
"""

import hashlib
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote, unquote

from pipelines import site, store
from pipelines.errors import UsageError
from pipelines.release import shelf

LOOPBACK = "127.0.0.1"
METHODS = "GET, HEAD, OPTIONS"
CHUNK = 1 << 18

OPEN = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": METHODS,
    "Access-Control-Allow-Headers": "Range, If-None-Match, If-Range",
    "Access-Control-Expose-Headers": "Accept-Ranges, Content-Length, Content-Range, ETag",
    "Access-Control-Max-Age": "86400",
}
"""Whoever reads a public dataset may do so from a page of their own."""

KINDS = {
    ".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8", ".json": "application/json", ".svg": "image/svg+xml",
    ".wasm": "application/wasm", ".csv": "text/csv; charset=utf-8", ".md": "text/markdown; charset=utf-8",
    ".cff": "text/plain; charset=utf-8", ".txt": "text/plain; charset=utf-8", ".ics": "text/calendar; charset=utf-8",
    ".atom": "application/atom+xml", ".xml": "application/xml", ".png": "image/png",
}  # fmt: skip
"""By the end of a name; anything else is bytes and no more, Parquet, DuckDB and packed shards among them."""

_DATED = re.compile(r"\d{4}-\d\d-\d\d(-\d+)?")
_NAMED_BY_HASH = re.compile(r".+-[0-9a-f]{12}\.\w+")
_RANGE = re.compile(r"bytes=\s*(\d*)\s*-\s*(\d*)\s*", re.IGNORECASE)


@dataclass(frozen=True)
class Span:
    """The bytes from `start` up to and without `end`."""

    start: int
    end: int


class UnsatisfiableError(Exception):
    """A range that lies outside the file."""


def span(asked: str | None, size: int) -> Span | None:
    """The part of a file that a Range header asks for; None where all of it is sent: nothing is asked, it is no range
    of bytes, or it is several, which a server may answer whole (RFC 9110, 14.2). Raises UnsatisfiableError."""
    match = _RANGE.fullmatch(asked or "")
    if match is None or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if first and last and int(last) < int(first):
        return None
    start = int(first) if first else max(0, size - int(last))
    end = min(size, int(last) + 1) if first and last else size
    if start >= end:
        raise UnsatisfiableError
    return Span(start, end)


@dataclass(frozen=True)
class Place:
    """Where the file of an address lies. never_changes: in a release, or under a name that holds its hash."""

    path: Path
    never_changes: bool


def place(data: Path, address: str) -> Place | None:
    """The file that an address (without its query) means; None where there is none, or it is nobody's business: nothing
    outside the site and the dated folders, nothing hidden. A folder is its `index.html`."""
    parts = unquote(address).removeprefix("/").split("/")
    if any(part.startswith(".") or "\\" in part or "\0" in part for part in parts) or "" in parts[:-1]:
        return None
    if parts[0] == shelf.FOLDER and len(parts) > 1:
        is_dated = len(parts) > 2 and bool(_DATED.fullmatch(parts[1]))
        if not is_dated and parts[1:] not in ([shelf.LATEST], [shelf.INDEX]):
            return None
        root = data / shelf.FOLDER
        wanted = root.joinpath(*parts[1:])
    else:
        is_dated, root = False, data / site.FOLDER
        wanted = root.joinpath(*parts[:-1], parts[-1] or "index.html")
    try:
        inside = wanted.resolve()
        if not inside.is_relative_to(root.resolve()) or not inside.is_file():
            return None
    except OSError:  # a name that is longer than the file system takes
        return None
    return Place(inside, is_dated or bool(_NAMED_BY_HASH.fullmatch(inside.name)))


@lru_cache(maxsize=64)
def _sums(manifest: Path, changed: int) -> Mapping[str, str]:
    return {file["file"]: file["sha256"] for file in store.read_json(manifest)["files"]}


def etag(where: Place, status: os.stat_result) -> str:
    """A strong mark of a file's bytes: what its release says they are, else what the file system says of this file,
    which is replaced and never written over."""
    manifest = where.path.parent / shelf.MANIFEST
    if where.never_changes and manifest.is_file():
        known = _sums(manifest, manifest.stat().st_mtime_ns).get(where.path.name)
        if known:
            return f'"{known}"'
    told = f"{where.path}/{status.st_ino}/{status.st_size}/{status.st_mtime_ns}"
    return f'"{hashlib.sha256(told.encode()).hexdigest()[:32]}"'


def _names(header: str, mark: str) -> bool:
    """Whether an If-None-Match header names the mark; weak marks are compared by what they mark (RFC 9110, 13.1.2)."""
    return header.strip() == "*" or mark in [one.strip().removeprefix("W/") for one in header.split(",")]


class Server(ThreadingHTTPServer):
    """A server of one data folder on loopback. sent: told the address, the status and the bytes of each answer."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, data: Path, port: int, sent: Callable[[str, int, int], None]) -> None:
        self.data, self.sent = data, sent
        super().__init__((LOOPBACK, port), _Handler)


def server(data: Path, port: int = 0, sent: Callable[[str, int, int], None] = lambda *_: None) -> Server:
    """A server that listens already; port 0 takes any that is free. Raises UsageError where the port is taken."""
    try:
        return Server(data, port, sent)
    except OSError as error:
        raise UsageError(f"Port {port} cannot be used ({error.strerror}): name another one with --port.") from None


class _Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "alltrials", ""
    timeout = 60
    disable_nagle_algorithm = True  # else a short body waits 40 ms for the reader's leave: seconds for a scan in ranges

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def do_OPTIONS(self) -> None:
        self._say(HTTPStatus.NO_CONTENT, {"Allow": METHODS})

    def _refuse(self) -> None:
        self.close_connection = True  # a body that was not read must not be taken for the next request
        self._text(HTTPStatus.METHOD_NOT_ALLOWED, "Files are read here, nothing else.", {"Allow": METHODS})

    do_POST = do_PUT = do_PATCH = do_DELETE = _refuse

    def _answer(self, with_body: bool) -> None:
        address = self.path.partition("?")[0].partition("#")[0]
        where = place(self.server.data, address)
        if where is None and place(self.server.data, f"{address}/"):
            target = quote("/" + unquote(address).strip("/") + "/")
            return self._text(HTTPStatus.MOVED_PERMANENTLY, "It is a folder.", {"Location": target})
        try:
            file = where.path.open("rb") if where else None
        except OSError:
            file = None
        if where is None or file is None:
            return self._text(HTTPStatus.NOT_FOUND, "There is no such page or file.")
        with file:  # one handle: its length, its mark and its bytes are of one file, whatever is switched meanwhile
            return self._send_file(where, file, with_body)

    def _send_file(self, where: Place, file: BinaryIO, with_body: bool) -> None:
        status = os.fstat(file.fileno())
        mark = etag(where, status)
        headers = {
            "ETag": mark,
            "Accept-Ranges": "bytes",
            "Cache-Control": "public, max-age=31536000, immutable" if where.never_changes else "no-cache",
        }
        if _names(self.headers.get("If-None-Match", ""), mark):
            return self._say(HTTPStatus.NOT_MODIFIED, headers)
        headers["Content-Type"] = KINDS.get(where.path.suffix, "application/octet-stream")
        # HEAD is answered as GET would be, ranges too: that is how duckdb-wasm asks whether it may read in parts.
        asked = self.headers.get("Range") if self.headers.get("If-Range", mark) == mark else None
        try:
            part = span(asked, status.st_size)
        except UnsatisfiableError:
            bounds = {"Content-Range": f"bytes */{status.st_size}"}
            return self._text(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, "The file is not that long.", bounds)
        if part:
            headers["Content-Range"] = f"bytes {part.start}-{part.end - 1}/{status.st_size}"
        code = HTTPStatus.PARTIAL_CONTENT if part else HTTPStatus.OK
        whole = part or Span(0, status.st_size)
        return self._say(code, headers, whole.end - whole.start, _read(file, whole) if with_body else ())

    def _text(self, code: HTTPStatus, text: str, headers: Mapping[str, str] | None = None) -> None:
        body = f"{code.value} {code.phrase}. {text}\n".encode()
        headers = {**(headers or {}), "Content-Type": "text/plain; charset=utf-8", "Cache-Control": "no-cache"}
        self._say(code, headers, len(body), [body] if self.command != "HEAD" else ())

    def _say(
        self, code: HTTPStatus, headers: Mapping[str, str], length: int | None = None, body: Iterable[bytes] = ()
    ) -> None:
        self.send_response(code)
        for name, value in {**OPEN, **headers}.items():
            self.send_header(name, value)
        if length is not None:
            self.send_header("Content-Length", str(length))
        self.send_header("X-Content-Type-Options", "nosniff")
        count = 0
        with suppress(ConnectionError, TimeoutError):  # whoever asked may leave at any time
            self.end_headers()
            for piece in body:
                self.wfile.write(piece)
                count += len(piece)
        if length is not None and self.command != "HEAD" and count < length:
            self.close_connection = True
        self.server.sent(self.path, code.value, count)

    def log_message(self, format: str, *args: object) -> None:
        """Nobody asks what was read here."""


def _read(file: BinaryIO, part: Span) -> Iterator[bytes]:
    file.seek(part.start)
    left = part.end - part.start
    while left and (piece := file.read(min(CHUNK, left))):
        left -= len(piece)
        yield piece
