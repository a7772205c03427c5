"""The browser finds the same key for a number as `trn` does: both run over all spellings that the tests of `trn` and the
real records have, and over what hypothesis makes of them.
"""

import json
import shutil
import string
import subprocess
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines import trn
from pipelines.settings import ROOT
from pipelines.site import spelling
from tests.unit import test_trn

SCRIPT = """
import { speller, shardOf } from "%s";
import { readFileSync } from "node:fs";
const { table, texts } = JSON.parse(readFileSync(0, "utf8"));
const { fold, canonical, key } = speller(table);
console.log(JSON.stringify(texts.map((text) => [fold(text), canonical(text), key(text), shardOf(key(text), 8192)])));
"""


def in_script(texts):
    node = shutil.which("node")
    if not node:
        pytest.skip("node is not installed")
    code = SCRIPT % (ROOT / "pipelines/site/static/spelling.js").as_uri()
    given = json.dumps({"table": spelling.table(), "texts": texts})
    done = subprocess.run([node, "--input-type=module", "-e", code], input=given, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def here(text):
    hit = trn.canonical(text)
    key = spelling.key(text)
    return [trn.fold(text), hit.canonical if hit else None, key, zlib.crc32(key.encode()) % 8192]


def differences(texts):
    return [
        (text, theirs, here(text)) for text, theirs in zip(texts, in_script(texts), strict=True) if theirs != here(text)
    ]


def test_all_spellings_of_the_tests_of_numbers_have_one_key():
    texts = [row[0] for row in test_trn.SPELLINGS] + [row[0] for row in test_trn.FOUND]
    texts += [*test_trn.NEVER, *(row[0] for row in test_trn.MALFORMED)]
    assert sum(trn.canonical(text) is not None for text in texts) > 50, "else nothing is shown"
    assert differences(texts) == []


def test_what_people_paste_has_one_key():
    texts = [
        "PMID: 900000001", "pmid 900000001", "https://pubmed.ncbi.nlm.nih.gov/900000001/", "900000001",
        "doi:10.99999/ABC.1", "https://doi.org/10.99999/abc.1", "PMC900001", "EX-66", " ex-66 ", "Ex\u00a066", "Straße 1",
        "１２３", "nct９0000001", "NCT90000001²", "", " ", "(NCT90000001)", "ΑΣ", "İ", "a\u0301b", "\u00a8", "ſ", "KCT0000001",
    ]  # fmt: skip
    assert differences(texts) == []
    assert len({spelling.key(text) for text in texts[:4]}) == 1


@settings(max_examples=8)
@given(st.lists(test_trn.respelt(), min_size=40, max_size=60))
def test_made_up_spellings_have_one_key(numbers):
    assert differences([one for _, number, spelt in numbers for one in (number, spelt)]) == []


CHARACTERS = st.one_of(
    st.sampled_from(string.printable),
    st.characters(exclude_categories=["Cs", "Cn", "Co"]),
    st.sampled_from("–\u200b²①Ⅷ"),
)


@settings(max_examples=10)
@given(st.lists(st.text(CHARACTERS, max_size=12), min_size=100, max_size=200))
def test_any_text_has_one_key(texts):
    assert differences(texts) == []


def test_a_pattern_without_translation_is_refused():
    with pytest.raises(ValueError, match="no translation"):
        spelling.script_pattern(r"(?P<a>x)(?P=a)")
