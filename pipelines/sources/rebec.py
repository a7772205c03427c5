"""ReBec, the Brazilian register: its feed to the WHO portal, whose format is read by `formats.who_feed`."""

import re
from datetime import date
from pathlib import Path

from pipelines.formats import who_feed
from pipelines.formats.who_feed import Feed
from pipelines.reading import Report

KIND = "registration_records"

FEED = Feed(
    code="rebec",
    number=re.compile(r"RBR-[0-9][0-9a-z]{5,6}"),
    # The addresses in old files are those of a test machine or of a site that has moved.
    url="https://ensaiosclinicos.gov.br/rg/{number}",
    # The first files of 2011 write RBR-2zz-9zz for what is RBR-2zz9zz some days later.
    former=re.compile(r"(RBR-)([0-9][0-9a-z]{2})-([0-9a-z]{3})"),
    version=re.compile(r"/(v[0-9]+)/?$"),
    explains_acronym=True,
    names_country=True,
)


def read(payload: Path, name: str, day: date, out: Path) -> Report:
    """Reads one payload into the Parquet file `out` (contract registration_records).

    name: how the payload is called in the account. day: date of its snapshot, against which dates are judged.
    """
    return who_feed.read(payload, name, day, out, FEED)
