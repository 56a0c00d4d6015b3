"""`dli workflow list|status|history|logs`: what the server knows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from dli.cli.completion import DATASET, DATASET_PART, RUN
from dli.cli.connection import connect
from dli.cli.option import format_option, limit_option, path_option
from dli.cli.output import emit_fields, emit_json, emit_table, note
from dli.cli.workflow.record import day_rows, run_fields, schedule_text, time_text, workflow_fields
from dli.client.answer import check

if TYPE_CHECKING:
    from pathlib import Path

    from dli.client.basecamp import BasecampClient
    from dli.client.response import Record

SOURCES = click.Choice(["code", "manual", "all"])
STATUSES = click.Choice(["active", "paused", "overridden"])
RUN_STATUSES = click.Choice(
    ["PENDING", "RUNNING", "COMPLETED", "FAILED", "KILLED"], case_sensitive=False
)


@click.command("list")
@click.option(
    "--source", type=SOURCES, default="all", show_default=True, help="Where it comes from."
)
@click.option("--running", is_flag=True, help="Only those with a run that waits or runs.")
@click.option("--enabled-only", is_flag=True, help="Only those whose schedule is active.")
@click.option("--status", type=STATUSES, help="Only those in this state.")
@click.option("--dataset", "-d", type=DATASET_PART, help="Only names that contain this text.")
@limit_option(100)
@format_option("-f")
@path_option()
def list_workflows(
    *,
    source: str,
    running: bool,
    enabled_only: bool,
    status: str | None,
    dataset: str | None,
    limit: int,
    format: str,
    path: Path | None,
) -> None:
    """List workflows."""
    with connect(path) as client:
        answer = client.workflow_list(
            None if source == "all" else source,
            running,
            enabled_only,
            dataset,
            status=status,
            limit=limit,
        )
        records = check(answer, "list_workflows")
    if format == "json":
        emit_json(records)
        return
    if records:
        names = "dataset_name", "source_type", "status"
        rows = [(*map(r.get, names), schedule_text(r), r.get("next_run")) for r in records]
        emit_table(("DATASET", "SOURCE", "STATUS", "SCHEDULE", "NEXT RUN"), rows)
    else:
        note("No workflow found.")
    _note_rest(len(records), answer.meta)


@click.command()
@click.argument("dataset_name", type=DATASET)
@format_option("-f")
@path_option()
def show(*, dataset_name: str, format: str, path: Path | None) -> None:
    """Show one workflow: schedule, owner, last run, and why it is paused."""
    with connect(path) as client:
        record = check(client.workflow_get(dataset_name), "get", dataset_name=dataset_name)
    if format == "json":
        emit_json(record)
    else:
        emit_fields(workflow_fields(record))


@click.command()
@click.argument("run_id", type=RUN)
@format_option("-f")
@path_option()
def status(*, run_id: str, format: str, path: Path | None) -> None:
    """Show one run, or a backfill with its days."""
    with connect(path) as client:
        record = check(client.workflow_status(run_id), "get_status", run_id=run_id)
    if format == "json":
        emit_json(record)
        return
    emit_fields(run_fields(record))
    if record.get("runs"):
        click.echo()
        emit_table(("DATE", "STATUS", "RUN ID"), day_rows(record))


@click.command()
@click.option("--dataset", "-d", type=DATASET_PART, help="Only names that contain this text.")
@click.option(
    "--source", type=SOURCES, default="all", show_default=True, help="Where it comes from."
)
@click.option("--status", "-s", type=RUN_STATUSES, help="Only runs in this state.")
@click.option("--show-dataset-info", is_flag=True, help="Add owner and team of the dataset.")
@limit_option(20)
@format_option("-f")
@path_option()
def history(
    *,
    dataset: str | None,
    source: str,
    status: str | None,
    show_dataset_info: bool,
    limit: int,
    format: str,
    path: Path | None,
) -> None:
    """List runs, newest first."""
    with connect(path) as client:
        answer = client.workflow_history(
            dataset, None if source == "all" else source, limit, status
        )
        records = check(answer, "history")
        if show_dataset_info:
            _add_dataset_info(client, records)
    if format == "json":
        emit_json(records)
        return
    if records:
        _emit_history(records, show_dataset_info=show_dataset_info)
    else:
        note("No run found.")
    _note_rest(len(records), answer.meta)


def _emit_history(records: list[Record], *, show_dataset_info: bool) -> None:
    names = "run_id", "dataset_name", "source_type", "status"
    times = "started_at", "finished_at"
    headers = ["RUN ID", "DATASET", "SOURCE", "STATUS", "STARTED", "ENDED"]
    rows = [
        [*map(record.get, names), *(time_text(record.get(name)) for name in times)]
        for record in records
    ]
    if show_dataset_info:
        headers += ["OWNER", "TEAM"]
        for row, record in zip(rows, records, strict=True):
            info = record["dataset_info"] or {}
            row += [info.get("owner"), info.get("team")]
    emit_table(headers, rows)


def _add_dataset_info(client: BasecampClient, records: list[Record]) -> None:
    """Owner, team, description and tags per dataset; `None` for one the server does not know."""
    infos: dict[str, dict[str, Any] | None] = {}
    for name in {record["dataset_name"] for record in records}:
        answer = client.workflow_get(name)
        found = None if answer.status_code == 404 else check(answer, "get", dataset_name=name)
        infos[name] = found and {k: found.get(k) for k in ("owner", "team", "description", "tags")}
    for record in records:
        record["dataset_info"] = infos[record["dataset_name"]]


def _note_rest(shown: int, meta: dict[str, Any] | None) -> None:
    total = (meta or {}).get("total_count") or 0
    if total > shown:
        note(f"{shown} of {total} shown; --limit shows more.")


@click.command()
@click.argument("run_id", type=RUN)
@click.option("--follow", is_flag=True, help="Go on until the run has ended.")
@format_option("-f")
@path_option()
def logs(*, run_id: str, follow: bool, format: str, path: Path | None) -> None:
    """Show the log of a run, or of each day of a backfill."""
    from dli.cli.workflow.log import log_lines, show_lines
    from dli.cli.workflow.watch import interruptible

    with connect(path) as client, interruptible(run_id):
        record = check(client.workflow_status(run_id), "get_status", run_id=run_id)
        lines = log_lines(client, record, follow=follow)
        if format == "json":
            emit_json(list(lines))
        else:
            show_lines(lines)
