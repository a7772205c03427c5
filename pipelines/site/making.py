"""The site of a release: the list of its pages and the order in which they are made.

Belongs here: what every page knows (`shell`), and which page is written where. Does not: the content of a page, and
switching the site in (`site` in `pipelines.__main__` does it by `place`).
"""

import shutil
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from pipelines import store
from pipelines.build import DATABASE
from pipelines.contracts import contracts
from pipelines.release import package, shelf
from pipelines.release.package import Described
from pipelines.release.shelf import Release
from pipelines.settings import Settings
from pipelines.site import pages

SITE = "site"
FIRST_POLICY = "alltrials-summary"
"""The policy that is shown first: what the campaign asks of every trial."""


def make(chosen: Settings, release: Release, out: Path) -> None:
    """Writes the whole site of a release into an empty folder. The same release gives the same bytes."""
    index = store.read_json(release.folder.parent / shelf.INDEX)["releases"]
    with store.open_database(release.folder / DATABASE) as connection:
        known = shell(connection, release, index, chosen)
        made = pages.environment(known)
        shutil.copytree(pages.STATIC, out / "static")
        pages.write(made, out, "", "home.html")


def place(chosen: Settings, name: str, out: Path | None) -> Path:
    """Makes the site of a release aside and switches it in, in one step. out: where it goes, instead of `site` in the
    data folder. Raises UsageError where there is no such release."""
    release = shelf.opened(shelf.named(chosen.data, name))
    if out is not None:
        with store.whole_folder(out) as folder:
            make(chosen, release, folder)
        return out
    # Two places take turns, so that the link is switched in one step and the page that is being read stays whole.
    link = chosen.data / SITE
    with store.locked(chosen.data / ".site.lock", f"Another making of the site is writing to {link}"):
        target = chosen.data / "sites" / ("b" if link.exists() and link.resolve().name == "a" else "a")
        with store.whole_folder(target) as folder:
            make(chosen, release, folder)
        store.switch(link, target)
    return link


def shell(
    connection: duckdb.DuckDBPyConnection, release: Release, index: list[dict[str, Any]], chosen: Settings
) -> Mapping[str, Any]:
    """What every page knows: the release, the age of its sources, its policies, how to cite it and whom to tell."""
    found = connection.sql("FROM sources ORDER BY source")
    sources = [dict(zip(found.columns, row, strict=True)) for row in found.fetchall()]
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
    }
