"""The PubMed reader on planted records: every rule, every damage."""

import gzip
import hashlib
import json
import tomllib
import zlib
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipelines import trn
from pipelines.contracts import contracts
from pipelines.dates import PartialDate
from pipelines.formats import pubmed_articles
from pipelines.reading import Report
from pipelines.settings import SCHEMAS
from pipelines.sources import pubmed

DAY = date(2026, 8, 1)
NUMBER = "NCT00012345"
HEAD = '<?xml version="1.0" encoding="utf-8"?>\n<!DOCTYPE PubmedArticleSet PUBLIC "-//NLM//DTD" "http://localhost:9/a.dtd">\n'
TRIAL = '<PublicationType UI="D016449">Randomized Controlled Trial</PublicationType>'
PAPER = '<PublicationType UI="D016428">Journal Article</PublicationType>'


def day_of(tag: str, text: str, attributes: str = "") -> str:
    """`2020-5-01` as an element with Year, Month, Day; an empty text gives nothing."""
    if not text:
        return ""
    parts = zip(("Year", "Month", "Day"), text.split("-"), strict=False)
    inner = "".join(f"<{name}>{value}</{name}>" for name, value in parts)
    return f"<{tag} {attributes}>{inner}</{tag}>"


def article(pmid: object = 1, /, **parts: str) -> str:
    """One PubmedArticle; parts are the XML put at the named places."""
    get = {
        "title": "A title.",
        "types": TRIAL,
        "issue": "<Year>2020</Year>",
        "pmid": f'<PMID Version="1">{pmid}</PMID>',
    }
    get |= parts
    history = get.get("history", "")
    return f"""<PubmedArticle><MedlineCitation Status="MEDLINE" Owner="NLM">{get["pmid"]}{get.get("dates", "")}
      <Article><Journal><JournalIssue><PubDate>{get["issue"]}</PubDate></JournalIssue><Title>Journal of Planting</Title>
      </Journal><ArticleTitle>{get["title"]}</ArticleTitle>{get.get("locations", "")}{get.get("abstract", "")}
      <Language>eng</Language>{get.get("banks", "")}<PublicationTypeList>{get["types"]}</PublicationTypeList>
      {get.get("article", "")}</Article>{get.get("citation", "")}</MedlineCitation>
      <PubmedData><History>{history}</History><ArticleIdList>{get.get("ids", "")}</ArticleIdList>{get.get("data", "")}
      </PubmedData></PubmedArticle>"""


def wrapped(*records: str, root: str = "PubmedArticleSet") -> str:
    return f"{HEAD}<{root}>{''.join(records)}</{root}>"


def abstract(text: str, attributes: str = "") -> str:
    return f"<Abstract><AbstractText {attributes}>{text}</AbstractText></Abstract>"


def bank(name: str, *accessions: str) -> str:
    inner = "".join(f"<AccessionNumber>{a}</AccessionNumber>" for a in accessions)
    return (
        f"<DataBankList><DataBank><DataBankName>{name}</DataBankName>"
        f"<AccessionNumberList>{inner}</AccessionNumberList></DataBank></DataBankList>"
    )


def published(status: str, text: str) -> str:
    return day_of("PubMedPubDate", text, f'PubStatus="{status}"')


class Read:
    """What the reader made of a payload."""

    def __init__(self, report: Report, out: Path) -> None:
        self.report = report
        self.rows: list[dict[str, Any]] = pq.read_table(out).to_pylist()
        self.index: list[dict[str, Any]] = pq.read_table(out.with_name("index.parquet")).to_pylist()

    @property
    def payload_reason(self) -> str:
        (reject,) = [r for r in self.report.rejects if r.scope == "payload"]
        return reject.reason


@pytest.fixture
def read(tmp_path: Path):
    def run(content: str | bytes, name: str = "planted.xml", cited: frozenset[int] = frozenset()) -> Read:
        payload = tmp_path / name
        payload.write_bytes(content.encode() if isinstance(content, str) else content)
        out = tmp_path / "staging" / "articles.parquet"
        out.parent.mkdir(exist_ok=True)
        report = pubmed.read(payload, name, DAY, out, cited=cited)
        assert report.balance() == 0
        result = Read(report, out)
        assert len(result.rows) == report.staged
        assert sum(e["is_kept"] for e in result.index) == report.staged
        assert not [p for p in out.parent.iterdir() if p.name not in {"articles.parquet", "index.parquet"}]
        return result

    return run


@pytest.fixture
def one(read):
    """The only row of a payload of one article."""

    def run(*arguments: object, **parts: str) -> dict[str, Any]:
        (row,) = read(wrapped(article(*arguments, **parts))).rows
        return row

    return run


# --- shapes of payloads ---------------------------------------------------------------------------------------------

CITATION = article(7).split("<PubmedData>")[0].removeprefix("<PubmedArticle>").removesuffix("</PubmedArticle>")
CITATION = CITATION[: CITATION.rindex("</MedlineCitation>")] + "</MedlineCitation>"
BOOK = """<PubmedBookArticle><BookDocument><PMID Version="25">7</PMID>
  <ArticleIdList><ArticleId IdType="doi">10.1/BOOK</ArticleId></ArticleIdList>
  <Book><BookTitle>A book.</BookTitle><PubDate><Year>2002</Year></PubDate></Book>{title}<Language>eng</Language>
  <PublicationType UI="D016449">Randomized Controlled Trial</PublicationType>
  <Abstract><AbstractText>Of NCT00012345.</AbstractText></Abstract></BookDocument>
  <PubmedBookData><History>{history}</History><ArticleIdList><ArticleId IdType="pubmed">7</ArticleId></ArticleIdList>
  </PubmedBookData></PubmedBookArticle>"""


