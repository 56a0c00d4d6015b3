"""`MetricAPI` in LOCAL mode: specs of the project and what is wrong with them."""

from pathlib import Path
from typing import Any

import pytest

from dli.api.metric import MetricAPI
from dli.models.common import ExecutionContext

NAME = "shop.sales.total"
SPEC = """
name: shop.sales.total
owner: me@example.com
team: sales
tags: [daily]
query_statement: SELECT SUM(amount) AS total FROM shop.raw.orders
"""


@pytest.fixture
def api(tmp_path: Path) -> MetricAPI:
    root = tmp_path / "project"
    (root / "metrics").mkdir(parents=True)
    (root / "dli.yaml").write_text("")
    (root / "metrics" / f"metric.{NAME}.yaml").write_text(SPEC)
    return MetricAPI(ExecutionContext(project_path=root))


@pytest.mark.parametrize(
    ("filters", "count"),
    [({}, 1), ({"tags": ["daily"]}, 1), ({"tags": ["other"]}, 0), ({"owner": "you"}, 0)],
)
def test_every_filter_of_the_list_holds(
    api: MetricAPI, filters: dict[str, Any], count: int
) -> None:
    assert [spec.name for spec in api.list_metrics(**filters)] == [NAME] * count


def test_a_spec_or_none(api: MetricAPI) -> None:
    found = api.get(NAME)
    assert found is not None
    assert found.name == NAME
    assert api.get("shop.sales.unknown") is None


def test_a_path_replaces_the_project_of_the_context(api: MetricAPI) -> None:
    elsewhere = MetricAPI(ExecutionContext())
    assert [spec.name for spec in elsewhere.list_metrics(api.context.project_path)] == [NAME]


def test_validation(api: MetricAPI) -> None:
    assert api.validate(NAME).valid
    assert not api.validate("shop.sales.unknown").valid
