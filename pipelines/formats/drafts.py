"""A registration on its way into staging, for readers that go record by record in Python (XML, text, small JSON).

A reader fills a `Draft` field by field; every value that cannot be taken over nulls its field and is named. `write`
turns drafts into the Parquet file of the staging contract. What a register calls its fields does not belong here, and
ClinicalTrials.gov's JSON does not come this way: it is read in SQL.
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines import dates, privacy, store
from pipelines.contracts import Source, arrow_schema, contracts
from pipelines.dates import PartialDate
from pipelines.reading import SHOWN, Report

KIND = "registration_records"
BATCH = 2000
OUTSIDE_HASH = {"payload", "record_number", "content_hash", "data_version", "rejects", "source"}
"""Columns that say nothing about the trial."""
NOTHING: tuple[object, ...] = (None, [], {})
"""Values that say nothing: they are not hashed."""

DateForm = Callable[[str | None, date], PartialDate]


@dataclass
class Draft:
    """One record of a register as far as it is read. day: date of its snapshot, against which dates are judged."""

    source: Source
    day: date
    values: dict[str, Any] = field(default_factory=dict)
    rejects: list[dict[str, str]] = field(default_factory=list)

    def reject(self, name: str, value: object, reason: str) -> None:
        """Names a value that could not be taken over."""
        shown = privacy.without_mail(str(value))[:SHOWN]
        self.rejects.append({"field": name, "value": shown, "reason": reason})

    def text(self, name: str, value: str | None) -> None:
        """Sets a text column: white space folded, e-mail addresses masked, empty is nothing."""
        self.values[name] = self.clean(name, value)

    def clean(self, name: str, value: str | None) -> str | None:
        """A text as it may be published."""
        if not value:
            return None
        folded = " ".join(value.split())
        safe = privacy.without_mail(folded)
        if safe != folded:
            self.reject(name, privacy.MASK, "an e-mail address was removed")
        return safe or None

    def texts(self, name: str, values: Iterable[str | None]) -> None:
        """Sets a list of texts."""
        self.values[name] = [v for v in (self.clean(name, value) for value in values) if v]

    def word(self, name: str, value: str | None, vocabulary: str | None = None) -> str | None:
        """The code of a source's word (source file, `words.<vocabulary>`); an unknown word is rejected and named, one
        that is known and deliberately unmapped is nothing."""
        folded = " ".join(value.split()) if value else ""
        if not folded:
            return None
        key = vocabulary or name
        code = self.source.words.get(key, {}).get(folded)
        if code is None and folded not in self.source.unmapped.get(key, {}):
            self.reject(name, folded, "unknown word")
        return code

    def coded(self, name: str, value: str | None, vocabulary: str | None = None) -> None:
        """Sets a column to the code of a word, and `<column>_source` to the word."""
        self.values[name] = self.word(name, value, vocabulary)
        self.text(f"{name}_source", value)

    def partial_date(self, name: str, raw: str | None, form: DateForm = dates.iso, kind: str | None = None) -> None:
        """Sets the five columns of a partial date."""
        raw = raw.strip() if raw else None
        found = form(raw or None, self.day)
        if found.fault:
            self.reject(name, raw, found.fault)
        for part in ("raw", "precision", "earliest", "latest"):
            self.values[f"{name}_{part}"] = getattr(found, part)
        self.values[f"{name}_type"] = kind

    def whole_day(self, name: str, raw: str | None, form: DateForm = dates.iso) -> date | None:
        """A day that has to be exact; anything else is rejected and named."""
        found = form(raw.strip() if raw and raw.strip() else None, self.day)
        if found.raw is not None and found.precision != "day":
            self.reject(name, found.raw, found.fault or "not an exact day")
            return None
        return found.earliest

    def number(self, name: str, raw: str | None) -> int | None:
        """A number of participants or the like, zero or more."""
        text = raw.strip() if raw else ""
        if not text:
            return None
        if not re.fullmatch(r"\d{1,12}", text):
            self.reject(name, text, "not a number")
            return None
        return int(text)

    def flag(self, name: str, raw: str | None, words: Mapping[str, bool]) -> bool | None:
        """Yes or no in the source's words (in lower case); absent is not no."""
        text = raw.strip().lower() if raw else ""
        if not text:
            return None
        if text not in words:
            self.reject(name, text, "neither yes nor no")
        return words.get(text)


def write(
    drafts: Iterable[tuple[int, Draft]], name: str, out: Path, report: Report, number_form: re.Pattern[str]
) -> None:
    """Writes drafts, each with its number in the payload, to the staging file `out` and counts them in the report.

    A draft whose registration_id has not the form `number_form` is a rejected record.
    """
    schema = arrow_schema(contracts().staging[KIND])
    unfilled = _unfilled(schema)
    with store.whole(out) as aside, pq.ParquetWriter(aside, schema, compression="zstd", version="1.0") as writer:
        batch: list[dict[str, Any]] = []
        for number, draft in drafts:
            report.records_in += 1
            found = draft.values.get("registration_id")
            if not found or not number_form.fullmatch(found):
                reason = "the record's number is none of this register" if found else "the record has no number"
                report.reject_record(f"{name}#{number}", reason, privacy.without_mail(found or ""))
                continue
            report.staged += 1
            batch.append(_row(draft, name, number, unfilled))
            if len(batch) >= BATCH:
                writer.write_table(pa.Table.from_pylist(batch, schema))
                batch = []
        writer.write_table(pa.Table.from_pylist(batch, schema))


def _unfilled(schema: pa.Schema) -> dict[str, Any]:
    """A row of which nothing is known, its columns in the order in which they are hashed."""
    precisions = {name: "none" for name in schema.names if name.endswith("_precision")}
    return dict.fromkeys(sorted(schema.names)) | precisions | {"part": ""}


def _row(draft: Draft, payload: str, number: int, unfilled: Mapping[str, Any]) -> dict[str, Any]:
    row = {**unfilled, "source": draft.source.code, "registry": draft.source.registry, **draft.values}
    if len(row) > len(unfilled):
        strange = sorted(set(row) - set(unfilled))
        raise KeyError(f"{draft.source.code}: no such columns in the staging contract: {strange}")
    # `value or`: only what is empty needs to be compared.
    content = {k: v for k, v in row.items() if (v or v not in NOTHING) and k not in OUTSIDE_HASH}
    row["content_hash"] = hashlib.md5(msgspec.json.encode(content), usedforsecurity=False).hexdigest()
    if isinstance(row["own_fields"], dict):
        row["own_fields"] = sorted(row["own_fields"].items())
    row |= {"payload": payload, "record_number": number, "rejects": draft.rejects}
    return row
