"""ClinicalTrials.gov's regulatory flags as they stood when the register withdrew them in January 2017, as CSV.

Belongs here: reading that one file. Does not belong here: what a flag means for a trial; that is the policy's to judge.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines import privacy, store
from pipelines.contracts import arrow_schema, contracts
from pipelines.errors import PayloadError
from pipelines.formats import delimited, packing
from pipelines.reading import SHOWN, Reject, Report

KIND = "regulatory_flags"
BATCH = 50_000
FLAGS = ("is_fda_regulated", "is_section_801")
_NUMBER = re.compile(r"NCT\d{8}")


def read(payload: Path, name: str, day: date, out: Path) -> Report:
    """Reads one payload into the Parquet file `out` (contract regulatory_flags).

    name: how the payload is called in the account. day: date of its snapshot; the file holds no date to judge by it.
    """
    report = Report()
    schema = arrow_schema(contracts().staging[KIND])
    with store.whole(out) as aside, pq.ParquetWriter(aside, schema, compression="zstd", version="1.0") as writer:
        writer.write_table(schema.empty_table())
        rows = _read(payload, name, report)
        while batch := list(islice(rows, BATCH)):
            writer.write_table(pa.Table.from_pylist(batch, schema))
    return report


def _read(payload: Path, name: str, report: Report) -> Iterator[dict[str, Any]]:
    """The rows that can be used; a payload that ends in damage keeps those before it."""
    try:
        if packing.packing(payload) not in ("gzip", "plain"):
            raise PayloadError("the file is no CSV, packed or plain")
        yield from _rows(delimited.rows(packing.chunks(payload)), name, report)
    except PayloadError as error:
        report.reject_payload(name, f"{error}.")


def _rows(rows: Iterable[delimited.Row], name: str, report: Report) -> Iterator[dict[str, Any]]:
    source = contracts().sources["ctgov_flags"]
    lines = iter(rows)
    header = next(lines, delimited.Row([]))
    if tuple(header.fields) != source.fields:
        raise PayloadError(f"the first line is not {','.join(source.fields)}")
    for number, row in enumerate(lines, 1):
        report.records_in += 1
        record = f"{name}#{number}"
        if row.fault or len(row.fields) != len(header.fields):
            report.reject_record(record, row.fault or "it has not as many fields as the first line")
            continue
        nct = row.fields[0].strip().upper()
        if not _NUMBER.fullmatch(nct):
            report.reject_record(record, "not an NCT number", privacy.without_mail(nct))
            continue
        report.staged += 1
        flags = {field: _flag(text, nct, field, report) for field, text in zip(FLAGS, row.fields[1:], strict=True)}
        yield {"payload": name, "record_number": number, "registration_id": nct, **flags}


def _flag(text: str, nct: str, field: str, report: Report) -> bool | None:
    """Empty is not stated."""
    word = contracts().sources["ctgov_flags"].words["flag"].get(text.strip().lower())
    if word is None and text.strip():
        report.rejects.append(Reject("field", nct, field, privacy.without_mail(text)[:SHOWN], "neither true nor false"))
    return None if word is None else word == "true"
