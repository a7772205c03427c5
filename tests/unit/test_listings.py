"""A listing of all numbers: what it names is there, what it lacks has vanished, and it is no record of anything."""

import gzip
import json
import shutil
from datetime import date

import pytest

from pipelines import importing, pruning, snapshots
from pipelines.importing import Import
from pipelines.sources import ctgov, ctis
from tests.worlds import nct, put_studies, rows, settings, study, tables

FULL, UPDATE = date(2024, 6, 1), date(2024, 6, 20)


def put_update(data, listed, updated=(), *, damage=False, day=UPDATE, text="", missing=()):
    """An increment with a listing on two pages. text: what stands in the place of its studies."""
    folder = data.parent / f"round-{day}"
    folder.mkdir()
    files = [folder / "updated-00001.json"]
    files[0].write_text(text or json.dumps({"studies": list(updated)}))
    for number, part in enumerate((listed[::2], listed[1::2]), 1):
        page = {"studies": [{"protocolSection": {"identificationModule": {"nctId": nct(n)}}} for n in part]}
        text = b"{broken" if damage and number == 2 else json.dumps(page).encode()
        files.append(folder / f"numbers-0000{number}{snapshots.LISTING}")
        files[-1].write_bytes(gzip.compress(text, mtime=0))
    said = {"records": len(listed)} | ({"missing": list(missing)} if missing else {})
    snapshots.store_files(data, "ctgov", day, files, fetched=said)


def sights(connection):
    found = rows(connection, "SELECT registration_id, last_seen, last_seen_directly, vanished_on FROM registrations")
    return {registration: (last, directly, vanished) for registration, last, directly, vanished in found}


@pytest.fixture
def world(tmp_path):
    data = settings(tmp_path / "data").data
    put_studies(data, FULL, [study(n) for n in (1, 2, 3)], scope="full")
    return data


def test_what_a_listing_names_was_looked_at_and_what_it_lacks_is_gone(world):
    put_update(world, [1, 2, 4], [study(2, updated="2024-06-19", enrolment=70)])
    with tables(world) as connection:
        assert sights(connection) == {
            nct(1): (UPDATE, UPDATE, None),
            nct(2): (UPDATE, UPDATE, None),
            nct(3): (FULL, FULL, UPDATE),
        }
        versions = rows(
            connection, "SELECT registration_id, count(*) FROM registration_versions GROUP BY ALL ORDER BY ALL"
        )
        assert versions == [(nct(1), 1), (nct(2), 2), (nct(3), 1)], "a listing is no version of a record"
        account = rows(
            connection, "SELECT payload, records_in FROM payloads WHERE payload LIKE '%listing%' ORDER BY ALL"
        )
        assert account == [("numbers-00001.listing.gz", 0), ("numbers-00002.listing.gz", 0)]


def test_a_listing_with_a_page_that_cannot_be_read_says_nothing_of_what_it_lacks(world):
    put_update(world, [1, 2], damage=True)
    with tables(world) as connection:
        assert {vanished for _, _, vanished in sights(connection).values()} == {None}


LATER, LAST = date(2024, 6, 24), date(2024, 6, 27)
NO_RECORD = json.dumps({"studies": [study(2)]}).replace('"statusModule": {', '"statusModule": {broken ')


