"""The reader of the WHO portal's exports on planted rows: every shape, every register's ways, every damage."""

import csv
import gzip
import io
import zipfile
from datetime import date
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines import privacy
from pipelines.contracts import contracts
from pipelines.reading import Report
from pipelines.sources import ictrp
from tests.unit.test_spreadsheet import letters, packed, parts

DAY = date(2020, 7, 7)
SOURCE = contracts().sources["ictrp"]

NAMES = {
    "nct": "ClinicalTrials.gov", "chictr": "ChiCTR", "euctr": "EU Clinical Trials Register", "ctri": "CTRI",
    "drks": "German Clinical Trials Register", "irct": "IRCT", "jprn": "JPRN", "anzctr": "ANZCTR", "isrctn": "ISRCTN",
    "dutch": "Netherlands Trial Register", "rpcec": "RPCEC", "cris": "CRIS",
}  # fmt: skip

PLANTED = {
    "TrialID": "ISRCTN09999999",
    "Source Register": "ISRCTN",
    "Public title": "An invented   trial",
    "Date registration": "02/05/2019",
    "Date registration3": "20190502",
    "Last Refreshed on": "21 October 2019",
    "Export date": "7/7/2020 9:12:33 AM",
    "Recruitment Status": "Recruiting",
}

CONTACT = {
    "Contact Firstname": "Ada",
    "Contact Lastname": "Mustername",
    "Contact Address": "Contactstreet 1",
    "Contact Email": "ada.contact@example.org",
    "Contact Tel": "+49 555 1234567",
    "Contact Affiliation": "Contact Affiliation Ltd",
    "Ethics Contact Name": "Ethics Contactperson",
    "Ethics Contact Email": "ethics@example.org",
}


class Read:
    """What the reader made of a payload."""

    def __init__(self, folder: Path, payload: bytes | Path, day: date = DAY) -> None:
        path = payload if isinstance(payload, Path) else folder / "payload"
        if isinstance(payload, bytes):
            path.write_bytes(payload)
        out = folder / "records.parquet"
        self.report: Report = ictrp.read(path, "planted", day, out)
        self.rows: list[dict[str, Any]] = pq.read_table(out).to_pylist()
        assert self.report.balance() == 0
        assert self.report.staged == len(self.rows)
        self.bytes = str(self.rows) + str(self.report)

    @property
    def row(self) -> dict[str, Any]:
        (row,) = self.rows
        return row

    @property
    def reasons(self) -> list[str]:
        """Why the payload and its records were rejected."""
        return [f"{reject.scope}: {reject.reason}" for reject in self.report.rejects]


def rejects(row: dict[str, Any]) -> dict[str, str]:
    return {reject["field"]: reject["reason"] for reject in row["rejects"]}


def as_xml(*records: dict[str, str], declared: str = "UTF-8") -> bytes:
    trials = "".join(
        "<Trial>"
        + "".join(f"<{k.replace(' ', '_')}>{escape(v)}</{k.replace(' ', '_')}>" for k, v in r.items())
        + "</Trial>\n"
        for r in records
    )
    text = f"<?xml version='1.0' encoding='{declared}' ?><Trials_downloaded_from_ICTRP>\n{trials}</Trials_downloaded_from_ICTRP>\n"
    return text.encode(declared)


def as_csv(*records: dict[str, str], columns: tuple[str, ...] | None = None, header: bool = True) -> bytes:
    columns = columns or tuple(dict.fromkeys(k for r in records for k in r))
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerows([columns] if header else [])
    writer.writerows([r.get(c, "") for c in columns] for r in records)
    return out.getvalue().encode("utf-8-sig")


def as_book(folder: Path, *records: dict[str, str | tuple[str, int]]) -> Path:
    """A workbook; a value that is a pair is a typed number with the style 0 (date), 1 (month), 2 (day and month)."""
    columns = list(dict.fromkeys(k for r in records for k in r))
    rows = ["".join(f'<c t="inlineStr"><is><t>{name}</t></is></c>' for name in columns)]
    for y, record in enumerate(records, 2):
        cells = ""
        for x, name in enumerate(columns):
            value = record.get(name, "")
            place = f"{letters(x)}{y}"
            if isinstance(value, tuple):
                cells += f'<c r="{place}" s="{value[1]}"><v>{value[0]}</v></c>'
            elif value in ictrp.spreadsheet.ERRORS:
                cells += f'<c r="{place}" t="e"><v>{value}</v></c>'
            elif value:
                cells += f'<c r="{place}" t="inlineStr"><is><t>{escape(value)}</t></is></c>'
        rows.append(cells)
    return packed(folder, parts(rows, formats=[14, 17, 16]))


def one(folder: Path, register: str = "", **values: str) -> dict[str, Any]:
    """One planted row of a register; keywords have underscores for blanks."""
    given = {name.replace("_", " "): value for name, value in values.items()}
    named = {"Source Register": NAMES.get(register, register)} if register else {}
    return Read(folder, as_xml(PLANTED | named | given)).row


def planted(registry: str, **values: str) -> dict[str, str]:
    """A number and the register's name, for registers whose ways are tested."""
    number = {
        "nct": "NCT09999999", "chictr": "ChiCTR2099999999", "euctr": "EUCTR2019-099999-11-DE", "ctri": "CTRI/2099/05/999999",
        "drks": "DRKS00999999", "irct": "IRCT20990101099999N1", "jprn": "JPRN-UMIN000999999", "anzctr": "ACTRN12699999999999",
        "isrctn": "ISRCTN09999999", "dutch": "NL9999", "rpcec": "RPCEC00009999", "cris": "KCT0009999",
    }[registry]  # fmt: skip
    return {"TrialID": number, "Source_Register": NAMES[registry]} | values


