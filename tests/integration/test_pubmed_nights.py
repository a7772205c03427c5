"""Bad nights through the command line: files that are torn, altered, out of sequence or unreadable are named, all others
are read, and the next night heals it. A build that is killed and run again is as if nothing had been."""

import gzip
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pytest

from pipelines import importing, snapshots, store
from pipelines.__main__ import main
from pipelines.contracts import contracts
from pipelines.settings import ROOT
from tests.worlds import article, article_set, nct, put_studies, rows, study, tables

FIRST, SECOND, THIRD = "2024-06-01", "2024-06-02", "2024-06-03"


def name(number: int) -> str:
    return f"pubmed24n{number:04d}.xml.gz"


def content(number: int) -> bytes:
    """A file of forty articles, the first of which names a trial, and that revises one of the file before."""
    own = [article(900000000 + 100 * number + n, abstract=f"{number} {n} " * 40) for n in range(40)]
    before = article(900000000 + 100 * (number - 1) + 39, title=f"Revised by file {number}.")
    named = article(900000000 + 100 * number + 99, bank=(nct(1),))
    return gzip.compress(article_set(named, *own, before).encode(), mtime=0)


def altered(text: bytes) -> bytes:
    """One byte in the middle is another."""
    middle = len(text) // 2
    return text[:middle] + bytes([text[middle] ^ 0xFF]) + text[middle + 1 :]


