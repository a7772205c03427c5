"""Sponsors, supporters and scorecards: made-up trials in, counts that can be checked by hand out."""

import csv

import pytest

from pipelines import build, sponsors, validation
from pipelines.contracts import contracts
from pipelines.errors import DataError
from tests.worlds import AS_OF, nct, put_studies, rows, study, tables

KNOWN = contracts()
MAPPED = ("name_key", "sponsor", "parent", "ror_id", "proof")
PERSON = "Jo Invented"


def in_places(*countries, conditions=()):
    places = [{"country": c, "city": "Town", "facility": f"Example {n}"} for n, c in enumerate(countries)]
    modules = {"contactsLocationsModule": {"locations": places}, "conditionsModule": {"conditions": list(conditions)}}
    return {"protocolSection": modules}


def twin(number):
    return [{"id": nct(number), "type": "REGISTRY"}]


# Completed 2021-03-10, so due 2022-03-10 under alltrials-summary; overdue where nothing else is said.
STUDIES = [
    study(1, sponsor="Acme Ltd", extra=in_places("Germany", "Germany", "France")),
    study(2, sponsor="ACME Limited", results=("2022-03-20", "2022-06-01"), extra=in_places("Germany")),
    study(3, sponsor="The Acme, Inc.", results=("2022-03-31", "2022-06-01"), phases=["PHASE3"]),
    study(4, sponsor="Acme", results=("2022-03-10", "2022-06-01")),
    study(5, sponsor=PERSON, sponsor_class="INDIV", enrolment=(30, "ESTIMATED")),
    study(6, sponsor="GlaxoSmithKline", enrolment=None),
    study(7, sponsor="ViiV Healthcare", results=("2022-03-10", "2022-06-01")),
    study(8, sponsor="Wellcome Trust", status="RECRUITING", pcd=("2025-01-01", "ESTIMATED"), cd=None),
    study(9, sponsor="Medical Research Council", study_type="OBSERVATIONAL", phases=None),
    study(10, sponsor=None, sponsor_class=None, has_results=True),
    study(11, sponsor="Merck KGaA", status="UNKNOWN", pcd=None, cd=None),
    study(12, sponsor="Merck & Co., Inc.", events=[("RELEASE", "2022-03-11")]),
    study(13, sponsor="KK Women's Hospital", status="WITHDRAWN", enrolment=0, secondary=twin(14), extra=in_places("Japan")),
    study(14, sponsor="KK Women's Hospital", secondary=twin(13), extra=in_places("Japan")),
    study(15, sponsor="Women's Hospital", pcd="2024-01-10", results=("2024-03-01", "2024-04-01")),
    *(study(n, sponsor="Fever Clinic", extra=in_places(conditions=["Fever", "fever!"])) for n in range(20, 30)),
    *(study(n, sponsor="Cough Clinic", extra=in_places(conditions=["Cough"])) for n in range(30, 39)),
]  # fmt: skip
TRIALS = len(STUDIES) - 1  # 13 and 14 are one


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    data = tmp_path_factory.mktemp("scorecards") / "data"
    put_studies(data, AS_OF, STUDIES)
    with tables(data) as connection:
        yield connection


def card(world, kind, value, columns):
    found = rows(
        world,
        f"""SELECT {columns} FROM scorecards
        WHERE policy = 'alltrials-summary' AND unit_kind = '{kind}' AND unit_value = '{value}'""",
    )
    return found[0] if found else None


