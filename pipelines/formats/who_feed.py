"""The XML that registers deliver to the WHO portal: `trials/trial/main`, after WHO's DTD of 2008 with later additions.

ReBec, IRCT and others deliver this shape. What differs from register to register is a `Feed`: the form of its numbers
and dates and a few habits of writing; its words stand in its source file. Contacts are only compared with the sponsors'
names. `results_*` and the ethics reviews are later than the DTD: a feed without them says nothing about results.
"""

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from lxml import etree

from pipelines import dates, trn
from pipelines.contracts import Source, contracts
from pipelines.dates import PartialDate
from pipelines.formats import drafts, mentions, parts, xml_records
from pipelines.formats.drafts import DateForm, Draft
from pipelines.formats.parts import People, said
from pipelines.formats.served import Member
from pipelines.formats.xml_records import Shape
from pipelines.reading import Report

SHAPE = Shape("trial", frozenset({"trials"}), "a register's feed to the WHO portal (trials/trial/main)")

_LINES = re.compile(r"\s*[\n;]\s*")


@dataclass(frozen=True)
class Feed:
    """One register's habits.

    code: the source. number: form of the canonical number. url: address of a record, with `{number}`; without it the
    record's own is taken. date_form: how days are written where they are not ISO. former: an old form of the number
    whose groups joined are the present one. version: where the record's address tells its version. explains_acronym: a
    colon and the words behind it follow the acronym. names_country: the sponsor's country follows its name.
    """

    code: str
    number: re.Pattern[str]
    url: str = ""
    date_form: DateForm = dates.day_first
    former: re.Pattern[str] | None = None
    version: re.Pattern[str] | None = None
    explains_acronym: bool = False
    names_country: bool = False


def read(payload: Path, name: str, day: date, out: Path, feed: Feed) -> Report:
    """Reads one payload of the feed into the Parquet file `out` (contract registration_records)."""
    report = Report()
    numbers = itertools.count(1)
    source = contracts().sources[feed.code]

    def read_member(member: Member) -> Iterator[tuple[int, Draft]]:
        for number, trial in xml_records.elements(member, SHAPE, numbers, report):
            yield number, _Trial(trial, feed, Draft(source, day)).draft()

    drafts.write(parts.of_members(payload, name, report, read_member), name, out, report, feed.number)
    return report


