"""The rules of registration numbers, case by case, and what must hold of every number."""

import csv
import hashlib
import re
import unicodedata
from itertools import pairwise

import pytest
import re2
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines import trn
from pipelines.settings import SCHEMAS
from pipelines.trn import Hit
from tests import finder_oracle

# --- spellings -------------------------------------------------------------------------------------------------------

# text, canonical form, registry, suffix: exactly one number, found in a sentence and as a whole string.
SPELLINGS = [
    ("NCT01234567", "NCT01234567", "nct", None),
    ("nCt01208194", "NCT01208194", "nct", None),
    ("Nct02529358", "NCT02529358", "nct", None),
    ("NCT#00379470", "NCT00379470", "nct", None),
    ("NCT 00902941", "NCT00902941", "nct", None),
    ("NCT+03366857", "NCT03366857", "nct", None),
    ("NCT Number: 03849118", "NCT03849118", "nct", None),
    ("NCT00000000", "NCT00000000", "nct", None),
    ("ISRCTN78805636", "ISRCTN78805636", "isrctn", None),
    ("ISRCTN 47772397", "ISRCTN47772397", "isrctn", None),
    ("ISRCTN, 22488978", "ISRCTN22488978", "isrctn", None),
    ("ISRCTN, number 96169987", "ISRCTN96169987", "isrctn", None),
    ("isrctn12345678", "ISRCTN12345678", "isrctn", None),
    ("EudraCT 2004-002714-11", "2004-002714-11", "euctr", None),
    ("2012-001909-24", "2012-001909-24", "euctr", None),
    ("2012 - 001909 - 24", "2012-001909-24", "euctr", None),
    ("2012–001909–24", "2012-001909-24", "euctr", None),
    ("EudraCT-No.:2006-000284-28", "2006-000284-28", "euctr", None),
    ("EudraCT number: 2020-005130-15", "2020-005130-15", "euctr", None),
    ("EudraCT 200400600580", "2004-006005-80", "euctr", None),
    ("EUCTR2004 006005 80", "2004-006005-80", "euctr", None),
    ("2020-001934-37-ES", "2020-001934-37", "euctr", "ES"),
    ("EUCTR2015-002340-14-NL", "2015-002340-14", "euctr", "NL"),
    ("2005-002909-23/PT", "2005-002909-23", "euctr", "PT"),
    ("2011-005852-33-3rd", "2011-005852-33", "euctr", "3RD"),
    ("2011-005852-33/3RD", "2011-005852-33", "euctr", "3RD"),
    ("EUCTR2019-009999-11-Outside-EU/EEA", "2019-009999-11", "euctr", "3RD"),
    ("2022-500244-37", "2022-500244-37", "ctis", None),
    ("2022-500244-37-00", "2022-500244-37", "ctis", "00"),
    ("CTIS2023-508083-30-01", "2023-508083-30", "ctis", "01"),
    ("EU CT number 2023-508083-30-00", "2023-508083-30", "ctis", "00"),
    ("EudraCT 2022-500244-37", "2022-500244-37", "ctis", None),
    ("DRKS00005115", "DRKS00005115", "drks", None),
    ("DRKS 00003170", "DRKS00003170", "drks", None),
    ("DRKS: 00004353", "DRKS00004353", "drks", None),
    ("DRKS Number: 00003246", "DRKS00003246", "drks", None),
    ("DRKS No Number: 00013730", "DRKS00013730", "drks", None),
    ("DRKS ID 00003498", "DRKS00003498", "drks", None),
    ("ACTRN12612345678901", "ACTRN12612345678901", "anzctr", None),
    ("ACTRN12612345678901p", "ACTRN12612345678901", "anzctr", "P"),
    ("ACTRN 12617000863336", "ACTRN12617000863336", "anzctr", None),
    ("ACTRN): 12614000310662", "ACTRN12614000310662", "anzctr", None),
    ("ANZCTR12614000310662", "ACTRN12614000310662", "anzctr", None),
    ("ACTRN012605000079695", "ACTRN12605000079695", "anzctr", None),
    ("ChiCTR2000038333", "ChiCTR2000038333", "chictr", None),
    ("ChiCTR-2000038333", "ChiCTR2000038333", "chictr", None),
    ("CHICTR 1900023443", "ChiCTR1900023443", "chictr", None),
    ("ChiCTR-TRC-12002097", "ChiCTR-TRC-12002097", "chictr", None),
    ("ChiCTR-trc-12002097", "ChiCTR-TRC-12002097", "chictr", None),
    ("ChiCTR TRC 12002097", "ChiCTR-TRC-12002097", "chictr", None),
    ("ChiCTR-OPh-17012513", "ChiCTR-OPH-17012513", "chictr", None),
    ("ChiCTR-TNRC-10000742", "ChiCTR-TNRC-10000742", "chictr", None),
    ("CTRI/2020/11/029438", "CTRI/2020/11/029438", "ctri", None),
    ("CTRI/2009/091/000088", "CTRI/2009/091/000088", "ctri", None),
    ("CTRI / 2020 / 11 / 029438", "CTRI/2020/11/029438", "ctri", None),
    ("CTRI/2018/02/011,664", "CTRI/2018/02/011664", "ctri", None),
    ("jRCTs031200196", "jRCTs031200196", "jrct", None),
    ("JRCTS031200196", "jRCTs031200196", "jrct", None),
    ("jRCT2051200085", "jRCT2051200085", "jrct", None),
    ("jRCT 1080220000", "jRCT1080220000", "jrct", None),
    ("JPRN-jRCTs031190227", "jRCTs031190227", "jrct", None),
    ("UMIN000042522", "UMIN000042522", "umin", None),
    ("UMIN:000000562", "UMIN000000562", "umin", None),
    ("UMIN-CTR 000041687", "UMIN000041687", "umin", None),
    ("UMIN-CTR) 000041687", "UMIN000041687", "umin", None),
    ("JPRN-UMIN000039686", "UMIN000039686", "umin", None),
    ("C000000369", "UMIN000000369", "umin", None),
    ("JPRN-C000000369", "UMIN000000369", "umin", None),
    ("JPRN C000000369", "UMIN000000369", "umin", None),
    ("UMIN-CTR C000000369", "UMIN000000369", "umin", None),
    ("JapicCTI-205465", "JapicCTI-205465", "japic", None),
    ("JapicCTI 205465", "JapicCTI-205465", "japic", None),
    ("Japic CTI-205465", "JapicCTI-205465", "japic", None),
    ("JPRN-JapicCTI-205465", "JapicCTI-205465", "japic", None),
    ("JMA-IIA00123", "JMA-IIA00123", "jmacct", None),
    ("JMA–IIA 00123", "JMA-IIA00123", "jmacct", None),
    ("JPRN-JMA-IIA00123", "JMA-IIA00123", "jmacct", None),
    ("IRCT20190804044429N4", "IRCT20190804044429N4", "irct", None),
    ("IRCT2016080318745N10", "IRCT2016080318745N10", "irct", None),
    ("IRCT2020-0401046909N2", "IRCT20200401046909N2", "irct", None),
    ("IRCT 20100228003449 N28", "IRCT20100228003449N28", "irct", None),
    ("irct138712311716n1", "IRCT138712311716N1", "irct", None),
    ("KCT0005634", "KCT0005634", "cris", None),
    ("KCT 0005634", "KCT0005634", "cris", None),
    ("PACTR202011523101903", "PACTR202011523101903", "pactr", None),
    ("PACTR 2010020001429343", "PACTR2010020001429343", "pactr", None),
    ("RBR-6m69fc", "RBR-6m69fc", "rebec", None),
    ("RBR-5p8nzk6", "RBR-5p8nzk6", "rebec", None),
    ("rbr-6M69FC", "RBR-6m69fc", "rebec", None),
    ("RBR‑6m69fc", "RBR-6m69fc", "rebec", None),
    ("RPCEC00000346", "RPCEC00000346", "rpcec", None),
    ("SLCTR/2020/011", "SLCTR/2020/011", "slctr", None),
    ("TCTR20200321001", "TCTR20200321001", "tctr", None),
    ("LBCTR2020043459", "LBCTR2020043459", "lbctr", None),
    ("PER-067-20", "PER-067-20", "repec", None),
    ("PER-067-20A", "PER-067-20", "repec", "A"),
    ("PER–067–20", "PER-067-20", "repec", None),
    ("NTR5191", "NTR5191", "ntr", None),
    ("NTR12345", "NTR12345", "ntr", None),
    ("NL-OMON12345", "NL-OMON12345", "omon", None),
    ("NL-OMON 12345", "NL-OMON12345", "omon", None),
    ("ITMCTR2021000000", "ITMCTR2021000000", "itmctr", None),
    ("ChiMCTR1900002305", "ChiMCTR1900002305", "itmctr", None),
    ("U1111-1234-5678", "U1111-1234-5678", "utn", None),
    ("U1111 - 1256 - 7669", "U1111-1256-7669", "utn", None),
    ("U0000-0000-0000", "U0000-0000-0000", "utn", None),
]


