"""`dli workflow migrate`: the workflows of a project go on with another engine."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from dli.cli.connection import required_root
from dli.cli.engine import engine_of_last_time, engine_variables, install_airflow
from dli.cli.option import path_option
from dli.cli.output import emit, note
from dli.cli.server import down, up

if TYPE_CHECKING:
    from pathlib import Path


@click.command()
@click.option("--to", "engine", type=click.Choice(["airflow"]), required=True, help="The engine.")
@path_option()
@click.pass_context
def migrate(ctx: click.Context, *, engine: str, path: Path | None) -> None:
    """Let another engine run this project's workflows.

    Workflows, pauses and history stay as they are. Basecamp is away for a moment; the fires of that
    moment are made up.
    """
    root = required_root(path)
    if engine_of_last_time(root) == engine:
        note(f"The workflows of this project run on {engine} already.")
        return
    if "BASECAMP_AIRFLOW_MANAGED" in engine_variables(engine, os.environ):
        install_airflow(root)  # while everything still runs
    ctx.invoke(down, path=path)
    ctx.invoke(up, foreground=False, port=0, engine=engine, path=path)
    emit(f"The workflows of this project run on {engine} from now on.")
