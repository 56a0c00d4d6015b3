"""`dli workflow register|unregister`: MANUAL workflows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from dli.cli.completion import DATASET
from dli.cli.connection import connect, is_mock, project_root
from dli.cli.errors import suggestion
from dli.cli.option import check_schedule, format_option, path_option
from dli.cli.output import emit, emit_fields, emit_json, note
from dli.cli.workflow.record import schedule_text
from dli.client.answer import check
from dli.exceptions import DatasetNotFoundError

if TYPE_CHECKING:
    from pathlib import Path

    from dli.specs.project import Project


@click.command()
@click.argument("dataset_name", type=DATASET)
@click.option("--cron", "-c", required=True, help="Five fields: minute, hour, day, month, weekday.")
@click.option("--timezone", default="UTC", show_default=True, help="IANA zone, such as Asia/Seoul.")
@click.option(
    "--enabled/--disabled", default=True, show_default=True, help="Start it paused or not."
)
@click.option(
    "--retry-max",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="All attempts of a run.",
)
@click.option(
    "--retry-delay",
    type=click.IntRange(min=0),
    default=300,
    show_default=True,
    help="Seconds between two attempts.",
)
@click.option("--force", "-f", is_flag=True, help="Replace a MANUAL workflow of this name.")
@format_option()
@path_option()
def register(
    *,
    dataset_name: str,
    cron: str,
    timezone: str,
    enabled: bool,
    retry_max: int,
    retry_delay: int,
    force: bool,
    format: str,
    path: Path | None,
) -> None:
    """Register a dataset as a MANUAL workflow.

    Its spec is the one of this project, else the one that the server has.
    """
    check_schedule(cron, timezone)
    project = None if is_mock() else _project(path)
    with connect(path) as client:
        answer = client.workflow_register(
            dataset_name,
            cron,
            timezone=timezone,
            enabled=enabled,
            retry_max_attempts=retry_max,
            retry_delay_seconds=retry_delay,
            force=force,
            spec=None if project is None else _spec(project, dataset_name),
        )
        try:
            record = check(answer, "register", dataset_name=dataset_name)
        except DatasetNotFoundError as error:
            if hint := suggestion(dataset_name, project.datasets() if project else ()):
                error.add_note(hint.strip())
            raise
    if record.get("warning"):
        note(f"Warning: {record['warning']}")
    if format == "json":
        emit_json(record)
    else:
        fields = {
            "schedule": schedule_text(record),
            **{k: record.get(k) for k in ("status", "next_run")},
        }
        emit(f"{record['dataset_name']} is registered as a MANUAL workflow.")
        emit_fields(fields)


@click.command()
@click.argument("dataset_name", type=DATASET)
@format_option("-f")
@path_option()
def unregister(*, dataset_name: str, format: str, path: Path | None) -> None:
    """Remove a MANUAL workflow; its history stays."""
    with connect(path) as client:
        answer = client.workflow_unregister(dataset_name)
        record = check(answer, "unregister", dataset_name=dataset_name)
    if format == "json":
        emit_json(record)
    else:
        emit(f"{record['dataset_name']} is unregistered.")
        if record.get("message"):
            note(record["message"])


def _project(path: Path | None) -> Project | None:
    root = project_root(path)
    if root is None:
        return None
    from dli.specs.project import Project

    return Project.open(root)


def _spec(project: Project, dataset_name: str) -> dict[str, Any] | None:
    """The project's own spec with its SQL files inside; `None` when it does not hold this one."""
    from dli.specs.validator import require_valid_dataset

    try:
        require_valid_dataset(project, dataset_name)
        bundle = project.bundle(dataset_name)
    except DatasetNotFoundError:
        return None
    return bundle.model_dump(mode="json", by_alias=True, exclude_none=True)
