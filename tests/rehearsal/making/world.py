"""A made-up world as its sources serve it: dumps of every register that has millions of bytes, PubMed's baseline, and
what one night brings.

Belongs here: which trials stand in which registers, how records are divided into files, and what is imported as what.
Does not belong here: what a record looks like (`studies`, `registers`, `articles`).
"""

import contextlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

from pipelines import importing, sample
from pipelines.formats import packing
from pipelines.importing import Import
from pipelines.sample import names
from pipelines.sample.days import BASELINE, FULL, UPDATE, Draw
from pipelines.sample.output import ZipFile
from tests.bench import increment
from tests.rehearsal.making import articles, prose, registers, studies
from tests.rehearsal.making.counts import CHANGED, Counts
from tests.rehearsal.making.registers import Entry

PAGE, PORTAL_PAGE, PROTOCOL_PAGE, CTIS_PAGE, ISRCTN_PAGE = 1_000, 45_000, 2_000, 500, 5_000
"""Records a file: those of ClinicalTrials.gov's interface and, about, of what the others were seen to serve."""
NCT, EUCTR, CTIS, ISRCTN, OTHER = (
    "ClinicalTrials.gov", "EU Clinical Trials Register", "Clinical Trials Information System", "ISRCTN", "others",
)  # fmt: skip
"""Registers as WHO's portal spells them; all that it alone serves are one here."""
REGISTERS = ("ctgov", "euctr", "ctis", "isrctn", "ictrp")
WEEKLY = ("ictrp",)
"""What no usual night brings."""
STUDIES, ARTICLES = "ctgov", "pubmed"
ALSO = {EUCTR: 44, ISRCTN: 15, CTIS: 11, OTHER: 93}
"""Of a thousand studies so many stand in another register, which names them: with what stands there, one registration
in five shares its trial with another."""
ALONE = 1_000_000
"""From here on count the trials that ClinicalTrials.gov does not know."""
REVISED = b"<DateRevised><Year>2026</Year><Month>01</Month><Day>30</Day>"
REVISED_SINCE = b"<DateRevised><Year>2026</Year><Month>06</Month><Day>28</Day>"


