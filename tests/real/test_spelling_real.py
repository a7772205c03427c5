"""The browser finds the same key as `trn` for every number that real registers and real articles write: all of the WHO
portal's, and the data bank entries and findings of articles as they stand there. Only numbers are taken from the files.
"""

from itertools import chain

import pytest

from pipelines import trn
from tests.real import test_trn_real as real
from tests.unit.test_spelling import differences

pytestmark = pytest.mark.skipif(not real.DATA.is_dir(), reason="the real records (../shared/data) are not there")


def test_every_number_of_the_who_portal_has_one_key() -> None:
    numbers = sorted({number for path in real.ICTRP_FILES for number, _ in real.ictrp_rows(path)})
    assert len(numbers) > 1000
    assert differences(numbers) == []


def test_every_spelling_in_real_articles_has_one_key() -> None:
    texts, banks = zip(*real.modern().values(), strict=True)
    written = {hit.raw for text in texts for hit in trn.find(text)} | {number for _, number in chain(*banks)}
    assert len(written) > 50
    assert differences(sorted(written)) == []
