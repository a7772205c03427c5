"""The page in a real browser: nothing leaves this machine, nothing fails, every number finds its trial, SQL runs, and
axe-core finds no serious fault. Run by `make test-browser`; the pictures for a person to look at go to data/screenshots.
"""

import csv
import json
import re
import shutil
import threading
from collections import Counter
from contextlib import contextmanager
from urllib.parse import quote, urlsplit

import duckdb
import pytest

from pipelines import serving
from pipelines.__main__ import main
from pipelines.settings import ROOT
from pipelines.site import exploring, marts
from tests import sites

pytestmark = pytest.mark.browser

SCREENSHOTS = ROOT / "data" / "screenshots"
AXE = ROOT / "data" / "npm" / "node_modules" / "axe-core" / "axe.min.js"
WIDTHS = {"phone": 390, "desktop": 1280}
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)  # fmt: skip
SHARD, FIRST_VIEW, PAGE = 80_000, 300_000, 1_000_000
PAGES = (
    "", "find/", "list/", "explore/", "sponsors/", "sponsors/all/", "conditions/", "interventions/", "countries/",
    "years/", "missing/", "changes/", "quality/", "sources/", "methods/", "data/", "corrections/", "about/",
    "policies/", "policies/fdaaa/",
)  # fmt: skip


@pytest.fixture(scope="session")
def data(tmp_path_factory):
    """A sample world with its release and its site."""
    folder = tmp_path_factory.mktemp("page")
    main(["sample", "--trials", "400", "--out", str(folder / "sample")])
    with (folder / "sample" / "truth.csv").open(encoding="utf-8") as lines:
        as_of = next(csv.reader(list(lines)[1:]))[0]
    made = folder / "data"
    for command in (
        ["import", "--list", str(folder / "sample" / "imports.csv")], ["build", "--as-of", as_of], ["release"], ["site"],
    ):  # fmt: skip
        assert main(["--data", str(made), *command]) == 0
    return made


@pytest.fixture(scope="session")
def release(data):
    (folder,) = (p.parent for p in data.glob("releases/2*/alltrials.duckdb"))
    with duckdb.connect(str(folder / "alltrials.duckdb"), read_only=True) as connection:
        yield connection


@contextmanager
def serve(data):
    """The address of the site, and the bytes sent of each of its files."""
    sent = Counter()

    def count(address, _, size):
        sent[urlsplit(address).path] += size

    with serving.server(data, 0, count) as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield f"http://127.0.0.1:{running.server_address[1]}/", sent
        running.shutdown()
        thread.join()


@pytest.fixture(scope="session")
def served(data):
    with serve(data) as both:
        yield both


@pytest.fixture(scope="session")
def two_nights(tmp_path_factory):
    """A world in which statuses changed from one night to the next, and somebody to write to."""
    data = tmp_path_factory.mktemp("nights") / "data"
    sites.release(data)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ALLTRIALS_SITE_CONTACT", "contest@example.org")
        patch.setenv("ALLTRIALS_SITE_RESPONSE", "Somebody answers.")
        assert main(["--data", str(data), "site"]) == 0
    with serve(data) as (address, _):
        yield data, address


@pytest.fixture(scope="session")
def chromium(tmp_path_factory):
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: make test-browser")
    program = shutil.which("chromium")
    if not program:
        pytest.skip("chromium is not installed: make test-browser")
    with playwright.sync_playwright() as running:
        browser = running.chromium.launch(executable_path=program, headless=True, args=list(FLAGS))
        yield browser
        browser.close()


class Watched:
    """A page with what it said and asked while it was open."""

    def __init__(self, page):
        self.page, self.troubles, self.asked = page, [], []
        page.on("console", lambda said: self.troubles.append(said.text) if said.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: self.troubles.append(str(error)))
        page.on("request", lambda request: self.asked.append(request.url))
        page.on("requestfailed", lambda request: self.troubles.append(f"failed: {request.url}"))
        page.on("response", lambda got: self.troubles.append(f"{got.status}: {got.url}") if got.status >= 400 else None)

    def clean(self, address):
        assert self.troubles == []
        assert {f"{urlsplit(url).scheme}://{urlsplit(url).netloc}/" for url in self.asked} == {address}


