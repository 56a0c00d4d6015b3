"""The span of one command, below the trace that its environment names (`TRACEPARENT`)."""

from __future__ import annotations

import logging
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

from dli.span import flush, set_up, span

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import click

__all__ = ["traced"]

_FLUSH_S = 1.0
_PARENT = re.compile("00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


@contextmanager
def traced(ctx: click.Context, env: Mapping[str, str]) -> Iterator[None]:
    """Around a command; its spans have a second to leave at its end."""
    given = env.get("TRACEPARENT", "")
    why_not = set_up("dli", env, given if _PARENT.fullmatch(given) else None)
    if why_not is not None:
        logging.getLogger(__name__).warning("No spans are made: %s.", why_not)
    try:
        with span(f"dli {ctx.invoked_subcommand}"):
            yield
    finally:
        flush(_FLUSH_S)
