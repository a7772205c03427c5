"""The ClinicalTrials.gov reader on planted studies: every column, every shape, every damage, nothing private."""

import contextlib
import copy
import gzip
import io
import json
import zipfile
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines import privacy, store
from pipelines.contracts import contracts
from pipelines.errors import DataError
from pipelines.reading import Report
from pipelines.sources import ctgov

DAY = date(2026, 1, 1)
MAIL = "ask.me+2@mail.uni-x.example.org"
SOURCE = contracts().sources["ctgov"]
Study = dict[str, Any]


# --- planting -------------------------------------------------------------------------------------------------------


def nct(number: int) -> str:
    return f"NCT9{number:07d}"


def small(number: int = 1, **paths: Any) -> Study:
    """A study with little in it; `paths` set values, `__` standing for the dots between the names."""
    study: Study = {
        "protocolSection": {
            "identificationModule": {"nctId": nct(number), "briefTitle": f"Invented study {number}"},
            "statusModule": {"overallStatus": "COMPLETED", "startDateStruct": {"date": "2020-01", "type": "ACTUAL"}},
        },
        "hasResults": False,
    }
    for path, value in paths.items():
        put(study, path.replace("__", "."), value)
    return study


SHORT = {
    "ids": "protocolSection.identificationModule",
    "dates": "protocolSection.statusModule",
    "sponsors": "protocolSection.sponsorCollaboratorsModule",
    "oversight": "protocolSection.oversightModule",
    "description": "protocolSection.descriptionModule",
    "conditions": "protocolSection.conditionsModule",
    "design": "protocolSection.designModule",
    "arms": "protocolSection.armsInterventionsModule",
    "outcomes": "protocolSection.outcomesModule",
    "places": "protocolSection.contactsLocationsModule",
    "references": "protocolSection.referencesModule",
    "unposted": "annotationSection.annotationModule.unpostedAnnotation",
    "documents": "documentSection.largeDocumentModule",
    "misc": "derivedSection.miscInfoModule",
}


def put(study: Study, path: str, value: Any) -> None:
    head, _, rest = path.partition(".")
    *branches, leaf = f"{SHORT.get(head, head)}.{rest}".strip(".").split(".")
    node = study
    for name in branches:
        node = node.setdefault(name, {})
    node[leaf] = value


FULL: Study = {
    "protocolSection": {
        "identificationModule": {
            "nctId": " nct90000001 ",
            "nctIdAliases": ["NCT90000777", "nct90000778"],
            "orgStudyIdInfo": {"id": "EX-1", "type": "NIH"},
            "secondaryIdInfos": [
                {"id": "2019-009999-11", "type": "EUDRACT_NUMBER"},
                {"id": "R01-1", "type": "NIH", "domain": "Example institute", "link": "https://example.org"},
            ],
            "briefTitle": "Invented drug — café",
            "officialTitle": "An invented drug against placebo",
            "acronym": "INVENT",
            "organization": {"fullName": "Example University", "class": "OTHER"},
        },
        "descriptionModule": {
            "briefSummary": "What NCT90000001 gained on NCT 90000002 (parent study).",
            "detailedDescription": "See 2019–009999–11\nand NCT90000002.",
        },
        "statusModule": {
            "statusVerifiedDate": "2024-02",
            "overallStatus": "UNKNOWN",
            "lastKnownStatus": "RECRUITING",
            "whyStopped": "No money",
            "startDateStruct": {"date": "2021-03-01", "type": "ACTUAL"},
            "primaryCompletionDateStruct": {"date": "2023-06", "type": "ESTIMATED"},
            "completionDateStruct": {"date": "2024"},
            "studyFirstSubmitDate": "2021-01-05",
            "studyFirstPostDateStruct": {"date": "2021-01-11", "type": "ACTUAL"},
            "resultsWaived": True,
            "resultsFirstSubmitDate": "2024-05-01",
            "resultsFirstSubmitQcDate": "2024-06-02",
            "resultsFirstPostDateStruct": {"date": "2024-07-03", "type": "ESTIMATED"},
            "dispFirstSubmitDate": "2023-12-04",
            "dispFirstPostDateStruct": {"date": "2023-12-09", "type": "ACTUAL"},
            "lastUpdateSubmitDate": "2024-07-01",
            "lastUpdatePostDateStruct": {"date": "2024-07-03", "type": "ACTUAL"},
        },
        "sponsorCollaboratorsModule": {
            "responsibleParty": {"type": "SPONSOR_INVESTIGATOR", "investigatorFullName": "Ann Example"},
            "leadSponsor": {"name": "Example University", "class": "OTHER"},
            "collaborators": [
                {"name": "Example Pharma", "class": "INDUSTRY"},
                {"name": "Bea Invented", "class": "INDIV"},
            ],
        },
        "oversightModule": {
            "isFdaRegulatedDrug": True,
            "isFdaRegulatedDevice": False,
            "isUnapprovedDevice": True,
            "isPpsd": False,
            "isUsExport": True,
            "fdaaa801Violation": True,
        },
        "conditionsModule": {"conditions": ["Headache", "Ache | head"], "keywords": ["pain"]},
        "designModule": {
            "studyType": "INTERVENTIONAL",
            "phases": ["PHASE3", "PHASE2"],
            "designInfo": {"primaryPurpose": "ECT"},
            "enrollmentInfo": {"count": 120, "type": "ESTIMATED"},
        },
        "armsInterventionsModule": {
            "interventions": [
                {"type": "BEHAVIORAL", "name": "Talk", "otherNames": ["Chat", "Words"]},
                {"type": "DRUG", "name": "Inventine"},
            ]
        },
        "outcomesModule": {
            "primaryOutcomes": [{"measure": "Pain", "timeFrame": "1 week"}],
            "secondaryOutcomes": [{"measure": "Sleep"}],
            "otherOutcomes": [{"measure": "Mood", "timeFrame": "1 day"}],
        },
        "contactsLocationsModule": {
            "overallOfficials": [{"name": "Ann Example, MD"}],
            "locations": [{"country": "Spain"}, {"country": "Chile"}, {"country": "Spain"}, {"city": "Nowhere"}],
        },
        "referencesModule": {
            "references": [
                {"pmid": "99999901", "type": "DERIVED", "citation": "Example A. doi: 10.99999/ABC.1."},
                {"type": "BACKGROUND", "citation": "Example B. A book."},
            ]
        },
    },
    "annotationSection": {
        "annotationModule": {
            "unpostedAnnotation": {
                "unpostedEvents": [
                    {"type": "RELEASE", "date": "2024-05-01"},
                    {"type": "RESET", "date": "2024-06-03"},
                    {"type": "UNRELEASE", "dateUnknown": True},
                ]
            }
        }
    },
    "documentSection": {
        "largeDocumentModule": {
            "largeDocs": [
                {
                    "hasProtocol": True,
                    "hasSap": True,
                    "hasIcf": False,
                    "label": "Study Protocol and Plan",
                    "date": "2020-12-01",
                    "uploadDate": "2024-05-01T10:59",
                    "filename": "Prot_SAP_000.pdf",
                },
                {"hasProtocol": False, "hasSap": False, "hasIcf": True, "filename": "ICF_001.pdf"},
            ]
        }
    },
    "resultsSection": {
        "outcomeMeasuresModule": {
            "outcomeMeasures": [
                {"type": "SECONDARY", "title": "Sleep", "analyses": [{"pValue": "0.01"}]},
                {
                    "type": "PRIMARY",
                    "title": f"Pain, ask {MAIL}",
                    "analyses": [
                        {
                            "groupIds": ["OG000", "OG001"],
                            "nonInferiorityType": "SUPERIORITY_OR_OTHER",
                            "pValue": "<0.001",
                            "statisticalMethod": "ANCOVA",
                            "paramType": "Mean Difference (Net)",
                            "paramValue": "-1.5",
                            "ciPctValue": "95",
                            "ciNumSides": "TWO_SIDED",
                            "ciLowerLimit": "-2.0",
                            "ciUpperLimit": "-1.0",
                        },
                        {"nonInferiorityType": "EQUIVALENCE"},
                    ],
                },
                {"type": "PRIMARY", "title": "No analysis"},
                {"type": "PRIMARY", "analyses": [{"pValue": "NS", "nonInferiorityType": "SUPREMACY"}]},
            ]
        }
    },
    "derivedSection": {
        "miscInfoModule": {
            "versionHolder": "2025-12-31",
            "removedCountries": ["Peru"],
            "submissionTracking": {
                "estimatedResultsFirstSubmitDate": "2024-05-01",
                "submissionInfos": [
                    {"releaseDate": "2024-05-01", "resetDate": "2024-06-03"},
                    {"releaseDate": "2024-08-08", "unreleaseDate": "2024-09-09"},
                ],
            },
        },
        "conditionBrowseModule": {
            "meshes": [{"id": "D006261", "term": "Headache"}],
            "ancestors": [{"id": "D010146", "term": "Pain"}, {"id": "D009461", "term": f"Ask {MAIL}"}],
        },
        "interventionBrowseModule": {"meshes": [{"id": "D000001", "term": "Inventine"}]},
    },
    "hasResults": True,
}


