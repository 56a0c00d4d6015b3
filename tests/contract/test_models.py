"""Fields, defaults and mutability of every model that users build or read."""

import dataclasses
import os
from datetime import UTC, datetime, timedelta
from enum import Enum
from importlib import import_module
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from dli.models.common import DataSource, SQLDialect
from dli.models.state import RunType

KEPT: dict[str, dict[str, Any]] = yaml.safe_load(
    Path(__file__).with_name("models.yaml").read_text(encoding="utf-8")
)
PLAIN = [name for name, kept in KEPT.items() if kept["kind"] == "dataclass"]
MODELS = [name for name in KEPT if name not in PLAIN]

ENUMS = {
    "state.ExecutionMode": "LOCAL=local SERVER=server MOCK=mock",
    "state.ResultStatus": "SUCCESS=success FAILURE=failure SKIPPED=skipped PENDING=pending",
    "state.SourceType": "MANUAL=manual CODE=code",
    "state.WorkflowStatus": "ACTIVE=active PAUSED=paused OVERRIDDEN=overridden",
    "state.RunStatus": (
        "PENDING=PENDING RUNNING=RUNNING COMPLETED=COMPLETED FAILED=FAILED KILLED=KILLED"
    ),
    "quality.QualityTargetType": "DATASET=dataset METRIC=metric",
    "dq.DqTestType": (
        "NOT_NULL=not_null UNIQUE=unique ACCEPTED_VALUES=accepted_values "
        "RELATIONSHIPS=relationships RANGE_CHECK=range_check ROW_COUNT=row_count SINGULAR=singular"
    ),
    "dq.DqSeverity": "ERROR=error WARN=warn",
    "dq.DqStatus": "PASS=pass FAIL=fail WARN=warn ERROR=error SKIPPED=skipped",
    "transpile.Dialect": "TRINO=trino BIGQUERY=bigquery",
    "transpile.RuleType": (
        "TABLE_SUBSTITUTION=table_substitution METRIC_EXPANSION=metric_expansion"
    ),
    "transpile.WarningType": (
        "NO_LIMIT=no_limit SELECT_STAR=select_star DUPLICATE_CTE=duplicate_cte "
        "CORRELATED_SUBQUERY=correlated_subquery DANGEROUS_STATEMENT=dangerous_statement "
        "METRIC_ERROR=metric_error"
    ),
    "spec.QueryType": "SELECT=SELECT DML=DML",
    "spec.SpecType": "METRIC=Metric DATASET=Dataset",
    "spec.ParameterType": (
        "STRING=string INTEGER=integer FLOAT=float DATE=date BOOLEAN=boolean LIST=list"
    ),
    "metric.AggregationType": (
        "COUNT=count COUNT_DISTINCT=count_distinct SUM=sum AVG=avg MIN=min MAX=max"
    ),
    "metric.DimensionType": "CATEGORICAL=categorical TIME=time",
    "lineage.LineageDirection": "UPSTREAM=upstream DOWNSTREAM=downstream BOTH=both",
}

SAMPLES: dict[str, Any] = {
    # values for required fields, by name; classes that mean something else by a name come below
    "aggregation": "sum",
    "dialect": "trino",
    "duration_ms": 3,
    "is_valid": True,
    "metadata": {"owner": "o"},
    "recipients": ["a@example.com"],
    "run_status": "RUNNING",
    "run_type": "adhoc",
    "source_type": "manual",
    "started_at": "2025-01-01T00:00:00Z",
    "success": True,
    "target": {"type": "dataset", "name": "a.b.c"},
    "target_type": "dataset",
    "total_count": 1,
    "valid": True,
}
OWN_SAMPLES: dict[str, dict[str, Any]] = {
    "catalog.QualityTestResult": {"status": "pass"},
    "quality.DqTestDefinitionSpec": {"type": "unique"},
    "quality.QualityTarget": {"type": "metric"},
    "spec.DatasetVersion": {"started_at": "2025-01-01"},
    "spec.SpecBase": {"type": "Metric", "query_type": "SELECT"},
    "transpile.TranspileResult": {"metadata": {"original_sql": "SELECT 1", "dialect": "trino"}},
    "transpile.TranspileRule": {"type": "metric_expansion", "target": "x"},
    "transpile.TranspileWarning": {"type": "no_limit"},
    "workflow.WorkflowInfo": {"status": "active"},
    "workflow.WorkflowRun": {"status": "RUNNING"},
}


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The context is a model too; nothing outside of a test may fill it."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("DLI_")]:
        monkeypatch.delenv(name)


