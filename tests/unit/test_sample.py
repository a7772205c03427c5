"""The sample's files say what its truth says.

Belongs here: the sample as a witness. A second, slow and plain reading of the written files (`_Reader`) must come to
every verdict of truth.csv, so that a mistake of the sample does not pass for a mistake of the pipeline. Does not belong
here: any other module of the pipeline.
"""

from __future__ import annotations

import ast
import csv
import gzip
import hashlib
import json
import random
import re
import sys
import tracemalloc
import unicodedata
import zipfile
from calendar import monthrange
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

import pipelines.sample
from pipelines.sample import draw_trials, write_sample
from pipelines.sample.courses import COURSES
from pipelines.sample.days import Draw
from pipelines.sample.entries import ENTRIES
from pipelines.sample.names import SURNAMES
from pipelines.sample.papers import COUNTS, TRAPS
from pipelines.sample.world import HISTORIES

T = date(2026, 6, 30)
SEARCHED = date(2026, 6, 28)  # the newest file of PubMed
SIZE = 2000
SEEDS = (1, 2, 3)
Json = dict[str, Any]
Bounds = tuple[date, date]

WITH_BOTH = """
never_started left_scope out_of_scope scope_unknown completion_unknown inconsistent reporting_unknown not_completed
not_due reported_early reported_on_time reported_late reported_undated overdue
"""
OF_REGISTERS = """
submitted_early submitted_on_time submitted_late overdue_submission_cancelled
"""
PUBLICATION_CODES = set(WITH_BOTH.split())
SUMMARY_CODES = PUBLICATION_CODES | set(OF_REGISTERS.split())
TIMINGS = "early on_time late due_day day_after due_month day_beats_month end_month"


# --- a second reading ----------------------------------------------------------------------------------------------


def _bounds(text: str | None, snapshot: date) -> Bounds | None:
    """A partial date's bounds; none for what is in no calendar, before 1900 or over 25 years ahead."""
    if not text:
        return None
    parts = [int(part) for part in text.split("-")]
    try:
        first = date(parts[0], parts[1] if len(parts) > 1 else 1, parts[2] if len(parts) > 2 else 1)
    except ValueError:
        return None
    if len(parts) == 3:
        last = first
    elif len(parts) == 2:
        last = date(first.year, first.month, monthrange(first.year, first.month)[1])
    else:
        last = date(first.year, 12, 31)
    if first.year < 1900 or first > _plus(snapshot, 25 * 12):
        return None
    return first, last


def _plus(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


@dataclass
class _Article:
    dated: Bounds
    types: set[str]
    title: str
    named: set[str]


@dataclass
class _Record:
    number: str
    versions: list[tuple[str, date, Json]] = field(default_factory=list)
    seen: date = date(1, 1, 1)

    @property
    def newest(self) -> tuple[date, Json]:
        _updated, snapshot, study = max(self.versions, key=lambda version: version[:2])
        return snapshot, study


@dataclass
class _Reader:
    """Reads a written sample in the order of its imports."""

    out: Path
    records: dict[str, _Record] = field(default_factory=dict)
    articles: dict[tuple[str, int], _Article] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)

    def read(self) -> _Reader:
        for row in _rows(self.out / "imports.csv"):
            path, day = self.out / row["file"], date.fromisoformat(row["date"])
            if row["source"] == "pubmed":
                self._pubmed(path)
            else:
                for study in _studies(path):
                    self._study(study, day)
        self.newest_articles: dict[str, _Article] = {}
        for pmid, version in sorted(self.articles):
            self.newest_articles[pmid] = self.articles[pmid, version]
        self.by_trial: dict[str, list[_Article]] = {}
        for article in self.newest_articles.values():
            for trial in {self.trial_of(number) for number in article.named if number in self.records}:
                self.by_trial.setdefault(trial, []).append(article)
        return self

    def _study(self, study: Json, day: date) -> None:
        identification = study["protocolSection"]["identificationModule"]
        number = identification["nctId"]
        record = self.records.setdefault(number, _Record(number))
        updated = study["protocolSection"]["statusModule"]["lastUpdatePostDateStruct"]["date"]
        record.versions.append((updated, day, study))
        record.seen = max(record.seen, day)
        for alias in identification.get("nctIdAliases", []):
            self.aliases[number] = alias

    def _pubmed(self, path: Path) -> None:
        for element in _parse(path):
            if element.tag == "DeleteCitation":
                for gone in element:
                    self.articles.pop((gone.text or "", int(gone.get("Version", "1"))), None)
            else:
                pmid = element.find("MedlineCitation/PMID")
                assert pmid is not None
                self.articles[pmid.text or "", int(pmid.get("Version", "1"))] = _article(element)

    def trial_of(self, number: str) -> str:
        return self.aliases.get(number, number)

    def verdicts(self) -> Iterator[Json]:
        survivors = {alias: number for number, alias in self.aliases.items()}
        for number in self.records:
            if number not in self.aliases:
                records = [self.records[number]]
                if number in survivors:
                    records.append(self.records[survivors[number]])
                yield _Judge(self, number, records).verdict()


