"""What a user of the library writes; type checked by `test_typing.py`, never run."""

from pathlib import Path
from typing import Any, assert_type

from dli import (
    ConfigurationError,
    DatasetNotFoundError,
    DLIError,
    DLIValidationError,
    ErrorCode,
    ExecutionContext,
    ExecutionError,
    ExecutionMode,
    QualityTestExecutionError,
    ServerError,
    WorkflowAPI,
    WorkflowExecutionError,
    WorkflowNotFoundError,
    WorkflowPermissionError,
    WorkflowRegistrationError,
    __version__,
)
from dli.core.catalog import TableDetail, TableInfo
from dli.core.client import BasecampClient, ServerConfig, create_client
from dli.core.executor import BaseExecutor, MockExecutor, QueryExecutor
from dli.core.models import DatasetSpec, ExecutionResult, QueryParameter
from dli.core.workflow.models import (
    RunStatus,
    RunType,
    ScheduleConfig,
    SourceType,
    WorkflowInfo,
    WorkflowRun,
    WorkflowStatus,
)
from dli.models import DatasetResult, ResultStatus, SQLDialect, ValidationResult
from dli.models.workflow import WorkflowRunResult, WorkflowStatusResult

dialect: SQLDialect = "duckdb"
context = ExecutionContext(
    project_path=Path(),
    server_url="http://basecamp:8080",
    api_token="token",
    execution_mode=ExecutionMode.SERVER,
    timeout=60,
    dry_run=True,
    dialect=dialect,
    parameters={"country": "KR"},
)
assert_type(context.execution_mode, ExecutionMode)
assert_type(context.project_path, Path | None)
version: str = __version__
ExecutionContext()
ExecutionContext(project_path=".", mock_mode=True)
ExecutionContext(timeout="60")  # type: ignore[arg-type]
ExecutionContext(tiemout=60)  # type: ignore[call-arg]


def workflows(client: BasecampClient) -> None:
    api = WorkflowAPI(context=context, client=client)
    info = api.get("iceberg.analytics.daily_clicks")
    assert_type(info, WorkflowInfo | None)
    result = api.register("iceberg.analytics.daily_clicks", cron="0 9 * * *", enabled=True)
    if result.workflow_info:
        assert_type(result.workflow_info.status, WorkflowStatus)
    run = api.run("iceberg.analytics.daily_clicks", parameters={"execution_date": "2025-01-01"})
    assert_type(run, WorkflowRunResult)
    if run.run_id is not None:
        status = api.get_status(run.run_id)
        assert_type(status, WorkflowStatusResult)
        assert_type(status.duration_seconds, float | None)
    for workflow in api.list_workflows(source_type=SourceType.MANUAL).workflows:
        assert_type(workflow.is_active, bool)
    for each in api.history(run_status=RunStatus.FAILED, limit=10).runs:
        assert_type(each, WorkflowRun)
        assert_type(each.run_type, RunType)
    api.backfill("d", start_date="2025-01-01", end_date="2025-01-07", dry_run=True)
    api.pause("d")
    api.unpause("d")
    api.unregister("d")
    api.run("d", {"execution_date": "2025-01-01"})  # type: ignore[call-arg]


def errors(api: WorkflowAPI) -> str | None:
    try:
        api.stop("run")
    except WorkflowNotFoundError as error:
        return error.dataset_name
    except (WorkflowPermissionError, WorkflowRegistrationError) as error:
        return error.message
    except WorkflowExecutionError as error:
        return error.run_id if error.code == "DLI-807" else error.code.value
    except DatasetNotFoundError as error:
        return error.name
    except ServerError as error:
        return error.url
    except DLIValidationError as error:
        assert_type(error.errors, list[str])
    except (ExecutionError, QualityTestExecutionError) as error:
        assert_type(error.cause, BaseException | None)
    except ConfigurationError as error:
        assert_type(error.details, dict[str, Any])
    except DLIError as error:
        assert_type(error.code, ErrorCode)
    return None


def build() -> None:
    raise WorkflowExecutionError(
        "no", ErrorCode.TIMEOUT, {"status_code": 504}, dataset_name="d", run_id="r"
    )


def models(spec: DatasetSpec, table: TableInfo, detail: TableDetail) -> None:
    assert_type(spec.schedule, ScheduleConfig | None)
    assert_type(spec.parameters, list[QueryParameter])
    assert_type(spec.base_dir, Path | None)
    spec.owner = "someone"
    assert_type(table.project, str)
    assert_type(detail.pii_column_count, int)
    result = ValidationResult(valid=True)
    result.valid = False  # type: ignore[misc]
    assert_type(DatasetResult.model_validate({}).status, ResultStatus)
    ScheduleConfig(cron="0 9 * * *")


class OwnExecutor(BaseExecutor):
    def execute_sql(self, sql: str, *, timeout_seconds: int | None = None) -> ExecutionResult:
        return ExecutionResult(dataset_name="d", phase="main", success=True, rendered_sql=sql)

    def test_connection(self) -> bool:
        return True

    def close(self) -> None: ...


def executors() -> list[QueryExecutor]:
    return [OwnExecutor(), MockExecutor([{"a": 1}])]


def clients() -> list[BasecampClient]:
    return [create_client(), BasecampClient(ServerConfig(url="http://basecamp:8080"))]
