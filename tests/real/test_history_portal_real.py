"""Real records that were served several times: the WHO portal's exports, ReBec's feed, and ClinicalTrials.gov's own history
of three records. Held against the files' own bytes, and some looked at by hand. No field of a contact is read here.
"""

import calendar
import csv
import gzip
import io
import json
import re
import zipfile
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from lxml import etree

from pipelines import importing
from pipelines.importing import Import
from tests.real.test_ictrp_real import FILES as ICTRP
from tests.worlds import rows, tables

REBEC = {
    "rebec-ictrp-2011-10-14.xml.gz": (date(2011, 10, 14), 45),
    "rebec-ictrp-2011-12-12.xml.gz": (date(2011, 12, 12), 57),
}
HISTORY = "record-history-2026-03-10.zip"


@pytest.fixture(scope="module")
def others(real_records, tmp_path_factory):
    """Seven exports of the WHO portal, ReBec twice, three records with the register's own history."""
    data = tmp_path_factory.mktemp("others") / "data"
    for name, (day, _) in ICTRP.items():
        importing.take(data, Import("ictrp", day, (real_records / "ictrp" / name,)))
    for name, (day, _) in REBEC.items():
        importing.take(data, Import("rebec", day, (real_records / "rebec" / name,), "full"))
    importing.take(data, Import("ctgov", date(2026, 3, 10), (real_records / "ctgov-api-v2" / HISTORY,)))
    with tables(data, date(2026, 3, 15)) as connection:
        yield connection


# --- the WHO portal ---------------------------------------------------------------------------------------------------

SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
MONTHS = list(calendar.month_name)
COLUMNS = ("trialid", "recruitment_status", "target_size", "study_type", "last_refreshed_on")


def _xml(content: bytes) -> etree._Element:
    return etree.fromstring(content, etree.XMLParser(huge_tree=True))


def _workbook(path: Path) -> Iterator[dict[str, str]]:
    """The rows of a workbook's first sheet by the letters of their columns."""
    with zipfile.ZipFile(path) as book:
        shared = ["".join(t.text or "" for t in si.iter(SHEET + "t"))
                  for si in _xml(book.read("xl/sharedStrings.xml")).iter(SHEET + "si")]  # fmt: skip
        sheet = _xml(book.read("xl/worksheets/sheet1.xml"))
    for row in sheet.iter(SHEET + "row"):
        cells = {}
        for cell in row.iter(SHEET + "c"):
            value = cell.findtext(SHEET + "v") or ""
            letters = re.sub("[0-9]", "", cell.get("r", ""))
            cells[letters] = shared[int(value)] if value and cell.get("t") == "s" else value
        yield cells


def _rows(path: Path) -> Iterator[dict[str, str]]:
    if path.suffix == ".xlsx":
        head, *found = _workbook(path)
        yield from ({head[c]: text for c, text in row.items() if c in head} for row in found)
        return
    content = gzip.decompress(path.read_bytes())
    if ".xml" in path.name:
        yield from ({e.tag: e.text or "" for e in row} for row in _xml(content).iter("Trial"))
    else:
        yield from csv.DictReader(io.StringIO(content.decode("utf-8-sig")))


@pytest.fixture(scope="module")
def exported(real_records: Path):
    """Of every record what each export says, in order. Number and country of an EU record are those after its register's
    own prefix, a Japanese number is the one without the portal's."""
    found: dict[str, list[dict[str, str]]] = {}
    for name in ICTRP:
        for row in _rows(real_records / "ictrp" / name):
            named = {key.lower().replace(" ", "_"): " ".join((text or "").split()) for key, text in row.items() if key}
            wanted = {column: named.get(column, "") for column in COLUMNS}
            if number := re.sub("^(JPRN-|EUCTR)", "", wanted["trialid"]):
                found.setdefault(number, []).append(wanted)
    return found


def _number(registration: str, part: str) -> str:
    return f"{registration}-{part}" if part else registration


