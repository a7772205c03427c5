"""The 755 studies of two searches, field for field against the site's own CSV export of the same searches."""

import csv
import gzip
from datetime import date

import pytest

from pipelines import importing, privacy
from pipelines.importing import Import
from tests.worlds import tables

SEARCHES = {
    "urology-2024-09-24.ctg-studies": (date(2024, 9, 24), "json.zip"),
    "headache-2025-10-02.ctg-studies": (date(2025, 10, 2), "json.gz"),
}
COLUMNS = {
    "Study Status": "status_source",
    "Study Title": "title",
    "Acronym": "acronym",
    "Start Date": "start_raw",
    "Primary Completion Date": "primary_completion_raw",
    "Completion Date": "completion_raw",
    "First Posted": "first_posted",
    "Results First Posted": "results_posted",
    "Last Update Posted": "last_update_posted",
    "Enrollment": "enrolment",
    "Phases": "phase_source",
    "Study Type": "study_type_source",
    "Funder Type": "sponsor_class_source",
    "Other IDs": "other_ids",
    "Study Results": "results",
}


@pytest.fixture(scope="module")
def both(real_records, tmp_path_factory):
    """Per study: the row of the site's CSV, and ours under our names, all text."""
    data = tmp_path_factory.mktemp("csv") / "data"
    theirs = {}
    for name, (day, ending) in SEARCHES.items():
        importing.take(data, Import("ctgov", day, (real_records / "ctgov-api-v2" / f"{name}.{ending}",)))
        text = gzip.decompress((real_records / "ctgov-csv" / f"{name}.csv.gz").read_bytes()).decode("utf-8-sig")
        theirs |= {row["NCT Number"]: row for row in csv.DictReader(text.splitlines(keepends=True))}
    with tables(data, date(2025, 10, 2)) as connection:
        found = connection.execute(
            """SELECT r.*,
                CASE WHEN has_results THEN 'YES' ELSE 'NO' END AS results,
                (SELECT string_agg(s.name, '|' ORDER BY s.ordinal) FROM registration_sponsors AS s
                 WHERE s.registration_id = r.registration_id AND s.role = 'collaborator') AS collaborators,
                (SELECT string_agg(trim(i.written), '|' ORDER BY trim(i.written)) FROM identifiers AS i
                 WHERE i.seen_in = r.registration_id AND i.kind NOT IN ('registration', 'alias')) AS other_ids
            FROM registrations AS r"""
        )
        names = [column[0] for column in found.description]
        ours = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
    return {row["registration_id"]: (theirs[row["registration_id"]], row) for row in ours}, set(theirs)


def text(value):
    return "" if value is None else str(value)


def test_the_same_studies(both):
    pairs, theirs = both
    assert len(pairs) == 755
    assert set(pairs) == theirs


@pytest.mark.parametrize("field", COLUMNS)
def test_field(both, field):
    pairs, _ = both
    different = []
    for number, (theirs, ours) in pairs.items():
        expected, found = theirs[field], text(ours[COLUMNS[field]])
        if field == "Other IDs":  # the site lists them in the record's order, we by value
            expected = "|".join(sorted(part.strip() for part in expected.split("|") if part.strip()))
            found = "|".join(sorted(found.split("|"))) if found else ""
        if expected != found:
            different.append(number)
    assert different == []


def test_sponsor(both):
    """Equal for all but the private persons, who stand under the neutral label whatever class the register gives."""
    pairs, _ = both
    for number, (theirs, ours) in pairs.items():
        if ours["sponsor_is_person"]:
            assert ours["sponsor"] == privacy.PRIVATE_PERSON
            assert ours["sponsor_id"] is None
        else:
            assert ours["sponsor"] == theirs["Sponsor"], number


def test_collaborators(both):
    pairs, _ = both
    for number, (theirs, ours) in pairs.items():
        named = ours["collaborators"].split("|") if ours["collaborators"] else []
        expected = theirs["Collaborators"].split("|") if theirs["Collaborators"] else []
        assert len(named) == len(expected), number
        different = [name for name, other in zip(named, expected, strict=True) if name != other]
        assert set(different) <= {privacy.PRIVATE_PERSON}, number


def test_how_many_sponsors_are_private_persons(both):
    pairs, _ = both
    persons = [ours["sponsor_class_source"] for _, ours in pairs.values() if ours["sponsor_is_person"]]
    assert {kind: persons.count(kind) for kind in set(persons)} == {"INDIV": 1, "OTHER": 21, "INDUSTRY": 3}


def test_results_of_each_search(both):
    pairs, _ = both
    by_search = [theirs["Study Results"] for theirs, ours in pairs.values() if ours["first_seen"] == date(2024, 9, 24)]
    assert by_search.count("YES") == 68
    assert sum(ours["has_results"] for _, ours in pairs.values()) == 68 + 19
