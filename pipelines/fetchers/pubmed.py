"""PubMed: the files of the yearly baseline, the update files that followed it, and single articles by E-utilities."""

import contextlib
import hashlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import quote

from pipelines import snapshots
from pipelines.errors import FetchError, PayloadError, UsageError
from pipelines.fetching import Fetched, Round
from pipelines.formats import packing
from pipelines.settings import version
from pipelines.web import Want

_NAME = re.compile(r"\bpubmed(\d\d)n(\d{4,5})\.xml\.gz(\.md5)?(?![\w.])")
_MD5 = re.compile(r"\b[0-9a-fA-F]{32}\b")
_ARTICLE = re.compile(rb"<Pubmed(Book)?Article[ >]")

Files = Mapping[int, Mapping[int, str]]
"""File names by year and number; only files whose checksum is there: before that their transfer may not be complete."""


def fetch(round_: Round) -> Iterator[Fetched]:
    """Single articles where they are named; else the baseline if it is a new one, then the updates not there yet."""
    if round_.wish.numbers:
        yield _articles(round_)
        return
    baseline, updates = _listed(round_, "baseline"), _listed(round_, "updatefiles")
    if not baseline:
        raise FetchError(f"pubmed: {round_.base}/pubmed/baseline/ lists no files. See whether the address has changed.")
    year = max(baseline)
    if _needs_baseline(round_, year):
        lacks = _lacks(baseline[year], updates.get(year, {}))
        if lacks:  # while it is being published, the year before goes on
            round_.say(f"pubmed: the baseline of 20{year:02d} is waited for: {lacks}")
            year = max((y for y in updates if y < year and not _needs_baseline(round_, y)), default=year)
        else:
            names = [name for _, name in sorted(baseline[year].items())]
            round_.begin({"what": "baseline", "year": year})
            files = [path for name in names for path in _file(round_, "baseline", name)]
            yield Fetched(files, "full", len(names), baseline=True)
    if not _needs_baseline(round_, year):
        yield from _updates(round_, year, updates.get(year, {}))
        yield from _issued_again(round_, {"baseline": baseline.get(year, {}), "updatefiles": updates.get(year, {})})


def _listed(round_: Round, folder: str) -> Files:
    """The files of a folder, as its index page lists them."""
    page = round_.text("index.html", Want(f"{round_.base}/pubmed/{folder}/", "html"))
    found: dict[int, dict[int, str]] = {}
    names = {match[0] for match in _NAME.finditer(page)}
    for name in names:
        match = _NAME.fullmatch(name)
        if match and not match[3] and name + snapshots.SIDE_FILE in names:
            found.setdefault(int(match[1]), {})[int(match[2])] = name
    return found


def _held(round_: Round) -> set[str]:
    return {payload.name for snapshot in round_.earlier for payload in snapshot.payloads}


def _needs_baseline(round_: Round, year: int) -> bool:
    """Whether the archive holds no whole baseline of the year, or all of it is wanted anew."""
    whole = [s for s in round_.earlier if s.baseline and s.scope == "full"]
    fetched_today = [s for s in whole if s.date >= round_.today]
    return not any(p.name.startswith(f"pubmed{year:02d}n") for s in whole for p in s.payloads) or (
        round_.wish.is_full and not fetched_today
    )


def _lacks(baseline: Mapping[int, str], updates: Mapping[int, str]) -> str:
    """Why the listed baseline is not whole yet; empty where it is. Only the first update file shows where it ends."""
    missing = set(range(1, max(baseline) + 1)) - set(baseline)
    if missing:
        return f"its file n{min(missing):04d} is not listed with its checksum"
    if not updates:
        return "no update file of that year shows yet where it ends"
    if min(updates) > max(baseline) + 1:
        return f"its file n{max(baseline) + 1:04d} is not listed, and updates begin with n{min(updates):04d}"
    return ""


def _updates(round_: Round, year: int, listed: Mapping[int, str]) -> Iterator[Fetched]:
    """The update files that are not there yet, in order. One that cannot be had ends the row: what comes after it would
    wait for it anyway."""
    held = _held(round_)
    wanted = [name for _, name in sorted(listed.items()) if name not in held]
    if not wanted:
        return
    round_.begin({"what": "updates", "year": year})
    files: list[Path] = []
    failure: FetchError | None = None
    for name in wanted:
        try:
            files += _file(round_, "updatefiles", name)
        except FetchError as error:
            failure = error
            break
    if files:
        yield Fetched(files, "partial", note=_gap(listed))
    if failure:
        raise failure


def _gap(listed: Mapping[int, str]) -> str:
    missing = sorted(set(range(min(listed), max(listed) + 1)) - set(listed))
    return f"pubmed lists no update file n{missing[0]:04d}: those after it wait for it" if missing else ""