def test_the_exports_hold_each_record_once(exported):
    assert sum(map(len, exported.values())) == sum(records for _, records in ICTRP.values())
    assert Counter(map(len, exported.values())) == {1: 1183, 2: 822, 3: 980, 4: 211, 5: 257, 6: 99, 7: 567}


def _refreshed(row: dict[str, str]) -> date:
    """As the portal writes it, or as the serial number that a workbook makes of it."""
    text = row["last_refreshed_on"]
    if text.isdigit():
        return date(1899, 12, 30) + timedelta(days=int(text))
    day, month, year = text.split()
    return date(int(year), MONTHS.index(month), int(day))


def test_there_are_as_many_versions_as_the_exports_show(others, exported):
    """No fewer than the portal refreshed the record; more only where a form of the export loses texts of it."""
    sql = "SELECT registration_id, part, count(*) FROM registration_versions WHERE source = 'ictrp' GROUP BY ALL"
    versions = {_number(registration, part): number for registration, part, number in rows(others, sql)}
    refreshed = {n: len({_refreshed(row) for row in served}) for n, served in exported.items()}
    assert versions.keys() == exported.keys()
    assert [n for n, served in exported.items() if versions[n] > len(served)] == []
    assert sum(versions[n] < refreshed[n] for n in versions) == 0
    assert (sum(refreshed.values()), sum(versions.values())) == (6419, 6764)


@pytest.mark.parametrize(
    ("field", "column", "changes"), [("status", "recruitment_status", 498), ("study_type", "study_type", 4)]
)
def test_a_word_of_the_portal_changed_where_the_files_say_so(others, exported, field, column, changes):
    """In other capitals it is the same word, and with a bracket behind it the same kind of study."""
    expected = Counter()
    for number, served in exported.items():
        for a, b in pairwise(row[column] for row in served):
            expected[number, a or None, b or None] += re.sub(r" \[.*", "", a).lower() != re.sub(r" \[.*", "", b).lower()
    found = rows(
        others,
        f"SELECT registration_id, part, old_value, new_value FROM registration_changes WHERE source = 'ictrp' AND field = '{field}'",
    )
    assert Counter((_number(n, part), old, new) for n, part, old, new in found) == +expected
    assert len(found) == changes


def test_a_whole_number_of_participants_changed_where_the_files_say_so(others, exported):
    """Of the records that state one number; others list their groups."""
    plain = {
        n: rows_
        for n, rows_ in exported.items()
        if all(re.fullmatch(r"[0-9]+(\.0+)?", r["target_size"]) for r in rows_)
    }
    expected = Counter()
    for number, served in plain.items():
        for a, b in pairwise(str(int(float(row["target_size"]))) for row in served):
            expected[number, a, b] += a != b
    found = rows(
        others,
        "SELECT registration_id, part, old_value, new_value FROM registration_changes WHERE source = 'ictrp' AND field = 'enrolment'",
    )
    assert (
        Counter((_number(n, part), old, new) for n, part, old, new in found if _number(n, part) in plain) == +expected
    )
    assert sum(expected.values()) > 200


def test_rebec_changed_nothing_but_the_form_of_its_sponsors(others):
    """Between the two days the register put the country behind every sponsor's name, and nothing else differs."""
    versions = rows(
        others, "SELECT count(*), count(DISTINCT registration_id) FROM registration_versions WHERE source = 'rebec'"
    )
    assert versions == [(57, 57)]
    assert rows(others, "SELECT * FROM registration_changes WHERE source = 'rebec'") == []
    seen = "SELECT first_seen, last_seen, count(*) FROM registrations WHERE registry = 'rebec' AND source = 'rebec' GROUP BY ALL ORDER BY 1"
    (first, _), (second, _) = REBEC.values()
    assert rows(others, seen) == [(first, second, 45), (second, second, 12)]