# --- the shapes -----------------------------------------------------------------------------------------------------


def test_every_shape_gives_the_same_record(tmp_path: Path):
    shapes: list[bytes | Path] = [as_xml(PLANTED), as_csv(PLANTED), as_book(tmp_path, dict(PLANTED))]
    shapes += [gzip.compress(as_xml(PLANTED), mtime=0), gzip.compress(as_csv(PLANTED), mtime=0)]
    hashes = {Read(tmp_path, shape).row["content_hash"] for shape in shapes}
    assert len(hashes) == 1
    row = Read(tmp_path, shapes[0]).row
    assert (row["registration_id"], row["registry"], row["source"], row["part"]) == (
        "ISRCTN09999999",
        "isrctn",
        "ictrp",
        "",
    )
    assert (row["title"], row["status"], row["status_source"]) == ("An invented trial", "recruiting", "Recruiting")
    assert (row["registered_raw"], row["registered_earliest"]) == ("20190502", date(2019, 5, 2))
    assert row["last_update_posted"] == date(2019, 10, 21)
    assert row["data_version"] == "7/7/2020 9:12:33 AM"
    assert (row["has_results"], row["enrolment"], row["rejects"]) == (None, None, [])


def test_the_export_date_makes_no_new_version(tmp_path: Path):
    later = Read(tmp_path, as_xml(PLANTED | {"Export date": "7/14/2020 9:12:33 AM"})).row
    assert later["content_hash"] == Read(tmp_path, as_xml(PLANTED)).row["content_hash"]


@pytest.mark.parametrize("width", [58, 60, 63])
def test_files_without_header_are_known_by_their_width(tmp_path: Path, width: int):
    layout = ictrp._layouts()[width]
    values = {
        "trialid": "DRKS00999999", "public title": "An invented trial", "date registration": "02/05/2019",
        "last refreshed on": "2019-10-21", "secondary id": "NCT09999999;U1111-2222-3333;own code", "target size": "120",
        "secondary sponsor": "Second University;None", "source support": "A Fund", "secondary outcome": "Pain",
        "web address": "https://drks.example/DRKS00999999", "source register": NAMES["drks"],
    }  # fmt: skip
    rows = [values, values | {"trialid": "DRKS00999998"}]
    row, other = Read(tmp_path, as_csv(*rows, columns=layout, header=False)).rows
    assert (row["registration_id"], row["registry"], other["record_number"]) == ("DRKS00999999", "drks", 2)
    assert (row["registered_raw"], row["registered_earliest"]) == ("02/05/2019", date(2019, 5, 2))
    assert (row["enrolment"], row["enrolment_type"]) == (120, None)
    assert [(i["value"], i["type"]) for i in row["identifiers"]] == [
        ("NCT09999999", "REGISTRY"), ("U1111-2222-3333", "UTN"), ("own code", "OTHER"),
    ]  # fmt: skip
    assert [(s["name"], s["role"]) for s in row["sponsors"]] == [
        ("Second University", "collaborator"),
        ("A Fund", "funder"),
    ]
    assert [(o["kind"], o["measure"]) for o in row["outcomes"]] == [("secondary", "Pain")]
    assert row["last_update_posted"] == date(2019, 10, 21)
    assert row["rejects"] == []


def test_the_layouts_have_the_columns_that_the_source_file_knows():
    assert {len(layout) for layout in ictrp._layouts().values()} == {58, 60, 63}
    known = {*SOURCE.fields, *SOURCE.ignored}
    assert [name for layout in ictrp._layouts().values() for name in layout if name not in known] == []
    assert set(ictrp.OWN_FIELDS) <= set(SOURCE.fields)


def test_an_archive_of_parts_is_read_part_by_part(tmp_path: Path):
    path = tmp_path / "export.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("one.csv", as_csv(PLANTED))
        archive.writestr("readme.html", "<html></html>")
        archive.writestr("two.csv", as_csv(PLANTED | {"TrialID": "ISRCTN09999998"}))
    read = Read(tmp_path, path)
    assert [row["registration_id"] for row in read.rows] == ["ISRCTN09999999", "ISRCTN09999998"]
    assert [(reject.scope, reject.record) for reject in read.report.rejects] == [("payload", "readme.html")]


def test_unknown_columns_are_noted(tmp_path: Path):
    for payload in (as_xml(PLANTED | {"A_new_one": "x"}), as_csv(PLANTED | {"A new one": "x"})):
        assert Read(tmp_path, payload).report.notes == ["unknown columns, which were not read: a new one."]


def test_an_export_without_records_is_noted(tmp_path: Path):
    for payload in (as_xml(), b"<Trials_downloaded_from_ICTRP/>\n", as_csv(columns=tuple(PLANTED))):
        read = Read(tmp_path, payload)
        assert (read.report.records_in, read.report.notes, read.reasons) == (0, ["planted holds no record."], [])


def test_padding_entities_and_null(tmp_path: Path):
    row = one(
        tmp_path,
        Public_title="  Smith &amp;amp; &amp;#39;Sons&amp;#39; \r\n   <br>trial" + " " * 3000,
        Scientific_title="NULL",
        web_address="https://example.org/?a=1&param=2",
    )
    assert (row["title"], row["official_title"]) == ("Smith & 'Sons' trial", None)
    assert row["url"] == "https://example.org/?a=1&param=2"


