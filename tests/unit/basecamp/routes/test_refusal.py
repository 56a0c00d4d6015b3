"""Findings of the validation are told by field, never with what was sent."""

from typing import Any

import pytest
from pydantic import ValidationError

from basecamp.routes.query import Strict
from basecamp.routes.refusal import refusal_of
from basecamp.routes.workflow import RegisterBody, WorkflowQuery
from dli.exceptions import ErrorCode

GOOD = {"dataset_name": "a.b", "cron": "* * * * *"}


def refused(model: type[Strict], **values: Any) -> Any:
    with pytest.raises(ValidationError) as caught:
        model.model_validate(values)
    return refusal_of(caught.value.errors())


@pytest.mark.parametrize(
    ("values", "status", "pointers"),
    [
        ({**GOOD, "retry_max_attempts": 0}, 422, [("/retry_max_attempts", "is too small")]),
        ({**GOOD, "enabled": "yes"}, 400, [("/enabled", "has the wrong type")]),
        ({"cron": "x"}, 400, [("/dataset_name", "is missing")]),
        ({**GOOD, "secret-name": 1}, 400, [("", "names an unknown field")]),
    ],
)
def test_findings_of_a_body(
    values: dict[str, Any], status: int, pointers: list[tuple[str, str]]
) -> None:
    error = refused(RegisterBody, **values)
    assert (error.status, error.pointers) == (status, pointers)
    assert "secret-name" not in str(error)


def test_one_malformed_field_makes_the_request_malformed() -> None:
    error = refused(WorkflowQuery, limit="0", running="maybe")
    assert (error.status, error.code) == (400, ErrorCode.VALIDATION_FAILED)
    assert len(error.pointers) == 2


def test_values_out_of_range_are_a_parameter_problem() -> None:
    error = refused(WorkflowQuery, limit="0", status="asleep")
    assert (error.status, error.code) == (422, ErrorCode.PARAMETER_INVALID)
