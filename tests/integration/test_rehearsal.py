"""The rehearsal at a tiny size: that it makes the world it is asked for, goes on where it was stopped, and says what it
measured. Nothing here asserts a timing."""

import gzip
import json
import math
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from pipelines import staging
from pipelines.sample.days import FULL
from pipelines.settings import ROOT
from tests import processes
from tests.bench.figures import shown
from tests.bench.page import Setting
from tests.loopback import heed_keys
from tests.rehearsal import page, watch, work
from tests.rehearsal.__main__ import UsageFault, largest_that_fits
from tests.rehearsal.making import articles, studies, world
from tests.rehearsal.making.counts import WORLD, Counts, of_world

TINY = of_world(Fraction(1, 4000))._replace(articles=200)
PUBMED = "pubmed26n{:04d}.xml.gz"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, int]]:
    """A tiny world, and what its makers say they wrote."""
    out = tmp_path_factory.mktemp("world")
    world.write_trials(out, TINY)
    found = world.write_registers(out, TINY)
    return out, found | world.write_articles(out, TINY)


# --- the world ------------------------------------------------------------------------------------------------------


def test_a_part_of_the_world_has_its_part_of_everything_but_of_what_a_file_holds() -> None:
    assert of_world(Fraction(1)) == WORLD
    assert of_world(Fraction(1, 4)) == Counts(150_000, 250_000, 50_000, 3_250, 7_500, 325, 25_000, 12_500)


def test_there_is_what_was_asked_for_and_all_of_it_is_read(made: tuple[Path, dict[str, int]], tmp_path: Path) -> None:
    out, said = made
    asked = {"ictrp": TINY.rows, "euctr": TINY.protocols, "ctis": TINY.ctis, "isrctn": TINY.isrctn}
    read: Counter[str] = Counter()
    for dump in (*world.dumps(out, TINY), *world.night_dumps(out)):
        reader = staging.module(dump.source)
        for path in dump.files:
            if path.suffix == ".md5":
                continue
            report = reader.read(path, path.name, dump.day, tmp_path / "records.parquet")
            assert (report.rejected, [r for r in report.rejects if r.scope != "field"]) == (0, []), path.name
            is_night = dump.day == world.UPDATE
            read[dump.source if not is_night else "night"] += report.records_in
    assert {source: read[source] for source in asked} == asked
    # A few in a thousand of the generator's trials have vanished from the register.
    assert 0.95 * TINY.studies < read["ctgov"] == said["ctgov"] <= TINY.studies
    assert read["pubmed"] >= said["articles"] >= 0.98 * TINY.files * TINY.articles
    assert read["night"] >= 1


def test_one_registration_in_five_shares_its_trial() -> None:
    entries = (studies.entry(_study(n), n) for n in range(6_000))
    counts = of_world(Fraction(1, 100))
    found = list(world.registrations(entries, counts, seed=1))
    own = sum(1 for register, _ in found if register == world.NCT)
    sharing = sum(1 for register, entry in found if register != world.NCT and entry.nct)
    assert (own, len(found)) == (counts.studies, counts.rows)
    assert 0.18 < 2 * sharing / len(found) < 0.22
    numbers = [entry.number for _, entry in found]
    assert len(set(numbers)) == len(numbers)
    registers = Counter(register for register, _ in found)
    assert (registers[world.CTIS], registers[world.ISRCTN]) == (counts.ctis, counts.isrctn)


def _study(number: int) -> bytes:
    module = {
        "identificationModule": {"nctId": f"NCT{90_000_001 + number}", "briefTitle": "A title"},
        "statusModule": {"startDateStruct": {"date": "2019-05"}},
        "sponsorCollaboratorsModule": {"leadSponsor": {"name": "Invented", "class": "INDUSTRY"}},
    }
    return json.dumps({"protocolSection": module}).encode()


def test_the_records_are_as_large_as_real_ones(made: tuple[Path, dict[str, int]]) -> None:
    """Bytes a record of the real registers: see shared/data, and performance.md for the whole."""
    out, said = made
    real = {"ctgov": 17_000, "ictrp": 3_500, "euctr": 25_000, "isrctn": 9_500}
    for source, size in real.items():
        files = list((out / source).glob("*.gz"))
        assert len(files) == 1
        bytes_ = len(gzip.decompress(files[0].read_bytes())) / said[source]
        assert 0.8 * size < bytes_ < 1.25 * size, source
    shared = articles.bodies(500)
    assert 170e6 < len(shared.text) / shared.articles * WORLD.articles < 230e6


