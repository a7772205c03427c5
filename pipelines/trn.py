"""Trial registration numbers: find them in free text, canonicalise them, tell placeholders from numbers.

Belongs here: the shapes of the registers' numbers (one table, `RULES`), how a text is folded before it is read, and the
contexts in which an ambiguous shape is accepted. Does not belong here: whether a register has issued a number, which
numbers are one trial (`pipelines/identity`), and where in an article a number stands.

How it works: a text is folded (`_fold`), openings of possible numbers are located with one RE2 pattern, and at each
opening the exact pattern of the register decides. `find_many` runs the same RE2 pattern once over many texts, so that
texts without any opening, nearly all of them, cost no more than that scan.

Source of a rule, where no other is named: the registers' own number formats as checked against the WHO ICTRP export of
16 December 2020, and spellings met in real PubMed records; each pitfall is a row of `tests/unit/test_trn.py`.
"""

import csv
import re
import unicodedata
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import accumulate, pairwise
from typing import Any, Literal, NamedTuple

import re2

from pipelines.settings import SCHEMAS

PATTERN_VERSION = "2"
"""Recorded with every hit that is stored. A change of the table or of the folding that changes any match raises it."""

CONTEXT = 40
"""How far, in characters, a registry word or another number may stand from a number that needs one."""


class Hit(NamedTuple):
    """One registration number, or one look-alike, as found.

    raw: as written in the original text, register prefix and suffix included: `text[start:end]`.
    canonical: the register's own spelling; empty for a look-alike, which has none.
    registry: code as in `schemas/reference/registries.csv`.
    suffix: what is kept apart from the number, in capitals: country record (EudraCT), resubmission (CTIS), `P` for
    provisional (ANZCTR), a trailing letter (REPEC). None if there is none.
    kind: `malformed` marks a look-alike that is refused and recorded as a finding of its own.
    """

    raw: str
    canonical: str
    registry: str
    suffix: str | None
    start: int
    end: int
    kind: Literal["number", "malformed"]


# ---------------------------------------------------------------------------------------------------------------------
# The table of shapes
# ---------------------------------------------------------------------------------------------------------------------

_S = r"[\s:#\-_./,+)]{0,3}"  # the separator between the parts of a number: `(ACTRN): 126...`, `cond=NCT+0336...`
_LINK = rf"{_S}(?:(?:number|no|nr|id|identifier){_S}){{0,2}}"  # and between prefix and digits: `NCT Number: 0384...`
_IN = r"[\s\-/._]{0,3}"  # inside a EudraCT number whose prefix says what it is
_BARE = r"\s?[-/_]\s?"  # the same without a prefix: any 12 digits would match if this could be empty
_SLASH = r"\s{0,2}[/-]\s{0,2}"
_HYPHEN = r"\s?-\s?"
_END = r"(?![0-9])"
_WORD_END = r"(?![0-9a-z])"
_JPRN = rf"(?:JPRN{_S})?"  # the WHO portal's prefix for all Japanese registers
_EU = r"(?:Eudra-?CT|EUCTR|EU[ -]?CT|CTIS)"
_COUNTRY = "AT|BE|BG|CY|CZ|DE|DK|EE|ES|FI|FR|GB|GR|HR|HU|IE|IS|IT|LI|LT|LU|LV|MT|NL|NO|PL|PT|RO|SE|SI|SK"

# The separators as openings have them, in RE2's dialect. They are wider: openings are also sought in texts as written,
# where a separator may be any character that folding turns into one.
_GAP = r"[^0-9A-Za-z]{0,3}"
_GAPS = rf"{_GAP}(?:(?:number|no|nr|id|identifier){_GAP}){{0,2}}"
_MARK = r"[^0-9A-Za-z]{1,3}"

