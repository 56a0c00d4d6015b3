"""Catalogs as files, their locks, and sources as views."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from dli.exceptions import ConfigurationError, ExecutionError
from dli.specs.dataset import Statement
from dli.specs.project_file import SourceDefinition
from dli.warehouse.base import DataHeldError
from dli.warehouse.dataset import run_statements
from dli.warehouse.duckdb import DuckDBWarehouse
from dli.warehouse.instance import EngineLimits

Rows = Callable[..., list[tuple[Any, ...]]]
Make = Callable[..., DuckDBWarehouse]


@contextmanager
def held_by_another_process(file: Path) -> Iterator[subprocess.Popen[str]]:
    program = (
        "import duckdb, sys; held = duckdb.connect(sys.argv[1]); "
        "print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(file)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.kill()


def folder_of(project: Path) -> Path:
    return project / ".dli" / "warehouse"


def test_each_catalog_is_a_file(project: Path, run: Rows) -> None:
    run("CREATE TABLE iceberg.a.t AS SELECT 1 AS v")
    run("CREATE TABLE hive.a.t AS SELECT 2 AS v")
    assert run("SELECT i.v, h.v FROM iceberg.a.t i, hive.a.t h") == [(1, 2)]
    assert {path.name for path in folder_of(project).glob("*.duckdb")} == {
        "iceberg.duckdb",
        "hive.duckdb",
    }


def test_a_file_for_a_catalog_is_not_made_by_reading(project: Path, run: Rows) -> None:
    with pytest.raises(ExecutionError, match="absent"):
        run("SELECT * FROM absent.a.t")
    assert not (folder_of(project) / "absent.duckdb").exists()


def test_names_ignore_case(run: Rows) -> None:
    run("CREATE TABLE Iceberg.Daily.T AS SELECT 1 AS v")
    assert run("SELECT v FROM iceberg.daily.t") == [(1,)]
    assert run("SELECT count(*) FROM ICEBERG.RAW.CLICKS") == [(3,)]


def test_names_may_hold_dashes(project: Path, run: Rows) -> None:
    run('CREATE TABLE "my-lake"."raw-zone"."click-log" AS SELECT 1 AS v')
    assert run('SELECT v FROM "my-lake"."raw-zone"."click-log"') == [(1,)]
    assert (folder_of(project) / "my-lake.duckdb").exists()


@pytest.mark.parametrize("name", ["shop.orders", "orders"])
def test_short_names_live_in_the_default_catalog(project: Path, run: Rows, name: str) -> None:
    run(f"CREATE TABLE {name} AS SELECT 1 AS v")
    assert run(f"SELECT v FROM {name}") == [(1,)]
    assert (folder_of(project) / "local.duckdb").exists()


@pytest.mark.parametrize("catalog", ["memory", "system", "temp"])
def test_the_engines_own_catalogs_are_refused(run: Rows, catalog: str) -> None:
    with pytest.raises(ExecutionError, match="choose another"):
        run(f"CREATE TABLE {catalog}.main.t AS SELECT 1 AS v")


def test_one_run_writes_to_one_catalog(run: Rows, project: Path) -> None:
    with pytest.raises(ExecutionError, match="one catalog only"):
        run("CREATE TABLE a.s.t (v INT)", "CREATE TABLE b.s.t (v INT)")
    assert list(folder_of(project).glob("*.duckdb")) == []


def test_the_folder_is_private(warehouse: DuckDBWarehouse, project: Path) -> None:
    warehouse.session().close()
    assert folder_of(project).stat().st_mode & 0o777 == 0o700


def test_another_process_can_have_the_data_between_runs(
    warehouse: DuckDBWarehouse, project: Path, run: Rows
) -> None:
    run("CREATE TABLE iceberg.a.t AS SELECT 1 AS v")
    warehouse.close()
    with held_by_another_process(folder_of(project) / "iceberg.duckdb"):
        pass
    assert run("SELECT v FROM iceberg.a.t") == [(1,)]


def test_closing_waits_for_the_last_session(
    warehouse: DuckDBWarehouse, run: Rows, project: Path
) -> None:
    run("CREATE TABLE iceberg.a.t AS SELECT 1 AS v")
    with warehouse.session() as session:
        warehouse.close()
        assert session.execute("SELECT v FROM iceberg.a.t").rows == [(1,)]
    with held_by_another_process(folder_of(project) / "iceberg.duckdb"):
        pass


def test_data_held_by_another_process_is_told_with_its_holder(
    make_warehouse: Make, project: Path
) -> None:
    folder_of(project).mkdir(parents=True)
    warehouse = make_warehouse(lock_timeout_s=0.2)
    with held_by_another_process(folder_of(project) / "iceberg.duckdb") as holder:
        statement = Statement("main", None, "CREATE TABLE iceberg.a.t (v INT)", False)
        with warehouse.session() as session, pytest.raises(DataHeldError) as caught:
            run_statements(session, [statement], dialect="trino")
    assert caught.value.code == "DLI-403"
    assert f"process {holder.pid}" in caught.value.message
    assert "dli workflow stop" in caught.value.message


def test_data_held_by_another_warehouse_of_this_process_is_told(
    make_warehouse: Make, run: Rows
) -> None:
    run("CREATE TABLE iceberg.a.t AS SELECT 1 AS v")
    second = make_warehouse(lock_timeout_s=0.1)
    statement = Statement("main", None, "SELECT v FROM iceberg.a.t", False)
    with second.session() as session, pytest.raises(ExecutionError) as caught:
        run_statements(session, [statement], dialect="trino")
    assert caught.value.code == "DLI-403"
    assert "this process" in caught.value.message


def test_data_that_is_free_again_soon_is_waited_for(make_warehouse: Make, project: Path) -> None:
    folder_of(project).mkdir(parents=True)
    warehouse = make_warehouse(lock_timeout_s=20)
    with held_by_another_process(folder_of(project) / "iceberg.duckdb") as holder:
        release = threading.Timer(0.3, holder.kill)
        release.start()
        statement = Statement("main", None, "CREATE TABLE iceberg.a.t (v INT)", False)
        with warehouse.session() as session:
            assert run_statements(session, [statement], dialect="trino").success
        release.join()


def test_a_stop_ends_the_wait_for_data(make_warehouse: Make, project: Path) -> None:
    folder_of(project).mkdir(parents=True)
    warehouse = make_warehouse(lock_timeout_s=60)
    with held_by_another_process(folder_of(project) / "iceberg.duckdb"):
        statement = Statement("main", None, "CREATE TABLE iceberg.a.t (v INT)", False)
        with warehouse.session() as session:
            began = time.monotonic()
            threading.Timer(0.2, session.interrupt).start()
            with pytest.raises(ExecutionError, match="stopped"):
                run_statements(session, [statement], dialect="trino")
            assert time.monotonic() - began < 2


def test_a_file_that_is_no_database_is_told(warehouse: DuckDBWarehouse, project: Path) -> None:
    folder_of(project).mkdir(parents=True)
    (folder_of(project) / "iceberg.duckdb").write_bytes(b"not a database" * 1000)
    statement = Statement("main", None, "CREATE TABLE iceberg.a.t (v INT)", False)
    with warehouse.session() as session, pytest.raises(ExecutionError) as caught:
        run_statements(session, [statement], dialect="trino")
    assert caught.value.code == "DLI-403"
    assert "iceberg" in caught.value.message


def test_limits_the_engine_cannot_read_are_a_mistake_in_the_settings(make_warehouse: Make) -> None:
    with pytest.raises(ConfigurationError, match="limits"):
        make_warehouse(limits=EngineLimits(memory="lots")).session()


def test_a_source_is_a_table_under_its_full_name(run: Rows) -> None:
    assert run("SELECT page FROM iceberg.raw.clicks WHERE dt = DATE '2026-01-02'") == [("a",)]


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM iceberg.raw.clicks",
        "INSERT INTO iceberg.raw.clicks VALUES (DATE '2026-01-01', 'x')",
        "DROP VIEW iceberg.raw.clicks",
        "CREATE OR REPLACE VIEW ICEBERG.RAW.CLICKS AS SELECT 1 AS v",
    ],
)
def test_a_source_is_read_only(run: Rows, sql: str) -> None:
    with pytest.raises(ExecutionError) as caught:
        run(sql)
    assert caught.value.code == "DLI-404"
    assert run("SELECT count(*) FROM iceberg.raw.clicks") == [(3,)]


def test_a_source_follows_its_file(project: Path, run: Rows) -> None:
    run("SELECT * FROM iceberg.raw.clicks")
    (project / "data" / "clicks.csv").write_text("dt,page,user\n2026-01-03,c,7\n")
    assert run("SELECT page, user FROM iceberg.raw.clicks") == [("c", 7)]


def test_views_of_sources_are_kept_while_nothing_changed(
    make_warehouse: Make, run: Rows, warehouse: DuckDBWarehouse
) -> None:
    made = "SELECT view_oid FROM duckdb_views() WHERE view_name = 'clicks'"
    run("SELECT * FROM iceberg.raw.clicks")
    before = run("SELECT * FROM iceberg.raw.clicks", made)
    assert run("SELECT * FROM iceberg.raw.clicks", made) == before


def test_a_pattern_takes_in_new_files(make_warehouse: Make, project: Path) -> None:
    days = project / "data" / "days"
    days.mkdir()
    (days / "1.csv").write_text("a\n1\n")
    source = SourceDefinition(table="iceberg.raw.days", path="data/days/*.csv")
    warehouse = make_warehouse(sources=[source])
    count = Statement("main", None, "SELECT sum(a) AS total FROM iceberg.raw.days", False)
    totals = []
    for day in (2, 3):
        with warehouse.session() as session:
            result = run_statements(session, [count], dialect="trino")
        assert result.main_result is not None
        totals.append(result.main_result.data[0]["total"])
        (days / f"{day}.csv").write_text(f"a\n{day}\n")
    assert totals == [1, 3]


def test_a_source_without_a_file_fails_only_who_reads_it(project: Path, run: Rows) -> None:
    (project / "data" / "clicks.csv").unlink()
    with pytest.raises(ConfigurationError, match=r"iceberg\.raw\.clicks.*no file"):
        run("SELECT * FROM iceberg.raw.clicks")
    assert run("SELECT 1") == [(1,)]


def test_a_source_that_left_the_project_leaves_the_warehouse(
    make_warehouse: Make, run: Rows, warehouse: DuckDBWarehouse
) -> None:
    run("SELECT * FROM iceberg.raw.clicks")
    warehouse.shutdown()
    without = make_warehouse(sources=[])
    statement = Statement("main", None, "SELECT * FROM iceberg.raw.clicks", False)
    with without.session() as session:
        result = run_statements(session, [statement], dialect="trino")
    assert "does not exist" in str(result.error_message)


def test_a_source_never_hides_a_table(
    make_warehouse: Make, warehouse: DuckDBWarehouse, run: Rows
) -> None:
    run("CREATE TABLE iceberg.raw.users AS SELECT 1 AS v")
    warehouse.shutdown()
    source = SourceDefinition(table="iceberg.raw.users", path="data/clicks.csv")
    with pytest.raises(ConfigurationError, match=r"iceberg\.raw\.users"):
        read(make_warehouse(sources=[source]), "SELECT * FROM iceberg.raw.users")


def test_views_dropped_with_their_schema_come_back(run: Rows) -> None:
    run("SELECT * FROM iceberg.raw.clicks")
    run("DROP SCHEMA iceberg.raw CASCADE")
    assert run("SELECT count(*) FROM iceberg.raw.clicks") == [(3,)]


def read(warehouse: DuckDBWarehouse, sql: str) -> None:
    with warehouse.session() as session:
        run_statements(session, [Statement("main", None, sql, False)], dialect="trino")


def test_spill_folders_of_dead_processes_are_removed(
    warehouse: DuckDBWarehouse, project: Path
) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        gone.wait()
    left = folder_of(project) / ".spill" / str(gone.pid)
    left.mkdir(parents=True)
    warehouse.session().close()
    assert not left.exists()