def test_an_article_that_files_share_has_another_number_in_each(
    made: tuple[Path, dict[str, int]], tmp_path: Path
) -> None:
    out, _ = made
    reader = staging.module("pubmed")
    seen: dict[str, set[int]] = {}
    for number in range(1, TINY.files + 1):
        path = out / "pubmed" / PUBMED.format(number)
        report = reader.read(path, path.name, FULL, tmp_path / "records.parquet")
        assert TINY.articles - 1 <= report.records_in <= TINY.articles + 1
        pmids = pq.read_table(tmp_path / "index.parquet")["pmid"].to_pylist()
        seen[path.name] = {pmid for pmid in pmids if pmid < 200_000_000}
        assert len(seen[path.name]) > 30
    assert sum(map(len, seen.values())) == len(set().union(*seen.values()))


def test_a_shared_article_is_kept_only_as_a_trial_report_without_a_number(tmp_path: Path) -> None:
    shared = articles.bodies(3 * articles.REPORTS)
    path = tmp_path / PUBMED.format(1)
    articles.write(path, [], shared, articles.FIRST)
    report = staging.module("pubmed").read(path, path.name, date(2026, 1, 30), tmp_path / "records.parquet")
    assert (report.records_in, report.staged, report.rejects) == (shared.articles, 3, [])
    rows = pq.read_table(tmp_path / "records.parquet").to_pylist()
    assert [row["numbers"] for row in rows] == [[], [], []]
    assert len({row["title"] for row in rows}) == 3


def test_the_same_world_is_the_same_bytes(made: tuple[Path, dict[str, int]], tmp_path: Path) -> None:
    out, _ = made
    world.write_trials(tmp_path, TINY)
    world.write_registers(tmp_path, TINY)
    world.write_articles(tmp_path, TINY)
    files = {path.relative_to(out) for path in out.rglob("*.*") if path.suffix != ".zip"}
    assert files == {path.relative_to(tmp_path) for path in tmp_path.rglob("*.*") if path.suffix != ".zip"}
    assert [f for f in sorted(files) if (out / f).read_bytes() != (tmp_path / f).read_bytes()] == []


# --- stopping, going on, cleaning up --------------------------------------------------------------------------------


@pytest.fixture
def command(tmp_path: Path) -> list[str]:
    return [
        sys.executable, "-m", "tests.rehearsal", "1/4000", "--only", "--articles", "200", "--until", "import",
        "--out", str(tmp_path / "out"), "--page", str(tmp_path / "page.md"),
    ]  # fmt: skip


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGKILL], ids=["interrupted", "killed"])
def test_what_was_stopped_goes_on_where_it_was(command: list[str], tmp_path: Path, by: signal.Signals) -> None:
    results = tmp_path / "out" / "results.json"
    nowhere = subprocess.DEVNULL
    process = subprocess.Popen(command, cwd=ROOT, stdout=nowhere, stderr=nowhere, preexec_fn=heed_keys)
    _until(results.is_file)
    _until(lambda: len(processes.tree(process.pid)) > 1)
    *_, step = processes.tree(process.pid)  # the next one has begun
    process.send_signal(by)
    assert process.wait(60) == (130 if by is signal.SIGINT else -signal.SIGKILL)
    _until(lambda: not processes.is_alive(step))
    before = json.loads(results.read_text())["parts"]["1/4000"]["steps"]
    assert next(iter(before)) == "generate"

    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert [line.split("  ")[1] for line in done.stdout.splitlines() if "(kept)" in line] == list(before)
    after = json.loads(results.read_text())["parts"]["1/4000"]["steps"]
    assert list(after) == ["generate", "generate articles", "import"]
    assert {name: after[name] for name in before} == before
    raw = tmp_path / "out" / "part-1-4000" / "data" / "raw"
    assert sorted(path.name for path in raw.iterdir()) == ["ctgov", "ctis", "euctr", "ictrp", "isrctn", "pubmed"]

    subprocess.run([*command, "--clean"], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    assert list(tmp_path.iterdir()) == []


def _until(holds: Callable[[], bool]) -> None:
    for _ in range(600):
        if holds():
            return
        time.sleep(0.1)
    raise AssertionError("it did not come about in a minute")


def test_a_folder_with_other_files_is_left_alone(command: list[str], tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    for words in (command, [*command, "--clean"]):
        done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
        assert done.returncode == 2
        assert "no rehearsal" in done.stderr
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["mine.txt"]


@pytest.mark.parametrize(
    ("asked", "free", "taken"),
    [
        ("1", 1000.0, Fraction(1)),
        ("1", 40.0, Fraction(1, 2)),
        ("1/3", 12.0, Fraction(1, 6)),
        ("fit", 1000.0, Fraction(1)),
        ("fit", 5.0, Fraction(1, 16)),
        ("1", 1.0, None),
        ("0", 1000.0, None),
        ("2", 1000.0, None),
        ("half", 1000.0, None),
    ],
)
def test_the_largest_part_that_the_disk_holds(asked: str, free: float, taken: Fraction | None) -> None:
    if taken:
        assert largest_that_fits(asked, free) == taken
    else:
        with pytest.raises(UsageFault):
            largest_that_fits(asked, free)


def test_memory_and_time_are_those_of_the_whole_tree(tmp_path: Path) -> None:
    inner = "x = b'x' * 150_000_000; import time; time.sleep(1.5)"
    outer = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {inner!r}]); print('{{}}')"
    _, looks = watch.run([sys.executable, "-c", outer], tmp_path / "log", ROOT)
    assert 150 < watch.peak(looks, 0, math.inf) < 250


