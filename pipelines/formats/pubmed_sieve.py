"""The sieve before the pattern: short sequences of sets of bytes, one of which is in whatever the pattern matches.

Belongs here: how the sequences follow from the same words, openings and marks of which `pubmed_scan` makes its pattern,
and the form in which `pubmed_scan.c` reads them. Does not belong here: any word of its own. Each sequence begins where
a match begins and is cut as soon as it is rare, so the sieve lets through whatever the pattern would hit, and little
else.
"""

import functools
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

LANES, BITS = 8, 64
"""As many sets of bytes as `pubmed_scan.c` keeps in its state: no sequence lies across two lanes."""
Bytes = frozenset[int]
ASCII = frozenset(range(0x80))
BEYOND = frozenset(range(0x80, 0x100))


# --- what a pattern may begin with ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Repeat:
    item: "_Item"
    least: int
    most: int


@dataclass(frozen=True)
class _Choice:
    options: tuple["_Items", ...]


_Item = Bytes | _Repeat | _Choice
_Items = tuple[_Item, ...]

TOKEN = re.compile(r"\(\?:|\{[0-9]+(?:,[0-9]+)?\}|\[(?:\\.|[^\]])*\]|\\.|[|)?]|.", re.DOTALL)
"""The signs of which the openings in `trn` and the marks in `pubmed_scan` are written, a part of RE2's dialect."""


def sequences(pattern: str, room: int, *, ignore_case: bool = False) -> list[tuple[Bytes, ...]]:
    """Sequences with one of which every match of the pattern begins, apart from tags between any two characters.

    room: how many sets they may have in all. The one that is likeliest in an English text is grown first.
    """
    ended: list[tuple[Bytes, ...]] = []
    growing = [_growing((), _parsed(pattern, _any_case if ignore_case else frozenset))]
    room -= 1
    while growing:
        growing.sort(key=lambda one: (_likelihood(one.sequence), [sorted(signs) for signs in one.sequence]))
        one = growing.pop()
        more_ended, more = _longer(one)
        sets = sum(map(len, more_ended)) + sum(len(longer.sequence) for longer in more) - len(one.sequence)
        if not more or sets > room:
            ended.append(one.sequence)
        else:
            room -= sets
            ended += more_ended
            growing += more
    return ended


def _parsed(pattern: str, case: Callable[[Bytes], Bytes]) -> frozenset[_Items]:
    tokens = TOKEN.findall(pattern)
    choice = _choice(tokens, case)
    assert not tokens, f"{pattern} is written in other signs than the sieve can read"
    return frozenset(choice.options)


def _choice(tokens: list[str], case: Callable[[Bytes], Bytes]) -> _Choice:
    """Takes the tokens up to a closing bracket, that included."""
    options: list[list[_Item]] = [[]]
    while tokens:
        token = tokens.pop(0)
        if token == ")":
            break
        if token == "|":
            options.append([])
        elif token == "?":
            options[-1].append(_Repeat(options[-1].pop(), 0, 1))
        elif token[0] == "{":
            least, _, most = token[1:-1].partition(",")
            options[-1].append(_Repeat(options[-1].pop(), int(least), int(most or least)))
        else:
            options[-1].append(_choice(tokens, case) if token == "(?:" else case(_bytes(token)))
    return _Choice(tuple(map(tuple, options)))


@functools.cache
def _bytes(token: str) -> Bytes:
    """The bytes of a sign or a set; one beyond ASCII is whatever its first byte may be."""
    is_one = re.compile(token).fullmatch
    return frozenset(sign for sign in ASCII if is_one(chr(sign))) | (BEYOND if is_one("\xff") else frozenset())


def _any_case(signs: Bytes) -> Bytes:
    return frozenset(signs).union(sign ^ 0x20 for sign in signs if sign < 0x80 and chr(sign).isalpha())


