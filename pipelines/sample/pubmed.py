"""Writes articles as PubMed's yearly baseline and its update files.

Belongs here: the XML of an article with the irregularities of the real files, their numbering, checksums and
deletions. Does not belong here: which articles exist and what follows from them (`papers.py`).

Baseline files are written as the trials come. What belongs into later files goes to one file per update at once, under
a passing name, because its number follows the baseline's last, which is known only at the end: so nothing is held.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Final

from pipelines.sample import names
from pipelines.sample.days import BASELINE, PUBMED_UPDATES, Draw
from pipelines.sample.output import GzipFile
from pipelines.sample.papers import STAGES, Paper, Printed, background

FILE_ARTICLES: Final = 30_000

_HEAD: Final = (
    b'<?xml version="1.0" encoding="utf-8"?>\n'
    b'<!DOCTYPE PubmedArticleSet PUBLIC "-//NLM//DTD PubMedArticle, 1st January 2026//EN" '
    b'"https://dtd.nlm.nih.gov/ncbi/pubmed/out/pubmed_260101.dtd">\n<PubmedArticleSet>\n'
)

TYPES: Final = {
    "Journal Article": "D016428",
    "Randomized Controlled Trial": "D016449",
    "Clinical Trial Protocol": "D000078325",
    "Review": "D016454",
    "Systematic Review": "D000078182",
    "Meta-Analysis": "D017418",
    "Comment": "D016420",
    "Editorial": "D016421",
    "Letter": "D016422",
    "News": "D016433",
    "Published Erratum": "D016425",
    "Retracted Publication": "D016441",
    "Retraction of Publication": "D016440",
    "Retraction Notice": "D016440",
    "Case Reports": "D002363",
    "Preprint": "D000076942",
}
_TYPE_XML: Final = {label: f'<PublicationType UI="{ui}">{label}</PublicationType>' for label, ui in TYPES.items()}
_MONTHS: Final = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

_ABSTRACT: Final = (
    ("BACKGROUND", "BACKGROUND", "Treatment options remain few, and <i>long-term</i> data are scarce."),
    ("METHODS", "METHODS", "Adults were assigned (1:1) to treatment or control and followed by blinded assessors."),
    (
        "RESULTS",
        "RESULTS",
        "The primary outcome differed by 4.1 points (95% CI 1.9-6.3; P&lt;0.001, n=10<sup>2</sup>).",
    ),
    ("CONCLUSIONS", "CONCLUSIONS", "The treatment was well tolerated &amp; its effect lasted for one year."),
)
_STRUCTURED: Final = "".join(
    f'<AbstractText Label="{label}" NlmCategory="{category}">{text}</AbstractText>'
    for label, category, text in _ABSTRACT
)
_FLAT: Final = " ".join(text for _label, _category, text in _ABSTRACT)
_MESH: Final = (
    '<MeshHeadingList><MeshHeading><DescriptorName UI="D006801" MajorTopicYN="N">Humans</DescriptorName></MeshHeading>'
    '<MeshHeading><DescriptorName UI="D016896" MajorTopicYN="Y">Treatment Outcome</DescriptorName>'
    '<QualifierName UI="Q000150" MajorTopicYN="N">drug effects</QualifierName></MeshHeading></MeshHeadingList>'
)
_AUTHORS: Final = tuple(
    f'<Author ValidYN="Y"><LastName>{last}</LastName><ForeName>{first}</ForeName><Initials>{first[0]}</Initials>'
    f"<AffiliationInfo><Affiliation>University of {names.place(place)}. "
    f"{names.email(f'{first} {last}')}.</Affiliation></AffiliationInfo></Author>"
    for place, (last, first) in enumerate(zip(names.SURNAMES, names.FORENAMES, strict=False))
)

_JOURNALS: Final = tuple(
    (
        f"<Title>{journal.title}</Title><ISOAbbreviation>{journal.short}</ISOAbbreviation></Journal>",
        (
            f"<MedlineJournalInfo><Country>{journal.country}</Country><MedlineTA>{journal.short}</MedlineTA>"
            f"<NlmUniqueID>{journal.nlm}</NlmUniqueID></MedlineJournalInfo>"
        ),
        f'<Journal><ISSN IssnType="Electronic">{journal.issn}</ISSN><JournalIssue CitedMedium="Internet">',
    )
    for journal in names.JOURNALS
)


def _printed(printed: Printed, quirk: int) -> str:
    year = f"<Year>{printed.year}</Year>"
    if printed.form == "medline":
        return f"<MedlineDate>{printed.text}</MedlineDate>"
    if printed.form == "season":
        return f"{year}<Season>{printed.text}</Season>"
    if printed.form == "year":
        return year
    # Months are words in most files and numbers in some.
    month = f"{printed.month:02d}" if quirk % 5 == 0 else _MONTHS[printed.month - 1]
    day = f"<Day>{printed.day:02d}</Day>" if printed.form == "day" else ""
    return f"{year}<Month>{month}</Month>{day}"


def _day(day: date) -> str:
    return f"<Year>{day.year}</Year><Month>{day.month:02d}</Month><Day>{day.day:02d}</Day>"


def _abstract(paper: Paper) -> str:
    if paper.structured:
        text = _STRUCTURED
        if paper.abstract:
            text += f'<AbstractText Label="TRIAL REGISTRATION" NlmCategory="UNASSIGNED">{paper.abstract}</AbstractText>'
        if paper.quirk % 6 == 1:
            text += '<AbstractText Label="LEVEL OF EVIDENCE: 4"/>'
    elif not paper.abstract and paper.quirk % 4 == 2:
        # Real records have no abstract, or an empty one.
        return "<Abstract><AbstractText/></Abstract>" if paper.quirk % 8 == 2 else ""
    else:
        text = f"<AbstractText>{_FLAT} {paper.abstract}</AbstractText>"
    if paper.quirk % 3 == 0:
        text += "<CopyrightInformation>© Invented Press.</CopyrightInformation>"
    return f"<Abstract>{text}</Abstract>"


def _authors(paper: Paper) -> str:
    pick = paper.pmid % (len(_AUTHORS) - 1)
    people = _AUTHORS[pick] + _AUTHORS[pick + 1]
    if paper.collective:
        people += f'<Author ValidYN="Y"><CollectiveName>{paper.collective}</CollectiveName></Author>'
    return f'<AuthorList CompleteYN="Y">{people}</AuthorList>'


def _banks(paper: Paper) -> str:
    if not paper.banks:
        return ""
    numbers: dict[str, str] = {}
    for bank, number in paper.banks:
        numbers[bank] = numbers.get(bank, "") + f"<AccessionNumber>{number}</AccessionNumber>"
    if paper.quirk % 10 == 3:
        numbers["figshare"] = f"<AccessionNumber>10.99999/fig.{paper.pmid}</AccessionNumber>"
    banks = "".join(
        f"<DataBank><DataBankName>{bank}</DataBankName><AccessionNumberList>{listed}</AccessionNumberList></DataBank>"
        for bank, listed in numbers.items()
    )
    return f'<DataBankList CompleteYN="Y">{banks}</DataBankList>'


def _notes(paper: Paper) -> str:
    if not paper.notes:
        return ""
    listed = "".join(
        f'<CommentsCorrections RefType="{kind}"><RefSource>Fict J. 2025;1:2</RefSource>'
        f'<PMID Version="1">{pmid}</PMID></CommentsCorrections>'
        for kind, pmid in paper.notes
    )
    return f"<CommentsCorrectionsList>{listed}</CommentsCorrectionsList>"


def _citations(paper: Paper) -> str:
    """The reference list, with article numbers of its own that are not the article's."""
    if not paper.cited and paper.quirk % 7:
        return ""
    listed = "".join(
        f"<Reference><Citation>ClinicalTrials.gov. A study in progress. {number}; "
        f"https://clinicaltrials.gov/study/{number}</Citation></Reference>"
        for number in paper.cited
    )
    other = names.spare_pmid(900_000 + paper.pmid % 1000)
    return (
        f"<ReferenceList><Title>References</Title>{listed}<Reference><Citation>Fict J. 2011;4:5-6</Citation>"
        f'<ArticleIdList><ArticleId IdType="pubmed">{other}</ArticleId>'
        f'<ArticleId IdType="doi">{names.doi(other, 1)}</ArticleId></ArticleIdList></Reference></ReferenceList>'
    )


