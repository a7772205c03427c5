"""Which article belongs to which trial and counts as its results, and which state of an article stands."""

from datetime import date, timedelta

import pytest

from pipelines import explain, importing, queries
from pipelines.contracts import contracts
from tests.unit.test_isrctn import found as isrctn_search
from tests.unit.test_isrctn import full as isrctn_record
from tests.unit.test_isrctn import output
from tests.worlds import AS_OF, article, article_set, make_again, nct, put_file, put_studies, rows, study, tables

BASELINE = date(2024, 1, 30)
UPDATE = AS_OF - timedelta(days=10)


def bank(number):
    return {"bank": (nct(number),)}


def text(number):
    return {"abstract": f"TRIAL REGISTRATION: {nct(number)}."}


# Trial: started 2020-01-15, primary completion 2021-03-10, completion 2021-06-10, due 2023-06-10 (24 months).
LINKS = {
    # case -> (article fields by trial number, references of the record, tier, filter, counts)
    "data bank and abstract": (lambda n: bank(n) | text(n), None, "L1", "passed", True),
    "data bank alone": (bank, None, "L2", "passed", True),
    "abstract alone": (text, None, "L3", "passed", True),
    "title alone": (lambda n: {"title": f"Trial {nct(n)}: drug against placebo."}, None, "L3", "passed", True),
    "number in odd spelling": (lambda n: {"abstract": f"(nct #{nct(n)[3:]})"}, None, "L3", "passed", True),
    "called a result by the register": (lambda n: {}, "RESULT", "L2", "passed", True),
    "derived, article names the trial": (bank, "DERIVED", "L2", "passed", True),
    "derived, article does not name it": (lambda n: {}, "DERIVED", "L4", "passed", False),
    "protocol by type": (
        lambda n: bank(n) | {"types": (("D000078325", "Clinical Trial Protocol"),)},
        None, "L2", "publication_type", False),
    "review": (lambda n: bank(n) | {"types": (("D016454", "Review"),)}, None, "L2", "publication_type", False),
    "expression of concern about an article": (
        lambda n: bank(n) | {"types": (("D000075742", "Expression of Concern"),)},
        None, "L2", "publication_type", False),
    "systematic review called a result": (
        lambda n: {"types": (("D000078182", "Systematic Review"),)}, "RESULT", "L2", "publication_type", False),
    "review of a type whose number we do not know": (
        lambda n: bank(n) | {"types": (("D999999999", "Scoping Review"),)}, None, "L2", "publication_type", False),
    "the same without a number": (
        lambda n: bank(n) | {"types": (("", "Network Meta-Analysis"),)}, None, "L2", "publication_type", False),
    "protocol by title": (
        lambda n: bank(n) | {"title": "Drug: study protocol of a trial."}, None, "L2", "title", False),
    "treatment protocol is no protocol": (
        lambda n: bank(n) | {"title": "A new treatment protocol against placebo."}, None, "L2", "passed", True),
    "study design at the end": (
        lambda n: bank(n) | {"title": "The EX trial: study design."}, None, "L2", "title", False),
    "crossover study design at the end": (
        lambda n: bank(n) | {"title": "Drug in a crossover: study design."}, None, "L2", "passed", True),
    "before the start": (lambda n: bank(n) | {"date": ("2019", "Dec", "01")}, None, "L2", "before_start", False),
    "in the month of the start": (lambda n: bank(n) | {"date": ("2020", "Jan")}, None, "L2", "passed", False),
    "interim": (lambda n: bank(n) | {"date": ("2021", "Mar", "09")}, None, "L2", "passed", False),
    "on the day of primary completion": (
        lambda n: bank(n) | {"date": ("2021", "Mar", "10")}, None, "L2", "passed", True),
    "in the month of primary completion": (lambda n: bank(n) | {"date": ("2021", "Mar")}, None, "L2", "passed", True),
    "retracted": (
        lambda n: bank(n) | {"types": (("D016441", "Retracted Publication"), ("D016449", "RCT"))},
        None, "L2", "passed", False),
    "preprint": (lambda n: bank(n) | {"types": (("D000076942", "Preprint"),)}, None, "L2", "passed", False),
}  # fmt: skip