@pytest.mark.parametrize(
    "content",
    [
        wrapped(article(7)),
        gzip.compress(wrapped(article(7)).encode(), mtime=0),
        b"\xef\xbb\xbf" + wrapped(article(7)).encode(),
        "\n" + wrapped(article(7)),
        "\r\n" + wrapped(article(7)).replace("\n", "\r\n"),
        "<!-- saved from somewhere -->" + wrapped(article(7)).partition("?>")[2],
        f"<PubmedArticleSet>{article(7)}</PubmedArticleSet>",
        wrapped(CITATION, root="MedlineCitationSet"),
        article(7),
        CITATION,
    ],
    ids=[
        "set",
        "gzip",
        "bom",
        "blank line",
        "crlf",
        "comment",
        "no prolog",
        "medline set",
        "bare article",
        "bare citation",
    ],
)
def test_every_shape_of_a_payload_is_read(read, content):
    result = read(content)
    assert [(r["pmid"], r["version"], r["title"], r["record_kind"]) for r in result.rows] == [
        (7, 1, "A title.", "article")
    ]
    assert not result.report.rejects


def test_books_are_records_with_titles_and_identifiers_of_their_own(read):
    chapter = BOOK.format(title="<ArticleTitle>A chapter.</ArticleTitle>", history=published("entrez", "2018-9-19"))
    whole = BOOK.format(title="", history="")
    rows = read(wrapped(chapter, whole)).rows
    assert [r["title"] for r in rows] == ["A chapter.", "A book."]
    assert {(r["record_kind"], r["pmid"], r["version"], r["doi"], r["journal"]) for r in rows} == {
        ("book", 7, 25, "10.1/book", None)
    }
    assert rows[0]["entered"] == date(2018, 9, 19)
    assert rows[0]["print_earliest"] == date(2002, 1, 1)
    assert rows[0]["numbers"][0]["section"] == "abstract"


def test_a_set_without_articles_is_noted(read):
    result = read(wrapped())
    assert (result.report.records_in, result.report.notes) == (0, ["planted.xml holds no article."])


def test_rows_and_index_have_the_contracts_columns(read):
    result = read(wrapped(article()))
    assert tuple(result.rows[0]) == contracts().staging["articles"].column_names
    assert tuple(result.index[0]) == contracts().staging["article_index"].column_names
    assert result.rows[0]["pattern_version"] == trn.PATTERN_VERSION


def test_the_index_names_every_article_and_deletion_in_order(read):
    deletions = '<DeleteCitation><PMID Version="2">8</PMID><PMID>9</PMID><PMID Version="1">x</PMID></DeleteCitation>'
    second = article(2, pmid='<PMID Version="3">2</PMID>', types=PAPER)
    result = read(wrapped(article(1), second, article("no number"), article(1), deletions))
    assert [(e["position"], e["pmid"], e["version"], e["event"], e["is_kept"]) for e in result.index] == [
        (1, 1, 1, "article", True),
        (2, 2, 3, "article", False),
        (4, 1, 1, "article", True),
        (5, 8, 2, "deletion", False),
        (6, 9, 1, "deletion", False),
    ]
    report = result.report
    assert (report.records_in, report.staged, report.not_wanted, report.rejected, report.deletions) == (4, 2, 1, 1, 2)
    assert [(r.scope, r.record, r.field) for r in report.rejects] == [
        ("record", "planted.xml#3", ""),
        ("field", "planted.xml", "DeleteCitation"),
    ]
    assert [r["record_number"] for r in result.rows] == [1, 4]


@pytest.mark.parametrize("number", ["", "<PMID/>", "<PMID>0</PMID>", "<PMID>1x</PMID>", "<PMID>99999999999</PMID>"])
def test_an_article_without_usable_pmid_is_rejected_also_if_its_corrections_have_one(read, number):
    tie = '<CommentsCorrectionsList><CommentsCorrections RefType="CommentOn"><PMID>5</PMID></CommentsCorrections>'
    result = read(wrapped(article(pmid=number, citation=f"{tie}</CommentsCorrectionsList>"), article(2)))
    assert (result.report.rejected, [r["pmid"] for r in result.rows]) == (1, [2])


def test_the_version_is_kept_and_a_wrong_one_is_named(read):
    result = read(wrapped(article(pmid='<PMID Version="4">1</PMID>'), article(pmid='<PMID Version="x">2</PMID>')))
    assert [r["version"] for r in result.rows] == [4, 1]
    assert [r["field"] for r in result.rows[1]["rejects"]] == ["PMID.@Version"]


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("pubmed21n1298.trimmed.xml.gz", (21, 1298)),
        ("medline16n0902.xml.gz", (16, 902)),
        ("pubmed26n0001.xml", (26, 1)),
        ("folder/pubmed26n0001.xml.gz", (26, 1)),
        ("pubmed-29768149.xml", None),
        ("pubmed_result.xml.gz", None),
        ("mypubmed21n1298.xml.gz", None),
        ("pubmed21n129.xml.gz", None),
    ],
)
def test_the_number_of_a_yearly_file_is_in_its_name(name, number):
    assert pubmed.file_number(name) == number


