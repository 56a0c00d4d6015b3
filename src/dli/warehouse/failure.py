"""What the embedded engine raises, as errors of the library."""

from __future__ import annotations

import re

import duckdb

from dli.exceptions import ErrorCode, ExecutionError
from dli.warehouse.base import StatementInterruptedError

__all__ = ["holder_of_lock", "is_fatal", "is_missing_table", "refusal"]

_CODES: tuple[tuple[type[duckdb.Error], ErrorCode], ...] = (
    (duckdb.ParserException, ErrorCode.SQL_SYNTAX_ERROR),
    (duckdb.SyntaxException, ErrorCode.SQL_SYNTAX_ERROR),
    (duckdb.PermissionException, ErrorCode.EXECUTION_PERMISSION),
    (duckdb.FatalException, ErrorCode.EXECUTION_FAILED),
    (duckdb.InternalException, ErrorCode.EXECUTION_FAILED),
    (duckdb.IOException, ErrorCode.EXECUTION_FAILED),
    (duckdb.OutOfMemoryException, ErrorCode.EXECUTION_FAILED),
)
_STORAGE_FULL = re.compile(
    r"no space left|max_temp_directory_size|failed to offload", re.IGNORECASE
)
_LOCK_HOLDER = re.compile(
    r"could not set lock on file.*?(?:PID (\d+)|$)", re.IGNORECASE | re.DOTALL
)

_MISSING = re.compile(
    r"(Table with name|Schema with name|Catalog) \S+ does not exist", re.IGNORECASE
)
_HELD_HERE = re.compile(
    r"unique file handle conflict|in the process of being detached", re.IGNORECASE
)


def refusal(error: duckdb.Error) -> ExecutionError:
    """The error to raise instead; without the quoted SQL, which may hold parameter values."""
    if isinstance(error, duckdb.InterruptException):
        return StatementInterruptedError("The statement was stopped", cause=error)
    code = next((code for kind, code in _CODES if isinstance(error, kind)), None)
    message = _first_paragraph(str(error))
    if _STORAGE_FULL.search(message):
        message = f"storage_full: {message}"
        code = ErrorCode.EXECUTION_FAILED
    return ExecutionError(message, code=code or ErrorCode.EXECUTION_QUERY, cause=error)


def is_fatal(error: BaseException) -> bool:
    """Whether the engine gives up on the database until it is opened again."""
    return isinstance(error, duckdb.FatalException | duckdb.InternalException)


def is_missing_table(error: ExecutionError) -> bool:
    """Whether the engine refused a statement because of a table that is not there (yet)."""
    return error.code is ErrorCode.EXECUTION_QUERY and bool(_MISSING.search(error.message))


def holder_of_lock(error: duckdb.Error) -> str | None:
    """Who has the file open, in words; None when the error is about something else."""
    if _HELD_HERE.search(str(error)):
        return "this process"
    match = _LOCK_HOLDER.search(str(error))
    if match is None:
        return None
    return f"process {match[1]}" if match[1] else "another process"


def _first_paragraph(text: str) -> str:
    lines = text.split("\n\nLINE ", 1)[0].split("\n")
    return " ".join(line.strip() for line in lines if line.strip())