_SHAPE = re.compile(r"(?<![A-Za-z0-9])NCT[ :#\-_./,+)]{0,3}(\d{8})(?!\d)", re.IGNORECASE)
_SHAPE_AFTER_WORD = re.compile(r"(?<=[a-z])NCT(\d{8})(?!\d)")


def _text(element: ElementTree.Element | None) -> str:
    """All text of a node, a superscript standing apart."""
    if element is None:
        return ""
    parts = [element.text or ""]
    for child in element:
        gap = " " if child.tag in ("sup", "sub") else ""
        parts += [gap, _text(child), gap, child.tail or ""]
    return "".join(parts)


def _numbers(text: str) -> set[str]:
    text = text.replace("\u00b2", " ").replace("\u00ad", "").replace("\u200b", "")
    text = unicodedata.normalize("NFKC", text).replace("\u2010", "-")
    return {f"NCT{digits}" for digits in _SHAPE.findall(text) + _SHAPE_AFTER_WORD.findall(text)}


def _article(element: ElementTree.Element) -> _Article:
    article = element.find("MedlineCitation/Article")
    assert article is not None
    named = _numbers(_text(article.find("ArticleTitle"))) | _numbers(_text(article.find("Abstract")))
    for number in article.iterfind("DataBankList/DataBank/AccessionNumberList/AccessionNumber"):
        named |= _numbers(number.text or "")
    types = {kind.get("UI", "") for kind in article.iterfind("PublicationTypeList/PublicationType")}
    return _Article(_appeared(article), types, _text(article.find("ArticleTitle")).lower(), named)


_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]


def _month(text: str) -> int:
    return int(text) if text.isdigit() else _MONTHS.index(text.lower()) + 1


def _appeared(article: ElementTree.Element) -> Bounds:
    printed = article.find("Journal/JournalIssue/PubDate")
    assert printed is not None
    paper = _print_bounds(printed)
    online = article.find("ArticleDate")
    if online is None:
        return paper
    day = date(*(int(online.findtext(part) or "0") for part in ("Year", "Month", "Day")))
    # A day is better known than the interval that contains it.
    return (day, day) if paper[0] <= day <= paper[1] else min((day, day), paper)


def _print_bounds(printed: ElementTree.Element) -> Bounds:
    if text := printed.findtext("MedlineDate"):
        words = [word for word in re.split(r"[^A-Za-z0-9]+", text) if word]
        years = [int(word) for word in words if word.isdigit()]
        months = [_month(word) for word in words if word.lower() in _MONTHS]
        if not months:
            return date(years[0], 1, 1), date(years[0], 12, 31)
        return date(years[0], months[0], 1), date(years[-1], months[-1], monthrange(years[-1], months[-1])[1])
    year, month, day = (printed.findtext(part) for part in ("Year", "Month", "Day"))
    assert year
    if month is None:
        return date(int(year), 1, 1), date(int(year), 12, 31)
    if day is None:
        return date(int(year), _month(month), 1), date(
            int(year), _month(month), monthrange(int(year), _month(month))[1]
        )
    known = date(int(year), _month(month), int(day))
    return known, known


