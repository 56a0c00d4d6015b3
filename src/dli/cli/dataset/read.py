"""`dli dataset list|get|show|validate`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from dli.cli.completion import spec_name
from dli.cli.connection import is_mock
from dli.cli.option import format_option, path_option
from dli.cli.output import note
from dli.cli.spec import get_command, list_command, spec_to_run
from dli.cli.validation import validate_command

if TYPE_CHECKING:
    from pathlib import Path

list_datasets = list_command("dataset")
get = get_command("dataset")
validate = validate_command("dataset")


@click.command()
@click.argument("name", type=spec_name("dataset"))
@click.option(
    "--rows",
    "-n",
    type=click.IntRange(min=1),
    default=20,
    show_default=True,
    help="At most this many.",
)
@format_option("-f")
@path_option("-p")
def show(*, name: str, rows: int, format: str, path: Path | None) -> None:
    """Show the first rows of a dataset's table."""
    from dli.api.dataset import DatasetAPI
    from dli.cli.context import execution_context
    from dli.cli.row import emit_rows

    api = DatasetAPI(execution_context(path))
    if not is_mock():
        spec_to_run(api, "dataset", name, path)
    found = api.get_rows(name, limit=rows)
    emit_rows(list(found[0]) if found else [], found, format)
    if not found:
        note("No rows.")
