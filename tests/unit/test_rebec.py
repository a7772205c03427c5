"""The ReBec reader, and with it the feed to the WHO portal, on planted records: every rule, every damage."""

import gzip
import io
import json
import zipfile
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.contracts import contracts
from pipelines.formats import who_feed, xml_records
from pipelines.privacy import PRIVATE_PERSON
from pipelines.sources import rebec
from tests import payloads
from tests.payloads import Read

DAY = date(2026, 8, 1)
HEAD = '<?xml version="1.0" encoding="UTF-8"?>\r\n<!DOCTYPE trials SYSTEM "http://localhost:9/who_ictrp.dtd">\n'
MAIN = {
    "trial_id": "RBR-2zz9zz",
    "utrn": "U1111-1234-5679",
    "reg_name": "REBEC",
    "date_registration": "02/03/2011",
    "primary_sponsor": "Universidade Inventada - Brazil",
    "public_title": "An invented trial",
    "acronym": "INV: Invented",
    "scientific_title": "An invented trial, in the words of science",
    "date_enrolment": "01/04/2011",
    "type_enrolment": "anticipated",
    "target_size": "40",
    "recruitment_status": "recruiting",
    "url": "http://127.0.0.1:8000/rg/RBR-2zz9zz/v2/",
    "study_type": "",
    "phase": "2-3",
    "hc_freetext": "Malaria\nFever",
    "i_freetext": "Drug: chloroquine",
}
CONTACT = """<contact><type>public</type><firstname>Ana</firstname><middlename>Maria</middlename>
  <lastname>Inventada Souza</lastname><address>Rua 1</address><city>X</city><country1>Brazil</country1><zip>1</zip>
  <telephone>+55 11 5555 5555</telephone><email>ana@example.org</email><affiliation>Y</affiliation></contact>"""


def trial(rest: str = "", **main: str | None) -> str:
    """One trial; a field of `main` that is None is left out."""
    fields = "".join(f"<{name}>{value}</{name}>" for name, value in (MAIN | main).items() if value is not None)
    return f"""<trial><main>{fields}</main><contacts>{CONTACT}</contacts>
      <countries><country2>Brazil</country2><country2>Peru</country2></countries>{rest}</trial>"""


def feed(*trials: str) -> str:
    return f"{HEAD}<trials>\n{''.join(trials)}\n</trials>\n"


@pytest.fixture
def read(tmp_path: Path):
    def run(content: str | bytes) -> Read:
        return payloads.read(rebec, tmp_path, content, DAY)

    return run


@pytest.fixture
def one(read):
    def run(*arguments: str, **main: str | None) -> dict[str, Any]:
        (row,) = read(feed(trial(*arguments, **main))).rows
        return row

    return run


# --- shapes and damage ----------------------------------------------------------------------------------------------


def zipped(**entries: str) -> bytes:
    box = io.BytesIO()
    with zipfile.ZipFile(box, "w") as archive:
        for name, text in entries.items():
            archive.writestr(name, text)
    return box.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        feed(trial()),
        gzip.compress(feed(trial()).encode(), mtime=0),
        b"\xef\xbb\xbf\r\n" + feed(trial()).encode(),
        zipped(a=feed(trial())),
        trial(),
        "<!-- saved -->" + feed(trial()).removeprefix(HEAD),
        feed(trial()).replace("UTF-8", "ISO-8859-1").encode("latin-1"),
    ],
    ids=["plain", "gzip", "bom", "zip", "bare trial", "comment", "latin-1"],
)
def test_every_shape_of_a_payload_is_read(read, content):
    result = read(content)
    assert result.ids == ["RBR-2zz9zz"]
    assert result.report.rejects == []


