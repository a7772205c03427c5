"""What a build or a night tells a person at its end, in few lines. It adds nothing that the tables do not say."""

from collections.abc import Iterator

from pipelines import fetching
from pipelines.build import Built
from pipelines.contracts import contracts
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
    for taken in night.taken:
        yield from fetching.sentence(taken).splitlines()
    if not night.taken:
        yield "Nothing new was fetched."
    yield from lines(night.built)
    for source, why in night.failed:
        yield f"Not fetched: {source}, whose last good snapshot stays in use. {why}"


def _parts(built: Built, policy: str) -> str:
    found = built.statuses.get(policy, {})
    kind = contracts().policies[policy].kind
    order = contracts().vocabularies["registration_verdict" if kind == "registration" else "reporting_status"]
    return ", ".join(f"{found[code]:,} {code}" for code in order if found.get(code))
