"""How much there is in the world, and in a part of it. Nothing is made here."""

from fractions import Fraction
from typing import NamedTuple


class Counts(NamedTuple):
    """What a world holds.

    studies: of ClinicalTrials.gov. rows: of WHO ICTRP, those of the registers read directly included. protocols:
    country records of the EU Clinical Trials Register. ctis, isrctn: records. files: of PubMed's baseline, of `articles`
    articles each. sponsors: names that registrations draw from.
    """

    studies: int
    rows: int
    protocols: int
    ctis: int
    isrctn: int
    files: int
    articles: int
    sponsors: int


WORLD = Counts(600_000, 1_000_000, 200_000, 13_000, 30_000, 1_300, 25_000, 50_000)
CHANGED = 200
"""One record of so many changes in a night: 0.5 %."""


def of_world(scale: Fraction) -> Counts:
    """The counts of a part of the world. A file of PubMed is as large in a small world as in a large one."""
    part = Counts(*(max(8, round(number * scale)) for number in WORLD))
    return part._replace(files=max(2, round(WORLD.files * scale)), articles=WORLD.articles)


def named(scale: Fraction) -> str:
    return "1" if scale == 1 else f"1/{scale.denominator}" if scale.numerator == 1 else str(scale)
