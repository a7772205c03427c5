"""Conditions, interventions, countries and years, and the page for reviewers: lists of units with their figures.

Belongs here: which rows each list shows and in which order. Does not: counting, which `scorecards` and `evidence_gaps`
hold, and sponsors, of whom each has a page.
"""

from collections.abc import Sequence
from datetime import date

import duckdb
from markupsafe import Markup

from pipelines import store
from pipelines.contracts import Policy, quote
from pipelines.site import charts, figures, pages
from pipelines.site.charts import Line
from pipelines.site.figures import Row
from pipelines.site.pages import Site

SHOWN = 250
"""Rows of a list that a page shows; the file beside it has all."""
BARS = 15
"""Rows that a chart shows."""

GAPS = """
SELECT {what} AS name, {what}_mesh_term AS mesh_term, completed, with_results, none_found, cannot_judge,
    none_found_actual, none_found_planned
FROM evidence_gaps WHERE {other} = '(all)' AND {what} NOT IN ('(all)', '(not stated)')
ORDER BY none_found DESC, completed DESC, name"""
"""Of each condition or intervention: completed trials by what was found of their results."""

PAIRS = f"""
SELECT condition, intervention, completed, with_results, none_found, cannot_judge, none_found_actual, none_found_planned
FROM evidence_gaps
WHERE condition NOT IN ('(all)', '(not stated)') AND intervention NOT IN ('(all)', '(not stated)') AND none_found > 0
ORDER BY none_found DESC, none_found_actual DESC, condition, intervention LIMIT {SHOWN}"""

WHOLE = """
SELECT completed, with_results, none_found, cannot_judge, not_completed, completion_unclear, trials,
    none_found_actual, none_found_planned, none_found_unknown, none_found_unstated
FROM evidence_gaps WHERE condition = '(all)' AND intervention = '(all)'"""

MISSING = f"""
SELECT trial_id, title, sponsor, condition[1] AS condition, due_latest, enrolment, enrolment_type, url FROM (
    SELECT *, conditions AS condition FROM missing_results WHERE policy = $policy AND results = 'none_found')
ORDER BY CASE WHEN enrolment_type = 'actual' THEN enrolment END DESC NULLS LAST, due_latest, trial_id LIMIT {SHOWN}"""
"""Trials of which no results were found anywhere, those with the most participants first."""

TITLES = {"conditions": ("condition", "intervention"), "interventions": ("intervention", "condition")}


def write(connection: duckdb.DuckDBPyConnection, site: Site) -> None:
    """Writes all lists of this module."""
    whole = next(iter(figures.query(connection, WHOLE)), None)
    for folder, (what, other) in TITLES.items():
        _write_gaps(connection, site, folder, what, other, whole)
    for i, policy in enumerate(site.policies):
        for folder, unit in (("countries", "country"), ("years", "completion_year")):
            address = f"{folder}/" if not i else f"{folder}/under/{policy.id}/"
            _write_cards(connection, site, address, policy, unit)
    pairs = figures.query(connection, PAIRS)
    trials = figures.query(connection, MISSING, policy=site.policies[0].id)
    pages.page(site, "missing/", "missing.html", whole=whole, pairs=pairs, trials=trials, limit=SHOWN)


def _write_gaps(
    connection: duckdb.DuckDBPyConnection, site: Site, folder: str, what: str, other: str, whole: Row | None
) -> None:
    """Writes the list of conditions or of interventions."""
    sql = GAPS.format(what=what, other=other)
    rows = figures.query(connection, f"{sql} LIMIT {SHOWN}")
    total = figures.query(connection, f"SELECT count(*) AS units FROM ({sql})")[0]["units"]
    values = {"folder": folder, "what": what, "rows": rows, "total": total, "whole": whole, "limit": SHOWN}
    pages.page(site, f"{folder}/", "gaps.html", chart=_gap_chart(folder, what, rows, site.as_of), **values)
    store.write_csv(connection, sql, site.out / folder / "table.csv")


