"""`dli dataset`: the group; each command lives in the module named by its entry."""

import click

from dli.cli.group import Entry, LazyGroup

__all__ = ["dataset"]

_HERE = "dli.cli.dataset"

COMMANDS = {
    "list": Entry(f"{_HERE}.read:list_datasets", "List the datasets of the project."),
    "get": Entry(f"{_HERE}.read:get", "Show one dataset."),
    "show": Entry(f"{_HERE}.read:show", "Show the first rows of a dataset's table."),
    "validate": Entry(f"{_HERE}.read:validate", "Look for every problem of a dataset."),
    "run": Entry(f"{_HERE}.run:run", "Run a dataset or SQL now."),
    "register": Entry(f"{_HERE}.registry:register", "Send a dataset's spec to the server."),
    "diff": Entry(f"{_HERE}.registry:diff", "Compare a dataset with what is registered."),
    "history": Entry(f"{_HERE}.registry:history", "List the registered versions of a dataset."),
}


@click.group("dataset", cls=LazyGroup, entries=COMMANDS)
def dataset() -> None:
    """List, check, run, show and register datasets."""
