"""Contested verdicts: the file that holds them, what counts on a day, that no verdict moves, and where it is told."""

from datetime import date, timedelta

import pytest

from pipelines import build, contests, explain, validation
from pipelines.contracts import contracts
from pipelines.errors import DataError
from pipelines.settings import SCHEMAS
from tests.worlds import AS_OF, as_written, nct, put_studies, rows, study, tables

HEADING = ",".join(contests.FIELDS)
OPEN = f"c1,{nct(1)},who-summary,rule_misapplied,2024-05-20,,,The clock is said to start later."
DECIDED = OPEN.replace("2024-05-20,,", "2024-05-20,2024-05-24,upheld")

FAULTS = {
    # case -> (rows of the file, the line that the message names, a word of it)
    "no name": ([OPEN.removeprefix("c1")], 2, "contest_id is missing"),
    "no number": ([OPEN.replace(nct(1), "")], 2, "number is missing"),
    "no reason": ([OPEN.replace("rule_misapplied", "")], 2, "reason is missing"),
    "no day": ([OPEN.replace("2024-05-20", "")], 2, "opened_on is missing"),
    "no sentence": ([OPEN.replace("The clock is said to start later.", " ")], 2, "what is missing"),
    "no such day": ([OPEN.replace("2024-05-20", "2024-02-30")], 2, "opened_on is '2024-02-30'"),
    "no such day of the decision": ([DECIDED.replace("05-24", "05-32")], 2, "decided_on is '2024-05-32'"),
    "a day without a decision": ([DECIDED.replace("upheld", "")], 2, "either both given"),
    "a decision without a day": ([DECIDED.replace("2024-05-24", "")], 2, "either both given"),
    "decided before it was opened": ([DECIDED.replace("05-24", "05-19")], 2, "before the contest was opened"),
    "another reason": ([OPEN.replace("rule_misapplied", "unfair")], 2, "'unfair', not one of record_wrong, misread"),
    "another decision": ([DECIDED.replace("upheld", "won")], 2, "'won', not one of upheld, corrected, withdrawn"),
    "another policy": ([OPEN.replace("who-summary", "who")], 2, "'who', not one of alltrials-summary"),
    "a number that is none": ([OPEN.replace(nct(1), "NCT123")], 2, "'NCT123'"),
    "a number in another spelling": ([OPEN.replace(nct(1), nct(1).lower())], 2, nct(1).lower()),
    "a comma too many": ([OPEN.replace("said to", "said, to")], 2, "more cells"),
    "two lines": ([OPEN.replace("The clock is said to start later.", '"One line.\nAnother."')], 3, "one line"),
    "too long": ([OPEN.replace("later", "l" + "ater" * 130)], 2, "500 characters"),
    "a mail address": ([OPEN.replace("The clock", "somebody@example.org")], 2, "what holds what looks like"),
    "a telephone number": ([OPEN.replace("The clock", "tel. 0123 456789")], 2, "what holds what looks like"),
    "a mail address as the number": ([OPEN.replace(nct(1), "somebody@example.org")], 2, "number holds what looks like"),
    "the line of a later row": ([OPEN, "", DECIDED.replace("c1", "c2").replace("upheld", "won")], 4, "'won'"),
}


def written(tmp_path, lines, heading=HEADING):
    path = tmp_path / "contested.csv"
    path.write_text("\n".join([heading, *lines, ""]), encoding="utf-8", errors="surrogateescape")
    return path


@pytest.mark.parametrize("case", FAULTS)
def test_a_row_that_cannot_be_used_is_named_without_its_contact_data(tmp_path, case):
    lines, line, word = FAULTS[case]
    with pytest.raises(DataError) as error:
        contests.read(written(tmp_path, lines), AS_OF)
    assert str(error.value).startswith(f"contested.csv, line {line}: ")
    assert word in str(error.value)
    assert "somebody@" not in str(error.value)
    assert "0123" not in str(error.value)


@pytest.mark.parametrize("heading", ["", HEADING.removesuffix(",what"), HEADING.replace("reason", "why")])
def test_other_columns_are_refused(tmp_path, heading):
    with pytest.raises(DataError, match=r"contested\.csv: the columns have to be contest_id,number,"):
        contests.read(written(tmp_path, [OPEN], heading), AS_OF)


@pytest.mark.parametrize("row", [OPEN.replace("The", '"The'), OPEN.replace("The", "\udcf6")])
def test_what_is_no_csv_is_named(tmp_path, row):
    with pytest.raises(DataError, match=r"contested\.csv, after line \d: no CSV in UTF-8"):
        contests.read(written(tmp_path, [row]), AS_OF)


def test_two_contests_of_one_name_are_refused(tmp_path):
    with pytest.raises(DataError, match="2 contests are called c1"):
        contests.read(written(tmp_path, [OPEN, DECIDED]), AS_OF)


def test_the_contests_that_are_shipped_can_be_read():
    contests.read(SCHEMAS / "contests.csv", date.max)