# --- damage ---------------------------------------------------------------------------------------------------------

MANY = wrapped(*(article(n, abstract=abstract("filling " * 40)) for n in range(1, 301)))


def test_a_truncated_gzip_gives_all_articles_before_the_cut(read):
    packed = gzip.compress(MANY.encode(), mtime=0)
    for share in (0.3, 0.7, 0.999):
        cut = packed[: int(len(packed) * share)]
        whole = gzip_until_damage(cut).count(b"</PubmedArticle>")
        result = read(cut, "cut.xml.gz")
        assert result.report.staged == whole > 20
        assert f"cut off after {whole} articles" in result.payload_reason


def gzip_until_damage(packed: bytes) -> bytes:
    return zlib.decompressobj(31).decompress(packed)


def test_a_file_cut_in_the_middle_of_an_article(read):
    cut = MANY[: MANY.index("<PMID", MANY.index(">200</PMID>"))]
    result = read(cut)
    assert [r["pmid"] for r in result.rows] == list(range(1, 201))
    assert "cut off after 200 articles" in result.payload_reason


def test_a_file_cut_between_articles_is_cut_off_too(read):
    result = read(MANY.removesuffix("</PubmedArticleSet>"))
    assert result.report.staged == 300
    assert "cut off after 300 articles" in result.payload_reason


def test_broken_markup_keeps_what_stands_before(read):
    broken = MANY.replace('<PMID Version="1">101</PMID>', '<PMID Version="1">101</PIMD>')
    result = read(broken)
    assert result.report.staged == 100
    assert "damaged" in result.payload_reason
    assert "after 100 articles" in result.payload_reason


def test_bytes_that_are_no_utf8_keep_what_stands_before(read):
    result = read(MANY.encode().replace(b">101</PMID>", b">101\xff\xfe</PMID>"))
    assert result.report.staged == 100
    assert "after 100 articles" in result.payload_reason


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"\n\n  ", "empty"),
        (gzip.compress(b"", mtime=0), "empty"),
        (gzip.compress(MANY.encode(), mtime=0)[:12], "damaged at its very beginning"),
        (b"<!DOCTYPE html><html><body>502</body></html>", "HTML page"),
        (b"<html><body>NCT00012345</body></html>", "HTML page"),
        (b'{"header": {}}', "JSON"),
        (b"[1, 2]", "JSON"),
        (b"\r\nPMID- 30038950\r\nOWN - NLM\r\n", "text format"),
        (b"PK\x03\x04rest", "zip archive"),
        (b"\x00\x01\x02", "not XML"),
        (b"<?xml version='1.0'?><eFetchResult><ERROR>no</ERROR></eFetchResult>", "<eFetchResult>"),
        (b"<clinical_study><PMID>1</PMID></clinical_study>", "<clinical_study>"),
        (b"<?xml version='1.0'?><!-- never closed", "markup"),
    ],
)
def test_what_is_no_pubmed_xml_is_refused_by_name(read, content, words):
    result = read(content)
    assert words in result.payload_reason
    assert (result.rows, result.index, result.report.records_in) == ([], [], 0)


def test_entities_of_the_file_s_own_are_refused(read):
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10 if n else "lol"}">' for n in range(10))
    bomb = f"<!DOCTYPE PubmedArticleSet [{laughs}]><PubmedArticleSet>{article(title='&l9;')}</PubmedArticleSet>"
    assert "declares entities" in read(bomb).payload_reason
    outside = '<!DOCTYPE PubmedArticleSet [<!ENTITY f SYSTEM "file:///etc/hostname">]>'
    assert (
        "declares entities"
        in read(f"{outside}<PubmedArticleSet>{article(title='&f;')}</PubmedArticleSet>").payload_reason
    )


def test_a_checksum_file_beside_the_payload_is_verified(read, tmp_path):
    content = gzip.compress(wrapped(article()).encode(), mtime=0)
    side = tmp_path / "pubmed26n0001.xml.gz.md5"
    side.write_text(f"MD5(pubmed26n0001.xml.gz)= {hashlib.md5(content).hexdigest()}\n")
    assert read(content, "pubmed26n0001.xml.gz").report.staged == 1
    for written, words in (
        (f"MD5(pubmed26n0001.xml.gz)= {'0' * 32}\n", "says 000"),
        ("<html>404</html>", "holds no MD5"),
    ):
        side.write_text(written)
        result = read(content, "pubmed26n0001.xml.gz")
        assert words in result.payload_reason
        assert (result.rows, result.index, result.report.records_in) == ([], [], 0)


# --- what is kept ---------------------------------------------------------------------------------------------------

TIE = '<CommentsCorrections RefType="{}"><PMID>5</PMID></CommentsCorrections>'
ERRATUM_FOR = f"<CommentsCorrectionsList>{TIE}</CommentsCorrectionsList>"


