"""Contracts: what is derived from them holds together, and every part of the house is documented."""

import re
from pathlib import Path

import duckdb
import pytest

from pipelines import contracts as contract_files
from pipelines import docs, queries, validation
from pipelines.__main__ import _parser
from pipelines.contracts import contracts
from pipelines.settings import ROOT

KNOWN = contracts()
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("table", [*KNOWN.tables.values(), *KNOWN.staging.values()], ids=lambda t: t.name)
def test_a_contract_is_whole(table):
    assert table.meaning.endswith(".")
    assert table.grain.startswith("one row per")
    for column in table.columns:
        assert column.description.endswith((".", "?")), column.name
        assert re.fullmatch(r"[a-z][a-z0-9_]*", column.name)


@pytest.mark.parametrize("table", KNOWN.tables.values(), ids=lambda t: t.name)
def test_ddl_comments_arrow_schema_and_suite_agree(table):
    with duckdb.connect() as connection:
        connection.execute(contract_files.ddl(table))
        for comment in contract_files.comments(table):
            connection.execute(comment)
        made = connection.sql(f'DESCRIBE "{table.name}"').fetchall()
        assert [m[0] for m in made] == list(table.column_names)
        commented = connection.sql("SELECT count(*) FROM duckdb_columns() WHERE comment IS NOT NULL AND NOT internal")
        assert commented.fetchall() == [(len(table.columns),)]
    schema = contract_files.arrow_schema(table)
    assert schema.names == list(table.column_names)
    assert all(f.metadata[b"description"] for f in schema)
    suite = validation.expectations(table, KNOWN)
    assert "key_unique" in {e.name for e in suite}
    assert {c for e in suite for c in e.columns} <= set(table.column_names)


def test_references_point_to_columns_that_exist():
    for table in KNOWN.tables.values():
        for column in table.columns:
            if column.references:
                other, name = column.references.split(".")
                assert name in KNOWN.tables[other].column_names


def test_generated_documents_are_current():
    assert docs.stale() == []


def test_every_table_column_view_code_and_command_is_documented():
    dictionary = (ROOT / "docs" / "dictionary.md").read_text(encoding="utf-8")
    for table in KNOWN.tables.values():
        assert f"## {table.name}" in dictionary
        for column in table.columns:
            assert f"| `{column.name}` |" in dictionary
    commands = next(action for action in _parser()._actions if action.choices)
    for command in commands.choices:
        assert f"pipelines {command}" in README or f"`{command}" in README, command
    settings = (ROOT / "pipelines" / "settings.py").read_text(encoding="utf-8")
    for variable in set(re.findall(r"ALLTRIALS_[A-Z]+", settings)):
        assert variable in README


@pytest.mark.parametrize(
    "said",
    [
        KNOWN.vocabularies["reporting_status"]["overdue"]["meaning"],
        KNOWN.vocabularies["status_group"]["due, missing"]["meaning"],
        next(c.description for c in KNOWN.tables["scorecards"].columns if c.name == "missing"),
        next(line for line in README.split("\n- **") if line.startswith("Overdue**")),
    ],
)
def test_what_is_overdue_under_a_policy_is_not_said_to_be_found_nowhere(said):
    """Results may be found elsewhere: in an article, say, where the policy asks for results on the register."""
    plain = " ".join(said.replace("*", "").split())
    assert "no results found where the policy asks for them, in the sources searched" in plain


def test_a_word_of_a_source_maps_to_a_code_that_exists():
    vocabulary_of = {
        "status": "recruitment_status", "date_type": "date_type", "study_type": "study_type", "phase": "phase",
        "sponsor_class": "sponsor_class", "intervention_type": "intervention_type",
        "primary_purpose": "primary_purpose", "reference_type": "reference_type", "result_event": "result_event",
        "document_kind": "document_kind",
    }  # fmt: skip
    for source in KNOWN.sources.values():
        for field, words in source.words.items():
            if field in vocabulary_of:
                codes = KNOWN.vocabularies[vocabulary_of[field]]
                assert {code for code in words.values() if code not in codes} == set(), (source.code, field)


def test_a_contract_that_contradicts_itself_is_refused(tmp_path: Path):
    for folder in ("tables", "staging", "sources", "policies", "vocabularies", "reference"):
        (tmp_path / folder).mkdir()
    (tmp_path / "reference" / "registries.csv").write_text("code,name\nnct,x\n")
    contract = 'title = "T"\nmeaning = "M."\ngrain = "one row per x"\nkey = ["{key}"]\n[columns]\nid = {{ type = "VARCHAR", description = "D."{more} }}\n'
    (tmp_path / "tables" / "t.toml").write_text(contract.format(key="nothing", more=""))
    with pytest.raises(ValueError, match=r"t\.toml"):
        contract_files.read(tmp_path)
    (tmp_path / "tables" / "t.toml").write_text(contract.format(key="id", more=', vocabulary = "none"'))
    with pytest.raises(ValueError, match=r"no vocabulary none\.csv"):
        contract_files.read(tmp_path)


def test_queries_stand_after_what_they_need():
    seen: set[str] = set()
    for query in queries.all_queries():
        assert set(query.needs) <= seen
        seen.add(query.name)


def test_queries_that_need_each_other_are_refused():
    with pytest.raises(ValueError, match="need each other"):
        queries.all_queries({"conditions": "SELECT * FROM outcomes", "outcomes": "SELECT * FROM conditions"})
