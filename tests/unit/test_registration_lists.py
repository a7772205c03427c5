"""The lists of a registration put together from its records: the same however many records there are."""

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines import dates, queries
from pipelines.settings import SQL

LISTS = (SQL / "parts" / "registration_lists.sql").read_text(encoding="utf-8")
ADDED = ("aliases", "identifiers", "mentions", "countries", "publications", "documents")
FIRST = ("conditions", "condition_mesh", "interventions", "intervention_mesh", "outcomes", "analyses", "sponsors")
NAMES = (*ADDED, *FIRST)

ITEMS = st.lists(st.sampled_from("abcd"), max_size=3)
RECORD = st.fixed_dictionaries({"source": st.sampled_from(["euctr", "ictrp"]), **dict.fromkeys(NAMES, ITEMS)})


@pytest.fixture(scope="module")
def db():
    with duckdb.connect() as connection:
        connection.execute(dates.SQL_MACROS + queries.macros())
        yield connection


def together(db, records):
    """What the query makes of the records of one registration."""
    rows = ", ".join(
        f"('R', 'reg', {len(records)}, {place}, '{record['source']}', '{records[0]['source']}', "
        + ", ".join(f"{record[name]}::VARCHAR[]" for name in NAMES) + ")"
        for place, record in enumerate(records, 1)
    )  # fmt: skip
    columns = ("registration_id", "registry", "records", "place", "source", "first_source", *NAMES)
    db.execute(f"CREATE OR REPLACE TABLE current_records AS FROM (VALUES {rows}) AS t ({', '.join(columns)})")
    made = db.sql(LISTS)
    (row,) = made.fetchall()
    found = dict(zip(made.columns, row, strict=True))
    return {name: sorted(found[name] or []) if name == "documents" else found[name] or [] for name in NAMES}


def expected(records):
    """The rule in plain Python: what repeats is the first record's that has any, what adds up is of all; countries are
    those of the first source that names any where that is the first record's, else of all."""
    made = {name: next((r[name] for r in records if r[name]), []) for name in FIRST}
    made |= {name: [item for r in records for item in r[name]] for name in ADDED}
    own = [item for r in records if r["source"] == records[0]["source"] for item in r["countries"]]
    made["countries"] = own or made["countries"]
    made["mentions"] = sorted(set(made["mentions"]))
    made["documents"] = sorted(set(made["documents"]))
    return made


@settings(max_examples=40, deadline=None)
@given(st.lists(RECORD, min_size=1, max_size=4))
def test_lists_are_put_together_by_the_same_rule_however_many_records_there_are(db, records):
    if len(records) == 1:
        assert together(db, records) == {name: sorted(records[0][name]) if name == "documents" else records[0][name]
                                         for name in NAMES}  # fmt: skip
    else:
        assert together(db, records) == expected(records)