@pytest.mark.parametrize(
    ("parts", "reasons"),
    [
        ({}, []),
        ({"title": f"Of {NUMBER}."}, ["number"]),
        ({"abstract": abstract(NUMBER)}, ["number"]),
        (
            {"citation": f'<OtherAbstract Type="Publisher"><AbstractText>{NUMBER}</AbstractText></OtherAbstract>'},
            ["number"],
        ),
        ({"banks": bank("ClinicalTrials.gov", NUMBER)}, ["data_bank"]),
        ({"banks": bank("ClinicalTrials.gov", "NCT0001234")}, ["data_bank"]),
        ({"banks": bank("GENBANK", "AB000001")}, []),
        ({"abstract": abstract("NCT0001234 is a digit short.")}, []),
        ({"types": '<PublicationType UI="D017428">Clinical Trial, Phase III</PublicationType>'}, ["trial_type"]),
        ({"types": "<PublicationType>Clinical Trial, Phase III</PublicationType>"}, ["trial_type"]),
        ({"types": '<PublicationType UI="D999999999">Equivalence Trial</PublicationType>'}, ["trial_type"]),
        ({"types": '<PublicationType UI="D064888">Observational Study</PublicationType>'}, []),
        ({"types": '<PublicationType UI="D016440">Retraction Notice</PublicationType>'}, ["notice"]),
        ({"types": '<PublicationType UI="D016440">Retraction of Publication</PublicationType>'}, ["notice"]),
        ({"types": '<PublicationType UI="D016425">Published Erratum</PublicationType>'}, ["notice"]),
        ({"types": '<PublicationType UI="D000075742">Expression of Concern</PublicationType>'}, ["notice"]),
        ({"citation": ERRATUM_FOR.format("ErratumFor")}, ["notice"]),
        ({"citation": ERRATUM_FOR.format("RetractionOf")}, ["notice"]),
        ({"citation": ERRATUM_FOR.format("ExpressionOfConcernFor")}, ["notice"]),
        ({"citation": ERRATUM_FOR.format("RetractedandRepublishedFrom")}, ["notice"]),
        ({"citation": ERRATUM_FOR.format("RetractionIn")}, []),
        ({"citation": ERRATUM_FOR.format("CommentOn")}, []),
        (
            {"types": TRIAL, "abstract": abstract(NUMBER), "banks": bank("ClinicalTrials.gov", NUMBER)},
            ["number", "data_bank", "trial_type"],
        ),
        ({"data": f"<ReferenceList><Reference><Citation>{NUMBER}</Citation></Reference></ReferenceList>"}, []),
        ({"citation": f"<CoiStatement>{NUMBER}</CoiStatement>"}, []),
    ],
)
def test_an_article_is_kept_for_a_reason(read, parts, reasons):
    result = read(wrapped(article(1, **{"types": PAPER, **parts})))
    assert [r["wanted"] for r in result.rows] == ([reasons] if reasons else [])
    assert result.report.not_wanted == (not reasons)


def test_an_article_that_a_registration_cites_is_kept(read):
    content = wrapped(article(1, types=PAPER), article(2, types=PAPER))
    assert [(r["pmid"], r["wanted"]) for r in read(content, cited=frozenset({2, 3})).rows] == [(2, ["cited"])]


# --- registration numbers -------------------------------------------------------------------------------------------


def found(row: dict[str, Any]) -> set[tuple[str | None, str, str, str]]:
    assert all(n["is_malformed"] == (n["number"] is None) for n in row["numbers"])
    return {(n["number"], n["registry"], n["section"], n["raw"]) for n in row["numbers"]}


@pytest.mark.parametrize(
    ("parts", "numbers"),
    [
        (
            {"title": f"{NUMBER} and NCT 00012345", "abstract": abstract(f"{NUMBER}, {NUMBER}")},
            {
                (NUMBER, "nct", "title", NUMBER),
                (NUMBER, "nct", "title", "NCT 00012345"),
                (NUMBER, "nct", "abstract", NUMBER),
            },
        ),
        ({"title": f"A trial ({NUMBER}<sup>2</sup>)."}, {(NUMBER, "nct", "title", NUMBER)}),
        ({"title": f"A <b>trial <i>{NUMBER}<sub>2</sub></i></b>."}, {(NUMBER, "nct", "title", NUMBER)}),
        ({"abstract": abstract(f"Registered: <b>NCT</b>{NUMBER[3:]}.")}, {(NUMBER, "nct", "abstract", NUMBER)}),
        ({"abstract": abstract("", f'Label="TRIAL REGISTRATION {NUMBER}"')}, {(NUMBER, "nct", "abstract", NUMBER)}),
        (
            {"abstract": abstract("NTR 3912", 'Label="TRIAL REGISTRATION"')},
            {("NTR3912", "ntr", "abstract", "NTR 3912")},
        ),
        (
            {"abstract": abstract("Ends in NCT</AbstractText><AbstractText>00012345")},
            set(),
        ),
        ({"article": f"<VernacularTitle>Ensayo {NUMBER}</VernacularTitle>"}, {(NUMBER, "nct", "title", NUMBER)}),
        (
            {"banks": bank("EudraCT", "2009-012345-67-GB")},
            {("2009-012345-67", "euctr", "data_bank", "2009-012345-67-GB")},
        ),
        ({"banks": bank("DRKS", "00003934")}, {("DRKS00003934", "drks", "data_bank", "00003934")}),
        ({"banks": bank("ISRCTN", "ISRCTN1150")}, {(None, "isrctn", "data_bank", "ISRCTN1150")}),
        (
            {"banks": bank("ClinicalTrials.gov", "ask a.person@example.org")},
            {(None, "nct", "data_bank", "ask [e-mail removed]")},
        ),
        ({"banks": bank("figshare", "10.6084/m9.figshare.1")}, set()),
        ({"abstract": abstract("ISRCTN474042962")}, {(None, "isrctn", "abstract", "ISRCTN474042962")}),
        (
            {"data": f"<ReferenceList><Reference><Citation>{NUMBER}</Citation></Reference></ReferenceList>"},
            set(),
        ),
    ],
)
def test_numbers_of_title_abstract_and_data_bank(one, parts, numbers):
    assert found(one(**parts)) == numbers


