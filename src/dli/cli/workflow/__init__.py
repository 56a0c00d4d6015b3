"""`dli workflow`: the group; each command lives in the module named by its entry."""

import click

from dli.cli.group import Entry, LazyGroup

__all__ = ["workflow"]

_HERE = "dli.cli.workflow"

COMMANDS = {
    "list": Entry(f"{_HERE}.read:list_workflows", "List workflows."),
    "show": Entry(f"{_HERE}.read:show", "Show one workflow."),
    "status": Entry(f"{_HERE}.read:status", "Show one run or backfill."),
    "history": Entry(f"{_HERE}.read:history", "List runs, newest first."),
    "logs": Entry(f"{_HERE}.read:logs", "Show the log of a run or backfill."),
    "run": Entry(f"{_HERE}.run:run", "Run a workflow now."),
    "backfill": Entry(f"{_HERE}.run:backfill", "Run a workflow once per interval of a date range."),
    "stop": Entry(f"{_HERE}.run:stop", "Stop a run or a whole backfill."),
    "next": Entry(f"{_HERE}.schedule:upcoming", "Show when a workflow will run."),
    "pause": Entry(f"{_HERE}.schedule:pause", "Pause the schedule of a workflow."),
    "unpause": Entry(f"{_HERE}.schedule:unpause", "Resume the schedule of a workflow."),
    "register": Entry(f"{_HERE}.register:register", "Register a dataset as a MANUAL workflow."),
    "unregister": Entry(f"{_HERE}.register:unregister", "Remove a MANUAL workflow."),
    "publish": Entry(f"{_HERE}.publish:publish", "Publish the whole project as CODE workflows."),
    "migrate": Entry(
        f"{_HERE}.migrate:migrate", "Let another engine run this project's workflows."
    ),
}


@click.group("workflow", cls=LazyGroup, entries=COMMANDS)
def workflow() -> None:
    """Schedule, run, watch and stop workflows."""
