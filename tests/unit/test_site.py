"""The web page of a release: every figure on every page, every link, every word, and that the same release gives the
same bytes."""

import csv
import gzip
import io
import json
import re
from dataclasses import replace
from multiprocessing import active_children
from xml.etree import ElementTree

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines import store
from pipelines.__main__ import main
from pipelines.release import shelf
from pipelines.site import charts, figures, making, overview, pages, sponsors
from tests import site_oracle, sites
from tests.worlds import settings

FORBIDDEN = re.compile(
    r"unpublished|hidden|withheld|breaking the law|illegal|unregistered|manipulat|\bworst\b|league|\bblame",
    re.IGNORECASE,
)
"""Words that a page never says of a trial or a sponsor."""
ALLOWED = ("not unpublished", "does not mean unpublished", "unregistered_candidates", "may be withheld")
"""What says the contrary, the name of a table, and what a law permits."""
SERVED_BESIDE = ("releases/", "find/", "explore/", "list/")
"""Addresses that others write: the look-up, and the releases folder that is served beside the site."""


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The folder of a site, the figures that its release gives, and the data folder."""
    data = tmp_path_factory.mktemp("site") / "data"
    said = sites.release(data)
    assert main(["--data", str(data), "site"]) == 0
    folder = data / "releases" / str(sites.SECOND)
    with duckdb.connect(str(folder / "alltrials.duckdb"), read_only=True) as connection:
        manifest = store.read_json(folder / shelf.MANIFEST)
        expected = site_oracle.figures(connection, sites.SECOND, manifest, said | {"day": sites.FIRST})
    return data / "site", expected, data


@pytest.fixture(scope="module")
def read(made):
    """All pages by their address."""
    return dict(sites.all_pages(made[0].resolve()))


# --- figures --------------------------------------------------------------------------------------------------------


def test_every_figure_equals_what_the_rows_of_the_release_give(made, read):
    _, expected, _ = made
    wrong, seen = [], set()
    for address, page in read.items():
        for name, shown in page.figures:
            family = name.split("|")[0]
            seen.add(family)
            wanted = expected.get(name, "nothing of that name")
            wanted = wanted if isinstance(wanted, set) else {wanted}
            is_close = any(isinstance(w, float) and shown is not None and abs(w - shown) < 1e-5 for w in wanted)
            if shown not in wanted and not is_close:
                wrong.append((address, name, shown, wanted))
    assert not wrong, f"{len(wrong)} figures, the first: {wrong[:5]}"
    assert seen >= {
        "partition", "bounds", "anywhere", "registered", "unjudged", "moves", "rows", "trend", "history", "cohort",
        "late", "sponsors", "scorecards", "deciles", "soon", "trial", "funnel", "gaps", "source", "coverage", "conflicts",
        "universe", "links", "file", "files", "release", "contests",
    }  # fmt: skip


def test_no_number_stands_in_a_column_of_numbers_without_its_name(read):
    bare = {address: page.bare for address, page in read.items() if page.bare}
    allowed = re.compile(r"\s*\d+ %|.*(planned|kind not stated|not yet|bytes).*", re.DOTALL)
    assert not {address: texts for address, texts in bare.items() if not all(map(allowed.fullmatch, texts))}


HEADED = {
    "Trials": {"trials"}, "Due": {"due"}, "Reported": {"reported"}, "Share": {"share"}, "Reported of due": {"reported"},
    "On time": {"reported_on_time"}, "Late": {"reported_late"}, "No day": {"reported_undated"}, "In review": {"submitted"},
    "Overdue": {"missing"}, "Cannot be judged": {"cannot_judge"}, "Not due yet": {"pending"}, "Early": {"reported_early"},
    "Outside": {"outside"}, "At least": {"low"}, "At most": {"high"}, "Completed": {"completed"},
    "With results": {"with_results"}, "None found": {"none_found"}, "Participants, none found": {"none_found_actual"},
    "Planned, none found": {"none_found_planned"}, "Participants": {"enrolment"},
}  # fmt: skip
"""Which figure stands below a heading, on the pages of sponsors, countries, years and conditions."""
FOLDERS = ("sponsors/", "countries/", "years/", "conditions/", "interventions/", "missing/")


def test_every_column_holds_what_its_heading_says(read):
    found = {}
    for address, page in read.items():
        if address.startswith(FOLDERS):
            for heading, column in page.headed:
                found.setdefault(heading, set()).add(column)
    found.pop("Sponsors")  # the funnel's cells, which are named by their place
    assert found == HEADED


def test_the_bar_shows_each_part_once_in_its_own_colour():
    assert tuple(column for _, column in overview.PARTS) == site_oracle.PARTS
    assert [kind for kind, _ in overview.PARTS] == list(charts.PARTS)


def test_what_a_share_says_in_words_is_what_it_is(read, made):
    text = (made[0] / "index.html").read_text(encoding="utf-8")
    found = re.findall(
        r'data-numerator="(\d+)" data-denominator="(\d+)"><b>([^<]+)</b> <span class="of">([^<]+)</span>', text
    )
    assert len(found) > 20
    for numerator, denominator, percent, words in found:
        assert words == f"{int(numerator):,} of {int(denominator):,}"
        exact = 100 * int(numerator) / int(denominator)
        if percent.startswith("under"):
            assert 0 < exact < float(percent.split()[1])
        elif percent.startswith("over"):
            assert float(percent.split()[1]) < exact < 100
        else:
            assert abs(float(percent.removesuffix(" %")) - exact) <= (0.5 if int(denominator) < 1000 else 0.05)


@pytest.mark.parametrize(
    "page", ["index.html", "policies/alltrials-summary/index.html", "sponsors/large-hospital/index.html"]
)
def test_parts_sum_to_all_trials_on_the_page(read, page):
    wanted = (
        "scorecards|sponsor|large-hospital|alltrials-summary|" if "large" in page else "partition|alltrials-summary|"
    )
    shown = {name.removeprefix(wanted): value for name, value in read[page].figures if name.startswith(wanted)}
    number = {name: value[0] if isinstance(value, tuple) else value for name, value in shown.items()}
    bar = sum(number.get(part, 0) for part in site_oracle.PARTS)
    assert bar + number["pending"] + number["reported_early"] + number["outside"] == number["trials"] > 200


@pytest.mark.parametrize(
    ("status", "days", "bin"),
    [
        ("reported_on_time", 0, 1),
        ("reported_on_time", None, 1),  # seen public by the due date, though the register gives no day
        ("reported_late", 1, 2),
        ("reported_late", 30, 2),
        ("reported_late", 1827, 7),
        ("reported_undated", None, 8),
    ],
)
def test_how_late_a_result_came_follows_its_status(status, days, bin):
    with duckdb.connect() as connection:
        connection.execute(
            """CREATE TABLE reporting_status AS SELECT 'p' AS policy, $1 AS status, 'due, reported' AS status_group,
                CAST($2 AS BIGINT) AS days_late_min""",
            [status, days],
        )
        assert connection.execute(figures.LATENESS).fetchall() == [("p", bin, 1)]


def test_a_sponsors_page_gives_no_due_date_where_nothing_is_asked(made):
    page = (made[0] / "sponsors" / sites.NEVER / "index.html").read_text(encoding="utf-8")
    with (made[0] / "sponsors" / sites.NEVER / "trials.csv").open(newline="", encoding="utf-8") as file:
        asked = {row["trial_id"]: bool(row["alltrials-summary status"]) for row in csv.DictReader(file)}
    assert set(asked.values()) == {True, False}
    for trial_id, is_asked in asked.items():
        row = page.partition('<h2 id="trials">')[2].partition(f"?id={trial_id}")[2].partition("</tr>")[0]
        assert row.count("<time") == 1 + is_asked, "completed, and due"


def test_rows_of_sponsors_and_years_sum_to_all_trials_and_countries_do_not(made):
    site, expected, _ = made
    whole = next(n for n in expected["partition|alltrials-summary|trials"] if isinstance(n, int))
    with (site / "years" / "table.csv").open(newline="") as file:
        assert sum(int(row["trials"]) for row in csv.DictReader(file)) == whole
    with (site / "countries" / "table.csv").open(newline="") as file:
        assert sum(int(row["trials"]) for row in csv.DictReader(file)) > whole
    listed = sum(len(list(csv.DictReader((p / "trials.csv").open(newline="", encoding="utf-8"))))
                 for p in (site / "sponsors").iterdir() if (p / "trials.csv").exists())  # fmt: skip
    others = [n for name, those in expected.items() if re.fullmatch(r"scorecards\|sponsor\|\(.*\)\|alltrials-summary\|trials", name)
              for n in those if isinstance(n, int)]  # fmt: skip
    assert listed + sum(others) == whole
    assert others


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_a_share_is_never_rounded_to_none_or_all(first, second):
    numerator, denominator = min(first, second), max(first, second)
    said = pages.share(numerator, denominator)
    if denominator:
        assert (said in ("0 %", "0.0 %")) == (numerator == 0)
        assert (said in ("100 %", "100.0 %")) == (numerator == denominator)
    else:
        assert said == "–"


# --- pages ----------------------------------------------------------------------------------------------------------


def test_pages_are_well_formed(read):
    assert not {address: page.faults[:3] for address, page in read.items() if page.faults}
    for address, page in read.items():
        assert page.tags["h1"] == page.tags["main"] == 1, address
        assert page.tags["table"] == page.tags["caption"], address
        assert page.tags["script"] == 0 or "on" not in page.ids, address


def test_every_address_inside_leads_to_a_page_and_a_place_on_it(made, read):
    site = made[0].resolve()
    lost = []
    for address, page in read.items():
        for target in page.addresses:
            if re.match(r"[a-z]+:", target):
                assert target.startswith(("https://", "mailto:", "http://")), (address, target)
                continue
            path, _, place = target.partition("#")
            path = path.partition("?")[0]
            found = (site / address).parent / path if path else site / address
            inside = found.resolve().relative_to(site).as_posix()
            if (inside + "/").startswith(SERVED_BESIDE) and not found.exists():
                continue
            file = found / "index.html" if found.is_dir() else found
            if not file.exists() or (place and place not in sites.read(file).ids):
                lost.append((address, target))
    assert not lost


def test_nothing_is_fetched_from_elsewhere(made, read):
    for address, page in read.items():
        assert not [a for a in page.addresses if a.startswith("//")], address
    for path in made[0].resolve().rglob("*"):
        if path.suffix in (".html", ".css", ".svg"):
            text = path.read_text(encoding="utf-8")
            assert not re.search(
                r'<[a-z][^>]*\s(src|srcset|poster|data)="(https?:)?//|url\((https?:)?//|@import', text
            ), path
            assert not re.search(r'<link [^>]*href="(https?:)?//', text), path


def test_no_page_says_more_than_is_known(made, read):
    for address, page in read.items():
        text = " ".join(" ".join(page.words).split())
        for allowed in ALLOWED:
            text = text.replace(allowed, "")
        assert not FORBIDDEN.search(text), (address, FORBIDDEN.search(text))
    for path in [
        *made[0].resolve().rglob("*.ics"),
        *made[0].resolve().rglob("*.xml"),
        *made[0].resolve().rglob("*.svg"),
    ]:
        assert not FORBIDDEN.search(path.read_text(encoding="utf-8")), path


def test_names_are_text_wherever_they_stand(made, read):
    site = made[0].resolve()
    evil = sponsors.slug(next(p.name for p in (site / "sponsors").iterdir() if p.name.startswith("script")))
    page = read[f"sponsors/{evil}/index.html"]
    assert page.tags["script"] == 1, "only our own"
    assert sites.EVIL in " ".join(page.words)
    ElementTree.parse(site / "sponsors" / evil / "card.svg")
    assert sites.EVIL in "".join(ElementTree.parse(site / "sponsors" / evil / "due.xml").getroot().itertext())
    assert "Stroke <b>" not in (site / "missing" / "index.html").read_text(encoding="utf-8")


def test_whatever_a_register_writes_feeds_and_cards_are_xml(made):
    own = made[0].resolve() / "sponsors"
    files = [*own.glob("*/due.xml"), *own.glob("*/card.svg")]
    assert len(files) > 20
    for path in files:
        ElementTree.parse(path)
    assert "Withdrawn Trust" in (own / sites.NEVER / "card.svg").read_text(encoding="utf-8")
    feed = "".join(ElementTree.parse(own / sites.NEVER / "due.xml").getroot().itertext())
    assert "Invented study" in feed
    assert not re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f]", (own / sites.NEVER / "due.ics").read_bytes().decode())


@given(st.text(st.characters(codec="utf-8")), st.text(st.characters(codec="utf-8"), max_size=60))
def test_any_text_makes_a_picture_that_is_xml(name, finding):
    ElementTree.fromstring(pages.printable(charts.card(name, finding, "small", [("late", 1)])))


@pytest.mark.parametrize(
    ("site_url", "url", "leads_to"),
    [
        ("", "https://example.org/1", "https://example.org/1"),
        ("https://trials.example.org", None, "https://trials.example.org/find/?id=NCT90000001"),
        ("", None, None),
    ],
)
def test_a_trial_without_an_address_is_told_without_one(site_url, url, leads_to):
    trial = {"trial_id": "NCT90000001", "title": None, "url": url}
    soon = [{"due": sites.SECOND, "since": sites.FIRST, "trial": trial, "rules": ["fdaaa"]}]
    made = pages.environment({"url": site_url, "as_of": sites.FIRST})
    feed = ElementTree.fromstring(
        made.get_template("due.xml").render(name="Acme", slug="acme", soon=soon, soon_days=90)
    )
    atom = "{http://www.w3.org/2005/Atom}"
    entry = feed.find(f"{atom}entry")
    assert [link.get("href") for link in entry.findall(f"{atom}link")] == ([leads_to] if leads_to else [])
    told = entry.find(atom + ("summary" if leads_to else "content")).text
    assert told == "(no title). Under: fdaaa. As of 30 June 2024."
    text = sponsors.calendar("Acme", "acme", soon, sites.FIRST).replace("\r\n ", "")
    assert (
        f"DESCRIPTION:Results of NCT90000001 appear to fall due on this day under fdaaa.{f' {url}' if url else ''}\r\n"
        in text
    )


def test_a_name_that_is_no_folder_has_a_page_too(made):
    names = {p.name for p in (made[0] / "sponsors").iterdir()}
    assert any(name.startswith("all--") for name in names), "the sponsor All is not the list of all"
    assert (made[0] / "sponsors" / "all" / "index.html").exists()
    assert all(re.fullmatch(r"[a-z0-9-]+(\.(html|json))?", name) for name in names)


@given(st.text(min_size=1), st.text(min_size=1))
def test_every_sponsor_has_a_folder_of_its_own(one, other):
    assert re.fullmatch(r"[a-z0-9-]{1,80}", sponsors.slug(one))
    assert sponsors.slug(one) not in sponsors.RESERVED
    assert (sponsors.slug(one) == sponsors.slug(other)) == (one == other)


def test_what_may_be_empty_is_not_shown_until_it_is_set(made, tmp_path):
    site, _, data = made
    for page in ("about", "corrections"):
        assert "mailto:" not in (site / page / "index.html").read_text(encoding="utf-8")
    told = replace(settings(data), site_contact="desk@example.org", site_response="Within 2 working days.",
                   site_url="https://trials.example.org/")  # fmt: skip
    making.place(told, "latest", tmp_path / "out")
    for page in ("about", "corrections"):
        text = (tmp_path / "out" / page / "index.html").read_text(encoding="utf-8")
        assert "desk@example.org" in text
        assert "Within 2 working days." in text
    assert "https://trials.example.org/releases/latest.json" in (tmp_path / "out" / "data" / "index.html").read_text()
    feed = (tmp_path / "out" / "sponsors" / "large-hospital" / "due.xml").read_text(encoding="utf-8")
    assert "https://trials.example.org/sponsors/large-hospital/due.xml" in feed


def test_a_replaced_release_says_so_on_every_page(made, tmp_path):
    _, _, data = made
    release = shelf.opened(data / "releases" / str(sites.SECOND))
    with making.opened(settings(data), release, tmp_path) as connection:
        entry = {"release": release.name, "superseded_by": f"{release.name}-2"}
        known = making.shell(connection, release, [entry], settings(data))
    page = pages.environment(known).get_template("about.html").render(root="../", address="about/", dataset=making.contracts and {
        "summary": "", "homepage": ""})  # fmt: skip
    assert f"was replaced by release {release.name}-2" in page


def test_the_same_release_gives_the_same_bytes(made, tmp_path):
    site, _, data = made
    assert main(["--data", str(data), "site", "--out", str(tmp_path / "out")]) == 0
    files = [{p.relative_to(f).as_posix(): p.read_bytes() for p in f.rglob("*") if p.is_file()} for f in
             (site.resolve(), tmp_path / "out")]  # fmt: skip
    assert files[0] == files[1]


def test_what_goes_wrong_in_the_look_up_stops_the_site(made, tmp_path):
    release = shelf.opened(made[2] / "releases" / str(sites.SECOND))
    elsewhere = replace(release, folder=release.folder.parent / "no-such-release")
    with pytest.raises(duckdb.IOException, match="no-such-release"), making._look_up_beside(
        settings(made[2]), elsewhere, tmp_path
    ):  # fmt: skip
        pass
    with pytest.raises(ChildProcessError, match=r"\(find/\) ended with -9"), making._look_up_beside(
        settings(made[2]), release, tmp_path
    ):  # fmt: skip
        active_children()[0].kill()


def test_a_site_that_fails_leaves_no_process_behind(made, tmp_path):
    release = shelf.opened(made[2] / "releases" / str(sites.SECOND))
    with pytest.raises(KeyError), making._look_up_beside(settings(made[2]), release, tmp_path):
        raise KeyError
    assert not active_children()


@pytest.mark.parametrize(("limit", "half"), [("1GB", "0.5GB"), ("1.5 GiB", "0.75 GiB"), ("512MB", "256.0MB")])
def test_two_processes_take_half_of_the_memory_each(limit, half):
    assert making.half(limit) == half
    duckdb.connect(config={"memory_limit": half}).close()


def test_pages_keep_within_their_budgets(made):
    site = made[0].resolve()
    first_view = [site / "index.html", *(site / "static").glob("*.css")]
    assert sum(p.stat().st_size for p in first_view) < 120_000
    assert max(p.stat().st_size for p in site.rglob("*.html")) < 1_000_000
    assert max(p.stat().st_size for p in (site / "sponsors").rglob("table-*.json")) < 250_000
    assert max(p.stat().st_size for p in (site / "sponsors" / "search").iterdir()) <= 40_000


def test_a_site_that_was_being_read_stays_whole_while_another_is_made(made):
    data = made[2]
    before = (data / "site").resolve()
    held = {p.name for p in before.iterdir()}
    leftover = data / "sites" / ".a.of-a-killed-process.part"
    leftover.mkdir()
    assert main(["--data", str(data), "site"]) == 0
    assert not leftover.exists()
    assert (data / "site").resolve() != before
    assert {p.name for p in before.iterdir()} == held


def test_a_folder_that_holds_something_else_is_not_replaced(made, tmp_path, capsys):
    (tmp_path / "letters.txt").write_text("kept")
    assert main(["--data", str(made[2]), "site", "--out", str(tmp_path)]) == 2
    assert "no site" in capsys.readouterr().err
    assert (tmp_path / "letters.txt").read_text() == "kept"


# --- what people and programs fetch ---------------------------------------------------------------------------------


def test_lists_of_more_than_a_page_go_on(made, read):
    first, second = (read[f"sponsors/large-hospital/{page}index.html"] for page in ("", "2/"))
    assert first.tags["tr"] > sponsors.PER_PAGE
    shown = [{name for name, _ in page.figures if name.startswith("trial|")} for page in (first, second)]
    assert len(shown[0]) == sponsors.PER_PAGE
    assert len(shown[1]) == 10
    assert not shown[0] & shown[1]


def test_the_points_of_every_trend_are_judged_anew_on_their_day(made):
    site, expected, _ = made
    points = 0
    for path in (site / "policies").glob("*/trend.csv"):
        with path.open(newline="") as file:
            for row in csv.DictReader(file):
                name = ("trend" if row["judged"] == "todays_rule" else "history", path.parent.name, row["day"])
                shown = (int(row["reported"]), int(row["due"]))
                assert shown == expected["|".join(name)], name
                points += 1
    assert points > 100


def test_calendar_and_feed_have_the_results_that_fall_due(made, read):
    site, expected, _ = made
    assert expected["soon|boundary-trust"] == 1
    for own in ("large-hospital", "company-1", "boundary-trust"):
        count = expected[f"soon|{own}"]
        text = (site / "sponsors" / own / "due.ics").read_bytes().decode()
        assert text.count("BEGIN:VEVENT") == text.count("END:VEVENT") == count > 0
        assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))
        assert "\n" not in text.replace("\r\n", "")
        feed = ElementTree.parse(site / "sponsors" / own / "due.xml").getroot()
        assert len(feed.findall("{http://www.w3.org/2005/Atom}entry")) == count
    empty = (site / "sponsors" / "example-university" / "due.ics").read_bytes().decode()
    assert empty.startswith("BEGIN:VCALENDAR\r\n")
    assert "VTIMEZONE" in empty


@given(st.text(), st.text())
def test_no_text_breaks_out_of_a_calendar(title, name):
    trial = {"trial_id": "NCT90000001", "title": title, "url": "https://example.org"}
    entry = {"due": sites.SECOND, "trial": trial, "rules": ["fdaaa"]}
    text = sponsors.calendar(name, "own", [entry], sites.FIRST)
    lines = text.replace("\r\n ", "").split("\r\n")
    assert sum(line.startswith("BEGIN:VEVENT") for line in lines) == 1
    assert all(re.match(r"[A-Z-]+[:;]", line) for line in lines if line)
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))


def test_files_of_the_table_hold_what_the_page_counts(made, read):
    site, expected, _ = made
    entries = [
        e for p in sorted((site / "sponsors").glob("table-*.json")) for e in json.loads(p.read_text(encoding="utf-8"))
    ]
    assert len(entries) == expected["sponsors|alltrials-summary|compared"] > 10
    for own, _, _, due, reported, missing, unjudged in entries:
        scope = f"scorecards|sponsor|{own}|alltrials-summary|"
        assert expected[scope + "share"] == (reported, due)
        assert missing in expected[scope + "missing"]
        assert unjudged in expected[scope + "cannot_judge"]


def words_of(entries):
    return {own: (name, json.dumps([own, name]), trials) for own, (name, trials) in entries.items()}


@given(st.dictionaries(st.text("abc", min_size=1, max_size=3), st.tuples(st.text("xyzé ", max_size=12), st.integers(0, 9)), max_size=30))  # fmt: skip
def test_every_word_of_every_sponsor_is_found_by_its_longest_beginning(entries):
    given_ = words_of(entries)
    shards = dict(sponsors.shard(given_))
    for own, (name, text, _) in given_.items():
        for word in sponsors.words(name):
            longest = max((b for b in shards if word.startswith(b)), key=len)
            assert text in shards[longest][1], own


def test_a_common_word_is_cut_to_the_largest_and_says_so():
    entries = {f"s{n}": (f"University of Place{n:05d}", n) for n in range(3000)}
    shards = dict(sponsors.shard(words_of(entries)))
    assert all(sum(len(t.encode()) + 2 for t in texts) <= sponsors.SHARD_BYTES for _, texts in shards.values())
    is_cut, texts = shards["university"]
    assert is_cut
    assert json.loads(texts[0])[0] == "s2999"
    for n in (0, 1234, 2999):
        word = f"place{n:05d}"
        longest = max((b for b in shards if word.startswith(b)), key=len)
        assert not shards[longest][0]
        assert any(json.loads(t)[0] == f"s{n}" for t in shards[longest][1])


def test_queries_shown_to_readers_run_on_the_release_and_give_the_page(made):
    site, expected, data = made
    text = (site / "methods" / "index.html").read_text(encoding="utf-8")
    queries = [
        io.StringIO(q).read() for q in re.findall(r"<pre tabindex=\"0\"><code>(.*?)</code></pre>", text, re.DOTALL)
    ]
    assert len(queries) == 6
    with duckdb.connect(str(data / "releases" / str(sites.SECOND) / "alltrials.duckdb"), read_only=True) as connection:
        results = [connection.execute(_plain(q)).fetchall() for q in queries]
    assert all(results)
    assert results[2][0][:2] == tuple(reversed(expected["anywhere|found"]))


def _plain(text):
    for sign, entity in (("<", "&lt;"), (">", "&gt;"), ("'", "&#39;"), ('"', "&#34;"), ("&", "&amp;")):
        text = text.replace(entity, sign)
    return text


def looked_up(site):
    """What the look-up tells of each trial."""
    shards = [json.loads(gzip.decompress(path.read_bytes())) for path in site.glob("find/shards/*/*.json.gz")]
    return {trial_id: trial for shard in shards for trial_id, trial in shard["trials"].items()}


def test_the_look_up_tells_the_contests_of_their_trial_and_of_no_other(made):
    told = {trial_id: trial["contests"] for trial_id, trial in looked_up(made[0]).items() if trial["contests"]}
    assert list(told) == ["NCT90000003"]
    assert [(c["id"], c["policy"], c["opened"], c["decision"]) for c in told["NCT90000003"]] == [
        ("open-2", "who-summary", "2024-07-05", None),
        ("open-1", None, "2024-07-02", None),
        ("past-1", "alltrials-summary", "2024-06-01", "upheld"),
    ]


def test_open_and_decided_contests_are_listed(made):
    text = (made[0] / "corrections" / "index.html").read_text(encoding="utf-8")
    opened, decided = (
        re.findall(r'<th scope="row">([^<]+)</th>', text.split(f"<caption>{caption} contests")[1].split("</table>")[0])
        for caption in ("Open", "Decided")
    )
    assert (opened, decided) == (["open-2", "open-1"], ["odd-1", "past-1"])
    assert text.count("(no trial of this release)") == 1
    for what in ("says that the trial is not its own", "2 July 2024", "?id=NCT90000003", "The clock, it was said"):
        assert what in text


def test_the_look_up_leads_to_the_page_of_every_sponsor(made):
    leads = {trial["sponsor_at"] for trial in looked_up(made[0]).values()} - {None}
    assert leads == {page.parent.name for page in made[0].glob("sponsors/*/due.ics")}
