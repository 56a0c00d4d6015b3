"""Queries on a table as the newest completed runs of datasets have made them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from basecamp.engines.base import Engine, RunSpec
from basecamp.store import completion, spec
from dli.exceptions import DatasetNotFoundError
from dli.models.catalog import SampleQuery
from dli.models.lineage import LineageDirection

if TYPE_CHECKING:
    from collections.abc import Iterator

    from basecamp.store.database import Database
    from basecamp.store.run import RunRow
    from dli.models.lineage import LineageNode
    from dli.specs.lineage import Lineage

_DATASET = "Dataset"
_READS = "direct"


class SampleQueries:
    """Finds what fills a table and what reads it, and renders it again as it ran."""

    def __init__(self, database: Database, engine: Engine) -> None:
        self._database = database
        self._engine = engine

    def of(self, table: str, graph: Lineage, limit: int) -> list[SampleQuery]:
        """At most `limit` queries, the newest first; none that cannot be rendered any more.

        Raises:
            ServerError: the engine does not answer (DLI-504).
        """
        with self._database.read() as tx:
            runs = [
                (node, row, completion.count(tx, node.name))
                for node in _users(table, graph)
                for row in completion.newest(tx, node.name, 1)
            ]
        runs.sort(key=lambda found: found[1].finished_at, reverse=True)
        found: list[SampleQuery] = []
        for node, row, run_count in runs:
            sql = self._sql(row) if len(found) < limit else None
            if sql is not None:
                verb = "fills" if node.depth == 0 else "reads"
                found.append(
                    SampleQuery(
                        title=f"{node.name} {verb} it",
                        sql=sql,
                        author=node.owner,
                        run_count=run_count,
                        last_run=row.finished_at,
                    )
                )
        return found

    def _sql(self, row: RunRow) -> str | None:
        """The main statement of a run; `None` when it cannot be rendered as it was."""
        with self._database.read() as tx:
            content = spec.load(tx, row.spec_hash)
        asked = RunSpec(
            content,
            row.parameters,
            row.interval_start,
            row.interval_end,
            row.timezone,
            row.run_id,
        )
        checked = self._engine.check(asked, bind=False)
        position = len(content.get("pre_statements", ()))
        return checked.statements[position] if checked.ok else None


def _users(table: str, graph: Lineage) -> Iterator[LineageNode]:
    """The dataset of this name, and the datasets whose SQL reads it."""
    try:
        around = graph.around(table, LineageDirection.DOWNSTREAM, 1)
    except DatasetNotFoundError:
        return
    readers = {edge.target for edge in around.edges if edge.edge_type == _READS}
    for node in (around.root, *around.nodes):
        if node.type == _DATASET and (node is around.root or node.name in readers):
            yield node
