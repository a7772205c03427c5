"""JSON payloads taken apart record by record: exactly, in pieces of any size, and with the least loss where broken."""

import json
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.errors import PayloadError
from pipelines.formats import json_records
from pipelines.formats.json_records import Slice

ANCHOR = "protocolSection"
TEXT = st.one_of(
    st.text(max_size=8), st.sampled_from(['{"', '"}', "\\", '\\"', "[", "]", "}{", '{"protocolSection"', "é数"])
)
VALUE = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), TEXT),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXT, inner, max_size=3)),
    max_leaves=6,
)
OBJECTS = st.lists(st.dictionaries(TEXT, VALUE, max_size=4), max_size=6)
STUDIES = st.lists(VALUE, min_size=2, max_size=5).map(
    lambda values: [{ANCHOR: {"number": i, "value": value}, "hasResults": False} for i, value in enumerate(values)]
)
SHAPES = ["array", "page", "objects"]


def payload(records: list[bytes], form: str, between: bytes) -> bytes:
    if form == "objects":
        return between.replace(b",", b"").join(records)
    listed = b"[" + between.join(records) + b"]"
    return listed if form == "array" else b'{"totalCount": 5, "studies": ' + listed + b', "nextPageToken": "x"}'


def pieces(content: bytes, sizes: list[int]) -> Iterator[bytes]:
    """The content cut into pieces of the sizes, over and over."""
    at = turn = 0
    while at < len(content):
        size = sizes[turn % len(sizes)]
        yield content[at : at + size]
        at, turn = at + size, turn + 1


def taken_apart(content: bytes, form: str, sizes: list[int] | None = None) -> tuple[list[Slice], str | None]:
    """The slices, and the error that ended the reading."""
    found: list[Slice] = []
    try:
        for slice_ in json_records.records(pieces(content, sizes or [1 << 20]), form, ANCHOR):
            found.append(slice_)
    except PayloadError as error:
        return found, str(error)
    return found, None


# --- well formed ----------------------------------------------------------------------------------------------------


@given(
    objects=OBJECTS,
    form=st.sampled_from(SHAPES),
    indent=st.sampled_from([None, 1, 4]),
    ascii_=st.booleans(),
    between=st.sampled_from([b",", b", ", b",\n", b"\r\n,\r\n", b" , "]),
    bom=st.booleans(),
    sizes=st.lists(st.integers(1, 50), min_size=1, max_size=5),
)
def test_any_objects_in_any_shape_are_split_back_exactly(objects, form, indent, ascii_, between, bom, sizes):
    texts = [json.dumps(o, indent=indent, ensure_ascii=ascii_).encode("utf-8", "surrogatepass") for o in objects]
    content = b"\xef\xbb\xbf" * bom + payload(texts, form, between)
    found, error = taken_apart(content, form, sizes)
    assert error is None
    assert [s.text for s in found] == texts
    assert all(s.fault is None and content[s.offset :].startswith(s.text) for s in found)


@pytest.mark.parametrize(
    ("content", "form"),
    [
        (b'{"a":1}{"a":2}', "objects"),
        (b'{"a":1}\n\n\r\n{"a":2}\n', "objects"),
        (b'{"a":1}\n\xef\xbb\xbf{"a":2}', "objects"),
        (b'[{"a":1}]\n[{"a":2}]', "array"),
        (b'[{"a":1},{"a":2},]', "array"),
        (b'{"studies":[{"a":1}]}\n{"studies":[{"a":2}]}', "page"),
        (b'{"nextPageToken":"[{","studies":[{"a":1},{"a":2}],"totalCount":2}', "page"),
    ],
)
def test_payloads_that_were_simply_joined(content, form):
    assert taken_apart(content, form) == (
        [Slice(content.index(b'{"a":1}'), b'{"a":1}'), Slice(content.index(b'{"a":2}'), b'{"a":2}')],
        None,
    )


@pytest.mark.parametrize(
    ("start", "form"),
    [
        (b"[", "array"),
        (b"{}", "objects"),
        (b'{"protocolSection": {}}', "objects"),
        (b'{"study": {}}', "objects"),
        (b'{"studies": []}', "page"),
        (b'{\r\n  "totalCount" : 1', "page"),
        (b'{"nextPageToken": "x"', "page"),
        (b'{"a\\"studies": 1}', "objects"),
    ],
)
def test_the_shape_is_told_by_the_first_bytes(start, form):
    assert json_records.shape(start) == form


@pytest.mark.parametrize(
    ("start", "reason"),
    [
        (b"", "empty"),
        (b"<html>", "HTML or XML page"),
        (b'<?xml version="1.0"?>', "HTML or XML page"),
        (b"null", "does not begin like JSON"),
        (b'"text"', "does not begin like JSON"),
        (b"NCT Number,Title", "does not begin like JSON"),
        (b"\xff\xfe{\0", "does not begin like JSON"),
    ],
)
def test_what_is_no_json_of_records_is_one_clear_error(start, reason):
    with pytest.raises(PayloadError, match=reason):
        json_records.shape(start)


# --- damaged --------------------------------------------------------------------------------------------------------