_NO_RESULTS = {
    *("D000078325", "D016454", "D000078182", "D017418", "D016420", "D016421", "D016433", "D016425", "D016440"),
    "D016441",  # retracted
    "D000076942",  # preprint
}
_NO_RESULTS_TITLE = re.compile(
    r"study protocol|trial protocol|protocol for (a|an|the)\b|protocol of (a|an|the)\b|rationale and design|"
    r"design and rationale|study design and methods?\b|baseline characteristics|statistical analysis plan|"
    r": study design\.$"
)


class _Judge:
    """One trial's verdicts, worked out from what was read."""

    def __init__(self, reader: _Reader, trial: str, records: list[_Record]) -> None:
        self.reader, self.trial, self.records = reader, trial, records
        # The newest registration speaks for the trial; merged ones agree in all that decides.
        self.record = max(records, key=lambda record: record.seen)
        self.snapshot, self.study = self.record.newest
        protocol = self.study["protocolSection"]
        self.status = protocol["statusModule"]
        self.design = protocol.get("designModule", {})
        self.references = protocol.get("referencesModule", {}).get("references", [])
        self.start = self._when("startDateStruct")
        self.pcd = self._when("primaryCompletionDateStruct")
        self.cd = self._when("completionDateStruct")

    def _when(self, name: str) -> Bounds | None:
        return _bounds(self.status.get(name, {}).get("date"), self.snapshot)

    def verdict(self) -> Json:
        entered = [
            date.fromisoformat(study["protocolSection"]["statusModule"]["studyFirstSubmitDate"])
            for record in self.records
            for study in (record.newest[1],)
            if "studyFirstSubmitDate" in study["protocolSection"]["statusModule"]
        ]
        counting = self._counting()
        unresolved = any(
            reference["type"] == "RESULT"
            and "pmid" in reference
            and reference["pmid"] not in self.reader.newest_articles
            for reference in self.references
        )
        summary, due = self._summary()
        outside = self._outside()
        registration = _registration(min(entered, default=None), self.start)
        if entered and outside == "never_started":
            registration = ("not_started",) * 3
        results = self.study["hasResults"] or bool(counting)
        ended = self.pcd or self.cd
        unsearched = ended is not None and SEARCHED < ended[1] <= T
        return {
            "trial_id": self.trial,
            **dict(zip(("strict_day", "month", "us_21_days"), registration, strict=True)),
            "alltrials_summary": outside or summary,
            "who_summary": outside or summary,
            "who_publication": outside or self._publication(counting, unresolved),
            "due_latest_alltrials": due.isoformat() if due and not outside else "",
            "any_results": "true" if results else "unknown" if unresolved or unsearched else "false",
        }

    def _outside(self) -> str | None:
        enrolment = self.design.get("enrollmentInfo", {})
        kind = self.design.get("studyType")
        nobody = enrolment.get("count") == 0 and enrolment.get("type") == "ACTUAL"
        if self.status.get("overallStatus") == "WITHDRAWN" or nobody:
            return "never_started"
        if kind not in ("INTERVENTIONAL", None):
            earlier = {
                study["protocolSection"].get("designModule", {}).get("studyType")
                for _updated, _snapshot, study in self.record.versions
            }
            return "left_scope" if "INTERVENTIONAL" in earlier else "out_of_scope"
        return None if kind else "scope_unknown"

    def _clockless(self) -> str:
        status = self.status.get("overallStatus")
        if status in ("COMPLETED", "TERMINATED"):
            return "inconsistent"
        return "completion_unknown" if status in ("UNKNOWN", None) else "not_completed"

    def _summary(self) -> tuple[str, date | None]:
        clock = self.pcd or self.cd
        due = _plus(clock[1], 12) if clock else None
        past = due is not None and due < T
        if self.study["hasResults"]:
            return self._posted(due, past), due
        live, cancelled = self._submitted()
        if live:
            return (
                "submitted_early"
                if not past or due is None
                else "submitted_on_time"
                if live <= due
                else "submitted_late"
            ), due
        if clock is None or due is None:
            return self._clockless(), due
        if clock[1] > T:
            return "not_completed", due
        if not past:
            return "not_due", due
        if (T - self.record.seen).days > 60:
            return "reporting_unknown", due
        return ("overdue_submission_cancelled" if cancelled else "overdue"), due

    def _posted(self, due: date | None, past: bool) -> str:
        if not past or due is None:
            return "reported_early"
        day = self.status.get("resultsFirstSubmitDate") or self.status.get("resultsFirstPostDateStruct", {}).get("date")
        if day is None:
            shown = min(
                snapshot for record in self.records for _u, snapshot, study in record.versions if study["hasResults"]
            )
            return "reported_on_time" if shown <= due else "reported_undated"
        return "reported_on_time" if day <= due.isoformat() else "reported_late"

    def _submitted(self) -> tuple[date | None, bool]:
        live, cancelled = None, False
        section = self.study.get("annotationSection")
        for event in section["annotationModule"]["unpostedAnnotation"]["unpostedEvents"] if section else ():
            if event["type"] == "RELEASE":
                live, cancelled = live or date.fromisoformat(event["date"]), False
            elif event["type"] == "UNRELEASE":
                live, cancelled = None, True
        return live, cancelled

    def _counting(self) -> list[date]:
        found = [(article, True) for article in self.reader.by_trial.get(self.trial, [])]
        for reference in self.references:
            article = self.reader.newest_articles.get(reference.get("pmid", ""))
            if reference["type"] == "RESULT" and article:
                found.append((article, False))
        return [article.dated[0] for article, _named in found if self._counts(article)]

    def _counts(self, article: _Article) -> bool:
        trials = {self.reader.trial_of(number) for number in article.named}
        if article.types & _NO_RESULTS or _NO_RESULTS_TITLE.search(article.title) or len(trials) > 3:
            return False
        first = article.dated[0]
        return not (self.start and first < self.start[0]) and not (self.pcd and first < self.pcd[0])

    def _publication(self, counting: list[date], unresolved: bool) -> str:
        clock = self.cd or self.pcd
        due = _plus(clock[1], 24) if clock else None
        if counting:
            if due is None or due >= T:
                return "reported_early"
            late = "reported_undated" if unresolved else "reported_late"
            return "reported_on_time" if min(counting) <= due else late
        if clock is None or due is None:
            return self._clockless()
        if clock[1] > T:
            return "not_completed"
        if due >= T:
            return "not_due"
        return "reporting_unknown" if unresolved else "overdue"


