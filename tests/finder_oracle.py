"""What `trn.find` means, in the standard library's `re`: the oracle of the tests and the peer of `make bench`.

One alternation of all patterns of `trn.RULES`, sought through each text. Patterns, folding and guards are those of
`pipelines/trn.py`; its openings, its prefilter and its dispatch by first letter are not used here, so that a comparison
shows that they lose nothing, and what they gain. Expected numbers of single texts do not belong here.
"""

import re
from collections.abc import Sequence

from pipelines import trn
from pipelines.trn import Hit

SHAPES = [(rule, rule.number, "number") for rule in trn.RULES]
SHAPES += [(rule, rule.malformed, "malformed") for rule in trn.RULES if rule.malformed]
"""In the order in which they are tried: no look-alike where there is a number."""


def _apart(place: int, pattern: str) -> str:
    """The pattern with names of groups that no other one has."""
    return re.sub(
        r"\(\?P<(\w+)>|\(\?\((\w+)\)", lambda m: f"(?P<{m[1]}_{place}>" if m[1] else f"(?({m[2]}_{place})", pattern
    )


_OWN_CASE = "|".join(sorted({rule.own_case for rule in trn.RULES if rule.own_case}))
# The left guard again, as far as ASCII goes: it spares the engine the inside of words, four times as fast.
_ANY = re.compile(
    rf"(?:(?<![0-9A-Za-z])|(?-i:(?<=[a-z])(?={_OWN_CASE})))"
    rf"(?:{'|'.join(_apart(place, pattern.pattern) for place, (_, pattern, _) in enumerate(SHAPES))})",
    re.IGNORECASE | re.ASCII,
)


def find(text: str) -> list[Hit]:
    """All numbers and look-alikes of a text."""
    folded, offsets = trn._fold(text)
    found: list[trn._Match] = []
    place = _ANY.search(folded)
    while place:
        one = _at(folded, place.start())
        found += [one] if one else []
        place = _ANY.search(folded, one.match.end() if one else place.start() + 1)
    sure = [one.match.span() for one in found if one.kind == "number" and not trn._needs(one)]
    return [
        trn._hit(one, text, offsets)
        for one in found
        if not trn._needs(one) or trn._in_company(folded, one.match.span(), trn._needs(one), sure)
    ]


def find_many(texts: Sequence[str]) -> list[list[Hit]]:
    return [find(text) for text in texts]


def _at(folded: str, start: int) -> trn._Match | None:
    """What begins here. That two registers claim it breaks a rule."""
    tries = [trn._Match(rule, match, kind) for rule, shape, kind in SHAPES if (match := shape.match(folded, start))]
    passed = [one for one in tries if trn._guarded(one.rule, one.match)]
    assert len({one.rule.registry for one in passed if one.kind == "number"}) <= 1, "claimed by two registries"
    return passed[0] if passed else None
