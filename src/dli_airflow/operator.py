"""The one task of a dataset's DAG: its SQL on the project's warehouse."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowException, AirflowFailException

from dli.exceptions import ConfigurationError, DLIError, ErrorCode, WorkflowPermissionError
from dli.warehouse.base import StatementInterruptedError
from dli_airflow.instant import plain, plain_interval
from dli_airflow.notifier import RESULT_KEY, STOPPED_KEY
from dli_airflow.shard import read_shard

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dli_airflow.entry import Entry
    from dli_airflow.job import Job, Order
    from dli_airflow.request import Request

__all__ = ["DatasetOperator"]

_FINAL_CODES = frozenset(
    {
        ErrorCode.PARAMETER_INVALID,
        ErrorCode.SPEC_INVALID,
        ErrorCode.SQL_SYNTAX_ERROR,
        ErrorCode.VALIDATION_FAILED,
        ErrorCode.WORKFLOW_NOT_FOUND,
    }
)
"""Failures that another attempt cannot mend."""

_log = logging.getLogger("dli_airflow.run")


class DatasetOperator(BaseOperator):
    """Runs the entry; of the run it takes the data interval, the parameters and the run id only."""

    def __init__(self, *, entry: Entry, stub: Path, is_retired: bool, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._entry = entry
        self._stub = stub
        self._is_retired = is_retired
        self._job: Job | None = None
        self._is_killed = False

    def execute(self, context: Mapping[str, Any]) -> None:
        """Push `dli_result` and fail when the run does; a stopped run pushes nothing."""
        result: dict[str, Any] = {"rows_affected": None, "error_code": None, "error_message": None}
        try:
            result["rows_affected"] = self._run(context)
            rows = result["rows_affected"]
            _log.info("Completed%s.", "" if rows is None else f", {rows} rows")
        except StatementInterruptedError as exc:
            _log.warning("%s", exc.message)
            _note_stop(context)
            raise AirflowException(exc.message) from exc
        except DLIError as exc:
            result |= {"error_code": exc.code.value, "error_message": exc.message}
            _log.error("%s: %s", exc.code.value, exc.message)
            if exc.code in _FINAL_CODES:
                raise AirflowFailException(f"{exc.code.value}: {exc.message}") from exc
            raise AirflowException(f"{exc.code.value}: {exc.message}") from exc
        finally:
            if not self._is_killed:
                result["spec_hash"] = self._entry.spec_hash
                context["ti"].xcom_push(key=RESULT_KEY, value=result)

    def on_kill(self) -> None:
        self._is_killed = True
        if self._job is not None:
            self._job.stop()

    def _run(self, context: Mapping[str, Any]) -> int | None:
        from dli_airflow.job import Job  # the engine loads where it is used, not at each parse
        from dli_airflow.request import Request

        attempt = context["ti"].try_number
        request = Request.from_conf(context["dag_run"].conf or {})
        self._refuse_new_runs_of_retired(attempt)
        self._keep_up_with(request, context["ti"])
        order = self._order(request, context)
        interval = order.interval
        _log.info(
            "Attempt %s of %s, data interval %s to %s.%s",
            attempt,
            self.retries + 1,
            interval.start.isoformat(),
            interval.end.isoformat(),
            f" Request {request.request_id}." if request.request_id else "",
        )
        self._job = Job(order)
        if self._is_killed:
            self._job.stop()
        return self._job.run()

    def _order(self, request: Request, context: Mapping[str, Any]) -> Order:
        from dli_airflow.job import Order

        cron, timezone, _fires = self._entry.rhythm
        run = context["dag_run"]
        bounds = run.data_interval_start, run.data_interval_end
        planned = None if None in bounds else plain_interval(*bounds)
        return Order(
            root=_project(),
            content=self._entry.content or {},
            parameters=request.parameters,
            interval=request.resolved(cron, timezone, planned, plain(run.run_after)),
            timezone=timezone,
            run_id=run.run_id,
            allowed_env=_allowed_env(),
            attempt=context["ti"].try_number,
            traceparent=request.traceparent,
        )

    def _refuse_new_runs_of_retired(self, attempt: int) -> None:
        if self._is_retired and attempt == 1:
            raise WorkflowPermissionError(
                "The workflow has left the spec store; it takes no new runs.",
                code=ErrorCode.WORKFLOW_NOT_FOUND,
            )

    def _keep_up_with(self, request: Request, instance: Any) -> None:
        """Read the store again when the run was asked of another content than is known here."""
        if request.spec_hash in (None, self._entry.spec_hash):
            return
        instance.bundle_instance.refresh()
        self._entry = read_shard(self._stub).entries.get(self._entry.name, self._entry)
        if request.spec_hash != self._entry.spec_hash:
            _log.warning("The spec was changed after this run was asked for; the new one runs.")


def _note_stop(context: Mapping[str, Any]) -> None:
    """Leave a mark when the run was set to failed: a worker that has to go stops its tasks too."""
    instance, run = context["ti"], context["dag_run"]
    try:
        states = instance.get_task_states(
            dag_id=run.dag_id, task_ids=[instance.task_id], run_ids=[run.run_id]
        )
        if states.get(run.run_id, {}).get(instance.task_id) != "running":
            instance.xcom_push(key=STOPPED_KEY, value=True)
    except Exception as exc:  # noqa: BLE001 - the stop itself must go on
        _log.warning("The stop could not be noted: %s", exc)


def _project() -> Path:
    root = os.environ.get("DLI_PROJECT")
    if not root:
        raise ConfigurationError(
            "DLI_PROJECT is not set where Airflow's tasks run; it names the folder of dli.yaml"
        )
    return Path(root)


def _allowed_env() -> dict[str, str]:
    names = os.environ.get("DLI_TEMPLATE_ENV", "").split(",")
    return {name: os.environ[name] for name in names if name in os.environ}
