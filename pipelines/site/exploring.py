"""The page on which SQL is asked in the browser, of the small marts file that lies beside it.

Belongs here: the questions that it offers, those of docs/cookbook.md that the marts can answer, and the engine
where it was installed. Does not: the marts themselves (`marts`).
"""

import re
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

import duckdb

from pipelines import queries
from pipelines.contracts import contracts
from pipelines.settings import DOCS, ROOT
from pipelines.site import marts, pages
from pipelines.site.pages import Site

ENGINE = ROOT / "data" / "engine"
"""Where `make engine` puts DuckDB for the browser: it is no part of the repository."""
ENGINE_FILES = ("duckdb.js", "duckdb-browser-eh.worker.js", "duckdb-eh.wasm")

_QUESTION = re.compile(r"^### \d+\. (.+?)\n.*?```sql\n(.+?)```.*?Pitfalls: (.+?)\n\n", re.DOTALL | re.MULTILINE)
_UNIT = re.compile(rf"\b({'|'.join(marts.UNITS)})\b\)?\s*(=|IN\b|I?LIKE\b)", re.IGNORECASE)


@dataclass(frozen=True)
class Question:
    """A question of the cookbook: what is asked, how, and where one falls into a pit."""

    title: str
    sql: str
    pitfalls: str


def questions() -> list[Question]:
    """Those of the cookbook that the marts can answer: none that asks for one unit of a table which is cut there, since
    an answer that lacks rows looks like any other."""
    known = {*marts.LONG, *marts.WHOLE}
    text = (DOCS / "cookbook.md").read_text(encoding="utf-8") + "\n"
    found = [Question(title, sql.strip(), " ".join(pit.split())) for title, sql, pit in _QUESTION.findall(text)]
    answered = [one for one in found if queries.named_relations(one.sql) <= known]
    return [one for one in answered if not _asks_for_a_unit(one.sql)]


def _asks_for_a_unit(sql: str) -> bool:
    """Whether rows of a cut table are chosen by the name of a unit."""
    return bool(queries.named_relations(sql) & set(marts.LONG)) and bool(_UNIT.search(sql))


def write(connection: duckdb.DuckDBPyConnection, site: Site, engine: Path = ENGINE) -> None:
    """Writes `explore/`, the marts beside it and, where it is installed, the engine."""
    folder = site.out / "explore"
    folder.mkdir()
    name = marts.write(connection, folder, site.as_of)
    has_engine = all((engine / file).is_file() for file in ENGINE_FILES)
    if has_engine:
        target = site.out / "static" / "engine"
        target.mkdir()
        for file in ENGINE_FILES:
            shutil.copyfile(engine / file, target / file)
    asked = questions()
    tables = {table: marts.meaning(table, contracts(), site.as_of) for table in sorted((*marts.LONG, *marts.WHOLE))}
    pages.page(
        site,
        "explore/",
        "explore.html",
        questions=asked,
        words={"marts": name, "questions": [asdict(one) for one in asked]},
        tables=tables,
        engine_mb=sum((engine / file).stat().st_size for file in ENGINE_FILES) / 1e6 if has_engine else None,
        marts=name,
        marts_bytes=(folder / name).stat().st_size,
    )
