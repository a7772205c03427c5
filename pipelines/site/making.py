"""The site of a release: what every page knows, which module writes which pages, and how a site is switched in.

Belongs here: the order of the whole, and what of it runs beside what. Does not: the content of a page.
"""

import contextlib
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import duckdb

from pipelines import staging, store
from pipelines.build import DATABASE
from pipelines.contracts import contracts, quote
from pipelines.errors import UsageError
from pipelines.release import package, shelf
from pipelines.release.package import Described
from pipelines.release.shelf import Release
from pipelines.settings import Settings
from pipelines.site import FOLDER, accounts, changes, exploring, figures, listings, lookup, overview, pages, sponsors
from pipelines.site.figures import Row
from pipelines.site.pages import Site

FIRST_POLICY = "alltrials-summary"
"""The policy that is shown first: what the campaign asks of every trial."""


def make(chosen: Settings, release: Release, out: Path) -> None:
    """Writes the whole site of a release into an empty folder. The same release, index and settings give the same
    bytes."""
    halved = replace(chosen, threads=max(1, chosen.threads // 2), memory_limit=half(chosen.memory_limit))
    with _look_up_beside(halved, release, out), _begun(halved, release, out) as (connection, site, index):
        shutil.copytree(pages.STATIC, out / "static")
        counts = changes.read(connection)
        overview.write(site, overview.read(connection, site.as_of), changes.news(counts, FIRST_POLICY))
        changes.write(connection, site, counts)
        listings.write(connection, site)
        accounts.write(connection, site, release, index)
        sponsors.write(connection, site)
        exploring.write(connection, site)


def half(memory_limit: str) -> str:
    """Half of a limit in DuckDB's notation, `1GB`; one without a number stays."""
    return re.sub(r"\d+(\.\d*)?", lambda amount: str(float(amount[0]) / 2), memory_limit, count=1)


@contextlib.contextmanager
def _begun(
    chosen: Settings, release: Release, out: Path
) -> Iterator[tuple[duckdb.DuckDBPyConnection, Site, Sequence[Row]]]:
    """What the making of any page rests on: the tables, the site, and the index of releases."""
    index = store.read_json(release.folder.parent / shelf.INDEX)["releases"]
    with opened(chosen, release, out) as connection:
        known = shell(connection, release, index, chosen)
        yield connection, Site(out, pages.environment(known), known["as_of"], known["policies"], known["rules"]), index


# --- the look-up, in a process of its own -----------------------------------------------------------------------------


@contextlib.contextmanager
def _look_up_beside(chosen: Settings, release: Release, out: Path) -> Iterator[None]:
    """Writes the look-up, as much work as all other pages, in a process of its own beside what the block does. The end
    of the block waits for it and raises what it raised; where the block fails, the process ends at once."""
    context = get_context("spawn")
    heard, told = context.Pipe(duplex=False)
    process = context.Process(target=_write_look_up, args=(told, chosen, release, out))
    with staging.no_program():
        process.start()
    told.close()
    try:
        yield
        try:
            error = heard.recv()
        except EOFError:
            process.join()
            raise ChildProcessError(
                f"The process that writes the look-up (find/) ended with {process.exitcode} before it was done; -9 is "
                "where the machine's memory ran out: lower ALLTRIALS_MEMORY, and make the page again."
            ) from None
        if error:
            raise error
    finally:
        process.terminate()
        process.join()
        heard.close()


def _write_look_up(told: Connection, chosen: Settings, release: Release, out: Path) -> None:
    """The work of that process. told: where it says what went wrong, or None at its end."""
    staging.end_with_parent()
    try:
        with _begun(chosen, release, out) as (connection, site, _):
            lookup.write(connection, site)
    except Exception as error:  # noqa: BLE001 - said to the process that waits, which raises it
        told.send(error)
    else:
        told.send(None)


@contextlib.contextmanager
def opened(chosen: Settings, release: Release, out: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The tables of a release under their names, read-only. Beside them stand two small relations made of the
    contracts: `status_words` (number, code, status_group), `policy_grace` (policy, grace_days)."""
    words = contracts().vocabularies["reporting_status"]
    numbered = [(number, code, word["status_group"]) for number, (code, word) in enumerate(words.items())]
    graces = [(p.id, int(p.parameters["grace_days"])) for p in contracts().of_kind("reporting")]
    with (
        tempfile.TemporaryDirectory(prefix=".spill", dir=out) as spill,
        store.connect(threads=chosen.threads, memory_limit=chosen.memory_limit, spill=Path(spill)) as connection,
    ):
        connection.execute(f"ATTACH {quote(str(release.folder / DATABASE))} AS release (READ_ONLY)")
        connection.execute("CREATE TABLE status_words (number TINYINT, code VARCHAR, status_group VARCHAR)")
        connection.execute("CREATE TABLE policy_grace (policy VARCHAR, grace_days INTEGER)")
        store.insert(connection, "status_words", numbered)
        store.insert(connection, "policy_grace", graces)
        connection.execute(f"SET search_path = '{figures.SEARCH_PATH}'")
        yield connection


def place(chosen: Settings, name: str, out: Path | None) -> Path:
    """Makes the site of a release aside and switches it in, in one step. out: where it goes, instead of `site` in the
    data folder. Raises UsageError where there is no such release, or where `out` holds something else."""
    release = shelf.opened(shelf.named(chosen.data, name))
    if out is not None:
        if out.exists() and any(out.iterdir()) and not (out / "static" / "site.css").exists():
            raise UsageError(f"{out} holds something that is no site, and would be replaced: name another folder.")
        with store.whole_folder(out) as folder:
            make(chosen, release, folder)
        return out
    # Two places take turns, so that the link is switched in one step and the page that is being read stays whole.
    link = chosen.data / FOLDER
    with store.locked(chosen.data / ".site.lock", f"Another making of the site is writing to {link}"):
        target = chosen.data / "sites" / ("b" if link.exists() and link.resolve().name == "a" else "a")
        for leftover in target.parent.glob(f".*{store.PART}"):  # of a process that was killed
            shutil.rmtree(leftover, ignore_errors=True)
        with store.whole_folder(target) as folder:
            make(chosen, release, folder)
        store.switch(link, target)
    return link


def shell(
    connection: duckdb.DuckDBPyConnection, release: Release, index: Sequence[Row], chosen: Settings
) -> Mapping[str, Any]:
    """What every page knows: the release, the age of its sources, its policies, how to cite it and whom to tell."""
    sources = figures.query(connection, "FROM sources ORDER BY source")
    as_of = date.fromisoformat(release.manifest["as_of"])
    entry = next(e for e in index if e["release"] == release.name)
    known = contracts()
    loaded = [s for s in sources if s["snapshot"]]
    return {
        "release": release.name,
        "as_of": as_of,
        "superseded_by": entry["superseded_by"],
        "sources": loaded,
        "oldest": max(loaded, key=lambda s: s["stale_days"], default=None),
        "policies": sorted(known.of_kind("reporting"), key=lambda p: (p.id != FIRST_POLICY, p.id)),
        "rules": known.of_kind("registration"),
        "citation": package.citation(Described(release.name, as_of, known, sources, [])),
        "contact": chosen.site_contact,
        "response": chosen.site_response,
        "url": chosen.site_url.rstrip("/"),
        "telling": overview.TELLING,
        "limit": sponsors.PER_PAGE,
        "bins": figures.LATENESS_BINS,
        "partition_sql": figures.PARTITION,
        "shown_builds": changes.DAYS,
        "shown_reasons": 30,
    }
