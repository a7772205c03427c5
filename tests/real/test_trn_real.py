"""Registration numbers in real records: every number a register gave out, and real articles.

Only numbers and register names are taken from the files, so that no failure can print a contact.
"""

import csv
import gzip
import io
import re
import zipfile
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from xml.etree import ElementTree

import pytest

from pipelines import trn
from tests import finder_oracle

DATA = Path(__file__).parents[2].parent / "shared" / "data"

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the real records (../shared/data) are not on this machine")

# The WHO portal's name of a register -> the codes its numbers may have.
REGISTERS = {
    "ANZCTR": {"anzctr"},
    "CHICTR": {"chictr"},
    "CLINICALTRIALS.GOV": {"nct"},
    "CRIS": {"cris"},
    "CTRI": {"ctri"},
    "EU CLINICAL TRIALS REGISTER": {"euctr"},
    "GERMAN CLINICAL TRIALS REGISTER": {"drks"},
    "IRCT": {"irct"},
    "ISRCTN": {"isrctn"},
    "JPRN": {"jrct", "umin", "japic", "jmacct"},
    "LBCTR": {"lbctr"},
    "NETHERLANDS TRIAL REGISTER": {"ntr", "nl"},
    "PACTR": {"pactr"},
    "REBEC": {"rebec"},
    "REPEC": {"repec"},
    "RPCEC": {"rpcec"},
    "SLCTR": {"slctr"},
    "TCTR": {"tctr"},
}

SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def spreadsheet(path: Path) -> Iterator[dict[str, str]]:
    """The rows of the first sheet, by column letter: enough of the format for these files."""
    with zipfile.ZipFile(path) as book:
        strings = [
            "".join(text.text or "" for text in item.iter(f"{SHEET}t"))
            for item in ElementTree.fromstring(book.read("xl/sharedStrings.xml"))
        ]
        sheet = ElementTree.fromstring(book.read("xl/worksheets/sheet1.xml"))
    for row in sheet.iter(f"{SHEET}row"):
        cells = {cell.get("r", "").rstrip("0123456789"): (cell.get("t"), cell.findtext(f"{SHEET}v")) for cell in row}
        yield {
            column: strings[int(value)] if kind == "s" else value
            for column, (kind, value) in cells.items()
            if value is not None
        }


def ictrp_rows(path: Path) -> Iterator[tuple[str, str]]:
    """Trial number and register of every row of an export of the WHO portal."""
    if path.suffix == ".xlsx":
        rows = spreadsheet(path)
        columns = {name.replace("_", " "): column for column, name in next(rows).items()}
        for row in rows:
            yield row[columns["TrialID"]], row[columns["Source Register"]]
    elif path.name.endswith(".xml.gz"):
        with gzip.open(path) as payload:
            for trial in ElementTree.parse(payload).getroot():
                yield trial.findtext("TrialID", ""), trial.findtext("Source_Register", "")
    else:
        csv.field_size_limit(2**30)
        with gzip.open(path, "rt", encoding="utf-8-sig", newline="") as lines:
            for record in csv.DictReader(lines):
                yield record["TrialID"], record["Source Register"]


ICTRP_FILES = sorted(
    path for path in (DATA / "ictrp").glob("*") if path.suffix == ".xlsx" or path.name.endswith((".csv.gz", ".xml.gz"))
)


@pytest.mark.parametrize("path", ICTRP_FILES, ids=lambda path: path.name)
def test_every_number_of_the_who_portal_is_of_its_register(path: Path) -> None:
    rows = list(ictrp_rows(path))
    assert len(rows) > 500
    wrong = []
    for number, register in rows:
        whole = trn.canonical(number)
        claims = {rule.registry for rule in trn.RULES if rule.number.fullmatch(number.strip())}
        found = [hit.canonical for hit in trn.find(f"registered as {number}.") if hit.kind == "number"]
        if not whole or claims != {whole.registry} or found != [whole.canonical]:
            wrong.append((number, claims, found))
        elif whole.registry not in REGISTERS[register.upper()] or trn.is_placeholder(whole.canonical):
            wrong.append((number, register, whole))
    assert wrong == []


def test_every_kind_of_number_of_the_who_portal_was_there() -> None:
    seen = defaultdict(set)
    for path in ICTRP_FILES:
        for number, register in ictrp_rows(path):
            seen[register.upper()].add(trn.canonical(number))
    assert set(seen) == set(REGISTERS)
    assert sum(map(len, seen.values())) > 4000


