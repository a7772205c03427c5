"""`python -m tests.rehearsal [SCALE] [--out DIR] [--page FILE] [--rewrite | --clean]`: rehearses a part of the world, and
a quarter and a sixteenth of that part before it.

Finished steps are kept with their figures in DIR/results.json, so that what was stopped goes on where it was. A part's
files go as soon as it is done. Here, and nowhere below, the clock and the disk are asked.
"""

import argparse
import contextlib
import json
import shutil
import signal
import sys
from collections.abc import Iterator
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

from pipelines import contracts, store
from pipelines.errors import BusyError
from pipelines.settings import DOCS, ROOT, SCHEMAS
from tests.bench.__main__ import setting
from tests.bench.page import Setting
from tests.rehearsal import page, watch, work
from tests.rehearsal.making.counts import WORLD, Counts, named, of_world

OUT = ROOT / "data" / "rehearsal"
PAGE = DOCS / "scaling.md"
RESULTS = "results.json"
MAKERS = Path(__file__).parent / "making"
PARTS = (Fraction(1, 16), Fraction(1, 4), Fraction(1))
"""Of the scale asked for, the smallest first."""
GIGABYTES = 46.0
"""Of disk that a whole world takes at its fullest, and of a smaller one that part of it and one gigabyte."""
DONE, FAILED, MISUSED, STOPPED = 0, 1, 2, 130


