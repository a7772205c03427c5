"""The questions of docs/cookbook.md as the tests need them: query, columns that it promises, whether it may be empty."""

import re
from dataclasses import dataclass

from pipelines.settings import DOCS

TEXT = (DOCS / "cookbook.md").read_text(encoding="utf-8")
_QUESTION = re.compile(r"^### (\d+)\. (.+?)\n(.*?)(?=^##|\Z)", re.DOTALL | re.MULTILINE)
_PARTS = re.compile(r"```sql\n(.+?)```\n\nGives: (.+?):? ?((?:`\w+`(?:, )?)+)\.\n\nPitfalls: \S", re.DOTALL)


@dataclass(frozen=True)
class Question:
    number: int
    title: str
    sql: str
    columns: tuple[str, ...]
    may_be_empty: bool


def questions() -> list[Question]:
    """Every question. Raises ValueError naming one that lacks its query, its shape or its pitfalls."""
    found = []
    for number, title, body in _QUESTION.findall(TEXT):
        parts = _PARTS.search(body)
        if not parts:
            raise ValueError(f"docs/cookbook.md, question {number}: lacks its query, `Gives:` or `Pitfalls:`.")
        sql, shape, columns = parts.groups()
        names = tuple(re.findall(r"`(\w+)`", columns))
        found.append(Question(int(number), title, sql, names, "may be empty" in shape))
    return found


def snippet(language: str) -> str:
    (code,) = re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)
    return str(code)
