"""Real records that were served several times: versions, changes and transitions, held against the files' own bytes, and
some looked at by hand: ClinicalTrials.gov's XML. PubMed's pairs are in `test_pubmed_pairs_real`, the WHO portal, ReBec and the
register's own history in `test_history_portal_real`.

Only fields of the protocol are read here, never a contact. What is expected is computed from the files alone, without a
reader or a query of ours; of a lead sponsor, which may be a person, only that it changed.
"""

import calendar
import hashlib
import re
import unicodedata
import zipfile
from collections import Counter
from collections.abc import Iterator
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import pytest
from lxml import etree

from pipelines import importing
from pipelines.importing import Import
from tests.unit.test_status_history import night
from tests.worlds import rows

XML = {
    "covid-2020-04-28.search_result.zip": date(2020, 4, 28),
    "covid-2020-04-30.search_result.part-a.zip": date(2020, 4, 30),
    "covid-2020-10-07.search_result.part-a.zip": date(2020, 10, 7),
    "covid-with-results-2022-08-12.search_result.zip": date(2022, 8, 12),
}


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


def folded(text: str) -> str:
    plain = "".join(c for c in unicodedata.normalize("NFKD", text.lower()) if not unicodedata.combining(c))
    return " ".join(re.findall(r"[^\W_]+", plain))


def texts(root: etree._Element, path: str) -> list[str]:
    return [" ".join((e.text or "").split()) for e in root.findall(path)]


# --- ClinicalTrials.gov: what its XML says, field by field ------------------------------------------------------------

FIELDS = ("study_type", "phase", "primary_purpose", "status", "sponsor", "enrolment", "has_results")
FLAGS = ("is_fda_regulated_drug", "is_fda_regulated_device", "is_unapproved_device", "is_ppsd", "is_us_export")
DAYS = {"results_submitted": "results_first_submitted", "results_posted": "results_first_posted",
        "delay_submitted": "disposition_first_submitted"}  # fmt: skip
DATES = {"start": "start_date", "primary_completion": "primary_completion_date", "completion": "completion_date"}
MONTHS = list(calendar.month_name)
KINDS = {"Actual": "actual", "Anticipated": "estimated"}
Change = tuple[str, str, str | None, str | None]
"""Field, how it changed, old value, new value."""


class Served(NamedTuple):
    """A record in one download. said: by field, value and type. content: hash over all that it holds."""

    day: date
    updated: str | None
    said: dict[str, tuple[str | None, str | None]]
    outcomes: Counter[str]
    countries: set[str]
    documents: set[str]
    events: list[tuple[str, str]]
    content: str

    def __repr__(self) -> str:
        return f"Served({self.day}, ...)"  # pytest prints fixtures: records are not for printing


def one_text(root: etree._Element, path: str) -> str | None:
    return next(iter(texts(root, path)), None) or None


def coded(text: str | None) -> str | None:
    return text and re.sub(r"\W+", "_", re.sub(r" \[.*", "", text)).upper()


def phases(text: str | None) -> str | None:
    if text == "N/A":
        return "NA"
    return text and text.upper().replace("EARLY PHASE", "EARLY_PHASE").replace(" ", "").replace("/", "|")


def days(text: str) -> tuple[date, date]:
    """The days that a date can mean: `April 30, 2020` or `April 2020`."""
    month, *day, year = text.replace(",", "").split()
    number = MONTHS.index(month)
    first, last = (int(day[0]),) * 2 if day else (1, calendar.monthrange(int(year), number)[1])
    return date(int(year), number, first), date(int(year), number, last)


def iso(text: str | None) -> str | None:
    return text and str(days(text)[0])[: 10 if "," in text else 7]


