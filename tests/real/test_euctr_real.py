"""The reader of the EU Clinical Trials Register on real files: every record in, every word known, no contact data."""

import csv
import gzip
import json
import re
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow.parquet as pq
import pytest

from pipelines import privacy
from pipelines.contracts import contracts
from pipelines.reading import Report
from pipelines.sources import euctr

FULL_TEXT = "ctrdata_test_error_trials_euctr.txt.gz"
PROTOCOLS = "euctr_processed_dec2020.even.csv.gz"
PAGES = "euctr_results_pages_dec2020.even.csv.gz"
CONVERTED = "euctr_records_ctrdata.jsonl.gz"
RECORDS = {FULL_TEXT: 10, PROTOCOLS: 49_589, PAGES: 7_755, CONVERTED: 55}
UNREADABLE = {
    "joined-lines/one_study_full.txt": "line ends",
    "joined-lines/one_study_summary.txt": "summary download",
    "html/4ff2c188ce8d.html.gz": "HTML",
    "html/7297c948e846.html.gz": "HTML",
}

DAYS = {FULL_TEXT: date(2023, 12, 31), PROTOCOLS: date(2020, 12, 4), PAGES: date(2020, 12, 4)}
"""December 2020: the newest dates of the extracts are of its first days."""


class Read(NamedTuple):
    report: Report
    rows: list[dict[str, Any]]


@pytest.fixture(scope="module")
def read(real_records: Path, tmp_path_factory: pytest.TempPathFactory):
    """Reads a file, each only once."""
    done: dict[str, Read] = {}

    def run(name: str) -> Read:
        if name not in done:
            out = tmp_path_factory.mktemp("staging") / "records.parquet"
            report = euctr.read(real_records / "euctr" / name, Path(name).name, DAYS.get(name, date(2026, 8, 31)), out)
            rows = pq.read_table(out).to_pylist()
            for row in rows:
                row["own_fields"] = dict(row["own_fields"])
            done[name] = Read(report, rows)
        return done[name]

    return run


@pytest.mark.parametrize(("name", "records"), RECORDS.items())
def test_every_record_is_staged(read, name, records):
    report, rows = read(name)
    assert (report.records_in, report.staged, report.rejected, report.rejects) == (records, records, 0, [])
    assert [r["record_number"] for r in rows] == list(range(1, records + 1))


@pytest.mark.parametrize(("name", "reason"), UNREADABLE.items())
def test_what_cannot_be_read_is_one_clear_reject(read, name, reason):
    report, rows = read(name)
    assert (report.records_in, rows, [r.scope for r in report.rejects]) == (0, [], ["payload"])
    assert reason in report.rejects[0].reason


def test_recorded_exchanges_are_no_payload(read, real_records):
    for path in (real_records / "euctr" / "html" / "http-recordings").iterdir():
        report, _ = read(f"html/http-recordings/{path.name}")
        assert (report.records_in, [r.scope for r in report.rejects]) == (0, ["payload"])


def test_the_only_lost_values_are_edited_or_filler(read):
    lost = Counter(
        (name, fault["field"], fault["reason"].split(" ")[0])
        for name in RECORDS
        for row in read(name).rows
        for fault in row["rejects"]
    )
    assert lost == {
        (FULL_TEXT, "in_pip", "neither"): 1,  # edited to JSON_ERROR_HERE
        (PROTOCOLS, "planned_months_in_country", "not"): 1,  # -7 months
        (PAGES, "completion", "filler"): 1,  # 1900-01-01
        (PAGES, "enrolment", "filler"): 38,  # 99999 participants, in two countries together, or 88888
    }


def test_country_records_are_of_19_322_registrations(read):
    rows = read(PROTOCOLS).rows
    assert len({(r["registration_id"], r["part"]) for r in rows}) == 49_589
    assert len({r["registration_id"] for r in rows}) == 19_322
    assert sum(r["part"] == "3RD" for r in rows) == 709
    assert len({r["part"] for r in rows}) == 31


def test_status_words_and_results_links_as_counted_independently(read):
    rows = read(PROTOCOLS).rows
    assert Counter(r["status_source"] for r in rows) == {
        "Completed": 26_063,
        "Ongoing": 15_891,
        "Prematurely Ended": 5_827,
        None: 1_290,
        "Temporarily Halted": 232,
        "Restarted": 213,
        "Not Authorised": 40,
        "Prohibited by CA": 19,
        "Suspended by CA": 14,
    }
    assert Counter(r["status"] for r in rows) == {
        "completed": 26_063,
        "ongoing": 15_891 + 213,
        "terminated": 5_827,
        None: 1_290,
        "suspended": 232 + 14,
        "not_authorised": 40,
        "prohibited": 19,
    }
    assert Counter(r["own_fields"].get("trial_results") for r in rows)["Removed from public view"] == 116
    assert Counter(r["has_results"] for r in rows) == {True: 27_238, False: 22_235 + 116}


def test_every_word_is_mapped_or_known(read):
    source = contracts().sources["euctr"]
    for name in RECORDS:
        for row in read(name).rows:
            for field in ("status", "phase", "sponsor_class", "study_type"):
                word = row[f"{field}_source"]
                known = {**source.words.get(field, {}), **source.unmapped.get(field, {})}
                assert word is None or word in known, (field, word)


