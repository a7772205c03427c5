"""`python -m tests.bench [--write] [--scale STUDIES] [NAME...]`: measures all parts, or those named, and prints each
figure as it is known.

--write: puts the figures of a whole run into docs/benchmarks.md. Here, and nowhere below, the clock is asked.
"""

import argparse
import functools
import importlib.metadata
import os
import platform
import re
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from pipelines.settings import DOCS
from tests.bench import chain, identity, increment, night, numbers, page, peers, policies, pubmed, registers
from tests.bench.figures import Figure, Part
from tests.conftest import SHARED

PARTS: dict[str, tuple[str, Part]] = {
    "articles": ("PubMed, one file", pubmed.readers),
    "memory": ("PubMed, a larger file", pubmed.memory),
    "workers": ("PubMed, several files", pubmed.workers),
    "studies": ("ClinicalTrials.gov", registers.studies),
    "studies-peers": ("ClinicalTrials.gov beside others", registers.studies_and_peers),
    "full-text": ("EU Clinical Trials Register", registers.full_text),
    "numbers": ("Registration numbers in text", numbers.numbers),
    "identity": ("Which registrations are one trial", identity.identity),
    "policies": ("Reporting status", policies.policies),
    "build": ("A whole build", registers.whole_build),
    "chain": ("From dumps to links", chain.chain),
    "increment": ("A night of changes", increment.increment),
    "night": ("Orchestration", night.night),
}
"""By name: title on the page, and what measures it; in the order of the page."""
PAGE = DOCS / "benchmarks.md"
OURS = ("dagster", "duckdb", "google-re2", "great-expectations", "isal", "lxml", "pyarrow", "stringzilla")


def main() -> int:
    """0 where everything asked for could be begun; a goal that is not met is no failure."""
    options = _options()
    if not SHARED.is_dir():
        print("Nothing measured: the real records (../shared/data) are not on this machine.")
        return 0
    sections = []
    with tempfile.TemporaryDirectory() as folder:
        for name in options.names or PARTS:
            title, part = PARTS[name]
            if name == "increment":
                part = functools.partial(increment.increment, scale=options.scale)
            print(f"\n{title} ({name})", flush=True)
            sections.append((title, list(_figures(title, part, Path(folder)))))
    if options.write:
        PAGE.write_text(page.page(setting(), sections), encoding="utf-8")
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench", description="What the work costs, as ratios in one run."
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(PARTS)}; all where none is named")
    parser.add_argument("--write", action="store_true", help="write docs/benchmarks.md; only of a whole run")
    parser.add_argument("--scale", type=int, default=increment.SCALE, metavar="STUDIES",
                        help="size of the world of the part increment; the whole register has 600000")  # fmt: skip
    options = parser.parse_args()
    if unknown := set(options.names) - set(PARTS):
        parser.error(f"there is no part {', '.join(sorted(unknown))}; the parts are {', '.join(PARTS)}")
    if options.names and options.write:
        parser.error("the page is written of a whole run: leave out either the names or --write")
    return options


def _figures(title: str, part: Part, work: Path) -> Iterator[Figure]:
    """The figures, each printed at once. Files that cannot be fetched leave out the rest of a part."""
    try:
        for figure in part(work):
            _say(figure)
            yield figure
    except RuntimeError as error:
        figure = Figure(title, None, note=str(error))
        _say(figure)
        yield figure


def _say(figure: Figure) -> None:
    goal = f"  goal: {figure.goal}, {figure.verdict}" if figure.goal else ""
    note = f"  ({figure.note})" if figure.note else ""
    print(f"  {figure.what:64} {figure.text}{goal}{note}", flush=True)


def setting() -> page.Setting:
    ours: dict[str, str | None] = {"Python": platform.python_version()}
    ours |= {name: importlib.metadata.version(name) for name in OURS}
    return page.Setting(
        day=datetime.now(UTC).date(),
        system=f"{platform.system()} {platform.machine()}",
        processor=_processor(),
        cores=os.cpu_count() or 1,
        versions=ours | {name: version for name, version in peers.versions().items() if name not in ours},
    )


def _processor() -> str:
    described = Path("/proc/cpuinfo")
    found = re.search(r"model name\s*:\s*(.+)", described.read_text()) if described.is_file() else None
    return found[1] if found else platform.processor() or "unknown processor"


if __name__ == "__main__":
    sys.exit(main())
