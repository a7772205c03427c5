"""The programs of docs/reading.md as the tests need them: each by the functions that it defines."""

import re

from pipelines.settings import DOCS

TEXT = (DOCS / "reading.md").read_text(encoding="utf-8")
STATEMENTS = re.findall(r"```sql\n(.*?)\n```", TEXT, re.DOTALL)


def programs() -> dict[str, str]:
    """The text of each program, under the name of every function that it defines."""
    texts = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    return {name: text for text in texts for name in re.findall(r"(?m)^def (\w+)", text)}
