"""The reviewer's path: trials found by words and terms, each in one group, and a reviewer's own list beside them."""

import csv
import io
from pathlib import Path

import pytest

from pipelines import build, review
from pipelines.contracts import contracts
from pipelines.errors import UsageError
from tests.unit.test_missing_tables import STUDIES, of
from tests.worlds import AS_OF, article, article_set, nct, put_file, put_studies, tables

NOSE = of(20, ["Hay fever"], [("Drops", ["Rhinocort Aqua"])], ["Rhinitis"], (), ["Nose Diseases"])
BELOW = of(21, ["Rhinitis"], ["Placebo"], ["Rhinitis"], (), ["Nose Diseases"])
PARENT = of(22, ["Nose Diseases"], ["Placebo"], ["Nose Diseases"])


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory):
    """The tables of a build with the views and macros that a warehouse keeps of them."""
    data = tmp_path_factory.mktemp("review") / "data"
    put_studies(data, AS_OF, [*STUDIES, NOSE, BELOW, PARENT])
    articles = (article(900000001, bank=(nct(5),)), article(900000002, title="Rationale and design.", bank=(nct(1),)))
    put_file(data, "pubmed", AS_OF, "pubmed24n0001.xml", article_set(*articles), "full", baseline=True)
    with tables(data) as connection:
        build.add_views(connection, contracts(), AS_OF)
        yield connection


# --- finding by words -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("condition", "intervention", "expected"),
    [
        ("asthma", None, dict.fromkeys((1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 15), "same term")),
        ("Bronchial ASTHMA", None, dict.fromkeys((1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 15), "same term")),
        ("nose diseases", None, {22: "same term", 21: "term below"}),
        ("airways", None, {14: "words"}),
        ("airway", None, {}),  # no part of a word
        ("asthma", "pulmicort", dict.fromkeys((1, 2, 3, 5, 6, 7, 8, 12), "same term")),
        (None, "Rhinocort", {20: None}),
        (None, "salt", {13: None, 14: None}),
    ],
)  # fmt: skip
def test_trials_are_found_by_words(warehouse, condition, intervention, expected):
    found = warehouse.execute(
        "SELECT trial_id, condition_by FROM find_trials(?, ?)", [condition, intervention]
    ).fetchall()
    assert dict(found) == {nct(number): by for number, by in expected.items()}


# --- groups ---------------------------------------------------------------------------------------------------------

GROUPS = {
    "missing": {1, 3, 9},
    "none_found": {15},
    "cannot_judge": {12},
    "found": {2, 5},
    "not_completed": {4},
    "completion_unclear": {6},
    "outside": {7, 8},
}


def test_every_trial_stands_in_one_group(warehouse):
    told = review.review(warehouse, "asthma")
    groups = {group: {r["trial_id"] for r in told.rows if r["group"] == group} for group in review.GROUPS}
    assert groups == {group: {nct(n) for n in numbers} for group, numbers in GROUPS.items()}
    assert [line.split(" ")[0] for line in review.counts(told)] == ["3", "1", "1", "2", "1", "1", "2"]


def test_another_policy_asks_at_another_time(warehouse):
    told = review.review(warehouse, "asthma", policy="uk-ctr-2026")
    assert {r["trial_id"] for r in told.rows if r["group"] == "missing"} == set()
    assert {r["trial_id"] for r in told.rows if r["group"] == "none_found"} == {nct(n) for n in (1, 3, 9, 15)}


def test_the_files_say_why_a_trial_is_thought_due_and_where_results_were_found(warehouse):
    told = review.review(warehouse, "Asthma", "Budesonide")
    assert told.name == "review-asthma-budesonide"
    lines = {r["trial_id"]: r for r in csv.DictReader(io.StringIO(review.as_csv(told)))}
    assert lines[nct(1)]["why_due"] == (
        "AllTrials: summary results (version 1): summary results on the register within 12 months of completion. The clock "
        f"started on 2021-03-10 ({nct(1)}, primary_completion); due 2022-03-10; status overdue."
    )  # fmt: skip
    assert lines[nct(1)]["searched"] == f"register: {nct(1)} read on 2024-06-30"
    assert lines[nct(1)]["other_pmids"] == "900000002"
    assert (lines[nct(2)]["result_registrations"], lines[nct(5)]["result_pmids"]) == (nct(2), "900000001")
    assert lines[nct(5)]["result_dois"] == "10.99999/900000001"
    assert lines[nct(5)]["why_due"] == ""
    page = review.as_markdown(told)
    assert "| 2 | Missing: due, and no results found in the sources searched | 50 | 40 | 0 | 0 |" in page
    assert "Could not be judged: articles: 1 result reference(s) of the record not among the loaded articles" in page
    assert "unpublished" not in page.lower()
    assert review.as_markdown(review.review(warehouse, "Asthma", "Budesonide")) == page


