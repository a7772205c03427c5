"""The ClinicalTrials.gov reader on the real files: both ways give the same, no record is lost, no field is unknown.

Field for field against the site's CSV, as read: what the warehouse makes of it is in `test_ctgov_csv`.
"""

import csv
import gzip
import io
import json
import re
import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines import privacy
from pipelines.contracts import contracts
from pipelines.reading import Report
from pipelines.sources import ctgov

SHARED = Path(__file__).parents[2].parent / "shared" / "data"
FILES = SHARED / "ctgov-api-v2"
pytestmark = pytest.mark.skipif(not FILES.is_dir(), reason="the real ClinicalTrials.gov files are not on this machine")

DAY = date(2026, 8, 8)
NAMES = sorted(path.name for path in FILES.iterdir()) if FILES.is_dir() else []
UROLOGY = "urology-2024-09-24.ctg-studies.json.zip"
HEADACHE = "headache-2025-10-02.ctg-studies.json.gz"
UNKNOWN_FIELDS = {
    # A nested copy of `locations` that records carried before the API's release.
    "NCT02513394.json.gz": {"protocolSection.contactsLocationsModule.locations_nested"},
    "beta-2023-06-20.study.json.gz": {
        "protocolSection.contactsLocationsModule.locations_nested",
        "protocolSection.armsInterventionsModule.interventions.interventionMappedName",
    },
    "ctrdata_records.jsonl.gz": {"_id", "ctrname", "record_last_import"},
}
"""Of the files that were converted, or served before the API was released; every other file has none."""


def json_values(name: str) -> list[Any]:
    """All JSON texts of a file, decoded by the standard library alone."""
    content = (FILES / name).read_bytes()
    if name.endswith(".zip"):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return [json.loads(archive.read(entry)) for entry in archive.namelist() if not entry.endswith("/")]
    text = gzip.decompress(content).decode("utf-8-sig")
    return list(map(json.loads, text.splitlines())) if name.endswith("l.gz") else [json.loads(text)]


