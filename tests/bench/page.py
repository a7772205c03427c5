"""docs/benchmarks.md: the figures of one whole run as a page, and on what machine and with which versions they were made.

A pure function of these; the clock and the machine are asked by `__main__`.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import NamedTuple

from tests.bench.figures import Figure

HEAD = """# Benchmarks

Written by `make bench`; not to be edited. What each piece of work costs, beside the floor below which nothing can go and
beside other packages that do the same, all in one run on one machine.

**Read the ratios, not the seconds**: another machine has other seconds. CPU seconds are those of the process and of the
processes it starts; medians of three runs taken in turn, one run of what is slow. What is compared
runs in a process of its own, its start not counted. Our readers are warm: a night reads many files, the contracts once.
Studies and articles are real records, repeated under made-up numbers; A and B are two whole files of PubMed's baseline
(see `tests/peers.py`); the night of changes is one of the generator's world. Other packages do less or more than ours in
places: they are asked for what they do best.
Timings are never asserted in tests.
"""


class Setting(NamedTuple):
    """day: of the run. versions: of what matters here, by name; None where it is missing."""

    day: date
    system: str
    processor: str
    cores: int
    versions: Mapping[str, str | None]


def page(setting: Setting, sections: Sequence[tuple[str, Sequence[Figure]]]) -> str:
    """The whole page. sections: title and figures of each part, in the order of the page."""
    goals = [figure.verdict for _, figures in sections for figure in figures if figure.goal]
    counted = ", ".join(f"{goals.count(verdict)} {verdict}" for verdict in ("met", "not met", "not measured"))
    blocks = [HEAD, _setting(setting), f"Goals: {counted}.\n"]
    blocks += [_section(title, figures) for title, figures in sections]
    return "\n".join(blocks)


def _setting(setting: Setting) -> str:
    versions = ", ".join(f"{name} {version or '(missing)'}" for name, version in setting.versions.items())
    machine = f"{setting.cores} cores, {setting.processor}, {setting.system}"
    return f"Measured on {setting.day}: {machine}.\n\nVersions: {versions}.\n"


def _section(title: str, figures: Sequence[Figure]) -> str:
    rows = [(f.what, f.text, str(f.goal or ""), f.verdict, f.note) for f in figures]
    lines = ["| what | figure | goal | | measured |", "|---|---:|---|---|---|"]
    lines += [f"| {' | '.join(cell.replace('|', '/') for cell in row)} |" for row in rows]
    return "\n".join([f"## {title}", "", *lines, ""])
