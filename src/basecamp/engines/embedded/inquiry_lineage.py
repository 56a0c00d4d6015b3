"""Questions about what specs read and write."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from dli.models.dataset import DatasetSpec
from dli.models.metric import MetricSpec
from dli.models.spec import SpecType
from dli.specs.dependency import sample_statements, tables_of
from dli.specs.template import RenderContext

if TYPE_CHECKING:
    from collections.abc import Mapping

    from basecamp.engines.embedded.desk import Desk


def tables(desk: Desk, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """For each of the `specs`, in their order, the names of the tables it reads and writes."""
    specs = [_spec(content) for content in arguments["specs"]]
    context = RenderContext(
        logical_date=datetime.now(UTC).date(),
        variables=desk.project().variables,
        allowed_env=desk.allowed_env,
        known_names={name for spec in specs for name in spec.depends_on},
    )
    found = []
    for spec in specs:
        with desk.rendering():
            statements = sample_statements(spec, context)
        reads, writes = tables_of(spec, statements)
        found.append({"reads": reads, "writes": writes})
    return {"tables": found}


def _spec(content: Mapping[str, Any]) -> DatasetSpec | MetricSpec:
    model = MetricSpec if content["type"] == SpecType.METRIC.value else DatasetSpec
    return model.model_validate(content)