def as_served(root: etree._Element, day: date) -> Served:
    purpose = coded(one_text(root, "study_design_info/primary_purpose"))
    plain = {
        "study_type": coded(one_text(root, "study_type")), "phase": phases(one_text(root, "phase")),
        "primary_purpose": purpose and purpose.lower(), "status": coded(one_text(root, "overall_status")),
        "sponsor": one_text(root, "sponsors/lead_sponsor/agency"),
        "has_results": str(root.find("clinical_results") is not None).lower(),
    }  # fmt: skip
    plain |= {
        flag: {"Yes": "true", "No": "false", None: None}[one_text(root, f"oversight_info/{flag}")] for flag in FLAGS
    }
    plain |= {field: iso(one_text(root, path)) for field, path in DAYS.items()}
    typed = DATES | {"enrolment": "enrollment"}
    kinds = {field: KINDS.get(e.get("type", "")) for field, path in typed.items() for e in root.findall(path)}
    said = {field: (value, None) for field, value in plain.items()}
    said |= {field: (one_text(root, path), kinds.get(field)) for field, path in typed.items()}
    return Served(
        day,
        one_text(root, "last_update_posted"),
        said,
        Counter(map(folded, texts(root, "primary_outcome/measure"))),
        set(texts(root, "location_countries/country")),
        {
            ", ".join(filter(None, [one_text(e, "document_type"), iso(one_text(e, "document_date"))]))
            for e in root.findall("provided_document_section/provided_document")
        },
        [(e.tag, e.text or "") for e in root.findall("pending_results/*")],
        hashlib.sha256(b"".join(etree.tostring(e) for e in root if e.tag != "required_header")).hexdigest(),
    )


@pytest.fixture(scope="module")
def served(real_records: Path):
    """Of every trial what each download says, in the order of their days, which is that of their updates as well."""
    found: dict[str, list[Served]] = {}
    for name, day in XML.items():
        with zipfile.ZipFile(real_records / "ctgov-xml" / name) as archive:
            for entry in archive.namelist():
                if entry.endswith(".xml"):
                    root = etree.fromstring(archive.read(entry), etree.XMLParser(remove_comments=True))
                    found.setdefault(one_text(root, "id_info/nct_id") or "", []).append(as_served(root, day))
    return found


def how(old: object, new: object) -> str:
    return "added" if old is None else "removed" if new is None else "altered"


def field_changes(a: Served, b: Served) -> Iterator[Change]:
    """Fields with one value."""
    for field, (old, old_kind) in a.said.items():
        new, new_kind = b.said[field]
        is_other_kind = bool(old_kind and new_kind and old_kind != new_kind)
        if field == "sponsor":
            if folded(old or "") != folded(new or ""):
                yield field, how(old, new), None, None
        elif field not in DATES:
            if old != new or is_other_kind:
                yield field, how(old, new), old, new
        elif old is None or new is None:
            if old != new:
                yield field, how(old, new), iso(old), iso(new)
        elif (x := days(old)) != (y := days(new)) or is_other_kind:
            is_finer = x != y and ((x[0] <= y[0] and y[1] <= x[1]) or (y[0] <= x[0] and x[1] <= y[1]))
            yield field, "refined" if is_finer else "altered", iso(old), iso(new)


def item_changes(a: Served, b: Served) -> Iterator[Change]:
    """Fields that are lists. Nothing is compared with a record that states no country."""
    lists = [("document", a.documents, b.documents)]
    if a.countries and b.countries:
        lists.append(("country", a.countries, b.countries))
    for field, old, new in lists:
        yield from ((field, "removed", item, None) for item in old - new)
        yield from ((field, "added", None, item) for item in new - old)


def changed(states: list[Served]) -> Counter[Change]:
    return Counter(c for a, b in pairwise(states) for c in (*field_changes(a, b), *item_changes(a, b)))


def test_as_many_trials_are_served_again_as_the_files_hold(served):
    assert Counter(len(states) for states in served.values()) == {1: 1229, 2: 621, 3: 66, 4: 13}


def test_every_change_of_every_field_is_the_one_between_two_files(downloads, served):
    expected = Counter({(n, *c): times for n, states in served.items() for c, times in changed(states).items()})
    sql = """SELECT registration_id, field, change, if(field = 'sponsor', NULL, old_value), if(field = 'sponsor', NULL, new_value)
        FROM registration_changes WHERE field NOT IN ('primary_outcome', 'primary_outcome_time_frame', 'result_event')"""
    found = Counter(rows(downloads, sql))
    # A company's name in other capitals is the same name.
    assert (found - expected, expected - found) == (Counter(), Counter())
    assert sum(found.values()) > 2400


