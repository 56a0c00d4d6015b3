"""Errors: their text, their identity, and that nothing is lost when they travel."""

import copy
import inspect
import json
import pickle
import threading
from collections.abc import Callable
from typing import Any

import pytest

from dli import exceptions
from dli.exceptions import (
    CODES,
    CatalogError,
    CatalogTableNotFoundError,
    ConfigNotFoundError,
    ConfigurationError,
    DatasetNotFoundError,
    DLIError,
    DLIValidationError,
    ErrorCode,
    ExecutionError,
    InvalidIdentifierError,
    MetricNotFoundError,
    QualityNotFoundError,
    QualitySpecNotFoundError,
    QualitySpecParseError,
    QualityTargetNotFoundError,
    QualityTestExecutionError,
    ServerError,
    TableNotFoundError,
    TranspileError,
    UnsupportedEngineError,
    WorkflowExecutionError,
    WorkflowNotFoundError,
    WorkflowPermissionError,
    WorkflowRegistrationError,
)

EXTRAS: dict[type[DLIError], tuple[str, dict[str, Any], dict[str, Any]]] = {
    # class: default code, attributes with their defaults, attributes of a sample
    DLIError: ("DLI-401", {}, {}),
    ConfigurationError: ("DLI-001", {"config_path": None}, {"config_path": "/p/dli.yaml"}),
    ConfigNotFoundError: ("DLI-002", {"config_path": None}, {"config_path": "/p/dli.yaml"}),
    DLIValidationError: (
        "DLI-201",
        {"errors": [], "warnings": []},
        {"errors": ["a", "b"], "warnings": ["c"]},
    ),
    ExecutionError: ("DLI-401", {"cause": None}, {"cause": ValueError("why")}),
    DatasetNotFoundError: (
        "DLI-101",
        {"name": "", "searched_paths": []},
        {"name": "x", "searched_paths": ["a", "b"]},
    ),
    MetricNotFoundError: (
        "DLI-102",
        {"name": "", "searched_paths": []},
        {"name": "x", "searched_paths": ["a", "b"]},
    ),
    TableNotFoundError: ("DLI-103", {"table_ref": ""}, {"table_ref": "x"}),
    TranspileError: (
        "DLI-301",
        {"sql": "", "line": None, "column": None},
        {"sql": "SELEC", "line": 3, "column": 5},
    ),
    ServerError: (
        "DLI-503",
        {"status_code": None, "url": None},
        {"status_code": 500, "url": "https://me:pw@host:1/a?token=t"},
    ),
    WorkflowNotFoundError: ("DLI-800", {"dataset_name": ""}, {"dataset_name": "d"}),
    WorkflowRegistrationError: ("DLI-801", {"dataset_name": ""}, {"dataset_name": "d"}),
    WorkflowExecutionError: (
        "DLI-802",
        {"dataset_name": "", "run_id": ""},
        {"dataset_name": "d", "run_id": "r"},
    ),
    WorkflowPermissionError: ("DLI-803", {"dataset_name": ""}, {"dataset_name": "d"}),
    QualitySpecNotFoundError: ("DLI-601", {"spec_path": ""}, {"spec_path": "x"}),
    QualitySpecParseError: (
        "DLI-602",
        {"spec_path": "", "line": None, "column": None},
        {"spec_path": "x", "line": 3, "column": 5},
    ),
    QualityTargetNotFoundError: ("DLI-603", {"target_urn": ""}, {"target_urn": "x"}),
    QualityTestExecutionError: (
        "DLI-604",
        {"test_name": "", "target_urn": "", "cause": None},
        {"test_name": "x", "target_urn": "dataset:d", "cause": ValueError("why")},
    ),
    QualityNotFoundError: ("DLI-606", {"name": ""}, {"name": "x"}),
    CatalogError: ("DLI-701", {}, {}),
    CatalogTableNotFoundError: ("DLI-702", {"table_ref": ""}, {"table_ref": "x"}),
    InvalidIdentifierError: ("DLI-703", {"identifier": ""}, {"identifier": "x"}),
    UnsupportedEngineError: (
        "DLI-705",
        {"engine": "", "supported": []},
        {"engine": "x", "supported": ["trino", "hive"]},
    ),
}

