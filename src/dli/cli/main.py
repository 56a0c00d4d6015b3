"""The command `dli`: its groups, and the one place where errors become exit codes."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import click

from dli.cli.errors import report
from dli.cli.group import Entry, LazyGroup
from dli.span import endpoints_in

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["cli"]

COMMANDS = {
    "init": Entry("dli.cli.init:init", "Create a small project that runs at once."),
    "up": Entry("dli.cli.server:up", "Start Basecamp for this project."),
    "down": Entry("dli.cli.server:down", "Stop the Basecamp of this project."),
    "workflow": Entry("dli.cli.workflow:workflow", "Schedule, run, watch and stop workflows."),
    "dataset": Entry("dli.cli.dataset:dataset", "List, check, run and show datasets."),
    "metric": Entry("dli.cli.metric:metric", "List, check and run metrics."),
    "quality": Entry("dli.cli.quality:quality", "List, check and run quality tests."),
    "catalog": Entry("dli.cli.catalog:catalog", "Show tables and their columns."),
    "lineage": Entry("dli.cli.lineage:lineage", "Show where data comes from and where it goes."),
    "transpile": Entry("dli.cli.transpile:transpile", "Rewrite SQL by rules, or for a dialect."),
    "backup": Entry("dli.cli.backup:backup", "Write the state of Basecamp into a file."),
    "restore": Entry("dli.cli.backup:restore", "Put the state of a backup in place."),
    "login": Entry("dli.cli.login:login", "Keep a server's token in the keyring."),
    "logout": Entry("dli.cli.login:logout", "Remove a server's token from the keyring."),
    "token": Entry("dli.cli.token:token", "Make, list, rotate and revoke tokens."),
    "audit": Entry("dli.cli.audit:audit", "Show who changed what."),
    "doctor": Entry("dli.cli.doctor:doctor", "Look for what is wrong with this setup."),
    "config": Entry("dli.cli.config:config", "Show the configuration."),
    "info": Entry("dli.cli.info:info", "Show version, Python, platform, project, server and mode."),
    "version": Entry("dli.cli.info:version", "Show the version of the library."),
    "completion": Entry("dli.cli.completion:completion", "Print the completion script of a shell."),
}


class Root(LazyGroup):
    """Turns every error of a command into one line and an exit code."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        try:
            code = super().main(
                args, prog_name or self.name, complete_var, standalone_mode=False, **extra
            )
        except Exception as error:
            if not standalone_mode:
                raise
            code = report(error)
        if not standalone_mode:
            return code
        sys.exit(code if isinstance(code, int) else 0)


def _print_version(ctx: click.Context, _param: click.Parameter, is_asked: bool) -> None:
    if is_asked:
        from dli import __version__

        click.echo(f"dli {__version__}")
        ctx.exit()


@click.command(
    "dli",
    cls=Root,
    entries=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option(
    "--version",
    "-v",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Show the version and exit.",
)
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Datasets as SQL: register, schedule, run, backfill, watch and stop them."""
    if os.environ.get("DLI_LOG_LEVEL") or os.environ.get("DLI_DEBUG") == "1":
        from dli.cli.log import configure

        configure(os.environ)
    if os.environ.get("TRACEPARENT") or endpoints_in(os.environ):
        from dli.cli.tracing import traced

        ctx.with_resource(traced(ctx, os.environ))
