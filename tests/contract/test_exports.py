"""The import paths that users rely on: a kept name may never move away from any of them."""

import json
import subprocess
import sys
from importlib import import_module
from typing import Any

import click.testing
import pytest
import typer.testing

import dli
from dli.main import app

LIBRARY_NAMES = """
    __version__
    DatasetAPI MetricAPI TranspileAPI CatalogAPI ConfigAPI QualityAPI WorkflowAPI
    ExecutionContext ExecutionMode
    DLIError ErrorCode ConfigurationError DLIValidationError ExecutionError DatasetNotFoundError
    MetricNotFoundError TranspileError ServerError TableNotFoundError
    QualitySpecNotFoundError QualitySpecParseError QualityTargetNotFoundError
    QualityTestExecutionError QualityNotFoundError
    WorkflowNotFoundError WorkflowRegistrationError WorkflowExecutionError WorkflowPermissionError
"""
LIBRARY = LIBRARY_NAMES.split()

COMMON = """
    ExecutionContext ExecutionMode ResultStatus ValidationResult BaseResult DatasetResult
    MetricResult TranspileWarning TranspileRule TranspileResult EnvironmentInfo ConfigValue
    CatalogListResult TableDetailResult CatalogSearchResult DataSource SQLDialect
"""
WORKFLOW = """
    WorkflowRegisterResult WorkflowRunResult WorkflowListResult WorkflowStatusResult
    WorkflowHistoryResult
"""
QUALITY = """
    QualityTargetType QualityTarget DqTestDefinitionSpec QualitySchedule SlackNotification
    EmailNotification QualityNotifications QualityMetadata QualitySpec DqQualityResult QualityInfo
"""
CATALOG = """
    ColumnInfo OwnershipInfo FreshnessInfo QualityTestResult QualityInfo ImpactSummary SampleQuery
    TableInfo TableDetail
"""
BASE = """
    QueryType SpecType ParameterType QueryParameter StatementDefinition DatasetVersion
    ExecutionConfig
"""
METRIC = "AggregationType DimensionType MetricDefinition DimensionDefinition MetricSpec"
EXECUTION = "ValidationResult ExecutionResult DatasetExecutionResult MetricExecutionResult"

PUBLIC = {
    "dli.exceptions": """
        ErrorCode DLIError ConfigurationError DLIValidationError ExecutionError
        DatasetNotFoundError MetricNotFoundError TableNotFoundError TranspileError ServerError
        WorkflowNotFoundError WorkflowRegistrationError WorkflowExecutionError
        WorkflowPermissionError QualitySpecNotFoundError QualitySpecParseError
        QualityTargetNotFoundError QualityTestExecutionError QualityNotFoundError CatalogError
        CatalogTableNotFoundError InvalidIdentifierError UnsupportedEngineError
    """,
    "dli.models": COMMON + WORKFLOW + QUALITY,
    "dli.models.common": COMMON,
    "dli.models.workflow": WORKFLOW,
    "dli.models.quality": QUALITY,
    "dli.core.workflow.models": """
        SourceType WorkflowStatus RunStatus RunType WorkflowInfo WorkflowRun ScheduleConfig
        RetryConfig NotificationTarget NotificationConfig
    """,
    "dli.core.catalog": CATALOG,
    "dli.core.catalog.models": CATALOG,
    "dli.core.quality.models": """
        DqTestType DqSeverity DqStatus DqTestDefinition DqTestResult DqTestConfig QualityReport
    """,
    "dli.core.transpile.models": """
        Dialect RuleType WarningType MetricMatch TranspileConfig TranspileRule TranspileWarning
        MetricDefinition TranspileMetadata TranspileResult
    """,
    "dli.core.models": f"{BASE} SpecBase DatasetSpec {METRIC} {EXECUTION}",
    "dli.core.models.base": BASE,
    "dli.core.models.spec": "SpecBase",
    "dli.core.models.dataset": "DatasetSpec",
    "dli.core.models.metric": METRIC,
    "dli.core.lineage": "LineageDirection LineageNode LineageEdge LineageResult",
    "dli.core.executor": "BaseExecutor QueryExecutor MockExecutor",
    "dli.core.client": """
        BasecampClient ServerConfig ServerResponse WorkflowSource RunStatus create_client
    """,
    "dli.api": "DatasetAPI MetricAPI TranspileAPI CatalogAPI ConfigAPI QualityAPI WorkflowAPI",
    "dli.api.dataset": "DatasetAPI",
    "dli.api.metric": "MetricAPI",
    "dli.api.transpile": "TranspileAPI",
    "dli.api.catalog": "CatalogAPI",
    "dli.api.config": "ConfigAPI",
    "dli.api.quality": "QualityAPI",
    "dli.api.workflow": "WorkflowAPI",
    "dli.main": "app",
}
KEPT = [(path, name) for path, names in PUBLIC.items() for name in names.split()]

