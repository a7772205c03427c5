"""The analyses of primary outcomes in the real files are those of a plain walk over the JSON and the XML."""

import gzip
import json
import zipfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest
from lxml import etree

from pipelines import queries
from pipelines.sources import ctgov

DAY = date(2026, 8, 8)
FIGURES = {
    # file -> analyses of primary outcomes
    "ctgov-api-v2/urology-2024-09-24.ctg-studies.json.zip": 95,
    "ctgov-api-v2/headache-2025-10-02.ctg-studies.json.gz": 8,
    "ctgov-api-v2/targets-2026-02-04-to-2026-03-13.studies.part-a.zip": 37,
    "ctgov-api-v2/aact-test-records.json.zip": 2,
    "ctgov-api-v2/NCT02513394.json.gz": 1,
    "ctgov-api-v2/ctrdata_records.jsonl.gz": 6,
    "ctgov-api-v1/NCT02028676.json.gz": 12,
    "ctgov-xml/covid-with-results-2022-08-12.search_result.zip": 255,
    "ctgov-xml/allpublicxml-sample-2023-02-03.part-a.zip": 133,
    "ctgov-xml/aact-test-records.zip": 26,
    "ctgov-xml/trec-pm-2017-04.clinicaltrials_xml.part-a.zip": 6,
}

Analysis = tuple[str | None, str | None, str | None, str | None]
"""p-value, method, estimate and title of the outcome."""


def texts(path: Path) -> Iterator[bytes]:
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            yield from (archive.read(name) for name in archive.namelist() if not name.endswith("/"))
    elif path.name.endswith("jsonl.gz"):
        yield from gzip.decompress(path.read_bytes()).splitlines()
    else:
        yield gzip.decompress(path.read_bytes())


def walked(path: Path) -> list[Analysis]:
    """What a plain walk finds, in the order of the file."""
    found: list[Analysis] = []
    for text in texts(path):
        if "xml" in path.parent.name:
            found += _of_xml(text)
        elif "v1" in path.parent.name:
            found += _of_v1(json.loads(text))
        else:
            value = json.loads(text)
            for study in value if isinstance(value, list) else [value]:
                found += _of_v2(study)
    return found


def _of_v2(study: dict[str, Any]) -> Iterator[Analysis]:
    for outcome in _listed(study.get("resultsSection", {}).get("outcomeMeasuresModule", {}).get("outcomeMeasures")):
        if outcome["type"] == "PRIMARY":
            for a in _listed(outcome.get("analyses")):
                yield a.get("pValue"), a.get("statisticalMethod"), a.get("paramValue"), outcome["title"]


def _of_v1(value: Any) -> Iterator[Analysis]:
    if isinstance(value, list):
        for one in value:
            yield from _of_v1(one)
    elif isinstance(value, dict):
        if value.get("OutcomeMeasureType") == "Primary":
            for a in value.get("OutcomeAnalysisList", {}).get("OutcomeAnalysis", []):
                yield (
                    a.get("OutcomeAnalysisPValue"), a.get("OutcomeAnalysisStatisticalMethod"),
                    a.get("OutcomeAnalysisParamValue"), value["OutcomeMeasureTitle"])  # fmt: skip
            return
        for one in value.values():
            yield from _of_v1(one)


def _of_xml(text: bytes) -> Iterator[Analysis]:
    for a in etree.fromstring(text).xpath(
        "clinical_results/outcome_list/outcome[normalize-space(type) = 'Primary']/analysis_list/analysis"
    ):
        plain = [_plain(a.findtext(name)) for name in ("p_value", "method", "param_value")]
        yield plain[0], plain[1], plain[2], _plain(a.findtext("../../title"))


def _plain(text: str | None) -> str | None:
    return " ".join(text.split()) if text and text.strip() else None


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


@pytest.fixture(scope="module")
def read(real_records: Path, tmp_path_factory: pytest.TempPathFactory):
    """The analyses that the reader stages of a file, each file only once."""
    done: dict[str, list[dict[str, Any]]] = {}

    def run(name: str) -> list[dict[str, Any]]:
        if name not in done:
            out = tmp_path_factory.mktemp("staging") / "rows.parquet"
            ctgov.read(real_records / name, Path(name).name, DAY, out)
            done[name] = [a for row in pq.read_table(out, columns=["analyses"]).to_pylist() for a in row["analyses"]]
        return done[name]

    return run


@pytest.mark.parametrize("name", FIGURES)
def test_every_analysis_of_a_primary_outcome_is_read(real_records, read, name):
    found = [tuple(_plain(a[c]) for c in ("p_value", "method", "estimate", "outcome_title")) for a in read(name)]
    expected = [tuple(map(_plain, analysis)) for analysis in walked(real_records / name)]
    assert len(expected) == FIGURES[name]
    assert [a == b for a, b in zip(found, expected, strict=True)] == [True] * len(expected)


def test_every_real_p_value_is_read_as_a_number(read):
    written = {a["p_value"] for name in FIGURES for a in read(name)} - {None}
    with duckdb.connect() as connection:
        connection.execute(queries.macros())
        unread = [p for p in written if connection.execute("SELECT p_value(?)", [p]).fetchall() == [(None,)]]
    assert len(written) > 200
    assert unread == []
