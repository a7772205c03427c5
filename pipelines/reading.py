"""What every reader gives back: the account of one payload, in which no record is lost.

A reader turns one payload into one Parquet file of its staging contract and returns a `Report`. Here stand only the
shared shapes of that account; how a payload is read stands in `sources` and `formats`.
"""

from dataclasses import asdict, dataclass, field
from typing import Any

SHOWN = 200
"""How much of a rejected value is kept: enough to find it again."""


@dataclass(frozen=True)
class Reject:
    """What did not get in. scope: `field` (the value is nulled, the record kept), `record` or `payload`."""

    scope: str
    record: str
    field: str
    value: str
    reason: str


@dataclass
class Report:
    """The account of one payload: records_in = staged + rejected + not_wanted, always.

    not_wanted: articles that the warehouse has no use for (only PubMed counts any). deletions: PubMed's
    DeleteCitation entries, which are instructions, not records. notes: what a person should know about the payload.
    """

    records_in: int = 0
    staged: int = 0
    rejected: int = 0
    not_wanted: int = 0
    deletions: int = 0
    rejects: list[Reject] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def reject_record(self, record: str, reason: str, value: str = "") -> None:
        self.rejected += 1
        self.rejects.append(Reject("record", record, "", value[:SHOWN], reason))

    def reject_payload(self, name: str, reason: str) -> None:
        self.rejects.append(Reject("payload", name, "", "", reason))

    def add(self, other: "Report") -> None:
        """Takes over the account of a part of the payload."""
        self.records_in += other.records_in
        self.staged += other.staged
        self.rejected += other.rejected
        self.not_wanted += other.not_wanted
        self.deletions += other.deletions
        self.rejects += other.rejects
        self.notes += other.notes

    def balance(self) -> int:
        """Records that are unaccounted for: must be 0."""
        return self.records_in - self.staged - self.rejected - self.not_wanted

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def report_from(spec: dict[str, Any]) -> Report:
    """A report as it was written to a manifest."""
    return Report(**{**spec, "rejects": [Reject(**r) for r in spec["rejects"]]})
