"""The PubMed reader on the real files: every record accounted for, versions and deletions as served, no false link."""

import gzip
import re
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow.parquet as pq
import pytest

from pipelines.reading import Report
from pipelines.sources import pubmed

FILES = Path(__file__).parents[2].parent / "shared" / "data" / "pubmed"
DAY = date(2026, 8, 1)
pytestmark = pytest.mark.skipif(not FILES.is_dir(), reason="the real PubMed files are not on this machine")

XML = sorted(path.relative_to(FILES).as_posix() for path in FILES.rglob("*.xml*") if path.suffix in {".xml", ".gz"})
RECORD = re.compile(rb"<(?:MedlineCitation|PubmedBookArticle)[\s>]")
DELETED = re.compile(rb"<DeleteCitation>(.*?)</DeleteCitation>", re.DOTALL)
OWN_NUMBER = re.compile(rb'<(?:MedlineCitation|BookDocument)[^>]*>\s*<PMID Version="(\d+)">(\d+)</PMID>')


class Read(NamedTuple):
    report: Report
    rows: list[dict[str, Any]]
    index: list[dict[str, Any]]


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory):
    """Reads a file, each only once for the same `cited`."""
    done: dict[tuple[str, frozenset[int]], Read] = {}

    def run(name: str, cited: frozenset[int] = frozenset()) -> Read:
        if (name, cited) not in done:
            out = tmp_path_factory.mktemp("staging") / "articles.parquet"
            report = pubmed.read(FILES / name, Path(name).name, DAY, out, cited=cited)
            rows, index = (pq.read_table(path).to_pylist() for path in (out, out.with_name("index.parquet")))
            done[name, cited] = Read(report, rows, index)
        return done[name, cited]

    return run


def content(name: str) -> bytes:
    path = FILES / name
    return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()


@pytest.mark.parametrize("name", XML)
def test_every_record_of_a_file_is_accounted_for(read, name):
    text = content(name)
    report, rows, index = read(name)
    assert report.rejects == []
    assert report.records_in == len(RECORD.findall(text)) == report.staged + report.rejected + report.not_wanted
    deletions = b"".join(DELETED.findall(text)).count(b"<PMID")
    assert (report.deletions, len(index)) == (deletions, report.records_in + deletions)
    assert [(e["pmid"], e["version"]) for e in index if e["event"] != "deletion"] == [
        (int(pmid), int(version)) for version, pmid in OWN_NUMBER.findall(text)
    ]
    assert sum(e["is_kept"] for e in index) == len(rows) == report.staged


def test_the_whole_baseline_file_has_30_000_articles(read):
    report, rows, index = read("pubmed20n0014.xml.gz")
    assert report.records_in == len({e["pmid"] for e in index}) == 30_000
    assert all(row["numbers"] == [] for row in rows)


@pytest.mark.parametrize(
    ("name", "articles", "deletions"),
    [
        ("pubmed20n1015.xml.gz", 756, 0),
        ("pubmed20n1016.xml.gz", 735, 218),
        ("pubmed21n1062.xml.gz", 29, 0),
        ("pubmed21n1063.xml.gz", 33, 0),
        ("pubmed23n1166.xml.gz", 34, 0),
        ("pubmed23n1167.xml.gz", 23, 0),
        ("pubmed25n1274.xml.gz", 30, 0),
        ("pubmed25n1275.xml.gz", 30, 0),
        ("pubmed26n1334.xml.gz", 30, 0),
        ("pubmed26n1335.xml.gz", 30, 6),
        ("medline16n0902.xml.gz", 604, 1),
        ("pubmed21n1298.trimmed.xml.gz", 2184, 20),
    ],
)
def test_articles_and_deletions_of_the_yearly_files(read, name, articles, deletions):
    report, _, index = read(name)
    assert (report.records_in, report.deletions) == (articles, deletions)
    assert [e["event"] for e in index[articles:]] == ["deletion"] * deletions


@pytest.mark.parametrize(
    ("name", "versions"),
    [
        ("pubmed20n1015.xml.gz", {31828225: [2, 3, 4]}),
        ("pubmed20n1016.xml.gz", {31828225: [2, 3, 4]}),
        ("pubmed21n1062.xml.gz", {33274046: [1, 2], 33274047: [1, 2, 3]}),
        ("pubmed21n1298.trimmed.xml.gz", {30271887: [1, 2, 3, 4], 33728380: [1, 2], 34017925: [1, 2]}),
    ],
)
def test_articles_with_several_versions_in_one_file(read, name, versions):
    found: dict[int, list[int]] = {}
    for entry in read(name).index:
        if entry["event"] == "article":
            found.setdefault(entry["pmid"], []).append(entry["version"])
    assert {pmid: sorted(several) for pmid, several in found.items() if len(several) > 1} == versions