@pytest.fixture(scope="module")
def links(tmp_path_factory):
    data = tmp_path_factory.mktemp("links") / "data"
    studies, articles = [], []
    for number, (fields, reference, *_) in enumerate(LINKS.values(), 1):
        references = [{"pmid": str(900000000 + number), "type": reference}] if reference else None
        studies.append(study(number, references=references))
        articles.append(article(900000000 + number, **fields(number)))
    put_studies(data, AS_OF, studies)
    put_file(data, "pubmed", BASELINE, "pubmed24n0001.xml", article_set(*articles), "full", baseline=True)
    with tables(data) as connection:
        yield {
            row[0]: row[1:]
            for row in rows(
                connection,
                "SELECT trial_id, tier, filter_outcome, counts_as_results FROM trial_publications",
            )
        }


@pytest.mark.parametrize("case", LINKS)
def test_link(links, case):
    number = list(LINKS).index(case) + 1
    assert links[nct(number)] == LINKS[case][2:]


# --- the ladder -----------------------------------------------------------------------------------------------------

POSTED = {"results": ("2022-02-01", "2022-03-01")}
UNDATED = {"has_results": True}
RETRACTED = {"types": (("D016441", "Retracted Publication"),)}
THROUGH = AS_OF - timedelta(days=10)
FIRST = {
    # case -> (study fields, article fields, day of a full report, first results (day, place))
    "register": (POSTED, {"date": ("2022", "Mar", "02")}, "2022-03-02", (date(2022, 3, 1), "register")),
    "article": (POSTED, {"date": ("2022", "Feb", "03")}, "2022-03-02", (date(2022, 2, 3), "article")),
    "report": (POSTED, {"date": ("2022", "Mar", "02")}, "2021-12-01", (date(2021, 12, 1), "report")),
    "report alone": ({}, None, "2021-12-01", (date(2021, 12, 1), "report")),
    "register, of an unknown day": (UNDATED, {}, "2021-12-01", (None, "register")),
    "article, of an unknown day": (POSTED, {"date": ()}, None, (None, "article")),
    "report, of an unknown day": (POSTED, {}, "", (None, "report")),
    "nothing": ({}, None, None, (None, None)),
}
RETRACTIONS = {
    # case -> (article fields, whether a results article was retracted)
    "results": ({}, True),
    "interim": ({"date": ("2021", "Mar", "09")}, False),
    "pooled": ({"bank": tuple(nct(n) for n in range(900, 904))}, False),
    "preprint": ({"types": (*RETRACTED["types"], ("D000076942", "Preprint"))}, False),
}
COMPLETED = {
    # case -> (primary completion, R3, results of the standing)
    "on the last day searched": (THROUGH, False, "none_found"),
    "since then": (THROUGH + timedelta(days=1), None, "cannot_judge"),
    "on the as-of date": (AS_OF, None, "cannot_judge"),
    "not yet": (AS_OF + timedelta(days=1), False, "none_found"),
}


@pytest.fixture(scope="module")
def ladder(tmp_path_factory):
    data = tmp_path_factory.mktemp("ladder") / "data"
    studies, articles, reports = [], [], []
    for number, (fields, paper, report, _) in enumerate(FIRST.values(), 1):
        studies.append(study(number, **fields))
        if paper is not None:
            articles.append(article(900000000 + number, **bank(number) | paper, revised=str(THROUGH)))
        if report is not None:
            reports.append(f"('{nct(number)}', 'report', {number}, 'study_report', TRY_CAST('{report}' AS DATE))")
    for number, (paper, _) in enumerate(RETRACTIONS.values(), 101):
        studies.append(study(number))
        named = {"bank": (nct(number), *paper.get("bank", ()))}
        articles.append(article(900000000 + number, **RETRACTED | paper | named, revised=str(THROUGH)))
    for number, (day, *_) in enumerate(COMPLETED.values(), 201):
        studies.append(study(number, pcd=str(day), cd=str(day)))
    # Four trials list two articles: one that names none of them, and one that names the first.
    listed = [{"pmid": pmid, "type": "RESULT"} for pmid in ("900000301", "900000302")]
    studies += [study(number, references=listed) for number in range(301, 305)]
    articles += [article(900000301, revised=str(THROUGH)), article(900000302, **bank(301), revised=str(THROUGH))]
    # The register calls one article of its trial the protocol, one both, one nothing.
    own = {"bank": ("ISRCTN00012345",), "revised": str(THROUGH)}
    articles += [article(pmid, **own) for pmid in (900000401, 900000402, 900000403)]
    said = [("protocolarticle", 900000401), ("protocolarticle", 900000402), ("resultsarticle", 900000402)]
    outputs = [output(kind, f"https://doi.org/10.99999/{pmid}") for kind, pmid in said]
    put_studies(data, AS_OF, studies)
    put_file(data, "isrctn", AS_OF, "one.xml", isrctn_search(isrctn_record(outputs={"output": outputs})))
    put_file(data, "pubmed", AS_OF, "pubmed24n0001.xml", article_set(*articles), "full", baseline=True)
    with tables(data) as connection:
        # No register of these trials shows full reports: they are put where CTIS would have put them.
        connection.execute(
            "INSERT INTO documents (trial_id, registration_id, ordinal, kind, document_date) VALUES "
            + ", ".join(reports)
        )
        after = {"disclosure"}
        for query in queries.all_queries():
            after |= {query.name} if after & set(query.needs) else set()
        make_again(connection, [query for query in queries.all_queries() if query.name in after])
        yield connection


