"""Asking a source's server politely, and storing what it serves: the only user of requests.

Belongs here: identification, pacing, retries, resuming, limits, and what keeps a server from making us ask elsewhere.
What is asked for stands in `fetchers`, what is kept of it in `fetching`. The clock comes from the edge (`Edge`).
"""

import hashlib
import ipaddress
import re
import shutil
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit, urlunsplit

import requests
import urllib3

from pipelines import store
from pipelines.errors import FetchError, PayloadError

CHUNK = 1 << 16
TRANSIENT = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Answers after which the same question is asked again; a source's file names more where the source throttles so."""
REDIRECTS = 5
LONGEST_BACKOFF = 120.0
LEAST_PACE = 1024
"""Bytes a second, over the time of one time-out, below which an answer counts as stalled."""
SECRET = re.compile(r"key|token$|secret|passw|pwd|credential|auth|^sig$|signature|^email$|^user(name)?$", re.IGNORECASE)
"""Query parameters whose values are shown to nobody. A paging token (`pageToken`) is no secret, but says nothing."""
PACKED = frozenset({"", "identity", "gzip", "x-gzip"})
"""Ways in which an answer may be packed for the way: each other one, and one in another, could unpack to any size."""
_HOST = re.compile(r"([a-z0-9][a-z0-9.\-]*|\[[0-9a-f:.]+\])(:[0-9]{1,5})?", re.IGNORECASE)
"""An address with anything else for a host (a name before an @, a backslash) is read in different ways by different
libraries, so that who looks at it and who asks there could mean two hosts."""
_GZIP = 31


@dataclass(frozen=True)
class Edge:
    """What only the edge of the program may do. now: the time, with its zone. random: from 0 up to 1."""

    now: Callable[[], datetime]
    sleep: Callable[[float], None]
    random: Callable[[], float]


@dataclass(frozen=True)
class Manners:
    """How a source is asked, as `[fetch]` of its file says.

    pause_seconds: between two requests to one host. timeout_seconds: of silence. longest_wait_seconds: how long the
    server may ask us to stay away. max_seconds, max_bytes: of all that one run asks for. max_answer_bytes: of one
    answer that is no file to be resumed, unpacked, since it is read into memory. spare_bytes: what must stay free on
    the disk. also_retried: statuses that this source answers when it throttles.
    """

    pause_seconds: float = 1.0
    timeout_seconds: float = 60.0
    attempts: int = 6
    longest_wait_seconds: float = 3600.0
    max_seconds: float = 86_400.0
    max_bytes: int = 100_000_000_000
    max_answer_bytes: int = 268_435_456
    spare_bytes: int = 1_000_000_000
    also_retried: tuple[int, ...] = ()


@dataclass(frozen=True)
class Served:
    """One file as it was served and stored. url: without secrets. value: what the caller's check found in it."""

    path: Path
    url: str
    retrieved_at: str
    bytes: int
    sha256: str
    value: Any = None