_WORDS = re.compile(
    r"regist(?:er|ry|ries|rat|reer)|trialreg|clinical\s?trials?\.gov|\bictrp\b|\bNTR\b"
    r"|\btrial (?:id|no|nr|number|ident)",
    re.IGNORECASE | re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Rule:
    """The shape of one register's numbers. A register whose numbers have two shapes has two rules.

    prefix: how the register writes it; put before bare digits whose register is known from elsewhere.
    opening: RE2 pattern, cheap and wider than `number` and `malformed`: the beginning of anything they match.
    also_begins: first characters of a number other than that of the prefix.
    number: the exact shape. Named groups fill `form`; the group `suffix` is kept apart.
    malformed: look-alikes, tried where no number matches.
    own_case: the prefix as a text must spell it to follow a lower-case letter (`numberNCT01737476`).
    lower: letters of the number are small in the canonical form (jRCT, ReBEC).
    needs: the company without which a number is noise; given the match, tells `word`, `word or number` or nothing.
    serials: patterns on the canonical form whose group is digits a register counts up; see `is_placeholder`.
    """

    registry: str
    prefix: str
    opening: str
    number: re.Pattern[str]
    form: str
    malformed: re.Pattern[str] | None = None
    also_begins: str = ""
    own_case: str = ""
    lower: bool = False
    needs: Callable[[re.Match[str]], str] | None = None
    serials: tuple[str, ...] = (r"([0-9]+)$",)


def _exact(pattern: str) -> re.Pattern[str]:
    """ASCII: neither a Turkish dotless i nor an Arabic digit is part of a number."""
    return re.compile(pattern, re.IGNORECASE | re.ASCII)


def _plain(
    registry: str,
    prefix: str,
    digits: int,
    *,
    most: int = 0,
    spelt: str = "",
    typos: str = "",
    tail: str = "",
    begins: str = "",
    filler: str = "",
    own_case: str = "",
    serials: tuple[str, ...] = (r"([0-9]+)$",),
) -> Rule:
    """A register that writes its prefix and a fixed count of digits (`digits` to `most`, beginning with `begins`).

    A wrong count is a look-alike if four digits or more follow the prefix at once, or at most two are missing: so
    `NCT-503`, a compound, is neither a number nor a finding. `typos` are wrong prefixes: findings, never numbers.
    `filler` may stand before the digits and is no part of the number.
    """
    spelt = spelt or prefix
    count = rf"{begins}[0-9]{{{digits - len(begins)},{(most or digits) - len(begins)}}}"
    wrong = rf"{spelt}(?:[0-9]{{4,}}|{_LINK}[0-9]{{{max(4, digits - 2)},}}){_END}"
    if typos:
        wrong += rf"|(?:{typos}){_LINK}[0-9]{{{digits}}}{_END}"
    opening = spelt.replace(_S, _GAP).replace("[ -]?", "[^0-9A-Za-z]?")
    return Rule(
        registry=registry,
        prefix=prefix,
        opening=rf"(?:{opening}|{typos}){_GAPS}[0-9]{{4}}" if typos else rf"{opening}{_GAPS}[0-9]{{4}}",
        number=_exact(rf"{spelt}{_LINK}{filler}(?P<n>{count}){_END}{tail}"),
        form=prefix + "{n}",
        malformed=_exact(wrong),
        own_case=own_case,
        serials=serials,
    )


def _ntr_needs(match: re.Match[str]) -> str:
    """`NTR 3912` needs company, and so does `NTR1`, which is far more often the neurotensin receptor."""
    return "word or number" if match["gap"] or len(match["n"]) < 3 else ""


_EUROPEAN = (
    rf"(?:(?P<prefix>{_EU}{_LINK})|(?<![0-9][-._]))(?P<y>20[0-9]{{2}})(?(prefix){_IN}|{_BARE})"
    rf"(?P<n>%s[0-9]{{5}})(?(prefix){_IN}|{_BARE})(?P<c>[0-9]{{2}}){_END}"
)
_EUROPEAN_OPENING = (
    rf"(?:eudra[^0-9A-Za-z]?ct|euctr|eu[^0-9A-Za-z]?ct|ctis){_GAPS}20[0-9]{{2}}"
    rf"|20[0-9]{{2}}{_MARK}[05][0-9]{{5}}{_MARK}[0-9]{{2}}"
)
_EUROPEAN_SERIALS = (r"-[05]([0-9]{5})-", r"-[05]([0-9]{5}-[0-9]{2})$")

RULES: tuple[Rule, ...] = (
    _plain("nct", "NCT", 8, own_case="NCT"),
    _plain("isrctn", "ISRCTN", 8, own_case="ISRCTN", typos="ISCRTN|ISRTCN|IRSCTN|ISRCNT"),
    Rule(
        "euctr",
        "EUCTR",
        _EUROPEAN_OPENING,
        # Country records: -GB, /DE, -3rd; the WHO portal writes -Outside-EU/EEA for the last.
        _exact(_EUROPEAN % 0 + rf"(?:[-/](?P<suffix>3rd|Outside-EU/EEA|(?-i:{_COUNTRY})){_WORD_END})?"),
        "{y}-{n}-{c}",
        _exact(rf"(?:Eudra-?CT|EUCTR){_LINK}20[0-9]{{2}}{_IN}[0-9]{{3,8}}{_IN}[0-9]{{1,3}}{_END}"),
        also_begins="c2",
        serials=_EUROPEAN_SERIALS,
    ),
    Rule(
        "ctis",
        "CTIS",
        _EUROPEAN_OPENING,
        # The resubmission number changes and authors drop it: it is no part of the canonical form.
        _exact(_EUROPEAN % 5 + rf"(?:-(?P<suffix>[0-9]{{2}}){_END})?"),
        "{y}-{n}-{c}",
        _exact(rf"(?:EU[ -]?CT|CTIS){_LINK}20[0-9]{{2}}{_IN}[0-9]{{3,8}}{_IN}[0-9]{{1,3}}{_END}"),
        also_begins="e2",
        serials=_EUROPEAN_SERIALS,
    ),
    _plain("drks", "DRKS", 8, own_case="DRKS"),
    _plain(
        "anzctr",
        "ACTRN",
        14,
        spelt="(?:ACTRN|ANZCTR)",
        begins="126",
        filler="0?",  # early numbers were printed so: ACTRN012605000079695
        own_case="ACTRN",
        tail=rf"(?:(?P<suffix>[pn]){_WORD_END})?",
        serials=(r"126[0-9]{2}([0-9]{9})$",),
    ),
    _plain("chictr", "ChiCTR", 10, own_case="ChiCTR", serials=(r"([0-9]+)$", r"([0-9]{8})$")),
    Rule(
        "chictr",
        "ChiCTR-",
        rf"chictr{_GAP}[a-z]{{3,5}}{_GAP}[0-9]{{4}}",
        # Old numbers carry the kind of study, which is part of the number: -TRC-, -OPh-, and a few of 4 or 5 letters.
        _exact(rf"ChiCTR{_S}(?P<t>(?-i:[A-Z]{{2,4}}[A-Za-z])|(?<=-)[a-z]{{3}}(?=-)){_S}(?P<n>[0-9]{{8}}){_END}"),
        "ChiCTR-{t}-{n}",
        _exact(rf"ChiCTR-?(?-i:[A-Z]{{2,4}}[A-Za-z])-?[0-9]{{6,}}{_END}"),
        own_case="ChiCTR",
    ),
    Rule(
        "ctri",
        "CTRI/",
        rf"ctri{_GAPS}20[0-9]{{2}}",
        # The middle part has 3 digits in old numbers; typesetters put a thousands comma into the last.
        _exact(
            rf"CTRI{_LINK}(?P<y>20[0-9]{{2}}){_SLASH}(?P<m>[0-9]{{2,3}}){_SLASH}(?P<n>[0-9]{{3}},?[0-9]{{3}}){_END}"
        ),
        "CTRI/{y}/{m}/{n}",
        _exact(rf"CTRI{_LINK}20[0-9]{{2}}{_SLASH}[0-9]{{1,3}}{_SLASH}[0-9]{{3,8}}{_END}"),
        serials=(r"/([0-9]{6})$",),
    ),
    Rule(
        "jrct",
        "jRCT",
        rf"(?:jprn{_GAP})?jrct{_GAPS}(?:[a-z]{_GAP})?[0-9]{{4}}",
        _exact(rf"{_JPRN}jRCT{_LINK}(?P<t>[a-z][\s-]?|[0-9])(?P<n>[0-9]{{9}}){_END}"),
        "jRCT{t}{n}",
        _exact(rf"jRCT(?:[a-z]?[0-9]{{4,}}|{_LINK}[a-z]?[0-9]{{7,}}){_END}"),
        lower=True,
    ),
    Rule(
        "umin",
        "UMIN",
        rf"(?:jprn{_GAP})?(?:umin(?:[^0-9A-Za-z]?ctr)?{_GAPS}c?[0-9]{{4}}|c0000[0-9]{{5}})",
        # Older papers write C000000369, the WHO portal JPRN-C000000369. C0006... are MeSH identifiers, ZINC000... fails
        # the left guard.
        _exact(rf"(?:{_JPRN}UMIN(?:[\s-]?CTR)?{_LINK}C?|(?:JPRN{_S})?(?-i:C)(?=0000))(?P<n>[0-9]{{9}}){_END}"),
        "UMIN{n}",
        _exact(rf"UMIN(?:[\s-]?CTR)?(?:[0-9]{{4,}}|{_LINK}[0-9]{{7,}}){_END}"),
        also_begins="jc",
    ),
    _plain("japic", "JapicCTI-", 6, spelt=rf"(?:JPRN{_S})?Japic[ -]?CTI"),
    _plain("jmacct", "JMA-IIA", 5, spelt=rf"(?:JPRN{_S})?JMA[ -]?IIA"),
    Rule(
        "irct",
        "IRCT",
        rf"irct{_GAPS}[0-9]{{4}}",
        # The digits before N are the registrant, those after N tell his trials apart: all are needed.
        _exact(rf"IRCT{_LINK}(?P<y>[0-9]{{4}})-?(?P<n>[0-9]{{8,10}})\s?N\s?(?P<t>[0-9]{{1,3}}){_END}"),
        "IRCT{y}{n}N{t}",
        _exact(rf"IRCT(?:[0-9]{{4,}}|{_LINK}[0-9]{{8,}})(?:\s?N(?:\s?[0-9]+)?{_WORD_END})?{_END}"),
        serials=(r"IRCT([0-9]+)N", r"N([0-9]+)$"),
    ),
    _plain("cris", "KCT", 7),
    _plain("pactr", "PACTR", 15, most=16, serials=(r"([0-9]+)$", r"PACTR[0-9]{6}([0-9]+)$")),
    Rule(
        "rebec",
        "RBR-",
        rf"rbr{_MARK}[0-9][0-9a-z]{{5}}",
        # Seven characters since late 2020. A letter behind would be cut off: it is not a number then.
        _exact(rf"RBR\s?-\s?(?P<n>[0-9][0-9a-z]{{5,6}}){_WORD_END}"),
        "RBR-{n}",
        lower=True,
        serials=(r"RBR-([0-9]+)$",),
    ),
    _plain("rpcec", "RPCEC", 8),
    Rule(
        "slctr",
        "SLCTR/",
        rf"slctr{_GAPS}20[0-9]{{2}}",
        _exact(rf"SLCTR{_LINK}(?P<y>20[0-9]{{2}}){_SLASH}(?P<n>[0-9]{{3}}){_END}"),
        "SLCTR/{y}/{n}",
        _exact(rf"SLCTR{_LINK}20[0-9]{{2}}{_SLASH}[0-9]{{1,6}}{_END}"),
        serials=(r"/([0-9]{3})$",),
    ),
    _plain("tctr", "TCTR", 11, serials=(r"([0-9]+)$", r"([0-9]{3})$")),
    _plain("lbctr", "LBCTR", 10),
    Rule(
        "repec",
        "PER-",
        r"per(?:-|[^\x00-\x7f])[0-9]{3}(?:-|[^\x00-\x7f])[0-9]{2}",
        # Both hyphens, else "per 100,00" matches.
        _exact(rf"PER-(?P<n>[0-9]{{3}})-(?P<y>[0-9]{{2}}){_END}(?:(?P<suffix>[a-z]){_WORD_END})?"),
        "PER-{n}-{y}",
        serials=(r"PER-([0-9]{3})-",),
    ),
    Rule(
        "ntr",
        "NTR",
        rf"ntr{_GAP}[0-9]",
        # No comma and no full stop: "registered in the NTR. 120 patients" is not NTR120.
        _exact(rf"NTR(?:(?P<gap>[\s:#\-_/)]{{1,3}})(?=[0-9]{{3}}))?(?P<n>[0-9]{{1,5}}){_WORD_END}"),
        "NTR{n}",
        _exact(rf"NTR[0-9]{{6,}}{_END}"),
        needs=_ntr_needs,
    ),
    Rule(
        "nl",
        "NL",
        r"nl[0-9]{4}",
        # NL26560.042.09 and its like are dossiers of the ethics committee.
        _exact(rf"NL(?P<n>[0-9]{{4}}){_WORD_END}(?!\.[0-9]{{3}}\.[0-9]{{2}})"),
        "NL{n}",
        needs=lambda match: "word",
    ),
    Rule(
        "omon",
        "NL-OMON",
        rf"nl{_GAP}omon{_GAPS}[0-9]",
        _exact(rf"NL[\s-]?OMON{_LINK}(?P<n>[0-9]{{1,6}}){_END}"),
        "NL-OMON{n}",
    ),
    _plain("itmctr", "ITMCTR", 10),
    _plain("itmctr", "ChiMCTR", 10),  # the register's earlier prefix
    Rule(
        "utn",
        "U",
        rf"u(?:1111|0000){_GAP}[0-9]",
        _exact(rf"U(?P<u>1111|0000(?={_HYPHEN}0000)){_HYPHEN}(?P<n>[0-9]{{4}}){_HYPHEN}(?P<m>[0-9]{{4}}){_END}"),
        "U{u}-{n}-{m}",
        _exact(rf"U1111{_HYPHEN}[0-9]{{2,6}}{_HYPHEN}[0-9]{{2,6}}{_END}"),
        serials=(r"U[0-9]{4}-([0-9]{4}-[0-9]{4})$",),
    ),
)

OPENINGS = "|".join(dict.fromkeys(rule.opening for rule in RULES))
"""RE2 pattern of the beginning of whatever any rule matches, in a text of any case; for readers that scan raw bytes."""
_ANY_OPENING = f"(?i:{OPENINGS})"
_OPENINGS = re2.compile(_ANY_OPENING)


def _by_first() -> dict[str, tuple[Rule, ...]]:
    """The rules to try at an opening, by its first character."""
    firsts = sorted({first for rule in RULES for first in rule.prefix[0].lower() + rule.also_begins})
    return {
        first: tuple(rule for rule in RULES if first in rule.prefix[0].lower() + rule.also_begins) for first in firsts
    }


_BY_FIRST = _by_first()

# ---------------------------------------------------------------------------------------------------------------------
# Folding
# ---------------------------------------------------------------------------------------------------------------------

_DASHES = frozenset("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d")
_ZERO_WIDTH = frozenset(
    "\u00ad\u034f\u061c\u180e\ufeff"  # soft hyphen, grapheme joiner, Arabic and Mongolian marks, byte-order mark
    + "".join(
        map(chr, [*range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2070), *range(0xFE00, 0xFE10)])
    )
)
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")
_FOOTNOTES = ("<super>", "<sub>", "<circle>")

