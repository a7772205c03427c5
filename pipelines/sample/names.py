"""Names and numbers of the fictional world: nothing here was ever issued, and nobody here exists.

Belongs here: number ranges that no registry has issued, invented sponsors, people, places, drugs and journals.
Does not belong here: any name of a real organisation, journal or person. Conditions and countries are real words.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple

from pipelines.sample.days import Draw

MOST_TRIALS: Final = 4_000_000
"""Above this the number ranges of trials, survivors and articles would run into each other."""


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_PMIDS_A_TRIAL: Final = 10
_SURVIVORS: Final = 95_000_001
_UNKNOWN: Final = 99_000_001


def nct(index: int) -> str:
    """The number under which a trial was first registered."""
    return f"NCT{90_000_001 + index}"


def survivor_nct(index: int) -> str:
    """The number that survived when a trial's two registrations were merged."""
    return f"NCT{_SURVIVORS + index}"


def unknown_nct(index: int) -> str:
    """A well-formed number that no registry of this world knows."""
    return f"NCT{_UNKNOWN + index % 990_000}"


def pmid(index: int, slot: int) -> int:
    """The article number of one of a trial's ten places."""
    return 900_000_001 + index * _PMIDS_A_TRIAL + slot


def unloaded_pmid(index: int, slot: int = 0) -> int:
    """An article that stands in no PubMed file."""
    return 990_000_001 + index * 2 + slot


def spare_pmid(place: int) -> int:
    """An article of no trial: what opens and closes files, so that none is empty."""
    return 980_000_001 + place


def eudract(index: int) -> str:
    return f"2090-0{10_000 + index // 100:05d}-{index % 100:02d}"


def ctis(index: int) -> str:
    return f"2090-5{10_000 + index // 100:05d}-{index % 100:02d}-00"


def isrctn(index: int) -> str | None:
    """ISRCTN's unissued range is small: only the first trials of a large world have a number of it."""
    if index >= 100_000 or index in {0, 11_111, 12_345, 22_222, 33_333, 44_444, 54_321}:
        return None
    return f"ISRCTN000{index:05d}"


# --- places and sponsors -------------------------------------------------------------------------------------------

_HEADS: Final = _words(
    "Quor Zeph Ilm Brax Thal Vond Myrr Osk Pell Ruv Skarn Tolm Ulv Wex Yarn Zond Aldr Bexl Crov Druv Elth Fenr "
    "Gorv Hask Ivarn Jorm Keld Lorv Mordr Narv Orvel Pruv Quil Rask Selv Tarv Umbr Vesk Wylm Xand"
)
_MIDDLES: Final = _words("a e i o u ae ia or un el im as eth ond uri ava ene oll isk ark")
_TAILS: Final = _words(
    "mere wick dun holt gard ness ford vale stead thorpe havn borg minde lund bridge combe moor field port heim "
    "stow ley wold firth brook strand kirk mark haugh rigg"
)

_PLACES: Final = len(_HEADS) * len(_MIDDLES) * len(_TAILS)

_SPONSOR_FORMS: Final = (
    ("University of {}", "OTHER"),
    ("{} Pharmaceuticals", "INDUSTRY"),
    ("{} University Hospital", "OTHER"),
    ("{} Therapeutics, Inc.", "INDUSTRY"),
    ("{} Children's Hospital", "OTHER"),
    ("{} Oncology Network", "NETWORK"),
    ("{} Devices GmbH", "INDUSTRY"),
    ("Ministry of Health, {}", "OTHER_GOV"),
    ("{} Institute of Medical Research", "OTHER"),
    ("{} Federal Medical Service", "FED"),
    ("National Health Institutes of {}", "NIH"),
    ("{} Biologics A/S", "INDUSTRY"),
    ("{} Academic Medical Centre", "OTHER"),
    ("{} Study Group", "UNKNOWN"),
    ("Research Foundation {}", "AMBIG"),
    ("{} School of Public Health", "OTHER"),
)


class Sponsor(NamedTuple):
    name: str
    kind: str
    code: str
    place: str


@lru_cache(maxsize=4096)
def place(number: int) -> str:
    """An invented town; neighbouring numbers give unlike names."""
    number = number * 7919 % _PLACES
    number, tail = divmod(number, len(_TAILS))
    head, middle = divmod(number, len(_MIDDLES))
    return _HEADS[head] + _MIDDLES[middle] + _TAILS[tail]


