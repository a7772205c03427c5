"""The interfaces of the sources, each as an app that answers from the records it is given; see `server`.

They speak as shared/formats describes the real ones, as far as the fetchers ask.
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.replay.server import Answer, Asked

Study = Mapping[str, Any]


def _query(path: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(path).query).items()}


def _json(value: Any, status: int = 200) -> Answer:
    return Answer(json.dumps(value).encode(), status=status)


def number_of(study: Study) -> str:
    return str(study["protocolSection"]["identificationModule"]["nctId"])


def updated_of(study: Study) -> str:
    return str(study["protocolSection"]["statusModule"]["lastUpdatePostDateStruct"]["date"])


@dataclass
class Ctgov:
    """ClinicalTrials.gov's API v2. A token holds the offset and the mark of the data, and is refused once the data are
    others. histories: by number, the versions of a record."""

    studies: Sequence[Study]
    version: str = "2024-06-03T09:00:04"
    histories: Mapping[str, Sequence[Study]] = field(default_factory=dict)

    def __call__(self, asked: Asked) -> Answer:
        path = urlsplit(asked.path).path
        if path == "/v2/version":
            return _json({"apiVersion": "2.0.5", "dataTimestamp": self.version})
        if path == "/v2/studies":
            return self._page(_query(asked.path))
        if match := re.fullmatch(r"/int/studies/(NCT\d+)(?:/history/(\d+))?", path):
            return self._history(match[1], match[2])
        return Answer(b"not found", "text/plain", 404)

    def _page(self, query: dict[str, str]) -> Answer:
        found = sorted(self.studies, key=number_of)
        if since := re.search(r"RANGE\[([\d-]+),MAX\]", query.get("query.term", "")):
            found = [s for s in found if updated_of(s) >= since[1]]
        if "fields" in query:
            found = [{"protocolSection": {"identificationModule": {"nctId": number_of(s)}}} for s in found]
        start, size = 0, int(query["pageSize"])
        if "pageToken" in query:
            place, _, version = query["pageToken"].partition("~")
            if version != self.version:
                return Answer(b"invalid pageToken", "text/plain", 400)
            start = int(place)
        page: dict[str, Any] = {"studies": found[start : start + size]}
        if start == 0:
            page["totalCount"] = len(found)
        if start + size < len(found):
            page["nextPageToken"] = f"{start + size}~{self.version}"
        return _json(page)

    def _history(self, number: str, version: str | None) -> Answer:
        versions = self.histories.get(number)
        if versions is None:
            return Answer(b"not found", "text/plain", 404)
        if version is not None:
            return _json({"study": versions[int(version)]})
        changes = [{"version": i, "date": updated_of(s), "moduleLabels": []} for i, s in enumerate(versions)]
        return _json({"study": versions[-1], "history": {"changes": changes}})


@dataclass
class Ncbi:
    """NLM's files and efetch. baseline, updates: content by file name. articles: XML by PMID. unready: files whose
    checksum is not there yet."""

    baseline: dict[str, bytes]
    updates: dict[str, bytes]
    articles: Mapping[int, str] = field(default_factory=dict)
    unready: frozenset[str] = frozenset()

    def __call__(self, asked: Asked) -> Answer:
        path = urlsplit(asked.path).path
        if path == "/entrez/eutils/efetch.fcgi":
            wanted = [int(n) for n in _query(asked.path)["id"].split(",")]
            body = "".join(self.articles.get(n, "") for n in wanted)
            return Answer(f"<?xml version='1.0'?>\n<PubmedArticleSet>{body}</PubmedArticleSet>".encode(), "text/xml")
        match = re.fullmatch(r"/pubmed/(baseline|updatefiles)/([\w.]*)", path)
        if not match:
            return Answer(b"not found", "text/plain", 404)
        files = self.baseline if match[1] == "baseline" else self.updates
        if not match[2]:
            return self._index(files)
        name = match[2].removesuffix(".md5")
        if name not in files:
            return Answer(b"not found", "text/plain", 404)
        digest = hashlib.md5(files[name], usedforsecurity=False).hexdigest()
        if match[2] != name:
            return Answer(f"MD5({name})= {digest}\n".encode(), "text/plain")
        return Answer(files[name], "application/x-gzip", etag=f'"{digest}"')

    def _index(self, files: Mapping[str, bytes]) -> Answer:
        names = [n for name in sorted(files) for n in ([name] if name in self.unready else [name, f"{name}.md5"])]
        lines = "".join(f'<a href="{name}">{name}</a>  2024-01-01 10:00  1M\n' for name in names)
        return Answer(f"<!DOCTYPE HTML><html><body><pre>{lines}</pre></body></html>".encode(), "text/html")
