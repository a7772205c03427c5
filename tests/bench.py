"""`make bench`: what the work costs, as ratios in one run. Timings are never asserted in tests; they are read here.

CPU seconds of this process (medians of several runs, taken in turn), so that a noisy machine matters less. Real records
are repeated under new numbers; without them nothing is measured.
"""

import gzip
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path

from pipelines import store, trn
from pipelines.contracts import contracts, quote
from pipelines.sources import ctgov, pubmed
from tests.conftest import SHARED

STUDIES = 20_000
RUNS = 3
DAY = date(2026, 8, 8)


def main() -> int:
    """Runs every measurement; 0 where all could be made."""
    if not SHARED.is_dir():
        print("Nothing measured: the real records (../shared/data) are not on this machine.")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        studies = write_studies(work / "studies.json")
        staging(studies, work)
        audit(studies)
        whole_build(studies, work)
        articles(work)
        numbers()
    return 0


def write_studies(path: Path) -> Path:
    """The 755 studies of the two searches, repeated under new numbers as one array."""
    records = _records()
    with path.open("w", encoding="utf-8") as out:
        for number in range(STUDIES):
            text = records[number % len(records)]
            old = json.loads(text)["protocolSection"]["identificationModule"]["nctId"]
            out.write("[\n" if number == 0 else ",\n")
            out.write(text.replace(old, f"NCT9{number:07d}"))
        out.write("\n]")
    return path


def _records() -> list[str]:
    folder = SHARED / "ctgov-api-v2"
    with zipfile.ZipFile(folder / "urology-2024-09-24.ctg-studies.json.zip") as archive:
        records = [json.loads(archive.read(name)) for name in archive.namelist()]
    records += json.loads(gzip.decompress((folder / "headache-2025-10-02.ctg-studies.json.gz").read_bytes()))
    return [json.dumps(r, separators=(",", ":"), ensure_ascii=False) for r in records]


def staging(studies: Path, work: Path) -> None:
    """20,000 studies to staging against a bare read_json of the same file with the same columns."""
    tree = ctgov.wire_tree(contracts().sources["ctgov"])
    columns = ", ".join(f"{name}: {quote(ctgov.duckdb_type(node))}" for name, node in tree.items())

    def bare() -> None:
        with store.connect(threads=1, memory_limit="2GB") as connection:
            reader = connection.sql(
                f"""SELECT * FROM read_json({quote(str(studies))}, format = 'array', columns = {{{columns}}},
                maximum_object_size = {ctgov.LARGEST_RECORD})"""
            ).to_arrow_reader(10_000)
            assert sum(batch.num_rows for batch in reader) == STUDIES

    def staged() -> None:
        report = ctgov.read(studies, studies.name, DAY, work / "staged.parquet")
        assert report.staged == STUDIES

    floor, cost = in_turn(bare, staged)
    megabytes = studies.stat().st_size / 1e6
    say("bare read_json, 20,000 studies", f"{floor:.2f} CPU s ({megabytes:.0f} MB)")
    say("20,000 studies to staging", f"{cost:.2f} CPU s = {cost / floor:.2f} x read_json (goal: at most 3)")
    say("studies a CPU second", f"{STUDIES / cost:,.0f}")


def audit(studies: Path) -> None:
    say("audit of 20,000 studies", f"{cpu(lambda: ctgov.audit(studies)):.2f} CPU s (goal: at most 5)")


def whole_build(studies: Path, work: Path) -> None:
    """Import and build in a process of its own: CPU, wall and peak memory."""
    command = [sys.executable, "-m", "pipelines", "--data", str(work / "data")]
    subprocess.run([*command, "import", "ctgov", "--date", str(DAY), str(studies)], check=True, capture_output=True)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    subprocess.run([*command, "build", "--as-of", str(DAY)], check=True, capture_output=True)
    wall = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    say("whole build of 20,000 studies", f"{used:.1f} CPU s, {wall:.1f} s wall")
    say("peak memory of that build", f"{after.ru_maxrss / 1024:,.0f} MB (goal: under 1,500)")


def articles(work: Path) -> None:
    """The full parse of PubMed files."""
    for name in ("pubmed20n0014.xml.gz", "pubmed21n1298.trimmed.xml.gz"):
        payload = SHARED / "pubmed" / name
        seen = pubmed.read(payload, name, DAY, work / "records.parquet").records_in
        cost = statistics.median(
            cpu(lambda p=payload, n=name: pubmed.read(p, n, DAY, work / "records.parquet")) for _ in range(RUNS)
        )
        say(f"PubMed {name}", f"{cost:.2f} CPU s, {seen / cost:,.0f} articles a CPU second")


def numbers() -> None:
    """Registration numbers in real titles and abstracts."""
    raw = gzip.decompress((SHARED / "pubmed" / "pubmed21n1298.trimmed.xml.gz").read_bytes()).decode()
    texts = [part.split("</AbstractText>")[0] for part in raw.split("<AbstractText")[1:]]
    size = sum(len(t.encode()) for t in texts) / 1e6
    cost = statistics.median(cpu(lambda: trn.find_many(texts)) for _ in range(RUNS))
    say("registration numbers in abstracts", f"{size / cost:.0f} MB a CPU second ({size:.1f} MB)")


def in_turn(first: Callable[[], object], second: Callable[[], object]) -> tuple[float, float]:
    """Median CPU seconds of two pieces of work that are run in turn, after one run each that does not count."""
    first()
    second()
    costs = [(cpu(first), cpu(second)) for _ in range(RUNS)]
    return statistics.median(a for a, _ in costs), statistics.median(b for _, b in costs)


def cpu(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def say(what: str, figure: str) -> None:
    print(f"{what:40} {figure}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
