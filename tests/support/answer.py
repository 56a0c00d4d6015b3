"""Reads answers of the client in tests, failing with the whole answer when it is not as told."""

from typing import Any

from dli.core.client import ServerResponse

__all__ = ["items", "record", "refusal"]


def record(answer: ServerResponse) -> dict[str, Any]:
    """The one record of a successful answer."""
    assert answer.success, answer
    assert isinstance(answer.data, dict), answer
    return answer.data


def items(answer: ServerResponse) -> list[dict[str, Any]]:
    """The records of a successful list."""
    assert answer.success, answer
    assert isinstance(answer.data, list), answer
    return answer.data


def refusal(answer: ServerResponse) -> tuple[int, str | None]:
    """HTTP status and DLI code of a refused request."""
    assert not answer.success, answer
    assert answer.error
    return answer.status_code, answer.code