# trials, due, on time, late, undated, submitted, missing, cannot judge, pending, early, outside
COUNTS = "trials, due, reported_on_time, reported_late, reported_undated, submitted, missing, cannot_judge, pending, reported_early, outside"
CARDS = {
    ("all", "all"): (TRIALS, 29, 2, 2, 1, 1, 23, 1, 1, 1, 1),
    ("sponsor", "acme"): (4, 4, 1, 2, 0, 0, 1, 0, 0, 0, 0),
    ("sponsor", "glaxosmithkline"): (1, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0),
    ("sponsor", "viiv-healthcare"): (1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0),
    ("sponsor", "merck-kgaa"): (1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0),
    ("sponsor", "merck-co"): (1, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0),
    ("sponsor", "kk-women-s-hospital"): (1, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0),
    ("sponsor", "women-s-hospital"): (1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0),
    ("sponsor", "(private person)"): (1, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0),
    ("sponsor", "(not stated)"): (1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0),
    ("sponsor_parent", "glaxosmithkline"): (2, 2, 1, 0, 0, 0, 1, 0, 0, 0, 0),
    ("sponsor_parent", "viiv-healthcare"): None,
    ("sponsor_parent", "(not mapped)"): (25, 24, 1, 2, 0, 0, 21, 0, 0, 1, 0),
    ("sponsor_class", "individual"): (1, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0),
    ("phase", "phase3"): (1, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0),
    ("completion_year", "2025"): (1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0),
    ("completion_year", "(not stated)"): (1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0),
    ("country", "Germany"): (2, 2, 0, 1, 0, 0, 1, 0, 0, 0, 0),
    ("country", "France"): (1, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0),
    ("country", "Japan"): (1, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0),
    ("country", "(not stated)"): (TRIALS - 3, 26, 2, 1, 1, 1, 21, 1, 1, 1, 1),
    ("condition", "fever"): (10, 10, 0, 0, 0, 0, 10, 0, 0, 0, 0),
    ("condition", "cough"): None,
}


@pytest.mark.parametrize("unit", CARDS, ids=" ".join)
def test_counts_of_a_unit(world, unit):
    assert card(world, *unit, COUNTS) == CARDS[unit]


@pytest.mark.parametrize(
    ("unit", "columns", "expected"),
    [
        (("sponsor", "acme"), "reported_share, reported_share_low, reported_share_high", (0.75, 0.75, 0.75)),
        (("all", "all"), "reported_share, reported_share_low, reported_share_high", (5 / 29, 5 / 30, 6 / 30)),
        (("sponsor", "merck-kgaa"), "reported_share, reported_share_low, reported_share_high", (None, 0, 1)),
        (("sponsor", "wellcome-trust"), "reported_share, reported_share_low, reported_share_high", (None, None, None)),
        (("sponsor", "acme"), "days_late_median_min, days_late_median_max", (15.5, 15.5)),
        (("sponsor", "glaxosmithkline"), "days_late_median_min, days_late_median_max", (None, None)),
        (("sponsor", "acme"), "missing_participants_actual, missing_participants_planned, missing_without_enrolment", (50, 0, 0)),
        (("sponsor", "(private person)"), "missing_participants_actual, missing_participants_planned, missing_without_enrolment", (0, 30, 0)),
        (("sponsor", "glaxosmithkline"), "missing_participants_actual, missing_participants_planned, missing_without_enrolment", (0, 0, 1)),
        (("sponsor", "fever-clinic"), "is_small, is_remainder, unit_label", (False, False, "Fever Clinic")),
        (("sponsor", "cough-clinic"), "is_small, is_remainder, unit_label", (True, False, "Cough Clinic")),
        (("sponsor", "(private person)"), "is_remainder, unit_label", (True, "(private person)")),
        (("sponsor_parent", "glaxosmithkline"), "unit_label", ("GlaxoSmithKline",)),
    ],
)  # fmt: skip
def test_what_is_derived_from_the_counts(world, unit, columns, expected):
    assert card(world, *unit, columns) == pytest.approx(expected)


def test_every_check_of_the_contract_holds(world):
    for name in ("sponsors", "supporters", "scorecards"):
        found = validation.check_table(world, KNOWN.tables[name], KNOWN)
        assert [(r.check_name, r.examples) for r in found if r.outcome != "passed"] == []


