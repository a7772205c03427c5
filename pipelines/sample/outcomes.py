"""What the posted results of a trial say of its primary outcome, and whether that is significant.

Belongs here: the statistical analyses of posted results, as registers write them, and the verdict each was made to
have. Does not belong here: the rest of a record (`ctgov.py`). Trials whose outcome was significant are published more
often, as is feared of real ones: the drawing looks at whether the trial has a results article.
"""

from __future__ import annotations

from random import Random
from typing import Any, Final, NamedTuple

_DIFFERENCE: Final = "SUPERIORITY"
_NO_WORSE: Final = "NON_INFERIORITY_OR_EQUIVALENCE"

SIGNIFICANT_IF_PUBLISHED: Final = 0.7
SIGNIFICANT_IF_NOT: Final = 0.4
_CANNOT_TELL: Final = 0.2


class _Analysis(NamedTuple):
    p_value: str | None
    tests: str | None = _DIFFERENCE


class Outcome(NamedTuple):
    """verdict: `significant`, `not_significant` or `unknown`. analyses: as API v2 serves them."""

    verdict: str
    analyses: list[dict[str, Any]]


_ANALYSES: Final[dict[str, tuple[tuple[_Analysis, ...], ...]]] = {
    "significant": (
        (_Analysis("<0.001"),),
        (_Analysis("&lt; 0.0001", "SUPERIORITY_OR_OTHER"),),
        (_Analysis("0.21"), _Analysis("p = .013", "SUPERIORITY_OR_OTHER_LEGACY")),
        (_Analysis("NS"), _Analysis("0.049", "OTHER")),
        (_Analysis("<0.05"), _Analysis("0.2", _NO_WORSE)),
    ),
    "not_significant": (
        (_Analysis("0.34"),),
        (_Analysis(">0.05"), _Analysis("=0.05")),
        (_Analysis("0.62", "SUPERIORITY_OR_OTHER"), _Analysis("<0.001", _NO_WORSE)),
        (_Analysis(None), _Analysis("0,71")),
    ),
    "unknown": (
        (),
        (_Analysis("NS"),),
        (_Analysis("0.03 (one-sided)"), _Analysis("0.4")),
        (_Analysis("<0.10"),),
        (_Analysis("<=0.05"),),
        (_Analysis("<0.001", _NO_WORSE),),
        (_Analysis("0.002", None),),
    ),
}


def outcome(number: str, is_published: bool) -> Outcome:
    """The same for the same trial: the drawing has its own randomness and disturbs no other."""
    drawn = Random(f"primary outcome of {number}").random
    if drawn() < _CANNOT_TELL:
        verdict = "unknown"
    else:
        share = SIGNIFICANT_IF_PUBLISHED if is_published else SIGNIFICANT_IF_NOT
        verdict = "significant" if drawn() < share else "not_significant"
    ways = _ANALYSES[verdict]
    return Outcome(verdict, [_as_served(one) for one in ways[int(drawn() * len(ways))]])


def _as_served(one: _Analysis) -> dict[str, Any]:
    stated = {"nonInferiorityType": one.tests, "pValue": one.p_value}
    return {
        "groupIds": ["OG000", "OG001"],
        **{name: value for name, value in stated.items() if value is not None},
        "statisticalMethod": "ANCOVA",
    }
