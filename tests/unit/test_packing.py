"""How payloads are unpacked: every byte before a damage comes out, and no damage passes unnoticed."""

import gzip
import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.errors import PayloadError
from pipelines.formats import packing

NOISE = b"".join(zlib.crc32(bytes([i % 251, i // 251])).to_bytes(4, "big") for i in range(40_000))
"""160 kB that hardly pack: the damage is then far from the end of what comes out."""


@pytest.fixture(params=["as installed", "standard library"])
def unpacker(request, monkeypatch):
    """Both unpackers do the same: isal, where there is a wheel for the machine, and zlib."""
    if request.param == "standard library":
        monkeypatch.setattr(packing, "fast_zlib", zlib)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "payload"


def unpacked(path: Path, size: int = packing.CHUNK) -> tuple[bytes, str | None]:
    """All that comes out, and the damage that ended it."""
    out = []
    try:
        for piece in packing.chunks(path, size):
            out.append(piece)
    except PayloadError as error:
        return b"".join(out), str(error)
    return b"".join(out), None


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"", "empty"),
        (b"{", "plain"),
        (b"\x1f", "plain"),
        (b"\x1f\x8b", "gzip"),
        (b"\x1f\x8b\x08\x00", "gzip"),
        (b"PK\x03\x04rest", "zip"),
        (b"PK\x05\x06" + b"\0" * 18, "zip"),
        (b"PK is no zip", "plain"),
        (b"\xef\xbb\xbf{}", "plain"),
    ],
)
def test_packing_is_told_by_the_first_bytes(path, content, kind):
    path.write_bytes(content)
    assert packing.packing(path) == kind


# --- gzip -----------------------------------------------------------------------------------------------------------


@given(
    members=st.lists(st.binary(max_size=300), min_size=1, max_size=5),
    padding=st.integers(0, 9),
    size=st.integers(1, 400),
    level=st.integers(0, 9),
)
def test_members_of_a_gzip_are_one_payload(tmp_path_factory, members, padding, size, level):
    path = tmp_path_factory.getbasetemp() / "members.gz"
    path.write_bytes(b"".join(gzip.compress(m, level, mtime=0) + b"\0" * padding for m in members))
    assert unpacked(path, size) == (b"".join(members), None)


def test_many_members_larger_than_a_step(path, unpacker):
    path.write_bytes(gzip.compress(NOISE, mtime=0) * 3 + gzip.compress(b"x" * 3_000_000, mtime=0))
    assert unpacked(path) == (NOISE * 3 + b"x" * 3_000_000, None)


@pytest.mark.parametrize("content", [NOISE, b"short", b"a lot of the same " * 200_000], ids=["noise", "short", "same"])
def test_whatever_a_cut_off_gzip_still_holds_comes_out(path, unpacker, content):
    packed = gzip.compress(content, mtime=0)
    for cut in sorted({2, 5, 10, 11, 20, len(packed) // 3, len(packed) // 2, len(packed) - 9, len(packed) - 1}):
        path.write_bytes(packed[:cut])
        found, damage = unpacked(path)
        reference = zlib.decompressobj(31).decompress(packed[:cut])
        assert content.startswith(found)
        assert len(found) >= len(reference) - 1
        assert damage == "the file is cut off: its compressed data end too early"


@pytest.mark.parametrize("place", ["checksum", "length", "in the middle", "junk behind"])
def test_a_damaged_gzip_is_named_and_loses_little(path, unpacker, place):
    packed = bytearray(gzip.compress(NOISE, mtime=0))
    if place == "junk behind":
        packed += b"no gzip member"
    else:
        packed[{"checksum": -8, "length": -4, "in the middle": len(packed) // 2}[place]] ^= 0xFF
    path.write_bytes(packed)
    found, damage = unpacked(path)
    assert damage is not None
    assert damage.startswith("the file is damaged (")
    assert "\n" not in damage
    at_least = len(NOISE) // 3 if place == "in the middle" else len(NOISE) - packing.STEP
    assert len(found) >= at_least
    if place != "in the middle":
        assert NOISE.startswith(found)


def test_every_flipped_byte_is_noticed_or_harmless(path):
    content = b'{"protocolSection": {"identificationModule": {"nctId": "NCT90000001"}}}' * 5
    packed = gzip.compress(content, mtime=0)
    for place in range(len(packed)):
        path.write_bytes(packed[:place] + bytes([packed[place] ^ 0x41]) + packed[place + 1 :])
        if packing.packing(path) == "gzip":
            found, damage = unpacked(path)
            assert damage or found == content, place  # the header holds a time and a name that mean nothing


# --- the ends of a payload ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "start"),
    [
        (b"", b""),
        (b" \n\t ", b""),
        (b"\xef\xbb\xbf \r\n{}", b"{}"),
        (b"  [1]", b"[1]"),
        (b" " * 200_000 + b"{}", b"{}"),
    ],
)
@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_first_bytes_are_those_that_mean_something(path, content, start, pack):
    path.write_bytes(pack(content))
    assert packing.first_bytes(path) == start


def test_first_bytes_are_no_more_than_asked_for_and_survive_damage(path):
    path.write_bytes(gzip.compress(NOISE, mtime=0)[:100_000])
    assert packing.first_bytes(path, 1000) == NOISE.lstrip()[:1000]
    path.write_bytes(b"\x1f\x8b\x08")
    assert packing.first_bytes(path) == b""


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
@pytest.mark.parametrize("content", [b"", b"x", NOISE], ids=["none", "one", "many"])
def test_last_bytes(path, content, pack):
    path.write_bytes(pack(content))
    assert packing.last_bytes(path, 100) == content[-100:]


def test_last_bytes_are_not_told_of_a_damaged_payload(path):
    path.write_bytes(gzip.compress(NOISE, mtime=0)[:-1])
    with pytest.raises(PayloadError, match="cut off"):
        packing.last_bytes(path)


# --- zip ------------------------------------------------------------------------------------------------------------


def zipped(*entries: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return made.getvalue()


PLAIN = zipped(("1.json", b"one"), ("2.json", b"two"))
DIRECTORY = PLAIN.rindex(b"PK\x01\x02")
"""Where the directory's word on the second entry begins."""


def patched(offset: int, value: bytes) -> bytes:
    at = DIRECTORY + offset
    return PLAIN[:at] + value + PLAIN[at + len(value) :]


def read(path: Path, content: bytes) -> Iterator[tuple[str, bytes | str]]:
    path.write_bytes(content)
    return packing.entries(path)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_entries_in_any_folder_and_under_any_name(path, tmp_path, method):
    names = ["a/b/1.json", "../../outside.json", "/absolute.json", "C:\\3.json", 'it\'s "so" ü 数.json']
    made = zipped(("folder/", b""), *((n, n.encode()) for n in names), method=method)
    found = list(read(path, made))
    assert [content for _, content in found] == [n.encode() for n in names]
    assert list(tmp_path.iterdir()) == [path]  # nothing is written under the name of an entry


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (patched(24, struct.pack("<I", 0xFFFFFFF0)), "unpacks to 4,294,967,280 bytes, more than is plausible"),
        (patched(8, b"\x01"), "is encrypted"),
        (patched(10, b"\x63"), "compression method is not supported"),
        (patched(16, b"abcd"), "Bad CRC-32"),
        (PLAIN.replace(b"PK\x03\x04", b"PKxx").replace(b"PKxx", b"PK\x03\x04", 1), "Bad magic number"),
    ],
    ids=["bomb", "encrypted", "unknown method", "checksum", "no header"],
)
def test_an_entry_that_cannot_be_read_is_named_and_the_others_are_read(path, content, reason):
    good, bad = read(path, content)
    assert good == ("1.json", b"one")
    assert bad[0] == "2.json"
    assert isinstance(bad[1], str)
    assert reason in bad[1]


@pytest.mark.parametrize(
    "content",
    [PLAIN[:-1], PLAIN[:40], PLAIN[: len(PLAIN) // 2], b"PK\x03\x04", patched(6, b"\x5a"), patched(9, b"\x08")[:-9]],
    ids=["end", "early", "middle", "only its mark", "version of the future", "end and name"],
)
def test_an_archive_that_cannot_be_opened_is_one_error(path, content):
    with pytest.raises(PayloadError, match="the zip archive cannot be opened"):
        list(read(path, content))


@given(st.lists(st.tuples(st.integers(0, len(PLAIN) - 1), st.integers(0, 255)), min_size=1, max_size=4))
def test_no_byte_of_an_archive_brings_the_reader_down(tmp_path_factory, changes):
    content = bytearray(PLAIN)
    for place, value in changes:
        content[place] = value
    try:
        found = list(read(tmp_path_factory.getbasetemp() / "fuzzed.zip", bytes(content)))
    except PayloadError:
        return
    assert all(isinstance(content, (bytes, str)) for _, content in found)


# --- what is no JSON ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        (b"<!DOCTYPE html>", True),
        (b"\n  <html>", True),
        (b"<?xml version='1.0'?>", True),
        (b"<HEAD>", True),
        (b"<clinical_study>", True),
        (b'{"a": "<html>"}', False),
        (b"[1]", False),
        (b"< 5", False),
        (b"", False),
    ],
)
def test_looks_like_markup(start, expected):
    assert packing.looks_like_markup(start) is expected
