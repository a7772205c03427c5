"""Small worlds for tests: made-up studies and articles, and the tables that the queries make of them.

Numbers lie in ranges that no registry has issued. Everything is real but the content: real files, real readers, real
DuckDB. Great Expectations is left out here, since it takes seconds; whole builds are in `integration`.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from pipelines import build, contests, importing, snapshots, store
from pipelines.contracts import contracts
from pipelines.identity import adjudications
from pipelines.importing import Import
from pipelines.queries import Query
from pipelines.settings import Settings

AS_OF = date(2024, 6, 30)


SMALL = {code: (1, 1_000_000) for code, source in contracts().sources.items() if source.fetch}
"""Volume bands for worlds that are a few records of their sources, on purpose."""


def settings(data: Path) -> Settings:
    return Settings(data=data, threads=2, memory_limit="1GB", volume_bands=SMALL)


def nct(number: int) -> str:
    return f"NCT9{number:07d}"


def study(number: int, **fields: Any) -> dict[str, Any]:
    """An API v2 study: interventional, completed, registered in time; `fields` change or (None) remove what they name.

    start, pcd, cd: a date or (date, type). Others: status, study_type, registered, enrolment (count or (count, type)),
    phases, sponsor, sponsor_class, results (first submitted, posted), aliases, secondary, references, events, docs,
    updated, and `extra`, a dict laid over the whole study.
    """
    f: dict[str, Any] = {
        "status": "COMPLETED", "study_type": "INTERVENTIONAL", "registered": "2019-12-01", "start": "2020-01-15",
        "pcd": "2021-03-10", "cd": "2021-06-10", "enrolment": 50, "phases": ["PHASE2"], "sponsor": "Example University",
        "sponsor_class": "OTHER", "results": None, "aliases": None, "secondary": None, "references": None,
        "events": None, "updated": "2023-01-01", "has_results": None, "extra": {},
    } | fields  # fmt: skip
    status = {
        "overallStatus": f["status"],
        "startDateStruct": _date(f["start"]),
        "primaryCompletionDateStruct": _date(f["pcd"]),
        "completionDateStruct": _date(f["cd"]),
        "studyFirstSubmitDate": f["registered"],
        "lastUpdatePostDateStruct": _date(f["updated"]),
    }
    if f["results"]:
        submitted, posted = f["results"]
        status |= {"resultsFirstSubmitDate": submitted, "resultsFirstPostDateStruct": _date(posted)}
    count, kind = f["enrolment"] if isinstance(f["enrolment"], tuple) else (f["enrolment"], "ACTUAL")
    made: dict[str, Any] = {
        "protocolSection": {
            "identificationModule": {
                "nctId": nct(number),
                "nctIdAliases": f["aliases"],
                "orgStudyIdInfo": {"id": f"EX-{number}"},
                "secondaryIdInfos": f["secondary"],
                "briefTitle": f"Invented study {number}",
            },
            "statusModule": status,
            "sponsorCollaboratorsModule": {"leadSponsor": {"name": f["sponsor"], "class": f["sponsor_class"]}},
            "designModule": {
                "studyType": f["study_type"],
                "phases": f["phases"],
                "enrollmentInfo": {"count": count, "type": kind},
            },
            "referencesModule": {"references": f["references"]},
        },
        "hasResults": bool(f["results"]) if f["has_results"] is None else f["has_results"],
    }
    if f["events"]:
        events = [{"type": kind} | ({"date": day} if day else {"dateUnknown": True}) for kind, day in f["events"]]
        made["annotationSection"] = {"annotationModule": {"unpostedAnnotation": {"unpostedEvents": events}}}
    return _without_nulls(_laid_over(made, f["extra"]))


def _date(value: Any) -> dict[str, str] | None:
    if value is None:
        return None
    day, kind = value if isinstance(value, tuple) else (value, "ACTUAL")
    return {"date": day, "type": kind}


def _laid_over(base: Any, extra: Any) -> Any:
    if isinstance(base, dict) and isinstance(extra, dict):
        return {k: _laid_over(base.get(k), extra[k]) if k in extra else base[k] for k in {**base, **extra}}
    return extra


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        kept = {k: _without_nulls(v) for k, v in value.items()}
        return {k: v for k, v in kept.items() if v is not None and v != {}}
    return value


def article(pmid: int, **fields: Any) -> str:
    """A PubmedArticle; fields: version, title, abstract, bank (accession numbers), date (year, month, day as written),
    electronic (ISO day), types (UI, label), cited_numbers (in the reference list only), corrections (RefType, PMID)."""
    f: dict[str, Any] = {
        "version": 1, "title": "Invented drug against placebo.", "abstract": "", "bank": (),
        "date": ("2022", "Feb", "03"), "electronic": None, "types": (("D016449", "Randomized Controlled Trial"),), "cited_numbers": "",
        "corrections": (), "revised": "2024-06-20", "doi": f"10.99999/{pmid}",
    } | fields  # fmt: skip
    parts = zip(("Year", "Month", "Day"), f["date"], strict=False)
    printed = "".join(f"<{tag}>{text}</{tag}>" for tag, text in parts)
    abstract = f"<Abstract><AbstractText>{f['abstract']}</AbstractText></Abstract>" if f["abstract"] else ""
    numbers = "".join(f"<AccessionNumber>{n}</AccessionNumber>" for n in f["bank"])
    bank = (
        "<DataBankList><DataBank><DataBankName>ClinicalTrials.gov</DataBankName>"
        f"<AccessionNumberList>{numbers}</AccessionNumberList></DataBank></DataBankList>" if numbers else ""
    )  # fmt: skip
    types = "".join(f'<PublicationType UI="{ui}">{label}</PublicationType>' for ui, label in f["types"])
    electronic = ""
    if f["electronic"]:
        year, month, day = f["electronic"].split("-")
        electronic = f'<ArticleDate DateType="Electronic"><Year>{year}</Year><Month>{month}</Month><Day>{day}</Day></ArticleDate>'
    corrections = "".join(
        f'<CommentsCorrections RefType="{kind}"><RefSource>x</RefSource><PMID Version="1">{other}</PMID>'
        "</CommentsCorrections>" for kind, other in f["corrections"]
    )  # fmt: skip
    corrections = f"<CommentsCorrectionsList>{corrections}</CommentsCorrectionsList>" if corrections else ""
    references = (
        f"<ReferenceList><Reference><Citation>{f['cited_numbers']}</Citation></Reference></ReferenceList>"
        if f["cited_numbers"] else ""
    )  # fmt: skip
    revised = ""
    if f["revised"]:
        year, month, day = f["revised"].split("-")
        revised = f"<DateRevised><Year>{year}</Year><Month>{month}</Month><Day>{day}</Day></DateRevised>"
    return (
        f'<PubmedArticle><MedlineCitation Status="MEDLINE" Owner="NLM"><PMID Version="{f["version"]}">{pmid}</PMID>'
        f'{revised}<Article PubModel="Print"><Journal><JournalIssue CitedMedium="Print"><PubDate>{printed}</PubDate>'
        f"</JournalIssue><Title>Invented Journal</Title></Journal><ArticleTitle>{f['title']}</ArticleTitle>{abstract}"
        f"<Language>eng</Language>{bank}<PublicationTypeList>{types}</PublicationTypeList>{electronic}</Article>"
        f"<MedlineJournalInfo><MedlineTA>Inv J</MedlineTA></MedlineJournalInfo>{corrections}</MedlineCitation>"
        f'<PubmedData><ArticleIdList><ArticleId IdType="pubmed">{pmid}</ArticleId>'
        f'<ArticleId IdType="doi">{f["doi"]}</ArticleId></ArticleIdList>{references}</PubmedData></PubmedArticle>'
    )


def article_set(*articles: str, deleted: Sequence[int] = ()) -> str:
    deletions = "".join(f'<PMID Version="1">{pmid}</PMID>' for pmid in deleted)
    deletions = f"<DeleteCitation>{deletions}</DeleteCitation>" if deletions else ""
    return (
        f"<?xml version='1.0' encoding='utf-8'?>\n<PubmedArticleSet>{''.join(articles)}{deletions}</PubmedArticleSet>"
    )


def put_studies(
    data: Path, day: date, studies: Sequence[Mapping[str, Any]], name: str = "studies.json", scope: str = "partial"
) -> None:
    """Imports the studies as one JSON array."""
    put_file(data, "ctgov", day, name, json.dumps(list(studies)), scope)


def put_file(
    data: Path, source: str, day: date, name: str, text: str, scope: str = "partial", baseline: bool = False
) -> None:
    folder = data.parent / "dumps" / f"{day}-{scope}"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")
    importing.take(data, Import(source, day, (folder / name,), scope, baseline))


@contextmanager
def tables(
    data: Path, as_of: date = AS_OF, adjudicated: Sequence[str] = (), contested: Sequence[str] = ()
) -> Iterator[duckdb.DuckDBPyConnection]:
    """All relations that the queries make of what was imported into `data`; `adjudicated` are rows of decisions,
    `contested` rows of contests."""
    decisions = data / "adjudications.csv"
    decisions.write_text("\n".join([",".join(adjudications.FIELDS), *adjudicated, ""]), encoding="utf-8")
    chosen = replace(settings(data), adjudications=decisions, contests=data / "contests.csv")
    chosen.contests.write_text("\n".join([",".join(contests.FIELDS), *contested, ""]), encoding="utf-8")
    taken = snapshots.listed(data, as_of)
    registers = build.read_registers(chosen, taken)
    articles = build.read_articles(chosen, taken, registers)
    with store.connect() as connection:
        build.prepare(connection, contracts(), as_of, [*registers, *articles])
        adjudications.fill(connection, adjudications.read(chosen.adjudications, as_of))
        contests.fill(connection, contests.read(chosen.contests, as_of))
        build.run_queries(connection, data, as_of)
        yield connection


def make_again(connection: duckdb.DuckDBPyConnection, chosen: Sequence[Query]) -> None:
    """Makes relations of a world again, in the order given: each after what it needs."""
    for query in reversed(chosen):
        connection.execute(f'DROP {"VIEW" if query.is_view else "TABLE"} "{query.name}"')
    for query in chosen:
        build.run_query(connection, query)


def as_written(connection: duckdb.DuckDBPyConnection) -> None:
    """The published relations as a finished build holds them: the policies' legs as tables too."""
    for policy in contracts().policies.values():
        connection.execute(f'ALTER VIEW "{policy.table}" RENAME TO not_written_yet')
        connection.execute(f'CREATE TABLE "{policy.table}" AS FROM not_written_yet')
        connection.execute("DROP VIEW not_written_yet")


def rows(connection: duckdb.DuckDBPyConnection, sql: str) -> list[tuple[Any, ...]]:
    return connection.sql(sql).fetchall()
