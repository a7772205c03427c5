"""docs/scaling.md: the figures of one rehearsal as a page. A pure function of its results."""

import math
import statistics
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

from tests.bench.figures import Figure, at_most, shown
from tests.bench.page import Setting
from tests.rehearsal.making.counts import WORLD, named

GROWTH = 1.15
FULL, UNCHANGED, CHANGES = "full build", "unchanged night", "night of changes"
WHOLE = (FULL, UNCHANGED, CHANGES)
"""Stages that others are part of: as a whole, beside them."""
PARTS = ("read registers", "read articles", "queries", "identity", "legs", "checks", "Parquet", "switch",
         "the rest of the build")  # fmt: skip
"""Of a build: together they are the whole of it."""
STAGES = ("generate registers", "generate articles", "import", *PARTS, *WHOLE, "release", "page")
NIGHT = "night: "
"""Before the name of a stage of the night of changes."""
TOO_SHORT = 1.0
"""CPU seconds in the largest part of the world below which growth is not judged: what a process does once weighs more."""
LONGEST = 15
HEAD = """# World size, and past one machine

Written by `make rehearsal`; not to be edited. A made-up world in the sources' own formats is taken through import, a
full build, a night that brings nothing, a night in which half a per cent changed, a release and its page; at three
sizes, so that growth is seen. The world: {studies:,} studies of ClinicalTrials.gov, {rows:,} rows of WHO ICTRP,
{protocols:,} country records of the EU Clinical Trials Register, {ctis:,} trials of CTIS, {isrctn:,} of ISRCTN, {files:,}
files of PubMed of {articles:,} articles each, {sponsors:,} sponsors; one registration in five shares its trial with another.

Wall times are of this machine; growth is of CPU seconds, those of all processes. Memory is the sum over the whole process
tree, pages that processes share counted once (PSS), looked at twice a second. Timings are never asserted in tests.
"""
TAIL = """## What is made how

- The sample's generator writes ClinicalTrials.gov and the trials' articles. Its studies are filled up to the size of real
  ones by texts, browse terms, outcomes and adverse events; the other registers' records are made of the same trials, by
  their number, title, sponsor and dates, or of trials that stand in one register alone.
- All files of PubMed share the bodies of the articles that are of no trial; in each file they have PMIDs of its own. They
  read as any others, unpack to what real files do, and one in a hundred is of a trial report's type, as in PubMed.
- The files of PubMed's baseline are removed before the night of changes: nothing opens them again, and a smaller disk
  holds more of the world.
- Import is that of a fetched file, hashed and taken over without a copy. The network is not measured.
- The night brings half a per cent of the studies, country records, CTIS and ISRCTN records, changed, and as large a part
  of PubMed's files, at least one whole file. The as-of date stays, so that nothing but the change differs.
- What the largest part costs is carried on to the whole world along the line through the two largest parts, and where it
  grew faster than the world did, by that power; a build is the sum of its stages. Such figures are said to be
  extrapolated.

## What would be faster

[Decision 17](decisions/0017-a-night-at-world-size.md) says what a night's time is made of, and what each way to shorten it
would save and cost; [decision 1](decisions/0001-staging-in-one-shape.md) the same of reading ClinicalTrials.gov.

## Locations and clusters

What is kept lies at a location, a folder or a bucket of an object store: [decision 20](decisions/0020-locations.md).
[A cluster](cluster.md) says how the reading of payloads spreads over workers, with the steps for a real one.

## Reading a release at scale

[Reading](reading.md) shows a release to DuckDB over HTTP, pyarrow on object storage, Spark and others.
"""


class Row(NamedTuple):
    """A stage at every scale, smallest first. None where it has not been run."""

    name: str
    wall: list[float | None]
    cpu: list[float | None]
    peak: list[float | None]


def page(setting: Setting, results: Mapping[str, Any], remark: str = "") -> str:
    """The whole page. results: by scale, as `__main__` keeps them. remark: what a reader has to know of this run."""
    scales = sorted(Fraction(scale) for scale in results)
    rows = _rows(scales, results)
    return "\n".join(
        [
            HEAD.format(**WORLD._asdict()),
            _machine(setting),
            *([f"{remark}\n"] if remark else []),
            _worlds(scales, results),
            _goals(scales, rows),
            _stages(scales, rows),
            _dominating(scales, rows),
            _queries(scales, results),
            _disk(scales, results),
            TAIL,
        ]
    )


def _machine(setting: Setting) -> str:
    versions = ", ".join(f"{name} {version or '(missing)'}" for name, version in setting.versions.items())
    return (
        f"Measured on {setting.day}: {setting.cores} cores, {setting.processor}, {setting.system}. Two workers read, DuckDB "
        f"has two threads and 2 GB.\n\nVersions: {versions}.\n"
    )


# --- what was run ---------------------------------------------------------------------------------------------------


