"""The EU rules on real records, beside a recomputation from the files themselves in plain Python."""

import csv
import gzip
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from pipelines import importing, queries
from pipelines.contracts import contracts
from pipelines.importing import Import
from tests.unit.test_eu_policies import TRACKER_GROUP
from tests.worlds import rows, tables

PROTOCOLS = "euctr_processed_dec2020.even.csv.gz"
PAGES = "euctr_results_pages_dec2020.even.csv.gz"
CTIS = "ctis_retrieve.jsonl.gz"
SEEN = date(2020, 12, 4)
AS_OF = date(2020, 12, 31)
REGISTRATIONS = 19_322
COUNTRY_RECORDS = 49_589

RUNS = {"Ongoing", "Restarted", "Temporarily Halted", "Suspended by CA"}
ENDED = {"Completed", "Prematurely Ended"}
PROHIBITED = {"Prohibited by CA"}
REFUSED = {"Not Authorised"}


def lines(path: Path) -> list[dict[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


@pytest.fixture(scope="module")
def countries(real_records: Path) -> Mapping[str, list[dict[str, str]]]:
    """The rows of the extract by EudraCT number."""
    found = defaultdict(list)
    for line in lines(real_records / "euctr" / PROTOCOLS):
        found[line["eudract_number_with_country"][:14]].append(line)
    return found


@pytest.fixture(scope="module")
def pages(real_records: Path) -> Mapping[str, dict[str, str]]:
    return {line["trial_id"]: line for line in lines(real_records / "euctr" / PAGES)}


@contextmanager
def under(profile: Mapping[str, Any]) -> Iterator[None]:
    """The Directive's policy with other parameters."""
    known = contracts()
    policy = known.policies["eu-ctd"]
    changed = replace(policy, parameters={**policy.parameters, **profile})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(queries, "contracts", lambda: replace(known, policies={**known.policies, "eu-ctd": changed}))
        yield


@pytest.fixture(scope="module")
def data(real_records: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("eu") / "data"
    importing.take(folder, Import("euctr", SEEN, tuple(real_records / "euctr" / name for name in (PROTOCOLS, PAGES))))
    return folder


@pytest.fixture(scope="module")
def ours(data: Path) -> list[tuple[Any, ...]]:
    with tables(data, as_of=AS_OF) as connection:
        return rows(
            connection,
            """SELECT trial_id, status_group, status, applies, results_page_end_agrees.outcome,
                (SELECT count(*) FROM euctr_protocols AS p WHERE p.trial_id = s.trial_id)
            FROM reporting_status AS s JOIN legs_eu_ctd USING (trial_id) WHERE policy = 'eu-ctd'""",
        )


@pytest.fixture(scope="module")
def tracker(data: Path) -> Mapping[str, tuple[str, bool]]:
    """The tracker's group of every trial, and whether results are reported."""
    with under(contracts().policies["eu-ctd"].profiles["eu-tracker"]), tables(data, as_of=AS_OF) as connection:
        found = rows(
            connection,
            f"""SELECT trial_id, {TRACKER_GROUP}, public.outcome
            FROM legs_eu_ctd AS l JOIN reporting_status AS s USING (trial_id) WHERE policy = 'eu-ctd'""",
        )
    return {trial: (group, is_reported) for trial, group, is_reported in found}


def test_every_registration_has_one_status(ours, countries, report):
    """All country records of the extract are in the partition, each in one trial."""
    table = Counter(row[1:3] for row in ours)
    counted = (f"{group:16} {status:20} {number:6,}" for (group, status), number in sorted(table.items()))
    report(f"eu-ctd: {table.total():,} registrations of the EU register", counted)
    assert sum(map(len, countries.values())) == COUNTRY_RECORDS
    assert {row[0] for row in ours} == set(countries)
    assert sum(row[5] for row in ours) == COUNTRY_RECORDS
    assert len(ours) == len({row[0] for row in ours}) == REGISTRATIONS
    # The extract says nothing of phase, plan and age; only paediatric trials have a third country's record.
    paediatric = {
        n for n, found in countries.items() if any(r["eudract_number_with_country"].endswith("3rd") for r in found)
    }
    assert {row[0]: row[3] for row in ours} == {n: "yes" if n in paediatric else "probable" for n in countries}


def a_year_on(day: date) -> date:
    last = 28 if (day.month, day.day) == (2, 29) else day.day
    return date(day.year + 1, day.month, last)


def due(end: date) -> date:
    return date(2016, 12, 21) if end < date(2014, 7, 21) else a_year_on(end)


def day_of(raw: str) -> date | None:
    return date.fromisoformat(raw) if raw and raw != "1900-01-01" else None


def our_status(records: Sequence[dict[str, str]], page: Mapping[str, str] | None) -> str:
    """Our rule, from one trial's rows of the two files."""
    counted = [r for r in records if not r["eudract_number_with_country"].endswith("3rd")] or records
    if len(counted) < len(records) and all(r["end_of_trial_status"] in REFUSED for r in counted):
        counted = [r for r in records if r not in counted]  # a third country's, where all others refused it
    words = [r["end_of_trial_status"] for r in counted]
    ends = sorted(date.fromisoformat(d) for r in counted if (d := r["date_of_the_global_end_of_the_trial"]))
    if not ends and page and (end := day_of(page["global_end_of_trial_date"])):
        ends = [end]
    due_latest = max(map(due, (ends[0], ends[-1]))) if ends else None
    ran = [w for w in words if w not in REFUSED]
    is_public = any(r["trial_results"] == "View results" for r in records) or (
        page and page["results_type"] != "Broken"
    )
    if not ran and not is_public:
        return "never_started"
    if is_public:
        posted = page and day_of(page["first_version_date"])
        newest = page and day_of(page["this_version_date"])
        posted = min(posted, newest) if posted and newest else posted
        if not due_latest or due_latest >= AS_OF:
            return "reported_early"
        if due_latest >= SEEN:
            return "reported_on_time"
        if not posted:
            return "reported_undated"
        return "reported_on_time" if posted <= due_latest else "reported_late"
    runs = any(w in RUNS for w in ran)
    if not due_latest:
        return (
            "not_completed"
            if runs
            else "inconsistent"
            if all(w in ENDED | PROHIBITED for w in ran)
            else "completion_unknown"
        )
    if ends[-1] > AS_OF:
        return "not_completed"
    if runs:
        return "inconsistent"
    late = (AS_OF - due_latest).days
    return "not_due" if late <= 0 else "in_grace" if late <= 28 else "reporting_unknown" if page else "overdue"


def test_our_statuses_are_those_of_a_recomputation(ours, countries, pages):
    expected = {number: our_status(records, pages.get(number)) for number, records in countries.items()}
    wrong = [(row[0], row[2], expected[row[0]]) for row in ours if row[2] != expected[row[0]]]
    assert wrong == []


def test_the_results_pages_end_is_the_protocols_in_part_of_the_trials_only(ours):
    found = Counter(row[4] for row in ours if row[4] is not None)
    assert 0 < found[True] / found.total() < 2 / 3


def tracker_group(records: Sequence[dict[str, str]]) -> str:
    """The tracker's rule (its table, the first match wins), from one trial's rows of the extract."""
    n = len(records)
    words = [r["end_of_trial_status"] for r in records]
    ended = sum(w in ENDED for w in words)
    if ended == n:
        trial_status = 1
    elif ended:
        trial_status = 2
    elif not any(words):
        trial_status = 4
    else:
        trial_status = 0 if all(w in ("Ongoing", "Restarted") for w in words) else 3
    ends = [d for r in records if (d := r["date_of_the_global_end_of_the_trial"])]
    if any(r["eudract_number_with_country"].endswith("3rd") for r in records):
        return "inconsistent"  # outside-eu, partly-outside-eu
    if trial_status == 2 and ends:
        return "inconsistent"  # error-ongoing-has-comp-date
    if trial_status in (0, 2, 3):
        return "not due"  # ongoing, other
    if trial_status == 4 or not ends:
        return "inconsistent"  # no-trial-status, error-completed-no-comp-date
    a_year_ago = AS_OF.replace(year=AS_OF.year - 1) - timedelta(days=28)
    return "due" if date.fromisoformat(max(ends)) < a_year_ago else "not due"


def tracker_reported(records: Sequence[dict[str, str]]) -> bool:
    return all(r["trial_results"] for r in records)


def test_the_trackers_groups_are_those_of_a_recomputation(tracker, countries, report):
    expected = {number: (tracker_group(records), tracker_reported(records)) for number, records in countries.items()}
    report(
        "eu-ctd as the EU TrialsTracker counts",
        (
            f"{group:16} {'reported' if told else '':10} {n:6,}"
            for (group, told), n in sorted(Counter(expected.values()).items())
        ),
    )
    assert Counter(tracker.values()) == Counter(expected.values())
    assert [number for number, found in tracker.items() if found != expected[number]] == []


def test_real_ctis_records_run_and_are_no_cases_of_the_directive(real_records, tmp_path):
    importing.take(tmp_path / "data", Import("ctis", date(2026, 3, 8), (real_records / "ctis" / CTIS,)))
    with tables(tmp_path / "data", as_of=date(2026, 3, 31)) as connection:
        found = rows(
            connection, "SELECT policy, status, count(*) FROM reporting_status WHERE policy LIKE 'eu-%' GROUP BY ALL"
        )
    assert set(found) == {("eu-ctr", "not_completed", 9), ("eu-ctd", "out_of_scope", 9)}
