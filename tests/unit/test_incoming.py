"""Files that are dropped into `incoming/`: taken once they are complete, never lost, and put aside with a reason."""

import errno
import json
import os
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from pipelines import importing, snapshots, store
from pipelines.__main__ import main
from tests import worlds

LATER = timedelta(seconds=importing.QUIET + 1)
STUDIES = json.dumps([worlds.study(1)])


def drop(data, place, text=STUDIES, day=None):
    path = data / "incoming" / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    if day:
        stamp = datetime(day.year, day.month, day.day, 12, tzinfo=UTC).timestamp()
        os.utime(path, (stamp, stamp))
    return path


def take(data, after=LATER):
    return importing.drop_in(data, datetime.now(UTC) + after)


def lying(data):
    folder = data / "incoming"
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


@pytest.mark.parametrize(
    ("place", "day", "scope", "baseline"),
    [
        ("ctgov/page.json", date(2024, 2, 3), "partial", False),
        ("ctgov/2024-01-10/page.json", date(2024, 1, 10), "partial", False),
        ("ctgov/2024-01-10-full/page.json", date(2024, 1, 10), "full", False),
        ("pubmed/2024-01-11-full-baseline/pubmed24n0001.xml", date(2024, 1, 11), "full", True),
        ("pubmed/2024-01-11-baseline/pubmed24n0003.xml", date(2024, 1, 11), "partial", True),
    ],
)
def test_where_a_file_lies_says_what_it_is(tmp_path, place, day, scope, baseline):
    drop(tmp_path, place, day=date(2024, 2, 3))
    ((snapshot, is_new),) = take(tmp_path).taken
    assert (snapshot.date, snapshot.scope, snapshot.baseline, is_new) == (day, scope, baseline, True)
    assert lying(tmp_path) == [], "the archive has it"
    assert snapshots.listed(tmp_path) == [snapshot]
    drop(tmp_path, place, day=date(2024, 2, 3))
    assert take(tmp_path).taken == [(snapshot, False)], "the same again is the same snapshot"


def test_files_of_a_folder_are_one_snapshot_and_loose_ones_are_one_each(tmp_path):
    for place in ("2024-01-10/a.json", "2024-01-10/b.json", "c.json", "d.json"):
        drop(tmp_path, f"ctgov/{place}", json.dumps([worlds.study(ord(place[-6]))]))
    taken = take(tmp_path).taken
    assert sorted([p.name for p in s.payloads] for s, _ in taken) == [["a.json", "b.json"], ["c.json"], ["d.json"]]


def test_a_checksum_file_goes_with_its_file(tmp_path):
    drop(tmp_path, "pubmed/pubmed24n0004.xml", worlds.article_set(worlds.article(99000001)))
    drop(tmp_path, "pubmed/pubmed24n0004.xml.md5", "MD5(pubmed24n0004.xml)= 0")
    ((snapshot, _),) = take(tmp_path).taken
    assert [p.name for p in snapshot.payloads] == ["pubmed24n0004.xml", "pubmed24n0004.xml.md5"]
    assert lying(tmp_path) == []


@pytest.mark.parametrize("unfinished", [None, "b.json.part", "2024-01-10/b.JSON.CRDOWNLOAD"])
def test_what_is_still_being_written_is_left_alone_with_all_of_its_source(tmp_path, unfinished):
    drop(tmp_path, "ctgov/a.json")
    after = LATER
    if unfinished:
        drop(tmp_path, f"ctgov/{unfinished}")
    else:
        after = timedelta(seconds=importing.QUIET / 2)
    before = lying(tmp_path)
    assert take(tmp_path, after) == importing.Dropped([], [])
    assert lying(tmp_path) == before


def test_a_file_that_is_still_being_written_holds_up_its_own_source_only(tmp_path):
    drop(tmp_path, "pubmed/pubmed24n0004.xml.part", "<")
    drop(tmp_path, "ctgov/a.json")
    assert [s.source for s, _ in take(tmp_path).taken] == ["ctgov"]