@pytest.mark.parametrize("case", FIRST)
def test_the_first_results_are_of_one_day_and_one_place(ladder, case):
    number = list(FIRST).index(case) + 1
    day, place = FIRST[case][-1]
    places = {"register": nct(number), "article": f"PMID {900000000 + number}", "report": "report", None: None}
    first = f"SELECT earliest_results_date, earliest_results_where FROM disclosure WHERE trial_id = '{nct(number)}'"
    assert rows(ladder, first) == [(day, places[place])]
    told = next(line for line in explain.explain(ladder, nct(number)) if line.startswith("Results anywhere"))
    said = f", first {day} at {places[place]}." if day else f", at {places[place]} on an unknown day." if place else "."
    assert told.endswith(said)
    assert ("," in told) == (place is not None)


def test_results_of_an_unknown_day_give_no_time_to_the_first(ladder):
    told = "SELECT trial_id, register_date IS NULL, first_results_date FROM publication_times ORDER BY trial_id"
    unknown = {nct(list(FIRST).index(f"{place}, of an unknown day") + 1) for place in ("register", "article")}
    assert {trial for trial, _, first in rows(ladder, told) if first is None} == unknown


@pytest.mark.parametrize("case", RETRACTIONS)
def test_what_would_not_count_anyway_is_no_retracted_result(ladder, case):
    number = list(RETRACTIONS).index(case) + 101
    found = rows(ladder, f"SELECT x_retracted FROM disclosure WHERE trial_id = '{nct(number)}'")
    assert found == [(RETRACTIONS[case][-1],)]


@pytest.mark.parametrize("case", COMPLETED)
def test_no_article_is_said_only_where_it_was_searched_since_completion(ladder, case):
    number = list(COMPLETED).index(case) + 201
    found = rows(
        ladder,
        f"""SELECT d.r3_results_article, s.results, len(s.not_searched) FROM disclosure AS d
        JOIN trial_standings AS s USING (trial_id) WHERE d.trial_id = '{nct(number)}'""",
    )
    _, article_found, results = COMPLETED[case]
    assert found == [(article_found, results, int(results == "cannot_judge"))]


def test_an_article_that_many_trials_list_counts_for_the_one_that_it_names(ladder):
    found = rows(
        ladder,
        """SELECT pmid - 900000000, trial_id, is_pooled, counts_as_results FROM trial_publications
        WHERE pmid IN (900000301, 900000302) ORDER BY ALL""",
    )
    trials = [nct(number) for number in range(301, 305)]
    assert found == [(301, trial, True, False) for trial in trials] + [
        (302, trial, trial != trials[0], trial == trials[0]) for trial in trials
    ]


def test_what_the_register_calls_the_protocol_is_no_result(ladder):
    found = rows(
        ladder,
        """SELECT pmid - 900000000, filter_outcome, counts_as_results FROM trial_publications
        WHERE trial_id = 'ISRCTN00012345' ORDER BY ALL""",
    )
    assert found == [(401, "listed_as_protocol", False), (402, "passed", True), (403, "passed", True)]


def test_the_ladders_checks_hold(ladder):
    for name in ("disclosure", "trial_standings", "trial_publications"):
        for check in contracts().tables[name].checks:
            assert rows(ladder, check.sql) == [], check.name