def test_how_many_changes_of_which_kind(downloads):
    found = rows(downloads, "SELECT field, change, count(*) FROM registration_changes GROUP BY ALL")
    assert {(field, change): number for field, change, number in found} == {
        ("study_type", "altered"): 2, ("phase", "altered"): 12, ("phase", "removed"): 2,
        ("primary_purpose", "altered"): 3, ("primary_purpose", "removed"): 2, ("status", "altered"): 352,
        ("sponsor", "altered"): 4, ("enrolment", "altered"): 276, ("start", "altered"): 211, ("start", "refined"): 30,
        ("primary_completion", "altered"): 313, ("primary_completion", "refined"): 17, ("completion", "altered"): 308,
        ("completion", "refined"): 13, ("is_fda_regulated_drug", "altered"): 13,
        ("is_fda_regulated_device", "altered"): 3, ("is_us_export", "added"): 4, ("is_us_export", "altered"): 1,
        ("has_results", "altered"): 154, ("results_submitted", "added"): 154, ("results_posted", "added"): 154,
        ("results_posted", "altered"): 1, ("delay_submitted", "added"): 3, ("document", "added"): 266,
        ("document", "removed"): 6, ("country", "added"): 90, ("country", "removed"): 14, ("result_event", "added"): 10,
        ("result_event", "removed"): 19, ("primary_outcome", "added"): 203, ("primary_outcome", "removed"): 260,
        ("primary_outcome", "altered"): 112, ("primary_outcome", "reworded"): 45, ("primary_outcome", "promoted"): 4,
        ("primary_outcome", "demoted"): 10, ("primary_outcome_time_frame", "altered"): 52,
    }  # fmt: skip


def test_primary_outcomes_came_and_went_as_in_the_files(downloads, served):
    """However they are paired, what left the list and what came to it is what differs between the two lists."""
    left, came = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    for number, states in served.items():
        for a, b in pairwise(states):
            if a.outcomes and b.outcomes:
                left += Counter({(number, m): times for m, times in (a.outcomes - b.outcomes).items()})
                came += Counter({(number, m): times for m, times in (b.outcomes - a.outcomes).items()})
    sql = "SELECT registration_id, old_value, new_value FROM registration_changes WHERE field = 'primary_outcome'"
    found = rows(downloads, sql)
    assert Counter((n, folded(old)) for n, old, _ in found if old) == left
    assert Counter((n, folded(new)) for n, _, new in found if new) == came
    assert (sum(left.values()), sum(came.values())) == (427, 364)


def test_there_are_as_many_versions_as_the_files_show(downloads, served):
    """No fewer than the register counts updates, no more than the files differ: contacts make none."""
    versions = dict(rows(downloads, "SELECT registration_id, count(*) FROM registration_versions GROUP BY 1"))
    assert versions.keys() == served.keys()
    for number, states in served.items():
        updates = 1 + sum(a.updated != b.updated for a, b in pairwise(states))
        contents = 1 + sum(a.content != b.content for a, b in pairwise(states))
        assert updates <= versions[number] <= contents, number
    assert Counter(versions.values()) == {1: 1431, 2: 445, 3: 52, 4: 1}


def test_in_what_was_not_updated_nothing_changed_but_terms_that_the_register_adds(downloads, served):
    """The register gives its MeSH terms anew without calling that an update: another version, and no change."""
    same = {n for n, states in served.items() if len(states) > 1 and len({state.updated for state in states}) == 1}
    versions = dict(rows(downloads, "SELECT registration_id, count(*) FROM registration_versions GROUP BY 1"))
    touched = {n for (n,) in rows(downloads, "SELECT DISTINCT registration_id FROM registration_changes")}
    assert len(same) == 231
    assert sum(versions[n] > 1 for n in same) == 29
    assert same & touched == set()


