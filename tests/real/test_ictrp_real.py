"""Seven real exports of the WHO portal of 2020, in all its shapes: every row read, every reject looked at.

No field of a contact is ever asked for here, so that no failure can print one.
"""

import csv
import gzip
from collections import Counter
from datetime import date
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from pipelines import dates, trn
from pipelines.contracts import contracts
from pipelines.reading import Report
from pipelines.sources import ictrp

FILES = {
    "ICTRP-Results_18Mar2020.xml.gz": (date(2020, 3, 18), 578),
    "covid-19-trials_25Mar2020.xlsx": (date(2020, 3, 25), 667),
    "COVID19-927-trials_7Apr2020.csv.gz": (date(2020, 4, 7), 927),
    "COVID19-1135-trials_15Apr2020.csv.gz": (date(2020, 4, 15), 1135),
    "COVID19-2119-trials_6May2020.xlsx": (date(2020, 5, 6), 2118),
    "COVID19-26may2020.xlsx": (date(2020, 5, 26), 2936),
    "COVID19-web_7Jul2020.xlsx": (date(2020, 7, 7), 4098),
}
JULY = "COVID19-web_7Jul2020.xlsx"

JULY_REGISTERS = {
    "nct": 2300, "chictr": 733, "irct": 234, "euctr": 228, "ctri": 209, "drks": 109, "isrctn": 67, "anzctr": 61,
    "JPRN": 50, "nl": 49, "rebec": 16, "rpcec": 15, "tctr": 11, "pactr": 9, "cris": 3, "lbctr": 2, "slctr": 1, "repec": 1,
}  # fmt: skip
JAPANESE = {"jrct", "umin", "japic", "jmacct"}


class Staged:
    """What the reader made of one file."""

    def __init__(self, path: Path, out: Path) -> None:
        day, _ = FILES[path.name]
        self.report: Report = ictrp.read(path, path.name, day, out)
        self.rows: list[dict[str, Any]] = pq.read_table(out).to_pylist()

    def __repr__(self) -> str:
        return "Staged(...)"  # pytest prints fixtures: records are not for printing

    @property
    def registers(self) -> Counter[str]:
        """Rows by the register's code, the Japanese registers together as the portal has them."""
        return Counter("JPRN" if row["registry"] in JAPANESE else row["registry"] for row in self.rows)

    @property
    def by_record(self) -> dict[tuple[str, str], dict[str, Any]]:
        return {(row["registration_id"], row["part"]): row for row in self.rows}


@pytest.fixture(scope="module")
def staged(real_records: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Staged]:
    folder = tmp_path_factory.mktemp("ictrp")
    return {name: Staged(real_records / "ictrp" / name, folder / f"{name}.parquet") for name in FILES}


def test_every_row_is_read(staged: dict[str, Staged]):
    for name, (_, records) in FILES.items():
        report = staged[name].report
        assert (report.records_in, report.staged, report.rejected, report.rejects) == (records, records, 0, []), name
        assert len(staged[name].by_record) == records, name


def test_nothing_in_the_files_is_unknown(staged: dict[str, Staged]):
    assert [note for one in staged.values() for note in one.report.notes if "unknown" in note] == []
    assert [
        r for one in staged.values() for row in one.rows for r in row["rejects"] if r["reason"] == "unknown word"
    ] == []


def test_every_word_of_the_source_file_is_a_code(staged: dict[str, Staged]):
    known = contracts().vocabularies
    for column, vocabulary in (("status", "recruitment_status"), ("study_type", "study_type"), ("phase", "phase")):
        codes = {row[column] for one in staged.values() for row in one.rows} - {None}
        assert codes <= set(known[vocabulary])
        assert len(codes) > 1


def test_eighteen_registers_in_july(staged: dict[str, Staged]):
    assert dict(staged[JULY].registers) == JULY_REGISTERS
    assert len(JULY_REGISTERS) == 18
    assert {name: len(one.registers) for name, one in staged.items()} == {
        "ICTRP-Results_18Mar2020.xml.gz": 2,
        "covid-19-trials_25Mar2020.xlsx": 9,
        "COVID19-927-trials_7Apr2020.csv.gz": 10,
        "COVID19-1135-trials_15Apr2020.csv.gz": 10,
        "COVID19-2119-trials_6May2020.xlsx": 16,
        "COVID19-26may2020.xlsx": 18,
        JULY: 18,
    }


def test_every_number_is_canonical_and_of_its_register(staged: dict[str, Staged]):
    for name, one in staged.items():
        for row in one.rows:
            hit = trn.canonical(row["registration_id"])
            assert hit, (name, row["registration_id"])
            assert (hit.canonical, hit.registry) == (row["registration_id"], row["registry"])
            assert (row["part"] != "") == (row["registry"] == "euctr")
            assert row["source"] == "ictrp"


def test_registration_dates_agree_and_all_are_days(staged: dict[str, Staged]):
    for name, one in staged.items():
        assert [r for row in one.rows for r in row["rejects"] if "registration" in r["field"]] == [], name
        assert {row["registered_precision"] for row in one.rows} == {"day"}, name
        assert None not in {row["last_update_posted"] for row in one.rows}, name