@pytest.mark.parametrize(
    ("place", "sentence"),
    [
        ("nowhere/a.json", "There is no source 'nowhere'"),
        ("a.json", "Files are dropped into incoming/<source>/"),
        ("ctgov/yesterday/a.json", "A folder of files is named YYYY-MM-DD"),
        ("ctgov/2024-02-30/a.json", "'2024-02-30' is not a day"),
        ("ctgov/2062-01-10-full/a.json", "2062-01-10 is a day to come"),
        ("ctgov/2024-01-10-baseline/a.json", "--baseline is for pubmed"),
        ("pubmed/2024-01-10-full/pubmed24n0001.xml", "A full scope for pubmed goes with --baseline"),
        ("pubmed/2024-01-10-full-baseline/pubmed24n0002.xml", "The baseline is not whole"),
        ("ctgov/2024-01-10/more/a.json", "holds no other folder"),
        ("pubmed/pubmed24n0001.xml.md5", "a checksum file alone is none"),
        ("ctgov/manifest.json", "the archive has a use of its own for that name"),
    ],
)
def test_what_is_no_import_is_put_aside_with_the_reason(tmp_path, place, sentence):
    text = drop(tmp_path, place).read_text()
    for _ in range(2):  # the same mistake again takes the place of the first one
        dropped = take(tmp_path)
        assert dropped.taken == []
        assert len(dropped.left) == 1
        assert sentence in dropped.left[0]
        reason, kept = sorted(lying(tmp_path), key=lambda name: not name.endswith(".txt"))
        assert sentence in (tmp_path / "incoming" / reason).read_text()
        assert (tmp_path / "incoming" / kept).read_text() == text
        assert kept.startswith("refused/")
        assert not (tmp_path / "raw").exists()
        drop(tmp_path, place)


def test_a_file_of_a_day_to_come_neither_waits_for_it_nor_bears_it(tmp_path):
    """It came from a machine whose clock was wrong: it would be taken in decades later, with all that lies beside it, and
    no build of until then would know it."""
    drop(tmp_path, "ctgov/a.json", day=date(2062, 1, 10))
    drop(tmp_path, "ctgov/b.json", day=date(2024, 1, 10))
    dropped = take(tmp_path)
    assert [snapshot.date for snapshot, _ in dropped.taken] == [date(2024, 1, 10)]
    assert "2062-01-10 is a day to come: lay it into a folder that is named after its day" in dropped.left[0]
    assert [name for name in lying(tmp_path) if name.endswith(".json")] == ["refused/ctgov/a.json"]


def test_a_name_like_a_mail_address_is_refused_and_not_shown(tmp_path):
    drop(tmp_path, "ctgov/someone@example.org.json")
    (line,) = take(tmp_path).left
    assert "has a name like an e-mail address" in line
    assert "someone" not in line


def test_one_faulty_drop_holds_up_no_other(tmp_path):
    drop(tmp_path, "ctgov/yesterday/a.json")
    drop(tmp_path, "ctgov/z.json")
    drop(tmp_path, "nowhere/a.json")
    dropped = take(tmp_path)
    assert (len(dropped.taken), len(dropped.left)) == (1, 2)


def test_where_the_archive_is_in_use_it_stays(tmp_path):
    drop(tmp_path, "ctgov/a.json")
    with store.only_writer(tmp_path):
        dropped = take(tmp_path)
    assert dropped.taken == []
    assert "stays where it is and is tried again: Another import or build is writing" in dropped.left[0]
    assert lying(tmp_path) == ["ctgov/a.json"]
    assert len(take(tmp_path).taken) == 1


