"""What is measured on: real records, repeated under made-up numbers until there are enough of them.

Each input is one file, written once per folder, so that our work and a peer's are about the same records.
"""

import gzip
import json
import re
import zipfile
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path

from pipelines.formats import packing
from tests import peers
from tests.conftest import SHARED

STUDIES = 20_000
PROTOCOLS = 4_000
DAY = date(2026, 8, 8)

_ROOT = re.compile(rb"<PubmedArticleSet[^>]*>")
_LAST = b"</PubmedArticle>"
_PMID = re.compile(rb'(<PMID Version="\d+">|<ArticleId IdType="pubmed">)(\d+)(?=<)')
_NCT = re.compile(rb"NCT0(\d{7})")
_APART = 5_000_000
"""Between the PMIDs of one copy and the next: eight digits stay eight."""


def studies(work: Path, part: int = 0) -> Path:
    """The 755 studies of the two searches, repeated under new numbers as one array, one a line. part: other numbers in
    each, so that several are a larger register."""
    path = work / f"studies-{part}.json"
    if not path.exists():
        path.write_text("[\n" + ",\n".join(_studies(part * STUDIES)) + "\n]", encoding="utf-8")
    return path


def _studies(first: int) -> Iterator[str]:
    records = _records()
    for number in range(first, first + STUDIES):
        text = records[number % len(records)]
        old = json.loads(text)["protocolSection"]["identificationModule"]["nctId"]
        yield text.replace(old, f"NCT9{number:07d}")


def _records() -> list[str]:
    folder = SHARED / "ctgov-api-v2"
    with zipfile.ZipFile(folder / "urology-2024-09-24.ctg-studies.json.zip") as archive:
        records = [json.loads(archive.read(name)) for name in archive.namelist()]
    records += json.loads(gzip.decompress((folder / "headache-2025-10-02.ctg-studies.json.gz").read_bytes()))
    return [json.dumps(r, separators=(",", ":"), ensure_ascii=False) for r in records]


def protocols(work: Path) -> Path:
    """The ten real country protocols of the EU register, repeated under new numbers."""
    path = work / "protocols.txt"
    text = gzip.decompress((SHARED / "euctr" / "ctrdata_test_error_trials_euctr.txt.gz").read_bytes()).decode()
    _, *records = re.split(r"(?m)^(?=Summary[ \t]*\nEudraCT Number:)", text)
    given = [re.findall(r"(?m)^EudraCT Number: *([-0-9]{14})", record)[0] for record in records]
    with path.open("w", encoding="utf-8", newline="\n") as out:
        for number in range(PROTOCOLS):
            old = given[number % len(records)]
            new = f"2090-0{number // 100:05}-{number % 100:02}"
            out.write(records[number % len(records)].replace(old, new))
    return path


def whole_file(letter: str) -> Path:
    """A whole PubMed file of `tests/peers.py`. Raises RuntimeError where it is not here and cannot be fetched."""
    return peers.whole_files()[letter]


def copies(work: Path, number: int) -> list[Path]:
    """File B as so many files of its year, with other PMIDs in each. The trials that its articles name are those of
    `studies`, so that links are found."""
    source = whole_file("B")
    paths = [work / f"pubmed21n{1298 + copy}.xml.gz" for copy in range(number)]
    for copy, path in enumerate(paths):
        if not path.exists():
            _pack((_renumbered(lines, copy * _APART) for lines in _lines(packing.chunks(source))), path)
    return paths


def _renumbered(lines: bytes, shift: int) -> bytes:
    lines = _PMID.sub(lambda found: b"%b%d" % (found[1], int(found[2]) + shift), lines)
    return _NCT.sub(lambda found: b"NCT9%07d" % ((int(found[1]) + shift) % STUDIES), lines)


def four_times(work: Path) -> Path:
    """File B with all of its articles four times over, and its deletions once: one file, four times as large."""

    def pieces() -> Iterator[bytes]:
        raw = b"".join(packing.chunks(whole_file("B")))
        root = _ROOT.search(raw)
        assert root
        end = raw.rindex(_LAST) + len(_LAST)
        yield raw[: root.end()]
        yield from [raw[root.end() : end]] * 4
        yield raw[end:]

    path = work / "four-times.xml.gz"
    _pack(pieces(), path)
    return path


def _lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes, cut at ends of lines: no tag or number of PubMed's runs over one."""
    rest = b""
    for piece in pieces:
        whole, end, rest = (rest + piece).rpartition(b"\n")
        if end:
            yield whole + end
    yield rest


def _pack(pieces: Iterable[bytes], path: Path) -> None:
    packer = packing.fast_zlib.compressobj(wbits=packing.GZIP)
    with path.open("wb") as out:
        for piece in pieces:
            out.write(packer.compress(piece))
        out.write(packer.flush())
