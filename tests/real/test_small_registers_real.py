"""The readers of ISRCTN, DRKS and ReBec on the real files: every record in, every word known, no contact data out."""

import csv
import gzip
import json
import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow.parquet as pq
import pytest
from lxml import etree

from pipelines.contracts import Source, contracts
from pipelines.reading import Report
from pipelines.settings import SCHEMAS
from pipelines.sources import drks, isrctn, rebec

DAY = date(2026, 10, 1)
READERS = {"isrctn": isrctn, "drks": drks, "rebec": rebec}
MADE_UP = "drks/DRKS_trial-DRKS00099999.json"
EARLY = "rebec/ecgovbr-ictrp-2011-03-11.xml.gz"
OCTOBER, DECEMBER = "rebec/rebec-ictrp-2011-10-14.xml.gz", "rebec/rebec-ictrp-2011-12-12.xml.gz"
FILES = {
    "isrctn/isrctn_records.jsonl.gz": 50,
    "drks/DRKS_trial-DRKS00038775.json": 1,
    MADE_UP: 1,
    OCTOBER: 45,
    DECEMBER: 57,
    EARLY: 5,
    "rebec/ecgovbr-ictrp-2011-03-24.xml.gz": 3,
}


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
            report = READERS[name.partition("/")[0]].read(real_records / name, Path(name).name, DAY, out)
            done[name] = Read(report, pq.read_table(out).to_pylist())
        return done[name]

    return run


def content(path: Path) -> bytes:
    return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()


# --- records --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "records"), FILES.items())
def test_every_record_of_a_file_gets_in(read, name, records):
    report, rows = read(name)
    assert report.balance() == 0
    assert (report.records_in, report.staged, len(rows)) == (records, records, records)
    assert report.rejects == []
    assert report.notes == []


@pytest.mark.parametrize("name", FILES)
def test_the_only_values_lost_are_known_dirt(read, name):
    lost = Counter((r["field"], r["reason"]) for row in read(name).rows for r in row["rejects"])
    dirt = {
        MADE_UP: {("countries", "a country without its code"): 2},
        EARLY: {("identifiers", "not a Universal Trial Number"): 1},
    }
    assert lost == dirt.get(name, {})


@pytest.mark.parametrize("name", FILES)
def test_what_every_record_has_is_there(read, name):
    source = name.partition("/")[0]
    for row in read(name).rows:
        assert row["title"]
        assert row["url"]
        assert row["outcomes"]
        assert row["conditions"]
        assert row["interventions"]
        assert row["countries"] or name == MADE_UP
        if source != "isrctn":
            assert row["sponsors"][0]["role"] == "lead"
            assert row["status"] or row["status_source"] in contracts().sources[source].unmapped["status"]


def test_isrctn_has_ten_trials_in_two_generations(read):
    rows = read("isrctn/isrctn_records.jsonl.gz").rows
    assert len({row["registration_id"] for row in rows}) == 10
    assert all(row["start_earliest"] and row["completion_latest"] and row["enrolment"] for row in rows)
    assert Counter(row["data_version"][:4] for row in rows) == {"2022": 8, "2023": 16, "2024": 8, "2026": 18}
    # Conversion lost the attributes: no day of registration, no types of outputs.
    assert all(row["registered_precision"] == "none" and row["last_update_posted"] is None for row in rows)
    assert {row["has_results"] for row in rows} == {None, False}
    assert Counter(row["status"] for row in rows) == {None: 44, "terminated": 6}


def test_isrctn_names_the_same_publications_in_both_generations(read):
    for number in ("ISRCTN13281214", "ISRCTN76463425", "ISRCTN80181452", "ISRCTN88261002"):
        rows = [r for r in read("isrctn/isrctn_records.jsonl.gz").rows if r["registration_id"] == number]
        found = {row["data_version"]: {(p["pmid"], p["doi"], p["type"]) for p in row["publications"]} for row in rows}
        ordered = [found[imported] for imported in sorted(found)]
        assert ordered[0]
        assert all(before <= after for before, after in pairwise(ordered))
        assert ordered[-2] == ordered[-1]