LOOKED_AT = [
    # Both records were read side by side. (number, version, field, change, old, new, changed after, by, state)
    ("NCT04343898", 2, "primary_outcome", "removed", "14-Day Mortality", None,
     date(2020, 4, 30), date(2020, 8, 25), None),
    ("NCT04343898", 2, "primary_outcome", "promoted", None, "28-Day Mortality",  # among the secondary ones before
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


DECISIVE = {*FIELDS, *FLAGS, *DAYS, *DATES, "country", "result_event"} - {"sponsor"}


def fields_between(states: list[Served], previous: date, day: date) -> list[str]:
    """Fields that can decide a status and that changed after one day and by another."""
    last = [s for s in states if s.day <= previous][-1:]
    chain = last + [s for s in states if previous < s.day <= day]
    fields = {field for field, *_ in changed(chain)} & DECISIVE
    return sorted(fields | {"result_event" for a, b in pairwise(chain) if a.events != b.events})


def test_why_a_status_moved_is_what_the_files_say(downloads, served):
    """For every transition: a trial that no earlier file held is new, one whose record changed in a field that decides
    moved for that, every other one because time passed."""
    found = rows(
        downloads,
        "SELECT trial_id, previous_as_of, as_of, reason, fields FROM status_transitions WHERE reason <> 'merge'",
    )
    for number, previous, day, reason, fields in found:
        if all(state.day > previous for state in served[number]):
            expected: tuple[str, list[str]] = ("new_trial", [])
        else:
            touched = fields_between(served[number], previous, day)
            expected = ("record", touched) if touched else ("time", [])
        assert (reason, fields) == expected, (number, previous, day)
    assert Counter(reason for *_, reason, _ in found) == {"new_trial": 10624, "time": 3024, "record": 945}


MOVED = [
    # Both records were read side by side. (trial, day, from, to, reason, some of the fields)
    ("NCT04425538", date(2022, 8, 12), "not_due", "reported_on_time", "record", {"results_posted", "status"}),
    ("NCT04426318", date(2022, 8, 12), "not_completed", "reported_late", "record", {"results_posted", "primary_completion"}),
    # Its results were in quality control when it was last seen without them.
    ("NCT04475588", date(2022, 8, 12), "submitted_early", "reported_on_time", "record", {"results_posted", "result_event"}),
    ("NCT04331834", date(2020, 10, 7), "not_completed", "not_due", "record", {"status"}),
    # Expected to end by then, and not seen anew.
    ("NCT04263402", date(2020, 10, 7), "not_completed", "not_due", "time", set()),
]  # fmt: skip


@pytest.mark.parametrize("expected", MOVED, ids=lambda row: row[0])
def test_transitions_that_were_looked_at(downloads, expected):
    number, day, before, after, reason, some = expected
    ((*found, fields),) = rows(
        downloads,
        f"""SELECT as_of, from_status, to_status, reason, fields FROM status_transitions
        WHERE trial_id = '{number}' AND as_of = DATE '{day}' AND policy = 'alltrials-summary'""",
    )
    assert (*found,) == (day, before, after, reason)
    assert some <= set(fields)


def test_two_numbers_that_the_register_made_one_are_a_merge(downloads):
    """The file of 2022 names NCT04363502, which stood by itself in October 2020, as another number of NCT04343989."""
    found = rows(
        downloads,
        """SELECT trial_id, as_of, from_status, to_status, list_contains(fields, 'registrations') FROM status_transitions
        WHERE reason = 'merge' AND policy = 'alltrials-summary' ORDER BY 1""",
    )
    day = date(2022, 8, 12)
    assert found == [
        ("NCT04343989", day, "not_due", "reported_late", True), ("NCT04363502", day, "not_completed", None, False),
    ]  # fmt: skip
    gone = rows(downloads, "SELECT DISTINCT trial_id FROM status_transitions WHERE reason = 'merge'")
    assert len(gone) == 2


def test_submissions_that_vanished_when_results_were_posted_are_kept(downloads, served):
    """Every submission and return that any file names, whether or not a later file still does."""
    words = "SELECT registration_id, event, day, is_in_newest FROM result_events"
    found = rows(downloads, words)
    named = {(n, e, days(d)[0]) for n, states in served.items() for s in states for e, d in s.events}
    newest = {(n, e, days(d)[0]) for n, states in served.items() for e, d in states[-1].events}
    assert {row[:3] for row in found} == named
    assert {row[:3] for row in found if row[3]} == newest
    assert (len(named), len(newest)) == (28, 9)


def test_every_transition_of_the_real_records_has_a_cause(downloads):
    found = dict(rows(downloads, "SELECT reason, count(*) FROM status_transitions GROUP BY 1"))
    assert found.keys() <= {"time", "record", "new_trial", "merge", "split", "source"}
    assert {"time", "record", "new_trial"} <= found.keys()
    unnamed = "SELECT trial_id FROM status_transitions WHERE reason = 'record' AND len(fields) = 0"
    assert rows(downloads, unnamed) == []
