"""The records of `docs/http-api.md` as OpenAPI shows them; tests hold real answers to them."""

from datetime import date, datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from basecamp.routes.query import Source
from dli.models.catalog import SampleQuery, TableInfo

RunState = Literal["PENDING", "RUNNING", "COMPLETED", "FAILED", "KILLED"]
RunKind = Literal["adhoc", "scheduled", "backfill"]

TestState = Literal["pass", "fail", "warn", "error", "skipped"]

RoleName = Literal["viewer", "operator", "owner", "admin", "auditor"]


class Record(BaseModel):
    """An answer; every field is always there, `null` when it has no value."""

    model_config = ConfigDict(extra="forbid")


class PageRecord(Record):
    """What each page of a list tells beside its items."""

    total_count: int
    limit: int
    offset: int
    next_offset: int | None


class WorkflowRecord(Record):
    dataset_name: str
    source_type: Source
    status: Literal["active", "paused", "overridden"]
    enabled: bool
    cron: str
    timezone: str
    next_run: datetime | None
    overridden_by: Literal["code"] | None
    owner: str
    team: str
    description: str
    tags: list[str]
    retry_max_attempts: int
    retry_delay_seconds: int
    last_run_at: datetime | None
    last_run_status: RunState | None
    pause_reason: str | None
    paused_by: str | None
    pause_until: datetime | None
    error: str | None
    created_at: datetime
    updated_at: datetime


class SkippedTickRecord(Record):
    first_at: datetime
    last_at: datetime
    count: int
    reason: str


class WorkflowDetailRecord(WorkflowRecord):
    spec_hash: str
    skipped_ticks: list[SkippedTickRecord]


class WorkflowChangeRecord(WorkflowRecord):
    message: str


class WorkflowRegisterRecord(WorkflowChangeRecord):
    warning: str | None


class WorkflowRemovalRecord(Record):
    dataset_name: str
    message: str


class WorkflowPage(PageRecord):
    workflows: list[WorkflowRecord]


class RunBase(Record):
    run_id: str
    dataset_name: str
    source_type: Source
    status: RunState
    parameters: dict[str, Any]
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    duration_seconds: float | None
    triggered_by: str
    stop_reason: str | None
    error_message: str | None


class RunRecord(RunBase):
    run_type: RunKind
    logical_date: datetime
    data_interval_start: datetime
    data_interval_end: datetime
    attempt: int
    max_attempts: int
    backfill_id: str | None
    rows_affected: int | None
    stopped_by: str | None


class AttemptRecord(Record):
    attempt: int
    started_at: datetime
    finished_at: datetime
    status: str
    error_message: str | None


class RunDetailRecord(RunRecord):
    attempts: list[AttemptRecord]


class RunStartRecord(RunRecord):
    message: str


class RunStopRecord(RunDetailRecord):
    message: str


class RunPage(PageRecord):
    runs: list[RunRecord]


class DayRecord(Record):
    run_id: str
    date: date
    status: RunState


class BackfillRecord(RunBase):
    run_type: Literal["backfill"]
    start_date: date
    end_date: date
    total_runs: int
    completed_runs: int
    runs: list[DayRecord]


class BackfillChangeRecord(BackfillRecord):
    message: str


class RunCheckRecord(Record):
    dataset_name: str
    dry_run: Literal[True]
    parameters: dict[str, Any]
    logical_date: date
    statements: list[str]
    message: str


class BackfillCheckRecord(Record):
    dataset_name: str
    dry_run: Literal[True]
    start_date: date
    end_date: date
    total_runs: int
    message: str


class LogLineRecord(Record):
    seq: int
    at: datetime
    level: str
    message: str


class LogRecord(Record):
    lines: list[LogLineRecord]
    next: int
    done: bool


class AuditRecord(Record):
    id: int
    at: datetime
    actor: str
    action: str
    resource: str
    request_id: str | None
    reason: str | None
    detail: dict[str, Any]
    hash: str


class AuditPage(PageRecord):
    entries: list[AuditRecord]


class AuditChainRecord(Record):
    ok: bool
    entries: int
    head: str
    broken_id: int | None
    is_head_known: bool


class PublicationRecord(Record):
    version: str
    dry_run: bool
    added: list[str]
    changed: list[str]
    removed: list[str]
    unchanged: list[str]
    warnings: list[str]
    message: str


class HealthRecord(Record):
    status: Literal["ok"]
    version: str
    time: datetime


class HealthDetailRecord(Record):
    status: Literal["ok", "failing"]
    version: str
    time: datetime
    parts: dict[str, str]


class ProbeRecord(Record):
    status: Literal["ok"]