# --- worlds of their own --------------------------------------------------------------------------------------------


def world(tmp_path, studies, *articles, updates=(), baseline=UPDATE):
    data = tmp_path / "data"
    put_studies(data, AS_OF, studies)
    put_file(data, "pubmed", baseline, "pubmed24n0001.xml", article_set(*articles), "full", baseline=True)
    for number, content in enumerate(updates, 2):
        put_file(data, "pubmed", UPDATE, f"pubmed24n{number:04d}.xml", content)
    return data


def publication(connection):
    return dict(rows(connection, "SELECT trial_id, status FROM reporting_status WHERE policy = 'who-publication'"))


def test_what_is_no_link_at_all(tmp_path):
    studies = [study(1, references=[{"pmid": "900000001", "type": "BACKGROUND"}]), study(2)]
    trap = article(900000002, cited_numbers=f"An earlier trial, {nct(2)}.")
    with tables(world(tmp_path, studies, article(900000001), trap)) as connection:
        assert rows(connection, "SELECT * FROM trial_publications") == []
        assert publication(connection) == {nct(1): "overdue", nct(2): "overdue"}


def test_more_than_three_trials_are_pooled_and_their_numbers_of_other_registers_are_not_counted(tmp_path):
    studies = [study(n) for n in range(1, 5)]
    pooled = article(900000001, bank=tuple(nct(n) for n in range(1, 5)))
    three = article(900000002, bank=tuple(nct(n) for n in range(1, 4)))
    one_trial = article(
        900000003, abstract=f"{nct(4)}, EudraCT 2090-012345-12, ISRCTN00012345, DRKS99912345, U1111-1299-9999."
    )
    with tables(world(tmp_path, studies, pooled, three, one_trial)) as connection:
        found = rows(
            connection, "SELECT DISTINCT pmid, is_pooled, counts_as_results FROM trial_publications ORDER BY 1"
        )
    assert found == [(900000001, True, False), (900000002, False, True), (900000003, False, True)]


def test_a_number_of_another_register_that_the_record_states_names_the_trial(tmp_path):
    stated = [{"id": "EudraCT-No.: 2090-012345-12", "type": "EUDRACT_NUMBER"}]
    paper = article(900000001, abstract="Registered as EudraCT 2090-012345-12.")
    with tables(world(tmp_path, [study(1, secondary=stated)], paper)) as connection:
        assert rows(connection, "SELECT trial_id, tier FROM trial_publications") == [(nct(1), "L3")]


def test_a_number_of_the_same_register_in_the_record_is_another_trial(tmp_path):
    parent = [{"id": nct(2), "type": "REGISTRY"}]
    with tables(world(tmp_path, [study(1, secondary=parent)], article(900000001, bank=(nct(2),)))) as connection:
        assert rows(connection, "SELECT * FROM trial_publications") == []
        assert rows(connection, "SELECT number, is_known FROM publication_numbers") == [(nct(2), False)]


def test_a_result_reference_that_is_not_loaded_leaves_the_verdict_open(tmp_path):
    studies = [
        study(1, references=[{"pmid": "900000009", "type": "RESULT"}]),
        study(2, references=[{"citation": "A paper without a PMID.", "type": "RESULT"}]),
        study(3, references=[{"pmid": "900000009", "type": "DERIVED"}]),
    ]
    with tables(world(tmp_path, studies, article(900000001))) as connection:
        assert publication(connection) == {nct(1): "reporting_unknown", nct(2): "reporting_unknown", nct(3): "overdue"}
        assert rows(connection, "SELECT trial_id, any_results FROM disclosure ORDER BY 1") == [
            (nct(1), None), (nct(2), None), (nct(3), False)]  # fmt: skip


