"""Templates to files: how a page gets its place, its shell and the look of its numbers and days.

Belongs here: the environment of all templates, and the writing of one page. Does not: what stands on any page.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup, escape

from pipelines.contracts import Policy

TEMPLATES = Path(__file__).parent / "templates"
STATIC = Path(__file__).parent / "static"

MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
          "November", "December")  # fmt: skip


@dataclass(frozen=True)
class Site:
    """A site in the making. out: its folder. templates: their environment. policies: those of reporting, the first one
    first. rules: those of registration."""

    out: Path
    templates: jinja2.Environment
    as_of: date
    policies: Sequence[Policy]
    rules: Sequence[Policy]


def environment(shell: Mapping[str, Any]) -> jinja2.Environment:
    """The environment of all templates: everything is escaped, an unknown name is an error. shell: names that every
    page knows, see `making.shell`."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals |= {**shell, "num": figure, "share": share_of}
    made.filters |= {
        "n": number,
        "share": share,
        "day": day,
        "status": status,
        "results": results,
        "mark": mark,
        "marked": marked,
    }
    return made


def page(site: Site, address: str, template: str, **values: Any) -> None:
    """Writes one page of a site, see `write`."""
    write(site.templates, site.out, address, template, **values)


def write(made: jinja2.Environment, out: Path, address: str, template: str, **values: Any) -> None:
    """Writes one page. address: its folder under the site, with a slash at the end, or "" for the first page; `root` in
    the template leads from there back to the site."""
    folder = out / address
    folder.mkdir(parents=True, exist_ok=True)
    text = made.get_template(template).render(values, root="../" * address.count("/") or "./", address=address)
    (folder / "index.html").write_text(text, encoding="utf-8")


def figure(name: str, value: float | None) -> Markup:
    """A number on a page. name: what it is, for the tests and for other programs; it follows the `data-scope` of what
    it stands in."""
    held = "" if value is None else value
    return Markup(f'<data class="num" value="{held}" data-figure="{escape(name)}">{number(value)}</data>')


def share_of(name: str, numerator: int, denominator: int) -> Markup:
    """A share on a page: in percent, and of how many. name: as of `figure`."""
    said = f' <span class="of">{numerator:,} of {denominator:,}</span>' if denominator else ""
    return Markup(
        f'<data class="share" value="{numerator}" data-figure="{escape(name)}" data-numerator="{numerator}" '
        f'data-denominator="{denominator}"><b>{share(numerator, denominator)}</b>{said}</data>'
    )


def number(value: float | None) -> str:
    """A number with its thousands set off; a dash where there is none."""
    return "–" if value is None else f"{value:,.0f}"


def share(numerator: float, denominator: float) -> str:
    """A share in percent: whole ones of fewer than 1,000, else one decimal. 0 % and 100 % are said of nothing less."""
    if not denominator:
        return "–"
    percent = 100 * numerator / denominator
    decimals = 0 if denominator < 1000 else 1
    least = 10.0**-decimals
    if 0 < percent < least:
        return f"under {least:.{decimals}f} %"
    if 100 - least < percent < 100:
        return f"over {100 - least:.{decimals}f} %"
    return f"{percent:.{decimals}f} %"


def day(value: date | None) -> str:
    """A day as people write it, 22 November 2026; a dash where there is none."""
    return "–" if value is None else f"{value.day} {MONTHS[value.month - 1]} {value.year}"


def status(code: str | None) -> str:
    """A status in words that claim no more than it says."""
    if code is None:
        return "none"
    if code.startswith("overdue"):
        return "appears overdue" + (", submission cancelled" if code.endswith("cancelled") else "")
    return code.replace("_", " ")


def results(code: str) -> str:
    """What was found of a trial's results, in words."""
    return {"found": "found", "none_found": "none found in the sources searched", "cannot_judge": "cannot be judged"}[
        code
    ]


UNPRINTABLE = dict.fromkeys([*range(9), 11, 12, *range(14, 32), 0xFFFE, 0xFFFF])
"""Signs that no XML file may hold, however they are written. Texts of registers have some."""


def printable(text: str) -> str:
    """Text without the signs at which a reader of XML or of a calendar stops."""
    return text.translate(UNPRINTABLE)


def marked(text: str) -> Markup:
    """Text of a contract, in which names stand between backticks."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))


MARKS = {
    "due, missing": "overdue",
    "due, submitted": "review",
    "due, reported": "reported",
    "reported early": "reported",
    "cannot judge": "unjudged",
}


def mark(group: str) -> str:
    """The class that gives a status group its sign, which says the same as the word beside it."""
    return MARKS.get(group, "waiting")