# The blocks that hold every character beyond ASCII which folding deletes or turns into an ASCII letter or digit: a text
# with one of them is read in full, since the bytes as they stand do not show its openings. A test holds this complete.
FOLDING = (
    r"[\x{AD}\x{BC}-\x{BE}\x{132}\x{133}\x{13F}\x{140}\x{149}\x{17F}\x{1C4}-\x{1CC}\x{1F1}-\x{1F3}"
    r"\x{34F}\x{61C}\x{180E}\x{1E9A}\x{200B}-\x{200F}\x{202A}-\x{202E}\x{2060}-\x{206F}\x{20A8}"
    r"\x{2100}-\x{211F}\x{2121}\x{2124}-\x{218F}\x{2474}-\x{24B5}\x{3250}-\x{33FF}\x{FB00}-\x{FB06}"
    r"\x{FE00}-\x{FE0F}\x{FEFF}\x{FF10}-\x{FF19}\x{FF21}-\x{FF3A}\x{FF41}-\x{FF5A}"
    r"\x{1CCD6}-\x{1CCF9}\x{1D400}-\x{1D7FF}\x{1F100}-\x{1F1FF}\x{1FBF0}-\x{1FBF9}]"
)
_PREFILTER = re2.compile(f"{FOLDING}|{_ANY_OPENING}")


