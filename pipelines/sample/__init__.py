"""The embedded sample: a small fictional world of trials, written as the real sources write theirs, with the truth.

Belongs here: `write_sample`, which writes dumps of ClinicalTrials.gov and PubMed, the order in which to import them,
and what the warehouse must say of every trial. Does not belong here: anything that reads dumps. The package imports no
other module of the pipeline, because it is the witness the pipeline is tested against.

All numbers lie in ranges that no registry has issued, and all sponsors and people are invented: no sample accuses a
real sponsor. Contacts stand in the records, at example.org and 555 numbers, to prove that they go no further.
"""

from __future__ import annotations

import csv
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final, NamedTuple

from pipelines.sample import names
from pipelines.sample.ctgov import CtgovWriter
from pipelines.sample.days import AS_OF, BASELINE, FULL, PUBMED_UPDATES, SEARCH, UPDATE, Draw
from pipelines.sample.papers import backgrounds
from pipelines.sample.pubmed import PubmedWriter
from pipelines.sample.world import Trial, Truth, draw_trial, truth

__all__ = ["SampleSummary", "draw_trials", "write_sample"]

IMPORTS: Final = "imports.csv"
TRUTH: Final = "truth.csv"


@dataclass(frozen=True, slots=True)
class SampleSummary:
    """What was written: `articles` counts every rendition of an article, `files` the dumps to import."""

    trials: int
    registrations: int
    articles: int
    files: int
    as_of: date


class _Import(NamedTuple):
    """One row of imports.csv."""

    source: str
    date: str
    scope: str
    baseline: str
    file: str


def _draws(trials: int, seed: int) -> Iterator[tuple[Draw, Trial]]:
    source = random.Random()
    draw = Draw(source)
    sponsors = names.sponsors_for(trials)
    for index in range(trials):
        # Each trial has its own randomness, so that none depends on those before it.
        source.seed(seed << 40 | index)
        yield draw, draw_trial(draw, index, trials, sponsors)


def draw_trials(trials: int, seed: int = 1) -> Iterator[Trial]:
    """The trials of a world one by one, without writing them."""
    for _draw, trial in _draws(trials, seed):
        yield trial


def write_sample(out: Path, trials: int, seed: int = 1) -> SampleSummary:
    """Writes a world of `trials` trials to `out`; the same size and seed give the same bytes.

    Replaces an earlier sample in the same place, and nothing else: a folder that holds other files is refused.
    """
    if not 1 <= trials <= names.MOST_TRIALS:
        raise ValueError(f"a sample has 1 to {names.MOST_TRIALS:,} trials, not {trials:,}")
    if seed < 0:
        raise ValueError(f"a seed is 0 or more, not {seed}")
    _clear(out)
    ctgov_folder, pubmed_folder = out / "ctgov", out / "pubmed"
    for folder in (ctgov_folder, pubmed_folder):
        folder.mkdir(parents=True, exist_ok=True)
    ctgov = CtgovWriter(ctgov_folder)
    pubmed = PubmedWriter(pubmed_folder, Draw(random.Random(seed)))
    try:
        _write_trials(out / TRUTH, trials, seed, ctgov, pubmed)
        ctgov.close()
        stages = pubmed.close()
    except BaseException:
        ctgov.abandon()
        pubmed.abandon()
        for folder in (ctgov_folder, pubmed_folder):
            for path in folder.iterdir():
                path.unlink()  # both were empty: what they hold is the unfinished sample
        raise
    files = _write_imports(out / IMPORTS, ctgov, stages)
    return SampleSummary(trials, ctgov.registrations, pubmed.articles, files, AS_OF)


def _write_trials(path: Path, trials: int, seed: int, ctgov: CtgovWriter, pubmed: PubmedWriter) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(Truth._fields)
        for draw, trial in _draws(trials, seed):
            rows.writerow(truth(trial))
            ctgov.add(draw, trial)
            if trial.index == trials // 2:
                pubmed.halve(draw)
            for stage, paper in trial.plan.deliveries:
                pubmed.add(stage, paper)
            for stage, paper in backgrounds(draw, trial.index, trial.plan):
                pubmed.add(stage, paper)
            for stage, pmid, version in trial.plan.deletions:
                pubmed.delete(stage, pmid, version)


def _write_imports(path: Path, ctgov: CtgovWriter, stages: list[list[str]]) -> int:
    """The dumps in the order of their days: rows that share all but the file are one snapshot."""
    listed = [
        *(_Import("ctgov", SEARCH.isoformat(), "partial", "false", f"ctgov/{name}") for name in [ctgov.search]),
        *(_Import("ctgov", FULL.isoformat(), "full", "false", f"ctgov/{name}") for name in ctgov.pages),
        *(_Import("ctgov", UPDATE.isoformat(), "partial", "false", f"ctgov/{name}") for name in [ctgov.update]),
        *(_Import("pubmed", BASELINE.isoformat(), "full", "true", f"pubmed/{name}") for name in stages[0]),
        *(
            _Import("pubmed", day.isoformat(), "partial", "false", f"pubmed/{name}")
            for day, names_ in zip(PUBMED_UPDATES, stages[1:], strict=True)
            for name in names_
        ),
    ]
    listed.sort(key=lambda row: (row.date, row.source, row.file))
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(_Import._fields)
        rows.writerows(listed)
    return len(listed)


def _clear(out: Path) -> None:
    """Removes the files that an earlier sample lists as its own; refuses to write among any others."""
    imports = out / IMPORTS
    if imports.is_file():
        with imports.open(encoding="utf-8", newline="") as file:
            earlier = [row["file"] for row in csv.DictReader(file)]
        for name in earlier:
            source, _slash, base = name.partition("/")
            # Only what this module could have written: the list itself may have been edited.
            if source in ("ctgov", "pubmed") and base == Path(base).name:
                (out / source / base).unlink(missing_ok=True)
                (out / source / f"{base}.md5").unlink(missing_ok=True)
        imports.unlink()
    for folder in (out / "ctgov", out / "pubmed"):
        if folder.exists() and any(folder.iterdir()):
            raise FileExistsError(f"{folder} holds files that are no sample: write the sample elsewhere")
