"""`dli quality`: the group; each command lives in the module named by its entry."""

import click

from dli.cli.group import Entry, LazyGroup

__all__ = ["quality"]

_HERE = "dli.cli.quality"

COMMANDS = {
    "list": Entry(f"{_HERE}.read:list_qualities", "List quality tests."),
    "get": Entry(f"{_HERE}.read:get", "Show one quality test."),
    "validate": Entry(f"{_HERE}.read:validate", "Look for every problem of a quality file."),
    "register": Entry(f"{_HERE}.register:register", "Send a quality file to the server."),
    "run": Entry(f"{_HERE}.run:run", "Run the tests of a quality file."),
}


@click.group("quality", cls=LazyGroup, entries=COMMANDS)
def quality() -> None:
    """List, check and run the quality tests of tables and metrics."""
