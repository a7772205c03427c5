"""Whatever docs/operations.md tells a person at 3 a.m. to type exists: commands and their options, settings, targets of
make, files, columns, what Dagster is asked to start."""

import re
import shlex
from pathlib import Path

import duckdb
import pytest
from dagster._cli import create_dagster_cli

from assets.definitions import build_defs
from pipelines.__main__ import _parser
from pipelines.contracts import contracts, ddl

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
COMMAND = re.compile(r"python\s-m\spipelines\s([^`\n>#]+(?:\n[^`\n>#]+`)?)")
COMMANDS = sorted({shlex.join(shlex.split(found.rstrip("`"), comments=True)) for found in COMMAND.findall(TEXT)})


def test_there_are_commands_to_check():
    assert {"night", "alert", "import --incoming", "docs --check"} <= set(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_understood(command):
    words = [word.replace("DAY", "2026-11-22") for word in shlex.split(command)]
    _, strange = _parser().parse_known_args(words)
    assert strange == []


def test_every_setting_is_read():
    known = (ROOT / "pipelines" / "settings.py").read_text(encoding="utf-8")
    by_source = {f"ALLTRIALS_{code.upper()}_{what}" for code in contracts().sources for what in ("URL", "KEY")}
    named = set(re.findall(r"ALLTRIALS_[A-Z_]+[A-Z]", TEXT))
    assert {name for name in named - by_source if f'"{name}"' not in known} == set()
    assert {name for name in re.findall(r'"(ALLTRIALS_\w+)"', known) if name not in named} == set()


def test_every_target_and_file_is_there():
    targets = set(re.findall(r"(?m)^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8")))
    assert set(re.findall(r"`make ([\w-]+)", TEXT)) <= targets
    files = re.findall(r"`((?:schemas|docs|pipelines|assets)/[\w./]+|\w+\.yaml)`", TEXT)
    assert [name for name in files if not (ROOT / name).exists()] == []


def test_every_query_runs():
    queries = re.findall(r'pipelines query "([^"]+)"', TEXT)
    queries += [f"SELECT count(*) {found}" for found in re.findall(r"`(FROM [^`]+)`", TEXT)]
    assert len(queries) >= 2
    with duckdb.connect() as connection:
        for name in ("sources", "rejected_records"):
            connection.execute(ddl(contracts().tables[name]))
        for query in queries:
            connection.execute(query).fetchall()


def test_dagster_knows_what_it_is_asked_for():
    cli, defs = create_dagster_cli(), build_defs()
    asked = re.findall(r"bin/dagster (\w+) (\w+)(?: (\w+))?", TEXT)
    assert {name for _, _, name in asked} >= {"nightly", "dropped_files"}
    for group, command, name in asked:
        assert command in cli.commands[group].commands
        if name:
            assert getattr(defs, f"resolve_{group}_def")(name)
    for check in ("fetched", "contract"):
        assert f"`{check}`" in TEXT
