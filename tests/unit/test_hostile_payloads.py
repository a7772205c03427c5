"""What payloads must not do to us: XML that grows or reads our files, archives that write elsewhere or unpack to more
than there is room for, names and texts that grow without end. Each reader that meets the form is tried."""

import gzip
import io
import subprocess
import sys
import zipfile
import zlib
from datetime import date

import pytest

from pipelines import importing, snapshots, staging
from pipelines.errors import PayloadError
from pipelines.formats import json_records, packing, spreadsheet
from pipelines.importing import Import
from pipelines.settings import ROOT
from tests.unit.test_ictrp import PLANTED, as_xml
from tests.unit.test_isrctn import found as isrctn_found
from tests.unit.test_isrctn import full as isrctn_full
from tests.unit.test_rebec import feed, trial
from tests.unit.test_spreadsheet import packed, parts
from tests.worlds import article, article_set, nct

DAY = date(2026, 8, 1)
SECRET = "only-this-machine-knows"

LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10 if n else "ha"}">' for n in range(10))
ATTACKS = {
    "laughs": (LAUGHS, "&l9;"),
    "a file": ('<!ENTITY f SYSTEM "file://{secret}">', "&f;"),
    "a file by parameter": ('<!ENTITY % p SYSTEM "file://{secret}"> %p;', "&f;"),
    "a file behind a bracket": ('<!ATTLIST a b CDATA "]"><!ENTITY f SYSTEM "file://{secret}">', "&f;"),
    "nothing declared": ("", "&f;"),
}


def ctgov_xml(declared, text):
    return (
        f"<?xml version='1.0'?>{doctype('clinical_study', declared)}<clinical_study><id_info><nct_id>{nct(1)}</nct_id>"
        f"</id_info><brief_title>{text}</brief_title></clinical_study>"
    )


def doctype(root, declared):
    return f"<!DOCTYPE {root} [{declared}]>" if declared else ""


def behind_declaration(xml, root, declared):
    start = xml.index("?>") + 2 if xml.startswith("<?xml") else 0
    rest = xml[start:].lstrip()
    if rest.startswith("<!DOCTYPE"):
        rest = rest[rest.index(">") + 1 :]
    return f"{xml[:start]}{doctype(root, declared)}{rest}"


FORMS = {
    "ctgov": lambda d, t: ctgov_xml(d, t),
    "ictrp": lambda d, t: behind_declaration(
        as_xml(PLANTED).decode().replace("An invented", t), "Trials_downloaded_from_ICTRP", d
    ),
    "isrctn": lambda d, t: behind_declaration(
        isrctn_found(isrctn_full(trialDescription__title=t)), "allTrials", d
    ),
    "rebec": lambda d, t: behind_declaration(feed(trial(public_title=t)), "trials", d),
    "pubmed": lambda d, t: behind_declaration(article_set(article(900000001, title=f"{nct(1)} {t}")), "PubmedArticleSet", d),
}  # fmt: skip


def read(source, path, out):
    module = staging.module(source)
    options = {"cited": frozenset({900000001})} if module.KIND == "articles" else {}
    report = module.read(path, path.name, DAY, out, **options)
    assert report.balance() == 0
    return report


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("source", FORMS)
def test_no_entity_of_a_payload_is_ever_resolved(tmp_path, source, attack):
    secret = tmp_path / "secret.txt"
    secret.write_text(SECRET)
    declared, text = ATTACKS[attack]
    payload = tmp_path / ("pubmed26n0001.xml" if source == "pubmed" else "planted.xml")
    payload.write_text(FORMS[source](declared.replace("{secret}", str(secret)), text))
    report = read(source, payload, tmp_path / "records.parquet")
    written = b"".join(p.read_bytes() for p in tmp_path.glob("*.parquet")) + repr(report).encode()
    assert SECRET.encode() not in written
    assert len(written) < 200_000
    assert report.rejects, "what it holds is named, not passed over"
    whole = tmp_path / "whole.xml"
    whole.write_text(FORMS[source]("", "harmless"))
    assert read(source, whole, tmp_path / "good.parquet").staged == 1, "the form itself is one that is read"


