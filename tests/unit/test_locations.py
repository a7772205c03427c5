"""A location: files go there and come back whole and as they were, or with one sentence, and a small object is written
by one of many. Folders here; storage that speaks S3 in `integration/test_store_on_s3.py`."""

import hashlib
import importlib.util
import pickle
from concurrent.futures import ThreadPoolExecutor

import pytest

from pipelines import locations
from pipelines.errors import DataError, UsageError
from pipelines.locations import Location


@pytest.fixture(autouse=True)
def without_pauses(monkeypatch):
    monkeypatch.setattr(locations, "PAUSES", (0.0, 0.0))


@pytest.mark.parametrize(
    "written",
    ["s3://", "s3://B", "s3://user:hidden@bucket/x", "s3://bucket/x?secret_key=hidden", "s3://bucket/a b", "gs://bucket/x",
     "https://host/hidden", "s3:///hidden", "s3://bucket/x#hidden"],
)  # fmt: skip
def test_what_is_no_location_is_said_without_repeating_it(written):
    with pytest.raises(UsageError, match="ALLTRIALS_STORE is a folder or s3://bucket/prefix") as told:
        locations.at(written)
    assert "hidden" not in str(told.value)


@pytest.mark.parametrize(
    ("written", "below"),
    [("s3://bucket", "s3://bucket/a"), ("s3://bucket/x/y/", "s3://bucket/x/y/a"), ("/srv/kept", "/srv/kept/a")],
)
def test_what_lies_below_a_location(written, below):
    place = locations.at(written) / "a"
    assert (str(place), place.folder is None) == (below, written.startswith("s3"))
    assert pickle.loads(pickle.dumps(place)) == place


def test_a_file_goes_and_comes_back(tmp_path):
    path, place = tmp_path / "file", locations.at(str(tmp_path / "kept")) / "x" / "file"
    path.write_bytes(b"invented" * 1000)
    assert locations.size(place) is None
    assert [locations.put(path, place), locations.put(path, place)] == [True, False], "sent once"
    locations.get(place, tmp_path / "back", hashlib.sha256(path.read_bytes()).hexdigest(), 8000)
    assert (tmp_path / "back").read_bytes() == path.read_bytes()
    locations.remove(place)
    locations.remove(place)
    with pytest.raises(FileNotFoundError):
        locations.get(place, tmp_path / "gone")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["back", "file", "kept"], "nothing is left lying about"


@pytest.mark.parametrize("there", [b"shor", b"longer than it was", b"other"])
def test_a_damaged_file_is_not_brought(tmp_path, there):
    place = locations.at(str(tmp_path)) / "file"
    (tmp_path / "file").write_bytes(there)
    with pytest.raises(DataError, match=r"file could not be read: .*\. Run it again later"):
        locations.get(place, tmp_path / "back", hashlib.sha256(b"whole").hexdigest(), 5)
    assert not (tmp_path / "back").exists()


def test_a_location_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(DataError, match=r"file/x could not be read: Not a directory\."):
        locations.put(tmp_path / "file", locations.at(str(tmp_path / "file")) / "x")


def test_one_of_many_writes_the_small_object(tmp_path):
    """Each time many read it and then write: one of them does, and the others are told."""
    place = locations.at(str(tmp_path)) / "current.json"
    before = None
    for turn in range(5):

        def write(number, before=before, turn=turn):
            try:
                return locations.write_if(place, f"{turn} {number}".encode(), before)
            except DataError as error:
                return str(error)

        with ThreadPoolExecutor(8) as threads:
            wrote = list(threads.map(write, range(8)))
        assert wrote.count(True) == 1
        said = f"{place}: another machine wrote there meanwhile; nothing of it was overwritten. Run it again."
        assert wrote.count(said) == 7
        before = locations.read(place)
        assert before.content == f"{turn} {wrote.index(True)}".encode()


def test_s3_without_the_extra_says_what_to_install():
    if importlib.util.find_spec("s3fs"):
        pytest.skip("s3fs is installed here")
    with pytest.raises(UsageError, match=r"needs the extra \[s3\]"):
        locations.size(Location("s3://bucket/x"))