@pytest.mark.parametrize(("text", "number", "registry", "suffix"), SPELLINGS)
def test_spelling(text: str, number: str, registry: str, suffix: str | None) -> None:
    whole = trn.canonical(f" {text}\n")
    assert whole == Hit(text, number, registry, suffix, 1, 1 + len(text), "number")
    assert trn.find(f"We did it ({text}). Thanks.") == [
        Hit(text, number, registry, suffix, 11, 11 + len(text), "number")
    ]


# --- context, guards and neighbours ----------------------------------------------------------------------------------

FOUND = [
    ("ClinicalTrials.govNCT03422276", ["NCT03422276"]),
    ("govnumberNCT01737476.", ["NCT01737476"]),
    ("NCT01882777_2", ["NCT01882777"]),
    ("cond=NCT+03366857&term=", ["NCT03366857"]),
    ("NCT01234567and then", ["NCT01234567"]),
    ("trialISRCTN78805636 trialDRKS00005115", ["ISRCTN78805636", "DRKS00005115"]),
    ("trialACTRN12612345678901 trialChiCTR2000038333", ["ACTRN12612345678901", "ChiCTR2000038333"]),
    ("Australian Registry (ACTRN): 12614000310662; http", ["ACTRN12614000310662"]),
    ("ISRCTN: ISRCTN11057518. Registered", ["ISRCTN11057518"]),
    ("Trials Register (DRKS)-DRKS00015308", ["DRKS00015308"]),
    ("previously (UMIN:000000562,", ["UMIN000000562"]),
    ("Registry (UMIN-CTR), UMIN000041687 .", ["UMIN000041687"]),
    ("(EUDRACT n. 2005-000826-22 and EUDRACT n. 2015-001639-19)", ["2005-000826-22", "2015-001639-19"]),
    ("NCT01909453/2013-001176-38", ["NCT01909453", "2013-001176-38"]),
    ("2012-001909-24-is a trial", ["2012-001909-24"]),
    ("NTR 3912/EudraCT 2012-001909-24.", ["NTR3912", "2012-001909-24"]),
    ("Netherlands Trial Registry, NTR4132/NL3847. Between", ["NTR4132", "NL3847"]),
    ("Dutch trial register Trial NL6791 (NTR6977) https://", ["NL6791", "NTR6977"]),
    ("DutchTrialRegister:NL8152", ["NL8152"]),
    ("NederlandsTrailRegister:NL4187/NTR4337", ["NL4187", "NTR4337"]),
    ("NederlandTrilaRegister:NTR4269", ["NTR4269"]),
    ("registered as NL8498", ["NL8498"]),
    ("registered as NTR 3912", ["NTR3912"]),
    ("registered as NTR12", ["NTR12"]),
    ("注册号：ChiCTR2000029953。", ["ChiCTR2000029953"]),
    ("登録番号UMIN000042522", ["UMIN000042522"]),
    # folding
    ("NCT01234567² of", ["NCT01234567"]),
    ("NCT01234567₂", ["NCT01234567"]),
    ("NCT01234567①", ["NCT01234567"]),
    ("NCT0123\u00ad4567", ["NCT01234567"]),
    ("NCT\u200b0123\u200d4567\ufeff", ["NCT01234567"]),
    ("NCT\u00a001234567", ["NCT01234567"]),
    ("NCT\u202f01234567", ["NCT01234567"]),
    ("ＮＣＴ０１２３４５６７", ["NCT01234567"]),  # full width
    ("2012‐001909‑24, 2012‒001909—24, 2012―001909−24", ["2012-001909-24"] * 3),
    ("2012﹘001909﹣24 2012－001909－24", ["2012-001909-24"] * 2),
    ("NCT…01234567", ["NCT01234567"]),  # one character of the text is three separators
]