def test_other_encodings_of_xml(tmp_path: Path):
    record = PLANTED | {"Public title": "Krankenhäuser"}
    assert Read(tmp_path, as_xml(record, declared="iso-8859-1")).row["title"] == "Krankenhäuser"


def test_what_a_macintosh_or_windows_made_of_utf8_is_read_back(tmp_path: Path):
    made = ["Krankenh√§user", "KrankenhÃ¤user", "Krankenhäuser", "√ or not √", "™"]
    rows = Read(tmp_path, as_book(tmp_path, *(PLANTED | {"Public title": title} for title in made))).rows
    assert [row["title"] for row in rows] == ["Krankenhäuser"] * 3 + ["√ or not √", "™"]


# --- damage ---------------------------------------------------------------------------------------------------------

MANY = [PLANTED | {"TrialID": f"ISRCTN0999{n:04}"} for n in range(300)]


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", "the file is empty"),
        (b" \n", "the file is empty"),
        (b"<!DOCTYPE html><html><body>Service unavailable</body></html>", "HTML page"),
        (b"<trials><trial/></trials>", "HTML page or other markup"),
        (b'{"error": 500}', "no export of the WHO portal"),
        (b"a,b,c\n1,2,3\n", "no export of the WHO portal"),
        (b"\x00\x01\x02" * 50, "no text"),
        (b"PK\x03\x04 and no more", "cannot be opened"),
        (b"\x1f\x8b\x08\x00damaged", "cut off"),
    ],
)
def test_what_is_no_export_is_a_rejected_payload(tmp_path: Path, payload: bytes, reason: str):
    read = Read(tmp_path, payload)
    assert (read.report.records_in, read.rows) == (0, [])
    (found,) = read.reasons
    assert found.startswith("payload: ")
    assert reason in found