def main(arguments: list[str] | None = None) -> int:
    options = _options(arguments)
    try:
        if options.clean:
            return _clean(options.out)
        with _own(options.out):
            return _rewrite(options) if options.rewrite else _rehearse(options)
    except (BusyError, UsageFault) as error:
        print(f"Error: {error}", file=sys.stderr)
        return MISUSED
    except watch.FailedError as error:
        print(f"Error: the step failed: {error} Its log lies in {options.out}.", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        print("\nStopped. What is finished is kept; the same command goes on.", file=sys.stderr)
        return STOPPED


class UsageFault(Exception):
    """What was asked for cannot be done; the text says why and what can."""


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.rehearsal", description="A world of the real one's size.")
    parser.add_argument("scale", nargs="?", default="fit", metavar="SCALE",
                        help="a part of the world: 1, 1/4, 1/30; `fit` (default) takes the largest that the disk holds")  # fmt: skip
    parser.add_argument("--out", type=Path, default=OUT, metavar="DIR", help="where it works (default: data/rehearsal)")
    parser.add_argument("--page", type=Path, default=PAGE, metavar="FILE", help="the page (default: docs/scaling.md)")
    parser.add_argument("--only", action="store_true", help="that part alone, without the two smaller ones")
    parser.add_argument("--keep", action="store_true", help="keep the files of the last part when it is done")
    parser.add_argument("--until", choices=work.STEPS, default="page", metavar="STEP", help="end after that step")
    parser.add_argument(
        "--remark", default="", metavar="TEXT", help="for the page: what else the machine did meanwhile"
    )
    parser.add_argument("--articles", type=int, default=WORLD.articles, metavar="N", help="a PubMed file; for tests")
    parser.add_argument("--rewrite", action="store_true", help="only write the page of the last run's figures again")
    parser.add_argument("--clean", action="store_true", help="remove the work folder and all figures in it")
    return parser.parse_args(arguments)


@contextlib.contextmanager
def _own(out: Path) -> Iterator[None]:
    """The folder is ours alone, and a signal to end is as good as a key."""
    if out.exists() and any(out.iterdir()) and not _is_ours(out):
        raise UsageFault(f"{out} holds files that are of no rehearsal: name another folder, or an empty one.")
    with store.locked(out / "rehearsal.lock", f"Another rehearsal is under way in {out}"):
        before = signal.signal(signal.SIGTERM, _interrupt)
        try:
            yield
        finally:
            signal.signal(signal.SIGTERM, before)


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _is_ours(out: Path) -> bool:
    return (out / "rehearsal.lock").is_file()


def _clean(out: Path) -> int:
    if out.exists():
        if not _is_ours(out):
            raise UsageFault(f"{out} is of no rehearsal, so nothing in it was removed.")
        with store.locked(out / "rehearsal.lock", f"A rehearsal is under way in {out}"):
            shutil.rmtree(out)
    print(f"{out} is gone.")
    return DONE


# --- the parts of the world -----------------------------------------------------------------------------------------


def _rehearse(options: argparse.Namespace) -> int:
    options.out.mkdir(parents=True, exist_ok=True)
    largest = largest_that_fits(options.scale, _free(options.out))
    parts = [largest] if options.only else [largest * part for part in PARTS]
    results = _results(options.out)
    results |= {"scales": list(map(str, parts)), "setting": setting()._asdict() | {"day": str(setting().day)}}
    for scale in parts:
        counts = of_world(scale)._replace(articles=options.articles)
        _take_part(options, scale, counts, results)
    return DONE if options.until != "page" else _rewrite(options)


def _rewrite(options: argparse.Namespace) -> int:
    """The page of the figures that are kept. Raises UsageFault where the last run has not come to its end."""
    results = _results(options.out)
    parts = {scale: results["parts"].get(scale, {"steps": {}}) for scale in results.get("scales", [])}
    if not parts or any(len(part["steps"]) < len(work.STEPS) for part in parts.values()):
        raise UsageFault(f"{options.out} holds no figures of a whole rehearsal: run one first.")
    measured = Setting(**results["setting"] | {"day": date.fromisoformat(results["setting"]["day"])})
    options.page.write_text(page.page(measured, parts, options.remark), encoding="utf-8")
    print(f"The figures are in {options.page}.")
    return DONE


def largest_that_fits(asked: str, free: float) -> Fraction:
    """The part of the world that is run on so many free gigabytes: what is asked for, or the largest half of it, or of
    that, that fits. Raises UsageFault where none does, or where no part is asked for."""
    first = Fraction(1) if asked == "fit" else _scale(asked)
    halves = [first / 2**halvings for halvings in range(9)]
    for scale in halves:
        if _needed(scale) <= free:
            if asked != "fit" and scale != first:
                print(f"SCALE={asked} takes about {_needed(first):.0f} GB of disk and {free:.0f} are free: {named(scale)} "
                      "is run, and the rest is extrapolated.")  # fmt: skip
            return scale
    raise UsageFault(f"About {_needed(halves[-1]):.0f} GB of disk are needed at least, and {free:.1f} are free.")


def _scale(asked: str) -> Fraction:
    try:
        scale = Fraction(asked)
    except (ValueError, ZeroDivisionError):
        scale = Fraction(0)
    if not 0 < scale <= 1:
        raise UsageFault(f"SCALE is a part of the world, like 1, 1/4 or 1/30, not {asked!r}.")
    return scale


def _needed(scale: Fraction) -> float:
    return GIGABYTES * float(scale) + 1.0


def _free(out: Path) -> float:
    """Gigabytes: what is free, and what lies there of a part that was begun."""
    begun = sum(_megabytes(folder) for folder in out.glob("part-*"))
    return shutil.disk_usage(out).free / 1e9 + begun / 1e3


def _take_part(options: argparse.Namespace, scale: Fraction, counts: Counts, results: dict[str, Any]) -> None:
    """The steps of a part that are not finished; its files go when all are."""
    folder = options.out / f"part-{scale.numerator}-{scale.denominator}"
    steps = _kept(folder, scale, counts, results)
    wanted = list(work.STEPS)[: list(work.STEPS).index(options.until) + 1]
    print(f"\n{named(scale)} of the world: {counts.studies:,} studies, {counts.files:,} files of PubMed", flush=True)
    for step in wanted:
        is_kept = step in steps
        if not is_kept:
            print(f"  {step} ...", end="\r" if sys.stdout.isatty() else "\n", flush=True)
            folder.mkdir(parents=True, exist_ok=True)
            steps[step] = _step(step, folder, counts)
            if step == "change":
                shutil.rmtree(folder / "world")  # all of it lies in the archive now
            store.write_json(options.out / RESULTS, results)
        _say(step, steps[step], " (kept)" if is_kept else "")
    if len(steps) == len(work.STEPS) and not options.keep:
        shutil.rmtree(folder, ignore_errors=True)


def _kept(folder: Path, scale: Fraction, counts: Counts, results: dict[str, Any]) -> dict[str, Any]:
    """The finished steps of a part, which is begun anew where the program or the world is another one, or where its
    files are gone before its end."""
    expected = {"program": _program(), "counts": counts._asdict()}
    kept = results["parts"].get(str(scale), {})
    is_same = {name: kept.get(name) for name in expected} == expected
    if not is_same or (len(kept["steps"]) < len(work.STEPS) and not folder.exists()):
        if kept:
            print(f"What is kept of {named(scale)} is of another program or world, or not whole: it is begun anew.")
        shutil.rmtree(folder, ignore_errors=True)
        kept = results["parts"][str(scale)] = {**expected, "steps": {}}
    steps: dict[str, Any] = kept["steps"]
    return steps


def _step(step: str, folder: Path, counts: Counts) -> dict[str, Any]:
    """Runs one step and adds to its stages the memory that was seen, and what lies on disk after it."""
    command = [sys.executable, "-m", "tests.rehearsal.work", step, str(folder), json.dumps(counts._asdict())]
    answer, looks = watch.run(command, folder / f"{step}.log", ROOT)
    for stage in answer["stages"]:
        stage["peak_mb"] = watch.peak(looks, stage.pop("began"), stage.pop("ended"))
    places = [folder / "world", *sorted(p for p in (folder / "data").glob("*") if p.is_dir() and not p.is_symlink())]
    return {**answer, "disk": {place.name: _megabytes(place) for place in places if place.exists()}}


def _megabytes(folder: Path) -> float:
    """What the files take, each once however many names it has."""
    seen: dict[tuple[int, int], int] = {}
    for path in folder.rglob("*"):
        with contextlib.suppress(OSError):
            found = path.lstat()
            seen[found.st_dev, found.st_ino] = found.st_blocks * 512
    return sum(seen.values()) / 1e6


def _say(step: str, result: dict[str, Any], more: str = "") -> None:
    whole = result["stages"][-1]
    print(
        f"  {step:18} {whole['wall']:9.1f} s  {whole['cpu']:9.1f} CPU s  {whole['peak_mb']:7.0f} MB{more}", flush=True
    )


def _results(out: Path) -> dict[str, Any]:
    path = out / RESULTS
    found: dict[str, Any] = store.read_json(path) if path.is_file() else {"parts": {}}
    return found


def _program() -> str:
    """Of the program and of what makes its world: where they change, figures that were kept are of another one."""
    return contracts.fingerprint([ROOT / "pipelines", SCHEMAS, MAKERS])[:16]


if __name__ == "__main__":
    sys.exit(main())