class _Pages:
    """Texts written into gzip files of so many records each."""

    def __init__(self, folder: Path, name: str, size: int, head: str, tail: str, between: str) -> None:
        self.place, self.size, self.records = f"{folder}/{name}", size, 0
        self.head, self.tail, self.between = head.encode(), tail.encode(), between.encode()
        self._out: Any = None

    def add(self, text: bytes) -> None:
        if self.records % self.size == 0:
            self.close()
            path = Path(self.place.format(self.records // self.size + 1))
            path.parent.mkdir(parents=True, exist_ok=True)
            self._out, self._packer = path.open("wb"), packing.fast_zlib.compressobj(wbits=packing.GZIP)
            self._put(self.head)
        else:
            self._put(self.between)
        self._put(text)
        self.records += 1

    def _put(self, text: bytes) -> None:
        self._out.write(self._packer.compress(text))

    def close(self) -> None:
        if self._out is not None:
            self._put(self.tail)
            self._out.write(self._packer.flush())
            self._out.close()
            self._out = None


# --- the registers --------------------------------------------------------------------------------------------------


def write_trials(out: Path, counts: Counts, seed: int = 1) -> None:
    """The generator's world, from which the others are made; what lay there of an earlier try goes."""
    shutil.rmtree(out / "sample", ignore_errors=True)
    sample.write_sample(out / "sample", counts.studies, seed)


def write_registers(out: Path, counts: Counts, seed: int = 1) -> dict[str, int]:
    """Every register's dump, and beside it in `night` what one night changes of it. Returns the records of each; what
    lay there of an earlier try goes."""
    for folder in (*(out / source for source in REGISTERS), out / "night"):
        shutil.rmtree(folder, ignore_errors=True)
    pieces = prose.paragraphs(seed)
    with contextlib.ExitStack() as stack:
        first, later = (_Writer(folder, counts, pieces, stack) for folder in (out, out / "night"))
        studies_ = _studies(out / "sample" / STUDIES, pieces, first, later)
        for number, (register, entry) in enumerate(registrations(studies_, counts, seed), 1):
            first.put(register, entry)
            if number % CHANGED == 0 and register != NCT:
                later.put(register, entry._replace(end="2026-05-25", enrolment=entry.enrolment + 1))
    shutil.rmtree(out / "sample" / STUDIES)
    return first.counts()


def _studies(folder: Path, pieces: list[str], first: "_Writer", later: "_Writer") -> Iterator[Entry]:
    """What is said of each study that the generator wrote, as it is written in its new size."""
    for place, line in enumerate(increment.lines(folder)):
        study = studies.filled(line, place, pieces)
        first.studies.add(study)
        if place % CHANGED == CHANGED - 1:
            later.studies.add(json.dumps(increment.updated(json.loads(study))).encode())
        yield studies.entry(line, place)


def registrations(entries: Iterable[Entry], counts: Counts, seed: int) -> Iterator[tuple[str, Entry]]:
    """Register, and what is registered there: every study, those that stand in another register as well, and trials
    that stand in that register alone until there are as many as asked for."""
    draw = Draw(Random(seed))
    wanted = {EUCTR: _trials_of(counts.protocols), CTIS: counts.ctis, ISRCTN: counts.isrctn}
    made = dict.fromkeys((*wanted, OTHER), 0)
    rows = 0
    for entry in entries:
        yield NCT, entry
        rows += 1
        also = _also(entry.place)
        if also and made[also] < wanted.get(also, counts.rows):
            yield _renumbered(also, entry, _index(entry.nct), made[also])
            made[also] += 1
    wanted[OTHER] = max(made[OTHER], counts.rows - rows - sum(wanted.values()))
    for register, number in wanted.items():
        for count in range(made[register], number):
            yield _renumbered(register, _alone(draw, register, count, counts.sponsors), ALONE + count, count)


def _also(place: int) -> str:
    """In which other register the study of that place stands, if in any."""
    share = place * 617 % 1000  # spread over all
    for register, part in ALSO.items():
        if share < part:
            return register
        share -= part
    return ""


def _index(nct: str) -> int:
    """The generator's place of a trial, by its first number or by that which survived a merger."""
    return (int(nct[3:]) - 90_000_001) % 5_000_000


def _renumbered(register: str, entry: Entry, index: int, count: int) -> tuple[str, Entry]:
    """The register as the portal spells it, and the entry under its number there."""
    if register == OTHER:
        spelled = list(registers.REGISTERS)[count % len(registers.REGISTERS)]
        number = registers.REGISTERS[spelled](count // len(registers.REGISTERS))
        return spelled, entry._replace(number=number)
    numbers = {EUCTR: names.eudract(index), CTIS: names.ctis(index), ISRCTN: f"ISRCTN{85_000_000 + count}"}
    return register, entry._replace(number=numbers[register])


def _alone(draw: Draw, register: str, count: int, sponsors: int) -> Entry:
    """A trial that ClinicalTrials.gov does not know."""
    sponsor, drug, condition = names.draw_sponsor(draw, sponsors), names.draw_drug(draw), draw.pick(names.CONDITIONS)[0]
    code = f"{sponsor.code}-{register[:2].upper()}{count}"
    start = draw.day(date(2006, 1, 1), date(2025, 12, 1))
    return Entry(
        number="",
        place=ALONE + count,
        nct="",
        title=f"{drug} in {condition}, study {code}",
        official_title=f"A randomised comparison of {drug} with placebo in adults with {condition}: study {code}",
        code=code,
        sponsor=sponsor.name,
        is_commercial=sponsor.kind == "INDUSTRY",
        condition=condition,
        drug=drug,
        start=start.isoformat(),
        end=(start + timedelta(days=draw.between(100, 1500))).isoformat(),
        enrolment=draw.between(20, 900),
    )


def _trials_of(protocols: int) -> int:
    """How many trials have so many country records: see `countries`."""
    trials, records = divmod(protocols, 36)
    trials *= 8
    while records > 0:
        records -= countries(trials)
        trials += 1
    return trials


def countries(count: int) -> int:
    """In how many countries the EU register's trial of that count has a record: one to eight in turn."""
    return 1 + count % 8


class _Writer:
    """Writes registrations into the dumps of their registers, and each into the portal's."""

    def __init__(self, folder: Path, counts: Counts, pieces: list[str], stack: contextlib.ExitStack) -> None:
        def pages(name: str, size: int, head: str = "", tail: str = "", between: str = "") -> _Pages:
            made = _Pages(folder, name, size, head, tail, between)
            stack.callback(made.close)
            return made

        self.folder, self.pieces, self.most_protocols = folder, pieces, counts.protocols
        self.studies = pages("ctgov/studies-{:05d}.json.gz", PAGE, '{"studies":[\n', "\n]}", ",\n")
        self.rows = pages("ictrp/ICTRPFullExport-{:02d}.csv.gz", PORTAL_PAGE)
        self.protocols = pages("euctr/protocols-{:04d}.txt.gz", PROTOCOL_PAGE, registers.PROTOCOL_HEAD)
        self.isrctn = pages("isrctn/edited-{:03d}.xml.gz", ISRCTN_PAGE, registers.ISRCTN_HEAD, registers.ISRCTN_TAIL)
        self.stack = stack
        self.ctis = self.euctr = 0
        self.archive: ZipFile | None = None

    def put(self, register: str, entry: Entry) -> None:
        shown = {EUCTR: f"EUCTR{entry.number}-DE", CTIS: f"CTIS{entry.number}"}.get(register, entry.number)
        self.rows.add(registers.portal_row(entry._replace(number=shown), self.pieces).encode())
        if register == EUCTR:
            self._put_protocols(entry)
        elif register == CTIS:
            self._put_ctis(entry)
        elif register == ISRCTN:
            self.isrctn.add(registers.isrctn(entry, self.pieces).encode())

    def _put_protocols(self, entry: Entry) -> None:
        left = self.most_protocols - self.protocols.records
        for country in range(min(countries(self.euctr), left)):
            self.protocols.add(registers.protocol(entry, country, self.pieces).encode())
        self.euctr += 1

    def _put_ctis(self, entry: Entry) -> None:
        if self.ctis % CTIS_PAGE == 0:
            folder = self.folder / "ctis"
            folder.mkdir(parents=True, exist_ok=True)
            self.archive = self.stack.enter_context(
                ZipFile(folder / f"records-{self.ctis // CTIS_PAGE + 1:03d}.zip", (2026, 6, 24))
            )
        assert self.archive is not None
        self.archive.add(f"{entry.number}.json", registers.ctis(entry, self.pieces))
        self.ctis += 1

    def counts(self) -> dict[str, int]:
        return {"ctgov": self.studies.records, "ictrp": self.rows.records, "euctr": self.protocols.records,
                "ctis": self.ctis, "isrctn": self.isrctn.records}  # fmt: skip


# --- PubMed ---------------------------------------------------------------------------------------------------------


def write_articles(out: Path, counts: Counts, seed: int = 1) -> dict[str, int]:
    """PubMed's baseline, the generator's update files after it, and those of the night. Files that are there already
    are kept: each is written whole. Returns how many there are."""
    folder, night = out / ARTICLES, out / "night" / ARTICLES
    for place in (folder, night):
        place.mkdir(parents=True, exist_ok=True)
    (baseline,) = _generated(out, baseline=True)
    own = sum(1 for _ in _own(baseline.files))
    shared = articles.bodies(max(1, counts.articles - own // counts.files), seed)
    of_file = enumerate(_shares(_own(baseline.files), own, counts.files), 1)
    revised: list[bytes] = []
    # Packing is no work of Python's: two files at once, and no more of their articles in memory.
    with ThreadPoolExecutor(2) as threads:
        while some := list(islice(of_file, 2)):
            list(threads.map(lambda one: _write_file(folder, one[0], one[1], shared), some))
            revised += [line for _, lines in some for line in lines[::CHANGED]]
    last = counts.files
    for update in _generated(out, baseline=False):
        for file in update.files:
            last += 1
            _named_anew(file, folder / _name(last))
    files = max(1, counts.files // CHANGED)
    for number in range(files):
        lines = [line.replace(REVISED, REVISED_SINCE, 1) for line in revised[number::files]]
        _write_file(night, last + number + 1, lines, shared)
    return {"articles": counts.files * (shared.articles + own // counts.files), "files": last, "night": files}


def _own(files: Iterable[Path]) -> Iterator[bytes]:
    """The articles in files that the generator wrote: one a line."""
    for file in files:
        for line in b"".join(packing.chunks(file)).splitlines(keepends=True):
            if line.startswith(b"<PubmedArticle>"):
                yield line


def _shares(lines: Iterator[bytes], number: int, files: int) -> Iterator[list[bytes]]:
    """The lines in order, in so many parts as equal as can be."""
    for file in range(files):
        yield list(islice(lines, number * (file + 1) // files - number * file // files))


def _write_file(folder: Path, number: int, own: list[bytes], shared: articles.Bodies) -> None:
    path = folder / _name(number)
    if not path.exists():
        articles.write(path, own, shared, articles.FIRST + number * shared.articles)


def _name(number: int) -> str:
    return f"pubmed26n{number:04d}.xml.gz"


def _named_anew(file: Path, path: Path) -> None:
    """A file of the generator's and its checksum under the number that follows on this baseline."""
    if not path.exists():
        md5 = file.with_name(f"{file.name}.md5").read_text(encoding="ascii")
        path.with_name(f"{path.name}.md5").write_text(md5.replace(file.name, path.name), encoding="ascii")
        os.link(file, path)


# --- what is imported -----------------------------------------------------------------------------------------------


def dumps(out: Path, counts: Counts) -> list[Import]:
    """The world as snapshots: every register whole, PubMed's baseline and its updates."""
    found = [Import(source, FULL, _files(out / source), "full") for source in REGISTERS]
    files = _files(out / ARTICLES)
    baseline = tuple(f for f in files if f.name <= f"{_name(counts.files)}.md5")
    found.append(Import(ARTICLES, BASELINE, baseline, "full", baseline=True))
    later = iter([f for f in files if f not in set(baseline) and f.suffix != ".md5"])
    for update in _generated(out, baseline=False):
        own = list(islice(later, len(update.files)))
        found.append(Import(ARTICLES, update.day, (*own, *(f.with_name(f"{f.name}.md5") for f in own))))
    return found


def _generated(out: Path, *, baseline: bool) -> list[Import]:
    """The generator's baseline of PubMed, or its updates day by day: of a large world more than one file a day."""
    given = importing.read_list(out / "sample" / sample.IMPORTS)
    return [dump for dump in given if dump.source == ARTICLES and dump.baseline is baseline]


def night_dumps(out: Path) -> list[Import]:
    """What the night brings: of every source in part."""
    folders = [out / "night" / source for source in (*REGISTERS, ARTICLES) if source not in WEEKLY]
    return [Import(folder.name, UPDATE, _files(folder)) for folder in folders if folder.is_dir()]


def _files(folder: Path) -> tuple[Path, ...]:
    return tuple(sorted(folder.iterdir()))