def test_isrctn_links_to_other_registers(read):
    stated = {
        (row["registration_id"], i["value"], i["type"])
        for row in read("isrctn/isrctn_records.jsonl.gz").rows
        for i in row["identifiers"]
        if i["type"] not in {"ORG_STUDY_ID", "OTHER"}
    }
    assert stated == {
        ("ISRCTN12949496", "2014-002988-16", "EUDRACT_NUMBER"),
        ("ISRCTN13281214", "2015-004526-33", "EUDRACT_NUMBER"),
        ("ISRCTN76463425", "NCT01727609", "REGISTRY"),
        ("ISRCTN80181452", "NCT01035190", "REGISTRY"),
        ("ISRCTN88261002", "2012-004260-22", "EUDRACT_NUMBER"),
    }


def test_a_change_of_the_feeds_format_is_no_new_version(real_records, read):
    """Between the snapshots the feed began to write the sponsor's country behind its name, in every record; nothing else
    of the 45 trials changed, so that they are seen twice in one version. Twelve trials are new."""
    texts = [content(real_records / name).decode() for name in (OCTOBER, DECEMBER)]
    assert [text.count(" - Brazil</primary_sponsor>") for text in texts] == [0, 57]
    first, second = ({row["registration_id"]: row for row in read(name).rows} for name in (OCTOBER, DECEMBER))
    assert len(set(second) - set(first)) == 12
    assert {n: row["content_hash"] for n, row in first.items()}.items() <= {
        n: row["content_hash"] for n, row in second.items()
    }.items()


def test_the_number_that_rebec_spelt_otherwise_at_first(read):
    rows = [row for row in read(EARLY).rows if row["registration_id"] == "RBR-5kzyp8"]
    assert [(row["aliases"], row["data_version"]) for row in rows] == [(["RBR-5kz-yp8"], "v1"), ([], "v2")]


# --- words ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "path", "columns"),
    [
        ("isrctn", "2020-07/isrctn_2jul_2020.csv.gz", ("overall_status", "recruitment_status")),
        ("drks", "2020-07/drks_trials_1jul_2020.csv.gz", ("recruitment_status",)),
        ("rebec", "2021-01/rebec_10jan_2021.csv.gz", ("trial_status",)),
    ],
)
def test_every_status_word_of_the_registers_pages_is_known(real_records, source, path, columns):
    text = content(real_records / "registry-page-fields" / path).decode("utf-8-sig")
    words = {row[column].strip() for row in csv.DictReader(text.splitlines()) for column in columns} - {""}
    spec = contracts().sources[source]
    known = {
        *spec.words["status"],
        *spec.words.get("recruitment_status", {}),
        *spec.unmapped.get("status", {}),
    }
    assert words
    assert words <= known


def test_every_word_of_the_schema_of_drks_is_known(real_records):
    schema = json.loads(content(real_records / "drks" / "DRKS_Schema-2.0.19.json"))
    spec = contracts().sources["drks"]
    fields = {
        "status": "recruitment.status",
        "study_type": "studyCharacteristic.type",
        "phase": "studyCharacteristic.phase",
        "primary_purpose": "studyCharacteristic.purpose",
        "sponsor_class": "materialSupports[].type",
        "reference_type": "trialResults.publications[].type",
        "document_kind": "trialResults.publications[].type",
    }
    enumerations = dict(schema_paths(schema, schema))
    for field, path in fields.items():
        words = set(enumerations[path])
        assert words
        assert words <= {*spec.words[field], *spec.unmapped.get(field, {})}, field


def test_every_reason_for_an_unmapped_word_is_given():
    for code in READERS:
        spec = tomllib.loads((SCHEMAS / "sources" / f"{code}.toml").read_text(encoding="utf-8"))
        for field, words in spec.get("unmapped", {}).items():
            assert all(words.values())
            assert not set(words) & set(spec["words"][field])


@pytest.mark.parametrize(
    ("field", "vocabulary"), [("recruitment_status", "recruitment_status"), ("document_kind", "document_kind")]
)
def test_the_words_beside_the_usual_fields_have_codes_too(field, vocabulary):
    for code in READERS:
        words = contracts().sources[code].words.get(field, {})
        assert set(words.values()) <= set(contracts().vocabularies[vocabulary])


# --- fields ---------------------------------------------------------------------------------------------------------


def known(source: Source, path: str) -> bool:
    """Whether the source file knows a path, read or ignored; `.*` stands for a whole branch."""
    listed = {*source.fields, *source.ignored}
    branches = [path[: match.start()] for match in re.finditer(r"\.", path)]
    return path in listed or any(f"{branch}.*" in listed for branch in branches)


