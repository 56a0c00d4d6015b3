"""Spec files and spec bodies turned into checked models, with `path:line` in every message."""

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from dli.exceptions import DLIValidationError, ErrorCode
from dli.models.dataset import DatasetSpec
from dli.models.metric import MetricSpec
from dli.models.spec import SpecType
from dli.specs.document import MAX_DEPTH, Document, Place, Plain, read_document, typed
from dli.specs.parameter import coerce
from dli.specs.quality_rule import DECLARED_KEYS
from dli.specs.rule import Finding, Folder, broken_rules

__all__ = [
    "SpecFile",
    "dataset_from_mapping",
    "metric_from_mapping",
    "named_dataset",
    "parse_dataset",
    "parse_spec",
    "unknown_keys",
    "validated",
]

Model = TypeVar("Model", bound=BaseModel)

_MODELS: dict[SpecType, type[DatasetSpec | MetricSpec]] = {
    SpecType.DATASET: DatasetSpec,
    SpecType.METRIC: MetricSpec,
}


@dataclass(frozen=True, slots=True)
class SpecFile:
    """A spec and the document it came from."""

    spec: DatasetSpec | MetricSpec
    document: Document

    @property
    def warnings(self) -> list[str]:
        """What is doubtful about it."""
        found = unknown_keys(type(self.spec), self.document.data)
        return [f"{self.document.at(place)}: {message}" for place, message in found]


def parse_spec(
    source: bytes | Path,
    *,
    label: str,
    root: Path | None = None,
    sql_patterns: Sequence[str] = ("*.sql",),
    defaults: Mapping[str, Any] | None = None,
) -> SpecFile:
    """Read a dataset or metric spec; `label` names it in messages and tells the default `type`.

    With a path and a project `root` SQL files are allowed, relative to the spec and inside the
    root. `defaults` fill missing keys of `execution`.

    Raises: DLIValidationError with the code of the first finding (203, 805, 801) and all of them.
    """
    document = read_document(source, label)
    path = source if isinstance(source, Path) else None
    folder = Folder(path.parent, root.resolve(), sql_patterns) if path and root else None
    spec = _spec(document, folder, defaults or {})
    spec.spec_path = path
    return SpecFile(spec, document)


def parse_dataset(source: bytes, label: str) -> DatasetSpec:
    """A dataset spec that carries its SQL itself, from the text of a file.

    Raises: DLIValidationError as `parse_spec`.
    """
    file = parse_spec(source, label=label)
    return _dataset(file.spec, file.document)


def named_dataset(source: bytes, name: str) -> DatasetSpec:
    """The dataset spec in the file of this name in a spec store.

    Raises: DLIValidationError as `parse_spec`, DLI-203 when the spec has another name.
    """
    spec = parse_dataset(source, f"{name}.yaml")
    if spec.name != name:
        raise DLIValidationError(
            "The spec's name is not the name of its file.", code=ErrorCode.SPEC_INVALID
        )
    return spec


def dataset_from_mapping(
    data: Mapping[str, Any], origin: str = "spec"
) -> tuple[DatasetSpec, list[str]]:
    """A dataset spec that came as a value, such as the body of a request, and its warnings.

    Raises: DLIValidationError as `parse_spec`, `details["errors"]` holds a JSON pointer for each.
    """
    document = Document(origin, dict(data))
    check_depth(document, document.data)
    spec = _dataset(_spec(document, None, {}), document)
    return spec, [message for _, message in unknown_keys(DatasetSpec, document.data)]


def metric_from_mapping(
    data: Mapping[str, Any], origin: str = "spec"
) -> tuple[MetricSpec, list[str]]:
    """As `dataset_from_mapping`, for a metric."""
    document = Document(origin, {"type": SpecType.METRIC.value, **data})
    check_depth(document, document.data)
    spec = _spec(document, None, {})
    if not isinstance(spec, MetricSpec):
        raise _invalid(document, [Finding(("type",), "type: a metric is needed here")])
    return spec, [message for _, message in unknown_keys(MetricSpec, document.data)]


def _dataset(spec: DatasetSpec | MetricSpec, document: Document) -> DatasetSpec:
    if not isinstance(spec, DatasetSpec):
        raise _invalid(document, [Finding(("type",), "type: a dataset is needed here")])
    return spec


def check_depth(document: Document, value: Any, place: Place = ()) -> None:
    """Raises: DLIValidationError DLI-203 for values within values beyond a limit."""
    if len(place) > MAX_DEPTH:
        raise _invalid(document, [Finding(place[:1], f"nested deeper than {MAX_DEPTH} levels")])
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in items:
        if isinstance(item, dict | list):
            check_depth(document, item, (*place, key))


