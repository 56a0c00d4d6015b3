"""`dli config show|status`: the effective settings, and whether they work."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from dli.cli.group import Entry, LazyGroup
from dli.cli.option import format_option, path_option
from dli.cli.output import emit_json, emit_table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dli.config import Setting

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
        rows = [(key, value, s.source) for s in settings for key, value in _values(s)]
        emit_table(("KEY", "VALUE", "SOURCE"), rows)


def _values(setting: Setting) -> Iterator[tuple[str, Any]]:
    """The value; of a list of entries, such as sources, each value of each entry."""
    shown = setting.shown
    if not (shown and isinstance(shown, list) and all(isinstance(one, dict) for one in shown)):
        yield setting.key, shown
        return
    for number, entry in enumerate(shown):
        for name, value in entry.items():
            yield f"{setting.key}.{number}.{name}", value


@click.command()
@format_option("-f")
@path_option("-p")
def status(*, format: str, path: Path | None) -> None:
    """Check the configuration and ask the server; exit code 1 when something is wrong."""
    from dli.cli.doctor import check_configuration, check_server, emit_checks

    emit_checks([*check_configuration(path), *check_server(path)], format)