class Nights:
    """A data folder and the command line on it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.data = folder, folder / "data"

    def run(self, *words: object) -> int:
        return main(["--data", str(self.data), *map(str, words)])

    def take(self, day: str, files: dict[str, bytes], *words: str) -> None:
        folder = self.folder / day
        folder.mkdir(parents=True)
        for file, text in files.items():
            (folder / file).write_bytes(text)
        named = [folder / file for file in files if not file.endswith(".md5")]
        assert self.run("import", "pubmed", "--date", day, *words, *named) == 0

    def build(self, day: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, list[str]]:
        capsys.readouterr()
        code = self.run("build", "--as-of", day)
        out = capsys.readouterr().out
        return code, [line.removeprefix("Left out: ") for line in out.splitlines() if line.startswith("Left out: ")]

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        with duckdb.connect(str((self.data / "warehouse" / "alltrials.duckdb").resolve()), read_only=True) as warehouse:
            return warehouse.sql(sql).fetchall()


def begun(folder: Path) -> Nights:
    """A study, and a whole baseline of two files."""
    nights = Nights(folder)
    put_studies(nights.data, importing.parse_day(FIRST), [study(1)])
    nights.take(FIRST, {name(1): content(1), name(2): content(2)}, "--baseline", "--scope", "full")
    return nights


STANDING = "SELECT * EXCLUDE (snapshot) FROM publications ORDER BY pmid"


def test_what_cannot_be_read_or_is_out_of_sequence_is_named_and_healed_the_next_night(tmp_path, capsys):
    nights = begun(tmp_path / "bad")
    wrong = f"MD5({name(5)})= {'0' * 32}\n".encode()
    tonight = {
        name(3): content(3)[: len(content(3)) // 2], name(4): altered(content(4)), name(5): content(5),
        f"{name(5)}.md5": wrong, name(6): content(6), name(7): content(7), name(9): content(9),
    }  # fmt: skip
    nights.take(SECOND, tonight)
    (lost,) = nights.data.glob(f"raw/pubmed/*/{name(7)}")
    lost.unlink()
    code, left_out = nights.build(SECOND, capsys)
    assert code == 3
    reasons = {line.split(": ", 1)[0]: line.split(": ", 1)[1] for line in left_out}
    assert set(reasons) == {name(n) for n in (3, 4, 5, 7, 9)}
    for number, words in ((3, "cut off"), (4, "damaged"), (5, "MD5"), (7, "the next build tries again"), (9, "n0008")):
        assert words in reasons[name(number)]
    own = "SELECT DISTINCT pmid // 100 % 100 FROM publications WHERE pmid % 100 <> 39"  # which the next file revises
    found = {number for (number,) in nights.rows(own)}
    assert {1, 2, 6} <= found, "the sound files of the night are read"
    assert found.isdisjoint({5, 7, 9})
    assert nights.rows(f"SELECT records_in FROM payloads WHERE payload = '{name(7)}'") == [(0,)]
    assert nights.rows("SELECT is_whole FROM sources WHERE source = 'pubmed'") == [(False,)]

    lost.write_bytes(content(7))
    nights.take(THIRD, {name(n): content(n) for n in (3, 4, 5, 8)})
    assert nights.build(THIRD, capsys) == (0, [])
    assert nights.rows("SELECT is_whole FROM sources WHERE source = 'pubmed'") == [(True,)]

    good = begun(tmp_path / "good")
    good.take(SECOND, {name(n): content(n) for n in range(3, 10)})
    with tables(good.data) as connection:
        assert nights.rows(STANDING) == rows(connection, STANDING)


# --- killed and run again -------------------------------------------------------------------------------------------

BUILD = """
import sys
from pipelines import staging, validation
from pipelines.__main__ import main
staging.WORTH_A_POOL = 0
validation.run_suites = lambda *given: []
sys.exit(main())
"""
"""The command line in worker processes however small the files are, without the suites, which take long and decide
nothing of what is compared."""


def start(data: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", BUILD, "--data", str(data), "build", "--as-of", THIRD]
    return subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )


def killed(data: Path, after: float, *, alone: bool) -> bool:
    """Starts a build and kills it: its whole process group, or itself alone, so that its workers are left behind.
    Whether it was still at work."""
    process = start(data)
    try:
        process.wait(after)
    except subprocess.TimeoutExpired:
        (os.kill if alone else os.killpg)(process.pid, signal.SIGKILL)
        process.wait()
        assert is_gone(process.pid), "a worker outlived its build"
        return True
    return False


def is_gone(group: int) -> bool:
    """Whether all processes of the group end within seconds; they are ended if they do not."""
    for _ in range(200):
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    os.killpg(group, signal.SIGKILL)
    return False


def warehouse(data: Path) -> dict[str, str]:
    """The hash of every table that is about the world, as the warehouse shows it."""
    tables = [t.name for t in contracts().tables.values() if not t.about_run]
    folder = data / "warehouse"
    made = {table: snapshots.sha256_of(folder / f"{table}.parquet") for table in tables}
    assert store.read_json(folder / "manifest.json")["tables"] == made
    return made


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory) -> tuple[Path, dict[str, str], float]:
    """A data folder in which nothing has been built, what a build makes of it, and how long it took."""
    nights = begun(tmp_path_factory.mktemp("killed"))
    nights.take(SECOND, {name(n): content(n) for n in range(3, 37)})
    copy = nights.folder / "undisturbed"
    shutil.copytree(nights.data, copy)
    began = time.monotonic()
    assert start(copy).wait() == 0
    return nights.data, warehouse(copy), time.monotonic() - began


@pytest.mark.parametrize(
    ("rounds", "kills"), [(1, 4), pytest.param(40, 1, marks=pytest.mark.long)], ids=["four kills", "forty times"]
)
def test_a_build_that_was_killed_and_run_again_is_as_if_nothing_had_been(undisturbed, tmp_path, rounds, kills):
    untouched, expected, duration = undisturbed
    rng = random.Random(kills)
    at_work = 0
    for number in range(rounds):
        data = tmp_path / str(number)
        shutil.copytree(untouched, data)
        for kill in range(kills):  # the first ones while files are read, which later ones find read
            after = duration * (kill + rng.random()) / kills
            at_work += killed(data, after, alone=kill % 2 == 1 or number % 2 == 1)
        assert start(data).wait() == 0
        assert warehouse(data) == expected
        leftovers = [p for pattern in ("raw/*/.*", "staging/**/.*", "builds/.*") for p in data.glob(pattern)]
        assert [p for p in leftovers if p.name.endswith(store.PART)] == []
        shutil.rmtree(data)
    assert at_work >= rounds * kills // 2, "most of them were killed before their end"
