"""`WorkflowAPI` on a real server, in SERVER mode and on the Basecamp of a project."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from dli.api.workflow import WorkflowAPI
from dli.exceptions import (
    DatasetNotFoundError,
    DLIError,
    WorkflowExecutionError,
    WorkflowNotFoundError,
    WorkflowPermissionError,
    WorkflowRegistrationError,
)
from dli.models.common import ExecutionContext
from dli.models.state import ExecutionMode, ResultStatus, RunStatus, SourceType, WorkflowStatus

DAILY = "shop.sales.daily"
CRON = "0 6 * * *"
WEEK: dict[str, Any] = {"start_date": "2025-01-01", "end_date": "2025-01-07"}


@pytest.fixture
def url(site: Any) -> str:
    return f"http://127.0.0.1:{site.port}"


@pytest.fixture
def api(site: Any, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> WorkflowAPI:
    """In SERVER mode, outside of any project; the server knows the dataset."""
    (tmp_path / "outside").mkdir()
    monkeypatch.chdir(tmp_path / "outside")
    assert site.post("/api/v1/datasets", {"spec": site.spec(DAILY)}).status == 201
    return WorkflowAPI(
        ExecutionContext(
            execution_mode=ExecutionMode.SERVER, server_url=url, api_token=site.basecamp.token
        )
    )


def code_of(error: pytest.ExceptionInfo[DLIError]) -> str:
    return error.value.code.value


def test_a_workflow_is_registered_found_listed_and_removed(api: WorkflowAPI) -> None:
    assert api.get(DAILY) is None
    done = api.register(
        DAILY, cron=CRON, timezone="Asia/Seoul", retry_max_attempts=3, retry_delay_seconds=5
    )
    assert (done.status, done.warning) == (ResultStatus.SUCCESS, None)
    info = api.get(DAILY)
    assert info is not None
    assert done.workflow_info == info
    assert (info.source_type, info.status) == (SourceType.MANUAL, WorkflowStatus.ACTIVE)
    assert (info.cron, info.timezone) == (CRON, "Asia/Seoul")
    assert info.next_run is not None
    assert info.next_run > datetime.now(UTC)
    listed = api.list_workflows(status=WorkflowStatus.ACTIVE, source_type=SourceType.MANUAL)
    assert (listed.workflows, listed.total_count) == ([info], 1)
    assert api.list_workflows(running_only=True).workflows == []
    with pytest.raises(WorkflowRegistrationError) as again:
        api.register(DAILY, cron=CRON)
    assert code_of(again) == "DLI-804"
    disabled = api.register(DAILY, cron=CRON, enabled=False, force=True).workflow_info
    assert disabled is not None
    assert (disabled.status, disabled.next_run) == (WorkflowStatus.PAUSED, None)
    assert api.list_workflows(enabled_only=True).total_count == 0
    assert api.unregister(DAILY).run_id is None
    assert api.get(DAILY) is None
    with pytest.raises(WorkflowNotFoundError):
        api.unregister(DAILY)
    with pytest.raises(DatasetNotFoundError):
        api.register("shop.sales.none", cron=CRON)


def test_a_run_is_started_watched_and_stopped(api: WorkflowAPI, site: Any) -> None:
    with pytest.raises(WorkflowNotFoundError):
        api.run(DAILY)
    api.register(DAILY, cron=CRON)
    dry = api.run(DAILY, dry_run=True)
    assert (dry.status, dry.run_id, dry.run_status) == (ResultStatus.SUCCESS, None, None)
    assert api.history().total_count == 0
    run = api.run(DAILY, parameters={"ds": "2025-01-01"})
    assert run.run_status is RunStatus.PENDING
    assert run.run_id is not None
    status = api.get_status(run.run_id)
    assert (status.dataset_name, status.run_status) == (DAILY, RunStatus.PENDING)
    assert (status.source_type, status.run_type) == (SourceType.MANUAL, "adhoc")
    assert api.list_workflows(running_only=True).total_count == 1
    stopped = api.stop(run.run_id)
    assert (stopped.dataset_name, stopped.run_status) == (DAILY, RunStatus.KILLED)
    assert api.get_status(run.run_id).run_status is RunStatus.KILLED
    with pytest.raises(WorkflowExecutionError) as over:
        api.stop(run.run_id)
    assert (code_of(over), over.value.details["status_code"]) == ("DLI-807", 409)
    for unknown in (api.stop, api.get_status):
        with pytest.raises((WorkflowExecutionError, WorkflowNotFoundError)):
            unknown("no-such-run")
    other = api.run(DAILY, parameters={"ds": "2025-01-02"}).run_id
    site.end_run(other)
    finished = api.get_status(str(other))
    assert finished.run_status is RunStatus.COMPLETED
    assert finished.finished_at is not None


def test_one_id_stands_for_a_whole_backfill(api: WorkflowAPI) -> None:
    api.register(DAILY, cron=CRON)
    dry = api.backfill(DAILY, **WEEK, dry_run=True)
    assert (dry.run_id, dry.run_status) == (None, None)
    assert api.history().total_count == 0
    done = api.backfill(DAILY, **WEEK)
    assert "7" in str(done.message)
    assert done.run_id is not None
    assert api.get_status(done.run_id).run_type == "backfill"
    assert api.history(dataset_name=DAILY, limit=100).total_count == 7
    assert api.stop(done.run_id).run_status is RunStatus.KILLED
    killed = api.history(dataset_name=DAILY, run_status=RunStatus.KILLED, limit=100)
    assert killed.total_count == 7


def test_history_is_newest_first_with_what_is_known_of_the_dataset(
    api: WorkflowAPI, site: Any
) -> None:
    api.register(DAILY, cron=CRON)
    first = api.run(DAILY, parameters={"ds": "2025-01-01"}).run_id
    second = api.run(DAILY, parameters={"ds": "2025-01-02"}).run_id
    site.end_run(first)
    found = api.history(dataset_name=DAILY)
    assert [run.run_id for run in found.runs] == [second, first]
    assert found.runs[1].parameters["ds"] == "2025-01-01"
    assert found.dataset_info is not None
    assert found.dataset_info["owner"] == "ana@example.com"
    assert found.dataset_info["team"] == "sales"
    assert api.history().dataset_info is None
    assert api.history(dataset_name=DAILY, include_dataset_info=False).dataset_info is None
    completed = api.history(run_status=RunStatus.COMPLETED, source_type=SourceType.MANUAL)
    assert [run.run_id for run in completed.runs] == [first]
    assert api.history(source_type=SourceType.CODE).runs == []
    cut = api.history(limit=1)
    assert ([run.run_id for run in cut.runs], cut.total_count) == ([second], 2)


def test_a_pause_stops_the_schedule_only(api: WorkflowAPI, site: Any) -> None:
    api.register(DAILY, cron=CRON)
    assert api.pause(DAILY).run_id is None
    paused = api.get(DAILY)
    assert paused is not None
    assert (paused.status, paused.next_run) == (WorkflowStatus.PAUSED, None)
    assert api.run(DAILY).run_status is RunStatus.PENDING
    with pytest.raises(WorkflowExecutionError) as twice:
        api.pause(DAILY)
    assert code_of(twice) == "DLI-807"
    api.unpause(DAILY)
    active = api.get(DAILY)
    assert active is not None
    assert active.status is WorkflowStatus.ACTIVE
    site.publish(DAILY)
    overriding = api.get(DAILY)
    assert overriding is not None
    assert overriding.source_type is SourceType.CODE
    with pytest.raises(WorkflowPermissionError) as refused:
        api.register(DAILY, cron=CRON, force=True)
    assert code_of(refused) == "DLI-803"


def test_local_asks_the_basecamp_of_the_project(site: Any, url: str, tmp_path: Path) -> None:
    root = tmp_path / "project"
    (root / "datasets").mkdir(parents=True)
    (root / ".dli").mkdir()
    (root / "dli.yaml").write_text("")
    text = f"name: {DAILY}\nowner: ana\nteam: sales\nquery_statement: SELECT 1\n"
    (root / "datasets" / f"dataset.{DAILY}.yaml").write_text(text)
    state = {"url": url, "token": site.basecamp.token, "pid": os.getpid()}
    (root / ".dli" / "basecamp.json").write_text(json.dumps(state))
    api = WorkflowAPI(ExecutionContext(project_path=root))
    assert api.register(DAILY, cron=CRON).status is ResultStatus.SUCCESS
    assert api.get(DAILY) is not None
    assert api.list_workflows().total_count == 1
    run_id = str(api.run(DAILY).run_id)
    assert api.get_status(run_id).run_status is RunStatus.PENDING
    assert api.stop(run_id).run_status is RunStatus.KILLED
    assert api.backfill(DAILY, **WEEK).run_status is RunStatus.PENDING
    assert api.history().total_count == 8
    api.pause(DAILY)
    api.unpause(DAILY)
    assert api.unregister(DAILY).status is ResultStatus.SUCCESS
