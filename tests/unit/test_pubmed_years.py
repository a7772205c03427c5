"""What a new yearly baseline changes, when it takes over, and that it is told."""

from datetime import date, timedelta

import pytest

from pipelines import build, importing, store
from tests.worlds import AS_OF, article, article_set, nct, put_file, put_studies, rows, study, tables

OLD, NEW = date(2024, 1, 30), AS_OF - timedelta(days=5)
PLAIN = (("D016428", "Journal Article"),)


def paper(number: int, **fields: object) -> str:
    return article(900000000 + number, **({"bank": (nct(1),)} | fields))


def two_years(tmp_path, before, update, after, cited=()):
    """A study per trial, the whole baseline of 2024 with one update file, then the whole baseline of 2025."""
    data = tmp_path / "data"
    references = [{"pmid": str(900000000 + n), "type": "RESULT"} for n in cited]
    put_studies(data, AS_OF, [study(1), study(2, references=references)])
    put_file(data, "pubmed", OLD, "pubmed24n0001.xml", article_set(*before), "full", baseline=True)
    put_file(data, "pubmed", OLD, "pubmed24n0002.xml", update)
    put_file(data, "pubmed", NEW, "pubmed25n0001.xml", article_set(*after), "full", baseline=True)
    return data


CHANGES = {
    # case -> (before, after, change, trials lost, trials gained); None is no record; the study 2 cites article 9
    "as it was": (paper(1), paper(1), None, [], []),
    "gone": (paper(2), None, "gone", [nct(1)], []),
    "new": (None, paper(3), "new", [], [nct(1)]),
    "altered": (paper(4), paper(4, title="Revised."), "altered", [], []),
    "another trial": (paper(5), paper(5, bank=(nct(2),)), "altered", [nct(1)], [nct(2)]),
    "a version more": (paper(6), paper(6) + paper(6, version=2), "altered", [], []),
    "no longer of use": (paper(7), paper(7, bank=(), types=PLAIN), "no_longer_of_use", [nct(1)], []),
    "newly of use": (paper(8, bank=(), types=PLAIN), paper(8), "newly_of_use", [], [nct(1)]),
    "cited and gone": (paper(9, bank=(), types=PLAIN), None, "gone", [nct(2)], []),
    "of no use": (paper(10, bank=(), types=PLAIN), None, None, [], []),
}


@pytest.fixture(scope="module")
def changes(tmp_path_factory):
    before = [b for b, *_ in CHANGES.values() if b]
    after = [a for _, a, *_ in CHANGES.values() if a]
    late = article_set(paper(20), paper(21))  # delivered after the freeze: not in the new baseline
    data = two_years(tmp_path_factory.mktemp("years"), [*before, paper(22)], late, after, cited=[9])
    gone = article_set(paper(20), deleted=[900000004])
    put_file(data, "pubmed", NEW, "pubmed25n0002.xml", gone)
    with tables(data) as connection:
        found = rows(
            connection,
            """SELECT pmid - 900000000, change, trials_lost, trials_gained, is_cited, is_loaded, file_year
            FROM baseline_changes ORDER BY 1""",
        )
        (note,) = build._baseline_change(connection)
    return {number: values for number, *values in found} | {"note": note}


@pytest.mark.parametrize("case", CHANGES)
def test_what_a_baseline_did_to_an_article(changes, case):
    number = list(CHANGES).index(case) + 1
    _, after, change, lost, gained = CHANGES[case]
    if change is None:
        assert number not in changes
        return
    is_loaded = bool(after) and change != "no_longer_of_use" and case != "altered"  # an update deletes that one later
    assert changes[number] == [change, lost, gained, number == 9, is_loaded, 25]


def test_it_is_held_against_the_last_state_of_the_year_before(changes):
    assert changes[20] == ["gone", [nct(1)], [], False, True, 25], "brought by an update of each year"
    assert changes[21] == ["gone", [nct(1)], [], False, False, 25]
    assert set(changes) == {2, 3, 4, 5, 6, 7, 8, 9, 20, 21, 22, "note"}


