"""Which warehouse a connection string names."""

from pathlib import Path

import pytest

from dli.exceptions import ConfigurationError, ExecutionError
from dli.specs.dataset import Statement
from dli.specs.project import Project
from dli.warehouse.connection import open_warehouse, warehouse_of
from dli.warehouse.dataset import check_statements, run_statements


def write(
    root: Path, connection_string: str | None, table: str, catalog: str | None = None
) -> None:
    statement = Statement("main", None, f"CREATE TABLE {table} AS SELECT 1 AS v", False)
    with (
        open_warehouse(root, connection_string, catalog=catalog) as warehouse,
        warehouse.session() as session,
    ):
        result = run_statements(session, [statement], dialect="trino")
    assert result.error_message is None


@pytest.mark.parametrize(
    ("connection_string", "table", "file"),
    [
        (None, "lake.s.t", ".dli/warehouse/lake.duckdb"),
        ("duckdb:", "lake.s.t", ".dli/warehouse/lake.duckdb"),
        ("duckdb:///", "s.t", ".dli/warehouse/local.duckdb"),
        ("duckdb:///lake", "lake.s.t", "lake/lake.duckdb"),
        ("duckdb:///one.duckdb", "one.s.t", "one.duckdb"),
        ("duckdb:///one.duckdb", "s.t", "one.duckdb"),
        ("duckdb:///one.duckdb?memory_limit=200MB&threads=1", "one.s.t", "one.duckdb"),
    ],
)
def test_where_the_data_goes(
    tmp_path: Path, connection_string: str | None, table: str, file: str
) -> None:
    write(tmp_path, connection_string, table)
    assert (tmp_path / file).is_file()


def test_an_absolute_path_has_four_slashes(tmp_path: Path) -> None:
    project, elsewhere = tmp_path / "project", tmp_path / "elsewhere"
    project.mkdir()
    write(project, f"duckdb:///{elsewhere}", "lake.s.t")
    assert (elsewhere / "lake.duckdb").is_file()


def test_the_environment_names_the_catalog_of_a_file(tmp_path: Path) -> None:
    write(tmp_path, "duckdb:///one.duckdb", "iceberg.s.t", catalog="iceberg")
    with pytest.raises(ExecutionError, match="no catalog one"):
        write(tmp_path, "duckdb:///one.duckdb", "one.s.t", catalog="iceberg")


def test_the_environment_names_where_short_names_live(tmp_path: Path) -> None:
    (tmp_path / "dli.yaml").write_text("environments: {dev: {catalog: lake, schema: sea}}")
    project = Project.open(tmp_path, {})
    made = "CREATE TABLE shell AS SELECT 1 AS v"
    with warehouse_of(project) as warehouse, warehouse.session() as session:
        statements = [Statement("main", None, made, False)]
        assert check_statements(session, statements, dialect="trino") == []
        assert run_statements(session, statements, dialect="trino").success
        for name in ("shell", "sea.shell", "lake.sea.shell"):
            read = [Statement("main", None, f"SELECT v FROM {name}", False)]
            assert check_statements(session, read, dialect="trino") == []
            assert run_statements(session, read, dialect="trino").success
    assert (tmp_path / ".dli" / "warehouse" / "lake.duckdb").is_file()


def test_other_files_beside_a_single_file_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("geheim")
    with (
        open_warehouse(tmp_path, "duckdb:///one.duckdb") as warehouse,
        warehouse.session() as session,
        pytest.raises(ExecutionError) as caught,
    ):
        session.execute(f"SELECT * FROM read_text('{tmp_path}/token')")
    assert caught.value.code == "DLI-404"


@pytest.mark.parametrize("scheme", ["trino", "bigquery", "snowflake", "spark"])
def test_an_engine_of_a_later_release_is_told(tmp_path: Path, scheme: str) -> None:
    with pytest.raises(ExecutionError, match=scheme) as caught:
        open_warehouse(tmp_path, f"{scheme}://user:geheim@host/x")
    assert caught.value.code == "DLI-403"
    assert "geheim" not in str(caught.value)


@pytest.mark.parametrize(
    "connection_string",
    [
        "mysql://user:geheim@host/x",
        "one.duckdb",
        "duckdb://one.duckdb",
        "duckdb:///one.duckdb?colour=red",
        "duckdb:///one.duckdb?threads=many",
    ],
)
def test_a_connection_string_of_no_known_form_is_refused(
    tmp_path: Path, connection_string: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        open_warehouse(tmp_path, connection_string)
    assert "geheim" not in str(caught.value)