@pytest.mark.parametrize(("place", "taken"), [("ctgov/a.json", 2), ("ctgov/yesterday/a.json", 1)])
def test_what_may_not_be_removed_where_it_lies_stops_no_other(tmp_path, monkeypatch, place, taken):
    """The folder can be that of another user, in which the files can be read alone."""
    drop(tmp_path, place)
    drop(tmp_path, "isrctn/b.xml")
    unlink, replace = Path.unlink, Path.replace

    def may_not(real):
        def refused(path, *words, **more):
            if "incoming" in path.parts and "ctgov" in path.parts:
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
            return real(path, *words, **more)

        return refused

    monkeypatch.setattr(Path, "unlink", may_not(unlink))
    monkeypatch.setattr(Path, "replace", may_not(replace))
    for is_new in (True, False):
        dropped = take(tmp_path)
        assert [new for snapshot, new in dropped.taken if snapshot.source == "ctgov"] == [is_new] * (taken - 1)
        (said,) = dropped.left
        assert said.startswith(f"incoming/{place.removesuffix('/a.json') if taken == 1 else place} ")
        assert os.strerror(errno.EACCES) in said
    assert lying(tmp_path) == [place]
    assert len(snapshots.listed(tmp_path)) == taken


def test_a_folder_that_may_not_be_looked_into_stops_no_other(tmp_path, monkeypatch):
    drop(tmp_path, "ctgov/a.json")
    drop(tmp_path, "isrctn/b.xml")
    listed = Path.iterdir

    def iterdir(path):
        if path.name == "ctgov":
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return listed(path)

    monkeypatch.setattr(Path, "iterdir", iterdir)
    assert [one.source for one in importing.dropped(tmp_path, datetime.now(UTC) + LATER)] == ["isrctn"]
    dropped = take(tmp_path)
    assert [snapshot.source for snapshot, _ in dropped.taken] == ["isrctn"]
    assert dropped.left == [f"incoming/ctgov could not be looked into ({os.strerror(errno.EACCES)})."]


def test_what_is_written_to_after_it_was_taken_is_not_removed(tmp_path, monkeypatch):
    path = drop(tmp_path, "ctgov/a.json")
    real = importing.take

    def slow(data, wanted):
        came = real(data, wanted)
        path.write_text(STUDIES + "\n\n", encoding="utf-8")
        return came

    monkeypatch.setattr(importing, "take", slow)
    assert len(take(tmp_path).taken) == 1
    assert lying(tmp_path) == ["ctgov/a.json"]


def test_by_the_command_line(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(importing, "QUIET", -1.0)
    words = ["--data", str(tmp_path), "import", "--incoming"]
    assert main(words) == 0
    drop(tmp_path, "ctgov/2024-01-10/a.json")
    assert main(words) == 0
    assert "imported ctgov 2024-01-10-" in capsys.readouterr().out
    drop(tmp_path, "ctgov/yesterday/a.json")
    assert main(words) == 3
    assert capsys.readouterr().out.startswith("Not taken: incoming/ctgov/yesterday was refused: A folder of files")


@pytest.mark.parametrize("place", ["ctgov/a.json", "ctgov/2024-01-10/a.json", "a.json"])
def test_a_link_to_nothing_is_refused_and_stops_no_other(tmp_path, place):
    path = tmp_path / "incoming" / place
    path.parent.mkdir(parents=True)
    path.symlink_to(tmp_path / "gone.json")
    drop(tmp_path, "ctgov/b.json")
    dropped = take(tmp_path)
    assert len(dropped.taken) == 1
    (said,) = dropped.left
    assert "was refused: " in said
    assert not path.is_symlink()
    assert take(tmp_path).left == [], "it is not said every night"


@pytest.mark.parametrize(("strange", "taken"), [(True, ["a.json", "DRKS/2024-01-10"]), (False, [])])
def test_what_lies_under_no_source_is_refused_beside_the_one_that_is_asked_for(tmp_path, strange, taken):
    for place in ("a.json", "DRKS/2024-01-10/b.json", "pubmed/2024-01-10/c.xml", "ctgov/d.json"):
        drop(tmp_path, place)
    dropped = importing.drop_in(tmp_path, datetime.now(UTC) + LATER, "ctgov", with_strange=strange)
    assert [snapshot.source for snapshot, _ in dropped.taken] == ["ctgov"]
    assert sorted(said.split(" was refused")[0] for said in dropped.left) == sorted(f"incoming/{t}" for t in taken)
    assert "pubmed/2024-01-10/c.xml" in lying(tmp_path), "its own step takes it"