@pytest.fixture
def opened(chromium, served):
    """Opens a page of the site; at the end of the test nothing has left this machine and nothing has failed."""
    watched = []
    contexts = []

    def go(path, width="desktop", **options):
        context = chromium.new_context(viewport={"width": WIDTHS[width], "height": 900}, **options)
        contexts.append(context)
        page = context.new_page()
        watched.append(Watched(page))
        page.goto(served[0] + path)
        page.wait_for_load_state("networkidle")
        return page

    yield go
    for one in watched:
        one.clean(served[0])
    for context in contexts:
        context.close()


def faults(page):
    """What axe-core calls serious or critical."""
    if not AXE.exists():
        pytest.skip("axe-core is not installed: make test-browser")
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("async () => (await axe.run(document)).violations")
    return [
        f"{one['id']}: {one['nodes'][0]['html'][:200]}" for one in found if one["impact"] in ("serious", "critical")
    ]


def picture(page, name):
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)


def told(page, words):
    page.wait_for_function("words => new RegExp(words).test(document.getElementById('told').textContent)", arg=words)


# --- every page -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("path", PAGES)
def test_a_page_opens_fits_and_has_no_serious_fault(opened, path, width):
    page = opened(path, width)
    picture(page, f"{path.strip('/').replace('/', '-') or 'home'}-{width}")
    assert page.evaluate("document.documentElement.scrollWidth") <= WIDTHS[width], "it does not scroll sideways"
    assert faults(page) == []


@pytest.mark.parametrize("path", ["", "find/?id=NCT90000001", "sponsors/"])
def test_a_page_is_sound_in_the_dark_too(opened, path):
    page = opened(path, "phone", color_scheme="dark")
    picture(page, f"{path.partition('/')[0] or 'home'}-dark")
    assert faults(page) == []


def test_a_sponsors_page_opens(opened, data):
    (slug, *_) = sorted(p.parent.name for p in (data / "site" / "sponsors").glob("[a-z]*-*/index.html"))
    page = opened(f"sponsors/{slug}/", "phone")
    picture(page, "sponsor-phone")
    assert faults(page) == []


def test_the_first_view_and_every_page_are_small(opened, served, data):
    before = sum(served[1].values())
    opened("")
    assert sum(served[1].values()) - before < FIRST_VIEW
    sizes = {p: p.stat().st_size for p in (data / "site").resolve().rglob("*.html")}
    assert max(sizes.values()) < PAGE


# --- looking up -------------------------------------------------------------------------------------------------------


def statuses(page):
    rows = page.locator("#verdicts tbody tr")
    return [rows.nth(at).locator("td").first.inner_text().split(maxsplit=1)[1] for at in range(rows.count())]


@pytest.mark.parametrize(
    "spelling", ["{}", " nct number: {digits} ", "NCT\u2010{digits}", "https://clinicaltrials.gov/study/{}"]
)
def test_a_number_in_any_spelling_finds_the_trial(opened, served, release, spelling):
    trial_id = "NCT90000007"
    text = spelling.format(trial_id, digits=trial_id[3:])
    page = opened(f"find/?id={quote(text)}")
    if "https" in spelling:  # an address is no number: the page says that it found nothing, and where it looked
        told(page, "Nothing found")
        return
    told(page, f"Found: {trial_id}")
    wanted = release.execute("SELECT status FROM reporting_status WHERE trial_id = ? ORDER BY policy", [trial_id])
    assert statuses(page) == [status.replace("_", " ") for (status,) in wanted.fetchall()]
    assert page.evaluate("location.pathname") == "/find/"


def test_a_number_takes_two_small_requests_at_most(opened, served, release):
    (code, trial_id) = release.execute(
        "SELECT any_value(number), any_value(trial_id) FROM identifiers WHERE kind = 'sponsor_code' GROUP BY number "
        "HAVING count(DISTINCT trial_id) = 1 ORDER BY number LIMIT 1"
    ).fetchone()
    before = Counter(served[1])
    page = opened(f"find/?id={quote(code.lower())}")
    told(page, f"Found: {trial_id}")
    asked = {path: size for path, size in (served[1] - before).items() if "/shards/" in path}
    assert 1 <= len(asked) <= 2
    assert max(asked.values()) < SHARD
    assert "its record states it" in page.inner_text("#answer")