def _issued_again(round_: Round, listed: Mapping[str, Mapping[int, str]]) -> Iterator[Fetched]:
    """Files that have another checksum than when they were fetched. Each night looks at some of them, so that all are
    looked at once in `recheck_days`; which ones follows from the day, and nothing has to be remembered."""
    every = round_.terms["recheck_days"]
    held = {p.name: shot.path(p) for shot in round_.earlier for p in shot.payloads}
    looked_at = [
        (folder, name)
        for folder, names in listed.items()
        for number, name in sorted(names.items())
        if every and (number + round_.today.toordinal()) % every == 0 and name in held
    ]
    changed = []
    for folder, name in looked_at:
        ours = _md5_of(held[name])
        if ours is None:
            round_.say(f"pubmed: {name} came without a checksum and is not in this working copy: it is not looked at")
        elif _md5_now(round_, folder, name) != ours:
            changed.append((folder, name))
    if changed:
        round_.begin({"what": "issued again", "files": [name for _, name in changed], "day": round_.today.isoformat()})
        files = [path for folder, name in changed for path in _file(round_, folder, name)]
        said = ", ".join(name for _, name in changed)
        yield Fetched(files, "partial", note=f"pubmed issued {said} again: the new issue takes the place of the first")


def _md5_now(round_: Round, folder: str, name: str) -> str:
    side = name + snapshots.SIDE_FILE
    text = round_.text(side, Want(f"{round_.base}/pubmed/{folder}/{side}", "text", _stated_md5))
    match = _MD5.search(text)
    return match[0].lower() if match else ""


def _md5_of(held: Path) -> str | None:
    """The checksum that came with a file that is held, or the file's own; None where a working copy has neither. What
    a person imported as a checksum can hold none."""
    side = held.with_name(held.name + snapshots.SIDE_FILE)
    if side.exists():
        with contextlib.suppress(PayloadError):
            return _stated_md5(side)
    if not held.exists():
        return None
    with held.open("rb") as handle:
        return hashlib.file_digest(handle, "md5").hexdigest()


def _file(round_: Round, folder: str, name: str) -> list[Path]:
    """A file and its checksum, which it matches. Where it does not, the small one is asked for again before the large
    one: it may be the one that is wrong."""
    base, side_name = f"{round_.base}/pubmed/{folder}/{name}", name + snapshots.SIDE_FILE
    side = Want(base + snapshots.SIDE_FILE, "text", _stated_md5)
    stated = round_.take(side_name, side)

    def check(path: Path) -> None:
        with path.open("rb") as handle:
            found = hashlib.file_digest(handle, "md5").hexdigest()
        if found != round_.take(side_name, side).value:
            round_.forget(side_name)
            if found != round_.take(side_name, side).value:
                raise PayloadError(f"the checksum of {name} is not the one in {side_name}")

    return [round_.take(name, Want(base, "gzip", check, is_resumable=True)).path, stated.path]


def _stated_md5(path: Path) -> str:
    match = _MD5.search(path.read_text(encoding="utf-8", errors="replace"))
    if not match:
        raise PayloadError("what came holds no checksum")
    return match[0].lower()


# --- single articles ------------------------------------------------------------------------------------------------


def _articles(round_: Round) -> Fetched:
    """The named articles by efetch, some hundred at a time. One that PubMed does not have is said, and no failure."""
    strange = [n for n in round_.wish.numbers if not n.isdecimal()]
    if strange:
        raise UsageError(f"{strange[0]} is no PMID: one is a number like 12345678.")
    pmids = sorted(set(map(int, round_.wish.numbers)))
    round_.begin({"what": "articles", "pmids": pmids})
    size, files, came = round_.terms["efetch_size"], [], 0
    for start in range(0, len(pmids), size):
        some = pmids[start : start + size]
        digest = hashlib.sha256(",".join(map(str, some)).encode()).hexdigest()[:10]
        served = round_.take(f"efetch-{digest}.xml.gz", Want(_efetch(round_, some), "xml", _count, is_packed=True))
        files.append(served.path)
        came += served.value
    missing = len(pmids) - came
    note = f"pubmed has {came:,} of the {len(pmids):,} articles that were asked for" if missing > 0 else ""
    return Fetched(files, "partial", note=note)


def _efetch(round_: Round, pmids: list[int]) -> str:
    who = f"&tool=alltrials-warehouse-{version()}"
    key = f"&api_key={quote(round_.key)}" if round_.key else ""
    base = round_.terms["efetch_url"] if round_.base == round_.terms["url"] else f"{round_.base}/entrez/eutils"
    return f"{base}/efetch.fcgi?db=pubmed&retmode=xml&id={','.join(map(str, pmids))}{who}{key}"


def _count(path: Path) -> int:
    """The articles of a whole answer. Raises PayloadError where it is an error in XML, or was cut off."""
    content = b"".join(packing.chunks(path))
    if b"<PubmedArticleSet" not in content or not content.rstrip().endswith(b"</PubmedArticleSet>"):
        raise PayloadError("what came is no whole set of articles")
    return len(_ARTICLE.findall(content))