@pytest.mark.parametrize(
    ("as_of", "told"),
    [
        ("2024-05-19", []),
        ("2024-05-20", [(None, None)]),
        ("2024-05-23", [(None, None)]),
        ("2024-05-24", [(date(2024, 5, 24), "upheld")]),
    ],
)
def test_what_is_known_of_a_contest_on_a_day(tmp_path, as_of, told):
    found = contests.read(written(tmp_path, [DECIDED]), date.fromisoformat(as_of))
    assert [(one.decided_on, one.decision) for one in found] == told


def test_a_build_is_named_after_the_contests_of_its_day(tmp_path):
    def name(*lines):
        known = contests.read(written(tmp_path, lines), AS_OF)
        return build._build_id(AS_OF, [], tmp_path, [], known, [])

    later = DECIDED.replace("2024-05-24", str(AS_OF + timedelta(days=1)))
    assert len({name(), name(OPEN), name(DECIDED)}) == 3
    assert name(later) == name(OPEN), "what is decided later is not known yet"


# --- in a build -------------------------------------------------------------------------------------------------------

ALIAS = nct(7)
CONTESTED = [
    f"everything,{nct(1)},,wrong_sponsor_or_merge,2024-06-30,,,It is said to be somebody else's.",
    f"one-rule,{nct(1)},who-summary,results_elsewhere,2024-06-01,2024-07-01,corrected,Results are said to exist.",
    f"decided,{nct(1)},strict-day,misread,2024-05-01,2024-06-30,upheld,The start is said to be another day.",
    f"by-alias,{ALIAS},fdaaa,record_wrong,2024-06-01,,,The record is said to be wrong.",
    f"nobody,{nct(99)},,misread,2024-06-01,,,A number that no trial has.",
    f"tomorrow,{nct(2)},,misread,2024-07-01,,,Not opened yet.",
]
JUDGED = ("reporting_status", "registration_status", "status_transitions", "trial_standings", "scorecards", "trials")


def everything(connection):
    return {table: sorted(map(repr, rows(connection, f"FROM {table}"))) for table in JUDGED}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A world with contests, and all its verdicts without any."""
    data = tmp_path_factory.mktemp("contests") / "data"
    put_studies(data, AS_OF, [study(1), study(2, aliases=[ALIAS])])
    with tables(data) as connection:
        without = everything(connection)
    with tables(data, contested=CONTESTED) as connection:
        as_written(connection)
        build.add_views(connection, contracts(), AS_OF)
        yield connection, without


def test_a_contest_moves_no_verdict(made):
    connection, without = made
    assert everything(connection) == without
    assert without["reporting_status"]


def test_each_contest_stands_beside_its_trial(made):
    found = rows(made[0], "SELECT contest_id, trial_id, is_open, decision FROM contests ORDER BY ALL")
    assert found == [
        ("by-alias", nct(2), True, None),
        ("decided", nct(1), False, "upheld"),
        ("everything", nct(1), True, None),
        ("nobody", None, True, None),
        ("one-rule", nct(1), True, None),
    ]


def test_a_number_that_no_trial_has_is_a_note_and_no_obstacle(made):
    assert contests.unknown_numbers(made[0]) == [f"contest nobody names {nct(99)}, which is no trial of this build"]


def test_the_table_passes_its_checks(made):
    results = validation.check_table(made[0], contracts().tables["contests"], contracts())
    assert [r for r in results if r.outcome == "failed"] == []


@pytest.mark.parametrize(
    "changed", ["decision = 'upheld'", "decided_on = opened_on", "is_open = false", "decided_on = opened_on - 1"]
)
def test_a_contest_that_is_half_decided_is_found_by_a_check(made, changed):
    connection, _ = made
    (check,) = contracts().tables["contests"].checks
    which = "decided" if "- 1" in changed else "everything"
    connection.execute("BEGIN")
    try:
        connection.execute(f"UPDATE contests SET {changed} WHERE contest_id = '{which}'")
        assert rows(connection, check.sql) == [(which,)]
    finally:
        connection.execute("ROLLBACK")


def test_explain_says_what_is_disputed(made):
    connection, _ = made
    lines = list(explain.explain(connection, nct(1)))
    stays = "the status stays until that is decided"
    decided, one_rule, every = lines[lines.index("Contested") + 1 :]
    assert decided.startswith("  strict-day: contested on 2024-05-01, decided on 2024-06-30. The verdict was looked at")
    assert decided.endswith("We misread the record (decided). The start is said to be another day.")
    assert one_rule.startswith(
        f"  who-summary: disputed since 2024-06-01; {stays}. Results exist elsewhere (one-rule)."
    )
    assert every.startswith(f"  every verdict: disputed since 2024-06-30; {stays}. Wrong sponsor")
    assert any(line.startswith("  fdaaa: disputed") for line in explain.explain(connection, nct(2)))
