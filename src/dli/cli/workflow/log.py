"""The log of a run, or of each day of a backfill."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click

from dli.cli.output import clean
from dli.cli.workflow.patience import WAIT_S, patiently, rest
from dli.client.answer import check

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dli.client.basecamp import BasecampClient
    from dli.client.response import Record

__all__ = ["log_lines", "show_lines"]


Line = dict[str, Any]


def log_lines(client: BasecampClient, record: Record, *, follow: bool) -> Iterator[Line]:
    """The lines so far, with `follow` all until the end; those of a backfill name their run."""
    if "runs" not in record:
        yield from _lines_of_run(client, record["run_id"], follow=follow)
        return
    for day in record["runs"]:
        for line in _lines_of_run(client, day["run_id"], follow=follow):
            yield {**line, "run_id": day["run_id"], "date": day["date"]}


def show_lines(lines: Iterable[Line], *, to_stderr: bool = False) -> None:
    shown = None
    for line in lines:
        if line.get("run_id") != shown:
            shown = line["run_id"]
            click.echo(clean(f"-- {line['date']} {shown}"), err=to_stderr)
        at = clean(line["at"])[11:19]
        click.echo(f"{at} {clean(line['level']):<7} {clean(line['message'])}", err=to_stderr)


def _lines_of_run(client: BasecampClient, run_id: str, *, follow: bool) -> Iterator[Line]:
    after = 0
    while True:
        started = time.monotonic()
        page = _page(client, run_id, after, WAIT_S if follow else None)
        yield from page["lines"]
        after = page["next"]
        if page["done"] or not (follow or page["lines"]):
            return
        if not page["lines"]:
            rest(started)


def _page(client: BasecampClient, run_id: str, after: int, wait_s: int | None) -> Record:
    def ask() -> Record:
        answer = client.workflow_logs(run_id, after=after, wait=wait_s)
        page: Record = check(answer, "logs", run_id=run_id)
        return page

    return patiently(client, run_id, ask)
