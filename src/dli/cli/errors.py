"""Errors on the terminal: one line with the code and what to do next, and the exit code."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from dli.cli.output import note

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dli.exceptions import DLIError

__all__ = ["report", "suggestion"]

FAILED, INTERRUPTED = 1, 130


def suggestion(word: str, known: Iterable[str]) -> str:
    """` Did you mean 'x'?` with at most three close names, or nothing."""
    from difflib import get_close_matches

    close = [f"'{name}'" for name in get_close_matches(word, list(known), n=3, cutoff=0.7)]
    return f" Did you mean {' or '.join(close)}?" if close else ""


def report(error: BaseException) -> int:
    """Print the error as the contract wants it; returns the exit code."""
    if os.environ.get("DLI_DEBUG") == "1" and not isinstance(error, click.ClickException):
        import traceback

        click.echo("".join(traceback.format_exception(error)), err=True, nl=False)
    if isinstance(error, click.Abort | KeyboardInterrupt | EOFError):
        note("Interrupted.")
        return INTERRUPTED
    if isinstance(error, click.ClickException):
        return _report_usage(error)

    note(_text(error))
    for finding in _findings(error):
        note(f"  {finding}")
    return FAILED


def _findings(error: BaseException) -> list[str]:
    """What there is to list below the line; nothing when the line says all of it."""
    found: list[str] = getattr(error, "errors", [])
    return [] if found == [getattr(error, "message", None)] else found


def _report_usage(error: click.ClickException) -> int:
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        error.show()
        return error.exit_code
    context = error.ctx if isinstance(error, click.UsageError) else None
    hint = f" See `{context.command_path} --help`." if context else ""
    note(f"Error: {error.format_message()}{hint}")
    return error.exit_code


def _text(error: BaseException) -> str:
    from dli.exceptions import DLIError, ErrorCode

    if isinstance(error, DLIError):
        is_all = bool(getattr(error, "errors", [])) and not _findings(error)
        text = error.message if is_all else str(error).removeprefix(f"[{error.code.value}] ")
        return f"Error [{error.code.value}]: {_sentence(text)} {_next_step(error)}"
    code = ErrorCode.EXECUTION_FAILED.value
    if isinstance(error, OSError):
        place = f": {error.filename}" if error.filename else ""
        return f"Error [{code}]: {error.strerror or error}{place}"
    kind = type(error).__name__
    return f"Error [{code}]: Unexpected {kind}. This is a defect; DLI_DEBUG=1 shows where."


def _sentence(text: str) -> str:
    text = text.strip()
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _next_step(error: DLIError) -> str:
    """The notes of the error, written where it was raised, else the general help for its code."""
    from dli.exceptions import CODES

    notes: list[str] = getattr(error, "__notes__", [])
    return " ".join(notes) if notes else CODES[error.code].help
