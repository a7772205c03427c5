"""What a build or a night tells a person at its end, in few lines. It adds nothing that the tables do not say."""

from collections.abc import Iterator, Mapping

from pipelines import fetching, snapshots
from pipelines.build import Built
from pipelines.contracts import contracts
from pipelines.importing import Dropped
from pipelines.nights import Night


def lines(built: Built) -> Iterator[str]:
    """The summary of a build, line by line."""
    if built.profile:
        yield f"Judged as {built.profile} judges, not as we do, into {built.folder}; the warehouse stays as it is."
    yield f"Build {built.id}: {built.counts['trials']:,} trials, {built.counts['publications']:,} publications"
    yield "Files (records in = current + superseded + duplicate + rejected; for PubMed also not wanted, held back):"
    for p in built.payloads:
        more = "".join(
            f" + {p[key]:,} {key.replace('_', ' ')}" for key in ("not_wanted", "held_back") if p["source"] == "pubmed"
        )
        deletions = f"; {p['deletions']:,} deletions" if p["deletions"] else ""
        yield (
            f"  {p['source']} {p['payload']}: {p['records_in']:,} = {p['current_records']:,} + {p['superseded']:,} + "
            f"{p['duplicate']:,} + {p['rejected']:,}{more}{deletions}"
        )
    yield "Registered before the start:"
    for policy in contracts().of_kind("registration"):
        yield f"  {policy.id}: {_parts(built, policy.id)}"
    yield "Results reported where the policy asks for them:"
    for policy in contracts().of_kind("reporting"):
        yield f"  {policy.id}: {_parts(built, policy.id)}"
    checks = len(built.results)
    warned = [r for r in built.results if r.outcome == "warned"]
    yield f"Checks: {checks:,} run, {len(warned)} warned" + "".join(
        f"; {r.table_name}.{r.check_name}: {r.violations:,}" for r in warned
    )
    if built.rejects:
        yield "Rejected: " + ", ".join(f"{n:,} of scope {scope}" for scope, n in sorted(built.rejects.items()))
    for note in built.notes:
        yield f"Note: {note}"
    for line in built.left_out:
        yield f"Left out: {line}"


def night_lines(night: Night) -> Iterator[str]:
    """The summary of a night: what came, what did not, and the build."""
    yield from dropped_lines(night.dropped)
    for taken in night.taken:
        yield from fetching.sentence(taken).splitlines()
    if not night.taken:
        yield "Nothing new was fetched."
    yield from lines(night.built)
    yield from changes(night.before, night.built.counts)
    yield from filter(None, (night.release, not_released(night)))
    yield from (not_fetched(source, why) for source, why in night.failed)


def dropped_lines(dropped: Dropped) -> Iterator[str]:
    """What came of the files in `incoming/`."""
    for snapshot, is_new in dropped.taken:
        yield ("imported " if is_new else "already imported, nothing changed: ") + snapshots.sentence(snapshot)
    yield from (f"Not taken: {line}" for line in dropped.left)


def not_fetched(source: str, why: str) -> str:
    return f"Not fetched: {source}, whose last good snapshot stays in use. {why}"


def not_released(night: Night) -> str:
    return f"Not released: {night.not_released} The warehouse is switched." if night.not_released else ""


def changes(before: Mapping[str, int], now: Mapping[str, int]) -> Iterator[str]:
    """Which tables have another number of rows than in the last warehouse; nothing where there was none."""
    changed = [
        f"{name} {now[name]:,} ({now[name] - old:+,})" for name, old in before.items() if now.get(name, old) != old
    ]
    if before:
        yield "Rows since the last build: " + (", ".join(changed) or "as many in every table")


def troubles(night: Night) -> list[str]:
    """What of a night that built should not wait for somebody to read the log."""
    return [
        *(not_fetched(source, why) for source, why in night.failed),
        *(f"Not all came: {taken.lacks}" for taken in night.taken if taken.lacks),
        *(f"Not taken: {line}" for line in night.dropped.left),
        *(f"Left out: {line}" for line in night.built.left_out),
        *filter(None, [not_released(night)]),
    ]


def _parts(built: Built, policy: str) -> str:
    found = built.statuses.get(policy, {})
    kind = contracts().policies[policy].kind
    order = contracts().vocabularies["registration_verdict" if kind == "registration" else "reporting_status"]
    return ", ".join(f"{found[code]:,} {code}" for code in order if found.get(code))
