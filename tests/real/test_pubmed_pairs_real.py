"""The five real pairs of files of which the second updates the first: what stands afterwards is what a plain fold over
both texts says. Every article is kept, since a made-up registration cites them all."""

import gzip
import re
from datetime import date

import pytest

from pipelines import importing
from pipelines.importing import Import
from tests.worlds import AS_OF, put_studies, rows, study, tables

PAIRS = [("20", 1015), ("21", 1062), ("23", 1166), ("25", 1274), ("26", 1334)]
DAY = date(2026, 3, 1)
LATER = date(2026, 6, 30)

OWN = re.compile(
    r'<MedlineCitation[^>]*>\s*<PMID Version="(\d+)">(\d+)</PMID>(.*?)</MedlineCitation>',
    re.DOTALL,
)
REVISED = re.compile(r"<DateRevised>\s*<Year>(\d+)</Year>\s*<Month>(\d+)</Month>\s*<Day>(\d+)</Day>")
DELETED = re.compile(r"<DeleteCitation>(.*?)</DeleteCitation>", re.DOTALL)
ARTICLE = re.compile(r"<PubmedArticle>.*?</PubmedArticle>", re.DOTALL)
NUMBER = re.compile(r'<PMID Version="(\d+)">(\d+)</PMID>')


def fold(texts: list[str]) -> list[tuple[int, int, date | None]]:
    """PMID, highest version and its day of revision, after all texts in their order."""
    state: dict[tuple[int, int], date | None] = {}
    for text in texts:
        for version, pmid, body in OWN.findall(text):
            revised = REVISED.search(body)
            state[int(pmid), int(version)] = date(*map(int, revised.groups())) if revised else None
        for version, pmid in NUMBER.findall("".join(DELETED.findall(text))):
            state.pop((int(pmid), int(version)), None)
    highest = {pmid: max(v for p, v in state if p == pmid) for pmid, _ in state}
    return sorted((pmid, version, state[pmid, version]) for pmid, version in highest.items())


def account(texts: list[str]) -> list[tuple[int, int, int, int]]:
    """Of each text its articles, those that speak after both, those that say what the other text says as well, the rest.

    An article that stands in both word for word speaks from the later one; where a higher version speaks for it, the
    earlier text was superseded and the later one repeats it.
    """
    held = [{(int(OWN.search(a)[2]), int(OWN.search(a)[1])): a for a in ARTICLE.findall(text)} for text in texts]
    last: dict[tuple[int, int], int] = {}
    for place, articles in enumerate(held):
        last |= dict.fromkeys(articles, place)
    highest = {(pmid, version) for pmid, version, _ in fold(texts)}
    lines = []
    for place, articles in enumerate(held):
        current = {key for key in articles if key in highest and last[key] == place}
        again = {key for key, article in articles.items() if article == held[1 - place].get(key)} - current
        again = {key for key in again if key in highest or place}
        lines.append((len(articles), len(current), len(again), len(articles) - len(current) - len(again)))
    return lines


@pytest.mark.parametrize(("year", "first"), PAIRS, ids=[f"{year}n{first}" for year, first in PAIRS])
def test_what_stands_after_both_files_is_what_a_plain_fold_says(real_records, tmp_path, year, first):
    files = [real_records / "pubmed" / f"pubmed{year}n{number}.xml.gz" for number in (first, first + 1)]
    texts = [gzip.decompress(f.read_bytes()).decode() for f in files]
    every = sorted({int(pmid) for text in texts for _, pmid in NUMBER.findall(text)})
    data = tmp_path / "data"
    cited = [{"pmid": str(pmid), "type": "BACKGROUND"} for pmid in every]
    put_studies(data, AS_OF, [study(1, references=cited)])
    importing.take(data, Import("pubmed", DAY, tuple(files[:1]), baseline=True))
    importing.take(data, Import("pubmed", DAY, tuple(files[1:])))
    with tables(data, LATER) as connection:
        found = rows(connection, "SELECT pmid, version, revised FROM publications ORDER BY pmid")
        lost = rows(
            connection,
            """FROM payloads WHERE source = 'pubmed' AND (is_held_back OR records_in <>
            current_records + superseded + duplicate + rejected + held_back + not_wanted)""",
        )
        accounted = rows(
            connection,
            """SELECT records_in, current_records, duplicate, superseded FROM payloads WHERE source = 'pubmed'
            ORDER BY payload""",
        )
    assert lost == []
    assert accounted == account(texts)
    assert found == fold(texts)
