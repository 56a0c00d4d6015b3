"""The entry point `app`: the click group of `dli.cli.main`, loaded when there is work for it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    import click

__all__ = ["app"]


class Application:
    """Stands for the click group; `dli --version` answers without importing click (40 ms)."""

    def __call__(self, args: Sequence[str] | None = None, **options: Any) -> Any:
        words = sys.argv[1:] if args is None else list(args)
        if words in (["--version"], ["-v"]):
            from dli import __version__

            sys.stdout.write(f"dli {__version__}\n")
            sys.exit(0)
        try:
            group = _group()
        except KeyboardInterrupt:  # click takes care of the later ones
            sys.exit(130)
        return group.main(args, **options)

    def __getattr__(self, name: str) -> Any:
        return getattr(_group(), name)


def _group() -> click.Group:
    from dli.cli.main import cli

    return cli


app = Application()