@pytest.mark.parametrize("part", ["xl/sharedStrings.xml", "xl/worksheets/sheet1.xml", "xl/workbook.xml"])
@pytest.mark.parametrize("attack", ["laughs", "a file"])
def test_no_entity_of_a_workbook_is_ever_resolved(tmp_path, part, attack):
    secret = tmp_path / "secret.txt"
    secret.write_text(SECRET)
    declared, text = ATTACKS[attack]
    files = parts(['<c r="A1" t="s"><v>0</v></c><c r="B1" t="str"><v>x</v></c>'], texts=["x"])
    hostile = (
        files[part].replace(">x<", f">{text}<").replace('name="one"', f'name="{text}"' if attack == "laughs" else "")
    )
    files[part] = doctype("x", declared.replace("{secret}", str(secret))) + hostile
    try:
        shown = list(spreadsheet.rows(packed(tmp_path, files)))
    except PayloadError as error:
        shown = [[str(error)]]
    assert SECRET not in repr(shown)
    assert len(repr(shown)) < 1000


# --- archives -------------------------------------------------------------------------------------------------------


def test_an_archive_writes_nothing_beside_its_own_place_whatever_its_entries_are_called(tmp_path):
    names = ["../../../../outside.json", "/tmp/outside.json", "..\\outside.json", "a/../../b.json", "x\0y.json"]
    link = zipfile.ZipInfo("link.json")
    link.external_attr = 0o120777 << 16  # a symbolic link, as archives write one
    archive = tmp_path / "in" / "records.zip"
    archive.parent.mkdir()
    with zipfile.ZipFile(archive, "w") as made:
        for name in names:
            made.writestr(name, "[]")
        made.writestr(link, "/etc/hostname")
    data = tmp_path / "deep" / "down" / "data"
    snapshot, _ = importing.take(data, Import("ctgov", DAY, (archive,)))
    (staged,) = staging.stage(data, [snapshot])
    assert staged.is_read
    assert sorted(p.name for p in tmp_path.iterdir()) == ["deep", "in"]
    assert sorted(p.name for p in data.iterdir()) == [".lock", "raw", "staging"]
    below = [p for p in data.rglob("*") if p.is_file() and p.name != ".lock"]
    assert {p.parent for p in below} == {snapshot.folder, staged.folder}
    assert not any(p.is_symlink() for p in data.rglob("*"))


def zip_bomb(times):
    made = io.BytesIO()
    with (
        zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive,
        archive.open("1.json", "w") as out,
    ):
        for _ in range(times):
            out.write(b" " * (1 << 20))
    return made.getvalue()


def test_an_entry_that_unpacks_to_a_thousand_times_its_size_is_not_unpacked(tmp_path):
    path = tmp_path / "bomb.zip"
    path.write_bytes(zip_bomb(80))
    assert path.stat().st_size < 1 << 20
    ((_, said),) = packing.entries(path)
    assert isinstance(said, str)
    assert "more than is plausible" in said
    path.write_bytes(zip_bomb(60))
    ((_, content),) = packing.entries(path)
    assert len(content) == 60 << 20, "what is no larger than a payload can be is read"


def test_an_entry_that_says_less_than_it_holds_gives_no_more_than_it_says(tmp_path):
    path, packed_size = tmp_path / "liar.zip", len(b" " * 100)
    honest = zip_bomb(1)
    lying = honest.replace((1 << 20).to_bytes(4, "little"), packed_size.to_bytes(4, "little"))
    assert lying != honest
    path.write_bytes(lying)
    ((_, said),) = packing.entries(path)
    assert isinstance(said, str) or len(said) <= packed_size


