"""Logging on stderr, when `DLI_LOG_LEVEL` or `DLI_DEBUG=1` asks for it."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING

from dli.cli.output import clean
from dli.exceptions import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["configure"]

_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


class _OneLine(logging.Formatter):
    """One event is one line, whatever a server or a file put into it."""

    def format(self, record: logging.LogRecord) -> str:
        return clean(super().format(record))


def configure(env: Mapping[str, str]) -> None:
    """`DLI_DEBUG=1` means level DEBUG unless a level is named.

    Raises: ConfigurationError (001) for an unknown level.
    """
    level = env.get("DLI_LOG_LEVEL", "DEBUG").upper()
    if level not in _LEVELS:
        raise ConfigurationError(f"DLI_LOG_LEVEL must be one of {', '.join(_LEVELS)}")
    output = logging.StreamHandler(sys.stderr)
    output.setFormatter(_OneLine("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=level, handlers=[output], force=True)
