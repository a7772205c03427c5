"""Reviewed decisions: the file that holds them, what each does, and where it is told."""

import csv
import io
from datetime import date

import pytest

from pipelines import build, validation
from pipelines.contracts import contracts
from pipelines.errors import DataError
from pipelines.identity import adjudications
from pipelines.settings import SCHEMAS
from tests.worlds import AS_OF, nct, put_file, put_studies, rows, study, tables

HEADING = ",".join(adjudications.FIELDS)
TOLD = "An invented reason,protocol on page 3,reviewer"
LONG = "An invented drug against an invented disease"


def isrctn(number):
    return f"ISRCTN9{number:07d}"


def drks(number):
    return f"DRKS9{number:07d}"


# --- the file -------------------------------------------------------------------------------------------------------

GOOD = f"a1,2024-05-20,join,{nct(1)},{isrctn(1)},,,{TOLD}"

FAULTS = {
    # case -> (rows of the file, the line that the message names, a word of it)
    "another column missing": ([f"a1,2024-05-20,join,{nct(1)},{isrctn(1)},,,A reason,proof"], 2, "decided_by is missing"),
    "no name": ([GOOD.removeprefix("a1")], 2, "adjudication_id is missing"),
    "no reason": ([GOOD.replace("An invented reason", " ")], 2, "reason is missing"),
    "no proof": ([GOOD.replace("protocol on page 3", "")], 2, "proof is missing"),
    "no day": ([GOOD.replace("2024-05-20", "")], 2, "decided_on is missing"),
    "no such day": ([GOOD.replace("2024-05-20", "2024-02-30")], 2, "'2024-02-30'"),
    "a day in another form": ([GOOD.replace("2024-05-20", "20/05/2024")], 2, "'20/05/2024'"),
    "another decision": ([GOOD.replace("join", "merge")], 2, "'merge'"),
    "a number that is none": ([GOOD.replace(nct(1), "NCT123")], 2, "'NCT123'"),
    "a number in another spelling": ([GOOD.replace(nct(1), nct(1).lower())], 2, nct(1).lower()),
    "no second number": ([GOOD.replace(isrctn(1), "")], 2, "other_id is None"),
    "a registration and itself": ([GOOD.replace(isrctn(1), nct(1))], 2, "itself"),
    "a field where two are joined": ([GOOD.replace(",,,", ",phase,,")], 2, "field has to be empty"),
    "a value where two are joined": ([GOOD.replace(",,,", ",,phase2,")], 2, "value has to be empty"),
    "a second number where a field is corrected": (
        [f"a1,2024-05-20,correct,{nct(1)},{isrctn(1)},phase,phase2,{TOLD}"], 2, "other_id has to be empty"),
    "no field": ([f"a1,2024-05-20,correct,{nct(1)},,,phase2,{TOLD}"], 2, "None is no field"),
    "no such field": ([f"a1,2024-05-20,correct,{nct(1)},,colour,red,{TOLD}"], 2, "'colour'"),
    "the number itself": ([f"a1,2024-05-20,correct,{nct(1)},,registration_id,{nct(2)},{TOLD}"], 2, "'registration_id'"),
    "part of a date": ([f"a1,2024-05-20,correct,{nct(1)},,start_raw,2020,{TOLD}"], 2, "'start_raw'"),
    "what we compute": ([f"a1,2024-05-20,correct,{nct(1)},,trial_id,{nct(2)},{TOLD}"], 2, "'trial_id'"),
    "no code of the field": ([f"a1,2024-05-20,correct,{nct(1)},,status,finished,{TOLD}"], 2, "'finished'"),
    "a comma too many": ([GOOD.replace("An invented reason", "A reason, invented")], 2, "more cells"),
    "the line of a later row": (["", GOOD, "", GOOD.replace("a1", "a2").replace("join", "merge")], 5, "'merge'"),
    "the line after a text of two lines": (
        [GOOD.replace("An invented reason", '"A reason,\nand more"'), GOOD.replace("join", "merge")], 4, "'merge'"),
}  # fmt: skip


def written(tmp_path, lines, heading=HEADING):
    path = tmp_path / "decisions.csv"
    path.write_text("\n".join([heading, *lines, ""]), encoding="utf-8", errors="surrogateescape")
    return path