def test_a_build_tells_it_in_one_sentence(changes):
    assert changes["note"] == (
        "the baseline of 2025 changed the articles: 5 gone (1 of them cited by registries), 1 new, 3 altered; "
        "their links to trials: 7 lost, 3 gained"
    )


@pytest.mark.parametrize(("files", "lines"), [(1, 1), (20, 20), (21, 1)])
def test_files_that_wait_are_named_each_or_counted_where_they_are_many(files, lines):
    with store.connect() as connection:
        connection.execute(
            f"""CREATE TABLE article_files AS SELECT 25 AS file_year, n AS file_number, false AS is_applied,
            printf('pubmed25n%04d.xml', n) AS payload, 7 AS waits_for FROM range(8, {8 + files}) AS r(n)"""
        )
        told = build._held_back(connection)
    assert len(told) == lines
    more = " and 20 more files" if files > lines else ""
    awaited = "waits for the file n0007 of its year, which is missing or could not be read"
    assert told[0] == f"pubmed25n0008.xml{more}: {awaited}"


@pytest.mark.parametrize("scope", ["full", "partial"])
def test_nothing_is_said_of_a_baseline_without_a_whole_one_before_it(tmp_path, scope):
    data = tmp_path / "data"
    put_studies(data, AS_OF, [study(1)])
    if scope == "partial":
        put_file(data, "pubmed", OLD, "pubmed24n0001.xml", article_set(paper(1)), "partial", baseline=True)
    put_file(data, "pubmed", NEW, "pubmed25n0001.xml", article_set(paper(2)), "full", baseline=True)
    with tables(data) as connection:
        assert rows(connection, "SELECT * FROM baseline_changes") == []


def test_the_older_year_stands_until_every_file_of_the_new_baseline_could_be_read(tmp_path):
    data = two_years(tmp_path, [paper(1), paper(2)], article_set(paper(3)), [paper(1, title="New.")])
    folder = data.parent / "dumps" / f"{NEW}-full"
    # The same baseline in two files, the second of which is torn.
    torn = article_set(paper(2, title="New."), paper(4))[:-200]
    (folder / "pubmed25n0002.xml").write_text(torn)
    files = (folder / "pubmed25n0001.xml", folder / "pubmed25n0002.xml")
    importing.take(data, importing.Import("pubmed", NEW, files, "full", True))
    put_file(data, "pubmed", NEW, "pubmed25n0003.xml", article_set(paper(5)))

    def stands(connection):
        return rows(connection, "SELECT pmid - 900000000, title FROM publications ORDER BY 1")

    old = "Invented drug against placebo."
    with tables(data) as connection:
        assert stands(connection) == [(1, old), (2, old), (3, old)]
        assert rows(connection, "SELECT * FROM baseline_changes") == []
        held = rows(connection, "SELECT DISTINCT payload FROM payloads WHERE is_held_back ORDER BY 1")
        assert held == [("pubmed25n0001.xml",), ("pubmed25n0002.xml",), ("pubmed25n0003.xml",)]
        (state,) = rows(connection, "SELECT is_whole, complete_through FROM sources WHERE source = 'pubmed'")
        assert state == (True, OLD)
    put_file(data, "pubmed", AS_OF, "pubmed25n0002.xml", article_set(paper(2, title="New."), paper(4)))
    with tables(data) as connection:
        assert stands(connection) == [(1, "New."), (2, "New."), (4, old), (5, old)]
        assert rows(connection, "SELECT pmid - 900000000, change FROM baseline_changes ORDER BY 1") == [
            (1, "altered"), (2, "altered"), (3, "gone"), (4, "new")]  # fmt: skip


def test_an_older_version_does_not_speak_for_an_article_whose_newest_is_of_no_use(tmp_path):
    data = tmp_path / "data"
    put_studies(data, AS_OF, [study(1)])
    versions = article_set(paper(1), paper(1, version=2, bank=(), types=PLAIN), paper(2))
    put_file(data, "pubmed", OLD, "pubmed24n0001.xml", versions, "full", baseline=True)
    with tables(data) as connection:
        assert rows(connection, "SELECT pmid - 900000000, version FROM publications") == [(2, 1)]
