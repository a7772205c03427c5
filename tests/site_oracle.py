"""Every figure of the web page, counted once more from the rows of the release: in Python, row by row, and without the
page's own queries or `scorecards`.

Figures that a page shows under a name that is not here are a fault of the page or of this module.
"""

import calendar
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from statistics import median
from typing import Any

import duckdb

from pipelines.contracts import contracts
from pipelines.site.sponsors import slug

Figure = tuple[str, Any]
GROUPS = {"due, submitted": "submitted", "due, missing": "missing", "cannot judge": "cannot_judge",
          "pending": "pending", "reported early": "reported_early", "outside": "outside"}  # fmt: skip
SPLIT = {"found": "missing_found_elsewhere", "none_found": "missing_none_found", "cannot_judge": "missing_cannot_judge"}


def figures(connection: duckdb.DuckDBPyConnection, as_of: date, manifest: Any, said: Any) -> dict[str, Any]:
    """All figures by name: a number, or numerator and denominator. said: what an earlier build said on its day."""
    return dict(_all(connection, as_of, manifest, said))


def rows(connection: duckdb.DuckDBPyConnection, sql: str) -> list[dict[str, Any]]:
    found = connection.execute(sql)
    names = [d[0] for d in found.description or ()]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def _all(connection: duckdb.DuckDBPyConnection, as_of: date, manifest: Any, said: Any) -> Iterator[Figure]:
    verdicts = rows(
        connection,
        """
        SELECT s.*, t.sponsor, t.sponsor_id, t.enrolment, t.enrolment_type, w.results
        FROM reporting_status AS s JOIN trials AS t USING (trial_id) JOIN trial_standings AS w USING (trial_id)""",
    )
    by_policy: dict[str, list[dict[str, Any]]] = {}
    for v in verdicts:
        by_policy.setdefault(v["policy"], []).append(v)
    names = {r["sponsor_id"]: r["sponsor_class"] for r in rows(connection, "FROM sponsors")}
    places: dict[str, set[str]] = {}
    for r in rows(connection, "FROM registration_countries"):
        if not r["is_removed"]:
            places.setdefault(r["trial_id"], set()).add(r["country"])
    for policy, own in by_policy.items():
        whole = _standing(own)
        yield from _named(f"partition|{policy}", whole)
        yield f"partition|{policy}|ambiguous", sum(v["status"] != v["status_earliest"] for v in own)
        yield from _bounds(f"bounds|{policy}", whole)
        yield from _reasons(policy, own)
        yield from _units(
            f"scorecards|completion_year|{{}}|{policy}",
            own,
            lambda v: [str(v["clock_latest"].year) if v["clock_latest"] else "(not stated)"],
        )
        yield from _units(
            f"scorecards|country|{{}}|{policy}", own, lambda v: places.get(v["trial_id"], {"(not stated)"})
        )
        yield from _units(f"scorecards|sponsor|{{}}|{policy}", own, lambda v: [_sponsor(v)])
        yield from _lists(policy, own, names)
        yield from _trend(policy, own, as_of)
        yield from _cohorts(policy, own, as_of)
        yield from _late(policy, own)
        yield f"history|{policy}|{as_of}", whole["reported"]
        if policy in said:
            yield f"history|{policy}|{said['day']}", said[policy]
    first = [v for v in by_policy["alltrials-summary"] if v["sponsor_id"]]
    yield "sponsors|all", len({v["sponsor_id"] for v in first})
    yield from _soon(verdicts, as_of)
    yield from _moves(connection)
    yield from _trials(connection, as_of)
    yield from _gaps(connection)
    yield from _accounts(connection, manifest)


def _sponsor(v: dict[str, Any]) -> str:
    return slug(v["sponsor_id"]) if v["sponsor_id"] else "(private person)" if v["sponsor"] else "(not stated)"


