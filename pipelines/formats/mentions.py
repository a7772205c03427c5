"""Registration numbers that the free text of a record names.

Weaker evidence than a number in a field of its own: parent studies and comparisons are named in texts as often as the
same trial elsewhere. Which texts of a record are read belongs to its reader, the shapes of numbers to `pipelines/trn`,
and what a mention proves to the links between registrations. The texts themselves are not kept.
"""

from collections.abc import Iterable

from pipelines import trn


def numbers_in(texts: Iterable[str | None], own: str) -> list[str]:
    """The numbers in canonical form, in the order of the texts, each once, without the record's own.

    Each text is read by itself: what ends one and begins the next is no number.
    """
    given = [text for text in dict.fromkeys(texts) if text]
    hits = trn.find_many(given) if given else []
    found = [hit.canonical for of_text in hits for hit in of_text if hit.kind == "number"]
    return [number for number in dict.fromkeys(found) if number != own]