LOOKED_AT = [
    # Both rows were read side by side. (registration, part, field, change, old, new, seen first on)
    (
        "NCT04323592",
        "",
        "study_type",
        "altered",
        "Interventional",
        "Observational [Patient Registry]",
        date(2020, 7, 7),
    ),
    ("ChiCTR2000029573", "", "enrolment", "altered", "600", "480", date(2020, 3, 25)),
    ("2018-004318-16", "DK", "enrolment", "altered", "132", "192", date(2020, 7, 7)),
    ("2020-001270-29", "GB", "status", "altered", "Authorised", "Not Recruiting", date(2020, 7, 7)),
    ("jRCTs041190120", "", "status", "altered", "Recruiting", "Not Recruiting", date(2020, 7, 7)),
]


@pytest.mark.parametrize("expected", LOOKED_AT, ids=lambda row: f"{row[0]} {row[2]}")
def test_changes_of_the_portal_that_were_looked_at(others, expected):
    found = rows(
        others,
        f"""SELECT registration_id, part, field, change, old_value, new_value, first_seen FROM registration_changes
        WHERE source = 'ictrp' AND registration_id = '{expected[0]}' AND field = '{expected[2]}'""",
    )
    assert expected in found


def test_exports_of_the_portal_changed_where_their_words_did(others):
    """An outcome of the portal's list that moved from 14 to 28 days, and a recruitment that began."""
    found = rows(
        others,
        """SELECT change, old_value, new_value FROM registration_changes
        WHERE source = 'ictrp' AND registration_id = 'NCT04343898' AND field = 'primary_outcome'""",
    )
    assert found == [("altered", "14-Day Mortality", "28-Day Mortality")]
    most = rows(
        others, "SELECT max(version), count(DISTINCT registration_id) FROM registration_versions WHERE source = 'ictrp'"
    )
    assert most[0][0] == len(ICTRP)


def test_the_registers_own_history_as_it_counts_itself(others, real_records):
    """The site says how often outcomes were updated, and with which version last."""
    with zipfile.ZipFile(real_records / "ctgov-api-v2" / HISTORY) as archive:
        told = [json.loads(archive.read(name)) for name in archive.namelist()]
    assert len(told) == 3
    for one in told:
        number, history = one["study"]["protocolSection"]["identificationModule"]["nctId"], one["history"]
        found = rows(
            others,
            f"""SELECT count(*), max(version) FROM registration_changes
            WHERE source = 'ctgov_history' AND registration_id = '{number}' AND new_value = 'Outcome Measures'""",
        )
        assert found == [(history["outcomesUpdateCount"], history["lastUpdateVersions"]["outcomes"])]
        days = {date.fromisoformat(change["date"]) for change in history["changes"][1:]}
        shown = f"SELECT DISTINCT changed_by FROM registration_changes WHERE source = 'ctgov_history' AND registration_id = '{number}'"
        assert {d for (d,) in rows(others, shown)} == days


def test_what_the_first_version_said_is_held_against_the_record(others, real_records):
    """Which of the first primary outcomes the record still has, by the file's own words; enrolment as both state it."""
    with zipfile.ZipFile(real_records / "ctgov-api-v2" / HISTORY) as archive:
        told = [json.loads(archive.read(name)) for name in archive.namelist()]
    for one in told:
        protocol, history = one["study"]["protocolSection"], one["history"]
        first, last = history["originalData"], history["lastUpdateVersions"]
        then = {o["measure"] for o in first["primaryOutcomes"]}
        now = {o["measure"] for o in protocol["outcomesModule"]["primaryOutcomes"]}
        found = rows(
            others,
            f"""SELECT field, version, old_value, new_value, changed_by FROM registration_changes WHERE source = 'ctgov_history'
            AND field IN ('primary_outcome', 'enrolment') AND registration_id = '{protocol["identificationModule"]["nctId"]}'""",
        )
        outcomes = [row for row in found if row[0] == "primary_outcome"]
        assert {row[2] for row in outcomes} - {None} == then - now
        assert {row[3] for row in outcomes} - {None} == now - then
        assert {row[1] for row in outcomes} == {last["primaryOutcomes"]}
        counts = [str(first["enrollmentInfo"]["count"]), str(protocol["designModule"]["enrollmentInfo"]["count"])]
        day = date.fromisoformat(history["changes"][last["enrollmentInfo"]]["date"])
        assert [list(row[1:]) for row in found if row[0] == "enrolment"] == [[last["enrollmentInfo"], *counts, day]]