@pytest.mark.parametrize(
    ("fault", "check"),
    [
        ("UPDATE scorecards SET pending = pending + 1 WHERE unit_value = 'acme'", "groups_sum_to_trials"),
        ("DELETE FROM scorecards WHERE unit_value = '(private person)'", "partitions_sum_to_headline"),
        ("DELETE FROM scorecards WHERE unit_kind = 'all'", "headline_is_the_status"),
        ("DELETE FROM scorecards WHERE unit_kind = 'phase'", "partitions_sum_to_headline"),
        (
            "UPDATE scorecards SET cannot_judge = cannot_judge - 1, pending = pending + 1 WHERE unit_kind = 'all'",
            "headline_is_the_status",
        ),
        ("UPDATE scorecards SET trials = 2 WHERE unit_value = 'Japan'", "countries_counted_once"),
        (
            "UPDATE scorecards SET due = due + 1, outside = outside - 1 WHERE unit_kind = 'country'",
            "countries_counted_once",
        ),
        ("UPDATE scorecards SET trials = trials + 1 WHERE unit_value = 'fever'", "conditions_counted_once"),
        ("UPDATE scorecards SET due = 9 WHERE unit_value = 'fever'", "conditions_counted_once"),
        ("UPDATE scorecards SET sums_to_universe = true WHERE unit_kind = 'country'", "sums_are_told"),
        ("UPDATE scorecards SET reported_share = reported / trials WHERE unit_kind = 'all'", "shares_are_of_due"),
        ("UPDATE scorecards SET reported_share = 0 WHERE due = 0", "shares_are_of_due"),
    ],
)
def test_a_count_that_is_wrong_is_found(world, fault, check):
    world.execute("BEGIN")
    try:
        world.execute(fault)
        found = validation.check_table(world, KNOWN.tables["scorecards"], KNOWN)
        assert check in {r.check_name for r in found if r.outcome == "failed"}
    finally:
        world.execute("ROLLBACK")


def test_the_checks_know_which_kinds_of_unit_partition_the_trials(world):
    listed = {code for code, unit in KNOWN.vocabularies["scorecard_unit"].items() if unit["sums_to_universe"] == "yes"}
    found = rows(world, "SELECT DISTINCT unit_kind FROM scorecards WHERE sums_to_universe")
    assert {kind for (kind,) in found} == listed
    checks = {check.name: check.sql for check in KNOWN.tables["scorecards"].checks}
    assert f"count(*) <> {len(listed)} " in checks["partitions_sum_to_headline"]
    assert all(f"'{kind}'" in checks["sums_are_told"] for kind in listed)


def test_a_person_is_no_unit_and_no_sponsor(world):
    for table in ("scorecards", "sponsors"):
        assert rows(world, f"FROM {table} AS t WHERE CAST(t AS VARCHAR) ILIKE '%invented%'") == []


def test_names_of_one_sponsor_are_shown_as_registered(world):
    sql = "SELECT names, is_mapped, parent_id, mapping_proof IS NULL FROM sponsors WHERE sponsor_id = '{}'"
    assert rows(world, sql.format("acme")) == [
        (["ACME Limited", "Acme", "Acme Ltd", "The Acme, Inc."], False, None, True)
    ]
    assert rows(world, sql.format("viiv-healthcare")) == [(["ViiV Healthcare"], True, "glaxosmithkline", False)]


def test_a_parent_that_leads_nothing_is_there_for_those_who_belong_to_it(tmp_path):
    put_studies(tmp_path / "data", AS_OF, [study(1, sponsor="ViiV Healthcare")])
    with tables(tmp_path / "data") as connection:
        found = rows(connection, "SELECT sponsor_id, names, registrations_led FROM sponsors ORDER BY ALL")
    assert found == [("glaxosmithkline", [], 0), ("viiv-healthcare", ["ViiV Healthcare"], 1)]


REGISTERED = {
    # As which name and class, how often; and which name and class the sponsor has.
    "more of a class in two spellings": (
        [("Beta", "INDUSTRY", 3), ("Beta Ltd", "OTHER", 2), ("Beta Inc.", "OTHER", 2)],
        ("beta", "Beta", "other"),
    ),
    "more of a spelling in two classes": (
        [("Gamma", "INDUSTRY", 2), ("Gamma", "OTHER", 2), ("Gamma Ltd", "OTHER", 3)],
        ("gamma", "Gamma", "other"),
    ),
    "as many of each": ([("Delta", "OTHER", 1), ("Delta Ltd", "INDUSTRY", 1)], ("delta", "Delta Ltd", "other")),
}


def test_a_sponsor_has_its_commonest_name_and_its_commonest_class(tmp_path):
    names = [(name, kind) for said, _ in REGISTERED.values() for name, kind, times in said for _ in range(times)]
    studies = [study(n, sponsor=name, sponsor_class=kind) for n, (name, kind) in enumerate(names, 1)]
    put_studies(tmp_path / "data", AS_OF, studies)
    with tables(tmp_path / "data") as connection:
        found = {row[0]: row for row in rows(connection, "SELECT sponsor_id, name, sponsor_class FROM sponsors")}
    assert {case: found[expected[0]] for case, (_, expected) in REGISTERED.items()} == {
        case: expected for case, (_, expected) in REGISTERED.items()
    }


