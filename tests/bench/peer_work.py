"""The peers' work, each in a process of its own in their environment: `python -m tests.bench.peer_work PIECE WORD...`.

Belongs here: each peer as its own documentation uses it, or kinder. Nothing of ours is imported but the stopwatch, and
no package at the top: a peer that is not there stops no other.
"""

import contextlib
import importlib
import importlib.metadata
import itertools
import json
import re
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.bench.cost import tell

ARTICLE = {
    "root": "/PubmedArticleSet",
    "key": "/PubmedArticle/MedlineCitation/PMID",
    "Title": "/PubmedArticle/MedlineCitation/Article/ArticleTitle",
    "Abstract": "/PubmedArticle/MedlineCitation/Article/Abstract/AbstractText",
    "Number": "/PubmedArticle/MedlineCitation/Article/DataBankList/DataBank/AccessionNumberList/AccessionNumber",
    "Type": "/PubmedArticle/MedlineCitation/Article/PublicationTypeList/PublicationType",
    "Journal": "/PubmedArticle/MedlineCitation/Article/Journal/Title",
    "Date": "/PubmedArticle/MedlineCitation/Article/Journal/JournalIssue/PubDate/{Year,Month,Day}",
    "Doi": "/PubmedArticle/PubmedData/ArticleIdList/ArticleId/[@IdType='doi']",
}
"""What pubmedparser2 is asked for: about what we keep of an article."""
_NCT = re.compile(r"NCT\d{8}", re.IGNORECASE)
CHUNK = 5_000


def installed(*names: str) -> dict[str, Any]:
    """The version of each package, None where it is not there."""
    found: dict[str, Any] = {}
    for name in names:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = None
    return found


def pubmed_parser(path: str) -> dict[str, Any]:
    parse = importlib.import_module("pubmed_parser").parse_medline_xml
    return {"articles": sum(1 for _ in parse(path))}


def pubmedparser2(path: str) -> dict[str, Any]:
    read_xml = importlib.import_module("pubmedparser").read_xml
    with tempfile.TemporaryDirectory() as folder:
        read_xml([path], ARTICLE, folder, relative_to_default_data=False, n_threads=1)
        with next(Path(folder).glob("Journal.tsv*")).open(encoding="utf-8") as lines:
            return {"articles": sum(1 for _ in lines) - 1}


def simdjson(path: str) -> dict[str, Any]:
    """Parsed and thrown away: the floor of every reader of this file."""
    parser = importlib.import_module("simdjson").Parser()
    count = 0
    with Path(path).open("rb") as lines:
        for line in lines:
            if line.startswith(b"{"):
                parser.parse(line.rstrip(b",\n"))
                count += 1
    return {"studies": count}


def ctgforge(path: str, out: str) -> dict[str, Any]:
    taken = 0
    for number, (frame, of) in enumerate(_trials(path)):
        frame.to_parquet(f"{out}-{number}.parquet")
        taken += len(frame)
        lost = of
    return {"studies": taken, "lost": lost - taken}


def tap_clinicaltrials(path: str, out: str, limit: str) -> dict[str, Any]:
    """Singer messages of the first studies, the schema taken from them beforehand: the tap would ask the site for it."""
    streams = importlib.import_module("tap_clinicaltrials.streams")
    tap_class = importlib.import_module("tap_clinicaltrials.tap").TapClinicalTrials
    given = sorted(itertools.islice(_studies(path), int(limit)), key=_last_update)  # as the site would send them
    schema = _schema(given)
    schema["properties"] |= {"nctId": {"type": "string"}, "lastUpdateSubmitDate": {"type": "string", "format": "date"}}

    class Studies(streams.Studies):  # type: ignore[misc, name-defined]
        def request_records(self, context: object) -> Iterator[dict[str, Any]]:
            yield from given

    class Tap(tap_class):  # type: ignore[misc, valid-type]
        def discover_streams(self) -> list[Any]:
            return [Studies(tap=self, schema=schema)]

    with Path(out).open("w", encoding="utf-8") as messages, contextlib.redirect_stdout(messages):
        Tap(config={}).sync_all()
    with Path(out).open(encoding="utf-8") as messages:
        return {"studies": sum('"RECORD"' in line[:30] for line in messages)}


def chain(studies: str, folder: str, *articles: str) -> dict[str, Any]:
    """From dumps to links as a careful analyst would write it with these packages: pubmed-parser, ctgforge, Python's
    `re` and pandas."""
    pandas = importlib.import_module("pandas")
    parse = importlib.import_module("pubmed_parser").parse_medline_xml
    out = Path(folder)
    trials = pandas.concat([frame for frame, _ in _trials(studies)], ignore_index=True)
    trials.to_parquet(out / "studies.parquet")
    links = []
    seen = 0
    for path in articles:
        frame = pandas.DataFrame(parse(path))
        frame.to_parquet(out / f"{Path(path).name}.parquet")
        seen += len(frame)
        text = frame["title"].fillna("") + "\n" + frame["abstract"].fillna("") + "\n" + frame["other_id"].fillna("")
        frame["nct_id"] = [sorted({n.upper() for n in _NCT.findall(words)}) for words in text]
        named = frame[["pmid", "nct_id"]].explode("nct_id").dropna()
        links.append(named.merge(trials[["nct_id", "completion_date"]], on="nct_id"))
    found = pandas.concat(links, ignore_index=True)
    found.to_parquet(out / "links.parquet")
    return {"articles": seen, "links": len(found)}


def _trials(path: str) -> Iterator[tuple[Any, int]]:
    """ctgforge's table of the studies, piece by piece, and how many studies have been read; those it refuses are left
    out of the table."""
    forge = importlib.import_module("ctgforge.flatten").flatten_core
    to_dataframe = importlib.import_module("ctgforge.export").to_dataframe
    trials = []
    count = 0
    for count, study in enumerate(_studies(path), 1):
        with contextlib.suppress(ValueError, AttributeError, TypeError, KeyError):
            trials.append(forge(study))
        if len(trials) == CHUNK:
            yield to_dataframe(trials), count
            trials = []
    yield to_dataframe(trials), count


def _studies(path: str) -> Iterator[dict[str, Any]]:
    with Path(path).open("rb") as lines:
        for line in lines:
            if line.startswith(b"{"):
                yield json.loads(line.rstrip(b",\n"))


def _last_update(study: dict[str, Any]) -> str:
    return str(study["protocolSection"]["statusModule"]["lastUpdateSubmitDate"])


def _schema(values: list[Any]) -> dict[str, Any]:
    """A JSON schema that holds the values: enough for a tap, which drops what its schema does not name."""
    objects = [value for value in values if isinstance(value, dict)]
    if objects:
        names = {name for value in objects for name in value}
        inner = {name: _schema([value[name] for value in objects if name in value]) for name in sorted(names)}
        return {"type": ["object", "null"], "properties": inner}
    items = [item for value in values if isinstance(value, list) for item in value]
    if any(isinstance(value, list) for value in values):
        return {"type": ["array", "null"], "items": _schema(items)}
    kinds = {bool: "boolean", int: "integer", float: "number", str: "string"}
    return {"type": [*sorted({kinds[type(value)] for value in values if value is not None}), "null"]}


PIECES: Mapping[str, Callable[..., dict[str, Any]]] = {
    piece.__name__: piece
    for piece in (installed, pubmed_parser, pubmedparser2, simdjson, ctgforge, tap_clinicaltrials, chain)
}


def main() -> None:
    name, *words = sys.argv[1:]
    tell(lambda: PIECES[name](*words))


if __name__ == "__main__":
    main()
