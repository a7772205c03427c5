"""A night after a whole reading of the register: half a per cent of the studies changed, then nothing at all.

The world is the generator's, with its articles; the as-of date stays the same, so that nothing but the change differs.
The update lies in the archive as a fetch would have left it: what the network costs is not measured here.
"""

import gzip
import json
from collections.abc import Iterator
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from pipelines import importing, sample
from pipelines.formats import packing
from pipelines.importing import Import
from pipelines.sample.days import AS_OF, FULL, UPDATE
from tests.bench.cost import alone
from tests.bench.figures import Figure, Goal, at_most

WORLD = 600_000
"""Studies of the whole register. The goals are said of a world of this size and judged at no smaller one, where what a
process does once weighs more."""
SCALE = 20_000
EVERY = 200
"""One study of so many changed: 0.5 %."""
PAGE = 1_000


def increment(work: Path, scale: int = SCALE) -> Iterator[Figure]:
    """scale: studies of the world."""
    world, data = work / f"increment-{scale}", work / f"increment-{scale}-data"
    sample.write_sample(world, scale)
    _take_first(data, world)
    whole = alone("tests.bench.ours", "read", data, AS_OF)
    first = alone("tests.bench.ours", "night", data, AS_OF)
    changed = _take_update(data, world)
    part = alone("tests.bench.ours", "read", data, AS_OF)
    night = alone("tests.bench.ours", "night", data, AS_OF)
    none = alone("tests.bench.ours", "read", data, AS_OF)
    assert part["records"] == changed

    studies = f"{whole['records']:,} studies"
    yield Figure(f"reading a change of 0.5 % over reading all, {studies}", 100 * part["cpu"] / whole["cpu"], "% of CPU",
                 _of_world(scale, 2), f"{changed:,} studies: {part['cpu']:.2f} of {whole['cpu']:.1f} CPU s")  # fmt: skip
    yield Figure("payloads read in a night that brought nothing", none["payloads"], goal=at_most(0),
                 note=f"{none['cpu']:.2f} CPU s to see it")  # fmt: skip
    yield Figure(f"the whole night after the change, {studies}", night["wall"], "s wall", _of_world(scale, 120),
                 f"{night['cpu']:.0f} CPU s on two cores, {night['articles']:,} articles, "
                 f"{night['transitions']:,} transitions; the first night, read before: {first['wall']:.0f} s")  # fmt: skip
    yield Figure("peak memory of that night", night["peak_mb"], "MB", _of_world(scale, 4000))


def _of_world(scale: int, limit: float) -> Goal | None:
    return at_most(limit) if scale >= WORLD else None


def _take_first(data: Path, world: Path) -> None:
    """The whole register as one snapshot, and PubMed."""
    for wanted in importing.read_list(world / sample.IMPORTS):
        if wanted.source == "pubmed" or wanted.scope == "full":
            importing.take(data, wanted)


def _take_update(data: Path, world: Path) -> int:
    """Every two-hundredth study of the register, updated since, as pages; returns how many."""
    studies = [json.dumps(updated(json.loads(line))) for line in islice(lines(world / "ctgov"), EVERY - 1, None, EVERY)]
    pages = [studies[start : start + PAGE] for start in range(0, len(studies), PAGE)]
    files = [world / f"updated-{number:05d}.json.gz" for number in range(1, len(pages) + 1)]
    for path, page in zip(files, pages, strict=True):
        path.write_bytes(gzip.compress(b'{"studies":[%b]}' % ",".join(page).encode(), 1, mtime=0))
    importing.take(data, Import("ctgov", UPDATE, tuple(files)))
    return len(studies)


def lines(folder: Path) -> Iterator[bytes]:
    """The studies of a register's pages as the generator writes them: one a line, after a line that opens the page."""
    for path in sorted(folder.glob("studies-*.json.gz")):
        for line in b"".join(packing.chunks(path)).splitlines()[1:-1]:
            yield line.rstrip(b",")


def updated(study: dict[str, Any]) -> dict[str, Any]:
    """Ended a year later than was said before, so that some statuses move."""
    status = study["protocolSection"]["statusModule"]
    status["lastUpdatePostDateStruct"] = {"date": str(UPDATE - timedelta(days=1)), "type": "ACTUAL"}
    status["primaryCompletionDateStruct"] = {"date": str(FULL - timedelta(days=30)), "type": "ACTUAL"}
    return study