def test_a_reference_is_found_by_its_doi(tmp_path):
    stated = [{"citation": "Invented. Inv J 2022. doi: 10.99999/900000001.", "type": "RESULT"}]
    with tables(world(tmp_path, [study(1, references=stated)], article(900000001))) as connection:
        assert rows(connection, "SELECT pmid, tier FROM trial_publications") == [(900000001, "L2")]


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"date": ("2023", "Jun", "10")}, "reported_on_time"),
        ({"date": ("2023", "Jun", "11")}, "reported_late"),
        ({"date": ("2023", "Jun")}, "reported_on_time"),
        ({"date": ("2024", "Mar"), "electronic": "2023-06-10"}, "reported_on_time"),
        ({"date": ("2023", "Jul", "01"), "electronic": "2023-09-10"}, "reported_late"),
        ({"date": ("2024", "Jul", "01")}, "overdue"),
    ],
    ids=["due day", "day after", "month of the due day", "electronic first", "print first", "after the as-of date"],
)
def test_publication_is_judged_by_its_first_date(tmp_path, fields, status):
    paper = article(900000001, bank=(nct(1),), **fields)
    with tables(world(tmp_path, [study(1)], paper)) as connection:
        assert publication(connection) == {nct(1): status}


# --- which state of an article stands -------------------------------------------------------------------------------


def counted(connection):
    return rows(connection, "SELECT pmid, version, title FROM publications ORDER BY pmid")


def test_a_later_file_replaces_a_record_and_a_deletion_removes_it(tmp_path):
    first = [article(900000001, bank=(nct(1),)), article(900000002, bank=(nct(1),))]
    updates = [
        article_set(article(900000001, bank=(nct(1),), title="Revised."), deleted=[900000002]),
    ]
    with tables(world(tmp_path, [study(1)], *first, updates=updates)) as connection:
        assert counted(connection) == [(900000001, 1, "Revised.")]
        account = rows(
            connection,
            """SELECT payload, current_records, superseded, duplicate, deletions FROM payloads
            WHERE source = 'pubmed' ORDER BY 1""",
        )
    assert account == [("pubmed24n0001.xml", 0, 2, 0, 0), ("pubmed24n0002.xml", 1, 0, 0, 1)]


def test_a_deleted_record_can_come_back(tmp_path):
    updates = [article_set(article(900000009), deleted=[900000001]), article_set(article(900000001, bank=(nct(1),)))]
    with tables(world(tmp_path, [study(1)], article(900000001, bank=(nct(1),)), updates=updates)) as connection:
        assert [r[0] for r in counted(connection)] == [900000001, 900000009]


def test_the_highest_version_stands_until_it_is_deleted(tmp_path):
    versions = [article(900000001, bank=(nct(1),), version=v, title=f"Version {v}.") for v in (2, 1, 3)]
    with tables(world(tmp_path, [study(1)], *versions)) as connection:
        assert counted(connection) == [(900000001, 3, "Version 3.")]
    gone = "<DeleteCitation><PMID Version='3'>900000001</PMID></DeleteCitation></PubmedArticleSet>"
    update = article_set(article(900000009)).replace("</PubmedArticleSet>", gone)
    with tables(world(tmp_path / "later", [study(1)], *versions, updates=[update])) as connection:
        assert counted(connection)[0] == (900000001, 2, "Version 2.")


def test_a_record_that_lost_its_number_is_no_longer_the_trials(tmp_path):
    updates = [article_set(article(900000001, types=(("D016428", "Journal Article"),)))]
    with tables(world(tmp_path, [study(1)], article(900000001, bank=(nct(1),)), updates=updates)) as connection:
        assert counted(connection) == []
        assert publication(connection) == {nct(1): "overdue"}


def test_a_retraction_notice_retracts_and_is_kept_only_for_a_kept_article(tmp_path):
    notice = (("D016440", "Retraction of Publication"),)
    articles = [
        article(900000001, bank=(nct(1),)),
        article(900000002, types=notice, corrections=(("RetractionOf", 900000001),)),
        article(900000003, types=notice, corrections=(("RetractionOf", 900000777),)),
        article(900000004, bank=(nct(1),), corrections=(("RetractedandRepublishedIn", 900000005),)),
        article(900000006, bank=(nct(1),)),
        article(900000007, bank=(nct(1),), corrections=(("RetractedandRepublishedFrom", 900000006),)),
    ]
    with tables(world(tmp_path, [study(1)], *articles)) as connection:
        assert [r[0] - 900000000 for r in counted(connection)] == [1, 2, 4, 6, 7]
        linked = "SELECT pmid - 900000000, is_retracted, counts_as_results FROM trial_publications ORDER BY pmid"
        assert rows(connection, linked) == [(1, True, False), (4, True, False), (6, True, False), (7, False, True)]
        assert rows(connection, "SELECT x_retracted, x_pmid FROM disclosure") == [(True, 900000001)]


