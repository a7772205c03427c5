"""How the public Parquet files lie: what a reader of one trial can pass over, and types that every engine knows."""

import re
from itertools import pairwise

import pyarrow.parquet as pq
import pytest

from pipelines import store
from pipelines.contracts import contracts
from pipelines.release import tables
from tests import bulk

PUBLIC = tables.public(contracts()).tables
WIDE = (PUBLIC["legs_eu_ctd"], 40_000)
LONG = (PUBLIC["reporting_status"], 130_000)


@pytest.fixture(scope="module", params=[WIDE, LONG], ids=lambda param: param[0].name)
def written(request, tmp_path_factory):
    """The footer of a table of many rows."""
    table, rows = request.param
    return pq.read_metadata(bulk.write(tmp_path_factory.mktemp("laid"), table, rows, trial_id=bulk.TRIAL))


def test_a_group_holds_few_values_where_rows_are_wide_and_many_rows_where_they_are_not(written):
    groups = [written.row_group(n).num_rows for n in range(written.num_row_groups)]
    vector = 2048  # DuckDB ends a group where one of its vectors ends
    most = min(tables.GROUP_VALUES / written.num_columns + vector, store.ROW_GROUP)
    assert len(groups) > 1
    assert 0.9 * (most - vector) < groups[0] <= most
    assert {*groups[:-1]} == {groups[0]}


def test_a_look_up_by_key_needs_one_group(written):
    """The smallest and largest key of each group are in the footer, and no two groups overlap."""
    column = written.schema.names.index("trial_id")
    told = [written.row_group(n).column(column).statistics for n in range(written.num_row_groups)]
    for before, after in pairwise(told):
        assert before.min < before.max < after.min


def test_every_engine_knows_the_types():
    """No time zones, enumerations, unsigned or huge integers: DuckDB writes them, and others read them otherwise or not
    at all. Nor capitals in names, which Hive and Trino do not keep."""
    plain = {"VARCHAR", "BIGINT", "INTEGER", "DOUBLE", "BOOLEAN", "DATE"}
    for table in PUBLIC.values():
        for column in table.columns:
            used = re.sub(r"STRUCT\(|\)|\[\]", " ", column.type)
            assert {field.split()[-1] for field in used.split(",")} <= plain, f"{table.name}.{column.name}"
            assert column.name == column.name.lower()
