"""What holds of every reporting policy and of any record while the as-of date moves: one status, ordered bounds, and only
the arrows of the status vocabulary. FDAAA has generated records of its own in `test_fdaaa`.
"""

import itertools
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

import duckdb
import pytest
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from pipelines import queries
from pipelines.contracts import contracts
from pipelines.queries import Query
from tests.unit.test_eu_policies import EXTRACT, PAGE, ctis_record, euctr, extract, page, table, text
from tests.unit.test_fdaaa import us
from tests.worlds import AS_OF, make_again, put_file, put_studies, rows, tables

DAYS = (0, 1, 29, 366, 2000)
"""Days after the snapshots: around each grace, past every clock and deferral."""

OVERDUE = {"overdue", "overdue_submission_cancelled", "reporting_unknown"}
ARROWS = {
    "not_completed": {"not_due", "inconsistent"},
    "not_due": {"deferred", "in_grace"} | OVERDUE,
    "deferred": {"in_grace"} | OVERDUE,
    "in_grace": OVERDUE,
    "submitted_early": {"submitted_on_time"},
    "reported_early": {"reported_on_time", "reported_undated"},
}


def reachable(status: str) -> set[str]:
    found = {status}
    for after in ARROWS.get(status, ()):
        found |= reachable(after)
    return found


# --- any record --------------------------------------------------------------------------------------------------------

day = st.dates(date(2013, 6, 1), AS_OF).map(str)
ahead = st.dates(AS_OF + timedelta(days=1), date(2027, 1, 1)).map(str)
end = day | st.just("") | ahead
partial = day | day.map(lambda d: d[:7]) | day.map(lambda d: d[:4]) | st.none()

country_record = st.tuples(
    st.sampled_from(["DE", "FR", "GB", "3rd"]),
    st.sampled_from(
        ["", "Completed", "Completed", "Prematurely Ended", "Ongoing", "Restarted", "Temporarily Halted", "Not Authorised",
         "GB - no longer in EU/EEA", "Trial now transitioned"]
    ),
    end,
    st.sampled_from(["", "", "View results", "Removed from public view"]),
)  # fmt: skip
directive = st.fixed_dictionaries(
    {
        "records": st.lists(country_record, min_size=1, max_size=3, unique_by=lambda r: r[0]),
        "page": st.none() | st.tuples(end, day, st.sampled_from(["Tabular", "Broken"])),
    }
)
full_text = st.fixed_dictionaries(
    {
        "status": st.sampled_from(["Completed", "Ongoing", "Trial now transitioned"]), "end": end,
        "phases": st.sampled_from(["YNN", "NYN", ""]), "pip": st.sampled_from(["Yes", "No", ""]),
    }
)  # fmt: skip
regulation = st.fixed_dictionaries(
    {
        "code": st.sampled_from([None, 1, 4, 5, 6, 8, 8, 8, 9, 10, 11]), "end": end.map(lambda d: d or None),
        "summaries": st.lists(day | st.none(), max_size=2), "lay": st.lists(day, max_size=1),
        "csr": st.lists(day, max_size=1), "category": st.sampled_from([None, "1", "2"]),
        "phase": st.sampled_from(["1", "4"]), "pip": st.sampled_from([None, "EMEA-000000-PIP01-90"]),
        "states": st.dictionaries(st.sampled_from(["Spain", "France"]), st.tuples(st.sampled_from([5, 8]), day | st.none()),
                                  max_size=2),
        "applied": day, "moved": st.booleans(),
    }
)  # fmt: skip
study_in_the_uk = st.fixed_dictionaries(
    {
        "status": st.sampled_from(["COMPLETED", "RECRUITING", "TERMINATED", "UNKNOWN", "WITHDRAWN"]), "start": partial,
        "pcd": partial | ahead.map(lambda d: (d, "ESTIMATED")), "cd": partial | ahead.map(lambda d: (d, "ESTIMATED")),
        "countries": st.sampled_from([("United Kingdom",), ("France", "United Kingdom"), ("France",), ()]),
        "kinds": st.sampled_from([("DRUG",), ("BEHAVIORAL",), ("OTHER",)]),
        "results": st.none() | st.tuples(day, day), "has_results": st.sampled_from([None, None, True]),
        "study_type": st.sampled_from(["INTERVENTIONAL", "INTERVENTIONAL", "OBSERVATIONAL", None]),
        "events": st.none() | st.lists(st.tuples(st.sampled_from(["RELEASE", "UNRELEASE", "RESET"]), day), max_size=3),
    }
)  # fmt: skip


# --- any day -----------------------------------------------------------------------------------------------------------


def judged_again() -> list[Query]:
    """The queries of `reporting_status` that can depend on the as-of date: all but those that say who is one trial."""
    every = queries.all_queries({"legs_uk_ctr_2026": approved_where_unknown()})
    needs = {q.name: set(q.needs) for q in every}

    def behind(names: set[str]) -> set[str]:
        found = set(names)
        while more := {n for name in found for n in needs[name]} - found:
            found |= more
        return found

    settled = behind(set(queries.STEPS)) - {"ledger"}
    wanted = behind({"reporting_status"}) - settled
    return [q for q in every if q.name in wanted]


