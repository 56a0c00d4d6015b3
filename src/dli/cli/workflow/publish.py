"""`dli workflow publish`: the whole project as one version of CODE workflows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from dli.cli.connection import connect, required_root
from dli.cli.option import format_option, path_option
from dli.cli.output import emit, emit_json, emit_table, note
from dli.client.answer import check
from dli.exceptions import DLIValidationError, ErrorCode

if TYPE_CHECKING:
    from pathlib import Path

    from dli.client.response import Record


@click.command()
@click.option("--dry-run", is_flag=True, help="Show what would change, change nothing.")
@click.option("--version", help="Name of this version, such as the Git commit.")
@click.option("--allow-empty", is_flag=True, help="Also when the project holds no dataset.")
@format_option("-f")
@path_option()
def publish(
    *, dry_run: bool, version: str | None, allow_empty: bool, format: str, path: Path | None
) -> None:
    """Publish the whole project as CODE workflows.

    Every dataset is validated first; one problem and nothing is published. CODE workflows that
    are no longer in the project are removed.
    """
    specs = _validated_specs(required_root(path), allow_empty=allow_empty)
    with connect(path) as client:
        record = check(client.workflow_publish(specs, version=version, dry_run=dry_run), "publish")
    if format == "json":
        emit_json(record)
    else:
        _emit_changes(record, dry_run=dry_run)


def _validated_specs(root: Path, *, allow_empty: bool) -> list[dict[str, Any]]:
    """Every dataset of the project as it goes over the wire.

    Raises: DLIValidationError (203) with all problems of all files.
    """
    from dli.specs.project import Project
    from dli.specs.validator import validate_dataset

    project = Project.open(root)
    names = list(project.datasets())
    errors = [str(problem) for problem in project.problems]
    for name in names:
        result = validate_dataset(project, name, check_deps=True)
        errors += [f"{name}: {error}" for error in result.errors]
        for warning in result.warnings:
            note(f"Warning: {name}: {warning}")
    if errors:
        raise DLIValidationError("Nothing was published", ErrorCode.SPEC_INVALID, errors=errors)
    if not names and not allow_empty:
        error = DLIValidationError("The project holds no dataset", ErrorCode.SPEC_INVALID)
        error.add_note("This would remove every CODE workflow; --allow-empty does it.")
        raise error
    return [
        project.bundle(name).model_dump(mode="json", by_alias=True, exclude_none=True)
        for name in names
    ]


def _emit_changes(record: Record, *, dry_run: bool) -> None:
    rows = [(change, name) for change in ("added", "changed", "removed") for name in record[change]]
    if rows:
        emit_table(("CHANGE", "DATASET"), rows)
    counts = ", ".join(
        f"{len(record[k])} {k}" for k in ("added", "changed", "removed", "unchanged")
    )
    if dry_run:
        emit(f"dry-run: {counts}; nothing was published.")
    else:
        emit(f"Published version {record['version']}: {counts}.")