SINCE_THE_FIRST = [
    # The history was read beside the record. (trial, field, change, changed after, by, state)
    ("NCT05254002", "primary_outcome", "added", date(2023, 12, 18), date(2023, 12, 19), "running"),
    ("NCT05254002", "enrolment", "altered", date(2025, 1, 19), date(2025, 1, 20), "running"),
    # Edited in 2015, and twice in 2021, of which the second posted the results.
    ("NCT01874431", "primary_outcome", "removed", date(2015, 7, 22), date(2021, 5, 20), None),
    ("NCT02540993", "primary_outcome", "reworded", date(2017, 6, 8), date(2021, 6, 29), None),
]


@pytest.mark.parametrize("expected", SINCE_THE_FIRST, ids=lambda row: f"{row[0]} {row[1]}")
def test_changes_since_the_first_version_that_were_looked_at(others, expected):
    found = rows(
        others,
        f"""SELECT registration_id, field, change, changed_after, changed_by, state FROM registration_changes
        WHERE source = 'ctgov_history' AND registration_id = '{expected[0]}'""",
    )
    assert expected in found


def test_submissions_that_the_register_no_longer_lists_are_known_from_its_history(others):
    found = rows(
        others, "SELECT event, day, is_in_newest FROM result_events WHERE registration_id = 'NCT02540993' ORDER BY day"
    )
    assert found == [
        ("submitted", date(2021, 4, 5), False), ("returned", date(2021, 4, 29), False),
        ("submitted", date(2021, 5, 18), False), ("returned", date(2021, 6, 10), False),
    ]  # fmt: skip
    first = rows(others, "SELECT results_submitted FROM registrations WHERE registration_id = 'NCT02540993'")
    assert first == [(found[0][1],)]


def _without_contacts(trial: etree._Element) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for element in trial.iter("*"):
        path = [e.tag for e in (*reversed(list(element.iterancestors())), element)]
        if not len(element) and not {"contact", "contacts"} & set(path):
            found.setdefault("/".join(path[2:]), []).append(" ".join((element.text or "").split()))
    return found


def test_the_files_of_rebec_differ_in_the_country_behind_a_sponsor_alone(real_records):
    """By their own elements, so that no version is the right number of them."""
    first, second = (
        {
            t.findtext("main/trial_id", "").strip(): _without_contacts(t)
            for t in _xml(gzip.decompress((real_records / "rebec" / name).read_bytes())).iter("trial")
        }
        for name in REBEC
    )
    assert (len(first), len(second), len(first.keys() & second.keys())) == (45, 57, 45)
    differing: Counter[str] = Counter()
    for number, old in first.items():
        new = second[number]
        other = {path for path in old.keys() | new.keys() if old.get(path) != new.get(path)}
        differing.update(other)
        assert all(
            len(old[p]) == len(new[p]) and all(b.startswith(a) for a, b in zip(old[p], new[p], strict=True))
            for p in other
        )
    assert differing == {
        "main/primary_sponsor": 45,
        "source_support/source_name": 38,
        "secondary_sponsor/sponsor_name": 20,
    }


def test_the_files_of_rebec_hold_as_many_records_as_stated(real_records):
    for name, (_, records) in REBEC.items():
        root = etree.fromstring(gzip.decompress((real_records / "rebec" / name).read_bytes()))
        assert len(list(root.iter("trial"))) == records