@lru_cache(maxsize=4096)
def _fold_character(character: str) -> str:
    """One character as the patterns read it.

    Superscripts, subscripts and circled figures become a space before NFKC, else a footnote becomes a digit of the
    number. The soft hyphen is deleted like the zero-width characters: it stands inside numbers broken at a line's end.
    """
    if unicodedata.decomposition(character).startswith(_FOOTNOTES):
        return " "
    if character in _ZERO_WIDTH:
        return ""
    folded = unicodedata.normalize("NFKC", character)
    return "".join("-" if part in _DASHES else " " if part.isspace() else part for part in folded)


def fold(text: str) -> str:
    """The text as the patterns read it."""
    return _folded(text)[0]


def _fold(text: str) -> tuple[str, Sequence[int]]:
    """The text as the patterns read it, and for each of its characters the offset in the original text."""
    folded, is_even = _folded(text)
    return folded, range(len(text)) if is_even else _offsets(text)


def _folded(text: str) -> tuple[str, bool]:
    """The text as the patterns read it, and whether each character is still one."""
    if text.isascii():
        return text, True
    folds = {character: _fold_character(character) for character in set(_NOT_ASCII.findall(text))}
    folded = _NOT_ASCII.sub(lambda match: folds[match.group()], text)
    return folded, all(len(fold) == 1 for fold in folds.values())