def test_the_second_file_of_a_pair_revises_articles_of_the_first(read):
    first, second = (
        {e["pmid"] for e in read(f"pubmed20n{n}.xml.gz").index if e["event"] == "article"} for n in (1015, 1016)
    )
    assert len(first & second) == 361


def test_book_records_are_read(read):
    index = read("site-downloads/solitude6060.pubmed_result.xml.gz").index
    assert Counter(e["event"] for e in index) == {"article": 208, "book": 6}
    books = frozenset(e["pmid"] for e in index if e["event"] == "book")
    rows = [
        r for r in read("site-downloads/solitude6060.pubmed_result.xml.gz", books).rows if r["record_kind"] == "book"
    ]
    assert len(rows) == 6
    assert all(row["title"] and row["has_abstract"] and row["entered"] and row["print_earliest"] for row in rows)


@pytest.mark.parametrize("name", [name for name in XML if name != "pubmed20n0014.xml.gz"])
def test_the_only_values_that_real_articles_lose_are_dates_before_1900(read, name):
    """All are kept here. Ten articles of a historical journal are of the 19th century; five have no title."""
    everything = frozenset(e["pmid"] for e in read(name).index)
    report, rows, _ = read(name, everything)
    assert report.staged == report.records_in
    faults = [fault for row in rows for fault in row["rejects"]]
    assert {(fault["field"], fault["reason"]) for fault in faults} <= {("PubDate", "before 1900")}
    assert len(faults) == (10 if name == "pubmed23n1167.xml.gz" else 0)
    assert sum(row["title"] is None for row in rows) == (5 if name == "pubmed20n1016.xml.gz" else 0)
    dated = [row for row in rows if row["published_precision"] != "none"]
    assert len(dated) == len(rows) - len(faults)
    assert all(row["published_earliest"] <= row["published_latest"] for row in dated)


TRIMMED = "pubmed21n1298.trimmed.xml.gz"
TRAPS = [
    ("NCT04320615", 32865700),
    ("NCT00499499", 33794050),
    ("NCT04523831", 33864232),
    ("NCT00004216", 34086287),
    ("NCT00004988", 34086287),
    ("NCT00006254", 34086287),
    ("NCT04357730", 34097193),
]


def numbers_of(result: Read, pmid: int) -> set[tuple[str, str]]:
    (row,) = [row for row in result.rows if row["pmid"] == pmid]
    return {(n["number"], n["section"]) for n in row["numbers"]}


@pytest.mark.parametrize(("number", "pmid"), TRAPS)
def test_a_number_of_the_reference_list_is_no_number_of_the_article(read, number, pmid):
    assert number.encode() in content(TRIMMED)
    found = numbers_of(read(TRIMMED, frozenset(p for _, p in TRAPS)), pmid)
    assert number not in {n for n, _ in found}


@pytest.mark.parametrize(
    ("name", "pmid", "expected"),
    [
        (TRIMMED, 34088322, {("NCT02665754", "data_bank"), ("NCT02665754", "abstract")}),
        ("pubmed21n1063.xml.gz", 33234656, {("NCT04380987", "data_bank"), ("NCT04380987", "abstract")}),
    ],
)
def test_the_true_links_are_found(read, name, pmid, expected):
    assert numbers_of(read(name), pmid) == expected


def test_an_article_that_only_its_registration_names_carries_no_number(read):
    assert numbers_of(read(TRIMMED, frozenset({33713769})), 33713769) == set()


@pytest.mark.parametrize("name", [name for name in XML if name != "pubmed20n0014.xml.gz"])
def test_data_bank_numbers_are_those_of_an_independent_search(read, name):
    expected = {}
    for piece in re.split(rb"</(?:MedlineCitation|BookDocument)>", content(name)):
        own = OWN_NUMBER.search(piece)
        accessions = re.findall(rb"<AccessionNumber>(NCT[0-9]{8})</AccessionNumber>", piece)
        if own and accessions:
            expected[int(own[2]), int(own[1])] = {a.decode() for a in accessions}
    found = {
        (row["pmid"], row["version"]): {n["number"] for n in row["numbers"] if n["section"] == "data_bank"}
        for row in read(name).rows
        if any(n["section"] == "data_bank" and n["registry"] == "nct" for n in row["numbers"])
    }
    assert {key: {n for n in numbers if n.startswith("NCT")} for key, numbers in found.items()} == expected
    assert name != TRIMMED or len(expected) == 73
