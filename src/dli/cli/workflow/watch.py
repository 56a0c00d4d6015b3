"""Waiting for a run or backfill to end: its log, its progress, its fate."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import click

from dli.cli.output import clean, note
from dli.client.answer import check
from dli.exceptions import DLIError, WorkflowExecutionError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dli.client.basecamp import BasecampClient
    from dli.client.response import Record

__all__ = [
    "follow",
    "interruptible",
    "log_lines",
    "raise_unless_completed",
    "show_line",
    "watch_backfill",
    "watch_run",
]

WAIT_S = 20
"""How long the server may hold an answer; it answers at once when there is news."""
PROGRESS_S = 1
PAUSE_S = 0.2
PATIENCE_S = 60
"""How long a server that does not answer is asked again while a run is waited for."""

_FINISHED = frozenset({"COMPLETED", "FAILED", "KILLED"})
_T = TypeVar("_T")


@contextmanager
def interruptible(run_id: str) -> Iterator[None]:
    """Ctrl-C inside ends the command, never the run."""
    try:
        yield
    except KeyboardInterrupt:
        note("")
        note(f"Stopped watching; the run goes on. Stop it with: dli workflow stop {run_id}")
        raise click.exceptions.Exit(130) from None


def watch_run(client: BasecampClient, run_id: str) -> Record:
    """The record of the run after it has ended."""
    return next(run for run in _states(client, run_id, WAIT_S) if run["status"] in _FINISHED)


def follow(client: BasecampClient, record: Record, *, to_stderr: bool) -> Record:
    """Print the log of a run, or of each day of a backfill, until the end; the last record."""
    for run in record.get("runs") or [record]:
        head = f"-- {run['date']} {run['run_id']}" if "date" in run else ""
        for line in log_lines(client, run["run_id"], follow=True):
            if head:
                click.echo(clean(head), err=to_stderr)
                head = ""
            show_line(line, to_stderr=to_stderr)
    return watch_run(client, record["run_id"])


def watch_backfill(client: BasecampClient, run_id: str) -> Record:
    """Show each day as it ends, as a bar or line by line; the record after the last one."""
    states = _states(client, run_id, PROGRESS_S)
    return _with_bar(states) if sys.stderr.isatty() else _with_lines(states)


def log_lines(client: BasecampClient, run_id: str, *, follow: bool) -> Iterator[dict[str, Any]]:
    """The lines of the log so far; with `follow` until the run has ended."""
    after = 0
    while True:
        started = time.monotonic()
        page = _patiently(
            run_id,
            lambda: check(
                client.workflow_logs(run_id, after=after, wait=WAIT_S if follow else None),  # noqa: B023
                "get_status",
                run_id=run_id,
            ),
        )
        yield from page["lines"]
        after = page["next"]
        if page["done"] or not (follow or page["lines"]):
            return
        if not page["lines"]:
            _rest(started)


def show_line(line: dict[str, Any], *, to_stderr: bool = False) -> None:
    at = clean(line["at"])[11:19]
    click.echo(f"{at} {clean(line['level']):<7} {clean(line['message'])}", err=to_stderr)


def raise_unless_completed(run: Record) -> None:
    """The fate of the run decides the exit code."""
    if run["status"] == "COMPLETED":
        return
    reason = run.get("error_message") or run.get("stop_reason")
    error = WorkflowExecutionError(
        f"Run {run['run_id']} is {run['status']}" + (f": {reason}" if reason else ""),
        dataset_name=run["dataset_name"],
        run_id=run["run_id"],
    )
    error.add_note(f"Its log: dli workflow logs {run['run_id']}")
    raise error


def _states(client: BasecampClient, run_id: str, wait_s: int) -> Iterator[Record]:
    """The run's record again and again, the last one ended."""
    while True:
        started = time.monotonic()
        run = _patiently(
            run_id,
            lambda: check(client.workflow_status(run_id, wait=wait_s), "get_status", run_id=run_id),
        )
        yield run
        if run["status"] in _FINISHED:
            return
        _rest(started)


def _rest(started: float) -> None:
    """A server that does not hold its answer back is not asked without pause."""
    time.sleep(max(0.0, PAUSE_S - (time.monotonic() - started)))


def _patiently(run_id: str, ask: Callable[[], _T]) -> _T:
    """Ask again while the server is away: a restart must not end the wait."""
    lost_at: float | None = None
    while True:
        try:
            return ask()
        except DLIError as error:
            if not _is_outage(error):
                raise
            if lost_at is None:
                lost_at = time.monotonic()
                note(f"{error.message}; still waiting.")
            if time.monotonic() - lost_at > PATIENCE_S:
                error.add_note(f"The run may go on: dli workflow status {run_id}")
                raise
            time.sleep(PAUSE_S)


def _is_outage(error: DLIError) -> bool:
    status: int = error.details.get("status_code", 0)
    return status == 429 or status >= 500


def _shown(date: str | None) -> str | None:
    return date


def _with_bar(states: Iterator[Record]) -> Record:
    backfill = next(states)
    with click.progressbar(
        length=backfill["total_runs"],
        label=backfill["dataset_name"],
        show_pos=True,
        item_show_func=_shown,
        file=sys.stderr,
    ) as bar:
        while True:
            ended = _ended(backfill)
            bar.update(len(ended) - bar.pos, ended[-1]["date"] if ended else None)
            if backfill["status"] in _FINISHED:
                return backfill
            backfill = next(states)


def _with_lines(states: Iterator[Record]) -> Record:
    shown = 0
    backfill: Record = {}
    for backfill in states:
        ended = _ended(backfill)
        for number, day in enumerate(ended[shown:], shown + 1):
            note(f"{number}/{backfill['total_runs']} {day['date']} {day['status']}")
        shown = len(ended)
    return backfill


def _ended(backfill: Record) -> list[Record]:
    return [day for day in backfill["runs"] if day["status"] in _FINISHED]