def test_every_shard_is_small(data):
    sizes = [p.stat().st_size for p in data.glob("site/*/shards/*/*.json.gz")]
    assert sizes
    assert max(sizes) < SHARD


def test_an_overdue_trial_is_explained(opened, release):
    (trial_id,) = release.execute(
        "SELECT min(trial_id) FROM reporting_status WHERE policy = 'alltrials-summary' AND status = 'overdue'"
    ).fetchone()
    page = opened(f"find/?id={trial_id}#policy-alltrials-summary", "phone")
    told(page, "Found")
    details = page.locator("#policy-alltrials-summary")
    assert details.get_attribute("open") is not None, "the address leads to the rule"
    said = page.inner_text("#answer")
    assert "Appears overdue under" in said
    assert "What would change this verdict" in said
    assert not re.search(
        r"unpublished(?!;)|withheld|unregistered", said.replace("It does not mean: unpublished; hidden", "")
    )
    legs = release.execute(
        "SELECT count(*) FROM status_evidence WHERE trial_id = ? AND policy = 'alltrials-summary'", [trial_id]
    ).fetchone()[0]
    assert details.locator("tbody tr").count() == legs
    receipt = page.input_value("#receipt")
    assert trial_id in receipt
    assert "PubMed is loaded whole" in receipt
    assert trial_id in page.input_value("#report")
    assert "Send it to" not in said, "no address is set"
    picture(page, "trial-phone")
    assert faults(page) == []


def test_an_article_finds_its_trial_and_a_stranger_finds_nothing(opened, release):
    (pmid, trial_id) = release.execute(
        "SELECT pmid, trial_ids[1] FROM article_identifiers WHERE kind = 'pmid' AND len(trial_ids) = 1 ORDER BY 1 LIMIT 1"
    ).fetchone()
    page = opened(f"find/?id=PMID%20{pmid}")
    told(page, f"Found: {trial_id}")
    assert f"Found by an article, PMID {pmid}" in page.inner_text("#answer")
    page = opened("find/?id=NCT00000000")
    told(page, "Nothing found")
    assert "PubMed is loaded whole" in page.inner_text("#answer"), "it says what was searched"


def test_a_trial_is_shown_as_judged_in_an_earlier_release(chromium, two_nights):
    data, address = two_nights
    folder = data / "releases" / str(sites.SECOND)
    with duckdb.connect(str(folder / "alltrials.duckdb"), read_only=True) as release:
        trial_id, policy, before, after = release.execute(
            """SELECT trial_id, policy, from_status, to_status FROM status_transitions
            WHERE from_status IS NOT NULL AND to_status IS NOT NULL ORDER BY ALL LIMIT 1"""
        ).fetchone()
    page = chromium.new_page()
    page.goto(f"{address}find/?id={trial_id}&release={sites.FIRST}")
    told(page, "Found")
    row = page.locator("#verdicts tbody tr").filter(has=page.locator(f"a[href='#policy-{policy}']"))
    cells = [cell.split(maxsplit=1)[-1] for cell in row.locator("td").all_inner_texts()[:2]]
    assert cells == [after.replace("_", " "), before.replace("_", " ")]
    assert "What changed before" in page.inner_text("#answer")
    contact = page.locator("a[href^='mailto:contest@example.org']")
    assert trial_id in contact.get_attribute("href"), "where there is an address, the report goes there"
    assert "Somebody answers." in page.inner_text("#answer")
    page.close()


def test_a_contested_verdict_is_called_disputed_and_keeps_its_status(chromium, two_nights):
    data, address = two_nights
    folder = data / "releases" / str(sites.SECOND)
    with duckdb.connect(str(folder / "alltrials.duckdb"), read_only=True) as release:
        statuses = release.execute(
            "SELECT policy, status FROM reporting_status WHERE trial_id = 'NCT90000003'"
        ).fetchall()
    page = chromium.new_page()
    page.goto(f"{address}find/?id=NCT90000003")
    told(page, "Found")
    for policy, status in statuses:
        row = page.locator("#verdicts tbody tr").filter(has=page.locator(f"a[href='#policy-{policy}']"))
        cell = row.locator("td").first.inner_text()
        assert status.replace("_", " ") in cell
        assert "disputed since 2 July 2024: Wrong sponsor" in cell
        assert ("disputed since 5 July 2024: Results exist elsewhere" in cell) == (policy == "who-summary")
    listed = page.locator("h3#contests + div tbody tr").all_inner_texts()
    assert [row.split()[0] for row in listed] == ["open-2", "open-1", "past-1"]
    assert "10 June 2024: The verdict was looked at again and upheld" in listed[2]
    page.goto(f"{address}find/?id=NCT90000004")
    told(page, "Found")
    assert "disputed" not in page.inner_text("#answer")
    page.close()