@pytest.mark.parametrize(("text", "numbers"), FOUND)
def test_found_in_text(text: str, numbers: list[str]) -> None:
    hits = trn.find(text)
    assert [(hit.canonical, hit.kind) for hit in hits] == [(number, "number") for number in numbers]
    assert all(text[hit.start : hit.end] == hit.raw for hit in hits)


NEVER = [
    "NL73249.041.20",
    "NL7324.041.20, registered",
    "CCMO dossier number: NL41789.078.13, registered",
    "NL26560.042.09",
    "NL74828 registered",
    "registered as CCMO-NL3248800010",
    "NCTC 10538",
    "Pseudomonas aeruginosa NCTC 10490",
    "KCTC 5316",
    "NLRP3",
    "registered, HCoV-NL63",
    "p75NTR",
    "p75NTR 1234 registered",
    "95% CrIs",
    "95% CrIs 2018/02/011",
    "NL8498",
    "the nL6118 of",
    "pNL4-3 registered",
    "nl-2012-302759 registered",
    "nl)277 registered",
    "nL.63 registered",
    "NTR 3912",
    "NTR1 and NTR2 are receptors of neurotensin",
    "NTR 2.0 registered",
    "registered in the NTR. 120 patients",
    "registered in the NTR, 120 patients",
    "ZINC000052955",
    "the substance C000657245",
    "xC000000369",
    "200400600800",
    "201201801201",
    "PACTR2012-001234-56",
    "PACTR20120500038",
    "1-2012-001909-24",
    "10.1000.2012-001909-24",
    "2020-01-15 2020-012345",
    "2012-101909-24",
    "per 100 000",
    "per 100,00",
    "per842 (82",
    "per41515",
    "RBR-6m69fcaa of",
    "RBR-ab69fc",
    "NCT-503 and NCT 10",
    "KCT2 KCT-1 KCNQ",
    "NCTs (T = 700, 800)",
    "xnct01234567",
    "ANCT01234567",
    "1NCT01234567",
    "éUMIN000042522",
    "e\u0301UMIN000042522",
    "xUMIN000042522",
    "serum albumin 000042522",
    "U1111 1256 7669",
    "U0000-1234-5678",
    "",
]


