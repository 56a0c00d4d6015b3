"""`dli quality list|get|validate`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from dli.cli.context import execution_context
from dli.cli.errors import suggestion
from dli.cli.option import format_option, path_option
from dli.cli.output import emit, emit_fields, emit_json, emit_table, note
from dli.exceptions import DLIValidationError, ErrorCode, QualityNotFoundError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from dli.models.common import ExecutionContext

TARGET_TYPES = click.Choice(["dataset", "metric"])
STATUSES = click.Choice(["active", "disabled"])


@click.command("list")
@click.option("--target-type", type=TARGET_TYPES, help="Only tests of a dataset, or of a metric.")
@click.option("--target", help="Only tests of targets with this text in their name.")
@click.option("--status", type=STATUSES, help="Only active or disabled ones.")
@format_option("-f")
@path_option("-p")
def list_qualities(
    *,
    target_type: str | None,
    target: str | None,
    status: str | None,
    format: str,
    path: Path | None,
) -> None:
    """List the quality tests of the project, in SERVER mode those of the server."""
    from dli.api.quality import QualityAPI

    context = execution_context(path)
    found = QualityAPI(context).list_qualities(target_type, target, status)
    if format == "json":
        emit_json([info.model_dump(mode="json") for info in found])
    elif found:
        rows = [
            (q.name, q.target_name, q.test_type, q.severity, q.status, q.last_status) for q in found
        ]
        emit_table(("TEST", "TARGET", "TYPE", "SEVERITY", "STATUS", "LAST RESULT"), rows)
    else:
        note("No quality test found.")
    _note_left_out(context)


@click.command()
@click.argument("quality_name")
@click.option("--include-history", is_flag=True, help="Add its last results.")
@format_option("-f")
@path_option("-p")
def get(*, quality_name: str, include_history: bool, format: str, path: Path | None) -> None:
    """Show one quality test."""
    from dli.api.quality import QualityAPI

    api = QualityAPI(execution_context(path))
    found = api.get(quality_name)
    if found is None:
        error = QualityNotFoundError("Quality test not found", name=quality_name)
        if hint := suggestion(quality_name, [info.name for info in api.list_qualities()]):
            error.add_note(hint.strip())
        raise error
    record: dict[str, Any] = found.model_dump(mode="json")
    if include_history:
        record["history"] = api.get_history(quality_name)
    if format == "json":
        emit_json(record)
        return
    history = record.pop("history", [])
    emit_fields({key: value for key, value in record.items() if value})
    if history:
        keys = ("finished_at", "status", "failed_rows", "error_message")
        emit("")
        emit_table(
            ("FINISHED", "STATUS", "FAILED ROWS", "ERROR"),
            [[result[key] for key in keys] for result in history],
        )
    elif include_history:
        note("No result is kept of this test.")


@click.command()
@click.argument("spec_path")
@click.option("--strict", is_flag=True, help="Warnings are errors.")
@click.option("--test", "-t", "tests", multiple=True, help="The file must have this test.")
@format_option("-f")
@path_option("-p")
def validate(
    *, spec_path: str, strict: bool, tests: Sequence[str], format: str, path: Path | None
) -> None:
    """Look for every problem of a quality file; nothing is run."""
    from dli.api.quality import QualityAPI

    api = QualityAPI(execution_context(path))
    found = api.validate(spec_path, strict=strict, tests=list(tests) or None)
    if format == "json":
        emit_json(found.model_dump(mode="json"))
    else:
        for warning in () if strict else found.warnings:
            note(f"Warning: {warning}")
    if not found.valid:
        message = f"{spec_path} is not valid"
        raise DLIValidationError(message, ErrorCode.QUALITY_SPEC_PARSE, errors=found.errors)
    if format == "table":
        emit(f"{spec_path} is valid.")


def _note_left_out(context: ExecutionContext) -> None:
    if context.execution_mode.value != "local":
        return
    from dli.api.project import open_project
    from dli.specs.quality import read_qualities

    project = open_project(context)
    for problem in read_qualities(project.root, project.config.discovery)[1]:
        note(f"Left out: {problem}")