def test_after_a_missing_update_file_nothing_is_applied_until_it_arrives(tmp_path):
    data = world(tmp_path, [study(1)], article(900000001), baseline=BASELINE)
    put_file(data, "pubmed", UPDATE, "pubmed24n0003.xml", article_set(article(900000002, bank=(nct(1),))))
    with tables(data) as connection:
        held = rows(connection, "SELECT payload, held_back, is_held_back FROM payloads WHERE is_held_back")
        assert held == [("pubmed24n0003.xml", 1, True)]
        assert publication(connection) == {nct(1): "reporting_unknown"}  # complete only through January
    put_file(data, "pubmed", UPDATE, "pubmed24n0002.xml", article_set(article(900000003)))
    with tables(data) as connection:
        assert rows(connection, "SELECT count(*) FROM payloads WHERE is_held_back") == [(0,)]
        assert publication(connection) == {nct(1): "reported_on_time"}


@pytest.mark.parametrize(
    ("scope", "age", "status"),
    [("full", 60, "overdue"), ("full", 61, "reporting_unknown"), ("partial", 1, "reporting_unknown")],
)
def test_a_publication_is_overdue_only_where_all_of_pubmed_was_searched(tmp_path, scope, age, status):
    data = tmp_path / "data"
    put_studies(data, AS_OF, [study(1)])
    day = AS_OF - timedelta(days=age)
    put_file(data, "pubmed", day, "pubmed24n0001.xml", article_set(article(900000001)), scope, baseline=True)
    with tables(data) as connection:
        assert publication(connection) == {nct(1): status}


def test_a_new_whole_baseline_replaces_the_old_year(tmp_path):
    data = world(tmp_path, [study(1)], article(900000001, bank=(nct(1),)), article(900000002, bank=(nct(1),)))
    new = article_set(article(900000001, bank=(nct(1),), title="Next year."))
    put_file(data, "pubmed", UPDATE, "pubmed25n0001.xml", new, "full", baseline=True)
    with tables(data) as connection:
        assert counted(connection) == [(900000001, 1, "Next year.")]


def test_a_file_issued_again_replaces_its_first_issue(tmp_path):
    data = world(tmp_path, [study(1)], article(900000001), updates=[article_set(article(900000002, bank=(nct(1),)))])
    again = article_set(article(900000002, bank=(nct(1),), title="Issued again."))
    put_file(data, "pubmed", AS_OF, "pubmed24n0002.xml", again)
    with tables(data) as connection:
        assert (900000002, 1, "Issued again.") in counted(connection)


def test_a_record_fetched_by_itself_counts_where_it_was_revised_later(tmp_path):
    data = world(tmp_path, [study(1)], article(900000001, bank=(nct(1),), revised="2023-05-01"))
    older = article_set(article(900000001, bank=(nct(1),), title="Older.", revised="2023-01-01"))
    newer = article_set(article(900000001, bank=(nct(1),), title="Newer.", revised="2024-05-01"))
    put_file(data, "pubmed", AS_OF, "older.xml", older)
    with tables(data) as connection:
        assert counted(connection)[0][2] == "Invented drug against placebo."
    put_file(data, "pubmed", UPDATE, "newer.xml", newer)
    with tables(data) as connection:
        assert counted(connection)[0][2] == "Newer."


@pytest.mark.parametrize(
    ("fetched", "stands"), [(BASELINE, []), (UPDATE, []), (AS_OF, [900000001])], ids=["before", "with it", "after"]
)
def test_a_record_fetched_by_itself_does_not_outlive_a_file_in_which_it_is_of_no_use(tmp_path, fetched, stands):
    data = world(tmp_path, [study(1)], article(900000001, types=(("D016428", "Journal Article"),)))
    put_file(data, "pubmed", fetched, "alone.xml", article_set(article(900000001, bank=(nct(1),))))
    with tables(data) as connection:
        assert [pmid for pmid, *_ in counted(connection)] == stands


def test_an_article_becomes_wanted_when_a_register_begins_to_cite_it(tmp_path):
    plain = article(900000001, types=(("D016428", "Journal Article"),))
    data = world(tmp_path, [study(1)], plain)
    with tables(data) as connection:
        assert counted(connection) == []
    put_studies(
        data, AS_OF, [study(1, updated="2024-06-01", references=[{"pmid": "900000001", "type": "RESULT"}])], "b.json"
    )
    with tables(data) as connection:
        assert [r[0] for r in counted(connection)] == [900000001]
        assert publication(connection) == {nct(1): "reported_on_time"}


