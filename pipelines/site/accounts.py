"""What the release says of itself: its sources, its quality, its methods, its files, its corrections, and who makes it.

Belongs here: pages that a reader turns to when a figure is doubted or wanted elsewhere. Does not: the figures.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import duckdb

from pipelines.contracts import Contracts, contracts, dataset
from pipelines.release import tables
from pipelines.release.shelf import Release
from pipelines.site import figures, pages
from pipelines.site.figures import Row
from pipelines.site.pages import Site

SHOWN = 100

REJECTED = f"""
SELECT source, scope, field, reason, CAST(sum(times) AS BIGINT) AS times FROM rejected_records
GROUP BY ALL ORDER BY times DESC, source, scope, field, reason LIMIT {SHOWN}"""
REJECTED_ALL = """
SELECT source, scope, CAST(sum(times) AS BIGINT) AS times FROM rejected_records GROUP BY ALL ORDER BY ALL"""
DISAGREEMENTS = """
SELECT field, kind, count(*) AS trials FROM discrepancies GROUP BY ALL ORDER BY trials DESC, field, kind"""
COVERAGE = """
SELECT registry, CAST(sum(registrations) AS BIGINT) AS registrations, CAST(sum(vanished) AS BIGINT) AS vanished,
    max(newest_sighting) AS newest, min(oldest_sighting) AS oldest,
    CAST(round(sum(has_status * registrations)) AS BIGINT) AS has_status,
    CAST(round(sum(has_start * registrations)) AS BIGINT) AS has_start,
    CAST(round(sum(has_primary_completion * registrations)) AS BIGINT) AS has_primary_completion,
    CAST(round(sum(has_completion * registrations)) AS BIGINT) AS has_completion,
    CAST(round(sum(has_enrolment * registrations)) AS BIGINT) AS has_enrolment,
    CAST(round(sum(has_sponsor * registrations)) AS BIGINT) AS has_sponsor
FROM coverage GROUP BY registry ORDER BY registry"""
CONFLICTS = "SELECT count(*) AS trials, count_if(dates_conflict) AS conflicts FROM trials"
LINKS = """
SELECT tier, count(*) AS links, count_if(counts_as_results) AS counted
FROM trial_publications GROUP BY tier ORDER BY tier"""
IDENTITY = """
SELECT decision, method, count(*) AS links FROM trial_links GROUP BY ALL ORDER BY decision, links DESC, method"""
UNIVERSE = """
SELECT (SELECT count(*) FROM trials) AS trials, (SELECT count(*) FROM registrations) AS registrations,
    (SELECT count(*) FROM trials WHERE registrations > 1) AS joined, (SELECT count(*) FROM publications) AS articles"""
ADJUDICATIONS = "FROM adjudications ORDER BY decided_on DESC, adjudication_id"
CONTESTS = "FROM contests ORDER BY coalesce(decided_on, opened_on) DESC, contest_id"

DEFINITIONS = (
    ("partition", "Reported, overdue and cannot be judged, under each rule", figures.PARTITION),
    ("unjudged", "Why trials cannot be judged", figures.UNJUDGED),
    ("anywhere", "Results anywhere, and participants of trials with none found", figures.ANYWHERE),
    ("registered", "Registered before the start", figures.REGISTERED),
    ("cohorts", "How soon results come", figures.COHORTS),
    ("late", "How late they are", figures.LATENESS),
)
"""Figures whose query is shown, as it stands. `$as_of` in it is the day of the release."""


def write(
    connection: duckdb.DuckDBPyConnection,
    site: Site,
    release: Release,
    index: Sequence[Mapping[str, Any]],
) -> None:
    """Writes all pages of this module."""
    known = contracts()

    def rows(sql: str) -> list[Row]:
        return figures.query(connection, sql)

    pages.page(site, "sources/", "sources.html", rows=rows("FROM sources ORDER BY source"))
    pages.page(
        site,
        "quality/",
        "quality.html",
        rejected=rows(REJECTED),
        rejected_all=rows(REJECTED_ALL),
        disagreements=rows(DISAGREEMENTS),
        coverage=rows(COVERAGE),
        conflicts=rows(CONFLICTS)[0],
        unjudged=figures.grouped(rows(figures.UNJUDGED), "policy"),
        words=known.vocabularies,
        shown=SHOWN,
    )
    pages.page(site, "methods/",
        "methods.html",
        universe=rows(UNIVERSE)[0],
        links=rows(LINKS),
        identity=rows(IDENTITY),
        words=known.vocabularies,
        definitions=[(name, title, sql.strip().replace("$as_of", f"DATE '{release.manifest['as_of']}'"))
                     for name, title, sql in DEFINITIONS],
    )  # fmt: skip
    pages.page(site, "data/", "data.html", **_files(release, index, known))
    replaced = [entry for entry in index if entry["superseded_by"]]
    pages.page(
        site,
        "corrections/",
        "corrections.html",
        replaced=replaced,
        decisions=rows(ADJUDICATIONS),
        contests=rows(CONTESTS),
        words=known.vocabularies,
        titles={policy.id: policy.title for policy in known.policies.values()},
    )
    pages.page(site, "about/", "about.html", dataset=dataset())


def _files(release: Release, index: Sequence[Mapping[str, Any]], known: Contracts) -> dict[str, Any]:
    """The files of the release: those of each table together, and the others."""
    public = tables.public(known).tables
    files = release.manifest["files"]
    by_name = {file["file"]: file for file in files}
    cards = [
        (table, by_name[f"{name}.parquet"], by_name.get(f"{name}.csv"))
        for name, table in public.items()
        if f"{name}.parquet" in by_name
    ]
    shown = {file["file"] for _, parquet, csv in cards for file in (parquet, csv) if file}
    others = [file for file in files if file["file"] not in shown]
    return {
        "cards": cards,
        "others": others,
        "total": sum(file["bytes"] for file in files),
        "manifest_sha256": release.manifest_sha256,
        "code": release.manifest["code"],
        "index": sorted(index, key=lambda entry: str(entry["as_of"]), reverse=True),
        "dataset": dataset(),
    }