def test_a_title_is_no_markup(warehouse):
    assert review._plain("a|b *c*\n[d](e) <f>") == r"a\|b \*c\* \[d\](e) \<f\>"


# --- a reviewer's own list ------------------------------------------------------------------------------------------


def written(folder: Path, *lines: str) -> Path:
    path = folder / "mine.csv"
    path.write_text("\n".join([*lines, ""]), encoding="utf-8-sig")
    return path


def test_a_list_is_matched_by_registration_doi_and_pmid(warehouse, tmp_path):
    path = written(
        tmp_path,
        "study;reference;PMID",
        f"Smith 2021;registered as nct {nct(2)[3:]};",
        "Jones 2022;https://doi.org/10.99999/900000001;",
        "Doe 2022;;900000001",
        f"Roe 2019;{nct(13)};",
        "Poe 2018;NCT00000000 and doi:10.1000/nothing;",
        "Noe 2017;no number;",
    )
    told = review.review(warehouse, "asthma", listed=path)
    mine = {r["trial_id"]: r["rows_of_your_list"] for r in told.rows if r["rows_of_your_list"]}
    assert mine == {nct(2): ["2"], nct(5): ["3", "4"]}
    page = review.as_markdown(told)
    assert "6 rows: 3 lead to a trial above, 1 to a trial that is not above, 2 to none that is known here." in page
    assert f"- Row 5: {nct(13)} (by {nct(13)}) was not found by the words." in page
    assert "- Row 7: no number leads to no trial in the sources loaded." in page
    alone = review.review(warehouse, listed=path)
    assert {r["trial_id"] for r in alone.rows} == {nct(2), nct(5), nct(13)}
    assert alone.name == "review"


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ({}, "Say what the review is about"),
        ({"condition": "asthma", "policy": "none-such"}, "There is no reporting policy 'none-such'. There are: alltrials"),
        ({"condition": "asthmma"}, "No trial of 'asthmma' was found in the sources loaded. conditions that come near 'asthmma': asthma"),
        ({"condition": "asthma", "intervention": "zzz"}, "No trial of 'asthma' and 'zzz' was found"),
    ],
)  # fmt: skip
def test_a_question_without_an_answer_says_so(warehouse, tmp_path, asked, reason):
    with pytest.raises(UsageError, match=reason):
        review.review(warehouse, **asked)
    if "condition" in asked:  # a list beside it does not take the place of the words
        with pytest.raises(UsageError, match=reason):
            review.review(warehouse, **asked, listed=written(tmp_path, "study", nct(2)))


@pytest.mark.parametrize(
    ("cell", "named"),
    [
        ("NL8498", ("NL8498",)),
        (" NTR 3912 ", ("NTR3912",)),
        ("nct01234567", ("NCT01234567",)),
        ("NCT01234567; NCT01234568", ("NCT01234567", "NCT01234568")),
        ("the receptor NTR 3912", ()),
    ],
)
def test_a_cell_that_is_a_number_is_one(tmp_path, cell, named):
    listed = review.read_list(written(tmp_path, "study\tnumber", f"Smith 2021\t{cell}", f"Jones\t{nct(1)}"))
    assert [row.named for row in listed] == [named, (nct(1),)]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"study\n", "mine.csv: holds no row below its header"),
        (b"study,year\nSmith,2021\n", "no column holds a registration number, a DOI or a PMID"),
        (b"study\nM\xfcller\n", "is not in UTF-8"),
    ],
)
def test_a_list_that_cannot_be_used_is_refused(tmp_path, content, reason):
    path = tmp_path / "mine.csv"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=reason):
        review.read_list(path)