def _offsets(text: str) -> list[int]:
    return [at for at, character in enumerate(text) for _ in _fold_character(character)]


# ---------------------------------------------------------------------------------------------------------------------
# Finding
# ---------------------------------------------------------------------------------------------------------------------


class _Match(NamedTuple):
    """A match in a folded text."""

    rule: Rule
    match: re.Match[str]
    kind: Literal["number", "malformed"]


def find(text: str) -> list[Hit]:
    """All registration numbers and refused look-alikes of a free text, in order, without overlap."""
    # Plain text is read as it stands: what the filter would look for is then looked for once.
    return _read(text) if text.isascii() or _PREFILTER.search(text.encode("utf-8", "replace")) else []


def find_many(texts: Sequence[str]) -> list[list[Hit]]:
    """`find` of each text, in one scan over all of them: give it some megabytes at a time."""
    pieces = [text.encode("utf-8", "replace") for text in texts]
    hits: list[list[Hit]] = [[] for _ in pieces]
    for place in places(b"\n".join(pieces), list(accumulate(len(piece) + 1 for piece in pieces))):
        hits[place] = _read(texts[place])
    return hits


def places(buffer: bytes | memoryview, nexts: Sequence[int], pattern: Any = _PREFILTER) -> Iterator[int]:
    """The texts of the buffer in which the pattern finds anything, by their places: one scan, since a call for each
    costs more. The pattern given is that of `find`, by which it finds all that `find` does, and few others.

    buffer: texts in UTF-8, one behind the other. nexts: where each next one begins.
    """
    hit = pattern.search(buffer) if nexts else None
    while hit:
        place = bisect_right(nexts, hit.start())
        yield place
        hit = pattern.search(buffer, nexts[place])