TEXTS: dict[type[DLIError], str] = {
    DLIError: "[DLI-401] msg",
    ConfigurationError: "[DLI-001] msg (/p/dli.yaml)",
    ConfigNotFoundError: "[DLI-002] msg (/p/dli.yaml)",
    DLIValidationError: "[DLI-201] msg (2 errors, 1 warnings)",
    ExecutionError: "[DLI-401] msg",
    DatasetNotFoundError: "[DLI-101] Dataset 'x' not found. Searched: a, b",
    MetricNotFoundError: "[DLI-102] Metric 'x' not found. Searched: a, b",
    TableNotFoundError: "[DLI-103] Table 'x' not found in catalog",
    TranspileError: "[DLI-301] msg (line 3, column 5)",
    ServerError: "[DLI-503] msg (HTTP 500, https://host:1/a)",
    WorkflowNotFoundError: "[DLI-800] msg",
    WorkflowRegistrationError: "[DLI-801] msg",
    WorkflowExecutionError: "[DLI-802] msg",
    WorkflowPermissionError: "[DLI-803] msg",
    QualitySpecNotFoundError: "[DLI-601] Quality Spec not found: x",
    QualitySpecParseError: "[DLI-602] msg (line 3, column 5)",
    QualityTargetNotFoundError: "[DLI-603] Target not found: x",
    QualityTestExecutionError: "[DLI-604] Test 'x' execution failed",
    QualityNotFoundError: "[DLI-606] Quality 'x' not found",
    CatalogError: "[DLI-701] msg",
    CatalogTableNotFoundError: "[DLI-702] Table 'x' not found in catalog",
    InvalidIdentifierError: "[DLI-703] Invalid identifier format: 'x'",
    UnsupportedEngineError: "[DLI-705] Engine 'x' not supported. Supported: trino, hive",
}

WAYS: dict[str, Callable[[Any], Any]] = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "pickle 0": lambda error: pickle.loads(pickle.dumps(error, 0)),
    "pickle 2": lambda error: pickle.loads(pickle.dumps(error, 2)),
    "pickle 5": lambda error: pickle.loads(pickle.dumps(error, 5)),
}

each_class = pytest.mark.parametrize("kind", EXTRAS, ids=lambda kind: kind.__name__)
each_way = pytest.mark.parametrize("travel", WAYS.values(), ids=WAYS.keys())


def sample(kind: type[DLIError], **given: Any) -> DLIError:
    return kind("msg", details={"at": [1]}, **{**EXTRAS[kind][2], **given})


class UnreadableError(Exception):
    """Like many exceptions of other libraries: pickled well, but never read again."""

    def __init__(self, first: str, second: str) -> None:
        super().__init__(f"{first} {second}")


class WithOwnSignatureError(DLIError):
    def __init__(self, first: int, *, second: int) -> None:
        super().__init__(f"{first} and {second}")
        self.second = second


def test_the_tables_of_this_test_name_every_class() -> None:
    classes = {
        value
        for value in vars(exceptions).values()
        if inspect.isclass(value) and issubclass(value, DLIError)
    }
    assert EXTRAS.keys() == TEXTS.keys() == classes


@each_class
def test_message_alone_is_enough(kind: type[DLIError]) -> None:
    code, defaults, _ = EXTRAS[kind]
    error = kind("msg")
    assert (error.message, error.code, error.details) == ("msg", code, {})
    assert {name: getattr(error, name) for name in defaults} == defaults
    assert error.args == ("msg",)
    assert "msg" in str(error)


@each_class
def test_message_is_required(kind: type[DLIError]) -> None:
    with pytest.raises(TypeError, match="message"):
        kind()  # type: ignore[call-arg]


@each_class
def test_code_and_details_follow_the_message(kind: type[DLIError]) -> None:
    error = kind("msg", ErrorCode.TIMEOUT, {"a": 1})
    assert (error.code, error.details) == (ErrorCode.TIMEOUT, {"a": 1})
    assert str(error).startswith("[DLI-402] ")


@each_class
def test_details_and_lists_belong_to_one_error(kind: type[DLIError]) -> None:
    given = {"a": 1}
    first, second = kind("m", details=given), kind("m", details=given)
    first.details["b"] = 2
    assert second.details == given == {"a": 1}
    for name, default in EXTRAS[kind][1].items():
        if default == []:
            assert getattr(first, name) is not getattr(second, name)


@each_class
def test_text_and_repr(kind: type[DLIError]) -> None:
    error = sample(kind)
    assert str(error) == TEXTS[kind]
    assert repr(error) == f"{kind.__name__}(message='msg', code=ErrorCode.{error.code.name})"


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (DatasetNotFoundError("m", name="x"), "[DLI-101] Dataset 'x' not found. Searched: N/A"),
        (MetricNotFoundError("m", name="x"), "[DLI-102] Metric 'x' not found"),
        (DLIValidationError("m", errors=["a"]), "[DLI-201] m (1 errors, 0 warnings)"),
        (TranspileError("m", line=3), "[DLI-301] m (line 3)"),
        (ServerError("m", status_code=404), "[DLI-503] m (HTTP 404)"),
        (ServerError("m", url="http://[broken"), "[DLI-503] m"),
        (UnsupportedEngineError("m", engine="x"), "[DLI-705] Engine 'x' not supported"),
        (WorkflowNotFoundError("", dataset_name="d"), "[DLI-800] Could not find workflow 'd'"),
        (WorkflowExecutionError("", run_id="r"), "[DLI-802] Could not execute run 'r'"),
        (
            WorkflowExecutionError("", dataset_name="d", run_id="r"),
            "[DLI-802] Could not execute workflow 'd'",
        ),
        (WorkflowRegistrationError(""), "[DLI-801] Could not register the workflow"),
        (
            WorkflowPermissionError("", dataset_name="d"),
            "[DLI-803] Not allowed to change workflow 'd'",
        ),
    ],
)
def test_text_without_some_of_the_attributes(error: DLIError, text: str) -> None:
    assert str(error) == text