@pytest.mark.parametrize("shape", [as_xml, as_csv])
def test_a_cut_file_gives_its_good_records(tmp_path: Path, shape: Any):
    whole = shape(*MANY)
    read = Read(tmp_path, whole[: len(whole) // 2 + 11])
    assert 140 < read.report.staged < 160
    assert read.report.rejected == 1
    assert any("cut off" in reason for reason in read.reasons)


@pytest.mark.parametrize("shape", [as_xml, as_csv])
@pytest.mark.parametrize("keep", [0.02, 0.5, 0.97])
def test_a_cut_gzip_gives_its_good_records_and_says_so(tmp_path: Path, shape: Any, keep: float):
    whole = gzip.compress(shape(*MANY), mtime=0)
    read = Read(tmp_path, whole[: int(len(whole) * keep)])
    assert read.report.staged < 300
    assert read.report.rejected <= 1
    assert sum(reason.startswith("payload") for reason in read.reasons) == 1
    assert read.rows == [] or read.rows[0]["registration_id"] == "ISRCTN09990000"


def test_a_cut_workbook_is_a_rejected_payload(tmp_path: Path):
    path = as_book(tmp_path, *map(dict, MANY))
    path.write_bytes(path.read_bytes()[:-100])
    assert Read(tmp_path, path).reasons[0].startswith("payload: the workbook cannot be opened")


def test_a_broken_xml_record_does_not_take_the_next_along(tmp_path: Path):
    good = as_xml(PLANTED, PLANTED).decode()
    broken = good.replace("An invented", "An <b>invented & \x0b", 1)
    read = Read(tmp_path, broken.encode())
    assert (read.report.staged, read.report.rejected) == (1, 1)
    assert read.reasons[0].startswith("record: its XML is not well-formed")
    open_ended = good.replace("</Trial>", "", 1)
    read = Read(tmp_path, open_ended.encode())
    assert (read.report.staged, read.report.rejected) == (1, 1)


def test_entities_are_not_loaded(tmp_path: Path):
    text = as_xml(PLANTED).decode().replace("An invented", "&file;")
    assert Read(tmp_path, text.encode()).report.rejected == 1
    declared = '<!DOCTYPE x [<!ENTITY file SYSTEM "file:///etc/hostname">]>' + text.split("?>", 1)[1]
    assert Read(tmp_path, declared.encode()).reasons[0].startswith("payload")


def test_rows_of_another_width_are_rejected(tmp_path: Path):
    lines = as_csv(PLANTED, PLANTED, PLANTED).decode().splitlines(keepends=True)
    lines[1] = lines[1].replace('"ISRCTN",', "")
    lines[2] = lines[2].replace('"Recruiting"', '"Recruiting","ada.contact@example.org"')
    read = Read(tmp_path, "".join(lines).encode())
    assert (read.report.staged, read.report.rejected) == (1, 2)
    assert read.reasons == ["record: it has 7 columns, not 8", "record: it has 9 columns, not 8"]
    assert [reject.value for reject in read.report.rejects] == ["ISRCTN09999999"] * 2


def test_a_quote_that_does_not_close_costs_one_row(tmp_path: Path):
    text = as_csv(*MANY).decode().replace('An invented   trial"', "An invented   trial", 1)
    read = Read(tmp_path, text.encode())
    assert (read.report.staged, read.report.rejected) == (299, 1)
    assert read.report.rejects[0].value == "ISRCTN09990000"


@settings(max_examples=25)
@given(st.binary(max_size=200), st.integers(0, 5000))
def test_no_damage_stops_the_reading(tmp_path_factory: pytest.TempPathFactory, noise: bytes, at: int):
    folder = tmp_path_factory.mktemp("noise")
    for whole in (as_xml(*MANY[:9]), as_csv(*MANY[:9])):
        Read(folder, whole[:at] + noise + whole[at + len(noise) :])
        Read(folder, noise)


# --- registers and numbers ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "name", "number", "registry", "part"),
    [
        ("NCT09999999", "ClinicalTrials.gov", "NCT09999999", "nct", ""),
        ("EUCTR2019-099999-11-DE", "EU Clinical Trials Register", "2019-099999-11", "euctr", "DE"),
        ("EUCTR2019-099999-11-Outside-EU/EEA", "EU CLINICAL TRIALS REGISTER", "2019-099999-11", "euctr", "3RD"),
        ("CTIS2023-599999-11-01", "Clinical Trials Information System", "2023-599999-11", "ctis", ""),
        ("JPRN-UMIN000999999", "JPRN", "UMIN000999999", "umin", ""),
        ("JPRN-jRCTs099999999", "JPRN", "jRCTs099999999", "jrct", ""),
        ("JPRN-JapicCTI-999999", "JPRN", "JapicCTI-999999", "japic", ""),
        ("JPRN-JMA-IIA99999", "JPRN", "JMA-IIA99999", "jmacct", ""),
        ("NL9999", "Netherlands Trial Register", "NL9999", "nl", ""),
        ("NTR9999", "Netherlands Trial Register", "NTR9999", "ntr", ""),
        ("NL-OMON99999", "NL-OMON", "NL-OMON99999", "omon", ""),
        ("ACTRN12699999999999p", "ANZCTR", "ACTRN12699999999999", "anzctr", ""),
        ("DRKS00999999", "", "DRKS00999999", "drks", ""),
    ],
)
def test_a_row_keeps_its_register(tmp_path: Path, written: str, name: str, number: str, registry: str, part: str):
    row = one(tmp_path, TrialID=written, Source_Register=name, Date_registration="2019-05-02")
    assert (row["registration_id"], row["registry"], row["part"]) == (number, registry, part)
    assert dict(row["own_fields"]).get("trialid", number) == written
    assert row["rejects"] == []


@pytest.mark.parametrize(
    ("written", "name"), [("NCT09999999", "ChiCTR"), ("U1111-2222-3333", "ISRCTN"), ("12345", "ISRCTN"), ("", "ISRCTN")]
)
def test_a_number_that_is_not_of_its_register_is_a_rejected_record(tmp_path: Path, written: str, name: str):
    read = Read(tmp_path, as_xml(PLANTED | {"TrialID": written, "Source Register": name}))
    assert (read.report.staged, read.report.rejected) == (0, 1)
    assert written in read.report.rejects[0].value


@pytest.mark.parametrize(
    ("titles", "named"),
    [
        ({"Public_title": "An extension<br>of NCT 09999999"}, ["NCT09999999"]),
        ({"Scientific_title": "ISRCTN09999999 after EUCTR2019-099999-11-DE"}, ["2019-099999-11"]),
        ({"Public_title": "isrctn 09999999"}, []),
        ({}, []),
    ],
)
def test_numbers_in_the_titles_are_mentions(tmp_path: Path, titles: dict[str, str], named: list[str]):
    assert one(tmp_path, **titles)["mentions"] == named


def test_an_unknown_register_is_named_and_its_number_believed(tmp_path: Path):
    row = one(tmp_path, Source_Register="A New Register")
    assert (row["registry"], rejects(row)) == ("isrctn", {"registry": "unknown word"})


def test_every_code_of_the_source_file_is_a_register():
    codes = set(contracts().vocabularies["registries"])
    words = SOURCE.words
    assert {code for codes_ in words["registry"].values() for code in codes_.split("|")} <= codes
    assert {*words["date_form"], *words["start_form"], *words["start_means"], *words["posted_form"]} <= codes
    assert {*words["date_form"].values(), *words["start_form"].values()} <= set(ictrp._FORMS)
    every = [word for kind in (*words.values(), *SOURCE.unmapped.values()) for word in kind]
    assert [word for word in every if word != word.lower()] == []


# --- words ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("register", "field", "said", "code"),
    [
        ("nct", "Recruitment_Status", "Not recruiting", "not_recruiting"),
        ("chictr", "Recruitment_Status", "Not Recruiting", "not_recruiting"),
        ("euctr", "Recruitment_Status", "Authorised", None),
        ("euctr", "Recruitment_Status", "Authorised-recruitment may be ongoing or finished", None),
        ("ctri", "Recruitment_Status", "", None),
        ("jprn", "Study_type", "INTERVENTIONAL", "interventional"),
        ("jprn", "Study_type", "Others,meta-analysis etc", "other"),
        ("chictr", "Study_type", "Prevention", None),
        ("nct", "Phase", "Phase 2/Phase 3", "phase2_phase3"),
        ("nct", "Phase", "N/A", "na"),
        ("drks", "Phase", "IIb", "phase2"),
        ("chictr", "Phase", "Retrospective study", None),
        ("irct", "Phase", "1-2", "phase1_phase2"),
        ("euctr", "Phase", "Human pharmacology (Phase I): no\nTherapeutic exploratory (Phase II): yes\nTherapeutic confirmatory - (Phase III): yes\nTherapeutic use (Phase IV): no", "phase2_phase3"),
        ("euctr", "Phase", "Human pharmacology (Phase I): Therapeutic exploratory (Phase II): no Therapeutic confirmatory - (Phase III): Therapeutic use (Phase IV): yes", "phase4"),
        ("euctr", "Phase", "Human pharmacology (Phase I): no (Phase II): no (Phase III): no (Phase IV): no", None),
    ],
)  # fmt: skip
def test_words_of_registers(tmp_path: Path, register: str, field: str, said: str, code: str | None):
    row = one(tmp_path, **planted(register, **{field: said}), Date_registration="2019-05-02")
    name = {"Recruitment_Status": "status", "Study_type": "study_type", "Phase": "phase"}[field]
    assert (row[name], row[f"{name}_source"]) == (code, " ".join(said.split()) or None)
    assert row["rejects"] == []


