"""How statuses change between builds and why; the history that this is read from; what vanished stays."""

from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from pipelines import history, queries
from pipelines.contracts import contracts
from tests.unit.test_fdaaa import us
from tests.unit.test_ictrp import as_xml
from tests.unit.test_redistributable import ictrp
from tests.unit.test_time import ARROWS, reachable, study_in_the_uk
from tests.worlds import AS_OF, article, article_set, nct, put_file, put_studies, rows, study, tables

FIRST, SECOND, THIRD, FOURTH = date(2022, 1, 10), date(2022, 3, 11), date(2022, 4, 1), date(2022, 7, 1)
POLICY = "alltrials-summary"


@contextmanager
def night(data, day, adjudicated=(), profile=""):
    """The tables of a day; afterwards the history knows them."""
    with tables(data, day, adjudicated) as connection:
        yield connection
        history.write_news(connection, data, day, data)
        history.publish(data, day, data, profile)


def transitions(connection, policy=POLICY, since=0):
    names = "entry, trial_id, from_status, to_status, reason, fields"
    return rows(
        connection,
        f"SELECT {names} FROM status_transitions WHERE policy = '{policy}' AND entry >= {since} ORDER BY 1, 2",
    )


def put_world(data):
    """Due on 10 March 2022, but for what the records say later."""
    old = {"updated": "2022-01-01"}
    put_studies(data, FIRST, [study(n, **old) for n in (1, 2, 3, 5, 6)])
    put_studies(data, SECOND, [
        study(1, **old | {"updated": "2022-03-01", "sponsor": "Another University"}),
        study(2, updated="2022-03-01", results=("2022-02-01", "2022-03-01")),
        study(3, updated="2022-03-01", pcd="2022-05-01", enrolment=51),
        study(4, **old),
        study(5, **old), study(6, **old),
    ])  # fmt: skip
    # Another source passes on what is known already: no other registration.
    put_file(data, "ictrp", SECOND, "trials.xml", as_xml(ictrp(nct(1), "ClinicalTrials.gov")).decode())


MERGED = f"a1,2022-03-20,join,{nct(5)},{nct(6)},,,One trial.,A letter.,Reviewer"


@pytest.fixture(scope="module")
def nights(tmp_path_factory):
    """Four nights: the files of each day, and all transitions of the last."""
    data = tmp_path_factory.mktemp("nights") / "data"
    put_world(data)
    for day, adjudicated in ((FIRST, ()), (SECOND, ()), (THIRD, [MERGED])):
        with night(data, day, adjudicated):
            pass
    known = contracts()
    policies = {n: replace(p, version="2") if n == "who-summary" else p for n, p in known.policies.items()}
    with ExitStack() as stack:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(queries, "contracts", lambda: replace(known, policies=policies))
            connection = stack.enter_context(night(data, FOURTH))
        yield data, connection


def test_every_transition_has_its_reason(nights):
    _, connection = nights
    assert transitions(connection) == [
        # Its sponsor changed too, but that decides nothing: the day came.
        (2, nct(1), "not_due", "overdue", "time", []),
        (2, nct(2), "not_due", "reported_on_time", "record", ["has_results", "results_posted", "results_submitted"]),
        (2, nct(3), "not_due", "not_completed", "record", ["enrolment", "primary_completion"]),
        (2, nct(4), None, "overdue", "new_trial", []),
        (2, nct(5), "not_due", "overdue", "time", []),
        (2, nct(6), "not_due", "overdue", "time", []),
        (3, nct(6), "overdue", None, "merge", []),
        (4, nct(1), "overdue", "reporting_unknown", "source", []),
        (4, nct(3), "not_completed", "not_due", "time", []),
        (4, nct(4), "overdue", "reporting_unknown", "source", []),
        (4, nct(5), "overdue", "reporting_unknown", "split", ["registrations"]),
        (4, nct(6), None, "reporting_unknown", "split", []),
    ]


def test_what_made_a_publication_unknown_is_named(tmp_path):
    """A source that was not read is named where nothing else changed of what an article is found by."""
    data = tmp_path / "data"
    listed = {"references": [{"pmid": "900000009", "type": "RESULT"}]}
    paper = article(900000009, bank=(nct(2),), date=("2024", "Jan", "05"), revised="2024-01-11")
    for day, fields, papers in (
        (date(2024, 1, 10), {}, []), (date(2024, 1, 11), {"references": [{"pmid": "900000008", "type": "RESULT"}]}, [paper]),
    ):  # fmt: skip
        put_studies(data, day, [study(1, **fields), study(2, **listed), study(3)])
        text = article_set(article(900000001, revised=str(day)), *papers)
        put_file(data, "pubmed", day, "pubmed24n0001.xml", text, "full", baseline=True)
        with night(data, day):
            pass
    with night(data, date(2024, 3, 12)) as connection:
        assert transitions(connection, "who-publication") == [
            (2, nct(1), "overdue", "reporting_unknown", "record", []),
            (2, nct(2), "reporting_unknown", "reported_late", "publication", []),
            (3, nct(3), "overdue", "reporting_unknown", "source", []),
        ]


def test_another_version_of_a_rule_is_a_reason_of_its_own(nights):
    _, connection = nights
    found = rows(connection, "SELECT DISTINCT entry, reason, from_rule_version, to_rule_version FROM status_transitions "
                             "WHERE policy = 'who-summary' AND from_rule_version <> to_rule_version")  # fmt: skip
    assert (4, "rule", "1", "2") in found


