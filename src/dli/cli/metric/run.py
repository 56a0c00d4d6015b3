"""`dli metric run`: the rows of a metric as table, JSON, CSV or chart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from dli.cli.completion import spec_name
from dli.cli.connection import is_mock
from dli.cli.context import execution_context
from dli.cli.option import named_parameters, param_option, path_option, split_pairs
from dli.cli.output import emit, emit_json, note
from dli.cli.spec import read_parameters, spec_to_run
from dli.exceptions import ErrorCode, ExecutionError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from dli.models.common import MetricResult


@click.command()
@click.argument("name", type=spec_name("metric"))
@param_option()
@click.option("--by", multiple=True, help="One row for each value of this dimension; repeatable.")
@click.option("--metric", "-m", "metrics", multiple=True, help="Only this measure; repeatable.")
@click.option(
    "--output",
    "-o",
    type=click.Choice(["table", "json", "csv"]),
    default="table",
    show_default=True,
    help="Form of the result.",
)
@click.option("--limit", "-l", type=click.IntRange(min=1), help="At most this many rows.")
@click.option("--chart", is_flag=True, help="Draw the last column as bars.")
@click.option("--dry-run", is_flag=True, help="Render and parse, run nothing.")
@click.option("--show-sql", is_flag=True, help="Show the SQL as well.")
@path_option()
def run(
    *,
    name: str,
    params: Sequence[str],
    by: Sequence[str],
    metrics: Sequence[str],
    output: str,
    limit: int | None,
    chart: bool,
    dry_run: bool,
    show_sql: bool,
    path: Path | None,
) -> None:
    """Fetch the rows of a metric: as its SQL stands, or its measures by dimension."""
    from dli.api.metric import MetricAPI

    if chart and output != "table":
        raise click.UsageError("--chart goes with the table only.")
    pairs = split_pairs(params)
    api = MetricAPI(execution_context(path))
    values: dict[str, Any] = {}
    if not is_mock():
        values = read_parameters(spec_to_run(api, "metric", name, path), pairs)
    with named_parameters(pairs):
        result = api.run(
            name,
            parameters=values,
            dry_run=dry_run,
            show_sql=show_sql,
            by=by,
            metrics=metrics,
            limit=limit,
        )
    if result.status.value == "failure":
        reason = result.error_message or "it failed"
        code = ErrorCode(result.error_code or ErrorCode.EXECUTION_QUERY)
        raise ExecutionError(f"{name}: {reason}", code)
    if result.data is None and output != "json":
        if result.sql:
            emit(f"{result.sql}\n")
        emit(f"dry-run: {name} was checked; nothing was run.")
    else:
        _emit(result, output, chart=chart)


def _emit(result: MetricResult, output: str, *, chart: bool) -> None:
    from dli.cli.row import emit_rows
    from dli.models.cell import json_value

    if output == "json":
        emit_json(json_value(result.model_dump()))
        return
    if result.sql:
        (note if output == "csv" else emit)(f"{result.sql}\n")
    rows, columns = result.data or [], result.columns or []
    if chart:
        from dli.cli.chart import bars

        emit("\n".join(bars(columns, rows)))
    else:
        emit_rows(columns, rows, output)
    if not rows:
        note("No rows.")
