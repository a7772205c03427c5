"""PubMed XML as bytes: which articles of a file can be wanted, told without parsing the others.

Belongs here: the regular form of a file, by which articles are cut out of its bytes, and the one pattern that finds
whatever may be a reason to keep an article. Does not belong here: what an article says (`pubmed_articles`), and what is
done with a file or an article that is not regular (`sources/pubmed`).

Nothing is decided here that the parse would decide otherwise. The pattern is wider than the reasons to keep: a false
hit costs a parse, and a hit is only ever a candidate. An article is passed by only where its bytes are of the regular
form; any other is a candidate too, and what cannot even be cut into articles is left to the parse.
"""

import functools
import re
from collections.abc import Iterator
from itertools import accumulate
from typing import Any, BinaryIO, NamedTuple

import numpy as np
import pyarrow as pa
import re2
import stringzilla
from numpy.typing import NDArray

from pipelines import trn
from pipelines.contracts import contracts
from pipelines.formats import pubmed_articles, pubmed_sieve
from pipelines.formats import pubmed_native as native

BLOCK = 1 << 17
"""Bytes that numpy is asked about at a time: what it answers stays in the processor's cache."""
LARGEST = 8 << 20
"""Bytes of an article above which it is left to the parse, which has limits of its own."""


class IrregularError(Exception):
    """The bytes do not prove what was read from them: the payload has to be parsed as a whole."""


class Cut(NamedTuple):
    """Consecutive articles cut out of a buffer.

    ends: where each ends, its closing tag included; it begins where the one before ends.
    pmids, versions: of each; 0 where only the parse can tell.
    hits: the places of those that may be wanted. irregular: the places of those of another form.
    """

    ends: NDArray[np.int64]
    pmids: NDArray[np.int64]
    versions: NDArray[np.int64]
    hits: list[int]
    irregular: list[int]


class Sifted(NamedTuple):
    """Consecutive articles in the order of the file: as `Cut`, and with the bytes of the candidates, which are regular
    ones without their authors and references."""

    pmids: NDArray[np.int64]
    versions: NDArray[np.int64]
    candidates: dict[int, bytes]


# --- the regular form -----------------------------------------------------------------------------------------------

_PROLOG = re.compile(
    rb"""\s*(?:<\?xml\ version="1\.0"(?:\ encoding="[Uu][Tt][Ff]-8")?\s*\?>)?
    \s*(?:<!DOCTYPE\ PubmedArticleSet\s[^\[\]<>]*>)?
    \s*<PubmedArticleSet>""",
    re.VERBOSE,
)
_OPENS, _CLOSES = b"<PubmedArticle>", b"</PubmedArticle>"
_HEAD = re.compile(
    rb"""[ \t\r\n]*<PubmedArticle>
    \s*<MedlineCitation(?:\ (?:Status|Owner|IndexingMethod|VersionID|VersionDate)="[^"<>&]*")*>
    \s*<PMID\ Version="([1-9][0-9]{0,3})">([1-9][0-9]{0,9})</PMID>""",
    re.VERBOSE,
)


def after_prolog(start: bytes) -> int:
    """Where the articles of a set begin. Raises IrregularError where the beginning is another one."""
    prolog = _PROLOG.match(start)
    if not prolog:
        raise IrregularError
    return prolog.end()


# --- what may be wanted ---------------------------------------------------------------------------------------------

_TAGS = "(?:<[^>]*>)*"
_MARKS = (
    # Character references and entities other than XML's own five: they may be a part of anything.
    r"&(?:[^aglq]|a[^mp]|am[^p]|amp[^;]|ap[^o]|apo[^s]|apos[^;]"
    r"|g[^t]|gt[^;]|l[^t]|lt[^;]|q[^u]|qu[^o]|quo[^t]|quot[^;])"
    # Comments, CDATA, processing instructions, namespaces, authors elsewhere, and what is no XML.
    r"|</?[^/A-Za-z]|xmlns|</Article>|\]\]>|[\x00-\x08\x0b-\x1f]"
)
_NO_XML = "\ufffe\uffff"
# Names of types and banks are compared after folding: beyond plain text the parse has to do it.
_ODD_NAME = r"<(?:PublicationType|DataBankName)(?:\s[^<>]*)?>[^<]*(?:[^\x00-\x7f]|&|<[^/])"


def _types() -> list[pubmed_articles.PublicationType]:
    return [t for t in pubmed_articles.publication_types().values() if t.is_trial or t.is_notice]


def _signs() -> str:
    """Numbers of publication types and kinds of links, which are values of attributes."""
    words = (*sorted({type_.ui for type_ in _types()}), *contracts().sources["pubmed"].words["notice"])
    return f"[\"'](?:{'|'.join(words)})[\"']"