ENDLESS = {
    "ctgov": ("a.json.gz", b'[{"protocolSection":{"a":"', b"a"),
    "ctgov, brackets": ("a.json.gz", b"[", b"["),
    "ctgov, xml": ("a.xml.gz", b"<clinical_study><brief_title>", b"a"),
    "ctis": ("a.json.gz", b'[{"ctNumber":"', b"a"),
    "drks": ("a.json.gz", b'[{"drksId":"', b"a"),
    "isrctn": ("a.xml.gz", b'<allTrials xmlns="http://www.67bricks.com/isrctn"><fullTrial><trial>', b"a"),
    "rebec": ("a.xml.gz", b'<?xml version="1.0"?><trials><trial>', b"a"),
    "ictrp": ("a.xml.gz", b'<?xml version="1.0"?><Trials_downloaded_from_ICTRP><Trial>', b"a"),
    "ictrp, csv": ("a.csv.gz", b'TrialID,Public title\n"', b"a"),
    "pubmed, elements": ("pubmed26n0001.xml.gz", b"<PubmedArticleSet>", b"<a/>"),
    "pubmed": ("pubmed26n0001.xml.gz", b'<?xml version="1.0"?><PubmedArticleSet><PubmedArticle>', b"a"),
    "euctr": ("a.txt.gz", b"Summary\nEudraCT Number: 2019-000001-11\nA.3 Full title: ", b"a"),
}
SIZE = 160
"""MiB that come out of some 160 KB. Real records, and what a reader holds at once, are far below."""
ROOM = 700
"""MiB that reading one may take beside what the program itself takes."""


@pytest.mark.long
@pytest.mark.parametrize("case", ENDLESS)
def test_nothing_that_unpacks_without_end_fills_the_memory(tmp_path, case):
    """Each reader in a process of its own, whose memory can be measured."""
    name, start, fill = ENDLESS[case]
    (tmp_path / name).write_bytes(endless(start, fill))
    words = [sys.executable, "-c", READ_ONE, case.split(",")[0], str(tmp_path / name), str(ROOM)]
    process = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert process.returncode == 0, process.stderr[-500:]
    assert process.stdout.startswith("rejected")


def endless(start, fill):
    press = zlib.compressobj(9, zlib.DEFLATED, 31)
    pieces = [press.compress(start)]
    pieces += [press.compress(fill * ((1 << 20) // len(fill))) for _ in range(SIZE)]
    return b"".join([*pieces, press.flush()])


READ_ONE = """
import resource, sys
from pathlib import Path
from tests.unit.test_hostile_payloads import read
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
path = Path(sys.argv[2])
report = read(sys.argv[1], path, path.parent / "records.parquet")
grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
assert grown < float(sys.argv[3]), f"{grown:.0f} MiB"
print("rejected", [r.reason[:80] for r in report.rejects])
"""


def test_json_that_nests_or_goes_on_without_end_is_given_up():
    for piece, words in ((b"[" * 1000, "nested deeper"), (b'{"a":"' + b"a" * (1 << 20), "longer than any record")):
        endlessly = (piece if n == 0 or b"[" in piece else piece[6:] for n in range(200))
        with pytest.raises(PayloadError, match=words):
            list(json_records.records(endlessly, "array", "protocolSection"))


def test_gzip_that_came_from_the_same_content_is_the_same_snapshot(tmp_path):
    """Equal content, equal hash: what is imported twice under another name or in another order is one snapshot."""
    one, two = tmp_path / "1.json.gz", tmp_path / "2.json.gz"
    one.write_bytes(gzip.compress(b"[1]", mtime=0))
    two.write_bytes(gzip.compress(b"[2]", mtime=0))
    first, _ = importing.take(tmp_path / "data", Import("ctgov", DAY, (one, two)))
    again, is_new = importing.take(tmp_path / "data", Import("ctgov", DAY, (two, one)))
    assert (again, is_new) == (first, False)
    assert len(snapshots.listed(tmp_path / "data")) == 1
