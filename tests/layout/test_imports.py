"""The house stays as it was designed: who may import whom, who reads the environment or the clock, and one name for a
contract, its SQL and its module.

Belongs here: rules that can be read off the source files, by `ast`, without running them. That every table has its
asset is asked of the loaded graph, in `integration/test_dagster.py`.
"""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import pytest

from pipelines import queries
from pipelines.contracts import contracts

ROOT = Path(__file__).resolve().parents[2]
PIPELINES = ROOT / "pipelines"
SCHEMAS = ROOT / "schemas"
SQL = PIPELINES / "sql"

NETWORK = ("requests", "urllib.request", "urllib3", "http.client", "httpx", "aiohttp", "socket", "ftplib")
NOT_INSTALLED = ("dagster_dask", "dask", "distributed", "s3fs", "aiobotocore", "boto3", "botocore", "pyspark")
"""Extras: the default install works without them, so that nothing imports them."""
CLUSTER = {"pipelines/cluster.py": ("distributed",), "assets/cluster.py": ("dagster_dask",)}
"""The modules that may name Dask, inside functions: what is spread over its workers, and Dagster's client of it."""
OPENS_DATA = ("duckdb", "pyarrow", "pandas", "lxml", "msgspec", "json", "csv", "gzip", "zipfile")
"""What a module needs in order to parse or query: assets do neither."""

CLOCK = {"today", "now", "utcnow", "time", "time_ns", "localtime", "gmtime"}
"""Names that tell the time, where they are called on `date`, `datetime` or `time`; measuring a duration is free."""
CLOCK_OWNERS = {"date", "datetime", "time", "Date", "DateTime"}
EDGES = ("pipelines/__main__.py", "assets/resources.py")
"""Where the clock may be asked: the two ways into the program."""
SQL_CLOCK = re.compile(r"\b(current_date|current_time|current_timestamp|now\(|today\(|get_current_)", re.IGNORECASE)
SQL_TEXT = re.compile(r"\bSELECT\b.+\bFROM\b|\bCREATE (TABLE|VIEW)\b|\bread_parquet\b", re.DOTALL)

MADE_BY_PYTHON = {"ledger", "validation_results"}
"""Published tables that no query file makes: the ledger's events, and the results of the checks."""
SHARED_SQL = {"macros"}


@dataclass(frozen=True)
class Import:
    """A name that a module imports, spelled out from the root; `from a import b` is both `a` and `a.b`."""

    name: str
    in_function: bool

    def is_of(self, *packages: str) -> bool:
        return any(self.name == p or self.name.startswith(f"{p}.") for p in packages)


# --- reading a module -----------------------------------------------------------------------------------------------


def imports(path: str, tree: ast.AST) -> Iterator[Import]:
    """What the module at `path` (relative to the root) imports, anywhere in it."""
    for node, in_function in _nodes(tree):
        for name in _imported(path, node):
            yield Import(name, in_function)


def _nodes(node: ast.AST, in_function: bool = False) -> Iterator[tuple[ast.AST, bool]]:
    yield node, in_function
    inside = in_function or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
    for child in ast.iter_child_nodes(node):
        yield from _nodes(child, inside)


def _imported(path: str, node: ast.AST) -> list[str]:
    match node:
        case ast.Import(names=names):
            return [alias.name for alias in names]
        case ast.ImportFrom(module=module, names=names, level=level):
            package = PurePosixPath(path).parts[: -level or None] if level else ()
            base = ".".join([*package, *([module] if module else [])])
            return [base, *(f"{base}.{alias.name}" for alias in names)]
        case ast.Call(func=ast.Name(id="__import__" | "import_module"), args=[ast.Constant(value=str(name)), *_]):
            return [name]
        case ast.Call(func=ast.Attribute(attr="import_module"), args=[ast.Constant(value=str(name)), *_]):
            return [name]
    return []


# --- the rules ------------------------------------------------------------------------------------------------------


def breaches(path: str, text: str) -> list[str]:
    """What the module at `path` (relative to the root) does against the design."""
    tree = ast.parse(text)
    found = [*_import_breaches(path, list(imports(path, tree)))]
    found += _environment_breaches(path, tree)
    found += _clock_breaches(path, tree)
    if path.startswith("assets/"):
        found += [f"line {line}: SQL text" for line, text in _strings(tree) if SQL_TEXT.search(text)]
    return [f"{path}: {what}" for what in found]


def _import_breaches(path: str, found: list[Import]) -> Iterator[str]:
    for one in found:
        if one.is_of(*_forbidden(path)):
            yield f"imports {one.name}"
        for late in ("great_expectations", "fsspec", "dagster_dask", "dask", "distributed"):
            if one.is_of(late) and not one.in_function:
                yield f"imports {late} outside a function"