def test_rows_have_the_contracts_columns(one):
    row = one()
    assert tuple(row) == contracts().staging["registration_records"].column_names
    assert row["rejects"] == []


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "empty"),
        ("<!DOCTYPE html><html><body>Just a moment</body></html>", "HTML page"),
        (
            "<Trials_downloaded_from_ICTRP><Trial/></Trials_downloaded_from_ICTRP>",
            "root <Trials_downloaded_from_ICTRP>",
        ),
        ('{"drksId": "DRKS99912345"}', "is JSON"),
        ("TrialID,Title\n1,2\n", "is not a register's feed"),
        (
            '<?xml version="1.0"?><!DOCTYPE trials [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><trials>&b;</trials>',
            "declares entities",
        ),
        (b"\x1f\x8b\x08\x00cut", "cut off"),
        (b"PK\x03\x04cut", "zip archive cannot be opened"),
    ],
)
def test_what_is_no_feed_is_a_rejected_payload(read, content, reason):
    result = read(content)
    (found,) = result.reasons("payload")
    assert reason in found
    assert (result.report.records_in, result.rows) == (0, [])


def test_a_feed_without_trials_is_noted(read):
    assert read(feed()).report.notes == ["planted holds no record."]


FIRST, LAST = trial(trial_id="RBR-2aa2aa"), trial(trial_id="RBR-3bb3bb3")


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (trial().replace("<public_title>", "<public_title>&"), "not well-formed"),
        (trial().replace("An invented trial<", "An &nbsp; trial<"), "not well-formed"),
        (trial().replace("</public_title>", ""), "not well-formed"),
        (trial().removesuffix("</trial>"), "broken off"),
        (trial(trial_id="NCT00012345"), "none of this register"),
        (trial(trial_id=""), "no number"),
        ("<trial/>", "no number"),
        ("<trials_of_nothing/>", "is no record"),
    ],
)
def test_a_broken_record_is_named_and_those_around_it_are_read(read, broken, reason):
    result = read(feed(FIRST, broken, LAST))
    assert result.ids == ["RBR-2aa2aa", "RBR-3bb3bb3"]
    (found,) = result.reasons("record")
    assert reason in found
    assert result.report.records_in == 3


def test_a_record_that_lost_its_beginning_is_named(read):
    result = read(feed(FIRST, trial().removeprefix("<trial>"), LAST))
    assert result.ids == ["RBR-2aa2aa", "RBR-3bb3bb3"]
    assert result.reasons("record") == ["the record has no beginning"]


WHOLE = feed(FIRST, LAST).encode()
END_OF_FIRST = WHOLE.index(b"</trial>") + len(b"</trial>")


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_of_a_cut_file_the_whole_records_are_kept(read, pack):
    for cut in (END_OF_FIRST, END_OF_FIRST + 5, END_OF_FIRST + 300, len(WHOLE) - 20):
        result = read(pack(WHOLE[:cut]))
        assert result.ids[:1] == ["RBR-2aa2aa"]
        (reason,) = result.reasons("payload")
        assert "cut off" in reason
        assert "record(s) before that were read" in reason