def _gap_chart(folder: str, what: str, rows: Sequence[Row], as_of: date) -> Markup | None:
    if not rows:
        return None
    shown = [
        (
            _short(r["name"]),
            [("overdue", r["none_found_actual"]), ("planned", r["none_found_planned"])],
            f"{r['none_found_actual']:,} + {r['none_found_planned']:,} planned",
        )
        for r in sorted(rows, key=lambda r: (-r["none_found_actual"], r["name"]))[:BARS]
    ]
    title = f"Participants of trials without results found, by {what}"
    about = (
        "Participants of completed trials of which no results were found in the sources searched, of the "
        f"{len(shown)} largest of the listed {folder}, as of {pages.day(as_of)}. Filled: took part. Outlined: planned "
        "only, never added."
    )
    return charts.bars(f"bars-{folder}", title, about, shown)


def _short(text: str, most: int = 48) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _write_cards(connection: duckdb.DuckDBPyConnection, site: Site, address: str, policy: Policy, unit: str) -> None:
    """Writes the list of countries or of years under a policy."""
    rows = figures.query(connection, figures.CARDS, unit=unit, policy=policy.id)
    is_years = unit == "completion_year"
    if is_years:
        rows.sort(key=lambda r: (r["is_remainder"], r["unit_value"]), reverse=True)
        rows.sort(key=lambda r: r["is_remainder"])
    chart = (_year_chart if is_years else _country_chart)(policy, rows, site.as_of)
    template = "years.html" if is_years else "countries.html"
    pages.page(site, address, template, policy=policy, rows=rows[:SHOWN], total=len(rows), chart=chart)
    sql = figures.CARDS.replace("$unit", quote(unit)).replace("$policy", quote(policy.id))
    store.write_csv(connection, sql, site.out / address / "table.csv")


def _year_chart(policy: Policy, rows: Sequence[Row], as_of: date) -> Markup | None:
    known = sorted((r for r in rows if not r["is_remainder"]), key=lambda r: r["unit_value"])
    drawn = [r for r in known if r["due"] >= 10]
    if len(drawn) < 2:
        return None
    first, last = int(drawn[0]["unit_value"]), int(drawn[-1]["unit_value"])
    by_year = {int(r["unit_value"]): r for r in drawn}

    def points(column: str) -> list[tuple[float, float | None]]:
        return [(float(y), by_year[y][column] if y in by_year else None) for y in range(first, last + 1)]

    title = f"{policy.title}: share of due results reported, by year of completion"
    about = (
        f"Trials by the year in which the clock starts, as of {pages.day(as_of)}; years with fewer than 10 due trials "
        "are gaps. The outer lines are the bounds if all that cannot be judged were due, none or all of them reported."
    )
    series = [Line("reported", "first", points("reported_share")),
              Line("at most", "fourth", points("reported_share_high")),
              Line("at least", "fourth", points("reported_share_low"))]  # fmt: skip
    step = max(1, -(-(last - first + 1) // 6))
    ticks = [(float(y), str(y)) for y in range(last, first - 1, -step)]
    return charts.lines("years", title, about, series, ticks)


def _country_chart(policy: Policy, rows: Sequence[Row], as_of: date) -> Markup | None:
    known = [r for r in rows if not r["is_remainder"] and r["due"] >= 10][:BARS]
    if not known:
        return None
    shown = [
        (
            r["unit_label"],
            [("on-time", r["reported"]), ("review", r["submitted"]), ("overdue", r["missing"])],
            f"{r['reported']:,} of {r['due']:,} reported",
        )
        for r in known
    ]
    title = f"{policy.title}: due trials by country"
    about = (
        f"Due trials of the {len(known)} countries with the most, as of {pages.day(as_of)}: reported, handed in, and "
        "not found where the rule asks for them. A trial counts in each of its countries."
    )
    return charts.bars("countries", title, about, shown)
