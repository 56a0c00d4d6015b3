"""`dli dataset run`: a dataset or a statement, now, on this machine."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dli.cli.completion import spec_name
from dli.cli.connection import is_mock
from dli.cli.context import execution_context
from dli.cli.option import (
    format_option,
    named_parameters,
    param_option,
    path_option,
    read_sql,
    split_pairs,
)
from dli.cli.output import emit, emit_json, note
from dli.cli.spec import read_parameters, spec_to_run
from dli.exceptions import ErrorCode, ExecutionError
from dli.models.state import ExecutionMode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dli.api.dataset import DatasetAPI
    from dli.models.common import DatasetResult
    from dli.models.execution import ExecutionResult
    from dli.warehouse.base import StatementEvent


@click.command()
@click.argument("name", required=False, type=spec_name("dataset"))
@click.option("--sql", help="Run this statement instead of a dataset.")
@click.option(
    "--file",
    "-f",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Run the statement in this file.",
)
@click.option(
    "--transpile-strict", is_flag=True, help="A warning of the transpile rules is an error."
)
@click.option("--no-transpile", is_flag=True, help="Leave the project's transpile rules aside.")
@param_option()
@click.option("--dry-run", is_flag=True, help="Render and bind every statement, run nothing.")
@click.option("--skip-pre", is_flag=True, help="Leave the pre statements out.")
@click.option("--skip-post", is_flag=True, help="Leave the post statements out.")
@click.option("--show-sql", is_flag=True, help="Show the SQL as well.")
@format_option()
@path_option()
def run(*, name: str | None, sql: str | None, file: Path | None, **options: Any) -> None:
    """Run a dataset or SQL now, without schedule and history.

    On this machine, or with DLI_EXECUTION_MODE=server on the server.
    """
    if [name, sql, file].count(None) != 2:
        raise click.UsageError("Give one of NAME, --sql and --file.")
    _refuse(options, ("transpile_strict", "no_transpile") if name else ("skip_pre", "skip_post"))
    if options["transpile_strict"] and options["no_transpile"]:
        raise click.UsageError("--transpile-strict and --no-transpile exclude each other.")
    if name is not None:
        _run_dataset(name, **options)
    else:
        text = sql if file is None else read_sql(file)
        _run_sql(text or "", **options)


def _refuse(options: dict[str, Any], names: Sequence[str]) -> None:
    """Options that would have no effect."""
    for name in names:
        if options[name]:
            words = "--sql and --file" if "transpile" in name else "a dataset's NAME"
            raise click.UsageError(f"--{name.replace('_', '-')} belongs to {words}.")


def _run_dataset(
    name: str,
    *,
    params: Sequence[str],
    dry_run: bool,
    skip_pre: bool,
    skip_post: bool,
    show_sql: bool,
    format: str,
    path: Path | None,
    **_: Any,
) -> None:
    from dli.api.dataset import DatasetAPI

    pairs = split_pairs(params)
    api = DatasetAPI(execution_context(path))
    values: dict[str, Any] = {}
    if not is_mock():
        spec = spec_to_run(api, "dataset", name, path)
        values = read_parameters(spec, pairs)
        _name_left_out(spec, skip_pre=skip_pre, skip_post=skip_post)
    read: list[int] = []

    def listen(event: StatementEvent) -> None:
        if event.phase == "main" and event.rows_read is not None:
            read.append(event.rows_read)
        _tell(event)

    with named_parameters(pairs):
        result = api.run(
            name,
            parameters=values,
            dry_run=dry_run,
            show_sql=show_sql,
            skip_pre=skip_pre,
            skip_post=skip_post,
            on_event=listen,
        )
    if dry_run or api.context.dry_run:
        _note_unbound(api, name, values)
    if read and not result.error_message:
        note("The main statement only reads: nothing was written. INSERT INTO ... SELECT writes.")
    is_dry = dry_run or api.context.dry_run
    more = {"rows_read": read[-1] if read else None}
    _emit_result(result, format, is_dry=is_dry, show_sql=show_sql, more=more)


def _run_sql(
    sql: str,
    *,
    params: Sequence[str],
    dry_run: bool,
    transpile_strict: bool,
    no_transpile: bool,
    show_sql: bool,
    format: str,
    path: Path | None,
    **_: Any,
) -> None:
    from dli.api.dataset import DatasetAPI
    from dli.specs.parameter_text import guess

    api = DatasetAPI(execution_context(path))
    found: list[ExecutionResult] = []
    result = api.run_sql(
        sql,
        # A statement of its own declares no parameter.
        parameters={key: guess(text) for key, text in split_pairs(params).items()},
        transpile=not no_transpile,
        strict=transpile_strict,
        dry_run=dry_run,
        on_rows=found.append if format == "json" else _emit_rows,
    )
    is_dry = dry_run or api.context.dry_run
    more = _rows(found[-1]) if found else {}
    _emit_result(result, format, is_dry=is_dry, show_sql=show_sql, more=more)


def _name_left_out(spec: Any, *, skip_pre: bool, skip_post: bool) -> None:
    for phase, is_out in (("pre", skip_pre), ("post", skip_post)):
        for statement in getattr(spec, f"{phase}_statements") if is_out else ():
            note(f"Left out: {phase} {statement.name}")


def _note_unbound(api: DatasetAPI, name: str, values: dict[str, Any]) -> None:
    if api.context.execution_mode is ExecutionMode.SERVER:
        return  # its warehouse is not at hand
    for warning in api.check(name, parameters=values).warnings:
        note(f"Warning: {warning}")


def _emit_rows(found: ExecutionResult) -> None:
    from dli.cli.row import emit_rows

    emit_rows(found.columns, found.data, "table")
    if found.row_count is not None and found.row_count > len(found.data):
        note(f"These are the first {len(found.data)} of {found.row_count} rows.")


def _rows(found: ExecutionResult) -> dict[str, Any]:
    from dli.models.cell import json_value

    rows = [json_value(dict(row)) for row in found.data]
    return {"columns": found.columns, "rows": rows, "row_count": found.row_count}


def _tell(event: StatementEvent) -> None:
    """Progress for whoever looks; for every reader what it waits for, and what may surprise."""
    is_surprise = event.kind in ("waiting", "ignored", "skipped")
    if is_surprise or (sys.stderr.isatty() and event.kind != "started"):
        note(str(event))


def _emit_result(
    result: DatasetResult, format: str, *, is_dry: bool, show_sql: bool, more: dict[str, Any]
) -> None:
    """`more` goes with the result as JSON; of it the text has `rows_read` only."""
    sql = result.sql if show_sql else None
    if format == "json":
        emit_json(result.model_dump(mode="json") | {"sql": sql, "is_dry_run": is_dry} | more)
    elif sql:
        emit(f"{sql}\n")
    if result.status.value == "failure":
        reason = result.error_message or "it failed"
        code = ErrorCode(result.error_code or ErrorCode.EXECUTION_QUERY)
        raise ExecutionError(f"{result.name}: {reason}", code)
    if format == "table":
        emit(_line(result, is_dry=is_dry, rows_read=more.get("rows_read")))


def _line(result: DatasetResult, *, is_dry: bool, rows_read: int | None) -> str:
    if is_dry:
        return f"dry-run: {result.name} was checked; nothing was run."
    rows = "" if result.rows_affected is None else f", {result.rows_affected} rows"
    if rows_read is not None:
        rows = f", {rows_read} rows read"
    return f"{result.name}: {result.status.value}{rows}, {result.duration_ms or 0} ms"
