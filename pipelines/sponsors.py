"""The reviewed lists of sponsors' names and of supporters: read, and refused where they contradict themselves.

Belongs here: what has to hold of `schemas/reference/sponsor_mappings.csv` and `supporters.csv` before anybody is
counted by them. Does not: how a name as registered is brought to its key (`sponsor_key` in `sql/macros.sql`), and any
counting.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path

from pipelines.contracts import reference
from pipelines.errors import DataError
from pipelines.settings import SCHEMAS

ROR_DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"
"""The digits of a ROR id: base 32 without i, l, o and u; the last two characters check the others."""


def mappings(root: Path = SCHEMAS) -> list[dict[str, str]]:
    """Every name whose sponsor is known, with the ids made of the display names. Raises DataError with one sentence
    where a name stands twice, a parent has a parent, a sponsor has two of either, or a row cannot be checked."""
    rows = [
        {**row, "sponsor_id": sponsor_id(row["sponsor"]), "parent_id": sponsor_id(row["parent"])}
        for row in reference("sponsor_mappings", root)
    ]
    of_name: dict[str, dict[str, str]] = {}
    of_sponsor: dict[str, dict[str, str]] = {}
    for row in rows:
        name = row["name_key"]
        if name != _folded(name) or not row["sponsor_id"]:
            raise _refused(f'"{name}" is no folded name with a sponsor.')
        if name in of_name:
            raise _refused(f'"{name}" stands twice.')
        if not row["proof"].strip():
            raise _refused(f'"{name}" has no proof.')
        if row["ror_id"] and not is_ror_id(row["ror_id"]):
            raise _refused(f'the ROR id {row["ror_id"]} of "{name}" fails its own check digits.')
        first = of_sponsor.setdefault(row["sponsor_id"], row)
        for what in ("sponsor", "parent", "ror_id"):
            if first[what] != row[what]:
                raise _refused(f'"{row["sponsor"]}" has two values of {what}: "{first[what]}" and "{row[what]}".')
        of_name[name] = row
    for row in of_sponsor.values():
        own = of_name.get(_folded(row["sponsor"]))
        if own is None or own["sponsor_id"] != row["sponsor_id"]:
            raise _refused(f'"{row["sponsor"]}" is not mapped to itself.')
        parent = of_sponsor.get(row["parent_id"])
        if row["parent"] and parent is None:
            raise _refused(f'"{row["parent"]}", the parent of "{row["sponsor"]}", has no row of its own.')
        if parent and parent["parent"]:
            raise _refused(f'"{row["parent"]}", the parent of "{row["sponsor"]}", has a parent itself.')
    return rows


def supporters(mapped: Sequence[Mapping[str, str]], root: Path = SCHEMAS) -> list[dict[str, str]]:
    """Organisations that signed, with the sponsor that each is, if any. Raises DataError where one stands twice, has no
    proof, or is said to be a sponsor that the mappings do not name or that belongs to another."""
    of_name = {row["name_key"]: row for row in mapped}
    seen: set[str] = set()
    rows = []
    for row in reference("supporters", root):
        name, key = row["name"], row["sponsor_key"]
        if name in seen:
            raise DataError(f'supporters.csv: "{name}" stands twice.')
        if not row["proof"].strip():
            raise DataError(f'supporters.csv: "{name}" has no proof.')
        sponsor = of_name.get(key)
        if key and (sponsor is None or sponsor["parent"]):
            raise DataError(f'supporters.csv: "{name}" is mapped to "{key}", which is no sponsor without a parent.')
        seen.add(name)
        rows.append({**row, "sponsor_id": sponsor["sponsor_id"] if sponsor else ""})
    return rows


def sponsor_id(name: str) -> str:
    """The id made of a sponsor's display name."""
    return _folded(name).replace(" ", "-")


def is_ror_id(text: str) -> bool:
    """Whether the id has the form of ROR's and its check digits (ISO 7064, modulo 97) fit."""
    if not re.fullmatch(rf"0[{ROR_DIGITS}]{{6}}[0-9]{{2}}", text):
        return False
    value = 0
    for digit in text[:7]:
        value = value * 32 + ROR_DIGITS.index(digit)
    return 98 - value * 100 % 97 == int(text[7:])


def _folded(name: str) -> str:
    """As `folded_words` in the queries: no case, accents or punctuation."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c))
    return re.sub(r"[\W_]+", " ", plain.lower()).strip()


def _refused(reason: str) -> DataError:
    return DataError(f"sponsor_mappings.csv: {reason}")
