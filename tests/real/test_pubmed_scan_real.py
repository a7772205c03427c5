"""The candidate reader of PubMed against the full parse on real files: every row, every field, the whole account.

Two whole files lie in `data/peers` where `make test-real` has fetched them; without them those tests skip.
"""

import gzip
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.formats import packing
from pipelines.reading import Report
from pipelines.sources import pubmed
from tests import peers
from tests.real.test_pubmed_real import DAY, FILES, XML
from tests.unit.test_pubmed_scan import each_engine

EVERY = 7
"""Of so many articles one is treated as cited by a registration, beside those kept for a reason of their own."""


def compare(payload: Path, folder: Path) -> Report:
    """Reads the payload by both readers, a plain one packed first, and gives the account on which they agree."""
    if packing.packing(payload) == "plain":
        packed = folder / f"{payload.name}.gz"
        packed.write_bytes(gzip.compress(payload.read_bytes(), 1, mtime=0))
        payload = packed
    index = folder / "index.parquet"
    whole = pubmed.read_whole(payload, payload.name, DAY, folder / "whole.parquet")
    pmids = pq.read_table(index, columns=["pmid"]).column("pmid").to_pylist()
    for cited in (frozenset[int](), frozenset(pmids[::EVERY])):
        whole = pubmed.read_whole(payload, payload.name, DAY, folder / "whole.parquet", cited=cited)
        of_whole = pq.read_table(index)
        for _ in each_engine():
            quick = pubmed.read(payload, payload.name, DAY, folder / "quick.parquet", cited=cited)
            assert quick == whole
            assert_same(pq.read_table(folder / "quick.parquet"), pq.read_table(folder / "whole.parquet"))
            assert_same(pq.read_table(index), of_whole)
    return whole


def assert_same(one: pa.Table, other: pa.Table) -> None:
    assert one.schema == other.schema
    different = [name for name in one.column_names if not one.column(name).equals(other.column(name))]
    assert (one.num_rows, different) == (other.num_rows, [])


@pytest.mark.skipif(not FILES.is_dir(), reason="the real PubMed files are not on this machine")
@pytest.mark.parametrize("name", [name for name in XML if name != "pubmed20n0014.xml.gz"])
def test_both_readers_agree_on_every_real_file(name, tmp_path):
    assert compare(FILES / name, tmp_path).records_in


@pytest.mark.parametrize(("letter", "articles"), [("A", 30_000), ("B", 20_788)])
def test_both_readers_agree_on_whole_files_and_the_candidates_are_enough(letter, articles, tmp_path, monkeypatch):
    files = peers.present()
    if letter not in files:
        pytest.skip("the whole PubMed files have not been fetched (make test-real)")
    assert compare(files[letter], tmp_path).records_in == articles
    monkeypatch.setattr(pubmed, "read_whole", None)  # no fall back: the candidate reader alone reads it
    for _ in each_engine():
        assert pubmed.read(files[letter], "alone", DAY, tmp_path / "alone.parquet").records_in == articles