REJECTS = {
    # ChiCTR's list of groups is cut off at 254 characters, or has a `;` inside a group's name; RPCEC and SLCTR write a
    # sentence.
    ("enrolment", "neither a number nor groups with a number each"): 38,
    # ChiCTR: every group has the size 0.
    ("enrolment", "groups of nobody"): 19,
    # One ChiCTR record divides the same participants into three pairs of groups.
    ("enrolment", "the same participants are divided into groups more than once"): 3,
    # RPCEC gives the day on which results are planned to be published; once that day had passed.
    ("results_posted", "ahead of the snapshot: planned, not posted"): 25,
    ("results_posted", "this register gives the day on which results are to be published"): 1,
    # ANZCTR and CRIS: the day of registration stands in this field.
    ("results_posted", "the day of registration, and nothing else speaks of results"): 9,
    # Two texts begin with a hyphen: the spreadsheet took them for formulas.
    ("outcomes", "a spreadsheet took the text for a formula: it is lost"): 5,
    # One IRCT record starts in the year 2641.
    ("start", "more than 25 years after the snapshot"): 3,
}


def test_every_kind_of_field_reject_is_known(staged: dict[str, Staged]):
    found = Counter((r["field"], r["reason"]) for one in staged.values() for row in one.rows for r in row["rejects"])
    assert dict(found) == REJECTS


def test_rejected_values_are_what_they_are_said_to_be(staged: dict[str, Staged]):
    july = [(row["registry"], r) for row in staged[JULY].rows for r in row["rejects"]]
    assert {registry for registry, r in july if r["reason"].startswith("ahead")} == {"rpcec"}
    assert {registry for registry, r in july if r["reason"].startswith("the day of reg")} == {"anzctr", "cris"}
    assert {r["value"] for _, r in july if r["field"] == "start"} == {"2641-06-14"}
    assert {r["value"] for _, r in july if r["field"] == "outcomes"} == {"#NAME?"}


def test_results_are_there_only_where_something_says_so(staged: dict[str, Staged]):
    assert {row["has_results"] for one in staged.values() for row in one.rows} == {None, True}
    found = {row["registration_id"]: row["results_posted"] for row in staged[JULY].rows if row["has_results"]}
    assert found == {"NCT04323592": date(2020, 6, 4), "UMIN000040520": date(2020, 5, 26)}
    assert [row for name, one in staged.items() if name != JULY for row in one.rows if row["has_results"]] == []


@cache
def starts_in_csv(path: Path) -> dict[str, str]:
    """The start as the CSV has it, by number; only these two columns are taken."""
    csv.field_size_limit(1 << 24)
    with gzip.open(path, "rt", encoding="utf-8-sig", newline="") as lines:
        return {row["TrialID"].strip(): row["Date enrollement"].strip() for row in csv.DictReader(lines)}


def test_months_that_a_spreadsheet_made_days_of_are_months(staged: dict[str, Staged], real_records: Path):
    """The same trials in a CSV three weeks before: what is a month there is one in the workbook, and no day is one."""
    written = starts_in_csv(real_records / "ictrp" / "COVID19-1135-trials_15Apr2020.csv.gz")
    compared = Counter()
    for row in staged["COVID19-2119-trials_6May2020.xlsx"].rows:
        if row["registry"] == "nct" and (raw := written.get(row["registration_id"])):
            then = dates.long_form(raw, date(2020, 5, 6))
            if then.earliest == row["start_earliest"]:
                compared[then.precision, row["start_precision"]] += 1
    assert compared["month", "month"] > 25
    assert set(compared) == {("month", "month"), ("day", "day")}


def test_an_unchanged_row_is_an_unchanged_version(staged: dict[str, Staged]):
    """Between two CSV exports, and two workbooks, of a few weeks: what WHO did not refresh has the same hash, though the
    portal shuffles its lists. Two texts are lost to a formula in one workbook and not in the next."""
    changed = {}
    for before, after in pairwise(FILES):
        old, new = staged[before].by_record, staged[after].by_record
        same = [key for key in old if key in new and old[key]["last_update_posted"] == new[key]["last_update_posted"]]
        changed[after] = sum(old[key]["content_hash"] != new[key]["content_hash"] for key in same)
        assert len(same) > 500
    assert changed["COVID19-1135-trials_15Apr2020.csv.gz"] == 0
    assert changed["COVID19-26may2020.xlsx"] <= 1
    assert changed[JULY] <= 1


def test_the_texts_of_a_workbook_are_those_of_the_csv(staged: dict[str, Staged]):
    """The workbook of May was made from UTF-8 read as Mac Roman."""
    old = staged["COVID19-1135-trials_15Apr2020.csv.gz"].by_record
    new = staged["COVID19-2119-trials_6May2020.xlsx"].by_record
    same = [key for key in old if key in new and old[key]["last_update_posted"] == new[key]["last_update_posted"]]
    for column in ("title", "sponsor", "conditions", "interventions", "outcomes", "countries", "enrolment", "status"):
        assert [key for key in same if old[key][column] != new[key][column]] == [], column
    assert sum(not (old[key]["title"] or "").isascii() for key in same) > 5


def test_private_persons_are_not_named(staged: dict[str, Staged]):
    persons = Counter(row["registry"] for row in staged[JULY].rows if row["sponsor_is_person"])
    assert persons["nct"] > 50
    assert {row["sponsor"] for row in staged[JULY].rows if row["sponsor_is_person"]} == {
        "Private person (named in the registry's record)"
    }
    assert sum(persons.values()) < 150