class Refused(FetchError):
    """The server said no for good: asking again would not help."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class _Passing(Exception):
    """What may be gone at the next attempt. wait: what the server asks for, in seconds. is_spoilt: what came is no
    part of the file."""

    def __init__(self, reason: str, wait: float | None = None, *, is_spoilt: bool = False) -> None:
        super().__init__(reason)
        self.wait = wait
        self.is_spoilt = is_spoilt


@dataclass(frozen=True)
class Want:
    """One file that is wanted.

    shape: what its bytes must begin like: json, xml, html, text, gzip, zip, or any. check: looks at the complete file
    and raises PayloadError where it is not what was wanted; what it returns is handed on. body: makes it a POST of
    JSON. is_resumable: a file that stays the same, so that the rest of it can be asked for. is_packed: stored as gzip,
    equal content as equal bytes.
    """

    url: str
    shape: str = "any"
    check: Callable[[Path], Any] | None = None
    body: bytes | None = None
    is_resumable: bool = False
    is_packed: bool = False


@dataclass
class Client:
    """Asks the hosts of one source. site: the domain that the source may be asked at, and below it.

    agent: who we are. verify: certificates of our own to check the server's against, or those that come with requests.
    """

    source: str
    site: str
    agent: str
    edge: Edge
    manners: Manners = field(default_factory=Manners)
    verify: Path | None = None

    def __post_init__(self) -> None:
        self._session = requests.Session()
        self._session.trust_env = False  # no credentials out of a .netrc, no proxy that nobody named
        self._session.headers.update({"User-Agent": self.agent, "Accept": "*/*"})
        self._last: dict[str, datetime] = {}
        self._began = self.edge.now()
        self._received = 0

    def fetch(self, want: Want, into: Path) -> Served:
        """Stores what is wanted under `into`, complete or not at all. What came of a resumable file stays beside it.

        Raises Refused where the server says no, FetchError where it cannot be had whole.
        """
        into.parent.mkdir(parents=True, exist_ok=True)
        part = into.with_name(into.name + store.PART)
        for attempt in range(self.manners.attempts):
            try:
                retrieved = self._receive(want, part)
                value = _checked(want, part)
            except _Passing as fault:
                if fault.is_spoilt or not want.is_resumable:
                    _forget(part)
                if attempt + 1 == self.manners.attempts:
                    raise self._error(
                        want.url, f"{fault}; gave up after {attempt + 1} attempts. Try again later"
                    ) from None
                self._back_off(want.url, attempt, fault)
            else:
                return _kept(want, part, into, retrieved, value)
        raise AssertionError("a source's file allows no attempt at all")

    # --- one attempt --------------------------------------------------------------------------------------------

    def _receive(self, want: Want, part: Path) -> datetime:
        """Asks once, and writes what comes to `part`; returns when it came."""
        begun = _begun(part, want.url) if want.is_resumable else None
        headers = {"Accept-Encoding": "identity" if want.is_resumable else "gzip"}
        if begun:
            headers |= {"Range": f"bytes={begun[0]}-", "If-Range": begun[1]}
        with self._ask(want, headers) as response:
            self._judge(response, want.url)
            start = begun[0] if begun and response.status_code == 206 else 0
            if response.status_code == 206 and _range_start(response) != start:
                raise _Passing("the server served another part of the file than it was asked for", is_spoilt=True)
            self._packed_as_asked(response, want.url)
            length = self._announced(response, want.url)
            self._room(part, want.url, length)
            if want.is_resumable and not start:
                _note(part, want.url, response)
            self._write(response, part, start, length, want)
        return self.edge.now()

    @contextmanager
    def _ask(self, want: Want, headers: Mapping[str, str]) -> Iterator[requests.Response]:
        """The answer, after redirects within the site."""
        url, timeout = want.url, self.manners.timeout_seconds
        for _ in range(REDIRECTS + 1):
            self._allow(url)
            self._pace(url)
            kind = {} if want.body is None else {"Content-Type": "application/json"}
            try:
                response = self._session.request(
                    "GET" if want.body is None else "POST", url, data=want.body, headers={**headers, **kind},
                    stream=True, allow_redirects=False, timeout=timeout,
                    verify=str(self.verify) if self.verify else True,
                )  # fmt: skip
            except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
                raise _Passing(_words(error)) from None
            if not response.is_redirect:
                break
            response.close()
            if want.body is not None:
                raise self._error(
                    url, "the server redirects a search, which is not followed. Look at the source's file"
                )
            url = urljoin(url, response.headers["Location"])
        else:
            raise self._error(want.url, f"the server redirects more than {REDIRECTS} times. Look at the source's file")
        try:
            yield response
        finally:
            response.close()

    def _allow(self, url: str) -> None:
        """Raises FetchError for an address outside the source's site, or that is no HTTP at all."""
        parts = urlsplit(url)
        host, here = (parts.hostname or ""), is_loopback(parts.hostname or "")
        is_ours = parts.netloc == self.site if here else host == self.site or host.endswith(f".{self.site}")
        if not is_ours or not _HOST.fullmatch(parts.netloc):
            raise self._error(
                url, f"that is outside {self.site}, where this source may be asked; nothing was asked there"
            )
        if parts.scheme != "https" and not (parts.scheme == "http" and here):
            raise self._error(url, "only https is asked (plain http on loopback); nothing was asked there")

    def _pace(self, url: str) -> None:
        host, now = urlsplit(url).netloc, self.edge.now()
        if host in self._last:
            wait = self.manners.pause_seconds - (now - self._last[host]).total_seconds()
            if wait > 0:
                self.edge.sleep(wait)
        self._last[host] = self.edge.now()
        self._in_time(url)

    def _judge(self, response: requests.Response, url: str) -> None:
        """Passes an answer that brings the file; raises for every other one."""
        status = response.status_code
        if status in (200, 206):
            return
        if status == 416:
            raise _Passing("the server does not have the rest of the file that it began to serve", is_spoilt=True)
        if status in TRANSIENT or status in self.manners.also_retried:
            wait = _retry_after(response.headers.get("Retry-After"), self.edge.now())
            if wait is not None and wait > self.manners.longest_wait_seconds:
                raise self._error(url, f"the server answers {status} and asks to stay away for {wait:,.0f} s. Try then")
            raise _Passing(f"the server answers {status}", wait)
        raise Refused(self._text(url, f"the server answers {status}"), status)

    def _packed_as_asked(self, response: requests.Response, url: str) -> None:
        way = response.headers.get("Content-Encoding", "").strip().lower()
        if way not in PACKED:
            raise self._error(url, f"the answer is packed as {way[:40]!r}, which was not asked for. Look at the source")

    def _announced(self, response: requests.Response, url: str) -> int | None:
        """How many bytes are to come, as they go over the wire. Raises FetchError where they are too many."""
        written = response.headers.get("Content-Length", "")
        length = int(written) if written.isdecimal() else None
        if length is not None:
            self._within(length, url)
        return length

    def _room(self, part: Path, url: str, length: int | None) -> None:
        free = shutil.disk_usage(part.parent).free
        needed = (length or 0) + self.manners.spare_bytes
        if free < needed:
            text = (
                f"{free:,} bytes are free on the disk and {needed:,} are needed, spare room included. Make room first"
            )
            raise self._error(url, text)

    def _write(self, response: requests.Response, part: Path, start: int, length: int | None, want: Want) -> None:
        """Writes the body behind what is there. What the server breaks off is told from what it ends.

        A file that is resumed is kept as it comes, packed or not: its rest is asked for by what is here of it.
        """
        began, came, url = self.edge.now(), 0, want.url
        with part.open("r+b" if start else "wb") as out:
            out.seek(start)
            while piece := self._piece(response, is_unpacked=not want.is_resumable):
                came += len(piece)
                self._received += len(piece)
                self._within(0, url)
                if not want.is_resumable and came > self.manners.max_answer_bytes:
                    text = f"the answer holds more than {self.manners.max_answer_bytes:,} bytes"
                    raise self._error(url, f"{text} (max_answer_bytes of the source's file). Look at what is served")
                if length is None or length < came:  # more comes than was said, or nothing was said
                    self._room(part, url, len(piece))
                out.write(piece)
                self._in_time(url)
                spent = (self.edge.now() - began).total_seconds()
                if spent > self.manners.timeout_seconds and came < spent * LEAST_PACE:
                    raise _Passing(f"the answer drips at less than {LEAST_PACE} bytes a second")
            out.truncate()
        raw = response.raw.tell()
        if length is not None and raw != length:
            raise _Passing(f"{raw:,} of {length:,} bytes came", is_spoilt=raw > length)

    def _piece(self, response: requests.Response, *, is_unpacked: bool) -> bytes:
        """What has come so far: a server that drips is seen at once, not after a full chunk."""
        try:
            piece: bytes = response.raw.read1(CHUNK, decode_content=is_unpacked)
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            raise _Passing(_words(error)) from None
        return piece

    # --- limits and waiting -------------------------------------------------------------------------------------

    def _back_off(self, url: str, attempt: int, fault: _Passing) -> None:
        doubled = min(LONGEST_BACKOFF, 2.0**attempt) * (0.5 + self.edge.random() / 2)
        self.edge.sleep(doubled if fault.wait is None else fault.wait)
        self._in_time(url)

    def _in_time(self, url: str) -> None:
        if self.edge.now() - self._began > timedelta(seconds=self.manners.max_seconds):
            text = f"this run took longer than {self.manners.max_seconds:,.0f} s (max_seconds of the source's file)"
            raise self._error(url, f"{text}; what came is kept. Run it again to go on")

    def _within(self, more: int, url: str) -> None:
        if self._received + more > self.manners.max_bytes:
            text = f"this run came to more than {self.manners.max_bytes:,} bytes (max_bytes of the source's file)"
            raise self._error(url, f"{text}. Look at what is served there")

    def _text(self, url: str, what: str) -> str:
        return f"{self.source}: {masked(url)}: {what}."

    def _error(self, url: str, what: str) -> FetchError:
        return FetchError(self._text(url, what))