def _rows(scales: Sequence[Fraction], results: Mapping[str, Any]) -> list[Row]:
    found: dict[str, dict[Fraction, dict[str, float]]] = {}
    for scale in scales:
        for step, result in results[str(scale)]["steps"].items():
            for stage in result["stages"]:
                name = stage["stage"]
                if step == "night" and name not in WHOLE:
                    name = NIGHT + name
                if step == "unchanged" and name not in WHOLE:
                    continue
                found.setdefault(name, {})[scale] = stage
    order = [*STAGES, *(NIGHT + name for name in STAGES), "import of the night"]
    return [
        Row(name, *([found[name].get(scale, {}).get(what) for scale in scales] for what in ("wall", "cpu", "peak_mb")))
        for name in sorted(found, key=lambda name: order.index(name) if name in order else len(order))
    ]


def _worlds(scales: Sequence[Fraction], results: Mapping[str, Any]) -> str:
    lines = ["## What was run", "", f"| | {' | '.join(map(named, scales))} |", f"|---|{'---:|' * len(scales)}"]
    kinds = (
        ("studies", "generate", "ctgov"), ("ICTRP rows", "generate", "ictrp"), ("EU country records", "generate", "euctr"),
        ("CTIS", "generate", "ctis"), ("ISRCTN", "generate", "isrctn"), ("PubMed files", "generate articles", "files"),
        ("PubMed articles", "full", "articles"), ("registrations", "full", "registrations"), ("trials", "full", "trials"),
        ("articles kept", "full", "publications"), ("links of trials and articles", "full", "trial_publications"),
        ("sponsors found", "full", "sponsors"),
    )  # fmt: skip
    for title, step, what in kinds:
        numbers = [results[str(s)]["steps"].get(step, {}).get("found", {}).get(what) for s in scales]
        lines.append(f"| {title} | {' | '.join('' if n is None else f'{n:,}' for n in numbers)} |")
    return "\n".join([*lines, ""])


# --- growth and the whole world -------------------------------------------------------------------------------------


def growth(scales: Sequence[Fraction], values: Sequence[float | None]) -> float | None:
    """The exponent that fits best; None with fewer than two figures."""
    known = [(math.log(s), math.log(v)) for s, v in zip(scales, values, strict=True) if v and v > 0]
    if len(known) < 2:
        return None
    return statistics.linear_regression(*zip(*known, strict=True)).slope


def of_world(scales: Sequence[Fraction], values: Sequence[float | None]) -> float | None:
    """The figure of the largest part, carried on to the whole world: along the line through the two largest parts, and
    where it grew faster than the world did, by that power. None where the largest part was not run."""
    last = values[-1]
    if last is None or scales[-1] == 1:
        return last
    times = float(1 / scales[-1])
    before = values[-2] if len(values) > 1 else None
    if not before:
        return last * times
    steepness = growth(scales[-2:], values[-2:])
    if steepness is not None and steepness > 1:
        return last * times**steepness
    return last + float(1 - scales[-1]) * max(0.0, last - before) / float(scales[-1] - scales[-2])


def _wall_of_world(scales: Sequence[Fraction], row: Row, rows: Sequence[Row]) -> float | None:
    """Of a stage that others are part of, the sum of theirs: each grows in its own way."""
    if scales[-1] == 1 or row.name not in (FULL, CHANGES):
        return of_world(scales, row.wall)
    parts = [f"{NIGHT if row.name == CHANGES else ''}{name}" for name in PARTS]
    walls = [of_world(scales, one.wall) for one in rows if one.name in parts]
    return sum(wall for wall in walls if wall is not None) if row.wall[-1] is not None else None


def _goals(scales: Sequence[Fraction], rows: Sequence[Row]) -> str:
    by_name = {row.name: row for row in rows}
    figures = []
    for name, limit in ((FULL, 1800), (CHANGES, 120)):
        if row := by_name.get(name):
            wall = _wall_of_world(scales, row, rows)
            figures.append(Figure(f"{name} of the world", wall, "s wall", at_most(limit), _how(scales, row.wall, "s")))
            peaks = [p for p in row.peak if p is not None]
            at = f"in {named(scales[-1])} of the world" if scales[-1] != 1 else ""
            figures.append(Figure(f"peak memory of that, all processes, {at}".rstrip(", "), max(peaks, default=None), "MB", at_most(4000),
                                  ", ".join(f"{shown(p)} at {named(s)}" for s, p in zip(scales, row.peak, strict=True) if p)))  # fmt: skip
    for row in _judged(rows):
        last = growth(scales[-2:], row.cpu[-2:])
        note = "" if last is None or len(scales) < 3 else f"between the two largest parts: {shown(round(last, 4))}"
        figures.append(Figure(f"growth exponent of {row.name}", growth(scales, row.cpu), "", at_most(GROWTH), note))
    verdicts = [f.verdict for f in figures]
    counted = ", ".join(f"{verdicts.count(v)} {v}" for v in ("met", "not met", "not measured"))
    lines = ["## Goals", "", f"{counted}.", "", "| what | figure | goal | | measured |", "|---|---:|---|---|---|"]
    lines += [f"| {f.what} | {f.text} | {f.goal} | {f.verdict} | {f.note} |" for f in figures]
    return "\n".join([*lines, ""])


