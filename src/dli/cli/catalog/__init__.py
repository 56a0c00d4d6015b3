"""`dli catalog`: the group; `dli catalog NAME` means `dli catalog show NAME`."""

from __future__ import annotations

import click

from dli.cli.group import Entry, LazyGroup

__all__ = ["catalog"]

_HERE = "dli.cli.catalog"

COMMANDS = {
    "show": Entry(f"{_HERE}.table:show", "Show all tables, those of a project, or one table."),
    "list": Entry(f"{_HERE}.table:list_tables", "List tables, narrowed by owner, team and tag."),
    "search": Entry(f"{_HERE}.table:search", "Find tables by a word."),
}


class _Catalog(LazyGroup):
    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args or (args[0] not in self.entries and args[0] not in ctx.help_option_names):
            args = ["show", *args]
        return super().parse_args(ctx, args)


@click.group("catalog", cls=_Catalog, entries=COMMANDS)
def catalog() -> None:
    """Show tables, their columns and who answers for them; NAME alone means show NAME."""
