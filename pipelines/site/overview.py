"""The first page and the page of each policy: where all trials stand, since when, and what moved.

Belongs here: which figures and charts these pages show. Does not: what is counted (`figures`), how a mark is drawn
(`charts`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
from markupsafe import Markup

from pipelines.contracts import Policy
from pipelines.site import charts, figures, pages
from pipelines.site.charts import Line
from pipelines.site.figures import Row
from pipelines.site.pages import Site

PARTS = (
    ("on-time", "reported_on_time"), ("late", "reported_late"), ("undated", "reported_undated"),
    ("review", "submitted"), ("elsewhere", "missing_found_elsewhere"), ("overdue", "missing_none_found"),
    ("unclear", "missing_cannot_judge"), ("unjudged", "cannot_judge"),
)  # fmt: skip
"""The parts of a bar and the columns of `figures.PARTITION` that they show."""
KEY = [(kind, charts.PARTS[kind], column) for kind, column in PARTS]

TELLING = 10
"""Due trials from which on a share is drawn in a trend: of fewer it only jumps."""
STYLES = ("first", "second", "third", "fourth")


@dataclass(frozen=True)
class Overview:
    """What the tables say of each policy; rows by its id. history: what earlier builds said on their day."""

    standing: Mapping[str, Row]
    unjudged: Mapping[str, list[Row]]
    trend: Mapping[str, list[Row]]
    history: Mapping[str, list[Row]]
    cohorts: Mapping[str, list[Row]]
    lateness: Mapping[str, list[Row]]
    anywhere: Row
    registered: list[Row]


def read(connection: duckdb.DuckDBPyConnection, as_of: date) -> Overview:
    def by_policy(sql: str, **parameters: Any) -> dict[str, list[Row]]:
        return figures.grouped(figures.query(connection, sql, **parameters), "policy")

    return Overview(
        standing={policy: rows[0] for policy, rows in by_policy(figures.PARTITION).items()},
        unjudged=by_policy(figures.UNJUDGED),
        trend=by_policy(figures.TREND, as_of=as_of),
        history=by_policy(figures.HISTORY),
        cohorts=by_policy(figures.COHORTS, as_of=as_of),
        lateness=by_policy(figures.LATENESS),
        anywhere=figures.query(connection, figures.ANYWHERE, as_of=as_of)[0],
        registered=figures.query(connection, figures.REGISTERED),
    )


def write(site: Site, seen: Overview, news: Mapping[str, Any]) -> None:
    """Writes the first page and those of the policies. news: what moved last, see `changes.news`."""
    told = {p.id: _told(p, seen, site.as_of) for p in site.policies if p.id in seen.standing}
    shared = {"seen": seen, "key": KEY, "registered": [(r, _row(seen.registered, r.id)) for r in site.rules]}
    pages.page(site, "", "home.html", told=told, news=news, **shared)
    pages.page(site, "policies/", "policies.html", told=told, **shared)
    for policy in site.policies:
        if policy.id in told:
            values = {**shared, "policy": policy, "one": told[policy.id]}
            pages.page(site, f"policies/{policy.id}/", "policy.html", **values)
            _write_trend(site.out / "policies" / policy.id, seen, policy.id)


def _row(rows: Sequence[Row], rule: str) -> Row | None:
    return next((row for row in rows if row["rule"] == rule), None)


def _told(policy: Policy, seen: Overview, as_of: date) -> dict[str, Any]:
    """What is shown of one policy: its row, its charts and the tables beside them."""
    row = seen.standing[policy.id]
    trend = [t for t in seen.trend.get(policy.id, []) if t["due"] >= TELLING]
    history = seen.history.get(policy.id, [])
    cohorts = figures.grouped(seen.cohorts.get(policy.id, []), "completed")
    return {
        "row": row,
        "bar": standing_bar(f"bar-{policy.id}", policy.title, row, as_of),
        "trend": _trend_chart(policy, trend, history, as_of) if trend else None,
        "years": _year_ends(trend),
        "undated": row["reported"] - _dated(seen.trend.get(policy.id, [])),
        "history": history,
        "cohorts": _cohort_chart(policy, cohorts, as_of) if cohorts else None,
        "cohort_rows": _cohort_rows(cohorts),
        "lateness": _lateness_chart(policy, seen.lateness.get(policy.id, []), as_of),
        "lateness_rows": seen.lateness.get(policy.id, []),
        "unjudged": seen.unjudged.get(policy.id, []),
        "found_elsewhere": row["missing_found_elsewhere"],
        "is_empty": row["outside"] == row["trials"],
    }


def _dated(trend: Sequence[Row]) -> int:
    return int(trend[-1]["reported"]) if trend else 0


def standing_bar(name: str, whose: str, row: Row, as_of: date) -> Markup:
    """The bar of 100 % of the trials that are due or cannot be judged. Empty where there are none."""
    if not row["due"] + row["cannot_judge"]:
        return Markup("")
    title = f"{whose}: {row['reported']:,} of {row['due']:,} due trials reported"
    about = f"Trials that are due or cannot be judged, by what became of their results, as of {pages.day(as_of)}."
    return charts.bar(name, title, about, [(kind, row[column]) for kind, column in PARTS])


def _year(day: date) -> float:
    """A day as a number of years, for an axis."""
    first = date(day.year, 1, 1)
    return day.year + (day - first).days / 366


def _trend_chart(policy: Policy, trend: Sequence[Row], history: Sequence[Row], as_of: date) -> Markup:
    last = trend[-1]
    title = f"{policy.title}: {pages.share(last['reported'], last['due'])} of results due by now are reported"
    about = (
        f"Share of due trials whose results were reported by the end of each month, up to {pages.day(as_of)}: by "
        "today's rule and records, and as the releases of the time said it."
    )
    today = Line("today's rule", "first", [(_year(t["day"]), t["reported"] / t["due"]) for t in trend])
    then = Line("as said then", "second", [(_year(h["day"]), _ratio(h)) for h in history if h["due"] >= TELLING])
    years = range(trend[0]["day"].year, as_of.year + 1)
    step = max(1, -(-len(years) // 6))
    ticks = [(float(y), str(y)) for y in years if (y - as_of.year) % step == 0]
    return charts.lines(f"trend-{policy.id}", title, about, [today, then] if then.points else [today], ticks)


def _ratio(row: Row) -> float | None:
    return row["reported"] / row["due"] if row["due"] else None


def _year_ends(trend: Sequence[Row]) -> list[Row]:
    """The last month of each year."""
    return list({t["day"].year: t for t in trend}.values())


def _cohort_chart(policy: Policy, cohorts: Mapping[int, list[Row]], as_of: date) -> Markup:
    shown = sorted(cohorts)[-len(STYLES) :]
    title = f"{policy.title}: how soon results come, by year of completion"
    about = (
        f"Share of the trials completed in a year that were reported within so many months of completion. A line ends "
        f"where not all of its trials have been followed that long by {pages.day(as_of)}."
    )
    series = [
        Line(str(year), style, [(r["month"], r["reported"] / r["trials"]) for r in cohorts[year]])
        for year, style in zip(reversed(shown), STYLES, strict=False)
    ]
    most = max(rows[-1]["month"] for year, rows in cohorts.items() if year in shown)
    ticks = [(float(m), str(m)) for m in range(0, most + 1, 12)]
    return charts.lines(f"soon-{policy.id}", title, about, series, ticks, "months since completion")


COHORT_MONTHS = (6, 12, 18, 24, 36, 48, 60)


def _cohort_rows(cohorts: Mapping[int, list[Row]]) -> list[Row]:
    """Per year of completion: its trials, and those reported within so many months (None: not all were followed)."""
    return [
        {"completed": year, "trials": rows[0]["trials"], "within": _within(rows)}
        for year, rows in sorted(cohorts.items())
    ]


def _within(rows: Sequence[Row]) -> list[tuple[int, int | None]]:
    found = {row["month"]: row["reported"] for row in rows}
    return [(month, found.get(month)) for month in COHORT_MONTHS]


def _lateness_chart(policy: Policy, rows: Sequence[Row], as_of: date) -> Markup | None:
    if not rows:
        return None
    found = {row["bin"]: row["trials"] for row in rows}
    shown = [
        (label, found.get(bin, 0), "on-time" if bin == 1 else "undated" if bin == 8 else "late")
        for bin, label in figures.LATENESS_BINS.items()
        if bin in found or bin != 8
    ]
    title = f"{policy.title}: {found.get(1, 0):,} of {sum(found.values()):,} reported results came on time"
    about = (
        f"Number of due trials with results, by the least number of days after the due date, as of {pages.day(as_of)}."
    )
    return charts.columns(f"late-{policy.id}", title, about, shown)


def _write_trend(folder: Path, seen: Overview, policy: str) -> None:
    """The points of the trend as CSV: every month under today's rule, every build as it said it then."""
    lines = ["judged,day,due,reported"]
    for name, rows in (("todays_rule", seen.trend), ("as_said_then", seen.history)):
        lines += [f"{name},{r['day']},{r['due']},{r['reported']}" for r in rows.get(policy, [])]
    (folder / "trend.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
