"""Registration numbers that the free text of a record names.

Weaker evidence than a number in a field of its own: parent studies and comparisons are named in texts as often as the
same trial elsewhere. Which texts of a record are read belongs to its reader, the shapes of numbers to `pipelines/trn`,
and what a mention proves to the links between registrations. The texts themselves are not kept.
"""

from collections.abc import Iterable

import numpy as np
import pyarrow as pa

from pipelines import trn


def numbers_in(texts: Iterable[str | None], own: str) -> list[str]:
    """The numbers in canonical form, in the order of the texts, each once, without the record's own.

    Each text is read by itself: what ends one and begins the next is no number.
    """
    given = [text for text in dict.fromkeys(texts) if text]
    hits = trn.find_many(given) if given else []
    found = [hit.canonical for of_text in hits for hit in of_text if hit.kind == "number"]
    return [number for number in dict.fromkeys(found) if number != own]


def numbers_in_columns(texts: pa.ChunkedArray, own: pa.ChunkedArray) -> pa.Array:
    """The same for many records at once: a list of texts a record and its own number, as DuckDB hands them over.

    They are scanned where they lie, and only those that may hold a number become texts of Python's.
    """
    lists = pa.concat_arrays(texts.chunks)
    values = lists.flatten()
    _, offsets, data = values.buffers()
    nexts = np.frombuffer(offsets, np.int32)[values.offset :][1 : len(values) + 1].tolist() if offsets else []
    records = np.repeat(np.arange(len(lists)), np.diff(lists.offsets.to_numpy()))
    speaking: dict[int, list[str]] = {}
    for place in trn.places(memoryview(data or b""), nexts):
        speaking.setdefault(int(records[place]), []).append(values[place].as_py())
    numbers = [numbers_in(speaking.get(record, ()), str(number)) for record, number in enumerate(own)]
    return pa.array(numbers, pa.list_(pa.string()))
