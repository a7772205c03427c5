"""Numbers that a record's texts name: which are kept, in what form and order."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines import trn
from pipelines.formats.mentions import numbers_in, numbers_in_columns

OWN = "NCT90000001"


@pytest.mark.parametrize(
    ("texts", "named"),
    [
        (["An extension of NCT90000002."], ["NCT90000002"]),
        (["Parent studies: nct 90000002 and ISRCTN: 90000003"], ["NCT90000002", "ISRCTN90000003"]),
        (["EudraCT 2019–009999–11-DE", "2022-500244-37-01"], ["2019-009999-11", "2022-500244-37"]),
        (["NCT90000003, NCT90000002", "again NCT 9000 0003 and NCT90000003"], ["NCT90000003", "NCT90000002"]),
        # Its own number, however it is spelt.
        (["nct90000001 continues NCT90000002", "NCT 90000001"], ["NCT90000002"]),
        # Look-alikes are none.
        (["NCT9000002 and ISRCTN9000"], []),
        # A shape that needs company has it only in its own text.
        (["Registered as NTR 3912"], ["NTR3912"]),
        (["NTR 3912 as ligand"], []),
        (["Registered elsewhere", "NTR 3912 as ligand"], []),
        (["Follows NCT", "90000002 were asked"], []),
        ([None, "", " "], []),
        ([], []),
    ],
)
def test_the_numbers_of_a_record(texts, named):
    assert numbers_in(texts, OWN) == named


PIECES = st.sampled_from(
    ["NCT90000002", "NCT 90000001", "NTR 3912", "registry", "2019–009999–11", "x", "\n", "é", "90000002"]
)


RECORD = st.lists(st.lists(PIECES).map(" ".join) | st.text(max_size=20) | st.none(), max_size=4)


@given(RECORD)
def test_they_are_what_is_found_in_each_text_by_itself(texts):
    found = [hit.canonical for text in texts for hit in trn.find(text or "") if hit.kind == "number"]
    named = numbers_in(texts, OWN)
    assert set(named) == set(found) - {OWN}
    assert sorted(named, key=found.index) == named
    assert len(set(named)) == len(named)


@given(st.lists(RECORD, min_size=1, max_size=5), st.integers(0, 5), st.integers(0, 5))
def test_whole_columns_give_what_each_record_gives(records, first, chunk):
    """Also where a column comes in pieces, or begins within what lies in memory."""
    texts, own = pa.array(records, pa.list_(pa.string())), pa.array([OWN] * len(records))
    first, chunk = min(first, len(records)), min(chunk, len(records))
    cut = [slice(first, max(first, chunk)), slice(max(first, chunk), None)]
    found = numbers_in_columns(*(pa.chunked_array([column[piece] for piece in cut]) for column in (texts, own)))
    assert found.to_pylist() == [numbers_in(texts, OWN) for texts in records[first:]]
