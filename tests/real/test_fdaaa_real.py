"""The FDAAA policy on every real record of ClinicalTrials.gov, API v2 and legacy XML, with the real flags of 2017."""

from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from pipelines import importing
from pipelines.importing import Import
from tests.worlds import rows, tables

AS_OF = date(2026, 8, 8)
"""Also the day of every file here: its age is not what is tested, and both formats are judged alike."""

JUDGED_BY = """study_type, phase, primary_purpose, status, enrolment, enrolment_type, start_raw, primary_completion_raw,
    completion_raw, has_results, results_submitted, results_posted, delay_submitted, is_fda_regulated_drug,
    is_fda_regulated_device, is_us_export, is_ppsd"""


def judged(folder: Path, data: Path, flags: Path):
    """Of every registration: its verdict, and what a verdict is made of."""
    for file in sorted(folder.iterdir()):
        importing.take(data, Import("ctgov", AS_OF, (file,)))
    importing.take(data, Import("ctgov_flags", date(2017, 1, 5), (flags,), scope="full"))
    with tables(data, AS_OF) as connection:
        return {
            "registrations": {r for (r,) in rows(connection, "SELECT registration_id FROM registrations")},
            "trials": {t for (t,) in rows(connection, "SELECT trial_id FROM trials")},
            "verdicts": {
                trial: verdict
                for trial, *verdict in rows(
                    connection,
                    "SELECT trial_id, status, applies, decided_by FROM reporting_status WHERE policy = 'fdaaa'",
                )
            },
            "judged_on": dict(rows(connection, "SELECT trial_id, on_register.registration_id FROM legs_fdaaa")),
            "records": {
                registration: record
                for registration, *record in rows(
                    connection,
                    f"""SELECT registration_id, {JUDGED_BY}, list_sort(list_transform(c.countries, lambda x: x.country)),
                        list_sort(list_transform(c.interventions, lambda x: x.type))
                    FROM registrations JOIN registration_lists AS c USING (registration_id)""",
                )
            },
            "flags": rows(
                connection,
                "SELECT records_in, current_records, rejected FROM payloads WHERE source = 'ctgov_flags'",
            ),
            "whole": rows(connection, "SELECT is_whole, records FROM sources WHERE source = 'ctgov_flags'"),
        }


@pytest.fixture(scope="module")
def worlds(tmp_path_factory, real_records: Path):
    flags = real_records / "ctgov-regulatory-snapshot" / "fdaaa_regulatory_snapshot.csv.gz"
    data = tmp_path_factory.mktemp("fdaaa")
    return {name: judged(real_records / f"ctgov-{name}", data / name, flags) for name in ("api-v2", "xml")}


def test_the_flags_of_2017_are_all_read(worlds):
    for world in worlds.values():
        assert world["flags"] == [(233_609, 233_609, 0)]
        assert world["whole"] == [(True, 233_609)]


@pytest.mark.parametrize("name", ["api-v2", "xml"])
def test_every_trial_has_one_verdict_on_its_own_registration(worlds, name, record_property):
    world = worlds[name]
    assert set(world["verdicts"]) == world["trials"]
    assert set(world["judged_on"].values()) <= world["registrations"]
    assert None not in world["judged_on"].values()
    table = Counter((status, applies) for status, applies, _ in world["verdicts"].values())
    record_property("fdaaa", sorted((*key, n) for key, n in table.items()))
    print(f"\n{name}: {table.total():,} trials")
    for (status, applies), number in table.most_common():
        print(f"  {status:30} {applies:10} {number:6,}")
    # Every route and every reason is there: a rule that never fires on real records is broken.
    assert {"out_of_scope", "scope_unknown", "never_started", "reported_on_time", "reported_late", "overdue"} <= {
        status for status, _ in table
    }
    assert {applies for _, applies in table} == {"yes", "probable", "possible", "no"}


def test_what_cannot_be_judged_names_the_field(worlds):
    for world in worlds.values():
        for status, _, decided_by in world["verdicts"].values():
            if status in ("out_of_scope", "scope_unknown", "reporting_unknown", "left_scope"):
                assert decided_by


def test_both_formats_of_one_study_are_judged_alike_where_the_records_agree(worlds):
    first, second = worlds["api-v2"], worlds["xml"]
    shared = sorted(first["verdicts"].keys() & second["verdicts"].keys())
    alike = [
        t
        for t in shared
        if first["judged_on"][t] == second["judged_on"][t] and first["records"][t] == second["records"][t]
    ]
    print(f"\n{len(shared)} studies in both formats, {len(alike)} of them the same in all that is asked")
    assert alike
    assert [t for t in alike if first["verdicts"][t] != second["verdicts"][t]] == []