@pytest.mark.parametrize("case", FAULTS)
def test_a_row_that_cannot_be_used_is_named(tmp_path, case):
    lines, line, word = FAULTS[case]
    with pytest.raises(DataError) as error:
        adjudications.read(written(tmp_path, lines), AS_OF)
    assert str(error.value).startswith(f"decisions.csv, line {line}: ")
    assert word in str(error.value)


@pytest.mark.parametrize("row", [GOOD.replace("An invented reason", '"A reason'), GOOD.replace("An", "\udcf6")])
def test_what_is_no_csv_is_named(tmp_path, row):
    with pytest.raises(DataError, match=r"decisions\.csv, after line \d: no CSV in UTF-8"):
        adjudications.read(written(tmp_path, [row]), AS_OF)


CONTRADICTIONS = {
    "one name twice": [GOOD, f"a1,2024-05-20,correct,{nct(1)},,enrolment,5,{TOLD}"],
    "joined and separated": [GOOD, GOOD.replace("a1", "a2").replace("join", "separate")],
    "the other way round": [GOOD, f"a2,2024-05-21,separate,{isrctn(1)},{nct(1)},,,{TOLD}"],
    "joined twice": [GOOD, GOOD.replace("a1", "a2")],
    "one field twice": [f"a{n},2024-05-2{n},correct,{nct(1)},,enrolment,{n},{TOLD}" for n in (1, 2)],
}


@pytest.mark.parametrize("case", CONTRADICTIONS)
def test_decisions_that_contradict_each_other_are_named(tmp_path, case):
    with pytest.raises(DataError, match=r"decisions\.csv: a[12] and a1 "):
        adjudications.read(written(tmp_path, CONTRADICTIONS[case]), AS_OF)


@pytest.mark.parametrize(
    "heading", ["", HEADING.removesuffix(",decided_by"), HEADING.replace("reason,proof", "proof,reason")]
)
def test_other_columns_are_refused(tmp_path, heading):
    with pytest.raises(DataError, match=r"decisions\.csv: the columns have to be"):
        adjudications.read(written(tmp_path, [GOOD], heading), AS_OF)


def test_a_file_of_a_spreadsheet(tmp_path):
    path = written(tmp_path, [GOOD])
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    (got,) = adjudications.read(path, AS_OF)
    assert (got.adjudication_id, got.decided_by) == ("a1", "reviewer")


def test_the_decisions_that_are_shipped_can_be_read():
    adjudications.read(SCHEMAS / "adjudications.csv", date.max)


# --- what a decision does -------------------------------------------------------------------------------------------


def decision(name, what, *cells, day="2024-05-20"):
    """A row: two numbers, or a number, a field and a value."""
    if what == "correct":
        number, field, value = cells
        return f"{name},{day},correct,{number},,{field},{value},{TOLD}"
    return f"{name},{day},{what},{','.join(cells)},,,{TOLD}"


UNKNOWN = nct(99)
FAR = dict(start="2010-01-15", pcd="2011-01-15", cd="2011-01-15")

