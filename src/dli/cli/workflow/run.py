"""`dli workflow run|backfill|stop`: start runs, wait for them, end them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from dli.cli.completion import DATASET, RUN
from dli.cli.connection import connect, is_mock
from dli.cli.option import (
    format_option,
    named_parameters,
    param_option,
    path_option,
    read_date,
    refused,
    split_pairs,
)
from dli.cli.output import emit, emit_fields, emit_json, note
from dli.cli.workflow.record import run_fields, run_line
from dli.client.answer import check
from dli.exceptions import WorkflowExecutionError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from dli.client.basecamp import BasecampClient
    from dli.client.response import Record

DRY_RUN = click.option("--dry-run", is_flag=True, help="Check everything, start nothing.")
FOLLOW = click.option("--follow", is_flag=True, help="Wait, and show the log meanwhile.")
WAIT = click.option("--wait", is_flag=True, help="Wait for the end; the exit code tells the fate.")


@click.command()
@click.argument("dataset_name", type=DATASET)
@param_option()
@DRY_RUN
@WAIT
@FOLLOW
@format_option("-f")
@path_option()
def run(
    *,
    dataset_name: str,
    params: Sequence[str],
    dry_run: bool,
    wait: bool,
    follow: bool,
    format: str,
    path: Path | None,
) -> None:
    """Run a workflow now."""
    _check_waiting(dry_run=dry_run, wait=wait or follow)
    pairs = split_pairs(params)
    with connect(path) as client, named_parameters(pairs):
        answer = client.workflow_run(dataset_name, _parameters(client, pairs), dry_run)
        record = check(answer, "run", dataset_name=dataset_name)
        if wait or follow:
            record = _watch(client, record, follow=follow, format=format)
    if format == "json":
        emit_json(record)
    elif dry_run:
        _emit_dry_run(record)
    else:
        emit(run_line(record))
    if wait or follow:
        from dli.cli.workflow.watch import raise_unless_completed

        raise_unless_completed(record)


@click.command()
@click.argument("dataset_name", type=DATASET)
@click.option("--start", "-s", required=True, metavar="DATE", help="First day, YYYY-MM-DD.")
@click.option("--end", "-e", required=True, metavar="DATE", help="Last day, YYYY-MM-DD.")
@param_option()
@click.option(
    "--skip-completed", is_flag=True, help="Leave out days whose newest run is COMPLETED."
)
@DRY_RUN
@WAIT
@FOLLOW
@format_option("-f")
@path_option()
def backfill(
    *,
    dataset_name: str,
    start: str,
    end: str,
    params: Sequence[str],
    skip_completed: bool,
    dry_run: bool,
    wait: bool,
    follow: bool,
    format: str,
    path: Path | None,
) -> None:
    """Run a workflow once per interval that starts on the days from --start to --end."""
    _check_waiting(dry_run=dry_run, wait=wait or follow)
    first, last = read_date(start), read_date(end)
    if last < first:
        raise refused(f"The range ends on {last}, before it starts on {first}", "Swap the dates.")
    pairs = split_pairs(params)
    with connect(path) as client, named_parameters(pairs):
        answer = client.workflow_backfill(
            dataset_name,
            first.isoformat(),
            last.isoformat(),
            _parameters(client, pairs),
            dry_run=dry_run,
            skip_completed=skip_completed,
        )
        record = check(answer, "backfill", dataset_name=dataset_name)
        if skip_completed and record.get("message"):
            note(record["message"])
        if wait or follow:
            record = _watch(client, record, follow=follow, format=format)
    if format == "json":
        emit_json(record)
    else:
        _emit_backfill(record, dry_run=dry_run)
    if wait or follow:
        from dli.cli.workflow.watch import raise_unless_completed

        raise_unless_completed(record)


@click.command()
@click.argument("run_id", type=RUN)
@click.option("--reason", help="Why; kept in the audit trail.")
@format_option("-f")
@path_option()
def stop(*, run_id: str, reason: str | None, format: str, path: Path | None) -> None:
    """Stop a run or a whole backfill."""
    with connect(path) as client:
        answer = client.workflow_stop(run_id, reason=reason)
        try:
            record = check(answer, "stop", run_id=run_id)
        except WorkflowExecutionError as error:
            if answer.status_code == 404:
                error.add_note("`dli workflow history` shows run ids.")
            raise
    if format == "json":
        emit_json(record)
    else:
        emit(run_line(record))


def _check_waiting(*, dry_run: bool, wait: bool) -> None:
    if wait and dry_run:
        raise click.UsageError("--dry-run starts nothing to wait for.")
    if wait and is_mock():
        raise click.UsageError("Sample runs never end: DLI_EXECUTION_MODE=mock cannot wait.")


def _parameters(client: BasecampClient, pairs: dict[str, str]) -> dict[str, Any] | None:
    """Values as the rule for undeclared parameters reads them; what it would change stays text.

    The server reads text as the declared type, so `1.50` and `a,b` reach a text parameter whole.
    """
    from dli.specs.parameter_text import guess

    values = {key: guess(text) for key, text in pairs.items()}
    if not client.mock_mode:
        for key, value in values.items():
            if not isinstance(value, bool) and str(value) != pairs[key]:
                values[key] = pairs[key]
    return values or None


def _watch(client: BasecampClient, record: Record, *, follow: bool, format: str) -> Record:
    """Wait for a run or backfill to end; its last record."""
    from dli.cli.workflow import watch

    with watch.interruptible(record["run_id"]):
        if follow:
            from dli.cli.workflow.log import log_lines, show_lines

            lines = log_lines(client, record, follow=True)
            show_lines(lines, to_stderr=format == "json")
        elif record.get("runs"):
            return watch.watch_backfill(client, record["run_id"])
        return watch.watch_run(client, record["run_id"])


def _emit_dry_run(record: Record) -> None:
    emit(f"dry-run: {record['dataset_name']} was checked; nothing was started.")
    emit_fields(run_fields({k: record.get(k) for k in ("logical_date", "parameters")}))
    for statement in record.get("statements", ()):
        emit(f"\n{statement}")


def _emit_backfill(record: Record, *, dry_run: bool) -> None:
    first, last, total = record["start_date"], record["end_date"], record["total_runs"]
    days = (read_date(last) - read_date(first)).days + 1
    span = f"{first} to {last}, {_count(days, 'day')}, {_count(total, 'run')}"
    if dry_run:
        emit(f"dry-run: {record['dataset_name']}, {span}; nothing was started.")
    else:
        run_id = record.get("run_id") or next((day["run_id"] for day in record["runs"]), "-")
        status = record.get("status", "PENDING")
        emit(f"Backfill {run_id} of {record['dataset_name']}: {span}: {status}")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