def test_a_page_of_an_earlier_release_says_that_it_is_one(chromium, two_nights):
    data, address = two_nights
    page = chromium.new_page()
    page.goto(f"{address}find/")
    shards = next((data / "site").resolve().glob("find/shards/*"))
    away = shards.rename(shards.with_name("2030-01-01"))
    try:
        page.goto(f"{address}find/?id=NCT90000001")
        told(page, "The look-up failed: .*Load this page again")
    finally:
        away.rename(shards)
    page.close()


def test_looking_up_works_by_keyboard_alone(opened):
    page = opened("find/")
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "id":
            break
    page.keyboard.type("nct90000003")
    page.keyboard.press("Enter")
    told(page, "Found: NCT90000003")


def test_markup_in_a_number_stays_text(opened):
    page = opened(f"find/?id={quote('<img src=x onerror=alert(1)>')}")
    told(page, "Nothing found")
    assert page.locator("#answer img").count() == 0


def test_without_javascript_the_page_says_what_to_do(opened):
    page = opened("find/", java_script_enabled=False)
    assert "needs JavaScript" in page.inner_text("main")


# --- lists and tables -------------------------------------------------------------------------------------------------


def test_a_pasted_list_is_set_against_a_condition(opened, release):
    condition, concept = release.execute(
        """SELECT any_value(coalesce(mesh_term, concept)), concept FROM conditions JOIN trial_standings AS s USING (trial_id)
        WHERE s.completion = 'completed' AND s.results = 'none_found' GROUP BY concept ORDER BY count(*) DESC, 2 LIMIT 1"""
    ).fetchone()
    missing = {
        t
        for (t,) in release.execute(
            """SELECT DISTINCT trial_id FROM conditions JOIN trial_standings AS s USING (trial_id)
            WHERE concept = ? AND s.completion = 'completed' AND s.results = 'none_found'""",
            [concept],
        ).fetchall()
    }
    have = sorted(missing)[0]
    page = opened("list/")
    page.fill("#pasted", f"{have.lower()}\nNCT 90000002, NCT90000003\n10.1/none")
    page.fill("#condition", condition)
    page.click("#ask button")
    told(page, "numbers looked up")
    left = page.locator("#left tbody th").all_inner_texts()
    assert set(left) == missing - {have}
    assert page.locator("#included tbody tr").count() == 4
    picture(page, "list-compared")
    assert faults(page) == []


def test_a_table_is_sorted_by_its_heads(opened):
    page = opened("conditions/")
    table = page.locator("table[data-sortable]").first
    head = table.locator("thead th:nth-child(2)")
    for direction in ("descending", "ascending"):
        while head.get_attribute("aria-sort") != direction:
            head.locator("button").click()
        cells = table.locator("tbody tr td:nth-child(2)").all()
        numbers = [int(cell.locator("[value]").first.get_attribute("value")) for cell in cells]
        assert len(set(numbers)) > 3
        assert numbers == sorted(numbers, reverse=direction == "descending")
        assert table.locator("th[aria-sort]").count() == 1, "one column only"


def test_a_table_is_filtered_by_words(opened):
    page = opened("conditions/")
    table = page.locator("table[data-filter]").first
    names = table.locator("tbody th").all_inner_texts()
    word = names[-1].split()[0]
    page.locator("label.filter input").first.fill(word.upper())
    shown = [row.inner_text() for row in table.locator("tbody tr:visible").all()]
    assert 0 < len(shown) < len(names)
    assert all(word.lower() in text.lower() for text in shown)