def test_of_a_cut_gzip_the_whole_records_are_kept(read):
    # Random text does not pack, so that the first record is whole in what is left.
    noise = "".join(f"{n * 2654435761 % 2**32:08x}" for n in range(8000))
    packed = gzip.compress(feed(FIRST, trial(study_design=noise), LAST).encode(), mtime=0)
    result = read(packed[: len(packed) // 2])
    assert result.ids == ["RBR-2aa2aa"]
    assert "damaged" in result.reasons("payload")[0] or "cut off" in result.reasons("payload")[0]


def test_of_a_zip_each_file_is_judged_by_itself(read):
    result = read(zipped(a=feed(FIRST), b="<html/>", c=feed(LAST)))
    assert result.ids == ["RBR-2aa2aa", "RBR-3bb3bb3"]
    assert [r.record for r in result.report.rejects] == ["planted!b"]
    assert [row["record_number"] for row in result.rows] == [1, 2]


@given(st.integers(1, 400))
def test_it_does_not_matter_how_the_bytes_come(size):
    text = WHOLE.replace(b"\n</trials>", b"<!-- <b> -->\n</trials>")
    pieces = [text[at : at + size] for at in range(0, len(text), size)]
    begin = xml_records.opening(text, who_feed.SHAPE)
    found = list(xml_records.slices(pieces, begin, "trial"))
    assert [piece.text.decode() for piece in found] == [FIRST, LAST]
    assert all(text[piece.offset :].startswith(piece.text) for piece in found)
    assert all(piece.fault is None for piece in found)


def test_what_never_ends_does_not_fill_the_memory(monkeypatch):
    monkeypatch.setattr(xml_records, "LARGEST", 2000)
    text = feed("<trial>" + "x" * 5000, FIRST).encode()
    pieces = [text[at : at + 100] for at in range(0, len(text), 100)]
    found = list(xml_records.slices(pieces, xml_records.opening(text, who_feed.SHAPE), "trial"))
    assert found[0].fault == "longer than any record: its end is missing"
    assert found[-1].text.decode() == FIRST


# --- fields ---------------------------------------------------------------------------------------------------------


def test_the_fields_of_a_trial(one):
    row = one()
    expected = {
        "registration_id": "RBR-2zz9zz",
        "registry": "rebec",
        "source": "rebec",
        "url": "https://ensaiosclinicos.gov.br/rg/RBR-2zz9zz",
        "data_version": "v2",
        "title": "An invented trial",
        "official_title": "An invented trial, in the words of science",
        "acronym": "INV",
        "phase": "phase2_phase3",
        "phase_source": "2-3",
        "status": "recruiting",
        "status_source": "recruiting",
        "enrolment": 40,
        "enrolment_type": "estimated",
        "registered_earliest": date(2011, 3, 2),
        "registered_type": None,
        "start_earliest": date(2011, 4, 1),
        "start_type": "estimated",
        "completion_earliest": None,
        "conditions": ["Malaria", "Fever"],
        "sponsor": "Universidade Inventada",
        "sponsor_class": None,
        "sponsor_is_person": False,
        "has_results": None,
    }
    assert {name: row[name] for name in expected} == expected
    assert [c["country"] for c in row["countries"]] == ["Brazil", "Peru"]


@pytest.mark.parametrize(
    ("main", "column", "value"),
    [
        ({"date_registration": "2011-03-02"}, "registered_earliest", date(2011, 3, 2)),
        ({"date_enrolment": "", "type_enrolment": "actual"}, "start_type", None),
        ({"acronym": ":"}, "acronym", None),
        ({"acronym": "-: -"}, "acronym", None),
        ({"acronym": "Not applicable : Not applicable"}, "acronym", None),
        ({"acronym": "", "scientific_acronym": "SCI: science"}, "acronym", "SCI"),
        ({"url": None}, "data_version", None),
        ({"recruitment_status": "data analysis completed"}, "status", "completed"),
        ({"recruitment_status": "recruitment completed"}, "status", "not_recruiting"),
        ({"recruitment_status": "other"}, "status", None),
        ({"phase": "N/A"}, "phase", "na"),
        ({"phase": "null"}, "phase", None),
        ({"public_title": "RBR-2zz9zz after RBR-3bb3bb"}, "mentions", ["RBR-3bb3bb"]),
        ({"scientific_title": "Extension of NCT 90000002"}, "mentions", ["NCT90000002"]),
        ({"results_actual_enrolment": "38"}, "enrolment", 38),
        ({"results_actual_enrolment": "38"}, "enrolment_type", "actual"),
        ({"target_size": ""}, "enrolment_type", None),
        ({"results_date_completed": "05/06/2014"}, "completion_earliest", date(2014, 6, 5)),
        ({"results_date_completed": "05/06/2014"}, "completion_type", "actual"),
        # An end or a posting ahead of the snapshot is planned.
        ({"results_date_completed": "01/08/2026"}, "completion_type", "actual"),
        ({"results_date_completed": "02/08/2026"}, "completion_type", "estimated"),
        ({"results_date_completed": "02/08/2026"}, "completion_earliest", date(2026, 8, 2)),
        ({"results_date_posted": "01/08/2026"}, "has_results", True),
        ({"results_url_link": "https://127.0.0.1:8000/rg/RBR-2zz9zz/v2"}, "has_results", None),
        ({"results_url_link": "https://127.0.0.1:8000/rg/RBR-2zz9zz/v2"}, "documents", []),
        ({"results_date_posted": "05/06/2015"}, "results_posted", date(2015, 6, 5)),
        ({"results_date_posted": "05/06/2015"}, "has_results", True),
        ({"results_url_link": "https://example.org/r"}, "has_results", True),
        ({"results_url_link": ""}, "has_results", None),
        ({"results_summary": "It worked."}, "has_results", True),
    ],
)
def test_a_field_is_read(one, main, column, value):
    row = one(**main)
    assert row[column] == value
    assert row["rejects"] == []


@pytest.mark.parametrize(
    ("main", "field", "value"),
    [
        ({"recruitment_status": "sleeping"}, "status", "sleeping"),
        ({"phase": "5"}, "phase", "5"),
        ({"date_registration": "31/02/2011"}, "registered", "31/02/2011"),
        ({"date_registration": "2011-02-31"}, "registered", "2011-02-31"),
        ({"date_enrolment": "March 2011"}, "start", "March 2011"),
        ({"target_size": "about 40"}, "enrolment", "about 40"),
        ({"utrn": "U1234-1234-1234"}, "identifiers", "U1234-1234-1234"),
        ({"type_enrolment": "perhaps"}, "start_type", "perhaps"),
        ({"public_title": "Ask ana@example.org"}, "title", "[e-mail removed]"),
        ({"results_date_posted": "06/2015"}, "results_posted", "06/2015"),
        ({"results_date_posted": "02/08/2026"}, "results_posted", "02/08/2026"),
        ({"results_date_posted": "09/2026"}, "results_posted", "09/2026"),
    ],
)
def test_a_value_that_cannot_be_taken_over_is_named_and_the_record_kept(one, main, field, value):
    assert [(r["field"], r["value"]) for r in one(**main)["rejects"]] == [(field, value)]


@pytest.mark.parametrize(
    ("posted", "has_results"),
    [("06/2015", True), ("08/2026", True), ("02/08/2026", None), ("31/12/2027", None), ("soon", None)],
)
def test_a_posting_that_lies_ahead_or_is_no_date_is_no_sign_of_results(one, posted, has_results):
    row = one(results_date_posted=posted)
    assert (row["has_results"], row["results_posted"]) == (has_results, None)


def test_a_former_spelling_of_the_number_is_an_alias(one):
    row = one(trial_id="RBR-2zz-9zz")
    assert (row["registration_id"], row["aliases"]) == ("RBR-2zz9zz", ["RBR-2zz-9zz"])


def test_identifiers_are_typed_by_their_shape(one):
    def secondary(value: str, authority: str) -> str:
        return (
            f"<secondary_id><sec_id>{value}</sec_id><issuing_authority>{authority}</issuing_authority></secondary_id>"
        )

    stated = "".join(
        secondary(*pair)
        for pair in (
            (" NCT00012345 ", "Clinical Trials "),
            ("2011-000123-45", "EMA"),
            ("U1111-1234-5679", "WHO"),
            ("08621", "CEP"),
            ("ANVISA", "503/2009"),
            ("none", "CONEP"),
            ("", ""),
        )
    )
    row = one(f"<secondary_ids>{stated}</secondary_ids>")
    assert [(i["value"], i["type"], i["domain"]) for i in row["identifiers"]] == [
        ("U1111-1234-5679", "UTN", None),
        ("NCT00012345", "REGISTRY", "Clinical Trials"),
        ("2011-000123-45", "EUDRACT_NUMBER", "EMA"),
        ("U1111-1234-5679", "UTN", "WHO"),
        ("08621", "OTHER", "CEP"),
        ("503/2009", "OTHER", "ANVISA"),
    ]
    assert one(utrn="None")["identifiers"] == []


@pytest.mark.parametrize(
    ("kinds", "type_", "rejected"),
    [
        (["drug"], "drug", 0),
        (["drug", "drug"], "drug", 0),
        (["drug", "other"], None, 0),
        ([], None, 0),
        (["magic"], None, 1),
    ],
)
def test_the_free_text_of_interventions_has_a_type_where_there_is_one(one, kinds, type_, rejected):
    codes = "".join(f"<i_code>{kind}</i_code>" for kind in kinds)
    row = one(f"<intervention_code>{codes}</intervention_code>")
    assert [(i["type"], i["name"]) for i in row["interventions"]] == [(type_, "Drug: chloroquine")]
    assert len(row["rejects"]) == rejected


def test_outcomes_and_keywords(one):
    row = one(
        """<health_condition_code><hc_code>C14</hc_code></health_condition_code>
        <health_condition_keyword><hc_keyword>I10</hc_keyword></health_condition_keyword>
        <intervention_keyword><i_keyword>D27</i_keyword><i_keyword>I10</i_keyword></intervention_keyword>
        <primary_outcome><prim_outcome>Death</prim_outcome><prim_outcome>Fever</prim_outcome></primary_outcome>
        <secondary_outcome><sec_outcome></sec_outcome><sec_outcome>Cost</sec_outcome></secondary_outcome>"""
    )
    assert [(o["kind"], o["measure"]) for o in row["outcomes"]] == [
        ("primary", "Death"), ("primary", "Fever"), ("secondary", "Cost")
    ]  # fmt: skip
    assert row["keywords"] == ["I10", "D27"]
    assert dict(row["own_fields"])["condition_codes"] == "C14"


def test_results_name_publications_and_documents(one):
    row = one(
        results_url_link="https://pubmed.ncbi.nlm.nih.gov/33069668/",
        results_summary="See https://doi.org/10.1000/ABC.1/full, and doi:10.1186/ISRCTN00012345.",
        results_url_protocol="https://example.org/protocol.pdf",
        results_date_first_publication="01/02/2013",
    )
    assert [(p["pmid"], p["doi"], p["type"]) for p in row["publications"]] == [
        (33069668, None, "result"),
        (None, "10.1000/abc.1", "result"),
    ]
    assert [(d["kind"], d["url"]) for d in row["documents"]] == [
        ("results", "https://pubmed.ncbi.nlm.nih.gov/33069668/"),
        ("protocol", "https://example.org/protocol.pdf"),
    ]
    assert dict(row["own_fields"])["results_first_published"] == "01/02/2013"


@pytest.mark.parametrize(
    ("sponsor", "shown", "is_person"),
    [
        ("Ana Maria Inventada Souza", PRIVATE_PERSON, True),
        ("Ána Souza - Brazil", PRIVATE_PERSON, True),
        ("Dra. Ana Maria Inventada de Souza", PRIVATE_PERSON, True),
        ("Ana", "Ana", False),
        ("Hospital Ana Souza", "Hospital Ana Souza", False),
        ("Fundação - FAPESP", "Fundação - FAPESP", False),
        ("Peanut Program - United States", "Peanut Program - United States", False),
        ("Andean Institute - Peru", "Andean Institute", False),
    ],
)
def test_a_sponsor_that_is_a_contact_stands_under_the_neutral_label(one, sponsor, shown, is_person):
    row = one(primary_sponsor=sponsor)
    assert (row["sponsor"], row["sponsor_is_person"]) == (shown, is_person)
    assert row["sponsor_class"] == ("individual" if is_person else None)
    assert [(s["name"], s["role"], s["is_person"]) for s in row["sponsors"]] == [(shown, "lead", is_person)]


def test_collaborators_and_funders(one):
    row = one(
        """<secondary_sponsor><sponsor_name>OPAS - Brazil</sponsor_name><sponsor_name></sponsor_name></secondary_sponsor>
        <source_support><source_name>FINEP</source_name><source_name>Ana Souza</source_name></source_support>"""
    )
    assert [(s["name"], s["role"]) for s in row["sponsors"]] == [
        ("Universidade Inventada", "lead"),
        ("OPAS", "collaborator"),
        ("FINEP", "funder"),
        (PRIVATE_PERSON, "funder"),
    ]


def test_no_contact_data_reach_the_file(read):
    rows = json.dumps(read(feed(trial())).rows, default=str)
    for secret in ("ana@example.org", "5555", "Rua 1", "Souza"):
        assert secret not in rows


def test_the_content_hash_is_about_the_content_alone(read):
    moved = trial(url="http://example.org/rg/RBR-2zz9zz/v3/")
    first, second, other = read(feed(trial(), moved, trial(target_size="41"))).rows
    assert first["content_hash"] == second["content_hash"] != other["content_hash"]
    assert (first["data_version"], second["data_version"]) == ("v2", "v3")