@pytest.mark.parametrize("text", [text for text in NEVER if not text.startswith("PACTR2012")])
def test_never_a_number(text: str) -> None:
    assert trn.find(text) == []


@pytest.mark.parametrize("text", NEVER)
def test_never_a_number_even_where_a_finding(text: str) -> None:
    assert [hit for hit in trn.find(text) if hit.kind == "number"] == []


MALFORMED = [
    ("ISRCTN474042962", "isrctn"),
    ("ISRCTN1150", "isrctn"),
    ("ISCRTN06180958", "isrctn"),
    ("NCT040394585", "nct"),
    ("NCT 0403945", "nct"),
    ("NCT0123456", "nct"),
    ("EuDract 2007-00835-24", "euctr"),
    ("EudraCT 2012-101909-24", "euctr"),
    ("CTIS 2022-50024-37", "ctis"),
    ("DRKS0000511", "drks"),
    ("ACTRN1261234567890", "anzctr"),
    ("ACTRN0012605000079695", "anzctr"),
    ("ChiCTR12002097", "chictr"),
    ("ChiCTR-TRC-120020971", "chictr"),
    ("CTRI/2018/02/11664", "ctri"),
    ("jRCT03120019", "jrct"),
    ("UMIN00004252", "umin"),
    ("JapicCTI-20546", "japic"),
    ("JMA-IIA0012", "jmacct"),
    ("IRCT20181201041815N", "irct"),
    ("IRCT20181201041815", "irct"),
    ("KCT00056345", "cris"),
    ("PACTR20120500038437", "pactr"),
    ("RPCEC0000346", "rpcec"),
    ("SLCTR/2020/11", "slctr"),
    ("TCTR2020032100", "tctr"),
    ("LBCTR202004345", "lbctr"),
    ("NTR391200", "ntr"),
    ("ITMCTR202100000", "itmctr"),
    ("U1111-123-45678", "utn"),
]


@pytest.mark.parametrize(("text", "registry"), MALFORMED)
def test_malformed(text: str, registry: str) -> None:
    assert trn.find(f"Number {text}.") == [Hit(text, "", registry, None, 7, 7 + len(text), "malformed")]
    assert trn.canonical(text) is None