def _standing(own: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """The parts of some verdicts under one policy, as numbers or shares."""
    own = list(own)
    found: Counter[str] = Counter(trials=len(own))
    for v in own:
        if v["status_group"] == "due, reported":
            found[v["status"]] += 1
            found["reported"] += 1
        else:
            found[GROUPS[v["status_group"]]] += 1
        if v["status_group"] == "due, missing":
            found[SPLIT[v["results"]]] += 1
        found["due"] += v["status_group"].startswith("due,")
    due = found["due"]
    return {**found, "reported": (found["reported"], due), "due": due}


PARTS = ("reported_on_time", "reported_late", "reported_undated", "submitted", "missing_found_elsewhere",
         "missing_none_found", "missing_cannot_judge", "cannot_judge")  # fmt: skip
ALL = (*PARTS, "missing", "pending", "reported_early", "outside", "trials", "due")


def _named(scope: str, found: dict[str, Any]) -> Iterator[Figure]:
    """A part may stand as a number, or as a share of due trials or of all; never of what the bar shows."""
    due = found["due"]
    yield f"{scope}|reported", found["reported"]
    for part in ALL:
        number = found.get(part, 0)
        yield f"{scope}|{part}", {number, (number, due), (number, found["trials"])}


def _bounds(scope: str, found: dict[str, Any]) -> Iterator[Figure]:
    (reported, due), unjudged = found["reported"], found.get("cannot_judge", 0)
    yield f"{scope}|low", (reported, due + unjudged)
    yield f"{scope}|high", (reported + unjudged, due + unjudged)
    yield f"{scope}|unjudged", unjudged


def _units(scope: str, own: Iterable[dict[str, Any]], units: Any) -> Iterator[Figure]:
    found: dict[str, list[dict[str, Any]]] = {}
    for v in own:
        for unit in units(v):
            found.setdefault(unit, []).append(v)
    for unit, those in found.items():
        here, standing = scope.format(unit), _standing(those)
        yield from _named(here, standing)
        yield from _bounds(here, standing)
        yield from _bounds(f"{here}|bounds", standing)
        yield f"{here}|share", standing["reported"]
        # Tables give what is reported as a number, too.
        yield f"{here}|reported", {standing["reported"], standing["reported"][0]}
        missing = [v for v in those if v["status_group"] == "due, missing"]
        for name, kind in (("actual", "actual"), ("planned", "estimated"), ("unknown", None)):
            total = sum(v["enrolment"] or 0 for v in missing if v["enrolment_type"] == kind)
            yield f"{here}|missing_participants_{name}", total
        yield f"{here}|missing_without_enrolment", sum(v["enrolment"] is None for v in missing)
        late = [v for v in those if v["status"] == "reported_late"]
        for bound in ("min", "max"):
            days = [v[f"days_late_{bound}"] for v in late]
            yield f"{here}|days_late_median_{bound}", median(days) if days else None


def _reasons(policy: str, own: Iterable[dict[str, Any]]) -> Iterator[Figure]:
    found = Counter((v["status"], v["decided_by"] or "(not named)") for v in own if v["status_group"] == "cannot judge")
    for (status, decided_by), number in found.items():
        yield f"unjudged|{policy}|{status}|{decided_by}", number


def _lists(policy: str, own: Iterable[dict[str, Any]], names: dict[str, str]) -> Iterator[Figure]:
    due: Counter[str] = Counter()
    reported: Counter[str] = Counter()
    known = set()
    for v in own:
        if v["sponsor_id"]:
            known.add(v["sponsor_id"])
            due[v["sponsor_id"]] += v["status_group"].startswith("due,")
            reported[v["sponsor_id"]] += v["status_group"] == "due, reported"
    large = [s for s in known if due[s] >= 10]
    with_due = [s for s in known if due[s]]
    yield f"sponsors|{policy}|compared", len(large)
    yield f"sponsors|{policy}|left_out", len(known) - len(large)
    yield f"sponsors|{policy}|left_out_due", sum(due[s] for s in known if due[s] < 10)
    yield f"sponsors|{policy}|with_due", len(with_due)
    yield f"sponsors|{policy}|none_or_all", (sum(reported[s] in (0, due[s]) for s in with_due), len(with_due))
    cells: Counter[tuple[int, int]] = Counter()
    for s in large:
        size = max(k for k in range(80) if 2 ** (k / 4) <= due[s] + 1e-9)
        cells[size, int(reported[s] / due[s] * 20 + 0.5)] += 1
    for (size, twentieth), number in cells.items():
        yield f"funnel|{policy}|{size}|{twentieth}", number
    for kind in {names[s] for s in large}:
        shares = sorted(reported[s] / due[s] for s in large if names[s] == kind)
        yield f"deciles|{kind}|{policy}|sponsors", len(shares)
        for tenth in range(1, 10):
            at = (len(shares) - 1) * tenth / 10
            below, above = shares[int(at)], shares[min(int(at) + 1, len(shares) - 1)]
            yield f"deciles|{kind}|{policy}|{tenth}", round(below + (above - below) * (at - int(at)), 6)


def _trend(policy: str, own: Iterable[dict[str, Any]], as_of: date) -> Iterator[Figure]:
    """Judged anew on the last day of every month."""
    grace = contracts().policies[policy].parameters["grace_days"]
    due_now = [v for v in own if v["status_group"].startswith("due,")]
    dated = [v for v in due_now if v["status_group"] != "due, reported" or v["reported_date"]]
    yield f"undated|{policy}", len(due_now) - len(dated)
    day = date(2000, 1, 31)
    while day < as_of:
        day = min(as_of, _month_end(day + timedelta(days=1)))
        yield f"trend|{policy}|{day}", _judged_on(dated, day, grace)


def _judged_on(dated: Iterable[dict[str, Any]], day: date, grace: int) -> tuple[int, int]:
    reported = due = 0
    for v in dated:
        last = v["due_latest"]
        if v["reported_date"] and v["reported_date"] <= day:
            reported += day > last
            due += day > last
        elif v["status_group"] == "due, submitted" and v["submitted_date"] <= day:
            due += day > last
        else:
            due += day > last + timedelta(days=grace)
    return reported, due


def _month_end(day: date) -> date:
    return day.replace(day=calendar.monthrange(day.year, day.month)[1])


def _cohorts(policy: str, own: Iterable[dict[str, Any]], as_of: date) -> Iterator[Figure]:
    counted = [
        v for v in own
        if v["clock_latest"] and v["clock_latest"] <= as_of and v["status_group"] not in ("outside", "cannot judge")
        and (v["reported_date"] or v["status_group"] not in ("due, reported", "reported early"))
    ]  # fmt: skip
    for year in {v["clock_latest"].year for v in counted}:
        those = [v for v in counted if v["clock_latest"].year == year]
        yield f"cohort|{policy}|{year}|trials", len(those)
        for months in (6, 12, 18, 24, 36, 48, 60):
            if _later(date(year, 12, 31), months) <= as_of:
                got = sum(
                    bool(v["reported_date"]) and v["reported_date"] <= _later(v["clock_latest"], months) for v in those
                )
                yield f"cohort|{policy}|{year}|{months}", (got, len(those))
                yield f"cohort|{policy}|{year}|{months}|left", len(those) - got


def _later(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def _late(policy: str, own: Iterable[dict[str, Any]]) -> Iterator[Figure]:
    reported = [v for v in own if v["status_group"] == "due, reported"]
    edges = (0, 30, 90, 365, 730, 1826)
    found = Counter(
        1 if v["status"] == "reported_on_time"
        else 8 if v["days_late_min"] is None
        else 1 + sum(v["days_late_min"] > edge for edge in edges)
        for v in reported
    )  # fmt: skip
    for bin, number in found.items():
        yield f"late|{policy}|{bin}", (number, len(reported))


def _soon(verdicts: Iterable[dict[str, Any]], as_of: date) -> Iterator[Figure]:
    found: dict[str, set[tuple[str, date]]] = {}
    for v in verdicts:
        is_awaited = v["status"] in ("not_due", "deferred", "not_completed") and v["due_latest"] is not None
        if v["sponsor_id"] and is_awaited and 0 < (v["due_latest"] - as_of).days <= 90:
            found.setdefault(slug(v["sponsor_id"]), set()).add((v["trial_id"], v["due_latest"]))
    for own, trials in found.items():
        yield f"soon|{own}", len(trials)


def _moves(connection: duckdb.DuckDBPyConnection) -> Iterator[Figure]:
    words = contracts().vocabularies["reporting_status"]
    found: Counter[str] = Counter()
    days = set()
    for m in rows(connection, "FROM status_transitions"):
        before = words[m["from_status"]]["status_group"] if m["from_status"] else "not known before"
        after = words[m["to_status"]]["status_group"] if m["to_status"] else "id given up"
        public = ("due, reported", "reported early")
        if after == "due, missing" and before != after:
            kind = "overdue"
        elif after in public and before not in public:
            kind = "reported"
        else:
            kind = "left_scope" if m["to_status"] in ("left_scope", "out_of_scope") else "other"
        days.add(m["as_of"])
        for name in ("all", f"*|{kind}", f"{m['policy']}|{kind}",
                     f"{m['policy']}|{kind}|{before}|{after}|{m['reason']}"):  # fmt: skip
            found[f"moves|{m['as_of']}|{name}"] += 1
    for day in days:  # a kind that did not occur is shown as nought
        for kind in ("overdue", "reported", "left_scope", "other"):
            for policy in ("*", "alltrials-summary"):
                found.setdefault(f"moves|{day}|{policy}|{kind}", 0)
    yield from found.items()
    changed = Counter((r["table_name"], r["change"]) for r in rows(connection, "FROM changes"))
    for (table, change), number in changed.items():
        yield f"rows|{table}|{change}", number


def _trials(connection: duckdb.DuckDBPyConnection, as_of: date) -> Iterator[Figure]:
    trials = rows(connection, "SELECT * FROM trials JOIN trial_standings USING (trial_id)")
    old = [t for t in trials if t["completion"] == "completed" and _later(t["completed_latest"], 12) <= as_of]
    state = Counter(t["results"] for t in old)
    yield "anywhere|found", (state["found"], len(old))
    yield "anywhere|high", (state["found"] + state["cannot_judge"], len(old))
    yield "anywhere|cannot_judge", state["cannot_judge"]
    yield "anywhere|none_found", state["none_found"]
    unjudged = [t for t in old if t["results"] == "cannot_judge" and t["enrolment_type"] == "actual"]
    yield "anywhere|unjudged_actual", sum(t["enrolment"] or 0 for t in unjudged)
    none = [t for t in old if t["results"] == "none_found"]
    for name, kind in (("actual", "actual"), ("planned", "estimated"), ("kind_unknown", None)):
        stated = [t["enrolment"] for t in none if t["enrolment"] is not None and t["enrolment_type"] == kind]
        yield f"anywhere|{name}", sum(stated)
        yield f"anywhere|{name}_trials", len(stated)
    yield "anywhere|unstated_trials", sum(t["enrolment"] is None for t in none)
    for t in trials:
        yield f"trial|{t['trial_id']}|enrolment", t["enrolment"]
    rules: dict[str, Counter[str]] = {}
    for r in rows(connection, "FROM registration_status"):
        rules.setdefault(r["rule"], Counter())[r["status"]] += 1
    for rule, n in rules.items():
        yield f"registered|{rule}|prospective", (n["prospective"], n["prospective"] + n["retrospective"])
        yield f"registered|{rule}|unknown", n["unknown"]
        yield f"registered|{rule}|not_started", n["not_started"]
    yield "conflicts|trials", len(trials)
    yield "conflicts|conflicts", sum(t["dates_conflict"] for t in trials)
    yield "universe|trials", len(trials)
    yield "universe|joined", sum(t["registrations"] > 1 for t in trials)


def _gaps(connection: duckdb.DuckDBPyConnection) -> Iterator[Figure]:
    def concepts(table: str) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for r in rows(connection, f"FROM {table}"):
            if r["concept"] is not None:
                found.setdefault(r["trial_id"], set()).add(r["concept"])
        return found

    conditions, interventions = concepts("conditions"), concepts("interventions")
    found: dict[tuple[str, str], Counter[str]] = {}
    for t in rows(connection, "SELECT * FROM trials JOIN trial_standings USING (trial_id)"):
        if t["completion"] != "completed":
            continue
        kind = {"actual": "actual", "estimated": "planned", None: "unknown"}[t["enrolment_type"]]
        for c in {"(all)", *conditions.get(t["trial_id"], ())}:
            for i in {"(all)", *interventions.get(t["trial_id"], ())}:
                cell = found.setdefault((c, i), Counter())
                cell["completed"] += 1
                cell["with_results" if t["results"] == "found" else t["results"]] += 1
                if t["results"] == "none_found":
                    cell[f"none_found_{kind}"] += t["enrolment"] or 0
                    cell["none_found_unstated"] += t["enrolment"] is None
    for (c, i), cell in found.items():
        for column in ("completed", "cannot_judge", "none_found_actual", "none_found_planned", "none_found_unknown",
                       "none_found_unstated"):  # fmt: skip
            yield f"gaps|{c}|{i}|{column}", cell[column]
        for column in ("with_results", "none_found"):
            yield f"gaps|{c}|{i}|{column}", {cell[column], (cell[column], cell["completed"])}


def _accounts(connection: duckdb.DuckDBPyConnection, manifest: Any) -> Iterator[Figure]:
    for s in rows(connection, "FROM sources"):
        for column in ("stale_days", "records", "snapshots"):
            yield f"source|{s['source']}|{column}", s[column]
    contests = rows(connection, "FROM contests")
    yield "contests|open", sum(c["decision"] is None for c in contests)
    yield "contests|decided", sum(c["decision"] is not None for c in contests)
    for code in ("upheld", "corrected", "withdrawn"):
        yield f"contests|decided|{code}", sum(c["decision"] == code for c in contests)
    registrations = rows(connection, "FROM registrations")
    yield "universe|registrations", len(registrations)
    yield "universe|articles", len(rows(connection, "FROM publications"))
    needed = {"has_status": "status", "has_start": "start_earliest", "has_completion": "completion_earliest",
              "has_primary_completion": "primary_completion_earliest", "has_enrolment": "enrolment",
              "has_sponsor": "sponsor"}  # fmt: skip
    for registry in {r["registry"] for r in registrations}:
        own = [r for r in registrations if r["registry"] == registry]
        yield f"coverage|{registry}|registrations", len(own)
        yield f"coverage|{registry}|vanished", sum(r["vanished_on"] is not None for r in own)
        for name, column in needed.items():
            yield f"coverage|{registry}|{name}", (sum(r[column] is not None for r in own), len(own))
    for name, counted in (
        ("discrepancies", Counter((r["field"], r["kind"]) for r in rows(connection, "FROM discrepancies"))),
        ("identity", Counter((r["decision"], r["method"]) for r in rows(connection, "FROM trial_links"))),
        ("links", Counter((r["tier"],) for r in rows(connection, "FROM trial_publications"))),
    ):
        for key, number in counted.items():
            yield "|".join([name, *map(str, key)]), number
    for tier in {r["tier"] for r in rows(connection, "FROM trial_publications")}:
        links = [r for r in rows(connection, "FROM trial_publications") if r["tier"] == tier]
        yield f"links|{tier}|counted", (sum(r["counts_as_results"] for r in links), len(links))
    rejected: Counter[str] = Counter()
    for r in rows(connection, "FROM rejected_records"):
        rejected[f"rejected|{r['source']}|{r['scope']}"] += r["times"]
        rejected[f"rejected|{r['source']}|{r['scope']}|{r['field']}|{r['reason']}"] += r["times"]
    yield from rejected.items()
    for file in manifest["files"]:
        yield f"file|{file['file']}|bytes", file["bytes"]
        yield f"file|{file['file']}|rows", file.get("rows")
    total = sum(file["bytes"] for file in manifest["files"])
    yield "files|bytes", total
    yield f"release|{manifest['release']}|bytes", total
