"""Questions about what specs read and write."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dli.models.dataset import DatasetSpec
from dli.models.metric import MetricSpec
from dli.models.spec import SpecType
from dli.specs.dependency import columns_made, sample_statements, tables_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from basecamp.engines.embedded.desk import Desk
    from dli.specs.statement import Slot


def tables(desk: Desk, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """For each of the `specs`, in their order, the names of the tables it reads and writes."""
    found = []
    for content in arguments["specs"]:
        spec = _spec(content)
        reads, writes = tables_of(spec, _statements(desk, spec))
        found.append({"reads": reads, "writes": writes})
    return {"tables": found}


def columns(desk: Desk, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """What the columns of a spec are made from; `declared` has columns of tables that specs tell.

    Those of other tables are what the warehouse has.
    """
    spec = _spec(arguments["spec"])
    declared: dict[str, list[str]] = arguments["declared"]

    def columns_of(tables: list[str]) -> dict[str, list[str]]:
        known = {table: declared[table] for table in tables if table in declared}
        if len(known) == len(set(tables)):
            return known
        with desk.session() as session:
            stored = {one.name.lower(): one for one in session.tables()}
        return {
            table: [column.name for column in stored[table.lower()].columns]
            for table in tables
            if table.lower() in stored
        } | known

    return {"columns": columns_made(spec, _statements(desk, spec), columns_of)}


def _statements(desk: Desk, spec: DatasetSpec | MetricSpec) -> list[tuple[Slot, str]]:
    context = replace(desk.render_context(), known_names=set(spec.depends_on))
    with desk.rendering():
        return sample_statements(spec, context)


def _spec(content: Mapping[str, Any]) -> DatasetSpec | MetricSpec:
    model = MetricSpec if content["type"] == SpecType.METRIC.value else DatasetSpec
    return model.model_validate(content)