# --- fields ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parts", "column", "value"),
    [
        ({"title": "Of  <i>E.\n coli</i> and CO<sub>2</sub>, 5 &lt; 6."}, "title", "Of E. coli and CO2, 5 < 6."),
        ({"title": ""}, "title", None),
        ({"title": "", "article": "<VernacularTitle>Sin título.</VernacularTitle>"}, "title", "Sin título."),
        ({"title": "Write to a.person@example.org."}, "title", "Write to [e-mail removed]."),
        ({}, "journal", "Journal of Planting"),
        ({"citation": "<MedlineJournalInfo><MedlineTA>J Plant</MedlineTA></MedlineJournalInfo>"}, "journal", "J Plant"),
        ({"article": "<Language>fre</Language>"}, "language", "eng|fre"),
        ({}, "citation_status", "MEDLINE"),
        ({}, "types", [{"ui": "D016449", "label": "Randomized Controlled Trial"}]),
        (
            {"types": "<PublicationType>Clinical Trial</PublicationType>"},
            "types",
            [{"ui": "D016430", "label": "Clinical Trial"}],
        ),
        ({}, "has_abstract", False),
        ({"abstract": "<Abstract><AbstractText/></Abstract>"}, "has_abstract", False),
        ({"abstract": '<Abstract><AbstractText Label="METHODS"/></Abstract>'}, "has_abstract", False),
        ({"abstract": abstract("<b>Text</b>")}, "has_abstract", True),
        ({"citation": "<OtherAbstract><AbstractText>Text</AbstractText></OtherAbstract>"}, "has_abstract", True),
        ({"ids": '<ArticleId IdType="pmc">PMC123</ArticleId>'}, "pmcid", "PMC123"),
        ({"ids": '<ArticleId IdType="pmcid">pmc-id: PMC12;</ArticleId>'}, "pmcid", "PMC12"),
        ({"ids": '<ArticleId IdType="doi">10.1/ABC</ArticleId>'}, "doi", "10.1/abc"),
        ({"ids": '<ArticleId IdType="doi">https://doi.org/10.1/ABC</ArticleId>'}, "doi", "10.1/abc"),
        ({"locations": '<ELocationID EIdType="doi">10.1/E</ELocationID>'}, "doi", "10.1/e"),
        ({"locations": '<ELocationID EIdType="pii">10.1/E</ELocationID>'}, "doi", None),
        ({"locations": '<ELocationID EIdType="doi" ValidYN="N">10.1/E</ELocationID>'}, "doi", None),
        (
            {
                "locations": '<ELocationID EIdType="doi" ValidYN="N">10.1/E</ELocationID>'
                '<ELocationID EIdType="doi" ValidYN="Y">10.1/F</ELocationID>',
                "ids": '<ArticleId IdType="doi">10.1/e</ArticleId>',
            },
            "doi",
            "10.1/f",
        ),
        (
            {
                "data": '<ReferenceList><Reference><ArticleIdList><ArticleId IdType="doi">10.1/R</ArticleId>'
                '<ArticleId IdType="pmc">PMC9</ArticleId></ArticleIdList></Reference></ReferenceList>'
            },
            "doi",
            None,
        ),
        ({"history": published("pubmed", "2020-1-1") + published("entrez", "2020-1-9")}, "entered", date(2020, 1, 9)),
        (
            {"dates": day_of("DateRevised", "2021-02-03") + day_of("DateCompleted", "2020-01-01")},
            "revised",
            date(2021, 2, 3),
        ),
        ({"dates": day_of("DateCompleted", "2020-01-01")}, "revised", date(2020, 1, 1)),
    ],
)
def test_a_field_is_read(one, parts, column, value):
    row = one(**parts)
    assert row[column] == value
    assert row["rejects"] == []


@pytest.mark.parametrize(
    ("headings", "is_human"),
    [
        ([], None),
        ([('UI="D006801"', "Humans"), ('UI="D008297"', "Male")], True),
        (["", "Humans"], True),
        ([('UI="D051381"', "Rats")], False),
    ],
)
def test_whether_it_is_about_humans(one, headings, is_human):
    pairs = [headings] if headings and isinstance(headings[0], str) else headings
    inner = "".join(f"<MeshHeading><DescriptorName {a}>{t}</DescriptorName></MeshHeading>" for a, t in pairs)
    assert one(citation=f"<MeshHeadingList>{inner}</MeshHeadingList>" if inner else "")["is_human"] is is_human