@functools.cache
def _pattern() -> Any:
    """All reasons to keep an article, and all that is not regular, as one pattern over raw bytes."""
    labels = "|".join(sorted({r"\s+".join(map(re.escape, t.label.split())) for t in _types()}))
    banks = "|".join("[^0-9A-Za-z<]*".join(key) for key in trn.bank_keys())
    options = re2.Options()
    options.max_mem = 64 << 20
    return re2.compile(
        rf"(?i:{in_markup(trn.OPENINGS)})|{trn.FOLDING}|{_signs()}"
        rf"|(?i:<PublicationType(?:\s[^<>]*)?>\s*(?:{labels})\s*<)"
        rf"|(?i:<DataBankName(?:\s[^<>]*)?>[^0-9A-Za-z<]*(?:{banks})[^0-9A-Za-z<]*<)"
        rf"|{_MARKS}|[{_NO_XML}]|{_ODD_NAME}",
        options,
    )


@functools.cache
def _sieve() -> NDArray[np.uint64]:
    """What the fast engine asks before the pattern: wider than it, piece by piece.

    Labels are sought from the end of their tag on, to their first space; a name of a type that does not begin there, or
    is not plain text, the engine lets through by itself, and every name of a bank.
    """
    folding = re.findall(r"\\x\{(\w+)\}(?:-\\x\{(\w+)\})?", trn.FOLDING)
    characters = {c for first, last in folding for c in range(int(first, 16), int(last or first, 16) + 1)}
    words = "|".join(sorted({re.escape(type_.label.split()[0]) for type_ in _types()}))
    return pubmed_sieve.packed(
        [
            *pubmed_sieve.sequences(trn.OPENINGS, 295, ignore_case=True),
            *pubmed_sieve.sequences(_signs(), 136),
            *pubmed_sieve.sequences(rf">(?:{words})[\s<]", 50, ignore_case=True),
            *pubmed_sieve.sequences("<DataBankName", 13, ignore_case=True),
            *pubmed_sieve.sequences("xmlns", 5),
        ],
        characters.union(map(ord, _NO_XML)),
    )


def in_markup(openings: str) -> str:
    """A pattern of openings as they stand in XML: with tags between any two characters, and with the end of an
    attribute's value where a separator may be, since a label is read as one text with what it labels."""
    tokens = re.findall(r"\(\?:|\{[0-9,]*\}|\[[^\]]*\]|[|)?]|.", openings)
    gap = r"""(?:[^0-9A-Za-z]|["'][^<>]*>)"""
    return "".join(
        token if token in {"(?:", "|", ")", "?"} or token.startswith("{")
        else f"(?:{gap if token == '[^0-9A-Za-z]' else token}{_TAGS})"
        for token in tokens
    )  # fmt: skip


# --- sifting --------------------------------------------------------------------------------------------------------


def sift(begin: bytes, more: BinaryIO, piece: int, cited: frozenset[int]) -> Iterator[Sifted | bytes]:
    """The articles of a set from behind its prolog on; last, what no article begins any more, whose continuation is
    left in `more`.

    begin, more: the set, what is unpacked already and what is not. piece: how many bytes are unpacked and scanned at a
    time. cited: PMIDs of articles that are candidates in any case. Raises IrregularError where the bytes cannot be cut
    into articles beyond doubt.
    """
    cut = _cut if native.ENGINE is None else functools.partial(_cut_fast, native.ENGINE)
    buffer = np.frombuffer(begin, np.uint8)
    filled, got = len(begin), 1
    while got:
        text = buffer[:filled]
        found = cut(text)
        end = int(found.ends[-1]) if len(found.ends) else 0
        if end:
            yield _sifted(text, found, cited)
        rest = text[end:]
        if len(rest) > LARGEST or not _OPENS.startswith(rest[:1000].tobytes().lstrip()[: len(_OPENS)]):
            break
        buffer = _room(buffer, rest, piece)
        got = more.readinto(buffer[len(rest) : len(rest) + piece].data)  # type: ignore[attr-defined]
        filled = len(rest) + got
    yield rest.tobytes()


def _room(buffer: NDArray[np.uint8], rest: NDArray[np.uint8], piece: int) -> NDArray[np.uint8]:
    """A buffer that begins with the rest and has room for a piece behind it: the same one wherever it can be, since
    unpacking into bytes that were used before is what makes it fast."""
    if not buffer.flags.writeable or len(buffer) < len(rest) + piece:
        buffer = np.empty(2 * (len(rest) + piece), np.uint8)
    buffer[: len(rest)] = rest
    return buffer


def _sifted(text: NDArray[np.uint8], found: Cut, cited: frozenset[int]) -> Sifted:
    wanted = {*found.hits, *found.irregular}
    if cited:
        wanted.update(place for place, pmid in enumerate(found.pmids.tolist()) if pmid in cited)
    bounds = [0, *found.ends.tolist()]
    candidates = {place: text[bounds[place] : bounds[place + 1]].tobytes() for place in sorted(wanted)}
    candidates |= {place: _shortened(candidates[place]) for place in wanted.difference(found.irregular)}
    return Sifted(found.pmids, found.versions, candidates)


def _shortened(article: bytes) -> bytes:
    """The article without what no row is made of, which is half of its bytes."""
    for opens, closes in ((b"<AuthorList", b"</AuthorList>"), (b"<ReferenceList>", b"</ReferenceList>")):
        begin, end = article.find(opens), article.rfind(closes)
        if 0 <= begin < end:
            article = article[:begin] + article[end + len(closes) :]
    return article


