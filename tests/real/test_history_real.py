"""Real records that were served several times: versions, changes and transitions, held against the files' own bytes, and
some looked at by hand. PubMed's pairs are in `test_pubmed_pairs_real`.

Only fields of the protocol are read here, never a contact.
"""

import gzip
import json
import re
import unicodedata
import zipfile
from collections import Counter
from datetime import date
from itertools import pairwise
from pathlib import Path

import pytest
from lxml import etree

from pipelines import importing
from pipelines.importing import Import
from tests.real.test_ictrp_real import FILES as ICTRP
from tests.unit.test_status_history import night
from tests.worlds import rows, tables

XML = {
    "covid-2020-04-28.search_result.zip": date(2020, 4, 28),
    "covid-2020-04-30.search_result.part-a.zip": date(2020, 4, 30),
    "covid-2020-10-07.search_result.part-a.zip": date(2020, 10, 7),
    "covid-with-results-2022-08-12.search_result.zip": date(2022, 8, 12),
}
REBEC = {
    "rebec-ictrp-2011-10-14.xml.gz": (date(2011, 10, 14), 45),
    "rebec-ictrp-2011-12-12.xml.gz": (date(2011, 12, 12), 57),
}
HISTORY = "record-history-2026-03-10.zip"


@pytest.fixture(scope="module")
def downloads(real_records, tmp_path_factory):
    """Three nights of ClinicalTrials.gov's XML."""
    data = tmp_path_factory.mktemp("history") / "data"
    for name, day in XML.items():
        importing.take(data, Import("ctgov", day, (real_records / "ctgov-xml" / name,)))
    for day in (date(2020, 4, 30), date(2020, 10, 7)):
        with night(data, day):
            pass
    with night(data, date(2022, 8, 12)) as connection:
        yield connection


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


def folded(text: str) -> str:
    plain = "".join(c for c in unicodedata.normalize("NFKD", text.lower()) if not unicodedata.combining(c))
    return " ".join(re.findall(r"[^\W_]+", plain))


def texts(root: etree._Element, path: str) -> list[str]:
    return [" ".join((e.text or "").split()) for e in root.findall(path)]


@pytest.fixture(scope="module")
def served(real_records: Path):
    """Of every trial that stands in several downloads what each says, in order: last update, status, number, outcomes."""
    found: dict[str, list[tuple[str, str, str, Counter[str]]]] = {}
    for name in XML:
        with zipfile.ZipFile(real_records / "ctgov-xml" / name) as archive:
            for entry in archive.namelist():
                if not entry.endswith(".xml"):
                    continue
                root = etree.fromstring(archive.read(entry))
                (number,) = texts(root, "id_info/nct_id")
                outcomes = Counter(map(folded, texts(root, "primary_outcome/measure")))
                one = [*(texts(root, path) or [""] for path in ("last_update_posted", "overall_status", "enrollment"))]
                found.setdefault(number, []).append((*(values[0] for values in one), outcomes))
    return {number: states for number, states in found.items() if len(states) > 1}


def test_as_many_trials_are_served_again_as_the_files_hold(served):
    assert Counter(len(states) for states in served.values()) == {2: 621, 3: 66, 4: 13}


@pytest.mark.parametrize(("field", "place"), [("status", 1), ("enrolment", 2), ("primary_outcome", 3)])
def test_a_field_changed_where_the_files_say_so(downloads, served, field, place):
    changed = {n for n, states in served.items() if any(a[place] != b[place] for a, b in pairwise(states))}
    # A change of the type (anticipated, actual) alone is one of enrolment as well.
    values = "AND old_value <> new_value" if field == "enrolment" else ""
    sql = f"SELECT DISTINCT registration_id FROM registration_changes WHERE field = '{field}' {values}"
    assert {n for (n,) in rows(downloads, sql)} == changed
    assert len(changed) > 100


def test_in_what_was_not_updated_nothing_changed_but_terms_that_the_register_adds(downloads, served):
    """The register gives its MeSH terms anew without calling that an update: another version, and no change."""
    same = {n for n, states in served.items() if len({state[0] for state in states}) == 1}
    versions = dict(rows(downloads, "SELECT registration_id, count(*) FROM registration_versions GROUP BY 1"))
    changed = {n for (n,) in rows(downloads, "SELECT DISTINCT registration_id FROM registration_changes")}
    assert len(same) == 231
    assert sum(versions[n] > 1 for n in same) == 29
    assert same & changed == set()
    assert all(versions[n] <= len(served[n]) for n in served)


LOOKED_AT = [
    # Both records were read side by side. (number, version, field, change, old, new, changed after, by, state)
    ("NCT04343898", 2, "primary_outcome", "altered", "14-Day Mortality", "28-Day Mortality",
     date(2020, 4, 30), date(2020, 8, 25), None),  # completed on 1 August, in between
    ("NCT04343898", 2, "enrolment", "altered", "2000", "5253", date(2020, 4, 30), date(2020, 8, 25), None),
    ("NCT04323592", 2, "study_type", "altered", "INTERVENTIONAL", "OBSERVATIONAL",
     date(2020, 4, 30), date(2020, 6, 24), None),
    ("NCT04323592", 2, "phase", "removed", "PHASE2|PHASE3", None, date(2020, 4, 30), date(2020, 6, 24), None),
    ("NCT04331795", 3, "primary_outcome", "altered", "Biochemical response",
     "Number of Participants With Biochemical Response as Determined by CRP Response",
     date(2020, 10, 7), date(2022, 6, 9), "completed"),
    ("NCT04331795", 3, "results_posted", "added", None, "2022-06-09", date(2020, 10, 7), date(2022, 6, 9), "completed"),
]  # fmt: skip


@pytest.mark.parametrize("expected", LOOKED_AT, ids=lambda row: f"{row[0]} {row[2]}")
def test_changes_that_were_looked_at(downloads, expected):
    number, version, field, *_ = expected
    found = rows(
        downloads,
        f"""SELECT registration_id, version, field, change, old_value, new_value, changed_after, changed_by, state
        FROM registration_changes
        WHERE registration_id = '{number}' AND version = {version} AND field = '{field}'""",
    )
    assert expected in found


def test_a_trial_that_an_edit_made_observational_left_the_scope(downloads):
    found = rows(
        downloads,
        """SELECT as_of, from_status, to_status, reason, list_contains(fields, 'study_type') FROM status_transitions
        WHERE trial_id = 'NCT04323592' AND policy = 'alltrials-summary' ORDER BY entry""",
    )
    assert found == [(date(2020, 10, 7), "not_completed", "left_scope", "record", True)]


def test_every_transition_of_the_real_records_has_a_cause(downloads):
    found = dict(rows(downloads, "SELECT reason, count(*) FROM status_transitions GROUP BY 1"))
    assert found.keys() <= {"time", "record", "new_trial", "merge", "split", "source"}
    assert {"time", "record", "new_trial"} <= found.keys()
    unnamed = "SELECT trial_id FROM status_transitions WHERE reason = 'record' AND len(fields) = 0"
    assert rows(downloads, unnamed) == []


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


def test_the_files_of_rebec_hold_as_many_records_as_stated(real_records):
    for name, (_, records) in REBEC.items():
        root = etree.fromstring(gzip.decompress((real_records / "rebec" / name).read_bytes()))
        assert len(list(root.iter("trial"))) == records