def test_offsets_are_those_of_the_original_text() -> None:
    text = "½ … ﬁrst\u200b NCT\u00ad0123\u200b4567\u200b² and 2012–001909–24–GB"
    first, second = trn.find(text)
    assert (first.raw, first.canonical) == ("NCT\u00ad0123\u200b4567", "NCT01234567")
    assert (second.raw, second.suffix) == ("2012–001909–24–GB", "GB")
    assert [text[hit.start : hit.end] for hit in (first, second)] == [first.raw, second.raw]


def test_a_registry_word_counts_only_within_its_distance() -> None:
    far = "x" * trn.CONTEXT
    assert trn.find(f"registered {far} NL8498") == []
    assert trn.find(f"registered {far[:25]} NL8498") != []
    assert [hit.canonical for hit in trn.find(f"NTR 3912 {far[:38]} NCT01234567")] == ["NTR3912", "NCT01234567"]
    assert [hit.canonical for hit in trn.find(f"NTR 3912 {far} NCT01234567")] == ["NCT01234567"]


# --- whole strings, data banks, placeholders -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "registry", "number"),
    [
        ("isrctn 12345678", None, "ISRCTN12345678"),
        ("[NCT01234567].", None, "NCT01234567"),
        ("NL8498", None, "NL8498"),
        ("nl6118", None, "NL6118"),
        ("NTR 3912", None, "NTR3912"),
        ("NTR1", None, "NTR1"),
        ("EUCTR2020-000890-25-fr", None, "2020-000890-25"),
        ("205465", "japic", "JapicCTI-205465"),
        ("22488978", "isrctn", "ISRCTN22488978"),
        ("S00004558", "drks", "DRKS00004558"),
        ("T01234567", "nct", "NCT01234567"),
        ("200400600580", "euctr", "2004-006005-80"),
        ("TRC-12002097", "chictr", "ChiCTR-TRC-12002097"),
        ("1900023443", "chictr", "ChiCTR1900023443"),
        ("2020/11/029438", "ctri", "CTRI/2020/11/029438"),
        ("s031200196", "jrct", "jRCTs031200196"),
        ("6m69fc", "rebec", "RBR-6m69fc"),
        ("067-20", "repec", "PER-067-20"),
        ("1111-1234-5678", "utn", "U1111-1234-5678"),
        ("12614000310662", "anzctr", "ACTRN12614000310662"),
        ("NCT01234567", "isrctn", "NCT01234567"),  # a string that says its own register keeps it
    ],
)
def test_canonical(text: str, registry: str | None, number: str) -> None:
    hit = trn.canonical(text, registry)
    assert hit is not None
    assert (hit.canonical, hit.kind) == (number, "number")


@pytest.mark.parametrize(
    ("text", "registry"),
    [
        ("", None),
        ("  ", "nct"),
        ("12345678", None),
        ("1234567", "nct"),
        ("12345678", "euctr"),
        ("200400600580", None),
        ("NCT01234567 and more", None),
        ("NCT01234567 NCT01234568", None),
        ("ı" + "SRCTN12345678", None),  # a Turkish dotless i is no I
        ("NCT0123456٧", None),  # nor is an Arabic digit a digit of a number
    ],
)
def test_not_canonical(text: str, registry: str | None) -> None:
    assert trn.canonical(text, registry) is None


@pytest.mark.parametrize(
    ("bank", "accession", "numbers"),
    [
        ("ClinicalTrials.gov", "NCT01234567", "NCT01234567"),
        ("ClinicalTrials.gov", "NCT00379470/NCT00379471", "NCT00379470 NCT00379471"),
        ("ClinicalTrials.gov", "NCT01234567, NCT01234568; NCT01234567", "NCT01234567 NCT01234568"),
        ("EudraCT", "2012-001909-24, 2012-001910-24", "2012-001909-24 2012-001910-24"),
        ("ISRCTN", "ISRCTN22488978 (NCT01234567), ISRCTN474042962", "ISRCTN22488978 NCT01234567"),
        ("ClinicalTrials.gov", "ClinicalTrials.gov/NCT00000161", "NCT00000161"),
        ("ClinicalTrials.gov", "01234567", "NCT01234567"),
        ("DRKS", "00003934", "DRKS00003934"),
        ("DRKS", "S00004558", "DRKS00004558"),
        ("ISRCTN", " ISRCTN 22488978 ", "ISRCTN22488978"),
        ("ISRCTN", "NCT01234567", "NCT01234567"),
        ("EudraCT", "2012-001909-24", "2012-001909-24"),
        ("EudraCT", "2022-500244-37-00", "2022-500244-37"),
        ("UMIN CTR", "000041687", "UMIN000041687"),
        ("UMIN-CTR", "UMIN000041687", "UMIN000041687"),
        ("CRiS", "0005634", "KCT0005634"),
        ("ReBec", "RBR-6m69fc", "RBR-6m69fc"),
        ("NTR", "3912", "NTR3912"),
        ("NTR", "NL8498", "NL8498"),
        ("JPRN", "jRCTs031200196", "jRCTs031200196"),
        ("jRCT", "s031200196", "jRCTs031200196"),
    ],
)
def test_data_bank(bank: str, accession: str, numbers: str) -> None:
    hits = trn.in_data_bank(bank, accession)
    assert [(hit.canonical, hit.kind) for hit in hits] == [(number, "number") for number in numbers.split()]
    assert all(accession[hit.start : hit.end] == hit.raw for hit in hits)


