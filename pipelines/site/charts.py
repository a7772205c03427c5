"""Charts as inline SVG: pure functions from numbers to markup.

Belongs here: where a mark stands and what a person who cannot see it is told. Does not: counting, colours (classes that
`static/site.css` fills) and the data tables that stand beside each chart.

Every chart has a title (the finding) and a description (measure, population, day), and all its text is text.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

WIDE, TALL = 480, 240
LEFT, RIGHT, TOP, BOTTOM = 54, 104, 10, 36
LABEL_WIDE, LABEL_TALL = 80, 16
"""Room that the label of a line takes."""

PARTS = {
    "on-time": "On time",
    "late": "Late",
    "undated": "Reported, day not given",
    "review": "Handed in, not public yet",
    "elsewhere": "Overdue there, results found elsewhere",
    "overdue": "Overdue, no results found in the sources searched",
    "unclear": "Overdue there, elsewhere cannot be judged",
    "unjudged": "Cannot be judged",
}
"""The parts of a bar, in their order: the class that colours it, and what it is called."""


@dataclass(frozen=True)
class Line:
    """One line of a chart. points: x and y in the units of the axes, None where there is a gap."""

    name: str
    kind: str
    points: Sequence[tuple[float, float | None]]


def _svg(name: str, title: str, about: str, body: Iterable[str], high: int = TALL, wide: int = WIDE) -> Markup:
    return Markup(
        f'<svg id="{escape(name)}" class="chart" role="img" viewBox="0 0 {wide} {high}" '
        f'aria-labelledby="{escape(name)}-t {escape(name)}-d">'
        f'<title id="{escape(name)}-t">{escape(title)}</title><desc id="{escape(name)}-d">{escape(about)}</desc>'
        f"{''.join(body)}</svg>"
    )


def _n(value: float) -> str:
    """A coordinate, short and the same everywhere."""
    return f"{value:.1f}".removesuffix(".0")


def _text(x: float, y: float, words: object, kind: str = "", anchor: str = "start") -> str:
    return f'<text x="{_n(x)}" y="{_n(y)}" class="{kind}" text-anchor="{anchor}">{escape(str(words))}</text>'


def _rect(x: float, y: float, width: float, height: float, kind: str) -> str:
    return f'<rect x="{_n(x)}" y="{_n(y)}" width="{_n(width)}" height="{_n(height)}" class="part {kind}"/>'


def bar(name: str, title: str, about: str, parts: Sequence[tuple[str, int]]) -> Markup:
    """One bar of 100 %, its parts divided by gaps. parts: class and number, in order; what is nought is left out. The
    numbers and words stand in a list beside it."""
    there = [(kind, number) for kind, number in parts if number]
    total = sum(number for _, number in there)
    room = WIDE - 2 * max(0, len(there) - 1)
    body, x = [], 0.0
    for kind, number in there:
        width = room * number / total
        body.append(
            f'<rect x="{_n(x)}" y="1" width="{_n(max(width, 1))}" height="34" class="part {kind}">'
            f"<title>{escape(PARTS[kind])}: {number:,} of {total:,}</title></rect>"
        )
        x += width + 2
    return _svg(name, title, about, body, high=36)


def _shares(up: Callable[[float], float], end: float) -> list[str]:
    """The axis of 0 to 100 %, with a line across at each quarter."""
    body = []
    for y in (0, 0.25, 0.5, 0.75, 1):
        body.append(f'<path d="M{LEFT} {_n(up(y))}H{_n(end)}" class="grid"/>')
        body.append(_text(LEFT - 6, up(y) + 4, f"{100 * y:.0f} %", "tick", "end"))
    return body


def lines(
    name: str, title: str, about: str, series: Sequence[Line], x_ticks: Sequence[tuple[float, str]], x_label: str = ""
) -> Markup:
    """Lines over an axis of 0 to 100 %. A gap in a line stays a gap; each line has its name at its end."""
    low, high = _range([x for line in series for x, _ in line.points] + [x for x, _ in x_ticks])
    floor = TALL - BOTTOM

    def across(x: float) -> float:
        return LEFT + (WIDE - LEFT - RIGHT) * ((x - low) / (high - low))

    def up(y: float) -> float:
        return floor - (floor - TOP) * y

    body = _shares(up, WIDE - RIGHT)
    body += [_text(across(x), TALL - 18, label, "tick", "middle") for x, label in x_ticks]
    if x_label:
        body.append(_text(LEFT + (WIDE - LEFT - RIGHT) / 2, TALL - 2, x_label, "tick", "middle"))
    ends = []
    for line in series:
        path, is_open = [], False
        for x, y in line.points:
            if y is None:
                is_open = False
                continue
            path.append(f"{'L' if is_open else 'M'}{_n(across(x))} {_n(up(y))}")
            is_open = True
        body.append(f'<path d="{"".join(path)}" class="line {line.kind}"/>')
        last = next(((x, y) for x, y in reversed(line.points) if y is not None), None)
        if last is not None:
            body += _marks(line, across, up)
            ends.append((up(last[1]), across(last[0]), line))
    body += [_text(x + 6, y + 4, line.name, f"label {line.kind}") for y, x, line in _apart(ends)]
    return _svg(name, title, about, body)


def _marks(line: Line, across: Callable[[float], float], up: Callable[[float], float]) -> list[str]:
    """A mark where a line is a single point between gaps, which a path would not show."""
    found = []
    for i, (x, y) in enumerate(line.points):
        before = line.points[i - 1][1] if i else None
        after = line.points[i + 1][1] if i + 1 < len(line.points) else None
        if y is not None and before is None and after is None:
            found.append(f'<circle cx="{_n(across(x))}" cy="{_n(up(y))}" r="3" class="dot {line.kind}"/>')
    return found


def _range(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values, default=0), max(values, default=1)
    return (low, high) if high > low else (low - 0.5, low + 0.5)


def _apart(ends: Sequence[tuple[float, float, Line]]) -> list[tuple[float, float, Line]]:
    """Labels at the ends of lines, moved downwards until none lies on another; then all of them up again where they
    left the chart."""
    placed: list[tuple[float, float, Line]] = []
    for height, x, line in sorted(ends, key=lambda end: end[:2]):
        y = height
        for above, beside, _ in placed:
            if abs(x - beside) < LABEL_WIDE and y < above + LABEL_TALL:
                y = above + LABEL_TALL
        placed.append((y, x, line))
    over = max([0.0, *(y - (TALL - BOTTOM) for y, _, _ in placed)])
    return [(y - over, x, line) for y, x, line in placed]


def columns(name: str, title: str, about: str, rows: Sequence[tuple[str, int, str]]) -> Markup:
    """A histogram: label, number and class of each column, with the number above it."""
    most = max((number for _, number, _ in rows), default=0) or 1
    step = WIDE / max(1, len(rows))
    body = []
    for i, (label, number, kind) in enumerate(rows):
        height = 160 * number / most
        x = i * step
        body.append(_rect(x + 4, 180 - height, step - 8, height, kind))
        body.append(_text(x + step / 2, 175 - height, f"{number:,}", "label", "middle"))
        words = label.split(" ")
        half = math.ceil(len(words) / 2)
        body.append(_text(x + step / 2, 198, " ".join(words[:half]), "tick small", "middle"))
        body.append(_text(x + step / 2, 213, " ".join(words[half:]), "tick small", "middle"))
    body.append(f'<path d="M0 180H{WIDE}" class="axis"/>')
    return _svg(name, title, about, body, high=220)  # fmt: skip


def bars(name: str, title: str, about: str, rows: Sequence[tuple[str, Sequence[tuple[str, float]], str]]) -> Markup:
    """Sorted bars from nought: label, the parts of each bar (class and number), and what is written behind it."""
    most = max((sum(n for _, n in parts) for _, parts, _ in rows), default=0) or 1
    step = 40
    body = []
    for i, (label, parts, written) in enumerate(rows):
        y = i * step
        body.append(_text(0, y + 14, label, "label"))
        x = 0.0
        for kind, number in parts:
            width = (WIDE - 190) * number / most
            if number:
                body.append(_rect(x, y + 19, max(width, 1), 14, kind))
                x += width + 2
        body.append(_text(x + 4, y + 31, written, "label"))
    return _svg(name, title, about, body, high=max(step, step * len(rows)))  # fmt: skip


def funnel(name: str, title: str, about: str, cells: Sequence[tuple[float, float, int]], middle: float) -> Markup:
    """Sponsors by due trials (logarithmic) and share reported, with the limits within which 95 % and 99.8 % would lie
    if all reported alike. cells: due trials, share, number of sponsors there. middle: the share of all together."""
    low, high = _range([math.log2(due) for due, _, _ in cells] + [math.log2(10), math.log2(40)])

    def across(due: float) -> float:
        return LEFT + (WIDE - LEFT - 20) * ((math.log2(due) - low) / (high - low))

    def up(y: float) -> float:
        return TALL - BOTTOM - (TALL - BOTTOM - TOP) * y

    body = _shares(up, WIDE - 20)
    sizes = [2 ** (low + (high - low) * i / 40) for i in range(41)]
    for z, kind in ((1.96, "inner"), (3.09, "outer")):
        for sign in (-1, 1):
            at = [min(1.0, max(0.0, middle + sign * z * math.sqrt(middle * (1 - middle) / n))) for n in sizes]
            path = "".join(
                f"{'L' if i else 'M'}{_n(across(n))} {_n(up(y))}"
                for i, (n, y) in enumerate(zip(sizes, at, strict=True))
            )
            body.append(f'<path d="{path}" class="limit {kind}"/>')
    body.append(f'<path d="M{_n(across(sizes[0]))} {_n(up(middle))}H{_n(across(sizes[-1]))}" class="limit middle"/>')
    for due, share, sponsors in cells:
        place = f'cx="{_n(across(due))}" cy="{_n(up(share))}" r="{_n(2 + min(9, math.sqrt(sponsors)))}"'
        body.append(
            f'<circle {place} class="dot funnel">'
            f"<title>{sponsors:,} with about {due:.0f} due trials: {100 * share:.0f} %</title></circle>"
        )
    ticks = [n for n in (10, 30, 100, 300, 1000, 3000) if low - 0.01 <= math.log2(n) <= high]
    body += [_text(across(n), TALL - 18, f"{n:,}", "tick", "middle") for n in ticks]
    body.append(_text(LEFT + (WIDE - LEFT) / 2, TALL - 2, "due trials", "tick", "middle"))
    return _svg(name, title, about, body)


def strip(name: str, title: str, about: str, deciles: Sequence[float], own: float) -> Markup:
    """Where one share lies among the deciles of others, from 0 to 100 %."""

    def across(y: float) -> float:
        return 14 + (WIDE - 28) * y

    body = [f'<rect x="14" y="26" width="{WIDE - 28}" height="12" class="track"/>']
    low, high = across(deciles[0]), across(deciles[-1])
    body.append(f'<rect x="{_n(low)}" y="26" width="{_n(max(1, high - low))}" height="12" class="span"/>')
    body += [
        f'<path d="M{_n(across(d))} 24V40" class="decile{" median" if i == 4 else ""}"/>' for i, d in enumerate(deciles)
    ]
    x = across(own)
    body.append(f'<path d="M{_n(x - 6)} 12H{_n(x + 6)}L{_n(x)} 24Z" class="pointer"/>')
    body += [
        _text(across(y), 56, f"{100 * y:.0f} %", "tick", anchor)
        for y, anchor in ((0, "start"), (0.5, "middle"), (1, "end"))
    ]
    return _svg(name, title, about, body, high=60)


LIGHT = {"on-time": "#12436d", "late": "#2073bc", "undated": "#7a9cbf", "elsewhere": "#e08a5c", "overdue": "#c2410c",
         "unclear": "#8f5a41", "unjudged": "#6b6b6b"}  # fmt: skip
DARK = {"on-time": "#b9dcf7", "late": "#6bace6", "undated": "#8fb3d0", "elsewhere": "#d9a98a", "overdue": "#f4a261",
        "unclear": "#b58a6c", "unjudged": "#9a9a9a"}  # fmt: skip


def _style(ink: str, paper: str, colours: Mapping[str, str]) -> str:
    fills = "".join(f".{kind}{{fill:{colour}}}" for kind, colour in colours.items())
    return f"text{{fill:{ink}}}.b{{fill:{paper};stroke:#888}}.review{{stroke:{colours['on-time']}}}{fills}"


STYLE = (
    "text{font:15px system-ui,sans-serif}.review{fill:none}"
    + _style("#1a1a1a", "#fff", LIGHT)
    + f"@media (prefers-color-scheme:dark){{{_style('#eee', '#121212', DARK)}}}"
)
"""A card stands alone in another page, so it carries its colours."""


def card(title: str, finding: str, small: str, parts: Sequence[tuple[str, int]]) -> Markup:
    """A picture to embed elsewhere: whose it is, the finding with its number of trials, the day, and a bar."""
    there = [(kind, number) for kind, number in parts if number]
    total = sum(number for _, number in there)
    body, x = [], 16.0
    for kind, number in there:
        width = (448 - 2 * (len(there) - 1)) * number / total
        body.append(f'<rect x="{_n(x)}" y="76" width="{_n(max(1, width))}" height="18" class="{kind}"/>')
        x += width + 2
    about = f"{finding} {small}"
    name = title if len(title) <= 52 else title[:51] + "…"
    return Markup(
        '<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 480 130" width="480" height="130" '
        f'aria-labelledby="t d"><title id="t">{escape(title)}</title><desc id="d">{escape(about)}</desc>'
        f'<style>{STYLE}</style><rect x=".5" y=".5" width="479" height="129" rx="6" class="b"/>'
        f"{_text(16, 30, name)}{_text(16, 58, finding)}{''.join(body)}{_text(16, 118, small)}</svg>\n"
    )