# --- nothing is overdue on a search that was not made ---------------------------------------------------------------


def test_an_old_baseline_that_is_downloaded_late_does_not_show_the_months_since(tmp_path):
    data = tmp_path / "data"
    put_studies(data, AS_OF, [study(1)])
    old = article_set(article(900000001, revised="2024-01-10"))
    put_file(data, "pubmed", UPDATE, "pubmed24n0001.xml", old, "full", baseline=True)
    with tables(data) as connection:
        assert publication(connection) == {nct(1): "reporting_unknown"}
        assert rows(connection, "SELECT r3_results_article, any_results FROM disclosure") == [(None, None)]
        assert rows(connection, "SELECT complete_through FROM sources WHERE source = 'pubmed'") == [
            (date(2024, 1, 10),)
        ]


@pytest.mark.parametrize(
    ("name", "baseline"), [("pubmed25n0007.xml", True), ("pubmed25n0007.xml", False), ("pubmed24n0009.xml", True)],
    ids=["part of another year's baseline", "another year's update", "an update imported as baseline"],
)  # fmt: skip
def test_files_that_do_not_follow_on_the_whole_baseline_prove_nothing(tmp_path, name, baseline):
    data = world(tmp_path, [study(1)], article(900000001, revised="2024-01-10"), baseline=BASELINE)
    put_file(data, "pubmed", UPDATE, name, article_set(article(900000002, bank=(nct(2),))), baseline=baseline)
    with tables(data) as connection:
        assert publication(connection) == {nct(1): "reporting_unknown"}


PLAIN = article(900000009, types=(("D016428", "Journal Article"),), revised="2024-06-20")
HOLDING = article(900000001, revised="2024-06-15")


@pytest.mark.parametrize(
    ("baseline", "updates", "state"),
    [
        ([HOLDING, PLAIN], {}, (True, date(2024, 6, 15))),
        ([PLAIN, HOLDING], {3: PLAIN}, (True, date(2024, 6, 15))),
        ([PLAIN], {}, (True, None)),
        ([HOLDING, HOLDING], {3: HOLDING, 6: HOLDING}, (True, date(2024, 6, 15))),
        ([HOLDING, HOLDING], {5: HOLDING, 6: HOLDING}, (False, None)),
    ],
    ids=[
        "the last file of the baseline has no article of use", "nor has an update", "no file has one",
        "a gap among the updates", "the file after the baseline is missing: of the baseline, or the first update",
    ],
)  # fmt: skip
def test_how_far_pubmed_is_whole_is_what_its_files_show(tmp_path, baseline, updates, state):
    data = tmp_path / "data"
    put_studies(data, AS_OF, [study(1)])
    folder = tmp_path / "baseline"
    folder.mkdir()
    files = [folder / f"pubmed24n{number:04d}.xml" for number in range(1, len(baseline) + 1)]
    for file, held in zip(files, baseline, strict=True):
        file.write_text(article_set(held))
    importing.take(data, importing.Import("pubmed", UPDATE, tuple(files), "full", True))
    for number, held in updates.items():
        put_file(data, "pubmed", UPDATE, f"pubmed24n{number:04d}.xml", article_set(held))
    with tables(data) as connection:
        assert rows(connection, "SELECT is_whole, complete_through FROM sources WHERE source = 'pubmed'") == [state]
        assert rows(connection, "SELECT searched.outcome FROM legs_who_publication") == [(state[1] is not None,)]


def test_a_baseline_file_imported_again_as_an_update_is_still_of_the_baseline(tmp_path):
    first = article_set(article(900000001, bank=(nct(1),)))
    data = world(tmp_path, [study(1)], article(900000001, bank=(nct(1),)), updates=[article_set(article(900000002))])
    put_file(data, "pubmed", AS_OF, "pubmed24n0001.xml", first)
    with tables(data) as connection:
        assert rows(connection, "SELECT count(*) FROM payloads WHERE is_held_back") == [(0,)]
        assert publication(connection) == {nct(1): "reported_on_time"}


