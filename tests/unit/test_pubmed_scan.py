"""The candidate reader of PubMed against the full parse: the same rows, the same index, the same account.

The oracle is `read_whole`, for both engines of the scan; where nothing was compiled, for the portable one alone. Every
article is packed with gzip, since only such files are read by candidates.
"""

import gzip
import io
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines import trn
from pipelines.formats import pubmed_native, pubmed_scan, pubmed_sieve
from pipelines.reading import Report
from pipelines.sources import pubmed
from tests.unit.test_pubmed import BOOK, DAY, HEAD, NUMBER, PAPER, TRIAL, abstract, article, bank, wrapped

CITED = frozenset({77})
DELETED = '<DeleteCitation><PMID Version="1">8</PMID><PMID Version="x">9</PMID></DeleteCitation>'
REFERENCES = f"<ReferenceList><Reference><Citation>Of {NUMBER}! And?</Citation></Reference></ReferenceList>"
TIE = '<CommentsCorrectionsList><CommentsCorrections RefType="{}"><PMID>5</PMID></CommentsCorrections></CommentsCorrectionsList>'
AUTHORS = "<AuthorList><Author><LastName>Unlikelyname</LastName></Author></AuthorList>"

ENGINES = [None, pubmed_native.ENGINE] if pubmed_native.ENGINE else [None]
WHOLE = pubmed.read_whole
Outcome = tuple[Report, bytes, bytes]


def outcome(reader, payload: Path, out: Path) -> Outcome:
    report = reader(payload, payload.name, DAY, out, cited=CITED)
    assert report.balance() == 0
    return report, out.read_bytes(), out.with_name("index.parquet").read_bytes()


def both(folder: Path, content: str | bytes) -> Report:
    """What both readers make of a packed file, byte for byte the same."""
    payload = folder / "planted.xml.gz"
    plain = content.encode() if isinstance(content, str) else content
    payload.write_bytes(gzip.compress(plain, 1, mtime=0))
    return same(folder, payload)


def same(folder: Path, payload: Path) -> Report:
    whole = outcome(WHOLE, payload, folder / "staging" / "a.parquet")
    for _ in each_engine():
        assert outcome(pubmed.read, payload, folder / "staging" / "a.parquet") == whole
    return whole[0]


def each_engine() -> Iterator[None]:
    for engine in ENGINES:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(pubmed_native, "ENGINE", engine)
            yield


@pytest.mark.skipif(not shutil.which("cc"), reason="no C compiler here: the portable engine reads everything")
def test_the_fast_engine_has_been_compiled_from_this_source():
    assert pubmed_native.ENGINE, "run `make setup`"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("scan")
    (path / "staging").mkdir()
    return path


@pytest.fixture
def parsed_whole(monkeypatch) -> list[str]:
    """Names the payloads that fell back to the full parse."""
    names: list[str] = []

    def seen(payload, name, day, out, *, cited=frozenset()):
        names.append(name)
        return WHOLE(payload, name, day, out, cited=cited)

    monkeypatch.setattr(pubmed, "read_whole", seen)
    return names


def candidates(*articles: str) -> set[int]:
    """The places of the articles that the scan wants to have parsed, on which the engines agree."""
    found = [_candidates(*articles) for _ in each_engine()]
    assert found[:-1] == found[1:]
    return found[0]


def _candidates(*articles: str) -> set[int]:
    found, at = set(), 0
    content = ("".join(articles) + "</PubmedArticleSet>").encode()
    for sifted in pubmed_scan.sift(content, io.BytesIO(), 1, CITED):
        if isinstance(sifted, bytes):
            assert sifted == b"</PubmedArticleSet>"
        else:
            found |= {at + place for place in sifted.candidates}
            at += len(sifted.pmids)
    assert at == len(articles)
    return found


# --- regular files: what is parsed ----------------------------------------------------------------------------------