def json_paths(value: Any, path: str, lists: str) -> Iterator[str]:
    """Paths of the leaves. lists: what marks a list."""
    if isinstance(value, dict):
        for name, child in value.items():
            yield from json_paths(child, f"{path}.{name}" if path else name, lists)
    elif isinstance(value, list):
        for child in value:
            yield from json_paths(child, path + lists, lists)
    elif value not in (None, ""):
        yield path


def schema_paths(node: dict[str, Any], root: dict[str, Any], path: str = "") -> Iterator[tuple[str, list[str]]]:
    """Paths of a JSON schema's leaves, each with its enumeration."""
    if "$ref" in node:
        node = root["$defs"][node["$ref"].rpartition("/")[2]]
    for choice in node.get("anyOf", []):
        if "enum" in choice:
            yield path, choice["enum"]
            return
    if "properties" in node:
        for name, child in node["properties"].items():
            yield from schema_paths(child, root, f"{path}.{name}" if path else name)
    elif "items" in node:
        yield from schema_paths(node["items"], root, f"{path}[]")
    else:
        yield path, []


def test_every_path_of_a_real_record_is_read_or_known(real_records):
    unknown: set[tuple[str, str]] = set()
    lines = content(real_records / "isrctn" / "isrctn_records.jsonl.gz").splitlines()
    for line in lines:
        for path in json_paths(json.loads(line), "", ""):
            if not known(contracts().sources["isrctn"], path):
                unknown.add(("isrctn", path))
    trial = json.loads(content(real_records / "drks" / "DRKS_trial-DRKS00038775.json"))
    unknown |= {("drks", p) for p in json_paths(trial, "", "[]") if not known(contracts().sources["drks"], p)}
    assert unknown == set()


def test_every_path_of_the_schema_of_drks_is_read_or_known(real_records):
    schema = json.loads(content(real_records / "drks" / "DRKS_Schema-2.0.19.json"))
    assert [p for p, _ in schema_paths(schema, schema) if not known(contracts().sources["drks"], p)] == []


@pytest.mark.parametrize("name", [name for name in FILES if name.startswith("rebec")])
def test_every_path_of_the_feed_is_read_or_known(real_records, name):
    tree = etree.fromstring(
        content(real_records / name), etree.XMLParser(load_dtd=False, no_network=True)
    ).getroottree()
    paths = {
        ".".join(re.sub(r"\[\d+\]", "", tree.getpath(leaf)).split("/")[3:]) for leaf in tree.iter() if not len(leaf)
    }
    assert len(paths) > 40
    assert [path for path in sorted(paths) if not known(contracts().sources["rebec"], path)] == []


def test_every_element_of_the_dtd_is_read_or_known(real_records):
    text = content(real_records / "rebec" / "who_ictrp.dtd").decode()
    leaves = set(re.findall(r"<!ELEMENT (\w+) \(#PCDATA\)>", text))
    source = contracts().sources["rebec"]
    listed = {path.rpartition(".")[2] for path in (*source.fields, *source.ignored)}
    in_branches = {"inclusion_criteria", "agemin", "agemax", "gender", "exclusion_criteria"}
    assert leaves - listed - in_branches == set()


# --- privacy --------------------------------------------------------------------------------------------------------

MAIL = re.compile(r"[\w.+\-]+@[\w\-]+\.[\w.\-]+")


def contact_data(path: Path) -> set[str]:
    """Mail addresses of a file, and the telephone numbers of its contacts."""
    text = content(path).decode("utf-8")
    phones = re.findall(r"<telephone>([^<]{7,})</telephone>|\"phone\"\s*:\s*\"([^\"]{7,})\"", text)
    return {*MAIL.findall(text), *(phone for pair in phones for phone in pair if phone)}


@pytest.mark.parametrize("name", FILES)
def test_no_contact_data_reach_the_rows(real_records, read, name):
    rows = json.dumps(read(name).rows, default=str, ensure_ascii=False)
    leaks = sum(secret in rows for secret in contact_data(real_records / name))
    assert leaks == 0  # a count, so that a failure prints no contact
    assert name.startswith("isrctn") or contact_data(real_records / name)


def test_private_persons_stand_under_the_neutral_label(read):
    people = {row["registration_id"] for row in read(DECEMBER).rows if row["sponsor_is_person"]}
    assert len(people) == 6
    for row in read(DECEMBER).rows:
        assert all(s["is_person"] == s["name"].startswith("Private person") for s in row["sponsors"])
        assert not row["sponsor"].endswith(" - Brazil")
