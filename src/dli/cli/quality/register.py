"""`dli quality register`: a quality file becomes a version on the server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from dli.cli.context import execution_context
from dli.cli.option import path_option
from dli.cli.output import emit

if TYPE_CHECKING:
    from pathlib import Path


@click.command()
@click.argument("spec_path")
@click.option("--name", help="Name of the spec; default: that of the file.")
@click.option("--force", "-f", is_flag=True, help="Replace what is registered under this name.")
@path_option("-p")
def register(*, spec_path: str, name: str | None, force: bool, path: Path | None) -> None:
    """Send a quality file to the server, which keeps it as a new version."""
    from dli.api.quality import QualityAPI

    QualityAPI(execution_context(path)).register(spec_path, name=name, force=force)
    emit(f"{spec_path} is registered.")