def _read(text: str) -> list[Hit]:
    folded, is_even = _folded(text)
    matches = list(_matches(folded))
    if not matches:  # most texts that are read for a folded character have none
        return []
    offsets = range(len(text)) if is_even else _offsets(text)
    sure = [found.match.span() for found in matches if found.kind == "number" and not _needs(found)]
    return [
        _hit(found, text, offsets)
        for found in matches
        if not _needs(found) or _in_company(folded, found.match.span(), _needs(found), sure)
    ]


def _matches(folded: str) -> Iterator[_Match]:
    # One byte a character, so that offsets in the bytes are offsets in the text. No pattern has other than ASCII.
    shadow = folded.encode("ascii", "replace")
    opening = _OPENINGS.search(shadow)
    while opening:
        at = opening.start()
        if found := _match_at(folded, at):
            yield found
            at = found.match.end()
        else:
            at += 1
        opening = _OPENINGS.search(shadow, at)


def _match_at(folded: str, at: int) -> _Match | None:
    """The number that begins here, else the look-alike, else nothing."""
    rules = _BY_FIRST.get(folded[at].lower(), ())
    for rule in rules:
        match = rule.number.match(folded, at)
        if match and _guarded(rule, match):
            return _Match(rule, match, "number")
    for rule in rules:
        match = rule.malformed and rule.malformed.match(folded, at)
        if match and _guarded(rule, match):
            return _Match(rule, match, "malformed")
    return None


def _guarded(rule: Rule, match: re.Match[str]) -> bool:
    """No letter or digit before, no digit after.

    A letter without capitals (Chinese, Japanese, Korean, Arabic) is no obstacle: such texts put no space before a
    number. Nor is a small letter, where the prefix is spelt as its register spells it (`ClinicalTrials.govNCT0342...`).
    """
    folded, start, end = match.string, match.start(), match.end()
    if end < len(folded) and (folded[end].isdigit() or unicodedata.combining(folded[end])):
        return False
    before = next((c for c in reversed(folded[max(0, start - 8) : start]) if not unicodedata.combining(c)), " ")
    if before.isdigit():
        return False
    if before.lower() == before.upper():
        return True
    return bool(rule.own_case) and before.islower() and folded.startswith(rule.own_case, start)


def _needs(found: _Match) -> str:
    """What must stand near for the match to count."""
    return found.rule.needs(found.match) if found.rule.needs and found.kind == "number" else ""


def _in_company(folded: str, span: tuple[int, int], needs: str, numbers: Sequence[tuple[int, int]]) -> bool:
    """Whether a registry word, or another number where that is enough, stands within `CONTEXT` characters."""
    start, end = span
    if _WORDS.search(folded[max(0, start - CONTEXT) : start]) or _WORDS.search(folded[end : end + CONTEXT]):
        return True
    return needs == "word or number" and any(
        other_start - end <= CONTEXT and start - other_end <= CONTEXT for other_start, other_end in numbers
    )


def _hit(found: _Match, text: str, offsets: Sequence[int]) -> Hit:
    start, end = offsets[found.match.start()], offsets[found.match.end() - 1] + 1
    canonical, suffix = _form(found.rule, found.match) if found.kind == "number" else ("", None)
    return Hit(text[start:end], canonical, found.rule.registry, suffix, start, end, found.kind)


def _form(rule: Rule, match: re.Match[str]) -> tuple[str, str | None]:
    """The canonical form and the suffix of a number."""
    parts = {name: re.sub("[^0-9A-Za-z]", "", part or "") for name, part in match.groupdict().items()}
    cased = {name: part.lower() if rule.lower else part.upper() for name, part in parts.items()}
    suffix = cased.pop("suffix", "")
    return rule.form.format(**cased), {"OUTSIDEEUEEA": "3RD", "": None}.get(suffix, suffix)


# ---------------------------------------------------------------------------------------------------------------------
# Whole strings
# ---------------------------------------------------------------------------------------------------------------------

AROUND = " \t\r\n.,;:()[]{}<>\"'"


def canonical(text: str, registry: str | None = None) -> Hit | None:
    """The number that the whole string is, whatever its spelling; white space and brackets around it are trimmed.

    registry: the register known from elsewhere (a field's declared type). It completes bare digits (`22488978`,
    `S00004558`); a string that says its own register keeps it. Words near by are not asked for: the string is a number.
    """
    folded, offsets = _fold(text)
    trimmed = folded.strip(AROUND)
    if not trimmed:
        return None
    first = folded.index(trimmed)
    start, end = offsets[first], offsets[first + len(trimmed) - 1] + 1
    # In capitals too: a lower-case country is read here, while in running text "-is" and "-no" are words.
    capitals = (trimmed.upper(),) if trimmed.isascii() else ()
    for spelling in (trimmed, *capitals, *(_completed(trimmed, registry) if registry else ())):
        for rule in _BY_FIRST.get(spelling[0].lower(), ()):
            if match := rule.number.fullmatch(spelling):
                return Hit(text[start:end], *_named(rule, match), start, end, "number")
    return None


def _named(rule: Rule, match: re.Match[str]) -> tuple[str, str, str | None]:
    number, suffix = _form(rule, match)
    return number, rule.registry, suffix


def _completed(bare: str, registry: str) -> Iterator[str]:
    """Bare digits with the prefixes of the register; a prefix that lost its beginning (`S00004558`) is made whole."""
    letters = re.match("[A-Za-z]*", bare)
    head = letters.group() if letters else ""
    for rule in RULES:
        if rule.registry == registry:
            yield rule.prefix + bare
            if head and re.sub("[^A-Za-z]", "", rule.prefix).lower().endswith(head.lower()):
                yield rule.prefix + bare[len(head) :]


def in_data_bank(name: str, accession: str) -> list[Hit]:
    """The numbers of an entry of a PubMed data bank, each once; none for a bank that is no trial register.

    Eight bare digits take the prefix of the bank's name (`00003934` under DRKS). An entry may hold several numbers, or
    one among other words. One that holds none in a register's bank is a look-alike: a finding.
    """
    codes = _data_banks().get(_bank_key(name))
    if not codes or not accession.strip():
        return []
    # JPRN is four registers: nine digits there are UMIN's or jRCT's with its letter lost, so nothing is completed.
    whole = canonical(accession, codes[0] if len(codes) == 1 else None)
    if whole:
        return [whole]
    numbers: dict[str, Hit] = {}
    for hit in find(accession):
        if hit.kind == "number":
            numbers.setdefault(hit.canonical, hit)
    if numbers:
        return list(numbers.values())
    start = len(accession) - len(accession.lstrip())
    raw = accession.strip()
    return [Hit(raw, "", codes[0], None, start, start + len(raw), "malformed")]


def bank_keys() -> tuple[str, ...]:
    """The names of the data banks that are registers, in small letters and figures alone (`uminctr`)."""
    return tuple(_data_banks())


def _bank_key(name: str) -> str:
    """`UMIN CTR` and `UMIN-CTR` are one bank."""
    return re.sub("[^0-9a-z]", "", name.lower())


@cache
def _data_banks() -> dict[str, tuple[str, ...]]:
    """The codes of the registers behind each bank's name."""
    banks: dict[str, tuple[str, ...]] = {}
    with (SCHEMAS / "reference" / "registries.csv").open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            for name in filter(None, row["data_banks"].split("|")):
                banks[_bank_key(name)] = (*banks.get(_bank_key(name), ()), row["code"])
    return banks


def is_placeholder(canonical: str) -> bool:
    """Whether a number in canonical form is filler: all digits equal, a run such as 12345678, or a zero serial.

    Such numbers merge strangers where they count as links (rules of identity). A run that begins with 0 is none:
    NCT01234567 is a real registration, and so are numbers like DRKS00012345. Short serials (NTR1234, CTRI/2018/02/...)
    are filler only when zero.
    """
    for rule in _BY_FIRST.get(canonical[:1].lower(), ()):
        if rule.number.fullmatch(canonical):
            serials = (match.group(1) for pattern in rule.serials if (match := re.search(pattern, canonical)))
            return any(_is_filler(serial.replace("-", "")) for serial in serials)
    return False


def _is_filler(serial: str) -> bool:
    if not serial.strip("0"):
        return True
    steps = {(int(after) - int(before)) % 10 for before, after in pairwise(serial)}
    return len(serial) >= 6 and (steps == {0} or (steps in ({1}, {9}) and serial[0] != "0"))