SPLIT = f"<b>N</b>C<i>T</i>{NUMBER[3:7]}<sup/>{NUMBER[7:]}"
SAID = {
    "number in the title": dict(title=f"Of {NUMBER}."),
    "number in the abstract": dict(abstract=abstract(f"Of nct: {NUMBER[3:]}.")),
    "number behind the authors": dict(article=f"{AUTHORS}<VernacularTitle>{NUMBER}</VernacularTitle>"),
    "number in another abstract": dict(citation=f"<OtherAbstract><AbstractText>{NUMBER}</AbstractText></OtherAbstract>"),
    "number split by markup": dict(abstract=abstract(SPLIT)),
    "number after a footnote": dict(title=f"A<sup>1</sup>{NUMBER}<sub>2</sub>"),
    "number over label and text": dict(abstract=abstract(NUMBER[3:], 'Label="NCT" NlmCategory="RESULTS"')),
    "number over label of other quotes": dict(abstract=abstract(NUMBER[3:], "NlmCategory='RESULTS' Label='NCT number'")),
    "character references": dict(title="&#78;&#x43;T00012345"),
    "soft hyphen": dict(abstract=abstract("NCT00\u00ad012345")),
    "full-width digits": dict(abstract=abstract("NCT００012345")),
    "without a prefix": dict(abstract=abstract("2009\u2013012345\u201367")),
    "CDATA": dict(abstract=abstract(f"<![CDATA[{NUMBER}]]>")),
    "CDATA over two": dict(abstract=abstract("NCT<![CDATA[00012345]]>")),
    "comment inside": dict(title="NCT<!-- a -->00012345"),
    "instruction inside": dict(title="NCT<?a b?>00012345"),
    "bank": dict(banks=bank("ClinicalTrials.gov", NUMBER)),
    "bank, other spelling": dict(banks=bank(" umin-ctr ", "x")),
    "bank, markup in its name": dict(banks=bank("<b>ISR</b>CTN", "x")),
    "bank, Kelvin sign": dict(banks=bank("DR\u212aS", "00003934")),
    "type": dict(types=TRIAL),
    "type, by label": dict(types="<PublicationType>clinical \n TRIAL</PublicationType>"),
    "type, no-break space": dict(types="<PublicationType>Clinical\u00a0Trial</PublicationType>"),
    "type, markup": dict(types="<PublicationType><i>Clinical</i> Trial</PublicationType>"),
    "type, single quotes": dict(types="<PublicationType UI = 'D016449'>x</PublicationType>"),
    "notice by type": dict(types='<PublicationType UI="D016425">Published Erratum</PublicationType>'),
    "notice by link": dict(citation=TIE.format("RetractionOf")),
    "notice by a second list of links": dict(citation=TIE.format("CommentIn") + TIE.format("RetractionOf")),
    "cited": dict(pmid='<PMID Version="2">77</PMID>'),
}  # fmt: skip
UNSAID = {
    "nothing": {},
    "number of a reference": dict(data=REFERENCES),
    "several reference lists": dict(data=REFERENCES + REFERENCES),
    "number of an author": dict(article=f"<AuthorList><Author><LastName>{NUMBER}</LastName></Author></AuthorList>"),
    "number in a statement": dict(citation=f"<CoiStatement>{NUMBER}</CoiStatement>"),
    "empty abstract": dict(abstract='<Abstract><AbstractText Label="METHODS"/></Abstract>'),
    "markup and entities": dict(title="Of <i>E. coli</i> &amp; CO<sub>2</sub>, 5 &lt; 6! Really?"),
    "MedlineDate": dict(issue="<MedlineDate>1998 Dec-1999 Jan</MedlineDate>"),
    "another bank": dict(banks=bank("GENBANK", "AB000001")),
    "another link": dict(citation=TIE.format("RetractionIn")),
    "non-ASCII": dict(title="Étude – ½ d’une čas, 漢字"),
}


@pytest.mark.parametrize("parts", SAID.values(), ids=SAID.keys())
def test_an_article_that_may_be_wanted_is_parsed(parts):
    assert candidates(article(1, **{"types": PAPER, **parts})) == {0}


def test_articles_of_every_kind_are_read_the_same(folder, parsed_whole):
    kinds = [*SAID.values(), *UNSAID.values()]
    both(folder, wrapped(*(article(n, **{"types": PAPER, **parts}) for n, parts in enumerate(kinds, 1)), DELETED))
    assert not parsed_whole


@pytest.mark.parametrize("parts", UNSAID.values(), ids=UNSAID.keys())
def test_an_article_without_any_sign_is_passed_by(parts):
    article_ = article(1, **{"types": PAPER, **parts})
    assert candidates(article_) == ({0} if "½" in article_ else set())