def find(name: str) -> Any:
    module, _, attribute = name.partition(".")
    return getattr(import_module(f"dli.models.{module}"), attribute)


def as_json(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    return value.value if isinstance(value, Enum) else value


def described(default: Any) -> Any:
    """A default as `models.yaml` writes it."""
    if isinstance(default, datetime):
        assert default.tzinfo is UTC
        assert abs(datetime.now(UTC) - default) < timedelta(minutes=1)
        return "now"
    return as_json(default)


def pydantic_default(field: FieldInfo) -> Any:
    return "*" if field.is_required() else field.get_default(call_default_factory=True)


def dataclass_default(field: dataclasses.Field[Any]) -> Any:
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return "*" if field.default is dataclasses.MISSING else field.default


def sample(name: str) -> Any:
    required = [field for field, default in KEPT[name]["fields"].items() if default == "*"]
    own = OWN_SAMPLES.get(name, {})
    status = "success" if name.startswith(("common.", "workflow.")) else "pass"
    return find(name).model_validate(
        {field: own.get(field, {"status": status, **SAMPLES}.get(field, "x")) for field in required}
    )


@pytest.mark.parametrize("name", MODELS)
def test_a_model_has_the_kept_fields_and_defaults(name: str) -> None:
    fields = find(name).model_fields
    found = {field: described(pydantic_default(info)) for field, info in fields.items()}
    assert found == KEPT[name]["fields"]


@pytest.mark.parametrize("name", PLAIN)
def test_a_dataclass_has_the_kept_fields_and_defaults(name: str) -> None:
    fields = dataclasses.fields(find(name))
    found = {field.name: described(dataclass_default(field)) for field in fields}
    assert found == KEPT[name]["fields"]


@pytest.mark.parametrize("name", MODELS)
def test_a_model_round_trips_through_json(name: str) -> None:
    model = sample(name)
    dumped = model.model_dump(mode="json")
    assert type(model).model_validate(dumped) == model
    assert type(model).model_validate_json(model.model_dump_json()) == model


@pytest.mark.parametrize("name", MODELS)
def test_only_frozen_models_refuse_assignment(name: str) -> None:
    model = sample(name)
    field = next(iter(KEPT[name]["fields"]))
    if KEPT[name]["kind"] == "frozen":
        with pytest.raises(ValidationError, match="frozen"):
            setattr(model, field, getattr(model, field))
    else:
        setattr(model, field, getattr(model, field))


@pytest.mark.parametrize("name", MODELS)
def test_no_two_models_share_a_default(name: str) -> None:
    first, second = sample(name), sample(name)
    for field in KEPT[name]["fields"]:
        value = getattr(first, field)
        if isinstance(value, list | dict | BaseModel):
            assert value is not getattr(second, field), field


@pytest.mark.parametrize(("name", "members"), ENUMS.items())
def test_an_enum_has_the_kept_members_and_is_text(name: str, members: str) -> None:
    enum = find(name)
    assert dict(pair.split("=") for pair in members.split()) == {
        member.name: member.value for member in enum
    }
    assert all(f"{member}" == member.value and isinstance(member, str) for member in enum)


def test_literals_have_the_kept_values() -> None:
    assert get_args(RunType) == ("adhoc", "scheduled", "backfill")
    assert get_args(DataSource) == ("local", "server")
    assert get_args(SQLDialect) == ("trino", "bigquery", "snowflake", "duckdb", "spark")
