"""A small project with a warehouse of its own."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dli.specs.project_file import SourceDefinition
from dli.warehouse.duckdb import DuckDBWarehouse
from dli.warehouse.instance import EngineLimits

CLICKS = "dt,page\n2026-01-01,a\n2026-01-01,b\n2026-01-02,a\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "clicks.csv").write_text(CLICKS)
    return tmp_path


@pytest.fixture(scope="module")
def shared_warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckDBWarehouse]:
    """For tests that change nothing: an engine takes a moment to start."""
    root = tmp_path_factory.mktemp("shared")
    with DuckDBWarehouse(root / "w", data_root=root, limits=EngineLimits(threads=1)) as warehouse:
        yield warehouse


@pytest.fixture
def make_warehouse(project: Path) -> Iterator[Callable[..., DuckDBWarehouse]]:
    made: list[DuckDBWarehouse] = []

    def make(**options: Any) -> DuckDBWarehouse:
        source = SourceDefinition(table="iceberg.raw.clicks", path="data/clicks.csv")
        options.setdefault("sources", [source])
        options.setdefault("limits", EngineLimits(memory="512MB", threads=2))
        folder = project / ".dli" / "warehouse"
        made.append(DuckDBWarehouse(folder, data_root=project, **options))
        return made[-1]

    yield make
    for warehouse in made:
        warehouse.shutdown()


@pytest.fixture
def warehouse(make_warehouse: Callable[..., DuckDBWarehouse]) -> DuckDBWarehouse:
    return make_warehouse()


@pytest.fixture
def run(warehouse: DuckDBWarehouse) -> Callable[..., list[tuple[Any, ...]]]:
    """Runs statements one by one, as a spec in DuckDB's dialect would; gives the last rows."""
    from dli.specs.dataset import Statement
    from dli.warehouse.plan import plan_statements

    def execute(*texts: str) -> list[tuple[Any, ...]]:
        plan = plan_statements(
            [Statement("main", None, text, continue_on_error=False) for text in texts],
            dialect="duckdb",
            engine_dialect="duckdb",
        )
        with warehouse.session() as session:
            session.prepare(plan)
            return [session.execute(planned.sql) for planned in plan][-1].rows

    return execute