@each_class
def test_errors_compare_and_hash_by_identity(kind: type[DLIError]) -> None:
    first, second = sample(kind), sample(kind)
    assert first != second
    assert len({first, second, first}) == 2
    with pytest.raises(ExceptionGroup) as caught:
        raise ExceptionGroup("both", [first, second])
    assert caught.value.exceptions == (first, second)


@each_class
@each_way
def test_nothing_is_lost_on_the_way(kind: type[DLIError], travel: Callable[[Any], Any]) -> None:
    error = sample(kind, code=ErrorCode.TIMEOUT)
    error.add_note("seen at noon")
    other = travel(error)
    assert type(other) is kind
    assert other is not error
    assert (str(other), repr(other), other.args) == (str(error), repr(error), error.args)
    assert other.__notes__ == ["seen at noon"]
    names = ["message", "code", "details", *EXTRAS[kind][1]]
    before, after = ({n: getattr(e, n) for n in names} for e in (error, other))
    if "cause" in names:
        assert other.__cause__ is after["cause"]
        assert repr(after.pop("cause")) == repr(before.pop("cause"))
    assert after == before
    other.details["new"] = 1
    other.add_note("later")
    assert error.details == {"at": [1]}
    assert error.__notes__ == ["seen at noon"]


@each_way
def test_a_cause_that_cannot_travel_goes_as_its_text(travel: Callable[[Any], Any]) -> None:
    for cause in (UnreadableError("no", "way"), ValueError(threading.Lock())):
        other = travel(ExecutionError("msg", cause=cause))
        assert str(other.cause) == str(cause)
        assert other.__cause__ is other.cause
    assert str(other) == "[DLI-401] msg"


def test_the_text_of_a_cause_says_what_it_was() -> None:
    error = ExecutionError("msg", cause=UnreadableError("no", "way"))
    other = pickle.loads(pickle.dumps(error))
    assert other.cause.__notes__ == [f"was {__name__}.UnreadableError"]
    assert isinstance(error.cause, UnreadableError), "the original keeps its own"


@each_way
def test_causes_travel_in_chains(travel: Callable[[Any], Any]) -> None:
    inner = ExecutionError("inner", cause=ValueError("why"))
    other = travel(QualityTestExecutionError("outer", cause=inner))
    assert str(other.cause) == "[DLI-401] inner"
    assert str(other.cause.__cause__) == "why"


def test_copies_of_subclasses_do_not_call_their_init() -> None:
    error = copy.copy(WithOwnSignatureError(1, second=2))
    assert (str(error), error.second) == ("[DLI-401] 1 and 2", 2)


def test_a_missing_project_file_is_a_missing_file_too() -> None:
    with pytest.raises(FileNotFoundError):
        raise ConfigNotFoundError("no dli.yaml here")


def test_raise_from_wins_over_nothing_and_cause_is_the_cause() -> None:
    why = KeyError("k")
    assert ExecutionError("m", cause=why).__cause__ is why
    with pytest.raises(ExecutionError) as caught:
        raise ExecutionError("m") from why
    assert caught.value.__cause__ is why


def test_the_text_of_a_code_will_do_if_it_is_one() -> None:
    assert DLIError("m", "DLI-800").code is ErrorCode.WORKFLOW_NOT_FOUND  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="DLI-999"):
        DLIError("m", "DLI-999")  # type: ignore[arg-type]


def test_codes_are_texts() -> None:
    assert WorkflowNotFoundError("m").code == "DLI-800"
    assert ErrorCode("DLI-800").value == "DLI-800"
    assert json.dumps({"code": ErrorCode.TIMEOUT}) == '{"code": "DLI-402"}'


def test_every_code_has_a_status_and_a_line_of_help() -> None:
    assert set(CODES) == set(ErrorCode)
    for info in CODES.values():
        assert 400 <= info.http_status < 600
        assert info.help.endswith(".")
        assert "\n" not in info.help