@pytest.mark.parametrize("bank", ["GENBANK", "figshare", "PDB", "GEO", "dbGaP", "SRA", "RefSeq", "Dryad", ""])
def test_other_data_banks_hold_no_numbers(bank: str) -> None:
    assert trn.in_data_bank(bank, "NCT01234567") == []


@pytest.mark.parametrize(
    ("bank", "accession", "registry"),
    [
        ("ISRCTN", "ISRCTN474042962", "isrctn"),
        ("DRKS", "00003934, 00003935", "drks"),  # bare digits are a number where they stand alone
        ("JPRN", "031200196", "jrct"),  # UMIN's nine digits, or jRCT's with the letter lost
    ],
)
def test_unreadable_entry_of_a_register_is_a_finding(bank: str, accession: str, registry: str) -> None:
    hits = trn.in_data_bank(bank, f" {accession} ")
    assert hits == [Hit(accession, "", registry, None, 1, 1 + len(accession), "malformed")]
    assert trn.in_data_bank(bank, " ") == []


@pytest.mark.parametrize(
    "number",
    [
        "NCT00000000",
        "NCT99999999",
        "NCT12345678",
        "ISRCTN00000000",
        "ISRCTN12345678",
        "ISRCTN87654321",
        "DRKS99999999",
        "U0000-0000-0000",
        "U1111-1111-1111",
        "2012-000000-12",
        "2020-012345-67",
        "2011-011111-11",
        "2022-555555-55",
        "ACTRN12600000000000",
        "ChiCTR2000000000",
        "ChiCTR-TRC-00000000",
        "CTRI/2020/11/000000",
        "jRCT0000000000",
        "UMIN000000000",
        "JapicCTI-000000",
        "IRCT00000000000000N1",
        "KCT0000000",
        "PACTR000000000000000",
        "NTR0",
        "RBR-000000",
        "SLCTR/2020/000",
        "TCTR20200321000",
        "PER-000-20",
        "NL0000",
        "NL-OMON0",
        "LBCTR0000000000",
    ],
)
def test_placeholder(number: str) -> None:
    assert trn.is_placeholder(number)


@pytest.mark.parametrize(
    "number",
    [
        "NCT01234567",
        "NCT00000102",
        "NCT04380987",
        "DRKS00012345",
        "ISRCTN22488978",
        "NTR1111",
        "NTR1234",
        "NL1234",
        "2012-001909-24",
        "2004-000001-11",
        "2022-500244-37",
        "CTRI/2018/02/012345",
        "U1111-1256-7669",
        "KCT0001111",
        "RBR-6m69fc",
        "PER-111-20",
        "SLCTR/2020/001",
        "TCTR20200321001",
        "PACTR201805003381361",
        "nothing",
        "",
    ],
)
def test_no_placeholder(number: str) -> None:
    assert not trn.is_placeholder(number)


# --- the table -------------------------------------------------------------------------------------------------------


def test_every_rule_is_a_listed_registry() -> None:
    with (SCHEMAS / "reference" / "registries.csv").open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert {rule.registry for rule in trn.RULES} == {row["code"] for row in rows}
    assert len({row["code"] for row in rows}) == len(rows)
    assert all(row["name"] and row["source"] and row["who_primary"] in {"true", "false"} for row in rows)


