"""`dli workflow next|pause|unpause`: when a workflow runs, and when it does not."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from dli.cli.completion import DATASET
from dli.cli.connection import connect
from dli.cli.option import check_schedule, format_option, path_option, read_date, refused
from dli.cli.output import emit, emit_json, emit_table, note
from dli.client.answer import check

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from dli.client.response import Record
    from dli.specs.schedule import Fire


@click.command("next")
@click.argument("dataset_name", type=DATASET, required=False)
@click.option("--count", "-n", type=click.IntRange(1, 1000), default=5, show_default=True)
@click.option("--cron", "-c", help="A schedule to try instead of a workflow's; asks no server.")
@click.option("--timezone", help="Its time zone; default: UTC.")
@format_option("-f")
@path_option()
def upcoming(
    *,
    dataset_name: str | None,
    count: int,
    cron: str | None,
    timezone: str | None,
    format: str,
    path: Path | None,
) -> None:
    """Show when a workflow will run, in its own zone and in UTC, with clock changes."""
    from dli.specs.schedule import preview

    if (dataset_name is None) == (cron is None):
        raise click.UsageError("Give either DATASET_NAME or --cron.")
    if dataset_name is not None:
        if timezone is not None:
            raise click.UsageError("--timezone belongs to --cron; a workflow has its own.")
        cron, timezone = _schedule_of(dataset_name, path)
    timezone = timezone or "UTC"
    fires: list[Fire] = []
    if cron:
        check_schedule(cron, timezone)
        fires = preview(cron, timezone, now(), count)
    if format == "json":
        emit_json([{"at": _utc(f.at), "local": f.local.isoformat(), "note": f.note} for f in fires])
    elif fires:
        _emit_fires(fires, timezone)
    else:
        note("No coming fire: it runs on demand only.")


def now() -> datetime:
    return datetime.now(UTC)


def _schedule_of(dataset_name: str, path: Path | None) -> tuple[str, str]:
    with connect(path) as client:
        workflow = check(client.workflow_get(dataset_name), "get", dataset_name=dataset_name)
    if workflow["status"] != "active":
        note(f"{dataset_name} is {workflow['status']}: until that changes, nothing of this runs.")
    return workflow.get("cron") or "", workflow.get("timezone") or "UTC"


def _emit_fires(fires: Sequence[Fire], timezone: str) -> None:
    headers = [f"LOCAL ({timezone})", "UTC"]
    rows: list[list[Any]] = [
        [f"{fire.local:%a %Y-%m-%d %H:%M %Z}", _utc(fire.at)] for fire in fires
    ]
    if any(fire.note for fire in fires):
        headers.append("NOTE")
        for row, fire in zip(rows, fires, strict=True):
            row.append(fire.note)
    emit_table(headers, rows)


@click.command()
@click.argument("dataset_name", type=DATASET)
@click.option("--reason", help="Why; kept in the audit trail.")
@click.option(
    "--until",
    metavar="DATE|TIME",
    help="When it resumes by itself: a date (in the workflow's zone) or an RFC 3339 time.",
)
@format_option("-f")
@path_option()
def pause(
    *, dataset_name: str, reason: str | None, until: str | None, format: str, path: Path | None
) -> None:
    """Pause the schedule of a workflow; runs on demand stay possible."""
    with connect(path) as client:
        end = None
        if until is not None:
            workflow = check(client.workflow_get(dataset_name), "get", dataset_name=dataset_name)
            end = _end_of_pause(until, workflow.get("timezone") or "UTC")
        answer = client.workflow_pause(
            dataset_name, reason=reason, until=None if end is None else _utc(end)
        )
        record = check(answer, "pause", dataset_name=dataset_name)
    _emit_state(record, "paused", format)
    if end is not None and format == "table":
        emit(f"It resumes at {end:%Y-%m-%d %H:%M} {end.tzname()}, that is {_utc(end)}.")


@click.command()
@click.argument("dataset_name", type=DATASET)
@click.option("--reason", help="Why; kept in the audit trail.")
@format_option("-f")
@path_option()
def unpause(*, dataset_name: str, reason: str | None, format: str, path: Path | None) -> None:
    """Resume the schedule of a workflow."""
    with connect(path) as client:
        answer = client.workflow_unpause(dataset_name, reason=reason)
        record = check(answer, "unpause", dataset_name=dataset_name)
    _emit_state(record, "active", format)


def _emit_state(record: Record, state: str, format: str) -> None:
    if format == "json":
        emit_json(record)
    else:
        emit(f"{record['dataset_name']} is {record.get('status', state)}.")


def _end_of_pause(text: str, timezone: str) -> datetime:
    """A date means its start in the workflow's zone.

    Raises: DLIValidationError (204) for what is neither date nor time with offset, or is over.
    """
    from dli.specs.zone import find_zone, start_of_day

    if "T" in text.upper() or ":" in text:
        end = _read_time(text)
    else:
        end = start_of_day(read_date(text), timezone)
    if end <= now():
        raise refused(f"--until {text} is in the past", "Give a time that lies ahead.")
    return end.astimezone(find_zone(timezone))


def _read_time(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        next_step = "Write it with its offset, such as 2026-01-31T18:00:00+09:00."
        raise refused(f"'{text}' is not a time", next_step)
    return found


def _utc(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
