"""A year of PubMed: a baseline, update files one after another, the next year's baseline. What stands at any time is what
a plain fold over the files says, which is written here a second time, without SQL."""

import random
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest

from pipelines import importing
from pipelines.importing import Import
from tests.worlds import article, article_set, nct, put_studies, rows, study, tables

FIRST_DAY = date(2024, 1, 2)
PLANTED = 900000000
MADE = 910000000
PLAIN = (("D016428", "Journal Article"),)


class Record(NamedTuple):
    pmid: int
    version: int
    title: str
    is_wanted: bool


class File(NamedTuple):
    articles: list[Record]
    deletions: list[tuple[int, int]]


def xml(file: File) -> str:
    written = [
        article(r.pmid, version=r.version, title=r.title, **({"bank": (nct(1),)} if r.is_wanted else {"types": PLAIN}))
        for r in file.articles
    ]
    gone = "".join(f'<PMID Version="{version}">{pmid}</PMID>' for pmid, version in file.deletions)
    end = "</PubmedArticleSet>"
    return article_set(*written).replace(end, f"<DeleteCitation>{gone}</DeleteCitation>{end}" if gone else end)


# --- the oracle -----------------------------------------------------------------------------------------------------

State = dict[tuple[int, int], Record]


def fold(state: State, file: File) -> State:
    """Later records win, whole; deletions stand at the end of a file; what is deleted can come back."""
    after = state | {(r.pmid, r.version): r for r in file.articles}
    return {key: record for key, record in after.items() if key not in file.deletions}


def shown(state: State) -> list[tuple[int, int, str]]:
    """The highest version of every article, if that is of use."""
    highest = {pmid: max(v for p, v in state if p == pmid) for pmid, _ in state}
    return sorted((p, v, r.title) for (p, v), r in state.items() if v == highest[p] and r.is_wanted)


# --- a made-up year -------------------------------------------------------------------------------------------------


def planted(number: int, of: int) -> File:
    """What is planted in the update file of that number; each of these articles ends in a known way."""
    at = {round(of * share): name for share, name in ((0.2, "first"), (0.5, "second"), (0.9, "third"))}.get(number)

    def record(n: int, version: int, is_wanted: bool = True) -> Record:
        return Record(PLANTED + n, version, f"Article {n}, version {version}, {at}.", is_wanted)

    match at:
        case "first":
            return File([record(3, 2), record(5, 1, False)], [(PLANTED + 1, 1), (PLANTED + 2, 1)])
        case "second":
            return File([record(2, 1), record(3, 3), record(4, 1), record(6, 1)], [(PLANTED + 6, 1)])
        case "third":
            return File([record(4, 1), record(4, 1)], [(PLANTED + 3, 3), (PLANTED + 77, 1)])
    return File([], [])


ENDS = [
    # 1 was deleted; 5 is of no use any more; 6 was deleted by the file that brought it
    (PLANTED + 2, 1, "Article 2, version 1, second."),  # deleted and brought back
    (PLANTED + 3, 2, "Article 3, version 2, first."),  # its third version was deleted
    (PLANTED + 4, 1, "Article 4, version 1, third."),  # revised twice
]


def made(rng: random.Random, state: State, number: int) -> File:
    """Revisions, new articles, new versions, returns and deletions as chance has it."""
    keys = sorted(key for key in state if key[0] >= MADE)
    articles = []
    for n in range(rng.randint(2, 8)):
        pmid, version = rng.choice(keys)
        kind = rng.random()
        if kind < 0.2:
            pmid, version = MADE + 1000 * number + n, 1
        elif kind < 0.4:
            version += rng.choice((1, 1, 2))
        elif kind < 0.5:
            pmid, version = MADE + rng.randint(1, 60), 1  # there or not
        articles.append(Record(pmid, version, f"File {number}, article {n}.", rng.random() < 0.75))
    gone = rng.sample(keys, rng.randint(0, 3)) + [(r.pmid, r.version) for r in articles if rng.random() < 0.05]
    return File(articles, [*gone, (MADE + 500 * number + 499, 1)])


def year(updates: int, seed: int) -> tuple[list[File], list[File]]:
    """The files of a baseline, and the update files after it."""
    rng = random.Random(seed)
    first = [Record(PLANTED + n, 1, f"Article {n}, at first.", True) for n in range(1, 6)]
    first += [Record(MADE + n, 1, f"Article {n}, at first.", rng.random() < 0.75) for n in range(1, 61)]
    baseline = in_files(first)
    state: State = {(r.pmid, r.version): r for r in first}
    following = []
    for number in range(1, updates + 1):
        by_chance, on_purpose = made(rng, state, number), planted(number, updates)
        file = File(by_chance.articles + on_purpose.articles, by_chance.deletions + on_purpose.deletions)
        following.append(file)
        state = fold(state, file)
    return baseline, following


def in_files(records: list[Record], files: int = 4) -> list[File]:
    return [File(records[n::files], []) for n in range(files)]


def imported(data: Path, day: date, first: int, files: list[File], *, yy: int, baseline: bool = False) -> None:
    folder = data.parent / "dumps" / str(day)
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"pubmed{yy}n{number:04d}.xml" for number in range(first, first + len(files))]
    for path, file in zip(paths, files, strict=True):
        path.write_text(xml(file), encoding="utf-8")
    importing.take(data, Import("pubmed", day, tuple(paths), "full" if baseline else "partial", baseline))


def studies(data: Path) -> Path:
    put_studies(data, FIRST_DAY, [study(1), study(2)])
    return data


STANDING = "SELECT pmid, version, title FROM publications ORDER BY ALL"
"""What is compared with the oracle; and, between two ways to the same state, every column but the source's snapshot:"""
SAME = (
    "SELECT * EXCLUDE (snapshot) FROM publications ORDER BY pmid",
    "FROM publication_numbers ORDER BY ALL",
    "FROM trial_publications ORDER BY ALL",
)


@pytest.mark.parametrize("updates", [12, pytest.param(300, marks=pytest.mark.long)])
def test_a_year_of_updates_ends_where_the_next_baseline_begins(tmp_path, updates):
    baseline, following = year(updates, seed=updates)
    state: State = {(r.pmid, r.version): r for file in baseline for r in file.articles}
    states = [state]
    for file in following:
        states.append(fold(states[-1], file))

    data = studies(tmp_path / "a" / "data")
    imported(data, FIRST_DAY, 1, baseline, yy=24, baseline=True)
    for start in range(0, updates, 5):  # nights of up to five files
        day = FIRST_DAY + timedelta(days=start + 1)
        imported(data, day, len(baseline) + 1 + start, following[start : start + 5], yy=24)

    night = updates // 2 // 5 * 5
    with tables(data, FIRST_DAY + timedelta(days=night)) as connection:
        assert rows(connection, STANDING) == shown(states[night])
    last = FIRST_DAY + timedelta(days=updates + 10)
    with tables(data, last) as connection:
        found = rows(connection, STANDING)
        assert found == shown(states[-1])
        assert [row for row in found if row[0] < MADE] == ENDS
        by_updates = [rows(connection, sql) for sql in SAME]

    final = in_files([states[-1][key] for key in sorted(states[-1])])
    alone = studies(tmp_path / "b" / "data")
    imported(alone, last, 1, final, yy=25, baseline=True)
    with tables(alone, last) as connection:
        assert [rows(connection, sql) for sql in SAME] == by_updates
    imported(data, last, 1, final, yy=25, baseline=True)
    with tables(data, last) as connection:
        assert [rows(connection, sql) for sql in SAME] == by_updates
        assert rows(connection, "FROM baseline_changes") == [], "the new baseline says what the old year left"
