"""A made-up world with a web page to compare: two nights, sponsors of every kind, and a release without the costs of one;
and a reader of pages that finds every figure, address and word.

The release holds what `site` reads of one: the DuckDB file, the Parquet files, a manifest, the index. Whole releases are
tested in `integration/test_release.py`.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from pipelines import contracts as contract_files
from pipelines import history, snapshots, store
from pipelines.contracts import contracts
from pipelines.release import shelf
from pipelines.release import tables as release_tables
from tests.unit.test_fdaaa import us
from tests.worlds import article, article_set, as_written, nct, put_file, put_studies, settings, study, tables

FIRST, SECOND = date(2024, 6, 30), date(2024, 7, 20)
EVIL = '<script>alert("x")</script> & Söhne'
ABROAD = "株式会社 例"
LARGE, RESERVED = "Large Hospital", "All"
NEVER = "withdrawn-trust"
"""A sponsor of whose trials one never began. Its name as registered holds a sign that no XML file may."""
CONTESTED = (
    f"open-1,{nct(3)},,wrong_sponsor_or_merge,2024-07-02,,,The invented hospital says that the trial is not its own.",
    f"open-2,{nct(3)},who-summary,results_elsewhere,2024-07-05,2024-07-21,corrected,Results are said to stand in a journal.",
    f'past-1,{nct(3)},alltrials-summary,rule_misapplied,2024-06-01,2024-06-10,upheld,"The clock, it was said, starts later."',
    "odd-1,NCT99999998,,misread,2024-07-03,2024-07-04,withdrawn,A number that no trial has.",
)
"""As of the second night two are open, one of them on all verdicts; one of the others names no trial."""
LATER = (None, ("2022-11-01", "2022-12-01"), ("2023-12-15", "2024-01-15"), ("2024-02-01", "2024-07-18"))


def fill(data: Path) -> None:
    """Trials of one hospital that need two pages, ten companies to compare, and sponsors whose names are no names."""
    studies = [_study(n, LARGE, "OTHER") for n in range(1, 261)]
    studies += [_study(1000 + n, f"Company {n % 11} Inc.", "INDUSTRY") for n in range(165)]
    studies += [_study(2000 + n, EVIL, "OTHER") for n in range(14)]
    studies += [_study(3000, ABROAD, "OTHER"), _study(3001, RESERVED, "OTHER"), _study(3002, "Somebody", "INDIV")]
    studies += [study(3003, pcd=None, cd=None), study(3004, status="UNKNOWN", pcd="2018-03", cd=None, study_type=None)]
    studies += [study(3005, start="2022-01-01", pcd="2021-01-01", enrolment=(70, "ESTIMATED"))]
    studies += [
        us(4000 + n, pcd=f"2022-{1 + n % 12:02d}-10", cd=None, results=LATER[n % 4], enrolment=n) for n in range(24)
    ]
    # Due on the last day of a month, on the as-of day, and on the last of the days ahead and the one behind it.
    days = ("2019-12-31", "2021-06-30", "2023-07-20", "2023-10-18", "2023-10-19")
    studies += [study(5000 + n, pcd=day, cd=None, sponsor="Boundary Trust") for n, day in enumerate(days)]
    # One that never began and one whose results fall due soon; their texts hold signs that no XML may.
    titled = {"protocolSection": {"identificationModule": {"briefTitle": "Invented\x01 study\x1f"}}}
    those = {"pcd": "2023-08-31", "cd": None, "sponsor": "Withdrawn\x07 Trust", "extra": titled}
    studies += [study(6000, status="WITHDRAWN", enrolment=0, **those), study(6001, **those)]
    put_studies(data, FIRST, studies)
    texts = [article(900000000 + n, bank=(nct(n),)) for n in range(3, 60, 7)]
    put_file(data, "pubmed", FIRST, "pubmed24n0001.xml", article_set(*texts), "full", baseline=True)
    later = [_study(n, LARGE, "OTHER", results=("2024-07-01", "2024-07-10"), updated="2024-07-10") for n in (8, 16)]
    put_studies(data, SECOND, [*later, study(3006, updated="2024-07-10")], "next.json")


def _study(n: int, sponsor: str, kind: str, **fields: Any) -> dict[str, Any]:
    """A trial whose dates, results, participants, conditions and countries follow from its number."""
    completed = date(2017, 1, 31) + timedelta(days=(n * 37) % 2500)
    due = completed + timedelta(days=365)
    after = {0: -60, 1: 20, 2: 80, 3: 300, 4: 600, 5: 1500}.get(n % 8)
    posted = due + timedelta(days=after) if after is not None else None
    results = (str(posted - timedelta(days=9)), str(posted)) if posted and posted < FIRST else None
    condition = ("Asthma", "Stroke <b>", "Gout")[n % 3]
    country = ("France", "Japan", "United States")[n % 3]
    extra = {"protocolSection": {
        "conditionsModule": {"conditions": [condition, "Pain"][: 1 + n % 2]},
        "armsInterventionsModule": {"interventions": [{"type": "DRUG", "name": f"Drug {n % 4}"}]},
        "contactsLocationsModule": {"locations": [{"country": country}, {"country": "Japan"}][: n % 3]},
    }}  # fmt: skip
    made = {
        "start": "2016-01-15", "registered": ("2015-12-01", "2016-03-01")[n % 2], "pcd": str(completed), "cd": None,
        "enrolment": (n, ("ACTUAL", "ESTIMATED")[n % 5 == 0]), "results": results, "sponsor": sponsor,
        "sponsor_class": kind, "updated": "2024-01-01", "extra": extra,
    }  # fmt: skip
    return study(n, **made | fields)


def release(data: Path) -> dict[str, Any]:
    """Builds both nights and writes the release of the second. Returns what the first night said: due and reported
    trials by policy."""
    fill(data)
    with tables(data, FIRST) as connection:
        said = connection.sql(
            """SELECT policy, count_if(status_group LIKE 'due,%'), count_if(status_group = 'due, reported')
            FROM reporting_status GROUP BY policy"""
        ).fetchall()
        _remember(connection, data, FIRST)
    with tables(data, SECOND, contested=CONTESTED) as connection:
        as_written(connection)
        _write(connection, data)
        _remember(connection, data, SECOND)
    return {policy: (reported, due) for policy, due, reported in said}


def _remember(connection: Any, data: Path, day: date) -> None:
    history.write_news(connection, data, day, data)
    history.publish(data, day, data, "")


def _write(connection: Any, data: Path) -> None:
    folder = data / shelf.FOLDER / str(SECOND)
    folder.mkdir(parents=True)
    public = release_tables.public(contracts())
    connection.execute(contract_files.ddl(contracts().released["changes"]))
    connection.execute(
        "INSERT INTO changes VALUES ('trials', '{}', 'altered', ['title']), ('trials', '[]', 'added', [])"
    )
    for name, table in public.tables.items():
        order = ", ".join(f'"{c}"' for c in table.order)
        connection.execute(f"COPY (FROM \"{name}\" ORDER BY {order}) TO '{folder / name}.parquet'")
    release_tables.write_database(settings(data), folder, SECOND, public)
    files = [
        {"file": p.name, "bytes": p.stat().st_size, "sha256": snapshots.sha256_of(p)}
        | ({"rows": store.rows_of(p)} if p.suffix == ".parquet" else {})
        for p in sorted(folder.iterdir())
    ]
    code = {"version": "0.1.0", "fingerprint": "0" * 64, "duckdb": "1"}
    spec = {"release": str(SECOND), "as_of": str(SECOND), "build": "x", "base": None, "code": code, "files": files}
    store.write_json(folder / shelf.MANIFEST, spec)
    shelf.write_index(data)
    shelf.point(data, shelf.opened(folder))


# --- reading pages --------------------------------------------------------------------------------------------------

VOID = {"meta", "link", "input", "br", "img", "hr"}


@dataclass
class Page(HTMLParser):
    """What stands on one page. figures: (name, value or (numerator, denominator)) in their order. faults: tags that are
    not closed as they were opened, ids that stand twice. words: the text outside code. headed: what stands above the
    figures of tables, and the last part of their names."""

    figures: list[tuple[str, Any]] = field(default_factory=list)
    ids: Counter[str] = field(default_factory=Counter)
    addresses: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    tags: Counter[str] = field(default_factory=Counter)
    bare: list[str] = field(default_factory=list)
    headed: set[tuple[str, str]] = field(default_factory=set)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[tuple[str, dict[str, str | None]]] = []
        self.heads: list[str] = []
        self.column = -1

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        self.tags[tag] += 1
        if "id" in told:
            self.ids[str(told["id"])] += 1
        self.addresses += [str(told[name]) for name in ("href", "src", "action") if name in told]
        self.faults += [f"inline handler {name}" for name in told if name.startswith("on")]
        self._place(tag)
        if "data-figure" in told:
            self._figure(told)
        if tag not in VOID:
            self.open.append((tag, told))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open[-1][0] != tag:
            self.faults.append(f"</{tag}> closes {self.open[-1][0] if self.open else 'nothing'}")
        else:
            self.open.pop()

    def handle_data(self, data: str) -> None:
        inside = [tag for tag, _ in self.open]
        if "thead" in inside and "th" in inside:
            self.heads[-1] += data
        if not {"code", "script", "style"} & set(inside):
            self.words.append(data)
        is_cell = "td" in inside and "n" in str(self.open[inside.index("td")][1].get("class", "")).split()
        if is_cell and "data" not in inside and any(sign.isdigit() for sign in data):
            self.bare.append(data)

    def _place(self, tag: str) -> None:
        """Keeps in mind under which heading of a table a figure stands."""
        inside = [tag for tag, _ in self.open]
        if tag == "table":
            self.heads = []
        elif tag == "tr":
            self.column = -1
        elif tag in ("td", "th"):
            self.column += 1
            if "thead" in inside:
                self.heads.append("")

    def _figure(self, told: Mapping[str, str | None]) -> None:
        scope = next((str(a["data-scope"]) for _, a in reversed(self.open) if "data-scope" in a), "")
        name = str(told["data-figure"])
        full = name if "|" in name else scope + name
        if any(tag == "td" for tag, _ in self.open):
            self.headed.add((self.heads[self.column], name.rpartition("|")[2]))
        if "data-denominator" in told:
            self.figures.append((full, (int(told["data-numerator"] or 0), int(told["data-denominator"] or 0))))
        else:
            self.figures.append((full, _number(told["value"])))


def _number(text: str | None) -> float | int | None:
    if not text:
        return None
    return float(text) if "." in text else int(text)


def read(path: Path) -> Page:
    page = Page()
    page.feed(path.read_text(encoding="utf-8"))
    page.close()
    page.faults += [f"<{tag}> is not closed" for tag, _ in page.open]
    page.faults += [f"id {name} stands twice" for name, times in page.ids.items() if times > 1]
    return page


def all_pages(folder: Path) -> Iterator[tuple[str, Page]]:
    for path in sorted(folder.rglob("*.html")):
        yield path.relative_to(folder).as_posix(), read(path)
