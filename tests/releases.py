"""A small world with a source that may not be passed on, built for two days and released for both.

The builds are those of `worlds`, written as a build writes them; checks of Great Expectations are left out, since a
release makes its own and they take seconds.
"""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from pipelines import contracts as contract_files
from pipelines import snapshots, store
from pipelines.contracts import contracts
from pipelines.release import making, shelf
from pipelines.release.making import Released
from pipelines.release.shelf import Release
from tests.unit.test_redistributable import CONDITIONS, CORRECTED, DRKS, from_ctgov, named
from tests.unit.test_unregistered_candidates import report as trial_report
from tests.worlds import AS_OF, article, article_set, as_written, nct, put_file, put_studies, settings, tables

NOW = datetime(2024, 7, 2, 3, 0, tzinfo=UTC)
NEXT = AS_OF + timedelta(days=1)
ODD = 'Two\r\nlines, a "quoted" one;\ta tab \u2014 \u00fc'
"""A title that every format has to hold as it is."""


def fill(data: Path) -> None:
    titled = {"protocolSection": {"identificationModule": {"briefTitle": ODD}}}
    studies = [from_ctgov(2, CONDITIONS, results=("2022-01-05", "2022-02-05")), from_ctgov(3, CONDITIONS)]
    studies += [from_ctgov(6, secondary=named(nct(7))), from_ctgov(7, secondary=named(nct(6)))]
    put_studies(data, AS_OF, [*studies, {**from_ctgov(8), "protocolSection": laid(from_ctgov(8), titled)}])
    put_file(data, "drks", AS_OF, "trials.json", json.dumps([DRKS]))
    text = article_set(article(900000001, bank=(nct(2),)), trial_report(900000002))
    put_file(data, "pubmed", AS_OF, "pubmed24n0001.xml", text, "full", baseline=True)
    altered = from_ctgov(2, results=("2022-01-05", "2022-02-05"), enrolment=52, updated="2024-06-30")
    put_studies(data, NEXT, [altered, from_ctgov(9)], "next.json")


def laid(study: dict, over: dict) -> dict:
    protocol = dict(study["protocolSection"])
    return protocol | {
        "identificationModule": protocol["identificationModule"] | over["protocolSection"]["identificationModule"]
    }


def build(data: Path, as_of: date, mark: str = "") -> Path:
    """Writes a build of a day and makes it the warehouse. mark: sets builds of one day apart."""
    folder = data / "builds" / f"{as_of}-{mark or 'first'}"
    known = contracts()
    hashes = {}
    with tables(data, as_of, adjudicated=[CORRECTED]) as connection:
        as_written(connection)
        connection.execute(contract_files.ddl(known.tables["validation_results"]))
        for table in known.tables.values():
            order = ", ".join(table.order)
            names = ", ".join(f'"{c}"' for c in table.column_names)
            path = folder / f"{table.name}.parquet"
            store.write_parquet(connection, f'SELECT {names} FROM "{table.name}" ORDER BY {order}', path)
            if not table.about_run:
                hashes[table.name] = snapshots.sha256_of(path)
    spec = {
        "build": folder.name,
        "profile": None,
        "as_of": as_of.isoformat(),
        "payloads": [],
        "status_history": "0" * 64,
    }
    store.write_json(folder / "manifest.json", spec | {"tables": hashes})
    store.switch(data / "warehouse", folder)
    return folder


def released(data: Path) -> Released:
    return making.release(replace(settings(data), threads=1), NOW)


def two(data: Path) -> list[Release]:
    """The releases of two days."""
    fill(data)
    for day in (AS_OF, NEXT):
        build(data, day)
        released(data)
    return shelf.listed(data)