def _judged(rows: Sequence[Row]) -> list[Row]:
    """Stages of the program that take long enough for their growth to say something."""
    return [r for r in rows if not r.name.startswith("generate") and r.cpu[-1] is not None and r.cpu[-1] >= TOO_SHORT]


def _how(scales: Sequence[Fraction], values: Sequence[float | None], unit: str) -> str:
    said = ", ".join(f"{shown(v)} {unit} at {named(s)}" for s, v in zip(scales, values, strict=True) if v is not None)
    return said if scales[-1] == 1 else f"extrapolated: {said}"


# --- the tables -----------------------------------------------------------------------------------------------------


def _stages(scales: Sequence[Fraction], rows: Sequence[Row]) -> str:
    world = "the world" if scales[-1] == 1 else "the world, extrapolated"
    heads = [f"{what} at {named(s)}" for s in scales for what in ("wall s", "CPU s", "MB")]
    lines = ["## Stages", "", f"| stage | {' | '.join(heads)} | growth | wall s of {world} |",
             f"|---|{'---:|' * (len(heads) + 2)}"]  # fmt: skip
    for row in rows:
        cells = [_cell(v) for of in zip(row.wall, row.cpu, row.peak, strict=True) for v in of]
        steepness = growth(scales, row.cpu) if (row.cpu[-1] or 0) >= TOO_SHORT else None
        name = f"**{row.name}**" if row.name in WHOLE else row.name
        lines.append(
            f"| {name} | {' | '.join(cells)} | {_cell(steepness)} | {_cell(_wall_of_world(scales, row, rows))} |"
        )
    return "\n".join([*lines, ""])


def _cell(value: float | None) -> str:
    return "" if value is None else f"{value:,.0f}" if value >= 100 else f"{value:.2f}"


def _dominating(scales: Sequence[Fraction], rows: Sequence[Row]) -> str:
    by_name = {row.name: row for row in rows}
    said = []
    for whole, prefix in ((FULL, ""), (CHANGES, NIGHT)):
        parts = [r for r in rows if r.name in {prefix + name for name in PARTS} and r.wall[-1] is not None]
        row = by_name.get(whole)
        if row is None or not row.wall[-1] or not parts:
            continue
        longest = sorted(parts, key=lambda r: -(r.wall[-1] or 0))[:4]
        shares = ", ".join(
            f"{r.name.removeprefix(prefix)} {100 * (r.wall[-1] or 0) / row.wall[-1]:.0f} %" for r in longest
        )
        said.append(f"- {whole}, at {named(scales[-1])}: {shares} of its wall time.")
    return "\n".join(["## What dominates", "", *said, ""])


def _queries(scales: Sequence[Fraction], results: Mapping[str, Any]) -> str:
    """The longest queries of the full build at the largest scale, and what they took at the others."""
    costs = [
        {query["query"]: query["cpu"] for query in results[str(s)]["steps"].get("full", {}).get("queries", [])}
        for s in scales
    ]
    longest = sorted(costs[-1], key=lambda name: -costs[-1][name])[:LONGEST]
    lines = ["The longest queries of the full build, in CPU seconds:", "",
             f"| query | {' | '.join(map(named, scales))} | growth |", f"|---|{'---:|' * (len(scales) + 1)}"]  # fmt: skip
    for name in longest:
        values = [of_one.get(name) for of_one in costs]
        steepness = growth(scales, values) if costs[-1][name] >= TOO_SHORT else None
        lines.append(f"| `{name}` | {' | '.join(map(_cell, values))} | {_cell(steepness)} |")
    return "\n".join([*lines, ""]) if longest else ""


def _disk(scales: Sequence[Fraction], results: Mapping[str, Any]) -> str:
    last: list[dict[str, float]] = []
    for scale in scales:
        parts: dict[str, float] = {}
        for result in results[str(scale)]["steps"].values():
            for part, size in result.get("disk", {}).items():
                parts[part] = max(size, parts.get(part, 0.0))
        last.append(parts)
    names = sorted({name for parts in last for name in parts}, key=lambda n: -max(p.get(n, 0.0) for p in last))
    world = "the world" if scales[-1] == 1 else "the world, extrapolated"
    lines = ["## Disk", "", "The most that lay in each folder at a time, in megabytes; `world` shares its files with `raw`, and the files of PubMed go once they have been read.", "",
             f"| folder | {' | '.join(map(named, scales))} | {world} |", f"|---|{'---:|' * (len(scales) + 1)}"]  # fmt: skip
    for name in names:
        sizes = [parts.get(name) for parts in last]
        lines.append(f"| {name} | {' | '.join(map(_cell, sizes))} | {_cell(of_world(scales, sizes))} |")
    return "\n".join([*lines, ""])