SAME = [
    ("dli.core.client:RunStatus", "dli.core.workflow.models:RunStatus"),
    ("dli.core.catalog:TableInfo", "dli.core.catalog.models:TableInfo"),
    ("dli.core.models:DatasetSpec", "dli.core.models.dataset:DatasetSpec"),
    ("dli.core.models:MetricDefinition", "dli.core.models.metric:MetricDefinition"),
    ("dli.models:QualityInfo", "dli.models.quality:QualityInfo"),
    ("dli.models:ExecutionContext", "dli.models.common:ExecutionContext"),
]
DIFFERENT = [
    ("dli.models.common:TranspileRule", "dli.core.transpile.models:TranspileRule"),
    ("dli.models.common:TranspileWarning", "dli.core.transpile.models:TranspileWarning"),
    ("dli.models.common:TranspileResult", "dli.core.transpile.models:TranspileResult"),
    ("dli.core.models.metric:MetricDefinition", "dli.core.transpile.models:MetricDefinition"),
    ("dli.models.quality:QualityInfo", "dli.core.catalog:QualityInfo"),
    ("dli.models.common:ValidationResult", "dli.core.models:ValidationResult"),
]


def find(place: str) -> object:
    path, _, name = place.partition(":")
    return getattr(import_module(path), name)


@pytest.mark.parametrize(("path", "name"), KEPT, ids=lambda part: part)
def test_a_kept_name_is_where_users_import_it_from(path: str, name: str) -> None:
    module = import_module(path)
    assert getattr(module, name) is not None
    assert name in vars(module)["__all__"]
    assert name in dir(module)


def test_the_library_exports_exactly_its_29_names() -> None:
    assert len(LIBRARY) == 29
    assert sorted(dli.__all__) == sorted(LIBRARY)
    assert set(LIBRARY) <= set(dir(dli))


@pytest.mark.parametrize("name", [name for name in LIBRARY if name != "__version__"])
def test_a_library_name_is_the_object_of_its_home_module(name: str) -> None:
    homes = [f"{path}:{kept}" for path, kept in KEPT if kept == name]
    assert homes
    assert {id(find(home)) for home in homes} == {id(getattr(dli, name))}


def test_all_library_names_come_in_one_statement_of_a_fresh_interpreter() -> None:
    code = f"from dli import {', '.join(LIBRARY)}; print({LIBRARY[1]}.__name__)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "DatasetAPI\n"


@pytest.mark.parametrize("runner", [click.testing.CliRunner(), typer.testing.CliRunner()])
def test_the_application_works_with_both_test_runners(
    runner: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DLI_EXECUTION_MODE", "mock")
    listed = runner.invoke(app, ["workflow", "list", "--format", "json"])
    assert listed.exit_code == 0
    assert len(json.loads(listed.stdout)) == 3
    assert "MOCK" in listed.stderr
    assert "MOCK" not in listed.stdout
    refused = runner.invoke(app, ["workflow", "status", "no-such-run"])
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "[DLI-800]" in refused.stderr
    assert runner.invoke(app, ["workflow", "rum"]).exit_code == 2
    assert runner.invoke(app, "--version").stdout == f"dli {dli.__version__}\n"


@pytest.mark.parametrize("module", ["dli", "dli.models", "dli.models.common"])
def test_an_unknown_name_is_an_attribute_error(module: str) -> None:
    with pytest.raises(AttributeError, match="NoSuchName"):
        _ = import_module(module).NoSuchName


@pytest.mark.parametrize(("one", "other"), SAME)
def test_one_thing_under_two_paths(one: str, other: str) -> None:
    assert find(one) is find(other)


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_two_things_of_one_name(one: str, other: str) -> None:
    assert find(one) is not find(other)


def test_workflow_sources_have_the_two_kept_values() -> None:
    source = import_module("dli.core.client").WorkflowSource
    assert {member.value for member in source} == {"code", "manual"}


def test_importing_the_errors_or_the_states_needs_no_pydantic() -> None:
    code = (
        "import json, sys, dli.exceptions, dli.models.state;"
        "from dli import DLIError, ExecutionMode;"
        "print(json.dumps([name for name in sys.modules if name.startswith('pydantic')]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == []
