"""Tables as rows, from workbooks and from delimited text: what cells show, and what damage takes along."""

import csv
import io
import string
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.errors import PayloadError
from pipelines.formats import delimited, spreadsheet

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
STRICT = "http://purl.oclc.org/ooxml/spreadsheetml/main"
LINKS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"

# --- workbooks ------------------------------------------------------------------------------------------------------


def letters(column: int) -> str:
    """0 -> A, 26 -> AA."""
    name = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        name = string.ascii_uppercase[rest] + name
    return name


def parts(
    rows: Iterable[str],
    texts: Sequence[str] = (),
    formats: Sequence[int | str] = (),
    settings: str = "",
    ns: str = MAIN,
) -> dict[str, str]:
    """The files of a workbook. rows: XML of each row's cells. formats: of the styles, by number or by code."""
    codes = {format_: 200 + i for i, format_ in enumerate(formats) if isinstance(format_, str)}
    known = "".join(f'<numFmt numFmtId="{n}" formatCode="{escape(c, {chr(34): "&quot;"})}"/>' for c, n in codes.items())
    used = "".join(f'<xf numFmtId="{codes.get(f, f)}"/>' for f in formats)  # type: ignore[call-overload]
    items = "".join(f"<si><t>{escape(text)}</t></si>" for text in texts)
    table = "".join(f'<row r="{n}">{cells}</row>' for n, cells in enumerate(rows, 1))
    return {
        "[Content_Types].xml": "<Types/>",
        "xl/workbook.xml": f'<workbook xmlns="{ns}" xmlns:r="{LINKS}"><workbookPr {settings}/><sheets>'
        '<sheet name="one" sheetId="7" r:id="rId3"/><sheet name="two" sheetId="1" r:id="rId1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": '<Relationships><Relationship Id="rId1" Target="worksheets/sheet2.xml"/>'
        '<Relationship Id="rId3" Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/sharedStrings.xml": f'<sst xmlns="{ns}">{items}</sst>',
        "xl/styles.xml": f'<styleSheet xmlns="{ns}"><numFmts>{known}</numFmts><cellXfs>{used}</cellXfs></styleSheet>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{ns}"><sheetData>{table}</sheetData></worksheet>',
        "xl/worksheets/sheet2.xml": f'<worksheet xmlns="{ns}"><sheetData/></worksheet>',
    }


def packed(folder: Path, files: dict[str, str]) -> Path:
    path = folder / "book.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return path


def table(folder: Path, values: Sequence[Sequence[str]]) -> Path:
    """A workbook of texts, with gaps where a text is empty."""
    texts = sorted({value for row in values for value in row})
    rows = [
        "".join(f'<c r="{letters(x)}{y}" t="s"><v>{texts.index(value)}</v></c>' for x, value in enumerate(row) if value)
        for y, row in enumerate(values, 1)
    ]
    return packed(folder, parts(rows, [text.replace("_x", "_x005F_x") for text in texts]))


def read(path: Path) -> list[list[str]]:
    return list(spreadsheet.rows(path))


TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="￾￿"), max_size=12)


@given(st.lists(st.lists(TEXT, max_size=30), max_size=6))
def test_what_was_put_in_comes_out(tmp_path_factory: pytest.TempPathFactory, values: list[list[str]]):
    expected = []
    for row in values:
        while row and not row[-1]:
            row = row[:-1]
        expected += [row] if row else []
    assert read(table(tmp_path_factory.mktemp("book"), values)) == expected


def one(folder: Path, cell: str, formats: Sequence[int | str] = (0,), **options: str) -> str:
    rows = read(packed(folder, parts([cell], formats=formats, **options)))
    return rows[0][0] if rows else ""


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        ("<c><v>300</v></c>", "300"),
        ("<c><v>300.0</v></c>", "300"),
        ("<c><v>1E+5</v></c>", "100000"),
        ("<c><v>0.25</v></c>", "0.25"),
        ('<c t="b"><v>1</v></c>', "true"),
        ('<c t="b"><v>0</v></c>', "false"),
        ('<c t="e"><f>-x</f><v>#NAME?</v></c>', "#NAME?"),
        ('<c t="str"><f>A2</f><v>text</v></c>', "text"),
        ('<c t="d"><v>2020-04-17</v></c>', "2020-04-17"),
        ('<c t="inlineStr"><is><t>in</t></is></c>', "in"),
        ('<c t="inlineStr"><is><r><t>two </t></r><r><t>runs</t></r><rPh><t>read so</t></rPh></is></c>', "two runs"),
        ('<c t="inlineStr"><is><t>a_x000D_b</t></is></c>', "a\rb"),
        ('<c t="inlineStr"/>', ""),
        ("<c/>", ""),
    ],
)
def test_a_cell_is_what_it_shows(tmp_path: Path, cell: str, shown: str):
    assert one(tmp_path, cell) == shown


