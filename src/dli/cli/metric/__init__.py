"""`dli metric`: the group; each command lives in the module named by its entry."""

import click

from dli.cli.group import Entry, LazyGroup

__all__ = ["metric"]

_HERE = "dli.cli.metric"

COMMANDS = {
    "list": Entry(f"{_HERE}.read:list_metrics", "List the metrics of the project."),
    "get": Entry(f"{_HERE}.read:get", "Show one metric."),
    "validate": Entry(f"{_HERE}.read:validate", "Look for every problem of a metric."),
    "run": Entry(f"{_HERE}.run:run", "Fetch the rows of a metric."),
    "register": Entry(f"{_HERE}.registry:register", "Send a metric's spec to the server."),
    "diff": Entry(f"{_HERE}.registry:diff", "Compare a metric with what is registered."),
    "history": Entry(f"{_HERE}.registry:history", "List the registered versions of a metric."),
}


@click.group("metric", cls=LazyGroup, entries=COMMANDS)
def metric() -> None:
    """List, check, run and register metrics."""
