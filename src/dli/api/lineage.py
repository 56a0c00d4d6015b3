"""`LineageAPI`: what a dataset or metric is made from, and what is made from it."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from dli.api.argument import check_minimum, check_text, member
from dli.api.column import known_columns
from dli.api.engine import LocalEngine
from dli.api.facade import Facade
from dli.api.project import find_root, open_project
from dli.api.reply import record_of, unreadable
from dli.api.server import connect
from dli.client.basecamp import create_client
from dli.exceptions import ConfigurationError, DatasetNotFoundError
from dli.models.instant import utc_now
from dli.models.lineage import LineageDirection, LineageEdge, LineageNode, LineageResult

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dli.client.basecamp import BasecampClient
    from dli.models.common import ExecutionContext
    from dli.models.dataset import DatasetSpec
    from dli.models.metric import MetricSpec
    from dli.specs.lineage import Lineage
    from dli.specs.project import Project
    from dli.warehouse.executor import QueryExecutor

__all__ = ["LineageAPI"]

_JOBS = ("Dataset", "Metric")
_NAMESPACE = "default"


class LineageAPI(Facade):
    """In LOCAL mode the graph of the project's specs; otherwise the server's."""

    def __init__(
        self, context: ExecutionContext | None = None, executor: QueryExecutor | None = None
    ) -> None:
        super().__init__(context)
        self._opened: Project | None = None
        self._engine = LocalEngine(self._project, executor)

    def get(
        self, name: str, *, direction: LineageDirection | str = "both", depth: int = -1
    ) -> LineageResult:
        """The graph around `name`; `depth` limits the distance, -1 does not.

        The depth of a node is its distance: negative for what the root is made from.

        Raises: DatasetNotFoundError (101), DLIValidationError (204), ServerError (501-503).
        """
        check_text(name=name)
        side = member(LineageDirection, direction, "direction") or LineageDirection.BOTH
        check_minimum(-1, depth=depth)
        if self._is_mock:
            with create_client(mock_mode=True) as client:
                return _asked(client, name, side, depth)
        if self._is_server or find_root(self.context) is None:
            with connect(self.context) as client:
                return _asked(client, name, side, depth)
        return self._graph.around(name, side, depth)

    def names(self) -> list[str]:
        """Everything in the project's graph."""
        if self._is_mock or self._is_server:
            return []
        return self._graph.names()

    def get_events(self, name: str) -> list[str]:
        """An event of OpenLineage in JSON for each dataset and metric of the graph around `name`.

        They describe jobs, not runs, with the lineage of their columns.
        Raises: as `get`, ConfigurationError (001) without the extra `lineage`.
        """
        found = self.get(name)
        try:
            from dli.warehouse.openlineage import event_text, job_event
        except ImportError as error:
            message = "Events of OpenLineage need the extra: dli[lineage]"
            raise ConfigurationError(message) from error

        namespace = _NAMESPACE
        if self._has_project:
            config = self._project().config
            namespace = config.lineage.namespace or config.project.name
        events = []
        for node in sorted((*found.nodes, found.root), key=lambda node: node.depth):
            if node.type in _JOBS:
                columns = self.get_columns(node.name)
                around = self.get(node.name, depth=1)
                event = job_event(around, columns, namespace=namespace, at=utc_now())
                events.append(event_text(event))
        return events

    def get_columns(self, name: str) -> dict[str, list[str]]:
        """For each column of a dataset or metric the `table.column` texts it is made from.

        Raises: DatasetNotFoundError (101), ServerError (501-503).
        """
        check_text(name=name)
        if self._is_mock:
            return {}
        if not self._has_project:
            with connect(self.context) as client:
                return _columns(client, name)
        from dli.specs.dependency import columns_made, sample_context, sample_statements

        project = self._project()
        spec = self._spec(project, name)
        statements = sample_statements(project.bundled(spec), sample_context(project))
        return columns_made(
            spec,
            statements,
            lambda tables: known_columns(tables, project.datasets(), self._engine),
        )

    @property
    def _has_project(self) -> bool:
        """Whether the graph is that of a project's files."""
        return not (self._is_mock or self._is_server or find_root(self.context) is None)

    @cached_property
    def _graph(self) -> Lineage:
        from dli.specs.dependency import project_lineage

        return project_lineage(self._project())

    def _spec(self, project: Project, name: str) -> DatasetSpec | MetricSpec:
        if name in project.metrics():
            return project.metric(name)
        return project.dataset(name)

    def _project(self) -> Project:
        if self._opened is None:
            self._opened = open_project(self.context)
        return self._opened


def _asked(
    client: BasecampClient, name: str, direction: LineageDirection, depth: int
) -> LineageResult:
    answer = client.get_lineage(name, direction.value, depth)
    if answer.status_code == 404:
        raise DatasetNotFoundError("The server knows nothing of this name", name=name)
    record = record_of(answer)
    try:
        return _read(record, direction)
    except (KeyError, TypeError, ValueError) as error:
        raise unreadable(answer) from error


def _columns(client: BasecampClient, name: str) -> dict[str, list[str]]:
    answer = client.get_column_lineage(name)
    if answer.status_code == 404:
        raise DatasetNotFoundError("The server knows no dataset or metric of this name", name=name)
    found = record_of(answer).get("columns")
    if not isinstance(found, dict):
        raise unreadable(answer)
    return {str(column): list(map(str, sources)) for column, sources in found.items()}


def _read(record: Mapping[str, Any], direction: LineageDirection) -> LineageResult:
    return LineageResult(
        root=LineageNode(**record["root"]),
        nodes=[LineageNode(**node) for node in record["nodes"]],
        edges=[LineageEdge(**edge) for edge in record["edges"]],
        direction=direction,
        max_depth=int(record["max_depth"]),
        total_upstream=int(record["total_upstream"]),
        total_downstream=int(record["total_downstream"]),
    )