def test_a_scan_knows_every_notice_and_every_kind_of_trial():
    types = [t for t in pubmed.pubmed_articles.publication_types().values() if t.is_trial or t.is_notice]
    signs = [dict(types=f'<PublicationType UI="{t.ui}">x</PublicationType>') for t in types]
    signs += [dict(types=f"<PublicationType>{t.label}</PublicationType>") for t in types]
    signs += [dict(citation=TIE.format(kind)) for kind in pubmed.contracts().sources["pubmed"].words["notice"]]
    signs += [dict(banks=bank(key, "x")) for key in trn.bank_keys()]
    articles = [article(n + 1, **{"types": PAPER, **parts}) for n, parts in enumerate(signs)]
    assert candidates(*articles) == set(range(len(articles)))


NUMBERS = [
    "NCT00012345", "ISRCTN 47772397", "EudraCT 2009-012345-67", "2022-501234-11-00", "DRKS00012345", "ACTRN12612345678901",
    "ChiCTR2000038333", "ChiCTR-TRC-12002097", "CTRI/2020/11/029438", "jRCTs031200196", "UMIN-CTR 000041687", "C000000369",
    "JapicCTI-205465", "JMA-IIA00123", "IRCT20190804044429N4", "KCT0005634", "PACTR202011523101903", "RBR-5p8nzk6",
    "RPCEC00000346", "SLCTR/2020/011", "TCTR20200321001", "LBCTR2020043459", "PER-067-20", "registered NTR5191",
    "register NL8498", "NL-OMON12345", "ITMCTR2021000000", "U1111-1234-5678", "JPRN-UMIN000042522",
]  # fmt: skip
TAGS = st.sampled_from(["<b>", "</b>", "<sup>", '<mml:mi a="1">', "<i/>"])


@given(st.sampled_from(NUMBERS), st.lists(st.tuples(st.integers(0, 30), TAGS), max_size=4))
def test_a_number_is_seen_through_any_markup(number, tags):
    """The tags need not match here: what is proved is that none of them hides the number from the scan."""
    text = number
    for place, tag in tags:
        at = min(place, len(number))
        text = _inserted(text, at, tag)
    assert candidates(article(1, types=PAPER, title=f"Of {text}.")) == {0}


def _inserted(text: str, at: int, tag: str) -> str:
    """The tag before the character number `at` of the text outside tags."""
    outside, inside = 0, False
    for place, character in enumerate(text):
        if not inside and outside == at and character != "<":
            return text[:place] + tag + text[place:]
        inside = character == "<" or (inside and character != ">")
        outside += not inside and character != ">"
    return text + tag


PIECES = st.sampled_from(
    [*"0512 -.,/:(&;\"é–½\u00ad９\u212a", *"ncteusidr", "NCT", "EUdra", "CTRI", "ntr", "NL", "omon", "rbr", "per", "u1111", "c0000",
     "JPRN", "umin", "number", "2012", "0123", "20<b/>19", "<b/>", "<b>", "</b>", "<sup a='NCT'>", "</sup>", '<x y="ChiCTR" z="1"/>',
     "&amp;", "&lt;", "&#78;", "clinical trial", "D016449", '"D016449"', "RetractionOf", "]]", ">", "xmlns"]
)  # fmt: skip


@settings(max_examples=400)
@given(st.lists(PIECES, max_size=14).map("".join))
def test_the_sieve_lets_through_whatever_the_pattern_finds(text):
    """The portable engine asks the pattern about every article, the fast one only about what the sieve let through."""
    for parts in (
        dict(title=text),
        dict(abstract=abstract(text)),
        dict(types=f"<PublicationType>{text}</PublicationType>"),
    ):
        candidates(article(1, **{"types": PAPER, **parts}))


@pytest.mark.parametrize(
    ("pattern", "room", "expected"),
    [
        ("abc", 9, {"a b c"}),
        ("abc|abd", 9, {"a b cd"}),
        ("abc|abd", 2, {"a b"}),
        ("a{1,2}b", 9, {"a a b", "a b"}),
        ("a(?:b|c)?d", 9, {"a bc d", "a d"}),
        ("ab?", 9, {"a"}),
        ("[ab]{2}", 9, {"ab ab"}),
    ],
)
def test_a_match_begins_with_one_of_the_sequences(pattern, room, expected):
    found = pubmed_sieve.sequences(pattern, room)
    assert {" ".join("".join(map(chr, sorted(signs))) for signs in sequence) for sequence in found} == expected


PARTS = st.sampled_from(
    [*SAID.values(), *UNSAID.values(), dict(pmid=""), dict(pmid="<PMID>7</PMID>"), dict(title="&nbsp;")]
)


@settings(max_examples=12)
@given(st.lists(PARTS, max_size=9), st.sampled_from(["", DELETED]))
def test_any_set_of_articles_is_read_the_same(folder, several, end):
    both(folder, wrapped(*(article(n + 1, **{"types": PAPER, **parts}) for n, parts in enumerate(several)), end))


