"""The example project uses every key that a file of a project can have, and every kind of thing."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from pydantic import BaseModel

from dli.models.dataset import DatasetSpec
from dli.models.dq import DqSeverity, DqTestType
from dli.models.metric import AggregationType, DimensionType, MetricSpec
from dli.models.quality import QualitySpec
from dli.models.transpile import RuleType
from dli.specs.project_file import ProjectFile

EXAMPLE = Path(__file__).parents[2] / "examples" / "flights"

LEFT_OUT = {
    "dli.yaml": {
        "discovery.dataset_patterns": "the usual names are used",
        "discovery.metric_patterns": "the usual names are used",
        "discovery.sql_patterns": "the usual names are used",
        "server": "`dli up` starts one",
        "sources.url": "everything is inside of the project",
    },
    "spec": {
        "type": "the name of the file says it",
        "query_type": "the type says it",
        "quality.tests": "filled from the quality files when a spec is sent",
        "post_statements.file": "as in pre_statements",
        "pre_statements.continue_on_error": "as in post_statements",
    },
    "quality": {"tests.expression": "the server's to say: not in 0.4"},
}


def models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from models(part)


def known(model: type[BaseModel]) -> set[str]:
    """All keys of a file, those inside of others with dots; names of environments are left out."""
    found: set[str] = set()
    for name, field in model.model_fields.items():
        if field.exclude:
            continue
        key = field.alias or name
        found.add(key)
        for inner in models(field.annotation):
            found |= {f"{key}.{below}" for below in known(inner)}
    return found


def used(value: Any) -> set[str]:
    if isinstance(value, list):
        return set().union(*map(used, value))
    if not isinstance(value, dict):
        return set()
    return set(value) | {f"{key}.{below}" for key, inner in value.items() for below in used(inner)}


def files(pattern: str) -> list[dict[str, Any]]:
    found = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in EXAMPLE.rglob(pattern)]
    assert found
    return found


def without_environments(settings: dict[str, Any]) -> dict[str, Any]:
    return {**settings, "environments": list(settings["environments"].values())}


@pytest.mark.parametrize(
    ("kind", "keys", "contents"),
    [
        ("dli.yaml", known(ProjectFile), [*map(without_environments, files("dli.yaml"))]),
        (
            "spec",
            known(DatasetSpec) | known(MetricSpec),
            files("dataset.*.yaml") + files("metric.*.yaml"),
        ),
        ("quality", known(QualitySpec), files("quality.*.yaml")),
    ],
    ids=["dli.yaml", "spec", "quality"],
)
def test_every_key_is_used(kind: str, keys: set[str], contents: list[dict[str, Any]]) -> None:
    missing = keys - set().union(*map(used, contents))
    unexplained = {
        key
        for key in missing
        if not any(f"{key}.".startswith(f"{reason}.") for reason in LEFT_OUT[kind])
    }
    assert unexplained == set()
    assert [key for key in LEFT_OUT[kind] if key not in missing] == []


def test_every_kind_is_used() -> None:
    (settings,), metrics = files("dli.yaml"), files("metric.*.yaml")
    tests = [test for file in files("quality.*.yaml") for test in file["tests"]]
    assert {test["type"] for test in tests} == {kind.value for kind in DqTestType}
    assert {test.get("severity", "error") for test in tests} == {s.value for s in DqSeverity}
    measures = [measure for metric in metrics for measure in metric["metrics"]]
    assert {m["aggregation"] for m in measures} == {kind.value for kind in AggregationType}
    dimensions = [dimension for metric in metrics for dimension in metric["dimensions"]]
    assert {d["type"] for d in dimensions} == {kind.value for kind in DimensionType}
    assert {r["type"] for r in settings["transpile"]["rules"]} == {kind.value for kind in RuleType}