def studies(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for value in json_values(name):
        if isinstance(value, list):
            found += value
        else:
            found += value["studies"] if "studies" in value else [value.get("study", value)]
    return found


class Both:
    """One file, read both ways."""

    def __init__(self, name: str, folder: Path) -> None:
        self.reports: list[Report] = []
        self.outs = [folder / "fast.parquet", folder / "slow.parquet"]
        for out, fast in zip(self.outs, (True, False), strict=True):
            self.reports.append(ctgov.read(FILES / name, name, DAY, out, fast=fast))

    def rows(self, columns: str = "*") -> list[dict[str, Any]]:
        with duckdb.connect() as connection:
            cursor = connection.execute(f"SELECT {columns} FROM read_parquet(?)", [str(self.outs[0])])
            names = [column[0] for column in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


@pytest.fixture(scope="module")
def read(tmp_path_factory):
    done: dict[str, Both] = {}

    def run(name: str) -> Both:
        if name not in done:
            done[name] = Both(name, tmp_path_factory.mktemp("both"))
        return done[name]

    return run


@pytest.mark.parametrize("name", NAMES)
def test_the_fast_way_and_the_slow_way_are_one_on_every_record_and_column(read, name):
    both = read(name)
    fast, slow = (f"read_parquet('{out}')" for out in both.outs)
    columns = {column.name for column in contracts().staging[ctgov.KIND].columns}
    with duckdb.connect() as connection:
        for one, other in ((fast, slow), (slow, fast)):
            assert {name for name, *_ in connection.sql(f"DESCRIBE FROM {one}").fetchall()} == columns
            (more,) = connection.sql(f"SELECT count(*) FROM (FROM {one} EXCEPT ALL FROM {other})").fetchall()[0]
            assert more == 0
    assert both.reports[0] == both.reports[1]


@pytest.mark.parametrize("name", NAMES)
def test_every_record_gets_in(read, name):
    both = read(name)
    expected = [study["protocolSection"]["identificationModule"]["nctId"] for study in studies(name)]
    report = both.reports[0]
    assert report == Report(records_in=len(expected), staged=len(expected))
    rows = both.rows("record_number, registration_id")
    assert [row["registration_id"] for row in rows] == expected
    assert [row["record_number"] for row in rows] == list(range(1, len(expected) + 1))


@pytest.mark.parametrize("name", [name for name in NAMES if not name.startswith(("ctrdata", "record-history"))])
def test_the_well_formed_files_go_the_fast_way(name, tmp_path, monkeypatch):
    """All but the converted file, some of whose values have another shape, and the zip of records with their history."""

    def refuse(*arguments: Any) -> None:
        raise AssertionError("the file was read record by record")

    monkeypatch.setattr(ctgov, "_read_slowly", refuse)
    assert ctgov.read(FILES / name, name, DAY, tmp_path / "out.parquet").staged > 0


@pytest.mark.parametrize("name", NAMES)
def test_no_field_is_unknown_and_no_value_refused(read, name):
    assert set(ctgov.audit(FILES / name)) == UNKNOWN_FIELDS.get(name, set())
    refused = [(r["field"], r["reason"]) for row in read(name).rows("rejects") for r in row["rejects"]]
    expected = [("identifiers", "an e-mail address was removed")] if name.startswith("targets") else []
    assert refused == expected


@pytest.mark.parametrize("name", NAMES)
def test_no_contact_datum_is_in_any_column(read, name):
    """No e-mail address, and no investigator as a sponsor. A failure tells numbers, never what a record holds."""
    both = read(name)
    with duckdb.connect() as connection:
        text = connection.sql(
            f"SELECT coalesce(string_agg(t::VARCHAR, ' '), '') FROM read_parquet('{both.outs[0]}') AS t"
        ).fetchall()[0][0]
    has_mail = re.search(privacy.EMAIL, text) is not None
    assert not has_mail
    shown = {s["name"] for row in both.rows("sponsors") for s in row["sponsors"]}
    named = []
    for study in studies(name):
        sponsoring = study["protocolSection"].get("sponsorCollaboratorsModule", {})
        if sponsoring.get("responsibleParty", {}).get("investigatorFullName") in shown - {None}:
            named.append(study["protocolSection"]["identificationModule"]["nctId"])
    assert named == []


# --- against the site's own CSV -------------------------------------------------------------------------------------

SEARCHES = {UROLOGY: 635, HEADACHE: 120}
FIELDS = {
    "Study Title": "title",
    "Acronym": "acronym",
    "Study Status": "status_source",
    "Study Type": "study_type_source",
    "Phases": "phase_source",
    "Enrollment": "enrolment",
    "Funder Type": "sponsor_class_source",
    "Start Date": "start_raw",
    "Primary Completion Date": "primary_completion_raw",
    "Completion Date": "completion_raw",
    "First Posted": "first_posted",
    "Results First Posted": "results_posted",
    "Last Update Posted": "last_update_posted",
}


@pytest.fixture(scope="module", params=SEARCHES)
def pairs(request, read):
    """The site's row and ours for every study of a search."""
    table = request.param.replace(".json.zip", ".csv.gz").replace(".json.gz", ".csv.gz")
    text = gzip.decompress((SHARED / "ctgov-csv" / table).read_bytes()).decode("utf-8-sig")
    theirs = {row["NCT Number"]: row for row in csv.DictReader(io.StringIO(text, newline=""))}
    ours = {row["registration_id"]: row for row in read(request.param).rows()}
    assert len(ours) == SEARCHES[request.param]
    assert ours.keys() == theirs.keys()
    return [(theirs[number], row) for number, row in ours.items()]


def different(pairs: list[tuple[dict[str, str], dict[str, Any]]], field: str, ours: Callable[..., str]) -> list[str]:
    """Numbers of the studies whose value is another: a failure must not print what a record holds."""
    return [row["registration_id"] for theirs, row in pairs if theirs[field] != ours(row)]


@pytest.mark.parametrize("field", FIELDS)
def test_single_values_are_those_of_the_csv(pairs, field):
    column = FIELDS[field]
    assert different(pairs, field, lambda row: "" if row[column] is None else str(row[column])) == []


def test_other_ids_are_those_of_the_csv_in_the_same_order(pairs):
    """The sponsor's own number, then the secondary ones in the record's order; aliases are not among them."""
    assert different(pairs, "Other IDs", lambda row: "|".join(i["value"] for i in row["identifiers"])) == []


def test_conditions_are_those_of_the_csv_in_the_same_order(pairs):
    assert different(pairs, "Conditions", lambda row: "|".join(row["conditions"] or [])) == []


def test_collaborators_are_those_of_the_csv_but_for_private_persons(pairs):
    wrong, persons = [], 0
    for theirs, ours in pairs:
        found = [s for s in ours["sponsors"] if s["role"] == "collaborator"]
        expected = theirs["Collaborators"].split("|") if theirs["Collaborators"] else []
        persons += sum(s["is_person"] for s in found)
        shown = [privacy.PRIVATE_PERSON if s["is_person"] else e for s, e in zip(found, expected, strict=False)]
        if [s["name"] for s in found] != shown or len(found) != len(expected):
            wrong.append(ours["registration_id"])
    assert wrong == []
    assert persons <= 10  # far fewer than the hundreds of organisations


def test_results(pairs):
    assert {(theirs["Study Results"], ours["has_results"]) for theirs, ours in pairs} == {("YES", True), ("NO", False)}
    posted = sum(ours["results_posted"] is not None for _, ours in pairs)
    assert posted == sum(ours["has_results"] for _, ours in pairs) == {635: 68, 120: 19}[len(pairs)]


def test_the_only_other_sponsors_are_private_persons(pairs, read):
    """All 25 of 755 are persons by the register's own word or by the responsible party's name, none by a guess."""
    records = {
        study["protocolSection"]["identificationModule"]["nctId"]: study["protocolSection"]
        for name in SEARCHES for study in studies(name)
    }  # fmt: skip
    why = []
    for theirs, ours in pairs:
        sponsoring = records[ours["registration_id"]]["sponsorCollaboratorsModule"]
        is_shown = ours["sponsor"] == theirs["Sponsor"]
        assert is_shown is not ours["sponsor_is_person"], ours["registration_id"]
        if is_shown:
            continue
        assert ours["sponsor"] == privacy.PRIVATE_PERSON
        is_individual = sponsoring["leadSponsor"]["class"] == "INDIV"
        is_party = sponsoring["leadSponsor"]["name"] == sponsoring["responsibleParty"].get("investigatorFullName")
        assert is_individual or is_party, ours["registration_id"]
        why.append("INDIV" if is_individual else "responsible party")
    assert (why.count("INDIV"), why.count("responsible party")) == {635: (0, 18), 120: (1, 6)}[len(pairs)]