def _spec(
    document: Document, folder: Folder | None, defaults: Mapping[str, Any]
) -> DatasetSpec | MetricSpec:
    data = document.data
    if "kind" in data and ("spec" in data or "metadata" in data):
        message = (
            "keys kind, metadata and spec are not supported; name, owner and team are expected"
        )
        raise _invalid(document, [Finding(("kind",), message)])
    kind = _kind(document)
    values = {"type": kind.value, **_given(data)}
    if isinstance(execution := values.get("execution", {}), dict):
        values["execution"] = {**defaults, **execution}
    spec = validated(_MODELS[kind], values, document)
    findings = list(broken_rules(spec, folder))
    if findings:
        raise _invalid(document, findings)
    for parameter in spec.parameters:
        if parameter.default is not None:
            parameter.default = coerce(parameter.type, parameter.default)
    return spec


def _kind(document: Document) -> SpecType:
    given = document.data.get("type")
    if given in list(SpecType):
        return SpecType(given)
    is_metric = document.label.rpartition("/")[2].startswith("metric.")
    return SpecType.METRIC if is_metric else SpecType.DATASET


def _given(value: Any, place: Place = ()) -> Any:
    """The values a model reads: empty keys left out, free-form places typed, the rest as text."""
    if _is_free(place):
        return typed(value)
    if isinstance(value, dict):
        return {k: _given(v, (*place, k)) for k, v in value.items() if v is not None}
    if isinstance(value, list):
        return [_given(item, (*place, number)) for number, item in enumerate(value)]
    return str(value) if isinstance(value, Plain) else value


def _is_free(place: Place) -> bool:
    # The default of a parameter is read as its declared type, so only a list is typed here.
    is_item_of_default = len(place) == 4 and place[0] == "parameters" and place[2] == "default"
    is_key_of_test = len(place) == 4 and place[:2] == ("quality", "tests")
    return (
        place == ("schema",)
        or is_item_of_default
        or (is_key_of_test and place[3] not in DECLARED_KEYS)
    )


def validated(model: type[Model], values: Any, document: Document) -> Model:
    """The values as a model.

    Raises: DLIValidationError DLI-203 with every finding.
    """
    try:
        return model.model_validate(values)
    except ValidationError as error:
        findings = [
            Finding(problem["loc"], f"{_dotted(problem['loc'])}: {_sentence(problem['msg'])}")
            for problem in error.errors(include_url=False, include_input=False)
        ]
        raise _invalid(document, findings) from None


def _sentence(message: str) -> str:
    message = message.removeprefix("Value error, ")
    return message[:1].lower() + message[1:]


def _dotted(place: Place) -> str:
    return ".".join(map(str, place))


def unknown_keys(
    model: type[BaseModel], data: Mapping[str, Any], place: Place = ()
) -> Iterator[tuple[Place, str]]:
    """Keys that the model does not know, with the known one that was probably meant."""
    fields = _keys(model)
    for key, value in data.items():
        if key not in fields:
            if model.model_config.get("extra") != "allow":
                yield (*place, key), f"unknown key '{key}'{_suggestion(key, fields)}"
        else:
            yield from _unknown_in(fields[key].annotation, value, (*place, key))


@cache
def _keys(model: type[BaseModel]) -> dict[str, FieldInfo]:
    return {field.alias or name: field for name, field in model.model_fields.items()}


def _unknown_in(annotation: Any, value: Any, place: Place) -> Iterator[tuple[Place, str]]:
    kind, inner = get_origin(annotation), get_args(annotation)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        if isinstance(value, dict):
            yield from unknown_keys(annotation, value, place)
    elif kind is list and isinstance(value, list):
        for number, item in enumerate(value):
            yield from _unknown_in(inner[0], item, (*place, number))
    elif kind is dict and isinstance(value, dict):
        for key, item in value.items():
            yield from _unknown_in(inner[1], item, (*place, key))
    elif kind in (Union, UnionType):
        for choice in inner:
            yield from _unknown_in(choice, value, place)


def _suggestion(key: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(key, known, n=1)
    return f"; did you mean '{close[0]}'?" if close else ""


def _invalid(document: Document, findings: list[Finding]) -> DLIValidationError:
    errors = [f"{document.at(finding.place)}: {finding.message}" for finding in findings]
    pointed = [
        {"pointer": _pointer(finding.place), "message": finding.message} for finding in findings
    ]
    return DLIValidationError(
        errors[0], code=findings[0].code, errors=errors, details={"errors": pointed}
    )


def _pointer(place: Place) -> str:
    return "".join("/" + str(key).replace("~", "~0").replace("/", "~1") for key in place)
