"""What SQL written by users must not reach (F32): by the statement, and by the engine beneath."""

from pathlib import Path

import duckdb
import pytest

from dli.exceptions import ExecutionError
from dli.warehouse.duckdb import DuckDBWarehouse

REACH_OUT = [
    "SELECT * FROM read_csv('/etc/passwd')",
    "SELECT * FROM read_text('/etc/passwd')",
    "SELECT * FROM read_blob('/proc/self/environ')",
    "SELECT * FROM '/etc/passwd'",
    "SELECT * FROM glob('/etc/*')",
    "SELECT * FROM read_json('/etc/hostname')",
    "SELECT * FROM read_parquet('http://127.0.0.1:1/x.parquet')",
    "SELECT * FROM query('SELECT * FROM read_text(''/etc/passwd'')')",
    "CREATE TABLE iceberg.s.t AS SELECT * FROM read_text('/etc/passwd')",
    "CREATE VIEW iceberg.s.v AS SELECT * FROM read_csv('/etc/passwd')",
    "SELECT getenv('HOME')",
    "COPY (SELECT 1) TO '/tmp/dli-out.csv'",
    "ATTACH '/tmp/dli-x.duckdb' AS x",
    "ATTACH '/etc/passwd' AS x",
    "INSTALL httpfs",
    "INSTALL '/tmp/x.duckdb_extension'",
    "LOAD httpfs",
    "LOAD '/tmp/x.duckdb_extension'",
    "EXPORT DATABASE '/tmp/dli-export'",
    "IMPORT DATABASE '/tmp/dli-export'",
    "CREATE PERSISTENT SECRET s (TYPE http, BEARER_TOKEN 'x')",
    "SET enable_external_access = true",
    "SET GLOBAL enable_external_access = true",
    "SET allowed_directories = ['/']",
    "SET memory_limit = '100GB'",
    "SET lock_configuration = false",
    "RESET memory_limit",
    "PRAGMA memory_limit = '100GB'",
    "SET temp_directory = '/etc'",
    "SET autoload_known_extensions = true",
]
CHANGE_THE_RUN = [
    "COMMIT",
    "ROLLBACK",
    "BEGIN",
    "SET VARIABLE a = 1",
    "SET integer_division = true",
    "SET search_path = 'x'",
    "USE memory",
    "DETACH iceberg",
    "CHECKPOINT",
    "CALL pragma_version()",
    "PRAGMA enable_profiling",
    "PREPARE p AS SELECT 1",
    "EXECUTE p",
    "EXPLAIN ANALYZE DELETE FROM iceberg.s.t",
    "ATTACH ':memory:' AS x",
    "SELECT 1; DROP TABLE iceberg.s.t",
    "",
]


@pytest.mark.parametrize("sql", [*REACH_OUT, *CHANGE_THE_RUN])
def test_the_statement_is_refused(shared_warehouse: DuckDBWarehouse, sql: str) -> None:
    with shared_warehouse.session() as session, pytest.raises(ExecutionError):
        session.execute(sql)


@pytest.mark.parametrize("sql", REACH_OUT)
def test_f32_the_engine_refuses_it_too(shared_warehouse: DuckDBWarehouse, sql: str) -> None:
    """Whatever got past the check of the statement's kind."""
    with shared_warehouse.session() as session, pytest.raises(duckdb.Error):
        session._cursor.execute(sql).fetchall()


@pytest.mark.parametrize("target", ["clicks.csv", "new.csv"])
def test_the_data_folder_cannot_be_written(
    warehouse: DuckDBWarehouse, project: Path, target: str
) -> None:
    before = {path.name: path.read_bytes() for path in (project / "data").iterdir()}
    with warehouse.session() as session, pytest.raises(ExecutionError) as caught:
        session.execute(f"COPY (SELECT 1) TO '{project}/data/{target}'")
    assert caught.value.code == "DLI-404"
    assert before == {path.name: path.read_bytes() for path in (project / "data").iterdir()}


def test_only_the_files_of_sources_can_be_read(warehouse: DuckDBWarehouse, project: Path) -> None:
    (project / "data" / "private.csv").write_text("a\n1\n")
    (project / "dli.yaml").write_text("version: '1'")
    with warehouse.session() as session:
        assert session.execute(f"SELECT page FROM read_csv('{project}/data/clicks.csv')").rows
        for path in ("data/private.csv", "data/../dli.yaml", "dli.yaml", ".dli/token"):
            with pytest.raises(ExecutionError) as caught:
                session.execute(f"SELECT * FROM read_text('{project}/{path}')")
            assert caught.value.code == "DLI-404"


def test_a_variable_of_the_process_is_no_table(warehouse: DuckDBWarehouse) -> None:
    secret = duckdb.connect().execute("SELECT 'geheim'").fetchall()
    with warehouse.session() as session, pytest.raises(ExecutionError):
        session.execute("SELECT * FROM secret")
    assert secret


def test_what_does_not_fit_in_memory_goes_to_the_state_folder(
    warehouse: DuckDBWarehouse, project: Path
) -> None:
    with warehouse.session() as session:
        settings = session.execute(
            "SELECT current_setting('temp_directory'), current_setting('memory_limit')"
        ).rows[0]
    assert Path(settings[0]).is_relative_to(project / ".dli" / "warehouse")
    assert settings[1] == "488.2 MiB"
