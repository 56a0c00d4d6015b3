"""MOCK answers of datasets, metrics, quality and transpile: fixed, and nothing is ever called."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from dli.api import (
    CatalogAPI,
    ConfigAPI,
    DatasetAPI,
    MetricAPI,
    QualityAPI,
    TranspileAPI,
    WorkflowAPI,
)
from dli.exceptions import DatasetNotFoundError, DLIValidationError, MetricNotFoundError
from dli.models.common import DatasetResult, ExecutionContext, MetricResult
from dli.models.state import ExecutionMode, ResultStatus
from dli.specs.project import Project
from dli.warehouse.executor import QueryExecutor

CLICKS = "iceberg.analytics.daily_clicks"
EVENTS = "iceberg.warehouse.user_events"
Spec = DatasetAPI | MetricAPI


@pytest.fixture
def executor() -> Mock:
    return Mock(spec=QueryExecutor)


@pytest.fixture(params=[DatasetAPI, MetricAPI])
def spec_api(
    request: pytest.FixtureRequest, mock_context: ExecutionContext, executor: Mock
) -> Spec:
    api: Spec = request.param(mock_context, executor)
    return api


def test_specs(spec_api: Spec, executor: Mock) -> None:
    assert spec_api.get("a.b") is None
    assert spec_api.validate("a.b").valid
    assert spec_api.render_sql("a.b") == "-- Mock SQL for a.b"
    assert spec_api.get_tables("a.b") == []
    assert spec_api.get_columns("a.b") == []
    assert spec_api.test_connection() is True
    spec_api.register("a.b")
    assert executor.mock_calls == []


def test_nothing_is_registered(spec_api: Spec) -> None:
    with pytest.raises((DatasetNotFoundError, MetricNotFoundError)):
        spec_api.get_registered("a.b")


def test_lists_are_empty(mock_context: ExecutionContext) -> None:
    assert DatasetAPI(mock_context).list_datasets() == []
    assert MetricAPI(mock_context).list_metrics(source="server") == []


def test_runs(spec_api: Spec) -> None:
    result: DatasetResult | MetricResult = spec_api.run("a.b")
    assert (result.name, result.status) == ("a.b", ResultStatus.SUCCESS)
    assert (result.duration_ms, result.sql) == (0, None)
    assert (spec_api.run("a.b", show_sql=True).sql or "").startswith("-- Mock SQL")
    if isinstance(result, MetricResult):
        assert (result.data, result.row_count) == ([], 0)


def test_an_inline_statement_is_echoed(mock_context: ExecutionContext) -> None:
    result = DatasetAPI(mock_context).run_sql("SELECT 1")
    assert (result.name, result.sql) == ("<inline>", "SELECT 1")
    assert result.status is ResultStatus.SUCCESS


def test_path_and_server_exclude_each_other(mock_context: ExecutionContext, tmp_path: Any) -> None:
    with pytest.raises(DLIValidationError, match="DLI-204"):
        DatasetAPI(mock_context).list_datasets(tmp_path, source="server")
    with pytest.raises(DLIValidationError, match="DLI-204"):
        MetricAPI(mock_context).list_metrics(tmp_path, source="server")


def test_a_blank_name_is_refused(spec_api: Spec) -> None:
    for call in (
        spec_api.get,
        spec_api.run,
        spec_api.validate,
        spec_api.register,
        spec_api.render_sql,
        spec_api.get_tables,
        spec_api.get_columns,
    ):
        with pytest.raises(DLIValidationError, match="DLI-204"):
            call("")


def test_transpile(mock_context: ExecutionContext) -> None:
    api = TranspileAPI(mock_context)
    result = api.transpile("SELECT * FROM raw.events", target_dialect="bigquery")
    assert result.success
    assert not result.has_changes
    assert (result.applied_rules, result.warnings) == ([], [])
    assert api.format_sql("select  1") == "select  1"
    assert api.validate_sql("anything").valid
    blank = api.validate_sql("  \n")
    assert not blank.valid
    assert "Empty SQL" in blank.errors[0]
    (rule,) = api.get_rules()
    assert (rule.source_table, rule.target_table) == ("raw.events", "warehouse.events_v2")
    assert rule.priority == 10


def test_qualities(mock_context: ExecutionContext) -> None:
    found = QualityAPI(mock_context).list_qualities()
    assert [(q.name, q.target_name, q.test_type, q.severity.value, q.status) for q in found] == [
        ("pk_unique", CLICKS, "unique", "error", "active"),
        ("not_null_user_id", CLICKS, "not_null", "error", "active"),
        ("valid_country_code", CLICKS, "accepted_values", "warn", "active"),
        ("unique_event_id", EVENTS, "unique", "error", "active"),
    ]
    assert {q.target_urn for q in found} == {f"dataset:{CLICKS}", f"dataset:{EVENTS}"}


@pytest.mark.parametrize(
    ("filters", "count"),
    [
        ({"target_type": "dataset"}, 4),
        ({"target_type": "metric"}, 0),
        ({"target_name": "user_events"}, 1),
        ({"status": "active"}, 4),
        ({"status": "gone"}, 0),
    ],
)
def test_filters_of_qualities(
    mock_context: ExecutionContext, filters: dict[str, str], count: int
) -> None:
    assert len(QualityAPI(mock_context).list_qualities(**filters)) == count


def test_one_quality(mock_context: ExecutionContext) -> None:
    found = QualityAPI(mock_context).get("pk_unique")
    assert found is not None
    assert found.target_name == CLICKS
    assert QualityAPI(mock_context).get("nope") is None


@pytest.mark.parametrize(
    "kind",
    [CatalogAPI, ConfigAPI, DatasetAPI, MetricAPI, QualityAPI, TranspileAPI, WorkflowAPI],
)
def test_every_class_keeps_its_context_and_hides_the_token(kind: Callable[..., Any]) -> None:
    context = ExecutionContext(api_token="s3cret", execution_mode=ExecutionMode.SERVER)
    api = kind(context)
    assert api.context is context
    assert repr(api).startswith(f"{type(api).__name__}(context=ExecutionContext(")
    assert "s3cret" not in repr(api)
    assert kind().context.execution_mode is ExecutionMode.LOCAL


def test_what_is_new_has_samples_too(mock_context: ExecutionContext, spec_api: Spec) -> None:
    assert spec_api.diff("a.b") == ""
    assert spec_api.get_versions("a.b") == []
    if isinstance(spec_api, DatasetAPI):
        assert spec_api.check("a.b").valid
        assert spec_api.get_rows("a.b") == []
    assert QualityAPI(mock_context).get_history("pk_unique") == []


def test_collaborators_are_made_on_first_use_and_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Path] = []
    open_project = Project.open

    def counted(root: Path, env: Mapping[str, str] | None = None) -> Project:
        opened.append(root)
        return open_project(root, env)

    monkeypatch.setattr(Project, "open", staticmethod(counted))
    (tmp_path / "dli.yaml").write_text("")
    api = DatasetAPI(ExecutionContext(project_path=tmp_path))
    assert opened == []
    assert api.get("a.b") is None
    assert api.list_datasets() == []
    assert opened == [tmp_path]
    client = WorkflowAPI(
        ExecutionContext(server_url="http://h:1", execution_mode=ExecutionMode.SERVER)
    )
    assert client._client is None
    assert client._connected() is client._connected()