def test_related_articles_stand_once_and_cited_works_do_not(one):
    ties = "".join(
        f'<CommentsCorrections RefType="{kind}"><RefSource>J</RefSource>{number}</CommentsCorrections>'
        for kind, number in (
            ("CommentIn", "<PMID>5</PMID>"),
            ("CommentIn", '<PMID Version="1">5</PMID>'),
            ("Cites", "<PMID>6</PMID>"),
            ("RetractionIn", ""),
            ("ErratumIn", "<PMID>5</PMID>"),
        )
    )
    row = one(citation=f"<CommentsCorrectionsList>{ties}</CommentsCorrectionsList>")
    assert [(t["kind"], t["pmid"]) for t in row["related"]] == [
        ("CommentIn", 5),
        ("RetractionIn", None),
        ("ErratumIn", 5),
    ]


@pytest.mark.parametrize(
    ("parts", "field", "value"),
    [
        ({"dates": day_of("DateRevised", "2021-02-31")}, "DateRevised", "2021-02-31"),
        ({"history": published("entrez", "2641-3-1")}, "History.entrez", "2641-3-1"),
        ({"article": day_of("ArticleDate", "2641-03-01")}, "ArticleDate", "2641-03-01"),
        ({"issue": "<Year>1820</Year>"}, "PubDate", "1820"),
        ({"issue": "<Year>2020</Year><Month>Feb</Month><Day>30</Day>"}, "PubDate", "2020 Feb 30"),
        ({"issue": "<Year>2020</Year><Month>Xyz</Month>"}, "PubDate", "2020 Xyz"),
        ({"history": published("ppublish", "2021-2-30")}, "History.ppublish", "2021-2-30"),
        ({"issue": "<MedlineDate>undated</MedlineDate>"}, "PubDate", "undated"),
        ({"ids": '<ArticleId IdType="doi">S0140-6736</ArticleId>'}, "doi", "S0140-6736"),
        ({"ids": '<ArticleId IdType="doi">a.person@example.org</ArticleId>'}, "doi", "[e-mail removed]"),
        ({"ids": '<ArticleId IdType="pmc">none</ArticleId>'}, "pmcid", "none"),
    ],
)
def test_a_value_that_cannot_be_taken_over_is_named_and_the_record_kept(one, parts, field, value):
    assert [(r["field"], r["value"]) for r in one(**parts)["rejects"]] == [(field, value)]


def test_the_content_hash_is_about_the_content_alone(read):
    first, second, other = (
        read(wrapped(*records)).rows[-1]
        for records in ([article(1)], [article(2), article(1)], [article(1, title="Another title.")])
    )
    assert (first["record_number"], second["record_number"]) == (1, 2)
    assert first["content_hash"] == second["content_hash"] != other["content_hash"]
    cited = read(wrapped(article(1)), name="elsewhere.xml", cited=frozenset({1})).rows[0]
    assert cited["wanted"] == ["trial_type", "cited"]
    assert cited["content_hash"] == first["content_hash"]


def test_no_contact_data_of_authors_reach_the_files(read, tmp_path):
    author = "<AuthorList><Author><LastName>Unlikelyname</LastName><AffiliationInfo><Affiliation>a.person@example.org"
    read(wrapped(article(article=f"{author}</Affiliation></AffiliationInfo></Author></AuthorList>")))
    rows = json.dumps(pq.read_table(tmp_path / "staging" / "articles.parquet").to_pylist(), default=str)
    assert "Unlikelyname" not in rows
    assert "@" not in rows


# --- dates ----------------------------------------------------------------------------------------------------------


def columns(row: dict[str, Any], name: str) -> tuple[Any, ...]:
    assert row[f"{name}_type"] is None
    return row[f"{name}_raw"], row[f"{name}_precision"], str(row[f"{name}_earliest"]), str(row[f"{name}_latest"])


@pytest.mark.parametrize(
    ("issue", "expected"),
    [
        ("<Year>2015</Year>", ("2015", "year", "2015-01-01", "2015-12-31")),
        ("<Year>2015</Year><Month>Jul</Month>", ("2015 Jul", "month", "2015-07-01", "2015-07-31")),
        ("<Year>2015</Year><Month>07</Month>", ("2015-07", "month", "2015-07-01", "2015-07-31")),
        ("<Year>2015</Year><Month>7</Month><Day>3</Day>", ("2015-7-3", "day", "2015-07-03", "2015-07-03")),
        ("<Year>2015</Year><Month>Sept</Month><Day>03</Day>", ("2015 Sept 03", "day", "2015-09-03", "2015-09-03")),
        ("<Year>2015</Year><Month>Foo</Month>", ("2015 Foo", "year", "2015-01-01", "2015-12-31")),
        (
            "<Year>2015</Year><Month>Jul</Month><Day>99999999999</Day>",
            ("2015 Jul 99999999999", "year", "2015-01-01", "2015-12-31"),
        ),
        ("<Year>2015</Year><Day>7</Day>", ("2015-7", "year", "2015-01-01", "2015-12-31")),
        ("<Year>2015</Year><Month>13</Month>", ("2015-13", "none", "None", "None")),
        ("<Year>2015</Year><Month>00</Month>", ("2015-00", "none", "None", "None")),
        ("<Year>2015</Year><Month>01</Month><Day>00</Day>", ("2015-01-00", "none", "None", "None")),
        ("<Year>2000</Year><Season>Spring</Season>", ("2000 Spring", "year", "2000-03-01", "2000-05-31")),
        ("<Year>2000</Year><Season>Summer</Season>", ("2000 Summer", "year", "2000-06-01", "2000-08-31")),
        ("<Year>2000</Year><Season>Autumn</Season>", ("2000 Autumn", "year", "2000-09-01", "2000-11-30")),
        ("<Year>2000</Year><Season>Fall</Season>", ("2000 Fall", "year", "2000-09-01", "2000-11-30")),
        ("<Year>2000</Year><Season>Winter</Season>", ("2000 Winter", "year", "2000-01-01", "2000-12-31")),
        ("<MedlineDate>1998 Dec-1999 Jan</MedlineDate>", ("1998 Dec-1999 Jan", "year", "1998-12-01", "1999-01-31")),
        ("", (None, "none", "None", "None")),
    ],
)
def test_the_date_of_an_issue(one, issue, expected):
    assert columns(one(issue=issue), "print") == expected


