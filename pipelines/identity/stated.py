"""What a field for other numbers says: that a number is the trial's, or something about a number.

Belongs here: the words that may stand beside a number without saying more than whose it is. Does not belong here: the
shapes of numbers (`trn`) and what follows from a number (`union`).

Why the harmless words are listed and not those of relation: a number of another trial (`parent study`, `Teilprojekt
von`, `data drawn from`) can be named in any words of any language, and taken for the trial's own it would lend it
another's results. A text that is not understood stays a candidate that a person sees, and still joins with an equal
title or the sponsor's code.
"""

import re
import unicodedata
from functools import cache

from pipelines import trn
from pipelines.contracts import reference

# All words stand in small letters and without accents, as `_tokens` makes them.

_REGISTER = (
    "database", "databases", "portal", "register", "registers", "registre", "registries", "registro", "registry",
    "studienregister", "trialregister",
)  # fmt: skip
_NUMBER = (
    "code", "codes", "codice", "codigo", "id", "identifiant", "identificador", "identification", "identificativo",
    "identifier", "identifiers", "identifying", "ids", "kennung", "n", "no", "nos", "nr", "nro", "num", "number",
    "numbers", "numero", "nummer", "ref", "reference", "registernummer", "registo", "registratie", "registratienummer",
    "registration", "registrations", "registrazione", "registrierung", "registrierungsnummer",
)  # fmt: skip
_REGISTERED = (
    "enregistre", "enregistree", "geregistreerd", "registada", "registado", "registered", "registrada", "registrado",
    "registrata", "registrato", "registriert",
)  # fmt: skip
_FIRST = (
    "also", "auch", "formerly", "initially", "originally", "previously", "prospectively", "retrospectively", "tambem",
    "tambien",
)  # fmt: skip
"""Said of when a trial was registered: alone, `previously NCT...` can be another trial."""
_BY = (
    "al", "als", "as", "at", "au", "auf", "avec", "bei", "bij", "by", "com", "como", "con", "dans", "em", "en", "im",
    "in", "mit", "na", "nel", "on", "onder", "op", "presso", "sous", "su", "sul", "sur", "through", "under", "unter",
    "via", "with",
)  # fmt: skip
"""Where or as what it was registered: alone, `trial with NCT...` and `in NCT...` say something else."""
_OF = ("d", "da", "de", "dei", "del", "della", "der", "des", "di", "do", "du", "for", "of")
_TRIALS = (
    "clinical", "clinici", "clinicos", "cliniques", "controles", "controlled", "enregistrement", "ensaios", "ensayos",
    "essais", "klinischer", "l", "research", "sperimentazioni", "studien", "studies", "the", "trial", "trials",
)  # fmt: skip
"""What a register is a register of, or a number the number of."""
_OTHER = ("alternate", "alternative", "other", "primary", "secondary")
"""Of a number: the trial's own. Of a study: another one."""
_STUDY = ("ensaio", "ensayo", "essai", "etude", "studie", "studio", "study", "trial")
"""Of a country or an authority (`US trial`, `NIH study`), of reference, registration or a registry, it is one study of
several."""
_KEEPERS = ("fda", "mhra", "nih", "nlm", "who")
"""Who gives or keeps numbers, and runs trials too."""
_SAID = (
    "a", "also", "an", "and", "assigned", "been", "cette", "clinical", "clinicaltrial", "clinicaltrialgov",
    "clinicaltrialsgov", "com", "cross", "ct", "cti", "ctr", "date", "diese", "dieser", "double", "dual", "e", "ensaio",
    "ensayo", "essai", "est", "este", "et", "etude", "eudra", "fda", "gov", "has", "http", "https", "is", "ist", "jma",
    "mhra", "nih", "nl", "nlm", "org", "protocol", "protokoll", "prs", "questo", "record", "studie", "studio", "study",
    "the", "this", "trial", "trials", "und", "url", "utn", "was", "web", "website", "who", "www", "y",
)  # fmt: skip
"""Stand beside a number and say nothing else of it. None of relation, and nothing that tells one trial from another
(`new`, `German trial`, `main`)."""
_NAMES = (
    "australia and new zealand clinical trials registry", "australian clinical trials registry",
    "bundesinstitut fur arzneimittel und medizinprodukte", "clinical trials", "controlled trials com",
    "current controlled trials", "deutsches register klinischer studien", "dutch trial register",
    "european clinical trials database", "european medicines agency", "european union clinical trials register",
    "food and drug administration", "international clinical trials registry platform",
    "international standard randomised controlled trial number",
    "international standard randomized controlled trial number", "japic cti",
    "medicines and healthcare products regulatory agency", "metaregister of controlled trials",
    "nationaal trial register", "national institute of health", "national institutes of health",
    "national library of medicine", "nederlands trial register", "netherlands national trial register",
    "netherlands trial register", "osservatorio nazionale sulla sperimentazione clinica",
    "protocol registration and results system", "protocol registration system",
    "registro brasileiro de ensaios clinicos", "registro espanol de estudios clinicos",
    "registro peruano de ensayos clinicos", "registro publico cubano de ensayos clinicos", "universal trial number",
    "university hospital medical information network", "world health organization",
)  # fmt: skip
"""Former names of registers, names in their own language, and those who keep them."""
_MONTHS = (
    "jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    "|nov(?:ember)?|dec(?:ember)?"
)
_DAY = r"[0-3]?[0-9](?:st|nd|rd|th)?"
_YEAR = "(?:19|20)[0-9]{2}"
_DATE = rf"(?:{_DAY} )?(?:{_MONTHS}) (?:{_DAY} )?{_YEAR}|{_YEAR} [01]?[0-9] {_DAY}|{_DAY} [0-3]?[0-9] {_YEAR}"
_ADDRESS = re.compile(r"(?:https?://|www\.)\S+")