def test_the_extract_agrees_with_its_rows(read, real_records):
    with gzip.open(real_records / "euctr" / PROTOCOLS, "rt", encoding="utf-8", newline="") as lines:
        for row, line in zip(read(PROTOCOLS).rows, csv.DictReader(lines), strict=True):
            own = row["own_fields"]
            part = row["part"].replace("3RD", "3rd")
            assert line["eudract_number_with_country"] == f"{row['registration_id']}-{part}"
            assert line["date_of_the_global_end_of_the_trial"] == own.get("global_end_date", "")
            assert line["date_of_competent_authority_decision"] == own.get("competent_authority_decision_date", "")
            assert line["date_of_ethics_committee_opinion"] == own.get("ethics_decision_date", "")
            years = line["trial_in_all_countries_concerned_by_the_trial_years"].removesuffix(".0")
            assert years == own.get("planned_years", "")


def test_results_pages(read):
    rows = read(PAGES).rows
    assert {r["part"] for r in rows} == {"results"}
    assert Counter(r["own_fields"]["results_type"] for r in rows) == {
        "Tabular": 3_826,
        "Document": 3_480,
        "Mixed": 438,
        "Broken": 11,
    }
    assert Counter(r["has_results"] for r in rows) == {True: 7_744, None: 11}
    assert all(r["results_posted"] and r["last_update_posted"] for r in rows)
    # 99 pages say no end, one says 1900-01-01.
    assert sum(r["completion_precision"] == "none" for r in rows) == 100
    assert sum(r["start_precision"] == "day" for r in rows) == 7_755 - 3_491


def test_the_full_text_holds_what_its_lines_say(read, real_records):
    rows = read(FULL_TEXT).rows
    text = gzip.decompress((real_records / "euctr" / FULL_TEXT).read_bytes()).decode()

    def lines(label: str) -> list[str]:
        return [" ".join(v.split()) for v in re.findall(rf"^{label}[ \t]*([^\n]*)", text, re.MULTILINE)]

    assert [r["registration_id"] for r in rows] == lines("EudraCT Number:")
    assert [r["url"] for r in rows] == lines("Link:")
    assert [r["part"] for r in rows] == [link.rstrip("/")[-2:] for link in lines("Link:")]
    assert [r["official_title"] for r in rows] == lines("A.3 Full title of the trial:")
    assert [r["sponsor"] for r in rows] == lines("B.1.1 Name of Sponsor:")
    assert [r["own_fields"]["ethics_decision_date"] for r in rows] == lines("N. Date of Ethics Committee Opinion:")
    assert [r["own_fields"]["planned_years"] for r in rows] == lines(
        "E.8.9.2 In all countries concerned by the trial years:"
    )
    assert Counter(r["phase"] for r in rows) == {"phase1_phase2": 3, "phase3": 7}
    assert all(r["outcomes"][0]["kind"] == "primary" and r["outcomes"][0]["time_frame"] for r in rows)
    assert all(r["interventions"] and r["countries"][0]["status"] == "ongoing" for r in rows)


def test_converted_records(read, real_records):
    rows = read(CONVERTED).rows
    lines = [json.loads(x) for x in gzip.decompress((real_records / "euctr" / CONVERTED).read_bytes()).splitlines()]
    assert [f"{r['registration_id']}-{r['part']}" for r in rows] == [line["_id"] for line in lines]
    assert len({(r["registration_id"], r["part"]) for r in rows}) == 25
    assert [r["has_results"] for r in rows] == [True if "trialInformation" in line else None for line in lines]
    assert {r["status"] for r in rows if r["part"] == "GB" and r["status"]} == {"completed", "frozen"}
    assert "GB - no longer in EU/EEA" in {r["status_source"] for r in rows}
    # The same record in both generations of the conversion says the same.
    by_record: dict[str, set[Any]] = {}
    for row in rows:
        key = f"{row['registration_id']}-{row['part']}"
        by_record.setdefault(key, set()).add((row["status"], row["phase"], row["sponsor"], row["registered_raw"]))
    assert all(len(states) == 1 for states in by_record.values())


def test_contact_data_of_the_records_are_not_staged(read, real_records):
    text = gzip.decompress((real_records / "euctr" / FULL_TEXT).read_bytes()).decode()
    secrets = {v.strip() for v in re.findall(r"^B\.5\.[3-6][^:\n]*:([^\n]*)", text, re.MULTILINE) if len(v.strip()) > 6}
    for line in gzip.decompress((real_records / "euctr" / CONVERTED).read_bytes()).splitlines():
        for sponsor in json.loads(line)["b1_sponsor"]:
            secrets |= {v for k, v in sponsor.items() if k.startswith(("b54", "b55", "b56")) and len(v) > 6}
    staged = str(read(FULL_TEXT).rows) + str(read(CONVERTED).rows)
    assert not any(secret in staged for secret in secrets - {"United Kingdom"})
    assert not re.search(privacy.EMAIL, staged)
