"""The entry point `app`: the click group of `dli.cli.main`, loaded when there is work for it."""

from __future__ import annotations

import atexit
import gc
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Sequence

    import click

__all__ = ["app"]


class Registration:
    """What Typer's `get_command` takes for its only command, and so becomes the click group."""

    context_settings: ClassVar = {"obj": None}

    @staticmethod
    def callback() -> None: ...

    @staticmethod
    def cls(**_: object) -> click.Group:
        return _group()

    def __getattr__(self, name: str) -> None:
        """Help texts, flags and whatever else a later Typer asks for: none is said here."""


class Application:
    """Stands for the click group; `dli --version` answers without importing click (40 ms).

    The first attributes are those that Typer's test runner reads of a Typer object.
    """

    _add_completion = False
    registered_callback = None
    registered_groups = ()
    registered_commands = (Registration(),)
    info = SimpleNamespace(callback=None, context_settings=None)
    pretty_exceptions_short = True
    rich_markup_mode = None

    def __call__(self, args: Sequence[str] | None = None, **options: Any) -> Any:
        if args is None:
            _collect_seldom()
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


def _collect_seldom() -> None:
    """A process of one command makes much that stays and little garbage: looking for it while
    modules load, and among all of them at the end, takes up to a fifth of its time.
    """
    gc.set_threshold(100_000, 50, 100)
    atexit.register(gc.freeze)


def _group() -> click.Group:
    from dli.cli.main import cli

    return cli


app = Application()
