"""Numbers that a record's texts name: which are kept, in what form and order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines import trn
from pipelines.formats.mentions import numbers_in

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


@given(st.lists(st.lists(PIECES).map(" ".join) | st.text(max_size=20) | st.none(), max_size=4))
def test_they_are_what_is_found_in_each_text_by_itself(texts):
    found = [hit.canonical for text in texts for hit in trn.find(text or "") if hit.kind == "number"]
    named = numbers_in(texts, OWN)
    assert set(named) == set(found) - {OWN}
    assert sorted(named, key=found.index) == named
    assert len(set(named)) == len(named)
