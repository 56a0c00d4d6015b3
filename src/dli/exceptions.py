"""Every error of the library, with its DLI code.

    DLIError                                401
    ├── ConfigurationError                  001
    │   └── ConfigNotFoundError             002  (also a FileNotFoundError)
    ├── DLIValidationError                  201
    ├── ExecutionError                      401
    ├── DatasetNotFoundError                101
    ├── MetricNotFoundError                 102
    ├── TableNotFoundError                  103
    ├── TranspileError                      301
    ├── ServerError                         503
    ├── WorkflowNotFoundError               800
    ├── WorkflowRegistrationError           801
    ├── WorkflowExecutionError              802
    ├── WorkflowPermissionError             803
    ├── QualitySpecNotFoundError            601
    ├── QualitySpecParseError               602
    ├── QualityTargetNotFoundError          603
    ├── QualityTestExecutionError           604
    ├── QualityNotFoundError                606
    ├── CatalogError                        701
    ├── CatalogTableNotFoundError           702
    ├── InvalidIdentifierError              703
    └── UnsupportedEngineError              705

The code says what went wrong and may be overridden per error; the class says what was being done.
Errors compare and hash by identity, and travel whole through `pickle` and `copy`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from dli.error_code import CODES, CodeInfo, ErrorCode

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from os import PathLike
    from typing import Self

__all__ = [
    "CODES",
    "CatalogError",
    "CatalogTableNotFoundError",
    "CodeInfo",
    "ConfigNotFoundError",
    "ConfigurationError",
    "DLIError",
    "DLIValidationError",
    "DatasetNotFoundError",
    "ErrorCode",
    "ExecutionError",
    "InvalidIdentifierError",
    "MetricNotFoundError",
    "QualityNotFoundError",
    "QualitySpecNotFoundError",
    "QualitySpecParseError",
    "QualityTargetNotFoundError",
    "QualityTestExecutionError",
    "ServerError",
    "TableNotFoundError",
    "TranspileError",
    "UnsupportedEngineError",
    "WorkflowExecutionError",
    "WorkflowNotFoundError",
    "WorkflowPermissionError",
    "WorkflowRegistrationError",
]


@dataclass(eq=False, repr=False)
class DLIError(Exception):
    """Root of all errors of the library.

    `details` belongs to this error alone and holds JSON values: no secrets, no SQL text, no
    parameter values.
    """

    message: str
    code: ErrorCode = ErrorCode.EXECUTION_FAILED
    details: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__init__(self.message)
        self.code = ErrorCode(self.code)  # the text of a code will do
        self.details = dict(self.details)
        _link_cause(self)

    def __str__(self) -> str:
        return f"[{self.code.value}] {self._text()}"

    def __repr__(self) -> str:
        return f"{type(self).__name__}(message={self.message!r}, code=ErrorCode.{self.code.name})"

    def _text(self) -> str:
        return self.message

    def __reduce__(self) -> tuple[Any, ...]:
        state = {name: _portable(value) for name, value in self.__dict__.items()}
        return _rebuild, (type(self), self.args, state)

    def __copy__(self) -> Self:
        return _rebuild(type(self), self.args, self.__dict__)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        from copy import deepcopy

        # A cause is shared: foreign exceptions often hold what cannot be copied (locks, sockets).
        state = {
            name: value if isinstance(value, BaseException) else deepcopy(value, memo)
            for name, value in self.__dict__.items()
        }
        return _rebuild(type(self), self.args, state)


@dataclass(eq=False, repr=False)
class ConfigurationError(DLIError):
    """The configuration is missing or wrong."""

    code: ErrorCode = ErrorCode.CONFIG_INVALID
    config_path: str | PathLike[str] | None = None

    def _text(self) -> str:
        return self.message if self.config_path is None else f"{self.message} ({self.config_path})"


@dataclass(eq=False, repr=False)
class ConfigNotFoundError(ConfigurationError, FileNotFoundError):
    """There is no `dli.yaml` where one is needed."""

    code: ErrorCode = ErrorCode.CONFIG_NOT_FOUND


@dataclass(eq=False, repr=False)
class DLIValidationError(DLIError):
    """An argument, spec or SQL text was refused; `errors` and `warnings` list all findings."""

    code: ErrorCode = ErrorCode.VALIDATION_FAILED
    errors: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def _text(self) -> str:
        if not self.errors and not self.warnings:
            return self.message
        return f"{self.message} ({len(self.errors)} errors, {len(self.warnings)} warnings)"


@dataclass(eq=False, repr=False)
class ExecutionError(DLIError):
    """A statement could not be run, or its outcome is unknown."""

    code: ErrorCode = ErrorCode.EXECUTION_FAILED
    cause: BaseException | None = None


@dataclass(eq=False, repr=False)
class DatasetNotFoundError(DLIError):
    """No dataset of this name."""

    code: ErrorCode = ErrorCode.DATASET_NOT_FOUND
    name: str = ""
    searched_paths: Sequence[str | PathLike[str]] = field(default_factory=list)

    def _text(self) -> str:
        subject = f"Dataset '{self.name}' not found" if self.name else self.message
        return f"{subject}. Searched: {_listed(self.searched_paths) or 'N/A'}"


@dataclass(eq=False, repr=False)
class MetricNotFoundError(DLIError):
    """No metric of this name."""

    code: ErrorCode = ErrorCode.METRIC_NOT_FOUND
    name: str = ""
    searched_paths: Sequence[str | PathLike[str]] = field(default_factory=list)

    def _text(self) -> str:
        subject = f"Metric '{self.name}' not found" if self.name else self.message
        return (
            f"{subject}. Searched: {_listed(self.searched_paths)}"
            if self.searched_paths
            else subject
        )


@dataclass(eq=False, repr=False)
class TableNotFoundError(DLIError):
    """No table of this name in the catalog."""

    code: ErrorCode = ErrorCode.TABLE_NOT_FOUND
    table_ref: str = ""

    def _text(self) -> str:
        return f"Table '{self.table_ref}' not found in catalog" if self.table_ref else self.message


@dataclass(eq=False, repr=False)
class TranspileError(DLIError):
    """SQL could not be translated. `line` and `column` count from 1."""

    code: ErrorCode = ErrorCode.TRANSPILE_FAILED
    sql: str = ""
    line: int | None = None
    column: int | None = None

    def _text(self) -> str:
        return self.message + _position(self.line, self.column)


@dataclass(eq=False, repr=False)
class ServerError(DLIError):
    """The server could not be reached, refused, or failed."""

    code: ErrorCode = ErrorCode.SERVER_ERROR
    status_code: int | None = None
    url: str | None = None

    def _text(self) -> str:
        status = None if self.status_code is None else f"HTTP {self.status_code}"
        place = None if self.url is None else _public_url(self.url)
        extra = ", ".join(part for part in (status, place) if part)
        return f"{self.message} ({extra})" if extra else self.message


@dataclass(eq=False, repr=False)
class WorkflowNotFoundError(DLIError):
    """No workflow of this name, or no run of this id."""

    code: ErrorCode = ErrorCode.WORKFLOW_NOT_FOUND
    dataset_name: str = ""

    def _text(self) -> str:
        return self.message or f"Could not find {_workflow(self.dataset_name)}"


@dataclass(eq=False, repr=False)
class WorkflowRegistrationError(DLIError):
    """A workflow could not be registered or unregistered."""

    code: ErrorCode = ErrorCode.WORKFLOW_REGISTRATION_FAILED
    dataset_name: str = ""

    def _text(self) -> str:
        return self.message or f"Could not register {_workflow(self.dataset_name)}"


@dataclass(eq=False, repr=False)
class WorkflowExecutionError(DLIError):
    """A run, backfill, stop, query or schedule change failed."""

    code: ErrorCode = ErrorCode.WORKFLOW_EXECUTION_FAILED
    dataset_name: str = ""
    run_id: str = ""

    def _text(self) -> str:
        return self.message or f"Could not execute {_workflow(self.dataset_name, self.run_id)}"


@dataclass(eq=False, repr=False)
class WorkflowPermissionError(DLIError):
    """The caller may not do this, or the workflow is managed in Git."""

    code: ErrorCode = ErrorCode.WORKFLOW_PERMISSION_DENIED
    dataset_name: str = ""

    def _text(self) -> str:
        return self.message or f"Not allowed to change {_workflow(self.dataset_name)}"


@dataclass(eq=False, repr=False)
class QualitySpecNotFoundError(DLIError):
    """No quality spec at this path."""

    code: ErrorCode = ErrorCode.QUALITY_SPEC_NOT_FOUND
    spec_path: str | PathLike[str] = ""

    def _text(self) -> str:
        return f"Quality Spec not found: {self.spec_path}" if self.spec_path else self.message


@dataclass(eq=False, repr=False)
class QualitySpecParseError(DLIError):
    """A file that cannot be read as a quality spec. `line` and `column` count from 1."""

    code: ErrorCode = ErrorCode.QUALITY_SPEC_PARSE
    spec_path: str | PathLike[str] = ""
    line: int | None = None
    column: int | None = None

    def _text(self) -> str:
        return self.message + _position(self.line, self.column)


@dataclass(eq=False, repr=False)
class QualityTargetNotFoundError(DLIError):
    """The dataset or metric that a quality spec is about does not exist."""

    code: ErrorCode = ErrorCode.QUALITY_TARGET_NOT_FOUND
    target_urn: str = ""

    def _text(self) -> str:
        return f"Target not found: {self.target_urn}" if self.target_urn else self.message


@dataclass(eq=False, repr=False)
class QualityTestExecutionError(DLIError):
    """A quality test could not be run, so it neither passed nor failed."""

    code: ErrorCode = ErrorCode.QUALITY_TEST_EXECUTION
    test_name: str = ""
    target_urn: str = ""
    cause: BaseException | None = None

    def _text(self) -> str:
        return f"Test '{self.test_name}' execution failed" if self.test_name else self.message


@dataclass(eq=False, repr=False)
class QualityNotFoundError(DLIError):
    """No quality test of this name."""

    code: ErrorCode = ErrorCode.QUALITY_NOT_FOUND
    name: str = ""

    def _text(self) -> str:
        return f"Quality '{self.name}' not found" if self.name else self.message


@dataclass(eq=False, repr=False)
class CatalogError(DLIError):
    """The catalog could not be asked."""

    code: ErrorCode = ErrorCode.CATALOG_CONNECTION_ERROR


@dataclass(eq=False, repr=False)
class CatalogTableNotFoundError(DLIError):
    """The catalog has no such table."""

    code: ErrorCode = ErrorCode.CATALOG_TABLE_NOT_FOUND
    table_ref: str = ""

    def _text(self) -> str:
        return f"Table '{self.table_ref}' not found in catalog" if self.table_ref else self.message


@dataclass(eq=False, repr=False)
class InvalidIdentifierError(DLIError):
    """A table identifier that cannot be read."""

    code: ErrorCode = ErrorCode.CATALOG_INVALID_IDENTIFIER
    identifier: str = ""

    def _text(self) -> str:
        return (
            f"Invalid identifier format: '{self.identifier}'" if self.identifier else self.message
        )


@dataclass(eq=False, repr=False)
class UnsupportedEngineError(DLIError):
    """The catalog does not know this engine."""

    code: ErrorCode = ErrorCode.CATALOG_ENGINE_NOT_SUPPORTED
    engine: str = ""
    supported: Sequence[str] = field(default_factory=list)

    def _text(self) -> str:
        subject = f"Engine '{self.engine}' not supported" if self.engine else self.message
        return f"{subject}. Supported: {_listed(self.supported)}" if self.supported else subject


_E = TypeVar("_E", bound=DLIError)


def _rebuild(kind: type[_E], args: tuple[Any, ...], state: Mapping[str, Any]) -> _E:
    """Make an error from what it carries, past `__init__`, whose signature is its own."""
    error = kind.__new__(kind, *args)
    error.args = args  # OSError.__new__ leaves them to __init__
    error.__dict__.update(
        # Lists and dicts (details, notes) belong to one error: a note on the copy stays there.
        {
            name: value.copy() if isinstance(value, list | dict) else value
            for name, value in state.items()
        }
    )
    _link_cause(error)
    return error


def _link_cause(error: DLIError) -> None:
    cause = error.__dict__.get("cause")
    if isinstance(cause, BaseException):
        error.__cause__ = cause


def _portable(value: Any) -> Any:
    """Replace an exception that would not survive pickling by one that has its text."""
    if not isinstance(value, BaseException):
        return value
    import pickle

    try:
        # Many exceptions can be written but not read again, so only the round trip tells.
        pickle.loads(pickle.dumps(value))  # noqa: S301 (our own bytes)
    except Exception:  # noqa: BLE001 (whatever its class raises while being rebuilt)
        text = Exception(str(value))
        text.add_note(f"was {type(value).__module__}.{type(value).__qualname__}")
        return text
    return value


def _listed(values: Sequence[object]) -> str:
    return ", ".join(str(value) for value in values)


def _workflow(dataset_name: str, run_id: str = "") -> str:
    if dataset_name:
        return f"workflow '{dataset_name}'"
    return f"run '{run_id}'" if run_id else "the workflow"


def _position(line: int | None, column: int | None) -> str:
    parts = [f"{word} {n}" for word, n in (("line", line), ("column", column)) if n is not None]
    return f" ({', '.join(parts)})" if parts else ""


def _public_url(url: str) -> str:
    """The URL without user info, query and fragment; empty when it cannot be read."""
    from urllib.parse import urlsplit, urlunsplit

    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