@pytest.mark.parametrize(
    ("first", "second", "known", "what"),
    [
        ({}, {}, {1: LAST, 2: LAST, 3: LAST}, "all of it could be read"),
        ({"text": "{broken"}, {}, {1: FULL, 2: FULL, 3: FULL}, "an update of any of them may stand in it"),
        ({"updated": [2]}, {"text": "{broken"}, {1: UPDATE, 2: UPDATE, 3: UPDATE}, "they were known until then"),
        ({"text": "{broken"}, {"updated": [2]}, {1: FULL, 2: LAST, 3: FULL}, "what was read since counts again"),
        ({"text": NO_RECORD}, {}, {1: LAST, 2: FULL, 3: LAST}, "only this record could not be read"),
        ({"text": NO_RECORD}, {"updated": [2]}, {1: LAST, 2: LAST, 3: LAST}, "it could, later"),
        ({"missing": [nct(3)]}, {}, {1: LAST, 2: LAST, 3: FULL}, "only this record did not come"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_listing_makes_a_record_no_fresher_than_what_could_be_read(world, first, second, known, what):
    for day, parts in ((UPDATE, first), (LATER, second), (LAST, {})):
        updated = [study(n, updated=str(day), enrolment=day.day) for n in parts.get("updated", ())]
        put_update(world, [1, 2, 3], day=day, **{**parts, "updated": updated})
    with tables(world) as connection:
        found = sights(connection)
    assert {n: found[nct(n)][1] for n in known} == known, what
    assert {found[nct(n)][0] for n in known} == {LAST}, "that it is there was seen all the same"
    assert {found[nct(n)][2] for n in known} == {None}, "and none of them has vanished"


STRAY = {
    # what could not be read on the day of the first listing -> of which of the three no listing counts from then on
    "a history of one record": ("NCT90000002.history.zip", {"fetched": {"records": None}}, {2}),
    "a file that a person dropped": ("stray.json", {}, set()),
    "a page of an update": ("updated-00001.json", {"fetched": {"records": None}}, {1, 2, 3}),
    "a file of all of the register": ("studies.json", {"scope": "full"}, {1, 2, 3}),
}


@pytest.mark.parametrize("case", STRAY)
def test_only_a_payload_on_which_listings_rest_ends_their_word(world, case):
    name, how, unknown = STRAY[case]
    path = world.parent / name
    path.write_text("PK\x03\x04 and broken")
    snapshots.store_files(world, "ctgov", UPDATE, [path], **how)
    put_update(world, [1, 2, 3], day=LAST)
    with tables(world) as connection:
        found = sights(connection)
    assert {n for n in (1, 2, 3) if found[nct(n)][1] == FULL} == unknown


def test_readers_tell_the_numbers_of_a_listing(tmp_path):
    path = tmp_path / "x.listing.gz"
    path.write_bytes(
        gzip.compress(b'{"data": [{"ctNumber": "2023-599999-11-01", "ctStatus": 8}, {"ctNumber": "odd"}]}')
    )
    assert ctis.numbers(path) == ["2023-599999-11"]
    path.write_bytes(
        gzip.compress(b'{"studies": [{"protocolSection": {"identificationModule": {"nctId": "NCT90000001"}}}]}')
    )
    assert ctgov.numbers(path) == ["NCT90000001"]


@pytest.mark.parametrize(
    ("text", "updated", "is_back", "known", "what"),
    [
        ("", (), False, {1: FULL, 2: FULL, 3: FULL}, "an update of any of them may have stood in it"),
        ("{broken", (), False, {1: FULL, 2: FULL, 3: FULL}, "as while the file lay there that could not be read"),
        ("", (2,), False, {1: FULL, 2: LAST, 3: FULL}, "what was read since counts again"),
        ("", (), True, {1: LAST, 2: LAST, 3: LAST}, "the same files are back"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_was_given_up_makes_no_record_fresh(world, text, updated, is_back, known, what):
    """Results that were posted may have come with it, and later increments do not bring them."""
    put_update(world, [1, 2, 3], [study(2, updated=str(UPDATE), enrolment=70)], day=UPDATE, text=text)
    (wrong,) = [f"{s.source}/{s.id}" for s in snapshots.listed(world) if s.date == UPDATE]
    pruning.prune(world, LAST, keep=0, gives_up_years=False, is_meant=True, wrong=[wrong])
    if is_back:
        shutil.rmtree(world.parent / f"round-{UPDATE}")
        put_update(world, [1, 2, 3], [study(2, updated=str(UPDATE), enrolment=70)], day=UPDATE)
    put_update(world, [1, 2, 3], [study(n, updated=str(LAST), enrolment=7) for n in updated], day=LAST)
    with tables(world) as connection:
        found = sights(connection)
    assert {n: found[nct(n)][1] for n in known} == known, what
    assert {found[nct(n)][0] for n in known} == {LAST}, "that it is there was seen all the same"
    assert snapshots.given_up(world, FULL) == [], "a build of an earlier day knows nothing of it"


def test_what_is_taken_back_is_what_it_was(world):
    """With what the source said of it: which records did not come with its listing, above all."""
    put_update(world, [1, 2, 3], missing=[nct(3)])
    before = snapshots.listed(world)
    wrong = before[-1]
    pruning.prune(world, LAST, keep=0, gives_up_years=False, is_meant=True, wrong=[f"ctgov/{wrong.id}"])
    importing.take(world, Import("ctgov", UPDATE, tuple((world.parent / f"round-{UPDATE}").iterdir())))
    assert snapshots.listed(world) == before
    with tables(world) as connection:
        assert {number: directly for number, (_, directly, _) in sights(connection).items()} == {
            nct(1): UPDATE, nct(2): UPDATE, nct(3): FULL,
        }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "fetched", "leaves_a_gap"),
    [
        ("NCT90000002.history.zip", {"records": None}, False),
        (f"numbers-00001{snapshots.LISTING}", None, True),
        ("studies.json", None, False),
    ],
)
def test_what_is_given_up_leaves_a_gap_where_listings_rest_on_it(world, name, fetched, leaves_a_gap):
    """As with what cannot be read: the history of one record speaks of that record alone, and what came with a listing
    is believed to be all that had changed until then."""
    path = world.parent / name
    path.write_text("PK\x03\x04 and broken")
    wrong, _ = snapshots.store_files(world, "ctgov", UPDATE, [path], fetched=fetched)
    pruning.prune(world, LAST, keep=0, gives_up_years=False, is_meant=True, wrong=[f"ctgov/{wrong.id}"])
    assert [one.id for one in snapshots.given_up(world)] == [wrong.id] * leaves_a_gap


def test_an_import_that_no_increment_builds_on_leaves_no_gap(world):
    put_studies(world, UPDATE, [study(2, enrolment=70)])
    (wrong,) = [f"{s.source}/{s.id}" for s in snapshots.listed(world) if s.date == UPDATE]
    pruning.prune(world, LAST, keep=0, gives_up_years=False, is_meant=True, wrong=[wrong])
    assert snapshots.given_up(world) == []