@pytest.mark.parametrize(
    ("field", "said", "name"),
    [
        ("Recruitment_Status", "Perhaps", "status"),
        ("Study_type", "Perhaps", "study_type"),
        ("Phase", "Phase 7", "phase"),
        ("Phase", "(Phase I): yes (Phase II): yes (Phase III): yes", "phase"),
    ],
)
def test_an_unknown_word_is_rejected_and_kept_as_said(tmp_path: Path, field: str, said: str, name: str):
    row = one(tmp_path, **{field: said})
    assert (row[name], row[f"{name}_source"], rejects(row)) == (None, said, {name: "unknown word"})


# --- dates ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("register", "raw", "found"),
    [
        ("nct", "January 25, 2020", ("day", date(2020, 1, 25))),
        ("nct", "April 2020", ("month", date(2020, 4, 1))),
        ("nct", "2020-04-01", ("day", date(2020, 4, 1))),
        ("nct", "03/04/2020", ("none", None)),
        ("chictr", "2020-02-01", ("day", date(2020, 2, 1))),
        ("chictr", "05/03/2020", ("none", None)),
        ("drks", "05/03/2020", ("day", date(2020, 3, 5))),
        ("ctri", "05-03-2020", ("day", date(2020, 3, 5))),
        ("jprn", "2020/03/05", ("day", date(2020, 3, 5))),
        ("jprn", "05/03/2020", ("day", date(2020, 3, 5))),
        ("isrctn", "2020-03-05T00:00:00.000Z", ("day", date(2020, 3, 5))),
        ("irct", "2641-06-14", ("none", None)),
        ("drks", "31/02/2020", ("none", None)),
        ("drks", "", ("none", None)),
    ],
)
def test_a_start_is_read_in_the_form_of_its_register(
    tmp_path: Path, register: str, raw: str, found: tuple[str, date | None]
):
    row = one(tmp_path, **planted(register, Date_enrollement=raw), Date_registration="2019-05-02")
    assert (row["start_precision"], row["start_earliest"]) == found
    assert row["start_raw"] == (raw or None)
    assert ("start" in rejects(row)) == (bool(raw) and found[1] is None)


def test_the_eu_registers_day_of_decision_is_no_start(tmp_path: Path):
    row = one(tmp_path, **planted("euctr", Date_enrollement="05/03/2020"))
    assert (row["start_raw"], row["start_earliest"]) == (None, None)
    assert dict(row["own_fields"])["date_enrollement"] == "05/03/2020"


def test_the_kind_of_the_start(tmp_path: Path):
    assert one(tmp_path, Date_enrollement="01/06/2019", type_enrolment="Anticipated")["start_type"] == "estimated"
    assert one(tmp_path, Date_enrollement="01/06/2019", type_enrolment="actual")["start_type"] == "actual"


def test_registration_is_the_common_date_and_a_disagreement_is_named(tmp_path: Path):
    row = one(tmp_path, Date_registration="03/05/2019")
    assert row["registered_earliest"] == date(2019, 5, 2)
    assert "disagrees" in rejects(row)["date registration"]
    row = one(tmp_path, Date_registration="May", Date_registration3="20190502")
    assert rejects(row)["date registration"].startswith("not a date")
    row = one(tmp_path, Date_registration="02/05/2019", Date_registration3="")
    assert (row["registered_raw"], row["registered_earliest"]) == ("02/05/2019", date(2019, 5, 2))


def test_typed_dates_of_a_register_that_gives_months_are_months(tmp_path: Path):
    nct, irct = planted("nct"), planted("irct")
    start = "Date enrollement"
    records: list[dict[str, Any]] = [
        nct | {start: ("43922", 0)},  # 1 April 2020, which was "April 2020"
        nct | {start: ("43922", 1)},  # shown as Apr-20
        nct | {start: ("43923", 0)},
        nct | {start: "April 1, 2020"},
        irct | {start: ("43922", 0)},
    ]
    read = Read(tmp_path, as_book(tmp_path, *records))
    assert [row["start_precision"] for row in read.rows] == ["month", "month", "day", "day", "day"]
    assert [row["start_latest"].day for row in read.rows] == [30, 30, 2, 1, 1]
    assert [row["start_raw"] for row in read.rows] == [
        "2020-04-01",
        "2020-04",
        "2020-04-02",
        "April 1, 2020",
        "2020-04-01",
    ]
    assert read.report.notes == ["2 start dates that a spreadsheet made days of were read as the months they were."]


