"""The CTIS reader on real records of its three generations: every record in, every word known, no contact data."""

import gzip
import json
import re
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from pipelines import privacy
from pipelines.contracts import contracts
from pipelines.sources import ctis

FILE = "ctis_retrieve.jsonl.gz"
DAY = date(2026, 3, 8)
CONTACTS = ("person", "contact", "legalrepresentative", "thirdparties", "address", "phone", "email")


@pytest.fixture(scope="module")
def lines(real_records: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in gzip.decompress((real_records / "ctis" / FILE).read_bytes()).splitlines()]


@pytest.fixture(scope="module")
def rows(real_records: Path, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    out = tmp_path_factory.mktemp("staging") / "records.parquet"
    report = ctis.read(real_records / "ctis" / FILE, FILE, DAY, out)
    assert (report.records_in, report.staged, report.rejected, report.rejects) == (17, 17, 0, [])
    found = pq.read_table(out).to_pylist()
    for row in found:
        row["own_fields"] = dict(row["own_fields"])
    return found


def test_every_record_keeps_its_number_and_resubmission(rows, lines):
    numbers = [f"{r['registration_id']}-{r['own_fields']['resubmission']}" for r in rows]
    assert numbers == [line["ctNumber"] for line in lines]
    assert len({r["registration_id"] for r in rows}) == 9


def test_no_value_is_lost(rows):
    assert [fault for row in rows for fault in row["rejects"]] == []


def test_status_of_all_generations(rows):
    assert Counter((r["status_source"], r["status"]) for r in rows) == {
        ("Ongoing, recruiting", "recruiting"): 8,
        ("4", "recruiting"): 7,
        ("Authorised, not started", "not_yet_recruiting"): 2,
    }
    assert Counter(c["status"] for r in rows for c in r["countries"])["under_evaluation"] == 1


def test_every_word_is_mapped_or_known(rows):
    source = contracts().sources["ctis"]
    for row in rows:
        for field in ("status", "phase", "sponsor_class"):
            assert row[f"{field}_source"] in source.words[field]
        for document in row["documents"]:
            assert document["kind"] in {"protocol", "consent_form", "other"}
    assert Counter(r["phase"] for r in rows) == {
        "phase2": 10,
        "phase3": 2,
        "phase1": 2,
        "phase4": 2,
        "phase1_phase2": 1,
    }


def test_dates_and_numbers_agree_over_the_generations_of_one_trial(rows):
    by_trial: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        by_trial.setdefault(row["registration_id"], []).append(row)
    for versions in by_trial.values():
        for column in ("registered_earliest", "start_earliest", "sponsor", "phase", "official_title"):
            assert len({v[column] for v in versions}) == 1, column
    assert all(r["registered_precision"] == "day" and r["completion_type"] == "estimated" for r in rows)
    assert all(r["enrolment"] > 0 and r["interventions"] and r["conditions"] and r["outcomes"] for r in rows)


def test_sites_countries_and_participants_are_those_of_the_records(rows, lines):
    for row, line in zip(rows, lines, strict=True):
        application = line.get("authorizedApplication", line)
        states = {s["mscName"] for s in application["memberStatesConcerned"]}
        outside = {c["name"] for c in application["authorizedPartI"].get("rowCountriesInfo") or []}
        assert {c["country"] for c in row["countries"]} == states | outside
        sites = sum(len(part["trialSites"]) for part in application["authorizedPartsII"])
        assert sum(c["sites"] or 0 for c in row["countries"]) == sites
        subjects = int(line["totalNumberEnrolled"]) + application["authorizedPartI"]["rowSubjectCount"]
        assert row["enrolment"] == subjects


def test_transitions_name_their_eudract_number(rows):
    moved = {r["registration_id"]: i["value"] for r in rows for i in r["identifiers"] if i["type"] == "EUDRACT_NUMBER"}
    assert len(moved) == 6
    assert all(re.fullmatch(r"20\d\d-0\d{5}-\d\d", number) for number in moved.values())


def test_results_are_known_to_be_missing_only_since_there_is_a_field(rows):
    assert Counter(r["has_results"] for r in rows) == {None: 10, False: 7}


def test_contact_data_are_not_staged(rows, lines):
    secrets: set[str] = set()

    def collect(value: Any, inside: bool) -> None:
        if isinstance(value, dict):
            for key, child in value.items():
                collect(child, inside or key.lower().startswith(CONTACTS))
        elif isinstance(value, list):
            for child in value:
                collect(child, inside)
        elif inside and isinstance(value, str) and re.search(r"@|\+?\d[\d ]{6,}", value):
            secrets.add(value)

    for line in lines:
        collect(line, False)
    staged = str(rows)
    assert len(secrets) > 50
    assert not any(s in staged for s in secrets if "@" in s or s.startswith("+"))
    assert not re.search(privacy.EMAIL, staged)
