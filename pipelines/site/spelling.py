"""One key for every spelling of a number, here and in the browser: what `trn` knows, as a table that JavaScript runs.

Belongs here: the key under which a number is filed, and the translation of `trn`'s patterns. Does not: a rule of its
own about any number. `static/spelling.js` is the other half; a test runs both over all spellings.
"""

import re
import sys
import unicodedata
from collections.abc import Iterator
from functools import cache
from itertools import chain
from typing import Any

from pipelines import queries, trn

BLANK = " \t\n\r\f\v"
_BLANK_CLASS = "".join(f"\\x{ord(c):02x}" for c in BLANK)
_TOKEN = re.compile(r"\(\?-i:([^()]*)\)|\(\?P<(\w+)>|\(\?(?:[:=!]|<[=!])|\\.|\[\^?[^\]]*\]|\(\?|[A-Za-z]")
"""What a pattern is made of, as far as the two languages differ; anything else is the same in both."""
_CONDITION = re.compile(r"\(\?\((\w+)\)([^()|]*)\|([^()|]*)\)")


def key(text: str) -> str:
    """The key of a number as anybody writes it: the canonical registration number, else the bare number of an article,
    else the words themselves; in small letters, with single blanks."""
    hit = trn.canonical(text)
    if hit:
        return hit.canonical.lower()
    return re.sub(_article(), "", re.sub(f"[{BLANK}]+", " ", trn.fold(text)).strip(" ").lower())


@cache
def _article() -> str:
    """The pattern of what people put around an article's number, as the macro `article_number` has it."""
    body = re.search(r"MACRO article_number\(.*?;", queries.macros(), re.DOTALL)
    if body is None:
        raise ValueError("pipelines/sql/macros.sql has no macro article_number, from which the page takes its pattern.")
    *pattern, _, _ = re.findall(r"'([^']*)'", body[0])
    return "".join(pattern)


def table() -> dict[str, Any]:
    """All that `static/spelling.js` needs to find the same key."""
    return {
        "rules": [variant for rule in trn.RULES for variant in _variants(rule)],
        "around": trn.AROUND,
        "blank": BLANK,
        "article": script_pattern(_article(), is_cased=True),
        "spaces": _folding_to(" "),
        "nothing": _folding_to(""),
        "dashes": _folding_to("-"),
    }


def _variants(rule: trn.Rule) -> Iterator[dict[str, Any]]:
    """A rule as JavaScript can run it. Its patterns know no condition on a group, so such a rule becomes two: `given`
    names the group and says whether it takes part."""
    source = rule.number.pattern
    named = {"form": rule.form, "lower": rule.lower}
    condition = _CONDITION.search(source)
    if condition is None:
        yield {**named, "pattern": script_pattern(source)}
        return
    for is_given in (True, False):
        chosen = _CONDITION.sub(lambda found, at=2 if is_given else 3: found[at], source)  # type: ignore[misc]
        yield {**named, "pattern": script_pattern(chosen), "given": [condition[1], is_given]}


def script_pattern(source: str, is_cased: bool = False) -> str:
    """A pattern of Python, ASCII and without regard to case, for JavaScript without flags: the two differ in how groups
    are named, in what counts as white space, and in parts that do regard case."""

    def translated(token: re.Match[str]) -> str:
        piece, cased, name = token[0], token[1], token[2]
        if cased is not None:
            return f"(?:{script_pattern(cased, is_cased=True)})"
        if name:
            return f"(?<{name}>"
        if piece == "(?":
            raise ValueError(f"{source[token.start() :][:9]!r} has no translation for the browser: add one.")
        if piece == r"\s":
            return f"[{_BLANK_CLASS}]"
        if piece[0] == "[":
            return _class(piece[1:-1], is_cased)
        return piece if is_cased or not piece.isalpha() else f"[{piece.lower()}{piece.upper()}]"

    return _TOKEN.sub(translated, source)


def _class(inside: str, is_cased: bool) -> str:
    letters = [] if is_cased else re.findall(r"[A-Za-z]-[A-Za-z]|(?<!\\)[A-Za-z]", inside)
    plain = inside.replace(r"\s", _BLANK_CLASS)
    return f"[{plain}{''.join(letter.swapcase() for letter in letters)}]"


@cache
def _foldings() -> dict[str, set[int]]:
    """The characters beyond ASCII that folding changes into a blank, a dash or nothing."""
    found: dict[str, set[int]] = {" ": set(), "-": set(), "": set()}
    for code in chain(range(0x80, 0xD800), range(0xE000, sys.maxunicode + 1)):
        if unicodedata.category(chr(code)) != "Cn" and (fold := trn.fold(chr(code))) in found:
            found[fold].add(code)
    return found


def _folding_to(fold: str) -> str:
    """The inside of a class of those characters, in ranges."""
    codes = _foldings()[fold]
    starts = sorted(code for code in codes if code - 1 not in codes)
    ends = sorted(code for code in codes if code + 1 not in codes)
    return "".join(f"\\u{{{a:x}}}-\\u{{{b:x}}}" for a, b in zip(starts, ends, strict=True))
