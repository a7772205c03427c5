"""What is left of a build where some sources may not be passed on: none of their words, all verdicts, all of the others."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from pipelines import contracts as contract_files
from pipelines import validation
from pipelines.contracts import Column, contracts
from pipelines.release import redistributable
from tests.unit.test_drks import in_both
from tests.unit.test_drks import trial as drks_trial
from tests.unit.test_ictrp import as_xml
from tests.unit.test_unregistered_candidates import report as trial_report
from tests.worlds import AS_OF, article, article_set, as_written, nct, put_file, put_studies, rows, study, tables

KNOWN = contracts()
TABLES = {name: table for name, table in KNOWN.tables.items() if not table.about_run}
MARK = "Quuxword"
"""Stands in every free text of the sources that may not be passed on, and nowhere else."""

MIXED = nct(1)
"""Read directly, and filled by ICTRP."""
FREE = (nct(2), nct(3), nct(6), nct(7), nct(8))
"""What only ClinicalTrials.gov knows; of 6 and 7, which are one trial, the first record was withdrawn; 8 recruits."""
WITHHELD = "DRKS99912345"
"""Read from a register whose records may not be passed on, and passed on by ICTRP as well."""

CHINESE = "ChiCTR2099084173"
"""Passed on by ICTRP alone, and one trial with a record of ClinicalTrials.gov."""


def ictrp(number: str, register: str, **values: str) -> dict[str, str]:
    return {
        "TrialID": number, "Source Register": register, "Public title": f"{MARK} title",
        "Scientific title": f"{MARK} official title", "Acronym": MARK, "Primary sponsor": f"{MARK} University",
        "Secondary Sponsor": f"{MARK} Hospital", "Source Support": f"{MARK} Foundation",
        "web address": f"https://example.org/{MARK}", "Recruitment Status": "Completed", "Study type": "Interventional",
        "Phase": f"{MARK} phase", "Date registration": "2019-05-02", "Date registration3": "20190502",
        "Date enrollement": "2019-06-01", "Last Refreshed on": "21 October 2023", "Target size": "50",
        "Export date": "6/1/2024 9:12:33 AM", "Countries": f"{MARK}land;Germany", "Condition": f"{MARK} fever",
        "Intervention": f"Drug: {MARK} acid", "Primary outcome": f"{MARK} death", "Secondary outcome": f"{MARK} pain",
        "Secondary ID": f"{MARK}-17;EX-1", "results url link": f"https://doi.org/10.99999/{MARK}.1",
    } | values  # fmt: skip


def from_ctgov(number: int, protocol: object = None, **fields: object) -> dict[str, object]:
    place = {"country": "Germany", "city": "Berlin", "facility": "Example"}
    modules = {
        "contactsLocationsModule": {"locations": [place]},
        "armsInterventionsModule": {"interventions": [{"type": "DRUG", "name": f"Acid {number}"}]},
        "outcomesModule": {"primaryOutcomes": [{"measure": f"Death {number}"}]},
    }
    documents = {"largeDocumentModule": {"largeDocs": [{"hasProtocol": True, "filename": "a.pdf"}]}}
    extra: dict[str, object] = {"protocolSection": modules | (protocol or {}), "documentSection": documents}
    analyses = [{"pValue": "0.01", "nonInferiorityType": "SUPERIORITY"}]
    outcome = {"type": "PRIMARY", "title": f"Death {number}", "analyses": analyses}
    extra["resultsSection"] = {"outcomeMeasuresModule": {"outcomeMeasures": [outcome]}}
    references = [{"pmid": "900000009", "type": "BACKGROUND"}]
    return study(number, sponsor=f"University {number}", extra=extra, references=references, **fields)


def named(number: str) -> list[dict[str, str]]:
    return [{"id": number, "type": "REGISTRY"}]


CONDITIONS = {"conditionsModule": {"conditions": ["Fever"]}}
ONLY_CTGOV = [
    from_ctgov(2, CONDITIONS, results=("2022-01-05", "2022-02-05")), from_ctgov(3, CONDITIONS),
    from_ctgov(6, CONDITIONS, status="WITHDRAWN", enrolment=0, secondary=named(nct(7))),
    from_ctgov(7, CONDITIONS, secondary=named(nct(6))),
    from_ctgov(8, CONDITIONS, status="RECRUITING", pcd=("2025-01-01", "ESTIMATED"), cd=None) | {
        "derivedSection": {"conditionBrowseModule": {"meshes": [{"id": "D005334", "term": "Fever"}]}}},
]  # fmt: skip
CORRECTED = f"a1,2024-01-01,correct,{nct(3)},,enrolment,51,One more came.,A letter.,Reviewer"

DRKS = drks_trial(
    trialDescriptions=in_both(title=(MARK, f"{MARK} title"), acronym=(MARK, MARK)),
    registrationDrks="2019-01-15",
    trialStatus="REGISTERED",
    recruitment={
        "status": "COMPLETE_FOLLOW_UP_COMPLETE", "scheduledStartDate": "2019-04-01", "actualStartDate": "2019-04-01",
        "scheduledCompletionDate": "2021-03-31", "actualCompletionDate": "2021-03-31", "plannedParticipants": 320,
        "totalParticipants": 300, "countries": [{"idCountry": {"code": "DE"}}], "recruitmentDescriptions": [],
    },
    trialContacts=[
        {"contact": {"affiliation": f"{MARK} University"}, "idContactIdType": {"type": "PRIMARY_SPONSOR"}},
    ],
    otherSecondaryIds=[{"value": f"{MARK}-18", "description": MARK}],
    trialResults={"publications": [
        {"type": "TRIALPROTOCOL", "link": f"https://example.org/{MARK}.pdf", "description": MARK},
        {"type": "RESULT", "link": f"https://doi.org/10.99999/{MARK}.2", "description": MARK},
    ]},
)  # fmt: skip


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """The tables of a build; and, in the database `passed`, what may be passed on of them."""
    data = tmp_path_factory.mktemp("redistributable") / "data"
    put_studies(data, AS_OF, [from_ctgov(1), from_ctgov(4, CONDITIONS, secondary=named(CHINESE)), *ONLY_CTGOV])
    records = as_xml(
        ictrp(MIXED, "ClinicalTrials.gov"),
        ictrp(CHINESE, "ChiCTR") | {"Secondary ID": f"{nct(4)} ({MARK})"},
        ictrp(WITHHELD, "German Clinical Trials Register"),
    )
    put_file(data, "ictrp", AS_OF, "trials.xml", records.decode())
    put_file(data, "drks", AS_OF, "trials.json", json.dumps([DRKS]))
    earlier = json.dumps([DRKS]).replace(f"{MARK} title", f"{MARK} older title").replace("2021-03-31", "2021-02-28")
    put_file(data, "drks", AS_OF - timedelta(days=30), "trials.json", earlier)
    for year, title in ((23, "First"), (24, "Revised")):
        text = article_set(article(900000001, bank=(nct(2),), title=title), trial_report(900000002))
        put_file(data, "pubmed", AS_OF, f"pubmed{year}n0001.xml", text, "full", baseline=True)
    corrected = f"a2,2024-01-01,correct,{WITHHELD},,acronym,,It has none.,A letter.,Reviewer"
    contested = f"c1,{WITHHELD},,misread,2024-01-01,,,The acronym is said to be another."
    with tables(data, adjudicated=[CORRECTED, corrected], contested=[contested]) as connection:
        pass_on(connection)
        yield connection


def pass_on(connection):
    as_written(connection)
    connection.execute("ATTACH ':memory:' AS passed")
    for table in TABLES.values():
        connection.execute(contract_files.ddl(table, "passed.main"))
        connection.execute(f"INSERT INTO passed.main.{table.name} {redistributable.query(table, KNOWN)}")


def same(connection, sql):
    """The rows of a query over both; `{}` is the schema."""
    full, passed = (sorted(map(repr, rows(connection, sql.format(schema)))) for schema in ("main", "passed.main"))
    return full == passed


def with_marks(connection, schema):
    """Names of the tables in which the marked word stands, in any column."""
    return {
        name
        for name in TABLES
        if rows(connection, f"FROM {schema}.{name} AS t WHERE contains(lower(CAST(t AS VARCHAR)), '{MARK.lower()}')")
    }


@pytest.mark.parametrize("table", KNOWN.tables.values(), ids=lambda t: t.name)
def test_every_contract_says_whose_content_its_table_holds(table):
    assert table.is_ours is (table.served is None)
    assert redistributable.query(table, KNOWN).count("SELECT")


def test_no_word_of_a_source_that_may_not_be_passed_on_is_left(world):
    assert with_marks(world, "main") >= {
        "registrations", "registration_versions", "trials", "conditions", "interventions", "outcomes",
        "registration_sponsors", "sponsors", "identifiers", "registration_countries", "missing_results",
        "documents", "rejected_records", "trial_links", "discrepancies", "adjudications", "registry_references",
    }  # fmt: skip
    assert with_marks(world, "passed.main") == set()


@pytest.mark.parametrize("name", [t.name for t in TABLES.values() if t.is_ours])
def test_what_is_ours_stays_as_it_is(world, name):
    assert same(world, f"FROM {{}}.{name}")


def test_verdicts_that_quote_a_record_stay_too(world):
    verdict = "trial_id, policy, status, registration_id, completed_earliest, due_latest, is_ambiguous, any_results"
    assert same(world, f"SELECT {verdict} FROM {{}}.missing_results")
    assert rows(world, "SELECT DISTINCT trial_id FROM main.missing_results ORDER BY ALL") == [
        (CHINESE,), (WITHHELD,), (MIXED,), (nct(3),), (nct(6),),
    ]  # fmt: skip


@pytest.mark.parametrize("name", TABLES)
def test_what_may_be_passed_on_is_there_unchanged(world, name):
    """What only ClinicalTrials.gov and PubMed say; PubMed's tables are theirs as a whole."""
    which = {
        "sponsors": "name LIKE 'University%'",
        "rejected_records": "source = 'ctgov'",
        "scorecards": "unit_kind = 'sponsor' AND unit_value LIKE 'university%'",
        "evidence_gaps": "condition = 'fever' AND intervention IN ('(all)', 'acid 3')",
        "missing_by_condition": "condition = 'fever'",
        "missing_by_intervention": "intervention = 'acid 3'",
    }.get(name, "true")
    for column in ("trial_id", "seen_in", "registration_id"):
        if column in TABLES[name].column_names:
            which = f"{column} IN {FREE}"
    assert same(world, f"FROM {{}}.{name} WHERE {which}")


