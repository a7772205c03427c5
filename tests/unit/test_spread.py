"""Where payloads are read is nobody's business but the one's who spreads them: order and place change nothing."""

import importlib.util
from dataclasses import replace
from datetime import date

import pytest

from pipelines import build, cluster, snapshots, staging
from pipelines import settings as settings_file
from pipelines.errors import DataError, UsageError
from pipelines.staging import Task
from tests.unit.test_staging import archive
from tests.worlds import AS_OF, settings


def staged(data, spread=None):
    chosen = settings(data)
    taken = snapshots.listed(data, AS_OF)
    registers = build.read_registers(chosen, taken, spread=spread)
    return [*registers, *build.read_articles(chosen, taken, registers, spread=spread)]


def test_payloads_count_in_their_own_order_whichever_is_read_first(tmp_path):
    data = archive(tmp_path, 4)
    asked = []

    def last_first(tasks):
        asked.append([task.bytes for task in tasks])
        yield from ((task, staging.attempt(task)) for task in reversed(tasks))

    there = staged(data, last_first)
    assert [len(tasks) for tasks in asked] == [1, 4]
    assert all(size > 0 for tasks in asked for size in tasks)
    assert staged(data, last_first) == there == staged(data)
    assert len(asked) == 2, "nobody is asked where nothing is to be read"


def test_no_cluster_is_asked_where_the_settings_name_none(tmp_path):
    assert cluster.spread(settings(tmp_path)) is None


@pytest.mark.skipif(bool(importlib.util.find_spec("distributed")), reason="Dask is installed here")
def test_without_the_extra_a_cluster_is_a_wrong_setting(tmp_path):
    data = archive(tmp_path, 1)
    chosen = replace(settings(data), dask="tcp://127.0.0.1:1")
    with pytest.raises(UsageError, match=r"Dask is not installed here: `pip install -e '.\[dask\]'`"):
        build.build(chosen, date(2024, 6, 30), spread=cluster.spread(chosen))


def test_of_two_builds_with_the_same_list_each_has_its_own(tmp_path):
    """Machines that share a store and have the same registers cite the same articles."""
    chosen, cited = replace(settings(tmp_path / "data"), store=str(tmp_path / "store")), tmp_path / "cited.parquet"
    cited.write_bytes(b"a list")
    task = Task(
        "pubmed", chosen.data / "raw" / "a.xml", "a.xml", AS_OF, chosen.data / "staging" / "a.xml", "", "", cited
    )
    with cluster._in_store(chosen, {cited}) as first:
        with cluster._in_store(chosen, {cited}) as second:
            lists = [exchange.order(task)[-1] for exchange in (first, second)]
        assert cluster._list_of(lists[0], tmp_path).read_bytes() == b"a list", "the second build has ended"
    for place in lists:
        with pytest.raises(DataError, match="is missing: the build that put it there may have ended"):
            cluster._list_of(place, tmp_path / "another")


@pytest.mark.parametrize("written", ["127.0.0.1:8786", "http://127.0.0.1:8786", "tcp://", "tcp://host:port"])
def test_an_address_that_is_none_is_said(monkeypatch, written):
    monkeypatch.setenv("ALLTRIALS_DASK", written)
    with pytest.raises(UsageError, match="ALLTRIALS_DASK is an address like tcp://host:8786"):
        settings_file.from_environment()