def test_a_sponsor_is_found_by_the_beginnings_of_its_words(opened, release):
    (name,) = release.execute(
        "SELECT unit_label FROM scorecards WHERE unit_kind = 'sponsor' AND NOT is_remainder AND unit_label LIKE '% %' "
        "ORDER BY due DESC, unit_label LIMIT 1"
    ).fetchone()
    page = opened("sponsors/")
    page.fill("#sponsor", " ".join(word[:4] for word in name.lower().split()))
    page.wait_for_function("/found/.test(document.getElementById('search-said').textContent)")
    assert name in page.locator("#found li").all_inner_texts()[0]


# --- asking in SQL ----------------------------------------------------------------------------------------------------


@pytest.fixture
def asking(opened):
    if not all((exploring.ENGINE / file).exists() for file in exploring.ENGINE_FILES):
        pytest.skip("the engine is not installed: make engine")
    page = opened("explore/")

    def ask(sql=None, words="Done"):
        if sql is not None:
            page.fill("#sql", sql)
        page.evaluate("document.getElementById('told').textContent = ''")
        page.click("#run")
        page.wait_for_function("/Done|failed/.test(document.getElementById('told').textContent)", timeout=60_000)
        assert words in page.inner_text("#told"), page.inner_text("#answer")
        return page

    return page, ask


def test_every_question_gives_what_duckdb_gives(asking, data):
    page, ask = asking
    (file,) = (data / "site" / "explore").glob("marts-*.duckdb")
    with duckdb.connect(str(file), read_only=True) as native:
        questions = exploring.questions()
        assert len(questions) >= 8
        for at, question in enumerate(questions):
            page.select_option("#question", str(at))
            ask()
            wanted = native.execute(question.sql)
            names, rows = [d[0] for d in wanted.description], wanted.fetchall()
            assert page.locator("#result thead th").all_inner_texts() == names, question.title
            assert page.locator("#result tbody tr").count() == min(500, len(rows)), question.title
            if rows:
                assert page.locator("#result tbody th").first.inner_text() == str(rows[0][0]).replace("False", "false")
    picture(page, "explore-asked")
    assert faults(page) == []


def test_a_users_own_sql_runs_and_its_mistakes_are_told(asking):
    page, ask = asking
    ask("SELECT 40 + 2 AS answer, DATE '2026-11-22' AS day, NULL AS nothing, 'a<b>' AS text")
    assert page.locator("#result tbody tr").all_inner_texts() == ["42\t2026-11-22\t\ta<b>"]
    assert "#q=SELECT%2040" in page.url
    ask("SELECT nonsense FROM nowhere", "failed")
    assert "nowhere" in page.inner_text("#answer")
    ask("SELECT count(*) AS n FROM scorecards")


def test_a_question_in_the_address_is_there(opened):
    assert opened(f"explore/#q={quote('SELECT 7 AS seven')}").input_value("#sql") == "SELECT 7 AS seven"


def test_what_is_transferred_stays_in_proportion(asking, served, data):
    (file,) = (data / "site" / "explore").glob("marts-*.duckdb")
    _, ask = asking
    before = served[1][f"/explore/{file.name}"]
    ask("SELECT count(*) FROM reporting_summary")
    small = served[1][f"/explore/{file.name}"] - before
    assert 0 < small < file.stat().st_size / 2, "one small table of many"


def test_the_marts_are_small_and_hold_the_releases_rows(data, release):
    (file,) = (data / "site" / "explore").glob("marts-*.duckdb")
    assert file.stat().st_size < 25_000_000
    release.execute(f"ATTACH '{file}' AS marts (READ_ONLY)")
    for name in (*marts.WHOLE, *marts.LONG):
        extra = release.execute(f'(FROM marts.main."{name}") EXCEPT (FROM main."{name}")').fetchall()
        assert extra == [], name
    release.execute("DETACH marts")


def test_the_page_names_no_other_place(data):
    """Addresses that a page loads things from are its own: those of other places are links for people."""
    for path in (data / "site").resolve().rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"<(?:script|link|img|iframe|source)[^>]+(?:src|href)=\"(?:https?:)?//", text), path
        words = re.search(r'<script id="words"[^>]*>(.*?)</script>', text, re.DOTALL)
        assert words is None or json.loads(words[1])