def _registration(r: date | None, start: Bounds | None) -> tuple[str, str, str]:
    if start and start[0] > T:
        return ("not_started",) * 3
    if start is None or r is None:
        return ("unknown",) * 3
    first, last = start
    law = date(2008, 9, 27)

    def deadline(day: date) -> date:
        return max(law, day + timedelta(days=21))

    def three(true: bool, false: bool) -> str:
        return "prospective" if true else "retrospective" if false else "unknown"

    month = three(r.isoformat()[:7] <= first.isoformat()[:7], True)
    if (last - first).days > 31:
        month = "unknown"
    return three(r <= first, r > last), month, three(r <= deadline(first), r > deadline(last))


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _studies(path: Path) -> Iterator[Json]:
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                yield json.loads(archive.read(name))
    elif path.suffix == ".gz":
        yield from json.loads(gzip.decompress(path.read_bytes()))["studies"]
    else:
        yield from json.loads(path.read_bytes())


def _parse(path: Path) -> ElementTree.Element:
    return ElementTree.fromstring(gzip.decompress(path.read_bytes()))


# --- fixtures ------------------------------------------------------------------------------------------------------


@dataclass
class _World:
    """A written sample, read once."""

    out: Path
    reader: _Reader
    truth: list[dict[str, str]]
    imports: list[dict[str, str]]


def _world(out: Path, seed: int) -> _World:
    write_sample(out, SIZE, seed)
    return _World(out, _Reader(out).read(), _rows(out / "truth.csv"), _rows(out / "imports.csv"))


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> _World:
    return _world(tmp_path_factory.mktemp("first"), SEEDS[0])


@pytest.fixture(scope="module", params=SEEDS)
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> _World:
    if request.param == SEEDS[0]:
        found = request.getfixturevalue("first")
        assert isinstance(found, _World)
        return found
    return _world(tmp_path_factory.mktemp(f"seed{request.param}"), request.param)