STUDIES = [
    study(1), study(2), study(3, **FAR), study(4), study(5, secondary=[{"id": drks(5), "type": "OTHER"}]),
    *(study(n) for n in range(6, 14)), study(14, extra={"protocolSection": {"identificationModule": {"briefTitle": "An open extension"}}}),
    *(study(n) for n in range(15, 19)), study(19, **FAR),
]  # fmt: skip
PORTAL = {
    # number -> numbers that the record states
    isrctn(1): [], isrctn(4): [nct(4)], drks(5): [nct(5)], isrctn(5): [drks(5)], isrctn(14): [nct(14)],
    isrctn(15): [nct(15)], isrctn(16): [], isrctn(19): [nct(19)],
}  # fmt: skip
DECISIONS = [
    decision("joins", "join", nct(1), isrctn(1)),
    decision("joins-two-of-one-register", "join", nct(2), nct(3)),
    decision("separates", "separate", isrctn(4), nct(4)),
    decision("separates-a-chain", "separate", nct(5), isrctn(5)),
    decision("a-number", "correct", nct(6), "enrolment", "500"),
    decision("a-code", "correct", nct(6), "status", "terminated"),
    decision("a-date", "correct", nct(7), "primary_completion", "2024-03"),
    decision("no-value", "correct", nct(8), "enrolment", ""),
    decision("no-date", "correct", nct(8), "start", ""),
    decision("results", "correct", nct(9), "has_results", "true"),
    decision("results-day", "correct", nct(9), "results_posted", "2022-01-05"),
    decision("later", "correct", nct(10), "enrolment", "1", day="2024-07-01"),
    decision("later-join", "join", nct(11), nct(12), day="2024-07-01"),
    decision("that-day", "correct", nct(13), "enrolment", "1", day="2024-06-30"),
    decision("a-title", "correct", nct(14), "title", "A blinded study"),
    decision("not-loaded", "join", nct(15), UNKNOWN),
    decision("separates-not-loaded", "separate", nct(15), nct(98)),
    decision("not-loaded-either", "correct", UNKNOWN, "enrolment", "7"),
    decision("with-what-is-separated", "separate", isrctn(16), nct(97)),
    decision("a-start", "correct", isrctn(19), "start", "2020-01-01"),
]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    data = tmp_path_factory.mktemp("adjudications") / "data"
    put_studies(data, AS_OF, STUDIES)
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["TrialID", "Public title", "Primary sponsor", "Secondary ID"])
    writer.writerows([n, "Invented study", "Example University", ";".join(names)] for n, names in PORTAL.items())
    put_file(data, "ictrp", AS_OF, "portal.csv", out.getvalue())
    with tables(data, adjudicated=DECISIONS) as connection:
        yield connection


def one(connection, columns, table, number):
    (row,) = rows(connection, f"SELECT {columns} FROM {table} WHERE registration_id = '{number}'")
    return row


def trials_of(connection, *numbers):
    return [one(connection, "trial_id", "registrations", n)[0] for n in numbers]


def links(connection, a, b):
    low, high = sorted((a, b))
    return rows(
        connection,
        f"""SELECT method, decision, reason, field, value FROM trial_links
        WHERE registration_id = '{low}' AND other_id = '{high}'""",
    )


@pytest.mark.parametrize(
    ("a", "b", "name"), [(nct(1), isrctn(1), "joins"), (nct(2), nct(3), "joins-two-of-one-register")]
)
def test_two_are_joined(made, a, b, name):
    assert len(set(trials_of(made, a, b))) == 1
    assert links(made, a, b) == [("adjudicated", "merged", None, "adjudications", name)]


def test_two_that_evidence_would_join_are_separated(made):
    assert len(set(trials_of(made, nct(4), isrctn(4)))) == 2
    ((method, verdict, reason, *_),) = links(made, nct(4), isrctn(4))
    assert (method, verdict, reason) == ("named", "vetoed", "separated")


def test_two_are_separated_that_a_third_record_would_join(made):
    first, other, third = trials_of(made, nct(5), isrctn(5), drks(5))
    assert (first == third, other == third) == (True, False)
    ((_, verdict, reason, *_),) = links(made, isrctn(5), drks(5))
    assert (verdict, reason) == ("vetoed", "separated")


CORRECTED = {
    # number -> (columns, their values, corrected fields)
    nct(6): ("enrolment, status", (500, "terminated"), ["status", "enrolment"]),
    nct(7): (
        "primary_completion_raw, primary_completion_precision, primary_completion_earliest, primary_completion_latest",
        ("2024-03", "month", date(2024, 3, 1), date(2024, 3, 31)), ["primary_completion"]),
    nct(8): (
        "enrolment, start_raw, start_precision, start_earliest, start_latest", (None, None, "none", None, None),
        ["start", "enrolment"]),
    nct(9): ("has_results, results_posted", (True, date(2022, 1, 5)), ["has_results", "results_posted"]),
    nct(10): ("enrolment", (50,), []),
    nct(13): ("enrolment", (1,), ["enrolment"]),
}  # fmt: skip


@pytest.mark.parametrize("number", CORRECTED)
def test_a_field_is_corrected_in_the_registration_and_its_trial(made, number):
    columns, values, fields = CORRECTED[number]
    assert one(made, columns, "registrations", number) == values
    assert set(one(made, "corrected_fields", "registrations", number)[0]) == set(fields)
    (trial,) = rows(made, f"SELECT {columns} FROM trials WHERE trial_id = '{number}'")
    assert trial == values


