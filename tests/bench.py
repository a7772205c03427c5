"""`make bench`: what the work costs, as ratios in one run. Timings are never asserted in tests; they are read here.

CPU seconds of this process (medians of several runs, taken in turn), so that a noisy machine matters less. Real records
are repeated under new numbers; without them nothing is measured.
"""

import gzip
import json
import math
import re
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
from xml.etree import ElementTree

from pipelines import store, trn
from pipelines.contracts import contracts, quote
from pipelines.sources import ctgov, euctr, pubmed
from tests import bench_policies, finder_oracle, universe
from tests.conftest import SHARED

STUDIES = 20_000
PROTOCOLS = 4_000
ABSTRACTS = 50
"""Megabytes of titles and abstracts, at least."""
RUNS = 3
SAMPLE, COPIES = 5_000, (8, 30, 120)
UNIVERSES = (62_500, 250_000, 1_000_000)
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
        full_text(work)
        articles(work)
        numbers()
        identity(work)
        policies(work)
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


def full_text(work: Path) -> None:
    """Country protocols of the EU register, as its full text serves them, to staging."""
    protocols = write_protocols(work / "trials.txt")

    def bare() -> None:
        with protocols.open(encoding="utf-8") as lines:
            assert sum(1 for _ in lines) > PROTOCOLS

    def staged() -> None:
        report = euctr.read(protocols, protocols.name, DAY, work / "protocols.parquet")
        assert (report.records_in, report.staged, report.rejects) == (PROTOCOLS, PROTOCOLS, [])

    floor, cost = in_turn(bare, staged)
    megabytes = protocols.stat().st_size / 1e6
    say("bare read of 4,000 protocols' lines", f"{floor:.2f} CPU s ({megabytes:.0f} MB)")
    say("4,000 protocols to staging", f"{cost:.2f} CPU s = {cost / floor:.1f} x the bare read")
    say("protocols' full text", f"{megabytes / cost:.0f} MB a CPU second (goal: at least 40)")


def write_protocols(path: Path) -> Path:
    """The ten real country protocols, repeated under new numbers."""
    text = gzip.decompress((SHARED / "euctr" / "ctrdata_test_error_trials_euctr.txt.gz").read_bytes()).decode()
    _, *records = re.split(r"(?m)^(?=Summary[ \t]*\nEudraCT Number:)", text)
    given = [re.findall(r"(?m)^EudraCT Number: *([-0-9]{14})", record)[0] for record in records]
    with path.open("w", encoding="utf-8", newline="\n") as out:
        for number in range(PROTOCOLS):
            old = given[number % len(records)]
            new = f"2090-0{number // 100:05}-{number % 100:02}"
            out.write(records[number % len(records)].replace(old, new))
    return path


def numbers() -> None:
    """Registration numbers in real titles and abstracts, against the same rules in Python's `re`."""
    texts = titles_and_abstracts()
    size = sum(len(text.encode()) for text in texts) / 1e6
    times = math.ceil(ABSTRACTS / size)
    assert trn.find_many(texts) == finder_oracle.find_many(texts)

    def found() -> None:
        for _ in range(times):
            trn.find_many(texts)

    peer, cost = in_turn(lambda: finder_oracle.find_many(texts), found)
    say("identical hits in titles and abstracts", f"{len(texts):,} texts")
    say("registration numbers by Python re", f"{size / peer:.1f} MB a CPU second ({size:.0f} MB)")
    say(
        "registration numbers", f"{size * times / cost:.0f} MB a CPU second ({size * times:.0f} MB; goal: at least 150)"
    )
    say("registration numbers over Python re", f"{peer * times / cost:.0f} x (goal: at least 15)")


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


def identity(work: Path) -> None:
    """Which registrations are one trial, in made-up universes of three sizes, each in a process of its own."""
    costs = []
    for records in UNIVERSES:
        path = work / f"universe-{records}.duckdb"
        command = [sys.executable, "-m", "tests.universe", str(path)]
        subprocess.run([*command, str(records)], check=True)
        took = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
        costs.append(took["cpu"])
        say(
            f"identity of {records:,} registrations",
            f"{took['wall']:.1f} s wall, {took['cpu']:.1f} CPU s, {took['peak_mb']:,.0f} MB",
        )
    say("goals for the last", "under 60 s wall and 2,000 MB")
    growth = statistics.linear_regression([math.log(n) for n in UNIVERSES], [math.log(c) for c in costs]).slope
    say("growth exponent of CPU seconds", f"{growth:.2f} (goal: at most 1.15)")
    with store.connect(path) as connection:
        pairs = universe.quality(connection)
        traps = universe.outcomes(connection)
    wrong = [row for row in traps if row[2] not in row[1].split("|")]
    say("precision of merged pairs", f"{pairs.right / pairs.merged:.6f} of {pairs.merged:,} (goal: 1)")
    say("recall of pairs without a veto", f"{pairs.found / pairs.wanted:.6f} of {pairs.wanted:,} (goal: 1)")
    say("pairs in traps", f"{sum(row[3] for row in traps):,} of {len({row[0] for row in traps})} kinds")
    say("traps that ended otherwise", f"{sum(row[3] for row in wrong):,} (goal: 0)")
    for kind, expected, found, number in wrong:
        say(f"  {kind}", f"{found} instead of {expected}, {number} times")


def policies(work: Path) -> None:
    """Legs and status of all policies over the sample world, copied to three sizes, each in a process of its own."""
    folder = work / "policies"
    folder.mkdir()
    day = bench_policies.prepare(folder, SAMPLE)
    costs = []
    for copies in COPIES:
        command = [sys.executable, "-m", "tests.bench_policies", str(folder), str(copies), str(day)]
        took = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
        costs.append(took["cpu"])
        say(
            f"legs and status of {took['policies']} policies, {took['trials']:,} trials",
            f"{took['cpu']:.1f} CPU s, {took['wall']:.1f} s wall, {took['peak_mb']:,.0f} MB",
        )
    say("goals for the last", "at most 30 CPU s and 1,500 MB")
    growth = statistics.linear_regression([math.log(n) for n in COPIES], [math.log(c) for c in costs]).slope
    say("growth exponent of CPU seconds", f"{growth:.2f} (goal: at most 1.15)")


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
