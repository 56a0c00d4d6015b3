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
_NO_SPACE = (
    "storage_full: There is no space left on the disk, or within spill_limit, for the data of "
    "this statement or for what does not fit in memory. Nothing of it was kept; make space and run "
    "it again"
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


_OF_DATA = (
    duckdb.ConstraintException,
    duckdb.ConversionException,
    duckdb.InvalidInputException,
    duckdb.InvalidTypeException,
    duckdb.NotImplementedException,
    duckdb.OutOfRangeException,
    duckdb.SequenceException,
    duckdb.TypeMismatchException,
)
"""Errors that a value causes: their texts hold it, quoted or bare."""
_KIND = r"[A-Z][A-Z0-9_]*(?:\([0-9, ]+\))?(?:\[\d*\])*"
_VALUELESS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.DOTALL), shown)
    for pattern, shown in (
        (rf"Could not convert string .* to ({_KIND})", r"Could not convert a string to \1"),
        (rf"Could not cast value .* to ({_KIND})", r"Could not cast a value to \1"),
        (
            rf"Type ({_KIND}) with value .* can't be cast.* destination type ({_KIND})",
            r"A value of type \1 can't be cast to \2",
        ),
        (
            r"invalid (date|time|timestamp) field format: .*, (expected format is \([^()\n]+)\)?",
            r"invalid \1 field format, \2)",
        ),
        (
            r"(PRIMARY KEY or UNIQUE|FOREIGN KEY)( constraint).*",
            r"\1\2 violation: the key is not shown here",
        ),
        (r"(Duplicate key) .*", r"\1, which is not shown here"),
        (r"(CHECK constraint failed on table [\w.]+).*", r"\1"),
        (r"(NOT NULL constraint failed: [\w.]+)", r"\1"),
        (r"(More than one row returned by a subquery)", r"\1"),
        (r"(Unimplemented type for cast \([A-Z0-9_ ()\[\],>-]+\))", r"\1"),
    )
)
_QUOTED_KEY = re.compile(r'(Could not find key) "[^"]*"')


def refusal(error: duckdb.Error, *, hides_values: bool = False) -> ExecutionError:
    """The error to raise instead; without the quoted SQL, which may hold parameter values.

    What the engine says of a value that does not fit holds that value, unless it `hides_values`.
    """
    if isinstance(error, duckdb.InterruptException):
        return StatementInterruptedError("The statement was stopped", cause=error)
    code = next((code for kind, code in _CODES if isinstance(error, kind)), None)
    message = _first_paragraph(str(error))
    if _STORAGE_FULL.search(message):
        message = _NO_SPACE
        code = ErrorCode.EXECUTION_FAILED
    elif hides_values:
        message = _without_values(error, message)
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


def _without_values(error: duckdb.Error, message: str) -> str:
    """The engine's words as far as they are known to hold no value."""
    kind, _, told = message.partition(": ")
    if not isinstance(error, _OF_DATA):
        return _QUOTED_KEY.sub(r"\1", message)
    for pattern, shown in _VALUELESS:
        if found := pattern.match(told):
            return f"{kind}: {found.expand(shown)}"
    return f"{kind}: a value does not fit; the engine's own words are not shown, they may hold it"


def _first_paragraph(text: str) -> str:
    lines = text.split("\n\nLINE ", 1)[0].split("\n")
    return " ".join(line.strip() for line in lines if line.strip())