def test_the_world_has_something_of_everything(world):
    empty = {name for name in TABLES if not rows(world, f"FROM passed.main.{name} LIMIT 1")}
    # A first build tells no news; no record that may be passed on has changed or shows submissions.
    assert empty <= {"rejected_records", "status_transitions", "registration_changes", "result_events"}


def test_no_row_of_a_registration_or_trial_is_lost(world):
    ours = "registration_id, trial_id, registry, source, first_seen, last_seen, last_seen_directly, content_hash"
    assert same(world, f"SELECT {ours} FROM {{}}.registrations")
    assert same(world, "SELECT trial_id, registrations, main_registration_id, title_from, start_from FROM {}.trials")
    assert same(world, "FROM {}.identifiers WHERE kind = 'registration'")


@pytest.mark.parametrize(
    ("sql", "full", "left"),
    [
        # a field of the register itself, and one that ICTRP filled
        ("SELECT title, acronym FROM {}.registrations WHERE registration_id = '{n}'", ("Invented study 1", MARK), ("Invented study 1", None)),
        ("SELECT count(*) FROM {}.conditions WHERE registration_id = '{n}'", (1,), (0,)),
        ("SELECT count(*) FROM {}.interventions WHERE registration_id = '{n}'", (1,), (1,)),
        # countries are those of one source
        ("SELECT list(country ORDER BY country) FROM {}.registration_countries WHERE registration_id = '{n}'", (["Germany"],), (["Germany"],)),
        # lists that add up: what both state is the register's own
        ("SELECT list(DISTINCT number ORDER BY number) FROM {}.identifiers WHERE seen_in = '{n}'", (["EX-1", MIXED, f"{MARK}-17"],), (["EX-1", MIXED],)),
        ("SELECT list(DISTINCT f.item ORDER BY f.item) FROM {}.registrations, unnest(filled_from_others) AS u(f) WHERE registration_id = '{n}' AND f.item IS NOT NULL", ([f"{MARK}-17"],), (None,)),
        ("SELECT list(f.field ORDER BY f.field) FROM {}.registrations, unnest(filled_from_others) AS u(f) WHERE registration_id = '{n}' AND f.item IS NULL AND f.source = 'ictrp'", (["acronym", "conditions", "official_title"],), (["acronym", "conditions", "official_title"],)),
        # a trial's fields go the way of the registration's
        ("SELECT title, title_from, start_raw, start_precision FROM {}.trials WHERE trial_id = '{n}'", ("Invented study 1", MIXED, "2020-01-15", "day"), ("Invented study 1", MIXED, "2020-01-15", "day")),
        ("SELECT DISTINCT title, conditions, interventions FROM {}.missing_results WHERE trial_id = '{n}'", ("Invented study 1", [f"{MARK} fever"], ["Acid 1"]), ("Invented study 1", None, ["Acid 1"])),
        # what people decided and what links registrations is ours, the record's words are not
        ("SELECT list(value_before ORDER BY adjudication_id) FROM {}.adjudications", (["50", MARK],), (["50", None],)),
        ("SELECT decision, value, other_value FROM {}.trial_links WHERE registration_id = 'ChiCTR2099084173'", ("merged", f"{nct(4)} ({MARK})", "ChiCTR2099084173"), ("merged", None, "ChiCTR2099084173")),
        ("SELECT count(*) FROM {}.discrepancies WHERE field = 'start'", (1,), (0,)),
        # the only source of it may not be passed on
        ("SELECT title, title_from, sponsor_id, start_raw, start_precision FROM {}.trials WHERE trial_id = '{w}'", (f"{MARK} title", WITHHELD, f"{MARK.lower()}-university", "2019-04-01", "day"), (None, WITHHELD, None, None, "none")),
        ("SELECT count(*) FROM {}.registration_versions WHERE registration_id = '{w}'", (3,), (0,)),
    ],
)  # fmt: skip
def test_field_by_field(world, sql, full, left):
    for schema, expected in (("main", full), ("passed.main", left)):
        assert rows(world, sql.replace("{}", schema).replace("{n}", MIXED).replace("{w}", WITHHELD)) == [expected]


