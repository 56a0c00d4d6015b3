"""Parameters are strict: declared, typed, and filled in a fixed order."""

from datetime import date, datetime
from typing import Any

import pytest

from dli.exceptions import DLIValidationError
from dli.models.spec import ParameterType, QueryParameter
from dli.specs.parameter import bind, parse_text, requested_date, unfillable


def declare(name: str, kind: str = "string", **more: Any) -> QueryParameter:
    return QueryParameter(name=name, type=ParameterType(kind), **more)


def refusal(declared: list[QueryParameter], given: dict[str, Any]) -> DLIValidationError:
    with pytest.raises(DLIValidationError) as caught:
        bind(declared, given)
    assert caught.value.code == "DLI-204"
    return caught.value


@pytest.mark.parametrize(
    ("kind", "given", "value"),
    [
        ("string", "x", "x"),
        ("string", 7, "7"),
        ("string", True, "true"),
        ("integer", 7, 7),
        ("integer", "-7", -7),
        ("integer", "007", 7),
        ("float", 1, 1.0),
        ("float", "1.5", 1.5),
        ("float", "-2e3", -2000.0),
        ("date", "2025-01-31", "2025-01-31"),
        ("date", "2025-1-5", "2025-01-05"),
        ("date", date(2025, 1, 5), "2025-01-05"),
        ("date", datetime(2025, 1, 5, 23), "2025-01-05"),  # noqa: DTZ001
        ("boolean", True, True),
        ("boolean", "YES", True),
        ("boolean", 0, False),
        ("boolean", "no", False),
        ("list", ["a", 1], ["a", 1]),
        ("list", "a,b", ["a", "b"]),
        ("list", "", []),
    ],
)
def test_values_take_the_form_of_their_type(kind: str, given: Any, value: Any) -> None:
    bound = bind([declare("p", kind)], {"p": given})["p"]
    assert bound == value
    assert type(bound) is type(value)


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        ("string", ["x"]),
        ("string", {"a": 1}),
        ("integer", "1.5"),
        ("integer", 1.0),
        ("integer", True),
        ("integer", "１"),
        ("integer", ""),
        ("integer", "9" * 5000),
        ("float", "nan"),
        ("float", float("inf")),
        ("float", 10**400),
        ("float", "1_0"),
        ("float", True),
        ("date", "2025-02-30"),
        ("date", "01/02/2025"),
        ("date", "2025-01-01 00:00"),
        ("date", 20250101),
        ("boolean", "on"),
        ("boolean", 2),
        ("boolean", 1.0),
        ("list", [["nested"]]),
        ("list", 5),
    ],
)
def test_values_of_another_type_are_refused(kind: str, given: Any) -> None:
    error = refusal([declare("p", kind)], {"p": given})
    assert "'p' must be" in error.message
    assert error.details == {}


def test_undeclared_and_missing_parameters_are_refused_together() -> None:
    error = refusal([declare("region"), declare("n", "integer")], {"regoin": "x", "n": "five"})
    assert len(error.errors) == 3
    assert "undeclared parameter; declared: n, region" in error.message
    assert "'region' is required" in error.message
    assert "regoin" not in error.message


def test_a_default_or_none_fills_what_is_not_given() -> None:
    declared = [declare("a", default="x"), declare("b", required=False), declare("c", default=0)]
    assert bind(declared, {"a": None}) == {"a": "x", "b": None, "c": "0"}


def test_the_date_parameters_are_always_accepted() -> None:
    assert bind([], {"ds": "2025-01-01", "execution_date": "2025-01-01"}) == {}


def test_a_parameter_named_like_a_builtin_takes_its_value() -> None:
    declared = [declare("ds", "date", default="2000-01-01"), declare("year", "integer")]
    builtin = {"ds": "2025-01-05", "year": "2025"}
    assert bind(declared, {}, builtin) == {"ds": "2025-01-05", "year": 2025}
    assert bind(declared, {"year": 1999}, builtin) == {"ds": "2025-01-05", "year": 1999}
    assert bind(declared, {}) == {}  # a check before the run has a date


def test_texts_are_read_as_declared_else_guessed() -> None:
    declared = [declare("code"), declare("n", "integer"), declare("l", "list")]
    texts = {"code": "123", "n": "007", "l": "5", "other": "123", "ds": "2025-1-1"}
    values = parse_text(declared, texts)
    assert values == {"code": "123", "n": 7, "l": ["5"], "other": 123, "ds": "2025-01-01"}
    with pytest.raises(DLIValidationError, match="'n' must be an integer"):
        parse_text(declared, {"n": "x"})


def test_either_date_parameter_sets_the_logical_date() -> None:
    assert requested_date({}) is None
    assert requested_date({"ds": "2025-01-05"}) == date(2025, 1, 5)
    assert requested_date({"execution_date": "2025-1-5", "ds": date(2025, 1, 5)}) == date(
        2025, 1, 5
    )
    for given in ({"ds": "today"}, {"ds": "2025-01-05", "execution_date": "2025-01-06"}):
        with pytest.raises(DLIValidationError) as caught:
            requested_date(given)
        assert caught.value.code == "DLI-204"


def test_what_a_schedule_could_not_fill() -> None:
    declared = [
        declare("region"),
        declare("n", default="5"),
        declare("o", required=False),
        declare("ds", "date"),
    ]
    assert unfillable(declared) == ["region"]
