"""Runs of SERVER mode: asked of the server, told as those of LOCAL mode are."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel

from dli.api.reply import error_of, record_of, unreadable
from dli.api.server import connect
from dli.exceptions import DLIValidationError, ErrorCode, ExecutionError
from dli.models.cell import json_value
from dli.models.common import DatasetResult, MetricResult
from dli.models.execution import ExecutionResult
from dli.models.state import ResultStatus

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dli.client.response import ServerResponse
    from dli.models.common import ExecutionContext
    from dli.models.dataset import DatasetSpec
    from dli.models.metric import MetricSpec

__all__ = ["Remote", "waiting_s"]

_log = logging.getLogger(__name__)
_STATEMENT_TIMEOUT_S = 3600
_FIRST_ROWS = 100

Model = TypeVar("Model", bound=BaseModel)


class Remote:
    """Every method raises ConfigurationError (001) without a server, ServerError (501-504),
    and what LOCAL mode raises for the same mistake.
    """

    def __init__(self, context: ExecutionContext) -> None:
        self._context = context

    def run_dataset(
        self,
        spec: DatasetSpec,
        parameters: Mapping[str, Any],
        *,
        dry_run: bool,
        skip_pre: bool,
        skip_post: bool,
    ) -> DatasetResult:
        """`spec` is the registered one, which is what runs."""
        skipped = {"skip_pre": True} if skip_pre else {}
        skipped |= {"skip_post": True} if skip_post else {}
        with connect(self._context) as client:
            answer = client.run_dataset(
                spec.name,
                json_value(parameters),
                dry_run,
                wait=waiting_s(spec.execution.timeout_seconds),
                **skipped,
            )
        return _result(DatasetResult, answer, spec.name)

    def run_metric(
        self,
        spec: MetricSpec,
        parameters: Mapping[str, Any],
        *,
        dry_run: bool,
        by: Sequence[str],
        metrics: Sequence[str],
        limit: int | None,
    ) -> MetricResult:
        """At most the rows that the server gives at once; when there are more, the log says so."""
        with connect(self._context) as client:
            answer = client.run_metric(
                spec.name,
                json_value(parameters),
                limit,
                dry_run,
                by=by,
                metrics=metrics,
                wait=waiting_s(spec.execution.timeout_seconds),
            )
        result = _result(MetricResult, answer, spec.name)
        if limit is None and isinstance(answer.data, dict) and answer.data.get("has_more"):
            _log.warning("%s has more rows than the %s shown", spec.name, result.row_count)
        return result

    def run_sql(
        self,
        sql: str,
        parameters: Mapping[str, Any],
        *,
        dialect: str,
        transpile: bool,
        strict: bool,
        dry_run: bool,
    ) -> tuple[DatasetResult, ExecutionResult | None]:
        """The result, and of a query its columns and first rows."""
        with connect(self._context) as client:
            answer = client.run_sql(
                sql,
                json_value(parameters),
                dialect,
                transpile=transpile,
                strict=strict,
                dry_run=dry_run,
                wait=waiting_s(_STATEMENT_TIMEOUT_S),
            )
        result = _result(DatasetResult, answer, "")
        record = record_of(answer)
        if not record.get("columns"):
            return result, None
        rows = {key: record.get(key) for key in ("columns", "data", "row_count")}
        about = {"dataset_name": result.name, "phase": "main", "success": True}
        return result, _read(ExecutionResult, {**about, **rows}, answer)

    def first_rows(self, sql: str, limit: int) -> list[dict[str, Any]]:
        """What a query in Trino's words gives. Raises: ExecutionError (405)."""
        if limit > _FIRST_ROWS:
            message = f"limit: a server shows at most {_FIRST_ROWS} rows of a table"
            raise DLIValidationError(message, ErrorCode.PARAMETER_INVALID)
        result, found = self.run_sql(
            sql, {}, dialect="trino", transpile=False, strict=False, dry_run=False
        )
        if result.status is not ResultStatus.SUCCESS:
            code = ErrorCode(result.error_code or ErrorCode.EXECUTION_QUERY)
            raise ExecutionError(result.error_message or "", code)
        return [] if found is None else found.data


def waiting_s(timeout_seconds: int) -> float:
    """How long the server may take: as much again for its turn as for the work itself."""
    return 2.0 * timeout_seconds


def _result(kind: type[Model], answer: ServerResponse, name: str) -> Model:
    if not answer.success:
        raise error_of(answer, name=name)
    return _read(kind, record_of(answer), answer)


def _read(kind: type[Model], record: Mapping[str, Any], answer: ServerResponse) -> Model:
    try:
        return kind.model_validate({k: record[k] for k in kind.model_fields if k in record})
    except ValueError as error:
        raise unreadable(answer) from error