@pytest.fixture(scope="module")
def texts(first: _World) -> dict[str, str]:
    return dict(_everything(first.out))


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("small")
    write_sample(out, 400)
    return out


def _files(out: Path) -> dict[str, str]:
    return {
        str(path.relative_to(out)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(out.rglob("*"))
        if path.is_file()
    }


def _everything(out: Path) -> Iterator[tuple[str, str]]:
    """Every written text, unpacked."""
    for path in sorted(out.rglob("*")):
        if path.suffix == ".zip":
            with zipfile.ZipFile(path) as archive:
                for name in archive.namelist():
                    yield f"{path.name}/{name}", archive.read(name).decode()
        elif path.suffix == ".gz":
            yield path.name, gzip.decompress(path.read_bytes()).decode()
        elif path.is_file():
            yield path.name, path.read_text(encoding="utf-8")


# --- tests ---------------------------------------------------------------------------------------------------------


def test_a_second_reading_of_the_files_comes_to_the_same_verdicts(world: _World) -> None:
    found = {row["trial_id"]: row for row in world.reader.verdicts()}
    rows = world.truth
    assert {row["trial_id"] for row in rows} == set(found)
    wrong = [
        (row["trial_id"], row["scenario"], name, row[name], value)
        for row in rows
        for name, value in found[row["trial_id"]].items()
        if row[name] != value
    ]
    assert wrong == []


def test_every_status_is_there(world: _World) -> None:
    rows = world.truth
    assert len(rows) == SIZE
    assert {row["alltrials_summary"] for row in rows} == {row["who_summary"] for row in rows} == SUMMARY_CODES
    assert {row["who_publication"] for row in rows} == PUBLICATION_CODES
    for rule in ("strict_day", "month", "us_21_days"):
        assert {row[rule] for row in rows} == {"prospective", "retrospective", "not_started", "unknown"}
    assert {row["any_results"] for row in rows} == {"true", "false", "unknown"}
    assert {row["as_of"] for row in rows} == {"2026-06-30"}


def test_every_way_of_making_a_trial_is_there(world: _World) -> None:
    parts = [row["scenario"].split("/") for row in world.truth]
    assert {course.slug for course in COURSES} == {part[0] for part in parts}
    assert {entry.slug for entry in ENTRIES} == {part[2] for part in parts}
    assert {*HISTORIES, "repeat"} == {part[3] for part in parts if len(part) > 3}
    articles = {slug for part in parts for slug in part[1].split("+")}
    assert {trap.slug for trap in TRAPS} <= articles
    assert {count.slug for count in COUNTS} <= {slug.split("-")[0] for slug in articles}
    timings = {slug.split("-")[1] for slug in articles if "-" in slug}
    assert timings >= set(TIMINGS.split())


def test_about_half_of_what_is_due_is_reported(world: _World) -> None:
    count = Counter(row["alltrials_summary"] for row in world.truth)
    reported = sum(count[code] for code in ("reported_on_time", "reported_late", "reported_undated"))
    missing = count["overdue"] + count["overdue_submission_cancelled"]
    assert 0.35 < reported / (reported + missing) < 0.6


def test_due_dates_stand_on_both_sides_of_the_as_of_date(world: _World) -> None:
    pairs = {(row["due_latest_alltrials"], row["alltrials_summary"]) for row in world.truth}
    assert {("2026-06-30", "not_due"), ("2026-06-29", "overdue"), ("2025-02-28", "overdue")} <= pairs


def test_the_same_size_and_seed_give_the_same_bytes(small: Path, tmp_path: Path) -> None:
    again, other = tmp_path / "again", tmp_path / "other"
    first, second = write_sample(again, 400), write_sample(other, 400, seed=2)
    assert _files(again) == _files(small)
    assert _files(other) != _files(small)
    assert (first.trials, second.trials) == (400, 400)
    # Writing anew replaces what was written, also by a smaller world.
    write_sample(other, 20)
    write_sample(other, 400)
    assert _files(other) == _files(small)


def test_the_summary_counts_what_was_written(small: Path, tmp_path: Path) -> None:
    summary = write_sample(tmp_path, 400)
    reader = _Reader(tmp_path).read()
    imports = _rows(tmp_path / "imports.csv")
    elements = Counter(e.tag for row in imports if row["source"] == "pubmed" for e in _parse(tmp_path / row["file"]))
    assert summary.registrations == len(reader.records)
    assert summary.articles == elements["PubmedArticle"]
    assert summary.files == len(imports)
    assert summary.as_of == T


def test_files_are_listed_in_the_order_of_their_days(first: _World) -> None:
    rows = first.imports
    assert [row["date"] for row in rows] == sorted(row["date"] for row in rows)
    assert list(rows[0]) == ["source", "date", "scope", "baseline", "file"]
    listed = {row["file"] for row in rows}
    on_disk = {str(p.relative_to(first.out)) for p in first.out.glob("*/*") if p.suffix != ".md5"}
    assert listed == on_disk
    assert {(row["source"], row["scope"], row["baseline"]) for row in rows} == {
        ("ctgov", "partial", "false"),
        ("ctgov", "full", "false"),
        ("pubmed", "full", "true"),
        ("pubmed", "partial", "false"),
    }
    assert {row["date"] for row in rows if row["source"] == "ctgov"} == {"2026-03-10", "2026-06-24", "2026-06-29"}
    assert max(row["date"] for row in rows if row["source"] == "pubmed") == "2026-06-28"


def test_pubmed_files_are_numbered_without_a_gap_and_match_their_checksums(first: _World) -> None:
    rows = [row for row in first.imports if row["source"] == "pubmed"]
    paths = [first.out / row["file"] for row in rows]
    assert [path.name for path in paths] == [f"pubmed26n{n:04d}.xml.gz" for n in range(1, len(paths) + 1)]
    assert sum(row["baseline"] == "true" for row in rows) >= 2
    assert sum(row["baseline"] == "false" for row in rows) >= 2
    for path in paths:
        md5 = hashlib.md5(path.read_bytes()).hexdigest()
        assert path.with_name(f"{path.name}.md5").read_text() == f"MD5({path.name})= {md5}\n"
        assert path.read_bytes()[4:8] == b"\0\0\0\0"


def test_only_the_last_page_has_no_token(first: _World) -> None:
    paths = sorted((first.out / "ctgov").glob("*.page-*.json.gz"))
    pages = [json.loads(gzip.decompress(path.read_bytes())) for path in paths]
    assert len(pages) == 2
    assert ["nextPageToken" in page for page in pages] == [True, False]
    assert [len(page["studies"]) for page in pages[:-1]] == [1000]


def test_updates_revise_delete_and_give_back(first: _World) -> None:
    seen: set[tuple[str, str]] = set()
    deleted: set[tuple[str, str]] = set()
    revised = back = 0
    for row in first.imports:
        if row["source"] != "pubmed":
            continue
        root = _parse(first.out / row["file"])
        assert [element.tag for element in root].count("DeleteCitation") <= 1
        for element in root:
            if element.tag == "DeleteCitation":
                assert element is root[-1]
                assert row["baseline"] == "false"
                deleted |= {(pmid.text or "", pmid.get("Version", "")) for pmid in element}
                assert deleted <= seen
                continue
            pmid = element.find("MedlineCitation/PMID")
            assert pmid is not None
            key = (pmid.text or "", pmid.get("Version", ""))
            revised += key in seen and row["baseline"] == "false"
            back += key in deleted
            seen.add(key)
    assert revised > 10
    assert len(deleted) > 5
    assert back > 0
    assert any(version == "2" for _pmid, version in seen)


def test_articles_have_the_irregularities_of_real_files(texts: dict[str, str]) -> None:
    text = "".join(text for name, text in texts.items() if name.endswith(".xml.gz"))
    for sign in (
        "<MedlineDate>",
        "<Season>",
        "<ArticleDate",
        '<AbstractText Label="LEVEL OF EVIDENCE: 4"/>',
        "<AbstractText/>",
        "<ArticleTitle><i>",
        "<VernacularTitle>",
        "<CollectiveName>NCT9",
        '<Keyword MajorTopicYN="N">NCT9',
        "clinicaltrials.gov/study/NCT9",
        'RefType="RetractionIn"',
        'RefType="RetractionOf"',
        'RefType="ErratumFor"',
        'VersionID="2"',
        "<DataBankName>figshare",
        "Retraction Notice",
        "Clinical Trial Protocol",
    ):
        assert sign in text, sign
    assert re.search(r"<PubDate><Year>\d{4}</Year></PubDate>", text)
    assert re.search(r"<PubDate><Year>\d{4}</Year><Month>\d\d</Month>", text)
    assert re.search(r"<PubDate><Year>\d{4}</Year><Month>[A-Z][a-z]{2}</Month></PubDate>", text)


def test_most_of_the_rest_of_pubmed_is_of_no_interest(first: _World) -> None:
    reader = first.reader
    plain = [a for a in reader.newest_articles.values() if not a.named and "D016449" not in a.types]
    assert len(plain) > 0.5 * len(reader.newest_articles)


def test_studies_have_the_irregularities_of_real_records(first: _World) -> None:
    studies = [study for _n, r in sorted(first.reader.records.items()) for _u, _d, study in r.versions]
    text = json.dumps(studies)
    status = [study["protocolSection"]["statusModule"] for study in studies]
    design = [study["protocolSection"].get("designModule", {}) for study in studies]
    ids = [
        one for study in studies for one in study["protocolSection"]["identificationModule"].get("secondaryIdInfos", [])
    ]
    assert all("hasResults" in study for study in studies)
    assert {one.get("type") for one in ids} >= {"EUDRACT_NUMBER", "REGISTRY", "NIH", "CTIS", "OTHER", None}
    assert any(one["id"].startswith("EudraCT-No.:") for one in ids)
    assert any("@" in one["id"] for one in ids)
    assert any("nctIdAliases" in study["protocolSection"]["identificationModule"] for study in studies)
    assert any("startDateStruct" not in one for one in status)
    assert any("type" not in one.get("startDateStruct", {"type": ""}) for one in status)
    assert any(len(one.get("startDateStruct", {}).get("date", "")) == 7 for one in status)
    assert any("overallStatus" not in one for one in status)
    assert all(
        "lastKnownStatus" in one for one in status if one.get("overallStatus") == "UNKNOWN" and "startDateStruct" in one
    )
    assert any("dispFirstSubmitDate" in one for one in status)
    assert any("studyType" not in one for one in design)
    assert any(len(one.get("phases", [])) == 2 for one in design)
    for sign in (
        '"dateUnknown"',
        '"unreleaseDateUnknown"',
        '"RESET"',
        '"largeDocs"',
        '"INDIV"',
        '"retractions"',
        '"2641-03',
    ):
        assert sign in text, sign
    persons = [
        (module["leadSponsor"], module.get("responsibleParty", {}).get("investigatorFullName"))
        for study in studies
        for module in (study["protocolSection"]["sponsorCollaboratorsModule"],)
    ]
    assert any(lead["name"] == party and lead["class"] == "OTHER" for lead, party in persons)
    assert any(lead["class"] == "INDIV" for lead, _party in persons)


def test_the_update_repeats_some_records_and_changes_others(first: _World) -> None:
    pages = {
        study["protocolSection"]["identificationModule"]["nctId"]: study
        for path in (first.out / "ctgov").glob("*.page-*")
        for study in _studies(path)
    }
    update = list(_studies(first.out / "ctgov" / "update-2026-06-29.json"))
    same = sum(pages[study["protocolSection"]["identificationModule"]["nctId"]] == study for study in update)
    assert 1 <= same <= 2
    assert len(update) > same + 5


def test_no_number_lies_outside_the_fictional_ranges(texts: dict[str, str]) -> None:
    for name, text in texts.items():
        if name == "imports.csv":
            continue
        for number in re.findall(r"(?i)NCT\W{0,2}(\d{7,9})", text):
            assert number.startswith("9"), (name, number)
        for pmid in re.findall(r'"pmid":"(\d+)"|<PMID[^>]*>(\d+)<|IdType="pubmed">(\d+)<', text):
            assert int("".join(pmid)) >= 900_000_001, (name, pmid)
        assert re.findall(r"\b10\.(?!99999/)\d{4,}/", text) == []
        assert re.findall(r"\b(?!2090)20\d\d-[05]\d{5}-\d\d\b", text) == []
        assert re.findall(r"ISRCTN(?!000)", text.replace('"ISRCTN"', "")) == []


def test_contacts_are_invented(texts: dict[str, str]) -> None:
    for name, text in texts.items():
        if name.endswith(".md5"):
            continue
        assert set(re.findall(r"@[\w.-]+\w", text)) <= {"@example.org"}, name
        assert all(re.fullmatch(r"\+1-\d{3}-555-01\d\d", phone) for phone in re.findall(r'"phone":"([^"]*)"', text))
        for person in re.findall(r'"investigatorFullName":"([^"]*)"', text):
            assert person.split()[-1] in SURNAMES


def test_the_numbers_of_one_trial_are_its_own(first: _World) -> None:
    owners: dict[str, set[str]] = {}
    reader = first.reader
    for number, record in reader.records.items():
        for one in record.newest[1]["protocolSection"]["identificationModule"].get("secondaryIdInfos", []):
            for found in re.findall(r"2090-[05]\d{5}-\d\d|ISRCTN\d{8}", one["id"]):
                owners.setdefault(found, set()).add(reader.trial_of(number))
    assert owners
    assert all(len(trials) == 1 for trials in owners.values())


def test_a_world_can_be_very_small(tmp_path: Path) -> None:
    for trials in (1, 2, 9):
        out = tmp_path / str(trials)
        summary = write_sample(out, trials)
        assert len(_rows(out / "truth.csv")) == trials
        assert len(list(_Reader(out).read().verdicts())) == trials
        assert summary.files >= 8
        for path in (out / "pubmed").glob("*.gz"):
            assert len(_parse(path)) > 0


def test_wrong_sizes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="trials"):
        write_sample(tmp_path, 0)
    with pytest.raises(ValueError, match="seed"):
        write_sample(tmp_path, 1, seed=-1)