def test_the_history_keeps_only_what_changed(nights):
    data, _ = nights
    with tables(data, FOURTH) as connection:
        found = rows(
            connection, "SELECT number, list(trial_id ORDER BY trial_id) FROM status_history GROUP BY 1 ORDER BY 1"
        )
    assert found[0] == (1, [nct(n) for n in (1, 2, 3, 5, 6)])
    assert found[2] == (3, [nct(5), nct(6)])


def test_the_same_nights_give_the_same_history(nights, tmp_path):
    data, _ = nights
    again = tmp_path / "data"
    put_world(again)
    for day, adjudicated in ((FIRST, ()), (SECOND, ()), (SECOND, ()), (THIRD, [MERGED]), (FIRST, ())):
        with night(again, day, adjudicated) as connection:
            last = rows(connection, "SELECT max(entry) FROM status_transitions")
    assert last == [(None,)], "a build of an earlier day knows no later entry"
    first, second = (history.entries(folder)[:3] for folder in (data, again))
    assert [(n, day, path.read_bytes()) for n, day, path in first] == [
        (n, day, path.read_bytes()) for n, day, path in second
    ]
    assert len(history.entries(again)) == 3, "building a day again, or an earlier one, adds nothing"


def test_a_profile_tells_nothing(tmp_path):
    data = tmp_path / "data"
    put_world(data)
    with night(data, FIRST, profile="fdaaa-tracker-2025"):
        pass
    assert history.entries(data) == []
    assert not (data / history.NEWS).exists()


def test_the_vocabulary_holds_the_arrows():
    codes = contracts().vocabularies["reporting_status"]
    told = {code: set(row["time_leads_to"].split(";")) for code, row in codes.items() if row["time_leads_to"]}
    assert told == {code: set(after) for code, after in ARROWS.items()}


@pytest.fixture
def patient(monkeypatch):
    """No source grows too old: what is known stays the same while the day moves."""
    known = contracts()
    policies = {
        name: replace(p, parameters={**p.parameters, "max_source_age_days": 9999}) if p.kind == "reporting" else p
        for name, p in known.policies.items()
    }
    monkeypatch.setattr(queries, "contracts", lambda: replace(known, policies=policies))


@hypothesis_settings(max_examples=2, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(studies=st.lists(study_in_the_uk, min_size=35, max_size=45))
def test_time_alone_moves_along_the_arrows(patient, tmp_path_factory, studies):
    data = tmp_path_factory.mktemp("time") / "data"
    soon = study(99, pcd=str(AS_OF - timedelta(days=360)), cd=None)
    put_studies(data, AS_OF, [soon, *(us(n, **fields) for n, fields in enumerate(studies))])
    for days in (0, 30, 400):
        with night(data, AS_OF + timedelta(days=days)) as connection:
            found = rows(connection, "SELECT from_status, to_status, reason, fields FROM status_transitions")
    assert ("not_due", "overdue", "time", []) in found
    for before, after, reason, fields in found:
        assert (reason, fields) == ("time", [])
        assert after in reachable(before) - {before}


# --- what vanished ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tombstones(tmp_path_factory):
    """Study 1 vanishes, 2 vanishes and comes back, 3 vanishes from its register and another source still passes it on,
    4 stays and that other source drops it, 5 is always there."""
    data = tmp_path_factory.mktemp("tombstones") / "data"
    days = (FIRST, SECOND, THIRD)
    for day, there in zip(days, ((1, 2, 3, 4, 5), (4, 5), (2, 4, 5)), strict=True):
        put_studies(data, day, [study(n, updated="2021-12-01") for n in there], scope="full")
    for day, there in ((FIRST, (3, 4)), (THIRD, (3,))):
        put_file(
            data,
            "ictrp",
            day,
            "trials.xml",
            as_xml(*(ictrp(nct(n), "ClinicalTrials.gov") for n in there)).decode(),
            "full",
        )
    with night(data, FIRST):
        pass
    with night(data, THIRD) as connection:
        yield connection


def test_a_vanished_record_is_kept_with_the_day_since_when(tombstones):
    found = rows(
        tombstones, "SELECT registration_id, last_seen_directly, last_seen, vanished_on FROM registrations ORDER BY 1"
    )
    assert found == [
        (nct(1), FIRST, FIRST, SECOND),
        (nct(2), THIRD, THIRD, None),
        (nct(3), FIRST, THIRD, SECOND),
        (nct(4), THIRD, THIRD, None),
        (nct(5), THIRD, THIRD, None),
    ]


def test_every_table_of_registrations_and_trials_keeps_it(tombstones):
    lacking = set()
    for table in contracts().tables.values():
        for column in {"registration_id", "trial_id"} & set(table.column_names):
            held = {n for (n,) in rows(tombstones, f'SELECT "{column}" FROM "{table.name}"')}
            if nct(5) in held and nct(1) not in held:
                lacking.add(table.name)
    assert lacking == {"missing_results"}, "what we cannot look at any more is not called missing"


def test_a_vanished_record_is_not_called_overdue_and_the_transition_says_why(tombstones):
    found = {row[1]: row[2:] for row in transitions(tombstones)}
    assert found[nct(1)] == ("not_due", "reporting_unknown", "record", ["vanished_on"])
    assert found[nct(3)][1:] == ("reporting_unknown", "record", ["vanished_on"])
    assert found[nct(5)] == ("not_due", "overdue", "time", [])