@dataclass
class _Trial:
    """One `trial` element on its way into a draft."""

    element: etree._Element
    feed: Feed
    into: Draft

    @property
    def source(self) -> Source:
        return self.into.source

    def draft(self) -> Draft:
        self._identify()
        self._describe()
        self._date()
        self._list()
        self._sponsor()
        self._results()
        return self.into

    def _main(self, name: str) -> str | None:
        return self._text(f"main/{name}")

    def _text(self, path: str) -> str | None:
        return (self.element.findtext(path) or "").strip() or None

    def _texts(self, path: str) -> list[str]:
        return [text for item in self.element.iterfind(path) if (text := (item.text or "").strip())]

    # --- what the trial is ------------------------------------------------------------------------------------------

    def _identify(self) -> None:
        written = self._main("trial_id") or ""
        former = self.feed.former.fullmatch(written) if self.feed.former else None
        hit = trn.canonical("".join(former.groups()) if former else written, self.source.registry)
        number = hit.canonical if hit else written
        self.into.values["registration_id"] = number
        # The form that the register gave up stays findable.
        self.into.values["aliases"] = [written] if former and hit else []
        url = self._main("url")
        self.into.text("url", self.feed.url.format(number=number) if self.feed.url else url)
        version = self.feed.version.search(url) if self.feed.version and url else None
        self.into.text("data_version", version[1] if version else None)
        self.into.values["identifiers"] = parts.distinct(self._identifiers())

    def _identifiers(self) -> Iterator[dict[str, Any] | None]:
        universal = said(self._main("utrn"))
        if universal and not trn.canonical(universal):
            self.into.reject("identifiers", universal, "not a Universal Trial Number")
        elif universal:
            yield parts.identifier(self.into, universal, "UTN")
        for item in self.element.iterfind("secondary_ids/secondary_id"):
            value, authority = item.findtext("sec_id"), item.findtext("issuing_authority")
            if value and authority and not _has_digit(value) and _has_digit(authority):
                value, authority = authority, value  # a number without digits beside an authority with digits
            yield parts.identifier(self.into, value, "OTHER", authority)

    def _describe(self) -> None:
        self.into.text("title", self._main("public_title"))
        self.into.text("official_title", self._main("scientific_title"))
        self.into.text("acronym", self._acronym())
        titles = (self._main("public_title"), self._main("scientific_title"))
        self.into.values["mentions"] = mentions.numbers_in(titles, self.into.values["registration_id"])
        self.into.coded("study_type", self._main("study_type"))
        self.into.coded("phase", self._main("phase"))
        self.into.coded("status", self._main("recruitment_status"))

    def _acronym(self) -> str | None:
        for name in ("acronym", "scientific_acronym"):
            text = self._main(name)
            if text and self.feed.explains_acronym:
                text = text.partition(":")[0]
            if found := said(text):
                return found
        return None

    def _date(self) -> None:
        kind = self.into.word("start_type", self._main("type_enrolment"), "date_type")
        start = self._main("date_enrolment")
        self.into.partial_date("registered", self._main("date_registration"), self._dated)
        self.into.partial_date("start", start, self._dated, kind if start else None)
        completed = self._main("results_date_completed")
        self.into.partial_date("completion", completed, self._dated)
        self.into.values["completion_type"] = self._come(self.into.values["completion_latest"])
        actual = self.into.number("enrolment", self._main("results_actual_enrolment"))
        self.into.values["enrolment"] = (
            actual if actual is not None else self.into.number("enrolment", self._main("target_size"))
        )
        if self.into.values["enrolment"] is not None:
            self.into.values["enrolment_type"] = "estimated" if actual is None else "actual"

    def _dated(self, raw: str | None, reference: date) -> PartialDate:
        """ISO, which cannot be taken for anything else, else the register's own form."""
        found = dates.iso(raw, reference)
        return self.feed.date_form(raw, reference) if found.fault and not re.match(r"\d{4}-", raw or "") else found

    def _come(self, day: date | None) -> str | None:
        """Whether an end was there on the snapshot's day: registers also send the one that is planned."""
        return None if day is None else "actual" if day <= self.into.day else "estimated"

    def _list(self) -> None:
        conditions = (part for text in self._texts("main/hc_freetext") for part in _LINES.split(text))
        self.into.texts("conditions", parts_of(conditions))
        self.into.texts("keywords", parts_of(self._texts(".//hc_keyword") + self._texts(".//i_keyword")))
        self.into.values["interventions"] = self._interventions()
        kinds = {"primary": "primary_outcome/prim_outcome", "secondary": "secondary_outcome/sec_outcome"}
        self.into.values["outcomes"] = [
            {"kind": kind, "measure": self.into.clean("outcomes", text), "time_frame": None}
            for kind, path in kinds.items()
            for text in parts_of(self._texts(path))
        ]
        self.into.values["countries"] = [
            {"country": self.into.clean("countries", country), "is_removed": False}
            for country in parts_of(self._texts("countries/country2"))
        ]

    def _interventions(self) -> list[dict[str, Any]]:
        """The free text is one item: which of the listed kinds belongs to which part of it is not said. So it has a
        type only where one kind is listed."""
        name = self.into.clean("interventions", self._main("i_freetext"))
        kinds = dict.fromkeys(self._texts("intervention_code/i_code"))
        codes = {self.into.word("interventions.type", kind, "intervention_type") for kind in kinds}
        if not name:
            return []
        return [{"type": codes.pop() if len(codes) == 1 else None, "name": name, "other_names": []}]

    # --- whose it is ------------------------------------------------------------------------------------------------

    def _sponsor(self) -> None:
        people = People.of(
            tuple(contact.findtext(part) for part in ("firstname", "middlename", "lastname"))
            for contact in self.element.iterfind("contacts/contact")
        )
        fields = {
            "lead": "main/primary_sponsor",
            "collaborator": "secondary_sponsor/sponsor_name",
            "funder": "source_support/source_name",
        }
        countries = {said(c) for c in self._texts("countries/country2") + self._texts("contacts/contact/country1")}
        parts.set_sponsors(
            self.into,
            (
                parts.sponsor(self.into, self._without_country(name, countries), role, None, people)
                for role, path in fields.items()
                for name in self._texts(path)
            ),
        )

    def _without_country(self, name: str, countries: set[str | None]) -> str:
        """The name without the country behind it: one that the record also names in a field for countries."""
        before, _, last = name.rpartition(" - ")
        return before if self.feed.names_country and before.strip() and said(last) in countries else name

    # --- what came of it --------------------------------------------------------------------------------------------

    def _results(self) -> None:
        """A date that has come, a link away from the record or a summary says that there are results; their absence
        says nothing, as many registers leave these fields empty whatever they show themselves."""
        link, protocol = said(self._main("results_url_link")), said(self._main("results_url_protocol"))
        if link and parts.same_address(link, self._main("url") or ""):  # the record itself shows no results
            link = None
        is_posted = self._posted()
        self.into.values["has_results"] = True if is_posted or link or said(self._main("results_summary")) else None
        self.into.values["publications"] = parts.distinct(
            [
                *parts.publications(link, "result"),
                *parts.publications(self._main("results_summary"), "result"),
                *parts.publications(protocol, "protocol"),
            ]
        )
        self.into.values["documents"] = [
            {"kind": kind, "date": None, "uploaded": None, "label": None, "url": self.into.clean("documents", url)}
            for kind, url in (("results", link), ("protocol", protocol))
            if url
        ]
        self._own_fields()

    def _posted(self) -> bool:
        """Sets the day of posting; whether one is given that has come, be it only by its month."""
        written = self._main("results_date_posted")
        day = self._dated(written, self.into.day).earliest
        is_ahead = day is not None and day > self.into.day
        if is_ahead:
            self.into.reject("results_posted", written, "ahead of the snapshot: planned, not posted")
        self.into.values["results_posted"] = (
            None if is_ahead else self.into.whole_day("results_posted", written, self._dated)
        )
        return day is not None and not is_ahead

    def _own_fields(self) -> None:
        values = {
            "study_design": self._main("study_design"),
            "results_first_published": self._main("results_date_first_publication"),
            "condition_codes": "|".join(parts_of(self._texts("health_condition_code/hc_code"))),
            "intervention_kinds": "|".join(parts_of(self._texts("intervention_code/i_code"))),
            "ethics_status": self._text("ethics_reviews/ethics_review/status"),
            "ethics_approved": self._text("ethics_reviews/ethics_review/approval_date"),
        }
        own = {key: self.into.clean(f"own_fields.{key}", value) for key, value in values.items()}
        self.into.values["own_fields"] = {key: value for key, value in own.items() if value}


def parts_of(texts: Iterator[str] | list[str]) -> list[str]:
    """The texts that say something, each once."""
    return list(dict.fromkeys(found for text in texts if (found := said(text))))


def _has_digit(text: str) -> bool:
    return any(c.isdigit() for c in text)
