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


def unposted_of(study: Study) -> set[str]:
    """The kinds of event of results that were handed in and are not posted."""
    annotation = study.get("annotationSection", {}).get("annotationModule", {}).get("unpostedAnnotation", {})
    return {event["type"] for event in annotation.get("unpostedEvents", [])}


@dataclass
class Ctgov:
    """ClinicalTrials.gov's API v2. A token holds the offset and the mark of the data, and is refused once the data are
    others. histories: by number, the versions of a record. unknown_area: a search area that it does not know."""

    studies: Sequence[Study]
    version: str = "2024-06-03T09:00:04"
    histories: Mapping[str, Sequence[Study]] = field(default_factory=dict)
    unknown_area: str = ""

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
        term = query.get("query.term", "")
        if self.unknown_area and f"AREA[{self.unknown_area}]" in term:
            return Answer(b"unknown area", "text/plain", 400)
        if since := re.fullmatch(r"AREA\[LastUpdatePostDate\]RANGE\[([\d-]+),MAX\]", term):
            found = [s for s in found if updated_of(s) >= since[1]]
        elif event := re.fullmatch(r"AREA\[UnpostedEventType\](\w+)", term):
            found = [s for s in found if event[1] in unposted_of(s)]
        elif term:
            return Answer(b"not understood", "text/plain", 400)
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


@dataclass
class Ctis:
    """The public search and records of CTIS. records: by number. cap: hits that one query gives. Past the cap, and for
    what it does not understand, it answers with an empty page, as the real one does. withheld: numbers of the overview
    for which there is only an empty object."""

    records: Mapping[str, Mapping[str, Any]]
    cap: int = 10_000
    withheld: Sequence[str] = ()

    def __call__(self, asked: Asked) -> Answer:
        path = urlsplit(asked.path).path
        if path == "/search":
            return self._search(json.loads(asked.body)) if asked.body else Answer(b"", "text/plain", 403)
        number = path.removeprefix("/retrieve/")
        if number in self.withheld:
            return _json({})
        return _json(self.records[number]) if number in self.records else Answer(b"", "text/plain", 404)

    def _search(self, body: dict[str, Any]) -> Answer:
        wanted = body["searchCriteria"].get("status")
        found = [self._item(r) for _, r in sorted(self.records.items())]
        found = [item for item in found if wanted is None or item["ctStatus"] in wanted]
        if body["sort"]["direction"] == "DESC":
            found.reverse()
        page, size = body["pagination"]["page"], body["pagination"]["size"]
        shown = found[: self.cap][(page - 1) * size : page * size]
        return _json({"pagination": {"totalRecords": len(found), "currentPage": page}, "data": shown})

    def _item(self, record: Mapping[str, Any]) -> dict[str, Any]:
        return {name: record[name] for name in ("ctNumber", "ctStatus", "ctTitle", "lastUpdated")}


@dataclass
class Isrctn:
    """The XML API of ISRCTN. edited: by number, the day of the last edit."""

    edited: Mapping[str, str]

    def __call__(self, asked: Asked) -> Answer:
        query = _query(asked.path)
        bounds = re.findall(r"(GE|LT) (\d{4}-\d{2}-\d{2})", query["q"])
        first, last = (day for _, day in sorted(bounds))
        found = [number for number, day in sorted(self.edited.items()) if first <= day < last]
        trials = "".join(
            f'<fullTrial><trial lastUpdated="{self.edited[number]}T10:00:00.000Z"><isrctn dateAssigned="2019-05-02T00:00:00'
            f'.000Z">{number}</isrctn></trial></fullTrial>'
            for number in found[: int(query["limit"])]
        )
        text = f'<allTrials totalCount="{len(found)}" xmlns="http://www.67bricks.com/isrctn">{trials}</allTrials>'
        return Answer(text.encode(), "text/xml")


@dataclass
class Euctr:
    """The search and the text downloads of the EU register. entered: by EudraCT number, the day of first entry.
    changed: numbers that the feed names. textless: those whose download is empty."""

    entered: dict[str, str]
    changed: Sequence[str] = ()
    textless: Sequence[str] = ()

    def __call__(self, asked: Asked) -> Answer:
        path, query = urlsplit(asked.path).path, _query(asked.path)
        if path == "/ctr-search/rest/feed/bydates":
            title = "<title>An extension of 2099-012345-11, tel. 0123-456789-01</title>"
            links = "".join(f"<item>{title}<link>search?query=eudract_number:{n}</link></item>" for n in self.changed)
            return Answer(f"<?xml version='1.0'?><rss><channel>{links}</channel></rss>".encode(), "text/xml")
        if query.get("mode") == "selected":
            if query["eudracts"] in self.textless:
                return Answer(b"", "text/plain")
            return self._text([query["eudracts"]])
        between = (query.get("dateFrom", ""), query.get("dateTo", "9999"))
        found = [n for n, day in sorted(self.entered.items()) if between[0] <= day <= between[1]]
        if path == "/ctr-search/search":
            text = f"<!DOCTYPE html><html><body>Trials with a EudraCT protocol ({len(found):,})</body></html>"
            return Answer(text.encode(), "text/html")
        page = int(query["page"])
        return self._text(found[(page - 1) * 20 : page * 20])

    def _text(self, numbers: Sequence[str]) -> Answer:
        records = "".join(
            f"Summary\nEudraCT Number: {n}\nClinical Trial Type: EEA CTA\nA. Protocol Information\n"
            f"A.1 Member State Concerned: Germany - BfArM\nA.2 EudraCT number: {n}\nP. End of Trial\n\n"
            for n in numbers
        )
        return Answer(f"This file contains full details of the trials.\n\n{records}".encode(), "text/plain")


@dataclass
class Folder:
    """A page of links to files, and the files."""

    files: dict[str, bytes]

    def __call__(self, asked: Asked) -> Answer:
        name = urlsplit(asked.path).path.removeprefix("/")
        if not name:
            links = "".join(f'<a href="{n}">{n}</a>\n' for n in sorted(self.files))
            return Answer(f"<!DOCTYPE html><html><body>{links}</body></html>".encode(), "text/html")
        if name not in self.files:
            return Answer(b"", "text/plain", 404)
        etag = f'"{hashlib.md5(self.files[name], usedforsecurity=False).hexdigest()}"'
        return Answer(self.files[name], "application/zip", etag=etag)