def number_in(value: str) -> tuple[trn.Hit | None, bool]:
    """The one number that an identifier field holds, and whether the field is that number, with or without words that
    say whose it is. Two numbers are none."""
    whole = trn.canonical(value)
    if whole:
        return whole, True
    hits = _numbers(value)
    if len({hit.canonical for hit in hits}) != 1:
        return None, False
    beside = _ADDRESS.sub(lambda address: " " if _numbers(address[0]) else address[0], value)
    for hit in reversed(_numbers(beside)):
        beside = f"{beside[: hit.start]} {beside[hit.end :]}"
    names, words, others = _known()
    said = _tokens(beside)
    return hits[0], not others.search(said) and set(names.sub(" ", said).split()) <= words


def _numbers(text: str) -> list[trn.Hit]:
    return [hit for hit in trn.find(text) if hit.kind == "number"]


def _tokens(text: str) -> str:
    """The words of a text, in small letters, without accents, one space between them."""
    parted = unicodedata.normalize("NFKD", trn.fold(text).casefold())
    return " ".join(re.findall(r"\w+", "".join(c for c in parted if not unicodedata.combining(c))))


@cache
def _known() -> tuple[re.Pattern[str], frozenset[str], re.Pattern[str]]:
    """What is taken out of a text as a whole, the words that may be left, and what tells of another study though each
    of its words may stand there. Countries and registers as a whole: alone `part`, `see` and `new` would be no name."""
    registers = [_tokens(row["name"]) for row in reference("registries")]
    codes = {w for row in reference("registries") for t in (row["code"], row["data_banks"]) for w in _tokens(t).split()}
    countries = [_tokens(s) for row in reference("countries") for s in [row["name"], *row["spellings"].split(";")]]
    words = {word for name in [*registers, *_NAMES] for word in name.split() if word != "new"} | codes
    register, number, of, trials = (_any(some) for some in (_REGISTER, _NUMBER, _OF, _TRIALS))
    forms = [
        _DATE,
        _any([*registers, *_NAMES]),
        rf"(?:{_any(words)} )*{register}(?: {of} (?:{trials} )*{trials})?",
        rf"(?:{_any(_FIRST)} )?{_any(_REGISTERED)}(?: {_any(_BY)})?(?: {_YEAR})?",
        rf"{_any(_BY)} (?=(?:{_any(words)} )*{number}\b)",
        rf"(?:{_any(_OTHER)} (?:{register} )?|(?:{_any(words)} )*){number}(?: {of}(?: {trials})*)?",
        _any(countries),
    ]
    study, of_number = _any(_STUDY), _any([*_REGISTER, *_NUMBER, *_REGISTERED])
    others = [
        "cross ref(?:erence)?",
        rf"ref(?:erence)? {study}",
        rf"^(?:(?:an?|the) )?(?:registration|{_any(_REGISTER)}) {study}(?! {of_number}\b)",
        rf"(?:{_any(countries)}|{_any(_KEEPERS)}|(?<!trialregister )nl) (?:clinical )?{study}(?! {of_number}\b)",
    ]
    taken, other = (re.compile("|".join(rf"\b(?:{form})\b" for form in some)) for some in (forms, others))
    return taken, frozenset(_SAID) | codes, other


def _any(texts: list[str] | tuple[str, ...] | set[str]) -> str:
    """A pattern of any of them, the longest first."""
    return f"(?:{'|'.join(sorted({re.escape(text) for text in texts if text}, key=lambda text: (-len(text), text)))})"