def partial(raw: str, precision: str, earliest: date, latest: date, kind: str | None) -> tuple[Any, ...]:
    return raw, precision, earliest, latest, kind


EXPECTED: dict[str, Any] = {
    "payload": "planted.json",
    "record_number": 1,
    "registration_id": "NCT90000001",
    "registry": "nct",
    "source": "ctgov",
    "url": "https://clinicaltrials.gov/study/NCT90000001",
    "title": "Invented drug — café",
    "official_title": "An invented drug against placebo",
    "acronym": "INVENT",
    "study_type": "interventional",
    "study_type_source": "INTERVENTIONAL",
    "phase": "phase2_phase3",
    "phase_source": "PHASE2|PHASE3",
    "primary_purpose": "educational",
    "status": "unknown",
    "status_source": "UNKNOWN",
    "last_known_status": "recruiting",
    "why_stopped": "No money",
    "sponsor": "Example University",
    "sponsor_class": "other",
    "sponsor_class_source": "OTHER",
    "sponsor_is_person": False,
    "registered": partial("2021-01-05", "day", date(2021, 1, 5), date(2021, 1, 5), None),
    "first_posted": date(2021, 1, 11),
    "start": partial("2021-03-01", "day", date(2021, 3, 1), date(2021, 3, 1), "actual"),
    "primary_completion": partial("2023-06", "month", date(2023, 6, 1), date(2023, 6, 30), "estimated"),
    "completion": partial("2024", "year", date(2024, 1, 1), date(2024, 12, 31), None),
    "verified": partial("2024-02", "month", date(2024, 2, 1), date(2024, 2, 29), None),
    "last_update_submitted": date(2024, 7, 1),
    "last_update_posted": date(2024, 7, 3),
    "enrolment": 120,
    "enrolment_type": "estimated",
    "has_results": True,
    "results_submitted": date(2024, 5, 1),
    "results_submitted_qc": date(2024, 6, 2),
    "results_posted": date(2024, 7, 3),
    "results_posted_type": "estimated",
    "results_waived": True,
    "delay_submitted": date(2023, 12, 4),
    "delay_posted": date(2023, 12, 9),
    "is_fda_regulated_drug": True,
    "is_fda_regulated_device": False,
    "is_unapproved_device": True,
    "is_ppsd": False,
    "is_us_export": True,
    "has_fdaaa_violation": True,
    "data_version": "2025-12-31",
    "aliases": ["NCT90000777", "NCT90000778"],
    "identifiers": [
        {"value": "EX-1", "type": "ORG_STUDY_ID"},
        {"value": "2019-009999-11", "type": "EUDRACT_NUMBER"},
        {"value": "R01-1", "type": "NIH", "domain": "Example institute"},
    ],
    "mentions": ["NCT90000002", "2019-009999-11"],
    "conditions": ["Headache", "Ache | head"],
    "keywords": ["pain"],
    "condition_mesh": [{"id": "D006261", "term": "Headache"}],
    "condition_mesh_above": [{"id": "D010146", "term": "Pain"}, {"id": "D009461", "term": f"Ask {privacy.MASK}"}],
    "interventions": [
        {"type": "behavioural", "name": "Talk", "other_names": ["Chat", "Words"]},
        {"type": "drug", "name": "Inventine"},
    ],
    "intervention_mesh": [{"id": "D000001", "term": "Inventine"}],
    "outcomes": [
        {"kind": "primary", "measure": "Pain", "time_frame": "1 week"},
        {"kind": "secondary", "measure": "Sleep"},
        {"kind": "other", "measure": "Mood", "time_frame": "1 day"},
    ],
    "analyses": [
        {
            "outcome_ordinal": 2,
            "outcome_title": f"Pain, ask {privacy.MASK}",
            "analysis_ordinal": 1,
            "p_value": "<0.001",
            "hypothesis": "superiority",
            "hypothesis_source": "SUPERIORITY_OR_OTHER",
            "method": "ANCOVA",
            "estimate_type": "Mean Difference (Net)",
            "estimate": "-1.5",
            "ci_percent": "95",
            "ci_sides": "TWO_SIDED",
            "ci_lower": "-2.0",
            "ci_upper": "-1.0",
        },
        {
            "outcome_ordinal": 2,
            "outcome_title": f"Pain, ask {privacy.MASK}",
            "analysis_ordinal": 2,
            "hypothesis": "non_inferiority",
            "hypothesis_source": "EQUIVALENCE",
        },
        {"outcome_ordinal": 4, "analysis_ordinal": 1, "p_value": "NS", "hypothesis_source": "SUPREMACY"},
    ],
    "countries": [
        {"country": "Chile", "sites": 1, "is_removed": False},
        {"country": "Spain", "sites": 2, "is_removed": False},
        {"country": "Peru", "sites": 0, "is_removed": True},
    ],
    "sponsors": [
        {"name": "Example University", "role": "lead", "class": "other", "is_person": False},
        {"name": "Example Pharma", "role": "collaborator", "class": "industry", "is_person": False},
        {"name": privacy.PRIVATE_PERSON, "role": "collaborator", "class": "individual", "is_person": True},
    ],
    "publications": [
        {"pmid": 99999901, "doi": "10.99999/abc.1", "type": "derived"},
        {"type": "background"},
    ],
    "documents": [
        {
            "kind": "protocol_and_analysis_plan",
            "date": date(2020, 12, 1),
            "uploaded": date(2024, 5, 1),
            "label": "Study Protocol and Plan",
            "url": "https://cdn.clinicaltrials.gov/large-docs/01/NCT90000001/Prot_SAP_000.pdf",
        },
        {"kind": "consent_form", "url": "https://cdn.clinicaltrials.gov/large-docs/01/NCT90000001/ICF_001.pdf"},
    ],
    "result_events": [
        {"event": "cancelled", "date": date(2024, 9, 9)},
        {"event": "cancelled"},
        {"event": "returned", "date": date(2024, 6, 3)},
        {"event": "submitted", "date": date(2024, 5, 1)},
        {"event": "submitted", "date": date(2024, 8, 8)},
    ],
    "rejects": [
        {"field": "analyses", "value": privacy.MASK, "reason": "an e-mail address was removed"},
        {"field": "analyses.hypothesis", "value": "SUPREMACY", "reason": "unknown word"},
    ],
}
"""What FULL says. A column that is not named here is empty: no study of this register fills it."""