def _forbidden(path: str) -> list[str]:
    """Packages that the module may not import, wherever in it."""
    forbidden = ["tests", *(name for name in NOT_INSTALLED if name not in CLUSTER.get(path, ()))]
    if path.startswith("pipelines/"):
        forbidden += ["assets", "dagster"]
    if path.startswith("assets/"):
        forbidden += OPENS_DATA
    if path != "pipelines/web.py":
        forbidden += NETWORK
    if path != "pipelines/alerts.py":
        forbidden += ["smtplib"]
    if path != "pipelines/locations.py":
        forbidden += ["fsspec"]
    if path != "pipelines/validation.py":
        forbidden += ["great_expectations"]
    if path.startswith("pipelines/sources/"):
        own = path.removeprefix("pipelines/sources/").split("/")[0].removesuffix(".py")
        others = {f"pipelines.sources.{code}" for code in _codes()} - {f"pipelines.sources.{own}"}
        forbidden += ["pipelines.identity", "pipelines.release", *sorted(others)]
    return forbidden


def _environment_breaches(path: str, tree: ast.AST) -> Iterator[str]:
    if path == "pipelines/settings.py":
        return
    for node, _ in _nodes(tree):
        match node:
            case ast.Attribute(value=ast.Name(id="os"), attr="environ" | "environb" | "getenv" | "putenv" as name):
                yield f"line {node.lineno}: uses os.{name}"
            case ast.ImportFrom(module="os", names=names) if {a.name for a in names} & {"environ", "getenv"}:
                yield f"line {node.lineno}: imports the environment"
            case ast.Attribute(attr="EnvVar") | ast.Name(id="EnvVar"):
                yield f"line {node.lineno}: reads the environment through Dagster"


def _clock_breaches(path: str, tree: ast.AST) -> Iterator[str]:
    if path in EDGES:
        return
    for node, _ in _nodes(tree):
        match node:
            case ast.Attribute(value=owner, attr=name) if name in CLOCK and _last_name(owner) in CLOCK_OWNERS:
                yield f"line {node.lineno}: asks the clock"
            case ast.ImportFrom(module="time", names=names) if {a.name for a in names} & CLOCK:
                yield f"line {node.lineno}: imports the clock"
            case ast.Constant(value=str(text)) if path.startswith("pipelines/") and _is_sql_clock(text):
                yield f"line {node.lineno}: SQL that asks the clock"


def _last_name(node: ast.AST) -> str:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


def _is_sql_clock(text: str) -> bool:
    return bool(SQL_CLOCK.search(text)) and bool(re.search(r"\bSELECT\b|\bCREATE\b|\bINSERT\b", text))


def _strings(tree: ast.AST) -> list[tuple[int, str]]:
    return [(n.lineno, n.value) for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str)]


def _codes() -> set[str]:
    """The sources that have a module."""
    return {p.stem for p in (PIPELINES / "sources").iterdir() if p.suffix == ".py" or p.is_dir()} - {
        "__init__",
        "__pycache__",
    }


MODULES = sorted(
    p.relative_to(ROOT).as_posix() for folder in ("pipelines", "assets") for p in (ROOT / folder).rglob("*.py")
)