def test_a_file_that_cannot_be_read_does_not_replace_its_first_issue_and_is_no_whole_baseline(tmp_path):
    data = world(tmp_path, [study(1)], article(900000001, bank=(nct(1),)))
    put_file(data, "pubmed", AS_OF, "pubmed24n0001.xml", "<html>no</html>")
    with tables(data) as connection:
        assert publication(connection) == {nct(1): "reported_on_time"}


def test_a_wrong_file_without_a_number_does_not_spoil_pubmed(tmp_path):
    data = world(tmp_path, [study(1)], article(900000001))
    put_file(data, "pubmed", AS_OF, "fetch.xml", "<html>no</html>")
    with tables(data) as connection:
        assert publication(connection) == {nct(1): "overdue"}


def test_an_article_that_names_a_number_of_two_trials_leaves_both_open(tmp_path):
    stated = [{"id": "2090-012345-12", "type": "EUDRACT_NUMBER"}]
    paper = article(900000001, abstract="EudraCT 2090-012345-12.")
    with tables(
        world(tmp_path, [study(1, secondary=stated), study(2, secondary=stated), study(3)], paper)
    ) as connection:
        assert publication(connection) == {
            nct(1): "reporting_unknown", nct(2): "reporting_unknown", nct(3): "overdue"}  # fmt: skip


@pytest.mark.parametrize(
    "fields",
    [
        {"types": (("D000078325", "Clinical Trial Protocol"),)},
        {"types": (("D016454", "Review"),)},
        {"title": "Drug: study protocol of a trial."},
        RETRACTED,
        {"types": (("D000076942", "Preprint"),)},
        {"bank": tuple(nct(n) for n in range(900, 904))},
        {"date": ("2021", "Mar", "09")},
    ],
    ids=["protocol", "review", "protocol by title", "retracted", "preprint", "pooled", "interim"],
)
def test_an_article_of_two_trials_that_would_count_for_neither_leaves_none_open(tmp_path, fields):
    stated = [{"id": "2090-012345-12", "type": "EUDRACT_NUMBER"}]
    paper = article(900000001, abstract="EudraCT 2090-012345-12.", **fields)
    with tables(world(tmp_path, [study(1, secondary=stated), study(2, secondary=stated)], paper)) as connection:
        assert publication(connection) == {nct(1): "overdue", nct(2): "overdue"}


@pytest.mark.parametrize(
    ("names_both", "day", "status", "other_status"),
    [
        # WHO's two years end on 2023-06-10; the trial's own article is of 2023-07-01.
        (False, ("2022", "May", "05"), "reported_undated", "reporting_unknown"),
        (False, ("2023",), "reported_undated", "reporting_unknown"),
        (False, ("2023", "Jul", "02"), "reported_late", "reporting_unknown"),
        (True, ("2023", "Aug", "01"), "reported_late", "reporting_unknown"),
        (False, ("2024", "Jul", "01"), "reported_late", "overdue"),
    ],
)
def test_an_article_of_one_of_two_trials_leaves_open_only_what_it_can_have_shown(
    tmp_path, names_both, day, status, other_status
):
    stated = [{"id": "2090-012345-12", "type": "EUDRACT_NUMBER"}]
    articles = [
        article(900000001, bank=(nct(1),), date=("2023", "Jul", "01")),
        article(900000002, bank=(nct(1),) if names_both else (), abstract="EudraCT 2090-012345-12.", date=day),
    ]
    with tables(world(tmp_path, [study(1, secondary=stated), study(2, secondary=stated)], *articles)) as connection:
        assert publication(connection) == {nct(1): status, nct(2): other_status}


def test_what_is_published_after_the_as_of_date_is_nowhere(tmp_path):
    paper = article(900000001, bank=(nct(1),), date=("2024", "Jul", "01"))
    with tables(world(tmp_path, [study(1)], paper)) as connection:
        assert rows(connection, "SELECT r3_results_article, r3_date, any_results FROM disclosure") == [
            (False, None, False)
        ]
        assert ("who-publication",) in rows(connection, "SELECT policy FROM missing_results")


def test_a_protocol_is_known_by_the_label_of_its_type_too(tmp_path):
    paper = article(900000001, bank=(nct(1),), types=(("D999999999", "Clinical Trial Protocol"),))
    with tables(world(tmp_path, [study(1)], paper)) as connection:
        assert rows(connection, "SELECT filter_outcome FROM trial_publications") == [("publication_type",)]
