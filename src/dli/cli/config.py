"""`dli config show|status`: the effective settings, and whether they work."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from dli.cli.group import Entry, LazyGroup
from dli.cli.option import format_option, path_option
from dli.cli.output import emit_json, emit_table

if TYPE_CHECKING:
    from pathlib import Path

COMMANDS = {
    "show": Entry("dli.cli.config:show", "Show the effective settings and where each comes from."),
    "status": Entry("dli.cli.config:status", "Check the configuration and ask the server."),
}


@click.group("config", cls=LazyGroup, entries=COMMANDS)
def config() -> None:
    """Show the configuration."""


@click.command()
@format_option("-f")
@path_option("-p")
def show(*, format: str, path: Path | None) -> None:
    """Show the effective settings and where each comes from; secrets as ***."""
    from dli.cli.connection import project_root
    from dli.config import Settings

    settings = list(Settings(project_root(path), os.environ))
    if format == "json":
        emit_json([{"key": s.key, "value": s.shown, "source": s.source} for s in settings])
    else:
        emit_table(("KEY", "VALUE", "SOURCE"), [(s.key, s.shown, s.source) for s in settings])


@click.command()
@format_option("-f")
@path_option("-p")
def status(*, format: str, path: Path | None) -> None:
    """Check the configuration and ask the server; exit code 1 when something is wrong."""
    from dli.cli.doctor import check_configuration, check_server, emit_checks

    emit_checks([*check_configuration(path), *check_server(path)], format)