@pytest.mark.parametrize(
    ("raw", "precision", "earliest", "latest"),
    [
        ("1998 Dec-1999 Jan", "year", "1998-12-01", "1999-01-31"),
        ("2000 Spring", "year", "2000-03-01", "2000-05-31"),
        ("2000 Spring-Summer", "year", "2000-03-01", "2000-08-31"),
        ("1977 Fall-Winter", "year", "1977-09-01", "1977-12-31"),
        ("2000 Winter-Spring", "year", "2000-01-01", "2000-05-31"),
        ("2000 Autumn-Spring", "year", "2000-09-01", "2001-05-31"),
        ("1976-1977 Fall", "year", "1976-01-01", "1977-11-30"),
        ("1976-1977 Fall-Winter", "year", "1976-01-01", "1977-12-31"),
        ("1977-1978", "year", "1977-01-01", "1978-12-31"),
        ("1978-79", "year", "1978-01-01", "1979-12-31"),
        ("1999-00", "year", "1999-01-01", "2000-12-31"),
        ("2004-05", "year", "2004-01-01", "2005-12-31"),
        ("2012-05", "month", "2012-05-01", "2012-05-31"),
        ("2012-05-07", "day", "2012-05-07", "2012-05-07"),
        ("2015 Jul-Aug", "year", "2015-07-01", "2015-08-31"),
        ("2015 Jul - Aug", "year", "2015-07-01", "2015-08-31"),
        ("2011 Mar/Apr", "year", "2011-03-01", "2011-04-30"),
        ("Jul-Aug 2010", "year", "2010-07-01", "2010-08-31"),
        ("2010 December-January", "year", "2010-12-01", "2011-01-31"),
        ("Dec-Jan 1999", "year", "1998-12-01", "1999-01-31"),
        ("2009 Nov 23-2010 Jan", "year", "2009-11-23", "2010-01-31"),
        ("1998 Apr 12-18", "month", "1998-04-12", "1998-04-18"),
        ("1999 Aug 28-Sep 4", "year", "1999-08-28", "1999-09-04"),
        ("2000 Dec 25-2001 Jan 1", "year", "2000-12-25", "2001-01-01"),
        ("2003 Jan/Feb/Mar", "year", "2003-01-01", "2003-03-31"),
        ("2011-Jul", "month", "2011-07-01", "2011-07-31"),
        ("2006-Sep-14", "day", "2006-09-14", "2006-09-14"),
        ("2006 Sep 14", "day", "2006-09-14", "2006-09-14"),
        ("2014", "year", "2014-01-01", "2014-12-31"),
        ("2015 Jul", "month", "2015-07-01", "2015-07-31"),
        ("1999-1998", "year", "1998-01-01", "1999-12-31"),
    ],
)
def test_a_medline_date_becomes_an_interval(raw, precision, earliest, latest):
    expected = PartialDate(raw, precision, date.fromisoformat(earliest), date.fromisoformat(latest))
    assert pubmed_articles.medline_date(raw, DAY) == expected


@pytest.mark.parametrize(
    ("raw", "earliest", "latest"),
    [("2003 3d Quart", "2003-01-01", "2003-12-31"), ("Christmas 1999 to Easter 2000", "1999-01-01", "2000-12-31")],
)
def test_of_a_medline_date_that_is_not_understood_the_years_are_taken(raw, earliest, latest):
    expected = PartialDate(
        raw, "year", date.fromisoformat(earliest), date.fromisoformat(latest), pubmed_articles.ONLY_YEAR
    )
    assert pubmed_articles.medline_date(raw, DAY) == expected


@pytest.mark.parametrize("raw", ["undated", "1998 Feb 30-Mar 2", "1650-1651", "9999 Dec-Jan", "0000 Jan", "12", "Jul"])
def test_an_impossible_medline_date_is_nulled_and_named(raw):
    found = pubmed_articles.medline_date(raw, DAY)
    assert (found.raw, found.precision, found.earliest, found.latest) == (raw, "none", None, None)
    assert found.fault


YEARS = ("1998", "1999", "2000", "0000", "9999", "98", "00")
MONTHS = ("Jan", "feb", "Sept", "DECEMBER", "Spring", "Winter", "Fall", "Quart")
SIGNS = ("1", "12", "31", "32", "0", "-", "/", "–", "to", "&", ",", ".", "٣", "x")
WORDS = st.sampled_from((*YEARS, *MONTHS, *SIGNS))


@given(st.lists(WORDS, max_size=8), st.sampled_from(["", " ", "-"]))
@example(["2000", "-", "Winter"], " ")
def test_a_medline_date_of_any_words_never_raises_and_its_bounds_are_ordered(words, between):
    check_bounds(pubmed_articles.medline_date(between.join(words), DAY))


