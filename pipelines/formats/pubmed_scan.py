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
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from itertools import accumulate
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import re2

from pipelines import trn
from pipelines.contracts import contracts
from pipelines.formats import pubmed_articles

LARGEST = 8 << 20
"""Bytes of an article above which it is left to the parse, which has limits of its own."""


class IrregularError(Exception):
    """The bytes do not prove what was read from them: the payload has to be parsed as a whole."""


class Sifted(NamedTuple):
    """Consecutive articles in the order of the file.

    pmids, versions: of each; 0 where only the parse can tell.
    candidates: the articles that may be wanted or are not regular, by their places in the lists.
    """

    pmids: list[int]
    versions: list[int]
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
_ODD = (
    # Character references and entities other than XML's own five: they may be a part of anything.
    r"&(?:[^aglq]|a[^mp]|am[^p]|amp[^;]|ap[^o]|apo[^s]|apos[^;]"
    r"|g[^t]|gt[^;]|l[^t]|lt[^;]|q[^u]|qu[^o]|quo[^t]|quot[^;])"
    # Comments, CDATA, processing instructions, namespaces, authors elsewhere, and what is no XML.
    r"|</?[^/A-Za-z]|xmlns|</Article>|\]\]>|[\x00-\x08\x0b-\x1f\x{FFFE}\x{FFFF}]"
    # Names of types and banks are compared after folding: beyond plain text the parse has to do it.
    r"|<(?:PublicationType|DataBankName)(?:\s[^<>]*)?>[^<]*(?:[^\x00-\x7f]|&|<[^/])"
)


@functools.cache
def _pattern() -> Any:
    """All reasons to keep an article, and all that is not regular, as one pattern over raw bytes."""
    types = [t for t in pubmed_articles.publication_types().values() if t.is_trial or t.is_notice]
    uis = "|".join(sorted({re.escape(t.ui) for t in types}))
    labels = "|".join(sorted({r"\s+".join(map(re.escape, t.label.split())) for t in types}))
    banks = "|".join("[^0-9A-Za-z<]*".join(key) for key in trn.bank_keys())
    notices = "|".join(contracts().sources["pubmed"].words["notice"])
    options = re2.Options()
    options.max_mem = 64 << 20
    return re2.compile(
        rf"(?i:{in_markup(trn.OPENINGS)})|{trn.FOLDING}|[\"'](?:{uis}|{notices})[\"']"
        rf"|(?i:<PublicationType(?:\s[^<>]*)?>\s*(?:{labels})\s*<)"
        rf"|(?i:<DataBankName(?:\s[^<>]*)?>[^0-9A-Za-z<]*(?:{banks})[^0-9A-Za-z<]*<)|{_ODD}",
        options,
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


def sift(pieces: Iterable[bytes], cited: frozenset[int]) -> Iterator[Sifted | bytes]:
    """The articles of a set from behind its prolog on; last, what no article begins any more, whose continuation is
    left in `pieces`.

    cited: PMIDs of articles that are candidates in any case. Raises IrregularError where the bytes cannot be cut into
    articles beyond doubt.
    """
    rest = b""
    for piece in pieces:
        buffer = rest + piece
        *articles, rest = buffer.split(_CLOSES)
        if articles:
            yield _sifted(buffer[: len(buffer) - len(rest)], articles, cited)
        if len(rest) > LARGEST or not _OPENS.startswith(rest[:1000].lstrip()[: len(_OPENS)]):
            break
    yield rest


def _sifted(buffer: bytes, articles: list[bytes], cited: frozenset[int]) -> Sifted:
    """articles: those of the buffer, each without its closing tag."""
    if not _is_utf8(buffer):
        raise IrregularError
    heads = [_HEAD.match(article) for article in articles]
    pmids = [int(head[2]) if head else 0 for head in heads]
    parts = [_part(article, head) for article, head in zip(articles, heads, strict=True)]
    wanted = {place for place, pmid in enumerate(pmids) if not parts[place] or pmid in cited}
    wanted.update(_hits(parts) if _is_balanced(buffer) else range(len(articles)))
    return Sifted(
        pmids,
        [int(head[1]) if head else 0 for head in heads],
        {place: articles[place] + _CLOSES for place in sorted(wanted)},
    )


def _part(article: bytes, head: re.Match[bytes] | None) -> bytes:
    """What can hold a reason to keep an article: title, abstract, data banks and types; links to other articles;
    further abstracts. Authors, subject headings and references are none, and are the bulk of it.

    Empty where the article is not of the regular form.
    """
    if not head:
        return b""
    start, find = head.end(), article.find
    cited = find(b"</MedlineCitation>", start)
    authors = find(b"<AuthorList", start, cited)
    after = find(b"</AuthorList>", authors, cited) if authors >= 0 else start
    closed = find(b"</Article>", after, cited)
    if min(cited, after, closed) < 0:
        return b""
    text = article[after:closed] if authors < 0 else article[start:authors] + article[after:closed]
    ties = find(b"<CommentsCorrectionsList", closed, cited)
    if ties >= 0:
        text += article[ties : article.rfind(b"</CommentsCorrectionsList>", ties, cited)]
    other = find(b"<OtherAbstract", closed, cited)
    return text + article[other:cited] if other >= 0 else text


def _hits(parts: list[bytes]) -> Iterator[int]:
    """The places of the parts in which the pattern finds anything: one scan, since a call for each costs more."""
    nexts = list(accumulate(len(part) + 1 for part in parts))
    text = b"\n".join(parts)
    pattern = _pattern()
    hit = pattern.search(text)
    while hit:
        place = bisect_right(nexts, hit.start())
        yield place
        hit = pattern.search(text, nexts[place]) if place + 1 < len(nexts) else None


def _is_utf8(buffer: bytes) -> bool:
    offsets = pa.array([0, len(buffer)], pa.int32()).buffers()[1]
    try:
        pa.StringArray.from_buffers(1, offsets, pa.py_buffer(buffer)).validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def _is_balanced(buffer: bytes) -> bool:
    """Whether tags are opened as often as they are closed, without comments, CDATA and controls but the line's end.

    Articles that are passed by are not parsed: this is what their markup is asked instead. Names of tags are not.
    """
    signs = np.frombuffer(buffer, np.uint8)
    opens, ends, slashes = signs == ord("<"), signs == ord(">"), signs == ord("/")
    tags, closing = np.count_nonzero(opens), np.count_nonzero(opens[:-1] & slashes[1:])
    odd = tags - 2 * closing - np.count_nonzero(slashes[:-1] & ends[1:])
    is_even = odd == 0 or odd == buffer.count(b"<?")  # processing instructions are rare
    is_text = np.count_nonzero(signs < ord(" ")) == np.count_nonzero(signs == ord("\n"))
    return bool(is_even and is_text and tags == np.count_nonzero(ends) and not _has_comment(buffer))


def _has_comment(buffer: bytes) -> bool:
    """The second sign of a comment is rare, and quickly found."""
    at = buffer.find(b"!")
    while at > 0 and buffer[at - 1] != ord("<"):
        at = buffer.find(b"!", at + 1)
    return at > 0
