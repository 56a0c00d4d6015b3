"""`BasecampClient`: one method per operation of the server's HTTP API, in the names of `http.md`.

No method raises for what the server or the network does; each returns a `ServerResponse`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from dli.client.connection import Connection
from dli.client.record import plain_record, run_record, unwrapped, workflow_record
from dli.client.response import Request, ServerConfig, ServerResponse
from dli.models.state import RunStatus, SourceType

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = [
    "BasecampClient",
    "RunStatus",
    "ServerConfig",
    "ServerResponse",
    "WorkflowSource",
    "create_client",
]

DEFAULT_URL = "http://localhost:8081"

WorkflowSource = SourceType


class BasecampClient(Connection):
    """A connection to one server, or with `mock_mode` to a sample server inside this object.

    For one thread at a time.
    """

    # -- health -----------------------------------------------------------------------------

    def health_check(self) -> ServerResponse:
        return self._get("health")

    # -- audit ------------------------------------------------------------------------------

    def audit_entries(
        self, wanted: Mapping[str, str | None], *, limit: int = 100, offset: int = 0
    ) -> ServerResponse:
        return self._list("audit", items="entries", query=wanted, limit=limit, offset=offset)

    def audit_chain(self, head: str | None = None) -> ServerResponse:
        return self._get("audit", "chain", query={"head": head})

    # -- identity ---------------------------------------------------------------------------

    def token_list(self, *, ended: bool = False) -> ServerResponse:
        return self._list("tokens", items="tokens", query={"ended": ended})

    def token_create(self, wanted: Mapping[str, Any]) -> ServerResponse:
        """`wanted` is the body of the request; the answer alone has the token."""
        return self._post("tokens", body=wanted)

    def token_rotate(self, token_id: str, *, overlap_hours: int | None = None) -> ServerResponse:
        return self._post("tokens", token_id, "rotate", body=_given(overlap_hours=overlap_hours))

    def token_revoke(self, token_id: str, *, reason: str | None = None) -> ServerResponse:
        return self._post("tokens", token_id, "revoke", body=_given(reason=reason))

    def session_begin(self) -> ServerResponse:
        """Who this client's token stands for; the server notes that it is worked with."""
        return self._send(Request("POST", ("session",)), plain_record)

    def session_provider(self) -> ServerResponse:
        """Where people log in, if the server knows an identity provider."""
        return self._send(Request("GET", ("session", "provider")), plain_record)

    def session_login(self, wanted: Mapping[str, Any]) -> ServerResponse:
        """`wanted` is the body of the request; the answer alone has the token."""
        return self._post("session", "login", body=wanted)

    def session_exchange(self, identity_token: str) -> ServerResponse:
        """A token for a job, in exchange for that of its CI system."""
        return self._post("session", "exchange", body={"identity_token": identity_token})

    def session_end(self) -> ServerResponse:
        return self._send(Request("DELETE", ("session",)), plain_record)

    # -- workflows --------------------------------------------------------------------------

    def workflow_get(self, dataset_name: str) -> ServerResponse:
        return self._get("workflows", dataset_name, alias=workflow_record)

    def workflow_list(
        self,
        source: WorkflowSource | str | None = None,
        running_only: bool = False,
        enabled_only: bool = False,
        dataset_filter: str | None = None,
        *,
        status: str | None = None,
        limit: int = 100,
        offset: int = 0,
    ) -> ServerResponse:
        query = {
            "source_type": source,
            "status": status,
            "dataset": dataset_filter,
            "running": running_only,
            "enabled": enabled_only,
        }
        return self._list(
            "workflows",
            items="workflows",
            query=query,
            limit=limit,
            offset=offset,
            alias=workflow_record,
        )

    def workflow_register(
        self,
        dataset_name: str,
        cron: str,
        *,
        timezone: str = "UTC",
        enabled: bool = True,
        retry_max_attempts: int = 1,
        retry_delay_seconds: int = 300,
        force: bool = False,
        spec: Mapping[str, Any] | None = None,
    ) -> ServerResponse:
        body = {
            "dataset_name": dataset_name,
            "cron": cron,
            "timezone": timezone,
            "enabled": enabled,
            "retry_max_attempts": retry_max_attempts,
            "retry_delay_seconds": retry_delay_seconds,
            "force": force,
            **_given(spec=spec),
        }
        return self._post("workflows", "register", body=body, alias=workflow_record)

    def workflow_publish(
        self,
        specs: Sequence[Mapping[str, Any]],
        *,
        version: str | None = None,
        dry_run: bool = False,
    ) -> ServerResponse:
        """Make `specs` the whole set of CODE workflows, as one version."""
        body = {"specs": list(specs), "dry_run": dry_run, **_given(version=version)}
        return self._post("workflows", "publish", body=body)

    def workflow_unregister(self, dataset_name: str) -> ServerResponse:
        return self._send(Request("DELETE", ("workflows", dataset_name)), plain_record)

    def workflow_pause(
        self, dataset_name: str, *, reason: str | None = None, until: datetime | str | None = None
    ) -> ServerResponse:
        """Stop the schedule, with `until` (a naive datetime counts as UTC) only up to then."""
        body = _given(reason=reason, until=_instant(until))
        return self._post("workflows", dataset_name, "pause", body=body, alias=workflow_record)

    def workflow_unpause(self, dataset_name: str, *, reason: str | None = None) -> ServerResponse:
        body = _given(reason=reason)
        return self._post("workflows", dataset_name, "unpause", body=body, alias=workflow_record)

    # -- runs -------------------------------------------------------------------------------

    def workflow_run(
        self, dataset_name: str, params: Mapping[str, Any] | None = None, dry_run: bool = False
    ) -> ServerResponse:
        body = {"parameters": params or {}, "dry_run": dry_run}
        return self._post("workflows", dataset_name, "run", body=body, alias=run_record)

    def workflow_backfill(
        self,
        dataset_name: str,
        start_date: str,
        end_date: str,
        params: Mapping[str, Any] | None = None,
        *,
        dry_run: bool = False,
        skip_completed: bool = False,
    ) -> ServerResponse:
        body = {
            "start_date": start_date,
            "end_date": end_date,
            "parameters": params or {},
            "dry_run": dry_run,
            "skip_completed": skip_completed,
        }
        return self._post("workflows", dataset_name, "backfill", body=body, alias=run_record)

    def workflow_stop(self, run_id: str, *, reason: str | None = None) -> ServerResponse:
        body = _given(reason=reason)
        return self._post("workflows", "runs", run_id, "stop", body=body, alias=run_record)

    def workflow_status(self, run_id: str, *, wait: float | None = None) -> ServerResponse:
        """The run now, or with `wait` (seconds, at most 30) as soon as it is over within them."""
        query = {"wait": wait}
        return self._get(
            "workflows", "runs", run_id, query=query, alias=run_record, wait_s=wait or 0.0
        )

    def workflow_logs(
        self, run_id: str, *, after: int = 0, limit: int | None = None, wait: float | None = None
    ) -> ServerResponse:
        """Log lines after number `after`; with `wait` (seconds) held back until there are any."""
        query = {"after": after or None, "limit": limit, "wait": wait}
        return self._get("workflows", "runs", run_id, "logs", query=query, wait_s=wait or 0.0)

    def workflow_history(
        self,
        dataset_filter: str | None = None,
        source: WorkflowSource | str | None = None,
        limit: int = 20,
        status_filter: RunStatus | str | None = None,
        *,
        offset: int = 0,
    ) -> ServerResponse:
        query = {"dataset": dataset_filter, "source_type": source, "status": status_filter}
        return self._list(
            "workflows",
            "history",
            items="runs",
            query=query,
            limit=limit,
            offset=offset,
            alias=run_record,
        )

    # -- datasets, metrics, SQL -------------------------------------------------------------

    def list_datasets(
        self, tag: str | None = None, owner: str | None = None, search: str | None = None
    ) -> ServerResponse:
        query = {"tag": tag, "owner": owner, "search": search}
        return self._list("datasets", items="datasets", query=query)

    def get_dataset(self, name: str) -> ServerResponse:
        return self._get("datasets", name)

    def register_dataset(
        self, spec_data: Mapping[str, Any], *, force: bool = False
    ) -> ServerResponse:
        return self._post("datasets", body={"spec": spec_data, "force": force})

    def run_dataset(
        self,
        name: str,
        parameters: Mapping[str, Any] | None = None,
        dry_run: bool = False,
        *,
        skip_pre: bool = False,
        skip_post: bool = False,
        wait: float = 0.0,
    ) -> ServerResponse:
        """The answer comes when the run is over; `wait` (seconds) is how much longer it may be.

        So it is for all that runs SQL: when this caller goes, the server ends the SQL.
        """
        skipped = {"skip_pre": skip_pre or None, "skip_post": skip_post or None}
        body = {"parameters": parameters or {}, "dry_run": dry_run, **_given(**skipped)}
        return self._post("datasets", name, "run", body=body, wait_s=wait)

    def list_metrics(
        self, tag: str | None = None, owner: str | None = None, search: str | None = None
    ) -> ServerResponse:
        query = {"tag": tag, "owner": owner, "search": search}
        return self._list("metrics", items="metrics", query=query)

    def get_metric(self, name: str) -> ServerResponse:
        return self._get("metrics", name)

    def register_metric(
        self, spec_data: Mapping[str, Any], *, force: bool = False
    ) -> ServerResponse:
        return self._post("metrics", body={"spec": spec_data, "force": force})

    def spec_versions(self, items: str, name: str) -> ServerResponse:
        """`items` is datasets, metrics or quality."""
        return self._list(items, name, "versions", items="versions", query={})

    def run_metric(
        self,
        name: str,
        parameters: Mapping[str, Any] | None = None,
        limit: int | None = None,
        dry_run: bool = False,
        *,
        by: Sequence[str] = (),
        metrics: Sequence[str] = (),
        wait: float = 0.0,
    ) -> ServerResponse:
        measures = {"by": list(by) or None, "metrics": list(metrics) or None}
        given = _given(limit=limit, **measures)
        body = {"parameters": parameters or {}, "dry_run": dry_run, **given}
        return self._post("metrics", name, "run", body=body, wait_s=wait)

    def run_sql(
        self,
        sql: str,
        parameters: Mapping[str, Any] | None = None,
        dialect: str | None = None,
        *,
        transpile: bool = True,
        strict: bool = False,
        dry_run: bool = False,
        wait: float = 0.0,
    ) -> ServerResponse:
        changed = _given(
            dialect=dialect,
            transpile=None if transpile else False,
            strict=strict or None,
            dry_run=dry_run or None,
        )
        body = {"sql": sql, "parameters": parameters or {}, **changed}
        return self._post("sql", "run", body=body, wait_s=wait)

    def get_lineage(
        self, resource_name: str, direction: str = "both", depth: int = -1
    ) -> ServerResponse:
        query = {"direction": direction, "depth": depth}
        return self._get("lineage", resource_name, query=query)

    def get_column_lineage(self, resource_name: str) -> ServerResponse:
        """For each column the `table.column` texts it is made from."""
        return self._get("lineage", resource_name, "columns")

    # -- quality ----------------------------------------------------------------------------

    def execute_quality_test(  # noqa: PLR0917 - kept signature
        self,
        resource_name: str,
        test_name: str,
        test_type: str,
        columns: Sequence[str] | None = None,
        params: Mapping[str, Any] | None = None,
        severity: str = "error",
    ) -> ServerResponse:
        body = {
            "resource_name": resource_name,
            "test_name": test_name,
            "test_type": test_type,
            "severity": severity,
            **_given(columns=columns, params=params),
        }
        return self._post("quality", "tests", "run", body=body)

    def list_qualities(
        self, target_type: str | None = None, target: str | None = None, status: str | None = None
    ) -> ServerResponse:
        query = {"target_type": target_type, "target": target, "status": status}
        return self._list("quality", items="qualities", query=query)

    def get_quality(self, name: str) -> ServerResponse:
        return self._get("quality", name)

    def run_quality(
        self,
        spec_data: Mapping[str, Any],
        tests: Sequence[str] | None = None,
        parameters: Mapping[str, Any] | None = None,
        fail_fast: bool = False,
        *,
        wait: float = 0.0,
    ) -> ServerResponse:
        body = {
            "spec": spec_data,
            "parameters": parameters or {},
            "fail_fast": fail_fast,
            **_given(tests=tests),
        }
        return self._post("quality", "run", body=body, wait_s=wait)

    def register_quality(
        self, spec_data: Mapping[str, Any], *, name: str | None = None, force: bool = False
    ) -> ServerResponse:
        """`name` is that of the spec; without one it is called like its target."""
        body = {"spec": spec_data, "force": force, **_given(name=name)}
        return self._post("quality", body=body)

    def run_registered_quality(
        self, name: str, parameters: Mapping[str, Any] | None = None, *, wait: float = 0.0
    ) -> ServerResponse:
        """`name` is that of a test, or of a registered spec for all its tests."""
        body = {"parameters": parameters or {}}
        return self._post("quality", name, "run", body=body, wait_s=wait)

    def quality_history(self, name: str, *, limit: int | None = None) -> ServerResponse:
        return self._list("quality", name, "history", items="results", query={}, limit=limit)

    # -- catalog ----------------------------------------------------------------------------

    def catalog_list(
        self,
        *,
        project: str | None = None,
        dataset: str | None = None,
        owner: str | None = None,
        team: str | None = None,
        tags: Sequence[str] | None = None,
        limit: int = 50,
        offset: int = 0,
    ) -> ServerResponse:
        query = {"project": project, "dataset": dataset, "owner": owner, "team": team, "tag": tags}
        return self._list(
            "catalog", "tables", items="tables", query=query, limit=limit, offset=offset
        )

    def catalog_search(
        self, keyword: str, *, project: str | None = None, limit: int = 20
    ) -> ServerResponse:
        query = {"keyword": keyword, "project": project}
        return self._list("catalog", "search", items="tables", query=query, limit=limit)

    def catalog_get(self, table_ref: str, *, include_sample: bool = False) -> ServerResponse:
        return self._get("catalog", "tables", table_ref, query={"include_sample": include_sample})

    def catalog_sample_queries(self, table_ref: str, *, limit: int = 5) -> ServerResponse:
        response = self._get("catalog", "tables", table_ref, "queries", query={"limit": limit})
        return unwrapped(response, "queries")

    # -- transpile --------------------------------------------------------------------------

    def transpile_get_rules(self) -> ServerResponse:
        return unwrapped(self._get("transpile", "rules"), "rules")

    def transpile_get_metric_sql(self, metric_name: str) -> ServerResponse:
        return self._get("transpile", "metrics", metric_name)


def create_client(
    url: str | None = None, timeout: int = 30, api_key: str | None = None, mock_mode: bool = True
) -> BasecampClient:
    """A client for `url` (default `http://localhost:8081`); with `mock_mode` it serves samples."""
    if url is not None and mock_mode:
        import logging  # 10 ms that no command needs

        logging.getLogger(__name__).warning(
            "create_client: a URL is given, but mock_mode is true: answers are samples and "
            "nothing is sent; pass mock_mode=False to use the server"
        )
    config = ServerConfig(url=url or DEFAULT_URL, timeout=timeout, api_key=api_key)
    return BasecampClient(config, mock_mode=mock_mode)


def _given(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _instant(value: datetime | str | None) -> str | None:
    if not isinstance(value, datetime):
        return value
    aware = value if value.tzinfo else value.replace(tzinfo=UTC)
    return aware.astimezone(UTC).isoformat().replace("+00:00", "Z")