# --- reading --------------------------------------------------------------------------------------------------------


class Read:
    """What the reader made of a payload."""

    def __init__(self, report: Report, out: Path) -> None:
        self.report = report
        with duckdb.connect() as connection:
            cursor = connection.execute("FROM read_parquet(?)", [str(out)])
            names = [column[0] for column in cursor.description]
            self.rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    @property
    def numbers(self) -> list[str]:
        return [row["registration_id"] for row in self.rows]

    def reasons(self, scope: str) -> list[str]:
        return [r.reason for r in self.report.rejects if r.scope == scope]


@pytest.fixture(scope="module")
def read(tmp_path_factory):
    """Reads a payload, checks the account, and that nothing but its one file is left behind."""
    folder = tmp_path_factory.mktemp("ctgov")
    connect = store.connect

    @contextlib.contextmanager
    def unhurried(*arguments: Any, **options: Any) -> Iterator[duckdb.DuckDBPyConnection]:
        """Over a handful of studies the query takes longer to optimise than to run."""
        with connect(*arguments, **options) as connection:
            connection.execute("PRAGMA disable_optimizer")
            yield connection

    def run(content: bytes | str | list[Study], name: str = "planted.json", fast: bool = True) -> Read:
        if isinstance(content, list):
            content = json.dumps(content)
        payload = folder / name
        payload.write_bytes(content.encode() if isinstance(content, str) else content)
        out = folder / "staging" / "records.parquet"
        out.parent.mkdir(exist_ok=True)
        report = ctgov.read(payload, name, DAY, out, fast=fast)
        assert report.balance() == 0
        result = Read(report, out)
        assert len(result.rows) == report.staged
        assert [p.name for p in out.parent.iterdir()] == ["records.parquet"]
        return result

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(store, "connect", unhurried)
        yield run


@pytest.fixture
def only_fast(monkeypatch):
    """Fails where a payload goes the slow way."""

    def refuse(*arguments: Any) -> None:
        raise AssertionError("the payload was read record by record")

    monkeypatch.setattr(ctgov, "_read_slowly", refuse)


def told(value: Any) -> Any:
    """The value without the members of structs that are empty."""
    if isinstance(value, dict):
        return {k: told(v) for k, v in value.items() if v is not None}
    return [told(v) for v in value] if isinstance(value, list) else value


def test_every_column_of_the_contract(read, only_fast):
    (row,) = read([FULL]).rows
    expected = {k: v for k, v in EXPECTED.items() if not isinstance(v, tuple)}
    for name, value in EXPECTED.items():
        if isinstance(value, tuple):
            parts = ("raw", "precision", "earliest", "latest", "type")
            expected |= {f"{name}_{part}": v for part, v in zip(parts, value, strict=True)}
    assert set(row) == set(contracts().staging[ctgov.KIND].column_names)
    assert set(expected) <= set(row)
    content_hash = row.pop("content_hash")
    assert len(content_hash) == 32
    for column, value in row.items():
        if column in {"part", "own_fields"}:  # for registers whose records come in parts
            assert not value
        else:
            assert told(value) == expected.get(column), column


def test_the_hash_covers_all_that_the_record_says_and_only_that(read):
    def changed(path: str, value: Any) -> Study:
        study = copy.deepcopy(FULL)
        put(study, path, value)
        return study

    variants = [
        FULL,
        changed("misc.versionHolder", "2026-01-01"),
        changed("description.briefSummary", "New words on NCT90000002"),
        changed("derivedSection.conditionBrowseModule.ancestors", [{"id": "D010146", "term": "Ache"}]),
        changed("description.briefSummary", "New words on NCT90000003"),
        changed("conditions.keywords", ["pain", "ache"]),
        changed("dates.completionDateStruct", {"date": "2024-01"}),
        changed("dates.completionDateStruct", {"date": "2024", "type": "ESTIMATED"}),
        changed("sponsors.leadSponsor", {"name": "Example College", "class": "OTHER"}),
    ]
    hashes = [row["content_hash"] for row in read(variants).rows]
    assert hashes[0] == hashes[1] == hashes[2] == hashes[3]
    assert len(set(hashes)) == 6