@given(
    studies=STUDIES,
    form=st.sampled_from(SHAPES),
    where=st.floats(0, 1, exclude_max=True),
    sizes=st.lists(st.integers(1, 60), min_size=1, max_size=4),
)
def test_a_payload_cut_off_anywhere_keeps_every_whole_record(studies, form, where, sizes):
    texts = [json.dumps(s).encode() for s in studies]
    content = payload(texts, form, b", ")
    cut = int(where * len(content))
    ends = [content.index(text) + len(text) for text in texts]
    whole = [text for text, end in zip(texts, ends, strict=True) if end <= cut]
    found, error = taken_apart(content[:cut], form, sizes)
    good = [s for s in found if s.fault is None]
    assert [s.text for s in good] == whole
    assert [s.fault for s in found[len(good) :]] in ([], ["the record is cut off at the end of the file"])
    between_records = cut == 0 or (form == "objects" and found == good)
    assert (error is None) is between_records


@given(
    studies=STUDIES,
    form=st.sampled_from(SHAPES),
    indent=st.sampled_from([None, 2]),
    change=st.sampled_from([b"", b'"', b"{", b"}", b"[", b"]", b"\\", b",", b"\0", b"\xff", b'{"x":']),
    place=st.tuples(st.floats(0, 1, exclude_max=True), st.floats(0, 1, exclude_max=True)),
    sizes=st.lists(st.integers(1, 80), min_size=1, max_size=4),
)
def test_a_damaged_record_takes_no_other_with_it(studies, form, indent, change, place, sizes):
    texts = [json.dumps(s, indent=indent).encode() for s in studies]
    hit = int(place[0] * len(texts))
    at = int(place[1] * len(texts[hit]))
    broken = texts[hit][:at] + change + texts[hit][at + 1 :]
    content = payload([*texts[:hit], broken, *texts[hit + 1 :]], form, b",\n" if indent else b",")
    found, _ = taken_apart(content, form, sizes)
    good = [s.text for s in found if s.fault is None]
    assert [text for text in good if text in texts and text != broken][: len(texts)] == [
        text for i, text in enumerate(texts) if i != hit and text != broken
    ]


@given(studies=STUDIES, sizes=st.lists(st.integers(1, 40), min_size=1, max_size=4), lost=st.integers(0, 200))
def test_the_size_of_the_pieces_changes_nothing(studies, sizes, lost):
    content = payload([json.dumps(s).encode() for s in studies], "array", b",")
    content = content[: lost % len(content)] + content[lost % len(content) + 7 :]
    whole, in_pieces = taken_apart(content, "array"), taken_apart(content, "array", sizes)
    assert in_pieces[1] == whole[1]
    assert [(s.offset, s.fault) for s in in_pieces[0]] == [(s.offset, s.fault) for s in whole[0]]
    assert [s.text for s in in_pieces[0] if s.fault is None] == [s.text for s in whole[0] if s.fault is None]


@pytest.mark.parametrize(
    ("content", "form", "offsets"),
    [
        (b"[1, 2, 3]", "array", [1]),
        (b'["a{b", null]', "array", [1]),
        (b"[[1, 2], [3]]", "array", [1]),
        (b'[{"a":1}, null, {"a":1}, 5]', "array", [10, 25]),
        (b'[{"a":1}] and more', "array", [10]),
        (b'{"studies":[{"a":1}, 5]} x', "page", [21, 25]),
        (b'{"a":1}\n"text"\n{"a":1}\nnull', "objects", [8, 23]),
        (b'{"a":1}}', "objects", [7]),
    ],
)
def test_what_stands_between_records_and_is_none_is_named(content, form, offsets):
    found, error = taken_apart(content, form)
    assert error is None
    strays = [s for s in found if s.fault is not None]
    assert [s.offset for s in strays] == offsets
    assert {s.fault for s in strays} == {"what stands here is no record"}
    assert [s.text for s in found if s.fault is None] == [b'{"a":1}'] * content.count(b'{"a":1}')


def test_a_lost_quote_in_one_line_costs_one_record():
    texts = [json.dumps({ANCHOR: {"title": f"one {i}"}}).encode() for i in range(5)]
    texts[2] = texts[2].replace(b'one 2"', b"one 2")
    found, _ = taken_apart(b"[" + b", ".join(texts) + b"]", "array")
    assert [s.text for s in found if s.fault is None] == [*texts[:2], *texts[3:]]
    assert [s.fault for s in found if s.fault] == ["the record is broken off"]


def test_a_record_that_never_closes_ends_where_the_next_begins():
    texts = [json.dumps({ANCHOR: {"n": i}}, indent=2).encode() for i in range(3)]
    texts[0] = texts[0][:-2]
    found, error = taken_apart(b"\n".join(texts), "objects")
    assert error is None
    assert [(s.fault, s.text) for s in found] == [
        ("the record is broken off", texts[0] + b"\n"),
        (None, texts[1]),
        (None, texts[2]),
    ]


def test_a_damage_of_the_pieces_is_raised_after_the_last_record():
    def damaged() -> Iterator[bytes]:
        yield b'[{"a":1},{"a":2},{"a"'
        raise PayloadError("the file is damaged")

    found, error = [], None
    try:
        for slice_ in json_records.records(damaged(), "array", ANCHOR):
            found.append((slice_.text, slice_.fault is None))
    except PayloadError as raised:
        error = str(raised)
    assert error == "the file is damaged"
    assert found == [(b'{"a":1}', True), (b'{"a":2}', True), (b'{"a"', False)]