def test_phases_that_became_dates_and_texts_that_became_formulas(tmp_path: Path):
    record: dict[str, Any] = planted("irct") | {
        "Phase": ("43862", 2),
        "Primary outcome": "#NAME?",
        "Public title": "#NAME?",
    }
    row = Read(tmp_path, as_book(tmp_path, record)).row
    assert (row["phase"], row["phase_source"]) == ("phase1_phase2", "--02-01")
    assert (row["outcomes"], row["title"]) == ([], None)
    assert set(rejects(row)) == {"outcomes", "title"}


# --- results --------------------------------------------------------------------------------------------------------

PAGE = {
    "web_address": "https://www.isrctn.example/ISRCTN09999999",
    "results_url_link": "https://isrctn.example/results/1",
}
ELSEWHERE = PAGE | {"results_url_link": "https://department.example/people"}


@pytest.mark.parametrize(
    ("values", "has_results", "posted", "is_doubted"),
    [
        ({}, None, None, False),
        ({"results_yes_no": ""}, None, None, False),
        ({"results_yes_no": "0"}, None, None, False),
        ({"results_yes_no": "No"}, False, None, False),
        ({"results_yes_no": "Yes"}, True, None, False),
        ({"results_yes_no": "1"}, True, None, False),
        ({"results_date_posted": "04/06/2020"}, True, date(2020, 6, 4), False),
        ({"results_date_posted": "04/06/2020", "results_yes_no": "Yes"}, True, date(2020, 6, 4), False),
        ({"results_date_posted": "04/06/2020", "results_yes_no": "No"}, False, None, True),
        ({"results_date_posted": "08/07/2020"}, None, None, True),
        ({"results_date_posted": "08/07/2020", "results_yes_no": "Yes"}, True, None, True),
        ({"results_date_posted": "02/05/2019"}, None, None, True),
        ({"results_date_posted": "02/05/2019", "results_yes_no": "yes"}, True, date(2019, 5, 2), False),
        ({"results_date_posted": "06/2020"}, None, None, True),
        (PAGE, True, None, False),
        (PAGE | {"results_yes_no": "No"}, False, None, False),
        (PAGE | {"results_yes_no": "No", "results_date_posted": "04/06/2020"}, True, date(2020, 6, 4), False),
        (PAGE | {"results_url_link": PAGE["web_address"]}, None, None, False),
        (PAGE | {"results_url_link": "http://isrctn.example/ISRCTN09999999/"}, None, None, False),
        (PAGE | {"results_url_link": PAGE["web_address"], "results_yes_no": "No"}, False, None, False),
        (PAGE | {"results_url_link": PAGE["web_address"], "results_yes_no": "Yes"}, True, None, False),
        (PAGE | {"results_url_link": PAGE["web_address"] + "?tab=results"}, True, None, False),
        (ELSEWHERE, None, None, False),
        (PAGE | {"results_url_link": "under construction"}, None, None, False),
        (PAGE | {"results_url_link": "http://[broken"}, None, None, False),
    ],
)  # fmt: skip
def test_results_are_there_if_something_says_so(
    tmp_path: Path, values: dict[str, str], has_results: bool | None, posted: date | None, is_doubted: bool
):
    row = one(tmp_path, **values)
    assert (row["has_results"], row["results_posted"]) == (has_results, posted)
    assert ("results_posted" in rejects(row)) == is_doubted
    own = dict(row["own_fields"])
    assert {name: own.get(name, "") for name in values if name.startswith("results")} == {
        name: value for name, value in values.items() if name.startswith("results")
    }


def test_a_register_that_gives_planned_days(tmp_path: Path):
    row = one(tmp_path, **planted("rpcec", results_date_posted="04/06/2020"))
    assert (row["has_results"], row["results_posted"]) == (None, None)
    assert "are to be published" in rejects(row)["results_posted"]


def test_an_unknown_flag_is_named(tmp_path: Path):
    assert rejects(one(tmp_path, results_yes_no="perhaps")) == {"has_results": "unknown word"}


def test_the_end_of_the_trial(tmp_path: Path):
    row = one(tmp_path, results_date_completed="31/12/2021")
    assert (row["completion_earliest"], row["completion_type"]) == (date(2021, 12, 31), None)


# --- participants ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("size", "participants"),
    [
        ("", None),
        ("120", 120),
        ("0", 0),
        ("Group A:30;Group B:30;", 60),
        ("Target condition:200;Difficult condition:0", 200),
        ("Case: mild :20; Control:5;", 25),
        ("1:30;2:40;", 70),
    ],
)
def test_target_size(tmp_path: Path, size: str, participants: int | None):
    row = one(tmp_path, Target_size=size)
    assert (row["enrolment"], row["enrolment_type"], row["rejects"]) == (participants, None, [])
    assert dict(row["own_fields"]).get("target_size", "") == ("" if size.isdigit() else size)


@pytest.mark.parametrize(
    "size",
    [
        "400 (200 in each arm)",
        "Inclusion at 2 months",
        "Patients; and controls:600;",
        "Patients;:8;Controls:8;",
        "Case series:0;",
        "severe:10;non-severe:20;ARDS:15;non-ARDS:15;",
        ";",
        "".join(f"A group with a long name {n}:10;" for n in range(12))[:254],
        "".join(f"A group with a long name {n}:20;" for n in range(12)).rstrip(";"),
    ],
)
def test_a_target_size_that_says_no_number_is_rejected(tmp_path: Path, size: str):
    row = one(tmp_path, Target_size=size)
    assert (row["enrolment"], list(rejects(row))) == (None, ["enrolment"])


# --- sponsors and contacts ------------------------------------------------------------------------------------------