class RegisteredSpecRecord(BaseModel):
    """A spec with all its own keys, as its file has them, and what the registry knows of it."""

    model_config = ConfigDict(extra="allow")

    name: str
    owner: str
    team: str
    type: Literal["Dataset", "Metric"]
    created_at: datetime
    updated_at: datetime
    spec_hash: str
    registered_version: int | None
    registered_by: str | None


class DatasetPage(PageRecord):
    datasets: list[RegisteredSpecRecord]


class MetricPage(PageRecord):
    metrics: list[RegisteredSpecRecord]


class VersionRecord(Record):
    version: int
    spec_hash: str
    registered_by: str
    created_at: datetime


class VersionPage(PageRecord):
    versions: list[VersionRecord]


class RuleRecord(Record):
    id: str
    type: Literal["table_substitution", "metric_expansion"]
    source: str
    target: str
    description: str | None
    enabled: bool
    priority: int


class RuleSetRecord(Record):
    rules: list[RuleRecord]
    version: str


class MetricExpressionRecord(Record):
    name: str
    expression: str
    source_table: str | None
    description: str | None


class LineageNodeRecord(Record):
    name: str
    type: Literal["Dataset", "Metric", "Source", "Table"]
    owner: str | None
    team: str | None
    description: str | None
    tags: list[str]
    depth: int


class LineageEdgeRecord(Record):
    source: str
    target: str
    edge_type: Literal["direct", "declared", "writes"]


class LineageRecord(Record):
    root: LineageNodeRecord
    nodes: list[LineageNodeRecord]
    edges: list[LineageEdgeRecord]
    direction: Literal["upstream", "downstream", "both"]
    max_depth: int
    total_upstream: int
    total_downstream: int


class ColumnLineageRecord(Record):
    name: str
    columns: dict[str, list[str]]


class TablePage(PageRecord):
    tables: list[TableInfo]


class SampleQueryRecord(Record):
    queries: list[SampleQuery]


class ExecutionRecord(Record):
    name: str
    status: Literal["success", "failure"]
    started_at: datetime
    ended_at: datetime
    duration_ms: int
    sql: str | None
    error_message: str | None
    error_code: str | None


class DatasetRunRecord(ExecutionRecord):
    rows_affected: int | None


class SqlRunRecord(DatasetRunRecord):
    columns: list[str] | None
    data: list[dict[str, Any]] | None
    row_count: int | None


class MetricRunRecord(ExecutionRecord):
    columns: list[str] | None
    data: list[dict[str, Any]] | None
    row_count: int | None
    has_more: bool


class QualityRecord(Record):
    name: str
    target_urn: str
    target_type: Literal["dataset", "metric"]
    target_name: str
    test_type: str
    status: Literal["active", "disabled"]
    severity: Literal["error", "warn"]
    description: str | None
    schedule: str | None
    last_run: datetime | None
    last_status: TestState | None


class QualityPage(PageRecord):
    qualities: list[QualityRecord]


class QualitySpecRecord(Record):
    name: str
    target_urn: str
    owner: str
    team: str
    tests: list[str]
    created_at: datetime
    updated_at: datetime
    spec_hash: str
    registered_version: int | None
    registered_by: str | None


class TestRunRecord(Record):
    test_name: str
    resource_name: str
    test_type: str
    severity: Literal["error", "warn"]
    status: TestState
    failed_rows: int
    failed_samples: list[dict[str, Any]]
    execution_time_ms: int
    executed_at: datetime
    error_message: str | None
    executed_on: Literal["local", "server"]
    rendered_sql: str | None


class QualityRunRecord(Record):
    target_urn: str
    execution_mode: Literal["server"]
    execution_id: str
    started_at: datetime
    finished_at: datetime
    test_results: list[TestRunRecord]


class PastTestRecord(Record):
    finished_at: datetime
    test_name: str
    test_type: str
    severity: Literal["error", "warn"]
    status: TestState
    failed_rows: int
    error_message: str | None


class QualityHistoryPage(PageRecord):
    results: list[PastTestRecord]


class IdentityRecord(Record):
    name: str
    role: RoleName
    teams: list[str]
    scopes: list[str]
    token_id: str | None


class ProviderRecord(Record):
    issuer: str | None
    client_id: str | None
    scopes: list[str] | None
    authorization_endpoint: str | None
    redirect_port: int | None


class TokenRecord(Record):
    token_id: str
    name: str
    role: RoleName
    teams: list[str]
    scopes: list[str]
    state: Literal["live", "expired", "revoked"]
    last4: str
    created_at: datetime
    created_by: str
    expires_at: datetime
    revoked_at: datetime | None
    revoked_by: str | None
    last_used_at: datetime | None


class NewTokenRecord(TokenRecord):
    token: str | None
    message: str


class TokenChangeRecord(TokenRecord):
    message: str


class TokenPage(PageRecord):
    tokens: list[TokenRecord]