def _cut_fast(engine: native.Engine, text: NDArray[np.uint8]) -> Cut:
    """The articles that end in the text, by the fast engine."""
    cut = engine.cut(text, _sieve())
    if cut is None:
        raise IrregularError
    asked = np.flatnonzero(cut.signs == native.ASKED)
    irregular = np.flatnonzero(cut.signs == native.IRREGULAR)
    hits = [int(asked[place]) for place in trn.places(cut.text, cut.text_ends[asked].tolist(), _pattern())]
    return Cut(cut.ends, cut.pmids, cut.versions, hits, irregular.tolist())


def _cut(text: NDArray[np.uint8]) -> Cut:
    """The same on any machine."""
    view = text.data
    ends = list(_ends(view))
    begins = [0, *ends][: len(ends)]
    if ends and not _is_utf8(view, ends[-1]):
        raise IrregularError
    heads = [_HEAD.match(view, begin, end) for begin, end in zip(begins, ends, strict=True)]
    parts = [_parts(view, head.end(), end) if head else [] for head, end in zip(heads, ends, strict=True)]
    line_end = memoryview(b"\n")
    joined = b"".join([piece for of_one in parts for piece in (*of_one, line_end)])
    nexts = list(accumulate(sum(map(len, of_one)) + 1 for of_one in parts))
    hits = list(trn.places(joined, nexts, _pattern()))
    irregular = {place for place, of_one in enumerate(parts) if not of_one}
    if ends and not _is_balanced(text, 0, ends[-1]):  # of all at once: numpy is slow in asking little
        bounds = enumerate(zip(begins, ends, strict=True))
        irregular.update(place for place, (begin, end) in bounds if not _is_balanced(text, begin, end))
    return Cut(
        np.array(ends, np.int64),
        np.array([int(head[2]) if head else 0 for head in heads], np.int64),
        np.array([int(head[1]) if head else 0 for head in heads], np.int64),
        hits,
        sorted(irregular),
    )


def _ends(view: memoryview) -> Iterator[int]:
    at = stringzilla.find(view, _CLOSES)
    while at >= 0:
        yield at + len(_CLOSES)
        at = stringzilla.find(view, _CLOSES, at + len(_CLOSES))


def _parts(view: memoryview, start: int, end: int) -> list[memoryview]:
    """What can hold a reason to keep an article: title, abstract, data banks and types; links to other articles;
    further abstracts. The journal, authors, subject headings and references are none, and are the bulk of it.

    start: where it goes on behind its head. Empty where the article is not of the regular form.
    """
    find = stringzilla.find
    cited = find(view, b"</MedlineCitation>", start, end)
    authors = find(view, b"<AuthorList", start, cited) if cited >= 0 else -1
    after = find(view, b"</AuthorList>", authors, cited) if authors >= 0 else start
    closed = find(view, b"</Article>", after, cited) if min(cited, after) >= 0 else -1
    if closed < 0:
        return []
    before = authors if authors >= 0 else closed
    journal = find(view, b"<Journal>", start, before)
    title = find(view, b"</Journal>", journal, before) if journal >= 0 else -1
    parts = [view[start:before]] if title < 0 else [view[start:journal], view[title:before]]
    if authors >= 0:
        parts.append(view[after:closed])
    ties = find(view, b"<CommentsCorrectionsList", closed, cited)
    if ties >= 0:
        last = stringzilla.rfind(view, b"</CommentsCorrectionsList>", ties, cited)
        parts.append(view[ties : last if last >= 0 else cited])
    other = find(view, b"<OtherAbstract", closed, cited)
    return [*parts, view[other:cited]] if other >= 0 else parts


def _is_utf8(view: memoryview, end: int) -> bool:
    offsets = pa.array([0, end], pa.int32()).buffers()[1]
    try:
        pa.StringArray.from_buffers(1, offsets, pa.py_buffer(view)).validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def _is_balanced(text: NDArray[np.uint8], begin: int, end: int) -> bool:
    """Whether tags are opened as often as they are closed, without comments, CDATA and controls but the line's end.

    Articles that are passed by are not parsed: this is what their markup is asked instead. Names of tags are not.
    """
    tags = odd = strange = 0
    for at in range(begin, end, BLOCK):
        signs = text[at : min(at + BLOCK + 1, end)]  # a pair may lie over the block's end
        here, following = signs[:BLOCK], signs[1:]
        opens, ends, slashes = signs == ord("<"), signs == ord(">"), signs == ord("/")
        opened = int(np.count_nonzero(opens[: len(here)]))
        tags += opened - int(np.count_nonzero(ends[: len(here)]))
        odd += opened - 2 * int(np.count_nonzero(opens[: len(following)] & slashes[1:]))
        odd -= int(np.count_nonzero(slashes[: len(following)] & ends[1:]))
        strange += int(np.count_nonzero(here < ord(" "))) - int(np.count_nonzero(here == ord("\n")))
    whole = text[begin:end].data
    is_even = odd == 0 or odd == stringzilla.count(whole, b"<?")  # processing instructions are rare
    return is_even and not tags and not strange and stringzilla.find(whole, b"<!") < 0