# --- telling --------------------------------------------------------------------------------------------------------


def post(url: str, body: bytes, agent: str, timeout: float, verify: Path | None = None) -> None:
    """Tells an address of the operator's own something as JSON, once. Raises FetchError, which names the host alone:
    the rest of such an address is often its secret."""
    host = urlsplit(url).hostname
    with requests.Session() as session:
        session.trust_env = False
        try:
            response = session.post(
                url, data=body, headers={"User-Agent": agent, "Content-Type": "application/json"}, stream=True,
                allow_redirects=False, timeout=timeout, verify=str(verify) if verify else True,
            )  # fmt: skip
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            raise FetchError(f"{host}: {_words(error)}.") from None
        with response:  # the answer's text is not waited for
            if response.status_code >= 300:
                raise FetchError(f"{host}: the server answers {response.status_code}.")


# --- addresses ------------------------------------------------------------------------------------------------------


def is_loopback(host: str) -> bool:
    """Whether the host is this machine, by its number or as `localhost`."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def masked(url: str) -> str:
    """The address as it may be shown and stored: no secret in the query, nobody before an @."""
    parts = urlsplit(url)
    query = [(name, "***" if SECRET.search(name) and name != "pageToken" else value)
             for name, value in parse_qsl(parts.query, keep_blank_values=True)]  # fmt: skip
    kept = parts.query if query == parse_qsl(parts.query, keep_blank_values=True) else urlencode(query, safe="*")
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, kept, ""))


# --- what came before, and what came now ----------------------------------------------------------------------------


def _notes(part: Path) -> Path:
    return part.with_name(part.name + ".json")


def _note(part: Path, url: str, response: requests.Response) -> None:
    """Keeps by which mark the server knows this very file; without one the rest of it cannot be asked for."""
    mark = response.headers.get("ETag", "")
    if not mark or mark.startswith("W/"):
        mark = response.headers.get("Last-Modified", "")
    store.write_json(_notes(part), {"url": masked(url), "mark": mark})


def _begun(part: Path, url: str) -> tuple[int, str] | None:
    """How much of the file is here and the server's mark of it."""
    if not part.exists() or not part.stat().st_size or not _notes(part).exists():
        return None
    notes = store.read_json(_notes(part))
    return (part.stat().st_size, notes["mark"]) if notes["mark"] and notes["url"] == masked(url) else None


