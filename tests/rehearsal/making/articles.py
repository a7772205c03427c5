"""Files of PubMed's baseline as large as real ones: the articles of the made-up trials among many of no interest.

All files share the bodies of the others, made once: in each file they have other PMIDs, and nothing else differs. A
file of its own bodies would read the same and take a hundred times as long to make. What is shared is no trial's: no
body names a number. One in `REPORTS` is of the type of a trial report, as in PubMed; the reader keeps it.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipelines import store
from pipelines.formats import packing
from pipelines.sample import names
from pipelines.sample.days import BASELINE, Draw
from pipelines.sample.papers import background
from pipelines.sample.pubmed import article
from tests.rehearsal.making import prose

FIRST = 100_000_000
"""The first PMID of the shared articles: as long as the generator's own, and in none of its ranges."""
REPORTS = 110
"""Of so many shared articles one is of a trial report's type; with the trials' own, two in a hundred are kept."""
ABSTRACT, AUTHORS, HEADINGS, REFERENCES = 600, 6, 11, 13
"""Characters, and how many of each, in the mean of real articles: eight kilobytes each."""
KNOWN = 32
"""Authors, subject headings and references that the articles take theirs from: packed, a file is as large as a real
one."""
LEVEL = 3
"""Of packing: with it a file is as large as a real one, packed and not."""
HEAD, TAIL = (
    (
        b'<?xml version="1.0" encoding="utf-8"?>\n'
        b'<!DOCTYPE PubmedArticleSet PUBLIC "-//NLM//DTD PubMedArticle, 1st January 2026//EN" '
        b'"https://dtd.nlm.nih.gov/ncbi/pubmed/out/pubmed_260101.dtd">\n<PubmedArticleSet>\n'
    ),
    b"</PubmedArticleSet>\n",
)


class Bodies(NamedTuple):
    """Shared articles, one after the other. places: where digits of PMIDs stand; of: of which article each."""

    text: NDArray[np.uint8]
    places: NDArray[np.int64]
    of: NDArray[np.int64]
    articles: int


class _Known(NamedTuple):
    authors: list[str]
    headings: list[str]
    references: list[str]


def bodies(articles: int, seed: int = 1) -> Bodies:
    """So many articles, the same for the same seed."""
    draw, pieces = Draw(Random(seed)), prose.paragraphs(seed)
    known = _Known(_authors(draw, pieces), _headings(pieces), _references(draw, pieces))
    texts: list[bytes] = []
    places: list[int] = []
    of: list[int] = []
    size = 0
    for place in range(articles):
        text = _article(draw, FIRST + place, place, pieces, known)
        found = [match.start() for match in re.finditer(str(FIRST + place).encode(), text)]
        places += [size + at for at in found]
        of += [place] * len(found)
        size += len(text)
        texts.append(text)
    whole = np.frombuffer(b"".join(texts), np.uint8).copy()
    return Bodies(whole, np.array(places, np.int64), np.array(of, np.int64), articles)


def _article(draw: Draw, pmid: int, place: int, pieces: list[str], known: "_Known") -> bytes:
    # Of the generator's titles three in eight are traps for the finder of numbers: in PubMed hardly one in a thousand.
    paper = replace(background(draw, pmid, 0), title=f"{draw.pick(pieces)[:90]}.")
    if place % REPORTS == 0:
        title = f"{names.draw_drug(draw)} in {draw.pick(names.CONDITIONS)[0]}: a comparison in {pmid} words."
        paper = replace(paper, types=("Randomized Controlled Trial", "Journal Article"), title=title)
    text = article(paper, BASELINE)
    size = draw.random() * 2  # real articles differ as much
    abstract = f"<AbstractText>{prose.text(pieces, place, int(ABSTRACT * size))}</AbstractText>"
    cited = f"<ReferenceList>{_some(draw, known.references, int(REFERENCES * size) or 1)}</ReferenceList>"
    for mark, more in (
        ("<Abstract>", abstract),
        ("</AuthorList>", _some(draw, known.authors, int(AUTHORS * size))),
        ("</MeshHeadingList>", _some(draw, known.headings, int(HEADINGS * size))),
        ("</PubmedData>", cited),
    ):
        text = text.replace(mark, mark + more if mark == "<Abstract>" else more + mark, 1)
    return text.encode()


def _authors(draw: Draw, pieces: list[str]) -> list[str]:
    return [
        f'<Author ValidYN="Y"><LastName>{draw.pick(names.SURNAMES)}</LastName><ForeName>{draw.pick(names.FORENAMES)}'
        f"</ForeName><Initials>A</Initials><AffiliationInfo><Affiliation>Department of {draw.pick(pieces)[:90]}, "
        f"{names.place(at)}.</Affiliation></AffiliationInfo></Author>"
        for at in range(KNOWN)
    ]


def _headings(pieces: list[str]) -> list[str]:
    return [
        f'<MeshHeading><DescriptorName UI="D{at * 3_517 % 900_000:06d}" MajorTopicYN="N">{pieces[at][:18]}'
        "</DescriptorName></MeshHeading>"
        for at in range(KNOWN)
    ]


def _references(draw: Draw, pieces: list[str]) -> list[str]:
    return [
        f"<Reference><Citation>{draw.pick(names.SURNAMES)} A. {draw.pick(pieces)[:70]} Fict J. {draw.between(1970, 2025)};"
        f'{draw.between(1, 90)}:{draw.between(1, 900)}</Citation><ArticleIdList><ArticleId IdType="pubmed">'
        f"{draw.between(1_000_000, 39_999_999)}</ArticleId></ArticleIdList></Reference>"
        for _ in range(KNOWN)
    ]


def _some(draw: Draw, known: list[str], number: int) -> str:
    """So many of them, one after the other."""
    first = draw.below(KNOWN)
    return "".join(known[(first + at) % KNOWN] for at in range(number))


def numbered(shared: Bodies, first: int) -> memoryview:
    """A copy of the bodies with the PMIDs from `first` on."""
    text = shared.text.copy()
    digits = (first + shared.of)[:, None] // 10 ** np.arange(8, -1, -1) % 10
    text[shared.places[:, None] + np.arange(9)] = digits + ord("0")
    return text.data


def write(path: Path, own: Iterable[bytes], shared: Bodies, first: int) -> None:
    """One file with its checksum beside it: its own articles, one a line, then the shared ones under the PMIDs from
    `first` on. The file appears whole or not at all, its checksum before it."""
    md5 = hashlib.md5(usedforsecurity=False)
    with store.whole(path) as aside:
        with aside.open("wb") as out:
            for packed in _packed((HEAD, *own, numbered(shared, first), TAIL)):
                md5.update(packed)
                out.write(packed)
        path.with_name(f"{path.name}.md5").write_text(f"MD5({path.name})= {md5.hexdigest()}\n", encoding="ascii")


def _packed(pieces: Iterable[Any]) -> Iterator[bytes]:
    packer = packing.fast_zlib.compressobj(LEVEL, wbits=packing.GZIP)
    for piece in pieces:
        yield packer.compress(piece)
    yield packer.flush()