@pytest.mark.parametrize(
    ("format_", "serial", "shown"),
    [
        (14, "43938", "2020-04-17"),
        (15, "43938", "2020-04-17"),
        (16, "43862", "--02-01"),
        (17, "43922", "2020-04"),
        (22, "43956.466319444444", "2020-05-05 11:11:30"),
        (22, "43956", "2020-05-05"),
        (14, "43956.5", "2020-05-05"),
        (14, "59", "1900-02-28"),
        (14, "61", "1900-03-01"),
        (14, "270811", "2641-06-14"),
        (14, "99999999", "99999999"),
        (14, "-1", "-1"),
        (20, "0.5", "0.5"),
        (2, "43938", "43938"),
        ("yyyy\\-mm\\-dd", "43938", "2020-04-17"),
        ('[$-409]d"day" mmm\\ yyyy;@', "43938", "2020-04-17"),
        ("mmm yyyy", "43938", "2020-04"),
        ("d/m", "43938", "--04-17"),
        ("yyyy-mm-dd hh:mm:ss AM/PM", "43938.25", "2020-04-17 06:00:00"),
        ("[h]:mm:ss", "1.5", "1.5"),
        ("h:mm AM/PM", "0.25", "0.25"),
        ('0.0 "days"', "12.5", "12.5"),
        ("[Red]#,##0", "12", "12"),
    ],
)
def test_a_typed_date_has_the_parts_that_its_format_shows(tmp_path: Path, format_: int | str, serial: str, shown: str):
    assert one(tmp_path, f'<c s="1"><v>{serial}</v></c>', [0, format_]) == shown


def test_dates_may_count_from_1904(tmp_path: Path):
    assert one(tmp_path, '<c s="0"><v>42476</v></c>', [14], settings='date1904="1"') == "2020-04-17"


def test_both_namespaces_are_read(tmp_path: Path):
    assert one(tmp_path, "<c><v>1</v></c>", ns=STRICT) == "1"


def test_cells_without_a_place_follow_each_other(tmp_path: Path):
    rows = ["<c><v>1</v></c><c><v>2</v></c>", '<c r="C2"><v>3</v></c><c><v>4</v></c>', ""]
    assert read(packed(tmp_path, parts(rows))) == [["1", "2"], ["", "", "3", "4"]]


def test_a_workbook_is_told_from_another_archive(tmp_path: Path):
    assert spreadsheet.is_workbook(table(tmp_path, [["x"]]))
    assert not spreadsheet.is_workbook(packed(tmp_path, {"a.csv": "x"}))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("xl/workbook.xml", "<workbook><sheets/></workbook>"),
        ("xl/workbook.xml", "<workbook"),
        ("xl/_rels/workbook.xml.rels", "<Relationships/>"),
        ("xl/_rels/workbook.xml.rels", '<Relationships><Relationship Id="rId3" Target="none.xml"/></Relationships>'),
        ("xl/worksheets/sheet1.xml", ""),
        ("xl/styles.xml", "no XML"),
    ],
)
def test_a_broken_part_is_named(tmp_path: Path, name: str, text: str):
    files = parts(["<c><v>1</v></c>"], formats=[0]) | {name: text}
    with pytest.raises(PayloadError, match="workbook"):
        read(packed(tmp_path, files))


@pytest.mark.parametrize("cell", ['<c t="s"><v>9</v></c>', '<c s="9"><v>1</v></c>', "<c><v>x</v></c>", '<c r="ZZZ1"/>'])
def test_rows_before_a_broken_one_are_kept(tmp_path: Path, cell: str):
    rows = spreadsheet.rows(packed(tmp_path, parts(["<c><v>1</v></c>", cell], formats=[0])))
    assert next(rows) == ["1"]
    with pytest.raises(PayloadError, match="damaged"):
        next(rows)


def test_rows_before_the_cut_are_kept(tmp_path: Path):
    files = parts(["<c><v>1</v></c>", "<c><v>2</v></c>"])
    sheet = files["xl/worksheets/sheet1.xml"]
    files["xl/worksheets/sheet1.xml"] = sheet[: sheet.index("</sheetData>")]
    rows = spreadsheet.rows(packed(tmp_path, files))
    assert [next(rows), next(rows)] == [["1"], ["2"]]
    with pytest.raises(PayloadError, match="damaged"):
        next(rows)