def test_articles_longer_than_a_piece_and_cut_anywhere(folder, monkeypatch, parsed_whole):
    articles = [article(n, types=PAPER, abstract=abstract("word é " * n)) for n in range(1, 40)]
    content = wrapped(*articles, article(40), DELETED)
    for size in (400, 777, 4096):
        monkeypatch.setattr(pubmed, "PIECE", size)
        assert both(folder, content).records_in == 40
    assert not parsed_whole


# --- what is not regular --------------------------------------------------------------------------------------------

ONE, TWO = article(1, types=PAPER), article(2, types=PAPER)
IRREGULAR = {
    "book between": wrapped(ONE, BOOK.format(title="", history=""), TWO),
    "deletions between": wrapped(ONE, DELETED, TWO),
    "other root": wrapped(ONE, root="PubmedBookArticleSet"),
    "namespace of the set": wrapped(ONE).replace("<PubmedArticleSet>", '<PubmedArticleSet xmlns="urn:x">'),
    "namespace of a citation": wrapped(ONE, TWO.replace("<MedlineCitation ", '<MedlineCitation xmlns="urn:x" ')),
    "attribute of an article": wrapped(ONE, TWO.replace("<PubmedArticle>", '<PubmedArticle a="1">')),
    "another encoding": wrapped(article(1, types=PAPER, title="\u00e9")).replace("utf-8", "iso-8859-1"),
    "a single article": HEAD + ONE,
    "comment over an end": wrapped(ONE.replace("</PubmedArticle>", "<!-- </PubmedArticle><PubmedArticle> --></PubmedArticle>"), TWO),
    "whole article in a comment": wrapped(f"<!-- {ONE} -->", TWO),
    "whole article in CDATA": wrapped(article(1, types=PAPER, title=f"<![CDATA[{TWO}]]>"), TWO),
    "instruction over an end": wrapped(ONE.replace("</PubmedArticle>", "<?a </PubmedArticle>?></PubmedArticle>"), TWO),
    "own entity": wrapped(ONE).replace("<PubmedArticleSet>", "", 1),
    "nested": wrapped(article(1, types=PAPER, data=TWO)),
    "nothing": wrapped(),
    "only deletions": wrapped(DELETED),
    "text between": wrapped(ONE, "NCT00012345", TWO),
}  # fmt: skip


@pytest.mark.parametrize("content", IRREGULAR.values(), ids=IRREGULAR.keys())
def test_what_is_not_regular_is_read_as_the_full_parse_reads_it(folder, content):
    both(folder, content)


# --- damage ---------------------------------------------------------------------------------------------------------

SET = wrapped(*(article(n, types=PAPER, data=REFERENCES) for n in range(1, 6)), article(6), DELETED).encode()


@pytest.mark.parametrize("share", [0.0, 0.3, 0.95, 0.999])
@pytest.mark.parametrize("kind", ["cut", "flipped", "zeros behind", "rubbish behind"])
def test_a_damaged_gzip_gives_what_the_full_parse_gives(folder, share, kind):
    packed = gzip.compress(SET, mtime=0)
    at = int(len(packed) * share)
    payload = folder / "damaged.xml.gz"
    payload.write_bytes(
        {
            "cut": packed[: at or 11],
            "flipped": packed[: at + 12] + bytes([packed[(at + 12) % len(packed)] ^ 4]) + packed[at + 13 :],
            "zeros behind": packed + b"\0" * at,
            "rubbish behind": packed + b"rubbish" * (at + 1),
        }[kind]
    )
    same(folder, payload)


def test_a_set_cut_off_before_it_was_packed(folder):
    for at in range(0, len(SET), len(SET) // 12):
        both(folder, SET[:at])


MARKS = (b"<PubmedArticle>", b"</PubmedArticle>", b"<MedlineCitation", b"</MedlineCitation>", b"<PMID", b"</PMID>",
         b"</PubmedArticleSet>", b"<DeleteCitation>", b"</Article>")  # fmt: skip


@pytest.mark.parametrize("mark", MARKS)
@pytest.mark.parametrize("put", [b"", b"<X>", b"\xff"])
def test_a_frame_broken_before_it_was_packed(folder, mark, put):
    at = SET.index(mark) if put else SET.rindex(mark)
    both(folder, SET[:at] + put + SET[at + (len(mark) if not put else 0) :])