def _forget(part: Path) -> None:
    part.unlink(missing_ok=True)
    _notes(part).unlink(missing_ok=True)


def _range_start(response: requests.Response) -> int:
    match = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
    return int(match[1]) if match else -1


def _retry_after(written: str | None, now: datetime) -> float | None:
    """Seconds to stay away, which the server writes as seconds or as a date; None where it does not say."""
    if not written:
        return None
    if written.strip().isdecimal():
        return float(written)
    try:
        until = parsedate_to_datetime(written)
    except ValueError:
        return None
    return max(0.0, (until.replace(tzinfo=until.tzinfo or UTC) - now).total_seconds())


def _checked(want: Want, part: Path) -> Any:
    """What the caller's check finds in the complete file."""
    try:
        _check_shape(want.shape, part)
        return want.check(part) if want.check else None
    except PayloadError as error:
        raise _Passing(str(error), is_spoilt=True) from None


STARTS = {
    "json": rb"\s*[\[{]",
    "xml": rb"\s*<(?!!doctype html|html)",
    "html": rb"\s*<(!doctype html|html|head|pre|table)",
    "text": rb"\s*[^<\s]",
    "gzip": rb"\x1f\x8b",
    "zip": rb"PK(\x03\x04|\x05\x06)",
    "any": rb"",
}


def _check_shape(shape: str, part: Path) -> None:
    """Raises PayloadError where the file does not begin like what it should be."""
    with part.open("rb") as handle:
        start = handle.read(512).removeprefix(b"\xef\xbb\xbf")
    if re.match(STARTS[shape], start, re.IGNORECASE) is None:
        page = (
            "an HTML page"
            if re.match(STARTS["html"], start, re.IGNORECASE)
            else "something else"
            if start
            else "nothing"
        )
        raise PayloadError(f"the server served {page} instead of {shape}")


def _kept(want: Want, part: Path, into: Path, retrieved: datetime, value: Any) -> Served:
    """Gives the complete file its name."""
    if want.is_packed:
        with store.whole(into) as aside:
            _pack(part, aside)
    else:
        store.whole_already(part, into)
    _forget(part)
    with into.open("rb") as handle:
        digest = hashlib.file_digest(handle, "sha256").hexdigest()
    stamp = retrieved.astimezone(UTC).isoformat(timespec="seconds")
    return Served(into, masked(want.url), stamp, into.stat().st_size, digest, value)


def _pack(plain: Path, out: Path) -> None:
    """As gzip without name and time, so that equal content is equal bytes."""
    press = zlib.compressobj(6, zlib.DEFLATED, _GZIP)
    with plain.open("rb") as source, out.open("wb") as target:
        while piece := source.read(1 << 20):
            target.write(press.compress(piece))
        target.write(press.flush())


def _words(error: Exception) -> str:
    """What went wrong, without the address, in which there may be a secret."""
    text = str(error)
    if isinstance(error, requests.exceptions.SSLError):
        return "the server's certificate cannot be verified (ALLTRIALS_CA_FILE names certificates to trust)"
    if isinstance(error, requests.Timeout | urllib3.exceptions.TimeoutError) or "timed out" in text:
        return "the server fell silent"
    if "Name or service not known" in text or "name resolution" in text or "NameResolution" in text:
        return "the server's name cannot be resolved"
    if "refused" in text:
        return "the server refuses the connection"
    return "the connection broke off"