def test_contacts_go_no_further(tmp_path: Path):
    record = (
        PLANTED
        | CONTACT
        | {"Primary sponsor": "Example University", "Inclusion Criteria": "write to ada.contact@example.org"}
    )
    for payload in (as_xml(record), as_csv(record), as_book(tmp_path, dict(record))):
        read = Read(tmp_path, payload)
        assert read.row["sponsor"] == "Example University"
        assert read.row["sponsor_is_person"] is False
        for secret in (
            "Mustername",
            "Contactstreet",
            "ada.contact",
            "1234567",
            "Contact Affiliation",
            "Contactperson",
            "ethics@",
        ):
            assert secret not in read.bytes, secret


def test_an_address_in_a_text_is_masked(tmp_path: Path):
    row = one(tmp_path, Primary_outcome="Pain, asked by ada.contact@example.org")
    assert row["outcomes"][0]["measure"] == f"Pain, asked by {privacy.MASK}"
    assert "outcomes" in rejects(row)


@pytest.mark.parametrize(
    ("sponsor", "first", "last", "is_person"),
    [
        ("Ada Mustername", "Ada", "Mustername", True),
        ("Dr. Ada MUSTERNAME, MD", "Ada", "Mustername", True),
        ("Mustername Ada", "Ada Mustername", "", True),
        ("Ada Müstername", "Ben;Ada", "Other;Mustername", True),
        ("Ada Mustername", "", "Ben Other, MD;Ada Mustername, Prof", True),
        ("Example University", "Example", "University", False),
        ("Azienda Ospedaliera", "Azienda", "Ospedaliera", False),
        ("Cancelled", "Cancelled", "", False),
        ("Ada Mustername", "Ada", "Other", False),
        ("", "Ada", "Mustername", False),
        ("Dr Ada Mustername", "Ben", "Other", True),
        ("Ada Mustername, MBBS", "", "", True),
        ("Dr. Ada Mustername Hospital", "", "", False),
    ],
)
def test_a_sponsor_that_is_the_contact_is_a_private_person(
    tmp_path: Path, sponsor: str, first: str, last: str, is_person: bool
):
    row = one(tmp_path, Primary_sponsor=sponsor, Contact_Firstname=first, Contact_Lastname=last)
    assert row["sponsor"] == (privacy.PRIVATE_PERSON if is_person else sponsor or None)
    assert row["sponsor_is_person"] is (is_person if sponsor else None)
    assert [s["name"] for s in row["sponsors"]] == ([row["sponsor"]] if sponsor else [])


@pytest.mark.parametrize("written", ["None", "none.", "nil", "N/A", "-"])
def test_a_word_for_none_is_no_sponsor(tmp_path: Path, written: str):
    row = one(tmp_path, Primary_sponsor=written)
    assert (row["sponsor"], row["sponsor_is_person"], row["sponsors"]) == (None, None, [])


@pytest.mark.parametrize(
    ("number", "sponsor", "is_person"),
    [
        ("JPRN-jRCTs099999999", "Mustername Ada", True),
        ("JPRN-jRCTs099999999", "Muster Pharma", False),
        ("JPRN-jRCTs099999999", "Muster Seiyaku", False),
        ("JPRN-jRCTs099999999", "Muster Co., Ltd.", False),
        ("NCT09999999", "Mustername Ada", False),
    ],
)
def test_in_japan_the_investigator_is_the_sponsor_of_a_specified_trial(
    tmp_path: Path, number: str, sponsor: str, is_person: bool
):
    register = {"Source_Register": "JPRN"} if number.startswith("JPRN") else {"Source_Register": "ClinicalTrials.gov"}
    row = one(tmp_path, TrialID=number, Primary_sponsor=sponsor, **register)
    assert row["sponsor_is_person"] is is_person
    assert row["sponsor"] == (privacy.PRIVATE_PERSON if is_person else sponsor)


def test_scientific_contacts_and_other_sponsors_too(tmp_path: Path):
    layout = ictrp._layouts()[63]
    values = {
        "trialid": "ISRCTN09999999", "primary sponsor": "Ada Mustername", "secondary sponsor": "Ben Other;A Trust",
        "public contact firstname": "Ben", "public contact lastname": "Other",
        "scientific contact firstname": "Ada", "scientific contact lastname": "Mustername",
    }  # fmt: skip
    read = Read(tmp_path, as_csv(values, columns=layout, header=False))
    assert [(s["name"], s["is_person"]) for s in read.row["sponsors"]] == [
        (privacy.PRIVATE_PERSON, True), (privacy.PRIVATE_PERSON, True), ("A Trust", False),
    ]  # fmt: skip
    assert "Mustername" not in read.bytes


# --- lists ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("register", "text", "conditions", "keywords"),
    [
        ("nct", "Pain;Fever;pain", ["Pain", "Fever"], []),
        ("isrctn", "Pain, chronic <br>Nervous system", ["Pain, chronic", "Nervous system"], []),
        ("ctri", "Health Condition 1: R52- Pain Health Condition 2: R50- Fever", ["R52- Pain", "R50- Fever"], []),
        ("irct", "Condition 1: Pain. Condition 2: Fever. <br>R52;R52.1", ["Pain.", "Fever."], ["R52", "R52.1"]),
        ("euctr", "Pain <br>MedDRA version: 20.0 Level: PT Classification code 10033371 Term: Pain System Organ Class: 10018065 - General disorders ;Therapeutic area: Diseases [C]", ["Pain"], ["Pain", "Therapeutic area: Diseases [C]"]),
        ("nct", "", [], []),
    ],
)  # fmt: skip
def test_conditions(tmp_path: Path, register: str, text: str, conditions: list[str], keywords: list[str]):
    row = one(tmp_path, **planted(register, Condition=text))
    assert (row["conditions"], row["keywords"]) == (conditions, keywords)