def _steps(items: _Items) -> Iterator[tuple[Bytes, _Items]]:
    """What may come next, and what may come after it."""
    if not items:
        return
    first, rest = items[0], items[1:]
    if isinstance(first, _Choice):
        for option in first.options:
            yield from _steps(option + rest)
    elif isinstance(first, _Repeat):
        if first.most:
            yield from _steps((first.item, _Repeat(first.item, max(0, first.least - 1), first.most - 1), *rest))
        if not first.least:
            yield from _steps(rest)
    else:
        yield first, rest


class _Growing(NamedTuple):
    """A sequence, and what may stand in its last place with what may follow it there."""

    sequence: tuple[Bytes, ...]
    steps: list[tuple[Bytes, _Items]]


def _growing(before: tuple[Bytes, ...], places: Iterable[_Items]) -> _Growing:
    steps = [step for items in places for step in _steps(items)]
    return _Growing((*before, frozenset[int]().union(*(signs for signs, _ in steps))), steps)


def _longer(one: _Growing) -> tuple[list[tuple[Bytes, ...]], list[_Growing]]:
    """The same by one set longer: what ends here, since a match may, or since what follows a character beyond ASCII
    stands behind one, two or three bytes more; and what grows on."""
    *before, last = one.sequence
    ends = (last & BEYOND).union(*(signs for signs, rest in one.steps if not _goes_on(rest)))
    places: dict[frozenset[_Items], set[int]] = {}
    for sign in last - ends:
        places.setdefault(frozenset(rest for signs, rest in one.steps if sign in signs), set()).add(sign)
    ended = [(*before, ends)] if ends else []
    return ended, [_growing((*before, frozenset(signs)), rest) for rest, signs in places.items()]


def _goes_on(items: _Items) -> bool:
    """Whether something must follow."""
    return any(
        isinstance(item, frozenset)
        or (isinstance(item, _Repeat) and item.least > 0)
        or (isinstance(item, _Choice) and all(map(_goes_on, item.options)))
        for item in items
    )


@functools.lru_cache(maxsize=1 << 12)
def _likelihood(sequence: tuple[Bytes, ...]) -> float:
    """How often about it begins at a place of an English text."""
    return functools.reduce(lambda share, signs: share * min(1.0, sum(map(_share, signs))), sequence, 1.0)


def _share(sign: int) -> float:
    character = chr(sign)
    if character.isalpha() and sign < 0x80:
        return 0.06 if character in "acdeilnorst" else 0.03
    return {" ": 0.4, "\n": 0.05}.get(character, (0.08 if character.isdigit() else 0.003) if sign < 0x80 else 0.00005)


# --- the form the fast engine reads ---------------------------------------------------------------------------------


def packed(sieve: Iterable[tuple[Bytes, ...]], characters: Iterable[int]) -> NDArray[np.uint64]:
    """The sieve as `pubmed_scan.c` declares it: where sequences begin, where they end, and the sets by byte; then the
    characters that are enough by themselves."""
    words = np.zeros((2 + 256, LANES), np.uint64)
    room = [BITS] * LANES
    for sequence in sorted(sieve, key=lambda one: (-len(one), [sorted(signs) for signs in one])):
        lane = next((lane for lane in range(LANES) if room[lane] >= len(sequence)), None)
        assert lane is not None, "the sieve has outgrown its lanes: leave less room, or give it more in the C file too"
        first = BITS - room[lane]
        room[lane] -= len(sequence)
        words[0, lane] |= np.uint64(1 << first)
        words[1, lane] |= np.uint64(1 << (first + len(sequence) - 1))
        for bit, signs in enumerate(sequence, first):
            words[[2 + sign for sign in signs], lane] |= np.uint64(1 << bit)
    marks = np.zeros(0x110000 // BITS, np.uint64)
    for character in characters:
        marks[character // BITS] |= np.uint64(1 << character % BITS)
    return np.concatenate([words.ravel(), marks])
