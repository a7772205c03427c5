"""What a release says of itself in the words of others: Frictionless data package, Croissant, citation file, terms of
the sources.

Belongs here: pure functions from the contracts and a list of files to texts. Does not: reading or writing a file.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from pipelines import contracts as contract_files
from pipelines.contracts import Column, Contracts, Table, describe

Row = Mapping[str, Any]

MEDIA_TYPES = {
    "parquet": "application/vnd.apache.parquet",
    "csv": "text/csv",
    "duckdb": "application/vnd.duckdb",
    "md": "text/markdown",
    "json": "application/json",
    "cff": "text/yaml",
}


@dataclass(frozen=True)
class File:
    """One file of a release. rows, table: of a file that holds one table."""

    name: str
    bytes: int
    sha256: str
    rows: int | None = None
    table: str | None = None

    @property
    def format(self) -> str:
        return self.name.rpartition(".")[2]


@dataclass(frozen=True)
class Described:
    """What the descriptions are made of. sources: rows of the table `sources`. files: those that hold data."""

    name: str
    as_of: date
    known: Contracts
    sources: Sequence[Row]
    files: Sequence[File]

    @property
    def title(self) -> str:
        return f"{contract_files.dataset()['title']}, release {self.name}"

    @property
    def loaded(self) -> list[Row]:
        """The sources that the release rests on."""
        return [s for s in self.sources if s["snapshot"]]


def version(name: str) -> str:
    """The name of a release as a version of three numbers, as Croissant wants one: 2026-06-03-2 is 2026.6.3-2."""
    year, month, day, *again = name.split("-")
    return f"{year}.{int(month)}.{int(day)}" + "".join(f"-{n}" for n in again)


def citation(described: Described) -> str:
    """How to cite the release, in one line: it names the registries, whose work it rests on."""
    spec = contract_files.dataset()
    titles = ", ".join(f"{s['title']} ({s['retrieved_at']})" for s in described.loaded)
    return f"{spec['creator']}. {described.title} ({described.as_of}). Made of: {titles}."


# --- Frictionless data package --------------------------------------------------------------------------------------


def data_package(described: Described) -> dict[str, Any]:
    """The release as a data package, version 2."""
    spec = contract_files.dataset()
    return {
        "$schema": "https://datapackage.org/profiles/2.0/datapackage.json",
        "name": spec["name"],
        "title": described.title,
        "description": spec["summary"],
        "homepage": spec["homepage"],
        "version": version(described.name),
        "keywords": spec["keywords"],
        "licenses": [{"name": spec["licence"], "title": spec["licence_title"], "path": spec["licence_url"]}],
        "contributors": [{"title": spec["creator"], "roles": ["creator"]}],
        "sources": [{"title": s["title"], "path": s["url"], "version": s["snapshot"]} for s in described.loaded],
        "resources": [_resource(file, described) for file in described.files],
    }


def _resource(file: File, described: Described) -> dict[str, Any]:
    resource: dict[str, Any] = {
        "name": file.name.removesuffix(".parquet").replace(".", "-").lower(),
        "path": file.name,
        "format": _FORMATS.get(file.format, file.format),
        "mediatype": MEDIA_TYPES[file.format],
        "bytes": file.bytes,
        "hash": f"sha256:{file.sha256}",
    }
    if file.table is None:
        return resource
    table = described.known.tables[file.table]
    is_csv = file.format == "csv"
    return resource | {
        **({"type": "table", "encoding": "utf-8", "rows": file.rows} if is_csv else {}),
        "title": table.title,
        "description": f"{table.meaning} Grain: {table.grain}.",
        "schema": _csv_schema(table, described) if is_csv else _table_schema(table, described.known),
    }


_FORMATS = {"parquet": "apache-parquet"}
"""Not the ending: Frictionless would read such a file by way of pandas, where a missing integer is none, and find fault
with it. So it checks the bytes of the Parquet files, and the values of those that are there as CSV."""


def _table_schema(table: Table, known: Contracts) -> dict[str, Any]:
    schema: dict[str, Any] = {
        "fields": [_field(column, known) for column in table.columns],
        "primaryKey": list(table.key),
    }
    keys = [_foreign_key(c) for c in table.columns if c.references]
    return schema | ({"foreignKeys": keys} if keys else {})


def _csv_schema(table: Table, described: Described) -> dict[str, Any]:
    """As CSV shows it: an empty text is not told from none, and some tables that others refer to are not there."""
    schema = _table_schema(table, described.known)
    for field in schema["fields"]:
        if field["type"] == "string":
            field.get("constraints", {}).pop("required", None)
    there = {file.table for file in described.files if file.format == "csv"}
    keys = schema.pop("foreignKeys", [])
    for key in keys:
        key["reference"]["resource"] += "-csv"
    kept = [key for key in keys if key["reference"]["resource"].removesuffix("-csv") in there]
    return schema | ({"foreignKeys": kept} if kept else {})


def _foreign_key(column: Column) -> dict[str, Any]:
    other, field = str(column.references).split(".")
    return {"fields": [column.name], "reference": {"resource": other, "fields": [field]}}


def _field(column: Column, known: Contracts) -> dict[str, Any]:
    kind = _kind(column.type)
    constraints: dict[str, Any] = {"required": True} if column.required else {}
    if column.vocabulary:
        constraints["enum"] = list(known.vocabularies[column.vocabulary])
    if column.pattern:
        constraints["pattern"] = column.pattern
    for name, bound in (("minimum", column.minimum), ("maximum", column.maximum)):
        if bound is not None and kind in ("integer", "number"):
            constraints[name] = json.loads(bound)
    return {"name": column.name, "type": kind, "description": describe(column), "constraints": constraints}


_KINDS = {"VARCHAR": "string", "BIGINT": "integer", "INTEGER": "integer", "DOUBLE": "number", "BOOLEAN": "boolean",
          "DATE": "date"}  # fmt: skip


def _kind(type_: str) -> str:
    if type_.endswith("[]"):
        return "array"
    return "object" if type_.startswith("STRUCT") else _KINDS[type_]


# --- Croissant ------------------------------------------------------------------------------------------------------

_OF_CROISSANT = ("citeAs", "column", "equivalentProperty", "extract", "field", "fileObject", "fileProperty", "fileSet",
                 "format", "includes", "isLiveDataset", "jsonPath", "key", "md5", "parentField", "path", "recordSet",
                 "references", "regex", "repeated", "replace", "samplingRate", "separator", "source", "subField",
                 "transform")  # fmt: skip
CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "sc": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "dct": "http://purl.org/dc/terms/",
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    **{word: f"cr:{word}" for word in _OF_CROISSANT},
}
"""The words of Croissant 1.0 as linked data."""
_DATA_TYPES = {"string": "sc:Text", "integer": "sc:Integer", "number": "sc:Float", "boolean": "sc:Boolean",
               "date": "sc:Date", "array": "sc:Text", "object": "sc:Text"}  # fmt: skip


def croissant(described: Described) -> dict[str, Any]:
    """The release as a Croissant 1.0 dataset: its files, and a record set for each table."""
    spec = contract_files.dataset()
    return {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": spec["name"],
        "alternateName": described.title,
        "description": spec["summary"],
        "url": spec["homepage"],
        "license": spec["licence_url"],
        "citeAs": citation(described),
        "creator": {"@type": "sc:Organization", "name": spec["creator"]},
        "datePublished": described.as_of.isoformat(),
        "version": version(described.name),
        "keywords": spec["keywords"],
        "isBasedOn": [{"@type": "sc:Dataset", "name": s["title"], "url": s["url"]} for s in described.loaded],
        "distribution": [_file_object(file) for file in described.files],
        "recordSet": [
            _record_set(described.known.tables[f.table], f, described.known)
            for f in described.files
            if f.table and f.format == "parquet"
        ],
    }


def _file_object(file: File) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": file.name,
        "name": file.name,
        "contentUrl": file.name,
        "contentSize": f"{file.bytes} B",
        "encodingFormat": "application/x-parquet" if file.format == "parquet" else MEDIA_TYPES[file.format],
        "sha256": file.sha256,
    }


def _record_set(table: Table, file: File, known: Contracts) -> dict[str, Any]:
    return {
        "@type": "cr:RecordSet",
        "@id": table.name,
        "name": table.name,
        "description": f"{table.meaning} Grain: {table.grain}.",
        "key": [{"@id": f"{table.name}/{c}"} for c in table.key],
        "field": [_croissant_field(table, column, file) for column in table.columns],
    }


def _croissant_field(table: Table, column: Column, file: File) -> dict[str, Any]:
    field: dict[str, Any] = {
        "@type": "cr:Field",
        "@id": f"{table.name}/{column.name}",
        "name": column.name,
        "description": describe(column),
        "dataType": _DATA_TYPES[_kind(column.type)],
        "source": {"fileObject": {"@id": file.name}, "extract": {"column": column.name}},
    }
    if column.type.endswith("[]"):
        field["repeated"] = True
    if column.references:
        field["references"] = {"field": {"@id": column.references.replace(".", "/")}}
    return field


# --- texts ----------------------------------------------------------------------------------------------------------


def citation_file(described: Described) -> str:
    """CITATION.cff, version 1.2.0. Every text is written as JSON writes it, which is YAML too."""
    spec = contract_files.dataset()
    lines = [
        'cff-version: "1.2.0"',
        f"message: {_text('Please cite the release and the registries it is made of.')}",
        "type: dataset",
        f"title: {_text(described.title)}",
        f"version: {_text(described.name)}",
        f"date-released: {_text(described.as_of.isoformat())}",
        f"abstract: {_text(spec['summary'])}",
        f"url: {_text(spec['homepage'])}",
        f"license: {_text(spec['licence'])}",
        "authors:",
        f"  - name: {_text(spec['creator'])}",
        "keywords:",
        *(f"  - {_text(word)}" for word in spec["keywords"]),
        "references:" if described.loaded else "references: []",
    ]
    for source in described.loaded:
        lines += [
            "  - type: database",
            f"    title: {_text(source['title'])}",
            "    authors:",
            f"      - name: {_text(source['publisher'])}",
            f"    url: {_text(source['url'])}",
            f"    version: {_text(source['snapshot'])}",
            f"    date-accessed: {_text(str(source['retrieved_at']))}",
            f"    notes: {_text(source['attribution'])}",
        ]
    return "\n".join(lines) + "\n"


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)


def licences(described: Described) -> str:
    """LICENCES.md: what may be done with the release, and what each source asks for."""
    return "\n".join(_licences(described)) + "\n"


def _licences(described: Described) -> Iterator[str]:
    spec = contract_files.dataset()
    yield from ("# Licence and terms", "", f"{described.title}.", "")
    yield f"Verdicts, links, counts and their arrangement are ours: {spec['licence_title']} ({spec['licence']}),"
    yield f"{spec['licence_url']}. What registries and PubMed say stays under their own terms, below. How to cite:"
    yield from ("", f"> {citation(described)}", "")
    yield "What a source does not let anybody pass on is left out: its rows are missing, its values are empty, and"
    yield "verdicts, links and counts that rest on them stay. An empty value can therefore mean *withheld*, where the"
    yield "source that is named beside it is marked so here and in the table `sources` (`redistributable`)."
    for source in described.sources:
        yield from _source(source)


def _source(source: Row) -> Iterator[str]:
    passed_on = "passed on" if source["redistributable"] else "withheld; what is derived from them is passed on"
    loaded = f"{source['snapshot']}, retrieved {source['retrieved_at']}" if source["snapshot"] else "not loaded"
    yield from ("", f"## {source['title']} (`{source['source']}`)", "")
    for label, text in (
        ("Publisher", f"{source['publisher']}, {source['url']}"),
        ("Licence", source["licence"]),
        ("Terms", source["terms"]),
        ("Name it as", source["attribution"]),
        ("Its rows here", passed_on),
        ("Newest snapshot", loaded),
    ):
        yield f"- **{label}**: {text.rstrip('.')}."


def checksums(hashes: Iterable[tuple[str, str]]) -> str:
    """SHA256SUMS of names and hashes, as `sha256sum -c` reads it."""
    return "".join(f"{sha256}  {name}\n" for name, sha256 in sorted(hashes))
