"""What each spec of a project is made from, as its SQL and its `depends_on` say."""

from dataclasses import replace
from datetime import UTC, datetime

from dli.exceptions import DatasetNotFoundError, DLIError
from dli.models.dataset import DatasetSpec
from dli.models.lineage import LineageDirection, LineageEdge, LineageNode, LineageResult
from dli.models.metric import MetricSpec
from dli.specs.graph import Graph
from dli.specs.parameter import bind, samples
from dli.specs.project import Project
from dli.specs.sql import tables_read, tables_written
from dli.specs.statement import Slot, render_slot, slots
from dli.specs.template import RenderContext, builtin_values

__all__ = ["Lineage", "sample_statements"]

DIRECT, DECLARED, WRITES = "direct", "declared", "writes"
"""Read by SQL; only named in `depends_on`; filled by another dataset beside its own table."""


class Lineage:
    """The graph of a project: datasets, metrics, sources, and tables that nobody declares."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._specs: dict[str, DatasetSpec | MetricSpec] = {
            **project.datasets(),
            **project.metrics(),
        }
        self._sources = {source.table for source in project.sources}
        self._spelling = {name.lower(): name for name in (*self._specs, *self._sources)}
        self._kinds: dict[tuple[str, str], str] = {}
        for spec in self._specs.values():
            self._add(spec)
        needs: dict[str, list[str]] = {name: [] for name in (*self._specs, *self._sources)}
        for source, target in self._kinds:
            needs.setdefault(target, []).append(source)
        self._graph = Graph(needs)

    def around(
        self, name: str, direction: LineageDirection = LineageDirection.BOTH, depth: int = -1
    ) -> LineageResult:
        """The part of the graph that `name` is made from, and that is made from it.

        `depth` limits the distance, -1 does not; the depths of sources are negative.
        Raises: DatasetNotFoundError DLI-101.
        """
        root = self._spelling.get(name.lower(), name)
        if root not in self._graph:
            discovery = self._project.config.discovery
            folders = (discovery.datasets_dir, discovery.metrics_dir)
            searched = [str(self._project.root / folder) for folder in folders]
            message = "Nothing of this name is in the project"
            raise DatasetNotFoundError(message, name=name, searched_paths=searched)
        above: dict[str, int] = {}
        below: dict[str, int] = {}
        if direction is not LineageDirection.DOWNSTREAM:
            above = self._graph.upstream(root, depth)
        if direction is not LineageDirection.UPSTREAM:
            below = self._graph.downstream(root, depth)
        return LineageResult(
            root=self._node(root),
            nodes=[
                replace(self._node(at), depth=far)
                for at, far in {**below, **{at: -far for at, far in above.items()}}.items()
            ],
            edges=self._edges(root, above, below),
            direction=direction,
            max_depth=depth,
            total_upstream=len(above),
            total_downstream=len(below),
        )

    def names(self) -> list[str]:
        """Everything in the graph."""
        linked = (name for pair in self._kinds for name in pair)
        return sorted({*self._specs, *self._sources, *linked})

    def _edges(self, root: str, above: dict[str, int], below: dict[str, int]) -> list[LineageEdge]:
        """Links on the way to the root, not those between two of its neighbours elsewhere."""
        sides = ({root, *above}, {root, *below})
        return [
            LineageEdge(source, target, self._kinds[source, target])
            for source, target in self._graph.edges()
            if any(source in side and target in side for side in sides)
        ]

    def _add(self, spec: DatasetSpec | MetricSpec) -> None:
        reads, writes = _tables(self._project, spec)
        for table in spec.depends_on:
            self._link(table, spec.name, DECLARED)
        for table in reads:
            self._link(table, spec.name, DIRECT)
        if isinstance(spec, DatasetSpec):
            for table in writes:
                self._link(spec.name, table, WRITES)

    def _link(self, source: str, target: str, kind: str) -> None:
        source = self._spelling.get(source.lower(), source)
        target = self._spelling.get(target.lower(), target)
        if source != target:
            self._kinds[source, target] = kind

    def _node(self, name: str) -> LineageNode:
        spec = self._specs.get(name)
        if spec is None:
            return LineageNode(name, "Source" if name in self._sources else "Table")
        return LineageNode(
            name,
            spec.type.value,
            owner=spec.owner,
            team=spec.team,
            description=spec.description or None,
            tags=list(spec.tags),
        )


def _tables(project: Project, spec: DatasetSpec | MetricSpec) -> tuple[list[str], list[str]]:
    """Tables that all statements read and write; none for statements that cannot be read."""
    reads: list[str] = []
    writes: list[str] = []
    for slot, sql in sample_statements(project, spec):
        dialect = spec.execution.dialect
        written = tables_written(sql, dialect)
        writes += written
        # What the main or a later statement has filled is a result, not a source.
        is_main = slot.phase == "main"
        reads += [name for name in tables_read(sql, dialect) if is_main or name not in writes]
    return reads, writes


def sample_statements(project: Project, spec: DatasetSpec | MetricSpec) -> list[tuple[Slot, str]]:
    """Each statement as it looks today, with samples for what nobody gives.

    One that cannot be rendered is left out: `validate` tells what is wrong with it.
    """
    given = samples(spec.parameters)
    context = RenderContext(
        logical_date=datetime.now(UTC).date(),
        variables=project.variables,
        known_names=project.names,
    )
    found = []
    try:
        bundle = project.bundled(spec)
        values = bind(spec.parameters, given, builtin_values(context))
    except DLIError:
        return []
    for slot in slots(bundle):
        try:
            statement = render_slot(slot, context, values, {}, spec.execution.dialect)
        except DLIError:
            continue
        found.append((slot, statement.sql))
    return found
