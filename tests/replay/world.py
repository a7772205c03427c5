"""The sample world as its sources serve it on one day, for the apps: what the register holds then, which files PubMed
lists then. Nothing here is expected of a fetch; that stands in the tests."""

import csv
import gzip
import json
from datetime import date
from pathlib import Path
from typing import Any

from tests.replay.apps import Ctgov, Ncbi, number_of


def _imports(sample: Path, source: str, until: date) -> list[tuple[dict[str, str], Path]]:
    """The sample's dumps of the source up to a day, in their order."""
    with (sample / "imports.csv").open(encoding="utf-8", newline="") as handle:
        rows = [row for row in csv.DictReader(handle) if row["source"] == source and row["date"] <= until.isoformat()]
    return [(row, sample / row["file"]) for row in rows]


def ctgov_on(sample: Path, day: date) -> Ctgov:
    """The register as it stood on that day: its full pages, and over them its updates."""
    studies: dict[str, dict[str, Any]] = {}
    for _, path in _imports(sample, "ctgov", day):
        if path.suffix == ".zip":
            continue  # an older search download, which is no state of the register
        text = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        served = json.loads(text)
        for study in served["studies"] if isinstance(served, dict) else served:
            studies[number_of(study)] = study
    return Ctgov(list(studies.values()), f"{day}T09:00:04")


def ncbi_on(sample: Path, day: date) -> Ncbi:
    baseline, updates = {}, {}
    for row, path in _imports(sample, "pubmed", day):
        (baseline if row["baseline"] == "true" else updates)[path.name] = path.read_bytes()
    return Ncbi(baseline, updates)