@given(st.text(max_size=30))
def test_a_medline_date_of_any_text_never_raises_and_its_bounds_are_ordered(text):
    check_bounds(pubmed_articles.medline_date(text, DAY))


def check_bounds(found: PartialDate) -> None:
    assert (found.earliest is None) == (found.latest is None) == (found.precision == "none")
    if found.earliest is None or found.latest is None:
        assert found.fault
        return
    assert found.earliest <= found.latest
    assert (found.earliest == found.latest) == (found.precision == "day")
    if found.precision == "month":
        assert (found.earliest.year, found.earliest.month) == (found.latest.year, found.latest.month)


NOV = "<Year>2014</Year><Month>Nov</Month>"


@pytest.mark.parametrize(
    ("parts", "electronic", "printed"),
    [
        ({"article": day_of("ArticleDate", "2020-05-06", 'DateType="Electronic"')}, "2020-05-06", "2020"),
        ({"article": day_of("ArticleDate", "2020-05-06")}, "2020-05-06", "2020"),
        ({"article": day_of("ArticleDate", "2020-05-06", 'DateType="Other"')}, None, "2020"),
        ({"history": published("epublish", "2020-5-7")}, "2020-5-7", "2020"),
        (
            {"article": day_of("ArticleDate", "2020-05-06"), "history": published("epublish", "2020-5-7")},
            "2020-05-06",
            "2020",
        ),
        (
            {"article": day_of("ArticleDate", "2020-02-31"), "history": published("epublish", "2020-3-1")},
            "2020-3-1",
            "2020",
        ),
        ({"issue": "", "history": published("ppublish", "2020-6-1")}, None, "2020-6-1"),
        # The earliest of each side, and a day wins over the month or year that holds it.
        ({"history": published("ppublish", "2020-6-1") + published("received", "2019-1-1")}, None, "2020-6-1"),
        ({"history": published("ppublish", "2021-6-1")}, None, "2020"),
        ({"issue": NOV, "history": published("ppublish", "2014-9-1")}, None, "2014-9-1"),
        ({"issue": NOV, "history": published("ppublish", "2014-11-12")}, None, "2014-11-12"),
        ({"issue": NOV, "history": published("ppublish", "2014-12-1")}, None, "2014 Nov"),
        (
            {"article": day_of("ArticleDate", "2021-03-10"), "history": published("epublish", "2021-01-05")},
            "2021-01-05",
            "2020",
        ),
        (
            {"article": day_of("ArticleDate", "2021-03-10") + day_of("ArticleDate", "2021-03-09")},
            "2021-03-09",
            "2020",
        ),
        ({"article": day_of("ArticleDate", "2020-02-31"), "issue": "", "history": ""}, "2020-02-31", None),
    ],
)
def test_where_the_dates_come_from(one, parts, electronic, printed):
    row = one(**parts)
    assert (row["electronic_raw"], row["print_raw"]) == (electronic, printed)


MAR = "<Year>2020</Year><Month>Mar</Month>"


@pytest.mark.parametrize(
    ("electronic", "issue", "published_raw"),
    [
        ("2020-03-15", MAR, "2020-03-15"),  # the day inside the month
        ("2020-04-15", MAR, "2020 Mar"),
        ("2020-02-15", MAR, "2020-02-15"),
        ("2020-03", "<Year>2020</Year><Month>Mar</Month><Day>20</Day>", "2020 Mar 20"),
        ("2020-06-15", "<Year>2020</Year>", "2020-06-15"),  # the day inside the year
        ("2020-06-15", "<MedlineDate>2020 May-Jul</MedlineDate>", "2020-06-15"),
        ("2020-06-15", "<Year>2019</Year>", "2019"),
        ("2020", "<Year>2020</Year><Month>Jan</Month>", "2020 Jan"),  # both begin alike: the more exact one
        ("2020", MAR, "2020"),
        ("2020-03-15", "<Year>2020</Year><Month>Mar</Month><Day>10</Day>", "2020 Mar 10"),
        ("", MAR, "2020 Mar"),
        ("2020-03-15", "", "2020-03-15"),
        ("2020-02-31", MAR, "2020 Mar"),
        ("2020-02-31", "", "2020-02-31"),
        ("", "", None),
    ],
)
def test_the_first_publication_is_the_earlier_and_a_day_wins_over_what_contains_it(
    one, electronic, issue, published_raw
):
    row = one(article=day_of("ArticleDate", electronic), issue=issue)
    assert row["published_raw"] == published_raw
    source = "electronic" if published_raw == electronic else "print"
    assert columns(row, "published") == columns(row, source)


# --- the lists ------------------------------------------------------------------------------------------------------


def test_the_publication_types_have_one_meaning_by_number_and_by_label():
    types = pubmed_articles.publication_types()
    assert types["D016449"].is_trial
    assert types["retraction notice"].is_notice
    assert types["retraction of publication"].is_notice
    assert not types["D016441"].is_notice
    assert {types[key].ui for key in ("retraction notice", "retraction of publication")} == {"D016440"}


def test_the_kinds_of_notices_point_from_the_notice_to_the_article():
    spec = tomllib.loads((SCHEMAS / "sources" / "pubmed.toml").read_text(encoding="utf-8"))
    assert all(kind.endswith(("Of", "For", "From")) for kind in spec["words"]["notice"])