def article(paper: Paper, revised: date) -> str:
    """One `PubmedArticle`."""
    quirk, pmid, dated = paper.quirk, paper.pmid, paper.dated
    title, about, journal = _JOURNALS[pmid % len(_JOURNALS)]
    entered = dated.online or dated.day
    doi = names.doi(pmid, paper.version)
    indexed = quirk % 3 != 1
    state = "MEDLINE" if indexed else ("PubMed-not-MEDLINE", "In-Process", "Publisher")[quirk % 9 // 3]
    version = f' VersionID="{paper.version}" VersionDate="{revised:%Y/%m/%d}"' if paper.version > 1 else ""
    model = "Print-Electronic" if dated.online else "Print"
    online = f'<ArticleDate DateType="Electronic">{_day(dated.online)}</ArticleDate>' if dated.online else ""
    vernacular = "<VernacularTitle>Ein erfundener Titel.</VernacularTitle>" if paper.title[0] == "[" else ""
    keyword = f'<Keyword MajorTopicYN="N">{paper.keyword}</Keyword>' if paper.keyword else ""
    eloc = f'<ELocationID EIdType="doi" ValidYN="Y">{doi}</ELocationID>' if quirk % 4 else ""
    types = "".join([_TYPE_XML[label] for label in paper.types])
    return (
        f'<PubmedArticle><MedlineCitation Status="{state}"{version} Owner="NLM">'
        f'<PMID Version="{paper.version}">{pmid}</PMID><DateRevised>{_day(revised)}</DateRevised>'
        f'<Article PubModel="{model}">{journal}<Volume>{pmid % 80 + 1}</Volume><Issue>{pmid % 12 + 1}</Issue>'
        f"<PubDate>{_printed(dated.printed, quirk)}</PubDate></JournalIssue>{title}"
        f"<ArticleTitle>{paper.title}</ArticleTitle><Pagination><MedlinePgn>{pmid % 900}-{pmid % 900 + 8}</MedlinePgn>"
        f"</Pagination>{eloc}{_abstract(paper)}{_authors(paper)}<Language>eng</Language>{_banks(paper)}"
        f"<PublicationTypeList>{types}</PublicationTypeList>"
        f"{vernacular}{online}</Article>{about}{_notes(paper)}{_MESH if indexed else ''}"
        f'<KeywordList Owner="NOTNLM"><Keyword MajorTopicYN="Y">therapy</Keyword>{keyword}</KeywordList>'
        '</MedlineCitation><PubmedData><History><PubMedPubDate PubStatus="entrez">'
        f"<Year>{entered.year}</Year><Month>{entered.month}</Month><Day>{entered.day}</Day><Hour>6</Hour>"
        "<Minute>0</Minute></PubMedPubDate></History>"
        f"<PublicationStatus>{'epublish' if dated.online else 'ppublish'}</PublicationStatus><ArticleIdList>"
        f'<ArticleId IdType="pubmed">{pmid}</ArticleId><ArticleId IdType="doi">{doi}</ArticleId></ArticleIdList>'
        f"{_citations(paper)}</PubmedData></PubmedArticle>\n"
    )


class _Stage:
    """The files of the baseline, or of one update."""

    def __init__(self, folder: Path, stage: int, served: date) -> None:
        self._folder = folder
        self._stage = stage
        self._served = served
        self._file: GzipFile | None = None
        self._held = 0
        self.written: list[tuple[Path, str]] = []
        """Each file, under its passing name, with its md5."""
        self.articles = 0

    def add(self, paper: Paper) -> None:
        if self._file is None or self._held == FILE_ARTICLES:
            self.roll()
        assert self._file is not None
        self._file.write(article(paper, self._served).encode())
        self._held += 1
        self.articles += 1

    def roll(self, ending: str = "") -> None:
        """Ends the file at hand and begins the next."""
        self.end(ending)
        self._file = GzipFile(self._folder / f"writing-{self._stage}-{len(self.written) + 1:04d}.part")
        self._file.write(_HEAD)
        self._held = 0

    def end(self, ending: str = "") -> None:
        if self._file is not None:
            self._file.write(f"{ending}</PubmedArticleSet>\n".encode())
            self.written.append((self._file.path, self._file.close()))
            self._file = None

    def abandon(self) -> None:
        if self._file is not None:
            self._file.abandon()


class PubmedWriter:
    """Writes PubMed's files, article by article."""

    def __init__(self, folder: Path, draw: Draw) -> None:
        self._folder = folder
        self._stages = [_Stage(folder, stage, day) for stage, day in enumerate((BASELINE, *PUBMED_UPDATES))]
        self._deleted: list[list[tuple[int, int]]] = [[] for _ in range(STAGES)]
        self._spare = 0
        for stage in range(STAGES):
            # No file is empty, however small the world.
            for _ in range(3):
                self._fill(draw, stage)

    def _fill(self, draw: Draw, stage: int) -> None:
        self.add(stage, background(draw, names.spare_pmid(self._spare), stage))
        self._spare += 1

    @property
    def articles(self) -> int:
        return sum(stage.articles for stage in self._stages)

    def add(self, stage: int, paper: Paper) -> None:
        self._stages[stage].add(paper)

    def delete(self, stage: int, pmid: int, version: int) -> None:
        """Asks for a deletion at the end of an update: a few in a thousand trials, so they can wait in memory."""
        self._deleted[stage].append((pmid, version))

    def halve(self, draw: Draw) -> None:
        """Begins the second baseline file, unless there is one: a baseline has at least two."""
        if not self._stages[0].written:
            self._stages[0].roll()
            self._fill(draw, 0)

    def close(self) -> list[list[str]]:
        """Ends all files, gives them their numbers, and returns their names by stage."""
        number = 0
        named: list[list[str]] = []
        for stage, deleted in zip(self._stages, self._deleted, strict=True):
            listed = "".join(f'<PMID Version="{version}">{pmid}</PMID>' for pmid, version in deleted)
            stage.end(f"<DeleteCitation>{listed}</DeleteCitation>" if listed else "")
            named.append([])
            for path, md5 in stage.written:
                number += 1
                name = f"pubmed26n{number:04d}.xml.gz"
                path.replace(self._folder / name)
                (self._folder / f"{name}.md5").write_text(f"MD5({name})= {md5}\n", encoding="ascii")
                named[-1].append(name)
        return named

    def abandon(self) -> None:
        """Lets go of the files, whole or not."""
        for stage in self._stages:
            stage.abandon()