def test_all_checks_hold(world):
    world.execute("USE passed")
    try:
        results = [r for table in TABLES.values() for r in validation.check_table(world, table, KNOWN)]
    finally:
        world.execute("USE memory")
    assert [(r.table_name, r.check_name, r.examples) for r in results if r.outcome != "passed"] == []


def test_where_every_source_may_be_passed_on_nothing_changes(tmp_path):
    put_studies(tmp_path / "data", AS_OF, [from_ctgov(1), *ONLY_CTGOV])
    with tables(tmp_path / "data", adjudicated=[CORRECTED]) as connection:
        pass_on(connection)
        assert [name for name in TABLES if not same(connection, f"FROM {{}}.{name}")] == []


def test_a_contract_that_leaves_it_open_is_refused():
    trials = TABLES["trials"]
    sure = tuple(replace(c, required=True) if c.name == "title" else c for c in trials.columns)
    new = Column("budget", "BIGINT", "Whose it is, nobody says.")
    for table, reason in (
        (replace(trials, served=None), "does not say whose content the table holds"),
        (replace(trials, columns=(*trials.columns, new)), r"budget: the contract does not say whose"),
        (replace(trials, columns=sure), r"title: is always there, so it cannot be emptied"),
        (replace(TABLES["sponsors"], served=TABLES["missing_results"].served), "cannot be made again without"),
    ):
        with pytest.raises(ValueError, match=reason):
            redistributable.query(table, KNOWN)