def test_a_step_that_fails_says_why(tmp_path: Path) -> None:
    with pytest.raises(watch.FailedError, match="no such luck"):
        watch.run([sys.executable, "-c", "raise SystemExit('no such luck')"], tmp_path / "log", ROOT)


# --- the page -------------------------------------------------------------------------------------------------------


def _results(power: float, scales: list[Fraction]) -> dict[str, Any]:
    """A stage that took 100 seconds at a sixteenth of the world and grew by that power."""
    return {
        str(scale): {
            "steps": {
                step: {
                    "stages": [
                        {"stage": stage, "wall": 100 * float(scale * 16) ** power, "cpu": 100 * float(scale * 16) ** power,
                         "peak_mb": 900.0}
                        for stage in stages
                    ],
                    "found": {},
                    "disk": {"raw": 1000.0 * float(scale)},
                }
                for step, stages in (("full", [*work.STAGES, work.REST, "full build"]), ("night", ["night of changes"]))
            }
        }
        for scale in scales
    }  # fmt: skip


@pytest.mark.parametrize(("power", "verdict"), [(0.9, "met"), (1.1, "met"), (1.3, "not met")])
def test_the_page_tells_growth_and_what_was_extrapolated(power: float, verdict: str) -> None:
    setting = Setting(date(2026, 8, 8), "System machine", "Processor", 2, {"Python": "3.11.7"})
    scales = [Fraction(1, 256), Fraction(1, 64), Fraction(1, 16)]
    text = page.page(setting, _results(power, scales))
    assert (
        page.page(setting, _results(power, scales), "Tests ran beside it.").count("\n\nTests ran beside it.\n\n") == 1
    )
    assert f"| growth exponent of read articles | {shown(power)} | at most 1.15 | {verdict} |" in text
    assert "the world, extrapolated" in text
    assert "extrapolated: " in text
    cells = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("|")]
    walls = {row[0].strip("*"): float(row[-1].replace(",", "")) for row in cells if row[0].strip("*") in page.STAGES}
    assert walls["full build"] == pytest.approx(sum(walls[part] for part in page.PARTS), rel=0.01), (
        "the sum of its stages"
    )
    whole = page.page(setting, _results(power, [*scales[1:], Fraction(1)]))
    assert "extrapolated" not in whole.split("## What is made how")[0]


@pytest.mark.parametrize(
    ("values", "whole"),
    [
        ([2.0, 4.0, 8.0], 16.0),  # in proportion
        ([10.0, 11.0, 13.0], 17.0),  # a cost of once, and a part in proportion
        ([1.0, 4.0, 16.0], 64.0),  # by a power of two
        ([None, None, 3.0], 6.0),  # nothing to see growth by
        ([1.0, 2.0, None], None),
    ],
)
def test_the_whole_world_by_its_parts(values: list[float | None], whole: float | None) -> None:
    scales = [Fraction(1, 8), Fraction(1, 4), Fraction(1, 2)]
    found = page.of_world(scales, values)
    assert found == (whole if whole is None else pytest.approx(whole))


# --- all of it ------------------------------------------------------------------------------------------------------


@pytest.mark.long
def test_a_whole_rehearsal(command: list[str], tmp_path: Path) -> None:
    words = [word for word in command if word not in ("--until", "import")]
    subprocess.run(words, cwd=ROOT, check=True)
    first = (tmp_path / "page.md").read_bytes()
    subprocess.run([*words, "--rewrite"], cwd=ROOT, check=True)
    assert (tmp_path / "page.md").read_bytes() == first
    text = (tmp_path / "page.md").read_text()
    for stage in (*work.STAGES, "full build", "unchanged night", "night of changes", "release", "page"):
        assert f"| {stage} |" in text.replace("**", "")
    assert [path.name for path in (tmp_path / "out").iterdir() if path.name.startswith("part-")] == []
