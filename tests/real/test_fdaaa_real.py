"""The FDAAA policy on every real record of ClinicalTrials.gov, API v2 and legacy XML, with the real flags of 2017."""

from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from pipelines import importing
from pipelines.importing import Import
from tests.real.test_registers_real import _numbers
from tests.worlds import rows, tables

AS_OF = date(2026, 8, 8)
"""Also the day of every file here: its age is not what is tested, and both formats are judged alike."""

JUDGED_BY = """study_type, phase, primary_purpose, status, enrolment, enrolment_type, start_raw, primary_completion_raw,
    completion_raw, has_results, results_submitted, results_posted, delay_submitted, is_fda_regulated_drug,
    is_fda_regulated_device, is_us_export, is_ppsd"""
FIELDS = [*(name.strip() for name in JUDGED_BY.split(",")), "countries", "interventions"]


def judged(folder: Path, data: Path, flags: Path):
    """Of every registration: its verdict, and what a verdict is made of."""
    for file in sorted(folder.iterdir()):
        importing.take(data, Import("ctgov", AS_OF, (file,)))
    importing.take(data, Import("ctgov_flags", date(2017, 1, 5), (flags,), scope="full"))
    with tables(data, AS_OF) as connection:
        return {
            "registrations": {r for (r,) in rows(connection, "SELECT registration_id FROM registrations")},
            "trial_of": dict(rows(connection, "SELECT registration_id, trial_id FROM registrations")),
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
def test_every_trial_has_one_verdict_on_its_own_registration(worlds, name, report):
    world = worlds[name]
    assert set(world["verdicts"]) == world["trials"]
    assert set(world["judged_on"].values()) <= world["registrations"]
    assert None not in world["judged_on"].values()
    table = Counter((status, applies) for status, applies, _ in world["verdicts"].values())
    counted = (f"{status:30} {applies:10} {number:6,}" for (status, applies), number in table.most_common())
    report(f"fdaaa, ctgov-{name}: {table.total():,} trials", counted)
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


@pytest.mark.parametrize("name", ["api-v2", "xml"])
def test_every_record_of_the_files_gets_its_verdict(worlds, name, real_records):
    """By the numbers in the files' own bytes: no study is left without a trial, no trial without a verdict."""
    world = worlds[name]
    stated = set()
    for file in sorted((real_records / f"ctgov-{name}").iterdir()):
        stated |= _numbers(file)
    assert world["registrations"] == stated
    assert {world["trial_of"][number] for number in stated} == set(world["verdicts"])


def test_both_formats_of_one_study_are_judged_alike_or_the_record_says_why(worlds, report):
    """Two files show two states of a record: where the verdicts differ, so does something that a verdict is made of."""
    first, second = worlds["api-v2"], worlds["xml"]
    shared = sorted(first["verdicts"].keys() & second["verdicts"].keys())
    alike, explained = [], Counter()
    for trial in shared:
        one, other = (world["records"][world["judged_on"][trial]] for world in (first, second))
        changed = [field for field, a, b in zip(FIELDS, one, other, strict=True) if a != b]
        if not changed and first["judged_on"][trial] == second["judged_on"][trial]:
            alike.append(trial)
        elif first["verdicts"][trial] != second["verdicts"][trial]:
            explained[", ".join(changed) or "another registration of the trial speaks"] += 1
    report(
        f"{len(shared)} studies in both formats, {len(alike)} the same in all that is asked, {explained.total()} judged otherwise",
        (f"{number:6,}  {fields}" for fields, number in explained.most_common()),
    )
    assert alike
    assert [t for t in alike if first["verdicts"][t] != second["verdicts"][t]] == []