def approved_where_unknown() -> str:
    """The rule of 2026 as it would be if registers stated the day of approval: else no trial is ever covered."""
    sql = queries.policy_file(contracts().policies["uk-ctr-2026"]).read_text(encoding="utf-8")
    assert "THEN false END" in sql
    return sql.replace("THEN false END", "THEN false ELSE true END").replace(
        "getvariable('policy').in_force", "DATE '2015-01-01'"
    )


def verdicts(connection: duckdb.DuckDBPyConnection, again: list[Query]) -> Iterator[dict[tuple[str, str], dict]]:
    names = (
        "trial_id", "policy", "status", "status_earliest", "applies", "clock_earliest", "clock_latest", "due_earliest",
        "due_latest", "days_late_min", "days_late_max",
    )  # fmt: skip
    for days in DAYS:
        connection.execute(f"SET VARIABLE as_of = DATE '{AS_OF + timedelta(days=days)}'")
        make_again(connection, again)
        found = rows(connection, f"SELECT {', '.join(names)} FROM reporting_status")
        made = {(row[0], row[1]): dict(zip(names, row, strict=True)) for row in found}
        assert len(made) == len(found), "a trial has one status under a policy"
        yield made


@pytest.fixture(scope="module", autouse=True)
def patient():
    """No source grows too old: what is known stays the same while the day moves."""
    known = contracts()
    policies = {
        name: replace(p, parameters={**p.parameters, "max_source_age_days": 9999}) if p.kind == "reporting" else p
        for name, p in known.policies.items()
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(queries, "contracts", lambda: replace(known, policies=policies))
        yield


MADE_AHEAD = 100
"""CTIS records below this number share it with a registration of the EU register; the others stand alone."""


def put_eu(data, extracts, texts, records) -> None:
    lines = [line for n, made in enumerate(extracts) for line in extract(n, made["records"])]
    put_file(data, "euctr", AS_OF, "protocols.csv", table(EXTRACT, lines))
    pages = [page(n, *made["page"]) for n, made in enumerate(extracts) if made["page"]]
    put_file(data, "euctr", AS_OF, "pages.csv", table(PAGE, pages))
    first = len(extracts)
    full = [text(first + n, "DE", m["status"], m["end"], m["phases"], m["pip"]) for n, m in enumerate(texts)]
    put_file(data, "euctr", AS_OF, "full.txt", "\n".join(full))
    served = []
    for n, made in enumerate(records):
        fields = dict(made)
        former = euctr(n) if fields.pop("moved") and n < len(extracts) else None
        served.append(ctis_record(n if former else MADE_AHEAD + n, eudract=former, **fields))
    put_file(data, "ctis", AS_OF, "records.jsonl", "\n".join(map(json.dumps, served)))


few = hypothesis_settings(max_examples=2, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
"""One build judges a whole world, so worlds are few, and one that fails is not made smaller."""


@few
@given(
    extracts=st.lists(directive, min_size=25, max_size=30),
    texts=st.lists(full_text, min_size=5, max_size=8),
    records=st.lists(regulation, min_size=15, max_size=20),
)
def test_records_of_the_eu(tmp_path_factory, extracts, texts, records):
    data = tmp_path_factory.mktemp("eu") / "data"
    put_eu(data, extracts, texts, records)
    time_follows_the_arrows(data)


@few
@given(studies=st.lists(study_in_the_uk, min_size=35, max_size=45))
def test_records_of_the_uk(tmp_path_factory, studies):
    data = tmp_path_factory.mktemp("uk") / "data"
    put_studies(data, AS_OF, [us(n, **fields) for n, fields in enumerate(studies)])
    time_follows_the_arrows(data)


def time_follows_the_arrows(data) -> None:
    policies = {p.id for p in contracts().of_kind("reporting")}
    with tables(data) as connection:
        found = list(verdicts(connection, judged_again()))
        universe = {t for (t,) in rows(connection, "SELECT trial_id FROM trials")}
    for made in found:
        assert set(made) == set(itertools.product(universe, policies))
        for verdict in made.values():
            check_bounds(verdict)
    for before, after in itertools.pairwise(found):
        for key, verdict in before.items():
            for reading in ("status", "status_earliest"):
                assert after[key][reading] in reachable(verdict[reading]), (key, reading)


def check_bounds(verdict) -> None:
    assert (verdict["status"] in ("out_of_scope", "left_scope")) <= (verdict["applies"] == "no")
    assert (verdict["status"] == "scope_unknown") <= (verdict["applies"] == "possible")
    for low, high in (
        ("clock_earliest", "clock_latest"),
        ("due_earliest", "due_latest"),
        ("days_late_min", "days_late_max"),
    ):
        assert verdict[low] is None or verdict[high] is None or verdict[low] <= verdict[high], (verdict, low)