def test_the_pattern_version_names_these_patterns() -> None:
    """A changed pattern without a new version would give old hits a false origin: raise it, then the digest."""
    parts = [(rule.number.pattern, rule.malformed and rule.malformed.pattern, rule.form) for rule in trn.RULES]
    folding = sorted(trn._DASHES), sorted(trn._ZERO_WIDTH), trn._FOOTNOTES, trn.CONTEXT, trn._WORDS.pattern
    digest = hashlib.sha256(repr((parts, folding)).encode()).hexdigest()[:12]
    assert (trn.PATTERN_VERSION, digest) == ("2", "92020b270116")


def test_the_prefilter_knows_every_character_that_folds_to_a_letter_or_digit() -> None:
    risky = re2.compile(trn.FOLDING)
    beyond_ascii = (chr(code) for code in range(0x80, 0x110000) if not 0xD800 <= code < 0xE000)
    for character in beyond_ascii:
        fold = trn._fold_character(character)
        if not fold or re.search("[0-9A-Za-z]", fold):
            assert risky.search(character.encode()), f"U+{ord(character):04X} {unicodedata.name(character, '')}"


# --- what holds of every number --------------------------------------------------------------------------------------

SEPARATOR = st.text(" :#-_./,+)\u00a0–−", max_size=3)
HYPHEN = st.sampled_from(["-", "‐", "‑", "–", "—", "−", "﹣", "－", "-\u200b", "\u2060-"])
SPACED_HYPHEN = st.builds("{}{}{}".format, st.sampled_from(["", " "]), HYPHEN, st.sampled_from(["", " "]))

CANONICAL = {
    "nct": "NCT[0-9]{8}",
    "isrctn": "ISRCTN[0-9]{8}",
    "euctr": "20[0-9]{2}-0[0-9]{5}-[0-9]{2}",
    "ctis": "20[0-9]{2}-5[0-9]{5}-[0-9]{2}",
    "drks": "DRKS[0-9]{8}",
    "anzctr": "ACTRN126[0-9]{11}",
    "chictr": "ChiCTR[0-9]{10}|ChiCTR-[A-Z]{3}-[0-9]{8}",
    "ctri": "CTRI/20[0-9]{2}/[0-9]{2,3}/[0-9]{6}",
    "jrct": "jRCT[0-9a-z][0-9]{9}",
    "umin": "UMIN[0-9]{9}",
    "japic": "JapicCTI-[0-9]{6}",
    "jmacct": "JMA-IIA[0-9]{5}",
    "irct": "IRCT[0-9]{12,14}N[0-9]{1,3}",
    "cris": "KCT[0-9]{7}",
    "pactr": "PACTR[0-9]{15,16}",
    "rebec": "RBR-[0-9][0-9a-z]{5,6}",
    "rpcec": "RPCEC[0-9]{8}",
    "slctr": "SLCTR/20[0-9]{2}/[0-9]{3}",
    "tctr": "TCTR[0-9]{11}",
    "lbctr": "LBCTR[0-9]{10}",
    "repec": "PER-[0-9]{3}-[0-9]{2}",
    "ntr": "NTR[0-9]{3,5}",
    "nl": "NL[0-9]{4}",
    "omon": "NL-OMON[0-9]{1,6}",
    "itmctr": "(ITMCTR|ChiMCTR)[0-9]{10}",
    "utn": "U1111-[0-9]{4}-[0-9]{4}",
}
NUMBERS = st.sampled_from(sorted(CANONICAL)).flatmap(
    lambda code: st.tuples(st.just(code), st.from_regex(CANONICAL[code], fullmatch=True))
)


@st.composite
def respelt(draw: st.DrawFn) -> tuple[str, str, str]:
    """A registry, a canonical number of it, and another spelling of that number."""
    code, number = draw(NUMBERS)
    spelling = number
    if code in {"repec", "utn"}:
        spelling = re.sub("-", lambda _: draw(HYPHEN), number)
    elif code in {"euctr", "ctis"}:
        spelling = draw(st.sampled_from(["", "EudraCT ", "EUCTR", "EudraCT number: ", "eudract "]))
        spelling += re.sub("-", lambda _: draw(SPACED_HYPHEN), number)
    elif code == "ctri":
        spelling = re.sub("/", lambda _: draw(st.sampled_from(["/", " / ", "/ "])), number)
    elif code == "jrct":
        spelling = draw(st.sampled_from(["", "JPRN-"])) + number.replace("jRCT", "jRCT" + draw(SEPARATOR))
    elif code not in {"nl", "ntr"} and (parts := re.fullmatch("([A-Za-z]+)([0-9N]+)", number)):
        spelling = parts[1] + draw(SEPARATOR) + parts[2]
    if code == "rebec" or not re.search("ChiCTR-", number):
        spelling = draw(st.sampled_from([str, str.upper, str.lower]))(spelling)
    return code, number, spelling


