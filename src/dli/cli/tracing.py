"""The span of one command, below the trace that its environment names (`TRACEPARENT`)."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING

from dli.span import flush, set_up, span, well_formed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import click

__all__ = ["traced"]

_FLUSH_S = 1.0


@contextmanager
def traced(ctx: click.Context, env: Mapping[str, str]) -> Iterator[None]:
    """Around a command; its spans have a second to leave at its end."""
    why_not = set_up("dli", env, well_formed(env.get("TRACEPARENT")))
    if why_not is not None:
        logging.getLogger(__name__).warning("No spans are made: %s.", why_not)
    try:
        with span(f"dli {ctx.invoked_subcommand}"):
            yield
    finally:
        flush(_FLUSH_S)
