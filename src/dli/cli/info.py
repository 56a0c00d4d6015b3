"""`dli version|info`: what is installed here and what it would talk to."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from dli import __version__
from dli.cli.option import format_option, path_option
from dli.cli.output import emit, emit_fields, emit_json

if TYPE_CHECKING:
    from pathlib import Path


@click.command()
def version() -> None:
    """Show the version of the library."""
    emit(f"dli {__version__}")


@click.command()
@format_option("-f")
@path_option("-p")
def info(*, format: str, path: Path | None) -> None:
    """Show version, Python, platform, project, server and mode."""
    import platform

    from dli.cli.connection import project_root
    from dli.config import resolve_server

    root = project_root(path)
    server = resolve_server(root, os.environ)
    fields = {
        "version": __version__,
        "python": f"{platform.python_version()} ({sys.executable})",
        "platform": platform.platform(),
        "project": None if root is None else str(root),
        "server_url": None if server is None else server.url,
        "server_source": None if server is None else server.source,
        "mode": os.environ.get("DLI_EXECUTION_MODE", "local").lower(),
    }
    if format == "json":
        emit_json(fields)
    else:
        emit_fields(fields)
