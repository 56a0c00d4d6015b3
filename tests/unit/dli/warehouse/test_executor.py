"""Executors that callers inject."""

import pytest

from dli.models.execution import ExecutionResult
from dli.warehouse.executor import BaseExecutor, MockExecutor, QueryExecutor


class Structural:
    """An executor that knows nothing of ours but the result."""

    def execute_sql(self, sql: str, *, timeout_seconds: int | None = None) -> ExecutionResult:
        return ExecutionResult(dataset_name=sql, phase=str(timeout_seconds), success=True)

    def test_connection(self) -> bool:
        return True

    def close(self) -> None: ...


def test_the_mock_gives_its_rows_and_records_statements() -> None:
    executor = MockExecutor([{"a": 1, "b": 2}, {"a": 3, "b": 4}])
    result = executor.execute_sql("SELECT 1", timeout_seconds=5)
    executor.execute_sql("SELECT 2")
    assert executor.statements == ["SELECT 1", "SELECT 2"]
    assert (result.success, result.row_count, result.columns) == (True, 2, ["a", "b"])
    assert result.data == [{"a": 1, "b": 2}, {"a": 3, "b": 4}]
    assert executor.test_connection() is True
    executor.close()


def test_the_mock_has_no_rows_by_default_and_keeps_its_own() -> None:
    assert MockExecutor().execute_sql("SELECT 1").data == []
    executor = MockExecutor([{"a": 1}])
    executor.execute_sql("SELECT 1").data[0]["a"] = 2
    assert executor.execute_sql("SELECT 1").data == [{"a": 1}]


def test_any_object_with_the_methods_is_an_executor() -> None:
    for executor in (Structural(), MockExecutor()):
        assert isinstance(executor, QueryExecutor)
    assert not isinstance(object(), QueryExecutor)


def test_a_base_executor_needs_all_its_methods() -> None:
    class Half(BaseExecutor):
        def test_connection(self) -> bool:
            return True

    with pytest.raises(TypeError, match=r"close.*execute_sql"):
        Half()  # type: ignore[abstract]