def test_files_of_others_are_left_alone(tmp_path: Path) -> None:
    real = tmp_path / "pubmed" / "pubmed26n0001.xml.gz"
    real.parent.mkdir()
    real.write_bytes(b"a real dump")
    with pytest.raises(FileExistsError, match="pubmed"):
        write_sample(tmp_path, 1)
    assert real.read_bytes() == b"a real dump"
    assert not (tmp_path / "ctgov").exists()


def test_an_unfinished_sample_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_trial: object) -> object:
        raise RuntimeError("no truth today")

    monkeypatch.setattr("pipelines.sample.truth", broken)
    with pytest.raises(RuntimeError, match="no truth"):
        write_sample(tmp_path, 5)
    monkeypatch.undo()
    write_sample(tmp_path, 5)


def test_a_trial_depends_on_no_other() -> None:
    few = [trial.scenario for trial, _ in zip(draw_trials(1000, 7), range(30), strict=False)]
    assert few == [trial.scenario for trial in draw_trials(1000, 7)][:30]


def test_memory_does_not_grow_with_the_world(tmp_path: Path) -> None:
    def peak(trials: int) -> int:
        tracemalloc.start()
        try:
            write_sample(tmp_path / str(trials), trials)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(100)
    assert peak(1600) < peak(400) + 2_000_000


def test_the_witness_knows_nothing_of_the_pipeline() -> None:
    allowed = {*sys.stdlib_module_names, "msgspec"}
    for path in Path(pipelines.sample.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                modules = [node.module or "."]
            for module in modules:
                assert module.split(".")[0] in allowed or module.startswith("pipelines.sample"), (path.name, module)


def test_a_random_day_stays_in_its_interval() -> None:
    draw = Draw(random.Random(1))
    days = {draw.day(date(2026, 1, 30), date(2026, 2, 2)) for _ in range(200)}
    assert days == {date(2026, 1, 30) + timedelta(days=n) for n in range(4)}
    assert draw.day(date(2026, 2, 2), date(2026, 1, 1)) == date(2026, 2, 2)