@pytest.mark.parametrize("keep", [0, 10, 0.5, 0.99])
def test_a_cut_or_foreign_file_is_named(tmp_path: Path, keep: float):
    path = table(tmp_path, [["a", "b"]])
    whole = path.read_bytes()
    path.write_bytes(whole[: int(keep * len(whole)) if keep < 1 else int(keep)])
    with pytest.raises(PayloadError, match="cut off"):
        read(path)


def test_flipped_bytes_are_named(tmp_path: Path):
    path = table(tmp_path, [[f"text {n}" for n in range(200)]])
    whole = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        at = archive.getinfo("xl/worksheets/sheet1.xml").header_offset + 200
    whole[at : at + 20] = bytes(20)
    path.write_bytes(whole)
    with pytest.raises(PayloadError, match="damaged"):
        read(path)


# --- delimited text -------------------------------------------------------------------------------------------------

FIELD = st.text(st.characters(exclude_categories=("Cs",)), max_size=10)


def pieces(text: str, size: int = 7) -> list[bytes]:
    data = text.encode()
    return [data[at : at + size] for at in range(0, len(data), size)]


def split(text: str, size: int = 7) -> list[list[str] | str]:
    """Fields, or the fault, of each row."""
    return [row.fault or row.fields for row in delimited.rows(pieces(text, size))]


@given(
    st.lists(st.lists(FIELD, min_size=2, max_size=5), max_size=5),
    st.integers(1, 40),
    st.sampled_from(["\n", "\r\n"]),
    st.booleans(),
)
def test_what_was_written_is_read(values: list[list[str]], size: int, end: str, with_mark: bool):
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator=end).writerows(values)
    text = ("﻿" if with_mark else "") + out.getvalue()
    if not with_mark and text.startswith("﻿"):
        return
    assert split(text, size) == values


@given(FIELD, st.integers(0, 3))
def test_a_broken_row_does_not_take_another_along(noise: str, at: int):
    rows = [f'"N{n}","text {n}","end"\n' for n in range(4)]
    rows[at] = f'"N{at}","te{noise}"xt","en\n'
    found = split("".join(rows))
    assert [row for row in found if isinstance(row, list)][:3].count(["N0", "text 0", "end"]) == (at != 0)
    good = [[f"N{n}", f"text {n}", "end"] for n in range(4) if n != at]
    assert [row for row in found if row in good] == good


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", []),
        ("a,b\n\n \nc,d", [["a", "b"], ["c", "d"]]),
        ('"a\nb","c ""d"""\n', [["a\nb", 'c "d"']]),
        ('"a","b\n"c","d"\n', ["a quote in it does not close (lines: 1)", ["c", "d"]]),
        ('"a","b', ["it is cut off, or a quote in it does not close"]),
        ('"a"b","c"\n"d","e"\n', ["a quote in it does not close (lines: 1)", ["d", "e"]]),
    ],
)
def test_rows_and_broken_rows(text: str, found: list[list[str] | str]):
    assert split(text) == found


def test_a_field_that_goes_on_after_its_quotes_is_damage():
    (row,) = delimited.rows([b'"a" or "b",c\n'])
    assert row.fault.startswith("its quotes are broken")
    assert row.fields == ['a" or "b']


def test_what_an_open_quote_swallows_is_bounded(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(delimited, "LARGEST", 100)
    found = split('x,"open\n' + "y,1\n" * 100)
    assert found[0] == "a quote in it does not close (lines: 25)"
    assert found[1:] == [["y", "1"]] * 76


def test_rows_before_damaged_bytes_are_kept():
    def damaged() -> Iterable[bytes]:
        yield b"a,b\nc,"
        raise PayloadError("the file is cut off")

    rows = delimited.rows(damaged())
    assert [next(rows).fields, next(rows).fields] == [["a", "b"], ["c", ""]]
    with pytest.raises(PayloadError, match="cut off"):
        next(rows)


def test_a_row_with_bytes_that_are_no_utf8_is_broken_and_says_what_to_do():
    text = b"a,b\nx,caf\xe9\nc\xe9,y\n" + "é\ufffd,z\n".encode() + b'd,"two\nlin\xe9s"\ne,f\n'
    found = list(delimited.rows([text]))
    assert [row.fields for row in found] == [["a", "b"], ["x"], ["c\ufffd"], ["é\ufffd", "z"], ["d"], ["e", "f"]]
    assert [row.fault.split(": ")[0] for row in found if row.fault] == ["bytes in it are no UTF-8"] * 3
    assert "save the file as UTF-8" in found[1].fault


def test_other_delimiters():
    assert [row.fields for row in delimited.rows([b"a;b\n"], ";")] == [["a", "b"]]