# --- every shape ----------------------------------------------------------------------------------------------------

FIVE = [small(i) for i in range(1, 6)]
LINES = [json.dumps(study) for study in FIVE]


def zipped(entries: Iterable[tuple[str, str | bytes]]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return made.getvalue()


SHAPES: dict[str, bytes] = {
    "array": json.dumps(FIVE).encode(),
    "array, pretty, CRLF": json.dumps(FIVE, indent=2).replace("\n", "\r\n").encode(),
    "array, byte-order mark": b"\xef\xbb\xbf" + json.dumps(FIVE).encode(),
    "page": json.dumps({"studies": FIVE, "nextPageToken": "x"}).encode(),
    "page, total first": json.dumps({"totalCount": 5, "studies": FIVE}, indent=1).encode(),
    "lines, some blank": "\n\n\r\n".join(LINES).encode(),
    "joined": "".join(LINES).encode(),
    "histories": "\n".join(json.dumps({"study": s, "topics": [], "history": {}}) for s in FIVE).encode(),
    "gzip of two members": gzip.compress("\n".join(LINES[:2]).encode(), mtime=0)
    + gzip.compress("\n".join(LINES[2:]).encode(), mtime=0),
    "gzip of a page, byte-order mark": gzip.compress(b"\xef\xbb\xbf" + json.dumps({"studies": FIVE}).encode(), mtime=0),
    "zip": zipped((f"folder/{nct(i)}.json", line) for i, line in enumerate(LINES)),
    "zip, byte-order marks": zipped((f"{i}.json", b"\xef\xbb\xbf\r\n" + x.encode()) for i, x in enumerate(LINES)),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_is_read_the_fast_way_whatever_the_name(read, only_fast, shape):
    result = read(SHAPES[shape], 'it\'s "so" [1]* ü.txt')
    assert result.numbers == [nct(i) for i in range(1, 6)]
    assert [row["record_number"] for row in result.rows] == [1, 2, 3, 4, 5]
    assert result.report == Report(records_in=5, staged=5)


def test_a_name_with_wildcards_reads_no_other_file(read):
    read([small(8)], "x1.json")
    assert read([small(9)], "x[1].json").numbers == [nct(9)]


def test_a_zip_of_mixed_shapes_loses_nothing(read):
    content = zipped(
        [
            ("page.json", json.dumps({"studies": FIVE[:2]})),
            ("array.json", json.dumps(FIVE[2:])),
            ("lines.jsonl", "\n".join(json.dumps(small(i)) for i in (6, 7))),
            ("history.json", json.dumps({"study": small(8), "topics": []})),
            ("none.json", "[]"),
            ("a/same.json", json.dumps(small(9))),
            ("b/same.json", json.dumps(small(10))),
        ]
    )
    result = read(content, "mixed.zip")
    assert result.numbers == [nct(i) for i in range(1, 11)]
    assert result.report.rejects == []
    assert result.report.notes == ["mixed.zip!none.json holds no study."]


# --- what is broken -------------------------------------------------------------------------------------------------

MANY = [small(i) for i in range(1, 101)]
CUT = json.dumps(MANY[:64]).encode()[:-1]
BAD_PAYLOADS: dict[str, tuple[bytes, int, int, list[str]]] = {
    # content, records in, records staged, words of the reasons for the payload
    "empty": (b"", 0, 0, ["empty"]),
    "white space": (b" \r\n\t", 0, 0, ["empty"]),
    "gzip of nothing": (gzip.compress(b"", mtime=0), 0, 0, ["empty"]),
    "half a gzip header": (b"\x1f\x8b\x08", 0, 0, ["cut off"]),
    "HTML": (b"<!DOCTYPE html><html>{}</html>", 0, 0, ["HTML or XML page"]),
    "gzip of HTML": (gzip.compress(b"\n<html>", mtime=0), 0, 0, ["HTML or XML page"]),
    "text": (b"NCT Number,Title\n", 0, 0, ["does not begin like JSON"]),
    "no study": (b'{"studies": null}', 0, 0, ["holds no study"]),
    "no record": (b"[1, 2, 3]", 1, 0, []),
    "array cut off after a record": (CUT, 64, 64, ["cut off", "64 record(s)"]),
    "array cut off after a comma": (CUT + b",", 64, 64, ["cut off", "64 record(s)"]),
    "array cut off in a record": (json.dumps(MANY).encode()[: len(CUT) + 50], 65, 64, ["cut off", "64 record(s)"]),
    "page cut off": (json.dumps({"studies": MANY[:64]}).encode()[:-2], 64, 64, ["cut off"]),
    "object cut off": (LINES[0].encode()[:-1], 1, 0, ["cut off"]),
    "gzip without its checksum": (gzip.compress(json.dumps(MANY).encode(), mtime=0)[:-8], 100, 100, ["cut off"]),
    "gzip with junk behind": (
        gzip.compress(json.dumps(MANY).encode(), mtime=0) + b"no gzip",
        100,
        100,
        ["before that were read"],
    ),
    "junk behind": (json.dumps(FIVE).encode() + b" and more", 6, 5, []),
    "other things in the list": (f"[{LINES[0]}, null, 5, {LINES[1]}]".encode(), 3, 2, []),
    "list in a list": (f"[[{LINES[0]}], [{LINES[1]}]]".encode(), 5, 2, []),
    "page under another name": (f'{{"meta": 1, "studies": [{LINES[0]}, {LINES[1]}]}}'.encode(), 4, 2, []),
    "bad bytes": (f"{LINES[0]}\n{LINES[1]}".encode().replace(b"study 2", b"study \xff"), 2, 1, []),
    "half a surrogate": (f"{LINES[0]}\n{LINES[1]}".replace("study 2", "\\ud83d").encode(), 2, 1, []),
    "raw line end in a text": (f"[{LINES[0]}, {LINES[1]}, {LINES[2]}]".replace("study 2", "\n").encode(), 3, 2, []),
    "too deep": (f"{LINES[0]}\n{LINES[1][:-1]}, X".encode() + b'"x": ' + b"[" * 9999 + b"]" * 9999 + b"}", 2, 1, []),
    "zip of nothing": (zipped([]), 0, 0, ["holds no file"]),
    "zip cut off": (SHAPES["zip"][:-30], 0, 0, ["zip archive cannot be opened"]),
}


@pytest.mark.parametrize("name", BAD_PAYLOADS)
def test_a_bad_payload_is_named_and_its_good_records_get_in(read, name):
    content, records_in, staged, words = BAD_PAYLOADS[name]
    result = read(content)
    assert (result.report.records_in, result.report.staged) == (records_in, staged)
    assert all(row["title"].startswith("Invented study") for row in result.rows)
    reasons = result.reasons("payload")
    assert len(reasons) == bool(words)
    assert all(word in reasons[0] for word in words)
    for reject in result.report.rejects:
        assert reject.reason
        assert "\n" not in reject.reason


@pytest.mark.parametrize("empty", [b"[ ]", b'{"studies": []}', b'{"totalCount": 0, "studies": [ ]}'])
def test_a_search_without_a_hit_is_no_fault(read, empty):
    assert read(empty).report == Report(notes=["planted.json holds no study."])


def test_a_gzip_whose_bytes_are_wrong_is_never_taken_for_sound(read):
    """The text can be well-formed JSON again: only the checksum tells."""
    content = bytearray(gzip.compress(json.dumps(MANY).encode(), 0, mtime=0))
    place = content.index(b"2020-01")
    content[place + 3] ^= 1
    result = read(bytes(content))
    assert "damaged" in result.reasons("payload")[0]


def test_a_zip_names_each_entry_that_is_no_study(read):
    content = zipped(
        [
            ("1.json", LINES[0]),
            ("readme.txt", "hello"),
            ("picture.png", b"\x89PNG"),
            ("page.html", "<html>"),
            ("empty.json", ""),
            (f"{MAIL}.json", "junk"),
            ("other.json", '{"a": 1}'),
            ("cut.json", LINES[1][:-5]),
            ("2.json", LINES[2]),
        ]
    )
    result = read(content, "s.zip")
    assert result.numbers == [nct(1), nct(3)]
    assert result.report.records_in == 4
    assert [(r.scope, r.record) for r in result.report.rejects] == [
        ("payload", "s.zip!readme.txt"),
        ("payload", "s.zip!picture.png"),
        ("payload", "s.zip!page.html"),
        ("payload", "s.zip!empty.json"),
        ("payload", f"s.zip!{privacy.MASK}"),
        ("record", "s.zip!cut.json at byte 0"),
        ("payload", "s.zip!cut.json"),
        ("record", "s.zip#2"),
    ]


NUMBERS: list[tuple[Any, str | None, str]] = [
    # as written; the number that is read or None; the value that the rejected record shows
    ("NCT90000002", "NCT90000002", ""),
    ("nct90000003", "NCT90000003", ""),
    (" NCT90000004 ", "NCT90000004", ""),
    (None, None, ""),
    ("", None, ""),
    ("NCT1", None, "NCT1"),
    ("NCT900000011", None, "NCT900000011"),
    ("NCT9000000１", None, "NCT9000000１"),
    ("NCT90000001\n", None, "NCT90000001\n"),
    (90000001, None, "90000001"),
    (True, None, "TRUE"),
    (["NCT90000001"], None, '["NCT90000001"]'),
    ({"id": "NCT90000001"}, None, '{"ID":"NCT90000001"}'),
    (MAIL, None, privacy.MASK),
    ("x" * 300, None, "X" * 200),
]


@pytest.mark.parametrize("fast", [True, False])
def test_a_record_without_a_usable_number_is_rejected(read, fast):
    studies = [small(1, ids__nctId=written) for written, _, _ in NUMBERS]
    del studies[3]["protocolSection"]["identificationModule"]["nctId"]
    result = read(studies, fast=fast)
    assert result.numbers == [number for _, number, _ in NUMBERS if number]
    assert [(r.scope, r.record, r.value, r.reason) for r in result.report.rejects] == [
        (
            "record",
            f"planted.json#{place}",
            shown,
            "the record's NCT number is none" if shown else "the record has no NCT number",
        )
        for place, (_, number, shown) in enumerate(NUMBERS, 1)
        if not number
    ]


def test_records_keep_their_place_beside_broken_ones(read):
    result = read(f"[{LINES[0]}, {LINES[1][:-1]}, 5 5}}, {LINES[2]}]")
    assert [(row["registration_id"], row["record_number"]) for row in result.rows] == [(nct(1), 1), (nct(3), 3)]
    (reject,) = result.report.rejects
    assert (reject.scope, reject.value, reject.record) == (
        "record",
        nct(2),
        f"planted.json at byte {len(LINES[0]) + 3}",
    )


# --- values that cannot be taken over -------------------------------------------------------------------------------

NO_FORM = "not a date of the form YYYY, YYYY-MM or YYYY-MM-DD"
NO_DAY = "not a day of the calendar"
NO_EXACT = "not an exact day"
AHEAD = "more than 25 years after the snapshot"
WORD = "unknown word"
FLAG = "not true or false"
COUNT = "not a number of participants"

VALUES: list[tuple[str, Any, str, Any, str | None]] = [
    # path, value, column, what it becomes, why it is rejected
    ("dates.startDateStruct.date", "2641-03", "start_earliest", None, AHEAD),
    ("dates.startDateStruct.date", "2021-02-31", "start_earliest", None, NO_DAY),
    ("dates.startDateStruct.date", "2021-13", "start_earliest", None, NO_DAY),
    ("dates.startDateStruct.date", "1850", "start_earliest", None, "before 1900"),
    ("dates.startDateStruct.date", "May 2021", "start_earliest", None, NO_FORM),
    ("dates.startDateStruct.date", "2021-1-1", "start_earliest", None, NO_FORM),
    ("dates.startDateStruct.date", "2021-01-01T00:00", "start_earliest", None, NO_FORM),
    ("dates.startDateStruct.date", "２０２１-01", "start_earliest", None, NO_FORM),
    ("dates.startDateStruct.date", "", "start_earliest", None, NO_FORM),
    ("dates.startDateStruct.date", 20210101, "start_earliest", None, NO_FORM),
    ("dates.startDateStruct.date", 2021, "start_latest", date(2021, 12, 31), None),
    ("dates.startDateStruct.date", "1900", "start_earliest", date(1900, 1, 1), None),
    ("dates.startDateStruct.date", "2051-01-01", "start_latest", date(2051, 1, 1), None),
    ("dates.startDateStruct.date", "2051-01-02", "start_latest", None, AHEAD),
    ("dates.startDateStruct.type", "PLANNED", "start_type", None, WORD),
    ("dates.primaryCompletionDateStruct.date", "2021-02-30", "primary_completion_latest", None, NO_DAY),
    ("dates.completionDateStruct.date", "0000-01-01", "completion_latest", None, None),
    ("dates.statusVerifiedDate", "9999-12", "verified_latest", None, AHEAD),
    ("dates.studyFirstSubmitDate", "2021-05", "registered_latest", date(2021, 5, 31), None),
    ("dates.studyFirstPostDateStruct.date", "2021-05", "first_posted", None, NO_EXACT),
    ("dates.lastUpdateSubmitDate", "2021", "last_update_submitted", None, NO_EXACT),
    ("dates.lastUpdatePostDateStruct.date", "2641-03-01", "last_update_posted", None, AHEAD),
    ("dates.resultsFirstSubmitDate", "2021-02-31", "results_submitted", None, NO_DAY),
    ("dates.resultsFirstSubmitQcDate", "soon", "results_submitted_qc", None, NO_FORM),
    ("dates.resultsFirstPostDateStruct.date", "2021-05", "results_posted", None, NO_EXACT),
    ("dates.resultsFirstPostDateStruct.type", "GUESSED", "results_posted_type", None, WORD),
    ("dates.dispFirstSubmitDate", "1850-01-01", "delay_submitted", None, "before 1900"),
    ("dates.dispFirstPostDateStruct.date", "x", "delay_posted", None, NO_FORM),
    ("dates.resultsWaived", "perhaps", "results_waived", None, FLAG),
    ("dates.overallStatus", "FINISHED", "status", None, WORD),
    ("dates.overallStatus", "completed", "status", None, WORD),
    ("dates.overallStatus", ["COMPLETED"], "status", None, WORD),
    ("dates.overallStatus", None, "status", None, None),
    ("dates.lastKnownStatus", "FINISHED", "last_known_status", None, WORD),
    ("design.phases", ["PHASE1", "PHASE4"], "phase", None, WORD),
    ("design.phases", ["PHASE2", "PHASE1"], "phase", "phase1_phase2", None),
    ("design.phases", ["PHASE9"], "phase", None, WORD),
    ("design.phases", [], "phase", None, None),
    ("design.studyType", "DREAM", "study_type", None, WORD),
    ("design.designInfo", {"primaryPurpose": "FAME"}, "primary_purpose", None, WORD),
    ("design.enrollmentInfo", {"count": 0}, "enrolment", 0, None),
    ("design.enrollmentInfo", {"count": "12"}, "enrolment", 12, None),
    ("design.enrollmentInfo", {"count": 120.0}, "enrolment", 120, None),
    ("design.enrollmentInfo", {"count": -1}, "enrolment", None, COUNT),
    ("design.enrollmentInfo", {"count": 12.5}, "enrolment", None, COUNT),
    ("design.enrollmentInfo", {"count": 10**30}, "enrolment", None, COUNT),
    ("design.enrollmentInfo", {"count": "1_000"}, "enrolment", None, COUNT),
    ("design.enrollmentInfo", {"count": "many"}, "enrolment", None, COUNT),
    ("design.enrollmentInfo", {"count": [5]}, "enrolment", None, COUNT),
    ("design.enrollmentInfo", {"count": True}, "enrolment", None, COUNT),
    ("design.enrollmentInfo", {"count": 5, "type": "GUESSED"}, "enrolment_type", None, WORD),
    ("hasResults", "yes", "has_results", None, FLAG),
    ("hasResults", "true", "has_results", True, None),
    ("oversight.isFdaRegulatedDrug", "Y", "is_fda_regulated_drug", None, FLAG),
    ("oversight.isFdaRegulatedDevice", 1, "is_fda_regulated_device", None, FLAG),
    ("oversight.isUnapprovedDevice", {}, "is_unapproved_device", None, FLAG),
    ("oversight.isPpsd", "False", "is_ppsd", None, FLAG),
    ("oversight.isUsExport", "no", "is_us_export", None, FLAG),
    ("oversight.fdaaa801Violation", "no", "has_fdaaa_violation", None, FLAG),
    ("sponsors.leadSponsor", {"name": "Example", "class": "GUILD"}, "sponsor_class", None, WORD),
    ("sponsors.leadSponsor", {"class": "INDIV"}, "sponsor", None, None),
    ("sponsors.collaborators", [{"name": "A", "class": "GUILD"}], "sponsor", None, WORD),
    ("arms.interventions", [{"type": "CHARM", "name": "A"}], "title", "Invented study 1", WORD),
    ("references.references", [{"type": "RUMOUR", "pmid": "1"}], "title", "Invented study 1", WORD),
    ("references.references", [{"pmid": "12.7"}, {"pmid": " 5 "}], "publications", [{}, {"pmid": 5}], "not a PMID"),
    ("unposted.unpostedEvents", [{"type": "LOST", "date": "2024-01-01"}], "title", "Invented study 1", WORD),
    ("unposted.unpostedEvents", [{"type": "RESET", "date": "2641-01-01"}], "result_events", [{"event": "returned"}], AHEAD),
    ("misc.submissionTracking", {"estimatedResultsFirstSubmitDate": "soon"}, "result_events", [{"event": "submitted"}], NO_FORM),
    ("documents.largeDocs", [{"hasProtocol": True, "date": "2021-02"}], "documents", [{"kind": "protocol"}], NO_EXACT),
    ("documents.largeDocs", [{"hasSap": True, "uploadDate": "x"}], "documents", [{"kind": "analysis_plan"}], NO_FORM),
    ("documents.largeDocs", [{"hasIcf": "often"}], "documents", [{"kind": "other"}], FLAG),
    # Wrong shapes: a single value is a list of one, any other wrong shape is nulled and named.
    ("protocolSection.statusModule", "COMPLETED", "status", None, "not an object"),
    ("dates.startDateStruct", "2020", "start_raw", None, "not an object"),
    ("dates.startDateStruct", ["2020"], "start_raw", None, "not an object"),
    ("conditions.conditions", "Ache", "conditions", ["Ache"], None),
    ("conditions.conditions", {"a": 1}, "conditions", ['{"a":1}'], None),
    ("conditions.conditions", [1, None, "b"], "conditions", ["1", None, "b"], None),
    ("places.locations", {"country": "Chile"}, "title", "Invented study 1", None),
    ("references.references", ["text"], "title", "Invented study 1", "not an object"),
    ("ids.briefTitle", 5, "title", "5", None),
    ("ids.briefTitle", {"b": [1, None]}, "title", '{"b":[1,null]}', None),
    ("ids.briefTitle", "caf\u00e9 \U0001f600 \u2028", "title", "caf\u00e9 \U0001f600 \u2028", None),
    ("ids.briefTitle", "nul \x00 here", "title", "nul \x00 here", None),
    ("ids.secondaryIdInfos", None, "identifiers", [], None),
    ("ids.nctIdAliases", ["nct90000777", "NCT1"], "aliases", ["NCT90000777"], "not an NCT number"),
]  # fmt: skip


@pytest.fixture(scope="module", params=[True, False], ids=["fast", "slow"])
def valued(request, read):
    """Every study of VALUES, read in one payload each of what read_json takes and of what it refuses."""
    rows = {}
    studies = [small(1) for _ in VALUES]
    for place, (study, (path, value, *_)) in enumerate(zip(studies, VALUES, strict=True)):
        put(study, path, value)
        study["protocolSection"]["identificationModule"]["nctId"] = nct(place)
    misshapen = [i for i, case in enumerate(VALUES) if case[4] == "not an object" or not isinstance(case[1], str | int)]
    for places in (misshapen, [i for i in range(len(VALUES)) if i not in misshapen]):
        result = read([studies[i] for i in places], fast=request.param)
        assert result.report.rejects == []
        rows |= {row["registration_id"]: row for row in result.rows}
    assert len(rows) == len(VALUES)
    return rows


@pytest.mark.parametrize("place", range(len(VALUES)), ids=lambda i: f"{VALUES[i][0]}={VALUES[i][1]!r}"[:70])
def test_a_value_is_taken_over_or_nulled_and_named(valued, place):
    _, value, column, expected, reason = VALUES[place]
    row = valued[nct(place)]
    assert told(row[column]) == ([] if expected == [] else expected)
    if reason or value != "0000-01-01":
        assert [r["reason"] for r in row["rejects"]] == ([reason] if reason else [])
    else:
        assert len(row["rejects"]) == 1  # a year 0 is no year, whichever way that is put
    if column.startswith("start_") and isinstance(value, str) and reason and "Struct.date" in VALUES[place][0]:
        assert (row["start_raw"], row["start_precision"]) == (value, "none")
        assert [r["value"] for r in row["rejects"]] == [value]


def test_the_same_number_twice_is_two_records(read):
    result = read([small(1), small(1), small(1, ids__briefTitle="Invented study 1, mended")])
    assert result.numbers == [nct(1)] * 3
    assert len({row["content_hash"] for row in result.rows}) == 2


# --- the two ways are one -------------------------------------------------------------------------------------------

BOTH_WAYS = [
    FULL,
    small(2),
    FULL,
    {"protocolSection": {"identificationModule": {"nctId": nct(3)}}},
    {**small(4), "new": {"deep": [[[{}]]]}, "resultsSection": {"a": [1] * 99}},
    small(5, ids__briefTitle='\\ " / \b \f \n \t { } [ ] {"protocolSection": 1}'),
    small(7, description__briefSummary="After NCT90000777 and CTRI/2020/11/\n029438 \\u00a0 NTR 3912"),
    *(small(6, ids__briefTitle=number) for number in (1, -1, 1.5, -0.0, 2**63, 2**64, 10**25, True, [1, {}])),
]


def test_the_fast_way_and_the_slow_way_are_one(read):
    fast, slow = read(BOTH_WAYS), read(BOTH_WAYS, fast=False)
    assert fast.rows == slow.rows
    assert fast.report == slow.report == Report(records_in=len(BOTH_WAYS), staged=len(BOTH_WAYS))


@pytest.mark.parametrize("name", ["mixed", "broken"])
def test_a_broken_payload_is_one_whichever_way_it_is_begun(read, name):
    content = {
        "mixed": zipped([("1.json", LINES[0]), ("p.json", json.dumps({"studies": FIVE[1:3]})), ("x.txt", "x")]),
        "broken": gzip.compress(f"[{LINES[0]}, {LINES[1][:-9]}, 5, {LINES[2]}, {{}}, {LINES[3]}".encode())[:-2],
    }[name]
    fast, slow = read(content), read(content, fast=False)
    assert fast.rows == slow.rows
    assert fast.report == slow.report


MENTIONS: list[tuple[dict[str, Any], list[str]]] = [
    # what the texts say; the numbers that they name
    ({}, []),
    ({"description__briefSummary": "An extension of NCT90000777."}, ["NCT90000777"]),
    ({"description__briefSummary": "Parent: nct 90000777 (ISRCTN: 90000003)"}, ["NCT90000777", "ISRCTN90000003"]),
    ({"description__briefSummary": "EudraCT 2019–009999–11-DE"}, ["2019-009999-11"]),
    ({"description__briefSummary": "NCT\u200b90000777, \uff2e\uff23\uff3490000778"}, ["NCT90000777", "NCT90000778"]),
    ({"description__briefSummary": "Registered as\nNTR 3912"}, ["NTR3912"]),
    ({"description__briefSummary": "NTR 3912 as ligand"}, []),
    ({"description__briefSummary": "NCT9000077 is none"}, []),
    ({"ids__briefTitle": "Register", "ids__officialTitle": "NTR 3912 as ligand"}, []),
    ({"ids__briefTitle": "Follow-up of NCT", "ids__officialTitle": "90000777 patients"}, []),
    (
        {
            "ids__briefTitle": "After NCT90000774",
            "ids__officialTitle": "After NCT90000773 and NCT90000774",
            "description__briefSummary": "After NCT90000772",
            "description__detailedDescription": "After NCT90000771, NCT90000772",
        },
        ["NCT90000774", "NCT90000773", "NCT90000772", "NCT90000771"],
    ),
    ({"description__briefSummary": "Here called nct 90000001; a secret word."}, []),
    ({"description__briefSummary": 90000777, "description__detailedDescription": None}, []),
]


@pytest.mark.parametrize("fast", [True, False])
def test_numbers_in_the_texts_are_mentions(read, fast):
    """Titles, summary and description, each by itself, without the study's own number, and without their words."""
    rows = read([small(1, **texts) for texts, _ in MENTIONS], fast=fast).rows
    assert [row["mentions"] for row in rows] == [named for _, named in MENTIONS]
    assert "secret" not in repr(rows)


# --- nothing private ------------------------------------------------------------------------------------------------


def everywhere(value: str) -> Study:
    """A study with the value at every path that is read."""
    study: Study = {}
    for path in SOURCE.fields:
        node: Any = study
        *branches, leaf = path.split(".")
        for name in branches:
            bare = name.removesuffix("[]")
            node = node.setdefault(bare, [{}])[0] if name.endswith("[]") else node.setdefault(bare, {})
        node[leaf.removesuffix("[]")] = [value] if leaf.endswith("[]") else value
    study["protocolSection"]["identificationModule"]["nctId"] = nct(1)
    return study


def test_no_mail_address_survives_in_any_column(read):
    texts = [MAIL, f"Write to <{MAIL}>, or {MAIL.upper()};"]
    studies = [everywhere(text) for text in texts]
    numberless = {"protocolSection": {"identificationModule": {"nctId": texts[1]}}}
    for content in (json.dumps(studies), json.dumps([*studies, numberless]) + texts[1]):
        result = read(content)
        assert result.numbers == [nct(1), nct(1)]
        assert "@" not in repr(result.rows) + repr(result.report)
        assert [row["official_title"] for row in result.rows] == [
            text.replace(MAIL, privacy.MASK).replace(MAIL.upper(), privacy.MASK) for text in texts
        ]
    rejects = result.rows[0]["rejects"]
    assert {r["field"] for r in rejects if r["reason"] == "an e-mail address was removed"} == {
        "title", "why_stopped", "identifiers", "conditions", "keywords", "countries", "sponsors", "outcomes",
        "interventions", "documents",
    }  # fmt: skip
    assert {r["value"] for r in rejects} == {privacy.MASK}


SPONSORS: list[tuple[str, str | None, dict[str, Any], bool]] = [
    # name, class, where the name stands too, whether it is a person's
    ("Ann Example", "INDIV", {}, True),
    ("Ann Example", "OTHER", {"party": "Ann Example"}, True),
    ("Dr.  ANN EXAMPLE", "OTHER", {"party": "dr ann example"}, True),
    ("Ann Example", "INDUSTRY", {"party": "Ann Example"}, True),
    ("Ann Example", "OTHER", {"official": "Ann Example, MD, PhD"}, True),
    ("Ann Example", None, {"official": "Ann Example"}, True),
    ("Ann Example", "OTHER", {"old": "Ann Example, Professor"}, True),
    ("Ann Example", "OTHER", {"party": "Bea Invented", "official": "Bea Invented"}, False),
    ("Example Pharma", "INDUSTRY", {"official": "Example Pharma"}, False),
    ("Example University Hospital", "OTHER", {"official": "Example University Hospital"}, False),
    ("Inventors", "INDUSTRY", {"old": "Inventors"}, False),
    ("Inventors", "NIH", {"official": "Inventors"}, False),
    ("Inventors", "OTHER", {}, False),
]


def test_a_sponsor_that_is_a_private_person_is_not_named(read):
    studies = []
    for i, (name, class_, others, _) in enumerate(SPONSORS):
        lead = {"name": name} | ({"class": class_} if class_ else {})
        party = {"investigatorFullName": others.get("party"), "oldNameTitle": others.get("old")}
        study = small(i, sponsors__leadSponsor=lead, sponsors__responsibleParty=party)
        if "official" in others:
            put(study, "places.overallOfficials", [{"name": "Somebody Else"}, {"name": others["official"]}])
        studies.append(study)
    for fast in (True, False):
        rows = read(studies, fast=fast).rows
        assert [row["sponsor_is_person"] for row in rows] == [is_person for *_, is_person in SPONSORS]
        for row, (name, *_, is_person) in zip(rows, SPONSORS, strict=True):
            shown = privacy.PRIVATE_PERSON if is_person else name
            assert (row["sponsor"], row["sponsors"][0]["name"]) == (shown, shown)
            assert not is_person or name not in repr(row)


# --- audit ----------------------------------------------------------------------------------------------------------


def known_study() -> Study:
    """A study with something at every path that is known, read or not."""
    study = everywhere("x")
    for path in SOURCE.ignored:
        node: Any = study
        *branches, leaf = path.removesuffix(".*").split(".")
        for name in branches:
            bare = name.removesuffix("[]")
            node = node.setdefault(bare, [{}])[0] if name.endswith("[]") else node.setdefault(bare, {})
        node.setdefault(leaf.removesuffix("[]"), [{"any": {"thing": 1}}] if leaf.endswith("[]") else {"any": 1})
    return study


@pytest.mark.parametrize("shape", ["array", "page", "lines", "gzip", "zip", "zip of a page", "history", "broken"])
def test_audit_finds_what_no_contract_knows_and_nothing_else(tmp_path, shape):
    strange = known_study()
    put(strange, "ids.newField", 1)
    put(strange, "places.locations", [{"country": "x", "planet": "y"}, {"planet": "z"}])
    strange["newSection"] = {"a": {"b": 1}}
    studies = [known_study(), strange, small(3), {**small(4), "newSection": None}]
    lines = [json.dumps(s) for s in studies]
    content: str | bytes = {
        "array": json.dumps(studies),
        "page": json.dumps({"studies": studies}),
        "lines": "\n".join(lines),
        "gzip": gzip.compress(json.dumps(studies).encode(), mtime=0),
        "zip": zipped((f"{i}.json", line) for i, line in enumerate(lines)),
        "zip of a page": zipped([("p.json", json.dumps({"studies": studies})), ("x.txt", "x"), ("a.json", "[{}, 5]")]),
        "history": "\n".join(json.dumps({"study": s, "history": {"any": 1}}) for s in studies),
        "broken": f"[{', '.join(lines)}, null, {{}} x]",
    }[shape]
    payload = tmp_path / "it's [1].json"
    payload.write_bytes(content.encode() if isinstance(content, str) else content)
    assert ctgov.audit(payload) == {
        "newSection": 2,
        "protocolSection.contactsLocationsModule.locations.planet": 1,
        "protocolSection.identificationModule.newField": 1,
    }


def test_audit_knows_every_field_of_the_planted_studies(tmp_path):
    payload = tmp_path / "known.json"
    payload.write_text(json.dumps([FULL, known_study(), small(1)]), encoding="utf-8")
    assert ctgov.audit(payload) == {}


@pytest.mark.parametrize(
    "content",
    [b"", b"<html>", b"[{", gzip.compress(b"[{}]", mtime=0)[:-10], b"PK\x03\x04"],
    ids=["empty", "HTML", "array", "gzip", "zip"],
)
def test_audit_of_what_cannot_be_read_is_one_clear_error(tmp_path, content):
    payload = tmp_path / "bad.json"
    payload.write_bytes(content)
    with pytest.raises(DataError, match=r"^bad\.json: the (file|zip archive) "):
        ctgov.audit(payload)