def payloads(path: Path) -> Iterator[bytes]:
    """The bytes of a compressed file, or of each member of a zip."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as members:
            yield from (members.read(name) for name in members.namelist())
    else:
        yield gzip.decompress(path.read_bytes())


def test_every_number_of_clinicaltrials_gov_is_its_own_canonical_form() -> None:
    numbers = {
        match.decode()
        for path in sorted((DATA / "ctgov-api-v2").iterdir())
        for payload in payloads(path)
        for match in re.findall(rb'"nctId":\s*"([^"]*)"', payload)
    }
    assert len(numbers) > 1000
    odd = {number for number in numbers if trn.canonical(number) != (number, number, "nct", None, 0, 11, "number")}
    assert odd == set()


def articles(name: str) -> dict[str, tuple[str, list[tuple[str, str]]]]:
    """By PMID: title and abstract, and the entries of data banks (name, accession)."""
    found = {}
    with gzip.open(DATA / "pubmed" / name) as payload:
        for _, article in ElementTree.iterparse(io.BytesIO(payload.read())):
            if article.tag != "PubmedArticle":
                continue
            parts = [
                *article.iterfind(".//Article/ArticleTitle"),
                *article.iterfind(".//Article/Abstract/AbstractText"),
            ]
            text = "\n".join("".join(part.itertext()) for part in parts)
            entries = [
                (bank.findtext("DataBankName", ""), entry.text or "")
                for bank in article.iterfind(".//DataBankList/DataBank")
                for entry in bank.iterfind(".//AccessionNumber")
            ]
            found[article.findtext("MedlineCitation/PMID", "")] = text, entries
            article.clear()
    return found


@cache
def modern() -> dict[str, tuple[str, list[tuple[str, str]]]]:
    """No fixture: pytest prints those when a test fails, and articles are not for printing."""
    return (
        articles("pubmed21n1298.trimmed.xml.gz") | articles("pubmed21n1063.xml.gz") | articles("pubmed20n1015.xml.gz")
    )


@pytest.mark.parametrize(("pmid", "number"), [("34088322", "NCT02665754"), ("33234656", "NCT04380987")])
def test_known_links_are_found(pmid: str, number: str) -> None:
    text, entries = modern()[pmid]
    assert number in {hit.canonical for hit in trn.find(text)}
    assert number in {hit.canonical for name, accession in entries for hit in trn.in_data_bank(name, accession)}


@pytest.mark.parametrize(
    ("pmid", "number"),
    [
        ("33713769", "NCT03111628"),
        ("32865700", "NCT04320615"),
        ("33794050", "NCT00499499"),
        ("33864232", "NCT04523831"),
        ("34086287", "NCT00004216"),
        ("34097193", "NCT04357730"),
    ],
)
def test_numbers_that_only_the_reference_list_or_the_register_names_are_not_found(pmid: str, number: str) -> None:
    assert number not in {hit.canonical for hit in trn.find(modern()[pmid][0])}


@pytest.mark.parametrize(
    ("pmid", "spellings"),
    [
        ("31840222", {"NTR 3912": "NTR3912", "EudraCT 2012-001909-24": "2012-001909-24"}),
        ("33515500", {"NTR4132": "NTR4132", "NL3847": "NL3847"}),
        ("34095602", {"NL6791": "NL6791", "NTR6977": "NTR6977"}),
        ("33876660", {"DRKS00015308": "DRKS00015308"}),
        ("34096500", {"ISRCTN474042962": ""}),
    ],
)
def test_odd_spellings_of_real_articles(pmid: str, spellings: dict[str, str]) -> None:
    assert {hit.raw: hit.canonical for hit in trn.find(modern()[pmid][0])} == spellings


def test_data_bank_entries_of_real_articles_are_read() -> None:
    registers = {"ClinicalTrials.gov", "ISRCTN", "EudraCT", "DRKS", "IRCT"}
    entries = [entry for _, entries in modern().values() for entry in entries]
    hits = [(name, accession, trn.in_data_bank(name, accession)) for name, accession in entries]
    assert [entry for entry in hits if entry[0] not in registers and entry[2]] == []
    unread = {
        accession for name, accession, found in hits if name in registers and [h.kind for h in found] != ["number"]
    }
    assert unread == {"ISRCTN474042962"}
    assert sum(len(found) for *_, found in hits) > 70


def test_find_many_gives_what_python_re_gives() -> None:
    """Each pattern through Python's `re`, over the whole text, against openings in one RE2 scan."""
    texts = [text for text, _ in modern().values()]
    found = trn.find_many(texts)
    # A text that differs is no text to print.
    differing = [place for place, text in enumerate(texts) if found[place] != finder_oracle.find(text)]
    assert differing == []
    assert sum(map(len, found)) > 100
