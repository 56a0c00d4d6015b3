"""Every error is rendered as one problem with the status of its code."""

import pytest

from basecamp import errors
from basecamp.errors import RequestRefusedError
from dli.exceptions import CODES, DLIError, DLIValidationError, ErrorCode

ECHO = {"instance": "/api/v1/workflows", "request_id": "r1"}


@pytest.mark.parametrize("code", list(ErrorCode))
def test_every_code_has_its_status(code: ErrorCode) -> None:
    body = errors.problem(DLIError("No.", code=code), **ECHO)
    assert (body["status"], body["code"]) == (CODES[code].http_status, code.value)
    assert body.keys() == {*("type", "title", "status", "detail", "code"), *ECHO}


def test_a_conflict_is_one_whatever_the_code() -> None:
    error = DLIError("No.", code=ErrorCode.WORKFLOW_OVERRIDDEN, details={"conflict": True})
    assert errors.status_of(error) == 409


def test_findings_are_pointed_at() -> None:
    error = DLIValidationError("No.", details={"errors": [{"pointer": "/specs/0", "message": "m"}]})
    assert errors.problem(error, **ECHO)["errors"] == [{"pointer": "/specs/0", "message": "m"}]
    refused = RequestRefusedError("No.", pointers=[("/limit", "is too small")])
    assert errors.problem(refused, **ECHO)["errors"] == [
        {"pointer": "/limit", "message": "is too small"}
    ]


def test_unavailable_says_when_to_come_back() -> None:
    error = DLIError("Busy.", code=ErrorCode.SERVER_EXECUTION, details={"retry_after": 1})
    assert errors.headers_of(error) == {"Retry-After": "1"}
    assert "Retry-After" in errors.headers_of(DLIError("Down.", code=ErrorCode.SERVER_EXECUTION))