def numbers_in(text: str) -> list[tuple[str, str]]:
    return [(hit.registry, hit.canonical) for hit in trn.find(text) if hit.kind == "number"]


@given(NUMBERS)
def test_the_canonical_form_is_a_fixed_point_of_one_registry(number: tuple[str, str]) -> None:
    code, canonical = number
    claims = {rule.registry for rule in trn.RULES if rule.number.fullmatch(canonical)}
    hit = trn.canonical(canonical)
    assert claims == {code}
    assert hit == Hit(canonical, canonical, code, None, 0, len(canonical), "number")
    for other in CANONICAL:
        assert trn.canonical(canonical, other) == hit


@settings(max_examples=300)
@given(respelt())
def test_a_number_survives_its_spellings(spelt: tuple[str, str, str]) -> None:
    code, number, spelling = spelt
    assert numbers_in(f"registered: {spelling};") == [(code, number)]
    hit = trn.canonical(spelling)
    assert hit is not None
    assert (hit.registry, hit.canonical) == (code, number)


@given(NUMBERS, st.sampled_from("0123456789"))
def test_a_digit_at_either_end_makes_another_number(number: tuple[str, str], digit: str) -> None:
    """The longer string may be a longer number of the same register, or a look-alike: never the shorter number."""
    _, canonical = number
    for text in (f"registered {digit}{canonical}", f"registered {canonical}{digit}"):
        assert canonical not in [name for _, name in numbers_in(text)]


@given(NUMBERS, st.sampled_from("ABCXYZ"))
def test_a_capital_before_makes_another_word(number: tuple[str, str], letter: str) -> None:
    assert numbers_in(f"registered {letter}{number[1]}") == []


FRAGMENTS = st.one_of(
    respelt().map(lambda spelt: spelt[2]),
    st.sampled_from([text for text, *_ in SPELLINGS] + [text for text, _ in FOUND + MALFORMED] + NEVER),
    st.sampled_from(
        sorted({rule.prefix for rule in trn.RULES} | {"JPRN", "EU CT", "no.", "number", "registered", "C0"})
    ),
    st.text("0123456789", min_size=1, max_size=9),
    st.text(" :#-_./,+)Nnc20²\u00ad\u200bＮﬁ…½é", max_size=4),
    st.text(max_size=6),
)
TEXTS = st.lists(FRAGMENTS, max_size=8).flatmap(
    lambda parts: st.sampled_from(["", " ", ", "]).map(lambda joiner: joiner.join(parts))
)


AROUND = ["{}", "registered as {}.", "a{}", "X{}", "注{}号", "e\u0301{}\u0301", "{}٣"]
"""What may stand at the ends: a word, letters of each kind, a combining mark, a digit that is none of ours."""


@settings(max_examples=400, deadline=None)
@given(TEXTS)
def test_find_misses_nothing_that_the_patterns_match(text: str) -> None:
    hits = trn.find(text)
    assert hits == finder_oracle.find(text)
    assert all(text[hit.start : hit.end] == hit.raw for hit in hits)
    assert all(before.end <= after.start for before, after in pairwise(hits))


@settings(max_examples=200, deadline=None)
@given(st.lists(TEXTS, max_size=6))
def test_find_many_is_find_of_each(texts: list[str]) -> None:
    assert trn.find_many(texts) == [trn.find(text) for text in texts] == finder_oracle.find_many(texts)


def test_every_case_of_the_tables_in_one_scan() -> None:
    cases = [text for text, *_ in SPELLINGS + FOUND + MALFORMED] + NEVER
    texts = [around.format(text) for text in cases for around in AROUND]
    assert trn.find_many(texts) == finder_oracle.find_many(texts)


def test_find_many_of_nothing_and_of_broken_text() -> None:
    assert trn.find_many([]) == []
    assert trn.find_many(["", "", "NCT01234567", ""]) == [[], [], trn.find("NCT01234567"), []]
    assert trn.find_many(["NCT", "01234567"]) == [[], []]
    assert [hit.canonical for hit in trn.find("\ud800 NCT01234567 \ud800")] == ["NCT01234567"]