@pytest.mark.parametrize("path", MODULES)
def test_module_keeps_the_rules(path: str) -> None:
    assert breaches(path, (ROOT / path).read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("pipelines/build.py", "import assets"),
        ("pipelines/build.py", "from assets.tables import table_key"),
        ("pipelines/formats/packing.py", "def f():\n    import dagster as dg"),
        ("pipelines/build.py", "import requests"),
        ("assets/raw.py", "from urllib import request"),
        ("pipelines/build.py", "def f():\n    import great_expectations"),
        ("pipelines/validation.py", "import great_expectations as gx"),
        ("pipelines/sources/ctgov.py", "from pipelines.sources import pubmed"),
        ("pipelines/sources/ctgov.py", "from . import pubmed"),
        ("pipelines/sources/ctgov.py", "from pipelines import identity"),
        ("pipelines/sources/ctgov.py", "from pipelines.identity.ledger import read"),
        ("pipelines/sources/ctgov.py", "import importlib\nimportlib.import_module('pipelines.sources.pubmed')"),
        ("pipelines/sources/pubmed.py", "import pipelines.release"),
        ("pipelines/nights.py", "import smtplib"),
        ("pipelines/build.py", "import os\nx = os.environ['HOME']"),
        ("pipelines/build.py", "from os import environ"),
        ("assets/resources.py", "import dagster as dg\nx = dg.EnvVar('HOME')"),
        ("pipelines/build.py", "from datetime import date\nx = date.today()"),
        ("assets/jobs.py", "import datetime\nx = datetime.datetime.now(datetime.UTC)"),
        ("pipelines/build.py", "import time\nx = time.time()"),
        ("pipelines/build.py", "x = 'SELECT current_date'"),
        ("assets/tables.py", "x = 'SELECT count(*) FROM trials'"),
        ("assets/tables.py", "import duckdb"),
        ("pipelines/store.py", "def f():\n    import s3fs"),
        ("pipelines/store.py", "from dask.distributed import Client"),
        ("pipelines/cluster.py", "from distributed import Client"),
        ("pipelines/cluster.py", "def f():\n    import dagster_dask"),
        ("assets/cluster.py", "import dagster_dask"),
        ("assets/jobs.py", "def f():\n    import dask"),
        ("pipelines/store.py", "def f():\n    import fsspec"),
        ("pipelines/locations.py", "import fsspec"),
        ("pipelines/locations.py", "def f():\n    import s3fs"),
        ("pipelines/store.py", "from tests import worlds"),
    ],
)
def test_a_breach_is_seen(path: str, text: str) -> None:
    assert breaches(path, text)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("pipelines/validation.py", "def f():\n    import great_expectations as gx"),
        ("pipelines/web.py", "import requests"),
        ("pipelines/settings.py", "import os\nx = os.environ.get('HOME')"),
        ("pipelines/sources/ctgov.py", "from pipelines import store\nimport pipelines.sources.ctgov"),
        ("pipelines/sample/output.py", "from time import perf_counter"),
        ("assets/tables.py", "import dagster as dg\nfrom pipelines import build"),
        ("assets/cluster.py", "def f():\n    from dagster_dask import dask_resource"),
        ("pipelines/cluster.py", "def f():\n    from distributed import Client"),
        ("pipelines/locations.py", "def f():\n    import fsspec"),
    ],
)
def test_what_is_allowed_is_no_breach(path: str, text: str) -> None:
    assert breaches(path, text) == []


def test_no_extra_is_imported_with_everything_of_ours() -> None:
    """Asked of a process, since a library can import another one."""
    modules = [path.removesuffix(".py").replace("/", ".").removesuffix(".__init__") for path in MODULES]
    code = (
        f"import importlib, sys\nfor name in {[m for m in modules if not m.endswith('__main__')]!r}:\n"
        f"    importlib.import_module(name)\nprint(sorted(set({NOT_INSTALLED!r}) & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "[]\n"), done.stderr[-2000:]


# --- one name for one thing -----------------------------------------------------------------------------------------


def _stems(folder: Path, ending: str) -> set[str]:
    return {p.stem for p in folder.glob(f"*{ending}")}


def test_every_table_has_its_query_and_every_query_its_table() -> None:
    known = contracts()
    legs = {p.table for p in known.policies.values()}
    assert _stems(SCHEMAS / "tables", ".toml") == set(known.tables) - legs, "the legs' contracts are generated"
    assert _stems(SQL, ".sql") - SHARED_SQL == set(known.tables) - legs - MADE_BY_PYTHON


def test_every_step_on_the_way_is_needed_and_unpublished() -> None:
    parts = _stems(SQL / "parts", ".sql")
    needed = {name for query in queries.all_queries() for name in query.needs}
    assert parts - needed == set(), "nobody needs them"
    assert parts & {*contracts().tables, *queries.STEPS, *queries.STAGED, *queries.GIVEN} == set()


def test_every_policy_has_its_rule_and_its_working() -> None:
    assert _stems(SCHEMAS / "policies", ".toml") == _stems(SQL / "policies", ".sql")


def test_every_source_has_its_contract_and_its_module() -> None:
    assert _stems(SCHEMAS / "sources", ".toml") == _codes()


def test_queries_lie_where_they_are_looked_for() -> None:
    folders = {p.parent.relative_to(SQL).as_posix() for p in SQL.rglob("*") if p.is_file()}
    assert folders == {".", "parts", "policies"}
    assert {p.suffix for p in SQL.rglob("*") if p.is_file()} == {".sql"}


def test_what_is_true_holds_no_python() -> None:
    assert {p.suffix for p in SCHEMAS.rglob("*") if p.is_file()} <= {".toml", ".csv"}


def test_no_query_asks_the_clock() -> None:
    texts = [*PIPELINES.rglob("*.sql"), *SCHEMAS.rglob("*.toml")]
    asking = [p.name for p in texts if SQL_CLOCK.search(re.sub(r"--[^\n]*", "", p.read_text(encoding="utf-8")))]
    assert asking == []
