"""The error of a spec, template or SQL text that cannot be used, in one sentence."""

from dli.exceptions import DLIValidationError, ErrorCode

__all__ = ["refused"]


def refused(message: str, code: ErrorCode = ErrorCode.SPEC_INVALID) -> DLIValidationError:
    """An error whose only finding is its message."""
    return DLIValidationError(message, code=code, errors=[message])
