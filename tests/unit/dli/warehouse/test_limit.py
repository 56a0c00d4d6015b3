"""A run begins again while its data cannot be had, and only then."""

from collections.abc import Callable, Sequence

import pytest

from dli.exceptions import ErrorCode, ExecutionError
from dli.models.spec import ExecutionConfig
from dli.specs.dataset import Statement
from dli.warehouse.base import DataHeldError, StatementEvent, StatementInterruptedError
from dli.warehouse.dataset import run_statements
from dli.warehouse.duckdb import DuckDBWarehouse
from dli.warehouse.limit import Limits
from dli.warehouse.planned import PlannedStatement
from dli.warehouse.session import DuckDBSession

STATEMENT = Statement("main", None, "CREATE TABLE iceberg.a.t AS SELECT 1 AS v", False)
WITHOUT_END = Limits(retry_count=10_000, retry_delay_s=60)

Script = Callable[..., list[StatementEvent]]


@pytest.fixture
def run(warehouse: DuckDBWarehouse, monkeypatch: pytest.MonkeyPatch) -> Script:
    """Runs the statement while the data cannot be had for so many times; gives what was told."""

    def script(
        limits: Limits,
        *,
        failures: int,
        error: type[ExecutionError] = DataHeldError,
        on_wait: Callable[[DuckDBSession], None] | None = None,
    ) -> list[StatementEvent]:
        left = [error("held", ErrorCode.CONNECTION_FAILED)] * failures
        told: list[StatementEvent] = []
        prepare = DuckDBSession.prepare

        def stumbling(session: DuckDBSession, plan: Sequence[PlannedStatement]) -> None:
            if left:
                raise left.pop()
            prepare(session, plan)

        monkeypatch.setattr(DuckDBSession, "prepare", stumbling)
        with warehouse.session() as session:

            def tell(event: StatementEvent) -> None:
                told.append(event)
                if on_wait is not None and event.kind == "waiting":
                    on_wait(session)

            result = run_statements(
                session, [STATEMENT], dialect="duckdb", on_event=tell, limits=limits
            )
        assert result.success
        return told

    return script


def test_it_tries_as_often_as_the_spec_says(run: Script) -> None:
    told = run(Limits(retry_count=2), failures=2)
    assert [event.kind for event in told] == ["waiting", "waiting", "started", "finished"]
    assert str(told[0]) == "main (1/1) waiting: [DLI-403] held"


def test_after_the_last_try_it_fails(run: Script) -> None:
    with pytest.raises(DataHeldError) as caught:
        run(Limits(retry_count=2), failures=3)
    assert caught.value.code is ErrorCode.CONNECTION_FAILED


def test_without_retries_it_fails_at_once(run: Script) -> None:
    with pytest.raises(ExecutionError):
        run(Limits(), failures=1)


def test_what_is_wrong_for_another_reason_is_not_tried_again(run: Script) -> None:
    with pytest.raises(ExecutionError) as caught:
        run(WITHOUT_END, failures=1, error=ExecutionError)
    assert type(caught.value) is ExecutionError


def test_a_stop_ends_the_wait(run: Script) -> None:
    with pytest.raises(StatementInterruptedError):
        run(WITHOUT_END, failures=1, on_wait=lambda session: session.interrupt())


def test_the_time_limit_ends_the_wait(run: Script) -> None:
    limits = Limits(timeout_s=0.2, retry_count=10_000, retry_delay_s=60)
    with pytest.raises(ExecutionError) as caught:
        run(limits, failures=1)
    assert caught.value.code is ErrorCode.TIMEOUT


def test_the_limits_are_those_of_the_spec() -> None:
    spec = ExecutionConfig(timeout_seconds=9, retry_count=4, retry_delay_seconds=7)
    assert Limits.of(spec) == Limits(timeout_s=9, retry_count=4, retry_delay_s=7)
    assert Limits.of(spec, is_timed=False).timeout_s is None
