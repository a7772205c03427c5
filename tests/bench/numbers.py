"""Registration numbers in real titles and abstracts, against the same rules in Python's `re`."""

import gzip
import math
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

from pipelines import trn
from tests import finder_oracle
from tests.bench.cost import in_turn
from tests.bench.figures import Figure, at_least
from tests.conftest import SHARED

MEGABYTES = 50
"""Of titles and abstracts, at least."""


def numbers(work: Path) -> Iterator[Figure]:
    texts = titles_and_abstracts()
    size = sum(len(text.encode()) for text in texts) / 1e6
    times = math.ceil(MEGABYTES / size)
    assert trn.find_many(texts) == finder_oracle.find_many(texts)

    def found() -> None:
        for _ in range(times):
            trn.find_many(texts)

    peer, cost = in_turn(lambda: finder_oracle.find_many(texts), found)
    yield Figure("registration numbers in titles and abstracts", size * times / cost, "MB a CPU second", at_least(150),
                 f"{size * times:.0f} MB")  # fmt: skip
    yield Figure("the same rules in Python's re over ours", peer * times / cost, "x", at_least(15),
                 f"re: {size / peer:.1f} MB a CPU second; the same hits in all {len(texts):,} texts")  # fmt: skip


def titles_and_abstracts() -> list[str]:
    """Of every article in the PubMed files, one text an article."""
    texts = []
    for path in sorted((SHARED / "pubmed").rglob("*.xml*")):
        if path.suffix not in (".xml", ".gz"):
            continue
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as payload:
            for _, article in ElementTree.iterparse(payload):
                if article.tag == "MedlineCitation":
                    titles = article.iterfind("Article/ArticleTitle")
                    abstract = article.iterfind("Article/Abstract/AbstractText")
                    texts.append("\n".join("".join(part.itertext()) for part in (*titles, *abstract)))
                    article.clear()
    return texts
