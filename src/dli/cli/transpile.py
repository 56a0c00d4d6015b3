"""`dli transpile`: SQL by the rules of the project, and in other dialects."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from dli.cli.option import path_option, read_sql
from dli.cli.output import emit, emit_json, note
from dli.exceptions import DLIValidationError, ErrorCode, TranspileError

if TYPE_CHECKING:
    from dli.api.transpile import TranspileAPI
    from dli.models.common import TranspileResult, TranspileWarning


@click.command()
@click.argument("sql", required=False)
@click.option(
    "--file",
    "-f",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Read the SQL from this file.",
)
@click.option("--strict", is_flag=True, help="A warning is an error.")
@click.option(
    "--format",
    "format",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="Form of the result.",
)
@click.option("--show-rules", is_flag=True, help="Name the rules that were applied.")
@click.option("--validate", is_flag=True, help="Parse the result again.")
@click.option("--dialect", "-d", default="trino", show_default=True, help="Dialect of the SQL.")
@click.option("--to", "target", help="Dialect of the result; default: the same.")
@path_option()
def transpile(
    *,
    sql: str | None,
    file: Path | None,
    strict: bool,
    format: str,
    show_rules: bool,
    validate: bool,
    dialect: str,
    target: str | None,
    path: Path | None,
) -> None:
    """Replace tables and METRIC() by the project's rules, and write SQL in another dialect."""
    if (sql is None) == (file is None):
        raise click.UsageError("Give the SQL or --file.")
    from dli.api.transpile import TranspileAPI
    from dli.cli.context import execution_context

    text = sql or "" if file is None else read_sql(file)
    api = TranspileAPI(execution_context(path))
    written_in = target or dialect
    result = api.transpile(text, source_dialect=dialect, target_dialect=written_in, strict=strict)
    if format == "json":
        emit_json(result.model_dump(mode="json"))
    else:
        _emit(result, show_rules=show_rules)
    if not result.success:
        raise TranspileError(_told(result.warnings[0]))
    if validate:
        _validate(api, result, written_in)


def _emit(result: TranspileResult, *, show_rules: bool) -> None:
    if result.success:
        emit(result.transpiled_sql)
        for warning in result.warnings:
            note(f"Warning: {_told(warning)}")
    for rule in result.applied_rules if show_rules else ():
        note(f"Rule: {rule.source_table} -> {rule.target_table}")


def _told(warning: TranspileWarning) -> str:
    place = "" if warning.line is None else f"line {warning.line}, column {warning.column}: "
    return f"{place}{warning.message}"


def _validate(api: TranspileAPI, result: TranspileResult, dialect: str) -> None:
    found = api.validate_sql(result.transpiled_sql, dialect=dialect)
    if not found.valid:
        message = "The result is not valid SQL"
        raise DLIValidationError(message, ErrorCode.SQL_SYNTAX_ERROR, errors=found.errors)
