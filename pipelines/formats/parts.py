"""Parts of a registration that the readers of several registers put together alike.

Belongs here: the files of a payload one after the other, values out of loosely shaped JSON, identifiers typed by their
shape, publications found by PMID or DOI, sponsors with private persons under the neutral label. What a register calls
its fields and its words does not belong here.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pipelines import privacy, trn
from pipelines.errors import PayloadError
from pipelines.formats import served
from pipelines.formats.drafts import Draft
from pipelines.formats.served import Member
from pipelines.reading import Report

Item = TypeVar("Item")

# --- payloads -------------------------------------------------------------------------------------------------------


def of_members(payload: Path, name: str, report: Report, read: Callable[[Member], Iterator[Item]]) -> Iterator[Item]:
    """What `read` finds in each file of a payload. A file that is damaged, or is none, is a rejected payload; those
    beside it are read all the same."""
    try:
        for member in served.members(payload, name, report):
            yield from _of_member(member, report, read)
    except PayloadError as error:
        report.reject_payload(name, f"{error}.")


def _of_member(member: Member, report: Report, read: Callable[[Member], Iterator[Item]]) -> Iterator[Item]:
    good, bad = 0, report.rejected
    try:
        for item in read(member):
            good += 1
            yield item
    except PayloadError as error:
        report.reject_payload(member.place, f"{error}; {good:,} record(s) before that were read.")
    else:
        if not good and report.rejected == bad:
            report.notes.append(f"{member.place} holds no record.")


# --- loosely shaped values ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Tree:
    """A value of decoded JSON, or of XML turned into the same shape, of which only what is asked for has to fit.

    One object where a list belongs is a list of one. An attribute is a key that begins with @; the text of an element
    that has attributes is at #text. path: where it stands in the record.
    """

    node: Any
    draft: Draft
    path: str = ""

    def all(self, path: str) -> list["Tree"]:
        """Everything that stands at the path (`a.b.c`); nothing, an empty list and an empty text are not there."""
        found = [self]
        for name in path.split("."):
            found = [child for tree in found for child in tree._children(name)]
        return found

    def first(self, path: str) -> "Tree":
        """The first of `all`, or one that holds nothing."""
        return next(iter(self.all(path)), Tree(None, self.draft, self._place(path)))

    def text(self, path: str = "") -> str | None:
        """The first text at the path; what should be a text and is none is named."""
        texts = (tree._own_text() for tree in (self.all(path) if path else [self]))
        return next((text for text in texts if text), None)

    def texts(self, path: str) -> list[str]:
        """Every text at the path."""
        return [text for tree in self.all(path) if (text := tree._own_text())]

    def _place(self, name: str) -> str:
        return f"{self.path}.{name}" if self.path else name

    def _children(self, name: str) -> Iterator["Tree"]:
        value = self.node.get(name) if isinstance(self.node, dict) else None
        for item in value if isinstance(value, list) else [value]:
            if item not in (None, "", [], {}) and not (isinstance(item, str) and not item.strip()):
                yield Tree(item, self.draft, self._place(name))

    def _own_text(self) -> str | None:
        node = self.node.get("#text") if isinstance(self.node, dict) and "#text" in self.node else self.node
        if isinstance(node, bool):
            return "true" if node else "false"
        if isinstance(node, int | float):
            return str(node)
        if isinstance(node, str):
            return node.strip() or None
        if isinstance(node, dict) and all(key.startswith("@") for key in node):
            return None
        if node is not None:
            self.draft.reject(self.path, "", "not a text")
        return None


# --- identifiers ----------------------------------------------------------------------------------------------------

NOTHING = frozenset(
    {
        "",
        "none",
        "null",
        "nil",
        "nil known",
        "none known",
        "not known",
        "unknown",
        "n a",
        "na",
        "not applicable",
        "not available",
        "not provided",
        "not provided at time of registration",
    }
)
"""Ways to say that there is nothing, in lower case and without punctuation."""

_TYPES = {"euctr": "EUDRACT_NUMBER", "ctis": "CTIS", "utn": "UTN"}


def said(text: str | None) -> str | None:
    """The text, or nothing where it only says that there is nothing (`Nil known`, `N/A`, `-`)."""
    if not text or " ".join(re.findall(r"\w+", text.lower())) in NOTHING:
        return None
    return " ".join(text.split())


def identifier(
    draft: Draft, value: str | None, kind: str = "OTHER", domain: str | None = None
) -> dict[str, Any] | None:
    """One other number of the trial. kind: what its field says it is; the shape of a register's number is believed more
    than its field."""
    number = said(value)
    if not number:
        return None
    hit = trn.canonical(number)
    if hit:
        kind = _TYPES.get(hit.registry, "REGISTRY")
    return {
        "value": draft.clean("identifiers", number),
        "type": kind,
        "domain": draft.clean("identifiers", said(domain)),
    }


def distinct(items: Iterable[dict[str, Any] | None]) -> list[dict[str, Any]]:
    """The items in order, each once."""
    kept: dict[tuple[Any, ...], dict[str, Any]] = {}
    for item in items:
        if item:
            kept.setdefault(tuple(item.values()), item)
    return list(kept.values())


# --- addresses ------------------------------------------------------------------------------------------------------

_BEFORE_HOST = re.compile(r"(?:https?://)?(?:www\.)?", re.IGNORECASE)


def same_address(one: str, other: str) -> bool:
    """Whether two web addresses are of one page: scheme, `www.`, a slash at the end and capitals tell none apart."""
    first, second = (_BEFORE_HOST.sub("", address.strip(), count=1).rstrip("/").lower() for address in (one, other))
    return first == second


# --- publications ---------------------------------------------------------------------------------------------------

_PMID = re.compile(
    r"(?:pubmed\.ncbi\.nlm\.nih\.gov/|nlm\.nih\.gov/(?:m/)?pubmed/(?:\?term=)?|(?:list_uids|termtosearch)=|"
    r"europepmc\.org/(?:article|abstract)/med/|\bPMID\b[\s:]*|\bpubmed\s+id\b[\s:]*)(?P<pmid>[0-9]{1,8})(?![0-9])",
    re.IGNORECASE,
)
_DOI = re.compile(r"\b(10\.[0-9]{4,9}/[^\s\"<>?#]*[^\s\"<>?#.,;:)\]/])")
_PAGE = re.compile(r"/(?:full|fulltext|abstract|pdf|epdf|html|meta)$")
"""What publishers' sites put behind a DOI in their addresses."""
_REGISTRATION = re.compile(r"10\.1186/isrctn[0-9]{8}$")
"""ISRCTN gives its records a DOI: that is no article."""


