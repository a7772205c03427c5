"""Paths, environment and secrets: the only reader of `os.environ`. No data and no defaults that depend on the clock."""

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pipelines.errors import UsageError

ROOT = Path(__file__).resolve().parent.parent
"""The repository: `schemas/` and `docs/` lie here; commands are run from here."""

SCHEMAS = ROOT / "schemas"
SQL = ROOT / "pipelines" / "sql"
DOCS = ROOT / "docs"


@dataclass(frozen=True)
class Settings:
    """Where the data lie and how much of the machine a build may take.

    data: the data folder (raw, staging, builds, warehouse, ledger).
    adjudications: the reviewed file of decisions on single records.
    contests: the reviewed file of contested verdicts.
    threads: DuckDB's threads. memory_limit: DuckDB's own limit, in its notation; the process needs some more.
    contact: a mail address or web page that servers are told; without one nothing is fetched.
    addresses: by source, where to fetch it instead of at the address in its file.
    keys: by source, a secret that its server may be told. ca_file: certificates to trust instead of the usual ones.
    fetched_sources: the sources that a night fetches; all that can be where it names none.
    fetch_terms: what takes the place of terms in `[fetch]` of every source's file (page sizes, pauses, limits).
    alert_webhook, alert_mail: where to tell that a night failed or is incomplete; nobody is told where they are empty.
    alert_smtp: the server that takes such a mail, with the user and password that it asks for.
    volume_bands: by source, the least and the most that a full snapshot of it holds, in the place of the band in its
    file: for a mirror or a test that serves a part of the source on purpose.
    releases_to: a folder, or s3://bucket/path, to which releases are sent; nights make releases only where it is set.
    store: a folder, or s3://bucket/prefix, that durably holds what is made here; the data folder is then this machine's
    working copy of it. Empty: the data folder is all there is.
    site_contact: a mail address or web page that the web page gives for errors and contests; it names none where empty.
    site_response: one sentence on how soon people answer there; nothing is promised where it is empty.
    site_url: the address at which the web page is published, for feeds and cards; a placeholder where it is empty.
    dask: the address of the scheduler of a Dask cluster, whose workers read payloads; this machine does where it is
    empty.
    """

    data: Path
    threads: int
    memory_limit: str
    adjudications: Path = SCHEMAS / "adjudications.csv"
    contests: Path = SCHEMAS / "contests.csv"
    contact: str = ""
    addresses: Mapping[str, str] = field(default_factory=dict)
    keys: Mapping[str, str] = field(default_factory=dict, repr=False)
    ca_file: Path | None = None
    fetched_sources: tuple[str, ...] = ()
    fetch_terms: Mapping[str, Any] = field(default_factory=dict)
    alert_webhook: str = field(default="", repr=False)
    alert_mail: str = field(default="", repr=False)
    alert_smtp: str = field(default="smtp://localhost", repr=False)
    volume_bands: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    releases_to: str = field(default="", repr=False)
    store: str = field(default="", repr=False)
    site_contact: str = ""
    site_response: str = ""
    site_url: str = ""
    dask: str = ""


def from_environment(data: str | None = None) -> Settings:
    """Settings of this process: `--data` wins over ALLTRIALS_DATA, which wins over `data/` in the repository."""
    threads = os.environ.get("ALLTRIALS_THREADS") or str(min(os.cpu_count() or 1, 4))
    if not threads.isdigit() or int(threads) < 1:
        raise UsageError(f"ALLTRIALS_THREADS is a number of threads, not {threads!r}.")
    return Settings(
        data=Path(data or os.environ.get("ALLTRIALS_DATA") or ROOT / "data").resolve(),
        threads=int(threads),
        memory_limit=os.environ.get("ALLTRIALS_MEMORY") or "1GB",
        adjudications=Path(os.environ.get("ALLTRIALS_ADJUDICATIONS") or SCHEMAS / "adjudications.csv"),
        contests=Path(os.environ.get("ALLTRIALS_CONTESTS") or SCHEMAS / "contests.csv"),
        contact=os.environ.get("ALLTRIALS_CONTACT", "").strip(),
        addresses=_by_source("URL"),
        keys=_by_source("KEY"),
        ca_file=Path(os.environ["ALLTRIALS_CA_FILE"]) if os.environ.get("ALLTRIALS_CA_FILE") else None,
        fetched_sources=tuple(os.environ.get("ALLTRIALS_FETCHED_SOURCES", "").replace(",", " ").split()),
        fetch_terms=_terms(os.environ.get("ALLTRIALS_FETCH_TERMS", "")),
        alert_webhook=_address("ALLTRIALS_ALERT_WEBHOOK", "", ("https", "http"), "https://host/path"),
        alert_mail=os.environ.get("ALLTRIALS_ALERT_MAIL", "").strip(),
        alert_smtp=_address("ALLTRIALS_ALERT_SMTP", "smtp://localhost", ("smtp", "smtps"), "smtp://user:word@host:587"),
        volume_bands=_bands(os.environ.get("ALLTRIALS_VOLUME_BANDS", "")),
        releases_to=os.environ.get("ALLTRIALS_RELEASES_TO", "").strip(),
        store=os.environ.get("ALLTRIALS_STORE", "").strip(),
        site_contact=os.environ.get("ALLTRIALS_SITE_CONTACT", "").strip(),
        site_response=os.environ.get("ALLTRIALS_SITE_RESPONSE", "").strip(),
        site_url=_address("ALLTRIALS_SITE_URL", "", ("https", "http"), "https://host/path"),
        dask=_address("ALLTRIALS_DASK", "", ("tcp", "tls"), "tcp://host:8786"),
    )


def _address(name: str, otherwise: str, schemes: tuple[str, ...], like: str) -> str:
    """An address that may hold a secret: the complaint does not repeat it."""
    written = os.environ.get(name, "").strip() or otherwise
    try:
        parts = urlsplit(written)
        is_one = parts.scheme in schemes and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        is_one = False
    if written and not is_one:
        raise UsageError(f"{name} is an address like {like}, and what is set is none.")
    return written


def _terms(written: str) -> dict[str, Any]:
    """Terms as a source's file would write them, divided by semicolons."""
    try:
        return tomllib.loads(written.replace(";", "\n"))
    except tomllib.TOMLDecodeError:
        raise UsageError(
            f"ALLTRIALS_FETCH_TERMS is like `page_size = 100; pause_seconds = 2.0`, not {written!r}."
        ) from None


def _bands(written: str) -> dict[str, tuple[int, int]]:
    """By source, two numbers, divided by semicolons."""
    try:
        found = tomllib.loads(written.replace(";", "\n"))
        return {code: (int(least), int(most)) for code, (least, most) in found.items()}
    except (tomllib.TOMLDecodeError, TypeError, ValueError):
        raise UsageError(
            f"ALLTRIALS_VOLUME_BANDS is like `ctgov = [1, 5000]; pubmed = [1, 10]`, not {written!r}."
        ) from None


def _by_source(what: str) -> dict[str, str]:
    """The settings ALLTRIALS_<SOURCE>_URL or _KEY, by source."""
    found = {re.fullmatch(f"ALLTRIALS_([A-Z_]+)_{what}", name): value for name, value in os.environ.items()}
    return {match[1].lower(): value for match, value in found.items() if match and value}


def version() -> str:
    """The version of this program, as its project file says."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return str(project["project"]["version"])


def quiet_libraries() -> None:
    """Switches off the usage reports of libraries before they are imported: nothing leaves this machine unasked."""
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    os.environ.setdefault("DAGSTER_DISABLE_TELEMETRY", "true")