def test_supporters_have_their_own_record(world):
    sql = "SELECT supporter, sponsor_id, trials FROM supporters WHERE sponsor_id IS NOT NULL ORDER BY ALL"
    assert rows(world, sql) == [
        ("British Heart Foundation", "british-heart-foundation", 0),
        ("GlaxoSmithKline", "glaxosmithkline", 2),
        ("Medical Research Council", "medical-research-council", 1),
        ("Wellcome Trust", "wellcome-trust", 1),
    ]
    assert rows(world, "SELECT DISTINCT trials FROM supporters WHERE sponsor_id IS NULL") == [(None,)]
    _, record = build.views(KNOWN, AS_OF)["supporter_record"]
    policy = f"SELECT supporter, due, reported_on_time, missing FROM ({record}) WHERE policy = 'alltrials-summary' ORDER BY ALL"
    assert rows(world, policy) == [
        ("GlaxoSmithKline", 2, 1, 1), ("Medical Research Council", 0, 0, 0), ("Wellcome Trust", 0, 0, 0),
    ]  # fmt: skip


# --- the reviewed lists ---------------------------------------------------------------------------------------------


def lists(root, mapped, signed=()):
    """The lists below `root`; of a row's fields the last ones may be left out."""
    (root / "reference").mkdir()
    for name, fields, given in (
        ("sponsor_mappings", MAPPED, mapped),
        ("supporters", ("name", "kind", "sponsor_key", "proof"), signed),
    ):
        with (root / "reference" / f"{name}.csv").open("w", encoding="utf-8", newline="") as handle:
            csv.writer(handle).writerows([fields, *given])
    return root


ACME = ("acme", "Acme", "", "", "p")
BRANCH = ("branch", "Branch", "Acme", "", "p")


@pytest.mark.parametrize(
    ("mapped", "reason"),
    [
        ([ACME, ACME], '"acme" stands twice'),
        ([("Acme", "Acme", "", "", "p")], '"Acme" is no folded name'),
        ([("acme", "", "", "", "p")], "is no folded name with a sponsor"),
        ([("acme", "Acme", "", "", " ")], '"acme" has no proof'),
        ([("acme", "Acme", "", "01xsqw824", "p")], "fails its own check digits"),
        ([ACME, ("acme uk", "Acme", "", "01xsqw823", "p")], '"Acme" has two values of ror_id'),
        ([ACME, BRANCH, ("branch uk", "Branch", "", "", "p")], '"Branch" has two values of parent'),
        ([("acme uk", "Acme", "", "", "p")], '"Acme" is not mapped to itself'),
        ([BRANCH], 'the parent of "Branch", has no row of its own'),
        ([ACME, BRANCH, ("twig", "Twig", "Branch", "", "p")], 'the parent of "Twig", has a parent itself'),
    ],
)
def test_a_mapping_that_contradicts_itself_is_refused(tmp_path, mapped, reason):
    with pytest.raises(DataError, match=reason):
        sponsors.mappings(lists(tmp_path, mapped))


@pytest.mark.parametrize(
    ("signed", "reason"),
    [
        ([("S", "funder", "", "p"), ("S", "funder", "", "p")], '"S" stands twice'),
        ([("S", "funder", "", "")], '"S" has no proof'),
        ([("S", "funder", "nobody", "p")], 'mapped to "nobody", which is no sponsor'),
        ([("S", "funder", "branch", "p")], 'mapped to "branch", which is no sponsor without a parent'),
    ],
)
def test_a_supporter_that_cannot_be_resolved_is_refused(tmp_path, signed, reason):
    root = lists(tmp_path, [ACME, BRANCH], signed)
    with pytest.raises(DataError, match=reason):
        sponsors.supporters(sponsors.mappings(root), root)


def test_the_reviewed_lists_stand():
    mapped = sponsors.mappings()
    assert {s["sponsor_id"] for s in sponsors.supporters(mapped)} >= {"glaxosmithkline", "medical-research-council", ""}