def publications(text: str | None, kind: str | None) -> list[dict[str, Any]]:
    """The articles that a text names by PMID or DOI; a PMID and a DOI alone in a text are taken for one article."""
    pmids = list(dict.fromkeys(int(match["pmid"]) for match in _PMID.finditer(text or "")))
    dois = [_PAGE.sub("", match[1].lower()) for match in _DOI.finditer(text or "")]
    dois = [doi for doi in dict.fromkeys(dois) if not _REGISTRATION.match(doi)]
    if len(pmids) == len(dois) == 1:
        return [{"pmid": pmids[0], "doi": dois[0], "type": kind}]
    by_pmid = [{"pmid": pmid, "doi": None, "type": kind} for pmid in pmids]
    return by_pmid + [{"pmid": None, "doi": doi, "type": kind} for doi in dois]


# --- sponsors -------------------------------------------------------------------------------------------------------

_ORGANISATION = re.compile(f"{privacy.ORGANISATION}|{privacy.LEGAL_FORM}", re.IGNORECASE)


def _words(name: str) -> frozenset[str]:
    plain = "".join(c for c in unicodedata.normalize("NFKD", name.lower()) if not unicodedata.combining(c))
    return frozenset(re.findall(r"\w+", plain))


@dataclass(frozen=True)
class People:
    """The names of a record's contacts: compared with its sponsors, never kept."""

    names: tuple[frozenset[str], ...]

    @classmethod
    def of(cls, names: Iterable[Iterable[str | None]]) -> "People":
        """Each name in its parts."""
        return cls(tuple(_words(" ".join(part for part in parts if part)) for parts in names))

    def include(self, name: str) -> bool:
        """Whether a sponsor's name is a contact's own: two words or more, and all of the one among those of the other,
        for a middle name often stands in one of them only."""
        words = _words(name)
        if len(words) < 2 or _ORGANISATION.search(name):
            return False
        return any(len(person) >= 2 and (person <= words or words <= person) for person in self.names)


def sponsor(
    draft: Draft, name: str | None, role: str, code: str | None, people: People, *, is_person: bool = False
) -> dict[str, Any] | None:
    """One sponsor as it may be published. code: its class; a private person's is `individual`."""
    shown = said(name)
    if not shown:
        return None
    if is_person or people.include(shown):
        return {"name": privacy.PRIVATE_PERSON, "role": role, "class": "individual", "is_person": True}
    return {"name": draft.clean("sponsors", shown), "role": role, "class": code, "is_person": False}


def set_sponsors(draft: Draft, sponsors: Iterable[dict[str, Any] | None], class_source: str | None = None) -> None:
    """Sets the list of sponsors and the columns of the lead sponsor, the first of its role."""
    kept = distinct(sponsors)
    lead = next((one for one in kept if one["role"] == "lead"), None)
    draft.values["sponsors"] = kept
    draft.values["sponsor"] = lead and lead["name"]
    draft.values["sponsor_class"] = lead and lead["class"]
    draft.values["sponsor_is_person"] = lead and lead["is_person"]
    draft.text("sponsor_class_source", class_source)