def sponsors_for(trials: int) -> int:
    return max(400, min(50_000, trials // 20))


@lru_cache(maxsize=4096)
def _sponsor(number: int) -> Sponsor:
    town, form = divmod(number, len(_SPONSOR_FORMS))
    pattern, kind = _SPONSOR_FORMS[form]
    where = place(town)
    return Sponsor(pattern.format(where), kind, f"{where[:3].upper()}{form:02d}", where)


def draw_sponsor(draw: Draw, sponsors: int) -> Sponsor:
    """Few sponsors run many trials and many run few."""
    return _sponsor(int(sponsors * draw.random() ** 2))


# --- people --------------------------------------------------------------------------------------------------------

FORENAMES: Final = _words(
    "Alda Brin Corvo Dessa Edric Fenna Goran Hilde Ister Jorun Kelda Lorne Mirka Neve Orla Perrin Quade Rhosyn "
    "Sorrel Tamsin Ulric Vesna Wystan Yorick Zelda"
)
SURNAMES: Final = _words(
    "Quenmore Zarbeck Ilvestone Brackendell Tholwick Vondrasek-Hale Myrrhwell Oskarby Pellingdew Ruvensdal "
    "Skarnholm Tolmandry Ulverby Wexcombe Yarnolden Zondervick Aldermast Bexlorne Crovendale Druvisk"
)
"""Surnames of all invented people: none of them may reach a published table."""


def draw_person(draw: Draw) -> str:
    return f"{draw.pick(FORENAMES)} {draw.pick(SURNAMES)}"


def phone(draw: Draw) -> str:
    """555-0100 to 555-0199 are kept for fiction."""
    return f"+1-{draw.between(201, 989)}-555-01{draw.below(100):02d}"


def email(person: str) -> str:
    return person.lower().replace(" ", ".") + "@example.org"


# --- what is studied -----------------------------------------------------------------------------------------------

CONDITIONS: Final = (
    ("Asthma", "D000001249"),
    ("Hypertension", "D000006973"),
    ("Breast Neoplasms", "D000001943"),
    ("Depression", "D000003863"),
    ("Migraine Disorders", "D000008881"),
    ("Stroke", "D000020521"),
    ("Psoriasis", "D000011565"),
    ("Epilepsy", "D000004827"),
    ("Heart Failure", "D000006333"),
    ("Rheumatoid Arthritis", "D000001172"),
    ("Obesity", "D000009765"),
    ("Malaria", "D000008288"),
    ("Tuberculosis", "D000014376"),
    ("Parkinson Disease", "D000010300"),
    ("Multiple Sclerosis", "D000009103"),
    ("Alzheimer Disease", "D000000544"),
    ("Colorectal Cancer", "D000015179"),
    ("Schizophrenia", "D000012559"),
    ("Pneumonia", "D000011014"),
    ("Sepsis", "D000018805"),
    ("Cystic Fibrosis", "D000003550"),
    ("Crohn Disease", "D000003424"),
    ("Type 2 Diabetes", "D000003924"),
    ("Lung Neoplasms", "D000008175"),
)

COUNTRIES: Final = (
    *("United States",) * 6,
    *("Germany", "France", "United Kingdom", "Italy", "Spain", "Canada", "China", "Japan", "South Korea", "Brazil"),
    *("India", "Egypt", "Turkey (Türkiye)", "Denmark", "Sweden", "Netherlands", "Australia", "Kenya", "Mexico"),
    *("Puerto Rico", "Poland", "Côte d'Ivoire"),
)

_DRUG_HEADS: Final = _words("zelo qua vori mexa tolu brix nava jora pelta rixo sura vexa lumi drano fosta")
_DRUG_MIDDLES: Final = _words("ri to li va do ne pa xo mi tre")
_DRUG_TAILS: Final = _words("zumab tinib parin glutide sartan vastatin mycin cillin prazole setron caftor vir")


def draw_drug(draw: Draw) -> str:
    return (draw.pick(_DRUG_HEADS) + draw.pick(_DRUG_MIDDLES) + draw.pick(_DRUG_TAILS)).capitalize()


class Journal(NamedTuple):
    """A journal; its title is XML text."""

    title: str
    short: str
    issn: str
    nlm: str
    country: str


JOURNALS: Final = tuple(
    Journal(
        f"{place(500 + n)} {subject}",
        f"{place(500 + n)} {short}",
        f"9999-{n:03d}X",
        f"9990{n:05d}",
        ("England", "Netherlands", "United States", "Germany")[n % 4],
    )
    for n, (subject, short) in enumerate(
        (s, t)
        for _ in range(5)
        for s, t in (
            ("Journal of Medicine", "J Med"),
            ("Annals of Trials", "Ann Trials"),
            ("Clinical Letters", "Clin Lett"),
            ("Archives of Therapeutics &amp; Care", "Arch Ther Care"),
            ("Open Research", "Open Res"),
            ("Quarterly of Surgery", "Q Surg"),
            ("Review of Public Health", "Rev Public Health"),
            ("Acta Pharmacologica", "Acta Pharmacol"),
        )
    )
)


def doi(number: int, version: int) -> str:
    """Upper case now and then, as publishers do."""
    stem = "10.99999/X." if number % 11 == 0 else "10.99999/x."
    return f"{stem}{number}" + (f".{version}" if version > 1 else "")
