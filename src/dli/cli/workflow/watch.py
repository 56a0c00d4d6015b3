"""Waiting for a run or backfill to end: its progress and its fate."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from dli.cli.output import note
from dli.cli.workflow.patience import WAIT_S, patiently, rest
from dli.client.answer import check
from dli.exceptions import WorkflowExecutionError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dli.client.basecamp import BasecampClient
    from dli.client.response import Record

__all__ = [
    "interruptible",
    "raise_unless_completed",
    "watch_backfill",
    "watch_run",
]

PROGRESS_S = 1

_FINISHED = frozenset({"COMPLETED", "FAILED", "KILLED"})


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


def watch_backfill(client: BasecampClient, run_id: str) -> Record:
    """Show each day as it ends, as a bar or line by line; the record after the last one."""
    states = _states(client, run_id, PROGRESS_S)
    return _with_bar(states) if sys.stderr.isatty() else _with_lines(states)


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
    error.add_note(f"The log: dli workflow logs {run['run_id']}")
    raise error


def _states(client: BasecampClient, run_id: str, wait_s: int) -> Iterator[Record]:
    """The run's record again and again, the last one ended."""
    while True:
        started = time.monotonic()
        run = patiently(
            client,
            run_id,
            lambda: check(client.workflow_status(run_id, wait=wait_s), "get_status", run_id=run_id),
        )
        yield run
        if run["status"] in _FINISHED:
            return
        rest(started)


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


def _shown(date: str | None) -> str | None:
    return date