def test_a_verdict_follows_the_corrected_field(made):
    found = dict(rows(made, "SELECT trial_id, status FROM reporting_status WHERE policy = 'who-summary'"))
    assert [found[nct(n)] for n in (7, 8, 9, 10)] == ["not_due", "overdue", "reported_on_time", "overdue"]
    ((status,),) = rows(
        made, f"SELECT status FROM registration_status WHERE rule = 'strict-day' AND trial_id = '{nct(8)}'"
    )
    assert status == "unknown"


def test_a_corrected_field_is_what_identity_compares(made):
    assert len(set(trials_of(made, nct(14), isrctn(14)))) == 1
    assert len(set(trials_of(made, nct(19), isrctn(19)))) == 2
    ((_, verdict, reason, *_),) = links(made, nct(19), isrctn(19))
    assert (verdict, reason) == ("vetoed", "start_dates_apart")


def test_every_decision_up_to_the_day_is_told(made):
    found = {
        name: told for name, *told in rows(made, "SELECT adjudication_id, value_before, is_applied FROM adjudications")
    }
    assert found == {
        "joins": [None, True],
        "joins-two-of-one-register": [None, True],
        "separates": [None, True],
        "separates-a-chain": [None, True],
        "a-number": ["50", True],
        "a-code": ["completed", True],
        "a-date": ["2021-03-10", True],
        "no-value": ["50", True],
        "no-date": ["2020-01-15", True],
        "results": ["false", True],
        "results-day": [None, True],
        "that-day": ["50", True],
        "a-title": ["An open extension", True],
        "not-loaded": [None, False],
        "separates-not-loaded": [None, False],
        "not-loaded-either": [None, False],
        "with-what-is-separated": [None, False],
        "a-start": [None, True],
    }


def test_a_decision_on_what_is_not_loaded_changes_nothing(made):
    assert trials_of(made, nct(15), isrctn(15)) == [nct(15)] * 2
    assert rows(made, f"SELECT * FROM registrations WHERE registration_id = '{UNKNOWN}'") == []


@pytest.mark.parametrize("table", ["adjudications", "registrations", "trials", "trial_links", "discrepancies"])
def test_tables_pass_their_checks(made, table):
    results = validation.check_table(made, contracts().tables[table], contracts())
    assert [r for r in results if r.outcome == "failed"] == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("enrolment", "many"),
        ("enrolment", "12.7"),
        ("has_results", "perhaps"),
        ("results_posted", "2022-02-30"),
        ("start", "20/05/2020"),
    ],
)
def test_a_value_that_does_not_fit_its_field_stops_the_build(tmp_path, field, value):
    data = tmp_path / "data"
    put_studies(data, AS_OF, [study(1)])
    with (
        pytest.raises(DataError, match=f"Adjudication odd: '{value}'.*{field}"),
        tables(data, adjudicated=[decision("odd", "correct", nct(1), field, value)]),
    ):
        pass


def test_decisions_that_contradict_each_other_over_a_third_are_found_by_a_check(tmp_path):
    data = tmp_path / "data"
    put_studies(data, AS_OF, [study(n) for n in (1, 2, 3)])
    circle = [
        decision("one", "join", nct(1), nct(2)), decision("two", "join", nct(2), nct(3)), decision("three", "separate", nct(1), nct(3)),
    ]  # fmt: skip
    with tables(data, adjudicated=circle) as connection:
        results = validation.check_table(connection, contracts().tables["adjudications"], contracts())
        assert [r.check_name for r in results if r.outcome == "failed"] == ["joined"]


def test_a_corrected_sponsor_is_a_sponsor(tmp_path):
    data = tmp_path / "data"
    put_studies(data, AS_OF, [study(1)])
    with tables(data, adjudicated=[decision("one", "correct", nct(1), "sponsor", "Another Institute")]) as made:
        assert rows(made, "SELECT sponsor, sponsor_id FROM trials") == [("Another Institute", "another-institute")]


def test_a_build_is_named_after_its_decisions_too(tmp_path):
    (tmp_path / "decisions.csv").write_text("\n".join([HEADING, GOOD]))
    decisions = adjudications.read(tmp_path / "decisions.csv", AS_OF)
    names = {build._build_id(AS_OF, [], tmp_path, [], some, []) for some in ([], decisions)}
    assert len(names) == 2