@pytest.mark.parametrize(
    ("register", "text", "found"),
    [
        ("nct", "Drug: Beta; low dose;Device: Alpha", [("device", "Alpha", []), ("drug", "Beta; low dose", [])]),
        ("nct", "Alpha", [(None, "Alpha", [])]),
        ("chictr", "Group B:none;Group A:Alpha;", [(None, "Group A:Alpha", []), (None, "Group B:none", [])]),
        ("irct", "Intervention 1: Beta; daily. Intervention 2: Alpha.", [(None, "Beta; daily.", []), (None, "Alpha.", [])]),
        ("ctri", "Intervention1: Beta<br>Control Intervention1: Alpha<br>", [(None, "Beta", []), (None, "Alpha", [])]),
        ("isrctn", "Some prose; with a<br>break", [(None, "Some prose; with a break", [])]),
        ("dutch", "None", []),
        ("euctr", "<br>Trade Name: Betarin<br>Product Name: beta<br>INN or Proposed INN: BETA-ACID<br><br>Pharmaceutical form of the placebo: Tablet<br><br>", [(None, "Betarin", ["beta", "BETA-ACID"]), (None, "Placebo", [])]),
        ("euctr", "<br>INN or Proposed INN: beta<br>CAS Number: 1-2-3<br>", [(None, "beta", [])]),
    ],
)  # fmt: skip
def test_interventions(tmp_path: Path, register: str, text: str, found: list[tuple[str | None, str, list[str]]]):
    row = one(tmp_path, **planted(register, Intervention=text))
    assert [(i["type"], i["name"], i["other_names"]) for i in row["interventions"]] == found


def test_an_unknown_type_of_intervention_is_named(tmp_path: Path):
    row = one(tmp_path, **planted("nct", Intervention="Magic: wand"))
    assert (row["interventions"][0]["type"], rejects(row)) == (None, {"interventions": "unknown word"})


EU_END = "Primary end point(s): Pain<br>relieved;Timepoint(s) of evaluation of this end point: day 7"


@pytest.mark.parametrize(
    ("register", "text", "found"),
    [
        ("nct", "Fever;Ache;fever (38.5; oral);Ache", [("Ache", None), ("Fever", None), ("fever (38.5; oral)", None)]),
        ("nct", "Ache [ Time Frame: 28 days ]", [("Ache", "28 days")]),
        ("anzctr", "Ache by scale.[Baseline, week 4];Fever[week 2]", [("Ache by scale.", "Baseline, week 4"), ("Fever", "week 2")]),
        ("irct", "Ache. Timepoint: day 3. Method of measurement: scale.", [("Ache", "day 3. Method of measurement: scale.")]),
        ("ctri", "Death from COVID 19Timepoint: 7 days", [("Death from COVID 19", "7 days")]),
        ("isrctn", "Ache; measured with a scale", [("Ache; measured with a scale", None)]),
        ("euctr", f"Main Objective: To help;Secondary Objective: none;{EU_END}", [("Pain relieved", "day 7")]),
        ("euctr", f"{EU_END};Main Objective: To help;Secondary Objective: none", [("Pain relieved", "day 7")]),
        ("euctr", "Main Objective: To help;Secondary Objective: none", []),
    ],
)  # fmt: skip
def test_outcomes(tmp_path: Path, register: str, text: str, found: list[tuple[str, str | None]]):
    row = one(tmp_path, **planted(register, Primary_outcome=text))
    assert [(o["measure"], o["time_frame"]) for o in row["outcomes"]] == found
    assert {o["kind"] for o in row["outcomes"]} <= {"primary"}


def test_the_order_of_the_portals_lists_makes_no_new_version(tmp_path: Path):
    one_way = planted("nct", Intervention="Drug: A;Drug: B", Primary_outcome="X;Y", Countries="Chad;Peru")
    other_way = planted("nct", Intervention="Drug: B;Drug: A", Primary_outcome="Y;X", Countries="Peru;Chad;Peru")
    assert one(tmp_path, **one_way)["content_hash"] == one(tmp_path, **other_way)["content_hash"]


@pytest.mark.parametrize(
    ("register", "text", "countries"),
    [
        ("cris", "Korea, Republic of", ["Korea, Republic of"]),
        ("isrctn", "Peru;Chad;Peru", ["Chad", "Peru"]),
        ("jprn", "Japan,North America", ["Japan", "North America"]),
        ("isrctn", "", []),
    ],
)
def test_countries(tmp_path: Path, register: str, text: str, countries: list[str]):
    assert [c["country"] for c in one(tmp_path, **planted(register, Countries=text))["countries"]] == countries


def test_fields_of_its_own(tmp_path: Path):
    row = one(
        tmp_path,
        Bridging_flag_truefalse="True",
        Bridged_type="parent",
        Childs="NCT09999999",
        Prospective_registration="Yes",
    )
    assert dict(row["own_fields"]) == {
        "bridging_flag_truefalse": "true", "bridged_type": "parent", "childs": "NCT09999999", "prospective_registration": "Yes",
    }  # fmt: skip
