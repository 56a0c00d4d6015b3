"""Questions about metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dli.exceptions import ExecutionError
from dli.models.cell import json_value
from dli.models.instant import utc_now
from dli.models.metric import MetricSpec
from dli.specs.measure import measured
from dli.specs.metric import render_metric
from dli.warehouse.base import REFUSALS
from dli.warehouse.limit import time_limit
from dli.warehouse.reader import Reader
from dli.warehouse.result import metric_failure, metric_result

if TYPE_CHECKING:
    from collections.abc import Mapping

    from basecamp.engines.embedded.desk import Desk
    from dli.models.common import MetricResult
    from dli.warehouse.base import Outcome


def run(desk: Desk, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The first `limit` rows of a metric; a dry run only renders and parses."""
    spec = MetricSpec.model_validate(arguments["spec"])
    started_at = utc_now()
    with desk.rendering():
        sql = render_metric(spec, desk.render_context(), arguments["parameters"])
    by, metrics = arguments["by"], arguments["metrics"]
    if by or metrics:
        sql = measured(spec, sql, by=by, metrics=metrics)
    try:
        rows = None if arguments["dry_run"] else _rows(desk, spec, sql, arguments["limit"])
    except ExecutionError as error:
        if error.code not in REFUSALS:
            raise
        code = error.code.value
        return _record(metric_failure(spec.name, started_at, error.message, sql, code=code), None)
    return _record(metric_result(spec.name, started_at, rows, sql), rows)


def _rows(desk: Desk, spec: MetricSpec, sql: str, limit: int) -> Outcome:
    execution = spec.execution
    with desk.session() as session, time_limit(session, execution.timeout_seconds):
        return Reader(session, execution.dialect).rows(sql, max_rows=limit)


def _record(result: MetricResult, found: Outcome | None) -> dict[str, Any]:
    """`has_more`: there are rows that were not asked for."""
    record = result.model_dump(mode="json", exclude={"data"})
    count = 0 if found is None or found.row_count is None else found.row_count
    return {
        **record,
        "data": json_value(result.data),
        "has_more": found is not None and count > len(found.rows),
    }
